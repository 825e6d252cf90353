using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <content>AWS::ElastiCache::GlobalReplicationGroup: the datastore of a primary; secondaries join it by their own resource in their region.</content>
internal static partial class ElastiCacheResources
{
    private const string GlobalId = "GlobalReplicationGroupId";

    private static Provider GlobalReplicationGroup(ElastiCacheService service)
    {
        async Task<JsonObject> Find(ProvisionContext context, string id) => (await service.CallAsync(context, "DescribeGlobalReplicationGroups", new JsonObject { [GlobalId] = id, ["ShowMemberInfo"] = true })
            .ConfigureAwait(false)).Objects("GlobalReplicationGroups").First();
        Task Ready(ProvisionContext context, string id) => context.WaitUntilAsync(async () => (await Find(context, id).ConfigureAwait(false)).Text("Status") is "available" or "primary-only", TimeSpan.FromSeconds(15));
        async Task LeaveAsync(ProvisionContext context, string id, JsonObject member)
        {
            await service.CallAsync(context, "DisassociateGlobalReplicationGroup", member.Pick("ReplicationGroupId", "ReplicationGroupRegion").With(GlobalId, id)).ConfigureAwait(false);
            await Ready(context, id).ConfigureAwait(false);
        }
        static JsonObject? With(JsonObject properties, string role) => properties.Objects("Members").FirstOrDefault(member => member.Text("Role") == role);
        return new Provider("AWS::ElastiCache::GlobalReplicationGroup")
        {
            Gone = ["GlobalReplicationGroupNotFoundFault"],
            Busy = ["InvalidGlobalReplicationGroupState"],
            Replaces = static (property, _, _) => property == "GlobalReplicationGroupIdSuffix",
            Create = async (context, properties) =>
            {
                var primary = With(properties, "PRIMARY") ?? properties.Objects("Members").First();
                var created = await service.CallAsync(context, "CreateGlobalReplicationGroup", new JsonObject
                {
                    ["GlobalReplicationGroupIdSuffix"] = properties.Text("GlobalReplicationGroupIdSuffix") ?? context.Runtime.Ids.Lower(8),
                    ["PrimaryReplicationGroupId"] = primary.Text("ReplicationGroupId"),
                }.Take(properties, "GlobalReplicationGroupDescription")).ConfigureAwait(false);
                var id = created.Child("GlobalReplicationGroup")!.Required(GlobalId);
                context.Initiated(id);
                await Ready(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                var present = await Find(context, id).ConfigureAwait(false);
                var named = after.Objects("Members").Select(static member => member.Text("ReplicationGroupRegion")).ToHashSet();
                if (With(after, "PRIMARY") is { } wanted && after.Changed(before, "Members") && With(present, "PRIMARY")!.Text("ReplicationGroupRegion") != wanted.Text("ReplicationGroupRegion"))
                {
                    await service.CallAsync(context, "FailoverGlobalReplicationGroup", new JsonObject
                    {
                        [GlobalId] = id,
                        ["PrimaryRegion"] = wanted.Text("ReplicationGroupRegion"),
                        ["PrimaryReplicationGroupId"] = wanted.Text("ReplicationGroupId"),
                    }).ConfigureAwait(false);
                    await Ready(context, id).ConfigureAwait(false);
                    present = await Find(context, id).ConfigureAwait(false);
                }
                // Members that the template named and names no more leave; those that joined by themselves stay.
                foreach (var member in before.Objects("Members").Where(member => !named.Contains(member.Text("ReplicationGroupRegion"))
                    && present.Objects("Members").Any(item => item.Text("ReplicationGroupRegion") == member.Text("ReplicationGroupRegion") && item.Text("Role") == "SECONDARY")))
                {
                    await LeaveAsync(context, id, member).ConfigureAwait(false);
                }
                var change = new JsonObject();
                foreach (var name in (string[])["GlobalReplicationGroupDescription", "CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName", "AutomaticFailoverEnabled"])
                {
                    if (after.Changed(before, name))
                    {
                        change.With(name, after[name].Copy());
                    }
                }
                if (change.Count > 0)
                {
                    await service.CallMappedAsync(context, "ModifyGlobalReplicationGroup", change.With(GlobalId, id).With("ApplyImmediately", true)).ConfigureAwait(false);
                    await Ready(context, id).ConfigureAwait(false);
                }
            },
            Delete = async (context, id, _) =>
            {
                var present = await Find(context, id).ConfigureAwait(false);
                foreach (var member in present.Objects("Members").Where(static member => member.Text("Role") == "SECONDARY"))
                {
                    await LeaveAsync(context, id, member).ConfigureAwait(false);
                }
                if (present.Text("Status") != "deleting")
                {
                    await service.CallAsync(context, "DeleteGlobalReplicationGroup", new JsonObject { [GlobalId] = id, ["RetainPrimaryReplicationGroup"] = true }).ConfigureAwait(false);
                }
                await context.WaitUntilAsync(async () => await Find(context, id).ConfigureAwait(false) is null, TimeSpan.FromSeconds(15)).ConfigureAwait(false);
            },
            Read = async (context, id) => await Find(context, id).ConfigureAwait(false) is var global && global.Text("Status") == "deleting" ? null
                : global.Pick("Engine").With("Members", global.Objects("Members").Select(static member => member.Pick("ReplicationGroupId", "ReplicationGroupRegion", "Role")).ToJsonList())
                    .With("GlobalReplicationGroupDescription", string.IsNullOrWhiteSpace(global.Text("GlobalReplicationGroupDescription")) ? null : global["GlobalReplicationGroupDescription"].Copy()),
            Attributes = async (context, id) => ProviderExtensions.Attributes((GlobalId, id), ("Status", (await Find(context, id).ConfigureAwait(false))["Status"])),
        };
    }
}
