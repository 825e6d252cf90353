using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <summary>The AWS::ElasticLoadBalancingV2 resource types.</summary>
internal static class ElbResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<ElbService>();
        return [Balancer(service), Group(service), Listener(service), Rule(service)];
    }

    private static async Task<JsonObject> OneAsync(ElbService service, ProvisionContext context, string operation, string idsMember, string arn, string member) =>
        (await service.CallAsync(context, operation, new JsonObject { [idsMember] = new JsonArray(arn) }).ConfigureAwait(false)).Objects(member).First();

    private static async Task RetagAsync(ElbService service, ProvisionContext context, string arn, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "RemoveTags", new JsonObject { ["ResourceArns"] = new JsonArray(arn), ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "AddTags", new JsonObject { ["ResourceArns"] = new JsonArray(arn), ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    private static async Task<JsonArray> TagsAsync(ElbService service, ProvisionContext context, string arn) => Tags.OfTemplate(
        (await service.CallAsync(context, "DescribeTags", new JsonObject { ["ResourceArns"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("TagDescriptions").First().Objects("Tags"));

    private static Task AttributesAsync(ElbService service, ProvisionContext context, string operation, string arnMember, string arn, JsonNode? attributes) =>
        attributes is JsonArray { Count: > 0 } list ? service.CallMappedAsync(context, operation, new JsonObject { [arnMember] = arn, ["Attributes"] = list.DeepClone() }) : Task.CompletedTask;

    private static string FullName(string arn, string marker) => arn[(arn.IndexOf(marker, StringComparison.Ordinal) + marker.Length)..];

    private static Provider Balancer(ElbService service) => new("AWS::ElasticLoadBalancingV2::LoadBalancer")
    {
        Service = "ElasticLoadBalancingV2",
        Gone = ["LoadBalancerNotFound"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "CreateLoadBalancer", properties.Tagged(context));
            input["Name"] = context.NameOf(properties, "Name", 32);
            var arn = (await service.CallAsync(context, "CreateLoadBalancer", input).ConfigureAwait(false)).Objects("LoadBalancers").First().Required("LoadBalancerArn");
            context.Initiated(arn);
            await AttributesAsync(service, context, "ModifyLoadBalancerAttributes", "LoadBalancerArn", arn, properties["LoadBalancerAttributes"]).ConfigureAwait(false);
            await context.WaitUntilAsync(async () => (await OneAsync(service, context, "DescribeLoadBalancers", "LoadBalancerArns", arn, "LoadBalancers").ConfigureAwait(false))
                .Child("State")!.Text("Code") == "active").ConfigureAwait(false);
            return arn;
        },
        Update = async (context, arn, before, after) =>
        {
            JsonObject Input() => new() { ["LoadBalancerArn"] = arn };
            if (after.Changed(before, "SecurityGroups") && after.Has("SecurityGroups"))
            {
                await service.CallAsync(context, "SetSecurityGroups", Input().With("SecurityGroups", after["SecurityGroups"].Copy())).ConfigureAwait(false);
            }
            if (after.Changed(before, "Subnets", "SubnetMappings"))
            {
                await service.CallMappedAsync(context, "SetSubnets", Input().Take(after, "Subnets", "SubnetMappings")).ConfigureAwait(false);
            }
            if (after.Changed(before, "IpAddressType") && after.Has("IpAddressType"))
            {
                await service.CallAsync(context, "SetIpAddressType", Input().With("IpAddressType", after.Text("IpAddressType"))).ConfigureAwait(false);
            }
            if (after.Changed(before, "LoadBalancerAttributes"))
            {
                await AttributesAsync(service, context, "ModifyLoadBalancerAttributes", "LoadBalancerArn", arn, after["LoadBalancerAttributes"]).ConfigureAwait(false);
            }
            await RetagAsync(service, context, arn, before, after).ConfigureAwait(false);
        },
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteLoadBalancer", new JsonObject { ["LoadBalancerArn"] = arn }),
        Read = async (context, arn) =>
        {
            var balancer = await OneAsync(service, context, "DescribeLoadBalancers", "LoadBalancerArns", arn, "LoadBalancers").ConfigureAwait(false);
            var attributes = await service.CallAsync(context, "DescribeLoadBalancerAttributes", new JsonObject { ["LoadBalancerArn"] = arn }).ConfigureAwait(false);
            return balancer.Pick("Scheme", "Type", "SecurityGroups", "IpAddressType").With("Name", balancer.Text("LoadBalancerName"))
                .With("Subnets", balancer.Objects("AvailabilityZones").Select(zone => zone.Required("SubnetId")).ToTextList())
                .With("LoadBalancerAttributes", attributes["Attributes"].Copy())
                .With("Tags", await TagsAsync(service, context, arn).ConfigureAwait(false));
        },
        Attributes = async (context, arn) =>
        {
            var balancer = await OneAsync(service, context, "DescribeLoadBalancers", "LoadBalancerArns", arn, "LoadBalancers").ConfigureAwait(false);
            return ProviderExtensions.Attributes(("LoadBalancerArn", arn), ("DNSName", balancer["DNSName"]), ("CanonicalHostedZoneID", balancer["CanonicalHostedZoneId"]),
                ("LoadBalancerFullName", FullName(arn, ":loadbalancer/")), ("LoadBalancerName", balancer["LoadBalancerName"]), ("SecurityGroups", balancer["SecurityGroups"]));
        },
    };

    private static Provider Group(ElbService service) => new("AWS::ElasticLoadBalancingV2::TargetGroup")
    {
        Service = "ElasticLoadBalancingV2",
        Gone = ["TargetGroupNotFound"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "CreateTargetGroup", properties.Tagged(context));
            input["Name"] = context.NameOf(properties, "Name", 32);
            var arn = (await service.CallAsync(context, "CreateTargetGroup", input).ConfigureAwait(false)).Objects("TargetGroups").First().Required("TargetGroupArn");
            context.Initiated(arn);
            await AttributesAsync(service, context, "ModifyTargetGroupAttributes", "TargetGroupArn", arn, properties["TargetGroupAttributes"]).ConfigureAwait(false);
            if (properties.Objects("Targets").Any())
            {
                await service.CallMappedAsync(context, "RegisterTargets", new JsonObject { ["TargetGroupArn"] = arn, ["Targets"] = properties["Targets"].Copy() }).ConfigureAwait(false);
            }
            return arn;
        },
        Update = async (context, arn, before, after) =>
        {
            var input = PropertyMapper.ToInput(service, "ModifyTargetGroup", after);
            input["TargetGroupArn"] = arn;
            await service.CallAsync(context, "ModifyTargetGroup", input).ConfigureAwait(false);
            if (after.Changed(before, "TargetGroupAttributes"))
            {
                await AttributesAsync(service, context, "ModifyTargetGroupAttributes", "TargetGroupArn", arn, after["TargetGroupAttributes"]).ConfigureAwait(false);
            }
            await RetagAsync(service, context, arn, before, after).ConfigureAwait(false);
        },
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteTargetGroup", new JsonObject { ["TargetGroupArn"] = arn }),
        Read = async (context, arn) =>
        {
            var group = await OneAsync(service, context, "DescribeTargetGroups", "TargetGroupArns", arn, "TargetGroups").ConfigureAwait(false);
            var attributes = await service.CallAsync(context, "DescribeTargetGroupAttributes", new JsonObject { ["TargetGroupArn"] = arn }).ConfigureAwait(false);
            return group.Pick("Protocol", "Port", "VpcId", "TargetType", "ProtocolVersion", "IpAddressType", "HealthCheckProtocol", "HealthCheckPort", "HealthCheckEnabled", "HealthCheckPath",
                    "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher")
                .With("Name", group.Text("TargetGroupName")).With("TargetGroupAttributes", attributes["Attributes"].Copy())
                .With("Tags", await TagsAsync(service, context, arn).ConfigureAwait(false));
        },
        Attributes = async (context, arn) =>
        {
            var group = await OneAsync(service, context, "DescribeTargetGroups", "TargetGroupArns", arn, "TargetGroups").ConfigureAwait(false);
            return ProviderExtensions.Attributes(("TargetGroupArn", arn), ("TargetGroupName", group["TargetGroupName"]), ("TargetGroupFullName", arn[arn.IndexOf("targetgroup/", StringComparison.Ordinal)..]), ("LoadBalancerArns", group["LoadBalancerArns"]));
        },
    };

    private static Provider Listener(ElbService service) => new("AWS::ElasticLoadBalancingV2::Listener")
    {
        Service = "ElasticLoadBalancingV2",
        Gone = ["ListenerNotFound"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "CreateListener", properties);
            input["Tags"] = context.MergedTags(null);
            return (await service.CallAsync(context, "CreateListener", input).ConfigureAwait(false)).Objects("Listeners").First().Required("ListenerArn");
        },
        Update = async (context, arn, _, after) =>
        {
            var input = PropertyMapper.ToInput(service, "ModifyListener", after);
            input["ListenerArn"] = arn;
            await service.CallAsync(context, "ModifyListener", input).ConfigureAwait(false);
        },
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteListener", new JsonObject { ["ListenerArn"] = arn }),
        Read = async (context, arn) => (await OneAsync(service, context, "DescribeListeners", "ListenerArns", arn, "Listeners").ConfigureAwait(false))
            .Pick("LoadBalancerArn", "Port", "Protocol", "DefaultActions", "SslPolicy", "Certificates"),
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("ListenerArn", arn))),
    };

    private static Provider Rule(ElbService service) => new("AWS::ElasticLoadBalancingV2::ListenerRule")
    {
        Service = "ElasticLoadBalancingV2",
        Gone = ["RuleNotFound"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(service, "CreateRule", properties);
            input["Tags"] = context.MergedTags(null);
            return (await service.CallAsync(context, "CreateRule", input).ConfigureAwait(false)).Objects("Rules").First().Required("RuleArn");
        },
        Update = async (context, arn, before, after) =>
        {
            var input = PropertyMapper.ToInput(service, "ModifyRule", after.Pick("Conditions", "Actions"));
            input["RuleArn"] = arn;
            await service.CallAsync(context, "ModifyRule", input).ConfigureAwait(false);
            if (after.Changed(before, "Priority"))
            {
                await service.CallMappedAsync(context, "SetRulePriorities", new JsonObject { ["RulePriorities"] = new JsonArray(new JsonObject { ["RuleArn"] = arn, ["Priority"] = after["Priority"].Copy() }) }).ConfigureAwait(false);
            }
        },
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteRule", new JsonObject { ["RuleArn"] = arn }),
        Read = async (context, arn) => (await OneAsync(service, context, "DescribeRules", "RuleArns", arn, "Rules").ConfigureAwait(false)).Pick("Priority", "Conditions", "Actions"),
        Attributes = async (context, arn) => ProviderExtensions.Attributes(("RuleArn", arn),
            ("IsDefault", (await OneAsync(service, context, "DescribeRules", "RuleArns", arn, "Rules").ConfigureAwait(false))["IsDefault"])),
    };
}
