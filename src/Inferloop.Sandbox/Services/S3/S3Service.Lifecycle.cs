using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Lifecycle rules: they act once a day, soon after midnight UTC, as AWS's do.</summary>
internal sealed partial class S3Service
{
    private const int MinimumTransitionSize = 128 * 1024;
    private static readonly TimeSpan AfterMidnight = TimeSpan.FromMinutes(10);
    private static readonly string[] Colder = ["STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];

    /// <summary>Days count from a moment and end at the midnight after: AWS rounds up.</summary>
    private static DateTimeOffset Due(DateTimeOffset since, int days)
    {
        var exact = since.AddDays(days);
        var midnight = new DateTimeOffset(exact.UtcDateTime.Date, TimeSpan.Zero);
        return exact == midnight ? exact : midnight.AddDays(1);
    }

    private static DateTimeOffset? DueOf(JsonObject action, DateTimeOffset since) => action.TimeOf("Date") ?? (action.Int("Days") is { } days ? Due(since, days) : null);

    private static IEnumerable<JsonObject> LifecycleRules(S3Bucket bucket) =>
        bucket.Configuration.TryGetValue("lifecycle", out var configuration) ? ((JsonObject)configuration).Objects("Rules") : [];

    /// <summary>Gives rules without an id one, and begins the daily run.</summary>
    private void BeginLifecycle(S3Bucket bucket, JsonObject configuration)
    {
        foreach (var rule in configuration.Objects("Rules").Where(rule => !rule.Has("ID")))
        {
            rule["ID"] = Runtime.Ids.UrlSafe(48);
        }
        if (!bucket.HasDailyRun)
        {
            bucket.HasDailyRun = true;
            ScheduleDay(bucket);
        }
    }

    private void ScheduleDay(S3Bucket bucket)
    {
        var now = Runtime.Clock.Now;
        var next = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero) + AfterMidnight;
        Runtime.Clock.Schedule(next > now ? next : next.AddDays(1), () => RunDay(bucket));
    }

    private void RunDay(S3Bucket bucket)
    {
        lock (bucket.Gate)
        {
            var rules = LifecycleRules(bucket).Where(rule => rule.Text("Status") == "Enabled").ToList();
            if (!buckets.TryGetValue(bucket.Name, out var present) || present != bucket || !bucket.Configuration.ContainsKey("lifecycle"))
            {
                bucket.HasDailyRun = false;
                return;
            }
            var context = Runtime.SystemContext(bucket.AccountId, bucket.Region);
            foreach (var key in bucket.KeysFrom("").ToList())
            {
                ApplyRules(context, bucket, key, rules);
            }
            foreach (var upload in bucket.Uploads.Values.Where(upload => AbortOf(bucket, upload.Key, upload.Initiated) is { } abort && abort.At <= context.Now).ToList())
            {
                bucket.Uploads.Remove(upload.Id);
            }
        }
        ScheduleDay(bucket);
    }

    private void ApplyRules(RequestContext context, S3Bucket bucket, string key, List<JsonObject> rules)
    {
        var now = context.Now;
        var versions = bucket.Versions(key).ToList();
        for (var i = 1; i < versions.Count; i++)
        {
            // A version is noncurrent since the one above it came.
            var (version, since, newer) = (versions[i], versions[i - 1].LastModified, i - 1);
            var taking = rules.Where(rule => ObjectFilter.Takes(rule, key, version.Tags, version.Data.Length)).ToList();
            if (taking.Exists(rule => rule.Child("NoncurrentVersionExpiration") is { } expiry && newer >= (expiry.Int("NewerNoncurrentVersions") ?? 0)
                && expiry.Int("NoncurrentDays") is { } days && Due(since, days) <= now))
            {
                bucket.Remove(key, version.VersionId);
                Tell(context, bucket, key, version, "LifecycleExpiration:Delete");
                continue;
            }
            Move(context, bucket, key, version, taking.SelectMany(rule => rule.Objects("NoncurrentVersionTransitions")
                .Where(transition => newer >= (transition.Int("NewerNoncurrentVersions") ?? 0) && transition.Int("NoncurrentDays") is { } days && Due(since, days) <= now)
                .Select(transition => (Rule: rule, Transition: transition))));
        }
        if (bucket.Latest(key) is not { } latest)
        {
            return;
        }
        if (latest.IsDeleteMarker)
        {
            // A marker with nothing behind it marks nothing.
            if (bucket.Versions(key).Count == 1 && rules.Exists(rule => ObjectFilter.Takes(rule, key, [], 0) && rule.Child("Expiration") is { } expiry
                && (expiry.Is("ExpiredObjectDeleteMarker") || DueOf(expiry, latest.LastModified) <= now)))
            {
                bucket.Remove(key, latest.VersionId);
                Tell(context, bucket, key, latest, "LifecycleExpiration:Delete");
            }
            return;
        }
        var matching = rules.Where(rule => ObjectFilter.Takes(rule, key, latest.Tags, latest.Data.Length)).ToList();
        if (matching.Exists(rule => rule.Child("Expiration") is { } expiry && DueOf(expiry, latest.LastModified) <= now))
        {
            Delete(context, bucket, key, null, "LifecycleExpiration");
            return;
        }
        Move(context, bucket, key, latest, matching.SelectMany(rule => rule.Objects("Transitions")
            .Where(transition => DueOf(transition, latest.LastModified) <= now).Select(transition => (Rule: rule, Transition: transition))));
    }

