using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Events;
using Inferloop.Sandbox.Services.Lambda;

namespace Inferloop.Sandbox.Services.S3;

/// <summary>Event notifications: what befalls objects is told to queues, topics and functions, and to whoever listens inside the sandbox.</summary>
internal sealed partial class S3Service
{
    private static readonly (string List, string Target)[] Destinations =
        [("QueueConfigurations", "QueueArn"), ("TopicConfigurations", "TopicArn"), ("LambdaFunctionConfigurations", "LambdaFunctionArn")];

    private long sequencer;

    /// <summary>Told of what befalls objects, under the bucket's lock.</summary>
    public event Action<S3Happening>? Happened;

    private static string BucketArn(S3Bucket bucket) => $"arn:{Regions.PartitionOf(bucket.Region)}:s3:::{bucket.Name}";

    /// <summary>Tells replication, notifications and listeners. Under the bucket's lock, so that all hear in the order in which it happened.</summary>
    private void Tell(RequestContext context, S3Bucket bucket, string key, S3Version? version, string name, bool isReplica = false)
    {
        if (version is not null && !isReplica && (name.StartsWith("ObjectCreated:", StringComparison.Ordinal) || name is "ObjectTagging:Put" or "ObjectTagging:Delete" or "ObjectRemoved:DeleteMarkerCreated"))
        {
            Replicate(bucket, key, version);
        }
        var happening = new S3Happening(context, bucket, key, version, name);
        if (bucket.Configuration.TryGetValue("notification", out var configuration))
        {
            Notify(happening, (JsonObject)configuration);
        }
        Happened?.Invoke(happening);
    }

    private void Notify(S3Happening happening, JsonObject configuration)
    {
        foreach (var (list, target) in Destinations)
        {
            foreach (var entry in configuration.Objects(list).Where(entry => Wants(entry, happening)))
            {
                var message = new JsonObject { ["Records"] = new JsonArray(RecordOf(happening, entry.Text("Id") ?? "")) }.ToJsonString();
                var owner = Runtime.SystemContext(happening.Bucket.AccountId, happening.Bucket.Region);
                var delivery = new Delivery(entry.Required(target), message) { Source = "s3.amazonaws.com", SourceArn = BucketArn(happening.Bucket) };
                Runtime.After(Durations.S3Notification, () => Runtime.Run(_ =>
                    // A destination that went away or closed its policy loses the event, as it does on AWS; nobody is told there either.
                    TargetDelivery.SendAsync(owner, delivery)));
            }
        }
    }

    private static bool Wants(JsonObject entry, S3Happening happening)
    {
        if (!entry.Texts("Events").Any(wanted => wanted == "s3:" + happening.Name || (wanted.EndsWith('*') && ("s3:" + happening.Name).StartsWith(wanted[..^1], StringComparison.Ordinal))))
        {
            return false;
        }
        return (entry.Child("Filter")?.Child("Key")?.Objects("FilterRules") ?? []).All(rule => rule.Required("Name").Equals("prefix", StringComparison.OrdinalIgnoreCase)
            ? happening.Key.StartsWith(rule.Required("Value"), StringComparison.Ordinal)
            : happening.Key.EndsWith(rule.Required("Value"), StringComparison.Ordinal));
    }

    /// <summary>A number that grows with each event, as text whose order is its order.</summary>
    private string Sequencer() => Interlocked.Increment(ref sequencer).ToString("X16", CultureInfo.InvariantCulture);

    private JsonObject RecordOf(S3Happening happening, string id)
    {
        var (context, bucket, version) = (happening.Context, happening.Bucket, happening.Version);
        var item = new JsonObject { ["key"] = Uri.EscapeDataString(happening.Key).Replace("%20", "+", StringComparison.Ordinal).Replace("%2F", "/", StringComparison.Ordinal) };
        if (version is { IsDeleteMarker: false } && !happening.Name.StartsWith("ObjectRemoved:", StringComparison.Ordinal))
        {
            item["size"] = version.Data.Length;
        }
        item.With("eTag", version?.ETag.Length > 0 ? version.ETag : null);
        item.With("versionId", version is not null && version.VersionId != "null" ? version.VersionId : null);
        item["sequencer"] = Sequencer();
        return new JsonObject
        {
            ["eventVersion"] = "2.3",
            ["eventSource"] = "aws:s3",
            ["awsRegion"] = bucket.Region,
            ["eventTime"] = Documents.Time(context.Now),
            ["eventName"] = happening.Name,
            ["userIdentity"] = new JsonObject { ["principalId"] = context.Request is null ? "s3.amazonaws.com" : "AWS:" + context.AccessKeyId },
            ["requestParameters"] = new JsonObject { ["sourceIPAddress"] = "127.0.0.1" },
            ["responseElements"] = new JsonObject { ["x-amz-request-id"] = context.RequestId, ["x-amz-id-2"] = context.RequestId },
            ["s3"] = new JsonObject
            {
                ["s3SchemaVersion"] = "1.0",
                ["configurationId"] = id,
                ["bucket"] = new JsonObject { ["name"] = bucket.Name, ["ownerIdentity"] = new JsonObject { ["principalId"] = bucket.AccountId }, ["arn"] = BucketArn(bucket) },
                ["object"] = item,
            },
        };
    }

    /// <summary>Takes a configuration after its destinations have proved that they can be told: queues and topics get a test message.</summary>
    private async Task<JsonObject> PutNotifications(RequestContext context, JsonObject input)
    {
        var bucket = FindBucket(context, input);
        var configuration = input.Child("NotificationConfiguration").Copy() ?? throw new ServiceFault("MissingRequestBodyError", "Request Body is empty");
        foreach (var (list, target) in Destinations)
        {
            foreach (var entry in configuration.Objects(list))
            {
                if (!entry.Has("Id"))
                {
                    entry["Id"] = Runtime.Ids.UrlSafe(48);
                }
                if (!input.Is("SkipDestinationValidation") && await ProblemOf(bucket, entry.Required(target)).ConfigureAwait(false) is not null)
                {
                    throw new ServiceFault("InvalidArgument", "Unable to validate the following destination configurations", 400, new JsonObject { ["ArgumentName"] = entry.Text(target), ["ArgumentValue"] = entry.Text(target) });
                }
            }
        }
        lock (bucket.Gate)
        {
            bucket.Configuration["notification"] = configuration;
        }
        return [];
    }

    private async Task<string?> ProblemOf(S3Bucket bucket, string arn)
    {
        var owner = Runtime.SystemContext(bucket.AccountId, bucket.Region);
        if (arn.Split(':') is [_, _, "lambda", ..])
        {
            var lambda = Runtime.Service<LambdaService>();
            return lambda.Exists(owner, arn) && lambda.Permits(owner, arn, "s3.amazonaws.com", BucketArn(bucket)) ? null : "not permitted";
        }
        var test = new JsonObject { ["Service"] = "Amazon S3", ["Event"] = "s3:TestEvent", ["Time"] = Documents.Time(owner.Now), ["Bucket"] = bucket.Name, ["RequestId"] = owner.RequestId, ["HostId"] = owner.RequestId };
        return await TargetDelivery.SendAsync(owner, new Delivery(arn, test.ToJsonString()) { Source = "s3.amazonaws.com", SourceArn = BucketArn(bucket) }).ConfigureAwait(false);
    }
}
