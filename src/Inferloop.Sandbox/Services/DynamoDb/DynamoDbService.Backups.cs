using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.DynamoDb;

/// <summary>Backups on demand, recovery to a point in time, and the tables restored from them.</summary>
internal sealed partial class DynamoDbService
{
    private static readonly TimeSpan SystemBackupLife = TimeSpan.FromDays(35);

    /// <summary>What backups hold. Items are never changed in place, so a backup shares them with its table.</summary>
    private readonly ConcurrentDictionary<string, IReadOnlyList<IReadOnlyDictionary<string, AttributeValue>>> backupItems = new(StringComparer.Ordinal);

    private void AddBackups()
    {
        On("CreateBackup", CreateBackup);
        On("DescribeBackup", (context, input) => new JsonObject { ["BackupDescription"] = Shown(Backup(context, input.Required("BackupArn"))) });
        On("ListBackups", ListBackups);
        On("DeleteBackup", DeleteBackup);
        On("RestoreTableFromBackup", RestoreTableFromBackup);
        On("RestoreTableToPointInTime", RestoreTableToPointInTime);
    }

    private Collection Backups(RequestContext context) => Collection(context, "backups");

    private static JsonObject Shown(JsonObject backup) => backup.Pick("BackupDetails", "SourceTableDetails", "SourceTableFeatureDetails");

    private JsonObject Backup(RequestContext context, string arn) => Backups(context).Get(arn)
        ?? throw new ServiceFault("BackupNotFoundException", $"Backup not found: {arn}");

    private JsonObject CreateBackup(RequestContext context, JsonObject input)
    {
        var name = NameOf(input.Required("TableName"));
        var table = Tables(context).Get(name) ?? throw new ServiceFault("TableNotFoundException", $"Table not found: {name}");
        if (!stores.TryGetValue((context.AccountId, context.Region, name), out var store))
        {
            throw new ServiceFault("TableInUseException", $"Table {name} is not in a state in which it can be backed up: {table.Text("TableStatus")}");
        }
        var backup = Keep(context, table, store, input.Required("BackupName"), "USER");
        return new JsonObject { ["BackupDetails"] = backup.Child("BackupDetails").Copy() };
    }

    /// <summary>Makes a backup of what a table holds at this moment.</summary>
    private JsonObject Keep(RequestContext context, JsonObject table, TableStore store, string name, string type, string? recoveryPoint = null)
    {
        var arn = recoveryPoint ?? $"{table.Text("TableArn")}/backup/{context.Now.ToUnixTimeMilliseconds().ToString("D14", CultureInfo.InvariantCulture)}-{Runtime.Ids.Hex(8)}";
        List<IReadOnlyDictionary<string, AttributeValue>> items;
        long size;
        lock (store.Gate)
        {
            items = store.Items.Scan(0, 1, null).Select(stored => stored.Item).ToList();
            size = store.Size;
        }
        var isUser = type == "USER";
        var source = table.Pick("TableName", "TableId", "TableArn", "KeySchema", "OnDemandThroughput");
        source["TableSizeBytes"] = size;
        source["ItemCount"] = items.Count;
        source["TableCreationDateTime"] = table["CreationDateTime"].Copy();
        source["ProvisionedThroughput"] = table.Child("ProvisionedThroughput")!.Pick("ReadCapacityUnits", "WriteCapacityUnits");
        source["BillingMode"] = BillingOf(table);
        static JsonArray Indexes(IEnumerable<JsonObject> indexes, bool isGlobal) => indexes.Select(index =>
        {
            var kept = index.Pick("IndexName", "KeySchema", "Projection");
            return isGlobal ? kept.With("ProvisionedThroughput", index.Child("ProvisionedThroughput")?.Pick("ReadCapacityUnits", "WriteCapacityUnits")) : kept;
        }).ToJsonList();
        var backup = new JsonObject
        {
            ["BackupDetails"] = new JsonObject
            {
                ["BackupArn"] = arn,
                ["BackupName"] = name,
                ["BackupSizeBytes"] = size,
                ["BackupStatus"] = isUser ? "CREATING" : "AVAILABLE",
                ["BackupType"] = type,
                ["BackupCreationDateTime"] = Documents.Time(context.Now),
            }.With("BackupExpiryDateTime", type != "SYSTEM" ? null : Documents.Time(context.Now + SystemBackupLife)),
            ["SourceTableDetails"] = source,
            ["SourceTableFeatureDetails"] = new JsonObject
            {
                ["LocalSecondaryIndexes"] = Indexes(table.Objects("LocalSecondaryIndexes"), false),
                ["GlobalSecondaryIndexes"] = Indexes(table.Objects("GlobalSecondaryIndexes"), true),
            }.With("StreamDescription", table["StreamSpecification"].Copy()).With("TimeToLiveDescription", table["_TimeToLive"].Copy()).With("SSEDescription", table["SSEDescription"].Copy()),
            ["_Table"] = table.Copy(),
        };
        backupItems[arn] = items;
        Backups(context).Put(arn, backup);
        if (type == "AWS_BACKUP")
        {
            return backup;
        }
        Runtime.After(isUser ? Durations.DynamoDbBackup : SystemBackupLife, () =>
        {
            if (isUser)
            {
                Backups(context).Update(arn, document => document.Child("BackupDetails")!["BackupStatus"] = "AVAILABLE");
            }
            else
            {
                Backups(context).Remove(arn);
                backupItems.TryRemove(arn, out _);
            }
        });
        return backup;
    }

