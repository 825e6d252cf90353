namespace Inferloop.Operations.Imports;

/// <summary>By what an existing resource is found: one value as a user writes it, or the properties of its identifier.</summary>
internal sealed record ImportIdentifier(string? Value, IReadOnlyDictionary<string, string> Properties)
{
    public static ImportIdentifier Of(string value) => new(value, new Dictionary<string, string>());

    public static ImportIdentifier Of(IReadOnlyDictionary<string, string> properties) => new(null, properties);

    /// <summary>Whether a physical id is one of the values given.</summary>
    public bool Names(string physicalId) => physicalId.Length > 0 && (Value == physicalId || Properties.Values.Contains(physicalId, StringComparer.Ordinal));

    public override string ToString() => Value ?? string.Join(", ", Properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key}={p.Value}"));
}

/// <summary>What a stack shall take over.</summary>
internal sealed record ImportRequest
{
    public required string StackName { get; init; }

    /// <summary>The template's file; null where <see cref="TemplateBody"/> has it.</summary>
    public string? TemplatePath { get; init; }

    public string? TemplateBody { get; init; }

    /// <summary>By logical id.</summary>
    public required IReadOnlyDictionary<string, ImportIdentifier> Resources { get; init; }

    /// <summary>The template's parameters; what is not given keeps its value in the stack, or its default.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = new Dictionary<string, string>();
}
