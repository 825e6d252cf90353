using System.Text.Json.Nodes;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.ECR;
using Amazon.ECR.Model;
using Amazon.KeyManagementService.Model;
using Amazon.S3;
using Amazon.S3.Model;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Imports;

/// <summary>
/// Says in a template's words what a kept data store is: what its type requires, and what protects its data, so that drift detection
/// watches over that. AWS's own generator of templates scans a whole account for minutes; this asks only after what was kept.
/// </summary>
internal sealed class RetainedResourceReader(EnvironmentAws aws)
{
    /// <summary>The resource's properties; null for a type that cannot be described.</summary>
    public async Task<JsonObject?> ReadAsync(string type, string physicalId, CancellationToken cancellation) => type switch
    {
        "AWS::S3::Bucket" => await BucketAsync(physicalId, cancellation).ConfigureAwait(false),
        "AWS::DynamoDB::Table" => await TableAsync(physicalId, cancellation).ConfigureAwait(false),
        "AWS::DynamoDB::GlobalTable" => await GlobalTableAsync(physicalId, cancellation).ConfigureAwait(false),
        "AWS::Logs::LogGroup" => await LogGroupAsync(physicalId, cancellation).ConfigureAwait(false),
        "AWS::KMS::Key" => await KeyAsync(physicalId, cancellation).ConfigureAwait(false),
        "AWS::ECR::Repository" => await RepositoryAsync(physicalId, cancellation).ConfigureAwait(false),
        _ => null,
    };

    private async Task<JsonObject> BucketAsync(string name, CancellationToken cancellation)
    {
        var properties = new JsonObject { ["BucketName"] = name };
        var versioning = await aws.S3.GetBucketVersioningAsync(new GetBucketVersioningRequest { BucketName = name }, cancellation).ConfigureAwait(false);
        if (versioning.VersioningConfig?.Status?.Value is "Enabled" or "Suspended")
        {
            properties["VersioningConfiguration"] = new JsonObject { ["Status"] = versioning.VersioningConfig.Status.Value };
        }

        var encryption = await OrNothingAsync(() => aws.S3.GetBucketEncryptionAsync(new GetBucketEncryptionRequest { BucketName = name }, cancellation)).ConfigureAwait(false);
        if (encryption?.ServerSideEncryptionConfiguration?.ServerSideEncryptionRules is { Count: > 0 } rules)
        {
            properties["BucketEncryption"] = new JsonObject
            {
                ["ServerSideEncryptionConfiguration"] = new JsonArray([.. rules.Select(r => (JsonNode)Without(new JsonObject
                {
                    ["BucketKeyEnabled"] = r.BucketKeyEnabled,
                    ["ServerSideEncryptionByDefault"] = Without(new JsonObject
                    {
                        ["SSEAlgorithm"] = r.ServerSideEncryptionByDefault?.ServerSideEncryptionAlgorithm?.Value,
                        ["KMSMasterKeyID"] = r.ServerSideEncryptionByDefault?.ServerSideEncryptionKeyManagementServiceKeyId,
                    }),
                }))]),
            };
        }

        var access = await OrNothingAsync(() => aws.S3.GetPublicAccessBlockAsync(new GetPublicAccessBlockRequest { BucketName = name }, cancellation)).ConfigureAwait(false);
        if (access?.PublicAccessBlockConfiguration is { } block)
        {
            properties["PublicAccessBlockConfiguration"] = new JsonObject
            {
                ["BlockPublicAcls"] = block.BlockPublicAcls ?? false,
                ["BlockPublicPolicy"] = block.BlockPublicPolicy ?? false,
                ["IgnorePublicAcls"] = block.IgnorePublicAcls ?? false,
                ["RestrictPublicBuckets"] = block.RestrictPublicBuckets ?? false,
            };
        }

        return properties;
    }

