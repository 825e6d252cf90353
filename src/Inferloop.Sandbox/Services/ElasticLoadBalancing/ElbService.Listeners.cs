using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

internal sealed partial class ElbService
{
    private void AddListeners()
    {
        On("CreateListener", CreateListener);
        On("ModifyListener", ModifyListener);
        On("DeleteListener", (context, input) =>
        {
            _ = Listener(context, input.Required("ListenerArn"));
            RemoveListener(context, input.Required("ListenerArn"));
            return [];
        });
        On("DescribeListeners", DescribeListeners);
        On("DescribeListenerCertificates", (context, input) => new JsonObject
        {
            ["Certificates"] = Listener(context, input.Required("ListenerArn")).Objects("Certificates").Select(item =>
            {
                var copy = item.Copy();
                copy["IsDefault"] = true;
                return copy;
            }).ToJsonList(),
        });
    }

    private void AddRules()
    {
        On("CreateRule", CreateRule);
        On("ModifyRule", (context, input) =>
        {
            var rule = Rule(context, input.Required("RuleArn"));
            if (rule.Is("IsDefault"))
            {
                throw new ServiceFault("OperationNotPermitted", $"Default rule '{rule.Text("RuleArn")}' cannot be modified");
            }
            CheckActions(context, input.Objects("Actions").ToList());
            Rules(context).Update(rule.Required("RuleArn"), document => document.Take(input, "Conditions", "Actions"));
            Attached(context, input.Objects("Actions"));
            return new JsonObject { ["Rules"] = new JsonArray(Rule(context, input.Required("RuleArn"))) };
        });
        On("DeleteRule", (context, input) =>
        {
            var rule = Rule(context, input.Required("RuleArn"));
            if (rule.Is("IsDefault"))
            {
                throw new ServiceFault("OperationNotPermitted", $"Default rule '{rule.Text("RuleArn")}' cannot be deleted");
            }
            Rules(context).Remove(rule.Required("RuleArn"));
            return [];
        });
        On("DescribeRules", (context, input) =>
        {
            var arns = input.Texts("RuleArns");
            if (arns.Count == 0 && !input.Has("ListenerArn"))
            {
                throw Invalid("You must specify either listener ARN or rule ARNs");
            }
            var all = arns.Count > 0 ? arns.Select(arn => Rule(context, arn)).ToList() : RulesOf(context, Listener(context, input.Required("ListenerArn")).Required("ListenerArn"));
            return Pages.Answer(input, all, "Rules", "PageSize", "Marker", 400, "ValidationError", "NextMarker");
        });
        On("SetRulePriorities", (context, input) =>
        {
            var changes = input.Objects("RulePriorities").ToList();
            foreach (var change in changes)
            {
                _ = Rule(context, change.Required("RuleArn"));
                Rules(context).Update(change.Required("RuleArn"), document => document["Priority"] = change.Text("Priority"));
            }
            return new JsonObject { ["Rules"] = changes.Select(change => Rule(context, change.Required("RuleArn"))).ToJsonList() };
        });
    }

    private JsonObject Rule(RequestContext context, string arn)
    {
        if (Rules(context).Get(arn) is { } rule)
        {
            return rule;
        }
        // The default rule of a listener is a view of the listener itself.
        return Listeners(context).Find(item => item.Text("_DefaultRule") == arn) is { } listener ? DefaultRule(listener)
            : throw new ServiceFault("RuleNotFound", "One or more rules not found");
    }

    private static JsonObject DefaultRule(JsonObject listener) => new()
    {
        ["RuleArn"] = listener.Text("_DefaultRule"),
        ["Priority"] = "default",
        ["Conditions"] = new JsonArray(),
        ["Actions"] = listener["DefaultActions"].Copy(),
        ["IsDefault"] = true,
    };

    private List<JsonObject> RulesOf(RequestContext context, string listener) => Rules(context).Where(rule => rule.Text("_Listener") == listener)
        .OrderBy(rule => rule.Long("Priority")).Append(DefaultRule(Listener(context, listener))).ToList();

