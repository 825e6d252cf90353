using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>
/// Between CloudFormation's properties and a service's own shapes: members are matched without regard to case, scalars take the type the
/// model asks for (templates carry many numbers and booleans as strings), and tags change between list and map.
/// </summary>
internal static class PropertyMapper
{
    /// <summary>The input of an operation from those properties that it has members for.</summary>
    public static JsonObject ToInput(SandboxService service, string operation, JsonObject properties, params ReadOnlySpan<(string Property, string Member)> renames)
    {
        var shape = service.Model.Operation(operation)?.Input
            ?? throw new InvalidOperationException($"{service.ModelName} has no input for {operation}.");
        var source = properties;
        if (renames.Length > 0)
        {
            source = properties.Copy();
            foreach (var (property, member) in renames)
            {
                if (source.Remove(property, out var value))
                {
                    source[member] = value;
                }
            }
        }
        return (JsonObject)ToShape(shape, source)!;
    }

    /// <summary>A value in the form of a shape.</summary>
    public static JsonNode? ToShape(Shape shape, JsonNode? value)
    {
        if (value is null)
        {
            return null;
        }
        switch (shape.Type)
        {
            case ShapeType.Structure when value is JsonObject source:
                var result = new JsonObject();
                foreach (var (name, item) in source)
                {
                    var member = shape.Member(name) ?? shape.Members.Find(candidate => string.Equals(candidate.Name, name, StringComparison.OrdinalIgnoreCase));
                    if (member is not null && ToShape(member.Shape, item) is { } converted)
                    {
                        result[member.Name] = converted;
                    }
                }
                return result;
            case ShapeType.List when value is JsonArray list:
                return new JsonArray(list.Select(item => ToShape(shape.Item!.Shape, item)).ToArray());
            case ShapeType.List when value is JsonObject map && IsTag(shape.Item!.Shape):
                return new JsonArray(map.Select(pair => ToShape(shape.Item.Shape, new JsonObject { ["Key"] = pair.Key, ["Value"] = pair.Value.Copy() })).ToArray());
            case ShapeType.List when value is JsonValue:
                return new JsonArray(ToShape(shape.Item!.Shape, value));
            case ShapeType.Map when value is JsonArray tags:
                return Tags.AsMap(tags.OfType<JsonObject>());
            case ShapeType.Map when value is JsonObject map:
                var mapped = new JsonObject();
                foreach (var (name, item) in map)
                {
                    mapped[name] = ToShape(shape.Value!.Shape, item);
                }
                return mapped;
            case ShapeType.String when value is JsonObject or JsonArray:
                // Policies are objects in templates and strings in most APIs.
                return value.ToJsonString();
            default:
                return Scalar(shape, value);
        }
    }

    /// <summary>A document of a service in template form: members in Pascal case, the keys of maps untouched, private members dropped.</summary>
    public static JsonNode? ToProperties(Shape shape, JsonNode? value)
    {
        switch (value)
        {
            case JsonObject source when shape.Type == ShapeType.Structure:
                var result = new JsonObject();
                foreach (var (name, item) in source)
                {
                    if (shape.Member(name) is { } member && item is not null)
                    {
                        result[char.ToUpperInvariant(name[0]) + name[1..]] = ToProperties(member.Shape, item);
                    }
                }
                return result;
            case JsonObject map when shape.Type == ShapeType.Map:
                var mapped = new JsonObject();
                foreach (var (name, item) in map)
                {
                    mapped[name] = ToProperties(shape.Value!.Shape, item);
                }
                return mapped;
            case JsonArray list when shape.Type == ShapeType.List:
                return new JsonArray(list.Select(item => ToProperties(shape.Item!.Shape, item)).ToArray());
            default:
                return value.Copy();
        }
    }

    private static bool IsTag(Shape shape) => shape.Type == ShapeType.Structure && shape.Members.Count == 2
        && shape.Members.Exists(member => member.Name.Equals("Key", StringComparison.OrdinalIgnoreCase));

    private static JsonNode? Scalar(Shape shape, JsonNode value)
    {
        if (Documents.AsText(value) is not { } text)
        {
            return value.Copy();
        }
        return shape.Type switch
        {
            ShapeType.Boolean when bool.TryParse(text, out var flag) => JsonValue.Create(flag),
            ShapeType.Integer or ShapeType.Long when long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            ShapeType.Float or ShapeType.Double when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => JsonValue.Create(number),
            ShapeType.String or ShapeType.Blob => JsonValue.Create(text),
            _ => value.Copy(),
        };
    }
}
