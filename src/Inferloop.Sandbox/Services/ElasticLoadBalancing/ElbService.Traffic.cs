using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>What synthetic traffic asks of load balancers.</content>
internal sealed partial class ElbService
{
    /// <summary>The load balancers that take traffic.</summary>
    public IReadOnlyList<JsonObject> ActiveBalancers(RequestContext context) => Balancers(context).Where(balancer => balancer.Child("State")?.Text("Code") == "active");

    /// <summary>
    /// The groups that a balancer sends a plain GET of its root to, with the share of requests that each gets: those of the listener that its
    /// users reach (443 before 80 before others: a listener for testing a release has another port), by the first rule that matches.
    /// </summary>
    public IReadOnlyList<(JsonObject Group, double Share)> SharesOf(RequestContext context, JsonObject balancer)
    {
        var action = Listeners(context).Where(listener => listener.Text("LoadBalancerArn") == balancer.Text("LoadBalancerArn"))
            .OrderBy(listener => listener.Int("Port") switch { 443 => 0, 80 => 1, var other => other }).ThenBy(listener => listener.Text("ListenerArn"), StringComparer.Ordinal)
            .Select(listener => ForwardOf(context, listener, balancer.Text("DNSName") ?? "")).FirstOrDefault(found => found is not null);
        if (action is null)
        {
            return [];
        }
        var weighted = action.Child("ForwardConfig")?.Objects("TargetGroups").Select(item => (Arn: item.Required("TargetGroupArn"), Weight: item.Double("Weight") ?? 1)).ToList() ?? [];
        if (weighted.Count == 0)
        {
            weighted = [(action.Required("TargetGroupArn"), 1)];
        }
        var sum = weighted.Sum(item => item.Weight);
        return sum <= 0 ? [] : [.. weighted.Where(item => item.Weight > 0 && Groups(context).Contains(item.Arn)).Select(item => (Groups(context).Get(item.Arn)!, item.Weight / sum))];
    }

    private JsonObject? ForwardOf(RequestContext context, JsonObject listener, string host)
    {
        static int Priority(JsonObject rule) => int.TryParse(rule.Text("Priority"), NumberStyles.None, CultureInfo.InvariantCulture, out var priority) ? priority : int.MaxValue;
        var actions = Rules(context).Where(rule => rule.Text("_Listener") == listener.Text("ListenerArn") && !rule.Is("IsDefault")).OrderBy(Priority)
            .FirstOrDefault(rule => rule.Objects("Conditions").All(condition => Matches(condition, host)))?.Objects("Actions") ?? listener.Objects("DefaultActions");
        return actions.FirstOrDefault(candidate => candidate.Text("Type") == "forward");
    }

    private static bool Matches(JsonObject condition, string host)
    {
        bool Any(string config, string value) => (condition.Child(config)?.Texts("Values") ?? condition.Texts("Values")).Any(pattern => Wildcard.Matches(pattern, value));
        return condition.Text("Field") switch
        {
            "path-pattern" => Any("PathPatternConfig", "/"),
            "host-header" => Any("HostHeaderConfig", host),
            "http-request-method" => Any("HttpRequestMethodConfig", "GET"),
            _ => false,
        };
    }

    /// <summary>
    /// The targets that requests to a group are sent to, and whether they serve: the healthy ones, or all when none is healthy; those in a zone that
    /// traffic is shifted away from only when there are no others.
    /// </summary>
    public IReadOnlyList<(string Id, bool IsServing)> RoutedTargets(RequestContext context, JsonObject balancer, JsonObject group)
    {
        var states = group.Objects("_Targets").Select(target => (Target: target, State: HealthOf(context, group, target, isUsed: true).Text("State"))).Where(item => item.State != "draining").ToList();
        var shifted = ShiftedZones(context, balancer);
        if (shifted.Count > 0 && states.Where(item => !shifted.Contains(ZoneOf(context, group, item.Target) ?? "")).ToList() is { Count: > 0 } elsewhere)
        {
            states = elsewhere;
        }
        var healthy = states.Where(item => item.State is "healthy" or "unavailable").ToList();
        return [.. (healthy.Count > 0 ? healthy : states).Select(item => (item.Target.Required("Id"), Serves(context, group, item.Target).IsServing))];
    }
}
