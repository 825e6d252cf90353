using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.EC2;
using Amazon.EC2.Model;
using Amazon.RDS.Model;
using Amazon.S3;
using Amazon.S3.Model;
using Inferloop.Operations.Environments;
using ResourceNotFoundException = Amazon.DynamoDBv2.Model.ResourceNotFoundException;

namespace Inferloop.Operations.Backups;

/// <summary>What came of a restore, by its own service: whether a name is free, whether it is ready, what it holds, and how it goes again.</summary>
internal sealed class BackupStore(EnvironmentOperations operations)
{
    private EnvironmentAws Aws => operations.Aws;

    /// <summary>Whether something of the kind has the name already.</summary>
    public async Task<bool> ExistsAsync(BackupComponent component, string name, CancellationToken cancellation)
    {
        switch (component)
        {
            case BackupComponent.Database:
                return await DatabaseAsync(name, cancellation).ConfigureAwait(false) is not null;
            case BackupComponent.Table:
                return await TableAsync(name, cancellation).ConfigureAwait(false) is not null;
            case BackupComponent.Bucket:
                try
                {
                    await Aws.S3.GetBucketLocationAsync(new GetBucketLocationRequest { BucketName = name }, cancellation).ConfigureAwait(false);
                    return true;
                }
                catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.NotFound)
                {
                    return false;
                }

                // A bucket of someone else's has the name.
                catch (AmazonS3Exception e) when (e.StatusCode == System.Net.HttpStatusCode.Forbidden)
                {
                    return true;
                }

            default:
                // Volumes are given their ids by EC2.
                return false;
        }
    }

    public async Task<DBInstance?> DatabaseAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return (await Aws.Databases.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = name }, cancellation).ConfigureAwait(false)).DBInstances?.FirstOrDefault();
        }
        catch (DBInstanceNotFoundException)
        {
            return null;
        }
    }

    public async Task<TableDescription?> TableAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return (await Aws.DynamoDB.DescribeTableAsync(new DescribeTableRequest { TableName = name }, cancellation).ConfigureAwait(false)).Table;
        }
        catch (ResourceNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether it answers; an error where it never will.</summary>
    public async Task<bool> IsReadyAsync(BackupComponent component, string name, CancellationToken cancellation)
    {
        var status = component switch
        {
            BackupComponent.Database => (await DatabaseAsync(name, cancellation).ConfigureAwait(false))?.DBInstanceStatus,
            BackupComponent.Table => (await TableAsync(name, cancellation).ConfigureAwait(false))?.TableStatus?.Value,
            BackupComponent.Volume => (await VolumeAsync(name, cancellation).ConfigureAwait(false))?.State?.Value,
            _ => "available",
        };
        return status switch
        {
            "available" or "ACTIVE" or "storage-optimization" => true,
            "failed" or "incompatible-restore" or "incompatible-network" or "incompatible-parameters" or "error" or "storage-full" => throw new OperationException(
                "RestoreFailed", OperationErrorKind.OperationFailed, $"What was restored as {name} is {status} and will not come up.", "Look at its events in the console of its service, remove it, and restore again.", name),
            _ => false,
        };
    }

    private async Task<Volume?> VolumeAsync(string id, CancellationToken cancellation)
    {
        try
        {
            return (await Aws.EC2.DescribeVolumesAsync(new DescribeVolumesRequest { VolumeIds = [id] }, cancellation).ConfigureAwait(false)).Volumes?.FirstOrDefault();
        }
        catch (AmazonEC2Exception e) when (e.ErrorCode == "InvalidVolume.NotFound")
        {
            return null;
        }
    }

    /// <summary>Looks at whether what was restored is what the backup said.</summary>
    public async Task<IReadOnlyList<InferloopBackupCheck>> CheckAsync(InferloopBackup backup, string name, CancellationToken cancellation)
    {
        var checks = new List<InferloopBackupCheck>();
        switch (backup.Component)
        {
            case BackupComponent.Database:
                var database = await DatabaseAsync(name, cancellation).ConfigureAwait(false);
                var original = await DatabaseAsync(backup.Resource, cancellation).ConfigureAwait(false);
                checks.Add(new("Came up", database?.DBInstanceStatus is "available" or "storage-optimization", database?.DBInstanceStatus ?? "missing"));
                checks.Add(new("Engine", database?.Engine == "postgres" && (original is null || Major(original.EngineVersion) == Major(database.EngineVersion)), $"{database?.Engine} {database?.EngineVersion}"));
                checks.Add(new("Encrypted", database?.StorageEncrypted == true, database?.StorageEncrypted == true ? "yes" : "no"));
                checks.Add(new("Storage", database?.AllocatedStorage > 0 && (backup.Size == 0 || ((long)database.AllocatedStorage! << 30) >= backup.Size), $"{database?.AllocatedStorage} GiB"));
                checks.Add(new("Database", original is null || database?.DBName == original.DBName, database?.DBName ?? "none"));
                break;
            case BackupComponent.Table:
                var table = await TableAsync(name, cancellation).ConfigureAwait(false);
                var source = await TableAsync(backup.Resource, cancellation).ConfigureAwait(false);
                checks.Add(new("Came up", table?.TableStatus == TableStatus.ACTIVE, table?.TableStatus?.Value ?? "missing"));
                static string Keys(TableDescription? t) => string.Join(", ", (t?.KeySchema ?? []).Select(k => $"{k.AttributeName} ({k.KeyType})"));
                checks.Add(new("Keys", Keys(table).Length > 0 && (source is null || Keys(table) == Keys(source)), Keys(table)));
                checks.Add(new("Indexes", source is null || (table?.GlobalSecondaryIndexes?.Count ?? 0) == (source.GlobalSecondaryIndexes?.Count ?? 0), $"{table?.GlobalSecondaryIndexes?.Count ?? 0}"));
                var items = await CountAsync(name, cancellation).ConfigureAwait(false);
                checks.Add(new("Items", items > 0 || backup.Size == 0, $"{items:N0}"));
                break;
            case BackupComponent.Bucket:
                var (objects, bytes) = await ObjectsAsync(name, cancellation).ConfigureAwait(false);
                checks.Add(new("Objects", objects > 0 || backup.Size == 0, $"{objects:N0}"));
                checks.Add(new("Size", bytes >= backup.Size, $"{bytes:N0} of {backup.Size:N0} bytes"));
                break;
            default:
                var volume = await VolumeAsync(name, cancellation).ConfigureAwait(false);
                checks.Add(new("Came up", volume?.State == VolumeState.Available, volume?.State?.Value ?? "missing"));
                checks.Add(new("Encrypted", volume?.Encrypted == true, volume?.Encrypted == true ? "yes" : "no"));
                checks.Add(new("Size", volume is not null && ((long)(volume.Size ?? 0) << 30) >= backup.Size, $"{volume?.Size} GiB"));
                break;
        }

        return checks;
    }

    /// <summary>Removes what a restore made; what is gone already is well.</summary>
    public async Task RemoveAsync(BackupComponent component, string name, CancellationToken cancellation)
    {
        switch (component)
        {
            case BackupComponent.Database when await DatabaseAsync(name, cancellation).ConfigureAwait(false) is { } database:
                if (database.DBInstanceStatus != "deleting")
                {
                    await Aws.Databases.DeleteDBInstanceAsync(new DeleteDBInstanceRequest { DBInstanceIdentifier = name, SkipFinalSnapshot = true, DeleteAutomatedBackups = true }, cancellation).ConfigureAwait(false);
                }

                break;
            case BackupComponent.Table when await TableAsync(name, cancellation).ConfigureAwait(false) is { } table:
                if (table.TableStatus != TableStatus.DELETING)
                {
                    await Aws.DynamoDB.DeleteTableAsync(new DeleteTableRequest { TableName = name }, cancellation).ConfigureAwait(false);
                }

                break;
            case BackupComponent.Bucket when await ExistsAsync(component, name, cancellation).ConfigureAwait(false):
                await operations.EmptyAsync(name, cancellation).ConfigureAwait(false);
                await Aws.S3.DeleteBucketAsync(new DeleteBucketRequest { BucketName = name }, cancellation).ConfigureAwait(false);
                break;
            case BackupComponent.Volume when await VolumeAsync(name, cancellation).ConfigureAwait(false) is not null:
                await Aws.EC2.DeleteVolumeAsync(new DeleteVolumeRequest { VolumeId = name }, cancellation).ConfigureAwait(false);
                break;
            default:
                break;
        }
    }

    public async Task<bool> IsGoneAsync(BackupComponent component, string name, CancellationToken cancellation) =>
        component == BackupComponent.Volume ? await VolumeAsync(name, cancellation).ConfigureAwait(false) is null : !await ExistsAsync(component, name, cancellation).ConfigureAwait(false);

    private async Task<long> CountAsync(string table, CancellationToken cancellation)
    {
        long count = 0;
        Dictionary<string, AttributeValue>? from = null;
        do
        {
            var page = await Aws.DynamoDB.ScanAsync(new ScanRequest { TableName = table, Select = Select.COUNT, ExclusiveStartKey = from }, cancellation).ConfigureAwait(false);
            count += page.Count ?? 0;
            from = page.LastEvaluatedKey is { Count: > 0 } more ? more : null;
        }
        while (from is not null);
        return count;
    }

    private async Task<(long Count, long Bytes)> ObjectsAsync(string bucket, CancellationToken cancellation)
    {
        var (count, bytes) = (0L, 0L);
        string? token = null;
        do
        {
            var page = await Aws.S3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket, ContinuationToken = token }, cancellation).ConfigureAwait(false);
            count += page.S3Objects?.Count ?? 0;
            bytes += page.S3Objects?.Sum(o => o.Size ?? 0) ?? 0;
            token = page.IsTruncated == true ? page.NextContinuationToken : null;
        }
        while (token is not null);
        return (count, bytes);
    }

    private static string Major(string? version) => (version ?? "").Split('.')[0];
}
