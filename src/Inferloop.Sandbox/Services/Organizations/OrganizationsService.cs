using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Organizations;

/// <summary>
/// AWS Organizations: an organization of one account from the start, which can make further ones; a root and organizational units; policies of all types, attached and
/// detached. The service control policies are kept, not enforced.
/// </summary>
internal sealed partial class OrganizationsService : SandboxService
{
    private const int MaximumPolicySize = 5120;
    private const int MaximumAttached = 5;
    private const string FullAccess = "p-FullAWSAccess";

    public OrganizationsService(SandboxRuntime runtime)
        : base(runtime, "organizations")
    {
        On("CreateOrganization", CreateOrganization);
        On("DescribeOrganization", (context, _) => new JsonObject { ["Organization"] = Organization(Members.Get(context.AccountId)?.Text("Management") is { } management ? context.With(management, context.Region) : context) });
        AddAccounts();
        OnManagement("ListRoots", (context, _) => new JsonObject { ["Roots"] = new JsonArray(Root(context)) });
        OnManagement("CreateOrganizationalUnit", CreateUnit);
        OnManagement("DescribeOrganizationalUnit", (context, input) => new JsonObject { ["OrganizationalUnit"] = Unit(context, input.Required("OrganizationalUnitId")) });
        OnManagement("ListOrganizationalUnitsForParent", (context, input) => Page(input, Units(context).Where(unit => unit.Text("_Parent") == Parent(context, input.Required("ParentId"))), "OrganizationalUnits"));
        OnManagement("ListChildren", (context, input) => Page(input, input.Text("ChildType") == "ACCOUNT"
            ? All(context, account => account.Text("_Parent") == Parent(context, input.Required("ParentId"))).ConvertAll(static account => new JsonObject { ["Id"] = account.Text("Id"), ["Type"] = "ACCOUNT" })
            : Units(context).Where(unit => unit.Text("_Parent") == Parent(context, input.Required("ParentId"))).Select(unit => new JsonObject { ["Id"] = unit.Text("Id"), ["Type"] = "ORGANIZATIONAL_UNIT" }).ToList(), "Children"));
        OnManagement("ListParents", (context, input) =>
        {
            var child = input.Required("ChildId");
            var parent = child == context.AccountId || Accounts(context).Contains(child) ? Find(context, child).Required("_Parent") : Units(context).Get(child)?.Required("_Parent") ?? throw new ServiceFault("ChildNotFoundException", "You specified a child that doesn't exist.");
            return new JsonObject { ["Parents"] = new JsonArray(new JsonObject { ["Id"] = parent, ["Type"] = parent.StartsWith("r-", StringComparison.Ordinal) ? "ROOT" : "ORGANIZATIONAL_UNIT" }) };
        });
        OnManagement("EnablePolicyType", (context, input) => Types(context, input, true));
        OnManagement("DisablePolicyType", (context, input) => Types(context, input, false));
        AddPolicies();
        OnManagement("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        OnManagement("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        OnManagement("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Tagged(context, input.Required("ResourceId")).Get(input.Required("ResourceId"))!["_Tags"].Copy() ?? new JsonArray() });
    }

    private Collection Units(RequestContext context) => Runtime.Collection(ModelName, "units", context.AccountId, "");

    private Collection PolicyStore(RequestContext context) => Runtime.Collection(ModelName, "policies", context.AccountId, "");

    private Collection Settings(RequestContext context) => Runtime.Collection(ModelName, "settings", context.AccountId, "");

    private static JsonObject Page(JsonObject input, IReadOnlyList<JsonObject> all, string member) => Pages.Answer(input, all, member, defaultSize: 20, tokenErrorCode: "InvalidInputException");

    private static string OrganizationId(RequestContext context) => "o-" + context.AccountId[..10];

    private static string RootId(RequestContext context) => "r-" + context.AccountId[^4..];

    private static string OrganizationArn(RequestContext context, string resource) => $"arn:{context.Partition}:organizations::{context.AccountId}:{resource}";

    private static JsonObject CreateOrganization(RequestContext context, JsonObject input) =>
        throw new ServiceFault("AlreadyInOrganizationException", "The AWS account is already a member of an organization.");

    private static JsonObject Organization(RequestContext context) => new()
    {
        ["Id"] = OrganizationId(context),
        ["Arn"] = OrganizationArn(context, "organization/" + OrganizationId(context)),
        ["FeatureSet"] = "ALL",
        ["MasterAccountArn"] = OrganizationArn(context, $"account/{OrganizationId(context)}/{context.AccountId}"),
        ["MasterAccountId"] = context.AccountId,
        ["MasterAccountEmail"] = "management@example.com",
        ["AvailablePolicyTypes"] = new JsonArray(new JsonObject { ["Type"] = "SERVICE_CONTROL_POLICY", ["Status"] = "ENABLED" }),
    };

    private JsonObject Root(RequestContext context) => new()
    {
        ["Id"] = RootId(context),
        ["Arn"] = OrganizationArn(context, $"root/{OrganizationId(context)}/{RootId(context)}"),
        ["Name"] = "Root",
        ["PolicyTypes"] = Settings(context).Keys().Select(type => new JsonObject { ["Type"] = type, ["Status"] = "ENABLED" }).ToJsonList(),
    };

    private static JsonObject Account(RequestContext context) => new()
    {
        ["Id"] = context.AccountId,
        ["Arn"] = OrganizationArn(context, $"account/{OrganizationId(context)}/{context.AccountId}"),
        ["Email"] = "management@example.com",
        ["Name"] = "sandbox",
        ["Status"] = "ACTIVE",
        ["JoinedMethod"] = "INVITED",
        ["JoinedTimestamp"] = Documents.Time(DateTimeOffset.UnixEpoch.AddYears(50)),
    };

    private JsonObject Unit(RequestContext context, string id) => Units(context).Get(id) ?? throw new ServiceFault("OrganizationalUnitNotFoundException", "You specified an organizational unit that doesn't exist.");

    private string Parent(RequestContext context, string id) => id == RootId(context) || Units(context).Contains(id) ? id : throw new ServiceFault("ParentNotFoundException", "You specified parent that doesn't exist.");

    private JsonObject CreateUnit(RequestContext context, JsonObject input)
    {
        var parent = Parent(context, input.Required("ParentId"));
        if (Units(context).Any(unit => unit.Text("_Parent") == parent && unit.Text("Name") == input.Text("Name")))
        {
            throw new ServiceFault("DuplicateOrganizationalUnitException", "An organizational unit with the same name already exists under this parent.");
        }
        var id = $"ou-{RootId(context)[2..]}-{Runtime.Ids.Lower(8)}";
        var unit = new JsonObject { ["Id"] = id, ["Arn"] = OrganizationArn(context, $"ou/{OrganizationId(context)}/{id}"), ["Name"] = input.Text("Name"), ["_Parent"] = parent, ["_Tags"] = input["Tags"].Copy() ?? new JsonArray() };
        Units(context).Put(id, unit);
        return new JsonObject { ["OrganizationalUnit"] = unit };
    }

    private JsonObject Types(RequestContext context, JsonObject input, bool enable)
    {
        if (input.Text("RootId") != RootId(context))
        {
            throw new ServiceFault("RootNotFoundException", "You specified a root that doesn't exist.");
        }
        var type = input.Required("PolicyType");
        if (Settings(context).Contains(type) == enable)
        {
            throw new ServiceFault(enable ? "PolicyTypeAlreadyEnabledException" : "PolicyTypeNotEnabledException", $"The specified policy type is {(enable ? "already" : "not")} enabled.");
        }
        if (enable)
        {
            Settings(context).Put(type, []);
        }
        else
        {
            Settings(context).Remove(type);
        }
        return new JsonObject { ["Root"] = Root(context) };
    }

    private void AddPolicies()
    {
        OnManagement("CreatePolicy", (context, input) =>
        {
            CheckContent(input.Required("Content"), input.Required("Type"));
            if (All(context).Any(policy => policy.Text("Name") == input.Text("Name") && policy.Text("Type") == input.Text("Type")))
            {
                throw new ServiceFault("DuplicatePolicyException", "A policy with the same name already exists.");
            }
            var id = "p-" + Runtime.Ids.Lower(8);
            var kind = input.Required("Type").ToLowerInvariant();
            var policy = new JsonObject
            {
                ["Id"] = id,
                ["Arn"] = OrganizationArn(context, $"policy/{OrganizationId(context)}/{kind}/{id}"),
                ["AwsManaged"] = false,
                ["_Content"] = input.Text("Content"),
                ["_Targets"] = new JsonArray(),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            }.Take(input, "Name", "Description", "Type");
            PolicyStore(context).Put(id, policy);
            return Described(policy);
        });
        OnManagement("DescribePolicy", (context, input) => Described(Policy(context, input.Required("PolicyId"))));
        OnManagement("UpdatePolicy", (context, input) =>
        {
            var policy = Own(context, input.Required("PolicyId"));
            if (input.Text("Content") is { } content)
            {
                CheckContent(content, policy.Required("Type"));
                policy["_Content"] = content;
            }
            policy.Take(input, "Name", "Description");
            PolicyStore(context).Put(policy.Required("Id"), policy);
            return Described(policy);
        });
        OnManagement("DeletePolicy", (context, input) =>
        {
            var policy = Own(context, input.Required("PolicyId"));
            if (policy.Texts("_Targets").Count > 0)
            {
                throw new ServiceFault("PolicyInUseException", "The policy is attached to one or more entities. You must detach it from all roots, organizational units (OUs), and accounts before performing this operation.");
            }
            PolicyStore(context).Remove(policy.Required("Id"));
            return [];
        });
        OnManagement("ListPolicies", (context, input) => Page(input, All(context).Where(policy => policy.Text("Type") == input.Text("Filter")).ToList(), "Policies"));
        OnManagement("AttachPolicy", (context, input) =>
        {
            var policy = Own(context, input.Required("PolicyId"));
            var target = Target(context, input.Required("TargetId"));
            if (!Settings(context).Contains(policy.Required("Type")))
            {
                throw new ServiceFault("PolicyTypeNotEnabledException", "This operation can be performed only for enabled policy types.");
            }
            if (policy.Texts("_Targets").Contains(target))
            {
                throw new ServiceFault("DuplicatePolicyAttachmentException", "A policy with the specified name and type already exists.");
            }
            if (All(context).Count(item => item.Text("Type") == policy.Text("Type") && item.Texts("_Targets").Contains(target)) >= MaximumAttached)
            {
                throw new ServiceFault("ConstraintViolationException", "You have attached the maximum number of policies to the specified target.", members: new JsonObject { ["Reason"] = "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED" });
            }
            PolicyStore(context).Update(policy.Required("Id"), document => document.ListOrNew("_Targets").Add(target));
            return [];
        });
        OnManagement("DetachPolicy", (context, input) =>
        {
            var policy = Own(context, input.Required("PolicyId"));
            var target = Target(context, input.Required("TargetId"));
            if (!policy.Texts("_Targets").Contains(target))
            {
                throw new ServiceFault("PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.");
            }
            PolicyStore(context).Update(policy.Required("Id"), document => document["_Targets"] = document.Texts("_Targets").Where(item => item != target).ToTextList());
            return [];
        });
        OnManagement("ListPoliciesForTarget", (context, input) =>
        {
            var target = Target(context, input.Required("TargetId"));
            return Page(input, All(context).Where(policy => policy.Text("Type") == input.Text("Filter") && (policy.Text("Id") == FullAccess || policy.Texts("_Targets").Contains(target))).ToList(), "Policies");
        });
        OnManagement("ListTargetsForPolicy", (context, input) => Page(input, Policy(context, input.Required("PolicyId")).Texts("_Targets").Select(target => new JsonObject
        {
            ["TargetId"] = target,
            ["Arn"] = IsAccount(context, target) ? Find(context, target)["Arn"].Copy() : target == RootId(context) ? Root(context)["Arn"].Copy() : Unit(context, target)["Arn"].Copy(),
            ["Name"] = IsAccount(context, target) ? Find(context, target).Text("Name") : target == RootId(context) ? "Root" : Unit(context, target).Text("Name"),
            ["Type"] = IsAccount(context, target) ? "ACCOUNT" : target == RootId(context) ? "ROOT" : "ORGANIZATIONAL_UNIT",
        }).ToList(), "Targets"));
    }

    private IEnumerable<JsonObject> All(RequestContext context) => PolicyStore(context).All().Prepend(new JsonObject
    {
        ["Id"] = FullAccess,
        ["Arn"] = $"arn:{context.Partition}:organizations::aws:policy/service_control_policy/{FullAccess}",
        ["Name"] = "FullAWSAccess",
        ["Description"] = "Allows access to every operation",
        ["Type"] = "SERVICE_CONTROL_POLICY",
        ["AwsManaged"] = true,
        ["_Content"] = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""",
        ["_Targets"] = new JsonArray(RootId(context), context.AccountId),
    });

    private JsonObject Policy(RequestContext context, string id) => All(context).FirstOrDefault(policy => policy.Text("Id") == id)
        ?? throw new ServiceFault("PolicyNotFoundException", "You specified a policy that doesn't exist.");

    private JsonObject Own(RequestContext context, string id) => Policy(context, id) is var policy && policy.Is("AwsManaged")
        ? throw new ServiceFault("PolicyChangesInProgressException", "AWS managed policies can't be changed in the sandbox.") : policy;

    private bool IsAccount(RequestContext context, string id) => id == context.AccountId || Accounts(context).Contains(id);

    private string Target(RequestContext context, string id) => id == context.AccountId || id == RootId(context) || Units(context).Contains(id) || Accounts(context).Contains(id) ? id
        : throw new ServiceFault("TargetNotFoundException", "You specified a target that doesn't exist.");

    private static JsonObject Described(JsonObject policy) => new()
    {
        ["Policy"] = new JsonObject { ["PolicySummary"] = policy.Pick("Id", "Arn", "Name", "Description", "Type", "AwsManaged"), ["Content"] = policy.Text("_Content") },
    };

    private static void CheckContent(string content, string type)
    {
        ServiceFault Malformed(string why) => new("MalformedPolicyDocumentException", "The provided policy document does not meet the requirements of the specified policy type." + why);
        JsonNode? parsed;
        try
        {
            parsed = JsonNode.Parse(content);
        }
        catch (JsonException)
        {
            throw Malformed("");
        }
        if (parsed is not JsonObject)
        {
            throw Malformed("");
        }
        if (type != "SERVICE_CONTROL_POLICY")
        {
            return;
        }
        // Whitespace counts for nothing, as the console strips it before it measures.
        if (parsed.ToJsonString().Length > MaximumPolicySize)
        {
            throw new ServiceFault("ConstraintViolationException", "You have exceeded the maximum policy size.", members: new JsonObject { ["Reason"] = "POLICY_CONTENT_LIMIT_EXCEEDED" });
        }
        if (PolicyDocument.Problem(content, isResourcePolicy: false, needsResource: true) is { } problem)
        {
            throw Malformed(" " + problem);
        }
    }

    private Collection Tagged(RequestContext context, string id) => PolicyStore(context).Contains(id) ? PolicyStore(context) : Units(context).Contains(id) ? Units(context) : Accounts(context).Contains(id) ? Accounts(context)
        : throw new ServiceFault("TargetNotFoundException", "You specified a target that doesn't exist.");

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Tagged(context, input.Required("ResourceId")).Update(input.Required("ResourceId"), change);
        return [];
    }
}
