using System.Globalization;
using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>CloudWatch: log groups, flow logs and alarms.</summary>
internal static class LogPricers
{
    private const string LogGroupType = "AWS::Logs::LogGroup";
    private const string FlowLogType = "AWS::EC2::FlowLog";
    private const string InsightsPrefix = "/aws/ecs/containerinsights/";

    // Logs without an end of retention grow for ever; a year is what an estimate can say about them.
    private const decimal EndlessMonths = 12;
    private const decimal KilobytesPerGb = 1024m * 1024m;

    // Where AWS's services write without being told to.
    private static readonly string[] s_ownLogs = ["/aws/rds/", "/aws/eks/", "/aws/batch/", "/aws/codebuild/", "/aws/apigateway/", "/aws/elasticache/", "/aws/states/", "aws-waf-logs-"];

    public static void LogGroup(CostedResource group, CostSheet sheet)
    {
        if (group.Text("LogGroupName") is { } name && name.StartsWith(InsightsPrefix, StringComparison.Ordinal))
        {
            // One event of about 1 KB a minute for each task, and one for its container.
            var tasks = sheet.Scope.Once("tasks of " + group.Region, scope => scope.OfType("AWS::ECS::Service").Where(s => s.Region == group.Region)
                .Aggregate((Quantity)0m, (sum, s) => sum + EcsPricers.Tasks(s)));
            Ingested(group, sheet, tasks * 2 * Month.Minutes / KilobytesPerGb, "Container Insights events", "about 1 KB a minute for each task and each container");
            return;
        }

        var flowLogs = sheet.Scope.Once("flow logs", FlowLogsByGroup);
        if (flowLogs.TryGetValue(group, out var received))
        {
            Stored(group, sheet, CostSheet.Share(sheet.Usage.FlowLogGb, sheet.Scope.OfType(FlowLogType).Count) * received, "Flow logs kept");
            return;
        }

        var groups = sheet.Scope.Once("application logs", scope => ApplicationGroups(sheet, scope));
        if (groups.Contains(group))
        {
            Ingested(group, sheet, CostSheet.Share(sheet.Usage.ApplicationLogGb, groups.Count), "Application logs", NetworkPricers.Sharing(groups.Count, "log group"));
            return;
        }

        var services = sheet.Scope.Once("logs of services", scope => ServiceGroups(sheet, scope));
        if (services.Contains(group))
        {
            Ingested(group, sheet, CostSheet.Share(sheet.Usage.ServiceLogGb, services.Count), "Logs of AWS services", NetworkPricers.Sharing(services.Count, "log group"));
            return;
        }

        // Nothing in the template writes to it, or hardly anything (upgrades of a database, rotations of secrets); what is written from elsewhere cannot be known.
        sheet.AddFree(group);
    }

    /// <summary>The log groups that an amount of the usage profile goes to, each with the amount's kind.</summary>
    public static IEnumerable<(CostedResource Group, string Role)> Roles(CostSheet sheet)
    {
        foreach (var group in sheet.Scope.OfType(LogGroupType))
        {
            if (sheet.Scope.Once("flow logs", FlowLogsByGroup).ContainsKey(group))
            {
                yield return (group, Measuring.LogRoles.Flow);
            }
            else if (sheet.Scope.Once("application logs", scope => ApplicationGroups(sheet, scope)).Contains(group))
            {
                yield return (group, Measuring.LogRoles.Application);
            }
            else if (sheet.Scope.Once("logs of services", scope => ServiceGroups(sheet, scope)).Contains(group))
            {
                yield return (group, Measuring.LogRoles.Service);
            }
        }
    }

