using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

/// <content>Users with their policies, and access keys that requests can be signed with.</content>
internal sealed partial class IamService
{
    private const int MaximumAccessKeys = 2;

    private void AddUsers()
    {
        On("CreateUser", (context, input) =>
        {
            var name = input.Required("UserName");
            Tags.Check(input.Objects("Tags"), "InvalidInput");
            var user = new JsonObject
            {
                ["Path"] = PathOf(input),
                ["UserName"] = name,
                ["UserId"] = Id("AIDA"),
                ["Arn"] = context.GlobalArn("iam", $"user{PathOf(input)}{name}"),
                ["CreateDate"] = Documents.Time(context.Now),
                ["_Inline"] = new JsonObject(),
                ["_Attached"] = new JsonArray(),
            }.Take(input, "Tags");
            if (input.Has("PermissionsBoundary"))
            {
                user["PermissionsBoundary"] = Boundary(context, input);
            }
            return Users(context).TryAdd(name, user) ? new JsonObject { ["User"] = user } : throw Exists($"User with name {name} already exists.");
        });
        On("GetUser", (context, input) => new JsonObject { ["User"] = input.Has("UserName") ? User(context, input.Required("UserName")) : Caller(context) });
        On("ListUsers", (context, input) => Listed(input, Users(context).Where(user => user.Required("Path").StartsWith(input.Text("PathPrefix") ?? "/", StringComparison.Ordinal)), "Users"));
        On("DeleteUser", (context, input) =>
        {
            var user = User(context, input.Required("UserName"));
            if (Keys(context).Any(key => key.Text("UserName") == user.Text("UserName")))
            {
                throw Conflict("Cannot delete entity, must delete access keys first.");
            }
            if (user.Texts("_Attached").Count > 0)
            {
                throw Conflict("Cannot delete entity, must detach all policies first.");
            }
            if (user.Map("_Inline").Count > 0)
            {
                throw Conflict("Cannot delete entity, must delete policies first.");
            }
            Users(context).Remove(user.Required("UserName"));
            return [];
        });
        On("TagUser", (context, input) => ChangeUser(context, input, user =>
        {
            Tags.Put(user, "Tags", input.Objects("Tags"));
            Tags.Check(user.Objects("Tags"), "LimitExceeded");
        }));
        On("UntagUser", (context, input) => ChangeUser(context, input, user => Tags.Remove(user, "Tags", input.Texts("TagKeys"))));
        On("ListUserTags", (context, input) => Listed(input, User(context, input.Required("UserName")).Objects("Tags"), "Tags"));
        On("AttachUserPolicy", (context, input) =>
        {
            RequirePolicy(context, input.Required("PolicyArn"));
            return ChangeUser(context, input, user => Attach(user, input.Required("PolicyArn"), "PoliciesPerUser"));
        });
        On("DetachUserPolicy", (context, input) => ChangeUser(context, input, user => Detach(user, input.Required("PolicyArn"))));
        On("ListAttachedUserPolicies", (context, input) => Listed(input, User(context, input.Required("UserName")).Texts("_Attached")
            .Select(static arn => new JsonObject { ["PolicyArn"] = arn, ["PolicyName"] = arn.Split('/')[^1] }), "AttachedPolicies"));
        On("PutUserPolicy", (context, input) => ChangeUser(context, input, user => user.ChildOrNew("_Inline")[input.Required("PolicyName")] = Checked(input.Required("PolicyDocument"), false)));
        On("GetUserPolicy", (context, input) => new JsonObject
        {
            ["UserName"] = input.Text("UserName"),
            ["PolicyName"] = input.Text("PolicyName"),
            ["PolicyDocument"] = Encoded(User(context, input.Required("UserName")).Child("_Inline")?.Text(input.Required("PolicyName")) ?? throw NoSuch($"The user policy with name {input.Text("PolicyName")} cannot be found.")),
        });
        On("ListUserPolicies", (context, input) => ListedNames(input, User(context, input.Required("UserName")).Map("_Inline").Keys.Order(StringComparer.Ordinal), "PolicyNames"));
        On("DeleteUserPolicy", (context, input) => ChangeUser(context, input, user =>
        {
            if (!user.ChildOrNew("_Inline").Remove(input.Required("PolicyName")))
            {
                throw NoSuch($"The user policy with name {input.Text("PolicyName")} cannot be found.");
            }
        }));
        AddAccessKeys();
    }

