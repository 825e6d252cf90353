using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Ecs;

/// <summary>Tasks: their way from PROVISIONING to RUNNING and on to STOPPED.</summary>
internal sealed partial class EcsService
{
    private static readonly TimeSpan StoppedTaskRetention = TimeSpan.FromHours(1);

    private void AddTasks()
    {
        On("RunTask", RunTask);
        On("StopTask", (context, input) =>
        {
            var cluster = Cluster(context, input);
            var task = TaskIn(context, cluster, input.Required("task")) ?? throw Invalid("The referenced task was not found.");
            Stop(context, NameOf(task.Required("taskArn")), input.Text("reason") ?? "Task stopped by user", "UserInitiated");
            return new JsonObject { ["task"] = View(TaskIn(context, cluster, input.Required("task"))!, input) };
        });
        On("DescribeTasks", (context, input) =>
        {
            var cluster = Cluster(context, input);
            var found = new List<JsonObject>();
            var failures = new List<JsonObject>();
            foreach (var name in input.Texts("tasks"))
            {
                if (TaskIn(context, cluster, name) is { } task)
                {
                    found.Add(View(task, input));
                }
                else
                {
                    failures.Add(Failure(context.Arn("ecs", $"task/{cluster.Text("clusterName")}/{NameOf(name)}")));
                }
            }
            return new JsonObject { ["tasks"] = found.ToJsonList(), ["failures"] = failures.ToJsonList() };
        });
        On("ListTasks", (context, input) =>
        {
            var cluster = Cluster(context, input);
            var desired = input.Text("desiredStatus") ?? "RUNNING";
            if (input.Text("serviceName") is { } service && FindService(context, cluster, service) is null)
            {
                throw new ServiceFault("ServiceNotFoundException", "Service not found.");
            }
            var all = Tasks(context).Where(task => task.Text("clusterArn") == cluster.Text("clusterArn") && task.Text("desiredStatus") == desired
                && (input.Text("serviceName") is not { } name || task.Text("group") == "service:" + NameOf(name))
                && (input.Text("family") is not { } family || NameOf(task.Required("taskDefinitionArn")).Split(':')[0] == family)
                && (input.Text("startedBy") is not { } by || task.Text("startedBy") == by)
                && (input.Text("launchType") is not { } launch || task.Text("launchType") == launch)
                && (input.Text("containerInstance") is not { } host || NameOf(task.Text("containerInstanceArn") ?? "") == NameOf(host)))
                .Select(task => task.Required("taskArn")).ToList();
            return Pages.AnswerTexts(input, all, "taskArns", "maxResults", "nextToken");
        });
        On("ListContainerInstances", (context, input) =>
        {
            var cluster = Cluster(context, input);
            return Pages.AnswerTexts(input, Instances(context).Where(item => item.Text("_Cluster") == cluster.Text("clusterArn") && (input.Text("status") is not { } status || item.Text("status") == status))
                .Select(item => item.Required("containerInstanceArn")).ToList(), "containerInstanceArns", "maxResults", "nextToken");
        });
        On("DescribeContainerInstances", (context, input) =>
        {
            _ = Cluster(context, input);
            var found = input.Texts("containerInstances").Select(name => (Name: name, Item: Instances(context).Get(NameOf(name)))).ToList();
            return new JsonObject
            {
                ["containerInstances"] = found.Where(pair => pair.Item is not null).Select(pair => Busy(context, View(pair.Item!, input))).ToJsonList(),
                ["failures"] = found.Where(pair => pair.Item is null).Select(pair => Failure(pair.Name)).ToJsonList(),
            };
        });
    }

    private JsonObject Busy(RequestContext context, JsonObject instance)
    {
        var tasks = Tasks(context).Where(task => task.Text("containerInstanceArn") == instance.Text("containerInstanceArn") && task.Text("lastStatus") != "STOPPED");
        instance["runningTasksCount"] = tasks.Count(task => task.Text("lastStatus") == "RUNNING");
        instance["pendingTasksCount"] = tasks.Count(task => task.Text("lastStatus") is "PENDING" or "ACTIVATING");
        return instance;
    }

