using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Advice;
using Inferloop.Operations.Costs.Measuring;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>Ways to pay less: each saving by hand from public prices, and nothing recommended that does not save.</summary>
public sealed class CostAdvisorTests
{
    private static readonly DeployedResource[] Resources =
    [
        new("Ecs/Service", "AWS::ECS::Service", "arn:aws:ecs:us-east-1:123456789012:service/demo/demo", "CREATE_COMPLETE", "s"),
        new("Ecs/LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/demo/1", "CREATE_COMPLETE", "s"),
        new("Database/Database", "AWS::RDS::DBInstance", "db", "CREATE_COMPLETE", "s"),
        new("Cache/ReplicationGroup", "AWS::ElastiCache::ReplicationGroup", "cache", "CREATE_COMPLETE", "s"),
    ];

    private static InferloopEnvironmentSpec Preset(EnvironmentStage stage) => SpecPresets.Create("demo", stage, "us-east-1");

    private static async Task<IReadOnlyList<CostRecommendation>> OfSpecAsync(InferloopEnvironmentSpec spec, decimal? spotDiscount = null, MeasuredUse? use = null) => await CostAdvisor.AdviseAsync(
        spec, async (s, cancellation) => (await EnvironmentPlan.MakeAsync(s, "123456789012", "aws", new EnvironmentOptions { TemplateFolder = StackFixture.Folder }, cancellation)).Evaluated,
        new CostOptions { SpotDiscountPercent = spotDiscount, Today = new DateOnly(2026, 11, 23) }, use is null ? null : (use, Resources), TestContext.Current.CancellationToken);

    private static async Task<IReadOnlyList<CostRecommendation>> OfResourcesAsync(string yaml, UsageProfile usage, decimal? spotDiscount = null) => CostAdvisor.Advise(
        await StackEvaluator.EvaluateAsync(Template.Parse("Resources:\n" + yaml), StackFixture.Context(new Dictionary<string, string>(), "us-east-1"), TestContext.Current.CancellationToken),
        new CostOptions { Usage = usage, SpotDiscountPercent = spotDiscount });

    private static MeasuredUse Use(double days, params (string Key, double Value)[] readings) => new()
    {
        Start = DateTimeOffset.UnixEpoch, End = DateTimeOffset.UnixEpoch.AddDays(days), Amounts = [], Readings = readings.ToDictionary(r => r.Key, r => r.Value),
    };

    [Theory]

    // gp2 0.10, gp3 0.08 a GB: 500 × 0.02.
    [InlineData("  Disk: { Type: AWS::EC2::Volume, Properties: { AvailabilityZone: a, Size: 500, VolumeType: gp2 } }", CostRecommendationKind.VolumeType, 10.00)]

    // m5.large 0.096, m6g.large 0.077 an hour: 730 × 0.019.
    [InlineData("  Server: { Type: AWS::EC2::Instance, Properties: { InstanceType: m5.large, ImageId: ami-1 } }", CostRecommendationKind.Arm, 13.87)]

    // db.t3.medium 0.072, db.t4g.medium 0.065 an hour: 730 × 0.007.
    [InlineData("  Db: { Type: AWS::RDS::DBInstance, Properties: { Engine: postgres, DBInstanceClass: db.t3.medium, AllocatedStorage: '20', StorageType: gp3 } }", CostRecommendationKind.Arm, 5.11)]

    // Two zones, 0.01 an hour each, and no traffic: 730 × 0.02.
    [InlineData("""
          Address: { Type: AWS::EC2::EIP }
          Nat: { Type: AWS::EC2::NatGateway, Properties: { SubnetId: s, AllocationId: !GetAtt Address.AllocationId } }
          Endpoint: { Type: AWS::EC2::VPCEndpoint, Properties: { VpcId: v, VpcEndpointType: Interface, ServiceName: com.amazonaws.us-east-1.sqs, SubnetIds: [a, b] } }
        """, CostRecommendationKind.Network, 14.60)]

    // 100 GB stored, 20 added a month: 80 are older than 30 days (a month is 30.4167 days: 19.726 stay), at 0.023 and 0.0125, less 20,000 moves at 0.01 a thousand.
    [InlineData("  Bucket: { Type: AWS::S3::Bucket }", CostRecommendationKind.StorageTiering, 0.64)]
    public async Task A_saving_is_to_the_cent(string resources, CostRecommendationKind kind, double saving)
    {
        var usage = Costing.Only((nameof(UsageProfile.StoredGb), 100), (nameof(UsageProfile.StoredAddedGb), 20), (nameof(UsageProfile.ObjectsAdded), 20_000));
        var found = Assert.Single(await OfResourcesAsync(resources, usage), r => r.Kind == kind);
        Assert.Equal((decimal)saving, Costing.Cents(found.MonthlySaving!.Value));
        Assert.NotEmpty(found.Change);
        Assert.NotEmpty(found.Evidence);
    }

