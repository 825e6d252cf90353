using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <content>Automated backups that another region keeps a copy of, to restore from when the first is lost.</content>
internal sealed partial class RdsService
{
    private void AddBackupReplicas()
    {
        On("StartDBInstanceAutomatedBackupsReplication", StartBackupReplication);
        On("StopDBInstanceAutomatedBackupsReplication", (context, input) =>
        {
            var backup = Retained(context).Find(item => item.Text("DBInstanceArn") == input.Text("SourceDBInstanceArn") && item.Text("Status") is "pending" or "replicating")
                ?? throw new ServiceFault("DBInstanceNotFound", $"There is no replication of the automated backups of {input.Text("SourceDBInstanceArn")} into {context.Region}.", 404);
            return new JsonObject { ["DBInstanceAutomatedBackup"] = StopBackupReplication(context, backup) };
        });
    }

    private JsonObject StartBackupReplication(RequestContext context, JsonObject input)
    {
        var arn = input.Required("SourceDBInstanceArn");
        var source = Instance(context, arn);
        var from = arn.Split(':')[3];
        if (from == context.Region)
        {
            throw Invalid("The source region and the region of the request must differ.");
        }
        RequireAvailable(source);
        if (source.Int("BackupRetentionPeriod") is not > 0)
        {
            throw BadState($"Automated backups are not enabled for {source.Text("DBInstanceIdentifier")}.");
        }
        if (source.Is("StorageEncrypted") && !input.Has("KmsKeyId"))
        {
            throw Conflict("KmsKeyId of a key in this region has to be given to replicate the backups of an encrypted DB instance.");
        }
        var there = context.With(arn.Split(':')[4], from);
        var retention = input.Int("BackupRetentionPeriod") ?? source.Int("BackupRetentionPeriod")!.Value;
        var kept = source.Copy().With("BackupRetentionPeriod", retention).With("_RestorableSince", Documents.Time(context.Now)).With("KmsKeyId", input.Text("KmsKeyId") is { } key ? CheckKey(context, key) : null);
        kept.Remove("DBSubnetGroup");
        var backup = Backup(kept, context, "pending").With("_From", from).With("Region", from).With("TagList", input["Tags"].Copy() ?? new JsonArray());
        if (Retained(context).Get(backup.Required("DbiResourceId")) is { } present && present.Text("Status") is "pending" or "replicating")
        {
            throw new ServiceFault("InvalidDBInstanceAutomatedBackupState", $"The automated backups of {arn} are replicated into {context.Region} already.");
        }
        Retained(context).Put(backup.Required("DbiResourceId"), backup);
        Instances(there).Update(Key(source.Required("DBInstanceIdentifier")), document => document.ListOrNew("DBInstanceAutomatedBackupsReplications")
            .Add((JsonNode)new JsonObject { ["DBInstanceAutomatedBackupsArn"] = backup.Text("DBInstanceAutomatedBackupsArn") }));
        var (detached, resource) = (context.Detached(), backup.Required("DbiResourceId"));
        Runtime.Links.Send(ModelName, resource, from, context.Region, Durations.RdsSnapshotCopy, () => Retained(detached).Update(resource, document =>
        {
            if (document.Text("Status") == "pending")
            {
                document["Status"] = "replicating";
                document["_Instance"]!["_RestorableSince"] = Documents.Time(detached.Now);
            }
        }));
        return new JsonObject { ["DBInstanceAutomatedBackup"] = backup };
    }

    /// <summary>Ends a replication: what has come so far is kept for the time of its retention.</summary>
    private JsonObject StopBackupReplication(RequestContext context, JsonObject backup)
    {
        var resource = backup.Required("DbiResourceId");
        var stopped = Retained(context).Update(resource, document =>
        {
            document["_Instance"]!["_StoppedAt"] = Documents.Time(LatestOf(context, document));
            document["Status"] = "retained";
        })!;
        var source = PlaceOf(context, stopped.Required("DBInstanceArn"), "db", out var id);
        Reach(context, source, id, () => Instances(source).Update(Key(id), document => document["DBInstanceAutomatedBackupsReplications"] = document.Objects("DBInstanceAutomatedBackupsReplications")
            .Where(item => item.Text("DBInstanceAutomatedBackupsArn") != stopped.Text("DBInstanceAutomatedBackupsArn")).Select(static item => item.Copy()).ToJsonList()));
        var detached = context.Detached();
        Runtime.After(TimeSpan.FromDays(stopped.Int("BackupRetentionPeriod") ?? 1), () =>
        {
            if (Retained(detached).Get(resource)?.Text("Status") == "retained")
            {
                Retained(detached).Remove(resource);
            }
        });
        return Replicated(context, stopped);
    }

    /// <summary>The source of replicated backups is gone: they are kept as they are.</summary>
    private void EndBackupReplications(RequestContext context, JsonObject instance)
    {
        foreach (var replication in instance.Objects("DBInstanceAutomatedBackupsReplications"))
        {
            var there = context.InRegion(replication.Required("DBInstanceAutomatedBackupsArn").Split(':')[3]).Detached();
            Runtime.Links.Send(ModelName, instance.Required("DbiResourceId"), context.Region, there.Region, Durations.RdsAcross, () =>
            {
                if (Retained(there).Get(instance.Required("DbiResourceId")) is { } backup && backup.Text("Status") is "pending" or "replicating")
                {
                    StopBackupReplication(there, backup);
                }
            });
        }
    }

    /// <summary>Until when a copy can be restored: behind the source's own by what has not come over yet.</summary>
    private DateTimeOffset LatestOf(RequestContext context, JsonObject backup) => context.Now - TimeSpan.FromMinutes(5)
        - Runtime.Links.Behind(ModelName, backup.Required("DbiResourceId"), backup.Required("_From"), context.Region, Durations.RdsBackupReplication);

    /// <summary>A backup as it is at present; one that is replicated grows.</summary>
    private JsonObject Replicated(RequestContext context, JsonObject backup)
    {
        if (!backup.Has("_From"))
        {
            return backup;
        }
        var view = backup.Copy();
        var instance = view.Child("_Instance")!;
        var since = instance.TimeOf("_RestorableSince") ?? context.Now;
        var latest = instance.TimeOf("_StoppedAt") ?? LatestOf(context, backup);
        if (backup.Text("Status") == "pending" || latest < since)
        {
            // Nothing to restore yet.
            instance.Remove("_RestorableSince");
            view.Remove("RestoreWindow");
            return view;
        }
        instance["_StoppedAt"] = Documents.Time(latest);
        var earliest = context.Now.AddDays(-(view.Int("BackupRetentionPeriod") ?? 0));
        view["RestoreWindow"] = new JsonObject { ["EarliestTime"] = Documents.Time(since > earliest ? since : earliest), ["LatestTime"] = Documents.Time(latest) };
        return view;
    }
}
