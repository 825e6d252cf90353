using System.Text;
using System.Text.RegularExpressions;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>The platform's own templates on the sandbox: they come up, are what they say, and leave nothing behind.</summary>
public sealed partial class EnvironmentStackTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600 });

    public ValueTask InitializeAsync() => sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    [Theory]
    [InlineData]
    [InlineData("BatchEnabled")]
    public async Task The_environment_is_created_without_drift_changed_and_removed(params string[] switches)
    {
        var cloudFormation = new CloudFormationCaller(sandbox);
        var client = new SandboxClient(sandbox.Host);
        (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test")).EnsureSuccess();
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks"), "*.yaml"))
        {
            var text = NestedUrl().Replace(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), "TemplateURL: https://templates-of-the-test.s3.us-east-1.amazonaws.com/$1");
            (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test/" + Path.GetFileName(file), Encoding.UTF8.GetBytes(text))).EnsureSuccess();
        }
        var parameters = new[] { ("EnvironmentName", "demo"), ("Stage", "dev"), ("DeletionProtection", "false"), ("RetainData", "false") }.Concat(switches.Select(name => (name, "true")))
            .SelectMany((pair, index) => new[] { ($"Parameters.member.{index + 1}.ParameterKey", pair.Item1), ($"Parameters.member.{index + 1}.ParameterValue", pair.Item2) });
        var created = await cloudFormation.CallAsync("CreateStack", [("StackName", "inferloop-demo-dev"), ("TemplateURL", "https://templates-of-the-test.s3.us-east-1.amazonaws.com/main.yaml"), ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"), .. parameters]);
        var id = created.EnsureSuccess().Value("StackId")!;
        var status = await cloudFormation.WaitAsync(id);
        Assert.True(status == "CREATE_COMPLETE", $"{status}: {(await cloudFormation.DescribeAsync(id)).Value("StackStatusReason")}\n{await FailuresAsync(cloudFormation)}");

        var stacks = await StacksAsync(cloudFormation);
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

    private static async Task<IReadOnlyList<string>> StacksAsync(CloudFormationCaller cloudFormation) =>
        (await cloudFormation.CallAsync("ListStacks")).EnsureSuccess().All("StackId").Select(item => item.Value).ToList();

    private static async Task<string> FailuresAsync(CloudFormationCaller cloudFormation)
    {
        var text = new StringBuilder();
        foreach (var stack in await StacksAsync(cloudFormation))
        {
            foreach (var failure in (await cloudFormation.EventsAsync(stack)).Where(item => item.Status.EndsWith("_FAILED", StringComparison.Ordinal)))
            {
                text.AppendLine($"{stack} {failure.LogicalId}: {failure.Reason}");
            }
        }
        return text.ToString();
    }

    [GeneratedRegex(@"TemplateURL: (\w+\.yaml)")]
    private static partial Regex NestedUrl();
}
