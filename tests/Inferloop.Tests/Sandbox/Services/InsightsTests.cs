using System.Globalization;
using System.Text.Json.Nodes;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Queries over real events, filters that measure, retention that acts.</summary>
public sealed class InsightsTests : ServiceTestBase
{
    private async Task Log(string group, params string[] messages)
    {
        if (((await Call("logs", "DescribeLogGroups", $$"""{"logGroupNamePrefix":"{{group}}"}"""))["logGroups"] as JsonArray)!.Count == 0)
        {
            await Call("logs", "CreateLogGroup", $$"""{"logGroupName":"{{group}}"}""");
            await Call("logs", "CreateLogStream", $$"""{"logGroupName":"{{group}}","logStreamName":"one"}""");
        }
        // A second apart, the last one now.
        var events = messages.Select((message, i) => (JsonNode)new JsonObject { ["timestamp"] = Runtime.Clock.Now.AddSeconds(i - messages.Length + 1).ToUnixTimeMilliseconds(), ["message"] = message });
        await Runtime.Service("logs")!.InvokeAsync(Context, "PutLogEvents", new JsonObject { ["logGroupName"] = group, ["logStreamName"] = "one", ["logEvents"] = new JsonArray([.. events]) });
    }

    /// <summary>The rows of a query, each as name=value.</summary>
    private async Task<List<string>> Ask(string group, string query)
    {
        var (from, to) = (Runtime.Clock.Now.AddDays(-1).ToUnixTimeSeconds(), Runtime.Clock.Now.AddMinutes(1).ToUnixTimeSeconds());
        var id = (string)(await Runtime.Service("logs")!.InvokeAsync(Context, "StartQuery", new JsonObject { ["logGroupName"] = group, ["startTime"] = from, ["endTime"] = to, ["queryString"] = query }))["queryId"]!;
        Assert.Equal("Running", (string)(await Call("logs", "GetQueryResults", $$"""{"queryId":"{{id}}"}"""))["status"]!);
        Pass(TimeSpan.FromSeconds(3));
        var answer = await Call("logs", "GetQueryResults", $$"""{"queryId":"{{id}}"}""");
        Assert.Equal("Complete", (string)answer["status"]!);
        return [.. answer["results"]!.AsArray().Select(row => string.Join(' ', row!.AsArray().Where(field => (string)field!["field"]! != "@ptr").Select(field => $"{field!["field"]}={field["value"]}")))];
    }

    [Fact]
    public async Task Queries_filter_parse_count_sort_and_group()
    {
        await Log("/app", """{"level":"INFO","route":"/a","ms":12,"user":{"id":"u1"}}""", """{"level":"ERROR","route":"/b","ms":250,"user":{"id":"u2"}}""", """{"level":"ERROR","route":"/b","ms":90.5}""", "plain text took 33 ms for 10.0.0.7");
        Assert.Equal(["n=4"], await Ask("/app", "stats count(*) as n"));
        Assert.Equal(["route=/b count(*)=2 pct(ms, 50)=170.25 longest=250", "route=/a count(*)=1 pct(ms, 50)=12 longest=12"], await Ask("/app", "filter ispresent(level) | stats count(*), pct(ms, 50), max(ms) as longest by route | sort longest desc"));
        Assert.Equal(["ms=250 user.id=u2", "ms=12 user.id=u1"], await Ask("/app", "fields ms, user.id | filter user.id like /u[12]/ | sort ms desc"));
        Assert.Equal(["took=33 address=10.0.0.7 twice=66"], await Ask("/app", "parse @message \"plain text took * ms for *\" as took, address | filter took > 4 and address not in ['1.1.1.1'] | display took, address, took * 2 as twice"));
        Assert.Equal(["route=/b", "route=/a"], await Ask("/app", "fields route | filter ispresent(route) | dedup route"));
        Assert.Equal(["level=ERROR"], await Ask("/app", "# the newest\nfilter level = 'ERROR' | limit 1 | display level"));
        Assert.Equal(["kinds=2 half=0.5"], await Ask("/app", "stats count(*) as n by isblank(level) as blank | stats count(*) as kinds, 1/2 as half"));
        var bins = await Ask("/app", "stats count(*) as n by bin(1h) as hour | sort hour");
        Assert.Equal(4, bins.Sum(row => int.Parse(row.Split("n=")[1], CultureInfo.InvariantCulture)));
        Assert.Matches(@"^hour=\d{4}-\d\d-\d\d \d\d:00:00\.000 n=", bins[0]);
        Assert.Empty(await Ask("/app", "filter @message like 'nothing of this'"));
        Assert.Equal(["@message=plain text took 33 ms for 10.0.0.7"], await Ask("/app", "fields @message | filter @message =~ /(?i)PLAIN/"));
    }

