using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb.Expressions;

/// <summary>The names and values that the expressions of one request may use, and which of them they did use.</summary>
internal sealed class ExpressionScope
{
    private readonly Dictionary<string, string> names;
    private readonly Dictionary<string, AttributeValue> values;
    private readonly HashSet<string> used = new(StringComparer.Ordinal);
    private readonly bool hasExpression;

    public ExpressionScope(JsonObject input, params ReadOnlySpan<string> expressions)
    {
        foreach (var expression in expressions)
        {
            hasExpression |= input.Has(expression);
        }
        if (input["ExpressionAttributeNames"] is JsonObject { Count: 0 })
        {
            throw new ServiceFault("ValidationException", "ExpressionAttributeNames must not be empty");
        }
        if (input["ExpressionAttributeValues"] is JsonObject { Count: 0 })
        {
            throw new ServiceFault("ValidationException", "ExpressionAttributeValues must not be empty");
        }
        names = input.Map("ExpressionAttributeNames");
        values = [];
        foreach (var name in names.Keys.Where(name => !name.StartsWith('#') || name.Length == 1))
        {
            throw new ServiceFault("ValidationException", $"ExpressionAttributeNames contains invalid key: Syntax error; key: \"{name}\"");
        }
        foreach (var (name, value) in input.Child("ExpressionAttributeValues") ?? [])
        {
            if (!name.StartsWith(':') || name.Length == 1)
            {
                throw new ServiceFault("ValidationException", $"ExpressionAttributeValues contains invalid key: Syntax error; key: \"{name}\"");
            }
            try
            {
                values[name] = AttributeValue.Parse(value);
            }
            catch (ServiceFault fault)
            {
                throw new ServiceFault(fault.Code, $"ExpressionAttributeValues contains invalid value: {fault.Message} for key {name}");
            }
        }
        if (!hasExpression && names.Count > 0)
        {
            throw new ServiceFault("ValidationException", "ExpressionAttributeNames can only be specified when using expressions");
        }
        if (!hasExpression && values.Count > 0)
        {
            throw new ServiceFault("ValidationException", "ExpressionAttributeValues can only be specified when using expressions");
        }
    }

    public string Name(string placeholder, string parameter)
    {
        used.Add(placeholder);
        return names.TryGetValue(placeholder, out var name) ? name
            : throw ExpressionLexer.Fault(parameter, $"An expression attribute name used in the document path is not defined; attribute name: {placeholder}");
    }

    public AttributeValue Value(string placeholder, string parameter)
    {
        used.Add(placeholder);
        return values.TryGetValue(placeholder, out var value) ? value
            : throw ExpressionLexer.Fault(parameter, $"An expression attribute value used in expression is not defined; attribute value: {placeholder}");
    }

    /// <summary>DynamoDB refuses names and values that no expression uses.</summary>
    public void CheckAllUsed()
    {
        var unusedNames = names.Keys.Where(name => !used.Contains(name)).ToList();
        if (unusedNames.Count > 0)
        {
            throw new ServiceFault("ValidationException", $"Value provided in ExpressionAttributeNames unused in expressions: keys: {{{string.Join(", ", unusedNames)}}}");
        }
        var unusedValues = values.Keys.Where(name => !used.Contains(name)).ToList();
        if (unusedValues.Count > 0)
        {
            throw new ServiceFault("ValidationException", $"Value provided in ExpressionAttributeValues unused in expressions: keys: {{{string.Join(", ", unusedValues)}}}");
        }
    }
}
