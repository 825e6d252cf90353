using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Sns;

/// <summary>Whether a topic's policy lets a service of AWS publish to it.</summary>
internal static class TopicAccess
{
    public static bool Allows(string? policy, string service, string account, string topic)
    {
        if (policy is null || PolicyDocument.AsObject(policy) is not JsonObject document)
        {
            return true;
        }
        var statements = document["Statement"] is JsonObject single ? [single] : document.Objects("Statement").ToList();
        var applying = statements.Where(statement => Names(statement, service) && Publishes(statement) && Holds(statement, account)
            && (!statement.Has("Resource") || statement.Texts("Resource").Any(resource => resource == "*" || resource == topic))).ToList();
        return applying.Exists(statement => statement.Text("Effect") == "Allow") && !applying.Exists(statement => statement.Text("Effect") == "Deny");
    }

    private static bool Names(JsonObject statement, string service) => statement["Principal"] switch
    {
        JsonValue any => Documents.AsText(any) == "*",
        // A statement for everybody in the account, as the default policy has it, covers the account's alarms too.
        JsonObject principals => principals.Texts("Service").Contains(service) || principals.Texts("AWS").Contains("*"),
        _ => false,
    };

    private static bool Publishes(JsonObject statement) => statement.Texts("Action").Any(action => action is "*" || action.ToUpperInvariant() is "SNS:PUBLISH" or "SNS:*");

    /// <summary>Conditions on where the call comes from hold for the account's own; others on secure transport hold always, as services use TLS.</summary>
    private static bool Holds(JsonObject statement, string account)
    {
        foreach (var (kind, keys) in statement.Child("Condition") ?? [])
        {
            foreach (var (key, _) in keys as JsonObject ?? [])
            {
                var values = ((JsonObject)keys!).Texts(key);
                var holds = key.ToUpperInvariant() switch
                {
                    "AWS:SECURETRANSPORT" => values.Contains("true"),
                    "AWS:SOURCEACCOUNT" or "AWS:SOURCEOWNER" => values.Contains(account),
                    "AWS:SOURCEARN" => values.Any(value => value.Contains($":{account}:", StringComparison.Ordinal) || value.Contains(":*:", StringComparison.Ordinal)),
                    _ => true,
                };
                if (holds == kind.Contains("Not", StringComparison.Ordinal))
                {
                    return false;
                }
            }
        }
        return true;
    }
}
