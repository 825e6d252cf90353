using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Completion;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>Compares what two things cost a month: two estimates, a spec with what is deployed, regions, stages, standby with failed over.</summary>
[Cmdlet(VerbsData.Compare, "InferloopCostEstimate", DefaultParameterSetName = "Estimate")]
[OutputType(typeof(CostComparison))]
public sealed class CompareCostEstimateCommand : CostCmdlet
{
    /// <summary>The estimate to compare with: the one before.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Estimate")]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.CostEstimate? ReferenceEstimate { get; set; }

    /// <summary>The estimate that is compared: the one after.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipeline = true, ParameterSetName = "Estimate")]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.CostEstimate? DifferenceEstimate { get; set; }

    /// <summary>The spec.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Region")]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Stage")]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Deployed")]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "FailedOver")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>The regions to compare the spec's own with; each gives a comparison.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Region")]
    [ArgumentCompleter(typeof(RegionCompleter))]
    [ValidateNotNullOrEmpty]
    public string[]? ToRegion { get; set; }

    /// <summary>The stages whose presets to compare the spec with; each gives a comparison.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Stage")]
    [ValidateNotNullOrEmpty]
    public EnvironmentStage[]? ToStage { get; set; }

    /// <summary>Compare what is deployed under the spec's name and stage with what the spec describes.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Deployed")]
    public SwitchParameter Deployed { get; set; }

    /// <summary>Compare the spec's two regions while the second stands by with the same after a failover.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "FailedOver")]
    public SwitchParameter FailedOver { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (ReferenceEstimate is not null)
        {
            if (ReferenceEstimate.Currency != DifferenceEstimate!.Currency || ReferenceEstimate.ExchangeRate != DifferenceEstimate.ExchangeRate)
            {
                throw new OperationException(
                    "CurrenciesDiffer", OperationErrorKind.InvalidArgument, $"One estimate is in {ReferenceEstimate.Currency}, the other in {DifferenceEstimate.Currency}, or their rates differ.",
                    "Estimate both with the same -Currency and -ExchangeRate.", DifferenceEstimate.Currency);
            }

            WriteObject(CostComparison.Compare(ReferenceEstimate, DifferenceEstimate));
            return;
        }

        var options = await OptionsAsync(cancellationToken).ConfigureAwait(false);
        var stack = await StackAsync(Spec!, cancellationToken).ConfigureAwait(false);
        if (FailedOver)
        {
            if (Spec!.RecoveryRegion.Length == 0)
            {
                throw new OperationException(
                    "RecoveryRegionMissing", OperationErrorKind.InvalidArgument, $"The spec of '{Spec.Name}' has no recovery region.",
                    "Give it one: New-InferloopEnvironmentSpec -RecoveryRegion us-west-2, or $spec.With('RecoveryRegion', 'us-west-2').", Spec.Name);
            }

            var plans = Spec.Recovery.StandbyMode != StandbyMode.None;
            var standby = plans ? StandbySpecs.ForEstimate(Spec, AnyAccount) : Spec with { Region = Spec.RecoveryRegion, RecoveryRegion = Spec.Region };
            var recovery = await StackAsync(standby, cancellationToken).ConfigureAwait(false);
            var promoted = plans ? await StackAsync(standby with { Recovery = standby.Recovery with { RegionRole = RegionRole.Primary } }, cancellationToken).ConfigureAwait(false) : recovery;
            var change = Standby.Compare(stack, recovery, options, promoted);
            WriteObject(CostComparison.Compare(InCurrency(change.Before!), InCurrency(change.After!)));
            return;
        }

        var estimate = CostEstimator.Estimate(stack, options);

        // Both sides on the same usage: the difference is the thing's, not the profile's.
        var same = options with { Usage = estimate.Usage };
        if (Deployed)
        {
            var operations = await OpenAsync(Spec!.Region, cancellationToken).ConfigureAwait(false);
            var environment = await ResolveAsync(operations, Spec.Name, Spec.Stage, cancellationToken).ConfigureAwait(false);
            var before = CostEstimator.Estimate(await DeployedAsync(operations, environment, cancellationToken).ConfigureAwait(false), same);
            WriteObject(CostComparison.Compare(InCurrency(before), InCurrency(estimate)));
            return;
        }

        var others = ToRegion is not null
            ? ToRegion.Select(region => Spec! with { Region = region })
            : ToStage!.Select(stage => SpecPresets.Create(Spec!.Name, stage, Spec.Region));
        foreach (var other in others)
        {
            var after = CostEstimator.Estimate(await StackAsync(other, cancellationToken).ConfigureAwait(false), same);
            WriteObject(CostComparison.Compare(InCurrency(estimate), InCurrency(after)));
        }
    }
}
