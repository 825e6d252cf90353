using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>The right side of a SET: always computed from the item as it was before the update.</summary>
internal abstract record UpdateOperand
{
    public abstract AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item);

    protected static AttributeValue Required(UpdateOperand operand, IReadOnlyDictionary<string, AttributeValue> item) => operand.Evaluate(item)
        ?? throw new ServiceFault("ValidationException", "The provided expression refers to an attribute that does not exist in the item");
}

internal sealed record UpdateConstant(AttributeValue Value) : UpdateOperand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item) => Value;
}

internal sealed record UpdatePath(DocumentPath Path) : UpdateOperand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item) => Path.Find(item);
}

internal sealed record IfNotExistsOperand(DocumentPath Path, UpdateOperand Otherwise) : UpdateOperand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item) => Path.Find(item) ?? Required(Otherwise, item);
}

internal sealed record ListAppendOperand(UpdateOperand First, UpdateOperand Second) : UpdateOperand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item)
    {
        var (first, second) = (Required(First, item), Required(Second, item));
        return first.Kind == AttributeKind.L && second.Kind == AttributeKind.L
            ? AttributeValue.Of([.. first.List, .. second.List])
            : throw UpdateAction.WrongType();
    }
}

internal sealed record ArithmeticOperand(UpdateOperand Left, UpdateOperand Right, bool Subtract) : UpdateOperand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue> item)
    {
        var (left, right) = (Required(Left, item), Required(Right, item));
        if (left.Kind != AttributeKind.N || right.Kind != AttributeKind.N)
        {
            throw UpdateAction.WrongType();
        }
        return DynamoNumber.TryAdd(left.Number, Subtract ? -right.Number : right.Number, out var sum, out var error)
            ? AttributeValue.Of(sum)
            : throw new ServiceFault("ValidationException", error);
    }
}

/// <summary>One action of an update expression.</summary>
internal abstract record UpdateAction(DocumentPath Path)
{
    public static ServiceFault WrongType() => new("ValidationException", "An operand in the update expression has an incorrect data type");
}

internal sealed record SetAction(DocumentPath Path, UpdateOperand Value) : UpdateAction(Path);

internal sealed record RemoveAction(DocumentPath Path) : UpdateAction(Path);

internal sealed record AddAction(DocumentPath Path, AttributeValue Value) : UpdateAction(Path);

internal sealed record DeleteAction(DocumentPath Path, AttributeValue Value) : UpdateAction(Path);

/// <summary>An update expression, to be applied to an item.</summary>
internal sealed class UpdateExpression(IReadOnlyList<UpdateAction> actions)
{
    public IReadOnlyList<UpdateAction> Actions => actions;

    /// <summary>The item after the update; the given one stays as it is.</summary>
    public Dictionary<string, AttributeValue> Apply(IReadOnlyDictionary<string, AttributeValue> item)
    {
        // Everything is computed from the item as it was, then written; what leaves lists leaves them from their end, so that
        // the indexes of the expression keep their meaning.
        var writes = new List<(DocumentPath Path, AttributeValue? Value)>();
        foreach (var action in actions)
        {
            switch (action)
            {
                case SetAction set:
                    writes.Add((set.Path, set.Value.Evaluate(item)
                        ?? throw new ServiceFault("ValidationException", "The provided expression refers to an attribute that does not exist in the item")));
                    break;
                case AddAction add:
                    writes.Add((add.Path, Added(add.Path.Find(item), add.Value)));
                    break;
                case DeleteAction delete when delete.Path.Find(item) is { } present:
                    writes.Add((delete.Path, Without(present, delete.Value)));
                    break;
                case RemoveAction remove:
                    writes.Add((remove.Path, null));
                    break;
            }
        }
        var result = new Dictionary<string, AttributeValue>(item, StringComparer.Ordinal);
        foreach (var (path, value) in writes.Where(write => write.Value is not null).OrderBy(write => LastIndex(write.Path)))
        {
            Write(result, path, value);
        }
        foreach (var (path, _) in writes.Where(write => write.Value is null).OrderByDescending(write => write.Path.Steps.Count).ThenByDescending(write => LastIndex(write.Path)))
        {
            Write(result, path, null);
        }
        return result;
    }

    private static int LastIndex(DocumentPath path) => path.Steps[^1].Name is null ? path.Steps[^1].Index : -1;

    private static AttributeValue Added(AttributeValue? present, AttributeValue value)
    {
        if (present is null)
        {
            return value;
        }
        if (present.Kind != value.Kind)
        {
            throw UpdateAction.WrongType();
        }
        if (value.Kind == AttributeKind.N)
        {
            return DynamoNumber.TryAdd(present.Number, value.Number, out var sum, out var error)
                ? AttributeValue.Of(sum)
                : throw new ServiceFault("ValidationException", error);
        }
        return AttributeValue.OfSet(value.Kind, present.Set.Union(value.Set).ToList());
    }

    private static AttributeValue? Without(AttributeValue present, AttributeValue value)
    {
        if (present.Kind != value.Kind)
        {
            throw UpdateAction.WrongType();
        }
        var rest = present.Set.Except(value.Set).ToList();
        return rest.Count == 0 ? null : AttributeValue.OfSet(value.Kind, rest);
    }

    private static void Write(Dictionary<string, AttributeValue> item, DocumentPath path, AttributeValue? value)
    {
        if (path.Steps.Count == 1)
        {
            Put(item, path.Root, value);
            return;
        }
        if (!item.TryGetValue(path.Root, out var root))
        {
            throw InvalidPath();
        }
        item[path.Root] = Write(root, path.Steps, 1, value);
    }

    /// <summary>The container with the value at the path; containers on the way are copied.</summary>
    private static AttributeValue Write(AttributeValue container, IReadOnlyList<PathStep> steps, int depth, AttributeValue? value)
    {
        var step = steps[depth];
        var last = depth == steps.Count - 1;
        if (step.Name is not null)
        {
            if (container.Kind != AttributeKind.M)
            {
                throw InvalidPath();
            }
            var map = new Dictionary<string, AttributeValue>(container.Map, StringComparer.Ordinal);
            if (last)
            {
                Put(map, step.Name, value);
            }
            else
            {
                map[step.Name] = Write(map.GetValueOrDefault(step.Name) ?? throw InvalidPath(), steps, depth + 1, value);
            }
            return AttributeValue.Of(map);
        }
        if (container.Kind != AttributeKind.L)
        {
            throw InvalidPath();
        }
        var list = container.List.ToList();
        if (!last)
        {
            if (step.Index >= list.Count)
            {
                throw InvalidPath();
            }
            list[step.Index] = Write(list[step.Index], steps, depth + 1, value);
        }
        else if (value is null)
        {
            if (step.Index < list.Count)
            {
                list.RemoveAt(step.Index);
            }
        }
        else if (step.Index < list.Count)
        {
            list[step.Index] = value;
        }
        else
        {
            // Beyond the end means at the end.
            list.Add(value);
        }
        return AttributeValue.Of(list);
    }

    private static void Put(Dictionary<string, AttributeValue> map, string name, AttributeValue? value)
    {
        if (value is null)
        {
            map.Remove(name);
        }
        else
        {
            map[name] = value;
        }
    }

    private static ServiceFault InvalidPath() => new("ValidationException", "The document path provided in the update expression is invalid for update");
}
