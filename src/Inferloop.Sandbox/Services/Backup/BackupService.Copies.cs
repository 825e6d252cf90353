using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Backup;

/// <content>Jobs that copy recovery points to vaults of other regions, and jobs that make resources of them.</content>
internal sealed partial class BackupService
{
    private Collection CopyJobs(RequestContext context) => Collection(context, "copy-jobs");

    private Collection RestoreJobs(RequestContext context) => Collection(context, "restore-jobs");

    private void AddCopiesAndRestores()
    {
        On("StartCopyJob", (context, input) =>
        {
            var vault = Vault(context, input.Required("SourceBackupVaultName"));
            var point = Point(context, new JsonObject { ["BackupVaultName"] = vault.Text("BackupVaultName"), ["RecoveryPointArn"] = input.Text("RecoveryPointArn") });
            RequireRole(context, input.Required("IamRoleArn"));
            if (point.Text("Status") != "COMPLETED")
            {
                throw Refused($"Recovery point is not in a state in which it can be copied: {point.Text("Status")}.");
            }
            return BeginCopy(context.Detached(), point, input.Required("DestinationBackupVaultArn"), input.Required("IamRoleArn"), input.Child("Lifecycle"), null, null).Pick("CopyJobId", "CreationDate").With("IsParent", false);
        });
        On("DescribeCopyJob", (context, input) => new JsonObject { ["CopyJob"] = CopyJobs(context).Get(input.Required("CopyJobId")) ?? throw NotFound($"Copy job {input.Text("CopyJobId")} not found.") });
        On("ListCopyJobs", (context, input) => Listed(input, CopyJobs(context).Where(job => !input.Has("ByDestinationVaultArn") || job.Text("DestinationBackupVaultArn") == input.Text("ByDestinationVaultArn")), "CopyJobs", "State", "ByResourceArn", "ByResourceType"));
        On("StartRestoreJob", StartRestore);
        On("DescribeRestoreJob", (context, input) => RestoreJobs(context).Get(input.Required("RestoreJobId")) ?? throw NotFound($"Restore job {input.Text("RestoreJobId")} not found."));
        On("ListRestoreJobs", (context, input) => Listed(input, RestoreJobs(context).All(), "RestoreJobs", "Status", "ByResourceType"));
    }

    private JsonObject BeginCopy(RequestContext context, JsonObject point, string destination, string role, JsonObject? lifecycle, string? byJob, JsonObject? createdBy)
    {
        var parts = destination.Split(':', 7);
        if (parts is not [_, _, "backup", var region, var account, "backup-vault", var name] || !Runtime.EnabledRegions.Contains(region))
        {
            throw Invalid($"Invalid ARN of a backup vault: {destination}");
        }
        var to = Runtime.SystemContext(account, region);
        var id = Runtime.Ids.Uuid().ToUpperInvariant();
        var job = new JsonObject
        {
            ["AccountId"] = context.AccountId, ["CopyJobId"] = id, ["SourceBackupVaultArn"] = point.Text("BackupVaultArn"), ["SourceRecoveryPointArn"] = point.Text("RecoveryPointArn"), ["DestinationBackupVaultArn"] = destination,
            ["CreationDate"] = Documents.Time(context.Now), ["State"] = "CREATED", ["IamRoleArn"] = role, ["IsParent"] = false,
        }.Take(point, "ResourceArn", "ResourceType", "ResourceName", "BackupSizeInBytes").With("CreatedByBackupJobId", byJob).With("CreatedBy", createdBy.Copy()).With("DestinationRecoveryPointLifecycle", lifecycle.Copy());
        CopyJobs(context).Put(id, job);
        Copied(context, job, "COPY_JOB_STARTED");
        Runtime.After(Durations.BackupJobStart, () => StartCopy(context, to, name, point, id, lifecycle));
        return job;
    }

