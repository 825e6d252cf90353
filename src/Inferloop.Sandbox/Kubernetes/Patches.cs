using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Sandbox.Kubernetes;

/// <summary>The ways a client can send a change: JSON patch (RFC 6902), merge patch (RFC 7396), strategic merge patch.</summary>
internal static class Patches
{
    /// <summary>Members by which strategic merging tells the entries of a list apart; lists that are not here are replaced as a whole.</summary>
    /// <remarks>Of the Go types' <c>patchMergeKey</c> tags, for the kinds that the clusters keep.</remarks>
    private static readonly Dictionary<string, string> MergeKeys = new(StringComparer.Ordinal)
    {
        ["containers"] = "name", ["initContainers"] = "name", ["ephemeralContainers"] = "name", ["env"] = "name", ["volumes"] = "name", ["volumeMounts"] = "mountPath",
        ["volumeDevices"] = "devicePath", ["imagePullSecrets"] = "name", ["hostAliases"] = "ip", ["topologySpreadConstraints"] = "topologyKey", ["conditions"] = "type",
        ["ownerReferences"] = "uid", ["addresses"] = "type", ["taints"] = "key", ["secrets"] = "name",
    };

    public static JsonObject Apply(JsonObject document, string? contentType, ReadOnlyMemory<byte> body)
    {
        var type = (contentType ?? "").Split(';')[0].Trim();
        var patch = Parse(body);
        switch (type)
        {
            case "application/json-patch+json":
                return JsonPatch(document, patch as JsonArray ?? throw KubernetesFault.BadRequest("a JSON patch is a list of operations"));
            case "application/merge-patch+json":
                return Merge(document, Object(patch), strategic: false);
            case "application/strategic-merge-patch+json":
                return Merge(document, Object(patch), strategic: true);
            default:
                throw new KubernetesFault(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json (the sandbox has no server-side apply: '{type}')");
        }
    }

    private static JsonNode? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonNode.Parse(body.Span);
        }
        catch (System.Text.Json.JsonException e)
        {
            throw KubernetesFault.BadRequest("error decoding patch: " + e.Message);
        }
    }

    private static JsonObject Object(JsonNode? node) => node as JsonObject ?? throw KubernetesFault.BadRequest("error decoding patch: expected an object");

    private static JsonObject Merge(JsonObject target, JsonObject patch, bool strategic)
    {
        var result = target.Copy()!;
        if (strategic && patch.Text("$patch") == "replace")
        {
            var whole = patch.Copy()!;
            whole.Remove("$patch");
            return whole;
        }
        foreach (var (name, value) in patch)
        {
            if (strategic && name.StartsWith('$'))
            {
                Directive(result, name, value);
                continue;
            }
            switch (value)
            {
                case null:
                    result.Remove(name);
                    break;
                case JsonObject inner when strategic && inner.Text("$patch") == "delete":
                    result.Remove(name);
                    break;
                case JsonObject inner:
                    // Null members of what is new are left out, as merging into an empty object does.
                    result[name] = Merge(result.Child(name) ?? [], inner, strategic);
                    break;
                case JsonArray list when strategic:
                    result[name] = MergeList(result[name] as JsonArray, list, name);
                    break;
                default:
                    result[name] = value.DeepClone();
                    break;
            }
        }
        return result;
    }

    private static void Directive(JsonObject result, string name, JsonNode? value)
    {
        if (name.StartsWith("$deleteFromPrimitiveList/", StringComparison.Ordinal) && value is JsonArray gone)
        {
            var list = name["$deleteFromPrimitiveList/".Length..];
            var removed = gone.Select(item => item?.ToJsonString()).ToHashSet();
            result[list] = new JsonArray([.. (result[list] as JsonArray ?? []).Where(item => !removed.Contains(item?.ToJsonString())).Select(item => item.Copy())]);
        }
        else if (name == "$retainKeys" && value is JsonArray kept)
        {
            var names = kept.Select(item => item?.ToString()).ToHashSet();
            foreach (var other in result.Select(pair => pair.Key).Where(key => !names.Contains(key)).ToList())
            {
                result.Remove(other);
            }
        }
        else if (name.StartsWith("$setElementOrder/", StringComparison.Ordinal))
        {
            // The order of what is there stays; new entries come after it.
        }
        else
        {
            throw KubernetesFault.BadRequest($"unknown patch directive {name}");
        }
    }

    /// <summary>Ports are told apart by their number: <c>containerPort</c> in a container, <c>port</c> in a Service.</summary>
    private static string? KeyOf(string name, JsonArray list) => name != "ports" ? MergeKeys.GetValueOrDefault(name)
        : list.OfType<JsonObject>().Any(item => item.Has("containerPort")) ? "containerPort" : list.OfType<JsonObject>().Any(item => item.Has("port")) ? "port" : null;

    private static JsonArray MergeList(JsonArray? target, JsonArray patch, string name)
    {
        if (name == "finalizers")
        {
            return new JsonArray([.. (target ?? []).Concat(patch).Select(item => item!.ToString()).Distinct(StringComparer.Ordinal).Select(item => (JsonNode)item!)]);
        }
        var key = KeyOf(name, patch);
        if (key is null || patch.OfType<JsonObject>().Any(item => item.Text("$patch") == "replace"))
        {
            return new JsonArray([.. patch.Where(item => (item as JsonObject)?.Text("$patch") != "replace").Select(item => item.Copy())]);
        }
        var result = (target ?? []).OfType<JsonObject>().Select(item => item.Copy()!).ToList();
        foreach (var entry in patch.OfType<JsonObject>())
        {
            var id = entry[key]?.ToString();
            if (id is null)
            {
                throw KubernetesFault.BadRequest($"map: {entry.ToJsonString()} does not contain declared merge key: {key}");
            }
            var at = result.FindIndex(item => item[key]?.ToString() == id);
            if (entry.Text("$patch") == "delete")
            {
                if (at >= 0)
                {
                    result.RemoveAt(at);
                }
            }
            else if (at >= 0)
            {
                result[at] = Merge(result[at], entry, strategic: true);
            }
            else
            {
                result.Add(Merge([], entry, strategic: true));
            }
        }
        return new JsonArray([.. result]);
    }

    private static JsonObject JsonPatch(JsonObject document, JsonArray operations)
    {
        JsonNode root = document.Copy()!;
        foreach (var operation in operations.Select(Object))
        {
            var path = Pointer(operation.Text("path"));
            switch (operation.Text("op"))
            {
                case "add":
                    Put(root, path, operation["value"].Copy(), insert: true);
                    break;
                case "replace":
                    _ = Read(root, path);
                    Put(root, path, operation["value"].Copy(), insert: false);
                    break;
                case "remove":
                    Take(root, path);
                    break;
                case "test":
                    if (!JsonNode.DeepEquals(Read(root, path), operation["value"]))
                    {
                        throw new KubernetesFault(422, "Invalid", "the server rejected our request due to an error in our request: testing value " + operation.Text("path") + " failed");
                    }
                    break;
                case "copy":
                    Put(root, path, Read(root, Pointer(operation.Text("from"))).Copy(), insert: true);
                    break;
                case "move":
                    Put(root, path, Take(root, Pointer(operation.Text("from"))).Copy(), insert: true);
                    break;
                default:
                    throw KubernetesFault.BadRequest($"Unexpected kind: {operation.Text("op")}");
            }
        }
        return (JsonObject)root;
    }

    private static string[] Pointer(string? path) => path is { Length: > 1 } && path[0] == '/'
        ? path[1..].Split('/').Select(part => part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToArray()
        : throw KubernetesFault.BadRequest($"the path '{path}' of a JSON patch does not name a member");

    private static KubernetesFault Missing(string[] path) => new(422, "Invalid", $"the server rejected our request due to an error in our request: nonexistent path /{string.Join('/', path)}");

    private static JsonNode? Parent(JsonNode root, string[] path)
    {
        JsonNode? node = root;
        foreach (var part in path[..^1])
        {
            node = node switch
            {
                JsonObject map => map[part],
                JsonArray list when Index(part) is { } index && index < list.Count => list[index],
                _ => null,
            };
        }
        return node ?? throw Missing(path);
    }

    private static int? Index(string part) => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? index : null;

    private static JsonNode? Read(JsonNode root, string[] path) => Parent(root, path) switch
    {
        JsonObject map when map.ContainsKey(path[^1]) => map[path[^1]],
        JsonArray list when Index(path[^1]) is { } index && index < list.Count => list[index],
        _ => throw Missing(path),
    };

    private static void Put(JsonNode root, string[] path, JsonNode? value, bool insert)
    {
        switch (Parent(root, path))
        {
            case JsonObject map:
                map[path[^1]] = value;
                break;
            case JsonArray list when path[^1] == "-":
                list.Add(value);
                break;
            case JsonArray list when Index(path[^1]) is { } index && index <= list.Count:
                if (insert)
                {
                    list.Insert(index, value);
                }
                else
                {
                    list[index] = value;
                }
                break;
            default:
                throw Missing(path);
        }
    }

    private static JsonNode? Take(JsonNode root, string[] path)
    {
        var value = Read(root, path);
        switch (Parent(root, path))
        {
            case JsonObject map:
                map.Remove(path[^1]);
                break;
            case JsonArray list:
                list.RemoveAt(Index(path[^1])!.Value);
                break;
        }
        return value;
    }
}
