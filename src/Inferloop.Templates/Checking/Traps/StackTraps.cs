using System.Text.RegularExpressions;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>Mistakes in how stacks are joined: addresses of nested templates, exports and imports.</summary>
internal static partial class StackTraps
{
    public static readonly TrapRule Cycle = new(
        "ReferenceCycle", DiagnosticSeverity.Error, "Resources refer to each other in a circle",
        "Break the circle: take one reference out of a property into a resource of its own (a rule, an association, a policy), or use a name that both know.");

    public static readonly TrapRule Relative = new(
        "RelativeTemplateUrl", DiagnosticSeverity.Information, "A nested template is named by a relative path",
        "Package it before it is deployed: Export-InferloopTemplate -Bucket, or aws cloudformation package. New-InferloopEnvironment does so by itself.");

    public static readonly TrapRule OwnImport = new(
        "ImportOfOwnStack", DiagnosticSeverity.Error, "A stack imports an export under its own name",
        "Pass the value as a parameter from the stack that has it (GetAtt Nested.Outputs.Name), or import it under the exporting stack's name.");

    public static readonly TrapRule NoExport = new(
        "ExportNeverMade", DiagnosticSeverity.Error, "An imported value is exported nowhere",
        "Export it (Outputs.Name.Export.Name) in the stack that has it, check it together with that stack's template, or pass the value as a parameter.");

    /// <summary>Looks at the text of templates that are deployed together.</summary>
    public static IEnumerable<Diagnostic> Check(IReadOnlyList<Template> templates)
    {
        var exports = templates.SelectMany(Exports).ToHashSet(StringComparer.Ordinal);
        foreach (var template in templates)
        {
            foreach (var reference in TemplateWriter.NestedTemplates(template).Where(r => !r.TemplateUrl.Contains("://", StringComparison.Ordinal)))
            {
                yield return new Diagnostic(Relative.Id, Relative.Severity, $"The template '{reference.TemplateUrl}' is beside this one; CloudFormation takes only an address in S3.", reference.Location, reference.LogicalId);
            }

            foreach (var (argument, name) in Imports(template.Root))
            {
                if (name.Contains("{AWS::StackName}", StringComparison.Ordinal))
                {
                    yield return new Diagnostic(OwnImport.Id, OwnImport.Severity, $"'{name}' has this very stack's name in it: no other stack exports that.", argument.Location, null);
                }
                else if (!exports.Any(e => Fits(e, name)))
                {
                    // What the templates at hand do not export may be another's; within one tree it is a mistake.
                    var severity = templates.Count > 1 ? NoExport.Severity : DiagnosticSeverity.Warning;
                    yield return new Diagnostic(NoExport.Id, severity, $"None of the templates at hand exports '{name}'.", argument.Location, null);
                }
            }
        }
    }

    private static IEnumerable<string> Exports(Template template) => template.Outputs.Values
        .Select(o => (o.Node["Export"] as MappingNode)?["Name"]).OfType<Node>().Select(Text).OfType<string>();

    private static IEnumerable<(Node Argument, string Name)> Imports(Node node)
    {
        switch (node)
        {
            case SequenceNode list:
                return list.Items.SelectMany(Imports);
            case MappingNode map:
                return map.Entries.SelectMany(e => e.Key == "Fn::ImportValue" && Text(e.Value) is { } name ? [(e.Value, name)] : Imports(e.Value));
            default:
                return [];
        }
    }

    /// <summary>A name as far as it can be read without evaluating: text, or Fn::Sub's text with its variables.</summary>
    private static string? Text(Node node) => node switch
    {
        ScalarNode scalar => scalar.Text,
        MappingNode { Count: 1 } map when map[0].Key == "Fn::Sub" => map[0].Value switch { ScalarNode text => text.Text, SequenceNode { Items: [ScalarNode text, ..] } => text.Text, _ => null },
        MappingNode { Count: 1 } map when map[0].Key == "Ref" && map[0].Value is ScalarNode name => "${" + name.Text + "}",
        MappingNode { Count: 1 } map when map[0].Key == "Fn::Join" && map[0].Value is SequenceNode { Items: [ScalarNode separator, SequenceNode parts] } =>
            parts.Items.Select(Text).ToList() is var texts && texts.TrueForAll(t => t is not null) ? string.Join(separator.Text, texts) : null,
        _ => null,
    };

    // Two names can be the same where variables are left open; other stacks name theirs by other parameters.
    private static bool Fits(string export, string import) => Open(export).IsMatch(Variable().Replace(import, "x")) || Open(import).IsMatch(Variable().Replace(export, "x"));

    private static Regex Open(string name) => new("^" + string.Join(".+", Variable().Split(name).Select(Regex.Escape)) + "$", RegexOptions.CultureInvariant);

    [GeneratedRegex(@"\$\{[^}]*\}")]
    private static partial Regex Variable();
}
