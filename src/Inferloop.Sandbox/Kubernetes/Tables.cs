using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Objects as the rows that kubectl prints: columns come from the server, and so do ages, which are of the sandbox's time.</summary>
internal static class Tables
{
    public static bool IsWanted(string? accept) => accept?.Contains("as=Table", StringComparison.Ordinal) == true;

    public static JsonObject Of(KubernetesKind kind, IEnumerable<JsonObject> documents, JsonObject listMetadata, DateTimeOffset now)
    {
        var columns = Columns(kind);
        return new JsonObject
        {
            ["kind"] = "Table", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = listMetadata.Copy(),
            ["columnDefinitions"] = columns.Select(column => new JsonObject { ["name"] = column.Name, ["type"] = "string", ["format"] = column.Name == "Name" ? "name" : "", ["description"] = "", ["priority"] = column.IsWide ? 1 : 0 }).ToJsonList(),
            ["rows"] = documents.Select(document => new JsonObject
            {
                ["cells"] = columns.Select(column => column.Name == "Age" ? Age(document, now) : column.Value(document)).ToTextList(),
                ["object"] = new JsonObject { ["kind"] = "PartialObjectMetadata", ["apiVersion"] = "meta.k8s.io/v1", ["metadata"] = document["metadata"].Copy() },
            }).ToJsonList(),
        };
    }

    private static IReadOnlyList<Column> Columns(KubernetesKind kind)
    {
        var name = new Column("Name", document => document.Child("metadata")!.Text("name") ?? "");
        var age = new Column("Age", _ => "");
        return kind.Kind switch
        {
            "Pod" => [name, new("Ready", Ready), new("Status", Status), new("Restarts", Restarts), age, new("IP", document => At(document, "status", "podIP"), true), new("Node", document => At(document, "spec", "nodeName"), true)],
            "Deployment" => [name, new("Ready", document => $"{Number(document, "status", "readyReplicas")}/{Number(document, "spec", "replicas")}"), new("Up-to-date", document => Number(document, "status", "updatedReplicas")),
                new("Available", document => Number(document, "status", "availableReplicas")), age, new("Images", Images, true)],
            "ReplicaSet" => [name, new("Desired", document => Number(document, "spec", "replicas")), new("Current", document => Number(document, "status", "replicas")), new("Ready", document => Number(document, "status", "readyReplicas")), age, new("Images", Images, true)],
            "Service" => [name, new("Type", document => At(document, "spec", "type")), new("Cluster-IP", document => At(document, "spec", "clusterIP")), new("External-IP", _ => "<none>"),
                new("Port(s)", document => string.Join(',', document.Child("spec")!.Objects("ports").Select(port => $"{port["port"]}/{port.Text("protocol")}"))), age,
                new("Selector", document => string.Join(',', (document.Child("spec")!.Child("selector") ?? []).Select(pair => $"{pair.Key}={pair.Value}")), true)],
            "Node" => [name, new("Status", document => Conditions.IsTrue(document.Child("status"), "Ready") ? "Ready" : "NotReady"), new("Roles", _ => "<none>"), age],
            "Namespace" => [name, new("Status", document => At(document, "status", "phase")), age],
            "EndpointSlice" => [name, new("AddressType", document => document.Text("addressType") ?? ""), new("Ports", document => string.Join(',', document.Objects("ports").Select(port => port["port"]?.ToString()))),
                new("Endpoints", document => string.Join(',', document.Objects("endpoints").SelectMany(endpoint => endpoint.Texts("addresses")))), age],
            "Event" => [new("Last Seen", document => document.Text("lastTimestamp") ?? ""), new("Type", document => document.Text("type") ?? ""), new("Reason", document => document.Text("reason") ?? ""),
                new("Object", document => $"{document.Child("involvedObject")!.Text("kind")?.ToLowerInvariant()}/{document.Child("involvedObject")!.Text("name")}"), new("Message", document => document.Text("message") ?? "")],
            "HorizontalPodAutoscaler" => [name, new("Reference", document => $"{document.Child("spec")?.Child("scaleTargetRef")?.Text("kind")}/{document.Child("spec")?.Child("scaleTargetRef")?.Text("name")}"),
                new("MinPods", document => Number(document, "spec", "minReplicas")), new("MaxPods", document => Number(document, "spec", "maxReplicas")), new("Replicas", document => Number(document, "status", "currentReplicas")), age],
            _ => [name, age],
        };
    }

    /// <summary>How long a thing has been there, as kubectl writes it: 45s, 3m, 5h, 2d.</summary>
    private static string Age(JsonObject document, DateTimeOffset now)
    {
        var age = now - (document.Child("metadata")!.TimeOf("creationTimestamp") ?? now);
        return age.TotalSeconds < 120 ? $"{Math.Max(0, age.TotalSeconds):0}s" : age.TotalMinutes < 180 ? $"{age.TotalMinutes:0}m" : age.TotalHours < 48 ? $"{age.TotalHours:0}h" : $"{age.TotalDays:0}d";
    }

    private static string At(JsonObject document, string part, string member) => document.Child(part)?.Text(member) ?? "<none>";

    private static string Number(JsonObject document, string part, string member) => document.Child(part)?[member]?.ToString() ?? "0";

    private static string Ready(JsonObject pod) =>
        $"{pod.Child("status")?.Objects("containerStatuses").Count(status => status.Is("ready")) ?? 0}/{pod.Child("spec")!.Objects("containers").Count()}";

    private static string Status(JsonObject pod) => pod.Child("metadata")!.Has("deletionTimestamp") ? "Terminating"
        : pod.Child("status")?.Objects("containerStatuses").Select(status => status.Child("state")?.Child("waiting")?.Text("reason")).FirstOrDefault(reason => reason is not null)
            ?? At(pod, "status", "phase");

    private static string Restarts(JsonObject pod) => $"{pod.Child("status")?.Objects("containerStatuses").Sum(status => status.Long("restartCount") ?? 0) ?? 0}";

    private static string Images(JsonObject document) => string.Join(',', document.Child("spec")?.Child("template")?.Child("spec")?.Objects("containers").Select(container => container.Text("image")) ?? []);

    private sealed record Column(string Name, Func<JsonObject, string> Value, bool IsWide = false);
}
