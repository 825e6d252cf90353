using System.Globalization;
using Amazon.Backup;
using Amazon.Backup.Model;
using Amazon.EC2.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Backups;

/// <summary>Makes, lists, restores, tests and removes the backups of environments. One instance serves one account and region.</summary>
internal sealed partial class BackupOperations(EnvironmentOperations operations)
{
    private readonly BackupStore store = new(operations);

    private EnvironmentAws Aws => operations.Aws;

    private IAmazonBackup Client => Aws.Client<IAmazonBackup>();

    private TimeProvider Time => operations.Options.Time;

    /// <summary>The backups in an environment's vault, newest first.</summary>
    public async Task<IReadOnlyList<InferloopBackup>> ListAsync(InferloopEnvironment environment, IReadOnlyCollection<BackupComponent>? components, CancellationToken cancellation)
    {
        var vault = await VaultAsync(environment, cancellation).ConfigureAwait(false);
        var found = new List<InferloopBackup>();
        string? token = null;
        do
        {
            var page = await Client.ListRecoveryPointsByBackupVaultAsync(new ListRecoveryPointsByBackupVaultRequest { BackupVaultName = vault.BackupVaultName, NextToken = token }, cancellation).ConfigureAwait(false);
            found.AddRange((page.RecoveryPoints ?? []).Select(p => Read(environment, vault, p)).OfType<InferloopBackup>());
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        return found.Where(b => components is not { Count: > 0 } || components.Contains(b.Component)).OrderByDescending(b => b.Created).ThenBy(b => b.RecoveryPointArn, StringComparer.Ordinal).ToList();
    }

    /// <summary>Makes a backup of each part now, and copies it where the environment has a standby.</summary>
    /// <param name="given">The environment.</param>
    /// <param name="components">The parts; all that the environment has when empty.</param>
    /// <param name="retentionDays">How long they are kept; as long as the plan's when null.</param>
    /// <param name="wait">Follow the jobs to their end. Without it there is no copy of them but the plan's own.</param>
    /// <param name="cancellation">Ends the waiting; AWS goes on.</param>
    public async Task<IReadOnlyList<InferloopBackup>> CreateAsync(InferloopEnvironment given, IReadOnlyCollection<BackupComponent> components, int? retentionDays, bool wait, CancellationToken cancellation)
    {
        var environment = await RefreshAsync(given, cancellation).ConfigureAwait(false);
        var vault = await VaultAsync(environment, cancellation).ConfigureAwait(false);
        var days = retentionDays ?? environment.Spec.Backup.BackupRetentionDays;
        if (vault.MinRetentionDays is { } least && days < least)
        {
            throw new OperationException(
                "BackupRetentionLocked", OperationErrorKind.InvalidArgument, $"The lock of the vault {vault.BackupVaultName} keeps backups {least} days at least, and this one would be kept {days}.", $"Give -RetentionDays {least} or more.", environment.Name);
        }

        var resources = await ResourcesAsync(environment, components, cancellation).ConfigureAwait(false);
        var (scope, _) = await BeginAsync(environment, "create|" + string.Join(',', resources.Select(r => r.Arn)), cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            return await JournaledAsync(scope, async () =>
            {
                await scope.StepAsync("start", cancellation).ConfigureAwait(false);
                var jobs = new List<(string Job, BackupComponent Component)>();
                foreach (var (component, arn) in resources)
                {
                    jobs.Add((await StartAsync(environment, vault, arn, days, scope.Record.OperationId, cancellation).ConfigureAwait(false), component));
                }

                if (wait)
                {
                    await scope.StepAsync("follow", cancellation).ConfigureAwait(false);
                }

                var points = new List<InferloopBackup>();
                foreach (var (job, component) in jobs)
                {
                    var ended = await FollowBackupAsync(environment, job, component, wait, cancellation).ConfigureAwait(false);
                    var copy = wait && ended.RecoveryPointArn is { Length: > 0 } ? await CopyAsync(environment, vault, ended.RecoveryPointArn, days, cancellation).ConfigureAwait(false) : "";
                    points.Add(await PointAsync(environment, vault, ended, component, copy, cancellation).ConfigureAwait(false));
                }

                Report($"Backing up {environment.Name}", "", 100);
                return points;
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Deletes a backup; refuses what a lock or a copy in the making keeps.</summary>
    public async Task RemoveAsync(InferloopBackup backup, CancellationToken cancellation)
    {
        var vault = await Client.DescribeBackupVaultAsync(new DescribeBackupVaultRequest { BackupVaultName = backup.Vault }, cancellation).ConfigureAwait(false);
        if (vault.Locked == true)
        {
            throw Locked(backup, vault);
        }

        try
        {
            await Client.DeleteRecoveryPointAsync(new DeleteRecoveryPointRequest { BackupVaultName = backup.Vault, RecoveryPointArn = backup.RecoveryPointArn }, cancellation).ConfigureAwait(false);
        }
        catch (Amazon.Backup.Model.ResourceNotFoundException)
        {
            // It expired, or somebody was quicker.
        }
        catch (InvalidRequestException e)
        {
            throw new OperationException("BackupNotRemovable", OperationErrorKind.InvalidState, $"{backup} cannot be removed. {e.Message}", $"Look at it with Get-InferloopBackup {backup.Environment}, and repeat the command when it is COMPLETED.", backup.RecoveryPointArn, e);
        }
    }

    private static OperationException Locked(InferloopBackup backup, DescribeBackupVaultResponse vault)
    {
        var final = vault.LockDate is { } date;
        var until = backup.Expires is { } expires ? $"It expires at {expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC" : "It never expires";
        return new OperationException(
            "BackupLocked", OperationErrorKind.PermissionDenied,
            $"{backup} is in the vault {backup.Vault}, whose lock lets nobody delete a backup{(final ? $"; since or from {vault.LockDate!.Value.ToUniversalTime():yyyy-MM-dd HH:mm} UTC nobody can lift the lock" : "")}. {until}.",
            final ? "Wait until it expires." : $"Wait until it expires, or lift the governance lock first: Set-InferloopEnvironment {backup.Environment} -BackupVaultLock None.", backup.RecoveryPointArn);
    }

    private async Task<InferloopEnvironment> RefreshAsync(InferloopEnvironment given, CancellationToken cancellation) =>
        await operations.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(given.Name, given.Region);

    private async Task<DescribeBackupVaultResponse> VaultAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (!environment.Outputs.TryGetValue("BackupVaultName", out var name))
        {
            throw new OperationException(
                "BackupsNotEnabled", OperationErrorKind.InvalidState, $"'{environment.Name}' has no backup vault: its spec keeps backups 0 days.", $"Set-InferloopEnvironment {environment.Name} -BackupRetentionDays 7 makes a vault and a daily plan.", environment.Name);
        }

        return await Client.DescribeBackupVaultAsync(new DescribeBackupVaultRequest { BackupVaultName = name }, cancellation).ConfigureAwait(false);
    }

    private static InferloopBackup? Read(InferloopEnvironment environment, DescribeBackupVaultResponse vault, RecoveryPointByBackupVault point) => ComponentOf(point.ResourceType) is not { } component ? null : new InferloopBackup
    {
        Environment = environment.Name, Stage = environment.Stage, Region = environment.Region, Component = component, Resource = NameOf(point.ResourceArn), ResourceArn = point.ResourceArn,
        RecoveryPointArn = point.RecoveryPointArn, Vault = vault.BackupVaultName, Status = point.Status?.Value ?? "", Created = Moment(point.CreationDate) ?? default, Completed = Moment(point.CompletionDate),
        Expires = Moment(point.CalculatedLifecycle?.DeleteAt), Size = point.BackupSizeInBytes ?? 0, IsLocked = vault.Locked == true,
        CopiedFrom = point.SourceBackupVaultArn?.Split(':') is [_, _, _, var from, ..] && from != environment.Region ? from : "", Origin = environment,
    };

    private async Task<InferloopBackup> PointAsync(InferloopEnvironment environment, DescribeBackupVaultResponse vault, DescribeBackupJobResponse job, BackupComponent component, string copy, CancellationToken cancellation)
    {
        var seen = job.RecoveryPointArn is { Length: > 0 }
            ? (await ListAsync(environment, [component], cancellation).ConfigureAwait(false)).FirstOrDefault(b => b.RecoveryPointArn == job.RecoveryPointArn)
            : null;
        return (seen ?? new InferloopBackup
        {
            // The job waits for its turn: there is no recovery point yet.
            Environment = environment.Name, Stage = environment.Stage, Region = environment.Region, Component = component, Resource = NameOf(job.ResourceArn), ResourceArn = job.ResourceArn,
            RecoveryPointArn = job.RecoveryPointArn ?? "", Vault = vault.BackupVaultName, Status = job.State?.Value ?? "CREATED", Created = Moment(job.CreationDate) ?? default, IsLocked = vault.Locked == true, Origin = environment,
        }) with { CopyingTo = copy };
    }

    /// <summary>Begins a job, or finds the one that an interrupted command left at work on the same.</summary>
    private async Task<string> StartAsync(InferloopEnvironment environment, DescribeBackupVaultResponse vault, string arn, int days, string operation, CancellationToken cancellation)
    {
        var running = (await Client.ListBackupJobsAsync(new ListBackupJobsRequest { ByResourceArn = arn, ByBackupVaultName = vault.BackupVaultName }, cancellation).ConfigureAwait(false)).BackupJobs ?? [];
        if (running.Find(j => j.State?.Value is "CREATED" or "PENDING" or "RUNNING" && j.CreatedBy is null) is { } under)
        {
            operations.Reporter.Verbose($"A backup of {NameOf(arn)} is under way already; following it.");
            return under.BackupJobId;
        }

        var started = await Client.StartBackupJobAsync(
            new StartBackupJobRequest
            {
                BackupVaultName = vault.BackupVaultName, ResourceArn = arn, IamRoleArn = environment.Outputs["BackupRoleArn"], IdempotencyToken = $"{operation}-{NameOf(arn)}",
                Lifecycle = days > 0 ? new Lifecycle { DeleteAfterDays = days } : null, StartWindowMinutes = 60,
                RecoveryPointTags = new Dictionary<string, string> { [Specs.EnvironmentTags.Environment] = environment.Name, [Specs.EnvironmentTags.Stage] = environment.Stage.ToString().ToLowerInvariant(), [Specs.EnvironmentTags.ManagedBy] = Specs.EnvironmentTags.Manager },
            },
            cancellation).ConfigureAwait(false);
        return started.BackupJobId;
    }

    private async Task<DescribeBackupJobResponse> FollowBackupAsync(InferloopEnvironment environment, string id, BackupComponent component, bool wait, CancellationToken cancellation)
    {
        var job = await PollAsync(
            async () => await Client.DescribeBackupJobAsync(new DescribeBackupJobRequest { BackupJobId = id }, cancellation).ConfigureAwait(false),
            j =>
            {
                Report($"Backing up {environment.Name}", $"{component}: {j.State?.Value} {j.PercentDone} %", Percent(j.PercentDone));
                return !wait || j.State?.Value is "COMPLETED" or "FAILED" or "ABORTED" or "EXPIRED" or "PARTIAL";
            },
            cancellation).ConfigureAwait(false);
        return job.State?.Value is "FAILED" or "ABORTED" or "EXPIRED"
            ? throw new OperationException("BackupFailed", OperationErrorKind.OperationFailed, $"The backup of {NameOf(job.ResourceArn)} ({component}) {job.State.Value.ToLowerInvariant()}. {job.StatusMessage}", $"Correct the cause, then run New-InferloopBackup {environment.Name} -Component {component} again.", environment.Name)
            : job;
    }

    /// <summary>Sends a copy to the standby's vault, as the plan does with its own backups.</summary>
    private async Task<string> CopyAsync(InferloopEnvironment environment, DescribeBackupVaultResponse vault, string point, int days, CancellationToken cancellation)
    {
        var region = environment.Spec.Recovery.ReplicaRegion;
        if (region.Length == 0)
        {
            return "";
        }

        await Client.StartCopyJobAsync(
            new StartCopyJobRequest
            {
                RecoveryPointArn = point, SourceBackupVaultName = vault.BackupVaultName, DestinationBackupVaultArn = vault.BackupVaultArn.Replace($":{environment.Region}:", $":{region}:", StringComparison.Ordinal),
                IamRoleArn = environment.Outputs["BackupRoleArn"], Lifecycle = days > 0 ? new Lifecycle { DeleteAfterDays = days } : null, IdempotencyToken = point[(point.LastIndexOf(':') + 1)..],
            },
            cancellation).ConfigureAwait(false);
        return region;
    }

    /// <summary>What of the environment is backed up, by part.</summary>
    private async Task<IReadOnlyList<(BackupComponent Component, string Arn)>> ResourcesAsync(InferloopEnvironment environment, IReadOnlyCollection<BackupComponent> components, CancellationToken cancellation)
    {
        var found = new List<(BackupComponent, string)>();
        foreach (var (component, output) in new[] { (BackupComponent.Database, "DatabaseArn"), (BackupComponent.Table, "TableArn"), (BackupComponent.Bucket, "BucketArn") })
        {
            if (environment.Outputs.TryGetValue(output, out var arn))
            {
                found.Add((component, arn));
            }
        }

        var stage = environment.Stage.ToString().ToLowerInvariant();
        var volumes = await Aws.EC2.DescribeVolumesAsync(
            new DescribeVolumesRequest { Filters = [new Amazon.EC2.Model.Filter("tag:" + Specs.EnvironmentTags.Environment, [environment.Name]), new Amazon.EC2.Model.Filter("tag:" + Specs.EnvironmentTags.Stage, [stage])] }, cancellation).ConfigureAwait(false);
        var account = await Aws.AccountId(cancellation).ConfigureAwait(false);
        found.AddRange((volumes.Volumes ?? []).Select(v => (BackupComponent.Volume, $"arn:{Aws.Partition}:ec2:{Aws.Region}:{account}:volume/{v.VolumeId}")));
        var wanted = found.Where(f => components.Count == 0 || components.Contains(f.Item1)).ToList();
        var missing = components.Where(c => !wanted.Exists(w => w.Item1 == c)).ToList();
        return missing.Count == 0 && wanted.Count > 0 ? wanted : throw new OperationException(
            "BackupNothing", OperationErrorKind.NotFound, $"'{environment.Name}' has no {string.Join(", no ", missing.Count > 0 ? missing.Select(m => m.ToString().ToLowerInvariant()) : ["store"])} to back up.",
            $"Get-InferloopEnvironmentComponent {environment.Name} shows what it has.", environment.Name);
    }

    /// <summary>Takes the backups' lock; what tests of dead processes left restored is removed first.</summary>
    private async Task<(OperationScope Scope, IReadOnlyList<OperationRecord> Left)> BeginAsync(InferloopEnvironment environment, string input, CancellationToken cancellation)
    {
        var (scope, left) = await operations.HoldBackupsAsync(environment.Spec, input, cancellation).ConfigureAwait(false);
        try
        {
            foreach (var open in left)
            {
                if (open.InputHash.StartsWith("test|", StringComparison.Ordinal) && open.StackId?.Split('|') is [var kind, var name] && Enum.TryParse<BackupComponent>(kind, out var component))
                {
                    operations.Reporter.Warning($"An interrupted test left {name}; removing it.");
                    await store.RemoveAsync(component, name, cancellation).ConfigureAwait(false);
                }

                await scope.CloseAsync(open, OperationState.Failed, $"Interrupted; taken up by operation {scope.Record.OperationId} of {scope.Record.Owner}.", cancellation).ConfigureAwait(false);
            }

            return (scope, left);
        }
        catch
        {
            await scope.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static async Task<T> JournaledAsync<T>(OperationScope scope, Func<Task<T>> work)
    {
        try
        {
            var result = await work().ConfigureAwait(false);
            await scope.EndAsync(OperationState.Completed).ConfigureAwait(false);
            return result;
        }
        catch (Exception e)
        {
            await scope.EndAsync(e is OperationCanceledException ? OperationState.Cancelled : OperationState.Failed, e.Message).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<T> PollAsync<T>(Func<Task<T>> ask, Func<T, bool> done, CancellationToken cancellation)
    {
        for (var pause = operations.Options.PollMinimum; ; pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, operations.Options.PollMaximum.Ticks)))
        {
            var answer = await ask().ConfigureAwait(false);
            if (done(answer))
            {
                return answer;
            }

            await Task.Delay(pause, Time, cancellation).ConfigureAwait(false);
        }
    }

    private void Report(string activity, string status, int percent) => operations.Reporter.Progress(new OperationProgress(activity, status, percent, Completed: percent == 100 && status.Length == 0));

    private static int Percent(string? text) => decimal.TryParse((text ?? "").TrimEnd('%'), NumberStyles.Float, CultureInfo.InvariantCulture, out var percent) ? (int)Math.Clamp(percent, 0, 99) : -1;

    private static DateTimeOffset? Moment(DateTime? value) => value is { } v ? new DateTimeOffset(v.ToUniversalTime()) : null;

    private static BackupComponent? ComponentOf(string? type) => type switch { "RDS" => BackupComponent.Database, "DynamoDB" => BackupComponent.Table, "S3" => BackupComponent.Bucket, "EBS" => BackupComponent.Volume, _ => null };

    private static string TypeOf(BackupComponent component) => component switch { BackupComponent.Database => "RDS", BackupComponent.Table => "DynamoDB", BackupComponent.Bucket => "S3", _ => "EBS" };

    internal static string NameOf(string arn) => arn[(Math.Max(arn.LastIndexOf(':'), arn.LastIndexOf('/')) + 1)..];
}
