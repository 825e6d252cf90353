using System.Text;
using System.Text.Json;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>A nested stack's template as the parent's text names it.</summary>
/// <param name="LogicalId">The resource that is the nested stack.</param>
/// <param name="TemplateUrl">The text of its TemplateURL.</param>
/// <param name="Location">Where it stands.</param>
public sealed record NestedTemplateReference(string LogicalId, string TemplateUrl, SourceLocation Location);

/// <summary>Changes single values in a template's text and leaves everything else, comments and layout, as it is.</summary>
public static class TemplateWriter
{
    /// <summary>The nested templates that a template names by literal text.</summary>
    /// <param name="template">The template.</param>
    /// <returns>The references in the template's order.</returns>
    public static IReadOnlyList<NestedTemplateReference> NestedTemplates(Template template)
    {
        ArgumentNullException.ThrowIfNull(template);
        return [.. Urls(template).Select(u => new NestedTemplateReference(u.LogicalId, u.Node.Text, u.Node.Location))];
    }

    /// <summary>Replaces nested TemplateURL values.</summary>
    /// <param name="template">The template.</param>
    /// <param name="replace">Given the logical id and the present URL, the new URL; null leaves it.</param>
    /// <returns>The text with the new URLs.</returns>
    public static string ReplaceNestedTemplates(Template template, Func<string, string, string?> replace)
    {
        ArgumentNullException.ThrowIfNull(template);
        ArgumentNullException.ThrowIfNull(replace);
        var text = new StringBuilder(template.Text.Length + 256);
        var at = 0;
        foreach (var (logicalId, node) in Urls(template).OrderBy(u => u.Node.Start))
        {
            if (replace(logicalId, node.Text) is not { } url || node.Start < at)
            {
                continue;
            }

            text.Append(template.Text, at, node.Start - at);
            text.Append(template.IsJson ? JsonSerializer.Serialize(url) : QuoteYaml(url));
            // A block scalar ends with its line.
            text.Append(template.Text.AsSpan(node.Start, node.End - node.Start).EndsWith("\n") ? "\n" : "");
            at = node.End;
        }

        return text.Append(template.Text, at, template.Text.Length - at).ToString();
    }

    // Single quotes mean the same in block and in flow context, and need no escape but their own.
    private static string QuoteYaml(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static IEnumerable<(string LogicalId, ScalarNode Node)> Urls(Template template)
    {
        foreach (var (id, node) in new TemplateNames(template).Resources)
        {
            if (node["Type"] is ScalarNode { Text: "AWS::CloudFormation::Stack" } && (node["Properties"] as MappingNode)?["TemplateURL"] is ScalarNode url)
            {
                yield return (id, url);
            }
        }
    }
}
