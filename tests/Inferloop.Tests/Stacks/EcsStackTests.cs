using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>The application on ECS: the document's task and service, the application's variables, and the traps its first infrastructure fell into.</summary>
public sealed class EcsStackTests
{
    private const string Certificate = "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555";

    public static TheoryData<string, string> StagesAndCapacities()
    {
        var data = new TheoryData<string, string>();
        foreach (var stage in new[] { "dev", "staging", "prod" })
        {
            foreach (var capacity in new[] { "Fargate", "FargateSpot", "Ec2", "Mixed" })
            {
                data.Add(stage, capacity);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(StagesAndCapacities))]
    public async Task Evaluates_for_every_stage_and_capacity_without_a_diagnostic(string stage, string capacity)
    {
        foreach (var region in new[] { "us-east-1", "us-west-2", "eu-west-1", "ap-southeast-2" })
        {
            var stack = await StackFixture.EvaluateAsync(stage, StackFixture.LongestName, region, ("CapacityMode", capacity), ("BucketEncryption", "KMS"));
            Assert.Empty(stack.Diagnostics);
            Assert.Equal(9, stack.NestedStacks.Count);
            Assert.True(stack.AllResources().Count() > 80);
        }
    }

    [Theory]
    [InlineData("Fargate", "FARGATE/0/1")]
    [InlineData("FargateSpot", "FARGATE_SPOT/0/1")]
    [InlineData("Mixed", "FARGATE/2/1 FARGATE_SPOT/0/1")]
    public async Task One_strategy_never_mixes_Fargate_with_instances(string capacity, string strategy)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", capacity)]);
        Assert.Equal(
            strategy,
            string.Join(' ', stack.Find("Ecs/Service").At("CapacityProviderStrategy")!.Items.Select(p => $"{p["CapacityProvider"]!.AsString()}/{p["Base"]?.AsString() ?? "0"}/{p["Weight"]!.AsString()}")));
        Assert.Null(stack.Find("Ecs/Service").At("PlacementStrategies"));
        Assert.Null(stack.Find("Ecs/Service").At("LaunchType"));
    }

