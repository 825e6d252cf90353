using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>Snapshots, automated backups, and new instances from them.</summary>
internal sealed partial class RdsService
{
    private const int ManualSnapshotQuota = 100;

    private void AddSnapshots()
    {
        On("CreateDBSnapshot", (context, input) =>
        {
            var instance = Instance(context, input.Required("DBInstanceIdentifier"));
            RequireAvailable(instance);
            var id = CheckIdentifier(input.Required("DBSnapshotIdentifier"), "DBSnapshotIdentifier", 255);
            Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
            return new JsonObject { ["DBSnapshot"] = NewSnapshot(context, instance, id, "manual", input["Tags"].Copy() ?? (instance.Is("CopyTagsToSnapshot") ? instance["TagList"].Copy() : new JsonArray())) };
        });
        On("DescribeDBSnapshots", (context, input) =>
        {
            IEnumerable<JsonObject> all = input.Text("DBSnapshotIdentifier") is { } id ? [Snapshot(context, id)]
                : input.Is("IncludeShared") || input.Text("SnapshotType") == "shared" ? [.. Snapshots(context).All(), .. SharedWith(context)] : Snapshots(context).All();
            return Paged(input, all.Where(item => (input.Text("DBInstanceIdentifier") is not { } instance || item.Text("DBInstanceIdentifier") == Key(instance))
                && (input.Text("SnapshotType") is not { } type || (type == "shared" ? !item.Required("DBSnapshotArn").Contains(':' + context.AccountId + ':', StringComparison.Ordinal) : item.Text("SnapshotType") == type))
                && (input.Text("DbiResourceId") is not { } resource || item.Text("DbiResourceId") == resource)).ToList(), "DBSnapshots");
        });
        On("DeleteDBSnapshot", (context, input) =>
        {
            var snapshot = Snapshot(context, input.Required("DBSnapshotIdentifier"));
            if (snapshot.Text("SnapshotType") is "automated" or "awsbackup")
            {
                throw new ServiceFault("InvalidDBSnapshotState", snapshot.Text("SnapshotType") == "automated" ? "Deletion of automated snapshots is not allowed" : "Snapshots created by AWS Backup are deleted by AWS Backup");
            }
            RequireSnapshot(snapshot);
            Snapshots(context).Remove(Key(snapshot.Required("DBSnapshotIdentifier")));
            return new JsonObject { ["DBSnapshot"] = snapshot.With("Status", "deleted") };
        });
        On("CopyDBSnapshot", CopySnapshot);
        On("ModifyDBSnapshotAttribute", (context, input) =>
        {
            var snapshot = Snapshot(context, input.Required("DBSnapshotIdentifier"));
            if (input.Required("AttributeName") != "restore")
            {
                throw Invalid($"Invalid snapshot attribute {input.Text("AttributeName")}");
            }
            if (snapshot.Text("SnapshotType") == "automated")
            {
                throw new ServiceFault("InvalidDBSnapshotState", "Automated snapshots can't be shared.");
            }
            if (snapshot.Is("Encrypted") && input.Texts("ValuesToAdd").Contains("all"))
            {
                throw Invalid("Encrypted snapshots can't be made public.");
            }
            var values = snapshot.Texts("_Restore").Except(input.Texts("ValuesToRemove")).Union(input.Texts("ValuesToAdd")).ToList();
            Snapshots(context).Update(Key(snapshot.Required("DBSnapshotIdentifier")), document => document["_Restore"] = values.ToTextList());
            return AttributesOf(snapshot, values);
        });
        On("DescribeDBSnapshotAttributes", (context, input) => Snapshot(context, input.Required("DBSnapshotIdentifier")) is var snapshot ? AttributesOf(snapshot, snapshot.Texts("_Restore")) : []);
        On("DescribeDBInstanceAutomatedBackups", (context, input) =>
        {
            var live = Instances(context).Where(item => item.Int("BackupRetentionPeriod") > 0 && item.Has("_RestorableSince")).Select(item => Backup(View(context, item), context, "active"));
            return Paged(input, live.Concat(Retained(context).All().Select(item => Replicated(context, item)))
                .Where(item => (input.Text("DBInstanceAutomatedBackupsArn") is not { } arn || item.Text("DBInstanceAutomatedBackupsArn") == arn) && (input.Text("DBInstanceIdentifier") is not { } id || item.Text("DBInstanceIdentifier") == Key(id)) && (input.Text("DbiResourceId") is not { } resource || item.Text("DbiResourceId") == resource)).ToList(), "DBInstanceAutomatedBackups");
        });
        On("DeleteDBInstanceAutomatedBackup", (context, input) =>
        {
            var backup = Retained(context).Find(item => item.Text("DbiResourceId") == input.Text("DbiResourceId") || item.Text("DBInstanceAutomatedBackupsArn") == input.Text("DBInstanceAutomatedBackupsArn"))
                ?? throw new ServiceFault("DBInstanceAutomatedBackupNotFound", $"DB instance automated backup {input.Text("DbiResourceId") ?? input.Text("DBInstanceAutomatedBackupsArn")} not found.", 404);
            Retained(context).Remove(backup.Required("DbiResourceId"));
            return new JsonObject { ["DBInstanceAutomatedBackup"] = backup.With("Status", "deleting") };
        });
    }

