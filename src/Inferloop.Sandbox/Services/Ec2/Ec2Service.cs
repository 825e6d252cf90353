using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>EC2: networks and what lives in them, launch templates, instances as far as groups and clusters need them.</summary>
internal sealed partial class Ec2Service : SandboxService
{
    public Ec2Service(SandboxRuntime runtime)
        : base(runtime, "ec2")
    {
        AddRegions();
        AddVpcs();
        AddSubnets();
        AddGateways();
        AddRoutes();
        AddNetworkAcls();
        AddSecurityGroups();
        AddEndpoints();
        AddFlowLogs();
        AddLaunchTemplates();
        AddInstances();
        AddInterfaces();
        AddVpn();
        AddVolumes();
        On("CreateTags", CreateTags);
        On("DeleteTags", DeleteTags);
        On("DescribeTags", DescribeTags);
    }

    /// <summary>The kinds of resources by the prefix of their ids: name of the collection, name of the type in tag specifications, code when not found.</summary>
    private static readonly Dictionary<string, (string Collection, string TagType, string Title, string NotFound)> Kinds = new(StringComparer.Ordinal)
    {
        ["vpc"] = ("vpcs", "vpc", "vpc ID", "InvalidVpcID.NotFound"),
        ["subnet"] = ("subnets", "subnet", "subnet ID", "InvalidSubnetID.NotFound"),
        ["igw"] = ("internet-gateways", "internet-gateway", "internetGateway ID", "InvalidInternetGatewayID.NotFound"),
        ["nat"] = ("nat-gateways", "natgateway", "NatGateway", "NatGatewayNotFound"),
        ["eipalloc"] = ("addresses", "elastic-ip", "allocation ID", "InvalidAllocationID.NotFound"),
        ["rtb"] = ("route-tables", "route-table", "routeTable ID", "InvalidRouteTableID.NotFound"),
        ["acl"] = ("network-acls", "network-acl", "networkAcl ID", "InvalidNetworkAclID.NotFound"),
        ["sg"] = ("security-groups", "security-group", "security group", "InvalidGroup.NotFound"),
        ["vpce"] = ("vpc-endpoints", "vpc-endpoint", "Vpc Endpoint Id", "InvalidVpcEndpointId.NotFound"),
        ["fl"] = ("flow-logs", "vpc-flow-log", "flow log ID", "InvalidFlowLogId.NotFound"),
        ["dopt"] = ("dhcp-options", "dhcp-options", "dhcpOption ID", "InvalidDhcpOptionID.NotFound"),
        ["lt"] = ("launch-templates", "launch-template", "launch template ID", "InvalidLaunchTemplateId.NotFound"),
        ["i"] = ("instances", "instance", "instance ID", "InvalidInstanceID.NotFound"),
        ["vgw"] = ("vpn-gateways", "vpn-gateway", "vpnGateway ID", "InvalidVpnGatewayID.NotFound"),
        ["cgw"] = ("customer-gateways", "customer-gateway", "customerGateway ID", "InvalidCustomerGatewayID.NotFound"),
        ["vpn"] = ("vpn-connections", "vpn-connection", "vpnConnection ID", "InvalidVpnConnectionID.NotFound"),
        ["vol"] = ("volumes", "volume", "volume", "InvalidVolume.NotFound"),
        ["snap"] = ("snapshots", "snapshot", "snapshot", "InvalidSnapshot.NotFound"),
        ["eni"] = ("network-interfaces", "network-interface", "networkInterface ID", "InvalidNetworkInterfaceID.NotFound"),
    };

    private static ServiceFault Invalid(string code, string message) => new(code, message);

    private Collection Kind(RequestContext context, string prefix) => Collection(context, Kinds[prefix].Collection);

    /// <summary>A resource by its id, whose prefix says what it must be.</summary>
    private JsonObject Find(RequestContext context, string prefix, string? id)
    {
        var kind = Kinds[prefix];
        return (id is null ? null : Kind(context, prefix).Get(id)) ?? throw Invalid(kind.NotFound, $"The {kind.Title} '{id}' does not exist");
    }

    /// <summary>Stores a new resource with its owner and tags.</summary>
    private JsonObject Add(RequestContext context, string prefix, string id, JsonObject document, JsonObject input)
    {
        document["Tags"] = TagsFor(input, Kinds[prefix].TagType);
        Kind(context, prefix).Put(id, document);
        return document;
    }

    private static JsonArray TagsFor(JsonObject input, string type)
    {
        var tags = input.Objects("TagSpecifications").Where(specification => specification.Text("ResourceType") == type).SelectMany(specification => specification.Objects("Tags")).ToList();
        Tags.Check(tags, "TagLimitExceeded");
        if (tags.DistinctBy(tag => tag.Text("Key")).Count() != tags.Count)
        {
            throw Invalid("InvalidParameterValue", "Duplicate tag key specified.");
        }
        return tags.Select(tag => new JsonObject { ["Key"] = tag.Text("Key"), ["Value"] = tag.Text("Value") ?? "" }).ToJsonList();
    }

