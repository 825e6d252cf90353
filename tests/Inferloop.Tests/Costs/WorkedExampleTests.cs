using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Costs;

/// <summary>
/// One worked example per service, by hand from the public prices of us-east-1, equal to the cent. A month has 730 hours; a day is 24/730 of
/// a month.
/// </summary>
public sealed class WorkedExampleTests
{
    private const string Vpc = """
          Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: 10.0.0.0/16 } }
          Public1: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24 } }
          Public2: { Type: 'AWS::EC2::Subnet', Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24 } }

        """;

    [Fact]
    public async Task Nat_gateway()
    {
        var estimate = await Costing.OfResourcesAsync(Vpc + """
              Address: { Type: 'AWS::EC2::EIP', Properties: { Domain: vpc } }
              Nat: { Type: 'AWS::EC2::NatGateway', Properties: { SubnetId: !Ref Public1, AllocationId: !GetAtt Address.AllocationId } }
            """, Costing.Only(("NatProcessedGb", 50), ("NatInternetOutGb", 5)));

        Assert.Equal(32.85m, estimate.Line("Nat", "NAT gateway").MonthlyExpected);                    // 730 h x 0.045
        Assert.Equal(2.25m, estimate.Line("Nat", "NAT gateway traffic").MonthlyExpected);             // 50 GB x 0.045
        Assert.Equal(0.45m, estimate.Line("Nat", "NAT gateway to internet").MonthlyExpected);         // 5 GB x 0.09
        Assert.Equal(3.65m, estimate.Line("Address", "Public IPv4 address").MonthlyExpected);         // 730 h x 0.005
        Assert.Equal(39.20m, estimate.MonthlyExpected);
        Assert.Empty(estimate.Unpriced);
    }

    [Fact]
    public async Task Nat_gateway_that_serves_two_zones()
    {
        var estimate = await Costing.OfResourcesAsync(Vpc + """
              Address: { Type: 'AWS::EC2::EIP', Properties: { Domain: vpc } }
              Nat: { Type: 'AWS::EC2::NatGateway', Properties: { SubnetId: !Ref Public1, AllocationId: !GetAtt Address.AllocationId } }
              Table1: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: !Ref Vpc } }
              Table2: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: !Ref Vpc } }
              Route1: { Type: 'AWS::EC2::Route', Properties: { RouteTableId: !Ref Table1, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat } }
              Route2: { Type: 'AWS::EC2::Route', Properties: { RouteTableId: !Ref Table2, DestinationCidrBlock: 0.0.0.0/0, NatGatewayId: !Ref Nat } }
            """, Costing.Only(("NatProcessedGb", 50), ("InterAzGb", 20)));

        // Half of 50 GB comes from the other zone: 25 GB out of there at 0.01 and 25 GB in here at 0.01.
        Assert.Equal(0.50m, estimate.Line("Nat", "Traffic between zones to the NAT gateway").MonthlyExpected);
        Assert.Equal(0.40m, estimate.Line("Vpc", "Traffic between zones").MonthlyExpected);           // 20 GB x 2 x 0.01
    }

    [Fact]
    public async Task Idle_address_and_interface_endpoint()
    {
        var estimate = await Costing.OfResourcesAsync(Vpc + """
              Spare: { Type: 'AWS::EC2::EIP', Properties: { Domain: vpc } }
              S3: { Type: 'AWS::EC2::VPCEndpoint', Properties: { VpcId: !Ref Vpc, ServiceName: com.amazonaws.us-east-1.s3 } }
              Logs:
                Type: AWS::EC2::VPCEndpoint
                Properties: { VpcId: !Ref Vpc, VpcEndpointType: Interface, ServiceName: com.amazonaws.us-east-1.logs, SubnetIds: [!Ref Public1, !Ref Public2] }
            """, Costing.Only(("EndpointGb", 100)));

        Assert.Equal(3.65m, estimate.Line("Spare", "Idle public IPv4 address").MonthlyExpected);      // 730 h x 0.005
        Assert.Equal(14.60m, estimate.Line("Logs", "Interface endpoint").MonthlyExpected);            // 2 zones x 730 h x 0.01
        Assert.Equal(1.00m, estimate.Line("Logs", "Interface endpoint traffic").MonthlyExpected);     // 100 GB x 0.01
        Assert.Contains(estimate.Free, f => f.Path == "S3");
    }