    private void StartCopy(RequestContext context, RequestContext to, string vaultName, JsonObject point, string id, JsonObject? lifecycle)
    {
        var source = Source(point.Required("ResourceType"));
        try
        {
            if (Runtime.Faults.IsRegionLost(context.Region) || Runtime.Faults.IsRegionLost(to.Region))
            {
                throw new ServiceFault("ServiceUnavailableException", $"The region {(Runtime.Faults.IsRegionLost(to.Region) ? to.Region : context.Region)} cannot be reached.");
            }
            var vault = Vault(to, vaultName);
            if (to.AccountId != context.AccountId && PolicyEvaluator.Evaluate(vault.Text("_Policy"), new AccessRequest("backup:CopyIntoBackupVault", vault.Required("BackupVaultArn")) { Principal = $"arn:{context.Partition}:iam::{context.AccountId}:root", Account = context.AccountId }, isResourcePolicy: true) != PolicyDecision.Allowed)
            {
                throw new ServiceFault("AccessDeniedException", $"Access Denied trying to call AWS Backup service: the policy of {vault.Text("BackupVaultArn")} does not allow backup:CopyIntoBackupVault.");
            }
            if (RetentionProblem(vault, lifecycle) is { } problem)
            {
                throw Invalid(problem);
            }
            var arn = source.Copy(context, point.Required("RecoveryPointArn"), to, id);
            var running = CopyJobs(context).Update(id, document =>
            {
                document["State"] = "RUNNING";
                document["DestinationRecoveryPointArn"] = arn;
            })!;
            Keep(to, point.Copy().With("BackupVaultName", vaultName).With("BackupVaultArn", vault.Text("BackupVaultArn")).With("SourceBackupVaultArn", point.Text("BackupVaultArn")).With("EncryptionKeyArn", vault.Text("EncryptionKeyArn")), arn, lifecycle, point.Objects("_Tags"));
            Copied(context, running, null);
            FollowCopy(context, to, source, id, arn, context.Now);
        }
        catch (ServiceFault fault)
        {
            EndCopy(context, id, "FAILED", fault.Message);
        }
    }

    private void FollowCopy(RequestContext context, RequestContext to, IBackupSource source, string id, string arn, DateTimeOffset since) => Runtime.After(Durations.BackupJobPoll, () =>
    {
        if (Runtime.Faults.IsRegionLost(to.Region))
        {
            source.Remove(to, arn);
            Points(to).Remove(arn);
            EndCopy(context, id, "FAILED", $"The region {to.Region} cannot be reached.");
        }
        else if (source.IsDone(to, arn, since, isCopy: true))
        {
            Complete(to, arn);
            EndCopy(context, id, "COMPLETED", null);
        }
        else
        {
            FollowCopy(context, to, source, id, arn, since);
        }
    });

    private void EndCopy(RequestContext context, string id, string state, string? message)
    {
        var ended = CopyJobs(context).Update(id, document =>
        {
            document["State"] = state;
            document["CompletionDate"] = Documents.Time(context.Now);
            document.With("StatusMessage", message).With("MessageCategory", state == "COMPLETED" ? "SUCCESS" : "FAILED");
        })!;
        Copied(context, ended, state == "COMPLETED" ? "COPY_JOB_SUCCESSFUL" : "COPY_JOB_FAILED");
    }

    private void Copied(RequestContext context, JsonObject job, string? happening) => Tell(context, job.Required("SourceBackupVaultArn").Split(':', 7)[^1], happening ?? "", "Copy Job State Change", new JsonObject
    {
        ["copyJobId"] = job.Text("CopyJobId"), ["state"] = job.Text("State"), ["sourceBackupVaultArn"] = job.Text("SourceBackupVaultArn"), ["destinationBackupVaultArn"] = job.Text("DestinationBackupVaultArn"),
        ["resourceArn"] = job.Text("ResourceArn"), ["resourceType"] = job.Text("ResourceType"),
    }.With("statusMessage", job.Text("StatusMessage")).With("destinationRecoveryPointArn", job.Text("DestinationRecoveryPointArn")));

