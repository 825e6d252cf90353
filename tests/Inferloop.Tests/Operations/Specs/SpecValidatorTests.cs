using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Specs;

public sealed class SpecValidatorTests
{
    private static InferloopEnvironmentSpec Dev(params (string Member, object Value)[] values) => SpecPresets.Apply(
        SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1"), values.ToDictionary(v => v.Member, v => v.Value));

    private static string[] Rules(InferloopEnvironmentSpec spec) => SpecValidator.Validate(spec).Select(f => $"{f.Rule} {f.Member}").ToArray();

    [Theory]
    [InlineData(EnvironmentStage.Dev)]
    [InlineData(EnvironmentStage.Staging)]
    [InlineData(EnvironmentStage.Prod)]
    public void Every_preset_with_every_tier_is_free_of_errors(EnvironmentStage stage)
    {
        foreach (var tier in Enum.GetValues<ServiceTier>())
        {
            foreach (var capacity in Enum.GetValues<CapacityMode>())
            {
                var findings = SpecValidator.Validate(SpecPresets.Create("demo", stage, "eu-west-1", tier, capacity));
                Assert.DoesNotContain(findings, f => f.Severity == SpecFindingSeverity.Error);
            }
        }
    }

    [Theory]
    [InlineData("Name", "Demo", "NamePattern name")]
    [InlineData("Name", "d", "NamePattern name")]
    [InlineData("Name", "a-name-of-seventeen", "NamePattern name")]
    [InlineData("Name", "demo-", "NamePattern name")]
    [InlineData("Region", "us-esat-1", "RegionUnknown region")]
    [InlineData("RecoveryRegion", "us-east-1", "RecoveryRegionSame recoveryRegion")]
    [InlineData("RecoveryRegion", "cn-north-1", "RecoveryRegionPartition recoveryRegion")]
    [InlineData("PublicSubnet1Cidr", "10.0.2.128/25", "CidrOverlap network.publicSubnet2Cidr")]
    [InlineData("PrivateSubnet2Cidr", "10.0.4.0/29", "CidrTooSmall network.privateSubnet2Cidr")]
    [InlineData("PublicSubnet2Cidr", "10.0.2.0/28", "CidrTooSmall network.publicSubnet2Cidr")]
    [InlineData("PrivateSubnet1Cidr", "10.1.3.0/24", "CidrOutsideVpc network.privateSubnet1Cidr")]
    [InlineData("PrivateSubnet1Cidr", "10.0.3.1/24", "CidrInvalid network.privateSubnet1Cidr")]
    [InlineData("VpcCidr", "10.0.0.0/26", "CidrTooSmall network.vpcCidr")]
    [InlineData("VpcCidr", "10.0.0.0/8", "CidrTooLarge network.vpcCidr")]
    [InlineData("VpcCidr", "11.0.0.0/16", "CidrPublic network.vpcCidr")]
    [InlineData("TaskMemory", 8192, "FargateSize ecs.taskMemory")]
    [InlineData("TaskCpu", 300, "ValueNotAllowed ecs.taskCpu")]
    [InlineData("MinimumTasks", 9, "TaskRange ecs.minimumTasks")]
    [InlineData("DesiredTasks", 7, "TaskRange ecs.desiredTasks")]
    [InlineData("ContainerPort", 70000, "ValueOutOfRange application.containerPort")]
    [InlineData("ApplicationLogRetentionDays", 31, "ValueNotAllowed logging.applicationLogRetentionDays")]
    [InlineData("CertificateArn", "arn:aws:acm:eu-west-1:123456789012:certificate/ab-12", "CertificateRegion security.certificateArn")]
    [InlineData("CertificateArn", "my-certificate", "CertificateArn security.certificateArn")]
    public void A_bad_value_is_found_at_its_member(string member, object value, string expected) =>
        Assert.Contains(expected, Rules(Dev((member, value))));

    [Theory]
    [InlineData("DatabaseReplicas", 6, "ValueOutOfRange database.databaseReplicas")]
    [InlineData("DatabaseStorageSize", 19, "ValueOutOfRange database.databaseStorageSize")]
    [InlineData("DatabaseMaximumStorage", 21, "DatabaseStorage database.databaseMaximumStorage")]
    [InlineData("DatabaseBackupDays", 0, "ValueOutOfRange database.databaseBackupDays")]
    [InlineData("DatabaseMonitoringInterval", 20, "ValueNotAllowed database.databaseMonitoringInterval")]
    [InlineData("DatabaseInstanceClass", "t3.micro", "ValuePattern database.databaseInstanceClass")]
    [InlineData("DatabaseUsername", "rdsadmin", "DatabaseUsername database.databaseUsername")]
    [InlineData("DatabaseUsername", "pg_me", "DatabaseUsername database.databaseUsername")]
    [InlineData("DatabaseEngineVersion", "9.6", "ValuePattern database.databaseEngineVersion")]
    [InlineData("DatabasePort", 1000, "DatabasePort connections.databasePort")]
    [InlineData("DatabaseBackupWindow", "03:00-03:10", "WindowTooShort database.databaseBackupWindow")]
    [InlineData("DatabaseBackupWindow", "04:30-05:00", "WindowsOverlap database.databaseMaintenanceWindow")]
    [InlineData("DatabaseBackupWindow", "4-5", "ValuePattern database.databaseBackupWindow")]
    [InlineData("DatabaseHost", "db.local", "UnusedDatabase database.databaseEnabled")]
    [InlineData("CacheMultiAz", true, "CacheMultiAz cache.cacheMultiAz")]
    [InlineData("CacheNodes", 7, "ValueOutOfRange cache.cacheNodes")]
    [InlineData("CacheEngine", "Valkey", "CacheVersion cache.cacheEngineVersion")]
    [InlineData("CacheEngineVersion", "8.0", "CacheVersion cache.cacheEngineVersion")]
    [InlineData("CacheSnapshotWindow", "02:00-02:30", "WindowTooShort cache.cacheSnapshotWindow")]
    [InlineData("CacheSnapshotWindow", "05:00-06:00", "WindowsOverlap cache.cacheMaintenanceWindow")]
    [InlineData("CacheHost", "cache.local", "UnusedCache cache.cacheEnabled")]
    public void A_data_store_that_cannot_be_made_is_found_at_its_member(string member, object value, string expected) =>
        Assert.Contains(expected, Rules(Dev(("DatabaseEnabled", true), ("CacheEnabled", true), (member, value))));

    [Theory]
    [InlineData("TableMinimumReadCapacity", 101, "TableCapacity storage.tableMinimumReadCapacity")]
    [InlineData("TableMaximumWriteCapacity", 4, "TableCapacity storage.tableMinimumWriteCapacity")]
    [InlineData("TableMinimumWriteCapacity", 0, "ValueOutOfRange storage.tableMinimumWriteCapacity")]
    [InlineData("TableTargetUtilization", 95, "ValueOutOfRange storage.tableTargetUtilization")]
    [InlineData("ReplicaBucketArn", "my-bucket", "ValuePattern storage.replicaBucketArn")]
    [InlineData("ReplicaBucketArn", "arn:aws:s3:::recovery-data", "ReplicaKey storage.replicaKeyArn")]
    [InlineData("ReplicaKeyArn", "arn:aws:kms:us-east-1:123456789012:key/ab", "ReplicaKey storage.replicaKeyArn")]
    [InlineData("TableReplicaRegion", "us-wset-2", "RegionUnknown storage.tableReplicaRegion")]
    [InlineData("TableReplicaRegion", "us-east-1", "TableReplicaRegion storage.tableReplicaRegion")]
    [InlineData("TableReplicaRegion", "cn-north-1", "TableReplicaRegion storage.tableReplicaRegion")]
    [InlineData("TableReplicaRegion", "us-west-2", "ReplicaKey storage.tableReplicaKeyArn")]
    [InlineData("VpnEnabled", true, "VpnWithoutGateway network.customerGatewayIp")]
    [InlineData("CustomerGatewayIp", "203.0.113.300", "ValuePattern network.customerGatewayIp")]
    [InlineData("BgpAsn", 0, "ValueOutOfRange network.bgpAsn")]
    [InlineData("VpnRemoteCidr", "10.0.0.1/8", "CidrInvalid network.vpnRemoteCidr")]
    public void Replication_and_vpn_are_asked_for_completely(string member, object value, string expected) =>
        Assert.Contains(expected, Rules(Dev(("BucketEncryption", "KMS"), (member, value))));

    [Fact]
    public void A_vpn_to_a_network_with_the_vpc_s_own_addresses_is_refused() =>
        Assert.Contains("CidrOverlap network.vpnRemoteCidr", Rules(Dev(("VpnEnabled", true), ("CustomerGatewayIp", "203.0.113.7"), ("VpnRemoteCidr", "10.0.128.0/17"))));

    [Fact]
    public void The_table_s_replica_follows_the_recovery_region()
    {
        var spec = Dev(("RecoveryRegion", "us-west-2"), ("GlobalTable", true), ("TableReplicaKeyArn", "arn:aws:kms:us-west-2:123456789012:key/ab"));
        Assert.Equal("us-west-2", spec.Storage.TableReplicaRegion);
        Assert.DoesNotContain(Rules(spec), r => r.Contains("storage.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("BatchMinimumVcpus", 200, "BatchRange batch.batchMinimumVcpus")]
    [InlineData("BatchJobVcpus", 180, "BatchJobTooLarge batch.batchJobVcpus")]
    [InlineData("BatchInstanceTypes", "c6i; rm", "ValuePattern batch.batchInstanceTypes")]
    public void Jobs_that_could_never_run_are_found_at_their_member(string member, object value, string expected) =>
        Assert.Contains(expected, Rules(Dev(("BatchEnabled", true), ("BatchMaximumVcpus", 128), (member, value))));

    [Theory]
    [InlineData("LambdaCodeBucket", "releases", "LambdaCode lambda.lambdaImage")]
    [InlineData("LambdaBucketPrefix", "output/", "LambdaRecursion lambda.lambdaBucketPrefix")]
    [InlineData("LambdaBucketPrefix", "out", "LambdaRecursion lambda.lambdaBucketPrefix")]
    [InlineData("LambdaProvisionedConcurrency", 20, "LambdaConcurrency lambda.lambdaProvisionedConcurrency")]
    [InlineData("LambdaTimeout", 901, "ValueOutOfRange lambda.lambdaTimeout")]
    [InlineData("LambdaSchedule", "hourly", "ValuePattern lambda.lambdaSchedule")]
    [InlineData("LambdaInsights", true, "LambdaInsights lambda.lambdaInsights")]
    [InlineData("Region", "eu-west-1", "LambdaImageRegion lambda.lambdaImage")]
    public void A_function_that_could_not_be_made_or_would_call_itself_is_found_at_its_member(string member, object value, string expected)
    {
        (string, object)[] sound = [("LambdaEnabled", true), ("LambdaReservedConcurrency", 10), ("LambdaInsights", false), ("LambdaImage", "123456789012.dkr.ecr.us-east-1.amazonaws.com/synthdata:1.4.0")];
        Assert.DoesNotContain(Rules(Dev(sound)), r => r.Contains("lambda.", StringComparison.Ordinal));
        Assert.Contains(expected, Rules(Dev([.. sound.Where(s => s.Item1 != member), (member, value)])));
    }

    [Theory]
    [InlineData("EksDesiredNodes", 11, "EksNodeRange eks.eksDesiredNodes")]
    [InlineData("EksMinimumNodes", 11, "EksNodeRange eks.eksMinimumNodes")]
    [InlineData("EksVersion", "1.9", "ValuePattern eks.eksVersion")]
    [InlineData("EksVersion", "v1.35", "ValuePattern eks.eksVersion")]
    [InlineData("EksNodeInstanceTypes", "t3.medium,m7g.large", "EksNodeArchitecture eks.eksNodeInstanceTypes")]
    [InlineData("EksNodeInstanceTypes", "c6gn.large", "EksNodeArchitecture eks.eksNodeInstanceTypes")]
    [InlineData("EksNodeInstanceTypes", "medium", "ValuePattern eks.eksNodeInstanceTypes")]
    [InlineData("EksPublicAccessCidrs", "203.0.113.0/33", "CidrInvalid eks.eksPublicAccessCidrs")]
    [InlineData("EksPublicAccessCidrs", "10.0.0.0/8", "EksPublicAccess eks.eksPublicAccessCidrs")]
    [InlineData("EksAdminRoleArn", "operators", "ValuePattern eks.eksAdminRoleArn")]
    [InlineData("EksAdminRoleArn", "", "EksWithoutAdministrator eks.eksAdminRoleArn")]
    public void A_cluster_that_EKS_would_refuse_or_nobody_could_use_is_found_at_its_member(string member, object value, string expected)
    {
        var given = new (string, object)[] { ("EksEnabled", true), ("EksMaximumNodes", 10), ("EksMinimumNodes", 2), ("EksDesiredNodes", 2), ("EksAdminRoleArn", "arn:aws:iam::123456789012:role/operators"), ("EksPublicAccessCidrs", "203.0.113.0/24") };
        Assert.DoesNotContain(Rules(Dev(given)), r => r.Contains("eks.", StringComparison.Ordinal) && !r.StartsWith("Version", StringComparison.Ordinal));
        Assert.Contains(expected, Rules(Dev([.. given.Where(g => g.Item1 != member), (member, value)])));
    }

    [Theory]
    [InlineData("1.35", true, "2026-11-23", null)]
    [InlineData("1.35", true, "2027-01-15", "VersionEnding")]
    [InlineData("1.33", true, "2026-11-23", "VersionExtended")]
    [InlineData("1.33", false, "2026-11-23", "EksVersionUnsupported")]
    [InlineData("1.27", true, "2026-11-23", "VersionUnsupported")]
    public void A_cluster_s_version_is_judged_by_the_day(string version, bool extended, string day, string? rule)
    {
        var spec = SpecPresets.Create("demo", EnvironmentStage.Prod, "us-east-1").With("EksEnabled", true).With("EksVersion", version).With("EksExtendedSupport", extended);
        var found = SpecValidator.Validate(spec, today: DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture)).Where(f => f.Member == "eks.eksVersion").Select(f => f.Rule);
        Assert.Equal(rule is null ? [] : [rule], found);
    }

    [Fact]
    public void A_cluster_s_size_follows_the_stage_and_the_desired_nodes_follow_their_bounds()
    {
        (EksNodeCapacity, int, int, int) Of(EnvironmentStage stage) => SpecPresets.Create("demo", stage, "us-east-1").Eks is var e ? (e.EksNodeCapacity, e.EksMinimumNodes, e.EksDesiredNodes, e.EksMaximumNodes) : default;
        Assert.Equal((EksNodeCapacity.Spot, 1, 2, 4), Of(EnvironmentStage.Dev));
        Assert.Equal((EksNodeCapacity.OnDemand, 2, 2, 10), Of(EnvironmentStage.Staging));
        Assert.Equal((EksNodeCapacity.OnDemand, 3, 3, 10), Of(EnvironmentStage.Prod));
        Assert.Equal(5, SpecPresets.Apply(SpecPresets.Create("demo", EnvironmentStage.Prod, "us-east-1"), new Dictionary<string, object> { ["EksMinimumNodes"] = 5 }).Eks.EksDesiredNodes);
    }

    [Fact]
    public void A_store_that_is_switched_off_is_not_judged() =>
        Assert.DoesNotContain(Rules(Dev(("CacheEnabled", false), ("CacheMultiAz", true), ("DatabaseEnabled", false), ("DatabaseMaximumStorage", 21))), r => r.Contains("cache.", StringComparison.Ordinal) || r.Contains("database.", StringComparison.Ordinal));

    [Theory]
    [InlineData("23:30-00:30", "mon:00:00-mon:01:00", true)]
    [InlineData("23:30-00:30", "mon:00:30-mon:01:00", false)]
    [InlineData("00:00-01:00", "sun:23:30-mon:00:30", true)]
    [InlineData("03:00-04:00", "sun:04:00-sun:05:00", false)]
    [InlineData("12:00-13:00", "sat:12:30-sun:12:15", true)]
    public void Windows_meet_round_midnight_and_the_end_of_the_week(string daily, string weekly, bool overlap)
    {
        Assert.True(MaintenanceWindow.TryParse(daily, out var first));
        Assert.True(MaintenanceWindow.TryParse(weekly, out var second));
        Assert.Equal(overlap, first.Overlaps(second));
        Assert.Equal(overlap, second.Overlaps(first));
    }

    [Fact]
    public void Storage_that_grows_keeps_above_the_storage_that_is_asked_for()
    {
        Assert.Equal(5000, Dev(("DatabaseStorageSize", 1000)).Database.DatabaseMaximumStorage);
        Assert.Equal(0, Dev(("DatabaseStorageSize", 1000), ("DatabaseMaximumStorage", 0)).Database.DatabaseMaximumStorage);
        Assert.False(SpecPresets.Apply(SpecPresets.Create("demo", EnvironmentStage.Prod, "us-east-1"), new Dictionary<string, object> { ["CacheNodes"] = 1 }).Cache.CacheMultiAz);
    }

    [Fact]
    public void Everything_wrong_is_reported_at_once() =>
        Assert.Superset(
            new HashSet<string> { "NamePattern name", "RegionUnknown region", "CidrOverlap network.publicSubnet2Cidr", "FargateSize ecs.taskMemory", "TaskRange ecs.desiredTasks" },
            Rules(Dev(("Name", "X"), ("Region", "nowhere"), ("PublicSubnet2Cidr", "10.0.1.0/24"), ("TaskMemory", 512), ("DesiredTasks", 50))).ToHashSet());

    [Fact]
    public void A_region_without_a_needed_service_is_refused()
    {
        using var json = new MemoryStream("""{"regions":[{"name":"us-east-1","partition":"aws","title":"Virginia","without":["ecs","codebuild"]}]}"""u8.ToArray());
        var finding = Assert.Single(SpecValidator.Validate(Dev(), RegionFacts.Load(json)), f => f.Rule == "RegionLacksService");
        Assert.Contains("does not offer ecs", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistyped_region_gets_its_neighbour_named() =>
        Assert.Contains("Did you mean 'us-east-1'?", SpecValidator.Validate(Dev(("Region", "us-esat-1"))).Single(f => f.Rule == "RegionUnknown").Message, StringComparison.Ordinal);

    [Fact]
    public void Subnets_follow_the_range_of_the_vpc_and_fit_it()
    {
        foreach (var prefix in Enumerable.Range(16, 10))
        {
            var spec = Dev(("VpcCidr", $"172.20.0.0/{prefix}"), ("MaximumTasks", 3));
            Assert.DoesNotContain(SpecValidator.Validate(spec), f => f.Rule.StartsWith("Cidr", StringComparison.Ordinal) && f.Rule != "CidrTooSmall");
        }

        Assert.Equal("172.20.1.0/24", Dev(("VpcCidr", "172.20.0.0/16")).Network.PublicSubnet1Cidr);
        Assert.Equal("10.0.1.0/24", Dev().Network.PublicSubnet1Cidr);
    }

    [Fact]
    public void More_tasks_than_addresses_are_refused() =>
        Assert.Contains("CidrTooSmall network.privateSubnet1Cidr", Rules(Dev(("VpcCidr", "10.0.0.0/24"), ("MaximumTasks", 100), ("MinimumTasks", 1))));

    [Fact]
    public void Encryption_never_depends_on_the_stage() =>
        Assert.Single(Enum.GetValues<EnvironmentStage>().Select(s => SpecPresets.Create("demo", s, "us-east-1").Storage.BucketEncryption).Distinct());

    [Fact]
    public void Production_is_protected_and_spread_over_zones()
    {
        var prod = SpecPresets.Create("demo", EnvironmentStage.Prod, "us-east-1", ServiceTier.Starter);
        Assert.True(prod.Security.DeletionProtection);
        Assert.True(prod.Storage.RetainData);
        Assert.Equal(NatGatewayMode.PerAz, prod.Network.NatGatewayMode);
        Assert.Equal(CapacityMode.Fargate, prod.Ecs.CapacityMode);
        Assert.Equal(2, prod.Ecs.MinimumTasks);
    }
}
