namespace Inferloop.Operations.Costs.Billing;

/// <summary>What was charged over a time, as AWS's Cost Explorer tells it.</summary>
public sealed record CostReport
{
    /// <summary>The environment; null for the whole account.</summary>
    public string? Environment { get; init; }

    /// <summary>The environment's stage; null for all of them.</summary>
    public string? Stage { get; init; }

    /// <summary>The first day.</summary>
    public required DateOnly Start { get; init; }

    /// <summary>The day after the last.</summary>
    public required DateOnly End { get; init; }

    /// <summary>Whether the periods are days; months otherwise.</summary>
    public bool IsDaily { get; init; }

    /// <summary>Currency of the bill.</summary>
    public string Currency { get; init; } = "USD";

    /// <summary>All that was charged.</summary>
    public required decimal Total { get; init; }

    /// <summary>Whether AWS may still change the figures.</summary>
    public bool IsEstimated { get; init; }

    /// <summary>By service, dearest first.</summary>
    public required IReadOnlyList<BillItem> Services { get; init => field = value.Indexable(); }

    /// <summary>By component (the tag inferloop:component), dearest first. What has no tag has no name.</summary>
    public required IReadOnlyList<BillItem> Components { get; init => field = value.Indexable(); }

    /// <summary>The tag that was asked for beside the component; null for none.</summary>
    public string? TagKey { get; init; }

    /// <summary>By the values of that tag, dearest first.</summary>
    public IReadOnlyList<BillItem> Tags { get; init => field = value.Indexable(); } = [];

    /// <summary>By day or month, in order.</summary>
    public required IReadOnlyList<BillPeriod> Periods { get; init => field = value.Indexable(); }

    /// <summary>What AWS expects for the rest of the month; null where it cannot tell.</summary>
    public BillForecast? Forecast { get; init; }

    /// <summary>What AWS found unusual, in the whole account: it tells no tags of it.</summary>
    public IReadOnlyList<BillAnomaly> Anomalies { get; init => field = value.Indexable(); } = [];
}

/// <summary>A part of a bill.</summary>
/// <param name="Name">The service, component or tag value; empty for what has none.</param>
/// <param name="Amount">What was charged.</param>
/// <param name="Percent">Its part of the whole, in percent.</param>
public sealed record BillItem(string Name, decimal Amount, decimal Percent);

/// <summary>A day or a month of a bill.</summary>
/// <param name="Start">The first day.</param>
/// <param name="End">The day after the last.</param>
/// <param name="Amount">What was charged.</param>
/// <param name="IsEstimated">Whether AWS may still change it.</param>
/// <param name="Services">By service.</param>
public sealed record BillPeriod(DateOnly Start, DateOnly End, decimal Amount, bool IsEstimated, IReadOnlyList<BillItem> Services)
{
    /// <summary>By service, dearest first.</summary>
    public IReadOnlyList<BillItem> Services { get; init => field = value.Indexable(); } = Services.Indexable();
}

/// <summary>What AWS expects to charge.</summary>
/// <param name="Start">The first day.</param>
/// <param name="End">The day after the last.</param>
/// <param name="Amount">The mean of what it expects.</param>
/// <param name="Low">The lower bound, with 80 percent certainty.</param>
/// <param name="High">The upper bound, with 80 percent certainty.</param>
public sealed record BillForecast(DateOnly Start, DateOnly End, decimal Amount, decimal? Low, decimal? High);

/// <summary>Something unusual on a bill.</summary>
/// <param name="Id">AWS's id of it.</param>
/// <param name="Start">The first day, as AWS writes it.</param>
/// <param name="End">The last day; null while it goes on.</param>
/// <param name="Service">The service.</param>
/// <param name="Impact">What it costs beyond what was expected.</param>
/// <param name="Cause">What AWS takes for the cause.</param>
public sealed record BillAnomaly(string Id, string Start, string? End, string Service, decimal Impact, string Cause);
