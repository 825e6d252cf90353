using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.Ecs;

internal sealed partial class EcsService
{
    private readonly ConcurrentDictionary<string, object> gates = new(StringComparer.Ordinal);

    [GeneratedRegex(@"^[a-zA-Z0-9_-]{1,255}\z")]
    private static partial Regex ServiceNamePattern();

    private void AddServices()
    {
        On("CreateService", CreateService);
        On("UpdateService", UpdateService);
        On("DeleteService", DeleteService);
        On("ListServices", (context, input) =>
        {
            var cluster = Cluster(context, input);
            return Pages.AnswerTexts(input, ServicesOf(context).Where(service => service.Text("clusterArn") == cluster.Text("clusterArn") && service.Text("status") != "INACTIVE"
                && (input.Text("launchType") is not { } launch || service.Text("launchType") == launch)).Select(service => service.Required("serviceArn")).ToList(), "serviceArns", "maxResults", "nextToken", 10);
        });
        On("DescribeServices", (context, input) =>
        {
            var cluster = Cluster(context, input);
            var found = new List<JsonObject>();
            var failures = new List<JsonObject>();
            foreach (var name in input.Texts("services"))
            {
                if (ServicesOf(context).Get($"{cluster.Text("clusterName")}/{NameOf(name)}") is { } service)
                {
                    found.Add(View(Counted(service, TasksOf(context, service)), input));
                }
                else
                {
                    failures.Add(Failure(context.Arn("ecs", $"service/{cluster.Text("clusterName")}/{NameOf(name)}")));
                }
            }
            return new JsonObject { ["services"] = found.ToJsonList(), ["failures"] = failures.ToJsonList() };
        });
    }

    private static string ServiceKey(JsonObject service) => $"{NameOf(service.Required("clusterArn"))}/{service.Text("serviceName")}";

    private object Gate(RequestContext context, string key) => gates.GetOrAdd($"{context.AccountId}/{context.Region}/{key}", static _ => new object());

    private JsonObject? FindService(RequestContext context, JsonObject cluster, string name) =>
        ServicesOf(context).Get($"{cluster.Text("clusterName")}/{NameOf(name)}") is { } service && service.Text("status") != "INACTIVE" ? service : null;

    private IReadOnlyList<JsonObject> TasksOf(RequestContext context, JsonObject service)
    {
        var key = ServiceKey(service);
        return Tasks(context).Where(task => task.Text("_Service") == key);
    }

    /// <summary>The strategy of a request: its own, none when it names a launch type, or the cluster's.</summary>
    private static List<JsonObject> Strategy(JsonObject cluster, JsonObject input)
    {
        var own = input.Objects("capacityProviderStrategy").ToList();
        if (own.Count > 0 && input.Has("launchType"))
        {
            throw Invalid("Specify a launchType or a capacityProviderStrategy, but not both.");
        }
        var strategy = own.Count > 0 ? own : input.Has("launchType") ? [] : cluster.Objects("defaultCapacityProviderStrategy").ToList();
        if (strategy.Find(item => !cluster.Texts("capacityProviders").Contains(item.Text("capacityProvider")!)) is { } stranger)
        {
            throw Invalid($"The specified capacity provider {stranger.Text("capacityProvider")} is not associated with the cluster. Associate the capacity provider with the cluster and try again.");
        }
        return strategy.ConvertAll(item => new JsonObject { ["capacityProvider"] = item.Text("capacityProvider"), ["weight"] = item.Int("weight") ?? 0, ["base"] = item.Int("base") ?? 0 });
    }

