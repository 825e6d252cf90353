using Inferloop.Operations.Costs.Pricing;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs;

/// <summary>Prices evaluated stacks from a catalog, without a connection.</summary>
public static class CostEstimator
{
    /// <summary>Estimates what a stack, with its nested stacks, costs a month.</summary>
    /// <param name="stack">The evaluated stack.</param>
    /// <param name="options">Usage, prices and how Spot is taken.</param>
    /// <returns>The estimate.</returns>
    /// <exception cref="OperationException">The usage is absurd, or the catalog has no prices of the region.</exception>
    public static CostEstimate Estimate(EvaluatedStack stack, CostOptions? options = null) => Estimate([stack], options);

    /// <summary>Estimates what several stacks cost a month together; quantities that AWS counts together reach its tiers together.</summary>
    /// <param name="stacks">The evaluated stacks, of one region or several.</param>
    /// <param name="options">Usage, prices and how Spot is taken.</param>
    /// <returns>The estimate.</returns>
    /// <exception cref="OperationException">The usage is absurd, or the catalog has no prices of a region.</exception>
    public static CostEstimate Estimate(IReadOnlyList<EvaluatedStack> stacks, CostOptions? options = null)
    {
        options ??= new CostOptions();
        var catalog = options.Catalog ?? PriceCatalog.Current;
        var regions = stacks.Select(s => s.Context.Region).Distinct().Order(StringComparer.Ordinal).ToList();
        foreach (var region in regions)
        {
            RequireRegion(catalog, region);
        }

        var stage = Parameter(stacks, "Stage");
        var usage = options.Usage ?? UsageProfile.ForStage(stage);
        usage.Validate();
        Within("SpotDiscountOutOfRange", "A Spot discount", options.SpotDiscountPercent, 90);
        Within("SavingsPlanOutOfRange", "A Savings Plan's discount", options.SavingsPlanDiscountPercent, 72);
        Within("SavingsPlanOutOfRange", "A Savings Plan's coverage", options.SavingsPlanCoveragePercent, 100);

        var scope = new CostScope(stacks, options.Instead) { IsStandby = options.IsStandby };
        var sheet = new CostSheet(scope, usage, options, catalog);
        foreach (var resource in scope.All)
        {
            Pricers.Price(resource, sheet);
        }

        sheet.Settle();
        var lines = sheet.Lines
            .OrderBy(l => l.Component, StringComparer.Ordinal).ThenBy(l => l.Path, StringComparer.Ordinal).ThenBy(l => l.Name, StringComparer.Ordinal).ToList();
        return new CostEstimate
        {
            Environment = Parameter(stacks, "EnvironmentName"),
            Stage = stage,
            Regions = regions,
            Usage = usage,
            MonthlyLow = lines.Sum(l => l.MonthlyLow),
            MonthlyExpected = lines.Sum(l => l.MonthlyExpected),
            MonthlyHigh = lines.Sum(l => l.MonthlyHigh),
            Lines = lines,
            Unpriced = [.. sheet.Unpriced.OrderBy(u => u.Component, StringComparer.Ordinal).ThenBy(u => u.Path, StringComparer.Ordinal).ThenBy(u => u.Name, StringComparer.Ordinal)],
            Free = sheet.Free,
            Assumptions = Assumptions(usage, options, catalog),
            Catalog = catalog.Name,
            CatalogDate = catalog.Newest,
        };
    }

    /// <summary>Evaluates a template offline, with its nested templates, and estimates it.</summary>
    /// <param name="template">The template.</param>
    /// <param name="context">Parameters, region, and where nested templates are found.</param>
    /// <param name="options">Usage, prices and how Spot is taken.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <returns>The estimate.</returns>
    /// <exception cref="TemplateException">The template cannot be evaluated.</exception>
    /// <exception cref="OperationException">The usage is absurd, or the catalog has no prices of the region.</exception>
    public static async Task<CostEstimate> EstimateAsync(
        Template template, EvaluationContext context, CostOptions? options = null, CancellationToken cancellation = default)
    {
        RequireRegion(options?.Catalog ?? PriceCatalog.Current, context.Region);
        var stack = await StackEvaluator.EvaluateAsync(template, context, cancellation).ConfigureAwait(false);
        return Estimate(stack, options);
    }

    private static void Within(string id, string what, decimal? percent, decimal most)
    {
        if (percent is { } value && (value < 0 || value > most))
        {
            throw new OperationException(
                id, OperationErrorKind.InvalidArgument, FormattableString.Invariant($"{what} of {value} percent is not between 0 and {most}."),
                "Give it in percent of the on-demand price, such as 40.", value);
        }
    }

    private static void RequireRegion(PriceCatalog catalog, string region)
    {
        if (!catalog.HasRegion(region))
        {
            throw new OperationException(
                "PriceRegionUnknown",
                OperationErrorKind.NotFound,
                $"{catalog.Name} has no prices of the region '{region}'.{Suggestion.For(region, catalog.Regions)}",
                "Use a region that it has: " + string.Join(", ", catalog.Regions) + ".",
                region);
        }
    }

    private static string? Parameter(IReadOnlyList<EvaluatedStack> stacks, string name) =>
        stacks.Select(s => s.Parameters.TryGetValue(name, out var parameter) ? parameter.Value?.AsString() : null).FirstOrDefault(v => v is not null);

    private static List<string> Assumptions(UsageProfile usage, CostOptions options, PriceCatalog catalog)
    {
        var result = new List<string>
        {
            "A month has 730 hours; everything runs all month.",
            $"Usage profile {usage.Name}; amounts are for the whole environment.",
            $"List prices on demand in US dollars before tax, from {catalog.Name} ({catalog.Oldest} to {catalog.Newest}); {(options.FreeTier ? "AWS's monthly free tier deducted" : "no free tier")}, no Reserved Instances or credits{(options.SavingsPlanDiscountPercent is null ? ", no Savings Plans" : "")}.",
        };
        result.AddRange(options.UsageNotes);
        if (options.IsStandby)
        {
            result.Add("The region stands by: its stacks and its data are there; no task, node or instance runs, and no one uses it.");
        }

        if (options.SpotDiscountPercent is { } discount)
        {
            result.Add(FormattableString.Invariant($"Spot is taken {discount:0.##} percent cheaper than on demand, as given."));
        }

        if (options.SavingsPlanDiscountPercent is { } saving)
        {
            result.Add(FormattableString.Invariant($"A Savings Plan is taken {saving:0.##} percent cheaper than on demand on {options.SavingsPlanCoveragePercent:0.##} percent of the compute, as given."));
        }

        return result;
    }
}
