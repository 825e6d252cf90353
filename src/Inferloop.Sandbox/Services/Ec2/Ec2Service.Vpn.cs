using System.Net;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>Site-to-site VPN: both gateways, the connection with its two tunnels, and routes that the gateway propagates.</summary>
internal sealed partial class Ec2Service
{
    private const long AmazonAsn = 64512;

    private void AddVpn()
    {
        On("CreateVpnGateway", (context, input) =>
        {
            NeedsNoDryRun(input);
            var id = Runtime.Ids.Resource("vgw");
            return new JsonObject
            {
                ["VpnGateway"] = Add(context, "vgw", id, new JsonObject
                {
                    ["VpnGatewayId"] = id,
                    ["Type"] = input.Text("Type"),
                    ["State"] = "available",
                    ["AmazonSideAsn"] = input.Long("AmazonSideAsn") ?? AmazonAsn,
                    ["VpcAttachments"] = new JsonArray(),
                }, input),
            };
        });
        On("DescribeVpnGateways", (context, input) => Describe(context, input, "vgw", "VpnGatewayIds", "VpnGateways",
            "vpn-gateway-id state type amazon-side-asn attachment.vpc-id=VpcAttachments.VpcId attachment.state=VpcAttachments.State"));
        On("AttachVpnGateway", AttachVpnGateway);
        On("DetachVpnGateway", DetachVpnGateway);
        On("DeleteVpnGateway", (context, input) =>
        {
            var gateway = Find(context, "vgw", input.Text("VpnGatewayId"));
            var id = gateway.Required("VpnGatewayId");
            if (gateway.Objects("VpcAttachments").Any(item => item.Text("State") != "detached") || Kind(context, "vpn").Any(item => item.Text("VpnGatewayId") == id && item.Text("State") != "deleted"))
            {
                throw Invalid("IncorrectState", $"The vpnGateway '{id}' is in use: detach it, and delete its VPN connections, first.");
            }
            Kind(context, "vgw").Remove(id);
            return [];
        });
        On("CreateCustomerGateway", (context, input) =>
        {
            NeedsNoDryRun(input);
            var address = input.Text("IpAddress") ?? input.Text("PublicIp");
            if (address is not null ? !IPAddress.TryParse(address, out _) : !input.Has("CertificateArn"))
            {
                throw Invalid(address is null ? "MissingParameter" : "InvalidParameterValue", address is null ? "The request must contain the parameter ipAddress" : $"Value ({address}) for parameter ipAddress is invalid. Invalid Format.");
            }
            var id = Runtime.Ids.Resource("cgw");
            return new JsonObject
            {
                ["CustomerGateway"] = Add(context, "cgw", id, new JsonObject { ["CustomerGatewayId"] = id, ["Type"] = input.Text("Type"), ["State"] = "available", ["BgpAsn"] = input.Text("BgpAsn") ?? input.Text("BgpAsnExtended") ?? "65000" }
                    .With("IpAddress", address).Take(input, "CertificateArn", "DeviceName"), input),
            };
        });
        On("DescribeCustomerGateways", (context, input) => Describe(context, input, "cgw", "CustomerGatewayIds", "CustomerGateways", "customer-gateway-id state type bgp-asn ip-address"));
        On("DeleteCustomerGateway", (context, input) =>
        {
            var id = Find(context, "cgw", input.Text("CustomerGatewayId")).Required("CustomerGatewayId");
            if (Kind(context, "vpn").Any(item => item.Text("CustomerGatewayId") == id && item.Text("State") != "deleted"))
            {
                throw Invalid("IncorrectState", "The customer gateway is in use.");
            }
            Kind(context, "cgw").Remove(id);
            return [];
        });
        On("CreateVpnConnection", CreateVpnConnection);
        On("DescribeVpnConnections", (context, input) => Describe(context, input, "vpn", "VpnConnectionIds", "VpnConnections",
            "vpn-connection-id state type customer-gateway-id vpn-gateway-id transit-gateway-id option.static-routes-only=Options.StaticRoutesOnly route.destination-cidr-block=Routes.DestinationCidrBlock"));
        On("DeleteVpnConnection", DeleteVpnConnection);
        On("CreateVpnConnectionRoute", (context, input) => ChangeStaticRoutes(context, input, isAdded: true));
        On("DeleteVpnConnectionRoute", (context, input) => ChangeStaticRoutes(context, input, isAdded: false));
        On("EnableVgwRoutePropagation", EnablePropagation);
        On("DisableVgwRoutePropagation", (context, input) =>
        {
            var (table, gateway) = (Find(context, "rtb", input.Text("RouteTableId")).Required("RouteTableId"), input.Required("GatewayId"));
            Change(context, "rtb", table, document =>
            {
                document["PropagatingVgws"] = document.Objects("PropagatingVgws").Where(item => item.Text("GatewayId") != gateway).Select(item => item.Copy()).ToJsonList();
                document["Routes"] = document.Objects("Routes").Where(item => item.Text("Origin") != "EnableVgwRoutePropagation" || item.Text("GatewayId") != gateway).Select(item => item.Copy()).ToJsonList();
            });
            return [];
        });
    }

