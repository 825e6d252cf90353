using System.Globalization;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>The statistics of CloudWatch: the five simple ones, percentiles, trimmed and winsorized means, trimmed counts and sums, percentile ranks.</summary>
internal static partial class MetricStatistic
{
    private static readonly string[] Simple = ["SampleCount", "Sum", "Minimum", "Maximum", "Average"];

    /// <summary>Refuses a statistic that does not exist, as AWS does.</summary>
    public static void Check(string name)
    {
        if (!Simple.Contains(name) && name is not ("IQM" or "iqm") && !PercentilePattern().IsMatch(name) && !RangePattern().IsMatch(name))
        {
            throw new ServiceFault("InvalidParameterValue", $"The value {name} for parameter Stat is not supported.");
        }
    }

    /// <summary>The value of a statistic for some data; NaN where the data does not give it (percentiles of statistic sets).</summary>
    public static double Of(MetricPoint point, string name)
    {
        switch (name)
        {
            case "SampleCount":
                return point.Count;
            case "Sum":
                return point.Sum;
            case "Minimum":
                return point.Minimum;
            case "Maximum":
                return point.Maximum;
            case "Average":
                return point.Count == 0 ? 0 : point.Sum / point.Count;
        }
        Check(name);
        var samples = point.Samples.Where(sample => sample.Count > 0).OrderBy(sample => sample.Value).ToList();
        if (samples.Count == 0)
        {
            // A statistic set has percentiles only where all of its samples are the same.
            if (point.Count <= 0 || (point.Count > 1 && point.Minimum != point.Maximum))
            {
                return double.NaN;
            }
            samples = [(point.Maximum, point.Count)];
        }
        if (name is "IQM" or "iqm")
        {
            return Trimmed(samples, 25, 75, percent: true).Mean;
        }
        if (PercentilePattern().Match(name) is { Success: true } simple)
        {
            var value = Number(simple.Groups["value"].Value);
            var upper = simple.Groups["kind"].Value.ToUpperInvariant();
            return upper switch
            {
                "P" => Percentile(samples, value),
                "TM" => Trimmed(samples, 0, value, percent: true).Mean,
                "TC" => Trimmed(samples, 0, value, percent: true).Count,
                "TS" => Trimmed(samples, 0, value, percent: true).Sum,
                _ => Winsorized(samples, 0, value, percent: true),
            };
        }
        var range = RangePattern().Match(name);
        var percent = range.Value.Contains('%', StringComparison.Ordinal);
        var from = range.Groups["from"].Value is { Length: > 0 } low ? Number(low) : percent ? 0 : double.NegativeInfinity;
        var to = range.Groups["to"].Value is { Length: > 0 } high ? Number(high) : percent ? 100 : double.PositiveInfinity;
        return range.Groups["kind"].Value.ToUpperInvariant() switch
        {
            "TM" => Trimmed(samples, from, to, percent).Mean,
            "TC" => Trimmed(samples, from, to, percent).Count,
            "TS" => Trimmed(samples, from, to, percent).Sum,
            "WM" => Winsorized(samples, from, to, percent),
            _ => 100 * Trimmed(samples, from, to, percent: false).Count / samples.Sum(sample => sample.Count),
        };
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static double Percentile(List<(double Value, double Count)> samples, double percentile)
    {
        var wanted = samples.Sum(sample => sample.Count) * percentile / 100;
        var seen = 0.0;
        foreach (var (value, count) in samples)
        {
            seen += count;
            if (seen >= wanted)
            {
                return value;
            }
        }
        return samples[^1].Value;
    }

    private static (double Mean, double Count, double Sum) Trimmed(List<(double Value, double Count)> samples, double from, double to, bool percent)
    {
        var total = samples.Sum(sample => sample.Count);
        var (low, high) = percent ? (total * from / 100, total * to / 100) : (0, total);
        double seen = 0, count = 0, sum = 0;
        foreach (var (value, weight) in samples)
        {
            var kept = percent ? Math.Max(0, Math.Min(seen + weight, high) - Math.Max(seen, low)) : value > from && value <= to ? weight : 0;
            count += kept;
            sum += kept * value;
            seen += weight;
        }
        return (count == 0 ? double.NaN : sum / count, count, sum);
    }

    private static double Winsorized(List<(double Value, double Count)> samples, double from, double to, bool percent)
    {
        var (low, high) = percent ? (Percentile(samples, from), Percentile(samples, to)) : (from, to);
        return samples.Sum(sample => Math.Clamp(sample.Value, low, high) * sample.Count) / samples.Sum(sample => sample.Count);
    }

    [GeneratedRegex(@"^(?<kind>p|P|tm|TM|tc|TC|ts|TS|wm|WM)(?<value>(100|\d{1,2}(\.\d{1,10})?))\z", RegexOptions.ExplicitCapture)]
    private static partial Regex PercentilePattern();

    [GeneratedRegex(@"^(?<kind>TM|TC|TS|WM|PR|tm|tc|ts|wm|pr)\((?<from>\d+(\.\d+)?)?%?:(?<to>\d+(\.\d+)?)?%?\)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex RangePattern();
}
