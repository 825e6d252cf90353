namespace Inferloop.Operations.Costs;

/// <summary>
/// What an environment uses a month, as far as its price depends on it. Small fits a development environment, Medium a production of tens of
/// users, Large one of thousands. Every amount is for the whole environment; resources of one kind share it equally.
/// </summary>
public sealed partial record UsageProfile
{
    /// <summary>Name of the preset, with an asterisk where values were changed.</summary>
    public string Name { get; init; } = "Small";

    /// <summary>Data from the load balancer to clients on the internet. In GB a month.</summary>
    public decimal InternetOutGb { get; init; } = 20m;

    /// <summary>Data through the load balancer, both ways. In GB a month.</summary>
    public decimal LoadBalancerGb { get; init; } = 30m;

    /// <summary>New connections to the load balancer. In connections a month.</summary>
    public decimal LoadBalancerConnections { get; init; } = 500_000m;

    /// <summary>Time that a connection to the load balancer stays open. In seconds.</summary>
    public decimal LoadBalancerConnectionSeconds { get; init; } = 30m;

    /// <summary>Data through the NAT gateways, both ways, without S3 and DynamoDB, whose endpoints are free. In GB a month.</summary>
    public decimal NatProcessedGb { get; init; } = 50m;

    /// <summary>Part of the above that goes out to the internet. In GB a month.</summary>
    public decimal NatInternetOutGb { get; init; } = 5m;

    /// <summary>Data between the availability zones, apart from what a shared NAT gateway causes. In GB a month.</summary>
    public decimal InterAzGb { get; init; } = 20m;

    /// <summary>Data in the bucket, current versions, temporary data left out. In GB.</summary>
    public decimal StoredGb { get; init; } = 100m;

    /// <summary>Part of the above that a month adds; older data moves to the cheaper classes of the bucket's lifecycle. In GB a month.</summary>
    public decimal StoredAddedGb { get; init; } = 20m;

    /// <summary>Data overwritten or deleted a month; the old versions stay as long as the lifecycle has it. In GB a month.</summary>
    public decimal StoredReplacedGb { get; init; } = 2m;

    /// <summary>Objects added a month; each is moved once by every transition of the lifecycle. In objects a month.</summary>
    public decimal ObjectsAdded { get; init; } = 20_000m;

    /// <summary>PUT, COPY, POST and LIST requests to the bucket. In requests a month.</summary>
    public decimal StoragePutRequests { get; init; } = 50_000m;

    /// <summary>GET and all other requests to the bucket. In requests a month.</summary>
    public decimal StorageGetRequests { get; init; } = 500_000m;

    /// <summary>Access logs of load balancer and bucket. In GB a month.</summary>
    public decimal AccessLogGb { get; init; } = 1m;

    /// <summary>DynamoDB read request units (4 KB strongly consistent, 8 KB eventually). In request units a month.</summary>
    public decimal TableReadUnits { get; init; } = 1_000_000m;

    /// <summary>DynamoDB write request units (1 KB), before indexes. In request units a month.</summary>
    public decimal TableWriteUnits { get; init; } = 200_000m;

    /// <summary>Data in the table, before indexes. In GB.</summary>
    public decimal TableStoredGb { get; init; } = 1m;

    /// <summary>Reads of the table's stream by others than Lambda functions, whose reads are free. In requests a month.</summary>
    public decimal TableStreamReads { get; init; } = 0m;

    /// <summary>Logs that the application writes. In GB a month.</summary>
    public decimal ApplicationLogGb { get; init; } = 5m;

    /// <summary>Logs of the databases, caches, clusters and other services of AWS, where log groups receive them. In GB a month.</summary>
    public decimal ServiceLogGb { get; init; } = 1m;

    /// <summary>Logs of the VPC's traffic. In GB a month.</summary>
    public decimal FlowLogGb { get; init; } = 2m;

    /// <summary>Part of a log's size that remains to be stored after compression. In share.</summary>
    public decimal LogStoredShare { get; init; } = 0.15m;

