using System.Text;
using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>
/// Expands Fn::ForEach of AWS::LanguageExtensions: wherever it stands, the entries it makes take its place. Trees without loops
/// come back as they are.
/// </summary>
internal sealed class LoopExpander(ExpressionEvaluator evaluator, ReportError error)
{
    private const string Prefix = "Fn::ForEach::";
    private const int MaximumEntries = 20_000;

    private int _made;

    public MappingNode Expand(MappingNode map, string path) => (MappingNode)Rewrite(map, path);

    private Node Rewrite(Node node, string path)
    {
        switch (node)
        {
            case SequenceNode list:
                Node[]? items = null;
                for (var i = 0; i < list.Items.Count; i++)
                {
                    var item = Rewrite(list.Items[i], path);
                    if (!ReferenceEquals(item, list.Items[i]))
                    {
                        items ??= [.. list.Items];
                        items[i] = item;
                    }
                }

                return items is null ? list : new SequenceNode(items, list.Location, list.Start, list.End);
            case MappingNode map:
                return RewriteMap(map, path);
            default:
                return node;
        }
    }

    private MappingNode RewriteMap(MappingNode map, string path)
    {
        List<MappingEntry>? entries = null;
        for (var i = 0; i < map.Count; i++)
        {
            var entry = map[i];
            if (entry.Key.StartsWith(Prefix, StringComparison.Ordinal))
            {
                entries ??= [.. map.Entries.Take(i)];
                foreach (var made in ExpandLoop(entry, path))
                {
                    if (entries.Exists(e => e.Key == made.Key) || map.Find(made.Key) is not null)
                    {
                        error(DiagnosticCodes.DuplicateKey, $"{entry.Key} makes '{made.Key}', which exists already.", entry.KeyLocation, path);
                    }
                    else
                    {
                        entries.Add(made);
                    }
                }

                continue;
            }

            var value = Rewrite(entry.Value, path.Length == 0 ? entry.Key : path + "." + entry.Key);
            if (!ReferenceEquals(value, entry.Value))
            {
                entries ??= [.. map.Entries.Take(i)];
            }

            entries?.Add(entry with { Value = value });
        }

        return entries is null ? map : new MappingNode([.. entries], map.Location, map.Start, map.End);
    }

    private IEnumerable<MappingEntry> ExpandLoop(MappingEntry loop, string path)
    {
        if (loop.Value is not SequenceNode { Items: [ScalarNode identifier, var collection, MappingNode body] })
        {
            error(DiagnosticCodes.InvalidFunction, $"{loop.Key} takes a list of an identifier, a collection and a mapping to repeat.", loop.Value.Location, path);
            yield break;
        }

        if (!Names.IsAlphanumeric(identifier.Text))
        {
            error(DiagnosticCodes.InvalidName, $"The identifier '{identifier.Text}' of {loop.Key} must have letters and digits only.", identifier.Location, path);
            yield break;
        }

        var values = evaluator.EvaluateWithoutResources(path + "." + loop.Key, collection);
        if (values is not ListValue list)
        {
            if (values is not UnknownValue { Sources.Count: 0 })
            {
                error(DiagnosticCodes.InvalidFunction, $"The collection of {loop.Key} must be a list known before any resource exists, not {values}.", collection.Location, path);
            }

            yield break;
        }

        foreach (var item in list.Items)
        {
            if (item.AsString() is not { } text)
            {
                if (item is not UnknownValue { Sources.Count: 0 })
                {
                    error(DiagnosticCodes.InvalidFunction, $"The items of {loop.Key} must be strings, not {item}.", collection.Location, path);
                }

                continue;
            }

            foreach (var entry in body.Entries)
            {
                if (++_made > MaximumEntries)
                {
                    error(DiagnosticCodes.LimitExceeded, $"Fn::ForEach makes more than {MaximumEntries:N0} entries.", loop.KeyLocation, path);
                    yield break;
                }

                var substitution = new Substitution(identifier.Text, text);
                var value = substitution.Apply(entry.Value);
                var key = substitution.Apply(entry.Key);
                if (key.StartsWith(Prefix, StringComparison.Ordinal))
                {
                    foreach (var inner in ExpandLoop(new MappingEntry(key, entry.KeyLocation, value), path))
                    {
                        yield return inner;
                    }
                }
                else
                {
                    yield return new MappingEntry(key, entry.KeyLocation, Rewrite(value, path + "." + key));
                }
            }
        }
    }

    /// <summary>Puts one item of a collection in the place of the identifier: <c>${Id}</c>, <c>&amp;{Id}</c> and <c>Ref: Id</c>.</summary>
    private readonly struct Substitution(string identifier, string value)
    {
        private readonly string _full = "${" + identifier + "}";
        private readonly string _alphanumeric = "&{" + identifier + "}";

        public string Apply(string text)
        {
            if (text.Contains(_full, StringComparison.Ordinal))
            {
                text = text.Replace(_full, value, StringComparison.Ordinal);
            }

            if (text.Contains(_alphanumeric, StringComparison.Ordinal))
            {
                var letters = new StringBuilder();
                foreach (var c in value.Where(char.IsAsciiLetterOrDigit))
                {
                    letters.Append(c);
                }

                text = text.Replace(_alphanumeric, letters.ToString(), StringComparison.Ordinal);
            }

            return text;
        }

        public Node Apply(Node node)
        {
            switch (node)
            {
                case ScalarNode scalar:
                    var text = Apply(scalar.Text);
                    return ReferenceEquals(text, scalar.Text) ? scalar : new ScalarNode(text, scalar.Kind, scalar.Location, scalar.Start, scalar.End);
                case SequenceNode list:
                    var items = new Node[list.Items.Count];
                    for (var i = 0; i < items.Length; i++)
                    {
                        items[i] = Apply(list.Items[i]);
                    }

                    return new SequenceNode(items, list.Location, list.Start, list.End);
                case MappingNode { Count: 1 } map when map[0].Key == "Ref" && map[0].Value is ScalarNode name && name.Text == identifier:
                    return new ScalarNode(value, ScalarKind.String, map.Location, map.Start, map.End);
                case MappingNode map:
                    var entries = new MappingEntry[map.Count];
                    for (var i = 0; i < entries.Length; i++)
                    {
                        entries[i] = new MappingEntry(Apply(map[i].Key), map[i].KeyLocation, Apply(map[i].Value));
                    }

                    return new MappingNode(entries, map.Location, map.Start, map.End);
                default:
                    return node;
            }
        }
    }
}
