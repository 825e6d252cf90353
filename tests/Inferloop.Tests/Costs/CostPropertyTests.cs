using FsCheck;
using FsCheck.Fluent;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Pricing;
using Inferloop.Templates;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>What holds of every estimate, tried on a template that has one of every type that is priced.</summary>
public sealed class CostPropertyTests
{
    // Each amount of the usage profile that a template can make dearer has something here that is charged by it.
    private static readonly Dictionary<string, string> s_properties = new(StringComparer.Ordinal)
    {
        ["AWS::ApiGateway::Stage"] = "CacheClusterEnabled: true",
        ["AWS::ApiGatewayV2::Api"] = "ProtocolType: WEBSOCKET",
        ["AWS::AutoScaling::AutoScalingGroup"] = "LaunchTemplate: { LaunchTemplateId: !Ref Launch, Version: '1' }, MinSize: '1', MaxSize: '4', DesiredCapacity: '2'",
        ["AWS::AmazonMQ::Broker"] = "HostInstanceType: mq.m5.large",
        ["AWS::Batch::ComputeEnvironment"] = "Type: MANAGED, ComputeResources: { Type: FARGATE, MaxvCpus: 8 }",
        ["AWS::CloudTrail::Trail"] = "EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: [x] }] }]",
        ["AWS::DMS::ReplicationInstance"] = "ReplicationInstanceClass: dms.t2.micro, AllocatedStorage: 100",
        ["AWS::DocDB::DBInstance"] = "DBInstanceClass: db.t3.medium",
        ["AWS::DynamoDB::Table"] = "BillingMode: PAY_PER_REQUEST, StreamSpecification: { StreamViewType: NEW_IMAGE }",
        ["AWS::DynamoDB::GlobalTable"] = "BillingMode: PAY_PER_REQUEST, Replicas: [{ Region: !Ref 'AWS::Region' }, { Region: ELSEWHERE }]",
        ["AWS::EC2::FlowLog"] = "ResourceType: VPC, TrafficType: ALL, LogGroupName: !Ref Logs",
        ["AWS::EC2::Instance"] = "InstanceType: m5.large, BlockDeviceMappings: [{ Ebs: { VolumeType: gp3, VolumeSize: 10 } }]",
        ["AWS::EC2::VPCEndpoint"] = "VpcEndpointType: Interface, SubnetIds: [a, b]",
        ["AWS::EC2::Volume"] = "VolumeType: gp3, Size: 100, Iops: 4000, Throughput: 200",
        ["AWS::ECS::Service"] = "TaskDefinition: !Ref Task, DesiredCount: 2, LaunchType: FARGATE",
        ["AWS::EKS::Addon"] = "AddonName: amazon-cloudwatch-observability",
        ["AWS::EKS::Cluster"] = "Version: '1.33'",
        ["AWS::EKS::Nodegroup"] = "InstanceTypes: [t3.large], ScalingConfig: { MinSize: 1, DesiredSize: 2, MaxSize: 4 }",
        ["AWS::ElastiCache::CacheCluster"] = "Engine: redis, CacheNodeType: cache.t3.micro, NumCacheNodes: 1",
        ["AWS::ElastiCache::ReplicationGroup"] = "Engine: redis, CacheNodeType: cache.t3.micro, NumCacheClusters: 2, SnapshotRetentionLimit: 7",
        ["AWS::FSx::FileSystem"] = "FileSystemType: WINDOWS, StorageCapacity: 300, WindowsConfiguration: { DeploymentType: MULTI_AZ_1, ThroughputCapacity: 16 }",
        ["AWS::Lambda::Function"] = "MemorySize: 1024, TracingConfig: { Mode: Active }",
        ["AWS::Logs::LogGroup"] = "LogGroupName: /aws/rds/x, RetentionInDays: 30",
        ["AWS::MSK::Cluster"] = "BrokerNodeGroupInfo: { InstanceType: kafka.t3.small }",
        ["AWS::NetworkFirewall::Firewall"] = "SubnetMappings: [{ SubnetId: a }]",
        ["AWS::OpenSearchService::Domain"] = "ClusterConfig: { InstanceType: c4.2xlarge.search, InstanceCount: 2 }, EBSOptions: { VolumeType: gp2, VolumeSize: 100 }",
        ["AWS::RDS::DBCluster"] = "Engine: aurora-postgresql, ServerlessV2ScalingConfiguration: { MinCapacity: 1, MaxCapacity: 8 }",
        ["AWS::RDS::DBInstance"] = "Engine: aurora-postgresql, DBInstanceClass: db.serverless, DBClusterIdentifier: !Ref RDSDBCluster",
        ["AWS::Redshift::Cluster"] = "NodeType: ra3.4xlarge, NumberOfNodes: 2",
        ["AWS::S3::Bucket"] = "VersioningConfiguration: { Status: Enabled }, LoggingConfiguration: { DestinationBucketName: !Ref AccessLogs }, LifecycleConfiguration: { Rules: [{ Status: Enabled, Transitions: [{ StorageClass: STANDARD_IA, TransitionInDays: 30 }] }] }",
        ["AWS::SNS::Topic"] = "Subscription: [{ Protocol: email, Endpoint: a@example.com }]",
        ["AWS::SSM::Parameter"] = "Tier: Advanced",
        ["AWS::Synthetics::Canary"] = "Schedule: { Expression: rate(5 minutes) }",
        ["AWS::CodePipeline::Pipeline"] = "PipelineType: V2",
        ["AWS::WAFv2::WebACL"] = "Rules: [{ Name: a }]",
        ["AWS::WAFv2::RuleGroup"] = "Rules: [{ Name: a }]",
    };

