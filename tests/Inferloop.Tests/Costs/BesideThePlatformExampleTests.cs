using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Costs;

/// <summary>
/// Worked examples of the services that a platform may stand beside, by hand from the public prices of us-east-1, equal to the cent. A month has
/// 730 hours and 43,800 minutes.
/// </summary>
public sealed class BesideThePlatformExampleTests
{
    [Fact]
    public async Task Documentdb_with_instance_storage_operations_and_backups()
    {
        var estimate = await Costing.OfResourcesAsync("""
              C: { Type: 'AWS::DocDB::DBCluster', Properties: { MasterUsername: u } }
              I: { Type: 'AWS::DocDB::DBInstance', Properties: { DBClusterIdentifier: !Ref C, DBInstanceClass: db.t3.medium } }
            """, Costing.Only(("AuroraStoredGb", 80), ("AuroraIoRequests", 25_000_000), ("DatabaseBackupGb", 100)));
        Assert.Equal(56.94m, estimate.Line("I", "db.t3.medium DocumentDB instance").MonthlyExpected);  // 730 x 0.078
        Assert.Equal(8.00m, estimate.Line("C", "DocumentDB storage").MonthlyExpected);                // 80 GB x 0.10
        Assert.Equal(5.00m, estimate.Line("C", "DocumentDB I/O requests").MonthlyExpected);           // 25,000,000 x 0.0000002
        Assert.Equal(2.10m, estimate.Line("C", "DocumentDB backups").MonthlyExpected);                // 100 GB x 0.021
        Assert.Equal(72.04m, estimate.MonthlyExpected);
    }

    [Fact]
    public async Task Neptune_is_in_no_source_and_so_unpriced()
    {
        var estimate = await Costing.OfResourcesAsync("""
              C: { Type: 'AWS::Neptune::DBCluster', Properties: {} }
              I: { Type: 'AWS::Neptune::DBInstance', Properties: { DBClusterIdentifier: !Ref C, DBInstanceClass: db.r5.large } }
            """, Costing.Only(("AuroraStoredGb", 80)));
        Assert.Equal([("Neptune storage", (decimal?)80m), ("db.r5.large Neptune instance", 730m)], estimate.Unpriced.Select(u => (u.Name, u.Quantity)).OrderBy(u => u.Name, StringComparer.Ordinal));
        Assert.Empty(estimate.Lines);
    }

    [Fact]
    public async Task Search_domains_by_either_name()
    {
        var estimate = await Costing.OfResourcesAsync("""
              New:
                Type: AWS::OpenSearchService::Domain
                Properties:
                  ClusterConfig: { InstanceType: c4.2xlarge.search, InstanceCount: 3, DedicatedMasterEnabled: true, DedicatedMasterType: c4.2xlarge.search, WarmEnabled: true, WarmType: ultrawarm1.medium.search, WarmCount: 2 }
                  EBSOptions: { EBSEnabled: true, VolumeType: gp2, VolumeSize: 100 }
              Old:
                Type: AWS::Elasticsearch::Domain
                Properties: { ElasticsearchClusterConfig: { InstanceType: c4.8xlarge.elasticsearch }, EBSOptions: { VolumeType: standard, VolumeSize: 50 } }
            """, Costing.Idle);
        Assert.Equal(1_285.53m, estimate.Line("New", "c4.2xlarge.search data nodes").MonthlyExpected); // 3 x 730 x 0.587
        Assert.Equal(1_285.53m, estimate.Line("New", "c4.2xlarge.search master nodes").MonthlyExpected); // 3, where none are named, x 730 x 0.587
        Assert.Equal(347.48m, estimate.Line("New", "ultrawarm1.medium.search warm nodes").MonthlyExpected); // 2 x 730 x 0.238
        Assert.Equal(40.50m, estimate.Line("New", "gp2 storage").MonthlyExpected);                    // 3 x 100 GB x 0.135
        Assert.Equal(1_713.31m, estimate.Line("Old", "c4.8xlarge.elasticsearch data nodes").MonthlyExpected); // 730 x 2.347
        Assert.Equal(3.35m, estimate.Line("Old", "standard storage").MonthlyExpected);                // 50 GB x 0.067
    }

