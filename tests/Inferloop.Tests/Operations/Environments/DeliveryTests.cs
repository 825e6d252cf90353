using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services.CodePipeline;
using Inferloop.Tests.PowerShell;
using Inferloop.Tests.Sandbox;
using Inferloop.Tests.Stacks;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>From a push to the service: what the pipeline's builds run, and what a release does to the environment.</summary>
public sealed class DeliveryTests : IDisposable
{
    private readonly ModuleFixture module = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
    }

    [Theory]
    [InlineData("Pipeline/BuildProject")]
    [InlineData("Pipeline/ReleaseProject")]
    public async Task What_builds_run_is_a_buildspec_of_commands_that_bash_can_read(string project)
    {
        var bash = ExternalTool.Require("bash");
        var commands = await CommandsAsync(project);
        Assert.NotEmpty(commands);
        foreach (var command in commands)
        {
            var read = await ExternalTool.RunAsync(bash, ["-n", "-c", command], cancellation: Stop);
            Assert.True(read.ExitCode == 0 && read.Error.Length == 0, $"{command}\n{read.Error}");
        }
    }

    [Fact]
    public async Task A_release_sets_the_image_and_one_that_fails_leaves_the_image_before()
    {
        var (bash, _) = (ExternalTool.Require("bash"), ExternalTool.Require("aws"));
        module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();
        module.Invoke("New-InferloopEnvironment demo Dev -PipelineRepository acme/synthdata -DatabaseEnabled $false -CacheEnabled $false -MonitoringEnabled $false").EnsureSuccess();
        var environment = Variables();
        var script = string.Join('\n', await CommandsAsync("Pipeline/ReleaseProject"));
        Task<ToolResult> Release(string image, string build) =>
            ExternalTool.RunAsync(bash, ["-c", script], new Dictionary<string, string?>(environment) { ["STACK_NAME"] = "inferloop-demo-dev", ["IMAGE_URI"] = image, ["CODEBUILD_BUILD_NUMBER"] = build }, Stop);
        string Runs() => module.Invoke("(Get-InferloopEnvironment demo -SkipHealth).Spec.Application.ContainerImage").Single<string>();

        Assert.Contains("runs inferloop/synthdata:2.0 already", (await Set("inferloop/synthdata:2.0", "1", Release)).Output, StringComparison.Ordinal);
        Assert.Equal("inferloop/synthdata:2.0", Runs());
        Assert.Equal("0", module.Invoke("\"$(@(Get-InferloopDrift demo).Count)\"").Single<string>());

        // Nothing of that name was ever pushed: tasks cannot start, the circuit breaker gives up, and the stack goes back.
        var failed = await Release("123456789012.dkr.ecr.us-east-1.amazonaws.com/inferloop/demo-dev:absent", "3");
        Assert.True(failed.ExitCode == 1, failed.Output + failed.Error);
        Assert.Contains("is back at inferloop/synthdata:2.0", failed.Output, StringComparison.Ordinal);
        Assert.Contains("Service", failed.Output, StringComparison.Ordinal);
        Assert.Equal("inferloop/synthdata:2.0", Runs());
        Assert.Equal("Healthy", module.Invoke("\"$((Get-InferloopEnvironment demo).Health)\"").Single<string>());

        static async Task<ToolResult> Set(string image, string build, Func<string, string, Task<ToolResult>> release)
        {
            var first = await release(image, build);
            Assert.True(first.ExitCode == 0, first.Output + first.Error);
            return await release(image, build + "1");
        }
    }

    [Fact]
    public async Task The_pipeline_asks_before_it_releases_where_that_is_wanted()
    {
        var aws = ExternalTool.Require("aws");
        module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();
        var created = module.Invoke("New-InferloopEnvironment demo Dev -PipelineRepository acme/synthdata -PipelineApproval $true -DatabaseEnabled $false -CacheEnabled $false -MonitoringEnabled $false").EnsureSuccess();
        Assert.Contains(created.Warnings, w => w.Contains("authorise its connection to GitHub", StringComparison.Ordinal));
        var outputs = module.Invoke("$o = (Get-InferloopEnvironment demo -SkipHealth).Outputs; $o['PipelineName'], $o['RepositoryUri'], $o['PipelineConnectionArn']").EnsureSuccess().Output.Select(o => o.ToString()).ToList();
        Assert.EndsWith("/inferloop/demo-dev", outputs[1], StringComparison.Ordinal);
        Assert.Contains(":connection/", outputs[2], StringComparison.Ordinal);

        Assert.Equal("Source Build Approve Release", await StagesAsync());
        module.Invoke("Set-InferloopEnvironment demo -PipelineApproval $false -Confirm:$false").EnsureSuccess();
        Assert.Equal("Source Build Release", await StagesAsync());

        async Task<string> StagesAsync() => string.Join(' ', (await ExternalTool.RunAsync(
            aws, ["codepipeline", "get-pipeline", "--name", outputs[0], "--query", "pipeline.stages[].name", "--output", "text"], Variables(), Stop)).EnsureSuccess().Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task An_approval_that_waits_and_a_pipeline_that_fails_are_told()
    {
        await using var harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
        var spec = EnvironmentHarness.Spec with
        {
            Database = new() { DatabaseEnabled = false }, Cache = new() { CacheEnabled = false }, Monitoring = new() { MonitoringEnabled = false },
            Delivery = new() { PipelineEnabled = true, PipelineRepository = "acme/synthdata", PipelineApproval = true },
        };
        var environment = await harness.Operator().CreateAsync(spec, cancellation: Stop);
        var client = new SandboxClient(harness.Host);
        var queue = JsonNode.Parse((await client.JsonAsync("sqs", "AmazonSQS.CreateQueue", """{"QueueName":"people"}""")).EnsureSuccess().Text)!["QueueUrl"]!.ToString();
        foreach (var topic in new[] { "information", "warning" })
        {
            (await client.QueryAsync("sns", "2010-03-31", "Subscribe", ("TopicArn", $"arn:aws:sns:us-east-1:123456789012:demo-dev-{topic}"), ("Protocol", "sqs"), ("Endpoint", "arn:aws:sqs:us-east-1:123456789012:people"))).EnsureSuccess();
        }

        // The connection waits for somebody at GitHub: the source stage fails, and the operations team is told.
        await StartAsync();
        var told = await ToldAsync();
        Assert.Equal(("FAILED", "demo-dev"), (told["state"]!.ToString(), told["pipeline"]!.ToString()));

        Assert.True(harness.Host.Runtime.Service<CodeConnectionsService>().Complete(harness.Host.Runtime.SystemContext(harness.Host.AccountId, "us-east-1"), environment.Outputs["PipelineConnectionArn"]));
        await StartAsync();
        told = await ToldAsync();
        Assert.Equal(("STARTED", "Approve", "Approval"), (told["state"]!.ToString(), told["action"]!.ToString(), told["type"]!["category"]!.ToString()));
        Assert.Empty(harness.Host.Statistics.InternalErrors);

        async Task StartAsync() => (await client.JsonAsync("codepipeline", "CodePipeline_20150709.StartPipelineExecution", """{"name":"demo-dev"}""")).EnsureSuccess();

        async Task<JsonNode> ToldAsync()
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            while (true)
            {
                var answer = JsonNode.Parse((await client.JsonAsync("sqs", "AmazonSQS.ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","MaxNumberOfMessages":1,"VisibilityTimeout":43000}""")).EnsureSuccess().Text)!;
                if (answer["Messages"]?.AsArray().FirstOrDefault() is { } message)
                {
                    return JsonNode.Parse(JsonNode.Parse(message["Body"]!.ToString())!["Message"]!.ToString())!["detail"]!;
                }

                await Task.Delay(20, limit.Token);
            }
        }
    }

    private Dictionary<string, string?> Variables() => ((System.Collections.IDictionary)module.Invoke("(Get-InferloopSandbox).GetEnvironmentVariables()").Single().BaseObject)
        .Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value?.ToString());

    private static async Task<IReadOnlyList<string>> CommandsAsync(string project)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("PipelineEnabled", "true"), ("PipelineRepository", "acme/synthdata")]);
        var yaml = new YamlStream();
        yaml.Load(new StringReader(stack.Find(project).Text("Source.BuildSpec")!));
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        Assert.Equal("0.2", ((YamlScalarNode)root["version"]).Value);
        return ((YamlMappingNode)root["phases"]).Children.Values.OfType<YamlMappingNode>().Where(p => p.Children.ContainsKey("commands"))
            .SelectMany(p => ((YamlSequenceNode)p["commands"]).Children.OfType<YamlScalarNode>()).Select(c => c.Value!).ToList();
    }
}