    private JsonObject CreateListener(RequestContext context, JsonObject input)
    {
        var balancer = Balancer(context, input.Required("LoadBalancerArn"));
        var port = input.Int("Port") ?? throw Invalid("A listener port must be specified");
        var protocol = input.Text("Protocol") ?? throw Invalid("A listener protocol must be specified");
        CheckProtocol(balancer, protocol, input);
        CheckActions(context, input.Objects("DefaultActions").ToList());
        return Listeners(context).Lock(() =>
        {
            if (Listeners(context).Any(item => item.Text("LoadBalancerArn") == balancer.Text("LoadBalancerArn") && item.Int("Port") == port))
            {
                throw new ServiceFault("DuplicateListener", $"A listener already exists on this port for this load balancer '{balancer.Text("LoadBalancerArn")}'");
            }
            var id = Runtime.Ids.Hex(16);
            var path = balancer.Required("LoadBalancerArn").Split(":loadbalancer/")[1];
            var arn = context.Arn("elasticloadbalancing", $"listener/{path}/{id}");
            var listener = new JsonObject
            {
                ["ListenerArn"] = arn,
                ["LoadBalancerArn"] = balancer.Text("LoadBalancerArn"),
                ["Port"] = port,
                ["Protocol"] = protocol,
                ["DefaultActions"] = Actions(input.Objects("DefaultActions")),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
                ["_DefaultRule"] = context.Arn("elasticloadbalancing", $"listener-rule/{path}/{id}/{Runtime.Ids.Hex(16)}"),
            }.Take(input, "Certificates", "AlpnPolicy", "MutualAuthentication");
            if (protocol is "HTTPS" or "TLS")
            {
                listener["SslPolicy"] = input.Text("SslPolicy") ?? "ELBSecurityPolicy-2016-08";
            }
            Listeners(context).Put(arn, listener);
            Attached(context, input.Objects("DefaultActions"));
            return new JsonObject { ["Listeners"] = new JsonArray(listener.Copy()) };
        });
    }

    private static void CheckProtocol(JsonObject balancer, string protocol, JsonObject input)
    {
        string[] allowed = balancer.Text("Type") == "application" ? ["HTTP", "HTTPS"] : ["TCP", "UDP", "TLS", "TCP_UDP"];
        if (!allowed.Contains(protocol))
        {
            throw Invalid($"Protocol '{protocol}' is not supported for {balancer.Text("Type")} load balancers; use one of {string.Join(", ", allowed)}");
        }
        if (protocol is "HTTPS" or "TLS" && !input.Objects("Certificates").Any())
        {
            throw Invalid("A certificate must be specified for HTTPS listeners");
        }
        foreach (var certificate in input.Objects("Certificates"))
        {
            if (certificate.Text("CertificateArn") is not { } arn || (!arn.Contains(":acm:", StringComparison.Ordinal) && !arn.Contains(":server-certificate/", StringComparison.Ordinal)))
            {
                throw new ServiceFault("CertificateNotFound", $"Certificate ARN '{certificate.Text("CertificateArn")}' is not valid");
            }
        }
    }

    /// <summary>Actions as AWS gives them back: a forward to one group is shown in both of its forms.</summary>
    private static JsonArray Actions(IEnumerable<JsonObject> actions) => actions.Select(action =>
    {
        var copy = action.Copy();
        if (copy.Text("Type") == "forward")
        {
            var groups = copy.Child("ForwardConfig")?.Objects("TargetGroups").ToList() ?? [];
            if (groups.Count == 0 && copy.Text("TargetGroupArn") is { } arn)
            {
                var configuration = copy.ChildOrNew("ForwardConfig");
                configuration["TargetGroups"] = new JsonArray(new JsonObject { ["TargetGroupArn"] = arn, ["Weight"] = 1 });
                configuration["TargetGroupStickinessConfig"] ??= new JsonObject { ["Enabled"] = false };
            }
            else if (groups.Count == 1)
            {
                copy["TargetGroupArn"] = groups[0].Text("TargetGroupArn");
            }
        }
        return copy;
    }).ToJsonList();

    private static IEnumerable<string> GroupsIn(IEnumerable<JsonObject> actions) => actions.SelectMany(action =>
        (action.Text("TargetGroupArn") is { } arn ? [arn] : Array.Empty<string>())
        .Concat(action.Child("ForwardConfig")?.Objects("TargetGroups").Select(item => item.Required("TargetGroupArn")) ?? [])).Distinct();

    private void CheckActions(RequestContext context, List<JsonObject> actions)
    {
        if (actions.Count == 0 || actions[^1].Text("Type") is not ("forward" or "redirect" or "fixed-response"))
        {
            throw Invalid("An action of type forward, redirect or fixed-response must be specified, as the last one");
        }
        foreach (var action in actions)
        {
            switch (action.Text("Type"))
            {
                case "forward" when !GroupsIn([action]).Any():
                    throw Invalid("A target group ARN must be specified");
                case "redirect" when action.Child("RedirectConfig")?.Has("StatusCode") != true:
                    throw Invalid("A redirect configuration with a status code must be specified");
                case "fixed-response" when action.Child("FixedResponseConfig")?.Has("StatusCode") != true:
                    throw Invalid("A fixed-response configuration with a status code must be specified");
            }
        }
        foreach (var arn in GroupsIn(actions))
        {
            if (!Groups(context).Contains(arn))
            {
                throw new ServiceFault("TargetGroupNotFound", $"Target group '{arn}' not found");
            }
        }
    }

