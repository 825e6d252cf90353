using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Services.Ecs;

/// <content>Blue/green, linear and canary deployments: their stages, the traffic that they shift, and the way back.</content>
internal sealed partial class EcsService
{
    private static readonly string[] Stages =
    [
        "RECONCILE_SERVICE", "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT",
        "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
    ];

    /// <summary>A stage is seen at least once before the next begins.</summary>
    private static readonly TimeSpan StageMinimum = Durations.ServiceScheduler * 0.6;

    private static string Other(string side) => side == Primary ? Alternate : Primary;

    private static string? GroupOn(JsonObject target, string? side) => side == Alternate ? target.Child("advancedConfiguration")?.Text("alternateTargetGroupArn") ?? target.Text("targetGroupArn") : target.Text("targetGroupArn");

    private static bool Shiftable(JsonObject service) => service.Objects("loadBalancers").Any() && service.Objects("loadBalancers").All(target => target.Child("advancedConfiguration") is not null);

    /// <summary>The load balancers of a service as a deployment's tasks join them.</summary>
    private static JsonArray TargetsOn(JsonObject service, string? side) =>
        service.Objects("loadBalancers").Select(target => target.Copy().With("targetGroupArn", GroupOn(target, side))).ToJsonList();

    /// <summary>What a strategy needs: load balancers that can shift, and its own numbers in their ranges.</summary>
    private void CheckStrategy(RequestContext context, JsonObject service)
    {
        var configuration = service.Child("deploymentConfiguration")!;
        var elb = Runtime.Service<ElbService>();
        foreach (var target in service.Objects("loadBalancers").Where(item => item.Child("advancedConfiguration") is not null))
        {
            var advanced = target.Child("advancedConfiguration")!;
            var alternate = advanced.Required("alternateTargetGroupArn");
            if (alternate == target.Text("targetGroupArn") || elb.TargetTypeOf(context, alternate) is null)
            {
                throw Invalid($"The alternate target group {alternate} does not exist or is the target group itself.");
            }
            if (!advanced.Has("roleArn"))
            {
                throw Invalid("advancedConfiguration needs a roleArn with which Amazon ECS calls Elastic Load Balancing.");
            }
            foreach (var rule in new[] { advanced.Text("productionListenerRule"), advanced.Text("testListenerRule") }.OfType<string>())
            {
                if (elb.ForwardsOf(context, rule) is not { } forwards || !forwards.Any(group => group == alternate || group == target.Text("targetGroupArn")))
                {
                    throw Invalid($"The listener rule {rule} does not exist or does not forward to a target group of the service.");
                }
            }
        }
        var strategy = configuration.Text("strategy") ?? "ROLLING";
        if (strategy == "ROLLING")
        {
            return;
        }
        if (service.Objects("loadBalancers").Any() && !(Shiftable(service) && service.Objects("loadBalancers").All(target => target.Child("advancedConfiguration")!.Has("productionListenerRule"))))
        {
            throw Invalid($"The deployment strategy {strategy} needs advancedConfiguration with a productionListenerRule for each load balancer.");
        }
        if (strategy == "BLUE_GREEN" && !configuration.Has("bakeTimeInMinutes"))
        {
            throw Invalid("bakeTimeInMinutes must be provided for the deployment strategy BLUE_GREEN.");
        }
        void Between(string what, double? value, double minimum, double maximum)
        {
            if (value is { } given && (given < minimum || given > maximum))
            {
                throw Invalid($"{what} must be between {minimum} and {maximum}.");
            }
        }
        Between("bakeTimeInMinutes", configuration.Double("bakeTimeInMinutes"), 0, 1440);
        Between("stepPercent", configuration.Child("linearConfiguration")?.Double("stepPercent"), 3, 100);
        Between("stepBakeTimeInMinutes", configuration.Child("linearConfiguration")?.Double("stepBakeTimeInMinutes"), 0, 1440);
        Between("canaryPercent", configuration.Child("canaryConfiguration")?.Double("canaryPercent"), 0.1, 100);
        Between("canaryBakeTimeInMinutes", configuration.Child("canaryConfiguration")?.Double("canaryBakeTimeInMinutes"), 0, 1440);
        foreach (var (section, owner) in new[] { ("linearConfiguration", "LINEAR"), ("canaryConfiguration", "CANARY") })
        {
            if (configuration.Has(section) && strategy != owner)
            {
                throw Invalid($"{section} is only valid when the deployment strategy is {owner}.");
            }
        }
    }

