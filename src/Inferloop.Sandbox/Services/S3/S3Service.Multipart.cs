using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

internal sealed partial class S3Service
{
    private const int MinimumPartSize = 5 * 1024 * 1024;

    private void RegisterMultipart()
    {
        On("CreateMultipartUpload", CreateMultipartUpload);
        On("UploadPart", UploadPart);
        On("UploadPartCopy", UploadPartCopy);
        On("CompleteMultipartUpload", CompleteMultipartUpload);
        On("AbortMultipartUpload", AbortMultipartUpload);
        On("ListParts", ListParts);
        On("ListMultipartUploads", ListMultipartUploads);
    }

    private JsonObject CreateMultipartUpload(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = CheckedKey(input);
        CheckUnsupported(bucket, input);
        var algorithm = Optional(input, "ChecksumAlgorithm");
        if (algorithm is not null && !Checksums.Members.ContainsKey(algorithm))
        {
            throw new ServiceFault("NotImplemented", $"The sandbox does not compute {algorithm}.", 501);
        }
        var upload = new S3Upload
        {
            Id = Runtime.Ids.UrlSafe(64),
            Key = key,
            Initiated = context.Now,
            Attributes = AttributesOf(bucket, input),
            Tags = ParseTags(Optional(input, "Tagging")),
            ChecksumAlgorithm = algorithm,
            ChecksumType = Optional(input, "ChecksumType") ?? (algorithm is null or "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE"),
        };
        (DateTimeOffset At, string? Rule)? abort;
        lock (bucket.Gate)
        {
            bucket.Uploads[upload.Id] = upload;
            abort = AbortOf(bucket, key, upload.Initiated);
        }
        var output = new JsonObject
        {
            ["Bucket"] = bucket.Name,
            ["Key"] = key,
            ["UploadId"] = upload.Id,
            ["ChecksumAlgorithm"] = algorithm,
            ["ChecksumType"] = algorithm is null ? null : upload.ChecksumType,
            ["AbortDate"] = abort is { } due ? Scalars.Timestamp(due.At) : null,
            ["AbortRuleId"] = abort?.Rule,
        };
        foreach (var name in new[] { "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled" })
        {
            output[name] = upload.Attributes[name]?.DeepClone();
        }
        return output;
    }

    private JsonObject UploadPart(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var data = context.Payload;
        var number = PartNumber(input);
        S3Upload upload;
        lock (bucket.Gate)
        {
            upload = FindUpload(bucket, input);
        }
        var given = (JsonObject)input.DeepClone();
        if (upload.ChecksumAlgorithm is { } algorithm)
        {
            given["ChecksumAlgorithm"] = algorithm;
        }
        var part = new S3Part(data, Signature.Hex(Checksums.Md5(data.Span)), context.Now, Checksums.Verify(given, data.Span));
        lock (bucket.Gate)
        {
            FindUpload(bucket, input).Parts[number] = part;
        }
        var output = (JsonObject)part.Checksums.DeepClone();
        output.Remove("ChecksumType");
        output["ETag"] = Quoted(part.ETag);
        output["ServerSideEncryption"] = upload.Attributes["ServerSideEncryption"]?.DeepClone();
        return output;
    }

    private JsonObject UploadPartCopy(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var number = PartNumber(input);
        var source = FindSource(context, input, out var versioned);
        var data = source.Version.Data;
        if (Optional(input, "CopySourceRange") is { } range)
        {
            var (offset, length) = RangeOf(new JsonObject { ["Range"] = range }, source.Version);
            data = data.Slice((int)offset, (int)length);
        }
        S3Part part;
        lock (bucket.Gate)
        {
            var upload = FindUpload(bucket, input);
            part = new S3Part(data, Signature.Hex(Checksums.Md5(data.Span)), context.Now, Checksums.Verify(new JsonObject { ["ChecksumAlgorithm"] = upload.ChecksumAlgorithm }, data.Span));
            upload.Parts[number] = part;
        }
        var output = new JsonObject
        {
            ["CopyPartResult"] = new JsonObject { ["ETag"] = Quoted(part.ETag), ["LastModified"] = Scalars.Timestamp(part.LastModified) },
        };
        if (versioned)
        {
            output["CopySourceVersionId"] = source.Version.VersionId;
        }
        return output;
    }

