using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal sealed partial class Ec2Service
{
    private const int LastRule = 32767;

    private void AddNetworkAcls()
    {
        On("CreateNetworkAcl", CreateNetworkAcl);
        On("DeleteNetworkAcl", DeleteNetworkAcl);
        On("DescribeNetworkAcls", (context, input) => Describe(context, input, "acl", "NetworkAclIds", "NetworkAcls",
            "network-acl-id vpc-id owner-id default=IsDefault association.subnet-id=Associations.SubnetId association.network-acl-id=Associations.NetworkAclId "
            + "association.association-id=Associations.NetworkAclAssociationId entry.cidr=Entries.CidrBlock entry.egress=Entries.Egress entry.protocol=Entries.Protocol "
            + "entry.rule-action=Entries.RuleAction entry.rule-number=Entries.RuleNumber"));
        On("CreateNetworkAclEntry", (context, input) => PutEntry(context, input, replace: false));
        On("ReplaceNetworkAclEntry", (context, input) => PutEntry(context, input, replace: true));
        On("DeleteNetworkAclEntry", DeleteNetworkAclEntry);
        On("ReplaceNetworkAclAssociation", ReplaceNetworkAclAssociation);
    }

    private static JsonObject Entry(bool egress, string action, int number) => new()
    {
        ["CidrBlock"] = "0.0.0.0/0",
        ["Egress"] = egress,
        ["Protocol"] = "-1",
        ["RuleAction"] = action,
        ["RuleNumber"] = number,
    };

    private JsonObject NewAcl(RequestContext context, string vpc, bool isDefault, JsonObject input)
    {
        var id = Runtime.Ids.Resource("acl");
        var entries = isDefault
            ? new JsonArray(Entry(true, "allow", 100), Entry(true, "deny", LastRule), Entry(false, "allow", 100), Entry(false, "deny", LastRule))
            : new JsonArray(Entry(true, "deny", LastRule), Entry(false, "deny", LastRule));
        return Add(context, "acl", id, new JsonObject
        {
            ["NetworkAclId"] = id,
            ["VpcId"] = vpc,
            ["OwnerId"] = context.AccountId,
            ["IsDefault"] = isDefault,
            ["Associations"] = new JsonArray(),
            ["Entries"] = entries,
        }, input);
    }

    private void AddDefaultNetworkAcl(RequestContext context, string vpc) => NewAcl(context, vpc, true, []);

    private void AssociateWithDefaultAcl(RequestContext context, string vpc, string subnet)
    {
        var acl = Kind(context, "acl").Find(item => item.Text("VpcId") == vpc && item.Is("IsDefault"))!.Required("NetworkAclId");
        Change(context, "acl", acl, document => document.ListOrNew("Associations").Add((JsonNode)AclAssociation(acl, subnet)));
    }

    private JsonObject AclAssociation(string acl, string subnet) => new()
    {
        ["NetworkAclAssociationId"] = Runtime.Ids.Resource("aclassoc"),
        ["NetworkAclId"] = acl,
        ["SubnetId"] = subnet,
    };

    private JsonObject CreateNetworkAcl(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        if (Kind(context, "acl").Where(acl => acl.Text("VpcId") == vpc).Count >= Limits.NetworkAclsPerVpc)
        {
            throw Invalid("NetworkAclLimitExceeded", "The maximum number of network acls has been reached.");
        }
        return new JsonObject { ["NetworkAcl"] = NewAcl(context, vpc, false, input) };
    }

    private JsonObject DeleteNetworkAcl(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var acl = Find(context, "acl", input.Text("NetworkAclId"));
        if (acl.Is("IsDefault"))
        {
            throw Invalid("InvalidParameterValue", $"cannot delete default network ACL {acl.Text("NetworkAclId")}");
        }
        if (acl.Objects("Associations").Any())
        {
            throw Invalid("DependencyViolation", $"The networkAcl '{acl.Text("NetworkAclId")}' has dependencies and cannot be deleted.");
        }
        Kind(context, "acl").Remove(acl.Required("NetworkAclId"));
        return [];
    }

    private JsonObject PutEntry(RequestContext context, JsonObject input, bool replace)
    {
        NeedsNoDryRun(input);
        var acl = Find(context, "acl", input.Text("NetworkAclId")).Required("NetworkAclId");
        var number = input.Int("RuleNumber") ?? 0;
        if (number is < 1 or >= LastRule)
        {
            throw Invalid("InvalidParameterValue", $"Value ({number}) for parameter ruleNumber is invalid. Rule number must be between 1 and {LastRule - 1}.");
        }
        if (!input.Has("CidrBlock") && !input.Has("Ipv6CidrBlock"))
        {
            throw Invalid("MissingParameter", "The request must contain the parameter cidrBlock or ipv6CidrBlock");
        }
        if (input.Text("CidrBlock") is { } cidr && Ipv4Block.Parse(cidr) is null)
        {
            throw Invalid("InvalidParameterValue", $"CIDR block {cidr} is malformed");
        }
        var protocol = ProtocolNumber(input.Text("Protocol") ?? "-1");
        if (protocol is "6" or "17" && input.Child("PortRange") is null)
        {
            throw Invalid("MissingParameter", "The request must contain the parameter portRange");
        }
        if (protocol == "1" && input.Child("IcmpTypeCode") is null)
        {
            throw Invalid("MissingParameter", "The request must contain the parameter icmpTypeCode");
        }
        var entry = input.Pick("CidrBlock", "Ipv6CidrBlock", "Egress", "RuleAction", "RuleNumber", "PortRange", "IcmpTypeCode");
        entry["Protocol"] = protocol;
        entry["Egress"] = input.Is("Egress");
        Change(context, "acl", acl, document =>
        {
            var present = EntryOf(document, number, input.Is("Egress"));
            var entries = document.ListOrNew("Entries");
            if (present is not null && !replace)
            {
                throw Invalid("NetworkAclEntryAlreadyExists", $"The network acl entry identified by {number} already exists.");
            }
            if (present is null && replace)
            {
                throw Invalid("InvalidNetworkAclEntry.NotFound", $"The network acl entry identified by {number} does not exist.");
            }
            if (present is not null)
            {
                entries[entries.IndexOf(present)] = entry;
                return;
            }
            if (document.Objects("Entries").Count(item => item.Is("Egress") == input.Is("Egress")) > Limits.RulesPerAcl)
            {
                throw Invalid("NetworkAclEntryLimitExceeded", "The maximum number of network acl entries has been reached.");
            }
            entries.Add((JsonNode)entry);
        });
        return [];
    }

    private static JsonObject? EntryOf(JsonObject acl, int number, bool egress) =>
        acl.Objects("Entries").FirstOrDefault(item => item.Int("RuleNumber") == number && item.Is("Egress") == egress);

    private JsonObject DeleteNetworkAclEntry(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var acl = Find(context, "acl", input.Text("NetworkAclId")).Required("NetworkAclId");
        Change(context, "acl", acl, document =>
        {
            var present = EntryOf(document, input.Int("RuleNumber") ?? 0, input.Is("Egress"))
                ?? throw Invalid("InvalidNetworkAclEntry.NotFound", $"The network acl entry identified by {input.Int("RuleNumber")} does not exist.");
            document.ListOrNew("Entries").Remove(present);
        });
        return [];
    }

    private JsonObject ReplaceNetworkAclAssociation(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var target = Find(context, "acl", input.Text("NetworkAclId"));
        return Kind(context, "acl").Lock(() =>
        {
            var source = Kind(context, "acl").Find(acl => acl.Objects("Associations").Any(item => item.Text("NetworkAclAssociationId") == input.Text("AssociationId")))
                ?? throw Invalid("InvalidAssociationID.NotFound", $"The association ID '{input.Text("AssociationId")}' does not exist");
            if (source.Text("VpcId") != target.Text("VpcId"))
            {
                throw Invalid("InvalidParameterValue", $"network ACL {target.Text("NetworkAclId")} and the subnet belong to different networks");
            }
            var subnet = "";
            Change(context, "acl", source.Required("NetworkAclId"), document =>
            {
                var moved = document.Objects("Associations").First(item => item.Text("NetworkAclAssociationId") == input.Text("AssociationId"));
                subnet = moved.Required("SubnetId");
                document.ListOrNew("Associations").Remove(moved);
            });
            var association = AclAssociation(target.Required("NetworkAclId"), subnet);
            Change(context, "acl", target.Required("NetworkAclId"), document => document.ListOrNew("Associations").Add(association.DeepClone()));
            return new JsonObject { ["NewAssociationId"] = association.Text("NetworkAclAssociationId") };
        });
    }

    private static string ProtocolNumber(string protocol) => protocol.ToLowerInvariant() switch
    {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        "icmpv6" => "58",
        "all" => "-1",
        var number when int.TryParse(number, out var value) && value is >= -1 and <= 255 => number,
        _ => throw Invalid("InvalidParameterValue", $"Invalid value '{protocol}' for IP protocol. Unknown protocol."),
    };
}
