using Inferloop.Operations.Backups;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>The base of the cmdlets on an environment's backups.</summary>
public abstract class BackupCmdlet : ExistingEnvironmentCmdlet
{
    /// <summary>The backups and the environment that the parameters name.</summary>
    private protected async Task<(BackupOperations Backups, InferloopEnvironment Environment)> FindBackupsAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        return (new BackupOperations(operations), environment);
    }
}
