using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Traffic;

/// <summary>A minute of a load balancer as it tells CloudWatch of it: what did not happen is not told, as AWS has it.</summary>
internal sealed class BalancerMetrics(RequestContext context, CloudWatchService monitoring, DateTimeOffset time, string balancer, double[] spread)
{
    private const string Space = "AWS/ApplicationELB";
    private const double BytesPerRequest = 10_000;

    private readonly List<TargetAnswer> all = [];
    private double refused;

    private double Sent => all.Sum(answer => answer.Sent);

    /// <summary>What went over it.</summary>
    public double Bytes => Sent * BytesPerRequest;

    /// <summary>A capacity unit is 25 new connections a second or a gigabyte an hour, whichever is more.</summary>
    public double CapacityUnits => Math.Max(Sent / 600 / 25, Bytes * 60 / 1e9);

    /// <summary>Requests that no target could be chosen for.</summary>
    public void Refused(double requests) => refused += requests;

    /// <summary>What the targets of a group made of theirs.</summary>
    public void Answered(string group, IReadOnlyList<TargetAnswer> answers, double each)
    {
        all.AddRange(answers);
        (string, string)[] dimensions = [("TargetGroup", group[(group.LastIndexOf(':') + 1)..]), ("LoadBalancer", balancer)];
        Tell(answers, dimensions);
        Count("RequestCountPerTarget", each, dimensions);
        Count("RequestCountPerTarget", each, dimensions[0]);
    }

    public void Publish()
    {
        (string, string) dimension = ("LoadBalancer", balancer);
        Tell(all, dimension);
        var timedOut = all.Sum(answer => answer.TimedOut);
        var unreached = all.Sum(answer => answer.Unreached);
        Count("HTTPCode_ELB_5XX_Count", refused + timedOut + unreached, dimension);
        Count("HTTPCode_ELB_502_Count", unreached, dimension);
        Count("HTTPCode_ELB_503_Count", refused, dimension);
        Count("HTTPCode_ELB_504_Count", timedOut, dimension);
        var requests = Sent;
        Count("NewConnectionCount", (requests + refused) / 10, dimension);
        monitoring.Publish(context, Space, "ActiveConnectionCount", time, [(Math.Ceiling(all.Sum(answer => answer.Answered / 60 * answer.ResponseTime)), 1)], "Count", dimension);
        if (requests > 0)
        {
            monitoring.Publish(context, Space, "ProcessedBytes", time, [(Bytes, 1)], "Bytes", dimension);
            monitoring.Publish(context, Space, "ConsumedLCUs", time, [(CapacityUnits, 1)], "Count", dimension);
        }
    }

    private void Tell(IReadOnlyList<TargetAnswer> answers, params ReadOnlySpan<(string Name, string Value)> dimensions)
    {
        Count("RequestCount", answers.Sum(answer => answer.Sent), dimensions);
        var (server, client) = (answers.Sum(answer => answer.ServerErrors), answers.Sum(answer => answer.ClientErrors));
        Count("HTTPCode_Target_5XX_Count", server, dimensions);
        Count("HTTPCode_Target_4XX_Count", client, dimensions);
        Count("HTTPCode_Target_2XX_Count", answers.Sum(answer => answer.Answered) - server - client, dimensions);
        var times = answers.Where(answer => answer.Answered > 0)
            .SelectMany(answer => spread.Select(part => (answer.ResponseTime * part, answer.Answered / spread.Length))).ToList();
        monitoring.Publish(context, Space, "TargetResponseTime", time, times, "Seconds", dimensions);
    }

    private void Count(string metric, double value, params ReadOnlySpan<(string Name, string Value)> dimensions)
    {
        if (value > 0)
        {
            monitoring.Publish(context, Space, metric, time, [(Math.Round(value, 6), 1)], "Count", dimensions);
        }
    }
}
