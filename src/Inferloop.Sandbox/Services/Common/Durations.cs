namespace Inferloop.Sandbox.Services;

/// <summary>
/// How long AWS takes, in sandbox time. Typical values as observed by operators and as the services' guides give them;
/// one table, so that a rehearsal's timing has one place to be tuned.
/// </summary>
internal static class Durations
{
    /// <summary>From the request to a readable copy out of an archive, as S3's guide gives it; null for a tier that the class does not have.</summary>
    public static TimeSpan? ArchiveRestore(string storageClass, string tier) => (storageClass, tier) switch
    {
        ("GLACIER", "Expedited") => TimeSpan.FromMinutes(5),
        ("GLACIER", "Standard") => TimeSpan.FromHours(4),
        ("GLACIER", "Bulk") => TimeSpan.FromHours(10),
        ("DEEP_ARCHIVE", "Standard") => TimeSpan.FromHours(12),
        ("DEEP_ARCHIVE", "Bulk") => TimeSpan.FromHours(48),
        _ => null,
    };

    public static readonly TimeSpan NatGatewayCreate = TimeSpan.FromSeconds(110);
    public static readonly TimeSpan NatGatewayDelete = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan InterfaceEndpointCreate = TimeSpan.FromSeconds(70);
    public static readonly TimeSpan InterfaceEndpointDelete = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan VolumeCreate = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan VolumeAttach = TimeSpan.FromSeconds(4);
    public static readonly TimeSpan VolumeSnapshot = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan VolumeModify = TimeSpan.FromSeconds(20);

    /// <summary>The guide: optimizing takes from minutes to hours; half an hour for some dozen GiB.</summary>
    public static readonly TimeSpan VolumeOptimize = TimeSpan.FromMinutes(30);
    public static readonly TimeSpan InstanceStart = TimeSpan.FromSeconds(35);
    public static readonly TimeSpan InstanceStop = TimeSpan.FromSeconds(40);

    /// <summary>From running to both status checks passed.</summary>
    public static readonly TimeSpan InstanceStatusChecks = TimeSpan.FromSeconds(90);
    public static readonly TimeSpan AutoScalingReaction = TimeSpan.FromSeconds(10);

    /// <summary>From running to registered with its ECS cluster (boot, agent).</summary>
    public static readonly TimeSpan ContainerInstanceBoot = TimeSpan.FromSeconds(45);
    public static readonly TimeSpan LoadBalancerCreate = TimeSpan.FromSeconds(150);
    public static readonly TimeSpan DynamoDbTableCreate = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan DynamoDbTableUpdate = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan DynamoDbTableDelete = TimeSpan.FromSeconds(10);
    /// <summary>"Most objects replicate within seconds": the time control promises fifteen minutes.</summary>
    public static readonly TimeSpan S3Replication = TimeSpan.FromSeconds(15);
    /// <summary>What S3's replication time control promises.</summary>
    public static readonly TimeSpan S3ReplicationTime = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan S3Notification = TimeSpan.FromSeconds(1);
    public static readonly TimeSpan DynamoDbBackup = TimeSpan.FromSeconds(15);

    /// <summary>"Most restores complete in less than an hour": what operators see of small tables.</summary>
    public static readonly TimeSpan DynamoDbRestore = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan DynamoDbReplicaCreate = TimeSpan.FromMinutes(5);

    /// <summary>"Typically within a second."</summary>
    public static readonly TimeSpan DynamoDbReplication = TimeSpan.FromSeconds(1);

    /// <summary>A new index has to be filled from the table.</summary>
    public static readonly TimeSpan DynamoDbIndexCreate = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan DynamoDbIndexDelete = TimeSpan.FromSeconds(30);

    /// <summary>Network interface and capacity of a task.</summary>
    public static readonly TimeSpan TaskProvisioning = TimeSpan.FromSeconds(12);
    public static readonly TimeSpan TaskPending = TimeSpan.FromSeconds(18);
    public static readonly TimeSpan TaskActivating = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan TaskDeprovisioning = TimeSpan.FromSeconds(8);

    /// <summary>A basic scan of an image of ordinary size.</summary>
    public static readonly TimeSpan ImageScan = TimeSpan.FromSeconds(20);

    /// <summary>How often the ECS scheduler looks at a service.</summary>
    public static readonly TimeSpan ServiceScheduler = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan ClusterProvisioning = TimeSpan.FromSeconds(4);
    public static readonly TimeSpan PrivateDnsNamespace = TimeSpan.FromSeconds(45);
    /// <summary>The guide: changes generally propagate to all name servers within 60 seconds.</summary>
    public static readonly TimeSpan DnsPropagation = TimeSpan.FromSeconds(40);

    /// <summary>A model of a metric is first trained within minutes; it grows better over two weeks.</summary>
    public static readonly TimeSpan AnomalyDetectorTraining = TimeSpan.FromMinutes(15);
    public static readonly TimeSpan IamPropagation = TimeSpan.FromSeconds(8);
    public static readonly TimeSpan InstanceProfilePropagation = TimeSpan.FromMinutes(2);

