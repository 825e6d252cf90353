using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.AutoScaling;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>The nodes of a cluster, which are the instances of its node groups, and which pod goes to which. Called under the gate.</summary>
internal sealed class ClusterNodes(SandboxRuntime runtime, RequestContext context, Func<IEnumerable<JsonObject>> groups, ClusterObjects objects, Kubelet kubelet)
{
    /// <summary>What a node keeps for itself of its CPU and its memory.</summary>
    /// <remarks>https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html: about 70 millicores, 255 MiB + 11 MiB a pod, and 100 MiB for eviction.</remarks>
    private const double ReservedCpu = 0.07;
    private const double ReservedMemoryMiB = 255 + (11 * 17) + 100;

    private static readonly TimeSpan BetweenScaling = TimeSpan.FromSeconds(10);

    private DateTimeOffset scaled = DateTimeOffset.MinValue;

    /// <summary>Brings the Node objects in line with the instances. Pods of a node that is gone are gone with it.</summary>
    public void Follow()
    {
        var there = new HashSet<string>(StringComparer.Ordinal);
        foreach (var group in groups())
        {
            foreach (var instance in group.Objects("Instances").Where(item => item.Text("LifecycleState") == "InService"))
            {
                var id = instance.Required("InstanceId");
                var name = NameOf(id);
                there.Add(name);
                if (objects.Find(KubernetesKind.Nodes, "", name) is null)
                {
                    objects.Add(KubernetesKind.Nodes, Node(name, id, instance, group));
                }
            }
        }
        foreach (var node in objects.List(KubernetesKind.Nodes).Where(node => !there.Contains(node.Child("metadata")!.Required("name"))).ToList())
        {
            objects.Remove(KubernetesKind.Nodes, node);
            foreach (var pod in objects.List(KubernetesKind.Pods).Where(pod => pod.Child("spec")!.Text("nodeName") == node.Child("metadata")!.Text("name")).ToList())
            {
                objects.Remove(KubernetesKind.Pods, pod);
            }
        }
    }

