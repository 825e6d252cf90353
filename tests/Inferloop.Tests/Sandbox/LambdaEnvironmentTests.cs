using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.Lambda;

namespace Inferloop.Tests.Sandbox;

/// <summary>The function of an environment without ECS, called by what is to call it, and by nothing else.</summary>
public sealed class LambdaEnvironmentTests : IAsyncLifetime
{
    private const string Function = "inferloop-demo-dev-process";

    private static readonly (string, string)[] s_plain = [("LambdaEnabled", "true"), ("EcsEnabled", "false"), ("DatabaseEnabled", "false"), ("CacheEnabled", "false"), ("RotationEnabled", "false"), ("LambdaHttpApi", "false"), ("LambdaTableTrigger", "false")];

    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600 });

    public ValueTask InitializeAsync() => sandbox.InitializeAsync();

    public ValueTask DisposeAsync() => sandbox.DisposeAsync();

    [Fact]
    public async Task Objects_and_schedules_call_the_function_while_they_are_switched_on()
    {
        await PlatformStack.CreateAsync(sandbox, [.. s_plain.Where(p => p.Item1 is not ("LambdaHttpApi" or "LambdaTableTrigger")), ("LambdaBucketTrigger", "true"), ("LambdaHttpApi", "true"), ("LambdaTableTrigger", "true")]);
        var bucket = await OutputAsync("BucketName");
        Assert.Single((await CallAsync("apigatewayv2", "GetApis", [])).Objects("Items"));
        Assert.Single((await CallAsync("lambda", "ListEventSourceMappings", new JsonObject { ["FunctionName"] = Function + ":live" })).Objects("EventSourceMappings"));

        await PutAsync(bucket, "output/result.csv");
        await PutAsync(bucket, "input/data.csv");
        var first = await CloudFormationCaller.UntilAsync(() => Task.FromResult(Invocations()), found => found.Count > 0);

        // What lies elsewhere did not call it: the trap by which a function calls itself.
        Assert.Contains("input/data.csv", Assert.Single(first).Required("Payload"), StringComparison.Ordinal);
        Assert.Equal("1", first[0].Text("Version"));

        await PlatformStack.UpdateAsync(sandbox, [.. s_plain, ("LambdaBucketTrigger", "false"), ("LambdaSchedule", "rate(5 minutes)"), ("LambdaRelease", "2")]);
        Assert.Empty((await CallAsync("apigatewayv2", "GetApis", [])).Objects("Items"));
        Assert.Empty((await CallAsync("lambda", "ListEventSourceMappings", new JsonObject { ["FunctionName"] = Function + ":live" })).Objects("EventSourceMappings"));
        await PutAsync(bucket, "input/unseen.csv");
        var later = await CloudFormationCaller.UntilAsync(() => Task.FromResult(Invocations()), found => found.Count > first.Count + 1);
        Assert.All(later.Skip(first.Count), i => Assert.Contains("inferloop.schedule", i.Required("Payload"), StringComparison.Ordinal));
        Assert.All(later.Skip(first.Count), i => Assert.Equal("2", i.Text("Version")));

        // The environment goes on without its function.
        await PlatformStack.UpdateAsync(sandbox, [.. s_plain.Select(p => p.Item1 == "LambdaEnabled" ? (p.Item1, "false") : p)]);
        Assert.Empty((await CallAsync("lambda", "ListFunctions", [])).Objects("Functions"));
        Assert.Empty(sandbox.Host.Statistics.InternalErrors);
    }

    [Fact]
    public async Task What_fails_again_and_again_ends_in_the_dead_letter_queue_with_its_reason()
    {
        await PlatformStack.CreateAsync(sandbox, [.. s_plain, ("LambdaBucketTrigger", "true")]);
        await CallAsync("lambda", "TagResource", new JsonObject { ["Resource"] = await OutputAsync("LambdaFunctionArn"), ["Tags"] = new JsonObject { ["inferloop:sandbox-behaviour"] = "outcome=error error=ValueError" } });
        await PutAsync(await OutputAsync("BucketName"), "input/broken.csv");
        var queue = await OutputAsync("LambdaDeadLetterQueueUrl");
        var message = (await CloudFormationCaller.UntilAsync(
            async () => (await CallAsync("sqs", "ReceiveMessage", new JsonObject { ["QueueUrl"] = queue })).Objects("Messages").ToList(), found => found.Count > 0)).Single();
        var body = JsonNode.Parse(message.Required("Body"))!;
        Assert.Equal("RetriesExhausted", (string?)body["requestContext"]!["condition"]);
        Assert.Equal(3, (int)body["requestContext"]!["approximateInvokeCount"]!);
        Assert.Equal("input/broken.csv", (string?)body["requestPayload"]!["detail"]!["object"]!["key"]);
        Assert.Equal("ValueError", (string?)body["responsePayload"]!["errorType"]);
        Assert.Equal(3, Invocations().Count);
    }

    private RequestContext Context => sandbox.Host.Runtime.SystemContext(sandbox.Host.AccountId, "us-east-1");

    private Task<JsonObject> CallAsync(string service, string operation, JsonObject input) => sandbox.Host.Runtime.Service(service)!.InvokeAsync(Context, operation, input);

    private async Task PutAsync(string bucket, string key) => (await new SandboxClient(sandbox.Host).SendAsync("s3", HttpMethod.Put, $"/{bucket}/{key}", "a,b"u8.ToArray())).EnsureSuccess();

    private IReadOnlyList<JsonObject> Invocations() => sandbox.Host.Runtime.Service<LambdaService>().Invocations(Context, Function);

    private async Task<string> OutputAsync(string key) => (await CallAsync("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = PlatformStack.Name }))["Stacks"]![0]!["Outputs"]!.AsArray()
        .Single(o => (string?)o!["OutputKey"] == key)!["OutputValue"]!.GetValue<string>();
}
