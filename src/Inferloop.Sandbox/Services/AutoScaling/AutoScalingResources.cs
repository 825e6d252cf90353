using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.AutoScaling;

/// <summary>The AWS::AutoScaling resource types.</summary>
internal static class AutoScalingResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<AutoScalingService>();
        return [Group(service), Hook(service)];
    }

    private static JsonObject Input(AutoScalingService service, string operation, JsonObject properties)
    {
        var source = properties.Copy();
        if (properties["VPCZoneIdentifier"] is JsonArray)
        {
            source["VPCZoneIdentifier"] = string.Join(',', properties.Texts("VPCZoneIdentifier"));
        }
        return PropertyMapper.ToInput(service, operation, source);
    }

    private static JsonArray GroupTags(ProvisionContext context, string name, JsonObject properties)
    {
        var propagate = properties.Objects("Tags").ToDictionary(tag => tag.Required("Key"), tag => tag.Is("PropagateAtLaunch"), StringComparer.Ordinal);
        return context.MergedTags(properties["Tags"]).OfType<JsonObject>().Select(tag => new JsonObject
        {
            ["ResourceId"] = name,
            ["ResourceType"] = "auto-scaling-group",
            ["Key"] = tag.Text("Key"),
            ["Value"] = tag.Text("Value"),
            ["PropagateAtLaunch"] = propagate.GetValueOrDefault(tag.Required("Key"), true),
        }).ToJsonList();
    }

    private static async Task<JsonObject?> FindAsync(AutoScalingService service, ProvisionContext context, string name) =>
        (await service.CallAsync(context, "DescribeAutoScalingGroups", new JsonObject { ["AutoScalingGroupNames"] = new JsonArray(name) }).ConfigureAwait(false)).Objects("AutoScalingGroups").FirstOrDefault();

    private static Provider Group(AutoScalingService service) => new("AWS::AutoScaling::AutoScalingGroup")
    {
        Service = "AutoScaling",
        Create = async (context, properties) =>
        {
            var name = context.NameOf(properties, "AutoScalingGroupName");
            var input = Input(service, "CreateAutoScalingGroup", properties);
            input["AutoScalingGroupName"] = name;
            input["Tags"] = GroupTags(context, name, properties);
            await service.CallAsync(context, "CreateAutoScalingGroup", input).ConfigureAwait(false);
            context.Initiated(name);
            // CloudFormation waits for the first instances.
            await context.WaitUntilAsync(async () =>
            {
                var group = await FindAsync(service, context, name).ConfigureAwait(false);
                var failed = (await service.CallAsync(context, "DescribeScalingActivities", new JsonObject { ["AutoScalingGroupName"] = name }).ConfigureAwait(false))
                    .Objects("Activities").FirstOrDefault(activity => activity.Text("StatusCode") == "Failed");
                if (failed is not null)
                {
                    throw new ServiceFault("NotStabilized", $"Group did not stabilize. Last scaling activity: {failed.Text("StatusMessage")}");
                }
                return group is not null && group.Objects("Instances").Count(instance => instance.Text("LifecycleState") == "InService") >= (group.Int("DesiredCapacity") ?? 0);
            }).ConfigureAwait(false);
            return name;
        },
        Update = async (context, name, before, after) =>
        {
            var input = Input(service, "UpdateAutoScalingGroup", after);
            input["AutoScalingGroupName"] = name;
            if (!after.Changed(before, "DesiredCapacity"))
            {
                input.Remove("DesiredCapacity");
            }
            await service.CallAsync(context, "UpdateAutoScalingGroup", input).ConfigureAwait(false);
            var (put, removed) = ProviderExtensions.TagChange(context, before, after);
            if (removed.Count > 0)
            {
                await service.CallAsync(context, "DeleteTags", new JsonObject
                {
                    ["Tags"] = removed.Select(key => new JsonObject { ["ResourceId"] = name, ["ResourceType"] = "auto-scaling-group", ["Key"] = (string?)key }).ToJsonList(),
                }).ConfigureAwait(false);
            }
            if (put.Count > 0)
            {
                await service.CallAsync(context, "CreateOrUpdateTags", new JsonObject { ["Tags"] = GroupTags(context, name, after) }).ConfigureAwait(false);
            }
        },
        Delete = async (context, name, _) =>
        {
            if (await FindAsync(service, context, name).ConfigureAwait(false) is null)
            {
                return;
            }
            await service.CallAsync(context, "DeleteAutoScalingGroup", new JsonObject { ["AutoScalingGroupName"] = name, ["ForceDelete"] = true }).ConfigureAwait(false);
            await context.WaitUntilAsync(async () => await FindAsync(service, context, name).ConfigureAwait(false) is null).ConfigureAwait(false);
        },
        Read = async (context, name) =>
        {
            if (await FindAsync(service, context, name).ConfigureAwait(false) is not { } group)
            {
                return null;
            }
            var properties = group.Pick("AutoScalingGroupName", "LaunchTemplate", "MixedInstancesPolicy", "TargetGroupARNs", "HealthCheckType", "HealthCheckGracePeriod", "NewInstancesProtectedFromScaleIn", "CapacityRebalance", "TerminationPolicies");
            foreach (var member in (string[])["MinSize", "MaxSize", "DesiredCapacity"])
            {
                properties[member] = group.Text(member);
            }
            properties["VPCZoneIdentifier"] = group.Required("VPCZoneIdentifier").Split(',').ToTextList();
            properties["Tags"] = group.Objects("Tags").Where(tag => !tag.Required("Key").StartsWith("aws:", StringComparison.Ordinal)).Select(tag => tag.Pick("Key", "Value", "PropagateAtLaunch")).ToJsonList();
            return properties;
        },
        Attributes = async (context, name) => ProviderExtensions.Attributes(("AutoScalingGroupARN", (await FindAsync(service, context, name).ConfigureAwait(false))?["AutoScalingGroupARN"])),
    };

    private static Provider Hook(AutoScalingService service) => new("AWS::AutoScaling::LifecycleHook")
    {
        Service = "AutoScaling",
        Create = async (context, properties) =>
        {
            var name = context.NameOf(properties, "LifecycleHookName");
            await service.CallMappedAsync(context, "PutLifecycleHook", properties.Copy().With("LifecycleHookName", name)).ConfigureAwait(false);
            return $"{properties.Text("AutoScalingGroupName")}|{name}";
        },
        Reference = id => id.Split('|')[1],
        Update = (context, id, _, after) => service.CallMappedAsync(context, "PutLifecycleHook", after.Copy().With("LifecycleHookName", id.Split('|')[1])),
        Delete = (context, id, _) => service.CallAsync(context, "DeleteLifecycleHook", new JsonObject { ["AutoScalingGroupName"] = id.Split('|')[0], ["LifecycleHookName"] = id.Split('|')[1] }),
        Read = async (context, id) => (await service.CallAsync(context, "DescribeLifecycleHooks", new JsonObject { ["AutoScalingGroupName"] = id.Split('|')[0], ["LifecycleHookNames"] = new JsonArray(id.Split('|')[1]) }).ConfigureAwait(false))
            .Objects("LifecycleHooks").FirstOrDefault(),
    };
}
