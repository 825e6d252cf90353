using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>The conditions of a status.</summary>
internal static class Conditions
{
    /// <summary>Sets a condition; its time of transition moves when its state does.</summary>
    public static void Set(JsonObject status, string type, string state, string? reason, string? message, string now)
    {
        var list = status.ListOrNew("conditions");
        var found = list.OfType<JsonObject>().FirstOrDefault(item => item.Text("type") == type);
        if (found is null)
        {
            found = new JsonObject { ["type"] = type };
            list.Add((JsonNode)found);
        }
        if (found.Text("status") != state)
        {
            found["lastTransitionTime"] = now;
        }
        found["status"] = state;
        Put(found, "reason", reason);
        Put(found, "message", message);
    }

    public static bool IsTrue(JsonObject? status, string type) => status?.Objects("conditions").Any(item => item.Text("type") == type && item.Text("status") == "True") == true;

    private static void Put(JsonObject condition, string name, string? value)
    {
        if (value is null)
        {
            condition.Remove(name);
        }
        else
        {
            condition[name] = value;
        }
    }
}

/// <summary>The events of a cluster.</summary>
internal static class ClusterEvents
{
    /// <summary>Records an event; one that was told before is counted.</summary>
    public static void Tell(ClusterObjects objects, KubernetesKind kind, JsonObject about, string type, string reason, string message, string source)
    {
        var metadata = about.Child("metadata")!;
        var space = metadata.Text("namespace") ?? "default";
        var uid = metadata.Required("uid");
        if (objects.List(KubernetesKind.Events, space).FirstOrDefault(item => item.Child("involvedObject")?.Text("uid") == uid && item.Text("reason") == reason && item.Text("message") == message) is { } known)
        {
            objects.Change(KubernetesKind.Events, known, document =>
            {
                document["count"] = (document.Long("count") ?? 1) + 1;
                document["lastTimestamp"] = objects.Now;
            });
            return;
        }
        objects.Add(KubernetesKind.Events, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = $"{metadata.Text("name")}.{objects.Version:x16}", ["namespace"] = space },
            ["involvedObject"] = new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["name"] = metadata.Text("name"), ["namespace"] = space, ["uid"] = uid },
            ["type"] = type,
            ["reason"] = reason,
            ["message"] = message,
            ["source"] = new JsonObject { ["component"] = source },
            ["reportingComponent"] = source,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = objects.Now,
            ["lastTimestamp"] = objects.Now,
            ["count"] = 1,
        });
    }
}
