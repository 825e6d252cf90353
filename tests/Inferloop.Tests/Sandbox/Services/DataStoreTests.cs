using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>RDS, ElastiCache, the rotation of managed secrets and VPNs on a stepped clock.</summary>
public sealed class DataStoreTests : ServiceTestBase
{
    private async Task<string[]> Network()
    {
        var vpc = (string)(await Call("ec2", "CreateVpc", """{"CidrBlock":"10.0.0.0/16"}"""))["Vpc"]!["VpcId"]!;
        async Task<string> Subnet(string cidr, string zone) =>
            (string)(await Call("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"{{cidr}}","AvailabilityZone":"{{zone}}"}"""))["Subnet"]!["SubnetId"]!;
        return [vpc, await Subnet("10.0.1.0/24", "us-east-1a"), await Subnet("10.0.2.0/24", "us-east-1b")];
    }

    private async Task<string> DatabaseNetwork()
    {
        var network = await Network();
        await Call("rds", "CreateDBSubnetGroup", $$"""{"DBSubnetGroupName":"private","DBSubnetGroupDescription":"d","SubnetIds":["{{network[1]}}","{{network[2]}}"]}""");
        return network[0];
    }

    private const string Database = """{"DBInstanceIdentifier":"main","Engine":"postgres","EngineVersion":"17","DBInstanceClass":"db.t4g.micro","AllocatedStorage":20,"StorageType":"gp3","MasterUsername":"app","ManageMasterUserPassword":true,"DBSubnetGroupName":"private","StorageEncrypted":true,"BackupRetentionPeriod":7,"MultiAZ":true}""";

    private async Task<JsonNode> Instance(string id = "main") => (await Call("rds", "DescribeDBInstances", $$"""{"DBInstanceIdentifier":"{{id}}"}"""))["DBInstances"]![0]!;

    private async Task<string?> Status(string id = "main") => (string?)(await Instance(id))["DBInstanceStatus"];

    [Fact]
    public async Task An_instance_is_created_backed_up_and_then_available_with_a_secret_of_its_own()
    {
        await DatabaseNetwork();
        await Call("rds", "CreateDBInstance", Database);
        Assert.Equal("creating", await Status());
        Pass(TimeSpan.FromMinutes(10.5));
        Assert.Equal("backing-up", await Status());
        Pass(TimeSpan.FromMinutes(3));
        var instance = await Instance();
        Assert.Equal("available", (string?)instance["DBInstanceStatus"]);
        Assert.StartsWith("17.", (string?)instance["EngineVersion"], StringComparison.Ordinal);
        Assert.NotEqual((string?)instance["AvailabilityZone"], (string?)instance["SecondaryAvailabilityZone"]);
        var secret = (string)instance["MasterUserSecret"]!["SecretArn"]!;
        Assert.Contains(":secret:rds!db-", secret, StringComparison.Ordinal);
        async Task<string> Password() => (string)JsonNode.Parse((string)(await Call("secretsmanager", "GetSecretValue", $$"""{"SecretId":"{{secret}}"}"""))["SecretString"]!)!["password"]!;
        var before = await Password();
        Assert.Equal("InvalidRequestException", (await Fails("secretsmanager", "PutSecretValue", $$"""{"SecretId":"{{secret}}","SecretString":"x"}""")).Code);
        await Call("rds", "ModifyDBInstance", """{"DBInstanceIdentifier":"main","RotateMasterUserPassword":true,"ApplyImmediately":true}""");
        Assert.Equal("rotating", (string?)(await Instance())["MasterUserSecret"]!["SecretStatus"]);
        Assert.Equal(before, await Password());
        Pass(TimeSpan.FromMinutes(1));
        Assert.NotEqual(before, await Password());
        // And by itself a week after it was made.
        var second = await Password();
        Pass(TimeSpan.FromDays(7));
        Assert.NotEqual(second, await Password());
    }

