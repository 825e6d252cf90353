using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>The platform's own templates on the sandbox: they come up, are what they say, and leave nothing behind.</summary>
public sealed class EnvironmentStackTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600 });

    public ValueTask InitializeAsync() => sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    [Theory]
    [InlineData]
    [InlineData("BatchEnabled")]
    [InlineData("LambdaEnabled", "LambdaHttpApi", "LambdaBucketTrigger", "LambdaTableTrigger")]
    [InlineData("EksEnabled")]
    public async Task The_environment_is_created_without_drift_changed_and_removed(params string[] switches)
    {
        var cloudFormation = new CloudFormationCaller(sandbox);
        var id = await PlatformStack.CreateAsync(sandbox, switches.Select(name => (name, "true")));

        var stacks = await PlatformStack.ListAsync(cloudFormation);
        Assert.True(stacks.Count >= 6);
        foreach (var stack in stacks)
        {
            var detection = (await cloudFormation.CallAsync("DetectStackDrift", ("StackName", stack))).EnsureSuccess().Value("StackDriftDetectionId")!;
            var done = await CloudFormationCaller.UntilAsync(async () => (await cloudFormation.CallAsync("DescribeStackDriftDetectionStatus", ("StackDriftDetectionId", detection))).EnsureSuccess(), answer => answer.Value("DetectionStatus") != "DETECTION_IN_PROGRESS");
            Assert.True(done.Value("StackDriftStatus") == "IN_SYNC", $"{stack}: {(await cloudFormation.CallAsync("DescribeStackResourceDrifts", ("StackName", stack), ("StackResourceDriftStatusFilters.member.1", "MODIFIED"), ("StackResourceDriftStatusFilters.member.2", "DELETED"))).Text}");
        }

        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
        foreach (var stack in stacks)
        {
            Assert.Equal("DELETE_COMPLETE", await cloudFormation.StatusAsync(stack));
        }
        Assert.Empty(sandbox.Host.Statistics.InternalErrors);
    }
}