    [Fact]
    public async Task Logs_without_an_end_cost_a_year_of_them()
    {
        // 10 GB a month, compressed to 0.15: a year of them is 18 GB, 30 days are 1.479; the difference at 0.03.
        var found = Assert.Single(await OfResourcesAsync("  Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /aws/lambda/f } }", Costing.Only((nameof(UsageProfile.ApplicationLogGb), 10), (nameof(UsageProfile.LogStoredShare), 0.15m))));
        Assert.Equal(CostRecommendationKind.LogRetention, found.Kind);
        Assert.Equal(0.50m, Costing.Cents(found.MonthlySaving!.Value));
    }

    [Fact]
    public async Task Spot_without_a_discount_is_a_candidate_without_a_saving()
    {
        const string Yaml = """
              Task: { Type: AWS::ECS::TaskDefinition, Properties: { RequiresCompatibilities: [FARGATE], Cpu: '1024', Memory: '2048', RuntimePlatform: { CpuArchitecture: ARM64 }, ContainerDefinitions: [{ Name: a, Image: b }] } }
              Service: { Type: AWS::ECS::Service, Properties: { LaunchType: FARGATE, DesiredCount: 2, TaskDefinition: !Ref Task } }
            """;
        var unpriced = Assert.Single(await OfResourcesAsync(Yaml, Costing.Idle));
        Assert.Equal(CostRecommendationKind.Spot, unpriced.Kind);
        Assert.Null(unpriced.MonthlySaving);
        Assert.Contains("-SpotDiscountPercent", unpriced.Evidence, StringComparison.Ordinal);

        // Two tasks of 1 vCPU at 0.03238 and 2 GB at 0.00356 an hour: 57.67 a month, half of which is 28.84 (28.835).
        Assert.Equal(28.84m, Costing.Cents(Assert.Single(await OfResourcesAsync(Yaml, Costing.Idle, 50)).MonthlySaving!.Value));
    }

    [Fact]
    public async Task What_is_well_already_is_left_alone() => Assert.Empty(await OfResourcesAsync("""
          Disk: { Type: AWS::EC2::Volume, Properties: { AvailabilityZone: a, Size: 500, VolumeType: gp3 } }
          Server: { Type: AWS::EC2::Instance, Properties: { InstanceType: t4g.large, ImageId: ami-1 } }
          Logs: { Type: AWS::Logs::LogGroup, Properties: { LogGroupName: /aws/lambda/f, RetentionInDays: 30 } }
        """, UsageProfile.Medium));

    [Fact]
    public async Task What_a_spec_s_recommendation_saves_its_command_saves()
    {
        var spec = Preset(EnvironmentStage.Staging).With("NatGatewayMode", NatGatewayMode.PerAz).With("DatabaseMultiAz", true).With("DatabaseEngineVersion", "13").With("ApplicationLogRetentionDays", 365);
        var before = await PriceAsync(spec);
        var found = await OfSpecAsync(spec, spotDiscount: 50);
        Assert.Superset(
            new HashSet<CostRecommendationKind> { CostRecommendationKind.Network, CostRecommendationKind.RightSizing, CostRecommendationKind.ExtendedSupport, CostRecommendationKind.LogRetention, CostRecommendationKind.Arm, CostRecommendationKind.Spot },
            found.Select(r => r.Kind).ToHashSet());
        Assert.Equal(found.OrderByDescending(r => r.MonthlySaving).Select(r => r.Title), found.Select(r => r.Title));
        Assert.All(found, r => Assert.StartsWith("Set-InferloopEnvironment demo -Stage Staging -", r.Command, StringComparison.Ordinal));

        // The arguments of the command, put on the spec, make the difference that was told.
        foreach (var r in found.Where(r => r.Kind != CostRecommendationKind.Spot))
        {
            var words = r.Command.Split(' ')[4..];
            var changed = words.Chunk(2).Aggregate(spec, (s, pair) => s.With(pair[0][1..], pair[1].TrimStart('$').Trim('\'')));
            Assert.Equal(r.MonthlySaving, before - await PriceAsync(changed));
        }
    }

