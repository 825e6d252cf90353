using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>Blue/green, linear and canary deployments: stages, traffic, pauses, alarms, and every way back.</summary>
public sealed class EcsDeploymentTests : EcsServiceTestBase
{
    private const string Role = "arn:aws:iam::123456789012:role/shift";

    private Platform platform = null!;
    private string alternate = "";
    private string production = "";
    private string test = "";

    private string Settings(string configuration, string? definition = null) => $$"""
        {"ServiceName":"synthdata","Cluster":"demo","TaskDefinition":"{{definition}}","DesiredCount":2,
         "CapacityProviderStrategy":[{"CapacityProvider":"FARGATE","Weight":1}],
         "NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":{{platform.Subnets}},"SecurityGroups":["{{platform.Group}}"],"AssignPublicIp":"DISABLED"} },
         "LoadBalancers":[{"ContainerName":"synthdata","ContainerPort":8000,"TargetGroupArn":"{{platform.TargetGroup}}",
            "AdvancedConfiguration":{"AlternateTargetGroupArn":"{{alternate}}","ProductionListenerRule":"{{production}}","TestListenerRule":"{{test}}","RoleArn":"{{Role}}"} }],
         "HealthCheckGracePeriodSeconds":300,"DeploymentConfiguration":{{configuration}} }
        """;

    private async Task<string> Running(string configuration, string image = "inferloop/synthdata:v1")
    {
        platform = await Build();
        var vpc = (string)(await Call("elbv2", "DescribeTargetGroups", $$"""{"TargetGroupArns":["{{platform.TargetGroup}}"]}"""))["TargetGroups"]![0]!["VpcId"]!;
        alternate = (await Provision("AWS::ElasticLoadBalancingV2::TargetGroup", $$"""{"VpcId":"{{vpc}}","Protocol":"HTTP","Port":"8000","TargetType":"ip","HealthCheckPath":"/health","HealthyThresholdCount":"2"}""", "Other")).PhysicalId;
        var balancer = (string)(await Call("elbv2", "DescribeLoadBalancers"))["LoadBalancers"]![0]!["LoadBalancerArn"]!;
        var listener = (string)(await Call("elbv2", "DescribeListeners", $$"""{"LoadBalancerArn":"{{balancer}}"}"""))["Listeners"]![0]!["ListenerArn"]!;
        async Task<string> Rule(int priority, string condition) => (await Provision("AWS::ElasticLoadBalancingV2::ListenerRule",
            $$"""{"ListenerArn":"{{listener}}","Priority":{{priority}},"Conditions":[{{condition}}],"Actions":[{"Type":"forward","ForwardConfig":{"TargetGroups":[{"TargetGroupArn":"{{platform.TargetGroup}}","Weight":100},{"TargetGroupArn":"{{alternate}}","Weight":0}]} }]}""", "Rule" + priority)).PhysicalId;
        test = await Rule(1, """{"Field":"http-header","HttpHeaderConfig":{"HttpHeaderName":"X-Test","Values":["1"]} }""");
        production = await Rule(2, """{"Field":"path-pattern","PathPatternConfig":{"Values":["/*"]} }""");
        var definition = (await Definition(platform, image)).PhysicalId;
        await Provision("AWS::ECS::Service", Settings(configuration, definition), "Service");
        return definition;
    }

    private async Task<string> Release(string image)
    {
        var definition = (await Definition(platform, image)).PhysicalId;
        await Call("ecs", "UpdateService", $$"""{"cluster":"demo","service":"synthdata","taskDefinition":"{{definition}}"}""");
        return definition;
    }

    private async Task<JsonNode> Deployment()
    {
        var listed = await Call("ecs", "ListServiceDeployments", """{"cluster":"demo","service":"synthdata"}""");
        return (await Call("ecs", "DescribeServiceDeployments", $$"""{"serviceDeploymentArns":["{{listed["serviceDeployments"]![0]!["serviceDeploymentArn"]}}"]}"""))["serviceDeployments"]![0]!;
    }

