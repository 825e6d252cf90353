using Amazon.DynamoDBv2.Model;
using Amazon.RDS.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.Tests.Operations.Environments;

namespace Inferloop.Tests.Operations.Recovery;

/// <summary>The standby of an environment, of the templates as they ship, in two regions of the sandbox.</summary>
public sealed class StandbyTests : IAsyncLifetime
{
    private const string Recovery = "us-west-2";

    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    private static InferloopEnvironmentSpec Spec(StandbyMode mode, EnvironmentStage stage = EnvironmentStage.Dev, params (string Name, object Value)[] more) => SpecPresets.Apply(
        SpecPresets.Create("demo", stage, "us-east-1"),
        new Dictionary<string, object>(more.ToDictionary(m => m.Name, m => m.Value)) { ["RecoveryRegion"] = Recovery, ["StandbyMode"] = mode, ["BackupRetentionDays"] = 7 });

    private (Operator Home, Operator There, StandbyOperations Standby) Operators()
    {
        var (home, there) = (harness.Operator(), harness.Operator(region: Recovery));
        return (home, there, new StandbyOperations(home.Operations, there.Operations));
    }

    [Fact]
    public async Task A_pilot_light_replicates_every_store_runs_nothing_and_is_promoted_in_place()
    {
        var (home, there, standby) = Operators();
        var spec = Spec(StandbyMode.PilotLight);
        var environment = await home.CreateAsync(spec, cancellation: Stop);
        var made = await standby.CreateAsync(environment, null, null, Stop);

        Assert.True(made.IsComplete, string.Join("; ", made.Replicas));
        Assert.Equal(["Backup", "Bucket", "Database", "Secret", "Secret", "Secret", "Table"], made.Replicas.Select(r => r.Store).Order(StringComparer.Ordinal));
        Assert.Equal((StandbyMode.PilotLight, RegionRole.Standby), (made.Mode, made.Role));

        // Every value of the primary is there, so that nothing of the lost region is needed.
        Assert.Equal(environment.Spec.Ecs, made.Environment.Spec.Ecs);
        var resources = await there.Operations.ResourcesAsync(made.Environment.StackId, Stop);
        Assert.DoesNotContain(resources, r => r.Type is "AWS::EC2::NatGateway" or "AWS::ElastiCache::ReplicationGroup" or "AWS::KMS::Key" or "AWS::DynamoDB::GlobalTable" or "AWS::Backup::BackupPlan");
        Assert.Contains(resources, r => r.Type == "AWS::KMS::ReplicaKey");
        var services = await there.Operations.Aws.ECS.DescribeServicesAsync(new() { Cluster = made.Environment.Outputs["ClusterName"], Services = [made.Environment.Outputs["ServiceName"]] }, Stop);
        Assert.Equal(0, services.Services[0].DesiredCount);

        // Repeated, it finds everything done.
        home.Steps.Clear();
        there.Steps.Clear();
        await standby.CreateAsync(environment, null, null, Stop);
        Assert.DoesNotContain("execute", home.Steps.Concat(there.Steps));

        var database = await DatabaseAsync(there);
        var item = new Dictionary<string, AttributeValue> { ["id"] = new("one"), ["timestamp"] = new() { N = "1" }, ["status"] = new("new") };
        await home.Operations.Aws.DynamoDB.PutItemAsync(environment.Outputs["TableName"], item, Stop);

        // The failover: RDS promotes the replica, then the role changes, and nothing else.
        await there.Operations.Aws.Databases.PromoteReadReplicaAsync(new PromoteReadReplicaRequest { DBInstanceIdentifier = database.DBInstanceIdentifier }, Stop);
        while ((await DatabaseAsync(there)) is not { DBInstanceStatus: "available", ReadReplicaSourceDBInstanceIdentifier: null or "" })
        {
            // The test's own time limit ends a wait for nothing.
            await Task.Delay(20, Stop);
        }

        var changes = await there.UpdateAsync(made.Environment.Spec with { Region = Recovery, Recovery = made.Environment.Spec.Recovery with { RegionRole = RegionRole.Primary } }, cancellation: Stop);
        Assert.DoesNotContain(changes.Changes, c => c.Replacement == EnvironmentReplacement.Always && c.Type is "AWS::RDS::DBInstance" or "AWS::S3::Bucket" or "AWS::KMS::ReplicaKey");
        var promoted = await DatabaseAsync(there);
        Assert.Equal(database.DbiResourceId, promoted.DbiResourceId);
        Assert.True(string.IsNullOrEmpty(promoted.ReadReplicaSourceDBInstanceIdentifier));
        var running = (await there.Operations.RefreshAsync(made.Environment.StackId, withHealth: false, Stop))!;
        Assert.Equal(environment.Outputs["TableName"], running.Outputs["TableName"]);
        Assert.Contains(await there.Operations.ResourcesAsync(running.StackId, Stop), r => r.Type == "AWS::ElastiCache::ReplicationGroup");
        Assert.Equal(StandbySpecs.InRegion(environment.Outputs["DatabaseMasterSecretArn"], "us-east-1", Recovery), running.Outputs["DatabaseMasterSecretArn"]);
        services = await there.Operations.Aws.ECS.DescribeServicesAsync(new() { Cluster = running.Outputs["ClusterName"], Services = [running.Outputs["ServiceName"]] }, Stop);
        Assert.True(services.Services[0].DesiredCount > 0);

        var refused = await Assert.ThrowsAsync<OperationException>(() => standby.RemoveAsync(environment, new RemovalOptions(), Stop));
        Assert.Equal("StandbyTookOver", refused.ErrorId);
        Assert.Empty(harness.Host.Statistics.InternalErrors);
    }

