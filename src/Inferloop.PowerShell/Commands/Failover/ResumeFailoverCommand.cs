using System.Management.Automation;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>Goes on with a failover that stopped: after an error, Ctrl-C or a lost machine, from any machine; or with one that waits for an approval. What is done is not done again.</summary>
[Cmdlet(VerbsLifecycle.Resume, "InferloopFailover", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailover))]
public sealed class ResumeFailoverCommand : OneFailoverCmdlet
{
    /// <summary>Approves the step that it waits at.</summary>
    [Parameter]
    public SwitchParameter Approve { get; set; }

    /// <summary>A wider consent to the loss of data than the one it began with.</summary>
    [Parameter]
    public TimeSpan? MaximumDataLoss { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, target) = await FindOneAsync(cancellationToken).ConfigureAwait(false);
        if (await ShouldProcessAsync($"environment {target.Name} ({target.Stage.ToString().ToLowerInvariant()}), to {target.Region}", "Go on with the failover").ConfigureAwait(false))
        {
            WriteObject(await operations.ResumeAsync(target, Approve, MaximumDataLoss, cancellationToken).ConfigureAwait(false));
        }
    }
}
