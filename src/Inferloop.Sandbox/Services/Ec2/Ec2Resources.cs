using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>The AWS::EC2 resource types.</summary>
internal static partial class Ec2Resources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<Ec2Service>();
        return [.. Networks(service), .. Gateways(service), .. Routing(service), .. Acls(service), .. Groups(service), .. Endpoints(service), .. Computing(service), .. Vpn(service), .. Volumes(service)];
    }

    /// <summary>The input of a create operation with the stack's tags in a tag specification.</summary>
    private static JsonObject Input(Ec2Service service, ProvisionContext context, string operation, JsonObject properties, string tagType, params ReadOnlySpan<(string, string)> renames)
    {
        var source = properties.Copy();
        source.Remove("Tags");
        var input = PropertyMapper.ToInput(service, operation, source, renames);
        var tags = context.MergedTags(properties["Tags"]);
        if (tags.Count > 0)
        {
            input["TagSpecifications"] = new JsonArray(new JsonObject { ["ResourceType"] = tagType, ["Tags"] = tags });
        }
        return input;
    }

    private static async Task<JsonObject> OneAsync(Ec2Service service, ProvisionContext context, string operation, string idsMember, string id, string resultMember) =>
        (await service.CallAsync(context, operation, new JsonObject { [idsMember] = new JsonArray(id) }).ConfigureAwait(false)).Objects(resultMember).First();

    /// <summary>Puts the tags of the new properties and takes away those that are gone.</summary>
    private static async Task RetagAsync(Ec2Service service, ProvisionContext context, string id, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "DeleteTags", new JsonObject
            {
                ["Resources"] = new JsonArray(id),
                ["Tags"] = removed.Select(key => new JsonObject { ["Key"] = (string?)key }).ToJsonList(),
            }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "CreateTags", new JsonObject { ["Resources"] = new JsonArray(id), ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    private static JsonObject WithTags(JsonObject properties, JsonObject document) => properties.With("Tags", Tags.OfTemplate(document.Objects("Tags")));

    private static IEnumerable<ResourceProvider> Networks(Ec2Service service)
    {
        Task<JsonObject> Vpc(ProvisionContext context, string id) => OneAsync(service, context, "DescribeVpcs", "VpcIds", id, "Vpcs");
        async Task VpcAttributes(ProvisionContext context, string id, JsonObject before, JsonObject after)
        {
            foreach (var name in (string[])["EnableDnsSupport", "EnableDnsHostnames"])
            {
                if (after.Changed(before, name))
                {
                    var value = after.Flag(name) ?? name == "EnableDnsSupport";
                    await service.CallAsync(context, "ModifyVpcAttribute", new JsonObject { ["VpcId"] = id, [name] = new JsonObject { ["Value"] = value } }).ConfigureAwait(false);
                }
            }
        }
        yield return new Provider("AWS::EC2::VPC")
        {
            Service = "Ec2",
            Gone = ["InvalidVpcID.NotFound"],
            Create = async (context, properties) =>
            {
                var input = Input(service, context, "CreateVpc", properties, "vpc");
                var id = (await service.CallAsync(context, "CreateVpc", input).ConfigureAwait(false)).Child("Vpc")!.Required("VpcId");
                context.Initiated(id);
                await VpcAttributes(context, id, [], properties).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await VpcAttributes(context, id, before, after).ConfigureAwait(false);
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteVpc", new JsonObject { ["VpcId"] = id }),
            Read = async (context, id) =>
            {
                var vpc = await Vpc(context, id).ConfigureAwait(false);
                var properties = WithTags(vpc.Pick("CidrBlock", "InstanceTenancy"), vpc);
                properties["EnableDnsSupport"] = vpc.Is("_EnableDnsSupport");
                properties["EnableDnsHostnames"] = vpc.Is("_EnableDnsHostnames");
                return properties;
            },
            Attributes = async (context, id) =>
            {
                var vpc = await Vpc(context, id).ConfigureAwait(false);
                JsonObject ByVpc() => new() { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "vpc-id", ["Values"] = new JsonArray(id) }) };
                var groups = await service.CallAsync(context, "DescribeSecurityGroups", ByVpc()).ConfigureAwait(false);
                var acls = await service.CallAsync(context, "DescribeNetworkAcls", ByVpc()).ConfigureAwait(false);
                return ProviderExtensions.Attributes(
                    ("VpcId", id),
                    ("CidrBlock", vpc["CidrBlock"]),
                    ("CidrBlockAssociations", vpc.Objects("CidrBlockAssociationSet").Select(item => item.Required("AssociationId")).ToTextList()),
                    ("DefaultSecurityGroup", groups.Objects("SecurityGroups").First(group => group.Text("GroupName") == "default")["GroupId"]),
                    ("DefaultNetworkAcl", acls.Objects("NetworkAcls").First(acl => acl.Is("IsDefault"))["NetworkAclId"]),
                    ("Ipv6CidrBlocks", new JsonArray()));
            },
        };
        Task<JsonObject> Subnet(ProvisionContext context, string id) => OneAsync(service, context, "DescribeSubnets", "SubnetIds", id, "Subnets");
        async Task SubnetAttributes(ProvisionContext context, string id, JsonObject before, JsonObject after)
        {
            foreach (var name in (string[])["MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"])
            {
                if (after.Changed(before, name))
                {
                    await service.CallAsync(context, "ModifySubnetAttribute", new JsonObject { ["SubnetId"] = id, [name] = new JsonObject { ["Value"] = after.Is(name) } }).ConfigureAwait(false);
                }
            }
        }
        yield return new Provider("AWS::EC2::Subnet")
        {
            Service = "Ec2",
            Gone = ["InvalidSubnetID.NotFound"],
            Create = async (context, properties) =>
            {
                var id = (await service.CallAsync(context, "CreateSubnet", Input(service, context, "CreateSubnet", properties, "subnet")).ConfigureAwait(false)).Child("Subnet")!.Required("SubnetId");
                context.Initiated(id);
                await SubnetAttributes(context, id, [], properties).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await SubnetAttributes(context, id, before, after).ConfigureAwait(false);
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                // What other services leave behind in a subnet goes a little later than they do.
                await WhileDependedUponAsync(context, () => service.CallAsync(context, "DeleteSubnet", new JsonObject { ["SubnetId"] = id })).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var subnet = await Subnet(context, id).ConfigureAwait(false);
                return WithTags(subnet.Pick("VpcId", "CidrBlock", "AvailabilityZone", "MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"), subnet);
            },
            Attributes = async (context, id) =>
            {
                var subnet = await Subnet(context, id).ConfigureAwait(false);
                var acls = await service.CallAsync(context, "DescribeNetworkAcls", new JsonObject { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "association.subnet-id", ["Values"] = new JsonArray(id) }) }).ConfigureAwait(false);
                return ProviderExtensions.Attributes(
                    ("SubnetId", id),
                    ("AvailabilityZone", subnet["AvailabilityZone"]),
                    ("AvailabilityZoneId", subnet["AvailabilityZoneId"]),
                    ("CidrBlock", subnet["CidrBlock"]),
                    ("VpcId", subnet["VpcId"]),
                    ("Ipv6CidrBlocks", new JsonArray()),
                    ("NetworkAclAssociationId", acls.Objects("NetworkAcls").SelectMany(acl => acl.Objects("Associations")).FirstOrDefault(item => item.Text("SubnetId") == id)?["NetworkAclAssociationId"]));
            },
        };
        yield return new Provider("AWS::EC2::DHCPOptions")
        {
            Service = "Ec2",
            Gone = ["InvalidDhcpOptionID.NotFound"],
            Create = async (context, properties) =>
            {
                var configurations = new (string Property, string Key)[]
                {
                    ("DomainName", "domain-name"), ("DomainNameServers", "domain-name-servers"), ("NtpServers", "ntp-servers"),
                    ("NetbiosNameServers", "netbios-name-servers"), ("NetbiosNodeType", "netbios-node-type"),
                }.Where(item => properties.Has(item.Property)).Select(item => new JsonObject { ["Key"] = item.Key, ["Values"] = properties.Texts(item.Property).ToTextList() });
                var input = Input(service, context, "CreateDhcpOptions", properties, "dhcp-options");
                input["DhcpConfigurations"] = configurations.ToJsonList();
                return (await service.CallAsync(context, "CreateDhcpOptions", input).ConfigureAwait(false)).Child("DhcpOptions")!.Required("DhcpOptionsId");
            },
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteDhcpOptions", new JsonObject { ["DhcpOptionsId"] = id }),
            Read = async (context, id) =>
            {
                var options = await OneAsync(service, context, "DescribeDhcpOptions", "DhcpOptionsIds", id, "DhcpOptions").ConfigureAwait(false);
                var properties = WithTags([], options);
                foreach (var item in options.Objects("DhcpConfigurations"))
                {
                    var values = item.Objects("Values").Select(value => value.Required("Value")).ToTextList();
                    var name = string.Concat(item.Required("Key").Split('-').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
                    properties[name] = name.EndsWith('s') ? values : values[0].Copy();
                }
                return properties;
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("DhcpOptionsId", id))),
        };
        yield return new Provider("AWS::EC2::VPCDHCPOptionsAssociation")
        {
            Service = "Ec2",
            Gone = ["InvalidVpcID.NotFound"],
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "AssociateDhcpOptions", properties).ConfigureAwait(false);
                return $"{properties.Text("DhcpOptionsId")}|{properties.Text("VpcId")}";
            },
            Update = (context, _, _, after) => service.CallMappedAsync(context, "AssociateDhcpOptions", after),
            Delete = (context, id, _) => service.CallAsync(context, "AssociateDhcpOptions", new JsonObject { ["VpcId"] = id.Split('|')[^1], ["DhcpOptionsId"] = "default" }),
            Read = async (context, id) => (await Vpc(context, id.Split('|')[^1]).ConfigureAwait(false)).Pick("VpcId", "DhcpOptionsId"),
        };
    }

    /// <summary>Repeats a deletion while something still depends on the resource, as CloudFormation does for a while.</summary>
    private static async Task WhileDependedUponAsync(ProvisionContext context, Func<Task> delete)
    {
        var end = context.Runtime.Clock.Now + TimeSpan.FromMinutes(20);
        while (true)
        {
            try
            {
                await delete().ConfigureAwait(false);
                return;
            }
            catch (ServiceFault fault) when (fault.Code == "DependencyViolation" && context.Runtime.Clock.Now < end)
            {
                await context.DelayAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);
            }
        }
    }
}
