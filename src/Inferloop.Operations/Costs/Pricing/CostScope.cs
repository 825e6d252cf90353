using Inferloop.Templates;

namespace Inferloop.Operations.Costs.Pricing;

/// <summary>All resources of an estimate, and who refers to whom.</summary>
internal sealed class CostScope
{
    private readonly Dictionary<(EvaluatedStack Root, string Path), CostedResource> _byPath = [];
    private readonly Dictionary<string, List<CostedResource>> _byType = new(StringComparer.Ordinal);
    private readonly List<CostedResource> _all = [];
    private readonly Dictionary<string, object> _facts = new(StringComparer.Ordinal);

    private readonly IReadOnlyDictionary<string, MapValue>? _instead;

    /// <summary>Collects the resources of stacks.</summary>
    /// <param name="roots">The stacks.</param>
    /// <param name="instead">Properties that single resources are taken to have instead of their own, by path.</param>
    public CostScope(IEnumerable<EvaluatedStack> roots, IReadOnlyDictionary<string, MapValue>? instead = null)
    {
        _instead = instead;
        foreach (var root in roots)
        {
            Collect(root, root, prefix: "", component: null);
        }

        foreach (var resource in _all)
        {
            foreach (var id in resource.Resource.DependsOn)
            {
                Sibling(resource, id)?.Users.Add(resource);
            }
        }
    }

    public IReadOnlyList<CostedResource> All => _all;

    /// <summary>Whether the stacks stand by.</summary>
    public bool IsStandby { get; init; }

    public IReadOnlyList<CostedResource> OfType(string type) => _byType.TryGetValue(type, out var found) ? found : [];

    /// <summary>A fact about all resources, found out once however many pricers ask: what is asked for each resource must not look at all.</summary>
    public T Once<T>(string name, Func<CostScope, T> find)
        where T : notnull
    {
        if (!_facts.TryGetValue(name, out var fact))
        {
            _facts[name] = fact = find(this);
        }

        return (T)fact;
    }

    /// <summary>The resource of the same stack with a logical id.</summary>
    public CostedResource? Sibling(CostedResource resource, string logicalId) => _byPath.GetValueOrDefault((resource.Root, resource.Prefix + logicalId));

    /// <summary>The resources that a value was made from, followed through nested stacks.</summary>
    public IEnumerable<CostedResource> Sources(CostedResource resource, Value? value)
    {
        foreach (var source in value is ListValue list ? list.Items.SelectMany(i => i.Sources) : value?.Sources ?? [])
        {
            // "Network/Vpc.Arn": the attribute begins after the logical id, which holds no dot.
            var name = source.LastIndexOf('/') + 1;
            var dot = source.IndexOf('.', name);
            var path = dot < 0 ? source : source[..dot];
            if ((_byPath.GetValueOrDefault((resource.Root, path)) ?? _byPath.GetValueOrDefault((resource.Root, resource.Prefix + path))) is { } found)
            {
                yield return found;
            }
        }
    }

    private void Collect(EvaluatedStack root, EvaluatedStack stack, string prefix, string? component)
    {
        foreach (var resource in stack.Resources)
        {
            stack.NestedStacks.TryGetValue(resource.LogicalId, out var nested);
            var costed = new CostedResource(this, root, prefix, component, stack.Context.Region, resource, nested is not null) { Instead = _instead?.GetValueOrDefault(prefix + resource.LogicalId) };
            _all.Add(costed);
            _byPath[(root, prefix + resource.LogicalId)] = costed;
            if (!_byType.TryGetValue(resource.Type, out var list))
            {
                _byType[resource.Type] = list = [];
            }

            list.Add(costed);
            if (nested is not null)
            {
                Collect(root, nested, prefix + resource.LogicalId + "/", costed.Component);
            }
        }
    }
}
