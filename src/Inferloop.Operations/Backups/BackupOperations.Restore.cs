using System.Text.Json;
using Amazon.Backup.Model;
using Amazon.DynamoDBv2.Model;
using Amazon.EC2.Model;
using Amazon.RDS.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Backups;

internal sealed partial class BackupOperations
{
    /// <summary>Restores a backup as something new.</summary>
    /// <param name="backup">The backup.</param>
    /// <param name="given">The environment in whose network a database comes up.</param>
    /// <param name="name">What it is to be called; a name of its own when null.</param>
    /// <param name="cancellation">Ends the waiting; AWS goes on, and repeating the command takes it up.</param>
    public async Task<InferloopRestore> RestoreAsync(InferloopBackup backup, InferloopEnvironment given, string? name, CancellationToken cancellation)
    {
        var environment = await RefreshAsync(given, cancellation).ConfigureAwait(false);
        RefuseUnready(backup);
        var wish = $"restore|{backup.RecoveryPointArn}|{name}";
        var (scope, left) = await BeginAsync(environment, wish, cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            return await JournaledAsync(scope, async () =>
            {
                // The same wish of a process that died: its job and its name go on.
                var before = left.LastOrDefault(o => o.InputHash == wish && o.StackId is not null);
                var token = before?.OperationId ?? scope.Record.OperationId;
                var target = before?.StackId ?? name ?? NewName(environment, backup.Component, token);
                if (before is null)
                {
                    await RefuseTakenAsync(backup.Component, target, cancellation).ConfigureAwait(false);
                }

                await scope.StepAsync("restore", cancellation, r => r with { StackId = target }).ConfigureAwait(false);
                var (arn, duration) = await RestorePointAsync(environment, backup, target, token, null, cancellation).ConfigureAwait(false);
                await scope.StepAsync("ready", cancellation).ConfigureAwait(false);
                return await RestoredAsync(environment, backup.Component, NameOf(arn), arn, backup.Created, duration, cancellation).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Restores the state of a moment of database or table, from what the store itself keeps, as something new.</summary>
    /// <param name="given">The environment.</param>
    /// <param name="component">Database or Table.</param>
    /// <param name="moment">The moment; the latest there is when null.</param>
    /// <param name="name">What it is to be called; a name of its own when null.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<InferloopRestore> RestoreMomentAsync(InferloopEnvironment given, BackupComponent component, DateTimeOffset? moment, string? name, CancellationToken cancellation)
    {
        var environment = await RefreshAsync(given, cancellation).ConfigureAwait(false);
        if (component is not (BackupComponent.Database or BackupComponent.Table) || !environment.Outputs.TryGetValue(component == BackupComponent.Database ? "DatabaseIdentifier" : "TableName", out var source))
        {
            throw new OperationException(
                "PointInTimeNotKept", OperationErrorKind.InvalidArgument, $"'{environment.Name}' keeps no {component.ToString().ToLowerInvariant()} whose moments could be restored.", "Give -Component Database or Table, or restore a backup that Get-InferloopBackup shows.", environment.Name);
        }

        var (earliest, latest) = await WindowAsync(component, source, cancellation).ConfigureAwait(false);
        if (moment is { } wanted && (wanted < earliest || wanted > latest))
        {
            throw new OperationException(
                "PointInTimeOutside", OperationErrorKind.InvalidArgument, $"{source} can be brought back to moments from {earliest.UtcDateTime:yyyy-MM-dd HH:mm:ss} to {latest.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC, and {wanted.UtcDateTime:yyyy-MM-dd HH:mm:ss} is outside.",
                "Give a moment between, or -Latest; older states are in the backups that Get-InferloopBackup shows.", source);
        }

        var wish = $"moment|{source}|{moment:O}|{name}";
        var (scope, left) = await BeginAsync(environment, wish, cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            return await JournaledAsync(scope, async () =>
            {
                var before = left.LastOrDefault(o => o.InputHash == wish && o.StackId is not null);
                var target = before?.StackId ?? name ?? NewName(environment, component, scope.Record.OperationId);
                var exists = await store.ExistsAsync(component, target, cancellation).ConfigureAwait(false);
                if (exists && before is null)
                {
                    throw Taken(component, target);
                }

                await scope.StepAsync("restore", cancellation, r => r with { StackId = target }).ConfigureAwait(false);
                var began = Time.GetTimestamp();
                if (!exists)
                {
                    await (component == BackupComponent.Database ? BeginDatabaseAsync(source, target, moment, cancellation) : BeginTableAsync(source, target, moment, cancellation)).ConfigureAwait(false);
                }

                await ReadyAsync(environment, component, target, cancellation).ConfigureAwait(false);
                var arn = component == BackupComponent.Database
                    ? (await store.DatabaseAsync(target, cancellation).ConfigureAwait(false))!.DBInstanceArn
                    : (await store.TableAsync(target, cancellation).ConfigureAwait(false))!.TableArn;
                return await RestoredAsync(environment, component, target, arn, moment ?? latest, Time.GetElapsedTime(began), cancellation).ConfigureAwait(false);
            }).ConfigureAwait(false);
        }
    }

    /// <summary>Restores a backup where nothing reaches it, looks at it, and removes it again, whatever came of it.</summary>
    public async Task<InferloopBackupTest> TestAsync(InferloopBackup backup, InferloopEnvironment given, CancellationToken cancellation)
    {
        var environment = await RefreshAsync(given, cancellation).ConfigureAwait(false);
        RefuseUnready(backup);
        var (scope, _) = await BeginAsync(environment, $"test|{backup.RecoveryPointArn}", cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            return await JournaledAsync(scope, async () =>
            {
                var name = NewName(environment, backup.Component, scope.Record.OperationId);
                string? group = null;
                var ended = false;
                var (checks, restored, checking) = (new List<InferloopBackupCheck>(), TimeSpan.Zero, TimeSpan.Zero);
                try
                {
                    if (backup.Component == BackupComponent.Database)
                    {
                        await scope.StepAsync("isolate", cancellation).ConfigureAwait(false);
                        group = await IsolationAsync(environment, scope.Record.OperationId, cancellation).ConfigureAwait(false);
                    }

                    await scope.StepAsync("restore", cancellation, r => r with { StackId = $"{backup.Component}|{name}" }).ConfigureAwait(false);
                    (var arn, restored) = await RestorePointAsync(environment, backup, name, scope.Record.OperationId, group, cancellation).ConfigureAwait(false);
                    name = NameOf(arn);
                    await scope.StepAsync("check", cancellation, r => r with { StackId = $"{backup.Component}|{name}" }).ConfigureAwait(false);
                    var begun = Time.GetTimestamp();
                    checks.AddRange(await store.CheckAsync(backup, name, cancellation).ConfigureAwait(false));
                    checking = Time.GetElapsedTime(begun);
                    ended = true;
                }
                catch (OperationException e) when (e.ErrorId == "RestoreFailed")
                {
                    // What a test is for: the backup cannot be restored, and that is its result.
                    checks.Add(new("Restored", false, e.Message));
                    ended = true;
                }
                finally
                {
                    if (!ended)
                    {
                        // Also after Ctrl-C: nothing restored may stay and cost. It is bounded, and what it does not reach the next command removes.
                        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
                        await store.RemoveAsync(backup.Component, name, limit.Token).ConfigureAwait(false);
                    }
                }

                await scope.StepAsync("remove", cancellation).ConfigureAwait(false);
                var removing = Time.GetTimestamp();
                await store.RemoveAsync(backup.Component, name, cancellation).ConfigureAwait(false);
                await PollAsync(async () => await store.IsGoneAsync(backup.Component, name, cancellation).ConfigureAwait(false), gone => gone, cancellation).ConfigureAwait(false);
                if (group is not null)
                {
                    await RemoveIsolationAsync(environment, cancellation).ConfigureAwait(false);
                }

                Report($"Testing {backup.Resource}", "", 100);
                return new InferloopBackupTest
                {
                    Backup = backup, Checks = checks, Age = Time.GetUtcNow() - backup.Created, RestoreDuration = restored, CheckDuration = checking, RemoveDuration = Time.GetElapsedTime(removing), Tested = Time.GetUtcNow(),
                };
            }).ConfigureAwait(false);
        }
    }

    private static void RefuseUnready(InferloopBackup backup)
    {
        if (backup.Status is not ("COMPLETED" or "AVAILABLE") || backup.RecoveryPointArn.Length == 0)
        {
            throw new OperationException(
                "BackupNotReady", OperationErrorKind.InvalidState, $"{backup}: only a completed backup can be restored.", $"Look again with Get-InferloopBackup {backup.Environment} -Component {backup.Component}.", backup.RecoveryPointArn);
        }
    }

    private async Task RefuseTakenAsync(BackupComponent component, string name, CancellationToken cancellation)
    {
        if (await store.ExistsAsync(component, name, cancellation).ConfigureAwait(false))
        {
            throw Taken(component, name);
        }
    }

    private static OperationException Taken(BackupComponent component, string name) => new(
        "RestoreTargetExists", OperationErrorKind.AlreadyExists, $"A {component.ToString().ToLowerInvariant()} '{name}' exists, and a restore overwrites nothing.", "Give another name with -As, or none to have one made.", name);

    private static string NewName(InferloopEnvironment environment, BackupComponent component, string operation)
    {
        var name = $"inferloop-{environment.Name}-{environment.Stage.ToString().ToLowerInvariant()}-{operation[..8]}";
        return component == BackupComponent.Bucket ? $"{name}-{environment.AccountId}" : name;
    }

    /// <summary>Begins a restore job, follows it, and waits until what it made answers.</summary>
    private async Task<(string Arn, TimeSpan Duration)> RestorePointAsync(InferloopEnvironment environment, InferloopBackup backup, string target, string token, string? isolatedIn, CancellationToken cancellation)
    {
        var began = Time.GetTimestamp();
        var activity = $"Restoring {backup.Resource}";
        var kept = await Client.GetRecoveryPointRestoreMetadataAsync(new GetRecoveryPointRestoreMetadataRequest { BackupVaultName = backup.Vault, RecoveryPointArn = backup.RecoveryPointArn }, cancellation).ConfigureAwait(false);
        var started = await Client.StartRestoreJobAsync(
            new StartRestoreJobRequest
            {
                RecoveryPointArn = backup.RecoveryPointArn, ResourceType = TypeOf(backup.Component), IamRoleArn = environment.Outputs["BackupRoleArn"], IdempotencyToken = token,
                Metadata = await MetadataAsync(environment, backup.Component, target, kept.RestoreMetadata ?? [], isolatedIn, cancellation).ConfigureAwait(false),
            },
            cancellation).ConfigureAwait(false);
        var job = await PollAsync(
            async () => await Client.DescribeRestoreJobAsync(new DescribeRestoreJobRequest { RestoreJobId = started.RestoreJobId }, cancellation).ConfigureAwait(false),
            j =>
            {
                Report(activity, $"{backup.Component}: {j.Status?.Value} {j.PercentDone}", Percent(j.PercentDone));
                return j.Status?.Value is "COMPLETED" or "FAILED" or "ABORTED";
            },
            cancellation).ConfigureAwait(false);
        if (job.Status?.Value != "COMPLETED")
        {
            throw new OperationException(
                "RestoreFailed", OperationErrorKind.OperationFailed, $"Restoring {backup} as {target} {job.Status?.Value?.ToLowerInvariant()}. {job.StatusMessage}", "Correct the cause and repeat the command, or restore another backup that Get-InferloopBackup shows.", backup.RecoveryPointArn);
        }

        await ReadyAsync(environment, backup.Component, NameOf(job.CreatedResourceArn), cancellation).ConfigureAwait(false);
        return (job.CreatedResourceArn, Time.GetElapsedTime(began));
    }

    private async Task ReadyAsync(InferloopEnvironment environment, BackupComponent component, string name, CancellationToken cancellation)
    {
        await PollAsync(
            async () => await store.IsReadyAsync(component, name, cancellation).ConfigureAwait(false),
            ready =>
            {
                Report($"Restoring into {environment.Name}", $"{component} {name} is coming up", -1);
                return ready;
            },
            cancellation).ConfigureAwait(false);
        Report($"Restoring into {environment.Name}", "", 100);
    }

    /// <summary>What the restore starts from, with the new name, and in the network of this environment rather than of the one that the backup came from.</summary>
    private async Task<Dictionary<string, string>> MetadataAsync(InferloopEnvironment environment, BackupComponent component, string target, Dictionary<string, string> kept, string? isolatedIn, CancellationToken cancellation)
    {
        switch (component)
        {
            case BackupComponent.Database:
                var own = environment.Outputs.TryGetValue("DatabaseIdentifier", out var name) ? await store.DatabaseAsync(name, cancellation).ConfigureAwait(false) : null;
                var metadata = new Dictionary<string, string>(kept) { ["DBInstanceIdentifier"] = target, ["MultiAZ"] = "false", ["PubliclyAccessible"] = "false" };
                if (own?.DBSubnetGroup?.DBSubnetGroupName is { } subnets)
                {
                    metadata["DBSubnetGroupName"] = subnets;
                }

                metadata["VpcSecurityGroupIds"] = JsonSerializer.Serialize(new[] { isolatedIn ?? environment.Outputs["DataSecurityGroupId"] });
                return metadata;
            case BackupComponent.Table:
                // With the key of this environment, as its own table is: the one that the backup came from may be of another region.
                return new Dictionary<string, string>(kept) { ["targetTableName"] = target, ["encryptionType"] = "KMS", ["kmsMasterKeyArn"] = environment.Outputs["KeyArn"] };
            case BackupComponent.Bucket:
                return new Dictionary<string, string>(kept) { ["DestinationBucketName"] = target, ["NewBucket"] = "true", ["CreationToken"] = target };
            default:
                return new Dictionary<string, string>(kept);
        }
    }

    /// <summary>A security group that lets nothing in and nothing out, in the environment's network.</summary>
    private async Task<string> IsolationAsync(InferloopEnvironment environment, string operation, CancellationToken cancellation)
    {
        var group = await Aws.EC2.CreateSecurityGroupAsync(
            new CreateSecurityGroupRequest
            {
                GroupName = IsolationName(environment) + operation[..8], Description = "Isolates a backup under test, lets nothing in or out", VpcId = environment.Outputs["VpcId"],
                TagSpecifications = [new Amazon.EC2.Model.TagSpecification { ResourceType = Amazon.EC2.ResourceType.SecurityGroup, Tags = [new(Specs.EnvironmentTags.Environment, environment.Name), new(Specs.EnvironmentTags.ManagedBy, Specs.EnvironmentTags.Manager)] }],
            },
            cancellation).ConfigureAwait(false);
        await Aws.EC2.RevokeSecurityGroupEgressAsync(
            new RevokeSecurityGroupEgressRequest { GroupId = group.GroupId, IpPermissions = [new IpPermission { IpProtocol = "-1", Ipv4Ranges = [new IpRange { CidrIp = "0.0.0.0/0" }] }] }, cancellation).ConfigureAwait(false);
        return group.GroupId;
    }

    private static string IsolationName(InferloopEnvironment environment) => $"{environment.Name}-{environment.Stage.ToString().ToLowerInvariant()}-backup-test-";

    /// <summary>Removes the groups of this test, and of earlier ones that were interrupted; one whose database is still going stays for the next.</summary>
    private async Task RemoveIsolationAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var groups = await Aws.EC2.DescribeSecurityGroupsAsync(
            new DescribeSecurityGroupsRequest { Filters = [new Amazon.EC2.Model.Filter("group-name", [IsolationName(environment) + "*"]), new Amazon.EC2.Model.Filter("vpc-id", [environment.Outputs["VpcId"]])] }, cancellation).ConfigureAwait(false);
        foreach (var group in groups.SecurityGroups ?? [])
        {
            try
            {
                await Aws.EC2.DeleteSecurityGroupAsync(new DeleteSecurityGroupRequest { GroupId = group.GroupId }, cancellation).ConfigureAwait(false);
            }
            catch (Amazon.EC2.AmazonEC2Exception e) when (e.ErrorCode == "DependencyViolation")
            {
                operations.Reporter.Verbose($"{group.GroupName} is still in use; the next test removes it.");
            }
        }
    }

    private async Task<(DateTimeOffset Earliest, DateTimeOffset Latest)> WindowAsync(BackupComponent component, string source, CancellationToken cancellation)
    {
        if (component == BackupComponent.Table)
        {
            var kept = (await Aws.DynamoDB.DescribeContinuousBackupsAsync(new DescribeContinuousBackupsRequest { TableName = source }, cancellation).ConfigureAwait(false)).ContinuousBackupsDescription?.PointInTimeRecoveryDescription;
            return kept?.EarliestRestorableDateTime is { } first && kept.LatestRestorableDateTime is { } last ? (Moment(first)!.Value, Moment(last)!.Value) : throw NotKept(source);
        }

        var instance = await store.DatabaseAsync(source, cancellation).ConfigureAwait(false);
        var backups = await Aws.Databases.DescribeDBInstanceAutomatedBackupsAsync(new DescribeDBInstanceAutomatedBackupsRequest { DBInstanceIdentifier = source }, cancellation).ConfigureAwait(false);
        var window = backups.DBInstanceAutomatedBackups?.FirstOrDefault()?.RestoreWindow;
        return (Moment(window?.LatestTime) ?? Moment(instance?.LatestRestorableTime)) is { } end ? (Moment(window?.EarliestTime) ?? DateTimeOffset.MinValue, end) : throw NotKept(source);
    }

    private static OperationException NotKept(string source) => new(
        "PointInTimeNotKept", OperationErrorKind.InvalidState, $"{source} keeps no moments yet, or point-in-time recovery is off.", "Wait for its first backup, or restore one that Get-InferloopBackup shows.", source);

    private async Task BeginDatabaseAsync(string source, string target, DateTimeOffset? moment, CancellationToken cancellation)
    {
        var own = await store.DatabaseAsync(source, cancellation).ConfigureAwait(false) ?? throw NotKept(source);
        await Aws.Databases.RestoreDBInstanceToPointInTimeAsync(
            new RestoreDBInstanceToPointInTimeRequest
            {
                SourceDBInstanceIdentifier = source, TargetDBInstanceIdentifier = target, RestoreTime = moment?.UtcDateTime, UseLatestRestorableTime = moment is null ? true : null, DBInstanceClass = own.DBInstanceClass,
                DBSubnetGroupName = own.DBSubnetGroup?.DBSubnetGroupName, VpcSecurityGroupIds = own.VpcSecurityGroups?.Select(g => g.VpcSecurityGroupId).ToList(), DBParameterGroupName = own.DBParameterGroups?.FirstOrDefault()?.DBParameterGroupName,
                PubliclyAccessible = false, CopyTagsToSnapshot = true,
            },
            cancellation).ConfigureAwait(false);
    }

    private async Task BeginTableAsync(string source, string target, DateTimeOffset? moment, CancellationToken cancellation) => await Aws.DynamoDB.RestoreTableToPointInTimeAsync(
        new RestoreTableToPointInTimeRequest { SourceTableName = source, TargetTableName = target, RestoreDateTime = moment?.UtcDateTime, UseLatestRestorableTime = moment is null ? true : null }, cancellation).ConfigureAwait(false);

    private async Task<InferloopRestore> RestoredAsync(InferloopEnvironment environment, BackupComponent component, string name, string arn, DateTimeOffset state, TimeSpan duration, CancellationToken cancellation)
    {
        var address = component == BackupComponent.Database ? (await store.DatabaseAsync(name, cancellation).ConfigureAwait(false))?.Endpoint?.Address ?? "" : "";
        return new InferloopRestore
        {
            Environment = environment.Name, Region = environment.Region, Component = component, Resource = name, ResourceArn = arn, StateOf = state, Duration = duration, Address = address,
            NextStep = component switch
            {
                BackupComponent.Database => $"Set-InferloopEnvironment {environment.Name} -DatabaseHost {address} lets the application use it; the database that is there stays until it is removed.",
                BackupComponent.Table => $"Set-InferloopEnvironment {environment.Name} -ReplicaTableName {name} lets the application use it; the table that is there is then kept only with RetainData, and asked about otherwise.",
                BackupComponent.Bucket => $"aws s3 sync s3://{name} s3://{(environment.Outputs.TryGetValue("BucketName", out var bucket) ? bucket : "bucket")} brings the objects back as new versions.",
                _ => $"aws ec2 attach-volume --volume-id {name} --instance-id <instance> --device /dev/sdf lets an instance of the same zone read it.",
            },
        };
    }
}