    private JsonObject? TaskIn(RequestContext context, JsonObject cluster, string name) =>
        Tasks(context).Get(NameOf(name)) is { } task && task.Text("clusterArn") == cluster.Text("clusterArn") ? task : null;

    private JsonObject RunTask(RequestContext context, JsonObject input)
    {
        var cluster = Cluster(context, input);
        var definition = ActiveDefinition(context, input.Required("taskDefinition"));
        CheckNetwork(context, definition, input.Child("networkConfiguration"));
        var count = input.Int("count") ?? 1;
        var strategy = Strategy(cluster, input);
        var tasks = new List<JsonObject>();
        var failures = new List<JsonObject>();
        for (var i = 0; i < count; i++)
        {
            var provider = strategy.Count > 0 ? Choose(strategy, tasks.Select(task => task.Text("capacityProviderName"))) : null;
            var launch = provider is null ? input.Text("launchType") ?? "EC2" : BuiltInProviders.Contains(provider) ? "FARGATE" : "EC2";
            if (launch == "EC2" && provider is null && !Instances(context).Any(item => item.Text("_Cluster") == cluster.Text("clusterArn")))
            {
                throw Invalid("No Container Instances were found in your cluster.");
            }
            tasks.Add(Start(context, new TaskStart(cluster, definition, input.Text("group") ?? "family:" + definition.Text("family"), input.Text("startedBy"), input.Child("networkConfiguration"),
                provider, launch, input.Objects("tags").ToList(), input.Child("overrides"), null)));
        }
        return new JsonObject { ["tasks"] = tasks.ToJsonList(), ["failures"] = failures.ToJsonList() };
    }

    /// <summary>What a new task is made of.</summary>
    private sealed record TaskStart(JsonObject Cluster, JsonObject Definition, string Group, string? StartedBy, JsonObject? Network, string? Provider, string LaunchType,
        IReadOnlyList<JsonObject> Tags, JsonObject? Overrides, JsonObject? Service, JsonArray? Targets = null);

    private JsonObject Start(RequestContext context, TaskStart start)
    {
        var id = Runtime.Ids.Hex(32);
        var cluster = start.Cluster.Required("clusterName");
        var arn = context.Arn("ecs", $"task/{cluster}/{id}");
        var definition = start.Definition;
        var containers = definition.Objects("containerDefinitions").ToList();
        var task = new JsonObject
        {
            ["taskArn"] = arn,
            ["clusterArn"] = start.Cluster.Text("clusterArn"),
            ["taskDefinitionArn"] = definition.Text("taskDefinitionArn"),
            ["group"] = start.Group,
            ["lastStatus"] = "PROVISIONING",
            ["desiredStatus"] = "RUNNING",
            ["launchType"] = start.LaunchType,
            ["cpu"] = definition.Text("cpu") ?? containers.Sum(container => container.Int("cpu") ?? 0).ToString(CultureInfo.InvariantCulture),
            ["memory"] = definition.Text("memory") ?? containers.Sum(container => container.Int("memory") ?? container.Int("memoryReservation") ?? 0).ToString(CultureInfo.InvariantCulture),
            ["createdAt"] = Documents.Time(Runtime.Clock.Now),
            ["healthStatus"] = "UNKNOWN",
            ["connectivity"] = "CONNECTED",
            ["version"] = 1,
            ["enableExecuteCommand"] = false,
            ["overrides"] = start.Overrides.Copy() ?? new JsonObject { ["containerOverrides"] = new JsonArray() },
            ["tags"] = start.Tags.Select(tag => tag.Copy()).ToJsonList(),
            ["attachments"] = new JsonArray(),
            ["attributes"] = new JsonArray(),
            ["containers"] = containers.Select(container => new JsonObject
            {
                ["containerArn"] = context.Arn("ecs", $"container/{cluster}/{id}/{Runtime.Ids.Uuid()}"),
                ["taskArn"] = arn,
                ["name"] = container.Text("name"),
                ["image"] = container.Text("image"),
                ["lastStatus"] = "PENDING",
                ["healthStatus"] = "UNKNOWN",
                ["networkInterfaces"] = new JsonArray(),
                ["networkBindings"] = new JsonArray(),
                ["cpu"] = (container.Int("cpu") ?? 0).ToString(CultureInfo.InvariantCulture),
            }.With("memory", container.Text("memory"))).ToJsonList(),
        }.With("startedBy", start.StartedBy).With("capacityProviderName", start.Provider);
        if (start.LaunchType == "FARGATE")
        {
            task["platformVersion"] = "1.4.0";
            task["platformFamily"] = "Linux";
            task["ephemeralStorage"] = definition["ephemeralStorage"].Copy() ?? new JsonObject { ["sizeInGiB"] = 20 };
        }
        if (start.Service is { } service)
        {
            task["_Service"] = ServiceKey(service);
            task["_LoadBalancers"] = start.Targets ?? service["loadBalancers"].Copy();
            task["_Registries"] = service["serviceRegistries"].Copy();
        }
        task["_Network"] = start.Network.Copy();
        Tasks(context).Put(id, task);
        Provision(context, id);
        return Tasks(context).Get(id)!;
    }