    private void AddAccessKeys()
    {
        On("CreateAccessKey", (context, input) =>
        {
            var user = input.Has("UserName") ? User(context, input.Required("UserName")) : Caller(context);
            var name = user.Required("UserName");
            return Keys(context).Lock(() =>
            {
                if (Keys(context).Where(key => key.Text("UserName") == name).Count >= MaximumAccessKeys)
                {
                    throw new ServiceFault("LimitExceeded", $"Cannot exceed quota for AccessKeysPerUser: {MaximumAccessKeys}", 409);
                }
                var key = new AccessKey { Id = "AKIA" + Runtime.Ids.Base32Upper(16), Secret = AccessKeyStore.NewSecret(), AccountId = context.AccountId, PrincipalArn = user.Required("Arn"), UserId = user.Required("UserId") };
                Runtime.AccessKeys.Add(key);
                var made = new JsonObject { ["UserName"] = name, ["AccessKeyId"] = key.Id, ["Status"] = "Active", ["CreateDate"] = Documents.Time(context.Now) };
                Keys(context).Put(key.Id, made);
                return new JsonObject { ["AccessKey"] = made.Copy().With("SecretAccessKey", key.Secret) };
            });
        });
        On("ListAccessKeys", (context, input) =>
        {
            var name = input.Text("UserName") is { } given ? User(context, given).Required("UserName") : Caller(context).Required("UserName");
            return Listed(input, Keys(context).Where(key => key.Text("UserName") == name), "AccessKeyMetadata");
        });
        On("UpdateAccessKey", (context, input) =>
        {
            var id = OwnKey(context, input);
            Keys(context).Update(id, key => key["Status"] = input.Text("Status"));
            Runtime.AccessKeys.SetActive(id, input.Text("Status") == "Active");
            return [];
        });
        On("DeleteAccessKey", (context, input) =>
        {
            var id = OwnKey(context, input);
            Keys(context).Remove(id);
            Runtime.AccessKeys.Remove(id);
            return [];
        });
    }

    private Collection Users(RequestContext context) => Global(context, "users");

    private Collection Keys(RequestContext context) => Global(context, "access-keys");

    private JsonObject User(RequestContext context, string name) => Users(context).Get(name) ?? throw NoSuch($"The user with name {name} cannot be found.");

    /// <summary>The user who calls: one that was made, or the one that the sandbox's own key belongs to.</summary>
    private JsonObject Caller(RequestContext context)
    {
        if (context.PrincipalArn.Split(':', 6) is not [_, _, "iam", _, _, var resource] || !resource.StartsWith("user/", StringComparison.Ordinal))
        {
            throw new ServiceFault("ValidationError", "Must specify userName when calling with non-User credentials");
        }
        var name = resource.Split('/')[^1];
        var root = Runtime.AccessKeys.Root;
        return Users(context).Get(name) ?? (context.PrincipalArn == root.PrincipalArn
            ? new JsonObject { ["Path"] = "/", ["UserName"] = name, ["UserId"] = root.UserId, ["Arn"] = root.PrincipalArn, ["CreateDate"] = Documents.Time(DateTimeOffset.UnixEpoch.AddYears(50)) }
            : throw NoSuch($"The user with name {name} cannot be found."));
    }

    private string OwnKey(RequestContext context, JsonObject input)
    {
        var id = input.Required("AccessKeyId");
        return Keys(context).Get(id) is { } key && (input.Text("UserName") is not { } name || key.Text("UserName") == name) ? id : throw NoSuch($"The Access Key with id {id} cannot be found.");
    }

    private JsonObject ChangeUser(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        _ = User(context, input.Required("UserName"));
        Users(context).Update(input.Required("UserName"), change);
        return [];
    }

    private static void Attach(JsonObject entity, string arn, string quota)
    {
        var attached = entity.Texts("_Attached");
        if (attached.Contains(arn))
        {
            return;
        }
        if (attached.Count >= MaximumAttachedPolicies)
        {
            throw new ServiceFault("LimitExceeded", $"Cannot exceed quota for {quota}: {MaximumAttachedPolicies}", 409);
        }
        entity.ListOrNew("_Attached").Add(arn);
    }

    private static void Detach(JsonObject entity, string arn)
    {
        if (!entity.Texts("_Attached").Contains(arn))
        {
            throw NoSuch($"Policy {arn} was not found.");
        }
        entity["_Attached"] = entity.Texts("_Attached").Where(item => item != arn).ToTextList();
    }
}
