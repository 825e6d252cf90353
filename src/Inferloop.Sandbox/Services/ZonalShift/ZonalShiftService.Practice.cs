using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ZonalShift;

/// <content>Practice runs with their alarms, and the shifts that AWS makes by itself when a zone is impaired.</content>
internal sealed partial class ZonalShiftService
{
    private static readonly string[] PracticeSettings = ["blockedWindows", "blockedDates", "blockingAlarms", "allowedWindows", "outcomeAlarms"];

    private void AddPractice()
    {
        On("CreatePracticeRunConfiguration", (context, input) =>
        {
            var balancer = Resource(context, input.Required("resourceIdentifier"));
            CheckAlarms(context, input);
            var made = new JsonObject
            {
                ["arn"] = balancer.Text("LoadBalancerArn"),
                ["name"] = balancer.Text("LoadBalancerName"),
                ["zonalAutoshiftStatus"] = "DISABLED",
                ["practiceRunConfiguration"] = input.Pick(PracticeSettings),
            };
            return Practices(context).TryAdd(balancer.Required("LoadBalancerArn"), made) ? made
                : throw Conflict("PracticeConfigurationAlreadyExists", $"{balancer.Text("LoadBalancerArn")} has a practice run configuration already.");
        });
        On("UpdatePracticeRunConfiguration", (context, input) =>
        {
            var arn = Practice(context, input).Required("arn");
            CheckAlarms(context, input);
            return Practices(context).Update(arn, document => document.ChildOrNew("practiceRunConfiguration").Take(input, PracticeSettings))!;
        });
        On("DeletePracticeRunConfiguration", (context, input) =>
        {
            var practice = Practice(context, input);
            if (practice.Text("zonalAutoshiftStatus") == "ENABLED")
            {
                throw Conflict("AutoShiftEnabled", "Zonal autoshift needs the practice run configuration: disable it first.");
            }
            Practices(context).Remove(practice.Required("arn"));
            return practice.Pick("arn", "name", "zonalAutoshiftStatus");
        });
        On("UpdateZonalAutoshiftConfiguration", (context, input) =>
        {
            var balancer = Resource(context, input.Required("resourceIdentifier"));
            var status = input.Required("zonalAutoshiftStatus");
            if (Practices(context).Update(balancer.Required("LoadBalancerArn"), document => document["zonalAutoshiftStatus"] = status) is null)
            {
                throw Conflict("PracticeConfigurationDoesNotExist", "Zonal autoshift needs a practice run configuration: create it first.");
            }
            return new JsonObject { ["resourceIdentifier"] = balancer.Text("LoadBalancerArn"), ["zonalAutoshiftStatus"] = status };
        });
        On("StartPracticeRun", StartPractice);
        On("CancelPracticeRun", (context, input) => Answer(End(context, Active(context, input.Required("zonalShiftId"), "PRACTICE_RUN"), "CANCELED", "INTERRUPTED")));
        On("ListAutoshifts", (context, input) => Pages.Answer(input, Autoshifts(context).Where(item => input.Text("status") is not { } status || item.Text("status") == status)
            .OrderByDescending(static item => item.TimeOf("startTime")).ToList(), "items", "maxResults", "nextToken", 100, "ValidationException"));
        On("GetAutoshiftObserverNotificationStatus", (context, _) => new JsonObject { ["status"] = Settings(context).Get("observer")?.Text("status") ?? "DISABLED" });
        On("UpdateAutoshiftObserverNotificationStatus", (context, input) =>
        {
            Settings(context).Put("observer", input.Pick("status"));
            return input.Pick("status");
        });
    }

    private Collection Practices(RequestContext context) => Collection(context, "practice-runs");

    private Collection Autoshifts(RequestContext context) => Collection(context, "autoshifts");

    private Collection Settings(RequestContext context) => Collection(context, "settings");

