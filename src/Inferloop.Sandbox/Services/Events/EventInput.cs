using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>What a target receives of an event: all of it, a part, a constant, or a template filled from it.</summary>
internal static class EventInput
{
    public static string Of(JsonObject target, JsonObject happening, JsonObject rule, DateTimeOffset now)
    {
        if (target.Text("Input") is { } constant)
        {
            return constant;
        }
        if (target.Text("InputPath") is { } path)
        {
            return At(happening, path)?.ToJsonString() ?? "{}";
        }
        return target.Child("InputTransformer") is { } transformer ? Fill(transformer, happening, rule, now) : happening.ToJsonString();
    }

    private static string Fill(JsonObject transformer, JsonObject happening, JsonObject rule, DateTimeOffset now)
    {
        var values = transformer.Map("InputPathsMap").ToDictionary(pair => pair.Key, pair => At(happening, pair.Value), StringComparer.Ordinal);
        values["aws.events.rule-arn"] = rule.Text("Arn");
        values["aws.events.rule-name"] = rule.Text("Name");
        values["aws.events.event.ingestion-time"] = now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        values["aws.events.event"] = happening.DeepClone();
        values["aws.events.event.json"] = happening.DeepClone();
        var template = transformer.Required("InputTemplate");
        var text = new System.Text.StringBuilder();
        for (var at = 0; at < template.Length;)
        {
            var open = template.IndexOf('<', at);
            var close = open < 0 ? -1 : template.IndexOf('>', open);
            if (close < 0)
            {
                text.Append(template, at, template.Length - at);
                break;
            }
            text.Append(template, at, open - at);
            var name = template[(open + 1)..close];
            if (!values.TryGetValue(name, out var value))
            {
                text.Append(template, open, close + 1 - open);
            }
            else
            {
                // Inside quotes a string stands without its own.
                var quoted = text.ToString().Count(c => c == '"') % 2 == 1;
                text.Append(value is null ? "" : quoted && value.GetValueKind() == JsonValueKind.String ? JsonEncodedText.Encode(Documents.AsText(value)!).ToString() : value.ToJsonString());
            }
            at = close + 1;
        }
        return text.ToString();
    }

    /// <summary>The value at a path such as <c>$.detail.items[0].name</c>.</summary>
    private static JsonNode? At(JsonObject document, string path)
    {
        JsonNode? node = document;
        foreach (var step in path.TrimStart('$').Split(['.', '['], StringSplitOptions.RemoveEmptyEntries))
        {
            node = step.EndsWith(']')
                ? node is JsonArray list && int.TryParse(step[..^1], out var index) && index < list.Count ? list[index] : null
                : (node as JsonObject)?[step];
        }
        return node;
    }
}
