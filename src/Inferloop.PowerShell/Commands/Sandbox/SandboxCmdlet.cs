using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>The base of cmdlets that work on a running sandbox.</summary>
public abstract class SandboxCmdlet : InferloopCmdlet
{
    /// <summary>The sandbox. Default: the one that stands for AWS in this session.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ValidateNotNull]
    public InferloopSandbox? Sandbox { get; set; }

    /// <summary>The sandbox to work on; an error says how to come by one.</summary>
    /// <returns>One that runs.</returns>
    private protected async Task<InferloopSandbox> RunningAsync()
    {
        var sandbox = Sandbox ?? await OnPipelineAsync(() => ModuleSession.Current.DefaultSandbox ?? (ModuleSession.Current.Sandboxes is [.., var last] ? last : null)).ConfigureAwait(false);
        return sandbox is { IsRunning: true } ? sandbox : throw CodedErrors.Create(ErrorIds.SandboxNotRunning, sandbox);
    }
}
