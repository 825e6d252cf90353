using System.Text.Json.Nodes;

namespace Inferloop.Templates;

/// <summary>A list.</summary>
public sealed class ListValue : Value
{
    private readonly IReadOnlyList<Value> _items;

    /// <summary>Makes a list.</summary>
    /// <param name="items">The items.</param>
    /// <param name="location">Where it stands in the template.</param>
    public ListValue(IReadOnlyList<Value> items, SourceLocation? location = null)
        : base(location)
    {
        _items = items;
        var known = true;
        foreach (var item in items)
        {
            known &= item.IsKnown;
        }

        IsKnown = known;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Value> Items => _items;

    /// <inheritdoc/>
    public override bool IsKnown { get; }

    /// <inheritdoc/>
    public override JsonNode? ToJson() => new JsonArray([.. _items.Select(i => i.ToJson())]);
}

/// <summary>A map; keys keep their order.</summary>
public sealed class MapValue : Value
{
    private readonly KeyValuePair<string, Value>[] _entries;
    private readonly Dictionary<string, Value>? _index;

    /// <summary>Makes a map.</summary>
    /// <param name="entries">Keys and values; a key that stands twice keeps its last value.</param>
    /// <param name="location">Where it stands in the template.</param>
    public MapValue(IEnumerable<KeyValuePair<string, Value>> entries, SourceLocation? location = null)
        : base(location)
    {
        _entries = entries as KeyValuePair<string, Value>[] ?? [.. entries];
        if (_entries.Length > 8)
        {
            _index = new Dictionary<string, Value>(_entries.Length, StringComparer.Ordinal);
            foreach (var entry in _entries)
            {
                _index[entry.Key] = entry.Value;
            }
        }

        var known = true;
        foreach (var entry in _entries)
        {
            known &= entry.Value.IsKnown;
        }

        IsKnown = known;
    }

    /// <summary>The map without entries.</summary>
    public static MapValue Empty { get; } = new([]);

    /// <summary>Keys and values in order.</summary>
    public IReadOnlyList<KeyValuePair<string, Value>> Entries => _entries;

    /// <summary>The keys in order.</summary>
    public IEnumerable<string> Keys => _entries.Select(e => e.Key);

    /// <summary>The number of entries.</summary>
    public int Count => _entries.Length;

    /// <inheritdoc/>
    public override bool IsKnown { get; }

    /// <inheritdoc/>
    public override Value? this[string key]
    {
        get
        {
            if (_index is not null)
            {
                return _index.GetValueOrDefault(key);
            }

            for (var i = _entries.Length - 1; i >= 0; i--)
            {
                if (_entries[i].Key == key)
                {
                    return _entries[i].Value;
                }
            }

            return null;
        }
    }

    /// <inheritdoc/>
    public override JsonNode? ToJson() => ToJsonObject();

    /// <summary>The map as a JSON object.</summary>
    /// <returns>The object, secrets included.</returns>
    public JsonObject ToJsonObject()
    {
        var result = new JsonObject();
        foreach (var (key, value) in _entries)
        {
            result[key] = value.ToJson();
        }

        return result;
    }
}

/// <summary>The value of <c>AWS::NoValue</c> while evaluating: whatever holds it loses it.</summary>
internal sealed class NoValue : Value
{
    private NoValue()
        : base(null)
    {
    }

    public static NoValue Instance { get; } = new();

    public override bool IsKnown => true;

    public override JsonNode? ToJson() => null;
}
