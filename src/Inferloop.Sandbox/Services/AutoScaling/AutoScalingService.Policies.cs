using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.AutoScaling;

/// <summary>Scaling policies that their alarms drive, and scheduled actions.</summary>
internal sealed partial class AutoScalingService
{
    private Collection ScalingPolicies(RequestContext context) => Collection(context, "policies");

    private Collection Schedules(RequestContext context) => Collection(context, "schedules");

    private void AddPolicies()
    {
        On("PutScalingPolicy", PutScalingPolicy);
        On("DeletePolicy", (context, input) =>
        {
            var policy = Policy(context, input);
            RemoveAlarms(context, policy);
            ScalingPolicies(context).Remove(policy.Required("PolicyARN"));
            return [];
        });
        On("DescribePolicies", (context, input) =>
        {
            var (names, types) = (input.Texts("PolicyNames"), input.Texts("PolicyTypes"));
            var all = ScalingPolicies(context).Where(policy => (input.Text("AutoScalingGroupName") is not { } group || policy.Text("AutoScalingGroupName") == group)
                && (names.Count == 0 || names.Contains(policy.Text("PolicyName")!) || names.Contains(policy.Text("PolicyARN")!)) && (types.Count == 0 || types.Contains(policy.Text("PolicyType")!)));
            return Pages.Answer(input, all, "ScalingPolicies", "MaxRecords", "NextToken", 50, "InvalidNextToken");
        });
        On("ExecutePolicy", (context, input) =>
        {
            var policy = Policy(context, input);
            if (policy.Text("PolicyType") == "TargetTrackingScaling")
            {
                throw Invalid("ExecutePolicy does not support policies of type TargetTrackingScaling.");
            }
            Scale(context, policy, input.Double("MetricValue"), input.Double("BreachThreshold") ?? 0, input.Is("HonorCooldown"), "a user request executed policy " + policy.Text("PolicyName"));
            return [];
        });
        On("PutScheduledUpdateGroupAction", PutScheduledAction);
        On("DeleteScheduledAction", (context, input) => Schedules(context).Remove($"{input.Text("AutoScalingGroupName")}|{input.Text("ScheduledActionName")}") ? []
            : throw Invalid($"Scheduled action name not found - Scheduled action {input.Text("ScheduledActionName")} not found"));
        On("DescribeScheduledActions", (context, input) =>
        {
            var names = input.Texts("ScheduledActionNames");
            var all = Schedules(context).Where(action => (input.Text("AutoScalingGroupName") is not { } group || action.Text("AutoScalingGroupName") == group) && (names.Count == 0 || names.Contains(action.Text("ScheduledActionName")!)));
            return Pages.Answer(input, all, "ScheduledUpdateGroupActions", "MaxRecords", "NextToken", 50, "InvalidNextToken");
        });
    }

    private JsonObject Policy(RequestContext context, JsonObject input) => ScalingPolicies(context).Find(policy =>
            (policy.Text("PolicyARN") == input.Text("PolicyName") || policy.Text("PolicyName") == input.Text("PolicyName")) && (input.Text("AutoScalingGroupName") is not { } group || policy.Text("AutoScalingGroupName") == group))
        ?? throw Invalid("PolicyName not found - Policy " + input.Text("PolicyName") + " not found");

