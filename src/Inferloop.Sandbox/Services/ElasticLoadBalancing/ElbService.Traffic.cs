using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>What synthetic traffic asks of load balancers.</content>
internal sealed partial class ElbService
{
    /// <summary>The load balancers that take traffic.</summary>
    public IReadOnlyList<JsonObject> ActiveBalancers(RequestContext context) => Balancers(context).Where(balancer => balancer.Child("State")?.Text("Code") == "active");

    /// <summary>The groups that a balancer's default actions forward to, with the share of requests that each gets.</summary>
    public IReadOnlyList<(JsonObject Group, double Share)> SharesOf(RequestContext context, string balancer)
    {
        var action = Listeners(context).Where(listener => listener.Text("LoadBalancerArn") == balancer)
            .SelectMany(listener => listener.Objects("DefaultActions")).FirstOrDefault(candidate => candidate.Text("Type") == "forward");
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

    /// <summary>The ids (addresses or instances) of a group's targets that requests are sent to.</summary>
    public IReadOnlyList<string> HealthyTargets(RequestContext context, JsonObject group) =>
        [.. group.Objects("_Targets").Where(target => HealthOf(context, group, target, isUsed: true).Text("State") is "healthy" or "unavailable").Select(target => target.Required("Id"))];
}
