using Inferloop.Templates;

namespace Inferloop.Tests.Stacks;

/// <summary>Section 4's roles, evaluated: which there are, what they hold, what they may do, and what they may not.</summary>
public sealed class RolePolicyTests
{
    private static readonly string[] s_stages = ["dev", "staging", "prod"];

    // Everything at its largest: no policy is left out by a condition.
    private static readonly (string, string)[] s_everything =
    [
        ("CapacityMode", "Mixed"), ("BucketEncryption", "KMS"), ("DatabaseEnabled", "true"), ("CacheEnabled", "true"), ("RotationEnabled", "true"), ("IntegrationsEnabled", "true"),
        ("ReplicaBucketArn", "arn:aws:s3:::recovery-data"), ("ReplicaKeyArn", "arn:aws:kms:us-west-2:123456789012:key/ab"), ("VpnEnabled", "true"), ("CustomerGatewayIp", "203.0.113.7"),
        ("LambdaEnabled", "true"), ("LambdaInVpc", "true"), ("LambdaSchedule", "rate(1 hour)"),
        ("EksEnabled", "true"),
        ("CloudTrailEnabled", "true"), ("ConfigEnabled", "true"),
        ("PipelineEnabled", "true"), ("GitHubActionsEnabled", "true"), ("PipelineRepository", "acme/synthdata"), ("BatchEnabled", "true"),
    ];

    private static readonly (string Key, string Value) s_throughSecrets = ("kms:ViaService", "secretsmanager.us-east-1.amazonaws.com");
    private static readonly (string Key, string Value) s_throughS3 = ("kms:ViaService", "s3.us-east-1.amazonaws.com");
    private static readonly (string Key, string Value) s_throughDynamoDb = ("kms:ViaService", "dynamodb.us-east-1.amazonaws.com");

    [Fact]
    public async Task The_document_s_hierarchy_stands_in_every_stage()
    {
        foreach (var stage in s_stages)
        {
            var stack = await StackFixture.EvaluateAsync(stage, parameters: s_everything);
            Assert.Equal(
                ["CloudWatchAgentServerPolicy", "AmazonSSMManagedInstanceCore", "cloudwatch-access", "ecs-agent", "storage-access"], Holds(stack, "Security/InstanceRole"));
            Assert.Equal(
                ["service-role/AmazonECSTaskExecutionRolePolicy", "read-cache-secret", "read-database-secret", "read-injected-secrets"], Holds(stack, "Security/TaskExecutionRole"));
            Assert.Equal(["storage-access"], Holds(stack, "Security/TaskRole"));
            Assert.Equal(["service-role/AWSLambdaBasicExecutionRole", "AWSXRayDaemonWriteAccess", "function-access", "storage-access"], Holds(stack, "Security/LambdaExecutionRole"));
            Assert.Equal(["service-role/AmazonRDSEnhancedMonitoringRole"], Holds(stack, "Database/MonitoringRole"));
            Assert.Equal(["replicate-data"], Holds(stack, "Storage/ReplicationRole"));
            Assert.Equal(["service-role/AWSLambdaVPCAccessExecutionRole", "rotate-secrets"], Holds(stack, "Rotation/Role"));
            Assert.Equal(["write-flow-logs"], Holds(stack, "Network/FlowLogRole"));
            Assert.Equal(["AmazonEKSClusterPolicy"], Holds(stack, "Eks/ClusterRole"));
            Assert.Equal(["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly", "AmazonSSMManagedInstanceCore"], Holds(stack, "Eks/NodeRole"));
            Assert.Equal(["service-role/AmazonEBSCSIDriverPolicy"], Holds(stack, "Eks/EbsCsiRole"));
            Assert.Equal(["scale-nodes"], Holds(stack, "Eks/AutoscalerRole"));
            Assert.Equal(["read-secrets", "storage-access"], Holds(stack, "Eks/ApplicationRole"));
            Assert.Equal(["run-stages"], Holds(stack, "Pipeline/PipelineRole"));
        }
    }

