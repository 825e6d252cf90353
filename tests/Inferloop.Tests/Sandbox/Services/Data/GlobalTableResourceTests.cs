using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>AWS::DynamoDB::GlobalTable: replicas come and go with the template.</summary>
public sealed class GlobalTableResourceTests : ServiceTestBase
{
    private const string Type = "AWS::DynamoDB::GlobalTable";

    private static JsonObject Properties(string billing, params string[] regions)
    {
        var scaling = billing == "PROVISIONED" ? """{"MinCapacity":7,"MaxCapacity":20,"TargetTrackingScalingPolicyConfiguration":{"TargetValue":70}}""" : null;
        var properties = (JsonObject)JsonNode.Parse("""
            {"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
             "StreamSpecification":{"StreamViewType":"NEW_AND_OLD_IMAGES"},"SSESpecification":{"SSEEnabled":true,"SSEType":"KMS"}}
            """)!;
        properties["BillingMode"] = billing;
        properties["Replicas"] = regions.Select(region =>
        {
            var replica = new JsonObject
            {
                ["Region"] = region, ["PointInTimeRecoverySpecification"] = new JsonObject { ["PointInTimeRecoveryEnabled"] = true }, ["Tags"] = new JsonArray(new JsonObject { ["Key"] = "region", ["Value"] = region }),
            };
            return scaling is null ? replica : replica.With("ReadProvisionedThroughputSettings", new JsonObject { ["ReadCapacityAutoScalingSettings"] = JsonNode.Parse(scaling) });
        }).ToJsonList();
        return scaling is null ? properties : properties.With("WriteProvisionedThroughputSettings", new JsonObject { ["WriteCapacityAutoScalingSettings"] = JsonNode.Parse(scaling) });
    }

    private async Task<JsonObject> In(string region, string operation, string name) =>
        await Runtime.Service("dynamodb")!.InvokeAsync(Context.InRegion(region), operation, new JsonObject { ["TableName"] = name });

    [Theory]
    [InlineData("PAY_PER_REQUEST")]
    [InlineData("PROVISIONED")]
    public async Task Replicas_are_made_changed_and_taken_away(string billing)
    {
        var table = await Provision(Type, Properties(billing, "us-east-1", "us-west-2").ToJsonString());
        Assert.EndsWith($":table/{table.PhysicalId}", (string?)table.Attributes["Arn"], StringComparison.Ordinal);
        var west = (await In("us-west-2", "DescribeTable", table.PhysicalId)).Child("Table")!;
        Assert.Equal("ACTIVE", west.Text("TableStatus"));
        Assert.Equal("ENABLED", (string?)(await In("us-west-2", "DescribeContinuousBackups", table.PhysicalId))["ContinuousBackupsDescription"]!["PointInTimeRecoveryDescription"]!["PointInTimeRecoveryStatus"]);
        if (billing == "PROVISIONED")
        {
            Assert.Equal(7, west.Child("ProvisionedThroughput")!.Long("ReadCapacityUnits"));
            Assert.Equal(2, (await Runtime.Service("application-autoscaling")!.InvokeAsync(Context.InRegion("us-west-2"), "DescribeScalableTargets", new JsonObject { ["ServiceNamespace"] = "dynamodb" })).Objects("ScalableTargets").Count());
        }
        var read = (await Provider(Type).ReadAsync(Provisioning(), table.PhysicalId))!;
        Assert.Equal(["us-east-1", "us-west-2"], read.Objects("Replicas").Select(replica => replica.Text("Region")));
        Assert.Contains(read.Objects("Replicas").Last().Objects("Tags"), tag => tag.Text("Value") == "us-west-2");
        await Complete(Provider(Type).UpdateAsync(Provisioning(), table.PhysicalId, Properties(billing, "us-east-1", "us-west-2"), Properties(billing, "us-east-1", "eu-west-1")));
        var replicas = (await In("us-east-1", "DescribeTable", table.PhysicalId)).Child("Table")!.Objects("Replicas").Select(replica => replica.Text("RegionName"));
        Assert.Equal(["eu-west-1"], replicas);
        await Complete(Provider(Type).DeleteAsync(Provisioning(), table.PhysicalId, []));
        await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() => In("eu-west-1", "DescribeTable", table.PhysicalId));
        Assert.Null(await Provider(Type).ReadAsync(Provisioning(), table.PhysicalId));
    }

    [Fact]
    public async Task The_stack_s_own_region_must_be_one_of_the_replicas()
    {
        var fault = await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() => Provision(Type, Properties("PAY_PER_REQUEST", "us-west-2").ToJsonString()));
        Assert.Contains("us-east-1", fault.Message, StringComparison.Ordinal);
    }
}
