using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApplicationAutoScaling;

/// <summary>The AWS::ApplicationAutoScaling resource types.</summary>
internal static class ApplicationAutoScalingResources
{
    private static readonly string[] NotFound = ["ObjectNotFoundException"];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<ApplicationAutoScalingService>();
        return [Target(service), Policy(service)];
    }

    /// <summary>The three parts of a target's physical id.</summary>
    private static JsonObject Parts(string id)
    {
        var parts = id.Split('|');
        return new JsonObject { ["ResourceId"] = parts[0], ["ScalableDimension"] = parts[1], ["ServiceNamespace"] = parts[2] };
    }

    private static Provider Target(ApplicationAutoScalingService service)
    {
        async Task Scheduled(ProvisionContext context, string id, JsonObject before, JsonObject after)
        {
            var wanted = after.Objects("ScheduledActions").Select(action => action.Text("ScheduledActionName")).ToHashSet();
            foreach (var gone in before.Objects("ScheduledActions").Where(action => !wanted.Contains(action.Text("ScheduledActionName"))))
            {
                try
                {
                    await service.CallAsync(context, "DeleteScheduledAction", Parts(id).With("ScheduledActionName", gone.Text("ScheduledActionName"))).ConfigureAwait(false);
                }
                catch (ServiceFault fault) when (fault.Code == "ObjectNotFoundException")
                {
                    // The update that is taken back had not come so far.
                }
            }
            foreach (var action in after.Objects("ScheduledActions"))
            {
                var input = PropertyMapper.ToInput(service, "PutScheduledAction", action);
                foreach (var (name, value) in Parts(id))
                {
                    input[name] = value.Copy();
                }
                await service.CallAsync(context, "PutScheduledAction", input).ConfigureAwait(false);
            }
        }
        async Task<JsonObject?> Find(ProvisionContext context, string id)
        {
            var parts = Parts(id);
            var found = await service.CallAsync(context, "DescribeScalableTargets", new JsonObject { ["ResourceIds"] = new JsonArray(parts.Text("ResourceId")) }.Take(parts, "ServiceNamespace", "ScalableDimension")).ConfigureAwait(false);
            return found.Objects("ScalableTargets").FirstOrDefault();
        }
        return new Provider("AWS::ApplicationAutoScaling::ScalableTarget")
        {
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "RegisterScalableTarget", properties).ConfigureAwait(false);
                var id = ApplicationAutoScalingService.Key(properties);
                await Scheduled(context, id, [], properties).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                await service.CallMappedAsync(context, "RegisterScalableTarget", after).ConfigureAwait(false);
                await Scheduled(context, id, before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeregisterScalableTarget", Parts(id)),
            Read = async (context, id) => (await Find(context, id).ConfigureAwait(false))?.Pick("ResourceId", "ScalableDimension", "ServiceNamespace", "MinCapacity", "MaxCapacity", "RoleARN", "SuspendedState"),
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id))),
        };
    }

    private static Provider Policy(ApplicationAutoScalingService service)
    {
        static JsonObject Full(JsonObject properties)
        {
            var full = properties.Copy();
            if (properties.Text("ScalingTargetId") is { } target)
            {
                foreach (var (name, value) in Parts(target))
                {
                    full[name] = value.Copy();
                }
            }
            return full;
        }
        static string NamespaceOf(string arn) => arn.Split(":resource/")[1].Split('/')[0];
        async Task<JsonObject?> Find(ProvisionContext context, string arn) =>
            (await service.CallAsync(context, "DescribeScalingPolicies", new JsonObject { ["ServiceNamespace"] = NamespaceOf(arn) }).ConfigureAwait(false)).Objects("ScalingPolicies").FirstOrDefault(policy => policy.Text("PolicyARN") == arn);
        return new Provider("AWS::ApplicationAutoScaling::ScalingPolicy")
        {
            Gone = NotFound,
            Create = async (context, properties) => (await service.CallMappedAsync(context, "PutScalingPolicy", Full(properties)).ConfigureAwait(false)).Required("PolicyARN"),
            Update = (context, _, _, after) => service.CallMappedAsync(context, "PutScalingPolicy", Full(after)),
            Delete = async (context, arn, _) =>
            {
                if (await Find(context, arn).ConfigureAwait(false) is { } policy)
                {
                    await service.CallAsync(context, "DeleteScalingPolicy", policy.Pick("PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension")).ConfigureAwait(false);
                }
            },
            Read = async (context, arn) => (await Find(context, arn).ConfigureAwait(false)) is { } policy
                ? policy.Pick("PolicyName", "PolicyType", "ServiceNamespace", "ResourceId", "ScalableDimension", "TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration")
                    .With("ScalingTargetId", ApplicationAutoScalingService.Key(policy))
                : null,
            Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("Arn", arn))),
        };
    }
}
