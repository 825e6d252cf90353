namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>What a condition compares: a path, a value, or the size of what is at a path.</summary>
internal abstract record Operand
{
    public abstract AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue>? item);
}

internal sealed record PathOperand(DocumentPath Path) : Operand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue>? item) => Path.Find(item);
}

internal sealed record ValueOperand(AttributeValue Value) : Operand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue>? item) => Value;
}

internal sealed record SizeOperand(DocumentPath Path) : Operand
{
    public override AttributeValue? Evaluate(IReadOnlyDictionary<string, AttributeValue>? item) =>
        Path.Find(item)?.Length is { } length ? AttributeValue.Of(DynamoNumber.FromLong(length)) : null;
}

/// <summary>A condition over an item; a missing item is one without attributes.</summary>
internal abstract record Condition
{
    public abstract bool Holds(IReadOnlyDictionary<string, AttributeValue>? item);
}

internal sealed record AndCondition(Condition Left, Condition Right) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => Left.Holds(item) && Right.Holds(item);
}

internal sealed record OrCondition(Condition Left, Condition Right) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => Left.Holds(item) || Right.Holds(item);
}

internal sealed record NotCondition(Condition Inner) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => !Inner.Holds(item);
}

internal sealed record CompareCondition(string Operator, Operand Left, Operand Right) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => Compare(Operator, Left.Evaluate(item), Right.Evaluate(item));

    /// <summary>Values of different types are unequal and unordered; what is missing equals nothing.</summary>
    public static bool Compare(string operation, AttributeValue? left, AttributeValue? right)
    {
        if (left is null || right is null)
        {
            return operation == "<>";
        }
        return operation switch
        {
            "=" => left.Equals(right),
            "<>" => !left.Equals(right),
            _ when left.Kind != right.Kind || left.Kind is not (AttributeKind.S or AttributeKind.N or AttributeKind.B) => false,
            "<" => left.CompareTo(right) < 0,
            "<=" => left.CompareTo(right) <= 0,
            ">" => left.CompareTo(right) > 0,
            _ => left.CompareTo(right) >= 0,
        };
    }
}

internal sealed record BetweenCondition(Operand Subject, Operand Low, Operand High) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item)
    {
        var value = Subject.Evaluate(item);
        return CompareCondition.Compare(">=", value, Low.Evaluate(item)) && CompareCondition.Compare("<=", value, High.Evaluate(item));
    }
}

internal sealed record InCondition(Operand Subject, IReadOnlyList<Operand> Choices) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item)
    {
        var value = Subject.Evaluate(item);
        return value is not null && Choices.Any(choice => value.Equals(choice.Evaluate(item)));
    }
}

internal sealed record ExistsCondition(DocumentPath Path, bool Expected) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => Path.Find(item) is not null == Expected;
}

internal sealed record TypeCondition(DocumentPath Path, AttributeKind Kind) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => Path.Find(item)?.Kind == Kind;
}

internal sealed record BeginsWithCondition(Operand Subject, Operand Prefix) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => (Subject.Evaluate(item), Prefix.Evaluate(item)) switch
    {
        ({ Kind: AttributeKind.S } value, { Kind: AttributeKind.S } prefix) => value.Text.StartsWith(prefix.Text, StringComparison.Ordinal),
        ({ Kind: AttributeKind.B } value, { Kind: AttributeKind.B } prefix) => value.Bytes.AsSpan().StartsWith(prefix.Bytes),
        _ => false,
    };
}

internal sealed record ContainsCondition(Operand Subject, Operand Element) : Condition
{
    public override bool Holds(IReadOnlyDictionary<string, AttributeValue>? item) => (Subject.Evaluate(item), Element.Evaluate(item)) switch
    {
        (null, _) or (_, null) => false,
        ({ Kind: AttributeKind.S } value, { Kind: AttributeKind.S } part) => value.Text.Contains(part.Text, StringComparison.Ordinal),
        ({ Kind: AttributeKind.B } value, { Kind: AttributeKind.B } part) => value.Bytes.AsSpan().IndexOf(part.Bytes) >= 0,
        ({ Kind: AttributeKind.L } value, { } part) => value.List.Contains(part),
        ({ IsSet: true } value, { } part) => value.Set.Contains(part),
        _ => false,
    };
}
