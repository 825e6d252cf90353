using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Sqs;

/// <content>The way back out of dead letter queues, and permissions by label.</content>
internal sealed partial class SqsService
{
    /// <summary>How often a task that moves messages does some of its work, and how many a second it moves unless it is told.</summary>
    private static readonly TimeSpan MoveStep = TimeSpan.FromSeconds(1);
    private const int MovesPerSecond = 500;
    private const int MostTasksListed = 10;

    private void AddMoves()
    {
        On("StartMessageMoveTask", StartMove);
        On("ListMessageMoveTasks", (context, input) =>
        {
            var source = Movable(context, input.Required("SourceArn"));
            var most = input.Int("MaxResults") ?? 1;
            if (most is < 1 or > MostTasksListed)
            {
                throw new ServiceFault("InvalidParameterValue", $"Value {most} for parameter MaxResults is invalid. Reason: Must be between 1 and {MostTasksListed}, if provided.");
            }
            return new JsonObject { ["Results"] = Moves(context).Where(task => task.Text("SourceArn") == source.Arn).OrderByDescending(static task => task.Long("_Number")).Take(most).Select(static task =>
            {
                var shown = task.Copy();
                if (task.Text("Status") != "RUNNING")
                {
                    // Only a task that runs can be cancelled, and tells what to do so with.
                    shown.Remove("TaskHandle");
                }
                return shown;
            }).ToJsonList() };
        });
        On("CancelMessageMoveTask", (context, input) =>
        {
            var handle = input.Required("TaskHandle");
            if (Moves(context).Get(handle) is not { } task || task.Text("Status") != "RUNNING")
            {
                throw new ServiceFault("ResourceNotFoundException", "Task does not exist.", 404);
            }
            Moves(context).Update(handle, static document => document["Status"] = "CANCELLED");
            return new JsonObject { ["ApproximateNumberOfMessagesMoved"] = task["ApproximateNumberOfMessagesMoved"].Copy() };
        });
        On("AddPermission", (context, input) =>
        {
            var queue = Queue(context, input);
            var statements = Statements(queue);
            if (statements.OfType<JsonObject>().Any(item => item.Text("Sid") == input.Text("Label")))
            {
                throw new ServiceFault("InvalidParameterValue", $"Value {input.Text("Label")} for parameter Label is invalid. Reason: Already exists.");
            }
            statements.Add((JsonNode)new JsonObject
            {
                ["Sid"] = input.Text("Label"),
                ["Effect"] = "Allow",
                ["Principal"] = new JsonObject { ["AWS"] = input.Texts("AWSAccountIds").Select(account => $"arn:{context.Partition}:iam::{account}:root").ToTextList() },
                ["Action"] = input.Texts("Actions").Select(static action => "SQS:" + action).ToTextList(),
                ["Resource"] = queue.Arn,
            });
            SetStatements(context, queue, statements);
            return [];
        });
        On("RemovePermission", (context, input) =>
        {
            var queue = Queue(context, input);
            var statements = Statements(queue);
            var found = statements.OfType<JsonObject>().FirstOrDefault(item => item.Text("Sid") == input.Text("Label"))
                ?? throw new ServiceFault("InvalidParameterValue", $"Value {input.Text("Label")} for parameter Label is invalid. Reason: can't find label on existing policy.");
            statements.Remove(found);
            SetStatements(context, queue, statements);
            return [];
        });
    }

    private Collection Moves(RequestContext context) => Collection(context, "moves");

    private static JsonArray Statements(MessageQueue queue) => queue.Attribute("Policy") is { Length: > 0 } policy && (PolicyDocument.AsObject(policy) as JsonObject)?["Statement"] is { } present
        ? present is JsonArray list ? (JsonArray)list.DeepClone() : new JsonArray(present.DeepClone()) : [];

    private static void SetStatements(RequestContext context, MessageQueue queue, JsonArray statements) => queue.Set(new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["Policy"] = statements.Count == 0 ? "" : new JsonObject { ["Version"] = "2012-10-17", ["Id"] = queue.Arn + "/SQSDefaultPolicy", ["Statement"] = statements }.ToJsonString(),
    }, context.Now);

    private MessageQueue Movable(RequestContext context, string arn) => ByArn(arn) is { } queue && queue.Key.Account == context.AccountId && queue.Key.Region == context.Region ? queue
        : throw new ServiceFault("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.", 404);

    private JsonObject StartMove(RequestContext context, JsonObject input)
    {
        var source = Movable(context, input.Required("SourceArn"));
        if (!queues.Values.Any(queue => queue.DeadLetter?.Arn == source.Arn))
        {
            throw new ServiceFault("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.");
        }
        if (input.Text("DestinationArn") is { } destination && (ByArn(destination) is not { } to || to.IsFifo != source.IsFifo))
        {
            throw new ServiceFault("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist, or is of another kind.", 404);
        }
        if (input.Int("MaxNumberOfMessagesPerSecond") is < 1 or > MovesPerSecond)
        {
            throw new ServiceFault("InvalidParameterValue", $"MaxNumberOfMessagesPerSecond must be between 1 and {MovesPerSecond}.");
        }
        if (Moves(context).Any(task => task.Text("SourceArn") == source.Arn && task.Text("Status") == "RUNNING"))
        {
            throw new ServiceFault("InvalidParameterValue", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
        }
        var handle = Runtime.Ids.UrlSafe(64);
        Moves(context).Put(handle, new JsonObject
        {
            ["TaskHandle"] = handle,
            ["Status"] = "RUNNING",
            ["SourceArn"] = source.Arn,
            ["ApproximateNumberOfMessagesMoved"] = 0,
            ["ApproximateNumberOfMessagesToMove"] = int.Parse(source.Describe(context)["ApproximateNumberOfMessages"], System.Globalization.CultureInfo.InvariantCulture),
            ["StartedTimestamp"] = context.Now.ToUnixTimeMilliseconds(),
            ["_Number"] = Moves(context).Count,
        }.Take(input, "DestinationArn", "MaxNumberOfMessagesPerSecond"));
        Move(context.Detached(), source, handle);
        return new JsonObject { ["TaskHandle"] = handle };
    }

    /// <summary>Some of a task's messages each second, until there are none.</summary>
    private void Move(RequestContext context, MessageQueue source, string handle) => Runtime.After(MoveStep, () =>
    {
        if (Moves(context).Get(handle) is not { } task || task.Text("Status") != "RUNNING")
        {
            return;
        }
        var moved = source.Move(task.Int("MaxNumberOfMessagesPerSecond") ?? MovesPerSecond, context.Now, task.Text("DestinationArn"));
        var isLast = moved == 0;
        Moves(context).Update(handle, document =>
        {
            document["ApproximateNumberOfMessagesMoved"] = document.Long("ApproximateNumberOfMessagesMoved") + moved;
            document["Status"] = isLast ? "COMPLETED" : "RUNNING";
        });
        if (!isLast)
        {
            Move(context, source, handle);
        }
    });
}
