using Amazon.ApplicationAutoScaling;
using Amazon.ApplicationAutoScaling.Model;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>Reads from CloudWatch and Application Auto Scaling how the service's tasks followed the load of a time that is over.</summary>
internal sealed class ScalingMeter(EnvironmentOperations operations)
{
    /// <summary>How many minutes at the target are enough tasks.</summary>
    private const int Settled = 3;

    private const string Insights = "ECS/ContainerInsights";

    private EnvironmentAws Aws => operations.Aws;

    /// <summary>The load balancer in front of the service, by its name in metrics: app/name/id.</summary>
    public async Task<string> BalancerAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var resources = await operations.ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false);
        return resources.FirstOrDefault(r => r is { Type: "AWS::ElasticLoadBalancingV2::LoadBalancer", PhysicalId.Length: > 0 })?.PhysicalId is { } arn
            ? arn[(arn.IndexOf("loadbalancer/", StringComparison.Ordinal) + "loadbalancer/".Length)..]
            : throw new OperationException(
                "ScalingComponentAbsent", OperationErrorKind.InvalidState, $"'{environment.Name}' has no load balancer to put a load on.", $"Measure an environment with the service on ECS: Set-InferloopEnvironment {environment.Name} -EcsEnabled $true.", environment.Name);
    }

    /// <summary>What happened from one full minute to another.</summary>
    public async Task<InferloopScalingMeasurement> MeasureAsync(InferloopEnvironment environment, string balancer, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var scaling = (await new ScalingReader(operations, to).ReadAsync(environment, [ScalingComponent.Ecs], cancellation).ConfigureAwait(false))[0];
        var (cluster, service) = ScalingReader.ServiceOf(scaling.PhysicalId);
        (string, string)[] tasks = [("ClusterName", cluster), ("ServiceName", service)];
        (string, string)[] front = [("LoadBalancer", balancer)];
        var series = await SeriesAsync(
            [
                ("cpu", "AWS/ECS", "CPUUtilization", "Average", tasks), ("running", Insights, "RunningTaskCount", "Average", tasks), ("desired", Insights, "DesiredTaskCount", "Average", tasks),
                ("requests", "AWS/ApplicationELB", "RequestCount", "Sum", front), ("target5xx", "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum", front),
                ("elb5xx", "AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "Sum", front), ("time", "AWS/ApplicationELB", "TargetResponseTime", "Average", front),
            ], from, to, cancellation).ConfigureAwait(false);
        double? At(string name, DateTimeOffset moment) => series[name].TryGetValue(moment, out var value) ? value : null;

        var target = scaling.Targets.FirstOrDefault(t => t.Metric == "Cpu")?.Target ?? environment.Spec.Ecs.TargetCpuPercent;
        var minutes = new List<InferloopScalingMinute>();
        for (var moment = from; moment < to; moment = moment.AddMinutes(1))
        {
            var (cpu, running) = (At("cpu", moment), (int?)At("running", moment));
            minutes.Add(new InferloopScalingMinute
            {
                Time = moment, Cpu = cpu, Running = running, Desired = (int?)At("desired", moment),
                Requests = At("requests", moment) ?? 0, FailedRequests = (At("target5xx", moment) ?? 0) + (At("elb5xx", moment) ?? 0), ResponseTime = TimeSpan.FromSeconds(At("time", moment) ?? 0),
                IsHeldByMaximum = cpu > target && running >= scaling.Maximum,
            });
        }

        var activities = await ActivitiesAsync(cluster, service, from, to, cancellation).ConfigureAwait(false);
        var hourly = HourlyPrice(environment.Spec);
        return new InferloopScalingMeasurement
        {
            Environment = environment.Name, Component = ScalingComponent.Ecs, Began = from, Duration = to - from, Scaling = scaling, Minutes = minutes, Reactions = Reactions(minutes, activities, target),
            Cost = hourly * (decimal)(minutes.Sum(m => m.Running ?? 0) / 60.0),
            CostAtMaximum = scaling.Maximum is { } most ? hourly * most * (decimal)(to - from).TotalHours : null,
        };
    }

    /// <summary>From the first minute above the target to the first one at it again.</summary>
    internal static IReadOnlyList<InferloopScalingReaction> Reactions(IReadOnlyList<InferloopScalingMinute> minutes, IReadOnlyList<DateTimeOffset> scaledOut, double target)
    {
        var found = new List<InferloopScalingReaction>();
        for (var i = 0; i < minutes.Count; i++)
        {
            if (minutes[i].Cpu is not { } cpu || cpu <= target)
            {
                continue;
            }

            // A task that has only just come lowers the mean before it takes its part: one quiet minute is no rest.
            var end = i;
            while (end < minutes.Count && !minutes.Skip(end).Take(Settled).All(m => m.Cpu <= target))
            {
                end++;
            }

            var settled = end < minutes.Count ? minutes[end].Time : (DateTimeOffset?)null;
            var during = minutes.Skip(i).Take(end - i + 1).ToList();
            found.Add(new InferloopScalingReaction(
                minutes[i].Time, scaledOut.Where(s => s >= minutes[i].Time && (settled is null || s < settled.Value.AddMinutes(1))).Select(s => (DateTimeOffset?)s).Min(), settled,
                minutes[i].Running ?? 0, during.Max(m => m.Running ?? 0)));
            i = end;
        }

        return found;
    }

    /// <summary>What a task costs an hour on Fargate, on demand; null where it runs on instances or no price is known.</summary>
    private static decimal? HourlyPrice(InferloopEnvironmentSpec spec) =>
        spec.Ecs.CapacityMode != CapacityMode.Ec2
        && PriceCatalog.Current.TryFind(spec.Region, "fargate", "linux_x86_vcpu_hour", out var cpu) && PriceCatalog.Current.TryFind(spec.Region, "fargate", "linux_x86_gb_hour", out var memory)
            ? (spec.Ecs.TaskCpu / 1024m * cpu.Tiers[0].Usd) + (spec.Ecs.TaskMemory / 1024m * memory.Tiers[0].Usd)
            : null;

    private async Task<IReadOnlyList<DateTimeOffset>> ActivitiesAsync(string cluster, string service, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var found = new List<DateTimeOffset>();
        string? token = null;
        do
        {
            var page = await Aws.Client<IAmazonApplicationAutoScaling>().DescribeScalingActivitiesAsync(
                new DescribeScalingActivitiesRequest { ServiceNamespace = "ecs", ResourceId = $"service/{cluster}/{service}", ScalableDimension = "ecs:service:DesiredCount", NextToken = token }, cancellation).ConfigureAwait(false);
            found.AddRange((page.ScalingActivities ?? []).Where(a => a.StartTime is not null && a.StatusCode != "Failed").Select(a => new DateTimeOffset(a.StartTime!.Value.ToUniversalTime())).Where(t => t >= from && t < to));
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        return found;
    }

    private async Task<Dictionary<string, Dictionary<DateTimeOffset, double>>> SeriesAsync(
        (string Id, string Space, string Metric, string Statistic, (string Name, string Value)[] Dimensions)[] asked, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        var found = asked.ToDictionary(a => a.Id, _ => new Dictionary<DateTimeOffset, double>(), StringComparer.Ordinal);
        string? token = null;
        do
        {
            var page = await Aws.Client<IAmazonCloudWatch>().GetMetricDataAsync(
                new GetMetricDataRequest
                {
                    StartTime = from.UtcDateTime, EndTime = to.UtcDateTime, NextToken = token,
                    MetricDataQueries = asked.Select(a => new MetricDataQuery
                    {
                        Id = a.Id,
                        MetricStat = new MetricStat
                        {
                            Period = 60, Stat = a.Statistic,
                            Metric = new Metric { Namespace = a.Space, MetricName = a.Metric, Dimensions = a.Dimensions.Select(d => new Dimension { Name = d.Name, Value = d.Value }).ToList() },
                        },
                    }).ToList(),
                }, cancellation).ConfigureAwait(false);
            foreach (var result in page.MetricDataResults ?? [])
            {
                foreach (var (time, value) in (result.Timestamps ?? []).Zip(result.Values ?? []))
                {
                    found[result.Id][new DateTimeOffset(time.ToUniversalTime())] = value;
                }
            }

            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        return found;
    }
}
