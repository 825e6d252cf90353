using Markdig;
using Markdig.Syntax;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Help;

/// <summary>Reads a page. What does not follow the schema is an error with the line it stands on.</summary>
internal static class PageReader
{
    private static readonly string[] Order =
        ["SYNOPSIS", "SYNTAX", "ALIASES", "DESCRIPTION", "EXAMPLES", "PARAMETERS", "INPUTS", "OUTPUTS", "NOTES", "RELATED LINKS"];

    /// <summary>Reads the page in a file.</summary>
    public static HelpPage Load(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads a page.</summary>
    /// <param name="text">Its markdown.</param>
    /// <param name="path">Where it came from, for messages.</param>
    public static HelpPage Parse(string text, string path)
    {
        text = text.ReplaceLineEndings("\n");
        if (!text.StartsWith("---\n", StringComparison.Ordinal) || text.IndexOf("\n---\n", 3, StringComparison.Ordinal) is not (> 0 and var end))
        {
            throw new PageException(path, 1, "the page does not begin with its metadata between two rules");
        }

        var body = text[(end + 5)..];
        var headings = Headings(body);
        var firstLine = text[..(end + 5)].Count(c => c == '\n');
        if (headings is not [{ Level: 1 } title, ..])
        {
            throw new PageException(path, firstLine + 1, "the page has no title");
        }

        var page = new HelpPage { Title = title.Text };
        page.FrontMatter.AddRange(FrontMatter(text[4..(end + 1)]));
        var sections = Split(headings, 2, body).ToList();
        foreach (var (heading, _, _) in sections.Where(s => !Order.Contains(s.Heading.Text)))
        {
            throw new PageException(path, firstLine + heading.Line, $"'{heading.Text}' is no section of the schema ({string.Join(", ", Order)})");
        }

        foreach (var (heading, content, parts) in sections)
        {
            switch (heading.Text)
            {
                case "SYNOPSIS":
                    page.Synopsis = content;
                    break;
                case "SYNTAX":
                    page.Syntax.AddRange(parts.Select(p => new SyntaxItem(p.Heading.Text, p.Content.Trim('`', '\n'))));
                    break;
                case "ALIASES":
                    page.Aliases = content;
                    break;
                case "DESCRIPTION":
                    page.Description = content;
                    break;
                case "EXAMPLES":
                    page.Examples.AddRange(parts.Select(p => new HelpExample(p.Heading.Text, p.Content)));
                    break;
                case "PARAMETERS":
                    foreach (var part in parts)
                    {
                        if (part.Heading.Text == "CommonParameters")
                        {
                            page.CommonParameters = part.Content;
                        }
                        else
                        {
                            page.Parameters.Add(Parameter(part.Heading, part.Content, path, firstLine));
                        }
                    }

                    break;
                case "INPUTS":
                    page.Inputs.AddRange(parts.Select(p => new HelpType(p.Heading.Text, p.Content)));
                    break;
                case "OUTPUTS":
                    page.Outputs.AddRange(parts.Select(p => new HelpType(p.Heading.Text, p.Content)));
                    break;
                case "NOTES":
                    page.Notes = content;
                    break;
                case "RELATED LINKS":
                    page.RelatedLinks = content;
                    break;
            }
        }

        return page;
    }

    private static HelpParameter Parameter(Heading heading, string content, string path, int firstLine)
    {
        const string Fence = "```yaml\n";
        var start = content.IndexOf(Fence, StringComparison.Ordinal);
        var stop = start < 0 ? -1 : content.IndexOf("\n```", start, StringComparison.Ordinal);
        if (!heading.Text.StartsWith('-') || stop < 0)
        {
            throw new PageException(path, firstLine + heading.Line, $"'{heading.Text}' is no parameter with a yaml block; run ./build.ps1 Docs");
        }

        var yaml = content[(start + Fence.Length)..stop];
        try
        {
            return new HelpParameter { Name = heading.Text[1..], Text = content[..start].Trim(), Facts = Facts(yaml) };
        }
        catch (Exception e) when (e is YamlDotNet.Core.YamlException or KeyNotFoundException or FormatException)
        {
            throw new PageException(path, firstLine + heading.Line, $"the yaml block of {heading.Text} cannot be read: {e.Message}");
        }
    }

    private static ParameterFacts Facts(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        var map = (YamlMappingNode)stream.Documents[0].RootNode;
        return new ParameterFacts
        {
            Type = Text(map, "Type"),
            DefaultValue = Text(map, "DefaultValue"),
            SupportsWildcards = Flag(map, "SupportsWildcards"),
            Aliases = List(map, "Aliases"),
            DontShow = Flag(map, "DontShow"),
            AcceptedValues = List(map, "AcceptedValues"),
            HelpMessage = Text(map, "HelpMessage"),
            ParameterSets = [.. ((YamlSequenceNode)map.Children["ParameterSets"]).Cast<YamlMappingNode>().Select(s => new ParameterSetFacts(
                Text(s, "Name"), Text(s, "Position"), Flag(s, "IsRequired"), Flag(s, "ValueFromPipeline"),
                Flag(s, "ValueFromPipelineByPropertyName"), Flag(s, "ValueFromRemainingArguments")))],
        };
    }

    private static string Text(YamlMappingNode map, string key) => ((YamlScalarNode)map.Children[key]).Value ?? "";

    private static bool Flag(YamlMappingNode map, string key) => bool.Parse(Text(map, key));

    private static List<string> List(YamlMappingNode map, string key) =>
        [.. ((YamlSequenceNode)map.Children[key]).Cast<YamlScalarNode>().Select(n => n.Value ?? "")];

    private static IEnumerable<KeyValuePair<string, string>> FrontMatter(string yaml)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        return ((YamlMappingNode)stream.Documents[0].RootNode).Children
            .Select(pair => KeyValuePair.Create(((YamlScalarNode)pair.Key).Value!, (pair.Value as YamlScalarNode)?.Value ?? ""));
    }

    // Markdig knows a heading from a comment in a code block; the text between headings is kept as it is written.
    private static List<Heading> Headings(string body) =>
        [.. Markdown.Parse(body).OfType<HeadingBlock>().Select(h => new Heading(h.Level, h.Inline?.FirstChild is null ? "" : body[(h.Span.Start + h.Level)..(h.Span.End + 1)].Trim(), h.Line + 1, h.Span.Start, h.Span.End + 1))];

    private static IEnumerable<(Heading Heading, string Content, List<(Heading Heading, string Content)> Parts)> Split(List<Heading> headings, int level, string body)
    {
        for (var i = 0; i < headings.Count; i++)
        {
            if (headings[i].Level != level)
            {
                continue;
            }

            var next = headings.FindIndex(i + 1, h => h.Level <= level);
            var end = next < 0 ? body.Length : headings[next].Start;
            var inner = headings.Skip(i + 1).Take((next < 0 ? headings.Count : next) - i - 1).ToList();
            var direct = inner.Count > 0 ? inner[0].Start : end;
            yield return (
                headings[i],
                body[headings[i].End..direct].Trim(),
                [.. inner.Where(h => h.Level == level + 1).Select((h, at) =>
                {
                    var after = inner.Where(o => o.Level == level + 1).ElementAtOrDefault(at + 1);
                    return (h, body[h.End..(after?.Start ?? end)].Trim());
                })]);
        }
    }

    private sealed record Heading(int Level, string Text, int Line, int Start, int End);
}

/// <summary>A page that does not follow the schema.</summary>
internal sealed class PageException(string path, int line, string problem) : Exception($"{path}({line}): error HELP001: {problem}");
