using System.Management.Automation;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox.Faults;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Gets the faults injected into the sandbox, with how often each struck.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopSandboxFault")]
[OutputType(typeof(InferloopSandboxFault))]
public sealed class GetSandboxFaultCommand : SandboxCmdlet
{
    /// <summary>Only faults with these ids; wildcards are allowed.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Id { get; set; } = ["*"];

    /// <summary>Only faults of these kinds.</summary>
    [Parameter]
    public SandboxFaultKind[]? Kind { get; set; }

    /// <summary>Only faults in these states: Waiting, Active or Ended.</summary>
    [Parameter]
    public SandboxFaultState[]? State { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = await RunningAsync().ConfigureAwait(false);
        var patterns = Id.Select(id => WildcardPattern.Get(id, WildcardOptions.IgnoreCase)).ToList();
        foreach (var fault in sandbox.Faults)
        {
            if (patterns.Exists(p => p.IsMatch(fault.Id)) && Kind?.Contains(fault.Kind) != false && State?.Contains(fault.State) != false)
            {
                WriteObject(fault);
            }
        }
    }
}
