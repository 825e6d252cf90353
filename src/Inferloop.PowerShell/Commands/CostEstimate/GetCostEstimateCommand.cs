using System.Collections;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
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
        var estimate = CostEstimator.Estimate(await StackAsync(cancellationToken).ConfigureAwait(false), options);
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
            return await StackAsync(Spec, cancellationToken).ConfigureAwait(false);
        }

        if (TemplatePath is not null)
        {
            var path = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(TemplatePath)).ConfigureAwait(false);
            var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (DictionaryEntry parameter in TemplateParameter ?? [])
            {
                parameters[parameter.Key.ToString()!] = parameter.Value switch { bool b => b ? "true" : "false", var v => LanguagePrimitives.ConvertTo<string>(v) };
            }

            return await StackEvaluator.EvaluateAsync(
                Template.Load(path),
                new EvaluationContext
                {
                    StackName = System.IO.Path.GetFileNameWithoutExtension(path), Region = Region ?? "us-east-1", AccountId = AnyAccount,
                    Parameters = parameters, NestedTemplates = new LocalTemplateSource(),
                },
                cancellationToken).ConfigureAwait(false);
        }

        if (Environment is not null)
        {
            return await DeployedAsync(Environment, cancellationToken).ConfigureAwait(false);
        }

        var operations = await OpenAsync(region: null, cancellationToken).ConfigureAwait(false);
        return await DeployedAsync(operations, await ResolveAsync(operations, Name!, Stage, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
    }
}
