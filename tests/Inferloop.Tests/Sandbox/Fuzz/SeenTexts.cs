using System.Text.Json.Nodes;
using System.Xml.Linq;
using Inferloop.Sandbox.Protocols;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>
/// Texts of answers and accepted requests by the names they stood under, so that later requests name what is there: a request about
/// nothing ends in its handler's first line.
/// </summary>
internal sealed class SeenTexts(Random random)
{
    private const int Kept = 24;

    private readonly Dictionary<string, List<string>> texts = new(StringComparer.Ordinal);

    public void Add(string service, JsonNode? node, string name = "")
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (member, value) in members)
                {
                    Add(service, value, member);
                }
                break;
            case JsonArray items:
                foreach (var item in items)
                {
                    Add(service, item, name);
                }
                break;
            case JsonValue value when value.TryGetValue<string>(out var text):
                Add(service, name, text);
                break;
        }
    }

    public void Add(string service, XElement element)
    {
        foreach (var leaf in element.DescendantsAndSelf().Where(item => !item.HasElements))
        {
            Add(service, leaf.Name.LocalName is "member" or "item" ? leaf.Parent?.Name.LocalName ?? "" : leaf.Name.LocalName, leaf.Value);
        }
    }

    /// <summary>A text seen under the name or one like it, in the service's own answers before others'.</summary>
    public string? Find(string service, string name)
    {
        foreach (var form in Forms(name))
        {
            if (texts.GetValueOrDefault(service + "/" + form) is { } own)
            {
                return own[random.Next(own.Count)];
            }
        }
        return texts.GetValueOrDefault(Forms(name)[0]) is { } others ? others[random.Next(others.Count)] : null;
    }

    /// <summary>The names under which a text that is asked for may have been given.</summary>
    private static string[] Forms(string name)
    {
        var lower = name.ToLowerInvariant();
        var single = lower.EndsWith('s') ? lower[..^1] : lower;
        return [single, single + "id", single + "name", single + "arn", single.Replace("identifier", "id", StringComparison.Ordinal), single.EndsWith("arn", StringComparison.Ordinal) ? "arn" : single,
            single.EndsWith("id", StringComparison.Ordinal) ? "id" : single, single.EndsWith("name", StringComparison.Ordinal) ? "name" : single];
    }

    private void Add(string service, string name, string text)
    {
        if (text.Length is 0 or > 2_000 || name.Length == 0)
        {
            return;
        }
        var form = Forms(name)[0];
        Keep(form, text);
        Keep(service + "/" + form, text);
    }

    private void Keep(string key, string text)
    {
        if (!texts.TryGetValue(key, out var list))
        {
            texts[key] = list = [];
        }
        if (list.Contains(text))
        {
            return;
        }
        if (list.Count < Kept)
        {
            list.Add(text);
            return;
        }
        list[random.Next(Kept)] = text;
    }
}
