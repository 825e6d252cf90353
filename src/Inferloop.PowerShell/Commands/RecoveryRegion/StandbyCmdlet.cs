using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.RecoveryRegion;

/// <summary>The base of the cmdlets on what stands by for an environment.</summary>
public abstract class StandbyCmdlet : ExistingEnvironmentCmdlet
{
    /// <summary>The region that stands by. Default the RecoveryRegion of the environment's spec.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? RecoveryRegion { get; set; }

    /// <summary>The environment, and the operations of both its regions.</summary>
    private protected async Task<(InferloopEnvironment Environment, EnvironmentOperations Recovery, StandbyOperations Operations)> FindStandbyAsync(CancellationToken cancellationToken)
    {
        var (home, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        if (environment.Spec.Recovery.RecoverySite)
        {
            // What was found is the standby itself: its spec names the region that it belongs to.
            home = InRegion(home, environment.Spec.RecoveryRegion);
            environment = await home.RefreshAsync(environment.StackName, withHealth: false, cancellationToken).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(environment.Name, home.Aws.Region);
        }

        var region = RecoveryRegion ?? (environment.Spec.RecoveryRegion.Length > 0 ? environment.Spec.RecoveryRegion : environment.Spec.Recovery.ReplicaRegion);
        if (region.Length == 0 || region == home.Aws.Region)
        {
            throw new OperationException(
                "RecoveryRegionMissing", OperationErrorKind.InvalidArgument, region.Length == 0 ? $"The spec of '{environment.Name}' has no recovery region." : $"{region} is the region of '{environment.Name}' itself.",
                $"Say where: -RecoveryRegion us-west-2, or Set-InferloopEnvironment {environment.Name} -RecoveryRegion us-west-2.", environment.Name);
        }

        var recovery = InRegion(home, region);
        return (environment, recovery, new StandbyOperations(home, recovery));
    }
}
