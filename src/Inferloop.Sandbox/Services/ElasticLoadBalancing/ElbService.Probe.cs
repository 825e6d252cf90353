using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>Load balancers as DNS and health checks from outside meet them.</content>
internal sealed partial class ElbService
{
    /// <summary>The balancer that has a DNS name, in whatever region of the account it is; null when none has it.</summary>
    public (RequestContext Context, JsonObject Balancer)? FindByName(RequestContext context, string dnsName)
    {
        var name = dnsName.TrimEnd('.').ToLowerInvariant();
        name = name.StartsWith("dualstack.", StringComparison.Ordinal) ? name["dualstack.".Length..] : name;
        return Find(context, balancer => string.Equals(balancer.Text("DNSName"), name, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The balancer that answers at an address.</summary>
    public (RequestContext Context, JsonObject Balancer)? FindByAddress(RequestContext context, string address) => Find(context, balancer => AddressesOf(balancer).Contains(address));

    private (RequestContext, JsonObject)? Find(RequestContext context, Func<JsonObject, bool> condition)
    {
        foreach (var region in Runtime.EnabledRegions)
        {
            var there = context.InRegion(region);
            if (Balancers(there).Find(condition) is { } balancer)
            {
                return (there, balancer);
            }
        }
        return null;
    }

    /// <summary>The addresses that a balancer's name has: one for each zone, always the same.</summary>
    public static IReadOnlyList<string> AddressesOf(JsonObject balancer) => [.. balancer.Objects("AvailabilityZones").Select(zone =>
    {
        var hash = Convert.FromHexString(Ec2Service.StableHex(balancer.Text("DNSName") + zone.Text("ZoneName"), 6));
        return (balancer.Text("Scheme") == "internal" ? "10." : "52.") + string.Join('.', hash.Select(part => part));
    })];

    /// <summary>The addresses that DNS gives for a balancer: without those in zones that traffic is shifted away from.</summary>
    public IReadOnlyList<string> AnswersOf(RequestContext context, JsonObject balancer)
    {
        var shifted = ShiftedZones(context, balancer);
        var answers = balancer.Objects("AvailabilityZones").Zip(AddressesOf(balancer)).Where(pair => !shifted.Contains(pair.First.Required("ZoneName"))).Select(static pair => pair.Second).ToList();
        return answers.Count > 0 ? answers : AddressesOf(balancer);
    }

    /// <summary>Whether an alias to a balancer counts as healthy: each of its target groups that has targets has a healthy one.</summary>
    public bool IsHealthy(RequestContext context, JsonObject balancer)
    {
        if (Runtime.Faults.IsRegionLost(context.Region) || balancer.Child("State")?.Text("Code") != "active")
        {
            return false;
        }
        var arn = balancer.Required("LoadBalancerArn");
        var groups = Groups(context).All().Where(group => BalancersOf(context, group.Required("TargetGroupArn")).Contains(arn) && group.Objects("_Targets").Any()).ToList();
        return groups.Count > 0 && groups.TrueForAll(group => group.Objects("_Targets").Any(target => HealthOf(context, group, target, isUsed: true).Text("State") is "healthy" or "unavailable"));
    }

    /// <summary>What a check from outside sees of a balancer: whether it passes, and its report.</summary>
    public (bool Passes, string Report) Probe(RequestContext context, JsonObject balancer, int port, bool isHttp)
    {
        if (Runtime.Faults.IsRegionLost(context.Region) || balancer.Child("State")?.Text("Code") != "active" || balancer.Text("Scheme") == "internal")
        {
            return (false, "Failure: Connection timed out. The endpoint or the internet connection is down, or requests are being blocked by your firewall. See https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-router-firewall-rules.html");
        }
        if (Listeners(context).Find(item => item.Text("LoadBalancerArn") == balancer.Text("LoadBalancerArn") && item.Int("Port") == port) is not { } listener)
        {
            return (false, "Failure: Connection refused. The endpoint is not listening on the specified port.");
        }
        if (!isHttp)
        {
            return (true, "Success: TCP connection established");
        }
        var status = StatusOf(context, balancer, listener);
        return (status < 400, $"{(status < 400 ? "Success" : "Failure")}: HTTP Status Code {status}{(status switch { 200 => ", OK", 301 => ", Moved Permanently", 502 => ", Bad Gateway", 503 => ", Service Unavailable", _ => "" })}");
    }

    private int StatusOf(RequestContext context, JsonObject balancer, JsonObject listener)
    {
        var answer = listener.Objects("DefaultActions").FirstOrDefault(action => action.Text("Type") is "redirect" or "fixed-response" or "forward");
        if (answer?.Text("Type") == "redirect")
        {
            return answer.Child("RedirectConfig")?.Text("StatusCode") == "HTTP_302" ? 302 : 301;
        }
        if (answer?.Text("Type") == "fixed-response" && ForwardOf(context, listener, balancer.Text("DNSName") ?? "") is null)
        {
            return answer.Child("FixedResponseConfig")?.Int("StatusCode") ?? 503;
        }
        var routed = SharesOf(context, balancer).SelectMany(share => RoutedTargets(context, balancer, share.Group)).ToList();
        return routed.Count == 0 ? 503 : routed.Exists(target => target.IsServing) ? 200 : 502;
    }
}
