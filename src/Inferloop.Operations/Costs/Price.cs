namespace Inferloop.Operations.Costs;

/// <summary>What one thing costs in one region, with its tiers.</summary>
/// <param name="Region">AWS region code, or <c>global</c> where AWS lists one price for all regions.</param>
/// <param name="Service">Service key, such as <c>nat_gateway</c>.</param>
/// <param name="Dimension">What is charged, such as <c>processed_gb</c>.</param>
/// <param name="Unit">The unit of the quantity; a tier's price is that of one such unit.</param>
/// <param name="Tiers">The tiers, lowest first. A quantity below the first is free of charge.</param>
/// <param name="KnownUpTo">The quantity up to which the price is known; null when the last tier has no end.</param>
public sealed record Price(string Region, string Service, string Dimension, string Unit, IReadOnlyList<PriceTier> Tiers, decimal? KnownUpTo)
{
    /// <summary>The tiers, lowest first. A quantity below the first is free of charge.</summary>
    public IReadOnlyList<PriceTier> Tiers { get; init => field = value.Indexable(); } = Tiers.Indexable();

    /// <summary>The cost of a quantity a month, tier by tier. What lies above <see cref="KnownUpTo"/> is not in it.</summary>
    /// <param name="quantity">The quantity, in <see cref="Unit"/>.</param>
    /// <returns>US dollars, not rounded.</returns>
    public decimal CostOf(decimal quantity)
    {
        var priced = Math.Min(quantity, KnownUpTo ?? quantity);
        var cost = 0m;
        for (var i = 0; i < Tiers.Count && Tiers[i].From < priced; i++)
        {
            var end = i + 1 < Tiers.Count ? Math.Min(priced, Tiers[i + 1].From) : priced;
            cost += (end - Tiers[i].From) * Tiers[i].Usd;
        }

        return cost;
    }

    /// <summary>The tiers that a quantity reaches.</summary>
    internal IEnumerable<PriceTier> Reached(decimal quantity) => Tiers.Where((tier, i) => i == 0 || tier.From < quantity);
}

/// <summary>One tier of a price.</summary>
/// <param name="From">The quantity a month from which it applies.</param>
/// <param name="Usd">US dollars for one unit.</param>
/// <param name="Source">The public source in which the figure was read.</param>
/// <param name="AsOf">The figure's date (<c>2026-09-29</c>, <c>2026-09</c>), or <c>undated</c>.</param>
public sealed record PriceTier(decimal From, decimal Usd, string Source, string AsOf);
