using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>What load balancers tell CloudWatch each minute of their targets, while somebody watches.</content>
internal sealed partial class ElbService
{
    private int isPublishing;

    private void PublishMetrics()
    {
        if (Interlocked.Exchange(ref isPublishing, 1) != 0)
        {
            return;
        }

        var monitoring = Runtime.Service<CloudWatchService>();
        monitoring.Pulse.Publish((context, moment) =>
        {
            foreach (var group in Groups(context).All())
            {
                PublishHosts(monitoring, context, moment, group);
            }
        });
    }

    /// <summary>A group without targets sends nothing, as AWS has it: alarms on it see missing data.</summary>
    private void PublishHosts(CloudWatchService monitoring, RequestContext context, DateTimeOffset moment, JsonObject group)
    {
        var arn = group.Required("TargetGroupArn");
        var states = group.Objects("_Targets").Where(target => !target.Has("_DrainsUntil"))
            .Select(target => HealthOf(context, group, target, isUsed: true).Required("State")).ToList();
        if (states.Count == 0)
        {
            return;
        }

        foreach (var balancer in BalancersOf(context, arn))
        {
            (string, string)[] dimensions = [("TargetGroup", arn[(arn.LastIndexOf(':') + 1)..]), ("LoadBalancer", balancer[(balancer.IndexOf("loadbalancer/", StringComparison.Ordinal) + "loadbalancer/".Length)..])];
            monitoring.Publish(context, "AWS/ApplicationELB", "HealthyHostCount", moment.AddMinutes(-1), [(states.Count(s => s == "healthy"), 1)], "Count", dimensions);
            monitoring.Publish(context, "AWS/ApplicationELB", "UnHealthyHostCount", moment.AddMinutes(-1), [(states.Count(s => s == "unhealthy"), 1)], "Count", dimensions);
        }
    }
}
