using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>CloudWatch: metrics, alarms (kept, and set by hand; they do not evaluate yet), dashboards.</summary>
internal sealed partial class CloudWatchService : SandboxService
{
    private static readonly string[] AlarmMembers =
    [
        "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit",
        "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId",
    ];

    public CloudWatchService(SandboxRuntime runtime)
        : base(runtime, "cloudwatch")
    {
        AddMetrics();
        On("PutMetricAlarm", (context, input) =>
        {
            if (!input.Has("MetricName") && !input.Has("Metrics"))
            {
                throw Invalid("MissingParameter", "Either MetricName or Metrics must be specified.");
            }
            if (input.Has("MetricName") && !input.Has("Statistic") && !input.Has("ExtendedStatistic"))
            {
                throw Invalid("MissingParameter", "Exactly one of Statistic and ExtendedStatistic must be specified.");
            }
            if (input.Int("Period") is { } period && period is not (10 or 20 or 30) && period % 60 != 0)
            {
                throw Invalid("ValidationError", $"Metric period must be 10, 20, 30, or a multiple of 60");
            }
            if (input.Int("DatapointsToAlarm") > input.Int("EvaluationPeriods"))
            {
                throw Invalid("ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods");
            }
            PutAlarm(context, input);
            return [];
        });
        On("PutCompositeAlarm", (context, input) =>
        {
            var alarm = input.Pick("AlarmName", "AlarmDescription", "AlarmRule", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod");
            alarm["_Composite"] = true;
            Store(context, alarm, input);
            return [];
        });
        On("DescribeAlarms", DescribeAlarms);
        On("DescribeAlarmsForMetric", (context, input) => new JsonObject
        {
            ["MetricAlarms"] = Alarms(context).Where(alarm => alarm.Text("MetricName") == input.Text("MetricName") && alarm.Text("Namespace") == input.Text("Namespace")
                && (!input.Has("Dimensions") || Dimensions(alarm) == Dimensions(input))).ToJsonList(),
        });
        On("DeleteAlarms", (context, input) =>
        {
            foreach (var name in input.Texts("AlarmNames"))
            {
                if (!Alarms(context).Remove(name))
                {
                    throw new ServiceFault("ResourceNotFound", $"Alarm {name} does not exist", 404);
                }
            }
            return [];
        });
        On("SetAlarmState", SetAlarmState);
        On("EnableAlarmActions", (context, input) => Actions(context, input, true));
        On("DisableAlarmActions", (context, input) => Actions(context, input, false));
        On("DescribeAlarmHistory", (context, input) => Pages.Answer(input, Collection(context, "history").Where(item =>
            (input.Text("AlarmName") is not { } name || item.Text("AlarmName") == name) && (input.Text("HistoryItemType") is not { } type || item.Text("HistoryItemType") == type))
            .OrderByDescending(item => item.TimeOf("Timestamp")).ToList(), "AlarmHistoryItems", "MaxRecords", "NextToken", 100, "InvalidNextToken"));
        On("PutDashboard", (context, input) =>
        {
            if (PolicyDocument.AsObject(input.Text("DashboardBody")) is not JsonObject)
            {
                throw Invalid("InvalidParameterInput", "The field DashboardBody must be a valid JSON object");
            }
            var name = input.Required("DashboardName");
            Collection(context, "dashboards").Put(name, new JsonObject
            {
                ["DashboardName"] = name,
                ["DashboardArn"] = context.GlobalArn("cloudwatch", "dashboard/" + name),
                ["DashboardBody"] = input.Text("DashboardBody"),
                ["LastModified"] = Documents.Time(context.Now),
                ["Size"] = input.Required("DashboardBody").Length,
            });
            return new JsonObject { ["DashboardValidationMessages"] = new JsonArray() };
        });
        On("GetDashboard", (context, input) => Collection(context, "dashboards").Get(input.Required("DashboardName")) ?? throw NoDashboard(input.Required("DashboardName")));
        On("ListDashboards", (context, input) => Pages.Answer(input, Collection(context, "dashboards").Where(item => item.Required("DashboardName").StartsWith(input.Text("DashboardNamePrefix") ?? "", StringComparison.Ordinal)).ToList(),
            "DashboardEntries", "MaxResults", "NextToken", 1000, "InvalidNextToken"));
        On("DeleteDashboards", (context, input) =>
        {
            foreach (var name in input.Texts("DashboardNames"))
            {
                if (!Collection(context, "dashboards").Remove(name))
                {
                    throw NoDashboard(name);
                }
            }
            return [];
        });
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Alarm(context, input.Required("ResourceARN").Split(":alarm:")[^1])["_Tags"].Copy() ?? new JsonArray() });
    }

    private Collection Alarms(RequestContext context) => Collection(context, "alarms");

    private static ServiceFault Invalid(string code, string message) => new(code, message);

    private static ServiceFault NoDashboard(string name) => new("ResourceNotFound", $"Dashboard {name} does not exist", 404);

    private JsonObject Alarm(RequestContext context, string name) => Alarms(context).Get(name) ?? throw new ServiceFault("ResourceNotFound", $"Alarm {name} does not exist", 404);

    private static string Dimensions(JsonObject document) =>
        string.Join('|', document.Objects("Dimensions").OrderBy(item => item.Text("Name"), StringComparer.Ordinal).Select(item => $"{item.Text("Name")}={item.Text("Value")}"));

    /// <summary>Makes or changes an alarm.</summary>
    public void PutAlarm(RequestContext context, JsonObject input)
    {
        var alarm = input.Pick(AlarmMembers);
        alarm["ActionsEnabled"] ??= true;
        alarm["TreatMissingData"] ??= "missing";
        alarm["Dimensions"] ??= new JsonArray();
        Store(context, alarm, input);
    }

    public void RemoveAlarm(RequestContext context, string name) => Alarms(context).Remove(name);

    private void Store(RequestContext context, JsonObject alarm, JsonObject input)
    {
        var name = alarm.Required("AlarmName");
        foreach (var actions in (string[])["OKActions", "AlarmActions", "InsufficientDataActions"])
        {
            alarm[actions] ??= new JsonArray();
        }
        var present = Alarms(context).Get(name);
        alarm["AlarmArn"] = context.Arn("cloudwatch", "alarm:" + name);
        alarm["AlarmConfigurationUpdatedTimestamp"] = Documents.Time(context.Now);
        alarm["StateValue"] = present?.Text("StateValue") ?? "INSUFFICIENT_DATA";
        alarm["StateReason"] = present?.Text("StateReason") ?? "Unchecked: Initial alarm creation";
        alarm["StateUpdatedTimestamp"] = present?["StateUpdatedTimestamp"].Copy() ?? Documents.Time(context.Now);
        alarm["StateTransitionedTimestamp"] = present?["StateTransitionedTimestamp"].Copy() ?? Documents.Time(context.Now);
        alarm["_Tags"] = present?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray();
        Alarms(context).Put(name, alarm);
        History(context, alarm, "ConfigurationUpdate", $"Alarm \"{name}\" {(present is null ? "created" : "updated")}");
    }

    private void History(RequestContext context, JsonObject alarm, string type, string summary) => Collection(context, "history").Put(Runtime.Ids.Uuid(), new JsonObject
    {
        ["AlarmName"] = alarm.Text("AlarmName"),
        ["AlarmType"] = alarm.Is("_Composite") ? "CompositeAlarm" : "MetricAlarm",
        ["Timestamp"] = Documents.Time(Runtime.Clock.Now),
        ["HistoryItemType"] = type,
        ["HistorySummary"] = summary,
        ["HistoryData"] = "{}",
    });

    private JsonObject DescribeAlarms(RequestContext context, JsonObject input)
    {
        var names = input.Texts("AlarmNames");
        var types = input.Texts("AlarmTypes") is { Count: > 0 } given ? given : ["MetricAlarm"];
        var all = Alarms(context).Where(alarm => (names.Count == 0 ? types.Contains(alarm.Is("_Composite") ? "CompositeAlarm" : "MetricAlarm") : names.Contains(alarm.Text("AlarmName")!))
            && alarm.Required("AlarmName").StartsWith(input.Text("AlarmNamePrefix") ?? "", StringComparison.Ordinal)
            && (input.Text("StateValue") is not { } state || alarm.Text("StateValue") == state)
            && (input.Text("ActionPrefix") is not { } action || alarm.Texts("AlarmActions").Any(item => item.StartsWith(action, StringComparison.Ordinal)))).ToList();
        var page = Pages.Answer(input, all, "All", "MaxRecords", "NextToken", 50, "InvalidNextToken");
        var found = page.Objects("All").ToList();
        return new JsonObject
        {
            ["MetricAlarms"] = found.Where(alarm => !alarm.Is("_Composite")).Select(alarm => alarm.Copy()).ToJsonList(),
            ["CompositeAlarms"] = found.Where(alarm => alarm.Is("_Composite")).Select(alarm => alarm.Copy()).ToJsonList(),
        }.With("NextToken", page.Text("NextToken"));
    }

    private JsonObject SetAlarmState(RequestContext context, JsonObject input)
    {
        var alarm = Alarm(context, input.Required("AlarmName"));
        var before = alarm.Text("StateValue");
        var state = input.Required("StateValue");
        var updated = Alarms(context).Update(alarm.Required("AlarmName"), document =>
        {
            document["StateValue"] = state;
            document["StateReason"] = input.Text("StateReason");
            document.Take(input, "StateReasonData");
            document["StateUpdatedTimestamp"] = Documents.Time(context.Now);
            document["StateTransitionedTimestamp"] = Documents.Time(context.Now);
        })!;
        if (before != state)
        {
            History(context, updated, "StateUpdate", $"Alarm updated from {before} to {state}");
            Notify(context, updated, before ?? "", state);
        }
        return [];
    }

    /// <summary>Tells the topics among an alarm's actions.</summary>
    private void Notify(RequestContext context, JsonObject alarm, string before, string state)
    {
        if (!alarm.Is("ActionsEnabled"))
        {
            return;
        }
        var actions = alarm.Texts(state switch { "ALARM" => "AlarmActions", "OK" => "OKActions", _ => "InsufficientDataActions" });
        foreach (var topic in actions.Where(action => action.Contains(":sns:", StringComparison.Ordinal)))
        {
            var message = new JsonObject
            {
                ["AlarmName"] = alarm.Text("AlarmName"),
                ["AlarmDescription"] = alarm.Text("AlarmDescription"),
                ["AWSAccountId"] = context.AccountId,
                ["NewStateValue"] = state,
                ["NewStateReason"] = alarm.Text("StateReason"),
                ["StateChangeTime"] = alarm.Text("StateUpdatedTimestamp"),
                ["Region"] = context.Region,
                ["AlarmArn"] = alarm.Text("AlarmArn"),
                ["OldStateValue"] = before,
            };
            var sent = Runtime.Service<Sns.SnsService>().TryPublish(context, topic, $"{state}: \"{alarm.Text("AlarmName")}\" in {context.Region}", message.ToJsonString());
            History(context, alarm, "Action", sent ? $"Successfully executed action {topic}" : $"Failed to execute action {topic}");
        }
    }

    private JsonObject Actions(RequestContext context, JsonObject input, bool enabled)
    {
        foreach (var name in input.Texts("AlarmNames"))
        {
            Alarms(context).Update(name, alarm => alarm["ActionsEnabled"] = enabled);
        }
        return [];
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var name = Alarm(context, input.Required("ResourceARN").Split(":alarm:")[^1]).Required("AlarmName");
        Alarms(context).Update(name, change);
        return [];
    }
}
