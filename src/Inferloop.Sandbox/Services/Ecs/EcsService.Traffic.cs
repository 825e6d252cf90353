using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

/// <summary>A running task as traffic meets it.</summary>
internal sealed record TrafficTask(string Address, double VCpus, double MemoryMiB, string Revision, IReadOnlyList<string> Images, bool IsFargate, string? Environment);

/// <summary>A service with its running tasks.</summary>
internal sealed record TrafficService(string Cluster, string Name, bool HasInsights, IReadOnlyList<TrafficTask> Tasks);

/// <content>What synthetic traffic asks of services.</content>
internal sealed partial class EcsService
{
    public IReadOnlyList<TrafficService> TrafficServices(RequestContext context)
    {
        var clusters = Clusters(context).All().ToDictionary(cluster => cluster.Required("clusterArn"), StringComparer.Ordinal);
        var running = Tasks(context).Where(task => task.Text("lastStatus") == "RUNNING" && task.Has("_Service")).ToLookup(task => task.Required("_Service"), StringComparer.Ordinal);
        return [.. ServicesOf(context).Where(service => service.Text("status") == "ACTIVE" && clusters.ContainsKey(service.Required("clusterArn"))).Select(service =>
        {
            var cluster = clusters[service.Required("clusterArn")];
            return new TrafficService(cluster.Required("clusterName"), service.Required("serviceName"),
                cluster.Objects("settings").Any(setting => setting.Text("name") == "containerInsights" && setting.Text("value") != "disabled"),
                [.. running[ServiceKey(service)].Select(AsTraffic)]);
        })];
    }

    private static TrafficTask AsTraffic(JsonObject task)
    {
        static double Number(string? text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;
        return new TrafficTask(task.Text("_Ip") ?? "", Math.Max(0.125, Number(task.Text("cpu")) / 1024), Math.Max(128, Number(task.Text("memory"))), NameOf(task.Required("taskDefinitionArn")),
            [.. task.Objects("containers").Select(container => container.Required("image"))], task.Text("launchType") == "FARGATE" && task.Text("capacityProviderName") is null or "FARGATE",
            Traffic.TrafficEngine.EnvironmentOf(task.Objects("tags").Select(tag => new JsonObject { ["Key"] = tag.Text("key"), ["Value"] = tag.Text("value") })));
    }
}
