using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>What storage offers beside the document's defaults: replication, tiers, acceleration, provisioned capacity, a global table.</summary>
public sealed class StorageOptionTests
{
    private const string Replica = "arn:aws:s3:::inferloop-recovery-data";
    private const string ReplicaKey = "arn:aws:kms:us-west-2:123456789012:key/11111111-2222-3333-4444-555555555555";

    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) => StackFixture.EvaluateAsync(parameters: parameters);

    [Fact]
    public async Task Without_asking_there_is_no_replication_acceleration_metrics_or_scaling()
    {
        var stack = await EvaluateAsync();
        var bucket = stack.Find("Storage/DataBucket");
        Assert.Null(bucket.At("ReplicationConfiguration"));
        Assert.Null(bucket.At("AccelerateConfiguration"));
        Assert.Null(bucket.At("MetricsConfigurations"));
        Assert.Equal("PAY_PER_REQUEST", stack.Find("Storage/Table").Text("BillingMode"));
        Assert.Null(stack.Find("Storage/Table").At("ProvisionedThroughput"));
        Assert.DoesNotContain(stack.OfType("AWS::ApplicationAutoScaling::ScalableTarget"), t => t.Text("ServiceNamespace") == "dynamodb");
        Assert.Empty(stack.OfType("AWS::DynamoDB::GlobalTable"));
    }

    [Theory]
    [InlineData("false", "Disabled", "false")]
    [InlineData("true", "Enabled", "true")]
    public async Task Replication_copies_every_object_and_its_role_can_do_no_more(string markers, string status, string timeControl)
    {
        var stack = await EvaluateAsync(("ReplicaBucketArn", Replica), ("ReplicateDeleteMarkers", markers), ("ReplicationTimeControl", timeControl));
        var rule = stack.Find("Storage/DataBucket").At("ReplicationConfiguration.Rules.0")!;
        Assert.Equal(Replica, rule["Destination"]!["Bucket"]!.AsString());
        Assert.Equal(status, rule["DeleteMarkerReplication"]!["Status"]!.AsString());
        Assert.Equal(timeControl == "true" ? "15" : null, rule["Destination"]!["ReplicationTime"]?["Time"]!["Minutes"]!.AsString());
        Assert.Equal(timeControl == "true" ? "15" : null, rule["Destination"]!["Metrics"]?["EventThreshold"]!["Minutes"]!.AsString());
        var statements = stack.Find("Storage/ReplicationAccess").At("PolicyDocument.Statement")!.Items;
        var write = statements.Single(s => s["Sid"]!.AsString() == "WriteReplicas");
        Assert.Equal(Replica + "/*", write["Resource"]!.AsString());
        Assert.Equal(markers == "true" ? ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ReplicateDelete"] : ["s3:ReplicateObject", "s3:ReplicateTags"], write["Action"]!.Items.Select(a => a.AsString()));
        Assert.DoesNotContain(statements, s => s["Sid"]!.AsString()!.Contains("crypt", StringComparison.Ordinal));
        Assert.Equal("s3.amazonaws.com", stack.Find("Storage/ReplicationRole").Text("AssumeRolePolicyDocument.Statement.0.Principal.Service"));
    }

    [Fact]
    public async Task Encrypted_objects_are_replicated_under_a_key_of_the_other_region()
    {
        var stack = await EvaluateAsync(("BucketEncryption", "KMS"), ("ReplicaBucketArn", Replica), ("ReplicaKeyArn", ReplicaKey));
        var rule = stack.Find("Storage/DataBucket").At("ReplicationConfiguration.Rules.0")!;
        Assert.Equal("Enabled", rule["SourceSelectionCriteria"]!["SseKmsEncryptedObjects"]!["Status"]!.AsString());
        Assert.Equal(ReplicaKey, rule["Destination"]!["EncryptionConfiguration"]!["ReplicaKmsKeyID"]!.AsString());
        var statements = stack.Find("Storage/ReplicationAccess").At("PolicyDocument.Statement")!.Items;
        Assert.True(statements.Single(s => s["Sid"]!.AsString() == "DecryptHere")["Resource"]!.ComesFrom("Security/Key"));
        Assert.Equal(ReplicaKey, statements.Single(s => s["Sid"]!.AsString() == "EncryptThere")["Resource"]!.AsString());
    }

    [Theory]
    [InlineData("BucketEncryption", "KMS", "ReplicaBucketArn", Replica)]
    [InlineData("GlobalTable", "false", "TableReplicaRegion", "us-west-2")]
    [InlineData("GlobalTable", "true", "TableReplicaRegion", "us-west-2")]
    public async Task Replicas_without_a_key_or_a_global_table_are_refused(string first, string value, string second, string other) =>
        await Assert.ThrowsAsync<TemplateException>(() => EvaluateAsync((first, value), (second, other)));

    [Fact]
    public async Task Tiers_by_use_replace_the_fixed_days_and_keep_the_rest_of_the_lifecycle()
    {
        var bucket = (await EvaluateAsync(("IntelligentTiering", "true"), ("TransferAcceleration", "true"), ("RequestMetrics", "true"))).Find("Storage/DataBucket");
        var rule = bucket.At("LifecycleConfiguration.Rules.0")!;
        Assert.Equal([("INTELLIGENT_TIERING", "0")], rule["Transitions"]!.Items.Select(t => (t["StorageClass"]!.AsString(), t["TransitionInDays"]!.AsString())));
        Assert.Equal("180", rule["NoncurrentVersionExpiration"]!["NoncurrentDays"]!.AsString());
        Assert.Equal("Enabled", bucket.Text("AccelerateConfiguration.AccelerationStatus"));
        Assert.Equal("EntireBucket", bucket.Text("MetricsConfigurations.0.Id"));
    }

    [Fact]
    public async Task Provisioned_capacity_of_table_and_index_scales_for_reads_and_for_writes()
    {
        var stack = await EvaluateAsync(("TableBillingMode", "Provisioned"), ("TableMinimumReadCapacity", "10"), ("TableMaximumWriteCapacity", "500"));
        var table = stack.Find("Storage/Table");
        Assert.Equal("PROVISIONED", table.Text("BillingMode"));
        Assert.Equal("10", table.Text("ProvisionedThroughput.ReadCapacityUnits"));
        Assert.Equal("5", table.Text("GlobalSecondaryIndexes.0.ProvisionedThroughput.WriteCapacityUnits"));
        var targets = stack.OfType("AWS::ApplicationAutoScaling::ScalableTarget").Where(t => t.Text("ServiceNamespace") == "dynamodb").ToList();
        Assert.Equal(
            ["dynamodb:index:ReadCapacityUnits 10-100", "dynamodb:index:WriteCapacityUnits 5-500", "dynamodb:table:ReadCapacityUnits 10-100", "dynamodb:table:WriteCapacityUnits 5-500"],
            targets.Select(t => $"{t.Text("ScalableDimension")} {t.Text("MinCapacity")}-{t.Text("MaxCapacity")}").Order());
        Assert.Equal(
            ["DynamoDBReadCapacityUtilization 70", "DynamoDBReadCapacityUtilization 70", "DynamoDBWriteCapacityUtilization 70", "DynamoDBWriteCapacityUtilization 70"],
            stack.OfType("AWS::ApplicationAutoScaling::ScalingPolicy").Select(p => p.At("TargetTrackingScalingPolicyConfiguration")).OfType<Value>()
                .Where(c => c["PredefinedMetricSpecification"]!["PredefinedMetricType"]!.AsString()!.StartsWith("DynamoDB", StringComparison.Ordinal))
                .Select(c => $"{c["PredefinedMetricSpecification"]!["PredefinedMetricType"]!.AsString()} {c["TargetValue"]!.AsString()}").Order());
    }

    [Theory]
    [InlineData("OnDemand")]
    [InlineData("Provisioned")]
    public async Task A_global_table_is_the_same_table_in_two_regions(string billing)
    {
        var stack = await EvaluateAsync(("GlobalTable", "true"), ("TableReplicaRegion", "us-west-2"), ("TableReplicaKeyArn", ReplicaKey), ("TableBillingMode", billing));
        Assert.Empty(stack.OfType("AWS::DynamoDB::Table"));
        Assert.DoesNotContain(stack.OfType("AWS::ApplicationAutoScaling::ScalableTarget"), t => t.Text("ServiceNamespace") == "dynamodb");
        var global = stack.Find("Storage/GlobalJobsTable");
        var regional = (await EvaluateAsync(("TableBillingMode", billing))).Find("Storage/Table");
        foreach (var property in new[] { "BillingMode", "KeySchema", "AttributeDefinitions", "StreamSpecification" })
        {
            Assert.Equal(regional.At(property)!.ToString(), global.At(property)!.ToString());
        }

        Assert.Equal("RetainExceptOnCreate", global.DeletionPolicy);
        var replicas = global.At("Replicas")!.Items;
        Assert.Equal(["us-east-1", "us-west-2"], replicas.Select(r => r["Region"]!.AsString()));
        Assert.True(replicas[0]["SSESpecification"]!["KMSMasterKeyId"]!.ComesFrom("Security/Key"));
        Assert.Equal(ReplicaKey, replicas[1]["SSESpecification"]!["KMSMasterKeyId"]!.AsString());
        Assert.All(replicas, r => Assert.Equal("true", r["PointInTimeRecoverySpecification"]!["PointInTimeRecoveryEnabled"]!.AsString()));
        Assert.All(replicas, r => Assert.Equal(billing == "Provisioned" ? "100" : null, r["ReadProvisionedThroughputSettings"]?["ReadCapacityAutoScalingSettings"]!["MaxCapacity"]!.AsString()));

        // Everything that works with the table has moved along.
        foreach (var (policy, sid) in new[] { ("TaskStorageAccess", "UseTable"), ("LambdaStorageAccess", "UseTable"), ("LambdaStorageAccess", "FindStreams") })
        {
            var resource = stack.Find("Storage/" + policy).At("PolicyDocument.Statement")!.Items.Single(s => s["Sid"]!.AsString() == sid)["Resource"]!;
            Assert.All(resource is ListValue list ? list.Items : [resource], r => Assert.True(r.ComesFrom("Storage/GlobalJobsTable")));
        }

        Assert.True(stack.Outputs["TableName"].Value.ComesFrom("Storage/GlobalJobsTable"));
    }

    [Fact]
    public async Task A_global_table_may_begin_without_a_replica() =>
        Assert.Single((await EvaluateAsync(("GlobalTable", "true"))).Find("Storage/GlobalJobsTable").At("Replicas")!.Items);
}
