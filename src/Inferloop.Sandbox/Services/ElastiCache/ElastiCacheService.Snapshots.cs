using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>Snapshots of replication groups, by hand and daily.</summary>
internal sealed partial class ElastiCacheService
{
    private void AddSnapshots()
    {
        On("CreateSnapshot", (context, input) =>
        {
            var id = input.Text("ReplicationGroupId") ?? (input.Text("CacheClusterId") is { } cluster
                ? Groups(context).Find(item => Members(item).Any(member => member.Text("CacheClusterId") == Key(cluster)))?.Text("ReplicationGroupId") ?? throw new ServiceFault("CacheClusterNotFound", $"CacheCluster {cluster} not found.", 404)
                : throw Conflict("Either ReplicationGroupId or CacheClusterId must be given."));
            var group = Group(context, id);
            RequireAvailable(group);
            return new JsonObject { ["Snapshot"] = NewSnapshot(context, group, input.Required("SnapshotName"), "manual", input["Tags"].Copy() ?? new JsonArray()) };
        });
        On("DescribeSnapshots", (context, input) => Paged(input, (input.Text("SnapshotName") is { } name ? [Snapshot(context, name)] : Snapshots(context).All())
            .Where(item => (input.Text("ReplicationGroupId") is not { } group || item.Text("ReplicationGroupId") == Key(group))
                && (input.Text("SnapshotSource") is not { } source || item.Text("SnapshotSource") == (source == "system" ? "automated" : source == "user" ? "manual" : source))).ToList(), "Snapshots"));
        On("CopySnapshot", (context, input) =>
        {
            var source = Snapshot(context, input.Required("SourceSnapshotName"));
            RequireSnapshot(source);
            if (input.Has("TargetBucket"))
            {
                throw new ServiceFault("NotImplemented", "The sandbox exports no snapshots to S3: there is no data in them. Nothing was changed.", 501);
            }
            var name = Key(input.Required("TargetSnapshotName"));
            var copy = source.With("SnapshotName", name).With("SnapshotSource", "manual").With("SnapshotStatus", "copying").With("ARN", context.Arn("elasticache", "snapshot:" + name)).With("KmsKeyId", input["KmsKeyId"].Copy());
            return new JsonObject { ["Snapshot"] = Add(context, copy) };
        });
        On("DeleteSnapshot", (context, input) =>
        {
            var snapshot = Snapshot(context, input.Required("SnapshotName"));
            RequireSnapshot(snapshot);
            Snapshots(context).Remove(snapshot.Required("SnapshotName"));
            return new JsonObject { ["Snapshot"] = snapshot.With("SnapshotStatus", "deleting") };
        });
    }

    private JsonObject Snapshot(RequestContext context, string name) => Snapshots(context).Get(Key(name)) ?? throw new ServiceFault("SnapshotNotFoundFault", $"Snapshot {name} not found.", 404);

    private static void RequireSnapshot(JsonObject snapshot)
    {
        if (snapshot.Text("SnapshotStatus") != "available")
        {
            throw new ServiceFault("InvalidSnapshotState", $"Snapshot {snapshot.Text("SnapshotName")} is not in the available state.");
        }
    }

    private JsonObject Add(RequestContext context, JsonObject snapshot)
    {
        var name = snapshot.Required("SnapshotName");
        if (!Snapshots(context).TryAdd(name, snapshot))
        {
            throw new ServiceFault("SnapshotAlreadyExistsFault", $"Snapshot with specified name already exists: {name}");
        }
        var detached = context.Detached();
        Runtime.After(Durations.CacheSnapshot, () => Snapshots(detached).Update(name, static document => document["SnapshotStatus"] = "available"));
        return snapshot;
    }

    private JsonObject NewSnapshot(RequestContext context, JsonObject group, string given, string source, JsonNode tags)
    {
        if (group.Required("CacheNodeType") is "cache.t1.micro")
        {
            throw new ServiceFault("SnapshotFeatureNotSupportedFault", "Snapshots are not supported on this node type.");
        }
        var name = Key(given);
        var snapshot = new JsonObject
        {
            ["SnapshotName"] = name,
            ["SnapshotStatus"] = "creating",
            ["SnapshotSource"] = source,
            ["ReplicationGroupDescription"] = group.Text("Description"),
            ["EngineVersion"] = group.Text("_Version"),
            ["NumNodeGroups"] = group.Objects("NodeGroups").Count(),
            ["Port"] = group["_Port"].Copy(),
            ["CacheParameterGroupName"] = group.Text("_ParameterGroup"),
            ["CacheSubnetGroupName"] = group.Text("_SubnetGroup"),
            ["VpcId"] = SubnetGroup(context, group.Required("_SubnetGroup")).Text("VpcId"),
            ["PreferredMaintenanceWindow"] = group.Text("_Maintenance"),
            ["ARN"] = context.Arn("elasticache", "snapshot:" + name),
            ["NodeSnapshots"] = group.Objects("NodeGroups").Select(shard => new JsonObject
            {
                ["CacheClusterId"] = shard.Objects("NodeGroupMembers").LastOrDefault()?.Text("CacheClusterId"),
                ["CacheNodeId"] = "0001",
                ["NodeGroupId"] = shard.Text("NodeGroupId"),
                ["CacheSize"] = "3 MB",
                ["SnapshotCreateTime"] = Documents.Time(context.Now),
            }).ToJsonList(),
            ["_Tags"] = tags,
        }.Take(group, "ReplicationGroupId", "CacheNodeType", "Engine", "AutoMinorVersionUpgrade", "SnapshotRetentionLimit", "SnapshotWindow", "AutomaticFailover", "KmsKeyId", "DataTiering");
        return Add(context, snapshot);
    }

    /// <summary>The daily snapshot at the beginning of the window, kept as long as the retention says.</summary>
    private void ScheduleSnapshots(RequestContext context, string id, string birth)
    {
        var window = Groups(context).Get(id)?.Text("SnapshotWindow") ?? "05:00-06:00";
        var next = new DateTimeOffset(context.Now.UtcDateTime.Date.AddHours(int.Parse(window[..2], CultureInfo.InvariantCulture)).AddMinutes(int.Parse(window[3..5], CultureInfo.InvariantCulture)), TimeSpan.Zero);
        Runtime.Clock.Schedule(next > context.Now ? next : next.AddDays(1), () =>
        {
            if (Groups(context).Get(id) is not { } group || group.Text("_Birth") != birth)
            {
                return;
            }
            if (group.Int("SnapshotRetentionLimit") is > 0 and var days && group.Text("Status") == "available")
            {
                var name = $"automatic.{id}-{context.Now.UtcDateTime.ToString("yyyy-MM-dd-HH-mm", CultureInfo.InvariantCulture)}";
                if (!Snapshots(context).Contains(name))
                {
                    NewSnapshot(context, group, name, "automated", new JsonArray());
                }
                foreach (var old in Snapshots(context).Where(item => item.Text("ReplicationGroupId") == id && item.Text("SnapshotSource") == "automated"
                    && item.Objects("NodeSnapshots").First().TimeOf("SnapshotCreateTime") < context.Now.AddDays(-days)))
                {
                    Snapshots(context).Remove(old.Required("SnapshotName"));
                }
            }
            ScheduleSnapshots(context, id, birth);
        });
    }
}
