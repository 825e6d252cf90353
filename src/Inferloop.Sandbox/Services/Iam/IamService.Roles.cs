using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

internal sealed partial class IamService
{
    private const int MaximumAttachedPolicies = 20;

    private void AddRoles()
    {
        On("CreateRole", CreateRole);
        On("GetRole", (context, input) => new JsonObject { ["Role"] = View(Role(context, input.Required("RoleName"))) });
        On("ListRoles", (context, input) => Listed(input, Roles(context).All().Where(role => role.Required("Path").StartsWith(input.Text("PathPrefix") ?? "/", StringComparison.Ordinal)).Select(View), "Roles"));
        On("DeleteRole", DeleteRole);
        On("UpdateRole", (context, input) => Change(context, input, role =>
        {
            role["Description"] = input.Text("Description") ?? "";
            role.Take(input, "MaxSessionDuration");
        }));
        On("UpdateRoleDescription", (context, input) =>
        {
            Change(context, input, role => role["Description"] = input.Text("Description"));
            return new JsonObject { ["Role"] = View(Role(context, input.Required("RoleName"))) };
        });
        On("UpdateAssumeRolePolicy", (context, input) => Change(context, input, role => role["AssumeRolePolicyDocument"] = Checked(input.Required("PolicyDocument"), true)));
        On("TagRole", (context, input) => Change(context, input, role =>
        {
            Tags.Put(role, "Tags", input.Objects("Tags"));
            Tags.Check(role.Objects("Tags"), "LimitExceeded");
        }));
        On("UntagRole", (context, input) => Change(context, input, role => Tags.Remove(role, "Tags", input.Texts("TagKeys"))));
        On("ListRoleTags", (context, input) => Listed(input, Role(context, input.Required("RoleName")).Objects("Tags"), "Tags"));
        On("PutRolePermissionsBoundary", (context, input) => Change(context, input, role => role["PermissionsBoundary"] = Boundary(context, input)));
        On("DeleteRolePermissionsBoundary", (context, input) => Change(context, input, role => role.Remove("PermissionsBoundary")));
        On("PutRolePolicy", (context, input) => Change(context, input, role => role.ChildOrNew("_Inline")[input.Required("PolicyName")] = Checked(input.Required("PolicyDocument"), false)));
        On("GetRolePolicy", (context, input) => new JsonObject
        {
            ["RoleName"] = input.Text("RoleName"),
            ["PolicyName"] = input.Text("PolicyName"),
            ["PolicyDocument"] = Encoded(Inline(Role(context, input.Required("RoleName")), input.Required("PolicyName"))),
        });
        On("ListRolePolicies", (context, input) => ListedNames(input, Role(context, input.Required("RoleName")).Map("_Inline").Keys.Order(StringComparer.Ordinal), "PolicyNames"));
        On("DeleteRolePolicy", (context, input) =>
        {
            _ = Inline(Role(context, input.Required("RoleName")), input.Required("PolicyName"));
            return Change(context, input, role => role.ChildOrNew("_Inline").Remove(input.Required("PolicyName")));
        });
        On("AttachRolePolicy", AttachRolePolicy);
        On("DetachRolePolicy", DetachRolePolicy);
        On("ListAttachedRolePolicies", (context, input) => Listed(input, Role(context, input.Required("RoleName")).Texts("_Attached")
            .Select(arn => new JsonObject { ["PolicyArn"] = arn, ["PolicyName"] = arn.Split('/')[^1] }), "AttachedPolicies"));
        On("CreateServiceLinkedRole", CreateServiceLinkedRole);
        On("DeleteServiceLinkedRole", (context, input) =>
        {
            var role = Role(context, input.Required("RoleName"));
            Roles(context).Remove(role.Required("RoleName"));
            return new JsonObject { ["DeletionTaskId"] = $"task{role.Text("Path")}{role.Text("RoleName")}/{Runtime.Ids.Uuid()}" };
        });
        On("GetServiceLinkedRoleDeletionStatus", (_, _) => new JsonObject { ["Status"] = "SUCCEEDED" });
    }

