using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Recovery;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>Moves an environment to its recovery region: as a planned switch without a loss, or because its region is lost.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "InferloopFailover", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopFailover), typeof(InferloopFailoverStep))]
public sealed class InvokeFailoverCommand : FailoverCmdlet
{
    /// <summary>Graceful: writers are stopped first and everything they wrote arrives. Ungraceful: the region is lost, and is not called on the way. Default Graceful.</summary>
    [Parameter]
    public FailoverMode Mode { get; set; }

    /// <summary>How much of the newest data may be lost; more than the objective of one hour is a consent. Default one hour.</summary>
    [Parameter]
    public TimeSpan? MaximumDataLoss { get; set; }

    /// <summary>With -Mode Ungraceful: since when the region is lost, where that is known. What a replica's lag grew by since then is no loss.</summary>
    [Parameter]
    public DateTimeOffset? LostSince { get; set; }

    /// <summary>Steps before which it pauses until Resume-InferloopFailover -Approve, such as Database or Dns.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[] ApproveStep { get; set; } = [];

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, standby) = await FindAsync(cancellationToken).ConfigureAwait(false);
        if (MaximumDataLoss < TimeSpan.Zero)
        {
            throw new OperationException("FailoverDataLoss", OperationErrorKind.InvalidArgument, $"{MaximumDataLoss} is less than nothing.", "Give the age of the newest data that may be lost, such as 02:00:00.", standby.Name);
        }

        var options = new FailoverOptions { Mode = Mode, MaximumDataLoss = MaximumDataLoss, Approvals = ApproveStep, LostSince = LostSince };
        if (await IsWhatIfAsync().ConfigureAwait(false))
        {
            WriteObject(await operations.PlanAsync(standby, options, cancellationToken).ConfigureAwait(false), enumerateCollection: true);
        }
        else
        {
            await operations.RefuseUnfitAsync(standby, options, cancellationToken).ConfigureAwait(false);
        }

        var losing = Mode == FailoverMode.Graceful ? "without a loss of data" : string.Create(CultureInfo.InvariantCulture, $"without {standby.Spec.RecoveryRegion}, losing up to {MaximumDataLoss ?? TimeSpan.FromHours(1):hh\\:mm\\:ss} of data");
        if (await ShouldProcessAsync($"environment {standby.Name} ({standby.Stage.ToString().ToLowerInvariant()}), {standby.Spec.RecoveryRegion} -> {standby.Region}", $"Fail over {losing}").ConfigureAwait(false))
        {
            WriteObject(await operations.InvokeAsync(standby, options, cancellationToken).ConfigureAwait(false));
        }
    }
}