    public static void FlowLog(CostedResource flowLog, CostSheet sheet)
    {
        var logs = sheet.Scope.OfType(flowLog.Type).Count;
        var destination = flowLog.Text("LogDestinationType") ?? "cloud-watch-logs";
        var dimension = destination switch { "s3" => "vended_logs_delivered_to_s3_gb", "kinesis-data-firehose" => "vended_logs_delivered_to_firehose_gb", _ => "vended_logs_standard_gb" };
        sheet.Add(
            flowLog, "Flow logs delivered", "cloudwatch", dimension, CostSheet.Share(sheet.Usage.FlowLogGb, logs), NetworkPricers.Sharing(logs, "flow log"));
        if (destination == "cloud-watch-logs" && !Receivers(sheet.Scope, flowLog, flowLog.Get("LogGroupName")).Any())
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

    private static Dictionary<CostedResource, int> FlowLogsByGroup(CostScope scope) =>
        scope.OfType(FlowLogType).SelectMany(f => Receivers(scope, f, f.Get("LogGroupName"))).GroupBy(g => g).ToDictionary(g => g.Key, g => g.Count());

    // The groups that containers and functions of the templates write to: by a property that names them, or by the name that Lambda gives its logs.
    private static HashSet<CostedResource> ApplicationGroups(CostSheet sheet, CostScope scope)
    {
        var groups = new HashSet<CostedResource>(
            scope.OfType("AWS::ECS::TaskDefinition").SelectMany(d => d.Items("ContainerDefinitions")
                .SelectMany(c => Receivers(scope, d, c["LogConfiguration"]?["Options"]?["awslogs-group"]))));
        groups.UnionWith(scope.OfType(ServerlessPricers.FunctionType).SelectMany(f => Receivers(scope, f, f.Get("LoggingConfig", "LogGroup"))));
        groups.UnionWith(scope.OfType("AWS::Batch::JobDefinition").SelectMany(j => Receivers(scope, j, j.Get("ContainerProperties", "LogConfiguration", "Options", "awslogs-group"))));
        groups.UnionWith(Named(scope, "/aws/lambda/"));
        groups.ExceptWith(RotationGroups(sheet, scope));
        return groups;
    }

    // What functions that rotate secrets write: some lines a month.
    private static IEnumerable<CostedResource> RotationGroups(CostSheet sheet, CostScope scope) =>
        RotationFunctions.Calls(sheet).Keys.SelectMany(f => Receivers(scope, f, f.Get("LoggingConfig", "LogGroup"))
            .Concat(f.Text("FunctionName") is { } name ? Named(scope, "/aws/lambda/" + name) : []));

    // The groups that AWS's services write to: told by a property, or by a name of their own. A database's upgrade log has entries at upgrades only.
    private static HashSet<CostedResource> ServiceGroups(CostSheet sheet, CostScope scope)
    {
        var groups = new HashSet<CostedResource>(s_ownLogs.SelectMany(prefix => Named(scope, prefix)));
        void Told(string type, params string[] path) =>
            groups.UnionWith(scope.OfType(type).SelectMany(r => Receivers(scope, r, r.Get(path))));
        Told("AWS::ApiGatewayV2::Stage", "AccessLogSettings", "DestinationArn");
        Told("AWS::ApiGateway::Stage", "AccessLogSetting", "DestinationArn");
        Told("AWS::CloudTrail::Trail", "CloudWatchLogsLogGroupArn");
        Told("AWS::CodeBuild::Project", "LogsConfig", "CloudWatchLogs", "GroupName");
        groups.UnionWith(scope.OfType("AWS::WAFv2::LoggingConfiguration").SelectMany(r => r.Items("LogDestinationConfigs").SelectMany(d => Receivers(scope, r, d))));
        groups.UnionWith(scope.OfType("AWS::ElastiCache::ReplicationGroup").SelectMany(r => r.Items("LogDeliveryConfigurations")
            .SelectMany(d => Receivers(scope, r, d["DestinationDetails"]?["CloudWatchLogsDetails"]?["LogGroup"]))));
        groups.RemoveWhere(g => g.Text("LogGroupName") is { } name && name.StartsWith("/aws/rds/", StringComparison.Ordinal) && name.EndsWith("/upgrade", StringComparison.Ordinal));
        groups.ExceptWith(sheet.Scope.Once("application logs", all => ApplicationGroups(sheet, all)));
        return groups;
    }

    private static IEnumerable<CostedResource> Named(CostScope scope, string prefix) =>
        scope.OfType(LogGroupType).Where(g => g.Text("LogGroupName") is { } name && name.StartsWith(prefix, StringComparison.Ordinal) && !name.StartsWith(InsightsPrefix, StringComparison.Ordinal));

    // The log groups that a name means: made from the resource, or of that name in the same region.
    private static IEnumerable<CostedResource> Receivers(CostScope scope, CostedResource sender, Value? name)
    {
        var made = sender.Sources(name).Where(r => r.Type == LogGroupType).Distinct().ToList();
        var named = scope.Once("log groups by name", all => all.OfType(LogGroupType).ToLookup(g => (g.Region, g.Text("LogGroupName"))));
        return made.Count > 0 || name?.AsString() is not { } text ? made : named[(sender.Region, text)];
    }
}
