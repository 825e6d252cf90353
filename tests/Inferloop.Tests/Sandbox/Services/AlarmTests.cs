using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Alarms that evaluate on the clock, and what they set going.</summary>
public sealed class AlarmTests : ServiceTestBase
{
    private CloudWatchService Publisher => Runtime.Service<CloudWatchService>();

    /// <summary>The table of CloudWatch's guide: three of three data points, an evaluation range of five, oldest first.</summary>
    [Theory]
    [InlineData("0-X-X", "OK", "OK", "OK", "OK")]
    [InlineData("0----", "OK", "OK", "OK", "OK")]
    [InlineData("-----", "INSUFFICIENT_DATA", "keep", "ALARM", "OK")]
    [InlineData("0XX-X", "ALARM", "ALARM", "ALARM", "ALARM")]
    [InlineData("--X--", "ALARM", "keep", "ALARM", "OK")]
    public void Missing_data_is_treated_as_the_guide_says(string range, string missing, string ignore, string breaching, string notBreaching)
    {
        var newestFirst = range.Reverse().Select((c, i) => c == '-' ? null : new Datum(1000 - i, c == 'X' ? 9 : 1, c == 'X')).ToList();
        var alarm = new JsonObject { ["ComparisonOperator"] = "GreaterThanThreshold", ["Threshold"] = 5 };
        string State(string treatment) => AlarmVerdict.Of(newestFirst, 3, 3, treatment, "keep", alarm).State;
        Assert.Equal([missing, ignore, breaching, notBreaching], new[] { "missing", "ignore", "breaching", "notBreaching" }.Select(State));
    }

    private async Task<string> State(string name, string type = "MetricAlarm") =>
        (string)(await Call("cloudwatch", "DescribeAlarms", $$"""{"AlarmNames":["{{name}}"],"AlarmTypes":["{{type}}"]}"""))[type + "s"]![0]!["StateValue"]!;

    /// <summary>Publishes a value each minute.</summary>
    private void Minutes(int count, double value, string metric = "CPUUtilization")
    {
        for (var i = 0; i < count; i++)
        {
            Publisher.Publish(Context, "AWS/ECS", metric, value, "Percent", ("ClusterName", "c"), ("ServiceName", "s"));
            Pass(TimeSpan.FromMinutes(1));
        }
    }

    private const string Cpu = """
        "MetricName":"CPUUtilization","Namespace":"AWS/ECS","Dimensions":[{"Name":"ServiceName","Value":"s"},{"Name":"ClusterName","Value":"c"}],"Statistic":"Average","Period":60,"EvaluationPeriods":2,"Threshold":90,"ComparisonOperator":"GreaterThanThreshold"
        """;

    [Fact]
    public async Task An_alarm_follows_its_metric_tells_its_topic_and_keeps_its_history()
    {
        var url = (string)(await Call("sqs", "CreateQueue", """{"QueueName":"alerts"}"""))["QueueUrl"]!;
        var topic = (string)(await Call("sns", "CreateTopic", """{"Name":"alerts"}"""))["TopicArn"]!;
        await Call("sns", "Subscribe", $$"""{"TopicArn":"{{topic}}","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:123456789012:alerts"}""");
        await Call("cloudwatch", "PutMetricAlarm", $$"""{"AlarmName":"cpu",{{Cpu}},"AlarmActions":["{{topic}}"],"OKActions":["{{topic}}"]}""");
        Assert.Equal("INSUFFICIENT_DATA", await State("cpu"));
        Minutes(4, 50);
        Assert.Equal("OK", await State("cpu"));
        Minutes(1, 95);
        Assert.Equal("OK", await State("cpu"));
        Minutes(2, 96);
        Assert.Equal("ALARM", await State("cpu"));
        Minutes(3, 10);
        Assert.Equal("OK", await State("cpu"));
        var messages = (await Call("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{url}}","MaxNumberOfMessages":10}"""))["Messages"]!.AsArray()
            .Select(message => JsonNode.Parse((string)JsonNode.Parse((string)message!["Body"]!)!["Message"]!)!).ToList();
        Assert.Equal(["INSUFFICIENT_DATA>OK", "OK>ALARM", "ALARM>OK"], messages.Select(message => $"{message["OldStateValue"]}>{message["NewStateValue"]}"));
        Assert.StartsWith("Threshold Crossed: 2 out of the last 2 datapoints [96.0 (", (string)messages[1]["NewStateReason"]!, StringComparison.Ordinal);
        Assert.Equal("CPUUtilization", (string?)messages[1]["Trigger"]!["MetricName"]);
        var history = (await Call("cloudwatch", "DescribeAlarmHistory", """{"AlarmName":"cpu","HistoryItemType":"StateUpdate","ScanBy":"TimestampAscending"}"""))["AlarmHistoryItems"]!.AsArray();
        Assert.Equal(["Alarm updated from INSUFFICIENT_DATA to OK", "Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"], history.Select(item => (string?)item!["HistorySummary"]));
    }

    [Fact]
    public async Task A_state_set_by_hand_lasts_until_the_next_evaluation()
    {
        await Call("cloudwatch", "PutMetricAlarm", $$"""{"AlarmName":"cpu",{{Cpu}}}""");
        Minutes(4, 50);
        await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"cpu","StateValue":"ALARM","StateReason":"drill"}""");
        Assert.Equal("ALARM", await State("cpu"));
        Minutes(1, 50);
        Assert.Equal("OK", await State("cpu"));
    }

