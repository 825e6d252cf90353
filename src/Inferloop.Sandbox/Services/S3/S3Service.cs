using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Buckets and objects.</summary>
internal sealed partial class S3Service : SandboxService
{
    /// <summary>Bucket names are unique over all accounts of a partition.</summary>
    private readonly ConcurrentDictionary<string, S3Bucket> buckets = new(StringComparer.Ordinal);

    public S3Service(SandboxRuntime runtime)
        : base(runtime, "s3")
    {
        RegisterBuckets();
        RegisterConfiguration();
        RegisterObjects();
        RegisterListing();
        RegisterMultipart();
        RegisterAcls();
        On("PutBucketNotificationConfiguration", PutNotifications);
    }

    /// <summary>Told of every object that was put, for what listens inside the sandbox.</summary>
    public event Action<RequestContext, string, string, ReadOnlyMemory<byte>>? ObjectPut;

    /// <summary>The region a bucket is in; null when there is no such bucket.</summary>
    public string? RegionOf(string bucketName) => buckets.TryGetValue(bucketName, out var bucket) ? bucket.Region : null;

    /// <summary>Reads an object inside the process, as the account given.</summary>
    public ReadOnlyMemory<byte> Read(RequestContext context, string bucketName, string key, string? versionId = null)
    {
        var bucket = FindBucket(context, bucketName, anyRegion: true);
        lock (bucket.Gate)
        {
            return FindVersion(bucket, key, versionId).Data;
        }
    }

    /// <summary>The bucket, if the caller may use it from where it calls.</summary>
    private S3Bucket FindBucket(RequestContext context, JsonObject input) => FindBucket(context, (string)input["Bucket"]!, anyRegion: context.Request is null, (string?)input["ExpectedBucketOwner"], (string?)input["Key"]);

    private S3Bucket FindBucket(RequestContext context, string name, bool anyRegion, string? expectedOwner = null, string? key = null)
    {
        if (!buckets.TryGetValue(name, out var bucket))
        {
            throw new ServiceFault("NoSuchBucket", "The specified bucket does not exist", 404, new JsonObject { ["BucketName"] = name });
        }
        if (bucket.AccountId != context.AccountId && !PolicyAdmits(context, bucket, key))
        {
            throw AccessDenied();
        }
        if (expectedOwner is not null && expectedOwner != bucket.AccountId)
        {
            throw AccessDenied();
        }
        if (!anyRegion && bucket.Region != context.Region)
        {
            // The region a request is signed for stands for the endpoint it was sent to.
            throw new ServiceFault(
                "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
                301,
                new JsonObject { ["Endpoint"] = $"{name}.s3.{bucket.Region}.{Regions.DnsSuffixOf(bucket.Region)}", ["Bucket"] = name })
            {
                Headers = new Dictionary<string, string> { ["x-amz-bucket-region"] = bucket.Region },
            };
        }
        return bucket;
    }

    /// <summary>Another account is let in only by the bucket's policy; what the sandbox itself does for one, by a statement that names it.</summary>
    private bool PolicyAdmits(RequestContext context, S3Bucket bucket, string? key)
    {
        string? policy;
        lock (bucket.Gate)
        {
            policy = bucket.Configuration.TryGetValue("policy", out var found) ? (string?)found : null;
        }
        if (policy is null)
        {
            return false;
        }
        if (context.Operation.Length == 0)
        {
            return PolicyDocument.AsObject(policy) is JsonObject document && (document["Statement"] as JsonArray ?? [document["Statement"].Copy()]).OfType<JsonObject>()
                .Any(statement => statement.Text("Effect") == "Allow" && statement["Principal"]?.ToJsonString().Contains(context.AccountId, StringComparison.Ordinal) == true);
        }
        var arn = $"arn:{context.Partition}:s3:::{bucket.Name}";
        return CrossAccount.Allows(context, bucket.AccountId, policy, "s3:" + (Implements(context.Operation) ? ActionOf(context.Operation) : "GetObject"), key is null ? arn : $"{arn}/{key}");
    }

    /// <summary>The action that policies know an operation by.</summary>
    private static string ActionOf(string operation) => operation switch
    {
        "HeadObject" or "GetObjectAttributes" => "GetObject",
        "CreateMultipartUpload" or "UploadPart" or "UploadPartCopy" or "CompleteMultipartUpload" or "CopyObject" => "PutObject",
        "ListObjects" or "ListObjectsV2" or "HeadBucket" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "DeleteObjects" => "DeleteObject",
        _ => operation,
    };

    private static S3Version FindVersion(S3Bucket bucket, string key, string? versionId)
    {
        if (versionId is null)
        {
            var latest = bucket.Latest(key);
            if (latest is null || latest.IsDeleteMarker)
            {
                throw NoSuchKey(key, latest);
            }
            return latest;
        }
        var version = bucket.Versions(key).FirstOrDefault(candidate => candidate.VersionId == versionId)
            ?? throw new ServiceFault("NoSuchVersion", "The specified version does not exist.", 404, new JsonObject { ["Key"] = key, ["VersionId"] = versionId });
        if (version.IsDeleteMarker)
        {
            throw new ServiceFault("MethodNotAllowed", "The specified method is not allowed against this resource.", 405, new JsonObject { ["Method"] = "GET", ["ResourceType"] = "DeleteMarker" })
            {
                Headers = new Dictionary<string, string> { ["x-amz-delete-marker"] = "true", ["Allow"] = "DELETE" },
            };
        }
        return version;
    }

    private static ServiceFault NoSuchKey(string key, S3Version? marker) =>
        new("NoSuchKey", "The specified key does not exist.", 404, new JsonObject { ["Key"] = key })
        {
            Headers = marker is null ? null : new Dictionary<string, string> { ["x-amz-delete-marker"] = "true", ["x-amz-version-id"] = marker.VersionId },
        };

    private static ServiceFault AccessDenied() => new("AccessDenied", "Access Denied", 403);

    private static string Text(JsonObject input, string name) => (string)input[name]!;

    private static string? Optional(JsonObject input, string name) => (string?)input[name];

    private string NewVersionId() => Runtime.Ids.UrlSafe(32);

    private static string Quoted(string etag) => $"\"{etag}\"";
}
