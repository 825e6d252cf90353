namespace Inferloop.Sandbox.Traffic;

/// <summary>What came to a load balancer since its last minute was published, sample by sample.</summary>
internal sealed class BalancerMinute
{
    private readonly SortedDictionary<string, (List<TargetAnswer> Answers, double Each)> groups = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (double Utilization, double Memory)> used = new(StringComparer.Ordinal);

    /// <summary>All requests that came.</summary>
    public double Requests { get; set; }

    /// <summary>Those that there was no target for.</summary>
    public double Refused { get; set; }

    /// <summary>The time that was looked at.</summary>
    public double Seconds { get; set; }

    /// <summary>How many targets there were at last.</summary>
    public int Targets { get; set; }

    /// <summary>The target groups, with what their targets answered and the requests to each of their targets.</summary>
    public IEnumerable<(string Group, IReadOnlyList<TargetAnswer> Answers, double Each)> Groups => groups.Select(pair => (pair.Key, (IReadOnlyList<TargetAnswer>)pair.Value.Answers, pair.Value.Each));

    public void Add(string group, TargetAnswer answer, TimeSpan step)
    {
        Of(group).Answers.Add(answer);
        var before = used.GetValueOrDefault(answer.Target);
        used[answer.Target] = (before.Utilization + (answer.Utilization * step.TotalSeconds), before.Memory + (answer.Memory * step.TotalSeconds));
    }

    public void CountEach(string group, double each)
    {
        var present = Of(group);
        groups[group] = (present.Answers, present.Each + each);
    }

    /// <summary>Adds what each target used on average to what others ask of it.</summary>
    public void AddDemand(Dictionary<string, (double Utilization, double Memory)> demand)
    {
        foreach (var (target, (utilization, memory)) in used)
        {
            var before = demand.GetValueOrDefault(target);
            demand[target] = (before.Utilization + (utilization / Seconds), before.Memory + (memory / Seconds));
        }
    }

    private (List<TargetAnswer> Answers, double Each) Of(string group) => groups.TryGetValue(group, out var present) ? present : groups[group] = ([], 0);
}

/// <summary>What a target made of its part of some seconds.</summary>
internal sealed record TargetAnswer(string Target, double Utilization, double ResponseTime, double Answered, double TimedOut, double Unreached, double ServerErrors, double ClientErrors, double Memory)
{
    /// <summary>The requests it was sent.</summary>
    public double Sent => Answered + TimedOut + Unreached;

    /// <summary>Those that ended in 5xx, whoever said it.</summary>
    public double Failed => ServerErrors + TimedOut + Unreached;
}
