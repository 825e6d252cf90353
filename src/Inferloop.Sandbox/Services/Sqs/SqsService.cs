using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Sqs;

/// <summary>SQS: standard queues with visibility timeouts, delays, long polling and dead letter queues. FIFO queues keep their order and deduplicate.</summary>
internal sealed partial class SqsService : SandboxService
{
    private static readonly Dictionary<string, string> Defaults = new(StringComparer.Ordinal)
    {
        ["VisibilityTimeout"] = "30",
        ["MaximumMessageSize"] = "262144",
        ["MessageRetentionPeriod"] = "345600",
        ["DelaySeconds"] = "0",
        ["ReceiveMessageWaitTimeSeconds"] = "0",
        ["SqsManagedSseEnabled"] = "true",
    };

    private readonly ConcurrentDictionary<(string Account, string Region, string Name), MessageQueue> queues = new();

    public SqsService(SandboxRuntime runtime)
        : base(runtime, "sqs")
    {
        On("CreateQueue", CreateQueue);
        On("DeleteQueue", (context, input) => queues.TryRemove(Queue(context, input).Key, out _) ? [] : []);
        On("GetQueueUrl", (context, input) => new JsonObject
        {
            ["QueueUrl"] = Url(context, Admitted(context, queues.GetValueOrDefault((input.Text("QueueOwnerAWSAccountId") ?? context.AccountId, context.Region, input.Required("QueueName"))) ?? throw NoQueue()).Key),
        });
        On("ListQueues", (context, input) =>
        {
            var urls = queues.Keys.Where(key => key.Account == context.AccountId && key.Region == context.Region && key.Name.StartsWith(input.Text("QueueNamePrefix") ?? "", StringComparison.Ordinal))
                .OrderBy(key => key.Name, StringComparer.Ordinal).Select(key => Url(context, key)).ToList();
            return Pages.AnswerTexts(input, urls, "QueueUrls", defaultSize: 1000, tokenErrorCode: "InvalidParameterValue");
        });
        On("GetQueueAttributes", (context, input) =>
        {
            var queue = Queue(context, input);
            var names = input.Texts("AttributeNames");
            var all = queue.Describe(context);
            return new JsonObject { ["Attributes"] = all.Where(pair => names.Contains("All") || names.Contains(pair.Key)).ToMap() };
        });
        On("SetQueueAttributes", (context, input) =>
        {
            var queue = Queue(context, input);
            CheckAttributes(context, input.Map("Attributes"));
            queue.Set(input.Map("Attributes"), context.Now);
            return [];
        });
        On("SendMessage", (context, input) => Send(context, Queue(context, input), input));
        On("SendMessageBatch", (context, input) => Batch(input, entry => Send(context, Queue(context, input), entry)));
        On("ReceiveMessage", ReceiveMessage);
        On("DeleteMessage", (context, input) =>
        {
            Queue(context, input).Delete(input.Required("ReceiptHandle"));
            return [];
        });
        On("DeleteMessageBatch", (context, input) => Batch(input, entry =>
        {
            Queue(context, input).Delete(entry.Required("ReceiptHandle"));
            return [];
        }));
        On("ChangeMessageVisibility", (context, input) =>
        {
            Queue(context, input).ChangeVisibility(input.Required("ReceiptHandle"), context.Now.AddSeconds(Seconds(input, "VisibilityTimeout", 43_200) ?? 30));
            return [];
        });
        On("ChangeMessageVisibilityBatch", (context, input) => Batch(input, entry =>
        {
            Queue(context, input).ChangeVisibility(entry.Required("ReceiptHandle"), context.Now.AddSeconds(Seconds(entry, "VisibilityTimeout", 43_200) ?? 30));
            return [];
        }));
        On("PurgeQueue", (context, input) =>
        {
            Queue(context, input).Purge();
            return [];
        });
        On("TagQueue", (context, input) =>
        {
            Queue(context, input).Tag(input.Map("Tags"));
            return [];
        });
        On("UntagQueue", (context, input) =>
        {
            Queue(context, input).Untag(input.Texts("TagKeys"));
            return [];
        });
        On("ListQueueTags", (context, input) => new JsonObject { ["Tags"] = Queue(context, input).TagMap() });
        AddMoves();
        On("ListDeadLetterSourceQueues", (context, input) =>
        {
            var arn = Queue(context, input).Arn;
            var urls = queues.Values.Where(queue => queue.DeadLetter?.Arn == arn).Select(queue => Url(context, queue.Key)).ToList();
            return Pages.AnswerTexts(input, urls, "queueUrls", defaultSize: 1000, tokenErrorCode: "InvalidParameterValue");
        });
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,80}\z")]
    private static partial Regex NamePattern();

    /// <summary>Older clients know the error by the code of the query protocol, which a header carries.</summary>
    private static ServiceFault NoQueue() => new("QueueDoesNotExist", "The specified queue does not exist.")
    {
        Headers = new Dictionary<string, string> { ["x-amzn-query-error"] = "AWS.SimpleQueueService.NonExistentQueue;Sender" },
    };

