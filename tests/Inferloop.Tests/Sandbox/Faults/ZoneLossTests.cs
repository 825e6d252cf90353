using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Tests.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Faults;

/// <summary>What a platform goes through when it loses an availability zone.</summary>
public sealed class ZoneLossTests : EcsServiceTestBase
{
    private SandboxFault Lose(string zone, TimeSpan? duration = null) =>
        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ZoneLoss, Zone = zone, Duration = duration });

    private async Task<List<JsonNode>> Tasks(string status)
    {
        var arns = (await Call("ecs", "ListTasks", $$"""{"cluster":"demo","serviceName":"synthdata","desiredStatus":"{{status}}"}"""))["taskArns"]!;
        return arns.AsArray().Count == 0 ? [] : [.. (await Call("ecs", "DescribeTasks", $$"""{"cluster":"demo","tasks":{{arns.ToJsonString()}}}"""))["tasks"]!.AsArray().Select(task => task!)];
    }

    private async Task Settle()
    {
        for (var minute = 0; minute < 15 && (await Tasks("RUNNING")).Count(task => (string?)task["lastStatus"] == "RUNNING") < 2; minute++)
        {
            Pass(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task Tasks_are_started_again_in_the_zone_that_is_left()
    {
        await Start();
        var loss = Lose("us-east-1a", TimeSpan.FromHours(1));
        var stopped = Assert.Single(await Tasks("STOPPED"));
        Assert.Equal("TerminationNotice", (string?)stopped["stopCode"]);
        Assert.Contains("us-east-1a", (string?)stopped["stoppedReason"], StringComparison.Ordinal);
        await Settle();
        var running = await Tasks("RUNNING");
        Assert.Equal(["us-east-1b", "us-east-1b"], running.Select(task => (string?)task["availabilityZone"]));
        Pass(TimeSpan.FromHours(1));
        Assert.Equal(SandboxFaultState.Ended, loss.State);

        // The zone is back: what starts now is spread over both again.
        foreach (var task in running)
        {
            await Call("ecs", "StopTask", $$"""{"cluster":"demo","task":"{{task["taskArn"]}}"}""");
        }
        Pass(TimeSpan.FromMinutes(1));
        await Settle();
        Assert.Equal(["us-east-1a", "us-east-1b"], (await Tasks("RUNNING")).Select(task => (string?)task["availabilityZone"]).Order());
    }

    [Fact]
    public async Task Without_a_zone_left_tasks_fail_to_start_until_one_is_back()
    {
        await Start();
        Lose("us-east-1a");
        var second = Lose("us-east-1b");
        Pass(TimeSpan.FromMinutes(3));
        Assert.Empty((await Tasks("RUNNING")).Where(task => (string?)task["lastStatus"] == "RUNNING").ToList());
        Assert.Contains(await Tasks("STOPPED"), task => ((string?)task["stoppedReason"])!.StartsWith("Capacity is unavailable at this time.", StringComparison.Ordinal));
        Runtime.Faults.Remove(second.Id);
        await Settle();
        Assert.Equal(["us-east-1b", "us-east-1b"], (await Tasks("RUNNING")).Select(task => (string?)task["availabilityZone"]));
    }

    [Fact]
    public async Task The_standby_of_a_database_and_the_replica_of_a_cache_take_over()
    {
        await Build();
        var subnets = (await Call("ec2", "DescribeSubnets"))["Subnets"]!.AsArray().Select(subnet => $"\"{subnet!["SubnetId"]}\"");
        var list = string.Join(',', subnets);
        await Call("rds", "CreateDBSubnetGroup", $$"""{"DBSubnetGroupName":"private","DBSubnetGroupDescription":"d","SubnetIds":[{{list}}]}""");
        await Call("rds", "CreateDBInstance", """{"DBInstanceIdentifier":"main","Engine":"postgres","EngineVersion":"17","DBInstanceClass":"db.t4g.micro","AllocatedStorage":20,"StorageType":"gp3","MasterUsername":"app","ManageMasterUserPassword":true,"DBSubnetGroupName":"private","MultiAZ":true}""");
        await Call("elasticache", "CreateCacheSubnetGroup", $$"""{"CacheSubnetGroupName":"private","CacheSubnetGroupDescription":"d","SubnetIds":[{{list}}]}""");
        await Call("elasticache", "CreateReplicationGroup", """{"ReplicationGroupId":"cache","ReplicationGroupDescription":"d","Engine":"redis","CacheNodeType":"cache.t4g.micro","NumCacheClusters":2,"AutomaticFailoverEnabled":true,"MultiAZEnabled":true,"CacheSubnetGroupName":"private"}""");
        Pass(TimeSpan.FromHours(1));
        async Task<JsonNode> Database() => (await Call("rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"main"}"""))["DBInstances"]![0]!;
        async Task<string?> Primary() => (string?)(await Call("elasticache", "DescribeReplicationGroups"))["ReplicationGroups"]![0]!["NodeGroups"]![0]!["NodeGroupMembers"]!.AsArray()
            .Single(member => (string?)member!["CurrentRole"] == "primary")!["PreferredAvailabilityZone"];
        var (zone, standby) = ((string?)(await Database())["AvailabilityZone"], (string?)(await Database())["SecondaryAvailabilityZone"]);

        Lose(zone!);
        Assert.Equal("rebooting", (string?)(await Database())["DBInstanceStatus"]);
        Pass(TimeSpan.FromMinutes(10));
        Assert.Equal(("available", standby), ((string?)(await Database())["DBInstanceStatus"], (string?)(await Database())["AvailabilityZone"]));
        var events = (await Call("rds", "DescribeEvents", """{"SourceIdentifier":"main","SourceType":"db-instance","Duration":120}"""))["Events"]!.AsArray().Select(item => (string?)item!["Message"]).ToList();
        Assert.Contains("Multi-AZ instance failover completed", events);
        Assert.NotEqual(zone, await Primary());

        // The other zone has nothing to fail over to.
        Lose(standby!);
        Pass(TimeSpan.FromMinutes(10));
        Assert.Equal(standby, (string?)(await Database())["AvailabilityZone"]);
        Assert.Equal("InsufficientDBInstanceCapacity", (await Fails("rds", "CreateDBInstance", """{"DBInstanceIdentifier":"next","Engine":"postgres","DBInstanceClass":"db.t4g.micro","AllocatedStorage":20,"MasterUsername":"app","ManageMasterUserPassword":true,"DBSubnetGroupName":"private"}""")).Code);
    }

    [Fact]
    public async Task Instances_cannot_be_started_in_it()
    {
        await Build();
        var subnets = (await Call("ec2", "DescribeSubnets"))["Subnets"]!.AsArray();
        string Run(string zone) => $$"""{"ImageId":"ami-0abcdef1234567890","InstanceType":"t3.micro","MinCount":1,"MaxCount":1,"SubnetId":"{{subnets.First(subnet => (string?)subnet!["AvailabilityZone"] == zone)!["SubnetId"]}}"}""";
        Lose("us-east-1a");
        Assert.Equal("InsufficientInstanceCapacity", (await Fails("ec2", "RunInstances", Run("us-east-1a"))).Code);
        await Call("ec2", "RunInstances", Run("us-east-1b"));
    }
}
