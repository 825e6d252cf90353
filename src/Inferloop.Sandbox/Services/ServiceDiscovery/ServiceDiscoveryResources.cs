using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ServiceDiscovery;

/// <summary>AWS::ServiceDiscovery namespaces and services.</summary>
internal static class ServiceDiscoveryResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var map = runtime.Service<ServiceDiscoveryService>();
        return [Namespace(map, "AWS::ServiceDiscovery::PrivateDnsNamespace", "CreatePrivateDnsNamespace"), Namespace(map, "AWS::ServiceDiscovery::HttpNamespace", "CreateHttpNamespace"), Service(map)];
    }

    private static Provider Namespace(ServiceDiscoveryService map, string type, string create)
    {
        async Task<JsonObject> Get(ProvisionContext context, string id) => (await map.CallAsync(context, "GetNamespace", new JsonObject { ["Id"] = id }).ConfigureAwait(false)).Child("Namespace")!;
        return new Provider(type)
        {
            Gone = ["NamespaceNotFound"],
            Create = async (context, properties) =>
            {
                var operation = (await map.CallMappedAsync(context, create, properties.Tagged(context)).ConfigureAwait(false)).Required("OperationId");
                var id = "";
                await context.WaitUntilAsync(async () =>
                {
                    var state = (await map.CallAsync(context, "GetOperation", new JsonObject { ["OperationId"] = operation }).ConfigureAwait(false)).Child("Operation")!;
                    id = state.Child("Targets")!.Required("NAMESPACE");
                    return state.Text("Status") == "SUCCESS";
                }).ConfigureAwait(false);
                return id;
            },
            Delete = (context, id, _) => map.CallAsync(context, "DeleteNamespace", new JsonObject { ["Id"] = id }),
            Read = async (context, id) =>
            {
                var found = await Get(context, id).ConfigureAwait(false);
                return found.Pick("Name", "Description").With("Vpc", found.Text("_Vpc")).With("Tags", Tags.OfTemplate(found.Objects("_Tags")));
            },
            Attributes = async (context, id) =>
            {
                var found = await Get(context, id).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("Arn", found["Arn"]), ("Id", id), ("HostedZoneId", found.Child("Properties")?.Child("DnsProperties")?["HostedZoneId"]));
            },
        };
    }

    private static Provider Service(ServiceDiscoveryService map)
    {
        async Task<JsonObject> Get(ProvisionContext context, string id) => (await map.CallAsync(context, "GetService", new JsonObject { ["Id"] = id }).ConfigureAwait(false)).Child("Service")!;
        return new Provider("AWS::ServiceDiscovery::Service")
        {
            Gone = ["ServiceNotFound"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(map, "CreateService", properties.Tagged(context));
                input["Name"] = context.NameOf(properties, "Name", 127);
                return (await map.CallAsync(context, "CreateService", input).ConfigureAwait(false)).Child("Service")!.Required("Id");
            },
            Update = (context, id, _, after) => map.CallMappedAsync(context, "UpdateService", new JsonObject { ["Id"] = id, ["Service"] = after.Pick("Description", "DnsConfig", "HealthCheckConfig") }),
            Delete = async (context, id, _) =>
            {
                // Tasks that are still going leave a little after their service.
                var end = context.Runtime.Clock.Now + TimeSpan.FromMinutes(10);
                while (true)
                {
                    try
                    {
                        await map.CallAsync(context, "DeleteService", new JsonObject { ["Id"] = id }).ConfigureAwait(false);
                        return;
                    }
                    catch (ServiceFault fault) when (fault.Code == "ResourceInUse" && context.Runtime.Clock.Now < end)
                    {
                        await context.DelayAsync(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
                    }
                }
            },
            Read = async (context, id) =>
            {
                var found = await Get(context, id).ConfigureAwait(false);
                return found.Pick("Name", "NamespaceId", "Description", "DnsConfig", "HealthCheckConfig", "HealthCheckCustomConfig").With("Tags", Tags.OfTemplate(found.Objects("_Tags")));
            },
            Attributes = async (context, id) =>
            {
                var found = await Get(context, id).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("Arn", found["Arn"]), ("Id", id), ("Name", found["Name"]));
            },
        };
    }
}
