namespace Inferloop.Operations.Specs;

/// <summary>Where a spec starts before anyone changes it: the stage gives the shape, the service tier the size.</summary>
internal static class SpecPresets
{
    /// <summary>CPU units, MiB, and the range of replicas of each service tier.</summary>
    public static (int Cpu, int Memory, int Minimum, int Maximum) Size(ServiceTier tier) => tier switch
    {
        ServiceTier.Starter => (512, 1024, 1, 3),
        ServiceTier.Professional => (1024, 2048, 2, 10),
        ServiceTier.Business => (2048, 4096, 3, 50),
        ServiceTier.Enterprise => (4096, 8192, 5, 100),
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, null),
    };

    public static ServiceTier DefaultTier(EnvironmentStage stage) => stage == EnvironmentStage.Dev ? ServiceTier.Starter : ServiceTier.Professional;

    public static InferloopEnvironmentSpec Create(string name, EnvironmentStage stage, string region, ServiceTier? tier = null, CapacityMode? capacity = null, DeploymentPattern? pattern = null)
    {
        var prod = stage == EnvironmentStage.Prod;
        var dev = stage == EnvironmentStage.Dev;
        var level = tier ?? DefaultTier(stage);
        var size = Size(level);
        var mode = capacity ?? (dev ? CapacityMode.FargateSpot : CapacityMode.Fargate);

        // Production never runs on one task, whatever the tier allows.
        var minimum = prod ? Math.Max(2, size.Minimum) : size.Minimum;
        var spec = new InferloopEnvironmentSpec
        {
            Name = name,
            Stage = stage,
            Region = region,
            Network = new NetworkSpec { NatGatewayMode = prod ? NatGatewayMode.PerAz : NatGatewayMode.Single },
            Ecs = new EcsSpec
            {
                CapacityMode = mode,
                TaskCpu = size.Cpu,
                TaskMemory = size.Memory,
                MinimumTasks = minimum,
                DesiredTasks = minimum,
                MaximumTasks = size.Maximum,
            },
            Application = new ApplicationSpec { ServiceTier = level, LogLevel = dev ? ApplicationLogLevel.Debug : ApplicationLogLevel.Info },
            Database = new DatabaseSpec
            {
                DatabaseInstanceClass = prod ? "db.m6g.large" : dev ? "db.t4g.micro" : "db.t4g.small",
                DatabaseStorageSize = prod ? 100 : 20,
                DatabaseMaximumStorage = prod ? 500 : 100,
                DatabaseMultiAz = prod,
            },
            Cache = new CacheSpec
            {
                CacheNodeType = prod ? "cache.t4g.medium" : "cache.t3.micro",
                CacheNodes = dev ? 1 : 2,
                CacheMultiAz = prod,
                CacheSnapshotDays = dev ? 1 : 7,
            },
            Eks = new EksSpec
            {
                EksExtendedSupport = !dev,
                EksNodeInstanceTypes = dev ? "t3.medium,t3a.medium" : "t3.medium",
                EksNodeCapacity = dev ? EksNodeCapacity.Spot : EksNodeCapacity.OnDemand,
                EksMinimumNodes = prod ? 3 : dev ? 1 : 2,
                EksDesiredNodes = prod ? 3 : 2,
                EksMaximumNodes = dev ? 4 : 10,
            },
            Storage = new StorageSpec { RetainData = prod, ReplicationTimeControl = prod, RequestMetrics = prod },
            Security = new SecuritySpec { DeletionProtection = prod, KeyDeletionDays = dev ? 7 : 30, RotationEnabled = !dev },
            Backup = new BackupSpec { BackupRetentionDays = dev ? 0 : 7 },
            Delivery = new DeliverySpec { PipelineApproval = prod },
            Logging = new LoggingSpec { ContainerInsights = prod ? ContainerInsightsMode.Enhanced : ContainerInsightsMode.Enabled },
        };
        return Shape(spec, pattern ?? DeploymentPattern.Container);
    }

    /// <summary>Turns on the parts of a pattern, and off those of the others.</summary>
    private static InferloopEnvironmentSpec Shape(InferloopEnvironmentSpec spec, DeploymentPattern pattern)
    {
        var (containers, serverless, full) = (pattern == DeploymentPattern.Container, pattern == DeploymentPattern.Serverless, pattern == DeploymentPattern.Full);
        return spec with
        {
            Ecs = spec.Ecs with { EcsEnabled = containers || full },
            Eks = spec.Eks with { EksEnabled = pattern == DeploymentPattern.Kubernetes || full },
            Lambda = spec.Lambda with { LambdaEnabled = serverless || full },
            Batch = spec.Batch with { BatchEnabled = full },
            Database = spec.Database with { DatabaseEnabled = !serverless },
            Cache = spec.Cache with { CacheEnabled = !serverless },
            Governance = spec.Governance with { CloudTrailEnabled = full, ConfigEnabled = full },
        };
    }

    /// <summary>
    /// Puts values over a preset. What another value decides follows it unless given too: subnets follow the VPC's
    /// range, and a desired number of tasks keeps between the bounds.
    /// </summary>
    public static InferloopEnvironmentSpec Apply(InferloopEnvironmentSpec spec, IReadOnlyDictionary<string, object> values, bool existing = false)
    {
        bool Given(string name) => values.Keys.Any(k => SpecMembers.Find(k)?.Name == name);

        foreach (var (key, value) in values)
        {
            spec = SpecMembers.Require(key).Set(spec, value);
        }

        if (Given(nameof(NetworkSpec.VpcCidr)) && Cidr.TryParse(spec.Network.VpcCidr, out var vpc, out _))
        {
            var subnets = vpc.DefaultSubnets();
            foreach (var (name, range) in SubnetNames.Zip(subnets))
            {
                spec = Given(name) ? spec : spec.With(name, range.ToString());
            }
        }

        if (!Given(nameof(EcsSpec.DesiredTasks)) && (Given(nameof(EcsSpec.MinimumTasks)) || Given(nameof(EcsSpec.MaximumTasks))) && spec.Ecs.MinimumTasks <= spec.Ecs.MaximumTasks)
        {
            spec = spec.With(nameof(EcsSpec.DesiredTasks), Math.Clamp(spec.Ecs.DesiredTasks, spec.Ecs.MinimumTasks, spec.Ecs.MaximumTasks));
        }

        if (!Given(nameof(EksSpec.EksDesiredNodes)) && (Given(nameof(EksSpec.EksMinimumNodes)) || Given(nameof(EksSpec.EksMaximumNodes))) && spec.Eks.EksMinimumNodes <= spec.Eks.EksMaximumNodes)
        {
            spec = spec.With(nameof(EksSpec.EksDesiredNodes), Math.Clamp(spec.Eks.EksDesiredNodes, spec.Eks.EksMinimumNodes, spec.Eks.EksMaximumNodes));
        }

        var storage = spec.Database;
        if (Given(nameof(DatabaseSpec.DatabaseStorageSize)) && !Given(nameof(DatabaseSpec.DatabaseMaximumStorage)) && storage.DatabaseMaximumStorage > 0 && storage.DatabaseMaximumStorage < storage.DatabaseStorageSize * 2L)
        {
            spec = spec.With(nameof(DatabaseSpec.DatabaseMaximumStorage), (int)Math.Min(65536, storage.DatabaseStorageSize * 5L));
        }

        if (Given(nameof(StorageSpec.TableReplicaKeyArn)) && !Given(nameof(StorageSpec.TableReplicaRegion)) && spec.Storage.GlobalTable && spec.RecoveryRegion.Length > 0)
        {
            spec = spec.With(nameof(StorageSpec.TableReplicaRegion), spec.RecoveryRegion);
        }

        // A recovery region asks for what makes it one: in production what meets the document's objectives (4 h, 1 h) at the least price,
        // which backups of a night cannot; in staging the backups.
        if (!existing && !Given(nameof(RecoverySpec.StandbyMode)) && Given(nameof(InferloopEnvironmentSpec.RecoveryRegion)) && spec.RecoveryRegion.Length > 0)
        {
            spec = spec.With(nameof(RecoverySpec.StandbyMode), spec.Stage switch { EnvironmentStage.Prod => StandbyMode.PilotLight, EnvironmentStage.Staging => StandbyMode.BackupOnly, _ => StandbyMode.None });
        }

        // Both are decided when the environment is made, and cost nothing until there is a standby.
        if (!existing && spec.Recovery.StandbyMode != StandbyMode.None)
        {
            spec = Given(nameof(RecoverySpec.MultiRegionKey)) ? spec : spec.With(nameof(RecoverySpec.MultiRegionKey), true);
            spec = Given(nameof(StorageSpec.GlobalTable)) || spec.Recovery.StandbyMode == StandbyMode.BackupOnly ? spec : spec.With(nameof(StorageSpec.GlobalTable), true);
        }

        // One made elsewhere takes the place of the environment's own; never of one that exists and has data.
        if (!existing && !Given(nameof(DatabaseSpec.DatabaseEnabled)) && Given(nameof(ConnectionsSpec.DatabaseHost)))
        {
            spec = spec.With(nameof(DatabaseSpec.DatabaseEnabled), spec.Connections.DatabaseHost.Length == 0);
        }

        if (!existing && !Given(nameof(CacheSpec.CacheEnabled)) && Given(nameof(ConnectionsSpec.CacheHost)))
        {
            spec = spec.With(nameof(CacheSpec.CacheEnabled), spec.Connections.CacheHost.Length == 0);
        }

        // Who names a repository wants what is pushed to it released; by workflows of GitHub's where those are asked for.
        if (!existing && !Given(nameof(DeliverySpec.PipelineEnabled)) && Given(nameof(DeliverySpec.PipelineRepository)))
        {
            spec = spec.With(nameof(DeliverySpec.PipelineEnabled), spec.Delivery.PipelineRepository.Length > 0 && !spec.Delivery.GitHubActionsEnabled);
        }

        // A single node has no other zone to be held in.
        if (Given(nameof(CacheSpec.CacheNodes)) && !Given(nameof(CacheSpec.CacheMultiAz)) && spec.Cache.CacheNodes < 2)
        {
            spec = spec.With(nameof(CacheSpec.CacheMultiAz), false);
        }

        return spec;
    }

    internal static readonly string[] SubnetNames =
        [nameof(NetworkSpec.PublicSubnet1Cidr), nameof(NetworkSpec.PublicSubnet2Cidr), nameof(NetworkSpec.PrivateSubnet1Cidr), nameof(NetworkSpec.PrivateSubnet2Cidr)];
}
