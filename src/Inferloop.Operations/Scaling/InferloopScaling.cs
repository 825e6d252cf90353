using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>What of an environment has a capacity of its own.</summary>
public enum ScalingComponent
{
    /// <summary>Tasks of the ECS service.</summary>
    Ecs,

    /// <summary>Container instances of the ECS cluster.</summary>
    EcsInstances,

    /// <summary>Nodes of the EKS cluster.</summary>
    EksNodes,

    /// <summary>vCPUs of each Batch compute environment.</summary>
    Batch,

    /// <summary>Calls of the Lambda function at once.</summary>
    LambdaReserved,

    /// <summary>Calls that the Lambda function is kept ready for.</summary>
    LambdaProvisioned,

    /// <summary>Read units of the DynamoDB table and of its index.</summary>
    TableRead,

    /// <summary>Write units of the DynamoDB table and of its index.</summary>
    TableWrite,

    /// <summary>Nodes of the cache: a primary and its replicas.</summary>
    Cache,

    /// <summary>Storage of the database.</summary>
    DatabaseStorage,

    /// <summary>Read replicas of the database.</summary>
    DatabaseReplicas,
}

/// <summary>How one part of an environment scales: its bounds, where it stands, what moves it, and what may.</summary>
public sealed record InferloopScaling
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The environment's stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>What scales.</summary>
    public required ScalingComponent Component { get; init; }

    /// <summary>The resource with its stack, such as Ecs/Service.</summary>
    public required string Path { get; init; }

    /// <summary>What it is called in AWS.</summary>
    public required string PhysicalId { get; init; }

    /// <summary>What is counted: tasks, nodes, vCPUs, calls, read units, GiB and so on.</summary>
    public required string Unit { get; init; }

    /// <summary>The fewest that scaling leaves, by now; null where there is no such bound.</summary>
    public int? Minimum { get; init; }

    /// <summary>The most that scaling makes, by now; null where there is no such bound.</summary>
    public int? Maximum { get; init; }

    /// <summary>How many are asked for now.</summary>
    public int? Desired { get; init; }

    /// <summary>How many are there now.</summary>
    public int? Running { get; init; }

    /// <summary>What scaling holds at a target.</summary>
    public IReadOnlyList<InferloopScalingTarget> Targets { get; init => field = value.Indexable(); } = [];

    /// <summary>What is added at once when an alarm fires.</summary>
    public IReadOnlyList<InferloopScalingStep> Steps { get; init => field = value.Indexable(); } = [];

    /// <summary>Times at which the bounds change.</summary>
    public IReadOnlyList<InferloopScheduledScaling> Schedule { get; init => field = value.Indexable(); } = [];

    /// <summary>What of it rests.</summary>
    public ScalingSuspension Suspended { get; init; }

    /// <summary>What changed the capacity last, newest first.</summary>
    public IReadOnlyList<InferloopScalingActivity> Activities { get; init => field = value.Indexable(); } = [];

    /// <summary>The members of the environment's spec that govern it, with what they say.</summary>
    public IReadOnlyDictionary<string, object> SpecMembers { get; init; } = new Dictionary<string, object>();

    /// <summary>The environment it is of.</summary>
    internal InferloopEnvironment? Origin { get; init; }

    /// <summary>The bounds and the present in one line.</summary>
    public override string ToString() => $"{Environment} {Component}: {Running ?? Desired} {Unit}{(Minimum is null && Maximum is null ? "" : $" ({Minimum?.ToString() ?? "-"} to {Maximum?.ToString() ?? "-"})")}{(Suspended == ScalingSuspension.None ? "" : $", {Suspended} suspended")}";
}

/// <summary>A metric that scaling holds at a value.</summary>
public sealed record InferloopScalingTarget
{
    /// <summary>The metric: Cpu, Memory, Requests, Utilization or the name of one's own.</summary>
    public required string Metric { get; init; }

    /// <summary>The value.</summary>
    public required double Target { get; init; }

    /// <summary>What the value counts.</summary>
    public string Unit { get; init; } = "";

    /// <summary>The name of the policy.</summary>
    public string Policy { get; init; } = "";

    /// <summary>How long nothing is added after something was.</summary>
    public TimeSpan? ScaleOutCooldown { get; init; }

    /// <summary>How long nothing is taken away after something was.</summary>
    public TimeSpan? ScaleInCooldown { get; init; }

    /// <summary>Metric and value.</summary>
    public override string ToString() => FormattableString.Invariant($"{Metric} {Target:0.##}{(Unit == "%" ? " %" : Unit.Length > 0 ? " " + Unit : "")}");
}

/// <summary>What is added at once when an alarm fires.</summary>
public sealed record InferloopScalingStep
{
    /// <summary>The alarm that asks for it.</summary>
    public required string Alarm { get; init; }

    /// <summary>From this value of the alarm's metric on.</summary>
    public double? From { get; init; }

    /// <summary>Up to this value; null for any greater.</summary>
    public double? To { get; init; }

    /// <summary>How many percent of what is there are added.</summary>
    public required int Percent { get; init; }

    /// <summary>The step in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"+{Percent} % from {From:0.##}{(To is { } to ? $" to {to:0.##}" : " on")} ({Alarm})");
}

/// <summary>A time at which the bounds of scaling change.</summary>
public sealed record InferloopScheduledScaling
{
    /// <summary>The name of the action.</summary>
    public required string Name { get; init; }

    /// <summary>When: cron(minute hour day month weekday year), rate(...) or at(...).</summary>
    public required string Schedule { get; init; }

    /// <summary>The time zone of the schedule, by its name of the IANA list.</summary>
    public string TimeZone { get; init; } = "Etc/UTC";

    /// <summary>The fewest from then on.</summary>
    public required int Minimum { get; init; }

    /// <summary>The most from then on.</summary>
    public required int Maximum { get; init; }

    /// <summary>The next times, in the schedule's zone.</summary>
    public IReadOnlyList<DateTimeOffset> Next { get; init => field = value.Indexable(); } = [];

    /// <summary>The action in one line.</summary>
    public override string ToString() => $"{Name}: {Minimum} to {Maximum} at {Schedule} {TimeZone}{(Next.Count > 0 ? FormattableString.Invariant($", next {Next[0]:yyyy-MM-dd HH:mm}") : "")}";
}

/// <summary>A change of a capacity that scaling made or tried.</summary>
/// <param name="Time">When.</param>
/// <param name="Description">What.</param>
/// <param name="Cause">Why.</param>
/// <param name="Status">What came of it.</param>
public sealed record InferloopScalingActivity(DateTimeOffset Time, string Description, string Cause, string Status)
{
    /// <summary>The activity in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"{Time:yyyy-MM-dd HH:mm:ss} {Status}: {Description} ({Cause})");
}