    [Fact]
    public async Task Backups_only_make_neither_database_nor_compute_and_the_standby_goes_without_a_trace_in_the_primary()
    {
        var (home, there, standby) = Operators();
        var environment = await home.CreateAsync(Spec(StandbyMode.BackupOnly), cancellation: Stop);
        var before = environment.Spec;
        var made = await standby.CreateAsync(environment, null, null, Stop);
        Assert.True(made.IsComplete, string.Join("; ", made.Replicas));
        var resources = await there.Operations.ResourcesAsync(made.Environment.StackId, Stop);
        Assert.DoesNotContain(resources, r => r.Type.StartsWith("AWS::RDS::", StringComparison.Ordinal) || r.Type.StartsWith("AWS::ECS::", StringComparison.Ordinal) || r.Type.StartsWith("AWS::DynamoDB::", StringComparison.Ordinal));
        Assert.Contains(resources, r => r.Type == "AWS::Backup::BackupVault");

        var held = await Assert.ThrowsAsync<OperationException>(() => home.RemoveAsync(deleteData: true, cancellation: Stop));
        Assert.Equal("EnvironmentHasStandby", held.ErrorId);

        await standby.RemoveAsync(environment, new RemovalOptions { DeleteData = true }, Stop);
        Assert.Null(await standby.GetAsync(environment, Stop));
        Assert.Equal(before, (await home.Operations.RefreshAsync(environment.StackId, withHealth: false, Stop))!.Spec);

        // The deleted key is still pending; another standby is made all the same, with a key of its own.
        var again = await standby.CreateAsync(environment, null, null, Stop);
        Assert.True(again.IsComplete, string.Join("; ", again.Replicas));
        Assert.Contains(home.Warnings, w => w.Contains("key of its own", StringComparison.Ordinal));
        Assert.EndsWith(",,", again.Environment.Spec.Recovery.PeerArns, StringComparison.Ordinal);
        await standby.CreateAsync(environment, null, null, Stop);
        await standby.RemoveAsync(environment, new RemovalOptions { DeleteData = true }, Stop);
        var none = await Assert.ThrowsAsync<OperationException>(() => standby.RemoveAsync(environment, new RemovalOptions(), Stop));
        Assert.Equal("StandbyNotFound", none.ErrorId);
        await home.RemoveAsync(deleteData: true, cancellation: Stop);
    }

    [Fact]
    public async Task A_warm_standby_runs_the_fewest_tasks_and_a_killed_creation_goes_on()
    {
        var (home, there, standby) = Operators();
        var environment = await home.CreateAsync(Spec(StandbyMode.Warm, more: ("EksEnabled", false)), cancellation: Stop);
        await harness.Dying("execute").RunAsync(dying => new StandbyOperations(dying.Operations, there.Operations).CreateAsync(environment, null, null, Stop));
        var half = await standby.GetAsync(environment, Stop);
        Assert.False(half!.IsComplete);
        Assert.Equal(StandbyMode.PilotLight, half.Mode);

        var made = await standby.CreateAsync(environment, null, null, Stop);
        Assert.True(made.IsComplete, string.Join("; ", made.Replicas));
        Assert.Equal(StandbyMode.Warm, made.Mode);
        var services = await there.Operations.Aws.ECS.DescribeServicesAsync(new() { Cluster = made.Environment.Outputs["ClusterName"], Services = [made.Environment.Outputs["ServiceName"]] }, Stop);
        Assert.Equal(environment.Spec.Ecs.MinimumTasks, services.Services[0].DesiredCount);
    }

    [Fact]
    public async Task What_can_have_no_standby_is_told_before_anything_is_made()
    {
        var (home, there, standby) = Operators();
        var environment = await home.CreateAsync(SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1") with { Ecs = new EcsSpec { EcsEnabled = false }, Database = new DatabaseSpec { DatabaseEnabled = false }, Cache = new CacheSpec { CacheEnabled = false } }, cancellation: Stop);
        Assert.Equal("StandbyModeNone", (await Assert.ThrowsAsync<OperationException>(() => standby.CreateAsync(environment, null, null, Stop))).ErrorId);
        var table = await Assert.ThrowsAsync<OperationException>(() => standby.CreateAsync(environment, null, StandbyMode.PilotLight, Stop));
        Assert.Equal("StandbySpecInvalid", table.ErrorId);
        Assert.Contains("global table", table.Message, StringComparison.Ordinal);
        Assert.Null(await there.Operations.RefreshAsync(environment.StackName, withHealth: false, Stop));
    }

    private static async Task<DBInstance> DatabaseAsync(Operator there) =>
        (await there.Operations.Aws.Databases.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = "inferloop-demo-dev" }, Stop)).DBInstances.Single();
}
