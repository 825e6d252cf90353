using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Inferloop.Help;

/// <summary>The summaries that the compiler wrote beside an assembly: the first words of a page that nobody has written yet.</summary>
internal sealed partial class XmlDocumentation
{
    private readonly Dictionary<string, string> summaries;

    private XmlDocumentation(Dictionary<string, string> summaries) => this.summaries = summaries;

    /// <summary>The documentation of an assembly of the layout; it lies in the project's output, not in the layout. Empty where it is absent.</summary>
    public static XmlDocumentation For(string assemblyPath)
    {
        var name = Path.GetFileNameWithoutExtension(assemblyPath);
        var root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(assemblyPath)!, "..", ".."));
        var source = Path.Combine(root, "src", name, "bin");
        var file = Directory.Exists(source)
            ? Directory.EnumerateFiles(source, name + ".xml", SearchOption.AllDirectories).OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault()
            : null;
        return new XmlDocumentation(file is null
            ? []
            : XDocument.Load(file).Descendants("member").ToDictionary(m => (string)m.Attribute("name")!, m => Text(m.Element("summary")), StringComparer.Ordinal));
    }

    public string Type(Type type) => summaries.GetValueOrDefault("T:" + type.FullName, "");

    /// <summary>The summary of a property, of the type or one it derives from; else of any property of that name, as of a dynamic parameter.</summary>
    public string Property(Type type, string name)
    {
        for (var current = type; current is not null; current = current.BaseType)
        {
            if (summaries.TryGetValue($"P:{current.FullName}.{name}", out var summary))
            {
                return summary;
            }
        }

        return summaries.Where(s => s.Key.StartsWith("P:", StringComparison.Ordinal) && s.Key.EndsWith("Parameters." + name, StringComparison.Ordinal))
            .Select(s => s.Value).FirstOrDefault("");
    }

    private static string Text(XElement? element)
    {
        if (element is null)
        {
            return "";
        }

        var text = string.Concat(element.Nodes().Select(n => n switch
        {
            XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
            XElement { Name.LocalName: "see" } see => "`" + ((string?)see.Attribute("cref") ?? (string?)see.Attribute("langword") ?? "").Split('.')[^1] + "`",
            XElement other => other.Value,
            _ => n.ToString(),
        }));
        return Spaces().Replace(text, " ").Trim().Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
