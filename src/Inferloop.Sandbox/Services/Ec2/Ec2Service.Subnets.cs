using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    /// <summary>AWS keeps the first four addresses of a subnet and the last.</summary>
    private const uint ReservedAtStart = 4;

    private void AddSubnets()
    {
        On("CreateSubnet", (context, input) =>
        {
            NeedsNoDryRun(input);
            return new JsonObject { ["Subnet"] = NewSubnet(context, input) };
        });
        On("DeleteSubnet", DeleteSubnet);
        On("DescribeSubnets", (context, input) => Describe(context, input, "subnet", "SubnetIds", "Subnets",
            "subnet-id vpc-id state cidr-block cidr=CidrBlock cidrBlock=CidrBlock availability-zone availabilityZone=AvailabilityZone availability-zone-id default-for-az map-public-ip-on-launch owner-id subnet-arn available-ip-address-count",
            subnet => WithFreeAddresses(context, subnet)));
        On("ModifySubnetAttribute", ModifySubnetAttribute);
    }

    private JsonObject NewSubnet(RequestContext context, JsonObject input)
    {
        var vpc = Find(context, "vpc", input.Text("VpcId"));
        var cidr = input.Text("CidrBlock") ?? throw Invalid("MissingParameter", "The request must contain the parameter CidrBlock");
        var block = Ipv4Block.Parse(cidr)?.Canonical()
            ?? throw Invalid("InvalidParameterValue", $"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        if (block.Prefix is < 16 or > 28 || !vpc.Objects("CidrBlockAssociationSet").Any(item => Ipv4Block.Parse(item.Text("CidrBlock"))!.Value.Contains(block)))
        {
            throw Invalid("InvalidSubnet.Range", $"The CIDR '{cidr}' is invalid.");
        }
        var zones = Zones(context);
        var zone = input.Text("AvailabilityZone") ?? (input.Text("AvailabilityZoneId") is { } zoneId ? zones.FirstOrDefault(name => ZoneId(name) == zoneId) ?? zoneId : zones[0]);
        if (!zones.Contains(zone))
        {
            throw Invalid("InvalidParameterValue", $"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: {string.Join(", ", zones)}.");
        }
        var id = Runtime.Ids.Resource("subnet");
        return Kind(context, "subnet").Lock(() =>
        {
            var siblings = Kind(context, "subnet").Where(subnet => subnet.Text("VpcId") == vpc.Text("VpcId"));
            if (siblings.Any(subnet => Ipv4Block.Parse(subnet.Text("CidrBlock"))!.Value.Overlaps(block)))
            {
                throw Invalid("InvalidSubnet.Conflict", $"The CIDR '{cidr}' conflicts with another subnet");
            }
            if (siblings.Count >= Limits.SubnetsPerVpc)
            {
                throw Invalid("SubnetLimitExceeded", "The maximum number of subnets has been reached.");
            }
            var subnet = Add(context, "subnet", id, new JsonObject
            {
                ["SubnetId"] = id,
                ["SubnetArn"] = context.Arn("ec2", "subnet/" + id),
                ["VpcId"] = vpc.Text("VpcId"),
                ["OwnerId"] = context.AccountId,
                ["State"] = "available",
                ["CidrBlock"] = block.ToString(),
                ["AvailabilityZone"] = zone,
                ["AvailabilityZoneId"] = ZoneId(zone),
                ["AvailableIpAddressCount"] = (int)block.Size - 5,
                ["DefaultForAz"] = false,
                ["MapPublicIpOnLaunch"] = false,
                ["MapCustomerOwnedIpOnLaunch"] = false,
                ["AssignIpv6AddressOnCreation"] = false,
                ["EnableDns64"] = false,
                ["Ipv6Native"] = false,
                ["Ipv6CidrBlockAssociationSet"] = new JsonArray(),
                ["PrivateDnsNameOptionsOnLaunch"] = new JsonObject
                {
                    ["HostnameType"] = "ip-name",
                    ["EnableResourceNameDnsARecord"] = false,
                    ["EnableResourceNameDnsAAAARecord"] = false,
                },
            }, input);
            AssociateWithDefaultAcl(context, vpc.Required("VpcId"), id);
            return subnet;
        });
    }

    private JsonObject WithFreeAddresses(RequestContext context, JsonObject subnet)
    {
        var used = Kind(context, "eni").Where(item => item.Text("SubnetId") == subnet.Text("SubnetId")).Count;
        subnet["AvailableIpAddressCount"] = (int)Ipv4Block.Parse(subnet.Text("CidrBlock"))!.Value.Size - 5 - used;
        return subnet;
    }

    private JsonObject DeleteSubnet(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var id = Find(context, "subnet", input.Text("SubnetId")).Required("SubnetId");
        if (Kind(context, "eni").Any(item => item.Text("SubnetId") == id)
            || Kind(context, "nat").Any(gateway => gateway.Text("SubnetId") == id && gateway.Text("State") is not ("deleted" or "failed")))
        {
            throw Invalid("DependencyViolation", $"The subnet '{id}' has dependencies and cannot be deleted.");
        }
        foreach (var table in Kind(context, "rtb").Where(table => table.Objects("Associations").Any(item => item.Text("SubnetId") == id)))
        {
            Change(context, "rtb", table.Required("RouteTableId"), document => RemoveAssociations(document, id));
        }
        foreach (var acl in Kind(context, "acl").Where(acl => acl.Objects("Associations").Any(item => item.Text("SubnetId") == id)))
        {
            Change(context, "acl", acl.Required("NetworkAclId"), document => RemoveAssociations(document, id));
        }
        Kind(context, "subnet").Remove(id);
        return [];
    }

    private static void RemoveAssociations(JsonObject document, string subnet)
    {
        foreach (var association in document.Objects("Associations").Where(item => item.Text("SubnetId") == subnet).ToList())
        {
            document.ListOrNew("Associations").Remove(association);
        }
    }

    private JsonObject ModifySubnetAttribute(RequestContext context, JsonObject input)
    {
        var id = Find(context, "subnet", input.Text("SubnetId")).Required("SubnetId");
        Change(context, "subnet", id, subnet =>
        {
            foreach (var name in (string[])["MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64", "MapCustomerOwnedIpOnLaunch"])
            {
                if (input.Child(name) is { } value)
                {
                    subnet[name] = value.Is("Value");
                }
            }
            var options = subnet.ChildOrNew("PrivateDnsNameOptionsOnLaunch");
            if (input.Text("PrivateDnsHostnameTypeOnLaunch") is { } hostname)
            {
                options["HostnameType"] = hostname;
            }
            if (input.Child("EnableResourceNameDnsARecordOnLaunch") is { } record)
            {
                options["EnableResourceNameDnsARecord"] = record.Is("Value");
            }
        });
        return [];
    }
}
