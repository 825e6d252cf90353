using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.Ecs;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Runs pods on their nodes: images are pulled, containers start, answer their probes, crash and are started again.</summary>
/// <remarks>Nothing is executed: what an image does is read from its tag, as ECS's tasks do (<see cref="ContainerImages"/>). Called under the gate.</remarks>
internal sealed class Kubelet(SandboxRuntime runtime, RequestContext context, ClusterObjects objects)
{
    private static readonly TimeSpan Pull = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Boot = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan CrashAfter = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromMinutes(5);

    private int address;

    /// <summary>Starts a pod that has just been given a node.</summary>
    public void Start(JsonObject pod)
    {
        var uid = Uid(pod);
        Set(pod, status =>
        {
            status["startTime"] = objects.Now;
            Condition(status, "PodScheduled", true);
            Condition(status, "Initialized", true);
            Waiting(status, pod, "ContainerCreating", null);
        });
        Later(Pull, uid, Create);
    }

    /// <summary>Ends a pod: at once out of its Services, gone when its containers have stopped.</summary>
    public void Stop(JsonObject pod, long? grace = null)
    {
        if (pod.Child("metadata")!.Has("deletionTimestamp"))
        {
            return;
        }
        var spec = pod.Child("spec")!;
        var seconds = grace ?? spec.Long("terminationGracePeriodSeconds") ?? 30;
        var node = spec.Text("nodeName");
        if (node is null || seconds == 0)
        {
            objects.Remove(KubernetesKind.Pods, pod);
            return;
        }
        var uid = Uid(pod);
        objects.Change(KubernetesKind.Pods, pod, document =>
        {
            document.Child("metadata")!["deletionTimestamp"] = objects.Now;
            document.Child("metadata")!["deletionGracePeriodSeconds"] = seconds;
            Condition(document.ChildOrNew("status"), "Ready", false, "PodCompleted");
            Condition(document.Child("status")!, "ContainersReady", false, "PodCompleted");
        });
        // The processes end when they are told to, after what the hook before that waits for.
        var wait = spec.Objects("containers").Select(container => container.Child("lifecycle")?.Child("preStop")?.Child("sleep")?.Double("seconds") ?? 0).DefaultIfEmpty().Max() + 2;
        runtime.After(TimeSpan.FromSeconds(Math.Min(wait, seconds)), () =>
        {
            lock (objects.Gate)
            {
                if (Find(uid) is { } ended)
                {
                    objects.Remove(KubernetesKind.Pods, ended);
                }
            }
        });
    }

    /// <summary>What a container has written.</summary>
    public IReadOnlyList<string> Log(JsonObject pod, JsonObject container)
    {
        var status = pod.Child("status")?.Objects("containerStatuses").FirstOrDefault(item => item.Text("name") == container.Text("name"));
        if (status?.Child("state")?.Child("waiting") is not null && status.Long("restartCount") is null or 0)
        {
            throw KubernetesFault.BadRequest($"container \"{container.Text("name")}\" in pod \"{pod.Child("metadata")!.Text("name")}\" is waiting to start: {status!.Child("state")!.Child("waiting")!.Text("reason")}");
        }
        return ContainerImages.BehaviourOf(context, container.Required("image")) switch
        {
            ImageBehaviour.Exits => ["INFO:     Started server process [1]", "Traceback (most recent call last):", "RuntimeError: the image's tag says that it crashes", "ERROR:    Application startup failed. Exiting."],
            ImageBehaviour.Unhealthy => ["INFO:     Started server process [1]", "INFO:     Application startup complete.", "GET /ready 503 Service Unavailable"],
            _ => ["INFO:     Started server process [1]", "INFO:     Application startup complete.", "INFO:     Uvicorn running on http://0.0.0.0:8000", "GET /ready 200 OK"],
        };
    }

    private static string Uid(JsonObject pod) => pod.Child("metadata")!.Required("uid");

    private JsonObject? Find(string uid) => objects.List(KubernetesKind.Pods).FirstOrDefault(pod => Uid(pod) == uid);

    private void Later(TimeSpan time, string uid, Action<JsonObject> next) => runtime.After(time, () =>
    {
        lock (objects.Gate)
        {
            if (Find(uid) is { } pod && !pod.Child("metadata")!.Has("deletionTimestamp"))
            {
                next(pod);
            }
        }
    });

    private JsonObject Set(JsonObject pod, Action<JsonObject> change) => objects.Change(KubernetesKind.Pods, pod, document => change(document.ChildOrNew("status")));

