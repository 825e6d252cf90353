using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>
/// Streams as event sources. What has been read of each shard is kept with the mapping; a shard is begun when its parent is done,
/// and a batch that fails holds its shard up until it succeeds, its attempts are used up or its records have grown too old.
/// </summary>
internal sealed partial class LambdaService
{
    private const int MaximumStreamBatch = 1000;

    private async Task PollStream(RequestContext context, JsonObject mapping)
    {
        var source = mapping.Required("EventSourceArn");
        var described = (await Streams(context, "DescribeStream", new JsonObject { ["StreamArn"] = source }).ConfigureAwait(false)).Child("StreamDescription") ?? [];
        var progress = (mapping.Child("_Shards") ?? []).Copy();
        var shards = described.Objects("Shards").ToList();
        foreach (var shard in shards)
        {
            var id = shard.Required("ShardId");
            var parent = shard.Text("ParentShardId");
            if (parent is not null && shards.Exists(item => item.Text("ShardId") == parent) && progress.Child(parent)?.Is("Done") != true)
            {
                continue;
            }
            if (progress.Child(id) is not { } state)
            {
                // From the beginning where the mapping has read what came before, or asks for all of it.
                var fromStart = mapping.Text("StartingPosition") == "TRIM_HORIZON" || (parent is not null && progress.Child(parent) is not null);
                progress[id] = state = new JsonObject { ["Iterator"] = await IteratorAsync(context, source, id, fromStart ? "TRIM_HORIZON" : "LATEST").ConfigureAwait(false) };
            }
            while (!state.Is("Done") && await AdvanceAsync(context, mapping, source, id, state).ConfigureAwait(false))
            {
                Save(context, mapping, progress);
            }
            Save(context, mapping, progress);
        }
    }

    private Task<JsonObject> Streams(RequestContext context, string operation, JsonObject input) => Runtime.Service<DynamoDbStreamsService>().InvokeAsync(context, operation, input);

    private void Save(RequestContext context, JsonObject mapping, JsonObject progress) =>
        Mappings(context).Update(mapping.Required("UUID"), document => document["_Shards"] = progress.Copy());

    private async Task<string?> IteratorAsync(RequestContext context, string source, string shard, string type, string? after = null) =>
        (await Streams(context, "GetShardIterator", new JsonObject { ["StreamArn"] = source, ["ShardId"] = shard, ["ShardIteratorType"] = type }
            .With("SequenceNumber", after)).ConfigureAwait(false)).Text("ShardIterator");

    /// <summary>Handles one batch of a shard; whether to go on at once with the next.</summary>
    private async Task<bool> AdvanceAsync(RequestContext context, JsonObject mapping, string source, string shard, JsonObject state)
    {
        var size = Math.Min(state.Int("Size") ?? int.MaxValue, Math.Min(MaximumStreamBatch, mapping.Int("BatchSize") ?? 100));
        var read = await ReadAsync(context, source, shard, state, size).ConfigureAwait(false);
        var records = read.Objects("Records").ToList();
        var next = read.Text("NextShardIterator");
        if (records.Count == 0)
        {
            state.With("Iterator", next);
            state["Done"] = next is null;
            return false;
        }
        var window = TimeSpan.FromSeconds(mapping.Int("MaximumBatchingWindowInSeconds") ?? 0);
        state["Waiting"] ??= Documents.Time(context.Now);
        if (records.Count < size && next is not null && !state.Has("Attempts") && context.Now - state.TimeOf("Waiting") < window)
        {
            // The batch is not full and may still grow.
            return false;
        }
        var oldest = mapping.Int("MaximumRecordAgeInSeconds") ?? -1;
        var young = oldest < 0 ? records : records.FindAll(record => context.Now - ArrivalOf(record) <= TimeSpan.FromSeconds(oldest));
        if (young.Count < records.Count)
        {
            await GiveUpAsync(context, mapping, shard, records.Except(young).ToList(), "RecordAgeExceeded", state.Int("Attempts") ?? 0).ConfigureAwait(false);
        }
        var wanted = young.Where(record => Matches(mapping, record)).Select(record =>
        {
            var copy = record.Copy();
            copy["eventSourceARN"] = source;
            return copy;
        }).ToList();
        var failed = wanted.Count == 0 ? [] : Handle(context, mapping, wanted);
        if (failed is { Count: 0 })
        {
            Move(state, next, records[^1]);
            return next is not null;
        }
        // A partial answer names the records that failed: everything before the first of them is done.
        var from = failed is null ? -1 : records.FindIndex(record => failed.Contains(SequenceOf(record)));
        if (from > 0)
        {
            Move(state, await IteratorAsync(context, source, shard, "AT_SEQUENCE_NUMBER", SequenceOf(records[from])).ConfigureAwait(false), records[from - 1]);
            records = records[from..];
        }
        var attempts = (state.Int("Attempts") ?? 0) + 1;
        state["Attempts"] = attempts;
        var limit = mapping.Int("MaximumRetryAttempts") ?? -1;
        if (mapping.Is("BisectBatchOnFunctionError") && records.Count > 1 && from <= 0)
        {
            // Halved until the record that fails stands alone; halving is no attempt.
            state["Size"] = Math.Max(1, records.Count / 2);
            state["Attempts"] = attempts - 1;
            return false;
        }
        if (limit >= 0 && attempts > limit)
        {
            await GiveUpAsync(context, mapping, shard, records.FindAll(record => Matches(mapping, record)), "RetryAttemptsExhausted", attempts).ConfigureAwait(false);
            Move(state, next, records[^1]);
            return next is not null;
        }
        return false;
    }

