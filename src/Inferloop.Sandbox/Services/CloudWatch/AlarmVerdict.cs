using System.Globalization;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>
/// What an alarm's state is, from the data of its evaluation range: the rules of "Configuring how CloudWatch alarms treat missing data".
/// </summary>
internal sealed record AlarmVerdict(string State, string Reason)
{
    /// <param name="newestFirst">The data of the evaluation range, the newest first; null where there is none.</param>
    /// <param name="periods">The evaluation periods (N).</param>
    /// <param name="toAlarm">The data points to alarm (M).</param>
    /// <param name="missing">How missing data is treated.</param>
    /// <param name="current">The present state.</param>
    /// <param name="alarm">The alarm, for the words.</param>
    public static AlarmVerdict Of(IReadOnlyList<Datum?> newestFirst, int periods, int toAlarm, string missing, string current, JsonObject alarm)
    {
        var real = newestFirst.OfType<Datum>().ToList();
        if (real.Count >= periods)
        {
            // Enough real data: the newest of it decides, however missing data is treated.
            var judged = real.Take(periods).ToList();
            return Judged(judged, judged.Count(datum => datum.Breaches) >= toAlarm, periods, toAlarm, current, alarm);
        }
        var lacking = periods - real.Count;
        var breaching = real.Count(datum => datum.Breaches);
        switch (missing)
        {
            case "breaching":
                return real.Count == 0
                    ? new("ALARM", NoData(lacking, "Breaching"))
                    : Judged(real, breaching + lacking >= toAlarm, periods, toAlarm, current, alarm);
            case "notBreaching":
                return real.Count == 0
                    ? new("OK", NoData(lacking, "NonBreaching"))
                    : Judged(real, breaching >= toAlarm, periods, toAlarm, current, alarm);
        }
        if (real.Count == 0)
        {
            return missing == "ignore"
                ? new(current, "")
                : new("INSUFFICIENT_DATA", $"Insufficient Data: {periods} datapoint{(periods == 1 ? " was" : "s were")} unknown.");
        }
        if (breaching >= toAlarm || (missing == "missing" && OldEnough(newestFirst, toAlarm)))
        {
            return Judged(real, true, periods, toAlarm, current, alarm);
        }
        // So many of them are within bounds that no missing datum could have made it an alarm; or, where missing data counts as nothing, any is.
        return real.Count - breaching > periods - toAlarm || (missing == "missing" && breaching < real.Count)
            ? Judged(real, false, periods, toAlarm, current, alarm)
            : new(current, "");
    }

    /// <summary>The oldest datum breaches and is as old as the data points to alarm ask for, and everything since is breaching or missing.</summary>
    private static bool OldEnough(IReadOnlyList<Datum?> newestFirst, int toAlarm)
    {
        var oldest = -1;
        for (var i = 0; i < newestFirst.Count; i++)
        {
            if (newestFirst[i] is { } datum)
            {
                if (!datum.Breaches)
                {
                    return false;
                }
                oldest = i;
            }
        }
        return oldest >= toAlarm - 1;
    }

    private static string NoData(int lacking, string treated) =>
        $"Threshold Crossed: no datapoints were received for {lacking} period{(lacking == 1 ? "" : "s")} and {lacking} missing datapoint{(lacking == 1 ? " was" : "s were")} treated as [{treated}].";

    private static AlarmVerdict Judged(IReadOnlyList<Datum> judged, bool alarming, int periods, int toAlarm, string current, JsonObject alarm)
    {
        var said = judged.Where(datum => datum.Breaches == alarming).ToList();
        said = said.Count == 0 ? [.. judged] : said;
        var state = alarming ? "ALARM" : "OK";
        var comparison = alarm.Text("ComparisonOperator") switch
        {
            "GreaterThanThreshold" => "greater than the threshold",
            "GreaterThanOrEqualToThreshold" => "greater than or equal to the threshold",
            "LessThanThreshold" => "less than the threshold",
            "LessThanOrEqualToThreshold" => "less than or equal to the threshold",
            "GreaterThanUpperThreshold" => "greater than the upper thresholds",
            "LessThanLowerThreshold" => "less than the lower thresholds",
            _ => "less than the lower thresholds or greater than the upper thresholds",
        };
        var threshold = alarm.Double("Threshold") is { } number ? $" ({Number(number)})" : "";
        var values = string.Join(", ", said.Select(datum => $"{Number(datum.Value)} ({DateTimeOffset.FromUnixTimeSeconds(datum.Time).UtcDateTime.ToString("dd/MM/yy HH:mm:ss", CultureInfo.InvariantCulture)})"));
        var was = said.Count == 1 ? "was" : "were";
        var not = alarming ? "" : " not";
        var many = said.Count == 1 ? "1 datapoint" : $"{said.Count} datapoints";
        var minimum = alarming ? toAlarm : periods - toAlarm + 1;
        var from = current == state ? state : current;
        return new(state, periods == 1
            ? $"Threshold Crossed: 1 out of the last 1 datapoints [{values}] {was}{not} {comparison}{threshold} (minimum 1 datapoint for {from} -> {state} transition)."
            : $"Threshold Crossed: {many.Split(' ')[0]} out of the last {periods} datapoints [{values}] {was}{not} {comparison}{threshold} (minimum {minimum} datapoint{(minimum == 1 ? "" : "s")} for {from} -> {state} transition).");
    }

    private static string Number(double value) => value.ToString(value == Math.Floor(value) && Math.Abs(value) < 1e15 ? "0.0" : "R", CultureInfo.InvariantCulture);
}
