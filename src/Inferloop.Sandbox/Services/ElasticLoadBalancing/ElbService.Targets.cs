using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <summary>Target groups and their targets. A target's state follows from when it came, what the checks ask and what serves at its address.</summary>
internal sealed partial class ElbService
{
    private const string GroupAttributes = "deregistration_delay.timeout_seconds=300 stickiness.enabled=false stickiness.type=lb_cookie stickiness.lb_cookie.duration_seconds=86400 "
        + "stickiness.app_cookie.cookie_name= stickiness.app_cookie.duration_seconds=86400 slow_start.duration_seconds=0 load_balancing.algorithm.type=round_robin "
        + "load_balancing.algorithm.anomaly_mitigation=off load_balancing.cross_zone.enabled=use_load_balancer_configuration target_group_health.dns_failover.minimum_healthy_targets.count=1 "
        + "target_group_health.dns_failover.minimum_healthy_targets.percentage=off target_group_health.unhealthy_state_routing.minimum_healthy_targets.count=1 "
        + "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage=off";

    private static readonly string[] CheckMembers =
    [
        "HealthCheckProtocol", "HealthCheckPort", "HealthCheckEnabled", "HealthCheckPath", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher",
    ];

    private void AddTargetGroups()
    {
        On("CreateTargetGroup", CreateTargetGroup);
        On("ModifyTargetGroup", (context, input) =>
        {
            var group = Group(context, input.Required("TargetGroupArn"));
            CheckHealthCheck(group.Copy().Take(input, CheckMembers));
            Groups(context).Update(group.Required("TargetGroupArn"), document => document.Take(input, CheckMembers));
            return new JsonObject { ["TargetGroups"] = new JsonArray(View(context, Group(context, group.Required("TargetGroupArn")))) };
        });
        On("DeleteTargetGroup", (context, input) =>
        {
            var arn = input.Required("TargetGroupArn");
            if (Groups(context).Get(arn) is not null && BalancersOf(context, arn).Count > 0)
            {
                throw new ServiceFault("ResourceInUse", $"Target group '{arn}' is currently in use by a listener or a rule");
            }
            Groups(context).Remove(arn);
            return [];
        });
        On("DescribeTargetGroups", DescribeTargetGroups);
        On("DescribeTargetGroupAttributes", (context, input) => new JsonObject { ["Attributes"] = Group(context, input.Required("TargetGroupArn"))["_Attributes"].Copy() });
        On("ModifyTargetGroupAttributes", (context, input) =>
        {
            var arn = input.Required("TargetGroupArn");
            var merged = Merge(Group(context, arn).Objects("_Attributes"), input.Objects("Attributes"),
                key => new ServiceFault("InvalidConfigurationRequest", $"Target group attribute key '{key}' is not recognized"));
            Groups(context).Update(arn, document => document["_Attributes"] = merged.ToJsonList());
            return new JsonObject { ["Attributes"] = merged.Select(item => item.Copy()).ToJsonList() };
        });
    }

