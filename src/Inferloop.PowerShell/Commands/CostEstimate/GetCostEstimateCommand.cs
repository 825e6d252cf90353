using System.Collections;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.Templates;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>
/// Estimates what something costs a month: a spec before anything exists, an environment as it is deployed, any template,
/// or the change that a change set makes.
/// </summary>
[Cmdlet(VerbsCommon.Get, "InferloopCostEstimate", DefaultParameterSetName = "Name")]
[OutputType(typeof(Inferloop.Operations.Costs.CostEstimate), typeof(CostComparison))]
public sealed class GetCostEstimateCommand : CostCmdlet
{
    /// <summary>The name of an environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage, where environments of several stages have the name.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>A spec; nothing of it needs to exist, and AWS is not asked.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Spec")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>An environment; what is deployed is estimated.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>A change set, as New- and Set-InferloopEnvironment -WhatIf give it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "ChangeSet")]
    [ValidateNotNull]
    public InferloopChangeSet? ChangeSet { get; set; }

    /// <summary>A CloudFormation template, YAML or JSON, with nested templates beside it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Template")]
    [ValidateNotNullOrEmpty]
    public string? TemplatePath { get; set; }

    /// <summary>The parameters of the template.</summary>
    [Parameter(ParameterSetName = "Template")]
    public Hashtable? TemplateParameter { get; set; }

    /// <summary>Take the usage from the metrics that CloudWatch has of the deployed environment; what no metric tells is that of Usage. With a spec: of the environment of its name and stage.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [Parameter(ParameterSetName = "Spec")]
    public SwitchParameter MeasuredUsage { get; set; }

    /// <summary>The days before now that are measured; less where the environment is younger.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [Parameter(ParameterSetName = "Spec")]
    [ValidateRange(1, 90)]
    public int MeasuredDays { get; set; } = 14;

    /// <summary>Fail where anything that is charged has no price.</summary>
    [Parameter]
    public SwitchParameter Strict { get; set; }

    /// <summary>Show every line with its quantity, price and assumption.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (ChangeSet is not null)
        {
            WriteObject(ChangeSet.Cost ?? throw new OperationException(
                "ChangeSetUnpriced", OperationErrorKind.InvalidState, $"The change set of '{ChangeSet.Environment}' has no price: the deployed or the new state could not be priced.",
                "Estimate the spec instead: Get-InferloopCostEstimate -Spec.", ChangeSet.Environment));
            return;
        }

        var options = await OptionsAsync(cancellationToken).ConfigureAwait(false);
        if (MeasuredUsage)
        {
            options = await MeasureAsync(options, cancellationToken).ConfigureAwait(false);
        }

        var estimate = CostEstimator.Estimate(await StackAsync(cancellationToken).ConfigureAwait(false), options);
        if (Spec is { Recovery: { StandbyMode: not StandbyMode.None, RecoverySite: false }, RecoveryRegion.Length: > 0 } planned)
        {
            // What stands by is part of the price; a warm standby runs, anything less waits.
            var standby = await StackAsync(StandbySpecs.ForEstimate(planned, AnyAccount), cancellationToken).ConfigureAwait(false);
            estimate = Standby.Together(estimate, CostEstimator.Estimate(standby, options with { Usage = estimate.Usage.WithoutTraffic(), IsStandby = planned.Recovery.StandbyMode != StandbyMode.Warm }));
        }

        if (Strict && !estimate.IsComplete)
        {
            throw new OperationException(
                "EstimateIncomplete", OperationErrorKind.InvalidState,
                $"{estimate.Unpriced.Count} charged item{(estimate.Unpriced.Count == 1 ? " has" : "s have")} no price: {string.Join("; ", estimate.Unpriced.Select(u => $"{u.Path}: {u.Name} ({u.Reason.TrimEnd('.')})").Distinct())}.",
                "Add the prices to a catalog (-CatalogPath, Update-InferloopPriceCatalog), give -SpotDiscountPercent where it is Spot, or leave -Strict out.", estimate.Environment);
        }

        estimate = InCurrency(estimate);
        if (!Detailed)
        {
            WriteObject(estimate);
            return;
        }

        var shown = new PSObject(estimate);
        shown.TypeNames.Insert(0, "Inferloop.Operations.Costs.CostEstimate#Detailed");
        WriteObject(shown);
    }

    private async Task<EvaluatedStack> StackAsync(CancellationToken cancellationToken)
    {
        if (Spec is not null)
        {
            if (Region is not null && Region != Spec.Region)
            {
                throw new OperationException(
                    "RegionDiffers", OperationErrorKind.InvalidArgument, $"The spec of '{Spec.Name}' is of {Spec.Region}, and -Region says {Region}.",
                    $"Leave -Region out, or see what another region would cost: Compare-InferloopCostEstimate -Spec $spec -ToRegion {Region}.", Spec.Name);
            }

            return await StackAsync(Spec, cancellationToken).ConfigureAwait(false);
        }

        if (TemplatePath is not null)
        {
            return await TemplateAsync(TemplatePath, TemplateParameter, cancellationToken).ConfigureAwait(false);
        }

        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        return await DeployedAsync(operations, environment, cancellationToken).ConfigureAwait(false);
    }

    private async Task<(EnvironmentOperations Operations, InferloopEnvironment Environment)> FindAsync(CancellationToken cancellationToken)
    {
        if (Environment is not null)
        {
            return (await OpenAsync(Environment, cancellationToken).ConfigureAwait(false), Environment);
        }

        var operations = await OpenAsync(Spec?.Region, cancellationToken).ConfigureAwait(false);
        return (operations, await ResolveAsync(operations, Name ?? Spec!.Name, Stage ?? Spec?.Stage, cancellationToken).ConfigureAwait(false));
    }

    private async Task<CostOptions> MeasureAsync(CostOptions options, CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var use = await operations.MeasureAsync(environment, Now(), MeasuredDays, cancellationToken).ConfigureAwait(false);
        return Measured(options, environment, use);
    }
}
