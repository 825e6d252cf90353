using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>The two alarms of a target tracking policy, as both auto scaling services make them.</summary>
internal static class TargetTracking
{
    private const int HighPeriods = 3;
    private const int LowPeriods = 15;

    /// <summary>Scaling in begins below nine tenths of the target, after fifteen minutes; scaling out above it, after three.</summary>
    public static JsonArray CreateAlarms(SandboxRuntime runtime, RequestContext context, string resource, string policyArn, JsonObject metric, double target, bool disableScaleIn, double? low = null, int highPeriods = HighPeriods)
    {
        var alarms = new JsonArray();
        foreach (var (kind, comparison, threshold, periods) in new[]
        {
            ("AlarmHigh", "GreaterThanThreshold", target, highPeriods), ("AlarmLow", "LessThanThreshold", low ?? target * 0.9, LowPeriods),
        })
        {
            if (kind == "AlarmLow" && disableScaleIn)
            {
                continue;
            }
            var name = $"TargetTracking-{resource}-{kind}-{runtime.Ids.Uuid()}";
            var alarm = metric.Copy();
            alarm["AlarmName"] = name;
            alarm["AlarmDescription"] = $"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policyArn}.";
            alarm["ActionsEnabled"] = true;
            alarm["AlarmActions"] = new JsonArray(policyArn);
            alarm["ComparisonOperator"] = comparison;
            alarm["Threshold"] = Math.Round(threshold, 6);
            alarm["EvaluationPeriods"] = periods;
            if (!alarm.Has("Metrics"))
            {
                alarm["Period"] = 60;
            }
            runtime.Service<CloudWatch.CloudWatchService>().PutAlarm(context, alarm);
            alarms.Add((JsonNode)new JsonObject { ["AlarmName"] = name, ["AlarmARN"] = context.Arn("cloudwatch", "alarm:" + name) });
        }
        return alarms;
    }

    /// <summary>The metric of ALBRequestCountPerTarget, from its resource label <c>app/lb/id/targetgroup/tg/id</c>.</summary>
    public static JsonObject RequestCountPerTarget(string label)
    {
        var at = label.IndexOf("/targetgroup/", StringComparison.Ordinal);
        return new JsonObject
        {
            ["Namespace"] = "AWS/ApplicationELB",
            ["MetricName"] = "RequestCountPerTarget",
            ["Statistic"] = "Sum",
            ["Dimensions"] = at < 0
                ? new JsonArray(Dimension("TargetGroup", label))
                : new JsonArray(Dimension("TargetGroup", label[(at + 1)..]), Dimension("LoadBalancer", label[..at])),
        };
    }

    private static JsonObject Dimension(string name, string value) => new() { ["Name"] = name, ["Value"] = value };
}
