using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

internal sealed partial class DynamoDbService
{
    private const int MaximumGlobalIndexes = 20;

    [GeneratedRegex(@"^[a-zA-Z0-9_.-]{3,255}\z")]
    private static partial Regex TableNamePattern();

    private JsonObject CreateTable(RequestContext context, JsonObject input) => Create(context, input, new TableOrigin(Durations.DynamoDbTableCreate, []));

    private JsonObject Create(RequestContext context, JsonObject input, TableOrigin origin)
    {
        var name = input.Required("TableName");
        if (!TableNamePattern().IsMatch(name))
        {
            throw Invalid("TableName must be at least 3 characters long and at most 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'");
        }
        CheckKeys(input);
        var billing = input.Text("BillingMode") ?? "PROVISIONED";
        CheckThroughput(billing, input, "table");
        Services.Tags.Check(input.Objects("Tags"));
        var arn = context.Arn("dynamodb", $"table/{name}");
        var table = new JsonObject
        {
            ["TableName"] = name,
            ["TableArn"] = arn,
            ["TableId"] = Runtime.Ids.Uuid(),
            ["TableStatus"] = "CREATING",
            ["CreationDateTime"] = Documents.Time(context.Now),
            ["DeletionProtectionEnabled"] = input.Is("DeletionProtectionEnabled"),
            ["_Tags"] = input["Tags"].Copy() ?? new JsonArray(),
        };
        table.Take(input, "AttributeDefinitions", "KeySchema", "OnDemandThroughput");
        SetBilling(context, table, billing, input.Child("ProvisionedThroughput"));
        if (input.Text("TableClass") is { } tableClass)
        {
            table["TableClassSummary"] = new JsonObject { ["TableClass"] = tableClass };
        }
        foreach (var member in (string[])["LocalSecondaryIndexes", "GlobalSecondaryIndexes"])
        {
            if (input.Objects(member).Any())
            {
                table[member] = input.Objects(member).Select(index => NewIndex(context, table, index, member[0] == 'G', "CREATING")).ToJsonList();
            }
        }
        SetStream(context, table, input.Child("StreamSpecification"));
        SetEncryption(context, table, input.Child("SSESpecification"));
        if (input.Text("ResourcePolicy") is { } policy)
        {
            table["_ResourcePolicy"] = policy;
        }
        table.With("RestoreSummary", origin.Restore);
        if (!Tables(context).TryAdd(name, table))
        {
            throw new ServiceFault("ResourceInUseException", $"Table already exists: {name}");
        }
        OpenStream(context, table);
        Runtime.After(origin.Duration, () => BecomeActive(context, name, table.Required("TableId"), origin));
        return new JsonObject { ["TableDescription"] = Describe(context, table) };
    }

    /// <summary>The end of CREATING: the table takes items from now on.</summary>
    private void BecomeActive(RequestContext context, string name, string id, TableOrigin origin)
    {
        var isReady = false;
        Tables(context).Update(name, table =>
        {
            if (table.Text("TableId") != id || table.Text("TableStatus") != "CREATING")
            {
                return;
            }
            var definitions = table.Objects("AttributeDefinitions").ToList();
            var store = new TableStore(name, KeySchema.From(table, definitions), Runtime.Clock);
            foreach (var index in table.Objects("LocalSecondaryIndexes"))
            {
                store.AddIndex(index, definitions, false);
            }
            foreach (var index in table.Objects("GlobalSecondaryIndexes"))
            {
                store.AddIndex(index, definitions, true);
                index["IndexStatus"] = "ACTIVE";
            }
            foreach (var item in origin.Items)
            {
                store.Put(store.CheckedKey(item), item);
            }
            SetCapacities(table, store);
            Attach(table, store);
            if (table.Child("RestoreSummary") is { } restore)
            {
                restore["RestoreInProgress"] = false;
            }
            stores[(context.AccountId, context.Region, name)] = store;
            table["TableStatus"] = "ACTIVE";
            isReady = true;
        });
        if (isReady)
        {
            origin.Ready?.Invoke();
        }
    }

    private JsonObject ListTables(RequestContext context, JsonObject input)
    {
        var limit = input.Int("Limit") ?? 100;
        var names = Tables(context).Keys().Where(name => string.CompareOrdinal(name, input.Text("ExclusiveStartTableName") ?? "") > 0).ToList();
        var page = names.Take(limit).ToList();
        return new JsonObject { ["TableNames"] = page.ToTextList() }.With("LastEvaluatedTableName", names.Count > page.Count ? page[^1] : null);
    }