    /// <summary>Requests to the KMS key. In requests a month.</summary>
    public decimal KeyRequests { get; init; } = 100_000m;

    /// <summary>Requests to Secrets Manager. In requests a month.</summary>
    public decimal SecretRequests { get; init; } = 10_000m;

    /// <summary>Queries for names of the private zone. In queries a month.</summary>
    public decimal DnsQueries { get; init; } = 1_000_000m;

    /// <summary>Data through interface endpoints. In GB a month.</summary>
    public decimal EndpointGb { get; init; } = 0m;

    /// <summary>Database backups beyond the size of the database, which is free. In GB.</summary>
    public decimal DatabaseBackupGb { get; init; } = 0m;

    /// <summary>Where a resource scales between two bounds by itself (Aurora Serverless), how far above the lower one it is on average. In share.</summary>
    public decimal ServerlessLoadShare { get; init; } = 0.2m;

    /// <summary>Calls of the Lambda functions. In invocations a month.</summary>
    public decimal LambdaInvocations { get; init; } = 100_000m;

    /// <summary>Time that a call of a Lambda function takes. In milliseconds.</summary>
    public decimal LambdaMilliseconds { get; init; } = 200m;

    /// <summary>Requests to API Gateway. In requests a month.</summary>
    public decimal ApiRequests { get; init; } = 100_000m;

    /// <summary>Minutes that WebSocket connections to API Gateway are open. In minutes a month.</summary>
    public decimal ApiConnectionMinutes { get; init; } = 0m;

    /// <summary>Requests to SQS queues. In requests a month.</summary>
    public decimal QueueRequests { get; init; } = 500_000m;

    /// <summary>Messages published to SNS topics. In requests a month.</summary>
    public decimal TopicRequests { get; init; } = 10_000m;

    /// <summary>E-mails that SNS topics send. In e-mails a month.</summary>
    public decimal TopicEmails { get; init; } = 100m;

    /// <summary>Events that applications put on EventBridge buses; those of AWS's own services are free. In events a month.</summary>
    public decimal CustomEvents { get; init; } = 10_000m;

    /// <summary>Transitions of standard state machines. In transitions a month.</summary>
    public decimal StateTransitions { get; init; } = 10_000m;

    /// <summary>Traces that X-Ray records, where tracing is on. In traces a month.</summary>
    public decimal Traces { get; init; } = 50_000m;

    /// <summary>Batch jobs. In jobs a month.</summary>
    public decimal BatchJobs { get; init; } = 100m;

    /// <summary>Time that a Batch job runs; less than a minute is charged as a minute. In seconds.</summary>
    public decimal BatchJobSeconds { get; init; } = 300m;

    /// <summary>Minutes of CodeBuild. In minutes a month.</summary>
    public decimal BuildMinutes { get; init; } = 100m;

    /// <summary>Minutes of the actions of pipelines. In minutes a month.</summary>
    public decimal PipelineMinutes { get; init; } = 100m;

    /// <summary>Container images in ECR repositories. In GB.</summary>
    public decimal ImageGb { get; init; } = 5m;

    /// <summary>Configuration items that AWS Config records. In items a month.</summary>
    public decimal ConfigItems { get; init; } = 500m;

    /// <summary>Evaluations of AWS Config rules. In evaluations a month.</summary>
    public decimal ConfigEvaluations { get; init; } = 1_000m;

    /// <summary>Data events that CloudTrail records, where a trail has them on. In events a month.</summary>
    public decimal TrailDataEvents { get; init; } = 100_000m;

    /// <summary>Management events in trails beyond the first, which is free. In events a month.</summary>
    public decimal TrailCopiedEvents { get; init; } = 0m;

    /// <summary>Data that saved Logs Insights queries scan. In GB a month.</summary>
    public decimal LogsScannedGb { get; init; } = 5m;

