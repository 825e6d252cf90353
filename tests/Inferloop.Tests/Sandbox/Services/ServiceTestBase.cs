using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>A sandbox in process on a stepped clock: time passes when a test says so.</summary>
public abstract class ServiceTestBase : IDisposable
{
    private readonly SandboxRuntime runtime = new(new SandboxOptions { ClockRate = 0, Seed = 1 });

    private protected SandboxRuntime Runtime => runtime;

    private protected RequestContext Context => runtime.SystemContext("123456789012", "us-east-1");

    /// <summary>Calls an operation of a service by model name.</summary>
    protected async Task<JsonObject> Call(string service, string operation, string input = "{}") =>
        await runtime.Service(service)!.InvokeAsync(Context, operation, (JsonObject)JsonNode.Parse(input)!);

    /// <summary>Calls an operation that must fail, and gives its error.</summary>
    private protected async Task<ServiceFault> Fails(string service, string operation, string input) =>
        await Assert.ThrowsAsync<ServiceFault>(() => Call(service, operation, input));

    /// <summary>Lets sandbox time pass.</summary>
    protected void Pass(TimeSpan time) => runtime.Clock.Advance(time);

    /// <summary>Creates a resource of a CloudFormation type, moving the clock until it is ready.</summary>
    private protected async Task<ProvisionedResource> Provision(string type, string properties, string logicalId = "Thing") =>
        await Complete(Provider(type).CreateAsync(Provisioning(logicalId), (JsonObject)JsonNode.Parse(properties)!));

    private protected ResourceProvider Provider(string type) => runtime.Provider(type) ?? throw new InvalidOperationException($"No provider for {type}");

    private protected ProvisionContext ProvisioningIn(string region) => Provisioning("Thing", region);

    private protected ProvisionContext Provisioning(string logicalId = "Thing", string region = "us-east-1") => new()
    {
        Request = Context.InRegion(region),
        StackName = "stack",
        StackId = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/1",
        LogicalId = logicalId,
        ClientToken = "token",
        StackTags = new Dictionary<string, string> { ["aws:cloudformation:stack-name"] = "stack" },
    };

    /// <summary>Moves the clock, step by step, until the work is done.</summary>
    protected async Task<T> Complete<T>(Task<T> work)
    {
        await Complete((Task)work);
        return await work;
    }

    protected async Task Complete(Task work)
    {
        var end = runtime.Clock.Now + TimeSpan.FromHours(6);
        while (!work.IsCompleted)
        {
            Assert.True(runtime.Clock.Now < end, "The work was not done within six hours of sandbox time.");
            Pass(TimeSpan.FromSeconds(1));
            await Task.WhenAny(work, Task.Delay(1, TestContext.Current.CancellationToken));
        }
        await work;
    }

    public void Dispose()
    {
        runtime.Dispose();
        GC.SuppressFinalize(this);
    }
}
