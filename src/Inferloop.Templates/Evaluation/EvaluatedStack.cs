namespace Inferloop.Templates;

/// <summary>A template with its parameters bound, its conditions decided and its functions evaluated.</summary>
public sealed class EvaluatedStack
{
    private readonly StackModel _model;

    internal EvaluatedStack(StackModel model) => _model = model;

    /// <summary>The template.</summary>
    public Template Template => _model.Template;

    /// <summary>What it was evaluated with.</summary>
    public EvaluationContext Context => _model.Context;

    /// <summary>The parameters with their values.</summary>
    public IReadOnlyDictionary<string, EvaluatedParameter> Parameters => _model.Parameters;

    /// <summary>The conditions, decided.</summary>
    public IReadOnlyDictionary<string, bool> Conditions => _model.Conditions;

    /// <summary>The resources whose condition holds, in dependency order: each after everything it depends on, otherwise as in the template.</summary>
    public IReadOnlyList<EvaluatedResource> Resources { get; internal set; } = [];

    /// <summary>The outputs whose condition holds.</summary>
    public IReadOnlyDictionary<string, EvaluatedOutput> Outputs { get; internal set; } = new Dictionary<string, EvaluatedOutput>();

    /// <summary>The nested stacks that were expanded, by logical id.</summary>
    public IReadOnlyDictionary<string, EvaluatedStack> NestedStacks => _model.NestedStacks;

    /// <summary>Warnings and remarks; errors are thrown.</summary>
    public IReadOnlyList<Diagnostic> Diagnostics { get; internal set; } = [];

    /// <summary>Finds a resource of this stack.</summary>
    /// <param name="logicalId">Its logical id.</param>
    /// <returns>The resource; null when the stack has none of that name, or its condition does not hold.</returns>
    public EvaluatedResource? FindResource(string logicalId)
    {
        _index ??= Resources.ToDictionary(r => r.LogicalId, StringComparer.Ordinal);
        return _index.GetValueOrDefault(logicalId);
    }

    private Dictionary<string, EvaluatedResource>? _index;

    /// <summary>The resources of this stack and of all nested ones, each nested stack's right after the resource that is the stack.</summary>
    /// <returns>The resources.</returns>
    public IEnumerable<EvaluatedResource> AllResources()
    {
        foreach (var resource in Resources)
        {
            yield return resource;
            if (NestedStacks.TryGetValue(resource.LogicalId, out var nested))
            {
                foreach (var inner in nested.AllResources())
                {
                    yield return inner;
                }
            }
        }
    }

    /// <summary>Evaluates one resource's properties again, with what is known by now. Safe to call from several threads.</summary>
    /// <param name="logicalId">The resource.</param>
    /// <param name="values">The known ids and attributes.</param>
    /// <returns>The properties.</returns>
    /// <exception cref="TemplateException">With the values now known a function cannot be evaluated.</exception>
    public MapValue EvaluateProperties(string logicalId, IResourceValues values)
    {
        var definition = _model.Resources.GetValueOrDefault(logicalId)
            ?? throw new ArgumentException($"The template has no resource '{logicalId}'.", nameof(logicalId));
        var evaluator = new ExpressionEvaluator(_model, values, []);
        var properties = evaluator.EvaluateProperties(definition);
        evaluator.ThrowIfErrors();
        return properties;
    }

    /// <summary>Evaluates the outputs again, with what is known by now.</summary>
    /// <param name="values">The known ids and attributes.</param>
    /// <returns>The outputs by name.</returns>
    /// <exception cref="TemplateException">With the values now known a function cannot be evaluated.</exception>
    public IReadOnlyDictionary<string, EvaluatedOutput> EvaluateOutputs(IResourceValues values)
    {
        var evaluator = new ExpressionEvaluator(_model, values, []);
        var outputs = evaluator.EvaluateOutputs();
        evaluator.ThrowIfErrors();
        return outputs;
    }
}
