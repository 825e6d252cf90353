using System.Xml.Linq;

namespace Inferloop.Tests.Pester;

/// <summary>Runs the Pester suite, file by file, in a real pwsh: what a user sees.</summary>
public sealed class PesterSuiteTests
{
    private static string Folder => Path.Combine(Repository.Root, "tests", "Pester");

    /// <summary>Every test file of the suite.</summary>
    public static TheoryData<string> Files() => new(Directory.EnumerateFiles(Folder, "*.Tests.ps1").Select(f => Path.GetFileName(f)!).Order());

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Pester_file_passes_in_pwsh(string file)
    {
        var pwsh = ExternalTool.Require("pwsh");
        var cancellation = TestContext.Current.CancellationToken;
        var probe = await ExternalTool.RunAsync(pwsh, ["-NoProfile", "-Command", "(Get-Module -ListAvailable Pester).Version.Major -contains 5"], cancellation: cancellation);
        Assert.SkipUnless(probe.Output.Trim() == "True", "Pester 5 is not installed for this pwsh");

        var report = Path.Combine(Path.GetTempPath(), $"inferloop-pester-{Guid.NewGuid():N}.xml");
        try
        {
            var script = $$"""
                $configuration = New-PesterConfiguration
                $configuration.Run.Path = '{{Path.Combine(Folder, file)}}'
                $configuration.Run.Exit = $true
                $configuration.Output.Verbosity = 'Normal'
                $configuration.Output.RenderMode = 'Plaintext'
                $configuration.TestResult.Enabled = $true
                $configuration.TestResult.OutputPath = '{{report}}'
                Invoke-Pester -Configuration $configuration
                """;
            var result = await ExternalTool.RunAsync(
                pwsh, ["-NoProfile", "-NonInteractive", "-Command", script], Environment, cancellation);

            Assert.True(result.ExitCode == 0, result.Output + result.Error);
            var total = (int?)XDocument.Load(report).Root!.Attribute("total") ?? 0;
            Assert.True(total > 0, $"{file} holds no test");
        }
        finally
        {
            File.Delete(report);
        }
    }

    // A user's session on a machine of their own: nothing of the caller's AWS settings or CI marks leaks in.
    private static IReadOnlyDictionary<string, string?> Environment { get; } = new Dictionary<string, string?>
    {
        ["AWS_PROFILE"] = null,
        ["AWS_ACCESS_KEY_ID"] = null,
        ["AWS_SECRET_ACCESS_KEY"] = null,
        ["AWS_SESSION_TOKEN"] = null,
        ["AWS_REGION"] = null,
        ["AWS_DEFAULT_REGION"] = null,
        ["AWS_EC2_METADATA_DISABLED"] = "true",
        ["GITHUB_ACTIONS"] = null,
        ["TF_BUILD"] = null,
        ["NO_COLOR"] = "1",
    };
}
