using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Iam;

/// <summary>Instance profiles and OpenID Connect providers.</summary>
internal sealed partial class IamService
{
    private void AddProfiles()
    {
        On("CreateInstanceProfile", CreateInstanceProfile);
        On("GetInstanceProfile", (context, input) => new JsonObject { ["InstanceProfile"] = ProfileView(context, Profile(context, input)) });
        On("ListInstanceProfiles", (context, input) => Listed(input, Profiles(context).All().Select(profile => ProfileView(context, profile)), "InstanceProfiles"));
        On("ListInstanceProfilesForRole", (context, input) =>
        {
            var role = Role(context, input.Required("RoleName")).Required("RoleName");
            return Listed(input, Profiles(context).Where(profile => profile.Texts("_Roles").Contains(role)).Select(profile => ProfileView(context, profile)), "InstanceProfiles");
        });
        On("AddRoleToInstanceProfile", (context, input) =>
        {
            var role = Role(context, input.Required("RoleName")).Required("RoleName");
            var profile = Profile(context, input);
            if (profile.Texts("_Roles").Count > 0)
            {
                throw new ServiceFault("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1", 409);
            }
            Profiles(context).Update(profile.Required("InstanceProfileName"), document => document["_Roles"] = new JsonArray(role));
            return [];
        });
        On("RemoveRoleFromInstanceProfile", (context, input) =>
        {
            var profile = Profile(context, input);
            if (!profile.Texts("_Roles").Contains(input.Required("RoleName")))
            {
                throw NoSuch($"The role with name {input.Text("RoleName")} cannot be found.");
            }
            Profiles(context).Update(profile.Required("InstanceProfileName"), document => document["_Roles"] = new JsonArray());
            return [];
        });
        On("DeleteInstanceProfile", (context, input) =>
        {
            var profile = Profile(context, input);
            if (profile.Texts("_Roles").Count > 0)
            {
                throw Conflict("Cannot delete entity, must remove roles from instance profile first.");
            }
            Profiles(context).Remove(profile.Required("InstanceProfileName"));
            return [];
        });
        On("CreateOpenIDConnectProvider", CreateProvider);
        On("GetOpenIDConnectProvider", (context, input) => Oidc(context, input).Pick("Url", "ClientIDList", "ThumbprintList", "CreateDate", "Tags"));
        On("ListOpenIDConnectProviders", (context, _) => new JsonObject { ["OpenIDConnectProviderList"] = Providers(context).Keys().Select(arn => new JsonObject { ["Arn"] = arn }).ToJsonList() });
        On("DeleteOpenIDConnectProvider", (context, input) =>
        {
            _ = Oidc(context, input);
            Providers(context).Remove(input.Required("OpenIDConnectProviderArn"));
            return [];
        });
        On("UpdateOpenIDConnectProviderThumbprint", (context, input) => ChangeProvider(context, input, provider => provider["ThumbprintList"] = input["ThumbprintList"].Copy()));
        On("AddClientIDToOpenIDConnectProvider", (context, input) => ChangeProvider(context, input, provider =>
            provider["ClientIDList"] = provider.Texts("ClientIDList").Append(input.Required("ClientID")).Distinct().ToTextList()));
        On("RemoveClientIDFromOpenIDConnectProvider", (context, input) => ChangeProvider(context, input, provider =>
            provider["ClientIDList"] = provider.Texts("ClientIDList").Where(id => id != input.Text("ClientID")).ToTextList()));
        On("TagOpenIDConnectProvider", (context, input) => ChangeProvider(context, input, provider => Tags.Put(provider, "Tags", input.Objects("Tags"))));
        On("UntagOpenIDConnectProvider", (context, input) => ChangeProvider(context, input, provider => Tags.Remove(provider, "Tags", input.Texts("TagKeys"))));
    }

    private JsonObject CreateInstanceProfile(RequestContext context, JsonObject input)
    {
        var name = input.Required("InstanceProfileName");
        var profile = new JsonObject
        {
            ["Path"] = PathOf(input),
            ["InstanceProfileName"] = name,
            ["InstanceProfileId"] = Id("AIPA"),
            ["Arn"] = context.GlobalArn("iam", $"instance-profile{PathOf(input)}{name}"),
            ["CreateDate"] = Documents.Time(context.Now),
            ["_Roles"] = new JsonArray(),
        }.Take(input, "Tags");
        return Profiles(context).TryAdd(name, profile)
            ? new JsonObject { ["InstanceProfile"] = ProfileView(context, profile) }
            : throw Exists($"Instance Profile {name} already exists.");
    }

    private JsonObject Profile(RequestContext context, JsonObject input) =>
        Profiles(context).Get(input.Required("InstanceProfileName")) ?? throw NoSuch($"Instance Profile {input.Text("InstanceProfileName")} cannot be found.");

    private JsonObject ProfileView(RequestContext context, JsonObject profile)
    {
        var view = profile.Copy();
        view["Roles"] = profile.Texts("_Roles").Select(name => View(Role(context, name))).ToJsonList();
        return view;
    }

    private JsonObject CreateProvider(RequestContext context, JsonObject input)
    {
        var url = input.Required("Url");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != "https")
        {
            throw new ServiceFault("InvalidInput", "Invalid Open ID Connect Provider URL");
        }
        var host = url["https://".Length..].TrimEnd('/');
        var arn = context.GlobalArn("iam", "oidc-provider/" + host);
        var provider = new JsonObject
        {
            ["Url"] = host,
            ["ClientIDList"] = input["ClientIDList"].Copy() ?? new JsonArray(),
            ["ThumbprintList"] = input["ThumbprintList"].Copy() ?? new JsonArray("9e99a48a9960b14926bb7f3b02e22da2b0ab7280"),
            ["CreateDate"] = Documents.Time(context.Now),
            ["Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        };
        return Providers(context).TryAdd(arn, provider)
            ? new JsonObject { ["OpenIDConnectProviderArn"] = arn }
            : throw Exists($"Provider with url {url} already exists.");
    }

    private JsonObject Oidc(RequestContext context, JsonObject input) => Providers(context).Get(input.Required("OpenIDConnectProviderArn"))
        ?? throw NoSuch($"OpenIDConnect Provider not found for arn {input.Text("OpenIDConnectProviderArn")}");

    private JsonObject ChangeProvider(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        _ = Oidc(context, input);
        Providers(context).Update(input.Required("OpenIDConnectProviderArn"), change);
        return [];
    }
}
