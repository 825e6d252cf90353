namespace Inferloop.Templates.Syntax;

/// <summary>What a scalar is, by CloudFormation's YAML 1.1 rules (or by JSON's).</summary>
internal enum ScalarKind
{
    String,
    Integer,
    Float,
    Boolean,
    Null,
}

/// <summary>A node of a template's syntax tree. Immutable; aliases share nodes.</summary>
internal abstract class Node(SourceLocation location, int start, int end)
{
    public SourceLocation Location { get; } = location;

    /// <summary>Offset of the first character in the text; a scalar's includes its quotes.</summary>
    public int Start { get; } = start;

    /// <summary>Offset after the last character.</summary>
    public int End { get; } = end;

    public abstract string Describe();
}

/// <summary>A scalar: <see cref="Text"/> is CloudFormation's string form of it.</summary>
internal sealed class ScalarNode(string text, ScalarKind kind, SourceLocation location, int start, int end) : Node(location, start, end)
{
    private SubTemplate? _sub;
    private Value? _value;

    public string Text { get; } = text;

    public ScalarKind Kind { get; } = kind;

    /// <summary>The text cut at its <c>${...}</c>, made once however often the template is evaluated.</summary>
    public SubTemplate Sub => _sub ??= SubTemplate.Parse(Text);

    /// <summary>The scalar as a value.</summary>
    public Value Value => _value ??= Literals.Scalar(this);

    public override string Describe() => Kind switch
    {
        ScalarKind.Null => "null",
        ScalarKind.String => "a string",
        ScalarKind.Boolean => "a boolean",
        _ => "a number",
    };
}

internal sealed class SequenceNode(IReadOnlyList<Node> items, SourceLocation location, int start, int end) : Node(location, start, end)
{
    public IReadOnlyList<Node> Items { get; } = items;

    public override string Describe() => "a list";
}

internal readonly record struct MappingEntry(string Key, SourceLocation KeyLocation, Node Value);

internal sealed class MappingNode : Node
{
    private readonly MappingEntry[] _entries;
    private readonly Dictionary<string, int>? _index;

    public MappingNode(MappingEntry[] entries, SourceLocation location, int start, int end)
        : base(location, start, end)
    {
        _entries = entries;
        if (entries.Length > 8)
        {
            _index = new Dictionary<string, int>(entries.Length, StringComparer.Ordinal);
            for (var i = 0; i < entries.Length; i++)
            {
                _index[entries[i].Key] = i;
            }
        }
    }

    public IReadOnlyList<MappingEntry> Entries => _entries;

    public int Count => _entries.Length;

    public MappingEntry this[int index] => _entries[index];

    public Node? this[string key] => Find(key)?.Value;

    public MappingEntry? Find(string key)
    {
        if (_index is not null)
        {
            return _index.TryGetValue(key, out var at) ? _entries[at] : null;
        }

        foreach (var entry in _entries)
        {
            if (entry.Key == key)
            {
                return entry;
            }
        }

        return null;
    }

    public override string Describe() => "a mapping";
}
