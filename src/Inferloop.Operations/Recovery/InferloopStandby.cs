using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>What stands by for an environment in its recovery region.</summary>
public sealed record InferloopStandby
{
    /// <summary>The environment's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region that carries it.</summary>
    public required string PrimaryRegion { get; init; }

    /// <summary>The region that stands by.</summary>
    public required string Region { get; init; }

    /// <summary>What stands by there.</summary>
    public required StandbyMode Mode { get; init; }

    /// <summary>Whether that region still stands by, or carries the environment since a failover.</summary>
    public required RegionRole Role { get; init; }

    /// <summary>The status of its root stack, in CloudFormation's words.</summary>
    public required string Status { get; init; }

    /// <summary>What is replicated, and how that stands.</summary>
    public IReadOnlyList<InferloopReplica> Replicas { get; init => field = value.Indexable(); } = [];

    /// <summary>The standby as an environment of its own.</summary>
    public required InferloopEnvironment Environment { get; init; }

    /// <summary>Whether every replica follows.</summary>
    public bool IsComplete => Replicas.All(r => r.IsReady);

    /// <summary>Mode, place and state in one line.</summary>
    public override string ToString() => $"{Name} ({Stage.ToString().ToLowerInvariant()}): {Mode} in {Region}, {Status}{(IsComplete ? "" : ", not complete")}";
}

/// <summary>One store, and its replica in the other region.</summary>
/// <param name="Store">Database, Table, Bucket, Secret, Key or Backup.</param>
/// <param name="Name">What it is in the recovery region.</param>
/// <param name="Status">How the service calls its state.</param>
/// <param name="IsReady">Whether it follows.</param>
public sealed record InferloopReplica(string Store, string Name, string Status, bool IsReady)
{
    /// <summary>Store, name and state.</summary>
    public override string ToString() => $"{Store} {Name}: {Status}";
}

/// <summary>What the removal of a standby left.</summary>
/// <param name="Name">The environment's name.</param>
/// <param name="Region">Where it stood by.</param>
/// <param name="Removed">What became of its stack.</param>
public sealed record InferloopRemovedStandby(string Name, string Region, InferloopRemovedEnvironment Removed)
{
    /// <summary>Name and region.</summary>
    public override string ToString() => $"{Name}: nothing stands by in {Region} any more";
}