    private static JsonObject AttributesOf(JsonObject snapshot, IReadOnlyList<string> values) => new()
    {
        ["DBSnapshotAttributesResult"] = new JsonObject
        {
            ["DBSnapshotIdentifier"] = snapshot.Text("DBSnapshotIdentifier"),
            ["DBSnapshotAttributes"] = new JsonArray(new JsonObject { ["AttributeName"] = "restore", ["AttributeValues"] = values.ToTextList() }),
        },
    };

    private JsonObject Snapshot(RequestContext context, string idOrArn)
    {
        var place = Reachable(context, PlaceOf(context, idOrArn, "snapshot", out var id));
        return Snapshots(place).Get(Key(id)) is { } found && (place.AccountId == context.AccountId || found.Texts("_Restore").Any(value => value == "all" || value == context.AccountId))
            ? found
            : throw new ServiceFault("DBSnapshotNotFound", $"DBSnapshot {id} not found.", 404);
    }

    /// <summary>Snapshots of other accounts that this one may restore.</summary>
    private IEnumerable<JsonObject> SharedWith(RequestContext context) => Runtime.Collections(ModelName, "snapshots", context.Region).Where(place => place.Account != context.AccountId)
        .SelectMany(place => place.Documents.Where(item => item.Texts("_Restore").Any(value => value == "all" || value == context.AccountId)));

    private static void RequireSnapshot(JsonObject snapshot)
    {
        if (snapshot.Text("Status") != "available")
        {
            throw new ServiceFault("InvalidDBSnapshotState", $"The DB snapshot {snapshot.Text("DBSnapshotIdentifier")} is not in the available state. Current state: {snapshot.Text("Status")}");
        }
    }

    private JsonObject NewSnapshot(RequestContext context, JsonObject instance, string id, string type, JsonNode? tags)
    {
        if (type == "manual" && Snapshots(context).Where(item => item.Text("SnapshotType") == "manual").Count >= ManualSnapshotQuota)
        {
            throw new ServiceFault("SnapshotQuotaExceeded", "Cannot create more than 100 manual snapshots");
        }
        var snapshot = instance.Pick("DBInstanceIdentifier", "Engine", "AllocatedStorage", "AvailabilityZone", "InstanceCreateTime", "MasterUsername", "EngineVersion", "LicenseModel", "Iops",
            "StorageThroughput", "StorageType", "KmsKeyId", "IAMDatabaseAuthenticationEnabled", "DbiResourceId", "DedicatedLogVolume", "BackupRetentionPeriod", "PreferredBackupWindow");
        snapshot["DBSnapshotIdentifier"] = id;
        snapshot["DBSnapshotArn"] = context.Arn("rds", "snapshot:" + id);
        snapshot["SnapshotType"] = type;
        snapshot["Status"] = "creating";
        snapshot["PercentProgress"] = 0;
        snapshot["SnapshotTarget"] = "region";
        snapshot["Encrypted"] = instance.Is("StorageEncrypted");
        snapshot["Port"] = instance.Child("Endpoint")?["Port"].Copy() ?? 5432;
        snapshot["VpcId"] = instance.Child("DBSubnetGroup")?.Text("VpcId");
        snapshot["OptionGroupName"] = instance.Objects("OptionGroupMemberships").FirstOrDefault()?.Text("OptionGroupName");
        snapshot["TagList"] = tags;
        snapshot["_Settings"] = instance.Pick("DBInstanceClass", "DBName", "MasterUsername", "_Password", "StorageEncrypted", "KmsKeyId", "AllocatedStorage", "StorageType", "EngineVersion", "BackupRetentionPeriod", "PreferredBackupWindow")
            .With("DbInstancePort", snapshot["Port"].Copy()).With("_SubnetGroup", instance.Child("DBSubnetGroup")?.Text("DBSubnetGroupName"));
        if (!Snapshots(context).TryAdd(Key(id), snapshot))
        {
            throw new ServiceFault("DBSnapshotAlreadyExists", $"Cannot create the snapshot because a snapshot with the identifier {id} already exists.");
        }
        CompleteSnapshot(context, id, Durations.RdsSnapshot);
        if (type == "manual")
        {
            Record(context, "db-snapshot", id, snapshot.Required("DBSnapshotArn"), "Creating manual snapshot", "creation");
        }
        return snapshot;
    }

