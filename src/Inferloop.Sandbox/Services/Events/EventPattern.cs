using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>
/// EventBridge's patterns: objects are matched member by member, lists give alternatives, and operators are objects in those lists.
/// </summary>
internal sealed class EventPattern
{
    private readonly JsonObject root;

    private EventPattern(JsonObject root) => this.root = root;

    /// <summary>Reads a pattern; null with the reason when it is none.</summary>
    public static EventPattern? Parse(string text, out string? problem)
    {
        JsonNode? node;
        try
        {
            node = JsonNode.Parse(text);
        }
        catch (JsonException e)
        {
            problem = $"Event pattern is not valid. Reason: {e.Message}";
            return null;
        }
        if (node is not JsonObject pattern)
        {
            problem = "Event pattern is not valid. Reason: Filter is not an object";
            return null;
        }
        problem = Check(pattern);
        if (problem is not null)
        {
            problem = "Event pattern is not valid. Reason: " + problem;
            return null;
        }
        return new EventPattern(pattern);
    }

    public bool Matches(JsonObject subject) => Matches(root, subject);

    private static string? Check(JsonObject pattern)
    {
        if (pattern.Count == 0)
        {
            return "Empty objects are not allowed";
        }
        foreach (var (name, value) in pattern)
        {
            var problem = value switch
            {
                JsonArray branches when name == "$or" => branches.Count < 2 || branches.Any(branch => branch is not JsonObject) ? "\"$or\" must have at least two objects" : branches.Select(branch => Check((JsonObject)branch!)).FirstOrDefault(item => item is not null),
                JsonObject child => Check(child),
                JsonArray { Count: 0 } => "Empty arrays are not allowed",
                JsonArray list => list.Select(CheckRule).FirstOrDefault(item => item is not null),
                _ => $"\"{name}\" must be an object or an array",
            };
            if (problem is not null)
            {
                return problem;
            }
        }
        return null;
    }

    private static string? CheckRule(JsonNode? rule)
    {
        if (rule is not JsonObject operation)
        {
            return rule is JsonArray ? "Match value must be String, number, true, false, or null" : null;
        }
        if (operation.Count != 1)
        {
            return "Only one key allowed in match expression";
        }
        var (name, value) = operation.First();
        return name switch
        {
            "prefix" or "suffix" => value is JsonObject inner ? inner.Count == 1 && inner.Has("equals-ignore-case") ? null : $"Unsupported {name} pattern" : Documents.AsText(value) is null ? $"{name} match pattern must be a string" : null,
            "equals-ignore-case" or "wildcard" => Documents.AsText(value) is null ? $"{name} match pattern must be a string" : null,
            "exists" => value is JsonValue flag && flag.TryGetValue<bool>(out _) ? null : "exists match pattern must be either true or false.",
            "anything-but" => value is JsonArray { Count: 0 } or null ? "Value of anything-but must be an array or single string/number value." : null,
            "cidr" => IPNetwork.TryParse(Documents.AsText(value) ?? "", out _) || IPAddress.TryParse(Documents.AsText(value) ?? "", out _) ? null : "Malformed CIDR, one '/' required",
            "numeric" => value is JsonArray list && list.Count is 2 or 4 && Comparisons(list) is not null ? null : "Value of numeric must be an array of comparisons",
            _ => $"Unrecognized match type {name}",
        };
    }

    private static bool Matches(JsonObject pattern, JsonObject? subject)
    {
        foreach (var (name, rule) in pattern)
        {
            var matched = rule switch
            {
                JsonArray branches when name == "$or" => branches.OfType<JsonObject>().Any(branch => Matches(branch, subject)),
                JsonObject child => subject?[name] is JsonArray items ? items.OfType<JsonObject>().Any(item => Matches(child, item)) : Matches(child, subject?[name] as JsonObject),
                JsonArray alternatives => MatchesAny(alternatives, subject, name),
                _ => false,
            };
            if (!matched)
            {
                return false;
            }
        }
        return true;
    }

