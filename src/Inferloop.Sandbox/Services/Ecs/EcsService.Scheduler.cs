using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.Ecs;

/// <summary>The service scheduler: brings running tasks to what the deployments ask for, replaces what fails, and says so in events.</summary>
internal sealed partial class EcsService
{
    /// <summary>The services a look is being taken at, as they will be stored at its end.</summary>
    private readonly ConcurrentDictionary<string, JsonObject> underWork = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> awake = new(StringComparer.Ordinal);

    /// <summary>Has the scheduler look at a service soon. While the service is not steady it keeps looking.</summary>
    private void Wake(RequestContext context, string? key)
    {
        if (key is null || !awake.TryAdd($"{context.AccountId}/{context.Region}/{key}", true))
        {
            return;
        }
        Runtime.After(Durations.ServiceScheduler, () =>
        {
            awake.TryRemove($"{context.AccountId}/{context.Region}/{key}", out _);
            if (!Tick(context, key))
            {
                Wake(context, key);
            }
        });
    }

    private void WakeAll(RequestContext context)
    {
        ProvisionWaiting(context);
        foreach (var service in ServicesOf(context).Where(service => service.Text("status") != "INACTIVE"))
        {
            Wake(context, ServiceKey(service));
        }
    }

    /// <summary>One look at a service; says whether it is steady.</summary>
    private bool Tick(RequestContext context, string key)
    {
        lock (Gate(context, key))
        {
            if (ServicesOf(context).Get(key) is not { } service || service.Text("status") == "INACTIVE")
            {
                return true;
            }
            underWork[service.Required("serviceArn")] = service;
            try
            {
                var steady = service.Text("status") == "DRAINING" ? Drain(context, service) : Reconcile(context, service);
                ServicesOf(context).Put(key, service);
                return steady;
            }
            finally
            {
                underWork.TryRemove(service.Required("serviceArn"), out _);
            }
        }
    }

    private bool Drain(RequestContext context, JsonObject service)
    {
        var tasks = TasksOf(context, service).Where(task => task.Text("lastStatus") != "STOPPED").ToList();
        foreach (var task in tasks.Where(task => task.Text("desiredStatus") == "RUNNING"))
        {
            StopForService(context, service, task, "Task stopped because its service is being deleted", log: false);
        }
        if (tasks.Count > 0)
        {
            return false;
        }
        if (Ongoing(context, service) is { } deployment)
        {
            Close(context, deployment, "STOPPED", "Service deployment stopped because the service was deleted.");
        }
        service.Remove("_Ongoing");
        service["status"] = "INACTIVE";
        service["deployments"] = new JsonArray();
        return true;
    }

    private bool Reconcile(RequestContext context, JsonObject service)
    {
        var now = Runtime.Clock.Now;
        var desired = service.Int("desiredCount") ?? 0;
        var configuration = service.Child("deploymentConfiguration")!;
        var maximum = Math.Max(desired, (int)Math.Floor(desired * (configuration.Int("maximumPercent") ?? 200) / 100.0));
        var minimum = (int)Math.Ceiling(desired * (configuration.Int("minimumHealthyPercent") ?? 100) / 100.0);
        var primary = service.Objects("deployments").First();
        var primaryId = primary.Required("id");

        var deployment = Ongoing(context, service);
        if (deployment is not null && Steer(context, service, deployment))
        {
            return false;
        }
        CountFailures(context, service);
        ReplaceUnhealthy(context, service, now);
        if (BreakCircuit(context, service, deployment))
        {
            return false;
        }
        if (deployment is not null && deployment.Is("_Shifts") && deployment.Text("status") == "IN_PROGRESS" && !deployment.Is("_Cleaning"))
        {
            Shift(context, service, deployment);
            return false;
        }
        var live = TasksOf(context, service).Where(task => task.Text("desiredStatus") == "RUNNING").ToList();
        var own = live.Where(task => task.Text("startedBy") == primaryId).ToList();
        var older = live.Where(task => task.Text("startedBy") != primaryId).ToList();

        // Up: as many as are missing and the maximum leaves room for.
        var missing = Math.Min(desired - own.Count, maximum - live.Count);
        if (missing > 0 && primary.Text("rolloutState") != "FAILED" && (service.TimeOf("_NextStart") is not { } next || next <= now))
        {
            StartTasks(context, service, primary, missing, live);
            return false;
        }
        // Down: surplus of the primary first the youngest, and of older deployments whatever the healthy ones allow.
        var surplus = own.Count - desired;
        foreach (var task in own.OrderByDescending(task => task.TimeOf("createdAt")).Take(Math.Max(0, surplus)))
        {
            StopForService(context, service, task, $"Scaling activity initiated by (deployment {primaryId})");
        }
        if (older.Count > 0 && primary.Text("rolloutState") != "FAILED")
        {
            var healthy = live.Count(task => IsHealthy(context, service, task));
            var removable = older.Where(task => !IsHealthy(context, service, task)).ToList();
            var spare = Math.Max(0, healthy - minimum);
            removable.AddRange(older.Where(task => IsHealthy(context, service, task)).Take(spare));
            foreach (var task in removable)
            {
                StopForService(context, service, task, $"Scaling activity initiated by (deployment {primaryId})");
            }
        }
        return Settle(context, service, primary, own, older, desired, deployment);
    }

