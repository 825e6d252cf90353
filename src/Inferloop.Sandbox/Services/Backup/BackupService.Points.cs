using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Backup;

/// <content>Recovery points: they come of jobs, are kept as long as their lifecycle says, and are not deleted out of a locked vault.</content>
internal sealed partial class BackupService
{
    private void AddRecoveryPoints()
    {
        On("DescribeRecoveryPoint", (context, input) => Point(context, input));
        On("GetRecoveryPointRestoreMetadata", (context, input) =>
        {
            var point = Point(context, input);
            return point.Pick("BackupVaultArn", "RecoveryPointArn", "ResourceType").With("RestoreMetadata", Source(point.Required("ResourceType")).Metadata(context, point.Required("RecoveryPointArn"), point));
        });
        On("ListRecoveryPointsByBackupVault", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName")).Text("BackupVaultName");
            return Listed(input, Points(context).Where(point => point.Text("BackupVaultName") == vault), "RecoveryPoints", "Status", "ByResourceArn", "ByResourceType", "ByParentRecoveryPointArn");
        });
        On("ListRecoveryPointsByResource", (context, input) => Listed(input, Points(context).Where(point => point.Text("ResourceArn") == input.Text("ResourceArn"))
            .Select(point => point.With("BackupSizeBytes", point["BackupSizeInBytes"].Copy())), "RecoveryPoints", "Status"));
        On("ListProtectedResources", (context, input) => Pages.Answer(input, [.. Points(context).All().GroupBy(point => point.Required("ResourceArn"), StringComparer.Ordinal).Select(group => Protected(group))], "Results", "MaxResults", "NextToken", 1000, "InvalidParameterValueException"));
        On("DescribeProtectedResource", (context, input) =>
        {
            var points = Points(context).Where(point => point.Text("ResourceArn") == input.Text("ResourceArn"));
            return points.Count > 0 ? Protected(points) : throw NotFound($"Resource {input.Text("ResourceArn")} is not protected.");
        });
        On("DeleteRecoveryPoint", (context, input) =>
        {
            var (point, vault) = (Point(context, input), Vault(context, input.Required("BackupVaultName")));
            RequireAllowed(context, vault, "DeleteRecoveryPoint");
            if (vault.Is("Locked"))
            {
                throw Refused("Recovery point cannot be deleted (Backup vault configured with WORM settings).");
            }
            if (point.Text("Status") == "CREATING")
            {
                throw Refused("Recovery point cannot be deleted while it is being created.");
            }
            Drop(context, point);
            return [];
        });
        On("UpdateRecoveryPointLifecycle", (context, input) =>
        {
            var point = Point(context, input);
            CheckLifecycle(input.Child("Lifecycle"));
            if (Vault(context, input.Required("BackupVaultName")).Is("Locked") && (input.Child("Lifecycle")?.Long("DeleteAfterDays") ?? long.MaxValue) < (point.Child("Lifecycle")?.Long("DeleteAfterDays") ?? long.MaxValue))
            {
                throw Refused("Retention cannot be shortened (Backup vault configured with WORM settings).");
            }
            var after = Points(context).Update(point.Required("RecoveryPointArn"), document => Set(document, input.Child("Lifecycle")))!;
            Expire(context.Detached(), after);
            return after.Pick("BackupVaultArn", "RecoveryPointArn", "Lifecycle", "CalculatedLifecycle");
        });
    }

    private JsonObject Point(RequestContext context, JsonObject input)
    {
        var vault = Vault(context, input.Required("BackupVaultName")).Text("BackupVaultName");
        return Points(context).Get(input.Required("RecoveryPointArn")) is { } point && point.Text("BackupVaultName") == vault ? point
            : throw NotFound($"Cannot find recovery point {input.Text("RecoveryPointArn")} in vault {vault}.");
    }

    private static JsonObject Protected(IEnumerable<JsonObject> points)
    {
        var last = points.MaxBy(point => point.TimeOf("CreationDate"))!;
        return last.Pick("ResourceArn", "ResourceType", "ResourceName").With("LastBackupTime", last["CreationDate"].Copy()).With("LastBackupVaultArn", last.Text("BackupVaultArn")).With("LastRecoveryPointArn", last.Text("RecoveryPointArn"));
    }

    private JsonObject Keep(RequestContext context, JsonObject job, string arn, JsonObject? lifecycle, IEnumerable<JsonObject> tags)
    {
        var point = new JsonObject
        {
            ["RecoveryPointArn"] = arn, ["Status"] = "CREATING", ["CreationDate"] = Documents.Time(context.Now), ["InitiationDate"] = Documents.Time(context.Now), ["StorageClass"] = "WARM", ["IsEncrypted"] = true, ["IsParent"] = false,
            ["VaultType"] = "BACKUP_VAULT", ["_Tags"] = tags.Select(tag => tag.Copy()).ToJsonList(),
        }.Take(job, "BackupVaultName", "BackupVaultArn", "ResourceArn", "ResourceType", "ResourceName", "IamRoleArn", "BackupSizeInBytes", "EncryptionKeyArn", "CreatedBy", "SourceBackupVaultArn");
        Set(point, lifecycle);
        Points(context).Put(arn, point);
        return point;
    }

    private static void Set(JsonObject point, JsonObject? lifecycle)
    {
        point.Remove("Lifecycle");
        point.Remove("CalculatedLifecycle");
        var created = point.TimeOf("CreationDate")!.Value;
        if (lifecycle is not null)
        {
            point["Lifecycle"] = lifecycle.Copy();
            point["CalculatedLifecycle"] = new JsonObject()
                .With("MoveToColdStorageAt", lifecycle.Long("MoveToColdStorageAfterDays") is { } cold and >= 0 ? Documents.Time(created.AddDays(cold)) : null)
                .With("DeleteAt", lifecycle.Long("DeleteAfterDays") is { } delete and >= 0 ? Documents.Time(created.AddDays(delete)) : null);
        }
    }

    private void Complete(RequestContext context, string arn)
    {
        var done = Points(context).Update(arn, point =>
        {
            point["Status"] = "COMPLETED";
            point["CompletionDate"] = Documents.Time(context.Now);
        });
        if (done is not null)
        {
            Expire(context, done);
        }
    }

    /// <summary>Cold storage and the end come when the lifecycle, as it is then, says so.</summary>
    private void Expire(RequestContext context, JsonObject point)
    {
        var arn = point.Required("RecoveryPointArn");
        if (point.Child("CalculatedLifecycle")?.TimeOf("MoveToColdStorageAt") is { } cold && point.Text("ResourceType") != "RDS")
        {
            Runtime.Clock.Schedule(cold, () => Points(context).Update(arn, document =>
            {
                if (document.Child("CalculatedLifecycle")?.TimeOf("MoveToColdStorageAt") is { } still && still <= context.Now)
                {
                    document["StorageClass"] = "COLD";
                }
            }));
        }
        if (point.Child("CalculatedLifecycle")?.TimeOf("DeleteAt") is { } end)
        {
            Runtime.Clock.Schedule(end, () =>
            {
                if (Points(context).Get(arn) is { } present && present.Child("CalculatedLifecycle")?.TimeOf("DeleteAt") <= context.Now)
                {
                    Drop(context, present);
                }
            });
        }
    }

    private void Drop(RequestContext context, JsonObject point)
    {
        Source(point.Required("ResourceType")).Remove(context, point.Required("RecoveryPointArn"));
        Points(context).Remove(point.Required("RecoveryPointArn"));
        Tell(context, point.Required("BackupVaultName"), "RECOVERY_POINT_MODIFIED", "Recovery Point State Change", new JsonObject { ["resourceArn"] = point.Text("ResourceArn"), ["resourceType"] = point.Text("ResourceType"), ["status"] = "DELETED", ["recoveryPointArn"] = point.Text("RecoveryPointArn"), ["backupVaultName"] = point.Text("BackupVaultName") });
    }
}