    private static void Move(JsonObject state, string? next, JsonObject last)
    {
        state["After"] = SequenceOf(last);
        state.Remove("Attempts");
        state.Remove("Size");
        state.Remove("Waiting");
        state.With("Iterator", next);
        state["Done"] = next is null;
    }

    /// <summary>Reads from where the shard was left; an iterator lives for fifteen minutes only, so the place is found anew when the mapping was disabled for longer.</summary>
    private async Task<JsonObject> ReadAsync(RequestContext context, string source, string shard, JsonObject state, int size)
    {
        JsonObject Input() => new() { ["ShardIterator"] = state.Text("Iterator"), ["Limit"] = size };
        try
        {
            return await Streams(context, "GetRecords", Input()).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Code is "ExpiredIteratorException" or "TrimmedDataAccessException")
        {
            try
            {
                state["Iterator"] = state.Text("After") is { } after
                    ? await IteratorAsync(context, source, shard, "AFTER_SEQUENCE_NUMBER", after).ConfigureAwait(false)
                    : await IteratorAsync(context, source, shard, "TRIM_HORIZON").ConfigureAwait(false);
            }
            catch (ServiceFault trimmed) when (trimmed.Code is "TrimmedDataAccessException" or "ValidationException")
            {
                state["Iterator"] = await IteratorAsync(context, source, shard, "TRIM_HORIZON").ConfigureAwait(false);
            }
            return await Streams(context, "GetRecords", Input()).ConfigureAwait(false);
        }
    }

    private static string SequenceOf(JsonObject record) => record.Child("dynamodb")?.Text("SequenceNumber") ?? "";

    private static DateTimeOffset ArrivalOf(JsonObject record) => record.Child("dynamodb")?.TimeOf("ApproximateCreationDateTime") ?? default;

    /// <summary>Tells the mapping's destination of records that the function never took.</summary>
    private static async Task GiveUpAsync(RequestContext context, JsonObject mapping, string shard, List<JsonObject> records, string condition, int attempts)
    {
        if (records.Count == 0 || mapping.Child("DestinationConfig")?.Child("OnFailure")?.Text("Destination") is not { } destination)
        {
            return;
        }
        var report = new JsonObject
        {
            ["requestContext"] = new JsonObject
            {
                ["requestId"] = context.Runtime.Ids.Uuid(), ["functionArn"] = mapping.Text("FunctionArn"), ["condition"] = condition, ["approximateInvokeCount"] = attempts,
            },
            ["responseContext"] = new JsonObject { ["statusCode"] = 200, ["executedVersion"] = mapping.Text("_Qualifier") ?? "$LATEST", ["functionError"] = "Unhandled" },
            ["version"] = "1.0",
            ["timestamp"] = Documents.Time(context.Now),
            ["DDBStreamBatchInfo"] = new JsonObject
            {
                ["shardId"] = shard,
                ["startSequenceNumber"] = SequenceOf(records[0]),
                ["endSequenceNumber"] = SequenceOf(records[^1]),
                ["approximateArrivalOfFirstRecord"] = Documents.Time(ArrivalOf(records[0])),
                ["approximateArrivalOfLastRecord"] = Documents.Time(ArrivalOf(records[^1])),
                ["batchSize"] = records.Count,
                ["streamArn"] = mapping.Text("EventSourceArn"),
            },
        };
        var problem = await Events.TargetDelivery.SendAsync(context, new Events.Delivery(destination, report.ToJsonString()) { ByRole = true, Source = "lambda.amazonaws.com" }).ConfigureAwait(false);
        if (problem is not null)
        {
            throw new ServiceFault("InvalidParameterValueException", $"The records were not delivered to {destination}: {problem}");
        }
    }
}
