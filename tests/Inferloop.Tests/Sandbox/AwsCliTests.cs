using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox;

/// <summary>The aws CLI, a client nobody here wrote, against the sandbox.</summary>
public sealed class AwsCliTests(SandboxFixture sandbox) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-cli-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private async Task<ToolResult> AwsAsync(params string[] arguments)
    {
        var result = await ExternalTool.RunAsync(ExternalTool.Require("aws"), [.. arguments, "--output", "json"], new Dictionary<string, string?>
        {
            ["AWS_ACCESS_KEY_ID"] = sandbox.Host.AccessKeyId,
            ["AWS_SECRET_ACCESS_KEY"] = sandbox.Host.SecretAccessKey,
            ["AWS_SESSION_TOKEN"] = null,
            ["AWS_DEFAULT_REGION"] = "us-east-1",
            ["AWS_ENDPOINT_URL"] = sandbox.Host.Endpoint.ToString(),
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["AWS_CONFIG_FILE"] = Path.Combine(folder, "none"),
            ["AWS_SHARED_CREDENTIALS_FILE"] = Path.Combine(folder, "none"),
            ["AWS_PAGER"] = "",
        }, TestContext.Current.CancellationToken);
        return result;
    }

    private async Task<JsonNode> JsonAsync(params string[] arguments) => JsonNode.Parse((await AwsAsync(arguments)).EnsureSuccess().Output)!;

    [Fact]
    public async Task Stacks_from_creation_to_deletion()
    {
        var name = CloudFormationCaller.NewName("cli");
        var template = Path.Combine(folder, "template.yaml");
        await File.WriteAllTextAsync(template, """
            Parameters: { Label: { Type: String, Default: one } }
            Resources: { Bucket: { Type: AWS::S3::Bucket, Properties: { Tags: [ { Key: label, Value: !Ref Label } ] } } }
            Outputs: { Name: { Value: !Ref Bucket } }
            """, TestContext.Current.CancellationToken);
        (await AwsAsync("cloudformation", "validate-template", "--template-body", "file://" + template)).EnsureSuccess();
        (await AwsAsync("cloudformation", "create-stack", "--stack-name", name, "--template-body", "file://" + template)).EnsureSuccess();
        await UntilDoneAsync(name);
        var described = await JsonAsync("cloudformation", "describe-stacks", "--stack-name", name);
        Assert.Equal("CREATE_COMPLETE", (string?)described["Stacks"]?[0]?["StackStatus"]);
        Assert.StartsWith(name, (string?)described["Stacks"]?[0]?["Outputs"]?[0]?["OutputValue"], StringComparison.Ordinal);
        (await AwsAsync("cloudformation", "create-change-set", "--stack-name", name, "--change-set-name", "next", "--template-body", "file://" + template, "--parameters", "ParameterKey=Label,ParameterValue=two")).EnsureSuccess();
        await CloudFormationCaller.UntilAsync(async () => (string?)(await JsonAsync("cloudformation", "describe-change-set", "--stack-name", name, "--change-set-name", "next"))["Status"], status => status == "CREATE_COMPLETE");
        var changeSet = await JsonAsync("cloudformation", "describe-change-set", "--stack-name", name, "--change-set-name", "next", "--include-property-values");
        Assert.Equal("two", (string?)changeSet["Changes"]?[0]?["ResourceChange"]?["Details"]?[0]?["Target"]?["AfterValue"]);
        (await AwsAsync("cloudformation", "execute-change-set", "--stack-name", name, "--change-set-name", "next")).EnsureSuccess();
        await UntilDoneAsync(name);
        var events = (JsonArray)(await JsonAsync("cloudformation", "describe-stack-events", "--stack-name", name))["StackEvents"]!;
        Assert.Equal("UPDATE_COMPLETE", (string?)events[0]!["ResourceStatus"]);
        Assert.Equal("CREATE_IN_PROGRESS", (string?)events[^1]!["ResourceStatus"]);
        (await AwsAsync("cloudformation", "delete-stack", "--stack-name", name)).EnsureSuccess();
        await CloudFormationCaller.UntilAsync(async () => await AwsAsync("cloudformation", "describe-stacks", "--stack-name", name), answer => answer.ExitCode != 0 && answer.Error.Contains("does not exist", StringComparison.Ordinal));
    }

    private Task<string?> UntilDoneAsync(string name) => CloudFormationCaller.UntilAsync(
        async () => (string?)(await JsonAsync("cloudformation", "describe-stacks", "--stack-name", name))["Stacks"]?[0]?["StackStatus"],
        status => status is not null && !status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal));

    [Fact]
    public async Task Objects_copy_list_sync_presign_and_go()
    {
        var bucket = "cli-" + Guid.NewGuid().ToString("N")[..12];
        var files = Directory.CreateDirectory(Path.Combine(folder, "files")).FullName;
        await File.WriteAllTextAsync(Path.Combine(files, "a.txt"), "first", TestContext.Current.CancellationToken);
        var large = new byte[9 * 1024 * 1024];
        new Random(3).NextBytes(large);
        await File.WriteAllBytesAsync(Path.Combine(files, "large.bin"), large, TestContext.Current.CancellationToken);
        (await AwsAsync("s3", "mb", "s3://" + bucket)).EnsureSuccess();
        (await AwsAsync("s3", "sync", files, $"s3://{bucket}/copy")).EnsureSuccess();
        var listed = (await AwsAsync("s3", "ls", $"s3://{bucket}/copy/")).EnsureSuccess().Output;
        Assert.Contains("a.txt", listed, StringComparison.Ordinal);
        Assert.Contains("9437184", listed, StringComparison.Ordinal);
        (await AwsAsync("s3", "cp", $"s3://{bucket}/copy/large.bin", Path.Combine(folder, "back.bin"))).EnsureSuccess();
        Assert.Equal(large, await File.ReadAllBytesAsync(Path.Combine(folder, "back.bin"), TestContext.Current.CancellationToken));
        var address = (await AwsAsync("s3", "presign", $"s3://{bucket}/copy/a.txt")).EnsureSuccess().Output.Trim();
        using var http = new HttpClient();
        Assert.Equal("first", await http.GetStringAsync(new Uri(address), TestContext.Current.CancellationToken));
        (await AwsAsync("s3", "rb", "s3://" + bucket, "--force")).EnsureSuccess();
        var gone = await AwsAsync("s3", "ls", "s3://" + bucket);
        Assert.Contains("NoSuchBucket", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_implemented_says_so()
    {
        var answer = await AwsAsync("ecr", "describe-pull-through-cache-rules");
        Assert.NotEqual(0, answer.ExitCode);
        Assert.Contains("(NotImplemented) when calling the DescribePullThroughCacheRules operation", answer.Error, StringComparison.Ordinal);
    }
}
