using Inferloop.Operations.Costs;
using Inferloop.Templates;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>Estimates of small templates and of the shipped ones.</summary>
internal static class Costing
{
    /// <summary>Nothing used at all: what remains is what merely being there costs.</summary>
    public static UsageProfile Idle { get; } = UsageProfile.Dimensions.Aggregate(new UsageProfile { Name = "Idle" }, (p, d) => d.Set(p, 0));

    /// <summary>A profile with nothing but these amounts.</summary>
    public static UsageProfile Only(params (string Name, decimal Value)[] amounts) => Idle.With(amounts.Select(a => KeyValuePair.Create(a.Name, a.Value)));

    /// <summary>Estimates the resources of a template, given as the YAML below <c>Resources:</c>.</summary>
    public static async Task<CostEstimate> OfResourcesAsync(string yaml, UsageProfile usage, string region = "us-east-1", decimal? spotDiscount = null, DateOnly? on = null) =>
        await OfResourcesAsync(yaml, new CostOptions { Usage = usage, SpotDiscountPercent = spotDiscount, Today = on ?? new DateOnly(2026, 11, 23) }, region);

    public static async Task<CostEstimate> OfResourcesAsync(string yaml, CostOptions options, string region = "us-east-1") =>
        await CostEstimator.EstimateAsync(
            Template.Parse("Resources:\n" + yaml), StackFixture.Context(new Dictionary<string, string>(), region),
            options, TestContext.Current.CancellationToken);

    public static CostLine Line(this CostEstimate estimate, string path, string name) =>
        estimate.Lines.SingleOrDefault(l => l.Path == path && l.Name == name)
        ?? throw new Xunit.Sdk.XunitException($"No line '{name}' of {path}. There are:\n" + string.Join('\n', estimate.Lines.Select(l => $"{l.Path}: {l.Name}")));

    /// <summary>Dollars and cents.</summary>
    public static decimal Cents(decimal amount) => Math.Round(amount, 2, MidpointRounding.AwayFromZero);
}
