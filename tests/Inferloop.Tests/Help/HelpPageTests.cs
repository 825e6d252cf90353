using System.Text;
using System.Text.RegularExpressions;
using Inferloop.Help;
using Inferloop.Tests.PowerShell;
using Inferloop.Tests.Shell;

namespace Inferloop.Tests.Help;

/// <summary>The pages of docs/cmdlets and the built module say the same, and what the pages show works.</summary>
public sealed partial class HelpPageTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "docs", "cmdlets");

    private static readonly Lazy<IReadOnlyList<CmdletFacts>> Cmdlets = new(() => CmdletFacts.Load(ModuleFixture.Manifest));

    /// <summary>Every page.</summary>
    public static TheoryData<string> Pages() => new(Directory.EnumerateFiles(Folder, "*.md").Select(p => Path.GetFileNameWithoutExtension(p)!).Order(StringComparer.Ordinal));

    [Fact]
    public void Every_cmdlet_has_a_page_and_every_page_a_cmdlet() =>
        Assert.Equal(Cmdlets.Value.Select(c => c.Name).Order(StringComparer.Ordinal), Pages().Select(p => p.Data));

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_page_is_up_to_date_with_the_cmdlet(string name)
    {
        var text = File.ReadAllText(PathOf(name)).ReplaceLineEndings("\n");
        var page = PageReader.Parse(text, name);
        UpdateJob.Apply(Cmdlets.Value.Single(c => c.Name == name), page);
        Assert.True(text == PageWriter.Write(page), $"{name}.md has drifted from the cmdlet: run './build.ps1 Docs' and look at what it changed");
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_page_tells_what_a_user_needs(string name)
    {
        var page = PageReader.Load(PathOf(name));
        Assert.NotEmpty(page.Synopsis);
        Assert.NotEmpty(page.Description);
        Assert.All(page.Parameters, p => Assert.True(p.Text.Length > 0, $"-{p.Name} has no text"));
        Assert.True(page.Examples.Count >= 2, "fewer than two examples");
        Assert.All(page.Examples, e => Assert.NotEmpty(PlainText.Example(e.Text).Code));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task The_examples_run_on_the_sandbox(string name)
    {
        var page = PageReader.Load(PathOf(name));
        var code = page.Examples.Select(e => string.Join("\n", PlainText.Example(e.Text).Code)).ToList();
        var script = new StringBuilder("$ErrorActionPreference = 'Stop'\n$ConfirmPreference = 'None'\n");
        if (name != "Start-InferloopSandbox")
        {
            // An hour in a second is too quick for what waits for approval for an hour.
            script.Append(name.EndsWith("-InferloopRelease", StringComparison.Ordinal) ? "Start-InferloopSandbox -ClockRate 600\n" : "Start-InferloopSandbox -ClockRate 3600\n");
        }

        if (NeedsEnvironment().IsMatch(name) && name != "New-InferloopEnvironment")
        {
            script.Append("New-InferloopEnvironment -Name demo -Stage Dev | Out-Null\n");
        }

        if (name.EndsWith("-InferloopRelease", StringComparison.Ordinal))
        {
            script.Append("'v1', 'v2', 'v3', 'v4' | Add-InferloopSandboxImage inferloop/demo-dev | Out-Null\n");
        }

        for (var i = 0; i < code.Count; i++)
        {
            // Each in a function's scope of its own would hide a variable that an earlier example set: they share the page's session.
            script.Append($"Write-Host '--- example {i + 1}'\n{code[i]}\n");
        }

        script.Append("Write-Host '--- done'\n");
        var file = Path.Combine(Path.GetTempPath(), $"inferloop-examples-{Guid.NewGuid():N}.ps1");
        await File.WriteAllTextAsync(file, script.ToString(), TestContext.Current.CancellationToken);
        try
        {
            // A table of the last example may be formatted after the line that follows it: the host holds its first rows back to measure their columns.
            var result = await ShellProcess.RunAsync(["-NonInteractive", file], TestContext.Current.CancellationToken);
            Assert.True(result.ExitCode == 0 && result.Output.Contains("\n--- done", StringComparison.Ordinal), $"{result.Output}\n{result.Error}");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Get_Help_finds_the_page()
    {
        using var session = new ModuleFixture();
        var help = session.Invoke("Get-Help Start-InferloopSandbox -Full").Single();
        var page = PageReader.Load(PathOf("Start-InferloopSandbox"));
        Assert.Equal(page.Synopsis, session.Invoke("(Get-Help Start-InferloopSandbox).Synopsis").Single<string>().Trim());
        Assert.Equal(page.Examples.Count, session.Invoke("@((Get-Help Start-InferloopSandbox -Examples).examples.example).Count").Single<int>());
        var parameter = session.Invoke("(Get-Help Start-InferloopSandbox -Parameter ClockRate).description.Text").Single<string>();
        Assert.Equal(PlainText.Paragraphs(page.Parameters.Single(p => p.Name == "ClockRate").Text)[0], parameter);
        Assert.Contains("MamlCommandHelpInfo#FullView", help.TypeNames);
    }

    [Fact]
    public void Every_cmdlet_has_help_of_its_own_not_the_engine_s_guess()
    {
        using var session = new ModuleFixture();
        var guessed = session.Invoke("Get-Command -Module Inferloop | Where-Object { -not (Get-Help $_.Name).description } | ForEach-Object Name").EnsureSuccess().Output;
        Assert.Empty(guessed);
    }

    [Fact]
    public void A_page_off_the_schema_is_an_error_with_its_line()
    {
        var failure = Assert.Throws<PageException>(() => PageReader.Parse("---\ntitle: X\n---\n\n# Get-X\n\n## SYNOPSIS\n\ntext\n\n## NONSENSE\n", "Get-X.md"));
        Assert.StartsWith("Get-X.md(11): error HELP001:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Markdown_becomes_plain_paragraphs()
    {
        var text = PlainText.Paragraphs("Uses `-Force` and [Get-X](Get-X.md), see [AWS](https://aws.amazon.com/).\nSame **paragraph**.\n\n- one\n- two\n\n```text\nraw  text\n```\n");
        Assert.Equal(["Uses -Force and Get-X, see AWS (https://aws.amazon.com/). Same paragraph.", "- one", "- two", "raw  text"], text);
    }

    private static string PathOf(string name) => Path.Combine(Folder, name + ".md");

    [GeneratedRegex("^((Get|Set|Remove|Wait|Resume|Compare)-InferloopEnvironment($|Event|Component)|Get-Inferloop(Drift|Alarm|CostRecommendation)|(Get|Set)-InferloopBudget|(Get|Set|Measure)-InferloopScaling|Import-InferloopResource|(Publish|Get|Undo|Approve|Stop)-InferloopRelease)")]
    private static partial Regex NeedsEnvironment();
}
