using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.PowerShell.Commands.EnvironmentSpec;
using Inferloop.Templates;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>
/// Estimates what something costs a month: a spec before anything exists, an environment as it is deployed, any template,
/// or the change that a change set makes.
/// </summary>
[Cmdlet(VerbsCommon.Get, "InferloopCostEstimate", DefaultParameterSetName = "Name")]
[OutputType(typeof(Inferloop.Operations.Costs.CostEstimate), typeof(CostComparison))]
public sealed class GetCostEstimateCommand : EnvironmentCmdlet
{
    // Offline no account is asked; prices do not depend on it.
    private const string AnyAccount = "123456789012";

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

    /// <summary>What is used a month: S, M or L; a hashtable of amounts; or a YAML, JSON or psd1 file of amounts. Default: what fits the stage.</summary>
    [Parameter]
    [ValidateNotNull]
    public object? Usage { get; set; }

    /// <summary>Percent by which Spot is taken to be cheaper than on demand. Without it Spot capacity is unpriced.</summary>
    [Parameter]
    [ValidateRange(0, 90)]
    public decimal? SpotDiscountPercent { get; set; }

    /// <summary>Percent by which a Savings Plan for compute is cheaper than on demand.</summary>
    [Parameter]
    [ValidateRange(0, 72)]
    public decimal? SavingsPlanDiscountPercent { get; set; }

    /// <summary>Percent of the compute that the Savings Plan covers; 100 by default.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public decimal SavingsPlanCoveragePercent { get; set; } = 100;

    /// <summary>Deduct what AWS gives every account each month without end.</summary>
    [Parameter]
    public SwitchParameter FreeTier { get; set; }

    /// <summary>The currency of the amounts, such as EUR; ExchangeRate says what a US dollar costs in it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Currency { get; set; }

    /// <summary>What one US dollar costs in Currency.</summary>
    [Parameter]
    public decimal? ExchangeRate { get; set; }

    /// <summary>Fail where anything that is charged has no price.</summary>
    [Parameter]
    public SwitchParameter Strict { get; set; }

    /// <summary>A price catalog (CSV) instead of the one that ships with the module.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CatalogPath { get; set; }

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

        if (Currency is null != ExchangeRate is null)
        {
            throw new OperationException(
                "CurrencyIncomplete", OperationErrorKind.InvalidArgument, "A currency and an exchange rate belong together.",
                "Give both, such as -Currency EUR -ExchangeRate 0.92.", Currency ?? (object?)ExchangeRate);
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

        if (Currency is not null)
        {
            estimate = estimate.In(Currency, ExchangeRate!.Value);
        }

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
            var partition = RegionFacts.Default.Find(Spec.Region)?.Partition ?? "aws";
            return (await EnvironmentPlan.MakeAsync(Spec, AnyAccount, partition, new EnvironmentOptions(), cancellationToken).ConfigureAwait(false)).Evaluated;
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

        var operations = Environment is not null
            ? await OpenAsync(Environment, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(region: null, cancellationToken).ConfigureAwait(false);
        var environment = Environment ?? await ResolveAsync(operations, Name!, Stage, cancellationToken).ConfigureAwait(false);
        return await operations.DeployedAsync(environment.StackId, cancellationToken).ConfigureAwait(false)
            ?? throw new OperationException(
                "EnvironmentUnpriced", OperationErrorKind.InvalidState, $"The deployed templates of '{environment.Name}' cannot be evaluated.",
                "Estimate its spec instead: (Get-InferloopEnvironment).Spec | Get-InferloopCostEstimate.", environment.Name);
    }

    private async Task<CostOptions> OptionsAsync(CancellationToken cancellationToken)
    {
        var options = new CostOptions
        {
            SpotDiscountPercent = SpotDiscountPercent,
            SavingsPlanDiscountPercent = SavingsPlanDiscountPercent,
            SavingsPlanCoveragePercent = SavingsPlanCoveragePercent,
            FreeTier = FreeTier,
        };
        if (CatalogPath is not null)
        {
            var path = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(CatalogPath)).ConfigureAwait(false);
            using var reader = new StreamReader(path);
            options = options with { Catalog = PriceCatalog.Read(reader, System.IO.Path.GetFileName(path)) };
        }

        var given = Usage is PSObject wrapped ? wrapped.BaseObject : Usage;
        return given switch
        {
            null => options,
            UsageProfile profile => options with { Usage = profile },
            IDictionary amounts => options with { Usage = UsageProfile.Medium.With(Amounts(amounts)) },
            string text when SpecFile.FormatOf(text) is not null => options with { Usage = await ReadUsageAsync(text, cancellationToken).ConfigureAwait(false) },
            _ => options with { Usage = UsageProfile.Preset(given.ToString()!) },
        };
    }

    private async Task<UsageProfile> ReadUsageAsync(string file, CancellationToken cancellationToken)
    {
        var path = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(file)).ConfigureAwait(false);
        var text = await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false);
        try
        {
            var node = SpecFile.FormatOf(path) == SpecFormat.Psd1 ? DataFileParser.Parse(text) : SpecFile.ParseYaml(text);
            if (node is not SpecMap map)
            {
                throw new SpecSyntaxException("a usage file is a map of amounts", node.Position);
            }

            var amounts = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            foreach (var entry in map.Entries)
            {
                amounts[entry.Key] = (entry.Value as SpecScalar)?.Value;
            }

            var preset = amounts.Remove("preset", out var name) ? UsageProfile.Preset(name?.ToString() ?? "") : UsageProfile.Medium;
            return preset.With(Amounts(amounts));
        }
        catch (SpecSyntaxException e)
        {
            throw new OperationException(
                "UsageFileSyntax", OperationErrorKind.InvalidArgument, $"{System.IO.Path.GetFileName(path)}({e.Position.Line},{e.Position.Column}): {e.Message}", "Correct the syntax at that place.", path, e);
        }
    }

    private static List<KeyValuePair<string, decimal>> Amounts(IDictionary given)
    {
        var amounts = new List<KeyValuePair<string, decimal>>();
        foreach (DictionaryEntry entry in given)
        {
            var name = entry.Key.ToString()!;
            if (!decimal.TryParse(Convert.ToString(entry.Value, CultureInfo.InvariantCulture), NumberStyles.Float, CultureInfo.InvariantCulture, out var amount))
            {
                throw new OperationException("UsageNotANumber", OperationErrorKind.InvalidArgument, $"The amount of '{name}' is not a number: '{entry.Value}'.", "Give a number.", name);
            }

            amounts.Add(new(name, amount));
        }

        return amounts;
    }
}
