using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>Security groups. Each rule is a document of its own, as DescribeSecurityGroupRules shows it; the older form is put together from them.</summary>
internal sealed partial class Ec2Service
{
    [GeneratedRegex(@"^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}\z")]
    private static partial Regex GroupTextPattern();

    private void AddSecurityGroups()
    {
        On("CreateSecurityGroup", CreateSecurityGroup);
        On("DeleteSecurityGroup", DeleteSecurityGroup);
        On("DescribeSecurityGroups", DescribeSecurityGroups);
        On("DescribeSecurityGroupRules", (context, input) =>
        {
            var all = Kind(context, "sg").All().SelectMany(group => group.Objects("_Rules")).Select(rule => rule.Copy());
            var ids = input.Texts("SecurityGroupRuleIds");
            return Pages.Answer(input, Ec2Filters.Apply(all.Where(rule => ids.Count == 0 || ids.Contains(rule.Text("SecurityGroupRuleId")!)), input.Objects("Filters"),
                "group-id security-group-rule-id"), "SecurityGroupRules");
        });
        On("AuthorizeSecurityGroupIngress", (context, input) => Authorize(context, input, false));
        On("AuthorizeSecurityGroupEgress", (context, input) => Authorize(context, input, true));
        On("RevokeSecurityGroupIngress", (context, input) => Revoke(context, input, false));
        On("RevokeSecurityGroupEgress", (context, input) => Revoke(context, input, true));
        On("UpdateSecurityGroupRuleDescriptionsIngress", (context, input) => Redescribe(context, input, false));
        On("UpdateSecurityGroupRuleDescriptionsEgress", (context, input) => Redescribe(context, input, true));
    }

    private string DefaultGroup(RequestContext context, string vpc) =>
        Kind(context, "sg").Find(group => group.Text("VpcId") == vpc && group.Text("GroupName") == "default")!.Required("GroupId");

    private void AddDefaultGroup(RequestContext context, string vpc)
    {
        var id = NewGroup(context, vpc, "default", "default VPC security group", []);
        Change(context, "sg", id, group => group.ListOrNew("_Rules").Add((JsonNode)Rule(context, id, false, "-1", null, null, "ReferencedGroupInfo",
            new JsonObject { ["GroupId"] = id, ["UserId"] = context.AccountId }, null)));
    }

    private string NewGroup(RequestContext context, string vpc, string name, string description, JsonObject input)
    {
        var id = Runtime.Ids.Resource("sg");
        Add(context, "sg", id, new JsonObject
        {
            ["GroupId"] = id,
            ["GroupName"] = name,
            ["Description"] = description,
            ["VpcId"] = vpc,
            ["OwnerId"] = context.AccountId,
            ["SecurityGroupArn"] = context.Arn("ec2", "security-group/" + id),
            ["_Rules"] = new JsonArray(Rule(context, id, true, "-1", null, null, "CidrIpv4", "0.0.0.0/0", null)),
        }, input);
        return id;
    }

    private JsonObject Rule(RequestContext context, string group, bool egress, string protocol, int? from, int? to, string peerMember, JsonNode peer, string? description) =>
        new JsonObject
        {
            ["SecurityGroupRuleId"] = Runtime.Ids.Resource("sgr"),
            ["GroupId"] = group,
            ["GroupOwnerId"] = context.AccountId,
            ["IsEgress"] = egress,
            ["IpProtocol"] = protocol,
            ["FromPort"] = from ?? -1,
            ["ToPort"] = to ?? -1,
            [peerMember] = peer,
            ["Tags"] = new JsonArray(),
        }.With("Description", description);