    /// <summary>Finds a place and an address for a task; what waits for an instance is tried again when one comes.</summary>
    private void Provision(RequestContext context, string id)
    {
        if (Tasks(context).Get(id) is not { } task || task.Text("lastStatus") != "PROVISIONING" || task.Text("desiredStatus") == "STOPPED" || task.Is("_Placed"))
        {
            return;
        }
        if (task.Text("launchType") == "EC2")
        {
            var (cpu, memory) = (int.Parse(task.Required("cpu"), CultureInfo.InvariantCulture), int.Parse(task.Required("memory"), CultureInfo.InvariantCulture));
            if (Place(context, task.Required("clusterArn"), task.Text("capacityProviderName"), cpu, memory) is not { } instance)
            {
                Tasks(context).Update(id, document => document["_Waiting"] = true);
                ScaleOut(context, task.Text("capacityProviderName"));
                return;
            }
            Tasks(context).Update(id, document =>
            {
                document.Remove("_Waiting");
                document["containerInstanceArn"] = instance.Text("containerInstanceArn");
                document["availabilityZone"] = instance.Objects("attributes").First(item => item.Text("name") == "ecs.availability-zone")["value"].Copy();
            });
        }
        try
        {
            Attach(context, id, task);
        }
        catch (ServiceFault fault) when (fault.Code == "ServerException")
        {
            Stop(context, id, fault.Message, "TaskFailedToStart");
            return;
        }
        catch (ServiceFault fault)
        {
            Stop(context, id, $"ResourceInitializationError: unable to attach a network interface: {fault.Message}", "TaskFailedToStart");
            return;
        }
        Tasks(context).Update(id, document => document["_Placed"] = true);
        Runtime.After(Durations.TaskProvisioning, () => Move(context, id, "PROVISIONING", "PENDING"));
    }

