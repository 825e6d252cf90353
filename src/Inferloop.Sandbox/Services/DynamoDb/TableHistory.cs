using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>What point-in-time recovery keeps of a table: every change with what the item was before, so that any earlier moment can be had back.</summary>
internal sealed class TableHistory(SandboxClock clock)
{
    private readonly LinkedList<(DateTimeOffset At, PrimaryKey Key, IReadOnlyDictionary<string, AttributeValue>? Before)> changes = [];

    /// <summary>How far back it reaches.</summary>
    public TimeSpan Period { get; set; }

    /// <summary>Keeps a change. Called under the table's lock, like everything here.</summary>
    public void Record(ItemChange change)
    {
        var now = clock.Now;
        while (changes.First is { } oldest && oldest.Value.At < now - Period)
        {
            changes.RemoveFirst();
        }
        if (change.IsReal)
        {
            changes.AddLast((now, change.Key, change.Before));
        }
    }

    /// <summary>The items as they were at a moment: today's, with every later change taken back, the latest first.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, AttributeValue>> At(TableStore store, DateTimeOffset moment)
    {
        var items = store.Items.Scan(0, 1, null).ToDictionary(stored => new PrimaryKey(stored.Partition, stored.Sort), stored => stored.Item);
        for (var change = changes.Last; change is not null && change.Value.At > moment; change = change.Previous)
        {
            if (change.Value.Before is { } before)
            {
                items[change.Value.Key] = before;
            }
            else
            {
                items.Remove(change.Value.Key);
            }
        }
        return [.. items.Values];
    }
}
