namespace Inferloop.Operations.Specs;

/// <summary>The network: one VPC, two public and two private subnets over two availability zones.</summary>
public sealed record NetworkSpec
{
    /// <summary>The address range of the VPC, IPv4 CIDR, /16 to /25. Default 10.0.0.0/16.</summary>
    [SpecMember(Summary = "IPv4 CIDR of the VPC, /16 to /25")]
    public string VpcCidr { get; init; } = "10.0.0.0/16";

    /// <summary>Public subnet in the first zone, within the VPC, /28 or larger. Default 10.0.1.0/24 (follows VpcCidr when not given).</summary>
    [SpecMember(Summary = "public subnet, first zone")]
    public string PublicSubnet1Cidr { get; init; } = "10.0.1.0/24";

    /// <summary>Public subnet in the second zone. Default 10.0.2.0/24 (follows VpcCidr when not given).</summary>
    [SpecMember(Summary = "public subnet, second zone")]
    public string PublicSubnet2Cidr { get; init; } = "10.0.2.0/24";

    /// <summary>Private subnet in the first zone. Default 10.0.3.0/24 (follows VpcCidr when not given).</summary>
    [SpecMember(Summary = "private subnet, first zone")]
    public string PrivateSubnet1Cidr { get; init; } = "10.0.3.0/24";

    /// <summary>Private subnet in the second zone. Default 10.0.4.0/24 (follows VpcCidr when not given).</summary>
    [SpecMember(Summary = "private subnet, second zone")]
    public string PrivateSubnet2Cidr { get; init; } = "10.0.4.0/24";

    /// <summary>One NAT gateway, or one in each zone. Default Single; PerAz for prod.</summary>
    [SpecMember(Summary = "Single or PerAz")]
    public NatGatewayMode NatGatewayMode { get; init; }

    /// <summary>Whether the VPC's flow logs are kept, for AuditLogRetentionDays. Default true.</summary>
    [SpecMember(Summary = "keep VPC flow logs")]
    public bool FlowLogs { get; init; } = true;

    /// <summary>IPv4 range from which clients reach the load balancer, /0 to /32. Default 0.0.0.0/0.</summary>
    [SpecMember(Summary = "range from which clients reach the load balancer")]
    public string ClientCidr { get; init; } = "0.0.0.0/0";

    /// <summary>Whether a site-to-site VPN joins a network of one's own to the private subnets. Default false.</summary>
    [SpecMember(Summary = "a site-to-site VPN to the private subnets")]
    public bool VpnEnabled { get; init; }

    /// <summary>Public IPv4 address of the VPN device on the other side; needed with VpnEnabled. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$", PatternMeaning = "an IPv4 address", Summary = "public address of the VPN device; needed with vpnEnabled")]
    public string CustomerGatewayIp { get; init; } = "";

    /// <summary>Autonomous system number of the other side, 1 to 2147483647. Default 65000.</summary>
    [SpecMember(Minimum = 1, Maximum = int.MaxValue, Summary = "autonomous system number of the other side")]
    public int BgpAsn { get; init; } = 65000;

    /// <summary>IPv4 range behind the VPN device, outside the VPC, from which tasks may be reached. Default 192.168.0.0/16.</summary>
    [SpecMember(Summary = "range behind the VPN device, outside the VPC")]
    public string VpnRemoteCidr { get; init; } = "192.168.0.0/16";
}

/// <summary>The ECS service: what its tasks run on, how large they are and how many.</summary>
public sealed record EcsSpec
{
    /// <summary>Whether the application runs on ECS, behind a load balancer. Default true; false for the patterns Serverless and Kubernetes.</summary>
    [SpecMember(Summary = "the application on ECS, behind a load balancer")]
    public bool EcsEnabled { get; init; } = true;

    /// <summary>Fargate, FargateSpot, Ec2 or Mixed. Default Fargate; FargateSpot for dev.</summary>
    [SpecMember(Summary = "Fargate, FargateSpot, Ec2 or Mixed")]
    public CapacityMode CapacityMode { get; init; }