    /// <summary>Targets begin to be checked when their group is first used.</summary>
    private void Attached(RequestContext context, IEnumerable<JsonObject> actions)
    {
        foreach (var arn in GroupsIn(actions))
        {
            Groups(context).Update(arn, group =>
            {
                if (!group.Has("_UsedSince"))
                {
                    group["_UsedSince"] = Documents.Time(context.Now);
                }
            });
        }
    }

    private JsonObject ModifyListener(RequestContext context, JsonObject input)
    {
        var listener = Listener(context, input.Required("ListenerArn"));
        var balancer = Balancer(context, listener.Required("LoadBalancerArn"));
        var merged = listener.Copy().Take(input, "Protocol", "Certificates", "Port");
        CheckProtocol(balancer, merged.Required("Protocol"), merged);
        if (input.Has("DefaultActions"))
        {
            CheckActions(context, input.Objects("DefaultActions").ToList());
        }
        if (input.Int("Port") is { } port && port != listener.Int("Port")
            && Listeners(context).Any(item => item.Text("LoadBalancerArn") == balancer.Text("LoadBalancerArn") && item.Int("Port") == port))
        {
            throw new ServiceFault("DuplicateListener", $"A listener already exists on this port for this load balancer '{balancer.Text("LoadBalancerArn")}'");
        }
        Listeners(context).Update(listener.Required("ListenerArn"), document =>
        {
            document.Take(input, "Port", "Protocol", "SslPolicy", "Certificates", "AlpnPolicy");
            if (input.Has("DefaultActions"))
            {
                document["DefaultActions"] = Actions(input.Objects("DefaultActions"));
            }
            if (document.Text("Protocol") is not ("HTTPS" or "TLS"))
            {
                document.Remove("SslPolicy");
                document.Remove("Certificates");
            }
            else
            {
                document["SslPolicy"] ??= "ELBSecurityPolicy-2016-08";
            }
        });
        Attached(context, input.Objects("DefaultActions"));
        return new JsonObject { ["Listeners"] = new JsonArray(Listener(context, listener.Required("ListenerArn"))) };
    }

    private void RemoveListener(RequestContext context, string arn)
    {
        foreach (var rule in Rules(context).Where(rule => rule.Text("_Listener") == arn))
        {
            Rules(context).Remove(rule.Required("RuleArn"));
        }
        Listeners(context).Remove(arn);
    }

    private JsonObject DescribeListeners(RequestContext context, JsonObject input)
    {
        var arns = input.Texts("ListenerArns");
        if (arns.Count == 0 && !input.Has("LoadBalancerArn"))
        {
            throw Invalid("You must specify either listener ARNs or a load balancer ARN");
        }
        if (arns.FirstOrDefault(arn => !Listeners(context).Contains(arn)) is not null)
        {
            throw new ServiceFault("ListenerNotFound", "One or more listeners not found");
        }
        var chosen = arns.Count > 0 ? arns.Select(arn => Listener(context, arn)).ToList()
            : Listeners(context).Where(item => item.Text("LoadBalancerArn") == Balancer(context, input.Required("LoadBalancerArn")).Text("LoadBalancerArn")).ToList();
        return Pages.Answer(input, chosen, "Listeners", "PageSize", "Marker", 400, "ValidationError", "NextMarker");
    }

    private JsonObject CreateRule(RequestContext context, JsonObject input)
    {
        var listener = Listener(context, input.Required("ListenerArn"));
        var priority = input.Int("Priority") ?? 0;
        if (priority is < 1 or > 50_000)
        {
            throw Invalid("Rule priority must be between 1 and 50000");
        }
        CheckActions(context, input.Objects("Actions").ToList());
        if (Rules(context).Any(rule => rule.Text("_Listener") == listener.Text("ListenerArn") && rule.Int("Priority") == priority))
        {
            throw new ServiceFault("PriorityInUse", $"Priority '{priority}' is currently in use");
        }
        var arn = listener.Required("ListenerArn").Replace(":listener/", ":listener-rule/", StringComparison.Ordinal) + "/" + Runtime.Ids.Hex(16);
        var rule = new JsonObject
        {
            ["RuleArn"] = arn,
            ["Priority"] = priority.ToString(CultureInfo.InvariantCulture),
            ["Conditions"] = input["Conditions"].Copy(),
            ["Actions"] = Actions(input.Objects("Actions")),
            ["IsDefault"] = false,
            ["_Listener"] = listener.Text("ListenerArn"),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        };
        Rules(context).Put(arn, rule);
        Attached(context, input.Objects("Actions"));
        return new JsonObject { ["Rules"] = new JsonArray(rule.Copy()) };
    }
}
