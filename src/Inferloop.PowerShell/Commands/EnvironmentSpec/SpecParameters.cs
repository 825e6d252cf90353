using System.Collections;
using System.Management.Automation;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>
/// The members of a spec as parameters, for every cmdlet that takes them. One list for all: a test holds it to the
/// spec's members. Name, Stage and Region are the cmdlets' own.
/// </summary>
public sealed partial class SpecParameters
{
    /// <summary>The region that a recovery would use; empty for none. Default none.</summary>
    [Parameter]
    public string? RecoveryRegion { get; set; }

    /// <summary>The address range of the VPC, IPv4 CIDR, /16 to /25. Default 10.0.0.0/16.</summary>
    [Parameter]
    public string? VpcCidr { get; set; }

    /// <summary>Public subnet in the first zone, within the VPC, /28 or larger. Default 10.0.1.0/24 (follows VpcCidr when not given).</summary>
    [Parameter]
    public string? PublicSubnet1Cidr { get; set; }

    /// <summary>Public subnet in the second zone. Default 10.0.2.0/24 (follows VpcCidr when not given).</summary>
    [Parameter]
    public string? PublicSubnet2Cidr { get; set; }

    /// <summary>Private subnet in the first zone. Default 10.0.3.0/24 (follows VpcCidr when not given).</summary>
    [Parameter]
    public string? PrivateSubnet1Cidr { get; set; }

    /// <summary>Private subnet in the second zone. Default 10.0.4.0/24 (follows VpcCidr when not given).</summary>
    [Parameter]
    public string? PrivateSubnet2Cidr { get; set; }

    /// <summary>One NAT gateway, or one in each zone. Default Single; PerAz for prod.</summary>
    [Parameter]
    public NatGatewayMode? NatGatewayMode { get; set; }

    /// <summary>Whether the VPC's flow logs are kept, for AuditLogRetentionDays. Default true.</summary>
    [Parameter]
    public bool? FlowLogs { get; set; }

    /// <summary>IPv4 range from which clients reach the load balancer, /0 to /32. Default 0.0.0.0/0.</summary>
    [Parameter]
    public string? ClientCidr { get; set; }

    /// <summary>Whether a site-to-site VPN joins a network of one's own to the private subnets. Default false.</summary>
    [Parameter]
    public bool? VpnEnabled { get; set; }

    /// <summary>Public IPv4 address of the VPN device on the other side; needed with VpnEnabled. Default empty.</summary>
    [Parameter]
    public string? CustomerGatewayIp { get; set; }

    /// <summary>Autonomous system number of the other side, 1 to 2147483647. Default 65000.</summary>
    [Parameter]
    public int? BgpAsn { get; set; }

    /// <summary>IPv4 range behind the VPN device, outside the VPC, from which tasks may be reached. Default 192.168.0.0/16.</summary>
    [Parameter]
    public string? VpnRemoteCidr { get; set; }

    /// <summary>Whether the application runs on ECS, behind a load balancer. Default true.</summary>
    [Parameter]
    public bool? EcsEnabled { get; set; }

    /// <summary>Fargate, FargateSpot, Ec2 or Mixed. Default Fargate; FargateSpot for dev.</summary>
    [Parameter]
    public CapacityMode? CapacityMode { get; set; }

    /// <summary>CPU of a task in CPU units (1024 = 1 vCPU): 256, 512, 1024, 2048, 4096, 8192 or 16384. Default by service tier.</summary>
    [Parameter]
    public int? TaskCpu { get; set; }

    /// <summary>Memory of a task in MiB, 512 to 122880, in a combination with TaskCpu that Fargate offers. Default by service tier.</summary>
    [Parameter]
    public int? TaskMemory { get; set; }

    /// <summary>Tasks to start with, 0 to 5000, between MinimumTasks and MaximumTasks. Default by service tier.</summary>
    [Parameter]
    public int? DesiredTasks { get; set; }

