namespace Inferloop.Operations.Environments;

/// <summary>Whether a resource is as its template says.</summary>
public enum DriftStatus
{
    /// <summary>It is.</summary>
    InSync,

    /// <summary>Properties were changed by another hand.</summary>
    Modified,

    /// <summary>It was deleted by another hand.</summary>
    Deleted,

    /// <summary>CloudFormation cannot check this type, or was not asked yet.</summary>
    NotChecked,
}

/// <summary>How a property differs.</summary>
public enum DriftDifference
{
    /// <summary>The value is another one.</summary>
    NotEqual,

    /// <summary>It is there and the template has it not.</summary>
    Added,

    /// <summary>The template has it and it is gone.</summary>
    Removed,
}

/// <summary>One property that is not as the template says.</summary>
/// <param name="Path">The property, such as Tags.0.Value.</param>
/// <param name="Expected">What the template says; null where it says nothing.</param>
/// <param name="Actual">What is there; null where nothing is.</param>
/// <param name="Difference">How they differ.</param>
public sealed record InferloopDriftProperty(string Path, string? Expected, string? Actual, DriftDifference Difference)
{
    /// <summary>The difference in one line.</summary>
    public override string ToString() => $"{Path}: {Expected ?? "(none)"} -> {Actual ?? "(none)"}";
}

/// <summary>A resource of an environment beside what its template says.</summary>
public sealed record InferloopDrift
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>The resource, with the nested stacks that lead to it.</summary>
    public required string Path { get; init; }

    /// <summary>The logical id in its template.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource type.</summary>
    public required string Type { get; init; }

    /// <summary>The physical id.</summary>
    public string PhysicalId { get; init; } = "";

    /// <summary>Whether it is as its template says.</summary>
    public required DriftStatus Status { get; init; }

    /// <summary>The properties that differ.</summary>
    public IReadOnlyList<InferloopDriftProperty> Properties { get; init => field = value.Indexable(); } = [];

    /// <summary>Properties that scaling moved within the bounds of the spec: they are as they should be, and no drift.</summary>
    public IReadOnlyList<InferloopDriftProperty> Scaled { get; init => field = value.Indexable(); } = [];

    /// <summary>When it was looked at.</summary>
    public DateTimeOffset? Checked { get; init; }

    /// <summary>The stack that holds it.</summary>
    public required string StackId { get; init; }

    /// <summary>Status and resource in one line.</summary>
    public override string ToString() => $"{Status} {Path} ({Type})";
}
