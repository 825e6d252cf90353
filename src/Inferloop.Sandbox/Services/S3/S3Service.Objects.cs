using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

internal sealed partial class S3Service
{
    private const int MaximumKeyLength = 1024;

    private static readonly string[] ObjectAttributes =
    [
        "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires", "Metadata", "StorageClass",
        "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled",
    ];

    private void RegisterObjects()
    {
        On("PutObject", PutObject);
        On("GetObject", (context, input) => GetObject(context, input, withBody: true));
        On("HeadObject", (context, input) => GetObject(context, input, withBody: false));
        On("DeleteObject", DeleteObject);
        On("DeleteObjects", DeleteObjects);
        On("CopyObject", CopyObject);
        On("GetObjectAttributes", GetObjectAttributes);
        On("GetObjectTagging", GetObjectTagging);
        On("PutObjectTagging", PutObjectTagging);
        On("DeleteObjectTagging", DeleteObjectTagging);
        On("RestoreObject", RestoreObject);
    }

    private JsonObject PutObject(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = CheckedKey(input);
        var data = context.Payload;
        CheckUnsupported(bucket, input);
        var checksums = Checksums.Verify(input, data.Span);
        var attributes = AttributesOf(bucket, input);
        var tags = ParseTags(Optional(input, "Tagging"));
        var etag = Signature.Hex(Checksums.Md5(data.Span));
        var version = new S3Version
        {
            VersionId = bucket.Versioning == "Enabled" ? NewVersionId() : "null",
            Data = data,
            ETag = etag,
            LastModified = context.Now,
            Attributes = attributes,
            Checksums = checksums,
            Tags = tags,
        };
        string? expiration;
        lock (bucket.Gate)
        {
            CheckWriteConditions(bucket, key, input);
            version.Grants = GrantsOf(bucket, input);
            bucket.Add(key, version);
            Tell(context, bucket, key, version, "ObjectCreated:Put");
            expiration = ExpirationOf(bucket, key, version);
        }
        ObjectPut?.Invoke(context, bucket.Name, key, data);
        var output = Written(bucket, version).With("Expiration", expiration);
        foreach (var (name, value) in checksums)
        {
            output[name] = value?.DeepClone();
        }
        return output;
    }

    private static JsonObject Written(S3Bucket bucket, S3Version version)
    {
        var output = new JsonObject { ["ETag"] = Quoted(version.ETag) };
        foreach (var name in new[] { "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled" })
        {
            if (version.Attributes[name] is { } value)
            {
                output[name] = value.DeepClone();
            }
        }
        if (bucket.Versioning is not null)
        {
            output["VersionId"] = version.VersionId;
        }
        return output;
    }

    /// <summary>If-None-Match: * (create only) and If-Match (overwrite exactly this one).</summary>
    private static void CheckWriteConditions(S3Bucket bucket, string key, JsonObject input)
    {
        var latest = bucket.Latest(key) is { IsDeleteMarker: false } existing ? existing : null;
        if (Optional(input, "IfNoneMatch") is { } none)
        {
            if (none != "*")
            {
                throw new ServiceFault("NotImplemented", "A header you provided implies functionality that is not implemented", 501, new JsonObject { ["Header"] = "If-None-Match" });
            }
            if (latest is not null)
            {
                throw PreconditionFailed("If-None-Match");
            }
        }
        if (Optional(input, "IfMatch") is { } match)
        {
            if (latest is null)
            {
                throw NoSuchKey(key, null);
            }
            if (match.Trim('"') != latest.ETag)
            {
                throw PreconditionFailed("If-Match");
            }
        }
    }