    /// <summary>CPU of a task in CPU units (1024 = 1 vCPU): 256, 512, 1024, 2048, 4096, 8192 or 16384. Default by service tier.</summary>
    [SpecMember(Values = [256, 512, 1024, 2048, 4096, 8192, 16384], Unit = "CPU units", Summary = "1024 = 1 vCPU")]
    public int TaskCpu { get; init; } = 1024;

    /// <summary>Memory of a task in MiB, 512 to 122880, in a combination with TaskCpu that Fargate offers. Default by service tier.</summary>
    [SpecMember(Minimum = 512, Maximum = 122880, Unit = "MiB", Summary = "in a combination with taskCpu that Fargate offers")]
    public int TaskMemory { get; init; } = 2048;

    /// <summary>Tasks to start with, 0 to 5000, between MinimumTasks and MaximumTasks. Default by service tier.</summary>
    [SpecMember(Minimum = 0, Maximum = 5000, Unit = "tasks", Summary = "between minimumTasks and maximumTasks")]
    public int DesiredTasks { get; init; } = 2;

    /// <summary>The least number of tasks that scaling leaves running, 0 to 5000. Default by service tier.</summary>
    [SpecMember(Minimum = 0, Maximum = 5000, Unit = "tasks")]
    public int MinimumTasks { get; init; } = 2;

    /// <summary>The greatest number of tasks that scaling starts, 1 to 5000. Default by service tier.</summary>
    [SpecMember(Minimum = 1, Maximum = 5000, Unit = "tasks")]
    public int MaximumTasks { get; init; } = 10;

    /// <summary>Average CPU that scaling keeps, in percent, 10 to 95. Default 70.</summary>
    [SpecMember(Minimum = 10, Maximum = 95, Unit = "%", Summary = "average CPU that scaling keeps")]
    public int TargetCpuPercent { get; init; } = 70;

    /// <summary>Average memory that scaling keeps, in percent, 10 to 95. Default 80.</summary>
    [SpecMember(Minimum = 10, Maximum = 95, Unit = "%", Summary = "average memory that scaling keeps")]
    public int TargetMemoryPercent { get; init; } = 80;

    /// <summary>Requests a minute for each task that scaling keeps, 0 to 1000000; 0 for no scaling by requests. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 1000000, Unit = "requests a minute", Summary = "for each task, that scaling keeps; 0 for not")]
    public int TargetRequestsPerTask { get; init; }

    /// <summary>A metric of one's own that scaling keeps at a target, namespace|metric|statistic|target|dimension|value; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = Scaling.ScalingMetric.Pattern, PatternMeaning = Scaling.ScalingMetric.Meaning, Summary = "a metric of one's own: namespace|metric|statistic|target|dimension|value")]
    public string TaskScalingMetric { get; init; } = "";

    /// <summary>Percent of the tasks that are added when the CPU alarm fires, at 90 to 95 % CPU and above. Default 25,50.</summary>
    [SpecMember(Pattern = "^[1-9][0-9]{0,2},[1-9][0-9]{0,2}$", PatternMeaning = "two numbers of percent such as 25,50", Summary = "percent of tasks added by the CPU alarm, at 90 to 95 % and above")]
    public string TaskScalingSteps { get; init; } = "25,50";

    /// <summary>Times at which the bounds change, up to five, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = Scaling.ScalingSchedule.Pattern, PatternMeaning = Scaling.ScalingSchedule.Meaning, Summary = "times of other bounds: name|cron(...)|time zone|fewest|most;...")]
    public string TaskScalingSchedule { get; init; } = "";

    /// <summary>What of scaling rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [SpecMember(Summary = "None, In, Out, Dynamic, Scheduled or All")]
    public ScalingSuspension TaskScalingSuspended { get; init; }

    /// <summary>Instance type of the container instances, for the modes Ec2 and Mixed. Default t3.medium.</summary>
    [SpecMember(Pattern = "^[a-z][a-z0-9-]*\\.[a-z0-9-]+$", PatternMeaning = "an EC2 instance type such as t3.medium", Summary = "for the modes Ec2 and Mixed")]
    public string Ec2InstanceType { get; init; } = "t3.medium";

