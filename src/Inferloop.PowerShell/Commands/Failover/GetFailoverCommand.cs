using System.Management.Automation;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>The failovers of an environment into a region, the newest first: steps, evidence, and how they stood against RTO and RPO.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopFailover", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailover))]
public sealed class GetFailoverCommand : FailoverCmdlet
{
    /// <summary>Only the failover of this id.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Id { get; set; }

    /// <summary>Only the newest.</summary>
    [Parameter]
    public SwitchParameter Current { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, target) = await FindInAsync(ToRegion ?? Environment?.Region, cancellationToken).ConfigureAwait(false);
        var history = (await operations.HistoryAsync(target, cancellationToken).ConfigureAwait(false)).Where(f => Id is null || f.Id == Id);
        foreach (var failover in Current ? history.Take(1) : history)
        {
            WriteObject(failover);
        }
    }
}
