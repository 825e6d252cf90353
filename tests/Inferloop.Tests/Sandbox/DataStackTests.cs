using System.Text;
using System.Text.RegularExpressions;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>The environment with database, replicas, cache, rotation and VPN on the sandbox: comes up, without drift, and goes.</summary>
public sealed partial class DataStackTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600 });

    public ValueTask InitializeAsync() => sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    [Theory]
    [InlineData("DatabaseEnabled=true", "DatabaseReplicas=2", "CacheEnabled=true", "CacheNodes=1", "CacheMultiAz=false")]
    [InlineData("CacheEnabled=true", "CacheEngine=valkey", "CacheEngineVersion=8.0", "CacheAuthentication=users")]
    [InlineData("RotationEnabled=true", "CacheEnabled=true", "IntegrationsEnabled=true")]
    [InlineData("VpnEnabled=true", "CustomerGatewayIp=203.0.113.7", "TableBillingMode=Provisioned", "TransferAcceleration=true", "IntelligentTiering=true")]
    [InlineData("LambdaEnabled=true", "LambdaSchedule=rate(1 hour)", "LambdaProvisionedConcurrency=2", "LambdaReservedConcurrency=10", "LambdaInVpc=true", "EcsEnabled=false", "DatabaseEnabled=false", "CacheEnabled=false")]
    [InlineData("LambdaEnabled=true", "LambdaArchitecture=arm64", "LambdaHttpApi=false", "LambdaBucketTrigger=false", "LambdaTableTrigger=false", "BatchEnabled=true", "EcsEnabled=false", "BudgetAmount=200")]
    [InlineData("PipelineEnabled=true", "GitHubActionsEnabled=true", "PipelineRepository=acme/synthdata", "BatchEnabled=true", "DatabaseEnabled=false", "CacheEnabled=false")]
    public async Task Comes_up_without_drift_and_goes(params string[] given)
    {
        var cloudFormation = new CloudFormationCaller(sandbox);
        var client = new SandboxClient(sandbox.Host);
        (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test")).EnsureSuccess();
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks"), "*.yaml"))
        {
            var text = NestedUrl().Replace(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), "TemplateURL: https://templates-of-the-test.s3.us-east-1.amazonaws.com/$1");
            (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test/" + Path.GetFileName(file), Encoding.UTF8.GetBytes(text))).EnsureSuccess();
        }

        var parameters = new[] { "EnvironmentName=demo", "Stage=dev", "DeletionProtection=false", "RetainData=false" }.Concat(given).Select(p => p.Split('='))
            .SelectMany((pair, index) => new[] { ($"Parameters.member.{index + 1}.ParameterKey", pair[0]), ($"Parameters.member.{index + 1}.ParameterValue", pair[1]) });
        var created = await cloudFormation.CallAsync("CreateStack", [("StackName", "inferloop-demo-dev"), ("TemplateURL", "https://templates-of-the-test.s3.us-east-1.amazonaws.com/main.yaml"), ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"), .. parameters]);
        var id = created.EnsureSuccess().Value("StackId")!;
        var status = await cloudFormation.WaitAsync(id);
        var stacks = (await cloudFormation.CallAsync("ListStacks")).EnsureSuccess().All("StackId").Select(item => item.Value).ToList();
        var failures = new StringBuilder();
        foreach (var stack in stacks)
        {
            foreach (var failure in (await cloudFormation.EventsAsync(stack)).Where(item => item.Status.EndsWith("_FAILED", StringComparison.Ordinal)))
            {
                failures.AppendLine($"{stack} {failure.LogicalId}: {failure.Reason}");
            }
        }

        // A type that the sandbox lacks says so by its name; a misspelt one is cfn-lint's to find.
        var lacking = UnknownTypes().Match(failures.ToString());
        Assert.SkipWhen(lacking.Success, $"the sandbox has no {lacking.Groups[1].Value}");
        Assert.True(status == "CREATE_COMPLETE", $"{status}\n{failures}");
        foreach (var stack in stacks)
        {
            var detection = (await cloudFormation.CallAsync("DetectStackDrift", ("StackName", stack))).EnsureSuccess().Value("StackDriftDetectionId")!;
            var done = await CloudFormationCaller.UntilAsync(async () => (await cloudFormation.CallAsync("DescribeStackDriftDetectionStatus", ("StackDriftDetectionId", detection))).EnsureSuccess(), answer => answer.Value("DetectionStatus") != "DETECTION_IN_PROGRESS");
            Assert.True(done.Value("StackDriftStatus") == "IN_SYNC", $"{stack}: {(await cloudFormation.CallAsync("DescribeStackResourceDrifts", ("StackName", stack), ("StackResourceDriftStatusFilters.member.1", "MODIFIED"), ("StackResourceDriftStatusFilters.member.2", "DELETED"))).Text}");
        }

        Assert.Equal("DELETE_COMPLETE", await cloudFormation.DeleteAndWaitAsync(id));
        Assert.Empty(sandbox.Host.Statistics.InternalErrors);
    }

    [GeneratedRegex(@"TemplateURL: (\w+\.yaml)")]
    private static partial Regex NestedUrl();

    [GeneratedRegex(@"Resource type (\S+) is not provided by the sandbox")]
    private static partial Regex UnknownTypes();
}
