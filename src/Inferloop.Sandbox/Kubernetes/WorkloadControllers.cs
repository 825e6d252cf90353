using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>Deployments to ReplicaSets to pods, and what goes when its owner goes. Called under the gate.</summary>
/// <remarks>https://kubernetes.io/docs/concepts/workloads/controllers/deployment/ says what rolling may do at each moment.</remarks>
internal sealed class WorkloadControllers(SandboxRuntime runtime, ClusterObjects objects, Kubelet kubelet, Action wake)
{
    private const string Revision = "deployment.kubernetes.io/revision";
    private const string HashLabel = "pod-template-hash";
    private const string ChangeCause = "kubernetes.io/change-cause";

    /// <summary>Which ReplicaSet a condition speaks of; never told to clients.</summary>
    private const string Subject = "_set";
    private const string HashAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    private static readonly string[] Counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"];

    private readonly Dictionary<string, DateTimeOffset> deadlines = new(StringComparer.Ordinal);

    /// <summary>Takes away what has lost its owner.</summary>
    public void Collect()
    {
        var owners = objects.List(KubernetesKind.Deployments).Concat(objects.List(KubernetesKind.ReplicaSets)).Select(Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var set in objects.List(KubernetesKind.ReplicaSets).Where(set => OwnerOf(set) is { } owner && !owners.Contains(owner)).ToList())
        {
            objects.Remove(KubernetesKind.ReplicaSets, set);
            owners.Remove(Uid(set));
        }
        foreach (var pod in objects.List(KubernetesKind.Pods).Where(pod => OwnerOf(pod) is { } owner && !owners.Contains(owner)).ToList())
        {
            kubelet.Stop(pod);
        }
    }

    public void Autoscale()
    {
        foreach (var autoscaler in objects.List(KubernetesKind.Autoscalers).ToList())
        {
            var spec = autoscaler.Child("spec")!;
            var target = spec.Child("scaleTargetRef");
            if (target?.Text("kind") != "Deployment" || objects.Find(KubernetesKind.Deployments, Space(autoscaler), target.Required("name")) is not { } deployment)
            {
                continue;
            }
            // Between the bounds the number stays: the sandbox's pods use no CPU by themselves.
            var (minimum, maximum) = (spec.Long("minReplicas") ?? 1, spec.Long("maxReplicas") ?? 1);
            var now = deployment.Child("spec")!.Long("replicas") ?? 1;
            var wanted = now == 0 ? 0 : Math.Clamp(now, minimum, maximum);
            if (wanted != now)
            {
                objects.Change(KubernetesKind.Deployments, deployment, document => document.Child("spec")!["replicas"] = wanted);
            }
            objects.Change(KubernetesKind.Autoscalers, autoscaler, document =>
            {
                var status = document.ChildOrNew("status");
                status["currentReplicas"] = deployment.Child("status")?.Long("replicas") ?? 0;
                status["desiredReplicas"] = wanted;
            });
        }
    }

    public void Deploy()
    {
        foreach (var deployment in objects.List(KubernetesKind.Deployments).ToList())
        {
            Deploy(deployment);
        }
        foreach (var set in objects.List(KubernetesKind.ReplicaSets).ToList())
        {
            Replicate(set);
        }
        foreach (var deployment in objects.List(KubernetesKind.Deployments).ToList())
        {
            Report(deployment);
        }
    }

    private static string Uid(JsonObject document) => document.Child("metadata")!.Required("uid");

    private static string Name(JsonObject document) => document.Child("metadata")!.Required("name");

    private static string Space(JsonObject document) => document.Child("metadata")!.Required("namespace");

    private static string? OwnerOf(JsonObject document) => document.Child("metadata")!.Objects("ownerReferences").FirstOrDefault(owner => owner.Is("controller"))?.Text("uid");

    private List<JsonObject> SetsOf(JsonObject deployment) => objects.List(KubernetesKind.ReplicaSets, Space(deployment)).Where(set => OwnerOf(set) == Uid(deployment)).ToList();

    private List<JsonObject> PodsOf(JsonObject set) => objects.List(KubernetesKind.Pods, Space(set)).Where(pod => OwnerOf(pod) == Uid(set) && !pod.Child("metadata")!.Has("deletionTimestamp")).ToList();

    private static long Replicas(JsonObject document) => document.Child("spec")!.Long("replicas") ?? 1;

