using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>Tags as lists of key and value, whatever a service calls those two.</summary>
internal static class Tags
{
    /// <summary>Adds or replaces tags in a document's list.</summary>
    public static void Put(JsonObject document, string member, IEnumerable<JsonObject> tags, string key = "Key", string value = "Value")
    {
        var list = document.ListOrNew(member);
        foreach (var tag in tags.ToList())
        {
            var name = tag.Text(key);
            var old = list.OfType<JsonObject>().FirstOrDefault(item => item.Text(key) == name);
            if (old is not null)
            {
                old[value] = tag.Text(value) ?? "";
            }
            else
            {
                list.Add((JsonNode)new JsonObject { [key] = name, [value] = tag.Text(value) ?? "" });
            }
        }
    }

    public static void Remove(JsonObject document, string member, IEnumerable<string> keys, string key = "Key")
    {
        var gone = keys.ToHashSet(StringComparer.Ordinal);
        document[member] = document.Objects(member).Where(tag => !gone.Contains(tag.Text(key) ?? "")).Select(tag => tag.Copy()).ToJsonList();
    }

    /// <summary>The limits every service has: fifty tags, key of 128 and value of 256 characters, no <c>aws:</c> prefix from users.</summary>
    public static void Check(IEnumerable<JsonObject> tags, string code = "ValidationException", string key = "Key", string value = "Value")
    {
        var count = 0;
        foreach (var tag in tags)
        {
            var name = tag.Text(key) ?? "";
            if (!name.StartsWith("aws:", StringComparison.Ordinal) && ++count > 50)
            {
                throw new ServiceFault(code, "The number of tags exceeds the limit of 50.");
            }
            if (name.Length is 0 or > 128)
            {
                throw new ServiceFault(code, $"Tag key '{name}' must have a length between 1 and 128.");
            }
            if ((tag.Text(value) ?? "").Length > 256)
            {
                throw new ServiceFault(code, $"The value of tag '{name}' must not be longer than 256 characters.");
            }
        }
    }

    /// <summary>Tags of <c>[{Key, Value}]</c> with other names for the two.</summary>
    public static JsonArray As(IEnumerable<JsonObject> tags, string key, string value) => tags
        .Select(tag => new JsonObject { [key] = tag.Text("Key") ?? tag.Text("key"), [value] = tag.Text("Value") ?? tag.Text("value") ?? "" })
        .ToJsonList();

    public static JsonObject AsMap(IEnumerable<JsonObject> tags) =>
        tags.ToDictionary(tag => tag.Text("Key") ?? tag.Text("key") ?? tag.Text("TagKey") ?? "", tag => tag.Text("Value") ?? tag.Text("value") ?? tag.Text("TagValue") ?? "", StringComparer.Ordinal).ToMap();

    public static IEnumerable<JsonObject> FromMap(JsonObject? map) =>
        (map ?? []).Select(pair => new JsonObject { ["Key"] = pair.Key, ["Value"] = Documents.AsText(pair.Value) ?? "" });

    /// <summary>Tags without those that CloudFormation itself puts on, as a template would have them.</summary>
    public static JsonArray OfTemplate(IEnumerable<JsonObject> tags, string key = "Key", string value = "Value") => tags
        .Where(tag => !(tag.Text(key) ?? "").StartsWith("aws:", StringComparison.Ordinal))
        .Select(tag => new JsonObject { ["Key"] = tag.Text(key), ["Value"] = tag.Text(value) })
        .ToJsonList();
}
