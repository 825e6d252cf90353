using System.Management.Automation;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>
/// Brings an environment back to the region that it came from: makes that region follow the one that serves, then switches without a loss. The
/// database that served there before goes, with a last snapshot.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "InferloopFailback", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailover))]
public sealed class InvokeFailbackCommand : FailoverCmdlet
{
    /// <summary>Steps before which it pauses until Resume-InferloopFailover -Approve, such as Fence.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] ApproveStep { get; set; } = [];

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        // The one given serves, or is the one to go back to, which then names the one that serves.
        var region = Environment is { } piped ? piped.Spec.Recovery.RegionRole == RegionRole.Primary ? piped.Region : piped.Spec.RecoveryRegion : null;
        var (operations, serving) = await FindInAsync(region, cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync(
            $"environment {serving.Name} ({serving.Stage.ToString().ToLowerInvariant()}), {serving.Region} -> {serving.Spec.RecoveryRegion}", "Fail back; the database that served there before is deleted after a last snapshot").ConfigureAwait(false))
        {
            WriteObject(await operations.FailbackAsync(serving, new FailoverOptions { Approvals = ApproveStep }, cancellationToken).ConfigureAwait(false));
        }
    }
}