    private static ServiceFault PreconditionFailed(string condition) =>
        new("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412, new JsonObject { ["Condition"] = condition });

    private static string CheckedKey(JsonObject input)
    {
        var key = Text(input, "Key");
        return System.Text.Encoding.UTF8.GetByteCount(key) <= MaximumKeyLength
            ? key
            : throw new ServiceFault("KeyTooLongError", "Your key is too long", 400, new JsonObject { ["Size"] = System.Text.Encoding.UTF8.GetByteCount(key), ["MaxSizeAllowed"] = MaximumKeyLength });
    }

    /// <summary>What would change the meaning of a write and is not here is refused, not dropped.</summary>
    private static void CheckUnsupported(S3Bucket bucket, JsonObject input)
    {
        foreach (var name in new[] { "SSECustomerAlgorithm", "ObjectLockMode", "ObjectLockLegalHoldStatus", "WriteOffsetBytes" })
        {
            if (input[name] is not null)
            {
                throw new ServiceFault("NotImplemented", $"A header you provided implies functionality that is not implemented: {name}", 501);
            }
        }
        lock (bucket.Gate)
        {
            _ = GrantsOf(bucket, input);
        }
        if (Optional(input, "StorageClass") is { } storageClass
            && storageClass is not ("STANDARD" or "REDUCED_REDUNDANCY" or "STANDARD_IA" or "ONEZONE_IA" or "INTELLIGENT_TIERING" or "GLACIER" or "DEEP_ARCHIVE" or "GLACIER_IR"))
        {
            throw new ServiceFault("InvalidStorageClass", "The storage class you specified is not valid");
        }
    }

    private static JsonObject AttributesOf(S3Bucket bucket, JsonObject input)
    {
        var attributes = new JsonObject();
        foreach (var name in ObjectAttributes)
        {
            if (input[name] is { } value)
            {
                attributes[name] = value.DeepClone();
            }
        }
        if (attributes["ContentEncoding"] is { } encoding)
        {
            // "aws-chunked" says how the request came, not what the object is.
            var rest = string.Join(',', ((string)encoding!).Split(',', StringSplitOptions.TrimEntries).Where(part => part != "aws-chunked" && part.Length > 0));
            attributes.Remove("ContentEncoding");
            if (rest.Length > 0)
            {
                attributes["ContentEncoding"] = rest;
            }
        }
        if ((string?)attributes["StorageClass"] == "STANDARD")
        {
            attributes.Remove("StorageClass");
        }
        if (attributes["Metadata"] is JsonObject metadata && metadata.Sum(pair => pair.Key.Length + (Scalars.Text(pair.Value)?.Length ?? 0)) > 2048)
        {
            throw new ServiceFault("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400, new JsonObject { ["MaxSizeAllowed"] = 2048 });
        }
        attributes["ContentType"] ??= "binary/octet-stream";
        if (attributes["ServerSideEncryption"] is null)
        {
            lock (bucket.Gate)
            {
                var rule = bucket.Configuration.TryGetValue("encryption", out var encryption) ? encryption["Rules"]?[0] : null;
                var byDefault = rule?["ApplyServerSideEncryptionByDefault"];
                attributes["ServerSideEncryption"] = (string?)byDefault?["SSEAlgorithm"] ?? "AES256";
                if (byDefault?["KMSMasterKeyID"] is { } kmsKey)
                {
                    attributes["SSEKMSKeyId"] = kmsKey.DeepClone();
                }
                if (Scalars.TryBoolean(rule?["BucketKeyEnabled"], out var bucketKey) && bucketKey)
                {
                    attributes["BucketKeyEnabled"] = true;
                }
            }
        }
        return attributes;
    }

    private JsonObject GetObject(RequestContext context, JsonObject input, bool withBody)
    {
        var bucket = FindBucket(context, input);
        var key = Text(input, "Key");
        S3Version version;
        lock (bucket.Gate)
        {
            version = FindVersion(bucket, key, Optional(input, "VersionId"));
        }
        CheckReadConditions(context, input, version);
        if (withBody)
        {
            CheckReadable(context, version);
        }
        JsonObject output;
        lock (bucket.Gate)
        {
            output = version.Attributes.Copy().With("Expiration", ExpirationOf(bucket, key, version)).With("Restore", RestoreOf(context, version)).With("ReplicationStatus", version.ReplicationStatus);
        }
        foreach (var name in new[] { "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires" })
        {
            if (input["Response" + name] is { } wanted)
            {
                output[name] = wanted.DeepClone();
            }
        }
        output["AcceptRanges"] = "bytes";
        output["LastModified"] = Scalars.Timestamp(version.LastModified);
        output["ETag"] = Quoted(version.ETag);
        if (bucket.Versioning is not null)
        {
            output["VersionId"] = version.VersionId;
        }
        if (version.Tags.Count > 0)
        {
            output["TagCount"] = version.Tags.Count;
        }
        var (offset, length) = RangeOf(input, version);
        var whole = length == version.Data.Length;
        if (input["Range"] is not null || input["PartNumber"] is not null)
        {
            output["ContentRange"] = $"bytes {offset}-{offset + length - 1}/{version.Data.Length}";
            context.ResponseStatus = 206;
            if (input["PartNumber"] is not null && version.PartSizes.Count > 0)
            {
                output["PartsCount"] = version.PartSizes.Count;
            }
        }
        if (whole && Optional(input, "ChecksumMode") == "ENABLED")
        {
            foreach (var (name, value) in version.Checksums)
            {
                output[name] = value?.DeepClone();
            }
        }
        output["ContentLength"] = length;
        if (withBody)
        {
            context.ResponsePayload = version.Data.Slice((int)offset, (int)length);
        }
        context.ResponseHeaders["Content-Length"] = length.ToString(CultureInfo.InvariantCulture);
        return output;
    }

    private static (long Offset, long Length) RangeOf(JsonObject input, S3Version version)
    {
        long size = version.Data.Length;
        if (Scalars.TryInteger(input["PartNumber"], out var number))
        {
            var sizes = version.PartSizes.Count > 0 ? version.PartSizes : [(int)size];
            return number >= 1 && number <= sizes.Count
                ? (sizes.Take((int)number - 1).Sum(part => (long)part), sizes[(int)number - 1])
                : throw new ServiceFault("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
        }
        if (Optional(input, "Range") is not { } range || !range.StartsWith("bytes=", StringComparison.Ordinal) || range.Contains(',', StringComparison.Ordinal))
        {
            input.Remove("Range");
            return (0, size);
        }
        var dash = range.IndexOf('-', StringComparison.Ordinal);
        var first = dash < 0 ? "" : range["bytes=".Length..dash];
        var last = dash < 0 ? "" : range[(dash + 1)..];
        ServiceFault NotSatisfiable() => new("InvalidRange", "The requested range is not satisfiable", 416, new JsonObject { ["RangeRequested"] = range, ["ActualObjectSize"] = size })
        {
            Headers = new Dictionary<string, string> { ["Content-Range"] = $"bytes */{size}" },
        };
        if (first.Length == 0)
        {
            return long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var suffix) && suffix > 0 && size > 0
                ? (Math.Max(0, size - suffix), Math.Min(suffix, size))
                : throw NotSatisfiable();
        }
        if (!long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var start) || start >= size)
        {
            throw NotSatisfiable();
        }
        var end = long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var stop) ? Math.Min(stop, size - 1) : size - 1;
        return end >= start ? (start, end - start + 1) : throw NotSatisfiable();
    }

