using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>The base of the cmdlets on a failover that was begun: it is found in the region that it goes to.</summary>
public abstract class OneFailoverCmdlet : FailoverCmdlet
{
    /// <summary>The failover, as Get-InferloopFailover gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Failover")]
    [ValidateNotNull]
    public InferloopFailover? Failover { get; set; }

    private protected async Task<(FailoverOperations Operations, InferloopEnvironment Target)> FindOneAsync(CancellationToken cancellationToken)
    {
        if (Failover is not { } failover)
        {
            // The region where it was begun has its journal; the role says nothing while it is under way.
            return await FindInAsync(ToRegion ?? (Environment is { } piped ? piped.Region : null), cancellationToken).ConfigureAwait(false);
        }

        Name = failover.Environment;
        Stage = failover.Stage;
        return await FindInAsync(failover.ToRegion, cancellationToken).ConfigureAwait(false);
    }
}
