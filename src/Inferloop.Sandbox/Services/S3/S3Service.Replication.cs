using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Replication: what is written to a bucket reaches the buckets its rules name, under the same version id, after a lag.</summary>
internal sealed partial class S3Service
{
    private static string NameOfArn(string arn) => arn[(arn.LastIndexOf(':') + 1)..];

    /// <summary>The rules that take a version: of several for one destination the one of highest priority.</summary>
    private static IEnumerable<JsonObject> ReplicationRules(S3Bucket bucket, string key, S3Version version)
    {
        if (!bucket.Configuration.TryGetValue("replication", out var configuration) || version.VersionId == "null")
        {
            return [];
        }
        return ((JsonObject)configuration).Objects("Rules").Where(rule => ObjectFilter.Takes(rule, key, version.Tags, version.Data.Length))
            .GroupBy(rule => rule.Child("Destination")!.Required("Bucket"), StringComparer.Ordinal)
            .Select(group => group.MaxBy(rule => rule.Int("Priority") ?? 0)!)
            .Where(rule => version.IsDeleteMarker
                // Rules of the first version of the format have no filter and take markers along.
                ? !rule.Has("Filter") || rule.Child("DeleteMarkerReplication")?.Text("Status") == "Enabled"
                : version.Attributes["ServerSideEncryption"]?.ToString() is not "aws:kms"
                    || rule.Child("SourceSelectionCriteria")?.Child("SseKmsEncryptedObjects")?.Text("Status") == "Enabled");
    }

    /// <summary>Sends a version, or its new tags, to where the rules say. Under the bucket's lock.</summary>
    private void Replicate(S3Bucket bucket, string key, S3Version version)
    {
        if (version.ReplicationStatus == "REPLICA")
        {
            return;
        }
        var rules = ReplicationRules(bucket, key, version).ToList();
        if (rules.Count == 0)
        {
            return;
        }
        var role = ((JsonObject)bucket.Configuration["replication"]).Required("Role");
        version.ReplicationStatus = "PENDING";
        var open = rules.Count;
        var failed = false;
        foreach (var rule in rules)
        {
            var arn = rule.Child("Destination")!.Required("Bucket");
            var region = RegionOf(NameOfArn(arn)) ?? bucket.Region;
            Runtime.Links.Send(ModelName, bucket.Name, bucket.Region, region, Durations.S3Replication, () =>
            {
                bool isThere;
                lock (bucket.Gate)
                {
                    isThere = bucket.Versions(key).Contains(version);
                }
                var problem = isThere ? Arrive(bucket, key, version, rule, role, arn) : null;
                lock (bucket.Gate)
                {
                    failed |= problem is not null;
                    if (--open > 0)
                    {
                        return;
                    }
                    version.ReplicationStatus = failed ? "FAILED" : "COMPLETED";
                    if (failed)
                    {
                        Tell(Runtime.SystemContext(bucket.AccountId, bucket.Region), bucket, key, version, "Replication:OperationFailedReplication");
                    }
                }
            });
        }
    }

    /// <summary>Writes a replica; gives what went wrong, null when nothing did.</summary>
    private string? Arrive(S3Bucket bucket, string key, S3Version version, JsonObject rule, string role, string arn)
    {
        if (!buckets.TryGetValue(NameOfArn(arn), out var target) || target.Versioning != "Enabled")
        {
            return "The destination bucket is not there or not versioned.";
        }
        var context = Runtime.SystemContext(bucket.AccountId, bucket.Region);
        var iam = Runtime.Service<IamService>();
        var source = $"arn:{context.Partition}:s3:::{bucket.Name}/{key}";
        foreach (var (action, resource) in new[] { ("s3:GetObjectVersionForReplication", source), (version.IsDeleteMarker ? "s3:ReplicateDelete" : "s3:ReplicateObject", $"{arn}/{key}") })
        {
            if (!(version.IsDeleteMarker && resource == source) && iam.Decide(context, role, new AccessRequest(action, resource)) != PolicyDecision.Allowed)
            {
                return $"The role {role} may not {action} on {resource}.";
            }
        }
        lock (target.Gate)
        {
            if (target.Versions(key).FirstOrDefault(item => item.VersionId == version.VersionId) is { } present)
            {
                present.Tags = [.. version.Tags];
                return null;
            }
            var destination = rule.Child("Destination")!;
            var attributes = version.Attributes.Copy();
            attributes.With("StorageClass", destination["StorageClass"].Copy());
            if (destination.Text("StorageClass") == "STANDARD")
            {
                attributes.Remove("StorageClass");
            }
            if (destination.Child("EncryptionConfiguration")?.Text("ReplicaKmsKeyID") is { } kmsKey)
            {
                attributes["ServerSideEncryption"] = "aws:kms";
                attributes["SSEKMSKeyId"] = kmsKey;
            }
            var replica = new S3Version
            {
                VersionId = version.VersionId,
                IsDeleteMarker = version.IsDeleteMarker,
                Data = version.Data,
                ETag = version.ETag,
                LastModified = version.LastModified,
                Attributes = attributes,
                Checksums = version.Checksums.Copy(),
                Tags = [.. version.Tags],
                PartSizes = version.PartSizes,
                ReplicationStatus = version.IsDeleteMarker ? null : "REPLICA",
            };
            target.Add(key, replica);
            Tell(Runtime.SystemContext(target.AccountId, target.Region), target, key, replica, version.IsDeleteMarker ? "ObjectRemoved:DeleteMarkerCreated" : "ObjectCreated:Put", isReplica: true);
            return null;
        }
    }

    /// <summary>What a replication configuration must name: destinations that are there and versioned.</summary>
    private void CheckDestinations(JsonObject configuration)
    {
        foreach (var rule in configuration.Objects("Rules"))
        {
            if (!buckets.TryGetValue(NameOfArn(rule.Child("Destination")?.Text("Bucket") ?? ""), out var target))
            {
                throw new ServiceFault("InvalidRequest", "Destination bucket must exist.");
            }
            if (target.Versioning != "Enabled")
            {
                throw new ServiceFault("InvalidRequest", "Destination bucket must have versioning enabled.");
            }
        }
    }
}