    /// <summary>Whether everything is as asked; the first time it is, the deployment is completed and the event written.</summary>
    private bool Settle(RequestContext context, JsonObject service, JsonObject primary, List<JsonObject> own, List<JsonObject> older, int desired, JsonObject? deployment)
    {
        var stopping = TasksOf(context, service).Any(task => task.Text("lastStatus") != "STOPPED" && task.Text("desiredStatus") == "STOPPED");
        var reached = own.Count == desired && older.Count == 0 && own.TrueForAll(task => IsHealthy(context, service, task));
        if (!reached)
        {
            service.Remove("_Steady");
            // A failed deployment that cannot roll back stays as it is until someone acts.
            return primary.Text("rolloutState") == "FAILED" && own.Count == 0 && older.Count == 0;
        }
        if (primary.Text("rolloutState") == "IN_PROGRESS")
        {
            if (deployment is not null && Bakes(context, deployment))
            {
                return false;
            }
            primary["_Good"] = true;
            if (deployment is not null)
            {
                var isBack = deployment.Text("status") == "ROLLBACK_IN_PROGRESS";
                Close(context, deployment, isBack ? "ROLLBACK_SUCCESSFUL" : "SUCCESSFUL", isBack ? null : "");
                service.Remove("_Ongoing");
            }
            primary["rolloutState"] = "COMPLETED";
            primary["rolloutStateReason"] = $"ECS deployment {primary.Text("id")} completed.";
            primary["updatedAt"] = Documents.Time(Runtime.Clock.Now);
            primary["failedTasks"] = 0;
            service["_LastGood"] = primary.Text("taskDefinition");
            service["deployments"] = new JsonArray(primary.DeepClone());
            Event(service, $"(deployment {primary.Text("id")}) deployment completed.");
        }
        if (!service.Is("_Steady"))
        {
            service["_Steady"] = true;
            Event(service, "has reached a steady state.");
        }
        return !stopping;
    }

