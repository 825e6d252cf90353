using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>Values as CloudFormation shows them: secrets masked, what is known only after apply named.</summary>
internal static class ValueRendering
{
    public const string Mask = "****";
    public const string KnownAfterApply = "{{changeSet:KNOWN_AFTER_APPLY}}";

    private static readonly JsonSerializerOptions Options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A value as JSON; what comes from resources that get another identity is known only after apply, whatever it is now.</summary>
    public static JsonNode? Shown(Value? value, IReadOnlySet<string>? replaced = null) => value switch
    {
        null => null,
        { IsSecret: true } => JsonValue.Create(Mask),
        UnknownValue => JsonValue.Create(KnownAfterApply),
        ListValue list => new JsonArray(list.Items.Select(item => Shown(item, replaced)).ToArray()),
        MapValue map => Map(map, replaced),
        _ when replaced is { Count: > 0 } && value.Sources.Any(source => replaced.Contains(PropertyComparison.ResourcePath(source))) => JsonValue.Create(KnownAfterApply),
        _ => value.AsString() is { } text ? JsonValue.Create(text) : value.ToJson(),
    };

    public static string Text(JsonNode? node) => node?.ToJsonString(Options) ?? "null";

    /// <summary>One value as text: a scalar as it is, anything else as JSON.</summary>
    public static string? Scalar(Value? value) => Shown(value) switch
    {
        null => null,
        JsonValue scalar => scalar.ToString(),
        var node => Text(node),
    };

    private static JsonObject Map(MapValue map, IReadOnlySet<string>? replaced)
    {
        var result = new JsonObject();
        foreach (var (key, value) in map.Entries)
        {
            result[key] = Shown(value, replaced);
        }
        return result;
    }
}
