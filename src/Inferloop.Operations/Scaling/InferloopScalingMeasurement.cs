namespace Inferloop.Operations.Scaling;

/// <summary>How an environment scaled under a load.</summary>
public sealed record InferloopScalingMeasurement
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>What scaled.</summary>
    public ScalingComponent Component { get; init; }

    /// <summary>When the load began, by AWS's clock.</summary>
    public required DateTimeOffset Began { get; init; }

    /// <summary>How long it was watched.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The bounds and targets that held.</summary>
    public required InferloopScaling Scaling { get; init; }

    /// <summary>Minute by minute.</summary>
    public required IReadOnlyList<InferloopScalingMinute> Minutes { get; init => field = value.Indexable(); }

    /// <summary>Each time the load went above what scaling holds, and what came of it.</summary>
    public IReadOnlyList<InferloopScalingReaction> Reactions { get; init => field = value.Indexable(); } = [];

    /// <summary>The longest time from the load above the target to the first task more; null where scaling never had to, or never did.</summary>
    public TimeSpan? TimeToReact => Reactions.Max(r => r.Reacted - r.Began);

    /// <summary>The longest time from the load above the target to enough tasks; null where scaling never had to, or never came so far.</summary>
    public TimeSpan? TimeToScale => Reactions.Max(r => r.Settled - r.Began);

    /// <summary>Whether every time the load went above the target enough tasks came.</summary>
    public bool IsSettled => Reactions.All(r => r.Settled is not null);

    /// <summary>How long tasks had no CPU left, or requests failed.</summary>
    public TimeSpan Saturated => TimeSpan.FromMinutes(Minutes.Count(m => m.IsSaturated));

    /// <summary>How long there were as many tasks as the maximum allows and their CPU was above the target all the same.</summary>
    public TimeSpan AtMaximum => TimeSpan.FromMinutes(Minutes.Count(m => m.IsHeldByMaximum));

    /// <summary>How many minutes told nothing: on a sandbox, of a clock that ran faster than the machine.</summary>
    public int MinutesUntold => Minutes.Count(m => m.Cpu is null);

    /// <summary>All requests.</summary>
    public double Requests => Minutes.Sum(m => m.Requests);

    /// <summary>Those that were answered with a server error, or not at all.</summary>
    public double FailedRequests => Minutes.Sum(m => m.FailedRequests);

    /// <summary>The most requests a second, in the mean of a minute.</summary>
    public double PeakRequestsPerSecond => Minutes.Count == 0 ? 0 : Minutes.Max(m => m.Requests) / 60;

    /// <summary>The most tasks that ran.</summary>
    public int PeakTasks => Minutes.Count == 0 ? 0 : Minutes.Max(m => m.Running ?? 0);

    /// <summary>The slowest minute's mean response time.</summary>
    public TimeSpan SlowestResponse => Minutes.Count == 0 ? TimeSpan.Zero : Minutes.Max(m => m.ResponseTime);

    /// <summary>Hours of tasks that were paid for.</summary>
    public double TaskHours => Minutes.Sum(m => m.Running ?? 0) / 60.0;

    /// <summary>What the tasks cost in this time, in US dollars, at the price on demand; Spot costs less. Null where no price is known.</summary>
    public decimal? Cost { get; init; }

    /// <summary>What the greatest number of tasks would have cost all the time.</summary>
    public decimal? CostAtMaximum { get; init; }

    /// <summary>The measurement in one line.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Environment} {Component}: {PeakRequestsPerSecond:0.#} requests a second at the most, {PeakTasks} tasks; {(Reactions.Count == 0 ? "scaling had nothing to do" : TimeToScale is { } t && IsSettled ? $"scaled in {t.TotalMinutes:0.#} minutes" : "not enough tasks came")}; saturated {Saturated.TotalMinutes:0} minutes; {FailedRequests:0} of {Requests:0} requests failed");
}

/// <summary>One minute of a measurement.</summary>
public sealed record InferloopScalingMinute
{
    /// <summary>When it began.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Requests in it.</summary>
    public double Requests { get; init; }

    /// <summary>Those that failed.</summary>
    public double FailedRequests { get; init; }

    /// <summary>The mean response time.</summary>
    public TimeSpan ResponseTime { get; init; }

    /// <summary>The tasks' mean CPU in percent; null where nothing was told.</summary>
    public double? Cpu { get; init; }

    /// <summary>Tasks that ran; null where nothing was told.</summary>
    public int? Running { get; init; }

    /// <summary>Tasks that were asked for; null where nothing was told.</summary>
    public int? Desired { get; init; }

    /// <summary>No CPU was left, or requests failed.</summary>
    public bool IsSaturated => Cpu >= 95 || FailedRequests > 0;

    /// <summary>More tasks would have been needed, and the maximum allowed none.</summary>
    public bool IsHeldByMaximum { get; init; }

    /// <summary>The minute in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"{Time:HH:mm} {Requests / 60:0.#}/s {Running} tasks {Cpu:0.#} %");
}

/// <summary>One time that the load went above what scaling holds.</summary>
/// <param name="Began">The first minute above the target.</param>
/// <param name="Reacted">When more tasks were asked for; null for never.</param>
/// <param name="Settled">The first minute at the target again; null for never in the time that was watched.</param>
/// <param name="FromTasks">Tasks that ran when it began.</param>
/// <param name="ToTasks">The most tasks that ran until it had settled.</param>
public sealed record InferloopScalingReaction(DateTimeOffset Began, DateTimeOffset? Reacted, DateTimeOffset? Settled, int FromTasks, int ToTasks)
{
    /// <summary>The reaction in one line.</summary>
    public override string ToString() => FormattableString.Invariant(
        $"{Began:HH:mm}: {FromTasks} to {ToTasks} tasks, {(Reacted is { } r ? $"asked for after {(r - Began).TotalMinutes:0.#} minutes" : "none asked for")}, {(Settled is { } s ? $"enough after {(s - Began).TotalMinutes:0.#}" : "never enough")}");
}
