namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>Who changed an item.</summary>
internal enum ChangeCause
{
    Caller,

    /// <summary>The table's time to live.</summary>
    Expiry,

    /// <summary>A replica of the table in another region.</summary>
    Replication,
}

/// <summary>An item's change, as streams, backups and replicas see it; told under the table's lock, in order.</summary>
internal sealed record ItemChange(
    PrimaryKey Key, IReadOnlyDictionary<string, AttributeValue>? Before, IReadOnlyDictionary<string, AttributeValue>? After, ChangeCause Cause)
{
    /// <summary>Whether the item is another than before: a write that changes nothing is no change to a stream.</summary>
    public bool IsReal => Before is null || After is null
        ? Before is not null || After is not null
        : !ReferenceEquals(Before, After) && (Before.Count != After.Count || !Before.All(pair => After.TryGetValue(pair.Key, out var value) && pair.Value.Equals(value)));
}
