using Inferloop.Templates;

namespace Inferloop.Operations.Costs;

/// <summary>What an environment with a recovery region costs while it stands by, and while it has failed over.</summary>
public static class Standby
{
    /// <summary>
    /// The price while all is well (the first region works, the second stands ready: its stacks are there and its data is kept, no task, node or
    /// instance runs) and after a failover (the second works, the first is taken to be lost as a place to compute, while its stacks and data remain).
    /// </summary>
    /// <param name="primary">The stacks of the region that works.</param>
    /// <param name="recovery">The stacks of the region that stands by.</param>
    /// <param name="options">Usage, prices and how Spot is taken.</param>
    /// <param name="promoted">The stacks of that region once it carries the environment; the same when null.</param>
    /// <returns>Standby before, failed over after.</returns>
    public static CostComparison Compare(EvaluatedStack primary, EvaluatedStack recovery, CostOptions? options = null, EvaluatedStack? promoted = null)
    {
        options ??= new CostOptions();
        var usage = options.Usage ?? CostEstimator.Estimate(primary, options).Usage;
        CostEstimate Working(EvaluatedStack stack) => CostEstimator.Estimate(stack, options with { Usage = usage });
        CostEstimate Waiting(EvaluatedStack stack) => CostEstimator.Estimate(stack, options with { Usage = usage.WithoutTraffic(), IsStandby = true });
        return CostComparison.Compare(Together(Working(primary), Waiting(recovery)), Together(Waiting(primary), Working(promoted ?? recovery)));
    }

    /// <summary>Two estimates as one; every path begins with its region. Each reaches the tiers of prices by itself, as regions do.</summary>
    /// <param name="one">The first.</param>
    /// <param name="other">The second, in the same currency.</param>
    /// <returns>Both.</returns>
    public static CostEstimate Together(CostEstimate one, CostEstimate other)
    {
        static string In(CostEstimate estimate, string path) => estimate.Region + "/" + path;
        return one with
        {
            Regions = [.. one.Regions.Union(other.Regions)],
            MonthlyLow = one.MonthlyLow + other.MonthlyLow,
            MonthlyExpected = one.MonthlyExpected + other.MonthlyExpected,
            MonthlyHigh = one.MonthlyHigh + other.MonthlyHigh,
            Lines = [.. one.Lines.Select(l => l with { Path = In(one, l.Path) }), .. other.Lines.Select(l => l with { Path = In(other, l.Path) })],
            Unpriced = [.. one.Unpriced.Select(u => u with { Path = In(one, u.Path) }), .. other.Unpriced.Select(u => u with { Path = In(other, u.Path) })],
            Free = [.. one.Free.Select(f => f with { Path = In(one, f.Path) }), .. other.Free.Select(f => f with { Path = In(other, f.Path) })],
            Assumptions = [.. one.Assumptions.Union(other.Assumptions)],
        };
    }
}