    [Fact]
    public async Task Application_load_balancer()
    {
        var estimate = await Costing.OfResourcesAsync(
            Vpc + "  Alb: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Subnets: [!Ref Public1, !Ref Public2] } }\n",
            Costing.Only(("LoadBalancerConnections", 500_000), ("LoadBalancerConnectionSeconds", 30), ("LoadBalancerGb", 30), ("InternetOutGb", 20)));

        Assert.Equal(16.425m, estimate.Line("Alb", "Load balancer").MonthlyExpected);                 // 730 h x 0.0225

        // New connections 500,000 / 2,628,000 s = 0.19 a second, of 25; open 0.19 x 30 = 5.7, of 3,000; 30 GB / 730 h = 0.041 of 1 GB an
        // hour, the greatest: 0.041 x 730 = 30 LCU-hours x 0.008.
        Assert.Equal(0.24m, Costing.Cents(estimate.Line("Alb", "Load balancer capacity units").MonthlyExpected));
        Assert.Equal(1.80m, estimate.Line("Alb", "Load balancer to internet").MonthlyExpected);       // 20 GB x 0.09
        Assert.Equal(7.30m, estimate.Line("Alb", "Public IPv4 addresses of the load balancer").MonthlyExpected); // 2 x 730 h x 0.005
        Assert.Equal(25.77m, Costing.Cents(estimate.MonthlyExpected));
    }

