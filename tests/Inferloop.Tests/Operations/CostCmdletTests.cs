using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations;

/// <summary>Comparisons, gates, texts and prices as a user has them, without an account.</summary>
public sealed class CostCmdletTests(ModuleFixture module) : IClassFixture<ModuleFixture>
{
    private static string Folder() => Directory.CreateTempSubdirectory("inferloop-cost-").FullName;

    [Fact]
    public void Two_estimates_compare_by_pipeline() =>
        Assert.True(module.Invoke("""
            $a = New-InferloopEnvironmentSpec demo Prod -NatGatewayMode Single | Get-InferloopCostEstimate
            $b = New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate
            $c = $b | Compare-InferloopCostEstimate $a
            $c.MonthlyDelta -eq ($b.MonthlyExpected - $a.MonthlyExpected) -and $c.Differences.Count -gt 0
            """).Single<bool>());

    [Fact]
    public void Regions_and_stages_each_give_a_comparison()
    {
        Assert.Equal(2, module.Invoke("@(New-InferloopEnvironmentSpec demo Prod | Compare-InferloopCostEstimate -ToRegion us-west-2, eu-west-2).Count").Single<int>());
        Assert.True(module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Compare-InferloopCostEstimate -ToStage Dev).MonthlyDelta -lt 0").Single<bool>());
    }

    [Fact]
    public void Failing_over_needs_a_recovery_region()
    {
        var error = module.Invoke("New-InferloopEnvironmentSpec demo Prod | Compare-InferloopCostEstimate -FailedOver").Refusal();
        Assert.StartsWith("RecoveryRegionMissing,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.True(module.Invoke("(New-InferloopEnvironmentSpec demo Prod -RecoveryRegion us-west-2 | Compare-InferloopCostEstimate -FailedOver).After.Regions.Count -eq 2").Single<bool>());
    }

    [Fact]
    public void Currencies_do_not_mix()
    {
        var error = module.Invoke("""
            $usd = New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate
            New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate -Currency EUR -ExchangeRate 0.9 | Compare-InferloopCostEstimate $usd
            """).Refusal();
        Assert.StartsWith("CurrenciesDiffer,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void The_gate_gives_an_exit_code_and_enforces()
    {
        Assert.Equal(1, module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Test-InferloopCostEstimate -MaxMonthlyCost 1).ExitCode").Single<int>());
        Assert.Equal(0, module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Test-InferloopCostEstimate -MaxMonthlyCost 100000).ExitCode").Single<int>());
        var result = module.Invoke("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Test-InferloopCostEstimate -MaxMonthlyCost 1 -Enforce");
        Assert.StartsWith("CostGateFailed,", (result.TerminatingError ?? result.Errors.Single()).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cost.md", "<!-- inferloop-cost -->")]
    [InlineData("cost.xml", "<testsuites>")]
    [InlineData("cost.sarif", "sarif-2.1.0")]
    [InlineData("cost.csv", "component,resource")]
    [InlineData("cost.json", "\"monthlyExpected\"")]
    public void A_file_is_written_as_its_name_says(string name, string expected)
    {
        var path = Path.Combine(Folder(), name);
        module.Invoke("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Export-InferloopCostEstimate $path", new { path }).EnsureSuccess();
        Assert.Contains(expected, File.ReadAllText(path), StringComparison.Ordinal);
        var error = module.Invoke("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Export-InferloopCostEstimate $path", new { path }).Refusal();
        Assert.StartsWith("OutputFileExists,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-InferloopPrice AmazonEC2", "PriceNotFound", "no price of AmazonEC2")]
    [InlineData("New-InferloopEnvironmentSpec demo Dev | Get-InferloopCostEstimate -Region eu-west-1", "RegionDiffers", "is of us-east-1, and -Region says eu-west-1")]
    [InlineData("Get-InferloopPrice nat_gatway processed_gb", "PriceNotFound", "'nat_gateway'")]
    [InlineData("Get-InferloopPrice nat_gateway processed_gbs", "PriceNotFound", "'processed_gb'")]
    [InlineData("Get-InferloopPrice nat_gateway processed_gb -Region eu-wset-1", "PriceRegionUnknown", "'eu-west-1'")]
    [InlineData("'x' | Test-InferloopCostEstimate", "CostInputUnknown", "String")]
    [InlineData("New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate | Export-InferloopCostEstimate x.doc", "CostFormatUnknown", ".doc")]
    public void Bad_input_is_named(string script, string id, string part)
    {
        var error = module.Invoke(script).Refusal();
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(part, error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prices_come_with_source_and_date()
    {
        Assert.Equal(0.045m, module.Invoke("(Get-InferloopPrice nat_gateway processed_gb -Region us-east-1).Tiers[0].Usd").Single<decimal>());
        Assert.Equal(16, module.Invoke("@(Get-InferloopPrice ec2 linux_t3_large_hour).Count").Single<int>());
    }

    [Fact]
    public void A_catalog_is_updated_and_then_used_and_a_torn_file_leaves_it()
    {
        var folder = Folder();
        var whole = Path.Combine(folder, "vpc.csv");
        var torn = Path.Combine(folder, "torn.csv");
        var catalog = Path.Combine(folder, "mine.csv");
        const string Text = "\"Publication Date\",\"2026-11-20T00:00:00Z\"\n\"SKU\",\"TermType\",\"StartingRange\",\"Unit\",\"PricePerUnit\",\"Currency\",\"serviceCode\",\"usageType\",\"Region Code\"\n\"A\",\"OnDemand\",\"0\",\"Hrs\",\"0.5\",\"USD\",\"AmazonVPC\",\"PublicIPv4:InUseAddress\",\"us-east-1\"\n";
        File.WriteAllText(whole, Text);
        File.WriteAllText(torn, Text[..^20]);
        Assert.Equal(1, module.Invoke("(Update-InferloopPriceCatalog -BulkFile $whole -Path $catalog).Changed", new { whole, catalog }).Single<int>());
        Assert.Equal(0.5m, module.Invoke("(Get-InferloopPrice public_ipv4 in_use_address_hour -Region us-east-1 -CatalogPath $catalog).Tiers[0].Usd", new { catalog }).Single<decimal>());
        Assert.True(module.Invoke("(New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate -CatalogPath $catalog).MonthlyExpected -gt (New-InferloopEnvironmentSpec demo Prod | Get-InferloopCostEstimate).MonthlyExpected", new { catalog }).Single<bool>());

        var before = File.ReadAllBytes(catalog);
        var error = module.Invoke("Update-InferloopPriceCatalog -BulkFile $torn -Path $catalog", new { torn, catalog }).Refusal();
        Assert.StartsWith("PriceListTruncated,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(catalog));
    }

    [Fact]
    public void Views_fit_100_columns()
    {
        using var own = new ModuleFixture();
        own.Invoke("""
            New-InferloopEnvironmentSpec demo Staging | Get-InferloopCostEstimate | Test-InferloopCostEstimate -MaxMonthlyCost 5000 | Out-Default
            Get-InferloopPrice nat_gateway * -Region us-east-1 | Out-Default
            """).EnsureSuccess();
        var text = own.Host.Shown();
        Assert.Contains("nat_gateway/processed_gb", text, StringComparison.Ordinal);
        Assert.Contains("within", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100, line));
    }
}