    /// <summary>A network interface in one of the subnets, spread over them.</summary>
    private void Attach(RequestContext context, string id, JsonObject task)
    {
        if (task.Child("_Network")?.Child("awsvpcConfiguration") is not { } network)
        {
            return;
        }
        var ec2 = Runtime.Service<Ec2Service>();
        var subnets = Reachable(context, network.Texts("subnets"));
        var siblings = Tasks(context).Where(other => other.Text("group") == task.Text("group") && other.Text("desiredStatus") == "RUNNING" && other.Has("_Subnet"));
        var subnet = subnets.OrderBy(candidate => siblings.Count(other => other.Text("_Subnet") == candidate)).First();
        var made = ec2.AllocateInterface(context, subnet, network.Texts("securityGroups"), task.Required("taskArn").Replace(":task/", ":attachment/", StringComparison.Ordinal), "interface", "amazon-ecs");
        Tasks(context).Update(id, document =>
        {
            document["_Subnet"] = subnet;
            document["_Interface"] = made.Text("NetworkInterfaceId");
            document["_Ip"] = made.Text("PrivateIpAddress");
            document["availabilityZone"] = made.Text("AvailabilityZone");
            JsonObject Detail(string name, string? value) => new() { ["name"] = name, ["value"] = value };
            document["attachments"] = new JsonArray(new JsonObject
            {
                ["id"] = Runtime.Ids.Uuid(),
                ["type"] = "ElasticNetworkInterface",
                ["status"] = "ATTACHED",
                ["details"] = new JsonArray(Detail("subnetId", subnet), Detail("networkInterfaceId", made.Text("NetworkInterfaceId")), Detail("macAddress", made.Text("MacAddress")),
                    Detail("privateDnsName", made.Text("PrivateDnsName")), Detail("privateIPv4Address", made.Text("PrivateIpAddress"))),
            });
            foreach (var container in document.Objects("containers"))
            {
                container["networkInterfaces"] = new JsonArray(new JsonObject { ["attachmentId"] = document.Objects("attachments").First().Text("id"), ["privateIpv4Address"] = made.Text("PrivateIpAddress") });
            }
        });
    }

    /// <summary>One step of a task's way up.</summary>
    private void Move(RequestContext context, string id, string from, string to)
    {
        if (Tasks(context).Get(id) is not { } task || task.Text("lastStatus") != from || task.Text("desiredStatus") == "STOPPED")
        {
            return;
        }
        var definition = Definitions(context).Get(NameOf(task.Required("taskDefinitionArn")))!;
        if (from == "PENDING" && StartProblem(context, task, definition) is { } problem)
        {
            Stop(context, id, problem, "TaskFailedToStart");
            return;
        }
        Tasks(context).Update(id, document =>
        {
            document["lastStatus"] = to;
            document["version"] = document.Int("version") + 1;
            if (to == "PENDING")
            {
                document["pullStartedAt"] = Documents.Time(Runtime.Clock.Now);
                document["connectivityAt"] = Documents.Time(Runtime.Clock.Now);
            }
            else if (from == "PENDING")
            {
                document["pullStoppedAt"] = Documents.Time(Runtime.Clock.Now);
            }
            if (to == "RUNNING")
            {
                document["startedAt"] = Documents.Time(Runtime.Clock.Now);
                foreach (var container in document.Objects("containers"))
                {
                    container["lastStatus"] = "RUNNING";
                    container["runtimeId"] = $"{id}-{Runtime.Ids.Digits(10)}";
                    container["imageDigest"] = ContainerImages.DigestOf(context, container.Required("image"));
                }
            }
        });
        switch (to)
        {
            case "PENDING":
                var hasTargets = task.Objects("_LoadBalancers").Any() || task.Objects("_Registries").Any();
                Runtime.After(Durations.TaskPending, () => Move(context, id, "PENDING", hasTargets ? "ACTIVATING" : "RUNNING"));
                break;
            case "ACTIVATING":
                RegisterTargets(context, task);
                Runtime.After(Durations.TaskActivating, () => Move(context, id, "ACTIVATING", "RUNNING"));
                break;
            case "RUNNING":
                Watch(context, id, definition);
                break;
        }
        Wake(context, task.Text("_Service"));
    }