    /// <summary>Gives every pod that waits a node with room for it, spread over the nodes.</summary>
    public void Schedule()
    {
        var waiting = objects.List(KubernetesKind.Pods).Where(pod => !pod.Child("spec")!.Has("nodeName") && !pod.Child("metadata")!.Has("deletionTimestamp")).ToList();
        if (waiting.Count == 0)
        {
            return;
        }
        var free = objects.List(KubernetesKind.Nodes).Where(node => !node.Child("spec")!.Is("unschedulable")).ToDictionary(node => node.Child("metadata")!.Required("name"), Allocatable, StringComparer.Ordinal);
        var pods = free.Keys.ToDictionary(name => name, _ => 0, StringComparer.Ordinal);
        foreach (var pod in objects.List(KubernetesKind.Pods))
        {
            if (pod.Child("spec")!.Text("nodeName") is { } node && free.TryGetValue(node, out var room))
            {
                var (cpu, memory) = Requests(pod);
                free[node] = (room.Cpu - cpu, room.Memory - memory);
                pods[node]++;
            }
        }
        var unplaced = false;
        foreach (var pod in waiting)
        {
            var (cpu, memory) = Requests(pod);
            var choice = free.Where(pair => pair.Value.Cpu >= cpu && pair.Value.Memory >= memory).OrderBy(pair => pods[pair.Key]).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Key).FirstOrDefault();
            if (choice is null)
            {
                unplaced = true;
                Unschedulable(pod, free, cpu, memory);
                continue;
            }
            free[choice] = (free[choice].Cpu - cpu, free[choice].Memory - memory);
            pods[choice]++;
            kubelet.Start(objects.Change(KubernetesKind.Pods, pod, document => document.Child("spec")!["nodeName"] = choice));
        }
        if (unplaced)
        {
            AddNode();
        }
    }

    private void Unschedulable(JsonObject pod, Dictionary<string, (double Cpu, double Memory)> free, double cpu, double memory)
    {
        var (shortOfCpu, shortOfMemory) = (free.Values.Count(room => room.Cpu < cpu), free.Values.Count(room => room.Memory < memory));
        var reasons = new[] { (shortOfCpu, "Insufficient cpu"), (shortOfMemory, "Insufficient memory") }.Where(reason => reason.Item1 > 0).Select(reason => $"{reason.Item1} {reason.Item2}");
        var message = free.Count == 0 ? "no nodes available to schedule pods" : $"0/{free.Count} nodes are available: {string.Join(", ", reasons)}.";
        var told = pod.Child("status")?.Objects("conditions").Any(item => item.Text("type") == "PodScheduled" && item.Text("message") == message) == true;
        if (!told)
        {
            var changed = objects.Change(KubernetesKind.Pods, pod, document =>
            {
                document.ChildOrNew("status")["phase"] = "Pending";
                Conditions.Set(document.Child("status")!, "PodScheduled", "False", "Unschedulable", message, objects.Now);
            });
            ClusterEvents.Tell(objects, KubernetesKind.Pods, changed, "Warning", "FailedScheduling", message, "default-scheduler");
        }
    }

    /// <summary>What the cluster autoscaler does where one runs: another node for pods that have none, up to the group's maximum.</summary>
    private void AddNode()
    {
        if (runtime.Clock.Now < scaled + BetweenScaling || !objects.List(KubernetesKind.Pods).Any(pod =>
            Conditions.IsTrue(pod.Child("status"), "Ready") && pod.Child("spec")!.Objects("containers").Any(container => container.Required("image").Contains("cluster-autoscaler", StringComparison.Ordinal))))
        {
            return;
        }
        if (groups().FirstOrDefault(group => group.Int("DesiredCapacity") < group.Int("MaxSize") && group.Objects("Instances").All(item => item.Text("LifecycleState") == "InService")) is { } grown)
        {
            scaled = runtime.Clock.Now;
            var call = context.Detached();
            runtime.Run(_ => runtime.Service<AutoScalingService>().InvokeAsync(call, "SetDesiredCapacity", new JsonObject
            {
                ["AutoScalingGroupName"] = grown.Text("AutoScalingGroupName"), ["DesiredCapacity"] = grown.Int("DesiredCapacity") + 1,
            }));
        }
    }

    private string NameOf(string instance) => $"i-{instance.Replace("i-", "", StringComparison.Ordinal)}.{context.Region}.compute.internal";

    private JsonObject Node(string name, string id, JsonObject instance, JsonObject group)
    {
        var type = InstanceTypes.All.GetValueOrDefault(instance.Text("InstanceType") ?? "") ?? InstanceTypes.All["t3.medium"];
        JsonObject Room(double cpu, double memoryMiB) => new()
        {
            ["cpu"] = string.Create(CultureInfo.InvariantCulture, $"{cpu * 1000:0}m"), ["memory"] = string.Create(CultureInfo.InvariantCulture, $"{memoryMiB * 1024:0}Ki"), ["pods"] = "17",
        };
        var status = new JsonObject
        {
            ["capacity"] = Room(type.VCpus, type.MemoryMiB), ["allocatable"] = Room(type.VCpus - ReservedCpu, (type.MemoryMiB * 0.95) - ReservedMemoryMiB),
            ["nodeInfo"] = new JsonObject { ["architecture"] = type.Architecture == "arm64" ? "arm64" : "amd64", ["operatingSystem"] = "linux", ["osImage"] = "Amazon Linux 2023" },
        };
        Conditions.Set(status, "Ready", "True", "KubeletReady", "kubelet is posting ready status", objects.Now);
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = name,
                ["labels"] = new JsonObject
                {
                    ["kubernetes.io/hostname"] = name, ["node.kubernetes.io/instance-type"] = type.Name, ["topology.kubernetes.io/region"] = context.Region,
                    ["topology.kubernetes.io/zone"] = instance.Text("AvailabilityZone"), ["kubernetes.io/arch"] = type.Architecture == "arm64" ? "arm64" : "amd64", ["kubernetes.io/os"] = "linux",
                    ["eks.amazonaws.com/nodegroup"] = group.Objects("Tags").FirstOrDefault(tag => tag.Text("Key") == "eks:nodegroup-name")?.Text("Value") ?? "",
                },
            },
            ["spec"] = new JsonObject { ["providerID"] = $"aws:///{instance.Text("AvailabilityZone")}/{id}" },
            ["status"] = status,
        };
    }

    private static (double Cpu, double Memory) Allocatable(JsonObject node) =>
        (ObjectRules.Quantity(node.Child("status")?.Child("allocatable")?.Text("cpu")) ?? 0, ObjectRules.Quantity(node.Child("status")?.Child("allocatable")?.Text("memory")) ?? 0);

    private static (double Cpu, double Memory) Requests(JsonObject pod)
    {
        double Sum(string name) => pod.Child("spec")!.Objects("containers").Sum(container =>
            ObjectRules.Quantity((container.Child("resources")?.Child("requests")?[name] ?? container.Child("resources")?.Child("limits")?[name])?.ToString()) ?? 0);
        return (Sum("cpu"), Sum("memory"));
    }
}