    private void CompleteSnapshot(RequestContext context, string id, TimeSpan after)
    {
        var detached = context.Detached();
        Runtime.After(after, () =>
        {
            var done = Snapshots(detached).Update(Key(id), document =>
            {
                document["Status"] = "available";
                document["PercentProgress"] = 100;
                document["SnapshotCreateTime"] = Documents.Time(detached.Now);
                document["OriginalSnapshotCreateTime"] ??= Documents.Time(detached.Now);
            });
            if (done is not null)
            {
                Record(detached, "db-snapshot", id, done.Required("DBSnapshotArn"), $"{(done.Text("SnapshotType") == "manual" ? "Manual" : "Automated")} snapshot created", "creation");
            }
        });
    }

    private JsonObject CopySnapshot(RequestContext context, JsonObject input)
    {
        var source = Snapshot(context, input.Required("SourceDBSnapshotIdentifier"));
        RequireSnapshot(source);
        var forBackup = input.Is("_ForBackup");
        var target = forBackup ? input.Required("TargetDBSnapshotIdentifier") : CheckIdentifier(input.Required("TargetDBSnapshotIdentifier"), "TargetDBSnapshotIdentifier", 255);
        var (region, account) = (source.Required("DBSnapshotArn").Split(':')[3], source.Required("DBSnapshotArn").Split(':')[4]);
        if (region != context.Region && source.Is("Encrypted") && !input.Has("KmsKeyId"))
        {
            throw Invalid("KmsKeyId should be explicitly specified for cross region copy of an encrypted snapshot.");
        }
        if (account != context.AccountId && source.Is("Encrypted") && !input.Has("KmsKeyId"))
        {
            throw Invalid("KmsKeyId should be explicitly specified for the copy of a shared encrypted snapshot.");
        }
        var copy = source.Copy();
        copy.Remove("_Restore");
        copy["DBSnapshotIdentifier"] = target;
        copy["DBSnapshotArn"] = context.Arn("rds", "snapshot:" + target);
        copy["SnapshotType"] = forBackup ? "awsbackup" : "manual";
        copy["Status"] = region == context.Region ? "creating" : "copying";
        copy["PercentProgress"] = 0;
        copy["SourceDBSnapshotIdentifier"] = source.Text("DBSnapshotArn");
        copy["TagList"] = input["Tags"].Copy() ?? (input.Is("CopyTags") ? source["TagList"].Copy() : new JsonArray());
        if (region != context.Region)
        {
            copy["SourceRegion"] = region;
            copy.ChildOrNew("_Settings").Remove("_SubnetGroup");
        }
        if (input.Text("KmsKeyId") is { } key)
        {
            copy["KmsKeyId"] = CheckKey(context, key);
            copy["Encrypted"] = true;
            (copy["_Settings"]!["KmsKeyId"], copy["_Settings"]!["StorageEncrypted"]) = (copy.Text("KmsKeyId"), true);
        }
        if (!Snapshots(context).TryAdd(Key(target), copy))
        {
            throw new ServiceFault("DBSnapshotAlreadyExists", $"Cannot create the snapshot because a snapshot with the identifier {target} already exists.");
        }
        CompleteSnapshot(context, target, region == context.Region ? Durations.RdsSnapshot : Durations.RdsSnapshotCopy);
        return new JsonObject { ["DBSnapshot"] = copy };
    }

    /// <summary>A snapshot that AWS Backup takes.</summary>
    public void KeepForBackup(RequestContext context, string instance, string snapshot)
    {
        var found = Instance(context, instance);
        RequireAvailable(found);
        NewSnapshot(context, found, snapshot, "awsbackup", found["TagList"].Copy() ?? new JsonArray());
    }

