using Amazon.EC2.Model;

namespace Inferloop.Operations.Environments;

/// <content>Database, cache, and the VPN.</content>
internal sealed partial class EnvironmentComponents
{
    private async Task<Dictionary<string, PartState>> DatabasesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var answer = await aws.Databases.DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest { DBInstanceIdentifier = id }, cancellation).ConfigureAwait(false);
                if (answer.DBInstances is [var database, ..])
                {
                    states[id] = Database(database);
                }
            }
            catch (Amazon.RDS.Model.DBInstanceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    /// <summary>An instance, or a replica, which is only as good as its replication.</summary>
    internal static PartState Database(Amazon.RDS.Model.DBInstance database)
    {
        var status = database.DBInstanceStatus ?? "unknown";
        var replication = (database.StatusInfos ?? []).Find(s => s.StatusType == "read replication");
        var health = status switch
        {
            // At work on something beside serving, which goes on.
            "available" or "backing-up" or "storage-optimization" or "storage-initialization" => EnvironmentHealth.Healthy,
            _ when status.StartsWith("configuring-", StringComparison.Ordinal) => EnvironmentHealth.Healthy,
            "creating" or "modifying" or "upgrading" or "rebooting" or "maintenance" or "renaming" or "resetting-master-credentials" or "starting" or "storage-config-upgrade" => EnvironmentHealth.Changing,
            "storage-full" or "incompatible-option-group" => EnvironmentHealth.Degraded,
            _ => EnvironmentHealth.Unhealthy,
        };
        if (health == EnvironmentHealth.Healthy && replication is { Normal: false })
        {
            health = EnvironmentHealth.Degraded;
        }

        var what = database.ReadReplicaSourceDBInstanceIdentifier is { Length: > 0 } source
            ? $"replica of {source}, {(replication is null ? "replication unknown" : replication.Status + (replication.Message is { Length: > 0 } why ? ": " + why : ""))}"
            : $"PostgreSQL {database.EngineVersion}, {(database.MultiAZ == true ? "Multi-AZ" : "one zone")}, {database.AllocatedStorage ?? 0} GiB";
        return new PartState(status, health, $"{what}, {database.DBInstanceClass}{(database.Endpoint?.Address is { Length: > 0 } host ? " at " + host : "")}");
    }

    private async Task<Dictionary<string, PartState>> CachesAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            try
            {
                var answer = await aws.Caches.DescribeReplicationGroupsAsync(new Amazon.ElastiCache.Model.DescribeReplicationGroupsRequest { ReplicationGroupId = id }, cancellation).ConfigureAwait(false);
                if (answer.ReplicationGroups is [var group, ..])
                {
                    states[id] = Cache(group);
                }
            }
            catch (Amazon.ElastiCache.Model.ReplicationGroupNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    internal static PartState Cache(Amazon.ElastiCache.Model.ReplicationGroup group)
    {
        var status = group.Status ?? "unknown";
        var nodes = group.MemberClusters?.Count ?? 0;
        var failover = group.AutomaticFailover == "enabled";
        var health = status switch
        {
            "available" or "snapshotting" => nodes > 1 && !failover ? EnvironmentHealth.Degraded : EnvironmentHealth.Healthy,
            "creating" or "modifying" => EnvironmentHealth.Changing,
            _ => EnvironmentHealth.Unhealthy,
        };
        var host = group.NodeGroups?.FirstOrDefault()?.PrimaryEndpoint?.Address;
        return new PartState(
            status, health,
            $"{nodes} {(nodes == 1 ? "node" : "nodes")} of {group.CacheNodeType}, failover {(failover ? "automatic" : "by hand")}, {(group.MultiAZ == "enabled" ? "Multi-AZ" : "one zone")}{(host is { Length: > 0 } ? " at " + host : "")}");
    }

    private async Task<Dictionary<string, PartState>> VpnsAsync(List<string> ids, CancellationToken cancellation)
    {
        var answer = await aws.EC2.DescribeVpnConnectionsAsync(new DescribeVpnConnectionsRequest { VpnConnectionIds = ids }, cancellation).ConfigureAwait(false);
        return (answer.VpnConnections ?? []).ToDictionary(v => v.VpnConnectionId, v =>
        {
            var tunnels = v.VgwTelemetry ?? [];
            var up = tunnels.Count(t => t.Status == "UP");

            // AWS takes one tunnel down for maintenance and promises the other: one is not broken, but not safe either.
            var health = v.State == "pending" ? EnvironmentHealth.Changing
                : v.State != "available" || up == 0 ? EnvironmentHealth.Unhealthy
                : up < tunnels.Count ? EnvironmentHealth.Degraded : EnvironmentHealth.Healthy;
            return new PartState(v.State?.Value ?? "unknown", health, $"{up} of {tunnels.Count} tunnels up");
        });
    }
}
