using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.Iam;
using Inferloop.Sandbox.Services.Organizations;
using Inferloop.Sandbox.Services.Rds;

namespace Inferloop.Sandbox.Services.Budgets;

/// <content>Budget actions: when the spend crosses their threshold they attach a policy or stop instances, by themselves or once approved; and can be taken back.</content>
internal sealed partial class BudgetsService
{
    private static readonly TimeSpan ActionTime = TimeSpan.FromSeconds(30);

    private Collection Actions(RequestContext context) => Runtime.Collection(ModelName, "actions", context.AccountId, "");

    private void AddActions()
    {
        On("CreateBudgetAction", CreateAction);
        On("DescribeBudgetAction", (context, input) => Answer(context, Action(context, input)));
        On("DescribeBudgetActionsForBudget", (context, input) =>
        {
            var name = Budget(context, input.Required("BudgetName")).Required("BudgetName");
            return Pages.Answer(input, Actions(context).Where(action => action.Text("BudgetName") == name), "Actions", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("DescribeBudgetActionsForAccount", (context, input) => Pages.Answer(input, Actions(context).All(), "Actions", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException"));
        On("DescribeBudgetActionHistories", (context, input) => Pages.Answer(input, Action(context, input).Objects("_Histories").Where(item => input.Child("TimePeriod") is not { } period
                || (!(item.TimeOf("Timestamp") < period.TimeOf("Start")) && !(item.TimeOf("Timestamp") > period.TimeOf("End")))).Select(item => item.Copy()).ToList(),
            "ActionHistories", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException"));
        On("UpdateBudgetAction", (context, input) =>
        {
            var before = Action(context, input);
            if (before.Required("Status").EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
            {
                throw new ServiceFault("ResourceLockedException", "The action is being executed and cannot be changed.");
            }
            var changed = before.Copy().Take(input, "NotificationType", "ActionThreshold", "Definition", "ExecutionRoleArn", "ApprovalModel", "Subscribers");
            CheckAction(context, changed);
            Actions(context).Update(before.Required("ActionId"), document =>
            {
                document.Take(changed, "NotificationType", "ActionThreshold", "Definition", "ExecutionRoleArn", "ApprovalModel", "Subscribers");
                Remember(document, context, "UPDATE_ACTION", "The action was updated.");
            });
            JudgeActions(context, before.Required("BudgetName"));
            return new JsonObject { ["AccountId"] = context.AccountId, ["BudgetName"] = before.Text("BudgetName"), ["OldAction"] = before, ["NewAction"] = Action(context, input) };
        });
        On("DeleteBudgetAction", (context, input) =>
        {
            var action = Action(context, input);
            if (action.Required("Status").EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
            {
                throw new ServiceFault("ResourceLockedException", "The action is being executed and cannot be deleted.");
            }
            Actions(context).Remove(action.Required("ActionId"));
            return Answer(context, action);
        });
        On("ExecuteBudgetAction", (context, input) =>
        {
            var action = Action(context, input);
            var (id, status, type) = (action.Required("ActionId"), action.Required("Status"), input.Required("ExecutionType"));
            var possible = type switch
            {
                "APPROVE_BUDGET_ACTION" => status == "PENDING",
                "RETRY_BUDGET_ACTION" => status == "EXECUTION_FAILURE",
                "REVERSE_BUDGET_ACTION" => status is "EXECUTION_SUCCESS" or "REVERSE_FAILURE",
                _ => status is "EXECUTION_SUCCESS" or "EXECUTION_FAILURE" or "REVERSE_SUCCESS" or "REVERSE_FAILURE" or "PENDING",
            };
            if (!possible)
            {
                throw Invalid($"{type} cannot be done while the action is {status}.");
            }
            if (type == "RESET_BUDGET_ACTION")
            {
                SetStatus(context, id, "STANDBY", "EXECUTE_ACTION", "The action was reset.");
            }
            else
            {
                Execute(context.Detached(), id, type == "REVERSE_BUDGET_ACTION");
            }
            return new JsonObject { ["AccountId"] = context.AccountId, ["BudgetName"] = action.Text("BudgetName"), ["ActionId"] = id, ["ExecutionType"] = type };
        });
    }

    private JsonObject Action(RequestContext context, JsonObject input) => Actions(context).Get(input.Required("ActionId")) is { } found && found.Text("BudgetName") == input.Text("BudgetName") ? found
        : throw new ServiceFault("NotFoundException", $"Unable to find the action {input.Text("ActionId")}.");

    private static JsonObject Answer(RequestContext context, JsonObject action) => new() { ["AccountId"] = context.AccountId, ["BudgetName"] = action.Text("BudgetName"), ["Action"] = action };

    private JsonObject CreateAction(RequestContext context, JsonObject input)
    {
        var name = Budget(context, input.Required("BudgetName")).Required("BudgetName");
        var action = input.Pick("BudgetName", "NotificationType", "ActionType", "ActionThreshold", "Definition", "ExecutionRoleArn", "ApprovalModel", "Subscribers");
        CheckAction(context, action);
        if (Actions(context).Any(other => other.Text("BudgetName") == name && other.Text("ActionType") == action.Text("ActionType") && Documents.Same(other["ActionThreshold"], action["ActionThreshold"]) && Documents.Same(other["Definition"], action["Definition"])))
        {
            throw new ServiceFault("DuplicateRecordException", "An action with the same threshold and definition already exists.");
        }
        var id = Runtime.Ids.Uuid();
        action["ActionId"] = id;
        action["Status"] = "STANDBY";
        action["_Tags"] = input["ResourceTags"].Copy() ?? new JsonArray();
        Remember(action, context, "CREATE_ACTION", "The action was created.");
        Actions(context).Put(id, action);
        JudgeActions(context, name);
        return new JsonObject { ["AccountId"] = context.AccountId, ["BudgetName"] = name, ["ActionId"] = id };
    }

    private void CheckAction(RequestContext context, JsonObject action)
    {
        var member = action.Text("ActionType") switch { "APPLY_IAM_POLICY" => "IamActionDefinition", "APPLY_SCP_POLICY" => "ScpActionDefinition", _ => "SsmActionDefinition" };
        if (action.Child("Definition")?.Child(member) is null || action.Child("Definition")!.Count != 1)
        {
            throw Invalid($"An action of type {action.Text("ActionType")} must have {member} as its only definition.");
        }
        var role = Runtime.Service<IamService>().FindRole(context, action.Required("ExecutionRoleArn"));
        if (role is null || !Uri.UnescapeDataString(role.Required("AssumeRolePolicyDocument")).Contains("budgets.amazonaws.com", StringComparison.Ordinal))
        {
            throw Invalid($"The execution role {action.Text("ExecutionRoleArn")} does not exist or does not let budgets.amazonaws.com assume it.");
        }
        foreach (var subscriber in action.Objects("Subscribers"))
        {
            CheckSubscriber(subscriber);
        }
    }

    private static void Remember(JsonObject action, RequestContext context, string happening, string message)
    {
        var shown = new JsonObject().Take(action, "ActionId", "BudgetName", "NotificationType", "ActionType", "ActionThreshold", "Definition", "ExecutionRoleArn", "ApprovalModel", "Status", "Subscribers");
        action.ListOrNew("_Histories").Insert(0, new JsonObject { ["Timestamp"] = Documents.Time(context.Now), ["Status"] = action.Text("Status"), ["EventType"] = happening, ["ActionHistoryDetails"] = new JsonObject { ["Message"] = message, ["Action"] = shown } });
    }

    private void SetStatus(RequestContext context, string id, string status, string happening, string message)
    {
        var after = Actions(context).Update(id, action =>
        {
            action["Status"] = status;
            Remember(action, context, happening, message);
        });
        foreach (var topic in after?.Objects("Subscribers").Where(item => item.Text("SubscriptionType") == "SNS").Select(item => item.Required("Address")) ?? [])
        {
            Runtime.Service<Sns.SnsService>().PublishFor(context.InRegion(topic.Split(':')[3]), "budgets.amazonaws.com", topic, $"AWS Budgets: action of {after!.Text("BudgetName")}", $"Action {id}: {status}. {message}");
        }
    }

    /// <summary>What the spend means for a budget's actions: an action acts once in a period of its budget, unless it is reset.</summary>
    private void JudgeActions(RequestContext context, string name)
    {
        if (Budgets(context).Get(name)?.Child("_Budget") is not { } budget)
        {
            return;
        }
        var (limit, month) = (Number(budget.Child("BudgetLimit")), context.Now.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture));
        foreach (var action in Actions(context).Where(item => item.Text("BudgetName") == name))
        {
            var id = action.Required("ActionId");
            if (budget.Text("TimeUnit") == "MONTHLY" && action.Text("_Period") is { } acted && acted != month && action.Text("Status") is "EXECUTION_SUCCESS" or "EXECUTION_FAILURE" or "REVERSE_SUCCESS" or "PENDING")
            {
                SetStatus(context, id, "STANDBY", "SYSTEM", "A new period of the budget began.");
            }
            var threshold = action.Child("ActionThreshold")!;
            var spend = Number(budget.Child("CalculatedSpend")?.Child(action.Text("NotificationType") == "ACTUAL" ? "ActualSpend" : "ForecastedSpend"));
            var measured = threshold.Text("ActionThresholdType") == "ABSOLUTE_VALUE" ? spend : limit == 0 ? 0 : spend / limit * 100;
            if (measured <= (decimal)(threshold.Double("ActionThresholdValue") ?? 0) || Actions(context).Get(id)?.Text("Status") != "STANDBY")
            {
                continue;
            }
            Actions(context).Update(id, document => document["_Period"] = month);
            if (action.Text("ApprovalModel") == "AUTOMATIC")
            {
                Execute(context.Detached(), id, reverse: false);
            }
            else
            {
                SetStatus(context, id, "PENDING", "SYSTEM", "The threshold was exceeded: the action waits for approval.");
            }
        }
    }

    private void Execute(RequestContext context, string id, bool reverse)
    {
        var kind = reverse ? "REVERSE" : "EXECUTION";
        SetStatus(context, id, kind + "_IN_PROGRESS", "EXECUTE_ACTION", reverse ? "The action is being taken back." : "The action is being executed.");
        Runtime.After(ActionTime, () => Runtime.Run(async _ =>
        {
            if (Actions(context).Get(id) is not { } action)
            {
                return;
            }
            try
            {
                await DoAsync(context, action, reverse).ConfigureAwait(false);
                SetStatus(context, id, kind + "_SUCCESS", "EXECUTE_ACTION", reverse ? "The action was taken back." : "The action was executed.");
            }
            catch (ServiceFault fault)
            {
                SetStatus(context, id, kind + "_FAILURE", "EXECUTE_ACTION", $"{fault.Code}: {fault.Message}");
            }
        }));
    }

    private async Task DoAsync(RequestContext context, JsonObject action, bool reverse)
    {
        var definition = action.Child("Definition")!;
        if (definition.Child("IamActionDefinition") is { } identity)
        {
            var (iam, verb, policy) = (Runtime.Service<IamService>(), reverse ? "Detach" : "Attach", identity.Required("PolicyArn"));
            foreach (var (kind, member) in new[] { ("Role", "Roles"), ("Group", "Groups"), ("User", "Users") })
            {
                foreach (var name in identity.Texts(member))
                {
                    await iam.InvokeAsync(context, $"{verb}{kind}Policy", new JsonObject { [kind + "Name"] = name, ["PolicyArn"] = policy }).ConfigureAwait(false);
                }
            }
        }
        else if (definition.Child("ScpActionDefinition") is { } control)
        {
            foreach (var target in control.Texts("TargetIds"))
            {
                await Runtime.Service<OrganizationsService>().InvokeAsync(context, reverse ? "DetachPolicy" : "AttachPolicy", new JsonObject { ["PolicyId"] = control.Text("PolicyId"), ["TargetId"] = target }).ConfigureAwait(false);
            }
        }
        else if (definition.Child("SsmActionDefinition") is { } document)
        {
            var there = context.InRegion(document.Required("Region"));
            if (document.Text("ActionSubType") == "STOP_EC2_INSTANCES")
            {
                await Runtime.Service<Ec2Service>().InvokeAsync(there, reverse ? "StartInstances" : "StopInstances", new JsonObject { ["InstanceIds"] = document.Texts("InstanceIds").ToTextList() }).ConfigureAwait(false);
                return;
            }
            foreach (var instance in document.Texts("InstanceIds"))
            {
                await Runtime.Service<RdsService>().InvokeAsync(there, reverse ? "StartDBInstance" : "StopDBInstance", new JsonObject { ["DBInstanceIdentifier"] = instance }).ConfigureAwait(false);
            }
        }
    }
}
