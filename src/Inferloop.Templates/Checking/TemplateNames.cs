using Inferloop.Templates.Syntax;

namespace Inferloop.Templates;

/// <summary>What a template declares, for checks that do not evaluate it: the bodies of loops count once.</summary>
internal sealed class TemplateNames
{
    private const string Prefix = "Fn::ForEach::";

    public TemplateNames(Template template)
    {
        Template = template;
        foreach (var resource in template.Resources.Values)
        {
            Resources.Add((resource.LogicalId, resource.Node));
            Types[resource.LogicalId] = resource.Type;
        }

        AddLoops(template.Root["Resources"] as MappingNode, (key, node) =>
        {
            if (node is MappingNode map)
            {
                Resources.Add((key, map));
            }
        });
        AddLoops(template.Root["Conditions"] as MappingNode, (_, _) => HasComputedConditions = true);
        HasComputedResources = Resources.Count > template.Resources.Count;
    }

    public Template Template { get; }

    public List<(string Id, MappingNode Node)> Resources { get; } = [];

    public Dictionary<string, string> Types { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether loops make resources whose names only an evaluation knows.</summary>
    public bool HasComputedResources { get; }

    public bool HasComputedConditions { get; private set; }

    private static void AddLoops(MappingNode? section, Action<string, Node> add)
    {
        foreach (var entry in section?.Entries ?? [])
        {
            if (entry.Key.StartsWith(Prefix, StringComparison.Ordinal) && entry.Value is SequenceNode { Items: [_, _, MappingNode body] })
            {
                foreach (var inner in body.Entries.Where(e => !e.Key.StartsWith(Prefix, StringComparison.Ordinal)))
                {
                    add(inner.Key, inner.Value);
                }

                AddLoops(body, add);
            }
        }
    }
}