    [Fact]
    public async Task Snapshots_restore_and_a_deletion_asks_for_one()
    {
        await DatabaseNetwork();
        await Call("rds", "CreateDBInstance", Database);
        Pass(TimeSpan.FromMinutes(30));
        Assert.Equal("InvalidParameterCombination", (await Fails("rds", "DeleteDBInstance", """{"DBInstanceIdentifier":"main"}""")).Code);
        await Call("rds", "ModifyDBInstance", """{"DBInstanceIdentifier":"main","DeletionProtection":true,"ApplyImmediately":true}""");
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("Cannot delete protected DB Instance, please disable deletion protection and try again.", (await Fails("rds", "DeleteDBInstance", """{"DBInstanceIdentifier":"main","SkipFinalSnapshot":true}""")).Message);
        await Call("rds", "ModifyDBInstance", """{"DBInstanceIdentifier":"main","DeletionProtection":false,"ApplyImmediately":true}""");
        Pass(TimeSpan.FromMinutes(1));
        await Call("rds", "DeleteDBInstance", """{"DBInstanceIdentifier":"main","FinalDBSnapshotIdentifier":"last"}""");
        Assert.Equal("deleting", await Status());
        Pass(TimeSpan.FromMinutes(8));
        Assert.Equal("DBInstanceNotFound", (await Fails("rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"main"}""")).Code);
        Assert.Empty((await Call("ec2", "DescribeNetworkInterfaces"))["NetworkInterfaces"]!.AsArray());
        await Call("rds", "RestoreDBInstanceFromDBSnapshot", """{"DBInstanceIdentifier":"again","DBSnapshotIdentifier":"last","DBSubnetGroupName":"private"}""");
        Pass(TimeSpan.FromMinutes(20));
        var again = await Instance("again");
        Assert.Equal(("available", true, "app"), ((string?)again["DBInstanceStatus"], (bool?)again["StorageEncrypted"], (string?)again["MasterUsername"]));
        Pass(TimeSpan.FromDays(1));
        Assert.NotEmpty((await Call("rds", "DescribeDBSnapshots", """{"DBInstanceIdentifier":"again","SnapshotType":"automated"}"""))["DBSnapshots"]!.AsArray());
        await Call("rds", "RestoreDBInstanceToPointInTime", """{"SourceDBInstanceIdentifier":"again","TargetDBInstanceIdentifier":"earlier","UseLatestRestorableTime":true}""");
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal("available", await Status("earlier"));
    }

    [Fact]
    public async Task A_change_waits_for_the_window_unless_it_is_to_be_immediate_and_a_failover_swaps_the_zones()
    {
        await DatabaseNetwork();
        await Call("rds", "CreateDBInstance", Database);
        Pass(TimeSpan.FromMinutes(30));
        await Call("rds", "ModifyDBInstance", """{"DBInstanceIdentifier":"main","DBInstanceClass":"db.t4g.small"}""");
        Assert.Equal("db.t4g.small", (string?)(await Instance())["PendingModifiedValues"]!["DBInstanceClass"]);
        Assert.Equal("available", await Status());
        Pass(TimeSpan.FromDays(7));
        Assert.Equal("db.t4g.small", (string?)(await Instance())["DBInstanceClass"]);
        await Call("rds", "ModifyDBInstance", """{"DBInstanceIdentifier":"main","DBInstanceClass":"db.t4g.medium","ApplyImmediately":true}""");
        Assert.Equal("modifying", await Status());
        Pass(TimeSpan.FromMinutes(10));
        var instance = await Instance();
        Assert.Equal(("available", "db.t4g.medium"), ((string?)instance["DBInstanceStatus"], (string?)instance["DBInstanceClass"]));
        await Call("rds", "RebootDBInstance", """{"DBInstanceIdentifier":"main","ForceFailover":true}""");
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal((string?)instance["SecondaryAvailabilityZone"], (string?)(await Instance())["AvailabilityZone"]);
        Assert.Contains((await Call("rds", "DescribeEvents", """{"SourceType":"db-instance","SourceIdentifier":"main","Duration":60}"""))["Events"]!.AsArray(),
            item => (string?)item!["Message"] == "Multi-AZ instance failover completed");
    }

    [Fact]
    public async Task A_replica_follows_lags_and_is_promoted()
    {
        await DatabaseNetwork();
        await Call("rds", "CreateDBInstance", Database);
        Pass(TimeSpan.FromMinutes(30));
        await Call("rds", "CreateDBInstanceReadReplica", """{"DBInstanceIdentifier":"reader","SourceDBInstanceIdentifier":"main"}""");
        Pass(TimeSpan.FromMinutes(15));
        Assert.Equal("main", (string?)(await Instance("reader"))["ReadReplicaSourceDBInstanceIdentifier"]);
        Assert.Equal("reader", (string?)(await Instance())["ReadReplicaDBInstanceIdentifiers"]![0]);
        Assert.NotEmpty((await Call("cloudwatch", "ListMetrics", """{"Namespace":"AWS/RDS","MetricName":"ReplicaLag"}"""))["Metrics"]!.AsArray());
        await Call("rds", "PromoteReadReplica", """{"DBInstanceIdentifier":"reader"}""");
        Pass(TimeSpan.FromMinutes(10));
        var promoted = await Instance("reader");
        Assert.Equal(("available", null), ((string?)promoted["DBInstanceStatus"], (string?)promoted["ReadReplicaSourceDBInstanceIdentifier"]));
        Assert.Empty((await Instance())["ReadReplicaDBInstanceIdentifiers"]!.AsArray());
    }