    /// <summary>A copy that AWS Backup makes of a snapshot.</summary>
    public void CopyForBackup(RequestContext to, string sourceArn, string snapshot, string? key) =>
        CopySnapshot(to, new JsonObject { ["SourceDBSnapshotIdentifier"] = sourceArn, ["TargetDBSnapshotIdentifier"] = snapshot, ["CopyTags"] = true, ["_ForBackup"] = true }.With("KmsKeyId", key));

    /// <summary>A snapshot, by ARN; null when there is none.</summary>
    public JsonObject? FindSnapshot(RequestContext context, string arn) => Snapshots(context).Get(Key(arn.Split(':', 7)[^1]));

    /// <summary>Removes a snapshot of AWS Backup.</summary>
    public void RemoveForBackup(RequestContext context, string arn) => Snapshots(context).Remove(Key(arn.Split(':', 7)[^1]));

    private void AddAutomated(RequestContext context, string id)
    {
        if (Instances(context).Get(Key(id)) is { } instance && !Snapshots(context).Contains(Key($"rds:{id}-{Stamp(context.Now)}")))
        {
            NewSnapshot(context, instance, $"rds:{id}-{Stamp(context.Now)}", "automated", instance.Is("CopyTagsToSnapshot") ? instance["TagList"].Copy() : new JsonArray());
        }
    }

    /// <summary>The daily backup in its window, and the end of those that are older than the retention.</summary>
    private void ScheduleBackup(RequestContext context, JsonObject instance)
    {
        var (resource, token) = (instance.Text("DbiResourceId"), Runtime.Ids.Hex(8));
        Instances(context).Update(Key(instance.Required("DBInstanceIdentifier")), document => document["_BackupRound"] = token);
        void Round(DateTimeOffset at) => Runtime.Clock.Schedule(at, () =>
        {
            if (Instances(context).Find(item => item.Text("DbiResourceId") == resource) is not { } present || present.Text("_BackupRound") != token || present.Int("BackupRetentionPeriod") is not > 0)
            {
                return;
            }
            if (present.Text("DBInstanceStatus") is "available" or "storage-optimization")
            {
                AddAutomated(context, present.Required("DBInstanceIdentifier"));
            }
            var oldest = context.Now.AddDays(-present.Int("BackupRetentionPeriod")!.Value);
            foreach (var old in Snapshots(context).Where(item => item.Text("DbiResourceId") == resource && item.Text("SnapshotType") == "automated" && item.TimeOf("SnapshotCreateTime") < oldest))
            {
                Snapshots(context).Remove(Key(old.Required("DBSnapshotIdentifier")));
            }
            Round(NextDaily(present.Required("PreferredBackupWindow"), context.Now));
        });
        Round(NextDaily(instance.Required("PreferredBackupWindow"), context.Now));
    }

    private static JsonObject Backup(JsonObject instance, RequestContext context, string status)
    {
        var earliest = context.Now.AddDays(-(instance.Int("BackupRetentionPeriod") ?? 0));
        var since = instance.TimeOf("_RestorableSince") ?? context.Now;
        return instance.Pick("DBInstanceArn", "DbiResourceId", "DBInstanceIdentifier", "AllocatedStorage", "AvailabilityZone", "InstanceCreateTime", "MasterUsername", "Engine", "EngineVersion", "LicenseModel",
            "Iops", "StorageThroughput", "StorageType", "KmsKeyId", "IAMDatabaseAuthenticationEnabled", "BackupRetentionPeriod", "PreferredBackupWindow", "TagList")
            .With("Region", context.Region).With("Status", status).With("Encrypted", instance.Is("StorageEncrypted")).With("BackupTarget", "region")
            .With("Port", instance.Child("Endpoint")?["Port"].Copy()).With("VpcId", instance.Child("DBSubnetGroup")?.Text("VpcId"))
            .With("DBInstanceAutomatedBackupsArn", context.Arn("rds", "auto-backup:ab-" + instance.Required("DbiResourceId")[3..].ToLowerInvariant()))
            .With("RestoreWindow", new JsonObject { ["EarliestTime"] = Documents.Time(since > earliest ? since : earliest), ["LatestTime"] = instance["LatestRestorableTime"].Copy() })
            .With("_Instance", instance.Copy());
    }

