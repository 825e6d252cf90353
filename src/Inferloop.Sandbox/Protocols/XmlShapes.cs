using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml;
using System.Xml.Linq;

namespace Inferloop.Sandbox.Protocols;

/// <summary>XML bodies to documents and back, by shape: the answers of the query protocols, and REST-XML both ways.</summary>
internal static class XmlShapes
{
    private const int MaximumDepth = 100;

    /// <summary>The body's root element; null for an empty body.</summary>
    public static XElement? Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty)
        {
            return null;
        }
        try
        {
            using var stream = new MemoryStream(body.ToArray(), writable: false);
            using var reader = XmlReader.Create(stream, new XmlReaderSettings
            {
                DtdProcessing = DtdProcessing.Prohibit,
                XmlResolver = null,
                IgnoreComments = true,
                IgnoreProcessingInstructions = true,
            });
            var root = XElement.Load(new DepthLimitedReader(reader, MaximumDepth));
            return root;
        }
        catch (Exception e) when (e is XmlException or ArgumentException)
        {
            throw new MalformedInputException(e.Message);
        }
    }

    public static JsonObject ReadStructure(Shape shape, XElement element)
    {
        var result = new JsonObject();
        foreach (var member in shape.Members)
        {
            if (member.Location is null && ReadMember(member, element) is { } value)
            {
                result[member.Name] = value;
            }
        }
        return result;
    }

    private static JsonNode? ReadMember(ShapeMember member, XElement parent)
    {
        if (member.XmlAttribute)
        {
            var local = member.WireName[(member.WireName.IndexOf(':', StringComparison.Ordinal) + 1)..];
            var attribute = parent.Attributes().FirstOrDefault(candidate => candidate.Name.LocalName == local);
            return attribute is null ? null : JsonValue.Create(attribute.Value);
        }
        var shape = member.Shape;
        if (member.Flattened || shape.Flattened)
        {
            var name = shape.Type == ShapeType.List ? shape.Item!.LocationName ?? member.WireName : member.WireName;
            var elements = parent.Elements().Where(child => child.Name.LocalName == name || child.Name.LocalName == member.WireName).ToList();
            if (elements.Count == 0)
            {
                return null;
            }
            return shape.Type == ShapeType.List ? ReadItems(shape, elements) : ReadEntries(shape, elements);
        }
        var element = parent.Elements().FirstOrDefault(child => child.Name.LocalName == member.WireName);
        return element is null ? null : Read(member, element);
    }

    private static JsonNode Read(ShapeMember member, XElement element)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure:
                return ReadStructure(shape, element);
            case ShapeType.List:
                return ReadItems(shape, element.Elements());
            case ShapeType.Map:
                return ReadEntries(shape, element.Elements());
            default:
                if (element.HasElements)
                {
                    throw new MalformedInputException($"Unexpected element inside {element.Name.LocalName}") { Member = member.Name };
                }
                return Scalars.Parse(shape, element.Value)
                    ?? throw new MalformedInputException($"'{element.Value}' is not valid for {member.Name}") { Value = element.Value, Member = member.Name };
        }
    }

    private static JsonArray ReadItems(Shape list, IEnumerable<XElement> elements) =>
        new(elements.Select(item => (JsonNode?)Read(list.Item!, item)).ToArray());

    private static JsonObject ReadEntries(Shape map, IEnumerable<XElement> elements)
    {
        var result = new JsonObject();
        foreach (var entry in elements)
        {
            var key = entry.Elements().FirstOrDefault(child => child.Name.LocalName == (map.Key!.LocationName ?? "key"));
            var value = entry.Elements().FirstOrDefault(child => child.Name.LocalName == (map.Value!.LocationName ?? "value"));
            if (key is not null)
            {
                result[key.Value] = value is null ? null : Read(map.Value!, value);
            }
        }
        return result;
    }

    /// <summary>The body members of a structure, inside an element that is already open.</summary>
    public static void WriteMembers(XmlWriter writer, Shape shape, JsonObject document, bool ec2 = false)
    {
        foreach (var member in shape.Members)
        {
            if (member.XmlAttribute && document[member.Name] is { } attribute)
            {
                WriteAttribute(writer, member, Scalars.Text(attribute) ?? "");
            }
        }
        foreach (var member in shape.Members)
        {
            if (member.Location is null && !member.XmlAttribute
                && document.TryGetPropertyValue(member.Name, out var value) && !Scalars.IsNull(value))
            {
                Write(writer, member, value!, ec2);
            }
        }
    }

    private static void WriteAttribute(XmlWriter writer, ShapeMember member, string value)
    {
        var colon = member.WireName.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            writer.WriteAttributeString(member.WireName, value);
            return;
        }
        var prefix = member.WireName[..colon];
        var uri = prefix == "xsi" ? "http://www.w3.org/2001/XMLSchema-instance" : "urn:" + prefix;
        writer.WriteAttributeString(prefix, member.WireName[(colon + 1)..], uri, value);
    }

    private static void Write(XmlWriter writer, ShapeMember member, JsonNode node, bool ec2)
    {
        var shape = member.Shape;
        // EC2 marks its flat lists in requests only: its answers always wrap.
        var flattened = (member.Flattened || shape.Flattened) && !ec2;
        switch (shape.Type)
        {
            case ShapeType.List when node is JsonArray list:
                if (flattened)
                {
                    var name = shape.Item!.LocationName is { } itemName && member.LocationName is null ? itemName : member.WireName;
                    foreach (var item in list)
                    {
                        WriteElement(writer, shape.Item, name, item, ec2);
                    }
                    break;
                }
                writer.WriteStartElement(member.WireName);
                foreach (var item in list)
                {
                    WriteElement(writer, shape.Item!, shape.Item!.LocationName ?? (ec2 ? "item" : "member"), item, ec2);
                }
                writer.WriteEndElement();
                break;
            case ShapeType.Map when node is JsonObject map:
                if (!flattened)
                {
                    writer.WriteStartElement(member.WireName);
                }
                foreach (var (key, value) in map)
                {
                    writer.WriteStartElement(flattened ? member.WireName : "entry");
                    writer.WriteElementString(shape.Key!.LocationName ?? "key", Safe(key));
                    WriteElement(writer, shape.Value!, shape.Value!.LocationName ?? "value", value, ec2);
                    writer.WriteEndElement();
                }
                if (!flattened)
                {
                    writer.WriteEndElement();
                }
                break;
            default:
                WriteElement(writer, member, member.WireName, node, ec2);
                break;
        }
    }

    private static void WriteElement(XmlWriter writer, ShapeMember member, string name, JsonNode? node, bool ec2)
    {
        if (Scalars.IsNull(node))
        {
            return;
        }
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure when node is JsonObject document:
                writer.WriteStartElement(name);
                WriteMembers(writer, shape, document, ec2);
                writer.WriteEndElement();
                break;
            case ShapeType.List when node is JsonArray list:
                writer.WriteStartElement(name);
                foreach (var item in list)
                {
                    WriteElement(writer, shape.Item!, shape.Item!.LocationName ?? (ec2 ? "item" : "member"), item, ec2);
                }
                writer.WriteEndElement();
                break;
            case ShapeType.Map when node is JsonObject map:
                writer.WriteStartElement(name);
                foreach (var (key, value) in map)
                {
                    writer.WriteStartElement("entry");
                    writer.WriteElementString(shape.Key!.LocationName ?? "key", Safe(key));
                    WriteElement(writer, shape.Value!, shape.Value!.LocationName ?? "value", value, ec2);
                    writer.WriteEndElement();
                }
                writer.WriteEndElement();
                break;
            default:
                writer.WriteElementString(name, Safe(Scalar(member, node!)));
                break;
        }
    }

    public static string Scalar(ShapeMember member, JsonNode node)
    {
        var shape = member.Shape;
        var text = shape.Type switch
        {
            ShapeType.Timestamp when Scalars.TryTimestamp(node, out var moment) =>
                Scalars.Format(moment, member.TimestampFormat ?? shape.TimestampFormat ?? "iso8601"),
            ShapeType.Double or ShapeType.Float when Scalars.TryDouble(node, out var real) => real.ToString("R", CultureInfo.InvariantCulture),
            _ => Scalars.Text(node),
        };
        return text ?? throw new InvalidOperationException(
            $"A document holds {node.GetValueKind()} where the model has {shape.Type} {member.Name} ({shape.Name}).");
    }

    /// <summary>XML 1.0 cannot carry control characters, not even escaped.</summary>
    private static string Safe(string text)
    {
        foreach (var c in text)
        {
            if (!XmlConvert.IsXmlChar(c) && !char.IsSurrogate(c))
            {
                return new string(text.Select(ch => XmlConvert.IsXmlChar(ch) || char.IsSurrogate(ch) ? ch : '\uFFFD').ToArray());
            }
        }
        return text;
    }
}
