using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Traffic;
using Inferloop.Tests.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Traffic;

/// <summary>A load on the balancer of a service of two tasks of one vCPU, 20 ms of CPU a request: a hundred requests a second are all they can do.</summary>
public sealed class TrafficTests : EcsServiceTestBase
{
    private SandboxLoad Load(double rate, Func<SandboxLoadProfile, SandboxLoadProfile>? more = null) =>
        Runtime.Loads.Set("123456789012", "us-east-1", "*", (more ?? (profile => profile))(SandboxLoadProfile.Constant(rate)));

    private async Task<double?> Metric(string space, string metric, string statistic, string dimensions)
    {
        var list = string.Join(',', dimensions.Split(';').Select(item => $$"""{"Name":"{{item.Split('=')[0]}}","Value":"{{item.Split('=')[1]}}"}"""));
        var end = Runtime.Clock.Now;
        var answer = await Call("cloudwatch", "GetMetricStatistics", $$"""
            {"Namespace":"{{space}}","MetricName":"{{metric}}","Period":60,"StartTime":"{{end.AddMinutes(-3):O}}","EndTime":"{{end:O}}",{{(statistic[0] == 'p' ? $"\"ExtendedStatistics\":[\"{statistic}\"]" : $"\"Statistics\":[\"{statistic}\"]")}},"Dimensions":[{{list}}]}
            """);
        var point = answer["Datapoints"]!.AsArray().OrderBy(item => (string?)item!["Timestamp"], StringComparer.Ordinal).LastOrDefault();
        return point is null ? null : (double)(statistic[0] == 'p' ? point["ExtendedStatistics"]![statistic] : point[statistic])!;
    }

    private Task<double?> Cpu() => Metric("AWS/ECS", "CPUUtilization", "Average", "ClusterName=demo;ServiceName=synthdata");

