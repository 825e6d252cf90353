namespace Inferloop.Tests.Stacks;

/// <summary>AWS's own checker has nothing to say about the shipped templates, not even by way of information.</summary>
public sealed class CfnLintTests
{
    [Fact]
    public async Task Reports_nothing_on_any_template_in_any_of_three_regions()
    {
        var tool = ExternalTool.Require("cfn-lint");
        string[] arguments = ["-c", "I", "--regions", "us-east-1", "us-west-2", "eu-west-1", "--", .. StackFixture.Files];
        var result = await ExternalTool.RunAsync(tool, arguments, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal("", result.Output.Trim());
        result.EnsureSuccess();
    }

    [Fact]
    public async Task Would_say_so_if_a_template_were_wrong()
    {
        var tool = ExternalTool.Require("cfn-lint");
        var broken = Path.Combine(Path.GetTempPath(), $"inferloop-{Guid.NewGuid():N}.yaml");
        try
        {
            var text = await File.ReadAllTextAsync(Path.Combine(StackFixture.Folder, "ecs.yaml"), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(broken, text.Replace("TargetType: ip", "TargetType: pi", StringComparison.Ordinal), TestContext.Current.CancellationToken);
            var result = await ExternalTool.RunAsync(tool, ["-c", "I", "--", broken], cancellation: TestContext.Current.CancellationToken);
            Assert.Contains("'pi'", result.Output, StringComparison.Ordinal);
            Assert.NotEqual(0, result.ExitCode);
        }
        finally
        {
            File.Delete(broken);
        }
    }
}