    [Fact]
    public async Task Between_networks()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Old: { Type: 'AWS::EC2::TransitGatewayAttachment', Properties: { TransitGatewayId: t, VpcId: v, SubnetIds: [a] } }
              Vpc: { Type: 'AWS::EC2::TransitGatewayVpcAttachment', Properties: { TransitGatewayId: t, VpcId: v, SubnetIds: [a] } }
              Peer: { Type: 'AWS::EC2::TransitGatewayPeeringAttachment', Properties: { TransitGatewayId: t, PeerTransitGatewayId: p } }
              Vpn: { Type: 'AWS::EC2::VPNConnection', Properties: { Type: ipsec.1, CustomerGatewayId: c, TransitGatewayId: t } }
              Client: { Type: 'AWS::EC2::ClientVpnEndpoint', Properties: { ClientCidrBlock: 10.9.0.0/16 } }
              Into: { Type: 'AWS::EC2::ClientVpnTargetNetworkAssociation', Properties: { ClientVpnEndpointId: !Ref Client, SubnetId: a } }
              Wall: { Type: 'AWS::NetworkFirewall::Firewall', Properties: { FirewallName: f, SubnetMappings: [{ SubnetId: a }, { SubnetId: b }] } }
              Near: { Type: 'AWS::GlobalAccelerator::Accelerator', Properties: { Name: a } }
              Names: { Type: 'AWS::Route53Resolver::ResolverEndpoint', Properties: { Direction: OUTBOUND, IpAddresses: [{ SubnetId: a }, { SubnetId: b }, { SubnetId: c }] } }
            """, Costing.Only(("TransitGb", 1_000), ("FirewallGb", 200)));
        foreach (var path in new[] { "Old", "Vpc", "Peer", "Vpn" })
        {
            Assert.Equal(36.50m, estimate.Line(path, "Transit gateway attachment").MonthlyExpected);  // 730 x 0.05
            Assert.Equal(5.00m, estimate.Line(path, "Transit gateway traffic").MonthlyExpected);      // a fourth of 1,000 GB x 0.02
        }

        Assert.Equal(36.50m, estimate.Line("Vpn", "VPN connection").MonthlyExpected);                 // 730 x 0.05
        Assert.Equal(73.00m, estimate.Line("Into", "Client VPN association").MonthlyExpected);        // 730 x 0.10
        Assert.Equal("Client connections", Assert.Single(estimate.Unpriced).Name);                    // how long they last, nobody said
        Assert.Equal(576.70m, estimate.Line("Wall", "Firewall endpoints").MonthlyExpected);           // 2 x 730 x 0.395
        Assert.Equal(13.00m, estimate.Line("Wall", "Firewall traffic").MonthlyExpected);              // 200 GB x 0.065
        Assert.Equal(18.25m, estimate.Line("Near", "Accelerator").MonthlyExpected);                   // 730 x 0.025
        Assert.Equal(273.75m, estimate.Line("Names", "Resolver endpoint").MonthlyExpected);           // 3 x 730 x 0.125
    }

    [Fact]
    public async Task Zones_by_either_service_in_tiers()
    {
        var yaml = """
              Zone: { Type: 'AWS::Route53::HostedZone', Properties: { Name: example.com } }
              Space: { Type: 'AWS::ServiceDiscovery::PublicDnsNamespace', Properties: { Name: a.example.com } }