    /// <summary>Before anything else at each look: what was asked of the deployment, and whether an alarm rings.</summary>
    /// <returns>Whether the deployment went another way by this.</returns>
    private bool Steer(RequestContext context, JsonObject service, JsonObject deployment)
    {
        if (deployment.Text("status") == "PENDING")
        {
            deployment["status"] = "IN_PROGRESS";
            deployment["startedAt"] = Documents.Time(Runtime.Clock.Now);
            if (deployment.Is("_Shifts"))
            {
                Enter(deployment, deployment.Objects("_Before").Skip(1).Any() ? "RECONCILE_SERVICE" : "PRE_SCALE_UP");
            }
        }
        if (deployment.Text("status") == "STOP_REQUESTED")
        {
            var entry = service.Objects("deployments").First();
            entry["rolloutState"] = "FAILED";
            entry["rolloutStateReason"] = "ECS deployment stopped by the user.";
            Close(context, deployment, "STOPPED", "Service deployment stopped by the user.");
            service.Remove("_Ongoing");
            return true;
        }
        if (deployment.Text("status") == "ROLLBACK_REQUESTED")
        {
            RollBack(context, service, deployment, deployment.Text("statusReason")!);
            return true;
        }
        if (deployment.Text("status") == "IN_PROGRESS" && deployment.Child("alarms") is { } alarms && alarms.Text("status") == "MONITORING"
            && alarms.Texts("alarmNames").Where(name => Runtime.Service<CloudWatchService>().StateOf(context, name) == "ALARM").ToList() is { Count: > 0 } ringing)
        {
            alarms["status"] = "TRIGGERED";
            alarms["triggeredAlarmNames"] = ringing.ToTextList();
            var reason = $"Service deployment failed because the alarm {string.Join(", ", ringing)} is in ALARM state.";
            var primary = service.Objects("deployments").First();
            primary["rolloutState"] = "FAILED";
            primary["rolloutStateReason"] = "ECS deployment failed: alarm detected.";
            Event(service, $"(deployment {primary.Text("id")}) deployment failed: alarm detected.");
            if (deployment.Child("deploymentConfiguration")!.Child("alarms")!.Is("rollback") && deployment.Has("_Source"))
            {
                RollBack(context, service, deployment, reason);
            }
            else
            {
                Close(context, deployment, "STOPPED", reason);
                service.Remove("_Ongoing");
            }
            return true;
        }
        Deployments(context).Put(DeploymentKey(deployment.Required("serviceDeploymentArn")), deployment);
        return false;
    }

    private void Enter(JsonObject deployment, string stage)
    {
        deployment["lifecycleStage"] = stage;
        deployment["_StageSince"] = Documents.Time(Runtime.Clock.Now);
        deployment["lifecycleHookDetails"] = new JsonArray();
        deployment.Remove("_Hooked");
        Touch(deployment);
    }

