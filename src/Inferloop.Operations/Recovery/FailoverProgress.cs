using System.Globalization;

namespace Inferloop.Operations.Recovery;

/// <summary>What an operator sees while a failover goes on: the steps under way, the critical path, and the time against the objective.</summary>
internal static class FailoverProgress
{
    public static string Activity(InferloopFailover failover) =>
        $"{(failover.Direction == FailoverDirection.Failover ? "Failing over" : "Failing back")} {failover.Environment} from {failover.FromRegion} to {failover.ToRegion}";

    public static OperationProgress Of(InferloopFailover failover, DateTimeOffset now)
    {
        var elapsed = now - failover.Started;
        var remaining = Remaining(failover, now);
        var under = failover.Steps.Where(s => s.State == FailoverStepState.Running).Select(s => s.Name).ToList();
        var done = failover.Steps.Count(s => s.IsOver);
        var status = string.Create(
            CultureInfo.InvariantCulture, $"{(under.Count == 0 ? failover.State.ToString() : string.Join(", ", under))}: {done} of {failover.Steps.Count} steps, {elapsed:hh\\:mm\\:ss} of {failover.RtoObjective:hh\\:mm\\:ss}");
        var whole = elapsed + remaining;
        return new OperationProgress(Activity(failover), status, whole > TimeSpan.Zero ? (int)Math.Clamp(100 * elapsed / whole, 0, 100) : -1, remaining);
    }

    /// <summary>What the rest of the longest chain takes; of a step under way what is left of what it usually takes.</summary>
    public static TimeSpan Remaining(InferloopFailover failover, DateTimeOffset now) => CriticalPath.Length(failover.Steps
        .Select(s => s.IsOver ? s with { Started = null, Finished = null, Expected = TimeSpan.Zero }
            : s is { State: FailoverStepState.Running, Started: { } begun } ? s with { Finished = null, Started = null, Expected = s.Expected > now - begun ? s.Expected - (now - begun) : TimeSpan.Zero }
            : s with { Started = null, Finished = null })
        .ToArray());
}
