using Amazon.CloudFormation.Model;
using Amazon.Runtime;
using Amazon.S3.Model;
using Inferloop.Operations.Environments.Forecast;
using Inferloop.Operations.Specs;
using CloudFormationParameter = Amazon.CloudFormation.Model.Parameter;

namespace Inferloop.Operations.Environments;

/// <summary>How an environment is removed.</summary>
internal sealed record RemovalOptions
{
    /// <summary>Delete stored data too. Without it, data stores outlive the environment.</summary>
    public bool DeleteData { get; init; }

    /// <summary>Lift termination protection first. Without it, protection is respected.</summary>
    public bool DisableTerminationProtection { get; init; }

    /// <summary>Follow the deletion to its end.</summary>
    public bool Wait { get; init; } = true;
}

internal sealed partial class EnvironmentOperations
{
    // What holds data a user stored, or opens it; the parameter RetainData governs the same set in the templates.
    private static readonly HashSet<string> StoreTypes = new(StringComparer.Ordinal)
    {
        "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::EFS::FileSystem", "AWS::KMS::Key", "AWS::KMS::ReplicaKey", "AWS::Backup::BackupVault",
    };

    /// <summary>The resources of an environment, nested stacks included, as CloudFormation lists them.</summary>
    public async Task<IReadOnlyList<DeployedResource>> ResourcesAsync(string stackId, CancellationToken cancellation)
    {
        var found = new List<DeployedResource>();
        await CollectAsync(stackId, "").ConfigureAwait(false);
        return found;

        async Task CollectAsync(string id, string prefix)
        {
            string? token = null;
            do
            {
                var page = await aws.CloudFormation.ListStackResourcesAsync(new ListStackResourcesRequest { StackName = id, NextToken = token }, cancellation).ConfigureAwait(false);
                foreach (var r in page.StackResourceSummaries ?? [])
                {
                    var path = prefix + r.LogicalResourceId;
                    found.Add(new DeployedResource(path, r.ResourceType, r.PhysicalResourceId ?? "", r.ResourceStatus?.Value ?? "", id));
                    if (r.ResourceType == "AWS::CloudFormation::Stack" && r.PhysicalResourceId is { Length: > 0 } nested && r.ResourceStatus?.Value != "DELETE_COMPLETE")
                    {
                        await CollectAsync(nested, path + "/").ConfigureAwait(false);
                    }
                }

                token = page.NextToken;
            }
            while (!string.IsNullOrEmpty(token));
        }
    }

