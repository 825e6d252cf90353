using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Services.CostExplorer;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>A bill on the sandbox: Cost Explorer and Budgets answer from it as AWS answers.</summary>
public sealed class BillTests : ServiceTestBase
{
    private DateOnly Today => DateOnly.FromDateTime(Runtime.Clock.Now.UtcDateTime);

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);

    private void Charge(int daysAgo, int days, string service, decimal amount, string environment, string component = "ecs") => Runtime.Service<CostExplorerService>().Charge(
        "123456789012",
        [.. Enumerable.Range(0, days).Select(i => new SandboxBillLine(
            Today.AddDays(i - daysAgo), service, "use", "us-east-1", amount, 1, new Dictionary<string, string> { ["inferloop:environment"] = environment, ["inferloop:component"] = component }))]);

    private async Task<JsonObject> Usage(string rest, int daysAgo = 20) =>
        await Call("ce", "GetCostAndUsage", $$"""{"TimePeriod":{"Start":"{{Text(Today.AddDays(-daysAgo))}}","End":"{{Text(Today)}}"},"Granularity":"DAILY","Metrics":["UnblendedCost"]{{rest}}}""");

    private static decimal Sum(JsonObject answer, string? key = null) => answer["ResultsByTime"]!.AsArray().Sum(period => key is null
        ? decimal.Parse(period!["Total"]!["UnblendedCost"]!["Amount"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture)
        : period!["Groups"]!.AsArray().Where(g => g!["Keys"]![0]!.GetValue<string>() == key).Sum(g => decimal.Parse(g!["Metrics"]!["UnblendedCost"]!["Amount"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public async Task What_is_charged_is_told_by_day_service_and_tag()
    {
        Charge(20, 20, "EC2 - Other", 1.5m, "demo");
        Charge(20, 20, "Amazon DynamoDB", 0.25m, "other", "storage");
        Assert.Equal(35m, Sum(await Usage("")));
        Assert.Equal(5m, Sum(await Usage(""","GroupBy":[{"Type":"DIMENSION","Key":"SERVICE"}]"""), "Amazon DynamoDB"));
        Assert.Equal(30m, Sum(await Usage(""","GroupBy":[{"Type":"TAG","Key":"inferloop:component"}]"""), "inferloop:component$ecs"));
        Assert.Equal(30m, Sum(await Usage(""","Filter":{"Tags":{"Key":"inferloop:environment","Values":["demo"]}}""")));
        Assert.Equal(5m, Sum(await Usage(""","Filter":{"Not":{"Dimensions":{"Key":"SERVICE","Values":["EC2"],"MatchOptions":["STARTS_WITH"]}}}""")));
        Assert.Equal(0m, Sum(await Usage(""","Filter":{"And":[{"Tags":{"Key":"inferloop:environment","Values":["demo"]}},{"Tags":{"Key":"inferloop:component","Values":["storage"]}}]}""")));
    }

    [Fact]
    public async Task A_tag_that_is_not_activated_is_unknown_to_the_bill()
    {
        Charge(5, 5, "EC2 - Other", 1, "demo");
        await Call("ce", "UpdateCostAllocationTagsStatus", """{"CostAllocationTagsStatus":[{"TagKey":"inferloop:environment","Status":"Inactive"}]}""");
        Assert.Equal(0m, Sum(await Usage(""","Filter":{"Tags":{"Key":"inferloop:environment","Values":["demo"]}}""")));
        Assert.Equal(5m, Sum(await Usage("")));
    }

    [Fact]
    public async Task An_expression_of_two_roots_is_refused()
    {
        var fault = await Assert.ThrowsAsync<Inferloop.Sandbox.Runtime.ServiceFault>(
            () => Usage(""","Filter":{"Tags":{"Key":"a","Values":["b"]},"Not":{"Tags":{"Key":"a","Values":["b"]}}}"""));
        Assert.Contains("exactly one root operator", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_forecast_is_the_mean_of_the_days_before()
    {
        Charge(20, 20, "EC2 - Other", 2, "demo");
        var answer = await Call("ce", "GetCostForecast", $$"""{"TimePeriod":{"Start":"{{Text(Today)}}","End":"{{Text(Today.AddDays(10))}}"},"Metric":"UNBLENDED_COST","Granularity":"MONTHLY","PredictionIntervalLevel":80}""");
        Assert.Equal(20m, decimal.Parse(answer["Total"]!["Amount"]!.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_monitor_finds_the_day_that_is_out_of_line()
    {
        await Call("ce", "CreateAnomalyMonitor", """{"AnomalyMonitor":{"MonitorName":"services","MonitorType":"DIMENSIONAL","MonitorDimension":"SERVICE"}}""");
        Charge(20, 20, "EC2 - Other", 10, "demo");
        var ask = $$$"""{"DateInterval":{"StartDate":"{{{Text(Today.AddDays(-20))}}}"}}""";
        Assert.Empty((await Call("ce", "GetAnomalies", ask))["Anomalies"]!.AsArray());
        Charge(3, 2, "EC2 - Other", 40, "demo");
        var found = Assert.Single((await Call("ce", "GetAnomalies", ask))["Anomalies"]!.AsArray())!;
        Assert.Equal(80, found["Impact"]!["TotalImpact"]!.GetValue<double>());
        Assert.StartsWith(Text(Today.AddDays(-3)), found["AnomalyStartDate"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Equal("EC2 - Other", found["RootCauses"]![0]!["Service"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_budget_counts_what_its_expression_matches_and_speaks_at_its_threshold()
    {
        await Call("budgets", "CreateBudget", """
            {"AccountId":"123456789012","Budget":{"BudgetName":"demo","BudgetType":"COST","TimeUnit":"MONTHLY","BudgetLimit":{"Amount":"100","Unit":"USD"},"Metrics":["UnblendedCost"],
             "FilterExpression":{"Tags":{"Key":"inferloop:environment","Values":["demo"]}}},
             "NotificationsWithSubscribers":[{"Notification":{"NotificationType":"ACTUAL","ComparisonOperator":"GREATER_THAN","Threshold":80},"Subscribers":[{"SubscriptionType":"EMAIL","Address":"ops@example.com"}]}]}
            """);
        Charge(0, 1, "EC2 - Other", 70, "demo");
        Charge(0, 1, "EC2 - Other", 500, "another");
        Assert.Equal("70.0", (await Spend())["ActualSpend"]!["Amount"]!.GetValue<string>());
        Assert.Empty(Runtime.Outbox.Sent);
        Charge(0, 1, "EC2 - Other", 15, "demo");
        Assert.Equal("85.0", (await Spend())["ActualSpend"]!["Amount"]!.GetValue<string>());
        Assert.Equal("ops@example.com", Assert.Single(Runtime.Outbox.Sent).Address);
    }

    [Fact]
    public async Task An_expression_is_told_to_those_who_ask_for_it()
    {
        await Call("budgets", "CreateBudget", """{"AccountId":"123456789012","Budget":{"BudgetName":"demo","BudgetType":"COST","TimeUnit":"MONTHLY","BudgetLimit":{"Amount":"100","Unit":"USD"},"FilterExpression":{"Tags":{"Key":"a","Values":["b"]}}}}""");
        Assert.Null((await Call("budgets", "DescribeBudget", """{"AccountId":"123456789012","BudgetName":"demo"}"""))["Budget"]!["FilterExpression"]);
        Assert.NotNull((await Call("budgets", "DescribeBudget", """{"AccountId":"123456789012","BudgetName":"demo","ShowFilterExpression":true}"""))["Budget"]!["FilterExpression"]);
    }

    private async Task<JsonNode> Spend() => (await Call("budgets", "DescribeBudget", """{"AccountId":"123456789012","BudgetName":"demo"}"""))["Budget"]!["CalculatedSpend"]!;
}
