using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    private static readonly string[] RouteTargets = ["NatGatewayId", "GatewayId", "InstanceId", "NetworkInterfaceId", "TransitGatewayId", "VpcPeeringConnectionId", "VpcEndpointId"];

    private void AddRoutes()
    {
        On("CreateRouteTable", CreateRouteTable);
        On("DeleteRouteTable", DeleteRouteTable);
        On("DescribeRouteTables", (context, input) => Describe(context, input, "rtb", "RouteTableIds", "RouteTables",
            "route-table-id vpc-id owner-id association.main=Associations.Main association.subnet-id=Associations.SubnetId association.route-table-id=Associations.RouteTableId "
            + "association.route-table-association-id=Associations.RouteTableAssociationId route.destination-cidr-block=Routes.DestinationCidrBlock route.gateway-id=Routes.GatewayId "
            + "route.nat-gateway-id=Routes.NatGatewayId route.state=Routes.State route.origin=Routes.Origin route.destination-prefix-list-id=Routes.DestinationPrefixListId"));
        On("CreateRoute", CreateRoute);
        On("ReplaceRoute", ReplaceRoute);
        On("DeleteRoute", DeleteRoute);
        On("AssociateRouteTable", AssociateRouteTable);
        On("DisassociateRouteTable", DisassociateRouteTable);
        On("ReplaceRouteTableAssociation", ReplaceRouteTableAssociation);
    }

    private static JsonObject LocalRoute(string cidr) => new()
    {
        ["DestinationCidrBlock"] = cidr,
        ["GatewayId"] = "local",
        ["Origin"] = "CreateRouteTable",
        ["State"] = "active",
    };

    private static bool IsMain(JsonObject table) => table.Objects("Associations").Any(association => association.Is("Main"));

    private JsonObject MainRouteTable(RequestContext context, string vpc) => Kind(context, "rtb").Find(table => table.Text("VpcId") == vpc && IsMain(table))!;

    private JsonObject NewRouteTable(RequestContext context, JsonObject vpc, JsonObject input)
    {
        var id = Runtime.Ids.Resource("rtb");
        return Add(context, "rtb", id, new JsonObject
        {
            ["RouteTableId"] = id,
            ["VpcId"] = vpc.Text("VpcId"),
            ["OwnerId"] = context.AccountId,
            ["Associations"] = new JsonArray(),
            ["PropagatingVgws"] = new JsonArray(),
            ["Routes"] = vpc.Objects("CidrBlockAssociationSet").Select(item => LocalRoute(item.Required("CidrBlock"))).ToJsonList(),
        }, input);
    }

    private void AddMainRouteTable(RequestContext context, JsonObject vpc)
    {
        var id = NewRouteTable(context, vpc, []).Required("RouteTableId");
        Change(context, "rtb", id, table => table.ListOrNew("Associations").Add((JsonNode)NewAssociation(id, null)));
    }

    private JsonObject NewAssociation(string table, string? subnet) => new JsonObject
    {
        ["Main"] = subnet is null,
        ["RouteTableAssociationId"] = Runtime.Ids.Resource("rtbassoc"),
        ["RouteTableId"] = table,
        ["AssociationState"] = new JsonObject { ["State"] = "associated" },
    }.With("SubnetId", subnet);

    private JsonObject CreateRouteTable(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId"));
        if (Kind(context, "rtb").Where(table => table.Text("VpcId") == vpc.Text("VpcId")).Count >= Limits.RouteTablesPerVpc)
        {
            throw Invalid("RouteTableLimitExceeded", "The maximum number of route tables has been reached.");
        }
        return new JsonObject { ["RouteTable"] = NewRouteTable(context, vpc, input) };
    }

    private JsonObject DeleteRouteTable(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        if (table.Objects("Associations").Any())
        {
            throw Invalid("DependencyViolation", $"The routeTable '{table.Text("RouteTableId")}' has dependencies and cannot be deleted.");
        }
        Kind(context, "rtb").Remove(table.Required("RouteTableId"));
        return [];
    }

    private JsonObject CreateRoute(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        var route = RouteFrom(context, table, input, "CreateRoute");
        Change(context, "rtb", table.Required("RouteTableId"), document =>
        {
            if (RouteTo(document, input) is { } present)
            {
                if (present.Text("State") == "blackhole" || !Documents.Same(present.Pick(RouteTargets), route.Pick(RouteTargets)))
                {
                    throw Invalid("RouteAlreadyExists", $"The route identified by {Destination(input)} already exists.");
                }
                return;
            }
            if (document.Objects("Routes").Count() >= Limits.RoutesPerTable)
            {
                throw Invalid("RouteLimitExceeded", "The maximum number of routes has been reached.");
            }
            document.ListOrNew("Routes").Add((JsonNode)route);
        });
        return new JsonObject { ["Return"] = true };
    }

    private JsonObject ReplaceRoute(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        var route = RouteFrom(context, table, input, "CreateRoute");
        Change(context, "rtb", table.Required("RouteTableId"), document =>
        {
            var present = RouteTo(document, input) ?? throw Invalid("InvalidParameterValue",
                $"There is no route defined for '{Destination(input)}' in the route table. Use CreateRoute instead.");
            var routes = document.ListOrNew("Routes");
            routes[routes.IndexOf(present)] = route;
        });
        return [];
    }

    private JsonObject DeleteRoute(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        Change(context, "rtb", table.Required("RouteTableId"), document =>
        {
            var present = RouteTo(document, input)
                ?? throw Invalid("InvalidRoute.NotFound", $"no route with destination-cidr-block {Destination(input)} in route table {table.Text("RouteTableId")}");
            if (present.Text("GatewayId") == "local")
            {
                throw Invalid("InvalidParameterValue", $"cannot remove local route {Destination(input)} in route table {table.Text("RouteTableId")}");
            }
            document.ListOrNew("Routes").Remove(present);
        });
        return [];
    }

    private static string? Destination(JsonObject input) => input.Text("DestinationCidrBlock") is { } cidr
        ? Ipv4Block.Parse(cidr)?.Canonical().ToString() ?? cidr
        : input.Text("DestinationIpv6CidrBlock") ?? input.Text("DestinationPrefixListId");

    private static JsonObject? RouteTo(JsonObject table, JsonObject input) =>
        table.Objects("Routes").FirstOrDefault(route => Destination(route) == Destination(input));

    private JsonObject RouteFrom(RequestContext context, JsonObject table, JsonObject input, string origin)
    {
        var destination = Destination(input) ?? throw Invalid("MissingParameter", "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId");
        if (input.Text("DestinationCidrBlock") is { } cidr && Ipv4Block.Parse(cidr) is null)
        {
            throw Invalid("InvalidParameterValue", $"Value ({cidr}) for parameter destinationCidrBlock is invalid. This is not a valid CIDR block.");
        }
        var targets = RouteTargets.Where(input.Has).ToList();
        if (targets.Count != 1)
        {
            throw Invalid(targets.Count == 0 ? "MissingParameter" : "InvalidParameterCombination",
                "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, transitGatewayId or instanceId");
        }
        var id = input.Required(targets[0]);
        var vpc = table.Text("VpcId");
        switch (targets[0])
        {
            case "NatGatewayId":
                var nat = Kind(context, "nat").Get(id);
                if (nat is null || nat.Text("State") is "deleted" or "failed" or "deleting")
                {
                    throw Invalid("InvalidNatGatewayID.NotFound", $"The natGateway ID '{id}' does not exist");
                }
                RequireSameNetwork(table, nat.Text("VpcId"), "nat gateway", id);
                break;
            case "GatewayId" when id.StartsWith("igw-", StringComparison.Ordinal):
                var gateway = Kind(context, "igw").Get(id) ?? throw Invalid("InvalidGatewayID.NotFound", $"The gateway ID '{id}' does not exist");
                if (!gateway.Objects("Attachments").Any(attachment => attachment.Text("VpcId") == vpc))
                {
                    throw Invalid("InvalidParameterValue", $"route table {table.Text("RouteTableId")} and network gateway {id} belong to different networks");
                }
                break;
            case "GatewayId":
                throw Invalid("InvalidGatewayID.NotFound", $"The gateway ID '{id}' does not exist");
            case "NetworkInterfaceId":
                RequireSameNetwork(table, Find(context, "eni", id).Text("VpcId"), "interface", id);
                break;
            case "InstanceId":
                RequireSameNetwork(table, Find(context, "i", id).Text("VpcId"), "instance", id);
                break;
            default:
                throw new ServiceFault("NotImplemented", $"The sandbox has no routes to {targets[0]}. Nothing was changed.", 501);
        }
        return new JsonObject { ["Origin"] = origin, ["State"] = "active", [targets[0]] = id }
            .With(input.Has("DestinationCidrBlock") ? "DestinationCidrBlock" : input.Has("DestinationIpv6CidrBlock") ? "DestinationIpv6CidrBlock" : "DestinationPrefixListId", destination);
    }

    private static void RequireSameNetwork(JsonObject table, string? vpc, string what, string id)
    {
        if (table.Text("VpcId") != vpc)
        {
            throw Invalid("InvalidParameterValue", $"route table {table.Text("RouteTableId")} and {what} {id} belong to different networks");
        }
    }

    private JsonObject AssociateRouteTable(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var table = Find(context, "rtb", input.Text("RouteTableId"));
        if (!input.Has("SubnetId"))
        {
            throw Invalid("MissingParameter", "The request must contain exactly one of subnetId, gatewayId");
        }
        var subnet = Find(context, "subnet", input.Text("SubnetId"));
        RequireSameNetwork(table, subnet.Text("VpcId"), "network", subnet.Required("SubnetId"));
        return Kind(context, "rtb").Lock(() =>
        {
            foreach (var other in Kind(context, "rtb").Where(item => item.Objects("Associations").Any(association => association.Text("SubnetId") == subnet.Text("SubnetId"))))
            {
                var present = other.Objects("Associations").First(association => association.Text("SubnetId") == subnet.Text("SubnetId"));
                if (other.Text("RouteTableId") != table.Text("RouteTableId"))
                {
                    throw Invalid("Resource.AlreadyAssociated", $"the specified association for route table {table.Text("RouteTableId")} conflicts with an existing association");
                }
                return new JsonObject { ["AssociationId"] = present.Text("RouteTableAssociationId"), ["AssociationState"] = new JsonObject { ["State"] = "associated" } };
            }
            var association = NewAssociation(table.Required("RouteTableId"), subnet.Text("SubnetId"));
            Change(context, "rtb", table.Required("RouteTableId"), document => document.ListOrNew("Associations").Add(association.DeepClone()));
            return new JsonObject { ["AssociationId"] = association.Text("RouteTableAssociationId"), ["AssociationState"] = new JsonObject { ["State"] = "associated" } };
        });
    }

    private JsonObject TableOfAssociation(RequestContext context, string? association) =>
        Kind(context, "rtb").Find(table => table.Objects("Associations").Any(item => item.Text("RouteTableAssociationId") == association))
            ?? throw Invalid("InvalidAssociationID.NotFound", $"The association ID '{association}' does not exist");

    private JsonObject DisassociateRouteTable(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var id = input.Text("AssociationId");
        var table = TableOfAssociation(context, id);
        Change(context, "rtb", table.Required("RouteTableId"), document =>
        {
            var association = document.Objects("Associations").First(item => item.Text("RouteTableAssociationId") == id);
            if (association.Is("Main"))
            {
                throw Invalid("InvalidParameterValue", $"cannot disassociate the main route table association {id}");
            }
            document.ListOrNew("Associations").Remove(association);
        });
        return [];
    }

    private JsonObject ReplaceRouteTableAssociation(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var target = Find(context, "rtb", input.Text("RouteTableId")).Required("RouteTableId");
        var source = TableOfAssociation(context, input.Text("AssociationId"));
        JsonObject? moved = null;
        Change(context, "rtb", source.Required("RouteTableId"), document =>
        {
            moved = document.Objects("Associations").First(item => item.Text("RouteTableAssociationId") == input.Text("AssociationId"));
            document.ListOrNew("Associations").Remove(moved);
        });
        var replacement = NewAssociation(target, moved!.Text("SubnetId"));
        Change(context, "rtb", target, document => document.ListOrNew("Associations").Add(replacement.DeepClone()));
        return new JsonObject { ["NewAssociationId"] = replacement.Text("RouteTableAssociationId"), ["AssociationState"] = new JsonObject { ["State"] = "associated" } };
    }
}
