using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Inferloop.Tests.PowerShell;
using Inferloop.Tests.Shell;
using YamlDotNet.RepresentationModel;

namespace Inferloop.Tests.Docs;

/// <summary>docs/guides/costs.md and cost-gate.md: the figures are those of the code, the examples run, and the gate opens and closes.</summary>
public sealed partial class CostGuideTests
{
    private static readonly string Guides = Path.Combine(Repository.Root, "docs", "guides");
    private static readonly string Gate = Path.Combine(Repository.Root, "docs", "examples", "cost-gate");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void The_presets_cost_what_the_guide_says()
    {
        using var module = new ModuleFixture();
        var told = module.Invoke("""
            foreach ($stage in 'Dev', 'Staging', 'Prod') {
                $e = New-InferloopEnvironmentSpec demo $stage -WarningAction Ignore | Get-InferloopCostEstimate
                '| {0} | {1} | {2:N2} | {3:N2} | {4:N2} |' -f $stage, $e.Usage.Name, $e.MonthlyLow, $e.MonthlyExpected, $e.MonthlyHigh
            }
            """).EnsureSuccess().Output.Select(o => o.ToString()!).ToList();
        var guide = Lines("costs.md");
        Assert.Equal(3, told.Count);
        Assert.All(told, row => Assert.Contains(row, guide));

        var components = module.Invoke("""
            $all = foreach ($stage in 'Dev', 'Staging', 'Prod') { New-InferloopEnvironmentSpec demo $stage -WarningAction Ignore | Get-InferloopCostEstimate }
            foreach ($name in $all[0].Components.Component) { "| $name | " + (@(foreach ($e in $all) { foreach ($c in $e.Components) { if ($c.Component -eq $name) { '{0:N2}' -f $c.MonthlyExpected } } }) -join ' | ') + ' |' }
            """).EnsureSuccess().Output.Select(o => o.ToString()!).ToList();
        Assert.Equal(9, components.Count);
        Assert.All(components, row => Assert.Contains(row, guide));

        var patterns = module.Invoke("""
            foreach ($pattern in 'Container', 'Serverless', 'Kubernetes', 'Full') {
                "| $pattern | " + (@(foreach ($stage in 'Dev', 'Staging', 'Prod') { '{0:N2}' -f (New-InferloopEnvironmentSpec demo $stage -Pattern $pattern -WarningAction Ignore | Get-InferloopCostEstimate).MonthlyExpected }) -join ' | ') + ' |'
            }
            """).EnsureSuccess().Output.Select(o => o.ToString()!).ToList();
        Assert.All(patterns, row => Assert.Contains(row, guide));
    }