    [Fact]
    public async Task Production_keeps_what_it_needs()
    {
        var found = await OfSpecAsync(Preset(EnvironmentStage.Prod));
        Assert.DoesNotContain(found, r => r.Kind is CostRecommendationKind.Network or CostRecommendationKind.Spot or CostRecommendationKind.RightSizing or CostRecommendationKind.Idle);
    }

    [Fact]
    public async Task Measured_room_makes_things_smaller()
    {
        var use = Use(
            14, ("Ecs/Service CPUUtilization Maximum", 12), ("Ecs/Service MemoryUtilization Maximum", 25), ("Ecs/LoadBalancer RequestCount Sum", 5000), ("Database/Database CPUUtilization Maximum", 9), ("Database/Database DatabaseConnections Maximum", 4),
            ("Database/Database FreeableMemory Minimum", 1.5 * 1024 * 1024 * 1024), ("Cache/ReplicationGroup CPUUtilization Maximum", 3), ("Cache/ReplicationGroup DatabaseMemoryUsagePercentage Maximum", 2), ("Cache/ReplicationGroup GetTypeCmds Sum", 10));
        var found = (await OfSpecAsync(Preset(EnvironmentStage.Staging).With("CacheNodeType", "cache.t4g.medium"), use: use)).Where(r => r.IsMeasured).ToList();
        Assert.Equal(
            ["A smaller cache: cache.t4g.small", "A smaller database: db.t4g.micro", "At least 1 task instead of 2", "Tasks of half the size: 512 CPU units, 1024 MiB"],
            found.Select(r => r.Title).Order(StringComparer.Ordinal));
        Assert.All(found, r => Assert.Contains("14 days", r.Evidence, StringComparison.Ordinal));

        // Half of a task of 1 vCPU at 0.04048 and 2 GB at 0.004445, twice: 36.04 a month.
        Assert.Equal(36.04m, Costing.Cents(found.Single(r => r.Title.StartsWith("Tasks of half", StringComparison.Ordinal)).MonthlySaving!.Value));
    }

    [Fact]
    public async Task A_busy_one_stays_as_it_is()
    {
        var use = Use(
            14, ("Ecs/Service CPUUtilization Maximum", 80), ("Ecs/Service MemoryUtilization Maximum", 25), ("Ecs/LoadBalancer RequestCount Sum", 5000), ("Database/Database CPUUtilization Maximum", 9), ("Database/Database DatabaseConnections Maximum", 4),
            ("Database/Database FreeableMemory Minimum", 0.2 * 1024 * 1024 * 1024), ("Cache/ReplicationGroup CPUUtilization Maximum", 3), ("Cache/ReplicationGroup DatabaseMemoryUsagePercentage Maximum", 75), ("Cache/ReplicationGroup GetTypeCmds Sum", 10));
        Assert.DoesNotContain(await OfSpecAsync(Preset(EnvironmentStage.Prod), use: use), r => r.IsMeasured);
    }

    [Fact]
    public async Task What_nothing_uses_is_idle_after_some_days_and_not_before()
    {
        (string, double)[] silence = [("Ecs/LoadBalancer RequestCount Sum", 0), ("Database/Database DatabaseConnections Maximum", 0), ("Cache/ReplicationGroup GetTypeCmds Sum", 0), ("Cache/ReplicationGroup SetTypeCmds Sum", 0)];
        var found = (await OfSpecAsync(Preset(EnvironmentStage.Staging), use: Use(6, silence))).Where(r => r.Kind == CostRecommendationKind.Idle).ToList();
        Assert.Equal(["Cache/ReplicationGroup", "Database/Database", "Ecs/LoadBalancer"], found.Select(r => r.Path).Order(StringComparer.Ordinal));
        Assert.Contains("-DatabaseEnabled $false -AllowReplacement Database/Database", found.Single(r => r.Path == "Database/Database").Command, StringComparison.Ordinal);
        Assert.DoesNotContain(await OfSpecAsync(Preset(EnvironmentStage.Staging), use: Use(2, silence)), r => r.Kind == CostRecommendationKind.Idle);
    }

    private static async Task<decimal> PriceAsync(InferloopEnvironmentSpec spec) => CostEstimator.Estimate(
        (await EnvironmentPlan.MakeAsync(spec, "123456789012", "aws", new EnvironmentOptions { TemplateFolder = StackFixture.Folder }, TestContext.Current.CancellationToken)).Evaluated, new CostOptions { Today = new DateOnly(2026, 11, 23) }).MonthlyExpected;
}
