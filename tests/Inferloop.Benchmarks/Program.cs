using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Running;
using Inferloop.Benchmarks;

// dotnet run -c Release --project tests/Inferloop.Benchmarks -- import | templates | stacks
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
        BenchmarkRunner.Run<TemplateBenchmark>(DefaultConfig.Instance.WithOptions(ConfigOptions.DisableLogFile));
        return 0;
    case "stacks":
        await StackBenchmark.RunAsync();
        return 0;
    default:
        Console.Error.WriteLine("usage: import | templates | stacks");
        return 2;
}
