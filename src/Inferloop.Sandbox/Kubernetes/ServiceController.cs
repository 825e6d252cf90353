using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Gives Services their address and tells which pods stand behind them. Called under the gate.</summary>
internal sealed class ServiceController(ClusterObjects objects)
{
    private const string OfService = "kubernetes.io/service-name";

    private int address = 10;

    public void Connect()
    {
        foreach (var service in objects.List(KubernetesKind.Services).ToList())
        {
            Connect(service);
        }
        foreach (var slice in objects.List(KubernetesKind.EndpointSlices)
            .Where(slice => slice.Child("metadata")!.Child("labels")?.Text(OfService) is { } name && objects.Find(KubernetesKind.Services, slice.Child("metadata")!.Required("namespace"), name) is null).ToList())
        {
            objects.Remove(KubernetesKind.EndpointSlices, slice);
        }
    }

    private void Connect(JsonObject service)
    {
        var (name, space) = (service.Child("metadata")!.Required("name"), service.Child("metadata")!.Required("namespace"));
        if (!service.Child("spec")!.Has("clusterIP") && service.Child("spec")!.Text("type") != "ExternalName")
        {
            address++;
            service = objects.Change(KubernetesKind.Services, service, document =>
            {
                document.Child("spec")!["clusterIP"] = $"172.20.{address / 250}.{(address % 250) + 1}";
                document.Child("spec")!["clusterIPs"] = new JsonArray(document.Child("spec")!.Text("clusterIP"));
            });
        }
        if (service.Child("spec")!.Child("selector") is not { Count: > 0 } selector)
        {
            return;
        }
        var endpoints = objects.List(KubernetesKind.Pods, space)
            .Where(pod => selector.All(pair => pod.Child("metadata")!.Child("labels")?.Text(pair.Key) == pair.Value?.ToString()) && pod.Child("status")?.Text("podIP") is not null)
            .Select(pod => new JsonObject
            {
                ["addresses"] = new JsonArray(pod.Child("status")!.Text("podIP")),
                ["conditions"] = new JsonObject
                {
                    ["ready"] = Conditions.IsTrue(pod.Child("status"), "Ready"), ["serving"] = Conditions.IsTrue(pod.Child("status"), "Ready"), ["terminating"] = pod.Child("metadata")!.Has("deletionTimestamp"),
                },
                ["nodeName"] = pod.Child("spec")!.Text("nodeName"),
                ["targetRef"] = new JsonObject { ["kind"] = "Pod", ["name"] = pod.Child("metadata")!.Text("name"), ["namespace"] = space, ["uid"] = pod.Child("metadata")!.Text("uid") },
            }).ToJsonList();
        var slice = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name + "-slice", ["namespace"] = space, ["labels"] = new JsonObject { [OfService] = name } },
            ["addressType"] = "IPv4",
            ["endpoints"] = endpoints,
            ["ports"] = service.Child("spec")!.Objects("ports").Select(port => port.Pick("name", "protocol").With("port", port["targetPort"].Copy())).ToJsonList(),
        };
        if (objects.Find(KubernetesKind.EndpointSlices, space, name + "-slice") is { } before)
        {
            objects.Change(KubernetesKind.EndpointSlices, before, document =>
            {
                document["endpoints"] = slice["endpoints"].Copy();
                document["ports"] = slice["ports"].Copy();
            });
        }
        else
        {
            objects.Add(KubernetesKind.EndpointSlices, slice);
        }
    }
}
