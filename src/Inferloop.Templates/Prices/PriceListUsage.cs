namespace Inferloop.Templates.Prices;

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

/// <summary>Where the usage types of AWS's price lists belong in the catalog: read one way when a list is taken in, the other when the sandbox gives one out.</summary>
internal static class PriceListUsage
{
    /// <summary>By service code and usage type, without the region in short.</summary>
    public static IReadOnlyDictionary<(string Code, string Usage), CatalogPlace> All { get; } = new Dictionary<(string Code, string Usage), CatalogPlace>
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
}
