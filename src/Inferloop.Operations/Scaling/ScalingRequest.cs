using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>What is to change about the scaling of one component; what is null stays.</summary>
internal sealed record ScalingRequest
{
    public required ScalingComponent Component { get; init; }

    /// <summary>Start from what this stage begins with.</summary>
    public EnvironmentStage? Preset { get; init; }

    public int? Minimum { get; init; }

    public int? Maximum { get; init; }

    public int? Desired { get; init; }

    public int? TargetCpu { get; init; }

    public int? TargetMemory { get; init; }

    public int? TargetRequests { get; init; }

    public int? TargetUtilization { get; init; }

    /// <summary>A metric of one's own in the spec's words; empty to scale by none.</summary>
    public string? TargetMetric { get; init; }

    /// <summary>Percent that the CPU alarm adds, at 90 to 95 % and above.</summary>
    public (int First, int Second)? Steps { get; init; }

    /// <summary>A time at which the bounds change; one of the same name is replaced. Bounds below zero are taken from the component's own.</summary>
    public InferloopScheduledScaling? Action { get; init; }

    /// <summary>Names of actions that go; * for all.</summary>
    public IReadOnlyList<string> RemoveActions { get; init; } = [];

    public ScalingSuspension? Suspended { get; init; }
}

/// <summary>How a scaling change is carried out.</summary>
internal sealed record ScalingOptions
{
    /// <summary>Only to show.</summary>
    public bool Preview { get; init; }

    /// <summary>Take along what else differs from the environment's template and spec.</summary>
    public bool AllowOtherChanges { get; init; }
}
