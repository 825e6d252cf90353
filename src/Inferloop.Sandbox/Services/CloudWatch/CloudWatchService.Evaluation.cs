using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch.MetricMath;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Alarms evaluated: the data of their evaluation range against their threshold, missing data as they say, and what their state becomes.</summary>
internal sealed partial class CloudWatchService
{
    /// <summary>AWS looks further back than the evaluation periods, so that a late datum does not change a state.</summary>
    private const int ExtraPeriods = 2;
    private const int MaximumCompositeDepth = 20;

    [ThreadStatic]
    private static int compositeDepth;

    private MetricPulse? pulse;

    /// <summary>The minute's beat: what publishes metrics registers here.</summary>
    public MetricPulse Pulse => LazyInitializer.EnsureInitialized(ref pulse, () => new MetricPulse(Runtime)
    {
        Evaluate = EvaluateAll,
        Needed = context => Alarms(context).Count > 0 || HasSources(context),
    });

    /// <summary>Told by those who publish whether an account and region has anything to publish about.</summary>
    public Func<RequestContext, bool> HasSources { get; set; } = static _ => false;

    private bool EvaluateAll(RequestContext context, DateTimeOffset moment)
    {
        var fine = false;
        foreach (var alarm in Alarms(context).Where(static alarm => !alarm.Is("_Composite")))
        {
            var period = PeriodOf(alarm);
            fine |= period < 60;
            if (period < 60 || moment.UtcTicks % TimeSpan.TicksPerMinute == 0)
            {
                Evaluate(context, alarm, period, moment);
            }
        }
        foreach (var alarm in Alarms(context).Where(static alarm => alarm.Is("_Composite")))
        {
            EvaluateComposite(context, alarm);
            Repeat(context, alarm.Required("AlarmName"), null);
        }
        return fine;
    }

    private static int PeriodOf(JsonObject alarm) =>
        alarm.Int("Period") ?? Math.Max(60, alarm.Objects("Metrics").Select(query => query.Child("MetricStat")?.Int("Period") ?? query.Int("Period") ?? 0).DefaultIfEmpty(0).Max());

    private void Evaluate(RequestContext context, JsonObject alarm, int period, DateTimeOffset moment)
    {
        var count = alarm.Int("EvaluationPeriods") ?? 1;
        var range = count + ExtraPeriods;
        // Windows end at the full minute, whatever the period: a five-minute alarm looks at the last five minutes every minute.
        var start = moment.AddSeconds(-(double)range * period);
        var (watched, bounds) = Watched(context, alarm, start, moment, period);
        var newestFirst = new List<Datum?>();
        for (var i = range - 1; i >= 0; i--)
        {
            var time = start.AddSeconds((double)i * period).ToUnixTimeSeconds();
            newestFirst.Add(watched.TryGetValue(time, out var value) ? new Datum(time, value, Breaches(alarm, value, bounds, time)) : null);
        }
        var verdict = AlarmVerdict.Of(newestFirst, count, alarm.Int("DatapointsToAlarm") ?? count, alarm.Text("TreatMissingData") ?? "missing", alarm.Required("StateValue"), alarm);
        var newest = newestFirst.Find(datum => datum is not null)?.Value;
        if (verdict.State != alarm.Text("StateValue"))
        {
            SetState(context, alarm, verdict.State, verdict.Reason, ReasonData(alarm, newestFirst.Take(count), period, moment), newest);
        }
        else
        {
            Repeat(context, alarm.Required("AlarmName"), newest);
        }
    }

