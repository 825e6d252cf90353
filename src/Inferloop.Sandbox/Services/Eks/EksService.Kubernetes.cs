using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Kubernetes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>The Kubernetes behind each cluster, from the moment it is active to its deletion.</summary>
internal sealed partial class EksService
{
    private readonly ConcurrentDictionary<(string Account, string Region, string Name), KubernetesCluster> kubernetes = new();

    /// <summary>The Auto Scaling groups of a cluster's node groups.</summary>
    private IEnumerable<JsonObject> ScalingGroups(RequestContext context, string cluster) =>
        Nodegroups(context).Where(group => group.Text("clusterName") == cluster && group.Text("status") is "ACTIVE" or "UPDATING" or "DEGRADED")
            .Select(group => Runtime.Service<AutoScaling.AutoScalingService>().FindGroup(context, GroupOf(group))).OfType<JsonObject>();

    /// <summary>The Kubernetes of a cluster; null while it has none.</summary>
    public KubernetesCluster? KubernetesOf(RequestContext context, string name) => kubernetes.GetValueOrDefault((context.AccountId, context.Region, name));

    /// <summary>Puts a Kubernetes where requests to a cluster find it.</summary>
    internal void Adopt(RequestContext context, string name, KubernetesCluster started) => kubernetes[(context.AccountId, context.Region, name)] = started;

    private KubernetesCluster StartKubernetes(RequestContext context, string name)
    {
        var own = context.Detached();
        var started = new KubernetesCluster(Runtime, own, name, () => Clusters(own).Get(name)?.Text("version") ?? EksVersions.Default, () => ScalingGroups(own, name), principal => EntryOf(own, name, principal));
        Adopt(own, name, started);
        Runtime.Stopping.Register(() => Runtime.Run(_ => StopKubernetes(own, name)));
        return started;
    }

    private async Task StopKubernetes(RequestContext context, string name)
    {
        if (kubernetes.TryRemove((context.AccountId, context.Region, name), out var stopped))
        {
            await stopped.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>The access entry of a principal; a session's is that of its role.</summary>
    private (string User, IReadOnlyList<JsonObject> Policies)? EntryOf(RequestContext context, string cluster, string principal)
    {
        var parts = principal.Split(':', 6);
        var role = parts.Length == 6 && parts[5].StartsWith("assumed-role/", StringComparison.Ordinal) ? parts[5].Split('/')[1] : null;
        var entry = Entries(context).Find(item => item.Text("clusterName") == cluster && (item.Text("principalArn") == principal
            || (role is not null && item.Required("principalArn").Split(':') is [_, _, "iam", _, var account, var resource] && account == parts[4]
                && resource.StartsWith("role/", StringComparison.Ordinal) && resource.Split('/')[^1] == role)));
        return entry is null ? null : (entry.Required("username").Replace("{{SessionName}}", principal.Split('/')[^1], StringComparison.Ordinal), entry.Objects("_Policies").ToList());
    }
}
