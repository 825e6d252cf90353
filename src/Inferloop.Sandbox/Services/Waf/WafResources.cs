using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Waf;

/// <summary>The AWS::WAFv2 resource types.</summary>
internal static class WafResources
{
    private static readonly string[] Missing = ["WAFNonexistentItemException"];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<WafService>();
        return [Acl(service), IpSet(service), Association(service), Logging(service)];
    }

    /// <summary>Name, id and scope, which the physical id joins.</summary>
    private static JsonObject Parts(string id) => id.Split('|') is [var name, var key, var scope] ? new JsonObject { ["Name"] = name, ["Id"] = key, ["Scope"] = scope } : throw new ServiceFault("WAFNonexistentItemException", $"No such item: {id}");

    private static async Task RetagAsync(WafService service, ProvisionContext context, string arn, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "UntagResource", new JsonObject { ["ResourceARN"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "TagResource", new JsonObject { ["ResourceARN"] = arn, ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    /// <summary>What web ACLs and IP sets have in common: a name, a scope, a lock.</summary>
    private static Provider Locked(WafService service, string type, string kind, string member, int nameLength, Func<JsonObject, JsonObject> read, params string[] attributes)
    {
        Task<JsonObject> Get(ProvisionContext context, string id) => service.CallAsync(context, "Get" + kind, Parts(id));
        return new Provider(type)
        {
            Gone = Missing,
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "Name", nameLength);
                var created = (await service.CallMappedAsync(context, "Create" + kind, properties.Tagged(context).With("Name", name)).ConfigureAwait(false)).Child("Summary")!;
                return $"{name}|{created.Text("Id")}|{properties.Text("Scope")}";
            },
            Update = async (context, id, before, after) =>
            {
                var present = await Get(context, id).ConfigureAwait(false);
                var input = PropertyMapper.ToInput(service, "Update" + kind, after);
                foreach (var (name, value) in Parts(id))
                {
                    input[name] = value.Copy();
                }
                input["LockToken"] = present.Text("LockToken");
                await service.CallAsync(context, "Update" + kind, input).ConfigureAwait(false);
                await RetagAsync(service, context, present.Child(member)!.Required("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = async (context, id, _) => await service.CallAsync(context, "Delete" + kind, Parts(id).With("LockToken", (await Get(context, id).ConfigureAwait(false)).Text("LockToken"))).ConfigureAwait(false),
            Read = async (context, id) =>
            {
                var found = (await Get(context, id).ConfigureAwait(false)).Child(member)!;
                return read(found).With("Scope", Parts(id).Text("Scope")).With("Tags", Tags.OfTemplate(found.Objects("_Tags")));
            },
            Attributes = async (context, id) =>
            {
                var found = (await Get(context, id).ConfigureAwait(false)).Child(member)!;
                return attributes.Append("Id").ToDictionary(name => name, name => found[name].Copy(), StringComparer.Ordinal).Append(KeyValuePair.Create("Arn", found["ARN"].Copy())).ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
            },
        };
    }

    private static Provider Acl(WafService service) => Locked(service, "AWS::WAFv2::WebACL", "WebACL", "WebACL", 128,
        found => found.Pick("Name", "Description", "DefaultAction", "Rules", "VisibilityConfig", "CustomResponseBodies", "CaptchaConfig", "ChallengeConfig", "TokenDomains", "AssociationConfig"), "Capacity", "LabelNamespace");

    private static Provider IpSet(WafService service) => Locked(service, "AWS::WAFv2::IPSet", "IPSet", "IPSet", 128, found => found.Pick("Name", "Description", "IPAddressVersion", "Addresses"));

    private static Provider Association(WafService service) => new("AWS::WAFv2::WebACLAssociation")
    {
        Gone = Missing,
        Create = async (context, properties) =>
        {
            await service.CallMappedAsync(context, "AssociateWebACL", properties).ConfigureAwait(false);
            return $"{properties.Text("WebACLArn")}|{properties.Text("ResourceArn")}";
        },
        Delete = (context, id, _) => service.CallAsync(context, "DisassociateWebACL", new JsonObject { ["ResourceArn"] = id.Split('|')[1] }),
        Read = async (context, id) => (await service.CallAsync(context, "GetWebACLForResource", new JsonObject { ["ResourceArn"] = id.Split('|')[1] }).ConfigureAwait(false)).Child("WebACL") is { } acl
            ? new JsonObject { ["WebACLArn"] = acl.Text("ARN"), ["ResourceArn"] = id.Split('|')[1] } : null,
    };

    private static Provider Logging(WafService service)
    {
        Task Put(ProvisionContext context, JsonObject properties) =>
            service.CallAsync(context, "PutLoggingConfiguration", PropertyMapper.ToInput(service, "PutLoggingConfiguration", new JsonObject { ["LoggingConfiguration"] = properties.Copy() }));
        return new Provider("AWS::WAFv2::LoggingConfiguration")
        {
            Gone = Missing,
            Create = async (context, properties) =>
            {
                await Put(context, properties).ConfigureAwait(false);
                return properties.Required("ResourceArn");
            },
            Update = (context, _, _, after) => Put(context, after),
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteLoggingConfiguration", new JsonObject { ["ResourceArn"] = arn }),
            Read = async (context, arn) => (await service.CallAsync(context, "GetLoggingConfiguration", new JsonObject { ["ResourceArn"] = arn }).ConfigureAwait(false)).Child("LoggingConfiguration")!
                .Pick("ResourceArn", "LogDestinationConfigs", "RedactedFields", "LoggingFilter"),
            Attributes = (_, _) => Task.FromResult(ProviderExtensions.Attributes(("ManagedByFirewallManager", false))),
        };
    }
}
