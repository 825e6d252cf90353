using Amazon.RDS.Model;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// Makes a region follow the one that serves. A database that once served cannot become a replica: it goes, with a last snapshot, and a replica of
/// the one that serves is made in its place. Table and bucket replicate both ways by themselves.
/// </summary>
internal static class ReseedStep
{
    private const string Stale = "reseed.snapshot";

    public static readonly FailoverAction Action = new((context, cancellation) => FollowAsync(context, context.Target, context.Source, cancellation));

    /// <summary>Makes one region follow another.</summary>
    public static async Task<string?> FollowAsync(FailoverContext context, EnvironmentOperations follower, EnvironmentOperations serving, CancellationToken cancellation)
    {
        var environment = await AtRestAsync(context, follower, cancellation).ConfigureAwait(false);
        var leader = await serving.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(context.Standby.Name, serving.Aws.Region);
        var spec = environment.Spec with { Recovery = environment.Spec.Recovery with { RegionRole = RegionRole.Standby } };
        var done = new List<string>();
        if (environment.Spec.Recovery.RegionRole != RegionRole.Standby)
        {
            await UpdateAsync(follower, spec, ["Cache/ReplicationGroup"], revert: false, cancellation).ConfigureAwait(false);
        }

        // The switch is off wherever the environment has a database of its own and it has one to follow.
        if (leader.Outputs.TryGetValue("DatabaseArn", out var source) && leader.Spec.Database.DatabaseEnabled)
        {
            var identifier = environment.Outputs.GetValueOrDefault("DatabaseIdentifier");
            var instance = identifier is null ? null : await FindAsync(follower, identifier, cancellation).ConfigureAwait(false);
            if (instance?.ReadReplicaSourceDBInstanceIdentifier != source)
            {
                if (instance is not null)
                {
                    await RemoveAsync(context, follower, instance, cancellation).ConfigureAwait(false);
                }

                // From what is there: CloudFormation makes what somebody deleted, now as a replica.
                await UpdateAsync(
                    follower, spec with { Recovery = spec.Recovery with { DatabaseSource = source }, Database = spec.Database with { DatabaseSnapshotIdentifier = "" } }, ["Cache/ReplicationGroup", "Database/Database"], revert: true, cancellation).ConfigureAwait(false);
                done.Add($"the database follows {source}; what it was before is in the snapshot {context.Run.Fact(Stale + "|" + follower.Aws.Region) ?? "of an earlier run"}");
            }
        }

        done.AddRange(await SecretsAsync(context, follower, environment, serving, leader, cancellation).ConfigureAwait(false));
        return done.Count == 0 ? $"{follower.Aws.Region} follows already" : string.Join("; ", done);
    }

    /// <summary>Secrets that were changed where the environment served since are carried over: their values go from service to service and nowhere else.</summary>
    private static async Task<IReadOnlyList<string>> SecretsAsync(
        FailoverContext context, EnvironmentOperations follower, InferloopEnvironment environment, EnvironmentOperations serving, InferloopEnvironment leader, CancellationToken cancellation)
    {
        var carried = new List<string>();
        var from = serving.Aws.Client<IAmazonSecretsManager>();
        var to = follower.Aws.Client<IAmazonSecretsManager>();
        foreach (var output in new[] { "JwtSecretArn", "ApiKeysSecretArn", "OwnIntegrationsSecretArn" })
        {
            if (!leader.Outputs.TryGetValue(output, out var source) || !environment.Outputs.TryGetValue(output, out var target) || source.Length == 0 || target.Length == 0)
            {
                continue;
            }

            var there = await from.DescribeSecretAsync(new DescribeSecretRequest { SecretId = source }, cancellation).ConfigureAwait(false);
            var here = await to.DescribeSecretAsync(new DescribeSecretRequest { SecretId = target }, cancellation).ConfigureAwait(false);
            var isOwn = string.IsNullOrEmpty(here.PrimaryRegion) || here.PrimaryRegion == follower.Aws.Region;
            if (isOwn && there.LastChangedDate > context.Run.Current.Started.UtcDateTime.AddYears(-1) && there.LastChangedDate > here.LastChangedDate)
            {
                var value = await from.GetSecretValueAsync(new GetSecretValueRequest { SecretId = source }, cancellation).ConfigureAwait(false);
                await to.PutSecretValueAsync(
                    new PutSecretValueRequest { SecretId = target, SecretString = value.SecretString, ClientRequestToken = value.VersionId }, cancellation).ConfigureAwait(false);
                carried.Add($"the secret {here.Name} was carried over");
            }
        }

        return carried;
    }

