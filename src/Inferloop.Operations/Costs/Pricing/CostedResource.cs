using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>A resource as its pricer sees it: its properties, and the resources around it.</summary>
internal sealed class CostedResource
{
    private const string ComponentTag = "inferloop:component";
    private readonly CostScope _scope;

    public CostedResource(CostScope scope, EvaluatedStack root, string prefix, string? component, string region, EvaluatedResource resource, bool isExpanded)
    {
        _scope = scope;
        Root = root;
        Prefix = prefix;
        Region = region;
        Resource = resource;
        IsExpandedStack = isExpanded;
        Component = TaggedComponent(resource.Properties)
            ?? component
            ?? (resource.Type == "AWS::CloudFormation::Stack" ? resource.LogicalId.ToLowerInvariant() : "other");
    }

    /// <summary>The properties that it is taken to have; null for its own.</summary>
    public MapValue? Instead { get; init; }

    public MapValue Properties => Instead ?? Resource.Properties;

    public EvaluatedStack Root { get; }

    /// <summary>Path of the stack it is in, with a slash at the end; empty for the root.</summary>
    public string Prefix { get; }

    public string Region { get; }

    public EvaluatedResource Resource { get; }

    public string Component { get; }

    /// <summary>Whether it is a nested stack whose resources are part of the estimate.</summary>
    public bool IsExpandedStack { get; }

    /// <summary>The resources of the same stack that refer to this one.</summary>
    public List<CostedResource> Users { get; } = [];

    /// <summary>Whether the stacks stand by, so that nothing computes.</summary>
    public bool IsStandby => _scope.IsStandby;

    public string Type => Resource.Type;

    public string LogicalId => Resource.LogicalId;

    public string Path => Prefix + Resource.LogicalId;

    public Value? Get(params ReadOnlySpan<string> path)
    {
        Value? value = Properties;
        foreach (var step in path)
        {
            value = value?[step];
        }

        return value;
    }

    public string? Text(params ReadOnlySpan<string> path) => Get(path)?.AsString();

    public decimal? Number(params ReadOnlySpan<string> path) => Get(path) is { } value && value.TryGetNumber(out var number) ? number : null;

    public bool Flag(params ReadOnlySpan<string> path) => Text(path) is "true" or "True";

    public IReadOnlyList<Value> Items(params ReadOnlySpan<string> path) => Get(path)?.Items ?? [];

    /// <summary>The resources of a type that this one refers to, in the same stack.</summary>
    public IEnumerable<CostedResource> Uses(string type) =>
        Resource.DependsOn.Select(id => _scope.Sibling(this, id)).OfType<CostedResource>().Where(r => r.Type == type);

    /// <summary>The resources of a type that refer to this one, in the same stack.</summary>
    public IEnumerable<CostedResource> UsedBy(string type) => Users.Where(r => r.Type == type);

    /// <summary>The resources that a value of this one was made from, in whatever stack.</summary>
    public IEnumerable<CostedResource> Sources(Value? value) => _scope.Sources(this, value);

    private static string? TaggedComponent(Value properties)
    {
        foreach (var tag in properties["Tags"]?.Items ?? [])
        {
            if (tag["Key"]?.AsString() == ComponentTag)
            {
                return tag["Value"]?.AsString();
            }
        }

        return null;
    }
}
