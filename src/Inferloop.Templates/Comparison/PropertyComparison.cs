using System.Collections.Frozen;
using System.Text.RegularExpressions;

namespace Inferloop.Templates;

/// <summary>Compares the properties of one resource before and after.</summary>
internal sealed partial class PropertyComparison(ResourceTypeSpecification? specification, IReadOnlyDictionary<string, Replacement> replaced)
{
    // The keys by which items of lists are told apart, in order of preference.
    private static readonly string[] s_keys =
    [
        "Key", "Name", "PolicyName", "IndexName", "AttributeName", "Sid", "Id", "ID", "ContainerName", "CapacityProvider", "DeviceName", "MountPoint", "VolumeName", "ParameterKey", "Priority",
    ];

    // Lists whose order means nothing to AWS.
    private static readonly FrozenSet<string> s_unordered = new[]
    {
        "Tags", "TagSpecifications", "SecurityGroupIngress", "SecurityGroupEgress", "SecurityGroupIds", "SecurityGroups", "VpcSecurityGroupIds", "VPCSecurityGroups", "VPCSecurityGroupIds",
        "Subnets", "SubnetIds", "RouteTableIds", "AvailabilityZones", "VPCZoneIdentifier", "ManagedPolicyArns", "Policies", "AttributeDefinitions", "CapacityProviders", "EnableCloudwatchLogsExports",
        "EnabledCloudwatchLogsExports", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "NonKeyAttributes", "RequiresCompatibilities", "Environment", "Secrets", "Roles", "Users", "Groups", "Regions",
    }.ToFrozenSet(StringComparer.Ordinal);

    private readonly List<PropertyChange> _changes = [];

    public IReadOnlyList<PropertyChange> Compare(MapValue before, MapValue after)
    {
        CompareMaps(before, after, "", specification?.Properties, Replacement.Never);
        return _changes;
    }

    private static Replacement Effect(PropertySpecification? property) => property?.UpdateType switch
    {
        PropertyUpdateType.Immutable => Replacement.Always,
        PropertyUpdateType.Conditional => Replacement.Conditional,
        _ => Replacement.Never,
    };

    private void CompareMaps(MapValue before, MapValue after, string path, IReadOnlyDictionary<string, PropertySpecification>? properties, Replacement inherited)
    {
        foreach (var (key, now) in after.Entries)
        {
            Visit(key, before[key], now);
        }

        foreach (var (key, was) in before.Entries)
        {
            if (after[key] is null)
            {
                Visit(key, was, null);
            }
        }

        void Visit(string key, Value? was, Value? now)
        {
            var property = properties?.GetValueOrDefault(key);
            var own = Effect(property);
            CompareValues(was, now, path.Length == 0 ? key : path + "." + key, key, property?.Type, own > inherited ? own : inherited);
        }
    }

    private void CompareValues(Value? before, Value? after, string path, string name, PropertyTypeSpecification? type, Replacement effect)
    {
        switch (before, after)
        {
            case (MapValue was, MapValue now):
                if (type?.Kind == PropertyKind.Map)
                {
                    CompareElements(was, now, path, name, type.Element, effect);
                }
                else
                {
                    var nested = type?.Nested ?? type?.Alternatives.FirstOrDefault(a => a.Kind == PropertyKind.Object)?.Nested;
                    CompareMaps(was, now, path, nested?.Properties, effect);
                }

                break;
            case (ListValue was, ListValue now):
                CompareLists(was, now, path, name, type?.Element, effect);
                break;
            case (not null, not null) when Value.Same(before, after):
                CheckCauses(before, after, path, effect);
                break;
            default:
                Add(before, after, path, effect);
                break;
        }
    }

    private void CompareElements(MapValue before, MapValue after, string path, string name, PropertyTypeSpecification? element, Replacement effect)
    {
        foreach (var key in after.Keys.Concat(before.Keys.Where(k => after[k] is null)))
        {
            CompareValues(before[key], after[key], path + "." + key, name, element, effect);
        }
    }

