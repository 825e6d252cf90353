using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch.MetricMath;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Metric data: points as they come, aggregated by period and calculated with when asked for.</summary>
internal sealed partial class CloudWatchService
{
    private const int MaximumDatapoints = 100_800;
    private static readonly TimeSpan ListedFor = TimeSpan.FromDays(14);
    private readonly MetricStore store = new();

    private void AddMetrics()
    {
        On("PutMetricData", (context, input) =>
        {
            var space = input.Required("Namespace");
            if (space.StartsWith("AWS/", StringComparison.Ordinal))
            {
                throw Invalid("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.");
            }
            var index = 0;
            foreach (var datum in input.Objects("MetricData"))
            {
                Put(context, space, datum, ++index);
            }
            return [];
        });
        On("ListMetrics", (context, input) =>
        {
            var recent = input.Text("RecentlyActive") == "PT3H" ? context.Now.AddHours(-3) : context.Now - ListedFor;
            var found = store.Of(context).Where(pair => pair.Value.Last >= recent
                    && (input.Text("Namespace") is not { } space || pair.Key.Namespace == space) && (input.Text("MetricName") is not { } name || pair.Key.Name == name)
                    && input.Objects("Dimensions").All(wanted => pair.Value.Dimensions.OfType<JsonObject>().Any(item => item.Text("Name") == wanted.Text("Name") && (!wanted.Has("Value") || item.Text("Value") == wanted.Text("Value")))))
                .Select(pair => new JsonObject { ["Namespace"] = pair.Key.Namespace, ["MetricName"] = pair.Key.Name, ["Dimensions"] = pair.Value.Dimensions.Copy() }).ToList();
            return Pages.Answer(input, found, "Metrics", tokenErrorCode: "InvalidParameterValue", defaultSize: 500);
        });
        On("GetMetricStatistics", GetMetricStatistics);
        On("GetMetricData", GetMetricData);
    }

    [GeneratedRegex(@"^[a-z][A-Za-z0-9_]{0,254}\z")]
    private static partial Regex QueryId();

    /// <summary>
    /// Publishes a value of one of the sandbox's own services. Customers may not write into the <c>AWS/</c> namespaces; this is the way the services do.
    /// </summary>
    public void Publish(RequestContext context, string space, string name, double value, string unit, params ReadOnlySpan<(string Name, string Value)> dimensions) =>
        Publish(context, space, name, context.Now, [(value, 1)], unit, dimensions);

    /// <summary>Publishes the samples of one period.</summary>
    public void Publish(RequestContext context, string space, string name, DateTimeOffset time, IReadOnlyList<(double Value, double Count)> samples, string unit, params ReadOnlySpan<(string Name, string Value)> dimensions)
    {
        if (samples.Count == 0)
        {
            return;
        }
        var list = new JsonArray();
        foreach (var (dimension, value) in dimensions)
        {
            list.Add((JsonNode)new JsonObject { ["Name"] = dimension, ["Value"] = value });
        }
        var key = new MetricKey(context.AccountId, context.Region, space, name, Dimensions(new JsonObject { ["Dimensions"] = list }));
        store.Series(key, () => list.Copy()!.AsArray()).Add(new MetricPoint(
            time, samples.Sum(sample => sample.Count), samples.Sum(sample => sample.Value * sample.Count), samples.Min(sample => sample.Value), samples.Max(sample => sample.Value), samples, unit));
    }

    /// <summary>Adds a datum of the API's form; for metric filters too.</summary>
    public void Put(RequestContext context, string space, JsonObject datum, int index = 1)
    {
        var key = new MetricKey(context.AccountId, context.Region, space, datum.Required("MetricName"), Dimensions(datum));
        var at = datum.TimeOf("Timestamp") ?? context.Now;
        var prefix = $"MetricData.member.{index}";
        if (at < context.Now.AddDays(-14) || at > context.Now.AddHours(2))
        {
            throw Invalid("InvalidParameterValue", $"The value {datum.Text("Timestamp")} for parameter {prefix}.Timestamp must specify a time within the past two weeks and up to two hours in the future.");
        }
        if (datum.Objects("Dimensions").GroupBy(item => item.Text("Name")).Any(group => group.Count() > 1))
        {
            throw Invalid("InvalidParameterValue", $"The parameter {prefix}.Dimensions must not contain the same dimension more than once.");
        }
        var unit = datum.Text("Unit") ?? "None";
        MetricPoint point;
        if (datum.Child("StatisticValues") is { } set)
        {
            point = new MetricPoint(at, set.Double("SampleCount") ?? 0, set.Double("Sum") ?? 0, set.Double("Minimum") ?? 0, set.Double("Maximum") ?? 0, [], unit);
        }
        else
        {
            var values = datum["Values"] as JsonArray ?? (datum.Has("Value") ? [datum["Value"].Copy()] : throw Invalid("MissingParameter", $"The parameter {prefix}.Value is required."));
            var counts = datum["Counts"] as JsonArray;
            if (counts is not null && counts.Count != values.Count)
            {
                throw Invalid("InvalidParameterValue", $"The parameters {prefix}.Values and {prefix}.Counts must be of the same length.");
            }
            var samples = values.Select((value, i) => (Number(value, 0), counts is null ? 1 : Number(counts[i], 1))).ToList();
            if (samples.Exists(sample => !double.IsFinite(sample.Item1)))
            {
                throw Invalid("InvalidParameterValue", $"The value NaN for parameter {prefix}.Value is invalid.");
            }
            point = new MetricPoint(at, samples.Sum(sample => sample.Item2), samples.Sum(sample => sample.Item1 * sample.Item2), samples.Min(sample => sample.Item1), samples.Max(sample => sample.Item1), samples, unit);
        }
        store.Series(key, () => datum["Dimensions"].Copy() as JsonArray ?? []).Add(point);

        static double Number(JsonNode? node, double fallback) => new JsonObject { ["v"] = node.Copy() }.Double("v") ?? fallback;
    }