    /// <summary>The least number of tasks that scaling leaves running, 0 to 5000. Default by service tier.</summary>
    [Parameter]
    public int? MinimumTasks { get; set; }

    /// <summary>The greatest number of tasks that scaling starts, 1 to 5000. Default by service tier.</summary>
    [Parameter]
    public int? MaximumTasks { get; set; }

    /// <summary>Average CPU that scaling keeps, in percent, 10 to 95. Default 70.</summary>
    [Parameter]
    public int? TargetCpuPercent { get; set; }

    /// <summary>Average memory that scaling keeps, in percent, 10 to 95. Default 80.</summary>
    [Parameter]
    public int? TargetMemoryPercent { get; set; }

    /// <summary>Instance type of the container instances, for the modes Ec2 and Mixed. Default t3.medium.</summary>
    [Parameter]
    public string? Ec2InstanceType { get; set; }

    /// <summary>The least number of container instances, 0 to 1000; ECS starts more when tasks need them. Default 0.</summary>
    [Parameter]
    public int? Ec2MinimumInstances { get; set; }

    /// <summary>The greatest number of container instances, 1 to 1000. Default 10.</summary>
    [Parameter]
    public int? Ec2MaximumInstances { get; set; }

    /// <summary>Encrypted root volume of a container instance in GiB, 30 to 16384. Default 30.</summary>
    [Parameter]
    public int? Ec2VolumeSize { get; set; }

    /// <summary>Parameter Store name that holds the ECS-optimized image of container instances. Default Amazon Linux 2023's.</summary>
    [Parameter]
    public string? Ec2ImageParameter { get; set; }

    /// <summary>The image the service runs, repository:tag or repository@digest. Default inferloop/synthdata:latest.</summary>
    [Parameter]
    public string? ContainerImage { get; set; }

    /// <summary>The port the application listens on, 1 to 65535. Default 8000.</summary>
    [Parameter]
    public int? ContainerPort { get; set; }

    /// <summary>The application's service tier; it also gives the default size and number of tasks. Default Starter for dev, else Professional.</summary>
    [Parameter]
    public ServiceTier? ServiceTier { get; set; }

    /// <summary>The application's log level: Debug, Info, Warning, Error or Critical. Default Info; Debug for dev.</summary>
    [Parameter]
    public ApplicationLogLevel? LogLevel { get; set; }

    /// <summary>The version that the application reports. Default latest.</summary>
    [Parameter]
    public string? ServiceVersion { get; set; }

    /// <summary>Whether the application serves metrics. Default true.</summary>
    [Parameter]
    public bool? EnableMetrics { get; set; }

    /// <summary>The port of the metrics, 1 to 65535. Default 9090.</summary>
    [Parameter]
    public int? MetricsPort { get; set; }

    /// <summary>Whether the application traces requests. Default false.</summary>
    [Parameter]
    public bool? EnableTracing { get; set; }

    /// <summary>Whether the application asks for API keys. Default true.</summary>
    [Parameter]
    public bool? EnableApiKeyAuth { get; set; }

    /// <summary>How tokens are signed: HS256, HS384 or HS512. Default HS256.</summary>
    [Parameter]
    public JwtAlgorithm? JwtAlgorithm { get; set; }

    /// <summary>Hours that a token is good for, 1 to 720. Default 24.</summary>
    [Parameter]
    public int? JwtExpirationHours { get; set; }

    /// <summary>Host of the PostgreSQL database; empty for none. Default empty.</summary>
    [Parameter]
    public string? DatabaseHost { get; set; }

    /// <summary>Port of the database, 1 to 65535. Default 5432.</summary>
    [Parameter]
    public int? DatabasePort { get; set; }

    /// <summary>Name of the database, a letter first, then letters, digits and underscores. Default inferloop.</summary>
    [Parameter]
    public string? DatabaseName { get; set; }

    /// <summary>Database connections that a task keeps, 1 to 1000. Default 10.</summary>
    [Parameter]
    public int? DatabasePoolSize { get; set; }

