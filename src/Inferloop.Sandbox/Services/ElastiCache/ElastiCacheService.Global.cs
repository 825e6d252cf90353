using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>
/// Global datastores: a primary replication group and up to two in other regions that follow it. Which one is the primary is changed by a call to the
/// region that is to have it; the region that had it need not answer, and learns of it when it is back.
/// </summary>
internal sealed partial class ElastiCacheService
{
    private const int MostSecondaries = 2;
    private const string Primary = "PRIMARY";
    private const string Secondary = "SECONDARY";

    /// <summary>The families of nodes that replicate across regions.</summary>
    private static readonly HashSet<string> GlobalFamilies = ["m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "c7gn"];

    /// <summary>What the members of a global datastore have from its primary, and is not given for them.</summary>
    private static readonly string[] Inherited = ["CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName", "NumNodeGroups", "SnapshotName", "SnapshotArns", "AuthToken", "TransitEncryptionEnabled", "AtRestEncryptionEnabled"];

    private void AddGlobal()
    {
        On("CreateGlobalReplicationGroup", CreateGlobal);
        On("DescribeGlobalReplicationGroups", (context, input) => Paged(input, (input.Text("GlobalReplicationGroupId") is { } id ? [Global(context, id)] : Globals(context).Where(item => IsSeenIn(item, context.Region)))
            .Select(item => DescribeGlobal(item, input.Is("ShowMemberInfo"))).ToList(), "GlobalReplicationGroups"));
        On("FailoverGlobalReplicationGroup", FailOverGlobal);
        On("DisassociateGlobalReplicationGroup", Disassociate);
        On("ModifyGlobalReplicationGroup", ModifyGlobal);
        On("DeleteGlobalReplicationGroup", DeleteGlobal);
    }

    /// <summary>Global datastores belong to the account, not to a region: losing one does not lose them.</summary>
    private Collection Globals(RequestContext context) => Runtime.Collection(ModelName, "global-groups", context.AccountId, "");

    private static bool IsSeenIn(JsonObject global, string region) => global.Objects("Members").Any(member => member.Text("ReplicationGroupRegion") == region);

    private JsonObject Global(RequestContext context, string id) => Globals(context).Get(Key(id))
        ?? throw new ServiceFault("GlobalReplicationGroupNotFoundFault", $"Global Replication Group not found: {id}.", 404);

    private static void RequireGlobal(JsonObject global)
    {
        if (global.Text("Status") is not ("available" or "primary-only"))
        {
            throw new ServiceFault("InvalidGlobalReplicationGroupState", $"Global Replication Group {global.Text("GlobalReplicationGroupId")} is in state {global.Text("Status")} and cannot be changed.");
        }
    }

    private static JsonObject PrimaryOf(JsonObject global) => global.Objects("Members").First(static member => member.Text("Role") == Primary);

    private static RequestContext PlaceOf(RequestContext context, JsonObject member) => context.InRegion(member.Required("ReplicationGroupRegion"));

    private static JsonObject DescribeGlobal(JsonObject global, bool withMembers)
    {
        var described = global.Copy();
        if (!withMembers)
        {
            described["Members"] = new JsonArray();
        }
        return described;
    }

    private static ServiceFault BadMember(JsonObject group, string problem) => new("InvalidReplicationGroupState", $"Replication group {group.Text("ReplicationGroupId")} cannot be in a global datastore: {problem}");

    private JsonObject CreateGlobal(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("PrimaryReplicationGroupId"));
        RequireAvailable(group);
        if (group.Child("GlobalReplicationGroupInfo")?.Has("GlobalReplicationGroupId") == true)
        {
            throw BadMember(group, $"it is in {group.Child("GlobalReplicationGroupInfo")!.Text("GlobalReplicationGroupId")} already.");
        }
        if (!GlobalFamilies.Contains(group.Required("CacheNodeType").Split('.')[1]))
        {
            throw Invalid($"Global Datastore is not supported on node type {group.Text("CacheNodeType")}: it needs one of the families {string.Join(", ", GlobalFamilies)}.");
        }
        var id = GlobalPrefix(context.Region) + "-" + Key(input.Required("GlobalReplicationGroupIdSuffix"));
        var global = new JsonObject
        {
            ["GlobalReplicationGroupId"] = id,
            ["GlobalReplicationGroupDescription"] = input.Text("GlobalReplicationGroupDescription") ?? " ",
            ["Status"] = "creating",
            ["EngineVersion"] = group.Text("_Version"),
            ["Members"] = new JsonArray(new JsonObject
            {
                ["ReplicationGroupId"] = group.Text("ReplicationGroupId"),
                ["ReplicationGroupRegion"] = context.Region,
                ["Role"] = Primary,
                ["AutomaticFailover"] = group.Text("AutomaticFailover"),
                ["Status"] = "associating",
            }),
            ["GlobalNodeGroups"] = group.Objects("NodeGroups").Select(shard => new JsonObject { ["GlobalNodeGroupId"] = $"{id}-{shard.Text("NodeGroupId")}" }.With("Slots", shard["Slots"].Copy())).ToJsonList(),
            ["ARN"] = context.GlobalArn("elasticache", "globalreplicationgroup:" + id),
        }.Take(group, "CacheNodeType", "Engine", "ClusterEnabled", "AuthTokenEnabled", "TransitEncryptionEnabled", "AtRestEncryptionEnabled");
        if (!Globals(context).TryAdd(id, global))
        {
            throw new ServiceFault("GlobalReplicationGroupAlreadyExistsFault", $"Global Replication Group {id} already exists.");
        }
        SetMembership(context, group.Required("ReplicationGroupId"), id, Primary);
        GlobalLater(context, id, Durations.GlobalCache, document =>
        {
            PrimaryOf(document)["Status"] = "associated";
            Settle(document);
        });
        return new JsonObject { ["GlobalReplicationGroup"] = global };
    }