    /// <summary>A role for another service, by ARN; null when there is none.</summary>
    public JsonObject? FindRole(RequestContext context, string arn)
    {
        var parts = arn.Split(':', 6);
        return parts.Length == 6 && parts[2] == "iam" && parts[5].StartsWith("role/", StringComparison.Ordinal)
            ? Roles(context.With(parts[4], context.Region)).Get(parts[5].Split('/')[^1])
            : null;
    }

    /// <summary>Whether there is an instance profile of a name or an ARN, for services that start instances with it.</summary>
    public bool HasInstanceProfile(RequestContext context, string nameOrArn) => Profiles(context).Contains(nameOrArn.Split('/')[^1]);

    /// <summary>Makes a service's linked role when it is not there yet, as the services do on first use.</summary>
    public void EnsureServiceLinkedRole(RequestContext context, string service, string name)
    {
        if (!Roles(context).Contains(name))
        {
            // Two resources of a service made at once both find none; the second one's is not an error.
            Roles(context).TryAdd(name, ServiceLinkedRole(context, service, name));
        }
    }

    private JsonObject Role(RequestContext context, string name) =>
        Roles(context).Get(name) ?? throw NoSuch($"The role with name {name} cannot be found.");

    private static JsonObject View(JsonObject role)
    {
        var view = role.Copy();
        view["AssumeRolePolicyDocument"] = Encoded(role.Text("AssumeRolePolicyDocument"));
        view["RoleLastUsed"] = new JsonObject();
        return view;
    }

    private static string Inline(JsonObject role, string policy) => role.Child("_Inline")?.Text(policy) ?? throw NoSuch($"The role policy with name {policy} cannot be found.");

    private JsonObject Change(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var name = input.Required("RoleName");
        var role = Role(context, name);
        if (role.Required("Path").StartsWith("/aws-service-role/", StringComparison.Ordinal))
        {
            throw new ServiceFault("UnmodifiableEntity", $"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS");
        }
        Roles(context).Update(name, change);
        return [];
    }

    private JsonObject Boundary(RequestContext context, JsonObject input)
    {
        var arn = input.Required("PermissionsBoundary");
        RequirePolicy(context, arn);
        return new JsonObject { ["PermissionsBoundaryType"] = "Policy", ["PermissionsBoundaryArn"] = arn };
    }

    private JsonObject CreateRole(RequestContext context, JsonObject input)
    {
        var name = input.Required("RoleName");
        Tags.Check(input.Objects("Tags"), "InvalidInput");
        var role = new JsonObject
        {
            ["Path"] = PathOf(input),
            ["RoleName"] = name,
            ["RoleId"] = Id("AROA"),
            ["Arn"] = context.GlobalArn("iam", $"role{PathOf(input)}{name}"),
            ["CreateDate"] = Documents.Time(context.Now),
            ["AssumeRolePolicyDocument"] = Checked(input.Required("AssumeRolePolicyDocument"), true),
            ["MaxSessionDuration"] = input.Int("MaxSessionDuration") ?? 3600,
            ["_Inline"] = new JsonObject(),
            ["_Attached"] = new JsonArray(),
        }.Take(input, "Description", "Tags");
        if (input.Has("PermissionsBoundary"))
        {
            role["PermissionsBoundary"] = Boundary(context, input);
        }
        return Roles(context).TryAdd(name, role) ? new JsonObject { ["Role"] = View(role) } : throw Exists($"Role with name {name} already exists.");
    }

    private JsonObject DeleteRole(RequestContext context, JsonObject input)
    {
        var name = input.Required("RoleName");
        var role = Role(context, name);
        if (role.Required("Path").StartsWith("/aws-service-role/", StringComparison.Ordinal))
        {
            throw new ServiceFault("UnmodifiableEntity", $"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS");
        }
        if (Profiles(context).Any(profile => profile.Texts("_Roles").Contains(name)))
        {
            throw Conflict("Cannot delete entity, must remove roles from instance profile first.");
        }
        if (role.Texts("_Attached").Count > 0)
        {
            throw Conflict("Cannot delete entity, must detach all policies first.");
        }
        if (role.Map("_Inline").Count > 0)
        {
            throw Conflict("Cannot delete entity, must delete policies first.");
        }
        Roles(context).Remove(name);
        return [];
    }

