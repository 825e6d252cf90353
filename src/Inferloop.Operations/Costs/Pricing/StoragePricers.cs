using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>S3 buckets and DynamoDB tables.</summary>
internal static class StoragePricers
{
    private const string BucketType = "AWS::S3::Bucket";

    // Old versions that nothing deletes grow for ever; a year is what an estimate can say about them.
    private const decimal EndlessMonths = 12;

    private static readonly Dictionary<string, (string Storage, string Transition)> s_classes = new()
    {
        ["INTELLIGENT_TIERING"] = ("intelligent_tiering_frequent_gb_month", "lifecycle_transition_to_intelligent_tiering_1000_requests"),
        ["STANDARD_IA"] = ("standard_ia_gb_month", "lifecycle_transition_to_standard_ia_1000_requests"),
        ["ONEZONE_IA"] = ("onezone_ia_gb_month", "lifecycle_transition_to_onezone_ia_1000_requests"),
        ["GLACIER_IR"] = ("glacier_instant_retrieval_gb_month", "lifecycle_transition_to_glacier_instant_retrieval_1000_requests"),
        ["GLACIER"] = ("glacier_flexible_retrieval_gb_month", "lifecycle_transition_to_glacier_flexible_retrieval_1000_requests"),
        ["DEEP_ARCHIVE"] = ("glacier_deep_archive_gb_month", "lifecycle_transition_to_glacier_deep_archive_1000_requests"),
    };

    public static void Bucket(CostedResource bucket, CostSheet sheet)
    {
        var buckets = sheet.Scope.OfType(BucketType);
        var logs = sheet.Scope.Once("log buckets", LogBuckets);
        if (logs.Contains(bucket))
        {
            LogBucket(bucket, sheet, logs.Count);
            return;
        }

        var share = buckets.Count - logs.Count;
        var usage = sheet.Usage;
        decimal Of(decimal amount) => CostSheet.Share(amount, share);
        var sharing = NetworkPricers.Sharing(share, "bucket");

        var rules = bucket.Items("LifecycleConfiguration", "Rules").Where(r => r["Status"]?.AsString() == "Enabled" && IsForAll(r)).ToList();
        var expires = rules.Select(r => Days(r, "ExpirationInDays")).Where(d => d is not null).Min();
        var stored = expires is { } end ? Math.Min(Of(usage.StoredGb), Of(usage.StoredAddedGb) * Month.FromDays(end)) : Of(usage.StoredGb);
        ByAge(bucket, sheet, rules, stored, Of(usage.StoredAddedGb), Of(usage.ObjectsAdded), sharing);

        if (bucket.Text("VersioningConfiguration", "Status") == "Enabled")
        {
            var kept = rules.Select(r => Days(r["NoncurrentVersionExpiration"], "NoncurrentDays")).Where(d => d is not null).Min();
            var months = kept is { } days ? Month.FromDays(days) : EndlessMonths;
            sheet.Add(
                bucket, "Old versions", "s3", "standard_gb_month", Of(usage.StoredReplacedGb) * months,
                kept is null ? "a year of them (nothing deletes them), in the class they had when new" : string.Create(CultureInfo.InvariantCulture, $"{kept:0.##} days of them, in the class they had when new"));
        }

        sheet.Add(bucket, "PUT, COPY, POST, LIST requests", "s3", "standard_put_copy_post_list_1000_requests", Of(usage.StoragePutRequests) / 1000, sharing);
        sheet.Add(bucket, "GET and other requests", "s3", "standard_get_and_other_1000_requests", Of(usage.StorageGetRequests) / 1000, sharing);
        if (bucket.Text("AccelerateConfiguration", "AccelerationStatus") == "Enabled")
        {
            sheet.AddUnpriced(bucket, "Transfer acceleration", null, "gb", "The catalog has no price of it.");
        }

        if (bucket.Items("ReplicationConfiguration", "Rules").Any(r => r["Status"]?.AsString() == "Enabled"))
        {
            sheet.Add(bucket, "Replication to another region", "data_transfer", "inter_region_out_gb", Of(usage.StoredAddedGb), $"what is added, with its requests there; {sharing}");
        }
    }

