using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>EKS clusters, their nodes and add-ons, and Batch.</summary>
internal static class KubernetesPricers
{
    private const decimal NodeDiskGb = 20;
    private const decimal EcsImageDiskGb = 30;
    private const string JobDefinitionType = "AWS::Batch::JobDefinition";

    public static void Cluster(CostedResource cluster, CostSheet sheet)
    {
        sheet.Add(cluster, "EKS control plane", "eks", "cluster_standard_hour", Month.Hours, "running all month");
        ExtendedSupport.Eks(cluster, sheet);
        if (cluster.Flag("ComputeConfig", "Enabled"))
        {
            sheet.AddUnpriced(cluster, "EKS Auto Mode", null, "hour", "It adds a fee to each instance it starts; which it starts is decided by the pods.");
        }
    }

    public static void NodeGroup(CostedResource group, CostSheet sheet)
    {
        var template = group.Uses("AWS::EC2::LaunchTemplate").Concat(group.Sources(group.Get("LaunchTemplate", "Id"))).FirstOrDefault();
        var data = template?.Get("LaunchTemplateData");
        var type = (group.Items("InstanceTypes") is [var first, ..] ? first.AsString() : null) ?? data?["InstanceType"]?.AsString() ?? (template is null ? "t3.medium" : null);
        var minimum = group.Number("ScalingConfig", "MinSize") ?? 1;
        var maximum = Math.Max(minimum, group.Number("ScalingConfig", "MaxSize") ?? Math.Max(2, minimum));
        var nodes = new Quantity(minimum, Math.Clamp(group.Number("ScalingConfig", "DesiredSize") ?? minimum, minimum, maximum), maximum);
        var assumption = string.Create(CultureInfo.InvariantCulture, $"{nodes.Expected:0.##} nodes all month, {nodes.Low:0.##} to {nodes.High:0.##} by autoscaling");
        ComputePricers.Instances(group, sheet, type, nodes, assumption, group.Text("CapacityType") == "SPOT");
        if (group.IsStandby)
        {
            return;
        }

        if (data?["BlockDeviceMappings"]?.Items is { Count: > 0 } disks)
        {
            ComputePricers.Volumes(group, sheet, disks, nodes, assumption);
            return;
        }

        var gb = group.Number("DiskSize") ?? NodeDiskGb;
        sheet.Add(group, "gp3 volumes", "ebs", "gp3_gb_month", nodes * gb, string.Create(CultureInfo.InvariantCulture, $"{gb:0.##} GB each; {assumption}"));
    }

    public static void Addon(CostedResource addon, CostSheet sheet)
    {
        if (addon.Text("AddonName") != "amazon-cloudwatch-observability")
        {
            sheet.AddFree(addon);
            return;
        }

        var addons = sheet.Scope.Once("observability add-ons", s => s.OfType("AWS::EKS::Addon").Count(a => a.Text("AddonName") == "amazon-cloudwatch-observability"));
        sheet.Add(
            addon, "Container Insights observations", "cloudwatch", "container_insights_eks_observation", CostSheet.Share(sheet.Usage.ContainerObservations, addons),
            NetworkPricers.Sharing(addons, "cluster"));
    }

    /// <summary>What the jobs of a compute environment need, at least what it keeps running.</summary>
    public static void ComputeEnvironment(CostedResource environment, CostSheet sheet)
    {
        var resources = environment.Get("ComputeResources");
        var kind = resources?["Type"]?.AsString();
        if (resources is null || kind is null)
        {
            sheet.AddUnpriced(environment, "Instances", null, "hour", "An unmanaged compute environment; its instances are not in its properties.");
            return;
        }

        var environments = sheet.Scope.OfType(environment.Type).Count;
        var (cpu, memory) = JobSize(sheet.Scope);
        var seconds = Math.Max(60, sheet.Usage.BatchJobSeconds);
        var jobs = CostSheet.Share(sheet.Usage.BatchJobs, environments);
        var hours = jobs * seconds / 3600;
        var assumption = string.Create(
            CultureInfo.InvariantCulture,
            $"{jobs:#,0.##} jobs of {seconds:0.##} seconds with {cpu:0.##} vCPU and {memory:0.##} GB; {NetworkPricers.Sharing(environments, "compute environment")}");
        if (kind is "FARGATE" or "FARGATE_SPOT")
        {
            EcsPricers.FargateHours(environment, sheet, kind == "FARGATE_SPOT", hours, cpu, memory, assumption);
            return;
        }

        var kept = (resources["MinvCpus"] is { } m && m.TryGetNumber(out var minimum) ? minimum : 0) * Month.Hours;
        var cpuHours = Math.Max(kept, hours * cpu);
        if (kept > hours * cpu)
        {
            assumption = string.Create(CultureInfo.InvariantCulture, $"{kept / Month.Hours:0.##} vCPU kept running all month, more than the jobs need");
        }

        var types = resources["InstanceTypes"]?.Items.Select(t => t.AsString()).OfType<string>().ToList() ?? [];

        // Within a family a vCPU costs the same in every size, so its smallest regular size stands for all.
        var type = types.Select(t => t.Contains('.', StringComparison.Ordinal) ? t : t + ".large").FirstOrDefault(t => InstanceSizes.Find(t) is not null);
        if (type is null || InstanceSizes.Find(type) is not { } size)
        {
            sheet.AddUnpriced(environment, "Instances", cpuHours, "vcpu_hour", "Which types will run is decided by Batch; name a type or a family in InstanceTypes.");
            return;
        }

        var instances = cpuHours / size.Cpu / Month.Hours;
        ComputePricers.Instances(environment, sheet, type, instances, assumption, kind == "SPOT");
        sheet.Add(
            environment, "gp3 volumes", "ebs", "gp3_gb_month", instances * EcsImageDiskGb,
            string.Create(CultureInfo.InvariantCulture, $"the image's {EcsImageDiskGb:0.##} GB each, while they run"));
    }

    // The mean of the job definitions; one vCPU and 2 GB where none says.
    private static (decimal Cpu, decimal Memory) JobSize(CostScope scope)
    {
        var sizes = scope.OfType(JobDefinitionType).Select(d => (Cpu: Requirement(d, "VCPU"), Memory: Requirement(d, "MEMORY") / 1024)).Where(s => s is { Cpu: > 0, Memory: > 0 }).ToList();
        return sizes.Count == 0 ? (1, 2) : (sizes.Average(s => s.Cpu!.Value), sizes.Average(s => s.Memory!.Value));
    }

    private static decimal? Requirement(CostedResource definition, string type)
    {
        var value = definition.Items("ContainerProperties", "ResourceRequirements").FirstOrDefault(r => r["Type"]?.AsString() == type)?["Value"]
            ?? definition.Get("ContainerProperties", type == "VCPU" ? "Vcpus" : "Memory");
        return value is not null && value.TryGetNumber(out var number) ? number : null;
    }
}
