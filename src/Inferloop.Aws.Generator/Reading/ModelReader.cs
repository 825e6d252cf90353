using System.Text.Json;

namespace Inferloop.Aws.Generator.Reading;

/// <summary>Reads shapes and operations from the JSON of a model.</summary>
internal static class ModelReader
{
    public static string? Text(this JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static Shape ReadShape(string name, JsonElement json)
    {
        string type = json.GetProperty("type").GetString()!;
        HashSet<string> required = json.TryGetProperty("required", out JsonElement names)
            ? [.. names.EnumerateArray().Select(n => n.GetString()!)]
            : [];
        string? elementName = type switch { "list" => "member", "map" => "value", _ => null };
        json.TryGetProperty("error", out JsonElement error);
        return new Shape
        {
            Name = name,
            Type = type,
            Documentation = json.Text("documentation"),
            Members = json.TryGetProperty("members", out JsonElement members)
                ? [.. members.EnumerateObject().Select(m => ReadMember(m.Name, m.Value, required.Contains(m.Name)))]
                : [],
            Element = elementName is null ? null : ReadMember(elementName, json.GetProperty(elementName), false),
            Key = type == "map" ? ReadMember("key", json.GetProperty("key"), false) : null,
            EnumValues = json.TryGetProperty("enum", out JsonElement values) ? [.. values.EnumerateArray().Select(v => v.GetString()!)] : [],
            IsFlattened = json.IsTrue("flattened"),
            TimestampFormat = json.Text("timestampFormat"),
            Payload = json.Text("payload"),
            IsException = json.IsTrue("exception"),
            IsDocument = json.IsTrue("document"),
            IsSensitive = json.IsTrue("sensitive"),
            IsEventStream = json.IsTrue("eventstream"),
            IsStreaming = json.IsTrue("streaming"),
            ErrorCode = error.ValueKind == JsonValueKind.Object ? error.Text("code") : null,
            IsRetryableThrottling = json.TryGetProperty("retryable", out JsonElement retryable) && retryable.ValueKind == JsonValueKind.Object ? retryable.IsTrue("throttling") : null,
            Min = ReadNumber(json, "min"),
            Max = ReadNumber(json, "max"),
        };
    }

    public static Member ReadMember(string name, JsonElement json, bool required) => new()
    {
        Name = name,
        ShapeName = json.GetProperty("shape").GetString()!,
        Documentation = json.Text("documentation"),
        Location = json.Text("location"),
        LocationName = json.Text("locationName"),
        XmlNamespace = json.TryGetProperty("xmlNamespace", out JsonElement ns)
            ? ns.ValueKind == JsonValueKind.Object ? ns.Text("uri") : ns.GetString()
            : null,
        TimestampFormat = json.Text("timestampFormat"),
        IsXmlAttribute = json.IsTrue("xmlAttribute"),
        IsFlattened = json.IsTrue("flattened"),
        IsIdempotencyToken = json.IsTrue("idempotencyToken"),
        IsHostLabel = json.IsTrue("hostLabel"),
        IsRequired = required,
        IsDeprecated = json.IsTrue("deprecated"),
        DeprecatedMessage = json.Text("deprecatedMessage"),
        ContextParameter = json.TryGetProperty("contextParam", out JsonElement context) ? context.Text("name") : null,
    };

    public static Operation ReadOperation(string name, JsonElement json, JsonElement? pagination)
    {
        JsonElement http = json.GetProperty("http");
        return new Operation
        {
            Name = name,
            Documentation = json.Text("documentation"),
            HttpMethod = http.Text("method") ?? "POST",
            RequestUri = http.Text("requestUri") ?? "/",
            Input = json.TryGetProperty("input", out JsonElement input) ? ReadMember("input", input, false) : null,
            Output = json.TryGetProperty("output", out JsonElement output) ? ReadMember("output", output, false) : null,
            ResultWrapper = output.ValueKind == JsonValueKind.Object ? output.Text("resultWrapper") : null,
            Errors = json.TryGetProperty("errors", out JsonElement errors) ? [.. errors.EnumerateArray().Select(e => e.Text("shape")!)] : [],
            HostPrefix = json.TryGetProperty("endpoint", out JsonElement endpoint) ? endpoint.Text("hostPrefix") : null,
            IsUnsigned = json.Text("authtype") == "none",
            IsDeprecated = json.IsTrue("deprecated"),
            DeprecatedMessage = json.Text("deprecatedMessage"),
            IsRequestCompressible = json.TryGetProperty("requestcompression", out _),
            Pagination = pagination is { } p ? ReadPagination(p) : null,
            StaticContextParameters = ReadParameters(json, "staticContextParams", "value"),
            ContextParameters = ReadParameters(json, "operationContextParams", "path"),
        };
    }

    private static Pagination ReadPagination(JsonElement json) => new(
        ReadNames(json, "input_token"),
        ReadNames(json, "output_token"),
        ReadNames(json, "result_key"),
        json.Text("more_results"));

    private static IReadOnlyList<string> ReadNames(JsonElement json, string name) =>
        !json.TryGetProperty(name, out JsonElement value) ? []
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(v => v.GetString()!)]
        : [value.GetString()!];

    private static Dictionary<string, string> ReadParameters(JsonElement json, string name, string property) =>
        !json.TryGetProperty(name, out JsonElement parameters)
            ? []
            : parameters.EnumerateObject().ToDictionary(
                p => p.Name,
                p => p.Value.GetProperty(property) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : p.Value.GetProperty(property).GetRawText(),
                StringComparer.Ordinal);

    private static bool IsTrue(this JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static decimal? ReadNumber(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out decimal number)
            ? number
            : null;
}
