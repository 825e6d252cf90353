using System.Text.Json.Serialization;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <summary>Where a release stands.</summary>
public enum ReleaseStatus
{
    /// <summary>It is under way.</summary>
    Running,

    /// <summary>It waits for approval; the old version has all the traffic.</summary>
    Paused,

    /// <summary>It is on its way back; the old version serves.</summary>
    RollingBack,

    /// <summary>The new version serves, alone.</summary>
    Succeeded,

    /// <summary>The old version serves again.</summary>
    RolledBack,

    /// <summary>It ended, and neither of the two ways: somebody has to look.</summary>
    Failed,
}

/// <summary>Where the application runs that a release changes.</summary>
public enum ReleaseTarget
{
    /// <summary>The environment's service on ECS.</summary>
    Ecs,

    /// <summary>A Deployment on the environment's EKS cluster.</summary>
    Eks,

    /// <summary>The environment's function on Lambda.</summary>
    Lambda,
}

/// <summary>Who began a release.</summary>
public enum ReleaseOrigin
{
    /// <summary>Publish- or Undo-InferloopRelease.</summary>
    Release,

    /// <summary>Something else: the pipeline, Set-InferloopEnvironment, another tool.</summary>
    Other,
}

/// <summary>A release of the application: one image that takes over from another.</summary>
public sealed record InferloopRelease
{
    /// <summary>Its id, by which the other cmdlets find it.</summary>
    public required string Id { get; init; }

    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The environment's stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>Where the application runs: Ecs, Eks or Lambda.</summary>
    public ReleaseTarget Target { get; init; }

    /// <summary>The Deployment on the cluster, as namespace/name; empty for what does not run on EKS.</summary>
    public string Workload { get; init; } = "";

    /// <summary>The image, by its digest.</summary>
    public required string Image { get; init; }

    /// <summary>The tag by which it was asked for, or the version that the application reports.</summary>
    public string Version { get; init; } = "";

    /// <summary>The image that it takes over from.</summary>
    public string PreviousImage { get; init; } = "";

    /// <summary>How it takes over.</summary>
    public ReleaseStrategy Strategy { get; init; }

    /// <summary>Where it stands.</summary>
    public ReleaseStatus Status { get; init; }

    /// <summary>Why it stands there, in AWS's words or ours; empty while all goes well.</summary>
    public string StatusReason { get; init; } = "";

    /// <summary>What to run next, where somebody has to; otherwise empty.</summary>
    public string NextStep { get; init; } = "";

    /// <summary>The stage that ECS is at, in its words, such as BAKE_TIME; empty for rolling releases.</summary>
    public string LifecycleStage { get; init; } = "";

    /// <summary>The stages so far, as they were seen.</summary>
    public IReadOnlyList<InferloopReleaseStage> Stages { get; init => field = value.Indexable(); } = [];

    /// <summary>The revisions of the service: the new one first.</summary>
    public IReadOnlyList<InferloopReleaseRevision> Revisions { get; init => field = value.Indexable(); } = [];

    /// <summary>The alarms that take it back when they ring.</summary>
    public IReadOnlyList<InferloopReleaseAlarm> Alarms { get; init => field = value.Indexable(); } = [];

    /// <summary>Tasks of the new version that failed: the first of them, with the last lines of its log.</summary>
    public InferloopReleaseFailure? Failure { get; init; }

    /// <summary>The Batch job definition that runs the same image, where the environment has one.</summary>
    public string JobDefinition { get; init; } = "";

    /// <summary>The release that this one brings back; empty for none.</summary>
    public string Restores { get; init; } = "";

    /// <summary>Who began it.</summary>
    public string Operator { get; init; } = "";

