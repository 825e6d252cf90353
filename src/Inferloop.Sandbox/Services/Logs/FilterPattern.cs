using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs;

/// <summary>
/// Filter patterns: terms (all of them, <c>?any</c> of them, <c>-none</c> of them, quoted phrases), <c>%regular expressions%</c>, and comparisons
/// of JSON members (<c>{ $.level = "ERROR" &amp;&amp; $.latency &gt; 100 }</c>). Space-delimited patterns (<c>[a, b]</c>) are refused.
/// </summary>
internal sealed partial class FilterPattern
{
    private readonly Func<string, bool> matches;

    private FilterPattern(Func<string, bool> matches) => this.matches = matches;

    [GeneratedRegex("""\s*(?<sign>[-?]?)(?:"(?<phrase>(?:[^"\\]|\\.)*)"|(?<word>[^\s"]+))""")]
    private static partial Regex TermPattern();

    [GeneratedRegex("""^\$\.(?<path>[A-Za-z0-9_.\[\]-]+)\s*(?:(?<is>IS\s+TRUE|IS\s+FALSE|IS\s+NULL|NOT\s+EXISTS)|(?<op>!=|>=|<=|=|>|<)\s*(?:"(?<text>[^"]*)"|(?<bare>\S+)))$""", RegexOptions.IgnoreCase)]
    private static partial Regex ComparisonPattern();

    public bool Matches(string message) => matches(message);

    public static FilterPattern Parse(string pattern)
    {
        var text = pattern.Trim();
        if (text.Length == 0)
        {
            return new FilterPattern(static _ => true);
        }
        if (text[0] == '{' && text[^1] == '}')
        {
            return Json(text[1..^1].Trim());
        }
        if (text[0] == '[')
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no space-delimited filter patterns. Nothing was searched.", 501);
        }
        if (text.Length > 1 && text[0] == '%' && text[^1] == '%')
        {
            try
            {
                var expression = new Regex(text[1..^1], RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
                return new FilterPattern(expression.IsMatch);
            }
            catch (ArgumentException)
            {
                throw new ServiceFault("InvalidParameterException", $"Invalid filter pattern: {pattern}");
            }
        }
        var all = new List<string>();
        var any = new List<string>();
        var none = new List<string>();
        foreach (Match match in TermPattern().Matches(text))
        {
            var term = match.Groups["phrase"].Success ? match.Groups["phrase"].Value.Replace("\\\"", "\"", StringComparison.Ordinal) : match.Groups["word"].Value;
            (match.Groups["sign"].Value switch { "-" => none, "?" => any, _ => all }).Add(term);
        }
        return new FilterPattern(message => all.TrueForAll(term => message.Contains(term, StringComparison.Ordinal))
            && (any.Count == 0 || any.Exists(term => message.Contains(term, StringComparison.Ordinal)))
            && !none.Exists(term => message.Contains(term, StringComparison.Ordinal)));
    }

    private static FilterPattern Json(string expression)
    {
        // Conjunctions bind tighter than alternatives; parentheses are not read.
        var alternatives = expression.Split("||").Select(part => part.Split("&&").Select(item => Comparison(item.Trim().Trim('(', ')').Trim())).ToList()).ToList();
        return new FilterPattern(message =>
        {
            try
            {
                return message.Length > 0 && message.TrimStart()[0] == '{' && JsonNode.Parse(message) is JsonObject document && alternatives.Exists(all => all.TrueForAll(test => test(document)));
            }
            catch (JsonException)
            {
                return false;
            }
        });
    }

    private static Func<JsonObject, bool> Comparison(string text)
    {
        var match = ComparisonPattern().Match(text);
        if (!match.Success)
        {
            throw new ServiceFault("InvalidParameterException", $"Invalid character(s) in term '{text}'");
        }
        var path = match.Groups["path"].Value.Split('.');
        if (match.Groups["is"].Success)
        {
            var word = match.Groups["is"].Value.ToUpperInvariant();
            return document =>
            {
                var (exists, node) = Find(document, path);
                return word.EndsWith("TRUE", StringComparison.Ordinal) ? Documents.AsText(node) == "true"
                    : word.EndsWith("FALSE", StringComparison.Ordinal) ? Documents.AsText(node) == "false"
                    : word.EndsWith("NULL", StringComparison.Ordinal) ? exists && node is null
                    : !exists;
            };
        }
        var operation = match.Groups["op"].Value;
        var value = match.Groups["text"].Success ? match.Groups["text"].Value : match.Groups["bare"].Value;
        var wildcard = new Regex("^" + Regex.Escape(value).Replace("\\*", ".*", StringComparison.Ordinal) + "\\z", RegexOptions.Singleline, TimeSpan.FromSeconds(1));
        var number = double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : (double?)null;
        return document =>
        {
            var (_, node) = Find(document, path);
            if (Documents.AsText(node) is not { } actual)
            {
                return false;
            }
            if (operation is "=" or "!=")
            {
                var equal = number is { } wanted && double.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out var given) ? given == wanted : wildcard.IsMatch(actual);
                return equal == (operation == "=");
            }
            return number is { } bound && double.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out var measured) && operation switch
            {
                ">" => measured > bound,
                ">=" => measured >= bound,
                "<" => measured < bound,
                _ => measured <= bound,
            };
        };
    }

    private static (bool Exists, JsonNode? Node) Find(JsonObject document, string[] path)
    {
        JsonNode? node = document;
        foreach (var step in path)
        {
            if (node is not JsonObject at || !at.TryGetPropertyValue(step, out node))
            {
                return (false, null);
            }
        }
        return (true, node);
    }
}
