using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>Rules and their targets; scheduled rules fire on the clock.</summary>
internal sealed partial class EventsService
{
    private const int MaximumTargets = 5;

    private void AddRules()
    {
        On("PutRule", PutRule);
        On("DescribeRule", (context, input) => Rule(context, input));
        On("ListRules", (context, input) =>
        {
            var bus = Bus(context, input.Text("EventBusName")).Text("Name");
            return Pages.Answer(input, Rules(context).Where(rule => rule.Text("EventBusName") == bus && rule.Required("Name").StartsWith(input.Text("NamePrefix") ?? "", StringComparison.Ordinal)).ToList(), "Rules", "Limit", "NextToken", 100, "ValidationException");
        });
        On("EnableRule", (context, input) => SetState(context, input, "ENABLED"));
        On("DisableRule", (context, input) => SetState(context, input, "DISABLED"));
        On("DeleteRule", (context, input) =>
        {
            var key = RuleKey(input);
            if (Rules(context).Get(key) is { } rule)
            {
                RequireOwn(rule, input);
                if (rule.Objects("_Targets").Any())
                {
                    throw Invalid("Rule can't be deleted since it has targets.");
                }
                Rules(context).Remove(key);
            }
            return [];
        });
        On("PutTargets", PutTargets);
        On("RemoveTargets", (context, input) =>
        {
            RequireOwn(Rule(context, input), input);
            var present = Rule(context, input).Objects("_Targets").Select(target => target.Required("Id")).ToHashSet(StringComparer.Ordinal);
            var failed = input.Texts("Ids").Where(id => !present.Contains(id)).Select(id => new JsonObject { ["TargetId"] = id, ["ErrorCode"] = "ResourceNotFoundException", ["ErrorMessage"] = $"Rule {input.Text("Rule")} does not have target(s) with the given ID." }).ToList();
            Rules(context).Update(RuleKey(input), rule => rule["_Targets"] = rule.Objects("_Targets").Where(target => !input.Texts("Ids").Contains(target.Required("Id"))).ToJsonList());
            return new JsonObject { ["FailedEntryCount"] = failed.Count, ["FailedEntries"] = failed.ToJsonList() };
        });
        On("ListTargetsByRule", (context, input) => Pages.Answer(input, Rule(context, input).Objects("_Targets").ToList(), "Targets", "Limit", "NextToken", 100, "ValidationException"));
        On("ListRuleNamesByTarget", (context, input) =>
        {
            var bus = Bus(context, input.Text("EventBusName")).Text("Name");
            return Pages.AnswerTexts(input, Rules(context).Where(rule => rule.Text("EventBusName") == bus && rule.Objects("_Targets").Any(target => target.Text("Arn") == input.Text("TargetArn"))).Select(rule => rule.Required("Name")).ToList(), "RuleNames", "Limit", "NextToken", 100, "ValidationException");
        });
    }

    private static string RuleKey(JsonObject input) => $"{BusName(input.Text("EventBusName"))}/{input.Text("Name") ?? input.Text("Rule")}";

    private JsonObject Rule(RequestContext context, JsonObject input)
    {
        var bus = Bus(context, input.Text("EventBusName"));
        return Rules(context).Get(RuleKey(input)) ?? throw NotFound($"Rule {input.Text("Name") ?? input.Text("Rule")} does not exist on EventBus {bus.Text("Name")}.");
    }

    /// <summary>Rules that a service of AWS keeps are changed by force only.</summary>
    private static void RequireOwn(JsonObject rule, JsonObject input)
    {
        if (rule.Text("ManagedBy") is { } owner && !input.Is("Force"))
        {
            throw new ServiceFault("ManagedRuleException", $"The rule {rule.Text("Name")} is managed by {owner}.");
        }
    }

    private JsonObject SetState(RequestContext context, JsonObject input, string state)
    {
        var rule = Rule(context, input);
        Rules(context).Update(RuleKey(input), document => document["State"] = state);
        if (state == "ENABLED" && rule.Text("State") != "ENABLED")
        {
            Schedule(context, RuleKey(input));
        }
        return [];
    }

