using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>A service behind a load balancer: how it becomes stable, how it changes, how it fails.</summary>
public sealed class EcsTests : EcsServiceTestBase
{
    [Fact]
    public async Task A_service_becomes_stable_when_its_tasks_run_and_its_targets_are_healthy()
    {
        var platform = await Build();
        var definition = await Definition(platform, "inferloop/synthdata:v1");
        Assert.EndsWith("task-definition/synthdata:1", definition.PhysicalId, StringComparison.Ordinal);
        var creating = Provider("AWS::ECS::Service").CreateAsync(Provisioning("Service"), (JsonObject)JsonNode.Parse(Service(platform, definition.PhysicalId))!);
        var started = Runtime.Clock.Now;
        var service = await Complete(creating);
        Assert.InRange(Runtime.Clock.Now - started, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(5));
        Assert.Equal("arn:aws:ecs:us-east-1:123456789012:service/demo/synthdata", service.PhysicalId);
        Assert.Equal("synthdata", (string?)service.Attributes["Name"]);
        var described = await Describe();
        Assert.Equal(2, (int)described["runningCount"]!);
        Assert.Equal("COMPLETED", (string?)described["deployments"]![0]!["rolloutState"]);
        Assert.Equal("(service synthdata) has reached a steady state.", (string?)described["events"]![0]!["message"]);
        var health = (await Call("elbv2", "DescribeTargetHealth", $$"""{"TargetGroupArn":"{{platform.TargetGroup}}"}"""))["TargetHealthDescriptions"]!.AsArray();
        Assert.Equal(["healthy", "healthy"], health.Select(item => (string?)item!["TargetHealth"]!["State"]));
        var tasks = (await Call("ecs", "ListTasks", """{"cluster":"demo","serviceName":"synthdata"}"""))["taskArns"]!;
        var details = (await Call("ecs", "DescribeTasks", $$"""{"cluster":"demo","tasks":{{tasks.ToJsonString()}},"include":["TAGS"]}"""))["tasks"]!.AsArray();
        Assert.All(details, task => Assert.Equal(("RUNNING", "HEALTHY"), ((string?)task!["lastStatus"], (string?)task["healthStatus"])));
        Assert.Equal(["FARGATE", "FARGATE_SPOT"], details.Select(task => (string?)task!["capacityProviderName"]).Order());
        Assert.Equal(2, details.Select(task => (string?)task!["availabilityZone"]).Distinct().Count());
        Assert.Contains(details[0]!["tags"]!.AsArray(), tag => (string?)tag!["key"] == "inferloop:component");
        Assert.Equal(2, (await Call("servicediscovery", "DiscoverInstances", """{"NamespaceName":"demo.internal","ServiceName":"synthdata"}"""))["Instances"]!.AsArray().Count);
    }

    [Fact]
    public async Task A_new_task_definition_rolls_out_without_going_below_the_minimum()
    {
        var platform = await Build();
        var first = await Definition(platform, "inferloop/synthdata:v1");
        var service = await Provision("AWS::ECS::Service", Service(platform, first.PhysicalId), "Service");
        var second = await Definition(platform, "inferloop/synthdata:v2");
        var before = (JsonObject)JsonNode.Parse(Service(platform, first.PhysicalId))!;
        var after = (JsonObject)JsonNode.Parse(Service(platform, second.PhysicalId))!;
        var update = Provider("AWS::ECS::Service").UpdateAsync(Provisioning("Service"), service.PhysicalId, before, after);
        var fewest = int.MaxValue;
        while (!update.IsCompleted)
        {
            Pass(TimeSpan.FromSeconds(2));
            var health = (await Call("elbv2", "DescribeTargetHealth", $$"""{"TargetGroupArn":"{{platform.TargetGroup}}"}"""))["TargetHealthDescriptions"]!.AsArray();
            fewest = Math.Min(fewest, health.Count(item => (string?)item!["TargetHealth"]!["State"] == "healthy"));
            await Task.WhenAny(update, Task.Delay(1, TestContext.Current.CancellationToken));
        }
        await update;
        Assert.Equal(2, fewest);
        var described = await Describe();
        Assert.Equal(second.PhysicalId, (string?)described["taskDefinition"]);
        Assert.Single(described["deployments"]!.AsArray());
    }