    [Theory]
    [InlineData("stats", "unexpected symbol found end of query")]
    [InlineData("fields a | explode b", "unexpected symbol found explode at line 1 and position 12")]
    [InlineData("filter a like /(/", "Invalid regular expression")]
    [InlineData("fields nosuch(a)", "Invalid function: nosuch")]
    [InlineData("parse @message '* *' as one", "number of wildcards")]
    [InlineData("filter a = \"open", "unterminated string")]
    public async Task What_is_no_query_is_refused_with_its_place(string query, string message)
    {
        await Log("/app", "x");
        var fault = await Fails("logs", "StartQuery", new JsonObject { ["logGroupName"] = "/app", ["startTime"] = 0, ["endTime"] = Runtime.Clock.Now.AddMinutes(1).ToUnixTimeSeconds(), ["queryString"] = query }.ToJsonString());
        Assert.Equal("MalformedQueryException", fault.Code);
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.NotNull(fault.Members?["queryCompileError"]?["location"]);
    }

    [Fact]
    public async Task The_saved_queries_of_the_platform_run()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "src", "Inferloop.Templates", "Stacks", "logs.yaml"));
        var queries = System.Text.RegularExpressions.Regex.Matches(text, @"QueryString: \|\n((?:        .*\n)+)").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(5, queries.Count);
        await Log("/app", "ERROR path=/v1/jobs duration_ms=31", """{"message":"Traceback","path":"/v1/jobs","latency_ms": 812.5}""", "INFO url: /v1/ready elapsed_ms=2", "CRITICAL out of memory");
        await Log("/flow", "2 123456789012 eni-1 10.0.0.1 10.0.0.2 4000 5432 6 10 840 1 2 REJECT OK", "2 123456789012 eni-1 10.0.0.1 10.0.0.2 4001 5432 6 5 420 1 2 REJECT OK", "2 123456789012 eni-1 10.0.0.3 10.0.0.2 4001 443 6 5 9000 1 2 ACCEPT OK");
        var answers = new List<List<string>>();
        foreach (var query in queries)
        {
            answers.Add(await Ask(query.Contains("networkInterface", StringComparison.Ordinal) ? "/flow" : "/app", query));
        }
        Assert.StartsWith("route=/v1/jobs errors=2 latest=20", answers[0][0], StringComparison.Ordinal);
        Assert.StartsWith("errors=1 latest=", answers[0][1], StringComparison.Ordinal);
        Assert.Equal(["812.5", "31", "2"], answers[1].Select(row => row.Split("milliseconds=")[1].Split(' ')[0]));
        Assert.Equal(3, answers[2].Sum(row => int.Parse(row.Split("errors=")[1], CultureInfo.InvariantCulture)));
        Assert.Equal(["source=10.0.0.1 destination=10.0.0.2 destinationPort=5432 protocol=6 rejected=15 flows=2"], answers[3]);
        Assert.Equal(["source=10.0.0.3 destination=10.0.0.2 transferred=9000"], answers[4]);
    }

    [Fact]
    public async Task A_query_can_be_stopped_and_describes_itself_and_a_record_is_found_by_its_pointer()
    {
        await Log("/app", """{"a":{"b":1}}""");
        var start = $$"""{"logGroupNames":["/app"],"startTime":0,"endTime":{{Runtime.Clock.Now.AddMinutes(1).ToUnixTimeSeconds()}},"queryString":"fields @message"}""";
        var id = (string)(await Call("logs", "StartQuery", start))["queryId"]!;
        await Call("logs", "StopQuery", $$"""{"queryId":"{{id}}"}""");
        Pass(TimeSpan.FromSeconds(3));
        Assert.Equal("Cancelled", (string)(await Call("logs", "GetQueryResults", $$"""{"queryId":"{{id}}"}"""))["status"]!);
        Assert.Equal("InvalidParameterException", (await Fails("logs", "StopQuery", $$"""{"queryId":"{{id}}"}""")).Code);
        id = (string)(await Call("logs", "StartQuery", start))["queryId"]!;
        Pass(TimeSpan.FromSeconds(3));
        var pointer = (string)(await Call("logs", "GetQueryResults", $$"""{"queryId":"{{id}}"}"""))["results"]![0]!.AsArray().Single(field => (string)field!["field"]! == "@ptr")!["value"]!;
        Assert.Equal("1", (string)(await Call("logs", "GetLogRecord", $$"""{"logRecordPointer":"{{pointer}}"}"""))["logRecord"]!["a.b"]!);
        Assert.Equal(2, (await Call("logs", "DescribeQueries"))["queries"]!.AsArray().Count);
        Assert.Equal("ResourceNotFoundException", (await Fails("logs", "StartQuery", start.Replace("/app", "/none", StringComparison.Ordinal))).Code);
        var early = """{"logGroupNames":["/app"],"startTime":0,"endTime":5,"queryString":"fields @message"}""";
        Assert.Contains("log groups creation time", (await Fails("logs", "StartQuery", early)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Metric_filters_measure_what_comes_and_old_events_go()
    {
        await Log("/app", "before");
        await Call("logs", "PutMetricFilter", """{"logGroupName":"/app","filterName":"errors","filterPattern":"?ERROR ?CRITICAL","metricTransformations":[{"metricName":"Errors","metricNamespace":"App","metricValue":"1","defaultValue":0}]}""");
        await Call("logs", "PutMetricFilter", """{"logGroupName":"/app","filterName":"slow","filterPattern":"{ $.ms > 100 }","metricTransformations":[{"metricName":"Slow","metricNamespace":"App","metricValue":"$.ms","unit":"Milliseconds","dimensions":{"Route":"$.route"}}]}""");
        await Call("logs", "PutMetricFilter", """{"logGroupName":"/app","filterName":"sizes","filterPattern":"[ip, user, ..., status = 5* || status = 429, size]","metricTransformations":[{"metricName":"Sizes","metricNamespace":"App","metricValue":"$size"}]}""");
        await Log("/app", "ERROR one", "CRITICAL two", "fine", """{"ms":250,"route":"/a"}""", """{"ms":20,"route":"/a"}""", "10.0.0.1 joe [10/Oct/2026:13:55] \"GET / HTTP/1.1\" 502 100", "10.0.0.1 joe [x] \"GET /\" 200 7", "10.0.0.1 joe [x] \"GET /\" 429 11");
        Assert.Equal((2.0, 250.0, 111.0), (await Sum("Errors"), await Sum("Slow", """,{"Name":"Route","Value":"/a"}"""), await Sum("Sizes")));
        Pass(TimeSpan.FromMinutes(3));
        await Log("/app", "fine again");
        Assert.Equal(0.0, await Sum("Errors"));
        var test = await Call("logs", "TestMetricFilter", """{"filterPattern":"[a, b = x*]","logEventMessages":["1 xyz","1 y","1"]}""");
        Assert.Equal("""[{"eventNumber":1,"eventMessage":"1 xyz","extractedValues":{"$a":"1","$b":"xyz"}}]""", test["matches"]!.ToJsonString());
        Assert.Equal("InvalidParameterException", (await Fails("logs", "PutMetricFilter", """{"logGroupName":"/app","filterName":"x","filterPattern":"a","metricTransformations":[{"metricName":"E","metricNamespace":"App","metricValue":"$.b"}]}""")).Code);

        await Call("logs", "PutRetentionPolicy", """{"logGroupName":"/app","retentionInDays":1}""");
        Pass(TimeSpan.FromDays(1.1));
        await Log("/app", "new");
        Assert.Equal(["new"], (await Call("logs", "FilterLogEvents", """{"logGroupName":"/app"}"""))["events"]!.AsArray().Select(item => (string)item!["message"]!));
        Assert.Equal(29L, (long)(await Call("logs", "DescribeLogGroups"))["logGroups"]![0]!["storedBytes"]!);
    }

    private async Task<double> Sum(string metric, string dimensions = "")
    {
        var answer = await Call("cloudwatch", "GetMetricStatistics", $$"""{"Namespace":"App","MetricName":"{{metric}}","Period":60,"StartTime":"{{Runtime.Clock.Now.AddMinutes(-2):O}}","EndTime":"{{Runtime.Clock.Now.AddMinutes(1):O}}","Statistics":["Sum"],"Dimensions":[{{dimensions.TrimStart(',')}}]}""");
        var points = answer["Datapoints"]!.AsArray();
        Assert.NotEmpty(points);
        return points.Sum(point => (double)point!["Sum"]!);
    }
}