    /// <summary>Database recovery points that AWS Backup keeps in its vaults. In GB.</summary>
    public decimal BackupVaultGb { get; init; } = 10m;

    /// <summary>Table recovery points that AWS Backup keeps in its vaults. In GB.</summary>
    public decimal TableBackupGb { get; init; } = 1m;

    /// <summary>Cache backups beyond the size of the cache, which is free. In GB.</summary>
    public decimal CacheBackupGb { get; init; } = 0m;

    /// <summary>Data in Aurora, DocumentDB and Neptune clusters. In GB.</summary>
    public decimal AuroraStoredGb { get; init; } = 10m;

    /// <summary>I/O requests of Aurora, DocumentDB and Neptune clusters. In requests a month.</summary>
    public decimal AuroraIoRequests { get; init; } = 1_000_000m;

    /// <summary>Data in EFS file systems. In GB.</summary>
    public decimal FileSystemGb { get; init; } = 10m;

    /// <summary>Put units (25 KB) of provisioned Kinesis streams. In units a month.</summary>
    public decimal StreamUnits { get; init; } = 1_000_000m;

    /// <summary>Data into on-demand Kinesis streams and Firehose. In GB a month.</summary>
    public decimal StreamGb { get; init; } = 10m;

    /// <summary>Requests that WAF inspects. In requests a month.</summary>
    public decimal FirewallRequests { get; init; } = 500_000m;

    /// <summary>Data through Network Firewall. In GB a month.</summary>
    public decimal FirewallGb { get; init; } = 50m;

    /// <summary>Data from CloudFront to clients, at the rate of North America. In GB a month.</summary>
    public decimal CdnGb { get; init; } = 20m;

    /// <summary>HTTPS requests to CloudFront, at the rate of North America. In requests a month.</summary>
    public decimal CdnRequests { get; init; } = 500_000m;

    /// <summary>Data out of AWS through VPN connections. In GB a month.</summary>
    public decimal VpnOutGb { get; init; } = 10m;

    /// <summary>Data through transit gateway attachments. In GB a month.</summary>
    public decimal TransitGb { get; init; } = 10m;

    /// <summary>Data copied between regions by global tables and by databases and caches. In GB a month.</summary>
    public decimal ReplicatedGb { get; init; } = 1m;

    /// <summary>Observations of Container Insights for EKS. In observations a month.</summary>
    public decimal ContainerObservations { get; init; } = 20_000_000m;

    /// <summary>DPU hours of Glue jobs and crawlers. In DPU hours a month.</summary>
    public decimal DataProcessingHours { get; init; } = 10m;

    /// <summary>Data through Transfer Family servers. In GB a month.</summary>
    public decimal TransferGb { get; init; } = 10m;

    /// <summary>EBS snapshots kept by lifecycle policies. In GB.</summary>
    public decimal SnapshotGb { get; init; } = 10m;

    /// <summary>A development environment.</summary>
    public static UsageProfile Small { get; } = new();

