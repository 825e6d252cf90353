using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Alarms as they are put, described and removed.</summary>
internal sealed partial class CloudWatchService
{
    private static readonly string[] AlarmMembers =
    [
        "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit",
        "EvaluationPeriods", "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "EvaluateLowSampleCountPercentile", "Metrics", "ThresholdMetricId",
    ];

    private static readonly string[] ActionLists = ["OKActions", "AlarmActions", "InsufficientDataActions"];

    private void AddAlarms()
    {
        On("PutMetricAlarm", (context, input) =>
        {
            CheckMetricAlarm(context, input);
            PutAlarm(context, input);
            return [];
        });
        On("PutCompositeAlarm", (context, input) =>
        {
            CheckActions(input);
            var rule = Rule(input.Required("AlarmRule"));
            var name = input.Required("AlarmName");
            foreach (var child in rule.Alarms().Distinct(StringComparer.Ordinal))
            {
                if (NameOf(child) == name)
                {
                    throw Invalid("ValidationError", $"Composite alarm {name} refers to itself.");
                }
                if (!Alarms(context).Contains(NameOf(child)))
                {
                    throw Invalid("ValidationError", $"Could not save the composite alarm as alarms [{child}] in the alarm rule do not exist");
                }
            }
            var alarm = input.Pick("AlarmName", "AlarmDescription", "AlarmRule", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions", "ActionsSuppressor", "ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod");
            alarm["ActionsEnabled"] ??= true;
            alarm["_Composite"] = true;
            Store(context, alarm, input);
            return [];
        });
        On("DescribeAlarms", DescribeAlarms);
        On("DescribeAlarmsForMetric", (context, input) => new JsonObject
        {
            ["MetricAlarms"] = Alarms(context).Where(alarm => !alarm.Is("_Composite") && alarm.Text("MetricName") == input.Text("MetricName") && alarm.Text("Namespace") == input.Text("Namespace")
                && Dimensions(alarm) == Dimensions(input) && (input.Int("Period") is not { } period || alarm.Int("Period") == period)
                && (input.Text("Statistic") is not { } statistic || alarm.Text("Statistic") == statistic)).ToJsonList(),
        });
        On("DeleteAlarms", (context, input) =>
        {
            var names = input.Texts("AlarmNames");
            foreach (var name in names)
            {
                _ = Alarm(context, name);
                if (Alarms(context).Find(item => item.Is("_Composite") && !names.Contains(item.Text("AlarmName")!) && Rule(item.Required("AlarmRule")).Alarms().Any(child => NameOf(child) == name)) is { } user)
                {
                    throw Invalid("ValidationError", $"Cannot delete {name} as it is used by the composite alarm {user.Text("AlarmName")}.");
                }
            }
            foreach (var name in names)
            {
                RemoveAlarm(context, name);
            }
            return [];
        });
        On("SetAlarmState", SetAlarmState);
        On("EnableAlarmActions", (context, input) => SetActions(context, input, true));
        On("DisableAlarmActions", (context, input) => SetActions(context, input, false));
        On("DescribeAlarmHistory", (context, input) =>
        {
            var types = input.Texts("AlarmTypes");
            var found = Collection(context, "history").Where(item =>
                (input.Text("AlarmName") is not { } name || item.Text("AlarmName") == name) && (input.Text("HistoryItemType") is not { } type || item.Text("HistoryItemType") == type)
                && (types.Count == 0 || types.Contains(item.Text("AlarmType")!))
                && (input.TimeOf("StartDate") is not { } from || item.TimeOf("Timestamp") >= from) && (input.TimeOf("EndDate") is not { } to || item.TimeOf("Timestamp") <= to));
            var ordered = input.Text("ScanBy") == "TimestampAscending" ? found.OrderBy(item => item.Long("_Order")) : found.OrderByDescending(item => item.Long("_Order"));
            return Pages.Answer(input, ordered.ToList(), "AlarmHistoryItems", "MaxRecords", "NextToken", 100, "InvalidNextToken");
        });
    }

    private Collection Alarms(RequestContext context) => Collection(context, "alarms");

    private JsonObject Alarm(RequestContext context, string name) => Alarms(context).Get(name) ?? throw new ServiceFault("ResourceNotFound", $"Alarm {name} does not exist", 404);

    /// <summary>An alarm's name from its name or ARN.</summary>
    private static string NameOf(string nameOrArn) => nameOrArn.StartsWith("arn:", StringComparison.Ordinal) ? nameOrArn.Split(":alarm:")[^1] : nameOrArn;

    private static AlarmRule Rule(string text)
    {
        try
        {
            return AlarmRule.Parse(text);
        }
        catch (FormatException e)
        {
            throw Invalid("ValidationError", $"AlarmRule must be a valid rule expression: {e.Message}");
        }
    }

    private void CheckMetricAlarm(RequestContext context, JsonObject input)
    {
        if (input.Has("MetricName") == input.Has("Metrics"))
        {
            throw Invalid(input.Has("Metrics") ? "ValidationError" : "MissingParameter", input.Has("Metrics") ? "MetricName must not be specified together with Metrics" : "Either MetricName or Metrics must be specified.");
        }
        if (input.Has("MetricName"))
        {
            if (!input.Has("Namespace") || !input.Has("Period"))
            {
                throw Invalid("MissingParameter", $"The parameter {(input.Has("Namespace") ? "Period" : "Namespace")} is required.");
            }
            if (input.Has("Statistic") == input.Has("ExtendedStatistic"))
            {
                throw Invalid("MissingParameter", "Exactly one of Statistic and ExtendedStatistic must be specified.");
            }
            if (input.Text("ExtendedStatistic") is { } extended)
            {
                MetricStatistic.Check(extended);
            }
            var period = input.Int("Period") ?? 0;
            if (period is not (10 or 20 or 30) && (period <= 0 || period % 60 != 0))
            {
                throw Invalid("ValidationError", "Metric period must be 10, 20, 30, or a multiple of 60");
            }
            var checkedFor = (long)period * (input.Int("EvaluationPeriods") ?? 1);
            if (checkedFor > (period >= 3600 ? 604_800 : 86_400))
            {
                throw Invalid("ValidationError", period >= 3600
                    ? "Metrics cannot be checked across more than seven days (EvaluationPeriods * Period must be <= 604800)."
                    : "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).");
            }
        }
        else
        {
            var queries = input.Objects("Metrics").ToList();
            CheckQueries(queries);
            var returned = queries.Where(query => query.Flag("ReturnData") != false).Select(query => query.Required("Id")).ToList();
            var watched = returned.Where(id => id != input.Text("ThresholdMetricId")).ToList();
            if (watched.Count != 1)
            {
                throw Invalid("ValidationError", "Exactly one element of the metrics list should return data.");
            }
            // Calculated once over nothing, so that an expression that can never be evaluated is refused here.
            var value = Calculate(context, queries, context.Now.AddMinutes(-10), context.Now, aligned: true)[watched[0]];
            if (value is MetricMath.MathArray)
            {
                throw Invalid("ValidationError", $"Invalid metrics list: the expression {watched[0]} returns more than one time series.");
            }
        }
        var banded = input.Text("ComparisonOperator") is "LessThanLowerOrGreaterThanUpperThreshold" or "LessThanLowerThreshold" or "GreaterThanUpperThreshold";
        if (banded != input.Has("ThresholdMetricId"))
        {
            throw Invalid("ValidationError", banded ? "ThresholdMetricId is required for anomaly detection alarms." : "ThresholdMetricId can only be used with the comparison operators of anomaly detection.");
        }
        if (!banded && !input.Has("Threshold"))
        {
            throw Invalid("MissingParameter", "The parameter Threshold is required.");
        }
        if (input.Int("DatapointsToAlarm") > input.Int("EvaluationPeriods"))
        {
            throw Invalid("ValidationError", "DatapointsToAlarm must be less than or equal to EvaluationPeriods");
        }
        if (input.Text("TreatMissingData") is { } treatment && treatment is not ("breaching" or "notBreaching" or "ignore" or "missing"))
        {
            throw Invalid("ValidationError", $"Option {treatment} is not supported for TreatMissingData parameter. Supported options for TreatMissingData are [breaching, notBreaching, ignore, missing].");
        }
        CheckActions(input);
    }

    private static void CheckActions(JsonObject input)
    {
        foreach (var list in ActionLists)
        {
            var actions = input.Texts(list);
            if (actions.FirstOrDefault(action => !action.StartsWith("arn:", StringComparison.Ordinal) || action.Split(':').Length < 6) is { } bad)
            {
                throw Invalid("ValidationError", $"Invalid arn syntax: {bad}");
            }
            if (actions.Distinct(StringComparer.Ordinal).Count() != actions.Count)
            {
                throw Invalid("ValidationError", $"{list} must not contain the same action more than once.");
            }
        }
    }

    /// <summary>Makes or changes an alarm.</summary>
    public void PutAlarm(RequestContext context, JsonObject input)
    {
        var alarm = input.Pick(AlarmMembers);
        alarm["ActionsEnabled"] ??= true;
        alarm["TreatMissingData"] ??= "missing";
        alarm["Dimensions"] ??= new JsonArray();
        Store(context, alarm, input);
    }

    /// <summary>The state of an alarm; null when there is none of that name.</summary>
    /// <summary>Gives an alarm of target tracking another threshold; its state stays until it is looked at again.</summary>
    public void MoveThreshold(RequestContext context, string name, double threshold) => Alarms(context).Update(name, alarm => alarm["Threshold"] = Math.Round(threshold, 6));

    /// <summary>The alarms that name an action in any of their states.</summary>
    public IEnumerable<JsonObject> AlarmsThatDo(RequestContext context, string action) =>
        Alarms(context).Where(alarm => alarm.Texts("AlarmActions").Concat(alarm.Texts("OKActions")).Concat(alarm.Texts("InsufficientDataActions")).Contains(action));

    public string? StateOf(RequestContext context, string name) => Alarms(context).Get(name)?.Text("StateValue");

    /// <summary>How far back an alarm looks.</summary>
    public TimeSpan LooksBack(RequestContext context, string name)
    {
        if (Alarms(context).Get(name) is not { } alarm)
        {
            return TimeSpan.Zero;
        }
        var period = alarm.Int("Period") ?? alarm.Objects("Metrics").Select(metric => metric.Int("Period") ?? metric.Child("MetricStat")?.Int("Period") ?? 60).DefaultIfEmpty(60).Max();
        return TimeSpan.FromSeconds(period * (alarm.Int("EvaluationPeriods") ?? 1));
    }

    public void RemoveAlarm(RequestContext context, string name)
    {
        if (Alarms(context).Get(name) is { } alarm)
        {
            Alarms(context).Remove(name);
            History(context, alarm, "ConfigurationUpdate", $"Alarm \"{name}\" deleted", new JsonObject { ["version"] = "1.0", ["type"] = "Delete" });
        }
    }

    private void Store(RequestContext context, JsonObject alarm, JsonObject input)
    {
        var name = alarm.Required("AlarmName");
        foreach (var actions in ActionLists)
        {
            alarm[actions] ??= new JsonArray();
        }
        var present = Alarms(context).Get(name);
        if (present is not null && present.Is("_Composite") != alarm.Is("_Composite"))
        {
            throw Invalid("ValidationError", $"An alarm of another type with the name {name} exists already.");
        }
        alarm["AlarmArn"] = context.Arn("cloudwatch", "alarm:" + name);
        alarm["AlarmConfigurationUpdatedTimestamp"] = Documents.Time(context.Now);
        alarm["StateValue"] = present?.Text("StateValue") ?? "INSUFFICIENT_DATA";
        alarm["StateReason"] = present?.Text("StateReason") ?? "Unchecked: Initial alarm creation";
        alarm["StateUpdatedTimestamp"] = present?["StateUpdatedTimestamp"].Copy() ?? Documents.Time(context.Now);
        alarm["StateTransitionedTimestamp"] = present?["StateTransitionedTimestamp"].Copy() ?? Documents.Time(context.Now);
        // Tags are given at creation; later ones through TagResource.
        alarm["_Tags"] = present?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray();
        Alarms(context).Put(name, alarm);
        History(context, alarm, "ConfigurationUpdate", $"Alarm \"{name}\" {(present is null ? "created" : "updated")}", new JsonObject { ["version"] = "1.0", ["type"] = present is null ? "Create" : "Update" });
        if (alarm.Is("_Composite"))
        {
            EvaluateComposite(context, alarm);
        }
        Pulse.Follow(context.AccountId, context.Region);
    }

    private long historyOrder;

    private void History(RequestContext context, JsonObject alarm, string type, string summary, JsonObject data) => Collection(context, "history").Put(Runtime.Ids.Uuid(), new JsonObject
    {
        ["AlarmName"] = alarm.Text("AlarmName"),
        ["AlarmType"] = alarm.Is("_Composite") ? "CompositeAlarm" : "MetricAlarm",
        ["Timestamp"] = Documents.Time(Runtime.Clock.Now),
        ["HistoryItemType"] = type,
        ["HistorySummary"] = summary,
        ["HistoryData"] = data.ToJsonString(),
        ["_Order"] = Interlocked.Increment(ref historyOrder),
    });

    private JsonObject DescribeAlarms(RequestContext context, JsonObject input)
    {
        var names = input.Texts("AlarmNames");
        var types = input.Texts("AlarmTypes") is { Count: > 0 } given ? given : ["MetricAlarm"];
        // Metric alarms are what is described when no type is given, whatever the names.
        var chosen = Alarms(context).Where(alarm => types.Contains(alarm.Is("_Composite") ? "CompositeAlarm" : "MetricAlarm") && (names.Count == 0 || names.Contains(alarm.Text("AlarmName")!))
            && alarm.Required("AlarmName").StartsWith(input.Text("AlarmNamePrefix") ?? "", StringComparison.Ordinal)
            && (input.Text("StateValue") is not { } state || alarm.Text("StateValue") == state)
            && (input.Text("ActionPrefix") is not { } action || alarm.Texts("AlarmActions").Any(item => item.StartsWith(action, StringComparison.Ordinal))));
        if (input.Text("ChildrenOfAlarmName") is { } parent)
        {
            var children = Rule(Alarm(context, NameOf(parent)).Text("AlarmRule") ?? "FALSE").Alarms().Select(NameOf).ToHashSet(StringComparer.Ordinal);
            chosen = chosen.Where(alarm => children.Contains(alarm.Text("AlarmName")!)).ToList();
        }
        if (input.Text("ParentsOfAlarmName") is { } child)
        {
            chosen = chosen.Where(alarm => alarm.Text("AlarmRule") is { } rule && Rule(rule).Alarms().Any(item => NameOf(item) == NameOf(child))).ToList();
        }
        var page = Pages.Answer(input, chosen.ToList(), "All", "MaxRecords", "NextToken", 50, "InvalidNextToken");
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
        SetState(context, alarm, input.Required("StateValue"), input.Required("StateReason"), input.Text("StateReasonData"), null);
        return [];
    }

    private JsonObject SetActions(RequestContext context, JsonObject input, bool enabled)
    {
        foreach (var name in input.Texts("AlarmNames"))
        {
            Alarms(context).Update(name, alarm => alarm["ActionsEnabled"] = enabled);
        }
        return [];
    }
}