    /// <summary>ARN of the secret with the database's username and password; empty for none. Default empty.</summary>
    [Parameter]
    public string? DatabaseSecretArn { get; set; }

    /// <summary>Host of the Redis cache; empty for none. Default empty.</summary>
    [Parameter]
    public string? CacheHost { get; set; }

    /// <summary>Port of the cache, 1 to 65535. Default 6379.</summary>
    [Parameter]
    public int? CachePort { get; set; }

    /// <summary>ARN of the secret with the cache's password; empty for none. Default empty.</summary>
    [Parameter]
    public string? CacheSecretArn { get; set; }

    /// <summary>URL of the authentication service; empty if the application authenticates by itself. Default empty.</summary>
    [Parameter]
    public string? AuthServiceUrl { get; set; }

    /// <summary>ARN of the secret with SENTRY_DSN and ALERT_WEBHOOK_URL; empty for none. Default empty.</summary>
    [Parameter]
    public string? IntegrationsSecretArn { get; set; }

    /// <summary>ARN of the KMS key of these secrets, where it is not the account's default key. Default empty.</summary>
    [Parameter]
    public string? ExternalSecretsKeyArn { get; set; }

    /// <summary>Whether the environment has a database of its own. Default true, unless DatabaseHost names one made elsewhere.</summary>
    [Parameter]
    public bool? DatabaseEnabled { get; set; }

    /// <summary>PostgreSQL version, such as 17 or 17.5; a major version takes RDS's default minor version. Default 17.</summary>
    [Parameter]
    public string? DatabaseEngineVersion { get; set; }

    /// <summary>Whether another major version may be applied to an existing database; it cannot be undone. Default false.</summary>
    [Parameter]
    public bool? DatabaseAllowMajorUpgrade { get; set; }

    /// <summary>Class of the instance and its replicas. Default db.t4g.micro for dev, db.t4g.small for staging, db.m6g.large for prod.</summary>
    [Parameter]
    public string? DatabaseInstanceClass { get; set; }

    /// <summary>Master user; its password is made and rotated by RDS. Default inferloop.</summary>
    [Parameter]
    public string? DatabaseUsername { get; set; }

    /// <summary>Snapshot to restore a new database from; empty for an empty one. Default empty.</summary>
    [Parameter]
    public string? DatabaseSnapshotIdentifier { get; set; }

    /// <summary>Storage (gp3) in GiB, 20 to 65536; it can grow, never shrink. Default 20; 100 for prod.</summary>
    [Parameter]
    public int? DatabaseStorageSize { get; set; }

    /// <summary>Size in GiB up to which RDS enlarges full storage, a tenth above DatabaseStorageSize or more; 0 for never. Default 100; 500 for prod.</summary>
    [Parameter]
    public int? DatabaseMaximumStorage { get; set; }

    /// <summary>A standby in the other zone takes over by itself. It has nothing to do with encryption, which is always on. Default false; true for prod.</summary>
    [Parameter]
    public bool? DatabaseMultiAz { get; set; }

    /// <summary>Read replicas, 0 to 5. Default 0.</summary>
    [Parameter]
    public int? DatabaseReplicas { get; set; }

    /// <summary>Days that automated backups are kept, 1 to 35. Default 7.</summary>
    [Parameter]
    public int? DatabaseBackupDays { get; set; }

    /// <summary>Daily window of the backup, UTC, half an hour or more. Default 03:00-04:00.</summary>
    [Parameter]
    public string? DatabaseBackupWindow { get; set; }

    /// <summary>Weekly window of maintenance, UTC, half an hour or more. Default sun:04:30-sun:05:30.</summary>
    [Parameter]
    public string? DatabaseMaintenanceWindow { get; set; }

