using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>DynamoDB Streams: the changes of a table's items, for a day.</summary>
internal sealed class DynamoDbStreamsService : SandboxService
{
    private const int MaximumRecords = 1000;
    private const int MaximumShards = 100;
    private static readonly TimeSpan IteratorLife = TimeSpan.FromMinutes(15);

    public DynamoDbStreamsService(SandboxRuntime runtime)
        : base(runtime, "dynamodbstreams")
    {
        On("ListStreams", ListStreams);
        On("DescribeStream", DescribeStream);
        On("GetShardIterator", GetShardIterator);
        On("GetRecords", GetRecords);
    }

    private DynamoDbService Tables => Runtime.Service<DynamoDbService>();

    private static ServiceFault NotFound(string what) => new("ResourceNotFoundException", $"Requested resource not found: {what} not found");

    private JsonObject ListStreams(RequestContext context, JsonObject input)
    {
        var table = input.Text("TableName");
        var all = Tables.StreamDocuments(context).Where(item => (table is null || item.Text("TableName") == table)
            && string.CompareOrdinal(item.Text("StreamArn"), input.Text("ExclusiveStartStreamArn") ?? "") > 0);
        var page = all.Take(input.Int("Limit") ?? MaximumShards).ToList();
        return new JsonObject { ["Streams"] = page.Select(item => item.Pick("StreamArn", "TableName", "StreamLabel")).ToJsonList() }
            .With("LastEvaluatedStreamArn", all.Count > page.Count ? page[^1]["StreamArn"].Copy() : null);
    }

    private JsonObject DescribeStream(RequestContext context, JsonObject input)
    {
        var (document, stream) = Find(context, input.Required("StreamArn"));
        document["StreamStatus"] = Tables.StreamStatus(context, document);
        IEnumerable<JsonObject> shards = stream.Shards();
        if (input.Child("ShardFilter") is { } filter)
        {
            if (filter.Text("ShardId") is not { } parent)
            {
                throw new ServiceFault("ValidationException", "ShardId is required when ShardFilter type is CHILD_SHARDS");
            }
            shards = shards.Where(shard => shard.Text("ParentShardId") == parent);
        }
        if (input.Text("ExclusiveStartShardId") is { } start)
        {
            shards = shards.Where(shard => string.CompareOrdinal(shard.Text("ShardId"), start) > 0);
        }
        var rest = shards.ToList();
        var page = rest.Take(input.Int("Limit") ?? MaximumShards).ToList();
        document["Shards"] = page.ToJsonList();
        document.With("LastEvaluatedShardId", rest.Count > page.Count ? page[^1]["ShardId"].Copy() : null);
        return new JsonObject { ["StreamDescription"] = document };
    }

    private JsonObject GetShardIterator(RequestContext context, JsonObject input)
    {
        var (_, stream) = Find(context, input.Required("StreamArn"));
        var shard = input.Required("ShardId");
        var position = stream.Position(shard, input.Required("ShardIteratorType"), input.Text("SequenceNumber")) ?? throw NotFound($"Shard: {shard} in Stream: {stream.Arn}");
        return new JsonObject { ["ShardIterator"] = Iterator(context, stream, shard, position) };
    }

    private JsonObject GetRecords(RequestContext context, JsonObject input)
    {
        var iterator = input.Required("ShardIterator");
        if (iterator.Split('|') is not [var arn, "1", var text] || Decode(text) is not [var shard, var from, var issued]
            || !long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            || !long.TryParse(issued, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds))
        {
            throw new ServiceFault("ValidationException", "Invalid ShardIterator");
        }
        if (context.Now - IteratorLife > DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
        {
            throw new ServiceFault("ExpiredIteratorException", "Iterator expired. The iterator was created more than 15 minutes ago.");
        }
        var (_, stream) = Find(context, arn);
        var (records, next) = stream.Read(shard, position, Math.Min(input.Int("Limit") ?? MaximumRecords, MaximumRecords), context.Region)
            ?? throw new ServiceFault("TrimmedDataAccessException", "The shard's records are beyond the trim horizon: a stream keeps them for 24 hours.");
        return new JsonObject { ["Records"] = records.ToJsonList() }.With("NextShardIterator", next is { } number ? Iterator(context, stream, shard, number) : null);
    }

    private (JsonObject Document, TableStream Stream) Find(RequestContext context, string arn) =>
        Tables.StreamDocuments(context).Get(arn) is { } document && Tables.Stream(arn) is { } stream ? (document, stream) : throw NotFound($"Stream: {arn}");

    private static string Iterator(RequestContext context, TableStream stream, string shard, long position) =>
        stream.Arn + "|1|" + Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{shard}|{position}|{context.Now.ToUnixTimeMilliseconds()}")));

    private static string[] Decode(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length).Split('|') : [];
    }
}
