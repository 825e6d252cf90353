using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>A table's stream: what is in it, how it is read, how long it lasts.</summary>
public sealed class DynamoDbStreamTests : ServiceTestBase
{
    private const string Orders = "orders";

    private async Task<string> CreateTable(string view = "NEW_AND_OLD_IMAGES")
    {
        await Call("dynamodb", "CreateTable", $$$"""
            {"TableName":"orders","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
             "BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"{{{view}}}"}}
            """);
        Pass(TimeSpan.FromSeconds(15));
        return (string)(await Call("dynamodb", "DescribeTable", """{"TableName":"orders"}"""))["Table"]!["LatestStreamArn"]!;
    }

    private Task<JsonObject> Put(string id, int n) => Call("dynamodb", "PutItem", $$$"""{"TableName":"orders","Item":{"id":{"S":"{{{id}}}"},"n":{"N":"{{{n}}}"} } }""");

    private Task<JsonObject> Delete(string id) => Call("dynamodb", "DeleteItem", $$$"""{"TableName":"orders","Key":{"id":{"S":"{{{id}}}"} } }""");

    private async Task<JsonObject> Describe(string arn) => (JsonObject)(await Call("dynamodbstreams", "DescribeStream", $$"""{"StreamArn":"{{arn}}"}"""))["StreamDescription"]!;

    private async Task<string> Iterator(string arn, string shard, string type = "TRIM_HORIZON", string? sequence = null) =>
        (string)(await Call("dynamodbstreams", "GetShardIterator", new JsonObject { ["StreamArn"] = arn, ["ShardId"] = shard, ["ShardIteratorType"] = type }.With("SequenceNumber", sequence).ToJsonString()))["ShardIterator"]!;

    private Task<JsonObject> Read(string iterator, int limit = 1000) => Call("dynamodbstreams", "GetRecords", new JsonObject { ["ShardIterator"] = iterator, ["Limit"] = limit }.ToJsonString());

    private async Task<string> Shard(string arn) => (await Describe(arn)).Objects("Shards").Last().Required("ShardId");

    private async Task<List<JsonObject>> All(string arn) => (await Read(await Iterator(arn, await Shard(arn)))).Objects("Records").ToList();

    [Theory]
    [InlineData("KEYS_ONLY", false, false)]
    [InlineData("NEW_IMAGE", true, false)]
    [InlineData("OLD_IMAGE", false, true)]
    [InlineData("NEW_AND_OLD_IMAGES", true, true)]
    public async Task A_record_holds_what_the_view_type_says(string view, bool hasNew, bool hasOld)
    {
        var arn = await CreateTable(view);
        await Put("a", 1);
        await Put("a", 2);
        await Delete("a");
        var records = await All(arn);
        Assert.Equal(["INSERT", "MODIFY", "REMOVE"], records.Select(record => record.Text("eventName")));
        var change = records[1].Child("dynamodb")!;
        Assert.Equal("""{"id":{"S":"a"}}""", change["Keys"]!.ToJsonString());
        Assert.Equal(hasNew ? "2" : null, (string?)change["NewImage"]?["n"]?["N"]);
        Assert.Equal(hasOld ? "1" : null, (string?)change["OldImage"]?["n"]?["N"]);
        Assert.Null(records[0]["dynamodb"]!["OldImage"]);
        Assert.Null(records[2]["dynamodb"]!["NewImage"]);
        Assert.Equal(view, change.Text("StreamViewType"));
        Assert.Equal(records.Select(record => record["dynamodb"]!["SequenceNumber"]!.ToString()).Order(StringComparer.Ordinal), records.Select(record => record["dynamodb"]!["SequenceNumber"]!.ToString()));
    }

    [Fact]
    public async Task Every_kind_of_write_is_recorded_once_and_one_that_changes_nothing_is_not()
    {
        var arn = await CreateTable();
        await Put("a", 1);
        await Put("a", 1);
        await Delete("nothing");
        await Call("dynamodb", "UpdateItem", """{"TableName":"orders","Key":{"id":{"S":"a"}},"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}""");
        await Call("dynamodb", "BatchWriteItem", """{"RequestItems":{"orders":[{"PutRequest":{"Item":{"id":{"S":"b"}}}},{"DeleteRequest":{"Key":{"id":{"S":"a"}}}}]}}""");
        await Call("dynamodb", "TransactWriteItems", """{"TransactItems":[{"Put":{"TableName":"orders","Item":{"id":{"S":"c"}}}},{"Update":{"TableName":"orders","Key":{"id":{"S":"b"}},"UpdateExpression":"SET n = :n","ExpressionAttributeValues":{":n":{"N":"5"}}}}]}""");
        await Fails("dynamodb", "PutItem", """{"TableName":"orders","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_exists(id)"}""");
        var records = await All(arn);
        Assert.Equal(["INSERT a", "MODIFY a", "INSERT b", "REMOVE a", "INSERT c", "MODIFY b"],
            records.Select(record => $"{record.Text("eventName")} {record["dynamodb"]!["Keys"]!["id"]!["S"]}"));
    }

