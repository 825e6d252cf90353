using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services;

/// <summary>Whether a resource's policy lets a service of AWS do something, conditions aside.</summary>
internal static class ServiceAccess
{
    public static bool Allows(string? policy, string service, string action)
    {
        if (PolicyDocument.AsObject(policy) is not JsonObject document)
        {
            return false;
        }
        var statements = document["Statement"] is JsonObject single ? [single] : document.Objects("Statement").ToList();
        return statements.Exists(statement => statement.Text("Effect") == "Allow"
            && (Documents.AsText(statement["Principal"]) == "*" || statement.Child("Principal") is { } principal && (principal.Texts("Service").Contains(service) || principal.Texts("AWS").Contains("*")))
            && statement.Texts("Action").Any(pattern => Covers(pattern, action)));
    }

    private static bool Covers(string pattern, string action) =>
        pattern == "*" || pattern.Equals(action, StringComparison.OrdinalIgnoreCase) || (pattern.EndsWith('*') && action.StartsWith(pattern[..^1], StringComparison.OrdinalIgnoreCase));
}
