using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

internal sealed partial class S3Service
{
    private const int MaximumPage = 1000;

    private void RegisterListing()
    {
        On("ListObjects", ListObjects);
        On("ListObjectsV2", ListObjectsV2);
        On("ListObjectVersions", ListObjectVersions);
    }

    private JsonObject ListObjects(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var marker = Optional(input, "Marker") ?? "";
        var page = ListKeys(bucket, input, marker);
        var output = Common(bucket, input, page);
        output["Marker"] = Encoded(input, marker);
        output["Contents"] = Contents(bucket, input, page, owner: true);
        if (page.Next is not null && Optional(input, "Delimiter") is not null)
        {
            output["NextMarker"] = Encoded(input, page.Next);
        }
        return output;
    }

    private JsonObject ListObjectsV2(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var token = Optional(input, "ContinuationToken");
        var after = token is not null ? DecodeToken(token) : Optional(input, "StartAfter") ?? "";
        var page = ListKeys(bucket, input, after);
        var output = Common(bucket, input, page);
        output["KeyCount"] = page.Keys.Count + page.Prefixes.Count;
        output["Contents"] = Contents(bucket, input, page, owner: Scalars.TryBoolean(input["FetchOwner"], out var fetch) && fetch);
        output["ContinuationToken"] = token;
        output["StartAfter"] = Optional(input, "StartAfter") is { } start ? Encoded(input, start) : null;
        output["NextContinuationToken"] = page.Next is null ? null : EncodeToken(page.Next);
        return output;
    }

    private static JsonObject Common(S3Bucket bucket, JsonObject input, Page page) => new()
    {
        ["Name"] = bucket.Name,
        ["Prefix"] = Encoded(input, Optional(input, "Prefix") ?? ""),
        ["Delimiter"] = Optional(input, "Delimiter") is { } delimiter ? Encoded(input, delimiter) : null,
        ["MaxKeys"] = PageSize(input),
        ["IsTruncated"] = page.Next is not null,
        ["EncodingType"] = Optional(input, "EncodingType"),
        ["CommonPrefixes"] = new JsonArray(page.Prefixes.Select(prefix => (JsonNode?)new JsonObject { ["Prefix"] = Encoded(input, prefix) }).ToArray()),
    };

    private static JsonArray Contents(S3Bucket bucket, JsonObject input, Page page, bool owner)
    {
        var contents = new JsonArray();
        foreach (var (key, version) in page.Keys)
        {
            var entry = new JsonObject
            {
                ["Key"] = Encoded(input, key),
                ["LastModified"] = Scalars.Timestamp(version.LastModified),
                ["ETag"] = Quoted(version.ETag),
                ["Size"] = version.Data.Length,
                ["StorageClass"] = version.StorageClass,
            };
            var algorithms = version.Checksums.Where(pair => pair.Key != "ChecksumType").Select(pair => (JsonNode?)pair.Key["Checksum".Length..]).ToArray();
            entry["ChecksumAlgorithm"] = new JsonArray(algorithms);
            entry["ChecksumType"] = (string?)version.Checksums["ChecksumType"];
            if (owner)
            {
                entry["Owner"] = Owner(bucket.AccountId);
            }
            contents.Add(entry);
        }
        return contents;
    }

    /// <summary>One page of current objects after a key, those with the delimiter after the prefix rolled up.</summary>
    private static Page ListKeys(S3Bucket bucket, JsonObject input, string after)
    {
        var prefix = Optional(input, "Prefix") ?? "";
        var delimiter = Optional(input, "Delimiter") is { Length: > 0 } text ? text : null;
        var limit = PageSize(input);
        var page = new Page();
        lock (bucket.Gate)
        {
            var from = string.CompareOrdinal(prefix, after) > 0 ? prefix : after;
            while (true)
            {
                string? skipTo = null;
                foreach (var key in bucket.KeysFrom(from))
                {
                    if (string.CompareOrdinal(key, after) <= 0)
                    {
                        continue;
                    }
                    if (!key.StartsWith(prefix, StringComparison.Ordinal))
                    {
                        return page;
                    }
                    var latest = bucket.Latest(key)!;
                    if (latest.IsDeleteMarker)
                    {
                        continue;
                    }
                    var at = delimiter is null ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
                    var common = at < 0 ? null : key[..(at + delimiter!.Length)];
                    // A marker inside a rolled-up prefix has had that prefix already.
                    if (common is not null && after.StartsWith(common, StringComparison.Ordinal))
                    {
                        skipTo = PastPrefix(common);
                        break;
                    }
                    if (page.Keys.Count + page.Prefixes.Count >= limit)
                    {
                        page.Next = page.Last;
                        return page;
                    }
                    if (common is null)
                    {
                        page.Keys.Add((key, latest));
                        page.Last = key;
                        continue;
                    }
                    page.Prefixes.Add(common);
                    page.Last = common;
                    // The keys under a rolled-up prefix are passed over in one step, however many there are.
                    skipTo = PastPrefix(common);
                    break;
                }
                if (skipTo is null)
                {
                    return page;
                }
                from = skipTo;
            }
        }
    }

