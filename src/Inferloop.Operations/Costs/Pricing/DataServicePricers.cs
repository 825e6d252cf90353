using System.Globalization;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>File systems, streams, brokers and other managed services that a platform may stand beside.</summary>
internal static class DataServicePricers
{
    public static void Efs(CostedResource system, CostSheet sheet)
    {
        var systems = sheet.Scope.OfType(system.Type).Count;
        var zone = system.Text("AvailabilityZoneName") is null ? "standard" : "one_zone";
        sheet.Add(system, "File system storage", "efs", zone + "_gb_month", CostSheet.Share(sheet.Usage.FileSystemGb, systems), NetworkPricers.Sharing(systems, "file system") + "; none of it in infrequent access");
        if (system.Text("ThroughputMode") == "provisioned")
        {
            sheet.Add(system, "Provisioned throughput", "efs", "provisioned_throughput_mibps_month", system.Number("ProvisionedThroughputInMibps") ?? 0, "as provisioned");
        }
        else if (system.Text("ThroughputMode") == "elastic")
        {
            sheet.AddUnpriced(system, "Elastic throughput", null, "gb", "What is read and written is in no usage profile.");
        }
    }

    public static void Fsx(CostedResource system, CostSheet sheet)
    {
        var kind = (system.Text("FileSystemType") ?? "").ToLowerInvariant();
        var configuration = kind switch { "windows" => "WindowsConfiguration", "lustre" => "LustreConfiguration", "openzfs" => "OpenZFSConfiguration", _ => "OntapConfiguration" };
        var zones = system.Text(configuration, "DeploymentType") is { } type && type.StartsWith("MULTI", StringComparison.Ordinal) ? "multi_az" : "single_az";
        var disk = (system.Text("StorageType") ?? "SSD").ToLowerInvariant();
        if (system.Number("StorageCapacity") is not { } gb)
        {
            sheet.AddUnpriced(system, "File system storage", null, "gb_month", "Its size is not known.");
            return;
        }

        sheet.Add(system, "File system storage", "fsx", $"{kind}_{zones}_{disk}_gb_month", gb, "as provisioned");
        if (system.Number(configuration, "ThroughputCapacity") is { } throughput)
        {
            sheet.Add(system, "File system throughput", "fsx", $"{kind}_{zones}_throughput_mibps_month", throughput, "as provisioned");
        }
    }

    public static void Stream(CostedResource stream, CostSheet sheet)
    {
        var streams = sheet.Scope.OfType(stream.Type).Count;
        var sharing = NetworkPricers.Sharing(streams, "stream");
        if (stream.Text("StreamModeDetails", "StreamMode") == "ON_DEMAND")
        {
            var gb = CostSheet.Share(sheet.Usage.StreamGb, streams);
            sheet.Add(stream, "On-demand stream", "kinesis", "on_demand_stream_hour", Month.Hours, "kept all month");
            sheet.Add(stream, "Data in", "kinesis", "on_demand_ingest_gb", gb, sharing);
            sheet.Add(stream, "Data out", "kinesis", "on_demand_retrieval_gb", gb, "read once");
        }
        else
        {
            var shards = stream.Number("ShardCount") ?? 1;
            sheet.Add(stream, "Shards", "kinesis", "shard_hour", shards * Month.Hours, string.Create(CultureInfo.InvariantCulture, $"{shards:0.##} all month"));
            sheet.Add(stream, "Put units", "kinesis", "put_payload_unit", CostSheet.Share(sheet.Usage.StreamUnits, streams), sharing);
        }

        if (stream.Number("RetentionPeriodHours") is > 24)
        {
            sheet.AddUnpriced(stream, "Extended retention", null, "shard_hour", "The catalog has no price of retention beyond a day.");
        }
    }

    public static void Firehose(CostedResource stream, CostSheet sheet)
    {
        var streams = sheet.Scope.OfType(stream.Type).Count;
        sheet.Add(stream, "Data in", "firehose", "ingest_gb", CostSheet.Share(sheet.Usage.StreamGb, streams), NetworkPricers.Sharing(streams, "delivery stream"));
    }

    public static void Kafka(CostedResource cluster, CostSheet sheet)
    {
        var brokers = cluster.Number("NumberOfBrokerNodes") ?? 2;
        if (cluster.Text("BrokerNodeGroupInfo", "InstanceType") is not { } type)
        {
            sheet.AddUnpriced(cluster, "Brokers", brokers * Month.Hours, "hour", "Their type is not known.");
            return;
        }

        sheet.Add(cluster, $"{type} brokers", "msk", type.Replace('.', '_') + "_hour", brokers * Month.Hours, $"{brokers:0.##} running all month");
        var gb = cluster.Number("BrokerNodeGroupInfo", "StorageInfo", "EBSStorageInfo", "VolumeSize") ?? 1000;
        sheet.Add(cluster, "Broker storage", "msk", "storage_gb_month", brokers * gb, $"{gb:0.##} GB at each broker");
    }

