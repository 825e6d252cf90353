using Amazon.Backup;
using Amazon.Backup.Model;

namespace Inferloop.Operations.Environments;

internal sealed partial class EnvironmentOperations
{
    private static IEnumerable<string> VaultsOf(IEnumerable<DeployedResource> resources) =>
        resources.Where(r => r.Type == "AWS::Backup::BackupVault" && r.PhysicalId.Length > 0).Select(r => r.PhysicalId);

    /// <summary>Says no, before anything is touched, to deleting what a vault's lock keeps: the deletion would stop at it, with half of the environment gone.</summary>
    private async Task RefuseLockedVaultsAsync(string name, IReadOnlyList<DeployedResource> resources, CancellationToken cancellation)
    {
        foreach (var vault in VaultsOf(resources))
        {
            var found = await aws.Client<IAmazonBackup>().DescribeBackupVaultAsync(new DescribeBackupVaultRequest { BackupVaultName = vault }, cancellation).ConfigureAwait(false);
            if (found is { Locked: true, NumberOfRecoveryPoints: > 0 })
            {
                throw new OperationException(
                    "BackupLocked", OperationErrorKind.PermissionDenied,
                    $"The vault {vault} of '{name}' holds {found.NumberOfRecoveryPoints} backups that its lock lets nobody delete{(found.LockDate is null ? "" : $" before they expire, from {found.LockDate.Value.ToUniversalTime():yyyy-MM-dd HH:mm} UTC on for good")}. Nothing was removed.",
                    found.LockDate is null
                        ? $"Lift the lock with Set-InferloopEnvironment {name} -BackupVaultLock None, or leave out -DeleteData, which keeps the vault."
                        : "Leave out -DeleteData, which keeps the vault until its backups have expired.", name);
            }
        }
    }

    /// <summary>Deletes what is in a vault, and stops what is on its way into it.</summary>
    private async Task EmptyVaultAsync(string vault, CancellationToken cancellation)
    {
        var client = aws.Client<IAmazonBackup>();
        while (true)
        {
            var jobs = (await client.ListBackupJobsAsync(new ListBackupJobsRequest { ByBackupVaultName = vault }, cancellation).ConfigureAwait(false)).BackupJobs ?? [];
            foreach (var job in jobs.Where(j => j.State?.Value is "CREATED" or "PENDING" or "RUNNING"))
            {
                try
                {
                    await client.StopBackupJobAsync(new StopBackupJobRequest { BackupJobId = job.BackupJobId }, cancellation).ConfigureAwait(false);
                }
                catch (InvalidRequestException)
                {
                    // It ended in between; what it made is in the list below, now or in the next round.
                }
            }

            var points = (await client.ListRecoveryPointsByBackupVaultAsync(new ListRecoveryPointsByBackupVaultRequest { BackupVaultName = vault }, cancellation).ConfigureAwait(false)).RecoveryPoints ?? [];
            if (points.Count == 0)
            {
                return;
            }

            reporter.Progress(new OperationProgress($"Emptying {vault}", $"{points.Count} backups"));
            var deleted = 0;
            foreach (var point in points.Where(p => p.Status?.Value is not ("CREATING" or "DELETING")))
            {
                try
                {
                    await client.DeleteRecoveryPointAsync(new DeleteRecoveryPointRequest { BackupVaultName = vault, RecoveryPointArn = point.RecoveryPointArn }, cancellation).ConfigureAwait(false);
                    deleted++;
                }
                catch (ResourceNotFoundException)
                {
                    deleted++;
                }
            }

            if (deleted == 0)
            {
                await Task.Delay(options.PollMaximum, options.Time, cancellation).ConfigureAwait(false);
            }
        }
    }
}