    public static void Table(CostedResource table, CostSheet sheet)
    {
        var tables = sheet.Scope.OfType(table.Type).Count + sheet.Scope.OfType("AWS::DynamoDB::GlobalTable").Count;
        var usage = sheet.Usage;
        decimal Of(decimal amount) => CostSheet.Share(amount, tables);
        var sharing = NetworkPricers.Sharing(tables, "table");
        var indexes = table.Items("GlobalSecondaryIndexes");
        var copies = 1 + indexes.Count;
        var copying = indexes.Count == 0 ? sharing : $"{sharing}; written once more for {Words.Each(indexes.Count, "index", "indexes")}";

        if (table.Text("BillingMode") == "PAY_PER_REQUEST")
        {
            sheet.Add(table, "Reads", "dynamodb", "on_demand_read_request_unit", Of(usage.TableReadUnits), sharing);
            sheet.Add(table, "Writes", "dynamodb", "on_demand_write_request_unit", Of(usage.TableWriteUnits) * copies, copying);
        }
        else
        {
            Provisioned(table, sheet, "ReadCapacityUnits", "Read capacity", "provisioned_rcu_hour");
            Provisioned(table, sheet, "WriteCapacityUnits", "Write capacity", "provisioned_wcu_hour");
        }

        sheet.Add(table, "Table storage", "dynamodb", "storage_gb_month", Of(usage.TableStoredGb) * copies, copying.Replace("written", "stored", StringComparison.Ordinal));
        if (table.Flag("PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"))
        {
            sheet.Add(table, "Point-in-time recovery", "dynamodb", "pitr_backup_gb_month", Of(usage.TableStoredGb), "the table's size, without indexes");
        }

        if (table.Get("StreamSpecification") is not null)
        {
            sheet.Add(table, "Stream reads", "dynamodb", "streams_read_request_unit", Of(usage.TableStreamReads), sharing);
        }
    }

    /// <summary>A table in several regions: every region stores and writes all of it, and what is written crosses between them.</summary>
    public static void GlobalTable(CostedResource table, CostSheet sheet)
    {
        var replicas = table.Items("Replicas").Select(r => (Region: r["Region"]?.AsString() ?? table.Region, Replica: r)).ToList();
        var tables = sheet.Scope.OfType(table.Type).Count + sheet.Scope.OfType("AWS::DynamoDB::Table").Count;
        var usage = sheet.Usage;
        decimal Of(decimal amount) => CostSheet.Share(amount, tables);
        var copies = 1 + table.Items("GlobalSecondaryIndexes").Count;
        var several = replicas.Count > 1;
        foreach (var (region, replica) in replicas)
        {
            var where = several ? $" in {region}" : "";
            var sharing = NetworkPricers.Sharing(tables, "table");
            if (table.Text("BillingMode") == "PAY_PER_REQUEST")
            {
                var reads = region == table.Region ? Of(usage.TableReadUnits) : 0;
                sheet.AddIn(region, table, "Reads" + where, "dynamodb", "on_demand_read_request_unit", reads, sharing);
                sheet.AddIn(
                    region, table, "Writes" + where, "dynamodb", several ? "on_demand_replicated_write_request_unit" : "on_demand_write_request_unit", Of(usage.TableWriteUnits) * copies,
                    several ? $"every write is written in each region; {sharing}" : sharing);
            }
            else
            {
                sheet.AddUnpriced(table, "Provisioned capacity" + where, null, "unit_hour", "Capacity of global tables scales by itself between bounds; use on-demand billing for an estimate.");
            }

            sheet.AddIn(region, table, "Table storage" + where, "dynamodb", "storage_gb_month", Of(usage.TableStoredGb) * copies, sharing);
            if (replica["PointInTimeRecoverySpecification"]?["PointInTimeRecoveryEnabled"]?.AsString() is "true")
            {
                sheet.AddIn(region, table, "Point-in-time recovery" + where, "dynamodb", "pitr_backup_gb_month", Of(usage.TableStoredGb), "the table's size, without indexes");
            }
        }

        sheet.Add(
            table, "Replication to other regions", "data_transfer", "inter_region_out_gb", several ? Of(usage.ReplicatedGb) * (replicas.Count - 1) : 0, "what is written, to each other region");
        if (table.Get("StreamSpecification") is not null)
        {
            sheet.Add(table, "Stream reads", "dynamodb", "streams_read_request_unit", Of(usage.TableStreamReads), NetworkPricers.Sharing(tables, "table"));
        }
    }