    private JsonObject CreateSecurityGroup(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var name = input.Text("GroupName") ?? throw Invalid("MissingParameter", "The request must contain the parameter GroupName");
        var description = input.Text("Description") ?? throw Invalid("MissingParameter", "The request must contain the parameter GroupDescription");
        if (!input.Has("VpcId"))
        {
            throw Invalid("VPCIdNotSpecified", "No default VPC for this user");
        }
        var vpc = Find(context, "vpc", input.Text("VpcId")).Required("VpcId");
        if (!GroupTextPattern().IsMatch(name) || name.StartsWith("sg-", StringComparison.Ordinal))
        {
            throw Invalid("InvalidParameterValue", $"Invalid security group name '{name}'. Group names may not be in the format sg-*, and may contain up to 255 of: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{{}}!$*");
        }
        if (!GroupTextPattern().IsMatch(description))
        {
            throw Invalid("InvalidParameterValue", $"Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*");
        }
        return Kind(context, "sg").Lock(() =>
        {
            if (Kind(context, "sg").Any(group => group.Text("VpcId") == vpc && group.Text("GroupName") == name))
            {
                throw Invalid("InvalidGroup.Duplicate", $"The security group '{name}' already exists for VPC '{vpc}'");
            }
            if (Kind(context, "sg").Count >= Limits.GroupsPerRegion)
            {
                throw Invalid("SecurityGroupLimitExceeded", "The maximum number of security groups has been reached.");
            }
            var id = NewGroup(context, vpc, name, description, input);
            return new JsonObject { ["GroupId"] = id, ["SecurityGroupArn"] = context.Arn("ec2", "security-group/" + id), ["Tags"] = TagsFor(input, "security-group") };
        });
    }

    private JsonObject GroupOf(RequestContext context, JsonObject input)
    {
        if (input.Text("GroupId") is { } id)
        {
            return Find(context, "sg", id);
        }
        var name = input.Text("GroupName") ?? throw Invalid("MissingParameter", "The request must contain the parameter groupName or groupId");
        return Kind(context, "sg").Find(group => group.Text("GroupName") == name) ?? throw Invalid("InvalidGroup.NotFound", $"The security group '{name}' does not exist in default VPC 'none'");
    }

    private JsonObject DeleteSecurityGroup(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var group = GroupOf(context, input);
        var id = group.Required("GroupId");
        if (group.Text("GroupName") == "default")
        {
            throw Invalid("CannotDelete", $"the specified group: \"{id}\" name: \"default\" cannot be deleted by a user");
        }
        var isReferenced = Kind(context, "sg").Any(other => other.Text("GroupId") != id && other.Objects("_Rules").Any(rule => rule.Child("ReferencedGroupInfo")?.Text("GroupId") == id));
        if (isReferenced || Kind(context, "eni").Any(item => item.Objects("Groups").Any(member => member.Text("GroupId") == id)))
        {
            throw Invalid("DependencyViolation", $"resource {id} has a dependent object");
        }
        Kind(context, "sg").Remove(id);
        return new JsonObject { ["Return"] = true, ["GroupId"] = id };
    }

    private JsonObject DescribeSecurityGroups(RequestContext context, JsonObject input)
    {
        var names = input.Texts("GroupNames");
        foreach (var name in names.Where(name => !Kind(context, "sg").Any(group => group.Text("GroupName") == name)))
        {
            throw Invalid("InvalidGroup.NotFound", $"The security group '{name}' does not exist in default VPC 'none'");
        }
        var copy = input.Copy();
        if (names.Count > 0)
        {
            copy.ListOrNew("Filters").Add((JsonNode)new JsonObject { ["Name"] = "group-name", ["Values"] = names.ToTextList() });
        }
        return Describe(context, copy, "sg", "GroupIds", "SecurityGroups",
            "group-id group-name description owner-id vpc-id ip-permission.cidr=IpPermissions.IpRanges.CidrIp ip-permission.from-port=IpPermissions.FromPort ip-permission.to-port=IpPermissions.ToPort "
            + "ip-permission.protocol=IpPermissions.IpProtocol ip-permission.group-id=IpPermissions.UserIdGroupPairs.GroupId egress.ip-permission.cidr=IpPermissionsEgress.IpRanges.CidrIp "
            + "egress.ip-permission.group-id=IpPermissionsEgress.UserIdGroupPairs.GroupId",
            group => group.With("IpPermissions", Permissions(group, false)).With("IpPermissionsEgress", Permissions(group, true)));
    }

