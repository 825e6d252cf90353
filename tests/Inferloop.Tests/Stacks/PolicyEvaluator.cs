using System.Globalization;
using System.Text.RegularExpressions;
using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>
/// What IAM would answer for identity policies: denied unless allowed, and an explicit denial wins. Values that only a deployment
/// knows stand as <c>${Stack/Resource.Attribute}</c>, in policies and in questions alike.
/// </summary>
internal sealed class PolicyEvaluator(IReadOnlyList<Value> statements)
{
    public bool Allows(string action, string resource, params (string Key, string Value)[] context)
    {
        var keys = context.ToDictionary(c => c.Key, c => c.Value, StringComparer.OrdinalIgnoreCase);
        var applicable = statements.Where(s => (s["NotAction"] is { } except ? !Matches(except, action, ignoreCase: true) : Matches(s["Action"], action, ignoreCase: true)) && Matches(s["Resource"], resource, ignoreCase: false) && Holds(s["Condition"], keys)).ToList();
        return applicable.Any(s => s["Effect"]!.AsString() == "Allow") && applicable.All(s => s["Effect"]!.AsString() != "Deny");
    }

    /// <summary>A value's text; of one that is known later, how it is made.</summary>
    public static string Text(Value value) => value.AsString()
        ?? (value is UnknownValue { Expression: { } expression } ? expression : value.Sources.Count == 1 ? "${" + value.Sources[0] + "}" : value.ToString());

    public static List<string> Texts(Value? value) => value is ListValue list ? [.. list.Items.Select(Text)] : value is null ? [] : [Text(value)];

    private static bool Matches(Value? patterns, string text, bool ignoreCase) => Texts(patterns).Any(p => Like(p, text, ignoreCase));

    private static bool Like(string pattern, string text, bool ignoreCase) => Regex.IsMatch(
        text, "^" + Regex.Escape(pattern).Replace(@"\*", ".*", StringComparison.Ordinal).Replace(@"\?", ".", StringComparison.Ordinal) + "$",
        RegexOptions.CultureInvariant | RegexOptions.Singleline | (ignoreCase ? RegexOptions.IgnoreCase : RegexOptions.None));

    private static bool Holds(Value? condition, Dictionary<string, string> context)
    {
        if (condition is not MapValue operators)
        {
            return true;
        }

        foreach (var operation in operators.Keys)
        {
            foreach (var key in ((MapValue)operators[operation]!).Keys)
            {
                var wanted = Texts(operators[operation]![key]);
                context.TryGetValue(key, out var given);
                var holds = operation switch
                {
                    "StringEquals" => given is not null && wanted.Contains(given),
                    "StringNotEquals" => given is null || !wanted.Contains(given),
                    "StringLike" or "ArnLike" or "ArnEquals" => given is not null && wanted.Any(w => Like(w, given, ignoreCase: false)),
                    "ArnNotLike" => given is null || !wanted.Any(w => Like(w, given, ignoreCase: false)),
                    "Null" => wanted.Contains(given is null ? "true" : "false"),
                    "Bool" => given is not null && wanted.Contains(given, StringComparer.OrdinalIgnoreCase),
                    "NumericLessThan" => given is not null && decimal.Parse(given, CultureInfo.InvariantCulture) < decimal.Parse(wanted[0], CultureInfo.InvariantCulture),
                    _ => throw new NotSupportedException($"the condition operator {operation}"),
                };
                if (!holds)
                {
                    return false;
                }
            }
        }

        return true;
    }
}