    [Fact]
    public async Task What_is_allowed_on_everything_has_its_reason_in_the_template()
    {
        var seen = 0;
        foreach (var stage in s_stages)
        {
            foreach (var resource in (await StackFixture.EvaluateAsync(stage, parameters: s_everything)).AllResources())
            {
                var reasons = resource.Metadata?["inferloop:wildcards"];
                var wild = Statements(resource).Where(s => s["Effect"]!.AsString() == "Allow" && PolicyEvaluator.Texts(s["Resource"]).Contains("*")).SelectMany(s => PolicyEvaluator.Texts(s["Action"])).ToList();
                foreach (var action in wild)
                {
                    Assert.True(reasons?[action]?.AsString() is { Length: > 20 }, $"{resource.Path} allows {action} on everything and does not say why (Metadata inferloop:wildcards)");
                    seen++;
                }

                // A reason for something that is not there would be an excuse waiting for its crime.
                Assert.Subset(wild.ToHashSet(), (reasons as MapValue)?.Keys.ToHashSet() ?? []);
                Assert.All(Statements(resource), s => Assert.DoesNotContain(PolicyEvaluator.Texts(s["Action"]), a => s["Effect"]!.AsString() == "Allow" && (a == "*" || a.EndsWith(":*", StringComparison.Ordinal))));
            }
        }

        Assert.True(seen >= 30, $"only {seen}");
    }

