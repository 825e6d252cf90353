namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>A step into a document: a member of a map or an element of a list.</summary>
internal readonly record struct PathStep(string? Name, int Index)
{
    public override string ToString() => Name ?? $"[{Index}]";
}

/// <summary>A document path such as <c>a.b[2].c</c>, names already substituted.</summary>
internal sealed class DocumentPath(IReadOnlyList<PathStep> steps)
{
    public IReadOnlyList<PathStep> Steps => steps;

    public string Root => steps[0].Name!;

    public AttributeValue? Find(IReadOnlyDictionary<string, AttributeValue>? item)
    {
        if (item is null || !item.TryGetValue(Root, out var value))
        {
            return null;
        }
        for (var i = 1; i < steps.Count; i++)
        {
            var step = steps[i];
            if (step.Name is not null ? value.Kind != AttributeKind.M || !value.Map.TryGetValue(step.Name, out value)
                : value.Kind != AttributeKind.L || step.Index >= value.List.Count)
            {
                return null;
            }
            value = step.Name is null ? value!.List[step.Index] : value;
        }
        return value;
    }

    /// <summary>Whether one path is the other or leads through it.</summary>
    public bool Overlaps(DocumentPath other)
    {
        var length = Math.Min(steps.Count, other.Steps.Count);
        for (var i = 0; i < length; i++)
        {
            if (steps[i] != other.Steps[i])
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Whether the two step differently (by name and by index) into the same value.</summary>
    public bool Conflicts(DocumentPath other)
    {
        var length = Math.Min(steps.Count, other.Steps.Count);
        for (var i = 0; i < length; i++)
        {
            if (steps[i] != other.Steps[i])
            {
                return (steps[i].Name is null) != (other.Steps[i].Name is null);
            }
        }
        return false;
    }

    /// <summary>As DynamoDB shows paths in its messages: <c>[a, b, [2]]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", steps)}]";
}
