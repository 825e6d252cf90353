using System.Text;

namespace Inferloop.Help;

/// <summary>Writes a page in the schema's form: the same page always gives the same text.</summary>
internal static class PageWriter
{
    public static string Write(HelpPage page)
    {
        var text = new StringBuilder("---\n");
        foreach (var (key, value) in page.FrontMatter)
        {
            text.Append(key).Append(": ").Append(value.Length == 0 ? "''" : value).Append('\n');
        }

        text.Append("---\n\n# ").Append(page.Title).Append('\n');
        Section("SYNOPSIS", page.Synopsis);
        Section("SYNTAX", "");
        foreach (var item in page.Syntax)
        {
            text.Append("\n### ").Append(item.ParameterSet).Append("\n\n```\n").Append(item.Line).Append("\n```\n");
        }

        Section("ALIASES", page.Aliases);
        Section("DESCRIPTION", page.Description);
        Section("EXAMPLES", "");
        foreach (var example in page.Examples)
        {
            Part(example.Title, example.Text);
        }

        Section("PARAMETERS", "");
        foreach (var parameter in page.Parameters)
        {
            Part("-" + parameter.Name, parameter.Text);
            text.Append("\n```yaml\n").Append(Yaml(parameter.Facts)).Append("```\n");
        }

        if (page.CommonParameters.Length > 0)
        {
            Part("CommonParameters", page.CommonParameters);
        }

        Section("INPUTS", "");
        page.Inputs.ForEach(i => Part(i.Name, i.Text));
        Section("OUTPUTS", "");
        page.Outputs.ForEach(o => Part(o.Name, o.Text));
        Section("NOTES", page.Notes);
        Section("RELATED LINKS", page.RelatedLinks);
        return text.ToString();

        void Section(string name, string content) => Heading("## ", name, content);

        void Part(string name, string content) => Heading("### ", name, content);

        void Heading(string mark, string name, string content)
        {
            text.Append('\n').Append(mark).Append(name).Append('\n');
            if (content.Length > 0)
            {
                text.Append('\n').Append(content).Append('\n');
            }
        }
    }

    private static string Yaml(ParameterFacts facts)
    {
        var yaml = new StringBuilder();
        yaml.Append($"Type: {facts.Type}\n");
        yaml.Append($"DefaultValue: {Scalar(facts.DefaultValue)}\n");
        yaml.Append($"SupportsWildcards: {Flag(facts.SupportsWildcards)}\n");
        List("Aliases", facts.Aliases);
        yaml.Append("ParameterSets:\n");
        foreach (var set in facts.ParameterSets)
        {
            yaml.Append($"- Name: {set.Name}\n  Position: {set.Position}\n  IsRequired: {Flag(set.IsRequired)}\n  ValueFromPipeline: {Flag(set.ValueFromPipeline)}\n");
            yaml.Append($"  ValueFromPipelineByPropertyName: {Flag(set.ValueFromPipelineByPropertyName)}\n  ValueFromRemainingArguments: {Flag(set.ValueFromRemainingArguments)}\n");
        }

        yaml.Append($"DontShow: {Flag(facts.DontShow)}\n");
        List("AcceptedValues", facts.AcceptedValues);
        yaml.Append($"HelpMessage: {Scalar(facts.HelpMessage)}\n");
        return yaml.ToString();

        void List(string name, IReadOnlyList<string> values)
        {
            yaml.Append(values.Count == 0 ? $"{name}: []\n" : $"{name}:\n");
            foreach (var value in values)
            {
                yaml.Append($"- {Scalar(value)}\n");
            }
        }
    }

    private static string Scalar(string value) =>
        value.Length > 0 && value.All(c => char.IsLetterOrDigit(c) || c is '-' or '.' or '_' or '/') ? value : "'" + value.Replace("'", "''", StringComparison.Ordinal) + "'";

    private static string Flag(bool value) => value ? "true" : "false";
}
