using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Services;
using Inferloop.Tests.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Faults;

/// <summary>Two regions that do not reach each other: both work, and what they copy waits and arrives in its order.</summary>
public sealed class PartitionTests : ServiceTestBase
{
    private const string East = "us-east-1";
    private const string West = "us-west-2";
    private const string Europe = "eu-west-1";

    private async Task<JsonObject> In(string region, string service, string operation, string input) =>
        await Runtime.Service(service)!.InvokeAsync(Context.InRegion(region), operation, (JsonObject)JsonNode.Parse(input)!);

    private Task<JsonObject> Put(string region, string id, string value) => In(region, "dynamodb", "PutItem", $$$"""{"TableName":"jobs","Item":{"id":{"S":"{{{id}}}"},"v":{"S":"{{{value}}}"} } }""");

    private async Task<string?> Value(string region, string id) =>
        (string?)(await In(region, "dynamodb", "GetItem", $$$"""{"TableName":"jobs","Key":{"id":{"S":"{{{id}}}"} } }"""))["Item"]?["v"]?["S"];

    private SandboxFault Part(string one, string other = "*", string service = "*") =>
        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionPartition, Region = one, OtherRegion = other, Service = service });

    private async Task GlobalTable()
    {
        await Call("dynamodb", "CreateTable", """{"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}""");
        Pass(TimeSpan.FromSeconds(15));
        foreach (var region in (string[])[West, Europe])
        {
            await Call("dynamodb", "UpdateTable", $$$"""{"TableName":"jobs","ReplicaUpdates":[{"Create":{"RegionName":"{{{region}}}"}}]}""");
            Pass(TimeSpan.FromMinutes(6));
        }
    }

    [Fact]
    public async Task Both_sides_take_writes_and_the_later_wins_everywhere_when_it_is_over()
    {
        await GlobalTable();
        var partition = Part(West, East);
        await Put(East, "x", "east");
        await Put(East, "only-east", "1");
        Pass(TimeSpan.FromSeconds(5));
        await Put(West, "x", "west");
        await Put(West, "only-west", "1");
        await Put(West, "y", "west");
        Pass(TimeSpan.FromSeconds(5));
        await Put(East, "y", "east");
        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(["east", "west", null, null], [await Value(East, "x"), await Value(West, "x"), await Value(West, "only-east"), await Value(East, "only-west")]);
        // The third region hears of both.
        Assert.Equal(["west", "east"], [await Value(Europe, "x"), await Value(Europe, "y")]);
        Runtime.Faults.Remove(partition.Id);
        Pass(TimeSpan.FromSeconds(3));
        foreach (var region in (string[])[East, West, Europe])
        {
            Assert.Equal(["west", "east", "1", "1"], [await Value(region, "x"), await Value(region, "y"), await Value(region, "only-east"), await Value(region, "only-west")]);
        }
    }

    [Fact]
    public async Task What_waited_arrives_in_the_order_it_was_written()
    {
        await GlobalTable();
        var partition = Part(East);
        for (var i = 0; i < 20; i++)
        {
            await Put(East, "counter", i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Pass(TimeSpan.FromSeconds(1));
        }
        var stream = (await In(West, "dynamodb", "DescribeTable", """{"TableName":"jobs"}""")).Child("Table")!.Required("LatestStreamArn");
        Runtime.Faults.Remove(partition.Id);
        Pass(TimeSpan.FromSeconds(3));
        var shard = (await In(West, "dynamodbstreams", "DescribeStream", $$"""{"StreamArn":"{{stream}}"}""")).Child("StreamDescription")!.Objects("Shards").First().Required("ShardId");
        var iterator = (await In(West, "dynamodbstreams", "GetShardIterator", $$"""{"StreamArn":"{{stream}}","ShardId":"{{shard}}","ShardIteratorType":"TRIM_HORIZON"}""")).Required("ShardIterator");
        var records = (await In(West, "dynamodbstreams", "GetRecords", $$"""{"ShardIterator":"{{iterator}}"}""")).Objects("Records");
        Assert.Equal(Enumerable.Range(0, 20).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)), records.Select(record => (string?)record["dynamodb"]!["NewImage"]!["v"]!["S"]));
    }

    [Fact]
    public void A_partition_is_of_the_regions_and_the_service_it_names_and_ends_in_its_time()
    {
        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionPartition, Region = East, OtherRegion = West, Service = "s3", StartsAfter = TimeSpan.FromMinutes(1), Duration = TimeSpan.FromMinutes(10) });
        Assert.False(Runtime.Links.IsCut(East, West, "s3"));
        Pass(TimeSpan.FromMinutes(3));
        Assert.True(Runtime.Links.IsCut(East, West, "s3"));
        Assert.True(Runtime.Links.IsCut(West, East, "s3"));
        Assert.False(Runtime.Links.IsCut(West, East, "rds"));
        Assert.False(Runtime.Links.IsCut(East, Europe, "s3"));
        Assert.Equal(120, Runtime.Links.Behind("s3", "b", East, West, TimeSpan.Zero).TotalSeconds, 1);
        Pass(TimeSpan.FromMinutes(10));
        Assert.False(Runtime.Links.IsCut(East, West, "s3"));
        Assert.False(Runtime.Faults.IsRegionLost(East));
    }

    [Fact]
    public void A_partition_needs_two_sides_that_the_sandbox_has()
    {
        Assert.Contains("region", Assert.Throws<ArgumentException>(() => Part("*")).Message, StringComparison.Ordinal);
        Assert.Contains("us-moon-1", Assert.Throws<ArgumentException>(() => Part("us-moon-1")).Message, StringComparison.Ordinal);
        Assert.Contains("us-moon-1", Assert.Throws<ArgumentException>(() => Part(East, "us-moon-1")).Message, StringComparison.Ordinal);
        Assert.Contains("itself", Assert.Throws<ArgumentException>(() => Part(East, East)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = East, OtherRegion = West }));
    }
}
