namespace Inferloop.Operations.Costs;

/// <summary>How to estimate.</summary>
public sealed record CostOptions
{
    /// <summary>What is used a month; by default the preset that fits the stage.</summary>
    public UsageProfile? Usage { get; init; }

    /// <summary>The prices; by default those that ship with the module.</summary>
    public PriceCatalog? Catalog { get; init; }

    /// <summary>
    /// Percent by which Spot is taken to be cheaper than on demand, 0 to 90. Spot prices move and are in no price list: without this they are unpriced.
    /// </summary>
    public decimal? SpotDiscountPercent { get; init; }
}
