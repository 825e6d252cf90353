using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Metric data: points as they come, aggregated by period when asked for.</summary>
internal sealed partial class CloudWatchService
{
    private readonly ConcurrentDictionary<(string Account, string Region, string Namespace, string Name, string Dimensions), MetricSeries> series = new();

    private void AddMetrics()
    {
        On("PutMetricData", (context, input) =>
        {
            var space = input.Required("Namespace");
            if (space.StartsWith("AWS/", StringComparison.Ordinal))
            {
                throw Invalid("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.");
            }
            foreach (var datum in input.Objects("MetricData"))
            {
                Put(context, space, datum);
            }
            return [];
        });
        On("ListMetrics", (context, input) =>
        {
            var found = series.Where(pair => pair.Key.Account == context.AccountId && pair.Key.Region == context.Region
                    && (input.Text("Namespace") is not { } space || pair.Key.Namespace == space) && (input.Text("MetricName") is not { } name || pair.Key.Name == name)
                    && input.Objects("Dimensions").All(wanted => pair.Value.Dimensions.OfType<JsonObject>().Any(item => item.Text("Name") == wanted.Text("Name") && (!wanted.Has("Value") || item.Text("Value") == wanted.Text("Value")))))
                .OrderBy(pair => pair.Key.Namespace, StringComparer.Ordinal).ThenBy(pair => pair.Key.Name, StringComparer.Ordinal).ThenBy(pair => pair.Key.Dimensions, StringComparer.Ordinal)
                .Select(pair => new JsonObject { ["Namespace"] = pair.Key.Namespace, ["MetricName"] = pair.Key.Name, ["Dimensions"] = pair.Value.Dimensions.Copy() }).ToList();
            return Pages.Answer(input, found, "Metrics", tokenErrorCode: "InvalidParameterValue", defaultSize: 500);
        });
        On("GetMetricStatistics", GetMetricStatistics);
        On("GetMetricData", GetMetricData);
    }

    /// <summary>Adds a datum of the API's form; for the sandbox's own services too.</summary>
    public void Put(RequestContext context, string space, JsonObject datum)
    {
        var key = (context.AccountId, context.Region, space, datum.Required("MetricName"), Dimensions(datum));
        var target = series.GetOrAdd(key, _ => new MetricSeries(datum["Dimensions"].Copy() as JsonArray ?? []));
        var at = datum.TimeOf("Timestamp") ?? context.Now;
        if (at < context.Now.AddDays(-14) || at > context.Now.AddHours(2))
        {
            throw Invalid("InvalidParameterValue", $"The value {datum.Text("Timestamp")} for parameter MetricData.member.1.Timestamp must specify a time within the past two weeks and up to two hours in the future.");
        }
        var unit = datum.Text("Unit") ?? "None";
        if (datum.Child("StatisticValues") is { } set)
        {
            target.Add(new MetricPoint(at, set.Double("SampleCount") ?? 0, set.Double("Sum") ?? 0, set.Double("Minimum") ?? 0, set.Double("Maximum") ?? 0, [], unit));
        }
        else if (datum["Values"] is JsonArray values)
        {
            var counts = datum["Counts"] as JsonArray;
            for (var i = 0; i < values.Count; i++)
            {
                Single(values[i], counts is not null && i < counts.Count ? new JsonObject { ["v"] = counts[i].Copy() }.Double("v") ?? 1 : 1);
            }
        }
        else if (datum.Has("Value"))
        {
            Single(datum["Value"], 1);
        }
        else
        {
            throw Invalid("MissingParameter", "The parameter MetricData.member.1.Value is required.");
        }

        void Single(JsonNode? node, double count)
        {
            var value = new JsonObject { ["v"] = node.Copy() }.Double("v") ?? 0;
            target.Add(new MetricPoint(at, count, value * count, value, value, [(value, count)], unit));
        }
    }

    private MetricSeries? Series(RequestContext context, JsonObject metric) =>
        series.GetValueOrDefault((context.AccountId, context.Region, metric.Required("Namespace"), metric.Required("MetricName"), Dimensions(metric)));

    private static int Period(int? period) => period is { } given && (given is 1 or 5 or 10 or 20 or 30 || given % 60 == 0) && given > 0 ? given
        : throw Invalid("InvalidParameterValue", "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");

