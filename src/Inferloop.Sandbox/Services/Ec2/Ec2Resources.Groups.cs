using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal static partial class Ec2Resources
{
    /// <summary>A template's rule as a permission of the API.</summary>
    private static JsonObject Permission(JsonObject rule)
    {
        var permission = new JsonObject { ["IpProtocol"] = rule.Text("IpProtocol") }.With("FromPort", rule.Int("FromPort")).With("ToPort", rule.Int("ToPort"));
        JsonArray One(string name, string? value) => [new JsonObject { [name] = value }.Take(rule, "Description")];
        if (rule.Text("CidrIp") is { } cidr)
        {
            permission["IpRanges"] = One("CidrIp", cidr);
        }
        if (rule.Text("CidrIpv6") is { } cidr6)
        {
            permission["Ipv6Ranges"] = One("CidrIpv6", cidr6);
        }
        if ((rule.Text("SourceSecurityGroupId") ?? rule.Text("DestinationSecurityGroupId")) is { } group)
        {
            permission["UserIdGroupPairs"] = One("GroupId", group);
        }
        if ((rule.Text("SourcePrefixListId") ?? rule.Text("DestinationPrefixListId")) is { } list)
        {
            permission["PrefixListIds"] = One("PrefixListId", list);
        }
        return permission;
    }

    private static Task RulesAsync(Ec2Service service, ProvisionContext context, string operation, string group, IEnumerable<JsonObject> rules)
    {
        var permissions = rules.Select(Permission).ToJsonList();
        return permissions.Count == 0 ? Task.CompletedTask : service.CallAsync(context, operation, new JsonObject { ["GroupId"] = group, ["IpPermissions"] = permissions });
    }

    /// <summary>A rule of the API as a template has it.</summary>
    private static JsonObject TemplateRule(JsonObject rule)
    {
        var egress = rule.Is("IsEgress");
        var result = rule.Pick("IpProtocol", "Description");
        if (rule.Text("IpProtocol") != "-1")
        {
            result.Take(rule, "FromPort", "ToPort");
        }
        return result.With("CidrIp", rule.Text("CidrIpv4")).With("CidrIpv6", rule.Text("CidrIpv6"))
            .With(egress ? "DestinationSecurityGroupId" : "SourceSecurityGroupId", rule.Child("ReferencedGroupInfo")?.Text("GroupId"))
            .With(egress ? "DestinationPrefixListId" : "SourcePrefixListId", rule.Text("PrefixListId"));
    }

    private static IEnumerable<ResourceProvider> Groups(Ec2Service service)
    {
        Task<JsonObject> Group(ProvisionContext context, string id) => OneAsync(service, context, "DescribeSecurityGroups", "GroupIds", id, "SecurityGroups");
        async Task<List<JsonObject>> Rules(ProvisionContext context, string id) => (await service.CallAsync(context, "DescribeSecurityGroupRules",
            new JsonObject { ["Filters"] = new JsonArray(new JsonObject { ["Name"] = "group-id", ["Values"] = new JsonArray(id) }) }).ConfigureAwait(false)).Objects("SecurityGroupRules").ToList();
        var everywhere = new JsonObject { ["IpProtocol"] = "-1", ["CidrIp"] = "0.0.0.0/0" };
        async Task ChangeRules(ProvisionContext context, string id, string property, string direction, JsonObject before, JsonObject after)
        {
            IEnumerable<JsonObject> Standing(JsonObject properties) => property == "SecurityGroupEgress" && !properties.Objects(property).Any() ? [everywhere] : properties.Objects(property);
            var old = Standing(before).ToList();
            var wanted = Standing(after).ToList();
            var gone = old.Where(rule => !wanted.Exists(other => Documents.Same(Permission(rule), Permission(other))));
            var fresh = wanted.Where(rule => !old.Exists(other => Documents.Same(Permission(rule), Permission(other))));
            await RulesAsync(service, context, "RevokeSecurityGroup" + direction, id, gone).ConfigureAwait(false);
            await RulesAsync(service, context, "AuthorizeSecurityGroup" + direction, id, fresh).ConfigureAwait(false);
        }
        yield return new Provider("AWS::EC2::SecurityGroup")
        {
            Service = "Ec2",
            Gone = ["InvalidGroup.NotFound"],
            Create = async (context, properties) =>
            {
                var input = Input(service, context, "CreateSecurityGroup", properties, "security-group", ("GroupDescription", "Description"));
                input["GroupName"] = context.NameOf(properties, "GroupName");
                var id = (await service.CallAsync(context, "CreateSecurityGroup", input).ConfigureAwait(false)).Required("GroupId");
                context.Initiated(id);
                await RulesAsync(service, context, "AuthorizeSecurityGroupIngress", id, properties.Objects("SecurityGroupIngress")).ConfigureAwait(false);
                if (properties.Objects("SecurityGroupEgress").Any())
                {
                    await ChangeRules(context, id, "SecurityGroupEgress", "Egress", [], properties).ConfigureAwait(false);
                }
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await ChangeRules(context, id, "SecurityGroupIngress", "Ingress", before, after).ConfigureAwait(false);
                await ChangeRules(context, id, "SecurityGroupEgress", "Egress", before, after).ConfigureAwait(false);
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => WhileDependedUponAsync(context, () => service.CallAsync(context, "DeleteSecurityGroup", new JsonObject { ["GroupId"] = id })),
            Read = async (context, id) =>
            {
                var group = await Group(context, id).ConfigureAwait(false);
                var rules = await Rules(context, id).ConfigureAwait(false);
                return WithTags(new JsonObject
                {
                    ["GroupName"] = group.Text("GroupName"),
                    ["GroupDescription"] = group.Text("Description"),
                    ["VpcId"] = group.Text("VpcId"),
                    ["SecurityGroupIngress"] = rules.Where(rule => !rule.Is("IsEgress")).Select(TemplateRule).ToJsonList(),
                    ["SecurityGroupEgress"] = rules.Where(rule => rule.Is("IsEgress")).Select(TemplateRule).ToJsonList(),
                }, group);
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("GroupId", id), ("Id", id), ("VpcId", (await Group(context, id).ConfigureAwait(false))["VpcId"])),
        };
        foreach (var direction in (string[])["Ingress", "Egress"])
        {
            yield return new Provider("AWS::EC2::SecurityGroup" + direction)
            {
                Service = "Ec2",
                Gone = ["InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound", "InvalidPermission.NotFound"],
                Create = async (context, properties) =>
                {
                    var made = await service.CallAsync(context, "AuthorizeSecurityGroup" + direction,
                        new JsonObject { ["GroupId"] = properties.Text("GroupId"), ["IpPermissions"] = new JsonArray(Permission(properties)) }).ConfigureAwait(false);
                    return made.Objects("SecurityGroupRules").First().Required("SecurityGroupRuleId");
                },
                Update = (context, _, _, after) => service.CallAsync(context, "UpdateSecurityGroupRuleDescriptions" + direction,
                    new JsonObject { ["GroupId"] = after.Text("GroupId"), ["IpPermissions"] = new JsonArray(Permission(after)) }),
                Delete = (context, id, properties) => service.CallAsync(context, "RevokeSecurityGroup" + direction,
                    new JsonObject { ["GroupId"] = properties.Text("GroupId"), ["SecurityGroupRuleIds"] = new JsonArray(id) }),
                Read = async (context, id) => (await service.CallAsync(context, "DescribeSecurityGroupRules", new JsonObject { ["SecurityGroupRuleIds"] = new JsonArray(id) }).ConfigureAwait(false))
                    .Objects("SecurityGroupRules").FirstOrDefault() is { } rule ? TemplateRule(rule).With("GroupId", rule.Text("GroupId")) : null,
                Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
            };
        }
    }

    private static IEnumerable<ResourceProvider> Endpoints(Ec2Service service)
    {
        Task<JsonObject> Endpoint(ProvisionContext context, string id) => OneAsync(service, context, "DescribeVpcEndpoints", "VpcEndpointIds", id, "VpcEndpoints");
        Task Available(ProvisionContext context, string id) => context.WaitUntilAsync(async () => (await Endpoint(context, id).ConfigureAwait(false)).Text("State") == "available");
        yield return new Provider("AWS::EC2::VPCEndpoint")
        {
            Service = "Ec2",
            Gone = ["InvalidVpcEndpointId.NotFound"],
            Create = async (context, properties) =>
            {
                var id = (await service.CallAsync(context, "CreateVpcEndpoint", Input(service, context, "CreateVpcEndpoint", properties, "vpc-endpoint")).ConfigureAwait(false)).Child("VpcEndpoint")!.Required("VpcEndpointId");
                context.Initiated(id);
                await Available(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                var input = new JsonObject { ["VpcEndpointId"] = id };
                foreach (var name in (string[])["RouteTableIds", "SubnetIds", "SecurityGroupIds"])
                {
                    input["Add" + name] = after.Texts(name).Except(before.Texts(name)).ToTextList();
                    input["Remove" + name] = before.Texts(name).Except(after.Texts(name)).ToTextList();
                }
                input.With("PolicyDocument", after.Has("PolicyDocument") ? PolicyDocument.AsText(after["PolicyDocument"]) : null).With("PrivateDnsEnabled", after.Flag("PrivateDnsEnabled"));
                await service.CallAsync(context, "ModifyVpcEndpoint", input).ConfigureAwait(false);
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                await service.CallAsync(context, "DeleteVpcEndpoints", new JsonObject { ["VpcEndpointIds"] = new JsonArray(id) }).ConfigureAwait(false);
                await context.WaitUntilAsync(async () => !(await service.CallAsync(context, "DescribeVpcEndpoints", []).ConfigureAwait(false))
                    .Objects("VpcEndpoints").Any(item => item.Text("VpcEndpointId") == id)).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var endpoint = await Endpoint(context, id).ConfigureAwait(false);
                var properties = WithTags(endpoint.Pick("VpcId", "ServiceName", "VpcEndpointType", "RouteTableIds", "SubnetIds", "PrivateDnsEnabled", "IpAddressType"), endpoint);
                properties["SecurityGroupIds"] = endpoint.Objects("Groups").Select(group => group.Required("GroupId")).ToTextList();
                return properties.With("PolicyDocument", PolicyDocument.AsObject(endpoint.Text("PolicyDocument")));
            },
            Attributes = async (context, id) =>
            {
                var endpoint = await Endpoint(context, id).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("Id", id), ("CreationTimestamp", endpoint["CreationTimestamp"]), ("NetworkInterfaceIds", endpoint["NetworkInterfaceIds"]),
                    ("DnsEntries", endpoint.Objects("DnsEntries").Select(item => $"{item.Text("HostedZoneId")}:{item.Text("DnsName")}").ToTextList()));
            },
        };
        yield return new Provider("AWS::EC2::FlowLog")
        {
            Service = "Ec2",
            Gone = ["InvalidFlowLogId.NotFound"],
            Create = async (context, properties) =>
            {
                var input = Input(service, context, "CreateFlowLogs", properties, "vpc-flow-log");
                input["ResourceIds"] = new JsonArray(properties.Text("ResourceId"));
                var made = await service.CallAsync(context, "CreateFlowLogs", input).ConfigureAwait(false);
                return made.Objects("Unsuccessful").FirstOrDefault()?.Child("Error") is { } error
                    ? throw new ServiceFault(error.Required("Code"), error.Required("Message"))
                    : made.Texts("FlowLogIds")[0];
            },
            Update = (context, id, before, after) => RetagAsync(service, context, id, before, after),
            Delete = (context, id, _) => service.CallAsync(context, "DeleteFlowLogs", new JsonObject { ["FlowLogIds"] = new JsonArray(id) }),
            Read = async (context, id) =>
            {
                var log = await OneAsync(service, context, "DescribeFlowLogs", "FlowLogIds", id, "FlowLogs").ConfigureAwait(false);
                var type = log.Required("ResourceId").Split('-')[0] switch { "vpc" => "VPC", "subnet" => "Subnet", _ => "NetworkInterface" };
                return WithTags(log.Pick("ResourceId", "TrafficType", "LogGroupName", "LogDestination", "LogDestinationType", "DeliverLogsPermissionArn", "LogFormat", "MaxAggregationInterval").With("ResourceType", type), log);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
    }

    private static IEnumerable<ResourceProvider> Computing(Ec2Service service)
    {
        Task<JsonObject> Template(ProvisionContext context, string id) => OneAsync(service, context, "DescribeLaunchTemplates", "LaunchTemplateIds", id, "LaunchTemplates");
        yield return new Provider("AWS::EC2::LaunchTemplate")
        {
            Service = "Ec2",
            Gone = ["InvalidLaunchTemplateId.NotFound"],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateLaunchTemplate", properties);
                input["LaunchTemplateName"] = context.NameOf(properties, "LaunchTemplateName", 128);
                var tags = properties.Objects("TagSpecifications").Where(item => item.Text("ResourceType") == "launch-template").SelectMany(item => item.Objects("Tags")).Select(tag => tag.Copy()).ToJsonList();
                var merged = context.MergedTags(tags);
                input.Remove("TagSpecifications");
                if (merged.Count > 0)
                {
                    input["TagSpecifications"] = new JsonArray(new JsonObject { ["ResourceType"] = "launch-template", ["Tags"] = merged });
                }
                return (await service.CallAsync(context, "CreateLaunchTemplate", input).ConfigureAwait(false)).Child("LaunchTemplate")!.Required("LaunchTemplateId");
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "LaunchTemplateData", "VersionDescription"))
                {
                    var input = PropertyMapper.ToInput(service, "CreateLaunchTemplateVersion", after.Pick("LaunchTemplateData", "VersionDescription"));
                    input["LaunchTemplateId"] = id;
                    await service.CallAsync(context, "CreateLaunchTemplateVersion", input).ConfigureAwait(false);
                }
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteLaunchTemplate", new JsonObject { ["LaunchTemplateId"] = id }),
            Read = async (context, id) =>
            {
                var template = await Template(context, id).ConfigureAwait(false);
                var versions = await service.CallAsync(context, "DescribeLaunchTemplateVersions", new JsonObject { ["LaunchTemplateId"] = id, ["Versions"] = new JsonArray("$Latest") }).ConfigureAwait(false);
                return template.Pick("LaunchTemplateName").With("LaunchTemplateData", versions.Objects("LaunchTemplateVersions").First()["LaunchTemplateData"].Copy());
            },
            Attributes = async (context, id) =>
            {
                var template = await Template(context, id).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("LaunchTemplateId", id), ("DefaultVersionNumber", template.Text("DefaultVersionNumber")), ("LatestVersionNumber", template.Text("LatestVersionNumber")));
            },
        };
    }
}