    // EKS. A cluster: "takes several minutes" in the user guide, 8 to 10 as the releases of eksctl and Terraform providers report it.
    public static readonly TimeSpan EksClusterCreate = TimeSpan.FromMinutes(9);
    public static readonly TimeSpan EksClusterDelete = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan EksClusterConfigUpdate = TimeSpan.FromMinutes(3);

    /// <summary>The user guide says "several minutes"; operators see about ten for one minor version.</summary>
    public static readonly TimeSpan EksVersionUpdate = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan EksIdentityProvider = TimeSpan.FromMinutes(15);

    /// <summary>From in service to ready in Kubernetes.</summary>
    public static readonly TimeSpan EksNodeJoin = TimeSpan.FromSeconds(60);
    public static readonly TimeSpan EksNodeTimeout = TimeSpan.FromMinutes(20);
    public static readonly TimeSpan EksNodeDrain = TimeSpan.FromMinutes(2);
    public static readonly TimeSpan EksNodegroupConfigUpdate = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan EksFargateProfile = TimeSpan.FromMinutes(2);
    public static readonly TimeSpan EksAddonCreate = TimeSpan.FromSeconds(40);

    /// <summary>After this an add-on without healthy pods is degraded.</summary>
    public static readonly TimeSpan EksAddonTimeout = TimeSpan.FromMinutes(20);
    public static readonly TimeSpan EksAddonDelete = TimeSpan.FromSeconds(30);

    // Lambda. Functions are active within seconds; those in a VPC wait for their shared interface ("up to 90 seconds", developer guide, "Lambda Hyperplane ENIs").
    public static readonly TimeSpan LambdaCreate = TimeSpan.FromSeconds(4);
    public static readonly TimeSpan LambdaVpcCreate = TimeSpan.FromSeconds(75);
    public static readonly TimeSpan LambdaUpdate = TimeSpan.FromSeconds(4);
    public static readonly TimeSpan LambdaPublish = TimeSpan.FromSeconds(2);
    public static readonly TimeSpan LambdaProvisionedConcurrency = TimeSpan.FromSeconds(100);
    public static readonly TimeSpan LambdaEventSource = TimeSpan.FromSeconds(20);

    /// <summary>The interface of a deleted function "can take up to 20 minutes" to go; operators see about ten.</summary>
    public static readonly TimeSpan LambdaInterfaceRelease = TimeSpan.FromMinutes(10);

    // Batch. The states of resources change within seconds; jobs wait for an instance to start and join, or for Fargate to provision.
    public static readonly TimeSpan BatchEnvironment = TimeSpan.FromSeconds(12);
    public static readonly TimeSpan BatchEnvironmentDelete = TimeSpan.FromSeconds(45);
    public static readonly TimeSpan BatchQueue = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan BatchQueueDelete = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan BatchScheduling = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan BatchInstanceStart = TimeSpan.FromSeconds(150);
    public static readonly TimeSpan BatchWarmStart = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan BatchFargateStart = TimeSpan.FromSeconds(40);

    /// <summary>A job that does not say how long it takes.</summary>
    public static readonly TimeSpan BatchJob = TimeSpan.FromSeconds(60);

    // AWS Backup: a job waits until it is picked up, and is looked after until what it asked for is there.
    public static readonly TimeSpan BackupJobStart = TimeSpan.FromSeconds(90);
    public static readonly TimeSpan BackupJobPoll = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan BackupTable = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan BackupBucket = TimeSpan.FromMinutes(12);
    public static readonly TimeSpan BackupCopy = TimeSpan.FromMinutes(8);
    public static readonly TimeSpan BackupBucketRestore = TimeSpan.FromMinutes(10);

    // RDS: times between events of instances of a few dozen GiB, as operators report them; the guide says "several minutes" for most.
    public static readonly TimeSpan RdsCreate = TimeSpan.FromMinutes(6);

    /// <summary>A standby is made from a snapshot of the primary and catches up.</summary>
    public static readonly TimeSpan RdsStandby = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan RdsFirstBackup = TimeSpan.FromMinutes(2.5);
    public static readonly TimeSpan RdsRestore = TimeSpan.FromMinutes(10);
    public static readonly TimeSpan RdsReplica = TimeSpan.FromMinutes(9);
    public static readonly TimeSpan RdsReplicaAcross = TimeSpan.FromMinutes(18);

    /// <summary>Until one region's RDS knows what another's did.</summary>
    public static readonly TimeSpan RdsAcross = TimeSpan.FromSeconds(2);

    /// <summary>Transaction logs are copied to another region as they are archived, every five minutes.</summary>
    public static readonly TimeSpan RdsBackupReplication = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan RdsPromote = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan RdsSnapshot = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan RdsSnapshotCopy = TimeSpan.FromMinutes(8);
    public static readonly TimeSpan RdsReboot = TimeSpan.FromSeconds(75);

