using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.Backup;

/// <content>Plans and what they select: their rules begin jobs when their schedule says so.</content>
internal sealed partial class BackupService
{
    private Collection Plans(RequestContext context) => Collection(context, "plans");

    private Collection Selections(RequestContext context) => Collection(context, "selections");

    private JsonObject Plan(RequestContext context, string id) => Plans(context).Get(id) ?? throw NotFound($"Cannot find Backup plan with ID {id}");

    private void AddPlans()
    {
        On("CreateBackupPlan", (context, input) =>
        {
            var plan = Checked(context, input.Child("BackupPlan")!);
            var name = plan.Required("BackupPlanName");
            if (Plans(context).Find(item => item.Child("BackupPlan")!.Text("BackupPlanName") == name) is { } same)
            {
                throw new ServiceFault("AlreadyExistsException", "Backup plan with the same plan document already exists", 400, new JsonObject { ["Arn"] = same.Text("BackupPlanArn"), ["CreatorRequestId"] = same.Text("CreatorRequestId") });
            }
            var id = Runtime.Ids.Uuid();
            var document = new JsonObject
            {
                ["BackupPlanId"] = id, ["BackupPlanArn"] = context.Arn("backup", "backup-plan:" + id), ["VersionId"] = Version(), ["CreationDate"] = Documents.Time(context.Now), ["BackupPlan"] = plan,
                ["_Tags"] = Tags.FromMap(input.Child("BackupPlanTags")).ToJsonList(),
            }.With("CreatorRequestId", input.Text("CreatorRequestId"));
            Plans(context).Put(id, document);
            Schedule(context.Detached(), id, document.Required("VersionId"));
            return document.Pick("BackupPlanId", "BackupPlanArn", "CreationDate", "VersionId");
        });
        On("UpdateBackupPlan", (context, input) =>
        {
            var id = Plan(context, input.Required("BackupPlanId")).Required("BackupPlanId");
            var plan = Checked(context, input.Child("BackupPlan")!);
            var after = Plans(context).Update(id, document =>
            {
                document["BackupPlan"] = plan;
                document["VersionId"] = Version();
            })!;
            Schedule(context.Detached(), id, after.Required("VersionId"));
            return after.Pick("BackupPlanId", "BackupPlanArn", "CreationDate", "VersionId");
        });
        On("GetBackupPlan", (context, input) => Plan(context, input.Required("BackupPlanId")));
        On("ListBackupPlans", (context, input) => Pages.Answer(input, Plans(context).All().Select(plan => plan.Pick("BackupPlanArn", "BackupPlanId", "CreationDate", "VersionId", "CreatorRequestId", "LastExecutionDate")
            .With("BackupPlanName", plan.Child("BackupPlan")!.Text("BackupPlanName"))).ToList(), "BackupPlansList", "MaxResults", "NextToken", 1000, "InvalidParameterValueException"));
        On("DeleteBackupPlan", (context, input) =>
        {
            var plan = Plan(context, input.Required("BackupPlanId"));
            if (Selections(context).Any(selection => selection.Text("BackupPlanId") == plan.Text("BackupPlanId")))
            {
                throw Refused("Related backup plan selections must be deleted prior to backup plan deletion");
            }
            Plans(context).Remove(plan.Required("BackupPlanId"));
            return plan.Pick("BackupPlanId", "BackupPlanArn", "VersionId").With("DeletionDate", Documents.Time(context.Now));
        });
    }

