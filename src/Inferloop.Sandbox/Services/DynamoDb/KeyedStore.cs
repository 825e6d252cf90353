using System.Runtime.InteropServices;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>An item where a table or an index holds it: under a partition key, in the order of a sort key.</summary>
/// <param name="Partition">The value of the partition key.</param>
/// <param name="Sort">The value of the sort key, or null without one.</param>
/// <param name="Tie">In an index, what tells apart items of equal keys: the table's key. Null in the table itself.</param>
/// <param name="Item">The whole item.</param>
internal sealed record StoredItem(AttributeValue Partition, AttributeValue? Sort, PrimaryKey? Tie, IReadOnlyDictionary<string, AttributeValue> Item);

/// <summary>A table's primary key.</summary>
internal sealed record PrimaryKey(AttributeValue Partition, AttributeValue? Sort) : IComparable<PrimaryKey>
{
    public int CompareTo(PrimaryKey? other)
    {
        if (other is null)
        {
            return 1;
        }
        var order = Partition.CompareTo(other.Partition);
        return order != 0 ? order : Sort is null ? 0 : Sort.CompareTo(other.Sort);
    }
}

/// <summary>
/// Items hashed by partition key into buckets and ordered by sort key within a partition. A scan goes through the buckets in the order of
/// the hash, so a page can begin anywhere, and a segment of a parallel scan is a range of buckets. Not thread-safe: the table locks.
/// </summary>
internal sealed class KeyedStore
{
    private const int BucketBits = 12;
    private readonly List<Partition>?[] buckets = new List<Partition>?[1 << BucketBits];

    public int Count { get; private set; }

    public StoredItem? Get(AttributeValue partition, AttributeValue? sort, PrimaryKey? tie = null)
    {
        var entries = Find(partition)?.Items;
        if (entries is null)
        {
            return null;
        }
        var index = Search(entries, sort, tie);
        return index >= 0 ? entries[index] : null;
    }

    public void Put(StoredItem stored)
    {
        var hash = Hash(stored.Partition);
        var bucket = buckets[hash >> (64 - BucketBits)] ??= [];
        var at = SearchBucket(bucket, hash, stored.Partition);
        if (at < 0)
        {
            bucket.Insert(~at, new Partition(hash, stored.Partition, [stored]));
            Count++;
            return;
        }
        var entries = bucket[at].Items;
        var index = Search(entries, stored.Sort, stored.Tie);
        if (index >= 0)
        {
            entries[index] = stored;
        }
        else
        {
            entries.Insert(~index, stored);
            Count++;
        }
    }

    public bool Remove(AttributeValue partition, AttributeValue? sort, PrimaryKey? tie = null)
    {
        var hash = Hash(partition);
        var bucket = buckets[hash >> (64 - BucketBits)];
        if (bucket is null)
        {
            return false;
        }
        var at = SearchBucket(bucket, hash, partition);
        if (at < 0)
        {
            return false;
        }
        var entries = bucket[at].Items;
        var index = Search(entries, sort, tie);
        if (index < 0)
        {
            return false;
        }
        entries.RemoveAt(index);
        Count--;
        if (entries.Count == 0)
        {
            bucket.RemoveAt(at);
        }
        return true;
    }

    /// <summary>The items of a partition, from just after a position on, forwards or backwards.</summary>
    public IEnumerable<StoredItem> Partitioned(AttributeValue partition, bool forward, (AttributeValue? Sort, PrimaryKey? Tie)? after, SortRange range)
    {
        var entries = Find(partition)?.Items;
        if (entries is null)
        {
            yield break;
        }
        var low = range.Low is { } from ? Bound(entries, from, range.LowInclusive ? -1 : 1) : 0;
        var high = range.High is { } to ? Bound(entries, to, range.HighInclusive ? 1 : -1) : entries.Count;
        if (after is { } position)
        {
            var index = Search(entries, position.Sort, position.Tie);
            if (forward)
            {
                low = Math.Max(low, index >= 0 ? index + 1 : ~index);
            }
            else
            {
                high = Math.Min(high, index >= 0 ? index : ~index);
            }
        }
        for (var i = forward ? low : high - 1; forward ? i < high : i >= low; i += forward ? 1 : -1)
        {
            yield return entries[i];
        }
    }

