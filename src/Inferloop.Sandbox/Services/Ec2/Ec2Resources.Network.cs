using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal static partial class Ec2Resources
{
    private static IEnumerable<ResourceProvider> Gateways(Ec2Service service)
    {
        yield return new Provider("AWS::EC2::InternetGateway")
        {
            Service = "Ec2",
            Gone = ["InvalidInternetGatewayID.NotFound"],
            Create = async (context, properties) =>
                (await service.CallAsync(context, "CreateInternetGateway", Input(service, context, "CreateInternetGateway", properties, "internet-gateway")).ConfigureAwait(false))
                .Child("InternetGateway")!.Required("InternetGatewayId"),
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteInternetGateway", new JsonObject { ["InternetGatewayId"] = id }),
            Read = async (context, id) => WithTags([], await OneAsync(service, context, "DescribeInternetGateways", "InternetGatewayIds", id, "InternetGateways").ConfigureAwait(false)),
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("InternetGatewayId", id))),
        };
        yield return new Provider("AWS::EC2::VPCGatewayAttachment")
        {
            Service = "Ec2",
            Gone = ["Gateway.NotAttached", "InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound", "InvalidVpnGatewayAttachment.NotFound", "InvalidVpnGatewayID.NotFound"],
            Create = async (context, properties) =>
            {
                if (properties.Has("VpnGatewayId"))
                {
                    await service.CallMappedAsync(context, "AttachVpnGateway", properties).ConfigureAwait(false);
                    context.Initiated($"VGW|{properties.Text("VpcId")}");
                    await context.WaitUntilAsync(async () => (await OneAsync(service, context, "DescribeVpnGateways", "VpnGatewayIds", properties.Required("VpnGatewayId"), "VpnGateways").ConfigureAwait(false))
                        .Objects("VpcAttachments").Any(item => item.Text("State") == "attached")).ConfigureAwait(false);
                    return $"VGW|{properties.Text("VpcId")}";
                }
                await service.CallMappedAsync(context, "AttachInternetGateway", properties).ConfigureAwait(false);
                return $"IGW|{properties.Text("VpcId")}";
            },
            Delete = async (context, _, properties) =>
            {
                if (!properties.Has("VpnGatewayId"))
                {
                    await WhileDependedUponAsync(context, () => service.CallMappedAsync(context, "DetachInternetGateway", properties)).ConfigureAwait(false);
                    return;
                }
                await service.CallMappedAsync(context, "DetachVpnGateway", properties).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => (await OneAsync(service, context, "DescribeVpnGateways", "VpnGatewayIds", properties.Required("VpnGatewayId"), "VpnGateways").ConfigureAwait(false))
                    .Objects("VpcAttachments").All(item => item.Text("State") == "detached")).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var vpc = id.Split('|')[^1];
                if (id.StartsWith("VGW", StringComparison.Ordinal))
                {
                    var gateways = await service.CallAsync(context, "DescribeVpnGateways",
                        new JsonObject { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "attachment.vpc-id", ["Values"] = new JsonArray(vpc) }) }).ConfigureAwait(false);
                    return gateways.Objects("VpnGateways").FirstOrDefault(item => item.Objects("VpcAttachments").Any(attachment => attachment.Text("State") == "attached")) is { } attached
                        ? new JsonObject { ["VpcId"] = vpc, ["VpnGatewayId"] = attached.Text("VpnGatewayId") }
                        : null;
                }
                var found = await service.CallAsync(context, "DescribeInternetGateways",
                    new JsonObject { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "attachment.vpc-id", ["Values"] = new JsonArray(vpc) }) }).ConfigureAwait(false);
                return found.Objects("InternetGateways").FirstOrDefault() is { } gateway
                    ? new JsonObject { ["VpcId"] = vpc, ["InternetGatewayId"] = gateway.Text("InternetGatewayId") }
                    : null;
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("AttachmentType", id.Split('|')[0]))),
        };
        Task<JsonObject> Address(ProvisionContext context, string ip) => OneAsync(service, context, "DescribeAddresses", "PublicIps", ip, "Addresses");
        yield return new Provider("AWS::EC2::EIP")
        {
            Service = "Ec2",
            Gone = ["InvalidAllocationID.NotFound", "InvalidAddress.NotFound"],
            Create = async (context, properties) =>
                (await service.CallAsync(context, "AllocateAddress", Input(service, context, "AllocateAddress", properties, "elastic-ip")).ConfigureAwait(false)).Required("PublicIp"),
            Update = async (context, ip, before, after) =>
                await RetagAsync(service, context, (await Address(context, ip).ConfigureAwait(false)).Required("AllocationId"), before, after).ConfigureAwait(false),
            Delete = async (context, ip, _) =>
            {
                var address = await Address(context, ip).ConfigureAwait(false);
                await service.CallAsync(context, "ReleaseAddress", new JsonObject { ["AllocationId"] = address.Text("AllocationId") }).ConfigureAwait(false);
            },
            Read = async (context, ip) =>
            {
                var address = await Address(context, ip).ConfigureAwait(false);
                return WithTags(address.Pick("Domain"), address);
            },
            Attributes = async (context, ip) => ProviderExtensions.Attributes(("AllocationId", (await Address(context, ip).ConfigureAwait(false))["AllocationId"]), ("PublicIp", ip)),
        };
        Task<JsonObject> Nat(ProvisionContext context, string id) => OneAsync(service, context, "DescribeNatGateways", "NatGatewayIds", id, "NatGateways");
        yield return new Provider("AWS::EC2::NatGateway")
        {
            Service = "Ec2",
            Gone = ["NatGatewayNotFound"],
            Create = async (context, properties) =>
            {
                var input = Input(service, context, "CreateNatGateway", properties, "natgateway");
                input["ClientToken"] = context.ClientToken;
                var id = (await service.CallAsync(context, "CreateNatGateway", input).ConfigureAwait(false)).Child("NatGateway")!.Required("NatGatewayId");
                context.Initiated(id);
                await context.WaitUntilAsync(async () =>
                {
                    var gateway = await Nat(context, id).ConfigureAwait(false);
                    return gateway.Text("State") switch
                    {
                        "available" => true,
                        "failed" => throw new ServiceFault(gateway.Text("FailureCode") ?? "Failed", $"NatGateway {id} is in state failed and hence failed to stabilize. Detailed failure message: {gateway.Text("FailureMessage")}"),
                        _ => false,
                    };
                }).ConfigureAwait(false);
                return id;
            },
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = async (context, id, _) =>
            {
                await service.CallAsync(context, "DeleteNatGateway", new JsonObject { ["NatGatewayId"] = id }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => (await Nat(context, id).ConfigureAwait(false)).Text("State") == "deleted").ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var gateway = await Nat(context, id).ConfigureAwait(false);
                return gateway.Text("State") is "deleted" or "deleting" ? null
                    : WithTags(gateway.Pick("SubnetId", "ConnectivityType").With("AllocationId", gateway.Objects("NatGatewayAddresses").FirstOrDefault()?["AllocationId"].Copy()), gateway);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("NatGatewayId", id))),
        };
    }

    private static IEnumerable<ResourceProvider> Routing(Ec2Service service)
    {
        Task<JsonObject> Table(ProvisionContext context, string id) => OneAsync(service, context, "DescribeRouteTables", "RouteTableIds", id, "RouteTables");
        yield return new Provider("AWS::EC2::RouteTable")
        {
            Service = "Ec2",
            Gone = ["InvalidRouteTableID.NotFound"],
            Create = async (context, properties) =>
                (await service.CallAsync(context, "CreateRouteTable", Input(service, context, "CreateRouteTable", properties, "route-table")).ConfigureAwait(false)).Child("RouteTable")!.Required("RouteTableId"),
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteRouteTable", new JsonObject { ["RouteTableId"] = id }),
            Read = async (context, id) =>
            {
                var table = await Table(context, id).ConfigureAwait(false);
                return WithTags(table.Pick("VpcId"), table);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("RouteTableId", id))),
        };
        static string Destination(JsonObject properties) =>
            properties.Text("DestinationCidrBlock") ?? properties.Text("DestinationIpv6CidrBlock") ?? properties.Required("DestinationPrefixListId");
        yield return new Provider("AWS::EC2::Route")
        {
            Service = "Ec2",
            Gone = ["InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"],
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "CreateRoute", properties).ConfigureAwait(false);
                return $"{properties.Text("RouteTableId")}|{Destination(properties)}";
            },
            Update = (context, _, _, after) => service.CallMappedAsync(context, "ReplaceRoute", after),
            Delete = (context, _, properties) => service.CallMappedAsync(context, "DeleteRoute", properties.Pick("RouteTableId", "DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")),
            Read = async (context, id) =>
            {
                var parts = id.Split('|');
                var table = await Table(context, parts[0]).ConfigureAwait(false);
                var route = table.Objects("Routes").FirstOrDefault(item => Destination(item) == parts[1]);
                return route is null ? null
                    : route.Pick("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId", "GatewayId", "NatGatewayId", "NetworkInterfaceId", "InstanceId").With("RouteTableId", parts[0]);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("CidrBlock", id.Split('|')[^1]))),
        };
        yield return new Provider("AWS::EC2::SubnetRouteTableAssociation")
        {
            Service = "Ec2",
            Gone = ["InvalidAssociationID.NotFound"],
            Create = async (context, properties) =>
                (await service.CallMappedAsync(context, "AssociateRouteTable", properties).ConfigureAwait(false)).Required("AssociationId"),
            Delete = (context, id, _) => service.CallAsync(context, "DisassociateRouteTable", new JsonObject { ["AssociationId"] = id }),
            Read = async (context, id) =>
            {
                var tables = await service.CallAsync(context, "DescribeRouteTables",
                    new JsonObject { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "association.route-table-association-id", ["Values"] = new JsonArray(id) }) }).ConfigureAwait(false);
                return tables.Objects("RouteTables").SelectMany(table => table.Objects("Associations")).FirstOrDefault(item => item.Text("RouteTableAssociationId") == id)?.Pick("RouteTableId", "SubnetId");
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
    }

    private static IEnumerable<ResourceProvider> Acls(Ec2Service service)
    {
        Task<JsonObject> Acl(ProvisionContext context, string id) => OneAsync(service, context, "DescribeNetworkAcls", "NetworkAclIds", id, "NetworkAcls");
        yield return new Provider("AWS::EC2::NetworkAcl")
        {
            Service = "Ec2",
            Gone = ["InvalidNetworkAclID.NotFound"],
            Create = async (context, properties) =>
                (await service.CallAsync(context, "CreateNetworkAcl", Input(service, context, "CreateNetworkAcl", properties, "network-acl")).ConfigureAwait(false)).Child("NetworkAcl")!.Required("NetworkAclId"),
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteNetworkAcl", new JsonObject { ["NetworkAclId"] = id }),
            Read = async (context, id) =>
            {
                var acl = await Acl(context, id).ConfigureAwait(false);
                return WithTags(acl.Pick("VpcId"), acl);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
        JsonObject Entry(JsonObject properties, string operation)
        {
            var input = PropertyMapper.ToInput(service, operation, properties, ("Icmp", "IcmpTypeCode"));
            input["Egress"] = properties.Is("Egress");
            return input;
        }
        yield return new Provider("AWS::EC2::NetworkAclEntry")
        {
            Service = "Ec2",
            Gone = ["InvalidNetworkAclEntry.NotFound", "InvalidNetworkAclID.NotFound"],
            Create = async (context, properties) =>
            {
                await service.CallAsync(context, "CreateNetworkAclEntry", Entry(properties, "CreateNetworkAclEntry")).ConfigureAwait(false);
                return $"{properties.Text("NetworkAclId")}|{properties.Text("RuleNumber")}|{(properties.Is("Egress") ? "egress" : "ingress")}";
            },
            Update = (context, _, _, after) => service.CallAsync(context, "ReplaceNetworkAclEntry", Entry(after, "ReplaceNetworkAclEntry")),
            Delete = (context, _, properties) => service.CallAsync(context, "DeleteNetworkAclEntry", Entry(properties, "DeleteNetworkAclEntry")),
            Read = async (context, id) =>
            {
                var parts = id.Split('|');
                var acl = await Acl(context, parts[0]).ConfigureAwait(false);
                var entry = acl.Objects("Entries").FirstOrDefault(item => item.Text("RuleNumber") == parts[1] && item.Is("Egress") == (parts[2] == "egress"));
                if (entry is null)
                {
                    return null;
                }
                var properties = entry.Pick("CidrBlock", "Ipv6CidrBlock", "Egress", "RuleAction", "RuleNumber", "PortRange").With("NetworkAclId", parts[0]).With("Icmp", entry["IcmpTypeCode"].Copy());
                properties["Protocol"] = int.Parse(entry.Required("Protocol"), System.Globalization.CultureInfo.InvariantCulture);
                return properties;
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
        async Task<JsonObject?> Association(ProvisionContext context, Func<JsonObject, bool> condition) =>
            (await service.CallAsync(context, "DescribeNetworkAcls", []).ConfigureAwait(false)).Objects("NetworkAcls").SelectMany(acl => acl.Objects("Associations")).FirstOrDefault(condition);
        yield return new Provider("AWS::EC2::SubnetNetworkAclAssociation")
        {
            Service = "Ec2",
            Gone = ["InvalidAssociationID.NotFound"],
            Create = async (context, properties) =>
            {
                var present = await Association(context, item => item.Text("SubnetId") == properties.Text("SubnetId")).ConfigureAwait(false)
                    ?? throw new ServiceFault("InvalidSubnetID.NotFound", $"The subnet ID '{properties.Text("SubnetId")}' does not exist");
                var made = await service.CallAsync(context, "ReplaceNetworkAclAssociation",
                    new JsonObject { ["AssociationId"] = present.Text("NetworkAclAssociationId"), ["NetworkAclId"] = properties.Text("NetworkAclId") }).ConfigureAwait(false);
                return made.Required("NewAssociationId");
            },
            Delete = async (context, id, _) =>
            {
                // A subnet always has an ACL: it goes back to the VPC's default one.
                if (await Association(context, item => item.Text("NetworkAclAssociationId") == id).ConfigureAwait(false) is not { } present)
                {
                    return;
                }
                var subnet = await OneAsync(service, context, "DescribeSubnets", "SubnetIds", present.Required("SubnetId"), "Subnets").ConfigureAwait(false);
                var acls = await service.CallAsync(context, "DescribeNetworkAcls", []).ConfigureAwait(false);
                var standard = acls.Objects("NetworkAcls").First(acl => acl.Is("IsDefault") && acl.Text("VpcId") == subnet.Text("VpcId"));
                await service.CallAsync(context, "ReplaceNetworkAclAssociation", new JsonObject { ["AssociationId"] = id, ["NetworkAclId"] = standard.Text("NetworkAclId") }).ConfigureAwait(false);
            },
            Read = async (context, id) => (await Association(context, item => item.Text("NetworkAclAssociationId") == id).ConfigureAwait(false))?.Pick("NetworkAclId", "SubnetId"),
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("AssociationId", id))),
        };
    }
}
