using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Protocols;

/// <summary>Form parameters (<c>Tags.member.1.Key=…</c>) to documents, by shape: the query protocol and EC2's variant of it.</summary>
internal static class QueryShapes
{
    private const int MaximumParameters = 50_000;
    private const int MaximumDepth = 40;

    public static JsonObject Read(Shape? shape, IReadOnlyList<KeyValuePair<string, string>> parameters, bool ec2)
    {
        if (shape is null)
        {
            return [];
        }
        if (parameters.Count > MaximumParameters)
        {
            throw new MalformedInputException("Too many parameters");
        }
        var root = new Node();
        foreach (var (key, value) in parameters)
        {
            var parts = key.Split('.');
            if (parts.Length > MaximumDepth)
            {
                throw new MalformedInputException("Parameter names are nested too deeply");
            }
            var node = root;
            foreach (var part in parts)
            {
                node = node.Child(part);
            }
            node.Value = value;
        }
        return Structure(shape, root, ec2);
    }

    private static JsonObject Structure(Shape shape, Node node, bool ec2)
    {
        var result = new JsonObject();
        foreach (var member in shape.Members)
        {
            var name = ec2 ? Ec2Name(member) : member.WireName;
            if (!node.TryChild(name, out var child) && !(member.LocationName is not null && node.TryChild(member.Name, out child)))
            {
                // A flattened list goes under the name of its items.
                if (ec2 || !IsFlattened(member) || member.Shape.Item?.LocationName is not { } itemName || !node.TryChild(itemName, out child))
                {
                    continue;
                }
            }
            if (Value(member, child, ec2) is { } value)
            {
                result[member.Name] = value;
            }
        }
        return result;
    }

    private static bool IsFlattened(ShapeMember member) => member.Flattened || member.Shape.Flattened;

    private static JsonNode? Value(ShapeMember member, Node node, bool ec2)
    {
        var shape = member.Shape;
        switch (shape.Type)
        {
            case ShapeType.Structure:
                return Structure(shape, node, ec2);
            case ShapeType.List:
                return List(member, node, ec2);
            case ShapeType.Map:
                return Map(member, node, ec2);
            default:
                if (node.Value is null)
                {
                    return node.HasChildren ? throw new MalformedInputException($"Unexpected complex element for {member.Name}") { Member = member.Name } : null;
                }
                return Scalars.Parse(shape, node.Value)
                    ?? throw new MalformedInputException($"{node.Value} is not a valid value") { Value = node.Value, Member = member.Name };
        }
    }

    private static JsonArray List(ShapeMember member, Node node, bool ec2)
    {
        var items = node;
        if (!ec2 && !IsFlattened(member))
        {
            if (!node.TryChild(member.Shape.Item!.LocationName ?? "member", out items) && !node.TryChild("member", out items))
            {
                // Some callers leave the "member" out.
                items = node;
            }
        }
        else if (ec2 && member.Shape.Item?.LocationName is { } name && node.TryChild(name, out var named))
        {
            items = named;
        }
        var list = new JsonArray();
        foreach (var item in items.Indexed())
        {
            if (Value(member.Shape.Item!, item, ec2) is { } value)
            {
                list.Add(value);
            }
        }
        return list;
    }

    private static JsonObject Map(ShapeMember member, Node node, bool ec2)
    {
        var shape = member.Shape;
        var entries = !IsFlattened(member) && node.TryChild("entry", out var nested) ? nested : node;
        var map = new JsonObject();
        foreach (var entry in entries.Indexed())
        {
            if (entry.TryChild(shape.Key!.LocationName ?? "key", out var key) && key.Value is { } name)
            {
                map[name] = entry.TryChild(shape.Value!.LocationName ?? "value", out var content) ? Value(shape.Value!, content, ec2) : null;
            }
        }
        return map;
    }

    private static string Ec2Name(ShapeMember member)
    {
        if (member.QueryName is { } queryName)
        {
            return queryName;
        }
        var name = member.LocationName ?? member.Name;
        return char.ToUpperInvariant(name[0]) + name[1..];
    }

    private sealed class Node
    {
        private Dictionary<string, Node>? children;

        public string? Value { get; set; }

        public bool HasChildren => children is not null;

        public Node Child(string name)
        {
            children ??= new Dictionary<string, Node>(StringComparer.Ordinal);
            if (!children.TryGetValue(name, out var child))
            {
                children[name] = child = new Node();
            }
            return child;
        }

        public bool TryChild(string name, out Node child)
        {
            if (children is not null && children.TryGetValue(name, out var found))
            {
                child = found;
                return true;
            }
            child = this;
            return false;
        }

        /// <summary>The children with a number for a name, in that number's order.</summary>
        public IEnumerable<Node> Indexed() => children is null
            ? []
            : children
                .Select(pair => (Index: int.TryParse(pair.Key, out var index) ? index : -1, pair.Value))
                .Where(pair => pair.Index >= 0)
                .OrderBy(pair => pair.Index)
                .Select(pair => pair.Value);
    }
}