    [Fact]
    public async Task Instances_join_without_a_cycle_and_are_hardened()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", "Ec2")]);
        Assert.Null(stack.Find("Ecs/Cluster").At("CapacityProviders"));
        Assert.Empty(stack.Find("Ecs/Cluster").DependsOn);
        Assert.Equal(3, stack.Find("Ecs/ClusterCapacity").At("CapacityProviders")!.Items.Count);
        var launch = stack.Find("Ecs/LaunchTemplate");
        Assert.Equal("required", launch.Text("LaunchTemplateData.MetadataOptions.HttpTokens"));
        Assert.Equal("ami-0123456789abcdef0", launch.Text("LaunchTemplateData.ImageId"));
        Assert.Equal("t3.medium", launch.Text("LaunchTemplateData.InstanceType"));
        Assert.Equal("EC2", stack.Find("Ecs/InstanceGroup").Text("HealthCheckType"));
        Assert.Contains("AgentAccess", stack.Find("Ecs/InstanceGroup").DependsOn);
        Assert.Contains("Ec2CapacityProvider", stack.Find("Ecs/Service").DependsOn);
    }

    [Fact]
    public async Task The_task_definition_is_the_document_s()
    {
        var stack = await StackFixture.EvaluateAsync();
        var task = stack.Find("Ecs/TaskDefinition");
        Assert.Equal("/inferloop/demo/prod/application", stack.Find("Logs/ApplicationLogGroup").Text("LogGroupName"));
        Assert.StartsWith("inferloop-synthdata-task", task.Text("Family"), StringComparison.Ordinal);
        Assert.Equal("awsvpc", task.Text("NetworkMode"));
        Assert.Equal(["EC2", "FARGATE"], task.At("RequiresCompatibilities")!.Items.Select(i => i.AsString()));
        Assert.Equal(("1024", "2048"), (task.Text("Cpu"), task.Text("Memory")));
        var container = "ContainerDefinitions.0.";
        Assert.Equal(("synthdata", "inferloop/synthdata:latest"), (task.Text(container + "Name"), task.Text(container + "Image")));
        Assert.Equal("8000", task.Text(container + "PortMappings.0.ContainerPort"));
        Assert.Equal(["CMD-SHELL", "curl -f http://localhost:8000/health"], task.At(container + "HealthCheck.Command")!.Items.Select(i => i.AsString()));
        Assert.Equal(("30", "5", "3"), (task.Text(container + "HealthCheck.Interval"), task.Text(container + "HealthCheck.Timeout"), task.Text(container + "HealthCheck.Retries")));
        Assert.Equal("/inferloop/demo/prod/application", task.Text(container + "LogConfiguration.Options.awslogs-group"));
    }

    [Fact]
    public async Task The_application_finds_its_variables_under_the_names_it_reads()
    {
        string[] contract =
        [
            "DATABASE_HOST", "DATABASE_PORT", "DATABASE_USERNAME", "DATABASE_PASSWORD", "DATABASE_NAME", "DATABASE_POOL_SIZE", "CACHE_HOST", "CACHE_PORT", "CACHE_PASSWORD",
            "STORAGE_PROVIDER", "STORAGE_BUCKET_NAME", "STORAGE_REGION", "JWT_SECRET", "JWT_ALGORITHM", "JWT_EXPIRATION_HOURS", "AUTH_SERVICE_URL", "SERVICE_NAME", "SERVICE_TIER",
            "SERVICE_VERSION", "LOG_LEVEL", "ENABLE_METRICS", "ENABLE_TRACING", "ENABLE_API_KEY_AUTH", "METRICS_PORT", "SENTRY_DSN", "ALERT_WEBHOOK_URL", "DYNAMODB_TABLE",
        ];
        string[] secret = ["DATABASE_USERNAME", "DATABASE_PASSWORD", "CACHE_PASSWORD", "JWT_SECRET", "SENTRY_DSN", "ALERT_WEBHOOK_URL"];
        var arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf";
        var stack = await StackFixture.EvaluateAsync(parameters:
            [("DatabaseHost", "db.local"), ("DatabaseSecretArn", arn), ("CacheHost", "cache.local"), ("CacheSecretArn", arn), ("IntegrationsSecretArn", arn), ("AuthServiceUrl", "https://auth.example.com")]);
        var container = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0")!;
        var plain = container["Environment"]!.Items.Select(e => e["Name"]!.AsString()!).ToList();
        var secrets = container["Secrets"]!.Items.Select(e => e["Name"]!.AsString()!).ToList();
        Assert.Equal(contract.Order(), plain.Concat(secrets).Order());
        Assert.Equal(secret.Order(), secrets.Order());

        var bare = (await StackFixture.EvaluateAsync(parameters: [("DatabaseEnabled", "false"), ("CacheEnabled", "false")])).Find("Ecs/TaskDefinition").At("ContainerDefinitions.0.Environment")!.Items.Select(e => e["Name"]!.AsString()!);
        Assert.DoesNotContain(bare, n => n.StartsWith("DATABASE_", StringComparison.Ordinal) || n.StartsWith("CACHE_", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_service_deploys_and_scales_as_the_document_says()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("MinimumTasks", "3"), ("DesiredTasks", "4"), ("MaximumTasks", "20")]);
        var service = stack.Find("Ecs/Service");
        Assert.Equal("300", service.Text("HealthCheckGracePeriodSeconds"));
        Assert.Equal(("200", "100"), (service.Text("DeploymentConfiguration.MaximumPercent"), service.Text("DeploymentConfiguration.MinimumHealthyPercent")));
        Assert.Equal(("true", "true"), (service.Text("DeploymentConfiguration.DeploymentCircuitBreaker.Enable"), service.Text("DeploymentConfiguration.DeploymentCircuitBreaker.Rollback")));
        Assert.Equal("DISABLED", service.Text("NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp"));
        Assert.NotNull(service.At("ServiceRegistries.0.RegistryArn"));
        Assert.Equal("4", service.Text("DesiredCount"));
        var target = stack.Find("Ecs/ScalableTarget");
        Assert.Equal(("3", "20"), (target.Text("MinCapacity"), target.Text("MaxCapacity")));
        foreach (var (policy, metric, value) in new[] { ("CpuScaling", "ECSServiceAverageCPUUtilization", "70"), ("MemoryScaling", "ECSServiceAverageMemoryUtilization", "80") })
        {
            var configuration = stack.Find("Ecs/" + policy).At("TargetTrackingScalingPolicyConfiguration")!;
            Assert.Equal(metric, configuration["PredefinedMetricSpecification"]!["PredefinedMetricType"]!.AsString());
            Assert.Equal((value, "60", "300"), (configuration["TargetValue"]!.AsString(), configuration["ScaleOutCooldown"]!.AsString(), configuration["ScaleInCooldown"]!.AsString()));
        }
    }

    [Fact]
    public async Task Without_a_certificate_port_80_serves()
    {
        var stack = await StackFixture.EvaluateAsync();
        var listener = Assert.Single(stack.OfType("AWS::ElasticLoadBalancingV2::Listener"));
        Assert.Equal(("80", "forward"), (listener.Text("Port"), listener.Text("DefaultActions.0.Type")));
        Assert.Contains("HttpListener", stack.Find("Ecs/Service").DependsOn);
    }

    [Fact]
    public async Task With_a_certificate_port_443_serves_TLS_and_port_80_redirects()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("CertificateArn", Certificate)]);
        var listeners = stack.OfType("AWS::ElasticLoadBalancingV2::Listener").ToDictionary(l => l.Text("Port")!);
        Assert.Equal(2, listeners.Count);
        Assert.Equal(("redirect", "HTTPS"), (listeners["80"].Text("DefaultActions.0.Type"), listeners["80"].Text("DefaultActions.0.RedirectConfig.Protocol")));
        Assert.Equal(("HTTPS", "forward", Certificate), (listeners["443"].Text("Protocol"), listeners["443"].Text("DefaultActions.0.Type"), listeners["443"].Text("Certificates.0.CertificateArn")));
        Assert.Equal("ELBSecurityPolicy-TLS13-1-2-2021-06", listeners["443"].Text("SslPolicy"));
        Assert.Contains("HttpsListener", stack.Find("Ecs/Service").DependsOn);
    }

    [Fact]
    public async Task Targets_are_addresses_checked_on_the_port_they_serve()
    {
        var group = (await StackFixture.EvaluateAsync()).Find("Ecs/TargetGroup");
        Assert.Equal(("ip", "8000", "traffic-port", "/health"), (group.Text("TargetType"), group.Text("Port"), group.Text("HealthCheckPort"), group.Text("HealthCheckPath")));
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public async Task Names_stay_within_their_service_s_limit_for_the_longest_environment(string stage)
    {
        foreach (var name in new[] { StackFixture.LongestName, "internal-x", "ecs-aws", "aa" })
        {
            var stack = await StackFixture.EvaluateAsync(stage, name, parameters: [("CapacityMode", "Mixed"), ("ContainerPort", "65535")]);
            (string Path, string Property, int Limit, string Pattern)[] limits =
            [
                ("Ecs/LoadBalancer", "Name", 32, "^(?!internal-)(?!-)[A-Za-z0-9-]+(?<!-)$"),
                ("Ecs/TargetGroup", "Name", 32, "^(?!-)[A-Za-z0-9-]+(?<!-)$"),
                ("Ecs/Cluster", "ClusterName", 255, "^[A-Za-z0-9_-]+$"),
                ("Ecs/Service", "ServiceName", 255, "^[A-Za-z0-9_-]+$"),
                ("Ecs/TaskDefinition", "Family", 255, "^[A-Za-z0-9_-]+$"),
                ("Ecs/Namespace", "Name", 253, @"^[a-z0-9][a-z0-9.-]+$"),
                ("Security/KeyAlias", "AliasName", 256, "^alias/(?!aws/)[A-Za-z0-9/_-]+$"),
                ("Logs/ApplicationLogGroup", "LogGroupName", 512, @"^[A-Za-z0-9_./#-]+$"),
            ];
            foreach (var (path, property, limit, pattern) in limits)
            {
                var text = stack.Find(path).Text(property)!;
                Assert.True(text.Length <= limit, $"{path}: {text} has {text.Length} of {limit} characters");
                Assert.Matches(pattern, text);
            }
        }
    }

    [Theory]
    [InlineData("256", "2048", true)]
    [InlineData("256", "4096", false)]
    [InlineData("1024", "2048", true)]
    [InlineData("1024", "1024", false)]
    [InlineData("4096", "8192", true)]
    [InlineData("16384", "32768", true)]
    [InlineData("16384", "16384", false)]
    public async Task Refuses_sizes_that_Fargate_does_not_offer_before_anything_is_made(string cpu, string memory, bool offered)
    {
        var evaluation = StackFixture.EvaluateAsync(parameters: [("TaskCpu", cpu), ("TaskMemory", memory)]);
        if (offered)
        {
            Assert.Equal(cpu, (await evaluation).Find("Ecs/TaskDefinition").Text("Cpu"));
            return;
        }

        var error = await Assert.ThrowsAsync<TemplateException>(() => evaluation);
        Assert.Contains(error.Diagnostics, d => d.Message.Contains($"TaskCpu {cpu}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("EnvironmentName", "Demo")]
    [InlineData("EnvironmentName", "abcdefghijklmnopq")]
    [InlineData("Stage", "test")]
    [InlineData("VpcCidr", "10.0.0.0/8")]
    [InlineData("TargetCpuPercent", "100")]
    [InlineData("DatabaseSecretArn", "secret")]
    [InlineData("ContainerPort", "0")]
    public async Task Refuses_values_out_of_bounds(string parameter, string value)
    {
        var error = await Assert.ThrowsAsync<TemplateException>(() => StackFixture.EvaluateAsync(parameters: [(parameter, value)]));
        Assert.Contains(error.Diagnostics, d => d.Message.Contains(parameter, StringComparison.Ordinal));
    }
}
