using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>Internet gateways, Elastic IP addresses, NAT gateways.</summary>
internal sealed partial class Ec2Service
{
    private void AddGateways()
    {
        On("CreateInternetGateway", CreateInternetGateway);
        On("DeleteInternetGateway", DeleteInternetGateway);
        On("AttachInternetGateway", AttachInternetGateway);
        On("DetachInternetGateway", DetachInternetGateway);
        On("DescribeInternetGateways", (context, input) => Describe(context, input, "igw", "InternetGatewayIds", "InternetGateways",
            "internet-gateway-id attachment.vpc-id=Attachments.VpcId attachment.state=Attachments.State owner-id"));
        On("AllocateAddress", AllocateAddress);
        On("ReleaseAddress", ReleaseAddress);
        On("AssociateAddress", AssociateAddress);
        On("DisassociateAddress", DisassociateAddress);
        On("DescribeAddresses", (context, input) =>
        {
            var publicIps = input.Texts("PublicIps");
            if (publicIps.FirstOrDefault(ip => !Kind(context, "eipalloc").Any(address => address.Text("PublicIp") == ip)) is { } unknown)
            {
                throw Invalid("InvalidAddress.NotFound", $"Address '{unknown}' not found.");
            }
            var answer = Describe(context, input, "eipalloc", "AllocationIds", "Addresses",
                "allocation-id association-id domain instance-id network-interface-id network-border-group private-ip-address public-ip");
            if (publicIps.Count > 0)
            {
                answer["Addresses"] = answer.Objects("Addresses").Where(address => publicIps.Contains(address.Text("PublicIp")!)).ToJsonList();
            }
            return answer;
        });
        On("CreateNatGateway", CreateNatGateway);
        On("DeleteNatGateway", DeleteNatGateway);
        On("DescribeNatGateways", (context, input) =>
        {
            var renamed = input.Copy();
            if (renamed.Remove("Filter", out var filters))
            {
                renamed["Filters"] = filters;
            }
            return Describe(context, renamed, "nat", "NatGatewayIds", "NatGateways", "nat-gateway-id state subnet-id vpc-id");
        });
    }

