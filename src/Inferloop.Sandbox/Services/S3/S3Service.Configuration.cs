using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

internal sealed partial class S3Service
{
    private void RegisterConfiguration()
    {
        Subresource("cors", "Cors", "CORSConfiguration", wrap: null, new("NoSuchCORSConfiguration", "The CORS configuration does not exist"));
        Subresource("encryption", "Encryption", "ServerSideEncryptionConfiguration", "ServerSideEncryptionConfiguration", null, DefaultEncryption);
        Subresource("replication", "Replication", "ReplicationConfiguration", "ReplicationConfiguration", new("ReplicationConfigurationNotFoundError", "The replication configuration was not found"), check: CheckReplication);
        Subresource("tagging", "Tagging", "Tagging", wrap: null, new("NoSuchTagSet", "The TagSet does not exist"), check: CheckTags);
        Subresource("website", "Website", "WebsiteConfiguration", wrap: null, new("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"));
        Subresource("ownershipControls", "OwnershipControls", "OwnershipControls", "OwnershipControls", new("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"), bucketPrefix: true);
        Subresource("publicAccessBlock", "PublicAccessBlock", "PublicAccessBlockConfiguration", "PublicAccessBlockConfiguration", new("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"), bucketPrefix: false);
        Subresource("lifecycle", "LifecycleConfiguration", "LifecycleConfiguration", wrap: null, new("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"), check: CheckLifecycle);
        Subresource("notification", "NotificationConfiguration", "NotificationConfiguration", wrap: null, null, static () => []);
        Subresource("logging", "Logging", "BucketLoggingStatus", wrap: null, null, static () => []);
        Subresource("accelerate", "AccelerateConfiguration", "AccelerateConfiguration", wrap: null, null, static () => []);
        Subresource("requestPayment", "RequestPayment", "RequestPaymentConfiguration", wrap: null, null, static () => new JsonObject { ["Payer"] = "BucketOwner" });
        Subresource("object-lock", "ObjectLockConfiguration", "ObjectLockConfiguration", "ObjectLockConfiguration", new("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"), bucketPrefix: false, check: CheckObjectLock);
        On("DeleteBucketLifecycle", (context, input) => RemoveConfiguration(context, input, "lifecycle"));
        Listed("analytics", "Analytics", "AnalyticsConfiguration");
        Listed("inventory", "Inventory", "InventoryConfiguration");
        Listed("metrics", "Metrics", "MetricsConfiguration");
        Listed("intelligent-tiering", "IntelligentTiering", "IntelligentTieringConfiguration");
        On("GetBucketVersioning", GetBucketVersioning);
        On("PutBucketVersioning", PutBucketVersioning);
        On("GetBucketPolicy", GetBucketPolicy);
        On("PutBucketPolicy", PutBucketPolicy);
        On("DeleteBucketPolicy", (context, input) => RemoveConfiguration(context, input, "policy"));
        On("GetBucketPolicyStatus", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return bucket.Configuration.TryGetValue("policy", out var policy)
                    ? new JsonObject { ["PolicyStatus"] = new JsonObject { ["IsPublic"] = IsPublic((string)policy!) } }
                    : throw NoPolicy(bucket);
            }
        });
    }

    /// <summary>
    /// A configuration that is put, read and deleted whole. The model puts it under a payload member; reading gives it under the same member
    /// (<paramref name="wrap"/>) or as the answer itself.
    /// </summary>
    private void Subresource(
        string name, string operation, string payload, string? wrap, ServiceError? missing, Func<JsonObject>? fallback = null,
        Action<S3Bucket, JsonObject>? check = null, bool bucketPrefix = true)
    {
        var suffix = bucketPrefix && operation != "PublicAccessBlock" && operation != "ObjectLockConfiguration" ? "Bucket" + operation : operation;
        On("Put" + suffix, (context, input) =>
        {
            var bucket = FindBucket(context, input);
            var configuration = (JsonObject?)input[payload]?.DeepClone()
                ?? throw new ServiceFault("MissingRequestBodyError", "Request Body is empty");
            lock (bucket.Gate)
            {
                check?.Invoke(bucket, configuration);
                bucket.Configuration[name] = configuration;
            }
            return [];
        });
        On("Get" + suffix, (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                var configuration = bucket.Configuration.TryGetValue(name, out var stored) ? (JsonObject)stored.DeepClone() : fallback?.Invoke();
                if (configuration is null)
                {
                    throw new ServiceFault(missing!.Code, missing.Message, 404, new JsonObject { ["BucketName"] = bucket.Name });
                }
                return wrap is null ? configuration : new JsonObject { [wrap] = configuration };
            }
        });
        if (Model.Operation("Delete" + suffix) is not null)
        {
            On("Delete" + suffix, (context, input) => RemoveConfiguration(context, input, name));
        }
    }

    /// <summary>Configurations of which a bucket has several, by id.</summary>
    private void Listed(string name, string operation, string payload)
    {
        string Key(JsonObject input) => name + "/" + Text(input, "Id");
        ServiceFault Missing() => new("NoSuchConfiguration", "The specified configuration does not exist.", 404);

        On($"PutBucket{operation}Configuration", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                bucket.Configuration[Key(input)] = input[payload]?.DeepClone() ?? throw new ServiceFault("MissingRequestBodyError", "Request Body is empty");
            }
            return [];
        });
        On($"GetBucket{operation}Configuration", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return bucket.Configuration.TryGetValue(Key(input), out var stored) ? new JsonObject { [payload] = stored.DeepClone() } : throw Missing();
            }
        });
        On($"DeleteBucket{operation}Configuration", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return bucket.Configuration.Remove(Key(input)) ? [] : throw Missing();
            }
        });
        On($"ListBucket{operation}Configurations", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return new JsonObject
                {
                    [payload + "List"] = new JsonArray(bucket.Configuration.Where(pair => pair.Key.StartsWith(name + "/", StringComparison.Ordinal))
                        .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (JsonNode?)pair.Value.DeepClone()).ToArray()),
                    ["IsTruncated"] = false,
                };
            }
        });
    }

    private JsonObject RemoveConfiguration(RequestContext context, JsonObject input, string name)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            bucket.Configuration.Remove(name);
        }
        context.ResponseStatus = 204;
        return [];
    }

    private static JsonObject DefaultEncryption() => new()
    {
        ["Rules"] = new JsonArray(new JsonObject
        {
            ["ApplyServerSideEncryptionByDefault"] = new JsonObject { ["SSEAlgorithm"] = "AES256" },
            ["BucketKeyEnabled"] = false,
        }),
    };

    private JsonObject GetBucketVersioning(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            return bucket.Versioning is { } status ? new JsonObject { ["Status"] = status } : [];
        }
    }

    private JsonObject PutBucketVersioning(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var status = (string?)input["VersioningConfiguration"]?["Status"];
        if (status is not ("Enabled" or "Suspended"))
        {
            throw new ServiceFault("IllegalVersioningConfigurationException", "The Versioning element must be specified");
        }
        lock (bucket.Gate)
        {
            if (status == "Suspended" && (bucket.Configuration.ContainsKey("object-lock") || bucket.Configuration.ContainsKey("replication")))
            {
                throw new ServiceFault("InvalidBucketState", bucket.Configuration.ContainsKey("replication")
                    ? "A replication configuration is present on this bucket, so the versioning state cannot be changed."
                    : "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.", 409);
            }
            bucket.Versioning = status;
        }
        return [];
    }

    private JsonObject GetBucketPolicy(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            return bucket.Configuration.TryGetValue("policy", out var policy) ? new JsonObject { ["Policy"] = (string)policy! } : throw NoPolicy(bucket);
        }
    }

    private JsonObject PutBucketPolicy(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var policy = Text(input, "Policy");
        CheckPolicy(bucket, policy);
        lock (bucket.Gate)
        {
            if (IsPublic(policy) && bucket.Configuration.TryGetValue("publicAccessBlock", out var block) && (bool?)block["BlockPublicPolicy"] == true)
            {
                throw new ServiceFault("AccessDenied", $"User: {context.PrincipalArn} is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:{context.Partition}:s3:::{bucket.Name}\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", 403);
            }
            bucket.Configuration["policy"] = JsonValue.Create(policy);
        }
        context.ResponseStatus = 204;
        return [];
    }

    private static void CheckPolicy(S3Bucket bucket, string policy)
    {
        JsonObject document;
        try
        {
            document = JsonNode.Parse(policy) as JsonObject ?? throw new ServiceFault("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'");
        }
        catch (JsonException)
        {
            throw new ServiceFault("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'");
        }
        try
        {
            var statements = document["Statement"] switch
            {
                JsonArray { Count: > 0 } list => list.OfType<JsonObject>().ToList(),
                JsonObject single => [single],
                _ => throw new ServiceFault("MalformedPolicy", "Missing required field Statement"),
            };
            foreach (var statement in statements)
            {
                foreach (var required in new[] { "Effect", "Principal", "Action", "Resource" })
                {
                    if (!statement.ContainsKey(required) && !statement.ContainsKey("Not" + required))
                    {
                        throw new ServiceFault("MalformedPolicy", $"Missing required field {required}");
                    }
                }
                var resources = statement["Resource"] is JsonArray several ? several.Select(item => item?.ToString()) : [statement["Resource"]?.ToString()];
                foreach (var resource in resources.OfType<string>())
                {
                    var parts = resource.Split(':', 6);
                    if (resource != "*" && (parts.Length < 6 || (parts[5].Split('/')[0] is var name && name != bucket.Name && !name.Contains('*', StringComparison.Ordinal))))
                    {
                        throw new ServiceFault("MalformedPolicy", "Policy has invalid resource");
                    }
                }
            }
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            throw new ServiceFault("MalformedPolicy", "Policy document is not well-formed");
        }
    }

    /// <summary>A statement that allows everyone without a condition makes a policy public.</summary>
    private static bool IsPublic(string policy) => JsonNode.Parse(policy)?["Statement"] is { } statements
        && (statements as JsonArray ?? [statements.DeepClone()]).OfType<JsonObject>().Any(statement =>
            (string?)statement["Effect"] == "Allow" && statement["Condition"] is null
            && statement["Principal"] is { } principal && (principal.ToString() == "*" || principal is JsonObject && principal["AWS"]?.ToString() == "*"));

    private void CheckReplication(S3Bucket bucket, JsonObject configuration)
    {
        if (bucket.Versioning != "Enabled")
        {
            throw new ServiceFault("InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration");
        }
        CheckDestinations(configuration);
        FollowReplication(configuration);
    }

    private static void CheckObjectLock(S3Bucket bucket, JsonObject configuration)
    {
        if (bucket.Versioning != "Enabled")
        {
            throw new ServiceFault("InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration", 409);
        }
    }

    private static void CheckTags(S3Bucket bucket, JsonObject tagging)
    {
        var tags = tagging["TagSet"] as JsonArray ?? throw new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
        var keys = tags.Select(tag => (string?)tag?["Key"]).ToList();
        if (keys.Distinct(StringComparer.Ordinal).Count() != keys.Count)
        {
            throw new ServiceFault("InvalidTag", "Cannot provide multiple Tags with the same key");
        }
        if (keys.Count > 50)
        {
            throw new ServiceFault("BadRequest", "Bucket tag count cannot be greater than 50");
        }
    }

    private void CheckLifecycle(S3Bucket bucket, JsonObject configuration)
    {
        foreach (var rule in (configuration["Rules"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if ((string?)rule["Status"] is not ("Enabled" or "Disabled") || (!rule.ContainsKey("Filter") && !rule.ContainsKey("Prefix")))
            {
                throw new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
            }
            if (!new[] { "Expiration", "Transitions", "NoncurrentVersionExpiration", "NoncurrentVersionTransitions", "AbortIncompleteMultipartUpload" }.Any(rule.ContainsKey))
            {
                throw new ServiceFault("InvalidRequest", "At least one action needs to be specified in a rule");
            }
            CheckDays(rule);
        }
        BeginLifecycle(bucket, configuration);
    }

    private static ServiceFault NoPolicy(S3Bucket bucket) =>
        new("NoSuchBucketPolicy", "The bucket policy does not exist", 404, new JsonObject { ["BucketName"] = bucket.Name });

    private sealed record ServiceError(string Code, string Message);
}
