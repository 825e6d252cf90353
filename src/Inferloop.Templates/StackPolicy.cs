using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Templates;

/// <summary>A stack policy: which updates of which resources are allowed. What no statement allows is denied.</summary>
internal sealed class StackPolicy
{
    private static readonly string[] Actions = ["Update:Modify", "Update:Replace", "Update:Delete", "Update:*"];

    private readonly List<JsonObject> statements;

    private StackPolicy(List<JsonObject> statements) => this.statements = statements;

    public static StackPolicy Parse(string text)
    {
        try
        {
            if (JsonNode.Parse(text) is JsonObject document && document["Statement"] is { } found)
            {
                var statements = (found as JsonArray ?? [found.DeepClone()]).OfType<JsonObject>().ToList();
                foreach (var statement in statements)
                {
                    if ((string?)statement["Effect"] is not ("Allow" or "Deny"))
                    {
                        throw Invalid("Error validating stack policy: Invalid stack policy: Effect must be Allow or Deny");
                    }
                    if (Texts(statement["Action"] ?? statement["NotAction"]).Any(action => !Actions.Contains(action, StringComparer.OrdinalIgnoreCase)))
                    {
                        throw Invalid("Error validating stack policy: Invalid stack policy: Unknown action");
                    }
                    if (statement["Resource"] is null && statement["NotResource"] is null)
                    {
                        throw Invalid("Error validating stack policy: Invalid stack policy: Statement needs a Resource or NotResource");
                    }
                }
                return new StackPolicy(statements);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // Answered below: not a policy document.
        }
        throw Invalid("Error validating stack policy: Invalid stack policy");
    }

    /// <summary>Why an action is denied; null when it is allowed.</summary>
    public string? Denies(string action, string logicalId, string resourceType)
    {
        var allowed = false;
        for (var i = 0; i < statements.Count; i++)
        {
            var statement = statements[i];
            if (!Applies(statement, action, logicalId, resourceType))
            {
                continue;
            }
            if ((string?)statement["Effect"] == "Deny")
            {
                return $"Action denied by stack policy: Statement [#{i + 1}] does not allow [{Shown(statement)}] for resource [LogicalResourceId/{logicalId}];";
            }
            allowed = true;
        }
        return allowed ? null : $"Action denied by stack policy: no statement allows [{action}] for resource [LogicalResourceId/{logicalId}];";
    }

    private static string Shown(JsonObject statement) => string.Join(", ", Texts(statement["Action"] ?? statement["NotAction"]));

    private static bool Applies(JsonObject statement, string action, string logicalId, string resourceType)
    {
        bool Action(string pattern) => Wildcards.Match(pattern, action);
        bool Resource(string pattern) => pattern == "*" || Wildcards.Match(pattern, "LogicalResourceId/" + logicalId);
        var acts = statement["Action"] is { } actions ? Texts(actions).Any(Action) : !Texts(statement["NotAction"]).Any(Action);
        var names = statement["Resource"] is { } resources ? Texts(resources).Any(Resource) : !Texts(statement["NotResource"]).Any(Resource);
        return acts && names && Conditions(statement["Condition"] as JsonObject, resourceType);
    }

    private static bool Conditions(JsonObject? condition, string resourceType)
    {
        if (condition is null)
        {
            return true;
        }
        foreach (var (name, values) in condition)
        {
            var types = Texts((values as JsonObject)?["ResourceType"]).ToList();
            var holds = name switch
            {
                "StringEquals" => types.Contains(resourceType, StringComparer.Ordinal),
                "StringLike" => types.Any(pattern => Wildcards.Match(pattern, resourceType)),
                "StringNotEquals" => !types.Contains(resourceType, StringComparer.Ordinal),
                "StringNotLike" => !types.Any(pattern => Wildcards.Match(pattern, resourceType)),
                _ => false,
            };
            if (!holds)
            {
                return false;
            }
        }
        return true;
    }

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray list => list.Select(item => item?.ToString() ?? ""),
        _ => [node.ToString()],
    };

    private static FormatException Invalid(string message) => new(message);
}
