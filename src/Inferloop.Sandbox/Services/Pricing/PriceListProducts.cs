using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Templates.Prices;

namespace Inferloop.Sandbox.Services.Pricing;

/// <summary>A product of the price list: what it is, where, and what it costs from which quantity on.</summary>
internal sealed record PriceListProduct(string ServiceCode, string Sku, string Family, IReadOnlyDictionary<string, string> Attributes, string Unit, IReadOnlyList<(decimal From, decimal Usd)> Tiers, string Date)
{
    /// <summary>As GetProducts gives it.</summary>
    public string ToJson()
    {
        var offer = $"{Sku}.JRTCKXETXF";
        var dimensions = new JsonObject();
        foreach (var (rate, from, to, usd, description) in Rates())
        {
            dimensions[rate] = new JsonObject
            {
                ["rateCode"] = rate,
                ["unit"] = Unit,
                ["beginRange"] = from,
                ["endRange"] = to,
                ["description"] = description,
                ["appliesTo"] = new JsonArray(),
                ["pricePerUnit"] = new JsonObject { ["USD"] = usd },
            };
        }
        return new JsonObject
        {
            ["product"] = new JsonObject { ["productFamily"] = Family, ["attributes"] = new JsonObject(Attributes.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))), ["sku"] = Sku },
            ["serviceCode"] = ServiceCode,
            ["terms"] = new JsonObject { ["OnDemand"] = new JsonObject { [offer] = new JsonObject { ["priceDimensions"] = dimensions, ["sku"] = Sku, ["effectiveDate"] = Date + "T00:00:00Z", ["offerTermCode"] = "JRTCKXETXF", ["termAttributes"] = new JsonObject() } } },
            ["version"] = Date.Replace("-", "", StringComparison.Ordinal),
            ["publicationDate"] = Date + "T00:00:00Z",
        }.ToJsonString();
    }

    /// <summary>Its price, tier by tier.</summary>
    public IEnumerable<(string RateCode, string From, string To, string Usd, string Description)> Rates() => Tiers.Select((tier, i) => (
        $"{Sku}.JRTCKXETXF.{Ec2Service.StableHex(Sku + i, 10).ToUpperInvariant()}", Number(tier.From), i + 1 < Tiers.Count ? Number(Tiers[i + 1].From) : "Inf",
        tier.Usd.ToString("0.0000000000", CultureInfo.InvariantCulture), $"${Number(tier.Usd)} per {Unit}"));

    private static string Number(decimal value) => value.ToString("0.##########", CultureInfo.InvariantCulture);
}

/// <summary>The price list, made of the module's own catalog of prices: each of its rows that AWS's lists have a place for.</summary>
internal static class PriceListProducts
{
    private static readonly Lazy<IReadOnlyDictionary<string, IReadOnlyList<PriceListProduct>>> All = new(Build);

    private static readonly Dictionary<string, (string Prefix, string Location)> Places = new(StringComparer.Ordinal)
    {
        ["us-east-1"] = ("", "US East (N. Virginia)"), ["us-east-2"] = ("USE2-", "US East (Ohio)"), ["us-west-1"] = ("USW1-", "US West (N. California)"), ["us-west-2"] = ("USW2-", "US West (Oregon)"),
        ["ca-central-1"] = ("CAN1-", "Canada (Central)"), ["sa-east-1"] = ("SAE1-", "South America (Sao Paulo)"), ["eu-west-1"] = ("EU-", "EU (Ireland)"), ["eu-west-2"] = ("EUW2-", "EU (London)"), ["eu-west-3"] = ("EUW3-", "EU (Paris)"),
        ["eu-central-1"] = ("EUC1-", "EU (Frankfurt)"), ["eu-north-1"] = ("EUN1-", "EU (Stockholm)"), ["ap-south-1"] = ("APS3-", "Asia Pacific (Mumbai)"), ["ap-southeast-1"] = ("APS1-", "Asia Pacific (Singapore)"),
        ["ap-southeast-2"] = ("APS2-", "Asia Pacific (Sydney)"), ["ap-northeast-1"] = ("APN1-", "Asia Pacific (Tokyo)"), ["ap-northeast-2"] = ("APN2-", "Asia Pacific (Seoul)"),
    };

    /// <summary>Products by service code.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<PriceListProduct>> ByService => All.Value;

    private static readonly Lazy<Dictionary<(string Code, string Region, string Usage), PriceListProduct>> ByUsage = new(() => ByService.Values.SelectMany(list => list)
        .GroupBy(product => (product.ServiceCode, product.Attributes.GetValueOrDefault("regionCode") ?? product.Attributes["fromRegionCode"], product.Attributes["usagetype"][Places[product.Attributes.GetValueOrDefault("regionCode") ?? product.Attributes["fromRegionCode"]].Prefix.Length..]
            + (product.Attributes["operation"].Length > 0 ? ":" + product.Attributes["operation"] : "")))
        .ToDictionary(group => group.Key, group => group.First()));

