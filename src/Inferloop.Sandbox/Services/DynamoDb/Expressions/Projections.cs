namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>Keeps of an item what a projection names.</summary>
internal static class Projections
{
    public static IReadOnlyDictionary<string, AttributeValue> Apply(IReadOnlyDictionary<string, AttributeValue> item, IReadOnlyList<DocumentPath>? paths)
    {
        if (paths is null)
        {
            return item;
        }
        var root = new Node();
        foreach (var path in paths.Where(path => path.Find(item) is not null))
        {
            var node = root;
            foreach (var step in path.Steps)
            {
                node.Children ??= [];
                if (!node.Children.TryGetValue(step, out var child))
                {
                    node.Children[step] = child = new Node();
                }
                node = child;
            }
        }
        return (root.Children ?? []).ToDictionary(pair => pair.Key.Name!, pair => pair.Value.Keep(item[pair.Key.Name!]), StringComparer.Ordinal);
    }

    private sealed class Node
    {
        public Dictionary<PathStep, Node>? Children { get; set; }

        public AttributeValue Keep(AttributeValue value)
        {
            if (Children is null)
            {
                return value;
            }
            return value.Kind == AttributeKind.M
                ? AttributeValue.Of(Children.ToDictionary(pair => pair.Key.Name!, pair => pair.Value.Keep(value.Map[pair.Key.Name!]), StringComparer.Ordinal))
                // The elements of a list close up, in their order.
                : AttributeValue.Of(Children.OrderBy(pair => pair.Key.Index).Select(pair => pair.Value.Keep(value.List[pair.Key.Index])).ToList());
        }
    }
}
