using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>
/// Checks a template without evaluating it: resource types, properties and their types, references, attributes, names that nothing
/// uses. Every branch of every condition is checked.
/// </summary>
public static class TemplateChecker
{
    /// <summary>Checks a template.</summary>
    /// <param name="template">The template.</param>
    /// <returns>Everything found, in the order of the text.</returns>
    public static IReadOnlyList<Diagnostic> Check(Template template)
    {
        ArgumentNullException.ThrowIfNull(template);
        var diagnostics = new List<Diagnostic>();
        foreach (var finding in template.Diagnostics)
        {
            diagnostics.Add(finding.Code == DiagnosticCodes.AliasUsed ? finding with { Severity = DiagnosticSeverity.Error } : finding);
        }

        foreach (var transform in template.Transforms.Where(t => t != Macros.LanguageExtensions))
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.UnsupportedTransform, DiagnosticSeverity.Error, Macros.ExplainTransform(transform), template.Root["Transform"]?.Location, "Transform"));
        }

        CheckDefaults(template, diagnostics);
        var names = new TemplateNames(template);
        var references = new ReferenceChecker(template, names, diagnostics);
        references.Check();
        var properties = new PropertyChecker(names, diagnostics);
        foreach (var (id, node) in names.Resources)
        {
            CheckResource(id, node, properties, diagnostics);
        }

        if (template.Transforms.Count == 0 || template.Transforms is [Macros.LanguageExtensions])
        {
            references.ReportUnused();
        }

        return [.. diagnostics.OrderBy(d => d.Location?.Line ?? 0).ThenBy(d => d.Location?.Column ?? 0)];
    }

    private static void CheckDefaults(Template template, List<Diagnostic> diagnostics)
    {
        foreach (var parameter in template.Parameters.Values)
        {
            if (parameter.Default is { } text && ParameterBinder.Refusal(parameter, text) is { } reason)
            {
                diagnostics.Add(new Diagnostic(DiagnosticCodes.InvalidParameter, DiagnosticSeverity.Error, "The default is refused by the parameter's own constraints: " + reason,
                    parameter.Location, $"Parameters.{parameter.Name}.Default"));
            }
        }
    }

    private static void CheckResource(string id, MappingNode node, PropertyChecker checker, List<Diagnostic> diagnostics)
    {
        if (node["Type"] is not ScalarNode { Text: var type } typeNode)
        {
            return;
        }

        CheckPolicy(id, node, "DeletionPolicy", ["Delete", "Retain", "Snapshot", "RetainExceptOnCreate"], diagnostics);
        CheckPolicy(id, node, "UpdateReplacePolicy", ["Delete", "Retain", "Snapshot"], diagnostics);
        if (IsOpen(type))
        {
            return;
        }

        if (ResourceSpecification.Default.Find(type) is not { } specification)
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.UnknownResourceType, DiagnosticSeverity.Error,
                $"'{type}' is not a resource type of CloudFormation.{Suggestion.For(type, ResourceSpecification.Default.Types)}", typeNode.Location, id + ".Type"));
            return;
        }

        checker.Check(specification, node["Properties"], node.Location, id);
    }

    /// <summary>Whether a type's properties are the business of someone other than AWS.</summary>
    internal static bool IsOpen(string type) =>
        type.StartsWith("Custom::", StringComparison.Ordinal) || type == "AWS::CloudFormation::CustomResource"
        || type.EndsWith("::MODULE", StringComparison.Ordinal) || !type.StartsWith("AWS::", StringComparison.Ordinal)
        || type.StartsWith("AWS::Serverless::", StringComparison.Ordinal);

    private static void CheckPolicy(string id, MappingNode node, string name, string[] allowed, List<Diagnostic> diagnostics)
    {
        if (node[name] is ScalarNode { Text: var text } policy && !allowed.Contains(text, StringComparer.Ordinal))
        {
            diagnostics.Add(new Diagnostic(DiagnosticCodes.InvalidStructure, DiagnosticSeverity.Error,
                $"'{text}' is not a {name}; it is one of {string.Join(", ", allowed)}.{Suggestion.For(text, allowed)}", policy.Location, $"{id}.{name}"));
        }
    }
}