    private void StartTasks(RequestContext context, JsonObject service, JsonObject deployment, int count, List<JsonObject> live)
    {
        if (Clusters(context).Get(NameOf(service.Required("clusterArn"))) is not { } cluster || Definitions(context).Get(NameOf(deployment.Required("taskDefinition"))) is not { } definition)
        {
            return;
        }
        var strategy = service.Objects("capacityProviderStrategy").ToList();
        var tags = new List<JsonObject>();
        if (service.Text("propagateTags") == "SERVICE")
        {
            tags.AddRange(service.Objects("tags").Where(tag => !(tag.Text("key") ?? "").StartsWith("aws:", StringComparison.Ordinal)));
        }
        else if (service.Text("propagateTags") == "TASK_DEFINITION")
        {
            tags.AddRange(definition.Objects("tags").Where(tag => !(tag.Text("key") ?? "").StartsWith("aws:", StringComparison.Ordinal)));
        }
        if (service.Is("enableECSManagedTags"))
        {
            tags.Add(new JsonObject { ["key"] = "aws:ecs:clusterName", ["value"] = cluster.Text("clusterName") });
            tags.Add(new JsonObject { ["key"] = "aws:ecs:serviceName", ["value"] = service.Text("serviceName") });
        }
        var providers = live.Where(task => task.Text("startedBy") == deployment.Text("id")).Select(task => task.Text("capacityProviderName")).ToList();
        var started = new List<JsonObject>();
        for (var i = 0; i < count; i++)
        {
            var provider = strategy.Count > 0 ? Choose(strategy, providers) : null;
            providers.Add(provider);
            var launch = provider is null ? service.Text("launchType") ?? "EC2" : BuiltInProviders.Contains(provider) ? "FARGATE" : "EC2";
            if (launch == "EC2" && provider is null && !Instances(context).Any(item => item.Text("_Cluster") == cluster.Text("clusterArn")))
            {
                if (!service.Is("_Unplaced"))
                {
                    service["_Unplaced"] = true;
                    Event(service, "was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.");
                }
                return;
            }
            if (launch == "FARGATE" && Runtime.Faults.LacksCapacity(provider ?? "FARGATE", context.Region))
            {
                // AWS says so again and again while it tries.
                if (service.TimeOf("_Crowded") is not { } told || told + TimeSpan.FromMinutes(1) <= Runtime.Clock.Now)
                {
                    service["_Crowded"] = Documents.Time(Runtime.Clock.Now);
                    Event(service, "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.");
                }
                break;
            }
            service.Remove("_Unplaced");
            started.Add(Start(context, new TaskStart(cluster, definition, "service:" + service.Text("serviceName"), deployment.Text("id"), service.Child("networkConfiguration"), provider, launch, tags, null, service, TargetsOn(service, deployment.Text("_Side")))));
        }
        if (started.Count == 0)
        {
            return;
        }
        var ids = string.Concat(started.Select(task => $" (task {NameOf(task.Required("taskArn"))})"));
        Event(service, $"has started {started.Count} tasks:{ids}.");
    }

    private void StopForService(RequestContext context, JsonObject service, JsonObject task, string reason, bool log = true)
    {
        var id = NameOf(task.Required("taskArn"));
        Stop(context, id, reason, "ServiceSchedulerInitiated");
        if (log)
        {
            Event(service, $"has stopped 1 running tasks: (task {id}).");
        }
    }

    /// <summary>Counts tasks that ended by themselves, once each, and slows further starts down while a deployment keeps failing.</summary>
    private void CountFailures(RequestContext context, JsonObject service)
    {
        foreach (var task in TasksOf(context, service).Where(task => task.Text("stopCode") is "TaskFailedToStart" or "EssentialContainerExited" && !task.Is("_Counted")))
        {
            var id = NameOf(task.Required("taskArn"));
            Tasks(context).Update(id, document => document["_Counted"] = true);
            Fail(service, task);
            if (task.Text("stopCode") == "TaskFailedToStart")
            {
                Event(service, $"(task {id}) failed to start: {task.Text("stoppedReason")}");
            }
        }
    }

    private void Fail(JsonObject service, JsonObject task)
    {
        if (service.Objects("deployments").FirstOrDefault(item => item.Text("id") == task.Text("startedBy")) is not { } deployment)
        {
            return;
        }
        var failed = (deployment.Int("failedTasks") ?? 0) + 1;
        deployment["failedTasks"] = failed;
        deployment["_Reason"] = task.Text("stopCode") == "ServiceSchedulerInitiated" ? "tasks failed health checks" : "tasks failed to start";
        service.Remove("_Steady");
        service["_NextStart"] = Documents.Time(Runtime.Clock.Now + TimeSpan.FromSeconds(Math.Min(300, 5 * Math.Pow(2, Math.Min(failed, 10) / 3.0))));
    }

