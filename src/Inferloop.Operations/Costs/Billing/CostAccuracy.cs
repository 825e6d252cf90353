namespace Inferloop.Operations.Costs.Billing;

/// <summary>How far an estimate was from the bill.</summary>
public sealed record CostAccuracy
{
    /// <summary>The environment.</summary>
    public string? Environment { get; init; }

    /// <summary>The first day of the bill.</summary>
    public required DateOnly Start { get; init; }

    /// <summary>The day after its last.</summary>
    public required DateOnly End { get; init; }

    /// <summary>Currency of the amounts.</summary>
    public required string Currency { get; init; }

    /// <summary>What the estimate says for that time: a month's figure times its hours by 730.</summary>
    public required decimal Estimated { get; init; }

    /// <summary>What the bill says.</summary>
    public required decimal Billed { get; init; }

    /// <summary>By component, greatest error first.</summary>
    public required IReadOnlyList<ComponentAccuracy> Components { get; init => field = value.Indexable(); }

    /// <summary>What the estimate is above (or, negative, below) the bill.</summary>
    public decimal Error => Estimated - Billed;

    /// <summary>The error in percent of the bill; null where nothing was billed.</summary>
    public decimal? ErrorPercent => Billed == 0 ? null : Error / Billed * 100;

    /// <summary>What the estimate says is charged and has no price; the bill has it.</summary>
    public required IReadOnlyList<UnpricedItem> Unpriced { get; init => field = value.Indexable(); }

    /// <summary>Measures an estimate against a bill.</summary>
    /// <param name="estimate">The estimate, in the bill's currency.</param>
    /// <param name="report">The bill.</param>
    /// <returns>The errors.</returns>
    /// <exception cref="OperationException">The currencies differ.</exception>
    public static CostAccuracy Measure(CostEstimate estimate, CostReport report)
    {
        if (estimate.Currency != report.Currency)
        {
            throw new OperationException(
                "CurrenciesDiffer", OperationErrorKind.InvalidArgument, $"The estimate is in {estimate.Currency}, the bill in {report.Currency}.",
                $"Estimate with -Currency {report.Currency} and the rate of the bill.", report.Currency);
        }

        var months = (report.End.DayNumber - report.Start.DayNumber) * 24m / 730m;
        var estimated = estimate.Components.ToDictionary(c => c.Component, c => c.MonthlyExpected * months, StringComparer.Ordinal);
        var billed = report.Components.ToDictionary(c => c.Name.Length == 0 ? "other" : c.Name, c => c.Amount, StringComparer.Ordinal);

        // What the bill has and no tag tells the component of is a component too: sums must be equal, but for what sums of long fractions lose.
        var rest = report.Total - billed.Values.Sum();
        if (Math.Abs(rest) >= 0.005m)
        {
            billed["other"] = billed.GetValueOrDefault("other") + rest;
        }

        return new CostAccuracy
        {
            Environment = report.Environment,
            Start = report.Start,
            End = report.End,
            Currency = report.Currency,
            Estimated = estimated.Values.Sum(),
            Billed = report.Total,
            Components = [.. estimated.Keys.Union(billed.Keys)
                .Select(c => new ComponentAccuracy(c, estimated.GetValueOrDefault(c), billed.GetValueOrDefault(c)))
                .OrderByDescending(c => Math.Abs(c.Error)).ThenBy(c => c.Component, StringComparer.Ordinal)],
            Unpriced = estimate.Unpriced,
        };
    }
}

/// <summary>How far an estimate was from the bill for one component.</summary>
/// <param name="Component">The component; <c>other</c> for what has no tag.</param>
/// <param name="Estimated">What the estimate says for the time.</param>
/// <param name="Billed">What the bill says.</param>
public sealed record ComponentAccuracy(string Component, decimal Estimated, decimal Billed)
{
    /// <summary>What the estimate is above (or, negative, below) the bill.</summary>
    public decimal Error => Estimated - Billed;

    /// <summary>The error in percent of the bill; null where nothing was billed.</summary>
    public decimal? ErrorPercent => Billed == 0 ? null : Error / Billed * 100;
}