    private void Create(JsonObject pod)
    {
        var spec = pod.Child("spec")!;
        var space = pod.Child("metadata")!.Required("namespace");
        if (MountProblem(spec, space) is { } mount)
        {
            Event(pod, "Warning", "FailedMount", mount);
            Later(TimeSpan.FromSeconds(15), Uid(pod), Create);
            return;
        }
        foreach (var container in spec.Objects("containers"))
        {
            if (ContainerImages.PullProblem(context, container.Required("image")) is { } problem)
            {
                var again = pod.Child("status")!.Objects("containerStatuses").Any(item => item.Child("state")?.Child("waiting")?.Text("reason") is "ErrImagePull" or "ImagePullBackOff");
                var waiting = Set(pod, status => Waiting(status, pod, again ? "ImagePullBackOff" : "ErrImagePull", again ? $"Back-off pulling image \"{container.Text("image")}\"" : problem));
                Event(waiting, "Warning", "Failed", $"Failed to pull image \"{container.Text("image")}\": {problem}");
                Later(TimeSpan.FromSeconds(30), Uid(pod), Create);
                return;
            }
            if (ConfigurationProblem(container, space) is { } missing)
            {
                var waiting = Set(pod, status => Waiting(status, pod, "CreateContainerConfigError", missing));
                Event(waiting, "Warning", "Failed", "Error: " + missing);
                Later(TimeSpan.FromSeconds(15), Uid(pod), Create);
                return;
            }
        }
        Run(pod);
    }

