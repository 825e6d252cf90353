namespace Inferloop.Operations.Costs.Pricing;

/// <summary>A quantity of something that AWS charges for, before its price is looked up.</summary>
internal sealed record Demand(CostedResource Resource, string Name, string Service, string Dimension, Quantity Quantity, string Assumption)
{
    /// <summary>What the price is multiplied by, where a rule derives it from another row.</summary>
    public decimal Factor { get; init; } = 1;

    /// <summary>The rule, in words; null where the price stands in the catalog itself.</summary>
    public string? Derivation { get; init; }

    /// <summary>The region whose price it is: the resource's own, or that of a replica of it.</summary>
    public string Region { get; init; } = Resource.Region;

    /// <summary>Spot capacity, to which a Savings Plan does not apply.</summary>
    public bool IsSpot { get; init; }
}
