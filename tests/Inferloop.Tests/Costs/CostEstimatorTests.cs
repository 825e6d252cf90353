using System.Diagnostics;
using FsCheck;
using FsCheck.Fluent;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Specs;
using Inferloop.Templates;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>Estimates of whole environments: nothing forgotten, nothing invented, sums that add up.</summary>
public sealed class CostEstimatorTests
{
    [Theory]
    [InlineData(EnvironmentStage.Dev)]
    [InlineData(EnvironmentStage.Staging)]
    [InlineData(EnvironmentStage.Prod)]
    public async Task Every_resource_of_every_stage_is_priced_unpriced_or_free(EnvironmentStage stage)
    {
        var stack = await PresetAsync(stage);
        var estimate = CostEstimator.Estimate(stack);
        var accounted = estimate.Lines.Select(l => l.Path).Concat(estimate.Unpriced.Select(u => u.Path)).Concat(estimate.Free.Select(f => f.Path)).ToHashSet();
        Assert.Equal(stack.AllResources().Select(r => r.Path).Order(), accounted.Order());
        Assert.DoesNotContain(estimate.Unpriced, u => u.Reason.Contains("does not know", StringComparison.Ordinal));
        Assert.Equal(("demo", stage.ToString().ToLowerInvariant(), "us-east-1", "USD"), (estimate.Environment, estimate.Stage, estimate.Region, estimate.Currency));
        Assert.Equal(stage == EnvironmentStage.Dev ? "Small" : "Medium", estimate.Usage.Name);
        AssertSums(estimate);
        Assert.Equal([.. new[] { "alerts" }, .. stage == EnvironmentStage.Dev ? Array.Empty<string>() : ["backup"], .. new[] { "cache", "database", "ecs", "logs", "monitoring", "network" }, .. stage == EnvironmentStage.Dev ? Array.Empty<string>() : ["rotation"], "security", "storage"], estimate.Components.Select(c => c.Component).Order());
    }

    [Fact]
    public async Task Every_line_can_be_traced_to_a_dated_price()
    {
        var estimate = CostEstimator.Estimate(await PresetAsync(EnvironmentStage.Prod));
        Assert.All(estimate.Lines, l =>
        {
            var key = l.Dimension.Split('/');
            Assert.True(PriceCatalog.Embedded.TryFind(l.Region, key[0], key[1], out var price), l.Dimension);
            Assert.Contains(price.Tiers, t => l.PriceSource.Contains(t.Source, StringComparison.Ordinal));
            Assert.NotEmpty(l.PriceDate);
            Assert.NotEmpty(l.Assumption);
            Assert.True(l.MonthlyExpected > 0 && l.MonthlyLow <= l.MonthlyExpected && l.MonthlyExpected <= l.MonthlyHigh, $"{l.Path} {l.Name}");
            // A derived price says what it is made of: "twice" is an instance and its standby.
            var times = l.PriceSource.StartsWith("derived: twice", StringComparison.Ordinal) ? 2 : 1;
            Assert.InRange(l.UnitPrice, times * price.Tiers.Min(t => t.Usd), times * price.Tiers.Max(t => t.Usd));
        });
    }

