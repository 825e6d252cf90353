using System.Management.Automation;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.EnvironmentSpec;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Specs;

/// <summary>The spec cmdlets, in a session with the built module.</summary>
public sealed class SpecCmdletTests(ModuleFixture module) : IClassFixture<ModuleFixture>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-spec-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_spec_comes_from_a_preset_with_parameters_over_it()
    {
        var spec = module.Invoke("New-InferloopEnvironmentSpec demo Prod -Region eu-west-1 -MaximumTasks 20 -Tags @{ team = 'data' }").Single();
        Assert.Equal("inferloop-demo-prod", spec.Properties["StackName"].Value);
        Assert.Equal(20, module.Invoke("(New-InferloopEnvironmentSpec demo Prod -MaximumTasks 20).Ecs.MaximumTasks").Single<int>());
        Assert.Equal("data", module.Invoke("(New-InferloopEnvironmentSpec demo -Tags @{ team = 'data' }).Tags['team']").Single<string>());
    }

    [Theory]
    [InlineData("yaml")]
    [InlineData("json")]
    [InlineData("psd1")]
    public void A_spec_goes_through_a_file_unchanged(string extension)
    {
        var path = Path.Combine(folder, "demo." + extension);
        Assert.True(module.Invoke("""
            $spec = New-InferloopEnvironmentSpec demo Staging -VpcCidr 172.16.0.0/16 -AuthServiceUrl 'https://example.org/it''s' -Tags @{ 'cost center' = "4711"; q = 'yes' }
            $spec | Export-InferloopEnvironmentSpec $path
            (Import-InferloopEnvironmentSpec $path) -eq $spec
            """, new { path }).Single<bool>());
    }

    [Fact]
    public void An_existing_file_is_overwritten_only_with_force()
    {
        var path = Path.Combine(folder, "demo.yaml");
        var failure = module.Invoke("$s = New-InferloopEnvironmentSpec demo; $s | Export-InferloopEnvironmentSpec $path; $s | Export-InferloopEnvironmentSpec $path", new { path }).Refusal();
        Assert.Equal(ErrorCategory.ResourceExists, failure.CategoryInfo.Category);
        Assert.StartsWith("SpecFileExists,", failure.FullyQualifiedErrorId, StringComparison.Ordinal);
        module.Invoke("$s | Export-InferloopEnvironmentSpec $path -Force").EnsureSuccess();
    }

    [Fact]
    public void Whatif_writes_no_file()
    {
        var path = Path.Combine(folder, "none.yaml");
        module.Invoke("New-InferloopEnvironmentSpec demo | Export-InferloopEnvironmentSpec $path -WhatIf", new { path }).EnsureSuccess();
        Assert.False(File.Exists(path));
    }

    [Theory]
    [InlineData("New-InferloopEnvironmentSpec demo -PublicSubnet2Cidr 10.0.1.0/24", "SpecCidrOverlap", "network.publicSubnet2Cidr", ErrorCategory.InvalidArgument)]
    [InlineData("New-InferloopEnvironmentSpec demo -PrivateSubnet1Cidr 10.0.3.0/30", "SpecCidrTooSmall", null, ErrorCategory.InvalidArgument)]
    [InlineData("New-InferloopEnvironmentSpec Demo", "SpecNamePattern", "name", ErrorCategory.InvalidArgument)]
    [InlineData("New-InferloopEnvironmentSpec demo -Region us-esat-1", "SpecRegionUnknown", "region", ErrorCategory.InvalidArgument)]
    [InlineData("New-InferloopEnvironmentSpec demo -TaskCpu 256 -TaskMemory 8192", "SpecFargateSize", "ecs.taskMemory", ErrorCategory.InvalidArgument)]
    [InlineData("New-InferloopEnvironmentSpec -Path ./nowhere.yaml", "SpecFileNotFound", null, ErrorCategory.ObjectNotFound)]
    public void Bad_input_ends_with_id_category_target_and_action(string script, string id, string? target, ErrorCategory category)
    {
        var failure = module.Invoke(script).Refusal();
        Assert.StartsWith(id + ",", failure.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(category, failure.CategoryInfo.Category);
        Assert.NotEmpty(failure.ErrorDetails.RecommendedAction);
        if (target is not null)
        {
            Assert.Equal(target, failure.TargetObject);
        }
    }

    [Fact]
    public void An_unknown_key_in_any_syntax_is_named_with_line_column_and_suggestion()
    {
        foreach (var (name, text) in new[] { ("a.yaml", "name: demo\necs:\n  taskMemroy: 2048\n"), ("a.json", "{ \"name\": \"demo\",\n  \"ecs\": {\n  \"taskMemroy\": 2048 } }"), ("a.psd1", "@{ Name = 'demo'\nEcs = @{\n  TaskMemroy = 2048 } }") })
        {
            var path = Path.Combine(folder, name);
            File.WriteAllText(path, text);
            var failure = module.Invoke("New-InferloopEnvironmentSpec -Path $path", new { path }).Refusal();
            Assert.StartsWith("SpecUnknownKey,", failure.FullyQualifiedErrorId, StringComparison.Ordinal);
            Assert.Contains($"{name}(3,3)", failure.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("Did you mean 'ecs.taskMemory'?", failure.Exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("@{ Name = (Get-Date) }")]
    [InlineData("@{ Name = \"$(Remove-Item x)\" }")]
    [InlineData("@{ Name = $env:HOME }")]
    [InlineData("Remove-Item x; @{ Name = 'demo' }")]
    [InlineData("@{ Name = [System.IO.File]::ReadAllText('/etc/passwd') }")]
    public void A_data_file_is_data_and_nothing_in_it_runs(string text)
    {
        var path = Path.Combine(folder, "evil.psd1");
        File.WriteAllText(path, text);
        Assert.StartsWith("SpecSyntax,", module.Invoke("Import-InferloopEnvironmentSpec $path", new { path }).Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void A_check_reports_everything_and_quiet_says_yes_or_no()
    {
        var path = Path.Combine(folder, "bad.yaml");
        File.WriteAllText(path, "name: Demo\ncolour: red\nnetwork:\n  publicSubnet2Cidr: 10.0.1.0/24\necs:\n  desiredTasks: 50\n");
        var rules = module.Invoke("Test-InferloopEnvironmentSpec -Path $path", new { path }).EnsureSuccess().Output.Select(f => (string)f.Properties["Rule"].Value).ToHashSet();
        Assert.Superset(new HashSet<string> { "NamePattern", "SpecUnknownKey", "CidrOverlap", "TaskRange" }, rules);
        Assert.False(module.Invoke("Test-InferloopEnvironmentSpec -Path $path -Quiet").Single<bool>());
        Assert.True(module.Invoke("New-InferloopEnvironmentSpec demo | Test-InferloopEnvironmentSpec -Quiet").Single<bool>());
    }

    [Fact]
    public void The_parameters_are_the_members_of_a_spec()
    {
        var parameters = typeof(SpecParameters).GetProperties().Select(p => p.Name).Except(["Tags"]).Order(StringComparer.Ordinal);
        Assert.Equal(SpecMembers.All.Select(m => m.Name).Except(["Name", "Stage", "Region"]).Order(StringComparer.Ordinal), parameters);
        foreach (var member in SpecMembers.All.Where(m => m.Name is not ("Name" or "Stage" or "Region")))
        {
            var type = typeof(SpecParameters).GetProperty(member.Name)!.PropertyType;
            Assert.Equal(member.Type, Nullable.GetUnderlyingType(type) ?? type);
        }
    }

    [Fact]
    public void The_views_fit_100_columns_and_say_what_matters()
    {
        using var own = new ModuleFixture();
        own.Invoke("New-InferloopEnvironmentSpec demo Prod -RecoveryRegion us-west-2 3>$null | Out-Default").EnsureSuccess();
        var text = own.Host.Shown();
        Assert.Contains("us-east-1, recovery in us-west-2", text, StringComparison.Ordinal);
        Assert.Contains("10.0.0.0/16", text, StringComparison.Ordinal);
        Assert.All(text.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100, line));
    }
}
