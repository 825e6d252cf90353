namespace Inferloop.Sandbox.Services.CloudWatch.MetricMath;

/// <summary>A value of a metric math expression.</summary>
internal abstract record MathValue;

/// <summary>A number.</summary>
internal sealed record MathScalar(double Value) : MathValue;

/// <summary>A text, as the arguments of SEARCH are.</summary>
internal sealed record MathText(string Value) : MathValue;

/// <summary>A time series: values by the second that their period begins.</summary>
internal sealed record MathSeries(string Label, SortedDictionary<long, double> Points) : MathValue
{
    public MathSeries Map(Func<double, double> change) => With(Points.Select(pair => (pair.Key, change(pair.Value))));

    public MathSeries With(IEnumerable<(long Time, double Value)> points)
    {
        var kept = new SortedDictionary<long, double>();
        foreach (var (time, value) in points)
        {
            // A division by nothing is no data point.
            if (double.IsFinite(value))
            {
                kept[time] = value;
            }
        }
        return this with { Points = kept };
    }
}

/// <summary>Several time series, as METRICS() and SEARCH() give them.</summary>
internal sealed record MathArray(IReadOnlyList<MathSeries> Items) : MathValue;

/// <summary>A metric math expression that cannot be evaluated; the message is AWS's for the caller.</summary>
internal sealed class MathException(string message) : Exception(message);

/// <summary>What an expression is evaluated in.</summary>
internal sealed class MathScope
{
    public required long Start { get; init; }

    public required long End { get; init; }

    public required int Period { get; init; }

    /// <summary>The metrics by id, the expressions before this one too.</summary>
    public Dictionary<string, MathValue> Values { get; } = new(StringComparer.Ordinal);

    /// <summary>The ids of those that are metrics, for METRICS().</summary>
    public List<string> Metrics { get; } = [];

    /// <summary>Runs a SEARCH: expression, statistic, period.</summary>
    public Func<string, string, int, IReadOnlyList<MathSeries>> Search { get; init; } = static (_, _, _) => [];

    /// <summary>What a metric has been in the weeks before, for ANOMALY_DETECTION_BAND: mean and standard deviation.</summary>
    public Func<string, (double Mean, double Deviation)?> Baseline { get; init; } = static _ => null;

    public IEnumerable<long> Grid()
    {
        for (var time = Start; time < End; time += Period)
        {
            yield return time;
        }
    }
}
