namespace Inferloop.Operations.Environments;

/// <summary>What an operation on an environment does.</summary>
public enum OperationKind
{
    /// <summary>Makes the environment.</summary>
    Create,

    /// <summary>Changes it.</summary>
    Update,

    /// <summary>Removes it.</summary>
    Delete,

    /// <summary>Makes, restores or tests its backups.</summary>
    Backup,

    /// <summary>Moves it to its other region.</summary>
    Failover,
}

/// <summary>Where an operation stands.</summary>
public enum OperationState
{
    /// <summary>A process works on it, or did until it died.</summary>
    Running,

    /// <summary>AWS works on it; no process of ours watches.</summary>
    Detached,

    /// <summary>Done.</summary>
    Completed,

    /// <summary>Ended with an error.</summary>
    Failed,

    /// <summary>Called off before AWS began.</summary>
    Cancelled,
}

/// <summary>One step of an operation.</summary>
internal sealed record OperationStep(string Name, DateTimeOffset Started, DateTimeOffset? Finished);

/// <summary>
/// One entry of the journal: what an operation was asked to do and how far it came, so that whoever comes next, on
/// whatever machine, can go on or clear up.
/// </summary>
internal sealed record OperationRecord
{
    public required string Environment { get; init; }

    public required string OperationId { get; init; }

    public required OperationKind Kind { get; init; }

    public OperationState State { get; init; } = OperationState.Running;

    public required string Owner { get; init; }

    public required DateTimeOffset Started { get; init; }

    public DateTimeOffset? Finished { get; init; }

    /// <summary>A hash over what was asked: templates, parameters, tags. The same hash means the same wish.</summary>
    public string InputHash { get; init; } = "";

    public string? StackId { get; init; }

    public string? Reason { get; init; }

    /// <summary>Stack policies as they were before this operation lifted them, by stack: whoever closes this entry puts them back.</summary>
    public IReadOnlyDictionary<string, string> LiftedPolicies { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<OperationStep> Steps { get; init; } = [];

    public bool IsOpen => State is OperationState.Running or OperationState.Detached;

    /// <summary>The key's sortable part: time first, so that the newest entry is one query away.</summary>
    public string SortKey => $"operation#{Started.UtcDateTime:yyyyMMdd'T'HHmmss.fffffff}#{OperationId}";

    /// <summary>The record after a step began; the one before it thereby ended.</summary>
    public OperationRecord Begin(string step, DateTimeOffset now) => this with { Steps = [.. Closed(now), new OperationStep(step, now, null)] };

    public OperationRecord End(OperationState state, DateTimeOffset now, string? reason = null) =>
        this with { State = state, Finished = state == OperationState.Detached ? null : now, Reason = reason, Steps = [.. Closed(now)] };

    private IEnumerable<OperationStep> Closed(DateTimeOffset now) => Steps.Select(s => s.Finished is null ? s with { Finished = now } : s);
}

/// <summary>Who holds an environment.</summary>
internal sealed record LockHolder(OperatorIdentity Operator, string OperationId, OperationKind Kind, DateTimeOffset Since, DateTimeOffset LeaseUntil);