    private async Task<Dictionary<string, int>> Weights(string rule) =>
        (await Call("elbv2", "DescribeRules", $$"""{"RuleArns":["{{rule}}"]}"""))["Rules"]![0]!["Actions"]![0]!["ForwardConfig"]!["TargetGroups"]!.AsArray().ToDictionary(item => (string)item!["TargetGroupArn"]!, item => (int)item!["Weight"]!);

    private async Task<JsonNode> Until(Func<JsonNode, bool> condition, int minutes = 60)
    {
        var end = Runtime.Clock.Now.AddMinutes(minutes);
        while (true)
        {
            var deployment = await Deployment();
            if (condition(deployment))
            {
                return deployment;
            }
            Assert.True(Runtime.Clock.Now < end, "Never came to it: " + deployment.ToJsonString());
            Pass(TimeSpan.FromSeconds(2));
        }
    }

    private async Task<int> Answering()
    {
        var answering = 0;
        foreach (var (group, weight) in await Weights(production))
        {
            if (weight > 0)
            {
                var healthy = (await Call("elbv2", "DescribeTargetHealth", $$"""{"TargetGroupArn":"{{group}}"}"""))["TargetHealthDescriptions"]!.AsArray().Count(item => (string?)item!["TargetHealth"]!["State"] == "healthy");
                answering = answering == 0 ? healthy : Math.Min(answering, healthy);
            }
        }
        return answering;
    }

    private static bool Is(JsonNode deployment, string status) => (string?)deployment["status"] == status;

    private static bool At(JsonNode deployment, string stage) => (string?)deployment["lifecycleStage"] == stage;

    private const string BlueGreen = """{"Strategy":"BLUE_GREEN","BakeTimeInMinutes":5,"DeploymentCircuitBreaker":{"Enable":true,"Rollback":true} }""";

    [Fact]
    public async Task Blue_green_tests_first_shifts_at_once_and_keeps_the_old_tasks_while_it_bakes()
    {
        await Running(BlueGreen);
        Assert.Equal(100, (await Weights(production))[platform.TargetGroup]);
        var second = await Release("inferloop/synthdata:v2");
        var stages = new List<string>();
        var fewest = int.MaxValue;
        var deployment = await Until(found =>
        {
            if ((string?)found["lifecycleStage"] is { } stage && stages.LastOrDefault() != stage)
            {
                stages.Add(stage);
            }
            fewest = Math.Min(fewest, Answering().GetAwaiter().GetResult());
            return Is(found, "SUCCESSFUL");
        });
        Assert.Equal(["PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"], stages);
        Assert.Equal(2, fewest);
        Assert.Equal((100, 0), ((await Weights(production))[alternate], (await Weights(production))[platform.TargetGroup]));
        Assert.Equal(100, (double)deployment["targetServiceRevision"]!["requestedProductionTrafficWeight"]!);
        var revision = (await Call("ecs", "DescribeServiceRevisions", $$"""{"serviceRevisionArns":["{{deployment["targetServiceRevision"]!["arn"]}}"]}"""))["serviceRevisions"]![0]!;
        Assert.Equal(second, (string?)revision["taskDefinition"]);
        Assert.Equal(alternate, (string?)revision["resolvedConfiguration"]!["loadBalancers"]![0]!["targetGroupArn"]);
        Assert.StartsWith("sha256:", (string?)revision["containerImages"]![0]!["imageDigest"], StringComparison.Ordinal);
        var service = await Describe();
        Assert.Equal((second, 2), ((string?)service["taskDefinition"], (int)service["runningCount"]!));
        Assert.Single(service["deployments"]!.AsArray());

        // And back to the first group with the next one.
        await Release("inferloop/synthdata:v3");
        await Until(found => Is(found, "SUCCESSFUL"));
        Assert.Equal((0, 100), ((await Weights(production))[alternate], (await Weights(production))[platform.TargetGroup]));
    }