    private JsonObject ListBackups(RequestContext context, JsonObject input)
    {
        var table = input.Text("TableName") is { } given ? NameOf(given) : null;
        var type = input.Text("BackupType") ?? "ALL";
        var (from, to) = (input.TimeOf("TimeRangeLowerBound"), input.TimeOf("TimeRangeUpperBound"));
        var all = Backups(context).All().Where(backup =>
        {
            if (backup.Child("BackupDetails")!.Required("BackupArn").Contains(":backup:", StringComparison.Ordinal))
            {
                // Those that AWS Backup manages are its alone.
                return false;
            }
            var (details, source) = (backup.Child("BackupDetails")!, backup.Child("SourceTableDetails")!);
            var at = details.TimeOf("BackupCreationDateTime");
            return (table is null || source.Text("TableName") == table) && (type == "ALL" || details.Text("BackupType") == type)
                && !(at < from) && !(at >= to) && string.CompareOrdinal(details.Text("BackupArn"), input.Text("ExclusiveStartBackupArn") ?? "") > 0;
        }).ToList();
        var page = all.Take(input.Int("Limit") ?? 100).ToList();
        var summaries = page.Select(backup => backup.Child("SourceTableDetails")!.Pick("TableName", "TableId", "TableArn")
            .Take(backup.Child("BackupDetails")!, "BackupArn", "BackupName", "BackupCreationDateTime", "BackupExpiryDateTime", "BackupStatus", "BackupType", "BackupSizeBytes"));
        return new JsonObject { ["BackupSummaries"] = summaries.ToJsonList() }
            .With("LastEvaluatedBackupArn", all.Count > page.Count ? page[^1].Child("BackupDetails")!["BackupArn"].Copy() : null);
    }

    private JsonObject DeleteBackup(RequestContext context, JsonObject input)
    {
        var arn = input.Required("BackupArn");
        var backup = Available(context, arn);
        if (backup.Child("BackupDetails")!.Text("BackupType") != "USER")
        {
            throw Invalid("Backups of type SYSTEM cannot be deleted: they expire.");
        }
        Backups(context).Remove(arn);
        backupItems.TryRemove(arn, out _);
        backup.Child("BackupDetails")!["BackupStatus"] = "DELETED";
        return new JsonObject { ["BackupDescription"] = Shown(backup) };
    }

    private JsonObject Available(RequestContext context, string arn)
    {
        var backup = Backup(context, arn);
        return backup.Child("BackupDetails")!.Text("BackupStatus") == "AVAILABLE" ? backup
            : throw new ServiceFault("BackupInUseException", $"Backup is being created: {arn}");
    }