    /// <summary>The newest value that an alarm looked at, or would; null where its metric has told nothing.</summary>
    public double? NewestOf(RequestContext context, string name)
    {
        if (Alarms(context).Get(name) is not { } alarm)
        {
            return null;
        }
        var period = PeriodOf(alarm);
        var end = new DateTimeOffset(Runtime.Clock.Now.UtcTicks / TimeSpan.TicksPerMinute * TimeSpan.TicksPerMinute, TimeSpan.Zero);
        var (watched, _) = Watched(context, alarm, end.AddSeconds(-(double)((alarm.Int("EvaluationPeriods") ?? 1) + ExtraPeriods) * period), end, period);
        return watched.Count == 0 ? null : watched.MaxBy(point => point.Key).Value;
    }

    private (IReadOnlyDictionary<long, double> Watched, MathArray? Bounds) Watched(RequestContext context, JsonObject alarm, DateTimeOffset start, DateTimeOffset end, int period)
    {
        if (alarm.Has("MetricName"))
        {
            var points = Series(context, alarm)?.Aggregate(start, end, period, alarm.Text("Unit")) ?? [];
            var statistic = alarm.Text("Statistic") ?? alarm.Required("ExtendedStatistic");
            // Percentiles of very few samples say little; an alarm may ask not to be judged by them.
            var enough = alarm.Text("EvaluateLowSampleCountPercentile") == "ignore" && alarm.Text("ExtendedStatistic") is { } name && name[0] == 'p' && double.TryParse(name.AsSpan(1), NumberStyles.Float, CultureInfo.InvariantCulture, out var percentile)
                ? 10 / (1 - (percentile / 100)) : 0;
            return (ToSeries("", points.Where(point => point.Count >= enough || enough == 0).ToList(), statistic).Points, null);
        }
        var queries = alarm.Objects("Metrics").ToList();
        var values = Calculate(context, queries.Select(static query => query.Copy()).ToList(), start, end, aligned: false);
        var threshold = alarm.Text("ThresholdMetricId");
        var id = queries.First(query => query.Flag("ReturnData") != false && query.Text("Id") != threshold).Required("Id");
        return ((values[id] as MathSeries)?.Points ?? [], threshold is null ? null : values.GetValueOrDefault(threshold) as MathArray);
    }

    private static bool Breaches(JsonObject alarm, double value, MathArray? bounds, long time)
    {
        var threshold = alarm.Double("Threshold") ?? 0;
        double Bound(int index) => bounds is not null && index < bounds.Items.Count && bounds.Items[index].Points.TryGetValue(time, out var bound) ? bound : double.NaN;
        return alarm.Text("ComparisonOperator") switch
        {
            "GreaterThanThreshold" => value > threshold,
            "GreaterThanOrEqualToThreshold" => value >= threshold,
            "LessThanThreshold" => value < threshold,
            "LessThanOrEqualToThreshold" => value <= threshold,
            "GreaterThanUpperThreshold" => value > Bound(0),
            "LessThanLowerThreshold" => value < Bound(1),
            _ => value > Bound(0) || value < Bound(1),
        };
    }

