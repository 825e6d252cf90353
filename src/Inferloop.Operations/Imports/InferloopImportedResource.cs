using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Imports;

/// <summary>How far the import of a resource is.</summary>
public enum ImportState
{
    /// <summary>It would be imported: this is a preview.</summary>
    Planned,

    /// <summary>It is the stack's now.</summary>
    Imported,

    /// <summary>It was the stack's already.</summary>
    AlreadyThere,
}

/// <summary>An existing resource that a stack takes over.</summary>
public sealed record InferloopImportedResource
{
    /// <summary>The stack.</summary>
    public required string StackName { get; init; }

    /// <summary>The stack's ARN; empty in a preview of a stack that does not exist.</summary>
    public string StackId { get; init; } = "";

    /// <summary>The region.</summary>
    public required string Region { get; init; }

    /// <summary>The name in the template.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource type.</summary>
    public required string Type { get; init; }

    /// <summary>By what it was found, such as BucketName=reports.</summary>
    public required string Identifier { get; init; }

    /// <summary>The physical id.</summary>
    public string PhysicalId { get; init; } = "";

    /// <summary>How far it is.</summary>
    public required ImportState State { get; init; }

    /// <summary>Whether it is as the template says, looked at after the import.</summary>
    public DriftStatus Drift { get; init; } = DriftStatus.NotChecked;

    /// <summary>The properties that are not as the template says.</summary>
    public IReadOnlyList<InferloopDriftProperty> Differences { get; init => field = value.Indexable(); } = [];

    /// <summary>State and resource in one line.</summary>
    public override string ToString() => $"{State} {LogicalId} ({Type}) {Identifier}";
}