    /// <summary>To the coldest of the classes whose time has come; objects below 128 KB stay where they are unless the rule speaks of sizes.</summary>
    private void Move(RequestContext context, S3Bucket bucket, string key, S3Version version, IEnumerable<(JsonObject Rule, JsonObject Transition)> due)
    {
        var target = due.Where(item => version.Data.Length >= MinimumTransitionSize || ObjectFilter.NamesSizes(item.Rule))
            .Select(item => item.Transition.Required("StorageClass")).MaxBy(name => Array.IndexOf(Colder, name));
        if (target is not null && !version.IsDeleteMarker && Array.IndexOf(Colder, target) > Array.IndexOf(Colder, version.StorageClass))
        {
            version.Attributes["StorageClass"] = target;
            Tell(context, bucket, key, version, "LifecycleTransition");
        }
    }

    /// <summary>The header that tells when an object expires, and by which rule.</summary>
    private static string? ExpirationOf(S3Bucket bucket, string key, S3Version version)
    {
        var first = LifecycleRules(bucket).Where(rule => rule.Has("Expiration") && ObjectFilter.Takes(rule, key, version.Tags, version.Data.Length))
            .Select(rule => (At: DueOf(rule.Child("Expiration")!, version.LastModified), Id: rule.Text("ID"))).Where(item => item.At is not null).OrderBy(item => item.At).FirstOrDefault();
        return first.At is { } at && ReferenceEquals(bucket.Latest(key), version) ? $"expiry-date=\"{at.ToString("r", CultureInfo.InvariantCulture)}\", rule-id=\"{first.Id}\"" : null;
    }

    /// <summary>When an upload that is not completed is given up, and by which rule.</summary>
    private static (DateTimeOffset At, string? Rule)? AbortOf(S3Bucket bucket, string key, DateTimeOffset initiated) => LifecycleRules(bucket)
        .Where(rule => rule.Child("AbortIncompleteMultipartUpload")?.Has("DaysAfterInitiation") == true && ObjectFilter.Takes(rule, key, [], 0))
        .Select(rule => ((DateTimeOffset, string?)?)(Due(initiated, rule.Child("AbortIncompleteMultipartUpload")!.Int("DaysAfterInitiation")!.Value), rule.Text("ID"))).OrderBy(item => item!.Value.Item1).FirstOrDefault();

    private static void CheckDays(JsonObject rule)
    {
        foreach (var transition in rule.Objects("Transitions"))
        {
            if (transition.Text("StorageClass") is "STANDARD_IA" or "ONEZONE_IA" && transition.Int("Days") < 30)
            {
                throw new ServiceFault("InvalidArgument", $"'Days' in Transition action must be greater than or equal to 30 for storageClass '{transition.Text("StorageClass")}'");
            }
            if (rule.Child("Expiration")?.Int("Days") <= transition.Int("Days"))
            {
                throw new ServiceFault("InvalidArgument", "'Days' in the Expiration action for filter '(prefix=" + (rule.Child("Filter")?.Text("Prefix") ?? rule.Text("Prefix")) + ")' must be greater than 'Days' in the Transition action");
            }
        }
        if (rule.Child("Expiration")?.TimeOf("Date") is { } date && date.UtcDateTime.TimeOfDay != TimeSpan.Zero)
        {
            throw new ServiceFault("InvalidArgument", "'Date' must be at midnight GMT");
        }
    }

    /// <summary>A read of what lies in an archive needs it restored first.</summary>
    private static void CheckReadable(RequestContext context, S3Version version)
    {
        if (version.StorageClass is "GLACIER" or "DEEP_ARCHIVE" && !(version.Restored is { } restored && restored.Ready <= context.Now && context.Now < restored.Until))
        {
            throw new ServiceFault("InvalidObjectState", "The operation is not valid for the object's storage class", 403, new JsonObject { ["StorageClass"] = version.StorageClass });
        }
    }

    private static string? RestoreOf(RequestContext context, S3Version version) => version.Restored is not { } restored || restored.Until <= context.Now ? null
        : restored.Ready > context.Now ? "ongoing-request=\"true\""
        : $"ongoing-request=\"false\", expiry-date=\"{restored.Until.ToString("r", CultureInfo.InvariantCulture)}\"";

    private JsonObject RestoreObject(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var key = Text(input, "Key");
        var request = input.Child("RestoreRequest") ?? [];
        lock (bucket.Gate)
        {
            var version = FindVersion(bucket, key, Optional(input, "VersionId"));
            if (version.StorageClass is not ("GLACIER" or "DEEP_ARCHIVE"))
            {
                throw new ServiceFault("InvalidObjectState", "Restore is not allowed for the object's current storage class", 403, new JsonObject { ["StorageClass"] = version.StorageClass });
            }
            var days = request.Int("Days") ?? throw new ServiceFault("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema");
            if (version.Restored is { } present && present.Until > context.Now)
            {
                if (present.Ready > context.Now)
                {
                    throw new ServiceFault("RestoreAlreadyInProgress", "Object restore is already in progress", 409);
                }
                version.Restored = (present.Ready, Due(context.Now, days));
                context.ResponseStatus = 200;
                return [];
            }
            var tier = request.Child("GlacierJobParameters")?.Text("Tier") ?? request.Text("Tier") ?? "Standard";
            var duration = Durations.ArchiveRestore(version.StorageClass, tier)
                ?? throw new ServiceFault("InvalidArgument", $"{tier} retrievals are not available for objects in {version.StorageClass}");
            var ready = context.Now + duration;
            version.Restored = (ready, Due(ready, days));
            Tell(context, bucket, key, version, "ObjectRestore:Post");
            var background = Runtime.SystemContext(bucket.AccountId, bucket.Region);
            Runtime.After(duration, () =>
            {
                lock (bucket.Gate)
                {
                    Tell(background, bucket, key, version, "ObjectRestore:Completed");
                }
            });
            context.ResponseStatus = 202;
            return [];
        }
    }
}