    /// <summary>Authority of the server's certificate: rds-ca-rsa2048-g1, rds-ca-rsa4096-g1 or rds-ca-ecc384-g1. Default rds-ca-rsa2048-g1.</summary>
    [Parameter]
    public string? DatabaseCaCertificate { get; set; }

    /// <summary>Whether IAM identities may log in with a token. Default false.</summary>
    [Parameter]
    public bool? DatabaseIamAuthentication { get; set; }

    /// <summary>Days between rotations of the master password, 1 to 1000; 0 leaves RDS's own 7. Default 30.</summary>
    [Parameter]
    public int? DatabaseSecretRotationDays { get; set; }

    /// <summary>Database Insights: Standard (a week) or Advanced (fifteen months). Default Standard.</summary>
    [Parameter]
    public DatabaseInsightsMode? DatabaseInsightsMode { get; set; }

    /// <summary>Seconds between points of enhanced monitoring: 0 (none), 1, 5, 10, 15, 30 or 60. Default 60.</summary>
    [Parameter]
    public int? DatabaseMonitoringInterval { get; set; }

    /// <summary>Whether the environment has a cache of its own. Default true, unless CacheHost names one made elsewhere.</summary>
    [Parameter]
    public bool? CacheEnabled { get; set; }

    /// <summary>Redis (Redis OSS, the design document's) or Valkey. Default Redis.</summary>
    [Parameter]
    public CacheEngine? CacheEngine { get; set; }

    /// <summary>Version of the engine: 6.2, 7.0 or 7.1 of Redis, 7.2, 8.0, 8.1 or 8.2 of Valkey. Default 7.1.</summary>
    [Parameter]
    public string? CacheEngineVersion { get; set; }

    /// <summary>Type of the nodes. Default cache.t3.micro; cache.t4g.medium for prod.</summary>
    [Parameter]
    public string? CacheNodeType { get; set; }

    /// <summary>Nodes, 1 to 6: a primary and its replicas. With two or more a failed primary is replaced by itself. Default 2; 1 for dev.</summary>
    [Parameter]
    public int? CacheNodes { get; set; }

    /// <summary>Nodes are held in different zones. It has nothing to do with encryption, which is always on. Default false; true for prod.</summary>
    [Parameter]
    public bool? CacheMultiAz { get; set; }

    /// <summary>Days that daily snapshots are kept, 0 (none) to 35. Default 7; 1 for dev.</summary>
    [Parameter]
    public int? CacheSnapshotDays { get; set; }

    /// <summary>Daily window of the snapshot, UTC, an hour or more. Default 02:00-03:00.</summary>
    [Parameter]
    public string? CacheSnapshotWindow { get; set; }

    /// <summary>Weekly window of maintenance, UTC, an hour or more. Default sun:05:30-sun:06:30.</summary>
    [Parameter]
    public string? CacheMaintenanceWindow { get; set; }

    /// <summary>How clients log in with the password: Token, or Users (a user group without rights of administration). Default Token.</summary>
    [Parameter]
    public CacheAuthentication? CacheAuthentication { get; set; }

    /// <summary>Whether jobs run on AWS Batch. Default false.</summary>
    [Parameter]
    public bool? BatchEnabled { get; set; }

    /// <summary>Instance types or families, comma-separated; optimal lets Batch choose among the C, M and R families. Default optimal.</summary>
    [Parameter]
    public string? BatchInstanceTypes { get; set; }

    /// <summary>vCPUs that each compute environment keeps without jobs, 0 to 256. Default 0, which costs nothing when idle.</summary>
    [Parameter]
    public int? BatchMinimumVcpus { get; set; }

    /// <summary>vCPUs that each compute environment grows to, 1 to 256. Default 256.</summary>
    [Parameter]
    public int? BatchMaximumVcpus { get; set; }

    /// <summary>Most that a Spot instance may cost, in percent of the on-demand price, 1 to 100. Default 100.</summary>
    [Parameter]
    public int? BatchSpotPercent { get; set; }

