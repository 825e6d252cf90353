using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

internal sealed partial class EcsService
{
    private static readonly string[] BuiltInProviders = ["FARGATE", "FARGATE_SPOT"];

    private void AddClusters()
    {
        On("CreateCluster", CreateCluster);
        On("UpdateCluster", (context, input) => ChangeCluster(context, input, cluster => cluster.Take(input, "settings", "configuration", "serviceConnectDefaults")));
        On("UpdateClusterSettings", (context, input) => ChangeCluster(context, input, cluster =>
        {
            CheckSettings(input);
            cluster["settings"] = input["settings"].Copy();
        }));
        On("PutClusterCapacityProviders", (context, input) => ChangeCluster(context, input, cluster =>
        {
            CheckStrategy(context, input.Texts("capacityProviders"), input.Objects("defaultCapacityProviderStrategy").ToList());
            var used = ServicesOf(context).Where(service => service.Text("clusterArn") == cluster.Text("clusterArn") && service.Text("status") != "INACTIVE")
                .SelectMany(service => service.Objects("capacityProviderStrategy").Select(item => item.Required("capacityProvider"))).ToHashSet(StringComparer.Ordinal);
            if (cluster.Texts("capacityProviders").Except(input.Texts("capacityProviders")).FirstOrDefault(used.Contains) is { } busy)
            {
                throw new ServiceFault("ResourceInUseException", $"The specified capacity provider {busy} is in use and cannot be removed.");
            }
            cluster["capacityProviders"] = input["capacityProviders"].Copy();
            cluster["defaultCapacityProviderStrategy"] = input["defaultCapacityProviderStrategy"].Copy();
            cluster["attachmentsStatus"] = "UPDATE_COMPLETE";
        }));
        On("DeleteCluster", DeleteCluster);
        On("ListClusters", (context, input) => Pages.AnswerTexts(input, Clusters(context).Where(cluster => cluster.Text("status") == "ACTIVE").Select(cluster => cluster.Required("clusterArn")).ToList(),
            "clusterArns", "maxResults", "nextToken"));
        On("DescribeClusters", DescribeClusters);
        On("CreateCapacityProvider", CreateCapacityProvider);
        On("UpdateCapacityProvider", (context, input) =>
        {
            var name = NameOf(input.Required("name"));
            var updated = Providers(context).Update(name, provider =>
            {
                var group = provider.ChildOrNew("autoScalingGroupProvider");
                foreach (var (member, value) in input.Child("autoScalingGroupProvider") ?? [])
                {
                    group[member] = value.Copy();
                }
                provider["updateStatus"] = "UPDATE_COMPLETE";
            }) ?? throw Client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.");
            return new JsonObject { ["capacityProvider"] = updated };
        });
        On("DeleteCapacityProvider", (context, input) =>
        {
            var name = NameOf(input.Required("capacityProvider"));
            var provider = Providers(context).Get(name) ?? throw Client("The specified capacity provider does not exist. Specify a valid name or ARN and try again.");
            if (Clusters(context).Any(cluster => cluster.Texts("capacityProviders").Contains(name) && cluster.Text("status") == "ACTIVE"))
            {
                throw Client("The specified capacity provider is in use and cannot be removed.");
            }
            Providers(context).Remove(name);
            provider["status"] = "INACTIVE";
            provider["updateStatus"] = "DELETE_COMPLETE";
            return new JsonObject { ["capacityProvider"] = provider };
        });
        On("DescribeCapacityProviders", (context, input) =>
        {
            var asked = input.Texts("capacityProviders").Select(NameOf).ToList();
            var all = BuiltInProviders.Select(name => new JsonObject { ["name"] = name, ["status"] = "ACTIVE", ["capacityProviderArn"] = context.Arn("ecs", "capacity-provider/" + name) })
                .Concat(Providers(context).All()).Select(provider => View(provider, input)).ToList();
            var answer = Pages.Answer(input, all.Where(provider => asked.Count == 0 || asked.Contains(provider.Text("name")!)).ToList(), "capacityProviders", "maxResults", "nextToken", 10);
            answer["failures"] = asked.Where(name => !all.Exists(provider => provider.Text("name") == name)).Select(name => Failure(context.Arn("ecs", "capacity-provider/" + name))).ToJsonList();
            return answer;
        });
    }