    private JsonObject DeleteTable(RequestContext context, JsonObject input)
    {
        var table = Table(context, input.Required("TableName"));
        var name = table.Required("TableName");
        if (table.Is("DeletionProtectionEnabled"))
        {
            throw Invalid($"Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.");
        }
        RequireActive(table, "deleted", allowUpdating: false);
        var deleting = Tables(context).Update(name, document => document["TableStatus"] = "DELETING")!;
        if (stores.TryRemove((context.AccountId, context.Region, name), out var store) && store.History is not null)
        {
            _ = Keep(context, table, store, name + "$DeletedTableBackup", "SYSTEM");
        }
        CloseStream(deleting);
        Leave(context, table);
        Runtime.After(Durations.DynamoDbTableDelete, () =>
        {
            if (Tables(context).Get(name)?.Text("TableId") == table.Text("TableId"))
            {
                Tables(context).Remove(name);
            }
        });
        return new JsonObject { ["TableDescription"] = Describe(context, deleting) };
    }

    /// <summary>Changes a table; unless the change is this region's alone, also the other members of a global table.</summary>
    private JsonObject UpdateTable(RequestContext context, JsonObject input, bool isLocal)
    {
        var table = Table(context, input.Required("TableName"));
        var name = table.Required("TableName");
        RequireActive(table, "updated", allowUpdating: false);
        if (input.Has("ReplicaUpdates"))
        {
            return UpdateReplicas(context, input, table);
        }
        var store = Store(context, name);
        var indexChanges = input.Objects("GlobalSecondaryIndexUpdates").ToList();
        if (indexChanges.Count(change => change.Has("Create") || change.Has("Delete")) > 1)
        {
            throw new ServiceFault("LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table");
        }
        if (input.Child("StreamSpecification") is { } stream)
        {
            var enabled = table.Child("StreamSpecification")?.Is("StreamEnabled") ?? false;
            if (stream.Is("StreamEnabled") && enabled)
            {
                throw Invalid("Table already has an enabled stream: TableName: " + name);
            }
            if (!stream.Is("StreamEnabled") && !enabled)
            {
                throw Invalid("Table has no stream to disable: TableName: " + name);
            }
            if (!stream.Is("StreamEnabled") && RegionsOf(table).Count > 1)
            {
                throw Invalid("Disabling the stream of a table with replicas is not allowed: TableName: " + name);
            }
        }
        var billing = input.Text("BillingMode");
        var duration = Durations.DynamoDbTableUpdate;
        var completion = new List<Action<JsonObject>>();
        var updated = Tables(context).Update(name, document =>
        {
            document.Take(input, "AttributeDefinitions", "OnDemandThroughput", "DeletionProtectionEnabled");
            if (billing is not null || input.Has("ProvisionedThroughput"))
            {
                SetBilling(context, document, billing ?? BillingOf(document), input.Child("ProvisionedThroughput"));
            }
            if (input.Text("TableClass") is { } tableClass)
            {
                document["TableClassSummary"] = new JsonObject { ["TableClass"] = tableClass, ["LastUpdateDateTime"] = Documents.Time(context.Now) };
            }
            if (input.Has("StreamSpecification"))
            {
                CloseStream(document);
                SetStream(context, document, input.Child("StreamSpecification"));
                OpenStream(context, document);
                Attach(document, store);
            }
            if (input.Has("SSESpecification"))
            {
                SetEncryption(context, document, input.Child("SSESpecification"));
            }
            foreach (var change in indexChanges)
            {
                ApplyIndexChange(context, document, change, store, completion, ref duration);
            }
            document["TableStatus"] = "UPDATING";
        })!;
        Runtime.After(duration, () => Tables(context).Update(name, document =>
        {
            foreach (var finish in completion)
            {
                finish(document);
            }
            SetCapacities(document, store);
            document["TableStatus"] = "ACTIVE";
        }));
        if (!isLocal)
        {
            Share(context, input, table);
        }
        return new JsonObject { ["TableDescription"] = Describe(context, updated) };
    }

