using System.Diagnostics;
using System.Globalization;

namespace Inferloop.Benchmarks;

/// <summary>How long the sandbox takes to start in a new process.</summary>
internal static class StartBenchmark
{
    private const int Runs = 11;

    public static void Run()
    {
        var starts = new List<(double Host, double Process)>();
        for (var run = 0; run <= Runs; run++)
        {
            using var process = Process.Start(new ProcessStartInfo(SandboxServer.Program, ["serve", "0", "once"]) { RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"The sandbox did not start: {output}");
            }
            var parts = output.Trim().Split(' ').Select(part => double.Parse(part, CultureInfo.InvariantCulture)).ToArray();
            if (run > 0)
            {
                // The first only fills the disk cache.
                starts.Add((parts[0], parts[1]));
            }
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"host started, {Runs} new processes: median {Median(starts.Select(start => start.Host)):F0} ms in the process; {Median(starts.Select(start => start.Process)):F0} ms from the process's start to the first answered call"));
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Runs / 2);
}
