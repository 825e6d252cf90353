using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>An object as a backup keeps it.</summary>
internal sealed record KeptObject(string Key, S3Version Version);

/// <summary>What AWS Backup asks of buckets.</summary>
internal sealed partial class S3Service
{
    /// <summary>The buckets of an account and region, with their tags.</summary>
    public IReadOnlyList<S3Bucket> BucketsOf(RequestContext context) => [.. buckets.Values.Where(bucket => bucket.AccountId == context.AccountId && bucket.Region == context.Region && !bucket.IsHidden).OrderBy(bucket => bucket.Name, StringComparer.Ordinal)];

    /// <summary>What a bucket holds now: the newest version of each key. Versions are never changed in what they hold, so that a backup shares them.</summary>
    public IReadOnlyList<KeptObject> Contents(RequestContext context, string name)
    {
        var bucket = FindBucket(context, name, anyRegion: true);
        lock (bucket.Gate)
        {
            return [.. bucket.KeysFrom("").Select(key => (Key: key, Version: bucket.Latest(key))).Where(item => item.Version is { IsDeleteMarker: false }).Select(item => new KeptObject(item.Key, item.Version!))];
        }
    }

    /// <summary>Writes objects of a backup into a bucket.</summary>
    public void PutBack(RequestContext context, string name, IReadOnlyList<KeptObject> objects)
    {
        var bucket = FindBucket(context, name, anyRegion: true);
        lock (bucket.Gate)
        {
            foreach (var (key, kept) in objects)
            {
                var version = new S3Version
                {
                    VersionId = bucket.Versioning == "Enabled" ? NewVersionId() : "null",
                    Data = kept.Data,
                    ETag = kept.ETag,
                    LastModified = context.Now,
                    Attributes = kept.Attributes.Copy(),
                    Checksums = kept.Checksums.Copy(),
                    Tags = [.. kept.Tags],
                    PartSizes = kept.PartSizes,
                };
                bucket.Add(key, version);
                Tell(context, bucket, key, version, "ObjectCreated:Put");
            }
        }
    }
}
