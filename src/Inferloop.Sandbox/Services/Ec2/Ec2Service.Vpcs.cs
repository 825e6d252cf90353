using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    private void AddVpcs()
    {
        On("CreateVpc", CreateVpc);
        On("CreateDefaultVpc", CreateDefaultVpc);
        On("DeleteVpc", DeleteVpc);
        On("DescribeVpcs", (context, input) => Describe(context, input, "vpc", "VpcIds", "Vpcs",
            "vpc-id cidr=CidrBlock cidr-block-association.cidr-block=CidrBlockAssociationSet.CidrBlock dhcp-options-id=DhcpOptionsId is-default=IsDefault isDefault=IsDefault owner-id state"));
        On("DescribeVpcAttribute", DescribeVpcAttribute);
        On("ModifyVpcAttribute", ModifyVpcAttribute);
        On("AssociateVpcCidrBlock", AssociateVpcCidrBlock);
        On("CreateDhcpOptions", CreateDhcpOptions);
        On("DeleteDhcpOptions", DeleteDhcpOptions);
        On("DescribeDhcpOptions", (context, input) =>
        {
            _ = DefaultDhcpOptions(context);
            return Describe(context, input, "dopt", "DhcpOptionsIds", "DhcpOptions", "dhcp-options-id key=DhcpConfigurations.Key value=DhcpConfigurations.Values.Value owner-id");
        });
        On("AssociateDhcpOptions", AssociateDhcpOptions);
    }

    private JsonObject CreateVpc(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        if (!input.Has("CidrBlock"))
        {
            throw Invalid("MissingParameter", "Either 'cidrBlock' or 'ipv4IpamPoolId' should be provided.");
        }
        return new JsonObject { ["Vpc"] = NewVpc(context, input, isDefault: false) };
    }

    private JsonObject NewVpc(RequestContext context, JsonObject input, bool isDefault)
    {
        var cidr = input.Text("CidrBlock");
        var block = Ipv4Block.Parse(cidr)?.Canonical()
            ?? throw Invalid("InvalidParameterValue", $"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        if (block.Prefix is < 16 or > 28)
        {
            throw Invalid("InvalidVpc.Range", $"The CIDR '{cidr}' is invalid.");
        }
        var id = Runtime.Ids.Resource("vpc");
        return Kind(context, "vpc").Lock(() =>
        {
            if (Kind(context, "vpc").Count >= Limits.Vpcs)
            {
                throw Invalid("VpcLimitExceeded", "The maximum number of VPCs has been reached.");
            }
            var vpc = Add(context, "vpc", id, new JsonObject
            {
                ["VpcId"] = id,
                ["OwnerId"] = context.AccountId,
                ["CidrBlock"] = block.ToString(),
                ["State"] = "available",
                ["InstanceTenancy"] = input.Text("InstanceTenancy") ?? "default",
                ["IsDefault"] = isDefault,
                ["DhcpOptionsId"] = DefaultDhcpOptions(context),
                ["Ipv6CidrBlockAssociationSet"] = new JsonArray(),
                ["CidrBlockAssociationSet"] = new JsonArray(Association(block.ToString())),
                ["_EnableDnsSupport"] = true,
                ["_EnableDnsHostnames"] = isDefault,
                ["_EnableNetworkAddressUsageMetrics"] = false,
            }, input);
            AddMainRouteTable(context, vpc);
            AddDefaultNetworkAcl(context, id);
            AddDefaultGroup(context, id);
            return vpc;
        });
    }

    private JsonObject Association(string cidr) => new()
    {
        ["AssociationId"] = Runtime.Ids.Resource("vpc-cidr-assoc"),
        ["CidrBlock"] = cidr,
        ["CidrBlockState"] = new JsonObject { ["State"] = "associated" },
    };

    private JsonObject CreateDefaultVpc(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        if (Kind(context, "vpc").Find(vpc => vpc.Is("IsDefault")) is { } present)
        {
            throw Invalid("DefaultVpcAlreadyExists", $"A Default VPC already exists for this account in this region: {present.Text("VpcId")}");
        }
        var vpc = NewVpc(context, new JsonObject { ["CidrBlock"] = "172.31.0.0/16" }, isDefault: true);
        var id = vpc.Required("VpcId");
        var gateway = CreateInternetGateway(context, []).Child("InternetGateway")!.Required("InternetGatewayId");
        AttachInternetGateway(context, new JsonObject { ["InternetGatewayId"] = gateway, ["VpcId"] = id });
        var table = MainRouteTable(context, id);
        CreateRoute(context, new JsonObject { ["RouteTableId"] = table.Text("RouteTableId"), ["DestinationCidrBlock"] = "0.0.0.0/0", ["GatewayId"] = gateway });
        var third = 0;
        foreach (var zone in Zones(context))
        {
            var subnet = NewSubnet(context, new JsonObject { ["VpcId"] = id, ["CidrBlock"] = $"172.31.{third}.0/20", ["AvailabilityZone"] = zone });
            Change(context, "subnet", subnet.Required("SubnetId"), document =>
            {
                document["DefaultForAz"] = true;
                document["MapPublicIpOnLaunch"] = true;
            });
            third += 16;
        }
        return new JsonObject { ["Vpc"] = vpc.Copy() };
    }

    private JsonObject DeleteVpc(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var id = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        bool InVpc(JsonObject document) => document.Text("VpcId") == id;
        var isUsed = Kind(context, "subnet").Any(InVpc)
            || Kind(context, "igw").Any(gateway => gateway.Objects("Attachments").Any(InVpc))
            || Kind(context, "nat").Any(gateway => InVpc(gateway) && gateway.Text("State") != "deleted")
            || Kind(context, "vpce").Any(InVpc)
            || Kind(context, "eni").Any(InVpc)
            || Kind(context, "sg").Any(group => InVpc(group) && group.Text("GroupName") != "default")
            || Kind(context, "acl").Any(acl => InVpc(acl) && !acl.Is("IsDefault"))
            || Kind(context, "rtb").Any(table => InVpc(table) && !IsMain(table));
        if (isUsed)
        {
            throw Invalid("DependencyViolation", $"The vpc '{id}' has dependencies and cannot be deleted.");
        }
        foreach (var prefix in (string[])["sg", "acl", "rtb"])
        {
            foreach (var document in Kind(context, prefix).Where(InVpc))
            {
                Kind(context, prefix).Remove(IdOf(document, prefix)!);
            }
        }
        foreach (var log in Kind(context, "fl").Where(log => log.Text("ResourceId") == id))
        {
            Kind(context, "fl").Remove(log.Required("FlowLogId"));
        }
        Kind(context, "vpc").Remove(id);
        return [];
    }

    private JsonObject DescribeVpcAttribute(RequestContext context, JsonObject input)
    {
        var vpc = Find(context, "vpc", input.Text("VpcId"));
        var attribute = input.Required("Attribute");
        var name = char.ToUpperInvariant(attribute[0]) + attribute[1..];
        return new JsonObject { ["VpcId"] = vpc.Text("VpcId"), [name] = new JsonObject { ["Value"] = vpc.Is("_" + name) } };
    }

    private JsonObject ModifyVpcAttribute(RequestContext context, JsonObject input)
    {
        var id = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        foreach (var name in (string[])["EnableDnsSupport", "EnableDnsHostnames", "EnableNetworkAddressUsageMetrics"])
        {
            if (input.Child(name) is { } value)
            {
                Change(context, "vpc", id, vpc => vpc["_" + name] = value.Is("Value"));
            }
        }
        return [];
    }

    private JsonObject AssociateVpcCidrBlock(RequestContext context, JsonObject input)
    {
        var vpc = Find(context, "vpc", input.Text("VpcId"));
        var cidr = input.Text("CidrBlock") ?? throw Invalid("MissingParameter", "The request must contain the parameter CidrBlock");
        var block = Ipv4Block.Parse(cidr)?.Canonical() ?? throw Invalid("InvalidParameterValue", $"Value ({cidr}) for parameter cidrBlock is invalid. This is not a valid CIDR block.");
        if (block.Prefix is < 16 or > 28 || vpc.Objects("CidrBlockAssociationSet").Any(item => Ipv4Block.Parse(item.Text("CidrBlock"))!.Value.Overlaps(block)))
        {
            throw Invalid("InvalidVpc.Range", $"The CIDR '{cidr}' is invalid.");
        }
        var association = Association(block.ToString());
        Change(context, "vpc", vpc.Required("VpcId"), document => document.ListOrNew("CidrBlockAssociationSet").Add(association.DeepClone()));
        foreach (var table in Kind(context, "rtb").Where(table => table.Text("VpcId") == vpc.Text("VpcId")))
        {
            Change(context, "rtb", table.Required("RouteTableId"), document => document.ListOrNew("Routes").Insert(0, LocalRoute(block.ToString())));
        }
        return new JsonObject { ["VpcId"] = vpc.Text("VpcId"), ["CidrBlockAssociation"] = association.Copy() };
    }

    private string DefaultDhcpOptions(RequestContext context) => Kind(context, "dopt").Lock(() =>
    {
        if (Kind(context, "dopt").Find(options => options.Is("_Default")) is { } present)
        {
            return present.Required("DhcpOptionsId");
        }
        var id = Runtime.Ids.Resource("dopt");
        Kind(context, "dopt").Put(id, new JsonObject
        {
            ["DhcpOptionsId"] = id,
            ["OwnerId"] = context.AccountId,
            ["Tags"] = new JsonArray(),
            ["_Default"] = true,
            ["DhcpConfigurations"] = new JsonArray(
                Configuration("domain-name", [context.Region == "us-east-1" ? "ec2.internal" : $"{context.Region}.compute.internal"]),
                Configuration("domain-name-servers", ["AmazonProvidedDNS"])),
        });
        return id;
    });

    private static JsonObject Configuration(string key, IEnumerable<string> values) =>
        new() { ["Key"] = key, ["Values"] = values.Select(value => new JsonObject { ["Value"] = value }).ToJsonList() };

    private JsonObject CreateDhcpOptions(RequestContext context, JsonObject input)
    {
        string[] known = ["domain-name", "domain-name-servers", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time"];
        if (input.Objects("DhcpConfigurations").FirstOrDefault(item => !known.Contains(item.Text("Key"))) is { } wrong)
        {
            throw Invalid("InvalidParameterValue", $"Value ({wrong.Text("Key")}) for parameter name is invalid. Unknown DHCP option");
        }
        var id = Runtime.Ids.Resource("dopt");
        var options = Add(context, "dopt", id, new JsonObject
        {
            ["DhcpOptionsId"] = id,
            ["OwnerId"] = context.AccountId,
            ["DhcpConfigurations"] = input.Objects("DhcpConfigurations").Select(item => Configuration(item.Required("Key"), item.Texts("Values"))).ToJsonList(),
        }, input);
        return new JsonObject { ["DhcpOptions"] = options.Copy() };
    }

    private JsonObject DeleteDhcpOptions(RequestContext context, JsonObject input)
    {
        var id = Find(context, "dopt", input.Text("DhcpOptionsId")).Required("DhcpOptionsId");
        if (Kind(context, "vpc").Any(vpc => vpc.Text("DhcpOptionsId") == id))
        {
            throw Invalid("DependencyViolation", $"The dhcpOptions '{id}' has dependencies and cannot be deleted.");
        }
        Kind(context, "dopt").Remove(id);
        return [];
    }

    private JsonObject AssociateDhcpOptions(RequestContext context, JsonObject input)
    {
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        var options = input.Text("DhcpOptionsId") == "default" ? DefaultDhcpOptions(context) : Find(context, "dopt", input.Text("DhcpOptionsId")).Required("DhcpOptionsId");
        Change(context, "vpc", vpc, document => document["DhcpOptionsId"] = options);
        return [];
    }
}
