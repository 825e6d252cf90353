using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Services.CostExplorer;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Budget actions: they act when the spend crosses their threshold, wait for approval where they must, and can be taken back.</summary>
public sealed class BudgetActionTests : ServiceTestBase
{
    private const string Account = "123456789012";

    private async Task<string> Action(string name, string approval, string type, string definition, int percent = 80) => (string)(await Call("budgets", "CreateBudgetAction", $$"""
        {"AccountId":"{{Account}}","BudgetName":"{{name}}","NotificationType":"ACTUAL","ActionType":"{{type}}","ActionThreshold":{"ActionThresholdValue":{{percent}},"ActionThresholdType":"PERCENTAGE"},
         "Definition":{{definition}},"ExecutionRoleArn":"arn:aws:iam::{{Account}}:role/budgets","ApprovalModel":"{{approval}}","Subscribers":[{"SubscriptionType":"EMAIL","Address":"a@example.com"}]}
        """))["ActionId"]!;

    private async Task<string> Status(string id) => (string)(await Call("budgets", "DescribeBudgetAction", $$"""{"AccountId":"{{Account}}","BudgetName":"b","ActionId":"{{id}}"}"""))["Action"]!["Status"]!;

    private Task<JsonObject> Execute(string id, string type) => Call("budgets", "ExecuteBudgetAction", $$"""{"AccountId":"{{Account}}","BudgetName":"b","ActionId":"{{id}}","ExecutionType":"{{type}}"}""");

    private void Spend(decimal amount) =>
        Runtime.Service<CostExplorerService>().Charge(Account, [new SandboxBillLine(DateOnly.FromDateTime(Runtime.Clock.Now.UtcDateTime), "AWS Lambda", "Request", "us-east-1", amount, 1, new Dictionary<string, string>())]);

    private async Task<bool> Attached() =>
        (await Call("iam", "ListAttachedRolePolicies", """{"RoleName":"worker"}"""))["AttachedPolicies"]!.AsArray().Any(policy => (string)policy!["PolicyName"]! == "AWSDenyAll");

    /// <summary>Lets the action's half minute pass, and the work behind it.</summary>
    private async Task Acted(string id, string status)
    {
        Pass(TimeSpan.FromSeconds(31));
        var end = DateTime.UtcNow.AddSeconds(20);
        while (await Status(id) != status)
        {
            Assert.True(DateTime.UtcNow < end, await Status(id));
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task Actions_act_by_themselves_or_once_approved_and_are_taken_back()
    {
        static string Trust(string service) => $$"""{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"{{service}}\"},\"Action\":\"sts:AssumeRole\"}]}""";
        await Call("iam", "CreateRole", $$"""{"RoleName":"worker","AssumeRolePolicyDocument":"{{Trust("lambda.amazonaws.com")}}"}""");
        await Call("budgets", "CreateBudget", $$"""{"AccountId":"{{Account}}","Budget":{"BudgetName":"b","BudgetType":"COST","TimeUnit":"MONTHLY","BudgetLimit":{"Amount":"100","Unit":"USD"} } }""");
        const string Policy = """{"IamActionDefinition":{"PolicyArn":"arn:aws:iam::123456789012:policy/AWSDenyAll","Roles":["worker"]} }""";
        Assert.Equal("InvalidParameterException", (await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() => Action("b", "AUTOMATIC", "APPLY_IAM_POLICY", Policy))).Code);
        await Call("iam", "CreateRole", $$"""{"RoleName":"budgets","AssumeRolePolicyDocument":"{{Trust("budgets.amazonaws.com")}}"}""");
        await Call("iam", "CreatePolicy", """{"PolicyName":"AWSDenyAll","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}""");
        Assert.Equal("InvalidParameterException", (await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(() => Action("b", "AUTOMATIC", "APPLY_SCP_POLICY", Policy))).Code);
        var automatic = await Action("b", "AUTOMATIC", "APPLY_IAM_POLICY", Policy);
        var manual = await Action("b", "MANUAL", "RUN_SSM_DOCUMENTS", """{"SsmActionDefinition":{"ActionSubType":"STOP_EC2_INSTANCES","Region":"us-east-1","InstanceIds":["i-0123456789abcdef0"]} }""", 90);

        Spend(80);
        Assert.Equal(("STANDBY", "STANDBY"), (await Status(automatic), await Status(manual)));
        Spend(15);
        Assert.Equal(("EXECUTION_IN_PROGRESS", "PENDING"), (await Status(automatic), await Status(manual)));
        await Acted(automatic, "EXECUTION_SUCCESS");
        Assert.True(await Attached());

        await Execute(manual, "APPROVE_BUDGET_ACTION");
        Assert.Equal("ResourceLockedException", (await Fails("budgets", "DeleteBudgetAction", $$"""{"AccountId":"{{Account}}","BudgetName":"b","ActionId":"{{manual}}"}""")).Code);
        // There is no such instance: the action fails, and says why.
        await Acted(manual, "EXECUTION_FAILURE");
        var histories = (await Call("budgets", "DescribeBudgetActionHistories", $$"""{"AccountId":"{{Account}}","BudgetName":"b","ActionId":"{{manual}}"}"""))["ActionHistories"]!.AsArray();
        Assert.Equal(["EXECUTION_FAILURE", "EXECUTION_IN_PROGRESS", "PENDING", "STANDBY"], histories.Select(item => (string)item!["Status"]!));
        Assert.StartsWith("InvalidInstanceID.NotFound", (string)histories[0]!["ActionHistoryDetails"]!["Message"]!, StringComparison.Ordinal);

        await Execute(automatic, "REVERSE_BUDGET_ACTION");
        await Acted(automatic, "REVERSE_SUCCESS");
        Assert.False(await Attached());
        Assert.Equal("InvalidParameterException", (await Fails("budgets", "ExecuteBudgetAction", $$"""{"AccountId":"{{Account}}","BudgetName":"b","ActionId":"{{automatic}}","ExecutionType":"APPROVE_BUDGET_ACTION"}""")).Code);
        // Once in a period: more spending does nothing until it is reset.
        Spend(5);
        Assert.Equal("REVERSE_SUCCESS", await Status(automatic));
        await Execute(automatic, "RESET_BUDGET_ACTION");
        Spend(1);
        await Acted(automatic, "EXECUTION_SUCCESS");
        Assert.Equal(2, (await Call("budgets", "DescribeBudgetActionsForAccount", $$"""{"AccountId":"{{Account}}"}"""))["Actions"]!.AsArray().Count);
        await Call("budgets", "DeleteBudget", $$"""{"AccountId":"{{Account}}","BudgetName":"b"}""");
        Assert.Empty((await Call("budgets", "DescribeBudgetActionsForAccount", $$"""{"AccountId":"{{Account}}"}"""))["Actions"]!.AsArray());
    }
}