    private static string PastPrefix(string prefix) => prefix + '\uFFFF';

    private JsonObject ListObjectVersions(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var prefix = Optional(input, "Prefix") ?? "";
        var delimiter = Optional(input, "Delimiter") is { Length: > 0 } text ? text : null;
        var keyMarker = Optional(input, "KeyMarker") ?? "";
        var versionMarker = Optional(input, "VersionIdMarker");
        var limit = PageSize(input);
        var versions = new JsonArray();
        var markers = new JsonArray();
        var prefixes = new SortedSet<string>(StringComparer.Ordinal);
        (string Key, string Version)? last = null;
        var truncated = false;
        lock (bucket.Gate)
        {
            foreach (var key in bucket.KeysFrom(string.CompareOrdinal(prefix, keyMarker) > 0 ? prefix : keyMarker))
            {
                if (!key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    if (string.CompareOrdinal(key, prefix) > 0)
                    {
                        break;
                    }
                    continue;
                }
                var at = delimiter is null ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
                if (at >= 0)
                {
                    var common = key[..(at + delimiter!.Length)];
                    if (string.CompareOrdinal(common, keyMarker) > 0 && !keyMarker.StartsWith(common, StringComparison.Ordinal) && !prefixes.Contains(common))
                    {
                        if (versions.Count + markers.Count + prefixes.Count >= limit)
                        {
                            truncated = true;
                            break;
                        }
                        prefixes.Add(common);
                        last = (common, "");
                    }
                    continue;
                }
                var all = bucket.Versions(key);
                var skip = key == keyMarker ? versionMarker is null ? all.Count : all.ToList().FindIndex(version => version.VersionId == versionMarker) + 1 : 0;
                for (var i = skip; i < all.Count && !truncated; i++)
                {
                    if (versions.Count + markers.Count + prefixes.Count >= limit)
                    {
                        truncated = true;
                        break;
                    }
                    (all[i].IsDeleteMarker ? markers : versions).Add(VersionEntry(bucket, input, key, all[i], i == 0));
                    last = (key, all[i].VersionId);
                }
                if (truncated)
                {
                    break;
                }
            }
        }
        var output = new JsonObject
        {
            ["Name"] = bucket.Name,
            ["Prefix"] = Encoded(input, prefix),
            ["Delimiter"] = delimiter is null ? null : Encoded(input, delimiter),
            ["KeyMarker"] = Encoded(input, keyMarker),
            ["VersionIdMarker"] = versionMarker ?? "",
            ["MaxKeys"] = limit,
            ["IsTruncated"] = truncated,
            ["EncodingType"] = Optional(input, "EncodingType"),
            ["Versions"] = versions,
            ["DeleteMarkers"] = markers,
            ["CommonPrefixes"] = new JsonArray(prefixes.Select(common => (JsonNode?)new JsonObject { ["Prefix"] = Encoded(input, common) }).ToArray()),
        };
        if (truncated && last is { } end)
        {
            output["NextKeyMarker"] = Encoded(input, end.Key);
            output["NextVersionIdMarker"] = end.Version.Length == 0 ? null : end.Version;
        }
        return output;
    }

    private static JsonObject VersionEntry(S3Bucket bucket, JsonObject input, string key, S3Version version, bool latest)
    {
        var entry = new JsonObject
        {
            ["Key"] = Encoded(input, key),
            ["VersionId"] = version.VersionId,
            ["IsLatest"] = latest,
            ["LastModified"] = Scalars.Timestamp(version.LastModified),
            ["Owner"] = Owner(bucket.AccountId),
        };
        if (!version.IsDeleteMarker)
        {
            entry["ETag"] = Quoted(version.ETag);
            entry["Size"] = version.Data.Length;
            entry["StorageClass"] = version.StorageClass;
        }
        return entry;
    }

    private static int PageSize(JsonObject input)
    {
        if (!Scalars.TryInteger(input["MaxKeys"], out var limit))
        {
            return MaximumPage;
        }
        return limit >= 0
            ? (int)Math.Min(limit, MaximumPage)
            : throw new ServiceFault("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647", 400, new JsonObject { ["ArgumentName"] = "maxKeys" });
    }

    private static string Encoded(JsonObject input, string text) =>
        Optional(input, "EncodingType") == "url" ? Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal) : text;

    private sealed class Page
    {
        public List<(string Key, S3Version Version)> Keys { get; } = [];

        public List<string> Prefixes { get; } = [];

        /// <summary>The last key or prefix of the page.</summary>
        public string? Last { get; set; }

        /// <summary>Where the next page begins after; null on the last page.</summary>
        public string? Next { get; set; }
    }
}