    private JsonObject Practice(RequestContext context, JsonObject input) => Practices(context).Get(Resource(context, input.Required("resourceIdentifier")).Required("LoadBalancerArn"))
        ?? throw Missing($"{input.Text("resourceIdentifier")} has no practice run configuration.");

    private JsonObject? Alarm(RequestContext context, JsonObject condition) =>
        Runtime.Collection("cloudwatch", "alarms", context).Find(alarm => alarm.Text("AlarmArn") == condition.Text("alarmIdentifier"));

    private void CheckAlarms(RequestContext context, JsonObject input)
    {
        foreach (var condition in input.Objects("outcomeAlarms").Concat(input.Objects("blockingAlarms")))
        {
            if (Alarm(context, condition) is null)
            {
                throw Invalid("InvalidAlarmCondition", $"There is no alarm {condition.Text("alarmIdentifier")}.");
            }
        }
    }

    private bool IsRed(RequestContext context, JsonObject configuration, string member) => configuration.Objects(member).Any(condition => Alarm(context, condition)?.Text("StateValue") == "ALARM");

    private JsonObject StartPractice(RequestContext context, JsonObject input)
    {
        var practice = Practice(context, input);
        var configuration = practice.Child("practiceRunConfiguration")!;
        if (IsRed(context, configuration, "outcomeAlarms"))
        {
            throw Conflict("PracticeOutcomeAlarmsRed", "An outcome alarm is in the ALARM state.");
        }
        if (IsRed(context, configuration, "blockingAlarms"))
        {
            throw Conflict("PracticeBlockingAlarmsRed", "A blocking alarm is in the ALARM state.");
        }
        if (configuration.Texts("blockedDates").Contains(context.Now.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)))
        {
            throw Conflict("PracticeInBlockedDates", "Today is a blocked date.");
        }
        var started = Start(context, input, "PRACTICE_RUN", Durations.ZonalPracticeRun);
        Watch(context.Detached(), started.Required("zonalShiftId"), configuration);
        return started;
    }

    /// <summary>A practice run ends at once when an outcome alarm says that it does harm.</summary>
    private void Watch(RequestContext context, string id, JsonObject configuration) => Runtime.After(TimeSpan.FromMinutes(1), () =>
    {
        if (Shifts(context).Get(id) is not { } shift || shift.Text("status") != "ACTIVE")
        {
            return;
        }
        if (IsRed(context, configuration, "outcomeAlarms"))
        {
            End(context, shift, "CANCELED", "FAILED");
            return;
        }
        Watch(context, id, configuration);
    });

    /// <summary>AWS finds after some minutes that a zone is impaired, and moves traffic of those who want it away from there.</summary>
    public void LoseZone(RequestContext context, string zone) => Runtime.After(Durations.ZonalAutoshift, () =>
    {
        if (Runtime.Faults.IsZoneLost(zone))
        {
            Autoshifts(context).TryAdd($"{zone}/{context.Now.UtcTicks}", new JsonObject { ["awayFrom"] = Ec2.Ec2Service.ZoneId(zone), ["startTime"] = Documents.Time(context.Now), ["status"] = "ACTIVE" });
        }
    });

    public void RegainZone(RequestContext context, string zone)
    {
        foreach (var key in Autoshifts(context).Keys().Where(key => key.StartsWith(zone + "/", StringComparison.Ordinal)))
        {
            Autoshifts(context).Update(key, document =>
            {
                if (document.Text("status") == "ACTIVE")
                {
                    (document["status"], document["endTime"]) = ("COMPLETED", Documents.Time(context.Now));
                }
            });
        }
    }

    private IEnumerable<JsonObject> AutoshiftsOf(RequestContext context, JsonObject balancer) =>
        Practices(context).Get(balancer.Required("LoadBalancerArn"))?.Text("zonalAutoshiftStatus") != "ENABLED" ? []
        : Autoshifts(context).Where(static item => item.Text("status") == "ACTIVE").Where(item => ZonesOf(balancer).ContainsKey(item.Required("awayFrom")));
}
