using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Databases and caches that are clusters: Aurora, DocumentDB, Neptune, ElastiCache, Redshift, OpenSearch.</summary>
internal static class ClusterPricers
{
    private const string AuroraType = "AWS::RDS::DBCluster";

    public static void AuroraInstance(CostedResource instance, CostSheet sheet, string engine, string size)
    {
        var cluster = instance.Uses(AuroraType).Concat(instance.Sources(instance.Get("DBClusterIdentifier"))).FirstOrDefault(r => r.Type == AuroraType);
        if (size == "db.serverless")
        {
            var minimum = cluster?.Number("ServerlessV2ScalingConfiguration", "MinCapacity") ?? 0.5m;
            var maximum = Math.Max(minimum, cluster?.Number("ServerlessV2ScalingConfiguration", "MaxCapacity") ?? minimum);
            var units = new Quantity(minimum, minimum + ((maximum - minimum) * sheet.Usage.ServerlessLoadShare), maximum);
            sheet.Add(
                instance, "Aurora capacity units", "aurora", "serverless_v2_acu_hour", units * Month.Hours,
                string.Create(CultureInfo.InvariantCulture, $"{units.Expected:0.##} units on average, {minimum:0.##} to {maximum:0.##} by autoscaling"));
            return;
        }

        sheet.Add(instance, $"{size} Aurora instance", "aurora", size.Replace('.', '_') + "_hour", Month.Hours, "running all month");
        ExtendedSupport.Rds(instance, sheet, engine, size, multi: false);
        DatabasePricers.Insights(instance, sheet, size);
    }

    public static void Aurora(CostedResource cluster, CostSheet sheet) => SharedStorage(cluster, sheet, "aurora", "Aurora", cluster.Text("StorageType") == "aurora-iopt1" ? "io_optimized_" : "");

    public static void DocDb(CostedResource cluster, CostSheet sheet) => SharedStorage(cluster, sheet, "docdb", "DocumentDB", cluster.Text("StorageType") == "iopt1" ? "io_optimized_" : "");

    public static void Neptune(CostedResource cluster, CostSheet sheet) => SharedStorage(cluster, sheet, "neptune", "Neptune", cluster.Text("StorageType") == "iopt1" ? "io_optimized_" : "");

    public static void ClusterInstance(string service, string name, CostedResource instance, CostSheet sheet)
    {
        var size = instance.Text("DBInstanceClass");
        if (size is null)
        {
            sheet.AddUnpriced(instance, $"{name} instance", Month.Hours, "hour", "Its class is not known.");
            return;
        }

        sheet.Add(instance, $"{size} {name} instance", service, size.Replace('.', '_') + "_hour", Month.Hours, "running all month");
    }

    public static void ReplicationGroup(CostedResource group, CostSheet sheet)
    {
        var shards = group.Number("NumNodeGroups") ?? 1;
        var nodes = group.Number("NumCacheClusters") ?? (shards * (1 + (group.Number("ReplicasPerNodeGroup") ?? 0)));
        Nodes(group, sheet, nodes);
        if (group.Number("SnapshotRetentionLimit") is > 0)
        {
            var backed = sheet.Scope.Once("backed up caches", s => s.OfType(group.Type).Count(g => g.Number("SnapshotRetentionLimit") is > 0));
            sheet.Add(
                group, "Cache backups", "elasticache", "backup_storage_gb_month", CostSheet.Share(sheet.Usage.CacheBackupGb, backed), "beyond one backup the size of the cache, which is free");
        }
    }

    public static void CacheCluster(CostedResource cluster, CostSheet sheet) => Nodes(cluster, sheet, cluster.Number("NumCacheNodes") ?? 1);

    public static void Redshift(CostedResource cluster, CostSheet sheet)
    {
        if (cluster.Text("NodeType") is not { } type)
        {
            sheet.AddUnpriced(cluster, "Redshift nodes", null, "hour", "Their type is not known.");
            return;
        }

        var nodes = cluster.Number("NumberOfNodes") ?? 1;
        sheet.Add(cluster, $"{type} nodes", "redshift", $"node_{type.Replace('.', '_')}_hour", nodes * Month.Hours, $"{nodes:0.##} running all month");
        if (type.StartsWith("ra3", StringComparison.Ordinal))
        {
            var clusters = sheet.Scope.OfType(cluster.Type).Count;
            sheet.Add(cluster, "Managed storage", "redshift", "managed_storage_gb_month", CostSheet.Share(sheet.Usage.AuroraStoredGb, clusters), NetworkPricers.Sharing(clusters, "cluster"));
        }
    }

