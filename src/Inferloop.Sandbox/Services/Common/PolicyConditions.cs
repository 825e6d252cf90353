using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services;

/// <summary>The condition block of a policy's statement.</summary>
internal static class PolicyConditions
{
    /// <summary>Whether every operator holds for every of its keys.</summary>
    public static bool Hold(JsonObject? conditions, AccessRequest request, ISet<string>? missingKeys = null)
    {
        foreach (var (name, block) in conditions ?? [])
        {
            foreach (var (key, _) in block as JsonObject ?? [])
            {
                var given = request.Keys.GetValueOrDefault(key.ToLowerInvariant());
                if (given is null)
                {
                    missingKeys?.Add(key);
                }
                if (!Holds(name, given, ((JsonObject)block!).Texts(key).Select(text => PolicyEvaluator.Substitute(text, request)).ToList()))
                {
                    return false;
                }
            }
        }
        return true;
    }

    private static bool Holds(string name, IReadOnlyList<string>? given, List<string> wanted)
    {
        var quantifier = name.Split(':') is [var all, _] ? all : null;
        var operation = quantifier is null ? name : name[(quantifier.Length + 1)..];
        if (operation == "Null")
        {
            return wanted.Any(text => bool.TryParse(text, out var absent) && absent == (given is null));
        }
        var ifExists = operation.EndsWith("IfExists", StringComparison.Ordinal);
        if (ifExists)
        {
            operation = operation[..^"IfExists".Length];
        }
        var negated = operation.Contains("Not", StringComparison.Ordinal);
        if (given is null)
        {
            // A key that is not there: only what is negated or optional holds, and what asks for all of none.
            return ifExists || negated || quantifier == "ForAllValues";
        }
        bool One(string value) => negated ? wanted.TrueForAll(text => Compare(operation, value, text)) : wanted.Exists(text => Compare(operation, value, text));
        return quantifier switch
        {
            "ForAllValues" => given.All(One),
            "ForAnyValue" => given.Any(One),
            _ => given.Count > 0 && given.All(One),
        };
    }

    private static bool Compare(string operation, string value, string wanted) => operation switch
    {
        "StringEquals" or "BinaryEquals" => string.Equals(value, wanted, StringComparison.Ordinal),
        "StringNotEquals" => !string.Equals(value, wanted, StringComparison.Ordinal),
        "StringEqualsIgnoreCase" => string.Equals(value, wanted, StringComparison.OrdinalIgnoreCase),
        "StringNotEqualsIgnoreCase" => !string.Equals(value, wanted, StringComparison.OrdinalIgnoreCase),
        "StringLike" => PolicyEvaluator.Wildcard(wanted, value, ignoreCase: false),
        "StringNotLike" => !PolicyEvaluator.Wildcard(wanted, value, ignoreCase: false),
        "ArnEquals" or "ArnLike" => ArnMatches(wanted, value),
        "ArnNotEquals" or "ArnNotLike" => !ArnMatches(wanted, value),
        "Bool" => string.Equals(value, wanted, StringComparison.OrdinalIgnoreCase),
        "IpAddress" => InRange(value, wanted),
        "NotIpAddress" => !InRange(value, wanted),
        _ when operation.StartsWith("Numeric", StringComparison.Ordinal) => Number(value) is { } left && Number(wanted) is { } right && Ordered(operation["Numeric".Length..], left.CompareTo(right)),
        _ when operation.StartsWith("Date", StringComparison.Ordinal) => Moment(value) is { } left && Moment(wanted) is { } right && Ordered(operation["Date".Length..], left.CompareTo(right)),
        _ => false,
    };

    private static bool Ordered(string relation, int order) => relation switch
    {
        "Equals" => order == 0,
        "NotEquals" => order != 0,
        "LessThan" => order < 0,
        "LessThanEquals" => order <= 0,
        "GreaterThan" => order > 0,
        "GreaterThanEquals" => order >= 0,
        _ => false,
    };

    private static decimal? Number(string text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static DateTimeOffset? Moment(string text) =>
        Number(text) is { } seconds ? DateTimeOffset.FromUnixTimeMilliseconds((long)(seconds * 1000))
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : null;

    /// <summary>ARNs are matched part by part: a wildcard does not reach over a colon, but for the last part.</summary>
    private static bool ArnMatches(string pattern, string value)
    {
        var (wanted, given) = (pattern.Split(':', 6), value.Split(':', 6));
        return wanted.Length == 6 && given.Length == 6
            ? wanted.Zip(given).All(pair => PolicyEvaluator.Wildcard(pair.First, pair.Second, ignoreCase: false))
            : PolicyEvaluator.Wildcard(pattern, value, ignoreCase: false);
    }

    private static bool InRange(string value, string range) => IPAddress.TryParse(value, out var address)
        && (IPNetwork.TryParse(range, out var network) ? network.Contains(address) : IPAddress.TryParse(range, out var single) && single.Equals(address));
}