    private JsonObject AttachRolePolicy(RequestContext context, JsonObject input)
    {
        var arn = input.Required("PolicyArn");
        RequirePolicy(context, arn);
        return Change(context, input, role => Attach(role, arn, "PoliciesPerRole"));
    }

    private JsonObject DetachRolePolicy(RequestContext context, JsonObject input) => Change(context, input, role => Detach(role, input.Required("PolicyArn")));

    /// <summary>The role by which the management account of an organization gets into an account that it made.</summary>
    public void AddManagementRole(RequestContext context, string name, string management) => Roles(context).TryAdd(name, new JsonObject
    {
        ["Path"] = "/",
        ["RoleName"] = name,
        ["RoleId"] = Id("AROA"),
        ["Arn"] = context.GlobalArn("iam", "role/" + name),
        ["CreateDate"] = Documents.Time(context.Now),
        ["AssumeRolePolicyDocument"] = new JsonObject
        {
            ["Version"] = "2012-10-17",
            ["Statement"] = new JsonArray(new JsonObject { ["Effect"] = "Allow", ["Principal"] = new JsonObject { ["AWS"] = $"arn:{context.Partition}:iam::{management}:root" }, ["Action"] = "sts:AssumeRole" }),
        }.ToJsonString(),
        ["MaxSessionDuration"] = 3600,
        ["_Inline"] = new JsonObject(),
        ["_Attached"] = new JsonArray($"arn:{context.Partition}:iam::aws:policy/AdministratorAccess"),
    });

    private static readonly Dictionary<string, string> ServiceLinkedRoles = new(StringComparer.Ordinal)
    {
        ["ecs.amazonaws.com"] = "AWSServiceRoleForECS",
        ["elasticloadbalancing.amazonaws.com"] = "AWSServiceRoleForElasticLoadBalancing",
        ["autoscaling.amazonaws.com"] = "AWSServiceRoleForAutoScaling",
        ["ecs.application-autoscaling.amazonaws.com"] = "AWSServiceRoleForApplicationAutoScaling_ECSService",
        ["dynamodb.application-autoscaling.amazonaws.com"] = "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
        ["rds.amazonaws.com"] = "AWSServiceRoleForRDS",
        ["elasticache.amazonaws.com"] = "AWSServiceRoleForElastiCache",
        ["eks.amazonaws.com"] = "AWSServiceRoleForAmazonEKS",
        ["eks-nodegroup.amazonaws.com"] = "AWSServiceRoleForAmazonEKSNodegroup",
        ["batch.amazonaws.com"] = "AWSServiceRoleForBatch",
        ["spot.amazonaws.com"] = "AWSServiceRoleForEC2Spot",
        ["backup.amazonaws.com"] = "AWSServiceRoleForBackup",
        ["config.amazonaws.com"] = "AWSServiceRoleForConfig",
    };

    private JsonObject CreateServiceLinkedRole(RequestContext context, JsonObject input)
    {
        var service = input.Required("AWSServiceName");
        if (!ServiceLinkedRoles.TryGetValue(service, out var name))
        {
            throw new ServiceFault("InvalidInput", $"Service role not found for service: {service}");
        }
        var role = ServiceLinkedRole(context, service, name).Take(input, "Description");
        return Roles(context).TryAdd(name, role)
            ? new JsonObject { ["Role"] = View(role) }
            : throw new ServiceFault("InvalidInput", $"Service role name {name} has been taken in this account, please try a different suffix.");
    }

    private JsonObject ServiceLinkedRole(RequestContext context, string service, string name) => new()
    {
        ["Path"] = $"/aws-service-role/{service}/",
        ["RoleName"] = name,
        ["RoleId"] = Id("AROA"),
        ["Arn"] = context.GlobalArn("iam", $"role/aws-service-role/{service}/{name}"),
        ["CreateDate"] = Documents.Time(context.Now),
        ["AssumeRolePolicyDocument"] = new JsonObject
        {
            ["Version"] = "2012-10-17",
            ["Statement"] = new JsonArray(new JsonObject { ["Effect"] = "Allow", ["Principal"] = new JsonObject { ["Service"] = service }, ["Action"] = "sts:AssumeRole" }),
        }.ToJsonString(),
        ["MaxSessionDuration"] = 3600,
        ["_Inline"] = new JsonObject(),
        ["_Attached"] = new JsonArray(),
    };
}