    private JsonObject GetMetricStatistics(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input);
        var period = Period(input.Int("Period"));
        var statistics = input.Texts("Statistics");
        var percentiles = input.Texts("ExtendedStatistics");
        if (statistics.Count == 0 && percentiles.Count == 0)
        {
            throw Invalid("MissingParameter", "At least one of Statistics and ExtendedStatistics must be specified.");
        }
        if ((end - start).TotalSeconds / period > 1440)
        {
            throw Invalid("InvalidParameterCombination", $"You have requested up to {(int)((end - start).TotalSeconds / period)} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.");
        }
        var points = Series(context, input)?.Aggregate(start, end, period, input.Text("Unit")) ?? [];
        return new JsonObject
        {
            ["Label"] = input.Text("MetricName"),
            ["Datapoints"] = points.Select(point =>
            {
                var datapoint = new JsonObject { ["Timestamp"] = Documents.Time(point.Time), ["Unit"] = point.Unit };
                foreach (var statistic in statistics)
                {
                    datapoint[statistic] = point.Statistic(statistic);
                }
                if (percentiles.Count > 0)
                {
                    var extended = new JsonObject();
                    foreach (var statistic in percentiles)
                    {
                        extended[statistic] = point.Statistic(statistic);
                    }
                    datapoint["ExtendedStatistics"] = extended;
                }
                return datapoint;
            }).ToJsonList(),
        };
    }

    private static (DateTimeOffset Start, DateTimeOffset End) Span(JsonObject input)
    {
        var (start, end) = (input.TimeOf("StartTime") ?? default, input.TimeOf("EndTime") ?? default);
        return start < end ? (start, end) : throw Invalid("InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.");
    }

    private JsonObject GetMetricData(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input);
        var descending = input.Text("ScanBy") is null or "TimestampDescending";
        var results = new List<JsonObject>();
        foreach (var query in input.Objects("MetricDataQueries"))
        {
            if (query.Child("MetricStat") is not { } stat)
            {
                throw new ServiceFault("NotImplemented", "The sandbox has no metric math in GetMetricData yet.", 501);
            }
            if (query.Flag("ReturnData") == false)
            {
                continue;
            }
            var metric = stat.Child("Metric")!;
            var points = Series(context, metric)?.Aggregate(start, end, Period(stat.Int("Period")), stat.Text("Unit")).ToList() ?? [];
            if (descending)
            {
                points.Reverse();
            }
            results.Add(new JsonObject
            {
                ["Id"] = query.Text("Id"),
                ["Label"] = query.Text("Label") ?? metric.Text("MetricName"),
                ["Timestamps"] = new JsonArray(points.Select(point => (JsonNode?)Documents.Time(point.Time)).ToArray()),
                ["Values"] = new JsonArray(points.Select(point => (JsonNode?)JsonValue.Create(point.Statistic(stat.Required("Stat")))).ToArray()),
                ["StatusCode"] = "Complete",
            });
        }
        return new JsonObject { ["MetricDataResults"] = results.ToJsonList(), ["Messages"] = new JsonArray() };
    }
}

/// <summary>One or several samples of a metric.</summary>
internal sealed record MetricPoint(DateTimeOffset Time, double Count, double Sum, double Minimum, double Maximum, IReadOnlyList<(double Value, double Count)> Samples, string Unit)
{
    public double Statistic(string name) => name switch
    {
        "SampleCount" => Count,
        "Sum" => Sum,
        "Minimum" => Minimum,
        "Maximum" => Maximum,
        "Average" => Count == 0 ? 0 : Sum / Count,
        _ when name.Length > 1 && name[0] == 'p' && double.TryParse(name.AsSpan(1), NumberStyles.Float, CultureInfo.InvariantCulture, out var percentile) && percentile is >= 0 and <= 100 => Percentile(percentile),
        _ => throw new ServiceFault("InvalidParameterValue", $"The value {name} for parameter Statistic is not supported."),
    };

    private double Percentile(double percentile)
    {
        var wanted = Samples.Sum(sample => sample.Count) * percentile / 100;
        var seen = 0.0;
        foreach (var (value, count) in Samples.OrderBy(sample => sample.Value))
        {
            seen += count;
            if (seen >= wanted)
            {
                return value;
            }
        }
        return Maximum;
    }
}

/// <summary>The points of a metric.</summary>
internal sealed class MetricSeries(JsonArray dimensions)
{
    private static readonly TimeSpan Retention = TimeSpan.FromDays(15);
    private readonly List<MetricPoint> points = [];

    public JsonArray Dimensions => dimensions;

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
            var expired = points.FindIndex(item => item.Time >= point.Time - Retention);
            if (expired > 1000)
            {
                points.RemoveRange(0, expired);
            }
        }
    }

    public IReadOnlyList<MetricPoint> Aggregate(DateTimeOffset start, DateTimeOffset end, int period, string? unit)
    {
        lock (points)
        {
            return points.Where(point => point.Time >= start && point.Time < end && (unit is null || point.Unit == unit))
                .GroupBy(point => point.Time.ToUnixTimeSeconds() / period * period)
                .Select(group => new MetricPoint(DateTimeOffset.FromUnixTimeSeconds(group.Key), group.Sum(point => point.Count), group.Sum(point => point.Sum), group.Min(point => point.Minimum),
                    group.Max(point => point.Maximum), group.SelectMany(point => point.Samples).ToList(), group.First().Unit)).OrderBy(point => point.Time).ToList();
        }
    }
}
