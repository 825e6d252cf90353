using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Tests.Cdk;

/// <summary>What the CDK app synthesises is the templates themselves: nothing added, lost or changed but what CDK must.</summary>
public sealed class CdkSynthesisTests : IDisposable
{
    private static readonly string Stacks = Path.Combine(Repository.Root, "src", "Inferloop.Templates", "Stacks");
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-cdk-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_sample_app_synthesises_the_plain_templates()
    {
        ExternalTool.Require("node");
        var spec = SpecPresets.Create("cdk", EnvironmentStage.Prod, "eu-west-1");
        spec = spec with { Application = spec.Application with { ContainerImage = "inferloop/synthdata:1.4.0" } };
        var output = await SynthesiseAsync(SpecFile.Write(spec, SpecFormat.Yaml));

        var plain = Template.Load(Path.Combine(Stacks, "main.yaml"));
        var root = Canonical(Template.Load(Path.Combine(output, spec.StackName + ".template.json")));
        var expected = Canonical(plain);

        // CDK's own: its bootstrap check and the output that the sample adds.
        Assert.True(((JsonObject)root["Parameters"]!).Remove("BootstrapVersion"));
        Assert.True(((JsonObject)root["Rules"]!).Remove("CheckBootstrapVersion"));
        Assert.True(((JsonObject)root["Outputs"]!).Remove("Bucket"));

        // The spec's values are the defaults of the parameters.
        foreach (var (name, value) in SpecMembers.ToTemplateParameters(spec))
        {
            Assert.Equal(value, root["Parameters"]![name]!["Default"]!.ToString());
            expected["Parameters"]![name]!["Default"] = value;
        }

        // Nested templates are assets of the app.
        foreach (var nested in TemplateWriter.NestedTemplates(plain))
        {
            var url = root["Resources"]![nested.LogicalId]!["Properties"]!["TemplateURL"]!.ToJsonString();
            var hash = System.Text.RegularExpressions.Regex.Match(url, "/([0-9a-f]{64})\\.json").Groups[1].Value;
            root["Resources"]![nested.LogicalId]!["Properties"]!["TemplateURL"] = nested.TemplateUrl;
            var file = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(output, spec.StackName + ".assets.json"), TestContext.Current.CancellationToken))!["files"]![hash]!["source"]!["path"]!.ToString();
            Same(Canonical(Template.Load(Path.Combine(Stacks, nested.TemplateUrl))), Canonical(Template.Load(Path.Combine(output, file))), nested.TemplateUrl);
        }

        Same(expected, root, "main.yaml");
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(output, "manifest.json"), TestContext.Current.CancellationToken))!["artifacts"]![spec.StackName]!;
        Assert.Equal("aws://unknown-account/eu-west-1", manifest["environment"]!.ToString());
        Assert.True((bool)manifest["properties"]!["terminationProtection"]!);
        Assert.Equal("cdk", manifest["properties"]!["tags"]!["inferloop:environment"]!.ToString());
    }

    [Fact]
    public async Task A_spec_with_errors_is_refused_before_anything_is_synthesised()
    {
        ExternalTool.Require("node");
        var spec = SpecPresets.Create("cdk", EnvironmentStage.Dev, "us-east-1");
        var result = await RunAsync(SpecFile.Write(spec, SpecFormat.Yaml).Replace("10.0.2.0/24", "10.9.2.0/24", StringComparison.Ordinal));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("10.9.2.0/24", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "out", "manifest.json")));
    }

    private async Task<string> SynthesiseAsync(string spec)
    {
        var result = await RunAsync(spec);
        Assert.True(result.ExitCode == 0, result.Error + result.Output);
        return Path.Combine(folder, "out");
    }

    private async Task<ToolResult> RunAsync(string spec)
    {
        var file = Path.Combine(folder, "spec.yaml");
        await File.WriteAllTextAsync(file, spec, TestContext.Current.CancellationToken);
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var app = Path.Combine(Repository.Root, "docs", "examples", "cdk", "bin", configuration, "net10.0", "Inferloop.Cdk.Sample.dll");
        return await ExternalTool.RunAsync(
            "dotnet", [app, Path.Combine(folder, "out"), file],
            new Dictionary<string, string?> { ["CDK_DEFAULT_ACCOUNT"] = null, ["CDK_DEFAULT_REGION"] = null, ["JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION"] = "1", ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "1" },
            TestContext.Current.CancellationToken);
    }

    /// <summary>A template as JSON in which equal templates are equal: a logical id and attribute as a list, tags by key, one dependency as a list, scalars as text.</summary>
    private static JsonObject Canonical(Template template) => (JsonObject)Canonical(Literals.ToValue(template.Root).ToJson(), "")!;

    private static JsonNode? Canonical(JsonNode? node, string key) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => KeyValuePair.Create(e.Key, Canonical(e.Value, e.Key)))),
        JsonArray list when key == "Tags" => new JsonArray([.. list.Select(i => Canonical(i, "")).OrderBy(i => i?.ToJsonString(), StringComparer.Ordinal)]),
        JsonArray list => new JsonArray([.. list.Select(i => Canonical(i, ""))]),
        JsonValue value when key == "Fn::GetAtt" => new JsonArray([.. value.ToString().Split('.', 2).Select(p => (JsonNode)p)]),
        JsonValue value when key == "DependsOn" => new JsonArray(value.ToString()),
        JsonValue value => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? value.ToJsonString() : value.ToString(),
        _ => null,
    };

    private static void Same(JsonObject expected, JsonObject actual, string what)
    {
        var options = new JsonSerializerOptions { WriteIndented = true };
        Assert.True(JsonNode.DeepEquals(expected, actual), what + " differs: " + FirstDifference(Canonical(expected, "")!.ToJsonString(options), Canonical(actual, "")!.ToJsonString(options)));
    }

    private static string FirstDifference(string expected, string actual)
    {
        var (a, b) = (expected.Split('\n'), actual.Split('\n'));
        var at = Enumerable.Range(0, Math.Min(a.Length, b.Length)).FirstOrDefault(i => a[i] != b[i], Math.Min(a.Length, b.Length));
        return $"line {at + 1}: expected {string.Join(' ', a.Skip(Math.Max(0, at - 3)).Take(6).Select(l => l.Trim()))} but found {string.Join(' ', b.Skip(Math.Max(0, at - 3)).Take(6).Select(l => l.Trim()))}";
    }
}
