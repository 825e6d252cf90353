using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>CloudWatch: log groups, flow logs and alarms.</summary>
internal static class LogPricers
{
    private const string LogGroupType = "AWS::Logs::LogGroup";
    private const string InsightsPrefix = "/aws/ecs/containerinsights/";

    // Logs without an end of retention grow for ever; a year is what an estimate can say about them.
    private const decimal EndlessMonths = 12;
    private const decimal KilobytesPerGb = 1024m * 1024m;

    public static void LogGroup(CostedResource group, CostSheet sheet)
    {
        var scope = sheet.Scope;
        if (group.Text("LogGroupName") is { } name && name.StartsWith(InsightsPrefix, StringComparison.Ordinal))
        {
            // One event of about 1 KB a minute for each task, and one for its container.
            var tasks = scope.OfType("AWS::ECS::Service").Where(s => s.Region == group.Region).Aggregate((Quantity)0m, (sum, s) => sum + EcsPricers.Tasks(s));
            Ingested(group, sheet, tasks * 2 * Month.Minutes / KilobytesPerGb, "Container Insights events", "about 1 KB a minute for each task and each container");
            return;
        }

        var flowLogs = scope.OfType("AWS::EC2::FlowLog").Where(f => Receives(group, f.Get("LogGroupName"), f)).ToList();
        if (flowLogs.Count > 0)
        {
            var gb = CostSheet.Share(sheet.Usage.FlowLogGb, scope.OfType("AWS::EC2::FlowLog").Count) * flowLogs.Count;
            Stored(group, sheet, gb, "Flow logs kept");
            return;
        }

        var groups = scope.OfType("AWS::ECS::TaskDefinition").SelectMany(d => LogGroupsOf(d, scope)).Distinct().ToList();
        if (groups.Contains(group))
        {
            Ingested(group, sheet, CostSheet.Share(sheet.Usage.ApplicationLogGb, groups.Count), "Application logs", NetworkPricers.Sharing(groups.Count, "log group"));
            return;
        }

        // Nothing in the template writes to it; what is written from elsewhere cannot be known.
        sheet.AddFree(group);
    }

    public static void FlowLog(CostedResource flowLog, CostSheet sheet)
    {
        var logs = sheet.Scope.OfType(flowLog.Type).Count;
        var destination = flowLog.Text("LogDestinationType") ?? "cloud-watch-logs";
        var dimension = destination switch { "s3" => "vended_logs_delivered_to_s3_gb", "kinesis-data-firehose" => "vended_logs_delivered_to_firehose_gb", _ => "vended_logs_standard_gb" };
        sheet.Add(
            flowLog, "Flow logs delivered", "cloudwatch", dimension, CostSheet.Share(sheet.Usage.FlowLogGb, logs), NetworkPricers.Sharing(logs, "flow log"));
        if (destination == "cloud-watch-logs" && !sheet.Scope.OfType(LogGroupType).Any(g => Receives(g, flowLog.Get("LogGroupName"), flowLog)))
        {
            sheet.AddUnpriced(
                flowLog, "Flow logs kept", null, "gb_month", "The log group that receives them is not in the template, so their retention is not known.");
        }
    }

    public static void Alarm(CostedResource alarm, CostSheet sheet)
    {
        var metrics = alarm.Items("Metrics").Count(m => m["MetricStat"] is not null) is var n and > 0 ? n : 1;
        var fast = alarm.Number("Period") is < 60 || alarm.Items("Metrics").Any(m => m["MetricStat"]?["Period"] is { } p && p.TryGetNumber(out var seconds) && seconds < 60);
        sheet.Add(
            alarm, "Alarm", "cloudwatch", fast ? "alarm_high_resolution_metric_month" : "alarm_standard_metric_month", metrics,
            metrics == 1 ? "one metric" : $"{metrics} metrics");
    }

    public static void CompositeAlarm(CostedResource alarm, CostSheet sheet) =>
        sheet.Add(alarm, "Composite alarm", "cloudwatch", "alarm_composite_month", 1m, "one alarm");

    private static void Ingested(CostedResource group, CostSheet sheet, Quantity gb, string what, string assumption)
    {
        var infrequent = group.Text("LogGroupClass") == "INFREQUENT_ACCESS";
        sheet.Add(group, what + " written", "cloudwatch", infrequent ? "logs_ingest_infrequent_access_gb" : "logs_ingest_standard_gb", gb, assumption);
        Stored(group, sheet, gb, what + " kept");
    }

    private static void Stored(CostedResource group, CostSheet sheet, Quantity gbPerMonth, string what)
    {
        var days = group.Number("RetentionInDays");
        var months = days is { } d ? Month.FromDays(d) : EndlessMonths;
        var share = sheet.Usage.LogStoredShare;
        var kept = days is null ? "a year of them (they have no end of retention)" : string.Create(CultureInfo.InvariantCulture, $"{days:0.##} days of them");
        sheet.Add(
            group, what, "cloudwatch", "logs_stored_gb_month", gbPerMonth * months * share,
            string.Create(CultureInfo.InvariantCulture, $"{kept}, compressed to {share:0.##} of their size"));
    }

    private static bool Receives(CostedResource group, Value? name, CostedResource sender) =>
        sender.Sources(name).Contains(group) || (name?.AsString() is { } text && text == group.Text("LogGroupName") && sender.Region == group.Region);

    private static IEnumerable<CostedResource> LogGroupsOf(CostedResource definition, CostScope scope)
    {
        foreach (var name in definition.Items("ContainerDefinitions").Select(c => c["LogConfiguration"]?["Options"]?["awslogs-group"]).OfType<Value>())
        {
            foreach (var group in scope.OfType(LogGroupType).Where(g => Receives(g, name, definition)))
            {
                yield return group;
            }
        }
    }
}
