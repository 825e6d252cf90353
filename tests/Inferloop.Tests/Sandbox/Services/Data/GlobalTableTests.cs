using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.DynamoDb;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>Global tables: replicas in other regions, writes that arrive after a lag, the later of two writes winning everywhere.</summary>
public sealed class GlobalTableTests : ServiceTestBase
{
    private const string West = "us-west-2";

    private Task<JsonObject> In(string region, string operation, string input) =>
        Runtime.Service("dynamodb")!.InvokeAsync(Context.InRegion(region), operation, (JsonObject)JsonNode.Parse(input)!);

    private async Task CreateTable(bool withStream = true)
    {
        await Call("dynamodb", "CreateTable", $$$"""
            {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST"
             {{{(withStream ? ",\"StreamSpecification\":{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"}" : "")}}} }
            """);
        Pass(TimeSpan.FromSeconds(15));
    }

    private async Task AddReplica(string region)
    {
        await Call("dynamodb", "UpdateTable", $$$"""{"TableName":"jobs","ReplicaUpdates":[{"Create":{"RegionName":"{{{region}}}"}}]}""");
        Pass(TimeSpan.FromMinutes(6));
    }

    private Task<JsonObject> Put(string region, string id, string value) => In(region, "PutItem", $$$"""{"TableName":"jobs","Item":{"id":{"S":"{{{id}}}"},"v":{"S":"{{{value}}}"} } }""");

    private async Task<string?> Get(string region, string id) =>
        (string?)(await In(region, "GetItem", $$$"""{"TableName":"jobs","Key":{"id":{"S":"{{{id}}}"} } }"""))["Item"]?["v"]?["S"];

    private async Task<JsonObject> Describe(string region) => (JsonObject)(await In(region, "DescribeTable", """{"TableName":"jobs"}"""))["Table"]!;

    [Fact]
    public async Task A_replica_has_what_was_there_before_and_each_write_after_a_lag_both_ways()
    {
        await CreateTable();
        await Put("us-east-1", "old", "1");
        await Call("dynamodb", "UpdateTable", $$$"""{"TableName":"jobs","ReplicaUpdates":[{"Create":{"RegionName":"{{{West}}}"}}]}""");
        var replica = (await Describe("us-east-1")).Objects("Replicas").Single();
        Assert.Equal((West, "CREATING"), (replica.Text("RegionName"), replica.Text("ReplicaStatus")));
        await Put("us-east-1", "during", "1");
        Pass(TimeSpan.FromMinutes(6));
        Assert.Equal("ACTIVE", (await Describe("us-east-1")).Objects("Replicas").Single().Text("ReplicaStatus"));
        Assert.Equal("2019.11.21", (await Describe(West)).Text("GlobalTableVersion"));
        Assert.Equal("us-east-1", (await Describe(West)).Objects("Replicas").Single().Text("RegionName"));
        Assert.Equal("1", await Get(West, "old"));
        Assert.Equal("1", await Get(West, "during"));
        await Put("us-east-1", "a", "east");
        await Put(West, "b", "west");
        Assert.Null(await Get(West, "a"));
        Assert.Null(await Get("us-east-1", "b"));
        Pass(TimeSpan.FromSeconds(2));
        Assert.Equal("east", await Get(West, "a"));
        Assert.Equal("west", await Get("us-east-1", "b"));
        await In(West, "DeleteItem", """{"TableName":"jobs","Key":{"id":{"S":"old"}}}""");
        Pass(TimeSpan.FromSeconds(2));
        Assert.Null(await Get("us-east-1", "old"));
    }

    [Fact]
    public async Task Of_two_writes_to_one_item_the_later_wins_everywhere_also_after_a_cut_between_the_regions()
    {
        await CreateTable();
        await AddReplica(West);
        await AddReplica("eu-west-1");
        Runtime.Links.Cut("us-east-1", West);
        Runtime.Links.Cut(West, "us-east-1");
        await Put("us-east-1", "x", "first");
        Pass(TimeSpan.FromSeconds(10));
        await Put(West, "x", "second");
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("first", await Get("us-east-1", "x"));
        Assert.Equal("second", await Get(West, "x"));
        Assert.Equal("second", await Get("eu-west-1", "x"));
        Runtime.Links.Mend("us-east-1", West);
        Runtime.Links.Mend(West, "us-east-1");
        Pass(TimeSpan.FromSeconds(10));
        foreach (var region in (string[])["us-east-1", West, "eu-west-1"])
        {
            Assert.Equal("second", await Get(region, "x"));
        }
    }

