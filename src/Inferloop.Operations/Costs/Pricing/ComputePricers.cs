using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>EC2 instances, the groups that hold them, and their volumes.</summary>
internal static class ComputePricers
{
    // What the operating system and the ECS agent leave of an instance's memory for tasks.
    private const decimal UsableMemory = 0.93m;
    private const decimal IncludedIops = 3000;
    private const decimal IncludedThroughput = 125;

    public static void Group(CostedResource group, CostSheet sheet)
    {
        if (group.Get("MixedInstancesPolicy") is { } policy)
        {
            Mixed(group, sheet, policy);
            return;
        }

        var template = group.Uses("AWS::EC2::LaunchTemplate").FirstOrDefault() ?? group.Sources(group.Get("LaunchTemplate", "LaunchTemplateId")).FirstOrDefault();
        if (template?.Get("LaunchTemplateData") is not { } data)
        {
            sheet.AddUnpriced(group, "Instances", null, "hour", "Their launch template is not in the template, so their type is not known.");
            return;
        }

        var type = data["InstanceType"]?.AsString();
        var (instances, assumption) = Needed(group, type);
        var spot = data["InstanceMarketOptions"]?["MarketType"]?.AsString() == "spot";
        Instances(group, sheet, type, instances, assumption, spot);
        Kept(group, sheet, data, instances, assumption);
    }

    private static void Kept(CostedResource group, CostSheet sheet, Value data, Quantity instances, string assumption)
    {
        Volumes(group, sheet, data["BlockDeviceMappings"]?.Items ?? [], instances, assumption);
        if (data["Monitoring"]?["Enabled"]?.AsString() is "true")
        {
            sheet.Add(group, "Detailed monitoring", "cloudwatch", "metric_month", instances * 7, $"7 metrics an instance; {assumption}");
        }
    }

    // Which of several types will run is decided by EC2; the first named is what the group asks for first.
    private static void Mixed(CostedResource group, CostSheet sheet, Value policy)
    {
        var template = group.Uses("AWS::EC2::LaunchTemplate").FirstOrDefault()
            ?? group.Sources(policy["LaunchTemplate"]?["LaunchTemplateSpecification"]?["LaunchTemplateId"]).FirstOrDefault();
        var data = template?.Get("LaunchTemplateData");
        var overrides = policy["LaunchTemplate"]?["Overrides"]?.Items ?? [];
        var type = overrides.Select(o => o["InstanceType"]?.AsString()).FirstOrDefault(t => t is not null) ?? data?["InstanceType"]?.AsString();
        if (type is null)
        {
            sheet.AddUnpriced(group, "Instances of several types", null, "hour", "Which types will run is decided by EC2; name them in the overrides.");
            return;
        }

        var (instances, words) = Needed(group, type);
        var assumption = overrides.Count > 1 ? $"all of the first type named; {words}" : words;
        decimal Number(string key, decimal otherwise) => policy["InstancesDistribution"]?[key] is { } v && v.TryGetNumber(out var n) ? n : otherwise;
        var first = Number("OnDemandBaseCapacity", 0);
        var share = Number("OnDemandPercentageAboveBaseCapacity", 100) / 100;
        var onDemand = instances.Select(n => Math.Min(n, first) + (Math.Max(0, n - first) * share));
        Instances(group, sheet, type, onDemand, assumption, spot: false);
        Instances(group, sheet, type, instances.Select(n => n - (Math.Min(n, first) + (Math.Max(0, n - first) * share))), assumption, spot: true);
        if (data is not null)
        {
            Kept(group, sheet, data, instances, assumption);
        }
    }

    public static void Instance(CostedResource instance, CostSheet sheet)
    {
        if (instance.Get("InstanceType") is null)
        {
            sheet.AddUnpriced(instance, "Instance", Month.Hours, "hour", "Its type is not in its properties.");
            return;
        }

        Instances(instance, sheet, instance.Text("InstanceType"), 1m, "running all month", spot: false);
        Volumes(instance, sheet, instance.Items("BlockDeviceMappings"), 1m, "kept all month");
    }

    public static void Volume(CostedResource volume, CostSheet sheet) => Disk(volume, sheet, volume.Properties, "Size", 1m, "kept all month");