    private void Run(JsonObject pod)
    {
        var containers = pod.Child("spec")!.Objects("containers").ToList();
        var restarts = Restarts(pod);
        var running = Set(pod, status =>
        {
            status["phase"] = "Running";
            status["hostIP"] ??= "10.0.3.10";
            status["podIP"] ??= $"10.0.{3 + (++address / 250 % 2)}.{(address % 250) + 4}";
            status["podIPs"] = new JsonArray(new JsonObject { ["ip"] = status.Text("podIP") });
            Condition(status, "Ready", false, "ContainersNotReady");
            Condition(status, "ContainersReady", false, "ContainersNotReady");
            status["containerStatuses"] = containers.Select(container => new JsonObject
            {
                ["name"] = container.Text("name"), ["image"] = container.Text("image"), ["imageID"] = container.Text("image"), ["ready"] = false, ["started"] = true, ["restartCount"] = restarts,
                ["state"] = new JsonObject { ["running"] = new JsonObject { ["startedAt"] = objects.Now } },
                ["lastState"] = restarts == 0 ? new JsonObject() : new JsonObject { ["terminated"] = Terminated() },
            }).ToJsonList();
        });
        if (containers.Any(container => ContainerImages.BehaviourOf(context, container.Required("image")) == ImageBehaviour.Exits))
        {
            Later(CrashAfter, Uid(running), Crash);
        }
        else if (containers.Find(container => ContainerImages.BehaviourOf(context, container.Required("image")) == ImageBehaviour.Unhealthy && HasProbe(container)) is { } sick)
        {
            Event(running, "Warning", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503");
            // Probes of startup and life start it again; one of readiness leaves it running and without requests.
            if ((sick.Child("startupProbe") ?? sick.Child("livenessProbe")) is { } probe)
            {
                var patience = (probe.Double("initialDelaySeconds") ?? 0) + ((probe.Double("periodSeconds") ?? 10) * (probe.Double("failureThreshold") ?? 3));
                Later(TimeSpan.FromSeconds(patience), Uid(running), Crash);
            }
        }
        else
        {
            var delay = containers.Select(container => container.Child("readinessProbe")?.Double("initialDelaySeconds") ?? 0).DefaultIfEmpty().Max();
            Later(Boot + TimeSpan.FromSeconds(delay), Uid(running), Ready);
        }
    }

    private void Ready(JsonObject pod) => Set(pod, status =>
    {
        foreach (var container in status.Objects("containerStatuses"))
        {
            container["ready"] = true;
        }
        Condition(status, "ContainersReady", true);
        Condition(status, "Ready", true);
    });

    private void Crash(JsonObject pod)
    {
        var restarts = Restarts(pod) + 1;
        var backOff = TimeSpan.FromSeconds(Math.Min(LongestBackOff.TotalSeconds, FirstBackOff.TotalSeconds * Math.Pow(2, Math.Min(restarts - 1, 10))));
        var down = Set(pod, status =>
        {
            foreach (var container in status.Objects("containerStatuses"))
            {
                container["ready"] = false;
                container["started"] = false;
                container["restartCount"] = restarts;
                container["lastState"] = new JsonObject { ["terminated"] = Terminated() };
                container["state"] = new JsonObject
                {
                    ["waiting"] = new JsonObject { ["reason"] = "CrashLoopBackOff", ["message"] = $"back-off {backOff.TotalSeconds:0}s restarting failed container={container.Text("name")}" },
                };
            }
            Condition(status, "Ready", false, "ContainersNotReady");
            Condition(status, "ContainersReady", false, "ContainersNotReady");
        });
        Event(down, "Warning", "BackOff", "Back-off restarting failed container");
        Later(backOff, Uid(down), Create);
    }

    private static long Restarts(JsonObject pod) => pod.Child("status")?.Objects("containerStatuses").Select(item => item.Long("restartCount") ?? 0).DefaultIfEmpty().Max() ?? 0;

    private JsonObject Terminated() => new() { ["exitCode"] = 1, ["reason"] = "Error", ["startedAt"] = objects.Now, ["finishedAt"] = objects.Now };

    private static bool HasProbe(JsonObject container) => container.Has("readinessProbe") || container.Has("livenessProbe") || container.Has("startupProbe");

    /// <summary>A mounted secret, map or class of secrets that is not there. Mounting the class makes the Secrets that it lists.</summary>
    private string? MountProblem(JsonObject spec, string space)
    {
        foreach (var volume in spec.Objects("volumes"))
        {
            if (volume.Child("configMap") is { } map && !map.Is("optional") && objects.Find(KubernetesKind.ConfigMaps, space, map.Required("name")) is null)
            {
                return $"MountVolume.SetUp failed for volume \"{volume.Text("name")}\" : configmap \"{map.Text("name")}\" not found";
            }
            if (volume.Child("secret") is { } secret && !secret.Is("optional") && objects.Find(KubernetesKind.Secrets, space, secret.Required("secretName")) is null)
            {
                return $"MountVolume.SetUp failed for volume \"{volume.Text("name")}\" : secret \"{secret.Text("secretName")}\" not found";
            }
            if (volume.Child("csi") is { } csi && csi.Text("driver") == "secrets-store.csi.k8s.io")
            {
                var name = csi.Child("volumeAttributes")?.Text("secretProviderClass") ?? "";
                if (objects.Find(KubernetesKind.SecretProviderClasses, space, name) is not { } provider)
                {
                    return $"MountVolume.SetUp failed for volume \"{volume.Text("name")}\" : rpc error: code = Unknown desc = failed to get secretproviderclass {space}/{name}, error: SecretProviderClass.secrets-store.csi.x-k8s.io \"{name}\" not found";
                }
                foreach (var wanted in provider.Child("spec")?.Objects("secretObjects") ?? [])
                {
                    if (objects.Find(KubernetesKind.Secrets, space, wanted.Required("secretName")) is null)
                    {
                        objects.Add(KubernetesKind.Secrets, new JsonObject
                        {
                            ["metadata"] = new JsonObject { ["name"] = wanted.Text("secretName"), ["namespace"] = space, ["labels"] = new JsonObject { ["secrets-store.csi.k8s.io/managed"] = "true" } },
                            ["type"] = wanted.Text("type") ?? "Opaque",
                            ["data"] = new JsonObject(wanted.Objects("data").Select(item => KeyValuePair.Create(item.Required("key"), (JsonNode?)Convert.ToBase64String("from the sandbox"u8)))),
                        });
                    }
                }
            }
        }
        return null;
    }

    private string? ConfigurationProblem(JsonObject container, string space)
    {
        foreach (var (kind, reference) in container.Objects("envFrom").SelectMany(source => new[] { (KubernetesKind.ConfigMaps, source.Child("configMapRef")), (KubernetesKind.Secrets, source.Child("secretRef")) })
            .Concat(container.Objects("env").Select(item => item.Child("valueFrom")).OfType<JsonObject>().SelectMany(source => new[] { (KubernetesKind.ConfigMaps, source.Child("configMapKeyRef")), (KubernetesKind.Secrets, source.Child("secretKeyRef")) })))
        {
            if (reference is null || reference.Is("optional"))
            {
                continue;
            }
            var found = objects.Find(kind, space, reference.Required("name"));
            if (found is null)
            {
                return $"{kind.Kind.ToLowerInvariant()} \"{reference.Text("name")}\" not found";
            }
            if (reference.Text("key") is { } key && found.Child("data")?.Has(key) != true)
            {
                return $"couldn't find key {key} in {kind.Kind} {space}/{reference.Text("name")}";
            }
        }
        return null;
    }

    private void Waiting(JsonObject status, JsonObject pod, string reason, string? message)
    {
        var restarts = Restarts(pod);
        status["phase"] = "Pending";
        Condition(status, "Ready", false, "ContainersNotReady");
        Condition(status, "ContainersReady", false, "ContainersNotReady");
        status["containerStatuses"] = pod.Child("spec")!.Objects("containers").Select(container => new JsonObject
        {
            ["name"] = container.Text("name"), ["image"] = container.Text("image"), ["imageID"] = "", ["ready"] = false, ["started"] = false, ["restartCount"] = restarts, ["lastState"] = new JsonObject(),
            ["state"] = new JsonObject { ["waiting"] = new JsonObject { ["reason"] = reason }.With("message", message is null ? null : JsonValue.Create(message)) },
        }).ToJsonList();
    }

    private void Condition(JsonObject status, string type, bool state, string? reason = null) => Conditions.Set(status, type, state ? "True" : "False", reason, null, objects.Now);

    private void Event(JsonObject about, string type, string reason, string message) => ClusterEvents.Tell(objects, KubernetesKind.Pods, about, type, reason, message, "kubelet");
}
