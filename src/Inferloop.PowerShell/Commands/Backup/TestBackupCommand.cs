using System.Management.Automation;
using Inferloop.Operations.Backups;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>
/// Restores a backup where nothing reaches it, checks that it came up and holds what it should, removes it again, and tells how long each took. What
/// an interrupted test left is removed by the next command on the environment's backups.
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopBackup", SupportsShouldProcess = true, DefaultParameterSetName = "Backup")]
[OutputType(typeof(InferloopBackupTest))]
public sealed class TestBackupCommand : EnvironmentBackupCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (backups, environment) = await FindBackupAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"{Backup}", "Restore in isolation, check and remove").ConfigureAwait(false))
        {
            WriteObject(await backups.TestAsync(Backup!, environment, cancellationToken).ConfigureAwait(false));
        }
    }
}
