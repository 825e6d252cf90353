using System.Diagnostics;
using Inferloop.Tests.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Fuzz;

/// <summary>What fuzzing found, once more by name.</summary>
public sealed class FoundByFuzzingTests : ServiceTestBase
{
    [Fact]
    public async Task A_parameter_s_name_is_read_in_a_time_that_its_length_bounds()
    {
        var started = Stopwatch.GetTimestamp();
        var fault = await Fails("ssm", "PutParameter", """{"Name":"aws/codebuild/amazonlinux-x86_64-standard:5.0","Value":"x","Type":"String"}""");
        Assert.Equal("ValidationException", fault.Code);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
        await Call("ssm", "PutParameter", """{"Name":"/a/b.c/d-e","Value":"x","Type":"String"}""");
    }

    [Theory]
    [InlineData("(")]
    [InlineData("^(a+)+$")]
    public async Task A_parameter_s_pattern_that_cannot_be_used_is_its_caller_s_mistake(string pattern) => Assert.Equal(
        "InvalidAllowedPatternException",
        (await Fails("ssm", "PutParameter", $$"""{"Name":"patterned","Value":"{{new string('a', 40)}}!","Type":"String","AllowedPattern":"{{pattern}}"}""")).Code);

    [Fact]
    public async Task No_message_is_waited_for_longer_than_SQS_waits()
    {
        var url = (string)(await Call("sqs", "CreateQueue", """{"QueueName":"q"}"""))["QueueUrl"]!;
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{url}}","WaitTimeSeconds":183}""")).Code);
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{url}}","VisibilityTimeout":-1}""")).Code);
        Assert.Equal("InvalidParameterValue", (await Fails("sqs", "SendMessage", $$"""{"QueueUrl":"{{url}}","MessageBody":"x","DelaySeconds":901}""")).Code);
    }

    [Fact]
    public async Task Metric_data_of_no_query_is_refused() => Assert.Equal(
        "ValidationError",
        (await Fails("cloudwatch", "GetMetricData", """{"MetricDataQueries":[],"StartTime":"2026-01-01T00:00:00Z","EndTime":"2026-01-02T00:00:00Z"}""")).Code);

    [Fact]
    public async Task A_filter_pattern_takes_no_longer_than_its_message_is_long()
    {
        await Call("logs", "CreateLogGroup", """{"logGroupName":"g"}""");
        await Call("logs", "CreateLogStream", """{"logGroupName":"g","logStreamName":"s"}""");
        await Call("logs", "PutLogEvents", $$"""{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":{{Runtime.Clock.Now.ToUnixTimeMilliseconds()}},"message":"{{new string('a', 5_000)}}!"}]}""");
        var started = Stopwatch.GetTimestamp();
        Assert.Empty((await Call("logs", "FilterLogEvents", """{"logGroupName":"g","filterPattern":"%^(a+)+$%"}"""))["events"]!.AsArray());
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
        Assert.Equal("InvalidParameterException", (await Fails("logs", "FilterLogEvents", """{"logGroupName":"g","filterPattern":"%(?=a)%"}""")).Code);
    }
}
