using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Scaling;

/// <summary>What a change of scaling does, or would do.</summary>
public sealed record InferloopScalingChange
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>What scales.</summary>
    public required ScalingComponent Component { get; init; }

    /// <summary>How it scaled before: one object for each resource.</summary>
    public required IReadOnlyList<InferloopScaling> Before { get; init => field = value.Indexable(); }

    /// <summary>How it scales afterwards, as AWS has it; empty as long as the change is only shown or not waited for.</summary>
    public IReadOnlyList<InferloopScaling> After { get; init => field = value.Indexable(); } = [];

    /// <summary>What changes, in the words of the spec and of the service.</summary>
    public required IReadOnlyList<InferloopScalingValue> Values { get; init => field = value.Indexable(); }

    /// <summary>The next times of the schedule that then holds.</summary>
    public IReadOnlyList<InferloopScheduledScaling> Schedule { get; init => field = value.Indexable(); } = [];

    /// <summary>What the change adds to the expected cost a month, in US dollars; null when it cannot be priced.</summary>
    public decimal? MonthlyCostDelta { get; init; }

    /// <summary>What it adds to the least that the environment can cost a month.</summary>
    public decimal? MonthlyCostLowDelta { get; init; }

    /// <summary>What it adds to the most that the environment can cost a month.</summary>
    public decimal? MonthlyCostHighDelta { get; init; }

    /// <summary>What of the component has no price, such as Spot, and so is in none of these numbers.</summary>
    public IReadOnlyList<string> Unpriced { get; init => field = value.Indexable(); } = [];

    /// <summary>The resources of the environment that the change touches.</summary>
    public IReadOnlyList<InferloopChange> Resources { get; init => field = value.Indexable(); } = [];

    /// <summary>Whether it was carried out.</summary>
    public bool Applied { get; init; }

    /// <summary>The change in one line.</summary>
    public override string ToString() => $"{Environment} {Component}: {(Values.Count == 0 ? "as it is" : string.Join(", ", Values))}{Price}";

    private string Price => MonthlyCostDelta is { } d ? $"; {Signed(d)} a month" + (MonthlyCostHighDelta is { } high && MonthlyCostLowDelta is { } low && (high != d || low != d) ? $" ({Signed(low)} to {Signed(high)})" : "") + (Unpriced.Count > 0 ? $", without {string.Join(", ", Unpriced)}" : "") : "";

    private static string Signed(decimal amount) => FormattableString.Invariant($"{(amount < 0 ? "-" : "+")}${Math.Abs(amount):0.00}");
}

/// <summary>One value before and after.</summary>
/// <param name="Name">The member of the spec, or DesiredNow for the number that runs.</param>
/// <param name="Before">Its value before.</param>
/// <param name="After">Its value after.</param>
public sealed record InferloopScalingValue(string Name, string Before, string After)
{
    /// <summary>The value in one line.</summary>
    public override string ToString() => $"{Name} {(Before.Length == 0 ? "(none)" : Before)} -> {(After.Length == 0 ? "(none)" : After)}";
}