    /// <summary>Why a task cannot start, in the words in which ECS reports it; null when it can.</summary>
    private string? StartProblem(RequestContext context, JsonObject task, JsonObject definition)
    {
        foreach (var container in definition.Objects("containerDefinitions"))
        {
            foreach (var secret in container.Objects("secrets"))
            {
                var from = secret.Required("valueFrom");
                if (!SecretSources.Exists(context, from))
                {
                    return "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
                        + $"failed to fetch secret {from} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.";
                }
            }
            if (container.Child("logConfiguration") is { } logging && logging.Text("logDriver") == "awslogs" && logging.Child("options")?.Text("awslogs-group") is { } group
                && !Runtime.Service<Logs.LogsService>().EnsureGroup(context, group, logging.Child("options")?.Text("awslogs-create-group") == "true"))
            {
                return $"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. (log group {group}) : exit status 1";
            }
            var image = container.Required("image");
            if (ContainerImages.PullProblem(context, image) is { } problem)
            {
                return $"CannotPullContainerError: {problem}";
            }
        }
        _ = task;
        return null;
    }

    /// <summary>What happens to a running task by itself: its health checks answer, or it ends.</summary>
    private void Watch(RequestContext context, string id, JsonObject definition)
    {
        foreach (var container in definition.Objects("containerDefinitions"))
        {
            var name = container.Required("name");
            var behaviour = ContainerImages.BehaviourOf(context, container.Required("image"));
            if (behaviour == ImageBehaviour.Exits && container.Flag("essential") != false)
            {
                Runtime.After(TimeSpan.FromSeconds(10), () => Exit(context, id, name));
            }
            if (container.Child("healthCheck") is { } check)
            {
                var interval = TimeSpan.FromSeconds(check.Int("interval") ?? 30);
                var grace = TimeSpan.FromSeconds(check.Int("startPeriod") ?? 0);
                var healthy = behaviour != ImageBehaviour.Unhealthy;
                Runtime.After(healthy ? interval : grace + (interval * (check.Int("retries") ?? 3)), () => SetHealth(context, id, name, healthy ? "HEALTHY" : "UNHEALTHY"));
            }
        }
    }

    private void SetHealth(RequestContext context, string id, string container, string status)
    {
        var task = Tasks(context).Update(id, document =>
        {
            foreach (var item in document.Objects("containers").Where(item => item.Text("name") == container))
            {
                item["healthStatus"] = status;
            }
            var checkedOnes = document.Objects("containers").Select(item => item.Text("healthStatus")).Where(item => item != "UNKNOWN").ToList();
            document["healthStatus"] = checkedOnes.Contains("UNHEALTHY") ? "UNHEALTHY" : checkedOnes.Count > 0 ? "HEALTHY" : "UNKNOWN";
        });
        Wake(context, task?.Text("_Service"));
    }

    private void Exit(RequestContext context, string id, string container)
    {
        if (Tasks(context).Get(id) is { } task && task.Text("lastStatus") == "RUNNING" && task.Text("desiredStatus") != "STOPPED")
        {
            Tasks(context).Update(id, document =>
            {
                foreach (var item in document.Objects("containers").Where(item => item.Text("name") == container))
                {
                    item["exitCode"] = 1;
                }
            });
            LastWords(context, task, container);
            Stop(context, id, "Essential container in task exited", "EssentialContainerExited");
        }
    }

    /// <summary>What a container that breaks down leaves in its log.</summary>
    private void LastWords(RequestContext context, JsonObject task, string container)
    {
        var definition = Definitions(context).Get(NameOf(task.Required("taskDefinitionArn")))?.Objects("containerDefinitions").FirstOrDefault(item => item.Text("name") == container);
        if (definition?.Child("logConfiguration") is { } logging && logging.Text("logDriver") == "awslogs" && logging.Child("options") is { } options && options.Text("awslogs-group") is { } group)
        {
            var stream = $"{options.Text("awslogs-stream-prefix")}/{container}/{NameOf(task.Required("taskArn"))}";
            foreach (var line in (string[])["Traceback (most recent call last):", "  File \"/app/main.py\", line 12, in <module>", "RuntimeError: the application could not start"])
            {
                Runtime.Service<Logs.LogsService>().Write(context, group, stream, line);
            }
        }
    }

