using Amazon.ApplicationAutoScaling;
using Amazon.ApplicationAutoScaling.Model;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Scaling;

/// <summary>What Application Auto Scaling does with one capacity.</summary>
internal sealed record AutoScalingState(
    int Minimum, int Maximum, ScalingSuspension Suspended, IReadOnlyList<InferloopScalingTarget> Targets, IReadOnlyList<InferloopScalingStep> Steps,
    IReadOnlyList<InferloopScheduledScaling> Schedule, IReadOnlyList<InferloopScalingActivity> Activities);

/// <summary>Asks Application Auto Scaling for its targets, policies, schedules and what they did.</summary>
internal sealed class AutoScalingReader(IAmazonApplicationAutoScaling client, IAmazonCloudWatch alarms, DateTimeOffset now)
{
    /// <summary>How many times of a schedule are shown.</summary>
    public const int Occurrences = 3;

    private const int Newest = 5;

    /// <summary>The state of a scalable dimension; null where it is not scaled.</summary>
    public async Task<AutoScalingState?> ReadAsync(string service, string resourceId, string dimension, CancellationToken cancellation)
    {
        var targets = await client.DescribeScalableTargetsAsync(
            new DescribeScalableTargetsRequest { ServiceNamespace = service, ResourceIds = [resourceId], ScalableDimension = dimension }, cancellation).ConfigureAwait(false);
        if (targets.ScalableTargets is not { Count: > 0 } found)
        {
            return null;
        }

        var policies = new List<ScalingPolicy>();
        string? token = null;
        do
        {
            var page = await client.DescribeScalingPoliciesAsync(
                new DescribeScalingPoliciesRequest { ServiceNamespace = service, ResourceId = resourceId, ScalableDimension = dimension, NextToken = token }, cancellation).ConfigureAwait(false);
            policies.AddRange(page.ScalingPolicies ?? []);
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));

        var actions = new List<ScheduledAction>();
        do
        {
            var page = await client.DescribeScheduledActionsAsync(
                new DescribeScheduledActionsRequest { ServiceNamespace = service, ResourceId = resourceId, ScalableDimension = dimension, NextToken = token }, cancellation).ConfigureAwait(false);
            actions.AddRange(page.ScheduledActions ?? []);
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));

        var activities = await client.DescribeScalingActivitiesAsync(
            new DescribeScalingActivitiesRequest { ServiceNamespace = service, ResourceId = resourceId, ScalableDimension = dimension, MaxResults = Newest }, cancellation).ConfigureAwait(false);
        var target = found[0];
        var stepped = policies.Where(p => p.StepScalingPolicyConfiguration is not null && p.Alarms is { Count: > 0 }).ToList();
        var thresholds = stepped.Count == 0 ? [] : (await alarms.DescribeAlarmsAsync(
            new DescribeAlarmsRequest { AlarmNames = stepped.SelectMany(p => p.Alarms).Select(a => a.AlarmName).Distinct().ToList() }, cancellation).ConfigureAwait(false)).MetricAlarms ?? [];
        return new AutoScalingState(
            target.MinCapacity ?? 0, target.MaxCapacity ?? 0, Suspension(target.SuspendedState),
            policies.Select(Tracked).OfType<InferloopScalingTarget>().OrderBy(t => t.Policy, StringComparer.Ordinal).ToList(),
            stepped.SelectMany(p => Steps(p, thresholds)).ToList(),
            actions.Select(a => Scheduled(a, target)).OrderBy(a => a.Next.Count > 0 ? a.Next[0] : DateTimeOffset.MaxValue).ToList(),
            (activities.ScalingActivities ?? []).Select(a => new InferloopScalingActivity(Utc(a.StartTime), a.Description ?? "", a.Cause ?? "", a.StatusCode?.Value ?? "")).ToList());
    }

    private static DateTimeOffset Utc(DateTime? time) => time is { } t ? new DateTimeOffset(t.ToUniversalTime()) : default;

    internal static ScalingSuspension Suspension(SuspendedState? state) =>
        (state?.DynamicScalingInSuspended == true, state?.DynamicScalingOutSuspended == true, state?.ScheduledScalingSuspended == true) switch
        {
            (false, false, false) => ScalingSuspension.None,
            (true, false, false) => ScalingSuspension.In,
            (false, true, false) => ScalingSuspension.Out,
            (true, true, false) => ScalingSuspension.Dynamic,
            (false, false, true) => ScalingSuspension.Scheduled,
            _ => ScalingSuspension.All,
        };

    private static InferloopScalingTarget? Tracked(ScalingPolicy policy)
    {
        if (policy.TargetTrackingScalingPolicyConfiguration is not { } tracking)
        {
            return null;
        }

        var predefined = tracking.PredefinedMetricSpecification?.PredefinedMetricType?.Value;
        var (metric, unit) = predefined switch
        {
            // The template's own sum over both target groups of a service that can shift its traffic.
            null when policy.PolicyName == "requests" => ("Requests", "a minute each"),
            null => (tracking.CustomizedMetricSpecification is { MetricName.Length: > 0 } own ? $"{own.Namespace}/{own.MetricName}" : "expression", ""),
            "ALBRequestCountPerTarget" => ("Requests", "a minute each"),
            _ when predefined.Contains("CPU", StringComparison.Ordinal) => ("Cpu", "%"),
            _ when predefined.Contains("Memory", StringComparison.Ordinal) => ("Memory", "%"),

            // Lambda counts in parts of one, DynamoDB in percent.
            "LambdaProvisionedConcurrencyUtilization" => ("Utilization", "of 1"),
            _ => ("Utilization", "%"),
        };
        return new InferloopScalingTarget
        {
            Metric = metric, Target = unit == "of 1" ? Math.Round((tracking.TargetValue ?? 0) * 100, 4) : tracking.TargetValue ?? 0, Unit = unit == "of 1" ? "%" : unit, Policy = policy.PolicyName,
            ScaleOutCooldown = tracking.ScaleOutCooldown is { } o ? TimeSpan.FromSeconds(o) : null,
            ScaleInCooldown = tracking.ScaleInCooldown is { } i ? TimeSpan.FromSeconds(i) : null,
        };
    }

    // The bounds of a step count from the threshold of the alarm that asks for it.
    private static IEnumerable<InferloopScalingStep> Steps(ScalingPolicy policy, List<MetricAlarm> alarms) =>
        from asked in policy.Alarms
        let threshold = alarms.Find(a => a.AlarmName == asked.AlarmName)?.Threshold
        from step in policy.StepScalingPolicyConfiguration.StepAdjustments ?? []
        select new InferloopScalingStep
        {
            Alarm = asked.AlarmName,
            From = threshold + step.MetricIntervalLowerBound,
            To = threshold + step.MetricIntervalUpperBound,
            Percent = step.ScalingAdjustment ?? 0,
        };

    private InferloopScheduledScaling Scheduled(ScheduledAction action, ScalableTarget target)
    {
        var one = new InferloopScheduledScaling
        {
            Name = action.ScheduledActionName, Schedule = action.Schedule, TimeZone = action.Timezone ?? "Etc/UTC",
            Minimum = action.ScalableTargetAction?.MinCapacity ?? target.MinCapacity ?? 0, Maximum = action.ScalableTargetAction?.MaxCapacity ?? target.MaxCapacity ?? 0,
        };
        return one with { Next = ScalingSchedule.Next(one, now, Occurrences) };
    }
}