    /// <summary>The rules of a direction, grouped by protocol and ports as the older form has them.</summary>
    private static JsonArray Permissions(JsonObject group, bool egress)
    {
        var permissions = group.Objects("_Rules").Where(rule => rule.Is("IsEgress") == egress)
            .GroupBy(rule => (Protocol: rule.Text("IpProtocol"), From: rule.Int("FromPort"), To: rule.Int("ToPort")))
            .Select(rules =>
            {
                var permission = new JsonObject
                {
                    ["IpProtocol"] = rules.Key.Protocol,
                    ["IpRanges"] = rules.Where(rule => rule.Has("CidrIpv4")).Select(rule => Peer(rule, "CidrIp", "CidrIpv4")).ToJsonList(),
                    ["Ipv6Ranges"] = rules.Where(rule => rule.Has("CidrIpv6")).Select(rule => Peer(rule, "CidrIpv6", "CidrIpv6")).ToJsonList(),
                    ["PrefixListIds"] = rules.Where(rule => rule.Has("PrefixListId")).Select(rule => Peer(rule, "PrefixListId", "PrefixListId")).ToJsonList(),
                    ["UserIdGroupPairs"] = rules.Where(rule => rule.Has("ReferencedGroupInfo"))
                        .Select(rule => rule.Child("ReferencedGroupInfo")!.Pick("GroupId", "UserId").Take(rule, "Description")).ToJsonList(),
                };
                if (rules.Key.Protocol != "-1")
                {
                    permission["FromPort"] = rules.Key.From;
                    permission["ToPort"] = rules.Key.To;
                }
                return permission;
            });
        return permissions.ToJsonList();
    }

    private static JsonObject Peer(JsonObject rule, string name, string member) => new JsonObject { [name] = rule.Text(member) }.Take(rule, "Description");

    private JsonObject Authorize(RequestContext context, JsonObject input, bool egress)
    {
        NeedsNoDryRun(input);
        var group = GroupOf(context, input);
        var id = group.Required("GroupId");
        var rules = RulesFrom(context, id, input, egress);
        if (rules.Count == 0)
        {
            throw Invalid("MissingParameter", "The request must contain the parameter ipPermissions");
        }
        var tags = TagsFor(input, "security-group-rule");
        Change(context, "sg", id, document =>
        {
            foreach (var rule in rules)
            {
                if (document.Objects("_Rules").Any(present => SameRule(present, rule)))
                {
                    throw Invalid("InvalidPermission.Duplicate", $"the specified rule \"peer: {PeerOf(rule)}, {Shown(rule)}, ALLOW\" already exists");
                }
                rule["Tags"] = tags.DeepClone();
                document.ListOrNew("_Rules").Add(rule.DeepClone());
            }
            if (document.Objects("_Rules").Count(rule => rule.Is("IsEgress") == egress) > Limits.RulesPerGroup)
            {
                throw Invalid("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.");
            }
        });
        return new JsonObject { ["Return"] = true, ["SecurityGroupRules"] = rules.ToJsonList() };
    }

