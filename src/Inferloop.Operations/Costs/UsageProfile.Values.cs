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
        FlowLogGb = 20m,
        KeyRequests = 2_000_000m,
        SecretRequests = 50_000m,
        DnsQueries = 10_000_000m,
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
        FlowLogGb = 400m,
        KeyRequests = 40_000_000m,
        SecretRequests = 500_000m,
        DnsQueries = 100_000_000m,
    };

    /// <summary>Every amount of a profile: name, unit, meaning and the most that is taken for meant.</summary>
    public static IReadOnlyList<UsageDimension> Dimensions { get; } =
    [
        new(nameof(InternetOutGb), "GB", 10_000_000m, "Data from the load balancer to clients on the internet.", p => p.InternetOutGb, (p, v) => p with { InternetOutGb = v }),
        new(nameof(LoadBalancerGb), "GB", 100_000_000m, "Data through the load balancer, both ways.", p => p.LoadBalancerGb, (p, v) => p with { LoadBalancerGb = v }),
        new(nameof(LoadBalancerConnections), "connections", 1_000_000_000_000m, "New connections to the load balancer.", p => p.LoadBalancerConnections, (p, v) => p with { LoadBalancerConnections = v }),
        new(nameof(LoadBalancerConnectionSeconds), "seconds", 86_400m, "Time that a connection to the load balancer stays open.", p => p.LoadBalancerConnectionSeconds, (p, v) => p with { LoadBalancerConnectionSeconds = v }),
        new(nameof(NatProcessedGb), "GB", 10_000_000m, "Data through the NAT gateways, both ways, without S3 and DynamoDB, whose endpoints are free.", p => p.NatProcessedGb, (p, v) => p with { NatProcessedGb = v }),
        new(nameof(NatInternetOutGb), "GB", 10_000_000m, "Part of the above that goes out to the internet.", p => p.NatInternetOutGb, (p, v) => p with { NatInternetOutGb = v }),
        new(nameof(InterAzGb), "GB", 10_000_000m, "Data between the availability zones, apart from what a shared NAT gateway causes.", p => p.InterAzGb, (p, v) => p with { InterAzGb = v }),
        new(nameof(StoredGb), "GB", 1_000_000_000m, "Data in the bucket, current versions, temporary data left out.", p => p.StoredGb, (p, v) => p with { StoredGb = v }),
        new(nameof(StoredAddedGb), "GB", 1_000_000_000m, "Part of the above that a month adds; older data moves to the cheaper classes of the bucket's lifecycle.", p => p.StoredAddedGb, (p, v) => p with { StoredAddedGb = v }),
        new(nameof(StoredReplacedGb), "GB", 1_000_000_000m, "Data overwritten or deleted a month; the old versions stay as long as the lifecycle has it.", p => p.StoredReplacedGb, (p, v) => p with { StoredReplacedGb = v }),
        new(nameof(ObjectsAdded), "objects", 100_000_000_000m, "Objects added a month; each is moved once by every transition of the lifecycle.", p => p.ObjectsAdded, (p, v) => p with { ObjectsAdded = v }),
        new(nameof(StoragePutRequests), "requests", 1_000_000_000_000m, "PUT, COPY, POST and LIST requests to the bucket.", p => p.StoragePutRequests, (p, v) => p with { StoragePutRequests = v }),
        new(nameof(StorageGetRequests), "requests", 1_000_000_000_000m, "GET and all other requests to the bucket.", p => p.StorageGetRequests, (p, v) => p with { StorageGetRequests = v }),
        new(nameof(AccessLogGb), "GB", 1_000_000m, "Access logs of load balancer and bucket.", p => p.AccessLogGb, (p, v) => p with { AccessLogGb = v }),
        new(nameof(TableReadUnits), "request units", 10_000_000_000_000m, "DynamoDB read request units (4 KB strongly consistent, 8 KB eventually).", p => p.TableReadUnits, (p, v) => p with { TableReadUnits = v }),
        new(nameof(TableWriteUnits), "request units", 10_000_000_000_000m, "DynamoDB write request units (1 KB), before indexes.", p => p.TableWriteUnits, (p, v) => p with { TableWriteUnits = v }),
        new(nameof(TableStoredGb), "GB", 10_000_000m, "Data in the table, before indexes.", p => p.TableStoredGb, (p, v) => p with { TableStoredGb = v }),
        new(nameof(TableStreamReads), "requests", 10_000_000_000_000m, "Reads of the table's stream by others than Lambda functions, whose reads are free.", p => p.TableStreamReads, (p, v) => p with { TableStreamReads = v }),
        new(nameof(ApplicationLogGb), "GB", 10_000_000m, "Logs that the application writes.", p => p.ApplicationLogGb, (p, v) => p with { ApplicationLogGb = v }),
        new(nameof(FlowLogGb), "GB", 10_000_000m, "Logs of the VPC's traffic.", p => p.FlowLogGb, (p, v) => p with { FlowLogGb = v }),
        new(nameof(LogStoredShare), "share", 1m, "Part of a log's size that remains to be stored after compression.", p => p.LogStoredShare, (p, v) => p with { LogStoredShare = v }),
        new(nameof(KeyRequests), "requests", 10_000_000_000m, "Requests to the KMS key.", p => p.KeyRequests, (p, v) => p with { KeyRequests = v }),
        new(nameof(SecretRequests), "requests", 10_000_000_000m, "Requests to Secrets Manager.", p => p.SecretRequests, (p, v) => p with { SecretRequests = v }),
        new(nameof(DnsQueries), "queries", 1_000_000_000_000m, "Queries for names of the private zone.", p => p.DnsQueries, (p, v) => p with { DnsQueries = v }),
        new(nameof(EndpointGb), "GB", 10_000_000m, "Data through interface endpoints.", p => p.EndpointGb, (p, v) => p with { EndpointGb = v }),
        new(nameof(DatabaseBackupGb), "GB", 1_000_000m, "Database backups beyond the size of the database, which is free.", p => p.DatabaseBackupGb, (p, v) => p with { DatabaseBackupGb = v }),
    ];
}
