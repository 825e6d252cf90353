namespace Inferloop.Templates.Syntax;

/// <summary>YAML's short forms of the intrinsic functions: <c>!Sub</c> for <c>Fn::Sub</c>.</summary>
internal static class ShortForms
{
    private static readonly Dictionary<string, string> s_functions = new(StringComparer.Ordinal)
    {
        ["!Ref"] = "Ref",
        ["!Condition"] = "Condition",
        ["!And"] = "Fn::And",
        ["!Base64"] = "Fn::Base64",
        ["!Cidr"] = "Fn::Cidr",
        ["!Contains"] = "Fn::Contains",
        ["!EachMemberEquals"] = "Fn::EachMemberEquals",
        ["!EachMemberIn"] = "Fn::EachMemberIn",
        ["!Equals"] = "Fn::Equals",
        ["!FindInMap"] = "Fn::FindInMap",
        ["!GetAZs"] = "Fn::GetAZs",
        ["!GetAtt"] = "Fn::GetAtt",
        ["!If"] = "Fn::If",
        ["!ImportValue"] = "Fn::ImportValue",
        ["!Join"] = "Fn::Join",
        ["!Length"] = "Fn::Length",
        ["!Not"] = "Fn::Not",
        ["!Or"] = "Fn::Or",
        ["!RefAll"] = "Fn::RefAll",
        ["!Select"] = "Fn::Select",
        ["!Split"] = "Fn::Split",
        ["!Sub"] = "Fn::Sub",
        ["!ToJsonString"] = "Fn::ToJsonString",
        ["!Transform"] = "Fn::Transform",
        ["!ValueOf"] = "Fn::ValueOf",
        ["!ValueOfAll"] = "Fn::ValueOfAll",
    };

    public static string? Function(string tag) => s_functions.GetValueOrDefault(tag);

    public static string Unknown(string tag) =>
        tag.StartsWith("tag:yaml.org,2002:", StringComparison.Ordinal)
            ? $"CloudFormation does not support the YAML tag '!!{tag["tag:yaml.org,2002:".Length..]}'."
            : $"'{tag}' is not a function of CloudFormation.{Suggestion.For(tag, s_functions.Keys)}";

    public static MappingNode Expand(string function, Node argument, SourceLocation location)
    {
        // "!GetAtt Db.Endpoint.Address" is "Fn::GetAtt: [Db, Endpoint.Address]".
        if (function == "Fn::GetAtt" && argument is ScalarNode { Text: var text } scalar)
        {
            var dot = text.IndexOf('.', StringComparison.Ordinal);
            if (dot > 0)
            {
                argument = new SequenceNode(
                    [
                        new ScalarNode(text[..dot], ScalarKind.String, scalar.Location, scalar.Start, scalar.End),
                        new ScalarNode(text[(dot + 1)..], ScalarKind.String, scalar.Location, scalar.Start, scalar.End),
                    ],
                    scalar.Location,
                    scalar.Start,
                    scalar.End);
            }
        }

        return new MappingNode([new MappingEntry(function, location, argument)], location, argument.Start, argument.End);
    }
}
