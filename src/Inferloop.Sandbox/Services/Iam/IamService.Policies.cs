using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

internal sealed partial class IamService
{
    private const int MaximumVersions = 5;

    private void AddPolicies()
    {
        On("CreatePolicy", CreatePolicy);
        On("GetPolicy", (context, input) => new JsonObject { ["Policy"] = Policy(context, input.Required("PolicyArn")) });
        On("ListPolicies", ListPolicies);
        On("DeletePolicy", DeletePolicy);
        On("CreatePolicyVersion", CreatePolicyVersion);
        On("GetPolicyVersion", (context, input) => new JsonObject { ["PolicyVersion"] = Version(context, input.Required("PolicyArn"), input.Required("VersionId"), true) });
        On("ListPolicyVersions", (context, input) => Listed(input, Versions(context, input.Required("PolicyArn")).Select(version => Version(context, input.Required("PolicyArn"), version, false)), "Versions"));
        On("DeletePolicyVersion", DeletePolicyVersion);
        On("SetDefaultPolicyVersion", (context, input) =>
        {
            _ = Version(context, input.Required("PolicyArn"), input.Required("VersionId"), false);
            Policies(context).Update(input.Required("PolicyArn"), policy => policy["DefaultVersionId"] = input.Text("VersionId"));
            return [];
        });
        On("TagPolicy", (context, input) => ChangePolicy(context, input, policy => Tags.Put(policy, "Tags", input.Objects("Tags"))));
        On("UntagPolicy", (context, input) => ChangePolicy(context, input, policy => Tags.Remove(policy, "Tags", input.Texts("TagKeys"))));
        On("ListPolicyTags", (context, input) => Listed(input, Policy(context, input.Required("PolicyArn")).Objects("Tags"), "Tags"));
        On("ListEntitiesForPolicy", (context, input) =>
        {
            var arn = input.Required("PolicyArn");
            RequirePolicy(context, arn);
            var answer = Listed(input, Roles(context).Where(role => role.Texts("_Attached").Contains(arn)).Select(role => role.Pick("RoleName", "RoleId")), "PolicyRoles");
            answer["PolicyGroups"] = new JsonArray();
            answer["PolicyUsers"] = new JsonArray();
            return answer;
        });
    }

    private void RequirePolicy(RequestContext context, string arn)
    {
        if (!ManagedPolicies.Contains(arn) && !Policies(context).Contains(arn))
        {
            throw arn.StartsWith("arn:", StringComparison.Ordinal)
                ? NoSuch($"Policy {arn} does not exist or is not attachable.")
                : new ServiceFault("InvalidInput", $"ARN {arn} is not valid.");
        }
    }

    private int Attachments(RequestContext context, string arn) => Roles(context).Where(role => role.Texts("_Attached").Contains(arn)).Count + Users(context).Where(user => user.Texts("_Attached").Contains(arn)).Count;

    private JsonObject Policy(RequestContext context, string arn)
    {
        if (ManagedPolicies.NameOf(arn) is { } name && ManagedPolicies.Contains(arn))
        {
            return ManagedPolicies.Describe(context.Partition, name, Attachments(context, arn));
        }
        var policy = Policies(context).Get(arn) ?? throw NoSuch($"Policy {arn} was not found.");
        policy["AttachmentCount"] = Attachments(context, arn);
        return policy;
    }

    private JsonObject ChangePolicy(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        _ = Policy(context, input.Required("PolicyArn"));
        Policies(context).Update(input.Required("PolicyArn"), change);
        return [];
    }