    /// <summary>Instances of one type, on demand or Spot, as many as run all month.</summary>
    public static void Instances(CostedResource resource, CostSheet sheet, string? type, Quantity instances, string assumption, bool spot)
    {
        if (type is null)
        {
            sheet.AddUnpriced(resource, "Instances", instances.Expected * Month.Hours, "hour", "Their type is not known yet.");
            return;
        }

        if (instances.IsZero || resource.IsStandby)
        {
            return;
        }

        var dimension = $"linux_{type.Replace('.', '_')}_hour";
        if (!spot)
        {
            sheet.Add(resource, $"{type} instances", "ec2", dimension, instances * Month.Hours, assumption);
            return;
        }

        if (sheet.Options.SpotDiscountPercent is { } discount)
        {
            sheet.AddSpot(resource, $"{type} Spot instances", "ec2", dimension, discount, instances * Month.Hours, assumption);
            return;
        }

        decimal? most = sheet.Catalog.TryFind(resource.Region, "ec2", dimension, out var price) ? price.CostOf(instances.Expected * Month.Hours) : null;
        sheet.AddUnpriced(
            resource, $"{type} Spot instances", instances.Expected * Month.Hours, "hour",
            "Spot prices move and are in no price list; on demand would be the most. A discount can be given.", most);
    }

    // As many as the tasks on them need, within the group's bounds; as many as the group says where no service uses it.
    private static (Quantity Instances, string Assumption) Needed(CostedResource group, string? type)
    {
        var minimum = group.Number("MinSize") ?? 0;
        var maximum = Math.Max(minimum, group.Number("MaxSize") ?? minimum);
        var services = group.UsedBy("AWS::ECS::CapacityProvider").SelectMany(p => p.UsedBy("AWS::ECS::Service")).Where(EcsPricers.RunsOnInstances).Distinct().ToList();
        if (services.Count == 0 || type is null || InstanceSizes.Find(type) is not { } size)
        {
            var desired = Math.Clamp(group.Number("DesiredCapacity") ?? minimum, minimum, maximum);
            return (
                new Quantity(minimum, desired, maximum),
                string.Create(CultureInfo.InvariantCulture, $"{desired:0.##} instances all month, {minimum:0.##} to {maximum:0.##} by autoscaling"));
        }

        var needed = (Quantity)0m;
        foreach (var service in services)
        {
            var fit = EcsPricers.TaskSize(service) is { } task
                ? Math.Floor(Math.Min(size.Cpu / task.Cpu, size.Memory * UsableMemory / task.MemoryGb))
                : 1;
            needed += EcsPricers.Tasks(service).Select(n => Math.Ceiling(n / Math.Max(1, fit)));
        }

        var instances = needed.Select(n => Math.Clamp(n, minimum, maximum));
        return (
            instances,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{instances.Expected:0.##} instances all month for the tasks on them, {instances.Low:0.##} to {instances.High:0.##} by autoscaling; no CPU credits bought"));
    }

    /// <summary>The volumes of as many instances as run all month.</summary>
    public static void Volumes(CostedResource resource, CostSheet sheet, IReadOnlyList<Value> mappings, Quantity instances, string assumption)
    {
        if (resource.IsStandby)
        {
            return;
        }

        if (mappings.Count == 0)
        {
            sheet.AddUnpriced(resource, "Root volumes", null, "gb_month", "Their size is set by the image; name it in BlockDeviceMappings.");
            return;
        }

        foreach (var disk in mappings.Select(m => m["Ebs"]).OfType<Value>())
        {
            Disk(resource, sheet, disk, "VolumeSize", instances, assumption);
        }
    }

    private static void Disk(CostedResource resource, CostSheet sheet, Value disk, string sizeKey, Quantity number, string assumption)
    {
        var type = disk["VolumeType"]?.AsString() ?? "gp2";
        if (disk[sizeKey] is not { } sizeValue || !sizeValue.TryGetNumber(out var size))
        {
            sheet.AddUnpriced(resource, $"{type} volumes", null, "gb_month", "Their size is not known.");
            return;
        }

        sheet.Add(resource, $"{type} volumes", "ebs", $"{type}_gb_month", number * size, string.Create(CultureInfo.InvariantCulture, $"{size:0.##} GB each; {assumption}"));
        if (type is "io1" or "io2")
        {
            var provisioned = disk["Iops"] is { } p && p.TryGetNumber(out var o) ? o : 0;
            sheet.Add(resource, $"{type} operations", "ebs", $"{type}_iops_month", number * provisioned, $"as provisioned; {assumption}");
        }
        else if (type == "gp3")
        {
            var iops = disk["Iops"] is { } i && i.TryGetNumber(out var n) ? Math.Max(0, n - IncludedIops) : 0;
            var throughput = disk["Throughput"] is { } t && t.TryGetNumber(out var m) ? Math.Max(0, m - IncludedThroughput) : 0;
            sheet.Add(resource, "gp3 operations", "ebs", "gp3_iops_month", number * iops, $"beyond the {IncludedIops} that are included; {assumption}");
            sheet.Add(resource, "gp3 throughput", "ebs", "gp3_throughput_mibps_month", number * throughput, $"beyond the {IncludedThroughput} MiB/s that are included; {assumption}");
        }
    }
}
