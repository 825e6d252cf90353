using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Sqs;

namespace Inferloop.Sandbox.Services.Sns;

/// <summary>AWS::SNS topics and subscriptions, AWS::SQS queues.</summary>
internal static class MessagingResources
{
    private static readonly string[] TopicAttributes = ["DisplayName", "KmsMasterKeyId", "FifoTopic", "ContentBasedDeduplication", "TracingConfig", "SignatureVersion"];

    private static readonly string[] QueueAttributes =
    [
        "DelaySeconds", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds", "VisibilityTimeout", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled",
        "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit", "RedrivePolicy", "RedriveAllowPolicy",
    ];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var sns = runtime.Service<SnsService>();
        var sqs = runtime.Service<SqsService>();
        return [Topic(sns), Subscription(sns), TopicPolicy(sns), Queue(sqs), QueuePolicy(sqs)];
    }

    private static JsonObject Attributes(JsonObject properties, IEnumerable<string> names) =>
        names.Where(properties.Has).ToDictionary(name => name, name => PolicyDocument.AsText(properties[name]), StringComparer.Ordinal).ToMap();

    private static Provider Topic(SnsService sns) => new("AWS::SNS::Topic")
    {
        Gone = ["NotFound"],
        Create = async (context, properties) =>
        {
            var input = new JsonObject { ["Name"] = context.NameOf(properties, "TopicName", 256), ["Attributes"] = Attributes(properties, TopicAttributes), ["Tags"] = context.MergedTags(properties["Tags"]) };
            var arn = (await sns.CallAsync(context, "CreateTopic", input).ConfigureAwait(false)).Required("TopicArn");
            foreach (var subscription in properties.Objects("Subscription"))
            {
                await sns.CallMappedAsync(context, "Subscribe", subscription.Copy().With("TopicArn", arn)).ConfigureAwait(false);
            }
            return arn;
        },
        Update = async (context, arn, before, after) =>
        {
            foreach (var name in TopicAttributes.Where(name => after.Changed(before, name)))
            {
                await sns.CallAsync(context, "SetTopicAttributes", new JsonObject { ["TopicArn"] = arn, ["AttributeName"] = name, ["AttributeValue"] = after.Text(name) ?? "" }).ConfigureAwait(false);
            }
            foreach (var subscription in after.Objects("Subscription"))
            {
                await sns.CallMappedAsync(context, "Subscribe", subscription.Copy().With("TopicArn", arn)).ConfigureAwait(false);
            }
        },
        Delete = (context, arn, _) => sns.CallAsync(context, "DeleteTopic", new JsonObject { ["TopicArn"] = arn }),
        Read = async (context, arn) =>
        {
            var attributes = (await sns.CallAsync(context, "GetTopicAttributes", new JsonObject { ["TopicArn"] = arn }).ConfigureAwait(false)).Child("Attributes")!;
            return attributes.Pick(TopicAttributes).With("TopicName", arn.Split(':')[^1]);
        },
        Attributes = (_, arn) => Task.FromResult(ProviderExtensions.Attributes(("TopicArn", arn), ("TopicName", arn.Split(':')[^1]))),
    };

    private static Provider Subscription(SnsService sns) => new("AWS::SNS::Subscription")
    {
        Gone = ["NotFound"],
        Create = async (context, properties) =>
        {
            var input = PropertyMapper.ToInput(sns, "Subscribe", properties);
            input["ReturnSubscriptionArn"] = true;
            input["Attributes"] = Attributes(properties, ["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "DeliveryPolicy", "RedrivePolicy"]);
            return (await sns.CallAsync(context, "Subscribe", input).ConfigureAwait(false)).Required("SubscriptionArn");
        },
        Update = async (context, arn, before, after) =>
        {
            foreach (var name in ((string[])["RawMessageDelivery", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]).Where(name => after.Changed(before, name)))
            {
                await sns.CallAsync(context, "SetSubscriptionAttributes", new JsonObject { ["SubscriptionArn"] = arn, ["AttributeName"] = name, ["AttributeValue"] = PolicyDocument.AsText(after[name]) }).ConfigureAwait(false);
            }
        },
        Delete = (context, arn, _) => sns.CallAsync(context, "Unsubscribe", new JsonObject { ["SubscriptionArn"] = arn }),
        Read = async (context, arn) =>
        {
            var attributes = (await sns.CallAsync(context, "GetSubscriptionAttributes", new JsonObject { ["SubscriptionArn"] = arn }).ConfigureAwait(false)).Child("Attributes")!;
            var properties = attributes.Pick("TopicArn", "Protocol", "Endpoint", "RawMessageDelivery", "FilterPolicyScope");
            foreach (var name in (string[])["FilterPolicy", "RedrivePolicy", "DeliveryPolicy"])
            {
                properties.With(name, PolicyDocument.AsObject(attributes.Text(name)));
            }
            return properties;
        },
    };

    private static Provider TopicPolicy(SnsService sns)
    {
        async Task Put(ProvisionContext context, JsonObject properties)
        {
            foreach (var topic in properties.Texts("Topics"))
            {
                await sns.CallAsync(context, "SetTopicAttributes", new JsonObject { ["TopicArn"] = topic, ["AttributeName"] = "Policy", ["AttributeValue"] = PolicyDocument.AsText(properties["PolicyDocument"]) }).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::SNS::TopicPolicy")
        {
            Gone = ["NotFound"],
            Create = async (context, properties) =>
            {
                await Put(context, properties).ConfigureAwait(false);
                return $"{context.GenerateName(100)}|{string.Join(',', properties.Texts("Topics"))}";
            },
            Reference = id => id.Split('|')[0],
            Update = (context, _, _, after) => Put(context, after),
            Delete = (_, _, _) => Task.CompletedTask,
            Read = async (context, id) =>
            {
                var topics = id.Split('|')[1].Split(',');
                var attributes = (await sns.CallAsync(context, "GetTopicAttributes", new JsonObject { ["TopicArn"] = topics[0] }).ConfigureAwait(false)).Child("Attributes")!;
                return new JsonObject { ["Topics"] = topics.ToTextList(), ["PolicyDocument"] = PolicyDocument.AsObject(attributes.Text("Policy")) };
            },
        };
    }

    private static Provider Queue(SqsService sqs)
    {
        async Task<JsonObject> Read(ProvisionContext context, string url) =>
            (await sqs.CallAsync(context, "GetQueueAttributes", new JsonObject { ["QueueUrl"] = url, ["AttributeNames"] = new JsonArray("All") }).ConfigureAwait(false)).Child("Attributes")!;
        return new Provider("AWS::SQS::Queue")
        {
            Gone = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"],
            Create = async (context, properties) =>
            {
                var fifo = properties.Is("FifoQueue");
                var name = properties.Text("QueueName") ?? context.GenerateName(fifo ? 75 : 80) + (fifo ? ".fifo" : "");
                var attributes = Attributes(properties, QueueAttributes);
                if (!fifo)
                {
                    attributes.Remove("FifoQueue");
                }
                var input = new JsonObject { ["QueueName"] = name, ["Attributes"] = attributes, ["tags"] = Tags.AsMap(context.MergedTags(properties["Tags"]).OfType<JsonObject>()) };
                return (await sqs.CallAsync(context, "CreateQueue", input).ConfigureAwait(false)).Required("QueueUrl");
            },
            Update = async (context, url, before, after) =>
            {
                var changed = QueueAttributes.Where(name => after.Changed(before, name)).ToList();
                if (changed.Count > 0)
                {
                    var attributes = changed.ToDictionary(name => name, name => PolicyDocument.AsText(after[name]), StringComparer.Ordinal).ToMap();
                    await sqs.CallAsync(context, "SetQueueAttributes", new JsonObject { ["QueueUrl"] = url, ["Attributes"] = attributes }).ConfigureAwait(false);
                }
                await sqs.CallAsync(context, "TagQueue", new JsonObject { ["QueueUrl"] = url, ["Tags"] = Tags.AsMap(context.MergedTags(after["Tags"]).OfType<JsonObject>()) }).ConfigureAwait(false);
            },
            Delete = (context, url, _) => sqs.CallAsync(context, "DeleteQueue", new JsonObject { ["QueueUrl"] = url }),
            Read = async (context, url) =>
            {
                var attributes = await Read(context, url).ConfigureAwait(false);
                var properties = attributes.Pick(QueueAttributes).With("QueueName", url.Split('/')[^1]);
                foreach (var name in (string[])["RedrivePolicy", "RedriveAllowPolicy"])
                {
                    if (properties.Text(name) is { } policy)
                    {
                        properties[name] = PolicyDocument.AsObject(policy);
                    }
                }
                return properties;
            },
            Attributes = async (context, url) => ProviderExtensions.Attributes(("Arn", (await Read(context, url).ConfigureAwait(false))["QueueArn"]), ("QueueName", url.Split('/')[^1]), ("QueueUrl", url)),
        };
    }

    private static Provider QueuePolicy(SqsService sqs)
    {
        async Task Put(ProvisionContext context, JsonObject properties, string policy)
        {
            foreach (var url in properties.Texts("Queues"))
            {
                await sqs.CallAsync(context, "SetQueueAttributes", new JsonObject { ["QueueUrl"] = url, ["Attributes"] = new JsonObject { ["Policy"] = policy } }).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::SQS::QueuePolicy")
        {
            Gone = ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"],
            Create = async (context, properties) =>
            {
                await Put(context, properties, PolicyDocument.AsText(properties["PolicyDocument"])).ConfigureAwait(false);
                return $"{context.GenerateName(100)}|{string.Join(',', properties.Texts("Queues"))}";
            },
            Reference = id => id.Split('|')[0],
            Update = (context, _, _, after) => Put(context, after, PolicyDocument.AsText(after["PolicyDocument"])),
            Delete = (context, _, properties) => Put(context, properties, ""),
            Read = async (context, id) =>
            {
                var queues = id.Split('|')[1].Split(',');
                var attributes = (await sqs.CallAsync(context, "GetQueueAttributes", new JsonObject { ["QueueUrl"] = queues[0], ["AttributeNames"] = new JsonArray("Policy") }).ConfigureAwait(false)).Child("Attributes");
                return attributes?.Text("Policy") is { } policy ? new JsonObject { ["Queues"] = queues.ToTextList(), ["PolicyDocument"] = PolicyDocument.AsObject(policy) } : null;
            },
        };
    }
}