    /// <summary>The provider for one more task: the base first, then by weight.</summary>
    private static string Choose(List<JsonObject> strategy, IEnumerable<string?> present)
    {
        var counts = present.Where(name => name is not null).GroupBy(name => name!).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        int Count(JsonObject item) => counts.GetValueOrDefault(item.Required("capacityProvider"));
        if (strategy.Find(item => Count(item) < item.Int("base")) is { } basis)
        {
            return basis.Required("capacityProvider");
        }
        return strategy.Where(item => item.Int("weight") > 0).DefaultIfEmpty(strategy[0])
            .OrderBy(item => (Count(item) - (item.Int("base") ?? 0)) / (double)Math.Max(1, item.Int("weight") ?? 1)).ThenBy(Count).First().Required("capacityProvider");
    }

    private void CheckNetwork(RequestContext context, JsonObject definition, JsonObject? network)
    {
        var configuration = network?.Child("awsvpcConfiguration");
        if (definition.Text("networkMode") == "awsvpc")
        {
            if (configuration is null || configuration.Texts("subnets").Count == 0)
            {
                throw Invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
            }
            var ec2 = Runtime.Service<Ec2Service>();
            try
            {
                var vpcs = configuration.Texts("subnets").Select(id => ec2.Subnet(context, id).Text("VpcId")).Distinct().ToList();
                if (vpcs.Count > 1)
                {
                    throw Invalid("subnets and security groups must belong to the same VPC");
                }
                foreach (var id in configuration.Texts("securityGroups"))
                {
                    if (ec2.SecurityGroup(context, id).Text("VpcId") != vpcs[0])
                    {
                        throw Invalid("Security groups and subnets belong to different networks.");
                    }
                }
            }
            catch (ServiceFault fault) when (fault.Code.EndsWith(".NotFound", StringComparison.Ordinal))
            {
                throw Invalid($"Error retrieving subnet or security group information: {fault.Message} (ErrorCode: {fault.Code})");
            }
        }
        else if (configuration is not null)
        {
            throw Invalid("Network Configuration is not valid for the given networkMode of this task definition.");
        }
    }