    private void CompareLists(ListValue before, ListValue after, string path, string name, PropertyTypeSpecification? element, Replacement effect)
    {
        var unordered = s_unordered.Contains(name) || element?.Kind == PropertyKind.Tag;
        if (KeyOf(before, after) is { } key)
        {
            var was = before.Items.ToDictionary(i => i[key]!.AsString()!, StringComparer.Ordinal);
            var changes = _changes.Count;
            foreach (var item in after.Items)
            {
                var id = item[key]!.AsString()!;
                was.Remove(id, out var old);
                CompareValues(old, item, $"{path}[{key}={id}]", name, element, effect);
            }

            foreach (var (id, gone) in was)
            {
                Add(gone, null, $"{path}[{key}={id}]", effect);
            }

            if (!unordered && _changes.Count == changes && !before.Items.Select(i => i[key]!.AsString()).SequenceEqual(after.Items.Select(i => i[key]!.AsString())))
            {
                Add(before, after, path, effect);
            }

            return;
        }

        if (unordered)
        {
            CompareUnordered(before, after, path, name, element, effect);
            return;
        }

        for (var i = 0; i < Math.Max(before.Items.Count, after.Items.Count); i++)
        {
            CompareValues(i < before.Items.Count ? before.Items[i] : null, i < after.Items.Count ? after.Items[i] : null, $"{path}[{i}]", name, element, effect);
        }
    }

    private void CompareUnordered(ListValue before, ListValue after, string path, string name, PropertyTypeSpecification? element, Replacement effect)
    {
        var gone = before.Items.ToList();
        var come = new List<(Value Item, int Index)>();
        for (var i = 0; i < after.Items.Count; i++)
        {
            var now = after.Items[i];
            var at = gone.FindIndex(g => Value.Same(g, now));
            if (at >= 0)
            {
                CompareValues(gone[at], now, $"{path}[{i}]", name, element, effect);
                gone.RemoveAt(at);
            }
            else
            {
                come.Add((now, i));
            }
        }

        foreach (var (item, index) in come)
        {
            Add(null, item, $"{path}[{index}]", effect);
        }

        foreach (var item in gone)
        {
            Add(item, null, $"{path}[{Index(before, item)}]", effect);
        }
    }

    private static int Index(ListValue list, Value item)
    {
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (ReferenceEquals(list.Items[i], item))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The key that tells all items of both lists apart; null when there is none.</summary>
    private static string? KeyOf(ListValue before, ListValue after)
    {
        if (before.Items.Count + after.Items.Count == 0)
        {
            return null;
        }

        return Array.Find(s_keys, key => Distinct(before, key) && Distinct(after, key));

        static bool Distinct(ListValue list, string key)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var item in list.Items)
            {
                if (item is not MapValue || item[key] is not { IsSecret: false } value || value.AsString() is not { } id || !seen.Add(id))
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>The expression is the same; what it refers to may not be.</summary>
    private void CheckCauses(Value before, Value after, string path, Replacement effect)
    {
        if (Causes(after) is { Count: > 0 } causes)
        {
            _changes.Add(new PropertyChange(path, before, after.IsKnown ? new UnknownValue(after.Sources, after.Location) : after, Adjust(path, effect), true)
            {
                Causes = causes,
                IsDynamic = true,
            });
        }
    }

    private void Add(Value? before, Value? after, string path, Replacement effect)
    {
        if (before is null && after is null)
        {
            return;
        }

        _changes.Add(new PropertyChange(path, before, after, Adjust(path, effect), after is { IsKnown: false })
        {
            Causes = after is null ? [] : Causes(after),
        });
    }

    private Replacement Adjust(string path, Replacement effect) =>
        specification is { ReplacementPaths.Count: > 0 } && specification.ReplacementPaths.Contains(Brackets().Replace(path, ".*"), StringComparer.Ordinal) ? Replacement.Always : effect;

    private List<string> Causes(Value value)
    {
        var causes = new List<string>();
        foreach (var source in value.Sources)
        {
            var resource = ResourcePath(source);
            if (replaced.ContainsKey(resource) && !causes.Contains(resource))
            {
                causes.Add(resource);
            }
        }

        foreach (var item in value.Items.Concat((value as MapValue)?.Entries.Select(e => e.Value) ?? []))
        {
            causes.AddRange(Causes(item).Where(c => !causes.Contains(c)));
        }

        return causes;
    }

    /// <summary>The resource of a source: <c>Network/Db</c> of <c>Network/Db.Endpoint.Address</c>.</summary>
    internal static string ResourcePath(string source)
    {
        var dot = source.IndexOf('.', source.LastIndexOf('/') + 1);
        return dot < 0 ? source : source[..dot];
    }

    /// <summary>The property of the resource that a path begins with: <c>ContainerDefinitions</c> of <c>ContainerDefinitions[0].Image</c>.</summary>
    internal static string TopLevel(string path)
    {
        var end = path.AsSpan().IndexOfAny('.', '[');
        return end < 0 ? path : path[..end];
    }

    [GeneratedRegex(@"\[[^\]]*\]")]
    private static partial Regex Brackets();
}
