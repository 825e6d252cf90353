using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary><c>AWS::S3::Bucket</c>.</summary>
internal sealed class BucketProvider : ResourceProvider
{
    /// <summary>Properties the sandbox can bring to a bucket, with the operations that do it.</summary>
    private static readonly BucketProperty[] Supported =
    [
        new("VersioningConfiguration", "PutBucketVersioning", "VersioningConfiguration", null, BucketShapes.Same, "GetBucketVersioning", null, BucketShapes.Same),
        new("OwnershipControls", "PutBucketOwnershipControls", "OwnershipControls", "DeleteBucketOwnershipControls", BucketShapes.Same, "GetBucketOwnershipControls", "OwnershipControls", BucketShapes.Same),
        new("PublicAccessBlockConfiguration", "PutPublicAccessBlock", "PublicAccessBlockConfiguration", "DeletePublicAccessBlock", BucketShapes.PublicAccess, "GetPublicAccessBlock", "PublicAccessBlockConfiguration", BucketShapes.Same),
        new("BucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration", "DeleteBucketEncryption", BucketShapes.EncryptionToApi, "GetBucketEncryption", "ServerSideEncryptionConfiguration", BucketShapes.EncryptionFromApi),
        new("LifecycleConfiguration", "PutBucketLifecycleConfiguration", "LifecycleConfiguration", "DeleteBucketLifecycle", BucketShapes.LifecycleToApi, "GetBucketLifecycleConfiguration", null, BucketShapes.LifecycleFromApi),
        new("CorsConfiguration", "PutBucketCors", "CORSConfiguration", "DeleteBucketCors", BucketShapes.CorsToApi, "GetBucketCors", null, BucketShapes.CorsFromApi),
        new("LoggingConfiguration", "PutBucketLogging", "BucketLoggingStatus", null, BucketShapes.LoggingToApi, "GetBucketLogging", null, BucketShapes.LoggingFromApi),
        new("AccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration", null, BucketShapes.AccelerateToApi, "GetBucketAccelerateConfiguration", null, BucketShapes.AccelerateFromApi),
        new("NotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration", null, BucketShapes.NotificationToApi, "GetBucketNotificationConfiguration", null, BucketShapes.NotificationFromApi),
        new("WebsiteConfiguration", "PutBucketWebsite", "WebsiteConfiguration", "DeleteBucketWebsite", BucketShapes.WebsiteToApi, "GetBucketWebsite", null, BucketShapes.WebsiteFromApi),
        new("ReplicationConfiguration", "PutBucketReplication", "ReplicationConfiguration", "DeleteBucketReplication", BucketShapes.ReplicationToApi, "GetBucketReplication", "ReplicationConfiguration", BucketShapes.ReplicationFromApi),
        new("ObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration", null, BucketShapes.Same, "GetObjectLockConfiguration", "ObjectLockConfiguration", BucketShapes.Same),
    ];

    private static readonly HashSet<string> Known = [.. Supported.Select(property => property.Name), "BucketName", "Tags", "ObjectLockEnabled", "AccessControl", Metrics];

    /// <summary>A list whose entries S3 keeps one by one, each under its id.</summary>
    private const string Metrics = "MetricsConfigurations";

    public override string Type => "AWS::S3::Bucket";

