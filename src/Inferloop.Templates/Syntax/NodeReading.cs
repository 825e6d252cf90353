namespace Inferloop.Templates.Syntax;

/// <summary>What both readers share: limits, duplicate keys, nulls, short forms.</summary>
internal sealed class NodeReading(string? file)
{
    /// <summary>Deeper than any template that means something; keeps hostile input from exhausting the stack.</summary>
    public const int MaximumDepth = 100;

    /// <summary>A template of one megabyte cannot hold more nodes, unless aliases multiply them.</summary>
    public const int MaximumNodes = 1_500_000;

    private readonly List<string> _path = [];

    public List<Diagnostic> Diagnostics { get; } = [];

    public string? File { get; } = file;

    public void Push(string part) => _path.Add(part);

    public void Pop() => _path.RemoveAt(_path.Count - 1);

    public void Error(string code, string message, SourceLocation? location) =>
        Diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, CurrentPath()));

    public TemplateException Fatal(string code, string message, SourceLocation? location)
    {
        Diagnostics.Add(new Diagnostic(code, DiagnosticSeverity.Error, message, location, null));
        return new TemplateException(Diagnostics);
    }

    public string? CurrentPath() => _path.Count == 0 ? null : "/" + string.Join('/', _path);

    /// <summary>Makes a mapping, reporting keys that stand twice.</summary>
    public MappingNode Mapping(List<MappingEntry> entries, SourceLocation location, int start, int end)
    {
        if (entries.Count > 1)
        {
            var seen = new Dictionary<string, SourceLocation>(entries.Count, StringComparer.Ordinal);
            for (var i = 0; i < entries.Count; i++)
            {
                var entry = entries[i];
                if (!seen.TryAdd(entry.Key, entry.KeyLocation))
                {
                    Error(DiagnosticCodes.DuplicateKey, $"The key '{entry.Key}' stands twice here; first on line {seen[entry.Key].Line}.", entry.KeyLocation);
                    entries.RemoveAt(i--);
                }
            }
        }

        return new MappingNode([.. entries], location, start, end);
    }

    public void NullValue(SourceLocation location) =>
        Error(DiagnosticCodes.NullValue, "'null' values are not allowed in templates: give a value, or leave the key out.", location);
}
