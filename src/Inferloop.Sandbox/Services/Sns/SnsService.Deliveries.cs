using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Sns;

/// <summary>Subscriptions, their confirmation, and what they receive.</summary>
internal sealed partial class SnsService
{
    private const int MaximumMessageBytes = 262_144;
    private static readonly string[] Confirmed = ["sqs", "lambda", "sms", "firehose", "application"];

    /// <summary>Keeps something that would have been sent out.</summary>
    public void Record(RequestContext context, string protocol, string address, string? subject, string body, string source = "sns") =>
        Runtime.Outbox.Add(new SandboxDelivery(Runtime.Clock.Now, source, protocol, address, subject, body, context.AccountId, context.Region));

    private static void CheckTopicAttribute(string name, string value)
    {
        if (name == "Policy" && PolicyDocument.Problem(value, isResourcePolicy: true, needsResource: true) is { } problem)
        {
            throw Invalid($"Invalid parameter: Policy Error: {problem}");
        }
        if (name is not ("Policy" or "DisplayName" or "DeliveryPolicy" or "KmsMasterKeyId" or "FifoTopic" or "ContentBasedDeduplication" or "TracingConfig" or "SignatureVersion" or "ArchivePolicy" or "FifoThroughputScope" or "DataProtectionPolicy")
            && !name.EndsWith("FeedbackRoleArn", StringComparison.Ordinal) && !name.EndsWith("FeedbackSampleRate", StringComparison.Ordinal))
        {
            throw Invalid("Invalid parameter: AttributeName");
        }
    }

    private static void CheckSubscriptionAttribute(string name, string value)
    {
        switch (name)
        {
            case "RawMessageDelivery" when value is not ("true" or "false"):
                throw Invalid("Invalid parameter: Attributes Reason: RawMessageDelivery: Invalid value [" + value + "]. Must be true or false.");
            case "FilterPolicy" when FilterPolicy.Problem(value) is { } problem:
                throw Invalid("Invalid parameter: Attributes Reason: FilterPolicy: " + problem);
            case "FilterPolicyScope" when value is not ("MessageAttributes" or "MessageBody"):
                throw Invalid("Invalid parameter: Attributes Reason: FilterPolicyScope: Invalid value [" + value + "]. Please use either MessageBody or MessageAttributes.");
            case "RawMessageDelivery" or "FilterPolicy" or "FilterPolicyScope" or "DeliveryPolicy" or "RedrivePolicy" or "SubscriptionRoleArn" or "ReplayPolicy":
                return;
            default:
                throw Invalid("Invalid parameter: AttributeName");
        }
    }

    private JsonObject ChangePolicy(RequestContext context, JsonObject input, Action<JsonArray> change)
    {
        _ = Topic(context, input.Required("TopicArn"));
        Topics(context).Update(input.Required("TopicArn"), topic =>
        {
            var attributes = topic.ChildOrNew("_Attributes");
            var policy = PolicyDocument.AsObject(attributes.Text("Policy")) as JsonObject ?? new JsonObject { ["Version"] = "2008-10-17" };
            change(policy.ListOrNew("Statement"));
            attributes["Policy"] = policy.ToJsonString();
        });
        return [];
    }

