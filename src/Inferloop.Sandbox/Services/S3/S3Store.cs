using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>One version of an object, or a delete marker.</summary>
internal sealed class S3Version
{
    public required string VersionId { get; init; }

    public bool IsDeleteMarker { get; init; }

    public ReadOnlyMemory<byte> Data { get; init; }

    public string ETag { get; init; } = "";

    public required DateTimeOffset LastModified { get; init; }

    /// <summary>Headers, metadata and encryption, by the names they have in both PutObject's input and GetObject's output.</summary>
    public JsonObject Attributes { get; init; } = [];

    /// <summary>Checksums by member name (<c>ChecksumCRC32</c>), and <c>ChecksumType</c>.</summary>
    public JsonObject Checksums { get; init; } = [];

    public List<KeyValuePair<string, string>> Tags { get; set; } = [];

    /// <summary>Sizes of the parts it was uploaded in; empty for an object put at once.</summary>
    public IReadOnlyList<int> PartSizes { get; init; } = [];

    /// <summary>Null where no replication rule took it.</summary>
    public string? ReplicationStatus { get; set; }

    /// <summary>When a copy out of the archive is ready, and until when it stays.</summary>
    public (DateTimeOffset Ready, DateTimeOffset Until)? Restored { get; set; }

    /// <summary>Grants beyond the owner's; null for the owner's alone.</summary>
    public JsonArray? Grants { get; set; }

    public string StorageClass => (string?)Attributes[nameof(StorageClass)] ?? "STANDARD";
}

/// <summary>An upload in parts that is not completed yet.</summary>
internal sealed class S3Upload
{
    public required string Id { get; init; }

    public required string Key { get; init; }

    public required DateTimeOffset Initiated { get; init; }

    public required JsonObject Attributes { get; init; }

    public List<KeyValuePair<string, string>> Tags { get; init; } = [];

    public string? ChecksumAlgorithm { get; init; }

    public string? ChecksumType { get; init; }

    public SortedDictionary<int, S3Part> Parts { get; } = [];
}

internal sealed record S3Part(ReadOnlyMemory<byte> Data, string ETag, DateTimeOffset LastModified, JsonObject Checksums);

/// <summary>A bucket. Its lock guards everything in it.</summary>
internal sealed class S3Bucket
{
    private readonly SortedSet<string> keys = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<S3Version>> objects = new(StringComparer.Ordinal);

    public required string Name { get; init; }

    public required string AccountId { get; init; }

    public required string Region { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>A bucket of the sandbox itself, not listed among its account's.</summary>
    public bool IsHidden { get; init; }

    /// <summary>Held while anything below is read or changed.</summary>
    public object Gate { get; } = new();

    /// <summary>Configuration subresources (encryption, lifecycle, …) by name, in the shape the API returns.</summary>
    public Dictionary<string, JsonNode> Configuration { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, S3Upload> Uploads { get; } = new(StringComparer.Ordinal);

    /// <summary><c>Enabled</c>, <c>Suspended</c>, or null where versioning was never switched on.</summary>
    public string? Versioning { get; set; }

    /// <summary>Whether its lifecycle rules are due to run.</summary>
    public bool HasDailyRun { get; set; }

    public bool IsEmpty => objects.Count == 0;

    public int KeyCount => keys.Count;

    /// <summary>The versions of a key, newest first; empty when there are none.</summary>
    public IReadOnlyList<S3Version> Versions(string key) => objects.TryGetValue(key, out var versions) ? versions : [];

    public S3Version? Latest(string key) => objects.TryGetValue(key, out var versions) ? versions[0] : null;

    /// <summary>The keys from one on, in order.</summary>
    public IEnumerable<string> KeysFrom(string first) => keys.Count == 0 || string.CompareOrdinal(first, keys.Max) > 0
        ? []
        : keys.GetViewBetween(first, keys.Max);

    public void Add(string key, S3Version version)
    {
        if (!objects.TryGetValue(key, out var versions))
        {
            objects[key] = versions = [];
            keys.Add(key);
        }
        if (version.VersionId == "null")
        {
            // The null version is overwritten; versions with an id stay.
            versions.RemoveAll(existing => existing.VersionId == "null");
        }
        versions.Insert(0, version);
    }

    public S3Version? Remove(string key, string versionId)
    {
        if (!objects.TryGetValue(key, out var versions))
        {
            return null;
        }
        var index = versions.FindIndex(version => version.VersionId == versionId);
        if (index < 0)
        {
            return null;
        }
        var removed = versions[index];
        versions.RemoveAt(index);
        if (versions.Count == 0)
        {
            objects.Remove(key);
            keys.Remove(key);
        }
        return removed;
    }
}