    public override async Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties)
    {
        CheckSupported(properties);
        var name = (string?)properties["BucketName"] ?? context.GenerateName(63, lowerCase: true);
        var s3 = context.Runtime.Service<S3Service>();
        await s3.InvokeAsync(context.Request, "CreateBucket", new JsonObject
        {
            ["Bucket"] = name,
            ["CreateBucketConfiguration"] = context.Request.Region == "us-east-1" ? null : new JsonObject { ["LocationConstraint"] = context.Request.Region },
            ["ObjectLockEnabledForBucket"] = properties["ObjectLockEnabled"]?.DeepClone(),
        }).ConfigureAwait(false);
        context.Initiated(name);
        await ApplyAsync(context, name, [], properties).ConfigureAwait(false);
        return Describe(context, name);
    }

    public override async Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after)
    {
        CheckSupported(after);
        await ApplyAsync(context, physicalId, before, after).ConfigureAwait(false);
        return Describe(context, physicalId);
    }

    public override async Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties)
    {
        try
        {
            await context.Runtime.Service<S3Service>().InvokeAsync(context.Request, "DeleteBucket", new JsonObject { ["Bucket"] = physicalId }).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Code == "NoSuchBucket")
        {
            // Gone already.
        }
    }

    public override async Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId)
    {
        var s3 = context.Runtime.Service<S3Service>();
        JsonObject Bucket() => new() { ["Bucket"] = physicalId };
        try
        {
            await s3.InvokeAsync(context.Request, "HeadBucket", Bucket()).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Status is 404 or 403)
        {
            return null;
        }
        var result = new JsonObject { ["BucketName"] = physicalId };
        foreach (var property in Supported)
        {
            try
            {
                var output = await s3.InvokeAsync(context.Request, property.Get, Bucket()).ConfigureAwait(false);
                if ((property.GetMember is null ? output : output[property.GetMember]) is JsonObject { Count: > 0 } found && property.FromApi(found) is { } value)
                {
                    result[property.Name] = value;
                }
            }
            catch (ServiceFault fault) when (fault.Status == 404)
            {
                // This configuration is not set.
            }
        }
        var metrics = await s3.InvokeAsync(context.Request, "ListBucketMetricsConfigurations", Bucket()).ConfigureAwait(false);
        if (metrics.Objects("MetricsConfigurationList").Select(BucketShapes.MetricsFromApi).ToList() is { Count: > 0 } configurations)
        {
            result[Metrics] = new JsonArray([.. configurations]);
        }
        try
        {
            var tagging = await s3.InvokeAsync(context.Request, "GetBucketTagging", Bucket()).ConfigureAwait(false);
            result["Tags"] = new JsonArray((tagging["TagSet"] as JsonArray ?? []).OfType<JsonObject>()
                .Where(tag => !((string)tag["Key"]!).StartsWith("aws:", StringComparison.Ordinal)).Select(tag => (JsonNode?)tag.DeepClone()).ToArray());
        }
        catch (ServiceFault fault) when (fault.Status == 404)
        {
            // No tags.
        }
        return result;
    }

    public override bool ReportsAbsent(string property) => property is not ("AccessControl" or "ObjectLockEnabled");

    public override async Task<ProvisionedResource?> ImportAsync(ProvisionContext context, IReadOnlyDictionary<string, string> identifier, JsonObject properties)
    {
        var name = identifier.GetValueOrDefault("BucketName");
        return name is not null && await ReadAsync(context, name).ConfigureAwait(false) is not null ? Describe(context, name) : null;
    }

    /// <summary>A property that would have no effect is refused: the stack would not be what it says.</summary>
    private static void CheckSupported(JsonObject properties)
    {
        if (properties.Select(property => property.Key).Where(name => !Known.Contains(name)).ToList() is { Count: > 0 } unknown)
        {
            throw new ServiceFault("InvalidRequest", $"The sandbox does not support the properties [{string.Join(", ", unknown)}] of AWS::S3::Bucket");
        }
        if ((string?)properties["AccessControl"] is not (null or "Private"))
        {
            throw new ServiceFault("InvalidRequest", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
        }
    }

    private static async Task ApplyAsync(ProvisionContext context, string name, JsonObject before, JsonObject after)
    {
        var s3 = context.Runtime.Service<S3Service>();
        foreach (var property in Supported)
        {
            if (after[property.Name] is { } wanted)
            {
                await s3.InvokeAsync(context.Request, property.Put, new JsonObject { ["Bucket"] = name, [property.PutMember] = property.ToApi(wanted) }).ConfigureAwait(false);
            }
            else if (before[property.Name] is not null)
            {
                var (operation, input) = property.Reset(name);
                await s3.InvokeAsync(context.Request, operation, input).ConfigureAwait(false);
            }
        }
        var wantedMetrics = after.Objects(Metrics).ToList();
        foreach (var configuration in wantedMetrics)
        {
            await s3.InvokeAsync(context.Request, "PutBucketMetricsConfiguration", new JsonObject { ["Bucket"] = name, ["Id"] = configuration.Text("Id"), ["MetricsConfiguration"] = BucketShapes.MetricsToApi(configuration) }).ConfigureAwait(false);
        }
        foreach (var gone in before.Objects(Metrics).Select(item => item.Text("Id")).Where(id => wantedMetrics.TrueForAll(item => item.Text("Id") != id)))
        {
            await s3.InvokeAsync(context.Request, "DeleteBucketMetricsConfiguration", new JsonObject { ["Bucket"] = name, ["Id"] = gone }).ConfigureAwait(false);
        }
        var tags = context.MergedTags(after["Tags"]);
        await s3.InvokeAsync(context.Request, "PutBucketTagging", new JsonObject { ["Bucket"] = name, ["Tagging"] = new JsonObject { ["TagSet"] = tags } }).ConfigureAwait(false);
    }

    private static ProvisionedResource Describe(ProvisionContext context, string name)
    {
        var region = context.Request.Region;
        var suffix = context.Request.DnsSuffix;
        return new ProvisionedResource(name, new Dictionary<string, JsonNode?>
        {
            ["Arn"] = $"arn:{context.Request.Partition}:s3:::{name}",
            ["DomainName"] = $"{name}.s3.{suffix}",
            ["DualStackDomainName"] = $"{name}.s3.dualstack.{region}.{suffix}",
            ["RegionalDomainName"] = $"{name}.s3.{region}.{suffix}",
            ["WebsiteURL"] = $"http://{name}.s3-website-{region}.{suffix}",
        });
    }

    private sealed record BucketProperty(
        string Name, string Put, string PutMember, string? Delete, Func<JsonNode, JsonNode> ToApi, string Get, string? GetMember, Func<JsonObject, JsonNode?> FromApi)
    {
        /// <summary>What takes the property away again: its deletion, or what a bucket without it has.</summary>
        public (string Operation, JsonObject Input) Reset(string bucket) => Delete is not null
            ? (Delete, new JsonObject { ["Bucket"] = bucket })
            : (Put, new JsonObject
            {
                ["Bucket"] = bucket,
                [PutMember] = Name switch
                {
                    "VersioningConfiguration" or "AccelerateConfiguration" => new JsonObject { ["Status"] = "Suspended" },
                    _ => new JsonObject(),
                },
            });
    }
}

