using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>
/// Global tables (version 2019.11.21): tables of one name in several regions. A write reaches the other regions after a lag; of two writes to one
/// item the later wins everywhere, and of two at the same moment the one whose region sorts last.
/// </summary>
internal sealed partial class DynamoDbService
{
    private const string GlobalVersion = "2019.11.21";

    private static List<string> RegionsOf(JsonObject table) => [.. table.Texts("_Regions")];

    /// <summary>What DescribeTable tells of the other regions.</summary>
    private void DescribeReplicas(RequestContext context, JsonObject described)
    {
        var others = RegionsOf(described).Where(region => region != context.Region).ToList();
        if (others.Count == 0)
        {
            return;
        }
        var name = described.Required("TableName");
        described["GlobalTableVersion"] = GlobalVersion;
        described["Replicas"] = others.Select(region =>
        {
            var replica = Tables(context.InRegion(region)).Get(name);
            var status = replica?.Text("TableStatus") switch { "CREATING" or "DELETING" => replica.Text("TableStatus"), null => "DELETING", _ => "ACTIVE" };
            return new JsonObject { ["RegionName"] = region, ["ReplicaStatus"] = status, ["ReplicaArn"] = context.InRegion(region).Arn("dynamodb", "table/" + name) }
                .With("KMSMasterKeyId", replica?.Child("SSEDescription")?["KMSMasterKeyArn"].Copy())
                .With("ReplicaTableClassSummary", replica?["TableClassSummary"].Copy());
        }).ToJsonList();
    }

    /// <summary>Adds or takes away a replica. Like AWS, one at a time and nothing else with it.</summary>
    private JsonObject UpdateReplicas(RequestContext context, JsonObject input, JsonObject table)
    {
        var updates = input.Objects("ReplicaUpdates").ToList();
        if (updates.Count != 1 || input.Has("GlobalSecondaryIndexUpdates") || input.Has("ProvisionedThroughput") || input.Has("BillingMode") || input.Has("StreamSpecification"))
        {
            throw Invalid("One or more parameter values were invalid: only one replica can be created, updated or deleted at a time, and not together with other changes of the table");
        }
        var (kind, change) = updates[0].Where(pair => pair.Value is JsonObject).Select(pair => (pair.Key, (JsonObject)pair.Value!)).FirstOrDefault();
        var region = change?.Required("RegionName") ?? throw Invalid("One or more parameter values were invalid: ReplicaUpdates must name Create, Update or Delete");
        if (region == context.Region)
        {
            throw Invalid("Cannot add, delete, or update the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as required.");
        }
        if (!Runtime.EnabledRegions.Contains(region))
        {
            throw Invalid($"One or more parameter values were invalid: unsupported region {region}");
        }
        switch (kind)
        {
            case "Create":
                CreateReplica(context, table, change, region);
                break;
            case "Delete":
                DeleteReplica(context, table, region);
                break;
            default:
                UpdateReplica(context, table, change, region);
                break;
        }
        return new JsonObject { ["TableDescription"] = Describe(context, Tables(context).Get(table.Required("TableName"))!) };
    }

    private void CreateReplica(RequestContext context, JsonObject table, JsonObject change, string region)
    {
        var name = table.Required("TableName");
        if (table.Child("StreamSpecification")?.Text("StreamViewType") != "NEW_AND_OLD_IMAGES")
        {
            throw Invalid("One or more parameter values were invalid: a table with replicas must have a stream of the view type NEW_AND_OLD_IMAGES");
        }
        var there = context.InRegion(region);
        if (RegionsOf(table).Contains(region) || Tables(there).Contains(name))
        {
            throw Invalid($"Failed to create a the new replica of table with name: '{name}' because one or more replicas already existed as tables.");
        }
        var create = table.Pick("TableName", "AttributeDefinitions", "KeySchema", "StreamSpecification");
        create["BillingMode"] = BillingOf(table);
        var isProvisioned = BillingOf(table) == "PROVISIONED";
        if (isProvisioned)
        {
            create["ProvisionedThroughput"] = table.Child("ProvisionedThroughput")!.Pick("ReadCapacityUnits", "WriteCapacityUnits");
            create.Child("ProvisionedThroughput")!.With("ReadCapacityUnits", change.Child("ProvisionedThroughputOverride")?["ReadCapacityUnits"].Copy());
        }
        foreach (var member in (string[])["GlobalSecondaryIndexes", "LocalSecondaryIndexes"])
        {
            if (table.Has(member))
            {
                create[member] = table.Objects(member).Select(index => isProvisioned && member[0] == 'G'
                    ? index.Pick("IndexName", "KeySchema", "Projection").With("ProvisionedThroughput", index.Child("ProvisionedThroughput")?.Pick("ReadCapacityUnits", "WriteCapacityUnits"))
                    : index.Pick("IndexName", "KeySchema", "Projection")).ToJsonList();
            }
        }
        if (change.Text("KMSMasterKeyId") is { } key)
        {
            create["SSESpecification"] = new JsonObject { ["Enabled"] = true, ["SSEType"] = "KMS", ["KMSMasterKeyId"] = key };
        }
        else if (table.Has("SSEDescription"))
        {
            if (table.Child("SSEDescription")!.Text("KMSMasterKeyArn") != Runtime.Service<Kms.KmsService>().ServiceKeyArn(context, "dynamodb"))
            {
                throw Invalid("One or more parameter values were invalid: a table with a key of its own needs KMSMasterKeyId, a key in the replica's region");
            }
            create["SSESpecification"] = new JsonObject { ["Enabled"] = true, ["SSEType"] = "KMS" };
        }
        create.With("TableClass", (change["TableClassOverride"] ?? table.Child("TableClassSummary")?["TableClass"]).Copy());
        // The items follow when it is ready: until then it takes none.
        _ = Create(there, create, new TableOrigin(Durations.DynamoDbReplicaCreate, []) { Ready = () => FillReplica(context, name, region) });
        var group = RegionsOf(table) is { Count: > 0 } present ? present : [context.Region];
        SetRegions(context, name, [.. group, region]);
        Tables(there).Update(name, document => document.With("_TimeToLive", table["_TimeToLive"].Copy()));
        SetStatus(context, name, "UPDATING");
    }

