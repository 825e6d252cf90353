using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ZonalShift;

/// <summary>The AWS::ARCZonalShift resource types.</summary>
internal static class ZonalShiftResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime) => [Autoshift(runtime.Service<ZonalShiftService>())];

    /// <summary>Practice runs of a resource, and whether AWS shifts it by itself.</summary>
    private static Provider Autoshift(ZonalShiftService service)
    {
        static JsonObject Id(string id) => new() { ["resourceIdentifier"] = id };
        Task<JsonObject> Set(ProvisionContext context, string id, string status) => service.CallAsync(context, "UpdateZonalAutoshiftConfiguration", Id(id).With("zonalAutoshiftStatus", status));
        static JsonObject Settings(ZonalShiftService service, string operation, JsonObject properties) => PropertyMapper.ToInput(service, operation, properties.Child("PracticeRunConfiguration") ?? []);
        async Task<JsonObject> Find(ProvisionContext context, string id)
        {
            var found = await service.CallAsync(context, "GetManagedResource", Id(id)).ConfigureAwait(false);
            return found.Has("practiceRunConfiguration") ? found : throw new ServiceFault("ResourceNotFoundException", $"{id} has no practice run configuration.", 404);
        }
        return new Provider("AWS::ARCZonalShift::ZonalAutoshiftConfiguration")
        {
            Service = "ARCZonalShift",
            Replaces = static (property, _, _) => property == "ResourceIdentifier",
            Create = async (context, properties) =>
            {
                var id = properties.Required("ResourceIdentifier");
                await service.CallAsync(context, "CreatePracticeRunConfiguration", Settings(service, "CreatePracticeRunConfiguration", properties).With("resourceIdentifier", id)).ConfigureAwait(false);
                context.Initiated(id);
                if (properties.Text("ZonalAutoshiftStatus") == "ENABLED")
                {
                    await Set(context, id, "ENABLED").ConfigureAwait(false);
                }
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "PracticeRunConfiguration"))
                {
                    await service.CallAsync(context, "UpdatePracticeRunConfiguration", Settings(service, "UpdatePracticeRunConfiguration", after).With("resourceIdentifier", id)).ConfigureAwait(false);
                }
                if (after.Changed(before, "ZonalAutoshiftStatus"))
                {
                    await Set(context, id, after.Text("ZonalAutoshiftStatus") ?? "DISABLED").ConfigureAwait(false);
                }
            },
            Delete = async (context, id, _) =>
            {
                if ((await Find(context, id).ConfigureAwait(false)).Text("zonalAutoshiftStatus") == "ENABLED")
                {
                    await Set(context, id, "DISABLED").ConfigureAwait(false);
                }
                await service.CallAsync(context, "DeletePracticeRunConfiguration", Id(id)).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var found = await Find(context, id).ConfigureAwait(false);
                var practice = found.Child("practiceRunConfiguration")!;
                static JsonArray Alarms(IEnumerable<JsonObject> conditions) => conditions.Select(static item => new JsonObject { ["Type"] = item.Text("type"), ["AlarmIdentifier"] = item.Text("alarmIdentifier") }).ToJsonList();
                return new JsonObject { ["ResourceIdentifier"] = id }.With("ZonalAutoshiftStatus", found.Text("zonalAutoshiftStatus") == "ENABLED" ? "ENABLED" : null).With("PracticeRunConfiguration",
                    new JsonObject { ["OutcomeAlarms"] = Alarms(practice.Objects("outcomeAlarms")) }
                        .With("BlockingAlarms", practice.Has("blockingAlarms") ? Alarms(practice.Objects("blockingAlarms")) : null)
                        .With("BlockedDates", practice["blockedDates"].Copy()).With("BlockedWindows", practice["blockedWindows"].Copy()));
            },
        };
    }
}