    [Theory]
    [InlineData("dev")]
    [InlineData("staging")]
    [InlineData("prod")]
    public async Task The_execution_role_reads_what_it_injects_and_nothing_else(string stage)
    {
        var stack = await StackFixture.EvaluateAsync(stage, parameters: s_everything);
        var role = Role(stack, "Security/TaskExecutionRole");
        var injected = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0.Secrets")!.Items
            .Select(s => PolicyEvaluator.Text(s["ValueFrom"]!)).Select(v => v[..v.LastIndexOf(':', v.Length - 3)]).Distinct().ToList();
        Assert.Equal(4, injected.Count);
        Assert.All(injected, secret => Assert.True(role.Allows("secretsmanager:GetSecretValue", secret), secret));
        Assert.True(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughSecrets));

        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Security/ApiKeysSecret}"));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:another-AbCdEf"));
        Assert.False(role.Allows("secretsmanager:PutSecretValue", injected[0]));
        Assert.False(role.Allows("secretsmanager:DeleteSecret", injected[0]));
        Assert.False(role.Allows("kms:Decrypt", "${Security/Key.Arn}"));
        Assert.False(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughS3));
        Assert.False(role.Allows("kms:Decrypt", "arn:aws:kms:us-east-1:123456789012:key/another", s_throughSecrets));
        Assert.False(role.Allows("s3:GetObject", "${Storage/DataBucket.Arn}/input/x"));
    }

    [Theory]
    [InlineData("false")]
    [InlineData("true")]
    public async Task The_task_role_works_with_bucket_and_table_and_cannot_take_them_away(string global)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [.. s_everything, ("GlobalTable", global)]);
        var role = Role(stack, "Security/TaskRole");
        var table = global == "true" ? "${Storage/GlobalJobsTable.Arn}" : "${Storage/Table.Arn}";
        const string Object = "${Storage/DataBucket.Arn}/output/tenant/job/synthetic_data.csv";
        foreach (var action in new[] { "GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload" })
        {
            Assert.True(role.Allows("s3:" + action, Object), action);
        }

        Assert.True(role.Allows("s3:ListBucket", "${Storage/DataBucket.Arn}"));
        foreach (var action in new[] { "GetItem", "PutItem", "UpdateItem", "Query", "BatchWriteItem" })
        {
            Assert.True(role.Allows("dynamodb:" + action, table), action);
        }

        Assert.True(role.Allows("dynamodb:Query", table + "/index/status-timestamp-index"));
        foreach (var (via, action) in new[] { (s_throughS3, "kms:Decrypt"), (s_throughS3, "kms:GenerateDataKey"), (s_throughDynamoDb, "kms:Decrypt") })
        {
            Assert.True(role.Allows(action, "${Security/Key.Arn}", via));
        }

        foreach (var (action, resource) in new[]
        {
            ("s3:DeleteBucket", "${Storage/DataBucket.Arn}"), ("s3:PutBucketPolicy", "${Storage/DataBucket.Arn}"), ("s3:PutLifecycleConfiguration", "${Storage/DataBucket.Arn}"),
            ("s3:DeleteObjectVersion", Object), ("s3:PutBucketVersioning", "${Storage/DataBucket.Arn}"), ("s3:GetObject", "${Storage/AccessLogBucket.Arn}/alb/x"), ("s3:GetObject", "arn:aws:s3:::another/x"),
            ("dynamodb:DeleteTable", table), ("dynamodb:UpdateTable", table), ("dynamodb:UpdateContinuousBackups", table), ("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/another"),
            ("secretsmanager:GetSecretValue", "${Security/JwtSecret}"), ("kms:ScheduleKeyDeletion", "${Security/Key.Arn}"), ("iam:PassRole", "${Security/TaskRole.Arn}"), ("sts:AssumeRole", "${Security/InstanceRole.Arn}"),
        })
        {
            Assert.False(role.Allows(action, resource), $"{action} on {resource}");
            Assert.False(role.Allows(action, resource, s_throughS3), $"{action} on {resource}");
        }

        Assert.False(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughSecrets));
    }

    [Theory]
    [InlineData("false", false)]
    [InlineData("true", true)]
    public async Task The_task_role_logs_in_to_its_own_database_by_token_where_that_is_switched_on(string iam, bool may)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [.. s_everything, ("DatabaseIamAuthentication", iam)]);
        var role = Role(stack, "Security/TaskRole");
        Assert.Equal(may, role.Allows("rds-db:connect", "arn:aws:rds-db:us-east-1:123456789012:dbuser:${Database/Database.DbiResourceId}/inferloop_app"));
        Assert.False(role.Allows("rds-db:connect", "arn:aws:rds-db:us-east-1:123456789012:dbuser:${Database/Database.DbiResourceId}/inferloop"));
        Assert.False(role.Allows("rds-db:connect", "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-ANOTHER/inferloop_app"));
        Assert.Equal(iam, stack.Find("Database/Database").Text("EnableIAMDatabaseAuthentication"));
    }

    [Theory]
    [InlineData("false", "false")]
    [InlineData("true", "true")]
    public async Task The_application_may_in_a_pod_what_it_may_in_a_task_and_reads_its_own_secrets(string global, string token)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [.. s_everything, ("GlobalTable", global), ("DatabaseIamAuthentication", token)]);
        static string Text(Value? value) => string.Join(' ', PolicyEvaluator.Texts(value).Order(StringComparer.Ordinal));
        static IEnumerable<string> Allowed(IEnumerable<Value> statements) => statements.Where(s => s["Sid"]!.AsString() is not ("ReadSecrets" or "DecryptThem"))
            .Select(s => $"{s["Sid"]!.AsString()}: {Text(s["Action"])} on {Text(s["Resource"])} where {Text(s["Condition"]?["StringEquals"]?["kms:ViaService"])}").Order(StringComparer.Ordinal);
        var task = stack.AllResources().Where(r => r.Path == "Security/TaskRole" || Names(r, "Security/TaskRole")).SelectMany(Statements);
        Assert.Equal(Allowed(task), Allowed(Statements(stack.Find("Eks/ApplicationRole"))));

        var role = Role(stack, "Eks/ApplicationRole");
        var injected = stack.Find("Ecs/TaskDefinition").At("ContainerDefinitions.0.Secrets")!.Items
            .Select(s => PolicyEvaluator.Text(s["ValueFrom"]!)).Select(v => v[..v.LastIndexOf(':', v.Length - 3)]).Distinct().ToList();
        Assert.All(injected, secret => Assert.True(role.Allows("secretsmanager:GetSecretValue", secret), secret));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Security/ApiKeysSecret}"));
        Assert.False(role.Allows("secretsmanager:PutSecretValue", injected[0]));
        Assert.True(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughSecrets));
        Assert.False(role.Allows("kms:Decrypt", "${Security/Key.Arn}"));
    }

    [Fact]
    public async Task A_release_sets_the_image_of_its_environment_and_nothing_else()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: s_everything);
        var release = new PolicyEvaluator([.. Statements(stack.Find("Pipeline/ReleaseAccess"))]);
        const string Account = "us-east-1:123456789012:";
        foreach (var (action, resource) in new[]
        {
            ("ecr:PutImage", "${Pipeline/Repository.Arn}"), ("ecr:GetAuthorizationToken", "*"),
            ("cloudformation:UpdateStack", $"arn:aws:cloudformation:{Account}stack/inferloop-demo-prod/uuid"), ("cloudformation:UpdateStack", $"arn:aws:cloudformation:{Account}stack/inferloop-demo-prod-Ecs-1A2B/uuid"),
            ("ecs:RegisterTaskDefinition", $"arn:aws:ecs:{Account}task-definition/inferloop-synthdata-task-demo-prod:7"), ("batch:RegisterJobDefinition", $"arn:aws:batch:{Account}job-definition/x"),
        })
        {
            Assert.True(release.Allows(action, resource), $"{action} on {resource}");
        }

        Assert.True(release.Allows("s3:GetObject", "arn:aws:s3:::inferloop-control-templatebucket-1/x.yaml", ("aws:ResourceAccount", StackFixture.Account)));
        Assert.False(release.Allows("s3:GetObject", "arn:aws:s3:::inferloop-control-templatebucket-1/x.yaml", ("aws:ResourceAccount", "999999999999")));
        Assert.True(release.Allows("iam:PassRole", "${Security/TaskRole.Arn}", ("iam:PassedToService", "ecs-tasks.amazonaws.com")));
        Assert.False(release.Allows("iam:PassRole", "${Security/TaskRole.Arn}", ("iam:PassedToService", "ec2.amazonaws.com")));
        Assert.False(release.Allows("iam:PassRole", "arn:aws:iam::123456789012:role/Admin", ("iam:PassedToService", "ecs-tasks.amazonaws.com")));
        foreach (var (action, resource) in new[]
        {
            ("cloudformation:UpdateStack", $"arn:aws:cloudformation:{Account}stack/another/uuid"), ("cloudformation:DeleteStack", $"arn:aws:cloudformation:{Account}stack/inferloop-demo-prod/uuid"),
            ("cloudformation:SetStackPolicy", $"arn:aws:cloudformation:{Account}stack/inferloop-demo-prod/uuid"),
            ("ecr:PutImage", $"arn:aws:ecr:{Account}repository/another"), ("ecr:DeleteRepository", "${Pipeline/Repository.Arn}"), ("ecr:BatchDeleteImage", "${Pipeline/Repository.Arn}"),
            ("ecs:RegisterTaskDefinition", $"arn:aws:ecs:{Account}task-definition/another:1"), ("ecs:RunTask", $"arn:aws:ecs:{Account}task-definition/inferloop-synthdata-task-demo-prod:7"),
            ("ecs:DeleteService", $"arn:aws:ecs:{Account}service/demo-prod/synthdata"), ("s3:GetObject", "${Storage/DataBucket.Arn}/input/x"), ("dynamodb:GetItem", "${Storage/Table.Arn}"),
            ("secretsmanager:GetSecretValue", "${Security/JwtSecret}"), ("iam:CreateRole", "*"),
        })
        {
            Assert.False(release.Allows(action, resource, ("aws:ResourceAccount", StackFixture.Account)), $"{action} on {resource}");
        }
    }

    [Fact]
    public async Task GitHub_s_role_is_for_jobs_of_the_repository_in_the_stage_s_environment()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: s_everything);
        var trust = Assert.Single(stack.Find("Pipeline/GitHubRole").At("AssumeRolePolicyDocument.Statement")!.Items);
        var who = trust["Condition"]!["StringEquals"]!;
        Assert.Equal("sts:AssumeRoleWithWebIdentity", trust["Action"]!.AsString());
        Assert.Equal("sts.amazonaws.com", who["token.actions.githubusercontent.com:aud"]!.AsString());
        Assert.Equal("repo:acme/synthdata:environment:prod", who["token.actions.githubusercontent.com:sub"]!.AsString());
    }

    [Fact]
    public async Task The_autoscaler_changes_the_groups_of_its_own_cluster_only()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: s_everything), "Eks/AutoscalerRole");
        const string Group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:uuid:autoScalingGroupName/eks-nodes";
        (string, string) Of(string cluster) => ("aws:ResourceTag/eks:cluster-name", cluster);
        (string, string) found = ("aws:ResourceTag/k8s.io/cluster-autoscaler/enabled", "true");
        Assert.True(role.Allows("autoscaling:DescribeAutoScalingGroups", "*"));
        foreach (var action in new[] { "autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup" })
        {
            Assert.True(role.Allows(action, Group, Of("demo-prod"), found), action);
            Assert.False(role.Allows(action, Group, Of("another-prod"), found), action);
            Assert.False(role.Allows(action, Group, Of("demo-prod")), action);
        }

        Assert.False(role.Allows("autoscaling:UpdateAutoScalingGroup", Group, Of("demo-prod"), found));
        Assert.True(role.Allows("eks:DescribeNodegroup", "arn:aws:eks:us-east-1:123456789012:nodegroup/demo-prod/nodes/uuid"));
        Assert.False(role.Allows("eks:DescribeNodegroup", "arn:aws:eks:us-east-1:123456789012:nodegroup/another-prod/nodes/uuid"));
    }

    [Fact]
    public async Task The_instance_role_reads_the_bucket_and_publishes_only_its_own_metrics()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: s_everything), "Security/InstanceRole");
        Assert.True(role.Allows("s3:GetObject", "${Storage/DataBucket.Arn}/input/x"));
        Assert.False(role.Allows("s3:PutObject", "${Storage/DataBucket.Arn}/input/x"));
        Assert.True(role.Allows("cloudwatch:PutMetricData", "*", ("cloudwatch:namespace", "Inferloop/Synthdata")));
        Assert.False(role.Allows("cloudwatch:PutMetricData", "*", ("cloudwatch:namespace", "AWS/EC2")));
        Assert.True(role.Allows("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/inferloop/demo/prod/application:log-stream:x"));
        Assert.False(role.Allows("logs:PutLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:/inferloop/demo/dev/application:log-stream:x"));
        Assert.False(role.Allows("ecs:Poll", "*", ("ecs:cluster", "arn:aws:ecs:us-east-1:123456789012:cluster/another")));
    }

    [Fact]
    public async Task The_lambda_role_follows_the_table_and_cannot_change_it()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: s_everything), "Security/LambdaExecutionRole");
        Assert.True(role.Allows("dynamodb:GetRecords", "${Storage/Table.StreamArn}"));
        Assert.True(role.Allows("dynamodb:PutItem", "${Storage/Table.Arn}"));
        Assert.True(role.Allows("s3:PutObject", "${Storage/DataBucket.Arn}/output/x"));
        Assert.True(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughDynamoDb));
        Assert.False(role.Allows("dynamodb:DeleteTable", "${Storage/Table.Arn}"));
        Assert.False(role.Allows("s3:DeleteBucket", "${Storage/DataBucket.Arn}"));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Security/JwtSecret}"));
        Assert.True(role.Allows("sqs:SendMessage", "${Lambda/DeadLetterQueue.Arn}"));
        Assert.False(role.Allows("sqs:ReceiveMessage", "${Lambda/DeadLetterQueue.Arn}"));
        Assert.False(role.Allows("sqs:SendMessage", "arn:aws:sqs:us-east-1:123456789012:another"));

        foreach (var secret in new[] { "${Database/Database.MasterUserSecret.SecretArn}", "${Cache/AuthSecret}" })
        {
            Assert.True(role.Allows("secretsmanager:GetSecretValue", secret), secret);
            Assert.False(role.Allows("secretsmanager:PutSecretValue", secret), secret);
        }

        Assert.True(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughSecrets));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Security/ApiKeysSecret}"));

        // Lambda joins the network in the role's name; code that runs with the role does not.
        Assert.True(role.Allows("ec2:CreateNetworkInterface", "*"));
        Assert.False(role.Allows("ec2:CreateNetworkInterface", "*", ("lambda:SourceFunctionArn", "arn:aws:lambda:us-east-1:123456789012:function:inferloop-demo-prod-process")));
    }

    [Fact]
    public async Task The_schedule_calls_its_function_and_no_other()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: s_everything), "Lambda/ScheduleRole");
        Assert.True(role.Allows("lambda:InvokeFunction", "${Lambda/Alias}"));
        Assert.False(role.Allows("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:another"));
        Assert.False(role.Allows("lambda:UpdateFunctionCode", "${Lambda/Alias}"));
    }

    [Fact]
    public async Task Outside_the_network_the_lambda_role_has_no_interfaces_and_no_passwords()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: [("LambdaEnabled", "true"), ("DatabaseEnabled", "true"), ("CacheEnabled", "true")]), "Security/LambdaExecutionRole");
        Assert.False(role.Allows("ec2:CreateNetworkInterface", "*"));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Database/Database.MasterUserSecret.SecretArn}"));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Cache/AuthSecret}"));
    }

    [Theory]
    [InlineData("token", "elasticache:ModifyReplicationGroup", "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:${Cache/ReplicationGroup}")]
    [InlineData("users", "elasticache:ModifyUser", "arn:aws:elasticache:us-east-1:123456789012:user:inferloop-demo-prod")]
    public async Task The_rotation_role_changes_its_three_secrets_and_tells_the_cache(string authentication, string action, string resource)
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [.. s_everything, ("CacheAuthentication", authentication)]);
        var role = Role(stack, "Rotation/Role");
        foreach (var secret in new[] { "${Security/JwtSecret}", "${Security/ApiKeysSecret}", "${Cache/AuthSecret}" })
        {
            Assert.True(role.Allows("secretsmanager:PutSecretValue", secret), secret);
            Assert.True(role.Allows("secretsmanager:UpdateSecretVersionStage", secret), secret);
            Assert.False(role.Allows("secretsmanager:DeleteSecret", secret), secret);
            Assert.False(role.Allows("secretsmanager:PutResourcePolicy", secret), secret);
        }

        Assert.True(role.Allows(action, resource), resource);
        Assert.False(role.Allows(action.Replace("Modify", "Delete", StringComparison.Ordinal), resource));
        Assert.True(role.Allows("kms:GenerateDataKey", "${Security/Key.Arn}", s_throughSecrets));
        Assert.False(role.Allows("secretsmanager:PutSecretValue", "${Database/Database.MasterUserSecret.SecretArn}"));
        Assert.False(role.Allows("secretsmanager:GetSecretValue", "${Security/IntegrationsSecret}"));
        Assert.False(role.Allows("ecs:UpdateService", "arn:aws:ecs:us-east-1:123456789012:service/another/synthdata"));
        Assert.False(role.Allows("ecs:DeleteService", PolicyEvaluator.Text(stack.Find("Ecs/Service").Properties["ServiceName"]!)));
    }

    [Fact]
    public async Task The_replication_role_writes_replicas_and_deletes_nothing()
    {
        var role = Role(await StackFixture.EvaluateAsync(parameters: s_everything), "Storage/ReplicationRole");
        Assert.True(role.Allows("s3:GetObjectVersionForReplication", "${Storage/DataBucket.Arn}/input/x"));
        Assert.True(role.Allows("s3:ReplicateObject", "arn:aws:s3:::recovery-data/input/x"));
        Assert.True(role.Allows("kms:Decrypt", "${Security/Key.Arn}", s_throughS3));
        Assert.True(role.Allows("kms:Encrypt", "arn:aws:kms:us-west-2:123456789012:key/ab", ("kms:ViaService", "s3.us-west-2.amazonaws.com")));
        Assert.False(role.Allows("s3:ReplicateDelete", "arn:aws:s3:::recovery-data/input/x"));
        Assert.False(role.Allows("s3:DeleteObject", "${Storage/DataBucket.Arn}/input/x"));
        Assert.False(role.Allows("s3:PutObject", "arn:aws:s3:::recovery-data/input/x"));
    }

    [Fact]
    public async Task Secrets_and_buckets_turn_other_accounts_and_old_TLS_away()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: s_everything);
        var guarded = stack.OfType("AWS::SecretsManager::ResourcePolicy").ToList();
        Assert.Equal(
            stack.OfType("AWS::SecretsManager::Secret").Select(s => s.Path).Order(),
            guarded.SelectMany(p => p.At("SecretId")!.Sources).Order());
        foreach (var policy in guarded)
        {
            var statement = Assert.Single(policy.At("ResourcePolicy.Statement")!.Items);
            Assert.Equal(("Deny", "*", "secretsmanager:*"), (statement["Effect"]!.AsString(), statement["Principal"]!.AsString(), statement["Action"]!.AsString()));
            Assert.Equal(StackFixture.Account, statement["Condition"]!["StringNotEquals"]!["aws:PrincipalAccount"]!.AsString());
        }

        foreach (var policy in stack.OfType("AWS::S3::BucketPolicy"))
        {
            var bucket = PolicyEvaluator.Texts(policy.At("PolicyDocument.Statement")!.Items.Single(s => s["Sid"]!.AsString() == "TlsOnly")["Resource"])[0];
            var open = Template.Parse("Metadata: { S: { Effect: Allow, Action: '*', Resource: '*' } }\nResources: { R: { Type: 'AWS::SNS::Topic' } }").Metadata!["S"]!;
            var evaluator = new PolicyEvaluator([open, .. policy.At("PolicyDocument.Statement")!.Items.Where(s => s["Effect"]!.AsString() == "Deny")]);
            Assert.True(evaluator.Allows("s3:GetObject", bucket + "/x", ("aws:SecureTransport", "true"), ("s3:TlsVersion", "1.2")));
            Assert.False(evaluator.Allows("s3:GetObject", bucket + "/x", ("aws:SecureTransport", "true"), ("s3:TlsVersion", "1.1")));
            Assert.False(evaluator.Allows("s3:GetObject", bucket + "/x", ("aws:SecureTransport", "false")));
        }
    }

    [Fact]
    public async Task Every_way_into_the_platform_speaks_TLS()
    {
        var stack = await StackFixture.EvaluateAsync(parameters: [.. s_everything, ("CertificateArn", "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555")]);
        foreach (var (store, policy, named) in new[] { ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "Bucket"), ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "Topics"), ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "Queues") })
        {
            foreach (var resource in stack.OfType(store))
            {
                Assert.True(
                    stack.OfType(policy).Any(p => (p.At(named) is ListValue list ? list.Items : [p.At(named)!]).Any(n => n.ComesFrom(resource.Path))
                        && p.At("PolicyDocument.Statement")!.Items.Any(s => s["Effect"]!.AsString() == "Deny" && s["Condition"]?["Bool"]?["aws:SecureTransport"]?.AsString() == "false")),
                    $"{resource.Path} can be reached without TLS");
            }
        }

        Assert.All(stack.OfType("AWS::ElasticLoadBalancingV2::Listener").Where(l => l.Text("Protocol") == "HTTPS"), l => Assert.StartsWith("ELBSecurityPolicy-TLS13-1-2-", l.Text("SslPolicy"), StringComparison.Ordinal));
        Assert.Equal("redirect", stack.Find("Ecs/HttpListener").Text("DefaultActions.0.Type"));
        Assert.Equal("1", stack.Find("Database/ParameterGroup").At("Parameters")!["rds.force_ssl"]!.AsString());
        Assert.Equal("required", stack.Find("Cache/ReplicationGroup").Text("TransitEncryptionMode"));
    }

    private static PolicyEvaluator Role(EvaluatedStack stack, string path) =>
        new([.. stack.AllResources().Where(r => r.Path == path || Names(r, path)).SelectMany(Statements)]);

    /// <summary>The policies of a role: AWS's managed ones as the template lists them, then its own by name.</summary>
    private static List<string> Holds(EvaluatedStack stack, string path)
    {
        var role = stack.Find(path);
        return
        [
            .. (role.At("ManagedPolicyArns")?.Items ?? []).Select(a => a.AsString()!.Replace("arn:aws:iam::aws:policy/", "", StringComparison.Ordinal)),
            .. (role.At("Policies")?.Items ?? []).Select(p => p["PolicyName"]!.AsString()!)
                .Concat(stack.AllResources().Where(r => Names(r, path)).Select(r => r.Text("PolicyName")!)).Order(StringComparer.Ordinal),
        ];
    }

    private static bool Names(EvaluatedResource resource, string path) => resource.Type switch
    {
        "AWS::IAM::RolePolicy" => resource.At("RoleName")!.ComesFrom(path),
        "AWS::IAM::ManagedPolicy" or "AWS::IAM::Policy" => (resource.At("Roles")?.Items ?? []).Any(r => r.ComesFrom(path)),
        _ => false,
    };

    private static IEnumerable<Value> Statements(EvaluatedResource resource) => resource.Type switch
    {
        "AWS::IAM::Role" => (resource.At("Policies")?.Items ?? []).SelectMany(p => p["PolicyDocument"]!["Statement"]!.Items),
        "AWS::IAM::RolePolicy" or "AWS::IAM::ManagedPolicy" or "AWS::IAM::Policy" => resource.At("PolicyDocument.Statement")!.Items,
        _ => [],
    };
}
