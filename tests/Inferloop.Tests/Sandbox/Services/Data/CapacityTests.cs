using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>A provisioned table gives what was bought, and five minutes of what was not used.</summary>
public sealed class CapacityTests : ServiceTestBase
{
    private async Task CreateTable(int units, int indexUnits = 1000)
    {
        await Call("dynamodb", "CreateTable", $$$"""
            {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"state","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
             "GlobalSecondaryIndexes":[{"IndexName":"by-state","KeySchema":[{"AttributeName":"state","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"},
               "ProvisionedThroughput":{"ReadCapacityUnits":{{{indexUnits}}},"WriteCapacityUnits":{{{indexUnits}}} } }],
             "ProvisionedThroughput":{"ReadCapacityUnits":{{{units}}},"WriteCapacityUnits":{{{units}}} } }
            """);
        Pass(TimeSpan.FromSeconds(15));
    }

    private Task<JsonObject> Put(int id, string state = "") => Call("dynamodb", "PutItem", $$$"""{"TableName":"jobs","Item":{"id":{"S":"{{{id}}}"}{{{(state.Length > 0 ? $",\"state\":{{\"S\":\"{state}\"}}" : "")}}} } }""");

    private async Task<int> PutUntilThrottled(int most, string state = "")
    {
        for (var i = 0; i < most; i++)
        {
            try
            {
                await Put(i, state);
            }
            catch (Inferloop.Sandbox.Runtime.ServiceFault fault) when (fault.Code == "ProvisionedThroughputExceededException")
            {
                return i;
            }
        }
        return most;
    }

    [Fact]
    public async Task Writes_are_throttled_when_the_reserve_is_used_and_go_on_as_time_passes()
    {
        await CreateTable(1);
        Assert.Equal(300, await PutUntilThrottled(1000));
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(10, await PutUntilThrottled(1000));
        var fault = await Fails("dynamodb", "PutItem", """{"TableName":"jobs","Item":{"id":{"S":"x"}}}""");
        Assert.Equal("TableWriteProvisionedThroughputExceeded", (string?)fault.Members!["ThrottlingReasons"]![0]!["reason"]);
        // Reads have a capacity of their own.
        await Call("dynamodb", "GetItem", """{"TableName":"jobs","Key":{"id":{"S":"1"}}}""");
    }

    [Fact]
    public async Task More_capacity_is_there_when_the_update_is_done_and_none_is_counted_on_demand()
    {
        await CreateTable(1);
        await PutUntilThrottled(1000);
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","ProvisionedThroughput":{"ReadCapacityUnits":1,"WriteCapacityUnits":50}}""");
        Pass(TimeSpan.FromSeconds(6));
        Pass(TimeSpan.FromSeconds(2));
        Assert.Equal(3 * 50 + 5, await PutUntilThrottled(1000));
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","BillingMode":"PAY_PER_REQUEST"}""");
        Pass(TimeSpan.FromSeconds(6));
        Assert.Equal(2000, await PutUntilThrottled(2000));
    }

    [Fact]
    public async Task An_index_without_capacity_holds_up_the_table_s_writes()
    {
        await CreateTable(1000, 1);
        Assert.Equal(300, await PutUntilThrottled(1000, "new"));
        Assert.Equal("IndexWriteProvisionedThroughputExceeded", (string?)(await Fails("dynamodb", "DeleteItem", """{"TableName":"jobs","Key":{"id":{"S":"1"}}}""")).Members!["ThrottlingReasons"]![0]!["reason"]);
    }

    [Fact]
    public async Task A_batch_gives_back_what_it_had_no_capacity_for_and_a_transaction_does_nothing_at_all()
    {
        await CreateTable(1);
        for (var i = 0; i < 290; i++)
        {
            await Put(i);
        }
        var batch = new JsonObject
        {
            ["RequestItems"] = new JsonObject
            {
                ["jobs"] = Enumerable.Range(1000, 25).Select(i => new JsonObject { ["PutRequest"] = new JsonObject { ["Item"] = new JsonObject { ["id"] = new JsonObject { ["S"] = $"{i}" } } } }).ToJsonList(),
            },
        }.ToJsonString();
        Assert.Equal(15, (await Call("dynamodb", "BatchWriteItem", batch)).Child("UnprocessedItems")!.Objects("jobs").Count());
        Assert.Equal("ProvisionedThroughputExceededException", (await Fails("dynamodb", "BatchWriteItem", batch)).Code);
        var refused = await Fails("dynamodb", "TransactWriteItems", """{"TransactItems":[{"Put":{"TableName":"jobs","Item":{"id":{"S":"t"}}}}]}""");
        Assert.Equal("TransactionCanceledException", refused.Code);
        Assert.Equal("ProvisionedThroughputExceeded", (string?)refused.Members!["CancellationReasons"]![0]!["Code"]);
        for (var i = 0; i < 600; i++)
        {
            await Call("dynamodb", "GetItem", """{"TableName":"jobs","Key":{"id":{"S":"1"}}}""");
        }
        Assert.Equal("ProvisionedThroughputExceededException", (await Fails("dynamodb", "Query", """{"TableName":"jobs","KeyConditionExpression":"id = :i","ExpressionAttributeValues":{":i":{"S":"1"}}}""")).Code);
        Assert.Equal("ProvisionedThroughputExceededException", (await Fails("dynamodb", "BatchGetItem", """{"RequestItems":{"jobs":{"Keys":[{"id":{"S":"1"}}]}}}""")).Code);
    }
}
