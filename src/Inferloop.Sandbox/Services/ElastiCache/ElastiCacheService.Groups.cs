using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>Replication groups and their nodes.</summary>
internal sealed partial class ElastiCacheService
{
    private const int MostReplicas = 5;

    private void AddReplicationGroups()
    {
        On("CreateReplicationGroup", CreateGroup);
        On("DescribeReplicationGroups", (context, input) => Paged(input, input.Text("ReplicationGroupId") is { } id ? [Group(context, id)] : Groups(context).All(), "ReplicationGroups"));
        On("DeleteReplicationGroup", DeleteGroup);
        On("DescribeCacheClusters", (context, input) =>
        {
            var all = Groups(context).All().SelectMany(group => Members(group).Select(member => Cluster(group, member, input.Is("ShowCacheNodeInfo")))).ToList();
            if (input.Text("CacheClusterId") is { } id && !all.Exists(cluster => cluster.Text("CacheClusterId") == Key(id)))
            {
                throw new ServiceFault("CacheClusterNotFound", $"CacheCluster {id} not found.", 404);
            }
            return Paged(input, all.Where(cluster => input.Text("CacheClusterId") is not { } wanted || cluster.Text("CacheClusterId") == Key(wanted)).ToList(), "CacheClusters");
        });
        On("ListAllowedNodeTypeModifications", (_, _) => new JsonObject { ["ScaleUpModifications"] = CacheCatalog.NodeTypes.Order(StringComparer.Ordinal).ToTextList(), ["ScaleDownModifications"] = CacheCatalog.NodeTypes.Order(StringComparer.Ordinal).ToTextList() });
    }

    private static IEnumerable<JsonObject> Members(JsonObject group) => group.Objects("NodeGroups").SelectMany(shard => shard.Objects("NodeGroupMembers"));

    private static string CheckId(string id) => id.Length <= 40 && id.Length > 0 && char.IsAsciiLetter(id[0]) && !id.EndsWith('-') && !id.Contains("--", StringComparison.Ordinal) && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-')
        ? id.ToLowerInvariant()
        : throw Invalid("The parameter ReplicationGroupIdentifier is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.");

