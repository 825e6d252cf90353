using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.ApplicationAutoScaling;
using Inferloop.Sandbox.Services.AutoScaling;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>What alarms do: tell topics, drive scaling policies; a suppressor may keep a composite alarm still.</summary>
internal sealed partial class CloudWatchService
{
    private static string ListOf(string state) => state switch { "ALARM" => "AlarmActions", "OK" => "OKActions", _ => "InsufficientDataActions" };

    /// <summary>Takes the actions of a new state.</summary>
    private void Act(RequestContext context, JsonObject alarm, string before, string state, double? newest)
    {
        if (!alarm.Is("ActionsEnabled"))
        {
            return;
        }
        if (alarm.Text("ActionsSuppressor") is { } suppressor && Suppressed(context, alarm, NameOf(suppressor), before, state))
        {
            return;
        }
        foreach (var action in alarm.Texts(ListOf(state)))
        {
            var (done, problem) = Carry(context, alarm, action, before, state, newest);
            History(context, alarm, "Action", done ? $"Successfully executed action {action}" : $"Failed to execute action {action}", new JsonObject
            {
                ["version"] = "1.0",
                ["actionState"] = done ? "Succeeded" : "Failed",
                ["notificationResource"] = action,
                ["stateUpdateTimestamp"] = alarm.TimeOf("StateUpdatedTimestamp")?.ToUnixTimeMilliseconds(),
            }.With("error", problem));
        }
    }

    /// <summary>Scaling actions are taken again at each evaluation for as long as the state lasts; all others once.</summary>
    private void Repeat(RequestContext context, string name, double? newest)
    {
        if (Alarms(context).Get(name) is not { } alarm || !alarm.Is("ActionsEnabled"))
        {
            return;
        }
        var state = alarm.Required("StateValue");
        foreach (var action in alarm.Texts(ListOf(state)).Where(action => action.Contains(":scalingPolicy:", StringComparison.Ordinal)))
        {
            Carry(context, alarm, action, state, state, newest);
        }
    }

    private (bool Done, string? Problem) Carry(RequestContext context, JsonObject alarm, string action, string before, string state, double? newest)
    {
        var service = action.Split(':')[2];
        switch (service)
        {
            case "sns":
                var problem = Runtime.Service<Sns.SnsService>().PublishFor(context, "cloudwatch.amazonaws.com", action, $"{state}: \"{alarm.Text("AlarmName")}\" in {RegionName(context.Region)}", Message(context, alarm, before, state).ToJsonString());
                return (problem is null, problem);
            case "autoscaling" when action.Contains(":autoScalingGroupName/", StringComparison.Ordinal):
                problem = Runtime.Service<AutoScalingService>().AlarmFired(context, action, alarm, newest);
                return (problem is null, problem);
            case "autoscaling":
                problem = Runtime.Service<ApplicationAutoScalingService>().AlarmFired(context, action, alarm, newest);
                return (problem is null, problem);
            default:
                return (false, $"The sandbox does not carry out actions of {service}.");
        }
    }

    /// <summary>Mails name the region as the console does.</summary>
    private static string RegionName(string region) => region switch
    {
        "us-east-1" => "US East (N. Virginia)",
        "us-east-2" => "US East (Ohio)",
        "us-west-1" => "US West (N. California)",
        "us-west-2" => "US West (Oregon)",
        "eu-west-1" => "EU (Ireland)",
        "eu-west-2" => "EU (London)",
        "eu-central-1" => "EU (Frankfurt)",
        "ap-southeast-1" => "Asia Pacific (Singapore)",
        "ap-southeast-2" => "Asia Pacific (Sydney)",
        "ap-northeast-1" => "Asia Pacific (Tokyo)",
        _ => region,
    };

    private static JsonObject Message(RequestContext context, JsonObject alarm, string before, string state)
    {
        var message = new JsonObject
        {
            ["AlarmName"] = alarm.Text("AlarmName"),
            ["AlarmDescription"] = alarm.Text("AlarmDescription"),
            ["AWSAccountId"] = context.AccountId,
            ["AlarmConfigurationUpdatedTimestamp"] = alarm.Text("AlarmConfigurationUpdatedTimestamp"),
            ["NewStateValue"] = state,
            ["NewStateReason"] = alarm.Text("StateReason"),
            ["StateChangeTime"] = alarm.Text("StateUpdatedTimestamp"),
            ["Region"] = RegionName(context.Region),
            ["AlarmArn"] = alarm.Text("AlarmArn"),
            ["OldStateValue"] = before,
        }.Take(alarm, "OKActions", "AlarmActions", "InsufficientDataActions", "AlarmRule");
        if (alarm.Is("_Composite"))
        {
            return message;
        }
        var trigger = alarm.Pick("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods", "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "Metrics");
        trigger["Dimensions"] = alarm.Objects("Dimensions").Select(item => new JsonObject { ["value"] = item.Text("Value"), ["name"] = item.Text("Name") }).ToJsonList();
        return message.With("Trigger", trigger);
    }

    /// <summary>
    /// Whether a suppressor keeps a composite alarm's actions back: while it is in ALARM, for some time before it could become so, and for
    /// some time after it has been.
    /// </summary>
    private bool Suppressed(RequestContext context, JsonObject alarm, string suppressor, string before, string state)
    {
        var name = alarm.Required("AlarmName");
        if (alarm.Is("_Released"))
        {
            Alarms(context).Update(name, document => document.Remove("_Released"));
            return false;
        }
        var watching = Alarms(context).Get(suppressor);
        var suppressing = watching?.Text("StateValue") == "ALARM";
        var since = alarm.TimeOf("StateUpdatedTimestamp");
        var wait = TimeSpan.FromSeconds(suppressing ? alarm.Int("ActionsSuppressorExtensionPeriod") ?? 0 : alarm.Int("ActionsSuppressorWaitPeriod") ?? 0);
        if (!suppressing && wait == TimeSpan.Zero)
        {
            return false;
        }
        Alarms(context).Update(name, document =>
        {
            document["ActionsSuppressedBy"] = suppressing ? "Alarm" : "WaitPeriod";
            document["ActionsSuppressedReason"] = suppressing ? $"Actions suppressed by alarm {suppressor}" : $"Actions suppressed by WaitPeriod of {wait.TotalSeconds} seconds";
        });
        Recheck(suppressing ? TimeSpan.FromMinutes(1) : wait);
        return true;

        void Recheck(TimeSpan after) => Runtime.After(after, () =>
        {
            if (Alarms(context).Get(name) is not { } now || now.TimeOf("StateUpdatedTimestamp") != since || !now.Has("ActionsSuppressedBy"))
            {
                return;
            }
            if (Alarms(context).Get(suppressor) is { } still && still.Text("StateValue") == "ALARM")
            {
                Alarms(context).Update(name, document => document["ActionsSuppressedBy"] = "Alarm");
                Recheck(TimeSpan.FromMinutes(1));
                return;
            }
            if (now.Text("ActionsSuppressedBy") == "Alarm" && now.Int("ActionsSuppressorExtensionPeriod") is > 0 and var extension)
            {
                Alarms(context).Update(name, document => document["ActionsSuppressedBy"] = "ExtensionPeriod");
                Recheck(TimeSpan.FromSeconds(extension));
                return;
            }
            var released = Alarms(context).Update(name, document =>
            {
                document.Remove("ActionsSuppressedBy");
                document.Remove("ActionsSuppressedReason");
                document["_Released"] = true;
            });
            if (released is not null)
            {
                Act(context, released, before, state, null);
            }
        });
    }
}