    private JsonObject CreatePolicy(RequestContext context, JsonObject input)
    {
        var name = input.Required("PolicyName");
        var arn = context.GlobalArn("iam", $"policy{PathOf(input)}{name}");
        var document = Checked(input.Required("PolicyDocument"), false);
        if (document.Count(c => !char.IsWhiteSpace(c)) > 6144)
        {
            throw new ServiceFault("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409);
        }
        var policy = new JsonObject
        {
            ["PolicyName"] = name,
            ["PolicyId"] = Id("ANPA"),
            ["Arn"] = arn,
            ["Path"] = PathOf(input),
            ["DefaultVersionId"] = "v1",
            ["AttachmentCount"] = 0,
            ["PermissionsBoundaryUsageCount"] = 0,
            ["IsAttachable"] = true,
            ["CreateDate"] = Documents.Time(context.Now),
            ["UpdateDate"] = Documents.Time(context.Now),
            ["_Versions"] = new JsonObject { ["v1"] = new JsonObject { ["Document"] = document, ["CreateDate"] = Documents.Time(context.Now) } },
            ["_Next"] = 2,
        }.Take(input, "Description", "Tags");
        return Policies(context).TryAdd(arn, policy) ? new JsonObject { ["Policy"] = policy.Copy() } : throw Exists($"A policy called {name} already exists. Duplicate names are not allowed.");
    }

    private JsonObject ListPolicies(RequestContext context, JsonObject input)
    {
        var scope = input.Text("Scope") ?? "All";
        var all = scope == "AWS" ? [] : Policies(context).Keys().Select(arn => Policy(context, arn));
        if (scope != "Local")
        {
            all = all.Concat(ManagedPolicies.Names.Order(StringComparer.Ordinal).Select(name => ManagedPolicies.Describe(context.Partition, name, Attachments(context, $"arn:{context.Partition}:iam::aws:policy/{name}"))));
        }
        return Listed(input, all.Where(policy => policy.Required("Path").StartsWith(input.Text("PathPrefix") ?? "/", StringComparison.Ordinal)
            && (!input.Is("OnlyAttached") || policy.Int("AttachmentCount") > 0)), "Policies");
    }

    private JsonObject DeletePolicy(RequestContext context, JsonObject input)
    {
        var arn = input.Required("PolicyArn");
        var policy = Policy(context, arn);
        if (policy.Int("AttachmentCount") > 0)
        {
            throw Conflict("Cannot delete a policy attached to entities.");
        }
        if (policy.Child("_Versions")?.Count > 1)
        {
            throw Conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.");
        }
        Policies(context).Remove(arn);
        return [];
    }

    private List<string> Versions(RequestContext context, string arn) =>
        Policy(context, arn).Child("_Versions") is { } versions ? versions.Select(pair => pair.Key).OrderByDescending(Number).ToList() : ["v1"];

    private static int Number(string version) => int.Parse(version.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture);

    private JsonObject Version(RequestContext context, string arn, string version, bool withDocument)
    {
        var policy = Policy(context, arn);
        var managed = ManagedPolicies.Contains(arn);
        var stored = managed
            ? version == "v1" ? new JsonObject { ["Document"] = ManagedPolicies.Document(ManagedPolicies.NameOf(arn)!), ["CreateDate"] = policy["CreateDate"].Copy() } : null
            : policy.Child("_Versions")?.Child(version);
        if (stored is null)
        {
            throw NoSuch($"Policy {arn} version {version} does not exist or is not attachable.");
        }
        var result = new JsonObject { ["VersionId"] = version, ["IsDefaultVersion"] = policy.Text("DefaultVersionId") == version, ["CreateDate"] = stored["CreateDate"].Copy() };
        return withDocument ? result.With("Document", Encoded(stored.Text("Document"))) : result;
    }

    private JsonObject CreatePolicyVersion(RequestContext context, JsonObject input)
    {
        var arn = input.Required("PolicyArn");
        var policy = Policy(context, arn);
        var document = Checked(input.Required("PolicyDocument"), false);
        if (policy.Child("_Versions")?.Count >= MaximumVersions)
        {
            throw new ServiceFault("LimitExceeded", $"A managed policy can have up to {MaximumVersions} versions. Before you create a new version, you must delete an existing version.", 409);
        }
        var version = "";
        Policies(context).Update(arn, stored =>
        {
            version = $"v{stored.Int("_Next")}";
            stored["_Next"] = stored.Int("_Next") + 1;
            stored.ChildOrNew("_Versions")[version] = new JsonObject { ["Document"] = document, ["CreateDate"] = Documents.Time(context.Now) };
            if (input.Is("SetAsDefault"))
            {
                stored["DefaultVersionId"] = version;
                stored["UpdateDate"] = Documents.Time(context.Now);
            }
        });
        return new JsonObject { ["PolicyVersion"] = Version(context, arn, version, false) };
    }

    private JsonObject DeletePolicyVersion(RequestContext context, JsonObject input)
    {
        var (arn, version) = (input.Required("PolicyArn"), input.Required("VersionId"));
        if (Version(context, arn, version, false).Is("IsDefaultVersion"))
        {
            throw Conflict("Cannot delete the default version of a policy.");
        }
        Policies(context).Update(arn, policy => policy.ChildOrNew("_Versions").Remove(version));
        return [];
    }
}
