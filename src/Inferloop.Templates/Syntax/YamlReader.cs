using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Inferloop.Templates.Syntax;

/// <summary>
/// Reads YAML as CloudFormation does: YAML 1.1 scalars, tags as short forms of functions. Aliases and merges are followed (and
/// noted, because the service itself refuses them).
/// </summary>
internal sealed class YamlReader
{
    private readonly Parser _parser;
    private readonly NodeReading _reading;
    private readonly Dictionary<string, Node?> _anchors = new(StringComparer.Ordinal);
    private readonly Dictionary<Node, int> _sizes = new(ReferenceEqualityComparer.Instance);
    private long _nodes;

    private YamlReader(string text, NodeReading reading)
    {
        _parser = new Parser(new StringReader(text));
        _reading = reading;
    }

    public SourceLocation? FirstAlias { get; private set; }

    public static (Node Root, SourceLocation? FirstAlias) Read(string text, NodeReading reading)
    {
        var reader = new YamlReader(text, reading);
        try
        {
            return (reader.ReadDocument(), reader.FirstAlias);
        }
        catch (YamlException e)
        {
            var reason = e.InnerException is null ? e.Message : e.InnerException.Message;
            throw reading.Fatal(DiagnosticCodes.InvalidYaml, "YAML not well-formed: " + Sentence(reason), reader.At(e.Start));
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or IndexOutOfRangeException or FormatException or OverflowException)
        {
            // The scanner meets some malformed input with the base library's exceptions rather than its own.
            throw reading.Fatal(DiagnosticCodes.InvalidYaml, "YAML not well-formed: " + Sentence(e.Message), null);
        }
    }

    private static string Sentence(string message)
    {
        // YamlDotNet puts "(Line: 1, Col: 2, Idx: 3) - (...): " first; the location already says that.
        var mark = message.LastIndexOf("): ", StringComparison.Ordinal);
        var text = (message.StartsWith('(') && mark >= 0 ? message[(mark + 3)..] : message).Trim();
        return text.EndsWith('.') ? text : text + ".";
    }

    private static int Offset(long index) => (int)Math.Min(index, int.MaxValue);

    private SourceLocation At(Mark mark) => new(_reading.File, (int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    private Node ReadDocument()
    {
        _parser.MoveNext(); // stream start
        if (!_parser.MoveNext() || _parser.Current is not DocumentStart)
        {
            throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "The template is empty.", new SourceLocation(_reading.File, 1, 1));
        }

        _parser.MoveNext();
        var root = ReadNode(0) ?? throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "The template is empty.", new SourceLocation(_reading.File, 1, 1));
        // The node reader leaves the parser on the document's end.
        _parser.MoveNext();
        if (_parser.Current is DocumentStart next)
        {
            throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "A template is one YAML document; a second one starts here.", At(next.Start));
        }

