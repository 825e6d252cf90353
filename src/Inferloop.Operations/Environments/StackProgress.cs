using Inferloop.Operations.Environments.Forecast;

namespace Inferloop.Operations.Environments;

/// <summary>How far a stack operation is, and how much longer it takes by the forecast of its resources.</summary>
internal sealed class StackProgress
{
    private readonly DurationForecast? forecast;
    private readonly HashSet<string> seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> done = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> running = new(StringComparer.Ordinal);
    private readonly TimeProvider time;
    private readonly string activity;
    private long began;
    private double last;
    private double pace = 1;
    private bool rollingBack;
    private string status = "";

    /// <param name="activity">What is done.</param>
    /// <param name="forecast">How long it takes; null where that is not known.</param>
    /// <param name="time">The clock.</param>
    public StackProgress(string activity, DurationForecast? forecast, TimeProvider time)
    {
        this.activity = activity;
        this.time = time;
        this.forecast = forecast is { Total.Ticks: > 0 } ? forecast : null;
        began = time.GetTimestamp();
    }

    public bool Known => forecast is not null;

    public int Done => done.Count;

    public int Total => Math.Max(forecast?.Count ?? 0, seen.Count);

    public OperationProgress Apply(InferloopEnvironmentEvent e)
    {
        status = $"{e.Status} {e.Path}";
        var isRoot = e.IsStack && e.Path.IndexOf('/', StringComparison.Ordinal) < 0 && forecast?[e.Path] is null or { Ticks: 0 };
        if (e.Status.Contains("ROLLBACK", StringComparison.Ordinal) && e.IsStack && e.Status.EndsWith("IN_PROGRESS", StringComparison.Ordinal))
        {
            // A rollback undoes what was done; its own length is what counts from here, and no forecast has it.
            rollingBack = true;
        }

        if (!(e.IsStack && isRoot))
        {
            seen.Add(e.Path);
            if (e.Status.EndsWith("_COMPLETE", StringComparison.Ordinal) || e.Status == "DELETE_SKIPPED")
            {
                done.Add(e.Path);
                running.Remove(e.Path);
            }
            else if (e.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
            {
                if (e.Status.StartsWith("DELETE", StringComparison.Ordinal))
                {
                    done.Remove(e.Path);
                }

                running.TryAdd(e.Path, time.GetTimestamp());
            }
        }

        return Current();
    }

    public OperationProgress Current()
    {
        TimeSpan? remaining = null;
        if (forecast is not null && !rollingBack)
        {
            // This account's AWS may be quicker or slower than the usual one: what is done tells how much.
            var left = forecast.Remaining(done, running.ToDictionary(r => r.Key, r => time.GetElapsedTime(r.Value) / pace, StringComparer.Ordinal));
            var behind = forecast.Total - left;
            if (behind > forecast.Total * 0.1)
            {
                pace = Math.Clamp(time.GetElapsedTime(began) / behind, 0.0001, 10);
            }

            remaining = left * pace;
            last = Math.Max(last, Math.Clamp(behind / forecast.Total, 0, 0.99));
        }

        var count = Known ? $"{done.Count} of {Total} resources" : $"{done.Count} resources";
        return new OperationProgress(activity, status.Length > 0 ? $"{count}; {status}" : count, Known ? (int)(last * 100) : -1, remaining);
    }
}