    private JsonObject StartRestore(RequestContext context, JsonObject input)
    {
        var point = Points(context).Get(input.Required("RecoveryPointArn")) ?? throw NotFound($"Recovery point {input.Text("RecoveryPointArn")} not found.");
        if (input.Text("IdempotencyToken") is { } token && RestoreJobs(context).Find(job => job.Text("_Token") == token) is { } before)
        {
            return before.Pick("RestoreJobId");
        }
        RequireRole(context, input.Text("IamRoleArn") ?? throw new ServiceFault("MissingParameterValueException", "IamRoleArn must be specified."));
        RequireAllowed(context, Vault(context, point.Required("BackupVaultName")), "StartRestoreJob");
        if (point.Text("Status") != "COMPLETED")
        {
            throw Refused($"Recovery point is not in a state in which it can be restored: {point.Text("Status")}.");
        }
        if (input.Text("ResourceType") is { } type && type != point.Text("ResourceType"))
        {
            throw Invalid($"The recovery point is of type {point.Text("ResourceType")}, not {type}.");
        }
        var id = Runtime.Ids.Uuid().ToUpperInvariant();
        var job = new JsonObject
        {
            ["AccountId"] = context.AccountId, ["RestoreJobId"] = id, ["RecoveryPointArn"] = point.Text("RecoveryPointArn"), ["SourceResourceArn"] = point.Text("ResourceArn"), ["BackupVaultArn"] = point.Text("BackupVaultArn"),
            ["CreationDate"] = Documents.Time(context.Now), ["Status"] = "PENDING", ["PercentDone"] = "0.00%", ["IamRoleArn"] = input.Text("IamRoleArn"), ["ResourceType"] = point.Text("ResourceType"), ["RecoveryPointCreationDate"] = point["CreationDate"].Copy(),
        }.Take(point, "BackupSizeInBytes").With("_Token", input.Text("IdempotencyToken"));
        RestoreJobs(context).Put(id, job);
        Restored(context, job, "RESTORE_JOB_STARTED");
        var (later, metadata) = (context.Detached(), input.Map("Metadata"));
        Runtime.After(Durations.BackupJobStart, () => Runtime.Run(_ => RestoreAsync(later, Source(point.Required("ResourceType")), point, id, metadata)));
        return new JsonObject { ["RestoreJobId"] = id };
    }

    private async Task RestoreAsync(RequestContext context, IBackupSource source, JsonObject point, string id, IReadOnlyDictionary<string, string> metadata)
    {
        var arn = point.Required("RecoveryPointArn");
        try
        {
            var created = await source.RestoreAsync(context, arn, metadata).ConfigureAwait(false);
            var running = RestoreJobs(context).Update(id, document =>
            {
                document["Status"] = "RUNNING";
                document["CreatedResourceArn"] = created;
            })!;
            Restored(context, running, null);
            FollowRestore(context, source, id, created, context.Now);
        }
        catch (ServiceFault fault)
        {
            EndRestore(context, id, "FAILED", fault.Message);
        }
    }

    private void FollowRestore(RequestContext context, IBackupSource source, string id, string created, DateTimeOffset since) => Runtime.After(Durations.BackupJobPoll, () =>
    {
        if (!source.IsRestored(context, created, since))
        {
            FollowRestore(context, source, id, created, since);
            return;
        }
        var point = RestoreJobs(context).Get(id)!.Required("RecoveryPointArn");
        Points(context).Update(point, document => document["LastRestoreTime"] = Documents.Time(context.Now));
        EndRestore(context, id, "COMPLETED", null);
    });

    private void EndRestore(RequestContext context, string id, string status, string? message)
    {
        var ended = RestoreJobs(context).Update(id, document =>
        {
            document["Status"] = status;
            document["CompletionDate"] = Documents.Time(context.Now);
            document["PercentDone"] = status == "COMPLETED" ? "100.00%" : "0.00%";
            document.With("StatusMessage", message);
        })!;
        Restored(context, ended, status == "COMPLETED" ? "RESTORE_JOB_COMPLETED" : "RESTORE_JOB_FAILED");
    }

    private void Restored(RequestContext context, JsonObject job, string? happening) => Tell(context, job.Required("BackupVaultArn").Split(':', 7)[^1], happening ?? "", "Restore Job State Change", new JsonObject
    {
        ["restoreJobId"] = job.Text("RestoreJobId"), ["status"] = job.Text("Status"), ["resourceType"] = job.Text("ResourceType"), ["backupVaultArn"] = job.Text("BackupVaultArn"), ["recoveryPointArn"] = job.Text("RecoveryPointArn"),
    }.With("statusMessage", job.Text("StatusMessage")).With("createdResourceArn", job.Text("CreatedResourceArn")));
}
