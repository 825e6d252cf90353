using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Inferloop.Operations.Costs.Reporting;

/// <summary>A price as JSON, with the names of the objects in camel case.</summary>
internal static class CostJson
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    public static string Write(CostGate gate) => Of(new { gate.Passed, gate.Checks, gate.Estimate, gate.Change });

    public static string Of<T>(T value) => JsonSerializer.Serialize(value, s_options) + "\n";

    public static string Text(JsonNode node) => node.ToJsonString(s_options) + "\n";
}
