using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Advice;

/// <summary>A change of one resource's properties that may save something.</summary>
internal sealed record TemplateIdea(CostRecommendationKind Kind, string Path, string Title, string Evidence, string Risk, string Property, Value Value)
{
    public string Was { get; init; } = "";

    /// <summary>What it becomes, in words where the value is no text.</summary>
    public string Becomes { get; init; } = Value.AsString() ?? "";

    /// <summary>What it saves, where two estimates cannot tell.</summary>
    public decimal? Saving { get; init; }
}

/// <summary>Values with one thing in them changed.</summary>
internal static class Changed
{
    public static Value Text(string text) => new StringValue(text);

    /// <summary>A map in which the value at a path is another; a number in the path is an index of a list.</summary>
    public static MapValue With(this MapValue map, string path, Value value) => (MapValue)Set(map, path.Split('.'), value);

    private static Value Set(Value? at, ReadOnlySpan<string> path, Value value)
    {
        if (path.Length == 0)
        {
            return value;
        }

        if (int.TryParse(path[0], out var index) && at is ListValue list)
        {
            var items = list.Items.ToList();
            items[index] = Set(items[index], path[1..], value);
            return new ListValue(items);
        }

        var entries = (at as MapValue)?.Entries.ToList() ?? [];
        var key = path[0];
        var present = entries.FindIndex(e => e.Key == key);
        var changed = KeyValuePair.Create(key, Set(present < 0 ? null : entries[present].Value, path[1..], value));
        if (present < 0)
        {
            entries.Add(changed);
        }
        else
        {
            entries[present] = changed;
        }

        return new MapValue(entries.ToArray());
    }
}