    private static void CheckSettings(JsonObject input)
    {
        foreach (var setting in input.Objects("settings"))
        {
            if (setting.Text("name") != "containerInsights" || setting.Text("value") is not ("enabled" or "disabled" or "enhanced"))
            {
                throw Invalid($"Invalid cluster setting: {setting.Text("name")}={setting.Text("value")}");
            }
        }
    }

    private void CheckStrategy(RequestContext context, IReadOnlyList<string> providers, List<JsonObject> strategy)
    {
        foreach (var name in providers.Where(name => !BuiltInProviders.Contains(name) && !Providers(context).Contains(name)))
        {
            throw Invalid($"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again.");
        }
        if (strategy.Find(item => !providers.Contains(item.Text("capacityProvider")!)) is { } stranger)
        {
            throw Invalid($"The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again. ({stranger.Text("capacityProvider")})");
        }
        if (strategy.Select(item => BuiltInProviders.Contains(item.Text("capacityProvider"))).Distinct().Count() > 1)
        {
            throw Invalid("The specified capacity provider strategy cannot contain a mix of Fargate and Auto Scaling group capacity providers.");
        }
        if (strategy.Count(item => item.Int("base") > 0) > 1)
        {
            throw Invalid("Only one capacity provider in a capacity provider strategy can have a base greater than zero.");
        }
    }