    private static void ApplyIndexChange(RequestContext context, JsonObject table, JsonObject change, TableStore store, List<Action<JsonObject>> completion, ref TimeSpan duration)
    {
        var indexes = table.ListOrNew("GlobalSecondaryIndexes");
        JsonObject? Find(JsonObject document, string name) => document.Objects("GlobalSecondaryIndexes").FirstOrDefault(index => index.Text("IndexName") == name);
        if (change.Child("Create") is { } create)
        {
            var name = create.Required("IndexName");
            if (Find(table, name) is not null)
            {
                throw Invalid($"Attempting to create an index which already exists: {name}");
            }
            var defined = table.Objects("AttributeDefinitions").Select(item => item.Text("AttributeName")).ToHashSet();
            if (create.Objects("KeySchema").FirstOrDefault(key => !defined.Contains(key.Text("AttributeName"))) is { } missing)
            {
                throw Invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. "
                    + $"Keys: [{missing.Text("AttributeName")}], AttributeDefinitions: [{string.Join(", ", defined)}]");
            }
            if (indexes.Count >= MaximumGlobalIndexes)
            {
                throw new ServiceFault("LimitExceededException", $"GlobalSecondaryIndex count exceeds the per-table limit of {MaximumGlobalIndexes}");
            }
            var index = NewIndex(context, table, create, true, "CREATING");
            index["Backfilling"] = true;
            indexes.Add((JsonNode)index);
            duration = Durations.DynamoDbIndexCreate;
            completion.Add(document =>
            {
                if (Find(document, name) is { } made)
                {
                    store.AddIndex(made, document.Objects("AttributeDefinitions"), true);
                    made["IndexStatus"] = "ACTIVE";
                    made.Remove("Backfilling");
                }
            });
        }
        else if (change.Child("Delete") is { } delete)
        {
            var name = delete.Required("IndexName");
            var index = Find(table, name) ?? throw new ServiceFault("ResourceNotFoundException", $"Requested resource not found");
            index["IndexStatus"] = "DELETING";
            store.RemoveIndex(name);
            duration = Durations.DynamoDbIndexDelete;
            completion.Add(document =>
            {
                if (Find(document, name) is { } gone)
                {
                    document.ListOrNew("GlobalSecondaryIndexes").Remove(gone);
                    if (document.ListOrNew("GlobalSecondaryIndexes").Count == 0)
                    {
                        document.Remove("GlobalSecondaryIndexes");
                    }
                }
            });
        }
        else if (change.Child("Update") is { } update)
        {
            var index = Find(table, update.Required("IndexName")) ?? throw new ServiceFault("ResourceNotFoundException", "Requested resource not found");
            index.Take(update, "OnDemandThroughput");
            if (update.Child("ProvisionedThroughput") is { } throughput)
            {
                index["ProvisionedThroughput"] = Throughput(throughput);
            }
        }
        if (indexes.Count == 0)
        {
            table.Remove("GlobalSecondaryIndexes");
        }
    }

    private static void RequireActive(JsonObject table, string what, bool allowUpdating)
    {
        var status = table.Text("TableStatus");
        if (status == "ACTIVE" || (allowUpdating && status == "UPDATING"))
        {
            return;
        }
        var reason = status switch
        {
            "CREATING" => "Table is being created",
            "DELETING" => "Table is being deleted",
            _ => "Table is being updated",
        };
        throw new ServiceFault("ResourceInUseException", $"Attempt to change a resource which is still in use: {reason}: {table.Text("TableName")}");
    }

    private JsonObject Describe(RequestContext context, JsonObject table)
    {
        var described = table.Copy();
        var store = stores.GetValueOrDefault((context.AccountId, context.Region, table.Required("TableName")));
        var (count, size) = (0L, 0L);
        if (store is not null)
        {
            lock (store.Gate)
            {
                (count, size) = (store.Items.Count, store.Size);
            }
        }
        described["ItemCount"] = count;
        described["TableSizeBytes"] = size;
        foreach (var index in described.Objects("GlobalSecondaryIndexes").Concat(described.Objects("LocalSecondaryIndexes")))
        {
            index["ItemCount"] = store?.Index(index.Required("IndexName"))?.Entries.Count ?? 0;
            index["IndexSizeBytes"] = 0;
        }
        DescribeReplicas(context, described);
        return described;
    }

    private static JsonObject NewIndex(RequestContext context, JsonObject table, JsonObject input, bool isGlobal, string status)
    {
        var index = input.Pick("IndexName", "KeySchema", "Projection", "OnDemandThroughput");
        index["IndexArn"] = context.Arn("dynamodb", $"table/{table.Text("TableName")}/index/{input.Text("IndexName")}");
        if (isGlobal)
        {
            index["IndexStatus"] = status;
            index["ProvisionedThroughput"] = Throughput(input.Child("ProvisionedThroughput"));
        }
        return index;
    }

    private static JsonObject Throughput(JsonObject? throughput) => new()
    {
        ["NumberOfDecreasesToday"] = 0,
        ["ReadCapacityUnits"] = throughput?.Long("ReadCapacityUnits") ?? 0,
        ["WriteCapacityUnits"] = throughput?.Long("WriteCapacityUnits") ?? 0,
    };

    private static string BillingOf(JsonObject table) => table.Child("BillingModeSummary")?.Text("BillingMode") ?? "PROVISIONED";

    private static void SetBilling(RequestContext context, JsonObject table, string billing, JsonObject? throughput)
    {
        if (billing == "PAY_PER_REQUEST")
        {
            table["BillingModeSummary"] = new JsonObject { ["BillingMode"] = billing, ["LastUpdateToPayPerRequestDateTime"] = Documents.Time(context.Now) };
            table["ProvisionedThroughput"] = Throughput(null);
        }
        else
        {
            if (table.Has("BillingModeSummary"))
            {
                table.ChildOrNew("BillingModeSummary")["BillingMode"] = billing;
            }
            if (throughput is not null)
            {
                table["ProvisionedThroughput"] = Throughput(throughput);
            }
        }
    }

    private static void SetStream(RequestContext context, JsonObject table, JsonObject? specification)
    {
        if (specification is null)
        {
            return;
        }
        if (!specification.Is("StreamEnabled"))
        {
            table.Remove("StreamSpecification");
            return;
        }
        if (specification.Text("StreamViewType") is null)
        {
            throw Invalid("One or more parameter values were invalid: StreamViewType must be specified when StreamEnabled is true");
        }
        var label = context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture);
        table["StreamSpecification"] = specification.Copy();
        table["LatestStreamLabel"] = label;
        table["LatestStreamArn"] = $"{table.Text("TableArn")}/stream/{label}";
    }

    private static void SetEncryption(RequestContext context, JsonObject table, JsonObject? specification)
    {
        if (specification is null)
        {
            return;
        }
        if (!specification.Is("Enabled"))
        {
            table.Remove("SSEDescription");
            return;
        }
        var key = specification.Text("KMSMasterKeyId") is { } given
            ? context.Runtime.Service<Kms.KmsService>().RequireEnabledKey(context, given, "dynamodb")
            : context.Runtime.Service<Kms.KmsService>().ServiceKeyArn(context, "dynamodb");
        table["SSEDescription"] = new JsonObject { ["Status"] = "ENABLED", ["SSEType"] = "KMS", ["KMSMasterKeyArn"] = key };
    }

    private static void CheckThroughput(string billing, JsonObject input, string what)
    {
        var indexes = input.Objects("GlobalSecondaryIndexes").ToList();
        if (billing == "PAY_PER_REQUEST")
        {
            if (input.Has("ProvisionedThroughput") || indexes.Exists(index => index.Has("ProvisionedThroughput")))
            {
                throw Invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST");
            }
            return;
        }
        if (!input.Has("ProvisionedThroughput"))
        {
            throw Invalid("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED");
        }
        if (indexes.Find(index => !index.Has("ProvisionedThroughput")) is { } lacking)
        {
            throw Invalid($"One or more parameter values were invalid: ProvisionedThroughput must be specified for index: {lacking.Text("IndexName")}");
        }
    }

    private static void CheckKeys(JsonObject input)
    {
        var defined = input.Objects("AttributeDefinitions").Select(item => item.Required("AttributeName")).ToList();
        var used = new HashSet<string>(StringComparer.Ordinal);
        void Check(JsonObject holder, string what)
        {
            var keys = holder.Objects("KeySchema").ToList();
            if (keys.Count is 0 or > 2 || keys[0].Text("KeyType") != "HASH" || (keys.Count == 2 && keys[1].Text("KeyType") != "RANGE"))
            {
                throw Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
            }
            if (keys.Count == 2 && keys[0].Text("AttributeName") == keys[1].Text("AttributeName"))
            {
                throw Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name");
            }
            foreach (var key in keys.Select(key => key.Required("AttributeName")))
            {
                used.Add(key);
                if (!defined.Contains(key))
                {
                    throw Invalid($"One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [{key}], AttributeDefinitions: [{string.Join(", ", defined)}]");
                }
            }
            if (what.Length > 0 && holder.Child("Projection") is { } projection
                && projection.Text("ProjectionType") == "INCLUDE" && projection.Texts("NonKeyAttributes").Count == 0)
            {
                throw Invalid("One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified");
            }
        }
        Check(input, "");
        var names = new HashSet<string>(StringComparer.Ordinal);
        var tableHash = input.Objects("KeySchema").First().Text("AttributeName");
        foreach (var index in input.Objects("LocalSecondaryIndexes").Concat(input.Objects("GlobalSecondaryIndexes")))
        {
            Check(index, "index");
            if (!names.Add(index.Required("IndexName")))
            {
                throw Invalid($"One or more parameter values were invalid: Duplicate index name: {index.Text("IndexName")}");
            }
        }
        foreach (var index in input.Objects("LocalSecondaryIndexes"))
        {
            if (index.Objects("KeySchema").First().Text("AttributeName") != tableHash)
            {
                throw Invalid($"One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: {index.Text("IndexName")}. index hash key: {index.Objects("KeySchema").First().Text("AttributeName")}, table hash key: {tableHash}");
            }
        }
        if (input.Objects("GlobalSecondaryIndexes").Count() > MaximumGlobalIndexes)
        {
            throw Invalid($"One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of {MaximumGlobalIndexes}");
        }
        if (defined.Count != used.Count)
        {
            throw Invalid("One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions");
        }
    }
}