    /// <summary>Begins to stop a task; it leaves its load balancer first, and gives back what it holds at the end.</summary>
    private void Stop(RequestContext context, string id, string reason, string code)
    {
        var wasRunning = false;
        var changed = false;
        var task = Tasks(context).Update(id, document =>
        {
            if (document.Text("desiredStatus") == "STOPPED")
            {
                return;
            }
            changed = true;
            wasRunning = document.Text("lastStatus") is "RUNNING" or "ACTIVATING";
            document["desiredStatus"] = "STOPPED";
            document["stoppedReason"] = reason;
            document["stopCode"] = code;
            document["stoppingAt"] = Documents.Time(Runtime.Clock.Now);
            document["lastStatus"] = wasRunning && document.Objects("_LoadBalancers").Any() ? "DEACTIVATING" : "DEPROVISIONING";
        });
        if (task is null || !changed)
        {
            return;
        }
        var delay = wasRunning ? DeregisterTargets(context, task) : TimeSpan.Zero;
        Runtime.After(delay, () =>
        {
            Tasks(context).Update(id, document => document["lastStatus"] = "DEPROVISIONING");
            Runtime.After(Durations.TaskDeprovisioning, () => Stopped(context, id));
        });
        Wake(context, task.Text("_Service"));
    }

    private void Stopped(RequestContext context, string id)
    {
        var task = Tasks(context).Update(id, document =>
        {
            document["lastStatus"] = "STOPPED";
            document["stoppedAt"] = Documents.Time(Runtime.Clock.Now);
            document["executionStoppedAt"] = Documents.Time(Runtime.Clock.Now);
            var cannotPull = (document.Text("stoppedReason") ?? "").StartsWith("CannotPull", StringComparison.Ordinal);
            foreach (var container in document.Objects("containers"))
            {
                container["lastStatus"] = "STOPPED";
                if (cannotPull)
                {
                    container["reason"] = document.Text("stoppedReason");
                }
                else if (document.Has("startedAt"))
                {
                    container["exitCode"] ??= document.Text("stopCode") == "EssentialContainerExited" ? 1 : 0;
                }
            }
            foreach (var attachment in document.Objects("attachments"))
            {
                attachment["status"] = "DELETED";
            }
        });
        if (task is null)
        {
            return;
        }
        Runtime.Service<Ec2Service>().ReleaseInterface(context, task.Text("_Interface"));
        if (task.Text("containerInstanceArn") is { } host)
        {
            Reserve(context, host, -int.Parse(task.Required("cpu"), CultureInfo.InvariantCulture), -int.Parse(task.Required("memory"), CultureInfo.InvariantCulture));
            ProvisionWaiting(context);
        }
        Runtime.After(StoppedTaskRetention, () => Tasks(context).Remove(id));
        Wake(context, task.Text("_Service"));
    }

    private void ProvisionWaiting(RequestContext context)
    {
        foreach (var waiting in Tasks(context).Where(item => item.Is("_Waiting")))
        {
            Provision(context, NameOf(waiting.Required("taskArn")));
        }
    }

    /// <summary>For the load balancer: the task that has an address, whether it answers there and since when; null when no task has it.</summary>
    public (bool Answers, DateTimeOffset? Since)? Answering(RequestContext context, string address)
    {
        var task = Tasks(context).Find(item => item.Text("_Ip") == address && item.Text("lastStatus") is not "STOPPED");
        if (task is null)
        {
            return null;
        }
        var behaves = task.Objects("containers").All(container => ContainerImages.BehaviourOf(context, container.Required("image")) != ImageBehaviour.Unhealthy);
        return (task.Text("lastStatus") == "RUNNING" && behaves, task.TimeOf("startedAt"));
    }
}
