using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>Keys, secrets and images in several regions: replicas, their primary, what happens while a region is lost.</summary>
public sealed class RegionReplicationTests : ServiceTestBase
{
    private const string West = "us-west-2";

    private async Task<JsonObject> In(string region, string service, string operation, string input) =>
        await Runtime.Service(service)!.InvokeAsync(Context.InRegion(region), operation, (JsonObject)JsonNode.Parse(input)!);

    private async Task<string> FailsIn(string region, string service, string operation, string input) =>
        (await Assert.ThrowsAsync<ServiceFault>(() => In(region, service, operation, input))).Code;

    private async Task<(string Id, string Arn)> MultiRegionKey()
    {
        var key = (await Call("kms", "CreateKey", """{"MultiRegion":true}""")).Child("KeyMetadata")!;
        return (key.Required("KeyId"), key.Required("Arn"));
    }

    private async Task<JsonObject> Key(string region, string id) => (await In(region, "kms", "DescribeKey", $$"""{"KeyId":"{{id}}"}""")).Child("KeyMetadata")!;

    [Fact]
    public async Task A_multi_region_key_decrypts_in_every_region_and_its_primary_can_move()
    {
        var (id, arn) = await MultiRegionKey();
        var ciphertext = (await Call("kms", "Encrypt", $$"""{"KeyId":"{{id}}","Plaintext":"aGVsbG8="}""")).Required("CiphertextBlob");
        var replica = await Call("kms", "ReplicateKey", $$"""{"KeyId":"{{id}}","ReplicaRegion":"{{West}}","Description":"west"}""");
        Assert.Equal("Creating", replica.Child("ReplicaKeyMetadata")!.Text("KeyState"));
        Assert.Equal("KMSInvalidStateException", await FailsIn(West, "kms", "Decrypt", $$"""{"CiphertextBlob":"{{ciphertext}}"}"""));
        Assert.Equal("AlreadyExistsException", (await Fails("kms", "ReplicateKey", $$"""{"KeyId":"{{id}}","ReplicaRegion":"{{West}}"}""")).Code);
        Pass(TimeSpan.FromSeconds(15));
        Assert.Equal("aGVsbG8=", (await In(West, "kms", "Decrypt", $$"""{"CiphertextBlob":"{{ciphertext}}"}""")).Text("Plaintext"));
        Assert.Equal("UnsupportedOperationException", await FailsIn(West, "kms", "EnableKeyRotation", $$"""{"KeyId":"{{id}}"}"""));
        // Material that the primary gets is the replicas' too.
        await Call("kms", "RotateKeyOnDemand", $$"""{"KeyId":"{{id}}"}""");
        var rotated = (await Call("kms", "Encrypt", $$"""{"KeyId":"{{id}}","Plaintext":"aGk="}""")).Required("CiphertextBlob");
        Assert.Equal("aGk=", (await In(West, "kms", "Decrypt", $$"""{"CiphertextBlob":"{{rotated}}"}""")).Text("Plaintext"));

        await Call("kms", "UpdatePrimaryRegion", $$"""{"KeyId":"{{id}}","PrimaryRegion":"{{West}}"}""");
        Assert.Equal("Updating", (await Key(West, id)).Text("KeyState"));
        Assert.Equal("KMSInvalidStateException", (await Fails("kms", "DisableKey", $$"""{"KeyId":"{{id}}"}""")).Code);
        Assert.Equal("aGk=", (await Call("kms", "Decrypt", $$"""{"CiphertextBlob":"{{rotated}}"}""")).Text("Plaintext"));
        Pass(TimeSpan.FromSeconds(20));
        var (east, west) = (await Key("us-east-1", id), await Key(West, id));
        Assert.Equal(("Enabled", "REPLICA", West), (east.Text("KeyState"), east.Child("MultiRegionConfiguration")!.Text("MultiRegionKeyType"), east.Child("MultiRegionConfiguration")!.Child("PrimaryKey")!.Text("Region")));
        Assert.Equal(arn, Assert.Single(west.Child("MultiRegionConfiguration")!.Objects("ReplicaKeys")).Text("Arn"));

        // The primary goes after its last replica.
        await In(West, "kms", "ScheduleKeyDeletion", $$"""{"KeyId":"{{id}}","PendingWindowInDays":7}""");
        Assert.Equal("PendingReplicaDeletion", (await Key(West, id)).Text("KeyState"));
        await Call("kms", "ScheduleKeyDeletion", $$"""{"KeyId":"{{id}}","PendingWindowInDays":7}""");
        Pass(TimeSpan.FromDays(8));
        Assert.Equal("NotFoundException", (await Fails("kms", "DescribeKey", $$"""{"KeyId":"{{id}}"}""")).Code);
        Assert.Equal("PendingDeletion", (await Key(West, id)).Text("KeyState"));
        Pass(TimeSpan.FromDays(7));
        Assert.Equal("NotFoundException", await FailsIn(West, "kms", "DescribeKey", $$"""{"KeyId":"{{id}}"}"""));
    }

