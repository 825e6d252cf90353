using Amazon.RDS;
using Amazon.RDS.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// The database: its replica is promoted where there is one; where the standby is backups alone, the newest snapshot is chosen, from which the update
/// of the stack then makes an instance.
/// </summary>
internal static class DatabaseStep
{
    /// <summary>Under which a run keeps the snapshot that it chose: a resumption takes the same.</summary>
    public const string SnapshotFact = "database.snapshot";

    public static readonly FailoverAction Action = new(
        (context, cancellation) => context.Run.Current is { StandbyMode: StandbyMode.BackupOnly, Direction: FailoverDirection.Failover } ? ChooseAsync(context, cancellation) : PromoteAsync(context, cancellation));

    /// <summary>The instance's name: the template gives it, so that it is known where an output is not yet.</summary>
    public static string Identifier(FailoverContext context) => context.Output("DatabaseIdentifier") ?? $"inferloop-{context.Standby.Name}-{context.Standby.Stage.ToString().ToLowerInvariant()}";

    public static async Task<DBInstance?> FindAsync(FailoverContext context, CancellationToken cancellation)
    {
        try
        {
            var answer = await context.Target.Aws.Databases.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = Identifier(context) }, cancellation).ConfigureAwait(false);
            return answer.DBInstances?.FirstOrDefault();
        }
        catch (DBInstanceNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The newest snapshot of the environment's database that is in this region; copies that backups sent here among them.</summary>
    public static async Task<DBSnapshot?> NewestAsync(FailoverContext context, CancellationToken cancellation)
    {
        var run = context.Run.Current;
        var stack = context.Standby.StackName;
        DBSnapshot? newest = null;
        string? marker = null;

        // Those of AWS Backup are told only to who asks for them.
        var types = new Queue<string>(["manual", "awsbackup", "automated"]);
        do
        {
            var page = await context.Target.Aws.Databases.DescribeDBSnapshotsAsync(new DescribeDBSnapshotsRequest { Marker = marker, SnapshotType = types.Peek() }, cancellation).ConfigureAwait(false);
            foreach (var snapshot in page.DBSnapshots ?? [])
            {
                var ours = (snapshot.TagList ?? []).Any(t => t.Key == EnvironmentTags.Environment && t.Value == run.Environment)
                    && (snapshot.TagList ?? []).Any(t => t.Key == EnvironmentTags.Stage && t.Value.Equals(run.Stage.ToString(), StringComparison.OrdinalIgnoreCase));
                if ((ours || snapshot.DBInstanceIdentifier?.StartsWith(stack, StringComparison.OrdinalIgnoreCase) == true) && snapshot.Status == "available"
                    && (newest is null || Taken(snapshot) > Taken(newest)))
                {
                    newest = snapshot;
                }
            }

            marker = page.Marker;
            if (string.IsNullOrEmpty(marker))
            {
                types.Dequeue();
            }
        }
        while (types.Count > 0);
        return newest;
    }

    /// <summary>When what a snapshot holds was so: a copy is younger than its content.</summary>
    public static DateTime Taken(DBSnapshot snapshot) => (snapshot.OriginalSnapshotCreateTime ?? snapshot.SnapshotCreateTime ?? DateTime.MinValue).ToUniversalTime();

    private static async Task<string?> PromoteAsync(FailoverContext context, CancellationToken cancellation)
    {
        var identifier = Identifier(context);
        var instance = await FindAsync(context, cancellation).ConfigureAwait(false)
            ?? throw new OperationException(
                "FailoverDatabaseMissing", OperationErrorKind.NotFound, $"There is no database '{identifier}' in {context.Run.Current.ToRegion}.",
                $"Restore one (Restore-InferloopBackup) and put it in place, then go on: {context.Run.Current.Next}.", identifier);
        var promoted = false;
        if (IsReplica(instance))
        {
            if (instance.DBInstanceStatus != "available" && instance.DBInstanceStatus != "promoting" && instance.DBInstanceStatus != "modifying")
            {
                await context.UntilAsync(FailoverDurations.Promote * 3, ct => StateAsync(context, i => i.DBInstanceStatus == "available" || !IsReplica(i), ct), $"'{identifier}' is waited for to be ready for its promotion", cancellation).ConfigureAwait(false);
            }

            try
            {
                await context.Target.Aws.Databases.PromoteReadReplicaAsync(
                    new PromoteReadReplicaRequest { DBInstanceIdentifier = identifier, BackupRetentionPeriod = Math.Max(1, context.Standby.Spec.Database.DatabaseBackupDays) }, cancellation).ConfigureAwait(false);
                promoted = true;
            }
            catch (InvalidDBInstanceStateException)
            {
                // Somebody promotes it already, a process of ours that died among them; the wait below tells.
            }
        }

        await context.UntilAsync(FailoverDurations.Promote * 3, ct => StateAsync(context, i => i.DBInstanceStatus == "available" && !IsReplica(i), ct), $"The promotion of '{identifier}' is waited for", cancellation).ConfigureAwait(false);
        return promoted ? $"{identifier} was promoted and takes writes" : $"{identifier} stands by itself and takes writes";
    }

    private static bool IsReplica(DBInstance instance) => !string.IsNullOrEmpty(instance.ReadReplicaSourceDBInstanceIdentifier);

    private static async Task<string?> StateAsync(FailoverContext context, Func<DBInstance, bool> good, CancellationToken cancellation) =>
        await FindAsync(context, cancellation).ConfigureAwait(false) is not { } instance ? "it is not there" : good(instance) ? null : $"it is {instance.DBInstanceStatus}{(IsReplica(instance) ? ", a replica" : "")}";

    private static async Task<string?> ChooseAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (await FindAsync(context, cancellation).ConfigureAwait(false) is { } there)
        {
            return $"{there.DBInstanceIdentifier} is there already";
        }

        if (context.Run.Fact(SnapshotFact) is { } kept)
        {
            return $"snapshot {kept}";
        }

        var snapshot = await NewestAsync(context, cancellation).ConfigureAwait(false)
            ?? throw new OperationException(
                "FailoverSnapshotMissing", OperationErrorKind.NotFound, $"There is no snapshot of the database of '{context.Run.Current.Environment}' in {context.Run.Current.ToRegion}.",
                "Look for one with Get-InferloopBackup; a copy of a snapshot from another region can be made with aws rds copy-db-snapshot while that region answers.", context.Run.Current.Environment);
        var name = snapshot.DBSnapshotArn;
        await context.Run.KeepAsync(SnapshotFact, name, cancellation).ConfigureAwait(false);
        return $"snapshot {snapshot.DBSnapshotIdentifier} of {Taken(snapshot):yyyy-MM-dd HH:mm:ss} UTC";
    }
}
