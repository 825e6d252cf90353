using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>A key attribute and its type.</summary>
internal sealed record KeyAttribute(string Name, AttributeKind Kind);

/// <summary>The keys of a table or an index.</summary>
internal sealed record KeySchema(KeyAttribute Partition, KeyAttribute? Sort)
{
    public static KeySchema From(JsonObject description, IEnumerable<JsonObject> definitions)
    {
        var kinds = definitions.ToDictionary(item => item.Required("AttributeName"), item => Enum.Parse<AttributeKind>(item.Required("AttributeType")), StringComparer.Ordinal);
        KeyAttribute? Key(string type) => description.Objects("KeySchema").FirstOrDefault(item => item.Text("KeyType") == type) is { } element
            ? new KeyAttribute(element.Required("AttributeName"), kinds[element.Required("AttributeName")])
            : null;
        return new KeySchema(Key("HASH")!, Key("RANGE"));
    }

    public IEnumerable<KeyAttribute> Attributes => Sort is null ? [Partition] : [Partition, Sort];

    /// <summary>A key as the attributes of an item.</summary>
    public Dictionary<string, AttributeValue> ItemOf(PrimaryKey key)
    {
        var item = new Dictionary<string, AttributeValue>(StringComparer.Ordinal) { [Partition.Name] = key.Partition };
        if (Sort is not null)
        {
            item[Sort.Name] = key.Sort!;
        }
        return item;
    }
}

/// <summary>When and where an item of a global table was written: of two writes the later wins, everywhere.</summary>
internal readonly record struct ItemVersion(DateTimeOffset At, string? Region) : IComparable<ItemVersion>
{
    public int CompareTo(ItemVersion other) => At != other.At ? At.CompareTo(other.At) : string.CompareOrdinal(Region, other.Region);
}

/// <summary>A secondary index and its entries.</summary>
internal sealed class SecondaryIndex(string name, KeySchema keys, bool isGlobal, string projection, IReadOnlyCollection<string> projected, Capacities capacity)
{
    public string Name => name;

    public KeySchema Keys => keys;

    public bool IsGlobal => isGlobal;

    public bool ProjectsAll => projection == "ALL";

    public KeyedStore Entries { get; } = new();

    public Capacities Capacity => capacity;

    public IReadOnlySet<string> ProjectedAttributes(KeySchema table) => keys.Attributes.Concat(table.Attributes).Select(key => key.Name)
        .Concat(projection == "INCLUDE" ? projected : []).ToHashSet(StringComparer.Ordinal);

    /// <summary>The entry of an item, or null when it lacks a key attribute and so is not in the index.</summary>
    public StoredItem? EntryOf(IReadOnlyDictionary<string, AttributeValue> item, PrimaryKey key)
    {
        if (!item.TryGetValue(keys.Partition.Name, out var partition) || partition.Kind != keys.Partition.Kind)
        {
            return null;
        }
        AttributeValue? sort = null;
        if (keys.Sort is { } attribute && (!item.TryGetValue(attribute.Name, out sort) || sort.Kind != attribute.Kind))
        {
            return null;
        }
        return new StoredItem(partition, sort, key, item);
    }
}

/// <summary>The items of a table with its indexes. Whoever reads or writes holds <see cref="Gate"/>.</summary>
internal sealed class TableStore(string name, KeySchema keys, SandboxClock clock)
{
    private const int MaximumItemSize = 400 * 1024;
    private readonly Dictionary<string, SecondaryIndex> indexes = new(StringComparer.Ordinal);

    public object Gate { get; } = new();

    public string Name => name;

    public KeySchema Keys => keys;

    public KeyedStore Items { get; } = new();

    public long Size { get; private set; }

    public string Arn { get; set; } = "";

    public Capacities Capacity { get; } = new(clock);

    /// <summary>What point-in-time recovery keeps; null while it is disabled.</summary>
    public TableHistory? History { get; set; }

    /// <summary>The other regions of a global table.</summary>
    public IReadOnlyList<string>? Replicas { get; set; }

    /// <summary>When and where items of a global table were written last, those deleted among them.</summary>
    public Dictionary<PrimaryKey, ItemVersion> Versions { get; } = [];

    /// <summary>Told of every change, under <see cref="Gate"/>.</summary>
    public event Action<ItemChange>? Changed;

    public IEnumerable<SecondaryIndex> Indexes => indexes.Values;

    public SecondaryIndex? Index(string indexName) => indexes.GetValueOrDefault(indexName);

    public void AddIndex(JsonObject description, IEnumerable<JsonObject> definitions, bool isGlobal)
    {
        var projection = description.Child("Projection") ?? [];
        var index = new SecondaryIndex(description.Required("IndexName"), KeySchema.From(description, definitions), isGlobal,
            projection.Text("ProjectionType") ?? "ALL", projection.Texts("NonKeyAttributes"), new Capacities(clock));
        lock (Gate)
        {
            foreach (var stored in Items.Scan(0, 1, null))
            {
                if (index.EntryOf(stored.Item, new PrimaryKey(stored.Partition, stored.Sort)) is { } entry)
                {
                    index.Entries.Put(entry);
                }
            }
            indexes[index.Name] = index;
        }
    }