    /// <summary>Encrypted root volume of an instance in GiB, 30 to 16384. Default 100.</summary>
    [Parameter]
    public int? BatchVolumeSize { get; set; }

    /// <summary>vCPUs of a job, 1 to 192. Default 2.</summary>
    [Parameter]
    public int? BatchJobVcpus { get; set; }

    /// <summary>Memory of a job in MiB, 128 to 1572864. Default 4096.</summary>
    [Parameter]
    public int? BatchJobMemory { get; set; }

    /// <summary>Times that a job is tried when its host is lost, 1 to 10. Default 3.</summary>
    [Parameter]
    public int? BatchJobAttempts { get; set; }

    /// <summary>Seconds after which an attempt is ended, 60 to 1209600. Default 14400.</summary>
    [Parameter]
    public int? BatchJobTimeout { get; set; }

    /// <summary>AES256 (S3's keys) or KMS (the environment's key). Default AES256, in every stage.</summary>
    [Parameter]
    public BucketEncryption? BucketEncryption { get; set; }

    /// <summary>Whether bucket and table outlive the stack when it is removed. Default false; true for prod.</summary>
    [Parameter]
    public bool? RetainData { get; set; }

    /// <summary>Days until objects under input/ expire, 0 (never) to 3650; the application means 30. Default 0.</summary>
    [Parameter]
    public int? InputRetentionDays { get; set; }

    /// <summary>Days until objects under output/ expire, 0 (never) to 3650; the application means 90. Default 0.</summary>
    [Parameter]
    public int? OutputRetentionDays { get; set; }

    /// <summary>Days until objects under temporary/ expire, 0 (never) to 3650. Default 1.</summary>
    [Parameter]
    public int? TemporaryRetentionDays { get; set; }

    /// <summary>S3 moves objects between access tiers by their use, instead of the document's fixed days. Default false.</summary>
    [Parameter]
    public bool? IntelligentTiering { get; set; }

    /// <summary>Clients may upload through AWS's edge locations. Default false.</summary>
    [Parameter]
    public bool? TransferAcceleration { get; set; }

    /// <summary>S3 publishes metrics of the bucket's requests each minute, priced as custom metrics. Default false; true for prod.</summary>
    [Parameter]
    public bool? RequestMetrics { get; set; }

    /// <summary>ARN of a versioned bucket in another region that receives every new object; empty for none. Default empty.</summary>
    [Parameter]
    public string? ReplicaBucketArn { get; set; }

    /// <summary>ARN of the KMS key, in the replica bucket's region, for the replicas; needed with BucketEncryption KMS. Default empty.</summary>
    [Parameter]
    public string? ReplicaKeyArn { get; set; }

    /// <summary>S3 promises replication within 15 minutes and publishes how far behind it is. Default false; true for prod.</summary>
    [Parameter]
    public bool? ReplicationTimeControl { get; set; }

    /// <summary>What is deleted here disappears there too. Default false.</summary>
    [Parameter]
    public bool? ReplicateDeleteMarkers { get; set; }

    /// <summary>OnDemand, or Provisioned capacity that scales with use. Default OnDemand.</summary>
    [Parameter]
    public TableBillingMode? TableBillingMode { get; set; }

    /// <summary>Fewest read units of table and of index with Provisioned, 1 to 40000. Default 5.</summary>
    [Parameter]
    public int? TableMinimumReadCapacity { get; set; }

    /// <summary>Most read units of table and of index, 1 to 40000. Default 100.</summary>
    [Parameter]
    public int? TableMaximumReadCapacity { get; set; }

    /// <summary>Fewest write units of table and of index with Provisioned, 1 to 40000. Default 5.</summary>
    [Parameter]
    public int? TableMinimumWriteCapacity { get; set; }

    /// <summary>Most write units of table and of index, 1 to 40000. Default 100.</summary>
    [Parameter]
    public int? TableMaximumWriteCapacity { get; set; }

