namespace Inferloop.Templates;

/// <summary>Alarms that can never fire, or that nobody hears.</summary>
internal static class AlarmTraps
{
    public static readonly TrapRule Dimension = new(
        "AlarmDimension", DiagnosticSeverity.Error, "An alarm looks at a load balancer or target group by a name that no metric has",
        "Use GetAtt LoadBalancer.LoadBalancerFullName (app/name/id) and GetAtt TargetGroup.TargetGroupFullName (targetgroup/name/id).");

    public static readonly TrapRule NoAction = new(
        "AlarmWithoutAction", DiagnosticSeverity.Warning, "An alarm tells nobody",
        "Set AlarmActions (a topic, a scaling policy), or use it in a composite alarm that has one.");

    public static readonly TrapRule NoMetric = new(
        "MetricNobodySends", DiagnosticSeverity.Error, "An alarm looks at a metric that nothing sends",
        "Use a metric that the service publishes. Memory and disk of an instance need the CloudWatch agent on it (namespace CWAgent); tasks have MemoryUtilization in AWS/ECS.");

    public static readonly TrapRule MissingData = new(
        "MissingDataIsFine", DiagnosticSeverity.Warning, "An alarm that falls silent with what it watches counts silence as good",
        "Set TreatMissingData: breaching; when nothing runs, nothing sends, and that is when this alarm should fire.");

    private static readonly Dictionary<string, string[]> Metrics = new(StringComparer.Ordinal)
    {
        ["AWS/EC2"] = ["CPUUtilization", "CPUCreditUsage", "CPUCreditBalance", "CPUSurplusCreditBalance", "CPUSurplusCreditsCharged", "DiskReadOps", "DiskWriteOps", "DiskReadBytes", "DiskWriteBytes", "NetworkIn", "NetworkOut", "NetworkPacketsIn", "NetworkPacketsOut", "StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System", "StatusCheckFailed_AttachedEBS", "MetadataNoToken", "MetadataNoTokenRejected", "EBSReadOps", "EBSWriteOps", "EBSReadBytes", "EBSWriteBytes", "EBSIOBalance%", "EBSByteBalance%", "DedicatedHostCPUUtilization"],
        ["AWS/ECS"] = ["CPUUtilization", "MemoryUtilization", "CPUReservation", "MemoryReservation", "GPUReservation", "EBSFilesystemUtilization", "ActiveConnectionCount", "NewConnectionCount", "ProcessedBytes", "RequestCount", "GrpcRequestCount", "HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count", "RequestCountPerTarget", "TargetProcessedBytes", "TargetResponseTime", "ClientTLSNegotiationErrorCount", "TargetTLSNegotiationErrorCount"],
    };

    // They are there as long as what they tell of is there; without it they are not.
    private static readonly HashSet<string> SignsOfLife = new(StringComparer.Ordinal) { "HealthyHostCount", "RunningTaskCount", "StatusCheckFailed", "StatusCheckFailed_Instance", "StatusCheckFailed_System", "GroupInServiceInstances" };

    public static void Check(TrapContext context)
    {
        var composites = context.All("AWS::CloudWatch::CompositeAlarm").ToList();
        var heard = composites.SelectMany(c => context.From(c.Properties["AlarmRule"])).ToHashSet();
        foreach (var alarm in context.All("AWS::CloudWatch::Alarm"))
        {
            var rule = string.Join(' ', composites.Select(c => c.Properties["AlarmRule"]?.AsString()));
            var named = alarm.Properties["AlarmName"]?.AsString() is { Length: > 0 } name && rule.Contains(name, StringComparison.Ordinal);
            if (!heard.Contains(alarm) && !named)
            {
                Actions(context, alarm);
            }

            Metric(context, alarm, alarm.Properties);
            foreach (var query in alarm.Properties["Metrics"]?.Items ?? [])
            {
                if (query["MetricStat"]?["Metric"] is { } metric)
                {
                    Metric(context, alarm, metric);
                }
            }

            Silence(context, alarm);
        }

        foreach (var composite in composites.Where(c => !heard.Contains(c)))
        {
            Actions(context, composite);
        }
    }

    private static void Actions(TrapContext context, EvaluatedResource alarm)
    {
        if (alarm.Properties["ActionsEnabled"]?.AsString() == "false")
        {
            context.Report(NoAction, "Its actions are switched off.", alarm, alarm.Properties["ActionsEnabled"]);
        }
        else if (alarm.Properties["AlarmActions"]?.Items is not { Count: > 0 })
        {
            context.Report(NoAction, "It has no AlarmActions, and no composite alarm uses it.", alarm);
        }
    }

    private static void Metric(TrapContext context, EvaluatedResource alarm, Value metric)
    {
        var space = metric["Namespace"]?.AsString();
        var name = metric["MetricName"]?.AsString();
        if (space is not null && name is not null && Metrics.TryGetValue(space, out var known) && !known.Contains(name, StringComparer.Ordinal))
        {
            context.Report(NoMetric, $"{space} has no metric '{name}'.{Suggestion.For(name, known)}", alarm, metric["MetricName"]);
        }

        if (space == "CWAgent" && !context.All("AWS::EC2::LaunchTemplate", "AWS::EC2::Instance", "AWS::SSM::Association", "AWS::EKS::Addon").Any(SendsByAgent))
        {
            context.Report(NoMetric, $"'{name}' is sent by the CloudWatch agent, and nothing here installs it.", alarm, metric["MetricName"], DiagnosticSeverity.Warning);
        }

        if (space is "AWS/ApplicationELB" or "AWS/NetworkELB")
        {
            foreach (var dimension in metric["Dimensions"]?.Items ?? [])
            {
                Dimensions(context, alarm, dimension["Name"]?.AsString(), dimension["Value"]);
            }
        }
    }

    private static bool SendsByAgent(EvaluatedResource resource) => resource.Properties.ToString().Contains("cloudwatch", StringComparison.OrdinalIgnoreCase)
        && resource.Properties.ToString().Contains("agent", StringComparison.OrdinalIgnoreCase);

    private static void Dimensions(TrapContext context, EvaluatedResource alarm, string? name, Value? value)
    {
        var (beginnings, attribute) = name switch { "LoadBalancer" => (new[] { "app/", "net/" }, "LoadBalancerFullName"), "TargetGroup" => (["targetgroup/"], "TargetGroupFullName"), _ => ([], "") };
        if (beginnings.Length == 0 || value is null)
        {
            return;
        }

        var source = value.Sources.Count == 1 ? value.Sources[0] : null;
        var isFull = source is not null && (source.EndsWith("." + attribute, StringComparison.Ordinal) || context.From(value).All(r => !r.Type.StartsWith("AWS::ElasticLoadBalancingV2", StringComparison.Ordinal)));
        var text = value.AsString();
        if (text is not null ? !beginnings.Any(b => text.StartsWith(b, StringComparison.Ordinal)) : source is not null && !isFull)
        {
            context.Report(Dimension, $"The dimension {name} is {(text is not null ? $"'{text}'" : source)}; metrics have {beginnings[0]}name/id.", alarm, value);
        }
    }

    private static void Silence(TrapContext context, EvaluatedResource alarm)
    {
        var metric = alarm.Properties["MetricName"]?.AsString() ?? "";
        if (alarm.Properties["TreatMissingData"]?.AsString() == "notBreaching" && SignsOfLife.Contains(metric))
        {
            context.Report(MissingData, $"Without anything that sends {metric} it stays OK.", alarm, alarm.Properties["TreatMissingData"]);
        }
    }
}
