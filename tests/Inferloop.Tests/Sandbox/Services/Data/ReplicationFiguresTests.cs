using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>What stores tell of how far their copies in another region are behind, and automated backups that are copied there.</summary>
public sealed class ReplicationFiguresTests : ServiceTestBase
{
    private const string East = "us-east-1";
    private const string West = "us-west-2";

    private async Task<JsonObject> In(string region, string service, string operation, string input) =>
        await Runtime.Service(service)!.InvokeAsync(Context.InRegion(region), operation, (JsonObject)JsonNode.Parse(input)!);

    private async Task<double?> Metric(string region, string space, string name, string statistic, params (string Name, string Value)[] dimensions)
    {
        var now = Context.Now;
        var points = (await In(region, "cloudwatch", "GetMetricStatistics", new JsonObject
        {
            ["Namespace"] = space, ["MetricName"] = name, ["Statistics"] = new JsonArray(statistic), ["Period"] = 60, ["StartTime"] = Documents.Time(now.AddMinutes(-2.5)), ["EndTime"] = Documents.Time(now),
            ["Dimensions"] = dimensions.Select(static item => new JsonObject { ["Name"] = item.Name, ["Value"] = item.Value }).ToJsonList(),
        }.ToJsonString())).Objects("Datapoints").OrderBy(static point => point.TimeOf("Timestamp")).ToList();
        return points.Count == 0 ? null : points[^1].Double(statistic);
    }