    private async Task<string> Balancer()
    {
        var arn = (string)(await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!["LoadBalancerArn"]!;
        return "LoadBalancer=" + arn.Split("loadbalancer/")[1];
    }

    private async Task<double?> Elb(string metric, string statistic = "Sum") => await Metric("AWS/ApplicationELB", metric, statistic, await Balancer());

    private async Task<int> Desired() => (int)(await Describe())["desiredCount"]!;

    private async Task<string> State(string alarm) => (string)(await Call("cloudwatch", "DescribeAlarms", $$"""{"AlarmNames":["{{alarm}}"]}"""))["MetricAlarms"]![0]!["StateValue"]!;

    private void Minutes(int count) => Pass(TimeSpan.FromMinutes(count));

    [Fact]
    public async Task A_load_becomes_requests_response_times_and_utilization()
    {
        await Start();
        Assert.Null(await Cpu());
        var load = Load(50, profile => profile with { ErrorShare = 0.1, ClientErrorShare = 0.05 });
        Minutes(3);
        Assert.Equal(3000, (await Elb("RequestCount"))!.Value, 3);
        Assert.Equal(300, (await Elb("HTTPCode_Target_5XX_Count"))!.Value, 3);
        Assert.Equal(150, (await Elb("HTTPCode_Target_4XX_Count"))!.Value, 3);
        Assert.Equal(2550, (await Elb("HTTPCode_Target_2XX_Count"))!.Value, 3);
        Assert.Null(await Elb("HTTPCode_ELB_5XX_Count"));
        // Half busy: twice the latency of 100 ms, and the slowest three times that.
        Assert.Equal(0.2, (await Elb("TargetResponseTime", "Average"))!.Value, 6);
        Assert.InRange((await Elb("TargetResponseTime", "p95"))!.Value, 0.5, 0.8);
        Assert.Equal(50.5, (await Cpu())!.Value, 6);
        Assert.Equal((50.0, 2, 0.5, 0.1), (load.Last!.RequestsPerSecond, load.Last.Targets, load.Last.Utilization, load.Last.ErrorShare));
    }

    [Fact]
    public async Task What_is_more_than_the_tasks_can_do_times_out_and_without_tasks_all_is_refused()
    {
        var platform = await Start();
        Load(200);
        Minutes(3);
        Assert.Equal(100, (await Cpu())!.Value, 6);
        Assert.Equal(6000, (await Elb("HTTPCode_ELB_504_Count"))!.Value, 3);
        Assert.Equal(2.0, (await Elb("TargetResponseTime", "Average"))!.Value, 6);
        foreach (var zone in new[] { "us-east-1a", "us-east-1b" })
        {
            Runtime.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ZoneLoss, Zone = zone });
        }
        Minutes(4);
        Assert.Equal(12000, (await Elb("HTTPCode_ELB_503_Count"))!.Value, 3);
        Assert.NotNull(platform);
    }

    [Fact]
    public async Task Target_tracking_follows_the_load_up_and_down_and_an_alarm_fires_and_clears()
    {
        await Start();
        const string Target = "\"ServiceNamespace\":\"ecs\",\"ResourceId\":\"service/demo/synthdata\",\"ScalableDimension\":\"ecs:service:DesiredCount\"";
        await Call("application-autoscaling", "RegisterScalableTarget", $$"""{{{Target}},"MinCapacity":2,"MaxCapacity":10}""");
        await Call("application-autoscaling", "PutScalingPolicy", $$"""{{{Target}},"PolicyName":"cpu","PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":50,"ScaleOutCooldown":60,"ScaleInCooldown":60,"PredefinedMetricSpecification":{"PredefinedMetricType":"ECSServiceAverageCPUUtilization"} } }""");
        await Call("cloudwatch", "PutMetricAlarm", """{"AlarmName":"busy","Namespace":"AWS/ECS","MetricName":"CPUUtilization","Dimensions":[{"Name":"ClusterName","Value":"demo"},{"Name":"ServiceName","Value":"synthdata"}],"Statistic":"Average","Period":60,"EvaluationPeriods":2,"Threshold":70,"ComparisonOperator":"GreaterThanThreshold"}""");

        Load(20);
        Minutes(5);
        Assert.Equal(("OK", 2, 20.5), (await State("busy"), await Desired(), Math.Round((await Cpu())!.Value, 3)));

        Load(80);
        Minutes(3);
        Assert.Equal("ALARM", await State("busy"));
        Assert.True(await Until(async () => await Desired() == 4 && await State("busy") == "OK"), $"desired {await Desired()}, alarm {await State("busy")}, CPU {await Cpu()}");
        Assert.Equal(40.5, (await Cpu())!.Value, 3);

        Load(4);
        Assert.True(await Until(async () => await Desired() == 2), $"desired {await Desired()}, CPU {await Cpu()}");
    }

    private async Task<bool> Until(Func<Task<bool>> condition)
    {
        for (var minute = 0; minute < 60; minute++)
        {
            if (await condition())
            {
                return true;
            }
            Minutes(1);
        }
        return false;
    }

    [Fact]
    public async Task A_release_that_fails_one_request_in_five_shows_in_the_errors()
    {
        var platform = await Start();
        Load(20);
        Minutes(3);
        Assert.Null(await Elb("HTTPCode_Target_5XX_Count"));
        var next = await Definition(platform, "inferloop/synthdata:v2-faulty");
        await Call("ecs", "UpdateService", $$"""{"cluster":"demo","service":"synthdata","taskDefinition":"{{next.PhysicalId}}"}""");
        Minutes(15);
        Assert.Equal(20 * 60 * 0.2, (await Elb("HTTPCode_Target_5XX_Count"))!.Value, 3);
    }

    [Fact]
    public async Task A_rolling_release_loses_no_request_and_each_revision_has_its_part()
    {
        var platform = await Start();
        var load = Load(20);
        var begin = Runtime.Clock.Now;
        Minutes(3);
        var next = await Definition(platform, "inferloop/synthdata:v2");
        await Call("ecs", "UpdateService", $$"""{"cluster":"demo","service":"synthdata","taskDefinition":"{{next.PhysicalId}}"}""");
        Minutes(15);
        var results = load.Targets;
        Assert.Equal(["synthdata:1", "synthdata:1", "synthdata:2", "synthdata:2"], results.Select(row => row.Revision).Order(StringComparer.Ordinal));
        Assert.All(results, row => Assert.Equal(0, row.Failed));
        var seconds = Math.Floor(Runtime.Clock.Now.ToUnixTimeSeconds() / 10.0) * 10 - (begin.ToUnixTimeMilliseconds() / 1000.0);
        Assert.InRange(results.Sum(row => row.Requests), (20 * seconds) - 110, (20 * seconds) + 110);
        // Only while the old ones drained were both sent requests.
        Assert.True(results.Where(row => row.Revision == "synthdata:2").Min(row => row.First) > results.Where(row => row.Revision == "synthdata:1").Max(row => row.First));
    }

    [Fact]
    public async Task A_target_that_is_gone_before_it_is_taken_off_fails_its_requests()
    {
        var platform = await Start();
        var load = Load(20);
        Minutes(3);
        // An address that nobody is at: the only one of a group that gets half of the requests.
        var vpc = (string)(await Call("ec2", "DescribeVpcs"))["Vpcs"]!.AsArray().Single(item => (string?)item!["CidrBlock"] == "10.0.0.0/16")!["VpcId"]!;
        var empty = (string)(await Call("elbv2", "CreateTargetGroup", $$"""{"Name":"green","Protocol":"HTTP","Port":80,"VpcId":"{{vpc}}","TargetType":"ip"}"""))["TargetGroups"]![0]!["TargetGroupArn"]!;
        await Call("elbv2", "RegisterTargets", $$"""{"TargetGroupArn":"{{empty}}","Targets":[{"Id":"10.0.9.9"}]}""");
        var balancer = (string)(await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!["LoadBalancerArn"]!;
        var listener = (string)(await Call("elbv2", "DescribeListeners", $$"""{"LoadBalancerArn":"{{balancer}}"}"""))["Listeners"]![0]!["ListenerArn"]!;
        var share = $$"""[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"{{platform.TargetGroup}}","Weight":1},{"TargetGroupArn":"{{empty}}","Weight":1}] } }]""";
        await Call("elbv2", "CreateRule", $$"""{"ListenerArn":"{{listener}}","Priority":1,"Conditions":[{"Field":"path-pattern","PathPatternConfig":{"Values":["/*"]} }],"Actions":{{share}}}""");
        Minutes(3);
        Assert.Equal(600, (await Elb("HTTPCode_ELB_502_Count"))!.Value, 3);
        Assert.Equal(600, (await Elb("HTTPCode_ELB_5XX_Count"))!.Value, 3);
        Assert.Equal(0.5, load.Last!.ErrorShare);
        var lost = Assert.Single(load.Targets, row => row.Failed > 0);
        Assert.Equal(("web", "green", "10.0.9.9", null, lost.Requests), (lost.LoadBalancer, lost.TargetGroup, lost.Target, lost.Revision, lost.Failed));
    }

    [Fact]
    public async Task Databases_of_the_network_and_tables_follow_the_load()
    {
        await Start();
        var subnets = string.Join(',', (await Call("ec2", "DescribeSubnets"))["Subnets"]!.AsArray().Select(subnet => $"\"{subnet!["SubnetId"]}\""));
        await Call("rds", "CreateDBSubnetGroup", $$"""{"DBSubnetGroupName":"private","DBSubnetGroupDescription":"d","SubnetIds":[{{subnets}}]}""");
        await Call("rds", "CreateDBInstance", """{"DBInstanceIdentifier":"main","Engine":"postgres","EngineVersion":"17","DBInstanceClass":"db.t4g.micro","AllocatedStorage":20,"StorageType":"gp3","MasterUsername":"app","ManageMasterUserPassword":true,"DBSubnetGroupName":"private"}""");
        await Call("dynamodb", "CreateTable", """{"TableName":"jobs","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"ProvisionedThroughput":{"ReadCapacityUnits":30,"WriteCapacityUnits":30}}""");
        Minutes(60);
        Load(0);
        Minutes(3);
        Assert.Equal(2, (await Metric("AWS/RDS", "CPUUtilization", "Average", "DBInstanceIdentifier=main"))!.Value, 6);
        Assert.Equal(0.5, (await Cpu())!.Value, 6);
        Assert.Null(await Metric("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", "TableName=jobs"));
        Load(50);
        Minutes(3);
        Assert.Equal(7, (await Metric("AWS/RDS", "CPUUtilization", "Average", "DBInstanceIdentifier=main"))!.Value, 6);
        Assert.Equal(10, (await Metric("AWS/RDS", "DatabaseConnections", "Average", "DBInstanceIdentifier=main"))!.Value, 6);
        Assert.Equal(30 * 60, (await Metric("AWS/DynamoDB", "ConsumedReadCapacityUnits", "Sum", "TableName=jobs"))!.Value, 3);
        Assert.Equal(20 * 60, (await Metric("AWS/DynamoDB", "ReadThrottleEvents", "Sum", "TableName=jobs"))!.Value, 3);
        Assert.Equal(25 * 60, (await Metric("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "Sum", "TableName=jobs"))!.Value, 3);
    }

    [Fact]
    public async Task What_a_load_uses_is_charged_each_hour_and_twice_the_load_costs_more()
    {
        await Start();
        Load(40);
        // From one full hour to the next but one.
        Pass(TimeSpan.FromHours(1) - TimeSpan.FromTicks(Runtime.Clock.Now.UtcTicks % TimeSpan.TicksPerHour) + TimeSpan.FromSeconds(30));
        var before = await Bill();
        Pass(TimeSpan.FromHours(1));
        var single = Less(await Bill(), before);
        // Two tasks of one vCPU for an hour, one of them on Spot, which is not charged here; the balancer; a gigabyte and a half out.
        Assert.Equal(0.04048m, single["AmazonECS vCPU"], 4);
        Assert.Equal(0.0225m, single["LoadBalancerUsage"], 4);
        Assert.Equal(40 * 3600 * 10_000 / 1e9m * 0.09m, single["DataTransfer-Out-Bytes"], 4);
        Load(80);
        before = await Bill();
        Pass(TimeSpan.FromHours(1));
        var twice = Less(await Bill(), before);
        Assert.Equal(2 * single["DataTransfer-Out-Bytes"], twice["DataTransfer-Out-Bytes"], 2);
        Assert.Equal(single["LoadBalancerUsage"], twice["LoadBalancerUsage"], 4);
    }

    private static Dictionary<string, decimal> Less(Dictionary<string, decimal> now, Dictionary<string, decimal> before) => now.ToDictionary(pair => pair.Key, pair => pair.Value - before.GetValueOrDefault(pair.Key));

    private async Task<Dictionary<string, decimal>> Bill()
    {
        var day = Runtime.Clock.Now.UtcDateTime.Date;
        var answer = await Call("ce", "GetCostAndUsage", $$"""{"TimePeriod":{"Start":"{{day.AddDays(-3):yyyy-MM-dd}}","End":"{{day.AddDays(1):yyyy-MM-dd}}"},"Granularity":"MONTHLY","Metrics":["UnblendedCost"],"GroupBy":[{"Type":"DIMENSION","Key":"USAGE_TYPE"}]}""");
        return answer["ResultsByTime"]!.AsArray().SelectMany(period => period!["Groups"]!.AsArray()).GroupBy(group => (string)group!["Keys"]![0]! switch { "Fargate-vCPU-Hours:perCPU" => "AmazonECS vCPU", var usage => usage })
            .ToDictionary(group => group.Key, group => group.Sum(item => decimal.Parse((string)item!["Metrics"]!["UnblendedCost"]!["Amount"]!, System.Globalization.CultureInfo.InvariantCulture)));
    }
}
