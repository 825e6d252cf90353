using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.DynamoDb;
using Inferloop.Sandbox.Services.Kms;
using Inferloop.Sandbox.Services.Rds;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>DB instances: their recovery points are snapshots of type awsbackup.</summary>
internal sealed class DatabaseBackups(SandboxRuntime runtime) : IBackupSource
{
    private readonly RdsService databases = runtime.Service<RdsService>();

    public string Type => "RDS";

    public IEnumerable<BackupResource> Resources(RequestContext context) => runtime.Collection("rds", "instances", context).All()
        .Select(instance => new BackupResource(instance.Required("DBInstanceArn"), instance.Required("DBInstanceIdentifier"), BackupService.TagsOf(instance.Objects("TagList"))));

    public (string Arn, long Size) Take(RequestContext context, BackupResource resource, string job)
    {
        databases.KeepForBackup(context, resource.Name, "awsbackup:job-" + job.ToLowerInvariant());
        return (context.Arn("rds", "snapshot:awsbackup:job-" + job.ToLowerInvariant()), (runtime.Collection("rds", "instances", context).Get(resource.Name)?.Long("AllocatedStorage") ?? 0) << 30);
    }

    public string Copy(RequestContext from, string recoveryPoint, RequestContext to, string job)
    {
        var encrypted = databases.FindSnapshot(from, recoveryPoint)?.Is("Encrypted") == true;
        databases.CopyForBackup(to, recoveryPoint, "awsbackup:copyjob-" + job.ToLowerInvariant(), encrypted ? runtime.Service<KmsService>().ServiceKeyArn(to, "rds") : null);
        return to.Arn("rds", "snapshot:awsbackup:copyjob-" + job.ToLowerInvariant());
    }

    public bool IsDone(RequestContext context, string recoveryPoint, DateTimeOffset since, bool isCopy) => databases.FindSnapshot(context, recoveryPoint)?.Text("Status") == "available";

    public JsonObject Metadata(RequestContext context, string recoveryPoint, JsonObject point)
    {
        var (snapshot, settings) = (databases.FindSnapshot(context, recoveryPoint) ?? [], databases.FindSnapshot(context, recoveryPoint)?.Child("_Settings") ?? []);
        return new JsonObject { ["DBSnapshotIdentifier"] = snapshot.Text("DBSnapshotIdentifier"), ["DBInstanceIdentifier"] = snapshot.Text("DBInstanceIdentifier") }
            .With("DBInstanceClass", settings.Text("DBInstanceClass")).With("Engine", snapshot.Text("Engine")).With("EngineVersion", snapshot.Text("EngineVersion")).With("Port", snapshot.Text("Port"))
            .With("StorageType", snapshot.Text("StorageType")).With("AllocatedStorage", snapshot.Text("AllocatedStorage")).With("DBSubnetGroupName", settings.Text("_SubnetGroup"));
    }

    public async Task<string> RestoreAsync(RequestContext context, string recoveryPoint, IReadOnlyDictionary<string, string> metadata)
    {
        var input = new JsonObject { ["DBSnapshotIdentifier"] = recoveryPoint.Split(':', 7)[^1] };
        foreach (var (name, value) in metadata.Where(pair => databases.Model.Operation("RestoreDBInstanceFromDBSnapshot")!.Input!.Members.Any(member => member.Name == pair.Key)))
        {
            // Lists and flags travel as JSON in the text of the map.
            input[name] = name == "DBSnapshotIdentifier" ? recoveryPoint.Split(':', 7)[^1] : value.StartsWith('[') ? JsonNode.Parse(value) : value;
        }
        input.Remove("EngineVersion");
        return (await databases.InvokeAsync(context.Detached(), "RestoreDBInstanceFromDBSnapshot", input).ConfigureAwait(false)).Child("DBInstance")!.Required("DBInstanceArn");
    }

    public bool IsRestored(RequestContext context, string arn, DateTimeOffset since) =>
        runtime.Collection("rds", "instances", context).Get(arn.Split(':', 7)[^1])?.Text("DBInstanceStatus") is null or "available" or "storage-optimization" or "backing-up";

    public void Remove(RequestContext context, string recoveryPoint) => databases.RemoveForBackup(context, recoveryPoint);
}

/// <summary>Tables, with the advanced features: their recovery points are AWS Backup's own.</summary>
internal sealed class TableBackups(SandboxRuntime runtime) : IBackupSource
{
    private readonly DynamoDbService tables = runtime.Service<DynamoDbService>();

    public string Type => "DynamoDB";

    public IEnumerable<BackupResource> Resources(RequestContext context) => runtime.Collection("dynamodb", "tables", context).All()
        .Select(table => new BackupResource(table.Required("TableArn"), table.Required("TableName"), BackupService.TagsOf(table.Objects("_Tags"))));

    public (string Arn, long Size) Take(RequestContext context, BackupResource resource, string job)
    {
        var arn = context.Arn("backup", "recovery-point:" + runtime.Ids.Uuid());
        return (arn, tables.KeepForBackup(context, resource.Name, arn));
    }

    public string Copy(RequestContext from, string recoveryPoint, RequestContext to, string job)
    {
        var arn = to.Arn("backup", "recovery-point:" + runtime.Ids.Uuid());
        tables.CopyForBackup(from, recoveryPoint, to, arn);
        return arn;
    }

    public bool IsDone(RequestContext context, string recoveryPoint, DateTimeOffset since, bool isCopy) => context.Now >= since + (isCopy ? Durations.BackupCopy : Durations.BackupTable);