    /// <summary>Removes an environment, and tells what was left on purpose. Repeating it after an interruption goes on where it stopped.</summary>
    public async Task<InferloopRemovedEnvironment> RemoveAsync(InferloopEnvironment environment, RemovalOptions removal, CancellationToken cancellation)
    {
        var name = environment.Name;
        var began = options.Time.GetTimestamp();
        var stack = await FindStackAsync(environment.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(name, environment.Region);
        RefuseRemoval(name, stack, removal);
        if ((stack.Parameters ?? []).Find(p => p.ParameterKey == "ReplicaRegion")?.ParameterValue is { Length: > 0 } standby)
        {
            throw new OperationException(
                "EnvironmentHasStandby", OperationErrorKind.InvalidState, $"'{name}' has a standby in {standby}, which replicates from it.", $"Remove that first: Remove-InferloopStandby {name}.", name);
        }

        await using var scope = await BeginAsync(environment.Spec, OperationKind.Delete, previewWith: null, cancellation).ConfigureAwait(false);
        try
        {
            await scope.StepAsync("inventory", cancellation, r => r with { StackId = stack.StackId }).ConfigureAwait(false);
            await CloseOpenAsync(scope, cancellation).ConfigureAwait(false);
            stack = await FindStackAsync(stack.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(name, environment.Region);
            RefuseRemoval(name, stack, removal);
            var resources = await ResourcesAsync(stack.StackId, cancellation).ConfigureAwait(false);
            if (removal.DeleteData)
            {
                await RefuseLockedVaultsAsync(name, resources, cancellation).ConfigureAwait(false);
            }

            if (stack.EnableTerminationProtection == true && (removal.DisableTerminationProtection || StackStates.IsFailedCreate(stack.StackStatus)))
            {
                await scope.StepAsync("unprotect", cancellation).ConfigureAwait(false);
                await aws.CloudFormation.UpdateTerminationProtectionAsync(
                    new UpdateTerminationProtectionRequest { StackName = stack.StackId, EnableTerminationProtection = false }, cancellation).ConfigureAwait(false);
            }

            var guarded = (stack.Parameters ?? []).Exists(p => p is { ParameterKey: "DeletionProtection", ParameterValue: "true" });
            stack = await SetRetentionAsync(scope, name, stack, retain: !removal.DeleteData, removal, cancellation).ConfigureAwait(false);
            if (removal.DeleteData)
            {
                await scope.StepAsync("empty", cancellation).ConfigureAwait(false);
                foreach (var bucket in resources.Where(r => r.Type == "AWS::S3::Bucket" && r.PhysicalId.Length > 0))
                {
                    await EmptyAsync(bucket.PhysicalId, cancellation).ConfigureAwait(false);
                }

                foreach (var vault in VaultsOf(resources))
                {
                    await EmptyVaultAsync(vault, cancellation).ConfigureAwait(false);
                }
            }

            await scope.StepAsync("delete", cancellation).ConfigureAwait(false);
            if (stack.StackStatus == "REVIEW_IN_PROGRESS")
            {
                await DeleteStackAsync(name, stack, cancellation).ConfigureAwait(false);
                await scope.EndAsync(OperationState.Completed).ConfigureAwait(false);
                return Removed(environment, 0, [], began);
            }

            var mark = await StackEventStream.MarkAsync(aws.CloudFormation, stack.StackId, cancellation).ConfigureAwait(false);
            if (stack.StackStatus != "DELETE_IN_PROGRESS")
            {
                await aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stack.StackId, ClientRequestToken = scope.Record.OperationId }, cancellation).ConfigureAwait(false);
            }
            else
            {
                mark = null;
            }

            var stores = resources.Where(r => StoreTypes.Contains(r.Type) && r.PhysicalId.Length > 0).ToList();
            if (!removal.Wait)
            {
                await scope.EndAsync(OperationState.Detached).ConfigureAwait(false);
                return Removed(environment, 0, removal.DeleteData ? [] : stores, began);
            }

            await scope.StepAsync("follow", cancellation).ConfigureAwait(false);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, scope.LockLost);
            var deployed = await DeployedAsync(stack.StackId, either.Token).ConfigureAwait(false);
            var forecast = deployed is null ? null : DurationForecast.OfDelete(deployed);
            StackEnd end;
            for (var round = 1; ; round++)
            {
                var progress = new StackProgress($"Removing {name}", forecast, options.Time);
                end = await FollowAsync(name, stack.StackId, mark, progress, either.Token).ConfigureAwait(false);
                if (StackStates.IsGone(end.Status))
                {
                    break;
                }

                if (!removal.DeleteData || round == 3 || RootCause.Find(end.Events) is not { Type: "AWS::S3::Bucket" or "AWS::Backup::BackupVault" } full)
                {
                    throw Failure(OperationKind.Delete, name, end);
                }

                // Access logs arrive minutes after the traffic they tell of, and plans make backups: what was emptied filled again behind us.
                await (full.Type == "AWS::S3::Bucket" ? EmptyAsync(full.PhysicalId, cancellation) : EmptyVaultAsync(full.PhysicalId, cancellation)).ConfigureAwait(false);
                mark = await StackEventStream.MarkAsync(aws.CloudFormation, stack.StackId, cancellation).ConfigureAwait(false);
                await aws.CloudFormation.DeleteStackAsync(new DeleteStackRequest { StackName = stack.StackId, ClientRequestToken = $"{scope.Record.OperationId}-{round}" }, cancellation).ConfigureAwait(false);
            }

            var skipped = end.Events.Where(e => e.Status == "DELETE_SKIPPED").Select(e => e.Path).ToHashSet(StringComparer.Ordinal);
            if (guarded && !removal.DeleteData)
            {
                await GuardAgainAsync(resources.Where(r => skipped.Contains(r.Path)), cancellation).ConfigureAwait(false);
            }

            await scope.EndAsync(OperationState.Completed).ConfigureAwait(false);
            return Removed(
                environment,
                end.Events.Where(e => e.Status == "DELETE_COMPLETE" && !e.IsStack).Select(e => e.Path).Distinct().Count(),
                [.. resources.Where(r => skipped.Contains(r.Path)), .. await FinalSnapshotsAsync(resources, end.Events, cancellation).ConfigureAwait(false)], began);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            var running = scope.Record.Steps.Any(s => s.Name == "follow");
            if (running)
            {
                Warn($"Removing '{name}' goes on in AWS. Follow it with: Wait-InferloopEnvironment {name} -Stage {environment.Stage} -Region {environment.Region}");
            }

            await scope.EndAsync(running ? OperationState.Detached : OperationState.Cancelled).ConfigureAwait(false);
            throw;
        }
        catch (Exception e) when (scope.Record.IsOpen && e is OperationException or AmazonServiceException)
        {
            await scope.EndAsync(OperationState.Failed, e.Message).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Gives data stores that outlive their environment the deletion protection back that they had: it had to be lifted for the
    /// load balancer, which goes by the same switch.
    /// </summary>
    private async Task GuardAgainAsync(IEnumerable<DeployedResource> kept, CancellationToken cancellation)
    {
        foreach (var store in kept)
        {
            try
            {
                switch (store.Type)
                {
                    case "AWS::DynamoDB::Table":
                        await aws.DynamoDB.UpdateTableAsync(new Amazon.DynamoDBv2.Model.UpdateTableRequest { TableName = store.PhysicalId, DeletionProtectionEnabled = true }, cancellation).ConfigureAwait(false);
                        break;
                    case "AWS::RDS::DBInstance":
                        await aws.Client<Amazon.RDS.IAmazonRDS>().ModifyDBInstanceAsync(
                            new Amazon.RDS.Model.ModifyDBInstanceRequest { DBInstanceIdentifier = store.PhysicalId, DeletionProtection = true, ApplyImmediately = true }, cancellation).ConfigureAwait(false);
                        break;
                }
            }
            catch (AmazonServiceException e)
            {
                // The environment is gone as asked; that what was kept stands unprotected is for someone to know.
                Warn($"{store.PhysicalId} ({store.Type}) was kept, and its deletion protection could not be switched on again: {e.Message}");
            }
        }
    }

    private static void RefuseRemoval(string name, Stack stack, RemovalOptions removal)
    {
        var status = stack.StackStatus.Value;
        if (StateRules.Refusal(EnvironmentCommand.Remove, name, "", status) is { } refusal)
        {
            throw refusal;
        }

        if (stack.EnableTerminationProtection == true && !removal.DisableTerminationProtection && !StackStates.IsFailedCreate(status) && status != "REVIEW_IN_PROGRESS")
        {
            throw new OperationException(
                "EnvironmentProtected", OperationErrorKind.InvalidState, $"The environment '{name}' is protected against removal.",
                $"If it shall go, say so: Remove-InferloopEnvironment {name} -DisableTerminationProtection.", name);
        }
    }

    /// <summary>
    /// Makes the stack's own policies say what was asked: data kept or not, nothing protected. CloudFormation then does
    /// the rest in one deletion, and an interruption in between leaves a whole environment.
    /// </summary>
    private async Task<Stack> SetRetentionAsync(OperationScope scope, string name, Stack stack, bool retain, RemovalOptions removal, CancellationToken cancellation)
    {
        var parameters = (stack.Parameters ?? []).ToDictionary(p => p.ParameterKey, p => p.ParameterValue, StringComparer.Ordinal);

        // Termination protection was the gate; behind it, a load balancer that refuses to go would only make the deletion fail.
        var wanted = new Dictionary<string, string>(StringComparer.Ordinal) { ["RetainData"] = retain ? "true" : "false", ["DeletionProtection"] = "false" };

        if (!parameters.ContainsKey("RetainData") || wanted.All(w => parameters.TryGetValue(w.Key, out var now) && now == w.Value))
        {
            return stack;
        }

        if (!StackStates.IsUpdatable(stack.StackStatus))
        {
            if (removal.DeleteData || StackStates.IsFailedCreate(stack.StackStatus) || stack.StackStatus.Value is "REVIEW_IN_PROGRESS" or "CREATE_IN_PROGRESS" or "DELETE_IN_PROGRESS")
            {
                // A create that came to nothing holds no data; with -DeleteData, what the policy keeps anyway is reported.
                return stack;
            }

            throw new OperationException(
                "EnvironmentDataAtRisk", OperationErrorKind.InvalidState, $"The environment '{name}' is {stack.StackStatus}; in this state its data stores cannot be told to outlive it, and they would be deleted.",
                $"{StackStates.Guidance(name, stack.StackStatus)} Or give up the data with Remove-InferloopEnvironment {name} -DeleteData.", name);
        }

        await scope.StepAsync("retention", cancellation).ConfigureAwait(false);
        Report($"Removing {name}", retain ? "Telling the data stores to outlive the environment" : "Telling the data stores to go with the environment");
        var mark = await StackEventStream.MarkAsync(aws.CloudFormation, stack.StackId, cancellation).ConfigureAwait(false);
        await aws.CloudFormation.UpdateStackAsync(
            new UpdateStackRequest
            {
                StackName = stack.StackId,
                UsePreviousTemplate = true,
                ClientRequestToken = scope.Record.OperationId + "-k",
                Capabilities = Capabilities,
                Parameters = parameters.Keys.Select(k => wanted.TryGetValue(k, out var value)
                    ? new CloudFormationParameter { ParameterKey = k, ParameterValue = value }
                    : new CloudFormationParameter { ParameterKey = k, UsePreviousValue = true }).ToList(),
                Tags = stack.Tags,
            },
            cancellation).ConfigureAwait(false);
        var end = await FollowAsync(name, stack.StackId, mark, new StackProgress($"Removing {name}", null, options.Time), cancellation).ConfigureAwait(false);
        if (end.Status != "UPDATE_COMPLETE")
        {
            throw Failure(OperationKind.Update, name, end);
        }

        return await FindStackAsync(stack.StackId, cancellation).ConfigureAwait(false) ?? throw NotFound(name, aws.Region);
    }

    /// <summary>Deletes every version of every object, and every delete marker: what a bucket must lose before it can go.</summary>
    internal async Task EmptyAsync(string bucket, CancellationToken cancellation)
    {
        long removed = 0;
        while (true)
        {
            ListVersionsResponse page;
            try
            {
                page = await aws.S3.ListVersionsAsync(new ListVersionsRequest { BucketName = bucket, MaxKeys = 1000 }, cancellation).ConfigureAwait(false);
            }
            catch (Amazon.S3.AmazonS3Exception e) when (e.ErrorCode == "NoSuchBucket")
            {
                return;
            }

            if (page.Versions is not { Count: > 0 } versions)
            {
                return;
            }

            var answer = await aws.S3.DeleteObjectsAsync(
                new DeleteObjectsRequest { BucketName = bucket, Quiet = true, Objects = versions.Select(v => new KeyVersion { Key = v.Key, VersionId = v.VersionId }).ToList() }, cancellation).ConfigureAwait(false);
            if (answer.DeleteErrors is { Count: > 0 } errors)
            {
                throw new OperationException(
                    "BucketNotEmptied", OperationErrorKind.OperationFailed, $"The bucket '{bucket}' cannot be emptied: {errors[0].Key}: {errors[0].Message}",
                    "Lift what protects its objects (object lock, a bucket policy), then repeat the command.", bucket);
            }

            removed += versions.Count;
            reporter.Progress(new OperationProgress($"Emptying {bucket}", $"{removed:N0} object versions deleted"));
        }
    }

    private InferloopRemovedEnvironment Removed(InferloopEnvironment environment, int deleted, IReadOnlyList<DeployedResource> retained, long began) => new()
    {
        Name = environment.Name,
        Stage = environment.Stage,
        Region = environment.Region,
        Deleted = deleted,
        Retained = retained.Select(r => new InferloopRetainedResource(r.Path, r.Type, r.PhysicalId)).ToList(),
        Duration = options.Time.GetElapsedTime(began),
    };
}

/// <summary>A resource as CloudFormation lists it.</summary>
internal sealed record DeployedResource(string Path, string Type, string PhysicalId, string Status, string StackId)
{
    public string LogicalId => Path[(Path.LastIndexOf('/') + 1)..];
}
