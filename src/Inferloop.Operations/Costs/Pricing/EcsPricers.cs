using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>ECS clusters and services.</summary>
internal static class EcsPricers
{
    private const string ServiceType = "AWS::ECS::Service";
    private const decimal IncludedStorageGb = 20;

    public static void Cluster(CostedResource cluster, CostSheet sheet)
    {
        var insights = cluster.Items("ClusterSettings").FirstOrDefault(s => s["Name"]?.AsString() == "containerInsights")?["Value"]?.AsString() ?? "disabled";
        if (insights == "disabled")
        {
            sheet.AddFree(cluster);
            return;
        }

        if (insights == "enhanced")
        {
            sheet.AddUnpriced(
                cluster, "Container Insights with enhanced observability", null, "metric_month", "It has a rate of its own, which the catalog does not have.");
            return;
        }

        // Container Insights publishes 8 metrics for a cluster, 11 for each service and 6 for each task definition family; AWS charges them
        // as custom metrics. Its log events are with the log group that receives them.
        var services = cluster.UsedBy(ServiceType).ToList();
        var families = services.SelectMany(s => s.Uses("AWS::ECS::TaskDefinition")).Distinct().Count();
        sheet.Add(
            cluster, "Container Insights metrics", "cloudwatch", "metric_month", 8 + (11 * services.Count) + (6 * families),
            $"8 for the cluster, 11 for {Words.Each(services.Count, "service", "services")}, 6 for {Words.Each(families, "task family", "task families")}, charged as custom metrics");
    }

    public static void Service(CostedResource service, CostSheet sheet)
    {
        var definition = service.Uses("AWS::ECS::TaskDefinition").FirstOrDefault() ?? service.Sources(service.Get("TaskDefinition")).FirstOrDefault();
        var tasks = Tasks(service);
        if (definition is null)
        {
            sheet.AddUnpriced(service, "Tasks", tasks.Expected, "task", "Its task definition is not in the template, so their size is not known.");
            return;
        }

        if (OnDemand(service) is not { } share)
        {
            // The instances are charged, not the tasks on them.
            sheet.AddFree(service);
            return;
        }

        var cpu = Size(definition.Text("Cpu"), "vCPU", 1024);
        var memory = Size(definition.Text("Memory"), "GB", 1024);
        if (cpu is null || memory is null)
        {
            sheet.AddUnpriced(service, "Tasks", tasks.Expected, "task", "The task definition does not say how much CPU and memory a task has.");
            return;
        }

        if (definition.Text("RuntimePlatform", "OperatingSystemFamily") is { } family && family != "LINUX")
        {
            sheet.AddUnpriced(service, $"{family} tasks", tasks.Expected, "task", "The catalog has prices of Linux tasks only.");
            return;
        }

        var architecture = definition.Text("RuntimePlatform", "CpuArchitecture") == "ARM64" ? "arm" : "x86";
        var storage = Math.Max(0, (definition.Number("EphemeralStorage", "SizeInGiB") ?? IncludedStorageGb) - IncludedStorageGb);
        var size = string.Create(CultureInfo.InvariantCulture, $"{cpu:0.##} vCPU and {memory:0.##} GB");
        var range = Range(tasks);

        var onDemand = tasks.Select(share);
        var spot = tasks.Select(n => n - share(n));
        var part = spot.IsZero ? "" : string.Create(CultureInfo.InvariantCulture, $"; {onDemand.Expected:0.##} of them on demand, {spot.Expected:0.##} on Spot");
        Fargate(service, sheet, "Fargate", onDemand, cpu.Value, memory.Value, storage, architecture, $"{range} of {size}{part}");
        Spot(service, sheet, spot, cpu.Value, memory.Value, storage, architecture, $"{range} of {size}{part}");
    }

    /// <summary>Tasks of a service: what autoscaling allows, and what is desired in between.</summary>
    public static Quantity Tasks(CostedResource service)
    {
        if (service.IsStandby)
        {
            return 0m;
        }

        var desired = service.Number("DesiredCount") ?? 1;
        var target = service.UsedBy("AWS::ApplicationAutoScaling::ScalableTarget").FirstOrDefault();
        if (target?.Number("MinCapacity") is not { } minimum || target.Number("MaxCapacity") is not { } maximum)
        {
            return desired;
        }

        // A schedule moves the bounds at its times, both ways.
        var scheduled = target.Items("ScheduledActions").ToList();
        decimal Bound(string name, decimal own, Func<IEnumerable<decimal>, decimal> choose) =>
            choose(scheduled.Select(a => (a as MapValue)?["ScalableTargetAction"] is MapValue action && action[name] is { } value && value.TryGetNumber(out var number) ? number : own).Append(own));
        var (least, most) = (Bound("MinCapacity", minimum, Enumerable.Min), Bound("MaxCapacity", maximum, Enumerable.Max));
        return new Quantity(least, Math.Clamp(desired, least, Math.Max(least, most)), Math.Max(least, most));
    }

    /// <summary>Whether a service's tasks run on instances, which are charged instead of them.</summary>
    public static bool RunsOnInstances(CostedResource service) => OnDemand(service) is null;

