using Inferloop.Operations.Costs;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>What a change does to the price.</summary>
public sealed class CostComparisonTests
{
    [Fact]
    public async Task A_second_nat_gateway_shows_as_what_it_adds_and_saves()
    {
        var before = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("NatGatewayMode", "Single")]));
        var after = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("NatGatewayMode", "PerAz")]));
        var comparison = CostComparison.Compare(before, after);

        // A gateway 32.85 and its address 3.65 more; the 250 GB that crossed zones, charged twice at 0.01, less.
        Assert.Equal(31.50m, Math.Round(comparison.MonthlyDelta, 10));
        Assert.Equal(comparison.MonthlyDelta, comparison.Differences.Sum(d => d.MonthlyDelta));
        Assert.Equal(comparison.MonthlyDelta, comparison.Components.Sum(d => d.MonthlyDelta));
        Assert.Equal("network", Assert.Single(comparison.Components).Component);
        var added = comparison.Differences.Single(d => d.Path == "Network/NatGateway2" && d.Name == "NAT gateway");
        Assert.Equal((0m, 730m, 0m, 32.85m), (added.QuantityBefore, added.QuantityAfter, added.MonthlyBefore, added.MonthlyAfter));
        Assert.Equal(-5m, comparison.Differences.Single(d => d.Name == "Traffic between zones to the NAT gateway").MonthlyDelta);
        Assert.True(comparison.Percent > 0);
    }

    [Fact]
    public async Task Nothing_changed_is_no_difference()
    {
        var before = CostEstimator.Estimate(await StackFixture.EvaluateAsync());
        var after = CostEstimator.Estimate(await StackFixture.EvaluateAsync());
        var comparison = CostComparison.Compare(before, after);
        Assert.Empty(comparison.Differences);
        Assert.Equal(0m, comparison.MonthlyDelta);
        Assert.Equal(0m, comparison.Percent);
        Assert.Empty(comparison.UnpricedAdded);
    }

    [Fact]
    public async Task Creating_and_removing_are_the_whole_price()
    {
        var estimate = CostEstimator.Estimate(await StackFixture.EvaluateAsync());
        Assert.Equal(estimate.MonthlyExpected, CostComparison.Compare(null, estimate).MonthlyDelta);
        Assert.Null(CostComparison.Compare(null, estimate).Percent);
        Assert.Equal(-estimate.MonthlyExpected, CostComparison.Compare(estimate, null).MonthlyDelta);
    }

    [Fact]
    public async Task What_becomes_unpriced_is_named_so_that_a_smaller_sum_does_not_deceive()
    {
        var before = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Fargate")]));
        var after = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "FargateSpot")]));
        var comparison = CostComparison.Compare(before, after);
        Assert.True(comparison.MonthlyDelta < 0);
        Assert.Equal("Fargate Spot tasks", Assert.Single(comparison.UnpricedAdded).Name);
        Assert.Empty(comparison.UnpricedRemoved);
        Assert.True(comparison.MonthlyHighDelta < comparison.MonthlyDelta);
    }
}