    [Fact]
    public async Task Keys_of_one_region_have_no_replicas_and_a_lost_region_takes_none()
    {
        var single = (await Call("kms", "CreateKey")).Child("KeyMetadata")!.Required("KeyId");
        Assert.Equal("UnsupportedOperationException", (await Fails("kms", "ReplicateKey", $$"""{"KeyId":"{{single}}","ReplicaRegion":"{{West}}"}""")).Code);
        var (id, _) = await MultiRegionKey();
        Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = West });
        Assert.Equal("KMSInternalException", (await Fails("kms", "ReplicateKey", $$"""{"KeyId":"{{id}}","ReplicaRegion":"{{West}}"}""")).Code);
    }

    [Fact]
    public async Task A_replica_key_of_a_template_has_the_primary_s_id_its_own_policy_and_tags()
    {
        var key = (await In(West, "kms", "CreateKey", """{"MultiRegion":true}""")).Child("KeyMetadata")!;
        var properties = $$$"""{"PrimaryKeyArn":"{{{key.Text("Arn")}}}","Description":"here","PendingWindowInDays":7,"Tags":[{"Key":"a","Value":"1"}],"KeyPolicy":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]} }""";
        var made = await Provision("AWS::KMS::ReplicaKey", properties);
        Assert.Equal(key.Text("KeyId"), made.PhysicalId);
        Assert.Equal($"arn:aws:kms:us-east-1:123456789012:key/{made.PhysicalId}", (string?)made.Attributes["Arn"]);
        var read = (await Provider("AWS::KMS::ReplicaKey").ReadAsync(Provisioning(), made.PhysicalId))!;
        Assert.Equal((key.Text("Arn"), "here", true), (read.Text("PrimaryKeyArn"), read.Text("Description"), read.Is("Enabled")));
        Assert.Contains(read.Objects("Tags"), tag => tag.Text("Key") == "a");
        var before = (JsonObject)JsonNode.Parse(properties)!;
        await Complete(Provider("AWS::KMS::ReplicaKey").UpdateAsync(Provisioning(), made.PhysicalId, before, before.Copy().With("Enabled", false)));
        Assert.Equal("Disabled", (await Key("us-east-1", made.PhysicalId)).Text("KeyState"));
        Assert.Equal("Enabled", (await Key(West, made.PhysicalId)).Text("KeyState"));
        await Complete(Provider("AWS::KMS::ReplicaKey").DeleteAsync(Provisioning(), made.PhysicalId, before));
        Assert.Null(await Provider("AWS::KMS::ReplicaKey").ReadAsync(Provisioning(), made.PhysicalId));
    }

    private async Task<JsonObject> ReplicationOf(string secret) => Assert.Single((await Call("secretsmanager", "DescribeSecret", $$"""{"SecretId":"{{secret}}"}""")).Objects("ReplicationStatus"));

    [Fact]
    public async Task A_secret_s_replica_follows_its_primary_and_cannot_be_changed_until_it_stands_alone()
    {
        var created = await Call("secretsmanager", "CreateSecret", $$"""{"Name":"db","SecretString":"one","AddReplicaRegions":[{"Region":"{{West}}"}]}""");
        Assert.Equal("InProgress", Assert.Single(created.Objects("ReplicationStatus")).Text("Status"));
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("InSync", (await ReplicationOf("db")).Text("Status"));
        async Task<string?> Value() => (await In(West, "secretsmanager", "GetSecretValue", """{"SecretId":"db"}""")).Text("SecretString");
        Assert.Equal("one", await Value());
        Assert.Equal(created.Required("ARN").Replace("us-east-1", West, StringComparison.Ordinal), (await In(West, "secretsmanager", "DescribeSecret", """{"SecretId":"db"}""")).Text("ARN"));
        await Call("secretsmanager", "PutSecretValue", """{"SecretId":"db","SecretString":"two"}""");
        Assert.Equal("one", await Value());
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("two", await Value());
        Assert.Equal("one", (await In(West, "secretsmanager", "GetSecretValue", """{"SecretId":"db","VersionStage":"AWSPREVIOUS"}""")).Text("SecretString"));
        Assert.Equal("InvalidRequestException", await FailsIn(West, "secretsmanager", "PutSecretValue", """{"SecretId":"db","SecretString":"no"}"""));
        Assert.Equal("InvalidRequestException", await FailsIn(West, "secretsmanager", "DeleteSecret", """{"SecretId":"db"}"""));
        Assert.Contains(West, (await Fails("secretsmanager", "DeleteSecret", """{"SecretId":"db"}""")).Message, StringComparison.Ordinal);

        // The primary's region is lost: the replica is made a secret of its own, and the primary learns of it when it is back.
        var loss = Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.RegionLoss, Region = "us-east-1" });
        await In(West, "secretsmanager", "StopReplicationToReplica", """{"SecretId":"db"}""");
        await In(West, "secretsmanager", "PutSecretValue", """{"SecretId":"db","SecretString":"three"}""");
        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(West, (await ReplicationOf("db")).Text("Region"));
        Runtime.Faults.Remove(loss.Id);
        Pass(TimeSpan.FromSeconds(10));
        Assert.False((await Call("secretsmanager", "DescribeSecret", """{"SecretId":"db"}""")).Has("ReplicationStatus"));
        Assert.Equal("three", await Value());

        // A name that is taken fails, and can be forced.
        await Call("secretsmanager", "ReplicateSecretToRegions", $$"""{"SecretId":"db","AddReplicaRegions":[{"Region":"{{West}}"}]}""");
        Pass(TimeSpan.FromSeconds(10));
        var failed = await ReplicationOf("db");
        Assert.Equal(("Failed", $"Replication failed: Secret name db already exists in region {West}."), (failed.Text("Status"), failed.Text("StatusMessage")));
        Assert.Equal("three", await Value());
        await Call("secretsmanager", "ReplicateSecretToRegions", $$"""{"SecretId":"db","AddReplicaRegions":[{"Region":"{{West}}"}],"ForceOverwriteReplicaSecret":true}""");
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("two", await Value());
        await Call("secretsmanager", "RemoveRegionsFromReplication", $$"""{"SecretId":"db","RemoveReplicaRegions":["{{West}}"]}""");
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("ResourceNotFoundException", await FailsIn(West, "secretsmanager", "DescribeSecret", """{"SecretId":"db"}"""));
        await Call("secretsmanager", "DeleteSecret", """{"SecretId":"db"}""");
    }

    [Fact]
    public async Task A_template_s_secret_has_replicas_that_come_change_and_go_with_it()
    {
        static JsonObject Properties(params string[] regions) => new JsonObject { ["Name"] = "app", ["SecretString"] = "x" }
            .With("ReplicaRegions", regions.Length == 0 ? null : new JsonArray([.. regions.Select(region => new JsonObject { ["Region"] = region })]));
        var type = Provider("AWS::SecretsManager::Secret");
        var secret = await Complete(type.CreateAsync(Provisioning(), Properties(West)));
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("x", (await In(West, "secretsmanager", "GetSecretValue", """{"SecretId":"app"}""")).Text("SecretString"));
        Assert.Equal(West, Assert.Single((await type.ReadAsync(Provisioning(), secret.PhysicalId))!.Objects("ReplicaRegions")).Text("Region"));
        await Complete(type.UpdateAsync(Provisioning(), secret.PhysicalId, Properties(West), Properties("eu-west-1")));
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("ResourceNotFoundException", await FailsIn(West, "secretsmanager", "DescribeSecret", """{"SecretId":"app"}"""));
        await In("eu-west-1", "secretsmanager", "DescribeSecret", """{"SecretId":"app"}""");
        await Complete(type.DeleteAsync(Provisioning(), secret.PhysicalId, Properties("eu-west-1")));
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal("ResourceNotFoundException", await FailsIn("eu-west-1", "secretsmanager", "DescribeSecret", """{"SecretId":"app"}"""));
    }

    [Fact]
    public async Task Images_pushed_after_it_is_configured_reach_the_destinations_of_a_registry()
    {
        static string Image(string tag, string content) => $$"""{"repositoryName":"app/api","imageTag":"{{tag}}","imageManifest":"{\"schemaVersion\":2,\"annotation\":\"{{content}}\"}"}""";
        await Call("ecr", "CreateRepository", """{"repositoryName":"app/api"}""");
        await Call("ecr", "PutImage", Image("before", "a"));
        var configuration = $$$"""{"ReplicationConfiguration":{"Rules":[{"RepositoryFilters":[{"Filter":"app/","FilterType":"PREFIX_MATCH"}],"Destinations":[{"Region":"{{{West}}}","RegistryId":"123456789012"}]}]} }""";
        var made = await Provision("AWS::ECR::ReplicationConfiguration", configuration);
        Assert.Equal("123456789012", made.PhysicalId);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(configuration), await Provider("AWS::ECR::ReplicationConfiguration").ReadAsync(Provisioning(), made.PhysicalId)));
        var digest = (await Call("ecr", "PutImage", Image("v1", "b"))).Child("image")!.Child("imageId")!.Required("imageDigest");
        async Task<JsonObject> Status() => Assert.Single((await Call("ecr", "DescribeImageReplicationStatus", """{"repositoryName":"app/api","imageId":{"imageTag":"v1"}}""")).Objects("replicationStatuses"));
        Assert.Equal("IN_PROGRESS", (await Status()).Text("status"));
        Pass(TimeSpan.FromMinutes(4));
        Assert.Equal("COMPLETE", (await Status()).Text("status"));
        var there = Assert.Single((await In(West, "ecr", "DescribeImages", """{"repositoryName":"app/api"}""")).Objects("imageDetails"));
        Assert.Equal((digest, "v1"), (there.Text("imageDigest"), Assert.Single(there.Texts("imageTags"))));
        // A tag that cannot be moved there is a failure that is told; deletions are not replicated.
        await In(West, "ecr", "PutImageTagMutability", """{"repositoryName":"app/api","imageTagMutability":"IMMUTABLE"}""");
        await Call("ecr", "PutImage", Image("v1", "c"));
        Pass(TimeSpan.FromMinutes(4));
        Assert.Equal("FAILED", (await Status()).Text("status"));
        await Call("ecr", "BatchDeleteImage", """{"repositoryName":"app/api","imageIds":[{"imageTag":"v1"}]}""");
        Pass(TimeSpan.FromMinutes(4));
        Assert.Single((await In(West, "ecr", "DescribeImages", """{"repositoryName":"app/api"}""")).Objects("imageDetails"));
        Assert.Equal("InvalidParameterException", (await Fails("ecr", "PutReplicationConfiguration", """{"replicationConfiguration":{"rules":[{"destinations":[{"region":"us-east-1","registryId":"123456789012"}]}]}}""")).Code);
        await Complete(Provider("AWS::ECR::ReplicationConfiguration").DeleteAsync(Provisioning(), made.PhysicalId, []));
        Assert.Empty((await Call("ecr", "DescribeRegistry")).Child("replicationConfiguration")!.Objects("rules"));
    }
}
