using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations;

/// <summary>Reports, measurements and budgets as a user has them, on the sandbox's Cost Explorer and Budgets.</summary>
public sealed class BillingCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();

    public BillingCmdletTests() => module.Invoke("""
        Start-InferloopSandbox -ClockRate 3600
        $sandbox = Get-InferloopSandbox
        $now = $sandbox.ClockTime.UtcDateTime
        $first = [datetime]::new($now.Year, $now.Month, 1)
        $month = @{ Start = $first.AddMonths(-1); End = $first }
        $estimate = New-InferloopEnvironmentSpec demo Dev | Get-InferloopCostEstimate
        """).EnsureSuccess();

    public void Dispose() => module.Dispose();

    [Fact]
    public void A_month_s_report_is_the_bill()
    {
        Assert.Equal("True True True 1 True", module.Invoke("""
            $estimate | Add-InferloopSandboxBill @month -Tag @{ team = 'data' }
            $report = Get-InferloopCostReport demo -Stage Dev @month -Tag team
            $expected = [math]::Round($estimate.MonthlyExpected * ($month.End - $month.Start).TotalHours / 730, 2)
            $parts = foreach ($kind in 'Services', 'Components', 'Tags') { $sum = 0; foreach ($item in $report.$kind) { $sum += $item.Amount }; [math]::Round($sum, 2) -eq $expected }
            "$parts $($report.Periods.Count) $([math]::Round($report.Total, 2) -eq $expected)"
            """).Single<string>());
        Assert.Contains("<svg", module.Invoke("Get-InferloopCostReport demo @month -Daily -As Html").Single<string>(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_goes_to_a_file_that_its_name_gives_the_form_of()
    {
        var folder = Directory.CreateTempSubdirectory("inferloop-report-").FullName;
        module.Invoke("$estimate | Add-InferloopSandboxBill @month; Get-InferloopCostReport demo @month -Path (\"$folder/r.csv\")", new { folder }).EnsureSuccess();
        Assert.StartsWith("start,end,by,name,amount", File.ReadAllText(Path.Combine(folder, "r.csv")), StringComparison.Ordinal);
        Assert.StartsWith("OutputFileExists,", module.Invoke("Get-InferloopCostReport demo @month -Path (\"$folder/r.csv\")", new { folder }).Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.StartsWith("CostFormatUnknown,", module.Invoke("Get-InferloopCostReport demo @month -Path (\"$folder/r.exe\")", new { folder }).Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_bill_says_what_to_do()
    {
        var result = module.Invoke("Get-InferloopCostReport nobody @month");
        Assert.Contains("aws ce update-cost-allocation-tags-status", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.StartsWith("ReportPeriodEmpty,", module.Invoke("Get-InferloopCostReport -Start $month.End -End $month.Start").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_of_an_estimate_is_what_the_bill_was_made_to_differ_by()
    {
        // The bill is 1.25 of the estimate: the estimate is 20 percent below it, in every component.
        Assert.Equal("-20.00 True", module.Invoke("""
            $estimate | Add-InferloopSandboxBill @month -Factor 1.25
            $accuracy = $estimate | Measure-InferloopCostAccuracy @month
            $off = @($accuracy.Components | Where-Object { [math]::Abs($_.ErrorPercent + 20) -gt 0.01 })
            "$($accuracy.ErrorPercent.ToString('0.00', [cultureinfo]::InvariantCulture)) $($off.Count -eq 0 -and $accuracy.Components.Count -gt 5)"
            """).Single<string>());
    }

    [Fact]
    public void A_budget_of_the_environment_is_set_through_its_spec_and_nothing_drifts()
    {
        module.Invoke("New-InferloopEnvironment demo Dev | Out-Null").EnsureSuccess();
        Assert.Equal(0, module.Invoke("@(Get-InferloopBudget demo).Count").Single<int>());

        // Nothing happens when only asked.
        module.Invoke("Set-InferloopBudget demo -Amount 120 -WhatIf").EnsureSuccess();
        Assert.Equal(0, module.Invoke("@(Get-InferloopBudget).Count").Single<int>());
        Assert.Equal("inferloop-demo-dev 121 True 3", module.Invoke("$b = Set-InferloopBudget demo -Amount 120.5; \"$($b.Name) $($b.Amount) $($b.IsOfEnvironment) $($b.Alerts.Count)\"").Single<string>());
        Assert.Equal("True", module.Invoke("$b = $estimate | Set-InferloopBudget -MarginPercent 10; \"$($b.Amount -eq [math]::Ceiling([math]::Round($estimate.MonthlyExpected * 1.1, 2)))\"").Single<string>());
        Assert.Empty(module.Invoke("Get-InferloopDrift demo").EnsureSuccess().Output);

        // What is spent today counts, by the environment's tags, and the alert has spoken.
        Assert.Equal("True True", module.Invoke("""
            $today = $sandbox.ClockTime.UtcDateTime.Date
            $estimate | Add-InferloopSandboxBill -Start $today -End $today.AddDays(1) -Factor 28
            $b = Get-InferloopEnvironment demo | Get-InferloopBudget
            "$($b.Percent -gt 80) $($b.Alerts[0].IsExceeded)"
            """).Single<string>());
        Assert.StartsWith("BudgetAlertsOfEnvironment,", module.Invoke("Set-InferloopBudget demo -Amount 5 -Email a@example.com").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void A_budget_beside_the_stack_keeps_what_it_watches()
    {
        Assert.Equal("demo dev True False 3", module.Invoke("""
            $b = $estimate | Set-InferloopBudget -BudgetName beside -Email ops@example.com
            "$($b.Environment) $($b.Stage) $($b.Amount -eq [math]::Round($estimate.MonthlyExpected, 2)) $($b.IsOfEnvironment) $($b.Alerts.Count)"
            """).Single<string>());
        Assert.Equal("demo 50 ops@example.com", module.Invoke("$b = Get-InferloopBudget demo -BudgetName bes* | Set-InferloopBudget -Amount 50; \"$($b.Environment) $($b.Amount) $($b.Alerts[0].Subscribers)\"").Single<string>().Replace("50.00", "50", StringComparison.Ordinal));
        Assert.Equal("new@example.com", module.Invoke("(Set-InferloopBudget -BudgetName beside -Amount 60 -Email new@example.com).Alerts[2].Subscribers -join ''").Single<string>());
        var result = module.Invoke("Set-InferloopBudget -BudgetName silent -Amount 60");
        Assert.Contains("tells nobody", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.StartsWith("EnvironmentNotFound,", module.Invoke("Set-InferloopBudget nobody -Amount 60").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }
}
