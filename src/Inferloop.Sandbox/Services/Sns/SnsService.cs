using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Sns;

/// <summary>SNS: topics and subscriptions. Queues receive what is published; what goes out into the world is kept in the sandbox's outbox.</summary>
internal sealed partial class SnsService : SandboxService
{
    public SnsService(SandboxRuntime runtime)
        : base(runtime, "sns")
    {
        On("CreateTopic", CreateTopic);
        On("DeleteTopic", (context, input) =>
        {
            Topics(context).Remove(input.Required("TopicArn"));
            foreach (var subscription in Subscriptions(context).Where(item => item.Text("TopicArn") == input.Text("TopicArn")))
            {
                Subscriptions(context).Remove(subscription.Required("_Key"));
            }
            return [];
        });
        On("ListTopics", (context, input) => Pages.Answer(input, Topics(context).Keys().Select(arn => new JsonObject { ["TopicArn"] = arn }).ToList(), "Topics", defaultSize: 100, tokenErrorCode: "InvalidParameter"));
        On("GetTopicAttributes", (context, input) =>
        {
            var topic = Topic(context, input.Required("TopicArn"));
            var attributes = topic.Child("_Attributes")!.Copy();
            var all = Subscriptions(context).Where(item => item.Text("TopicArn") == topic.Text("TopicArn"));
            attributes["TopicArn"] = topic.Text("TopicArn");
            attributes["Owner"] = context.AccountId;
            attributes["SubscriptionsConfirmed"] = all.Count(item => item.Required("SubscriptionArn").StartsWith("arn:", StringComparison.Ordinal)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            attributes["SubscriptionsPending"] = all.Count(item => item.Text("SubscriptionArn") == "PendingConfirmation").ToString(System.Globalization.CultureInfo.InvariantCulture);
            attributes["SubscriptionsDeleted"] = "0";
            return new JsonObject { ["Attributes"] = attributes };
        });
        On("SetTopicAttributes", (context, input) =>
        {
            _ = Topic(context, input.Required("TopicArn"));
            CheckTopicAttribute(input.Required("AttributeName"), input.Text("AttributeValue") ?? "");
            Topics(context).Update(input.Required("TopicArn"), topic => topic.ChildOrNew("_Attributes")[input.Required("AttributeName")] = input.Text("AttributeValue") ?? "");
            return [];
        });
        On("Subscribe", Subscribe);
        On("ConfirmSubscription", ConfirmSubscription);
        On("Unsubscribe", (context, input) =>
        {
            foreach (var item in Subscriptions(context).Where(item => ArnOf(item) == input.Text("SubscriptionArn")))
            {
                Subscriptions(context).Remove(item.Required("_Key"));
            }
            return [];
        });
        On("ListSubscriptions", (context, input) => Pages.Answer(input, Subscriptions(context).All(), "Subscriptions", defaultSize: 100, tokenErrorCode: "InvalidParameter"));
        On("ListSubscriptionsByTopic", (context, input) =>
        {
            _ = Topic(context, input.Required("TopicArn"));
            return Pages.Answer(input, Subscriptions(context).Where(item => item.Text("TopicArn") == input.Text("TopicArn")), "Subscriptions", defaultSize: 100, tokenErrorCode: "InvalidParameter");
        });
        On("GetSubscriptionAttributes", (context, input) =>
        {
            var found = Subscription(context, input.Required("SubscriptionArn"));
            var attributes = found.Child("_Attributes")!.Copy();
            foreach (var member in (string[])["TopicArn", "Protocol", "Endpoint", "Owner"])
            {
                attributes[member] = found.Text(member);
            }
            attributes["SubscriptionArn"] = ArnOf(found);
            attributes["ConfirmationWasAuthenticated"] = found.Text("SubscriptionArn") == "PendingConfirmation" ? "false" : "true";
            attributes["PendingConfirmation"] = found.Text("SubscriptionArn") == "PendingConfirmation" ? "true" : "false";
            return new JsonObject { ["Attributes"] = attributes };
        });
        On("SetSubscriptionAttributes", (context, input) =>
        {
            var found = Subscription(context, input.Required("SubscriptionArn"));
            CheckSubscriptionAttribute(input.Required("AttributeName"), input.Text("AttributeValue") ?? "");
            Subscriptions(context).Update(found.Required("_Key"), document => document.ChildOrNew("_Attributes")[input.Required("AttributeName")] = input.Text("AttributeValue") ?? "");
            return [];
        });
        On("Publish", (context, input) =>
        {
            var topic = Topic(context, input.Text("TopicArn") ?? input.Text("TargetArn") ?? throw Invalid("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"));
            return new JsonObject { ["MessageId"] = Deliver(context, topic, input.Text("Subject"), MessageOf(input), input.Child("MessageAttributes"), input) };
        });
        On("PublishBatch", (context, input) =>
        {
            var topic = Topic(context, input.Required("TopicArn"));
            return new JsonObject
            {
                ["Successful"] = input.Objects("PublishBatchRequestEntries").Select(entry => new JsonObject { ["Id"] = entry.Text("Id"), ["MessageId"] = Deliver(context, topic, entry.Text("Subject"), MessageOf(entry), entry.Child("MessageAttributes"), entry) }).ToJsonList(),
                ["Failed"] = new JsonArray(),
            };
        });
        On("AddPermission", (context, input) => ChangePolicy(context, input, statements => statements.Add((JsonNode)new JsonObject
        {
            ["Sid"] = input.Text("Label"),
            ["Effect"] = "Allow",
            ["Principal"] = new JsonObject { ["AWS"] = input.Texts("AWSAccountId").Select(account => $"arn:{context.Partition}:iam::{account}:root").ToTextList() },
            ["Action"] = input.Texts("ActionName").Select(action => "SNS:" + action).ToTextList(),
            ["Resource"] = input.Text("TopicArn"),
        })));
        On("RemovePermission", (context, input) => ChangePolicy(context, input, statements =>
        {
            if (statements.OfType<JsonObject>().FirstOrDefault(item => item.Text("Sid") == input.Text("Label")) is { } found)
            {
                statements.Remove(found);
            }
        }));
        On("TagResource", (context, input) => Retag(context, input, topic => Tags.Put(topic, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, topic => Tags.Remove(topic, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Topic(context, input.Required("ResourceArn"))["_Tags"].Copy() });
    }

    [GeneratedRegex(@"^[A-Za-z0-9_-]{1,256}(\.fifo)?\z")]
    private static partial Regex NamePattern();

    private Collection Topics(RequestContext context) => Collection(context, "topics");

    private Collection Subscriptions(RequestContext context) => Collection(context, "subscriptions");

    private static ServiceFault Invalid(string message) => new("InvalidParameter", message);

    private JsonObject Topic(RequestContext context, string arn) => Topics(context).Get(arn) ?? throw new ServiceFault("NotFound", "Topic does not exist", 404);

    /// <summary>An operation on a topic happens in the account that the topic is of, as far as its policy lets another account's caller.</summary>
    private new void On(string operation, Func<RequestContext, JsonObject, JsonObject> handler) => base.On(operation, (context, input) => handler(Owner(context, input, operation), input));

    private RequestContext Owner(RequestContext context, JsonObject input, string operation)
    {
        if ((input.Text("TopicArn") ?? input.Text("TargetArn") ?? input.Text("ResourceArn")) is not { } arn || arn.Split(':') is not [_, _, "sns", _, { Length: 12 } owner, _] || owner == context.AccountId)
        {
            return context;
        }
        var there = context.With(owner, context.Region);
        var action = "SNS:" + (operation == "PublishBatch" ? "Publish" : operation);
        return CrossAccount.Allows(context, owner, Topics(there).Get(arn)?.Child("_Attributes")?.Text("Policy"), action, arn)
            ? there : throw new ServiceFault("AuthorizationError", CrossAccount.Refusal(context, action, arn), 403);
    }

    private JsonObject Subscription(RequestContext context, string arn) => Subscriptions(context).Find(item => ArnOf(item) == arn) ?? throw new ServiceFault("NotFound", "Subscription does not exist", 404);

    /// <summary>Publishes for a service of AWS, as its topic's policy allows. Gives what went wrong; null when nothing did.</summary>
    public string? PublishFor(RequestContext context, string service, string arn, string subject, string message)
    {
        if (Topics(context).Get(arn) is not { } topic)
        {
            return $"Topic does not exist: {arn}";
        }
        if (!TopicAccess.Allows(topic.Child("_Attributes")?.Text("Policy"), service, context.AccountId, arn))
        {
            return $"{service} is not authorized to perform: SNS:Publish on resource: {arn} because no resource-based policy allows the SNS:Publish action";
        }
        if (topic.Child("_Attributes")?.Text("KmsMasterKeyId") is "alias/aws/sns")
        {
            // The key that AWS manages for SNS has a policy which no one can change, and which lets no other service use it.
            return $"{service} is not authorized to use the KMS key alias/aws/sns";
        }
        Deliver(context, topic, subject, message, null, null);
        return null;
    }

    private JsonObject CreateTopic(RequestContext context, JsonObject input)
    {
        var name = input.Required("Name");
        if (!NamePattern().IsMatch(name))
        {
            throw Invalid("Invalid parameter: Topic Name");
        }
        var arn = context.Arn("sns", name);
        var attributes = input.Child("Attributes")?.Copy() ?? [];
        foreach (var (attribute, value) in input.Map("Attributes"))
        {
            CheckTopicAttribute(attribute, value);
        }
        attributes["DisplayName"] ??= "";
        attributes["Policy"] ??= new JsonObject
        {
            ["Version"] = "2008-10-17",
            ["Id"] = "__default_policy_ID",
            ["Statement"] = new JsonArray(new JsonObject
            {
                ["Sid"] = "__default_statement_ID",
                ["Effect"] = "Allow",
                ["Principal"] = new JsonObject { ["AWS"] = "*" },
                ["Action"] = new JsonArray("SNS:Publish", "SNS:Subscribe", "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:DeleteTopic", "SNS:ListSubscriptionsByTopic", "SNS:AddPermission", "SNS:RemovePermission"),
                ["Resource"] = arn,
                ["Condition"] = new JsonObject { ["StringEquals"] = new JsonObject { ["AWS:SourceOwner"] = context.AccountId } },
            }),
        }.ToJsonString();
        Topics(context).TryAdd(arn, new JsonObject { ["TopicArn"] = arn, ["_Attributes"] = attributes, ["_Tags"] = input["Tags"].Copy() ?? new JsonArray() });
        return new JsonObject { ["TopicArn"] = arn };
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        _ = Topic(context, input.Required("ResourceArn"));
        Topics(context).Update(input.Required("ResourceArn"), change);
        return [];
    }
}
