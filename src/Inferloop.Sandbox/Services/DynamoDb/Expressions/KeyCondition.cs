using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>A key condition: one partition, and a range of its sort keys.</summary>
internal sealed record KeyCondition(AttributeValue Partition, SortRange Range, BeginsWithCondition? Prefix)
{
    public static KeyCondition From(Condition condition, KeySchema keys)
    {
        var parts = new List<Condition>();
        Flatten(condition, parts);
        if (parts.Count > 2)
        {
            throw Fault("Conditions can be of length 1 or 2 only");
        }
        AttributeValue? partition = null;
        SortRange? range = null;
        BeginsWithCondition? prefix = null;
        foreach (var part in parts)
        {
            var path = PathOf(part) ?? throw Fault("Query key condition not supported");
            if (path.Steps.Count > 1)
            {
                throw new ServiceFault("ValidationException", "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes");
            }
            if (path.Root == keys.Partition.Name && partition is null)
            {
                partition = part is CompareCondition { Operator: "=", Right: ValueOperand value } ? Checked(value.Value, keys.Partition)
                    : part is CompareCondition { Operator: "=", Left: ValueOperand reversed } ? Checked(reversed.Value, keys.Partition)
                    : throw Fault("Query key condition not supported");
            }
            else if (keys.Sort is { } sort && path.Root == sort.Name && range is null && prefix is null)
            {
                (range, prefix) = RangeOf(part, sort);
            }
            else
            {
                throw Fault($"Query condition missed key schema element: {(partition is null ? keys.Partition.Name : keys.Sort?.Name ?? keys.Partition.Name)}");
            }
        }
        return new KeyCondition(partition ?? throw Fault($"Query condition missed key schema element: {keys.Partition.Name}"), range ?? default, prefix);
    }

    private static void Flatten(Condition condition, List<Condition> parts)
    {
        switch (condition)
        {
            case AndCondition and:
                Flatten(and.Left, parts);
                Flatten(and.Right, parts);
                break;
            case OrCondition:
                throw new ServiceFault("ValidationException", "Invalid operator used in KeyConditionExpression: OR");
            case NotCondition:
                throw new ServiceFault("ValidationException", "Invalid operator used in KeyConditionExpression: NOT");
            case InCondition:
                throw new ServiceFault("ValidationException", "Invalid operator used in KeyConditionExpression: IN");
            case CompareCondition { Operator: "<>" }:
                throw new ServiceFault("ValidationException", "Invalid operator used in KeyConditionExpression: <>");
            case ExistsCondition or TypeCondition or ContainsCondition:
                throw new ServiceFault("ValidationException", "Invalid operator used in KeyConditionExpression: "
                    + (condition is ExistsCondition exists ? exists.Expected ? "attribute_exists" : "attribute_not_exists" : condition is TypeCondition ? "attribute_type" : "contains"));
            default:
                parts.Add(condition);
                break;
        }
    }

    private static DocumentPath? PathOf(Condition part) => part switch
    {
        CompareCondition { Left: PathOperand path } => path.Path,
        CompareCondition { Right: PathOperand path } => path.Path,
        BetweenCondition { Subject: PathOperand path } => path.Path,
        BeginsWithCondition { Subject: PathOperand path } => path.Path,
        _ => null,
    };

    private static (SortRange? Range, BeginsWithCondition? Prefix) RangeOf(Condition part, KeyAttribute sort)
    {
        switch (part)
        {
            case CompareCondition { Left: PathOperand, Right: ValueOperand operand } compare:
                return (RangeFor(compare.Operator, Checked(operand.Value, sort)), null);
            case CompareCondition { Left: ValueOperand operand } compare:
                var mirrored = compare.Operator switch { "<" => ">", "<=" => ">=", ">" => "<", ">=" => "<=", _ => "=" };
                return (RangeFor(mirrored, Checked(operand.Value, sort)), null);
            case BetweenCondition { Low: ValueOperand low, High: ValueOperand high }:
                return (new SortRange(Checked(low.Value, sort), true, Checked(high.Value, sort), true), null);
            case BeginsWithCondition { Prefix: ValueOperand prefix } begins:
                // Everything with the prefix comes at or after it, in one stretch.
                return (new SortRange(Checked(prefix.Value, sort), true, null, false), begins);
            default:
                throw Fault("Query key condition not supported");
        }
    }

    private static SortRange RangeFor(string operation, AttributeValue value) => operation switch
    {
        "=" => new SortRange(value, true, value, true),
        "<" => new SortRange(null, false, value, false),
        "<=" => new SortRange(null, false, value, true),
        ">" => new SortRange(value, false, null, false),
        _ => new SortRange(value, true, null, false),
    };

    private static AttributeValue Checked(AttributeValue value, KeyAttribute key) => value.Kind == key.Kind
        ? value
        : throw Fault("One or more parameter values were invalid: Condition parameter type does not match schema type");

    private static ServiceFault Fault(string message) => new("ValidationException", message);
}
