using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Kms;

internal sealed partial class KmsService
{
    private JsonObject CreateAlias(RequestContext context, JsonObject input)
    {
        var name = input.Required("AliasName");
        CheckAlias(name);
        var key = Key(context, input.Required("TargetKeyId"));
        RequireCustomer(key);
        if (key.Text("KeyState") == "PendingDeletion")
        {
            RequireUsable(key);
        }
        Aliases(context).Lock(() =>
        {
            if (Aliases(context).Contains(name))
            {
                throw new ServiceFault("AlreadyExistsException", $"An alias with the name {context.Arn("kms", name)} already exists");
            }
            AddAlias(context, name, key.Required("KeyId"));
        });
        return [];
    }

    private JsonObject UpdateAlias(RequestContext context, JsonObject input)
    {
        var name = input.Required("AliasName");
        CheckAlias(name);
        var key = Key(context, input.Required("TargetKeyId"));
        if (Aliases(context).Update(name, alias =>
        {
            alias["TargetKeyId"] = key.Text("KeyId");
            alias["LastUpdatedDate"] = Documents.Time(context.Now);
        }) is null)
        {
            throw new ServiceFault("NotFoundException", $"Alias {context.Arn("kms", name)} is not found.");
        }
        return [];
    }

    private JsonObject DeleteAlias(RequestContext context, JsonObject input)
    {
        var name = input.Required("AliasName");
        CheckAlias(name);
        return Aliases(context).Remove(name) ? [] : throw new ServiceFault("NotFoundException", $"Alias {context.Arn("kms", name)} is not found.");
    }

    private JsonObject ListAliases(RequestContext context, JsonObject input)
    {
        var id = input.Text("KeyId") is { } given ? Key(context, given).Text("KeyId") : null;
        return Marked(input, Aliases(context).All().Where(alias => id is null || alias.Text("TargetKeyId") == id).ToList(), "Aliases");
    }

    private void AddAlias(RequestContext context, string name, string keyId) => Aliases(context).Put(name, new JsonObject
    {
        ["AliasName"] = name,
        ["AliasArn"] = context.Arn("kms", name),
        ["TargetKeyId"] = keyId,
        ["CreationDate"] = Documents.Time(context.Now),
        ["LastUpdatedDate"] = Documents.Time(context.Now),
    });

    private static void CheckAlias(string name)
    {
        if (!name.StartsWith("alias/", StringComparison.Ordinal))
        {
            throw new ServiceFault("ValidationException", "Invalid identifier");
        }
        if (name.StartsWith("alias/aws/", StringComparison.Ordinal))
        {
            throw new ServiceFault("NotAuthorizedException", "");
        }
        if (!AliasPattern().IsMatch(name))
        {
            throw new ServiceFault("InvalidAliasNameException", $"{name} contains invalid characters for alias");
        }
    }

    private JsonObject CreateGrant(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireUsable(key);
        var grant = input.Pick("GranteePrincipal", "RetiringPrincipal", "Operations", "Constraints", "Name");
        grant["KeyId"] = key.Text("Arn");
        grant["GrantId"] = Runtime.Ids.Hex(64);
        grant["CreationDate"] = Documents.Time(context.Now);
        grant["IssuingAccount"] = context.GlobalArn("iam", "root");
        Keys(context).Update(key.Required("KeyId"), document => document.ListOrNew("_Grants").Add(grant.DeepClone()));
        return new JsonObject { ["GrantId"] = grant.Text("GrantId"), ["GrantToken"] = Runtime.Ids.UrlSafe(120) };
    }

    private JsonObject RevokeGrant(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        var grants = key.Objects("_Grants").ToList();
        if (!grants.Exists(grant => grant.Text("GrantId") == input.Text("GrantId")))
        {
            throw new ServiceFault("NotFoundException", $"Grant ID {input.Text("GrantId")} not found");
        }
        Keys(context).Update(key.Required("KeyId"), document =>
            document["_Grants"] = document.Objects("_Grants").Where(grant => grant.Text("GrantId") != input.Text("GrantId")).Select(grant => grant.Copy()).ToJsonList());
        return [];
    }
}
