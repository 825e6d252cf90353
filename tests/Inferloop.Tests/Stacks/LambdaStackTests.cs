using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>Lambda: the document's sizes, one alias that everything calls, event sources that are there when asked for, and a place for what failed.</summary>
public sealed class LambdaStackTests
{
    private static readonly (string, string)[] s_triggers = [("LambdaHttpApi", "true"), ("LambdaSchedule", "rate(1 hour)"), ("LambdaBucketTrigger", "true"), ("LambdaTableTrigger", "true")];

    private static Task<EvaluatedStack> EvaluateAsync(params (string, string)[] parameters) => StackFixture.EvaluateAsync(parameters: [("LambdaEnabled", "true"), ("LambdaHttpApi", "false"), ("LambdaBucketTrigger", "false"), ("LambdaTableTrigger", "false"), .. parameters]);

    [Fact]
    public async Task The_function_is_the_document_s()
    {
        var stack = await EvaluateAsync();
        var function = stack.Find("Lambda/Function");
        Assert.Equal(("900", "3008", "10240"), (function.Text("Timeout"), function.Text("MemorySize"), function.Text("EphemeralStorage.Size")));
        Assert.Equal("Active", function.Text("TracingConfig.Mode"));
        Assert.Equal("arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:55", function.Text("Layers.0"));
        Assert.Equal("python3.13", function.Text("Runtime"));
        Assert.Null(function.At("VpcConfig"));
        Assert.True((await EvaluateAsync(("LambdaInVpc", "true"))).Find("Lambda/Function").At("VpcConfig.SecurityGroupIds.0")!.ComesFrom("Network/TaskSecurityGroup"));

        // The destination of InvokeConfig alone: with a dead-letter queue of its own the function would report each failure twice.
        Assert.Null(function.At("DeadLetterConfig"));
        Assert.Equal(stack.Find("Lambda/LogGroup").Text("LogGroupName"), function.Text("LoggingConfig.LogGroup"));
        Assert.Equal("30", stack.Find("Lambda/LogGroup").Text("RetentionInDays"));
        Assert.True(stack.Find("Lambda/LogGroup").At("KmsKeyId")!.ComesFrom("Security/Key"));
        Assert.DoesNotContain("ReservedConcurrentExecutions", ((MapValue)function.Properties).Keys);
    }

    [Theory]
    [InlineData("us-west-2", "arm64", "arn:aws:lambda:us-west-2:580247275435:layer:LambdaInsightsExtension-Arm64:22")]
    [InlineData("eu-west-1", "x86_64", "arn:aws:lambda:eu-west-1:580247275435:layer:LambdaInsightsExtension:55")]
    [InlineData("eu-central-2", "arm64", null)]
    [InlineData("mx-central-1", "x86_64", null)]
    public async Task Insights_takes_the_layer_of_region_and_processor_where_there_is_one(string region, string architecture, string? layer)
    {
        var stack = await StackFixture.EvaluateAsync(region: region, parameters: [("LambdaEnabled", "true"), ("LambdaArchitecture", architecture)]);
        Assert.Equal(layer, stack.Find("Lambda/Function").Text("Layers.0"));
    }

    [Fact]
    public async Task An_image_has_neither_runtime_handler_nor_layers_and_is_another_function()
    {
        var zip = (await EvaluateAsync()).Find("Lambda/Function");
        var image = (await EvaluateAsync(("LambdaImage", "123456789012.dkr.ecr.us-east-1.amazonaws.com/synthdata:1.4.0"))).Find("Lambda/Function");
        Assert.Equal("Image", image.Text("PackageType"));
        Assert.Equal("123456789012.dkr.ecr.us-east-1.amazonaws.com/synthdata:1.4.0", image.Text("Code.ImageUri"));
        Assert.DoesNotContain(((MapValue)image.Properties).Keys, k => k is "Runtime" or "Handler" or "Layers");
        Assert.NotEqual(zip.Text("FunctionName"), image.Text("FunctionName"));
    }