    private bool IsAvailable(JsonObject pod, JsonObject owner)
    {
        var ready = pod.Child("status")?.Objects("conditions").FirstOrDefault(item => item.Text("type") == "Ready" && item.Text("status") == "True");
        var seconds = owner.Child("spec")!.Double("minReadySeconds") ?? 0;
        return ready is not null && (seconds == 0 || (ready.TimeOf("lastTransitionTime") ?? runtime.Clock.Now) + TimeSpan.FromSeconds(seconds) <= runtime.Clock.Now);
    }

    private int Available(JsonObject set) => PodsOf(set).Count(pod => IsAvailable(pod, set));

    private void Deploy(JsonObject deployment)
    {
        var spec = deployment.Child("spec")!;
        var sets = SetsOf(deployment);
        var current = sets.Find(set => SameTemplate(set, spec.Child("template")!));
        if (spec.Is("paused"))
        {
            if (current is not null && sets.Count(set => Replicas(set) > 0) <= 1)
            {
                Scale(current, Replicas(deployment));
            }
            return;
        }
        var recreate = spec.Child("strategy")?.Text("type") == "Recreate";
        var old = sets.Where(set => current is null || Uid(set) != Uid(current)).ToList();
        if (recreate && old.Any(set => Replicas(set) > 0 || objects.List(KubernetesKind.Pods, Space(set)).Any(pod => OwnerOf(pod) == Uid(set))))
        {
            old.ForEach(set => Scale(set, 0));
            return;
        }
        current = Current(deployment, current, sets);
        if (recreate)
        {
            Scale(current, Replicas(deployment));
        }
        else
        {
            Roll(deployment, current, old);
        }
        foreach (var set in old.Where(set => Replicas(set) == 0 && PodsOf(set).Count == 0).OrderByDescending(RevisionOf).Skip(spec.Int("revisionHistoryLimit") ?? 10))
        {
            objects.Remove(KubernetesKind.ReplicaSets, set);
        }
    }

    /// <summary>Up as far as the surge lets it, down as far as enough pods stay available; pods that never got ready go first.</summary>
    private void Roll(JsonObject deployment, JsonObject current, List<JsonObject> old)
    {
        var wanted = (int)Replicas(deployment);
        var rolling = deployment.Child("spec")!.Child("strategy")?.Child("rollingUpdate");
        var surge = ObjectRules.Share(rolling?["maxSurge"], wanted, up: true, 1);
        var unavailable = ObjectRules.Share(rolling?["maxUnavailable"], wanted, up: false, 0);
        if (surge == 0 && unavailable == 0)
        {
            unavailable = 1;
        }
        var total = (int)(Replicas(current) + old.Sum(Replicas));
        if (Replicas(current) > wanted)
        {
            Scale(current, wanted);
        }
        else if (Replicas(current) < wanted && total < wanted + surge)
        {
            current = Scale(current, Math.Min(wanted, Replicas(current) + wanted + surge - total));
        }
        var oldPods = (int)old.Sum(Replicas);
        if (oldPods == 0)
        {
            return;
        }
        var newAvailable = Available(current);
        var spare = (int)(Replicas(current) + oldPods) - (wanted - unavailable) - ((int)Replicas(current) - newAvailable);
        foreach (var set in old.OrderBy(RevisionOf))
        {
            var sick = (int)Replicas(set) - Available(set);
            var fewer = Math.Min(Math.Max(0, spare), sick);
            if (fewer > 0)
            {
                spare -= fewer;
                Scale(set, Replicas(set) - fewer);
            }
        }
        var down = newAvailable + old.Sum(Available) - (wanted - unavailable);
        foreach (var set in SetsOf(deployment).Where(set => Uid(set) != Uid(current) && Replicas(set) > 0).OrderBy(RevisionOf))
        {
            var fewer = Math.Min(down, (int)Replicas(set));
            if (fewer > 0)
            {
                down -= fewer;
                Scale(set, Replicas(set) - fewer);
            }
        }
    }