    private JsonObject CompleteMultipartUpload(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = Text(input, "Key");
        var listed = (input["MultipartUpload"]?["Parts"] as JsonArray ?? []).OfType<JsonObject>().ToList();
        if (listed.Count == 0)
        {
            throw new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
        }
        S3Version version;
        lock (bucket.Gate)
        {
            var upload = FindUpload(bucket, input);
            var parts = ChosenParts(upload, listed);
            CheckWriteConditions(bucket, key, input);
            version = Assemble(context, bucket, upload, parts, input);
            bucket.Uploads.Remove(upload.Id);
            bucket.Add(key, version);
            Tell(context, bucket, key, version, "ObjectCreated:CompleteMultipartUpload");
        }
        ObjectPut?.Invoke(context, bucket.Name, key, version.Data);
        var output = Written(bucket, version);
        foreach (var (name, value) in version.Checksums)
        {
            output[name] = value?.DeepClone();
        }
        output["Location"] = $"http://{context.EndpointAuthority}/{bucket.Name}/{Uri.EscapeDataString(key)}";
        output["Bucket"] = bucket.Name;
        output["Key"] = key;
        return output;
    }

    private static List<S3Part> ChosenParts(S3Upload upload, List<JsonObject> listed)
    {
        var chosen = new List<S3Part>(listed.Count);
        var previous = 0;
        for (var i = 0; i < listed.Count; i++)
        {
            var number = PartNumber(listed[i]);
            if (number <= previous)
            {
                throw new ServiceFault("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.");
            }
            previous = number;
            if (!upload.Parts.TryGetValue(number, out var part) || (Optional(listed[i], "ETag") ?? "").Trim('"') != part.ETag)
            {
                throw new ServiceFault("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", 400, new JsonObject { ["UploadId"] = upload.Id, ["PartNumber"] = number });
            }
            foreach (var (_, member) in Checksums.Members)
            {
                if (Optional(listed[i], member) is { } given && Optional(part.Checksums, member) is { } kept && given != kept)
                {
                    throw new ServiceFault("InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.", 400, new JsonObject { ["UploadId"] = upload.Id, ["PartNumber"] = number });
                }
            }
            if (i < listed.Count - 1 && part.Data.Length < MinimumPartSize)
            {
                throw new ServiceFault("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, new JsonObject { ["ProposedSize"] = part.Data.Length, ["MinSizeAllowed"] = MinimumPartSize, ["PartNumber"] = number });
            }
            chosen.Add(part);
        }
        return chosen;
    }

    private S3Version Assemble(RequestContext context, S3Bucket bucket, S3Upload upload, List<S3Part> parts, JsonObject input)
    {
        var data = new byte[checked((int)parts.Sum(part => (long)part.Data.Length))];
        var position = 0;
        foreach (var part in parts)
        {
            part.Data.Span.CopyTo(data.AsSpan(position));
            position += part.Data.Length;
        }
        var algorithm = upload.ChecksumAlgorithm ?? "CRC64NVME";
        var member = Checksums.Members[algorithm];
        var partChecksums = parts.Select(part => Optional(part.Checksums, member)).ToList();
        var composite = upload.ChecksumType == "COMPOSITE" && partChecksums.All(checksum => checksum is not null);
        var checksum = composite ? Checksums.Composite(algorithm, partChecksums!) : Checksums.Compute(algorithm, data);
        if (Optional(input, member) is { } given && given != checksum && given != checksum.Split('-')[0])
        {
            throw new ServiceFault("BadDigest", $"The {algorithm} you specified did not match the calculated checksum.");
        }
        var digests = parts.SelectMany(part => Convert.FromHexString(part.ETag)).ToArray();
        return new S3Version
        {
            VersionId = bucket.Versioning == "Enabled" ? NewVersionId() : "null",
            Data = data,
            ETag = $"{Signature.Hex(Checksums.Md5(digests))}-{parts.Count}",
            LastModified = context.Now,
            Attributes = upload.Attributes,
            Checksums = new JsonObject { [member] = checksum, ["ChecksumType"] = composite ? "COMPOSITE" : "FULL_OBJECT" },
            Tags = upload.Tags,
            PartSizes = parts.Select(part => part.Data.Length).ToList(),
        };
    }

    private JsonObject AbortMultipartUpload(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        lock (bucket.Gate)
        {
            bucket.Uploads.Remove(FindUpload(bucket, input).Id);
        }
        return [];
    }

    private JsonObject ListParts(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var marker = Scalars.TryInteger(input["PartNumberMarker"], out var after) ? (int)after : 0;
        var limit = Scalars.TryInteger(input["MaxParts"], out var maximum) ? (int)Math.Clamp(maximum, 0, MaximumPage) : MaximumPage;
        lock (bucket.Gate)
        {
            var upload = FindUpload(bucket, input);
            var parts = upload.Parts.Where(pair => pair.Key > marker).Take(limit + 1).ToList();
            var shown = parts.Take(limit).ToList();
            var output = new JsonObject
            {
                ["Bucket"] = bucket.Name,
                ["Key"] = upload.Key,
                ["UploadId"] = upload.Id,
                ["PartNumberMarker"] = marker,
                ["MaxParts"] = limit,
                ["IsTruncated"] = parts.Count > limit,
                ["StorageClass"] = Optional(upload.Attributes, "StorageClass") ?? "STANDARD",
                ["Owner"] = Owner(bucket.AccountId),
                ["Initiator"] = Owner(bucket.AccountId),
                ["ChecksumAlgorithm"] = upload.ChecksumAlgorithm,
                ["Parts"] = new JsonArray(shown.Select(pair =>
                {
                    var entry = (JsonObject)pair.Value.Checksums.DeepClone();
                    entry.Remove("ChecksumType");
                    entry["PartNumber"] = pair.Key;
                    entry["LastModified"] = Scalars.Timestamp(pair.Value.LastModified);
                    entry["ETag"] = Quoted(pair.Value.ETag);
                    entry["Size"] = pair.Value.Data.Length;
                    return (JsonNode?)entry;
                }).ToArray()),
            };
            if (parts.Count > limit && shown.Count > 0)
            {
                output["NextPartNumberMarker"] = shown[^1].Key;
            }
            return output;
        }
    }

    private JsonObject ListMultipartUploads(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var prefix = Optional(input, "Prefix") ?? "";
        var keyMarker = Optional(input, "KeyMarker");
        var idMarker = Optional(input, "UploadIdMarker");
        var limit = Scalars.TryInteger(input["MaxUploads"], out var maximum) ? (int)Math.Clamp(maximum, 1, MaximumPage) : MaximumPage;
        lock (bucket.Gate)
        {
            var uploads = bucket.Uploads.Values
                .Where(upload => upload.Key.StartsWith(prefix, StringComparison.Ordinal))
                .OrderBy(upload => upload.Key, StringComparer.Ordinal).ThenBy(upload => upload.Id, StringComparer.Ordinal)
                .Where(upload => keyMarker is null || string.CompareOrdinal(upload.Key, keyMarker) > 0
                    || (upload.Key == keyMarker && idMarker is not null && string.CompareOrdinal(upload.Id, idMarker) > 0))
                .Take(limit + 1).ToList();
            var output = new JsonObject
            {
                ["Bucket"] = bucket.Name,
                ["KeyMarker"] = keyMarker ?? "",
                ["UploadIdMarker"] = idMarker ?? "",
                ["Prefix"] = prefix,
                ["MaxUploads"] = limit,
                ["IsTruncated"] = uploads.Count > limit,
                ["Uploads"] = new JsonArray(uploads.Take(limit).Select(upload => (JsonNode?)new JsonObject
                {
                    ["UploadId"] = upload.Id,
                    ["Key"] = Encoded(input, upload.Key),
                    ["Initiated"] = Scalars.Timestamp(upload.Initiated),
                    ["StorageClass"] = Optional(upload.Attributes, "StorageClass") ?? "STANDARD",
                    ["Owner"] = Owner(bucket.AccountId),
                    ["Initiator"] = Owner(bucket.AccountId),
                }).ToArray()),
            };
            if (uploads.Count > limit)
            {
                output["NextKeyMarker"] = Encoded(input, uploads[limit - 1].Key);
                output["NextUploadIdMarker"] = uploads[limit - 1].Id;
            }
            return output;
        }
    }

    private static S3Upload FindUpload(S3Bucket bucket, JsonObject input)
    {
        var id = Text(input, "UploadId");
        return bucket.Uploads.TryGetValue(id, out var upload) && upload.Key == Text(input, "Key")
            ? upload
            : throw new ServiceFault("NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", 404, new JsonObject { ["UploadId"] = id });
    }

    private static int PartNumber(JsonObject input) =>
        Scalars.TryInteger(input["PartNumber"], out var number) && number is >= 1 and <= 10_000
            ? (int)number
            : throw new ServiceFault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive", 400, new JsonObject { ["ArgumentName"] = "partNumber" });
}
