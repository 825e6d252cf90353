using System.Globalization;

namespace Inferloop.Operations.Costs;

/// <summary>What a price is held to; a member that is null holds it to nothing.</summary>
public sealed record CostLimits
{
    /// <summary>What it may cost a month at most, as expected.</summary>
    public decimal? MaxMonthlyCost { get; init; }

    /// <summary>What it may cost a month at most when autoscaling goes to its bounds.</summary>
    public decimal? MaxMonthlyHigh { get; init; }

    /// <summary>What a change may add a month at most.</summary>
    public decimal? MaxIncrease { get; init; }

    /// <summary>Percent that a change may add at most.</summary>
    public decimal? MaxIncreasePercent { get; init; }

    /// <summary>Whether everything that is charged must have a price.</summary>
    public bool Strict { get; init; }

    /// <summary>Holds an estimate to the limits.</summary>
    /// <param name="estimate">The estimate.</param>
    /// <returns>What was checked, and what came of it.</returns>
    public CostGate Check(CostEstimate estimate) => Check(estimate, null);

    /// <summary>Holds a change to the limits.</summary>
    /// <param name="change">The change.</param>
    /// <returns>What was checked, and what came of it.</returns>
    public CostGate Check(CostComparison change) => Check(change.After, change);

    private CostGate Check(CostEstimate? after, CostComparison? change)
    {
        var currency = after?.Currency ?? change?.Before?.Currency ?? "USD";
        string Money(decimal amount) => string.Create(CultureInfo.InvariantCulture, $"{amount:#,0.00} {currency}");
        var checks = new List<CostCheck>();
        void Hold(string rule, string what, decimal? actual, decimal? limit, Func<decimal, string> format)
        {
            if (limit is not { } most)
            {
                return;
            }

            var passed = actual is { } value && value <= most;
            checks.Add(new CostCheck(
                rule, passed ? CostCheckResult.Passed : CostCheckResult.Failed,
                actual is { } shown ? $"{what} is {format(shown)}, {(passed ? "within" : "more than")} {format(most)}." : $"{what} is not known: there was no price before.", null));
        }

        Hold("cost/monthly", "The expected cost a month", after?.MonthlyExpected ?? 0, MaxMonthlyCost, Money);
        Hold("cost/monthly-high", "The highest cost a month", after?.MonthlyHigh ?? 0, MaxMonthlyHigh, Money);
        if (change is not null)
        {
            Hold("cost/increase", "What the change adds a month", change.MonthlyDelta, MaxIncrease, Money);
            Hold("cost/increase-percent", "What the change adds", change.MonthlyDelta <= 0 ? 0 : change.Percent, MaxIncreasePercent, p => string.Create(CultureInfo.InvariantCulture, $"{p:0.#} percent"));
        }
        else if (MaxIncrease is not null || MaxIncreasePercent is not null)
        {
            throw new OperationException(
                "LimitNeedsChange", OperationErrorKind.InvalidArgument, "A limit of the increase needs two states to compare; one estimate has none.",
                "Pipe a comparison (Compare-InferloopCostEstimate) or a change set.", null);
        }

        foreach (var item in after?.Unpriced ?? [])
        {
            checks.Add(new CostCheck(
                "cost/unpriced", Strict ? CostCheckResult.Failed : CostCheckResult.Warning,
                $"{item.Name} has no price: {item.Reason}" + (item.AtMost is { } most ? $" It costs at most {Money(most)} a month." : ""), item.Path));
        }

        if (after is { IsComplete: true })
        {
            checks.Add(new CostCheck("cost/unpriced", CostCheckResult.Passed, "Everything that is charged has a price.", null));
        }

        return new CostGate { Estimate = after, Change = change, Limits = this, Checks = checks };
    }
}

/// <summary>What came of one check.</summary>
public enum CostCheckResult
{
    /// <summary>It holds.</summary>
    Passed,

    /// <summary>Worth knowing, and no reason to stop.</summary>
    Warning,

    /// <summary>It does not hold.</summary>
    Failed,
}

/// <summary>One check of a price.</summary>
/// <param name="Rule">The rule, such as <c>cost/monthly</c>.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Message">What was found.</param>
/// <param name="Path">The resource it concerns; null for the whole.</param>
public sealed record CostCheck(string Rule, CostCheckResult Result, string Message, string? Path);

/// <summary>A price held to limits.</summary>
public sealed record CostGate
{
    /// <summary>The estimate; of a change, the one after it.</summary>
    public CostEstimate? Estimate { get; init; }

    /// <summary>The change; null where one estimate was checked.</summary>
    public CostComparison? Change { get; init; }

    /// <summary>The limits.</summary>
    public required CostLimits Limits { get; init; }

    /// <summary>The checks.</summary>
    public required IReadOnlyList<CostCheck> Checks { get; init => field = value.Indexable(); }

    /// <summary>Whether no check failed.</summary>
    public bool Passed => Checks.All(c => c.Result != CostCheckResult.Failed);

    /// <summary>What a process should end with: 0 when it passed, 1 when not.</summary>
    public int ExitCode => Passed ? 0 : 1;

    /// <summary>The checks that failed.</summary>
    public IReadOnlyList<CostCheck> Failures => (List<CostCheck>)[.. Checks.Where(c => c.Result == CostCheckResult.Failed)];
}
