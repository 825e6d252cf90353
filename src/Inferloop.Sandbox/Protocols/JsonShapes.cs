using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Protocols;

/// <summary>JSON bodies to documents and back, by shape.</summary>
internal static class JsonShapes
{
    private const int MaximumDepth = 100;

    private static readonly JsonDocumentOptions ParseOptions = new() { MaxDepth = MaximumDepth };

    public static JsonNode? Parse(ReadOnlySpan<byte> body)
    {
        if (!System.Text.Unicode.Utf8.IsValid(body))
        {
            throw new MalformedInputException("The document is not valid UTF-8");
        }
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = ParseOptions.MaxDepth });
            var node = JsonNode.Parse(ref reader);
            if (reader.Read())
            {
                throw new MalformedInputException("Unexpected content after the end of the document");
            }
            return node;
        }
        catch (JsonException e)
        {
            throw new MalformedInputException(e.Message);
        }
    }

    /// <summary>
    /// A structure. Unknown members and nulls are left out, as AWS does. Lenient reading accepts text for numbers and booleans and the
    /// reverse, as CloudFormation does with template values.
    /// </summary>
    public static JsonObject ReadStructure(Shape shape, JsonNode? node, bool lenient = false)
    {
        if (Scalars.IsNull(node))
        {
            return [];
        }
        if (node is not JsonObject source)
        {
            throw Unexpected(shape, node, "Unexpected value: expected a structure");
        }
        var result = new JsonObject();
        try
        {
            foreach (var member in shape.Members)
            {
                // Inside the process members go by the model's names, on the wire by their location names.
                var found = source.TryGetPropertyValue(lenient ? member.Name : member.WireName, out var value)
                    || (lenient && member.LocationName is not null && source.TryGetPropertyValue(member.WireName, out value));
                if (found && !Scalars.IsNull(value))
                {
                    result[member.Name] = Read(member, value!, lenient);
                }
            }
            if (lenient)
            {
                // Private members travel with documents inside the process.
                foreach (var (name, value) in source)
                {
                    if (name.StartsWith('_'))
                    {
                        result[name] = value?.DeepClone();
                    }
                }
            }
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            // A JSON object that names a member twice, or text with half a surrogate pair: found only when it is looked at.
            throw new MalformedInputException(e.Message);
        }
        return result;
    }

    public static JsonNode Read(ShapeMember member, JsonNode node, bool lenient)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure when shape.IsDocument:
                return node.DeepClone();
            case ShapeType.Structure:
                return ReadStructure(shape, node, lenient);
            case ShapeType.List:
                if (node is not JsonArray list)
                {
                    throw Unexpected(shape, node, "Unexpected value: expected a list");
                }
                var items = new JsonArray();
                foreach (var item in list)
                {
                    if (!Scalars.IsNull(item))
                    {
                        items.Add(Read(shape.Item!, item!, lenient));
                    }
                    else if (!lenient)
                    {
                        items.Add(null);
                    }
                }
                return items;
            case ShapeType.Map:
                if (node is not JsonObject map)
                {
                    throw Unexpected(shape, node, "Unexpected value: expected a map");
                }
                var entries = new JsonObject();
                foreach (var (key, value) in map)
                {
                    entries[key] = Scalars.IsNull(value) ? null : Read(shape.Value!, value!, lenient);
                }
                return entries;
            default:
                return ReadScalar(shape, node, lenient);
        }
    }

    private static JsonValue ReadScalar(Shape shape, JsonNode node, bool lenient)
    {
        var kind = node is JsonValue value ? value.GetValueKind() : JsonValueKind.Object;
        switch (shape.Type)
        {
            case ShapeType.Integer or ShapeType.Long:
                if ((kind == JsonValueKind.Number || (lenient && kind == JsonValueKind.String)) && Scalars.TryInteger(node, out var whole)
                    && (shape.Type == ShapeType.Long || whole is >= int.MinValue and <= int.MaxValue))
                {
                    return JsonValue.Create(whole);
                }
                throw Unexpected(shape, node, $"{KindName(kind)} value cannot be converted to {(shape.Type == ShapeType.Long ? "Long" : "Integer")}");
            case ShapeType.Float or ShapeType.Double:
                if ((kind == JsonValueKind.Number || kind == JsonValueKind.String) && Scalars.TryDouble(node, out var real) && double.IsFinite(real))
                {
                    return JsonValue.Create(real);
                }
                throw Unexpected(shape, node, $"{KindName(kind)} value cannot be converted to Double");
            case ShapeType.Boolean:
                if ((kind is JsonValueKind.True or JsonValueKind.False || lenient) && Scalars.TryBoolean(node, out var flag))
                {
                    return JsonValue.Create(flag);
                }
                throw Unexpected(shape, node, $"{KindName(kind)} value cannot be converted to Boolean");
            case ShapeType.Timestamp:
                if ((kind == JsonValueKind.Number || kind == JsonValueKind.String) && Scalars.TryTimestamp(node, out var moment))
                {
                    return JsonValue.Create(Scalars.Timestamp(moment));
                }
                throw Unexpected(shape, node, $"{KindName(kind)} value cannot be converted to Timestamp");
            case ShapeType.Blob:
                if (kind == JsonValueKind.String && Scalars.IsBase64(Scalars.Text(node)!))
                {
                    return JsonValue.Create(Scalars.Text(node)!);
                }
                throw Unexpected(shape, node, "Invalid base64 value");
            default:
                if (kind == JsonValueKind.String)
                {
                    return JsonValue.Create(Scalars.Text(node)!);
                }
                if (lenient)
                {
                    // A policy document given as an object where the API takes its text.
                    return JsonValue.Create(Scalars.Text(node) ?? node.ToJsonString());
                }
                throw Unexpected(shape, node, $"{KindName(kind)} value cannot be converted to String");
        }
    }

    public static void WriteStructure(Utf8JsonWriter writer, Shape shape, JsonObject document)
    {
        writer.WriteStartObject();
        foreach (var member in shape.Members)
        {
            if (member.Location is null)
            {
                WriteMember(writer, member, document);
            }
        }
        writer.WriteEndObject();
    }

    private static void WriteMember(Utf8JsonWriter writer, ShapeMember member, JsonObject document)
    {
        if (document.TryGetPropertyValue(member.Name, out var value) && !Scalars.IsNull(value))
        {
            writer.WritePropertyName(member.WireName);
            Write(writer, member, value!);
        }
    }

    public static void Write(Utf8JsonWriter writer, ShapeMember member, JsonNode node)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure when shape.IsDocument || node is not JsonObject:
                node.WriteTo(writer);
                break;
            case ShapeType.Structure:
                writer.WriteStartObject();
                foreach (var inner in shape.Members)
                {
                    WriteMember(writer, inner, (JsonObject)node);
                }
                writer.WriteEndObject();
                break;
            case ShapeType.List when node is JsonArray list:
                writer.WriteStartArray();
                foreach (var item in list)
                {
                    if (item is null)
                    {
                        writer.WriteNullValue();
                    }
                    else
                    {
                        Write(writer, shape.Item!, item);
                    }
                }
                writer.WriteEndArray();
                break;
            case ShapeType.Map when node is JsonObject map:
                writer.WriteStartObject();
                foreach (var (key, value) in map)
                {
                    if (!Scalars.IsNull(value))
                    {
                        writer.WritePropertyName(key);
                        Write(writer, shape.Value!, value!);
                    }
                }
                writer.WriteEndObject();
                break;
            case ShapeType.Integer or ShapeType.Long when Scalars.TryInteger(node, out var whole):
                writer.WriteNumberValue(whole);
                break;
            case ShapeType.Float or ShapeType.Double when Scalars.TryDouble(node, out var real):
                writer.WriteNumberValue(real);
                break;
            case ShapeType.Boolean when Scalars.TryBoolean(node, out var flag):
                writer.WriteBooleanValue(flag);
                break;
            case ShapeType.Timestamp when Scalars.TryTimestamp(node, out var moment):
                var format = member.TimestampFormat ?? shape.TimestampFormat ?? "unixTimestamp";
                if (format == "unixTimestamp")
                {
                    writer.WriteNumberValue(Scalars.Epoch(moment));
                }
                else
                {
                    writer.WriteStringValue(Scalars.Format(moment, format));
                }
                break;
            case ShapeType.String or ShapeType.Blob when Scalars.Text(node) is { } text:
                writer.WriteStringValue(text);
                break;
            default:
                throw new InvalidOperationException($"A document holds {node.GetValueKind()} where the model has {shape.Type} {member.Name} ({shape.Name}).");
        }
    }

    private static MalformedInputException Unexpected(Shape shape, JsonNode? node, string message) => new(message)
    {
        Value = node is JsonValue ? Scalars.Text(node) : null,
        Member = shape.Name,
    };

    private static string KindName(JsonValueKind kind) => kind switch
    {
        JsonValueKind.String => "STRING_VALUE",
        JsonValueKind.Number => "NUMBER_VALUE",
        JsonValueKind.True => "TRUE_VALUE",
        JsonValueKind.False => "FALSE_VALUE",
        JsonValueKind.Array => "START_ARRAY",
        _ => "START_OBJECT",
    };
}
