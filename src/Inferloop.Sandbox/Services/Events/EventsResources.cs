using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>The AWS::Events resource types.</summary>
internal static class EventsResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<EventsService>();
        service.Listen();
        return [Rule(service), Bus(service)];
    }

    private static async Task RetagAsync(EventsService service, ProvisionContext context, JsonObject before, JsonObject after, string arn)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "UntagResource", new JsonObject { ["ResourceARN"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "TagResource", new JsonObject { ["ResourceARN"] = arn, ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    private static Provider Rule(EventsService service)
    {
        // bus|rule; Ref gives the rule's name.
        static JsonObject Id(string id, string member) => new() { ["EventBusName"] = id.Split('|')[0], [member] = id.Split('|')[1] };
        static JsonObject Input(EventsService service, JsonObject properties, string name)
        {
            var input = PropertyMapper.ToInput(service, "PutRule", properties.Pick("Description", "EventBusName", "RoleArn", "ScheduleExpression", "State", "Tags"));
            input["Name"] = name;
            return input.With("EventPattern", properties.Has("EventPattern") ? PolicyDocument.AsText(properties["EventPattern"]) : null);
        }
        async Task Targets(ProvisionContext context, string id, JsonObject before, JsonObject after)
        {
            var gone = before.Objects("Targets").Select(target => target.Required("Id")).Except(after.Objects("Targets").Select(target => target.Required("Id"))).ToList();
            if (gone.Count > 0)
            {
                await service.CallAsync(context, "RemoveTargets", Id(id, "Rule").With("Ids", gone.ToTextList())).ConfigureAwait(false);
            }
            if (after.Objects("Targets").Any())
            {
                var input = PropertyMapper.ToInput(service, "PutTargets", new JsonObject { ["Targets"] = after["Targets"].Copy() });
                input["Rule"] = id.Split('|')[1];
                input["EventBusName"] = id.Split('|')[0];
                await service.CallAsync(context, "PutTargets", input).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::Events::Rule")
        {
            Service = "CloudWatchEvents",
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "Name", 64);
                var arn = (await service.CallAsync(context, "PutRule", Input(service, properties.Tagged(context), name)).ConfigureAwait(false)).Required("RuleArn");
                var bus = arn[(arn.IndexOf(":rule/", StringComparison.Ordinal) + 6)..].Split('/') is [var own, _] ? own : "default";
                var id = $"{bus}|{name}";
                context.Initiated(id);
                await Targets(context, id, [], properties).ConfigureAwait(false);
                return id;
            },
            Reference = id => id.Split('|')[1],
            Update = async (context, id, before, after) =>
            {
                await service.CallAsync(context, "PutRule", Input(service, after, id.Split('|')[1])).ConfigureAwait(false);
                await Targets(context, id, before, after).ConfigureAwait(false);
                await RetagAsync(service, context, before, after, (await service.CallAsync(context, "DescribeRule", Id(id, "Name")).ConfigureAwait(false)).Required("Arn")).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                var targets = (await service.CallAsync(context, "ListTargetsByRule", Id(id, "Rule")).ConfigureAwait(false)).Objects("Targets").Select(target => target.Required("Id")).ToList();
                if (targets.Count > 0)
                {
                    await service.CallAsync(context, "RemoveTargets", Id(id, "Rule").With("Ids", targets.ToTextList())).ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeleteRule", Id(id, "Name")).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var rule = await service.CallAsync(context, "DescribeRule", Id(id, "Name")).ConfigureAwait(false);
                var targets = await service.CallAsync(context, "ListTargetsByRule", Id(id, "Rule")).ConfigureAwait(false);
                return rule.Pick("Name", "EventBusName", "Description", "RoleArn", "ScheduleExpression", "State")
                    .With("EventPattern", PolicyDocument.AsObject(rule.Text("EventPattern"))).With("Targets", targets["Targets"].Copy()).With("Tags", Tags.OfTemplate(rule.Objects("_Tags")));
            },
            Attributes = async (context, id) => ProviderExtensions.Attributes(("Arn", (await service.CallAsync(context, "DescribeRule", Id(id, "Name")).ConfigureAwait(false))["Arn"])),
        };
    }

    private static Provider Bus(EventsService service) => new("AWS::Events::EventBus")
    {
        Service = "CloudWatchEvents",
        Create = async (context, properties) =>
        {
            await service.CallMappedAsync(context, "CreateEventBus", properties.Tagged(context)).ConfigureAwait(false);
            var name = properties.Required("Name");
            if (properties.Has("Policy"))
            {
                await service.CallAsync(context, "PutPermission", new JsonObject { ["EventBusName"] = name, ["Policy"] = PolicyDocument.AsText(properties["Policy"]) }).ConfigureAwait(false);
            }
            return name;
        },
        Update = async (context, name, before, after) =>
        {
            await service.CallMappedAsync(context, "UpdateEventBus", after.Pick("Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig").With("Name", name)).ConfigureAwait(false);
            if (after.Changed(before, "Policy"))
            {
                await service.CallAsync(context, after.Has("Policy") ? "PutPermission" : "RemovePermission", after.Has("Policy")
                    ? new JsonObject { ["EventBusName"] = name, ["Policy"] = PolicyDocument.AsText(after["Policy"]) } : new JsonObject { ["EventBusName"] = name, ["RemoveAllPermissions"] = true }).ConfigureAwait(false);
            }
            await RetagAsync(service, context, before, after, context.Request.Arn("events", "event-bus/" + name)).ConfigureAwait(false);
        },
        Delete = (context, name, _) => service.CallAsync(context, "DeleteEventBus", new JsonObject { ["Name"] = name }),
        Read = async (context, name) =>
        {
            var bus = await service.CallAsync(context, "DescribeEventBus", new JsonObject { ["Name"] = name }).ConfigureAwait(false);
            return bus.Pick("Name", "Description", "KmsKeyIdentifier", "DeadLetterConfig", "LogConfig").With("Policy", PolicyDocument.AsObject(bus.Text("Policy"))).With("Tags", Tags.OfTemplate(bus.Objects("_Tags")));
        },
        Attributes = async (context, name) => ProviderExtensions.Attributes(("Arn", (await service.CallAsync(context, "DescribeEventBus", new JsonObject { ["Name"] = name }).ConfigureAwait(false))["Arn"]), ("Name", name)),
    };
}