    private JsonObject PutRule(RequestContext context, JsonObject input)
    {
        var bus = Bus(context, input.Text("EventBusName")).Required("Name");
        var (pattern, schedule) = (input.Text("EventPattern"), input.Text("ScheduleExpression"));
        if (pattern is null && schedule is null)
        {
            throw Invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.");
        }
        if (pattern is not null && EventPattern.Parse(pattern, out var problem) is null)
        {
            throw new ServiceFault("InvalidEventPatternException", problem!);
        }
        if (schedule is not null && ScheduleExpression.Parse(schedule) is not { IsOnce: false })
        {
            throw Invalid("Parameter ScheduleExpression is not valid.");
        }
        if (schedule is not null && bus != Default)
        {
            throw Invalid("ScheduleExpression is supported only on the default event bus.");
        }
        var key = RuleKey(input);
        var name = input.Required("Name");
        var arn = context.Arn("events", $"rule/{(bus == Default ? "" : bus + "/")}{name}");
        var before = Rules(context).Get(key);
        var rule = new JsonObject
        {
            ["Name"] = name,
            ["Arn"] = arn,
            ["EventBusName"] = bus,
            ["State"] = input.Text("State") ?? "ENABLED",
            ["CreatedBy"] = context.AccountId,
            ["_Targets"] = before?["_Targets"].Copy() ?? new JsonArray(),
            ["_Tags"] = before?["_Tags"].Copy() ?? input["Tags"].Copy() ?? new JsonArray(),
            ["_Origin"] = Documents.Time(context.Now),
            ["_Plan"] = Runtime.Ids.Uuid(),
        }.Take(input, "EventPattern", "ScheduleExpression", "Description", "RoleArn");
        Rules(context).Put(key, rule);
        Schedule(context, key);
        return new JsonObject { ["RuleArn"] = arn };
    }

    private JsonObject PutTargets(RequestContext context, JsonObject input)
    {
        RequireOwn(Rule(context, input), input);
        var failed = new List<JsonObject>();
        Rules(context).Update(RuleKey(input), rule =>
        {
            var targets = rule.Objects("_Targets").Select(target => target.Copy()).ToList();
            foreach (var target in input.Objects("Targets"))
            {
                if (new[] { "Input", "InputPath", "InputTransformer" }.Count(target.Has) > 1)
                {
                    throw Invalid($"Only one of Input, InputPath, or InputTransformer must be provided for target {target.Text("Id")}.");
                }
                targets.RemoveAll(item => item.Text("Id") == target.Text("Id"));
                targets.Add(target.Copy());
            }
            if (targets.Count > MaximumTargets)
            {
                throw new ServiceFault("LimitExceededException", $"The requested resource exceeds the maximum number allowed: targets per rule, {MaximumTargets}.");
            }
            rule["_Targets"] = targets.ToJsonList();
        });
        return new JsonObject { ["FailedEntryCount"] = failed.Count, ["FailedEntries"] = failed.ToJsonList() };
    }

    /// <summary>Plans the next firing; a change of the rule makes a plan of its own and lets this one lapse.</summary>
    private void Schedule(RequestContext context, string key)
    {
        if (Rules(context).Get(key) is not { } rule || rule.Text("State") == "DISABLED" || rule.Text("ScheduleExpression") is not { } text
            || ScheduleExpression.Parse(text)?.Next(Runtime.Clock.Now, rule.TimeOf("_Origin") ?? Runtime.Clock.Now) is not { } next)
        {
            return;
        }
        var plan = rule.Text("_Plan");
        var background = context.Detached();
        Runtime.Clock.Schedule(next, () =>
        {
            if (Rules(background).Get(key) is { } now && now.Text("_Plan") == plan && now.Text("State") != "DISABLED")
            {
                Count(background, now, "TriggeredRules");
                Runtime.Run(_ => Fire(background, now, new JsonObject
                {
                    ["version"] = "0",
                    ["id"] = Runtime.Ids.Uuid(),
                    ["detail-type"] = "Scheduled Event",
                    ["source"] = "aws.events",
                    ["account"] = background.AccountId,
                    ["time"] = next.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                    ["region"] = background.Region,
                    ["resources"] = new JsonArray(now.Text("Arn")),
                    ["detail"] = new JsonObject(),
                }));
                Schedule(background, key);
            }
        });
    }
}
