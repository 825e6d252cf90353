using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>One stack while, and after, it is evaluated: what its expressions refer to.</summary>
internal sealed class StackModel(Template template, EvaluationContext context)
{
    public Template Template { get; } = template;

    public EvaluationContext Context { get; } = context;

    /// <summary>The path before the logical ids of this stack: empty, or <c>Network/</c>.</summary>
    public string Path => Context.StackPath;

    public Dictionary<string, EvaluatedParameter> Parameters { get; } = new(StringComparer.Ordinal);

    /// <summary>The names of parameters whose value was refused: already reported, so uses of them are not.</summary>
    public HashSet<string> RefusedParameters { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Node> ConditionNodes { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, bool> Conditions { get; } = new(StringComparer.Ordinal);

    /// <summary>All resources, loops expanded, whether or not their condition holds; in the template's order.</summary>
    public Dictionary<string, TemplateResource> Resources { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, TemplateOutput> Outputs { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, EvaluatedStack> NestedStacks { get; } = new(StringComparer.Ordinal);

    /// <summary>The properties evaluated so far; each resource's are there before those of anything that depends on it.</summary>
    public Dictionary<string, MapValue> Properties { get; } = new(StringComparer.Ordinal);

    /// <summary>Nested stacks that could not be evaluated: already reported.</summary>
    public HashSet<string> FailedNestedStacks { get; } = new(StringComparer.Ordinal);

    public bool Exists(TemplateResource resource) => resource.Condition is not { } condition || Conditions.GetValueOrDefault(condition, true);
}
