using System.Globalization;
using Inferloop.Templates.Versions;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>What AWS adds for versions whose standard support has ended.</summary>
internal static class ExtendedSupport
{
    public static void Eks(CostedResource cluster, CostSheet sheet)
    {
        if (cluster.Text("UpgradePolicy", "SupportType") == "STANDARD")
        {
            // Such a cluster is upgraded by itself when standard support ends, and never charged for extended support.
            return;
        }

        if (cluster.Text("Version") is { } version && SupportWindows.Eks(version) is { } window && window.IsExtended(sheet.Options.Today))
        {
            sheet.Add(
                cluster, $"Extended support of Kubernetes {version}", "eks", "cluster_extended_support_surcharge_hour", Month.Hours,
                $"standard support ended on {window.StandardEnd:yyyy-MM-dd}; beside the price of the control plane");
        }
    }

    public static void Rds(CostedResource database, CostSheet sheet, string engine, string size, bool multi)
    {
        if (database.Text("EngineLifecycleSupport") == "open-source-rds-extended-support-disabled")
        {
            return;
        }

        var version = database.Text("EngineVersion");
        if (version is null || SupportWindows.Rds(engine, version) is not { } window || !window.IsExtended(sheet.Options.Today))
        {
            return;
        }

        var year = window.ExtendedYear(sheet.Options.Today);
        var family = engine.Contains("postgres", StringComparison.Ordinal) ? "postgresql" : "mysql";
        var name = $"Extended support of {engine} {version}, year {year}";
        var reason = $"standard support ended on {window.StandardEnd:yyyy-MM-dd}";
        if (InstanceSizes.Find(size.Replace("db.", "", StringComparison.Ordinal)) is not { } vcpu)
        {
            sheet.AddUnpriced(database, name, null, "vcpu_hour", $"The number of vCPUs of {size} is not known; {reason}.");
            return;
        }

        // Years one and two have one rate, year three another.
        var cpus = vcpu.Cpu * (multi ? 2 : 1);
        sheet.Add(
            database, name, "rds", $"{family}_extended_support_year{(year >= 3 ? 3 : 1)}_vcpu_hour", cpus * Month.Hours,
            string.Create(CultureInfo.InvariantCulture, $"{cpus:0.##} vCPU{(multi ? ", the standby's included" : "")}; {reason}"));
    }
}