    /// <summary>The least number of container instances, 0 to 1000; ECS starts more when tasks need them. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 1000, Unit = "instances")]
    public int Ec2MinimumInstances { get; init; }

    /// <summary>The greatest number of container instances, 1 to 1000. Default 10.</summary>
    [SpecMember(Minimum = 1, Maximum = 1000, Unit = "instances")]
    public int Ec2MaximumInstances { get; init; } = 10;

    /// <summary>Encrypted root volume of a container instance in GiB, 30 to 16384. Default 30.</summary>
    [SpecMember(Minimum = 30, Maximum = 16384, Unit = "GiB")]
    public int Ec2VolumeSize { get; init; } = 30;

    /// <summary>Parameter Store name that holds the ECS-optimized image of container instances. Default Amazon Linux 2023's.</summary>
    [SpecMember(Pattern = "^/[A-Za-z0-9_./-]+$", PatternMeaning = "the name of a parameter in Parameter Store, beginning with a slash", Summary = "Parameter Store name of the instances' image")]
    public string Ec2ImageParameter { get; init; } = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id";
}

/// <summary>The application in the containers and what it connects to.</summary>
public sealed record ApplicationSpec
{
    /// <summary>The image the service runs, repository:tag or repository@digest. Default inferloop/synthdata:latest.</summary>
    [SpecMember(Pattern = "^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,511}$", PatternMeaning = "an image reference such as inferloop/synthdata:v2", Summary = "repository:tag or repository@digest")]
    public string ContainerImage { get; init; } = "inferloop/synthdata:latest";

    /// <summary>The port the application listens on, 1 to 65535. Default 8000.</summary>
    [SpecMember(Minimum = 1, Maximum = 65535, Unit = "TCP port")]
    public int ContainerPort { get; init; } = 8000;

    /// <summary>The application's service tier; it also gives the default size and number of tasks. Default Starter for dev, else Professional.</summary>
    [SpecMember(Summary = "Starter, Professional, Business or Enterprise")]
    public ServiceTier ServiceTier { get; init; } = ServiceTier.Professional;

    /// <summary>The application's log level: Debug, Info, Warning, Error or Critical. Default Info; Debug for dev.</summary>
    [SpecMember(Summary = "Debug, Info, Warning, Error or Critical")]
    public ApplicationLogLevel LogLevel { get; init; } = ApplicationLogLevel.Info;

    /// <summary>The version that the application reports. Default latest.</summary>
    [SpecMember(Pattern = "^[A-Za-z0-9._+-]{1,128}$", PatternMeaning = "a version such as 1.4.0")]
    public string ServiceVersion { get; init; } = "latest";

    /// <summary>Whether the application serves metrics. Default true.</summary>
    [SpecMember]
    public bool EnableMetrics { get; init; } = true;

    /// <summary>The port of the metrics, 1 to 65535. Default 9090.</summary>
    [SpecMember(Minimum = 1, Maximum = 65535, Unit = "TCP port")]
    public int MetricsPort { get; init; } = 9090;

    /// <summary>Whether the application traces requests. Default false.</summary>
    [SpecMember]
    public bool EnableTracing { get; init; }

    /// <summary>Whether the application asks for API keys. Default true.</summary>
    [SpecMember]
    public bool EnableApiKeyAuth { get; init; } = true;

    /// <summary>How tokens are signed: HS256, HS384 or HS512. Default HS256.</summary>
    [SpecMember(Summary = "HS256, HS384 or HS512")]
    public JwtAlgorithm JwtAlgorithm { get; init; }

    /// <summary>Hours that a token is good for, 1 to 720. Default 24.</summary>
    [SpecMember(Minimum = 1, Maximum = 720, Unit = "hours")]
    public int JwtExpirationHours { get; init; } = 24;
}

/// <summary>Databases, caches and services that were made elsewhere. Empty members are not used.</summary>
public sealed record ConnectionsSpec
{
    /// <summary>Host of the PostgreSQL database; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Summary = "empty for no database")]
    public string DatabaseHost { get; init; } = "";