    /// <summary>Five letters that stand for the region a global datastore was made in, the same for all of them.</summary>
    private static string GlobalPrefix(string region) => region switch
    {
        "us-east-1" => "ldgnf",
        "us-east-2" => "fpkhr",
        "us-west-1" => "virxk",
        "us-west-2" => "sgaui",
        _ => string.Concat(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(region)).Take(5).Select(static value => (char)('a' + (value % 26)))),
    };

    private void GlobalLater(RequestContext context, string id, TimeSpan after, Action<JsonObject> change, Action? then = null)
    {
        var detached = context.Detached();
        Runtime.After(after, () =>
        {
            if (Globals(detached).Update(id, change) is not null)
            {
                then?.Invoke();
            }
        });
    }

    private static void Settle(JsonObject global) =>
        global["Status"] = global.Objects("Members").Any(static member => member.Text("Role") == Secondary) ? "available" : "primary-only";

    /// <summary>What a replication group tells of the global datastore it is in.</summary>
    private void SetMembership(RequestContext context, string group, string? global, string? role) => Groups(context).Update(group, document =>
        document["GlobalReplicationGroupInfo"] = global is null ? new JsonObject() : new JsonObject { ["GlobalReplicationGroupId"] = global, ["GlobalReplicationGroupMemberRole"] = role });

    /// <summary>The input for a replication group that joins a global datastore: what it has from the primary is filled in.</summary>
    private JsonObject Joining(RequestContext context, JsonObject input)
    {
        var global = Global(context, input.Required("GlobalReplicationGroupId"));
        RequireGlobal(global);
        if (Array.Find(Inherited, input.Has) is { } given)
        {
            throw Conflict($"{given} cannot be given for a replication group that joins a global datastore: it is the primary's.");
        }
        if (IsSeenIn(global, context.Region))
        {
            throw Conflict($"Global Replication Group {global.Text("GlobalReplicationGroupId")} has a member in {context.Region} already.");
        }
        if (global.Objects("Members").Count() > MostSecondaries)
        {
            throw Conflict($"A global datastore has at most {MostSecondaries} secondary replication groups.");
        }
        var from = PlaceOf(context, PrimaryOf(global));
        if (Runtime.Links.IsCut(from.Region, context.Region, ModelName))
        {
            throw new ServiceFault("InvalidGlobalReplicationGroupState", $"The primary of {global.Text("GlobalReplicationGroupId")} in {from.Region} cannot be reached.");
        }
        var primary = Group(from, PrimaryOf(global).Required("ReplicationGroupId"));
        var joining = input.Copy().Take(primary, "CacheNodeType", "Engine", "TransitEncryptionEnabled", "AtRestEncryptionEnabled")
            .With("EngineVersion", primary.Text("_Version")).With("CacheParameterGroupName", GlobalParameters(context, global, ParameterGroup(from, primary.Required("_ParameterGroup"))));
        if (primary.Text("ClusterMode") == "enabled")
        {
            joining["NumNodeGroups"] = primary.Objects("NodeGroups").Count();
            joining["ClusterMode"] = "enabled";
        }
        return joining.With("AuthToken", primary.Text("_AuthToken"));
    }

    /// <summary>A parameter group like the primary's in the region of a member.</summary>
    private string GlobalParameters(RequestContext context, JsonObject global, JsonObject primary)
    {
        var name = "global-datastore-" + global.Required("GlobalReplicationGroupId");
        ParameterGroups(context).TryAdd(name, primary.Pick("CacheParameterGroupFamily").With("Description", $"Parameters of the global datastore {global.Text("GlobalReplicationGroupId")}")
            .With("CacheParameterGroupName", name).With("IsGlobal", true).With("ARN", context.Arn("elasticache", "parametergroup:" + name))
            .With("_Values", primary["_Values"].Copy() ?? new JsonObject()).With("_Tags", new JsonArray()));
        return name;
    }

    /// <summary>A replication group that was made for a global datastore is now its member; it is associated when it is there.</summary>
    private void Join(RequestContext context, JsonObject group, string id)
    {
        Globals(context).Update(id, document =>
        {
            document["Status"] = "modifying";
            document.ListOrNew("Members").Add((JsonNode)new JsonObject
            {
                ["ReplicationGroupId"] = group.Text("ReplicationGroupId"),
                ["ReplicationGroupRegion"] = context.Region,
                ["Role"] = Secondary,
                ["AutomaticFailover"] = group.Text("AutomaticFailover"),
                ["Status"] = "associating",
            });
        });
        SetMembership(context, group.Required("ReplicationGroupId"), id, Secondary);
    }

    private void Associated(RequestContext context, string group, string id)
    {
        Globals(context).Update(id, document =>
        {
            foreach (var member in document.Objects("Members").Where(member => member.Text("ReplicationGroupId") == group && member.Text("ReplicationGroupRegion") == context.Region))
            {
                member["Status"] = "associated";
            }
            Settle(document);
        });
        GlobalLag.Follow(context.AccountId, context.Region);
    }

    /// <summary>How far the secondaries are behind.</summary>
    private MetricSource GlobalLag => globalLag ??= new MetricSource(Runtime, place => Following(place).Any(), (monitoring, place, minute) =>
    {
        foreach (var (group, from) in Following(place))
        {
            var lag = Runtime.Links.Behind(ModelName, group.Required("ReplicationGroupId"), from, place.Region, Durations.GlobalCacheReplication).TotalSeconds;
            foreach (var node in group.Objects("NodeGroups").Select(static shard => shard.Objects("NodeGroupMembers").FirstOrDefault(static node => node.Text("CurrentRole") is null or "primary")).OfType<JsonObject>())
            {
                monitoring.Publish(place, "AWS/ElastiCache", "GlobalDatastoreReplicationLag", minute, [(lag, 1)], "Seconds", ("CacheClusterId", node.Required("CacheClusterId")));
            }
        }
    });

    private MetricSource? globalLag;

    /// <summary>The secondaries in a region with the region of their primary.</summary>
    private IEnumerable<(JsonObject Group, string From)> Following(RequestContext place)
    {
        foreach (var group in Groups(place).Where(static item => item.Child("GlobalReplicationGroupInfo")?.Text("GlobalReplicationGroupMemberRole") == Secondary && item.Text("Status") is not "creating"))
        {
            if (Globals(place).Get(group.Child("GlobalReplicationGroupInfo")!.Required("GlobalReplicationGroupId")) is { } global)
            {
                yield return (group, PrimaryOf(global).Required("ReplicationGroupRegion"));
            }
        }
    }

    private JsonObject FailOverGlobal(RequestContext context, JsonObject input)
    {
        var global = Global(context, input.Required("GlobalReplicationGroupId"));
        var id = global.Required("GlobalReplicationGroupId");
        RequireGlobal(global);
        var (region, group) = (input.Required("PrimaryRegion"), Key(input.Required("PrimaryReplicationGroupId")));
        var heir = global.Objects("Members").FirstOrDefault(member => member.Text("ReplicationGroupRegion") == region && member.Text("ReplicationGroupId") == group)
            ?? throw Invalid($"Replication group {group} in {region} is not a member of {id}.");
        if (heir.Text("Role") == Primary)
        {
            throw Invalid($"Replication group {group} in {region} is the primary of {id} already.");
        }
        var old = PrimaryOf(global);
        var (there, before) = (context.With(context.AccountId, region).Detached(), PlaceOf(context, old).Detached());
        if (Runtime.Faults.IsRegionLost(region, ModelName))
        {
            throw new ServiceFault("InvalidGlobalReplicationGroupState", $"{group} in {region} cannot become the primary: the region cannot be reached.");
        }
        RequireAvailable(Group(there, group));
        var changing = Globals(context).Update(id, static document => document["Status"] = "modifying")!;
        Record(there, "replication-group", group, $"Failover of global datastore {id} to {group} in {region} started");
        GlobalLater(context, id, Durations.GlobalCacheFailover, document =>
        {
            foreach (var member in document.Objects("Members"))
            {
                member["Role"] = member.Text("ReplicationGroupRegion") == region ? Primary : Secondary;
            }
            Settle(document);
        }, () =>
        {
            SetMembership(there, group, id, Primary);
            Record(there, "replication-group", group, $"Failover of global datastore {id} completed: {group} is the primary");
            // The others learn of it as soon as they can be reached.
            Runtime.Links.Send(ModelName, id, region, before.Region, Durations.GlobalCacheReplication, () =>
            {
                if (Globals(before).Get(id) is { } now && PrimaryOf(now).Text("ReplicationGroupRegion") != before.Region && IsSeenIn(now, before.Region))
                {
                    SetMembership(before, old.Required("ReplicationGroupId"), id, Secondary);
                    GlobalLag.Follow(before.AccountId, before.Region);
                }
            });
        });
        return new JsonObject { ["GlobalReplicationGroup"] = changing };
    }

    private JsonObject Disassociate(RequestContext context, JsonObject input)
    {
        var global = Global(context, input.Required("GlobalReplicationGroupId"));
        var id = global.Required("GlobalReplicationGroupId");
        RequireGlobal(global);
        var (region, group) = (input.Required("ReplicationGroupRegion"), Key(input.Required("ReplicationGroupId")));
        var member = global.Objects("Members").FirstOrDefault(item => item.Text("ReplicationGroupRegion") == region && item.Text("ReplicationGroupId") == group)
            ?? throw Invalid($"Replication group {group} in {region} is not a member of {id}.");
        if (member.Text("Role") == Primary)
        {
            throw Invalid($"The primary replication group {group} cannot be removed from {id}. Fail over to another member first, or delete the global datastore.");
        }
        var there = context.With(context.AccountId, region).Detached();
        var changing = Globals(context).Update(id, document =>
        {
            document["Status"] = "modifying";
            foreach (var item in document.Objects("Members").Where(item => item.Text("ReplicationGroupRegion") == region))
            {
                item["Status"] = "disassociating";
            }
        })!;
        GlobalLater(context, id, Durations.GlobalCache, document =>
        {
            document["Members"] = document.Objects("Members").Where(item => item.Text("ReplicationGroupRegion") != region).Select(static item => item.Copy()).ToJsonList();
            Settle(document);
        }, () => Runtime.Links.Send(ModelName, id, context.Region, region, TimeSpan.Zero, () =>
        {
            if (Groups(there).Get(group)?.Child("GlobalReplicationGroupInfo")?.Text("GlobalReplicationGroupId") == id)
            {
                SetMembership(there, group, null, null);
                Record(there, "replication-group", group, $"Replication group {group} left the global datastore {id}");
            }
        }));
        return new JsonObject { ["GlobalReplicationGroup"] = changing };
    }

    private JsonObject ModifyGlobal(RequestContext context, JsonObject input)
    {
        var global = Global(context, input.Required("GlobalReplicationGroupId"));
        var id = global.Required("GlobalReplicationGroupId");
        RequireGlobal(global);
        if (!input.Is("ApplyImmediately"))
        {
            throw Invalid("ApplyImmediately must be true: global datastores are changed at once only.");
        }
        var engine = input.Text("Engine") ?? global.Required("Engine");
        var version = CacheCatalog.Find(engine, input.Text("EngineVersion") ?? global.Text("EngineVersion")) ?? throw Conflict($"Cannot find version {input.Text("EngineVersion")} for {engine}");
        var type = input.Text("CacheNodeType") ?? global.Required("CacheNodeType");
        if (!CacheCatalog.NodeTypes.Contains(type) || !GlobalFamilies.Contains(type.Split('.')[1]))
        {
            throw Invalid($"Global Datastore is not supported on node type {type}.");
        }
        // One after the other: the secondaries first, so that no member runs an older version than what it follows.
        var members = global.Objects("Members").OrderBy(static member => member.Text("Role") == Primary).Select(member => (Place: PlaceOf(context, member).Detached(), Id: member.Required("ReplicationGroupId"))).ToList();
        foreach (var (place, member) in members)
        {
            if (Runtime.Faults.IsRegionLost(place.Region, ModelName))
            {
                throw new ServiceFault("InvalidGlobalReplicationGroupState", $"The member {member} in {place.Region} cannot be reached.");
            }
            RequireAvailable(Group(place, member));
        }
        var changes = input.Pick("CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName", "AutomaticFailoverEnabled");
        if (changes.Count > 0)
        {
            foreach (var (place, member) in members)
            {
                _ = ModifyGroup(place, changes.Copy().With("ReplicationGroupId", member).With("ApplyImmediately", true), forGlobal: true);
            }
        }
        var changing = Globals(context).Update(id, document =>
        {
            document.Take(input, "GlobalReplicationGroupDescription");
            document["Status"] = changes.Count > 0 ? "modifying" : document["Status"].Copy();
        })!;
        if (changes.Count > 0)
        {
            GlobalLater(context, id, input.Has("EngineVersion") || input.Has("Engine") ? Durations.CacheUpgrade : input.Has("CacheNodeType") ? Durations.CacheScale : Durations.CacheModify, document =>
            {
                (document["CacheNodeType"], document["Engine"], document["EngineVersion"]) = (type, engine, version.Runs);
                if (input.Flag("AutomaticFailoverEnabled") is { } automatic)
                {
                    foreach (var member in document.Objects("Members"))
                    {
                        member["AutomaticFailover"] = automatic ? "enabled" : "disabled";
                    }
                }
                Settle(document);
            });
        }
        return new JsonObject { ["GlobalReplicationGroup"] = changing };
    }

    private JsonObject DeleteGlobal(RequestContext context, JsonObject input)
    {
        var global = Global(context, input.Required("GlobalReplicationGroupId"));
        var id = global.Required("GlobalReplicationGroupId");
        RequireGlobal(global);
        if (global.Objects("Members").Any(static member => member.Text("Role") == Secondary))
        {
            throw new ServiceFault("InvalidGlobalReplicationGroupState", $"Global Replication Group {id} has secondary members: disassociate them first.");
        }
        var primary = PrimaryOf(global);
        var (place, group) = (PlaceOf(context, primary).Detached(), primary.Required("ReplicationGroupId"));
        var deleting = Globals(context).Update(id, static document => document["Status"] = "deleting")!;
        var detached = context.Detached();
        Runtime.After(Durations.GlobalCache, () =>
        {
            if (!Globals(detached).Remove(id))
            {
                return;
            }
            SetMembership(place, group, null, null);
            if (input.Flag("RetainPrimaryReplicationGroup") == false && Groups(place).Get(group)?.Text("Status") == "available")
            {
                _ = DeleteGroup(place, new JsonObject { ["ReplicationGroupId"] = group });
            }
        });
        return new JsonObject { ["GlobalReplicationGroup"] = deleting };
    }

    /// <summary>What a member may not have changed or be deleted by itself.</summary>
    private static void RequireAlone(JsonObject group, string what)
    {
        if (group.Child("GlobalReplicationGroupInfo")?.Text("GlobalReplicationGroupId") is { } global)
        {
            throw new ServiceFault("InvalidReplicationGroupState", $"Replication group {group.Text("ReplicationGroupId")} is in the global datastore {global}: {what}");
        }
    }
}
