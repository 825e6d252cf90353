using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Tests.Sandbox.Services;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Sandbox;

/// <summary>
/// Every alarm of monitoring.yaml: quiet with its metrics exactly at the design document's thresholds, firing just above, clear again, its topic
/// told both times. The figures stand here a second time on purpose: a threshold that is changed in the template fails here.
/// </summary>
public sealed class MonitoringAlarmTests : ServiceTestBase
{
    private sealed record Row(string Alarm, string Topic, params (string Space, string Metric, string Dimensions, double Quiet, double Firing)[] Metrics);

    private const string Service = "ClusterName=demo-dev,ServiceName=synthdata";
    private const string Balancer = "LoadBalancer=app/il-demo-dev/0123456789abcdef";
    private const string Targets = Balancer + ",TargetGroup=targetgroup/demo-dev-8000/0123456789abcdef";

    // What is summed over five minutes stands here by the minute: 2 is 10 in five minutes, 3 is 15.
    private static readonly Row[] s_rows =
    [
        new("CpuHigh", "information", ("AWS/ECS", "CPUUtilization", Service, 90, 91)),
        new("CpuExhausted", "warning", ("AWS/ECS", "CPUUtilization", Service, 90, 91)),
        new("MemoryHigh", "warning", ("AWS/ECS", "MemoryUtilization", Service, 85, 86)),
        new("TasksMissing", "warning", ("ECS/ContainerInsights", "DesiredTaskCount", Service, 2, 2), ("ECS/ContainerInsights", "RunningTaskCount", Service, 2, 1)),
        new("DiskFull", "warning", ("ECS/ContainerInsights", "EphemeralStorageUtilized", Service, 17, 17.2), ("ECS/ContainerInsights", "EphemeralStorageReserved", Service, 20, 20)),
        new("InstanceCheckFailed", "warning", ("AWS/EC2", "StatusCheckFailed", "AutoScalingGroupName=demo-group", 0, 1)),
        new("UnhealthyTargets", "critical", ("AWS/ApplicationELB", "UnHealthyHostCount", Targets, 0, 1)),
        new("NoHealthyTargets", "critical", ("AWS/ApplicationELB", "HealthyHostCount", Targets, 1, 0)),
        new("ServerErrors", "critical", ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", Balancer, 1, 2), ("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", Balancer, 1, 1)),
        new("ErrorRate", "warning", ("AWS/ApplicationELB", "RequestCount", Balancer, 40, 40)),
        new("SlowResponses", "warning", ("AWS/ApplicationELB", "TargetResponseTime", Balancer, 3, 3.1)),
        new("ConnectionErrors", "warning", ("AWS/ApplicationELB", "TargetConnectionErrorCount", Balancer, 2, 3)),
        new("RejectedConnections", "warning", ("AWS/ApplicationELB", "RejectedConnectionCount", Balancer, 0, 1)),
        new("ServiceUnhealthy", "critical"),
        new("TableThrottled", "warning", ("AWS/DynamoDB", "ReadThrottleEvents", "TableName=jobs,GlobalSecondaryIndexName=status-timestamp-index", 0, 1)),
        new("TableErrors", "warning", ("AWS/DynamoDB", "SystemErrors", "TableName=jobs,Operation=PutItem", 2, 3)),
        new("BucketErrors", "warning", ("AWS/S3", "5xxErrors", "BucketName=data-of-demo,FilterId=EntireBucket", 2, 3)),
        new("DatabaseCpuHigh", "warning", ("AWS/RDS", "CPUUtilization", "DBInstanceIdentifier=demo", 90, 91)),
        new("DatabaseConnections", "warning", ("AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier=demo", 80, 81)),
        new("DatabaseStorageLow", "critical", ("AWS/RDS", "FreeStorageSpace", "DBInstanceIdentifier=demo", 2147483648, 2147483000)),
        new("CacheMemoryHigh", "warning", ("AWS/ElastiCache", "DatabaseMemoryUsagePercentage", "CacheClusterId=demo-cache-001", 85, 86)),
        new("CacheEvictions", "warning", ("AWS/ElastiCache", "Evictions", "CacheClusterId=demo-cache-001", 200, 201)),
        new("FunctionErrors", "critical", ("AWS/Lambda", "Errors", "FunctionName=inferloop-demo-dev-process", 2, 3)),
        new("FunctionThrottled", "warning", ("AWS/Lambda", "Throttles", "FunctionName=inferloop-demo-dev-process", 0, 1)),
        new("FunctionDeadLetters", "warning", ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=dead-letters", 0, 1)),
        new("ApplicationErrors", "warning", ("Inferloop/demo/dev", "ApplicationErrors", "", 2, 3)),
    ];

    [Fact]
    public async Task Every_alarm_fires_and_clears_at_its_threshold_and_tells_its_topic()
    {
        var queues = new Dictionary<string, string>();
        foreach (var severity in new[] { "critical", "warning", "information" })
        {
            queues[severity] = (string)(await Call("sqs", "CreateQueue", $$"""{"QueueName":"told-{{severity}}"}"""))["QueueUrl"]!;
            await Call("sns", "CreateTopic", $$"""{"Name":"{{severity}}"}""");
            await Call("sns", "Subscribe", $$"""{"TopicArn":"arn:aws:sns:us-east-1:123456789012:{{severity}}","Protocol":"sqs","Endpoint":"arn:aws:sqs:us-east-1:123456789012:told-{{severity}}"}""");
        }

        await Call("logs", "CreateLogGroup", """{"logGroupName":"/inferloop/demo/dev/application"}""");
        await RunServiceAsync();
        var names = await CreateStackAsync();
        Assert.Equal(s_rows.Select(r => r.Alarm).Order(), names.Keys.Order());

        await MinutesAsync(25, firing: false);
        Assert.All(await StatesAsync(names), s => Assert.Equal((s.Alarm, "OK"), s));
        Assert.Equal(4, await DesiredAsync());
        foreach (var queue in queues.Values)
        {
            await DrainAsync(queue);
        }

        await MinutesAsync(25, firing: true);
        Assert.All(await StatesAsync(names), s => Assert.Equal((s.Alarm, "ALARM"), s));
        Assert.True(await DesiredAsync() > 4, "CPU above 90 % for two periods did not scale the service up.");

        await MinutesAsync(25, firing: false);
        Assert.All(await StatesAsync(names), s => Assert.Equal((s.Alarm, "OK"), s));
        foreach (var (severity, queue) in queues)
        {
            var told = await DrainAsync(queue);
            foreach (var row in s_rows.Where(r => r.Topic == severity))
            {
                Assert.Contains($"{names[row.Alarm]} ALARM", told);
                Assert.Contains($"{names[row.Alarm]} OK", told);
            }
        }
    }

    [Fact]
    public async Task Silence_is_a_fault_only_where_something_should_speak()
    {
        await Call("logs", "CreateLogGroup", """{"logGroupName":"/inferloop/demo/dev/application"}""");
        foreach (var severity in new[] { "critical", "warning", "information" })
        {
            await Call("sns", "CreateTopic", $$"""{"Name":"{{severity}}"}""");
        }

        await RunServiceAsync();
        var names = await CreateStackAsync();
        await MinutesAsync(25, firing: false);
        for (var i = 0; i < 40; i++)
        {
            Pass(TimeSpan.FromMinutes(1));
        }

        // A target group without targets and a service without tasks send nothing at all; that is what these two are for. The composite follows.
        Assert.Equal(["NoHealthyTargets", "ServiceUnhealthy", "TasksMissing"], (await StatesAsync(names)).Where(s => s.State == "ALARM").Select(s => s.Alarm).Order());
    }

    private async Task RunServiceAsync()
    {
        await Call("ecs", "CreateCluster", """{"clusterName":"demo-dev"}""");
        await Call("ecs", "RegisterTaskDefinition", """{"family":"synthdata","containerDefinitions":[{"name":"synthdata","image":"inferloop/synthdata:v2","memory":128}]}""");
        await Call("ecs", "CreateService", """{"cluster":"demo-dev","serviceName":"synthdata","taskDefinition":"synthdata","desiredCount":4,"launchType":"EC2"}""");
        await Call("application-autoscaling", "RegisterScalableTarget", """
            {"ServiceNamespace":"ecs","ResourceId":"service/demo-dev/synthdata","ScalableDimension":"ecs:service:DesiredCount","MinCapacity":2,"MaxCapacity":20}
            """);
    }

    private async Task<int> DesiredAsync() =>
        (int)(await Call("ecs", "DescribeServices", """{"cluster":"demo-dev","services":["synthdata"]}"""))["services"]![0]!["desiredCount"]!;

    private async Task<Dictionary<string, string>> CreateStackAsync()
    {
        var parameters = new Dictionary<string, string>
        {
            ["EnvironmentName"] = "demo", ["Stage"] = "dev", ["ClusterName"] = "demo-dev", ["ServiceName"] = "synthdata", ["InstanceGroupName"] = "demo-group",
            ["LoadBalancerFullName"] = "app/il-demo-dev/0123456789abcdef", ["TargetGroupFullName"] = "targetgroup/demo-dev-8000/0123456789abcdef", ["TableName"] = "jobs",
            ["BucketName"] = "data-of-demo", ["DatabaseIdentifier"] = "demo", ["CacheReplicationGroupId"] = "demo-cache", ["LambdaFunctionName"] = "inferloop-demo-dev-process",
            ["LambdaDeadLetterQueueName"] = "dead-letters", ["ApplicationLogGroupName"] = "/inferloop/demo/dev/application",
            ["CriticalTopicArn"] = "arn:aws:sns:us-east-1:123456789012:critical", ["WarningTopicArn"] = "arn:aws:sns:us-east-1:123456789012:warning", ["InformationTopicArn"] = "arn:aws:sns:us-east-1:123456789012:information",
        };
        // Without comments and tags it fits into a request.
        var body = Regex.Replace(
            await File.ReadAllTextAsync(Path.Combine(StackFixture.Folder, "monitoring.yaml"), TestContext.Current.CancellationToken),
            @"^\s*#.*\n|^      Tags:\n(        - .*\n){4}", "", RegexOptions.Multiline);
        await Call("cloudformation", "CreateStack", new JsonObject
        {
            ["StackName"] = "monitoring",
            ["TemplateBody"] = body,
            ["Parameters"] = new JsonArray([.. parameters.Select(p => new JsonObject { ["ParameterKey"] = p.Key, ["ParameterValue"] = p.Value })]),
        }.ToJsonString());
        await Complete(UntilAsync(async () => (string)(await Call("cloudformation", "DescribeStacks", """{"StackName":"monitoring"}"""))["Stacks"]![0]!["StackStatus"]! is var status && status == "CREATE_COMPLETE"
            || (status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal) ? false : throw new InvalidOperationException(status))));
        return (await Call("cloudformation", "DescribeStackResources", """{"StackName":"monitoring"}"""))["StackResources"]!.AsArray()
            .Where(r => (string)r!["ResourceType"]! is "AWS::CloudWatch::Alarm" or "AWS::CloudWatch::CompositeAlarm")
            .ToDictionary(r => (string)r!["LogicalResourceId"]!, r => (string)r!["PhysicalResourceId"]!);
    }

    private async Task UntilAsync(Func<Task<bool>> done)
    {
        while (!await done())
        {
            await Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        }
    }

    private async Task MinutesAsync(int minutes, bool firing)
    {
        var publisher = Runtime.Service<CloudWatchService>();
        for (var i = 0; i < minutes; i++)
        {
            foreach (var (space, metric, dimensions, quiet, loud) in s_rows.SelectMany(r => r.Metrics).DistinctBy(m => (m.Space, m.Metric, m.Dimensions)))
            {
                publisher.Publish(Context, space, metric, firing ? loud : quiet, "None", [.. dimensions.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(d => d.Split('=')).Select(d => (d[0], d[1]))]);
            }

            Pass(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }
    }

    private async Task<List<(string Alarm, string State)>> StatesAsync(Dictionary<string, string> names)
    {
        var described = await Call("cloudwatch", "DescribeAlarms", """{"AlarmTypes":["MetricAlarm","CompositeAlarm"]}""");
        var states = new[] { "MetricAlarms", "CompositeAlarms" }.SelectMany(k => described[k]?.AsArray() ?? []).ToDictionary(a => (string)a!["AlarmName"]!, a => (string)a!["StateValue"]!);
        return names.Select(n => (n.Key, states[n.Value])).ToList();
    }

    private async Task<List<string>> DrainAsync(string queue)
    {
        var told = new List<string>();
        while ((await Call("sqs", "ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","MaxNumberOfMessages":10,"VisibilityTimeout":43200}"""))["Messages"]?.AsArray() is { Count: > 0 } messages)
        {
            told.AddRange(messages.Select(m => JsonNode.Parse((string)JsonNode.Parse((string)m!["Body"]!)!["Message"]!)!).Select(m => $"{m["AlarmName"]} {m["NewStateValue"]}"));
        }

        return told;
    }
}
