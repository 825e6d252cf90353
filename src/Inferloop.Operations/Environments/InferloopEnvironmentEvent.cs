namespace Inferloop.Operations.Environments;

/// <summary>Something that happened to one resource of an environment's stacks.</summary>
public sealed record InferloopEnvironmentEvent
{
    /// <summary>The environment's name.</summary>
    public required string Environment { get; init; }

    /// <summary>When, by AWS's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The resource, with the nested stacks that lead to it: Network/NatGateway1. The root stack's own name for itself.</summary>
    public required string Path { get; init; }

    /// <summary>The resource's logical id in its template.</summary>
    public required string LogicalId { get; init; }

    /// <summary>The resource's type, such as AWS::EC2::NatGateway.</summary>
    public required string Type { get; init; }

    /// <summary>The status it came to, such as CREATE_COMPLETE.</summary>
    public required string Status { get; init; }

    /// <summary>Why; AWS's words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The resource's physical id, once it has one.</summary>
    public string PhysicalId { get; init; } = "";

    /// <summary>The stack it belongs to.</summary>
    public required string StackId { get; init; }

    /// <summary>AWS's id of the event.</summary>
    public required string EventId { get; init; }

    /// <summary>Whether this is the failure that made the operation fail, not one that followed from it.</summary>
    public bool IsRootCause { get; init; }

    /// <summary>Whether the event tells of a failure.</summary>
    public bool IsFailure => Status.EndsWith("_FAILED", StringComparison.Ordinal);

    /// <summary>Whether the event is of a stack itself, root or nested.</summary>
    internal bool IsStack => Type == "AWS::CloudFormation::Stack" && PhysicalId == StackId;

    /// <summary>Time, status and resource in one line.</summary>
    public override string ToString() => $"{Time:HH:mm:ss} {Status} {Path}{(Reason.Length > 0 ? ": " + Reason : "")}";
}