    /// <summary>Stops tasks that fail their container's or their load balancer's checks; the grace period covers both.</summary>
    private void ReplaceUnhealthy(RequestContext context, JsonObject service, DateTimeOffset now)
    {
        var grace = TimeSpan.FromSeconds(service.Int("healthCheckGracePeriodSeconds") ?? 0);
        foreach (var task in TasksOf(context, service).Where(task => task.Text("lastStatus") == "RUNNING" && task.Text("desiredStatus") == "RUNNING"))
        {
            if (task.TimeOf("startedAt") + grace > now)
            {
                continue;
            }
            var id = NameOf(task.Required("taskArn"));
            if (task.Text("healthStatus") == "UNHEALTHY")
            {
                Event(service, $"(task {id}) failed container health checks.");
                StopForService(context, service, task, "Task failed container health checks", log: false);
                Fail(service, task.With("stopCode", "ServiceSchedulerInitiated"));
                continue;
            }
            foreach (var (group, port) in TargetsOf(task))
            {
                if (task.Text("_Ip") is { } address && Runtime.Service<ElbService>().TargetState(context, group, address, port) == "unhealthy")
                {
                    Event(service, $"(port {port}) is unhealthy in (target-group {group}) due to (reason Health checks failed).");
                    StopForService(context, service, task, $"Task failed ELB health checks in (target-group {group})", log: false);
                    Fail(service, task.With("stopCode", "ServiceSchedulerInitiated"));
                    break;
                }
            }
        }
    }

    /// <summary>Rolling deployments with alarms wait at their end for as long as the alarms look back.</summary>
    private bool Bakes(RequestContext context, JsonObject deployment)
    {
        if (deployment.Is("_Shifts") || deployment.Text("status") != "IN_PROGRESS" || deployment.Child("alarms")?.Text("status") != "MONITORING")
        {
            return false;
        }
        var now = Runtime.Clock.Now;
        if (deployment.TimeOf("_BakeSince") is not { } since)
        {
            deployment["_BakeSince"] = Documents.Time(since = now);
            deployment["lifecycleStage"] = "BAKE_TIME";
            Touch(deployment);
            Deployments(context).Put(DeploymentKey(deployment.Required("serviceDeploymentArn")), deployment);
        }
        var monitoring = Runtime.Service<CloudWatch.CloudWatchService>();
        return now < since + deployment.Child("alarms")!.Texts("alarmNames").Select(name => monitoring.LooksBack(context, name)).DefaultIfEmpty(TimeSpan.Zero).Max();
    }

    /// <summary>The deployment circuit breaker: after enough failures the deployment fails, and rolls back where that is asked and possible.</summary>
    private bool BreakCircuit(RequestContext context, JsonObject service, JsonObject? deployment)
    {
        var primary = service.Objects("deployments").First();
        var breaker = service.Child("deploymentConfiguration")!.Child("deploymentCircuitBreaker");
        var failures = primary.Int("failedTasks") ?? 0;
        if (deployment?.Child("deploymentCircuitBreaker") is { } watch && watch.Int("failureCount") != failures && deployment.Text("status") == "IN_PROGRESS")
        {
            watch["failureCount"] = failures;
            Touch(deployment);
            Deployments(context).Put(DeploymentKey(deployment.Required("serviceDeploymentArn")), deployment);
        }
        if (breaker is null || !breaker.Is("enable") || primary.Text("rolloutState") != "IN_PROGRESS" || failures < Threshold(service))
        {
            return false;
        }
        var why = primary.Text("_Reason") ?? "tasks failed to start";
        primary["rolloutState"] = "FAILED";
        primary["rolloutStateReason"] = $"ECS deployment circuit breaker: {why}.";
        primary["updatedAt"] = Documents.Time(Runtime.Clock.Now);
        Event(service, $"(deployment {primary.Text("id")}) deployment failed: {why}.");
        foreach (var task in TasksOf(context, service).Where(task => task.Text("startedBy") == primary.Text("id") && task.Text("desiredStatus") == "RUNNING"))
        {
            StopForService(context, service, task, $"Scaling activity initiated by (deployment {primary.Text("id")})", log: false);
        }
        var reason = $"ECS deployment circuit breaker: {why}.";
        var back = breaker.Is("rollback") && deployment is not null && deployment.Has("_Source") && deployment.Text("status") == "IN_PROGRESS";
        if (deployment is not null)
        {
            deployment.ChildOrNew("deploymentCircuitBreaker")["status"] = "TRIGGERED";
            if (back)
            {
                RollBack(context, service, deployment, reason);
            }
            else
            {
                Close(context, deployment, deployment.Text("status") == "ROLLBACK_IN_PROGRESS" ? "ROLLBACK_FAILED" : "STOPPED", reason);
                service.Remove("_Ongoing");
            }
        }
        return true;
    }