    /// <summary>A recovery point of AWS Backup: what a table holds now. Gives its size.</summary>
    public long KeepForBackup(RequestContext context, string table, string recoveryPoint)
    {
        var document = Tables(context).Get(table) ?? throw new ServiceFault("TableNotFoundException", $"Table not found: {table}");
        return stores.TryGetValue((context.AccountId, context.Region, table), out var store)
            ? Keep(context, document, store, recoveryPoint[(recoveryPoint.LastIndexOf(':') + 1)..], "AWS_BACKUP", recoveryPoint).Child("BackupDetails")!.Long("BackupSizeBytes") ?? 0
            : throw new ServiceFault("TableInUseException", $"Table {table} is not in a state in which it can be backed up: {document.Text("TableStatus")}");
    }

    /// <summary>A copy of a recovery point of AWS Backup, in another region or account.</summary>
    public void CopyForBackup(RequestContext from, string recoveryPoint, RequestContext to, string copy)
    {
        var backup = Backup(from, recoveryPoint);
        backup.Child("BackupDetails")!["BackupArn"] = copy;
        backupItems[copy] = backupItems[recoveryPoint];
        Backups(to).Put(copy, backup);
    }

    /// <summary>Forgets a recovery point of AWS Backup.</summary>
    public void RemoveForBackup(RequestContext context, string recoveryPoint)
    {
        Backups(context).Remove(recoveryPoint);
        backupItems.TryRemove(recoveryPoint, out _);
    }

    private JsonObject RestoreTableFromBackup(RequestContext context, JsonObject input)
    {
        var arn = input.Required("BackupArn");
        var backup = Available(context, arn);
        return Restore(context, input, backup.Child("_Table")!, backupItems[arn], new JsonObject
        {
            ["SourceBackupArn"] = arn,
            ["SourceTableArn"] = backup.Child("SourceTableDetails")!.Text("TableArn"),
            ["RestoreDateTime"] = backup.Child("BackupDetails")!["BackupCreationDateTime"].Copy(),
            ["RestoreInProgress"] = true,
        });
    }

    private JsonObject RestoreTableToPointInTime(RequestContext context, JsonObject input)
    {
        var name = NameOf(input.Text("SourceTableArn") ?? input.Text("SourceTableName") ?? throw Invalid("One of SourceTableArn and SourceTableName must be specified"));
        var table = Tables(context).Get(name);
        if (table is null || !stores.TryGetValue((context.AccountId, context.Region, name), out var store))
        {
            throw new ServiceFault("TableNotFoundException", $"Table not found: {name}");
        }
        var recovery = ContinuousBackups(context, table).Child("PointInTimeRecoveryDescription")!;
        if (recovery.Text("PointInTimeRecoveryStatus") != "ENABLED" || store.History is not { } history)
        {
            throw new ServiceFault("PointInTimeRecoveryUnavailableException", $"Point in time recovery is not enabled for table '{name}'");
        }
        var (earliest, latest) = (recovery.TimeOf("EarliestRestorableDateTime")!.Value, recovery.TimeOf("LatestRestorableDateTime")!.Value);
        var moment = input.Is("UseLatestRestorableTime") ? latest : input.TimeOf("RestoreDateTime") ?? throw Invalid("Exactly one of UseLatestRestorableTime and RestoreDateTime must be specified");
        if (input.Is("UseLatestRestorableTime") && input.Has("RestoreDateTime"))
        {
            throw Invalid("Exactly one of UseLatestRestorableTime and RestoreDateTime must be specified");
        }
        // Moments are whole seconds to many clients: the second in which recovery was enabled stands for the moment.
        if (moment < earliest.AddTicks(-(earliest.Ticks % TimeSpan.TicksPerSecond)) || moment > latest)
        {
            throw new ServiceFault("InvalidRestoreTimeException", $"RestoreDateTime must be between {earliest:O} and {latest:O}: {moment:O}");
        }
        IReadOnlyList<IReadOnlyDictionary<string, AttributeValue>> items;
        lock (store.Gate)
        {
            items = history.At(store, moment < earliest ? earliest : moment);
        }
        return Restore(context, input, table, items, new JsonObject { ["SourceTableArn"] = table.Text("TableArn"), ["RestoreDateTime"] = Documents.Time(moment), ["RestoreInProgress"] = true });
    }