    [Fact]
    public async Task A_rolling_deployment_after_blue_green_stays_in_the_group_that_serves()
    {
        await Running(BlueGreen);
        await Release("inferloop/synthdata:v2");
        await Until(found => Is(found, "SUCCESSFUL"));
        var definition = (await Definition(platform, "inferloop/synthdata:v3")).PhysicalId;
        await Call("ecs", "UpdateService", $$"""{"cluster":"demo","service":"synthdata","taskDefinition":"{{definition}}","deploymentConfiguration":{"strategy":"ROLLING","maximumPercent":200,"minimumHealthyPercent":100} }""");
        await Until(found =>
        {
            Assert.True(Answering().GetAwaiter().GetResult() >= 2);
            return Is(found, "SUCCESSFUL");
        });
        Assert.Equal(100, (await Weights(production))[alternate]);
    }

    [Fact]
    public async Task Linear_moves_equal_steps_with_pauses_between()
    {
        await Running("""{"Strategy":"LINEAR","BakeTimeInMinutes":2,"LinearConfiguration":{"StepPercent":40,"StepBakeTimeInMinutes":3} }""");
        await Release("inferloop/synthdata:v2");
        var seen = new List<(double Weight, DateTimeOffset Time)>();
        await Until(found =>
        {
            var weight = (double)found["targetServiceRevision"]!["requestedProductionTrafficWeight"]!;
            if (seen.Count == 0 || seen[^1].Weight != weight)
            {
                seen.Add((weight, Runtime.Clock.Now));
            }
            return Is(found, "SUCCESSFUL");
        });
        Assert.Equal([0, 40, 80, 100], seen.Select(step => step.Weight));
        Assert.InRange(seen[2].Time - seen[1].Time, TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(3.5));
    }

    [Fact]
    public async Task A_canary_gets_tenths_of_a_percent_then_all()
    {
        await Running("""{"Strategy":"CANARY","BakeTimeInMinutes":0,"CanaryConfiguration":{"CanaryPercent":2.5,"CanaryBakeTimeInMinutes":10} }""");
        await Release("inferloop/synthdata:v2");
        await Until(found => (double)found["targetServiceRevision"]!["requestedProductionTrafficWeight"]! == 2.5);
        Assert.Equal((25, 975), ((await Weights(production))[alternate], (await Weights(production))[platform.TargetGroup]));
        var since = Runtime.Clock.Now;
        await Until(found => Is(found, "SUCCESSFUL"));
        Assert.True(Runtime.Clock.Now - since >= TimeSpan.FromMinutes(10));
    }

    [Theory]
    [InlineData("CONTINUE", "SUCCESSFUL")]
    [InlineData("ROLLBACK", "ROLLBACK_SUCCESSFUL")]
    public async Task A_pause_waits_for_its_answer(string action, string end)
    {
        var first = await Running("""{"Strategy":"BLUE_GREEN","BakeTimeInMinutes":0,"LifecycleHooks":[{"TargetType":"PAUSE","LifecycleStages":["POST_TEST_TRAFFIC_SHIFT"],"TimeoutConfiguration":{"TimeoutInMinutes":60,"Action":"ROLLBACK"} }]}""");
        var second = await Release("inferloop/synthdata:v2");
        var paused = await Until(found => found["lifecycleHookDetails"] is JsonArray { Count: 1 });
        Assert.Equal(("POST_TEST_TRAFFIC_SHIFT", "AWAITING_ACTION"), ((string?)paused["lifecycleStage"], (string?)paused["lifecycleHookDetails"]![0]!["status"]));
        Pass(TimeSpan.FromMinutes(30));
        Assert.True(At(await Deployment(), "POST_TEST_TRAFFIC_SHIFT"));
        Assert.Equal((100, 0), ((await Weights(test))[alternate], (await Weights(production))[alternate]));
        var arn = paused["serviceDeploymentArn"];
        Assert.Equal("InvalidParameterException", (await Fails("ecs", "ContinueServiceDeployment", $$"""{"serviceDeploymentArn":"{{arn}}","hookId":"ecs-pause-other"}""")).Code);
        await Call("ecs", "ContinueServiceDeployment", $$"""{"serviceDeploymentArn":"{{arn}}","hookId":"{{paused["lifecycleHookDetails"]![0]!["hookId"]}}","action":"{{action}}"}""");
        await Until(found => Is(found, end));
        Assert.Equal(action == "CONTINUE" ? second : first, (string?)(await Describe())["taskDefinition"]);
        Assert.Equal("ConflictException", (await Fails("ecs", "StopServiceDeployment", $$"""{"serviceDeploymentArn":"{{arn}}"}""")).Code);
    }

