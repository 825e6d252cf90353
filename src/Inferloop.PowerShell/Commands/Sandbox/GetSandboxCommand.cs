using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.Sandbox;

/// <summary>Gets the sandboxes of this session.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopSandbox")]
public sealed class GetSandboxCommand : InferloopCmdlet
{
    /// <inheritdoc/>
    protected override Task RunAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
