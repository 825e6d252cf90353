using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>The filter of a lifecycle or replication rule: prefix, tags and sizes, alone or together.</summary>
internal static class ObjectFilter
{
    /// <summary>Whether a rule is enabled and its filter takes an object.</summary>
    public static bool Takes(JsonObject rule, string key, IReadOnlyCollection<KeyValuePair<string, string>> tags, long size)
    {
        var filter = rule.Child("Filter") ?? rule;
        var all = filter.Child("And") ?? filter;
        var wanted = all.Objects("Tags").Concat(filter.Child("Tag") is { } tag ? [tag] : []);
        return rule.Text("Status") == "Enabled"
            && key.StartsWith(all.Text("Prefix") ?? "", StringComparison.Ordinal)
            && wanted.All(item => tags.Contains(KeyValuePair.Create(item.Required("Key"), item.Required("Value"))))
            && !(size <= all.Long("ObjectSizeGreaterThan")) && !(size >= all.Long("ObjectSizeLessThan"));
    }

    /// <summary>Whether the filter speaks of sizes: then it decides, not the default minimum of transitions.</summary>
    public static bool NamesSizes(JsonObject rule) =>
        (rule.Child("Filter")?.Child("And") ?? rule.Child("Filter")) is { } filter && (filter.Has("ObjectSizeGreaterThan") || filter.Has("ObjectSizeLessThan"));
}
