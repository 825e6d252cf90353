using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.Ecs;

/// <content>Service deployments and service revisions: what a change of a service rolls out, how far it is, and how it is stopped.</content>
internal sealed partial class EcsService
{
    private const string Primary = "primary";
    private const string Alternate = "alternate";

    private static readonly string[] UnderWay = ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"];

    private Collection Deployments(RequestContext context) => Collection(context, "service-deployments");

    private Collection Revisions(RequestContext context) => Collection(context, "service-revisions");

    private void AddDeployments()
    {
        On("ListServiceDeployments", (context, input) =>
        {
            var cluster = Cluster(context, input);
            var service = FindService(context, cluster, input.Required("service")) ?? throw new ServiceFault("ServiceNotFoundException", "Service not found.");
            var (after, before) = (input.Child("createdAt")?.TimeOf("after"), input.Child("createdAt")?.TimeOf("before"));
            var asked = input.Texts("status");
            var found = Deployments(context).Where(item => item.Text("serviceArn") == service.Text("serviceArn") && (asked.Count == 0 || asked.Contains(item.Text("status")!))
                    && (after is null || item.TimeOf("createdAt") > after) && (before is null || item.TimeOf("createdAt") < before))
                .OrderByDescending(item => item.TimeOf("createdAt")).Select(item => item.Pick("serviceDeploymentArn", "serviceArn", "clusterArn", "startedAt", "createdAt", "finishedAt", "status", "statusReason")
                    .With("targetServiceRevisionArn", item.Text("_Revision"))).ToList();
            return Pages.Answer(input, found, "serviceDeployments", "maxResults", "nextToken", 20, "InvalidParameterException");
        });
        On("DescribeServiceDeployments", (context, input) => Described(input.Texts("serviceDeploymentArns"), "serviceDeployments", arn => Deployments(context).Get(DeploymentKey(arn)) is { } found ? View(context, found) : null));
        On("DescribeServiceRevisions", (context, input) => Described(input.Texts("serviceRevisionArns"), "serviceRevisions", arn => Revisions(context).Get(DeploymentKey(arn))));
        On("StopServiceDeployment", (context, input) =>
        {
            var arn = input.Required("serviceDeploymentArn");
            return Locked(context, arn, (service, deployment) =>
            {
                if (deployment.Text("status") is not ("PENDING" or "IN_PROGRESS"))
                {
                    throw new ServiceFault("ConflictException", $"The service deployment {arn} can not be stopped because it is in status {deployment.Text("status")}.");
                }
                var abort = input.Text("stopType") == "ABORT";
                if (!abort && deployment.Text("_Source") is null)
                {
                    throw Invalid("The service deployment can not be rolled back because there is no previous service revision.");
                }
                deployment["status"] = abort ? "STOP_REQUESTED" : "ROLLBACK_REQUESTED";
                deployment["statusReason"] = abort ? "Service deployment stop requested by the user." : "Service deployment rolled back because of user request.";
                Touch(deployment);
                return new JsonObject { ["serviceDeploymentArn"] = arn };
            });
        });
        On("ContinueServiceDeployment", (context, input) =>
        {
            var arn = input.Required("serviceDeploymentArn");
            return Locked(context, arn, (service, deployment) =>
            {
                var hook = deployment.Objects("lifecycleHookDetails").FirstOrDefault(item => item.Text("hookId") == input.Text("hookId"))
                    ?? throw Invalid($"The hook {input.Text("hookId")} does not belong to the service deployment {arn}.");
                if (deployment.Text("status") != "IN_PROGRESS" || hook.Text("status") != "AWAITING_ACTION")
                {
                    throw Invalid($"The hook {input.Text("hookId")} is not awaiting action: it is {hook.Text("status")}, the service deployment {deployment.Text("status")}.");
                }
                var goesOn = (input.Text("action") ?? "CONTINUE") == "CONTINUE";
                hook["status"] = goesOn ? "SUCCEEDED" : "FAILED";
                if (!goesOn)
                {
                    deployment["status"] = "ROLLBACK_REQUESTED";
                    deployment["statusReason"] = "Service deployment rolled back because a pause hook was answered with ROLLBACK.";
                }
                Touch(deployment);
                return new JsonObject { ["serviceDeploymentArn"] = arn };
            });
        });
    }

    private static JsonObject Described(IReadOnlyList<string> arns, string member, Func<string, JsonObject?> find)
    {
        if (arns.Count > 20)
        {
            throw Invalid("At most 20 ARNs can be described at once.");
        }
        var found = arns.Select(arn => (Arn: arn, Item: find(arn))).ToList();
        return new JsonObject
        {
            [member] = found.Where(pair => pair.Item is not null).Select(pair => pair.Item!).ToJsonList(),
            ["failures"] = found.Where(pair => pair.Item is null).Select(pair => Failure(pair.Arn)).ToJsonList(),
        };
    }

