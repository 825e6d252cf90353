using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Gets the running sandboxes of this session.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopSandbox")]
[OutputType(typeof(InferloopSandbox))]
public sealed class GetSandboxCommand : InferloopCmdlet
{
    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var sandbox in await OnPipelineAsync(() => ModuleSession.Current.Sandboxes).ConfigureAwait(false))
        {
            WriteObject(sandbox);
        }
    }
}
