using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>Roles: the document's hierarchy, and not more than it.</summary>
public sealed class PolicyStackTests
{
    private const string DatabaseSecret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
    private const string CacheSecret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:cache-AbCdEf";
    private const string IntegrationsSecret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:third-AbCdEf";

    [Theory]
    [InlineData("InstanceRole", "ec2.amazonaws.com", "CloudWatchAgentServerPolicy AmazonSSMManagedInstanceCore")]
    [InlineData("TaskExecutionRole", "ecs-tasks.amazonaws.com", "service-role/AmazonECSTaskExecutionRolePolicy")]
    [InlineData("TaskRole", "ecs-tasks.amazonaws.com", "")]
    [InlineData("LambdaExecutionRole", "lambda.amazonaws.com", "service-role/AWSLambdaBasicExecutionRole AWSXRayDaemonWriteAccess")]
    public async Task Has_the_document_s_role_with_its_managed_policies(string role, string service, string managed)
    {
        var resource = (await StackFixture.EvaluateAsync()).Find("Security/" + role);
        Assert.Equal(service, resource.Text("AssumeRolePolicyDocument.Statement.0.Principal.Service"));
        Assert.Equal(
            managed.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(m => "arn:aws:iam::aws:policy/" + m),
            (resource.At("ManagedPolicyArns")?.Items ?? []).Select(a => a.AsString()));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_execution_role_reads_exactly_the_secrets_that_tasks_are_given(bool all)
    {
        (string, string)[] parameters = all
            ? [("DatabaseHost", "db.local"), ("DatabaseSecretArn", DatabaseSecret), ("CacheHost", "cache.local"), ("CacheSecretArn", CacheSecret), ("IntegrationsSecretArn", IntegrationsSecret)]
            : [("DatabaseEnabled", "false"), ("CacheEnabled", "false")];
        var stack = await StackFixture.EvaluateAsync(parameters: parameters);
        var statement = stack.Find("Security/TaskExecutionRole").At("Policies.0.PolicyDocument.Statement")!.Items.Single(s => s["Action"]!.AsString() == "secretsmanager:GetSecretValue");
        var readable = statement["Resource"]!.Items;
        var injected = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0.Secrets")!.Items
            .ToDictionary(s => s["Name"]!.AsString()!, s => s["ValueFrom"]!);

        // The JWT secret is made by the stack: its ARN is not known yet, but where it comes from is.
        Assert.Contains(readable, r => r.Sources.Contains("Security/JwtSecret"));
        Assert.Contains("Security/JwtSecret", injected["JWT_SECRET"].Sources);
        Assert.Equal(
            all ? [CacheSecret, DatabaseSecret, IntegrationsSecret] : [],
            readable.Select(r => r.AsString()).OfType<string>().Order());
        Assert.Equal(
            all ? ["ALERT_WEBHOOK_URL", "CACHE_PASSWORD", "DATABASE_PASSWORD", "DATABASE_USERNAME", "JWT_SECRET", "SENTRY_DSN"] : ["JWT_SECRET"],
            injected.Keys.Order());
        if (all)
        {
            Assert.Equal(DatabaseSecret + ":password::", injected["DATABASE_PASSWORD"].AsString());
            Assert.Equal(DatabaseSecret + ":username::", injected["DATABASE_USERNAME"].AsString());
            Assert.Equal(CacheSecret + ":password::", injected["CACHE_PASSWORD"].AsString());
        }
    }

    [Fact]
    public async Task Tasks_read_and_write_bucket_and_table_instances_only_read_the_bucket()
    {
        var stack = await StackFixture.EvaluateAsync();
        string[] Actions(string policy) => [.. stack.Find("Storage/" + policy).At("PolicyDocument.Statement")!.Items.SelectMany(s => Texts(s["Action"]))];
        Assert.Superset(new HashSet<string> { "s3:GetObject", "s3:PutObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "kms:GenerateDataKey" }, Actions("TaskStorageAccess").ToHashSet());
        Assert.Superset(new HashSet<string> { "s3:GetObject", "s3:PutObject", "dynamodb:PutItem", "dynamodb:GetRecords" }, Actions("LambdaStorageAccess").ToHashSet());
        Assert.Equal(["s3:GetBucketLocation", "s3:GetObject", "s3:ListBucket"], Actions("InstanceStorageAccess").Order());
        Assert.All(
            stack.Find("Storage/TaskStorageAccess").At("PolicyDocument.Statement")!.Items,
            s => Assert.DoesNotContain("*", Texts(s["Resource"])));
    }

    [Theory]
    [InlineData("Fargate", 0)]
    [InlineData("FargateSpot", 0)]
    [InlineData("Ec2", 1)]
    [InlineData("Mixed", 1)]
    public async Task The_agent_may_join_the_cluster_where_there_are_instances(string capacity, int policies)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [("CapacityMode", capacity)]);
        Assert.Equal(policies, stack.OfType("AWS::IAM::RolePolicy").Count(p => p.LogicalId == "AgentAccess"));
        Assert.Equal(policies, stack.OfType("AWS::AutoScaling::AutoScalingGroup").Count());
    }

    [Fact]
    public async Task Only_AWS_services_assume_roles_and_services_that_act_for_others_only_for_this_account()
    {
        var stack = await StackFixture.EvaluateAsync();
        foreach (var role in stack.OfType("AWS::IAM::Role"))
        {
            var statement = Assert.Single(role.At("AssumeRolePolicyDocument.Statement")!.Items);
            Assert.Equal(["Service"], ((MapValue)statement["Principal"]!).Keys);
            if (statement["Principal"]!["Service"]!.AsString() is "ecs-tasks.amazonaws.com" or "vpc-flow-logs.amazonaws.com")
            {
                Assert.Equal(StackFixture.Account, statement["Condition"]!["StringEquals"]!["aws:SourceAccount"]!.AsString());
            }

            Assert.Null(role.At("RoleName"));
        }
    }

    private static List<string> Texts(Value? value) => value is ListValue list ? [.. list.Items.Select(Shown)] : value is null ? [] : [Shown(value)];

    private static string Shown(Value value) => value.AsString() ?? value.ToString();
}
