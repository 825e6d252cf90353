namespace Inferloop.Operations.Costs;

/// <summary>What a change does to the monthly price.</summary>
public sealed record CostComparison
{
    /// <summary>The estimate before; null when there was nothing.</summary>
    public CostEstimate? Before { get; init; }

    /// <summary>The estimate after; null when nothing remains.</summary>
    public CostEstimate? After { get; init; }

    /// <summary>Lines whose cost differs, greatest change first.</summary>
    public required IReadOnlyList<CostDifference> Differences { get; init => field = value.Indexable(); }

    /// <summary>The change by component, greatest first.</summary>
    public required IReadOnlyList<ComponentDifference> Components { get; init => field = value.Indexable(); }

    /// <summary>What is charged without a price here after, and was not before.</summary>
    public required IReadOnlyList<UnpricedItem> UnpricedAdded { get; init => field = value.Indexable(); }

    /// <summary>What was charged without a price here before, and is not after.</summary>
    public required IReadOnlyList<UnpricedItem> UnpricedRemoved { get; init => field = value.Indexable(); }

    /// <summary>Expected cost a month before.</summary>
    public decimal MonthlyBefore => Before?.MonthlyExpected ?? 0;

    /// <summary>Expected cost a month after.</summary>
    public decimal MonthlyAfter => After?.MonthlyExpected ?? 0;

    /// <summary>Change of the expected cost a month.</summary>
    public decimal MonthlyDelta => MonthlyAfter - MonthlyBefore;

    /// <summary>Change of the least cost a month.</summary>
    public decimal MonthlyLowDelta => (After?.MonthlyLow ?? 0) - (Before?.MonthlyLow ?? 0);

    /// <summary>Change of the most cost a month.</summary>
    public decimal MonthlyHighDelta => (After?.MonthlyHigh ?? 0) - (Before?.MonthlyHigh ?? 0);

    /// <summary>Change in percent of the expected cost before; null when there was none.</summary>
    public decimal? Percent => MonthlyBefore == 0 ? null : MonthlyDelta / MonthlyBefore * 100;

    /// <summary>Compares two estimates.</summary>
    /// <param name="before">The one before; null when there was nothing.</param>
    /// <param name="after">The one after; null when nothing remains.</param>
    /// <returns>The comparison.</returns>
    public static CostComparison Compare(CostEstimate? before, CostEstimate? after)
    {
        // Lines are the same line when resource, dimension and name are; a resource may have one dimension twice under two names.
        static (string, string, string) Key(CostLine line) => (line.Path, line.Dimension, line.Name);
        var old = (before?.Lines ?? []).ToLookup(Key);
        var now = (after?.Lines ?? []).ToLookup(Key);
        var differences = old.Select(g => g.Key).Union(now.Select(g => g.Key))
            .Select(key => Difference([.. old[key]], [.. now[key]]))
            .Where(d => d.MonthlyDelta != 0 || d.MonthlyLowDelta != 0 || d.MonthlyHighDelta != 0)
            .OrderByDescending(d => Math.Abs(d.MonthlyDelta)).ThenBy(d => d.Path, StringComparer.Ordinal).ThenBy(d => d.Name, StringComparer.Ordinal)
            .ToList();
        static (string, string, string) ItemKey(UnpricedItem item) => (item.Path, item.Name, item.ResourceType);
        return new CostComparison
        {
            Before = before,
            After = after,
            Differences = differences,
            Components = [.. differences.GroupBy(d => d.Component, StringComparer.Ordinal)
                .Select(g => new ComponentDifference(g.Key, g.Sum(d => d.MonthlyBefore), g.Sum(d => d.MonthlyAfter), g.Sum(d => d.MonthlyDelta)))
                .OrderByDescending(c => Math.Abs(c.MonthlyDelta)).ThenBy(c => c.Component, StringComparer.Ordinal)],
            UnpricedAdded = [.. (after?.Unpriced ?? []).ExceptBy((before?.Unpriced ?? []).Select(ItemKey), ItemKey)],
            UnpricedRemoved = [.. (before?.Unpriced ?? []).ExceptBy((after?.Unpriced ?? []).Select(ItemKey), ItemKey)],
        };
    }

    private static CostDifference Difference(IReadOnlyList<CostLine> before, IReadOnlyList<CostLine> after)
    {
        var line = after.Count > 0 ? after[0] : before[0];
        return new CostDifference
        {
            Component = line.Component,
            Path = line.Path,
            LogicalId = line.LogicalId,
            ResourceType = line.ResourceType,
            Name = line.Name,
            Dimension = line.Dimension,
            Unit = line.Unit,
            QuantityBefore = before.Sum(l => l.Quantity),
            QuantityAfter = after.Sum(l => l.Quantity),
            MonthlyBefore = before.Sum(l => l.MonthlyExpected),
            MonthlyAfter = after.Sum(l => l.MonthlyExpected),
            MonthlyLowDelta = after.Sum(l => l.MonthlyLow) - before.Sum(l => l.MonthlyLow),
            MonthlyHighDelta = after.Sum(l => l.MonthlyHigh) - before.Sum(l => l.MonthlyHigh),
        };
    }
}

/// <summary>What a change does to one line.</summary>
public sealed record CostDifference
{
    /// <summary>Component, such as <c>network</c>.</summary>
    public required string Component { get; init; }

    /// <summary>The resource with the nested stacks it is in.</summary>
    public required string Path { get; init; }

    /// <summary>The resource's logical id.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource's type.</summary>
    public required string ResourceType { get; init; }

    /// <summary>What is charged, in words.</summary>
    public required string Name { get; init; }

    /// <summary>What is charged, as in the catalog.</summary>
    public required string Dimension { get; init; }

    /// <summary>Unit of the quantities.</summary>
    public required string Unit { get; init; }

    /// <summary>Quantity a month before; zero for a new line.</summary>
    public required decimal QuantityBefore { get; init; }

    /// <summary>Quantity a month after; zero for a line that goes.</summary>
    public required decimal QuantityAfter { get; init; }

    /// <summary>Expected cost a month before.</summary>
    public required decimal MonthlyBefore { get; init; }

    /// <summary>Expected cost a month after.</summary>
    public required decimal MonthlyAfter { get; init; }

    /// <summary>Change of the expected cost a month.</summary>
    public decimal MonthlyDelta => MonthlyAfter - MonthlyBefore;

    /// <summary>Change of the least cost a month.</summary>
    public required decimal MonthlyLowDelta { get; init; }

    /// <summary>Change of the most cost a month.</summary>
    public required decimal MonthlyHighDelta { get; init; }
}

/// <summary>What a change does to one component.</summary>
/// <param name="Component">Component, such as <c>network</c>.</param>
/// <param name="MonthlyBefore">Expected cost a month before, of the lines that change.</param>
/// <param name="MonthlyAfter">Expected cost a month after, of the lines that change.</param>
/// <param name="MonthlyDelta">Change of the expected cost a month.</param>
public sealed record ComponentDifference(string Component, decimal MonthlyBefore, decimal MonthlyAfter, decimal MonthlyDelta);
