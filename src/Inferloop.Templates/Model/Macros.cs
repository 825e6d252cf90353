using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Transforms that only AWS can run, explained.</summary>
internal static class Macros
{
    public const string LanguageExtensions = "AWS::LanguageExtensions";

    public static string Explain(Node transform)
    {
        var name = ((transform as MappingNode)?["Name"] as ScalarNode)?.Text;
        return name switch
        {
            "AWS::Include" => "AWS::Include reads its snippet from S3 while the stack is deployed, so the template cannot be evaluated here. Put the snippet into the template, or into a nested stack.",
            null => "Fn::Transform must name its macro.",
            _ => $"The macro '{name}' runs in your AWS account while the stack is deployed, so the template cannot be evaluated here.",
        };
    }

    public static string ExplainTransform(string name) => name switch
    {
        "AWS::Serverless-2016-10-31" => "The transform AWS::Serverless-2016-10-31 (SAM) runs in AWS while the stack is deployed, so the template cannot be evaluated here. Use the template that 'Get-CFNTemplate -TemplateStage Processed' returns.",
        _ when name.StartsWith("AWS::", StringComparison.Ordinal) => $"The transform '{name}' runs in AWS while the stack is deployed, so the template cannot be evaluated here.",
        _ => $"The macro '{name}' runs in your AWS account while the stack is deployed, so the template cannot be evaluated here.",
    };
}