    [Fact]
    public async Task A_pause_that_nobody_answers_takes_its_timeouts_way()
    {
        var first = await Running("""{"Strategy":"BLUE_GREEN","BakeTimeInMinutes":0,"LifecycleHooks":[{"TargetType":"PAUSE","LifecycleStages":["PRE_SCALE_UP"],"TimeoutConfiguration":{"TimeoutInMinutes":10} }]}""");
        await Release("inferloop/synthdata:v2");
        var paused = await Until(found => found["lifecycleHookDetails"] is JsonArray { Count: 1 });
        Assert.Equal("ROLLBACK", (string?)paused["lifecycleHookDetails"]![0]!["timeoutAction"]);
        await Until(found => Is(found, "ROLLBACK_SUCCESSFUL"), 20);
        Assert.Equal(first, (string?)(await Describe())["taskDefinition"]);
    }

    [Fact]
    public async Task An_alarm_during_the_bake_takes_traffic_back_at_once()
    {
        platform = null!;
        await Call("cloudwatch", "PutMetricAlarm", """{"AlarmName":"errors","Namespace":"X","MetricName":"Y","Statistic":"Sum","Period":60,"EvaluationPeriods":1,"ComparisonOperator":"GreaterThanThreshold","Threshold":0,"TreatMissingData":"ignore"}""");
        var first = await Running("""{"Strategy":"BLUE_GREEN","BakeTimeInMinutes":30,"Alarms":{"Enable":true,"Rollback":true,"AlarmNames":["errors"]} }""");
        await Release("inferloop/synthdata:v2");
        await Until(found => At(found, "BAKE_TIME"));
        await Call("cloudwatch", "SetAlarmState", """{"AlarmName":"errors","StateValue":"ALARM","StateReason":"test"}""");
        Pass(TimeSpan.FromSeconds(10));
        Assert.Equal(100, (await Weights(production))[platform.TargetGroup]);
        var end = await Until(found => Is(found, "ROLLBACK_SUCCESSFUL"));
        Assert.Equal(("TRIGGERED", "errors"), ((string?)end["alarms"]!["status"], (string?)end["alarms"]!["triggeredAlarmNames"]![0]));
        Assert.Contains("errors", (string?)end["rollback"]!["reason"], StringComparison.Ordinal);
        Assert.Equal(first, (string?)(await Describe())["taskDefinition"]);

        // One that rings from the beginning is left alone: this deployment may be what ends it.
        await Release("inferloop/synthdata:v3");
        Assert.Equal("DISABLED", (string?)(await Deployment())["alarms"]!["status"]);
        await Until(found => Is(found, "SUCCESSFUL"));
    }

    [Fact]
    public async Task A_green_that_crashes_never_gets_traffic()
    {
        var first = await Running(BlueGreen);
        await Release("inferloop/synthdata:v2-crash");
        var end = await Until(found =>
        {
            Assert.Equal(0, Weights(production).GetAwaiter().GetResult()[alternate]);
            return Is(found, "ROLLBACK_SUCCESSFUL");
        });
        Assert.Equal("TRIGGERED", (string?)end["deploymentCircuitBreaker"]!["status"]);
        Assert.InRange((int)end["deploymentCircuitBreaker"]!["failureCount"]!, (int)end["deploymentCircuitBreaker"]!["threshold"]!, 4);
        Assert.Equal((first, 2), ((string?)(await Describe())["taskDefinition"], (int)(await Describe())["runningCount"]!));
        var groups = (await Call("logs", "DescribeLogStreams", """{"logGroupName":"/demo/app"}"""))["logStreams"]!.AsArray();
        var said = await Call("logs", "GetLogEvents", $$"""{"logGroupName":"/demo/app","logStreamName":"{{groups[0]!["logStreamName"]}}"}""");
        Assert.Contains("RuntimeError: the application could not start", said["events"]!.AsArray().Select(item => (string?)item!["message"]));
    }

