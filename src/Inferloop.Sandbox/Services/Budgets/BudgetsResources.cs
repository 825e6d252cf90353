using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Budgets;

/// <summary>AWS::Budgets::Budget.</summary>
internal static class BudgetsResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<BudgetsService>();
        return
        [
            new Provider("AWS::Budgets::Budget")
            {
                Service = "AWSBudgets",
                Gone = ["NotFoundException"],
                Create = async (context, properties) =>
                {
                    var (input, name) = Input(service, context, properties, properties.Child("Budget")?.Text("BudgetName") ?? context.GenerateName(100));
                    await service.CallAsync(context, "CreateBudget", input).ConfigureAwait(false);
                    return name;
                },
                Update = async (context, name, before, after) =>
                {
                    // Notifications cannot be changed as a whole: CloudFormation makes the budget anew where they differ.
                    var (input, _) = Input(service, context, after, name);
                    if (after.Changed(before, "NotificationsWithSubscribers"))
                    {
                        await service.CallAsync(context, "DeleteBudget", Named(context, name)).ConfigureAwait(false);
                        await service.CallAsync(context, "CreateBudget", input).ConfigureAwait(false);
                        return;
                    }
                    await service.CallAsync(context, "UpdateBudget", new JsonObject { ["AccountId"] = context.Request.AccountId, ["NewBudget"] = input["Budget"].Copy() }).ConfigureAwait(false);
                },
                Replaces = (property, before, after) => property == "Budget" && before.Child("Budget")?.Text("BudgetName") != after.Child("Budget")?.Text("BudgetName"),
                Delete = (context, name, _) => service.CallAsync(context, "DeleteBudget", Named(context, name)),
                Read = async (context, name) =>
                {
                    var budget = (await service.CallAsync(context, "DescribeBudget", Named(context, name).With("ShowFilterExpression", true)).ConfigureAwait(false)).Child("Budget")!.Copy();
                    budget.Remove("CalculatedSpend");
                    budget.Remove("LastUpdatedTime");
                    if (budget.Child("BudgetLimit") is { } limit)
                    {
                        limit["Amount"] = limit.Double("Amount");
                    }
                    // Times are given in templates as they please; what the service keeps differs from them only in form.
                    budget.Remove("TimePeriod");
                    return new JsonObject { ["Budget"] = budget };
                },
            },
        ];
    }

    private static JsonObject Named(ProvisionContext context, string name) => new() { ["AccountId"] = context.Request.AccountId, ["BudgetName"] = name };

    private static (JsonObject Input, string Name) Input(BudgetsService service, ProvisionContext context, JsonObject properties, string name)
    {
        var input = PropertyMapper.ToInput(service, "CreateBudget", properties.Copy().With("AccountId", context.Request.AccountId));
        input.Child("Budget")!["BudgetName"] = name;
        var tags = context.MergedTags(properties["ResourceTags"]);
        if (tags.Count > 0)
        {
            input["ResourceTags"] = tags;
        }
        return (input, name);
    }
}
