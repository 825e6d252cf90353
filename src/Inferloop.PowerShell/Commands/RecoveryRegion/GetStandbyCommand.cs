using System.Management.Automation;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.RecoveryRegion;

/// <summary>Gets what stands by for an environment: where, as what, and how each replica stands.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopStandby", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopStandby))]
public sealed class GetStandbyCommand : StandbyCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (environment, recovery, operations) = await FindStandbyAsync(cancellationToken).ConfigureAwait(false);
        WriteObject(await operations.GetAsync(environment, cancellationToken).ConfigureAwait(false) ?? throw StandbyOperations.NoStandby(environment.Name, recovery.Aws.Region));
    }
}
