using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services;

/// <summary>What principals of another account may do to a resource: what the resource's own policy lets them.</summary>
internal static class CrossAccount
{
    /// <summary>Whether the caller is of the resource's account, or is let in by the resource's policy.</summary>
    public static bool Allows(RequestContext caller, string owner, string? policy, string action, string resource) =>
        caller.AccountId == owner || Says(caller, policy, action, resource) == PolicyDecision.Allowed;

    /// <summary>What a policy that names principals says of the caller, who may be named as its session or as the role of that.</summary>
    public static PolicyDecision Says(RequestContext caller, string? policy, string action, string resource, IReadOnlyDictionary<string, IReadOnlyList<string>>? keys = null)
    {
        var account = caller.AccountId;
        var all = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["aws:principalarn"] = [RoleOf(caller) ?? caller.PrincipalArn],
            ["aws:principalaccount"] = [account],
            ["aws:securetransport"] = ["true"],
            ["aws:requestedregion"] = [caller.Region],
        };
        foreach (var (key, values) in keys ?? new Dictionary<string, IReadOnlyList<string>>())
        {
            all[key] = values;
        }
        string[] names = RoleOf(caller) is { } role ? [caller.PrincipalArn, role] : [caller.PrincipalArn];
        var decisions = names.Select(name => PolicyEvaluator.Evaluate(policy, new AccessRequest(action, resource) { Principal = name, Account = account, Keys = all }, isResourcePolicy: true)).ToList();
        return decisions.Contains(PolicyDecision.ExplicitDeny) ? PolicyDecision.ExplicitDeny : decisions.Contains(PolicyDecision.Allowed) ? PolicyDecision.Allowed : PolicyDecision.ImplicitDeny;
    }

    /// <summary>The role of a caller with a role's session; null for others. Of a role with a path the session tells the name only.</summary>
    private static string? RoleOf(RequestContext caller) => caller.PrincipalArn.Split(':', 6) is [var arn, var partition, "sts", _, var account, var resource] && resource.Split('/') is ["assumed-role", var name, ..]
        ? $"{arn}:{partition}:iam::{account}:role/{name}" : null;

    /// <summary>The refusal as services word it.</summary>
    public static string Refusal(RequestContext caller, string action, string resource) =>
        $"User: {caller.PrincipalArn} is not authorized to perform: {action} on resource: {resource} because no resource-based policy allows the {action} action";
}
