using Amazon.ElastiCache;
using Amazon.ElastiCache.Model;
using Amazon.RDS;
using Amazon.RDS.Model;
using Amazon.Runtime;

namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    /// <summary>The type by which a database's final snapshot is told.</summary>
    internal const string DatabaseSnapshotType = "AWS::RDS::DBSnapshot";

    /// <summary>The type by which a cache's final snapshot is told.</summary>
    internal const string CacheSnapshotType = "AWS::ElastiCache::Snapshot";

    // The event has whole seconds, and a clock of its own.
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The snapshots that CloudFormation took of what it deleted (DeletionPolicy Snapshot). No event names them: they are the ones of the
    /// deleted database or cache that are no older than its deletion.
    /// </summary>
    private async Task<IReadOnlyList<DeployedResource>> FinalSnapshotsAsync(IReadOnlyList<DeployedResource> resources, IReadOnlyList<InferloopEnvironmentEvent> events, CancellationToken cancellation)
    {
        var found = new List<DeployedResource>();
        foreach (var store in resources.Where(r => r.Type is "AWS::RDS::DBInstance" or "AWS::ElastiCache::ReplicationGroup" && r.PhysicalId.Length > 0))
        {
            if (events.Where(e => e.Path == store.Path && e.Status == "DELETE_IN_PROGRESS").Select(e => (DateTimeOffset?)e.Time).Min() is not { } deleted)
            {
                continue;
            }

            try
            {
                found.AddRange(store.Type == "AWS::RDS::DBInstance"
                    ? await DatabaseSnapshotsAsync(store, deleted - Margin, cancellation).ConfigureAwait(false)
                    : await CacheSnapshotsAsync(store, deleted - Margin, cancellation).ConfigureAwait(false));
            }
            catch (AmazonServiceException e)
            {
                // The environment is gone as asked; only what is left of it cannot be told whole.
                Warn($"Whether a final snapshot of {store.PhysicalId} ({store.Type}) was kept could not be asked: {e.Message}");
            }
        }

        return found;
    }

    private async Task<List<DeployedResource>> DatabaseSnapshotsAsync(DeployedResource store, DateTimeOffset since, CancellationToken cancellation)
    {
        var found = new List<DeployedResource>();
        string? marker = null;
        do
        {
            var page = await aws.Client<IAmazonRDS>().DescribeDBSnapshotsAsync(
                new DescribeDBSnapshotsRequest { DBInstanceIdentifier = store.PhysicalId, SnapshotType = "manual", Marker = marker }, cancellation).ConfigureAwait(false);
            found.AddRange((page.DBSnapshots ?? []).Where(s => IsSince(s.SnapshotCreateTime, since))
                .Select(s => store with { Type = DatabaseSnapshotType, PhysicalId = s.DBSnapshotIdentifier }));
            marker = page.Marker;
        }
        while (!string.IsNullOrEmpty(marker));
        return found;
    }

    private async Task<List<DeployedResource>> CacheSnapshotsAsync(DeployedResource store, DateTimeOffset since, CancellationToken cancellation)
    {
        var found = new List<DeployedResource>();
        string? marker = null;
        do
        {
            var page = await aws.Client<IAmazonElastiCache>().DescribeSnapshotsAsync(
                new DescribeSnapshotsRequest { ReplicationGroupId = store.PhysicalId, SnapshotSource = "user", Marker = marker }, cancellation).ConfigureAwait(false);
            found.AddRange((page.Snapshots ?? []).Where(s => (s.NodeSnapshots ?? []).All(n => IsSince(n.SnapshotCreateTime, since)))
                .Select(s => store with { Type = CacheSnapshotType, PhysicalId = s.SnapshotName }));
            marker = page.Marker;
        }
        while (!string.IsNullOrEmpty(marker));
        return found;
    }

    // A snapshot without a time is being made now.
    private static bool IsSince(DateTime? taken, DateTimeOffset since) => taken is null || new DateTimeOffset(taken.Value.ToUniversalTime()) >= since;
}
