using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>What is wrong with a template or its parameters, in CloudFormation's words.</summary>
internal static partial class TemplateFaults
{
    public static ServiceFault For(TemplateException e, Template? template = null) => new("ValidationError", Message(e, template));

    public static string Message(TemplateException e, Template? template = null)
    {
        var errors = e.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        if (errors.Count == 0)
        {
            return "Template format error: " + e.Message;
        }
        var first = errors[0];
        var same = errors.Where(error => error.Code == first.Code).ToList();
        switch (first.Code)
        {
            case DiagnosticCodes.MissingParameter:
                return $"Parameters: [{Names(same)}] must have values";
            case DiagnosticCodes.UnknownParameter:
                return $"Parameters: [{Names(same)}] do not exist in the template";
            case DiagnosticCodes.InvalidParameter:
                return Parameter(first, template);
            case DiagnosticCodes.UnresolvedReference or DiagnosticCodes.ConditionalReference when Quoted().Match(first.Message) is { Success: true } match:
                return first.Message.Contains("export", StringComparison.Ordinal) ? first.Message
                    : $"Template format error: Unresolved resource dependencies [{string.Join(", ", same.Select(error => Quoted().Match(error.Message).Groups[1].Value).Where(name => name.Length > 0).Distinct().DefaultIfEmpty(match.Groups[1].Value))}] in the Resources block of the template";
            case DiagnosticCodes.CircularDependency:
                return first.Message.TrimEnd('.');
            case DiagnosticCodes.InvalidYaml:
                return $"Template format error: YAML not well-formed.{At(first)}";
            case DiagnosticCodes.InvalidJson:
                return $"Template format error: JSON not well-formed.{At(first)}";
            case DiagnosticCodes.RuleFailed or DiagnosticCodes.UnresolvedReference:
                return "Template validation error: " + first.Message;
            case DiagnosticCodes.InvalidStructure when first.Message.StartsWith("At least one Resources member", StringComparison.Ordinal):
                return "Template format error: At least one Resources member must be defined.";
            case DiagnosticCodes.LimitExceeded:
                return "Template format error: " + first.Message;
            default:
                return "Template format error: " + first.Message + At(first);
        }
    }

    private static string Names(IEnumerable<Diagnostic> diagnostics) =>
        string.Join(", ", diagnostics.Select(diagnostic => NameOf(diagnostic.Path)).Distinct());

    private static string NameOf(string? path)
    {
        var at = path?.LastIndexOf("Parameters.", StringComparison.Ordinal) ?? -1;
        return at < 0 ? path ?? "" : path![(at + "Parameters.".Length)..];
    }

    private static string Parameter(Diagnostic diagnostic, Template? template)
    {
        var name = NameOf(diagnostic.Path);
        if (template is null || !template.Parameters.TryGetValue(name, out var parameter))
        {
            return "Parameter validation failed: " + diagnostic.Message;
        }
        var message = diagnostic.Message;
        if (parameter.ConstraintDescription is { Length: > 0 } description)
        {
            return $"Parameter {name} failed to satisfy constraint: {description}";
        }
        return message switch
        {
            _ when message.Contains("must be one of", StringComparison.Ordinal) => $"Parameter '{name}' must be one of AllowedValues",
            _ when message.Contains("match the pattern", StringComparison.Ordinal) => $"Parameter '{name}' must match pattern {parameter.AllowedPattern}",
            _ when message.Contains("must be a number", StringComparison.Ordinal) => $"Parameter '{name}' must be a number",
            _ when message.Contains("at least", StringComparison.Ordinal) && message.Contains("characters", StringComparison.Ordinal) => $"Parameter '{name}' must contain at least {parameter.MinLength} characters",
            _ when message.Contains("at most", StringComparison.Ordinal) && message.Contains("characters", StringComparison.Ordinal) => $"Parameter '{name}' must contain at most {parameter.MaxLength} characters",
            _ when message.Contains("at least", StringComparison.Ordinal) => $"Parameter '{name}' must be a number not less than {parameter.MinValue}",
            _ when message.Contains("at most", StringComparison.Ordinal) => $"Parameter '{name}' must be a number not greater than {parameter.MaxValue}",
            _ => "Parameter validation failed: " + message,
        };
    }

    private static string At(Diagnostic diagnostic) =>
        diagnostic.Location is { } location ? $" (line {location.Line}, column {location.Column})" : "";

    [GeneratedRegex("'([^']+)'")]
    private static partial Regex Quoted();
}