    private JsonObject CreateTargetGroup(RequestContext context, JsonObject input)
    {
        PublishMetrics();
        var name = input.Required("Name");
        CheckName("Target group", name, 32);
        var type = input.Text("TargetType") ?? "instance";
        if (type == "lambda")
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no target groups of type lambda. Nothing was changed.", 501);
        }
        var protocol = input.Text("Protocol") ?? throw Invalid("A protocol must be specified");
        var port = input.Int("Port") ?? throw Invalid("A port must be specified");
        var vpc = input.Text("VpcId") ?? throw Invalid("A VPC ID must be specified");
        try
        {
            _ = Runtime.Service<Ec2Service>().Vpc(context, vpc);
        }
        catch (ServiceFault fault) when (fault.Code == "InvalidVpcID.NotFound")
        {
            throw Invalid($"The VPC ID '{vpc}' is not found");
        }
        Tags.Check(input.Objects("Tags"), "TooManyTags");
        var isHttp = protocol is "HTTP" or "HTTPS";
        var arn = context.Arn("elasticloadbalancing", $"targetgroup/{name}/{Runtime.Ids.Hex(16)}");
        var group = new JsonObject
        {
            ["TargetGroupArn"] = arn,
            ["TargetGroupName"] = name,
            ["Protocol"] = protocol,
            ["Port"] = port,
            ["VpcId"] = vpc,
            ["HealthCheckProtocol"] = isHttp ? "HTTP" : "TCP",
            ["HealthCheckPort"] = "traffic-port",
            ["HealthCheckEnabled"] = true,
            ["HealthCheckIntervalSeconds"] = 30,
            ["HealthCheckTimeoutSeconds"] = isHttp ? 5 : 10,
            ["HealthyThresholdCount"] = 5,
            ["UnhealthyThresholdCount"] = 2,
            ["TargetType"] = type,
            ["IpAddressType"] = input.Text("IpAddressType") ?? "ipv4",
            ["_Attributes"] = Defaults(GroupAttributes).ToJsonList(),
            ["_Targets"] = new JsonArray(),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        };
        if (isHttp)
        {
            group["ProtocolVersion"] = input.Text("ProtocolVersion") ?? "HTTP1";
        }
        group.Take(input, CheckMembers);
        if (group.Text("HealthCheckProtocol") is "HTTP" or "HTTPS")
        {
            group["HealthCheckPath"] ??= "/";
            group["Matcher"] ??= new JsonObject { ["HttpCode"] = "200" };
        }
        CheckHealthCheck(group);
        return Groups(context).Lock(() =>
        {
            if (Groups(context).Find(item => item.Text("TargetGroupName") == name) is { } present)
            {
                return present.Text("Protocol") == protocol && present.Int("Port") == port && present.Text("VpcId") == vpc && present.Text("TargetType") == type
                    ? new JsonObject { ["TargetGroups"] = new JsonArray(View(context, present)) }
                    : throw new ServiceFault("DuplicateTargetGroupName", $"A target group with the same name '{name}' exists, but with different settings");
            }
            Groups(context).Put(arn, group);
            return new JsonObject { ["TargetGroups"] = new JsonArray(View(context, group.Copy())) };
        });
    }

    private static void CheckHealthCheck(JsonObject group)
    {
        if (group.Int("HealthCheckTimeoutSeconds") >= group.Int("HealthCheckIntervalSeconds"))
        {
            throw Invalid($"Health check timeout '{group.Text("HealthCheckTimeoutSeconds")}' must be smaller than the interval '{group.Text("HealthCheckIntervalSeconds")}'");
        }
    }

    /// <summary>The load balancers that send traffic to a group.</summary>
    public IReadOnlyList<string> BalancersOf(RequestContext context, string group)
    {
        var listeners = Listeners(context).Where(listener => GroupsIn(listener.Objects("DefaultActions")).Contains(group)).Select(listener => listener.Required("LoadBalancerArn"));
        var rules = Rules(context).Where(rule => GroupsIn(rule.Objects("Actions")).Contains(group)).Select(rule => Listener(context, rule.Required("_Listener")).Required("LoadBalancerArn"));
        return listeners.Concat(rules).Distinct().ToList();
    }

    private JsonObject View(RequestContext context, JsonObject group) => group.With("LoadBalancerArns", BalancersOf(context, group.Required("TargetGroupArn")).ToTextList());

    private JsonObject DescribeTargetGroups(RequestContext context, JsonObject input)
    {
        var (arns, names) = (input.Texts("TargetGroupArns"), input.Texts("Names"));
        var all = Groups(context).All().Select(group => View(context, group)).ToList();
        if (arns.Any(arn => !all.Exists(item => item.Text("TargetGroupArn") == arn)) || names.Any(name => !all.Exists(item => item.Text("TargetGroupName") == name)))
        {
            throw new ServiceFault("TargetGroupNotFound", "One or more target groups not found");
        }
        var balancer = input.Text("LoadBalancerArn");
        var chosen = all.Where(item => (arns.Count == 0 || arns.Contains(item.Text("TargetGroupArn")!)) && (names.Count == 0 || names.Contains(item.Text("TargetGroupName")!))
            && (balancer is null || item.Texts("LoadBalancerArns").Contains(balancer))).ToList();
        return Pages.Answer(input, chosen, "TargetGroups", "PageSize", "Marker", 400, "ValidationError", "NextMarker");
    }

    private void AddTargets()
    {
        On("RegisterTargets", (context, input) =>
        {
            var group = Group(context, input.Required("TargetGroupArn"));
            foreach (var target in input.Objects("Targets"))
            {
                CheckTarget(context, group, target);
            }
            Groups(context).Update(group.Required("TargetGroupArn"), document =>
            {
                foreach (var target in input.Objects("Targets"))
                {
                    var port = target.Int("Port") ?? document.Int("Port");
                    Forget(document, target.Text("Id"), port);
                    document.ListOrNew("_Targets").Add((JsonNode)new JsonObject { ["Id"] = target.Text("Id"), ["Port"] = port, ["_Since"] = Documents.Time(context.Now) }.Take(target, "AvailabilityZone"));
                }
            });
            return [];
        });
        On("DeregisterTargets", (context, input) =>
        {
            var group = Group(context, input.Required("TargetGroupArn"));
            var delay = long.Parse(group.Objects("_Attributes").First(item => item.Text("Key") == "deregistration_delay.timeout_seconds").Required("Value"), System.Globalization.CultureInfo.InvariantCulture);
            Groups(context).Update(group.Required("TargetGroupArn"), document =>
            {
                foreach (var target in input.Objects("Targets"))
                {
                    foreach (var present in document.Objects("_Targets").Where(item => item.Text("Id") == target.Text("Id") && (!target.Has("Port") || item.Int("Port") == target.Int("Port"))))
                    {
                        present["_DrainsUntil"] = Documents.Time(context.Now.AddSeconds(delay));
                    }
                }
            });
            return [];
        });
        On("DescribeTargetHealth", DescribeTargetHealth);
    }

    private static void Forget(JsonObject group, string? id, int? port)
    {
        foreach (var present in group.Objects("_Targets").Where(item => item.Text("Id") == id && item.Int("Port") == port).ToList())
        {
            group.ListOrNew("_Targets").Remove(present);
        }
    }

    private void CheckTarget(RequestContext context, JsonObject group, JsonObject target)
    {
        var id = target.Required("Id");
        if (group.Text("TargetType") == "ip")
        {
            var address = Ipv4Block.Parse(id + "/32") ?? throw Invalid($"The IP address '{id}' is not a valid IPv4 address");
            var vpc = Runtime.Service<Ec2Service>().Vpc(context, group.Required("VpcId"));
            if (target.Text("AvailabilityZone") != "all" && !vpc.Objects("CidrBlockAssociationSet").Any(block => Ipv4Block.Parse(block.Text("CidrBlock"))!.Value.Contains(address)))
            {
                throw Invalid($"The IP address '{id}' is not within any CIDR block of VPC '{group.Text("VpcId")}'");
            }
        }
        else if (!id.StartsWith("i-", StringComparison.Ordinal))
        {
            throw new ServiceFault("InvalidTarget", $"Instance ID '{id}' is not valid");
        }
    }

    private JsonObject DescribeTargetHealth(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("TargetGroupArn"));
        var isUsed = BalancersOf(context, group.Required("TargetGroupArn")).Count > 0;
        var asked = input.Objects("Targets").ToList();
        var descriptions = new List<JsonObject>();
        foreach (var target in group.Objects("_Targets"))
        {
            if (asked.Count > 0 && !asked.Exists(item => item.Text("Id") == target.Text("Id") && (!item.Has("Port") || item.Int("Port") == target.Int("Port"))))
            {
                continue;
            }
            if (target.TimeOf("_DrainsUntil") <= context.Now)
            {
                continue;
            }
            descriptions.Add(Described(target, HealthOf(context, group, target, isUsed)).With("AdministrativeOverride", OverrideOf(context, group, target)));
        }
        foreach (var missing in asked.Where(item => !descriptions.Exists(description => description.Child("Target")!.Text("Id") == item.Text("Id"))))
        {
            descriptions.Add(Described(missing, Health("unused", "Target.NotRegistered", "Target is not registered to the target group")));
        }
        return new JsonObject { ["TargetHealthDescriptions"] = descriptions.ToJsonList() };
    }

    private static JsonObject Described(JsonObject target, JsonObject health) => new JsonObject
    {
        ["Target"] = target.Pick("Id", "Port", "AvailabilityZone"),
        ["TargetHealth"] = health,
    }.With("HealthCheckPort", target.Text("Port"));

    private static JsonObject Health(string state, string? reason = null, string? description = null) => new JsonObject { ["State"] = state }.With("Reason", reason).With("Description", description);

    /// <summary>The state of a registered address, for ECS: whether it counts as healthy, unhealthy or neither yet.</summary>
    public string TargetState(RequestContext context, string groupArn, string id, int port)
    {
        if (Groups(context).Get(groupArn) is not { } group || group.Objects("_Targets").FirstOrDefault(item => item.Text("Id") == id && item.Int("Port") == port) is not { } target)
        {
            return "unused";
        }
        return HealthOf(context, group, target, BalancersOf(context, groupArn).Count > 0).Required("State");
    }

    /// <summary>The type of a group's targets, or null when there is no such group.</summary>
    public string? TargetTypeOf(RequestContext context, string groupArn) => Groups(context).Get(groupArn)?.Text("TargetType");

    /// <summary>Registers an address, for ECS.</summary>
    public void Register(RequestContext context, string groupArn, string id, int port) => Groups(context).Update(groupArn, group =>
    {
        Forget(group, id, port);
        group.ListOrNew("_Targets").Add((JsonNode)new JsonObject { ["Id"] = id, ["Port"] = port, ["_Since"] = Documents.Time(context.Now) });
    });

    /// <summary>Deregisters an address, for ECS; gives the group's deregistration delay.</summary>
    public TimeSpan Deregister(RequestContext context, string groupArn, string id, int port)
    {
        var delay = TimeSpan.Zero;
        Groups(context).Update(groupArn, group =>
        {
            delay = TimeSpan.FromSeconds(long.Parse(group.Objects("_Attributes").First(item => item.Text("Key") == "deregistration_delay.timeout_seconds").Required("Value"), System.Globalization.CultureInfo.InvariantCulture));
            foreach (var target in group.Objects("_Targets").Where(item => item.Text("Id") == id && item.Int("Port") == port))
            {
                target["_DrainsUntil"] = Documents.Time(context.Now + delay);
            }
        });
        Runtime.After(delay, () => Groups(context).Update(groupArn, group =>
        {
            foreach (var gone in group.Objects("_Targets").Where(item => item.TimeOf("_DrainsUntil") <= Runtime.Clock.Now).ToList())
            {
                group.ListOrNew("_Targets").Remove(gone);
            }
        }));
        return delay;
    }

    private JsonObject HealthOf(RequestContext context, JsonObject group, JsonObject target, bool isUsed)
    {
        if (target.TimeOf("_DrainsUntil") > context.Now)
        {
            return Health("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
        }
        if (!isUsed)
        {
            return Health("unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer");
        }
        if (!group.Is("HealthCheckEnabled"))
        {
            return Health("unavailable", "Target.HealthCheckDisabled", "Health checks are disabled for this target");
        }
        var registered = target.TimeOf("_Since") ?? context.Now;
        var used = group.TimeOf("_UsedSince") ?? registered;
        var since = used > registered ? used : registered;
        var interval = TimeSpan.FromSeconds(group.Int("HealthCheckIntervalSeconds") ?? 30);
        var serves = Serves(context, group, target);
        if (serves.IsServing)
        {
            var from = serves.Since > since ? serves.Since.Value : since;
            return from + (interval * (group.Int("HealthyThresholdCount") ?? 5)) <= context.Now ? Health("healthy")
                : serves.Since > since + (interval * (group.Int("UnhealthyThresholdCount") ?? 2)) ? Health("unhealthy", "Target.Timeout", "Request timed out")
                : Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress");
        }
        return since + (interval * (group.Int("UnhealthyThresholdCount") ?? 2)) <= context.Now
            ? Health("unhealthy", serves.Reason, serves.Reason == "Target.Timeout" ? "Request timed out" : "Health checks failed with these codes: [503]")
            : Health("initial", "Elb.InitialHealthChecking", "Initial health checks in progress");
    }

    /// <summary>Whether something answers at the target: a running task, or an instance that has booted.</summary>
    private (bool IsServing, DateTimeOffset? Since, string Reason) Serves(RequestContext context, JsonObject group, JsonObject target)
    {
        _ = group;
        var id = target.Required("Id");
        if (Runtime.Service<Ecs.EcsService>().Answering(context, id) is { } task)
        {
            return (task.Answers, task.Since, "Target.ResponseCodeMismatch");
        }
        var isUp = Runtime.Service<Ec2Service>().IsRunning(context, id);
        return (isUp, null, "Target.Timeout");
    }
}
