using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Sqs;

namespace Inferloop.Sandbox.Services.Lambda;

/// <summary>Event source mappings: queues and streams that Lambda reads on the clock.</summary>
internal sealed partial class LambdaService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);

    private void AddMappings()
    {
        On("CreateEventSourceMapping", CreateMapping);
        On("GetEventSourceMapping", (context, input) => Mapping(context, input));
        On("ListEventSourceMappings", (context, input) =>
        {
            var function = input.Has("FunctionName") ? Named(input).Name : null;
            var all = Mappings(context).Where(item => (input.Text("EventSourceArn") is not { } source || item.Text("EventSourceArn") == source) && (function is null || item.Text("_Function") == function)).ToList();
            return Pages.Answer(input, all, "EventSourceMappings", "MaxItems", "Marker", 100, "InvalidParameterValueException", "NextMarker");
        });
        On("UpdateEventSourceMapping", (context, input) =>
        {
            var mapping = Idle(context, input);
            CheckMapping(input, mapping.Required("EventSourceArn"));
            var enabled = input.Flag("Enabled");
            var id = mapping.Required("UUID");
            var target = enabled ?? mapping.Text("State") == "Enabled";
            if (input.Has("FunctionName"))
            {
                var (name, qualifier) = Named(input);
                _ = Resolve(context, name, qualifier);
                mapping["FunctionArn"] = ArnOf(context, name, qualifier);
                mapping["_Function"] = name;
            }
            mapping.Take(input, "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "DestinationConfig", "MaximumRecordAgeInSeconds", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "ParallelizationFactor", "TumblingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig", "KMSKeyArn", "MetricsConfig");
            mapping["State"] = enabled is null ? "Updating" : target ? "Enabling" : "Disabling";
            mapping["LastModified"] = Documents.Time(context.Now);
            Mappings(context).Put(id, mapping);
            Runtime.After(Durations.LambdaEventSource, () => Settle(context, id, target));
            return mapping;
        });
        On("DeleteEventSourceMapping", (context, input) =>
        {
            var mapping = Idle(context, input);
            mapping["State"] = "Deleting";
            Mappings(context).Put(mapping.Required("UUID"), mapping);
            Runtime.After(Durations.LambdaEventSource, () => Mappings(context).Remove(mapping.Required("UUID")));
            return mapping;
        });
    }

    private Collection Mappings(RequestContext context) => Collection(context, "event-source-mappings");

    private JsonObject Mapping(RequestContext context, JsonObject input) => Mappings(context).Get(input.Required("UUID")) ?? throw NotFound("The resource you requested does not exist.");

    private JsonObject Idle(RequestContext context, JsonObject input)
    {
        var mapping = Mapping(context, input);
        return mapping.Text("State") is "Enabled" or "Disabled" ? mapping
            : throw Fault("ResourceInUseException", "Cannot update the event source mapping because it is in use.", 400);
    }

    private static string KindOf(string arn) => arn.Split(':') is [_, _, var service, ..] ? service : "";

    private static void CheckMapping(JsonObject input, string source)
    {
        var queue = KindOf(source) == "sqs";
        var (size, window) = (input.Int("BatchSize"), input.Int("MaximumBatchingWindowInSeconds"));
        if (queue && size > 10 && (window ?? 0) == 0 && !source.EndsWith(".fifo", StringComparison.Ordinal))
        {
            throw Invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10");
        }
        if (queue && source.EndsWith(".fifo", StringComparison.Ordinal) && (size > 10 || window > 0))
        {
            throw Invalid("Batching window is not supported for FIFO queues, and their batches have at most 10 messages");
        }
        if (queue && new[] { "StartingPosition", "ParallelizationFactor", "BisectBatchOnFunctionError", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "TumblingWindowInSeconds" }.FirstOrDefault(input.Has) is { } stranger)
        {
            throw Invalid($"{stranger} is not supported for SQS event sources");
        }
        if (!queue && input.Has("ScalingConfig"))
        {
            throw Invalid("ScalingConfig is supported for SQS event sources only");
        }
    }

    private async Task<JsonObject> CreateMapping(RequestContext context, JsonObject input)
    {
        var (name, qualifier) = Named(input);
        var function = Resolve(context, name, qualifier);
        var source = input.Required("EventSourceArn");
        var kind = KindOf(source);
        if (kind is not ("sqs" or "dynamodb"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has event sources of SQS and of DynamoDB streams only. Nothing was changed.", 501);
        }
        CheckMapping(input, source);
        var arn = ArnOf(context, name, qualifier);
        if (Mappings(context).Find(item => item.Text("EventSourceArn") == source && item.Text("FunctionArn") == arn) is { } same)
        {
            throw Conflict($"An event source mapping with {(kind == "sqs" ? "SQS" : "DynamoDB")} arn (\" {source} \") and function (\" {name} \") already exists. Please update or delete the existing mapping with UUID {same.Text("UUID")}");
        }
        await CheckSource(context, source, kind, function, input).ConfigureAwait(false);
        var id = Runtime.Ids.Uuid();
        var enabled = input.Flag("Enabled") ?? true;
        var mapping = new JsonObject
        {
            ["UUID"] = id,
            ["EventSourceMappingArn"] = context.Arn("lambda", "event-source-mapping:" + id),
            ["BatchSize"] = input.Int("BatchSize") ?? (kind == "sqs" ? 10 : 100),
            ["MaximumBatchingWindowInSeconds"] = input.Int("MaximumBatchingWindowInSeconds") ?? 0,
            ["EventSourceArn"] = source,
            ["FunctionArn"] = arn,
            ["LastModified"] = Documents.Time(context.Now),
            ["State"] = "Creating",
            ["StateTransitionReason"] = "USER_INITIATED",
            ["_Function"] = name,
            ["_Qualifier"] = qualifier,
            ["_Tags"] = input["Tags"].Copy() ?? new JsonObject(),
        }.Take(input, "FilterCriteria", "FunctionResponseTypes", "ScalingConfig", "KMSKeyArn", "MetricsConfig", "DestinationConfig");
        if (kind != "sqs")
        {
            mapping["LastProcessingResult"] = "No records processed";
            mapping["ParallelizationFactor"] = input.Int("ParallelizationFactor") ?? 1;
            mapping["MaximumRecordAgeInSeconds"] = input.Int("MaximumRecordAgeInSeconds") ?? -1;
            mapping["MaximumRetryAttempts"] = input.Int("MaximumRetryAttempts") ?? -1;
            mapping["BisectBatchOnFunctionError"] = input.Is("BisectBatchOnFunctionError");
            mapping["TumblingWindowInSeconds"] = input.Int("TumblingWindowInSeconds") ?? 0;
            mapping.Take(input, "StartingPosition", "StartingPositionTimestamp");
        }
        Mappings(context).Put(id, mapping);
        var background = context.Detached();
        Runtime.After(Durations.LambdaEventSource, () =>
        {
            Settle(background, id, enabled);
            Poll(background, id);
        });
        return mapping;
    }

    private void Settle(RequestContext context, string id, bool enabled) => Mappings(context).Update(id, document =>
    {
        if (document.Text("State") != "Deleting")
        {
            document["State"] = enabled ? "Enabled" : "Disabled";
        }
    });

    private async Task CheckSource(RequestContext context, string source, string kind, JsonObject function, JsonObject input)
    {
        if (kind == "sqs")
        {
            JsonObject attributes;
            try
            {
                attributes = (await Runtime.Service<SqsService>().InvokeAsync(context.Detached(), "GetQueueAttributes", new JsonObject { ["QueueUrl"] = QueueUrl(source), ["AttributeNames"] = new JsonArray("VisibilityTimeout") }).ConfigureAwait(false)).Child("Attributes") ?? [];
            }
            catch (ServiceFault)
            {
                throw Invalid("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.");
            }
            if (attributes.Int("VisibilityTimeout") < function.Int("Timeout"))
            {
                throw Invalid($"Queue visibility timeout: {attributes.Int("VisibilityTimeout")} seconds is less than Function timeout: {function.Int("Timeout")} seconds");
            }
            RequireActions(context, function, source, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes");
            return;
        }
        if (!input.Has("StartingPosition"))
        {
            throw Invalid("1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.");
        }
        if (input.Text("StartingPosition") == "AT_TIMESTAMP")
        {
            throw Invalid("Unsupported starting position for stream type: DynamoDB streams are read from TRIM_HORIZON or LATEST.");
        }
        if (source.Split('/') is not [_, _, "stream", ..])
        {
            throw Invalid($"Unrecognized event source: {source}");
        }
        JsonObject? found = null;
        try
        {
            found = (await Runtime.Service("dynamodb")!.InvokeAsync(context.Detached(), "DescribeTable", new JsonObject { ["TableName"] = source.Split('/')[1] }).ConfigureAwait(false)).Child("Table");
        }
        catch (ServiceFault)
        {
            // Said below, as for a stream that is not there.
        }
        if (found?.Text("LatestStreamArn") != source)
        {
            throw Invalid($"Stream not found: {source}");
        }
        RequireActions(context, function, source, "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams");
    }

    /// <summary>Lambda looks whether a function's role may read the source before it makes a mapping.</summary>
    private void RequireActions(RequestContext context, JsonObject function, string source, params ReadOnlySpan<string> actions)
    {
        foreach (var action in actions)
        {
            // Listing is allowed on all streams of the table, as AWS's own policy template for stream readers has it.
            var resource = action == "dynamodb:ListStreams" ? source[..(source.LastIndexOf('/') + 1)] + "*" : source;
            if (Runtime.Service<Iam.IamService>().Decide(context, function.Required("Role"), new AccessRequest(action, resource)) != PolicyDecision.Allowed)
            {
                var operation = action.Split(':')[1];
                throw Invalid(KindOf(source) == "sqs"
                    ? $"The function execution role does not have permissions to call {operation} on SQS"
                    : $"Cannot access stream {source}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions on your stream in IAM.");
            }
        }
    }

    private static string QueueUrl(string arn) => arn.Split(':') is [_, _, _, var region, var account, var name] ? $"https://sqs.{region}.amazonaws.com/{account}/{name}" : arn;

    private void Poll(RequestContext context, string id)
    {
        if (Mappings(context).Get(id) is not { } mapping)
        {
            return;
        }
        if (mapping.Text("State") is not ("Enabled" or "Updating"))
        {
            Runtime.After(PollInterval, () => Poll(context, id));
            return;
        }
        Runtime.Run(async _ =>
        {
            try
            {
                await (KindOf(mapping.Required("EventSourceArn")) == "sqs" ? PollQueue(context, mapping) : PollStream(context, mapping)).ConfigureAwait(false);
            }
            catch (ServiceFault fault)
            {
                // A source that went away: the mapping stays and says so.
                Mappings(context).Update(id, document => document["LastProcessingResult"] = $"PROBLEM: {fault.Message}");
            }
            finally
            {
                Runtime.After(PollInterval, () => Poll(context, id));
            }
        });
    }

    private static bool Matches(JsonObject mapping, JsonObject record) => mapping.Child("FilterCriteria")?.Objects("Filters").ToList() is not { Count: > 0 } filters
        || filters.Exists(filter => Events.EventPattern.Parse(filter.Required("Pattern"), out _)?.Matches(record) == true);

    private async Task PollQueue(RequestContext context, JsonObject mapping)
    {
        var sqs = Runtime.Service<SqsService>();
        var source = mapping.Required("EventSourceArn");
        var url = QueueUrl(source);
        var size = mapping.Int("BatchSize") ?? 10;
        while (true)
        {
            var messages = new List<JsonObject>();
            while (messages.Count < size)
            {
                var received = (await sqs.InvokeAsync(context, "ReceiveMessage", new JsonObject
                {
                    ["QueueUrl"] = url, ["MaxNumberOfMessages"] = Math.Min(10, size - messages.Count), ["WaitTimeSeconds"] = 0, ["MessageSystemAttributeNames"] = new JsonArray("All"), ["MessageAttributeNames"] = new JsonArray("All"),
                }).ConfigureAwait(false)).Objects("Messages").ToList();
                if (received.Count == 0)
                {
                    break;
                }
                messages.AddRange(received);
            }
            if (messages.Count == 0)
            {
                return;
            }
            var records = messages.Select(message => (Message: message, Record: QueueRecord(context, source, message))).ToList();
            // What the filter leaves out is deleted unseen.
            foreach (var (message, _) in records.Where(item => !Matches(mapping, WithParsed(item.Record, "body"))))
            {
                await sqs.InvokeAsync(context, "DeleteMessage", new JsonObject { ["QueueUrl"] = url, ["ReceiptHandle"] = message.Text("ReceiptHandle") }).ConfigureAwait(false);
            }
            var wanted = records.Where(item => Matches(mapping, WithParsed(item.Record, "body"))).ToList();
            if (wanted.Count == 0)
            {
                continue;
            }
            var failed = Handle(context, mapping, wanted.Select(item => item.Record));
            foreach (var (message, _) in wanted.Where(item => failed is not null && !failed.Contains(item.Message.Required("MessageId"))))
            {
                await sqs.InvokeAsync(context, "DeleteMessage", new JsonObject { ["QueueUrl"] = url, ["ReceiptHandle"] = message.Text("ReceiptHandle") }).ConfigureAwait(false);
            }
            if (failed is null)
            {
                // Failed messages come back when their visibility timeout has passed.
                return;
            }
        }
    }

    private static JsonObject WithParsed(JsonObject record, string member)
    {
        var copy = record.Copy();
        if (PolicyDocument.AsObject(copy.Text(member)) is JsonObject parsed)
        {
            copy[member] = parsed;
        }
        return copy;
    }

    private static JsonObject QueueRecord(RequestContext context, string source, JsonObject message) => new()
    {
        ["messageId"] = message.Text("MessageId"),
        ["receiptHandle"] = message.Text("ReceiptHandle"),
        ["body"] = message.Text("Body"),
        ["attributes"] = message["Attributes"].Copy() ?? new JsonObject(),
        ["messageAttributes"] = message["MessageAttributes"].Copy() ?? new JsonObject(),
        ["md5OfBody"] = message.Text("MD5OfBody"),
        ["eventSource"] = "aws:sqs",
        ["eventSourceARN"] = source,
        ["awsRegion"] = context.Region,
    };

    /// <summary>Gives a batch to the function: the ids that failed, none when all went well, null when the whole batch failed.</summary>
    private HashSet<string>? Handle(RequestContext context, JsonObject mapping, IEnumerable<JsonObject> records)
    {
        var (name, qualifier) = (mapping.Required("_Function"), mapping.Text("_Qualifier"));
        try
        {
            var run = Run(context, name, qualifier, Version(context, name, qualifier), new JsonObject { ["Records"] = records.ToJsonList() }.ToJsonString());
            Mappings(context).Update(mapping.Required("UUID"), document => document["LastProcessingResult"] = run.Error is null ? "OK" : "PROBLEM: Function call failed");
            if (run.Error is not null)
            {
                return null;
            }
            return mapping.Texts("FunctionResponseTypes").Contains("ReportBatchItemFailures") && JsonNode.Parse(run.Payload) is JsonObject answer
                ? answer.Objects("batchItemFailures").Select(item => item.Required("itemIdentifier")).ToHashSet(StringComparer.Ordinal)
                : [];
        }
        catch (ServiceFault fault) when (fault.Code is "TooManyRequestsException" or "ResourceConflictException")
        {
            return null;
        }
    }
}
