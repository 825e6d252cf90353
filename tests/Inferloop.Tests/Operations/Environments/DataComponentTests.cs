using Amazon.ElastiCache.Model;
using Amazon.RDS.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>What the states of database and cache mean for an environment.</summary>
public sealed class DataComponentTests
{
    [Theory]
    [InlineData("available", EnvironmentHealth.Healthy)]
    [InlineData("backing-up", EnvironmentHealth.Healthy)]
    [InlineData("configuring-log-exports", EnvironmentHealth.Healthy)]
    [InlineData("storage-optimization", EnvironmentHealth.Healthy)]
    [InlineData("creating", EnvironmentHealth.Changing)]
    [InlineData("modifying", EnvironmentHealth.Changing)]
    [InlineData("upgrading", EnvironmentHealth.Changing)]
    [InlineData("storage-full", EnvironmentHealth.Degraded)]
    [InlineData("stopped", EnvironmentHealth.Unhealthy)]
    [InlineData("failed", EnvironmentHealth.Unhealthy)]
    [InlineData("inaccessible-encryption-credentials", EnvironmentHealth.Unhealthy)]
    public void A_database_that_is_busy_still_serves(string status, EnvironmentHealth health)
    {
        var state = EnvironmentComponents.Database(new DBInstance
        {
            DBInstanceStatus = status, EngineVersion = "17.6", MultiAZ = true, AllocatedStorage = 100, DBInstanceClass = "db.m6g.large", Endpoint = new Amazon.RDS.Model.Endpoint { Address = "db.example" },
        });
        Assert.Equal((status, health), (state.Status, state.Health));
        Assert.Equal("PostgreSQL 17.6, Multi-AZ, 100 GiB, db.m6g.large at db.example", state.Detail);
    }

    [Theory]
    [InlineData("replicating", true, null, EnvironmentHealth.Healthy, "replica of demo, replicating, db.t4g.micro")]
    [InlineData("error", false, "slot lost", EnvironmentHealth.Degraded, "replica of demo, error: slot lost, db.t4g.micro")]
    public void A_replica_is_as_good_as_its_replication(string status, bool normal, string? message, EnvironmentHealth health, string detail)
    {
        var state = EnvironmentComponents.Database(new DBInstance
        {
            DBInstanceStatus = "available", DBInstanceClass = "db.t4g.micro", ReadReplicaSourceDBInstanceIdentifier = "demo",
            StatusInfos = [new DBInstanceStatusInfo { StatusType = "read replication", Status = status, Normal = normal, Message = message }],
        });
        Assert.Equal((health, detail), (state.Health, state.Detail));
    }

    [Theory]
    [InlineData("available", 1, "disabled", EnvironmentHealth.Healthy)]
    [InlineData("available", 2, "enabled", EnvironmentHealth.Healthy)]
    [InlineData("available", 2, "disabled", EnvironmentHealth.Degraded)]
    [InlineData("snapshotting", 2, "enabled", EnvironmentHealth.Healthy)]
    [InlineData("modifying", 2, "enabled", EnvironmentHealth.Changing)]
    [InlineData("create-failed", 2, "enabled", EnvironmentHealth.Unhealthy)]
    public void A_cache_with_replicas_and_no_failover_is_not_whole(string status, int nodes, string failover, EnvironmentHealth health)
    {
        var state = EnvironmentComponents.Cache(new ReplicationGroup
        {
            Status = status, AutomaticFailover = failover, MultiAZ = "disabled", CacheNodeType = "cache.t3.micro", MemberClusters = [.. Enumerable.Range(1, nodes).Select(n => $"demo-00{n}")],
        });
        Assert.Equal((status, health), (state.Status, state.Health));
        Assert.StartsWith($"{nodes} node", state.Detail, StringComparison.Ordinal);
    }
}
