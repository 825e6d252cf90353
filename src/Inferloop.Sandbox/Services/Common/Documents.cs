using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Sandbox.Services;

/// <summary>Reading and building the JSON documents that entities, inputs and outputs are.</summary>
internal static class Documents
{
    public static string? Text(this JsonObject document, string name) => AsText(document[name]);

    /// <summary>A scalar in its string form; null for none, and for lists and objects.</summary>
    public static string? AsText(JsonNode? node) => node is not JsonValue value ? null
        : value.TryGetValue<string>(out var text) ? text
        : value.TryGetValue<bool>(out var flag) ? (flag ? "true" : "false")
        : value.ToJsonString();

    public static string Required(this JsonObject document, string name) => document.Text(name) ?? "";

    public static long? Long(this JsonObject document, string name) => document[name] is not JsonValue value ? null
        : value.TryGetValue<long>(out var number) ? number
        : value.TryGetValue<int>(out var small) ? small
        : value.TryGetValue<double>(out var real) ? (long)real
        : value.TryGetValue<string>(out var text) && long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out number) ? number
        : null;

    public static int? Int(this JsonObject document, string name) => (int?)document.Long(name);

    public static double? Double(this JsonObject document, string name) => document[name] is not JsonValue value ? null
        : value.TryGetValue<double>(out var number) ? number
        : value.TryGetValue<long>(out var whole) ? whole
        : value.TryGetValue<int>(out var small) ? small
        : value.TryGetValue<string>(out var text) && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) ? number
        : null;

    public static bool? Flag(this JsonObject document, string name) => document[name] is not JsonValue value ? null
        : value.TryGetValue<bool>(out var flag) ? flag
        : value.TryGetValue<string>(out var text) && bool.TryParse(text, out flag) ? flag
        : null;

    public static bool Is(this JsonObject document, string name) => document.Flag(name) == true;

    public static bool Has(this JsonObject document, string name) => document[name] is not null;

    public static JsonObject? Child(this JsonObject document, string name) => document[name] as JsonObject;

    /// <summary>The child object, added when it is missing.</summary>
    public static JsonObject ChildOrNew(this JsonObject document, string name)
    {
        if (document[name] is JsonObject child)
        {
            return child;
        }
        child = [];
        document[name] = child;
        return child;
    }

    /// <summary>The child list, added when it is missing.</summary>
    public static JsonArray ListOrNew(this JsonObject document, string name)
    {
        if (document[name] is JsonArray child)
        {
            return child;
        }
        child = [];
        document[name] = child;
        return child;
    }

    public static IEnumerable<JsonObject> Objects(this JsonObject document, string name) =>
        document[name] is JsonArray list ? list.OfType<JsonObject>() : [];

    public static IReadOnlyList<string> Texts(this JsonObject document, string name) => document[name] switch
    {
        JsonArray list => list.Select(AsText).OfType<string>().ToList(),
        JsonValue single => [AsText(single)!],
        _ => [],
    };

    /// <summary>The members of a map of strings.</summary>
    public static Dictionary<string, string> Map(this JsonObject document, string name) => document[name] is JsonObject map
        ? map.ToDictionary(pair => pair.Key, pair => AsText(pair.Value) ?? "", StringComparer.Ordinal)
        : [];

    public static JsonNode? Copy(this JsonNode? node) => node?.DeepClone();

    [return: NotNullIfNotNull(nameof(document))]
    public static JsonObject? Copy(this JsonObject? document) => (JsonObject?)document?.DeepClone();

    public static JsonArray ToJsonList(this IEnumerable<JsonObject> documents) =>
        new(documents.Select(document => (JsonNode?)(document.Parent is null ? document : document.DeepClone())).ToArray());

    public static JsonArray ToTextList(this IEnumerable<string> texts) => new(texts.Select(text => (JsonNode?)JsonValue.Create(text)).ToArray());

    public static JsonObject ToMap(this IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var map = new JsonObject();
        foreach (var (key, value) in pairs)
        {
            map[key] = value;
        }
        return map;
    }

    /// <summary>Sets a member when there is a value for it, as services leave absent what was not given.</summary>
    public static JsonObject With(this JsonObject document, string name, JsonNode? value)
    {
        if (value is not null)
        {
            document[name] = value.Parent is null ? value : value.DeepClone();
        }
        return document;
    }

    /// <summary>Copies members that the source has.</summary>
    public static JsonObject Take(this JsonObject document, JsonObject source, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            document.With(name, source[name].Copy());
        }
        return document;
    }

    /// <summary>A new object of some members of this one; absent members stay absent.</summary>
    public static JsonObject Pick(this JsonObject document, params ReadOnlySpan<string> names) => new JsonObject().Take(document, names);

    /// <summary>A timestamp as documents hold it.</summary>
    public static JsonNode Time(DateTimeOffset moment) => JsonValue.Create(Scalars.Timestamp(moment));

    public static DateTimeOffset? TimeOf(this JsonObject document, string name) => document[name] is not JsonValue value ? null
        : value.TryGetValue<string>(out var text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment
        : document.Double(name) is { } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
        : null;

    /// <summary>Whether two documents say the same.</summary>
    public static bool Same(JsonNode? one, JsonNode? other) => JsonNode.DeepEquals(one, other);
}
