using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>Changes of replication groups: settings, size, failover.</summary>
internal sealed partial class ElastiCacheService
{
    private void AddChanges()
    {
        On("ModifyReplicationGroup", (context, input) => ModifyGroup(context, input, forGlobal: false));
        On("IncreaseReplicaCount", (context, input) => Resize(context, input, isMore: true));
        On("DecreaseReplicaCount", (context, input) => Resize(context, input, isMore: false));
        On("TestFailover", TestFailover);
    }

    private static void RequireAvailable(JsonObject group)
    {
        if (group.Text("Status") != "available")
        {
            throw new ServiceFault("InvalidReplicationGroupState", $"Replication group {group.Text("ReplicationGroupId")} must be in available state. Current state: {group.Text("Status")}");
        }
    }

    private static int NodesOf(JsonObject group) => group.Objects("NodeGroups").First().Objects("NodeGroupMembers").Count();

    private JsonObject ModifyGroup(RequestContext context, JsonObject input, bool forGlobal)
    {
        var group = Group(context, input.Required("ReplicationGroupId"));
        RequireAvailable(group);
        if (!forGlobal && (input.Has("CacheNodeType") || input.Has("Engine") || input.Has("EngineVersion") || input.Has("CacheParameterGroupName")))
        {
            RequireAlone(group, "its node type, engine and parameters are changed with ModifyGlobalReplicationGroup.");
        }
        var id = group.Required("ReplicationGroupId");
        var immediate = input.Is("ApplyImmediately");
        var engine = input.Text("Engine") ?? group.Required("Engine");
        var version = CacheCatalog.Find(group.Required("Engine"), group.Text("_Version"))!.Value;
        var upgrades = false;
        if (input.Has("EngineVersion") || engine != group.Text("Engine"))
        {
            var wanted = CacheCatalog.Find(engine, input.Text("EngineVersion")) ?? throw Conflict($"Cannot find version {input.Text("EngineVersion")} for {engine}");
            var order = CacheCatalog.Versions.ToList();
            if (order.IndexOf(wanted) < order.IndexOf(version))
            {
                throw Conflict($"You cannot downgrade from {version.Engine} {version.Runs} to {wanted.Engine} {wanted.Runs}.");
            }
            upgrades = wanted != version;
            version = wanted;
        }
        var type = input.Text("CacheNodeType") ?? group.Required("CacheNodeType");
        if (!CacheCatalog.NodeTypes.Contains(type))
        {
            throw Invalid($"The parameter CacheNodeType has an invalid value: {type}");
        }
        var present = group.Required("_ParameterGroup");
        var parameters = input.Text("CacheParameterGroupName") ?? (present.StartsWith("default.", StringComparison.Ordinal) ? "default." + version.Family : present);
        if (ParameterGroup(context, parameters).Text("CacheParameterGroupFamily") != version.Family)
        {
            throw Conflict($"Expected a parameter group of family {version.Family} but found one of family {ParameterGroup(context, parameters).Text("CacheParameterGroupFamily")}");
        }
        var automatic = input.Flag("AutomaticFailoverEnabled") ?? group.Text("AutomaticFailover") == "enabled";
        if (automatic && NodesOf(group) < 2)
        {
            throw Conflict("Automatic failover is not supported for replication groups with fewer than 2 cache clusters. Please add a replica first.");
        }
        if ((input.Flag("MultiAZEnabled") ?? group.Text("MultiAZ") == "enabled") && !automatic)
        {
            throw Conflict("You must disable Multi-AZ, or enable automatic failover with it.");
        }
        if (input.Text("AuthToken") is { } token)
        {
            if (!group.Is("TransitEncryptionEnabled"))
            {
                throw Conflict("The AUTH token modification is only supported when encryption-in-transit is enabled.");
            }
            CheckToken(token);
        }
        foreach (var security in input.Texts("SecurityGroupIds"))
        {
            CheckSecurityGroup(context, security, SubnetGroup(context, group.Required("_SubnetGroup")).Required("VpcId"));
        }
        var users = input.Is("RemoveUserGroups") ? [] : group.Texts("UserGroupIds").Except(input.Texts("UserGroupIdsToRemove")).Union(input.Texts("UserGroupIdsToAdd")).ToList();
        foreach (var added in users.Except(group.Texts("UserGroupIds")))
        {
            _ = UserGroup(context, added);
            UserGroups(context).Update(Key(added), document => document.ListOrNew("ReplicationGroups").Add(id));
        }
        foreach (var gone in group.Texts("UserGroupIds").Except(users))
        {
            UserGroups(context).Update(Key(gone), document => document["ReplicationGroups"] = document.Texts("ReplicationGroups").Where(item => item != id).ToTextList());
        }
        var scales = type != group.Text("CacheNodeType");
        if ((upgrades || scales) && !immediate)
        {
            throw new ServiceFault("NotImplemented", "The sandbox changes node type and engine version with ApplyImmediately only, not in the maintenance window. Nothing was changed.", 501);
        }
        var duration = upgrades ? Durations.CacheUpgrade : scales ? Durations.CacheScale : Durations.CacheModify;
        var detached = context.Detached();
        Groups(context).Update(id, document =>
        {
            document["Status"] = "modifying";
            document.With("Description", input["ReplicationGroupDescription"].Copy()).Take(input, "SnapshotRetentionLimit", "SnapshotWindow", "AutoMinorVersionUpgrade", "TransitEncryptionMode");
            document.With("_Maintenance", input.Text("PreferredMaintenanceWindow")?.ToLowerInvariant());
            if (input.Has("SecurityGroupIds"))
            {
                document["_SecurityGroups"] = input["SecurityGroupIds"].Copy();
            }
        });
        Later(context, duration, group, document =>
        {
            document["Status"] = "available";
            (document["CacheNodeType"], document["Engine"], document["_Version"], document["_ParameterGroup"]) = (type, engine, version.Runs, parameters);
            document.With("_AskedVersion", input["EngineVersion"].Copy());
            document["AutomaticFailover"] = automatic ? "enabled" : "disabled";
            document["UserGroupIds"] = users.ToTextList();
            if (input.Flag("MultiAZEnabled") is { } multi)
            {
                document["MultiAZ"] = multi ? "enabled" : "disabled";
            }
            if (input.Has("AuthToken"))
            {
                (document["_AuthToken"], document["AuthTokenEnabled"], document["AuthTokenLastModifiedDate"]) = (input.Text("AuthToken"), true, Documents.Time(detached.Now));
            }
            else if (input.Text("AuthTokenUpdateStrategy") == "DELETE")
            {
                document["AuthTokenEnabled"] = false;
                document.Remove("_AuthToken");
            }
            if (input.Has("LogDeliveryConfigurations"))
            {
                var named = input.Objects("LogDeliveryConfigurations").Select(item => item.Text("LogType")).ToHashSet();
                document["LogDeliveryConfigurations"] = document.Objects("LogDeliveryConfigurations").Where(item => !named.Contains(item.Text("LogType"))).Concat(LogDelivery(input).OfType<JsonObject>()).Select(item => item.Copy()).ToJsonList();
            }
        }, () => Record(detached, "replication-group", id, $"Replication group {id} modified"));
        return new JsonObject { ["ReplicationGroup"] = Group(context, id) };
    }

