namespace Inferloop.Operations.Costs;

/// <summary>What an environment costs a month, before tax: every line with its price's source and date, and what has no price said to have none.</summary>
public sealed record CostEstimate
{
    /// <summary>Currency of all amounts.</summary>
    public string Currency { get; init; } = "USD";

    /// <summary>What one US dollar is taken to cost in <see cref="Currency"/>; 1 for US dollars.</summary>
    public decimal ExchangeRate { get; init; } = 1;

    /// <summary>Name of the environment, where the template has a parameter for it.</summary>
    public string? Environment { get; init; }

    /// <summary>Stage of the environment, where the template has a parameter for it.</summary>
    public string? Stage { get; init; }

    /// <summary>Regions of the estimated stacks; usually one.</summary>
    public required IReadOnlyList<string> Regions { get; init => field = value.Indexable(); }

    /// <summary>Region of the estimated stacks; several are separated by commas.</summary>
    public string Region => string.Join(", ", Regions);

    /// <summary>The usage that the amounts stand on.</summary>
    public required UsageProfile Usage { get; init; }

    /// <summary>Sum of the lines with the fewest tasks and instances that autoscaling allows.</summary>
    public required decimal MonthlyLow { get; init; }

    /// <summary>Sum of the lines as desired.</summary>
    public required decimal MonthlyExpected { get; init; }

    /// <summary>Sum of the lines with the most tasks and instances that autoscaling allows.</summary>
    public required decimal MonthlyHigh { get; init; }

    /// <summary>The priced lines, by component and resource.</summary>
    public required IReadOnlyList<CostLine> Lines { get; init => field = value.Indexable(); }

    /// <summary>What is charged but has no price here. It is in none of the sums.</summary>
    public required IReadOnlyList<UnpricedItem> Unpriced { get; init => field = value.Indexable(); }

    /// <summary>Resources that AWS does not charge for.</summary>
    public required IReadOnlyList<FreeResource> Free { get; init => field = value.Indexable(); }

    /// <summary>What holds for the whole estimate.</summary>
    public required IReadOnlyList<string> Assumptions { get; init => field = value.Indexable(); }

    /// <summary>The catalog that priced it.</summary>
    public required string Catalog { get; init; }

    /// <summary>Date of the newest price in the catalog.</summary>
    public required string CatalogDate { get; init; }

    /// <summary>Whether every charged dimension has a price.</summary>
    public bool IsComplete => Unpriced.Count == 0;

    /// <summary>This estimate in another currency.</summary>
    /// <param name="currency">Its code, such as EUR.</param>
    /// <param name="rate">What one US dollar costs in it. AWS bills at its own rate, which no one knows beforehand.</param>
    /// <returns>The estimate with every amount converted.</returns>
    /// <exception cref="OperationException">The code is none, or the rate cannot be meant.</exception>
    public CostEstimate In(string currency, decimal rate)
    {
        if (currency.Length != 3 || !currency.All(char.IsAsciiLetter) || (rate != 1 && string.Equals(currency, "USD", StringComparison.OrdinalIgnoreCase)))
        {
            throw new OperationException(
                "CurrencyUnknown", OperationErrorKind.InvalidArgument, $"'{currency}' with a rate of {rate.ToString(System.Globalization.CultureInfo.InvariantCulture)} is not a currency to convert US dollars into.",
                "Give a code of three letters, such as EUR, and what one US dollar costs in it.", currency);
        }

        if (rate is <= 0 or > 1_000_000)
        {
            throw new OperationException(
                "ExchangeRateOutOfRange", OperationErrorKind.InvalidArgument, $"An exchange rate of {rate.ToString(System.Globalization.CultureInfo.InvariantCulture)} is not above 0 and below 1,000,000.",
                "Give what one US dollar costs in the currency, such as 0.92.", rate);
        }

        // Each line is rounded as it was, so that the lines still add up to the total.
        var factor = rate / ExchangeRate;
        decimal To(decimal amount) => Math.Round(amount * factor, 10);
        var lines = Lines.Select(l => l with { UnitPrice = l.UnitPrice * factor, MonthlyLow = To(l.MonthlyLow), MonthlyExpected = To(l.MonthlyExpected), MonthlyHigh = To(l.MonthlyHigh) }).ToList();
        return this with
        {
            Currency = currency.ToUpperInvariant(),
            ExchangeRate = rate,
            Lines = lines,
            MonthlyLow = lines.Sum(l => l.MonthlyLow),
            MonthlyExpected = lines.Sum(l => l.MonthlyExpected),
            MonthlyHigh = lines.Sum(l => l.MonthlyHigh),
            Unpriced = [.. Unpriced.Select(u => u with { AtMost = u.AtMost is { } most ? To(most) : null })],
            Assumptions = [.. Assumptions, $"One US dollar is taken to cost {rate.ToString(System.Globalization.CultureInfo.InvariantCulture)} {currency.ToUpperInvariant()}, as given."],
        };
    }