    private MetricSeries? Series(RequestContext context, JsonObject metric) =>
        store.Find(new MetricKey(context.AccountId, context.Region, metric.Required("Namespace"), metric.Required("MetricName"), Dimensions(metric)));

    private static int Period(int? period) => period is { } given && (given is 1 or 5 or 10 or 20 or 30 || given % 60 == 0) && given > 0 ? given
        : throw Invalid("InvalidParameterValue", "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.");

    private static DateTimeOffset Floor(DateTimeOffset moment, int seconds) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds() / seconds * seconds);

    private static DateTimeOffset Ceiling(DateTimeOffset moment, int seconds) => Floor(moment, seconds) is var floor && floor == moment ? floor : floor.AddSeconds(seconds);

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
            throw Invalid("InvalidParameterCombination", $"You have requested up to {((long)((end - start).TotalSeconds / period)).ToString("N0", CultureInfo.InvariantCulture)} datapoints, which exceeds the limit of 1,440. You may reduce the datapoints requested by increasing Period, or decreasing the time range.");
        }
        foreach (var name in percentiles)
        {
            MetricStatistic.Check(name);
        }
        var points = Series(context, input)?.Aggregate(Floor(start, period), end, period, input.Text("Unit")) ?? [];
        return new JsonObject
        {
            ["Label"] = input.Text("MetricName"),
            ["Datapoints"] = points.Select(point =>
            {
                var datapoint = new JsonObject { ["Timestamp"] = Documents.Time(point.Time), ["Unit"] = point.Unit };
                foreach (var statistic in statistics)
                {
                    datapoint[statistic] = MetricStatistic.Of(point, statistic);
                }
                if (percentiles.Count > 0)
                {
                    var extended = new JsonObject();
                    foreach (var statistic in percentiles)
                    {
                        if (MetricStatistic.Of(point, statistic) is var value && double.IsFinite(value))
                        {
                            extended[statistic] = value;
                        }
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
        var queries = input.Objects("MetricDataQueries").ToList();
        var results = new List<JsonObject>();
        var values = Calculate(context, queries, start, end, aligned: true);
        foreach (var query in queries.Where(query => query.Flag("ReturnData") != false))
        {
            var id = query.Required("Id");
            var label = query.Text("Label");
            foreach (var series in values[id] is MathArray array ? array.Items : [(MathSeries)values[id]])
            {
                var points = input.Text("ScanBy") is null or "TimestampDescending" ? series.Points.Reverse().ToList() : series.Points.ToList();
                results.Add(new JsonObject
                {
                    ["Id"] = id,
                    ["Label"] = label is null ? series.Label : values[id] is MathArray ? $"{label} {series.Label}" : label,
                    ["Timestamps"] = new JsonArray(points.Select(point => (JsonNode?)Documents.Time(DateTimeOffset.FromUnixTimeSeconds(point.Key))).ToArray()),
                    ["Values"] = new JsonArray(points.Select(point => (JsonNode?)JsonValue.Create(point.Value)).ToArray()),
                    ["StatusCode"] = "Complete",
                });
            }
        }
        // A page holds so many data points; a series longer than what is left goes on the next one.
        var size = Math.Clamp(input.Int("MaxDatapoints") ?? MaximumDatapoints, 1, MaximumDatapoints);
        return DatapointPages.Cut(results, size, input.Text("NextToken"));
    }

    /// <summary>The values of queries by id: of metrics their series, of expressions what they come to.</summary>
    private Dictionary<string, MathValue> Calculate(RequestContext context, List<JsonObject> queries, DateTimeOffset start, DateTimeOffset end, bool aligned)
    {
        if (queries.Count == 0)
        {
            throw Invalid("ValidationError", "The collection MetricDataQueries must not be empty.");
        }
        CheckQueries(queries);
        var metrics = queries.Where(query => query.Has("MetricStat")).ToList();
        var period = metrics.Select(query => Period(query.Child("MetricStat")!.Int("Period"))).DefaultIfEmpty(0).Max();
        period = Math.Max(period, queries.Max(query => query.Int("Period") ?? 0));
        period = period == 0 ? 60 : period;
        var from = aligned ? Floor(start, period) : start;
        var scope = new MathScope
        {
            Start = from.ToUnixTimeSeconds(),
            End = end.ToUnixTimeSeconds(),
            Period = period,
            Search = (expression, statistic, seconds) => MetricSearch.Find(store.Of(context), expression)
                .Select(found => ToSeries(found.Label, found.Series.Aggregate(Floor(from, seconds), end, seconds, null), statistic)).Where(series => series.Points.Count > 0).ToList(),
            Baseline = id => metrics.Find(query => query.Text("Id") == id)?.Child("MetricStat") is { } stat ? Baseline(context, stat, from) : null,
        };
        foreach (var query in metrics)
        {
            var stat = query.Child("MetricStat")!;
            var metric = stat.Child("Metric")!;
            var seconds = Period(stat.Int("Period"));
            MetricStatistic.Check(stat.Required("Stat"));
            var points = Series(context, metric)?.Aggregate(aligned ? Floor(start, seconds) : start, end, seconds, stat.Text("Unit")) ?? [];
            scope.Values[query.Required("Id")] = ToSeries(query.Text("Label") ?? metric.Required("MetricName"), points, stat.Required("Stat"));
            scope.Metrics.Add(query.Required("Id"));
        }
        foreach (var query in InOrder(queries.Where(query => !query.Has("MetricStat")).ToList(), scope.Values.Keys))
        {
            var id = query.Required("Id");
            try
            {
                var value = MathEvaluator.Evaluate(query.Required("Expression"), scope);
                scope.Values[id] = value is MathSeries series ? series with { Label = query.Text("Label") ?? id } : value;
            }
            catch (MathException e)
            {
                throw Invalid("ValidationError", $"Error in expression '{id}': {e.Message}");
            }
        }
        foreach (var query in queries.Where(query => query.Flag("ReturnData") != false && scope.Values[query.Required("Id")] is MathScalar or MathText))
        {
            throw Invalid("ValidationError", $"Error in expression '{query.Text("Id")}': Expression evaluates to a scalar; it must evaluate to a time series or an array of time series.");
        }
        return scope.Values;
    }

    private static MathSeries ToSeries(string label, IReadOnlyList<MetricPoint> points, string statistic) =>
        new MathSeries(label, []).With(points.Select(point => (point.Time.ToUnixTimeSeconds(), MetricStatistic.Of(point, statistic))));

    private static void CheckQueries(List<JsonObject> queries)
    {
        foreach (var query in queries)
        {
            var id = query.Required("Id");
            if (!QueryId().IsMatch(id))
            {
                throw Invalid("ValidationError", $"The value {id} for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.");
            }
            if (query.Has("MetricStat") == query.Has("Expression"))
            {
                throw Invalid("ValidationError", $"Exactly one of Expression and MetricStat must be specified for query {id}.");
            }
        }
        if (queries.GroupBy(query => query.Text("Id")).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Invalid("ValidationError", $"The values for parameter id in MetricDataQueries are not unique: {twice.Key}.");
        }
        if (queries.Count > 500)
        {
            throw Invalid("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.");
        }
    }

    /// <summary>Expressions so that each follows those it names.</summary>
    private static List<JsonObject> InOrder(List<JsonObject> expressions, IEnumerable<string> known)
    {
        var done = known.ToHashSet(StringComparer.Ordinal);
        var ids = expressions.Select(query => query.Required("Id")).ToHashSet(StringComparer.Ordinal);
        var ordered = new List<JsonObject>();
        var left = expressions.Select(query => (Query: query, Names: NamesOf(query).Where(ids.Contains).ToList())).ToList();
        while (left.Count > 0)
        {
            var ready = left.Where(item => item.Names.TrueForAll(done.Contains)).ToList();
            if (ready.Count == 0)
            {
                throw Invalid("ValidationError", $"Error in expression '{left[0].Query.Text("Id")}': the expressions refer to each other in a circle.");
            }
            foreach (var item in ready)
            {
                ordered.Add(item.Query);
                done.Add(item.Query.Required("Id"));
                left.Remove(item);
            }
        }
        return ordered;

        static IEnumerable<string> NamesOf(JsonObject query)
        {
            try
            {
                return MathParser.Names(MathParser.Parse(query.Required("Expression"))).ToList();
            }
            catch (MathException e)
            {
                throw Invalid("ValidationError", $"Error in expression '{query.Text("Id")}': {e.Message}");
            }
        }
    }

    /// <summary>What a metric has been in the two weeks before: what an anomaly detection model would have learned, without seasons.</summary>
    private (double Mean, double Deviation)? Baseline(RequestContext context, JsonObject stat, DateTimeOffset before)
    {
        var period = Period(stat.Int("Period"));
        var values = (Series(context, stat.Child("Metric")!)?.Aggregate(Floor(before.AddDays(-14), period), before, period, stat.Text("Unit")) ?? []).Select(point => MetricStatistic.Of(point, stat.Required("Stat"))).Where(double.IsFinite).ToList();
        if (values.Count < 3)
        {
            return null;
        }
        var mean = values.Average();
        return (mean, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))));
    }
}
