using Inferloop.Operations.Specs;
using static Inferloop.Operations.Recovery.FailoverStepNames;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// The steps of a failover and what each waits for. Of a lost region nothing is waited for: what needs it may be put off, and no other step comes
/// after it. Parts that an environment does not have are in the plan as not needed, so that a plan says so.
/// </summary>
internal static class FailoverPlan
{
    /// <summary>The steps after which it is too late to take the failover back: from here on the other region has data of its own.</summary>
    public static readonly IReadOnlyList<string> PointsOfNoReturn = [Database, Cache, Secrets, Compute];

    public static IReadOnlyList<InferloopFailoverStep> Make(FailoverShape shape)
    {
        var graceful = shape.Mode == FailoverMode.Graceful;
        var back = shape.Direction == FailoverDirection.Failback;
        var restored = shape.StandbyMode == StandbyMode.BackupOnly && !back;
        string to = shape.ToRegion, from = shape.FromRegion;

        // Before anything is promoted every store must have all that was written (graceful), or be known to lack no more than was consented to.
        string[] ready = graceful ? [Drain] : [Assess];
        var steps = new List<InferloopFailoverStep>();
        if (back)
        {
            steps.Add(Step(Reseed, $"Make {to} follow {from} again, from its data", to, [], FailoverDurations.Reseed(shape.HasDatabase), needed: true));
            steps.Add(Step(CatchUp, "Wait until what was written meanwhile has arrived", to, [Reseed], FailoverDurations.CatchUp, needed: true));
        }

        steps.Add(Step(Assess, "Measure how old the newest data is that arrived", to, back ? [CatchUp] : [], FailoverDurations.Assess, needed: true));
        steps.Add(Step(Fence, $"Stop what writes in {from}", from, [Assess], FailoverDurations.Fence, needed: true) with { CanBeDeferred = !graceful, CanUndo = true });
        if (graceful)
        {
            steps.Add(Step(Drain, "Wait until the last of it has arrived", to, [Fence], FailoverDurations.Drain, needed: true));
        }

        steps.Add(Step(Database, restored ? "Choose the newest snapshot of the database" : "Promote the replica of the database", to, ready, restored ? FailoverDurations.Choose : FailoverDurations.Promote, shape.HasDatabase));
        steps.Add(Step(Cache, "Make the cache's group the first of its global datastore", to, ready, FailoverDurations.Cache, shape.HasCache));
        steps.Add(Step(Table, restored ? "Restore the table from its newest backup" : "See that the table takes writes", to, ready, restored ? FailoverDurations.RestoreTable : FailoverDurations.Look, shape.HasTable));
        steps.Add(Step(Bucket, "See that the bucket takes writes", to, ready, FailoverDurations.Look, shape.HasBucket));
        steps.Add(Step(Secrets, "Make the copies of the secrets stand by themselves", to, ready, FailoverDurations.Secrets, shape.HasSecrets));
        steps.Add(Step(Compute, "Bring tasks, nodes, queues and event sources to full size", to, [Database, Cache, Table, Bucket, Secrets], shape.Compute, needed: true));
        steps.Add(Step(Verify, "See that every part is healthy and answers", to, [Compute], FailoverDurations.Verify, needed: true));
        steps.Add(Step(Dns, "Switch the address", to, [Verify], FailoverDurations.Dns, shape.HasDns) with { CanUndo = true });
        steps.Add(Step(Announce, "Tell who is to know", to, [Dns], FailoverDurations.Look, needed: true));
        steps.Add(Step(Source, $"Make {from} the standby", from, [Fence, Dns], FailoverDurations.Source, needed: shape.StandbyMode != StandbyMode.BackupOnly) with { CanBeDeferred = true });
        foreach (var name in shape.Approvals)
        {
            var at = steps.FindIndex(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            if (at < 0)
            {
                throw new OperationException(
                    "FailoverStepUnknown", OperationErrorKind.InvalidArgument, $"'{name}' is no step of this failover.{Suggestion.For(name, steps.Select(s => s.Name))}",
                    $"Its steps are {string.Join(", ", steps.Select(s => s.Name))}.", name);
            }

            steps[at] = steps[at] with { NeedsApproval = true };
        }

        var critical = CriticalPath.Of(steps);
        return steps.Select(s => s with { IsCritical = critical.Contains(s.Name) }).ToArray();
    }

    private static InferloopFailoverStep Step(string name, string title, string region, IReadOnlyList<string> after, TimeSpan expected, bool needed) => new()
    {
        Name = name, Title = title, Region = region, After = after, Expected = needed ? expected : TimeSpan.Zero,
        State = needed ? FailoverStepState.Waiting : FailoverStepState.NotNeeded,
    };
}
