using System.Text.Json.Nodes;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Application Auto Scaling at work on what the platform scales beside tasks: units of tables, and calls that functions are kept ready for.</summary>
public sealed class AutoScalingTargetTests : ServiceTestBase
{
    private const string Table = """ "ServiceNamespace":"dynamodb","ResourceId":"table/jobs","ScalableDimension":"dynamodb:table:ReadCapacityUnits" """;
    private const string Function = """ "ServiceNamespace":"lambda","ResourceId":"function:process:live","ScalableDimension":"lambda:function:ProvisionedConcurrency" """;

    [Fact]
    public async Task A_table_follows_the_use_of_its_units_and_its_alarms_follow_it()
    {
        await Call("dynamodb", "CreateTable", """
            {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}}
            """);
        Pass(TimeSpan.FromMinutes(2));
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Table}},"MinCapacity":5,"MaxCapacity":40}""");
        await Call("application-autoscaling", "PutScalingPolicy", $$"""
            { {{Table}},"PolicyName":"read","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":50,"ScaleOutCooldown":60,"ScaleInCooldown":60,"PredefinedMetricSpecification":{"PredefinedMetricType":"DynamoDBReadCapacityUtilization"} } }
            """);

        // Half of five units over a minute, and twenty points below.
        Assert.Equal((150, 90), await ThresholdsAsync());

        // 20 units a second are used: 40 of them at half.
        await MinutesAsync(4, 20 * 60, "AWS/DynamoDB", "ConsumedReadCapacityUnits", ("TableName", "jobs"));
        await UntilAsync(async () => await ReadUnitsAsync() == 40);

        // The alarms follow the capacity, not at the same moment.
        await UntilAsync(async () => await ThresholdsAsync() == (1200, 720));
        Assert.Contains("read capacity units to 40", (string)(await ActivitiesAsync(Table))[0]!["StatusMessage"]!, StringComparison.Ordinal);

        // Less than three tenths for a quarter of an hour: 5 a second are 10 at half.
        await MinutesAsync(18, 5 * 60, "AWS/DynamoDB", "ConsumedReadCapacityUnits", ("TableName", "jobs"));
        await UntilAsync(async () => await ReadUnitsAsync() == 10);
    }

    [Fact]
    public async Task A_resting_target_stays_and_goes_on_when_it_is_resumed()
    {
        await Call("dynamodb", "CreateTable", """
            {"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"ProvisionedThroughput":{"ReadCapacityUnits":5,"WriteCapacityUnits":5}}
            """);
        Pass(TimeSpan.FromMinutes(2));
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Table}},"MinCapacity":5,"MaxCapacity":40,"SuspendedState":{"DynamicScalingOutSuspended":true,"ScheduledScalingSuspended":true} }""");
        await Call("application-autoscaling", "PutScalingPolicy", $$"""
            { {{Table}},"PolicyName":"read","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":50,"PredefinedMetricSpecification":{"PredefinedMetricType":"DynamoDBReadCapacityUtilization"} } }
            """);
        await Call("application-autoscaling", "PutScheduledAction", $$"""{ {{Table}},"ScheduledActionName":"often","Schedule":"rate(1 minute)","ScalableTargetAction":{"MinCapacity":8} }""");
        await MinutesAsync(6, 20 * 60, "AWS/DynamoDB", "ConsumedReadCapacityUnits", ("TableName", "jobs"));
        Assert.Equal(5, await ReadUnitsAsync());
        Assert.Equal("5", await MinimumAsync(Table));

        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Table}},"SuspendedState":{"DynamicScalingOutSuspended":false,"ScheduledScalingSuspended":false} }""");
        await MinutesAsync(6, 20 * 60, "AWS/DynamoDB", "ConsumedReadCapacityUnits", ("TableName", "jobs"));
        await UntilAsync(async () => await ReadUnitsAsync() == 40);
        Assert.Equal("8", await MinimumAsync(Table));
    }

    [Fact]
    public async Task Calls_that_are_kept_ready_follow_their_use_and_their_schedule()
    {
        await Call("iam", "CreateRole", """{"RoleName":"process","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}""");
        await Call("lambda", "CreateFunction", """{"FunctionName":"process","Runtime":"python3.13","Handler":"index.handler","Role":"arn:aws:iam::123456789012:role/process","Code":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},"Publish":true}""");
        Pass(TimeSpan.FromMinutes(2));
        await Call("lambda", "CreateAlias", """{"FunctionName":"process","Name":"live","FunctionVersion":"1"}""");
        await Call("lambda", "PutProvisionedConcurrencyConfig", """{"FunctionName":"process","Qualifier":"live","ProvisionedConcurrentExecutions":10}""");
        Pass(TimeSpan.FromMinutes(5));
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Function}},"MinCapacity":10,"MaxCapacity":50}""");
        await Call("application-autoscaling", "PutScalingPolicy", $$"""
            { {{Function}},"PolicyName":"use","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":0.5,"PredefinedMetricSpecification":{"PredefinedMetricType":"LambdaProvisionedConcurrencyUtilization"} } }
            """);
        await MinutesAsync(5, 1, "AWS/Lambda", "ProvisionedConcurrencyUtilization", ("FunctionName", "process"), ("Resource", "process:live"));
        await UntilAsync(async () => await ReadyAsync() == 20);
        Assert.Contains("provisioned concurrency to 20", (string)(await ActivitiesAsync(Function))[0]!["StatusMessage"]!, StringComparison.Ordinal);

        await Call("application-autoscaling", "PutScheduledAction", $$"""{ {{Function}},"ScheduledActionName":"night","Schedule":"rate(1 hour)","ScalableTargetAction":{"MinCapacity":1,"MaxCapacity":5} }""");
        Pass(TimeSpan.FromMinutes(61));
        await UntilAsync(async () => await ReadyAsync() == 5);
    }

    [Fact]
    public async Task Of_two_policies_that_would_scale_in_the_one_that_keeps_more_has_its_way()
    {
        const string Service = """ "ServiceNamespace":"ecs","ResourceId":"service/demo/app","ScalableDimension":"ecs:service:DesiredCount" """;
        await Call("ecs", "CreateCluster", """{"clusterName":"demo"}""");
        await Call("ecs", "RegisterTaskDefinition", """{"family":"app","containerDefinitions":[{"name":"app","image":"inferloop/synthdata:v2","memory":128}]}""");
        await Call("ecs", "CreateService", """{"cluster":"demo","serviceName":"app","taskDefinition":"app","desiredCount":10,"launchType":"EC2"}""");
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Service}},"MinCapacity":1,"MaxCapacity":20}""");
        foreach (var (name, target) in new[] { ("CPU", 60), ("Memory", 80) })
        {
            await Call("application-autoscaling", "PutScalingPolicy", $$"""
                { {{Service}},"PolicyName":"{{name}}","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":{{target}},"PredefinedMetricSpecification":{"PredefinedMetricType":"ECSServiceAverage{{name}}Utilization"} } }
                """);
        }

        // Both are low for a quarter of an hour: memory alone would leave three tasks, CPU needs eight.
        var publisher = Runtime.Service<CloudWatchService>();
        for (var i = 0; i < 18; i++)
        {
            publisher.Publish(Context, "AWS/ECS", "CPUUtilization", 45, "Percent", ("ClusterName", "demo"), ("ServiceName", "app"));
            publisher.Publish(Context, "AWS/ECS", "MemoryUtilization", 20, "Percent", ("ClusterName", "demo"), ("ServiceName", "app"));
            Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(8, await DesiredAsync());

        // One that would scale out is no reason for the other's low alarm to do it.
        for (var i = 0; i < 2; i++)
        {
            publisher.Publish(Context, "AWS/ECS", "CPUUtilization", 90, "Percent", ("ClusterName", "demo"), ("ServiceName", "app"));
            publisher.Publish(Context, "AWS/ECS", "MemoryUtilization", 20, "Percent", ("ClusterName", "demo"), ("ServiceName", "app"));
            Pass(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(8, await DesiredAsync());

        async Task<int> DesiredAsync() => (int)(await Call("ecs", "DescribeServices", """{"cluster":"demo","services":["app"]}"""))["services"]![0]!["desiredCount"]!;
    }

    [Fact]
    public async Task A_target_may_be_reckoned_from_several_metrics()
    {
        const string Service = """ "ServiceNamespace":"ecs","ResourceId":"service/demo/app","ScalableDimension":"ecs:service:DesiredCount" """;
        await Call("ecs", "CreateCluster", """{"clusterName":"demo"}""");
        await Call("ecs", "RegisterTaskDefinition", """{"family":"app","containerDefinitions":[{"name":"app","image":"inferloop/synthdata:v2","memory":128}]}""");
        await Call("ecs", "CreateService", """{"cluster":"demo","serviceName":"app","taskDefinition":"app","desiredCount":1,"launchType":"EC2"}""");
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{ {{Service}},"MinCapacity":1,"MaxCapacity":20}""");
        static string Query(string id, string group) =>
            $$$$"""{"Id":"{{{{id}}}}","ReturnData":false,"MetricStat":{"Stat":"Sum","Metric":{"Namespace":"AWS/ApplicationELB","MetricName":"RequestCountPerTarget","Dimensions":[{"Name":"TargetGroup","Value":"{{{{group}}}}"}]}}}""";
        await Call("application-autoscaling", "PutScalingPolicy", $$"""
            { {{Service}},"PolicyName":"requests","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":600,"CustomizedMetricSpecification":{"Metrics":[
              {"Id":"each","Expression":"FILL(first, 0) + FILL(second, 0)","ReturnData":true}, {{Query("first", "targetgroup/one/1")}}, {{Query("second", "targetgroup/two/2")}}]} } }
            """);

        // Only the second target group is served, as after a release that shifted the traffic.
        await MinutesAsync(4, 1800, "AWS/ApplicationELB", "RequestCountPerTarget", ("TargetGroup", "targetgroup/two/2"));
        Assert.Equal(3, (int)(await Call("ecs", "DescribeServices", """{"cluster":"demo","services":["app"]}"""))["services"]![0]!["desiredCount"]!);
    }

    private async Task MinutesAsync(int minutes, double value, string space, string metric, params (string, string)[] dimensions)
    {
        var publisher = Runtime.Service<CloudWatchService>();
        for (var i = 0; i < minutes; i++)
        {
            publisher.Publish(Context, space, metric, value, "Count", dimensions);
            Pass(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }
    }

    private async Task<int> ReadUnitsAsync() =>
        int.Parse((await Call("dynamodb", "DescribeTable", """{"TableName":"jobs"}"""))["Table"]!["ProvisionedThroughput"]!["ReadCapacityUnits"]!.ToString(), System.Globalization.CultureInfo.InvariantCulture);

    private async Task<int> ReadyAsync() => (int)(await Call("lambda", "GetProvisionedConcurrencyConfig", """{"FunctionName":"process","Qualifier":"live"}"""))["RequestedProvisionedConcurrentExecutions"]!;

    private async Task<JsonArray> ActivitiesAsync(string target) => (await Call("application-autoscaling", "DescribeScalingActivities", $$"""{ {{target}} }"""))["ScalingActivities"]!.AsArray();

    private async Task<string> MinimumAsync(string target) =>
        (await Call("application-autoscaling", "DescribeScalableTargets", $$"""{"ServiceNamespace":"{{(target == Table ? "dynamodb" : "lambda")}}"}"""))["ScalableTargets"]![0]!["MinCapacity"]!.ToString();

    private async Task<(int High, int Low)> ThresholdsAsync()
    {
        var alarms = (await Call("cloudwatch", "DescribeAlarms", "{}"))["MetricAlarms"]!.AsArray();
        int Of(string kind) => (int)(double)alarms.Single(a => ((string)a!["AlarmName"]!).Contains(kind, StringComparison.Ordinal))!["Threshold"]!;
        return (Of("AlarmHigh"), Of("AlarmLow"));
    }

    private async Task UntilAsync(Func<Task<bool>> done)
    {
        for (var i = 0; !await done(); i++)
        {
            Assert.True(i < 3600, "It did not come to that within an hour of the sandbox.");
            await Complete(Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));
        }
    }
}
