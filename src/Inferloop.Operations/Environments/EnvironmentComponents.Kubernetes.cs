using System.Globalization;
using Amazon.AutoScaling;
using Amazon.AutoScaling.Model;
using Amazon.EKS;
using Amazon.EKS.Model;
using Inferloop.Templates.Versions;

namespace Inferloop.Operations.Environments;

/// <content>The Kubernetes cluster, its nodes and its add-ons.</content>
internal sealed partial class EnvironmentComponents
{
    private async Task<Dictionary<string, PartState>> KubernetesClustersAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (await KubernetesClusterAsync(id, cancellation).ConfigureAwait(false) is { } cluster)
            {
                states[id] = Kubernetes(cluster, DateOnly.FromDateTime(DateTime.UtcNow));
            }
        }

        return states;
    }

    private async Task<Cluster?> KubernetesClusterAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return (await aws.Client<IAmazonEKS>().DescribeClusterAsync(new DescribeClusterRequest { Name = name }, cancellation).ConfigureAwait(false)).Cluster;
        }
        catch (ResourceNotFoundException)
        {
            return null;
        }
    }

    internal static PartState Kubernetes(Cluster cluster, DateOnly today)
    {
        var status = cluster.Status?.Value ?? "unknown";
        var issue = (cluster.Health?.Issues ?? []).FirstOrDefault();
        var health = status switch
        {
            // Its control plane answers throughout an update.
            "ACTIVE" => issue is null ? EnvironmentHealth.Healthy : EnvironmentHealth.Degraded,
            "CREATING" or "UPDATING" or "PENDING" => EnvironmentHealth.Changing,
            _ => EnvironmentHealth.Unhealthy,
        };
        var support = SupportWindows.Eks(cluster.Version ?? "") is not { } window ? ""
            : window.IsOver(today) ? ", out of support"
            : window.IsExtended(today) ? string.Create(CultureInfo.InvariantCulture, $", extended support until {window.ExtendedEnd:yyyy-MM-dd}")
            : string.Create(CultureInfo.InvariantCulture, $", standard support until {window.StandardEnd:yyyy-MM-dd}");
        var access = cluster.ResourcesVpcConfig?.EndpointPublicAccess == true ? string.Join(",", cluster.ResourcesVpcConfig.PublicAccessCidrs ?? []) : "the VPC";
        return new PartState(status, health, $"Kubernetes {cluster.Version}{support}; API from {access}{Why(issue?.Code?.Value, issue?.Message)}");
    }

    private async Task<Dictionary<string, PartState>> NodeGroupsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (id.Split('/') is not [var cluster, var name])
            {
                continue;
            }

            try
            {
                var group = (await aws.Client<IAmazonEKS>().DescribeNodegroupAsync(new DescribeNodegroupRequest { ClusterName = cluster, NodegroupName = name }, cancellation).ConfigureAwait(false)).Nodegroup;
                var version = (await KubernetesClusterAsync(cluster, cancellation).ConfigureAwait(false))?.Version;
                states[id] = NodeGroup(group, version, await NodesAsync(group, cancellation).ConfigureAwait(false));
            }
            catch (ResourceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    /// <summary>The instances of a node group that serve, by its Auto Scaling groups.</summary>
    private async Task<int> NodesAsync(Nodegroup group, CancellationToken cancellation)
    {
        var names = (group.Resources?.AutoScalingGroups ?? []).Select(g => g.Name).ToList();
        if (names.Count == 0)
        {
            return 0;
        }

        var answer = await aws.Client<IAmazonAutoScaling>().DescribeAutoScalingGroupsAsync(new DescribeAutoScalingGroupsRequest { AutoScalingGroupNames = names }, cancellation).ConfigureAwait(false);
        return (answer.AutoScalingGroups ?? []).SelectMany(g => g.Instances ?? []).Count(i => i.LifecycleState == "InService" && i.HealthStatus == "Healthy");
    }

    internal static PartState NodeGroup(Nodegroup group, string? clusterVersion, int running)
    {
        var status = group.Status?.Value ?? "unknown";
        var issue = (group.Health?.Issues ?? []).FirstOrDefault();
        var desired = group.ScalingConfig?.DesiredSize ?? 0;
        var health = status switch
        {
            "ACTIVE" => running == 0 && desired > 0 ? EnvironmentHealth.Unhealthy : issue is null && running >= desired ? EnvironmentHealth.Healthy : EnvironmentHealth.Degraded,
            "CREATING" or "UPDATING" => EnvironmentHealth.Changing,
            "DEGRADED" => EnvironmentHealth.Degraded,
            _ => EnvironmentHealth.Unhealthy,
        };
        var version = clusterVersion is null || clusterVersion == group.Version ? $"Kubernetes {group.Version}" : $"Kubernetes {group.Version}, the cluster has {clusterVersion}";
        return new PartState(
            status, health,
            $"{running} of {desired} nodes ({group.ScalingConfig?.MinSize ?? 0} to {group.ScalingConfig?.MaxSize ?? 0}) of {string.Join(",", group.InstanceTypes ?? [])}, {(group.CapacityType == "SPOT" ? "Spot" : "on demand")}; {version}{Why(issue?.Code?.Value, issue?.Message)}");
    }

    private async Task<Dictionary<string, PartState>> AddonsAsync(List<string> ids, CancellationToken cancellation)
    {
        var states = new Dictionary<string, PartState>(StringComparer.Ordinal);
        foreach (var id in ids)
        {
            if (id.Split('|') is not [var cluster, var name])
            {
                continue;
            }

            try
            {
                states[id] = Addon((await aws.Client<IAmazonEKS>().DescribeAddonAsync(new DescribeAddonRequest { ClusterName = cluster, AddonName = name }, cancellation).ConfigureAwait(false)).Addon);
            }
            catch (ResourceNotFoundException)
            {
                // Reported as missing.
            }
        }

        return states;
    }

    internal static PartState Addon(Addon addon)
    {
        var status = addon.Status?.Value ?? "unknown";
        var issue = (addon.Health?.Issues ?? []).FirstOrDefault();
        var health = status switch
        {
            "ACTIVE" => issue is null ? EnvironmentHealth.Healthy : EnvironmentHealth.Degraded,
            "CREATING" or "UPDATING" => EnvironmentHealth.Changing,

            // The version before goes on running.
            "DEGRADED" or "UPDATE_FAILED" => EnvironmentHealth.Degraded,
            _ => EnvironmentHealth.Unhealthy,
        };
        return new PartState(status, health, $"{addon.AddonName} {addon.AddonVersion}{Why(issue?.Code?.Value, issue?.Message)}");
    }

    private static string Why(string? code, string? message) => code is null ? "" : $"; {code}{(message is { Length: > 0 } ? ": " + message : "")}";
}