    /// <summary>The product of a usage type (without the region in short; with its operation after a colon, where it has one); null when there is none.</summary>
    public static PriceListProduct? Find(string code, string region, string usage) => ByUsage.Value.GetValueOrDefault((code, region, usage));

    private static SortedDictionary<string, IReadOnlyList<PriceListProduct>> BuildSorted(IEnumerable<PriceListProduct> products) => new(products.GroupBy(product => product.ServiceCode, StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => (IReadOnlyList<PriceListProduct>)[.. group.OrderBy(product => product.Sku, StringComparer.Ordinal)]), StringComparer.Ordinal);

    private static SortedDictionary<string, IReadOnlyList<PriceListProduct>> Build()
    {
        var usages = PriceListUsage.All.GroupBy(pair => (pair.Value.Service, pair.Value.Dimension)).ToDictionary(group => group.Key, group => group.First());
        var products = new List<PriceListProduct>();
        foreach (var rows in Rows().GroupBy(row => (row.Region, row.Service, row.Dimension)).Where(rows => Places.ContainsKey(rows.Key.Region)))
        {
            var place = usages.TryGetValue((rows.Key.Service, rows.Key.Dimension), out var usage)
                ? new Described(usage.Key.Code, usage.Key.Usage, FamilyOf(usage.Key.Code, usage.Key.Usage), usage.Key.Code == "AWSDataTransfer" ? [("transferType", "IntraRegion")] : [], usage.Value.Factor)
                : Describe(rows.Key.Service, rows.Key.Dimension);
            if (place is null)
            {
                continue;
            }
            var (prefix, location) = Places[rows.Key.Region];
            var transfer = place.Code == "AWSDataTransfer";
            var attributes = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["servicecode"] = place.Code, [transfer ? "fromRegionCode" : "regionCode"] = rows.Key.Region, [transfer ? "fromLocation" : "location"] = location, [transfer ? "fromLocationType" : "locationType"] = "AWS Region", ["usagetype"] = prefix + place.Usage,
            };
            foreach (var (name, value) in place.Attributes)
            {
                attributes[name] = value;
            }
            attributes.TryAdd("operation", "");
            var tiers = rows.OrderBy(row => row.From).Select(row => (row.From * place.Factor, row.Usd / place.Factor)).ToList();
            products.Add(new PriceListProduct(place.Code, Ec2Service.StableHex($"{rows.Key}", 16).ToUpperInvariant(), place.Family, attributes, rows.First().Unit, tiers, rows.Max(row => row.Date)!));
        }
        return BuildSorted(products);
    }

    private sealed record Described(string Code, string Usage, string Family, IReadOnlyList<(string Name, string Value)> Attributes, decimal Factor = 1);

    private static string FamilyOf(string code, string usage) => (code, usage) switch
    {
        ("AmazonEC2", var text) when text.StartsWith("NatGateway", StringComparison.Ordinal) => "NAT Gateway",
        ("AmazonEC2", var text) when text.StartsWith("EBS:VolumeP-IOPS", StringComparison.Ordinal) => "System Operation",
        ("AmazonEC2", var text) when text.StartsWith("EBS:VolumeP-Throughput", StringComparison.Ordinal) => "Provisioned Throughput",
        ("AmazonEC2", "EBS:SnapshotUsage") => "Storage Snapshot",
        ("AmazonEC2", _) => "Storage",
        ("AmazonS3", var text) => text.StartsWith("Requests", StringComparison.Ordinal) ? "API Request" : "Storage",
        ("AWSLambda", _) or ("AmazonEKS", _) or ("AmazonECS", _) => "Compute",
        ("AWSDataTransfer", _) => "Data Transfer",
        (_, var text) => text.Contains("Request", StringComparison.Ordinal) ? "API Request" : text.Contains("Storage", StringComparison.Ordinal) ? "Storage" : code,
    };

    /// <summary>What the table by usage type cannot say: classes of instances, load balancers, storage of databases, traffic out.</summary>
    private static Described? Describe(string service, string dimension)
    {
        static string? Class(string dimension, string start) => dimension.StartsWith(start, StringComparison.Ordinal) && dimension.EndsWith("_hour", StringComparison.Ordinal) ? dimension[start.Length..^"_hour".Length].Replace('_', '.') : null;
        switch (service)
        {
            case "ec2" when Class(dimension, "linux_") is { } type && type.Count(c => c == '.') == 1:
                List<(string, string)> facts = [("instanceType", type), ("operatingSystem", "Linux"), ("tenancy", "Shared"), ("preInstalledSw", "NA"), ("capacitystatus", "Used"), ("licenseModel", "No License required"), ("operation", "RunInstances")];
                if (InstanceTypes.All.TryGetValue(type, out var known))
                {
                    facts.Add(("vcpu", known.VCpus.ToString(CultureInfo.InvariantCulture)));
                }
                return new Described("AmazonEC2", "BoxUsage:" + type, "Compute Instance", facts);
            case "alb" or "nlb" or "gwlb" or "clb":
                var operation = service switch { "alb" => "LoadBalancing:Application", "nlb" => "LoadBalancing:Network", "gwlb" => "LoadBalancing:Gateway", _ => "LoadBalancing" };
                var usage = dimension switch { "load_balancer_hour" => "LoadBalancerUsage", "lcu_hour" => "LCUUsage", "processed_gb" when service == "clb" => "DataProcessing-Bytes", _ => null };
                return usage is null ? null : new Described("AWSELB", usage, service == "clb" ? "Load Balancer" : $"Load Balancer-{operation["LoadBalancing:".Length..]}", [("operation", operation)]);
            case "elasticache" when Class(dimension, "redis_") is { } redis:
                return new Described("AmazonElastiCache", "NodeUsage:" + redis, "Cache Instance", [("instanceType", redis), ("cacheEngine", "Redis"), ("operation", "CreateCacheCluster:0002")]);
            case "elasticache" when Class(dimension, "valkey_") is { } valkey:
                return new Described("AmazonElastiCache", "NodeUsage:" + valkey, "Cache Instance", [("instanceType", valkey), ("cacheEngine", "Valkey"), ("operation", "CreateCacheCluster:0002")]);
            case "data_transfer" when dimension == "internet_out_gb":
                return new Described("AWSDataTransfer", "DataTransfer-Out-Bytes", "Data Transfer", [("transferType", "AWS Outbound"), ("toLocation", "External"), ("toLocationType", "Other")]);
            case "rds":
                return Database(dimension, Class);
            default:
                return null;
        }
    }

    private static Described? Database(string dimension, Func<string, string, string?> typeOf)
    {
        foreach (var (engine, name) in new[] { ("postgresql", "PostgreSQL"), ("mysql", "MySQL"), ("mariadb", "MariaDB") })
        {
            foreach (var (zones, option, usage) in new[] { ("single_az", "Single-AZ", "InstanceUsage:"), ("multi_az", "Multi-AZ", "Multi-AZUsage:") })
            {
                if (typeOf(dimension, $"{engine}_{zones}_") is { } type)
                {
                    return new Described("AmazonRDS", usage + type, "Database Instance", [("instanceType", type), ("databaseEngine", name), ("deploymentOption", option), ("licenseModel", "No license required"), ("operation", "CreateDBInstance:0014")]);
                }
            }
        }
        var storage = dimension switch
        {
            "storage_gp2_single_az_gb_month" => "RDS:GP2-Storage",
            "storage_gp2_multi_az_gb_month" => "RDS:Multi-AZ-GP2-Storage",
            "storage_gp3_single_az_gb_month" => "RDS:GP3-Storage",
            "storage_gp3_multi_az_gb_month" => "RDS:Multi-AZ-GP3-Storage",
            "backup_storage_gb_month" => "RDS:ChargedBackupUsage",
            "postgresql_extended_support_year1_vcpu_hour" => "ExtendedSupport:Yr1-Yr2:PostgreSQL13",
            "postgresql_extended_support_year3_vcpu_hour" => "ExtendedSupport:Yr3:PostgreSQL13",
            _ => null,
        };
        return storage is null ? null : new Described("AmazonRDS", storage, storage[0] == 'E' ? "Extended Support" : "Database Storage", [("databaseEngine", storage[0] == 'E' ? "PostgreSQL" : "Any"), ("deploymentOption", storage.Contains("Multi-AZ", StringComparison.Ordinal) ? "Multi-AZ" : "Single-AZ")]);
    }

    private static IEnumerable<(string Region, string Service, string Dimension, decimal From, string Unit, decimal Usd, string Date)> Rows()
    {
        foreach (var name in new[] { "aws-prices.csv", "aws-prices-more.csv" })
        {
            using var reader = new StreamReader(typeof(PriceListProducts).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"The prices {name} are not part of the sandbox."));
            _ = reader.ReadLine();
            while (reader.ReadLine() is { } line)
            {
                // The source, which may have commas in quotes, stands between the price and the date; nothing else has any.
                var fields = line.Split(',', 7);
                if (fields.Length == 7)
                {
                    yield return (fields[0], fields[1], fields[2], decimal.Parse(fields[3], CultureInfo.InvariantCulture), fields[4], decimal.Parse(fields[5], NumberStyles.Float, CultureInfo.InvariantCulture), fields[6][(fields[6].LastIndexOf(',') + 1)..]);
                }
            }
        }
    }
}
