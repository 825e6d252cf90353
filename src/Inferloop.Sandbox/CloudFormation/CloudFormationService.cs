using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>Stacks.</summary>
internal sealed partial class CloudFormationService : SandboxService
{
    private const int PageSize = 100;

    private readonly StackEngine engine;

    public CloudFormationService(SandboxRuntime runtime)
        : base(runtime, "cloudformation")
    {
        engine = new StackEngine(runtime);
        RegisterStacks();
        RegisterQueries();
        RegisterTemplates();
        RegisterChangeSets();
        RegisterPolicies();
        RegisterDrift();
        RegisterSignals();
    }

    public StackEngine Engine => engine;

    /// <summary>A live stack by name, or any by id; CloudFormation's error where there is none.</summary>
    private StackRecord Find(RequestContext context, string nameOrId) =>
        engine.Store(context).Find(nameOrId) ?? throw NoSuchStack(nameOrId);

    private static ServiceFault NoSuchStack(string nameOrId) => new("ValidationError", $"Stack with id {nameOrId} does not exist");

    private static ServiceFault Invalid(string message) => new("ValidationError", message);

    private static string Text(JsonObject input, string name) => (string)input[name]!;

    private static string? Optional(JsonObject input, string name) => (string?)input[name];

    private static bool Flag(JsonObject input, string name) => Scalars.TryBoolean(input[name], out var flag) && flag;

    private static List<string> Strings(JsonNode? list) => (list as JsonArray ?? []).Select(item => Scalars.Text(item) ?? "").ToList();

    private static Dictionary<string, string> Tags(JsonNode? list)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var tag in (list as JsonArray ?? []).OfType<JsonObject>())
        {
            var key = (string?)tag["Key"] ?? "";
            if (key.StartsWith("aws:", StringComparison.OrdinalIgnoreCase))
            {
                throw Invalid("aws: prefixed tag key names are not allowed for external use.");
            }
            if (!tags.TryAdd(key, (string?)tag["Value"] ?? ""))
            {
                throw Invalid($"Duplicate tag key: {key}");
            }
        }
        return tags.Count <= 50 ? tags : throw Invalid("Stacks can have at most 50 tags.");
    }

    private static void CheckName(string name)
    {
        if (!StackName().IsMatch(name))
        {
            throw Invalid($"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*");
        }
        if (name.Length > 128)
        {
            throw Invalid($"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must have length less than or equal to 128");
        }
    }

    /// <summary>One page of a list and the token of the next. A token is the number of items that came before.</summary>
    private static (List<T> Items, string? Next) Page<T>(IReadOnlyList<T> all, string? token, int size = PageSize)
    {
        var start = 0;
        if (token is not null)
        {
            try
            {
                var text = System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(token));
                start = text.StartsWith("next:", StringComparison.Ordinal) && int.TryParse(text["next:".Length..], out var number) && number >= 0 ? number : -1;
            }
            catch (FormatException)
            {
                start = -1;
            }
            if (start < 0)
            {
                throw Invalid("Invalid next token");
            }
        }
        var items = all.Skip(start).Take(size).ToList();
        var end = start + items.Count;
        return (items, end < all.Count ? Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"next:{end}")) : null);
    }

    private static JsonArray Array(IEnumerable<JsonNode?> items) => new(items.ToArray());

    [GeneratedRegex("^[a-zA-Z][-a-zA-Z0-9]*$")]
    private static partial Regex StackName();
}
