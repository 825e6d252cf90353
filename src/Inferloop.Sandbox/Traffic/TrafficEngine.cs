using System.Collections.Concurrent;
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
    private readonly TrafficBill bill;
    private readonly ConcurrentDictionary<(string Account, string Region), byte> sampled = new();
    private readonly ConcurrentDictionary<string, BalancerMinute> minutes = new(StringComparer.Ordinal);

    public TrafficEngine(SandboxRuntime runtime, SandboxLoads loads)
    {
        this.runtime = runtime;
        this.loads = loads;
        monitoring = runtime.Service<CloudWatchService>();
        balancing = runtime.Service<ElbService>();
        containers = runtime.Service<EcsService>();
        bill = new TrafficBill(runtime);
        data = new DataTraffic(runtime, monitoring, bill);
        var others = monitoring.HasSources;
        monitoring.HasSources = context => others(context) || loads.AnyIn(context);
        monitoring.Pulse.Publish(Publish);
    }

    public void Follow(string account, string region)
    {
        monitoring.Pulse.Follow(account, region);
        if (sampled.TryAdd((account, region), 0))
        {
            Arm(account, region);
        }
    }

    /// <summary>Who gets requests is looked at every ten seconds, so that a release's moments without targets count; on a clock that flies, every minute.</summary>
    private TimeSpan Step => runtime.Clock.Rate > 600 ? TimeSpan.FromMinutes(1) : TimeSpan.FromSeconds(10);

    private void Arm(string account, string region)
    {
        var (step, now) = (Step, runtime.Clock.Now.UtcTicks);
        var next = new DateTimeOffset(((now / step.Ticks) + 1) * step.Ticks, TimeSpan.Zero);
        runtime.Clock.Schedule(next, () =>
        {
            try
            {
                Sample(runtime.SystemContext(account, region), next, step);
            }
            finally
            {
                Arm(account, region);
            }
        });
    }

    private void Sample(RequestContext context, DateTimeOffset moment, TimeSpan step)
    {
        var tasks = containers.TrafficServices(context).SelectMany(service => service.Tasks).Where(task => task.Address.Length > 0)
            .DistinctBy(task => task.Address).ToDictionary(task => task.Address, StringComparer.Ordinal);
        foreach (var balancer in balancing.ActiveBalancers(context))
        {
            if (loads.Of(context, balancer.Required("LoadBalancerName")) is { } load)
            {
                var minute = minutes.GetOrAdd(balancer.Required("LoadBalancerArn"), static _ => new BalancerMinute());
                lock (minute)
                {
                    Send(context, moment, step, balancer, load, tasks, minute);
                }
            }
        }
    }

    private void Send(RequestContext context, DateTimeOffset moment, TimeSpan step, JsonObject balancer, SandboxLoad load, Dictionary<string, TrafficTask> tasks, BalancerMinute minute)
    {
        var name = balancer.Required("LoadBalancerName");
        var requests = load.Profile.InSpanBefore(load.Set, moment, step);
        var sent = 0.0;
        minute.Requests += requests;
        minute.Seconds += step.TotalSeconds;
        minute.Targets = 0;
        foreach (var (group, share) in balancing.SharesOf(context, balancer))
        {
            var (targets, part) = (balancing.RoutedTargets(context, balancer, group), requests * share);
            minute.Targets += targets.Count;
            if (targets.Count == 0)
            {
                continue;
            }
            sent += part;
            var each = part / targets.Count;
            foreach (var (id, serves) in targets)
            {
                var task = tasks.GetValueOrDefault(id);
                var answer = Answer(context, load.Profile, id, each / step.TotalSeconds, step.TotalSeconds, serves, task);
                minute.Add(group.Required("TargetGroupArn"), answer, step);
                load.Count(name, group.Text("TargetGroupName"), id, task?.Revision, answer.Sent, answer.Failed, moment);
            }
            minute.CountEach(group.Required("TargetGroupArn"), each);
        }
        // Nobody to send it to: the balancer itself says 503.
        var refused = Math.Max(0, requests - sent);
        minute.Refused += refused;
        load.Count(name, null, null, null, refused, refused, moment);
    }

    private void Publish(RequestContext context, DateTimeOffset moment)
    {
        if (!loads.AnyIn(context))
        {
            return;
        }
        var services = containers.TrafficServices(context);
        var demand = new Dictionary<string, (double Utilization, double Memory)>(StringComparer.Ordinal);
        var served = new List<ServedTraffic>();
        foreach (var balancer in balancing.ActiveBalancers(context))
        {
            if (loads.Of(context, balancer.Required("LoadBalancerName")) is { } load && minutes.TryRemove(balancer.Required("LoadBalancerArn"), out var minute))
            {
                lock (minute)
                {
                    served.Add(Publish(context, moment, balancer, load, minute));
                    minute.AddDemand(demand);
                }
            }
        }
        PublishServices(context, moment.AddMinutes(-1), services, demand);
        data.Publish(context, moment.AddMinutes(-1), served, services.Sum(service => service.Tasks.Count));
        foreach (var task in services.SelectMany(service => service.Tasks).Where(task => task.IsFargate).DistinctBy(task => task.Address))
        {
            bill.Add(context, task.Environment, "Amazon Elastic Container Service", "AmazonECS", "Fargate-vCPU-Hours:perCPU", task.VCpus / 60);
            bill.Add(context, task.Environment, "Amazon Elastic Container Service", "AmazonECS", "Fargate-GB-Hours", task.MemoryMiB / 1024 / 60);
        }
        bill.Settle(context, moment);
    }

    private ServedTraffic Publish(RequestContext context, DateTimeOffset moment, JsonObject balancer, SandboxLoad load, BalancerMinute minute)
    {
        var arn = balancer.Required("LoadBalancerArn");
        var name = arn[(arn.IndexOf("loadbalancer/", StringComparison.Ordinal) + "loadbalancer/".Length)..];
        var publisher = new BalancerMetrics(context, monitoring, moment.AddMinutes(-1), name, Spread);
        publisher.Refused(minute.Refused);
        foreach (var (group, answers, each) in minute.Groups)
        {
            publisher.Answered(group, answers, each);
        }
        publisher.Publish();
        var environment = EnvironmentOf(balancer.Objects("_Tags"));
        bill.Add(context, environment, "Amazon Elastic Load Balancing", "AWSELB", "LoadBalancerUsage:LoadBalancing:Application", 1.0 / 60);
        bill.Add(context, environment, "Amazon Elastic Load Balancing", "AWSELB", "LCUUsage:LoadBalancing:Application", publisher.CapacityUnits / 60);
        bill.Add(context, environment, "AWS Data Transfer", "AWSDataTransfer", "DataTransfer-Out-Bytes", publisher.Bytes / 1e9);
        var all = minute.Groups.SelectMany(group => group.Answers).ToList();
        var answered = all.Sum(answer => answer.Answered);
        load.Last = new SandboxLoadMinute(moment, Math.Round(minute.Requests / 60, 3), minute.Targets, all.Count == 0 ? 0 : Math.Round(all.Average(answer => answer.Utilization), 4),
            TimeSpan.FromSeconds(answered <= 0 ? 0 : all.Sum(answer => answer.Answered * answer.ResponseTime) / answered),
            minute.Requests <= 0 ? 0 : Math.Round((minute.Refused + all.Sum(answer => answer.Failed)) / minute.Requests, 4));
        return new ServedTraffic(balancer.Text("VpcId"), EnvironmentOf(balancer.Objects("_Tags")), answered / 60, load.Profile);
    }

    /// <summary>One target's part of a time: what it cannot work on in time, the balancer answers with 504; of one that is gone, with 502.</summary>
    private TargetAnswer Answer(RequestContext context, SandboxLoadProfile profile, string id, double perSecond, double seconds, bool serves, TrafficTask? task)
    {
        var all = perSecond * seconds;
        if (!serves && task is null)
        {
            return new TargetAnswer(id, 0, 0, 0, 0, all, 0, 0, 0);
        }
        var slowness = task?.Images.Max(image => ContainerImages.SlownessOf(context, image)) ?? 1;
        var errors = serves ? Math.Min(1, profile.ErrorShare + (task?.Images.Max(image => ContainerImages.ErrorShareOf(context, image)) ?? 0)) : 1;
        var utilization = perSecond * profile.CpuPerRequest.TotalSeconds / (task?.VCpus ?? CpusOf(context, id));
        var time = profile.Latency.TotalSeconds * slowness / (1 - Math.Min(utilization, MostUtilizationOfDelay));
        var answered = utilization <= 1 ? all : all / utilization;
        // By Little's law as many are worked on at a time as come while one takes.
        var memory = answered / seconds * time * profile.MemoryPerRequest;
        return new TargetAnswer(id, utilization, time, answered, all - answered, 0, answered * errors, answered * Math.Min(profile.ClientErrorShare, 1 - errors), memory);
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