    /// <summary>Changes a deployment under its service's lock, and has the scheduler look at the service.</summary>
    private JsonObject Locked(RequestContext context, string arn, Func<JsonObject, JsonObject, JsonObject> change)
    {
        var missing = new ServiceFault("ServiceDeploymentNotFoundException", "The service deploy ARN that you specified in the StopServiceDeployment doesn't exist.");
        var key = DeploymentKey(arn);
        var service = string.Join('/', key.Split('/')[..^1]);
        lock (Gate(context, service))
        {
            var deployment = Deployments(context).Get(key) ?? throw missing;
            var answer = change(ServicesOf(context).Get(service) ?? throw missing, deployment);
            Deployments(context).Put(key, deployment);
            Wake(context, service);
            return answer;
        }
    }

    /// <summary>cluster/service/id of a deployment's or a revision's ARN.</summary>
    private static string DeploymentKey(string arn) => arn[(arn.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private void Touch(JsonObject document) => document["updatedAt"] = Documents.Time(Runtime.Clock.Now);

    /// <summary>The deployment that is under way at a service; null when there is none.</summary>
    private JsonObject? Ongoing(RequestContext context, JsonObject service) =>
        service.Text("_Ongoing") is { } key && Deployments(context).Get(key) is { } found && UnderWay.Contains(found.Text("status")) ? found : null;

    /// <summary>A new primary deployment of what the service now says; those before it go on draining.</summary>
    private void Deploy(RequestContext context, JsonObject service)
    {
        var source = service.Objects("deployments").FirstOrDefault(item => item.Is("_Good"));
        if (Ongoing(context, service) is { } superseded)
        {
            // The newer one begins from where the older one did.
            if (superseded.Is("_Shifts"))
            {
                Weigh(context, service, superseded, production: 0, test: 0);
            }
            Close(context, superseded, "STOPPED", "Service deployment stopped because a new service deployment was started.");
        }
        foreach (var older in service.Objects("deployments"))
        {
            older["status"] = "ACTIVE";
        }
        var configuration = service.Child("deploymentConfiguration")!;
        var strategy = configuration.Text("strategy") ?? "ROLLING";
        var live = service.Text("_Side") ?? Primary;
        var shifts = strategy != "ROLLING" && source is not null;
        var side = shifts && Shiftable(service) ? Other(live) : live;
        var revision = NewRevision(context, service, side);
        var entry = Entry(service, "ECS deployment {0} in progress.", revision, side);
        service.ListOrNew("deployments").Insert(0, entry);
        service.Remove("_NextStart");
        service.Remove("_RolledBack");
        var key = $"{ServiceKey(service)}/{Runtime.Ids.UrlSafe(21)}";
        var deployment = new JsonObject
        {
            ["serviceDeploymentArn"] = context.Arn("ecs", "service-deployment/" + key),
            ["serviceArn"] = service.Text("serviceArn"),
            ["clusterArn"] = service.Text("clusterArn"),
            ["createdAt"] = Documents.Time(Runtime.Clock.Now),
            ["updatedAt"] = Documents.Time(Runtime.Clock.Now),
            ["status"] = "PENDING",
            ["deploymentConfiguration"] = configuration.DeepClone(),
            ["_Revision"] = revision,
            ["_Target"] = entry.Text("id"),
            ["_Before"] = service.Objects("deployments").Skip(1).Select(item => new JsonObject { ["id"] = item.Text("id"), ["arn"] = item.Text("_Revision") }).ToJsonList(),
            ["_Shifts"] = shifts,
            ["_Production"] = source is null ? 100 : 0,
            ["_Test"] = 0,
        }.With("_Source", source?.Text("id"));
        Guard(context, service, deployment);
        Deployments(context).Put(key, deployment);
        service["_Ongoing"] = key;
        if (source is null && Shiftable(service))
        {
            Weigh(context, service, deployment, 100, 100);
        }
    }

    /// <summary>Watches begin with the deployment; an alarm that rings already is left alone, as the deployment may be what ends it.</summary>
    private void Guard(RequestContext context, JsonObject service, JsonObject deployment)
    {
        var configuration = deployment.Child("deploymentConfiguration")!;
        var breaks = configuration.Child("deploymentCircuitBreaker")?.Is("enable") == true;
        deployment["deploymentCircuitBreaker"] = new JsonObject { ["status"] = breaks ? "MONITORING" : "DISABLED", ["failureCount"] = 0, ["threshold"] = Threshold(service) };
        var names = configuration.Child("alarms") is { } alarms && alarms.Is("enable") ? alarms.Texts("alarmNames") : [];
        var rings = names.Any(name => Runtime.Service<CloudWatchService>().StateOf(context, name) == "ALARM");
        deployment["alarms"] = new JsonObject { ["status"] = names.Count == 0 || rings ? "DISABLED" : "MONITORING", ["alarmNames"] = names.ToTextList(), ["triggeredAlarmNames"] = new JsonArray() };
    }

    private static int Threshold(JsonObject service) => Math.Clamp((int)Math.Ceiling((service.Int("desiredCount") ?? 0) * 0.5), 3, 200);

    private JsonObject Entry(JsonObject service, string reason, string revision, string side)
    {
        var id = "ecs-svc/" + Runtime.Ids.Digits(19);
        return new JsonObject
        {
            ["id"] = id,
            ["status"] = "PRIMARY",
            ["taskDefinition"] = service.Text("taskDefinition"),
            ["desiredCount"] = service.Int("desiredCount"),
            ["pendingCount"] = 0,
            ["runningCount"] = 0,
            ["failedTasks"] = 0,
            ["createdAt"] = Documents.Time(Runtime.Clock.Now),
            ["updatedAt"] = Documents.Time(Runtime.Clock.Now),
            ["rolloutState"] = "IN_PROGRESS",
            ["rolloutStateReason"] = reason.Replace("{0}", id, StringComparison.Ordinal),
            ["_Revision"] = revision,
            ["_Side"] = side,
        }.Take(service, "capacityProviderStrategy", "launchType", "platformVersion", "platformFamily", "networkConfiguration");
    }

    private string NewRevision(RequestContext context, JsonObject service, string side)
    {
        var key = $"{ServiceKey(service)}/{Runtime.Ids.Digits(19)}";
        var arn = context.Arn("ecs", "service-revision/" + key);
        var definition = Definitions(context).Get(NameOf(service.Required("taskDefinition")));
        Revisions(context).Put(key, new JsonObject
        {
            ["serviceRevisionArn"] = arn,
            ["createdAt"] = Documents.Time(Runtime.Clock.Now),
            ["guardDutyEnabled"] = false,
            ["containerImages"] = (definition?.Objects("containerDefinitions") ?? []).Select(container => new JsonObject { ["containerName"] = container.Text("name"), ["image"] = container.Text("image") }
                .With("imageDigest", ContainerImages.DigestOf(context, container.Required("image")))).ToJsonList(),
            ["resolvedConfiguration"] = new JsonObject
            {
                ["loadBalancers"] = service.Objects("loadBalancers").Select(target => new JsonObject { ["targetGroupArn"] = GroupOn(target, side) }
                    .With("productionListenerRule", target.Child("advancedConfiguration")?.Text("productionListenerRule"))).ToJsonList(),
            },
        }.Take(service, "serviceArn", "clusterArn", "taskDefinition", "capacityProviderStrategy", "launchType", "platformVersion", "platformFamily", "loadBalancers", "serviceRegistries", "networkConfiguration"));
        return arn;
    }

    private void Close(RequestContext context, JsonObject deployment, string status, string? reason)
    {
        var now = Documents.Time(Runtime.Clock.Now);
        deployment["status"] = status;
        deployment["finishedAt"] = now;
        if (reason is not null)
        {
            deployment["statusReason"] = reason;
        }
        if (status == "STOPPED")
        {
            deployment["stoppedAt"] = now.DeepClone();
        }
        foreach (var guard in (string[])["alarms", "deploymentCircuitBreaker"])
        {
            if (deployment.Child(guard)?.Text("status") == "MONITORING")
            {
                deployment.Child(guard)!["status"] = "MONITORING_COMPLETE";
            }
        }
        // What ran at its end stays readable.
        deployment["_Last"] = View(context, deployment.Copy()).Pick("sourceServiceRevisions", "targetServiceRevision");
        Touch(deployment);
        Deployments(context).Put(DeploymentKey(deployment.Required("serviceDeploymentArn")), deployment);
    }

    /// <summary>A deployment as AWS shows it, with the tasks and the traffic that its revisions have now.</summary>
    private JsonObject View(RequestContext context, JsonObject deployment)
    {
        if (deployment.Child("_Last") is { } last)
        {
            return deployment.Take(last, "sourceServiceRevisions", "targetServiceRevision");
        }
        var service = string.Join('/', DeploymentKey(deployment.Required("serviceDeploymentArn")).Split('/')[..^1]);
        var tasks = Tasks(context).Where(task => task.Text("_Service") == service);
        var desired = ServicesOf(context).Get(service)?.Int("desiredCount") ?? 0;
        JsonObject Summary(string? id, string? arn, int requested, double production, double test)
        {
            var own = tasks.Where(task => task.Text("startedBy") == id).ToList();
            return new JsonObject
            {
                ["arn"] = arn,
                ["requestedTaskCount"] = requested,
                ["runningTaskCount"] = own.Count(task => task.Text("lastStatus") == "RUNNING"),
                ["pendingTaskCount"] = own.Count(IsPending),
                ["requestedProductionTrafficWeight"] = production,
                ["requestedTestTrafficWeight"] = test,
            };
        }
        var (shifts, source) = (deployment.Is("_Shifts"), deployment.Text("_Source"));
        var (production, test) = (deployment.Double("_Production") ?? 0, deployment.Double("_Test") ?? 0);
        var rolling = !shifts;
        deployment["sourceServiceRevisions"] = deployment.Objects("_Before").Select(item => Summary(item.Text("id"), item.Text("arn"), rolling ? 0 : item.Text("id") == source ? desired : 0,
            rolling || item.Text("id") != source ? 0 : 100 - production, rolling || item.Text("id") != source ? 0 : 100 - test)).ToJsonList();
        deployment["targetServiceRevision"] = Summary(deployment.Text("_Target"), deployment.Text("_Revision"), desired, rolling ? 100 : production, rolling ? 100 : test);
        return deployment;
    }
}