    private SandboxFault Partition() => Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionPartition, Region = East, OtherRegion = West });

    [Fact]
    public async Task A_global_table_s_latency_is_a_second_and_grows_while_nothing_gets_through()
    {
        await Call("dynamodb", "CreateTable", """{"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}""");
        Pass(TimeSpan.FromSeconds(15));
        await Call("dynamodb", "UpdateTable", """{"TableName":"jobs","ReplicaUpdates":[{"Create":{"RegionName":"us-west-2"}}]}""");
        Pass(TimeSpan.FromMinutes(6));
        Task Put() => Call("dynamodb", "PutItem", """{"TableName":"jobs","Item":{"id":{"S":"a"}}}""");
        Task<double?> Latency() => Metric(East, "AWS/DynamoDB", "ReplicationLatency", "Maximum", ("TableName", "jobs"), ("ReceivingRegion", West));
        Assert.Null(await Latency());
        await Put();
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal(1000, await Latency());
        var partition = Partition();
        await Put();
        Pass(TimeSpan.FromMinutes(10));
        Assert.InRange((await Latency())!.Value, 9 * 60_000, 11 * 60_000);
        Runtime.Faults.Remove(partition.Id);
        Pass(TimeSpan.FromMinutes(2));
        // That one write took the time of the partition.
        Assert.InRange((await Latency())!.Value, 10 * 60_000, 11 * 60_000);
        Pass(TimeSpan.FromMinutes(3));
        Assert.Null(await Latency());
    }

    [Fact]
    public async Task A_rule_with_time_control_tells_of_what_is_pending_and_of_objects_that_are_late()
    {
        Task S3(string operation, JsonObject input, string region = East) => Runtime.Service("s3")!.InvokeAsync(Context.InRegion(region).WithPayload("0123456789"u8.ToArray()), operation, input);
        foreach (var (bucket, region) in ((string, string)[])[("here", East), ("there", West)])
        {
            await S3("CreateBucket", region == East ? new JsonObject { ["Bucket"] = bucket } : new JsonObject { ["Bucket"] = bucket, ["CreateBucketConfiguration"] = new JsonObject { ["LocationConstraint"] = region } }, region);
            await S3("PutBucketVersioning", new JsonObject { ["Bucket"] = bucket, ["VersioningConfiguration"] = new JsonObject { ["Status"] = "Enabled" } }, region);
        }
        await Call("iam", "CreateRole", """{"RoleName":"copier","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"s3.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}""");
        await Call("iam", "PutRolePolicy", """{"RoleName":"copier","PolicyName":"p","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}]}"}""");
        await S3("PutObject", new JsonObject { ["Bucket"] = "here", ["Key"] = "before" });
        await S3("PutBucketReplication", new JsonObject
        {
            ["Bucket"] = "here",
            ["ReplicationConfiguration"] = JsonNode.Parse("""{"Role":"arn:aws:iam::123456789012:role/copier","Rules":[{"ID":"all","Priority":1,"Status":"Enabled","Filter":{"Prefix":""},"DeleteMarkerReplication":{"Status":"Enabled"},"Destination":{"Bucket":"arn:aws:s3:::there","ReplicationTime":{"Status":"Enabled","Time":{"Minutes":15}},"Metrics":{"Status":"Enabled","EventThreshold":{"Minutes":15}}}}]}"""),
        });
        var queue = (await Call("sqs", "CreateQueue", """{"QueueName":"late"}""")).Required("QueueUrl");
        await Call("sqs", "SetQueueAttributes", new JsonObject { ["QueueUrl"] = queue, ["Attributes"] = new JsonObject { ["Policy"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}""" } }.ToJsonString());
        await S3("PutBucketNotificationConfiguration", new JsonObject { ["Bucket"] = "here", ["NotificationConfiguration"] = JsonNode.Parse("""{"QueueConfigurations":[{"QueueArn":"arn:aws:sqs:us-east-1:123456789012:late","Events":["s3:Replication:*"]}]}""") });
        (string, string)[] dimensions = [("SourceBucket", "here"), ("DestinationBucket", "there"), ("RuleId", "all")];
        Task<double?> Figure(string name) => Metric(West, "AWS/S3", name, "Maximum", dimensions);
        await S3("PutObject", new JsonObject { ["Bucket"] = "here", ["Key"] = "first" });
        Pass(TimeSpan.FromMinutes(1.2));
        Assert.Equal(15, await Figure("ReplicationLatency"));
        Pass(TimeSpan.FromMinutes(2));
        Assert.Equal((0, 0.0), (await Figure("ReplicationLatency"), await Figure("OperationsPendingReplication")));

        var partition = Partition();
        await S3("PutObject", new JsonObject { ["Bucket"] = "here", ["Key"] = "second" });
        await S3("PutObject", new JsonObject { ["Bucket"] = "here", ["Key"] = "third" });
        Pass(TimeSpan.FromMinutes(20));
        Assert.Equal((2, 20.0), (await Figure("OperationsPendingReplication"), await Figure("BytesPendingReplication")));
        Assert.InRange((await Figure("ReplicationLatency"))!.Value, 19 * 60, 21 * 60);
        // Events are sent in the background.
        var events = new List<string?>();
        async Task<int> Received(string name)
        {
            events.AddRange((await Call("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","MaxNumberOfMessages":10}""")).Objects("Messages").Select(message => JsonNode.Parse(message.Required("Body"))!)
                .Where(body => body["Records"] is not null).Select(body => (string?)body["Records"]![0]!["eventName"]));
            return events.Count(item => item == "Replication:" + name);
        }
        await CloudFormationCaller.UntilAsync(() => Received("OperationMissedThreshold"), static count => count == 2);
        Runtime.Faults.Remove(partition.Id);
        Pass(TimeSpan.FromMinutes(2));
        await CloudFormationCaller.UntilAsync(() => Received("OperationReplicatedAfterThreshold"), static count => count == 2);
        Assert.Equal(0, await Figure("OperationsPendingReplication"));
        // What was there before the rule is not copied.
        var there = await Runtime.Service("s3")!.InvokeAsync(Context.InRegion(West), "ListObjectsV2", new JsonObject { ["Bucket"] = "there" });
        Assert.Equal(["first", "second", "third"], there.Objects("Contents").Select(static item => item.Text("Key")));
    }

    private async Task Database(string region)
    {
        var vpc = (string)(await In(region, "ec2", "CreateVpc", """{"CidrBlock":"10.0.0.0/16"}"""))["Vpc"]!["VpcId"]!;
        async Task<string> Subnet(int number, char zone) => (string)(await In(region, "ec2", "CreateSubnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.{{number}}.0/24","AvailabilityZone":"{{region}}{{zone}}"}"""))["Subnet"]!["SubnetId"]!;
        await In(region, "rds", "CreateDBSubnetGroup", $$"""{"DBSubnetGroupName":"private","DBSubnetGroupDescription":"d","SubnetIds":["{{await Subnet(1, 'a')}}","{{await Subnet(2, 'b')}}"]}""");
    }

    [Fact]
    public async Task Automated_backups_are_copied_to_another_region_and_restored_there_when_the_first_is_lost()
    {
        await Database(East);
        await Database(West);
        await In(East, "rds", "CreateDBInstance", """{"DBInstanceIdentifier":"main","Engine":"postgres","EngineVersion":"17","DBInstanceClass":"db.t4g.micro","AllocatedStorage":20,"MasterUsername":"app","MasterUserPassword":"long-enough-1","DBSubnetGroupName":"private","BackupRetentionPeriod":7}""");
        Pass(TimeSpan.FromMinutes(30));
        var arn = (await In(East, "rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"main"}""")).Objects("DBInstances").Single().Required("DBInstanceArn");
        const string start = "StartDBInstanceAutomatedBackupsReplication";
        var started = (await In(West, "rds", start, $$"""{"SourceDBInstanceArn":"{{arn}}","BackupRetentionPeriod":14}""")).Child("DBInstanceAutomatedBackup")!;
        Assert.Equal(("pending", East, 14), (started.Text("Status"), started.Text("Region"), started.Int("BackupRetentionPeriod")));
        Assert.Equal("InvalidDBInstanceAutomatedBackupState", (await Assert.ThrowsAsync<ServiceFault>(() => In(West, "rds", start, $$"""{"SourceDBInstanceArn":"{{arn}}"}"""))).Code);
        Assert.Single((await In(East, "rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"main"}""")).Objects("DBInstances").Single().Objects("DBInstanceAutomatedBackupsReplications"));
        Pass(TimeSpan.FromMinutes(60));
        var backupArn = started.Required("DBInstanceAutomatedBackupsArn");
        async Task<JsonObject> Backup() => (await In(West, "rds", "DescribeDBInstanceAutomatedBackups", $$"""{"DBInstanceAutomatedBackupsArn":"{{backupArn}}"}""")).Objects("DBInstanceAutomatedBackups").Single();
        var backup = await Backup();
        Assert.Equal("replicating", backup.Text("Status"));
        Assert.InRange((Context.Now - backup.Child("RestoreWindow")!.TimeOf("LatestTime")!.Value).TotalMinutes, 9, 11);
        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = East });
        var lost = Context.Now;
        Pass(TimeSpan.FromMinutes(30));
        // Nothing after the loss has come over.
        var latest = (await Backup()).Child("RestoreWindow")!.TimeOf("LatestTime")!.Value;
        Assert.InRange((lost - latest).TotalMinutes, 9, 11);
        await In(West, "rds", "RestoreDBInstanceToPointInTime", $$"""{"SourceDBInstanceAutomatedBackupsArn":"{{backupArn}}","TargetDBInstanceIdentifier":"main-west","UseLatestRestorableTime":true,"DBSubnetGroupName":"private"}""");
        Pass(TimeSpan.FromMinutes(30));
        var restored = (await In(West, "rds", "DescribeDBInstances", """{"DBInstanceIdentifier":"main-west"}""")).Objects("DBInstances").Single();
        Assert.Equal(("available", "app"), (restored.Text("DBInstanceStatus"), restored.Text("MasterUsername")));
        var late = await Assert.ThrowsAsync<ServiceFault>(() => In(West, "rds", "RestoreDBInstanceToPointInTime", $$"""{"SourceDBInstanceAutomatedBackupsArn":"{{backupArn}}","TargetDBInstanceIdentifier":"late","RestoreTime":"{{lost.AddMinutes(5):yyyy-MM-ddTHH:mm:ssZ}}"}"""));
        Assert.Equal("InvalidParameterValue", late.Code);
        await In(West, "rds", "StopDBInstanceAutomatedBackupsReplication", $$"""{"SourceDBInstanceArn":"{{arn}}"}""");
        Assert.Equal("retained", (await Backup()).Text("Status"));
    }
}
