using System.Text.Json;

namespace Inferloop.Templates;

/// <summary>Reads one line of the packed specification; import-specification.mjs describes the format.</summary>
internal static class SpecificationReader
{
    private static readonly Dictionary<char, PropertyTypeSpecification> s_primitives = new()
    {
        ['s'] = new(PropertyKind.String),
        ['i'] = new(PropertyKind.Integer),
        ['n'] = new(PropertyKind.Number),
        ['b'] = new(PropertyKind.Boolean),
        ['j'] = new(PropertyKind.Json),
        ['d'] = new(PropertyKind.DateTime),
        ['t'] = new(PropertyKind.Tag),
    };

    public static ResourceTypeSpecification Read(ReadOnlyMemory<byte> line)
    {
        using var document = JsonDocument.Parse(line);
        var root = document.RootElement;
        var nested = root.TryGetProperty("n", out var names) ? names.EnumerateArray().Select(n => new NestedTypeSpecification(n.GetString()!)).ToArray() : [];
        if (nested.Length > 0)
        {
            var index = 0;
            foreach (var definition in root.GetProperty("d").EnumerateArray())
            {
                nested[index++].Properties = ReadProperties(definition, nested);
            }
        }

        return new ResourceTypeSpecification(root.GetProperty("t").GetString()!)
        {
            Properties = ReadProperties(root.GetProperty("p"), nested),
            Attributes = root.TryGetProperty("a", out var attributes)
                ? attributes.EnumerateObject().ToDictionary(a => a.Name, a => ReadType(a.Value.GetString()!, nested), StringComparer.Ordinal)
                : [],
            PrimaryIdentifier = Strings(root, "i"),
            RefIdentifier = Strings(root, "r") is { Count: > 0 } reference ? reference : Strings(root, "i"),
            TagsProperty = root.TryGetProperty("g", out var tags) ? tags.GetString() : null,
            IsStateful = root.TryGetProperty("s", out _),
            ReplacementPaths = Strings(root, "x"),
        };
    }

    private static IReadOnlyList<string> Strings(JsonElement root, string key) =>
        root.TryGetProperty(key, out var list) ? [.. list.EnumerateArray().Select(i => i.ValueKind == JsonValueKind.String ? i.GetString()! : i.ToString())] : [];

    private static Dictionary<string, PropertySpecification> ReadProperties(JsonElement properties, NestedTypeSpecification[] nested)
    {
        var result = new Dictionary<string, PropertySpecification>(StringComparer.Ordinal);
        foreach (var property in properties.EnumerateObject())
        {
            var code = property.Value;
            IReadOnlyList<string> allowed = [];
            if (code.ValueKind == JsonValueKind.Array)
            {
                allowed = [.. code[1].EnumerateArray().Select(v => v.ValueKind == JsonValueKind.String ? v.GetString()! : v.ToString())];
                code = code[0];
            }

            var text = code.GetString()!;
            var start = 0;
            bool required = false, deprecated = false;
            var update = PropertyUpdateType.Mutable;
            for (; text[start] is '!' or '*' or '?' or '~'; start++)
            {
                required |= text[start] == '!';
                deprecated |= text[start] == '~';
                update = text[start] switch
                {
                    '*' => PropertyUpdateType.Immutable,
                    '?' => PropertyUpdateType.Conditional,
                    _ => update,
                };
            }

            result[property.Name] = new PropertySpecification(property.Name, ReadType(text[start..], nested))
            {
                Required = required,
                IsDeprecated = deprecated,
                UpdateType = update,
                AllowedValues = allowed,
            };
        }

        return result;
    }

    private static PropertyTypeSpecification ReadType(string code, NestedTypeSpecification[] nested)
    {
        var at = 0;
        return ReadType(code, ref at, nested);
    }

    private static PropertyTypeSpecification ReadType(string code, ref int at, NestedTypeSpecification[] nested)
    {
        var c = code[at++];
        switch (c)
        {
            case '[':
                return new PropertyTypeSpecification(PropertyKind.List) { Element = ReadType(code, ref at, nested) };
            case '{':
                return new PropertyTypeSpecification(PropertyKind.Map) { Element = ReadType(code, ref at, nested) };
            case '#':
                var index = 0;
                while (at < code.Length && char.IsAsciiDigit(code[at]))
                {
                    index = index * 10 + (code[at++] - '0');
                }

                return new PropertyTypeSpecification(PropertyKind.Object) { Nested = nested[index] };
            case '(':
                var alternatives = new List<PropertyTypeSpecification>();
                while (code[at] != ')')
                {
                    alternatives.Add(ReadType(code, ref at, nested));
                    if (code[at] == ',')
                    {
                        at++;
                    }
                }

                at++;
                return new PropertyTypeSpecification(PropertyKind.Union) { Alternatives = alternatives };
            default:
                return s_primitives[c];
        }
    }
}