    [Fact]
    public async Task An_image_that_cannot_be_pulled_trips_the_breaker_and_fails_the_resource()
    {
        var platform = await Build();
        var definition = await Definition(platform, "inferloop/synthdata:missing");
        var fault = await Assert.ThrowsAsync<ServiceFault>(() => Provision("AWS::ECS::Service", Service(platform, definition.PhysicalId), "Service"));
        Assert.Equal("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", fault.Message);
        var stopped = (await Call("ecs", "ListTasks", """{"cluster":"demo","desiredStatus":"STOPPED"}"""))["taskArns"]!;
        var task = (await Call("ecs", "DescribeTasks", $$"""{"cluster":"demo","tasks":{{stopped.ToJsonString()}}}"""))["tasks"]![0]!;
        Assert.StartsWith("CannotPullContainerError:", (string?)task["stoppedReason"], StringComparison.Ordinal);
        Assert.Equal("TaskFailedToStart", (string?)task["stopCode"]);
        // What the failed creation left can be removed.
        await Complete(Provider("AWS::ECS::Service").DeleteAsync(Provisioning("Service"), "arn:aws:ecs:us-east-1:123456789012:service/demo/synthdata", []));
        Assert.Equal("INACTIVE", (string?)(await Describe())["status"]);
    }

    [Fact]
    public async Task A_bad_release_is_rolled_back_to_the_last_good_one()
    {
        var platform = await Build();
        var good = await Definition(platform, "inferloop/synthdata:v1");
        var service = await Provision("AWS::ECS::Service", Service(platform, good.PhysicalId), "Service");
        var bad = await Definition(platform, "inferloop/synthdata:v2-crash");
        await Assert.ThrowsAsync<ServiceFault>(() => Complete(Provider("AWS::ECS::Service").UpdateAsync(Provisioning("Service"), service.PhysicalId,
            (JsonObject)JsonNode.Parse(Service(platform, good.PhysicalId))!, (JsonObject)JsonNode.Parse(Service(platform, bad.PhysicalId))!)));
        Pass(TimeSpan.FromMinutes(20));
        var described = await Describe();
        Assert.Equal(good.PhysicalId, (string?)described["taskDefinition"]);
        Assert.Equal(2, (int)described["runningCount"]!);
        Assert.Contains(described["events"]!.AsArray(), item => ((string?)item!["message"])!.Contains("rolling back to (deployment", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deleting_a_service_frees_subnets_and_groups()
    {
        var platform = await Build();
        var definition = await Definition(platform, "inferloop/synthdata:v1");
        var service = await Provision("AWS::ECS::Service", Service(platform, definition.PhysicalId), "Service");
        Assert.Equal("ClusterContainsServicesException", (await Fails("ecs", "DeleteCluster", """{"cluster":"demo"}""")).Code);
        await Complete(Provider("AWS::ECS::Service").DeleteAsync(Provisioning("Service"), service.PhysicalId, []));
        Assert.Null(await Provider("AWS::ECS::Service").ReadAsync(Provisioning(), service.PhysicalId));
        var left = (await Call("ec2", "DescribeNetworkInterfaces", """{"Filters":[{"Name":"requester-id","Values":["amazon-ecs"]}]}"""))["NetworkInterfaces"]!.AsArray();
        Assert.Empty(left);
        await Call("ecs", "DeleteCluster", """{"cluster":"demo"}""");
    }

    [Theory]
    [InlineData("300", "512", "No Fargate configuration exists for given values: 300 CPU, 512 memory. See the AWS documentation for a list of allowed values.")]
    [InlineData("1024", "1024", "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the AWS documentation for a list of allowed values.")]
    public async Task Fargate_takes_only_its_own_sizes(string cpu, string memory, string message)
    {
        var fault = await Fails("ecs", "RegisterTaskDefinition", $$"""{"family":"x","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"cpu":"{{cpu}}","memory":"{{memory}}","containerDefinitions":[{"name":"c","image":"i"}]}""");
        Assert.Equal(("ClientException", message), (fault.Code, fault.Message));
    }

    [Fact]
    public async Task Capacity_on_instances_comes_from_the_group_when_tasks_wait()
    {
        var platform = await Build();
        var template = await Provision("AWS::EC2::LaunchTemplate", """{"LaunchTemplateData":{"InstanceType":"t3.medium","ImageId":"ami-0123456789abcdef0"}}""", "Template");
        var subnets = JsonNode.Parse(platform.Subnets)!.AsArray();
        var group = await Provision("AWS::AutoScaling::AutoScalingGroup", $$"""{"MinSize":"1","MaxSize":"4","VPCZoneIdentifier":["{{subnets[0]}}","{{subnets[1]}}"],"LaunchTemplate":{"LaunchTemplateId":"{{template.PhysicalId}}","Version":"{{template.Attributes["LatestVersionNumber"]}}"} }""", "Group2");
        var provider = await Provision("AWS::ECS::CapacityProvider", $$"""{"Name":"demo-ec2","AutoScalingGroupProvider":{"AutoScalingGroupArn":"{{group.Attributes["AutoScalingGroupARN"]}}","ManagedScaling":{"Status":"ENABLED","TargetCapacity":"100"} } }""", "Provider");
        await Provision("AWS::ECS::ClusterCapacityProviderAssociations", $$"""{"Cluster":"demo","CapacityProviders":["FARGATE","{{provider.PhysicalId}}"],"DefaultCapacityProviderStrategy":[{"CapacityProvider":"{{provider.PhysicalId}}","Weight":1}]}""", "Associations");
        var definition = await Definition(platform, "inferloop/synthdata:v1");
        var properties = (JsonObject)JsonNode.Parse(Service(platform, definition.PhysicalId, 3))!;
        properties["CapacityProviderStrategy"] = JsonNode.Parse($$"""[{"CapacityProvider":"{{provider.PhysicalId}}","Weight":1}]""");
        await Provision("AWS::ECS::Service", properties.ToJsonString(), "Service");
        var instances = (await Call("ecs", "ListContainerInstances", """{"cluster":"demo"}"""))["containerInstanceArns"]!.AsArray();
        Assert.True(instances.Count >= 2, "Three tasks of 1 vCPU need at least two t3.medium instances.");
        Assert.Equal(3, (int)(await Describe())["runningCount"]!);
    }

    [Fact]
    public async Task Scaling_targets_bring_a_service_within_their_bounds()
    {
        var platform = await Build();
        var definition = await Definition(platform, "inferloop/synthdata:v1");
        await Provision("AWS::ECS::Service", Service(platform, definition.PhysicalId, 1), "Service");
        var target = await Provision("AWS::ApplicationAutoScaling::ScalableTarget", """{"ServiceNamespace":"ecs","ScalableDimension":"ecs:service:DesiredCount","ResourceId":"service/demo/synthdata","MinCapacity":"2","MaxCapacity":"10"}""", "Target2");
        Assert.Equal("service/demo/synthdata|ecs:service:DesiredCount|ecs", target.PhysicalId);
        var policy = await Provision("AWS::ApplicationAutoScaling::ScalingPolicy", $$"""{"PolicyName":"cpu","PolicyType":"TargetTrackingScaling","ScalingTargetId":"{{target.PhysicalId}}","TargetTrackingScalingPolicyConfiguration":{"TargetValue":"70","PredefinedMetricSpecification":{"PredefinedMetricType":"ECSServiceAverageCPUUtilization"} } }""", "Policy");
        Assert.Contains(":policyName/cpu", policy.PhysicalId, StringComparison.Ordinal);
        var alarms = (await Call("cloudwatch", "DescribeAlarms", """{"AlarmNamePrefix":"TargetTracking-service/demo/synthdata-"}"""))["MetricAlarms"]!.AsArray();
        Assert.Equal(2, alarms.Count);
        Pass(TimeSpan.FromSeconds(30));
        var end = Runtime.Clock.Now + TimeSpan.FromMinutes(10);
        while ((int)(await Describe())["runningCount"]! != 2)
        {
            Assert.True(Runtime.Clock.Now < end, "The service was not brought to its minimum.");
            Pass(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }
        await Complete(Provider("AWS::ApplicationAutoScaling::ScalableTarget").DeleteAsync(Provisioning(), target.PhysicalId, []));
        Assert.Empty((await Call("cloudwatch", "DescribeAlarms"))["MetricAlarms"]!.AsArray());
    }
}
