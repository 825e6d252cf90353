using System.Text.Json;
using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Protocols;

internal enum ShapeType
{
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Blob,
    Timestamp,
}

/// <summary>A shape of a service model.</summary>
internal sealed class Shape
{
    private readonly Dictionary<string, ShapeMember> membersByName = new(StringComparer.Ordinal);
    private readonly Lazy<Regex?> pattern;

    public Shape(ServiceModel model, string name, JsonElement json)
    {
        Name = name;
        Type = json.GetProperty("type").GetString() switch
        {
            "structure" => ShapeType.Structure,
            "list" => ShapeType.List,
            "map" => ShapeType.Map,
            "integer" => ShapeType.Integer,
            "long" => ShapeType.Long,
            "float" => ShapeType.Float,
            "double" => ShapeType.Double,
            "boolean" => ShapeType.Boolean,
            "blob" => ShapeType.Blob,
            "timestamp" => ShapeType.Timestamp,
            _ => ShapeType.String,
        };
        if (json.TryGetProperty("members", out var members))
        {
            foreach (var member in members.EnumerateObject())
            {
                var parsed = new ShapeMember(model, member.Name, member.Value);
                membersByName[member.Name] = parsed;
                Members.Add(parsed);
            }
        }
        Item = json.TryGetProperty("member", out var item) ? new ShapeMember(model, "member", item) : null;
        Key = json.TryGetProperty("key", out var key) ? new ShapeMember(model, "key", key) : null;
        Value = json.TryGetProperty("value", out var value) ? new ShapeMember(model, "value", value) : null;
        Required = Strings(json, "required");
        Enum = Strings(json, "enum");
        Minimum = Number(json, "min");
        Maximum = Number(json, "max");
        PatternText = Json.Text(json, "pattern");
        pattern = new Lazy<Regex?>(() => Compile(PatternText));
        Flattened = Json.Flag(json, "flattened");
        Payload = Json.Text(json, "payload");
        LocationName = Json.Text(json, "locationName");
        TimestampFormat = Json.Text(json, "timestampFormat");
        IsException = Json.Flag(json, "exception");
        IsUnion = Json.Flag(json, "union");
        IsDocument = Json.Flag(json, "document");
        IsEventStream = Json.Flag(json, "eventstream");
        IsStreaming = Json.Flag(json, "streaming");
        IsSensitive = Json.Flag(json, "sensitive");
        XmlNamespace = json.TryGetProperty("xmlNamespace", out var ns) ? Json.Text(ns, "uri") : null;
        if (json.TryGetProperty("error", out var error))
        {
            ErrorCode = Json.Text(error, "code");
            ErrorStatus = error.TryGetProperty("httpStatusCode", out var status) ? status.GetInt32() : null;
        }
        IsFault = Json.Flag(json, "fault");
    }

    public string Name { get; }

    public ShapeType Type { get; }

    /// <summary>The members of a structure, in the model's order.</summary>
    public List<ShapeMember> Members { get; } = [];

    public ShapeMember? Item { get; }

    public ShapeMember? Key { get; }

    public ShapeMember? Value { get; }

    public IReadOnlyList<string> Required { get; }

    public IReadOnlyList<string> Enum { get; }

    public double? Minimum { get; }

    public double? Maximum { get; }

    public string? PatternText { get; }

    /// <summary>The pattern, anchored; null when there is none or .NET cannot read it.</summary>
    public Regex? Pattern => pattern.Value;

    public bool Flattened { get; }

    public string? Payload { get; }

    public string? LocationName { get; }

    public string? TimestampFormat { get; }

    public bool IsException { get; }

    public bool IsUnion { get; }

    public bool IsDocument { get; }

    public bool IsEventStream { get; }

    public bool IsStreaming { get; }

    public bool IsSensitive { get; }

    public bool IsFault { get; }

    public string? XmlNamespace { get; }

    public string? ErrorCode { get; }

    public int? ErrorStatus { get; }

    public ShapeMember? Member(string name) => membersByName.GetValueOrDefault(name);

    private static List<string> Strings(JsonElement json, string name) =>
        json.TryGetProperty(name, out var list) ? list.EnumerateArray().Select(item => item.GetString()!).ToList() : [];

    private static double? Number(JsonElement json, string name) =>
        json.TryGetProperty(name, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : null;

    private static Regex? Compile(string? text)
    {
        if (text is null)
        {
            return null;
        }
        try
        {
            // Patterns are written for Java: possessive quantifiers and \p{..} names that .NET does not know cannot be checked here.
            // One that anchors itself is taken as it is; another has to match the whole value.
            var anchored = text.StartsWith('^') ? text : $"^(?:{text})\\z";
            return new Regex(anchored, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(200));
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>A reference to a shape, with what the place says about it.</summary>
internal sealed class ShapeMember
{
    private readonly ServiceModel model;
    private Shape? shape;

    public ShapeMember(ServiceModel model, string name, JsonElement json)
    {
        this.model = model;
        Name = name;
        ShapeName = json.GetProperty("shape").GetString()!;
        Location = Json.Text(json, "location");
        LocationName = Json.Text(json, "locationName");
        QueryName = Json.Text(json, "queryName");
        Flattened = Json.Flag(json, "flattened");
        XmlAttribute = Json.Flag(json, "xmlAttribute");
        Streaming = Json.Flag(json, "streaming");
        JsonValue = Json.Flag(json, "jsonvalue");
        TimestampFormat = Json.Text(json, "timestampFormat");
        if (json.TryGetProperty("xmlNamespace", out var ns))
        {
            XmlNamespace = ns.ValueKind == JsonValueKind.String ? ns.GetString() : Json.Text(ns, "uri");
            XmlPrefix = ns.ValueKind == JsonValueKind.Object ? Json.Text(ns, "prefix") : null;
        }
    }

    public string Name { get; }

    public string ShapeName { get; }

    /// <summary>The shape referred to, read when first asked for.</summary>
    public Shape Shape => shape ??= model.Shape(ShapeName);

    /// <summary><c>uri</c>, <c>querystring</c>, <c>header</c>, <c>headers</c>, <c>statusCode</c>, or null for the body.</summary>
    public string? Location { get; }

    public string? LocationName { get; }

    public string? QueryName { get; }

    public bool Flattened { get; }

    public bool XmlAttribute { get; }

    public bool Streaming { get; }

    public bool JsonValue { get; }

    public string? TimestampFormat { get; }

    public string? XmlNamespace { get; }

    public string? XmlPrefix { get; }

    /// <summary>The name on the wire.</summary>
    public string WireName => LocationName ?? Name;

    public bool IsStreaming => Streaming || Shape.IsStreaming;
}

internal static class Json
{
    public static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    public static bool Flag(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;
}
