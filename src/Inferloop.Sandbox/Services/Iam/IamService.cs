using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

/// <summary>IAM: roles, users with access keys, policies, instance profiles, identity providers. Permissions are kept, checked for form and evaluated where someone asks (simulations, services that look at a role); requests are not held to them.</summary>
internal sealed partial class IamService : SandboxService
{
    public IamService(SandboxRuntime runtime)
        : base(runtime, "iam")
    {
        AddRoles();
        AddUsers();
        AddPolicies();
        AddProfiles();
        AddSimulation();
        On("GetAccountSummary", (context, _) => new JsonObject
        {
            ["SummaryMap"] = new JsonObject
            {
                ["Users"] = Users(context).Count,
                ["UsersQuota"] = 5000,
                ["Roles"] = Roles(context).Count,
                ["RolesQuota"] = 1000,
                ["Policies"] = Policies(context).Count,
                ["PoliciesQuota"] = 1500,
                ["InstanceProfiles"] = Profiles(context).Count,
                ["InstanceProfilesQuota"] = 1000,
                ["AccountMFAEnabled"] = 1,
            },
        });
        On("ListAccountAliases", (_, _) => new JsonObject { ["AccountAliases"] = new JsonArray(), ["IsTruncated"] = false });
    }

    /// <summary>IAM has no regions.</summary>
    private Collection Global(RequestContext context, string name) => Runtime.Collection(ModelName, name, context.AccountId, "");

    private Collection Roles(RequestContext context) => Global(context, "roles");

    private Collection Policies(RequestContext context) => Global(context, "policies");

    private Collection Profiles(RequestContext context) => Global(context, "instance-profiles");

    private Collection Providers(RequestContext context) => Global(context, "oidc-providers");

    private static ServiceFault NoSuch(string message) => new("NoSuchEntity", message, 404);

    private static ServiceFault Exists(string message) => new("EntityAlreadyExists", message, 409);

    private static ServiceFault Conflict(string message) => new("DeleteConflict", message, 409);

    private string Id(string prefix) => prefix + Runtime.Ids.Base32Upper(17);

    private static string PathOf(JsonObject input) => input.Text("Path") ?? "/";

    private static JsonObject Listed(JsonObject input, IEnumerable<JsonObject> all, string member)
    {
        var answer = Pages.Answer(input, all.ToList(), member, "MaxItems", "Marker", 100, "InvalidInput");
        answer["IsTruncated"] = answer.Has("Marker");
        return answer;
    }

    private static JsonObject ListedNames(JsonObject input, IEnumerable<string> all, string member)
    {
        var answer = Pages.AnswerTexts(input, all.ToList(), member, "MaxItems", "Marker", 100, "InvalidInput");
        answer["IsTruncated"] = answer.Has("Marker");
        return answer;
    }

    /// <summary>Policy documents travel URL-encoded in IAM's answers.</summary>
    private static string Encoded(string? policy) => Uri.EscapeDataString(policy ?? "");

    private static string Checked(string policy, bool isTrust)
    {
        if (PolicyDocument.Problem(policy, isResourcePolicy: isTrust, needsResource: !isTrust) is { } problem)
        {
            throw new ServiceFault("MalformedPolicyDocument", problem);
        }
        var size = policy.Count(c => !char.IsWhiteSpace(c));
        var limit = isTrust ? 4096 : 10240;
        return size <= limit ? policy : throw new ServiceFault("LimitExceeded", $"Maximum policy size of {limit} bytes exceeded", 409);
    }
}
