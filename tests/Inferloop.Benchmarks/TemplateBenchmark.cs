using BenchmarkDotNet.Attributes;
using Inferloop.Operations.Costs;
using Inferloop.Templates;

namespace Inferloop.Benchmarks;

/// <summary>Reading and evaluating nested templates of growing size: the ratio of time to resources must stay flat.</summary>
[MemoryDiagnoser]
public class TemplateBenchmark
{
    private SyntheticTemplates templates = null!;

    /// <summary>Resources over all nested stacks.</summary>
    [Params(50, 500, 5000)]
    public int Resources { get; set; }

    /// <summary>Makes the templates.</summary>
    [GlobalSetup]
    public void Setup() => templates = SyntheticTemplates.Create(Resources);

    /// <summary>Reads root and nested templates.</summary>
    [Benchmark]
    public int Parse() => templates.ParseAll();

    /// <summary>Evaluates root and nested templates.</summary>
    [Benchmark]
    public async Task<EvaluatedStack> Evaluate() => await StackEvaluator.EvaluateAsync(templates.RootTemplate, templates.Context(), CancellationToken.None);

    /// <summary>Evaluates and prices them.</summary>
    [Benchmark]
    public async Task<CostEstimate> Estimate() => CostEstimator.Estimate(await StackEvaluator.EvaluateAsync(templates.RootTemplate, templates.Context(), CancellationToken.None));
}
