using System.Diagnostics;

namespace Inferloop.Tests;

/// <summary>Finds and runs programs that this project does not ship, so that tests can use them where they are and say so where not.</summary>
internal static class ExternalTool
{
    /// <summary>The full path of a program on PATH; null when it is not there.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => OperatingSystem.IsWindows() ? new[] { ".exe", ".cmd" }.Select(end => Path.Combine(folder, name + end)) : [Path.Combine(folder, name)])
            .FirstOrDefault(File.Exists);

    /// <summary>Skips the running test, naming the program, where it is not installed; otherwise gives its path.</summary>
    public static string Require(string name)
    {
        var path = Find(name);
        Assert.SkipUnless(path is not null, $"{name} is not on PATH");
        return path!;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="path">The program.</param>
    /// <param name="arguments">Its arguments, each quoted as needed.</param>
    /// <param name="environment">Variables set on top of this process's own; a null value removes one.</param>
    /// <param name="cancellation">Kills the program and its children.</param>
    public static async Task<ToolResult> RunAsync(
        string path, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, CancellationToken cancellation = default)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return new ToolResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }
}

/// <summary>What an external program left: exit code, standard output and standard error.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test, showing all that the program said, unless it ended with 0.</summary>
    public ToolResult EnsureSuccess()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}\n{Output}\n{Error}");
        return this;
    }
}
