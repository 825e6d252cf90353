using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Environments;

/// <summary>How an environment does, as far as its own parts tell; from good to bad.</summary>
public enum EnvironmentHealth
{
    /// <summary>Not looked at, or nothing to look at.</summary>
    Unknown,

    /// <summary>All tasks run and answer.</summary>
    Healthy,

    /// <summary>It, or a part of it, is on its way to another state.</summary>
    Changing,

    /// <summary>It serves, with less than it should have.</summary>
    Degraded,

    /// <summary>It does not serve.</summary>
    Unhealthy,
}

/// <summary>An environment as it is in AWS.</summary>
public sealed record InferloopEnvironment
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>Dev, Staging or Prod.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region it is in.</summary>
    public required string Region { get; init; }

    /// <summary>The root stack's status, in CloudFormation's words.</summary>
    public required string Status { get; init; }

    /// <summary>CloudFormation's reason for the status, where it gives one.</summary>
    public string StatusReason { get; init; } = "";

    /// <summary>How it does.</summary>
    public EnvironmentHealth Health { get; init; }

    /// <summary>Where it answers, such as http://demo-dev-alb-1.us-east-1.elb.amazonaws.com; empty before it has a load balancer.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>The spec behind the stack's parameters.</summary>
    public required InferloopEnvironmentSpec Spec { get; init; }

    /// <summary>The root stack's name.</summary>
    public required string StackName { get; init; }

    /// <summary>The root stack's ARN.</summary>
    public required string StackId { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>When it was last updated; null for never.</summary>
    public DateTimeOffset? Updated { get; init; }

    /// <summary>Whether AWS refuses to delete the stack.</summary>
    public bool TerminationProtection { get; init; }

    /// <summary>The root stack's outputs.</summary>
    public IReadOnlyDictionary<string, string> Outputs { get; init; } = new Dictionary<string, string>();

    /// <summary>The account it is in.</summary>
    public string AccountId { get; init; } = "";

    /// <summary>How it was reached, so that what follows in a pipeline goes to the same place.</summary>
    public EnvironmentConnection Connection { get; init; } = new();

    /// <summary>Name, stage, region and status in one line.</summary>
    public override string ToString() => $"{Name} ({Stage.ToString().ToLowerInvariant()}, {Region}): {Status}";
}

/// <summary>How an environment was reached. It holds no secret.</summary>
public sealed record EnvironmentConnection
{
    /// <summary>The region.</summary>
    public string Region { get; init; } = "";

    /// <summary>The profile, if one was named.</summary>
    public string? ProfileName { get; init; }

    /// <summary>The endpoint, if it is not AWS's own.</summary>
    public string? EndpointUrl { get; init; }

    /// <summary>The session that was used; a following cmdlet goes on with it.</summary>
    internal object? Session { get; init; }

    /// <summary>Endpoint or profile, and region.</summary>
    public override string ToString() => $"{EndpointUrl ?? ProfileName ?? "AWS"} ({Region})";
}

/// <summary>What the removal of an environment left.</summary>
public sealed record InferloopRemovedEnvironment
{
    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>The stage.</summary>
    public required EnvironmentStage Stage { get; init; }

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>How many resources were deleted.</summary>
    public required int Deleted { get; init; }

    /// <summary>What still exists, on purpose.</summary>
    public required IReadOnlyList<InferloopRetainedResource> Retained { get; init => field = value.Indexable(); }

    /// <summary>How long it took.</summary>
    public required TimeSpan Duration { get; init; }
}

/// <summary>A resource that outlives its environment.</summary>
/// <param name="Path">Where it stood in the stacks.</param>
/// <param name="Type">Its type.</param>
/// <param name="PhysicalId">What it is called in AWS.</param>
public sealed record InferloopRetainedResource(string Path, string Type, string PhysicalId)
{
    /// <summary>Type and name.</summary>
    public override string ToString() => $"{PhysicalId} ({Type})";
}