    [Fact]
    public async Task Load_balancer_with_many_connections_is_charged_by_them()
    {
        // 400 million connections / 2,628,000 s = 152.2 a second / 25 = 6.088 LCU; open 152.2 x 30 = 4,566 / 3,000 = 1.52; 1 GB an hour.
        var estimate = await Costing.OfResourcesAsync(
            Vpc + "  Alb: { Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Scheme: internal, Subnets: [!Ref Public1, !Ref Public2] } }\n",
            Costing.Only(("LoadBalancerConnections", 400_000_000), ("LoadBalancerConnectionSeconds", 30), ("LoadBalancerGb", 730)));
        Assert.Equal(35.56m, Costing.Cents(estimate.Line("Alb", "Load balancer capacity units").MonthlyExpected)); // 6.088280 x 730 x 0.008
        Assert.DoesNotContain(estimate.Lines, l => l.Dimension.StartsWith("public_ipv4", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fargate_tasks_between_the_bounds_of_autoscaling()
    {
        var estimate = await Costing.OfResourcesAsync(Service("{ CapacityProvider: FARGATE, Weight: 1 }", desired: 3, minimum: 2, maximum: 10), Costing.Idle);

        // One task of 1 vCPU and 2 GB: 730 x 0.04048 = 29.5504 and 2 x 730 x 0.004445 = 6.4897, together 36.0401.
        var cpu = estimate.Line("Service", "Fargate vCPU");
        Assert.Equal((59.1008m, 88.6512m, 295.504m), (cpu.MonthlyLow, cpu.MonthlyExpected, cpu.MonthlyHigh));
        Assert.Equal((1460m, 2190m, 7300m, "vcpu_hour", 0.04048m), (cpu.QuantityLow, cpu.Quantity, cpu.QuantityHigh, cpu.Unit, cpu.UnitPrice));
        Assert.Equal((72.0802m, 108.1203m, 360.401m), (estimate.MonthlyLow, estimate.MonthlyExpected, estimate.MonthlyHigh));
    }

    [Fact]
    public async Task Fargate_spot_has_no_list_price_and_says_what_it_is_at_most()
    {
        // Four tasks: two are the base, on demand; of the two left one on demand, one on Spot.
        var yaml = Service("{ CapacityProvider: FARGATE, Base: 2, Weight: 1 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 }", desired: 4, minimum: 4, maximum: 4);
        var estimate = await Costing.OfResourcesAsync(yaml, Costing.Idle);
        Assert.Equal(108.1203m, estimate.MonthlyExpected);                                            // 3 x 36.0401
        var spot = Assert.Single(estimate.Unpriced);
        Assert.Equal(("Fargate Spot tasks", 730m, 36.0401m), (spot.Name, spot.Quantity, spot.AtMost));

        var discounted = await Costing.OfResourcesAsync(yaml, Costing.Idle, spotDiscount: 70);
        Assert.Equal(118.93233m, discounted.MonthlyExpected);                                         // 108.1203 + 36.0401 x 0.3
        Assert.Empty(discounted.Unpriced);
        var line = discounted.Line("Service", "Fargate Spot vCPU");
        Assert.True(line.IsDerived);
        Assert.Equal(0.012144m, line.UnitPrice);                                                      // 0.04048 x 0.3
        Assert.StartsWith("derived: on-demand price less 70 percent", line.PriceSource, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fargate_on_arm_with_more_storage()
    {
        var yaml = Service("{ CapacityProvider: FARGATE, Weight: 1 }", 1, 1, 1).Replace(
            "Cpu: 1024,", "Cpu: 1024, RuntimePlatform: { CpuArchitecture: ARM64 }, EphemeralStorage: { SizeInGiB: 50 },", StringComparison.Ordinal);
        var estimate = await Costing.OfResourcesAsync(yaml, Costing.Idle);
        Assert.Equal(23.6374m, estimate.Line("Service", "Fargate vCPU").MonthlyExpected);             // 730 x 0.03238
        Assert.Equal(5.1976m, estimate.Line("Service", "Fargate memory").MonthlyExpected);            // 2 x 730 x 0.00356
        Assert.Equal(2.4309m, estimate.Line("Service", "Fargate storage").MonthlyExpected);           // 30 x 730 x 0.000111
    }

    [Fact]
    public async Task Tasks_on_instances_are_charged_as_the_instances_they_need()
    {
        var yaml = Service("{ CapacityProvider: !Ref Capacity, Weight: 1 }", desired: 3, minimum: 2, maximum: 10) + Group("t3.medium", minimum: 0, maximum: 8);
        var estimate = await Costing.OfResourcesAsync(yaml, Costing.Idle);

        // A t3.medium has 4 GiB, 3.72 of them for tasks of 2 GB: one each. Low 2, expected 3, high 10 but the group ends at 8.
        var instances = estimate.Line("Group", "t3.medium instances");
        Assert.Equal((1460m, 2190m, 5840m), (instances.QuantityLow, instances.Quantity, instances.QuantityHigh));
        Assert.Equal(91.104m, instances.MonthlyExpected);                                             // 3 x 730 x 0.0416
        Assert.Equal(7.20m, estimate.Line("Group", "gp3 volumes").MonthlyExpected);                   // 3 x 30 GB x 0.08
        Assert.Equal(98.304m, estimate.MonthlyExpected);
        Assert.Contains(estimate.Free, f => f.Path == "Service");

        // Four such tasks fit an m5.xlarge (4 vCPU, 16 GiB): CPU is what runs out.
        var larger = await Costing.OfResourcesAsync(
            Service("{ CapacityProvider: !Ref Capacity, Weight: 1 }", 8, 8, 8) + Group("m5.xlarge", 0, 8), Costing.Idle);
        Assert.Equal(280.32m, larger.Line("Group", "m5.xlarge instances").MonthlyExpected);           // 2 x 730 x 0.192
    }

    [Fact]
    public async Task Ec2_instance_and_volume_with_more_than_the_included_operations()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Host:
                Type: AWS::EC2::Instance
                Properties:
                  InstanceType: m5.large
                  ImageId: ami-0123456789abcdef0
                  BlockDeviceMappings: [{ DeviceName: /dev/xvda, Ebs: { VolumeType: gp2, VolumeSize: 50 } }]
              Disk: { Type: 'AWS::EC2::Volume', Properties: { AvailabilityZone: us-east-1a, VolumeType: gp3, Size: 100, Iops: 4000, Throughput: 250 } }
            """, Costing.Idle);
        Assert.Equal(70.08m, estimate.Line("Host", "m5.large instances").MonthlyExpected);            // 730 x 0.096
        Assert.Equal(5.00m, estimate.Line("Host", "gp2 volumes").MonthlyExpected);                    // 50 GB x 0.10
        Assert.Equal(8.00m, estimate.Line("Disk", "gp3 volumes").MonthlyExpected);                    // 100 GB x 0.08
        Assert.Equal(5.00m, estimate.Line("Disk", "gp3 operations").MonthlyExpected);                 // 1,000 x 0.005
        Assert.Equal(5.00m, estimate.Line("Disk", "gp3 throughput").MonthlyExpected);                 // 125 MiB/s x 0.04
    }

    [Fact]
    public async Task Kms_key_and_secret()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Key: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: {} } }
              One: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: {} } }
              Two: { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: {} } }
            """, Costing.Only(("KeyRequests", 100_000), ("SecretRequests", 10_000)));
        Assert.Equal(1.30m, estimate.Lines.Where(l => l.Path == "Key").Sum(l => l.MonthlyExpected));  // 1.00 + 100,000 x 0.000003
        Assert.Equal(0.40m, estimate.Line("One", "Secret").MonthlyExpected);
        Assert.Equal(0.025m, estimate.Line("One", "Secrets Manager requests").MonthlyExpected);       // half of 10,000 at 0.05 per 10,000
        Assert.Equal(2.15m, estimate.MonthlyExpected);
    }

    [Fact]
    public async Task S3_bucket_by_the_document_s_lifecycle()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Logs: { Type: 'AWS::S3::Bucket', Properties: { LifecycleConfiguration: { Rules: [{ Status: Enabled, ExpirationInDays: 90 }] } } }
              Data:
                Type: AWS::S3::Bucket
                Properties:
                  VersioningConfiguration: { Status: Enabled }
                  LoggingConfiguration: { DestinationBucketName: !Ref Logs }
                  LifecycleConfiguration:
                    Rules:
                      - Status: Enabled
                        Transitions: [{ StorageClass: STANDARD_IA, TransitionInDays: 30 }, { StorageClass: GLACIER, TransitionInDays: 90 }]
                        NoncurrentVersionExpiration: { NoncurrentDays: 180 }
                      - { Status: Enabled, Prefix: temporary/, ExpirationInDays: 1 }
            """, UsageProfile.Small);

        // 100 GB, 20 added a month. 30 days are 0.98630 months: 19.72603 GB x 0.023. The next 60 days: 39.45205 GB x 0.0125. The rest:
        // 40.82192 GB x 0.0036.
        Assert.Equal(0.45m, Costing.Cents(estimate.Line("Data", "S3 Standard storage").MonthlyExpected));
        Assert.Equal(0.49m, Costing.Cents(estimate.Line("Data", "S3 STANDARD_IA storage").MonthlyExpected));
        Assert.Equal(0.15m, Costing.Cents(estimate.Line("Data", "S3 GLACIER storage").MonthlyExpected));
        Assert.Equal(100m, Math.Round(estimate.Lines.Where(l => l.Path == "Data" && l.Name.EndsWith("storage", StringComparison.Ordinal)).Sum(l => l.Quantity), 10));
        Assert.Equal(0.20m, estimate.Line("Data", "Transitions to STANDARD_IA").MonthlyExpected);     // 20,000 objects x 0.01 per 1,000
        Assert.Equal(0.60m, estimate.Line("Data", "Transitions to GLACIER").MonthlyExpected);         // 20,000 x 0.03 per 1,000
        Assert.Equal(0.27m, Costing.Cents(estimate.Line("Data", "Old versions").MonthlyExpected));    // 2 GB x 5.91781 months x 0.023
        Assert.Equal(0.25m, estimate.Line("Data", "PUT, COPY, POST, LIST requests").MonthlyExpected); // 50,000 x 0.005 per 1,000
        Assert.Equal(0.20m, estimate.Line("Data", "GET and other requests").MonthlyExpected);         // 500,000 x 0.0004 per 1,000
        Assert.Equal(2.62m, Costing.Cents(estimate.Lines.Where(l => l.Path == "Data").Sum(l => l.MonthlyExpected)));
        Assert.Equal(0.07m, Costing.Cents(estimate.Line("Logs", "Access logs").MonthlyExpected));     // 1 GB x 2.95890 months x 0.023
    }

    [Fact]
    public async Task DynamoDB_on_demand_with_an_index_and_recovery()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Table:
                Type: AWS::DynamoDB::Table
                Properties:
                  BillingMode: PAY_PER_REQUEST
                  AttributeDefinitions: [{ AttributeName: id, AttributeType: S }, { AttributeName: status, AttributeType: S }]
                  KeySchema: [{ AttributeName: id, KeyType: HASH }]
                  GlobalSecondaryIndexes: [{ IndexName: s, KeySchema: [{ AttributeName: status, KeyType: HASH }], Projection: { ProjectionType: ALL } }]
                  PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
                  StreamSpecification: { StreamViewType: NEW_IMAGE }
            """, Costing.Only(("TableReadUnits", 1_000_000), ("TableWriteUnits", 200_000), ("TableStoredGb", 1), ("TableStreamReads", 1_000_000)));
        Assert.Equal(0.125m, estimate.Line("Table", "Reads").MonthlyExpected);                        // 1,000,000 x 0.000000125
        Assert.Equal(0.25m, estimate.Line("Table", "Writes").MonthlyExpected);                        // 2 x 200,000 x 0.000000625
        Assert.Equal(0.50m, estimate.Line("Table", "Table storage").MonthlyExpected);                 // 2 x 1 GB x 0.25
        Assert.Equal(0.20m, estimate.Line("Table", "Point-in-time recovery").MonthlyExpected);        // 1 GB x 0.20
        Assert.Equal(0.20m, estimate.Line("Table", "Stream reads").MonthlyExpected);                  // 1,000,000 x 0.0000002
        Assert.Equal(1.275m, estimate.MonthlyExpected);
    }

    [Fact]
    public async Task DynamoDB_provisioned()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Table:
                Type: AWS::DynamoDB::Table
                Properties:
                  AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
                  KeySchema: [{ AttributeName: id, KeyType: HASH }]
                  ProvisionedThroughput: { ReadCapacityUnits: 10, WriteCapacityUnits: 5 }
            """, Costing.Idle);
        Assert.Equal(0.949m, estimate.Line("Table", "Read capacity").MonthlyExpected);                // 10 x 730 x 0.00013
        Assert.Equal(2.3725m, estimate.Line("Table", "Write capacity").MonthlyExpected);              // 5 x 730 x 0.00065
    }

    [Fact]
    public async Task Logs_flow_logs_and_container_insights()
    {
        var estimate = await Costing.OfResourcesAsync(Vpc + Service("{ CapacityProvider: FARGATE, Weight: 1 }", 2, 2, 2) + """

              AppLogs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /app, RetentionInDays: 30 } }
              AuditLogs: { Type: 'AWS::Logs::LogGroup', Properties: { RetentionInDays: 90 } }
              Insights: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: /aws/ecs/containerinsights/x/performance, RetentionInDays: 30 } }
              Flows: { Type: 'AWS::EC2::FlowLog', Properties: { ResourceType: VPC, ResourceId: !Ref Vpc, TrafficType: ALL, LogGroupName: !Ref AuditLogs } }
            """, Costing.Only(("ApplicationLogGb", 5), ("FlowLogGb", 2), ("LogStoredShare", 0.15m)));
        Assert.Equal(2.50m, estimate.Line("AppLogs", "Application logs written").MonthlyExpected);    // 5 GB x 0.50
        Assert.Equal(0.02m, Costing.Cents(estimate.Line("AppLogs", "Application logs kept").MonthlyExpected)); // 5 GB x 0.98630 x 0.15 x 0.03
        Assert.Equal(1.00m, estimate.Line("Flows", "Flow logs delivered").MonthlyExpected);           // 2 GB x 0.50, first vended tier
        Assert.Equal(0.03m, Costing.Cents(estimate.Line("AuditLogs", "Flow logs kept").MonthlyExpected)); // 2 GB x 2.95890 x 0.15 x 0.03
        Assert.Equal(7.50m, estimate.Line("Cluster", "Container Insights metrics").MonthlyExpected);  // (8 + 11 + 6) x 0.30

        // Two tasks, a KB a minute for each task and each container: 2 x 2 x 43,800 KB = 0.16708 GB x 0.50.
        Assert.Equal(0.08m, Costing.Cents(estimate.Line("Insights", "Container Insights events written").MonthlyExpected));
    }

    [Fact]
    public async Task Cloud_map_namespace_alarms_and_enhanced_insights()
    {
        var estimate = await Costing.OfResourcesAsync(Vpc + """
              Names: { Type: 'AWS::ServiceDiscovery::PrivateDnsNamespace', Properties: { Name: a.internal, Vpc: !Ref Vpc } }
              Cpu: { Type: 'AWS::CloudWatch::Alarm', Properties: { MetricName: CPUUtilization, Namespace: AWS/ECS, Period: 60, EvaluationPeriods: 2, ComparisonOperator: GreaterThanThreshold, Threshold: 90, Statistic: Average } }
              Any: { Type: 'AWS::CloudWatch::CompositeAlarm', Properties: { AlarmRule: ALARM(x) } }
              Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterSettings: [{ Name: containerInsights, Value: enhanced }] } }
            """, Costing.Only(("DnsQueries", 1_000_000)));
        Assert.Equal(0.50m, estimate.Line("Names", "DNS zone").MonthlyExpected);
        Assert.Equal(0.40m, estimate.Line("Names", "DNS queries").MonthlyExpected);                   // 1,000,000 x 0.0000004
        Assert.Equal(0.10m, estimate.Line("Cpu", "Alarm").MonthlyExpected);
        Assert.Equal(0.50m, estimate.Line("Any", "Composite alarm").MonthlyExpected);
        Assert.Equal("Cluster", Assert.Single(estimate.Unpriced).Path);
    }

    [Fact]
    public async Task Rds_multi_az_is_exact_where_listed_and_derived_by_the_stated_rule_where_not()
    {
        const string Database = """
              Db: { Type: 'AWS::RDS::DBInstance', Properties: { Engine: postgres, DBInstanceClass: db.t3.medium, MultiAZ: true, StorageType: gp3, AllocatedStorage: '100' } }
            """;
        var estimate = await Costing.OfResourcesAsync(Database, Costing.Only(("DatabaseBackupGb", 10)));
        var instance = estimate.Line("Db", "db.t3.medium instance, Multi-AZ");
        Assert.Equal(105.12m, instance.MonthlyExpected);                                              // 730 x 2 x 0.072, derived
        Assert.True(instance.IsDerived);
        Assert.Equal(0.144m, instance.UnitPrice);
        Assert.StartsWith("derived: twice rds/postgresql_single_az_db_t3_medium_hour", instance.PriceSource, StringComparison.Ordinal);
        var storage = estimate.Line("Db", "gp3 storage, Multi-AZ");
        Assert.Equal(23.00m, storage.MonthlyExpected);                                                // 100 GB x 0.23, listed
        Assert.False(storage.IsDerived);
        Assert.Equal(0.95m, estimate.Line("Db", "Backups").MonthlyExpected);                          // 10 GB x 0.095

        var elsewhere = await Costing.OfResourcesAsync(Database, Costing.Idle, "us-west-2");
        Assert.Equal(["db.t3.medium instance, Multi-AZ", "gp3 storage, Multi-AZ"], elsewhere.Unpriced.Select(u => u.Name).Order());
        Assert.Equal(0m, elsewhere.MonthlyExpected);
    }

    private static string Service(string strategy, int desired, int minimum, int maximum) => $$"""
          Cluster: { Type: 'AWS::ECS::Cluster', Properties: { ClusterSettings: [{ Name: containerInsights, Value: {{(strategy.Contains("Weight", StringComparison.Ordinal) && desired == 2 ? "enabled" : "disabled")}} }] } }
          Task:
            Type: AWS::ECS::TaskDefinition
            Properties:
              { Family: x, Cpu: 1024, Memory: 2048, ContainerDefinitions: [{ Name: c, Image: i, LogConfiguration: { LogDriver: awslogs, Options: { awslogs-group: /app } } }] }
          Service:
            Type: AWS::ECS::Service
            Properties: { Cluster: !Ref Cluster, TaskDefinition: !Ref Task, DesiredCount: {{desired}}, CapacityProviderStrategy: [{{strategy}}] }
          Scaling:
            Type: AWS::ApplicationAutoScaling::ScalableTarget
            Properties:
              ServiceNamespace: ecs
              ScalableDimension: ecs:service:DesiredCount
              ResourceId: !Sub 'service/${Cluster}/${Service.Name}'
              MinCapacity: {{minimum}}
              MaxCapacity: {{maximum}}

        """;

    private static string Group(string type, int minimum, int maximum) => $$"""
          Launch:
            Type: AWS::EC2::LaunchTemplate
            Properties:
              LaunchTemplateData:
                InstanceType: {{type}}
                BlockDeviceMappings: [{ DeviceName: /dev/xvda, Ebs: { VolumeType: gp3, VolumeSize: 30 } }]
          Group:
            Type: AWS::AutoScaling::AutoScalingGroup
            Properties:
              LaunchTemplate: { LaunchTemplateId: !Ref Launch, Version: !GetAtt Launch.LatestVersionNumber }
              MinSize: '{{minimum}}'
              MaxSize: '{{maximum}}'
              VPCZoneIdentifier: [subnet-1]
          Capacity:
            Type: AWS::ECS::CapacityProvider
            Properties: { AutoScalingGroupProvider: { AutoScalingGroupArn: !GetAtt Group.AutoScalingGroupARN } }

        """;
}
