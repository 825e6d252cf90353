namespace Inferloop.Templates;

/// <summary>Compares two evaluations of a stack, nested stacks included, as a change set does.</summary>
public static class StackComparer
{
    private const string NestedStack = "AWS::CloudFormation::Stack";

    /// <summary>Compares two evaluations.</summary>
    /// <param name="before">The stack as it is; null when it does not exist.</param>
    /// <param name="after">The stack as it will be; null when it will be deleted.</param>
    /// <returns>What changes.</returns>
    public static StackDifference Compare(EvaluatedStack? before, EvaluatedStack? after) => Compare(before, after, new Dictionary<string, MapValue?>());

    /// <summary>Compares what is there with an evaluation.</summary>
    /// <param name="before">The stack as it was deployed; null when it does not exist.</param>
    /// <param name="after">The stack as it will be; null when it will be deleted.</param>
    /// <param name="live">By path, the properties of resources that are not as they were deployed; null for one that is gone.</param>
    /// <returns>What changes, beginning from what is there.</returns>
    internal static StackDifference Compare(EvaluatedStack? before, EvaluatedStack? after, IReadOnlyDictionary<string, MapValue?> live)
    {
        var old = (before?.AllResources() ?? []).Where(r => !live.TryGetValue(r.Path, out var actual) || actual is not null)
            .ToDictionary(r => r.Path, r => live.TryGetValue(r.Path, out var actual) ? r.With(actual!) : r, StringComparer.Ordinal);
        var changes = new List<ResourceChange?>();
        var stacks = new Dictionary<string, (int Index, EvaluatedResource Before, EvaluatedResource After)>(StringComparer.Ordinal);
        var replaced = new Dictionary<string, Replacement>(StringComparer.Ordinal);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var resource in after?.AllResources() ?? [])
        {
            kept.Add(resource.Path);
            ResourceChange? change;
            if (!old.TryGetValue(resource.Path, out var was))
            {
                change = new ResourceChange(ChangeAction.Add, resource.LogicalId, resource.Path, resource.Type, Replacement.Never, [], null, resource);
                replaced[resource.Path] = Replacement.Always;
            }
            else
            {
                change = CompareResource(was, resource, replaced);
                if (change is { Replacement: not Replacement.Never })
                {
                    replaced[resource.Path] = change.Replacement;
                }

                if (change is null && resource.Type == NestedStack)
                {
                    // Reported all the same when something inside it changes; its place comes before its resources.
                    stacks[resource.Path] = (changes.Count, was, resource);
                    changes.Add(null);
                }
            }

            if (change is not null)
            {
                changes.Add(change);
                MarkParents(resource.Path);
            }
        }

        var removed = new List<ResourceChange>();
        foreach (var resource in old.Values.Where(r => !kept.Contains(r.Path)))
        {
            removed.Add(new ResourceChange(ChangeAction.Remove, resource.LogicalId, resource.Path, resource.Type, Replacement.Never, [], resource, null));
            MarkParents(resource.Path);
        }

        removed.Reverse();
        return new StackDifference([.. changes.OfType<ResourceChange>(), .. removed]);

        void MarkParents(string path)
        {
            for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
            {
                if (stacks.Remove(path[..slash], out var stack))
                {
                    changes[stack.Index] = new ResourceChange(ChangeAction.Modify, stack.After.LogicalId, stack.After.Path, NestedStack, Replacement.Never, [], stack.Before, stack.After);
                }
            }
        }
    }

    /// <summary>Whether the outputs of two evaluations differ, in themselves or in nested stacks: CloudFormation then updates a stack whose resources all stay as they are.</summary>
    /// <param name="before">The stack as it is.</param>
    /// <param name="after">The stack as it will be.</param>
    /// <returns>Whether any output, or its export, differs.</returns>
    public static bool OutputsDiffer(EvaluatedStack before, EvaluatedStack after) =>
        before.Outputs.Count != after.Outputs.Count
        || after.Outputs.Values.Any(output => !before.Outputs.TryGetValue(output.Name, out var old) || old.ExportName != output.ExportName || !Value.Same(old.Value, output.Value))
        || after.NestedStacks.Any(nested => before.NestedStacks.TryGetValue(nested.Key, out var old) && OutputsDiffer(old, nested.Value));

    private static ResourceChange? CompareResource(EvaluatedResource before, EvaluatedResource after, IReadOnlyDictionary<string, Replacement> replaced)
    {
        if (before.Type != after.Type)
        {
            // CloudFormation refuses this; the change says what it would have to mean.
            var type = new PropertyChange("Type", new StringValue(before.Type), new StringValue(after.Type), Replacement.Always, false);
            return new ResourceChange(ChangeAction.Modify, after.LogicalId, after.Path, after.Type, Replacement.Always, [], before, after) { Attributes = [type] };
        }

        var specification = ResourceSpecification.Default.Find(after.Type);
        var properties = new PropertyComparison(specification, replaced).Compare(before.Properties, after.Properties);
        var attributes = CompareAttributes(before, after);
        if (properties.Count == 0 && attributes.Count == 0)
        {
            return null;
        }

        var replacement = Replacement.Never;
        foreach (var property in properties)
        {
            // A change that may not happen at all cannot make a replacement certain.
            var effect = property.IsDynamic && property.RequiresRecreation == Replacement.Always ? Replacement.Conditional : property.RequiresRecreation;
            replacement = effect > replacement ? effect : replacement;
        }

        return new ResourceChange(ChangeAction.Modify, after.LogicalId, after.Path, after.Type, replacement, properties, before, after) { Attributes = attributes };
    }

    private static List<PropertyChange> CompareAttributes(EvaluatedResource before, EvaluatedResource after)
    {
        var changes = new List<PropertyChange>();
        Add("Metadata", before.Metadata, after.Metadata);
        Add("CreationPolicy", before.CreationPolicy, after.CreationPolicy);
        Add("UpdatePolicy", before.UpdatePolicy, after.UpdatePolicy);
        Add("DeletionPolicy", new StringValue(before.DeletionPolicy), new StringValue(after.DeletionPolicy));
        Add("UpdateReplacePolicy", new StringValue(before.UpdateReplacePolicy), new StringValue(after.UpdateReplacePolicy));
        return changes;

        void Add(string name, Value? was, Value? now)
        {
            if (!(was is null && now is null) && !Value.Same(was, now))
            {
                changes.Add(new PropertyChange(name, was, now, Replacement.Never, now is { IsKnown: false }));
            }
        }
    }
}