/// <summary><c>AWS::S3::BucketPolicy</c>.</summary>
internal sealed class BucketPolicyProvider : ResourceProvider
{
    public override string Type => "AWS::S3::BucketPolicy";

    public override async Task<ProvisionedResource> CreateAsync(ProvisionContext context, JsonObject properties)
    {
        var bucket = (string?)properties["Bucket"] ?? throw new ServiceFault("InvalidRequest", "Property Bucket cannot be empty.");
        var existing = context.Runtime.Service<S3Service>();
        try
        {
            await existing.InvokeAsync(context.Request, "GetBucketPolicy", new JsonObject { ["Bucket"] = bucket }).ConfigureAwait(false);
            throw new ServiceFault("AlreadyExists", $"The bucket policy already exists on bucket {bucket}.");
        }
        catch (ServiceFault fault) when (fault.Code == "NoSuchBucketPolicy")
        {
            // As it should be.
        }
        await PutAsync(context, bucket, properties).ConfigureAwait(false);
        return new ProvisionedResource(bucket);
    }

    public override async Task<ProvisionedResource> UpdateAsync(ProvisionContext context, string physicalId, JsonObject before, JsonObject after)
    {
        await PutAsync(context, physicalId, after).ConfigureAwait(false);
        return new ProvisionedResource(physicalId);
    }

    public override async Task DeleteAsync(ProvisionContext context, string physicalId, JsonObject properties)
    {
        try
        {
            await context.Runtime.Service<S3Service>().InvokeAsync(context.Request, "DeleteBucketPolicy", new JsonObject { ["Bucket"] = physicalId }).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Code == "NoSuchBucket")
        {
            // Gone with its bucket.
        }
    }

    public override async Task<JsonObject?> ReadAsync(ProvisionContext context, string physicalId)
    {
        try
        {
            var found = await context.Runtime.Service<S3Service>().InvokeAsync(context.Request, "GetBucketPolicy", new JsonObject { ["Bucket"] = physicalId }).ConfigureAwait(false);
            return new JsonObject { ["Bucket"] = physicalId, ["PolicyDocument"] = JsonNode.Parse((string)found["Policy"]!) };
        }
        catch (ServiceFault fault) when (fault.Status == 404)
        {
            return null;
        }
    }

    private static Task<JsonObject> PutAsync(ProvisionContext context, string bucket, JsonObject properties) =>
        context.Runtime.Service<S3Service>().InvokeAsync(context.Request, "PutBucketPolicy", new JsonObject
        {
            ["Bucket"] = bucket,
            ["Policy"] = properties["PolicyDocument"] is JsonValue text ? Scalars.Text(text) : properties["PolicyDocument"]?.ToJsonString(),
        });
}
