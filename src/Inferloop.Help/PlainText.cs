using System.Text;
using Markdig;
using Markdig.Extensions.Tables;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Inferloop.Help;

/// <summary>Markdown as a console shows it: paragraphs of plain text.</summary>
internal static class PlainText
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().Build();

    /// <summary>The paragraphs of a text; a list item and a block of code are each one.</summary>
    public static IReadOnlyList<string> Paragraphs(string markdown)
    {
        var paragraphs = new List<string>();
        foreach (var block in Markdown.Parse(markdown, Pipeline))
        {
            Add(block, "", paragraphs);
        }

        return paragraphs;
    }

    /// <summary>An example's text in three: what comes before its code, the code, and what comes after.</summary>
    public static (IReadOnlyList<string> Introduction, IReadOnlyList<string> Code, IReadOnlyList<string> Remarks) Example(string markdown)
    {
        var introduction = new List<string>();
        var code = new List<string>();
        var remarks = new List<string>();
        foreach (var block in Markdown.Parse(markdown, Pipeline))
        {
            if (block is FencedCodeBlock { Info: "powershell" or "PowerShell" } fence)
            {
                code.Add(fence.Lines.ToString());
            }
            else
            {
                Add(block, "", code.Count == 0 ? introduction : remarks);
            }
        }

        return (introduction, code, remarks);
    }

    private static void Add(Block block, string indent, List<string> paragraphs)
    {
        switch (block)
        {
            case CodeBlock code:
                paragraphs.Add(string.Join('\n', code.Lines.ToString().Split('\n').Select(l => indent + l.TrimEnd('\r'))));
                break;
            case ListBlock list:
                var number = int.TryParse(list.OrderedStart, out var start) ? start : 1;
                foreach (var item in list.Cast<ListItemBlock>())
                {
                    var inner = new List<string>();
                    foreach (var child in item)
                    {
                        Add(child, "", inner);
                    }

                    paragraphs.Add(indent + (list.IsOrdered ? $"{number++}. " : "- ") + string.Join("\n" + indent + "  ", inner));
                }

                break;
            case Table table:
                foreach (var row in table.Cast<TableRow>())
                {
                    paragraphs.Add(indent + string.Join("  |  ", row.Cast<TableCell>().Select(c => string.Concat(c.OfType<LeafBlock>().Select(l => Text(l.Inline))))));
                }

                break;
            case LeafBlock { Inline: { } inline }:
                paragraphs.Add(indent + Text(inline));
                break;
            case ContainerBlock container:
                foreach (var child in container)
                {
                    Add(child, indent + "  ", paragraphs);
                }

                break;
        }
    }

    private static string Text(ContainerInline? inlines)
    {
        var text = new StringBuilder();
        for (var inline = inlines?.FirstChild; inline is not null; inline = inline.NextSibling)
        {
            switch (inline)
            {
                case LiteralInline literal:
                    text.Append(literal.Content.AsSpan());
                    break;
                case CodeInline code:
                    text.Append(code.Content);
                    break;
                case LineBreakInline line:
                    text.Append(line.IsHard ? '\n' : ' ');
                    break;
                case AutolinkInline link:
                    text.Append(link.Url);
                    break;
                case LinkInline { Url: { } url } link:
                    var shown = Text(link);
                    text.Append(shown);

                    // A link to another page is its name; one that leads away must show where.
                    if (url.Contains("://", StringComparison.Ordinal) && url != shown)
                    {
                        text.Append(" (").Append(url).Append(')');
                    }

                    break;
                case HtmlEntityInline entity:
                    text.Append(entity.Transcoded.AsSpan());
                    break;
                case ContainerInline container:
                    text.Append(Text(container));
                    break;
            }
        }

        return text.ToString();
    }
}