    [Fact]
    public async Task What_time_to_live_deletes_is_recorded_as_the_service_s_doing()
    {
        var arn = await CreateTable();
        await Call("dynamodb", "UpdateTimeToLive", """{"TableName":"orders","TimeToLiveSpecification":{"AttributeName":"n","Enabled":true}}""");
        await Put("old", (int)Runtime.Clock.Now.AddMinutes(5).ToUnixTimeSeconds());
        await Put("young", (int)Runtime.Clock.Now.AddHours(9).ToUnixTimeSeconds());
        Pass(TimeSpan.FromHours(1));
        var removed = Assert.Single(await All(arn), record => record.Text("eventName") == "REMOVE");
        Assert.Equal("old", (string?)removed["dynamodb"]!["Keys"]!["id"]!["S"]);
        Assert.Equal("""{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}""", removed["userIdentity"]!.ToJsonString());
    }

    [Fact]
    public async Task Iterators_begin_where_they_say_and_pages_follow_each_other()
    {
        var arn = await CreateTable();
        var shard = await Shard(arn);
        for (var i = 0; i < 5; i++)
        {
            await Put("i" + i, i);
        }
        var latest = await Iterator(arn, shard, "LATEST");
        await Put("after", 1);
        Assert.Equal("after", (string?)Assert.Single((await Read(latest)).Objects("Records"))["dynamodb"]!["Keys"]!["id"]!["S"]);
        var first = await Read(await Iterator(arn, shard), 2);
        Assert.Equal(2, first.Objects("Records").Count());
        var second = await Read(first.Required("NextShardIterator"), 2);
        Assert.Equal(["i2", "i3"], second.Objects("Records").Select(record => (string?)record["dynamodb"]!["Keys"]!["id"]!["S"]));
        var sequence = second.Objects("Records").First().Child("dynamodb")!.Required("SequenceNumber");
        Assert.Equal("i2", (string?)(await Read(await Iterator(arn, shard, "AT_SEQUENCE_NUMBER", sequence))).Objects("Records").First()["dynamodb"]!["Keys"]!["id"]!["S"]);
        Assert.Equal("i3", (string?)(await Read(await Iterator(arn, shard, "AFTER_SEQUENCE_NUMBER", sequence))).Objects("Records").First()["dynamodb"]!["Keys"]!["id"]!["S"]);
        Pass(TimeSpan.FromMinutes(16));
        Assert.Equal("ExpiredIteratorException", (await Fails("dynamodbstreams", "GetRecords", new JsonObject { ["ShardIterator"] = latest }.ToJsonString())).Code);
        Assert.Equal("ValidationException", (await Fails("dynamodbstreams", "GetRecords", """{"ShardIterator":"nonsense"}""")).Code);
    }

    [Fact]
    public async Task Shards_are_closed_after_four_hours_and_records_are_gone_after_a_day()
    {
        var arn = await CreateTable();
        await Put("a", 1);
        var old = await Shard(arn);
        var sequence = (await All(arn))[0].Child("dynamodb")!.Required("SequenceNumber");
        Pass(TimeSpan.FromHours(5));
        await Put("b", 1);
        var shards = (await Describe(arn)).Objects("Shards").ToList();
        Assert.Equal(2, shards.Count);
        Assert.Equal(old, shards[1].Text("ParentShardId"));
        Assert.Equal(sequence, shards[0].Child("SequenceNumberRange")!.Text("EndingSequenceNumber"));
        Assert.False((await Read(await Iterator(arn, old))).ContainsKey("NextShardIterator"));
        Pass(TimeSpan.FromHours(19.5));
        Assert.Equal("TrimmedDataAccessException", (await Fails("dynamodbstreams", "GetShardIterator", $$"""{"StreamArn":"{{arn}}","ShardId":"{{old}}","ShardIteratorType":"AT_SEQUENCE_NUMBER","SequenceNumber":"{{sequence}}"}""")).Code);
        Pass(TimeSpan.FromHours(5));
        Assert.DoesNotContain((await Describe(arn)).Objects("Shards"), shard => shard.Text("ShardId") == old);
    }

    [Fact]
    public async Task A_disabled_stream_is_read_for_a_day_and_another_can_begin()
    {
        var arn = await CreateTable();
        await Put("a", 1);
        await Call("dynamodb", "UpdateTable", """{"TableName":"orders","StreamSpecification":{"StreamEnabled":false}}""");
        Pass(TimeSpan.FromSeconds(10));
        await Put("b", 1);
        Assert.Equal("DISABLED", (await Describe(arn)).Text("StreamStatus"));
        Assert.Single(await All(arn));
        await Call("dynamodb", "UpdateTable", """{"TableName":"orders","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"}}""");
        Pass(TimeSpan.FromSeconds(10));
        await Put("c", 1);
        var streams = (await Call("dynamodbstreams", "ListStreams", """{"TableName":"orders"}""")).Objects("Streams").Select(item => item.Required("StreamArn")).ToList();
        Assert.Equal(2, streams.Count);
        Assert.Equal(arn, streams[0]);
        Assert.Equal("c", (string?)Assert.Single(await All(streams[1]))["dynamodb"]!["Keys"]!["id"]!["S"]);
        Pass(TimeSpan.FromHours(25));
        Assert.Equal(streams[1], Assert.Single((await Call("dynamodbstreams", "ListStreams")).Objects("Streams")).Text("StreamArn"));
        Assert.Equal("ResourceNotFoundException", (await Fails("dynamodbstreams", "DescribeStream", $$"""{"StreamArn":"{{arn}}"}""")).Code);
        Assert.Equal(Orders, (await Describe(streams[1])).Text("TableName"));
    }
}