    private JsonObject Revoke(RequestContext context, JsonObject input, bool egress)
    {
        NeedsNoDryRun(input);
        var id = GroupOf(context, input).Required("GroupId");
        var ids = input.Texts("SecurityGroupRuleIds");
        var rules = ids.Count > 0 ? [] : RulesFrom(context, id, input, egress);
        Change(context, "sg", id, document =>
        {
            foreach (var ruleId in ids)
            {
                var present = document.Objects("_Rules").FirstOrDefault(rule => rule.Text("SecurityGroupRuleId") == ruleId && rule.Is("IsEgress") == egress)
                    ?? throw Invalid("InvalidSecurityGroupRuleId.NotFound", $"The security group rule ID '{ruleId}' does not exist");
                document.ListOrNew("_Rules").Remove(present);
            }
            foreach (var rule in rules)
            {
                var present = document.Objects("_Rules").FirstOrDefault(item => SameRule(item, rule))
                    ?? throw Invalid("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
                document.ListOrNew("_Rules").Remove(present);
            }
        });
        return new JsonObject { ["Return"] = true };
    }

    private JsonObject Redescribe(RequestContext context, JsonObject input, bool egress)
    {
        var id = GroupOf(context, input).Required("GroupId");
        var rules = RulesFrom(context, id, input, egress);
        Change(context, "sg", id, document =>
        {
            foreach (var rule in rules)
            {
                var present = document.Objects("_Rules").FirstOrDefault(item => SameRule(item, rule))
                    ?? throw Invalid("InvalidPermission.NotFound", "The specified rule does not exist in this security group.");
                present.Remove("Description");
                present.Take(rule, "Description");
            }
        });
        return new JsonObject { ["Return"] = true };
    }

    /// <summary>One rule per peer, from permissions or from the older single parameters.</summary>
    private List<JsonObject> RulesFrom(RequestContext context, string group, JsonObject input, bool egress)
    {
        var permissions = input.Objects("IpPermissions").ToList();
        if (permissions.Count == 0 && input.Has("IpProtocol"))
        {
            var single = input.Pick("IpProtocol", "FromPort", "ToPort");
            if (input.Text("CidrIp") is { } cidr)
            {
                single["IpRanges"] = new JsonArray(new JsonObject { ["CidrIp"] = cidr });
            }
            if (input.Text("SourceSecurityGroupName") is { } source)
            {
                single["UserIdGroupPairs"] = new JsonArray(new JsonObject { ["GroupName"] = source });
            }
            permissions.Add(single);
        }
        var rules = new List<JsonObject>();
        foreach (var permission in permissions)
        {
            var protocol = ProtocolName(permission.Text("IpProtocol") ?? throw Invalid("MissingParameter", "The request must contain the parameter ipProtocol"));
            var (from, to) = (permission.Int("FromPort"), permission.Int("ToPort"));
            if (protocol is "tcp" or "udp")
            {
                if (from is null || to is null || from < 0 || to > 65535 || from > to)
                {
                    throw Invalid("InvalidParameterValue", $"Invalid value for portRange. Must specify both from and to ports with {protocol.ToUpperInvariant()}.");
                }
            }
            else if (protocol == "-1")
            {
                (from, to) = (null, null);
            }
            void Make(string member, JsonNode peer, JsonObject source) => rules.Add(Rule(context, group, egress, protocol, from, to, member, peer, source.Text("Description")));
            foreach (var range in permission.Objects("IpRanges"))
            {
                var cidr = range.Text("CidrIp");
                var block = Ipv4Block.Parse(cidr)?.Canonical() ?? throw Invalid("InvalidParameterValue", $"CIDR block {cidr} is malformed");
                Make("CidrIpv4", block.ToString(), range);
            }
            foreach (var range in permission.Objects("Ipv6Ranges"))
            {
                Make("CidrIpv6", range.Required("CidrIpv6"), range);
            }
            foreach (var list in permission.Objects("PrefixListIds"))
            {
                var prefixList = list.Required("PrefixListId");
                if (!PrefixLists(context).Exists(item => item.Text("PrefixListId") == prefixList))
                {
                    throw Invalid("InvalidPrefixListID.NotFound", $"The prefix list ID '{prefixList}' does not exist");
                }
                Make("PrefixListId", prefixList, list);
            }
            foreach (var pair in permission.Objects("UserIdGroupPairs"))
            {
                var peer = GroupOf(context, pair.Pick("GroupId", "GroupName")).Required("GroupId");
                Make("ReferencedGroupInfo", new JsonObject { ["GroupId"] = peer, ["UserId"] = context.AccountId }, pair);
            }
        }
        return rules;
    }

    private static bool SameRule(JsonObject one, JsonObject other) => one.Is("IsEgress") == other.Is("IsEgress") && one.Text("IpProtocol") == other.Text("IpProtocol")
        && one.Int("FromPort") == other.Int("FromPort") && one.Int("ToPort") == other.Int("ToPort") && PeerOf(one) == PeerOf(other);

    private static string? PeerOf(JsonObject rule) =>
        rule.Text("CidrIpv4") ?? rule.Text("CidrIpv6") ?? rule.Text("PrefixListId") ?? rule.Child("ReferencedGroupInfo")?.Text("GroupId");

    private static string Shown(JsonObject rule) => rule.Text("IpProtocol") == "-1" ? "ALL"
        : $"{rule.Text("IpProtocol")!.ToUpperInvariant()}, from port: {rule.Int("FromPort")}, to port: {rule.Int("ToPort")}";

    private static string ProtocolName(string protocol) => ProtocolNumber(protocol) switch
    {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "58" => "icmpv6",
        var number => number,
    };
}
