using System.Text;
using System.Text.RegularExpressions;

namespace Inferloop.Tests.Sandbox;

/// <summary>The platform's own templates as the stack inferloop-demo-dev on a sandbox.</summary>
internal static partial class PlatformStack
{
    public const string Name = "inferloop-demo-dev";

    /// <summary>Uploads the templates and makes the environment; gives the id of the root stack.</summary>
    public static async Task<string> CreateAsync(SandboxFixture sandbox, IEnumerable<(string Name, string Value)> parameters)
    {
        var client = new SandboxClient(sandbox.Host);
        (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test")).EnsureSuccess();
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks"), "*.yaml"))
        {
            var text = NestedUrl().Replace(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), "TemplateURL: https://templates-of-the-test.s3.us-east-1.amazonaws.com/$1");
            (await client.SendAsync("s3", HttpMethod.Put, "/templates-of-the-test/" + Path.GetFileName(file), Encoding.UTF8.GetBytes(text))).EnsureSuccess();
        }

        var cloudFormation = new CloudFormationCaller(sandbox);
        var id = (await cloudFormation.CallAsync("CreateStack", Request(parameters))).EnsureSuccess().Value("StackId")!;
        await SettledAsync(cloudFormation, id, "CREATE_COMPLETE");
        return id;
    }

    /// <summary>Gives the environment other parameters.</summary>
    public static async Task UpdateAsync(SandboxFixture sandbox, IEnumerable<(string Name, string Value)> parameters)
    {
        var cloudFormation = new CloudFormationCaller(sandbox);
        (await cloudFormation.CallAsync("UpdateStack", Request(parameters))).EnsureSuccess();
        await SettledAsync(cloudFormation, Name, "UPDATE_COMPLETE");
    }

    public static async Task<IReadOnlyList<string>> ListAsync(CloudFormationCaller cloudFormation) =>
        (await cloudFormation.CallAsync("ListStacks")).EnsureSuccess().All("StackId").Select(item => item.Value).ToList();

    private static (string, string)[] Request(IEnumerable<(string Name, string Value)> parameters) =>
    [
        ("StackName", Name), ("TemplateURL", "https://templates-of-the-test.s3.us-east-1.amazonaws.com/main.yaml"), ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"), ("Capabilities.member.2", "CAPABILITY_AUTO_EXPAND"),
        .. new[] { ("EnvironmentName", "demo"), ("Stage", "dev"), ("DeletionProtection", "false"), ("RetainData", "false") }.Concat(parameters)
            .SelectMany((pair, index) => new[] { ($"Parameters.member.{index + 1}.ParameterKey", pair.Item1), ($"Parameters.member.{index + 1}.ParameterValue", pair.Item2) }),
    ];

    private static async Task SettledAsync(CloudFormationCaller cloudFormation, string id, string expected)
    {
        var status = await cloudFormation.WaitAsync(id);
        Assert.True(status == expected, $"{status}: {(await cloudFormation.DescribeAsync(id)).Value("StackStatusReason")}\n{await FailuresAsync(cloudFormation)}");
    }

    private static async Task<string> FailuresAsync(CloudFormationCaller cloudFormation)
    {
        var text = new StringBuilder();
        foreach (var stack in await ListAsync(cloudFormation))
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
