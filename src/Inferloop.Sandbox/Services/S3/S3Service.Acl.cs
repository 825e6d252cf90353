using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Access control lists of buckets and objects: kept and shown as they were put. Every request is signed here, so the public is never let in.</summary>
internal sealed partial class S3Service
{
    private const string AllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
    private const string AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
    private static readonly (string Header, string Permission)[] GrantHeaders =
        [("GrantFullControl", "FULL_CONTROL"), ("GrantRead", "READ"), ("GrantWrite", "WRITE"), ("GrantReadACP", "READ_ACP"), ("GrantWriteACP", "WRITE_ACP")];

    private void RegisterAcls()
    {
        On("GetObjectAcl", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return Acl(bucket, FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId")).Grants);
            }
        });
        On("PutObjectAcl", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                var version = FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId"));
                version.Grants = GrantsOf(bucket, input);
                Tell(context, bucket, Text(input, "Key"), version, "ObjectAcl:Put");
            }
            return [];
        });
        On("GetBucketAcl", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                return Acl(bucket, bucket.Configuration.TryGetValue("acl", out var grants) ? (JsonArray)grants : null);
            }
        });
        On("PutBucketAcl", (context, input) =>
        {
            var bucket = FindBucket(context, input);
            lock (bucket.Gate)
            {
                if (GrantsOf(bucket, input) is { } grants)
                {
                    bucket.Configuration["acl"] = grants;
                }
                else
                {
                    bucket.Configuration.Remove("acl");
                }
            }
            return [];
        });
    }

    private static JsonObject Acl(S3Bucket bucket, JsonArray? grants) => new()
    {
        ["Owner"] = Owner(bucket.AccountId),
        ["Grants"] = grants?.DeepClone() ?? new JsonArray(Grant(Canonical(bucket), "FULL_CONTROL")),
    };

    private static JsonObject Grant(JsonObject grantee, string permission) => new() { ["Grantee"] = grantee, ["Permission"] = permission };

    private static JsonObject Canonical(S3Bucket bucket) => new() { ["ID"] = Owner(bucket.AccountId).Text("ID"), ["Type"] = "CanonicalUser" };

    private static JsonObject Group(string uri) => new() { ["Type"] = "Group", ["URI"] = uri };

    /// <summary>The grants that a request asks for; null for those of the owner alone. Refused where the bucket's settings forbid them. Under the bucket's lock.</summary>
    private static JsonArray? GrantsOf(S3Bucket bucket, JsonObject input)
    {
        var canned = Optional(input, "ACL");
        var given = GrantHeaders.Any(header => input[header.Header] is not null) || input["AccessControlPolicy"] is not null;
        if (!given && canned is null or "private" or "bucket-owner-full-control" or "bucket-owner-read")
        {
            return null;
        }
        if (bucket.Configuration.TryGetValue("ownershipControls", out var ownership) && (string?)ownership["Rules"]?[0]?["ObjectOwnership"] == "BucketOwnerEnforced")
        {
            throw new ServiceFault("AccessControlListNotSupported", "The bucket does not allow ACLs");
        }
        if (given && canned is not null)
        {
            throw new ServiceFault("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed");
        }
        var own = Grant(Canonical(bucket), "FULL_CONTROL");
        var grants = canned switch
        {
            "public-read" => new JsonArray(own, Grant(Group(AllUsers), "READ")),
            "public-read-write" => new JsonArray(own, Grant(Group(AllUsers), "READ"), Grant(Group(AllUsers), "WRITE")),
            "authenticated-read" => new JsonArray(own, Grant(Group(AuthenticatedUsers), "READ")),
            "log-delivery-write" => new JsonArray(own, Grant(Group("http://acs.amazonaws.com/groups/s3/LogDelivery"), "WRITE"), Grant(Group("http://acs.amazonaws.com/groups/s3/LogDelivery"), "READ_ACP")),
            "aws-exec-read" => new JsonArray(own, Grant(Group("http://acs.amazonaws.com/groups/global/ExecRead"), "READ")),
            null => input.Child("AccessControlPolicy") is { } policy ? policy.Objects("Grants").Select(grant => grant.Copy()).ToJsonList() : Headers(input),
            _ => throw new ServiceFault("InvalidArgument", "", 400, new JsonObject { ["ArgumentName"] = "x-amz-acl", ["ArgumentValue"] = canned }),
        };
        var isPublic = grants.OfType<JsonObject>().Any(grant => grant.Child("Grantee")?.Text("URI") is AllUsers or AuthenticatedUsers);
        return isPublic && bucket.Configuration.TryGetValue("publicAccessBlock", out var block) && ((JsonObject)block).Is("BlockPublicAcls") ? throw AccessDenied() : grants;
    }

    /// <summary>Grants from headers: <c>id="…", uri="…"</c>.</summary>
    private static JsonArray Headers(JsonObject input)
    {
        var grants = new JsonArray();
        foreach (var (header, permission) in GrantHeaders)
        {
            foreach (var grantee in (Optional(input, header) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                grants.Add((JsonNode)Grant(grantee.Split('=', 2) switch
                {
                    ["id", var id] => new JsonObject { ["Type"] = "CanonicalUser", ["ID"] = id.Trim('"') },
                    ["uri", var uri] => Group(uri.Trim('"')),
                    ["emailAddress", var address] => new JsonObject { ["Type"] = "AmazonCustomerByEmail", ["EmailAddress"] = address.Trim('"') },
                    _ => throw new ServiceFault("InvalidArgument", "Argument format not recognized", 400, new JsonObject { ["ArgumentName"] = header, ["ArgumentValue"] = grantee }),
                }, permission));
            }
        }
        return grants;
    }
}