    private void EndAutomatedBackups(RequestContext context, JsonObject instance, bool keep)
    {
        var resource = instance.Required("DbiResourceId");
        EndBackupReplications(context, instance);
        if (keep && instance.Has("_RestorableSince"))
        {
            // Nothing is added to it from now on.
            Retained(context).Put(resource, Backup(View(context, instance).With("_StoppedAt", Documents.Time(context.Now)), context, "retained"));
            Runtime.After(TimeSpan.FromDays(instance.Int("BackupRetentionPeriod") ?? 1), () => Retained(context).Remove(resource));
            return;
        }
        foreach (var old in Snapshots(context).Where(item => item.Text("DbiResourceId") == resource && item.Text("SnapshotType") == "automated"))
        {
            Snapshots(context).Remove(Key(old.Required("DBSnapshotIdentifier")));
        }
    }

    private void AddRestoration()
    {
        On("RestoreDBInstanceFromDBSnapshot", async (context, input) =>
        {
            var snapshot = Snapshot(context, input.Text("DBSnapshotIdentifier") ?? throw Invalid("The parameter DBSnapshotIdentifier must be provided and must not be blank."));
            RequireSnapshot(snapshot);
            return await RestoreAsync(context, input, snapshot.Child("_Settings")!, "Restored from snapshot " + snapshot.Text("DBSnapshotIdentifier")).ConfigureAwait(false);
        });
        On("RestoreDBInstanceToPointInTime", async (context, input) =>
        {
            var source = input.Text("SourceDBInstanceIdentifier") is { } id ? Instance(context, id)
                : Instances(context).Find(item => item.Text("DbiResourceId") == input.Text("SourceDbiResourceId")) ?? (Retained(context)
                    .Find(item => item.Text("DbiResourceId") == input.Text("SourceDbiResourceId") || item.Text("DBInstanceAutomatedBackupsArn") == input.Text("SourceDBInstanceAutomatedBackupsArn")) is { } kept ? Replicated(context, kept).Child("_Instance") : null)
                ?? throw new ServiceFault("DBInstanceAutomatedBackupNotFound", "The automated backup for this DB instance wasn't found.", 404);
            if (source.Int("BackupRetentionPeriod") is not > 0 || !source.Has("_RestorableSince"))
            {
                throw new ServiceFault("PointInTimeRestoreNotEnabled", $"Point in time restore is not enabled for {source.Text("DBInstanceIdentifier")}: automated backups are off, or the first is not done.");
            }
            if (input.Is("UseLatestRestorableTime") == input.Has("RestoreTime"))
            {
                throw Conflict("Specify either RestoreTime or UseLatestRestorableTime, and not both.");
            }
            var window = Backup(View(context, source.Copy()), context, "active").Child("RestoreWindow")!;
            if (input.TimeOf("RestoreTime") is { } at && (at < window.TimeOf("EarliestTime") || at > window.TimeOf("LatestTime")))
            {
                throw Invalid($"The specified time {input.Text("RestoreTime")} is outside the restore window of {source.Text("DBInstanceIdentifier")}: {window.Text("EarliestTime")} to {window.Text("LatestTime")}.");
            }
            var settings = source.Pick("DBInstanceClass", "DBName", "MasterUsername", "_Password", "StorageEncrypted", "KmsKeyId", "AllocatedStorage", "StorageType", "EngineVersion", "BackupRetentionPeriod", "PreferredBackupWindow")
                .With("DbInstancePort", source.Child("Endpoint")?["Port"].Copy()).With("_SubnetGroup", source.Child("DBSubnetGroup")?.Text("DBSubnetGroupName"));
            return await RestoreAsync(context, input, settings, $"Restored from DB instance {source.Text("DBInstanceIdentifier")}").ConfigureAwait(false);
        });
    }

    private async Task<JsonObject> RestoreAsync(RequestContext context, JsonObject input, JsonObject settings, string message)
    {
        if (input.Int("AllocatedStorage") < settings.Int("AllocatedStorage"))
        {
            throw Conflict($"Invalid storage size for engine name postgres: {input.Text("AllocatedStorage")} is less than the {settings.Text("AllocatedStorage")} GiB of the source.");
        }
        if (settings.Text("_SubnetGroup") is { } group && !SubnetGroups(context).Contains(group))
        {
            settings.Remove("_SubnetGroup");
        }
        var instance = await BuildAsync(context, input, settings).ConfigureAwait(false);
        return Launch(context, input, instance, Durations.RdsRestore, message);
    }
}