    private static bool MatchesAny(JsonArray alternatives, JsonObject? subject, string name)
    {
        JsonNode? value = null;
        var present = subject?.TryGetPropertyValue(name, out value) == true && value is not JsonObject;
        foreach (var rule in alternatives)
        {
            if (rule is JsonObject operation && operation.Flag("exists") is { } wanted)
            {
                if (wanted == present)
                {
                    return true;
                }
                continue;
            }
            // A list matches when one of its members does.
            if (present && (value is JsonArray list ? list.Any(item => MatchesOne(rule, item)) : MatchesOne(rule, value)))
            {
                return true;
            }
        }
        return false;
    }

    private static bool MatchesOne(JsonNode? rule, JsonNode? value)
    {
        if (rule is not JsonObject operation)
        {
            return rule is null ? value is null : value is not null && Same(rule, value);
        }
        var (name, wanted) = operation.First();
        var text = value is JsonValue scalar && scalar.TryGetValue<string>(out var own) ? own : null;
        switch (name)
        {
            case "prefix":
                return text is not null && (wanted is JsonObject folded ? text.StartsWith(folded.Required("equals-ignore-case"), StringComparison.OrdinalIgnoreCase) : text.StartsWith(Documents.AsText(wanted)!, StringComparison.Ordinal));
            case "suffix":
                return text is not null && (wanted is JsonObject ending ? text.EndsWith(ending.Required("equals-ignore-case"), StringComparison.OrdinalIgnoreCase) : text.EndsWith(Documents.AsText(wanted)!, StringComparison.Ordinal));
            case "equals-ignore-case":
                return string.Equals(text, Documents.AsText(wanted), StringComparison.OrdinalIgnoreCase);
            case "wildcard":
                return text is not null && PolicyEvaluator.Wildcard(Documents.AsText(wanted)!.Replace("?", "\u0001", StringComparison.Ordinal), text.Replace("?", "\u0001", StringComparison.Ordinal), ignoreCase: false);
            case "anything-but":
                return wanted switch
                {
                    JsonObject inner when inner.First() is { Key: var key, Value: JsonArray many } => !many.Any(item => MatchesOne(new JsonObject { [key] = item.Copy() }, value)),
                    JsonObject inner => !MatchesOne(inner, value),
                    JsonArray list => !list.Any(item => value is not null && item is not null && Same(item, value)),
                    _ => value is null || !Same(wanted!, value),
                };
            case "cidr":
                return text is not null && IPAddress.TryParse(text, out var address) && (IPNetwork.TryParse(Documents.AsText(wanted) ?? "", out var network) ? network.Contains(address) : address.ToString() == Documents.AsText(wanted));
            case "numeric":
                return value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && Comparisons((JsonArray)wanted!)!.TrueForAll(item => item(decimal.Parse(number.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture)));
            default:
                return false;
        }
    }

    /// <summary>Strings match strings, numbers numbers by value.</summary>
    private static bool Same(JsonNode one, JsonNode other) => (one.GetValueKind(), other.GetValueKind()) switch
    {
        (JsonValueKind.Number, JsonValueKind.Number) => decimal.TryParse(one.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var left)
            && decimal.TryParse(other.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var right) && left == right,
        var (first, second) when first == second => JsonNode.DeepEquals(one, other),
        _ => false,
    };

    private static List<Predicate<decimal>>? Comparisons(JsonArray list)
    {
        var comparisons = new List<Predicate<decimal>>();
        for (var i = 0; i + 1 < list.Count; i += 2)
        {
            if (list[i + 1] is not JsonValue limit || limit.GetValueKind() != JsonValueKind.Number || !decimal.TryParse(limit.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            {
                return null;
            }
            Predicate<decimal>? comparison = Documents.AsText(list[i]) switch
            {
                "=" => value => value == number,
                "<" => value => value < number,
                "<=" => value => value <= number,
                ">" => value => value > number,
                ">=" => value => value >= number,
                _ => null,
            };
            if (comparison is null)
            {
                return null;
            }
            comparisons.Add(comparison);
        }
        return comparisons;
    }
}
