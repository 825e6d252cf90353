using System.Xml.Linq;

namespace Inferloop.Tests.Sandbox;

/// <summary>CloudFormation over the wire, and waiting for stacks to come to rest.</summary>
internal sealed class CloudFormationCaller(SandboxFixture sandbox)
{
    private const string Version = "2010-05-15";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SandboxClient client = new(sandbox.Host);

    public static string NewName(string prefix) => $"{prefix}-{Guid.NewGuid():N}"[..24];

    public Task<SandboxAnswer> CallAsync(string action, params (string, string)[] parameters) => client.QueryAsync("cloudformation", Version, action, parameters);

    public async Task<string> CreateAsync(string name, string template, params (string, string)[] more)
    {
        var answer = await CallAsync("CreateStack", [("StackName", name), ("TemplateBody", template), .. more]);
        return answer.EnsureSuccess().Value("StackId")!;
    }

    public async Task<string> CreateAndWaitAsync(string name, string template, params (string, string)[] more)
    {
        var id = await CreateAsync(name, template, more);
        Assert.Equal("CREATE_COMPLETE", await WaitAsync(id));
        return id;
    }

    public async Task<string> UpdateAndWaitAsync(string name, string template, params (string, string)[] more)
    {
        (await CallAsync("UpdateStack", [("StackName", name), ("TemplateBody", template), .. more])).EnsureSuccess();
        return await WaitAsync(name);
    }

    public async Task<string> DeleteAndWaitAsync(string id)
    {
        (await CallAsync("DeleteStack", ("StackName", id))).EnsureSuccess();
        return await WaitAsync(id);
    }

    public async Task<SandboxAnswer> DescribeAsync(string nameOrId) => (await CallAsync("DescribeStacks", ("StackName", nameOrId))).EnsureSuccess();

    public async Task<string> StatusAsync(string nameOrId) => (await DescribeAsync(nameOrId)).Value("StackStatus")!;

    /// <summary>The status a stack comes to rest in.</summary>
    public Task<string> WaitAsync(string nameOrId) =>
        UntilAsync(() => StatusAsync(nameOrId), status => !status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal));

    public static async Task<T> UntilAsync<T>(Func<Task<T>> ask, Func<T, bool> holds)
    {
        var end = DateTimeOffset.UtcNow + Patience;
        while (true)
        {
            var answer = await ask();
            if (holds(answer))
            {
                return answer;
            }
            Assert.True(DateTimeOffset.UtcNow < end, $"still {answer} after {Patience.TotalSeconds} s");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>All events of a stack, oldest first: logical id, status, reason.</summary>
    public async Task<IReadOnlyList<(string LogicalId, string Status, string? Reason, string? PhysicalId)>> EventsAsync(string nameOrId)
    {
        var events = new List<(string, string, string?, string?)>();
        string? token = null;
        do
        {
            var page = (await CallAsync("DescribeStackEvents", token is null ? [("StackName", nameOrId)] : [("StackName", nameOrId), ("NextToken", token)])).EnsureSuccess();
            events.AddRange(page.All("StackEvents").Single().Elements().Select(item => (Of(item, "LogicalResourceId")!, Of(item, "ResourceStatus")!, Of(item, "ResourceStatusReason"), Of(item, "PhysicalResourceId"))));
            token = page.Value("NextToken");
        }
        while (token is not null);
        events.Reverse();
        return events;
    }

    public async Task<IReadOnlyDictionary<string, (string Status, string? PhysicalId)>> ResourcesAsync(string nameOrId) =>
        (await CallAsync("DescribeStackResources", ("StackName", nameOrId))).EnsureSuccess().All("StackResources").Single().Elements()
            .ToDictionary(item => Of(item, "LogicalResourceId")!, item => (Of(item, "ResourceStatus")!, Of(item, "PhysicalResourceId")));

    public async Task<SandboxAnswer> ChangeSetAsync(string stack, string name, string template, string type, params (string, string)[] more)
    {
        (await CallAsync("CreateChangeSet", [("StackName", stack), ("ChangeSetName", name), ("TemplateBody", template), ("ChangeSetType", type), .. more])).EnsureSuccess();
        await UntilAsync(async () => (await CallAsync("DescribeChangeSet", ("StackName", stack), ("ChangeSetName", name))).EnsureSuccess().Value("Status"), status => status is "CREATE_COMPLETE" or "FAILED");
        return (await CallAsync("DescribeChangeSet", ("StackName", stack), ("ChangeSetName", name), ("IncludePropertyValues", "true"))).EnsureSuccess();
    }

    public static string? Of(XElement parent, string name) => parent.Elements().FirstOrDefault(element => element.Name.LocalName == name)?.Value;
}
