using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>The base of the cmdlets that hold a price to limits.</summary>
public abstract class CostGateCmdlet : InferloopCmdlet
{
    /// <summary>An estimate, a comparison, or a change set.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public object? InputObject { get; set; }

    /// <summary>What it may cost a month at most, as expected.</summary>
    [Parameter]
    [ValidateRange(0, 1_000_000_000)]
    public decimal? MaxMonthlyCost { get; set; }

    /// <summary>What it may cost a month at most when autoscaling goes to its bounds.</summary>
    [Parameter]
    [ValidateRange(0, 1_000_000_000)]
    public decimal? MaxMonthlyHigh { get; set; }

    /// <summary>What a change may add a month at most.</summary>
    [Parameter]
    [ValidateRange(0, 1_000_000_000)]
    public decimal? MaxIncrease { get; set; }

    /// <summary>Percent that a change may add at most.</summary>
    [Parameter]
    [ValidateRange(0, 1_000_000)]
    public decimal? MaxIncreasePercent { get; set; }

    /// <summary>Take anything that is charged without a price here as a failure.</summary>
    [Parameter]
    public SwitchParameter Strict { get; set; }

    /// <summary>The input held to the limits.</summary>
    private protected CostGate Gate()
    {
        var limits = new CostLimits { MaxMonthlyCost = MaxMonthlyCost, MaxMonthlyHigh = MaxMonthlyHigh, MaxIncrease = MaxIncrease, MaxIncreasePercent = MaxIncreasePercent, Strict = Strict };
        return (InputObject is PSObject wrapped ? wrapped.BaseObject : InputObject) switch
        {
            CostGate gate => gate,
            Inferloop.Operations.Costs.CostEstimate estimate => limits.Check(estimate),
            CostComparison change => limits.Check(change),
            InferloopChangeSet { Cost: { } change } => limits.Check(change),
            InferloopChangeSet set => throw new OperationException(
                "ChangeSetUnpriced", OperationErrorKind.InvalidState, $"The change set of '{set.Environment}' has no price: the deployed or the new state could not be priced.",
                "Estimate the spec instead: Get-InferloopCostEstimate -Spec.", set.Environment),
            var other => throw new OperationException(
                "CostInputUnknown", OperationErrorKind.InvalidArgument, $"A {other?.GetType().Name} has no price.",
                "Pipe what Get- or Compare-InferloopCostEstimate give, or a change set.", other),
        };
    }
}