    private JsonObject CreateCluster(RequestContext context, JsonObject input)
    {
        var name = input.Text("clusterName") ?? "default";
        if (name.Length > 255 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
        {
            throw Invalid("Cluster names must be between 1 and 255 characters, and may contain only letters, numbers, hyphens and underscores.");
        }
        CheckSettings(input);
        Tags.Check(input.Objects("tags"), "InvalidParameterException", "key", "value");
        CheckStrategy(context, input.Texts("capacityProviders"), input.Objects("defaultCapacityProviderStrategy").ToList());
        var cluster = new JsonObject
        {
            ["clusterArn"] = context.Arn("ecs", "cluster/" + name),
            ["clusterName"] = name,
            ["status"] = "ACTIVE",
            ["statistics"] = new JsonArray(),
            ["tags"] = input["tags"].Copy() ?? new JsonArray(),
            ["settings"] = input["settings"].Copy() ?? new JsonArray(new JsonObject { ["name"] = "containerInsights", ["value"] = "disabled" }),
            ["capacityProviders"] = input["capacityProviders"].Copy() ?? new JsonArray(),
            ["defaultCapacityProviderStrategy"] = input["defaultCapacityProviderStrategy"].Copy() ?? new JsonArray(),
        }.Take(input, "configuration", "serviceConnectDefaults");
        Runtime.Service<Iam.IamService>().EnsureServiceLinkedRole(context, "ecs.amazonaws.com", "AWSServiceRoleForECS");
        return Clusters(context).Lock(() =>
        {
            if (Clusters(context).Get(name) is { } present && present.Text("status") == "ACTIVE")
            {
                return new JsonObject { ["cluster"] = Counted(context, present) };
            }
            Clusters(context).Put(name, cluster);
            return new JsonObject { ["cluster"] = Counted(context, cluster) };
        });
    }

    private JsonObject ChangeCluster(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var name = Cluster(context, input).Required("clusterName");
        return new JsonObject { ["cluster"] = Counted(context, Clusters(context).Update(name, change)!) };
    }

    private JsonObject Counted(RequestContext context, JsonObject cluster)
    {
        var arn = cluster.Text("clusterArn");
        var tasks = Tasks(context).Where(task => task.Text("clusterArn") == arn && task.Text("lastStatus") != "STOPPED");
        cluster["registeredContainerInstancesCount"] = Instances(context).Where(instance => instance.Text("_Cluster") == arn).Count;
        cluster["runningTasksCount"] = tasks.Count(task => task.Text("lastStatus") == "RUNNING");
        cluster["pendingTasksCount"] = tasks.Count(task => task.Text("lastStatus") is "PROVISIONING" or "PENDING" or "ACTIVATING");
        cluster["activeServicesCount"] = ServicesOf(context).Where(service => service.Text("clusterArn") == arn && service.Text("status") == "ACTIVE").Count;
        return cluster;
    }

    private JsonObject DescribeClusters(RequestContext context, JsonObject input)
    {
        var asked = input.Texts("clusters");
        var found = new List<JsonObject>();
        var failures = new List<JsonObject>();
        foreach (var name in asked.Count > 0 ? asked : ["default"])
        {
            if (Clusters(context).Get(NameOf(name)) is { } cluster)
            {
                var view = View(Counted(context, cluster), input);
                if (!input.Texts("include").Contains("SETTINGS"))
                {
                    view.Remove("settings");
                }
                found.Add(view);
            }
            else if (asked.Count > 0)
            {
                failures.Add(Failure(context.Arn("ecs", "cluster/" + NameOf(name))));
            }
        }
        return new JsonObject { ["clusters"] = found.ToJsonList(), ["failures"] = failures.ToJsonList() };
    }

    private JsonObject DeleteCluster(RequestContext context, JsonObject input)
    {
        var cluster = Cluster(context, input);
        var arn = cluster.Text("clusterArn");
        if (ServicesOf(context).Any(service => service.Text("clusterArn") == arn && service.Text("status") != "INACTIVE"))
        {
            throw new ServiceFault("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.");
        }
        if (Instances(context).Any(instance => instance.Text("_Cluster") == arn))
        {
            throw new ServiceFault("ClusterContainsContainerInstancesException", "The Cluster cannot be deleted while Container Instances are active or draining.");
        }
        if (Tasks(context).Any(task => task.Text("clusterArn") == arn && task.Text("lastStatus") != "STOPPED"))
        {
            throw new ServiceFault("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.");
        }
        Clusters(context).Remove(cluster.Required("clusterName"));
        cluster["status"] = "INACTIVE";
        return new JsonObject { ["cluster"] = cluster };
    }

    private JsonObject CreateCapacityProvider(RequestContext context, JsonObject input)
    {
        var name = input.Required("name");
        if (name.StartsWith("aws", StringComparison.OrdinalIgnoreCase) || name.StartsWith("ecs", StringComparison.OrdinalIgnoreCase) || name.StartsWith("fargate", StringComparison.OrdinalIgnoreCase))
        {
            throw Client("The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with \"aws\", \"ecs\", or \"fargate\". Specify a valid name and try again.");
        }
        var group = input.Child("autoScalingGroupProvider") ?? throw Client("An Auto Scaling group must be specified for the capacity provider.");
        var arn = group.Required("autoScalingGroupArn");
        if (Runtime.Service<AutoScaling.AutoScalingService>().FindGroup(context, arn) is null)
        {
            throw Client("The specified Auto Scaling group ARN is not valid or does not exist: " + arn);
        }
        if (Providers(context).Any(provider => provider.Child("autoScalingGroupProvider")?.Text("autoScalingGroupArn") == arn))
        {
            throw Client("The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.");
        }
        var settings = group.Copy();
        var scaling = settings.ChildOrNew("managedScaling");
        scaling["status"] ??= "ENABLED";
        scaling["targetCapacity"] ??= 100;
        scaling["minimumScalingStepSize"] ??= 1;
        scaling["maximumScalingStepSize"] ??= 10_000;
        scaling["instanceWarmupPeriod"] ??= 300;
        settings["managedTerminationProtection"] ??= "DISABLED";
        settings["managedDraining"] ??= "ENABLED";
        var provider = new JsonObject
        {
            ["capacityProviderArn"] = context.Arn("ecs", "capacity-provider/" + name),
            ["name"] = name,
            ["status"] = "ACTIVE",
            ["autoScalingGroupProvider"] = settings,
            ["tags"] = input["tags"].Copy() ?? new JsonArray(),
        };
        return Providers(context).TryAdd(name, provider)
            ? new JsonObject { ["capacityProvider"] = provider.Copy() }
            : throw Client("The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.");
    }

    /// <summary>An instance of a group has booted: it joins the cluster whose capacity provider stands on the group.</summary>
    public void InstanceUp(RequestContext context, string groupArn, JsonObject instance)
    {
        var provider = Providers(context).Find(item => item.Child("autoScalingGroupProvider")?.Text("autoScalingGroupArn") == groupArn);
        var cluster = provider is null ? null : Clusters(context).Find(item => item.Text("status") == "ACTIVE" && item.Texts("capacityProviders").Contains(provider.Text("name")!));
        if (cluster is null || !Ec2.InstanceTypes.All.TryGetValue(instance.Required("InstanceType"), out var type))
        {
            return;
        }
        var id = Runtime.Ids.Hex(32);
        JsonArray Resources() =>
        [
            new JsonObject { ["name"] = "CPU", ["type"] = "INTEGER", ["integerValue"] = type.VCpus * 1024 },
            // The agent and the system keep a little of the memory for themselves.
            new JsonObject { ["name"] = "MEMORY", ["type"] = "INTEGER", ["integerValue"] = type.MemoryMiB - Math.Max(120, type.MemoryMiB / 20) },
        ];
        Instances(context).Put(id, new JsonObject
        {
            ["containerInstanceArn"] = context.Arn("ecs", $"container-instance/{cluster.Text("clusterName")}/{id}"),
            ["ec2InstanceId"] = instance.Text("InstanceId"),
            ["capacityProviderName"] = provider!.Text("name"),
            ["version"] = 1,
            ["remainingResources"] = Resources(),
            ["registeredResources"] = Resources(),
            ["status"] = "ACTIVE",
            ["agentConnected"] = true,
            ["runningTasksCount"] = 0,
            ["pendingTasksCount"] = 0,
            ["registeredAt"] = Documents.Time(Runtime.Clock.Now),
            ["attributes"] = new JsonArray(
                new JsonObject { ["name"] = "ecs.availability-zone", ["value"] = instance.Child("Placement")?.Text("AvailabilityZone") },
                new JsonObject { ["name"] = "ecs.instance-type", ["value"] = type.Name },
                new JsonObject { ["name"] = "ecs.cpu-architecture", ["value"] = type.Architecture }),
            ["tags"] = new JsonArray(),
            ["_Cluster"] = cluster.Text("clusterArn"),
        });
        WakeAll(context);
    }

    /// <summary>An instance has gone: it leaves its cluster, and its tasks stop.</summary>
    public void InstanceDown(RequestContext context, string instanceId)
    {
        if (Instances(context).Find(item => item.Text("ec2InstanceId") == instanceId) is not { } instance)
        {
            return;
        }
        var arn = instance.Required("containerInstanceArn");
        Instances(context).Remove(NameOf(arn));
        foreach (var task in Tasks(context).Where(task => task.Text("containerInstanceArn") == arn && task.Text("desiredStatus") != "STOPPED"))
        {
            Stop(context, NameOf(task.Required("taskArn")), $"Host EC2 (instance {instanceId}) terminated.", "TerminationNotice");
        }
    }

    /// <summary>A container instance with room for a task, and the room taken; null when there is none.</summary>
    private JsonObject? Place(RequestContext context, string clusterArn, string? provider, int cpu, int memory) => Instances(context).Lock(() =>
    {
        var fitting = Instances(context).Where(instance => instance.Text("_Cluster") == clusterArn && instance.Text("status") == "ACTIVE"
                && (provider is null || instance.Text("capacityProviderName") == provider) && Remaining(instance, "CPU") >= cpu && Remaining(instance, "MEMORY") >= memory)
            .OrderBy(instance => Remaining(instance, "MEMORY")).FirstOrDefault();
        return fitting is null ? null : Reserve(context, fitting.Required("containerInstanceArn"), cpu, memory);
    });

    private JsonObject? Reserve(RequestContext context, string arn, int cpu, int memory) => Instances(context).Update(NameOf(arn), instance =>
    {
        foreach (var resource in instance.Objects("remainingResources"))
        {
            resource["integerValue"] = resource.Int("integerValue") - (resource.Text("name") == "CPU" ? cpu : memory);
        }
    });

    private static int Remaining(JsonObject instance, string resource) =>
        instance.Objects("remainingResources").First(item => item.Text("name") == resource).Int("integerValue") ?? 0;

    /// <summary>Asks the group behind a capacity provider for enough instances for the tasks that wait.</summary>
    private void ScaleOut(RequestContext context, string? providerName)
    {
        if (providerName is null || Providers(context).Get(providerName)?.Child("autoScalingGroupProvider") is not { } settings || settings.Child("managedScaling")?.Text("status") != "ENABLED")
        {
            return;
        }
        var waiting = Tasks(context).Where(task => task.Is("_Waiting") && task.Text("capacityProviderName") == providerName);
        var cpu = waiting.Sum(task => int.Parse(task.Required("cpu"), CultureInfo.InvariantCulture));
        var memory = waiting.Sum(task => int.Parse(task.Required("memory"), CultureInfo.InvariantCulture));
        Runtime.Service<AutoScaling.AutoScalingService>().NeedMore(context, settings.Required("autoScalingGroupArn"), cpu, memory, Instances(context).Where(item => item.Text("capacityProviderName") == providerName).Count);
    }
}