    private JsonObject CreateInternetGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        return Kind(context, "igw").Lock(() =>
        {
            if (Kind(context, "igw").Count >= Limits.InternetGateways)
            {
                throw Invalid("InternetGatewayLimitExceeded", "The maximum number of internet gateways has been reached.");
            }
            var id = Runtime.Ids.Resource("igw");
            var gateway = Add(context, "igw", id, new JsonObject { ["InternetGatewayId"] = id, ["OwnerId"] = context.AccountId, ["Attachments"] = new JsonArray() }, input);
            return new JsonObject { ["InternetGateway"] = gateway };
        });
    }

    private JsonObject DeleteInternetGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var gateway = Find(context, "igw", input.Text("InternetGatewayId"));
        if (gateway.Objects("Attachments").Any())
        {
            throw Invalid("DependencyViolation", $"The internetGateway '{gateway.Text("InternetGatewayId")}' has dependencies and cannot be deleted.");
        }
        Kind(context, "igw").Remove(gateway.Required("InternetGatewayId"));
        return [];
    }

    private JsonObject AttachInternetGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        var gateway = Find(context, "igw", input.Text("InternetGatewayId"));
        Kind(context, "igw").Lock(() =>
        {
            if (gateway.Objects("Attachments").FirstOrDefault() is { } attached)
            {
                throw Invalid("Resource.AlreadyAssociated", $"resource {gateway.Text("InternetGatewayId")} is already attached to network {attached.Text("VpcId")}");
            }
            if (Kind(context, "igw").Any(other => other.Objects("Attachments").Any(item => item.Text("VpcId") == vpc)))
            {
                throw Invalid("InvalidParameterValue", $"Network {vpc} already has an internet gateway attached");
            }
            Change(context, "igw", gateway.Required("InternetGatewayId"), document =>
                document["Attachments"] = new JsonArray(new JsonObject { ["State"] = "available", ["VpcId"] = vpc }));
        });
        return [];
    }

    private JsonObject DetachInternetGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        var gateway = Find(context, "igw", input.Text("InternetGatewayId"));
        if (!gateway.Objects("Attachments").Any(item => item.Text("VpcId") == vpc))
        {
            throw Invalid("Gateway.NotAttached", $"resource {gateway.Text("InternetGatewayId")} is not attached to network {vpc}");
        }
        if (Kind(context, "eni").Any(item => item.Text("VpcId") == vpc && item.Has("Association")))
        {
            throw Invalid("DependencyViolation", $"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.");
        }
        Change(context, "igw", gateway.Required("InternetGatewayId"), document => document["Attachments"] = new JsonArray());
        return [];
    }

    private bool HasInternetGateway(RequestContext context, string vpc) =>
        Kind(context, "igw").Any(gateway => gateway.Objects("Attachments").Any(item => item.Text("VpcId") == vpc));

    private JsonObject AllocateAddress(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        return Kind(context, "eipalloc").Lock(() =>
        {
            if (Kind(context, "eipalloc").Count >= Limits.Addresses)
            {
                throw Invalid("AddressLimitExceeded", "The maximum number of addresses has been reached.");
            }
            var id = Runtime.Ids.Resource("eipalloc");
            var address = Add(context, "eipalloc", id, new JsonObject
            {
                ["AllocationId"] = id,
                ["PublicIp"] = PublicAddress(),
                ["Domain"] = "vpc",
                ["PublicIpv4Pool"] = "amazon",
                ["NetworkBorderGroup"] = context.Region,
            }, input);
            return address.Pick("AllocationId", "PublicIp", "Domain", "PublicIpv4Pool", "NetworkBorderGroup");
        });
    }

    private JsonObject ReleaseAddress(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var address = AddressOf(context, input);
        if (address.Has("AssociationId"))
        {
            throw Invalid("InvalidIPAddress.InUse", $"Address {address.Text("PublicIp")} is in use.");
        }
        Kind(context, "eipalloc").Remove(address.Required("AllocationId"));
        return [];
    }

    private JsonObject AddressOf(RequestContext context, JsonObject input)
    {
        if (input.Text("AllocationId") is { } id)
        {
            return Find(context, "eipalloc", id);
        }
        var ip = input.Text("PublicIp") ?? throw Invalid("MissingParameter", "Either public IP or allocation id must be specified");
        return Kind(context, "eipalloc").Find(address => address.Text("PublicIp") == ip) ?? throw Invalid("InvalidAddress.NotFound", $"Address '{ip}' not found.");
    }

    private JsonObject AssociateAddress(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var address = AddressOf(context, input);
        var interfaceId = input.Text("NetworkInterfaceId")
            ?? (input.Text("InstanceId") is { } instance ? Find(context, "i", instance).Objects("NetworkInterfaces").FirstOrDefault()?.Text("NetworkInterfaceId") : null)
            ?? throw Invalid("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be provided");
        if (address.Has("AssociationId") && !input.Is("AllowReassociation"))
        {
            throw Invalid("Resource.AlreadyAssociated", $"resource {address.Text("AllocationId")} is already associated with associate-id {address.Text("AssociationId")}");
        }
        return new JsonObject { ["AssociationId"] = Associate(context, address, interfaceId) };
    }

    private string Associate(RequestContext context, JsonObject address, string interfaceId)
    {
        var network = Find(context, "eni", interfaceId);
        var association = Runtime.Ids.Resource("eipassoc");
        Change(context, "eipalloc", address.Required("AllocationId"), document =>
        {
            document["AssociationId"] = association;
            document["NetworkInterfaceId"] = interfaceId;
            document["NetworkInterfaceOwnerId"] = context.AccountId;
            document["PrivateIpAddress"] = network.Text("PrivateIpAddress");
        });
        Change(context, "eni", interfaceId, document => document["Association"] = new JsonObject
        {
            ["AllocationId"] = address.Text("AllocationId"),
            ["AssociationId"] = association,
            ["PublicIp"] = address.Text("PublicIp"),
            ["IpOwnerId"] = context.AccountId,
        });
        return association;
    }

    private JsonObject DisassociateAddress(RequestContext context, JsonObject input)
    {
        var address = Kind(context, "eipalloc").Find(item => (input.Has("AssociationId") && item.Text("AssociationId") == input.Text("AssociationId"))
                || (input.Has("PublicIp") && item.Text("PublicIp") == input.Text("PublicIp")))
            ?? throw Invalid("InvalidAssociationID.NotFound", $"The association ID '{input.Text("AssociationId")}' does not exist");
        Unassociate(context, address.Required("AllocationId"));
        return [];
    }

    private void Unassociate(RequestContext context, string allocationId)
    {
        string? interfaceId = null;
        Change(context, "eipalloc", allocationId, document =>
        {
            interfaceId = document.Text("NetworkInterfaceId");
            foreach (var name in (string[])["AssociationId", "NetworkInterfaceId", "NetworkInterfaceOwnerId", "PrivateIpAddress", "InstanceId"])
            {
                document.Remove(name);
            }
        });
        if (interfaceId is not null)
        {
            Change(context, "eni", interfaceId, document => document.Remove("Association"));
        }
    }

    private JsonObject CreateNatGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var subnet = Find(context, "subnet", input.Text("SubnetId"));
        var vpc = subnet.Required("VpcId");
        var isPublic = input.Text("ConnectivityType") is null or "public";
        if (isPublic && !input.Has("AllocationId"))
        {
            throw Invalid("MissingParameter", "The request must include the AllocationId parameter. Add the required parameter and retry the request.");
        }
        if (input.Text("ClientToken") is { } token && Kind(context, "nat").Find(gateway => gateway.Text("_Token") == token) is { } earlier)
        {
            return new JsonObject { ["NatGateway"] = earlier, ["ClientToken"] = token };
        }
        var address = isPublic ? Find(context, "eipalloc", input.Text("AllocationId")) : null;
        if (Kind(context, "nat").Where(item => item.Text("State") is "pending" or "available" && item.Text("_Zone") == subnet.Text("AvailabilityZone")).Count >= Limits.NatGatewaysPerZone)
        {
            throw Invalid("NatGatewayLimitExceeded", $"Performing this operation would exceed the limit of {Limits.NatGatewaysPerZone} NAT gateways");
        }
        var id = Runtime.Ids.Resource("nat");
        var gateway = Add(context, "nat", id, new JsonObject
        {
            ["NatGatewayId"] = id,
            ["SubnetId"] = subnet.Text("SubnetId"),
            ["VpcId"] = vpc,
            ["State"] = "pending",
            ["ConnectivityType"] = isPublic ? "public" : "private",
            ["CreateTime"] = Documents.Time(context.Now),
            ["NatGatewayAddresses"] = new JsonArray(new JsonObject { ["IsPrimary"] = true, ["Status"] = "associating" }.With("AllocationId", address?["AllocationId"])),
            ["_Zone"] = subnet.Text("AvailabilityZone"),
        }.With("_Token", input.Text("ClientToken")), input);

        var failure = address is not null && address.Has("AssociationId")
                ? ("Resource.AlreadyAssociated", $"Elastic IP address [{address.Text("AllocationId")}] is already associated")
            : isPublic && !HasInternetGateway(context, vpc) ? ("Gateway.NotAttached", $"Network {vpc} has no Internet gateway attached")
            : ((string, string)?)null;
        if (failure is { } reason)
        {
            Runtime.After(Durations.NatGatewayCreate / 4, () => Change(context, "nat", id, document =>
            {
                document["State"] = "failed";
                document["FailureCode"] = reason.Item1;
                document["FailureMessage"] = reason.Item2;
                document["DeleteTime"] = Documents.Time(Runtime.Clock.Now);
            }));
            return new JsonObject { ["NatGateway"] = gateway.Copy() };
        }
        var network = AllocateInterface(context, subnet.Required("SubnetId"), [], $"Interface for NAT Gateway {id}", "nat_gateway", "amazon-aws", input.Text("PrivateIpAddress"));
        var interfaceId = network.Required("NetworkInterfaceId");
        Change(context, "eni", interfaceId, document => document["Groups"] = new JsonArray());
        var association = address is null ? null : Associate(context, address, interfaceId);
        Change(context, "nat", id, document =>
        {
            var first = document.Objects("NatGatewayAddresses").First();
            first["NetworkInterfaceId"] = interfaceId;
            first["PrivateIp"] = network.Text("PrivateIpAddress");
            if (address is not null)
            {
                first["PublicIp"] = address.Text("PublicIp");
                first["AssociationId"] = association;
            }
        });
        Runtime.After(Durations.NatGatewayCreate, () => Change(context, "nat", id, document =>
        {
            if (document.Text("State") == "pending")
            {
                document["State"] = "available";
                document.Objects("NatGatewayAddresses").First()["Status"] = "succeeded";
            }
        }));
        return new JsonObject { ["NatGateway"] = gateway.Copy() };
    }

    private JsonObject DeleteNatGateway(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var id = input.Required("NatGatewayId");
        var gateway = Kind(context, "nat").Get(id);
        if (gateway is null || gateway.Text("State") == "deleted")
        {
            throw Invalid("NatGatewayNotFound", $"The Nat Gateway {id} was not found");
        }
        Change(context, "nat", id, document =>
        {
            document["State"] = "deleting";
            document["DeleteTime"] = Documents.Time(context.Now);
        });
        foreach (var table in Kind(context, "rtb").Where(table => table.Objects("Routes").Any(route => route.Text("NatGatewayId") == id)))
        {
            Change(context, "rtb", table.Required("RouteTableId"), document =>
            {
                foreach (var route in document.Objects("Routes").Where(route => route.Text("NatGatewayId") == id))
                {
                    route["State"] = "blackhole";
                }
            });
        }
        Runtime.After(Durations.NatGatewayDelete, () =>
        {
            foreach (var address in gateway.Objects("NatGatewayAddresses"))
            {
                if (address.Text("AllocationId") is { } allocation && Kind(context, "eipalloc").Get(allocation)?.Text("NetworkInterfaceId") == address.Text("NetworkInterfaceId"))
                {
                    Unassociate(context, allocation);
                }
                ReleaseInterface(context, address.Text("NetworkInterfaceId"));
            }
            Change(context, "nat", id, document => document["State"] = "deleted");
        });
        // AWS shows a deleted gateway for about an hour.
        Runtime.After(Durations.NatGatewayDelete + TimeSpan.FromHours(1), () => Kind(context, "nat").Remove(id));
        return new JsonObject { ["NatGatewayId"] = id };
    }
}
