namespace Inferloop.Benchmarks;

/// <summary>Import and first call in a new process, beside the same shell without the module.</summary>
internal static class ImportBenchmark
{
    public static void Run(string root)
    {
        var manifest = Path.Combine(root, "Inferloop.psd1");
        var shells = new List<(string Name, string Program, string[] Prefix)>();
        if (ProcessRun.Find("pwsh") is { } pwsh)
        {
            shells.Add(("pwsh", pwsh, ["-NoProfile", "-NonInteractive", "-Command"]));
        }
        else
        {
            Console.WriteLine("pwsh is not on PATH: its rows are missing");
        }

        foreach (var (name, program, prefix) in shells)
        {
            var bare = ProcessRun.Median(program, [.. prefix, "1"]);
            Row($"{name}: nothing", bare, bare);
            Row($"{name}: import", ProcessRun.Median(program, [.. prefix, $"Import-Module '{manifest}'"]), bare);
            Row($"{name}: import, spec", ProcessRun.Median(program, [.. prefix, $"Import-Module '{manifest}'; New-InferloopEnvironmentSpec -Name demo | Out-Null"]), bare);
            Row($"{name}: import, spec, estimate", ProcessRun.Median(program, [.. prefix, $"Import-Module '{manifest}'; New-InferloopEnvironmentSpec -Name demo | Get-InferloopCostEstimate | Out-Null"]), bare);
            Row($"{name}: import, sandbox started and stopped", ProcessRun.Median(program, [.. prefix, $"Import-Module '{manifest}'; Start-InferloopSandbox | Out-Null; Stop-InferloopSandbox"]), bare);
        }
    }

    private static void Row(string what, TimeSpan time, TimeSpan bare)
    {
        Console.WriteLine($"{what,-50} {time.TotalMilliseconds,7:F0} ms   {time / bare,5:F2} x the bare shell");
    }
}
