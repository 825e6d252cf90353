using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Messages that died, and how an operator brings them back.</summary>
public sealed class QueueMoveTests : ServiceTestBase
{
    private async Task<string> Queue(string name, string attributes = "{}") => (await Call("sqs", "CreateQueue", $$"""{"QueueName":"{{name}}","Attributes":{{attributes}}}""")).Required("QueueUrl");

    private static string Arn(string name) => "arn:aws:sqs:us-east-1:123456789012:" + name;

    private async Task<List<string>> Receive(string url) => [.. (await Call("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{url}}","MaxNumberOfMessages":10,"VisibilityTimeout":0}""")).Objects("Messages").Select(static message => message.Required("Body"))];

    private async Task<(string Work, string Dead)> Died(int count)
    {
        var dead = await Queue("dead");
        var work = await Queue("work", new JsonObject { ["RedrivePolicy"] = $$"""{"deadLetterTargetArn":"{{Arn("dead")}}","maxReceiveCount":1}""" }.ToJsonString());
        for (var i = 0; i < count; i++)
        {
            await Call("sqs", "SendMessage", $$"""{"QueueUrl":"{{work}}","MessageBody":"{{i}}"}""");
        }
        while ((await Receive(work)).Count > 0)
        {
        }
        return (work, dead);
    }

    private async Task<JsonObject> Task1() => (await Call("sqs", "ListMessageMoveTasks", $$"""{"SourceArn":"{{Arn("dead")}}"}""")).Objects("Results").Single();

    [Fact]
    public async Task Dead_letters_go_back_where_they_came_from()
    {
        var (work, dead) = await Died(3);
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "StartMessageMoveTask", $$"""{"SourceArn":"{{Arn("work")}}"}""")).Code);
        Assert.Equal("ResourceNotFoundException", (await Fails("sqs", "StartMessageMoveTask", $$"""{"SourceArn":"{{Arn("none")}}"}""")).Code);
        await Call("sqs", "StartMessageMoveTask", $$"""{"SourceArn":"{{Arn("dead")}}"}""");
        Assert.Equal(("RUNNING", 3), ((await Task1()).Text("Status"), (await Task1()).Int("ApproximateNumberOfMessagesToMove")));
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "StartMessageMoveTask", $$"""{"SourceArn":"{{Arn("dead")}}"}""")).Code);
        Pass(TimeSpan.FromSeconds(3));
        var done = await Task1();
        Assert.Equal(("COMPLETED", 3, false), (done.Text("Status"), done.Int("ApproximateNumberOfMessagesMoved"), done.Has("TaskHandle")));
        Assert.Empty(await Receive(dead));
        Assert.Equal(["0", "1", "2"], await Receive(work));
    }

    [Fact]
    public async Task A_slow_move_to_another_queue_is_cancelled_on_its_way()
    {
        await Died(5);
        var other = await Queue("other");
        var handle = (await Call("sqs", "StartMessageMoveTask", $$"""{"SourceArn":"{{Arn("dead")}}","DestinationArn":"{{Arn("other")}}","MaxNumberOfMessagesPerSecond":1}""")).Required("TaskHandle");
        Pass(TimeSpan.FromSeconds(2.5));
        Assert.Equal(2, (await Call("sqs", "CancelMessageMoveTask", $$"""{"TaskHandle":"{{handle}}"}""")).Int("ApproximateNumberOfMessagesMoved"));
        Pass(TimeSpan.FromSeconds(5));
        Assert.Equal(2, (await Receive(other)).Count);
        Assert.Equal("CANCELLED", (await Task1()).Text("Status"));
        Assert.Equal("ResourceNotFoundException", (await Fails("sqs", "CancelMessageMoveTask", $$"""{"TaskHandle":"{{handle}}"}""")).Code);
    }

    [Fact]
    public async Task Permissions_have_labels()
    {
        var url = await Queue("work");
        var add = $$"""{"QueueUrl":"{{url}}","Label":"partner","AWSAccountIds":["111122223333"],"Actions":["SendMessage"]}""";
        await Call("sqs", "AddPermission", add);
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "AddPermission", add)).Code);
        async Task<string?> Policy() => (await Call("sqs", "GetQueueAttributes", $$"""{"QueueUrl":"{{url}}","AttributeNames":["Policy"]}""")).Child("Attributes")?.Text("Policy");
        var statement = JsonNode.Parse((await Policy())!)!["Statement"]![0]!;
        Assert.Equal(("partner", "SQS:SendMessage", "arn:aws:iam::111122223333:root"), ((string?)statement["Sid"], (string?)statement["Action"]![0], (string?)statement["Principal"]!["AWS"]![0]));
        await Call("sqs", "RemovePermission", $$"""{"QueueUrl":"{{url}}","Label":"partner"}""");
        Assert.Null(await Policy());
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "RemovePermission", $$"""{"QueueUrl":"{{url}}","Label":"partner"}""")).Code);
    }
}