    private JsonObject Subscribe(RequestContext context, JsonObject input)
    {
        var topic = Topic(context, input.Required("TopicArn"));
        var (protocol, endpoint) = (input.Required("Protocol"), input.Text("Endpoint") ?? "");
        if (protocol is not ("email" or "email-json" or "sms" or "sqs" or "lambda" or "http" or "https" or "firehose" or "application"))
        {
            throw Invalid($"Invalid parameter: Amazon SNS does not support this protocol string: {protocol}");
        }
        if ((protocol is "email" or "email-json" && !endpoint.Contains('@', StringComparison.Ordinal)) || (protocol is "sqs" or "lambda" && !endpoint.StartsWith("arn:", StringComparison.Ordinal))
            || (protocol is "http" or "https" && !endpoint.StartsWith(protocol + "://", StringComparison.Ordinal)))
        {
            throw Invalid($"Invalid parameter: {(protocol is "email" or "email-json" ? "Email address" : protocol is "sqs" ? "SQS endpoint ARN" : "Endpoint")}");
        }
        foreach (var (name, value) in input.Map("Attributes"))
        {
            CheckSubscriptionAttribute(name, value);
        }
        if (Subscriptions(context).Find(item => item.Text("TopicArn") == topic.Text("TopicArn") && item.Text("Protocol") == protocol && item.Text("Endpoint") == endpoint) is { } present)
        {
            return new JsonObject { ["SubscriptionArn"] = present.Text("SubscriptionArn") == "PendingConfirmation" && input.Is("ReturnSubscriptionArn") ? ArnOf(present) : present.Text("SubscriptionArn") };
        }
        // A person or a web server has to confirm; queues and functions of the account need not.
        var confirmed = Confirmed.Contains(protocol);
        var key = Runtime.Ids.Uuid();
        var subscription = new JsonObject
        {
            ["Owner"] = context.AccountId,
            ["Protocol"] = protocol,
            ["Endpoint"] = endpoint,
            ["TopicArn"] = topic.Text("TopicArn"),
            ["_Attributes"] = input.Child("Attributes")?.Copy() ?? [],
            ["_Key"] = key,
            ["_Token"] = confirmed ? null : Runtime.Ids.Hex(192),
        };
        subscription.Child("_Attributes")!["RawMessageDelivery"] ??= "false";
        subscription["SubscriptionArn"] = confirmed ? ArnOf(subscription) : "PendingConfirmation";
        Subscriptions(context).Put(key, subscription);
        if (!confirmed)
        {
            var body = new JsonObject
            {
                ["Type"] = "SubscriptionConfirmation",
                ["MessageId"] = Runtime.Ids.Uuid(),
                ["Token"] = subscription.Text("_Token"),
                ["TopicArn"] = topic.Text("TopicArn"),
                ["Message"] = $"You have chosen to subscribe to the topic {topic.Text("TopicArn")}.\nTo confirm the subscription, visit the SubscribeURL included in this message.",
                ["SubscribeURL"] = $"http://{context.EndpointAuthority}/?Action=ConfirmSubscription&TopicArn={topic.Text("TopicArn")}&Token={subscription.Text("_Token")}",
                ["Timestamp"] = Documents.Time(context.Now),
            };
            Record(context, protocol, endpoint, "AWS Notification - Subscription Confirmation", body.ToJsonString());
        }
        return new JsonObject { ["SubscriptionArn"] = confirmed || input.Is("ReturnSubscriptionArn") ? ArnOf(subscription) : "pending confirmation" };
    }

    private static string ArnOf(JsonObject subscription) => $"{subscription.Text("TopicArn")}:{subscription.Text("_Key")}";

    private JsonObject ConfirmSubscription(RequestContext context, JsonObject input)
    {
        var topic = Topic(context, input.Required("TopicArn"));
        var found = Subscriptions(context).Find(item => item.Text("TopicArn") == topic.Text("TopicArn") && item.Text("_Token") == input.Text("Token")) ?? throw Invalid("Invalid token");
        var arn = ArnOf(found);
        Subscriptions(context).Update(found.Required("_Key"), document => document["SubscriptionArn"] = arn);
        return new JsonObject { ["SubscriptionArn"] = arn };
    }

    private static JsonObject MessageOf(JsonObject input)
    {
        if (input.Text("MessageStructure") != "json")
        {
            return new JsonObject { ["default"] = input.Text("Message") };
        }
        return PolicyDocument.AsObject(input.Text("Message")) is JsonObject structured && structured["default"] is JsonValue ? structured.Copy()
            : throw Invalid("Invalid parameter: Message Structure - No default entry in JSON message body");
    }

    private string Deliver(RequestContext context, JsonObject topic, string? subject, string message, JsonObject? attributes, JsonObject? request) =>
        Deliver(context, topic, subject, new JsonObject { ["default"] = message }, attributes, request);

