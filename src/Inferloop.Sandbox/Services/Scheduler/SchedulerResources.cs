using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;
using Inferloop.Templates.Scheduling;

namespace Inferloop.Sandbox.Services.Scheduler;

/// <summary>The AWS::Scheduler resource types.</summary>
internal static class SchedulerResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<SchedulerService>();
        return [Schedule(service), Group(service)];
    }

    private static Provider Schedule(SchedulerService service)
    {
        // group|name; Ref gives the name.
        static JsonObject Id(string id) => new() { ["GroupName"] = id.Split('|')[0], ["Name"] = id.Split('|')[1] };
        return new Provider("AWS::Scheduler::Schedule")
        {
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateSchedule", properties);
                input["Name"] = context.NameOf(properties, "Name", 64);
                await service.CallAsync(context, "CreateSchedule", input).ConfigureAwait(false);
                return $"{properties.Text("GroupName") ?? "default"}|{input.Text("Name")}";
            },
            Reference = id => id.Split('|')[1],
            Update = (context, id, _, after) =>
            {
                var input = PropertyMapper.ToInput(service, "UpdateSchedule", after);
                input["Name"] = id.Split('|')[1];
                input["GroupName"] = id.Split('|')[0];
                return service.CallAsync(context, "UpdateSchedule", input);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteSchedule", Id(id)),
            Read = async (context, id) => (await service.CallAsync(context, "GetSchedule", Id(id)).ConfigureAwait(false)).Pick("Name", "GroupName", "Description", "StartDate", "EndDate", "FlexibleTimeWindow", "KmsKeyArn", "ScheduleExpression", "ScheduleExpressionTimezone", "State", "Target"),
            Attributes = async (context, id) => ProviderExtensions.Attributes(("Arn", (await service.CallAsync(context, "GetSchedule", Id(id)).ConfigureAwait(false))["Arn"])),
        };
    }

    private static Provider Group(SchedulerService service)
    {
        static JsonObject Id(string name) => new() { ["Name"] = name };
        return new Provider("AWS::Scheduler::ScheduleGroup")
        {
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateScheduleGroup", properties.Tagged(context));
                input["Name"] = context.NameOf(properties, "Name", 64);
                await service.CallAsync(context, "CreateScheduleGroup", input).ConfigureAwait(false);
                return input.Required("Name");
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteScheduleGroup", Id(name)),
            Read = async (context, name) => (await service.CallAsync(context, "GetScheduleGroup", Id(name)).ConfigureAwait(false)) is { } found ? found.Pick("Name").With("Tags", Tags.OfTemplate(found.Objects("_Tags"))) : null,
            Attributes = async (context, name) => ProviderExtensions.Attributes(("Arn", (await service.CallAsync(context, "GetScheduleGroup", Id(name)).ConfigureAwait(false))["Arn"])),
        };
    }
}