    [Fact]
    public void The_worked_lines_are_the_dearest_and_come_out_by_hand()
    {
        using var module = new ModuleFixture();
        var lines = module.Invoke("""
            foreach ($l in (New-InferloopEnvironmentSpec demo Prod -WarningAction Ignore | Get-InferloopCostEstimate).Lines) { '{0}: {1}|{2}' -f $l.Path, $l.Name, $l.MonthlyExpected.ToString([cultureinfo]::InvariantCulture) }
            """).EnsureSuccess().Output.Select(o => o.ToString()!.Split('|')).Select(p => (Name: p[0], Cost: decimal.Parse(p[1], CultureInfo.InvariantCulture))).OrderByDescending(l => l.Cost).Take(10).ToList();
        var table = Lines("costs.md").Where(l => l.Contains(" × ", StringComparison.Ordinal)).Select(l => l.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries)).ToList();
        Assert.Equal(lines.Select(l => l.Name).Order(StringComparer.Ordinal), table.Select(t => t[0]).Order(StringComparer.Ordinal));
        foreach (var row in table)
        {
            var byHand = row[1].Split(" × ").Select(f => decimal.Parse(Number().Match(f).Value, CultureInfo.InvariantCulture)).Aggregate(1m, (a, b) => a * b);
            var told = decimal.Parse(row[2], CultureInfo.InvariantCulture);
            Assert.Equal(told, Math.Round(byHand, 2, MidpointRounding.AwayFromZero));
            Assert.Equal(told, Math.Round(lines.Single(l => l.Name == row[0] && Math.Round(l.Cost, 2, MidpointRounding.AwayFromZero) == told).Cost, 2, MidpointRounding.AwayFromZero));
        }
    }

    [Theory]
    [InlineData("costs.md", 14)]
    [InlineData("cost-gate.md", 1)]
    [InlineData("scaling.md", 5)]
    [InlineData("releases.md", 5, 600)]
    public async Task The_examples_run_on_the_sandbox(string guide, int least, int rate = 3600)
    {
        var blocks = CodeBlock().Matches((await File.ReadAllTextAsync(Path.Combine(Guides, guide), Stop)).ReplaceLineEndings("\n")).Select(m => m.Groups[1].Value).ToList();
        Assert.True(blocks.Count >= least, $"{blocks.Count} examples");
        var script = new StringBuilder($"$ErrorActionPreference = 'Stop'\n$ConfirmPreference = 'None'\nStart-InferloopSandbox -ClockRate {rate}\nNew-InferloopEnvironment demo Dev | Out-Null\n");
        foreach (var (block, i) in blocks.Select((b, i) => (b, i)))
        {
            script.Append(CultureInfo.InvariantCulture, $"Write-Host '--- example {i + 1}'\n{block}\n");
        }

        var file = Path.Combine(Directory.CreateTempSubdirectory("inferloop-guide-").FullName, "guide.ps1");
        await File.WriteAllTextAsync(file, script.Append("Write-Host '--- done'\n").ToString(), Stop);
        var result = await ShellProcess.RunAsync(["-NonInteractive", file], Stop);
        Assert.True(result.ExitCode == 0 && result.Output.TrimEnd().EndsWith("--- done", StringComparison.Ordinal), $"{result.Output}\n{result.Error}");
        Assert.DoesNotContain("Refused: There is no", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_gate_closes_for_what_adds_too_much_and_tells_why()
    {
        var git = ExternalTool.Require("git");
        var folder = Directory.CreateTempSubdirectory("inferloop-gate-").FullName;
        var spec = Path.Combine(folder, "infra", "prod.yaml");
        Directory.CreateDirectory(Path.GetDirectoryName(spec)!);
        async Task Commit(string text)
        {
            await File.WriteAllTextAsync(spec, text, Stop);
            foreach (var arguments in new string[][] { ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "spec"] })
            {
                var done = await ExternalTool.RunAsync(git, ["-C", folder, .. arguments], cancellation: Stop);
                Assert.True(done.ExitCode == 0, done.Error);
            }
        }

        Task<ToolResult> Run(params string[] arguments) =>
            ShellProcess.RunAsync(["-NonInteractive", "-WorkingDirectory", folder, "-File", Path.Combine(Gate, "cost-gate.ps1"), "-Module", ModuleFixture.Manifest, .. arguments], Stop);

        Assert.Equal(0, (await ExternalTool.RunAsync(git, ["init", "-q", "-b", "main", folder], cancellation: Stop)).ExitCode);
        await Commit("name: demo\nstage: staging\n");
        await Commit("name: demo\nstage: staging\necs:\n  desiredTasks: 9\n");

        var closed = await Run("-Base", "HEAD~1", "-MaxIncrease", "200");
        Assert.True(closed.ExitCode == 1, closed.Output + closed.Error);
        Assert.Contains("more than 200.00 USD", closed.Output + closed.Error, StringComparison.Ordinal);
        Assert.Contains("more than 200.00 USD", await File.ReadAllTextAsync(Path.Combine(folder, "cost-gate", "cost.md"), Stop), StringComparison.Ordinal);
        Assert.Contains("<failure", await File.ReadAllTextAsync(Path.Combine(folder, "cost-gate", "cost.xml"), Stop), StringComparison.Ordinal);
        Assert.Contains("infra/prod.yaml", await File.ReadAllTextAsync(Path.Combine(folder, "cost-gate", "cost.sarif"), Stop), StringComparison.Ordinal);

        var open = await Run("-Base", "HEAD~1", "-MaxIncrease", "400");
        Assert.True(open.ExitCode == 0, open.Output + open.Error);

        // A base that is not there is no reason to let anything pass.
        var lost = await Run("-Base", "nowhere");
        Assert.True(lost.ExitCode != 0 && (lost.Output + lost.Error).Contains("git does not know 'nowhere'", StringComparison.Ordinal), lost.Output + lost.Error);
    }

    [Theory]
    [InlineData("github-actions.yml")]
    [InlineData("azure-pipelines.yml")]
    public void The_workflows_run_the_gate_with_parameters_that_it_has(string file)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(File.ReadAllText(Path.Combine(Gate, file))));
        var text = File.ReadAllText(Path.Combine(Gate, file));
        Assert.DoesNotContain("secrets.", text, StringComparison.Ordinal);
        var call = Assert.Single(text.Split('\n'), l => l.Contains("./infra/cost-gate.ps1", StringComparison.Ordinal));
        Assert.DoesNotContain("${{", call, StringComparison.Ordinal);
        var parameters = File.ReadAllText(Path.Combine(Gate, "cost-gate.ps1"));
        Assert.All(Parameter().Matches(call).Select(m => m.Groups[1].Value), name => Assert.Matches($@"\[\w+\] \${name}\b", parameters));
    }

    private static List<string> Lines(string guide) => [.. File.ReadAllLines(Path.Combine(Guides, guide))];

    [GeneratedRegex("```powershell\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\d+(\.\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex(@" -([A-Z]\w+)")]
    private static partial Regex Parameter();
}
