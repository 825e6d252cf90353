using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Stops sandboxes; what they held is gone, and the session's commands go to AWS again.</summary>
[Cmdlet(VerbsLifecycle.Stop, "InferloopSandbox", SupportsShouldProcess = true)]
[OutputType(typeof(void))]
public sealed class StopSandboxCommand : InferloopCmdlet
{
    /// <summary>The sandbox to stop. Default: every sandbox of this session.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public InferloopSandbox? InputObject { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandboxes = InputObject is not null ? [InputObject] : await OnPipelineAsync(() => ModuleSession.Current.Sandboxes).ConfigureAwait(false);
        if (sandboxes.Count == 0)
        {
            WriteVerbose("No sandbox is running.");
        }

        foreach (var sandbox in sandboxes)
        {
            if (sandbox.IsRunning && await ShouldProcessAsync(sandbox.EndpointUrl.ToString(), "Stop the sandbox and forget all it holds").ConfigureAwait(false))
            {
                await sandbox.StopAsync().ConfigureAwait(false);
            }
        }
    }
}
