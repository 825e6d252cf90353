using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.Ecs;
using Inferloop.Sandbox.Services.ElasticLoadBalancing;

namespace Inferloop.Sandbox.Traffic;

/// <summary>
/// Turns loads into what the services behind them tell CloudWatch, minute by minute. The rules are simple and stated where they stand, so that
/// a rehearsal can be reckoned with: twice the requests are twice the CPU, twice the tasks half of it.
/// </summary>
internal sealed class TrafficEngine
{
    /// <summary>A busy target is slower by 1 / (1 - utilization), up to twenty times.</summary>
    private const double MostUtilizationOfDelay = 0.95;

    /// <summary>What a task uses with no request at all: CPU and memory in percent.</summary>
    private const double IdleCpu = 0.5;
    private const double IdleMemory = 15;

    /// <summary>Response times around their mean as those of an exponential distribution, in twenty equal parts.</summary>
    private static readonly double[] Spread = BuildSpread();

    private readonly SandboxRuntime runtime;
    private readonly SandboxLoads loads;
    private readonly CloudWatchService monitoring;
    private readonly ElbService balancing;
    private readonly EcsService containers;
    private readonly DataTraffic data;

    public TrafficEngine(SandboxRuntime runtime, SandboxLoads loads)
    {
        this.runtime = runtime;
        this.loads = loads;
        monitoring = runtime.Service<CloudWatchService>();
        balancing = runtime.Service<ElbService>();
        containers = runtime.Service<EcsService>();
        data = new DataTraffic(runtime, monitoring);
        var others = monitoring.HasSources;
        monitoring.HasSources = context => others(context) || loads.AnyIn(context);
        monitoring.Pulse.Publish(Publish);
    }

    public void Follow(string account, string region) => monitoring.Pulse.Follow(account, region);

    private void Publish(RequestContext context, DateTimeOffset moment)
    {
        if (!loads.AnyIn(context))
        {
            return;
        }
        var services = containers.TrafficServices(context);
        var tasks = services.SelectMany(service => service.Tasks).Where(task => task.Address.Length > 0).DistinctBy(task => task.Address).ToDictionary(task => task.Address, StringComparer.Ordinal);
        var demand = new Dictionary<string, (double Utilization, double Memory)>(StringComparer.Ordinal);
        var served = new List<ServedTraffic>();
        foreach (var balancer in balancing.ActiveBalancers(context))
        {
            if (loads.Of(context, balancer.Required("LoadBalancerName")) is { } load)
            {
                served.Add(Serve(context, moment, balancer, load, tasks, demand));
            }
        }
        PublishServices(context, moment.AddMinutes(-1), services, demand);
        data.Publish(context, moment.AddMinutes(-1), served, tasks.Count);
    }

    private ServedTraffic Serve(RequestContext context, DateTimeOffset moment, JsonObject balancer, SandboxLoad load,
        Dictionary<string, TrafficTask> tasks, Dictionary<string, (double Utilization, double Memory)> demand)
    {
        var arn = balancer.Required("LoadBalancerArn");
        var requests = load.Profile.InMinuteBefore(load.Set, moment);
        var name = arn[(arn.IndexOf("loadbalancer/", StringComparison.Ordinal) + "loadbalancer/".Length)..];
        var publisher = new BalancerMetrics(context, monitoring, moment.AddMinutes(-1), name, Spread);
        var (targets, utilization, weightedTime, failed) = (0, 0.0, 0.0, 0.0);
        var shares = balancing.SharesOf(context, arn);
        foreach (var (group, share) in shares)
        {
            var healthy = balancing.HealthyTargets(context, group);
            var part = requests * share;
            if (healthy.Count == 0)
            {
                // Nobody to send it to: the balancer itself says 503.
                publisher.Refused(part);
                failed += part;
                continue;
            }
            var each = part / healthy.Count / 60;
            var answers = healthy.Select(id => Answer(context, load.Profile, id, each, tasks, demand)).ToList();
            publisher.Answered(group.Required("TargetGroupArn"), answers, healthy.Count);
            targets += healthy.Count;
            utilization += answers.Sum(answer => answer.Utilization);
            weightedTime += answers.Sum(answer => answer.Answered * answer.ResponseTime);
            failed += answers.Sum(answer => answer.ServerErrors + answer.TimedOut);
        }
        if (shares.Count == 0)
        {
            publisher.Refused(requests);
            failed = requests;
        }
        publisher.Publish();
        var answered = publisher.AnsweredCount;
        load.Last = new SandboxLoadMinute(moment, Math.Round(requests / 60, 3), targets, targets == 0 ? 0 : Math.Round(utilization / targets, 4),
            TimeSpan.FromSeconds(answered <= 0 ? 0 : weightedTime / answered), requests <= 0 ? 0 : Math.Round(failed / requests, 4));
        return new ServedTraffic(balancer.Text("VpcId"), EnvironmentOf(balancer.Objects("_Tags")), answered / 60, load.Profile);
    }

