namespace Inferloop.Operations.Recovery;

/// <summary>The longest chain of steps: what the whole takes, however many others run beside it.</summary>
internal static class CriticalPath
{
    /// <summary>The names of the steps on it, in their order. A step that may be put off is on no path: nothing waits for it.</summary>
    public static IReadOnlyList<string> Of(IReadOnlyList<InferloopFailoverStep> steps)
    {
        var ends = new Dictionary<string, (TimeSpan At, string? Before)>(StringComparer.Ordinal);
        foreach (var step in steps)
        {
            // Steps stand after those that they wait for, so one pass is enough.
            var before = step.After.Where(ends.ContainsKey).OrderByDescending(a => ends[a].At).FirstOrDefault();
            if (!step.CanBeDeferred)
            {
                ends[step.Name] = ((before is null ? TimeSpan.Zero : ends[before].At) + Takes(step), before);
            }
        }

        var path = new List<string>();
        for (var name = ends.OrderByDescending(e => e.Value.At).Select(e => e.Key).FirstOrDefault(); name is not null; name = ends[name].Before)
        {
            path.Add(name);
        }

        path.Reverse();
        return path.Where(n => steps.First(s => s.Name == n).State != FailoverStepState.NotNeeded).ToArray();
    }

    /// <summary>How long the chain takes: what was measured of steps that ended, what is expected of the others.</summary>
    public static TimeSpan Length(IReadOnlyList<InferloopFailoverStep> steps) =>
        Of(steps).Aggregate(TimeSpan.Zero, (sum, name) => sum + Takes(steps.First(s => s.Name == name)));

    private static TimeSpan Takes(InferloopFailoverStep step) => step.Duration ?? step.Expected;
}