    private JsonObject PutScalingPolicy(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("AutoScalingGroupName")).Required("AutoScalingGroupName");
        var type = input.Text("PolicyType") ?? "SimpleScaling";
        switch (type)
        {
            case "StepScaling" when StepScaling.Problem(input) is { } problem:
                throw Invalid(problem);
            case "SimpleScaling" when input.Text("AdjustmentType") is null || !input.Has("ScalingAdjustment"):
                throw Invalid("AdjustmentType and ScalingAdjustment are required for policies of type SimpleScaling.");
            case "TargetTrackingScaling" when input.Child("TargetTrackingConfiguration") is not { } tracking || tracking.Has("PredefinedMetricSpecification") == tracking.Has("CustomizedMetricSpecification"):
                throw Invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified in TargetTrackingConfiguration.");
            case "PredictiveScaling":
                throw new ServiceFault("NotImplemented", "The sandbox has no predictive scaling. Nothing was changed.", 501);
        }
        var present = ScalingPolicies(context).Find(policy => policy.Text("AutoScalingGroupName") == group && policy.Text("PolicyName") == input.Text("PolicyName"));
        if (present is not null)
        {
            RemoveAlarms(context, present);
        }
        var arn = present?.Text("PolicyARN") ?? context.Arn("autoscaling", $"scalingPolicy:{Runtime.Ids.Uuid()}:autoScalingGroupName/{group}:policyName/{input.Text("PolicyName")}");
        var stored = input.Copy();
        stored["PolicyARN"] = arn;
        stored["PolicyType"] = type;
        stored["Enabled"] = input.Flag("Enabled") ?? true;
        stored["Alarms"] = type == "TargetTrackingScaling" ? TrackingAlarms(context, group, arn, input.Child("TargetTrackingConfiguration")!) : new JsonArray();
        ScalingPolicies(context).Put(arn, stored);
        return new JsonObject { ["PolicyARN"] = arn, ["Alarms"] = stored["Alarms"].Copy() };
    }

    private JsonArray TrackingAlarms(RequestContext context, string group, string policyArn, JsonObject settings)
    {
        var predefined = settings.Child("PredefinedMetricSpecification");
        var metric = predefined is null
            ? settings.Child("CustomizedMetricSpecification")!.Pick("Namespace", "MetricName", "Dimensions", "Statistic", "Unit", "Metrics")
            : predefined.Text("PredefinedMetricType") == "ALBRequestCountPerTarget"
                ? TargetTracking.RequestCountPerTarget(predefined.Required("ResourceLabel"))
                : new JsonObject
                {
                    ["Namespace"] = "AWS/EC2",
                    ["MetricName"] = predefined.Text("PredefinedMetricType") switch { "ASGAverageNetworkIn" => "NetworkIn", "ASGAverageNetworkOut" => "NetworkOut", _ => "CPUUtilization" },
                    ["Statistic"] = "Average",
                    ["Dimensions"] = new JsonArray(new JsonObject { ["Name"] = "AutoScalingGroupName", ["Value"] = group }),
                };
        return TargetTracking.CreateAlarms(Runtime, context, group, policyArn, metric, settings.Double("TargetValue") ?? 0, settings.Is("DisableScaleIn"));
    }

    private void RemoveAlarms(RequestContext context, JsonObject policy)
    {
        foreach (var alarm in policy.Objects("Alarms"))
        {
            Runtime.Service<CloudWatch.CloudWatchService>().RemoveAlarm(context, alarm.Required("AlarmName"));
        }
    }

    /// <summary>An alarm asks for a policy. Gives what went wrong; null when nothing did.</summary>
    public string? AlarmFired(RequestContext context, string policyArn, JsonObject alarm, double? metric)
    {
        if (ScalingPolicies(context).Get(policyArn) is not { } policy || Groups(context).Get(policy.Required("AutoScalingGroupName")) is not { } group)
        {
            return $"No scaling policy found for {policyArn}";
        }
        if (!policy.Is("Enabled") || group.Objects("SuspendedProcesses").Any(item => item.Text("ProcessName") == "AlarmNotification"))
        {
            return null;
        }
        Scale(context, policy, metric, alarm.Double("Threshold") ?? 0, honorCooldown: true, $"a monitor alarm {alarm.Text("AlarmName")} in state {alarm.Text("StateValue")} triggered policy {policy.Text("PolicyName")}");
        return null;
    }

    private void Scale(RequestContext context, JsonObject policy, double? metric, double threshold, bool honorCooldown, string cause)
    {
        var name = policy.Required("AutoScalingGroupName");
        var group = Group(context, name);
        var capacity = group.Int("DesiredCapacity") ?? 0;
        var wanted = policy.Text("PolicyType") switch
        {
            "SimpleScaling" => StepScaling.Adjusted(policy, capacity, policy.Int("ScalingAdjustment") ?? 0),
            "StepScaling" when metric is { } value => StepScaling.Wanted(policy, capacity, value, threshold) ?? capacity,
            "TargetTrackingScaling" when metric is { } value => StepScaling.Tracking(capacity, value, policy.Child("TargetTrackingConfiguration")!.Double("TargetValue") ?? 1),
            _ => capacity,
        };
        wanted = Math.Clamp(wanted, group.Int("MinSize") ?? 0, group.Int("MaxSize") ?? 0);
        // Simple policies wait for the cooldown; step and target tracking policies for the warm-up of what was started last.
        var rest = policy.Text("PolicyType") == "SimpleScaling" ? policy.Int("Cooldown") ?? group.Int("DefaultCooldown") ?? 300 : policy.Int("EstimatedInstanceWarmup") ?? group.Int("DefaultInstanceWarmup") ?? group.Int("DefaultCooldown") ?? 300;
        var resting = honorCooldown && group.TimeOf("_LastScaled") is { } last && (Runtime.Clock.Now - last).TotalSeconds < rest;
        if (wanted == capacity || resting)
        {
            return;
        }
        Groups(context).Update(name, document => document["_LastScaled"] = Documents.Time(Runtime.Clock.Now));
        SetDesired(context, name, wanted, cause);
    }

    private JsonObject PutScheduledAction(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("AutoScalingGroupName")).Required("AutoScalingGroupName");
        if (!input.Has("MinSize") && !input.Has("MaxSize") && !input.Has("DesiredCapacity"))
        {
            throw Invalid("At least one of MinSize, MaxSize and DesiredCapacity must be specified.");
        }
        var recurrence = input.Text("Recurrence");
        if (recurrence is null && !input.Has("StartTime") && !input.Has("Time"))
        {
            throw Invalid("A start time or a recurrence must be specified.");
        }
        if (recurrence is not null && ScheduleExpression.ParseUnix(recurrence) is null)
        {
            throw Invalid($"Given recurrence string: {recurrence} is invalid");
        }
        if (input.Text("TimeZone") is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _))
        {
            throw Invalid($"Invalid time zone: {zone}");
        }
        var name = input.Required("ScheduledActionName");
        var action = input.Pick("AutoScalingGroupName", "ScheduledActionName", "StartTime", "EndTime", "Recurrence", "MinSize", "MaxSize", "DesiredCapacity", "TimeZone");
        action["StartTime"] ??= input["Time"].Copy();
        action["ScheduledActionARN"] = context.Arn("autoscaling", $"scheduledUpdateGroupAction:{Runtime.Ids.Uuid()}:autoScalingGroupName/{group}:scheduledActionName/{name}");
        Schedules(context).Put($"{group}|{name}", action);
        AwaitSchedule(context.Detached(), $"{group}|{name}", action, Runtime.Clock.Now);
        return [];
    }

    private void AwaitSchedule(RequestContext context, string key, JsonObject action, DateTimeOffset after)
    {
        var start = action.TimeOf("StartTime");
        DateTimeOffset? next;
        if (action.Text("Recurrence") is { } recurrence)
        {
            var zone = action.Text("TimeZone") is { } name && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var found) ? found : null;
            next = ScheduleExpression.ParseUnix(recurrence)!.Next(start is { } first && first > after ? first.AddTicks(-1) : after, after, zone);
        }
        else
        {
            next = start > after ? start : null;
        }
        if (next is not { } moment || moment > action.TimeOf("EndTime"))
        {
            return;
        }
        Runtime.Clock.Schedule(moment, () =>
        {
            if (Schedules(context).Get(key)?.Text("ScheduledActionARN") != action.Text("ScheduledActionARN") || Groups(context).Get(action.Required("AutoScalingGroupName")) is not { } group)
            {
                return;
            }
            if (!group.Objects("SuspendedProcesses").Any(item => item.Text("ProcessName") == "ScheduledActions"))
            {
                var (minimum, maximum) = (action.Int("MinSize") ?? group.Int("MinSize") ?? 0, action.Int("MaxSize") ?? group.Int("MaxSize") ?? 0);
                Groups(context).Update(group.Required("AutoScalingGroupName"), document =>
                {
                    document["MinSize"] = Math.Min(minimum, maximum);
                    document["MaxSize"] = maximum;
                });
                SetDesired(context, group.Required("AutoScalingGroupName"), Math.Clamp(action.Int("DesiredCapacity") ?? group.Int("DesiredCapacity") ?? 0, Math.Min(minimum, maximum), maximum), $"scheduled action {action.Text("ScheduledActionName")} was triggered");
            }
            AwaitSchedule(context, key, action, moment);
        });
    }
}
