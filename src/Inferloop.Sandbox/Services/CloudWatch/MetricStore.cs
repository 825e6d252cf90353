using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>What names a metric: account, region, namespace, name and its dimensions in a fixed order.</summary>
internal readonly record struct MetricKey(string Account, string Region, string Namespace, string Name, string Dimensions);

/// <summary>The metrics of all accounts and regions.</summary>
internal sealed class MetricStore
{
    private readonly ConcurrentDictionary<MetricKey, MetricSeries> series = new();

    public MetricSeries Series(MetricKey key, Func<JsonArray> dimensions) => series.GetOrAdd(key, static (_, make) => new MetricSeries(make()), dimensions);

    public MetricSeries? Find(MetricKey key) => series.GetValueOrDefault(key);

    /// <summary>The metrics of an account and region, in the order of their names.</summary>
    public IEnumerable<KeyValuePair<MetricKey, MetricSeries>> Of(RequestContext context) => series
        .Where(pair => pair.Key.Account == context.AccountId && pair.Key.Region == context.Region)
        .OrderBy(pair => pair.Key.Namespace, StringComparer.Ordinal).ThenBy(pair => pair.Key.Name, StringComparer.Ordinal).ThenBy(pair => pair.Key.Dimensions, StringComparer.Ordinal);
}

/// <summary>One or several samples of a metric. Those given as a statistic set have no single samples.</summary>
internal sealed record MetricPoint(DateTimeOffset Time, double Count, double Sum, double Minimum, double Maximum, IReadOnlyList<(double Value, double Count)> Samples, string Unit)
{
    /// <summary>The points of one period as one.</summary>
    public static MetricPoint Merge(DateTimeOffset time, IReadOnlyList<MetricPoint> points) => new(
        time, points.Sum(point => point.Count), points.Sum(point => point.Sum), points.Min(point => point.Minimum), points.Max(point => point.Maximum),
        points.Count == 1 ? points[0].Samples : points.SelectMany(point => point.Samples).ToList(), points[0].Unit);
}

/// <summary>The points of a metric in the order of their time.</summary>
internal sealed class MetricSeries(JsonArray dimensions)
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(63);
    private const int TrimAt = 2000;
    private readonly List<MetricPoint> points = [];

    public JsonArray Dimensions => dimensions;

    /// <summary>When the metric last received data.</summary>
    public DateTimeOffset Last { get; private set; }

    public void Add(MetricPoint point)
    {
        lock (points)
        {
            var at = points.Count;
            while (at > 0 && points[at - 1].Time > point.Time)
            {
                at--;
            }
            points.Insert(at, point);
            Last = points[^1].Time;
            if (points.Count % TrimAt == 0)
            {
                points.RemoveRange(0, LowerBound(Last - Retention));
            }
        }
    }

    /// <summary>The data of each period from a start to an end; periods without data are left out.</summary>
    /// <param name="start">Where the first period begins.</param>
    /// <param name="end">Where the last one ends.</param>
    /// <param name="period">The length of a period in seconds.</param>
    /// <param name="unit">Only data in this unit; all when null.</param>
    public IReadOnlyList<MetricPoint> Aggregate(DateTimeOffset start, DateTimeOffset end, int period, string? unit)
    {
        lock (points)
        {
            var found = new List<MetricPoint>();
            var bucket = new List<MetricPoint>();
            var current = long.MinValue;
            for (var i = LowerBound(start); i < points.Count && points[i].Time < end; i++)
            {
                if (unit is not null && points[i].Unit != unit)
                {
                    continue;
                }
                var index = (long)((points[i].Time - start).TotalSeconds / period);
                if (index != current && bucket.Count > 0)
                {
                    found.Add(MetricPoint.Merge(start.AddSeconds(current * period), bucket));
                    bucket.Clear();
                }
                current = index;
                bucket.Add(points[i]);
            }
            if (bucket.Count > 0)
            {
                found.Add(MetricPoint.Merge(start.AddSeconds(current * period), bucket));
            }
            return found;
        }
    }

    private int LowerBound(DateTimeOffset time)
    {
        var (low, high) = (0, points.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (points[middle].Time < time)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
