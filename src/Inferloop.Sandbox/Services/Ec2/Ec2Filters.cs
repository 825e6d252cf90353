using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>
/// EC2's filters: a name in kebab case leads to a member of the described document (lists are searched through), values may carry wildcards.
/// </summary>
internal static class Ec2Filters
{
    /// <summary>Keeps what matches all filters.</summary>
    /// <param name="documents">The described documents.</param>
    /// <param name="filters">The filters given: names and values.</param>
    /// <param name="known">The filters of this operation: <c>name</c>, or <c>name=Path.To.Member</c> where the name does not tell.</param>
    public static List<JsonObject> Apply(IEnumerable<JsonObject> documents, IEnumerable<JsonObject> filters, string known)
    {
        var paths = known.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(item => item.Split('=')).ToDictionary(
            parts => parts[0], parts => (parts.Length > 1 ? parts[1] : PathOf(parts[0])).Split('.'), StringComparer.Ordinal);
        var result = documents.ToList();
        foreach (var filter in filters)
        {
            var name = filter.Required("Name");
            var values = filter.Texts("Values").Select(Wildcard).ToList();
            bool Any(string? text) => text is not null && values.Exists(value => value.IsMatch(text));
            if (name.StartsWith("tag:", StringComparison.Ordinal))
            {
                var key = name[4..];
                result.RemoveAll(document => !document.Objects("Tags").Any(tag => tag.Text("Key") == key && Any(tag.Text("Value"))));
            }
            else if (name == "tag-key")
            {
                result.RemoveAll(document => !document.Objects("Tags").Any(tag => Any(tag.Text("Key"))));
            }
            else if (paths.TryGetValue(name, out var path))
            {
                result.RemoveAll(document => !Values(document, path, 0).Any(Any));
            }
            else
            {
                throw new ServiceFault("InvalidParameterValue", $"The filter '{name}' is invalid");
            }
        }
        return result;
    }

    private static IEnumerable<string?> Values(JsonNode? node, string[] path, int depth) => node switch
    {
        null => [],
        JsonArray list => list.SelectMany(item => Values(item, path, depth)),
        JsonObject document when depth < path.Length => Values(document[path[depth]], path, depth + 1),
        _ when depth == path.Length => [Documents.AsText(node)],
        _ => [],
    };

    private static string PathOf(string name) => string.Join('.', name.Split('.').Select(part =>
    {
        var text = new StringBuilder();
        foreach (var word in part.Split('-'))
        {
            text.Append(char.ToUpperInvariant(word[0])).Append(word, 1, word.Length - 1);
        }
        return text.ToString();
    }));

    private static Regex Wildcard(string value) => new(
        "^" + Regex.Escape(value).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "\\z",
        RegexOptions.CultureInvariant | RegexOptions.Singleline,
        TimeSpan.FromSeconds(1));
}
