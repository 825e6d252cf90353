using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>Network interfaces: of tasks, load balancers, gateways and endpoints. They hold addresses, and hold up deletions.</summary>
internal sealed partial class Ec2Service
{
    private void AddInterfaces()
    {
        On("DescribeNetworkInterfaces", (context, input) => Describe(context, input, "eni", "NetworkInterfaceIds", "NetworkInterfaces",
            "network-interface-id subnet-id vpc-id status description group-id=Groups.GroupId group-name=Groups.GroupName interface-type private-ip-address "
            + "addresses.private-ip-address=PrivateIpAddresses.PrivateIpAddress availability-zone requester-managed requester-id owner-id attachment.instance-id attachment.status "
            + "association.public-ip association.allocation-id mac-address private-dns-name"));
        On("CreateNetworkInterface", (context, input) =>
        {
            NeedsNoDryRun(input);
            var groups = input.Texts("Groups");
            var made = AllocateInterface(context, input.Required("SubnetId"), groups, input.Text("Description") ?? "", "interface", requester: null, input.Text("PrivateIpAddress"), input);
            return new JsonObject { ["NetworkInterface"] = made };
        });
        On("DeleteNetworkInterface", (context, input) =>
        {
            var found = Find(context, "eni", input.Text("NetworkInterfaceId"));
            if (found.Text("Status") == "in-use")
            {
                throw Invalid("InvalidParameterValue", $"Network interface '{found.Text("NetworkInterfaceId")}' is currently in use.");
            }
            Kind(context, "eni").Remove(found.Required("NetworkInterfaceId"));
            return [];
        });
    }

    /// <summary>A network interface with the next free address of its subnet.</summary>
    public JsonObject AllocateInterface(RequestContext context, string subnetId, IReadOnlyList<string> groups, string description, string type, string? requester,
        string? privateIp = null, JsonObject? input = null)
    {
        var subnet = Find(context, "subnet", subnetId);
        var vpc = subnet.Required("VpcId");
        var members = (groups.Count > 0 ? groups : [DefaultGroup(context, vpc)]).Select(group =>
        {
            var found = Find(context, "sg", group);
            return found.Text("VpcId") == vpc ? new JsonObject { ["GroupId"] = group, ["GroupName"] = found.Text("GroupName") }
                : throw Invalid("InvalidGroup.NotFound", $"The security group '{group}' does not exist in VPC '{vpc}'");
        }).ToList();
        var block = Ipv4Block.Parse(subnet.Text("CidrBlock"))!.Value;
        return Kind(context, "eni").Lock(() =>
        {
            var used = Kind(context, "eni").Where(item => item.Text("SubnetId") == subnetId).Select(item => item.Text("PrivateIpAddress")).ToHashSet(StringComparer.Ordinal);
            var address = privateIp;
            if (address is null)
            {
                for (var offset = ReservedAtStart; offset < block.Size - 1; offset++)
                {
                    if (!used.Contains(block.Address(offset)))
                    {
                        address = block.Address(offset);
                        break;
                    }
                }
                _ = address ?? throw Invalid("InsufficientFreeAddressesInSubnet", "There are not enough free addresses in subnet '" + subnetId + "' to satisfy the requested number of instances.");
            }
            else if (used.Contains(address))
            {
                throw Invalid("InvalidIPAddress.InUse", $"Address {address} is in use.");
            }
            var id = Runtime.Ids.Resource("eni");
            var dns = $"ip-{address.Replace('.', '-')}.{(context.Region == "us-east-1" ? "ec2.internal" : context.Region + ".compute.internal")}";
            return Add(context, "eni", id, new JsonObject
            {
                ["NetworkInterfaceId"] = id,
                ["SubnetId"] = subnetId,
                ["VpcId"] = vpc,
                ["AvailabilityZone"] = subnet.Text("AvailabilityZone"),
                ["Description"] = description,
                ["OwnerId"] = context.AccountId,
                ["RequesterManaged"] = requester is not null,
                ["InterfaceType"] = type,
                ["Status"] = requester is null ? "available" : "in-use",
                ["MacAddress"] = $"0a:{Runtime.Ids.Hex(2)}:{Runtime.Ids.Hex(2)}:{Runtime.Ids.Hex(2)}:{Runtime.Ids.Hex(2)}:{Runtime.Ids.Hex(2)}",
                ["PrivateIpAddress"] = address,
                ["PrivateDnsName"] = dns,
                ["SourceDestCheck"] = type != "nat_gateway",
                ["Groups"] = members.ToJsonList(),
                ["Ipv6Addresses"] = new JsonArray(),
                ["PrivateIpAddresses"] = new JsonArray(new JsonObject { ["Primary"] = true, ["PrivateIpAddress"] = address, ["PrivateDnsName"] = dns }),
            }.With("RequesterId", requester), input ?? []);
        });
    }

    public void ReleaseInterface(RequestContext context, string? interfaceId)
    {
        if (interfaceId is not null)
        {
            Kind(context, "eni").Remove(interfaceId);
        }
    }

    /// <summary>A public address for something that gets one by itself (a task, an instance).</summary>
    public string PublicAddress() => $"198.{18 + Runtime.Ids.Next(2)}.{Runtime.Ids.Next(256)}.{1 + Runtime.Ids.Next(254)}";

    /// <summary>A subnet for another service; the fault is EC2's.</summary>
    public JsonObject Subnet(RequestContext context, string id) => Find(context, "subnet", id);

    /// <summary>A security group for another service; the fault is EC2's.</summary>
    public JsonObject SecurityGroup(RequestContext context, string id) => Find(context, "sg", id);

    /// <summary>A VPC for another service; the fault is EC2's.</summary>
    public JsonObject Vpc(RequestContext context, string id) => Find(context, "vpc", id);

    /// <summary>Whether an instance, given by id or private address, is up.</summary>
    public bool IsRunning(RequestContext context, string idOrAddress) => Kind(context, "i").Any(instance =>
        (instance.Text("InstanceId") == idOrAddress || instance.Text("PrivateIpAddress") == idOrAddress) && instance.Child("State")?.Text("Name") == "running"
        && !Runtime.Faults.IsZoneLost(instance.Child("Placement")?.Text("AvailabilityZone") ?? ""));

    /// <summary>The zone that an address of a VPC is in, by the subnet that has it; null when none has.</summary>
    public string? ZoneOfAddress(RequestContext context, string? vpc, string address) => Ipv4Block.Parse(address + "/32") is not { } block ? null
        : Kind(context, "subnet").Find(subnet => subnet.Text("VpcId") == vpc && Ipv4Block.Parse(subnet.Text("CidrBlock")) is { } range && range.Contains(block))?.Text("AvailabilityZone");

    /// <summary>An instance by id, or null.</summary>
    public JsonObject? FindInstance(RequestContext context, string id) => Kind(context, "i").Get(id);
}