    /// <summary>One look at a deployment that shifts traffic. The old revision keeps its tasks until the clean-up.</summary>
    private void Shift(RequestContext context, JsonObject service, JsonObject deployment)
    {
        var (now, desired) = (Runtime.Clock.Now, service.Int("desiredCount") ?? 0);
        var target = service.Objects("deployments").First();
        var source = service.Objects("deployments").First(item => item.Text("id") == deployment.Text("_Source"));
        var live = TasksOf(context, service).Where(task => task.Text("desiredStatus") == "RUNNING").ToList();
        List<JsonObject> Own(JsonObject entry) => live.Where(task => task.Text("startedBy") == entry.Text("id")).ToList();
        var (green, blue) = (Own(target), Own(source));
        var stage = deployment.Required("lifecycleStage");
        Keep(context, service, source, blue, desired);
        if (Array.IndexOf(Stages, stage) >= Array.IndexOf(Stages, "SCALE_UP"))
        {
            Keep(context, service, target, green, desired);
        }
        var key = DeploymentKey(deployment.Required("serviceDeploymentArn"));
        switch (Hooks(context, service, deployment, stage))
        {
            case "ROLLBACK":
                RollBack(context, service, deployment, "Service deployment rolled back because of a lifecycle hook.");
                return;
            case "WAIT":
                Deployments(context).Put(key, deployment);
                return;
        }
        var since = deployment.TimeOf("_StageSince") ?? now;
        var configuration = deployment.Child("deploymentConfiguration")!;
        switch (stage)
        {
            case "RECONCILE_SERVICE":
                var strangers = live.Where(task => task.Text("startedBy") != target.Text("id") && task.Text("startedBy") != source.Text("id")).ToList();
                foreach (var stranger in strangers)
                {
                    StopForService(context, service, stranger, $"Scaling activity initiated by (deployment {target.Text("id")})");
                }
                Next(strangers.Count == 0);
                break;
            case "SCALE_UP":
                Next(green.Count == desired && green.TrueForAll(task => IsHealthy(context, service, task)));
                break;
            case "TEST_TRAFFIC_SHIFT":
                Weigh(context, service, deployment, deployment.Double("_Production") ?? 0, 100);
                Next(now - since >= StageMinimum);
                break;
            case "PRODUCTION_TRAFFIC_SHIFT":
                Next(ShiftProduction(context, service, deployment, configuration, now));
                break;
            case "BAKE_TIME":
                Next(now >= since.AddMinutes(configuration.Double("bakeTimeInMinutes") ?? 0));
                break;
            case "CLEAN_UP":
                // From here on there is no way back: the plain scheduler takes what is left of the old revision down.
                service["_Side"] = target.Text("_Side");
                deployment["_Cleaning"] = true;
                break;
            default:
                Next(now - since >= StageMinimum);
                break;
        }
        Deployments(context).Put(key, deployment);

        void Next(bool isDone)
        {
            if (isDone)
            {
                Enter(deployment, Stages[Array.IndexOf(Stages, stage) + 1]);
            }
        }
    }

    /// <summary>Tasks that ended are replaced in both revisions, and both follow the desired count.</summary>
    private void Keep(RequestContext context, JsonObject service, JsonObject entry, List<JsonObject> own, int desired)
    {
        entry["desiredCount"] = desired;
        if (own.Count < desired && (service.TimeOf("_NextStart") is not { } next || next <= Runtime.Clock.Now))
        {
            StartTasks(context, service, entry, desired - own.Count, own);
        }
        foreach (var task in own.OrderByDescending(task => task.TimeOf("createdAt")).Take(own.Count - desired))
        {
            StopForService(context, service, task, $"Scaling activity initiated by (deployment {entry.Text("id")})");
        }
    }

    /// <summary>Moves production traffic a step on where its time has come; says whether all of it has moved.</summary>
    private bool ShiftProduction(RequestContext context, JsonObject service, JsonObject deployment, JsonObject configuration, DateTimeOffset now)
    {
        var (weight, stepped) = (deployment.Double("_Production") ?? 0, deployment.TimeOf("_Stepped"));
        var (step, pause) = configuration.Text("strategy") switch
        {
            "LINEAR" => (configuration.Child("linearConfiguration")?.Double("stepPercent") ?? 10, configuration.Child("linearConfiguration")?.Double("stepBakeTimeInMinutes") ?? 6),
            "CANARY" => (weight > 0 ? 100 : configuration.Child("canaryConfiguration")?.Double("canaryPercent") ?? 5, configuration.Child("canaryConfiguration")?.Double("canaryBakeTimeInMinutes") ?? 10),
            _ => (100, 0),
        };
        if (weight >= 100)
        {
            return true;
        }
        if (stepped is null || now >= stepped.Value.AddMinutes(pause))
        {
            Weigh(context, service, deployment, Math.Min(100, weight + step), 100);
            deployment["_Stepped"] = Documents.Time(now);
        }
        return false;
    }