    public void RemoveIndex(string indexName)
    {
        lock (Gate)
        {
            indexes.Remove(indexName);
        }
    }

    public IReadOnlyDictionary<string, AttributeValue>? Get(PrimaryKey key) => Items.Get(key.Partition, key.Sort)?.Item;

    public void Put(PrimaryKey key, IReadOnlyDictionary<string, AttributeValue> item, ChangeCause cause = ChangeCause.Caller)
    {
        var before = Get(key);
        Items.Put(new StoredItem(key.Partition, key.Sort, null, item));
        Size += SizeOf(item) - (before is null ? 0 : SizeOf(before));
        foreach (var index in indexes.Values)
        {
            Unindex(index, before, key);
            if (index.EntryOf(item, key) is { } entry)
            {
                index.Entries.Put(entry);
            }
        }
        Changed?.Invoke(new ItemChange(key, before, item, cause));
    }

    public void Remove(PrimaryKey key, ChangeCause cause = ChangeCause.Caller)
    {
        if (Get(key) is not { } before)
        {
            return;
        }
        Items.Remove(key.Partition, key.Sort);
        Size -= SizeOf(before);
        foreach (var index in indexes.Values)
        {
            Unindex(index, before, key);
        }
        Changed?.Invoke(new ItemChange(key, before, null, cause));
    }

    /// <summary>The key that the input of an operation names: exactly the key attributes, of the right types.</summary>
    public PrimaryKey KeyFrom(JsonObject? input)
    {
        var map = AttributeValue.ParseMap(input ?? []);
        if (map.Count != keys.Attributes.Count() || keys.Attributes.Any(key => !map.TryGetValue(key.Name, out var value) || value.Kind != key.Kind))
        {
            throw new ServiceFault("ValidationException", "The provided key element does not match the schema");
        }
        return KeyOf(map);
    }

    /// <summary>An item's key, checked together with the keys of the indexes and the size.</summary>
    public PrimaryKey CheckedKey(IReadOnlyDictionary<string, AttributeValue> item)
    {
        foreach (var key in keys.Attributes)
        {
            if (!item.TryGetValue(key.Name, out var value))
            {
                throw new ServiceFault("ValidationException", $"One or more parameter values were invalid: Missing the key {key.Name} in the item");
            }
            if (value.Kind != key.Kind)
            {
                throw new ServiceFault("ValidationException", $"One or more parameter values were invalid: Type mismatch for key {key.Name} expected: {key.Kind} actual: {value.Kind}");
            }
        }
        foreach (var index in indexes.Values)
        {
            foreach (var key in index.Keys.Attributes)
            {
                if (item.TryGetValue(key.Name, out var value))
                {
                    if (value.Kind != key.Kind)
                    {
                        throw new ServiceFault("ValidationException",
                            $"One or more parameter values were invalid: Type mismatch for Index Key {key.Name} Expected: {key.Kind} Actual: {value.Kind} IndexName: {index.Name}");
                    }
                    if (IsEmpty(value))
                    {
                        throw new ServiceFault("ValidationException", "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
                            + $"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: {index.Name}, IndexKey: {key.Name}");
                    }
                }
            }
        }
        if (SizeOf(item) > MaximumItemSize)
        {
            throw new ServiceFault("ValidationException", "Item size has exceeded the maximum allowed size");
        }
        return KeyOf(item);
    }

    public static int SizeOf(IReadOnlyDictionary<string, AttributeValue> item) => item.Sum(pair => Encoding.UTF8.GetByteCount(pair.Key) + pair.Value.Size);

    private PrimaryKey KeyOf(IReadOnlyDictionary<string, AttributeValue> item)
    {
        foreach (var key in keys.Attributes)
        {
            if (IsEmpty(item[key.Name]))
            {
                throw new ServiceFault("ValidationException", "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
                    + $"{(key.Kind == AttributeKind.B ? "binary" : "string")} value. Key: {key.Name}");
            }
        }
        if (item[keys.Partition.Name].Size > 2048)
        {
            throw new ServiceFault("ValidationException", "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes");
        }
        if (keys.Sort is { } sort && item[sort.Name].Size > 1024)
        {
            throw new ServiceFault("ValidationException", "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes");
        }
        return new PrimaryKey(item[keys.Partition.Name], keys.Sort is null ? null : item[keys.Sort.Name]);
    }

    private static bool IsEmpty(AttributeValue value) => value is { Kind: AttributeKind.S, Text.Length: 0 } or { Kind: AttributeKind.B, Bytes.Length: 0 };

    private static void Unindex(SecondaryIndex index, IReadOnlyDictionary<string, AttributeValue>? item, PrimaryKey key)
    {
        if (item is not null && index.EntryOf(item, key) is { } entry)
        {
            index.Entries.Remove(entry.Partition, entry.Sort, key);
        }
    }
}