    [Theory]
    [InlineData("SCALE_UP")]
    [InlineData("BAKE_TIME")]
    public async Task A_stop_goes_back_from_any_stage(string stage)
    {
        var first = await Running(BlueGreen);
        await Release("inferloop/synthdata:v2");
        var found = await Until(deployment => At(deployment, stage));
        await Call("ecs", "StopServiceDeployment", $$"""{"serviceDeploymentArn":"{{found["serviceDeploymentArn"]}}","stopType":"ROLLBACK"}""");
        Assert.True(Is(await Deployment(), "ROLLBACK_REQUESTED"));
        await Until(deployment => Is(deployment, "ROLLBACK_SUCCESSFUL"));
        Assert.Equal(first, (string?)(await Describe())["taskDefinition"]);
        Assert.Equal(100, (await Weights(production))[platform.TargetGroup]);
    }

    [Fact]
    public async Task A_rolling_deployment_is_stopped_too()
    {
        var first = await Running("""{"MaximumPercent":200,"MinimumHealthyPercent":100}""");
        await Release("inferloop/synthdata:v2");
        Pass(TimeSpan.FromSeconds(40));
        var found = await Deployment();
        await Call("ecs", "StopServiceDeployment", $$"""{"serviceDeploymentArn":"{{found["serviceDeploymentArn"]}}","stopType":"ROLLBACK"}""");
        await Until(deployment =>
        {
            Assert.True(Answering().GetAwaiter().GetResult() >= 2);
            return Is(deployment, "ROLLBACK_SUCCESSFUL");
        });
        Assert.Equal(first, (string?)(await Describe())["taskDefinition"]);
    }

    [Fact]
    public async Task A_newer_deployment_supersedes_one_under_way_and_no_request_goes_nowhere()
    {
        await Running(BlueGreen);
        await Release("inferloop/synthdata:v2");
        var older = await Until(deployment => At(deployment, "BAKE_TIME"));
        var third = await Release("inferloop/synthdata:v3");
        await Until(deployment =>
        {
            Assert.True(Answering().GetAwaiter().GetResult() >= 2);
            return Is(deployment, "SUCCESSFUL");
        });
        Assert.Equal(third, (string?)(await Describe())["taskDefinition"]);
        var stopped = (await Call("ecs", "DescribeServiceDeployments", $$"""{"serviceDeploymentArns":["{{older["serviceDeploymentArn"]}}"]}"""))["serviceDeployments"]![0]!;
        Assert.True(Is(stopped, "STOPPED"));
    }

    [Fact]
    public async Task What_a_strategy_needs_is_asked_for()
    {
        var first = await Running("""{"MaximumPercent":200,"MinimumHealthyPercent":100}""");
        async Task<string> Refused(string configuration, string balancers = "") =>
            (await Fails("ecs", "UpdateService", $$"""{"cluster":"demo","service":"synthdata","deploymentConfiguration":{{configuration}}{{balancers}} }""")).Message;
        Assert.Contains("bakeTimeInMinutes", await Refused("""{"strategy":"BLUE_GREEN"}"""), StringComparison.Ordinal);
        Assert.Contains("stepPercent must be between", await Refused("""{"strategy":"LINEAR","linearConfiguration":{"stepPercent":1} }"""), StringComparison.Ordinal);
        Assert.Contains("only valid when the deployment strategy is CANARY", await Refused("""{"strategy":"LINEAR","canaryConfiguration":{"canaryPercent":10} }"""), StringComparison.Ordinal);
        Assert.Contains("advancedConfiguration", await Refused("""{"strategy":"CANARY"}""", $$""","loadBalancers":[{"containerName":"synthdata","containerPort":8000,"targetGroupArn":"{{platform.TargetGroup}}"}]"""), StringComparison.Ordinal);
        Assert.Equal(first, (string?)(await Describe())["taskDefinition"]);
    }