    [Fact]
    public async Task A_zip_comes_from_its_bucket()
    {
        var function = (await EvaluateAsync(("LambdaCodeBucket", "releases"), ("LambdaCodeKey", "a/b.zip"))).Find("Lambda/Function");
        Assert.Equal(("releases", "a/b.zip"), (function.Text("Code.S3Bucket"), function.Text("Code.S3Key")));
        Assert.Equal("Zip", function.Text("PackageType"));
    }

    [Theory]
    [InlineData("LambdaRelease", "2")]
    [InlineData("LambdaMemory", "1024")]
    [InlineData("LambdaTimeout", "60")]
    [InlineData("LambdaRuntime", "python3.12")]
    [InlineData("LambdaArchitecture", "arm64")]
    [InlineData("LambdaInsights", "false")]
    [InlineData("LambdaEphemeralStorage", "512")]
    [InlineData("LambdaHandler", "app.main")]
    [InlineData("LogLevel", "DEBUG")]
    [InlineData("LambdaCodeBucket", "releases")]
    public async Task A_change_publishes_a_version_and_always_changes_the_function_too(string parameter, string value)
    {
        var (before, after) = (await EvaluateAsync(), await EvaluateAsync((parameter, value)));
        Assert.NotEqual(before.Find("Lambda/Version").Text("Description"), after.Find("Lambda/Version").Text("Description"));
        Assert.Equal(after.Find("Lambda/Version").Text("Description"), after.Find("Lambda/Function").Text("Description"));
    }

    [Fact]
    public async Task The_longest_description_fits()
    {
        var image = "123456789012.dkr.ecr.ap-southeast-1.amazonaws.com/" + new string('x', 60) + "@" + new string('x', 72);
        var function = (await EvaluateAsync(("LambdaImage", image), ("LambdaRelease", new string('r', 32)), ("LogLevel", "CRITICAL"), ("ServiceTier", "professional"), ("LambdaInsights", "false"), ("LambdaTracing", "false"), ("LambdaMemory", "10240"))).Find("Lambda/Function");
        Assert.InRange(function.Text("Description")!.Length, 200, 256);
    }