    /// <summary>The lines summed by component, dearest first.</summary>
    public IReadOnlyList<ComponentCost> Components =>
        (List<ComponentCost>)[.. Lines.GroupBy(l => l.Component, StringComparer.Ordinal)
            .Select(g => new ComponentCost(g.Key, g.Sum(l => l.MonthlyLow), g.Sum(l => l.MonthlyExpected), g.Sum(l => l.MonthlyHigh), g.Count()))
            .OrderByDescending(c => c.MonthlyExpected).ThenBy(c => c.Component, StringComparer.Ordinal)];
}

/// <summary>The lines of one component, summed.</summary>
/// <param name="Component">Component, such as <c>network</c>.</param>
/// <param name="MonthlyLow">Least a month.</param>
/// <param name="MonthlyExpected">Expected a month.</param>
/// <param name="MonthlyHigh">Most a month.</param>
/// <param name="Lines">Number of lines.</param>
public sealed record ComponentCost(string Component, decimal MonthlyLow, decimal MonthlyExpected, decimal MonthlyHigh, int Lines);

/// <summary>One charged dimension of one resource.</summary>
public sealed record CostLine
{
    /// <summary>Component, such as <c>network</c>.</summary>
    public required string Component { get; init; }

    /// <summary>The resource with the nested stacks it is in, such as <c>Network/NatGateway1</c>.</summary>
    public required string Path { get; init; }

    /// <summary>The resource's logical id.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource's type.</summary>
    public required string ResourceType { get; init; }

    /// <summary>Region whose price it is.</summary>
    public required string Region { get; init; }

    /// <summary>What is charged, in words.</summary>
    public required string Name { get; init; }

    /// <summary>What is charged, as in the catalog: <c>service/dimension</c>.</summary>
    public required string Dimension { get; init; }

    /// <summary>Quantity a month, as expected.</summary>
    public required decimal Quantity { get; init; }

    /// <summary>Least quantity a month.</summary>
    public required decimal QuantityLow { get; init; }

    /// <summary>Most quantity a month.</summary>
    public required decimal QuantityHigh { get; init; }

    /// <summary>Unit of the quantities.</summary>
    public required string Unit { get; init; }

    /// <summary>Price of one unit: the list price, or the average over the tiers where several apply.</summary>
    public required decimal UnitPrice { get; init; }

    /// <summary>The tiers that make up <see cref="UnitPrice"/>; null for a price without tiers.</summary>
    public string? Tier { get; init; }

    /// <summary>Least cost a month.</summary>
    public required decimal MonthlyLow { get; init; }

    /// <summary>Expected cost a month.</summary>
    public required decimal MonthlyExpected { get; init; }

    /// <summary>Most cost a month.</summary>
    public required decimal MonthlyHigh { get; init; }

    /// <summary>How the quantity came about.</summary>
    public required string Assumption { get; init; }

    /// <summary>The source in which the price was read; says so where the price is derived from another row.</summary>
    public required string PriceSource { get; init; }

    /// <summary>The price's date.</summary>
    public required string PriceDate { get; init; }

    /// <summary>Whether the price is derived from another row of the catalog by a stated rule.</summary>
    public bool IsDerived { get; init; }
}

/// <summary>Something that AWS charges for and the catalog has no price of.</summary>
/// <param name="Component">Component, such as <c>network</c>.</param>
/// <param name="Path">The resource with the nested stacks it is in.</param>
/// <param name="LogicalId">The resource's logical id.</param>
/// <param name="ResourceType">The resource's type.</param>
/// <param name="Name">What is charged, in words.</param>
/// <param name="Quantity">Quantity a month, where it is known.</param>
/// <param name="Unit">Unit of the quantity.</param>
/// <param name="Reason">Why there is no price.</param>
/// <param name="AtMost">An upper bound of its monthly cost, where one is certain. It is in none of the sums.</param>
public sealed record UnpricedItem(
    string Component, string Path, string LogicalId, string ResourceType, string Name, decimal? Quantity, string? Unit, string Reason, decimal? AtMost = null);

/// <summary>A resource that costs nothing by itself.</summary>
/// <param name="Component">Component, such as <c>network</c>.</param>
/// <param name="Path">The resource with the nested stacks it is in.</param>
/// <param name="LogicalId">The resource's logical id.</param>
/// <param name="ResourceType">The resource's type.</param>
public sealed record FreeResource(string Component, string Path, string LogicalId, string ResourceType);
