using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CostExplorer;

/// <summary>The expressions of Cost Explorer and of budgets.</summary>
internal static class BillFilter
{
    private static readonly string[] Operators = ["Or", "And", "Not", "Dimensions", "Tags", "CostCategories"];

    /// <summary>Refuses what AWS refuses.</summary>
    public static void Check(JsonObject expression)
    {
        var given = Operators.Where(expression.Has).ToList();
        if (given.Count != 1)
        {
            throw new ServiceFault("ValidationException", "Filter and FilterExpression must have exactly one root operator: " + string.Join(", ", Operators));
        }
        foreach (var list in (string[])["Or", "And"])
        {
            var parts = expression.Objects(list).ToList();
            if (expression.Has(list) && parts.Count < 2)
            {
                throw new ServiceFault("ValidationException", $"{list} must have at least two operands");
            }
            parts.ForEach(Check);
        }
        if (expression.Child("Not") is { } negated)
        {
            Check(negated);
        }
    }

    public static bool Matches(JsonObject expression, SandboxBillLine row, string accountId)
    {
        if (expression.Has("Or"))
        {
            return expression.Objects("Or").Any(part => Matches(part, row, accountId));
        }
        if (expression.Has("And"))
        {
            return expression.Objects("And").All(part => Matches(part, row, accountId));
        }
        if (expression.Child("Not") is { } negated)
        {
            return !Matches(negated, row, accountId);
        }
        if (expression.Child("Tags") is { } tag)
        {
            return IsAmong(tag, row.Tags.GetValueOrDefault(tag.Required("Key")));
        }
        if (expression.Child("Dimensions") is { } dimension)
        {
            return IsAmong(dimension, Dimension(row, dimension.Required("Key"), accountId));
        }
        // No cost category exists here, so nothing is in one.
        return false;
    }

    /// <summary>The filters that budgets had before expressions: all keys must hold, each with any of its values.</summary>
    public static bool Matches(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> filters, SandboxBillLine row, string accountId) => filters.All(filter => filter.Key switch
    {
        "TagKeyValue" => filter.Value.Any(value => row.Tags.Any(tag => value == $"user:{tag.Key}${tag.Value}")),
        "Service" => filter.Value.Contains(row.Service),
        "Region" => filter.Value.Contains(row.Region),
        "LinkedAccount" => filter.Value.Contains(accountId),
        "UsageType" => filter.Value.Contains(row.UsageType),
        _ => false,
    });

    public static string? Dimension(SandboxBillLine row, string key, string accountId) => key switch
    {
        "SERVICE" => row.Service,
        "REGION" => row.Region,
        "LINKED_ACCOUNT" => accountId,
        "USAGE_TYPE" => row.UsageType,
        "RECORD_TYPE" => "Usage",
        _ => null,
    };

    private static bool IsAmong(JsonObject condition, string? value)
    {
        var options = condition.Texts("MatchOptions");
        if (options.Contains("ABSENT"))
        {
            return string.IsNullOrEmpty(value);
        }
        if (value is null)
        {
            return false;
        }
        var comparison = options.Contains("CASE_INSENSITIVE") ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        return condition.Texts("Values").Any(wanted =>
            options.Contains("STARTS_WITH") ? value.StartsWith(wanted, comparison)
            : options.Contains("ENDS_WITH") ? value.EndsWith(wanted, comparison)
            : options.Contains("CONTAINS") ? value.Contains(wanted, comparison)
            : value.Equals(wanted, comparison));
    }
}
