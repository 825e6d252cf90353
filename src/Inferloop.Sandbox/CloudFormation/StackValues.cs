using System.Text.Json.Nodes;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>Physical ids and attributes of a stack's resources and, by path, of those of its nested stacks.</summary>
internal sealed class StackValues(StackRecord? stack, StackStore store) : IResourceValues
{
    public Value? Ref(string logicalId) => Find(logicalId) is { } record && (record.Reference ?? record.PhysicalId) is { } text
        ? new StringValue(text)
        : null;

    public Value? Attribute(string logicalId, string name)
    {
        if (Find(logicalId) is not { } record)
        {
            return null;
        }
        if (record.IsNestedStack && name.StartsWith("Outputs.", StringComparison.Ordinal))
        {
            var output = record.PhysicalId is { } id && store.Find(id) is { } child
                ? child.Outputs.FirstOrDefault(candidate => candidate.Name == name["Outputs.".Length..])
                : null;
            return output?.Value;
        }
        return record.Attributes.TryGetValue(name, out var node) ? FromNode(node)
            : Descend(record.Attributes, name);
    }

    /// <summary>A provider may give <c>Endpoint</c> as an object where the template asks for <c>Endpoint.Address</c>.</summary>
    private static Value? Descend(IReadOnlyDictionary<string, JsonNode?> attributes, string name)
    {
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !attributes.TryGetValue(name[..dot], out var node))
        {
            return null;
        }
        foreach (var part in name[(dot + 1)..].Split('.'))
        {
            node = node is JsonObject map && map.TryGetPropertyValue(part, out var inner) ? inner : null;
        }
        return node is null ? null : FromNode(node);
    }

    /// <summary>Attributes come as strings, whatever they are in the API.</summary>
    private static Value? FromNode(JsonNode? node) => node switch
    {
        null => null,
        JsonArray or JsonObject => Value.FromJson(node),
        _ => new StringValue(Protocols.Scalars.Text(node) ?? ""),
    };

    private ResourceRecord? Find(string path)
    {
        var current = stack;
        var rest = path;
        while (current is not null)
        {
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            ResourceRecord? record;
            lock (current.Gate)
            {
                record = current.Resources.GetValueOrDefault(slash < 0 ? rest : rest[..slash]);
            }
            if (record is null || !IsUsable(record))
            {
                return null;
            }
            if (slash < 0)
            {
                return record;
            }
            current = record.PhysicalId is { } id ? store.Find(id) : null;
            rest = rest[(slash + 1)..];
        }
        return null;
    }

    /// <summary>A resource being created has a physical id before it has all its attributes; neither is used before it is complete.</summary>
    private static bool IsUsable(ResourceRecord record) =>
        record.PhysicalId is not null && record.Status is not ("CREATE_IN_PROGRESS" or "CREATE_FAILED" or "DELETE_COMPLETE" or "DELETE_SKIPPED");
}
