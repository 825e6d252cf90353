using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>RDS databases, with their standbys, replicas, storage and backups.</summary>
internal static class DatabasePricers
{
    private const string InstanceType = "AWS::RDS::DBInstance";
    private const decimal SampleGb = 4m / 1024 / 1024;

    public static void Instance(CostedResource database, CostSheet sheet)
    {
        var engine = database.Text("Engine") ?? Source(database)?.Text("Engine") ?? "postgres";
        if (database.Text("DBInstanceClass") is not { } size)
        {
            sheet.AddUnpriced(database, "Database instance", Month.Hours, "hour", "Its class is not known.");
            return;
        }

        if (engine.StartsWith("aurora", StringComparison.Ordinal))
        {
            ClusterPricers.AuroraInstance(database, sheet, engine, size);
            return;
        }

        var multi = database.Flag("MultiAZ");
        var family = engine switch { "postgres" => "postgresql", _ => engine.Replace('-', '_') };
        PerDeployment(database, sheet, $"{size} instance", $"{family}_{{0}}_{size.Replace('.', '_')}_hour", multi, Month.Hours, "running all month");
        ExtendedSupport.Rds(database, sheet, engine, size, multi);
        Storage(database, sheet, engine, multi);
        Insights(database, sheet, size);
        if (database.Number("MonitoringInterval") is { } seconds and > 0)
        {
            sheet.Add(
                database, "Enhanced Monitoring logs", "cloudwatch", "logs_ingest_standard_gb", Month.Seconds / seconds * SampleGb,
                string.Create(CultureInfo.InvariantCulture, $"about 4 KB every {seconds:0.##} seconds"));
        }

        if (database.Number("BackupRetentionPeriod") != 0)
        {
            var backed = sheet.Scope.Once("backed up databases", s => s.OfType(InstanceType).Count(d => d.Number("BackupRetentionPeriod") != 0 && !IsAurora(d)));
            sheet.Add(
                database, "Backups", "rds", "backup_storage_gb_month", CostSheet.Share(sheet.Usage.DatabaseBackupGb, backed),
                "beyond the size of the database, which is free");
        }
    }

    public static bool IsAurora(CostedResource database) => database.Text("Engine")?.StartsWith("aurora", StringComparison.Ordinal) == true;

    /// <summary>Performance Insights for longer than the free week.</summary>
    public static void Insights(CostedResource database, CostSheet sheet, string size)
    {
        if (!database.Flag("EnablePerformanceInsights") || database.Number("PerformanceInsightsRetentionPeriod") is not > 7)
        {
            return;
        }

        var parts = size.Split('.');
        var cpus = parts.Length == 3 ? InstanceSizes.Find(parts[1] + "." + parts[2])?.Cpu : null;
        if (cpus is null)
        {
            sheet.AddUnpriced(database, "Performance Insights", null, "vcpu_month", $"The number of vCPUs of {size} is not known.");
            return;
        }

        sheet.Add(
            database, "Performance Insights", "rds", $"performance_insights_long_retention_db_{parts[1]}_vcpu_month", cpus.Value,
            string.Create(CultureInfo.InvariantCulture, $"{cpus:0.##} vCPU, kept longer than the free 7 days"));
    }

    private static void Storage(CostedResource database, CostSheet sheet, string engine, bool multi)
    {
        var storage = database.Text("StorageType") ?? "gp2";
        if ((database.Number("AllocatedStorage") ?? Source(database)?.Number("AllocatedStorage")) is not { } gb)
        {
            sheet.AddUnpriced(database, $"{storage} storage", null, "gb_month", "Its size is not known.");
            return;
        }

        var most = Math.Max(gb, database.Number("MaxAllocatedStorage") ?? gb);
        PerDeployment(
            database, sheet, $"{storage} storage", $"storage_{storage}_{{0}}_gb_month", multi, new Quantity(gb, gb, most),
            most > gb ? string.Create(CultureInfo.InvariantCulture, $"as allocated, up to {most:0.##} GB by autoscaling") : "as allocated");

        // gp3 includes more above 400 GB, where RDS stripes over four volumes; SQL Server does not stripe.
        var striped = gb >= 400 && !engine.StartsWith("sqlserver", StringComparison.Ordinal);
        var (iops, throughput) = striped ? (12_000m, 500m) : (3_000m, 125m);
        if (storage == "gp3")
        {
            PerDeployment(
                database, sheet, "gp3 operations", "storage_gp3_iops_{0}_month", multi, Math.Max(0, (database.Number("Iops") ?? iops) - iops),
                $"beyond the {iops:0} that are included");
            PerDeployment(
                database, sheet, "gp3 throughput", "storage_gp3_throughput_{0}_mibps_month", multi, Math.Max(0, (database.Number("StorageThroughput") ?? throughput) - throughput),
                $"beyond the {throughput:0} MiB/s that are included");
        }
        else if (storage is "io1" or "io2")
        {
            PerDeployment(database, sheet, $"{storage} operations", $"storage_{storage}_iops_{{0}}_month", multi, database.Number("Iops") ?? 1000, "as provisioned");
        }
    }

    private static CostedResource? Source(CostedResource database) =>
        database.Get("SourceDBInstanceIdentifier") is { } source ? database.Sources(source).FirstOrDefault(r => r.Type == InstanceType) : null;

    // A standby is a second instance with a second volume: the price with one is twice that without, wherever lists have both. Where the
    // catalog has only the single price, the line says that it is derived, and from which row.
    private static void PerDeployment(CostedResource database, CostSheet sheet, string name, string dimension, bool multi, Quantity quantity, string assumption)
    {
        var single = string.Format(null, dimension, "single_az");
        var exact = string.Format(null, dimension, multi ? "multi_az" : "single_az");
        if (multi && !sheet.Catalog.TryFind(database.Region, "rds", exact, out _) && sheet.Catalog.TryFind(database.Region, "rds", single, out _))
        {
            sheet.AddDerived(database, name + ", Multi-AZ", "rds", single, 2, $"twice rds/{single}, for an instance and its standby", quantity, assumption);
            return;
        }

        sheet.Add(database, multi ? name + ", Multi-AZ" : name, "rds", exact, quantity, assumption);
    }
}