    public static (decimal Cpu, decimal MemoryGb)? TaskSize(CostedResource service) =>
        service.Uses("AWS::ECS::TaskDefinition").FirstOrDefault() is { } definition
        && Size(definition.Text("Cpu"), "vCPU", 1024) is { } cpu && Size(definition.Text("Memory"), "GB", 1024) is { } memory ? (cpu, memory) : null;

    /// <summary>Tasks that run so many hours a month together, such as those of Batch jobs.</summary>
    public static void FargateHours(CostedResource resource, CostSheet sheet, bool spot, decimal hours, decimal cpu, decimal memory, string assumption)
    {
        var tasks = hours / Month.Hours;
        if (spot)
        {
            Spot(resource, sheet, tasks, cpu, memory, 0, "x86", assumption);
        }
        else
        {
            Fargate(resource, sheet, "Fargate", tasks, cpu, memory, 0, "x86", assumption);
        }
    }

    private static void Fargate(
        CostedResource service, CostSheet sheet, string name, Quantity tasks, decimal cpu, decimal memory, decimal storage, string architecture, string assumption)
    {
        sheet.Add(service, name + " vCPU", "fargate", $"linux_{architecture}_vcpu_hour", tasks * cpu * Month.Hours, assumption);
        sheet.Add(service, name + " memory", "fargate", $"linux_{architecture}_gb_hour", tasks * memory * Month.Hours, assumption);
        sheet.Add(service, name + " storage", "fargate", "ephemeral_storage_gb_hour", tasks * storage * Month.Hours, $"{assumption}; storage beyond the free {IncludedStorageGb} GB");
    }

    private static void Spot(
        CostedResource service, CostSheet sheet, Quantity tasks, decimal cpu, decimal memory, decimal storage, string architecture, string assumption)
    {
        if (tasks.IsZero)
        {
            return;
        }

        var vcpu = $"linux_{architecture}_vcpu_hour";
        var gb = $"linux_{architecture}_gb_hour";
        if (sheet.Options.SpotDiscountPercent is { } discount)
        {
            sheet.AddSpot(service, "Fargate Spot vCPU", "fargate", vcpu, discount, tasks * cpu * Month.Hours, assumption);
            sheet.AddSpot(service, "Fargate Spot memory", "fargate", gb, discount, tasks * memory * Month.Hours, assumption);
            sheet.Add(service, "Fargate Spot storage", "fargate", "ephemeral_storage_gb_hour", tasks * storage * Month.Hours, assumption);
            return;
        }

        decimal? most = sheet.Catalog.TryFind(service.Region, "fargate", vcpu, out var cpuPrice) && sheet.Catalog.TryFind(service.Region, "fargate", gb, out var gbPrice)
            ? tasks.Expected * Month.Hours * ((cpu * cpuPrice.Tiers[0].Usd) + (memory * gbPrice.Tiers[0].Usd))
            : null;
        sheet.AddUnpriced(
            service, "Fargate Spot tasks", tasks.Expected * Month.Hours, "task_hour",
            "Spot prices move and are in no price list; on demand would be the most. A discount can be given.", most);
    }

    // How many of n tasks run on demand on Fargate; null when they run on instances.
    private static Func<decimal, decimal>? OnDemand(CostedResource service)
    {
        var strategy = service.Items("CapacityProviderStrategy");
        if (strategy.Count == 0)
        {
            return service.Text("LaunchType") == "FARGATE" ? n => n : null;
        }

        var providers = strategy.Select(s => (Spot: Name(s) == "FARGATE_SPOT", Fargate: Name(s) is "FARGATE" or "FARGATE_SPOT", Base: Number(s, "Base"), Weight: Number(s, "Weight"))).ToList();
        if (providers.Any(p => !p.Fargate))
        {
            return null;
        }

        var weights = providers.Sum(p => p.Weight);
        return n =>
        {
            var left = n;
            var onDemand = 0m;
            foreach (var provider in providers)
            {
                var first = Math.Min(left, provider.Base);
                left -= first;
                onDemand += provider.Spot ? 0 : first;
            }

            return onDemand + (weights == 0 ? left : left * providers.Where(p => !p.Spot).Sum(p => p.Weight) / weights);
        };

        static string? Name(Value item) => item["CapacityProvider"]?.AsString();
        static decimal Number(Value item, string key) => item[key] is { } value && value.TryGetNumber(out var number) ? number : 0;
    }

    // "1024" in the small unit, or "1 vCPU", "2 GB" in the large one.
    private static decimal? Size(string? text, string unit, decimal perUnit)
    {
        if (text is null)
        {
            return null;
        }

        var inUnits = text.EndsWith(unit, StringComparison.OrdinalIgnoreCase);
        var number = inUnits ? text[..^unit.Length].TrimEnd() : text;
        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) ? inUnits ? value : value / perUnit : null;
    }

    private static string Range(Quantity tasks) =>
        tasks.Low == tasks.High
            ? string.Create(CultureInfo.InvariantCulture, $"{tasks.Expected:0.##} tasks all month")
            : string.Create(CultureInfo.InvariantCulture, $"{tasks.Expected:0.##} tasks all month, {tasks.Low:0.##} to {tasks.High:0.##} by autoscaling");
}