    /// <summary>The guide: failover times are typically 60 to 120 seconds.</summary>
    public static readonly TimeSpan RdsFailover = TimeSpan.FromSeconds(90);
    public static readonly TimeSpan RdsStop = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan RdsStart = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan RdsDelete = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan RdsModifySettings = TimeSpan.FromSeconds(45);
    public static readonly TimeSpan RdsModifyClass = TimeSpan.FromMinutes(7);
    public static readonly TimeSpan RdsModifyStorage = TimeSpan.FromMinutes(4);

    /// <summary>The guide: optimization can take hours; no other storage change meanwhile.</summary>
    public static readonly TimeSpan RdsStorageOptimization = TimeSpan.FromHours(6);
    public static readonly TimeSpan RdsMinorUpgrade = TimeSpan.FromMinutes(8);
    public static readonly TimeSpan RdsMajorUpgrade = TimeSpan.FromMinutes(25);
    public static readonly TimeSpan RdsParametersApply = TimeSpan.FromSeconds(60);

    // ElastiCache: as seen in events of replication groups with small nodes.
    public static readonly TimeSpan CacheCreate = TimeSpan.FromMinutes(7);
    public static readonly TimeSpan CacheDelete = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan CacheModify = TimeSpan.FromMinutes(2);
    public static readonly TimeSpan CacheScale = TimeSpan.FromMinutes(9);
    public static readonly TimeSpan CacheUpgrade = TimeSpan.FromMinutes(12);
    public static readonly TimeSpan CacheReplica = TimeSpan.FromMinutes(6);
    public static readonly TimeSpan CacheSnapshot = TimeSpan.FromMinutes(3);
    public static readonly TimeSpan CacheFailover = TimeSpan.FromSeconds(45);
    public static readonly TimeSpan CacheUser = TimeSpan.FromSeconds(20);

    // A global datastore: its own states change within minutes, a member is filled first; the guide has promotion "typically in less than a minute".
    public static readonly TimeSpan GlobalCache = TimeSpan.FromMinutes(5);
    public static readonly TimeSpan GlobalCacheFailover = TimeSpan.FromSeconds(50);

    /// <summary>The guide: typically under a second between regions.</summary>
    public static readonly TimeSpan GlobalCacheReplication = TimeSpan.FromSeconds(0.8);

    /// <summary>The guide: practice runs last about thirty minutes.</summary>
    public static readonly TimeSpan ZonalPracticeRun = TimeSpan.FromMinutes(30);

    /// <summary>Until AWS's own monitoring has found a zone impaired.</summary>
    public static readonly TimeSpan ZonalAutoshift = TimeSpan.FromMinutes(4);

    /// <summary>A new account of an organization: "a few minutes" in the guide.</summary>
    public static readonly TimeSpan AccountCreate = TimeSpan.FromSeconds(90);

    /// <summary>The four steps of a managed rotation.</summary>
    public static readonly TimeSpan SecretRotation = TimeSpan.FromSeconds(30);

    public static readonly TimeSpan SecretReplication = TimeSpan.FromSeconds(5);

    /// <summary>The guide: a replica is ready "after a few seconds", a change of the primary region takes no longer.</summary>
    public static readonly TimeSpan KmsReplicate = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan KmsUpdatePrimary = TimeSpan.FromSeconds(15);

    /// <summary>The guide: most images replicate in less than thirty minutes; those of ordinary size within a few.</summary>
    public static readonly TimeSpan ImageReplication = TimeSpan.FromMinutes(3);

    public static readonly TimeSpan VpnGateway = TimeSpan.FromSeconds(15);
    public static readonly TimeSpan VpnGatewayAttachment = TimeSpan.FromSeconds(25);

    /// <summary>The guide: a connection can take several minutes.</summary>
    public static readonly TimeSpan VpnConnection = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan VpnConnectionDelete = TimeSpan.FromMinutes(2);

    /// <summary>Requests for more of a quota: first a case, then, for the common ones, soon granted.</summary>
    public static readonly TimeSpan QuotaCaseOpened = TimeSpan.FromMinutes(1);
    public static readonly TimeSpan QuotaGranted = TimeSpan.FromMinutes(30);

    /// <summary>CloudTrail delivers log files about every five minutes, and shows events within fifteen.</summary>
    public static readonly TimeSpan TrailDelivery = TimeSpan.FromMinutes(5);

    /// <summary>A rule's first evaluation, and one after a change.</summary>
    public static readonly TimeSpan ConfigEvaluation = TimeSpan.FromMinutes(2);

    /// <summary>A build's phases: capacity, source, the build itself.</summary>
    public static readonly TimeSpan BuildQueued = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan BuildProvisioning = TimeSpan.FromSeconds(25);
    public static readonly TimeSpan BuildPhase = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan BuildRun = TimeSpan.FromMinutes(3);

    /// <summary>How often a pipeline looks at an action in progress, and how long a source or deployment action takes.</summary>
    public static readonly TimeSpan PipelinePoll = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan PipelineAction = TimeSpan.FromSeconds(20);
}