    private static void Provisioned(CostedResource table, CostSheet sheet, string property, string name, string dimension)
    {
        var units = (table.Number("ProvisionedThroughput", property) ?? 0)
            + table.Items("GlobalSecondaryIndexes").Sum(i => i["ProvisionedThroughput"]?[property] is { } v && v.TryGetNumber(out var n) ? n : 0);
        sheet.Add(table, name, "dynamodb", dimension, units * Month.Hours, string.Create(CultureInfo.InvariantCulture, $"{units:0.##} units provisioned all month, indexes included"));
    }

    private static void LogBucket(CostedResource bucket, CostSheet sheet, int logBuckets)
    {
        var written = CostSheet.Share(sheet.Usage.AccessLogGb, logBuckets);
        var days = bucket.Items("LifecycleConfiguration", "Rules").Where(IsForAll).Select(r => Days(r, "ExpirationInDays")).Where(d => d is not null).Min();
        sheet.Add(
            bucket, "Access logs", "s3", "standard_gb_month", written * (days is { } d ? Month.FromDays(d) : EndlessMonths),
            days is null ? "a year of them (nothing deletes them)" : string.Create(CultureInfo.InvariantCulture, $"{days:0.##} days of them; delivery is free"));
    }

    // Data younger than the first transition is in S3 Standard, and so on; what is older than the last is in the last class.
    private static void ByAge(
        CostedResource bucket, CostSheet sheet, IReadOnlyList<Value> rules, decimal stored, decimal added, decimal objects, string sharing)
    {
        var transitions = rules.SelectMany(r => r["Transitions"]?.Items ?? [])
            .Select(t => (Class: t["StorageClass"]?.AsString() ?? "", Days: Days(t, "TransitionInDays") ?? 0))
            .OrderBy(t => t.Days)
            .ToList();
        var left = stored;
        var name = "S3 Standard storage";
        var dimension = "standard_gb_month";
        var from = 0m;
        foreach (var (storageClass, days) in transitions)
        {
            var here = Math.Min(left, added * Month.FromDays(days - from));
            sheet.Add(bucket, name, "s3", dimension, here, string.Create(CultureInfo.InvariantCulture, $"{from:0.##} to {days:0.##} days old; {sharing}"));
            left -= here;
            from = days;
            name = $"S3 {storageClass} storage";
            if (!s_classes.TryGetValue(storageClass, out var target))
            {
                sheet.AddUnpriced(bucket, name, left, "gb_month", $"The estimate does not know the storage class {storageClass}.");
                return;
            }

            dimension = target.Storage;
            if (storageClass == "INTELLIGENT_TIERING" && added > 0)
            {
                sheet.Add(
                    bucket, "Intelligent-Tiering monitoring", "s3", "intelligent_tiering_monitoring_1000_objects_month", objects * left / added / 1000,
                    "objects as large as those added; all taken as frequently used");
            }

            sheet.Add(bucket, $"Transitions to {storageClass}", "s3", target.Transition, objects / 1000, "every object added is moved once");
        }

        sheet.Add(
            bucket, name, "s3", dimension, left,
            transitions.Count == 0 ? sharing : string.Create(CultureInfo.InvariantCulture, $"older than {from:0.##} days; {sharing}"));
    }

    private static bool IsForAll(Value rule) =>
        rule["Prefix"]?.AsString() is null or "" && rule["TagFilters"] is null && rule["ObjectSizeGreaterThan"] is null && rule["ObjectSizeLessThan"] is null;

    private static decimal? Days(Value? rule, string key) => rule?[key] is { } value && value.TryGetNumber(out var days) ? days : null;

    /// <summary>The buckets that access logs go to.</summary>
    internal static HashSet<CostedResource> LogBuckets(CostScope scope)
    {
        var named = scope.OfType(BucketType).Where(b => b.Text("BucketName") is not null).ToLookup(b => b.Text("BucketName"));
        var result = new HashSet<CostedResource>();
        foreach (var bucket in scope.OfType(BucketType))
        {
            if (bucket.Get("LoggingConfiguration", "DestinationBucketName") is { } destination)
            {
                result.UnionWith(bucket.Sources(destination).Where(b => b.Type == BucketType));
                result.UnionWith(named[destination.AsString() ?? ""]);
            }
        }

        return result;
    }
}