    private JsonObject CreateService(RequestContext context, JsonObject input)
    {
        PublishMetrics();
        var cluster = Cluster(context, input);
        var name = input.Required("serviceName");
        if (!ServiceNamePattern().IsMatch(name))
        {
            throw Invalid("Service name must contain only letters, numbers, hyphens and underscores, up to 255 characters.");
        }
        var controller = input.Child("deploymentController")?.Text("type") ?? "ECS";
        if (controller != "ECS" || input.Text("schedulingStrategy") is not (null or "REPLICA"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has deployments of replica services by ECS itself; other controllers and daemons are not there. Nothing was changed.", 501);
        }
        var definition = ActiveDefinition(context, input.Text("taskDefinition") ?? throw Invalid("TaskDefinition can not be blank."));
        Tags.Check(input.Objects("tags"), "InvalidParameterException", "key", "value");
        var strategy = Strategy(cluster, input);
        CheckLaunch(definition, strategy, input);
        CheckNetwork(context, definition, input.Child("networkConfiguration"));
        CheckTargets(context, definition, input);
        if (!input.Has("desiredCount"))
        {
            throw Invalid("The desired count must be specified for REPLICA services.");
        }
        var key = $"{cluster.Text("clusterName")}/{name}";
        lock (Gate(context, key))
        {
            if (ServicesOf(context).Get(key) is { } present && present.Text("status") != "INACTIVE")
            {
                throw Invalid(present.Text("status") == "DRAINING" ? "Unable to Start a service that is still Draining." : "Creation of service was not idempotent.");
            }
            var configuration = input.Child("deploymentConfiguration")?.Copy() ?? [];
            configuration["maximumPercent"] ??= 200;
            configuration["minimumHealthyPercent"] ??= 100;
            configuration["deploymentCircuitBreaker"] ??= new JsonObject { ["enable"] = false, ["rollback"] = false };
            configuration["strategy"] ??= "ROLLING";
            CheckPercents(configuration, input.Int("desiredCount") ?? 0);
            var service = new JsonObject
            {
                ["serviceArn"] = context.Arn("ecs", "service/" + key),
                ["serviceName"] = name,
                ["clusterArn"] = cluster.Text("clusterArn"),
                ["loadBalancers"] = input["loadBalancers"].Copy() ?? new JsonArray(),
                ["serviceRegistries"] = input["serviceRegistries"].Copy() ?? new JsonArray(),
                ["status"] = "ACTIVE",
                ["desiredCount"] = input.Int("desiredCount"),
                ["taskDefinition"] = definition.Text("taskDefinitionArn"),
                ["deploymentConfiguration"] = configuration,
                ["deployments"] = new JsonArray(),
                ["events"] = new JsonArray(),
                ["createdAt"] = Documents.Time(context.Now),
                ["placementConstraints"] = input["placementConstraints"].Copy() ?? new JsonArray(),
                ["placementStrategy"] = input["placementStrategy"].Copy() ?? new JsonArray(),
                ["schedulingStrategy"] = "REPLICA",
                ["deploymentController"] = new JsonObject { ["type"] = "ECS" },
                ["tags"] = input["tags"].Copy() ?? new JsonArray(),
                ["createdBy"] = context.PrincipalArn,
                ["enableECSManagedTags"] = input.Is("enableECSManagedTags"),
                ["propagateTags"] = input.Text("propagateTags") ?? "NONE",
                ["enableExecuteCommand"] = input.Is("enableExecuteCommand"),
                ["availabilityZoneRebalancing"] = input.Text("availabilityZoneRebalancing") ?? "DISABLED",
                ["roleArn"] = context.GlobalArn("iam", "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"),
            }.Take(input, "networkConfiguration");
            if (input.Objects("loadBalancers").Any())
            {
                service["healthCheckGracePeriodSeconds"] = input.Int("healthCheckGracePeriodSeconds") ?? 0;
            }
            if (strategy.Count > 0)
            {
                service["capacityProviderStrategy"] = strategy.ToJsonList();
            }
            else
            {
                service["launchType"] = input.Text("launchType") ?? "EC2";
            }
            if (IsFargate(service))
            {
                service["platformVersion"] = input.Text("platformVersion") ?? "LATEST";
                service["platformFamily"] = "Linux";
            }
            CheckStrategy(context, service);
            Deploy(context, service);
            ServicesOf(context).Put(key, service);
            Wake(context, key);
            return new JsonObject { ["service"] = Counted(service.Copy(), []) };
        }
    }

    private static bool IsFargate(JsonObject service) => service.Text("launchType") == "FARGATE"
        || service.Objects("capacityProviderStrategy").Any(item => BuiltInProviders.Contains(item.Text("capacityProvider")));

    private static void CheckLaunch(JsonObject definition, List<JsonObject> strategy, JsonObject input)
    {
        var fargate = input.Text("launchType") == "FARGATE" || strategy.Exists(item => BuiltInProviders.Contains(item.Text("capacityProvider")));
        if (fargate && !definition.Texts("requiresCompatibilities").Contains("FARGATE"))
        {
            throw Invalid("Task definition does not support launch_type FARGATE.");
        }
    }

    private static void CheckPercents(JsonObject configuration, int desired)
    {
        var (maximum, minimum) = (configuration.Int("maximumPercent") ?? 200, configuration.Int("minimumHealthyPercent") ?? 100);
        if (maximum <= minimum && desired > 0 && maximum <= 100)
        {
            throw Invalid("The maximumPercent and minimumHealthyPercent must leave room for a deployment to replace tasks.");
        }
    }

    /// <summary>Load balancers and registries of a service must exist and fit its containers.</summary>
    private void CheckTargets(RequestContext context, JsonObject definition, JsonObject input)
    {
        var elb = Runtime.Service<ElbService>();
        foreach (var target in input.Objects("loadBalancers"))
        {
            var arn = target.Text("targetGroupArn") ?? throw Invalid("The target group ARN must be specified.");
            var container = definition.Objects("containerDefinitions").FirstOrDefault(item => item.Text("name") == target.Text("containerName"))
                ?? throw Invalid($"The container {target.Text("containerName")} does not exist in the task definition.");
            if (!container.Objects("portMappings").Any(port => port.Int("containerPort") == target.Int("containerPort")))
            {
                throw Invalid($"The container {target.Text("containerName")} did not have a container port {target.Text("containerPort")} defined.");
            }
            var type = elb.TargetTypeOf(context, arn) ?? throw Invalid($"The specified target group does not exist. (targetGroupArn {arn})");
            if (definition.Text("networkMode") == "awsvpc" && type != "ip")
            {
                throw Invalid($"The provided target group {arn} has target type {type}, which is incompatible with the awsvpc network mode specified in the task definition.");
            }
            if (elb.BalancersOf(context, arn).Count == 0)
            {
                throw Invalid($"The target group with targetGroupArn {arn} does not have an associated load balancer.");
            }
        }
        foreach (var registry in input.Objects("serviceRegistries"))
        {
            if (!Runtime.Service<ServiceDiscovery.ServiceDiscoveryService>().Exists(context, registry.Required("registryArn")))
            {
                throw Invalid($"The service registry {registry.Text("registryArn")} does not exist.");
            }
        }
    }

    private JsonObject UpdateService(RequestContext context, JsonObject input)
    {
        var cluster = Cluster(context, input);
        var key = $"{cluster.Text("clusterName")}/{NameOf(input.Required("service"))}";
        lock (Gate(context, key))
        {
            var service = FindService(context, cluster, input.Required("service")) ?? throw new ServiceFault("ServiceNotFoundException", "Service not found.");
            if (service.Text("status") != "ACTIVE")
            {
                throw new ServiceFault("ServiceNotActiveException", "Service was not ACTIVE.");
            }
            var definition = ActiveDefinition(context, input.Text("taskDefinition") ?? service.Required("taskDefinition"));
            var merged = service.Copy().Take(input, "networkConfiguration", "loadBalancers", "serviceRegistries");
            CheckNetwork(context, definition, merged.Child("networkConfiguration"));
            CheckTargets(context, definition, merged);
            var redeploy = input.Is("forceNewDeployment") || definition.Text("taskDefinitionArn") != service.Text("taskDefinition");
            foreach (var member in (string[])["networkConfiguration", "loadBalancers", "serviceRegistries", "platformVersion"])
            {
                redeploy |= input.Has(member) && !Documents.Same(input[member], service[member]);
            }
            service.Take(input, "networkConfiguration", "loadBalancers", "serviceRegistries", "platformVersion", "desiredCount", "healthCheckGracePeriodSeconds", "placementConstraints", "placementStrategy",
                "enableECSManagedTags", "enableExecuteCommand", "propagateTags", "availabilityZoneRebalancing");
            if (input.Has("capacityProviderStrategy"))
            {
                var strategy = Strategy(cluster, input);
                redeploy |= !Documents.Same(strategy.Select(item => item.Copy()).ToJsonList(), service["capacityProviderStrategy"]);
                service["capacityProviderStrategy"] = strategy.ToJsonList();
                service.Remove("launchType");
            }
            foreach (var (member, value) in input.Child("deploymentConfiguration") ?? [])
            {
                service.ChildOrNew("deploymentConfiguration")[member] = value.Copy();
            }
            if (input.Child("deploymentConfiguration") is { } given && given.Has("strategy"))
            {
                // The numbers of another strategy go with it.
                foreach (var member in (string[])["linearConfiguration", "canaryConfiguration", "bakeTimeInMinutes"])
                {
                    if (!given.Has(member))
                    {
                        service.Child("deploymentConfiguration")!.Remove(member);
                    }
                }
            }
            CheckPercents(service.Child("deploymentConfiguration")!, service.Int("desiredCount") ?? 0);
            CheckStrategy(context, service);
            service["taskDefinition"] = definition.Text("taskDefinitionArn");
            if (redeploy)
            {
                Deploy(context, service);
            }
            else
            {
                // Only a count changed: the present deployment carries on towards it.
                foreach (var deployment in service.Objects("deployments").Take(1))
                {
                    deployment["desiredCount"] = service.Int("desiredCount");
                    deployment["updatedAt"] = Documents.Time(context.Now);
                }
            }
            service.Remove("_Steady");
            ServicesOf(context).Put(key, service);
            Wake(context, key);
            return new JsonObject { ["service"] = View(Counted(service.Copy(), TasksOf(context, service)), new JsonObject { ["include"] = new JsonArray("TAGS") }) };
        }
    }

    /// <summary>Sets a service's desired count, for autoscaling.</summary>
    public void SetDesiredCount(RequestContext context, string cluster, string service, int count) =>
        UpdateService(context, new JsonObject { ["cluster"] = cluster, ["service"] = service, ["desiredCount"] = count });

    private JsonObject DeleteService(RequestContext context, JsonObject input)
    {
        var cluster = Cluster(context, input);
        var key = $"{cluster.Text("clusterName")}/{NameOf(input.Required("service"))}";
        lock (Gate(context, key))
        {
            var service = FindService(context, cluster, input.Required("service")) ?? throw new ServiceFault("ServiceNotFoundException", "Service not found.");
            if (service.Int("desiredCount") > 0 && !input.Is("force"))
            {
                throw Invalid("The service cannot be stopped while it is scaled above 0.");
            }
            service["status"] = "DRAINING";
            service["desiredCount"] = 0;
            foreach (var deployment in service.Objects("deployments"))
            {
                deployment["desiredCount"] = 0;
            }
            ServicesOf(context).Put(key, service);
            Wake(context, key);
            return new JsonObject { ["service"] = Counted(service.Copy(), TasksOf(context, service)) };
        }
    }

    private static bool IsPending(JsonObject task) => task.Text("desiredStatus") == "RUNNING" && task.Text("lastStatus") is "PROVISIONING" or "PENDING" or "ACTIVATING";

    private static JsonObject Counted(JsonObject service, IReadOnlyList<JsonObject> tasks)
    {
        static bool Running(JsonObject task) => task.Text("lastStatus") == "RUNNING";
        service["runningCount"] = tasks.Count(Running);
        service["pendingCount"] = tasks.Count(IsPending);
        foreach (var deployment in service.Objects("deployments"))
        {
            var own = tasks.Where(task => task.Text("startedBy") == deployment.Text("id")).ToList();
            deployment["runningCount"] = own.Count(Running);
            deployment["pendingCount"] = own.Count(IsPending);
        }
        service["currentServiceRevisions"] = service.Objects("deployments").Where(deployment => deployment.Has("_Revision")).Select(deployment => new JsonObject
        {
            ["arn"] = deployment.Text("_Revision"),
            ["requestedTaskCount"] = deployment.Text("status") == "PRIMARY" ? service.Int("desiredCount") : deployment.Int("runningCount"),
            ["runningTaskCount"] = deployment.Int("runningCount"),
            ["pendingTaskCount"] = deployment.Int("pendingCount"),
        }).ToJsonList();
        if (service.Text("_Ongoing") is { } ongoing)
        {
            service["currentServiceDeployment"] = service.Required("serviceArn").Split(":service/")[0] + ":service-deployment/" + ongoing;
        }
        return service;
    }

    private void Event(JsonObject service, string message)
    {
        var events = service.ListOrNew("events");
        events.Insert(0, new JsonObject
        {
            ["id"] = Runtime.Ids.Uuid(),
            ["createdAt"] = Documents.Time(Runtime.Clock.Now),
            ["message"] = $"(service {service.Text("serviceName")}) {message}",
        });
        while (events.Count > 100)
        {
            events.RemoveAt(events.Count - 1);
        }
    }
}