    private void SetStatus(RequestContext context, string name, string status) => Tables(context).Update(name, document => document["TableStatus"] = status);

    /// <summary>Tells every member of a group of its members.</summary>
    private void SetRegions(RequestContext context, string name, List<string> regions)
    {
        foreach (var region in regions)
        {
            Tables(context.InRegion(region)).Update(name, document =>
            {
                document["_Regions"] = regions.Count > 1 ? regions.ToTextList() : null;
                if (stores.TryGetValue((context.AccountId, region, name), out var store))
                {
                    Follow(context.InRegion(region), store, regions);
                }
            });
            ReplicationLatency.Follow(context.AccountId, region);
        }
    }

    /// <summary>Lets a table's writes go to the other members.</summary>
    private void Follow(RequestContext context, TableStore store, List<string> regions)
    {
        lock (store.Gate)
        {
            if (store.Replicas is null && regions.Count > 1)
            {
                store.Changed += change => Replicate(context, store, change);
            }
            store.Replicas = regions.Where(region => region != context.Region).ToList();
        }
    }

    /// <summary>The end of a replica's creation: it has what the table has, and from now on hears of every write.</summary>
    private void FillReplica(RequestContext context, string name, string region)
    {
        if (Tables(context).Get(name) is not { } table || !stores.TryGetValue((context.AccountId, context.Region, name), out var source)
            || !stores.TryGetValue((context.AccountId, region, name), out var target))
        {
            return;
        }
        SetRegions(context, name, RegionsOf(table));
        // In the order of regions, as replication never holds two tables' locks otherwise.
        List<(PrimaryKey Key, IReadOnlyDictionary<string, AttributeValue> Item, ItemVersion Version)> items;
        lock (source.Gate)
        {
            items = source.Items.Scan(0, 1, null).Select(stored => new PrimaryKey(stored.Partition, stored.Sort))
                .Select(key => (key, source.Get(key)!, source.Versions.GetValueOrDefault(key))).ToList();
        }
        foreach (var (key, item, version) in items)
        {
            Arrive(target, key, item, version);
        }
        SetStatus(context, name, "ACTIVE");
    }

    private readonly ReplicationMeter<(string Account, string From, string Table, string To)> replication = new();

    /// <summary>How long writes take to the other members. While nothing gets through, as long as the first has been waiting.</summary>
    private MetricSource ReplicationLatency => replicationLatency ??= new MetricSource(Runtime,
        place => Tables(place).Any(static table => table.Has("_Regions")),
        (monitoring, place, minute) =>
        {
            foreach (var way in replication.Ways.Where(way => way.Account == place.AccountId && way.From == place.Region))
            {
                var figures = replication.Take(way, place.Now);
                var samples = figures.Latencies.Select(static item => (item.Value * 1000, item.Count)).ToList();
                if (figures.Oldest is { } oldest && oldest > TimeSpan.FromMinutes(1))
                {
                    samples.Add((oldest.TotalMilliseconds, 1));
                }
                if (samples.Count > 0)
                {
                    monitoring.Publish(place, "AWS/DynamoDB", "ReplicationLatency", minute, samples, "Milliseconds", ("TableName", way.Table), ("ReceivingRegion", way.To));
                }
            }
        });

