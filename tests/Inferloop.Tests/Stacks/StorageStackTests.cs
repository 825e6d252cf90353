using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>Buckets and tables: the document's settings to the letter, in every stage.</summary>
public sealed class StorageStackTests
{
    [Fact]
    public async Task The_bucket_has_the_document_s_lifecycle_exactly()
    {
        var bucket = (await StackFixture.EvaluateAsync()).Find("Storage/DataBucket");
        var rule = bucket.At("LifecycleConfiguration.Rules")!.Items.Single(r => r["Id"]!.AsString() == "document-lifecycle");
        Assert.Equal("Enabled", rule["Status"]!.AsString());
        Assert.Null(rule["Prefix"]);
        Assert.Equal([("STANDARD_IA", "30"), ("GLACIER", "90")], rule["Transitions"]!.Items.Select(t => (t["StorageClass"]!.AsString(), t["TransitionInDays"]!.AsString())));
        Assert.Equal("180", rule["NoncurrentVersionExpiration"]!["NoncurrentDays"]!.AsString());
        Assert.Null(rule["ExpirationInDays"]);
        Assert.Equal("Enabled", bucket.Text("VersioningConfiguration.Status"));
    }

    [Fact]
    public async Task The_application_s_retention_is_added_only_where_it_does_not_contradict_the_document()
    {
        static Dictionary<string, string> Expirations(EvaluatedStack stack) => stack.Find("Storage/DataBucket").At("LifecycleConfiguration.Rules")!.Items
            .Where(r => r["ExpirationInDays"] is not null).ToDictionary(r => r["Prefix"]!.AsString()!, r => r["ExpirationInDays"]!.AsString()!);
        Assert.Equal(new Dictionary<string, string> { ["temporary/"] = "1" }, Expirations(await StackFixture.EvaluateAsync()));
        Assert.Equal(
            new Dictionary<string, string> { ["temporary/"] = "1", ["input/"] = "30", ["output/"] = "90" },
            Expirations(await StackFixture.EvaluateAsync(parameters: [("InputRetentionDays", "30"), ("OutputRetentionDays", "90")])));
        Assert.Empty(Expirations(await StackFixture.EvaluateAsync(parameters: [("TemporaryRetentionDays", "0")])));
    }

    [Theory]
    [InlineData("dev", "AES256", "AES256")]
    [InlineData("dev", "KMS", "aws:kms")]
    [InlineData("prod", "AES256", "AES256")]
    public async Task Everything_is_encrypted_whatever_the_stage(string stage, string encryption, string algorithm)
    {
        var stack = await StackFixture.EvaluateAsync(stage, parameters: [("BucketEncryption", encryption), ("CapacityMode", "Ec2")]);
        foreach (var bucket in stack.OfType("AWS::S3::Bucket"))
        {
            var used = bucket.Text("BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm");
            Assert.Equal(bucket.LogicalId == "DataBucket" ? algorithm : "AES256", used);
        }

        Assert.Equal("true", stack.Find("Storage/Table").Text("SSESpecification.SSEEnabled"));
        Assert.Equal("KMS", stack.Find("Storage/Table").Text("SSESpecification.SSEType"));
        Assert.Equal("true", stack.Find("Ecs/LaunchTemplate").Text("LaunchTemplateData.BlockDeviceMappings.0.Ebs.Encrypted"));
        Assert.All(stack.OfType("AWS::Logs::LogGroup"), g => Assert.NotNull(g.At("KmsKeyId")));
        Assert.All(stack.OfType("AWS::SecretsManager::Secret"), s => Assert.NotNull(s.At("KmsKeyId")));
        Assert.Equal("true", stack.Find("Security/Key").Text("EnableKeyRotation"));
    }

    [Fact]
    public async Task Buckets_are_private_owned_and_reached_over_TLS_only()
    {
        var control = await StackEvaluator.EvaluateAsync(
            StackFixture.Load("control.yaml"), StackFixture.Context(new Dictionary<string, string>()), TestContext.Current.CancellationToken);
        foreach (var stack in new[] { await StackFixture.EvaluateAsync(), control })
        {
            foreach (var bucket in stack.OfType("AWS::S3::Bucket"))
            {
                foreach (var setting in new[] { "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets" })
                {
                    Assert.Equal("true", bucket.Text("PublicAccessBlockConfiguration." + setting));
                }

                Assert.Equal("BucketOwnerEnforced", bucket.Text("OwnershipControls.Rules.0.ObjectOwnership"));
                var policy = stack.OfType("AWS::S3::BucketPolicy").Single(p => p.LogicalId == bucket.LogicalId + "Policy");
                var tls = policy.At("PolicyDocument.Statement")!.Items.Single(s => s["Sid"]!.AsString() == "TlsOnly");
                Assert.Equal("Deny", tls["Effect"]!.AsString());
                Assert.Equal("false", tls["Condition"]!["Bool"]!["aws:SecureTransport"]!.AsString());
                Assert.Equal(2, tls["Resource"]!.Items.Count);
            }
        }
    }