    private static string ReasonData(JsonObject alarm, IEnumerable<Datum?> evaluated, int period, DateTimeOffset moment)
    {
        var data = evaluated.OfType<Datum>().ToList();
        static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'+0000'", CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["version"] = "1.0",
            ["queryDate"] = Time(moment),
            ["period"] = period,
            ["recentDatapoints"] = new JsonArray(data.AsEnumerable().Reverse().Select(datum => (JsonNode?)JsonValue.Create(datum.Value)).ToArray()),
            ["evaluatedDatapoints"] = data.Select(datum => new JsonObject { ["timestamp"] = Time(DateTimeOffset.FromUnixTimeSeconds(datum.Time)), ["value"] = datum.Value }).ToJsonList(),
        }.With("startDate", data.Count > 0 ? Time(DateTimeOffset.FromUnixTimeSeconds(data[^1].Time)) : null)
            .With("statistic", alarm.Text("Statistic") ?? alarm.Text("ExtendedStatistic")).With("threshold", alarm["Threshold"].Copy()).ToJsonString();
    }

    /// <summary>Changes an alarm's state; its history says so, its actions are taken, the composite alarms above it look again.</summary>
    private void SetState(RequestContext context, JsonObject alarm, string state, string reason, string? reasonData, double? newest)
    {
        var name = alarm.Required("AlarmName");
        string? before = null;
        JsonObject? old = null;
        var now = Runtime.Clock.Now;
        var updated = Alarms(context).Update(name, document =>
        {
            before = document.Text("StateValue");
            old = new JsonObject { ["stateValue"] = before, ["stateReason"] = document.Text("StateReason") }.With("stateReasonData", PolicyDocument.AsObject(document.Text("StateReasonData")));
            document["StateValue"] = state;
            document["StateReason"] = reason;
            document.Remove("StateReasonData");
            document.With("StateReasonData", reasonData);
            document["StateUpdatedTimestamp"] = Documents.Time(now);
            if (before != state)
            {
                document["StateTransitionedTimestamp"] = Documents.Time(now);
            }
        });
        if (updated is null || before == state)
        {
            return;
        }
        History(context, updated, "StateUpdate", $"Alarm updated from {before} to {state}", new JsonObject
        {
            ["version"] = "1.0",
            ["oldState"] = old,
            ["newState"] = new JsonObject { ["stateValue"] = state, ["stateReason"] = reason }.With("stateReasonData", PolicyDocument.AsObject(reasonData)),
        });
        Act(context, updated, before!, state, newest);
        foreach (var parent in Alarms(context).Where(item => item.Text("AlarmRule")?.Contains(name, StringComparison.Ordinal) == true || (item.Text("ActionsSuppressor") is { } suppressor && NameOf(suppressor) == name)))
        {
            EvaluateComposite(context, parent);
        }
    }

    private void EvaluateComposite(RequestContext context, JsonObject alarm)
    {
        if (compositeDepth > MaximumCompositeDepth)
        {
            // Composite alarms may name each other in a circle; there the evaluation stops.
            return;
        }
        compositeDepth++;
        try
        {
            EvaluateRule(context, alarm);
        }
        finally
        {
            compositeDepth--;
        }
    }

    private void EvaluateRule(RequestContext context, JsonObject alarm)
    {
        var states = new Dictionary<string, string>(StringComparer.Ordinal);
        var rule = Rule(alarm.Required("AlarmRule"));
        var holds = rule.Holds(child =>
        {
            var state = Alarms(context).Get(NameOf(child))?.Text("StateValue") ?? "INSUFFICIENT_DATA";
            states[child] = state;
            return state;
        });
        var next = holds ? "ALARM" : "OK";
        if (next == alarm.Text("StateValue"))
        {
            return;
        }
        var cause = states.Select(pair => Alarms(context).Get(NameOf(pair.Key))).OfType<JsonObject>().OrderByDescending(child => child.TimeOf("StateUpdatedTimestamp")).FirstOrDefault();
        var reason = cause is null
            ? $"{context.Arn("cloudwatch", "alarm:" + alarm.Text("AlarmName"))} was created and its alarm rule evaluates to {next}"
            : $"{cause.Text("AlarmArn")} transitioned to {cause.Text("StateValue")} at {cause.TimeOf("StateUpdatedTimestamp")?.UtcDateTime.ToString("dddd dd MMMM, yyyy HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)}";
        var data = new JsonObject
        {
            ["triggeringAlarms"] = cause is null ? new JsonArray() : new JsonArray(new JsonObject
            {
                ["arn"] = cause.Text("AlarmArn"),
                ["state"] = new JsonObject { ["value"] = cause.Text("StateValue"), ["timestamp"] = cause.Text("StateUpdatedTimestamp") },
            }),
        };
        SetState(context, alarm, next, reason, data.ToJsonString(), null);
    }
}

/// <summary>A datum of an evaluation: when its period begins, its value, and whether it breaches.</summary>
internal sealed record Datum(long Time, double Value, bool Breaches);
