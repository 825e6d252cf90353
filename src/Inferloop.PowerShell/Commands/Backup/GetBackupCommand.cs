using System.Management.Automation;
using Inferloop.Operations.Backups;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>Gets the backups in an environment's vault, newest first.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopBackup", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopBackup))]
public sealed class GetBackupCommand : BackupCmdlet
{
    /// <summary>Only backups of these: Database, Table, Bucket, Volume.</summary>
    [Parameter(Position = 1)]
    public BackupComponent[] Component { get; set; } = [];

    /// <summary>Only the newest completed one of each resource.</summary>
    [Parameter]
    public SwitchParameter Latest { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (backups, environment) = await FindBackupsAsync(cancellationToken).ConfigureAwait(false);
        var found = await backups.ListAsync(environment, Component, cancellationToken).ConfigureAwait(false);
        foreach (var backup in Latest ? found.Where(b => b.Status is "COMPLETED" or "AVAILABLE").GroupBy(b => b.ResourceArn, StringComparer.Ordinal).Select(g => g.First()) : found)
        {
            WriteObject(backup);
        }
    }
}
