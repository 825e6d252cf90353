using System.Text.RegularExpressions;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>Where a price of AWS's lists belongs in the catalog.</summary>
/// <param name="Service">Service key.</param>
/// <param name="Dimension">Dimension key.</param>
/// <param name="Unit">The catalog's unit.</param>
/// <param name="Factor">What the list's price is multiplied by to be one of that unit.</param>
internal sealed record CatalogPlace(string Service, string Dimension, string Unit, decimal Factor = 1)
{
    /// <summary>How many of the catalog's unit the list's quantities are, for the bounds of tiers.</summary>
    public decimal Bounds => 1 / Factor;
}

/// <summary>The rules that tell it, by AWS's service code and usage type.</summary>
internal static partial class PriceListRules
{
    private static readonly Dictionary<(string Code, string Usage), CatalogPlace> s_byUsage = new()
    {
        [("AmazonEC2", "EBS:VolumeUsage")] = new("ebs", "standard_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.gp2")] = new("ebs", "gp2_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.gp3")] = new("ebs", "gp3_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.piops")] = new("ebs", "io1_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.io2")] = new("ebs", "io2_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.st1")] = new("ebs", "st1_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeUsage.sc1")] = new("ebs", "sc1_gb_month", "gb_month"),
        [("AmazonEC2", "EBS:VolumeP-IOPS.gp3")] = new("ebs", "gp3_iops_month", "iops_month"),
        [("AmazonEC2", "EBS:VolumeP-IOPS.piops")] = new("ebs", "io1_iops_month", "iops_month"),

        // Listed by the GiB/s, as 1,024 MiB/s.
        [("AmazonEC2", "EBS:VolumeP-Throughput.gp3")] = new("ebs", "gp3_throughput_mibps_month", "mibps_month", 1m / 1024),
        [("AmazonEC2", "EBS:SnapshotUsage")] = new("ebs", "snapshot_standard_gb_month", "gb_month"),
        [("AmazonEC2", "NatGateway-Hours")] = new("nat_gateway", "gateway_hour", "hour"),
        [("AmazonEC2", "NatGateway-Bytes")] = new("nat_gateway", "processed_gb", "gb"),
        [("AmazonVPC", "PublicIPv4:InUseAddress")] = new("public_ipv4", "in_use_address_hour", "hour"),
        [("AmazonVPC", "PublicIPv4:IdleAddress")] = new("public_ipv4", "idle_address_hour", "hour"),
        [("AmazonVPC", "VpcEndpoint-Hours")] = new("vpc_endpoint", "interface_endpoint_hour", "hour"),
        [("AmazonVPC", "VpcEndpoint-Bytes")] = new("vpc_endpoint", "interface_processed_gb", "gb"),
        [("AmazonVPC", "VPN-Usage-Hours:ipsec.1")] = new("vpn", "connection_hour", "hour"),
        [("AmazonVPC", "TransitGateway-Hours")] = new("transit_gateway", "attachment_hour", "hour"),
        [("AmazonVPC", "TransitGateway-Bytes")] = new("transit_gateway", "processed_gb", "gb"),
        [("AmazonECS", "Fargate-vCPU-Hours:perCPU")] = new("fargate", "linux_x86_vcpu_hour", "vcpu_hour"),
        [("AmazonECS", "Fargate-GB-Hours")] = new("fargate", "linux_x86_gb_hour", "gb_hour"),
        [("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU")] = new("fargate", "linux_arm_vcpu_hour", "vcpu_hour"),
        [("AmazonECS", "Fargate-ARM-GB-Hours")] = new("fargate", "linux_arm_gb_hour", "gb_hour"),
        [("AmazonECS", "Fargate-EphemeralStorage-GB-Hours")] = new("fargate", "ephemeral_storage_gb_hour", "gb_hour"),
        [("AmazonEKS", "AmazonEKS-Hours:perCluster")] = new("eks", "cluster_standard_hour", "hour"),
        [("AmazonEKS", "AmazonEKS-Hours:extendedSupport")] = new("eks", "cluster_extended_support_surcharge_hour", "hour"),
        [("AWSLambda", "Request")] = new("lambda", "x86_request", "request"),
        [("AWSLambda", "Request-ARM")] = new("lambda", "arm_request", "request"),
        [("AWSLambda", "Lambda-GB-Second")] = new("lambda", "x86_gb_second", "gb_second"),
        [("AWSLambda", "Lambda-GB-Second-ARM")] = new("lambda", "arm_gb_second", "gb_second"),
        [("AWSLambda", "Lambda-Provisioned-Concurrency")] = new("lambda", "x86_provisioned_concurrency_gb_second", "gb_second"),
        [("AWSLambda", "Lambda-Provisioned-Concurrency-ARM")] = new("lambda", "arm_provisioned_concurrency_gb_second", "gb_second"),
        [("AmazonDynamoDB", "ReadRequestUnits")] = new("dynamodb", "on_demand_read_request_unit", "request_unit"),
        [("AmazonDynamoDB", "WriteRequestUnits")] = new("dynamodb", "on_demand_write_request_unit", "request_unit"),
        [("AmazonDynamoDB", "ReplWriteRequestUnits")] = new("dynamodb", "on_demand_replicated_write_request_unit", "request_unit"),
        [("AmazonDynamoDB", "TimedStorage-ByteHrs")] = new("dynamodb", "storage_gb_month", "gb_month"),
        [("AmazonDynamoDB", "TimedPITRStorage-ByteHrs")] = new("dynamodb", "pitr_backup_gb_month", "gb_month"),
        [("AmazonDynamoDB", "TimedBackupStorage-ByteHrs")] = new("dynamodb", "on_demand_backup_gb_month", "gb_month"),
        [("AmazonDynamoDB", "Streams-Requests")] = new("dynamodb", "streams_read_request_unit", "request_unit"),
        [("AmazonDynamoDB", "ReadCapacityUnit-Hrs")] = new("dynamodb", "provisioned_rcu_hour", "unit_hour"),
        [("AmazonDynamoDB", "WriteCapacityUnit-Hrs")] = new("dynamodb", "provisioned_wcu_hour", "unit_hour"),
        [("AmazonS3", "TimedStorage-ByteHrs")] = new("s3", "standard_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-SIA-ByteHrs")] = new("s3", "standard_ia_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-ZIA-ByteHrs")] = new("s3", "onezone_ia_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-GIR-ByteHrs")] = new("s3", "glacier_instant_retrieval_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-GlacierByteHrs")] = new("s3", "glacier_flexible_retrieval_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-GDA-ByteHrs")] = new("s3", "glacier_deep_archive_gb_month", "gb_month"),
        [("AmazonS3", "TimedStorage-INT-FA-ByteHrs")] = new("s3", "intelligent_tiering_frequent_gb_month", "gb_month"),
        [("AmazonS3", "Requests-Tier1")] = new("s3", "standard_put_copy_post_list_1000_requests", "1000_requests", 1000),
        [("AmazonS3", "Requests-Tier2")] = new("s3", "standard_get_and_other_1000_requests", "1000_requests", 1000),
        [("AmazonCloudWatch", "DataProcessing-Bytes")] = new("cloudwatch", "logs_ingest_standard_gb", "gb"),
        [("AmazonCloudWatch", "DataProcessingIA-Bytes")] = new("cloudwatch", "logs_ingest_infrequent_access_gb", "gb"),
        [("AmazonCloudWatch", "VendedLog-Bytes")] = new("cloudwatch", "vended_logs_standard_gb", "gb"),
        [("AmazonCloudWatch", "TimedStorage-ByteHrs")] = new("cloudwatch", "logs_stored_gb_month", "gb_month"),
        [("AmazonCloudWatch", "DataScanned-Bytes")] = new("cloudwatch", "logs_insights_scanned_gb", "gb"),
        [("AmazonCloudWatch", "CW:MetricMonitorUsage")] = new("cloudwatch", "metric_month", "metric_month"),
        [("AmazonCloudWatch", "CW:AlarmMonitorUsage")] = new("cloudwatch", "alarm_standard_metric_month", "alarm_metric_month"),
        [("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage")] = new("cloudwatch", "alarm_high_resolution_metric_month", "alarm_metric_month"),
        [("AmazonCloudWatch", "CW:CompositeAlarmMonitorUsage")] = new("cloudwatch", "alarm_composite_month", "alarm_month"),
        [("awskms", "KMS-Keys")] = new("kms", "key_month", "key_month"),
        [("awskms", "KMS-Requests")] = new("kms", "request", "request"),
        [("AWSSecretsManager", "AWSSecretsManager-Secrets")] = new("secrets_manager", "secret_month", "secret_month"),
        [("AWSSecretsManager", "AWSSecretsManagerAPIRequest")] = new("secrets_manager", "api_10000_requests", "10000_requests", 10_000),
        [("AmazonECR", "TimedStorage-ByteHrs")] = new("ecr", "storage_gb_month", "gb_month"),
        [("AmazonApiGateway", "ApiGatewayHttpRequest")] = new("api_gateway", "http_request", "request"),
        [("AmazonApiGateway", "ApiGatewayRequest")] = new("api_gateway", "rest_request", "request"),
        [("AWSQueueService", "Requests-Tier1")] = new("sqs", "standard_request", "request"),
        [("AWSQueueService", "Requests-FIFO-Tier1")] = new("sqs", "fifo_request", "request"),
        [("AWSConfig", "ConfigurationItemRecorded")] = new("config", "configuration_item", "item"),
        [("AWSConfig", "ConfigRuleEvaluations")] = new("config", "rule_evaluation", "evaluation"),
        [("AmazonElastiCache", "BackupUsage")] = new("elasticache", "backup_storage_gb_month", "gb_month"),
        [("awswaf", "WebACLV2")] = new("waf", "web_acl_month", "acl_month"),
        [("awswaf", "RuleV2")] = new("waf", "rule_month", "rule_month"),
        [("awswaf", "RequestV2-Tier1")] = new("waf", "request", "request"),
        [("AWSDataTransfer", "DataTransfer-Regional-Bytes")] = new("data_transfer", "inter_az_gb_each_direction", "gb"),
    };

    /// <summary>The questions to the price list: service code and what narrows the products down, so that an answer has pages and not books.</summary>
    public static IReadOnlyList<(string ServiceCode, (string Field, string Value)[] Filters)> Queries { get; } =
    [
        ("AmazonEC2", [("operatingSystem", "Linux"), ("tenancy", "Shared"), ("preInstalledSw", "NA"), ("capacitystatus", "Used")]),
        ("AmazonEC2", [("productFamily", "Storage")]),
        ("AmazonEC2", [("productFamily", "System Operation")]),
        ("AmazonEC2", [("productFamily", "Provisioned Throughput")]),
        ("AmazonEC2", [("productFamily", "Storage Snapshot")]),
        ("AmazonEC2", [("productFamily", "NAT Gateway")]),
        ("AmazonRDS", [("databaseEngine", "PostgreSQL")]),
        ("AmazonRDS", [("databaseEngine", "Any")]),
        ("AmazonElastiCache", [("cacheEngine", "Redis")]),
        ("AmazonElastiCache", [("cacheEngine", "Valkey")]),
        ("AWSELB", []), ("AmazonVPC", []), ("AmazonECS", []), ("AmazonEKS", []), ("AWSLambda", []), ("AmazonDynamoDB", []), ("AmazonS3", []), ("AmazonCloudWatch", []), ("awskms", []),
        ("AWSSecretsManager", []), ("AmazonECR", []), ("AmazonApiGateway", []), ("AWSQueueService", []), ("AWSConfig", []), ("awswaf", []),
        ("AWSDataTransfer", [("transferType", "AWS Outbound")]),
        ("AWSDataTransfer", [("transferType", "IntraRegion")]),
    ];

    /// <summary>Where a price belongs; null for one that the catalog has no place for.</summary>
    public static CatalogPlace? Place(PriceListItem item)
    {
        var usage = Prefix().Replace(item["usagetype"], "");
        return item.ServiceCode switch
        {
            "AmazonEC2" when usage.StartsWith("BoxUsage", StringComparison.Ordinal) => Instance(item),
            "AWSELB" => LoadBalancer(item["operation"], usage),
            "AmazonRDS" => Database(item, usage),
            "AmazonElastiCache" when usage.StartsWith("NodeUsage:", StringComparison.Ordinal) && item["cacheEngine"] is { Length: > 0 } engine =>
                new("elasticache", $"{engine.ToLowerInvariant()}_{usage["NodeUsage:".Length..].Replace('.', '_')}_hour", "hour"),
            "AWSDataTransfer" when usage == "DataTransfer-Out-Bytes" => item["toLocation"] == "External" ? new("data_transfer", "internet_out_gb", "gb") : null,
            _ => s_byUsage.GetValueOrDefault((item.ServiceCode, usage)),
        };
    }

    private static CatalogPlace? Instance(PriceListItem item) =>
        item["operatingSystem"] == "Linux" && item["tenancy"] == "Shared" && item["preInstalledSw"] == "NA" && item["capacitystatus"] == "Used" && item["instanceType"] is { Length: > 0 } type
            ? new("ec2", $"linux_{type.Replace('.', '_')}_hour", "hour")
            : null;

    private static CatalogPlace? LoadBalancer(string operation, string usage)
    {
        var service = operation switch { "LoadBalancing:Application" => "alb", "LoadBalancing:Network" => "nlb", "LoadBalancing:Gateway" => "gwlb", "LoadBalancing" => "clb", _ => null };
        return (service, usage) switch
        {
            (null, _) => null,
            (_, "LoadBalancerUsage") => new(service, "load_balancer_hour", "hour"),
            ("clb", "DataProcessing-Bytes") => new(service, "processed_gb", "gb"),
            (_, "LCUUsage") => new(service, "lcu_hour", "lcu_hour"),
            _ => null,
        };
    }

    private static CatalogPlace? Database(PriceListItem item, string usage)
    {
        var zones = item["deploymentOption"] switch { "Single-AZ" => "single_az", "Multi-AZ" => "multi_az", _ => null };
        var engine = item["databaseEngine"];
        if (item["productFamily"] == "Database Instance" && zones is not null && item["instanceType"] is { Length: > 0 } type && engine is "PostgreSQL" or "MySQL" or "MariaDB")
        {
            return zones is null ? null : new("rds", $"{engine.ToLowerInvariant()}_{zones}_{item["instanceType"].Replace('.', '_')}_hour", "hour");
        }

        // Where storage is listed by engine, PostgreSQL's is taken; its figures and those for any engine have always been the same.
        if (engine is not ("PostgreSQL" or "Any" or ""))
        {
            return null;
        }

        if (usage.StartsWith("ExtendedSupport:", StringComparison.Ordinal) && usage.Contains(":PostgreSQL", StringComparison.Ordinal))
        {
            return new("rds", usage.Contains("Yr3", StringComparison.Ordinal) ? "postgresql_extended_support_year3_vcpu_hour" : "postgresql_extended_support_year1_vcpu_hour", "vcpu_hour");
        }

        return usage switch
        {
            "RDS:GP2-Storage" => new("rds", "storage_gp2_single_az_gb_month", "gb_month"),
            "RDS:Multi-AZ-GP2-Storage" => new("rds", "storage_gp2_multi_az_gb_month", "gb_month"),
            "RDS:GP3-Storage" => new("rds", "storage_gp3_single_az_gb_month", "gb_month"),
            "RDS:Multi-AZ-GP3-Storage" => new("rds", "storage_gp3_multi_az_gb_month", "gb_month"),
            "RDS:ChargedBackupUsage" => new("rds", "backup_storage_gb_month", "gb_month"),
            _ => null,
        };
    }

    // Outside us-east-1, and for some services there too, a usage type begins with the region in short.
    [GeneratedRegex("^(?:USE[12]|USW[12]|EU|EU[WCNS][123]|AP[ENS][1-9]|SAE1|CAN1|CAW1|AFS1|CPT|ME[SC]1|ILC1|MXC1|UGW1|UGE1)-", RegexOptions.CultureInvariant)]
    private static partial Regex Prefix();
}