    /// <summary>Port of the database, 1 to 65535. Default 5432.</summary>
    [SpecMember(Minimum = 1, Maximum = 65535, Unit = "TCP port")]
    public int DatabasePort { get; init; } = 5432;

    /// <summary>Name of the database, a letter first, then letters, digits and underscores. Default inferloop.</summary>
    [SpecMember(Pattern = "^[A-Za-z][A-Za-z0-9_]{0,62}$", PatternMeaning = "1 to 63 letters, digits and underscores, beginning with a letter")]
    public string DatabaseName { get; init; } = "inferloop";

    /// <summary>Database connections that a task keeps, 1 to 1000. Default 10.</summary>
    [SpecMember(Minimum = 1, Maximum = 1000, Unit = "connections")]
    public int DatabasePoolSize { get; init; } = 10;

    /// <summary>ARN of the secret with the database's username and password; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = SecretPattern, PatternMeaning = SecretMeaning, Summary = "secret with username and password")]
    public string DatabaseSecretArn { get; init; } = "";

    /// <summary>Host of the Redis cache; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Summary = "empty for no cache")]
    public string CacheHost { get; init; } = "";

    /// <summary>Port of the cache, 1 to 65535. Default 6379.</summary>
    [SpecMember(Minimum = 1, Maximum = 65535, Unit = "TCP port")]
    public int CachePort { get; init; } = 6379;

    /// <summary>ARN of the secret with the cache's password; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = SecretPattern, PatternMeaning = SecretMeaning, Summary = "secret with password")]
    public string CacheSecretArn { get; init; } = "";

    /// <summary>URL of the authentication service; empty if the application authenticates by itself. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^https://\S+$", PatternMeaning = "an https URL", Summary = "empty if the application authenticates by itself")]
    public string AuthServiceUrl { get; init; } = "";

    /// <summary>ARN of the secret with SENTRY_DSN and ALERT_WEBHOOK_URL; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = SecretPattern, PatternMeaning = SecretMeaning, Summary = "secret with SENTRY_DSN and ALERT_WEBHOOK_URL")]
    public string IntegrationsSecretArn { get; init; } = "";

    /// <summary>ARN of the KMS key of these secrets, where it is not the account's default key. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = @"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+$", PatternMeaning = "the ARN of a KMS key", Summary = "KMS key of these secrets, if not the account's default")]
    public string ExternalSecretsKeyArn { get; init; } = "";

    private const string SecretPattern = @"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$";
    private const string SecretMeaning = "the ARN of a Secrets Manager secret";
}

/// <summary>Where data lies and what becomes of it.</summary>
public sealed record StorageSpec
{
    /// <summary>AES256 (S3's keys) or KMS (the environment's key). Default AES256, in every stage.</summary>
    [SpecMember(Summary = "AES256 or KMS")]
    public BucketEncryption BucketEncryption { get; init; }

    /// <summary>Whether bucket and table outlive the stack when it is removed. Default false; true for prod.</summary>
    [SpecMember(Summary = "bucket and table outlive the stack")]
    public bool RetainData { get; init; }

    /// <summary>Days until objects under input/ expire, 0 (never) to 3650; the application means 30. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 3650, Unit = "days", Summary = "until objects under input/ expire; 0 for never")]
    public int InputRetentionDays { get; init; }

    /// <summary>Days until objects under output/ expire, 0 (never) to 3650; the application means 90. Default 0.</summary>
    [SpecMember(Minimum = 0, Maximum = 3650, Unit = "days", Summary = "until objects under output/ expire; 0 for never")]
    public int OutputRetentionDays { get; init; }

    /// <summary>Days until objects under temporary/ expire, 0 (never) to 3650. Default 1.</summary>
    [SpecMember(Minimum = 0, Maximum = 3650, Unit = "days", Summary = "until objects under temporary/ expire; 0 for never")]
    public int TemporaryRetentionDays { get; init; } = 1;

