namespace Inferloop.Operations.Costs.Billing;

/// <summary>A budget of AWS Budgets.</summary>
public sealed record InferloopBudget
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The environment it watches; null for a budget of another kind.</summary>
    public string? Environment { get; init; }

    /// <summary>The stage it watches.</summary>
    public string? Stage { get; init; }

    /// <summary>Whether it is part of the environment's stack, so that the environment's spec says its amount.</summary>
    public bool IsOfEnvironment { get; init; }

    /// <summary>What may be spent a month.</summary>
    public required decimal Amount { get; init; }

    /// <summary>Currency of the amounts.</summary>
    public required string Currency { get; init; }

    /// <summary>What was spent this month.</summary>
    public decimal Actual { get; init; }

    /// <summary>What AWS expects to be spent this month; null where it cannot tell yet.</summary>
    public decimal? Forecast { get; init; }

    /// <summary>What was spent, in percent of the amount.</summary>
    public decimal Percent => Amount == 0 ? 0 : Math.Round(Actual / Amount * 100, 2);

    /// <summary>What AWS expects to be spent, in percent of the amount; null where it cannot tell yet.</summary>
    public decimal? ForecastPercent => Amount == 0 || Forecast is not { } foreseen ? null : Math.Round(foreseen / Amount * 100, 2);

    /// <summary>When and to whom it speaks.</summary>
    public required IReadOnlyList<BudgetAlert> Alerts { get; init => field = value.Indexable(); }
}

/// <summary>When a budget speaks.</summary>
/// <param name="Kind">Actual or Forecasted.</param>
/// <param name="Percent">Percent of the amount beyond which it speaks.</param>
/// <param name="Subscribers">E-mail addresses and topics.</param>
/// <param name="IsExceeded">Whether it has spoken this month.</param>
public sealed record BudgetAlert(string Kind, decimal Percent, IReadOnlyList<string> Subscribers, bool IsExceeded)
{
    /// <summary>E-mail addresses and topics.</summary>
    public IReadOnlyList<string> Subscribers { get; init => field = value.Indexable(); } = Subscribers.Indexable();

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Percent:0.##}% {(Kind == "Actual" ? "spent" : "foreseen")}{(IsExceeded ? ", exceeded" : "")}: {string.Join(", ", Subscribers)}");
}
