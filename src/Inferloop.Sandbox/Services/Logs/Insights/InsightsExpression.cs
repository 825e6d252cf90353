namespace Inferloop.Sandbox.Services.Logs.Insights;

/// <summary>Part of a query that has a value for each row, or, with an aggregate in it, for each group of rows.</summary>
internal abstract record InsightsExpression
{
    public abstract object? Of(InsightsRow row);

    /// <summary>The value for a group; by default that of its first row.</summary>
    public virtual object? OfGroup(IReadOnlyList<InsightsRow> rows) => rows.Count > 0 ? Of(rows[0]) : null;

    public virtual bool IsAggregate => false;
}

internal sealed record Constant(object? Value) : InsightsExpression
{
    public override object? Of(InsightsRow row) => Value;
}

internal sealed record FieldOf(string Name) : InsightsExpression
{
    public override object? Of(InsightsRow row) => row[Name];
}

/// <summary>A function of values: an operator, or one with a name.</summary>
internal sealed record Applied(IReadOnlyList<InsightsExpression> Arguments, Func<object?[], object?> Function) : InsightsExpression
{
    public override bool IsAggregate => Arguments.Any(argument => argument.IsAggregate);

    public override object? Of(InsightsRow row) => Function([.. Arguments.Select(argument => argument.Of(row))]);

    public override object? OfGroup(IReadOnlyList<InsightsRow> rows) => Function([.. Arguments.Select(argument => argument.OfGroup(rows))]);
}

/// <summary>A function of a group of rows.</summary>
internal sealed record Aggregate(Func<IReadOnlyList<InsightsRow>, object?> Function) : InsightsExpression
{
    public override bool IsAggregate => true;

    public override object? Of(InsightsRow row) => Function([row]);

    public override object? OfGroup(IReadOnlyList<InsightsRow> rows) => Function(rows);
}

/// <summary>An expression with the name of its column.</summary>
internal sealed record NamedExpression(string Name, InsightsExpression Expression);