    [Theory]
    [InlineData(EnvironmentStage.Dev, "alerts 0.01, cache 13.16, database 14.23, ecs 34.17, logs 2.62, monitoring 7.20, network 41.10, security 2.13, storage 3.76", 118.37)]
    [InlineData(EnvironmentStage.Staging, "alerts 0.50, backup 49.50, cache 28.67, database 27.43, ecs 158.41, logs 51.79, monitoring 7.20, network 82.50, rotation 0.00, security 7.97, storage 85.75", 499.71)]
    [InlineData(EnvironmentStage.Prod, "alerts 0.50, backup 49.50, cache 98.75, database 256.91, ecs 150.91, logs 51.79, monitoring 7.30, network 114.00, rotation 0.00, security 7.97, storage 85.75", 823.37)]
    public async Task The_presets_cost_what_an_independent_sum_over_the_price_facts_says(EnvironmentStage stage, string components, double total)
    {
        // The figures were summed apart from this code, from the csv and the rules in words. Dev's network, for one: NAT 730 h x 0.045 + 50 GB
        // x 0.045, its address 730 h x 0.005, 5 GB out x 0.09, half of 50 GB and 20 GB across zones x 2 x 0.01, 2 GB flow logs x 0.50 = 41.10.
        // Monitoring: 31 metrics in 20 alarms x 0.10, a composite alarm 0.50, a dashboard 3.00, two metrics made from logs x 0.30 = 7.20; prod has
        // one alarm more, on the bucket.
        // Dev's database: 730 h x 0.016 + 20 GB x 0.115 + 60 events an hour of 2 KB, 0.167 GB, x 0.50 + its third of 1 GB of services' logs x
        // (0.50 + 0.15 x 30/30.4 months x 0.03) = 14.23; prod's has twice 0.159 and 0.115 for the standby.
        // Dev's tasks are on Spot, which is unpriced; prod's Container Insights is enhanced, which is too.
        var estimate = CostEstimator.Estimate(await PresetAsync(stage));
        Assert.Equal(components, string.Join(", ", estimate.Components.OrderBy(c => c.Component).Select(c => FormattableString.Invariant($"{c.Component} {c.MonthlyExpected:0.00}"))));
        Assert.Equal((decimal)total, Costing.Cents(estimate.MonthlyExpected));
        Assert.Equal(
            stage switch { EnvironmentStage.Dev => ["Fargate Spot tasks"], EnvironmentStage.Prod => ["Container Insights with enhanced observability"], _ => Array.Empty<string>() },
            estimate.Unpriced.Select(u => u.Name));
    }

    [Fact]
    public async Task Stages_differ_in_size()
    {
        var dev = CostEstimator.Estimate(await PresetAsync(EnvironmentStage.Dev), new CostOptions { SpotDiscountPercent = 70 });
        var staging = CostEstimator.Estimate(await PresetAsync(EnvironmentStage.Staging));
        var prod = CostEstimator.Estimate(await PresetAsync(EnvironmentStage.Prod));
        Assert.True(dev.MonthlyExpected < staging.MonthlyExpected && staging.MonthlyExpected < prod.MonthlyExpected);
        Assert.Equal(1, dev.Lines.Count(l => l.Name == "NAT gateway"));
        Assert.Equal(2, prod.Lines.Count(l => l.Name == "NAT gateway"));
    }

    [Fact]
    public async Task The_first_infrastructure_s_forgotten_costs_are_there()
    {
        var estimate = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Ec2"), ("Ec2MinimumInstances", "1")]));
        foreach (var dimension in new[]
        {
            "nat_gateway/gateway_hour", "nat_gateway/processed_gb", "alb/load_balancer_hour", "alb/lcu_hour", "ec2/linux_t3_medium_hour", "ebs/gp3_gb_month",
            "cloudwatch/logs_ingest_standard_gb", "cloudwatch/logs_stored_gb_month", "cloudwatch/vended_logs_standard_gb", "data_transfer/internet_out_gb",
            "data_transfer/inter_az_gb_each_direction", "public_ipv4/in_use_address_hour", "kms/key_month", "secrets_manager/secret_month",
            "s3/standard_gb_month", "dynamodb/pitr_backup_gb_month", "route53/hosted_zone_month", "cloudwatch/metric_month",
        })
        {
            Assert.Contains(estimate.Lines, l => l.Dimension == dimension);
        }
    }