    private JsonObject CreateGroup(RequestContext context, JsonObject input)
    {
        var id = CheckId(input.Required("ReplicationGroupId"));
        if (Groups(context).Contains(id))
        {
            throw new ServiceFault("ReplicationGroupAlreadyExists", $"Replication group {id} already exists.");
        }
        if (input.Has("PrimaryClusterId"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no cache clusters outside replication groups to make one from. Nothing was changed.", 501);
        }
        if (input.Has("SnapshotArns"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox makes replication groups from a snapshot's name, not from an RDB file: there is no data in it. Nothing was changed.", 501);
        }
        var global = input.Text("GlobalReplicationGroupId");
        if (global is not null)
        {
            input = Joining(context, input);
        }
        var snapshot = input.Text("SnapshotName") is { } name ? Snapshot(context, name) : null;
        var engine = input.Text("Engine") ?? snapshot?.Text("Engine") ?? "redis";
        var version = CacheCatalog.Find(engine, input.Text("EngineVersion") ?? snapshot?.Text("EngineVersion"))
            ?? throw Conflict($"Cannot find version {input.Text("EngineVersion")} for {engine}");
        var type = input.Text("CacheNodeType") ?? snapshot?.Text("CacheNodeType") ?? throw Invalid("The parameter CacheNodeType must be provided.");
        if (!CacheCatalog.NodeTypes.Contains(type))
        {
            throw Invalid($"The parameter CacheNodeType has an invalid value: {type}");
        }
        var (shards, nodes) = Size(input);
        var automatic = input.Is("AutomaticFailoverEnabled");
        if (automatic && nodes < 2)
        {
            throw Conflict("Automatic failover is not supported for replication groups with fewer than 2 cache clusters. Please provide at least one replica.");
        }
        if (shards > 1 && !automatic)
        {
            throw Conflict("Redis with cluster mode enabled cannot be created with auto failover turned off.");
        }
        if (input.Is("MultiAZEnabled") && !automatic)
        {
            throw Conflict("You must set AutomaticFailoverEnabled to true to enable Multi-AZ.");
        }
        CheckSecurity(context, input, engine);
        var subnets = input.Text("CacheSubnetGroupName") is { } subnetGroup ? SubnetGroup(context, subnetGroup) : throw new ServiceFault("CacheSubnetGroupNotFoundFault", "The sandbox has no default cache subnet group: give CacheSubnetGroupName.");
        var zones = subnets.Objects("Subnets").Select(subnet => subnet.Child("SubnetAvailabilityZone")!.Required("Name")).Distinct().ToList();
        if (input.Is("MultiAZEnabled") && zones.Count < 2)
        {
            throw Conflict("Multi-AZ needs a cache subnet group with subnets in two availability zones.");
        }
        var parameters = input.Text("CacheParameterGroupName") is { } groupName ? ParameterGroup(context, groupName) : DefaultGroup(context, version.Family);
        if (parameters.Text("CacheParameterGroupFamily") != version.Family)
        {
            throw Conflict($"Expected a parameter group of family {version.Family} but found one of family {parameters.Text("CacheParameterGroupFamily")}");
        }
        if (input.Int("SnapshotRetentionLimit") is < 0 or > 35)
        {
            throw Invalid("SnapshotRetentionLimit must be between 0 and 35.");
        }
        Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
        var groups = input.Texts("SecurityGroupIds");
        foreach (var security in groups)
        {
            CheckSecurityGroup(context, security, subnets.Required("VpcId"));
        }
        var group = new JsonObject
        {
            ["ReplicationGroupId"] = id,
            ["Description"] = input.Text("ReplicationGroupDescription"),
            ["GlobalReplicationGroupInfo"] = new JsonObject(),
            ["Status"] = "creating",
            ["PendingModifiedValues"] = new JsonObject(),
            ["AutomaticFailover"] = automatic ? "enabled" : "disabled",
            ["MultiAZ"] = input.Is("MultiAZEnabled") ? "enabled" : "disabled",
            ["SnapshotRetentionLimit"] = input.Int("SnapshotRetentionLimit") ?? 0,
            ["SnapshotWindow"] = input.Text("SnapshotWindow") ?? "05:00-06:00",
            ["ClusterEnabled"] = shards > 1 || input.Text("ClusterMode") == "enabled",
            ["CacheNodeType"] = type,
            ["Engine"] = engine,
            ["AuthTokenEnabled"] = input.Has("AuthToken"),
            ["TransitEncryptionEnabled"] = input.Is("TransitEncryptionEnabled"),
            ["AtRestEncryptionEnabled"] = input.Is("AtRestEncryptionEnabled"),
            ["ARN"] = context.Arn("elasticache", "replicationgroup:" + id),
            ["UserGroupIds"] = input["UserGroupIds"].Copy() ?? new JsonArray(),
            ["LogDeliveryConfigurations"] = LogDelivery(input),
            ["ReplicationGroupCreateTime"] = Documents.Time(context.Now),
            ["DataTiering"] = "disabled",
            ["AutoMinorVersionUpgrade"] = input.Flag("AutoMinorVersionUpgrade") ?? true,
            ["NetworkType"] = "ipv4",
            ["IpDiscovery"] = "ipv4",
            ["ClusterMode"] = shards > 1 ? "enabled" : input.Text("ClusterMode") ?? "disabled",
            ["_Birth"] = Runtime.Ids.Hex(12),
            ["_Version"] = version.Runs,
            ["_AskedVersion"] = input.Text("EngineVersion"),
            ["_ParameterGroup"] = parameters.Text("CacheParameterGroupName"),
            ["_SubnetGroup"] = subnets.Text("CacheSubnetGroupName"),
            ["_SecurityGroups"] = groups.ToTextList(),
            ["_Port"] = input.Int("Port") ?? 6379,
            ["_Maintenance"] = (input.Text("PreferredMaintenanceWindow") ?? "sun:23:00-mon:01:30").ToLowerInvariant(),
            ["_AuthToken"] = input.Text("AuthToken"),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        }.With("KmsKeyId", input["KmsKeyId"].Copy()).With("TransitEncryptionMode", input.Is("TransitEncryptionEnabled") ? input.Text("TransitEncryptionMode") ?? "required" : null);
        group["NodeGroups"] = Enumerable.Range(1, shards).Select(number => new JsonObject { ["NodeGroupId"] = number.ToString("D4", CultureInfo.InvariantCulture), ["Status"] = "creating", ["NodeGroupMembers"] = new JsonArray() }).ToJsonList();
        group["MemberClusters"] = Enumerable.Range(1, shards).SelectMany(shard => Enumerable.Range(1, nodes).Select(node => NodeName(group, shard, node))).ToTextList();
        if (!Groups(context).TryAdd(id, group))
        {
            throw new ServiceFault("ReplicationGroupAlreadyExists", $"Replication group {id} already exists.");
        }
        foreach (var userGroup in input.Texts("UserGroupIds"))
        {
            UserGroups(context).Update(Key(userGroup), document => document.ListOrNew("ReplicationGroups").Add(id));
        }
        if (global is not null)
        {
            Join(context, group, Key(global));
            group = Group(context, id);
        }
        var detached = context.Detached();
        Later(context, Durations.CacheCreate, group, document =>
        {
            for (var shard = 1; shard <= shards; shard++)
            {
                for (var node = 1; node <= nodes; node++)
                {
                    AddNode(detached, document, shard, NodeName(document, shard, node));
                }
            }
            Settle(detached, document);
            document["Status"] = "available";
        }, () =>
        {
            Record(detached, "replication-group", id, $"Replication group {id} created");
            ScheduleSnapshots(detached, id, group.Required("_Birth"));
            if (global is not null)
            {
                Associated(detached, id, Key(global));
            }
        });
        return new JsonObject { ["ReplicationGroup"] = group };
    }

    private static (int Shards, int Nodes) Size(JsonObject input)
    {
        var shards = input.Int("NumNodeGroups") ?? 1;
        if (input.Has("NumCacheClusters") && (input.Has("ReplicasPerNodeGroup") || shards > 1))
        {
            throw Conflict("Use NumNodeGroups and ReplicasPerNodeGroup, or NumCacheClusters, not both.");
        }
        var nodes = input.Int("NumCacheClusters") ?? 1 + (input.Int("ReplicasPerNodeGroup") ?? 0);
        return nodes is >= 1 and <= MostReplicas + 1 ? (shards, nodes) : throw Invalid($"The number of cache clusters per node group must be between 1 and {MostReplicas + 1}.");
    }

    private void CheckSecurity(RequestContext context, JsonObject input, string engine)
    {
        var encrypted = input.Is("TransitEncryptionEnabled");
        if (input.Text("AuthToken") is { } token)
        {
            if (!encrypted)
            {
                throw Conflict("The AUTH token can only be specified when transit encryption is enabled.");
            }
            CheckToken(token);
        }
        if (input.Texts("UserGroupIds") is { Count: > 0 } groups)
        {
            if (!encrypted)
            {
                throw Conflict("User group based access control requires encryption-in-transit to be enabled on the replication group.");
            }
            if (input.Has("AuthToken") || groups.Count > 1)
            {
                throw Conflict(groups.Count > 1 ? "A replication group takes one user group." : "AuthToken and UserGroupIds cannot be used together.");
            }
            var found = UserGroup(context, groups[0]);
            if (found.Text("Engine") != engine && !(engine == "valkey" && found.Text("Engine") == "redis"))
            {
                throw Conflict($"User group {groups[0]} is of engine {found.Text("Engine")}, the replication group of {engine}.");
            }
        }
        if (input.Has("TransitEncryptionMode") && !encrypted)
        {
            throw Conflict("TransitEncryptionMode needs TransitEncryptionEnabled.");
        }
        if (input.Text("KmsKeyId") is { } key)
        {
            if (!input.Is("AtRestEncryptionEnabled"))
            {
                throw Conflict("Encryption at rest must be enabled to specify a KMS key.");
            }
            try
            {
                Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, key, "elasticache");
            }
            catch (ServiceFault)
            {
                throw new ServiceFault("InvalidKMSKeyFault", $"The KMS key supplied is not valid: {key}");
            }
        }
    }

    private static void CheckToken(string token)
    {
        if (token.Length is < 16 or > 128 || token.Any(c => !char.IsAsciiLetterOrDigit(c) && !"!&#$^<>-".Contains(c, StringComparison.Ordinal)))
        {
            throw Invalid("Invalid AuthToken provided. It must be 16 to 128 alphanumeric characters or symbols out of (!, &, #, $, ^, <, >, -).");
        }
    }

    private void CheckSecurityGroup(RequestContext context, string id, string vpc)
    {
        try
        {
            if (Ec2.SecurityGroup(context, id).Text("VpcId") == vpc)
            {
                return;
            }
        }
        catch (ServiceFault)
        {
            throw Invalid($"Some security groups are invalid: {id}");
        }
        throw Invalid($"Some security groups are invalid, because they are not in the VPC {vpc} of the cache subnet group: {id}");
    }

    private static JsonArray LogDelivery(JsonObject input) => input.Objects("LogDeliveryConfigurations").Where(item => item.Flag("Enabled") != false)
        .Select(item => item.Pick("LogType", "DestinationType", "DestinationDetails", "LogFormat").With("Status", "active")).ToJsonList();

    private static string NodeName(JsonObject group, int shard, int node) => group.Is("ClusterEnabled")
        ? $"{group.Text("ReplicationGroupId")}-{shard:D4}-{node:D3}"
        : $"{group.Text("ReplicationGroupId")}-{node:D3}";

    /// <summary>A node in the zone that has fewest of its shard.</summary>
    private void AddNode(RequestContext context, JsonObject group, int shard, string name)
    {
        var members = group.Objects("NodeGroups").ElementAt(shard - 1).ListOrNew("NodeGroupMembers");
        var subnets = SubnetGroup(context, group.Required("_SubnetGroup")).Objects("Subnets").ToList();
        string Zone(JsonObject subnet) => subnet.Child("SubnetAvailabilityZone")!.Required("Name");
        var subnet = subnets.OrderBy(item => Runtime.Faults.IsZoneLost(Zone(item))).ThenBy(item => members.OfType<JsonObject>().Count(member => member.Text("PreferredAvailabilityZone") == Zone(item))).First();
        var network = Ec2.AllocateInterface(context, subnet.Required("SubnetIdentifier"), group.Texts("_SecurityGroups"), $"ElastiCache {name}", "interface", "amazon-elasticache");
        members.Add((JsonNode)new JsonObject
        {
            ["CacheClusterId"] = name,
            ["CacheNodeId"] = "0001",
            ["PreferredAvailabilityZone"] = Zone(subnet),
            ["CurrentRole"] = members.Count == 0 ? "primary" : "replica",
            ["_Interface"] = network.Text("NetworkInterfaceId"),
            ["_Since"] = Documents.Time(context.Now),
        });
    }

    /// <summary>Endpoints and names after nodes came, went or changed their part.</summary>
    private void Settle(RequestContext context, JsonObject group)
    {
        var (id, label, port) = (group.Required("ReplicationGroupId"), EndpointLabel(context), group.Int("_Port") ?? 6379);
        var tls = group.Is("TransitEncryptionEnabled");
        var place = RegionLabel(context.Region);
        var suffix = context.DnsSuffix;
        JsonObject At(string host) => new() { ["Address"] = host, ["Port"] = port };
        foreach (var shard in group.Objects("NodeGroups"))
        {
            shard["Status"] = "available";
            foreach (var member in shard.Objects("NodeGroupMembers"))
            {
                member["ReadEndpoint"] = At(tls ? $"{member.Text("CacheClusterId")}.{id}.{label}.{place}.cache.{suffix}" : $"{member.Text("CacheClusterId")}.{label}.0001.{place}.cache.{suffix}");
            }
            if (group.Is("ClusterEnabled"))
            {
                foreach (var member in shard.Objects("NodeGroupMembers"))
                {
                    member.Remove("CurrentRole");
                }
                continue;
            }
            shard["PrimaryEndpoint"] = At(tls ? $"master.{id}.{label}.{place}.cache.{suffix}" : $"{id}.{label}.ng.0001.{place}.cache.{suffix}");
            shard["ReaderEndpoint"] = At(tls ? $"replica.{id}.{label}.{place}.cache.{suffix}" : $"{id}-ro.{label}.ng.0001.{place}.cache.{suffix}");
        }
        if (group.Is("ClusterEnabled"))
        {
            group["ConfigurationEndpoint"] = At($"clustercfg.{id}.{label}.{place}.cache.{suffix}");
        }
        group["MemberClusters"] = Members(group).Select(member => member.Required("CacheClusterId")).ToTextList();
    }

    /// <summary>The short form of a region in cache endpoints: us-east-1 is use1.</summary>
    private static string RegionLabel(string region)
    {
        var parts = region.Split('-');
        return parts[0] + string.Concat(parts[1..^1].Select(part => part switch { "northeast" => "ne", "northwest" => "nw", "southeast" => "se", "southwest" => "sw", _ => part[..1] })) + parts[^1];
    }

    private static JsonObject Cluster(JsonObject group, JsonObject member, bool nodes)
    {
        var cluster = group.Pick("CacheNodeType", "Engine", "AutoMinorVersionUpgrade", "ReplicationGroupId", "SnapshotWindow", "AuthTokenEnabled", "TransitEncryptionEnabled", "TransitEncryptionMode", "AtRestEncryptionEnabled", "LogDeliveryConfigurations", "NetworkType", "IpDiscovery")
            .With("CacheClusterId", member.Text("CacheClusterId")).With("CacheClusterStatus", group.Text("Status") is "modifying" or "snapshotting" or "deleting" ? group.Text("Status") : "available").With("NumCacheNodes", 1)
            .With("EngineVersion", group.Text("_Version")).With("PreferredAvailabilityZone", member.Text("PreferredAvailabilityZone")).With("CacheClusterCreateTime", member["_Since"].Copy())
            .With("PreferredMaintenanceWindow", group.Text("_Maintenance")).With("CacheSubnetGroupName", group.Text("_SubnetGroup")).With("PendingModifiedValues", new JsonObject()).With("CacheSecurityGroups", new JsonArray())
            .With("CacheParameterGroup", new JsonObject { ["CacheParameterGroupName"] = group.Text("_ParameterGroup"), ["ParameterApplyStatus"] = "in-sync", ["CacheNodeIdsToReboot"] = new JsonArray() })
            .With("SecurityGroups", group.Texts("_SecurityGroups").Select(id => new JsonObject { ["SecurityGroupId"] = id, ["Status"] = "active" }).ToJsonList())
            .With("SnapshotRetentionLimit", member.Text("CurrentRole") == "primary" ? 0 : group["SnapshotRetentionLimit"].Copy())
            .With("ARN", group.Required("ARN").Replace("replicationgroup:" + group.Text("ReplicationGroupId"), "cluster:" + member.Text("CacheClusterId"), StringComparison.Ordinal));
        return nodes ? cluster.With("CacheNodes", new JsonArray(new JsonObject
        {
            ["CacheNodeId"] = "0001",
            ["CacheNodeStatus"] = cluster.Text("CacheClusterStatus"),
            ["CacheNodeCreateTime"] = member["_Since"].Copy(),
            ["Endpoint"] = member["ReadEndpoint"].Copy(),
            ["ParameterGroupStatus"] = "in-sync",
            ["CustomerAvailabilityZone"] = member.Text("PreferredAvailabilityZone"),
        })) : cluster;
    }

    private JsonObject DeleteGroup(RequestContext context, JsonObject input)
    {
        var group = Group(context, input.Required("ReplicationGroupId"));
        var id = group.Required("ReplicationGroupId");
        if (group.Text("Status") is not ("available" or "create-failed"))
        {
            throw new ServiceFault("InvalidReplicationGroupState", $"Replication group {id} has status {group.Text("Status")} which is not valid for deletion.");
        }
        RequireAlone(group, "remove it from that first.");
        if (input.Is("RetainPrimaryCluster"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has no cache clusters outside replication groups, so the primary cannot be retained. Nothing was changed.", 501);
        }
        if (input.Text("FinalSnapshotIdentifier") is { } snapshot)
        {
            NewSnapshot(context, group, snapshot, "manual", new JsonArray());
        }
        var detached = context.Detached();
        var deleting = Groups(context).Update(id, static document => document["Status"] = "deleting")!;
        Later(context, Durations.CacheDelete, group, static _ => { }, () =>
        {
            foreach (var member in Members(Groups(detached).Get(id)!))
            {
                Ec2.ReleaseInterface(detached, member.Text("_Interface"));
            }
            Groups(detached).Remove(id);
            foreach (var userGroup in group.Texts("UserGroupIds"))
            {
                UserGroups(detached).Update(Key(userGroup), document => document["ReplicationGroups"] = document.Texts("ReplicationGroups").Where(item => item != id).ToTextList());
            }
            Record(detached, "replication-group", id, $"Replication group {id} deleted");
        });
        return new JsonObject { ["ReplicationGroup"] = deleting };
    }
}
