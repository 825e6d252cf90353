using System.Management.Automation;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>Takes a failover back that has not yet given the other region data of its own: what it had stopped runs again as before.</summary>
[Cmdlet(VerbsCommon.Undo, "InferloopFailover", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailover))]
public sealed class UndoFailoverCommand : OneFailoverCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, target) = await FindOneAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"environment {target.Name} ({target.Stage.ToString().ToLowerInvariant()}), to {target.Region}", "Take the failover back").ConfigureAwait(false))
        {
            WriteObject(await operations.UndoAsync(target, cancellationToken).ConfigureAwait(false));
        }
    }
}