    [Fact]
    public async Task An_error_rate_is_an_alarm_of_metric_math()
    {
        await Call("cloudwatch", "PutMetricAlarm", """
            {"AlarmName":"errors","EvaluationPeriods":1,"Threshold":5,"ComparisonOperator":"GreaterThanThreshold","TreatMissingData":"notBreaching","Metrics":[
              {"Id":"rate","Expression":"IF(all > 100, 100 * FILL(bad, 0) / all, 0)","ReturnData":true},
              {"Id":"bad","MetricStat":{"Metric":{"Namespace":"App","MetricName":"Errors"},"Period":60,"Stat":"Sum"},"ReturnData":false},
              {"Id":"all","MetricStat":{"Metric":{"Namespace":"App","MetricName":"Requests"},"Period":60,"Stat":"Sum"},"ReturnData":false}]}
            """);
        async Task Minute(int requests, int errors)
        {
            await Call("cloudwatch", "PutMetricData", $$"""{"Namespace":"App","MetricData":[{"MetricName":"Requests","Value":{{requests}}}{{(errors > 0 ? $$""",{"MetricName":"Errors","Value":{{errors}}}""" : "")}}]}""");
            Pass(TimeSpan.FromMinutes(1));
        }
        await Minute(200, 0);
        await Minute(200, 5);
        Assert.Equal("OK", await State("errors"));
        await Minute(50, 50);
        await Minute(50, 50);
        Assert.Equal("OK", await State("errors"));
        await Minute(200, 20);
        await Minute(200, 20);
        Assert.Equal("ALARM", await State("errors"));
    }

