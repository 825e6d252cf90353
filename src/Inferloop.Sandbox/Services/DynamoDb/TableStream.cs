using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>A change as a stream keeps it.</summary>
internal sealed record StreamRecord(long Number, string EventId, DateTimeOffset At, ItemChange Change);

/// <summary>A shard: the records of some hours. A closed one has a child that goes on.</summary>
internal sealed class StreamShard(string id, string? parent, long first, DateTimeOffset opened)
{
    public string Id => id;

    public string? Parent => parent;

    /// <summary>The number of the first record that it may hold.</summary>
    public long First => first;

    /// <summary>One past the last record's number; null while it is open.</summary>
    public long? End { get; set; }

    public DateTimeOffset Opened => opened;

    public DateTimeOffset? Closed { get; set; }

    /// <summary>Records before this number are gone.</summary>
    public long Trimmed { get; set; }

    public List<StreamRecord> Records { get; } = [];
}

/// <summary>
/// A table's stream: its changes of the last 24 hours in order. A sandbox table has one partition, so one shard is open at a time; it is closed
/// after four hours, as AWS does, and readers go on with its child.
/// </summary>
internal sealed class TableStream(SandboxClock clock, Ids ids, string arn, string viewType, KeySchema keys)
{
    private const long FirstNumber = 100_000_000_000;
    private const int MaximumPageBytes = 1024 * 1024;
    private static readonly TimeSpan Retention = TimeSpan.FromHours(24);
    private static readonly TimeSpan ShardLife = TimeSpan.FromHours(4);

    private readonly object gate = new();
    private readonly List<StreamShard> shards = [];
    private long next = FirstNumber;
    private bool closed;

    public string Arn => arn;

    public bool IsClosed
    {
        get
        {
            lock (gate)
            {
                return closed;
            }
        }
    }

    /// <summary>A record's number as its sequence number: of one length, so that their order as text is theirs.</summary>
    public static string Sequence(long number) => number.ToString(CultureInfo.InvariantCulture) + "00000000000";

