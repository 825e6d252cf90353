using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Lambda;
using Inferloop.Sandbox.Services.Sns;
using Inferloop.Sandbox.Services.Sqs;

namespace Inferloop.Sandbox.Services.Events;

/// <summary>Something that one service sends to another's resource.</summary>
/// <param name="Arn">The ARN of what receives it.</param>
/// <param name="Payload">What is sent.</param>
internal sealed record Delivery(string Arn, string Payload)
{
    /// <summary>The sending service, as policies name it.</summary>
    public string Source { get; init; } = "events.amazonaws.com";

    /// <summary>What the sender sends for, such as a rule.</summary>
    public string? SourceArn { get; init; }

    /// <summary>Whether the sender acts by a role, so that the receiver's own policy need not name it.</summary>
    public bool ByRole { get; init; }

    /// <summary>The detail type of what goes to an event bus.</summary>
    public string DetailType { get; init; } = "";

    /// <summary>The target's settings, where the receiver needs some (message groups, tasks, jobs).</summary>
    public JsonObject Settings { get; init; } = [];
}

/// <summary>Delivery of events, schedules and results to the resources of the sandbox that can be their targets.</summary>
internal static class TargetDelivery
{
    /// <summary>Delivers; gives what went wrong, null when nothing did.</summary>
    public static async Task<string?> SendAsync(RequestContext context, Delivery delivery)
    {
        var runtime = context.Runtime;
        var parts = delivery.Arn.Split(':', 6);
        if (parts.Length < 6)
        {
            return $"The target {delivery.Arn} is no ARN.";
        }
        try
        {
            switch (parts[2])
            {
                case "sqs":
                    return await SendToQueueAsync(context, delivery).ConfigureAwait(false);
                case "sns":
                    if (!delivery.ByRole)
                    {
                        return runtime.Service<SnsService>().PublishFor(context, delivery.Source, delivery.Arn, "", delivery.Payload);
                    }
                    await runtime.Service<SnsService>().InvokeAsync(context.Detached(), "Publish", new JsonObject { ["TopicArn"] = delivery.Arn, ["Message"] = delivery.Payload }).ConfigureAwait(false);
                    return null;
                case "lambda":
                    var lambda = runtime.Service<LambdaService>();
                    if (!lambda.Exists(context, delivery.Arn))
                    {
                        return $"Function not found: {delivery.Arn}";
                    }
                    if (!delivery.ByRole && !lambda.Permits(context, delivery.Arn, delivery.Source, delivery.SourceArn))
                    {
                        return $"{delivery.Source} is not authorized to perform: lambda:InvokeFunction on resource: {delivery.Arn} because no resource-based policy allows the lambda:InvokeFunction action";
                    }
                    lambda.InvokeLater(context, delivery.Arn, delivery.Payload);
                    return null;
                case "logs":
                    return await WriteAsync(context, delivery, parts[5]).ConfigureAwait(false);
                case "events" when parts[5].StartsWith("event-bus/", StringComparison.Ordinal):
                    await runtime.Service<EventsService>().InvokeAsync(context.With(parts[4], parts[3]), "PutEvents", new JsonObject
                    {
                        ["Entries"] = new JsonArray(new JsonObject { ["EventBusName"] = parts[5]["event-bus/".Length..], ["Source"] = delivery.Source == "lambda.amazonaws.com" ? "lambda" : delivery.Source, ["DetailType"] = delivery.DetailType, ["Detail"] = delivery.Payload }),
                    }).ConfigureAwait(false);
                    return null;
                case "ecs":
                    return await RunTaskAsync(context, delivery).ConfigureAwait(false);
                case "batch":
                    return await SubmitJobAsync(context, delivery).ConfigureAwait(false);
                default:
                    return $"The sandbox delivers nothing to {parts[2]}: {delivery.Arn}";
            }
        }
        catch (ServiceFault fault)
        {
            return $"{fault.Code}: {fault.Message}";
        }
    }

