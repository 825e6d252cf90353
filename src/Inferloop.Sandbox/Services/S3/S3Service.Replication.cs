using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
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
            var way = IsMetered(rule) ? (bucket.Name, NameOfArn(arn), rule.Text("ID") ?? "") : ((string, string, string)?)null;
            if (way is { } sent)
            {
                replication.Sent(sent, Runtime.Clock.Now, version.Data.Length);
            }
            var watch = IsTimed(rule) ? new ReplicationWatch() : null;
            if (watch is not null)
            {
                WatchTime(bucket, key, version, watch);
            }
            Runtime.Links.Send(ModelName, bucket.Name, bucket.Region, region, Durations.S3Replication, () =>
            {
                bool isThere;
                lock (bucket.Gate)
                {
                    isThere = bucket.Versions(key).Contains(version);
                }
                var problem = isThere ? Arrive(bucket, key, version, rule, role, arn) : null;
                if (way is { } arrived)
                {
                    replication.Arrived(arrived, Runtime.Clock.Now, problem is not null);
                }
                lock (bucket.Gate)
                {
                    failed |= problem is not null;
                    if (watch is not null)
                    {
                        watch.HasArrived = true;
                        if (watch.IsLate && problem is null)
                        {
                            Tell(Runtime.SystemContext(bucket.AccountId, bucket.Region), bucket, key, version, "Replication:OperationReplicatedAfterThreshold");
                        }
                    }
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

    private readonly ReplicationMeter<(string From, string To, string Rule)> replication = new();

    private static bool IsTimed(JsonObject rule) => rule.Child("Destination")?.Child("ReplicationTime")?.Text("Status") == "Enabled";

    private static bool IsMetered(JsonObject rule) => IsTimed(rule) || rule.Child("Destination")?.Child("Metrics")?.Text("Status") == "Enabled";

    /// <summary>A rule with time control tells of objects that are not there within fifteen minutes, and of those again when they are.</summary>
    private void WatchTime(S3Bucket bucket, string key, S3Version version, ReplicationWatch watch) => Runtime.After(Durations.S3ReplicationTime, () =>
    {
        lock (bucket.Gate)
        {
            if (!watch.HasArrived)
            {
                watch.IsLate = true;
                Tell(Runtime.SystemContext(bucket.AccountId, bucket.Region), bucket, key, version, "Replication:OperationMissedThreshold");
            }
        }
    });

    /// <summary>Rules with metrics are told of where their destination is.</summary>
    private void FollowReplication(JsonObject configuration)
    {
        foreach (var rule in configuration.Objects("Rules").Where(IsMetered))
        {
            if (buckets.TryGetValue(NameOfArn(rule.Child("Destination")!.Required("Bucket")), out var target))
            {
                ReplicationMetrics.Follow(target.AccountId, target.Region);
            }
        }
    }

    /// <summary>The rules with metrics whose destination is in a region.</summary>
    private IEnumerable<(S3Bucket Source, S3Bucket Target, string Rule)> MeteredInto(RequestContext place)
    {
        foreach (var source in buckets.Values)
        {
            List<JsonObject> rules;
            lock (source.Gate)
            {
                rules = source.Configuration.TryGetValue("replication", out var configuration) ? [.. ((JsonObject)configuration).Objects("Rules").Where(IsMetered)] : [];
            }
            foreach (var rule in rules)
            {
                if (buckets.TryGetValue(NameOfArn(rule.Child("Destination")!.Required("Bucket")), out var target) && target.AccountId == place.AccountId && target.Region == place.Region)
                {
                    yield return (source, target, rule.Text("ID") ?? "");
                }
            }
        }
    }

    private MetricSource ReplicationMetrics => replicationMetrics ??= new MetricSource(Runtime, place => MeteredInto(place).Any(), (monitoring, place, minute) =>
    {
        foreach (var (source, target, rule) in MeteredInto(place))
        {
            var figures = replication.Take((source.Name, target.Name, rule), place.Now);
            var slowest = Math.Max(figures.Latencies.Count > 0 ? figures.Latencies.Max(static item => item.Value) : 0, figures.Oldest?.TotalSeconds ?? 0);
            (string, string)[] dimensions = [("SourceBucket", source.Name), ("DestinationBucket", target.Name), ("RuleId", rule)];
            monitoring.Publish(place, "AWS/S3", "ReplicationLatency", minute, [(slowest, 1)], "Seconds", dimensions);
            monitoring.Publish(place, "AWS/S3", "OperationsPendingReplication", minute, [(figures.Pending, 1)], "Count", dimensions);
            monitoring.Publish(place, "AWS/S3", "BytesPendingReplication", minute, [(figures.PendingBytes, 1)], "Bytes", dimensions);
            // This one is told where the source is.
            monitoring.Publish(place.With(source.AccountId, source.Region), "AWS/S3", "OperationsFailedReplication", minute, [(figures.Failed, 1)], "Count", dimensions);
        }
    });

    private MetricSource? replicationMetrics;

    private sealed class ReplicationWatch
    {
        public bool HasArrived { get; set; }

        public bool IsLate { get; set; }
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