            """;
        var two = await Costing.OfResourcesAsync(yaml, Costing.Only(("DnsQueries", 10_000_000)));
        Assert.Equal(0.50m, two.Line("Zone", "DNS zone").MonthlyExpected);
        Assert.Equal(2.00m, two.Line("Space", "DNS queries").MonthlyExpected);                        // half of 10,000,000 x 0.0000004

        // 25 zones at 0.50 and five more at 0.10.
        var more = await Costing.OfResourcesAsync(
            yaml + string.Concat(Enumerable.Range(0, 28).Select(i => $"  Z{i}: {{ Type: 'AWS::Route53::HostedZone', Properties: {{ Name: z{i}.example.com }} }}\n")), Costing.Idle);
        Assert.Equal(13.00m, Costing.Cents(more.MonthlyExpected));
    }

    [Fact]
    public async Task Streams_deliveries_and_data_jobs()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Stream: { Type: 'AWS::Kinesis::Stream', Properties: { StreamModeDetails: { StreamMode: ON_DEMAND } } }
              Job: { Type: 'AWS::Glue::Job', Properties: { Role: r } }
              Crawler: { Type: 'AWS::Glue::Crawler', Properties: { Role: r } }
              Replication: { Type: 'AWS::DMS::ReplicationInstance', Properties: { ReplicationInstanceClass: dms.t2.micro, AllocatedStorage: 80, MultiAZ: true } }
              Delivery: { Type: 'AWS::KinesisFirehose::DeliveryStream', Properties: {} }
            """, Costing.Only(("StreamGb", 500), ("DataProcessingHours", 100)));
        Assert.Equal(29.20m, estimate.Line("Stream", "On-demand stream").MonthlyExpected);            // 730 x 0.04
        Assert.Equal(40.00m, estimate.Line("Stream", "Data in").MonthlyExpected);                     // 500 GB x 0.08
        Assert.Equal(20.00m, estimate.Line("Stream", "Data out").MonthlyExpected);                    // 500 GB x 0.04, read once
        Assert.Equal(22.00m, estimate.Line("Job", "Data processing").MonthlyExpected);                // half of 100 x 0.44
        Assert.Equal(22.00m, estimate.Line("Crawler", "Data processing").MonthlyExpected);
        Assert.Equal(26.28m, estimate.Line("Replication", "t2.micro replication instance").MonthlyExpected); // 2 x 730 x 0.018
        Assert.Equal(6.90m, estimate.Line("Replication", "Replication storage").MonthlyExpected);     // 2 x (80 - 50) GB x 0.115
        Assert.Equal(("Delivery", 500m), (estimate.Unpriced[0].Path, Assert.Single(estimate.Unpriced).Quantity)); // in no source
    }

    [Fact]
    public async Task Files_directories_airflow_transfers_and_brokers_storage()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Files: { Type: 'AWS::FSx::FileSystem', Properties: { FileSystemType: WINDOWS, StorageCapacity: 300, WindowsConfiguration: { DeploymentType: MULTI_AZ_1, ThroughputCapacity: 16 } } }
              Slow: { Type: 'AWS::FSx::FileSystem', Properties: { FileSystemType: WINDOWS, StorageType: HDD, StorageCapacity: 2000, WindowsConfiguration: { DeploymentType: MULTI_AZ_1, ThroughputCapacity: 8 } } }
              OneZone: { Type: 'AWS::EFS::FileSystem', Properties: { AvailabilityZoneName: us-east-1a } }
              Standard: { Type: 'AWS::DirectoryService::MicrosoftAD', Properties: { Name: a.example.com, Edition: Standard } }
              Simple: { Type: 'AWS::DirectoryService::SimpleAD', Properties: { Name: b.example.com, Size: Large } }
              Flows: { Type: 'AWS::MWAA::Environment', Properties: { Name: e, EnvironmentClass: mw1.medium, MinWorkers: 2, MaxWorkers: 5 } }
              Drop: { Type: 'AWS::Transfer::Server', Properties: { Protocols: [SFTP, FTPS] } }
              Kafka: { Type: 'AWS::MSK::Cluster', Properties: { NumberOfBrokerNodes: 3, BrokerNodeGroupInfo: { InstanceType: kafka.t3.small, StorageInfo: { EBSStorageInfo: { VolumeSize: 100 } } } } }
            """, Costing.Only(("FileSystemGb", 100), ("TransferGb", 50)));
        Assert.Equal(69.00m, estimate.Line("Files", "File system storage").MonthlyExpected);          // 300 GB x 0.23
        Assert.Equal(72.00m, estimate.Line("Files", "File system throughput").MonthlyExpected);       // 16 MiB/s x 4.50
        Assert.Equal(50.00m, estimate.Line("Slow", "File system storage").MonthlyExpected);           // 2,000 GB x 0.025
        Assert.Equal(36.00m, estimate.Line("Slow", "File system throughput").MonthlyExpected);        // 8 MiB/s x 4.50
        Assert.Equal(16.00m, estimate.Line("OneZone", "File system storage").MonthlyExpected);        // 100 GB x 0.16
        Assert.Equal(87.60m, estimate.Line("Standard", "Directory").MonthlyExpected);                 // 2 x 730 x 0.06
        Assert.Equal(219.00m, estimate.Line("Simple", "Directory").MonthlyExpected);                  // 2 x 730 x 0.15
        Assert.Equal(540.20m, estimate.Line("Flows", "Airflow environment").MonthlyExpected);         // 730 x 0.74
        var workers = estimate.Line("Flows", "Further workers");
        Assert.Equal((80.30m, 80.30m, 321.20m), (workers.MonthlyLow, workers.MonthlyExpected, workers.MonthlyHigh)); // 1, 1, 4 x 730 x 0.11
        Assert.Equal(438.00m, estimate.Line("Drop", "Transfer endpoint").MonthlyExpected);            // 2 x 730 x 0.30
        Assert.Equal(2.00m, estimate.Line("Drop", "Transferred data").MonthlyExpected);               // 50 GB x 0.04
        Assert.Equal(30.00m, estimate.Line("Kafka", "Broker storage").MonthlyExpected);               // 3 x 100 GB x 0.10
        Assert.Empty(estimate.Unpriced);
    }

    [Fact]
    public async Task Rest_and_websocket_apis_caches_archives_and_executions()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Rest: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: a } }
              Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { RestApiId: !Ref Rest, CacheClusterEnabled: true, CacheClusterSize: '1.6' } }
              Bare: { Type: 'AWS::ApiGateway::Stage', Properties: { RestApiId: !Ref Rest } }
              Socket: { Type: 'AWS::ApiGatewayV2::Api', Properties: { Name: b, ProtocolType: WEBSOCKET } }
              Archive: { Type: 'AWS::Events::Archive', Properties: { SourceArn: a, RetentionDays: 73 } }
              Fast: { Type: 'AWS::StepFunctions::StateMachine', Properties: { RoleArn: r, StateMachineType: EXPRESS } }
              Topic: { Type: 'AWS::SNS::Topic', Properties: { FifoTopic: true } }
            """, Costing.Only(("ApiRequests", 4_000_000), ("ApiConnectionMinutes", 8_000_000), ("CustomEvents", 20_971_520), ("StateTransitions", 3_000_000), ("TopicRequests", 10_000_000)));
        Assert.Equal(7.00m, estimate.Line("Rest", "API requests").MonthlyExpected);                   // half of 4,000,000 x 0.0000035
        Assert.Equal(27.74m, estimate.Line("Stage", "API cache").MonthlyExpected);                    // 730 x 0.038
        Assert.Contains(estimate.Free, f => f.Path == "Bare");
        Assert.Equal(2.00m, estimate.Line("Socket", "WebSocket messages").MonthlyExpected);           // half of 4,000,000 x 0.000001
        Assert.Equal(1.00m, estimate.Line("Socket", "WebSocket connections").MonthlyExpected);        // half of 8,000,000 x 0.00000025
        Assert.Equal(10.00m, estimate.Line("Archive", "Events archived").MonthlyExpected);            // 20,971,520 x 5 KB = 100 GB x 0.10
        Assert.Equal(5.52m, estimate.Line("Archive", "Event archive").MonthlyExpected);               // 100 GB x 73 days of 730 h, 2.4 months, x 0.023
        Assert.Equal(3.00m, estimate.Line("Fast", "Express executions").MonthlyExpected);             // 3,000,000 x 0.000001
        Assert.Equal(3.00m, estimate.Line("Topic", "Topic requests").MonthlyExpected);                // 10,000,000 x 0.0000003
        Assert.Equal("Express execution time", Assert.Single(estimate.Unpriced).Name);
    }

    [Fact]
    public async Task Keys_certificates_parameters_rules_canaries_and_snapshots()
    {
        var estimate = await Costing.OfResourcesAsync("""
              Signing: { Type: 'AWS::KMS::Key', Properties: { KeyPolicy: {}, KeySpec: ECC_NIST_P256, KeyUsage: SIGN_VERIFY } }
              Copy: { Type: 'AWS::KMS::ReplicaKey', Properties: { KeyPolicy: {}, PrimaryKeyArn: a } }
              Authority: { Type: 'AWS::ACMPCA::CertificateAuthority', Properties: { Type: ROOT } }
              Brief: { Type: 'AWS::ACMPCA::CertificateAuthority', Properties: { Type: ROOT, UsageMode: SHORT_LIVED_CERTIFICATE } }
              Public: { Type: 'AWS::CertificateManager::Certificate', Properties: { DomainName: a.example.com } }
              Private: { Type: 'AWS::CertificateManager::Certificate', Properties: { DomainName: b.example.com, CertificateAuthorityArn: !Ref Authority } }
              Plain: { Type: 'AWS::SSM::Parameter', Properties: { Type: String, Value: v } }
              Large: { Type: 'AWS::SSM::Parameter', Properties: { Type: String, Value: v, Tier: Advanced } }
              Pack: { Type: 'AWS::Config::ConformancePack', Properties: { ConformancePackName: p } }
              Daily: { Type: 'AWS::Config::ConfigurationRecorder', Properties: { RoleARN: r, RecordingMode: { RecordingFrequency: DAILY } } }
              Rules: { Type: 'AWS::WAFv2::RuleGroup', Properties: { Capacity: 10, Scope: REGIONAL, Rules: [{ Name: a }, { Name: b }] } }
              Canary: { Type: 'AWS::Synthetics::Canary', Properties: { Name: c, Schedule: { Expression: rate(5 minutes) } } }
              Daily2: { Type: 'AWS::Synthetics::Canary', Properties: { Name: d, Schedule: { Expression: cron(0 9 * * ? *) } } }
              Policy: { Type: 'AWS::DLM::LifecyclePolicy', Properties: { State: ENABLED } }
              Observed: { Type: 'AWS::EKS::Addon', Properties: { AddonName: amazon-cloudwatch-observability, ClusterName: c } }
              Dns: { Type: 'AWS::EKS::Addon', Properties: { AddonName: coredns, ClusterName: c } }
              Cache: { Type: 'AWS::ElastiCache::CacheCluster', Properties: { Engine: redis, CacheNodeType: cache.t4g.micro, NumCacheNodes: 1 } }
            """, Costing.Only(("KeyRequests", 1_000_000), ("ConfigEvaluations", 600_000), ("ConfigItems", 1_000), ("SnapshotGb", 200), ("ContainerObservations", 1_500_000_000)));
        Assert.Equal(1.00m, estimate.Line("Signing", "KMS key").MonthlyExpected);
        Assert.Equal(15.00m, estimate.Line("Signing", "KMS requests").MonthlyExpected);               // 1,000,000 x 0.000015
        Assert.Equal(1.00m, estimate.Line("Copy", "KMS key").MonthlyExpected);                        // a replica is charged as a key
        Assert.Equal(400.00m, estimate.Line("Authority", "Certificate authority").MonthlyExpected);
        Assert.Equal(50.00m, estimate.Line("Brief", "Certificate authority").MonthlyExpected);
        Assert.Equal(0.05m, estimate.Line("Large", "Advanced parameter").MonthlyExpected);
        Assert.Equal(470.00m, estimate.Line("Pack", "Conformance pack evaluations").MonthlyExpected); // 100,000 x 0.001 + 400,000 x 0.0008 + 100,000 x 0.0005
        Assert.Equal(12.00m, estimate.Line("Daily", "Configuration items, daily").MonthlyExpected);   // 1,000 x 0.012
        Assert.Equal(2.00m, estimate.Line("Rules", "Rules of the group").MonthlyExpected);            // 2 x 1.00
        Assert.Equal(10.51m, Costing.Cents(estimate.Line("Canary", "Canary runs").MonthlyExpected));  // 43,800 / 5 = 8,760 x 0.0012
        Assert.Equal(10.00m, estimate.Line("Policy", "Volume snapshots").MonthlyExpected);            // 200 GB x 0.05
        Assert.Equal(300.00m, estimate.Line("Observed", "Container Insights observations").MonthlyExpected); // 1,000,000,000 x 0.00000021 + 500,000,000 x 0.00000018
        Assert.Equal(11.68m, estimate.Line("Cache", "cache.t4g.micro nodes").MonthlyExpected);        // 730 x 0.016
        Assert.Equal(["Dns", "Plain", "Public"], estimate.Free.Select(f => f.Path).Order());
        Assert.Equal(["Daily2", "Private"], estimate.Unpriced.Select(u => u.Path).Order());
    }
}
