using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Stacks in process on the shared sandbox: created, looked at for drift, changed, removed.</summary>
public abstract class StackTypesBase(SandboxFixture sandbox)
{
    /// <summary>Where the stacks are made; a region of its own keeps a test apart from the others.</summary>
    protected virtual string Region => "ap-southeast-2";

    private RequestContext Context => sandbox.Host.Runtime.SystemContext(sandbox.Host.AccountId, Region);

    protected async Task<JsonObject> Call(string service, string operation, JsonObject input) =>
        await sandbox.Host.Runtime.Service(service)!.InvokeAsync(Context, operation, input);

    protected async Task<string> Wait(string stack)
    {
        var end = sandbox.Host.Clock.Now + TimeSpan.FromHours(12);
        while (true)
        {
            Assert.True(sandbox.Host.Clock.Now < end, "The stack is not done within twelve hours of sandbox time: " + string.Join(", ", (await Call("cloudformation", "DescribeStackResources", new JsonObject { ["StackName"] = stack }))["StackResources"]!.AsArray()
                .Where(item => ((string)item!["ResourceStatus"]!).EndsWith("_IN_PROGRESS", StringComparison.Ordinal)).Select(item => $"{item!["LogicalResourceId"]} {item["ResourceStatus"]}")));
            var described = (await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = stack }))["Stacks"]![0]!;
            var status = (string)described["StackStatus"]!;
            if (!status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
            {
                return status;
            }
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
    }

    protected async Task<string> Reasons(string stack) => string.Join("\n", (await Call("cloudformation", "DescribeStackEvents", new JsonObject { ["StackName"] = stack }))["StackEvents"]!.AsArray()
        .Where(item => ((string?)item!["ResourceStatus"])!.Contains("FAILED", StringComparison.Ordinal)).Select(item => $"{item!["LogicalResourceId"]}: {item["ResourceStatusReason"]}"));

    /// <summary>Creates a stack and gives its outputs.</summary>
    protected async Task<Dictionary<string, string>> Create(string name, string template)
    {
        await Call("cloudformation", "CreateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = template, ["Capabilities"] = new JsonArray("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM") });
        Assert.True(await Wait(name) == "CREATE_COMPLETE", await Reasons(name));
        return await Outputs(name);
    }

    protected async Task<Dictionary<string, string>> Outputs(string name) =>
        ((await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = name }))["Stacks"]![0]!["Outputs"]?.AsArray() ?? [])
            .ToDictionary(output => (string)output!["OutputKey"]!, output => (string)output!["OutputValue"]!);

    protected async Task Update(string name, string template)
    {
        await Call("cloudformation", "UpdateStack", new JsonObject { ["StackName"] = name, ["TemplateBody"] = template, ["Capabilities"] = new JsonArray("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM") });
        Assert.True(await Wait(name) == "UPDATE_COMPLETE", await Reasons(name));
    }

    protected async Task Delete(string name)
    {
        var id = (string)(await Call("cloudformation", "DescribeStacks", new JsonObject { ["StackName"] = name }))["Stacks"]![0]!["StackId"]!;
        await Call("cloudformation", "DeleteStack", new JsonObject { ["StackName"] = name });
        Assert.True(await Wait(id) == "DELETE_COMPLETE", await Reasons(id));
    }

    protected async Task<List<string>> Drifted(string stack)
    {
        var detection = (string)(await Call("cloudformation", "DetectStackDrift", new JsonObject { ["StackName"] = stack }))["StackDriftDetectionId"]!;
        while ((string?)(await Call("cloudformation", "DescribeStackDriftDetectionStatus", new JsonObject { ["StackDriftDetectionId"] = detection }))["DetectionStatus"] == "DETECTION_IN_PROGRESS")
        {
            await sandbox.Host.Clock.DelayAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        }
        var drifts = (await Call("cloudformation", "DescribeStackResourceDrifts", new JsonObject { ["StackName"] = stack }))["StackResourceDrifts"]!.AsArray();
        return drifts.Where(drift => (string?)drift!["StackResourceDriftStatus"] is "MODIFIED" or "DELETED")
            .Select(drift => $"{drift!["LogicalResourceId"]} {drift["StackResourceDriftStatus"]} {drift["PropertyDifferences"]?.ToJsonString()}").ToList();
    }
}
