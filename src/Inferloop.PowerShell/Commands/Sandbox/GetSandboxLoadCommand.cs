using System.Management.Automation;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Gets the synthetic loads on the sandbox's load balancers, with what they did in the last minute.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopSandboxLoad")]
[OutputType(typeof(InferloopSandboxLoad))]
public sealed class GetSandboxLoadCommand : SandboxCmdlet
{
    /// <summary>Only loads set on load balancers of this name; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string LoadBalancer { get; set; } = "*";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var pattern = WildcardPattern.Get(LoadBalancer, WildcardOptions.IgnoreCase);
        foreach (var load in sandbox.Loads.Where(load => pattern.IsMatch(load.LoadBalancer)))
        {
            WriteObject(load);
        }
    }
}
