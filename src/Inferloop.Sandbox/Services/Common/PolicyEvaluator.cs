using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services;

/// <summary>What a policy says of a request.</summary>
internal enum PolicyDecision
{
    /// <summary>No statement speaks of it.</summary>
    ImplicitDeny,
    Allowed,
    ExplicitDeny,
}

/// <summary>A request as policies see it.</summary>
/// <param name="Action">The action, such as <c>sqs:SendMessage</c>.</param>
/// <param name="Resource">The ARN it is about, or an asterisk.</param>
internal sealed record AccessRequest(string Action, string Resource)
{
    /// <summary>Who asks, as a policy of a resource names it: an ARN, or the host name of a service.</summary>
    public string? Principal { get; init; }

    /// <summary>The account of the asking principal.</summary>
    public string? Account { get; init; }

    /// <summary>Condition keys and their values, by lower-case key.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Keys { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}

/// <summary>A statement that spoke of a request.</summary>
internal sealed record PolicyMatch(int Statement, string? Sid, bool Allows);

/// <summary>
/// Evaluation of policies as IAM does it: wildcards in actions and resources, their negations, principals, and the condition operators;
/// a denial wins over every permission.
/// </summary>
internal static class PolicyEvaluator
{
    /// <summary>What the statements of one policy say.</summary>
    /// <param name="policy">The policy's text; null or empty says nothing.</param>
    /// <param name="request">The request.</param>
    /// <param name="isResourcePolicy">Whether its statements name principals.</param>
    /// <param name="matches">Receives the statements that spoke.</param>
    /// <param name="missingKeys">Receives the condition keys that were asked for and not given.</param>
    public static PolicyDecision Evaluate(string? policy, AccessRequest request, bool isResourcePolicy = false, ICollection<PolicyMatch>? matches = null, ISet<string>? missingKeys = null)
    {
        if (string.IsNullOrEmpty(policy))
        {
            return PolicyDecision.ImplicitDeny;
        }
        JsonNode? parsed;
        try
        {
            parsed = JsonNode.Parse(policy);
        }
        catch (JsonException)
        {
            // A policy that cannot be read permits nothing.
            return PolicyDecision.ImplicitDeny;
        }
        IEnumerable<JsonNode?> statements = (parsed as JsonObject)?["Statement"] switch { JsonArray list => list, JsonObject single => [single], _ => [] };
        var decision = PolicyDecision.ImplicitDeny;
        var index = 0;
        foreach (var statement in statements.OfType<JsonObject>())
        {
            index++;
            if (!Applies(statement, request, isResourcePolicy, missingKeys))
            {
                continue;
            }
            var allows = statement.Text("Effect") == "Allow";
            matches?.Add(new PolicyMatch(index, statement.Text("Sid"), allows));
            decision = !allows ? PolicyDecision.ExplicitDeny : decision == PolicyDecision.ExplicitDeny ? decision : PolicyDecision.Allowed;
        }
        return decision;
    }

    private static bool Applies(JsonObject statement, AccessRequest request, bool isResourcePolicy, ISet<string>? missingKeys)
    {
        var action = statement.Has("Action") ? statement.Texts("Action").Any(pattern => ActionMatches(pattern, request.Action))
            : !statement.Texts("NotAction").Any(pattern => ActionMatches(pattern, request.Action));
        if (!action || (isResourcePolicy && !PrincipalMatches(statement, request)))
        {
            return false;
        }
        var resource = statement.Has("Resource") ? statement.Texts("Resource").Any(pattern => ResourceMatches(Substitute(pattern, request), request.Resource))
            : !statement.Has("NotResource") || !statement.Texts("NotResource").Any(pattern => ResourceMatches(Substitute(pattern, request), request.Resource));
        return resource && PolicyConditions.Hold(statement.Child("Condition"), request, missingKeys);
    }

    private static bool ActionMatches(string pattern, string action) => pattern == "*" || Wildcard(pattern, action, ignoreCase: true);

    private static bool ResourceMatches(string pattern, string resource) => pattern == "*" || Wildcard(pattern, resource, ignoreCase: false);

    private static bool PrincipalMatches(JsonObject statement, AccessRequest request)
    {
        var negated = !statement.Has("Principal");
        var wanted = statement["Principal"] ?? statement["NotPrincipal"];
        var matches = wanted is JsonValue ? Documents.AsText(wanted) == "*"
            : wanted is JsonObject map && map.Any(kind => map.Texts(kind.Key).Any(name => kind.Key switch
            {
                "AWS" => name == "*" || name == request.Principal || (request.Account is { } account && (name == account || name.EndsWith($":iam::{account}:root", StringComparison.Ordinal))),
                _ => name == "*" || name == request.Principal,
            }));
        return negated ? !matches : matches;
    }

    /// <summary>Puts values for policy variables such as <c>${aws:username}</c>.</summary>
    internal static string Substitute(string text, AccessRequest request)
    {
        if (!text.Contains("${", StringComparison.Ordinal))
        {
            return text;
        }
        var result = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf('}', open);
            if (close < 0)
            {
                result.Append(text, at, text.Length - at);
                break;
            }
            result.Append(text, at, open - at);
            var name = text[(open + 2)..close];
            // ${*}, ${?} and ${$} stand for the characters themselves.
            result.Append(name is "*" or "?" or "$" ? name
                : request.Keys.GetValueOrDefault(name.ToLowerInvariant()) is [var value, ..] ? value : text[open..(close + 1)]);
            at = close + 1;
        }
        return result.ToString();
    }

    /// <summary>Whether a text matches a pattern in which <c>*</c> is any run of characters and <c>?</c> any one.</summary>
    public static bool Wildcard(string pattern, string text, bool ignoreCase)
    {
        var (p, t, star, mark) = (0, 0, -1, 0);
        bool Same(char a, char b) => a == b || (ignoreCase && char.ToLowerInvariant(a) == char.ToLowerInvariant(b));
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, mark) = (p++, t);
            }
            else if (p < pattern.Length && (pattern[p] == '?' || Same(pattern[p], text[t])))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }
        return p == pattern.Length;
    }
}
