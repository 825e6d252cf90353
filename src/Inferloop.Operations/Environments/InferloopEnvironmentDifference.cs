namespace Inferloop.Operations.Environments;

/// <summary>What a difference is about.</summary>
public enum EnvironmentDifferenceKind
{
    /// <summary>A member of the spec, which is a parameter of the templates.</summary>
    Spec,

    /// <summary>A resource that one side has and the other has not.</summary>
    Resource,

    /// <summary>A property of a resource that both have.</summary>
    Property,

    /// <summary>A version of an engine, a runtime or an image.</summary>
    Version,
}

/// <summary>One way in which two environments, or a spec and an environment, differ.</summary>
public sealed record InferloopEnvironmentDifference
{
    /// <summary>What it is about.</summary>
    public required EnvironmentDifferenceKind Kind { get; init; }

    /// <summary>The member, resource or property.</summary>
    public required string Path { get; init; }

    /// <summary>The resource type; empty for a member of the spec.</summary>
    public string Type { get; init; } = "";

    /// <summary>What the reference has; null where it has nothing.</summary>
    public string? Reference { get; init; }

    /// <summary>What the other has; null where it has nothing.</summary>
    public string? Difference { get; init; }

    /// <summary>The environment or spec that is the reference.</summary>
    public required string ReferenceName { get; init; }

    /// <summary>The environment it is compared with.</summary>
    public required string DifferenceName { get; init; }

    /// <summary>The difference in one line.</summary>
    public override string ToString() => $"{Kind} {Path}: {Reference ?? "(none)"} | {Difference ?? "(none)"}";
}
