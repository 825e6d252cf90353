using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>Users and user groups.</summary>
internal sealed partial class ElastiCacheService
{
    private void AddUsers()
    {
        On("CreateUser", (context, input) =>
        {
            var id = Key(input.Required("UserId"));
            var user = new JsonObject
            {
                ["UserId"] = id,
                ["UserName"] = input.Text("UserName"),
                ["Status"] = "active",
                ["Engine"] = Key(input.Required("Engine")),
                ["MinimumEngineVersion"] = input.Text("Engine") == "valkey" ? "7.2" : "6.0",
                ["AccessString"] = CheckAccess(input.Required("AccessString")),
                ["UserGroupIds"] = new JsonArray(),
                ["Authentication"] = Authentication(input) ?? throw Invalid("Input for user's authentication is missing: give AuthenticationMode, Passwords or NoPasswordRequired."),
                ["ARN"] = context.Arn("elasticache", "user:" + id),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            };
            return Users(context).TryAdd(id, user) ? user : throw new ServiceFault("UserAlreadyExists", $"User {id} already exists.");
        });
        On("DescribeUsers", (context, input) => Paged(input, input.Text("UserId") is { } id ? [User(context, id)] : Users(context).Where(user => input.Text("Engine") is not { } engine || user.Text("Engine") == engine), "Users"));
        On("ModifyUser", (context, input) =>
        {
            var user = User(context, input.Required("UserId"));
            var access = input.Text("AccessString") ?? (input.Text("AppendAccessString") is { } more ? user.Text("AccessString") + " " + more : null);
            user.With("AccessString", access is null ? null : CheckAccess(access)).With("Authentication", Authentication(input)).With("Engine", input["Engine"].Copy()).With("Status", "modifying");
            Users(context).Put(user.Required("UserId"), user);
            Settle(context, Users(context), user.Required("UserId"));
            return user;
        });
        On("DeleteUser", (context, input) =>
        {
            var user = User(context, input.Required("UserId"));
            if (user.Texts("UserGroupIds").Count > 0 && user.Text("UserName") == "default")
            {
                throw new ServiceFault("DefaultUserAssociatedToUserGroup", "The default user is assigned to a user group and cannot be deleted.");
            }
            foreach (var group in user.Texts("UserGroupIds"))
            {
                UserGroups(context).Update(group, document => document["UserIds"] = document.Texts("UserIds").Where(item => item != user.Text("UserId")).ToTextList());
            }
            Users(context).Remove(user.Required("UserId"));
            return user.With("Status", "deleting");
        });
        On("CreateUserGroup", (context, input) =>
        {
            var id = Key(input.Required("UserGroupId"));
            var members = input.Texts("UserIds");
            CheckMembers(context, members, input.Required("Engine"));
            var group = new JsonObject
            {
                ["UserGroupId"] = id,
                ["Status"] = "creating",
                ["Engine"] = Key(input.Required("Engine")),
                ["UserIds"] = members.Select(Key).ToTextList(),
                ["MinimumEngineVersion"] = input.Text("Engine") == "valkey" ? "7.2" : "6.0",
                ["ReplicationGroups"] = new JsonArray(),
                ["ARN"] = context.Arn("elasticache", "usergroup:" + id),
                ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
            };
            if (!UserGroups(context).TryAdd(id, group))
            {
                throw new ServiceFault("UserGroupAlreadyExists", $"User group {id} already exists.");
            }
            Link(context, id, [], members);
            Settle(context, UserGroups(context), id);
            return group;
        });
        On("DescribeUserGroups", (context, input) => Paged(input, input.Text("UserGroupId") is { } id ? [UserGroup(context, id)] : UserGroups(context).All(), "UserGroups"));
        On("ModifyUserGroup", (context, input) =>
        {
            var group = UserGroup(context, input.Required("UserGroupId"));
            var (id, before) = (group.Required("UserGroupId"), group.Texts("UserIds"));
            var after = before.Except(input.Texts("UserIdsToRemove").Select(Key)).Union(input.Texts("UserIdsToAdd").Select(Key)).ToList();
            CheckMembers(context, after, input.Text("Engine") ?? group.Required("Engine"));
            group["UserIds"] = after.ToTextList();
            group.With("Engine", input["Engine"].Copy())["Status"] = "modifying";
            UserGroups(context).Put(id, group);
            Link(context, id, before, after);
            Settle(context, UserGroups(context), id);
            return group;
        });
        On("DeleteUserGroup", (context, input) =>
        {
            var group = UserGroup(context, input.Required("UserGroupId"));
            if (group.Texts("ReplicationGroups").Count > 0)
            {
                throw new ServiceFault("InvalidUserGroupState", $"User group {group.Text("UserGroupId")} is associated with replication groups and cannot be deleted.");
            }
            Link(context, group.Required("UserGroupId"), group.Texts("UserIds"), []);
            UserGroups(context).Remove(group.Required("UserGroupId"));
            return group.With("Status", "deleting");
        });
    }

