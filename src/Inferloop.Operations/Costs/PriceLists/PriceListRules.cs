using System.Text.RegularExpressions;
using Inferloop.Templates.Prices;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>The rules that tell where a price of AWS's lists belongs in the catalog, by AWS's service code and usage type.</summary>
internal static partial class PriceListRules
{
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
            _ => PriceListUsage.All.GetValueOrDefault((item.ServiceCode, usage)),
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