    /// <summary>Use of the provisioned units that scaling holds, 20 to 90 percent. Default 70.</summary>
    [Parameter]
    public int? TableTargetUtilization { get; set; }

    /// <summary>The jobs table can have a replica in another region. Decided at creation: another value later makes another, empty table. Default false.</summary>
    [Parameter]
    public bool? GlobalTable { get; set; }

    /// <summary>Region of the global table's replica; empty for none. Default empty; RecoveryRegion when TableReplicaKeyArn is given.</summary>
    [Parameter]
    public string? TableReplicaRegion { get; set; }

    /// <summary>ARN of the KMS key, in the replica's region, for the table's replica. Default empty.</summary>
    [Parameter]
    public string? TableReplicaKeyArn { get; set; }

    /// <summary>ARN of the ACM certificate for HTTPS, in the environment's region; empty for HTTP only. Default empty.</summary>
    [Parameter]
    public string? CertificateArn { get; set; }

    /// <summary>Termination protection of the stack, deletion protection of load balancer and table. Default false; true for prod.</summary>
    [Parameter]
    public bool? DeletionProtection { get; set; }

    /// <summary>Days between the deletion of the environment's key and its end, 7 to 30. Default 30; 7 for dev.</summary>
    [Parameter]
    public int? KeyDeletionDays { get; set; }

    /// <summary>Signing key, API keys and the cache's password are rotated by themselves, and tasks replaced to take the new values. Default false for dev, true for staging and prod.</summary>
    [Parameter]
    public bool? RotationEnabled { get; set; }

    /// <summary>Days between rotations of signing key and API keys, 1 to 1000. Default 90.</summary>
    [Parameter]
    public int? SecretRotationDays { get; set; }

    /// <summary>Days between rotations of the cache's password, 1 to 1000. Default 30.</summary>
    [Parameter]
    public int? CacheSecretRotationDays { get; set; }

    /// <summary>A secret of the environment's own for SENTRY_DSN and ALERT_WEBHOOK_URL, empty until someone fills it. Default false.</summary>
    [Parameter]
    public bool? IntegrationsEnabled { get; set; }

    /// <summary>Days that application logs are kept; one of CloudWatch Logs' periods. Default 30.</summary>
    [Parameter]
    public int? ApplicationLogRetentionDays { get; set; }

    /// <summary>Days that audit and flow logs are kept; one of CloudWatch Logs' periods. Default 90.</summary>
    [Parameter]
    public int? AuditLogRetentionDays { get; set; }

    /// <summary>Enabled, Enhanced or Disabled. Default Enabled; Enhanced for prod.</summary>
    [Parameter]
    public ContainerInsightsMode? ContainerInsights { get; set; }

    /// <summary>Days until access logs of load balancer and bucket expire, 1 to 3650. Default 90.</summary>
    [Parameter]
    public int? AccessLogRetentionDays { get; set; }

    /// <summary>Tags for every resource, beside the module's own. At most 40.</summary>
    [Parameter]
    public Hashtable? Tags { get; set; }

    /// <summary>The members that were given, by name.</summary>
    internal Dictionary<string, object> Given()
    {
        var given = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var property in typeof(SpecParameters).GetProperties())
        {
            if (property.Name != nameof(Tags) && property.GetValue(this) is { } value)
            {
                given[property.Name] = value;
            }
        }

        return given;
    }

    /// <summary>A spec with the given members and tags put over it.</summary>
    internal InferloopEnvironmentSpec Over(InferloopEnvironmentSpec spec, bool existing = false)
    {
        spec = SpecPresets.Apply(spec, Given(), existing);
        if (Tags is not null)
        {
            var tags = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (DictionaryEntry tag in Tags)
            {
                tags[tag.Key.ToString() ?? ""] = tag.Value?.ToString() ?? "";
            }

            spec = spec with { Tags = tags };
        }

        return spec;
    }

    /// <summary>Whether anything was given.</summary>
    internal bool Any => Tags is not null || Given().Count > 0;
}