    private static void CheckReadConditions(RequestContext context, JsonObject input, S3Version version)
    {
        // HTTP times have no fractions of a second.
        var modified = DateTimeOffset.FromUnixTimeSeconds(version.LastModified.ToUnixTimeSeconds());
        if (Optional(input, "IfMatch") is { } match && match != "*" && !match.Split(',').Any(tag => tag.Trim().Trim('"') == version.ETag))
        {
            throw PreconditionFailed("If-Match");
        }
        if (input["IfMatch"] is null && Scalars.TryTimestamp(input["IfUnmodifiedSince"], out var unmodified) && modified > unmodified)
        {
            throw PreconditionFailed("If-Unmodified-Since");
        }
        var notModified = Optional(input, "IfNoneMatch") is { } none
            ? none == "*" || none.Split(',').Any(tag => tag.Trim().Trim('"') == version.ETag)
            : Scalars.TryTimestamp(input["IfModifiedSince"], out var since) && modified <= since;
        if (notModified)
        {
            throw new ServiceFault("NotModified", "Not Modified", 304) { Headers = new Dictionary<string, string> { ["ETag"] = Quoted(version.ETag) } };
        }
        _ = context;
    }

    private JsonObject DeleteObject(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = Text(input, "Key");
        lock (bucket.Gate)
        {
            if (Optional(input, "IfMatch") is { } match && bucket.Latest(key) is { IsDeleteMarker: false } latest && match != "*" && match.Trim('"') != latest.ETag)
            {
                throw PreconditionFailed("If-Match");
            }
            return Delete(context, bucket, key, Optional(input, "VersionId"));
        }
    }

