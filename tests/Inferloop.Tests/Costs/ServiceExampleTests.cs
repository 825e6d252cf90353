using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Costs;

/// <summary>
/// Worked examples of the services beside network and containers, by hand from the public prices of us-east-1, equal to the cent. A month has
/// 730 hours and 2,628,000 seconds.
/// </summary>
public sealed class ServiceExampleTests
{
    [Fact]
    public async Task Lambda()
    {
        var estimate = await Costing.OfResourcesAsync("""
              F: { Type: 'AWS::Lambda::Function', Properties: { Code: { ZipFile: x }, Role: r, MemorySize: 1024, EphemeralStorage: { Size: 1536 } } }
              V: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: !Ref F, ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 } } }
            """, Costing.Only(("LambdaInvocations", 10_000_000), ("LambdaMilliseconds", 200)));

        Assert.Equal(2.00m, estimate.Line("F", "Lambda requests").MonthlyExpected);                   // 10,000,000 x 0.0000002
        Assert.Equal(33.33m, Costing.Cents(estimate.Line("F", "Lambda time").MonthlyExpected));       // 10,000,000 x 0.2 s x 1 GB x 0.0000166667
        Assert.Equal(0.06m, Costing.Cents(estimate.Line("F", "Lambda storage").MonthlyExpected));     // 2,000,000 s x 1 GB x 0.0000000309
        Assert.Equal(10.95m, Costing.Cents(estimate.Line("V", "Provisioned concurrency").MonthlyExpected)); // 2,628,000 s x 1 GB x 0.0000041667
    }

    [Fact]
    public async Task The_function_of_an_environment_with_its_api_and_queue()
    {
        var estimate = await CostEstimator.EstimateAsync(
            Stacks.StackFixture.Load("lambda.yaml"),
            Stacks.StackFixture.Context(new Dictionary<string, string>
            {
                ["EnvironmentName"] = "demo", ["Stage"] = "prod", ["LambdaProvisionedConcurrency"] = "2", ["LambdaHttpApi"] = "true", ["LambdaExecutionRoleName"] = "r", ["LambdaExecutionRoleArn"] = "arn:aws:iam::123456789012:role/r",
                ["PrivateSubnetIds"] = "subnet-1,subnet-2", ["TaskSecurityGroupId"] = "sg-1", ["KeyArn"] = "arn:aws:kms:us-east-1:123456789012:key/a", ["StorageBucketName"] = "b", ["TableName"] = "t",
                ["TableStreamArn"] = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/1",
            }),
            new CostOptions { Usage = Costing.Only(("LambdaInvocations", 3_000_000), ("LambdaMilliseconds", 400), ("ApiRequests", 3_000_000), ("QueueRequests", 500_000), ("Traces", 150_000)), Today = new DateOnly(2026, 11, 23) },
            TestContext.Current.CancellationToken);

        decimal Cents(string path, string line) => Costing.Cents(estimate.Line(path, line).MonthlyExpected);
        Assert.Equal(0.60m, Cents("Function", "Lambda requests"));          // 3,000,000 x 0.0000002
        Assert.Equal(58.75m, Cents("Function", "Lambda time"));             // 1,200,000 s x 3008/1024 GB x 0.0000166667
        Assert.Equal(0.35m, Cents("Function", "Lambda storage"));           // 1,200,000 s x (10240 - 512)/1024 GB x 0.0000000309
        Assert.Equal(2.40m, Cents("Function", "Lambda Insights metrics"));  // 8 x 0.30
        Assert.Equal(1.57m, Cents("Function", "Lambda Insights events"));   // 3,000,000 x 1.1 KB = 3.147 GB x 0.50
        Assert.Equal(64.33m, Cents("Alias", "Provisioned concurrency"));    // 2 x 2,628,000 s x 2.9375 GB x 0.0000041667
        Assert.Equal(3.00m, Cents("HttpApi", "API requests"));              // 3,000,000 x 0.000001
        Assert.Equal(0.20m, Cents("DeadLetterQueue", "Queue requests"));    // 500,000 x 0.0000004

        // The catalog has no price of X-Ray: its traces are named, not taken for free.
        Assert.Equal(150_000m, Assert.Single(estimate.Unpriced, u => u.Name == "X-Ray traces").Quantity);
    }

