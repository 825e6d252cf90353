using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <summary>What is to be released, and how; what is null stays as the environment's spec has it.</summary>
internal sealed record ReleaseRequest
{
    public required string Image { get; init; }

    public ReleaseStrategy? Strategy { get; init; }

    public int? BakeMinutes { get; init; }

    public int? StepPercent { get; init; }

    public int? StepMinutes { get; init; }

    public bool? Approval { get; init; }

    public int? ApprovalMinutes { get; init; }

    public bool? Alarms { get; init; }

    /// <summary>How bad a weakness stops the release.</summary>
    public ImageSeverity Gate { get; init; } = ImageSeverity.Critical;

    /// <summary>Release it whatever its scan says, or without one.</summary>
    public bool Unscanned { get; init; }

    /// <summary>The release that this one brings back.</summary>
    public string Restores { get; init; } = "";

    /// <summary>The version to report, where the image alone does not say.</summary>
    public string? Version { get; init; }

    /// <summary>Go on watching while the release waits for approval.</summary>
    public bool ThroughApproval { get; init; }

    /// <summary>The environment's spec with this release in it.</summary>
    public InferloopEnvironmentSpec Over(InferloopEnvironmentSpec spec, ResolvedImage image)
    {
        var release = spec.Release;
        var strategy = Strategy ?? release.ReleaseStrategy;
        return spec with
        {
            Application = spec.Application with { ContainerImage = image.Image, ServiceVersion = Version ?? image.Version },
            Release = release with
            {
                ReleaseStrategy = strategy,
                ReleaseShifting = release.ReleaseShifting || strategy != ReleaseStrategy.Rolling,
                ReleaseBakeMinutes = BakeMinutes ?? release.ReleaseBakeMinutes,
                ReleaseStepPercent = StepPercent ?? release.ReleaseStepPercent,
                ReleaseStepMinutes = StepMinutes ?? release.ReleaseStepMinutes,
                ReleaseApproval = Approval ?? release.ReleaseApproval,
                ReleaseApprovalMinutes = ApprovalMinutes ?? release.ReleaseApprovalMinutes,
                ReleaseAlarms = Alarms ?? release.ReleaseAlarms,
            },
        };
    }
}