    private static async Task<string?> SendToQueueAsync(RequestContext context, Delivery delivery)
    {
        var sqs = context.Runtime.Service<SqsService>();
        var parts = delivery.Arn.Split(':');
        var url = $"https://sqs.{parts[3]}.amazonaws.com/{parts[4]}/{parts[5]}";
        var owner = context.Detached().With(parts[4], parts[3]);
        if (!delivery.ByRole)
        {
            var policy = (await sqs.InvokeAsync(owner, "GetQueueAttributes", new JsonObject { ["QueueUrl"] = url, ["AttributeNames"] = new JsonArray("Policy") }).ConfigureAwait(false)).Child("Attributes")?.Text("Policy");
            var keys = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal) { ["aws:sourceaccount"] = [context.AccountId], ["aws:securetransport"] = ["true"] };
            if (delivery.SourceArn is { } source)
            {
                keys["aws:sourcearn"] = [source];
            }
            if (PolicyEvaluator.Evaluate(policy, new AccessRequest("sqs:SendMessage", delivery.Arn) { Principal = delivery.Source, Keys = keys }, isResourcePolicy: true) != PolicyDecision.Allowed)
            {
                return $"{delivery.Source} is not authorized to perform: sqs:SendMessage on resource: {delivery.Arn} because no resource-based policy allows the sqs:SendMessage action";
            }
        }
        var message = new JsonObject { ["QueueUrl"] = url, ["MessageBody"] = delivery.Payload };
        if (delivery.Settings.Child("SqsParameters")?.Text("MessageGroupId") is { } group)
        {
            message["MessageGroupId"] = group;
            message["MessageDeduplicationId"] = context.Runtime.Ids.Uuid();
        }
        await sqs.InvokeAsync(owner, "SendMessage", message).ConfigureAwait(false);
        return null;
    }

    private static async Task<string?> WriteAsync(RequestContext context, Delivery delivery, string resource)
    {
        // log-group:<name>[:*]
        var group = resource["log-group:".Length..].Split(':')[0];
        var logs = context.Runtime.Service<Logs.LogsService>();
        if (!logs.EnsureGroup(context, group, create: false))
        {
            return $"The specified log group does not exist: {group}";
        }
        var stream = context.Runtime.Ids.Uuid();
        var background = context.Detached();
        await logs.InvokeAsync(background, "CreateLogStream", new JsonObject { ["logGroupName"] = group, ["logStreamName"] = stream }).ConfigureAwait(false);
        await logs.InvokeAsync(background, "PutLogEvents", new JsonObject
        {
            ["logGroupName"] = group,
            ["logStreamName"] = stream,
            ["logEvents"] = new JsonArray(new JsonObject { ["timestamp"] = context.Now.ToUnixTimeMilliseconds(), ["message"] = delivery.Payload }),
        }).ConfigureAwait(false);
        return null;
    }

    private static async Task<string?> RunTaskAsync(RequestContext context, Delivery delivery)
    {
        var ecs = context.Runtime.Service<Ecs.EcsService>();
        var settings = delivery.Settings.Child("EcsParameters");
        if (settings is null)
        {
            return "A cluster as a target needs EcsParameters.";
        }
        var input = PropertyMapper.ToInput(ecs, "RunTask", settings, ("TaskDefinitionArn", "taskDefinition"), ("TaskCount", "count"));
        input["cluster"] = delivery.Arn;
        input["startedBy"] = "events-rule/sandbox";
        if (delivery.Payload.Length > 0 && PolicyDocument.AsObject(delivery.Payload) is JsonObject overrides && overrides.Has("containerOverrides"))
        {
            input["overrides"] = overrides.Copy();
        }
        var failures = (await ecs.InvokeAsync(context.Detached(), "RunTask", input).ConfigureAwait(false)).Objects("failures").ToList();
        return failures.Count == 0 ? null : failures[0].Text("reason");
    }

    private static async Task<string?> SubmitJobAsync(RequestContext context, Delivery delivery)
    {
        if (context.Runtime.Service("batch") is not { } batch || delivery.Settings.Child("BatchParameters") is not { } settings)
        {
            return "A job queue as a target needs BatchParameters.";
        }
        var input = PropertyMapper.ToInput(batch, "SubmitJob", settings);
        input["jobQueue"] = delivery.Arn;
        await batch.InvokeAsync(context.Detached(), "SubmitJob", input).ConfigureAwait(false);
        return null;
    }
}
