using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElastiCache;

/// <summary>The AWS::ElastiCache resource types.</summary>
internal static partial class ElastiCacheResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<ElastiCacheService>();
        return
        [
            ReplicationGroup(service),
            Simple(service, "AWS::ElastiCache::SubnetGroup", "CacheSubnetGroup", "CacheSubnetGroupName", "CacheSubnetGroupNotFoundFault", ["SubnetIds", "Description"], "CacheSubnetGroupDescription",
                static group => group.Pick("CacheSubnetGroupName").With("Description", group.Text("CacheSubnetGroupDescription")).With("SubnetIds", group.Objects("Subnets").Select(subnet => subnet.Required("SubnetIdentifier")).ToTextList())),
            ParameterGroup(service),
            GlobalReplicationGroup(service),
            User(service),
            UserGroup(service),
        ];
    }

    private static async Task<JsonObject> OneAsync(ElastiCacheService service, ProvisionContext context, string operation, string idMember, string id, string member) =>
        (await service.CallAsync(context, operation, new JsonObject { [idMember] = id }).ConfigureAwait(false)).Objects(member).First();

    private static async Task RetagAsync(ElastiCacheService service, ProvisionContext context, string? arn, JsonObject before, JsonObject after)
    {
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "RemoveTagsFromResource", new JsonObject { ["ResourceName"] = arn, ["TagKeys"] = removed }).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "AddTagsToResource", new JsonObject { ["ResourceName"] = arn, ["Tags"] = put }).ConfigureAwait(false);
        }
    }

    private static JsonObject WithTags(JsonObject properties, JsonObject document) => properties.With("Tags", Tags.OfTemplate(document.Objects("_Tags")));

    private static Provider ReplicationGroup(ElastiCacheService service)
    {
        Task<JsonObject> Group(ProvisionContext context, string id) => OneAsync(service, context, "DescribeReplicationGroups", "ReplicationGroupId", id, "ReplicationGroups");
        Task Available(ProvisionContext context, string id) => context.WaitUntilAsync(async () => (await Group(context, id).ConfigureAwait(false)).Text("Status") switch
        {
            "available" => true,
            "create-failed" => throw new ServiceFault("NotStabilized", $"Replication group {id} could not be created"),
            _ => false,
        }, TimeSpan.FromSeconds(15));
        async Task Resize(ProvisionContext context, string id, int? was, int? now)
        {
            if (was is not null && now is not null && was != now)
            {
                await service.CallAsync(context, now > was ? "IncreaseReplicaCount" : "DecreaseReplicaCount",
                    new JsonObject { ["ReplicationGroupId"] = id, ["NewReplicaCount"] = now - 1, ["ApplyImmediately"] = true }).ConfigureAwait(false);
                await Available(context, id).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::ElastiCache::ReplicationGroup")
        {
            Gone = ["ReplicationGroupNotFoundFault"],
            Busy = ["InvalidReplicationGroupState"],
            // A token can be set and changed in place; a group that had none, or is to have none again, is another one.
            Replaces = static (property, before, after) => property == "NodeGroupConfiguration" || (property == "AuthToken" && before.Has("AuthToken") != after.Has("AuthToken") && !after.Has("UserGroupIds") && !before.Has("UserGroupIds")),
            Create = async (context, properties) =>
            {
                var id = context.NameOf(properties, "ReplicationGroupId", 40, lowerCase: true);
                var input = PropertyMapper.ToInput(service, "CreateReplicationGroup", properties.Tagged(context));
                input["ReplicationGroupId"] = id;
                await service.CallAsync(context, "CreateReplicationGroup", input).ConfigureAwait(false);
                context.Initiated(id);
                await Available(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                var (was, now) = (before.Int("NumCacheClusters"), after.Int("NumCacheClusters"));
                if (now > was)
                {
                    // Replicas come before the failover that needs them, and go after it.
                    await Resize(context, id, was, now).ConfigureAwait(false);
                }
                var change = new JsonObject();
                foreach (var name in (string[])["ReplicationGroupDescription", "CacheNodeType", "Engine", "EngineVersion", "CacheParameterGroupName", "AutomaticFailoverEnabled", "MultiAZEnabled", "SecurityGroupIds",
                    "PreferredMaintenanceWindow", "SnapshotRetentionLimit", "SnapshotWindow", "AutoMinorVersionUpgrade", "TransitEncryptionMode"])
                {
                    if (after.Changed(before, name) && after.Has(name))
                    {
                        change[name] = after[name].Copy();
                    }
                }
                if (after.Changed(before, "AuthToken") && after.Has("AuthToken"))
                {
                    change["AuthToken"] = after["AuthToken"].Copy();
                    change["AuthTokenUpdateStrategy"] = before.Has("AuthToken") ? "ROTATE" : "SET";
                }
                else if (before.Has("AuthToken") && !after.Has("AuthToken"))
                {
                    change["AuthTokenUpdateStrategy"] = "DELETE";
                }
                if (after.Changed(before, "UserGroupIds"))
                {
                    change["UserGroupIdsToAdd"] = after.Texts("UserGroupIds").Except(before.Texts("UserGroupIds")).ToTextList();
                    change["UserGroupIdsToRemove"] = before.Texts("UserGroupIds").Except(after.Texts("UserGroupIds")).ToTextList();
                }
                if (after.Changed(before, "LogDeliveryConfigurations"))
                {
                    var kept = after.Objects("LogDeliveryConfigurations").Select(item => item.Text("LogType")).ToHashSet();
                    change["LogDeliveryConfigurations"] = after.Objects("LogDeliveryConfigurations").Select(item => item.Copy().With("Enabled", true))
                        .Concat(before.Objects("LogDeliveryConfigurations").Where(item => !kept.Contains(item.Text("LogType"))).Select(item => item.Pick("LogType").With("Enabled", false))).ToJsonList();
                }
                if (change.Count > 0)
                {
                    var input = PropertyMapper.ToInput(service, "ModifyReplicationGroup", change);
                    input["ReplicationGroupId"] = id;
                    input["ApplyImmediately"] = true;
                    await service.CallAsync(context, "ModifyReplicationGroup", input).ConfigureAwait(false);
                    await Available(context, id).ConfigureAwait(false);
                }
                if (now < was)
                {
                    await Resize(context, id, was, now).ConfigureAwait(false);
                }
                await RetagAsync(service, context, (await Group(context, id).ConfigureAwait(false)).Text("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = async (context, id, _) =>
            {
                if ((await Group(context, id).ConfigureAwait(false)).Text("Status") != "deleting")
                {
                    await service.CallAsync(context, "DeleteReplicationGroup", new JsonObject { ["ReplicationGroupId"] = id }
                        .With("FinalSnapshotIdentifier", context.TakeSnapshot ? $"{id}-final-{context.Runtime.Ids.Lower(8)}" : null)).ConfigureAwait(false);
                }
                await context.WaitUntilAsync(async () => await Group(context, id).ConfigureAwait(false) is null, TimeSpan.FromSeconds(15)).ConfigureAwait(false);
            },
            Read = async (context, id) =>
            {
                var group = await Group(context, id).ConfigureAwait(false);
                var asked = group.Text("_AskedVersion");
                var properties = group.Pick("ReplicationGroupId", "CacheNodeType", "Engine", "SnapshotRetentionLimit", "SnapshotWindow", "TransitEncryptionEnabled", "TransitEncryptionMode", "AtRestEncryptionEnabled",
                    "KmsKeyId", "AutoMinorVersionUpgrade", "UserGroupIds", "NetworkType", "IpDiscovery");
                properties["ReplicationGroupDescription"] = group.Text("Description");
                properties["AutomaticFailoverEnabled"] = group.Text("AutomaticFailover") == "enabled";
                properties["MultiAZEnabled"] = group.Text("MultiAZ") == "enabled";
                properties["EngineVersion"] = asked is not null && CacheCatalog.Find(group.Required("Engine"), asked)?.Runs == group.Text("_Version") ? asked : group.Text("_Version");
                properties["CacheParameterGroupName"] = group.Text("_ParameterGroup");
                properties["CacheSubnetGroupName"] = group.Text("_SubnetGroup");
                properties["SecurityGroupIds"] = group["_SecurityGroups"].Copy();
                properties["Port"] = group["_Port"].Copy();
                properties["PreferredMaintenanceWindow"] = group.Text("_Maintenance");
                properties["NumCacheClusters"] = group.Texts("MemberClusters").Count;
                properties["LogDeliveryConfigurations"] = group.Objects("LogDeliveryConfigurations").Select(item => item.Pick("LogType", "LogFormat", "DestinationType", "DestinationDetails")).ToJsonList();
                return group.Text("Status") == "deleting" ? null : WithTags(properties, group);
            },
            Attributes = async (context, id) =>
            {
                var group = await Group(context, id).ConfigureAwait(false);
                var shard = group.Objects("NodeGroups").First();
                var (primary, reader, all) = (shard.Child("PrimaryEndpoint"), shard.Child("ReaderEndpoint"), group.Child("ConfigurationEndpoint"));
                var reads = shard.Objects("NodeGroupMembers").Select(member => member.Child("ReadEndpoint")).OfType<JsonObject>().ToList();
                return ProviderExtensions.Attributes(("PrimaryEndPoint.Address", primary?["Address"]), ("PrimaryEndPoint.Port", primary?.Text("Port")), ("ReaderEndPoint.Address", reader?["Address"]), ("ReaderEndPoint.Port", reader?.Text("Port")),
                    ("ConfigurationEndPoint.Address", all?["Address"]), ("ConfigurationEndPoint.Port", all?.Text("Port")),
                    ("ReadEndPoint.Addresses", string.Join(',', reads.Select(item => item.Text("Address")))), ("ReadEndPoint.AddressesList", reads.Select(item => item.Required("Address")).ToTextList()),
                    ("ReadEndPoint.Ports", string.Join(',', reads.Select(item => item.Text("Port")))), ("ReadEndPoint.PortsList", reads.Select(item => item.Required("Port")).ToTextList()));
            },
        };
    }

    private static Provider Simple(ElastiCacheService service, string type, string kind, string nameMember, string gone, string[] changeable, string descriptionMember, Func<JsonObject, JsonObject> read)
    {
        Task<JsonObject> Find(ProvisionContext context, string name) => OneAsync(service, context, $"Describe{kind}s", nameMember, name, kind + "s");
        return new Provider(type)
        {
            Gone = [gone],
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "Create" + kind, properties.Tagged(context), ("Description", descriptionMember));
                input[nameMember] = context.NameOf(properties, nameMember, lowerCase: true);
                return (await service.CallAsync(context, "Create" + kind, input).ConfigureAwait(false)).Child(kind)!.Required(nameMember);
            },
            Update = async (context, name, before, after) =>
            {
                if (after.Changed(before, changeable))
                {
                    var input = PropertyMapper.ToInput(service, "Modify" + kind, after.Pick(changeable), ("Description", descriptionMember));
                    input[nameMember] = name;
                    await service.CallAsync(context, "Modify" + kind, input).ConfigureAwait(false);
                }
                await RetagAsync(service, context, (await Find(context, name).ConfigureAwait(false)).Text("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "Delete" + kind, new JsonObject { [nameMember] = name }),
            Read = async (context, name) => await Find(context, name).ConfigureAwait(false) is var found ? WithTags(read(found), found) : null,
        };
    }

    private static Provider ParameterGroup(ElastiCacheService service)
    {
        const string Member = "CacheParameterGroupName";
        Task<JsonObject> Find(ProvisionContext context, string name) => OneAsync(service, context, "DescribeCacheParameterGroups", Member, name, "CacheParameterGroups");
        static JsonArray Values(IEnumerable<KeyValuePair<string, string>> pairs) => pairs.Select(pair => new JsonObject { ["ParameterName"] = pair.Key, ["ParameterValue"] = pair.Value }).ToJsonList();
        async Task Set(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            var (was, now) = (before.Map("Properties"), after.Map("Properties"));
            var put = now.Where(pair => was.GetValueOrDefault(pair.Key) != pair.Value).ToList();
            var gone = was.Where(pair => !now.ContainsKey(pair.Key)).ToList();
            if (put.Count > 0)
            {
                await service.CallAsync(context, "ModifyCacheParameterGroup", new JsonObject { [Member] = name, ["ParameterNameValues"] = Values(put) }).ConfigureAwait(false);
            }
            if (gone.Count > 0)
            {
                await service.CallAsync(context, "ResetCacheParameterGroup", new JsonObject { [Member] = name, ["ParameterNameValues"] = Values(gone) }).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::ElastiCache::ParameterGroup")
        {
            Gone = ["CacheParameterGroupNotFound"],
            Create = async (context, properties) =>
            {
                var name = context.GenerateName(255, lowerCase: true);
                await service.CallMappedAsync(context, "CreateCacheParameterGroup", properties.Tagged(context).With(Member, name)).ConfigureAwait(false);
                context.Initiated(name);
                await Set(context, name, [], properties).ConfigureAwait(false);
                return name;
            },
            Update = async (context, name, before, after) =>
            {
                await Set(context, name, before, after).ConfigureAwait(false);
                await RetagAsync(service, context, (await Find(context, name).ConfigureAwait(false)).Text("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteCacheParameterGroup", new JsonObject { [Member] = name }),
            Read = async (context, name) =>
            {
                var group = await Find(context, name).ConfigureAwait(false);
                var own = await service.CallAsync(context, "DescribeCacheParameters", new JsonObject { [Member] = name, ["Source"] = "user" }).ConfigureAwait(false);
                return WithTags(group.Pick("CacheParameterGroupFamily", "Description", Member)
                    .With("Properties", own.Objects("Parameters").ToDictionary(item => item.Required("ParameterName"), item => item.Required("ParameterValue")).ToMap()), group);
            },
            Attributes = (_, name) => Task.FromResult(ProviderExtensions.Attributes((Member, name))),
        };
    }

    private static Provider User(ElastiCacheService service)
    {
        Task<JsonObject> Find(ProvisionContext context, string id) => OneAsync(service, context, "DescribeUsers", "UserId", id, "Users");
        return new Provider("AWS::ElastiCache::User")
        {
            Gone = ["UserNotFound"],
            Create = async (context, properties) => (await service.CallMappedAsync(context, "CreateUser", properties.Tagged(context)).ConfigureAwait(false)).Required("UserId"),
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "AccessString", "AuthenticationMode", "Passwords", "NoPasswordRequired", "Engine"))
                {
                    await service.CallMappedAsync(context, "ModifyUser", after.Pick("AccessString", "AuthenticationMode", "Passwords", "NoPasswordRequired", "Engine").With("UserId", id)).ConfigureAwait(false);
                    await context.WaitUntilAsync(async () => (await Find(context, id).ConfigureAwait(false)).Text("Status") == "active").ConfigureAwait(false);
                }
                await RetagAsync(service, context, (await Find(context, id).ConfigureAwait(false)).Text("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteUser", new JsonObject { ["UserId"] = id }),
            Read = async (context, id) => await Find(context, id).ConfigureAwait(false) is var user ? WithTags(user.Pick("UserId", "UserName", "Engine"), user) : null,
            Attributes = async (context, id) => await Find(context, id).ConfigureAwait(false) is var user ? ProviderExtensions.Attributes(("Arn", user["ARN"]), ("Status", user["Status"])) : ProvisionedResource.NoAttributes,
        };
    }

    private static Provider UserGroup(ElastiCacheService service)
    {
        Task<JsonObject> Find(ProvisionContext context, string id) => OneAsync(service, context, "DescribeUserGroups", "UserGroupId", id, "UserGroups");
        Task Active(ProvisionContext context, string id) => context.WaitUntilAsync(async () => (await Find(context, id).ConfigureAwait(false)).Text("Status") == "active");
        return new Provider("AWS::ElastiCache::UserGroup")
        {
            Gone = ["UserGroupNotFound"],
            Create = async (context, properties) =>
            {
                var id = (await service.CallMappedAsync(context, "CreateUserGroup", properties.Tagged(context)).ConfigureAwait(false)).Required("UserGroupId");
                context.Initiated(id);
                await Active(context, id).ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "UserIds", "Engine"))
                {
                    await service.CallAsync(context, "ModifyUserGroup", new JsonObject
                    {
                        ["UserGroupId"] = id,
                        ["UserIdsToAdd"] = after.Texts("UserIds").Except(before.Texts("UserIds")).ToTextList(),
                        ["UserIdsToRemove"] = before.Texts("UserIds").Except(after.Texts("UserIds")).ToTextList(),
                    }.With("Engine", after["Engine"].Copy())).ConfigureAwait(false);
                    await Active(context, id).ConfigureAwait(false);
                }
                await RetagAsync(service, context, (await Find(context, id).ConfigureAwait(false)).Text("ARN"), before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteUserGroup", new JsonObject { ["UserGroupId"] = id }),
            Read = async (context, id) => await Find(context, id).ConfigureAwait(false) is var group ? WithTags(group.Pick("UserGroupId", "Engine", "UserIds"), group) : null,
            Attributes = async (context, id) => await Find(context, id).ConfigureAwait(false) is var group ? ProviderExtensions.Attributes(("Arn", group["ARN"]), ("Status", group["Status"])) : ProvisionedResource.NoAttributes,
        };
    }
}