    private static IEnumerable<(string Group, int Port)> TargetsOf(JsonObject task) => task.Objects("_LoadBalancers")
        .Where(target => target.Has("targetGroupArn")).Select(target => (target.Required("targetGroupArn"), target.Int("containerPort") ?? 0));

    /// <summary>A task counts when it runs, its container is healthy if that is checked, and its load balancer sends it traffic.</summary>
    private bool IsHealthy(RequestContext context, JsonObject service, JsonObject task)
    {
        if (task.Text("lastStatus") != "RUNNING" || task.Text("desiredStatus") != "RUNNING" || task.Text("healthStatus") == "UNHEALTHY")
        {
            return false;
        }
        var isChecked = Definitions(context).Get(NameOf(task.Required("taskDefinitionArn")))?.Objects("containerDefinitions").Any(container => container.Has("healthCheck")) ?? false;
        _ = service;
        return (!isChecked || task.Text("healthStatus") == "HEALTHY")
            && TargetsOf(task).All(target => Runtime.Service<ElbService>().TargetState(context, target.Group, task.Text("_Ip") ?? "", target.Port) is "healthy" or "unavailable");
    }

    private void RegisterTargets(RequestContext context, JsonObject task)
    {
        var elb = Runtime.Service<ElbService>();
        foreach (var (group, port) in TargetsOf(task))
        {
            elb.Register(context, group, task.Text("_Ip") ?? "", port);
            Note(context, task, $"registered 1 targets in (target-group {group})");
        }
        foreach (var registry in task.Objects("_Registries"))
        {
            Runtime.Service<ServiceDiscovery.ServiceDiscoveryService>().Put(context, registry.Required("registryArn"), NameOf(task.Required("taskArn")), task.Text("_Ip") ?? "", task.Text("availabilityZone"));
        }
    }

    /// <summary>Takes a task out of its load balancers and registries; gives how long requests under way are waited for.</summary>
    private TimeSpan DeregisterTargets(RequestContext context, JsonObject task)
    {
        var delay = TimeSpan.Zero;
        foreach (var (group, port) in TargetsOf(task))
        {
            var wait = Runtime.Service<ElbService>().Deregister(context, group, task.Text("_Ip") ?? "", port);
            delay = wait > delay ? wait : delay;
            Note(context, task, $"deregistered 1 targets in (target-group {group})");
        }
        foreach (var registry in task.Objects("_Registries"))
        {
            Runtime.Service<ServiceDiscovery.ServiceDiscoveryService>().Remove(context, registry.Required("registryArn"), NameOf(task.Required("taskArn")));
        }
        return delay;
    }

    /// <summary>Writes an event from outside of the scheduler's own look at the service.</summary>
    private void Note(RequestContext context, JsonObject task, string message)
    {
        if (task.Text("_Service") is not { } key)
        {
            return;
        }
        lock (Gate(context, key))
        {
            if (underWork.TryGetValue(context.Arn("ecs", "service/" + key), out var current))
            {
                Event(current, message);
            }
            else
            {
                ServicesOf(context).Update(key, service => Event(service, message));
            }
        }
    }
}