    /// <summary>By what it began.</summary>
    public ReleaseOrigin Origin { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended; null while it is under way.</summary>
    public DateTimeOffset? Finished { get; init; }

    /// <summary>When the way back began; null where there was none.</summary>
    public DateTimeOffset? RollbackStarted { get; init; }

    /// <summary>Until when it waits for approval; null when it does not wait.</summary>
    public DateTimeOffset? ApprovalUntil { get; init; }

    /// <summary>The ARN of ECS's service deployment; empty before there is one.</summary>
    public string ServiceDeploymentArn { get; init; } = "";

    /// <summary>How long it took, or has taken so far by the clock of AWS.</summary>
    [JsonIgnore]
    public TimeSpan? Duration => Finished - Started;

    /// <summary>The share of production traffic that the new version has, in percent.</summary>
    [JsonIgnore]
    public double NewTraffic => Revisions.Where(r => r.IsNew).Select(r => r.ProductionTraffic).DefaultIfEmpty(0).First();

    /// <summary>Whether it can still go either way.</summary>
    [JsonIgnore]
    public bool IsOpen => Status is ReleaseStatus.Running or ReleaseStatus.Paused or ReleaseStatus.RollingBack;

    /// <summary>The deployment that was ECS's newest when this one began.</summary>
    [JsonInclude]
    internal string DeploymentBefore { get; init; } = "";

    /// <summary>When it was entered into the history, by this machine's clock; it orders the history.</summary>
    [JsonInclude]
    internal DateTimeOffset Recorded { get; init; }

    [JsonInclude]
    internal string PauseHookId { get; init; } = "";

    /// <summary>How the environment was reached.</summary>
    [JsonIgnore]
    public EnvironmentConnection Connection { get; init; } = new();

    /// <summary>The release in one line.</summary>
    public override string ToString() => $"{Environment} ({Stage.ToString().ToLowerInvariant()}): {(Version.Length > 0 ? Version : Image)}, {Strategy}, {Status}";
}

/// <summary>A stage of a release.</summary>
/// <param name="Name">Its name, in ECS's words.</param>
/// <param name="Seen">When it was first seen, by the clock of AWS.</param>
public sealed record InferloopReleaseStage(string Name, DateTimeOffset Seen)
{
    /// <summary>Name and time.</summary>
    public override string ToString() => $"{Name} {Seen:HH:mm:ss}";
}

/// <summary>One revision of the service in a release.</summary>
/// <param name="Arn">Its ARN.</param>
/// <param name="IsNew">Whether it is the one that is released.</param>
/// <param name="Requested">The tasks it shall have.</param>
/// <param name="Running">Those that run.</param>
/// <param name="Pending">Those that start.</param>
/// <param name="ProductionTraffic">Its share of production traffic in percent.</param>
/// <param name="TestTraffic">Its share of test traffic in percent.</param>
public sealed record InferloopReleaseRevision(string Arn, bool IsNew, int Requested, int Running, int Pending, double ProductionTraffic, double TestTraffic)
{
    /// <summary>Tasks and traffic.</summary>
    public override string ToString() => FormattableString.Invariant($"{(IsNew ? "new" : "old")}: {Running} of {Requested} tasks, {ProductionTraffic:0.#} % of traffic");
}

/// <summary>An alarm that watches a release.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rang">Whether it took the release back.</param>
public sealed record InferloopReleaseAlarm(string Name, bool Rang)
{
    /// <summary>Name, and whether it rang.</summary>
    public override string ToString() => Rang ? Name + " (rang)" : Name;
}

/// <summary>How tasks of a new version failed.</summary>
/// <param name="Reason">Why the first one stopped, in ECS's words.</param>
/// <param name="Container">The container that ended; empty where none had begun.</param>
/// <param name="ExitCode">Its exit code; null where it has none.</param>
/// <param name="Count">How many tasks failed until this was seen.</param>
/// <param name="LogLines">The last lines of the container's log.</param>
public sealed record InferloopReleaseFailure(string Reason, string Container, int? ExitCode, int Count, IReadOnlyList<string> LogLines)
{
    /// <summary>The last lines of the container's log.</summary>
    public IReadOnlyList<string> LogLines { get; init => field = value.Indexable(); } = LogLines.Indexable();

    /// <summary>Reason, exit code and the last line.</summary>
    public override string ToString() => $"{Reason}{(ExitCode is { } code ? $" (exit code {code})" : "")}{(LogLines.Count > 0 ? ": " + LogLines[^1] : "")}";
}