    [Fact]
    public async Task Every_event_source_calls_the_alias_and_only_what_is_asked_for_is_there()
    {
        var with = await EvaluateAsync(s_triggers);
        Assert.True(with.Find("Lambda/HttpApiIntegration").At("IntegrationUri")!.ComesFrom("Lambda/Alias"));
        Assert.True(with.Find("Lambda/Schedule").At("Target.Arn")!.ComesFrom("Lambda/Alias"));
        Assert.True(with.Find("Lambda/BucketRule").At("Targets.0.Arn")!.ComesFrom("Lambda/Alias"));
        Assert.True(with.Find("Lambda/TableMapping").At("FunctionName")!.ComesFrom("Lambda/Alias"));
        Assert.True(with.Find("Lambda/InvokeConfig").At("DestinationConfig.OnFailure.Destination")!.ComesFrom("Lambda/DeadLetterQueue"));
        Assert.Equal("AWS_IAM", with.Find("Lambda/HttpApiRoute").Text("AuthorizationType"));
        var permissions = with.OfType("AWS::Lambda::Permission").Where(p => p.Path.StartsWith("Lambda/", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, permissions.Count);
        Assert.All(permissions, p => Assert.True(p.At("SourceArn")!.Sources.Any(), p.Path));

        var without = await EvaluateAsync();
        Assert.DoesNotContain(without.AllResources(), r => r.Path.StartsWith("Lambda/", StringComparison.Ordinal) && r.Type is "AWS::ApiGatewayV2::Api" or "AWS::Lambda::EventSourceMapping" || r.Path is "Lambda/Schedule" or "Lambda/BucketRule" or "Lambda/HttpApiPermission");
        Assert.Null(without.Find("Storage/DataBucket").At("NotificationConfiguration"));
        Assert.Equal("true", with.Find("Storage/DataBucket").Text("NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled"));
        Assert.DoesNotContain("LambdaHttpApiUrl", without.Outputs.Keys);
        Assert.Contains("LambdaHttpApiUrl", with.Outputs.Keys);
    }

    [Fact]
    public async Task Only_objects_under_the_prefix_and_new_records_call_the_function()
    {
        var stack = await EvaluateAsync(s_triggers);
        Assert.Equal("input/", stack.Find("Lambda/BucketRule").Text("EventPattern.detail.object.key.0.prefix"));
        var mapping = stack.Find("Lambda/TableMapping");
        Assert.Equal("""{"eventName":["INSERT"]}""", mapping.Text("FilterCriteria.Filters.0.Pattern"));
        Assert.Equal(("true", "5", "21600"), (mapping.Text("BisectBatchOnFunctionError"), mapping.Text("MaximumRetryAttempts"), mapping.Text("MaximumRecordAgeInSeconds")));
        Assert.True(mapping.At("DestinationConfig.OnFailure.Destination")!.ComesFrom("Lambda/DeadLetterQueue"));
    }

    [Fact]
    public async Task Passwords_are_references_and_nothing_comes_from_ECS()
    {
        var stack = await EvaluateAsync([("EcsEnabled", "false"), ("LambdaInVpc", "true"), ("DatabaseEnabled", "true"), ("CacheEnabled", "true"), .. s_triggers]);
        var variables = ((MapValue)stack.Find("Lambda/Function").At("Environment.Variables")!).Keys.ToHashSet();
        Assert.Superset(new HashSet<string> { "S3_BUCKET", "DYNAMODB_TABLE", "SERVICE_TIER", "LOG_LEVEL", "DATABASE_HOST", "DATABASE_SECRET_ARN", "CACHE_HOST", "CACHE_SECRET_ARN" }, variables);
        Assert.DoesNotContain(variables, v => v.EndsWith("PASSWORD", StringComparison.Ordinal) || v == "JWT_SECRET");
        Assert.DoesNotContain(stack.AllResources(), r => r.Type.StartsWith("AWS::ECS::", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Failures_are_kept_encrypted_for_14_days()
    {
        var queue = (await EvaluateAsync()).Find("Lambda/DeadLetterQueue");
        Assert.Equal(("1209600", "true"), (queue.Text("MessageRetentionPeriod"), queue.Text("SqsManagedSseEnabled")));
    }

    [Fact]
    public async Task Reserved_and_provisioned_concurrency_are_set_when_asked_for()
    {
        var stack = await EvaluateAsync(("LambdaReservedConcurrency", "50"), ("LambdaProvisionedConcurrency", "5"));
        Assert.Equal("50", stack.Find("Lambda/Function").Text("ReservedConcurrentExecutions"));
        Assert.Equal("5", stack.Find("Lambda/Alias").Text("ProvisionedConcurrencyConfig.ProvisionedConcurrentExecutions"));
    }

    [Fact]
    public async Task Everything_of_it_that_takes_tags_has_them()
    {
        var tagged = 0;
        foreach (var resource in (await EvaluateAsync(s_triggers)).AllResources().Where(r => r.Path.StartsWith("Lambda", StringComparison.Ordinal)))
        {
            if (ResourceSpecification.Default.Find(resource.Type)?.Properties.ContainsKey("Tags") == true)
            {
                var tags = resource.At("Tags")!;
                var keys = tags is MapValue map ? map.Keys : tags.Items.Select(t => t["Key"]!.AsString()!);
                Assert.Superset(new HashSet<string> { "inferloop:environment", "inferloop:stage", "inferloop:managed-by", "inferloop:component" }, keys.ToHashSet());
                tagged++;
            }
        }

        Assert.True(tagged >= 9, $"{tagged}");
    }

    [Fact]
    public async Task Without_the_switch_there_is_no_function_and_no_event() =>
        Assert.DoesNotContain((await StackFixture.EvaluateAsync(parameters: s_triggers)).AllResources(), r => r.Path.StartsWith("Lambda", StringComparison.Ordinal) || r.At("NotificationConfiguration") is not null);
}
