using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

internal sealed partial class S3Service
{
    private void RegisterBuckets()
    {
        On("CreateBucket", CreateBucket);
        On("DeleteBucket", DeleteBucket);
        On("HeadBucket", HeadBucket);
        On("ListBuckets", ListBuckets);
        On("GetBucketLocation", (context, input) => new JsonObject
        {
            ["LocationConstraint"] = FindBucket(context, Text(input, "Bucket"), anyRegion: true).Region is var region && region == "us-east-1" ? null : region,
        });
    }

    private JsonObject CreateBucket(RequestContext context, JsonObject input)
    {
        var name = Text(input, "Bucket");
        if (!BucketName().IsMatch(name) || name.Contains("..", StringComparison.Ordinal) || IpAddress().IsMatch(name)
            || name.StartsWith("xn--", StringComparison.Ordinal) || name.EndsWith("-s3alias", StringComparison.Ordinal))
        {
            throw new ServiceFault("InvalidBucketName", "The specified bucket is not valid.", 400, new JsonObject { ["BucketName"] = name });
        }
        var configuration = input["CreateBucketConfiguration"] as JsonObject;
        var constraint = (string?)configuration?["LocationConstraint"];
        var region = constraint switch
        {
            null or "" => context.Request is null ? context.Region : "us-east-1",
            "EU" => "eu-west-1",
            _ => constraint,
        };
        if (!Runtime.EnabledRegions.Contains(region))
        {
            throw new ServiceFault("InvalidLocationConstraint", "The specified location-constraint is not valid", 400, new JsonObject { ["LocationConstraint"] = constraint });
        }
        if (region != context.Region && context.Region != "us-east-1")
        {
            throw new ServiceFault("IllegalLocationConstraintException", constraint is null or ""
                ? "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to."
                : $"The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to.");
        }
        var bucket = new S3Bucket { Name = name, AccountId = context.AccountId, Region = region, Created = context.Now };
        Defaults(bucket, input);
        if (configuration?["Tags"] is JsonArray { Count: > 0 } tags)
        {
            bucket.Configuration["tagging"] = new JsonObject { ["TagSet"] = tags.DeepClone() };
        }
        if (!buckets.TryAdd(name, bucket))
        {
            if (buckets[name].AccountId != context.AccountId)
            {
                throw new ServiceFault("BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.", 409, new JsonObject { ["BucketName"] = name });
            }
            // us-east-1 answers its owner's second creation as if it were the first.
            if (region != "us-east-1" || buckets[name].Region != "us-east-1" || context.Request is null)
            {
                throw new ServiceFault("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.", 409, new JsonObject { ["BucketName"] = name });
            }
        }
        return new JsonObject { ["Location"] = region == "us-east-1" ? "/" + name : $"http://{name}.s3.{Regions.DnsSuffixOf(region)}/" };
    }

    /// <summary>A bucket for the sandbox's own use, made when first asked for.</summary>
    public void EnsureHidden(RequestContext context, string name) => buckets.GetOrAdd(
        name,
        static (key, caller) => new S3Bucket { Name = key, AccountId = caller.AccountId, Region = caller.Region, Created = caller.Now, IsHidden = true },
        context);

    private static void Defaults(S3Bucket bucket, JsonObject input)
    {
        bucket.Configuration["ownershipControls"] = new JsonObject
        {
            ["Rules"] = new JsonArray(new JsonObject { ["ObjectOwnership"] = Optional(input, "ObjectOwnership") ?? "BucketOwnerEnforced" }),
        };
        bucket.Configuration["publicAccessBlock"] = new JsonObject
        {
            ["BlockPublicAcls"] = true,
            ["IgnorePublicAcls"] = true,
            ["BlockPublicPolicy"] = true,
            ["RestrictPublicBuckets"] = true,
        };
        if (Scalars.TryBoolean(input["ObjectLockEnabledForBucket"], out var locked) && locked)
        {
            bucket.Versioning = "Enabled";
            bucket.Configuration["object-lock"] = new JsonObject { ["ObjectLockEnabled"] = "Enabled" };
        }
    }

    private JsonObject DeleteBucket(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            if (!bucket.IsEmpty)
            {
                throw new ServiceFault("BucketNotEmpty", bucket.Versioning is null
                    ? "The bucket you tried to delete is not empty"
                    : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.", 409, new JsonObject { ["BucketName"] = bucket.Name });
            }
            buckets.TryRemove(bucket.Name, out _);
        }
        return [];
    }

    private JsonObject HeadBucket(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        return new JsonObject { ["BucketRegion"] = bucket.Region, ["AccessPointAlias"] = false };
    }

    private JsonObject ListBuckets(RequestContext context, JsonObject input)
    {
        var prefix = Optional(input, "Prefix") ?? "";
        var region = Optional(input, "BucketRegion");
        var after = Optional(input, "ContinuationToken") is { } token ? DecodeToken(token) : null;
        var limit = Scalars.TryInteger(input["MaxBuckets"], out var maximum) ? (int)Math.Clamp(maximum, 1, 10_000) : 10_000;
        var found = buckets.Values
            .Where(bucket => bucket.AccountId == context.AccountId && !bucket.IsHidden && bucket.Name.StartsWith(prefix, StringComparison.Ordinal)
                && (region is null || bucket.Region == region) && (after is null || string.CompareOrdinal(bucket.Name, after) > 0))
            .OrderBy(bucket => bucket.Name, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToList();
        var result = new JsonObject
        {
            ["Buckets"] = new JsonArray(found.Take(limit).Select(bucket => (JsonNode?)new JsonObject
            {
                ["Name"] = bucket.Name,
                ["CreationDate"] = Scalars.Timestamp(bucket.Created),
                ["BucketRegion"] = bucket.Region,
            }).ToArray()),
            ["Owner"] = Owner(context.AccountId),
        };
        if (found.Count > limit)
        {
            result["ContinuationToken"] = EncodeToken(found[limit - 1].Name);
        }
        return result;
    }

    /// <summary>The canonical user id of an account: stable, and not the account id.</summary>
    private static JsonObject Owner(string accountId) => new()
    {
        ["ID"] = Signature.Hex(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes("canonical-user/" + accountId))),
    };

    private static string EncodeToken(string key) => Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("1/" + key));

    private static string DecodeToken(string token)
    {
        try
        {
            var text = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(token));
            if (text.StartsWith("1/", StringComparison.Ordinal))
            {
                return text[2..];
            }
        }
        catch (FormatException)
        {
            // Not one of ours; answered below.
        }
        throw new ServiceFault("InvalidArgument", "The continuation token provided is incorrect", 400, new JsonObject { ["ArgumentName"] = "continuation-token" });
    }

    [GeneratedRegex("^[a-z0-9][a-z0-9.\\-]{1,61}[a-z0-9]$")]
    private static partial Regex BucketName();

    [GeneratedRegex("^\\d{1,3}(\\.\\d{1,3}){3}$")]
    private static partial Regex IpAddress();
}