    [Fact]
    public async Task An_unknown_instance_type_is_unpriced_and_not_free()
    {
        var estimate = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Ec2"), ("Ec2InstanceType", "t9.huge"), ("Ec2MinimumInstances", "2")]));
        var item = Assert.Single(estimate.Unpriced, u => u.Path == "Ecs/InstanceGroup");
        Assert.Equal(1460m, item.Quantity);
        Assert.Contains("linux_t9_huge_hour", item.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(estimate.Lines, l => l.Dimension.StartsWith("ec2/", StringComparison.Ordinal));
        Assert.False(estimate.IsComplete);
    }

    [Fact]
    public async Task A_type_the_estimate_does_not_know_is_unpriced_and_not_free()
    {
        var estimate = await Costing.OfResourcesAsync("  Fleet: { Type: 'AWS::GameLift::Fleet', Properties: { Name: x } }\n", UsageProfile.Small);
        Assert.Contains("AWS::GameLift::Fleet", Assert.Single(estimate.Unpriced).Reason, StringComparison.Ordinal);
        Assert.Empty(estimate.Free);
        Assert.Equal(0m, estimate.MonthlyExpected);
    }

    [Fact]
    public async Task A_price_that_a_region_lacks_is_unpriced_and_the_rest_stands()
    {
        var estimate = CostEstimator.Estimate(await StackFixture.EvaluateAsync(region: "eu-west-1"));
        Assert.Contains(estimate.Unpriced, u => u.Reason == "The catalog has no price of secrets_manager/secret_month in eu-west-1.");
        Assert.Contains(estimate.Unpriced, u => u.Reason == "The catalog has no price of alb/lcu_hour in eu-west-1.");
        Assert.Equal(2 * 730 * 0.048m, estimate.Lines.Where(l => l.Name == "NAT gateway").Sum(l => l.MonthlyExpected));
        Assert.All(estimate.Lines, l => Assert.Equal("eu-west-1", l.Region));
    }

    [Fact]
    public async Task Two_regions_differ_only_by_prices()
    {
        var east = CostEstimator.Estimate(await StackFixture.EvaluateAsync(region: "us-east-1"));
        var west = CostEstimator.Estimate(await StackFixture.EvaluateAsync(region: "us-west-2"));
        static IEnumerable<(string, string, decimal?)> Demands(CostEstimate e) =>
            e.Lines.Select(l => (l.Path, l.Name, (decimal?)l.Quantity)).Concat(e.Unpriced.Select(u => (u.Path, u.Name, u.Quantity))).Order();
        Assert.Equal(Demands(east), Demands(west));
        foreach (var line in west.Lines)
        {
            var key = line.Dimension.Split('/');
            Assert.True(PriceCatalog.Embedded.TryFind("us-west-2", key[0], key[1], out var price));
            if (price.Tiers.Count == 1)
            {
                Assert.Equal(Math.Round(line.Quantity * price.Tiers[0].Usd, 10), line.MonthlyExpected);
            }
        }
    }

    [Fact]
    public async Task Quantities_beyond_the_last_known_tier_are_unpriced()
    {
        var stack = await StackFixture.EvaluateAsync();
        var estimate = CostEstimator.Estimate(stack, new CostOptions { Usage = UsageProfile.Medium.With([new("InternetOutGb", 200_000m), new("NatInternetOutGb", 0m)]) });
        var line = Assert.Single(estimate.Lines, l => l.Dimension == "data_transfer/internet_out_gb");
        Assert.Equal((10_240 * 0.09m) + (40_960 * 0.085m) + (102_400 * 0.07m), line.MonthlyExpected);
        Assert.Equal(46_400m, Assert.Single(estimate.Unpriced, u => u.Name.Contains("beyond", StringComparison.Ordinal)).Quantity);
        Assert.Contains("10,240 to 51,200 at 0.085", line.Tier, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tiers_are_reached_by_all_resources_together()
    {
        // 8,000 GB through the load balancer and 4,000 through NAT are 12,000 to the internet: 10,240 at 0.09 and 1,760 at 0.085.
        var usage = UsageProfile.Medium.With([new("InternetOutGb", 8_000m), new("NatProcessedGb", 5_000m), new("NatInternetOutGb", 4_000m)]);
        var estimate = CostEstimator.Estimate(await StackFixture.EvaluateAsync(), new CostOptions { Usage = usage });
        Assert.Equal(1071.20m, Math.Round(estimate.Lines.Where(l => l.Dimension == "data_transfer/internet_out_gb").Sum(l => l.MonthlyExpected), 8));
    }

    [Fact]
    public async Task More_of_anything_never_costs_less()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Mixed"), ("NatGatewayMode", "Single"), ("Ec2MinimumInstances", "1")]);
        var usages = UsageProfile.Dimensions;
        Prop.ForAll<NonNegativeInt, PositiveInt, PositiveInt>((which, a, b) =>
        {
            var dimension = usages[which.Get % usages.Count];
            var start = dimension.Of(UsageProfile.Large);
            var limit = dimension.Name switch { nameof(UsageProfile.NatInternetOutGb) => UsageProfile.Large.NatProcessedGb, nameof(UsageProfile.StoredAddedGb) => UsageProfile.Large.StoredGb, _ => dimension.Maximum };
            var less = Math.Min(limit, start * (1 + (a.Get / 10m)));
            var more = Math.Min(limit, less + (b.Get * Math.Max(1, start) / 10));
            return Cost(dimension, less) <= Cost(dimension, more);
        }).QuickCheckThrowOnFailure();

        decimal Cost(UsageDimension dimension, decimal value)
        {
            var estimate = CostEstimator.Estimate(stack, new CostOptions { Usage = UsageProfile.Large.With([new(dimension.Name, value)]) });
            AssertSums(estimate);
            return estimate.MonthlyExpected;
        }
    }

    [Theory]
    [InlineData("DesiredTasks", "3", "7")]
    [InlineData("TaskCpu", "1024", "2048")]
    [InlineData("TaskMemory", "4096", "8192")]
    [InlineData("NatGatewayMode", "Single", "PerAz")]
    [InlineData("ApplicationLogRetentionDays", "30", "90")]
    [InlineData("FlowLogs", "false", "true")]
    public async Task More_of_a_parameter_never_costs_less(string parameter, string less, string more)
    {
        (string, string)[] With(string value) => parameter == "TaskMemory" || parameter == "TaskCpu" ? [("TaskMemory", "4096"), (parameter, value)] : [(parameter, value)];
        var low = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: With(less)));
        var high = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: With(more)));
        Assert.True(low.MonthlyExpected < high.MonthlyExpected);
    }

    [Theory]
    [InlineData("us-east-9", "us-east-")]
    [InlineData("eu-south-1", "eu-")]
    public async Task A_region_without_prices_is_an_error_that_names_those_with(string region, string near)
    {
        var error = await Assert.ThrowsAsync<OperationException>(() => Costing.OfResourcesAsync("  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16 } }\n", UsageProfile.Small, region));
        Assert.Equal("PriceRegionUnknown", error.ErrorId);
        Assert.Contains(near, error.Message, StringComparison.Ordinal);
        Assert.Contains("ap-northeast-1", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_discount_out_of_range_is_refused()
    {
        var error = await Assert.ThrowsAsync<OperationException>(() => Costing.OfResourcesAsync("  Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16 } }\n", UsageProfile.Small, spotDiscount: 95));
        Assert.Equal("SpotDiscountOutOfRange", error.ErrorId);
    }

    [Fact]
    public async Task Usage_is_checked_before_it_is_priced()
    {
        var stack = await StackFixture.EvaluateAsync();
        Assert.Equal("UsageOutOfRange", Assert.Throws<OperationException>(() => CostEstimator.Estimate(stack, new CostOptions { Usage = UsageProfile.Small with { FlowLogGb = -1 } })).ErrorId);
    }

    [Fact]
    public async Task Less_than_nothing_is_unpriced_and_takes_nothing_from_others()
    {
        const string Disk = "  Disk: { Type: AWS::EC2::Volume, Properties: { AvailabilityZone: a, Size: 100, VolumeType: gp3 } }\n";
        var alone = await Costing.OfResourcesAsync(Disk, Costing.Idle);
        var both = await Costing.OfResourcesAsync(Disk + "  Slip: { Type: AWS::EC2::Volume, Properties: { AvailabilityZone: a, Size: -60, VolumeType: gp3 } }\n", Costing.Idle);
        Assert.Equal(8.00m, Costing.Cents(alone.MonthlyExpected));
        Assert.Equal(alone.MonthlyExpected, both.MonthlyExpected);
        Assert.Contains("-60", Assert.Single(both.Unpriced, u => u.Path == "Slip").Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_nested_stack_that_was_not_evaluated_is_unpriced()
    {
        var context = StackFixture.Context(new Dictionary<string, string> { ["EnvironmentName"] = "demo", ["Stage"] = "dev" }) with { NestedTemplates = null };
        var estimate = await CostEstimator.EstimateAsync(StackFixture.Load("main.yaml"), context, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(9, estimate.Unpriced.Count(u => u.Reason.Contains("was not evaluated", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Is_fast_and_linear_in_the_number_of_resources()
    {
        var environment = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Mixed")]);
        var small = await ManyAsync(1);
        var large = await ManyAsync(10);
        var watch = Stopwatch.StartNew();
        using (var reader = new StreamReader(Path.Combine(Repository.Root, "src", "Inferloop.Operations", "Costs", "Catalog", "aws-prices.csv")))
        {
            PriceCatalog.Read(reader, "catalog");
        }

        var catalog = watch.Elapsed.TotalMilliseconds;
        var (one, few, many) = (Time([environment]), Time(small), Time(large));
        TestContext.Current.TestOutputHelper?.WriteLine(FormattableString.Invariant(
            $"catalog read in {catalog:0.0} ms; {environment.AllResources().Count()} resources of an environment {one:0.00} ms, 500 {few:0.00} ms, 5,000 {many:0.00} ms"));
        Assert.True(catalog < 1000 && one < 100, "generous bounds for a busy machine");

        // Ten times the resources would take a hundred times as long if it were quadratic; sixty leaves room for a busy machine.
        Assert.True(many < Math.Max(few, 1) * 60, $"{few} ms for 500 resources, {many} ms for 5,000");

        static async Task<List<EvaluatedStack>> ManyAsync(int stacks)
        {
            // As many resources as a stack may have.
            var template = Template.Parse("Resources:\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $$"""
                  Bucket{{i}}: { Type: 'AWS::S3::Bucket', Properties: { LoggingConfiguration: { DestinationBucketName: access-logs-{{i % 10}} } } }
                  Logs{{i}}: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /x/{{i}}, RetentionInDays: 30 } }
                  Task{{i}}: { Type: 'AWS::ECS::TaskDefinition', Properties: { ContainerDefinitions: [{ Name: c, Image: i, LogConfiguration: { LogDriver: awslogs, Options: { awslogs-group: /x/{{i}} } } }] } }
                  Vpc{{i}}: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16 } }
                  Endpoint{{i}}: { Type: 'AWS::EC2::VPCEndpoint', Properties: { VpcId: !Ref Vpc{{i}}, VpcEndpointType: Interface, ServiceName: s } }

                """)));
            var result = new List<EvaluatedStack>();
            for (var i = 0; i < stacks; i++)
            {
                result.Add(await StackEvaluator.EvaluateAsync(template, StackFixture.Context(new Dictionary<string, string>()), TestContext.Current.CancellationToken));
            }

            return result;
        }

        static double Time(IReadOnlyList<EvaluatedStack> stacks)
        {
            CostEstimator.Estimate(stacks);
            return Enumerable.Range(0, 5).Min(_ =>
            {
                var one = Stopwatch.StartNew();
                CostEstimator.Estimate(stacks);
                return one.Elapsed.TotalMilliseconds;
            });
        }
    }

    internal static async Task<EvaluatedStack> PresetAsync(EnvironmentStage stage, string region = "us-east-1")
    {
        var spec = SpecPresets.Create("demo", stage, region);
        return await StackEvaluator.EvaluateAsync(
            StackFixture.Load("main.yaml"), StackFixture.Context(SpecMembers.ToTemplateParameters(spec), region), TestContext.Current.CancellationToken);
    }

    internal static void AssertSums(CostEstimate estimate)
    {
        Assert.Equal(estimate.Lines.Sum(l => l.MonthlyExpected), estimate.MonthlyExpected);
        Assert.Equal(estimate.Lines.Sum(l => l.MonthlyLow), estimate.MonthlyLow);
        Assert.Equal(estimate.Lines.Sum(l => l.MonthlyHigh), estimate.MonthlyHigh);
        Assert.Equal(estimate.MonthlyExpected, estimate.Components.Sum(c => c.MonthlyExpected));
        Assert.True(estimate.MonthlyLow <= estimate.MonthlyExpected && estimate.MonthlyExpected <= estimate.MonthlyHigh);
    }
}