    private string Version() => Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(Runtime.Ids.Uuid()));

    private JsonObject Checked(RequestContext context, JsonObject given)
    {
        var plan = given.Copy();
        var rules = plan.Objects("Rules").ToList();
        if (rules.Count == 0)
        {
            throw new ServiceFault("MissingParameterValueException", "Backup plan must have at least one rule.");
        }
        if (rules.GroupBy(rule => rule.Text("RuleName")).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw Invalid($"Duplicate rule name: {twice.Key}");
        }
        foreach (var rule in rules)
        {
            _ = Vault(context, rule.Required("TargetBackupVaultName"));
            if (rule.Text("ScheduleExpression") is { } expression && (!expression.StartsWith("cron(", StringComparison.Ordinal) || ScheduleExpression.Parse(expression) is null))
            {
                throw Invalid($"Invalid cron expression: {expression}");
            }
            if (!TimeZoneInfo.TryFindSystemTimeZoneById(rule.Text("ScheduleExpressionTimezone") ?? "UTC", out _))
            {
                throw Invalid($"Invalid time zone: {rule.Text("ScheduleExpressionTimezone")}");
            }
            CheckLifecycle(rule.Child("Lifecycle"));
            foreach (var copy in rule.Objects("CopyActions"))
            {
                CheckLifecycle(copy.Child("Lifecycle"));
            }
            rule["RuleId"] = Runtime.Ids.Uuid();
            rule["ScheduleExpression"] ??= "cron(0 5 ? * * *)";
            rule["ScheduleExpressionTimezone"] ??= "Etc/UTC";
            rule["StartWindowMinutes"] ??= 480;
            rule["CompletionWindowMinutes"] ??= 10_080;
            rule["EnableContinuousBackup"] ??= false;
            if (rule.Long("StartWindowMinutes") < 60)
            {
                throw Invalid("Invalid start window: it must be at least 60 minutes.");
            }
            if (rule.Long("CompletionWindowMinutes") < rule.Long("StartWindowMinutes") + 60)
            {
                throw Invalid("Invalid completion window: it must be at least 60 minutes longer than the start window.");
            }
        }
        return plan;
    }

    private static void CheckLifecycle(JsonObject? lifecycle)
    {
        if (lifecycle?.Long("DeleteAfterDays") is { } delete and > 0 && lifecycle.Long("MoveToColdStorageAfterDays") is { } cold and >= 0 && delete < cold + 90)
        {
            throw Invalid($"DeleteAfterDays must be at least 90 days after MoveToColdStorageAfterDays: {delete} is less than {cold + 90}.");
        }
    }

    private void AddSelections()
    {
        On("CreateBackupSelection", (context, input) =>
        {
            var plan = Plan(context, input.Required("BackupPlanId")).Required("BackupPlanId");
            var selection = input.Child("BackupSelection")!;
            RequireRole(context, selection.Required("IamRoleArn"));
            if (!selection.Texts("Resources").Any() && !selection.Objects("ListOfTags").Any() && !selection.Has("Conditions"))
            {
                throw Invalid("Backup selection must have resources, tags or conditions.");
            }
            if (selection.Objects("ListOfTags").FirstOrDefault(tag => tag.Text("ConditionType") != "STRINGEQUALS") is not null)
            {
                throw Invalid("ListOfTags supports STRINGEQUALS only.");
            }
            if (Selections(context).Find(item => item.Text("BackupPlanId") == plan && item.Child("BackupSelection")!.Text("SelectionName") == selection.Text("SelectionName")) is not null)
            {
                throw new ServiceFault("AlreadyExistsException", "Backup selection with the same name already exists");
            }
            var id = Runtime.Ids.Uuid();
            var document = new JsonObject { ["SelectionId"] = id, ["BackupPlanId"] = plan, ["CreationDate"] = Documents.Time(context.Now), ["BackupSelection"] = selection.Copy() }.With("CreatorRequestId", input.Text("CreatorRequestId"));
            Selections(context).Put(id, document);
            return document.Pick("SelectionId", "BackupPlanId", "CreationDate");
        });
        JsonObject Selection(RequestContext context, JsonObject input) => Selections(context).Get(input.Required("SelectionId")) is { } found && found.Text("BackupPlanId") == input.Text("BackupPlanId") ? found
            : throw NotFound($"Cannot find Backup selection with ID {input.Text("SelectionId")}");
        On("GetBackupSelection", (context, input) => Selection(context, input));
        On("ListBackupSelections", (context, input) =>
        {
            var plan = Plan(context, input.Required("BackupPlanId")).Required("BackupPlanId");
            return Pages.Answer(input, Selections(context).Where(item => item.Text("BackupPlanId") == plan).Select(item => item.Pick("SelectionId", "BackupPlanId", "CreationDate", "CreatorRequestId")
                .Take(item.Child("BackupSelection")!, "SelectionName", "IamRoleArn")).ToList(), "BackupSelectionsList", "MaxResults", "NextToken", 1000, "InvalidParameterValueException");
        });
        On("DeleteBackupSelection", (context, input) =>
        {
            Selections(context).Remove(Selection(context, input).Required("SelectionId"));
            return [];
        });
    }

    /// <summary>What a selection takes of what there is now: named or tagged, not excluded, and meeting every condition.</summary>
    private IEnumerable<(IBackupSource Source, BackupResource Resource)> Selected(RequestContext context, JsonObject selection)
    {
        var optedIn = Settings(context).Child("ResourceTypeOptInPreference") ?? [];
        var (named, excluded) = (selection.Texts("Resources"), selection.Texts("NotResources"));
        foreach (var source in Sources)
        {
            foreach (var resource in source.Resources(context))
            {
                var byName = named.FirstOrDefault(pattern => Wildcard.Matches(pattern, resource.Arn));
                var byTag = selection.Objects("ListOfTags").Any(tag => resource.Tags.GetValueOrDefault(tag.Required("ConditionKey")) == tag.Text("ConditionValue"));
                // Who is not opted in is taken only when named outright.
                var isTaken = byName is not null || byTag || (named.Count == 0 && !selection.Objects("ListOfTags").Any());
                if (isTaken && (optedIn.Is(source.Type) || byName == resource.Arn) && !excluded.Any(pattern => Wildcard.Matches(pattern, resource.Arn)) && Meets(selection.Child("Conditions"), resource))
                {
                    yield return (source, resource);
                }
            }
        }
    }

    private static bool Meets(JsonObject? conditions, BackupResource resource)
    {
        bool All(string kind, Func<string?, string, bool> holds) => conditions!.Objects(kind).All(condition =>
            holds(resource.Tags.GetValueOrDefault(condition.Required("ConditionKey").Replace("aws:ResourceTag/", "", StringComparison.Ordinal)), condition.Required("ConditionValue")));
        return conditions is null || (All("StringEquals", (value, wanted) => value == wanted) && All("StringNotEquals", (value, wanted) => value != wanted)
            && All("StringLike", (value, wanted) => value is not null && Wildcard.Matches(wanted, value)) && All("StringNotLike", (value, wanted) => value is null || !Wildcard.Matches(wanted, value)));
    }

    private void Schedule(RequestContext context, string id, string version)
    {
        foreach (var rule in Plan(context, id).Child("BackupPlan")!.Objects("Rules"))
        {
            var expression = ScheduleExpression.Parse(rule.Required("ScheduleExpression"))!;
            var zone = TimeZoneInfo.FindSystemTimeZoneById(rule.Required("ScheduleExpressionTimezone"));
            Next(context.Now);

            void Next(DateTimeOffset after)
            {
                if (expression.Next(after, after, zone) is { } at)
                {
                    Runtime.Clock.Schedule(at, () => Fire(at));
                }
            }

            void Fire(DateTimeOffset at)
            {
                if (Plans(context).Get(id) is not { } plan || plan.Text("VersionId") != version)
                {
                    return;
                }
                Plans(context).Update(id, document => document["LastExecutionDate"] = Documents.Time(at));
                foreach (var selection in Selections(context).Where(item => item.Text("BackupPlanId") == id))
                {
                    var chosen = selection.Child("BackupSelection")!;
                    foreach (var (source, resource) in Selected(context, chosen).ToList())
                    {
                        Begin(context, source, resource, new JobOrder(rule.Required("TargetBackupVaultName"), chosen.Required("IamRoleArn"), rule.Child("Lifecycle"), Tags.FromMap(rule.Child("RecoveryPointTags")).ToList(),
                            rule.Long("StartWindowMinutes") ?? 480, rule.Long("CompletionWindowMinutes") ?? 10_080)
                        {
                            Copies = [.. rule.Objects("CopyActions").Select(action => action.Copy())],
                            CreatedBy = new JsonObject { ["BackupPlanId"] = id, ["BackupPlanArn"] = plan.Text("BackupPlanArn"), ["BackupPlanVersion"] = version, ["BackupRuleId"] = rule.Text("RuleId") },
                        });
                    }
                }
                Next(at);
            }
        }
    }
}
