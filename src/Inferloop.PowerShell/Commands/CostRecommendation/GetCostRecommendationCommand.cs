using System.Collections;
using System.Management.Automation;
using Inferloop.Operations.Costs.Advice;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.CostEstimate;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.CostRecommendation;

/// <summary>Finds ways to pay less for an environment, a spec or a template, each with what it saves and the command that applies it.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopCostRecommendation", DefaultParameterSetName = "Name")]
[OutputType(typeof(Inferloop.Operations.Costs.Advice.CostRecommendation))]
public sealed class GetCostRecommendationCommand : CostCmdlet
{
    /// <summary>The name of an environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage, where environments of several stages have the name.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>An environment; its spec and how it was used are looked at.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>A spec; nothing of it needs to exist, and AWS is not asked.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Spec")]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>A CloudFormation template, YAML or JSON, with nested templates beside it.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Template")]
    [ValidateNotNullOrEmpty]
    public string? TemplatePath { get; set; }

    /// <summary>The parameters of the template.</summary>
    [Parameter(ParameterSetName = "Template")]
    public Hashtable? TemplateParameter { get; set; }

    /// <summary>Only recommendations of these kinds.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public CostRecommendationKind[]? Kind { get; set; }

    /// <summary>Only what saves at least this much a month, in US dollars.</summary>
    [Parameter]
    [ValidateRange(0, 1_000_000_000)]
    public decimal MinimumSaving { get; set; }

    /// <summary>The days before now that are measured; less where the environment is younger.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [ValidateRange(1, 90)]
    public int MeasuredDays { get; set; } = 14;

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var recommendation in await FindAsync(cancellationToken).ConfigureAwait(false))
        {
            if (Kind?.Contains(recommendation.Kind) != false && (MinimumSaving == 0 || recommendation.MonthlySaving >= MinimumSaving))
            {
                WriteObject(InCurrency(recommendation));
            }
        }
    }

    private async Task<IReadOnlyList<Inferloop.Operations.Costs.Advice.CostRecommendation>> FindAsync(CancellationToken cancellationToken)
    {
        var options = await OptionsAsync(cancellationToken).ConfigureAwait(false);
        if (TemplatePath is not null)
        {
            return CostAdvisor.Advise(await TemplateAsync(TemplatePath, TemplateParameter, cancellationToken).ConfigureAwait(false), options);
        }

        if (Spec is not null)
        {
            return await CostAdvisor.AdviseAsync(Spec, StackAsync, options, measured: null, cancellationToken).ConfigureAwait(false);
        }

        var operations = Environment is not null ? await OpenAsync(Environment, cancellationToken).ConfigureAwait(false) : await OpenAsync(region: null, cancellationToken).ConfigureAwait(false);
        var environment = Environment ?? await ResolveAsync(operations, Name!, Stage, cancellationToken).ConfigureAwait(false);
        var use = await operations.MeasureAsync(environment, Now(), MeasuredDays, cancellationToken).ConfigureAwait(false);
        var resources = await operations.ResourcesAsync(environment.StackId, cancellationToken).ConfigureAwait(false);
        return await CostAdvisor.AdviseAsync(environment.Spec, StackAsync, Measured(options, environment, use), (use, resources), cancellationToken).ConfigureAwait(false);
    }

    private Inferloop.Operations.Costs.Advice.CostRecommendation InCurrency(Inferloop.Operations.Costs.Advice.CostRecommendation recommendation) =>
        Currency is null ? recommendation : recommendation with { MonthlySaving = recommendation.MonthlySaving * ExchangeRate };
}
