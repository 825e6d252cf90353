using System.Management.Automation;
using Inferloop.Operations.Backups;

namespace Inferloop.PowerShell.Commands.Backup;

/// <summary>
/// Makes backups of an environment's stores now, beside those of its daily plan, and copies them to the standby's vault where there is one. Run again
/// after an interruption it follows the jobs that are under way.
/// </summary>
[Cmdlet(VerbsCommon.New, "InferloopBackup", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopBackup))]
public sealed class NewBackupCommand : BackupCmdlet
{
    /// <summary>What to back up: Database, Table, Bucket, Volume. Default all that the environment has.</summary>
    [Parameter(Position = 1)]
    public BackupComponent[] Component { get; set; } = [];

    /// <summary>Days that they are kept, 1 to 3650. Default as long as the plan's.</summary>
    [Parameter]
    [ValidateRange(1, 3650)]
    public int? RetentionDays { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end. Nothing is copied then.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (backups, environment) = await FindBackupsAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"{(Component.Length == 0 ? "all stores" : string.Join(", ", Component))} of environment {environment}", "Back up").ConfigureAwait(false))
        {
            foreach (var made in await backups.CreateAsync(environment, Component, RetentionDays, !NoWait, cancellationToken).ConfigureAwait(false))
            {
                WriteObject(made);
            }
        }
    }
}