    /// <summary>A describe operation: by ids (each must exist), by filters, by pages.</summary>
    private JsonObject Describe(RequestContext context, JsonObject input, string prefix, string idsMember, string resultMember, string filters, Func<JsonObject, JsonObject>? view = null)
    {
        var ids = input.Texts(idsMember);
        var found = ids.Count > 0 ? ids.Select(id => Find(context, prefix, id)) : Kind(context, prefix).All();
        var viewed = view is null ? found : found.Select(view);
        return Pages.Answer(input, Ec2Filters.Apply(viewed, input.Objects("Filters"), filters), resultMember, tokenErrorCode: "InvalidNextToken");
    }

    private void Change(RequestContext context, string prefix, string id, Action<JsonObject> change) => Kind(context, prefix).Update(id, change);

    private static void NeedsNoDryRun(JsonObject input)
    {
        if (input.Is("DryRun"))
        {
            throw new ServiceFault("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
        }
    }

    private JsonObject CreateTags(RequestContext context, JsonObject input)
    {
        var tags = input.Objects("Tags").ToList();
        if (tags.Exists(tag => (tag.Text("Key") ?? "").StartsWith("aws:", StringComparison.Ordinal)) && context.Request is not null)
        {
            throw Invalid("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use");
        }
        foreach (var id in input.Texts("Resources"))
        {
            var prefix = PrefixOf(id);
            _ = Find(context, prefix, id);
            Change(context, prefix, id, document =>
            {
                Tags.Put(document, "Tags", tags);
                Tags.Check(document.Objects("Tags"), "TagLimitExceeded");
            });
        }
        return [];
    }

    private JsonObject DeleteTags(RequestContext context, JsonObject input)
    {
        foreach (var id in input.Texts("Resources"))
        {
            var prefix = PrefixOf(id);
            _ = Find(context, prefix, id);
            Change(context, prefix, id, document =>
            {
                if (!input.Has("Tags"))
                {
                    document["Tags"] = document.Objects("Tags").Where(tag => (tag.Text("Key") ?? "").StartsWith("aws:", StringComparison.Ordinal)).Select(tag => tag.Copy()).ToJsonList();
                    return;
                }
                foreach (var tag in input.Objects("Tags"))
                {
                    var present = document.Objects("Tags").FirstOrDefault(item => item.Text("Key") == tag.Text("Key"));
                    if (present is not null && (!tag.Has("Value") || tag.Text("Value") == present.Text("Value")))
                    {
                        document.ListOrNew("Tags").Remove(present);
                    }
                }
            });
        }
        return [];
    }

    private JsonObject DescribeTags(RequestContext context, JsonObject input)
    {
        var all = Kinds.SelectMany(kind => Collection(context, kind.Value.Collection).All().SelectMany(document => document.Objects("Tags").Select(tag => new JsonObject
        {
            ["Key"] = tag.Text("Key"),
            ["Value"] = tag.Text("Value"),
            ["ResourceId"] = IdOf(document, kind.Key),
            ["ResourceType"] = kind.Value.TagType,
        })));
        return Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"), "key value resource-id resource-type"), "Tags");
    }

    private static string? IdOf(JsonObject document, string prefix) => prefix switch
    {
        "vpc" => document.Text("VpcId"),
        "subnet" => document.Text("SubnetId"),
        "igw" => document.Text("InternetGatewayId"),
        "nat" => document.Text("NatGatewayId"),
        "eipalloc" => document.Text("AllocationId"),
        "rtb" => document.Text("RouteTableId"),
        "acl" => document.Text("NetworkAclId"),
        "sg" => document.Text("GroupId"),
        "vpce" => document.Text("VpcEndpointId"),
        "fl" => document.Text("FlowLogId"),
        "dopt" => document.Text("DhcpOptionsId"),
        "lt" => document.Text("LaunchTemplateId"),
        "i" => document.Text("InstanceId"),
        "vgw" => document.Text("VpnGatewayId"),
        "cgw" => document.Text("CustomerGatewayId"),
        "vpn" => document.Text("VpnConnectionId"),
        _ => document.Text("NetworkInterfaceId"),
    };

    private static string PrefixOf(string id)
    {
        var at = id.IndexOf('-', StringComparison.Ordinal);
        return at > 0 && Kinds.ContainsKey(id[..at]) ? id[..at] : throw Invalid("InvalidID", $"The ID '{id}' is not valid");
    }

    /// <summary>The account's standing limits, as new accounts have them.</summary>
    private static class Limits
    {
        public const int Vpcs = 5;
        public const int Addresses = 5;
        public const int InternetGateways = 5;
        public const int SubnetsPerVpc = 200;
        public const int RouteTablesPerVpc = 200;
        public const int RoutesPerTable = 500;
        public const int NetworkAclsPerVpc = 200;
        public const int RulesPerAcl = 20;
        public const int GroupsPerRegion = 2500;
        public const int RulesPerGroup = 60;
        public const int NatGatewaysPerZone = 5;
    }
}
