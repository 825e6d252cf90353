using System.Management.Automation;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Tests;

/// <summary>A cmdlet whose body the test writes.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "Probe", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
internal sealed class ProbeCommand : InferloopCmdlet
{
    [Parameter(Mandatory = true, Position = 0)]
    public ProbeBody? Body { get; set; }

    [Parameter(ValueFromPipeline = true)]
    public object? InputObject { get; set; }

    private protected override TimeSpan StopGrace => TimeSpan.FromMilliseconds(200);

    public new void WriteVerbose(string text) => base.WriteVerbose(text);

    public new void WriteWarning(string text) => base.WriteWarning(text);

    public new void WriteObject(object? value) => base.WriteObject(value);

    public new Task WriteAsync(object? value) => base.WriteAsync(value);

    public new Task<bool> ShouldProcessAsync(string target, string action) => base.ShouldProcessAsync(target, action);

    public new Task<bool> ShouldContinueAsync(string query, string caption) => base.ShouldContinueAsync(query, caption);

    public new Task<T> OnPipelineAsync<T>(Func<T> function) => base.OnPipelineAsync(function);

    public Inferloop.Operations.IOperationReporter Report => Reporter;

    protected override Task RunAsync(CancellationToken cancellationToken) => Body!.Run(this, cancellationToken);
}

/// <summary>The body of a probe; wrapped, so that PowerShell passes it through as it is.</summary>
internal sealed record ProbeBody(Func<ProbeCommand, CancellationToken, Task> Run);
