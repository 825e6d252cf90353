using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Label and field selectors, as queries and as documents write them.</summary>
internal static class Selectors
{
    /// <summary>A label selector of a query: <c>a=b,c!=d,e in (f,g),h,!i</c>.</summary>
    public static Func<JsonObject, bool> Labels(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return static _ => true;
        }
        var rules = Split(text).Select(LabelRule).ToList();
        return document => rules.TrueForAll(rule => rule(document.Child("metadata")?.Child("labels")));
    }

    /// <summary>A field selector of a query: equality of a few fields.</summary>
    public static Func<JsonObject, bool> Fields(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return static _ => true;
        }
        var rules = text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
        {
            var (path, value, equal) = Equality(part) ?? throw KubernetesFault.BadRequest($"invalid selector: '{part}'; can't understand '{part}'");
            return (Func<JsonObject, bool>)(document => (Field(document, path) == value) == equal);
        }).ToList();
        return document => rules.TrueForAll(rule => rule(document));
    }

    /// <summary>The selector of a Deployment or ReplicaSet.</summary>
    public static bool Matches(JsonObject? selector, JsonObject? labels)
    {
        if (selector is null)
        {
            return false;
        }
        return (selector.Child("matchLabels") ?? []).All(pair => labels?.Text(pair.Key) == pair.Value?.ToString())
            && selector.Objects("matchExpressions").All(rule =>
            {
                var value = labels?.Text(rule.Required("key"));
                return rule.Text("operator") switch
                {
                    "In" => value is not null && rule.Texts("values").Contains(value),
                    "NotIn" => value is null || !rule.Texts("values").Contains(value),
                    "Exists" => value is not null,
                    "DoesNotExist" => value is null,
                    _ => false,
                };
            });
    }

    private static string Field(JsonObject document, string path)
    {
        JsonNode? node = document;
        foreach (var part in path.Split('.'))
        {
            node = (node as JsonObject)?[part];
        }
        return node?.ToString() ?? "";
    }

    private static (string Path, string Value, bool Equal)? Equality(string part)
    {
        var (mark, equal) = part.Contains("!=", StringComparison.Ordinal) ? ("!=", false) : part.Contains("==", StringComparison.Ordinal) ? ("==", true) : ("=", true);
        var at = part.IndexOf(mark, StringComparison.Ordinal);
        return at <= 0 ? null : (part[..at].Trim(), part[(at + mark.Length)..].Trim(), equal);
    }

    private static IEnumerable<string> Split(string text)
    {
        var (start, depth) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
            if (text[i] == ',' && depth == 0)
            {
                yield return text[start..i].Trim();
                start = i + 1;
            }
        }
        yield return text[start..].Trim();
    }

    private static Func<JsonObject?, bool> LabelRule(string part)
    {
        var open = part.IndexOf('(', StringComparison.Ordinal);
        if (open > 0 && part.EndsWith(')'))
        {
            var words = part[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var values = part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
            return words switch
            {
                [var key, "in"] => labels => labels?.Text(key) is { } value && values.Contains(value),
                [var key, "notin"] => labels => labels?.Text(key) is not { } value || !values.Contains(value),
                _ => throw KubernetesFault.BadRequest($"unable to parse requirement: {part}"),
            };
        }
        if (Equality(part) is var (name, wanted, equal))
        {
            return labels => (labels?.Text(name) == wanted) == equal;
        }
        return part.StartsWith('!') ? labels => labels?.Has(part[1..].Trim()) != true : labels => labels?.Has(part) == true;
    }
}