    [Fact]
    public async Task CloudFormation_waits_for_the_bake_and_fails_with_the_rollback()
    {
        var first = await Running(BlueGreen);
        var bad = (await Definition(platform, "inferloop/synthdata:v2-unhealthy")).PhysicalId;
        var service = "arn:aws:ecs:us-east-1:123456789012:service/demo/synthdata";
        Task Update(string from, string to) => Provider("AWS::ECS::Service").UpdateAsync(Provisioning("Service"), service, (JsonObject)JsonNode.Parse(Settings(BlueGreen, from))!, (JsonObject)JsonNode.Parse(Settings(BlueGreen, to))!);
        await Assert.ThrowsAsync<ServiceFault>(() => Complete(Update(first, bad)));
        // Taking the stack back starts no deployment of its own: the service is there already.
        var before = (await Call("ecs", "ListServiceDeployments", """{"cluster":"demo","service":"synthdata"}"""))["serviceDeployments"]!.AsArray().Count;
        await Complete(Update(bad, first));
        Assert.Equal(before, (await Call("ecs", "ListServiceDeployments", """{"cluster":"demo","service":"synthdata"}"""))["serviceDeployments"]!.AsArray().Count);
        var good = (await Definition(platform, "inferloop/synthdata:v3")).PhysicalId;
        var started = Runtime.Clock.Now;
        await Complete(Update(first, good));
        Assert.True(Runtime.Clock.Now - started >= TimeSpan.FromMinutes(5));
        Assert.True(Is(await Deployment(), "SUCCESSFUL"));
    }
}

/// <summary>Scans of pushed images.</summary>
public sealed class ImageScanTests : ServiceTestBase
{
    private const string Manifest = """{\"schemaVersion\":2,\"layers\":[{\"size\":NUMBER}]}""";

    private async Task<string> Push(string tag, int size) =>
        (string)(await Call("ecr", "PutImage", $$"""{"repositoryName":"app","imageTag":"{{tag}}","imageManifest":"{{Manifest.Replace("NUMBER", size.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)}}"}"""))["image"]!["imageId"]!["imageDigest"]!;

    [Fact]
    public async Task A_pushed_image_is_scanned_and_its_tag_says_what_is_found()
    {
        await Call("ecr", "CreateRepository", """{"repositoryName":"app","imageScanningConfiguration":{"scanOnPush":true} }""");
        await Push("v1", 1);
        await Push("v2-vulnerable", 2);
        await Push("v3-unscannable", 3);
        async Task<JsonNode> Findings(string tag) => await Call("ecr", "DescribeImageScanFindings", $$"""{"repositoryName":"app","imageId":{"imageTag":"{{tag}}"} }""");
        Assert.Equal("IN_PROGRESS", (string?)(await Findings("v1"))["imageScanStatus"]!["status"]);
        Pass(TimeSpan.FromMinutes(1));
        Assert.Equal("COMPLETE", (string?)(await Findings("v1"))["imageScanStatus"]!["status"]);
        Assert.Empty((await Findings("v1"))["imageScanFindings"]!["findings"]!.AsArray());
        var found = (await Findings("v2-vulnerable"))["imageScanFindings"]!;
        Assert.Equal((1, 1, 2), ((int)found["findingSeverityCounts"]!["CRITICAL"]!, (int)found["findingSeverityCounts"]!["HIGH"]!, found["findings"]!.AsArray().Count));
        Assert.Equal("FAILED", (string?)(await Findings("v3-unscannable"))["imageScanStatus"]!["status"]);
        Assert.Equal("LimitExceededException", (await Fails("ecr", "StartImageScan", """{"repositoryName":"app","imageId":{"imageTag":"v1"} }""")).Code);
        await Call("ecr", "PutImageScanningConfiguration", """{"repositoryName":"app","imageScanningConfiguration":{"scanOnPush":false} }""");
        await Push("v4", 4);
        Assert.Equal("ScanNotFoundException", (await Fails("ecr", "DescribeImageScanFindings", """{"repositoryName":"app","imageId":{"imageTag":"v4"} }""")).Code);
    }
}