    private string Deliver(RequestContext context, JsonObject topic, string? subject, JsonObject message, JsonObject? attributes, JsonObject? request)
    {
        var text = message.Required("default");
        if (Encoding.UTF8.GetByteCount(text) > MaximumMessageBytes)
        {
            throw Invalid("Invalid parameter: Message too long");
        }
        if (subject?.Length > 100 || subject?.AsSpan().IndexOfAny('\n', '\r') >= 0)
        {
            throw Invalid("Invalid parameter: Subject");
        }
        if (topic.Required("TopicArn").EndsWith(".fifo", StringComparison.Ordinal) && request?.Text("MessageGroupId") is null)
        {
            throw Invalid("Invalid parameter: The MessageGroupId parameter is required for FIFO topics");
        }
        var id = Runtime.Ids.Uuid();
        foreach (var subscription in Subscriptions(context).Where(item => item.Text("TopicArn") == topic.Text("TopicArn") && item.Text("SubscriptionArn") != "PendingConfirmation"))
        {
            var settings = subscription.Child("_Attributes") ?? [];
            var protocol = subscription.Required("Protocol");
            var body = message.Text(protocol) ?? text;
            if (settings.Text("FilterPolicy") is { } policy && !FilterPolicy.Matches(policy, settings.Text("FilterPolicyScope") ?? "MessageAttributes", body, attributes))
            {
                continue;
            }
            var envelope = new JsonObject
            {
                ["Type"] = "Notification",
                ["MessageId"] = id,
                ["TopicArn"] = topic.Text("TopicArn"),
                ["Message"] = body,
                ["Timestamp"] = Documents.Time(context.Now),
                ["SignatureVersion"] = "1",
                ["UnsubscribeURL"] = $"http://{context.EndpointAuthority}/?Action=Unsubscribe&SubscriptionArn={ArnOf(subscription)}",
            }.With("Subject", subject);
            if (attributes is { Count: > 0 })
            {
                envelope["MessageAttributes"] = new JsonObject(attributes.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)new JsonObject
                {
                    ["Type"] = ((JsonObject)pair.Value!).Text("DataType"),
                    ["Value"] = ((JsonObject)pair.Value!).Text("StringValue") ?? ((JsonObject)pair.Value!).Text("BinaryValue"),
                })));
            }
            Send(context, subscription, protocol, subject, body, envelope, settings.Text("RawMessageDelivery") == "true");
        }
        return id;
    }

    private void Send(RequestContext context, JsonObject subscription, string protocol, string? subject, string body, JsonObject envelope, bool raw)
    {
        var endpoint = subscription.Required("Endpoint");
        switch (protocol)
        {
            case "sqs":
                if (!Runtime.Service<Sqs.SqsService>().TrySend(context, endpoint, raw ? body : envelope.ToJsonString()) && DeadLetters(subscription) is { } queue)
                {
                    Runtime.Service<Sqs.SqsService>().TrySend(context, queue, raw ? body : envelope.ToJsonString());
                }
                break;
            case "lambda":
                var record = new JsonObject
                {
                    ["Records"] = new JsonArray(new JsonObject { ["EventSource"] = "aws:sns", ["EventVersion"] = "1.0", ["EventSubscriptionArn"] = ArnOf(subscription), ["Sns"] = envelope }),
                };
                Record(context, protocol, endpoint, subject, record.ToJsonString());
                break;
            case "email" or "sms":
                Record(context, protocol, endpoint, protocol == "email" ? subject ?? "AWS Notification Message" : null, body);
                break;
            default:
                Record(context, protocol, endpoint, subject, raw ? body : envelope.ToJsonString());
                break;
        }
    }

    private static string? DeadLetters(JsonObject subscription) =>
        (PolicyDocument.AsObject(subscription.Child("_Attributes")?.Text("RedrivePolicy")) as JsonObject)?.Text("deadLetterTargetArn");

}
