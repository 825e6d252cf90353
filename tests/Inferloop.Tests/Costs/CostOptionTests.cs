using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Pricing;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Tests.Costs;

/// <summary>Free tier, Savings Plans, currencies, and which resource types the estimate tells apart.</summary>
public sealed class CostOptionTests
{
    private const string Function = "  F: { Type: 'AWS::Lambda::Function', Properties: { Code: { ZipFile: x }, Role: r, MemorySize: 1024 } }\n";

    [Fact]
    public async Task The_free_tier_is_given_once_and_no_more_than_is_used()
    {
        var usage = Costing.Only(("LambdaInvocations", 3_000_000), ("LambdaMilliseconds", 100));
        var arm = Function.Replace("F:", "G:", StringComparison.Ordinal).Replace("MemorySize", "Architectures: [arm64], MemorySize", StringComparison.Ordinal);
        var estimate = await Costing.OfResourcesAsync(Function + arm, new CostOptions { Usage = usage, FreeTier = true });

        // Of 1.5 million requests each, one million is free once: the first draws on it, for the second nothing is left.
        Assert.Equal(0.40m, estimate.Lines.Where(l => l.Name == "Lambda requests").Sum(l => l.MonthlyExpected));
        Assert.Contains(estimate.Lines, l => l.Tier?.Contains("1,000,000 free each month", StringComparison.Ordinal) == true);

        // 150,000 GB-seconds on x86 and as many on ARM: together less than 400,000.
        Assert.Equal(0m, estimate.Lines.Where(l => l.Name == "Lambda time").Sum(l => l.MonthlyExpected));
        var without = await Costing.OfResourcesAsync(Function + arm, new CostOptions { Usage = usage });
        Assert.Equal(0.60m, without.Lines.Where(l => l.Name == "Lambda requests").Sum(l => l.MonthlyExpected));
        Assert.Contains(estimate.Assumptions, a => a.Contains("free tier deducted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_savings_plan_makes_compute_cheaper_and_nothing_else()
    {
        const string Yaml = """
              I: { Type: 'AWS::EC2::Instance', Properties: { InstanceType: m5.large, BlockDeviceMappings: [{ DeviceName: /dev/xvda, Ebs: { VolumeType: gp3, VolumeSize: 100 } }] } }
            """;
        var full = await Costing.OfResourcesAsync(Yaml, new CostOptions { Usage = Costing.Idle });
        var plan = await Costing.OfResourcesAsync(Yaml, new CostOptions { Usage = Costing.Idle, SavingsPlanDiscountPercent = 30, SavingsPlanCoveragePercent = 50 });
        Assert.Equal(70.08m, full.Line("I", "m5.large instances").MonthlyExpected);                   // 730 x 0.096
        var line = plan.Line("I", "m5.large instances");
        Assert.Equal((59.568m, true), (line.MonthlyExpected, line.IsDerived));                        // less 30 % of one half
        Assert.Contains("30 percent of a Savings Plan on 50 percent", line.PriceSource, StringComparison.Ordinal);
        Assert.Equal(8.00m, plan.Line("I", "gp3 volumes").MonthlyExpected);

        var error = await Assert.ThrowsAsync<OperationException>(() => Costing.OfResourcesAsync(Yaml, new CostOptions { SavingsPlanDiscountPercent = 80 }));
        Assert.Equal("SavingsPlanOutOfRange", error.ErrorId);
    }

    [Fact]
    public async Task A_savings_plan_does_not_cover_spot()
    {
        const string Yaml = """
              L: { Type: 'AWS::EC2::LaunchTemplate', Properties: { LaunchTemplateData: { InstanceType: m5.large, BlockDeviceMappings: [{ DeviceName: /dev/xvda, Ebs: { VolumeType: gp3, VolumeSize: 10 } }] } } }
              G:
                Type: AWS::AutoScaling::AutoScalingGroup
                Properties:
                  MinSize: '4'
                  MaxSize: '4'
                  MixedInstancesPolicy:
                    LaunchTemplate: { LaunchTemplateSpecification: { LaunchTemplateId: !Ref L, Version: '1' }, Overrides: [{ InstanceType: m5.large }, { InstanceType: m5a.large }] }
                    InstancesDistribution: { OnDemandBaseCapacity: 2, OnDemandPercentageAboveBaseCapacity: 0 }
            """;
        var estimate = await Costing.OfResourcesAsync(Yaml, new CostOptions { Usage = Costing.Idle, SpotDiscountPercent = 60, SavingsPlanDiscountPercent = 25 });
        Assert.Equal(105.12m, estimate.Line("G", "m5.large instances").MonthlyExpected);              // 2 x 730 x 0.096 x 0.75
        Assert.Equal(56.064m, estimate.Line("G", "m5.large Spot instances").MonthlyExpected);         // 2 x 730 x 0.096 x 0.4
        Assert.Equal(3.20m, estimate.Line("G", "gp3 volumes").MonthlyExpected);                       // 4 x 10 GB x 0.08
    }

    [Fact]
    public async Task Another_currency_converts_every_amount()
    {
        var usd = await Costing.OfResourcesAsync(Function, UsageProfile.Large);
        var eur = usd.In("eur", 0.9m);
        Assert.Equal("EUR", eur.Currency);
        Assert.Equal(Math.Round(usd.MonthlyExpected * 0.9m, 8), Math.Round(eur.MonthlyExpected, 8));
        CostEstimatorTests.AssertSums(eur);
        Assert.Equal(usd.Lines[0].UnitPrice * 0.9m, eur.Lines[0].UnitPrice);
        Assert.Equal(Math.Round(usd.MonthlyExpected, 6), Math.Round(eur.In("GBP", 0.8m).In("EUR", 0.9m).MonthlyExpected / 0.9m, 6));
        Assert.Contains(eur.Assumptions, a => a.Contains("0.9 EUR", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("EUR", -1, "ExchangeRateOutOfRange")]
    [InlineData("EUR", 0, "ExchangeRateOutOfRange")]
    [InlineData("Euro", 1, "CurrencyUnknown")]
    [InlineData("USD", 2, "CurrencyUnknown")]
    public async Task A_currency_that_cannot_be_meant_is_refused(string currency, double rate, string id)
    {
        var estimate = await Costing.OfResourcesAsync(Function, UsageProfile.Small);
        Assert.Equal(id, Assert.Throws<OperationException>(() => estimate.In(currency, (decimal)rate)).ErrorId);
    }

    [Fact]
    public void Sixty_types_are_priced_and_all_that_are_named_exist()
    {
        Assert.True(Pricers.PricedTypes.Count() >= 60);
        var known = ResourceSpecification.Default;
        Assert.All(Pricers.PricedTypes.Concat(FreeTypes.All), t => Assert.True(known.Find(t) is not null, t + " is no resource type of CloudFormation"));
        Assert.Empty(Pricers.PricedTypes.Intersect(FreeTypes.All));
    }

    [Fact]
    public void Every_type_of_the_shipped_templates_is_priced_or_free()
    {
        var stacks = Path.Combine(Repository.Root, "src", "Inferloop.Templates", "Stacks");
        var types = Directory.EnumerateFiles(stacks, "*.yaml")
            .SelectMany(f => File.ReadLines(f)).Select(l => l.Trim()).Where(l => l.StartsWith("Type: AWS::", StringComparison.Ordinal) && !l.Contains('<', StringComparison.Ordinal))
            .Select(l => l["Type: ".Length..].Trim()).Where(t => t.Count(c => c == ':') == 4 && !t.Contains("::Parameter", StringComparison.Ordinal)).Distinct().ToList();
        Assert.Contains("AWS::ECS::Service", types);
        Assert.Empty(types.Where(t => t != "AWS::CloudFormation::Stack" && !FreeTypes.Contains(t)).Except(Pricers.PricedTypes));
    }

    [Theory]
    [InlineData(EnvironmentStage.Dev)]
    [InlineData(EnvironmentStage.Prod)]
    public async Task Each_resource_is_told_apart_in_every_region_of_the_catalog(EnvironmentStage stage)
    {
        foreach (var region in PriceCatalog.Embedded.Regions)
        {
            var stack = await CostEstimatorTests.PresetAsync(stage, region);
            var estimate = CostEstimator.Estimate(stack);
            var accounted = estimate.Lines.Select(l => l.Path).Concat(estimate.Unpriced.Select(u => u.Path)).Concat(estimate.Free.Select(f => f.Path)).ToHashSet();
            Assert.Equal(stack.AllResources().Select(r => r.Path).Order(), accounted.Order());
            CostEstimatorTests.AssertSums(estimate);
        }
    }
}