    /// <summary>All items in the order of the hash, or those of one segment, from just after a position on.</summary>
    public IEnumerable<StoredItem> Scan(int segment, int segments, (AttributeValue Partition, AttributeValue? Sort, PrimaryKey? Tie)? after)
    {
        var first = (int)((long)buckets.Length * segment / segments);
        var end = (int)((long)buckets.Length * (segment + 1) / segments);
        var start = first;
        var startHash = 0UL;
        if (after is { } position)
        {
            startHash = Hash(position.Partition);
            start = Math.Max(first, (int)(startHash >> (64 - BucketBits)));
        }
        for (var b = start; b < end; b++)
        {
            if (buckets[b] is not { } bucket)
            {
                continue;
            }
            foreach (var partition in bucket)
            {
                var from = 0;
                if (after is { } at && b == (int)(startHash >> (64 - BucketBits)))
                {
                    var order = Order(partition, startHash, at.Partition);
                    if (order < 0)
                    {
                        continue;
                    }
                    if (order == 0)
                    {
                        var index = Search(partition.Items, at.Sort, at.Tie);
                        from = index >= 0 ? index + 1 : ~index;
                    }
                }
                for (var i = from; i < partition.Items.Count; i++)
                {
                    yield return partition.Items[i];
                }
            }
        }
    }

    private static int Order(Partition partition, ulong hash, AttributeValue key)
    {
        var order = partition.Hash.CompareTo(hash);
        return order != 0 ? order : partition.Key.CompareTo(key);
    }

    private static int SearchBucket(List<Partition> bucket, ulong hash, AttributeValue key)
    {
        var (low, high) = (0, bucket.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var order = Order(bucket[middle], hash, key);
            if (order == 0)
            {
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return ~low;
    }

    private static int Search(List<StoredItem> entries, AttributeValue? sort, PrimaryKey? tie)
    {
        var (low, high) = (0, entries.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var order = Order(entries[middle], sort, tie);
            if (order == 0)
            {
                return middle;
            }
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }
        return ~low;
    }

    private static int Order(StoredItem entry, AttributeValue? sort, PrimaryKey? tie)
    {
        var order = entry.Sort is null ? 0 : entry.Sort.CompareTo(sort);
        return order != 0 || entry.Tie is null ? order : entry.Tie.CompareTo(tie);
    }

    /// <summary>The first index whose sort key is past the bound; side -1 counts equal ones as past, 1 does not.</summary>
    private static int Bound(List<StoredItem> entries, AttributeValue bound, int side)
    {
        var (low, high) = (0, entries.Count);
        while (low < high)
        {
            var middle = (low + high) >> 1;
            var order = entries[middle].Sort!.CompareTo(bound);
            if (order < 0 || (order == 0 && side > 0))
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    private Partition? Find(AttributeValue key)
    {
        var hash = Hash(key);
        if (buckets[hash >> (64 - BucketBits)] is not { } bucket)
        {
            return null;
        }
        var at = SearchBucket(bucket, hash, key);
        return at >= 0 ? bucket[at] : null;
    }

    /// <summary>FNV-1a over the key's bytes, finished so that the upper bits are well mixed; the same in every process.</summary>
    private static ulong Hash(AttributeValue key)
    {
        var bytes = key.Kind == AttributeKind.B ? key.Bytes.AsSpan() : MemoryMarshal.AsBytes(key.ScalarText().AsSpan());
        var hash = 14695981039346656037UL;
        foreach (var value in bytes)
        {
            hash = (hash ^ value) * 1099511628211UL;
        }
        hash ^= hash >> 33;
        hash *= 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        hash *= 0xc4ceb9fe1a85ec53UL;
        return hash ^ (hash >> 33);
    }

    private sealed record Partition(ulong Hash, AttributeValue Key, List<StoredItem> Items);
}

/// <summary>A range of sort keys.</summary>
internal readonly record struct SortRange(AttributeValue? Low, bool LowInclusive, AttributeValue? High, bool HighInclusive);