    /// <summary>A new table of the source's schema and settings, unless overridden; streams, time to live, tags, protection and recovery are not restored.</summary>
    private JsonObject Restore(RequestContext context, JsonObject input, JsonObject source, IReadOnlyList<IReadOnlyDictionary<string, AttributeValue>> items, JsonObject summary)
    {
        var target = input.Required("TargetTableName");
        if (Tables(context).Contains(target))
        {
            throw new ServiceFault("TableAlreadyExistsException", $"Table already exists: {target}");
        }
        var billing = input.Text("BillingModeOverride") ?? BillingOf(source);
        var isProvisioned = billing == "PROVISIONED";
        var create = new JsonObject { ["TableName"] = target, ["BillingMode"] = billing, ["KeySchema"] = source["KeySchema"].Copy() };
        if (isProvisioned)
        {
            create["ProvisionedThroughput"] = (input.Child("ProvisionedThroughputOverride") ?? source.Child("ProvisionedThroughput"))!.Pick("ReadCapacityUnits", "WriteCapacityUnits");
            if (create.Child("ProvisionedThroughput")!.Long("WriteCapacityUnits") == 0)
            {
                throw Invalid("ProvisionedThroughputOverride must be specified when a table on demand is restored as PROVISIONED");
            }
        }
        create.With("OnDemandThroughput", (input["OnDemandThroughputOverride"] ?? source["OnDemandThroughput"]).Copy());
        foreach (var (member, parameter) in (ReadOnlySpan<(string, string)>)[("GlobalSecondaryIndexes", "GlobalSecondaryIndexOverride"), ("LocalSecondaryIndexes", "LocalSecondaryIndexOverride")])
        {
            var names = source.Objects(member).ToDictionary(index => index.Required("IndexName"), StringComparer.Ordinal);
            var chosen = input.Has(parameter) ? input.Objects(parameter).ToList() : [.. names.Values];
            if (chosen.Find(index => !names.ContainsKey(index.Required("IndexName"))) is { } stranger)
            {
                throw Invalid($"The index {stranger.Text("IndexName")} is not one of the table that is restored");
            }
            if (chosen.Count > 0)
            {
                create[member] = chosen.Select(index =>
                {
                    var kept = index.Pick("IndexName", "KeySchema", "Projection");
                    return isProvisioned && member[0] == 'G' ? kept.With("ProvisionedThroughput", index.Child("ProvisionedThroughput")?.Pick("ReadCapacityUnits", "WriteCapacityUnits")) : kept;
                }).ToJsonList();
            }
        }
        var used = create.Objects("KeySchema").Concat(create.Objects("GlobalSecondaryIndexes").Concat(create.Objects("LocalSecondaryIndexes")).SelectMany(index => index.Objects("KeySchema")))
            .Select(key => key.Text("AttributeName")).ToHashSet();
        create["AttributeDefinitions"] = source.Objects("AttributeDefinitions").Where(definition => used.Contains(definition.Text("AttributeName"))).ToJsonList();
        create.With("SSESpecification", input.Child("SSESpecificationOverride").Copy()
            ?? (source.Child("SSEDescription") is { } encryption ? new JsonObject { ["Enabled"] = true, ["SSEType"] = "KMS", ["KMSMasterKeyId"] = encryption.Text("KMSMasterKeyArn") } : null));
        return Create(context, create, new TableOrigin(Durations.DynamoDbRestore, items) { Restore = summary });
    }
}

/// <summary>Where a new table's items come from, and how long it takes until they are there.</summary>
internal sealed record TableOrigin(TimeSpan Duration, IReadOnlyList<IReadOnlyDictionary<string, AttributeValue>> Items)
{
    /// <summary>What DescribeTable tells of a restoration.</summary>
    public JsonObject? Restore { get; init; }

    /// <summary>Told when the table takes items.</summary>
    public Action? Ready { get; init; }
}