    [Fact]
    public async Task Api_gateway_queues_topics_and_events()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Api: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: a, ProtocolType: HTTP } }
              Q1: { Type: 'AWS::SQS::Queue', Properties: {} }
              Q2: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } }
              T: { Type: 'AWS::SNS::Topic', Properties: { Subscription: [{ Protocol: email, Endpoint: a@example.com }] } }
              Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: b } }
            """, Costing.Only(("ApiRequests", 3_000_000), ("QueueRequests", 4_000_000), ("TopicRequests", 1_000_000), ("TopicEmails", 3_000), ("CustomEvents", 500_000)));

        Assert.Equal(3.00m, estimate.Line("Api", "API requests").MonthlyExpected);                    // 3,000,000 x 0.000001
        Assert.Equal(0.80m, estimate.Line("Q1", "Queue requests").MonthlyExpected);                   // half of 4,000,000 x 0.0000004
        Assert.Equal(1.00m, estimate.Line("Q2", "Queue requests").MonthlyExpected);                   // half of 4,000,000 x 0.0000005
        Assert.Equal(0.50m, estimate.Line("T", "Topic requests").MonthlyExpected);                    // 1,000,000 x 0.0000005
        Assert.Equal(0.04m, estimate.Line("T", "E-mails").MonthlyExpected);                           // 2,000 beyond the free 1,000 x 0.00002
        Assert.Equal(0.50m, estimate.Line("Bus", "Custom events").MonthlyExpected);                   // 500,000 x 0.000001
    }

    [Fact]
    public async Task Eks_with_nodes_and_the_surcharge_for_an_old_version()
    {
        const string Yaml = """
              C: { Type: 'AWS::EKS::Cluster', Properties: { Version: '1.27', RoleArn: r, ResourcesVpcConfig: { SubnetIds: [a, b] } } }
              N: { Type: 'AWS::EKS::Nodegroup', Properties: { ClusterName: !Ref C, NodeRole: r, Subnets: [a], InstanceTypes: [t3.large], DiskSize: 50, ScalingConfig: { MinSize: 2, DesiredSize: 3, MaxSize: 6 } } }
            """;
        var estimate = await Costing.OfResourcesAsync(Yaml, Costing.Idle, on: new DateOnly(2026, 11, 23));
        Assert.Equal(73.00m, estimate.Line("C", "EKS control plane").MonthlyExpected);                // 730 x 0.10
        Assert.Equal(365.00m, estimate.Line("C", "Extended support of Kubernetes 1.27").MonthlyExpected); // 730 x 0.50
        var nodes = estimate.Line("N", "t3.large instances");
        Assert.Equal((121.472m, 182.208m, 364.416m), (nodes.MonthlyLow, nodes.MonthlyExpected, nodes.MonthlyHigh)); // 2, 3, 6 x 730 x 0.0832
        Assert.Equal(12.00m, estimate.Line("N", "gp3 volumes").MonthlyExpected);                      // 3 x 50 GB x 0.08

        var before = await Costing.OfResourcesAsync(Yaml, Costing.Idle, on: new DateOnly(2024, 7, 24));
        Assert.DoesNotContain(before.Lines, l => l.Name.StartsWith("Extended", StringComparison.Ordinal));
        var standard = await Costing.OfResourcesAsync(Yaml.Replace("RoleArn: r,", "RoleArn: r, UpgradePolicy: { SupportType: STANDARD },", StringComparison.Ordinal), Costing.Idle, on: new DateOnly(2026, 11, 23));
        Assert.DoesNotContain(standard.Lines, l => l.Name.StartsWith("Extended", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cluster_of_the_platform_costs_its_control_plane_nodes_and_disks()
    {
        var stack = await Stacks.StackFixture.EvaluateAsync("prod", parameters: [("EksEnabled", "true"), ("EksMinimumNodes", "3"), ("EksDesiredNodes", "3")]);
        var estimate = CostEstimator.Estimate(stack, new CostOptions { Today = new DateOnly(2026, 11, 23) });
        Assert.Equal(73.00m, estimate.Line("Eks/Cluster", "EKS control plane").MonthlyExpected);      // 730 x 0.10
        var nodes = estimate.Line("Eks/NodeGroup", "t3.medium instances");
        Assert.Equal((91.104m, 303.68m), (nodes.MonthlyExpected, nodes.MonthlyHigh));                 // 3, 10 x 730 x 0.0416
        Assert.Equal(24.00m, estimate.Line("Eks/NodeGroup", "gp3 volumes").MonthlyExpected);          // 3 x 100 GB x 0.08
        Assert.DoesNotContain(estimate.Lines, l => l.Name.StartsWith("Extended support of Kubernetes", StringComparison.Ordinal));
        Assert.DoesNotContain(estimate.Unpriced, u => u.Path.StartsWith("Eks/", StringComparison.Ordinal));

        var old = CostEstimator.Estimate(await Stacks.StackFixture.EvaluateAsync("prod", parameters: [("EksEnabled", "true"), ("EksVersion", "1.33")]), new CostOptions { Today = new DateOnly(2026, 11, 23) });
        Assert.Equal(365.00m, old.Line("Eks/Cluster", "Extended support of Kubernetes 1.33").MonthlyExpected); // 730 x 0.50
    }

    [Fact]
    public async Task Rds_with_a_standby_a_replica_growing_storage_and_extended_support()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Db:
                Type: AWS::RDS::DBInstance
                Properties: { Engine: postgres, EngineVersion: '13.7', DBInstanceClass: db.t3.large, MultiAZ: true, StorageType: gp3, AllocatedStorage: '100', MaxAllocatedStorage: 200, EnablePerformanceInsights: true, PerformanceInsightsRetentionPeriod: 31, MonitoringInterval: 60 }
              Replica: { Type: 'AWS::RDS::DBInstance', Properties: { SourceDBInstanceIdentifier: !Ref Db, DBInstanceClass: db.t3.large, StorageType: gp3 } }
            """, Costing.Only(("DatabaseBackupGb", 20)), on: new DateOnly(2026, 11, 23));

        Assert.Equal(211.70m, estimate.Line("Db", "db.t3.large instance, Multi-AZ").MonthlyExpected); // 730 x 2 x 0.145
        var storage = estimate.Line("Db", "gp3 storage, Multi-AZ");
        Assert.Equal((23.00m, 23.00m, 46.00m), (storage.MonthlyLow, storage.MonthlyExpected, storage.MonthlyHigh)); // 100 and 200 GB x 0.23
        Assert.Equal(292.00m, estimate.Line("Db", "Extended support of postgres 13.7, year 1").MonthlyExpected); // 2 x 2 vCPU x 730 x 0.10
        Assert.Equal(105.85m, estimate.Line("Replica", "db.t3.large instance").MonthlyExpected);      // 730 x 0.145
        Assert.Equal(11.50m, estimate.Line("Replica", "gp3 storage").MonthlyExpected);                // the source's 100 GB x 0.115
        Assert.Equal(1.90m, estimate.Lines.Where(l => l.Name == "Backups").Sum(l => l.MonthlyExpected)); // 20 GB x 0.095
        Assert.Equal(0.08m, Costing.Cents(estimate.Line("Db", "Enhanced Monitoring logs").MonthlyExpected)); // 43,800 x 4 KB = 0.167 GB x 0.50
        Assert.Equal(2m, estimate.Line("Db", "Performance Insights").Quantity);                       // vCPU

        // In the third year the rate is another, which the facts do not have: unpriced, not year one's.
        var later = await Costing.OfResourcesAsync("  Db: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: postgres, EngineVersion: '13.7', DBInstanceClass: db.t3.large } }\n", Costing.Idle, on: new DateOnly(2028, 6, 1));
        Assert.Contains(later.Unpriced, u => u.Name.EndsWith("year 3", StringComparison.Ordinal) && u.Quantity == 1460);
    }

    [Fact]
    public async Task Aurora_serverless_between_its_bounds()
    {
        var estimate = await Costing.OfResourcesAsync("""
              C: { Type: 'AWS::RDS::DBCluster', Properties: { Engine: aurora-postgresql, ServerlessV2ScalingConfiguration: { MinCapacity: 1, MaxCapacity: 11 } } }
              I: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: aurora-postgresql, DBInstanceClass: db.serverless, DBClusterIdentifier: !Ref C } }
            """, Costing.Only(("ServerlessLoadShare", 0.2m), ("AuroraStoredGb", 50), ("AuroraIoRequests", 10_000_000)));
        var units = estimate.Line("I", "Aurora capacity units");
        Assert.Equal((87.60m, 262.80m, 963.60m), (units.MonthlyLow, units.MonthlyExpected, units.MonthlyHigh)); // 1, 3, 11 x 730 x 0.12
        Assert.Equal(5.00m, estimate.Line("C", "Aurora storage").MonthlyExpected);                    // 50 GB x 0.10
        Assert.Equal(2.00m, estimate.Line("C", "Aurora I/O requests").MonthlyExpected);               // 10,000,000 x 0.0000002
    }

    [Fact]
    public async Task Elasticache_counts_shards_and_replicas()
    {
        var estimate = await Costing.OfResourcesAsync("""
              One: { Type: 'AWS::ElastiCache::ReplicationGroup', Properties: { ReplicationGroupDescription: x, Engine: redis, CacheNodeType: cache.t3.micro, NumCacheClusters: 2, SnapshotRetentionLimit: 7 } }
              Many: { Type: 'AWS::ElastiCache::ReplicationGroup', Properties: { ReplicationGroupDescription: x, Engine: redis, CacheNodeType: cache.t4g.small, NumNodeGroups: 3, ReplicasPerNodeGroup: 1 } }
              Valkey: { Type: 'AWS::ElastiCache::ReplicationGroup', Properties: { ReplicationGroupDescription: x, Engine: valkey, CacheNodeType: cache.t4g.small, NumCacheClusters: 1 } }
            """, Costing.Only(("CacheBackupGb", 10)));
        Assert.Equal(24.82m, estimate.Line("One", "cache.t3.micro nodes").MonthlyExpected);           // 2 x 730 x 0.017
        Assert.Equal(0.85m, estimate.Line("One", "Cache backups").MonthlyExpected);                   // 10 GB x 0.085
        Assert.Equal(140.16m, estimate.Line("Many", "cache.t4g.small nodes").MonthlyExpected);        // 6 x 730 x 0.032
        Assert.Equal("Valkey", Assert.Single(estimate.Unpriced).Path);                                // cheaper than Redis, and in no source
    }

    [Fact]
    public async Task Batch_charges_at_least_a_minute_a_job()
    {
        const string Job = "  J: { Type: 'AWS::Batch::JobDefinition', Properties: { Type: container, ContainerProperties: { Image: i, ResourceRequirements: [{ Type: VCPU, Value: '2' }, { Type: MEMORY, Value: '4096' }] } } }\n";
        var fargate = await Costing.OfResourcesAsync(
            Job + "  E: { Type: 'AWS::Batch::ComputeEnvironment', Properties: { Type: MANAGED, ComputeResources: { Type: FARGATE, MaxvCpus: 64, Subnets: [a] } } }\n",
            Costing.Only(("BatchJobs", 6_000), ("BatchJobSeconds", 20)));

        // 6,000 jobs of 20 seconds are charged as 6,000 minutes, 100 hours: 200 vCPU-hours x 0.04048 and 400 GB-hours x 0.004445.
        Assert.Equal(8.096m, fargate.Line("E", "Fargate vCPU").MonthlyExpected);
        Assert.Equal(1.778m, fargate.Line("E", "Fargate memory").MonthlyExpected);

        var ec2 = await Costing.OfResourcesAsync(
            Job + "  E: { Type: 'AWS::Batch::ComputeEnvironment', Properties: { Type: MANAGED, ComputeResources: { Type: EC2, MinvCpus: 0, MaxvCpus: 64, InstanceTypes: [m5.large], Subnets: [a] } } }\n",
            Costing.Only(("BatchJobs", 1_000), ("BatchJobSeconds", 3_600)));
        Assert.Equal(96.00m, ec2.Line("E", "m5.large instances").MonthlyExpected);                    // 2,000 vCPU-hours / 2 x 0.096
        Assert.Equal(3.29m, Costing.Cents(ec2.Line("E", "gp3 volumes").MonthlyExpected));             // 1,000 h / 730 x 30 GB x 0.08
    }

    [Fact]
    public async Task Governance()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Trail: { Type: 'AWS::CloudTrail::Trail', Properties: { IsLogging: true, S3BucketName: b, EventSelectors: [{ DataResources: [{ Type: 'AWS::S3::Object', Values: [x] }] }] } }
              Plain: { Type: 'AWS::CloudTrail::Trail', Properties: { IsLogging: true, S3BucketName: b } }
              Recorder: { Type: 'AWS::Config::ConfigurationRecorder', Properties: { RoleARN: r } }
              Rule: { Type: 'AWS::Config::ConfigRule', Properties: { Source: { Owner: AWS, SourceIdentifier: X } } }
              Vault: { Type: 'AWS::Backup::BackupVault', Properties: { BackupVaultName: v } }
              Board: { Type: 'AWS::CloudWatch::Dashboard', Properties: { DashboardBody: '{}' } }
              Filter: { Type: 'AWS::Logs::MetricFilter', Properties: { LogGroupName: g, FilterPattern: x, MetricTransformations: [{ MetricName: m, MetricNamespace: n, MetricValue: '1' }] } }
              Query: { Type: 'AWS::Logs::QueryDefinition', Properties: { Name: q, QueryString: fields } }
              Check: { Type: 'AWS::Route53::HealthCheck', Properties: { HealthCheckConfig: { Type: HTTPS, FullyQualifiedDomainName: x.example.com, RequestInterval: 10 } } }
            """, Costing.Only(
                ("TrailDataEvents", 2_000_000), ("ConfigItems", 1_000), ("ConfigEvaluations", 10_000), ("BackupVaultGb", 100), ("TableBackupGb", 10), ("LogsScannedGb", 100)));

        Assert.Equal(1.00m, estimate.Line("Trail", "Data events").MonthlyExpected);                   // half of 2,000,000 x 0.000001
        Assert.Contains(estimate.Free, f => f.Path == "Plain");                                       // first copy of management events
        Assert.Equal(3.00m, estimate.Line("Recorder", "Configuration items").MonthlyExpected);        // 1,000 x 0.003
        Assert.Equal(10.00m, estimate.Line("Rule", "Rule evaluations").MonthlyExpected);              // 10,000 x 0.001
        var points = estimate.Line("Vault", "Database recovery points");
        Assert.Equal((9.50m, true), (points.MonthlyExpected, points.IsDerived));                      // 100 GB x 0.095, as RDS
        Assert.Equal(1.00m, estimate.Line("Vault", "Table recovery points").MonthlyExpected);         // 10 GB x 0.10
        Assert.Equal(3.00m, estimate.Line("Board", "Dashboard").MonthlyExpected);
        Assert.Equal(0.30m, estimate.Line("Filter", "Metrics from logs").MonthlyExpected);
        Assert.Equal(0.50m, estimate.Line("Query", "Logs Insights queries").MonthlyExpected);         // 100 GB x 0.005
        Assert.Equal(0.75m, estimate.Line("Check", "Health check").MonthlyExpected);                  // outside AWS
        Assert.Equal(4.00m, estimate.Line("Check", "Health check features").MonthlyExpected);         // HTTPS and fast x 2.00
    }

    [Fact]
    public async Task Firewall_builds_pipelines_and_images()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Acl: { Type: 'AWS::WAFv2::WebACL', Properties: { Scope: REGIONAL, DefaultAction: { Allow: {} }, Rules: [{ Name: a }, { Name: b }, { Name: c }] } }
              Build: { Type: 'AWS::CodeBuild::Project', Properties: { Environment: { Type: LINUX_CONTAINER, ComputeType: BUILD_GENERAL1_SMALL, Image: i } } }
              Pipe: { Type: 'AWS::CodePipeline::Pipeline', Properties: { PipelineType: V2, RoleArn: r, Stages: [] } }
              Old: { Type: 'AWS::CodePipeline::Pipeline', Properties: { RoleArn: r, Stages: [] } }
              Images: { Type: 'AWS::ECR::Repository', Properties: { RepositoryName: r } }
              Vpn: { Type: 'AWS::EC2::VPNConnection', Properties: { Type: ipsec.1, CustomerGatewayId: c } }
            """, Costing.Only(("FirewallRequests", 10_000_000), ("BuildMinutes", 400), ("PipelineMinutes", 500), ("ImageGb", 20), ("VpnOutGb", 10)));

        Assert.Equal(5.00m, estimate.Line("Acl", "Web ACL").MonthlyExpected);
        Assert.Equal(3.00m, estimate.Line("Acl", "Web ACL rules").MonthlyExpected);
        Assert.Equal(6.00m, estimate.Line("Acl", "Inspected requests").MonthlyExpected);              // 10,000,000 x 0.0000006
        Assert.Equal(2.00m, estimate.Line("Build", "Build minutes").MonthlyExpected);                 // 400 x 0.005
        Assert.Equal(1.00m, estimate.Line("Pipe", "Action minutes").MonthlyExpected);                 // 500 x 0.002
        Assert.Equal(1.00m, estimate.Line("Old", "Active pipeline").MonthlyExpected);
        Assert.Equal(2.00m, estimate.Line("Images", "Images").MonthlyExpected);                       // 20 GB x 0.10
        Assert.Equal(36.50m, estimate.Line("Vpn", "VPN connection").MonthlyExpected);                 // 730 x 0.05
        Assert.Equal(0.90m, estimate.Line("Vpn", "VPN to the other side").MonthlyExpected);           // 10 GB x 0.09
    }

    [Fact]
    public async Task Replicas_are_charged_at_the_prices_of_their_regions()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Secret: { Type: 'AWS::SecretsManager::Secret', Properties: { ReplicaRegions: [{ Region: ap-northeast-1 }, { Region: us-west-2 }] } }
              Table:
                Type: AWS::DynamoDB::GlobalTable
                Properties: { BillingMode: PAY_PER_REQUEST, KeySchema: [], AttributeDefinitions: [], Replicas: [{ Region: us-east-1 }, { Region: us-west-2 }] }
              Bucket: { Type: 'AWS::S3::Bucket', Properties: { ReplicationConfiguration: { Role: r, Rules: [{ Status: Enabled, Destination: { Bucket: b } }] } } }
            """, Costing.Only(("TableWriteUnits", 1_000_000), ("TableStoredGb", 10), ("StoredGb", 100), ("StoredAddedGb", 100), ("ReplicatedGb", 5)));

        Assert.Equal(0.40m, estimate.Line("Secret", "Secret").MonthlyExpected);
        Assert.Equal(("ap-northeast-1", 0.40m), (estimate.Line("Secret", "Replica in ap-northeast-1").Region, estimate.Line("Secret", "Replica in ap-northeast-1").MonthlyExpected));
        Assert.Equal("Replica in us-west-2", Assert.Single(estimate.Unpriced).Name);                  // no price of that region: not borrowed
        Assert.Equal(0.625m, estimate.Line("Table", "Writes in us-west-2").MonthlyExpected);          // 1,000,000 x 0.000000625
        Assert.Equal(2.50m, estimate.Line("Table", "Table storage in us-west-2").MonthlyExpected);    // 10 GB x 0.25
        Assert.Equal(0.10m, estimate.Line("Table", "Replication to other regions").MonthlyExpected);  // 5 GB x 0.02
        Assert.Equal(2.00m, estimate.Line("Bucket", "Replication to another region").MonthlyExpected); // 100 GB x 0.02
    }

    [Fact]
    public async Task Other_services()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Nlb: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Type: network, Scheme: internal, Subnets: [a, b] } }
              Clb: { Type: 'AWS::ElasticLoadBalancing::LoadBalancer', Properties: { Listeners: [] } }
              Files: { Type: 'AWS::EFS::FileSystem', Properties: { ThroughputMode: provisioned, ProvisionedThroughputInMibps: 10 } }
              Stream: { Type: 'AWS::Kinesis::Stream', Properties: { ShardCount: 2 } }
              Kafka: { Type: 'AWS::MSK::Cluster', Properties: { NumberOfBrokerNodes: 2, BrokerNodeGroupInfo: { InstanceType: kafka.t3.small, StorageInfo: { EBSStorageInfo: { VolumeSize: 100 } } } } }
              House: { Type: 'AWS::Redshift::Cluster', Properties: { NodeType: ra3.4xlarge, NumberOfNodes: 2, ClusterType: multi-node } }
              Cdn: { Type: 'AWS::CloudFront::Distribution', Properties: { DistributionConfig: { Enabled: true } } }
              Machine: { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: r } }
              Disk: { Type: 'AWS::EC2::Volume', Properties: { VolumeType: io2, Size: 100, Iops: 1000, AvailabilityZone: a } }
              Broker: { Type: 'AWS::AmazonMQ::Broker', Properties: { HostInstanceType: mq.m5.large, DeploymentMode: ACTIVE_STANDBY_MULTI_AZ } }
            """, Costing.Only(("LoadBalancerGb", 1460), ("FileSystemGb", 100), ("StreamUnits", 1_000_000_000), ("CdnGb", 20_480), ("StateTransitions", 1_000_000)));

        Assert.Equal(16.425m, estimate.Line("Nlb", "Network load balancer").MonthlyExpected);         // 730 x 0.0225
        Assert.Equal(8.76m, Costing.Cents(estimate.Line("Nlb", "Load balancer capacity units").MonthlyExpected)); // 2 GB an hour x 730 x 0.006
        Assert.Equal(18.25m, estimate.Line("Clb", "Classic load balancer").MonthlyExpected);          // 730 x 0.025
        Assert.Equal(11.68m, estimate.Line("Clb", "Load balancer traffic").MonthlyExpected);          // 1,460 GB x 0.008
        Assert.Equal(30.00m, estimate.Line("Files", "File system storage").MonthlyExpected);          // 100 GB x 0.30
        Assert.Equal(60.00m, estimate.Line("Files", "Provisioned throughput").MonthlyExpected);       // 10 x 6
        Assert.Equal(21.90m, estimate.Line("Stream", "Shards").MonthlyExpected);                      // 2 x 730 x 0.015
        Assert.Equal(14.00m, estimate.Line("Stream", "Put units").MonthlyExpected);                   // 1,000,000,000 x 0.000000014
        Assert.Equal(66.576m, estimate.Line("Kafka", "kafka.t3.small brokers").MonthlyExpected);      // 2 x 730 x 0.0456
        Assert.Equal(4_759.60m, estimate.Line("House", "ra3.4xlarge nodes").MonthlyExpected);         // 2 x 730 x 3.26
        Assert.Equal(1_689.60m, estimate.Line("Cdn", "CloudFront to clients").MonthlyExpected);       // 10,240 x 0.085 + 10,240 x 0.08
        Assert.Equal(25.00m, estimate.Line("Machine", "State transitions").MonthlyExpected);          // 1,000,000 x 0.000025
        Assert.Equal(12.50m, estimate.Line("Disk", "io2 volumes").MonthlyExpected);                   // 100 GB x 0.125
        Assert.Equal(65.00m, estimate.Line("Disk", "io2 operations").MonthlyExpected);                // 1,000 x 0.065
        Assert.Equal(420.48m, estimate.Line("Broker", "mq.m5.large brokers").MonthlyExpected);        // 2 x 730 x 0.288
    }
}
