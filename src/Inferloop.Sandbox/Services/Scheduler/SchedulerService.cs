using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Events;
using Inferloop.Sandbox.Services.Iam;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.Scheduler;

/// <summary>EventBridge Scheduler: schedules that call their target on the clock, in their time zone, within their flexible window.</summary>
internal sealed class SchedulerService : SandboxService
{
    private const string Default = "default";

    public SchedulerService(SandboxRuntime runtime)
        : base(runtime, "scheduler")
    {
        On("CreateSchedule", (context, input) => Put(context, input, create: true));
        On("UpdateSchedule", (context, input) => Put(context, input, create: false));
        On("GetSchedule", Schedule);
        On("DeleteSchedule", (context, input) =>
        {
            _ = Schedule(context, input);
            Schedules(context).Remove(Key(input));
            return [];
        });
        On("ListSchedules", (context, input) => Pages.Answer(input, Schedules(context).Where(item => (input.Text("GroupName") is not { } group || item.Text("GroupName") == group)
            && item.Required("Name").StartsWith(input.Text("NamePrefix") ?? "", StringComparison.Ordinal) && (input.Text("State") is not { } state || item.Text("State") == state))
            .Select(item => item.Pick("Arn", "CreationDate", "GroupName", "LastModificationDate", "Name", "State").With("Target", item.Child("Target")!.Pick("Arn"))).ToList(), "Schedules", "MaxResults", "NextToken", 100, "ValidationException"));
        On("CreateScheduleGroup", (context, input) =>
        {
            var name = input.Required("Name");
            var group = new JsonObject { ["Name"] = name, ["Arn"] = context.Arn("scheduler", "schedule-group/" + name), ["State"] = "ACTIVE", ["CreationDate"] = Documents.Time(context.Now), ["LastModificationDate"] = Documents.Time(context.Now), ["_Tags"] = input["Tags"].Copy() ?? new JsonArray() };
            return name != Default && Groups(context).TryAdd(name, group) ? new JsonObject { ["ScheduleGroupArn"] = group.Text("Arn") } : throw Conflict($"Schedule group {name} already exists.");
        });
        On("GetScheduleGroup", (context, input) => Group(context, input.Required("Name")));
        On("ListScheduleGroups", (context, input) => Pages.Answer(input, Groups(context).All().Prepend(Group(context, Default)).Where(item => item.Required("Name").StartsWith(input.Text("NamePrefix") ?? "", StringComparison.Ordinal)).ToList(), "ScheduleGroups", "MaxResults", "NextToken", 100, "ValidationException"));
        On("DeleteScheduleGroup", (context, input) =>
        {
            var name = Group(context, input.Required("Name")).Required("Name");
            if (name == Default)
            {
                throw Invalid("The default schedule group cannot be deleted.");
            }
            // Its schedules go with it.
            foreach (var key in Schedules(context).Keys().Where(key => key.StartsWith(name + "/", StringComparison.Ordinal)))
            {
                Schedules(context).Remove(key);
            }
            Groups(context).Remove(name);
            return [];
        });
        On("TagResource", (context, input) => Retag(context, input, group => Tags.Put(group, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, group => Tags.Remove(group, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Group(context, input.Required("ResourceArn").Split('/')[^1])["_Tags"].Copy() ?? new JsonArray() });
    }

    private Collection Schedules(RequestContext context) => Collection(context, "schedules");

    private Collection Groups(RequestContext context) => Collection(context, "groups");

    private static ServiceFault Invalid(string message) => new("ValidationException", message);

    private static ServiceFault Conflict(string message) => new("ConflictException", message, 409);

    private static ServiceFault NotFound(string message) => new("ResourceNotFoundException", message, 404);

    private static string Key(JsonObject input) => $"{input.Text("GroupName") ?? Default}/{input.Text("Name")}";

    private JsonObject Group(RequestContext context, string name) => Groups(context).Get(name)
        ?? (name == Default ? new JsonObject { ["Name"] = Default, ["Arn"] = context.Arn("scheduler", "schedule-group/default"), ["State"] = "ACTIVE" } : throw NotFound($"Schedule group {name} does not exist."));

    private JsonObject Schedule(RequestContext context, JsonObject input) => Schedules(context).Get(Key(input)) ?? throw NotFound($"Schedule {input.Text("Name")} does not exist.");

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var name = Group(context, input.Required("ResourceArn").Split('/')[^1]).Required("Name");
        Groups(context).Update(name, change);
        return [];
    }

    private static TimeZoneInfo Zone(JsonObject schedule)
    {
        var name = schedule.Text("ScheduleExpressionTimezone") ?? "UTC";
        return TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : throw Invalid($"Provided timezone {name} is not valid.");
    }

    private JsonObject Put(RequestContext context, JsonObject input, bool create)
    {
        var group = Group(context, input.Text("GroupName") ?? Default).Required("Name");
        var key = Key(input);
        var before = create ? null : Schedule(context, input);
        if (ScheduleExpression.Parse(input.Required("ScheduleExpression")) is null)
        {
            throw Invalid($"Invalid Schedule Expression {input.Text("ScheduleExpression")}.");
        }
        _ = Zone(input);
        var window = input.Child("FlexibleTimeWindow")!;
        if ((window.Text("Mode") == "FLEXIBLE") != window.Has("MaximumWindowInMinutes"))
        {
            throw Invalid("A flexible time window must have MaximumWindowInMinutes, one that is off must not.");
        }
        var target = input.Child("Target")!;
        var role = target.Required("RoleArn");
        if (Runtime.Service<IamService>().FindRole(context, role)?.Required("AssumeRolePolicyDocument").Contains("scheduler.amazonaws.com", StringComparison.Ordinal) != true)
        {
            throw Invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.");
        }
        if (input.TimeOf("EndDate") is { } end && (end <= context.Now || end <= input.TimeOf("StartDate")))
        {
            throw Invalid("The EndDate you specify must be in the future and after the StartDate.");
        }
        if (target.Text("Arn")?.Contains(":ecs:", StringComparison.Ordinal) == true && !target.Has("EcsParameters"))
        {
            throw Invalid("EcsParameters must be provided for an ECS target.");
        }
        var schedule = input.Copy();
        schedule.Remove("ClientToken");
        schedule["GroupName"] = group;
        schedule["Arn"] = context.Arn("scheduler", $"schedule/{group}/{input.Text("Name")}");
        schedule["State"] ??= "ENABLED";
        schedule["ScheduleExpressionTimezone"] ??= "UTC";
        schedule["ActionAfterCompletion"] ??= "NONE";
        schedule["CreationDate"] = before?["CreationDate"].Copy() ?? Documents.Time(context.Now);
        schedule["LastModificationDate"] = Documents.Time(context.Now);
        schedule.ChildOrNew("Target")["RetryPolicy"] ??= new JsonObject { ["MaximumEventAgeInSeconds"] = 86_400, ["MaximumRetryAttempts"] = 185 };
        schedule["_Plan"] = Runtime.Ids.Uuid();
        schedule["_Origin"] = Documents.Time(input.TimeOf("StartDate") ?? context.Now);
        if (create && Schedules(context).Contains(key))
        {
            throw Conflict($"Schedule {input.Text("Name")} already exists.");
        }
        Schedules(context).Put(key, schedule);
        Plan(context.Detached(), key, context.Now);
        return new JsonObject { ["ScheduleArn"] = schedule.Text("Arn") };
    }

    private void Plan(RequestContext context, string key, DateTimeOffset after)
    {
        if (Schedules(context).Get(key) is not { } schedule || schedule.Text("State") == "DISABLED")
        {
            return;
        }
        var start = schedule.TimeOf("StartDate");
        var next = ScheduleExpression.Parse(schedule.Required("ScheduleExpression"))!.Next(start > after ? start.Value.AddSeconds(-1) : after, schedule.TimeOf("_Origin") ?? after, Zone(schedule));
        if (next is null || next > schedule.TimeOf("EndDate"))
        {
            if (schedule.Text("ActionAfterCompletion") == "DELETE")
            {
                Schedules(context).Remove(key);
            }
            return;
        }
        var window = schedule.Child("FlexibleTimeWindow")?.Int("MaximumWindowInMinutes") ?? 0;
        var at = next.Value + TimeSpan.FromSeconds(window > 0 ? Runtime.Ids.Next(window * 60) : 0);
        var plan = schedule.Text("_Plan");
        Runtime.Clock.Schedule(at, () =>
        {
            if (Schedules(context).Get(key) is { } now && now.Text("_Plan") == plan && now.Text("State") != "DISABLED")
            {
                Runtime.Run(_ => Fire(context, now, 0, context.Now));
                Plan(context, key, next.Value);
            }
        });
    }

    private async Task Fire(RequestContext context, JsonObject schedule, int attempt, DateTimeOffset first)
    {
        var target = schedule.Child("Target")!;
        var arn = target.Required("Arn");
        var input = (target.Text("Input") ?? "{}").Replace("<aws.scheduler.schedule-arn>", schedule.Text("Arn"), StringComparison.Ordinal).Replace("<aws.scheduler.scheduled-time>", context.Now.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var problem = arn.Split(':') is ["arn", _, "scheduler", _, _, "aws-sdk", var service, var operation]
            ? await Universal(context, service, operation, input, target.Required("RoleArn")).ConfigureAwait(false)
            : await TargetDelivery.SendAsync(context, new Delivery(arn, input)
            {
                Source = target.Child("EventBridgeParameters")?.Text("Source") ?? "scheduler.amazonaws.com", DetailType = target.Child("EventBridgeParameters")?.Text("DetailType") ?? "", SourceArn = schedule.Text("Arn"), ByRole = true, Settings = target,
            }).ConfigureAwait(false);
        var watch = Runtime.Service<CloudWatch.CloudWatchService>();
        watch.Publish(context, "AWS/Scheduler", "InvocationAttemptCount", 1, "Count", ("ScheduleGroup", schedule.Required("GroupName")));
        if (problem is null)
        {
            return;
        }
        watch.Publish(context, "AWS/Scheduler", "TargetErrorCount", 1, "Count", ("ScheduleGroup", schedule.Required("GroupName")));
        var policy = target.Child("RetryPolicy")!;
        var delay = TimeSpan.FromSeconds(Math.Min(600, 1 << Math.Min(attempt + 1, 10)));
        if (attempt < policy.Int("MaximumRetryAttempts") && context.Now + delay - first < TimeSpan.FromSeconds(policy.Int("MaximumEventAgeInSeconds") ?? 86_400) && !problem.Contains("not authorized", StringComparison.Ordinal))
        {
            Runtime.After(delay, () => Runtime.Run(_ => Fire(context, schedule, attempt + 1, first)));
        }
        else if (target.Child("DeadLetterConfig")?.Text("Arn") is { } dead)
        {
            await TargetDelivery.SendAsync(context, new Delivery(dead, input) { ByRole = true, Source = "scheduler.amazonaws.com" }).ConfigureAwait(false);
            watch.Publish(context, "AWS/Scheduler", "InvocationsSentToDeadLetterCount", 1, "Count", ("ScheduleGroup", schedule.Required("GroupName")));
        }
    }

    /// <summary>A universal target: any operation of a service of the sandbox, as far as the schedule's role may call it.</summary>
    private async Task<string?> Universal(RequestContext context, string service, string operation, string input, string role)
    {
        var found = Runtime.Services.FirstOrDefault(item => string.Equals(item.ModelName.Replace("-", "", StringComparison.Ordinal), service, StringComparison.OrdinalIgnoreCase)
            || string.Equals(item.Model.ServiceId.Replace(" ", "", StringComparison.Ordinal), service, StringComparison.OrdinalIgnoreCase));
        var name = char.ToUpperInvariant(operation[0]) + operation[1..];
        if (found is null || PolicyDocument.AsObject(input) is not JsonObject document)
        {
            return found is null ? $"The sandbox has no service {service}." : "The input of a universal target must be a JSON object.";
        }
        if (Runtime.Service<IamService>().Decide(context, role, new AccessRequest($"{(service == "applicationautoscaling" ? "application-autoscaling" : service)}:{name}", "*")) == PolicyDecision.ExplicitDeny)
        {
            return $"{role} is not authorized to perform: {service}:{name}";
        }
        try
        {
            await found.InvokeAsync(context.Detached(), name, found.Model.Operation(name)?.Input is null ? document : PropertyMapper.ToInput(found, name, document)).ConfigureAwait(false);
            return null;
        }
        catch (ServiceFault fault)
        {
            return $"{fault.Code}: {fault.Message}";
        }
    }
}