    /// <summary>S3 moves objects between access tiers by their use, instead of the document's fixed days. Default false.</summary>
    [SpecMember(Summary = "tiers by use instead of infrequent access after 30 and Glacier after 90 days")]
    public bool IntelligentTiering { get; init; }

    /// <summary>Clients may upload through AWS's edge locations. Default false.</summary>
    [SpecMember(Summary = "uploads through AWS's edge locations")]
    public bool TransferAcceleration { get; init; }

    /// <summary>S3 publishes metrics of the bucket's requests each minute, priced as custom metrics. Default false; true for prod.</summary>
    [SpecMember(Summary = "metrics of the bucket's requests")]
    public bool RequestMetrics { get; init; }

    /// <summary>ARN of a versioned bucket in another region that receives every new object; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = "^arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", PatternMeaning = "the ARN of an S3 bucket", Summary = "bucket in another region for every new object; empty for none")]
    public string ReplicaBucketArn { get; init; } = "";

    /// <summary>ARN of the KMS key, in the replica bucket's region, for the replicas; needed with BucketEncryption KMS. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = KeyPattern, PatternMeaning = KeyMeaning, Summary = "KMS key of the replicas; needed with bucketEncryption KMS")]
    public string ReplicaKeyArn { get; init; } = "";

    /// <summary>S3 promises replication within 15 minutes and publishes how far behind it is. Default false; true for prod.</summary>
    [SpecMember(Summary = "replication within 15 minutes, measured")]
    public bool ReplicationTimeControl { get; init; }

    /// <summary>What is deleted here disappears there too. Default false.</summary>
    [SpecMember(Summary = "deletions are replicated too")]
    public bool ReplicateDeleteMarkers { get; init; }

    /// <summary>OnDemand, or Provisioned capacity that scales with use. Default OnDemand.</summary>
    [SpecMember(Summary = "OnDemand or Provisioned")]
    public TableBillingMode TableBillingMode { get; init; }

    /// <summary>Fewest read units of table and of index with Provisioned, 1 to 40000. Default 5.</summary>
    [SpecMember(Minimum = 1, Maximum = 40000, Unit = "read units", Summary = "with Provisioned, for table and for index")]
    public int TableMinimumReadCapacity { get; init; } = 5;

    /// <summary>Most read units of table and of index, 1 to 40000. Default 100.</summary>
    [SpecMember(Minimum = 1, Maximum = 40000, Unit = "read units")]
    public int TableMaximumReadCapacity { get; init; } = 100;

    /// <summary>Fewest write units of table and of index with Provisioned, 1 to 40000. Default 5.</summary>
    [SpecMember(Minimum = 1, Maximum = 40000, Unit = "write units", Summary = "with Provisioned, for table and for index")]
    public int TableMinimumWriteCapacity { get; init; } = 5;

    /// <summary>Most write units of table and of index, 1 to 40000. Default 100.</summary>
    [SpecMember(Minimum = 1, Maximum = 40000, Unit = "write units")]
    public int TableMaximumWriteCapacity { get; init; } = 100;

    /// <summary>Use of the provisioned units that scaling holds, 20 to 90 percent. Default 70.</summary>
    [SpecMember(Minimum = 20, Maximum = 90, Unit = "%", Summary = "use of the provisioned units that scaling holds")]
    public int TableTargetUtilization { get; init; } = 70;

    /// <summary>Times at which other bounds of reading and writing begin to hold, name|expression|time zone|fewest|most with semicolons between them; empty for none. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = Scaling.ScalingSchedule.Pattern, PatternMeaning = Scaling.ScalingSchedule.Meaning, Summary = "times of other bounds: name|cron(...)|time zone|fewest|most;...")]
    public string TableScalingSchedule { get; init; } = "";

    /// <summary>What of the table's scaling rests: None, In, Out, Dynamic (both directions), Scheduled or All. Default None.</summary>
    [SpecMember(Summary = "None, In, Out, Dynamic, Scheduled or All")]
    public ScalingSuspension TableScalingSuspended { get; init; }

    /// <summary>The jobs table can have a replica in another region. Decided at creation: another value later makes another, empty table. Default false.</summary>
    [SpecMember(Summary = "the table can have a replica; decided at creation")]
    public bool GlobalTable { get; init; }

