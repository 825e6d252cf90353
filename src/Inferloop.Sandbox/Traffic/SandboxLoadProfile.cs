namespace Inferloop.Sandbox.Traffic;

/// <summary>How many requests a second come at a moment of a profile.</summary>
/// <param name="At">How long after the load was set; of a profile of the day, the time of day in UTC.</param>
/// <param name="RequestsPerSecond">The requests a second.</param>
public sealed record SandboxLoadPoint(TimeSpan At, double RequestsPerSecond);

/// <summary>A synthetic load: how many requests come when, what one costs, and how many of them fail.</summary>
public sealed record SandboxLoadProfile
{
    /// <summary>The points of the curve, in the order of their time. After the last one it stays where it is, unless it repeats.</summary>
    public required IReadOnlyList<SandboxLoadPoint> Points { get; init; }

    /// <summary>Between two points the load stays at the earlier one; otherwise it goes from one to the other in a straight line.</summary>
    public bool IsStepped { get; init; }

    /// <summary>After how much time the curve begins again.</summary>
    public TimeSpan? Repeat { get; init; }

    /// <summary>The points are times of day in UTC, and the curve repeats every day.</summary>
    public bool IsOfDay { get; init; }

    /// <summary>The share of requests that targets answer with a server error (5xx).</summary>
    public double ErrorShare { get; init; }

    /// <summary>The share of requests that targets answer with a client error (4xx).</summary>
    public double ClientErrorShare { get; init; }

    /// <summary>How long a target that is not busy takes for a request.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How much time of one vCPU a request takes at its target.</summary>
    public TimeSpan CpuPerRequest { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How much memory a request holds at its target while it is worked on, in MiB.</summary>
    public double MemoryPerRequest { get; init; } = 10;

    /// <summary>The share of requests that invoke the region's Lambda functions.</summary>
    public double FunctionShare { get; init; }

    /// <summary>The same load all the time.</summary>
    /// <param name="requestsPerSecond">The requests a second.</param>
    public static SandboxLoadProfile Constant(double requestsPerSecond) => new() { Points = [new SandboxLoadPoint(TimeSpan.Zero, requestsPerSecond)] };

    /// <summary>From one load to another in a straight line, and then that.</summary>
    /// <param name="from">The requests a second at the beginning.</param>
    /// <param name="to">The requests a second at the end.</param>
    /// <param name="over">How long it takes.</param>
    public static SandboxLoadProfile Ramp(double from, double to, TimeSpan over) => new() { Points = [new SandboxLoadPoint(TimeSpan.Zero, from), new SandboxLoadPoint(over, to)] };

    /// <summary>A wave of a day: least twelve hours from the peak.</summary>
    /// <param name="minimum">The requests a second of the quietest moment.</param>
    /// <param name="maximum">The requests a second of the peak.</param>
    /// <param name="peak">The peak's time of day in UTC.</param>
    public static SandboxLoadProfile Daily(double minimum, double maximum, TimeSpan peak) => new()
    {
        Points = [.. Enumerable.Range(0, 48).Select(half => TimeSpan.FromMinutes(30 * half))
            .Select(at => new SandboxLoadPoint(at, minimum + ((maximum - minimum) * (1 + Math.Cos(2 * Math.PI * (at - peak).TotalDays)) / 2)))],
        IsOfDay = true,
    };

    /// <summary>The requests a second at a moment.</summary>
    /// <param name="set">When the load was set.</param>
    /// <param name="moment">The moment asked for.</param>
    public double At(DateTimeOffset set, DateTimeOffset moment)
    {
        var at = IsOfDay ? moment.UtcDateTime.TimeOfDay : moment - set;
        if (moment < set)
        {
            return 0;
        }
        var cycle = IsOfDay ? TimeSpan.FromDays(1) : Repeat;
        if (cycle is { } length)
        {
            at = TimeSpan.FromTicks(at.Ticks % length.Ticks);
        }
        var next = 0;
        while (next < Points.Count && Points[next].At <= at)
        {
            next++;
        }
        // Before its first point a curve of the day is where the day before ended; any other has not begun.
        var before = next > 0 ? Points[next - 1] : IsOfDay ? Points[^1] with { At = Points[^1].At - cycle!.Value } : null;
        var after = next < Points.Count ? Points[next] : IsOfDay ? Points[0] with { At = Points[0].At + cycle!.Value } : null;
        if (before is null)
        {
            return 0;
        }
        if (IsStepped || after is null)
        {
            return before.RequestsPerSecond;
        }
        return before.RequestsPerSecond + ((after.RequestsPerSecond - before.RequestsPerSecond) * ((at - before.At) / (after.At - before.At)));
    }

    /// <summary>How many requests come in the time before a moment.</summary>
    internal double InSpanBefore(DateTimeOffset set, DateTimeOffset moment, TimeSpan span)
    {
        var samples = Math.Max(1, (int)(span.TotalSeconds / 5));
        var step = span / samples;
        // Between the samples' middles, so that a load set within the minute counts for its part of it.
        return Enumerable.Range(0, samples).Sum(i => At(set, moment - span + (step * (i + 0.5)))) * step.TotalSeconds;
    }

    /// <summary>Why the profile cannot be; null when it can.</summary>
    internal string? Problem()
    {
        static bool IsShare(double value) => value is >= 0 and <= 1;
        return Points.Count == 0 ? "A load has at least one point."
            : Points.Any(point => point.RequestsPerSecond is < 0 or > 10_000_000 || !double.IsFinite(point.RequestsPerSecond)) ? "Requests a second are between 0 and 10,000,000."
            : Points.Any(point => point.At < TimeSpan.Zero) ? "A point cannot be before the beginning."
            : Points.Zip(Points.Skip(1)).Any(pair => pair.Second.At <= pair.First.At) ? "The points must be in the order of their time, no two at the same."
            : IsOfDay && Points[^1].At >= TimeSpan.FromDays(1) ? "The points of a day are before 24:00."
            : IsOfDay && Repeat is not null ? "A load of the day repeats by itself."
            : Repeat is { } length && length <= Points[^1].At ? "A load repeats after its last point."
            : !IsShare(ErrorShare) || !IsShare(ClientErrorShare) || ErrorShare + ClientErrorShare > 1 ? "The shares of errors are between 0 and 1, also together."
            : !IsShare(FunctionShare) ? "The share of requests that invoke functions is between 0 and 1."
            : Latency <= TimeSpan.Zero || Latency > TimeSpan.FromSeconds(60) ? "The latency is above zero and at most a minute."
            : CpuPerRequest < TimeSpan.Zero || MemoryPerRequest < 0 ? "What a request costs cannot be negative."
            : null;
    }
}