    public static long? Number(string sequence) => sequence.Length == 23 && sequence.EndsWith("00000000000", StringComparison.Ordinal)
        && long.TryParse(sequence.AsSpan(0, 12), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Takes a change; a stream that was closed takes no more.</summary>
    public void Append(ItemChange change)
    {
        if (!change.IsReal)
        {
            return;
        }
        lock (gate)
        {
            if (closed)
            {
                return;
            }
            var now = clock.Now;
            Trim(now);
            Open(now).Records.Add(new StreamRecord(next++, ids.Hex(32), now, change));
        }
    }

    /// <summary>Ends the stream: what it holds can be read until it is 24 hours old.</summary>
    public void Close()
    {
        lock (gate)
        {
            closed = true;
            if (shards is [.., { End: null } last])
            {
                (last.End, last.Closed) = (next, clock.Now);
            }
        }
    }

    public List<JsonObject> Shards()
    {
        lock (gate)
        {
            Trim(clock.Now);
            if (!closed)
            {
                Open(clock.Now);
            }
            return shards.ConvertAll(shard =>
            {
                var range = new JsonObject { ["StartingSequenceNumber"] = Sequence(shard.First) };
                if (shard.End is { } end)
                {
                    range["EndingSequenceNumber"] = Sequence(Math.Max(shard.First, end - 1));
                }
                return new JsonObject { ["ShardId"] = shard.Id, ["SequenceNumberRange"] = range }.With("ParentShardId", shard.Parent);
            });
        }
    }

    /// <summary>The number to read from, for an iterator; null where the shard is not (or no longer) there. Zero stands for the oldest record, whichever that is by then.</summary>
    public long? Position(string shardId, string type, string? sequence)
    {
        lock (gate)
        {
            Trim(clock.Now);
            if (shards.Find(item => item.Id == shardId) is not { } shard)
            {
                return null;
            }
            switch (type)
            {
                case "TRIM_HORIZON":
                    return 0;
                case "LATEST":
                    return shard.End ?? next;
                default:
                    if (sequence is null || Number(sequence) is not { } number || number < shard.First || number >= (shard.End ?? next))
                    {
                        throw new ServiceFault("ValidationException", $"Invalid SequenceNumber: the sequence number {sequence} is not one of shard {shardId}");
                    }
                    return number < shard.Trimmed ? throw TrimmedFault() : type == "AT_SEQUENCE_NUMBER" ? number : number + 1;
            }
        }
    }

    /// <summary>A page of records from a number on, and where the next page begins; null when the shard ends there.</summary>
    public (IReadOnlyList<JsonObject> Records, long? Next)? Read(string shardId, long from, int limit, string region)
    {
        lock (gate)
        {
            Trim(clock.Now);
            if (shards.Find(item => item.Id == shardId) is not { } shard)
            {
                return null;
            }
            if (from != 0 && from < shard.Trimmed)
            {
                throw TrimmedFault();
            }
            var page = new List<JsonObject>();
            var position = Math.Max(from, shard.Trimmed);
            var bytes = 0;
            for (var i = (int)Math.Min(position - shard.Trimmed, shard.Records.Count); i < shard.Records.Count && page.Count < limit && bytes < MaximumPageBytes; i++)
            {
                var record = Describe(shard.Records[i], region, out var size);
                page.Add(record);
                bytes += size;
                position = shard.Records[i].Number + 1;
            }
            return (page, shard.End is { } end && position >= end ? null : position);
        }
    }

    private static ServiceFault TrimmedFault() => new("TrimmedDataAccessException", "The requested records are beyond the trim horizon: a stream keeps them for 24 hours.");

    private StreamShard Open(DateTimeOffset now)
    {
        if (shards is [.., { End: null } open])
        {
            if (now - open.Opened < ShardLife)
            {
                return open;
            }
            (open.End, open.Closed) = (next, now);
        }
        var number = now.ToUnixTimeMilliseconds().ToString("D20", CultureInfo.InvariantCulture);
        var shard = new StreamShard($"shardId-{number}-{ids.Hex(8)}", shards.Count > 0 ? shards[^1].Id : null, next, now) { Trimmed = next };
        shards.Add(shard);
        return shard;
    }

    private void Trim(DateTimeOffset now)
    {
        var horizon = now - Retention;
        foreach (var shard in shards)
        {
            var gone = 0;
            while (gone < shard.Records.Count && shard.Records[gone].At < horizon)
            {
                gone++;
            }
            if (gone > 0)
            {
                shard.Trimmed = shard.Records[gone - 1].Number + 1;
                shard.Records.RemoveRange(0, gone);
            }
        }
        shards.RemoveAll(shard => shard.Closed < horizon);
    }

    private JsonObject Describe(StreamRecord record, string region, out int size)
    {
        var (key, before, after) = (record.Change.Key, record.Change.Before, record.Change.After);
        var keyItem = keys.ItemOf(key);
        size = TableStore.SizeOf(keyItem);
        var data = new JsonObject
        {
            ["ApproximateCreationDateTime"] = record.At.ToUnixTimeSeconds(),
            ["Keys"] = AttributeValue.ToJson(keyItem),
        };
        if (after is not null && viewType is ("NEW_IMAGE" or "NEW_AND_OLD_IMAGES"))
        {
            data["NewImage"] = AttributeValue.ToJson(after);
            size += TableStore.SizeOf(after);
        }
        if (before is not null && viewType is ("OLD_IMAGE" or "NEW_AND_OLD_IMAGES"))
        {
            data["OldImage"] = AttributeValue.ToJson(before);
            size += TableStore.SizeOf(before);
        }
        data["SequenceNumber"] = Sequence(record.Number);
        data["SizeBytes"] = size;
        data["StreamViewType"] = viewType;
        var described = new JsonObject
        {
            ["eventID"] = record.EventId,
            ["eventName"] = before is null ? "INSERT" : after is null ? "REMOVE" : "MODIFY",
            ["eventVersion"] = "1.1",
            ["eventSource"] = "aws:dynamodb",
            ["awsRegion"] = region,
            ["dynamodb"] = data,
        };
        if (record.Change.Cause == ChangeCause.Expiry)
        {
            described["userIdentity"] = new JsonObject { ["PrincipalId"] = "dynamodb.amazonaws.com", ["Type"] = "Service" };
        }
        return described;
    }
}