    private JsonObject AttachVpnGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        var gateway = Find(context, "vgw", input.Text("VpnGatewayId"));
        var id = gateway.Required("VpnGatewayId");
        if (gateway.Objects("VpcAttachments").Any(item => item.Text("VpcId") != vpc && item.Text("State") != "detached"))
        {
            throw Invalid("VpnGatewayAttachmentLimitExceeded", "The maximum number of virtual private gateway attachments has been reached.");
        }
        if (Kind(context, "vgw").Any(other => other.Text("VpnGatewayId") != id && other.Objects("VpcAttachments").Any(item => item.Text("VpcId") == vpc && item.Text("State") != "detached")))
        {
            throw Invalid("InvalidParameterValue", $"Network {vpc} already has a VPN gateway attached");
        }
        var attachment = new JsonObject { ["State"] = "attaching", ["VpcId"] = vpc };
        Change(context, "vgw", id, document => document["VpcAttachments"] = new JsonArray(attachment.DeepClone()));
        var later = context.Detached();
        Runtime.After(Durations.VpnGatewayAttachment, () => Change(later, "vgw", id, document => ShiftAttachment(document, "attaching", "attached")));
        return new JsonObject { ["VpcAttachment"] = attachment };
    }

    private static void ShiftAttachment(JsonObject gateway, string from, string to)
    {
        foreach (var item in gateway.Objects("VpcAttachments").Where(item => item.Text("State") == from))
        {
            item["State"] = to;
        }
    }

    private JsonObject DetachVpnGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var gateway = Find(context, "vgw", input.Text("VpnGatewayId"));
        var id = gateway.Required("VpnGatewayId");
        if (!gateway.Objects("VpcAttachments").Any(item => item.Text("VpcId") == input.Text("VpcId") && item.Text("State") is "attached" or "attaching"))
        {
            throw Invalid("InvalidVpnGatewayAttachment.NotFound", $"The attachment with vpn gateway ID '{id}' and vpc ID '{input.Text("VpcId")}' does not exist");
        }
        Change(context, "vgw", id, document =>
        {
            ShiftAttachment(document, "attached", "detaching");
            ShiftAttachment(document, "attaching", "detaching");
        });
        foreach (var table in Kind(context, "rtb").Where(item => item.Objects("PropagatingVgws").Any(propagating => propagating.Text("GatewayId") == id)))
        {
            Change(context, "rtb", table.Required("RouteTableId"), document =>
            {
                document["PropagatingVgws"] = new JsonArray();
                document["Routes"] = document.Objects("Routes").Where(item => item.Text("Origin") != "EnableVgwRoutePropagation").Select(item => item.Copy()).ToJsonList();
            });
        }
        var later = context.Detached();
        Runtime.After(Durations.VpnGatewayAttachment, () => Change(later, "vgw", id, document => ShiftAttachment(document, "detaching", "detached")));
        return [];
    }

    private JsonObject CreateVpnConnection(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var customer = Find(context, "cgw", input.Text("CustomerGatewayId"));
        if (!input.Has("VpnGatewayId"))
        {
            throw input.Has("TransitGatewayId")
                ? new ServiceFault("NotImplemented", "The sandbox has VPN connections to virtual private gateways only. Nothing was changed.", 501)
                : Invalid("MissingParameter", "The request must contain the parameter vpnGatewayId or transitGatewayId");
        }
        var gateway = Find(context, "vgw", input.Text("VpnGatewayId"));
        var options = input.Child("Options") ?? [];
        var asked = options.Objects("TunnelOptions").ToList();
        if (asked.Count > 2)
        {
            throw Invalid("InvalidParameterValue", "At most two tunnel options can be given.");
        }
        var tunnels = Enumerable.Range(0, 2).Select(index => Tunnel(asked.ElementAtOrDefault(index) ?? [])).ToList();
        if (tunnels[0].Text("TunnelInsideCidr") == tunnels[1].Text("TunnelInsideCidr"))
        {
            throw Invalid("InvalidParameterValue", $"The inside CIDR {tunnels[0].Text("TunnelInsideCidr")} is used for both tunnels.");
        }
        var id = Runtime.Ids.Resource("vpn");
        var isStatic = options.Is("StaticRoutesOnly");
        var connection = Add(context, "vpn", id, new JsonObject
        {
            ["VpnConnectionId"] = id,
            ["State"] = "pending",
            ["Type"] = input.Text("Type"),
            ["Category"] = "VPN",
            ["CustomerGatewayId"] = customer.Text("CustomerGatewayId"),
            ["VpnGatewayId"] = gateway.Text("VpnGatewayId"),
            ["GatewayAssociationState"] = "associated",
            ["Options"] = new JsonObject
            {
                ["EnableAcceleration"] = false,
                ["StaticRoutesOnly"] = isStatic,
                ["LocalIpv4NetworkCidr"] = options.Text("LocalIpv4NetworkCidr") ?? "0.0.0.0/0",
                ["RemoteIpv4NetworkCidr"] = options.Text("RemoteIpv4NetworkCidr") ?? "0.0.0.0/0",
                ["OutsideIpAddressType"] = "PublicIpv4",
                ["TunnelInsideIpVersion"] = "ipv4",
                ["TunnelOptions"] = tunnels.ToJsonList(),
            },
            ["Routes"] = new JsonArray(),
            // No device of the other side is there: the tunnels stay down, as they do until one connects.
            ["VgwTelemetry"] = tunnels.Select(tunnel => new JsonObject
            {
                ["OutsideIpAddress"] = tunnel.Text("OutsideIpAddress"),
                ["Status"] = "DOWN",
                ["StatusMessage"] = "IPSEC IS DOWN",
                ["AcceptedRouteCount"] = 0,
                ["LastStatusChange"] = Documents.Time(context.Now),
            }).ToJsonList(),
            ["CustomerGatewayConfiguration"] = $"<vpn_connection id=\"{id}\"><customer_gateway_id>{customer.Text("CustomerGatewayId")}</customer_gateway_id><vpn_gateway_id>{gateway.Text("VpnGatewayId")}</vpn_gateway_id></vpn_connection>",
        }, input);
        var later = context.Detached();
        Runtime.After(Durations.VpnConnection, () => Change(later, "vpn", id, static document =>
        {
            if (document.Text("State") == "pending")
            {
                document["State"] = "available";
            }
        }));
        return new JsonObject { ["VpnConnection"] = connection };
    }

    private JsonObject Tunnel(JsonObject asked)
    {
        var key = asked.Text("PreSharedKey");
        if (key is not null && (key.Length is < 8 or > 64 || key[0] == '0' || !key.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_')))
        {
            throw Invalid("InvalidParameterValue", "Invalid pre-shared key: it must be 8 to 64 letters, digits, periods and underscores, and cannot start with zero.");
        }
        var inside = asked.Text("TunnelInsideCidr") ?? $"169.254.{10 + Runtime.Ids.Next(150)}.{4 * Runtime.Ids.Next(63)}/30";
        if (!inside.StartsWith("169.254.", StringComparison.Ordinal) || !inside.EndsWith("/30", StringComparison.Ordinal) || Ipv4Block.Parse(inside) is null)
        {
            throw Invalid("InvalidParameterValue", $"The tunnel inside CIDR {inside} is invalid: a size /30 block of 169.254.0.0/16 is needed.");
        }
        var tunnel = asked.Copy();
        tunnel["OutsideIpAddress"] = PublicAddress();
        tunnel["TunnelInsideCidr"] = inside;
        tunnel["PreSharedKey"] = key ?? Runtime.Ids.Lower(32).Replace('0', 'a');
        // Requests say Phase1EncryptionAlgorithms, answers too; the log options are answered in another shape of the same members.
        return tunnel;
    }

    private JsonObject DeleteVpnConnection(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var connection = Find(context, "vpn", input.Text("VpnConnectionId"));
        var id = connection.Required("VpnConnectionId");
        if (connection.Text("State") is "deleting" or "deleted")
        {
            return [];
        }
        Change(context, "vpn", id, static document => document["State"] = "deleting");
        var later = context.Detached();
        Runtime.After(Durations.VpnConnectionDelete, () =>
        {
            Change(later, "vpn", id, static document => document["State"] = "deleted");
            // A deleted connection is still described for an hour.
            Runtime.After(TimeSpan.FromHours(1), () => Kind(later, "vpn").Remove(id));
        });
        return [];
    }

    private JsonObject ChangeStaticRoutes(RequestContext context, JsonObject input, bool isAdded)
    {
        var connection = Find(context, "vpn", input.Text("VpnConnectionId"));
        var cidr = input.Required("DestinationCidrBlock");
        if (connection.Child("Options")?.Is("StaticRoutesOnly") != true)
        {
            throw Invalid("InvalidParameterValue", "Static routes need a VPN connection with StaticRoutesOnly.");
        }
        Change(context, "vpn", connection.Required("VpnConnectionId"), document =>
        {
            var routes = document.Objects("Routes").Where(route => route.Text("DestinationCidrBlock") != cidr).Select(route => route.Copy()).ToList();
            if (isAdded)
            {
                routes.Add(new JsonObject { ["DestinationCidrBlock"] = cidr, ["Source"] = "Static", ["State"] = "available" });
            }
            document["Routes"] = routes.ToJsonList();
        });
        foreach (var table in Kind(context, "rtb").Where(item => item.Objects("PropagatingVgws").Any(propagating => propagating.Text("GatewayId") == connection.Text("VpnGatewayId"))))
        {
            Propagate(context, table.Required("RouteTableId"), connection.Required("VpnGatewayId"));
        }
        return [];
    }

    private JsonObject EnablePropagation(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        var gateway = Find(context, "vgw", input.Text("GatewayId"));
        if (!gateway.Objects("VpcAttachments").Any(item => item.Text("VpcId") == table.Text("VpcId") && item.Text("State") == "attached"))
        {
            throw Invalid("Gateway.NotAttached", $"resource {gateway.Text("VpnGatewayId")} is not attached to network {table.Text("VpcId")}");
        }
        Change(context, "rtb", table.Required("RouteTableId"), document =>
        {
            if (!document.Objects("PropagatingVgws").Any(item => item.Text("GatewayId") == gateway.Text("VpnGatewayId")))
            {
                document.ListOrNew("PropagatingVgws").Add((JsonNode)new JsonObject { ["GatewayId"] = gateway.Text("VpnGatewayId") });
            }
        });
        Propagate(context, table.Required("RouteTableId"), gateway.Required("VpnGatewayId"));
        return [];
    }

    /// <summary>The static routes of the gateway's connections as routes of the table.</summary>
    private void Propagate(RequestContext context, string table, string gateway)
    {
        var wanted = Kind(context, "vpn").Where(item => item.Text("VpnGatewayId") == gateway && item.Text("State") != "deleted").SelectMany(item => item.Objects("Routes").Select(route => route.Required("DestinationCidrBlock"))).Distinct().ToList();
        Change(context, "rtb", table, document =>
        {
            var routes = document.Objects("Routes").Where(route => route.Text("Origin") != "EnableVgwRoutePropagation" || route.Text("GatewayId") != gateway).Select(route => route.Copy()).ToList();
            var taken = routes.Select(route => route.Text("DestinationCidrBlock")).ToHashSet();
            routes.AddRange(wanted.Where(cidr => !taken.Contains(cidr)).Select(cidr => new JsonObject { ["DestinationCidrBlock"] = cidr, ["GatewayId"] = gateway, ["Origin"] = "EnableVgwRoutePropagation", ["State"] = "active" }));
            document["Routes"] = routes.ToJsonList();
        });
    }
}
