using System.Management.Automation;
using Inferloop.Operations.Backups;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>The base of the cmdlets on one backup.</summary>
public abstract class EnvironmentBackupCmdlet : EnvironmentCmdlet
{
    /// <summary>The backup, as Get-InferloopBackup gives it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public InferloopBackup? Backup { get; set; }

    /// <summary>The operations of the place that the backup is in, and its environment.</summary>
    private protected async Task<(BackupOperations Backups, InferloopEnvironment Environment)> FindBackupAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await OpenAsync(Backup!, cancellationToken).ConfigureAwait(false);
        return (new BackupOperations(operations), environment);
    }
}
