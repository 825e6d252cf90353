using M = System.Math;

namespace Inferloop.Sandbox.Services.CloudWatch.MetricMath;

/// <summary>The functions of metric math, as CloudWatch's guide describes them.</summary>
internal static class MathFunctions
{
    public static MathValue Call(string name, IReadOnlyList<MathValue> arguments, MathScope scope)
    {
        MathValue Argument(int index) => index < arguments.Count ? arguments[index] : throw new MathException($"Error in expression: {name} needs more arguments.");
        switch (name)
        {
            case "ABS":
                return MathEvaluator.Map(Argument(0), M.Abs);
            case "CEIL":
                return MathEvaluator.Map(Argument(0), M.Ceiling);
            case "FLOOR":
                return MathEvaluator.Map(Argument(0), M.Floor);
            case "LOG":
                return MathEvaluator.Map(Argument(0), M.Log);
            case "LOG10":
                return MathEvaluator.Map(Argument(0), M.Log10);
            case "AVG":
                return Reduce(Argument(0), "AVG", static values => values.Average());
            case "SUM":
                return Reduce(Argument(0), "SUM", static values => values.Sum());
            case "MIN" when arguments.Count > 1:
                return arguments.Aggregate((one, other) => MathEvaluator.Combine(one, other, M.Min));
            case "MAX" when arguments.Count > 1:
                return arguments.Aggregate((one, other) => MathEvaluator.Combine(one, other, M.Max));
            case "MIN":
                return Reduce(Argument(0), "MIN", static values => values.Min());
            case "MAX":
                return Reduce(Argument(0), "MAX", static values => values.Max());
            case "STDDEV":
                return Reduce(Argument(0), "STDDEV", Deviation);
            case "PERCENTILE":
                var percentile = MathEvaluator.Number(Argument(1));
                return Reduce(Argument(0), "PERCENTILE", values => values[(int)M.Clamp(M.Ceiling(values.Count * percentile / 100) - 1, 0, values.Count - 1)]);
            case "DATAPOINT_COUNT":
                return Argument(0) is MathSeries counted ? new MathScalar(counted.Points.Count) : Reduce(Argument(0), "DATAPOINT_COUNT", static values => values.Count);
            case "METRIC_COUNT":
                return new MathScalar(MathEvaluator.Items(Argument(0)).Count);
            case "METRICS":
                var part = arguments.Count > 0 ? MathEvaluator.Text(arguments[0]) : "";
                return new MathArray(scope.Metrics.Where(id => id.Contains(part, StringComparison.Ordinal)).Select(id => (MathSeries)scope.Values[id]).ToList());
            case "FILL":
                return Fill(Argument(0), Argument(1), scope);
            case "IF":
                return If(Argument(0), Argument(1), arguments.Count > 2 ? arguments[2] : null);
            case "FIRST":
                return Pick(Argument(0), static items => items[0]);
            case "LAST":
                return Pick(Argument(0), static items => items[^1]);
            case "DIFF":
                return Pairs(Argument(0), static (before, now) => now.Value - before.Value);
            case "DIFF_TIME":
                return Pairs(Argument(0), static (before, now) => now.Key - before.Key);
            case "RATE":
                return Pairs(Argument(0), static (before, now) => (now.Value - before.Value) / (now.Key - before.Key));
            case "RUNNING_SUM":
                return Each(Argument(0), static series =>
                {
                    var sum = 0.0;
                    return series.With(series.Points.Select(pair => (pair.Key, sum += pair.Value)).ToList());
                });
            case "PERIOD":
                _ = MathEvaluator.Items(Argument(0));
                return new MathScalar(scope.Period);
            case "TIME_SERIES":
                var constant = MathEvaluator.Number(Argument(0));
                return new MathSeries("TIME_SERIES", []).With(scope.Grid().Select(time => (time, constant)));
            case "REMOVE_EMPTY":
                return new MathArray(MathEvaluator.Items(Argument(0)).Where(item => item.Points.Count > 0).ToList());
            case "SLICE":
                var items = MathEvaluator.Items(Argument(0));
                var from = (int)MathEvaluator.Number(Argument(1));
                var to = arguments.Count > 2 ? (int)MathEvaluator.Number(arguments[2]) : items.Count;
                return new MathArray(items.Skip(from).Take(M.Max(0, to - from)).ToList());
            case "SORT":
                return Sort(arguments, Argument(0));
            case "SEARCH":
                return new MathArray(scope.Search(MathEvaluator.Text(Argument(0)), MathEvaluator.Text(Argument(1)), arguments.Count > 2 ? (int)MathEvaluator.Number(arguments[2]) : scope.Period));
            case "ANOMALY_DETECTION_BAND":
                var width = arguments.Count > 1 ? MathEvaluator.Number(arguments[1]) : 2;
                return scope.Baseline(MathEvaluator.Text(Argument(0))) is { } baseline
                    ? new MathArray([Band("upper", baseline.Mean + (width * baseline.Deviation)), Band("lower", baseline.Mean - (width * baseline.Deviation))])
                    : new MathArray([new MathSeries("upper", []), new MathSeries("lower", [])]);
            case "EPOCH" or "YEAR" or "MONTH" or "DATE" or "DAY" or "HOUR" or "MINUTE":
                return Each(Argument(0), series => series.With(series.Points.Keys.Select(time => (time, Calendar(name, time))).ToList()));
            default:
                throw new MathException($"Error in expression: function {name} is not supported.");
        }

        MathSeries Band(string label, double value) => new MathSeries(label, []).With(scope.Grid().Select(time => (time, value)));
    }