    private JsonObject Resize(RequestContext context, JsonObject input, bool isMore)
    {
        var group = Group(context, input.Required("ReplicationGroupId"));
        RequireAvailable(group);
        if (!input.Is("ApplyImmediately"))
        {
            throw Invalid("ApplyImmediately must be true: replica counts are changed at once only.");
        }
        var now = NodesOf(group) - 1;
        var wanted = input.Int("NewReplicaCount") ?? now - input.Texts("ReplicasToRemove").Count;
        if (isMore ? wanted <= now || wanted > MostReplicas : wanted >= now || wanted < 0)
        {
            throw Invalid($"The new replica count {wanted} must be {(isMore ? $"greater than {now} and at most {MostReplicas}" : $"less than {now}")}.");
        }
        if (wanted == 0 && group.Text("AutomaticFailover") == "enabled")
        {
            throw Conflict("The replica count cannot become 0 while automatic failover or Multi-AZ is enabled.");
        }
        var detached = context.Detached();
        var changing = Groups(context).Update(group.Required("ReplicationGroupId"), static document => document["Status"] = "modifying")!;
        Later(context, isMore ? Durations.CacheReplica : Durations.CacheModify, group, document =>
        {
            var number = 0;
            foreach (var shard in document.Objects("NodeGroups"))
            {
                number++;
                var members = shard.ListOrNew("NodeGroupMembers");
                for (var node = 1; members.Count < wanted + 1; node++)
                {
                    if (NodeName(document, number, node) is var name && !members.OfType<JsonObject>().Any(member => member.Text("CacheClusterId") == name))
                    {
                        AddNode(detached, document, number, name);
                    }
                }
                while (members.Count > wanted + 1)
                {
                    var gone = members.OfType<JsonObject>().Last(member => member.Text("CurrentRole") != "primary");
                    Ec2.ReleaseInterface(detached, gone.Text("_Interface"));
                    members.Remove(gone);
                }
            }
            Settle(detached, document);
            document["Status"] = "available";
        });
        return new JsonObject { ["ReplicationGroup"] = changing };
    }

    private JsonObject TestFailover(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("ReplicationGroupId"));
        RequireAvailable(group);
        var shard = group.Objects("NodeGroups").FirstOrDefault(item => item.Text("NodeGroupId") == input.Text("NodeGroupId"))
            ?? throw new ServiceFault("NodeGroupNotFoundFault", $"Node group {input.Text("NodeGroupId")} not found.", 404);
        if (group.Text("AutomaticFailover") != "enabled" || shard.Objects("NodeGroupMembers").Count() < 2)
        {
            throw new ServiceFault("TestFailoverNotAvailableFault", "Test failover needs automatic failover and a replica.");
        }
        var id = group.Required("ReplicationGroupId");
        Record(context, "replication-group", id, $"Test Failover API called for node group {input.Text("NodeGroupId")}");
        var detached = context.Detached();
        var changing = Groups(context).Update(id, static document => document["Status"] = "modifying")!;
        Later(context, Durations.CacheFailover, group, document =>
        {
            var members = document.Objects("NodeGroups").First(item => item.Text("NodeGroupId") == input.Text("NodeGroupId")).Objects("NodeGroupMembers").ToList();
            var primary = members.FindIndex(member => member.Text("CurrentRole") == "primary");
            if (primary >= 0)
            {
                members[primary]["CurrentRole"] = "replica";
                members[(primary + 1) % members.Count]["CurrentRole"] = "primary";
            }
            document["Status"] = "available";
        }, () => Record(detached, "replication-group", id, $"Failover to replica node completed for node group {input.Text("NodeGroupId")}"));
        return new JsonObject { ["ReplicationGroup"] = changing };
    }
}