    // A bucket without the configuration answers with an error of its own name.
    private static async Task<T?> OrNothingAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode is "NoSuchPublicAccessBlockConfiguration" or "ServerSideEncryptionConfigurationNotFoundError")
        {
            return null;
        }
    }

    private async Task<JsonObject> TableAsync(string name, CancellationToken cancellation)
    {
        var table = (await aws.DynamoDB.DescribeTableAsync(name, cancellation).ConfigureAwait(false)).Table;
        var onDemand = IsOnDemand(table);
        var properties = Shared(table, name, onDemand);
        properties["ProvisionedThroughput"] = onDemand ? null : Capacity(table.ProvisionedThroughput);
        properties["LocalSecondaryIndexes"] = table.LocalSecondaryIndexes is not { Count: > 0 } local ? null : new JsonArray([.. local.Select(i => (JsonNode)new JsonObject
        {
            ["IndexName"] = i.IndexName,
            ["KeySchema"] = Keys(i.KeySchema),
            ["Projection"] = Projected(i.Projection),
        })]);
        properties["SSESpecification"] = KeyOf(table) is { } key ? new JsonObject { ["SSEEnabled"] = true, ["SSEType"] = "KMS", ["KMSMasterKeyId"] = key } : null;
        return Without(await ProtectionAsync(aws.DynamoDB, table, properties, cancellation).ConfigureAwait(false));
    }

    /// <summary>A table with its replicas. One with provisioned capacity is described by the rules that scale it, which it does not know itself.</summary>
    private async Task<JsonObject?> GlobalTableAsync(string name, CancellationToken cancellation)
    {
        var table = (await aws.DynamoDB.DescribeTableAsync(name, cancellation).ConfigureAwait(false)).Table;
        if (!IsOnDemand(table))
        {
            return null;
        }

        var properties = Shared(table, name, onDemand: true);
        properties["SSESpecification"] = KeyOf(table) is null ? null : new JsonObject { ["SSEEnabled"] = true, ["SSEType"] = "KMS" };
        var replicas = new JsonArray();
        foreach (var region in (table.Replicas ?? []).Select(r => r.RegionName).Prepend(aws.Region).Distinct(StringComparer.Ordinal))
        {
            var client = region == aws.Region ? aws.DynamoDB : aws.Client<IAmazonDynamoDB>(region);
            var there = (await client.DescribeTableAsync(name, cancellation).ConfigureAwait(false)).Table;
            replicas.Add((JsonNode)Without(await ProtectionAsync(
                client, there, new JsonObject { ["Region"] = region, ["SSESpecification"] = KeyOf(there) is { } key ? new JsonObject { ["KMSMasterKeyId"] = key } : null }, cancellation).ConfigureAwait(false)));
        }

        properties["Replicas"] = replicas;
        return Without(properties);
    }

    private static bool IsOnDemand(TableDescription table) => table.BillingModeSummary?.BillingMode?.Value == "PAY_PER_REQUEST";

    // The key that the table is encrypted with; null for DynamoDB's own.
    private static string? KeyOf(TableDescription table) => table.SSEDescription is { } sse && sse.Status?.Value is "ENABLED" or "UPDATING" ? table.SSEDescription.KMSMasterKeyArn : null;

    private static JsonObject Shared(TableDescription table, string name, bool onDemand) => new()
    {
        ["TableName"] = name,
        ["AttributeDefinitions"] = new JsonArray([.. (table.AttributeDefinitions ?? []).Select(a => (JsonNode)new JsonObject { ["AttributeName"] = a.AttributeName, ["AttributeType"] = a.AttributeType.Value })]),
        ["KeySchema"] = Keys(table.KeySchema),
        ["BillingMode"] = onDemand ? "PAY_PER_REQUEST" : "PROVISIONED",
        ["GlobalSecondaryIndexes"] = table.GlobalSecondaryIndexes is not { Count: > 0 } global ? null : new JsonArray([.. global.Select(i => (JsonNode)Without(new JsonObject
        {
            ["IndexName"] = i.IndexName,
            ["KeySchema"] = Keys(i.KeySchema),
            ["Projection"] = Projected(i.Projection),
            ["ProvisionedThroughput"] = onDemand ? null : Capacity(i.ProvisionedThroughput),
        }))]),
        ["StreamSpecification"] = table.StreamSpecification?.StreamEnabled == true ? new JsonObject { ["StreamViewType"] = table.StreamSpecification.StreamViewType.Value } : null,
    };

    /// <summary>What guards the data of a table, as it is in one region.</summary>
    private static async Task<JsonObject> ProtectionAsync(IAmazonDynamoDB client, TableDescription table, JsonObject properties, CancellationToken cancellation)
    {
        var backups = await client.DescribeContinuousBackupsAsync(new DescribeContinuousBackupsRequest { TableName = table.TableName }, cancellation).ConfigureAwait(false);
        properties["PointInTimeRecoverySpecification"] = new JsonObject
        {
            ["PointInTimeRecoveryEnabled"] = backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus?.Value == "ENABLED",
        };
        properties["DeletionProtectionEnabled"] = table.DeletionProtectionEnabled ?? false;
        return properties;
    }

    private static JsonArray Keys(IEnumerable<KeySchemaElement> keys) =>
        new([.. keys.Select(k => (JsonNode)new JsonObject { ["AttributeName"] = k.AttributeName, ["KeyType"] = k.KeyType.Value })]);

    private static JsonObject Projected(Projection projection) => Without(new JsonObject
    {
        ["ProjectionType"] = projection.ProjectionType.Value,
        ["NonKeyAttributes"] = projection.NonKeyAttributes is { Count: > 0 } names ? new JsonArray([.. names.Select(n => (JsonNode)n)]) : null,
    });

    private static JsonObject Capacity(ProvisionedThroughputDescription capacity) =>
        new() { ["ReadCapacityUnits"] = capacity.ReadCapacityUnits, ["WriteCapacityUnits"] = capacity.WriteCapacityUnits };

    private async Task<JsonObject> LogGroupAsync(string name, CancellationToken cancellation)
    {
        var page = await aws.Logs.DescribeLogGroupsAsync(new Amazon.CloudWatchLogs.Model.DescribeLogGroupsRequest { LogGroupNamePrefix = name }, cancellation).ConfigureAwait(false);
        var group = (page.LogGroups ?? []).Find(g => g.LogGroupName == name) ?? throw Gone("AWS::Logs::LogGroup", name);
        return Without(new JsonObject { ["LogGroupName"] = name, ["RetentionInDays"] = group.RetentionInDays, ["KmsKeyId"] = group.KmsKeyId });
    }

    private async Task<JsonObject> KeyAsync(string id, CancellationToken cancellation)
    {
        var key = (await aws.Keys.DescribeKeyAsync(id, cancellation).ConfigureAwait(false)).KeyMetadata;
        var policy = (await aws.Keys.GetKeyPolicyAsync(new GetKeyPolicyRequest { KeyId = id, PolicyName = "default" }, cancellation).ConfigureAwait(false)).Policy;
        var rotates = key.KeySpec?.Value is null or "SYMMETRIC_DEFAULT"
            && (await aws.Keys.GetKeyRotationStatusAsync(new GetKeyRotationStatusRequest { KeyId = id }, cancellation).ConfigureAwait(false)).KeyRotationEnabled == true;
        return Without(new JsonObject
        {
            ["Description"] = key.Description is { Length: > 0 } text ? text : null,
            ["EnableKeyRotation"] = rotates ? true : null,
            ["KeySpec"] = key.KeySpec?.Value is null or "SYMMETRIC_DEFAULT" ? null : key.KeySpec.Value,
            ["KeyUsage"] = key.KeySpec?.Value is null or "SYMMETRIC_DEFAULT" ? null : key.KeyUsage?.Value,
            ["KeyPolicy"] = JsonNode.Parse(policy),
        });
    }

    private async Task<JsonObject> RepositoryAsync(string name, CancellationToken cancellation)
    {
        var answer = await aws.Client<IAmazonECR>().DescribeRepositoriesAsync(new DescribeRepositoriesRequest { RepositoryNames = [name] }, cancellation).ConfigureAwait(false);
        var repository = answer.Repositories is { Count: > 0 } found ? found[0] : throw Gone("AWS::ECR::Repository", name);
        return Without(new JsonObject
        {
            ["RepositoryName"] = name,
            ["ImageTagMutability"] = repository.ImageTagMutability?.Value,
            ["ImageScanningConfiguration"] = repository.ImageScanningConfiguration is { } scan ? new JsonObject { ["ScanOnPush"] = scan.ScanOnPush ?? false } : null,
            ["EncryptionConfiguration"] = repository.EncryptionConfiguration is { } encryption
                ? Without(new JsonObject { ["EncryptionType"] = encryption.EncryptionType?.Value, ["KmsKey"] = encryption.KmsKey })
                : null,
        });
    }

    private static OperationException Gone(string type, string name) => new(
        "RetainedResourceGone", OperationErrorKind.NotFound, $"{name} ({type}) does not exist any more.", "Leave it out.", name);

    private static JsonObject Without(JsonObject properties)
    {
        foreach (var empty in properties.Where(p => p.Value is null).Select(p => p.Key).ToList())
        {
            properties.Remove(empty);
        }

        return properties;
    }
}
