using Amazon.ElastiCache;
using Amazon.RDS;
using Inferloop.Operations.Imports;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What CloudFormation keeps of a database and a cache that go with their environment.</summary>
public sealed class FinalSnapshotTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task The_final_snapshots_are_told_among_what_is_kept()
    {
        harness.UseShippedTemplates();
        var ada = harness.Operator();
        var spec = EnvironmentHarness.Spec.With("EcsEnabled", false).With("MonitoringEnabled", false).With("RetainData", true).With("CacheNodeType", "cache.t4g.micro");
        var environment = await ada.CreateAsync(spec, cancellation: Stop);
        var databases = harness.Aws.Client<IAmazonRDS>();
        var caches = harness.Aws.Client<IAmazonElastiCache>();
        var database = Assert.Single((await databases.DescribeDBInstancesAsync(new(), Stop)).DBInstances).DBInstanceIdentifier;

        // One that somebody made earlier is not the environment's last.
        await databases.CreateDBSnapshotAsync(new() { DBInstanceIdentifier = database, DBSnapshotIdentifier = "by-hand" }, Stop);
        while ((await databases.DescribeDBSnapshotsAsync(new() { DBSnapshotIdentifier = "by-hand" }, Stop)).DBSnapshots[0].Status != "available")
        {
            // The test's own time limit ends a wait for nothing.
            await Task.Delay(50, Stop);
        }

        // Older than any doubt about the clocks of events and snapshots.
        await harness.Host.Clock.DelayAsync(TimeSpan.FromMinutes(5), Stop);
        var removed = await ada.RemoveAsync(unprotect: environment.Spec.Security.DeletionProtection, cancellation: Stop);
        var kept = removed.Retained.Where(r => r.Type.EndsWith("Snapshot", StringComparison.Ordinal)).OrderBy(r => r.Type, StringComparer.Ordinal).ToList();
        Assert.Equal(["AWS::ElastiCache::Snapshot", "AWS::RDS::DBSnapshot"], kept.Select(k => k.Type));
        var cache = Assert.Single((await caches.DescribeSnapshotsAsync(new() { SnapshotSource = "user" }, Stop)).Snapshots);
        Assert.Equal(cache.SnapshotName, kept[0].PhysicalId);
        var taken = (await databases.DescribeDBSnapshotsAsync(new() { SnapshotType = "manual" }, Stop)).DBSnapshots.Select(s => s.DBSnapshotIdentifier).ToList();
        Assert.Equal(2, taken.Count);
        Assert.Equal(taken.Single(t => t != "by-hand"), kept[1].PhysicalId);
        Assert.Empty(ada.Warnings);

        // They stand in no stack, and an import says so.
        await new RetainedTemplate(ada.Operations).RequestAsync("kept", removed.Retained, Stop);
        Assert.Equal(2, ada.Warnings.Count(w => w.Contains("a snapshot stands in no stack", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Data_that_goes_leaves_no_snapshot()
    {
        harness.UseShippedTemplates();
        var ada = harness.Operator();
        await ada.CreateAsync(EnvironmentHarness.Spec.With("EcsEnabled", false).With("MonitoringEnabled", false).With("RetainData", true), cancellation: Stop);
        Assert.Empty((await ada.RemoveAsync(deleteData: true, cancellation: Stop)).Retained);
        Assert.Empty((await harness.Aws.Client<IAmazonRDS>().DescribeDBSnapshotsAsync(new() { SnapshotType = "manual" }, Stop)).DBSnapshots ?? []);
    }
}