    public static void Search(CostedResource domain, CostSheet sheet)
    {
        var config = domain.Get("ClusterConfig") ?? domain.Get("ElasticsearchClusterConfig");
        decimal Number(string key, decimal otherwise) => config?[key] is { } v && v.TryGetNumber(out var n) ? n : otherwise;
        void Instances(string name, string? type, decimal number)
        {
            if (type is null)
            {
                sheet.AddUnpriced(domain, name, number * Month.Hours, "hour", "Their type is not known.");
                return;
            }

            sheet.Add(
                domain, $"{type} {name}", "opensearch", $"instance_{type.Replace("elasticsearch", "search", StringComparison.Ordinal).Replace('.', '_')}_hour", number * Month.Hours, $"{number:0.##} running all month");
        }

        var nodes = Number("InstanceCount", 1);
        Instances("data nodes", config?["InstanceType"]?.AsString(), nodes);
        if (config?["DedicatedMasterEnabled"]?.AsString() is "true")
        {
            Instances("master nodes", config["DedicatedMasterType"]?.AsString(), Number("DedicatedMasterCount", 3));
        }

        if (config?["WarmEnabled"]?.AsString() is "true")
        {
            Instances("warm nodes", config["WarmType"]?.AsString(), Number("WarmCount", 2));
        }

        var type = domain.Text("EBSOptions", "VolumeType") ?? "gp3";
        if (domain.Number("EBSOptions", "VolumeSize") is { } gb)
        {
            sheet.Add(domain, $"{type} storage", "opensearch", $"{type}_gb_month", nodes * gb, $"{gb:0.##} GB at each of {nodes:0.##} nodes");
        }
    }

    private static void Nodes(CostedResource cache, CostSheet sheet, decimal nodes)
    {
        var engine = cache.Text("Engine") ?? "redis";
        if (cache.Text("CacheNodeType") is not { } type)
        {
            sheet.AddUnpriced(cache, "Cache nodes", nodes * Month.Hours, "hour", "Their type is not known.");
            return;
        }

        // An autoscaled group has its bounds at the scalable target.
        var target = cache.UsedBy("AWS::ApplicationAutoScaling::ScalableTarget").FirstOrDefault();
        var range = (Quantity)nodes;
        if (target?.Number("MinCapacity") is { } low && target.Number("MaxCapacity") is { } high && target.Text("ScalableDimension") is "elasticache:replication-group:NodeGroups")
        {
            var perShard = nodes / Math.Max(1, cache.Number("NumNodeGroups") ?? 1);
            range = new Quantity(Math.Min(nodes, low * perShard), nodes, Math.Max(nodes, high * perShard));
        }

        sheet.Add(
            cache, $"{type} nodes", "elasticache", $"{engine}_{type.Replace('.', '_')}_hour", range * Month.Hours,
            string.Create(CultureInfo.InvariantCulture, $"{nodes:0.##} {engine} nodes running all month"));
    }

    private static void SharedStorage(CostedResource cluster, CostSheet sheet, string service, string name, string variant)
    {
        var clusters = sheet.Scope.Once("clusters", s => s.OfType(AuroraType).Count + s.OfType("AWS::DocDB::DBCluster").Count + s.OfType("AWS::Neptune::DBCluster").Count);
        var sharing = NetworkPricers.Sharing(clusters, "cluster");
        sheet.Add(cluster, $"{name} storage", service, $"{variant}storage_gb_month", CostSheet.Share(sheet.Usage.AuroraStoredGb, clusters), sharing);
        if (variant.Length == 0)
        {
            sheet.Add(cluster, $"{name} I/O requests", service, "io_request", CostSheet.Share(sheet.Usage.AuroraIoRequests, clusters), sharing);
        }

        sheet.Add(
            cluster, $"{name} backups", service, "backup_gb_month", CostSheet.Share(sheet.Usage.DatabaseBackupGb, clusters), "beyond the size of the database, which is free");
    }
}
