using System.Management.Automation;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations;

/// <summary>Get-InferloopCostEstimate where no account is needed.</summary>
public sealed class CostEstimateCmdletTests(ModuleFixture module) : IClassFixture<ModuleFixture>
{
    [Fact]
    public void A_spec_is_priced_before_anything_exists()
    {
        var estimate = module.Invoke("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate").Single();
        Assert.True((decimal)estimate.Properties["MonthlyExpected"].Value > 100);
        Assert.Equal("demo", estimate.Properties["Environment"].Value);
        Assert.Equal("Medium", module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate).Usage.Name").Single<string>());
    }

    [Fact]
    public void More_tasks_cost_more() =>
        Assert.True(module.Invoke("""
            $few = New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate
            $many = New-InferloopEnvironmentSpec demo Prod -DesiredTasks 6 | Get-InferloopCostEstimate
            $many.MonthlyExpected -gt $few.MonthlyExpected
            """).Single<bool>());

    [Theory]
    [InlineData("-Usage L", "Large")]
    [InlineData("-Usage @{ InternetOutGb = 5000 }", "Medium*")]
    public void Usage_is_a_preset_or_amounts(string usage, string expected) =>
        Assert.Equal(expected, module.Invoke($"(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate {usage}).Usage.Name").Single<string>());

    [Fact]
    public void Usage_comes_from_a_file_too()
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("inferloop-usage-").FullName, "usage.yaml");
        File.WriteAllText(path, "preset: S\ninternetOutGb: 77\n");
        Assert.Equal(77m, module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate -Usage $path).Usage.InternetOutGb", new { path }).Single<decimal>());
    }

    [Theory]
    [InlineData("-Usage XXL", "UsageProfileUnknown")]
    [InlineData("-Usage @{ InternetGb = 1 }", "UsageUnknown")]
    [InlineData("-Usage @{ InternetOutGb = 'much' }", "UsageNotANumber")]
    public void Bad_usage_is_refused(string usage, string id)
    {
        var error = module.Invoke($"New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate {usage}").Refusal();
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
    }

    [Fact]
    public void What_stands_by_is_part_of_the_price_of_a_spec()
    {
        var costs = module.Invoke("'None', 'BackupOnly', 'PilotLight', 'Warm' | ForEach-Object { (New-InferloopEnvironmentSpec demo Prod -RecoveryRegion us-west-2 -StandbyMode $_ | Get-InferloopCostEstimate).MonthlyExpected }").EnsureSuccess().Output.Select(o => (decimal)o.BaseObject).ToList();
        Assert.Equal(costs.Order(), costs);
        Assert.Equal(4, costs.Distinct().Count());
        var regions = module.Invoke("(New-InferloopEnvironmentSpec demo Prod -RecoveryRegion us-west-2 | Get-InferloopCostEstimate).Regions").EnsureSuccess().Output.Select(o => o.ToString());
        Assert.Equal(["us-east-1", "us-west-2"], regions);
    }

    [Fact]
    public void Any_template_is_priced_by_its_path()
    {
        var template = Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks/main.yaml");
        var ours = module.Invoke("(New-InferloopEnvironmentSpec demo Prod -CapacityMode Fargate -DatabaseEnabled $false -CacheEnabled $false -RotationEnabled $false -RequestMetrics $false | Get-InferloopCostEstimate).MonthlyExpected").Single<decimal>();
        var theirs = module.Invoke(
            "(Get-InferloopCostEstimate -TemplatePath $template -TemplateParameter @{ EnvironmentName = 'demo'; Stage = 'prod'; CapacityMode = 'Fargate'; ContainerInsights = 'enhanced'; DatabaseEnabled = $false; CacheEnabled = $false; RetainData = $true; BackupRetentionDays = 7 }).MonthlyExpected",
            new { template }).Single<decimal>();
        Assert.Equal(ours, theirs);
    }

    [Fact]
    public void Spot_is_unpriced_until_a_discount_is_said()
    {
        Assert.False(module.Invoke("(New-InferloopEnvironmentSpec demo Dev | Get-InferloopCostEstimate).IsComplete").Single<bool>());
        Assert.True(module.Invoke("(New-InferloopEnvironmentSpec demo Dev | Get-InferloopCostEstimate -SpotDiscountPercent 70).IsComplete").Single<bool>());
    }

    [Fact]
    public void Strict_fails_and_names_what_has_no_price()
    {
        var error = module.Invoke("New-InferloopEnvironmentSpec demo Dev | Get-InferloopCostEstimate -Strict").Refusal();
        Assert.StartsWith("EstimateIncomplete,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("Fargate Spot tasks", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Amounts_come_in_another_currency_at_the_rate_that_is_given()
    {
        Assert.True(module.Invoke("""
            $usd = New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate
            $eur = New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate -Currency eur -ExchangeRate 0.5
            $eur.Currency -eq 'EUR' -and [Math]::Round($eur.MonthlyExpected * 2, 6) -eq [Math]::Round($usd.MonthlyExpected, 6)
            """).Single<bool>());
        var error = module.Invoke("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate -Currency EUR").Refusal();
        Assert.StartsWith("CurrencyIncomplete,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void The_free_tier_and_a_savings_plan_make_it_cheaper() =>
        Assert.True(module.Invoke("""
            $list = New-InferloopEnvironmentSpec demo Staging | Get-InferloopCostEstimate
            $free = New-InferloopEnvironmentSpec demo Staging | Get-InferloopCostEstimate -FreeTier
            $plan = New-InferloopEnvironmentSpec demo Staging | Get-InferloopCostEstimate -SavingsPlanDiscountPercent 20
            $free.MonthlyExpected -lt $list.MonthlyExpected -and $plan.MonthlyExpected -lt $list.MonthlyExpected
            """).Single<bool>());

    [Fact]
    public void Both_views_fit_100_columns_on_their_first_lines()
    {
        using var own = new ModuleFixture();
        own.Invoke("New-InferloopEnvironmentSpec demo Prod 3>$null | Get-InferloopCostEstimate | Out-Default").EnsureSuccess();
        var text = own.Host.Shown();
        Assert.Contains("USD", text, StringComparison.Ordinal);
        Assert.Contains("network", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100, line));
    }
}
