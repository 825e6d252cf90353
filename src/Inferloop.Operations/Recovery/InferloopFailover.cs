using System.Text.Json.Serialization;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>A failover, or a failback: its plan, how far it is, and what it measured.</summary>
public sealed record InferloopFailover
{
    /// <summary>A short id.</summary>
    public required string Id { get; init; }

    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>Its stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>To the recovery region, or back.</summary>
    public FailoverDirection Direction { get; init; }

    /// <summary>Planned, or because a region is lost.</summary>
    public required FailoverMode Mode { get; init; }

    /// <summary>How the other region stands by.</summary>
    public required StandbyMode StandbyMode { get; init; }

    /// <summary>The region that is left.</summary>
    public required string FromRegion { get; init; }

    /// <summary>The region that takes over, in which the journal is kept.</summary>
    public required string ToRegion { get; init; }

    /// <summary>Where it stands.</summary>
    public FailoverState State { get; init; }

    /// <summary>Why it failed or waits; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Who began it.</summary>
    public required string Operator { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>Within which time the platform shall serve again. The design document's section 8 says four hours.</summary>
    public TimeSpan RtoObjective { get; init; } = FailoverObjectives.Rto;

    /// <summary>From the beginning until the other region served, verified and with its address switched; null before.</summary>
    public TimeSpan? Rto { get; init; }

    /// <summary>How much of the newest data may be lost. The design document's section 8 says one hour.</summary>
    public TimeSpan RpoObjective { get; init; } = FailoverObjectives.Rpo;

    /// <summary>How old the newest data was that had arrived, over the stores of which it can be told; null where no store tells.</summary>
    public TimeSpan? Rpo { get; init; }

    /// <summary>The data loss that the operator consented to.</summary>
    public TimeSpan MaximumDataLoss { get; init; } = FailoverObjectives.Rpo;

    /// <summary>Since when the region was lost, as the operator said; null where nobody said. What a replica's lag grew by since then is no loss.</summary>
    public DateTimeOffset? LostSince { get; init; }

    /// <summary>The forecast at the beginning: the durations along the critical path.</summary>
    public TimeSpan ExpectedRto { get; init; }

    /// <summary>Whether it was a rehearsal in a sandbox.</summary>
    public bool IsRehearsal { get; init; }

    /// <summary>The steps, each after those that it waits for.</summary>
    public IReadOnlyList<InferloopFailoverStep> Steps { get; init => field = value.Indexable(); } = [];

    /// <summary>How each store of data stood when it was measured.</summary>
    public IReadOnlyList<InferloopRecoveryStore> Stores { get; init => field = value.Indexable(); } = [];

    /// <summary>What steps keep for others and for taking back: identifiers and former values, never a secret.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    /// <summary>The steps that wait for an approval, as they were given.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Approvals => Steps.Where(s => s.NeedsApproval).Select(s => s.Name).ToArray();

    /// <summary>The steps whose durations add up to the whole, in their order.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> CriticalPath => Steps.Where(s => s.IsCritical).Select(s => s.Name).ToArray();

    /// <summary>Whether the objectives were met; null where that cannot be told yet.</summary>
    [JsonIgnore]
    public bool? MetObjectives => Rto is null ? null : Rto <= RtoObjective && (Rpo is null || Rpo <= RpoObjective);

    /// <summary>The command that goes on from here; empty where nothing is left to do.</summary>
    [JsonIgnore]
    public string Next => State switch
    {
        FailoverState.Paused => $"Resume-InferloopFailover {Environment} -Stage {Stage} -Region {ToRegion} -Approve",
        FailoverState.Failed or FailoverState.Running => $"Resume-InferloopFailover {Environment} -Stage {Stage} -Region {ToRegion}",
        FailoverState.Completed when Steps.Any(s => s.State == FailoverStepState.Deferred) => $"Resume-InferloopFailover {Environment} -Stage {Stage} -Region {ToRegion}",
        FailoverState.Completed when Direction == FailoverDirection.Failover => $"Invoke-InferloopFailback {Environment} -Stage {Stage} -Region {ToRegion}",
        _ => "",
    };

    /// <summary>How it was reached, so that what follows in a pipeline goes to the same place.</summary>
    [JsonIgnore]
    public EnvironmentConnection Connection { get; init; } = new();

    /// <summary>Whether steps of it are still to be done.</summary>
    internal bool IsOpen => State is FailoverState.Running or FailoverState.Paused or FailoverState.Failed;

    /// <summary>The key's sortable part: time first, so that the newest is one query away.</summary>
    internal string SortKey => $"failover#{Started.UtcDateTime:yyyyMMdd'T'HHmmss.fffffff}#{Id}";

    /// <summary>A step by its name.</summary>
    internal InferloopFailoverStep Step(string name) => Steps.First(s => s.Name == name);

    /// <summary>Environment, direction and state in one line.</summary>
    public override string ToString() => $"{Environment} ({Stage.ToString().ToLowerInvariant()}): {Direction} {FromRegion} -> {ToRegion} {State}";
}
