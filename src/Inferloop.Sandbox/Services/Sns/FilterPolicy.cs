using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Sns;

/// <summary>Filter policies of subscriptions: which messages a subscriber wants, by attributes or by body. Event patterns use the same matchers.</summary>
internal static class FilterPolicy
{
    private static readonly string[] Matchers = ["prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "cidr", "wildcard"];

    /// <summary>What is wrong with a policy; null when nothing is.</summary>
    public static string? Problem(string policy)
    {
        try
        {
            return policy.Length == 0 ? null : JsonNode.Parse(policy) is JsonObject document ? Problem(document) : "The policy must be a JSON object";
        }
        catch (JsonException)
        {
            return "failed to parse JSON.";
        }
    }

    private static string? Problem(JsonObject level)
    {
        foreach (var (key, value) in level)
        {
            if (key == "$or" && value is JsonArray alternatives)
            {
                if (alternatives.OfType<JsonObject>().Select(Problem).FirstOrDefault(problem => problem is not null) is { } inner)
                {
                    return inner;
                }
                continue;
            }
            switch (value)
            {
                case JsonObject nested:
                    if (Problem(nested) is { } problem)
                    {
                        return problem;
                    }
                    break;
                case JsonArray { Count: > 0 } list:
                    if (list.OfType<JsonObject>().SelectMany(item => item.Select(pair => pair.Key)).FirstOrDefault(name => !Matchers.Contains(name)) is { } unknown)
                    {
                        return $"Unrecognized match type {unknown}";
                    }
                    break;
                default:
                    return $"\"{key}\" must be an object or an array";
            }
        }
        return null;
    }

    public static bool Matches(string policy, string scope, string body, JsonObject? attributes)
    {
        if (PolicyDocument.AsObject(policy) is not JsonObject document || document.Count == 0)
        {
            return true;
        }
        if (scope == "MessageBody")
        {
            return PolicyDocument.AsObject(body) is JsonObject parsed && Matches(document, parsed);
        }
        var values = new JsonObject();
        foreach (var (name, value) in attributes ?? [])
        {
            var attribute = (JsonObject)value!;
            var type = attribute.Text("DataType") ?? "String";
            var text = attribute.Text("StringValue") ?? "";
            values[name] = type.StartsWith("Number", StringComparison.Ordinal) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? JsonValue.Create(number)
                : type == "String.Array" ? PolicyDocument.AsObject(text) : JsonValue.Create(text);
        }
        return Matches(document, values);
    }

    /// <summary>Whether a document has, at every place the pattern names, one of the values it lists.</summary>
    public static bool Matches(JsonObject pattern, JsonObject? document)
    {
        foreach (var (key, wanted) in pattern)
        {
            if (key == "$or" && wanted is JsonArray alternatives)
            {
                if (!alternatives.OfType<JsonObject>().Any(item => Matches(item, document)))
                {
                    return false;
                }
                continue;
            }
            var has = document?.ContainsKey(key) == true;
            var value = has ? document![key] : null;
            var holds = wanted switch
            {
                JsonObject nested => Matches(nested, value as JsonObject),
                JsonArray list => list.Any(matcher => One(matcher, has, value)),
                _ => false,
            };
            if (!holds)
            {
                return false;
            }
        }
        return true;
    }

    private static bool One(JsonNode? matcher, bool has, JsonNode? value)
    {
        if (matcher is JsonObject rule && rule["exists"] is { } exists)
        {
            return has == (exists.GetValueKind() == JsonValueKind.True);
        }
        if (!has)
        {
            return false;
        }
        return value is JsonArray list ? list.Any(item => Value(matcher, item)) : Value(matcher, value);
    }

    private static bool Value(JsonNode? matcher, JsonNode? value)
    {
        if (matcher is not JsonObject rule)
        {
            return Same(matcher, value);
        }
        var (kind, operand) = rule.First();
        var text = value is JsonValue single && single.GetValueKind() == JsonValueKind.String ? single.GetValue<string>() : null;
        return kind switch
        {
            "prefix" => text?.StartsWith(Text(operand), CaseOf(operand)) == true,
            "suffix" => text?.EndsWith(Text(operand), CaseOf(operand)) == true,
            "equals-ignore-case" => string.Equals(text, Text(operand), StringComparison.OrdinalIgnoreCase),
            "wildcard" => text is not null && Wildcard(Text(operand), text),
            "cidr" => text is not null && IPAddress.TryParse(text, out var address) && IPNetwork.TryParse(Text(operand), out var network) && network.Contains(address),
            "anything-but" => operand switch
            {
                JsonArray none => !none.Any(item => Same(item, value)),
                JsonObject inner => !Value(inner, value),
                _ => !Same(operand, value),
            },
            "numeric" => value?.GetValueKind() == JsonValueKind.Number && Numeric((JsonArray)operand!, value.GetValue<double>()),
            _ => false,
        };
    }

    private static string Text(JsonNode? operand) => operand is JsonObject inner ? Documents.AsText(inner.First().Value) ?? "" : Documents.AsText(operand) ?? "";

    private static StringComparison CaseOf(JsonNode? operand) => operand is JsonObject ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    private static bool Same(JsonNode? one, JsonNode? other) => one?.GetValueKind() == JsonValueKind.Number && other?.GetValueKind() == JsonValueKind.Number
        ? new JsonObject { ["v"] = one.DeepClone() }.Double("v") == new JsonObject { ["v"] = other.DeepClone() }.Double("v")
        : JsonNode.DeepEquals(one, other);

    private static bool Numeric(JsonArray terms, double value)
    {
        for (var i = 0; i + 1 < terms.Count; i += 2)
        {
            var bound = new JsonObject { ["v"] = terms[i + 1].Copy() }.Double("v") ?? 0;
            var holds = Documents.AsText(terms[i]) switch { "=" => value == bound, "<" => value < bound, "<=" => value <= bound, ">" => value > bound, ">=" => value >= bound, _ => false };
            if (!holds)
            {
                return false;
            }
        }
        return true;
    }

    private static bool Wildcard(string pattern, string text)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
        {
            return pattern == text;
        }
        if (!text.StartsWith(parts[0], StringComparison.Ordinal) || text.Length < parts[0].Length + parts[^1].Length || !text.EndsWith(parts[^1], StringComparison.Ordinal))
        {
            return false;
        }
        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            at = text.IndexOf(part, at, StringComparison.Ordinal);
            if (at < 0 || at + part.Length > text.Length - parts[^1].Length)
            {
                return false;
            }
            at += part.Length;
        }
        return true;
    }
}
