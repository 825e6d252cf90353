using System.Text.Json.Nodes;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

/// <summary>
/// The stack policies of an environment: they keep any tool, not only this module, from replacing or deleting a data store in
/// passing. CloudFormation looks at them only in the middle of an update; here a change set is held against them before.
/// </summary>
internal sealed class StackPolicies(IAmazonCloudFormation cloudFormation)
{
    /// <summary>The policy that every stack with data stores gets.</summary>
    public static string Protecting { get; } = Document([]);

    /// <summary>Allows everything but the replacement and deletion of data stores, save those named.</summary>
    public static string Document(IReadOnlyList<string> except)
    {
        var deny = new JsonObject
        {
            ["Effect"] = "Deny",
            ["Principal"] = "*",
            ["Action"] = new JsonArray("Update:Replace", "Update:Delete"),
            [except.Count == 0 ? "Resource" : "NotResource"] = except.Count == 0 ? "*" : new JsonArray([.. except.Order(StringComparer.Ordinal).Select(e => (JsonNode)$"LogicalResourceId/{e}")]),
            ["Condition"] = new JsonObject { ["StringEquals"] = new JsonObject { ["ResourceType"] = new JsonArray([.. DataStores.Types.Select(t => (JsonNode)t)]) } },
        };
        return new JsonObject
        {
            ["Statement"] = new JsonArray(new JsonObject { ["Effect"] = "Allow", ["Principal"] = "*", ["Action"] = "Update:*", ["Resource"] = "*" }, deny),
        }.ToJsonString();
    }

    /// <summary>Why a policy would stop a change, by the change's path. Only certain and possible replacements count as such.</summary>
    public static IReadOnlyDictionary<string, string> Denials(IReadOnlyDictionary<string, string> policies, IEnumerable<InferloopChange> changes)
    {
        var denials = new Dictionary<string, string>(StringComparer.Ordinal);
        var parsed = policies.ToDictionary(p => p.Key, p => StackPolicy.Parse(p.Value), StringComparer.Ordinal);
        foreach (var change in changes)
        {
            var stack = change.Path[..(change.Path.LastIndexOf('/') + 1)];
            if (!parsed.TryGetValue(stack, out var policy))
            {
                continue;
            }

            foreach (var action in Actions(change))
            {
                if (policy.Denies(action, change.LogicalId, change.Type) is { } reason)
                {
                    denials.TryAdd(change.Path, reason);
                }
            }
        }

        return denials;
    }

    /// <summary>The policies that are in force, by the path of the stack ("" for the root).</summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadAsync(IEnumerable<(string Path, string StackId)> stacks, CancellationToken cancellation)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, id) in stacks)
        {
            var answer = await cloudFormation.GetStackPolicyAsync(new GetStackPolicyRequest { StackName = id }, cancellation).ConfigureAwait(false);
            if (answer.StackPolicyBody is { Length: > 0 } body)
            {
                found[path] = body;
            }
        }

        return found;
    }

    public Task SetAsync(string stackId, string document, CancellationToken cancellation) =>
        cloudFormation.SetStackPolicyAsync(new SetStackPolicyRequest { StackName = stackId, StackPolicyBody = document }, cancellation);

    private static IEnumerable<string> Actions(InferloopChange change) => change switch
    {
        { Action: EnvironmentChangeAction.Add or EnvironmentChangeAction.Import or EnvironmentChangeAction.SyncWithActual } => [],
        { Action: EnvironmentChangeAction.Remove } => ["Update:Delete"],
        { Replacement: EnvironmentReplacement.Always } => ["Update:Replace"],
        { Replacement: EnvironmentReplacement.Conditional } => ["Update:Replace", "Update:Modify"],
        _ => ["Update:Modify"],
    };
}