    /// <summary>Sets how much of the traffic goes to the deployment's target, in the load balancers' rules too.</summary>
    private void Weigh(RequestContext context, JsonObject service, JsonObject deployment, double production, double test)
    {
        deployment["_Production"] = production;
        deployment["_Test"] = test;
        Touch(deployment);
        var target = service.Objects("deployments").FirstOrDefault(item => item.Text("id") == deployment.Text("_Target"))?.Text("_Side") ?? Primary;
        foreach (var balancer in service.Objects("loadBalancers"))
        {
            if (balancer.Child("advancedConfiguration") is { } advanced && GroupOn(balancer, target) is { } to && GroupOn(balancer, Other(target)) is { } from)
            {
                Set(advanced.Text("productionListenerRule"), production);
                Set(advanced.Text("testListenerRule"), test);

                void Set(string? rule, double percent)
                {
                    if (rule is not null)
                    {
                        Runtime.Service<ElbService>().Weigh(context, rule, to, from, percent);
                    }
                }
            }
        }
    }

    /// <summary>Back to the revision that served before: at once where its tasks still run, by starting them again where they do not.</summary>
    private void RollBack(RequestContext context, JsonObject service, JsonObject deployment, string reason)
    {
        var failed = service.Objects("deployments").First();
        var source = service.Objects("deployments").FirstOrDefault(item => item.Text("id") == deployment.Text("_Source"));
        var definition = source?.Text("taskDefinition") ?? service.Text("_LastGood");
        failed["rolloutState"] = "FAILED";
        failed["status"] = "ACTIVE";
        failed["updatedAt"] = Documents.Time(Runtime.Clock.Now);
        service["_RolledBack"] = failed.Text("id");
        service["_RollbackReason"] = reason;
        deployment["status"] = "ROLLBACK_IN_PROGRESS";
        deployment["statusReason"] = reason;
        deployment["rollback"] = new JsonObject { ["reason"] = reason, ["startedAt"] = Documents.Time(Runtime.Clock.Now) }.With("serviceRevisionArn", source?.Text("_Revision"));
        deployment["lifecycleHookDetails"] = new JsonArray();
        service["taskDefinition"] = definition;
        if (source is not null && RevisionOf(context, source) is { } revision)
        {
            service.Take(revision, "loadBalancers", "serviceRegistries", "networkConfiguration", "capacityProviderStrategy", "platformVersion");
        }
        JsonObject back;
        if (source is not null && TasksOf(context, service).Any(task => task.Text("startedBy") == source.Text("id") && task.Text("desiredStatus") == "RUNNING"))
        {
            back = source.Copy();
            back["status"] = "PRIMARY";
            back["rolloutState"] = "IN_PROGRESS";
        }
        else
        {
            back = Entry(service, "", source?.Text("_Revision") ?? failed.Required("_Revision"), source?.Text("_Side") ?? service.Text("_Side") ?? Primary);
        }
        back["rolloutStateReason"] = $"ECS deployment rolling back to deploymentId {back.Text("id")}.";
        back["updatedAt"] = Documents.Time(Runtime.Clock.Now);
        service["deployments"] = service.Objects("deployments").Where(item => item.Text("id") != back.Text("id")).Select(item => item.Copy()).Prepend(back).ToJsonList();
        service.Remove("_NextStart");
        if (deployment.Is("_Shifts"))
        {
            Weigh(context, service, deployment, 0, 0);
        }
        Event(service, $"rolling back to (deployment {back.Text("id")}).");
        Deployments(context).Put(DeploymentKey(deployment.Required("serviceDeploymentArn")), deployment);
    }

    private JsonObject? RevisionOf(RequestContext context, JsonObject entry) => Revisions(context).Get(DeploymentKey(entry.Required("_Revision")));
}
