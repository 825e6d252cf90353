using System.Text.Json.Nodes;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <content>What becomes of replication groups when an availability zone is lost.</content>
internal sealed partial class ElastiCacheService : IZonal
{
    /// <summary>With automatic failover a replica in another zone becomes the primary of its shard; without, the shard stays as it is.</summary>
    public void LoseZone(RequestContext context, string zone)
    {
        foreach (var group in Groups(context).Where(group => group.Text("AutomaticFailover") == "enabled" && group.Text("Status") == "available" && group.Objects("NodeGroups").Any(shard => PrimaryIn(shard, zone) is not null)))
        {
            var id = group.Required("ReplicationGroupId");
            Groups(context).Update(id, static document => document["Status"] = "modifying");
            Later(context, Durations.CacheFailover, group, document =>
            {
                foreach (var shard in document.Objects("NodeGroups"))
                {
                    if (PrimaryIn(shard, zone) is { } primary
                        && shard.Objects("NodeGroupMembers").FirstOrDefault(member => !Runtime.Faults.IsZoneLost(member.Text("PreferredAvailabilityZone") ?? "")) is { } heir)
                    {
                        primary["CurrentRole"] = "replica";
                        heir["CurrentRole"] = "primary";
                    }
                }
                document["Status"] = "available";
            }, () =>
            {
                foreach (var shard in group.Objects("NodeGroups").Where(shard => PrimaryIn(shard, zone) is not null))
                {
                    Record(context, "replication-group", id, $"Failover to replica node completed for node group {shard.Text("NodeGroupId")}");
                }
            });
        }
    }

    private static JsonObject? PrimaryIn(JsonObject shard, string zone) =>
        shard.Objects("NodeGroupMembers").FirstOrDefault(member => member.Text("CurrentRole") == "primary" && member.Text("PreferredAvailabilityZone") == zone);
}