    private JsonObject Current(JsonObject deployment, JsonObject? current, List<JsonObject> sets)
    {
        var latest = sets.Select(RevisionOf).DefaultIfEmpty().Max();
        if (current is null)
        {
            var template = deployment.Child("spec")!.Child("template")!.Copy()!;
            var hash = Hash(template);
            var labels = template.ChildOrNew("metadata").ChildOrNew("labels");
            labels[HashLabel] = hash;
            var selector = deployment.Child("spec")!.Child("selector")!.Copy()!;
            selector.ChildOrNew("matchLabels")[HashLabel] = hash;
            current = objects.Add(KubernetesKind.ReplicaSets, new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = $"{Name(deployment)}-{hash}", ["namespace"] = Space(deployment), ["labels"] = labels.Copy(),
                    ["annotations"] = new JsonObject { [Revision] = (latest + 1).ToString(CultureInfo.InvariantCulture) }.With(ChangeCause, deployment.Child("metadata")!.Child("annotations")?[ChangeCause].Copy()),
                    ["ownerReferences"] = Owner(KubernetesKind.Deployments, deployment),
                },
                ["spec"] = new JsonObject { ["replicas"] = 0, ["selector"] = selector, ["template"] = template }.Take(deployment.Child("spec")!, "minReadySeconds"),
                ["status"] = new JsonObject { ["replicas"] = 0 },
            });
            latest++;
        }
        else if (RevisionOf(current) < latest)
        {
            // An earlier template has come back: it is the newest revision now.
            latest++;
            current = objects.Change(KubernetesKind.ReplicaSets, current, document => document.Child("metadata")!.ChildOrNew("annotations")[Revision] = latest.ToString(CultureInfo.InvariantCulture));
        }
        objects.Change(KubernetesKind.Deployments, deployment, document => document.Child("metadata")!.ChildOrNew("annotations")[Revision] = RevisionOf(current).ToString(CultureInfo.InvariantCulture));
        return current;
    }

    private static long RevisionOf(JsonObject set) => long.TryParse(set.Child("metadata")!.Child("annotations")?.Text(Revision), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static bool SameTemplate(JsonObject set, JsonObject template)
    {
        var own = set.Child("spec")!.Child("template")!.Copy()!;
        own.Child("metadata")?.Child("labels")?.Remove(HashLabel);
        return JsonNode.DeepEquals(own, template);
    }

    private static string Hash(JsonObject template)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(template.ToJsonString()));
        return string.Concat(bytes.Take(10).Select(value => HashAlphabet[value % HashAlphabet.Length]));
    }

    private static JsonArray Owner(KubernetesKind kind, JsonObject owner) => new(new JsonObject
    {
        ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind, ["name"] = Name(owner), ["uid"] = Uid(owner), ["controller"] = true, ["blockOwnerDeletion"] = true,
    });

    private JsonObject Scale(JsonObject set, long replicas) =>
        Replicas(set) == replicas ? set : objects.Change(KubernetesKind.ReplicaSets, set, document => document.Child("spec")!["replicas"] = replicas);

    private void Replicate(JsonObject set)
    {
        var pods = PodsOf(set);
        var wanted = (int)Replicas(set);
        for (var i = pods.Count; i < wanted; i++)
        {
            var template = set.Child("spec")!.Child("template")!;
            var account = template.Child("spec")!.Text("serviceAccountName") ?? "default";
            if (objects.Find(KubernetesKind.ServiceAccounts, Space(set), account) is null)
            {
                ClusterEvents.Tell(objects, KubernetesKind.ReplicaSets, set, "Warning", "FailedCreate", $"Error creating: pods \"{Name(set)}-\" is forbidden: error looking up service account {Space(set)}/{account}: serviceaccount \"{account}\" not found", "replicaset-controller");
                break;
            }
            var metadata = (template.Child("metadata") ?? []).Copy()!;
            metadata["name"] = $"{Name(set)}-{string.Concat(runtime.Ids.Hex(10).Select(letter => HashAlphabet[letter % HashAlphabet.Length]).Take(5))}";
            metadata["generateName"] = Name(set) + "-";
            metadata["namespace"] = Space(set);
            metadata["ownerReferences"] = Owner(KubernetesKind.ReplicaSets, set);
            pods.Add(objects.Add(KubernetesKind.Pods, new JsonObject { ["metadata"] = metadata, ["spec"] = template.Child("spec").Copy(), ["status"] = new JsonObject { ["phase"] = "Pending" } }));
        }
        foreach (var pod in pods.OrderBy(pod => IsAvailable(pod, set)).ThenByDescending(pod => pod.Child("metadata")!.Text("creationTimestamp"), StringComparer.Ordinal).Take(Math.Max(0, pods.Count - wanted)).ToList())
        {
            kubelet.Stop(pod);
        }
        var left = PodsOf(set);
        var waitsForAge = left.Any(pod => Conditions.IsTrue(pod.Child("status"), "Ready") && !IsAvailable(pod, set));
        if (waitsForAge)
        {
            runtime.After(TimeSpan.FromSeconds(1), wake);
        }
        objects.Change(KubernetesKind.ReplicaSets, set, document => document["status"] = new JsonObject
        {
            ["replicas"] = left.Count, ["fullyLabeledReplicas"] = left.Count, ["readyReplicas"] = left.Count(pod => Conditions.IsTrue(pod.Child("status"), "Ready")),
            ["availableReplicas"] = left.Count(pod => IsAvailable(pod, set)), ["observedGeneration"] = document.Child("metadata")!["generation"].Copy(),
        });
    }

    private void Report(JsonObject deployment)
    {
        var spec = deployment.Child("spec")!;
        var sets = SetsOf(deployment);
        var current = sets.Find(set => SameTemplate(set, spec.Child("template")!));
        var (wanted, total, updated) = ((int)Replicas(deployment), sets.Sum(set => PodsOf(set).Count), current is null ? 0 : PodsOf(current).Count);
        var (ready, available) = (sets.Sum(set => PodsOf(set).Count(pod => Conditions.IsTrue(pod.Child("status"), "Ready"))), sets.Sum(Available));
        var least = wanted - ObjectRules.Share(spec.Child("strategy")?.Child("rollingUpdate")?["maxUnavailable"], wanted, up: false, 0);
        objects.Change(KubernetesKind.Deployments, deployment, document =>
        {
            var status = document.ChildOrNew("status");
            var before = status.Copy()!;
            status["observedGeneration"] = document.Child("metadata")!["generation"].Copy();
            foreach (var (name, value) in new[] { ("replicas", total), ("updatedReplicas", updated), ("readyReplicas", ready), ("availableReplicas", available), ("unavailableReplicas", Math.Max(0, Math.Max(wanted, total) - available)) })
            {
                // A count of nothing is left out, as the API does.
                if (value == 0)
                {
                    status.Remove(name);
                }
                else
                {
                    status[name] = value;
                }
            }
            Conditions.Set(status, "Available", available >= least ? "True" : "False", available >= least ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                available >= least ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", objects.Now);
            Progress(document, status, before, current, complete: updated == wanted && total == wanted && available == wanted);
        });
    }

    private void Progress(JsonObject deployment, JsonObject status, JsonObject before, JsonObject? current, bool complete)
    {
        var subject = Name(current ?? deployment);
        var last = before.Objects("conditions").FirstOrDefault(item => item.Text("type") == "Progressing");
        var moved = last is null || last.Text(Subject) != subject || Counts.Any(name => before.Long(name) != status.Long(name));
        if (complete)
        {
            Conditions.Set(status, "Progressing", "True", "NewReplicaSetAvailable", $"ReplicaSet \"{subject}\" has successfully progressed.", objects.Now);
        }
        else if (moved)
        {
            Conditions.Set(status, "Progressing", "True", "ReplicaSetUpdated", $"ReplicaSet \"{subject}\" is progressing.", objects.Now);
        }
        var condition = status.Objects("conditions").First(item => item.Text("type") == "Progressing");
        if (moved)
        {
            condition["lastUpdateTime"] = objects.Now;
            condition[Subject] = subject;
        }
        if (complete || condition.Text("status") == "False" || deployment.Child("spec")!.Is("paused"))
        {
            deadlines.Remove(Uid(deployment));
            return;
        }
        var deadline = (condition.TimeOf("lastUpdateTime") ?? runtime.Clock.Now) + TimeSpan.FromSeconds(deployment.Child("spec")!.Double("progressDeadlineSeconds") ?? 600);
        if (deadline <= runtime.Clock.Now)
        {
            Conditions.Set(status, "Progressing", "False", "ProgressDeadlineExceeded", $"ReplicaSet \"{subject}\" has timed out progressing.", objects.Now);
        }
        else if (deadlines.GetValueOrDefault(Uid(deployment)) != deadline)
        {
            deadlines[Uid(deployment)] = deadline;
            runtime.Clock.Schedule(deadline + TimeSpan.FromSeconds(1), wake);
        }
    }
}
