using System.Text.Json.Serialization;

namespace Inferloop.Operations.Recovery;

/// <summary>One step of a failover.</summary>
public sealed record InferloopFailoverStep
{
    /// <summary>The name by which other steps and the parameters of cmdlets call it, such as Database.</summary>
    public required string Name { get; init; }

    /// <summary>What it does.</summary>
    public required string Title { get; init; }

    /// <summary>The region that it works in.</summary>
    public required string Region { get; init; }

    /// <summary>The steps that must be done before it.</summary>
    public IReadOnlyList<string> After { get; init => field = value.Indexable(); } = [];

    /// <summary>Where it stands.</summary>
    public FailoverStepState State { get; init; }

    /// <summary>How long it usually takes.</summary>
    public TimeSpan Expected { get; init; }

    /// <summary>When it began; null before.</summary>
    public DateTimeOffset? Started { get; init; }

    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>How long it took; null until it ended.</summary>
    [JsonIgnore]
    public TimeSpan? Duration => Finished - Started;

    /// <summary>Whether its duration is part of the whole: no shorter one without it.</summary>
    public bool IsCritical { get; init; }

    /// <summary>Whether it may be put off because it needs a region that is lost; nothing waits for it.</summary>
    public bool CanBeDeferred { get; init; }

    /// <summary>Whether it can be taken back.</summary>
    public bool CanUndo { get; init; }

    /// <summary>Whether it waits for an approval before it begins.</summary>
    public bool NeedsApproval { get; init; }

    /// <summary>Who approved it; empty where nobody had to, or has.</summary>
    public string ApprovedBy { get; init; } = "";

    /// <summary>What was done and found, for who looks later.</summary>
    public string Evidence { get; init; } = "";

    /// <summary>Why it failed or was put off.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Whether nothing more is to be done in it for the sake of what comes after.</summary>
    internal bool IsOver => State is FailoverStepState.Done or FailoverStepState.NotNeeded or FailoverStepState.Deferred;

    /// <summary>Name and state in one line.</summary>
    public override string ToString() => $"{Name}: {State}";
}
