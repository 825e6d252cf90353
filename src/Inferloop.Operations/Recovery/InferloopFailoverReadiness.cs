using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>How ready an environment is to fail over: what it would lose, how long it would take, and what stands in the way.</summary>
public sealed record InferloopFailoverReadiness
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>Its stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region that serves.</summary>
    public required string FromRegion { get; init; }

    /// <summary>The region that would take over.</summary>
    public required string ToRegion { get; init; }

    /// <summary>How the other region stands by.</summary>
    public StandbyMode StandbyMode { get; init; }

    /// <summary>Whether a failover could begin now and is expected to meet both objectives.</summary>
    public bool IsReady => Findings.All(f => f.Severity != PreflightSeverity.Error);

    /// <summary>Within which time the platform shall serve again.</summary>
    public TimeSpan RtoObjective { get; init; } = FailoverObjectives.Rto;

    /// <summary>The durations along the critical path of an unplanned failover.</summary>
    public TimeSpan ExpectedRto { get; init; }

    /// <summary>How much of the newest data may be lost.</summary>
    public TimeSpan RpoObjective { get; init; } = FailoverObjectives.Rpo;

    /// <summary>How old the newest data is that arrived, over the stores of which it can be told; null where none tells.</summary>
    public TimeSpan? ExpectedRpo { get; init; }

    /// <summary>How each store stands.</summary>
    public IReadOnlyList<InferloopRecoveryStore> Stores { get; init => field = value.Indexable(); } = [];

    /// <summary>What was found, what stands in the way first, each with its remedy.</summary>
    public IReadOnlyList<InferloopPreflightFinding> Findings { get; init => field = value.Indexable(); } = [];

    /// <summary>The steps of an unplanned failover.</summary>
    public IReadOnlyList<InferloopFailoverStep> Plan { get; init => field = value.Indexable(); } = [];

    /// <summary>The steps whose durations add up to the expected RTO, in their order.</summary>
    public IReadOnlyList<string> CriticalPath => Plan.Where(s => s.IsCritical).Select(s => s.Name).ToArray();

    /// <summary>The newest rehearsal or failover; null for none.</summary>
    public DateTimeOffset? LastRehearsal { get; init; }

    /// <summary>How it was reached, so that what follows in a pipeline goes to the same place.</summary>
    public EnvironmentConnection Connection { get; init; } = new();

    /// <summary>Name and verdict in one line.</summary>
    public override string ToString() => $"{Environment} ({Stage.ToString().ToLowerInvariant()}): {FromRegion} -> {ToRegion} {(IsReady ? "ready" : "not ready")}";
}
