using System.Diagnostics;

namespace Inferloop.Benchmarks;

/// <summary>Times whole processes, as a user waits for them.</summary>
internal static class ProcessRun
{
    /// <summary>The median wall-clock time of several runs of one command line.</summary>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="runs">How often; the first, which warms the disk cache, does not count.</param>
    public static TimeSpan Median(string program, IReadOnlyList<string> arguments, int runs = 7)
    {
        var times = new List<TimeSpan>();
        for (var run = 0; run <= runs; run++)
        {
            var clock = Stopwatch.StartNew();
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{output.Result}{error.Result}");
            }

            if (run > 0)
            {
                times.Add(clock.Elapsed);
            }
        }

        times.Sort();
        return times[times.Count / 2];
    }

    /// <summary>The full path of a program on PATH; null when it is not there.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
