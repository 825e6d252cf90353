using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Protocols;

/// <summary>CBOR bodies to documents and back, by shape (Smithy RPC v2).</summary>
internal static class CborShapes
{
    public static JsonObject ReadStructure(Shape shape, ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            return [];
        }
        var reader = new CborReader(body);
        var value = reader.Read();
        if (!reader.AtEnd)
        {
            throw new MalformedInputException("Unexpected content after the end of the document");
        }
        return Structure(shape, value);
    }

    private static JsonObject Structure(Shape shape, object? value)
    {
        if (value is not Dictionary<string, object?> map)
        {
            throw new MalformedInputException("Expected a map");
        }
        var result = new JsonObject();
        foreach (var member in shape.Members)
        {
            if (map.TryGetValue(member.Name, out var content) && content is not null)
            {
                result[member.Name] = Node(member, content);
            }
        }
        return result;
    }

    private static JsonNode Node(ShapeMember member, object value)
    {
        var shape = member.Shape;
        switch (shape.Type, value)
        {
            case (ShapeType.Structure, _):
                return Structure(shape, value);
            case (ShapeType.List, List<object?> list):
                return new JsonArray(list.Where(item => item is not null).Select(item => (JsonNode?)Node(shape.Item!, item!)).ToArray());
            case (ShapeType.Map, Dictionary<string, object?> map):
                var entries = new JsonObject();
                foreach (var (key, content) in map)
                {
                    entries[key] = content is null ? null : Node(shape.Value!, content);
                }
                return entries;
            case (ShapeType.String, string text):
                return JsonValue.Create(text);
            case (ShapeType.Integer, long whole) when whole is >= int.MinValue and <= int.MaxValue:
                return JsonValue.Create(whole);
            case (ShapeType.Long, long whole):
                return JsonValue.Create(whole);
            case (ShapeType.Float or ShapeType.Double, double real) when double.IsFinite(real):
                return JsonValue.Create(real);
            case (ShapeType.Float or ShapeType.Double, long whole):
                return JsonValue.Create((double)whole);
            case (ShapeType.Boolean, bool flag):
                return JsonValue.Create(flag);
            case (ShapeType.Blob, byte[] bytes):
                return JsonValue.Create(Convert.ToBase64String(bytes));
            case (ShapeType.Timestamp, CborTag { Tag: 1, Value: double or long } tagged)
                when Scalars.TryEpoch(Convert.ToDouble(tagged.Value), out var moment):
                return JsonValue.Create(Scalars.Timestamp(moment));
            default:
                throw new MalformedInputException($"Unexpected value for {member.Name}") { Member = member.Name };
        }
    }

    public static void WriteStructure(CborWriter writer, Shape shape, JsonObject document)
    {
        var present = shape.Members.Where(member => document.TryGetPropertyValue(member.Name, out var value) && !Scalars.IsNull(value)).ToList();
        writer.WriteMap(present.Count);
        foreach (var member in present)
        {
            writer.WriteText(member.Name);
            Write(writer, member, document[member.Name]!);
        }
    }

    private static void Write(CborWriter writer, ShapeMember member, JsonNode node)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure when node is JsonObject document:
                WriteStructure(writer, shape, document);
                break;
            case ShapeType.List when node is JsonArray list:
                writer.WriteArray(list.Count);
                foreach (var item in list)
                {
                    if (item is null)
                    {
                        writer.WriteNull();
                    }
                    else
                    {
                        Write(writer, shape.Item!, item);
                    }
                }
                break;
            case ShapeType.Map when node is JsonObject map:
                writer.WriteMap(map.Count);
                foreach (var (key, value) in map)
                {
                    writer.WriteText(key);
                    if (value is null)
                    {
                        writer.WriteNull();
                    }
                    else
                    {
                        Write(writer, shape.Value!, value);
                    }
                }
                break;
            case ShapeType.Integer or ShapeType.Long when Scalars.TryInteger(node, out var whole):
                writer.WriteInteger(whole);
                break;
            case ShapeType.Float or ShapeType.Double when Scalars.TryDouble(node, out var real):
                writer.WriteDouble(real);
                break;
            case ShapeType.Boolean when Scalars.TryBoolean(node, out var flag):
                writer.WriteBoolean(flag);
                break;
            case ShapeType.Timestamp when Scalars.TryTimestamp(node, out var moment):
                writer.WriteTag(1);
                writer.WriteDouble(Scalars.Epoch(moment));
                break;
            case ShapeType.Blob when Scalars.Text(node) is { } base64:
                writer.WriteBytes(Convert.FromBase64String(base64));
                break;
            case ShapeType.String when Scalars.Text(node) is { } text:
                writer.WriteText(text);
                break;
            default:
                throw new InvalidOperationException($"A document holds {node.GetValueKind()} where the model has {shape.Type} {member.Name} ({shape.Name}).");
        }
    }
}