    [Fact]
    public async Task A_replica_in_another_region_tells_its_lag_and_is_promoted_while_its_source_s_region_is_lost()
    {
        const string West = "us-west-2";
        async Task<JsonObject> There(string service, string operation, string input) => await Runtime.Service(service)!.InvokeAsync(Context.InRegion(West), operation, (JsonObject)JsonNode.Parse(input)!);
        async Task<double> Lag()
        {
            var (from, to) = (Runtime.Clock.Now.AddMinutes(-2).ToUnixTimeSeconds(), Runtime.Clock.Now.ToUnixTimeSeconds());
            var read = await There("cloudwatch", "GetMetricStatistics", $$"""{"Namespace":"AWS/RDS","MetricName":"ReplicaLag","Dimensions":[{"Name":"DBInstanceIdentifier","Value":"west"}],"StartTime":{{from}},"EndTime":{{to}},"Period":60,"Statistics":["Maximum"]}""");
            return read["Datapoints"]!.AsArray().Max(point => (double)point!["Maximum"]!);
        }
        await DatabaseNetwork();
        await Call("rds", "CreateDBInstance", Database);
        Pass(TimeSpan.FromMinutes(30));
        var vpc = (string)(await There("ec2", "CreateVpc", """{"CidrBlock":"10.1.0.0/16"}"""))["Vpc"]!["VpcId"]!;
        var subnets = new List<string>();
        foreach (var (cidr, zone) in ((string, string)[])[("10.1.1.0/24", "a"), ("10.1.2.0/24", "b")])
        {
            subnets.Add((string)(await There("ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"{{cidr}}","AvailabilityZone":"{{West}}{{zone}}"}"""))["Subnet"]!["SubnetId"]!);
        }
        await There("rds", "CreateDBSubnetGroup", $$"""{"DBSubnetGroupName":"west","DBSubnetGroupDescription":"d","SubnetIds":["{{subnets[0]}}","{{subnets[1]}}"]}""");
        const string Source = "arn:aws:rds:us-east-1:123456789012:db:main";
        await There("rds", "CreateDBInstanceReadReplica", $$"""{"DBInstanceIdentifier":"west","SourceDBInstanceIdentifier":"{{Source}}","DBSubnetGroupName":"west","KmsKeyId":"alias/aws/rds"}""");
        Pass(TimeSpan.FromMinutes(25));
        Assert.InRange(await Lag(), 0.5, 1.5);
        var lag = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ReplicationLag, Service = "rds", Delay = TimeSpan.FromHours(2) });
        Pass(TimeSpan.FromMinutes(3));
        Assert.InRange(await Lag(), 7200, 7202);
        Runtime.Faults.Remove(lag.Id);

        var loss = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "us-east-1" });
        Pass(TimeSpan.FromMinutes(30));
        Assert.InRange(await Lag(), 1700, 1802);
        // What needs the lost region fails; the promotion does not need it.
        var unreachable = await Assert.ThrowsAsync<ServiceFault>(() => There("rds", "CreateDBInstanceReadReplica", $$"""{"DBInstanceIdentifier":"second","SourceDBInstanceIdentifier":"{{Source}}","KmsKeyId":"alias/aws/rds"}"""));
        Assert.Equal(("InternalFailure", 500), (unreachable.Code, unreachable.Status));
        await There("rds", "PromoteReadReplica", """{"DBInstanceIdentifier":"west","BackupRetentionPeriod":7}""");
        Pass(TimeSpan.FromMinutes(10));
        var promoted = (await There("rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"west"}"""))["DBInstances"]![0]!;
        Assert.Equal(("available", null), ((string?)promoted["DBInstanceStatus"], (string?)promoted["ReadReplicaSourceDBInstanceIdentifier"]));
        // The old source knows nothing of it before its region is back.
        Assert.Single((await Instance())["ReadReplicaDBInstanceIdentifiers"]!.AsArray());
        Runtime.Faults.Remove(loss.Id);
        Pass(TimeSpan.FromSeconds(10));
        Assert.Empty((await Instance())["ReadReplicaDBInstanceIdentifiers"]!.AsArray());
    }

    [Theory]
    [InlineData("\"EngineVersion\":\"17\"", "\"EngineVersion\":\"17.1\"", "InvalidParameterCombination")]
    [InlineData("db.t4g.micro", "db.t9.micro", "InvalidParameterValue")]
    [InlineData("\"AllocatedStorage\":20", "\"AllocatedStorage\":19", "InvalidParameterValue")]
    [InlineData("\"MasterUsername\":\"app\"", "\"MasterUsername\":\"rdsadmin\"", "InvalidParameterValue")]
    [InlineData("\"DBSubnetGroupName\":\"private\"", "\"DBSubnetGroupName\":\"nowhere\"", "DBSubnetGroupNotFoundFault")]
    [InlineData("\"BackupRetentionPeriod\":7", "\"BackupRetentionPeriod\":36", "InvalidParameterValue")]
    [InlineData("\"BackupRetentionPeriod\":7", "\"MonitoringInterval\":60", "InvalidParameterCombination")]
    [InlineData("\"BackupRetentionPeriod\":7", "\"DatabaseInsightsMode\":\"advanced\"", "InvalidParameterCombination")]
    [InlineData("\"BackupRetentionPeriod\":7", "\"PreferredBackupWindow\":\"04:00-05:00\",\"PreferredMaintenanceWindow\":\"sun:04:30-sun:05:30\"", "InvalidParameterValue")]
    [InlineData("\"StorageEncrypted\":true", "\"StorageEncrypted\":true,\"KmsKeyId\":\"alias/none\"", "KMSKeyNotAccessibleFault")]
    [InlineData("\"ManageMasterUserPassword\":true", "\"MasterUserPassword\":\"short\"", "InvalidParameterValue")]
    public async Task What_RDS_refuses_is_refused(string part, string instead, string code)
    {
        await DatabaseNetwork();
        Assert.Equal(code, (await Fails("rds", "CreateDBInstance", Database.Replace(part, instead, StringComparison.Ordinal))).Code);
        Assert.Empty((await Call("secretsmanager", "ListSecrets"))["SecretList"]!.AsArray());
    }

    [Fact]
    public async Task Parameters_are_checked_and_static_ones_wait_for_a_restart()
    {
        await DatabaseNetwork();
        await Call("rds", "CreateDBParameterGroup", """{"DBParameterGroupName":"own","DBParameterGroupFamily":"postgres17","Description":"d"}""");
        Task<string> Code(string name, string value, string method) => Fails("rds", "ModifyDBParameterGroup", $$"""{"DBParameterGroupName":"own","Parameters":[{"ParameterName":"{{name}}","ParameterValue":"{{value}}","ApplyMethod":"{{method}}"}]}""").ContinueWith(task => task.Result.Message, TaskScheduler.Default);
        Assert.Equal("cannot use immediate apply method for static parameter", await Code("max_connections", "200", "immediate"));
        Assert.Contains("allowed values are", await Code("log_statement", "some", "immediate"), StringComparison.Ordinal);
        Assert.Equal("Could not find parameter with name: nonsense", await Code("nonsense", "1", "immediate"));
        await Call("rds", "CreateDBInstance", Database.Replace("\"MultiAZ\":true", "\"DBParameterGroupName\":\"own\"", StringComparison.Ordinal));
        Pass(TimeSpan.FromMinutes(30));
        await Call("rds", "ModifyDBParameterGroup", """{"DBParameterGroupName":"own","Parameters":[{"ParameterName":"max_connections","ParameterValue":"200","ApplyMethod":"pending-reboot"}]}""");
        async Task<string?> Applied() => (string?)(await Instance())["DBParameterGroups"]![0]!["ParameterApplyStatus"];
        Assert.Equal("pending-reboot", await Applied());
        await Call("rds", "RebootDBInstance", """{"DBInstanceIdentifier":"main"}""");
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("in-sync", await Applied());
        Assert.Equal("InvalidDBParameterGroupState", (await Fails("rds", "DeleteDBParameterGroup", """{"DBParameterGroupName":"own"}""")).Code);
    }

    [Fact]
    public async Task A_replication_group_grows_fails_over_and_leaves_a_snapshot()
    {
        var network = await Network();
        await Call("elasticache", "CreateCacheSubnetGroup", $$"""{"CacheSubnetGroupName":"cache","CacheSubnetGroupDescription":"d","SubnetIds":["{{network[1]}}","{{network[2]}}"]}""");
        const string Cache = """{"ReplicationGroupId":"main","ReplicationGroupDescription":"d","Engine":"valkey","EngineVersion":"8.0","CacheNodeType":"cache.t4g.micro","CacheSubnetGroupName":"cache","NumCacheClusters":1,"TransitEncryptionEnabled":true,"AuthToken":"0123456789abcdef"}""";
        Assert.Equal("InvalidParameterCombination", (await Fails("elasticache", "CreateReplicationGroup", Cache.Replace("\"NumCacheClusters\":1", "\"NumCacheClusters\":1,\"AutomaticFailoverEnabled\":true", StringComparison.Ordinal))).Code);
        Assert.Equal("InvalidParameterCombination", (await Fails("elasticache", "CreateReplicationGroup", Cache.Replace("\"TransitEncryptionEnabled\":true,", "", StringComparison.Ordinal))).Code);
        await Call("elasticache", "CreateReplicationGroup", Cache);
        async Task<JsonNode> Group() => (await Call("elasticache", "DescribeReplicationGroups", """{"ReplicationGroupId":"main"}"""))["ReplicationGroups"]![0]!;
        Assert.Equal("creating", (string?)(await Group())["Status"]);
        Pass(TimeSpan.FromMinutes(8));
        Assert.StartsWith("master.main.", (string?)(await Group())["NodeGroups"]![0]!["PrimaryEndpoint"]!["Address"], StringComparison.Ordinal);
        await Call("elasticache", "IncreaseReplicaCount", """{"ReplicationGroupId":"main","NewReplicaCount":1,"ApplyImmediately":true}""");
        Pass(TimeSpan.FromMinutes(10));
        await Call("elasticache", "ModifyReplicationGroup", """{"ReplicationGroupId":"main","AutomaticFailoverEnabled":true,"MultiAZEnabled":true,"ApplyImmediately":true}""");
        Pass(TimeSpan.FromMinutes(3));
        async Task<string?> Primary() => (string?)(await Group())["NodeGroups"]![0]!["NodeGroupMembers"]!.AsArray().Single(member => (string?)member!["CurrentRole"] == "primary")!["CacheClusterId"];
        Assert.Equal("main-001", await Primary());
        await Call("elasticache", "TestFailover", """{"ReplicationGroupId":"main","NodeGroupId":"0001"}""");
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal("main-002", await Primary());
        await Call("elasticache", "DeleteReplicationGroup", """{"ReplicationGroupId":"main","FinalSnapshotIdentifier":"last"}""");
        Pass(TimeSpan.FromMinutes(10));
        Assert.Equal("ReplicationGroupNotFoundFault", (await Fails("elasticache", "DescribeReplicationGroups", """{"ReplicationGroupId":"main"}""")).Code);
        Assert.Equal("available", (string?)(await Call("elasticache", "DescribeSnapshots", """{"SnapshotName":"last"}"""))["Snapshots"]![0]!["SnapshotStatus"]);
    }

    [Fact]
    public async Task A_function_that_cannot_run_rotates_nothing_unless_its_work_is_declared()
    {
        await Call("secretsmanager", "CreateSecret", """{"Name":"own","SecretString":"{\"username\":\"a\",\"password\":\"one\"}"}""");
        const string Rotate = """{"SecretId":"own","RotationLambdaARN":"arn:aws:lambda:us-east-1:123456789012:function:rotate","RotationRules":{"AutomaticallyAfterDays":30}}""";
        async Task<string?> Value() => (string?)(await Call("secretsmanager", "GetSecretValue", """{"SecretId":"own"}"""))["SecretString"];
        await Call("secretsmanager", "RotateSecret", Rotate);
        Pass(TimeSpan.FromMinutes(5));
        Assert.Contains("one", await Value(), StringComparison.Ordinal);
        Assert.Null((await Call("secretsmanager", "DescribeSecret", """{"SecretId":"own"}"""))["LastRotatedDate"]);
        await Call("secretsmanager", "TagResource", """{"SecretId":"own","Tags":[{"Key":"inferloop:sandbox-rotation","Value":"generate"}]}""");
        Pass(TimeSpan.FromDays(31));
        Assert.DoesNotContain("one", await Value(), StringComparison.Ordinal);
        Assert.Contains("\"username\":\"a\"", await Value(), StringComparison.Ordinal);
    }
}
