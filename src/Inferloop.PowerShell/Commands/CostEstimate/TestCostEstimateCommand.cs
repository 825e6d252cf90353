using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>Holds a price to limits: the gate of a CI pipeline.</summary>
[Cmdlet(VerbsDiagnostic.Test, "InferloopCostEstimate")]
[OutputType(typeof(CostGate))]
public sealed class TestCostEstimateCommand : CostGateCmdlet
{
    /// <summary>End with an error where a limit is exceeded, so that the step fails.</summary>
    [Parameter]
    public SwitchParameter Enforce { get; set; }

    /// <inheritdoc/>
    protected override Task RunAsync(CancellationToken cancellationToken)
    {
        var gate = Gate();
        WriteObject(gate);
        if (Enforce && !gate.Passed)
        {
            throw new OperationException(
                "CostGateFailed", OperationErrorKind.LimitExceeded, string.Join(" ", gate.Failures.Select(f => f.Path is null ? f.Message : $"{f.Path}: {f.Message}")),
                "Look at the lines (Get-InferloopCostEstimate -Detailed), make what is dear smaller, or raise the limit.", gate.Estimate?.Environment);
        }

        return Task.CompletedTask;
    }
}
