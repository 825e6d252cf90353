using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudTrail;

/// <summary>Calls become events; events are looked up for ninety days and written to the trails' buckets every five minutes.</summary>
internal sealed partial class CloudTrailService
{
    private const int KeptEvents = 20_000;
    private static readonly TimeSpan LookedUpFor = TimeSpan.FromDays(90);
    private static readonly string[] ReadPrefixes = ["Get", "List", "Describe", "Lookup", "Search", "BatchGet", "Head", "Scan", "Query", "Preview", "Check", "Validate", "Test", "Simulate", "Estimate", "Detect", "Select", "Filter"];

    /// <summary>Operations on data, not on resources: no management events.</summary>
    private static readonly Dictionary<string, HashSet<string>> DataOperations = new(StringComparer.Ordinal)
    {
        ["s3"] = ["GetObject", "PutObject", "DeleteObject", "DeleteObjects", "HeadObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListParts", "ListMultipartUploads", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAcl", "PutObjectAcl", "GetObjectAttributes", "HeadBucket"],
        ["dynamodb"] = ["GetItem", "PutItem", "DeleteItem", "UpdateItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem", "TransactGetItems", "TransactWriteItems", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"],
        ["lambda"] = ["Invoke", "InvokeAsync"],
        ["sqs"] = ["SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"],
        ["sns"] = ["Publish", "PublishBatch"],
        ["logs"] = ["PutLogEvents", "GetLogEvents", "FilterLogEvents", "StartQuery", "GetQueryResults"],
        ["cloudwatch"] = ["PutMetricData", "GetMetricData", "GetMetricStatistics"],
        ["events"] = ["PutEvents"],
    };

    private readonly ConcurrentDictionary<(string Account, string Region), EventLog> events = new();

    private void Record(ApiCall call)
    {
        if (call.Fault?.Status == 501)
        {
            // What the sandbox does not have, AWS has not seen.
            return;
        }
        var data = DataOperations.TryGetValue(call.Service.ModelName, out var operations) && operations.Contains(call.Operation);
        if (data && !Trails(call.Context).Any(trail => Wants(trail, call.Service.ModelName, call.Operation)))
        {
            return;
        }
        var log = events.GetOrAdd((call.Context.AccountId, RegionOf(call)), static _ => new EventLog());
        log.Add(TrailEvent.Of(call, RegionOf(call), IsRead(call.Operation), data));
    }

    /// <summary>Calls of global services are recorded in the partition's first region.</summary>
    private static string RegionOf(ApiCall call) => call.Service.ModelName is "iam" or "organizations" or "route53" or "ce" or "budgets" && call.Context.Partition == "aws" ? "us-east-1" : call.Context.Region;

    private static bool IsRead(string operation) => Array.Exists(ReadPrefixes, prefix => operation.StartsWith(prefix, StringComparison.Ordinal));

    /// <summary>Whether a trail has asked for the data events of a service.</summary>
    private static bool Wants(JsonObject trail, string service, string operation)
    {
        var type = service switch { "s3" => "AWS::S3::Object", "dynamodb" => "AWS::DynamoDB::Table", "lambda" => "AWS::Lambda::Function", "sqs" => "AWS::SQS::Queue", "sns" => "AWS::SNS::Topic", _ => "" };
        var read = IsRead(operation);
        return trail.Objects("_Selectors").Any(selector => selector.Objects("DataResources").Any(resource => resource.Text("Type") == type)
                && selector.Text("ReadWriteType") is null or "All" || (selector.Text("ReadWriteType") == (read ? "ReadOnly" : "WriteOnly") && selector.Objects("DataResources").Any(resource => resource.Text("Type") == type)))
            || trail.Objects("_Advanced").Any(selector => selector.Objects("FieldSelectors").Any(field => field.Text("Field") == "resources.type" && field.Texts("Equals").Contains(type))
                && !selector.Objects("FieldSelectors").Any(field => field.Text("Field") == "readOnly" && field.Texts("Equals").Contains(read ? "false" : "true")));
    }

    private static bool WantsManagement(JsonObject trail, TrailEvent item) =>
        (trail.Objects("_Selectors").Any(selector => selector.Flag("IncludeManagementEvents") != false && selector.Text("ReadWriteType") is null or "All" || selector.Text("ReadWriteType") == (item.ReadOnly ? "ReadOnly" : "WriteOnly"))
            && !trail.Objects("_Selectors").Any(selector => selector.Texts("ExcludeManagementEventSources").Contains(item.Source)))
        || trail.Objects("_Advanced").Any(selector => selector.Objects("FieldSelectors").Any(field => field.Text("Field") == "eventCategory" && field.Texts("Equals").Contains("Management")));

    private JsonObject LookupEvents(RequestContext context, JsonObject input)
    {
        var (from, to) = (input.TimeOf("StartTime") ?? context.Now - LookedUpFor, input.TimeOf("EndTime") ?? context.Now);
        if (from > to)
        {
            throw new ServiceFault("InvalidTimeRangeException", "The start time must be before the end time.");
        }
        var attributes = input.Objects("LookupAttributes").ToList();
        if (attributes.Count > 1)
        {
            throw new ServiceFault("InvalidLookupAttributesException", "You can specify only one lookup attribute.");
        }
        var found = events.TryGetValue((context.AccountId, context.Region), out var log) ? log.All() : [];
        var matching = found.Where(item => !item.IsData && item.Time >= from && item.Time <= to && attributes.TrueForAll(attribute => item.Has(attribute.Required("AttributeKey"), attribute.Required("AttributeValue"))))
            .Reverse().Select(item => item.Describe()).ToList();
        return Pages.Answer(input, matching, "Events", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException");
    }

    /// <summary>Delivers every five minutes for as long as the trail logs.</summary>
    private void Begin(RequestContext context, string arn)
    {
        var started = Documents.Time(Runtime.Clock.Now);
        var version = Runtime.Ids.Uuid();
        Trails(context).Update(arn, trail => trail["_Delivering"] = version);
        var positions = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var region in events.Keys.Where(place => place.Account == context.AccountId))
        {
            positions[region.Region] = events[region].Next;
        }
        Wait();

        void Wait() => Runtime.After(Durations.TrailDelivery, () =>
        {
            if (Trails(context).Get(arn) is { } trail && trail.Text("_Delivering") == version && trail.Child("_Status")!.Is("IsLogging"))
            {
                Runtime.Run(_ => DeliverAsync(context, trail, positions));
                Wait();
            }
        });
    }

    private async Task DeliverAsync(RequestContext context, JsonObject trail, Dictionary<string, long> positions)
    {
        string? error = null;
        var delivered = false;
        var places = events.Where(pair => pair.Key.Account == context.AccountId && (trail.Is("IsMultiRegionTrail") || pair.Key.Region == trail.Text("HomeRegion"))).ToList();
        foreach (var (place, log) in places)
        {
            List<TrailEvent> fresh;
            lock (positions)
            {
                var after = positions.GetValueOrDefault(place.Region);
                (fresh, positions[place.Region]) = log.Since(after);
            }
            fresh = fresh.Where(item => item.IsData || WantsManagement(trail, item)).ToList();
            if (fresh.Count == 0)
            {
                continue;
            }
            try
            {
                await WriteFileAsync(context, trail, place.Region, fresh).ConfigureAwait(false);
                delivered = true;
                await WriteLogsAsync(context, trail, place.Region, fresh).ConfigureAwait(false);
            }
            catch (ServiceFault fault)
            {
                error = fault.Code;
            }
        }
        if (delivered || error is not null)
        {
            Trails(context).Update(trail.Required("TrailARN"), document =>
            {
                var status = document.ChildOrNew("_Status");
                status["LatestDeliveryAttemptTime"] = Runtime.Clock.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
                if (error is null)
                {
                    status["LatestDeliveryTime"] = Documents.Time(Runtime.Clock.Now);
                    status["LatestDeliveryAttemptSucceeded"] = status.Text("LatestDeliveryAttemptTime");
                    status.Remove("LatestDeliveryError");
                    if (document.Has("CloudWatchLogsLogGroupArn"))
                    {
                        status["LatestCloudWatchLogsDeliveryTime"] = Documents.Time(Runtime.Clock.Now);
                    }
                }
                else
                {
                    status["LatestDeliveryError"] = error;
                }
            });
        }
    }

    private async Task WriteFileAsync(RequestContext context, JsonObject trail, string region, List<TrailEvent> items)
    {
        var now = Runtime.Clock.Now.UtcDateTime;
        var prefix = trail.Text("S3KeyPrefix") is { Length: > 0 } given ? given.TrimEnd('/') + "/" : "";
        var name = $"{context.AccountId}_CloudTrail_{region}_{now.ToString("yyyyMMdd'T'HHmm'Z'", CultureInfo.InvariantCulture)}_{Runtime.Ids.Upper(16)}.json.gz";
        var key = $"{prefix}AWSLogs/{context.AccountId}/CloudTrail/{region}/{now.ToString("yyyy/MM/dd", CultureInfo.InvariantCulture)}/{name}";
        using var buffer = new MemoryStream();
        using (var compressed = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        using (var writer = new StreamWriter(compressed, new UTF8Encoding(false)))
        {
            await writer.WriteAsync("{\"Records\":[" + string.Join(',', items.Select(item => item.Json)) + "]}").ConfigureAwait(false);
        }
        await Runtime.Service("s3")!.InvokeAsync(context.InRegion(trail.Required("HomeRegion")).WithPayload(buffer.ToArray()), "PutObject", new JsonObject
        {
            ["Bucket"] = trail.Text("S3BucketName"),
            ["Key"] = key,
            ["ContentType"] = "application/json",
            ["ContentEncoding"] = "gzip",
        }).ConfigureAwait(false);
        if (trail.Text("SnsTopicARN") is { } topic)
        {
            Runtime.Service<Sns.SnsService>().PublishFor(context.InRegion(topic.Split(':')[3]), "cloudtrail.amazonaws.com", topic, "[AWS CloudTrail] New log files", new JsonObject { ["s3Bucket"] = trail.Text("S3BucketName"), ["s3ObjectKey"] = new JsonArray(key) }.ToJsonString());
        }
    }

    private async Task WriteLogsAsync(RequestContext context, JsonObject trail, string region, List<TrailEvent> items)
    {
        if (trail.Text("CloudWatchLogsLogGroupArn") is not { } arn)
        {
            return;
        }
        var home = context.InRegion(trail.Required("HomeRegion"));
        var (group, stream) = (arn.Split(":log-group:")[^1].TrimEnd('*').TrimEnd(':'), $"{context.AccountId}_CloudTrail_{region}");
        var logs = Runtime.Service<Logs.LogsService>();
        try
        {
            await logs.InvokeAsync(home, "CreateLogStream", new JsonObject { ["logGroupName"] = group, ["logStreamName"] = stream }).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Code == "ResourceAlreadyExistsException")
        {
            // The stream of the deliveries before this one.
        }
        await logs.InvokeAsync(home, "PutLogEvents", new JsonObject
        {
            ["logGroupName"] = group,
            ["logStreamName"] = stream,
            ["logEvents"] = items.Select(item => new JsonObject { ["timestamp"] = item.Time.ToUnixTimeMilliseconds(), ["message"] = item.Json }).ToJsonList(),
        }).ConfigureAwait(false);
    }

    /// <summary>The events of an account and region, the newest last.</summary>
    private sealed class EventLog
    {
        private readonly Queue<TrailEvent> items = new();
        private long added;

        /// <summary>The number that the next event will have.</summary>
        public long Next
        {
            get
            {
                lock (items)
                {
                    return added;
                }
            }
        }

        public void Add(TrailEvent item)
        {
            lock (items)
            {
                items.Enqueue(item);
                added++;
                while (items.Count > KeptEvents)
                {
                    items.Dequeue();
                }
            }
        }

        public TrailEvent[] All()
        {
            lock (items)
            {
                return items.ToArray();
            }
        }

        public (List<TrailEvent> Items, long Next) Since(long number)
        {
            lock (items)
            {
                return (items.Skip((int)Math.Max(0, number - (added - items.Count))).ToList(), added);
            }
        }
    }
}
