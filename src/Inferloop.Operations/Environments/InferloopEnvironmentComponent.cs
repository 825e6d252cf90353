namespace Inferloop.Operations.Environments;

/// <summary>A part of an environment, and how it does.</summary>
public sealed record InferloopEnvironmentComponent
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The stack it belongs to: Network, Security, Storage, Logs, Ecs, Eks and so on.</summary>
    public required string Component { get; init; }

    /// <summary>The resource with its stack: Network/NatGateway1.</summary>
    public required string Path { get; init; }

    /// <summary>The resource type.</summary>
    public required string Type { get; init; }

    /// <summary>What it is called in AWS.</summary>
    public required string PhysicalId { get; init; }

    /// <summary>Its state, in its service's words.</summary>
    public required string Status { get; init; }

    /// <summary>What that means.</summary>
    public required EnvironmentHealth Health { get; init; }

    /// <summary>The facts that matter about it, such as running and desired tasks.</summary>
    public string Detail { get; init; } = "";

    /// <summary>The environment that it was asked for, so that what follows in a pipeline goes to the same place.</summary>
    internal InferloopEnvironment? Origin { get; init; }

    /// <summary>Path, health and detail in one line.</summary>
    public override string ToString() => $"{Path}: {Health} ({Status}{(Detail.Length > 0 ? "; " + Detail : "")})";
}
