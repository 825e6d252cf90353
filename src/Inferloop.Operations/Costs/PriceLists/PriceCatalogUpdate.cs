namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>What an update of the price catalog brought.</summary>
public sealed record PriceCatalogUpdate
{
    /// <summary>The catalog's file.</summary>
    public required string Path { get; init; }

    /// <summary>Prices that were read and have a place in the catalog.</summary>
    public required int Read { get; init; }

    /// <summary>Prices that the catalog did not have.</summary>
    public required int Added { get; init; }

    /// <summary>Prices that differ from what the catalog had.</summary>
    public required int Changed { get; init; }

    /// <summary>All prices of the catalog now.</summary>
    public required int Prices { get; init; }

    /// <summary>The newest date of the prices that were read.</summary>
    public required string Newest { get; init; }

    /// <summary>What is new or different.</summary>
    public required IReadOnlyList<PriceChange> Changes { get; init => field = value.Indexable(); }

    /// <summary>Prices that the list gives twice and differently: the catalog keeps what it had.</summary>
    public required IReadOnlyList<string> Ambiguous { get; init => field = value.Indexable(); }
}

/// <summary>A price that an update changed.</summary>
/// <param name="Region">AWS region code.</param>
/// <param name="Service">Service key.</param>
/// <param name="Dimension">Dimension key.</param>
/// <param name="Unit">Unit of the price.</param>
/// <param name="Before">US dollars of the first tier before; null for a new price.</param>
/// <param name="After">US dollars of the first tier now.</param>
public sealed record PriceChange(string Region, string Service, string Dimension, string Unit, decimal? Before, decimal After);
