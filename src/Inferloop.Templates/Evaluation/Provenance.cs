namespace Inferloop.Templates;

/// <summary>Keeps track of the resources that values were made from.</summary>
internal static class Provenance
{
    public static Value Tag(Value value, string source, SourceLocation? location) => value switch
    {
        StringValue s => new StringValue(s.Text, location ?? s.Location, s.IsSecret, Union(s.Sources, source)),
        NumberValue n => new NumberValue(n.AsString()!, location ?? n.Location, Union(n.Sources, source)),
        BooleanValue b => new StringValue(b.AsString()!, location ?? b.Location, false, [source]),
        ListValue list => new ListValue([.. list.Items.Select(i => Tag(i, source, location))], location ?? list.Location),
        MapValue map => new MapValue(map.Entries.Select(e => KeyValuePair.Create(e.Key, Tag(e.Value, source, location))), location ?? map.Location),
        _ => value,
    };

    public static IReadOnlyList<string> Union(IEnumerable<Value> values)
    {
        List<string>? sources = null;
        foreach (var value in values)
        {
            Collect(value, ref sources);
        }

        return sources is null ? [] : sources;
    }

    private static void Collect(Value value, ref List<string>? sources)
    {
        foreach (var source in value.Sources)
        {
            sources ??= [];
            if (!sources.Contains(source))
            {
                sources.Add(source);
            }
        }

        foreach (var item in value.Items)
        {
            Collect(item, ref sources);
        }

        if (value is MapValue map)
        {
            foreach (var entry in map.Entries)
            {
                Collect(entry.Value, ref sources);
            }
        }
    }

    private static IReadOnlyList<string> Union(IReadOnlyList<string> sources, string source) =>
        sources.Count == 0 ? [source] : sources.Contains(source) ? sources : [.. sources, source];
}
