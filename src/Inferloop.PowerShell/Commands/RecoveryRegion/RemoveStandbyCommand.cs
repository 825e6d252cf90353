using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.RecoveryRegion;

/// <summary>
/// Ends the replication of an environment and removes what stood by in its recovery region. It refuses a region that took over. Run again after an
/// interruption it goes on where it stopped.
/// </summary>
[Cmdlet(VerbsCommon.Remove, "InferloopStandby", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRemovedStandby))]
public sealed class RemoveStandbyCommand : StandbyCmdlet
{
    /// <summary>Delete the replicated data in the recovery region too: its bucket with all versions, and its key.</summary>
    [Parameter]
    public SwitchParameter DeleteData { get; set; }

    /// <summary>Lift the protection of a standby that has one.</summary>
    [Parameter]
    public SwitchParameter DisableTerminationProtection { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (environment, recovery, operations) = await FindStandbyAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"what stands by for environment {environment} in {recovery.Aws.Region}", DeleteData ? "Remove, and delete its replicated data" : "Remove, and keep its replicated bucket").ConfigureAwait(false))
        {
            var removal = new RemovalOptions { DeleteData = DeleteData, DisableTerminationProtection = DisableTerminationProtection };
            WriteObject(await operations.RemoveAsync(environment, removal, cancellationToken).ConfigureAwait(false));
        }
    }
}
