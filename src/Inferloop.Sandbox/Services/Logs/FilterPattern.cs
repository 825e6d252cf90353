using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Logs;

/// <summary>
/// Filter patterns: terms (all of them, <c>?any</c> of them, <c>-none</c> of them, quoted phrases), <c>%regular expressions%</c>, and comparisons
/// of JSON members (<c>{ $.level = "ERROR" &amp;&amp; $.latency &gt; 100 }</c>) or of fields between spaces (<c>[ip, ..., status = 5*, size]</c>).
/// </summary>
internal sealed partial class FilterPattern
{
    private readonly Func<string, bool> matches;
    private readonly Func<string, IReadOnlyDictionary<string, string>>? fields;

    private FilterPattern(Func<string, bool> matches, Func<string, IReadOnlyDictionary<string, string>>? fields = null)
    {
        this.matches = matches;
        this.fields = fields;
    }

    /// <summary>Whether values can be taken out of what it matches.</summary>
    public bool HasFields => fields is not null;

    /// <summary>The values that its conditions name, by their selectors.</summary>
    public IReadOnlyDictionary<string, string> Extract(string message) => fields?.Invoke(message) ?? new Dictionary<string, string>();

    /// <summary>The value of a selector (<c>$.member.of.it</c> or <c>$field</c>) in a message; null when it has none.</summary>
    public string? Value(string message, string selector)
    {
        if (!selector.StartsWith("$.", StringComparison.Ordinal))
        {
            return Extract(message).GetValueOrDefault(selector);
        }
        try
        {
            return message.TrimStart().StartsWith('{') && JsonNode.Parse(message) is JsonObject document ? Documents.AsText(Find(document, selector[2..].Split('.')).Node) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

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
            return text[^1] == ']' ? Delimited(text[1..^1], pattern) : throw new ServiceFault("InvalidParameterException", $"Invalid filter pattern: {pattern}");
        }
        if (text.Length > 1 && text[0] == '%' && text[^1] == '%')
        {
            try
            {
                // What CloudWatch Logs takes of regular expressions needs no backtracking, and without it none takes long on any message.
                var expression = new Regex(text[1..^1], RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
                return new FilterPattern(expression.IsMatch);
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
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
        var named = SelectorPattern().Matches(expression).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
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
        }, message => named.Select(selector => (selector, Value: new FilterPattern(static _ => true).Value(message, selector))).Where(item => item.Value is not null).ToDictionary(item => item.selector, item => item.Value!, StringComparer.Ordinal));
    }

    [GeneratedRegex(@"\$\.[A-Za-z0-9_.\[\]-]+")]
    private static partial Regex SelectorPattern();

    [GeneratedRegex("""\[[^\]]*\]|"[^"]*"|\S+""")]
    private static partial Regex FieldPattern();

    [GeneratedRegex("""^(?<name>[A-Za-z_][A-Za-z0-9_]*)(?:\s*(?<op>!=|>=|<=|=|>|<)\s*(?<value>.+))?$""")]
    private static partial Regex ConditionPattern();

    /// <summary>Fields between spaces; brackets and quotes hold one together, and an ellipsis stands for as many as there are.</summary>
    private static FilterPattern Delimited(string inner, string pattern)
    {
        var parts = inner.Split(',', StringSplitOptions.TrimEntries);
        var ellipsis = Array.IndexOf(parts, "...");
        var conditions = new List<(string Name, Func<string, bool> Holds)>();
        for (var i = 0; i < parts.Length; i++)
        {
            var part = parts[i];
            if (part is "..." or "")
            {
                conditions.Add(($"{i + 1}", static _ => true));
                continue;
            }
            if (ConditionPattern().Match(part) is not { Success: true } match)
            {
                throw new ServiceFault("InvalidParameterException", $"Invalid filter pattern: {pattern}");
            }
            conditions.Add((match.Groups["name"].Value, Holds(match.Groups["name"].Value, part, match)));
        }
        IReadOnlyDictionary<string, string>? Fields(string message)
        {
            var words = FieldPattern().Matches(message).Select(match => match.Value is ['"' or '[', .., '"' or ']'] held ? held[1..^1] : match.Value).ToList();
            if (ellipsis < 0 ? words.Count != parts.Length : words.Count < parts.Length - 1)
            {
                return null;
            }
            var found = new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < parts.Length; i++)
            {
                if (i == ellipsis)
                {
                    continue;
                }
                var word = words[ellipsis >= 0 && i > ellipsis ? words.Count - (parts.Length - i) : i];
                if (!conditions[i].Holds(word))
                {
                    return null;
                }
                found["$" + conditions[i].Name] = word;
            }
            return found;
        }
        return new FilterPattern(message => Fields(message) is not null, message => Fields(message) ?? new Dictionary<string, string>());
    }

    private static Func<string, bool> Holds(string name, string part, Match match)
    {
        if (!match.Groups["op"].Success)
        {
            return static _ => true;
        }
        // Alternatives name the field again: status = 5* || status = 429.
        var alternatives = part.Split("||", StringSplitOptions.TrimEntries).Select(text =>
        {
            var all = text.Split("&&", StringSplitOptions.TrimEntries).Select(item => Comparison("$." + item)).ToList();
            return (Func<string, bool>)(word => all.TrueForAll(test => test(new JsonObject { [name] = word })));
        }).ToList();
        return word => alternatives.Exists(test => test(word));
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
        var wildcard = new Regex("^" + Regex.Escape(value).Replace("\\*", ".*", StringComparison.Ordinal) + "\\z", RegexOptions.Singleline | RegexOptions.NonBacktracking);
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
