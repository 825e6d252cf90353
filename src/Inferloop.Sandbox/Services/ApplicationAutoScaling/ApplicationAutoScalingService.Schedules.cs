using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.ApplicationAutoScaling;

/// <summary>Scheduled actions: at their times the bounds of a target change.</summary>
internal sealed partial class ApplicationAutoScalingService
{
    private JsonObject PutScheduledAction(RequestContext context, JsonObject input)
    {
        _ = Target(context, input);
        var key = $"{Key(input)}|{input.Text("ScheduledActionName")}";
        var action = Actions(context).Get(key) ?? new JsonObject
        {
            ["ScheduledActionARN"] = context.Arn("autoscaling", $"scheduledAction:{Runtime.Ids.Uuid()}:resource/{input.Text("ServiceNamespace")}/{input.Text("ResourceId")}:scheduledActionName/{input.Text("ScheduledActionName")}"),
            ["CreationTime"] = Documents.Time(context.Now),
        };
        action.Take(input, "ScheduledActionName", "ServiceNamespace", "ResourceId", "ScalableDimension", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction");
        if (action.Text("Schedule") is not { } schedule)
        {
            throw Invalid("Schedule is required for a new scheduled action");
        }
        if (ScheduleExpression.Parse(schedule) is null)
        {
            throw Invalid($"Invalid schedule expression: {schedule}");
        }
        if (Zone(action) is null)
        {
            throw Invalid($"Invalid timezone: {action.Text("Timezone")}");
        }
        if (action.TimeOf("StartTime") is { } start && action.TimeOf("EndTime") is { } end && start >= end)
        {
            throw Invalid("Start time must be before end time");
        }
        action["_Version"] = Runtime.Ids.Uuid();
        Actions(context).Put(key, action);
        Await(context.Detached(), key, action, Runtime.Clock.Now);
        return [];
    }

    private static TimeZoneInfo? Zone(JsonObject action)
    {
        if (action.Text("Timezone") is not { } name)
        {
            return TimeZoneInfo.Utc;
        }
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;
    }

    /// <summary>Waits for the next time of an action; a change of the action begins anew.</summary>
    private void Await(RequestContext context, string key, JsonObject action, DateTimeOffset after)
    {
        var start = action.TimeOf("StartTime");
        var from = start is { } first && first > after ? first.AddTicks(-1) : after;
        var origin = start ?? action.TimeOf("CreationTime") ?? after;
        if (ScheduleExpression.Parse(action.Required("Schedule"))!.Next(from, origin, Zone(action)) is not { } next || next > action.TimeOf("EndTime"))
        {
            return;
        }
        Runtime.Clock.Schedule(next, () =>
        {
            if (Actions(context).Get(key) is { } now && now.Text("_Version") == action.Text("_Version"))
            {
                RunAction(context, key, now);
                Await(context, key, now, next);
            }
        });
    }

    private void RunAction(RequestContext context, string key, JsonObject action)
    {
        var targetKey = Key(action);
        if (Targets(context).Get(targetKey) is not { } target || target.Child("SuspendedState")?.Is("ScheduledScalingSuspended") == true)
        {
            return;
        }
        var bounds = action.Child("ScalableTargetAction") ?? [];
        var minimum = bounds.Int("MinCapacity") ?? target.Int("MinCapacity") ?? 0;
        var maximum = bounds.Int("MaxCapacity") ?? target.Int("MaxCapacity") ?? 0;
        Targets(context).Update(targetKey, document =>
        {
            document["MinCapacity"] = Math.Min(minimum, maximum);
            document["MaxCapacity"] = maximum;
        });
        var updated = Targets(context).Get(targetKey)!;
        var id = Runtime.Ids.Uuid();
        Collection(context, "activities").Put(id, new JsonObject
        {
            ["ActivityId"] = id,
            ["Description"] = $"Setting min capacity to {minimum} and max capacity to {maximum}",
            ["Cause"] = $"scheduled action name {action.Text("ScheduledActionName")} was triggered",
            ["StartTime"] = Documents.Time(Runtime.Clock.Now),
            ["EndTime"] = Documents.Time(Runtime.Clock.Now),
            ["StatusCode"] = "Successful",
            ["StatusMessage"] = $"Successfully set min capacity to {minimum} and max capacity to {maximum}",
            ["_Order"] = Interlocked.Increment(ref activityOrder),
        }.Take(updated, "ServiceNamespace", "ResourceId", "ScalableDimension"));
        BringWithinBounds(context, targetKey);
    }
}
