using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services;

/// <summary>Checks of policy documents that AWS makes before it takes one.</summary>
internal static class PolicyDocument
{
    /// <summary>What is wrong with a policy, in AWS's words; null when nothing is.</summary>
    /// <param name="text">The policy.</param>
    /// <param name="isResourcePolicy">Whether its statements name principals (trust and resource policies) or must not (identity policies).</param>
    /// <param name="needsResource">Whether statements name resources (trust policies do not).</param>
    public static string? Problem(string text, bool isResourcePolicy, bool needsResource)
    {
        JsonObject document;
        try
        {
            if (JsonNode.Parse(text) is not JsonObject parsed)
            {
                return "Syntax errors in policy.";
            }
            document = parsed;
        }
        catch (JsonException)
        {
            return "Syntax errors in policy.";
        }
        if (document.Select(pair => pair.Key).FirstOrDefault(key => key is not ("Version" or "Id" or "Statement")) is { } unknown)
        {
            return $"Syntax error at position (1,1): unknown element {unknown}.";
        }
        if (document.Text("Version") is { } version && version is not ("2012-10-17" or "2008-10-17"))
        {
            return "The policy must contain a valid version string";
        }
        IEnumerable<JsonNode?> statements = document["Statement"] switch
        {
            JsonArray list => list,
            JsonObject single => [single],
            _ => [],
        };
        if (!statements.Any())
        {
            return "Syntax errors in policy.";
        }
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var node in statements)
        {
            if (node is not JsonObject statement)
            {
                return "Syntax errors in policy.";
            }
            if (statement.Text("Effect") is not ("Allow" or "Deny"))
            {
                return "Policy statement must contain an effect of Allow or Deny.";
            }
            if (statement.Text("Sid") is { Length: > 0 } id && !ids.Add(id))
            {
                return "Statement IDs (SID) in a single policy must be unique.";
            }
            if (!statement.Has("Action") && !statement.Has("NotAction"))
            {
                return "Policy statement must contain actions.";
            }
            foreach (var action in statement.Texts("Action").Concat(statement.Texts("NotAction")))
            {
                if (action != "*" && !action.Contains(':', StringComparison.Ordinal))
                {
                    return $"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
                }
            }
            var hasPrincipal = statement.Has("Principal") || statement.Has("NotPrincipal");
            if (isResourcePolicy && !hasPrincipal)
            {
                return "Policy statement must contain principals.";
            }
            if (!isResourcePolicy && hasPrincipal)
            {
                return "Policy document should not specify a principal.";
            }
            var hasResource = statement.Has("Resource") || statement.Has("NotResource");
            if (needsResource && !hasResource)
            {
                return "Policy statement must contain resources.";
            }
            if (isResourcePolicy && !needsResource && hasResource)
            {
                return "Has prohibited field Resource";
            }
            foreach (var resource in statement.Texts("Resource").Concat(statement.Texts("NotResource")))
            {
                if (resource != "*" && !resource.StartsWith("arn:", StringComparison.Ordinal) && !resource.StartsWith('*'))
                {
                    return $"Resource {resource} must be in ARN format or \"*\".";
                }
            }
        }
        return null;
    }

    /// <summary>A policy given as text or as an object, as text.</summary>
    public static string AsText(JsonNode? policy) => policy is JsonObject or JsonArray ? policy.ToJsonString() : Documents.AsText(policy) ?? "";

    /// <summary>A policy's text as an object, for the properties of a template.</summary>
    public static JsonNode? AsObject(string? text)
    {
        if (text is null)
        {
            return null;
        }
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }
}