    private static double Calendar(string name, long time)
    {
        var moment = DateTimeOffset.FromUnixTimeSeconds(time);
        return name switch
        {
            "EPOCH" => time,
            "YEAR" => moment.Year,
            "MONTH" => moment.Month,
            "DATE" => moment.Day,
            // Monday is 1, as CloudWatch counts the days.
            "DAY" => moment.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)moment.DayOfWeek,
            "HOUR" => moment.Hour,
            _ => moment.Minute,
        };
    }

    private static double Deviation(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        return M.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Count);
    }

    /// <summary>One series: all of its values as one number. Several: their values of each moment.</summary>
    private static MathValue Reduce(MathValue value, string label, Func<IReadOnlyList<double>, double> reduce)
    {
        switch (value)
        {
            case MathScalar:
                return value;
            case MathSeries series:
                // A statistic of a single series is a number; without data it is no number at all, and drops out of what it is used in.
                return new MathScalar(series.Points.Count == 0 ? double.NaN : reduce(series.Points.Values.Order().ToList()));
            default:
                var items = MathEvaluator.Items(value);
                return new MathSeries(label, []).With(items.SelectMany(item => item.Points).GroupBy(pair => pair.Key).Select(group => (group.Key, reduce(group.Select(pair => pair.Value).Order().ToList()))).ToList());
        }
    }

    private static MathValue Each(MathValue value, Func<MathSeries, MathSeries> change) => value is MathSeries series ? change(series) : new MathArray(MathEvaluator.Items(value).Select(change).ToList());

    private static MathValue Pick(MathValue value, Func<IReadOnlyList<MathSeries>, MathSeries> pick) => value switch
    {
        MathArray { Items.Count: > 0 } array => pick(array.Items),
        MathSeries { Points.Count: > 0 } series => new MathScalar(pick([series]).Points.Values.Last()),
        _ => new MathSeries("", []),
    };

    private static MathValue Pairs(MathValue value, Func<KeyValuePair<long, double>, KeyValuePair<long, double>, double> change) => Each(value, series =>
    {
        var points = series.Points.ToList();
        return series.With(points.Skip(1).Select((now, index) => (now.Key, change(points[index], now))).ToList());
    });

    private static MathValue Fill(MathValue value, MathValue filling, MathScope scope) => Each(value, series =>
    {
        var filled = new List<(long, double)>();
        double? last = null;
        foreach (var time in scope.Grid())
        {
            if (series.Points.TryGetValue(time, out var present))
            {
                filled.Add((time, present));
                last = present;
                continue;
            }
            double? given = filling switch
            {
                MathScalar scalar => scalar.Value,
                MathSeries other => other.Points.TryGetValue(time, out var theirs) ? theirs : null,
                MathText { Value: "REPEAT" } => last,
                MathText { Value: "LINEAR" } => Between(series, time),
                _ => throw new MathException("Error in expression: the second argument of FILL must be a scalar, a metric, REPEAT or LINEAR."),
            };
            if (given is { } number)
            {
                filled.Add((time, number));
            }
        }
        return series.With(filled);
    });

    private static double? Between(MathSeries series, long time)
    {
        var before = series.Points.Where(pair => pair.Key < time).Select(pair => ((long, double)?)(pair.Key, pair.Value)).LastOrDefault();
        var after = series.Points.Where(pair => pair.Key > time).Select(pair => ((long, double)?)(pair.Key, pair.Value)).FirstOrDefault();
        return (before, after) switch
        {
            ({ } one, { } other) => one.Item2 + ((other.Item2 - one.Item2) * (time - one.Item1) / (other.Item1 - one.Item1)),
            ({ } one, null) => one.Item2,
            (null, { } other) => other.Item2,
            _ => null,
        };
    }

    private static MathValue If(MathValue condition, MathValue then, MathValue? otherwise)
    {
        if (condition is MathScalar scalar)
        {
            return scalar.Value != 0 && !double.IsNaN(scalar.Value) ? then : otherwise ?? new MathSeries("IF", []);
        }
        return Each(condition, series => series.With(series.Points.Select(pair => (pair.Key, At(pair.Value != 0 ? then : otherwise, pair.Key) ?? double.NaN)).ToList()));

        static double? At(MathValue? value, long time) => value switch
        {
            null => null,
            MathScalar number => number.Value,
            MathSeries series => series.Points.TryGetValue(time, out var found) ? found : null,
            _ => throw new MathException("Error in expression: IF chooses between scalars and single time series."),
        };
    }

    private static MathArray Sort(IReadOnlyList<MathValue> arguments, MathValue value)
    {
        var by = arguments.Count > 1 ? MathEvaluator.Text(arguments[1]).ToUpperInvariant() : "AVG";
        var descending = arguments.Count > 2 && MathEvaluator.Text(arguments[2]).Equals("DESC", StringComparison.OrdinalIgnoreCase);
        double Rank(MathSeries series) => series.Points.Count == 0 ? double.NegativeInfinity : by switch
        {
            "SUM" => series.Points.Values.Sum(),
            "MIN" => series.Points.Values.Min(),
            "MAX" => series.Points.Values.Max(),
            _ => series.Points.Values.Average(),
        };
        var items = MathEvaluator.Items(value);
        var sorted = (descending ? items.OrderByDescending(Rank) : items.OrderBy(Rank)).ToList();
        return new MathArray(arguments.Count > 3 ? sorted.Take((int)MathEvaluator.Number(arguments[3])).ToList() : sorted);
    }
}
