using System.Management.Automation;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>Tells whether an environment could fail over now: what would be lost, how long it would take, and what stands in the way. Nothing is touched.</summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopFailover", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailoverReadiness))]
public sealed class TestFailoverCommand : FailoverCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, standby) = await FindAsync(cancellationToken).ConfigureAwait(false);
        WriteObject(await operations.TestAsync(standby, cancellationToken).ConfigureAwait(false));
    }
}