    [Fact]
    public async Task More_of_any_use_never_costs_less_and_lines_add_up_whatever_the_type()
    {
        var stack = await EverythingAsync();
        var usages = UsageProfile.Dimensions;
        Prop.ForAll<NonNegativeInt, PositiveInt, PositiveInt>((which, a, b) =>
        {
            var dimension = usages[which.Get % usages.Count];
            var start = dimension.Of(UsageProfile.Large);
            var less = Math.Min(Limit(dimension), start * (1 + (a.Get / 10m)));
            var more = Math.Min(Limit(dimension), less + (b.Get * Math.Max(1, start) / 10));
            return Cost(stack, dimension, less).MonthlyExpected <= Cost(stack, dimension, more).MonthlyExpected;
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task Every_amount_of_a_usage_profile_is_charged_or_named_as_unpriced()
    {
        var stack = await EverythingAsync();
        var idle = new List<string>();
        foreach (var dimension in UsageProfile.Dimensions)
        {
            var start = dimension.Of(UsageProfile.Large);
            var (less, more) = (Cost(stack, dimension, start), Cost(stack, dimension, Math.Min(Limit(dimension), (start + 1) * 1000)));
            if (less.MonthlyExpected >= more.MonthlyExpected && less.Unpriced.Sum(u => u.Quantity) >= more.Unpriced.Sum(u => u.Quantity))
            {
                idle.Add(dimension.Name);
            }
        }

        Assert.Empty(idle);
    }

    [Fact]
    public async Task Twice_the_resources_never_cost_less()
    {
        var stack = await EverythingAsync();
        var costs = new[] { 1, 2, 3, 7 }.Select(n => CostEstimator.Estimate([.. Enumerable.Repeat(stack, n)], new CostOptions { Usage = UsageProfile.Medium })).ToList();
        Assert.All(costs, CostEstimatorTests.AssertSums);
        Assert.Equal(costs.Select(c => c.MonthlyExpected).Order(), costs.Select(c => c.MonthlyExpected));
        Assert.True(costs[0].MonthlyExpected < costs[1].MonthlyExpected);
    }

    [Theory]
    [InlineData("AWS::EC2::Volume", "VolumeType: gp3, Size: {0}")]
    [InlineData("AWS::EC2::Volume", "VolumeType: gp3, Size: 100, Iops: {0}")]
    [InlineData("AWS::EC2::Volume", "VolumeType: gp3, Size: 100, Throughput: {0}")]
    [InlineData("AWS::Kinesis::Stream", "ShardCount: {0}")]
    [InlineData("AWS::ElastiCache::ReplicationGroup", "Engine: redis, CacheNodeType: cache.t3.micro, NumNodeGroups: 2, ReplicasPerNodeGroup: {0}")]
    [InlineData("AWS::EKS::Nodegroup", "InstanceTypes: [t3.large], ScalingConfig: {{ MinSize: 0, DesiredSize: {0}, MaxSize: 100000 }}")]
    [InlineData("AWS::RDS::DBInstance", "Engine: postgres, DBInstanceClass: db.t3.large, StorageType: gp3, AllocatedStorage: '{0}'")]
    [InlineData("AWS::Redshift::Cluster", "NodeType: dc2.large, NumberOfNodes: {0}")]
    [InlineData("AWS::Lambda::Function", "MemorySize: {0}")]
    [InlineData("AWS::Lambda::Function", "EphemeralStorage: {{ Size: {0} }}")]
    [InlineData("AWS::Logs::LogGroup", "LogGroupName: /app, RetentionInDays: {0}")]
    public async Task More_of_a_number_in_a_template_never_costs_less(string type, string properties)
    {
        async Task<CostEstimate> With(int number) => await Costing.OfResourcesAsync(
            $"  R: {{ Type: '{type}', Properties: {{ {string.Format(System.Globalization.CultureInfo.InvariantCulture, properties, number)} }} }}\n"
            + "  T: { Type: 'AWS::ECS::TaskDefinition', Properties: { ContainerDefinitions: [{ Name: c, Image: i, LogConfiguration: { LogDriver: awslogs, Options: { awslogs-group: /app } } }] } }\n",
            UsageProfile.Medium);
        var last = 0m;
        var first = 0m;
        foreach (var number in new[] { 1, 2, 3, 10, 100, 125, 126, 511, 512, 513, 2_999, 3_001, 10_000, 64_000 })
        {
            var estimate = await With(number);
            Assert.Empty(estimate.Unpriced);
            Assert.True(last <= estimate.MonthlyExpected, $"{number} costs {estimate.MonthlyExpected}, less of it {last}");
            last = estimate.MonthlyExpected;
            first = first == 0 ? last : first;
        }

        Assert.True(first < last, "the number has no part in the cost");
    }

    [Fact]
    public async Task Regions_differ_only_by_prices_whatever_the_type()
    {
        var usage = new CostOptions { Usage = UsageProfile.Medium, Today = new DateOnly(2026, 11, 23) };
        var reference = Demands(CostEstimator.Estimate(await EverythingAsync(), usage), "us-east-1");
        Assert.True(PriceCatalog.Embedded.Regions.Count >= 12);
        foreach (var region in PriceCatalog.Embedded.Regions)
        {
            var estimate = CostEstimator.Estimate(await EverythingAsync(region), usage);
            Assert.Equal(reference, Demands(estimate, region));

            // What is charged for a dimension is the price of that very region, through its tiers, for the quantities of all resources together.
            foreach (var group in estimate.Lines.Where(l => !l.IsDerived).GroupBy(l => (l.Region, l.Dimension)))
            {
                var key = group.Key.Dimension.Split('/');
                Assert.True(PriceCatalog.Embedded.TryFind(group.Key.Region, key[0], key[1], out var price));
                Assert.Contains(price.Region, new[] { group.Key.Region, PriceCatalog.Global });
                Assert.Equal(price.CostOf(group.Sum(l => l.Quantity)), group.Sum(l => l.MonthlyExpected), 6);
            }
        }

        static List<(string, string, decimal?)> Demands(CostEstimate estimate, string region) =>
        [
            .. estimate.Lines.Select(l => (l.Path, l.Name, (decimal?)l.Quantity))
                .Concat(estimate.Unpriced.Where(u => !u.Name.EndsWith("beyond the known tiers", StringComparison.Ordinal)).Select(u => (u.Path, u.Name, u.Quantity)))
                .Select(d => (d.Path, d.Name.Replace(region, "here", StringComparison.Ordinal).Replace(Elsewhere(region), "elsewhere", StringComparison.Ordinal), d.Item3))
                .Order(),
        ];
    }

    private static decimal Limit(UsageDimension dimension) => dimension.Name switch
    {
        nameof(UsageProfile.NatInternetOutGb) => UsageProfile.Large.NatProcessedGb,
        nameof(UsageProfile.StoredAddedGb) => UsageProfile.Large.StoredGb,
        _ => dimension.Maximum,
    };

    /// <summary>The region of a replica, which is never the one it is a replica of.</summary>
    private static string Elsewhere(string region) => region == "us-west-2" ? "us-east-2" : "us-west-2";

    private static CostEstimate Cost(EvaluatedStack stack, UsageDimension dimension, decimal value)
    {
        var estimate = CostEstimator.Estimate(stack, new CostOptions { Usage = UsageProfile.Large.With([new(dimension.Name, value)]) });
        CostEstimatorTests.AssertSums(estimate);
        return estimate;
    }

    private static async Task<EvaluatedStack> EverythingAsync(string region = "us-east-1")
    {
        Assert.Empty(s_properties.Keys.Except(Pricers.PricedTypes));
        var yaml = string.Concat(Pricers.PricedTypes.Select(
            t => $"  {t["AWS::".Length..].Replace("::", "", StringComparison.Ordinal)}: {{ Type: '{t}', Properties: {{ {s_properties.GetValueOrDefault(t)} }} }}\n"));
        return await StackEvaluator.EvaluateAsync(
            Template.Parse("Resources:\n" + yaml.Replace("ELSEWHERE", Elsewhere(region), StringComparison.Ordinal) + """
                  Launch: { Type: 'AWS::EC2::LaunchTemplate', Properties: { LaunchTemplateData: { InstanceType: m5.large, BlockDeviceMappings: [{ Ebs: { VolumeType: gp3, VolumeSize: 30 } }] } } }
                  Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { Cpu: 1024, Memory: 2048, ContainerDefinitions: [{ Name: c, Image: i, LogConfiguration: { LogDriver: awslogs, Options: { awslogs-group: /app } } }] } }
                  App: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /app, RetentionInDays: 30 } }
                  Logs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 30 } }
                  AccessLogs: { Type: 'AWS::S3::Bucket', Properties: { LifecycleConfiguration: { Rules: [{ Status: Enabled, ExpirationInDays: 90 }] } } }
                  Http: { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: HTTP } }
                  Live: { Type: 'AWS::Kinesis::Stream', Properties: { StreamModeDetails: { StreamMode: ON_DEMAND } } }
                  Db: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: postgres, DBInstanceClass: db.t3.large, MultiAZ: true, StorageType: gp3, AllocatedStorage: '100', EnableCloudwatchLogsExports: [postgresql] } }

                """.Replace("                  ", "  ", StringComparison.Ordinal)),
            StackFixture.Context(new Dictionary<string, string>(), region),
            TestContext.Current.CancellationToken);
    }
}