    [Fact]
    public async Task The_table_is_the_document_s()
    {
        var table = (await StackFixture.EvaluateAsync()).Find("Storage/Table");
        Assert.Equal("PAY_PER_REQUEST", table.Text("BillingMode"));
        Assert.Equal([("id", "HASH"), ("timestamp", "RANGE")], Keys(table.At("KeySchema")!));
        Assert.Equal([("status", "HASH"), ("timestamp", "RANGE")], Keys(table.At("GlobalSecondaryIndexes.0.KeySchema")!));
        Assert.Equal(
            new Dictionary<string, string> { ["id"] = "S", ["timestamp"] = "N", ["status"] = "S" },
            table.At("AttributeDefinitions")!.Items.ToDictionary(a => a["AttributeName"]!.AsString()!, a => a["AttributeType"]!.AsString()!));
        Assert.Equal("true", table.Text("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"));
        Assert.Equal("NEW_AND_OLD_IMAGES", table.Text("StreamSpecification.StreamViewType"));

        static IEnumerable<(string?, string?)> Keys(Value schema) => schema.Items.Select(k => (k["AttributeName"]!.AsString(), k["KeyType"]!.AsString()));
    }

    [Theory]
    [InlineData("true", "RetainExceptOnCreate", "Retain")]
    [InlineData("false", "Delete", "Delete")]
    public async Task Data_outlives_the_stack_or_not_as_asked_and_its_key_with_it(string retain, string deletion, string replacement)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("RetainData", retain)]);
        foreach (var path in new[] { "Storage/DataBucket", "Storage/AccessLogBucket", "Storage/Table", "Security/Key", "Logs/AuditLogGroup" })
        {
            Assert.Equal((path, deletion, replacement), (path, stack.Find(path).DeletionPolicy, stack.Find(path).UpdateReplacePolicy));
        }

        Assert.Equal("Delete", stack.Find("Logs/ApplicationLogGroup").DeletionPolicy);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Deletion_protection_is_one_switch_apart_from_encryption_and_size(string protection)
    {
        var stack = await StackFixture.EvaluateAsync("dev", parameters: [("DeletionProtection", protection)]);
        Assert.Equal(protection, stack.Find("Storage/Table").Text("DeletionProtectionEnabled"));
        Assert.Equal(protection, stack.Find("Ecs/LoadBalancer").At("LoadBalancerAttributes")!.Items.Single(a => a["Key"]!.AsString() == "deletion_protection.enabled")["Value"]!.AsString());
    }

    [Fact]
    public async Task Nothing_that_may_outlive_the_stack_has_a_name_that_stays_taken()
    {
        var stack = await StackFixture.EvaluateAsync();
        Assert.All(stack.OfType("AWS::S3::Bucket"), b => Assert.Null(b.At("BucketName")));
        Assert.All(stack.OfType("AWS::DynamoDB::Table"), t => Assert.Null(t.At("TableName")));
        Assert.All(stack.AllResources().Where(r => r.DeletionPolicy != "Delete" && r.Type == "AWS::Logs::LogGroup"), g => Assert.Null(g.At("LogGroupName")));
        Assert.All(stack.OfType("AWS::SecretsManager::Secret"), s => Assert.Null(s.At("Name")));
    }

    [Fact]
    public async Task Access_logs_reach_their_bucket()
    {
        var stack = await StackFixture.EvaluateAsync();
        var attributes = stack.Find("Ecs/LoadBalancer").At("LoadBalancerAttributes")!.Items.ToDictionary(a => a["Key"]!.AsString()!, a => a["Value"]!);
        Assert.Equal("true", attributes["access_logs.s3.enabled"].AsString());
        Assert.Contains("Storage/AccessLogBucket", attributes["access_logs.s3.bucket"].Sources);
        var delivery = stack.Find("Storage/AccessLogBucketPolicy").At("PolicyDocument.Statement")!.Items;
        Assert.Contains(delivery, s => s["Principal"]?["Service"]?.AsString() == "logdelivery.elasticloadbalancing.amazonaws.com");
        Assert.Contains($"/{attributes["access_logs.s3.prefix"].AsString()}/AWSLogs/{StackFixture.Account}/", delivery.Single(s => s["Sid"]!.AsString() == "LoadBalancerLogs")["Resource"]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_control_stack_keeps_what_it_knows()
    {
        var control = await StackEvaluator.EvaluateAsync(
            StackFixture.Load("control.yaml"), StackFixture.Context(new Dictionary<string, string>()), TestContext.Current.CancellationToken);
        var table = control.Find("OperationsTable");
        Assert.Equal(("pk", "sk"), (table.Text("KeySchema.0.AttributeName"), table.Text("KeySchema.1.AttributeName")));
        Assert.Equal("expiresAt", table.Text("TimeToLiveSpecification.AttributeName"));
        Assert.Equal("true", table.Text("DeletionProtectionEnabled"));
        Assert.Equal("true", table.Text("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"));
        Assert.All(control.Resources.Where(r => r.Type != "AWS::S3::BucketPolicy"), r => Assert.Equal(("RetainExceptOnCreate", "Retain"), (r.DeletionPolicy, r.UpdateReplacePolicy)));
        Assert.Equal("Enabled", control.Find("TemplateBucket").Text("VersioningConfiguration.Status"));
    }
}
