using System.Management.Automation;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>
/// Releases an image to where an environment's application runs: checks it, updates the environment (or the Deployment on its cluster), follows the
/// stages, and takes it back when its tasks fail or an alarm rings.
/// </summary>
[Cmdlet(VerbsData.Publish, "InferloopRelease", SupportsShouldProcess = true, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRelease), typeof(Inferloop.Operations.Environments.InferloopChangeSet))]
public sealed class PublishReleaseCommand : ReleaseCmdlet
{
    /// <summary>The image in ECR: whole, or repository:tag of the account's own registry, or :tag of the environment's own repository. A tag is resolved to its digest, and that is what runs.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Image { get; set; } = "";

    /// <summary>How it takes over: Rolling, BlueGreen, Linear or Canary. Default: as the environment's spec has it, where what is given here stays.</summary>
    [Parameter]
    public ReleaseStrategy? Strategy { get; set; }

    /// <summary>Minutes that the old tasks stay after all traffic has moved, 0 to 60.</summary>
    [Parameter]
    [ValidateRange(0, 60)]
    public int? BakeMinutes { get; set; }

    /// <summary>Share of traffic in percent that moves in each step (Linear) or first (Canary), 3 to 100.</summary>
    [Parameter]
    [ValidateRange(3, 100)]
    public int? StepPercent { get; set; }

    /// <summary>Minutes between two steps, 0 to 60.</summary>
    [Parameter]
    [ValidateRange(0, 60)]
    public int? StepMinutes { get; set; }

    /// <summary>Wait for Approve-InferloopRelease once the new tasks are healthy and answer test traffic, before others reach them. Give $false to leave out a wait that the spec asks for. As with the strategy, what is given stays in the environment's spec.</summary>
    [Parameter]
    public bool? Approval { get; set; }

    /// <summary>Minutes that it waits for approval before it is taken back, 1 to 120.</summary>
    [Parameter]
    [ValidateRange(1, 120)]
    public int? ApprovalMinutes { get; set; }

    /// <summary>Whether alarms on errors and unhealthy targets take it back.</summary>
    [Parameter]
    public bool? Alarms { get; set; }

    /// <summary>The version that the application reports. Default: the image's tag.</summary>
    [Parameter]
    [ValidatePattern("^[A-Za-z0-9._+-]{1,128}$")]
    public string? Version { get; set; }

    /// <summary>How bad a weakness in the image's scan stops the release: Critical (default), High, Medium or Low.</summary>
    [Parameter]
    public ImageSeverity BlockSeverity { get; set; } = ImageSeverity.Critical;

    /// <summary>Release it without a look at its scan.</summary>
    [Parameter]
    public SwitchParameter AllowUnscanned { get; set; }

    /// <summary>Keep watching while it waits for approval, instead of returning the paused release.</summary>
    [Parameter]
    public SwitchParameter WaitApproval { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var releases = Releases(operations, environment);
        var whatIf = await IsWhatIfAsync().ConfigureAwait(false);
        var request = new ReleaseRequest
        {
            Image = Image,
            Strategy = Strategy,
            BakeMinutes = BakeMinutes,
            StepPercent = StepPercent,
            StepMinutes = StepMinutes,
            Approval = Approval,
            ApprovalMinutes = ApprovalMinutes,
            Alarms = Alarms,
            Version = Version,
            Gate = BlockSeverity,
            Unscanned = AllowUnscanned,
            ThroughApproval = WaitApproval,
        };
        var prepared = await releases.PrepareAsync(environment, request, whatIf, cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (whatIf && prepared.Change?.ChangeSet is { } changes)
            {
                WriteObject(changes);
            }

            if (await ShouldProcessAsync($"environment {prepared.Environment}", $"Release {prepared.Release.Version} ({prepared.Release.Strategy})").ConfigureAwait(false))
            {
                WriteObject(await releases.RunAsync(prepared, !NoWait, cancellationToken).ConfigureAwait(false));
            }
        }
    }
}