    private JsonObject User(RequestContext context, string id) => Users(context).Get(Key(id)) ?? throw new ServiceFault("UserNotFound", $"User {id} not found.", 404);

    private JsonObject UserGroup(RequestContext context, string id) => UserGroups(context).Get(Key(id)) ?? throw new ServiceFault("UserGroupNotFound", $"User group {id} not found.", 404);

    private void Settle(RequestContext context, Collection collection, string id)
    {
        _ = context;
        Runtime.After(Durations.CacheUser, () => collection.Update(id, static document => document["Status"] = "active"));
    }

    private static string CheckAccess(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [("on" or "off"), ..]
        ? text
        : throw Invalid("Access String provided for AccessString is invalid. It must begin with on or off.");

    private static JsonObject? Authentication(JsonObject input)
    {
        var mode = input.Child("AuthenticationMode");
        var passwords = mode?.Texts("Passwords") is { Count: > 0 } given ? given : input.Texts("Passwords");
        if (passwords.FirstOrDefault(password => password.Length is < 16 or > 128) is not null)
        {
            throw Invalid("Passwords length must be between 16-128 characters.");
        }
        if (passwords.Count > 2)
        {
            throw Invalid("A user can have two passwords at most.");
        }
        return passwords.Count > 0 ? new JsonObject { ["Type"] = "password", ["PasswordCount"] = passwords.Count }
            : mode?.Text("Type") == "iam" ? new JsonObject { ["Type"] = "iam" }
            : mode?.Text("Type") == "no-password-required" || input.Is("NoPasswordRequired") ? new JsonObject { ["Type"] = "no-password" }
            : mode is not null ? throw Invalid("AuthenticationMode of type password needs Passwords.") : null;
    }

    private void CheckMembers(RequestContext context, IReadOnlyList<string> ids, string engine)
    {
        var users = ids.Select(id => User(context, id)).ToList();
        // A group of Redis users must say what "default" may; Valkey's need not.
        if (Key(engine) == "redis" && !users.Exists(user => user.Text("UserName") == "default"))
        {
            throw new ServiceFault("DefaultUserRequired", "User group must contain a user with the username default.");
        }
        if (users.GroupBy(user => user.Text("UserName")).FirstOrDefault(names => names.Count() > 1) is { } twice)
        {
            throw new ServiceFault("DuplicateUserName", $"Two users of the group have the username {twice.Key}.");
        }
    }

    private void Link(RequestContext context, string group, IReadOnlyList<string> before, IReadOnlyList<string> after)
    {
        foreach (var id in before.Select(Key).Except(after.Select(Key)))
        {
            Users(context).Update(id, document => document["UserGroupIds"] = document.Texts("UserGroupIds").Where(item => item != group).ToTextList());
        }
        foreach (var id in after.Select(Key).Except(before.Select(Key)))
        {
            Users(context).Update(id, document => document.ListOrNew("UserGroupIds").Add(group));
        }
    }
}
