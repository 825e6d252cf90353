using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Identities of a cluster: roles of pods, and identity providers of users.</summary>
internal sealed partial class EksService
{
    private void AddIdentity()
    {
        On("CreatePodIdentityAssociation", (context, input) =>
        {
            _ = ActiveCluster(context, input.Required("clusterName"));
            return new JsonObject { ["association"] = Associate(context, input, null) };
        });
        On("DescribePodIdentityAssociation", (context, input) => new JsonObject { ["association"] = PodIdentity(context, input) });
        On("UpdatePodIdentityAssociation", (context, input) =>
        {
            var association = PodIdentity(context, input);
            RequirePodRole(context, input.Text("roleArn"));
            return new JsonObject
            {
                ["association"] = Associations(context).Update(association.Required("associationId"), document =>
                {
                    document.Take(input, "roleArn", "targetRoleArn", "disableSessionTags", "policy");
                    document["modifiedAt"] = Documents.Time(context.Now);
                }),
            };
        });
        On("DeletePodIdentityAssociation", (context, input) =>
        {
            var association = PodIdentity(context, input);
            if (association.Text("ownerArn") is { } owner)
            {
                throw Request($"Association is owned by {owner} and is deleted with it", input.Text("clusterName"));
            }
            Associations(context).Remove(association.Required("associationId"));
            return new JsonObject { ["association"] = association };
        });
        On("ListPodIdentityAssociations", (context, input) =>
        {
            _ = Cluster(context, input.Required("clusterName"));
            var all = Associations(context).Where(item => item.Text("clusterName") == input.Text("clusterName")
                && (input.Text("namespace") is not { } space || item.Text("namespace") == space) && (input.Text("serviceAccount") is not { } account || item.Text("serviceAccount") == account))
                .Select(item => item.Pick("clusterName", "namespace", "serviceAccount", "associationArn", "associationId", "ownerArn")).ToList();
            return Pages.Answer(input, all, "associations", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("AssociateIdentityProviderConfig", (context, input) =>
        {
            var name = input.Required("clusterName");
            _ = ActiveCluster(context, name);
            var oidc = input.Child("oidc")!;
            if (IdentityProviders(context).Any(item => item.Text("clusterName") == name))
            {
                throw InUse("Cluster already has an identity provider config associated", name);
            }
            if (!Uri.TryCreate(oidc.Text("issuerUrl"), UriKind.Absolute, out var issuer) || issuer.Scheme != "https")
            {
                throw Invalid("The issuer URL must begin with https://", name);
            }
            var config = oidc.Copy();
            var key = $"{name}/{oidc.Text("identityProviderConfigName")}";
            config["identityProviderConfigArn"] = context.Arn("eks", $"identityproviderconfig/{name}/oidc/{oidc.Text("identityProviderConfigName")}/{Runtime.Ids.Uuid()}");
            config["clusterName"] = name;
            config["status"] = "CREATING";
            config["tags"] = input["tags"].Copy() ?? new JsonObject();
            var started = StartClusterUpdate(context, name, "AssociateIdentityProviderConfig", [("IdentityProviderConfig", oidc.ToJsonString())],
                _ => IdentityProviders(context).Update(key, document => document["status"] = "ACTIVE"), Durations.EksIdentityProvider);
            IdentityProviders(context).Put(key, config);
            return started.With("tags", config["tags"].Copy());
        });
        On("DescribeIdentityProviderConfig", (context, input) => new JsonObject { ["identityProviderConfig"] = new JsonObject { ["oidc"] = IdentityProvider(context, input) } });
        On("ListIdentityProviderConfigs", (context, input) =>
        {
            _ = Cluster(context, input.Required("clusterName"));
            return Pages.Answer(input, IdentityProviders(context).Where(item => item.Text("clusterName") == input.Text("clusterName"))
                .Select(item => new JsonObject { ["type"] = "oidc", ["name"] = item.Text("identityProviderConfigName") }).ToList(), "identityProviderConfigs", "maxResults", "nextToken", 100, "InvalidParameterException");
        });
        On("DisassociateIdentityProviderConfig", (context, input) =>
        {
            var config = IdentityProvider(context, input);
            var name = input.Required("clusterName");
            var key = $"{name}/{config.Text("identityProviderConfigName")}";
            var started = StartClusterUpdate(context, name, "DisassociateIdentityProviderConfig", [("IdentityProviderConfig", input["identityProviderConfig"]!.ToJsonString())],
                _ => IdentityProviders(context).Remove(key), Durations.EksIdentityProvider);
            IdentityProviders(context).Update(key, document => document["status"] = "DELETING");
            return started;
        });
    }

    private JsonObject IdentityProvider(RequestContext context, JsonObject input)
    {
        _ = Cluster(context, input.Required("clusterName"));
        var asked = input.Child("identityProviderConfig")!;
        return IdentityProviders(context).Get($"{input.Text("clusterName")}/{asked.Text("name")}") ?? throw NotFound($"No identity provider config found for name: {asked.Text("name")}", input.Text("clusterName"));
    }

    private JsonObject PodIdentity(RequestContext context, JsonObject input)
    {
        _ = Cluster(context, input.Required("clusterName"));
        return Associations(context).Get(input.Required("associationId")) is { } found && found.Text("clusterName") == input.Text("clusterName") ? found
            : throw NotFound($"Association not found: {input.Text("associationId")}", input.Text("clusterName"));
    }

    private void RequirePodRole(RequestContext context, string? arn)
    {
        if (arn is not null && Runtime.Service<IamService>().FindRole(context, arn) is null)
        {
            throw Invalid($"Role {arn} provided in the request does not exist.");
        }
    }

    private JsonObject Associate(RequestContext context, JsonObject input, string? owner)
    {
        RequirePodRole(context, input.Text("roleArn"));
        var cluster = input.Required("clusterName");
        if (Associations(context).Find(item => item.Text("clusterName") == cluster && item.Text("namespace") == input.Text("namespace") && item.Text("serviceAccount") == input.Text("serviceAccount")) is { } taken)
        {
            throw InUse($"Association already exists: {taken.Text("associationId")}", cluster);
        }
        var id = "a-" + Runtime.Ids.Lower(17);
        var association = input.Pick("clusterName", "namespace", "serviceAccount", "roleArn", "targetRoleArn", "policy");
        association["associationArn"] = context.Arn("eks", $"podidentityassociation/{cluster}/{id}");
        association["associationId"] = id;
        association["tags"] = input["tags"].Copy() ?? new JsonObject();
        association["createdAt"] = Documents.Time(context.Now);
        association["modifiedAt"] = Documents.Time(context.Now);
        association["disableSessionTags"] = input.Is("disableSessionTags");
        association.With("ownerArn", owner);
        Associations(context).Put(id, association);
        return association;
    }
}
