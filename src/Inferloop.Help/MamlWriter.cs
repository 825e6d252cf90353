using System.Text;
using System.Text.RegularExpressions;
using System.Xml;

namespace Inferloop.Help;

/// <summary>Writes pages as MAML, the form in which Get-Help reads the help of compiled cmdlets.</summary>
internal static partial class MamlWriter
{
    private const string Maml = "http://schemas.microsoft.com/maml/2004/10";
    private const string Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private const string Dev = "http://schemas.microsoft.com/maml/dev/2004/10";
    private const string AllSets = "(All)";

    /// <summary>Writes a file.</summary>
    public static void Write(IEnumerable<HelpPage> pages, string path)
    {
        using var xml = XmlWriter.Create(path, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false) });
        xml.WriteStartElement("helpItems", "http://msh");
        xml.WriteAttributeString("schema", "maml");
        foreach (var page in pages)
        {
            WritePage(xml, page);
        }

        xml.WriteEndElement();
    }

    private static void WritePage(XmlWriter xml, HelpPage page)
    {
        var dash = page.Title.IndexOf('-', StringComparison.Ordinal);
        xml.WriteStartElement("command", "command", Command);
        xml.WriteAttributeString("xmlns", "maml", null, Maml);
        xml.WriteAttributeString("xmlns", "dev", null, Dev);

        xml.WriteStartElement("details", Command);
        xml.WriteElementString("name", Command, page.Title);
        xml.WriteElementString("verb", Command, page.Title[..dash]);
        xml.WriteElementString("noun", Command, page.Title[(dash + 1)..]);
        Paragraphs(xml, "description", Maml, PlainText.Paragraphs(page.Synopsis));
        xml.WriteEndElement();

        Paragraphs(xml, "description", Maml, PlainText.Paragraphs(page.Description));
        WriteSyntax(xml, page);

        xml.WriteStartElement("parameters", Command);
        foreach (var parameter in page.Parameters.Where(p => !p.Facts.DontShow))
        {
            var sets = parameter.Facts.ParameterSets;
            WriteParameter(xml, parameter, sets.FirstOrDefault(s => s.IsRequired) ?? sets[0], inSyntax: false);
        }

        xml.WriteEndElement();
        WriteTypes(xml, "inputTypes", "inputType", page.Inputs);
        WriteTypes(xml, "returnValues", "returnValue", page.Outputs);

        if (page.Notes.Length > 0)
        {
            xml.WriteStartElement("alertSet", Maml);
            Paragraphs(xml, "alert", Maml, PlainText.Paragraphs(page.Notes));
            xml.WriteEndElement();
        }

        WriteExamples(xml, page);
        xml.WriteStartElement("relatedLinks", Command);
        foreach (Match link in Links().Matches(page.RelatedLinks))
        {
            var uri = link.Groups["url"].Value;
            xml.WriteStartElement("navigationLink", Maml);
            xml.WriteElementString("linkText", Maml, link.Groups["text"].Value);
            xml.WriteElementString("uri", Maml, uri.Contains("://", StringComparison.Ordinal) ? uri : "");
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteSyntax(XmlWriter xml, HelpPage page)
    {
        xml.WriteStartElement("syntax", Command);
        var named = page.Parameters.SelectMany(p => p.Facts.ParameterSets).Select(s => s.Name).Where(n => n != AllSets).Distinct().ToList();
        foreach (var set in named.Count > 0 ? named : [AllSets])
        {
            xml.WriteStartElement("syntaxItem", Command);
            xml.WriteElementString("name", Maml, page.Title);
            var parameters = page.Parameters.Where(p => !p.Facts.DontShow)
                .Select(p => (Parameter: p, Set: p.Facts.ParameterSets.FirstOrDefault(s => s.Name == set) ?? p.Facts.ParameterSets.FirstOrDefault(s => s.Name == AllSets)))
                .Where(p => p.Set is not null)
                .OrderBy(p => int.TryParse(p.Set!.Position, out var position) ? position : int.MaxValue)
                .ThenByDescending(p => p.Set!.IsRequired);
            foreach (var (parameter, facts) in parameters)
            {
                WriteParameter(xml, parameter, facts!, inSyntax: true);
            }

            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteParameter(XmlWriter xml, HelpParameter parameter, ParameterSetFacts set, bool inSyntax)
    {
        var facts = parameter.Facts;
        var pipeline = (set.ValueFromPipeline, set.ValueFromPipelineByPropertyName) switch
        {
            (true, true) => "True (ByValue, ByPropertyName)",
            (true, false) => "True (ByValue)",
            (false, true) => "True (ByPropertyName)",
            _ => "False",
        };
        xml.WriteStartElement("parameter", Command);
        xml.WriteAttributeString("required", Boolean(set.IsRequired));
        xml.WriteAttributeString("variableLength", Boolean(facts.Type.EndsWith("[]", StringComparison.Ordinal)));
        xml.WriteAttributeString("globbing", Boolean(facts.SupportsWildcards));
        xml.WriteAttributeString("pipelineInput", pipeline);
        xml.WriteAttributeString("position", set.Position.Equals("named", StringComparison.OrdinalIgnoreCase) ? "named" : set.Position);
        xml.WriteAttributeString("aliases", facts.Aliases.Count > 0 ? string.Join(", ", facts.Aliases) : "none");
        xml.WriteElementString("name", Maml, parameter.Name);
        Paragraphs(xml, "description", Maml, PlainText.Paragraphs(parameter.Text));
        var isSwitch = facts.Type == "System.Management.Automation.SwitchParameter";
        if (inSyntax && facts.AcceptedValues.Count > 0 && !isSwitch)
        {
            xml.WriteStartElement("parameterValueGroup", Command);
            foreach (var value in facts.AcceptedValues)
            {
                Value(xml, value, required: false);
            }

            xml.WriteEndElement();
        }

        if (!(inSyntax && isSwitch))
        {
            Value(xml, ShortName(facts.Type), required: !isSwitch);
        }

        xml.WriteStartElement("type", Dev);
        xml.WriteElementString("name", Maml, ShortName(facts.Type));
        xml.WriteElementString("uri", Maml, "");
        xml.WriteEndElement();
        xml.WriteElementString("defaultValue", Dev, facts.DefaultValue.Length > 0 ? facts.DefaultValue : isSwitch ? "False" : "None");
        xml.WriteEndElement();
    }

    private static void Value(XmlWriter xml, string text, bool required)
    {
        xml.WriteStartElement("parameterValue", Command);
        xml.WriteAttributeString("required", Boolean(required));
        xml.WriteAttributeString("variableLength", "false");
        xml.WriteString(text);
        xml.WriteEndElement();
    }

    private static void WriteTypes(XmlWriter xml, string list, string item, List<HelpType> types)
    {
        xml.WriteStartElement(list, Command);
        foreach (var type in types)
        {
            xml.WriteStartElement(item, Command);
            xml.WriteStartElement("type", Dev);
            xml.WriteElementString("name", Maml, type.Name);
            xml.WriteEndElement();
            Paragraphs(xml, "description", Maml, PlainText.Paragraphs(type.Text));
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteExamples(XmlWriter xml, HelpPage page)
    {
        xml.WriteStartElement("examples", Command);
        foreach (var example in page.Examples)
        {
            var (introduction, code, remarks) = PlainText.Example(example.Text);
            xml.WriteStartElement("example", Command);
            var title = $" {example.Title} ";
            xml.WriteElementString("title", Maml, title.PadLeft(title.Length + ((78 - Math.Min(78, title.Length)) / 2), '-').PadRight(78, '-'));
            if (introduction.Count > 0)
            {
                Paragraphs(xml, "introduction", Maml, introduction);
            }

            xml.WriteElementString("code", Dev, string.Join("\n\n", code));
            Paragraphs(xml, "remarks", Dev, remarks);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void Paragraphs(XmlWriter xml, string element, string space, IReadOnlyList<string> paragraphs)
    {
        xml.WriteStartElement(element, space);
        foreach (var paragraph in paragraphs)
        {
            xml.WriteElementString("para", Maml, paragraph);
        }

        xml.WriteEndElement();
    }

    private static string ShortName(string type) => NamespacePattern().Replace(type, "");

    private static string Boolean(bool value) => value ? "true" : "false";

    [GeneratedRegex(@"\b(?:\w+\.)+(?=\w)")]
    private static partial Regex NamespacePattern();

    [GeneratedRegex(@"\[(?<text>[^\]]+)\]\((?<url>[^)]*)\)")]
    private static partial Regex Links();
}