    private string Url(RequestContext context, (string Account, string Region, string Name) key) => Runtime.Endpoint is not null
        ? $"http://{context.EndpointAuthority}/{key.Account}/{key.Name}"
        : $"https://sqs.{key.Region}.{context.DnsSuffix}/{key.Account}/{key.Name}";

    private MessageQueue Queue(RequestContext context, JsonObject input)
    {
        var parts = input.Required("QueueUrl").TrimEnd('/').Split('/');
        var queue = queues.GetValueOrDefault((parts.Length > 1 ? parts[^2] : context.AccountId, context.Region, parts[^1])) ?? throw NoQueue();
        return Admitted(context, queue);
    }

    /// <summary>The queue, if the caller's account may do what it asks: its own, or one whose policy lets it.</summary>
    private static MessageQueue Admitted(RequestContext context, MessageQueue queue)
    {
        var action = "sqs:" + context.Operation.Replace("Batch", "", StringComparison.Ordinal);
        return context.Operation.Length == 0 || queue.Key.Account == context.AccountId || CrossAccount.Allows(context, queue.Key.Account, queue.Describe(context).GetValueOrDefault("Policy"), action, queue.Arn)
            ? queue : throw new ServiceFault("AccessDeniedException", CrossAccount.Refusal(context, action.ToLowerInvariant(), queue.Arn), 403)
            {
                Headers = new Dictionary<string, string> { ["x-amzn-query-error"] = "AccessDenied;Sender" },
            };
    }

    private MessageQueue? ByArn(string arn) => arn.Split(':') is [_, _, "sqs", var region, var account, var name] ? queues.GetValueOrDefault((account, region, name)) : null;

    /// <summary>Puts a message into a queue given by ARN, for SNS; says whether there is such a queue.</summary>
    public bool TrySend(RequestContext context, string arn, string body)
    {
        if (ByArn(arn) is not { } queue)
        {
            return false;
        }
        Send(context, queue, new JsonObject { ["MessageBody"] = body });
        return true;
    }