        return root;
    }

    /// <summary>Reads the node the parser stands on and moves past it; null for a null value (already reported).</summary>
    private Node? ReadNode(int depth)
    {
        var current = _parser.Current ?? throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "The text ends in the middle of a value.", null);
        if (depth > NodeReading.MaximumDepth)
        {
            throw _reading.Fatal(DiagnosticCodes.InvalidYaml, $"Values are nested deeper than {NodeReading.MaximumDepth} levels.", At(current.Start));
        }

        switch (current)
        {
            case AnchorAlias alias:
                _parser.MoveNext();
                FirstAlias ??= At(alias.Start);
                if (!_anchors.TryGetValue(alias.Value.Value, out var target))
                {
                    throw _reading.Fatal(DiagnosticCodes.InvalidYaml, $"The alias '*{alias.Value.Value}' has no anchor before it.", At(alias.Start));
                }

                Count(target is null ? 1 : Size(target), alias.Start);
                return target;
            case Scalar scalar:
                _parser.MoveNext();
                Count(1, scalar.Start);
                return Anchored(scalar, ReadScalar(scalar));
            case SequenceStart sequence:
                _parser.MoveNext();
                Count(1, sequence.Start);
                return Anchored(sequence, ReadSequence(sequence, depth));
            case MappingStart mapping:
                _parser.MoveNext();
                Count(1, mapping.Start);
                return Anchored(mapping, ReadMapping(mapping, depth));
            default:
                throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "A value was expected here.", At(current.Start));
        }
    }

    private void Count(long nodes, Mark at)
    {
        _nodes += nodes;
        if (_nodes > NodeReading.MaximumNodes)
        {
            throw _reading.Fatal(DiagnosticCodes.LimitExceeded, "The template's aliases multiply to more values than a template can hold.", At(at));
        }
    }

    private int Size(Node node)
    {
        if (_sizes.TryGetValue(node, out var known))
        {
            return known;
        }

        long size = 1;
        switch (node)
        {
            case SequenceNode sequence:
                foreach (var item in sequence.Items)
                {
                    size += Size(item);
                }

                break;
            case MappingNode mapping:
                foreach (var entry in mapping.Entries)
                {
                    size += Size(entry.Value);
                }

                break;
        }

        return _sizes[node] = (int)Math.Min(size, int.MaxValue / 2);
    }

    private Node? Anchored(NodeEvent start, Node? node)
    {
        if (!start.Anchor.IsEmpty)
        {
            _anchors[start.Anchor.Value] = node; // null: the null was reported
        }

        return node;
    }

    private Node? ReadScalar(Scalar scalar)
    {
        var location = At(scalar.Start);
        var (start, end) = (Offset(scalar.Start.Index), Offset(scalar.End.Index));
        var tag = Tag(scalar);
        if (tag is not null && ShortForms.Function(tag) is { } function)
        {
            var argument = new ScalarNode(scalar.Value, ScalarKind.String, location, start, end);
            return ShortForms.Expand(function, argument, location);
        }

        if (tag is not null)
        {
            switch (tag)
            {
                case "tag:yaml.org,2002:str":
                    return new ScalarNode(scalar.Value, ScalarKind.String, location, start, end);
                case "tag:yaml.org,2002:int" or "tag:yaml.org,2002:float" or "tag:yaml.org,2002:bool" or "tag:yaml.org,2002:null":
                    break;
                default:
                    _reading.Error(DiagnosticCodes.UnknownFunction, ShortForms.Unknown(tag), location);
                    return new ScalarNode(scalar.Value, ScalarKind.String, location, start, end);
            }
        }
        else if (scalar.Style != ScalarStyle.Plain)
        {
            return new ScalarNode(scalar.Value, ScalarKind.String, location, start, end);
        }

        var (kind, text) = YamlScalars.Resolve(scalar.Value);
        if (kind == ScalarKind.Null)
        {
            _reading.NullValue(location);
            return null;
        }

        return new ScalarNode(text, kind, location, start, end);
    }

    private Node ReadSequence(SequenceStart first, int depth)
    {
        var location = At(first.Start);
        var items = new List<Node>();
        var index = 0;
        while (_parser.Current is not SequenceEnd)
        {
            _reading.Push((index++).ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (ReadNode(depth + 1) is { } item)
            {
                items.Add(item);
            }

            _reading.Pop();
        }

        var end = _parser.Current.End;
        _parser.MoveNext();
        var sequence = new SequenceNode(items, location, Offset(first.Start.Index), Offset(end.Index));
        return WithTag(first, sequence, location);
    }

    private Node ReadMapping(MappingStart first, int depth)
    {
        var location = At(first.Start);
        var entries = new List<MappingEntry>();
        List<MappingNode>? merges = null;
        while (_parser.Current is not MappingEnd)
        {
            if (_parser.Current is not Scalar key)
            {
                throw _reading.Fatal(DiagnosticCodes.InvalidYaml, "A key must be a plain string.", At(_parser.Current!.Start));
            }

            var plain = key.Style == ScalarStyle.Plain;
            var name = plain && key.Tag.IsEmpty ? YamlScalars.Resolve(key.Value) is var (kind, text) && kind != ScalarKind.Null ? text : key.Value : key.Value;
            var keyLocation = At(key.Start);
            if (!key.Anchor.IsEmpty)
            {
                _anchors[key.Anchor.Value] = new ScalarNode(name, ScalarKind.String, keyLocation, Offset(key.Start.Index), Offset(key.End.Index));
            }

            _parser.MoveNext();
            Count(1, key.Start);
            _reading.Push(name);
            var value = ReadNode(depth + 1);
            _reading.Pop();
            if (name == "<<" && plain)
            {
                FirstAlias ??= keyLocation;
                AddMerges(value, keyLocation, merges ??= []);
            }
            else if (value is not null)
            {
                entries.Add(new MappingEntry(name, keyLocation, value));
            }
        }

        var end = _parser.Current.End;
        _parser.MoveNext();
        if (merges is not null)
        {
            Merge(entries, merges);
        }

        var mapping = _reading.Mapping(entries, location, Offset(first.Start.Index), Offset(end.Index));
        return WithTag(first, mapping, location);
    }

    private void AddMerges(Node? value, SourceLocation location, List<MappingNode> merges)
    {
        List<Node?> parts = value is SequenceNode sequence ? [.. sequence.Items] : [value];
        foreach (var part in parts)
        {
            if (part is MappingNode mapping)
            {
                merges.Add(mapping);
            }
            else
            {
                _reading.Error(DiagnosticCodes.InvalidYaml, "'<<' merges a mapping, or a list of mappings.", part?.Location ?? location);
            }
        }
    }

    private static void Merge(List<MappingEntry> entries, List<MappingNode> merges)
    {
        // Own keys win over merged ones, earlier merges over later ones.
        var have = new HashSet<string>(entries.Select(e => e.Key), StringComparer.Ordinal);
        foreach (var entry in merges.SelectMany(m => m.Entries))
        {
            if (have.Add(entry.Key))
            {
                entries.Add(entry);
            }
        }
    }

    private Node WithTag(NodeEvent start, Node node, SourceLocation location)
    {
        var tag = Tag(start);
        if (tag is null or "tag:yaml.org,2002:map" or "tag:yaml.org,2002:seq")
        {
            return node;
        }

        if (ShortForms.Function(tag) is { } function)
        {
            return ShortForms.Expand(function, node, location);
        }

        _reading.Error(DiagnosticCodes.UnknownFunction, ShortForms.Unknown(tag), location);
        return node;
    }

    private static string? Tag(NodeEvent node) => node.Tag.IsEmpty || node.Tag.IsNonSpecific ? null : node.Tag.Value;
}
