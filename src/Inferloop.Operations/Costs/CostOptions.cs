namespace Inferloop.Operations.Costs;

/// <summary>How to estimate.</summary>
public sealed record CostOptions
{
    /// <summary>What is used a month; by default the preset that fits the stage.</summary>
    public UsageProfile? Usage { get; init; }

    /// <summary>The prices; by default those that the user has updated, else those that ship with the module.</summary>
    public PriceCatalog? Catalog { get; init; }

    /// <summary>
    /// Percent by which Spot is taken to be cheaper than on demand, 0 to 90. Spot prices move and are in no price list: without this they are unpriced.
    /// </summary>
    public decimal? SpotDiscountPercent { get; init; }

    /// <summary>Percent by which a Savings Plan for compute is cheaper than on demand, 0 to 72. AWS's rates depend on term and payment: what a plan gives is given here.</summary>
    public decimal? SavingsPlanDiscountPercent { get; init; }

    /// <summary>Percent of the compute that the Savings Plan covers.</summary>
    public decimal SavingsPlanCoveragePercent { get; init; } = 100;

    /// <summary>Deduct what AWS gives every account each month without end. It is given once to an account, whatever else runs there.</summary>
    public bool FreeTier { get; init; }

    /// <summary>The day whose support windows decide about surcharges for old versions.</summary>
    public DateOnly Today { get; init; } = DateOnly.FromDateTime(DateTime.UtcNow);

    /// <summary>The stacks stand by: what is there and what is kept is charged, no task, node or instance runs.</summary>
    public bool IsStandby { get; init; }

    /// <summary>How the usage was found, for the estimate's assumptions.</summary>
    internal IReadOnlyList<string> UsageNotes { get; init; } = [];

    /// <summary>Properties that single resources are taken to have instead of their own, by path.</summary>
    internal IReadOnlyDictionary<string, Inferloop.Templates.MapValue>? Instead { get; init; }
}
