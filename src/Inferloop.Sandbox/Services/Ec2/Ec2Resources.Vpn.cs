using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal static partial class Ec2Resources
{
    private static IEnumerable<ResourceProvider> Vpn(Ec2Service service)
    {
        yield return Gateway(service, "AWS::EC2::VPNGateway", "VpnGateway", "vpn-gateway", ["Type", "AmazonSideAsn"], "VPNGatewayId");
        yield return Gateway(service, "AWS::EC2::CustomerGateway", "CustomerGateway", "customer-gateway", ["Type", "BgpAsn", "IpAddress", "DeviceName", "CertificateArn"], "CustomerGatewayId");
        Task<JsonObject> Connection(ProvisionContext context, string id) => OneAsync(service, context, "DescribeVpnConnections", "VpnConnectionIds", id, "VpnConnections");
        yield return new Provider("AWS::EC2::VPNConnection")
        {
            Service = "Ec2",
            Gone = ["InvalidVpnConnectionID.NotFound"],
            Create = async (context, properties) =>
            {
                var input = Input(service, context, "CreateVpnConnection", properties, "vpn-connection");
                var tunnels = properties.Objects("VpnTunnelOptionsSpecifications").Select(item => item.Copy()).ToList();
                input["Options"] = properties.Pick("StaticRoutesOnly", "LocalIpv4NetworkCidr", "RemoteIpv4NetworkCidr", "EnableAcceleration", "TunnelInsideIpVersion", "OutsideIpAddressType").With("TunnelOptions", tunnels.Count > 0 ? tunnels.ToJsonList() : null);
                var id = (await service.CallMappedAsync(context, "CreateVpnConnection", input).ConfigureAwait(false)).Child("VpnConnection")!.Required("VpnConnectionId");
                context.Initiated(id);
                await context.WaitUntilAsync(async () => (await Connection(context, id).ConfigureAwait(false)).Text("State") == "available").ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "CustomerGatewayId", "VpnGatewayId", "VpnTunnelOptionsSpecifications"))
                {
                    throw new ServiceFault("NotUpdatable", "The sandbox changes no gateway and no tunnel options of an existing VPN connection.");
                }
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                await service.CallAsync(context, "DeleteVpnConnection", new JsonObject { ["VpnConnectionId"] = id }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => (await Connection(context, id).ConfigureAwait(false)).Text("State") == "deleted").ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var connection = await Connection(context, id).ConfigureAwait(false);
                return connection.Text("State") is "deleting" or "deleted" ? null
                    : WithTags(connection.Pick("Type", "CustomerGatewayId", "VpnGatewayId").Take(connection.Child("Options")!, "StaticRoutesOnly", "LocalIpv4NetworkCidr", "RemoteIpv4NetworkCidr"), connection);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("VpnConnectionId", id))),
        };
        yield return new Provider("AWS::EC2::VPNConnectionRoute")
        {
            Service = "Ec2",
            Gone = ["InvalidVpnConnectionID.NotFound"],
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "CreateVpnConnectionRoute", properties).ConfigureAwait(false);
                return $"{properties.Text("DestinationCidrBlock")}|{properties.Text("VpnConnectionId")}";
            },
            Delete = (context, _, properties) => service.CallMappedAsync(context, "DeleteVpnConnectionRoute", properties),
            Read = async (context, id) => (await Connection(context, id.Split('|')[1]).ConfigureAwait(false)).Objects("Routes").Any(route => route.Text("DestinationCidrBlock") == id.Split('|')[0])
                ? new JsonObject { ["DestinationCidrBlock"] = id.Split('|')[0], ["VpnConnectionId"] = id.Split('|')[1] }
                : null,
        };
        async Task Propagate(ProvisionContext context, string operation, IEnumerable<string> tables, string gateway)
        {
            foreach (var table in tables)
            {
                await service.CallAsync(context, operation, new JsonObject { ["RouteTableId"] = table, ["GatewayId"] = gateway }).ConfigureAwait(false);
            }
        }
        yield return new Provider("AWS::EC2::VPNGatewayRoutePropagation")
        {
            Service = "Ec2",
            Gone = ["InvalidRouteTableID.NotFound", "InvalidVpnGatewayID.NotFound"],
            Create = async (context, properties) =>
            {
                await Propagate(context, "EnableVgwRoutePropagation", properties.Texts("RouteTableIds"), properties.Required("VpnGatewayId")).ConfigureAwait(false);
                return $"{properties.Text("VpnGatewayId")}|{string.Join(',', properties.Texts("RouteTableIds"))}|{context.Runtime.Ids.Lower(8)}";
            },
            Update = async (context, id, before, after) =>
            {
                await Propagate(context, "DisableVgwRoutePropagation", before.Texts("RouteTableIds").Except(after.Texts("RouteTableIds")), before.Required("VpnGatewayId")).ConfigureAwait(false);
                await Propagate(context, "EnableVgwRoutePropagation", after.Texts("RouteTableIds"), after.Required("VpnGatewayId")).ConfigureAwait(false);
            },
            Delete = (context, _, properties) => Propagate(context, "DisableVgwRoutePropagation", properties.Texts("RouteTableIds"), properties.Required("VpnGatewayId")),
            Read = async (context, id) =>
            {
                var gateway = id.Split('|')[0];
                var tables = await service.CallAsync(context, "DescribeRouteTables", []).ConfigureAwait(false);
                var propagating = tables.Objects("RouteTables").Where(table => table.Objects("PropagatingVgws").Any(item => item.Text("GatewayId") == gateway)).Select(table => table.Required("RouteTableId")).ToTextList();
                return propagating.Count > 0 ? new JsonObject { ["VpnGatewayId"] = gateway, ["RouteTableIds"] = propagating } : null;
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
    }

    private static Provider Gateway(Ec2Service service, string type, string kind, string tagType, string[] read, string attribute)
    {
        Task<JsonObject> Find(ProvisionContext context, string id) => OneAsync(service, context, $"Describe{kind}s", kind + "Ids", id, kind + "s");
        return new Provider(type)
        {
            Service = "Ec2",
            Gone = [$"Invalid{kind}ID.NotFound"],
            Busy = ["IncorrectState"],
            Create = async (context, properties) =>
                (await service.CallAsync(context, "Create" + kind, Input(service, context, "Create" + kind, properties, tagType)).ConfigureAwait(false)).Child(kind)!.Required(kind + "Id"),
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "Delete" + kind, new JsonObject { [kind + "Id"] = id }),
            Read = async (context, id) => await Find(context, id).ConfigureAwait(false) is var found ? WithTags(found.Pick(read), found) : null,
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes((attribute, id))),
        };
    }
}
