using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

/// <summary>What a principal may do, by its policies and its boundary: for simulations, and for the services that look before they act.</summary>
internal sealed partial class IamService
{
    private void AddSimulation()
    {
        On("SimulatePrincipalPolicy", (context, input) =>
        {
            var arn = input.Required("PolicySourceArn");
            var (policies, boundary) = PoliciesOf(context, arn) ?? throw new ServiceFault("NoSuchEntity", $"The entity {arn} cannot be found.", 404);
            policies.AddRange(input.Texts("PolicyInputList").Select((text, index) => ($"PolicyInputList.{index + 1}", text)));
            return Simulate(context, input, policies, input.Texts("PermissionsBoundaryPolicyInputList") is { Count: > 0 } given ? given : boundary, arn);
        });
        On("SimulateCustomPolicy", (context, input) => Simulate(context, input,
            input.Texts("PolicyInputList").Select((text, index) => ($"PolicyInputList.{index + 1}", text)).ToList(), input.Texts("PermissionsBoundaryPolicyInputList") is { Count: > 0 } given ? given : null, input.Text("CallerArn")));
    }

    /// <summary>The text of a policy's default version; null when there is no such policy.</summary>
    private string? DocumentOf(RequestContext context, string arn) =>
        ManagedPolicies.Contains(arn) ? ManagedPolicies.Document(ManagedPolicies.NameOf(arn)!)
        : Policies(context).Get(arn) is { } policy ? policy.Child("_Versions")?.Child(policy.Required("DefaultVersionId"))?.Text("Document") : null;

    /// <summary>
    /// The identity policies and the boundary of a principal: a role, a session of one, or the sandbox's own user, who may do everything.
    /// Null when there is no such principal.
    /// </summary>
    private (List<(string Name, string Text)> Policies, IReadOnlyList<string>? Boundary)? PoliciesOf(RequestContext context, string arn)
    {
        var parts = arn.Split(':', 6);
        if (parts.Length < 6)
        {
            throw new ServiceFault("InvalidInput", $"Invalid Entity Arn: {arn}");
        }
        var resource = parts[5].Split('/');
        var owner = context.With(parts[4], context.Region);
        if (arn == Runtime.AccessKeys.Root.PrincipalArn)
        {
            return ([("AdministratorAccess", ManagedPolicies.Document("AdministratorAccess"))], null);
        }
        var name = resource[0] switch { "role" => resource[^1], "assumed-role" when resource.Length > 1 => resource[1], "user" => resource[^1], "group" => "", _ => throw new ServiceFault("InvalidInput", $"Invalid Entity Arn: {arn}") };
        if ((resource[0] == "user" ? Users(owner) : Roles(owner)).Get(name) is not { } role)
        {
            return null;
        }
        var policies = role.Map("_Inline").Select(pair => (pair.Key, pair.Value))
            .Concat(role.Texts("_Attached").Select(attached => (attached, DocumentOf(owner, attached) ?? ""))).ToList();
        var boundary = role.Child("PermissionsBoundary")?.Text("PermissionsBoundaryArn");
        return (policies, boundary is null ? null : [DocumentOf(owner, boundary) ?? ""]);
    }

    /// <summary>What a principal's own policies and boundary say of a request.</summary>
    public PolicyDecision Decide(RequestContext context, string principal, AccessRequest request)
    {
        if (PoliciesOf(context, principal) is not { } found)
        {
            return PolicyDecision.ImplicitDeny;
        }
        request = request with { Keys = WithIdentity(context, principal, request.Keys) };
        return Decide(found.Policies.Select(policy => policy.Text), found.Boundary, request);
    }

    private static PolicyDecision Decide(IEnumerable<string> policies, IReadOnlyList<string>? boundary, AccessRequest request)
    {
        var decisions = policies.Select(text => PolicyEvaluator.Evaluate(text, request)).ToList();
        if (decisions.Contains(PolicyDecision.ExplicitDeny))
        {
            return PolicyDecision.ExplicitDeny;
        }
        if (!decisions.Contains(PolicyDecision.Allowed))
        {
            return PolicyDecision.ImplicitDeny;
        }
        if (boundary is null)
        {
            return PolicyDecision.Allowed;
        }
        var limits = boundary.Select(text => PolicyEvaluator.Evaluate(text, request)).ToList();
        return limits.Contains(PolicyDecision.ExplicitDeny) ? PolicyDecision.ExplicitDeny : limits.Contains(PolicyDecision.Allowed) ? PolicyDecision.Allowed : PolicyDecision.ImplicitDeny;
    }