    [Fact]
    public async Task A_composite_alarm_holds_by_its_rule_and_is_kept_still_by_its_suppressor()
    {
        var topic = (string)(await Call("sns", "CreateTopic", """{"Name":"pager"}"""))["TopicArn"]!;
        foreach (var name in new[] { "cpu", "memory", "maintenance" })
        {
            await Call("cloudwatch", "PutMetricAlarm", $$"""{"AlarmName":"{{name}}",{{Cpu.Replace("CPUUtilization", name, StringComparison.Ordinal)}},"TreatMissingData":"ignore"}""");
        }
        await Call("cloudwatch", "PutCompositeAlarm", $$"""{"AlarmName":"page","AlarmRule":"ALARM(cpu) AND (ALARM(\"memory\") OR NOT OK(memory))","AlarmActions":["{{topic}}"],"ActionsSuppressor":"maintenance","ActionsSuppressorWaitPeriod":60,"ActionsSuppressorExtensionPeriod":60}""");
        Assert.Equal("OK", await State("page", "CompositeAlarm"));
        async Task Set(string name, string state) => await Call("cloudwatch", "SetAlarmState", $$"""{"AlarmName":"{{name}}","StateValue":"{{state}}","StateReason":"drill"}""");
        async Task<int> Paged() => (await Call("cloudwatch", "DescribeAlarmHistory", """{"AlarmName":"page","HistoryItemType":"Action"}"""))["AlarmHistoryItems"]!.AsArray().Count;
        await Set("memory", "OK");
        await Set("maintenance", "ALARM");
        await Set("cpu", "ALARM");
        Assert.Equal("OK", await State("page", "CompositeAlarm"));
        await Set("memory", "ALARM");
        Assert.Equal("ALARM", await State("page", "CompositeAlarm"));
        Pass(TimeSpan.FromMinutes(5));
        Assert.Equal(0, await Paged());
        await Set("maintenance", "OK");
        Pass(TimeSpan.FromMinutes(3));
        Assert.Equal(1, await Paged());
        Assert.Equal("ValidationError", (await Fails("cloudwatch", "PutCompositeAlarm", """{"AlarmName":"bad","AlarmRule":"ALARM(cpu) AND"}""")).Code);
        Assert.Contains("do not exist", (await Fails("cloudwatch", "PutCompositeAlarm", """{"AlarmName":"bad","AlarmRule":"ALARM(nothing)"}""")).Message, StringComparison.Ordinal);
        Assert.Contains("used by the composite alarm page", (await Fails("cloudwatch", "DeleteAlarms", """{"AlarmNames":["cpu"]}""")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "MissingParameter")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":45,"Statistic":"Sum","Threshold":1}""", "ValidationError")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":60,"Threshold":1}""", "MissingParameter")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":60,"Statistic":"Sum"}""", "MissingParameter")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":60,"Statistic":"Sum","Threshold":1,"DatapointsToAlarm":3}""", "ValidationError")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":3600,"Statistic":"Sum","Threshold":1,"EvaluationPeriods":200}""", "ValidationError")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":60,"Statistic":"Sum","Threshold":1,"AlarmActions":["topic"]}""", "ValidationError")]
    [InlineData("""{"Threshold":1,"Metrics":[{"Id":"e","Expression":"a +"}]}""", "ValidationError")]
    [InlineData("""{"Threshold":1,"Metrics":[{"Id":"e","Expression":"nothing * 2"}]}""", "ValidationError")]
    [InlineData("""{"MetricName":"m","Namespace":"n","Period":60,"Statistic":"Sum","Threshold":1,"ComparisonOperator":"GreaterThanUpperThreshold"}""", "ValidationError")]
    public async Task Alarms_that_cannot_be_are_refused(string input, string code)
    {
        var alarm = JsonNode.Parse(input)!.AsObject();
        alarm["AlarmName"] = "bad";
        alarm["EvaluationPeriods"] ??= 2;
        alarm["ComparisonOperator"] ??= "GreaterThanThreshold";
        Assert.Equal(code, (await Fails("cloudwatch", "PutMetricAlarm", alarm.ToJsonString())).Code);
    }

    [Fact]
    public async Task Nobody_but_the_services_writes_into_their_namespaces()
    {
        Assert.Equal("InvalidParameterValue", (await Fails("cloudwatch", "PutMetricData", """{"Namespace":"AWS/ECS","MetricData":[{"MetricName":"m","Value":1}]}""")).Code);
        Minutes(1, 3);
        Assert.Equal("AWS/ECS", (string?)(await Call("cloudwatch", "ListMetrics"))["Metrics"]![0]!["Namespace"]);
    }

    [Theory]
    [InlineData("m1 + m2", "11,22,33")]
    [InlineData("m1 / m2 * 100", "10,10,10")]
    [InlineData("-m1 ^ 2", "-1,-4,-9")]
    [InlineData("SUM(METRICS())", "11,22,33")]
    [InlineData("MAX([m1, m2])", "10,20,30")]
    [InlineData("m2 - AVG(m2)", "-10,0,10")]
    [InlineData("IF(m1 >= 2 AND m2 < 30, m2, 0)", "0,20,0")]
    [InlineData("RUNNING_SUM(m1)", "1,3,6")]
    [InlineData("DIFF(m2)", "10,10")]
    [InlineData("RATE(m2) * 60", "10,10")]
    [InlineData("m1 / (m1 - 1)", "2,1.5")]
    [InlineData("TIME_SERIES(7)", "7,7,7")]
    [InlineData("FILL(gap, LINEAR)", "5,6,7")]
    [InlineData("FILL(gap, REPEAT)", "5,5,7")]
    [InlineData("FILL(gap, 0)", "5,0,7")]
    [InlineData("PERIOD(m1) * m1", "60,120,180")]
    [InlineData("ABS(m1 - 2) + CEIL(m1 / 2)", "2,1,3")]
    [InlineData("SLICE(SORT([m1, m2], MAX, DESC), 0, 1)", "10,20,30")]
    [InlineData("SEARCH('{App,Service} MetricName=\"One\"', 'Sum', 60)", "1,2,3")]
    public async Task Metric_math_calculates(string expression, string expected)
    {
        var start = DateTimeOffset.FromUnixTimeSeconds(Runtime.Clock.Now.ToUnixTimeSeconds() / 60 * 60).AddMinutes(-3);
        for (var i = 0; i < 3; i++)
        {
            foreach (var (name, value) in new[] { ("One", i + 1), ("Two", (i + 1) * 10) })
            {
                await Call("cloudwatch", "PutMetricData", $$"""{"Namespace":"App","MetricData":[{"MetricName":"{{name}}","Dimensions":[{"Name":"Service","Value":"x"}],"Value":{{value}},"Timestamp":"{{start.AddMinutes(i):O}}"}]}""");
            }
            if (i != 1)
            {
                await Call("cloudwatch", "PutMetricData", $$"""{"Namespace":"App","MetricData":[{"MetricName":"Gap","Value":{{5 + i}},"Timestamp":"{{start.AddMinutes(i):O}}"}]}""");
            }
        }
        static string Metric(string id, string name, string dimensions) => $$"""{"Id":"{{id}}","MetricStat":{"Metric":{"Namespace":"App","MetricName":"{{name}}"{{dimensions}}},"Period":60,"Stat":"Sum"},"ReturnData":false}""";
        const string Service = ""","Dimensions":[{"Name":"Service","Value":"x"}]""";
        var input = JsonNode.Parse($$"""{"StartTime":"{{start:O}}","EndTime":"{{start.AddMinutes(3):O}}","ScanBy":"TimestampAscending","MetricDataQueries":[{{Metric("m1", "One", Service)}},{{Metric("m2", "Two", Service)}}]}""")!.AsObject();
        if (expression.Contains("gap", StringComparison.Ordinal))
        {
            input["MetricDataQueries"]!.AsArray().Add(JsonNode.Parse(Metric("gap", "Gap", "")));
        }
        input["MetricDataQueries"]!.AsArray().Add((JsonNode)new JsonObject { ["Id"] = "e1", ["Expression"] = expression, ["Label"] = "result" });
        var result = Assert.Single((await Call("cloudwatch", "GetMetricData", input.ToJsonString()))["MetricDataResults"]!.AsArray())!;
        Assert.Equal(expected, string.Join(',', result["Values"]!.AsArray().Select(value => Math.Round((double)value!, 6).ToString(CultureInfo.InvariantCulture))));
    }

    [Theory]
    [InlineData("p50", 50)]
    [InlineData("p99.9", 100)]
    [InlineData("tm90", 45.5)]
    [InlineData("TM(10%:90%)", 50.5)]
    [InlineData("TC(:20)", 20)]
    [InlineData("TS(98:)", 199)]
    [InlineData("PR(:25)", 25)]
    [InlineData("IQM", 50.5)]
    public async Task Extended_statistics(string statistic, double expected)
    {
        var values = string.Join(',', Enumerable.Range(1, 100));
        await Call("cloudwatch", "PutMetricData", $$"""{"Namespace":"App","MetricData":[{"MetricName":"Latency","Values":[{{values}}]}]}""");
        var answer = await Call("cloudwatch", "GetMetricStatistics", $$"""{"Namespace":"App","MetricName":"Latency","StartTime":"{{Runtime.Clock.Now.AddMinutes(-5):O}}","EndTime":"{{Runtime.Clock.Now.AddMinutes(5):O}}","Period":3600,"ExtendedStatistics":["{{statistic}}"]}""");
        Assert.Equal(expected, (double)answer["Datapoints"]![0]!["ExtendedStatistics"]![statistic]!, 6);
    }

    [Fact]
    public async Task Data_comes_in_pages_counted_in_data_points()
    {
        Minutes(10, 1);
        var query = $$"""
            "StartTime":"{{Runtime.Clock.Now.AddMinutes(-15):O}}","EndTime":"{{Runtime.Clock.Now:O}}","MetricDataQueries":[{"Id":"m","MetricStat":{"Metric":{"Namespace":"AWS/ECS","MetricName":"CPUUtilization","Dimensions":[{"Name":"ClusterName","Value":"c"},{"Name":"ServiceName","Value":"s"}]},"Period":60,"Stat":"Average"} }],"MaxDatapoints":4
            """;
        var pages = new List<int>();
        string? token = null;
        do
        {
            var page = await Call("cloudwatch", "GetMetricData", "{" + query + (token is null ? "" : $",\"NextToken\":\"{token}\"") + "}");
            pages.Add(page["MetricDataResults"]![0]!["Values"]!.AsArray().Count);
            token = (string?)page["NextToken"];
        }
        while (token is not null);
        Assert.Equal([4, 4, 2], pages);
    }

    [Fact]
    public async Task A_topic_whose_policy_leaves_the_alarms_out_is_not_told()
    {
        var topic = (string)(await Call("sns", "CreateTopic", """{"Name":"closed"}"""))["TopicArn"]!;
        await Call("cloudwatch", "PutMetricAlarm", $$"""{"AlarmName":"cpu",{{Cpu}},"AlarmActions":["{{topic}}"]}""");
        async Task<string> Summary(string principal)
        {
            await Call("sns", "SetTopicAttributes", new JsonObject
            {
                ["TopicArn"] = topic,
                ["AttributeName"] = "Policy",
                ["AttributeValue"] = $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"{{principal}}"},"Action":"sns:Publish","Resource":"{{topic}}"}]}""",
            }.ToJsonString());
            await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"cpu","StateValue":"OK","StateReason":"drill"}""");
            await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"cpu","StateValue":"ALARM","StateReason":"drill"}""");
            return (string)(await Call("cloudwatch", "DescribeAlarmHistory", """{"AlarmName":"cpu","HistoryItemType":"Action"}"""))["AlarmHistoryItems"]![0]!["HistorySummary"]!;
        }
        Assert.StartsWith("Failed to execute action", await Summary("budgets.amazonaws.com"), StringComparison.Ordinal);
        Assert.StartsWith("Successfully executed action", await Summary("cloudwatch.amazonaws.com"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dashboard_is_checked_before_it_is_kept()
    {
        var fault = await Fails("cloudwatch", "PutDashboard", """{"DashboardName":"d","DashboardBody":"{\"widgets\":[{\"type\":\"metric\",\"x\":20,\"y\":0,\"width\":12,\"properties\":{\"metrics\":[[\"AWS/ECS\"]],\"region\":\"us-east-1\"}},{\"type\":\"graph\",\"properties\":{}}]}"}""");
        Assert.Equal("InvalidParameterInput", fault.Code);
        Assert.Equal(3, fault.Members!["dashboardValidationMessages"]!.AsArray().Count);
        var kept = await Call("cloudwatch", "PutDashboard", """{"DashboardName":"d","DashboardBody":"{\"widgets\":[{\"type\":\"text\",\"properties\":{\"markdown\":\"# hello\"}}]}"}""");
        Assert.Empty(kept["DashboardValidationMessages"]!.AsArray());
        Assert.Equal("ResourceNotFound", (await Fails("cloudwatch", "DeleteDashboards", """{"DashboardNames":["d","e"]}""")).Code);
        Assert.Single((await Call("cloudwatch", "ListDashboards"))["DashboardEntries"]!.AsArray());
    }
}
