using System.Text.Json.Nodes;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.TemplateChecks;

/// <summary>Test-, Export- and Compare- as a user runs them.</summary>
public sealed class TemplateCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-templates-").FullName;

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Anyones_templates_go_down_the_pipeline_and_come_back_as_findings_with_places()
    {
        File.WriteAllText(Path.Combine(folder, "one.yaml"), "Resources:\n  A:\n    Type: AWS::SNS::Topic\n    Properties:\n      DisplayNam: x\n");
        File.WriteAllText(Path.Combine(folder, "two.json"), """{ "Resources": { "A": { "Type": "AWS::SNS::Topc" } } }""");
        var found = module.Invoke("Get-InferloopSandbox; [System.IO.DirectoryInfo]::new($folder).GetFiles() | Test-InferloopTemplate", new { folder }).EnsureSuccess().Output;
        Assert.Equal([("one.yaml", "UnknownProperty", 5, 7), ("two.json", "UnknownResourceType", 1, 33)],
            found.Select(f => (Path.GetFileName((string)f.Properties["File"].Value), (string)f.Properties["Rule"].Value, (int)f.Properties["Line"].Value, (int)f.Properties["Column"].Value)));
        Assert.False(module.Invoke("Test-InferloopTemplate \"$folder/*.yaml\" -Quiet").Single<bool>());
        Assert.Empty(module.Invoke("Test-InferloopTemplate \"$folder/*\" -Rule Alarm*").EnsureSuccess().Output);
        Assert.True(module.Invoke("Test-InferloopTemplate -Quiet").Single<bool>());
        Assert.StartsWith("FileNotFound", module.Invoke("Test-InferloopTemplate nowhere.yaml").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Templates_are_exported_as_they_are_with_the_parameters_of_a_spec()
    {
        var exported = module.Invoke("New-InferloopEnvironmentSpec demo Prod -Region eu-west-1 | Export-InferloopTemplate \"$folder/out\"", new { folder }).Single();
        Assert.False((bool)exported.Properties["Packaged"].Value);
        Assert.True(File.Exists(Path.Combine(folder, "out", "network.yaml")));
        var parameters = JsonNode.Parse(File.ReadAllText((string)exported.Properties["ParameterFile"].Value))!.AsArray().ToDictionary(p => (string)p!["ParameterKey"]!, p => (string)p!["ParameterValue"]!);
        Assert.Equal(("demo", "prod", "PerAz"), (parameters["EnvironmentName"], parameters["Stage"], parameters["NatGatewayMode"]));
        Assert.True(module.Invoke("Test-InferloopTemplate \"$folder/out/main.yaml\" -Quiet").Single<bool>());
        Assert.StartsWith("TemplateFileExists", module.Invoke("New-InferloopEnvironmentSpec demo | Export-InferloopTemplate \"$folder/out\"").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
        module.Invoke("New-InferloopEnvironmentSpec demo | Export-InferloopTemplate \"$folder/out\" -Force").EnsureSuccess();
    }

    [Fact]
    public async Task A_packaged_export_is_deployed_by_the_aws_cli()
    {
        var aws = ExternalTool.Require("aws");
        module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();
        var environment = ((System.Collections.IDictionary)module.Invoke("(Get-InferloopSandbox).GetEnvironmentVariables()").Single().BaseObject)
            .Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value?.ToString());
        var stop = TestContext.Current.CancellationToken;
        var made = await ExternalTool.RunAsync(aws, ["s3api", "create-bucket", "--bucket", "deploy-me"], environment, stop);
        Assert.True(made.ExitCode == 0, made.Error);
        var exported = module.Invoke("New-InferloopEnvironmentSpec demo Dev -Region us-east-1 | Export-InferloopTemplate \"$folder/out\" -Bucket deploy-me", new { folder }).Single();
        var command = Assert.IsAssignableFrom<System.Collections.IEnumerable>(exported.Properties["Commands"].Value).Cast<string>().Single();
        var deployed = await ExternalTool.RunAsync("/bin/sh", ["-c", $"cd '{folder}/out' && {command}"], environment, stop);
        Assert.True(deployed.ExitCode == 0, deployed.Output + deployed.Error);
        Assert.Equal("CREATE_COMPLETE", module.Invoke("(Get-InferloopEnvironment demo -SkipHealth).Status").Single<string>());
    }

    [Fact]
    public void Two_environments_and_a_spec_and_what_is_deployed_are_compared()
    {
        module.Invoke("Start-InferloopSandbox -ClockRate 3600; New-InferloopEnvironment alpha Dev -ServiceVersion 1.0.0 -ContainerImage inferloop/synthdata:1; New-InferloopEnvironment beta Dev -ServiceVersion 2.0.0 -ContainerImage inferloop/synthdata:2 -NatGatewayMode PerAz").EnsureSuccess();
        var found = module.Invoke("Compare-InferloopEnvironment alpha beta").EnsureSuccess().Output;
        string Of(System.Management.Automation.PSObject d) => $"{d.Properties["Kind"].Value} {d.Properties["Path"].Value} {d.Properties["Reference"].Value} {d.Properties["Difference"].Value}";
        var lines = found.Select(Of).ToList();
        Assert.Contains("Spec network.natGatewayMode Single PerAz", lines);
        Assert.Contains("Resource Network/NatGateway2  AWS::EC2::NatGateway", lines);
        Assert.Contains(lines, l => l.StartsWith("Version Ecs/TaskDefinition.ContainerDefinitions", StringComparison.Ordinal) && l.EndsWith("inferloop/synthdata:1 inferloop/synthdata:2", StringComparison.Ordinal));

        // Names, and what is made from them, are no difference.
        Assert.DoesNotContain(lines, l => l.Contains("alpha", StringComparison.Ordinal));
        Assert.Empty(module.Invoke("$e = Get-InferloopEnvironment alpha; $e | Compare-InferloopEnvironment -Spec $e.Spec").EnsureSuccess().Output);
        Assert.Contains("Spec ecs.maximumTasks", string.Join('\n', module.Invoke("$e | Compare-InferloopEnvironment -Spec (New-InferloopEnvironmentSpec alpha Dev -MaximumTasks 9 -ServiceVersion 1.0.0 -ContainerImage inferloop/synthdata:1)").EnsureSuccess().Output.Select(Of)), StringComparison.Ordinal);
        Assert.StartsWith("CompareWithWhat", module.Invoke("Compare-InferloopEnvironment alpha").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
    }
}