    /// <summary>Region of the global table's replica; empty for none. Default empty; RecoveryRegion when TableReplicaKeyArn is given.</summary>
    [SpecMember(Optional = true, Pattern = @"^[a-z]{2}(-[a-z]+)+-\d$", PatternMeaning = "a region such as us-west-2", Summary = "region of the table's replica; needs globalTable")]
    public string TableReplicaRegion { get; init; } = "";

    /// <summary>ARN of the KMS key, in the replica's region, for the table's replica. Default empty.</summary>
    [SpecMember(Optional = true, Pattern = KeyPattern, PatternMeaning = KeyMeaning, Summary = "KMS key of the table's replica, in its region")]
    public string TableReplicaKeyArn { get; init; } = "";

    private const string KeyPattern = @"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/.+$";
    private const string KeyMeaning = "the ARN of a KMS key";
}

/// <summary>Protection of the environment.</summary>
public sealed record SecuritySpec
{
    /// <summary>ARN of the ACM certificate for HTTPS, in the environment's region; empty for HTTP only. Default empty.</summary>
    [SpecMember(Optional = true, Summary = "ACM certificate for HTTPS, in the same region; empty for HTTP only")]
    public string CertificateArn { get; init; } = "";

    /// <summary>Termination protection of the stack, deletion protection of load balancer and table. Default false; true for prod.</summary>
    [SpecMember(Summary = "protect stack, load balancer and table against deletion")]
    public bool DeletionProtection { get; init; }

    /// <summary>Days between the deletion of the environment's key and its end, 7 to 30. Default 30; 7 for dev.</summary>
    [SpecMember(Minimum = 7, Maximum = 30, Unit = "days", Summary = "between the key's deletion and its end")]
    public int KeyDeletionDays { get; init; } = 30;

    /// <summary>Signing key, API keys and the cache's password are rotated by themselves, and tasks replaced to take the new values. Default false for dev, true for staging and prod.</summary>
    [SpecMember(Summary = "rotate signing key, API keys and cache password")]
    public bool RotationEnabled { get; init; }

    /// <summary>Days between rotations of signing key and API keys, 1 to 1000. Default 90.</summary>
    [SpecMember(Minimum = 1, Maximum = 1000, Unit = "days", Summary = "signing key and API keys")]
    public int SecretRotationDays { get; init; } = 90;

    /// <summary>Days between rotations of the cache's password, 1 to 1000. Default 30.</summary>
    [SpecMember(Minimum = 1, Maximum = 1000, Unit = "days", Summary = "the cache's password")]
    public int CacheSecretRotationDays { get; init; } = 30;

    /// <summary>A secret of the environment's own for SENTRY_DSN and ALERT_WEBHOOK_URL, empty until someone fills it. Default false.</summary>
    [SpecMember(Summary = "an own secret for SENTRY_DSN and ALERT_WEBHOOK_URL")]
    public bool IntegrationsEnabled { get; init; }
}

/// <summary>Logs and metrics.</summary>
public sealed record LoggingSpec
{
    /// <summary>Days that application logs are kept; one of CloudWatch Logs' periods. Default 30.</summary>
    [SpecMember(Values = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], Unit = "days")]
    public int ApplicationLogRetentionDays { get; init; } = 30;

    /// <summary>Days that audit and flow logs are kept; one of CloudWatch Logs' periods. Default 90.</summary>
    [SpecMember(Values = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], Unit = "days")]
    public int AuditLogRetentionDays { get; init; } = 90;

    /// <summary>Enabled, Enhanced or Disabled. Default Enabled; Enhanced for prod.</summary>
    [SpecMember(Summary = "Enabled, Enhanced or Disabled")]
    public ContainerInsightsMode ContainerInsights { get; init; }

    /// <summary>Days until access logs of load balancer and bucket expire, 1 to 3650. Default 90.</summary>
    [SpecMember(Minimum = 1, Maximum = 3650, Unit = "days")]
    public int AccessLogRetentionDays { get; init; } = 90;
}