    private static Dictionary<string, IReadOnlyList<string>> WithIdentity(RequestContext context, string principal, IReadOnlyDictionary<string, IReadOnlyList<string>> given)
    {
        var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal)
        {
            ["aws:principalarn"] = [principal],
            ["aws:principalaccount"] = [principal.Split(':')[4]],
            ["aws:currenttime"] = [context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture)],
            ["aws:epochtime"] = [context.Now.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture)],
            ["aws:securetransport"] = ["true"],
            ["aws:requestedregion"] = [context.Region],
        };
        if (principal.Split('/') is [var kind, .., var name] && kind.EndsWith(":user", StringComparison.Ordinal))
        {
            keys["aws:username"] = [name];
        }
        foreach (var (key, values) in given)
        {
            keys[key] = values;
        }
        return keys;
    }

    private static JsonObject Simulate(RequestContext context, JsonObject input, List<(string Name, string Text)> policies, IReadOnlyList<string>? boundary, string? principal)
    {
        foreach (var (_, text) in policies.Where(policy => policy.Name.StartsWith("PolicyInputList", StringComparison.Ordinal)))
        {
            if (PolicyDocument.Problem(text, isResourcePolicy: false, needsResource: true) is { } problem)
            {
                throw new ServiceFault("InvalidInput", $"Invalid policy: {problem}");
            }
        }
        var keys = input.Objects("ContextEntries").ToDictionary(entry => entry.Required("ContextKeyName").ToLowerInvariant(), entry => entry.Texts("ContextKeyValues"), StringComparer.Ordinal);
        var known = principal is null ? keys : WithIdentity(context, principal, keys);
        var resources = input.Texts("ResourceArns") is { Count: > 0 } arns ? arns : ["*"];
        var results = new List<JsonObject>();
        foreach (var action in input.Texts("ActionNames"))
        {
            if (!action.Contains(':', StringComparison.Ordinal))
            {
                throw new ServiceFault("InvalidInput", $"Invalid Action Name: {action}");
            }
            results.AddRange(resources.Select(resource => Evaluate(new AccessRequest(action, resource) { Principal = principal, Keys = known }, policies, boundary, input.Text("ResourcePolicy"))));
        }
        return Listed(input, results, "EvaluationResults");
    }

    private static JsonObject Evaluate(AccessRequest request, List<(string Name, string Text)> policies, IReadOnlyList<string>? boundary, string? resourcePolicy)
    {
        var matched = new List<JsonObject>();
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (name, text) in policies)
        {
            var matches = new List<PolicyMatch>();
            PolicyEvaluator.Evaluate(text, request, matches: matches, missingKeys: missing);
            matched.AddRange(matches.Select(match => new JsonObject { ["SourcePolicyId"] = name.Split('/')[^1], ["SourcePolicyType"] = name.StartsWith("PolicyInputList", StringComparison.Ordinal) ? "none" : "IAM Policy" }));
        }
        var decision = Decide(policies.Select(policy => policy.Text), boundary, request);
        if (resourcePolicy is not null && decision != PolicyDecision.ExplicitDeny)
        {
            var own = PolicyEvaluator.Evaluate(resourcePolicy, request with { Account = request.Principal?.Split(':')[4] }, isResourcePolicy: true, missingKeys: missing);
            decision = own == PolicyDecision.ImplicitDeny ? decision : own;
        }
        var result = new JsonObject
        {
            ["EvalActionName"] = request.Action,
            ["EvalResourceName"] = request.Resource,
            ["EvalDecision"] = decision switch { PolicyDecision.Allowed => "allowed", PolicyDecision.ExplicitDeny => "explicitDeny", _ => "implicitDeny" },
            ["MatchedStatements"] = matched.ToJsonList(),
            ["MissingContextValues"] = missing.ToTextList(),
        };
        if (boundary is not null)
        {
            result["PermissionsBoundaryDecisionDetail"] = new JsonObject { ["AllowedByPermissionsBoundary"] = boundary.Any(text => PolicyEvaluator.Evaluate(text, request) == PolicyDecision.Allowed) };
        }
        return result;
    }
}
