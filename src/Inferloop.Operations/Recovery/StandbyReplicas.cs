using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.RDS;
using Amazon.RDS.Model;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using ResourceNotFoundException = Amazon.DynamoDBv2.Model.ResourceNotFoundException;

namespace Inferloop.Operations.Recovery;

/// <summary>Looks at what a standby has of the environment's data, each store by its own service.</summary>
internal sealed class StandbyReplicas(EnvironmentOperations primary, EnvironmentOperations recovery)
{
    /// <summary>Each store, and how its replica stands. It asks the recovery region for what is there, and the primary for what it sends.</summary>
    public async Task<IReadOnlyList<InferloopReplica>> ReadAsync(InferloopEnvironment environment, InferloopEnvironment standby, CancellationToken cancellation)
    {
        var found = new List<InferloopReplica>();
        string Home(string name) => environment.Outputs.TryGetValue(name, out var value) ? value : "";
        string There(string name) => standby.Outputs.TryGetValue(name, out var value) ? value : "";
        if (There("DatabaseIdentifier") is { Length: > 0 } database)
        {
            found.Add(await DatabaseAsync(database, cancellation).ConfigureAwait(false));
        }

        if (There("TableName") is { Length: > 0 } table)
        {
            found.Add(await TableAsync(table, cancellation).ConfigureAwait(false));
        }

        if (Home("BucketName") is { Length: > 0 } bucket)
        {
            found.Add(await BucketAsync(bucket, There("BucketName"), cancellation).ConfigureAwait(false));
        }

        foreach (var name in new[] { "JwtSecretArn", "ApiKeysSecretArn", "OwnIntegrationsSecretArn" }.Concat(standby.Spec.Recovery.DatabaseSource.Length > 0 ? ["DatabaseMasterSecretArn"] : []))
        {
            if (Home(name) is { Length: > 0 } secret)
            {
                found.Add(await SecretAsync(secret, cancellation).ConfigureAwait(false));
            }
        }

        if (There("BackupVaultName") is { Length: > 0 } vault)
        {
            var copies = environment.Spec.Recovery.ReplicaRegion == recovery.Aws.Region;
            found.Add(new InferloopReplica("Backup", vault, copies ? "receives copies" : "no plan copies to it", copies));
        }

        return found;
    }

    /// <summary>The standby with the label of its table's stream, where a function follows the table; it is known only once the replica is there.</summary>
    public async Task<InferloopEnvironmentSpec> WithStreamAsync(InferloopEnvironmentSpec standby, CancellationToken cancellation)
    {
        var table = standby.Recovery.ReplicaTableName;
        if (table.Length == 0 || !(standby.Lambda.LambdaEnabled && standby.Lambda.LambdaTableTrigger))
        {
            return standby;
        }

        var there = await recovery.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = table }, cancellation).ConfigureAwait(false);
        return there.Table.LatestStreamLabel is { Length: > 0 } label ? standby with { Recovery = standby.Recovery with { ReplicaTableName = $"{table}|{label}" } } : standby;
    }

    /// <summary>Lets the replica of a protected table go: the protection is the replica's own, and would stop the update that takes it away.</summary>
    public async Task UnprotectTableAsync(InferloopEnvironmentSpec spec, InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (spec.Storage.TableReplicaRegion != recovery.Aws.Region || !spec.Security.DeletionProtection || !environment.Outputs.TryGetValue("TableName", out var table))
        {
            return;
        }

        try
        {
            await recovery.Aws.DynamoDB.UpdateTableAsync(new UpdateTableRequest { TableName = table, DeletionProtectionEnabled = false }, cancellation).ConfigureAwait(false);
        }
        catch (ResourceNotFoundException)
        {
            // There is no replica to protect.
        }
    }

    private async Task<InferloopReplica> DatabaseAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var instance = (await recovery.Aws.Databases.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = name }, cancellation).ConfigureAwait(false)).DBInstances[0];
            var replication = instance.StatusInfos?.Find(i => i.StatusType == "read replication")?.Status;
            var follows = instance.ReadReplicaSourceDBInstanceIdentifier is { Length: > 0 };
            return new InferloopReplica("Database", name, follows ? $"{instance.DBInstanceStatus}, {replication ?? "replicating"}" : $"{instance.DBInstanceStatus}, no replica", follows && instance.DBInstanceStatus == "available" && replication is null or "replicating");
        }
        catch (DBInstanceNotFoundException)
        {
            return new InferloopReplica("Database", name, "missing", false);
        }
    }

    private async Task<InferloopReplica> TableAsync(string name, CancellationToken cancellation)
    {
        try
        {
            var table = (await recovery.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = name }, cancellation).ConfigureAwait(false)).Table;
            return new InferloopReplica("Table", name, table.TableStatus.Value.ToLowerInvariant(), table.TableStatus == TableStatus.ACTIVE);
        }
        catch (ResourceNotFoundException)
        {
            return new InferloopReplica("Table", name, "missing", false);
        }
    }

    private async Task<InferloopReplica> BucketAsync(string from, string to, CancellationToken cancellation)
    {
        try
        {
            var rules = (await primary.Aws.S3.GetBucketReplicationAsync(new GetBucketReplicationRequest { BucketName = from }, cancellation).ConfigureAwait(false)).Configuration?.Rules ?? [];
            var sends = rules.Exists(r => r.Status == ReplicationRuleStatus.Enabled && r.Destination?.BucketArn?.EndsWith(":" + to, StringComparison.Ordinal) == true);
            return new InferloopReplica("Bucket", to, sends ? "replicating" : "not replicated to", sends);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == "ReplicationConfigurationNotFoundError")
        {
            return new InferloopReplica("Bucket", to, "not replicated to", false);
        }
    }

    private async Task<InferloopReplica> SecretAsync(string arn, CancellationToken cancellation)
    {
        var there = StandbySpecs.InRegion(arn, primary.Aws.Region, recovery.Aws.Region);
        var secret = await primary.Aws.Client<IAmazonSecretsManager>().DescribeSecretAsync(new DescribeSecretRequest { SecretId = arn }, cancellation).ConfigureAwait(false);
        var status = secret.ReplicationStatus?.Find(r => r.Region == recovery.Aws.Region);
        return new InferloopReplica("Secret", there[(there.LastIndexOf(':') + 1)..], status?.Status?.Value ?? "missing", status?.Status == StatusType.InSync);
    }
}
