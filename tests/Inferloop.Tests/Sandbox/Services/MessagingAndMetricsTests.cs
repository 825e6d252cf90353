using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services.Logs;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>SQS, SNS, CloudWatch and its logs, ECR.</summary>
public sealed class MessagingAndMetricsTests : ServiceTestBase
{
    private async Task<string> Queue(string name, string attributes = "{}") => (string)(await Call("sqs", "CreateQueue", $$"""{"QueueName":"{{name}}","Attributes":{{attributes}}}"""))["QueueUrl"]!;

    private async Task<JsonArray> Receive(string url) => (await Call("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{url}}","MaxNumberOfMessages":10,"AttributeNames":["All"]}"""))["Messages"]!.AsArray();

    [Fact]
    public async Task A_message_not_deleted_comes_back_and_ends_in_the_dead_letter_queue()
    {
        var dead = await Queue("dead");
        var url = await Queue("jobs", """{"VisibilityTimeout":"30","RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:123456789012:dead\",\"maxReceiveCount\":\"2\"}"}""");
        await Call("sqs", "SendMessage", $$"""{"QueueUrl":"{{url}}","MessageBody":"job 1"}""");
        Assert.Single(await Receive(url));
        Assert.Empty(await Receive(url));
        Pass(TimeSpan.FromSeconds(31));
        Assert.Equal("2", (string?)Assert.Single(await Receive(url))!["Attributes"]!["ApproximateReceiveCount"]);
        Pass(TimeSpan.FromSeconds(31));
        Assert.Empty(await Receive(url));
        var message = Assert.Single(await Receive(dead))!;
        Assert.Equal("job 1", (string?)message["Body"]);
        await Call("sqs", "DeleteMessage", $$"""{"QueueUrl":"{{dead}}","ReceiptHandle":"{{message["ReceiptHandle"]}}"}""");
        Pass(TimeSpan.FromSeconds(31));
        Assert.Empty(await Receive(dead));
    }

    [Fact]
    public async Task An_alarm_set_to_ALARM_reaches_the_queue_that_listens_to_its_topic()
    {
        var url = await Queue("alerts");
        var topic = (string)(await Call("sns", "CreateTopic", """{"Name":"alerts"}"""))["TopicArn"]!;
        await Call("sns", "Subscribe", $$"""{"TopicArn":"{{topic}}","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:123456789012:alerts"}""");
        await Call("cloudwatch", "PutMetricAlarm", $$"""{"AlarmName":"cpu","MetricName":"CPUUtilization","Namespace":"AWS/ECS","Statistic":"Average","Period":60,"EvaluationPeriods":2,"Threshold":90,"ComparisonOperator":"GreaterThanThreshold","AlarmActions":["{{topic}}"]}""");
        await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"cpu","StateValue":"ALARM","StateReason":"test"}""");
        var envelope = JsonNode.Parse((string)Assert.Single(await Receive(url))!["Body"]!)!;
        Assert.Equal("ALARM: \"cpu\" in US East (N. Virginia)", (string?)envelope["Subject"]);
        Assert.Equal("ALARM", (string?)JsonNode.Parse((string)envelope["Message"]!)!["NewStateValue"]);
    }

    [Fact]
    public async Task Metric_data_is_aggregated_by_period()
    {
        var start = Runtime.Clock.Now;
        foreach (var (offset, value) in new[] { (0, 10), (20, 30), (70, 50) })
        {
            await Call("cloudwatch", "PutMetricData", $$"""{"Namespace":"App","MetricData":[{"MetricName":"Latency","Dimensions":[{"Name":"Service","Value":"x"}],"Value":{{value}},"Timestamp":"{{Minute(start).AddSeconds(offset):O}}"}]}""");
        }
        var answer = await Call("cloudwatch", "GetMetricStatistics", $$"""{"Namespace":"App","MetricName":"Latency","Dimensions":[{"Name":"Service","Value":"x"}],"StartTime":"{{Minute(start):O}}","EndTime":"{{Minute(start).AddMinutes(5):O}}","Period":60,"Statistics":["Average","Maximum","SampleCount"],"ExtendedStatistics":["p50"]}""");
        var points = answer["Datapoints"]!.AsArray();
        Assert.Equal([20.0, 50.0], points.Select(point => (double)point!["Average"]!));
        Assert.Equal([30.0, 50.0], points.Select(point => (double)point!["Maximum"]!));
        Assert.Equal(10.0, (double)points[0]!["ExtendedStatistics"]!["p50"]!);
    }

    private static DateTimeOffset Minute(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds() / 60 * 60);

    [Fact]
    public async Task Log_events_are_found_by_time_and_pattern()
    {
        await Call("logs", "CreateLogGroup", """{"logGroupName":"/demo/app"}""");
        await Call("logs", "CreateLogStream", """{"logGroupName":"/demo/app","logStreamName":"one"}""");
        var now = Runtime.Clock.Now.ToUnixTimeMilliseconds();
        await Call("logs", "PutLogEvents", $$"""{"logGroupName":"/demo/app","logStreamName":"one","logEvents":[{"timestamp":{{now - 1000}},"message":"INFO started"},{"timestamp":{{now}},"message":"ERROR broken pipe"}]}""");
        var found = (await Call("logs", "FilterLogEvents", """{"logGroupName":"/demo/app","filterPattern":"ERROR -timeout"}"""))["events"]!.AsArray();
        Assert.Equal("ERROR broken pipe", (string?)Assert.Single(found)!["message"]);
        var head = await Call("logs", "GetLogEvents", """{"logGroupName":"/demo/app","logStreamName":"one","startFromHead":true,"limit":1}""");
        var next = await Call("logs", "GetLogEvents", $$"""{"logGroupName":"/demo/app","logStreamName":"one","startFromHead":true,"limit":1,"nextToken":"{{head["nextForwardToken"]}}"}""");
        Assert.Equal(["INFO started", "ERROR broken pipe"], new[] { head, next }.Select(page => (string?)page["events"]![0]!["message"]));
        Assert.Equal("InvalidParameterException", (await Fails("logs", "PutRetentionPolicy", """{"logGroupName":"/demo/app","retentionInDays":31}""")).Code);
    }

    [Theory]
    [InlineData("", "anything", true)]
    [InlineData("ERROR", "an ERROR here", true)]
    [InlineData("?ERROR ?WARN", "a WARN here", true)]
    [InlineData("\"broken pipe\" -retry", "broken pipe, retry", false)]
    [InlineData("%^\\d+ ms$%", "120 ms", true)]
    [InlineData("{ $.level = \"ERR*\" && $.ms > 100 }", "{\"level\":\"ERROR\",\"ms\":120}", true)]
    [InlineData("{ $.level = \"ERROR\" && $.ms > 100 }", "{\"level\":\"ERROR\",\"ms\":20}", false)]
    [InlineData("{ $.a.b NOT EXISTS }", "{\"a\":{}}", true)]
    [InlineData("{ $.a = 1 }", "not json", false)]
    public void Filter_patterns_match(string pattern, string message, bool expected) => Assert.Equal(expected, FilterPattern.Parse(pattern).Matches(message));

    [Fact]
    public async Task An_image_is_known_by_its_tags_and_a_full_repository_is_not_deleted()
    {
        await Call("ecr", "CreateRepository", """{"repositoryName":"inferloop/synthdata","imageTagMutability":"IMMUTABLE"}""");
        await Call("ecr", "PutImage", """{"repositoryName":"inferloop/synthdata","imageTag":"v1","imageManifest":"{\"schemaVersion\":2,\"layers\":[{\"size\":10}]}"}""");
        Assert.Equal("ImageTagAlreadyExistsException", (await Fails("ecr", "PutImage", """{"repositoryName":"inferloop/synthdata","imageTag":"v1","imageManifest":"{\"schemaVersion\":2,\"layers\":[{\"size\":11}]}"}""")).Code);
        Assert.Equal(10L, (long)(await Call("ecr", "DescribeImages", """{"repositoryName":"inferloop/synthdata","imageIds":[{"imageTag":"v1"}]}"""))["imageDetails"]![0]!["imageSizeInBytes"]!);
        Assert.Equal("RepositoryNotEmptyException", (await Fails("ecr", "DeleteRepository", """{"repositoryName":"inferloop/synthdata"}""")).Code);
        await Call("ecr", "DeleteRepository", """{"repositoryName":"inferloop/synthdata","force":true}""");
    }
}