    private static async Task<InferloopEnvironment> AtRestAsync(FailoverContext context, EnvironmentOperations operations, CancellationToken cancellation)
    {
        var environment = await operations.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(context.Standby.Name, operations.Aws.Region);
        if (StackStates.IsInProgress(environment.Status))
        {
            await operations.WaitAsync(environment, cancellation).ConfigureAwait(false);
            environment = (await operations.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false))!;
        }

        return environment;
    }

    private static async Task<DBInstance?> FindAsync(EnvironmentOperations operations, string identifier, CancellationToken cancellation)
    {
        try
        {
            return (await operations.Aws.Databases.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = identifier }, cancellation).ConfigureAwait(false)).DBInstances?.FirstOrDefault();
        }
        catch (DBInstanceNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes a database that cannot become a replica, after a snapshot of its own: whatever the template's policy, what was written there last may be in no other place.</summary>
    private static async Task RemoveAsync(FailoverContext context, EnvironmentOperations follower, DBInstance instance, CancellationToken cancellation)
    {
        var identifier = instance.DBInstanceIdentifier;
        if (instance.DBInstanceStatus != "deleting")
        {
            if (context.Run.Fact(Stale + "|" + follower.Aws.Region) is null)
            {
                var snapshot = $"{identifier}-before-{context.Run.Current.Id}";
                await SnapshotAsync(context, follower, identifier, snapshot, cancellation).ConfigureAwait(false);
                await context.Run.KeepAsync(Stale + "|" + follower.Aws.Region, snapshot, cancellation).ConfigureAwait(false);
            }

            if (instance.DeletionProtection == true)
            {
                await follower.Aws.Databases.ModifyDBInstanceAsync(new ModifyDBInstanceRequest { DBInstanceIdentifier = identifier, DeletionProtection = false, ApplyImmediately = true }, cancellation).ConfigureAwait(false);
            }

            await follower.Aws.Databases.DeleteDBInstanceAsync(new DeleteDBInstanceRequest { DBInstanceIdentifier = identifier, SkipFinalSnapshot = true, DeleteAutomatedBackups = false }, cancellation).ConfigureAwait(false);
        }

        await context.UntilAsync(
            TimeSpan.FromHours(1), async ct => await FindAsync(follower, identifier, ct).ConfigureAwait(false) is { } left ? $"it is {left.DBInstanceStatus}" : null, $"{identifier} is waited for to be gone", cancellation).ConfigureAwait(false);
    }

    private static async Task SnapshotAsync(FailoverContext context, EnvironmentOperations operations, string identifier, string snapshot, CancellationToken cancellation)
    {
        try
        {
            await operations.Aws.Databases.CreateDBSnapshotAsync(new CreateDBSnapshotRequest { DBInstanceIdentifier = identifier, DBSnapshotIdentifier = snapshot }, cancellation).ConfigureAwait(false);
        }
        catch (DBSnapshotAlreadyExistsException)
        {
            // Begun before a process died.
        }

        await context.UntilAsync(
            TimeSpan.FromHours(2),
            async ct => (await operations.Aws.Databases.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest { DBSnapshotIdentifier = snapshot }, ct).ConfigureAwait(false)).DBSnapshots[0].Status is "available" ? null : "it is being made",
            $"The snapshot {snapshot} is waited for", cancellation).ConfigureAwait(false);
    }

    private static async Task UpdateAsync(EnvironmentOperations operations, InferloopEnvironmentSpec spec, IReadOnlyList<string> allowed, bool revert, CancellationToken cancellation)
    {
        var prepared = await operations.PrepareUpdateAsync(spec, new UpdateOptions { Resume = true, AllowedReplacements = allowed, RevertDrift = revert }, cancellation).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (!prepared.Empty)
            {
                prepared.RefuseUnnamed();
                await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
            }
        }
    }
}
