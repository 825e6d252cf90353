using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

internal enum AttributeKind
{
    S,
    N,
    B,
    SS,
    NS,
    BS,
    M,
    L,
    NULL,
    BOOL,
}

/// <summary>A value of an item. Immutable: items share unchanged parts.</summary>
internal sealed class AttributeValue : IEquatable<AttributeValue>, IComparable<AttributeValue>
{
    private const int MaximumNesting = 32;
    private readonly object? content;

    private AttributeValue(AttributeKind kind, object? content)
    {
        Kind = kind;
        this.content = content;
    }

    public AttributeKind Kind { get; }

    public string Text => (string)content!;

    public DynamoNumber Number => (DynamoNumber)content!;

    public byte[] Bytes => (byte[])content!;

    public bool Flag => (bool)content!;

    public IReadOnlyDictionary<string, AttributeValue> Map => (IReadOnlyDictionary<string, AttributeValue>)content!;

    public IReadOnlyList<AttributeValue> List => (IReadOnlyList<AttributeValue>)content!;

    /// <summary>The members of a set: scalars, without duplicates.</summary>
    public IReadOnlyList<AttributeValue> Set => (IReadOnlyList<AttributeValue>)content!;

    public bool IsSet => Kind is AttributeKind.SS or AttributeKind.NS or AttributeKind.BS;

    public static AttributeValue Of(string text) => new(AttributeKind.S, text);

    public static AttributeValue Of(DynamoNumber number) => new(AttributeKind.N, number);

    public static AttributeValue Of(IReadOnlyDictionary<string, AttributeValue> map) => new(AttributeKind.M, map);

    public static AttributeValue Of(IReadOnlyList<AttributeValue> list) => new(AttributeKind.L, list);

    public static AttributeValue OfSet(AttributeKind kind, IReadOnlyList<AttributeValue> members) => new(kind, members);

