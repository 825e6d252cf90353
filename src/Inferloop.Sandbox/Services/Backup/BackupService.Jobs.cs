using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>What a backup job is to do.</summary>
internal sealed record JobOrder(string Vault, string Role, JsonObject? Lifecycle, IReadOnlyList<JsonObject> Tags, long StartMinutes, long CompleteMinutes)
{
    public IReadOnlyList<JsonObject> Copies { get; init; } = [];

    public JsonObject? CreatedBy { get; init; }
}

/// <content>Backup jobs: created, running when picked up, completed when what they took is there.</content>
internal sealed partial class BackupService
{
    private Collection Jobs(RequestContext context) => Collection(context, "jobs");

    private JsonObject Job(RequestContext context, string id) => Jobs(context).Get(id) ?? throw NotFound($"Backup job {id} not found.");

    private void AddJobs()
    {
        On("StartBackupJob", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName"));
            RequireAllowed(context, vault, "StartBackupJob");
            CheckLifecycle(input.Child("Lifecycle"));
            if (input.Text("IdempotencyToken") is { } token && Jobs(context).Find(job => job.Text("_Token") == token) is { } before)
            {
                return before.Pick("BackupJobId", "RecoveryPointArn", "CreationDate");
            }
            RequireRole(context, input.Required("IamRoleArn"));
            var (source, resource) = Resource(context, input.Required("ResourceArn"));
            var job = Begin(context.Detached(), source, resource, new JobOrder(vault.Required("BackupVaultName"), input.Required("IamRoleArn"), input.Child("Lifecycle"), Tags.FromMap(input.Child("RecoveryPointTags")).ToList(),
                input.Long("StartWindowMinutes") ?? 480, input.Long("CompleteWindowMinutes") ?? 10_080), input.Text("IdempotencyToken"));
            return job.Pick("BackupJobId", "RecoveryPointArn", "CreationDate");
        });
        On("DescribeBackupJob", (context, input) => Job(context, input.Required("BackupJobId")));
        On("ListBackupJobs", (context, input) => Listed(input, Jobs(context).All(), "BackupJobs", "State", "ByResourceArn", "ByBackupVaultName", "ByResourceType"));
        On("StopBackupJob", (context, input) =>
        {
            var job = Job(context, input.Required("BackupJobId"));
            if (job.Text("State") is not ("CREATED" or "PENDING" or "RUNNING"))
            {
                throw Refused($"Job {job.Text("BackupJobId")} cannot be stopped: it is {job.Text("State")}.");
            }
            End(context.Detached(), job, "ABORTED", "Backup job was stopped by user.");
            if (job.Text("RecoveryPointArn") is { } point)
            {
                Source(job.Required("ResourceType")).Remove(context, point);
                Points(context).Remove(point);
            }
            return [];
        });
    }

    /// <summary>A page of jobs, newest first, by what the request asks for.</summary>
    private static JsonObject Listed(JsonObject input, IEnumerable<JsonObject> jobs, string member, string state, params string[] filters)
    {
        var wanted = input.Text("ByState") ?? input.Text("ByStatus");
        var all = jobs.Where(job => (wanted is null || wanted == "AGGREGATE_ALL" || job.Text(state) == wanted)
                && filters.All(filter => !input.Has(filter) || job.Text(filter[2..]) == input.Text(filter))
                && (input.TimeOf("ByCreatedAfter") is not { } after || job.TimeOf("CreationDate") > after) && (input.TimeOf("ByCreatedBefore") is not { } before || job.TimeOf("CreationDate") < before)
                && (input.TimeOf("ByCompleteAfter") is not { } completed || job.TimeOf("CompletionDate") > completed) && (input.TimeOf("ByCompleteBefore") is not { } earlier || job.TimeOf("CompletionDate") < earlier)
                && (!input.Has("ByAccountId") || input.Text("ByAccountId") == "*" || job.Text("AccountId") == input.Text("ByAccountId")))
            .OrderByDescending(job => job.TimeOf("CreationDate")).ToList();
        return Pages.Answer(input, all, member, "MaxResults", "NextToken", 1000, "InvalidParameterValueException");
    }

    private (IBackupSource Source, BackupResource Resource) Resource(RequestContext context, string arn)
    {
        foreach (var source in Sources)
        {
            if (source.Resources(context).FirstOrDefault(item => item.Arn == arn) is { } found)
            {
                return (source, found);
            }
        }
        throw arn.Split(':') is [_, _, "rds" or "dynamodb" or "s3" or "ec2", ..] ? NotFound($"Resource {arn} does not exist.") : Invalid($"Resource type of {arn} is not supported: the sandbox backs up {string.Join(", ", Sources.Select(source => source.Type))}.");
    }

    private JsonObject Begin(RequestContext context, IBackupSource source, BackupResource resource, JobOrder order, string? token = null)
    {
        var id = Runtime.Ids.Uuid().ToUpperInvariant();
        var vault = Vault(context, order.Vault);
        var job = new JsonObject
        {
            ["AccountId"] = context.AccountId, ["BackupJobId"] = id, ["BackupVaultName"] = order.Vault, ["BackupVaultArn"] = vault.Text("BackupVaultArn"), ["ResourceArn"] = resource.Arn, ["ResourceType"] = source.Type,
            ["ResourceName"] = resource.Name, ["IamRoleArn"] = order.Role, ["State"] = "CREATED", ["PercentDone"] = "0.0", ["CreationDate"] = Documents.Time(context.Now), ["IsParent"] = false, ["IsEncrypted"] = true,
            ["EncryptionKeyArn"] = vault.Text("EncryptionKeyArn"), ["StartBy"] = Documents.Time(context.Now.AddMinutes(order.StartMinutes)), ["ExpectedCompletionDate"] = Documents.Time(context.Now.AddMinutes(order.CompleteMinutes)),
            ["BackupSizeInBytes"] = 0, ["MessageCategory"] = "",
        }.With("RecoveryPointLifecycle", order.Lifecycle.Copy()).With("CreatedBy", order.CreatedBy.Copy()).With("_Token", token);
        Jobs(context).Put(id, job);
        Happened(context, job, "BACKUP_JOB_STARTED");
        Runtime.After(Durations.BackupJobStart, () => Start(context, source, resource, order, id));
        return job;
    }

    private void Start(RequestContext context, IBackupSource source, BackupResource resource, JobOrder order, string id)
    {
        if (Jobs(context).Get(id) is not { } job || job.Text("State") != "CREATED")
        {
            return;
        }
        try
        {
            if (RetentionProblem(Vault(context, order.Vault), order.Lifecycle) is { } problem)
            {
                throw Invalid(problem);
            }
            var (arn, size) = source.Take(context, resource, id);
            var started = Jobs(context).Update(id, document =>
            {
                document["State"] = "RUNNING";
                document["InitiationDate"] = Documents.Time(context.Now);
                document["RecoveryPointArn"] = arn;
                document["BackupSizeInBytes"] = size;
            })!;
            Keep(context, started, arn, order.Lifecycle, order.Tags);
            Happened(context, started, null);
            Follow(context, source, order, id, arn, context.Now);
        }
        catch (ServiceFault fault) when (fault.Code is "InvalidDBInstanceState" or "TableInUseException" && context.Now < job.TimeOf("StartBy"))
        {
            // The resource is busy: tried again while the start window is open.
            Runtime.After(TimeSpan.FromMinutes(2), () => Start(context, source, resource, order, id));
        }
        catch (ServiceFault fault)
        {
            End(context, job, context.Now >= job.TimeOf("StartBy") ? "EXPIRED" : "FAILED", fault.Message);
        }
    }

    private static string? RetentionProblem(JsonObject vault, JsonObject? lifecycle)
    {
        var days = lifecycle?.Long("DeleteAfterDays");
        return vault.Long("MinRetentionDays") is { } least && days is not null && days < least ? $"Retention period is less than the minimum retention period of the vault: {days} days, {least} days are needed."
            : vault.Long("MaxRetentionDays") is { } most && (days is null || days > most) ? $"Retention period is greater than the maximum retention period of the vault: {(days is null ? "always" : $"{days} days")}, at most {most} days are allowed." : null;
    }

    private void Follow(RequestContext context, IBackupSource source, JobOrder order, string id, string arn, DateTimeOffset since) => Runtime.After(Durations.BackupJobPoll, () =>
    {
        if (Jobs(context).Get(id) is not { } job || job.Text("State") != "RUNNING")
        {
            return;
        }
        if (!source.IsDone(context, arn, since, isCopy: false))
        {
            if (context.Now >= job.TimeOf("ExpectedCompletionDate"))
            {
                source.Remove(context, arn);
                Points(context).Remove(arn);
                End(context, job, "ABORTED", "Backup job was not completed within its completion window.");
                return;
            }
            Jobs(context).Update(id, document => document["PercentDone"] = Math.Min(99, 10 + ((context.Now - since).TotalSeconds / 6)).ToString("0.0", CultureInfo.InvariantCulture));
            Follow(context, source, order, id, arn, since);
            return;
        }
        Complete(context, arn);
        End(context, job, "COMPLETED", null);
        foreach (var copy in order.Copies)
        {
            BeginCopy(context, Points(context).Get(arn)!, copy.Required("DestinationBackupVaultArn"), order.Role, copy.Child("Lifecycle"), id, order.CreatedBy);
        }
    });

    private void End(RequestContext context, JsonObject job, string state, string? message)
    {
        var ended = Jobs(context).Update(job.Required("BackupJobId"), document =>
        {
            document["State"] = state;
            document["CompletionDate"] = Documents.Time(context.Now);
            document["PercentDone"] = state == "COMPLETED" ? "100.0" : document.Text("PercentDone");
            document["MessageCategory"] = state == "COMPLETED" ? "SUCCESS" : state;
            document.With("StatusMessage", message).With("BytesTransferred", document["BackupSizeInBytes"].Copy());
        })!;
        Happened(context, ended, state switch { "COMPLETED" => "BACKUP_JOB_COMPLETED", "EXPIRED" => "BACKUP_JOB_EXPIRED", "FAILED" => "BACKUP_JOB_FAILED", _ => null });
    }

    private void Happened(RequestContext context, JsonObject job, string? happening) => Tell(context, job.Required("BackupVaultName"), happening ?? "", "Backup Job State Change", new JsonObject
    {
        ["backupJobId"] = job.Text("BackupJobId"), ["backupVaultArn"] = job.Text("BackupVaultArn"), ["backupVaultName"] = job.Text("BackupVaultName"), ["resourceArn"] = job.Text("ResourceArn"), ["resourceType"] = job.Text("ResourceType"),
        ["state"] = job.Text("State"), ["percentDone"] = job.Text("PercentDone"), ["creationDate"] = job.Text("CreationDate"), ["iamRoleArn"] = job.Text("IamRoleArn"),
    }.With("statusMessage", job.Text("StatusMessage")).With("recoveryPointArn", job.Text("RecoveryPointArn")).With("completionDate", job.Text("CompletionDate")));
}