    /// <summary>Called under the bucket's lock.</summary>
    private JsonObject Delete(RequestContext context, S3Bucket bucket, string key, string? versionId, string kind = "ObjectRemoved")
    {
        if (versionId is not null)
        {
            var removed = bucket.Remove(key, versionId);
            if (removed is not null)
            {
                Tell(context, bucket, key, removed, kind + ":Delete");
            }
            var result = new JsonObject { ["VersionId"] = versionId };
            if (removed?.IsDeleteMarker == true)
            {
                result["DeleteMarker"] = true;
            }
            return result;
        }
        if (bucket.Versioning is null)
        {
            if (bucket.Remove(key, "null") is { } gone)
            {
                Tell(context, bucket, key, gone, kind + ":Delete");
            }
            return [];
        }
        var marker = new S3Version
        {
            VersionId = bucket.Versioning == "Enabled" ? NewVersionId() : "null",
            IsDeleteMarker = true,
            LastModified = context.Now,
        };
        bucket.Add(key, marker);
        Tell(context, bucket, key, marker, kind + ":DeleteMarkerCreated");
        return new JsonObject { ["DeleteMarker"] = true, ["VersionId"] = marker.VersionId };
    }

    private JsonObject DeleteObjects(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var delete = input["Delete"] as JsonObject ?? throw new ServiceFault("MissingRequestBodyError", "Request Body is empty");
        var objects = (delete["Objects"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        if (objects.Count is 0 or > 1000)
        {
            throw new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
        }
        var quiet = Scalars.TryBoolean(delete["Quiet"], out var flag) && flag;
        var deleted = new JsonArray();
        lock (bucket.Gate)
        {
            foreach (var item in objects)
            {
                var key = Text(item, "Key");
                var requested = Optional(item, "VersionId");
                var result = Delete(context, bucket, key, requested);
                if (quiet)
                {
                    continue;
                }
                var entry = new JsonObject { ["Key"] = key };
                if (requested is not null)
                {
                    entry["VersionId"] = requested;
                }
                if (result["DeleteMarker"] is not null)
                {
                    entry["DeleteMarker"] = true;
                    entry["DeleteMarkerVersionId"] = (string?)result["VersionId"];
                }
                deleted.Add(entry);
            }
        }
        return new JsonObject { ["Deleted"] = deleted };
    }

    private JsonObject CopyObject(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = CheckedKey(input);
        CheckUnsupported(bucket, input);
        var source = FindSource(context, input, out var sourceVersioned);
        var replace = Optional(input, "MetadataDirective") == "REPLACE";
        var attributes = replace ? AttributesOf(bucket, input) : (JsonObject)source.Version.Attributes.DeepClone();
        if (!replace)
        {
            foreach (var name in new[] { "StorageClass", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled", "WebsiteRedirectLocation" })
            {
                attributes.Remove(name);
                if (input[name] is { } value)
                {
                    attributes[name] = value.DeepClone();
                }
            }
            attributes = AttributesOf(bucket, attributes);
            if (source.Bucket == bucket.Name && source.Key == key && !sourceVersioned && bucket.Versioning is null
                && !new[] { "StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation", "Tagging" }.Any(input.ContainsKey))
            {
                throw new ServiceFault("InvalidRequest", "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.");
            }
        }
        var version = new S3Version
        {
            VersionId = bucket.Versioning == "Enabled" ? NewVersionId() : "null",
            Data = source.Version.Data,
            ETag = Signature.Hex(Checksums.Md5(source.Version.Data.Span)),
            LastModified = context.Now,
            Attributes = attributes,
            Checksums = Checksums.Verify(new JsonObject { ["ChecksumAlgorithm"] = Optional(input, "ChecksumAlgorithm") }, source.Version.Data.Span),
            Tags = Optional(input, "TaggingDirective") == "REPLACE" ? ParseTags(Optional(input, "Tagging")) : [.. source.Version.Tags],
        };
        lock (bucket.Gate)
        {
            CheckWriteConditions(bucket, key, input);
            version.Grants = GrantsOf(bucket, input);
            bucket.Add(key, version);
            Tell(context, bucket, key, version, "ObjectCreated:Copy");
        }
        ObjectPut?.Invoke(context, bucket.Name, key, version.Data);
        var output = Written(bucket, version);
        output.Remove("ETag");
        if (sourceVersioned)
        {
            output["CopySourceVersionId"] = source.Version.VersionId;
        }
        var result = (JsonObject)version.Checksums.DeepClone();
        result["ETag"] = Quoted(version.ETag);
        result["LastModified"] = Scalars.Timestamp(version.LastModified);
        output["CopyObjectResult"] = result;
        return output;
    }

    private (string Bucket, string Key, S3Version Version) FindSource(RequestContext context, JsonObject input, out bool versioned)
    {
        var text = Text(input, "CopySource");
        string? versionId = null;
        var question = text.IndexOf("?versionId=", StringComparison.Ordinal);
        if (question >= 0)
        {
            versionId = text[(question + "?versionId=".Length)..];
            text = text[..question];
        }
        text = Uri.UnescapeDataString(text).TrimStart('/');
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == text.Length - 1)
        {
            throw new ServiceFault("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", 400, new JsonObject { ["ArgumentName"] = "x-amz-copy-source" });
        }
        var bucket = FindBucket(context, text[..slash], anyRegion: true, Optional(input, "ExpectedSourceBucketOwner"));
        var key = text[(slash + 1)..];
        S3Version version;
        lock (bucket.Gate)
        {
            version = FindVersion(bucket, key, versionId);
        }
        CheckReadable(context, version);
        var conditions = new JsonObject();
        foreach (var name in new[] { "IfMatch", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince" })
        {
            if (input["CopySource" + name] is { } condition)
            {
                conditions[name] = condition.DeepClone();
            }
        }
        try
        {
            CheckReadConditions(context, conditions, version);
        }
        catch (ServiceFault fault) when (fault.Status == 304)
        {
            throw PreconditionFailed("x-amz-copy-source-If-None-Match");
        }
        versioned = bucket.Versioning is not null;
        return (bucket.Name, key, version);
    }

    private JsonObject GetObjectAttributes(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        S3Version version;
        lock (bucket.Gate)
        {
            version = FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId"));
        }
        var wanted = (input["ObjectAttributes"] as JsonArray ?? []).Select(Scalars.Text).ToHashSet();
        var output = new JsonObject { ["LastModified"] = Scalars.Timestamp(version.LastModified) };
        if (bucket.Versioning is not null)
        {
            output["VersionId"] = version.VersionId;
        }
        if (wanted.Contains("ETag"))
        {
            output["ETag"] = version.ETag;
        }
        if (wanted.Contains("ObjectSize"))
        {
            output["ObjectSize"] = version.Data.Length;
        }
        if (wanted.Contains("StorageClass"))
        {
            output["StorageClass"] = version.StorageClass;
        }
        if (wanted.Contains("Checksum"))
        {
            output["Checksum"] = version.Checksums.DeepClone();
        }
        if (wanted.Contains("ObjectParts") && version.PartSizes.Count > 0)
        {
            output["ObjectParts"] = new JsonObject { ["TotalPartsCount"] = version.PartSizes.Count };
        }
        return output;
    }

    private JsonObject GetObjectTagging(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            var version = FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId"));
            var output = new JsonObject
            {
                ["TagSet"] = new JsonArray(version.Tags.Select(tag => (JsonNode?)new JsonObject { ["Key"] = tag.Key, ["Value"] = tag.Value }).ToArray()),
            };
            if (bucket.Versioning is not null)
            {
                output["VersionId"] = version.VersionId;
            }
            return output;
        }
    }

    private JsonObject PutObjectTagging(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var tags = (input["Tagging"]?["TagSet"] as JsonArray ?? []).OfType<JsonObject>()
            .Select(tag => new KeyValuePair<string, string>(Text(tag, "Key"), Optional(tag, "Value") ?? "")).ToList();
        lock (bucket.Gate)
        {
            var version = FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId"));
            version.Tags = CheckedTags(tags);
            Tell(context, bucket, Text(input, "Key"), version, "ObjectTagging:Put");
        }
        return [];
    }

    private JsonObject DeleteObjectTagging(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            var version = FindVersion(bucket, Text(input, "Key"), Optional(input, "VersionId"));
            version.Tags = [];
            Tell(context, bucket, Text(input, "Key"), version, "ObjectTagging:Delete");
        }
        return [];
    }

    private static List<KeyValuePair<string, string>> ParseTags(string? header) =>
        header is null ? [] : CheckedTags(ServiceRequest.ParseQuery(header));

    private static List<KeyValuePair<string, string>> CheckedTags(List<KeyValuePair<string, string>> tags)
    {
        if (tags.Count > 10)
        {
            throw new ServiceFault("BadRequest", "Object tags cannot be greater than 10");
        }
        if (tags.Select(tag => tag.Key).Distinct(StringComparer.Ordinal).Count() != tags.Count)
        {
            throw new ServiceFault("InvalidTag", "Cannot provide multiple Tags with the same key");
        }
        return tags.Any(tag => tag.Key.Length is 0 or > 128 || tag.Value.Length > 256)
            ? throw new ServiceFault("InvalidTag", "The TagKey you have provided is invalid")
            : tags;
    }
}