    private void CheckAttributes(RequestContext context, Dictionary<string, string> attributes)
    {
        foreach (var (name, low, high) in new[] { ("VisibilityTimeout", 0, 43_200), ("MaximumMessageSize", 1024, 1_048_576), ("MessageRetentionPeriod", 60, 1_209_600), ("DelaySeconds", 0, 900), ("ReceiveMessageWaitTimeSeconds", 0, 20) })
        {
            if (attributes.TryGetValue(name, out var text) && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) || value < low || value > high))
            {
                throw new ServiceFault("InvalidAttributeValue", $"Invalid value for the parameter {name}.");
            }
        }
        if (attributes.GetValueOrDefault("RedrivePolicy") is { Length: > 0 } redrive
            && (PolicyDocument.AsObject(redrive) is not JsonObject policy || policy.Text("deadLetterTargetArn") is not { } target || ByArn(target) is null || policy.Int("maxReceiveCount") is not (>= 1 and <= 1000)))
        {
            throw new ServiceFault("InvalidParameterValue", $"Value {redrive} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist or maxReceiveCount is not between 1 and 1000.");
        }
        _ = context;
    }

    private JsonObject CreateQueue(RequestContext context, JsonObject input)
    {
        var name = input.Required("QueueName");
        var attributes = input.Map("Attributes");
        var isFifo = attributes.GetValueOrDefault("FifoQueue") == "true";
        if (!NamePattern().IsMatch(isFifo && name.EndsWith(".fifo", StringComparison.Ordinal) ? name[..^5] : name) || isFifo != name.EndsWith(".fifo", StringComparison.Ordinal))
        {
            throw new ServiceFault("InvalidParameterValue", isFifo
                ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length"
                : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
        }
        CheckAttributes(context, attributes);
        var settings = new Dictionary<string, string>(Defaults, StringComparer.Ordinal);
        foreach (var (key, value) in attributes)
        {
            settings[key] = value;
        }
        if (settings.ContainsKey("KmsMasterKeyId") && !attributes.ContainsKey("SqsManagedSseEnabled"))
        {
            settings["SqsManagedSseEnabled"] = "false";
        }
        var made = new MessageQueue((context.AccountId, context.Region, name), context.Arn("sqs", name), settings, context.Now, ByArn);
        made.Tag(input.Map("tags"));
        var queue = queues.GetOrAdd(made.Key, made);
        if (!ReferenceEquals(queue, made) && attributes.Any(pair => queue.Attribute(pair.Key) != pair.Value))
        {
            throw new ServiceFault("QueueNameExists", $"A queue already exists with the same name and a different value for attribute {attributes.First(pair => queue.Attribute(pair.Key) != pair.Value).Key}");
        }
        return new JsonObject { ["QueueUrl"] = Url(context, queue.Key) };
    }

    private JsonObject Send(RequestContext context, MessageQueue queue, JsonObject input)
    {
        var body = input.Required("MessageBody");
        if (Encoding.UTF8.GetByteCount(body) > int.Parse(queue.Attribute("MaximumMessageSize")!, CultureInfo.InvariantCulture))
        {
            throw new ServiceFault("InvalidParameterValue", $"One or more parameters are invalid. Reason: Message must be shorter than {queue.Attribute("MaximumMessageSize")} bytes.");
        }
        if (queue.IsFifo && !input.Has("MessageGroupId"))
        {
            throw new ServiceFault("MissingParameter", "The request must contain the parameter MessageGroupId.");
        }
        if (queue.IsFifo && !input.Has("MessageDeduplicationId") && queue.Attribute("ContentBasedDeduplication") != "true")
        {
            throw new ServiceFault("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
        }
        var delay = Seconds(input, "DelaySeconds", 900) ?? int.Parse(queue.Attribute("DelaySeconds")!, CultureInfo.InvariantCulture);
        var message = queue.Send(input, Runtime.Ids.Uuid(), context.Now, delay, context.PrincipalArn);
        var answer = new JsonObject { ["MessageId"] = message.Id, ["MD5OfMessageBody"] = Digest(body) };
        if (MessageQueue.AttributeDigest(input.Child("MessageAttributes")) is { } digest)
        {
            answer["MD5OfMessageAttributes"] = digest;
        }
        return queue.IsFifo ? answer.With("SequenceNumber", message.Sequence.ToString("D20", CultureInfo.InvariantCulture)) : answer;
    }

    /// <summary>A number of seconds that is given in a request; null where none is.</summary>
    private static int? Seconds(JsonObject input, string name, int most) => input.Int(name) is not { } seconds ? null
        : seconds >= 0 && seconds <= most ? seconds
        : throw new ServiceFault("InvalidParameterValue", $"Value {seconds} for parameter {name} is invalid. Reason: Must be >= 0 and <= {most}, if provided.");

    private async Task<JsonObject> ReceiveMessage(RequestContext context, JsonObject input)
    {
        var queue = Queue(context, input);
        var count = input.Int("MaxNumberOfMessages") ?? 1;
        if (count is < 1 or > 10)
        {
            throw new ServiceFault("InvalidParameterValue", $"Value {count} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.");
        }
        var visibility = Seconds(input, "VisibilityTimeout", 43_200) ?? int.Parse(queue.Attribute("VisibilityTimeout")!, CultureInfo.InvariantCulture);
        var wait = Seconds(input, "WaitTimeSeconds", 20) ?? int.Parse(queue.Attribute("ReceiveMessageWaitTimeSeconds")!, CultureInfo.InvariantCulture);
        var end = context.Now.AddSeconds(wait);
        while (true)
        {
            var received = queue.Receive(count, context.Now, visibility, () => Runtime.Ids.UrlSafe(60));
            if (received.Count > 0 || context.Now >= end)
            {
                return new JsonObject { ["Messages"] = received.Select(message => message.Describe(input)).ToJsonList() };
            }
            // A message that arrives ends the wait; so does the time, and the end of another's visibility.
            var second = Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(1), context.Cancellation);
            await (Runtime.Clock.IsJournaled ? second : Task.WhenAny(queue.Arrival(), second)).ConfigureAwait(false);
            context.Cancellation.ThrowIfCancellationRequested();
        }
    }

    private static JsonObject Batch(JsonObject input, Func<JsonObject, JsonObject> act)
    {
        var entries = input.Objects("Entries").ToList();
        if (entries.Count == 0)
        {
            throw new ServiceFault("EmptyBatchRequest", "There should be at least one entry in the request.");
        }
        if (entries.Count > 10)
        {
            throw new ServiceFault("TooManyEntriesInBatchRequest", $"Maximum number of entries per request are 10. You have sent {entries.Count}.");
        }
        if (entries.DistinctBy(entry => entry.Text("Id")).Count() != entries.Count)
        {
            throw new ServiceFault("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
        }
        var successful = new List<JsonObject>();
        var failed = new List<JsonObject>();
        foreach (var entry in entries)
        {
            try
            {
                var done = act(entry);
                done["Id"] = entry.Text("Id");
                successful.Add(done);
            }
            catch (ServiceFault fault)
            {
                failed.Add(new JsonObject { ["Id"] = entry.Text("Id"), ["SenderFault"] = true, ["Code"] = fault.Code, ["Message"] = fault.Message });
            }
        }
        return new JsonObject { ["Successful"] = successful.ToJsonList(), ["Failed"] = failed.ToJsonList() };
    }

    /// <summary>The MD5 that SQS's protocol carries, by which clients check what they sent.</summary>
    public static string Digest(string text)
    {
#pragma warning disable CA5351 // Prescribed by the protocol as a checksum; it protects nothing.
        return Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes(text))).ToLowerInvariant();
#pragma warning restore CA5351
    }
}