    /// <summary>One target's part of a minute: what it cannot work on in time, the balancer answers with 504.</summary>
    private TargetAnswer Answer(RequestContext context, SandboxLoadProfile profile, string id, double perSecond, Dictionary<string, TrafficTask> tasks, Dictionary<string, (double Utilization, double Memory)> demand)
    {
        var task = tasks.GetValueOrDefault(id);
        var cpus = task?.VCpus ?? CpusOf(context, id);
        var slowness = task?.Images.Max(ContainerImages.SlownessOf) ?? 1;
        var errors = Math.Min(1, profile.ErrorShare + (task?.Images.Max(ContainerImages.ErrorShareOf) ?? 0));
        var utilization = perSecond * profile.CpuPerRequest.TotalSeconds / cpus;
        var time = profile.Latency.TotalSeconds * slowness / (1 - Math.Min(utilization, MostUtilizationOfDelay));
        var all = perSecond * 60;
        var answered = utilization <= 1 ? all : all / utilization;
        if (task is not null)
        {
            // By Little's law as many are worked on at a time as come while one takes.
            var memory = answered / 60 * time * profile.MemoryPerRequest;
            var before = demand.GetValueOrDefault(id);
            demand[id] = (before.Utilization + utilization, before.Memory + memory);
        }
        return new TargetAnswer(utilization, time, answered, all - answered, answered * errors, answered * Math.Min(profile.ClientErrorShare, 1 - errors));
    }

    private double CpusOf(RequestContext context, string id)
    {
        var instance = runtime.Service<Ec2Service>().FindInstance(context, id);
        return instance is not null && InstanceTypes.All.TryGetValue(instance.Text("InstanceType") ?? "", out var type) ? type.VCpus : 1;
    }

    /// <summary>CPU and memory of services: what their tasks use on average, 100 % at most.</summary>
    private void PublishServices(RequestContext context, DateTimeOffset time, IReadOnlyList<TrafficService> services, Dictionary<string, (double Utilization, double Memory)> demand)
    {
        foreach (var cluster in services.GroupBy(service => service.Cluster, StringComparer.Ordinal))
        {
            var (clusterCpu, clusterMemory) = (new List<(double, double)>(), new List<(double, double)>());
            foreach (var service in cluster.Where(service => service.Tasks.Count > 0))
            {
                var cpu = service.Tasks.Select(task => (Math.Min(100, IdleCpu + (100 * demand.GetValueOrDefault(task.Address).Utilization)), 1.0)).ToList();
                var memory = service.Tasks.Select(task => (Math.Min(100, IdleMemory + (100 * demand.GetValueOrDefault(task.Address).Memory / task.MemoryMiB)), 1.0)).ToList();
                (string, string)[] dimensions = [("ClusterName", service.Cluster), ("ServiceName", service.Name)];
                monitoring.Publish(context, "AWS/ECS", "CPUUtilization", time, cpu, "Percent", dimensions);
                monitoring.Publish(context, "AWS/ECS", "MemoryUtilization", time, memory, "Percent", dimensions);
                if (service.HasInsights)
                {
                    var (reservedCpu, reservedMemory) = (service.Tasks.Sum(task => task.VCpus) * 1024, service.Tasks.Sum(task => task.MemoryMiB));
                    Insight("CpuReserved", reservedCpu, "None");
                    Insight("CpuUtilized", reservedCpu * cpu.Average(sample => sample.Item1) / 100, "None");
                    Insight("MemoryReserved", reservedMemory, "Megabytes");
                    Insight("MemoryUtilized", reservedMemory * memory.Average(sample => sample.Item1) / 100, "Megabytes");
                    Insight("EphemeralStorageReserved", 20 * service.Tasks.Count, "Gigabytes");
                    Insight("EphemeralStorageUtilized", 1.5 * service.Tasks.Count, "Gigabytes");

                    void Insight(string metric, double value, string unit) => monitoring.Publish(context, "ECS/ContainerInsights", metric, time, [(value, 1)], unit, dimensions);
                }
                clusterCpu.AddRange(cpu);
                clusterMemory.AddRange(memory);
            }
            monitoring.Publish(context, "AWS/ECS", "CPUUtilization", time, clusterCpu, "Percent", ("ClusterName", cluster.Key));
            monitoring.Publish(context, "AWS/ECS", "MemoryUtilization", time, clusterMemory, "Percent", ("ClusterName", cluster.Key));
        }
    }

    /// <summary>The environment that something's tags say it belongs to.</summary>
    internal static string? EnvironmentOf(IEnumerable<JsonObject> tags) => tags.FirstOrDefault(tag => tag.Text("Key") == "inferloop:environment")?.Text("Value");

    private static double[] BuildSpread()
    {
        var parts = Enumerable.Range(0, 20).Select(i => -Math.Log(1 - ((i + 0.5) / 20))).ToArray();
        var mean = parts.Average();
        return [.. parts.Select(part => part / mean)];
    }
}

/// <summary>What a load balancer passed on: to which network and environment, how many requests a second.</summary>
internal sealed record ServedTraffic(string? Vpc, string? Environment, double RequestsPerSecond, SandboxLoadProfile Profile);

/// <summary>What a target made of its part of a minute.</summary>
internal sealed record TargetAnswer(double Utilization, double ResponseTime, double Answered, double TimedOut, double ServerErrors, double ClientErrors);