    private MetricSource? replicationLatency;

    /// <summary>Sends a write to the other members. Under the table's lock.</summary>
    private void Replicate(RequestContext context, TableStore store, ItemChange change)
    {
        if (change.Cause == ChangeCause.Replication || store.Replicas is not { Count: > 0 } others)
        {
            return;
        }
        var version = new ItemVersion(context.Now, context.Region);
        store.Versions[change.Key] = version;
        foreach (var region in others)
        {
            var way = (context.AccountId, context.Region, store.Name, region);
            replication.Sent(way, context.Now);
            Runtime.Links.Send(ModelName, store.Name, context.Region, region, Durations.DynamoDbReplication, () =>
            {
                replication.Arrived(way, Runtime.Clock.Now);
                if (stores.TryGetValue((context.AccountId, region, store.Name), out var target))
                {
                    Arrive(target, change.Key, change.After, version);
                }
            });
        }
    }

    /// <summary>A write that comes from another region, unless a later one is there already.</summary>
    private static void Arrive(TableStore target, PrimaryKey key, IReadOnlyDictionary<string, AttributeValue>? item, ItemVersion version)
    {
        lock (target.Gate)
        {
            if (target.Versions.TryGetValue(key, out var present) && present.CompareTo(version) >= 0)
            {
                return;
            }
            target.Versions[key] = version;
            if (item is null)
            {
                target.Remove(key, ChangeCause.Replication);
            }
            else
            {
                target.Put(key, item, ChangeCause.Replication);
            }
        }
    }

    private void DeleteReplica(RequestContext context, JsonObject table, string region)
    {
        var name = table.Required("TableName");
        var there = context.InRegion(region);
        if (!RegionsOf(table).Contains(region) || Tables(there).Get(name) is not { } replica)
        {
            throw Invalid($"Replica with region name {region} does not exist");
        }
        if (replica.Is("DeletionProtectionEnabled"))
        {
            throw Invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
        }
        _ = DeleteTable(there, new JsonObject { ["TableName"] = name });
        SetStatus(context, name, "UPDATING");
        Runtime.After(Durations.DynamoDbTableDelete, () => SetStatus(context, name, "ACTIVE"));
    }

    /// <summary>A member that goes away is no longer sent to.</summary>
    private void Leave(RequestContext context, JsonObject table)
    {
        var rest = RegionsOf(table).Where(region => region != context.Region).ToList();
        SetRegions(context, table.Required("TableName"), rest);
    }

    private void UpdateReplica(RequestContext context, JsonObject table, JsonObject change, string region)
    {
        var name = table.Required("TableName");
        if (!RegionsOf(table).Contains(region))
        {
            throw Invalid($"Replica with region name {region} does not exist");
        }
        var update = new JsonObject { ["TableName"] = name };
        if (change.Text("KMSMasterKeyId") is { } key)
        {
            update["SSESpecification"] = new JsonObject { ["Enabled"] = true, ["SSEType"] = "KMS", ["KMSMasterKeyId"] = key };
        }
        update.With("TableClass", change["TableClassOverride"].Copy());
        var there = context.InRegion(region);
        if (change.Child("ProvisionedThroughputOverride") is { } throughput)
        {
            update["ProvisionedThroughput"] = Tables(there).Get(name)!.Child("ProvisionedThroughput")!.Pick("WriteCapacityUnits").With("ReadCapacityUnits", throughput["ReadCapacityUnits"].Copy());
        }
        _ = UpdateTable(there, update, isLocal: true);
    }

    /// <summary>Takes what all members share to the others: billing, writes' capacity, indexes, and the attributes that these name.</summary>
    private void Share(RequestContext context, JsonObject input, JsonObject table)
    {
        foreach (var region in RegionsOf(table).Where(region => region != context.Region))
        {
            var there = context.InRegion(region);
            var name = table.Required("TableName");
            if (Tables(there).Get(name) is not { } replica || replica.Text("TableStatus") is not "ACTIVE")
            {
                continue;
            }
            var shared = input.Pick("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexUpdates");
            if (input.Child("ProvisionedThroughput") is { } throughput)
            {
                var reads = BillingOf(replica) == "PROVISIONED" ? replica.Child("ProvisionedThroughput")!["ReadCapacityUnits"] : throughput["ReadCapacityUnits"];
                shared["ProvisionedThroughput"] = throughput.Pick("WriteCapacityUnits").With("ReadCapacityUnits", reads.Copy());
            }
            if (shared.Count > 0)
            {
                shared["TableName"] = name;
                _ = UpdateTable(there, shared, isLocal: true);
            }
        }
    }
}
