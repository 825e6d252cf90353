using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>SEARCH expressions: a schema of namespace and dimensions, and terms joined by AND, OR and NOT.</summary>
internal static partial class MetricSearch
{
    public static IEnumerable<(string Label, MetricSeries Series)> Find(IEnumerable<KeyValuePair<MetricKey, MetricSeries>> metrics, string expression)
    {
        var schema = SchemaPattern().Match(expression);
        var parts = schema.Success ? schema.Groups["schema"].Value.Split(',', StringSplitOptions.TrimEntries).Select(part => part.Trim('"')).ToList() : [];
        var query = schema.Success ? expression[(schema.Index + schema.Length)..] : expression;
        var terms = TermPattern().Matches(query).Select(match => match.Value).ToList();
        foreach (var (key, series) in metrics)
        {
            var names = series.Dimensions.OfType<JsonObject>().Select(item => item.Required("Name")).ToList();
            if (schema.Success && (key.Namespace != parts[0] || names.Count != parts.Count - 1 || parts.Skip(1).Any(part => !names.Contains(part))))
            {
                continue;
            }
            var at = 0;
            if (Any(key, series, terms, ref at))
            {
                yield return (string.Join(' ', series.Dimensions.OfType<JsonObject>().Select(item => item.Text("Value")).Append(key.Name)), series);
            }
        }
    }

    private static bool Any(MetricKey key, MetricSeries series, List<string> terms, ref int at)
    {
        var result = All(key, series, terms, ref at);
        while (at < terms.Count && terms[at] == "OR")
        {
            at++;
            result |= All(key, series, terms, ref at);
        }
        return result;
    }

    private static bool All(MetricKey key, MetricSeries series, List<string> terms, ref int at)
    {
        var result = true;
        while (at < terms.Count && terms[at] is not ("OR" or ")"))
        {
            var negated = false;
            while (at < terms.Count && terms[at] is "AND" or "NOT")
            {
                negated ^= terms[at++] == "NOT";
            }
            if (at >= terms.Count)
            {
                break;
            }
            bool found;
            if (terms[at] == "(")
            {
                at++;
                found = Any(key, series, terms, ref at);
                at++;
            }
            else
            {
                found = Term(key, series, terms[at++]);
            }
            result &= found != negated;
        }
        return result;
    }

    private static bool Term(MetricKey key, MetricSeries series, string term)
    {
        var dimensions = series.Dimensions.OfType<JsonObject>().ToList();
        var equals = term.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            var word = term.Trim('"');
            return key.Namespace.Contains(word, StringComparison.OrdinalIgnoreCase) || key.Name.Contains(word, StringComparison.OrdinalIgnoreCase)
                || dimensions.Exists(item => item.Required("Name").Contains(word, StringComparison.OrdinalIgnoreCase) || item.Required("Value").Contains(word, StringComparison.OrdinalIgnoreCase));
        }
        var (name, value) = (term[..equals].Trim('"'), term[(equals + 1)..]);
        // Quoted values match whole, others any part.
        bool Matches(string? text) => text is not null && (value.StartsWith('"') ? text.Equals(value.Trim('"'), StringComparison.OrdinalIgnoreCase) : text.Contains(value, StringComparison.OrdinalIgnoreCase));
        return name.ToUpperInvariant() switch
        {
            "METRICNAME" => Matches(key.Name),
            "NAMESPACE" => Matches(key.Namespace),
            _ => Matches(dimensions.Find(item => item.Text("Name") == name)?.Text("Value")),
        };
    }

    [GeneratedRegex(@"^\s*\{(?<schema>[^}]*)\}", RegexOptions.ExplicitCapture)]
    private static partial Regex SchemaPattern();

    [GeneratedRegex(@"[()]|(""[^""]*""|[^\s()""=]+)(=(""[^""]*""|[^\s()""]+))?", RegexOptions.ExplicitCapture)]
    private static partial Regex TermPattern();
}
