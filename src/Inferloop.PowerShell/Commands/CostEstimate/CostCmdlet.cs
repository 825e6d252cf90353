using System.Collections;
using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Measuring;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.PowerShell.Commands.EnvironmentSpec;
using Inferloop.Templates;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>The base of the cmdlets that estimate: on what usage and prices, and of what.</summary>
public abstract class CostCmdlet : EnvironmentCmdlet
{
    // Offline no account is asked; prices do not depend on it.
    private protected const string AnyAccount = "123456789012";

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

    /// <summary>A price catalog (CSV) instead of the current one.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? CatalogPath { get; set; }

    /// <summary>The stacks that a spec describes.</summary>
    private protected static async Task<EvaluatedStack> StackAsync(InferloopEnvironmentSpec spec, CancellationToken cancellationToken)
    {
        var partition = RegionFacts.Default.Find(spec.Region)?.Partition ?? "aws";
        return (await EnvironmentPlan.MakeAsync(spec, AnyAccount, partition, new EnvironmentOptions(), cancellationToken).ConfigureAwait(false)).Evaluated;
    }

    /// <summary>The stacks of an environment as they are deployed.</summary>
    private protected async Task<EvaluatedStack> DeployedAsync(InferloopEnvironment environment, CancellationToken cancellationToken) =>
        await DeployedAsync(await OpenAsync(environment, cancellationToken).ConfigureAwait(false), environment, cancellationToken).ConfigureAwait(false);

    /// <summary>The stacks of an environment as they are deployed.</summary>
    private protected static async Task<EvaluatedStack> DeployedAsync(EnvironmentOperations operations, InferloopEnvironment environment, CancellationToken cancellationToken) =>
        await operations.DeployedAsync(environment.StackId, cancellationToken).ConfigureAwait(false)
            ?? throw new OperationException(
                "EnvironmentUnpriced", OperationErrorKind.InvalidState, $"The deployed templates of '{environment.Name}' cannot be evaluated.",
                "Estimate its spec instead: (Get-InferloopEnvironment).Spec | Get-InferloopCostEstimate.", environment.Name);

    /// <summary>The stacks of a template, with nested templates beside it.</summary>
    private protected async Task<EvaluatedStack> TemplateAsync(string file, Hashtable? given, CancellationToken cancellationToken)
    {
        var path = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(file)).ConfigureAwait(false);
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry parameter in given ?? [])
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

    /// <summary>The estimate in the currency that was asked for.</summary>
    private protected Inferloop.Operations.Costs.CostEstimate InCurrency(Inferloop.Operations.Costs.CostEstimate estimate) =>
        Currency is null ? estimate : estimate.In(Currency, ExchangeRate!.Value);

    /// <summary>The options that the parameters give.</summary>
    private protected virtual async Task<CostOptions> OptionsAsync(CancellationToken cancellationToken)
    {
        if (Currency is null != ExchangeRate is null)
        {
            throw new OperationException(
                "CurrencyIncomplete", OperationErrorKind.InvalidArgument, "A currency and an exchange rate belong together.",
                "Give both, such as -Currency EUR -ExchangeRate 0.92.", Currency ?? (object?)ExchangeRate);
        }

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
            options = options with { Catalog = Inferloop.Operations.Costs.PriceCatalog.Load(path) };
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

    /// <summary>The options with what was measured, over what was given or fits the stage.</summary>
    private protected static CostOptions Measured(CostOptions options, InferloopEnvironment environment, MeasuredUse use)
    {
        var rest = options.Usage ?? UsageProfile.ForStage(environment.Stage.ToString());
        return options with { Usage = use.Over(rest), UsageNotes = use.Notes(rest) };
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
