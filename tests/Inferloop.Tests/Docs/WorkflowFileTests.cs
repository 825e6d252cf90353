using System.Text.RegularExpressions;
using Inferloop.Tests.Stacks;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Tests.Docs;

/// <summary>The ready-made workflow files: they parse, their scripts do too, they keep no keys, and they release as the pipeline does.</summary>
public sealed class WorkflowFileTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "examples", "workflows");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.yml").Select(f => Path.GetFileName(f)!)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Every_script_is_one_that_bash_can_read(string file)
    {
        var bash = ExternalTool.Require("bash");
        var scripts = Scripts(Load(file)).ToList();
        Assert.True(scripts.Count >= 4, $"{scripts.Count} scripts");
        foreach (var script in scripts)
        {
            var read = await ExternalTool.RunAsync(bash, ["-n", "-c", script], cancellation: TestContext.Current.CancellationToken);
            Assert.True(read.ExitCode == 0 && read.Error.Length == 0, $"{script}\n{read.Error}");
        }
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_release_is_the_same_commands_as_in_the_pipeline(string file)
    {
        var project = (await StackFixture.EvaluateAsync(parameters: [("PipelineEnabled", "true"), ("PipelineRepository", "acme/synthdata")])).Find("Pipeline/ReleaseProject");
        Assert.Equal(Commands(project.Text("Source.BuildSpec")!), Scripts(Load(file)).SelectMany(Commands));

        // The token of a build is the pipeline's own.
        static IEnumerable<string> Commands(string script) => script.Split('\n').Select(l => Regex.Replace(l.Trim(), " --client-request-token \\S+", "")).Where(l => l.Contains("aws cloudformation", StringComparison.Ordinal) && !l.Contains("describe-stack-events", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_secret_is_kept_and_nothing_a_stranger_can_write_reaches_a_script(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        Assert.DoesNotContain("secrets.", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("(?i)aws_secret_access_key|AKIA[0-9A-Z]{16}", text);

        // Texts of a push (a branch's name, a message) go through variables of the environment, never into the script itself.
        Assert.All(Scripts(Load(file)), s => Assert.DoesNotMatch(@"\$\{\{|\$\(Build\.|\$\[", s));
    }

    [Fact]
    public void On_GitHub_only_jobs_that_need_a_role_ask_for_a_token_and_they_run_in_the_stage_s_environment()
    {
        var jobs = (YamlMappingNode)Load("github-actions.yml")["jobs"];
        foreach (var (name, job) in jobs.Children.Select(j => (((YamlScalarNode)j.Key).Value, (YamlMappingNode)j.Value)))
        {
            var steps = ((YamlSequenceNode)job["steps"]).Children.Cast<YamlMappingNode>().ToList();
            var role = steps.Exists(s => s.Children.TryGetValue("uses", out var uses) && uses.ToString().StartsWith("aws-actions/configure-aws-credentials@", StringComparison.Ordinal));
            var token = job.Children.TryGetValue("permissions", out var permissions) && ((YamlMappingNode)permissions).Children.TryGetValue("id-token", out var right) && right.ToString() == "write";
            Assert.True(role == token, $"{name}: role {role}, token {token}");
            Assert.Equal(role, job.Children.ContainsKey("environment"));
            Assert.True(job.Children.ContainsKey("timeout-minutes"), name);
        }
    }

    private static YamlMappingNode Load(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(Folder, file))));
        return (YamlMappingNode)Assert.Single(yaml.Documents).RootNode;
    }

    private static IEnumerable<string> Scripts(YamlNode node) => node switch
    {
        YamlMappingNode map => map.Children.SelectMany(c => c.Key.ToString() is "run" or "bash" or "inlineScript" && c.Value is YamlScalarNode script ? [script.Value!] : Scripts(c.Value)),
        YamlSequenceNode list => list.Children.SelectMany(Scripts),
        _ => [],
    };
}
