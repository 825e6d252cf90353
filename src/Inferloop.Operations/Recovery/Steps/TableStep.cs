using System.Globalization;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Inferloop.Operations.Backups;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// The table: a replica of a global table takes writes at any time, so that it only has to be seen that it does. Where the standby is backups alone, the
/// newest one in the vault here is restored.
/// </summary>
internal static class TableStep
{
    /// <summary>Under which a run keeps the name of the table that it restored.</summary>
    public const string RestoredFact = "table.restored";

    public static readonly FailoverAction Action = new(
        (context, cancellation) => context.Run.Current is { StandbyMode: StandbyMode.BackupOnly, Direction: FailoverDirection.Failover } ? RestoreAsync(context, cancellation) : SeeAsync(context, cancellation));

    /// <summary>The newest backup of the table that is in this region; null where there is none.</summary>
    public static async Task<InferloopBackup?> NewestAsync(FailoverContext context, CancellationToken cancellation) =>
        context.Output("BackupVaultName") is null ? null
            : (await new BackupOperations(context.Target).ListAsync(context.Standby, [BackupComponent.Table], cancellation).ConfigureAwait(false)).FirstOrDefault(b => b.Status is "COMPLETED" or "AVAILABLE");

    private static async Task<string?> RestoreAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Run.Fact(RestoredFact) is { } done)
        {
            return $"{done} was restored";
        }

        var backup = await NewestAsync(context, cancellation).ConfigureAwait(false) ?? throw new OperationException(
            "FailoverTableBackupMissing", OperationErrorKind.NotFound, $"The vault in {context.Run.Current.ToRegion} has no backup of the table of '{context.Run.Current.Environment}'.",
            $"Look with Get-InferloopBackup {context.Standby.Name} -Region {context.Run.Current.ToRegion}.", context.Run.Current.Environment);
        var restored = await new BackupOperations(context.Target).RestoreAsync(
            backup, context.Standby, $"inferloop-{context.Standby.Name}-{context.Standby.Stage.ToString().ToLowerInvariant()}-{context.Run.Current.Id}", cancellation).ConfigureAwait(false);
        await context.Run.KeepAsync(RestoredFact, restored.Resource, cancellation).ConfigureAwait(false);
        return string.Create(CultureInfo.InvariantCulture, $"{restored.Resource} was restored from the backup of {backup.Created.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC");
    }

    private static async Task<string?> SeeAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Output("TableName") is not { } name)
        {
            return null;
        }

        await context.UntilAsync(
            TimeSpan.FromMinutes(30),
            async ct =>
            {
                var table = (await context.Target.Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = name }, ct).ConfigureAwait(false)).Table;
                return table.TableStatus == TableStatus.ACTIVE ? null : $"it is {table.TableStatus}";
            },
            $"The table {name} is waited for", cancellation).ConfigureAwait(false);
        return $"{name} is active";
    }
}
