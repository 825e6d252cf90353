namespace Inferloop.Templates;

/// <summary>One rule about a mistake that CloudFormation accepts and that shows only when the stack is up, or never.</summary>
/// <param name="Id">The rule's stable name; the code of its findings.</param>
/// <param name="Severity">How bad a finding is.</param>
/// <param name="Title">The mistake in a few words.</param>
/// <param name="Remedy">What to do about it.</param>
public sealed record TrapRule(string Id, DiagnosticSeverity Severity, string Title, string Remedy);

/// <summary>The evaluated stacks that rules look at, all nested ones included, and what they found.</summary>
internal sealed class TrapContext
{
    private readonly Dictionary<string, EvaluatedResource> byPath;

    public TrapContext(EvaluatedStack root)
    {
        Root = root;
        Resources = [.. root.AllResources()];
        byPath = Resources.ToDictionary(r => r.Path, StringComparer.Ordinal);
    }

    public EvaluatedStack Root { get; }

    public IReadOnlyList<EvaluatedResource> Resources { get; }

    public List<Diagnostic> Findings { get; } = [];

    public IEnumerable<EvaluatedResource> All(params string[] types) => Resources.Where(r => types.Contains(r.Type, StringComparer.Ordinal));

    /// <summary>The stacks with the paths of what is in them.</summary>
    public IEnumerable<(string Path, EvaluatedStack Stack)> Stacks() => Stacks("", Root);

    /// <summary>The resources that a value was made from.</summary>
    public IEnumerable<EvaluatedResource> From(Value? value) => Sources(value).Select(PropertyComparison.ResourcePath).Distinct(StringComparer.Ordinal)
        .Select(path => byPath.GetValueOrDefault(path)).OfType<EvaluatedResource>();

    /// <summary>The one resource of a type that a value stands for.</summary>
    public EvaluatedResource? From(Value? value, string type) => From(value).FirstOrDefault(r => r.Type == type);

    public void Report(TrapRule rule, string message, EvaluatedResource resource, Value? at = null, DiagnosticSeverity? severity = null) =>
        Findings.Add(new Diagnostic(rule.Id, severity ?? rule.Severity, message, at?.Location ?? resource.Location, resource.Path));

    /// <summary>All sources of a value and of what is in it.</summary>
    public static IEnumerable<string> Sources(Value? value) => value is null ? [] : value.Sources
        .Concat(value.Items.SelectMany(Sources))
        .Concat((value as MapValue)?.Entries.SelectMany(e => Sources(e.Value)) ?? []);

    /// <summary>Whether two values stand for the same thing: the same text, or the same reference.</summary>
    public static bool SameThing(Value? a, Value? b) => a is not null && b is not null
        && (Value.Same(a, b) || (a.Sources.Count > 0 && a.Sources.Select(PropertyComparison.ResourcePath).SequenceEqual(b.Sources.Select(PropertyComparison.ResourcePath), StringComparer.Ordinal)));

    private static IEnumerable<(string Path, EvaluatedStack Stack)> Stacks(string path, EvaluatedStack stack) =>
        [(path, stack), .. stack.NestedStacks.SelectMany(n => Stacks(path + n.Key + "/", n.Value))];
}
