using Inferloop.Operations.Costs;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>The price of evaluated stacks where an operation needs it beside its own work: a missing price never stops the work.</summary>
internal static class PlanPrice
{
    /// <summary>The estimate; null, with the reason told, where the catalog has no prices of the region.</summary>
    public static CostEstimate? Of(EvaluatedStack stack, UsageProfile? usage, IOperationReporter reporter)
    {
        try
        {
            return CostEstimator.Estimate(stack, new CostOptions { Usage = usage });
        }
        catch (OperationException e)
        {
            reporter.Verbose($"No price is given: {e.Message}");
            return null;
        }
    }
}