    public JsonObject Metadata(RequestContext context, string recoveryPoint, JsonObject point) => new() { ["originalTableName"] = point.Text("ResourceName"), ["encryptionType"] = "Default" };

    public async Task<string> RestoreAsync(RequestContext context, string recoveryPoint, IReadOnlyDictionary<string, string> metadata)
    {
        var name = metadata.GetValueOrDefault("targetTableName") ?? throw new ServiceFault("InvalidParameterValueException", "Metadata must have targetTableName.");
        var input = new JsonObject { ["BackupArn"] = recoveryPoint, ["TargetTableName"] = name };
        if (metadata.GetValueOrDefault("encryptionType") == "KMS")
        {
            input["SSESpecificationOverride"] = new JsonObject { ["Enabled"] = true, ["SSEType"] = "KMS" }.With("KMSMasterKeyId", metadata.GetValueOrDefault("kmsMasterKeyArn"));
        }
        return (await tables.InvokeAsync(context.Detached(), "RestoreTableFromBackup", input).ConfigureAwait(false)).Child("TableDescription")!.Required("TableArn");
    }

    public bool IsRestored(RequestContext context, string arn, DateTimeOffset since) => runtime.Collection("dynamodb", "tables", context).Get(arn.Split('/')[^1])?.Text("TableStatus") is null or "ACTIVE";

    public void Remove(RequestContext context, string recoveryPoint) => tables.RemoveForBackup(context, recoveryPoint);
}

/// <summary>Buckets: their recovery points hold the newest version of each object.</summary>
internal sealed class BucketBackups(SandboxRuntime runtime) : IBackupSource
{
    private readonly S3Service storage = runtime.Service<S3Service>();
    private readonly ConcurrentDictionary<string, IReadOnlyList<KeptObject>> kept = new(StringComparer.Ordinal);

    public string Type => "S3";

    public IEnumerable<BackupResource> Resources(RequestContext context) => storage.BucketsOf(context).Select(bucket => new BackupResource($"arn:{context.Partition}:s3:::{bucket.Name}", bucket.Name,
        bucket.Configuration.TryGetValue("tagging", out var tagging) && tagging is JsonObject set ? BackupService.TagsOf(set.Objects("TagSet")) : new Dictionary<string, string>()));

    public (string Arn, long Size) Take(RequestContext context, BackupResource resource, string job)
    {
        var bucket = storage.BucketsOf(context).First(item => item.Name == resource.Name);
        if (bucket.Versioning != "Enabled")
        {
            throw new ServiceFault("InvalidParameterValueException", $"Versioning is not enabled on bucket {resource.Name}: AWS Backup needs it.");
        }
        var contents = storage.Contents(context, resource.Name);
        var arn = context.Arn("backup", $"recovery-point:{resource.Name}-{runtime.Ids.Hex(8)}");
        kept[arn] = contents;
        return (arn, contents.Sum(item => (long)item.Version.Data.Length));
    }

    public string Copy(RequestContext from, string recoveryPoint, RequestContext to, string job)
    {
        var arn = to.Arn("backup", $"recovery-point:{recoveryPoint[(recoveryPoint.LastIndexOf(':') + 1)..recoveryPoint.LastIndexOf('-')]}-{runtime.Ids.Hex(8)}");
        kept[arn] = kept[recoveryPoint];
        return arn;
    }

    public bool IsDone(RequestContext context, string recoveryPoint, DateTimeOffset since, bool isCopy) => context.Now >= since + (isCopy ? Durations.BackupCopy : Durations.BackupBucket);

    public JsonObject Metadata(RequestContext context, string recoveryPoint, JsonObject point) => new() { ["DestinationBucketName"] = point.Text("ResourceName"), ["NewBucket"] = "false", ["Encrypted"] = "false" };

    public async Task<string> RestoreAsync(RequestContext context, string recoveryPoint, IReadOnlyDictionary<string, string> metadata)
    {
        var name = metadata.GetValueOrDefault("DestinationBucketName") ?? throw new ServiceFault("InvalidParameterValueException", "Metadata must have DestinationBucketName.");
        if (string.Equals(metadata.GetValueOrDefault("NewBucket"), "true", StringComparison.OrdinalIgnoreCase))
        {
            var input = new JsonObject { ["Bucket"] = name }.With("CreateBucketConfiguration", context.Region == "us-east-1" ? null : new JsonObject { ["LocationConstraint"] = context.Region });
            await storage.InvokeAsync(context.Detached(), "CreateBucket", input).ConfigureAwait(false);
            await storage.InvokeAsync(context.Detached(), "PutBucketVersioning", new JsonObject { ["Bucket"] = name, ["VersioningConfiguration"] = new JsonObject { ["Status"] = "Enabled" } }).ConfigureAwait(false);
        }
        else if (!storage.BucketsOf(context).Any(bucket => bucket.Name == name))
        {
            throw new ServiceFault("InvalidParameterValueException", $"The destination bucket {name} does not exist in {context.Region}.");
        }
        var later = context.Detached();
        var objects = kept[recoveryPoint];
        runtime.After(Durations.BackupBucketRestore, () => storage.PutBack(later, name, objects));
        return $"arn:{context.Partition}:s3:::{name}";
    }

    public bool IsRestored(RequestContext context, string arn, DateTimeOffset since) => context.Now >= since + Durations.BackupBucketRestore;

    public void Remove(RequestContext context, string recoveryPoint) => kept.TryRemove(recoveryPoint, out _);
}