    public static void Broker(CostedResource broker, CostSheet sheet)
    {
        if (broker.Text("HostInstanceType") is not { } type)
        {
            sheet.AddUnpriced(broker, "Broker", Month.Hours, "hour", "Its type is not known.");
            return;
        }

        // An active broker and its standby, or a cluster of three, are charged as so many single ones.
        var brokers = broker.Text("DeploymentMode") switch { "ACTIVE_STANDBY_MULTI_AZ" => 2, "CLUSTER_MULTI_AZ" => 3, _ => 1 };
        var name = type.StartsWith("mq.", StringComparison.Ordinal) ? type : "mq." + type;
        sheet.Add(broker, $"{name} brokers", "mq", name.Replace('.', '_') + "_single_hour", brokers * Month.Hours, $"{brokers} all month");
    }

    public static void Airflow(CostedResource environment, CostSheet sheet)
    {
        var size = (environment.Text("EnvironmentClass") ?? "mw1.small").Split('.')[^1];
        var workers = Math.Max(1, environment.Number("MinWorkers") ?? 1);
        var most = Math.Max(workers, environment.Number("MaxWorkers") ?? 10);
        sheet.Add(environment, "Airflow environment", "mwaa", $"environment_{size}_hour", Month.Hours, "running all month; one worker included");
        sheet.Add(
            environment, "Further workers", "mwaa", $"worker_{size}_hour", new Quantity(workers - 1, workers - 1, most - 1) * Month.Hours, $"{workers:0.##} to {most:0.##} by autoscaling");
    }

    public static void Glue(CostedResource job, CostSheet sheet)
    {
        var jobs = sheet.Scope.Once("glue", s => s.OfType("AWS::Glue::Job").Count + s.OfType("AWS::Glue::Crawler").Count);
        sheet.Add(job, "Data processing", "glue", "dpu_hour", CostSheet.Share(sheet.Usage.DataProcessingHours, jobs), NetworkPricers.Sharing(jobs, "job or crawler"));
    }

    public static void Migration(CostedResource instance, CostSheet sheet)
    {
        var type = (instance.Text("ReplicationInstanceClass") ?? "dms.t3.medium").Replace("dms.", "", StringComparison.Ordinal);
        var number = instance.Flag("MultiAZ") ? 2 : 1;
        sheet.Add(instance, $"{type} replication instance", "dms", type.Replace('.', '_') + "_single_hour", number * Month.Hours, number == 2 ? "with its standby, twice the single price" : "running all month");
        var more = Math.Max(0, (instance.Number("AllocatedStorage") ?? 50) - 50);
        sheet.Add(instance, "Replication storage", "dms", "gp2_single_gb_month", number * more, "beyond the included 50 GB");
    }

    public static void TransferServer(CostedResource server, CostSheet sheet)
    {
        var servers = sheet.Scope.OfType(server.Type).Count;
        var protocols = Math.Max(1, server.Items("Protocols").Count);
        sheet.Add(server, "Transfer endpoint", "transfer", "endpoint_hour", protocols * Month.Hours, $"{protocols} protocol{(protocols == 1 ? "" : "s")} all month");
        sheet.Add(server, "Transferred data", "transfer", "transferred_gb", CostSheet.Share(sheet.Usage.TransferGb, servers), NetworkPricers.Sharing(servers, "server"));
    }

    public static void Directory(CostedResource directory, CostSheet sheet)
    {
        var kind = directory.Type == "AWS::DirectoryService::SimpleAD"
            ? "simple_ad_" + (directory.Text("Size") ?? "Small").ToLowerInvariant()
            : "microsoft_ad_" + (directory.Text("Edition") ?? "Enterprise").ToLowerInvariant();
        sheet.Add(directory, "Directory", "directory_service", kind + "_controller_hour", 2 * Month.Hours, "two domain controllers all month");
    }

    public static void CertificateAuthority(CostedResource authority, CostSheet sheet)
    {
        var brief = authority.Text("UsageMode") == "SHORT_LIVED_CERTIFICATE";
        sheet.Add(authority, "Certificate authority", "private_ca", brief ? "short_lived_authority_month" : "authority_month", 1m, "certificates are charged when they are issued");
    }

    public static void Snapshots(CostedResource policy, CostSheet sheet)
    {
        var policies = sheet.Scope.OfType(policy.Type).Count;
        sheet.Add(policy, "Volume snapshots", "ebs", "snapshot_standard_gb_month", CostSheet.Share(sheet.Usage.SnapshotGb, policies), NetworkPricers.Sharing(policies, "policy"));
    }
}
