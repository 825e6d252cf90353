using Inferloop.Operations.Costs.Measuring;
using Inferloop.Operations.Costs.Pricing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>Finds ways to pay less. What each saves is the difference of two estimates on the same usage and prices.</summary>
internal static class CostAdvisor
{
    // Less is not worth a change.
    private const decimal Least = 0.01m;

    /// <summary>Recommendations for a spec, or for the environment that was made of it.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="evaluate">Turns a spec into its stacks.</param>
    /// <param name="options">Usage and prices.</param>
    /// <param name="measured">How the environment was used, with its resources; null for a spec.</param>
    /// <param name="cancellation">Ends the work early.</param>
    public static async Task<IReadOnlyList<CostRecommendation>> AdviseAsync(
        InferloopEnvironmentSpec spec, Func<InferloopEnvironmentSpec, CancellationToken, Task<EvaluatedStack>> evaluate, CostOptions options,
        (MeasuredUse Use, IReadOnlyList<DeployedResource> Resources)? measured, CancellationToken cancellation)
    {
        var now = CostEstimator.Estimate(await evaluate(spec, cancellation).ConfigureAwait(false), options);
        var same = options with { Usage = now.Usage };
        var ideas = SpecIdeas.Of(spec, now).Concat(measured is { } m ? MeasuredIdeas.Of(spec, m.Use, m.Resources) : []);
        var found = new List<CostRecommendation>();
        foreach (var idea in ideas)
        {
            var other = idea.Changes.Aggregate(spec, (s, c) => s.With(c.Member, c.Value));
            if (SpecValidator.Validate(other).Any(f => f.Severity == SpecFindingSeverity.Error))
            {
                continue;
            }

            var then = CostEstimator.Estimate(await evaluate(other, cancellation).ConfigureAwait(false), same);
            if (Saving(now, then, idea.Kind) is not { } saving || saving.Known is < Least)
            {
                continue;
            }

            var first = idea.FirstStep ?? idea.Changes;
            var arguments = string.Join(' ', first.Select(c => $"-{c.Member} {SpecIdea.Text(c.Value)}")) + (idea.Consent.Length > 0 ? " -AllowReplacement " + idea.Consent : "");
            found.Add(new CostRecommendation
            {
                Kind = idea.Kind,
                Environment = spec.Name,
                Path = idea.Path,
                Title = idea.Title,
                Evidence = idea.Evidence + saving.Note,
                Risk = idea.Risk,
                IsMeasured = idea.IsMeasured,
                MonthlySaving = saving.Known,
                Change = string.Join(", ", idea.Changes.Select(c => $"{c.Member}: {SpecIdea.Text(SpecMembers.Require(c.Member).Get(spec) ?? "")} to {SpecIdea.Text(c.Value)}")),
                Command = $"Set-InferloopEnvironment {spec.Name} -Stage {spec.Stage} {arguments}",
            });
        }

        return Order(found);
    }

    /// <summary>Recommendations for any template.</summary>
    /// <param name="stack">The evaluated template.</param>
    /// <param name="options">Usage and prices.</param>
    public static IReadOnlyList<CostRecommendation> Advise(EvaluatedStack stack, CostOptions options)
    {
        var now = CostEstimator.Estimate(stack, options);
        var same = options with { Usage = now.Usage };
        var scope = new CostScope([stack]);
        var sheet = new CostSheet(scope, now.Usage, options, options.Catalog ?? PriceCatalog.Current);
        var byPath = scope.All.ToDictionary(r => r.Path, StringComparer.Ordinal);
        var found = new List<CostRecommendation>();
        foreach (var idea in TemplateIdeas.Of(scope, sheet))
        {
            (decimal? Known, string Note)? saving = idea.Saving is { } told
                ? (told, "")
                : Saving(now, CostEstimator.Estimate(stack, same with { Instead = new Dictionary<string, MapValue> { [idea.Path] = byPath[idea.Path].Properties.With(idea.Property, idea.Value) } }), idea.Kind);
            if (saving is not { } known || known.Known is < Least)
            {
                continue;
            }

            found.Add(new CostRecommendation
            {
                Kind = idea.Kind,
                Environment = now.Environment,
                Path = idea.Path,
                Title = idea.Title,
                Evidence = idea.Evidence + known.Note,
                Risk = idea.Risk,
                MonthlySaving = known.Known,
                Change = $"{idea.Property}: {idea.Was} to {idea.Becomes}",
            });
        }

        return Order(found);
    }

    // What the change takes away or adds without a price is in neither sum: the difference would be none.
    private static (decimal? Known, string Note)? Saving(CostEstimate now, CostEstimate then, CostRecommendationKind kind)
    {
        var change = CostComparison.Compare(now, then);
        if (change.UnpricedAdded.Count == 0)
        {
            return (now.MonthlyExpected - then.MonthlyExpected, change.UnpricedRemoved.Count == 0 ? "" : $" What has no price here goes too: {string.Join(", ", change.UnpricedRemoved.Select(u => u.Name).Distinct())}.");
        }

        // Spot prices move and are in no price list; another price that is missing means that nothing can be said.
        return kind == CostRecommendationKind.Spot ? (null, " Give -SpotDiscountPercent to see the saving.") : null;
    }

    private static IReadOnlyList<CostRecommendation> Order(IEnumerable<CostRecommendation> found) =>
        [.. found.OrderByDescending(r => r.MonthlySaving ?? decimal.MinValue).ThenBy(r => r.Path, StringComparer.Ordinal).ThenBy(r => r.Title, StringComparer.Ordinal)];
}
