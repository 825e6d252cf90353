using System.Text.Json.Nodes;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>A property that a change set lists because its value is known only afterwards, although it stays the same.</summary>
internal sealed record ApparentProperty(string Name, Value? Before, Replacement RequiresRecreation, string Source, string Cause)
{
    public JsonObject ToDetail() => new()
    {
        ["Target"] = new JsonObject
        {
            ["Attribute"] = "Properties",
            [nameof(Name)] = Name,
            [nameof(RequiresRecreation)] = RequiresRecreation switch { Replacement.Always => "Always", Replacement.Conditional => "Conditionally", _ => "Never" },
            ["Path"] = "/Properties/" + Name,
            ["BeforeValue"] = ValueRendering.Scalar(Before),
            ["AfterValue"] = ValueRendering.KnownAfterApply,
            ["AttributeChangeType"] = "Modify",
        },
        ["Evaluation"] = "Dynamic",
        ["ChangeSource"] = Source,
        ["CausingEntity"] = Cause,
    };
}

/// <summary>
/// What CloudFormation believes to change because it does not look across the border of a nested stack: every nested stack that exists is
/// modified (its template might be another one), whatever takes one of its outputs is known only afterwards, and so is what a nested stack
/// makes of a parameter that got such a value.
/// </summary>
internal sealed class ApparentChanges
{
    private readonly Dictionary<string, IReadOnlyList<ApparentProperty>> properties = new(StringComparer.Ordinal);

    private ApparentChanges()
    {
    }

    public static ApparentChanges Of(StackComparison comparison)
    {
        var changes = new ApparentChanges();
        if (comparison is { Before: { } before, HasChanges: true })
        {
            changes.Add(before, comparison.After, new HashSet<string>(StringComparer.Ordinal));
        }
        return changes;
    }

    /// <summary>The properties of a resource that only seem to change.</summary>
    public IReadOnlyList<ApparentProperty> this[string path] => properties.GetValueOrDefault(path) ?? [];

    /// <summary>Nested stacks and resources of one stack that are listed for nothing else.</summary>
    public bool Lists(EvaluatedResource resource) => properties.ContainsKey(resource.Path);

    private void Add(EvaluatedStack before, EvaluatedStack after, HashSet<string> unknownParameters)
    {
        var nested = after.NestedStacks.Keys.Where(before.NestedStacks.ContainsKey).ToHashSet(StringComparer.Ordinal);
        var replaced = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in after.Resources)
        {
            if (before.FindResource(resource.LogicalId) is not { } was || was.Type != resource.Type)
            {
                continue;
            }
            var found = Unknown(resource, was, nested, replaced, unknownParameters);
            if (found.Count > 0 || nested.Contains(resource.LogicalId))
            {
                properties[resource.Path] = found;
            }
            if (found.Any(property => property.RequiresRecreation == Replacement.Always))
            {
                replaced.Add(resource.LogicalId);
            }
            if (nested.Contains(resource.LogicalId))
            {
                var unknown = resource.References.Where(reference => nested.Contains(reference.LogicalId)).Select(reference => reference.Path)
                    .Concat(resource.ParameterReferences.Where(reference => unknownParameters.Contains(reference.Name)).Select(reference => reference.Path))
                    .Where(path => path.StartsWith("Properties.Parameters.", StringComparison.Ordinal))
                    .Select(path => path["Properties.Parameters.".Length..].Split('.', '[')[0]);
                Add(before.NestedStacks[resource.LogicalId], after.NestedStacks[resource.LogicalId], unknown.ToHashSet(StringComparer.Ordinal));
            }
        }
    }

    private static List<ApparentProperty> Unknown(EvaluatedResource resource, EvaluatedResource was, HashSet<string> nested, HashSet<string> replaced, HashSet<string> unknownParameters)
    {
        var specification = ResourceSpecification.Default.Find(resource.Type);
        var found = new Dictionary<string, ApparentProperty>(StringComparer.Ordinal);
        foreach (var reference in resource.References.Where(reference => nested.Contains(reference.LogicalId) || replaced.Contains(reference.LogicalId)))
        {
            var entity = reference.Attribute is null ? reference.LogicalId : $"{reference.LogicalId}.{reference.Attribute}";
            Take(reference.Path, reference.Attribute is null ? "ResourceReference" : "ResourceAttribute", entity);
        }
        foreach (var reference in resource.ParameterReferences.Where(reference => unknownParameters.Contains(reference.Name)))
        {
            Take(reference.Path, "ParameterReference", reference.Name);
        }
        return [.. found.Values];

        void Take(string path, string source, string cause)
        {
            const string Prefix = "Properties.";
            if (!path.StartsWith(Prefix, StringComparison.Ordinal))
            {
                return;
            }
            var name = PropertyComparison.TopLevel(path[Prefix.Length..]);
            var effect = specification?.Properties.GetValueOrDefault(name)?.UpdateType switch
            {
                PropertyUpdateType.Immutable => Replacement.Always,
                PropertyUpdateType.Conditional => Replacement.Conditional,
                _ => Replacement.Never,
            };
            found.TryAdd(name, new ApparentProperty(name, was.Properties[name], effect, source, cause));
        }
    }
}
