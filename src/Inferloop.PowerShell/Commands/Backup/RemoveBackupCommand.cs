using System.Management.Automation;
using Inferloop.Operations.Backups;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>Deletes a backup. What a vault's lock keeps is refused, with the day it ends.</summary>
[Cmdlet(VerbsCommon.Remove, "InferloopBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Backup")]
public sealed class RemoveBackupCommand : EnvironmentBackupCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (backups, _) = await FindBackupAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"{Backup}", "Delete the backup for good").ConfigureAwait(false))
        {
            await backups.RemoveAsync(Backup!, cancellationToken).ConfigureAwait(false);
        }
    }
}
