using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services;
using Inferloop.Sandbox.Services.Lambda;

namespace Inferloop.Tests.Sandbox.Services.Data;

/// <summary>A function that reads a table's stream: batches, filters, retries, and where records go that it never took.</summary>
public sealed class StreamFunctionTests : ServiceTestBase
{
    private const string Trust = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}""";

    /// <summary>A zip archive with one file, <c>a.py</c>.</summary>
    private const string Package = "UEsDBBQAAAAAAEd+d10xB3uTEAAAABAAAAAEAAAAYS5weWRlZiBiKGUsYyk6IHBhc3NQSwECFAMUAAAAAABHfnddMQd7kxAAAAAQAAAABAAAAAAAAAAAAAAAgAEAAAAAYS5weVBLBQYAAAAAAQABADIAAAAyAAAAAAA=";

    private string stream = "";
    private string mapping = "";

    private async Task SetUp(string settings, string behaviour = "")
    {
        await Call("dynamodb", "CreateTable", """
            {"TableName":"orders","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
             "BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}
            """);
        await Call("iam", "CreateRole", new JsonObject { ["RoleName"] = "reader", ["AssumeRolePolicyDocument"] = Trust }.ToJsonString());
        await Call("iam", "AttachRolePolicy", """{"RoleName":"reader","PolicyArn":"arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"}""");
        await Call("sqs", "CreateQueue", """{"QueueName":"dead"}""");
        var function = new JsonObject
        {
            ["FunctionName"] = "reader", ["Runtime"] = "python3.13", ["Handler"] = "a.b", ["Role"] = "arn:aws:iam::123456789012:role/reader", ["Code"] = new JsonObject { ["ZipFile"] = Package },
        };
        if (behaviour.Length > 0)
        {
            function["Tags"] = new JsonObject { [FunctionBehaviour.Tag] = behaviour };
        }
        Pass(TimeSpan.FromMinutes(1));
        await Call("lambda", "CreateFunction", function.ToJsonString());
        Pass(TimeSpan.FromMinutes(1));
        stream = (string)(await Call("dynamodb", "DescribeTable", """{"TableName":"orders"}"""))["Table"]!["LatestStreamArn"]!;
        var input = (JsonObject)JsonNode.Parse(settings)!;
        (input["EventSourceArn"], input["FunctionName"]) = (stream, "reader");
        input["StartingPosition"] ??= "TRIM_HORIZON";
        mapping = (string)(await Call("lambda", "CreateEventSourceMapping", input.ToJsonString()))["UUID"]!;
    }

    private Task<JsonObject> Put(string id, string kind = "order") => Call("dynamodb", "PutItem", $$$"""{"TableName":"orders","Item":{"id":{"S":"{{{id}}}"},"kind":{"S":"{{{kind}}}"} } }""");

    /// <summary>The ids of the records of each invocation.</summary>
    private List<string> Batches() => Runtime.Service<LambdaService>().Invocations(Context, "reader")
        .Select(run => string.Join(",", ((JsonObject)JsonNode.Parse(run.Required("Payload"))!).Objects("Records").Select(record => (string?)record["dynamodb"]!["Keys"]!["id"]!["S"]))).ToList();

    /// <summary>Lets sandbox time pass until the poller, which works in the background, has come so far.</summary>
    private async Task Until(Func<bool> done)
    {
        for (var i = 0; i < 2000 && !done(); i++)
        {
            Pass(TimeSpan.FromSeconds(1));
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
        Assert.True(done(), "In 2000 s: " + string.Join(" | ", Batches()) + " " + (await Call("lambda", "GetEventSourceMapping", $$"""{"UUID":"{{mapping}}"}""")).ToJsonString());
    }

    [Fact]
    public async Task Records_arrive_in_order_in_batches_of_the_size_asked_for()
    {
        await SetUp("""{"BatchSize":2}""");
        foreach (var id in (string[])["a", "b", "c", "d", "e"])
        {
            await Put(id);
        }
        await Until(() => string.Join(",", Batches()) == "a,b,c,d,e");
        Assert.Equal(["a,b", "c,d", "e"], Batches());
        var record = ((JsonObject)JsonNode.Parse(Runtime.Service<LambdaService>().Invocations(Context, "reader")[0].Required("Payload"))!).Objects("Records").First();
        Assert.Equal(stream, record.Text("eventSourceARN"));
        Assert.Equal("INSERT", record.Text("eventName"));
        Assert.Equal("order", (string?)record["dynamodb"]!["NewImage"]!["kind"]!["S"]);
    }

    [Fact]
    public async Task A_window_gathers_what_comes_within_it()
    {
        await SetUp("""{"BatchSize":10,"MaximumBatchingWindowInSeconds":60}""");
        await Put("a");
        Pass(TimeSpan.FromSeconds(20));
        await Put("b");
        await Until(() => Batches().Count > 0);
        Assert.Equal("a,b", Assert.Single(Batches()));
    }

    [Fact]
    public async Task A_filter_keeps_records_from_the_function()
    {
        await SetUp("""{"FilterCriteria":{"Filters":[{"Pattern":"{\"eventName\":[\"INSERT\"],\"dynamodb\":{\"NewImage\":{\"kind\":{\"S\":[\"alarm\"]}}}}"}]}}""");
        await Put("a");
        await Put("b", "alarm");
        await Put("c");
        await Put("d", "alarm");
        await Until(() => Batches().Count > 0);
        Assert.Equal("b,d", string.Join(",", Batches()));
    }

    [Fact]
    public async Task A_failing_batch_is_retried_and_then_told_to_the_destination_while_the_stream_moves_on()
    {
        await SetUp("""{"BatchSize":1,"MaximumRetryAttempts":2,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:dead"}}}""", "outcome=error");
        await Put("bad");
        await Until(() => Batches().Count == 3);
        await Put("next");
        await Until(() => Batches().Count == 6);
        Assert.Equal(["bad", "bad", "bad", "next", "next", "next"], Batches());
        JsonObject[] messages = [];
        await Until(() =>
        {
            messages = [.. messages, .. Call("sqs", "ReceiveMessage", """{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/dead","MaxNumberOfMessages":10}""").GetAwaiter().GetResult().Objects("Messages")];
            return messages.Length >= 2;
        });
        var told = (JsonObject)JsonNode.Parse(messages[0].Required("Body"))!;
        Assert.Equal("RetryAttemptsExhausted", told.Child("requestContext")!.Text("condition"));
        Assert.Equal(3, told.Child("requestContext")!.Int("approximateInvokeCount"));
        Assert.Equal(stream, told.Child("DDBStreamBatchInfo")!.Text("streamArn"));
        Assert.Equal(1, told.Child("DDBStreamBatchInfo")!.Int("batchSize"));
    }

    [Fact]
    public async Task A_bisected_batch_ends_with_single_records()
    {
        await SetUp("""{"BatchSize":4,"MaximumRetryAttempts":0,"BisectBatchOnFunctionError":true}""", "outcome=error");
        foreach (var id in (string[])["a", "b", "c", "d"])
        {
            await Put(id);
        }
        await Until(() => Batches().Count >= 3);
        Assert.Equal(["a,b,c,d", "a,b", "a"], Batches().Take(3));
    }

    [Fact]
    public async Task Records_too_old_are_given_up()
    {
        await SetUp("""{"MaximumRecordAgeInSeconds":60,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:dead"}}}""", "outcome=error");
        await Put("bad");
        JsonObject? message = null;
        await Until(() => (message ??= Call("sqs", "ReceiveMessage", """{"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/dead"}""").GetAwaiter().GetResult().Objects("Messages").FirstOrDefault()) is not null);
        Assert.Equal("RecordAgeExceeded", (string?)JsonNode.Parse(message!.Required("Body"))!["requestContext"]!["condition"]);
    }

    [Fact]
    public async Task A_function_that_names_failed_items_gets_them_and_what_follows_again()
    {
        // The payload must name the second record's sequence number: known only after it is written, so the tag is set then.
        await SetUp("""{"BatchSize":10,"FunctionResponseTypes":["ReportBatchItemFailures"],"Enabled":false}""");
        await Put("a");
        await Put("b");
        await Put("c");
        var shard = (string)(await Call("dynamodbstreams", "DescribeStream", $$"""{"StreamArn":"{{stream}}"}"""))["StreamDescription"]!["Shards"]![0]!["ShardId"]!;
        var iterator = (string)(await Call("dynamodbstreams", "GetShardIterator", $$"""{"StreamArn":"{{stream}}","ShardId":"{{shard}}","ShardIteratorType":"TRIM_HORIZON"}"""))["ShardIterator"]!;
        var second = (string)(await Call("dynamodbstreams", "GetRecords", new JsonObject { ["ShardIterator"] = iterator }.ToJsonString()))["Records"]![1]!["dynamodb"]!["SequenceNumber"]!;
        var payload = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($$"""{"batchItemFailures":[{"itemIdentifier":"{{second}}"}]}""")).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        const string Function = "arn:aws:lambda:us-east-1:123456789012:function:reader";
        await Call("lambda", "TagResource", new JsonObject { ["Resource"] = Function, ["Tags"] = new JsonObject { [FunctionBehaviour.Tag] = "payload=" + payload } }.ToJsonString());
        Pass(TimeSpan.FromMinutes(2));
        await Call("lambda", "UpdateEventSourceMapping", $$"""{"UUID":"{{mapping}}","Enabled":true}""");
        await Until(() => Batches().Count >= 2);
        Assert.Equal(["a,b,c", "b,c"], Batches().Take(2));
        await Call("lambda", "UntagResource", new JsonObject { ["Resource"] = Function, ["TagKeys"] = new JsonArray(FunctionBehaviour.Tag) }.ToJsonString());
        await Put("d");
        await Until(() => Batches()[^1].EndsWith('d'));
    }

    [Fact]
    public async Task A_reader_goes_on_across_shards_and_from_LATEST_sees_only_what_is_new()
    {
        await SetUp("""{"StartingPosition":"LATEST"}""");
        await Put("before");
        await Until(() => Call("lambda", "GetEventSourceMapping", $$"""{"UUID":"{{mapping}}"}""").GetAwaiter().GetResult().Text("State") == "Enabled");
        for (var i = 0; i < 3; i++)
        {
            // The poller needs a turn to take its place at the end of the stream.
            Pass(TimeSpan.FromSeconds(6));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await Put("one");
        await Until(() => Batches().Contains("one"));
        Pass(TimeSpan.FromHours(5));
        await Put("two");
        await Until(() => Batches().Contains("two"));
        Assert.Equal(["one", "two"], Batches());
    }
}
