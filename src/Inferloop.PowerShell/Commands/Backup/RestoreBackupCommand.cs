using System.Management.Automation;
using Inferloop.Operations.Backups;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>
/// Restores a backup, or a moment of database or table, as something new beside what is there, and says how to put it in its place. It overwrites
/// nothing. Run again after an interruption with the same parameters it follows the restore that is under way.
/// </summary>
[Cmdlet(VerbsData.Restore, "InferloopBackup", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = "Backup")]
[OutputType(typeof(InferloopRestore))]
public sealed class RestoreBackupCommand : BackupCmdlet
{
    /// <summary>The backup, as Get-InferloopBackup gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Backup")]
    [ValidateNotNull]
    public InferloopBackup? Backup { get; set; }

    /// <summary>What to bring back to a moment: Database or Table.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "Name")]
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "Environment")]
    public BackupComponent Component { get; set; }

    /// <summary>The moment whose state to restore. Default the latest there is.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    public DateTimeOffset? PointInTime { get; set; }

    /// <summary>What the new database, table or bucket is called. Default a name made of the environment's. A volume is given its id by EC2.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? As { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = Backup is not null ? await OpenAsync(Backup, cancellationToken).ConfigureAwait(false) : await FindAsync(cancellationToken).ConfigureAwait(false);
        var backups = new BackupOperations(operations);
        var what = Backup is not null ? $"{Backup}" : $"{Component} of environment {environment}, as of {(PointInTime is { } moment ? $"{moment.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : "the latest moment")}";
        if (!await ShouldProcessAsync($"{what}, as {As ?? "something new"}", "Restore").ConfigureAwait(false))
        {
            return;
        }

        WriteObject(Backup is not null
            ? await backups.RestoreAsync(Backup, environment, As, cancellationToken).ConfigureAwait(false)
            : await backups.RestoreMomentAsync(environment, Component, PointInTime, As, cancellationToken).ConfigureAwait(false));
    }
}
