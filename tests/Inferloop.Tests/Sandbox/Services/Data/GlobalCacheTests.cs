using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>Global datastores: members in several regions, their lag, the change of the primary with the old one there and lost.</summary>
public sealed class GlobalCacheTests : ServiceTestBase
{
    private const string East = "us-east-1";
    private const string West = "us-west-2";

    private async Task<JsonObject> In(string region, string operation, string input, string service = "elasticache") =>
        await Runtime.Service(service)!.InvokeAsync(Context.InRegion(region), operation, (JsonObject)JsonNode.Parse(input)!);

    private async Task<ServiceFault> FailsIn(string region, string operation, string input) => await Assert.ThrowsAsync<ServiceFault>(() => In(region, operation, input));

    private async Task Subnets(string region)
    {
        var vpc = (string)(await In(region, "CreateVpc", """{"CidrBlock":"10.0.0.0/16"}""", "ec2"))["Vpc"]!["VpcId"]!;
        async Task<string> Subnet(int number, char zone) =>
            (string)(await In(region, "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.{{number}}.0/24","AvailabilityZone":"{{region}}{{zone}}"}""", "ec2"))["Subnet"]!["SubnetId"]!;
        await In(region, "CreateCacheSubnetGroup", $$"""{"CacheSubnetGroupName":"private","CacheSubnetGroupDescription":"d","SubnetIds":["{{await Subnet(1, 'a')}}","{{await Subnet(2, 'b')}}"]}""");
    }

    private async Task Primary(string type = "cache.r7g.large")
    {
        await Subnets(East);
        await Subnets(West);
        await In(East, "CreateReplicationGroup", $$"""{"ReplicationGroupId":"sessions","ReplicationGroupDescription":"d","Engine":"valkey","EngineVersion":"8.1","CacheNodeType":"{{type}}","NumCacheClusters":2,"AutomaticFailoverEnabled":true,"MultiAZEnabled":true,"CacheSubnetGroupName":"private","TransitEncryptionEnabled":true,"AuthToken":"a-long-enough-token"}""");
        Pass(TimeSpan.FromMinutes(10));
    }

    private const string Join = """{"ReplicationGroupId":"sessions-west","ReplicationGroupDescription":"d","GlobalReplicationGroupId":"ldgnf-all","NumCacheClusters":2,"AutomaticFailoverEnabled":true,"CacheSubnetGroupName":"private"}""";

    private async Task<JsonObject> Group(string region, string id) => (await In(region, "DescribeReplicationGroups", $$"""{"ReplicationGroupId":"{{id}}"}""")).Objects("ReplicationGroups").Single();

    private async Task<string?> Role(string region, string id) => (await Group(region, id)).Child("GlobalReplicationGroupInfo")!.Text("GlobalReplicationGroupMemberRole");

    private async Task<JsonObject> Global(string region = West) => (await In(region, "DescribeGlobalReplicationGroups", """{"GlobalReplicationGroupId":"ldgnf-all","ShowMemberInfo":true}""")).Objects("GlobalReplicationGroups").Single();

    private async Task Both()
    {
        await Primary();
        await In(East, "CreateGlobalReplicationGroup", """{"GlobalReplicationGroupIdSuffix":"all","PrimaryReplicationGroupId":"sessions"}""");
        Pass(TimeSpan.FromMinutes(6));
        await In(West, "CreateReplicationGroup", Join);
        Pass(TimeSpan.FromMinutes(10));
    }

    private const string Failover = """{"GlobalReplicationGroupId":"ldgnf-all","PrimaryRegion":"us-west-2","PrimaryReplicationGroupId":"sessions-west"}""";

    [Fact]
    public async Task A_secondary_joins_with_what_the_primary_has_and_follows_it()
    {
        await Primary();
        var created = (await In(East, "CreateGlobalReplicationGroup", """{"GlobalReplicationGroupIdSuffix":"all","PrimaryReplicationGroupId":"sessions"}""")).Child("GlobalReplicationGroup")!;
        Assert.Equal(("ldgnf-all", "creating", "arn:aws:elasticache::123456789012:globalreplicationgroup:ldgnf-all"), (created.Text("GlobalReplicationGroupId"), created.Text("Status"), created.Text("ARN")));
        Assert.Equal("InvalidGlobalReplicationGroupState", (await FailsIn(West, "CreateReplicationGroup", Join)).Code);
        Pass(TimeSpan.FromMinutes(6));
        Assert.Equal("primary-only", (await Global(East)).Text("Status"));
        Assert.Equal("InvalidParameterCombination", (await FailsIn(West, "CreateReplicationGroup", Join.Replace("\"NumCacheClusters\"", "\"CacheNodeType\":\"cache.r7g.large\",\"NumCacheClusters\"", StringComparison.Ordinal))).Code);
        Assert.Equal("InvalidParameterCombination", (await FailsIn(East, "CreateReplicationGroup", Join)).Code);
        await In(West, "CreateReplicationGroup", Join);
        Assert.Equal("modifying", (await Global()).Text("Status"));
        Pass(TimeSpan.FromMinutes(10));
        var global = await Global();
        Assert.Equal("available", global.Text("Status"));
        Assert.Equal([("sessions", "PRIMARY", "associated"), ("sessions-west", "SECONDARY", "associated")], global.Objects("Members").Select(member => (member.Text("ReplicationGroupId"), member.Text("Role"), member.Text("Status"))));
        var west = await Group(West, "sessions-west");
        Assert.Equal(("valkey", "cache.r7g.large", true, true, "available"), (west.Text("Engine"), west.Text("CacheNodeType"), west.Is("TransitEncryptionEnabled"), west.Is("AuthTokenEnabled"), west.Text("Status")));
        Pass(TimeSpan.FromMinutes(3));
        Assert.InRange(await Lag(), 0.1, 2);
        // What is all members' is not changed at one, and a member does not go by itself.
        Assert.Equal("InvalidReplicationGroupState", (await FailsIn(West, "ModifyReplicationGroup", """{"ReplicationGroupId":"sessions-west","CacheNodeType":"cache.r7g.xlarge","ApplyImmediately":true}""")).Code);
        Assert.Equal("InvalidReplicationGroupState", (await FailsIn(East, "DeleteReplicationGroup", """{"ReplicationGroupId":"sessions"}""")).Code);
        await In(East, "ModifyGlobalReplicationGroup", """{"GlobalReplicationGroupId":"ldgnf-all","CacheNodeType":"cache.r7g.xlarge","ApplyImmediately":true}""");
        Pass(TimeSpan.FromMinutes(12));
        Assert.Equal(["cache.r7g.xlarge", "cache.r7g.xlarge", "cache.r7g.xlarge"], [(await Global()).Text("CacheNodeType"), (await Group(West, "sessions-west")).Text("CacheNodeType"), (await Group(East, "sessions")).Text("CacheNodeType")]);
    }

    private async Task<double> Lag()
    {
        var now = Context.Now;
        var points = (await In(West, "GetMetricStatistics", new JsonObject
        {
            ["Namespace"] = "AWS/ElastiCache", ["MetricName"] = "GlobalDatastoreReplicationLag", ["Statistics"] = new JsonArray("Maximum"), ["Period"] = 60,
            ["StartTime"] = Documents.Time(now.AddMinutes(-4)), ["EndTime"] = Documents.Time(now),
            ["Dimensions"] = new JsonArray(new JsonObject { ["Name"] = "CacheClusterId", ["Value"] = "sessions-west-001" }),
        }.ToJsonString(), "cloudwatch")).Objects("Datapoints").ToList();
        return points.Max(point => point.Double("Maximum")!.Value);
    }

    [Fact]
    public async Task Small_nodes_have_no_global_datastore()
    {
        await Primary("cache.t4g.small");
        Assert.Contains("cache.t4g.small", (await FailsIn(East, "CreateGlobalReplicationGroup", """{"GlobalReplicationGroupIdSuffix":"all","PrimaryReplicationGroupId":"sessions"}""")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_secondary_becomes_the_primary_while_the_old_one_s_region_is_lost()
    {
        await Both();
        var loss = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = East });
        Pass(TimeSpan.FromMinutes(10));
        Assert.InRange(await Lag(), 500, 700);
        await In(West, "FailoverGlobalReplicationGroup", Failover);
        Assert.Equal("modifying", (await Global()).Text("Status"));
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("PRIMARY", await Role(West, "sessions-west"));
        Assert.Equal("PRIMARY", await Role(East, "sessions"));
        Assert.Equal("InvalidParameterValue", (await FailsIn(West, "FailoverGlobalReplicationGroup", Failover)).Code);
        Runtime.Faults.Remove(loss.Id);
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal("SECONDARY", await Role(East, "sessions"));
        // And back, with both there.
        await In(East, "FailoverGlobalReplicationGroup", """{"GlobalReplicationGroupId":"ldgnf-all","PrimaryRegion":"us-east-1","PrimaryReplicationGroupId":"sessions"}""");
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(("PRIMARY", "SECONDARY"), (await Role(East, "sessions"), await Role(West, "sessions-west")));
    }

    [Fact]
    public async Task A_secondary_leaves_and_then_stands_alone()
    {
        await Both();
        const string leave = """{"GlobalReplicationGroupId":"ldgnf-all","ReplicationGroupId":"sessions-west","ReplicationGroupRegion":"us-west-2"}""";
        Assert.Equal("InvalidParameterValue", (await FailsIn(East, "DisassociateGlobalReplicationGroup", leave.Replace("sessions-west", "sessions", StringComparison.Ordinal).Replace(West, East, StringComparison.Ordinal))).Code);
        Assert.Equal("InvalidGlobalReplicationGroupState", (await FailsIn(East, "DeleteGlobalReplicationGroup", """{"GlobalReplicationGroupId":"ldgnf-all","RetainPrimaryReplicationGroup":true}""")).Code);
        await In(West, "DisassociateGlobalReplicationGroup", leave);
        Pass(TimeSpan.FromMinutes(6));
        Assert.Null(await Role(West, "sessions-west"));
        Assert.Equal("primary-only", (await Global(East)).Text("Status"));
        await In(West, "DeleteReplicationGroup", """{"ReplicationGroupId":"sessions-west"}""");
        await In(East, "DeleteGlobalReplicationGroup", """{"GlobalReplicationGroupId":"ldgnf-all","RetainPrimaryReplicationGroup":true}""");
        Pass(TimeSpan.FromMinutes(6));
        Assert.Equal("GlobalReplicationGroupNotFoundFault", (await FailsIn(East, "DescribeGlobalReplicationGroups", """{"GlobalReplicationGroupId":"ldgnf-all"}""")).Code);
        Assert.Equal("available", (await Group(East, "sessions")).Text("Status"));
        Assert.Null(await Role(East, "sessions"));
    }

    [Fact]
    public async Task A_template_makes_the_datastore_and_takes_it_away()
    {
        await Primary();
        const string properties = """{"GlobalReplicationGroupIdSuffix":"all","Members":[{"ReplicationGroupId":"sessions","ReplicationGroupRegion":"us-east-1","Role":"PRIMARY"}]}""";
        var made = await Provision("AWS::ElastiCache::GlobalReplicationGroup", properties);
        Assert.Equal(("ldgnf-all", "primary-only"), (made.PhysicalId, (string?)made.Attributes["Status"]));
        var joining = Runtime.Provider("AWS::ElastiCache::ReplicationGroup")!.CreateAsync(ProvisioningIn(West), (JsonObject)JsonNode.Parse(Join)!);
        Assert.Equal("sessions-west", (await Complete(joining)).PhysicalId);
        Assert.Equal("SECONDARY", await Role(West, "sessions-west"));
        // Roles in the template change the primary.
        var swapped = (JsonObject)JsonNode.Parse("""{"GlobalReplicationGroupIdSuffix":"all","Members":[{"ReplicationGroupId":"sessions","ReplicationGroupRegion":"us-east-1","Role":"SECONDARY"},{"ReplicationGroupId":"sessions-west","ReplicationGroupRegion":"us-west-2","Role":"PRIMARY"}]}""")!;
        await Complete(Provider("AWS::ElastiCache::GlobalReplicationGroup").UpdateAsync(Provisioning(), made.PhysicalId, (JsonObject)JsonNode.Parse(properties)!, swapped));
        Assert.Equal("PRIMARY", await Role(West, "sessions-west"));
        await Complete(Provider("AWS::ElastiCache::GlobalReplicationGroup").DeleteAsync(Provisioning(), made.PhysicalId, swapped));
        Assert.Null(await Provider("AWS::ElastiCache::GlobalReplicationGroup").ReadAsync(Provisioning(), made.PhysicalId));
        Assert.Null(await Role(East, "sessions"));
        Assert.Equal("available", (await Group(West, "sessions-west")).Text("Status"));
    }
}