    /// <summary>A value from its wire form, checked as DynamoDB checks it.</summary>
    public static AttributeValue Parse(JsonNode? node, int depth = 0)
    {
        if (node is not JsonObject wire)
        {
            throw Fault("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
        }
        if (depth > MaximumNesting)
        {
            throw Fault("Nesting Levels have exceeded supported limits: Attributes have nesting levels that exceed supported limits");
        }
        AttributeValue? result = null;
        foreach (var (name, value) in wire)
        {
            if (value is null)
            {
                continue;
            }
            if (result is not null)
            {
                throw Fault("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes");
            }
            result = Parse(name, value, depth);
        }
        return result ?? throw Fault("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
    }

    public static Dictionary<string, AttributeValue> ParseMap(JsonObject map, int depth = 0)
    {
        var result = new Dictionary<string, AttributeValue>(map.Count, StringComparer.Ordinal);
        foreach (var (name, value) in map)
        {
            result[name] = Parse(value, depth);
        }
        return result;
    }

    public static JsonObject ToJson(IReadOnlyDictionary<string, AttributeValue> map)
    {
        var json = new JsonObject();
        foreach (var (name, value) in map)
        {
            json[name] = value.ToJson();
        }
        return json;
    }

    public JsonObject ToJson() => new()
    {
        [Kind.ToString()] = Kind switch
        {
            AttributeKind.S => Text,
            AttributeKind.N => Number.ToString(),
            AttributeKind.B => Convert.ToBase64String(Bytes),
            AttributeKind.BOOL => Flag,
            AttributeKind.NULL => true,
            AttributeKind.M => ToJson(Map),
            AttributeKind.L => new JsonArray(List.Select(item => (JsonNode?)item.ToJson()).ToArray()),
            _ => new JsonArray(Set.Select(item => (JsonNode?)JsonValue.Create(item.ScalarText())).ToArray()),
        },
    };

    /// <summary>A scalar as its wire text.</summary>
    public string ScalarText() => Kind switch
    {
        AttributeKind.S => Text,
        AttributeKind.N => Number.ToString(),
        AttributeKind.B => Convert.ToBase64String(Bytes),
        _ => "",
    };

    /// <summary>DynamoDB's count of bytes.</summary>
    public int Size => Kind switch
    {
        AttributeKind.S => Encoding.UTF8.GetByteCount(Text),
        AttributeKind.N => Number.Size,
        AttributeKind.B => Bytes.Length,
        AttributeKind.BOOL or AttributeKind.NULL => 1,
        AttributeKind.M => 3 + Map.Sum(pair => Encoding.UTF8.GetByteCount(pair.Key) + pair.Value.Size + 1),
        AttributeKind.L => 3 + List.Sum(item => item.Size + 1),
        _ => Set.Sum(item => item.Size),
    };

    /// <summary>What the function size() gives; null where it has no meaning.</summary>
    public int? Length => Kind switch
    {
        AttributeKind.S => Text.Length,
        AttributeKind.B => Bytes.Length,
        AttributeKind.M => Map.Count,
        AttributeKind.L => List.Count,
        AttributeKind.SS or AttributeKind.NS or AttributeKind.BS => Set.Count,
        _ => null,
    };

    public bool Equals(AttributeValue? other)
    {
        if (other is null || Kind != other.Kind)
        {
            return false;
        }
        return Kind switch
        {
            AttributeKind.S => string.Equals(Text, other.Text, StringComparison.Ordinal),
            AttributeKind.N => Number.Equals(other.Number),
            AttributeKind.B => Bytes.AsSpan().SequenceEqual(other.Bytes),
            AttributeKind.BOOL => Flag == other.Flag,
            AttributeKind.NULL => true,
            AttributeKind.M => Map.Count == other.Map.Count && Map.All(pair => other.Map.TryGetValue(pair.Key, out var value) && pair.Value.Equals(value)),
            AttributeKind.L => List.SequenceEqual(other.List),
            _ => Set.Count == other.Set.Count && Set.ToHashSet().SetEquals(other.Set),
        };
    }

    public override bool Equals(object? obj) => Equals(obj as AttributeValue);

    public override int GetHashCode() => Kind switch
    {
        AttributeKind.S => Text.GetHashCode(StringComparison.Ordinal),
        AttributeKind.N => Number.GetHashCode(),
        AttributeKind.B => HashOf(Bytes),
        AttributeKind.BOOL => Flag ? 1 : 2,
        AttributeKind.L => List.Count,
        AttributeKind.M => Map.Count,
        AttributeKind.NULL => 0,
        _ => Set.Count,
    };

    /// <summary>The order of strings (by their UTF-8 bytes), numbers and binaries; meaningful within one of these kinds.</summary>
    public int CompareTo(AttributeValue? other)
    {
        if (other is null)
        {
            return 1;
        }
        if (Kind != other.Kind)
        {
            return Kind.CompareTo(other.Kind);
        }
        return Kind switch
        {
            AttributeKind.S => CompareText(Text, other.Text),
            AttributeKind.N => Number.CompareTo(other.Number),
            AttributeKind.B => Bytes.AsSpan().SequenceCompareTo(other.Bytes),
            _ => 0,
        };
    }

    /// <summary>UTF-8 order: as UTF-16 order but for surrogates, which stand above all other characters.</summary>
    private static int CompareText(string one, string other)
    {
        var length = Math.Min(one.Length, other.Length);
        for (var i = 0; i < length; i++)
        {
            var (a, b) = (one[i], other[i]);
            if (a != b)
            {
                return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
            }
        }
        return one.Length.CompareTo(other.Length);
    }

    private static int HashOf(byte[] bytes)
    {
        var hash = default(HashCode);
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }

    private static AttributeValue Parse(string name, JsonNode value, int depth)
    {
        switch (name)
        {
            case "S":
                return new(AttributeKind.S, Documents.AsText(value) ?? "");
            case "N":
                return Numeric(value);
            case "B":
                return Binary(value);
            case "BOOL":
                return new(AttributeKind.BOOL, Documents.AsText(value) == "true");
            case "NULL":
                return Documents.AsText(value) == "true"
                    ? new(AttributeKind.NULL, null)
                    : throw Fault("One or more parameter values were invalid: Null attribute value types must have the value of true");
            case "M":
                return new(AttributeKind.M, ParseMap((JsonObject)value, depth + 1));
            case "L":
                return new(AttributeKind.L, ((JsonArray)value).Select(item => Parse(item, depth + 1)).ToList());
            case "SS":
                return SetOf(AttributeKind.SS, (JsonArray)value, "string", item => new(AttributeKind.S, Documents.AsText(item) ?? ""));
            case "NS":
                return SetOf(AttributeKind.NS, (JsonArray)value, "number", Numeric);
            case "BS":
                return SetOf(AttributeKind.BS, (JsonArray)value, "binary", Binary);
            default:
                throw Fault("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes");
        }
    }

    private static AttributeValue Numeric(JsonNode? value) => DynamoNumber.TryParse(Documents.AsText(value) ?? "", out var number, out var error)
        ? new(AttributeKind.N, number)
        : throw Fault(error);

    private static AttributeValue Binary(JsonNode? value)
    {
        try
        {
            return new(AttributeKind.B, Convert.FromBase64String(Documents.AsText(value) ?? ""));
        }
        catch (FormatException)
        {
            throw new ServiceFault("SerializationException", "Start of structure or map found where not expected: the value is not base64.");
        }
    }

    private static AttributeValue SetOf(AttributeKind kind, JsonArray values, string name, Func<JsonNode?, AttributeValue> parse)
    {
        if (values.Count == 0)
        {
            throw Fault($"One or more parameter values were invalid: An {name} set  may not be empty");
        }
        var members = values.Select(parse).ToList();
        if (members.ToHashSet().Count != members.Count)
        {
            var shown = string.Join(", ", members.Select(member => member.ScalarText()));
            throw Fault($"One or more parameter values were invalid: Input collection [{shown}] contains duplicates.");
        }
        return new(kind, members);
    }

    private static ServiceFault Fault(string message) => new("ValidationException", message);
}