    [Fact]
    public async Task Faults_of_replication_and_lost_regions_hold_writes_back_and_let_them_arrive_in_order_afterwards()
    {
        await CreateTable();
        await AddReplica(West);
        var lag = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ReplicationLag, Service = "dynamodb", Resource = "jobs", Region = "us-east-1", Delay = TimeSpan.FromMinutes(10) });
        await Put("us-east-1", "x", "slow");
        Pass(TimeSpan.FromMinutes(9));
        Assert.Null(await Get(West, "x"));
        Runtime.Faults.Remove(lag.Id);
        await Put("us-east-1", "x", "later");
        Pass(TimeSpan.FromSeconds(30));
        // The stream between two members is in order: the quick write does not overtake the slow one.
        Assert.Null(await Get(West, "x"));
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("later", await Get(West, "x"));

        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = West, Duration = TimeSpan.FromHours(2) });
        await Put("us-east-1", "x", "held");
        Pass(TimeSpan.FromMinutes(119));
        Assert.Equal("later", await Get(West, "x"));
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("held", await Get(West, "x"));
    }

    [Fact]
    public async Task A_deletion_is_not_undone_by_an_older_write_that_arrives_after_it()
    {
        await CreateTable();
        await AddReplica(West);
        await Put("us-east-1", "x", "1");
        Pass(TimeSpan.FromSeconds(5));
        Runtime.Links.Cut("us-east-1", West);
        await Put("us-east-1", "x", "2");
        Pass(TimeSpan.FromSeconds(5));
        await In(West, "DeleteItem", """{"TableName":"jobs","Key":{"id":{"S":"x"}}}""");
        Pass(TimeSpan.FromSeconds(5));
        Runtime.Links.Mend("us-east-1", West);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Null(await Get(West, "x"));
        Assert.Null(await Get("us-east-1", "x"));
    }

    [Fact]
    public async Task A_replica_that_is_taken_away_is_gone_and_the_table_stands_alone_again()
    {
        await CreateTable();
        await AddReplica(West);
        Assert.Equal("ValidationException", (await Fails("dynamodb", "UpdateTable", """{"TableName":"jobs","StreamSpecification":{"StreamEnabled":false}}""")).Code);
        await Call("dynamodb", "UpdateTable", $$$"""{"TableName":"jobs","ReplicaUpdates":[{"Delete":{"RegionName":"{{{West}}}"}}]}""");
        Pass(TimeSpan.FromMinutes(1));
        Assert.False((await Describe("us-east-1")).ContainsKey("Replicas"));
        Assert.Equal("ACTIVE", (await Describe("us-east-1")).Text("TableStatus"));
        await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() => Describe(West));
        await Put("us-east-1", "a", "1");
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal("1", await Get("us-east-1", "a"));
        await AddReplica(West);
        Assert.Equal("1", await Get(West, "a"));
    }

    [Fact]
    public async Task Members_share_indexes_billing_and_time_to_live_but_not_protection()
    {
        await CreateTable();
        await AddReplica(West);
        await Call("dynamodb", "UpdateTimeToLive", """{"TableName":"jobs","TimeToLiveSpecification":{"AttributeName":"ends","Enabled":true}}""");
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"v","AttributeType":"S"}],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"by-v","KeySchema":[{"AttributeName":"v","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}""");
        Pass(TimeSpan.FromMinutes(5));
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","DeletionProtectionEnabled":true}""");
        Pass(TimeSpan.FromSeconds(10));
        var west = await Describe(West);
        Assert.Equal("ACTIVE", west.Objects("GlobalSecondaryIndexes").Single().Text("IndexStatus"));
        Assert.False(west.Is("DeletionProtectionEnabled"));
        Assert.Equal("ends", (string?)(await In(West, "DescribeTimeToLive", """{"TableName":"jobs"}"""))["TimeToLiveDescription"]!["AttributeName"]);
        await In("us-east-1", "PutItem", $$$"""{"TableName":"jobs","Item":{"id":{"S":"x"},"v":{"S":"1"},"ends":{"N":"{{{Runtime.Clock.Now.AddMinutes(1).ToUnixTimeSeconds()}}}"} } }""");
        Pass(TimeSpan.FromHours(1));
        Assert.Null(await Get("us-east-1", "x"));
        Assert.Null(await Get(West, "x"));
    }

    [Fact]
    public async Task What_cannot_be_a_replica_is_refused()
    {
        await CreateTable(withStream: false);
        const string Add = """{"TableName":"jobs","ReplicaUpdates":[{"Create":{"RegionName":"us-west-2"}}]}""";
        Assert.Contains("NEW_AND_OLD_IMAGES", (await Fails("dynamodb", "UpdateTable", Add)).Message, StringComparison.Ordinal);
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}""");
        Pass(TimeSpan.FromSeconds(10));
        Assert.Contains("local region", (await Fails("dynamodb", "UpdateTable", Add.Replace(West, "us-east-1", StringComparison.Ordinal))).Message, StringComparison.Ordinal);
        Assert.Equal("ValidationException", (await Fails("dynamodb", "UpdateTable", Add.Replace("Create", "Delete", StringComparison.Ordinal))).Code);
        await AddReplica(West);
        Assert.Equal("ValidationException", (await Fails("dynamodb", "UpdateTable", Add)).Code);
        Assert.NotNull(Runtime.Service<DynamoDbService>());
    }
}