    /// <summary>A production of tens of users.</summary>
    public static UsageProfile Medium { get; } = new()
    {
        Name = "Medium",
        InternetOutGb = 500m,
        LoadBalancerGb = 700m,
        LoadBalancerConnections = 20_000_000m,
        NatProcessedGb = 500m,
        NatInternetOutGb = 50m,
        InterAzGb = 200m,
        StoredGb = 2_000m,
        StoredAddedGb = 400m,
        StoredReplacedGb = 40m,
        ObjectsAdded = 400_000m,
        StoragePutRequests = 1_000_000m,
        StorageGetRequests = 10_000_000m,
        AccessLogGb = 10m,
        TableReadUnits = 50_000_000m,
        TableWriteUnits = 10_000_000m,
        TableStoredGb = 20m,
        ApplicationLogGb = 100m,
        ServiceLogGb = 10m,
        FlowLogGb = 20m,
        KeyRequests = 2_000_000m,
        SecretRequests = 50_000m,
        DnsQueries = 10_000_000m,
        ServerlessLoadShare = 0.3m,
        LambdaInvocations = 10_000_000m,
        ApiRequests = 10_000_000m,
        QueueRequests = 10_000_000m,
        TopicRequests = 1_000_000m,
        TopicEmails = 500m,
        CustomEvents = 1_000_000m,
        StateTransitions = 1_000_000m,
        Traces = 1_000_000m,
        BatchJobs = 2_000m,
        BuildMinutes = 500m,
        PipelineMinutes = 500m,
        ImageGb = 20m,
        ConfigItems = 5_000m,
        ConfigEvaluations = 20_000m,
        TrailDataEvents = 5_000_000m,
        LogsScannedGb = 200m,
        BackupVaultGb = 500m,
        TableBackupGb = 20m,
        AuroraStoredGb = 200m,
        AuroraIoRequests = 100_000_000m,
        FileSystemGb = 500m,
        StreamUnits = 100_000_000m,
        StreamGb = 500m,
        FirewallRequests = 20_000_000m,
        FirewallGb = 500m,
        CdnGb = 500m,
        CdnRequests = 20_000_000m,
        VpnOutGb = 100m,
        TransitGb = 500m,
        ReplicatedGb = 50m,
        ContainerObservations = 200_000_000m,
        DataProcessingHours = 100m,
        TransferGb = 100m,
        SnapshotGb = 200m,
    };

    /// <summary>A production of thousands of users.</summary>
    public static UsageProfile Large { get; } = new()
    {
        Name = "Large",
        InternetOutGb = 10_000m,
        LoadBalancerGb = 14_000m,
        LoadBalancerConnections = 400_000_000m,
        NatProcessedGb = 5_000m,
        NatInternetOutGb = 500m,
        InterAzGb = 4_000m,
        StoredGb = 50_000m,
        StoredAddedGb = 8_000m,
        StoredReplacedGb = 800m,
        ObjectsAdded = 8_000_000m,
        StoragePutRequests = 20_000_000m,
        StorageGetRequests = 200_000_000m,
        AccessLogGb = 200m,
        TableReadUnits = 1_000_000_000m,
        TableWriteUnits = 200_000_000m,
        TableStoredGb = 400m,
        ApplicationLogGb = 2_000m,
        ServiceLogGb = 100m,
        FlowLogGb = 400m,
        KeyRequests = 40_000_000m,
        SecretRequests = 500_000m,
        DnsQueries = 100_000_000m,
        ServerlessLoadShare = 0.5m,
        LambdaInvocations = 500_000_000m,
        ApiRequests = 500_000_000m,
        QueueRequests = 500_000_000m,
        TopicRequests = 50_000_000m,
        TopicEmails = 2_000m,
        CustomEvents = 50_000_000m,
        StateTransitions = 50_000_000m,
        Traces = 20_000_000m,
        BatchJobs = 100_000m,
        BuildMinutes = 3_000m,
        PipelineMinutes = 3_000m,
        ImageGb = 100m,
        ConfigItems = 50_000m,
        ConfigEvaluations = 200_000m,
        TrailDataEvents = 200_000_000m,
        LogsScannedGb = 4_000m,
        BackupVaultGb = 10_000m,
        TableBackupGb = 400m,
        AuroraStoredGb = 5_000m,
        AuroraIoRequests = 5_000_000_000m,
        FileSystemGb = 10_000m,
        StreamUnits = 5_000_000_000m,
        StreamGb = 10_000m,
        FirewallRequests = 400_000_000m,
        FirewallGb = 5_000m,
        CdnGb = 10_000m,
        CdnRequests = 400_000_000m,
        VpnOutGb = 1_000m,
        TransitGb = 5_000m,
        ReplicatedGb = 1_000m,
        ContainerObservations = 4_000_000_000m,
        DataProcessingHours = 2_000m,
        TransferGb = 2_000m,
        SnapshotGb = 4_000m,
    };
}
