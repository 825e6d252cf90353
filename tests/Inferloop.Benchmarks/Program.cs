using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Inferloop.Benchmarks;

// dotnet run -c Release --project tests/Inferloop.Benchmarks -- import | templates | stacks | wire | profile | start | memory
var root = AppContext.BaseDirectory;
while (!File.Exists(Path.Combine(root, "Inferloop.PowerShell.sln")))
{
    root = Path.GetDirectoryName(root) ?? throw new InvalidOperationException("Inferloop.PowerShell.sln was not found above " + AppContext.BaseDirectory);
}

switch (args.FirstOrDefault())
{
    case "import":
        ImportBenchmark.Run(root);
        return 0;
    case "templates":
        // In this process: building the benchmark anew would lay out the module anew under the user's feet.
        var summary = BenchmarkRunner.Run<TemplateBenchmark>(DefaultConfig.Instance.WithOptions(ConfigOptions.DisableLogFile)
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
        return summary.HasCriticalValidationErrors || summary.Reports.Any(r => !r.Success) || summary.Reports.Length == 0 ? 1 : 0;
    case "stacks":
        await StackBenchmark.RunAsync();
        return 0;
    case "wire":
        await WireBenchmark.RunAsync(args);
        return 0;
    case "profile":
        RouterProfile.Run();
        return 0;
    case "start":
        StartBenchmark.Run();
        return 0;
    case "memory":
        await MemoryBenchmark.RunAsync();
        return 0;
    case "serve":
        return await SandboxServer.ServeAsync(args[1..]);
    default:
        Console.Error.WriteLine("usage: import | templates | stacks | wire [only=name] [seconds=4] | profile | start | memory");
        return 2;
}
