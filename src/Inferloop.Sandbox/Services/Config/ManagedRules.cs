using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Config;

/// <summary>What a rule says of a resource.</summary>
internal sealed record ConfigVerdict(ConfigResource Resource, bool Compliant, string? Note = null);

/// <summary>AWS's managed rules as far as the sandbox evaluates them; the names of others it only knows.</summary>
internal static class ManagedRules
{
    private static readonly string[] TaggableTypes =
    [
        "AWS::S3::Bucket", "AWS::EC2::SecurityGroup", "AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::Volume", "AWS::EC2::Instance", "AWS::RDS::DBInstance", "AWS::DynamoDB::Table", "AWS::ElasticLoadBalancingV2::LoadBalancer",
    ];

    private static readonly string[] RequiredTagParameters = [.. Enumerable.Range(1, 6).SelectMany(i => new[] { $"tag{i}Key", $"tag{i}Value" })];

    /// <summary>A rule: the types it looks at, its parameters, and what it says of one resource: true, false, or null where it does not apply.</summary>
    private sealed record Evaluator(IReadOnlyList<string> Types, Func<ConfigInventory, ConfigResource, JsonObject, Task<bool?>> Judge, IReadOnlyList<string> Parameters, string? Note = null);

    private static readonly Dictionary<string, Evaluator> Evaluators = new(StringComparer.Ordinal)
    {
        ["S3_BUCKET_PUBLIC_READ_PROHIBITED"] = Bucket(PublicBlockedAsync, "The bucket does not block public access."),
        ["S3_BUCKET_PUBLIC_WRITE_PROHIBITED"] = Bucket(PublicBlockedAsync, "The bucket does not block public access."),
        ["S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED"] = Bucket(PublicBlockedAsync, "The bucket does not block public access."),
        ["S3_BUCKET_SERVER_SIDE_ENCRYPTION_ENABLED"] = Bucket((inventory, bucket) => HasAsync(inventory, "GetBucketEncryption", bucket, "ServerSideEncryptionConfiguration")),
        ["S3_BUCKET_VERSIONING_ENABLED"] = Bucket(async (inventory, bucket) => (await inventory.SettingAsync("s3", "GetBucketVersioning", Named(bucket)).ConfigureAwait(false))?.Text("Status") == "Enabled", "The bucket is not versioned."),
        ["S3_BUCKET_LOGGING_ENABLED"] = Bucket((inventory, bucket) => HasAsync(inventory, "GetBucketLogging", bucket, "LoggingEnabled")),
        ["S3_BUCKET_SSL_REQUESTS_ONLY"] = Bucket(async (inventory, bucket) => DeniesPlain((await inventory.SettingAsync("s3", "GetBucketPolicy", Named(bucket)).ConfigureAwait(false))?.Text("Policy")), "No statement of the bucket's policy denies requests without TLS."),
        ["S3_LIFECYCLE_POLICY_CHECK"] = Bucket((inventory, bucket) => HasAsync(inventory, "GetBucketLifecycleConfiguration", bucket, "Rules")),
        ["RDS_STORAGE_ENCRYPTED"] = On("AWS::RDS::DBInstance", item => item.Is("StorageEncrypted"), "The storage is not encrypted.", "kmsKeyId"),
        ["RDS_INSTANCE_PUBLIC_ACCESS_CHECK"] = On("AWS::RDS::DBInstance", item => !item.Is("PubliclyAccessible"), "The instance is publicly accessible."),
        ["RDS_MULTI_AZ_SUPPORT"] = On("AWS::RDS::DBInstance", item => item.Is("MultiAZ"), "The instance is in one availability zone only."),
        ["RDS_INSTANCE_DELETION_PROTECTION_ENABLED"] = On("AWS::RDS::DBInstance", item => item.Is("DeletionProtection"), "The instance is not protected from deletion."),
        ["DB_INSTANCE_BACKUP_ENABLED"] = On("AWS::RDS::DBInstance", item => item.Int("BackupRetentionPeriod") > 0, "The instance has no backups.", "backupRetentionPeriod", "preferredBackupWindow", "checkReadReplicas"),
        ["ENCRYPTED_VOLUMES"] = On("AWS::EC2::Volume", item => item.Is("Encrypted"), "The volume is not encrypted.", "kmsId"),
        ["EC2_IMDSV2_CHECK"] = On("AWS::EC2::Instance", item => item.Child("MetadataOptions")?.Text("HttpTokens") == "required", "Instance metadata can be read without a token."),
        ["INCOMING_SSH_DISABLED"] = On("AWS::EC2::SecurityGroup", item => !OpenTo(item, 22), "The group lets the world in by SSH."),
        ["RESTRICTED_INCOMING_TRAFFIC"] = On("AWS::EC2::SecurityGroup", item => ((int[])[20, 21, 3389, 3306, 4333]).All(port => !OpenTo(item, port)), "The group lets the world in at a port that should be closed.", "blockedPort1", "blockedPort2", "blockedPort3", "blockedPort4", "blockedPort5"),
        ["VPC_DEFAULT_SECURITY_GROUP_CLOSED"] = new(["AWS::EC2::SecurityGroup"], (_, group, _) => Task.FromResult<bool?>(group.State.Text("GroupName") == "default" ? !group.State.Objects("IpPermissions").Any() && !group.State.Objects("IpPermissionsEgress").Any() : null), [], "The default group has rules."),
        ["VPC_FLOW_LOGS_ENABLED"] = new(["AWS::EC2::VPC"], async (inventory, vpc, _) => (await inventory.CallAsync("ec2", "DescribeFlowLogs").ConfigureAwait(false))?.Objects("FlowLogs").Any(log => log.Text("ResourceId") == vpc.Id) == true, ["trafficType"], "The VPC has no flow logs."),
        ["SUBNET_AUTO_ASSIGN_PUBLIC_IP_DISABLED"] = On("AWS::EC2::Subnet", item => !item.Is("MapPublicIpOnLaunch")),
        ["DYNAMODB_PITR_ENABLED"] = new(["AWS::DynamoDB::Table"], async (inventory, table, _) => (await inventory.SettingAsync("dynamodb", "DescribeContinuousBackups", new JsonObject { ["TableName"] = table.Name }).ConfigureAwait(false))
            ?.Child("ContinuousBackupsDescription")?.Child("PointInTimeRecoveryDescription")?.Text("PointInTimeRecoveryStatus") == "ENABLED", [], "Point-in-time recovery is off."),
        ["DYNAMODB_TABLE_ENCRYPTED_KMS"] = On("AWS::DynamoDB::Table", item => item.Child("SSEDescription")?.Text("SSEType") == "KMS", "The table is not encrypted with a key of KMS.", "kmsKeyArns"),
        ["DYNAMODB_TABLE_DELETION_PROTECTION_ENABLED"] = On("AWS::DynamoDB::Table", item => item.Is("DeletionProtectionEnabled")),
        ["CMK_BACKING_KEY_ROTATION_ENABLED"] = new(["AWS::KMS::Key"], async (inventory, key, _) => key.State.Text("KeySpec") != "SYMMETRIC_DEFAULT" ? null
            : (await inventory.SettingAsync("kms", "GetKeyRotationStatus", new JsonObject { ["KeyId"] = key.Id }).ConfigureAwait(false))?.Is("KeyRotationEnabled") == true, [], "The key is not rotated."),
        ["SECRETSMANAGER_ROTATION_ENABLED_CHECK"] = On("AWS::SecretsManager::Secret", item => item.Is("RotationEnabled"), "The secret is not rotated.", "maximumAllowedRotationFrequency"),
        ["SECRETSMANAGER_USING_CMK"] = On("AWS::SecretsManager::Secret", item => item.Text("KmsKeyId") is { } key && !key.EndsWith("aws/secretsmanager", StringComparison.Ordinal), null, "kmsKeyArns"),
        ["CW_LOGGROUP_RETENTION_PERIOD_CHECK"] = new(["AWS::Logs::LogGroup"], (_, group, parameters) => Task.FromResult<bool?>(group.State.Int("retentionInDays") is { } days && days >= (parameters.Int("MinRetentionTime") ?? 365)), ["MinRetentionTime", "LogGroupNames"], "Logs are kept for less than the required time, or for ever."),
        ["CLOUDWATCH_LOG_GROUP_ENCRYPTED"] = On("AWS::Logs::LogGroup", item => item.Has("kmsKeyId"), "The log group is not encrypted with a key of KMS.", "KmsKeyId"),
        ["CLOUD_TRAIL_ENABLED"] = Account(async inventory => await AnyTrailAsync(inventory, _ => true).ConfigureAwait(false), "No trail logs.", "s3BucketName", "snsTopicArn", "cloudWatchLogsLogGroupArn"),
        ["MULTI_REGION_CLOUD_TRAIL_ENABLED"] = Account(async inventory => await AnyTrailAsync(inventory, trail => trail.Is("IsMultiRegionTrail")).ConfigureAwait(false), "No multi-region trail logs.", "s3BucketName", "snsTopicArn", "cloudWatchLogsLogGroupArn", "includeManagementEvents", "readWriteType"),
        ["CLOUD_TRAIL_ENCRYPTION_ENABLED"] = On("AWS::CloudTrail::Trail", item => item.Has("KmsKeyId"), "The trail's files are not encrypted with a key of KMS."),
        ["CLOUD_TRAIL_LOG_FILE_VALIDATION_ENABLED"] = On("AWS::CloudTrail::Trail", item => item.Is("LogFileValidationEnabled"), "The trail's files are not validated."),
        ["CLOUD_TRAIL_CLOUD_WATCH_LOGS_ENABLED"] = On("AWS::CloudTrail::Trail", item => item.Has("CloudWatchLogsLogGroupArn"), null, "expectedDeliveryWindowAge"),
        ["IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS"] = new(["AWS::IAM::Policy"], async (inventory, policy, _) => !AllowsAll((await inventory.SettingAsync("iam", "GetPolicyVersion", new JsonObject { ["PolicyArn"] = policy.Arn, ["VersionId"] = policy.State.Text("DefaultVersionId") }).ConfigureAwait(false))
            ?.Child("PolicyVersion")?.Text("Document")), ["excludePermissionBoundaryPolicy"], "The policy allows everything."),
        ["ELB_DELETION_PROTECTION_ENABLED"] = Balancer("deletion_protection.enabled"),
        ["ELB_LOGGING_ENABLED"] = Balancer("access_logs.s3.enabled", "s3BucketNames"),
        ["ALB_HTTP_DROP_INVALID_HEADER_ENABLED"] = Balancer("routing.http.drop_invalid_header_fields.enabled"),
        ["ALB_HTTP_TO_HTTPS_REDIRECTION_CHECK"] = new(["AWS::ElasticLoadBalancingV2::LoadBalancer"], async (inventory, balancer, _) => (await inventory.SettingAsync("elbv2", "DescribeListeners", new JsonObject { ["LoadBalancerArn"] = balancer.Arn }).ConfigureAwait(false))
            ?.Objects("Listeners").Where(listener => listener.Text("Protocol") == "HTTP").All(listener => listener.Objects("DefaultActions").Any(action => action.Text("Type") == "redirect")), [], "A listener answers over HTTP."),
        ["ALB_WAF_ENABLED"] = new(["AWS::ElasticLoadBalancingV2::LoadBalancer"], async (inventory, balancer, _) => balancer.State.Text("Type") != "application" ? null
            : (await inventory.SettingAsync("wafv2", "GetWebACLForResource", new JsonObject { ["ResourceArn"] = balancer.Arn }).ConfigureAwait(false))?.Has("WebACL") == true, ["wafWebAclIds"], "No web ACL is associated."),
        ["EKS_ENDPOINT_NO_PUBLIC_ACCESS"] = On("AWS::EKS::Cluster", item => item.Child("resourcesVpcConfig")?.Is("endpointPublicAccess") != true, "The cluster's endpoint is public."),
        ["EKS_SECRETS_ENCRYPTED"] = On("AWS::EKS::Cluster", item => item.Objects("encryptionConfig").Any(), "The cluster's secrets are not encrypted with a key of KMS.", "kmsKeyArns"),
        ["ELASTICACHE_REDIS_CLUSTER_AUTOMATIC_BACKUP_CHECK"] = On("AWS::ElastiCache::ReplicationGroup", item => item.Int("SnapshotRetentionLimit") > 0, "The group has no backups.", "snapshotRetentionPeriod"),
        ["ELASTICACHE_REPL_GRP_ENCRYPTED_AT_REST"] = On("AWS::ElastiCache::ReplicationGroup", item => item.Is("AtRestEncryptionEnabled")),
        ["ELASTICACHE_REPL_GRP_ENCRYPTED_IN_TRANSIT"] = On("AWS::ElastiCache::ReplicationGroup", item => item.Is("TransitEncryptionEnabled")),
        ["ELASTICACHE_REPL_GRP_AUTO_FAILOVER_ENABLED"] = On("AWS::ElastiCache::ReplicationGroup", item => item.Text("AutomaticFailover") is "enabled" or "enabling"),
        ["LAMBDA_DLQ_CHECK"] = On("AWS::Lambda::Function", item => item.Child("DeadLetterConfig")?.Has("TargetArn") == true, null, "dlqArns"),
        ["LAMBDA_INSIDE_VPC"] = On("AWS::Lambda::Function", item => item.Child("VpcConfig")?.Texts("SubnetIds").Count > 0, null, "subnetIds"),
        ["ECS_CONTAINER_INSIGHTS_ENABLED"] = On("AWS::ECS::Cluster", item => item.Objects("settings").Any(setting => setting.Text("name") == "containerInsights" && setting.Text("value") is "enabled" or "enhanced"), "Container Insights is off."),
        ["REQUIRED_TAGS"] = new(TaggableTypes, (_, resource, parameters) => Task.FromResult<bool?>(HasTags(resource, parameters)), RequiredTagParameters, "A required tag is missing or has another value."),
    };

    /// <summary>Rules that the sandbox takes but cannot evaluate: nothing in it is what they look at.</summary>
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "ACCESS_KEYS_ROTATED", "ACM_CERTIFICATE_EXPIRATION_CHECK", "APPROVED_AMIS_BY_ID", "APPROVED_AMIS_BY_TAG", "BACKUP_PLAN_MIN_FREQUENCY_AND_MIN_RETENTION_CHECK", "CLOUDFORMATION_STACK_DRIFT_DETECTION_CHECK", "CLOUDFORMATION_STACK_NOTIFICATION_CHECK",
        "CLOUDWATCH_ALARM_ACTION_CHECK", "DESIRED_INSTANCE_TYPE", "EBS_OPTIMIZED_INSTANCE", "EC2_EBS_ENCRYPTION_BY_DEFAULT", "EC2_INSTANCE_MANAGED_BY_SSM", "EC2_INSTANCE_NO_PUBLIC_IP", "ECR_PRIVATE_IMAGE_SCANNING_ENABLED", "ECS_CONTAINERS_NONPRIVILEGED",
        "ECS_CONTAINERS_READONLY_ACCESS", "ECS_FARGATE_LATEST_PLATFORM_VERSION", "ECS_NO_ENVIRONMENT_SECRETS", "ECS_TASK_DEFINITION_LOG_CONFIGURATION", "ECS_TASK_DEFINITION_USER_FOR_HOST_MODE_CHECK", "EFS_ENCRYPTED_CHECK", "EIP_ATTACHED", "EKS_CLUSTER_SUPPORTED_VERSION",
        "GUARDDUTY_ENABLED_CENTRALIZED", "IAM_GROUP_HAS_USERS_CHECK", "IAM_NO_INLINE_POLICY_CHECK", "IAM_PASSWORD_POLICY", "IAM_POLICY_BLACKLISTED_CHECK", "IAM_ROLE_MANAGED_POLICY_CHECK", "IAM_ROOT_ACCESS_KEY_CHECK", "IAM_USER_MFA_ENABLED", "IAM_USER_NO_POLICIES_CHECK",
        "IAM_USER_UNUSED_CREDENTIALS_CHECK", "KMS_CMK_NOT_SCHEDULED_FOR_DELETION", "LAMBDA_CONCURRENCY_CHECK", "LAMBDA_FUNCTION_PUBLIC_ACCESS_PROHIBITED", "LAMBDA_FUNCTION_SETTINGS_CHECK", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", "RDS_AUTOMATIC_MINOR_VERSION_UPGRADE_ENABLED",
        "RDS_ENHANCED_MONITORING_ENABLED", "RDS_IN_BACKUP_PLAN", "RDS_LOGGING_ENABLED", "RDS_SNAPSHOTS_PUBLIC_PROHIBITED", "RDS_SNAPSHOT_ENCRYPTED", "ROOT_ACCOUNT_HARDWARE_MFA_ENABLED", "ROOT_ACCOUNT_MFA_ENABLED", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS",
        "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC", "S3_BUCKET_ACL_PROHIBITED", "S3_BUCKET_DEFAULT_LOCK_ENABLED", "S3_BUCKET_POLICY_GRANTEE_CHECK", "S3_BUCKET_REPLICATION_ENABLED", "S3_DEFAULT_ENCRYPTION_KMS", "SECRETSMANAGER_SCHEDULED_ROTATION_SUCCESS_CHECK",
        "SECRETSMANAGER_SECRET_PERIODIC_ROTATION", "SECRETSMANAGER_SECRET_UNUSED", "SECURITYHUB_ENABLED", "SNS_ENCRYPTED_KMS", "VPC_SG_OPEN_ONLY_TO_AUTHORIZED_PORTS", "VPC_VPN_2_TUNNELS_UP", "WAFV2_LOGGING_ENABLED",
    };

    public static bool Exists(string identifier) => Evaluators.ContainsKey(identifier) || Known.Contains(identifier);

    /// <summary>The parameters that a rule takes; null where that is not known.</summary>
    public static IReadOnlyList<string>? ParametersOf(string identifier) => Evaluators.GetValueOrDefault(identifier)?.Parameters;

    public static async Task<IReadOnlyList<ConfigVerdict>> EvaluateAsync(ConfigInventory inventory, string identifier, JsonObject rule)
    {
        if (!Evaluators.TryGetValue(identifier, out var evaluator))
        {
            return [];
        }
        var scope = rule.Child("Scope");
        var types = scope?.Texts("ComplianceResourceTypes") is { Count: > 0 } given ? given.Where(type => evaluator.Types.Contains(type)) : evaluator.Types;
        var parameters = PolicyDocument.AsObject(rule.Text("InputParameters")) as JsonObject ?? [];
        var verdicts = new List<ConfigVerdict>();
        foreach (var type in types)
        {
            foreach (var resource in await inventory.OfAsync(type).ConfigureAwait(false))
            {
                if ((scope?.Text("ComplianceResourceId") is { } id && resource.Id != id)
                    || (scope?.Text("TagKey") is { } key && (!resource.Tags.TryGetValue(key, out var value) || (scope.Text("TagValue") is { } wanted && wanted != value))))
                {
                    continue;
                }
                if (await evaluator.Judge(inventory, resource, parameters).ConfigureAwait(false) is { } compliant)
                {
                    verdicts.Add(new ConfigVerdict(resource, compliant, compliant ? null : evaluator.Note));
                }
            }
        }
        return verdicts;
    }

    private static Evaluator On(string type, Func<JsonObject, bool> judge, string? note = null, params string[] parameters) => new([type], (_, resource, _) => Task.FromResult<bool?>(judge(resource.State)), parameters, note);

    private static Evaluator Bucket(Func<ConfigInventory, ConfigResource, Task<bool>> judge, string? note = null) => new(["AWS::S3::Bucket"], async (inventory, bucket, _) => await judge(inventory, bucket).ConfigureAwait(false), [], note);

    private static Evaluator Account(Func<ConfigInventory, Task<bool>> judge, string note, params string[] parameters) => new(["AWS::::Account"], async (inventory, _, _) => await judge(inventory).ConfigureAwait(false), parameters, note);

    private static Evaluator Balancer(string attribute, params string[] parameters) => new(["AWS::ElasticLoadBalancingV2::LoadBalancer"], async (inventory, balancer, _) =>
        (await inventory.SettingAsync("elbv2", "DescribeLoadBalancerAttributes", new JsonObject { ["LoadBalancerArn"] = balancer.Arn }).ConfigureAwait(false))?.Objects("Attributes").Any(item => item.Text("Key") == attribute && item.Text("Value") == "true") == true,
        parameters, $"The attribute {attribute} is off.");

    private static JsonObject Named(ConfigResource bucket) => new() { ["Bucket"] = bucket.Name };

    private static async Task<bool> HasAsync(ConfigInventory inventory, string operation, ConfigResource bucket, string member) =>
        (await inventory.SettingAsync("s3", operation, Named(bucket)).ConfigureAwait(false))?.Has(member) == true;

    private static async Task<bool> PublicBlockedAsync(ConfigInventory inventory, ConfigResource bucket) =>
        (await inventory.SettingAsync("s3", "GetPublicAccessBlock", Named(bucket)).ConfigureAwait(false))?.Child("PublicAccessBlockConfiguration") is { } block
        && ((string[])["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]).All(block.Is);

    private static bool DeniesPlain(string? policy) => PolicyDocument.AsObject(policy) is JsonObject document && document.Objects("Statement").Any(statement => statement.Text("Effect") == "Deny"
        && statement.Child("Condition")?.Child("Bool")?.Text("aws:SecureTransport") == "false");

    private static bool AllowsAll(string? policy) => policy is not null && PolicyDocument.AsObject(policy.StartsWith('%') ? Uri.UnescapeDataString(policy) : policy) is JsonObject document
        && document.Objects("Statement").Any(statement => statement.Text("Effect") == "Allow" && statement.Texts("Action").Contains("*") && statement.Texts("Resource").Contains("*"));

    private static bool OpenTo(JsonObject group, int port) => group.Objects("IpPermissions").Any(permission =>
        (permission.Text("IpProtocol") == "-1" || (permission.Text("IpProtocol") == "tcp" && permission.Int("FromPort") <= port && permission.Int("ToPort") >= port))
        && (permission.Objects("IpRanges").Any(range => range.Text("CidrIp") == "0.0.0.0/0") || permission.Objects("Ipv6Ranges").Any(range => range.Text("CidrIpv6") == "::/0")));

    private static async Task<bool> AnyTrailAsync(ConfigInventory inventory, Func<JsonObject, bool> wanted)
    {
        foreach (var trail in await inventory.OfAsync("AWS::CloudTrail::Trail").ConfigureAwait(false))
        {
            if (wanted(trail.State) && (await inventory.SettingAsync("cloudtrail", "GetTrailStatus", new JsonObject { ["Name"] = trail.Arn }).ConfigureAwait(false))?.Is("IsLogging") == true)
            {
                return true;
            }
        }
        return false;
    }

    private static bool HasTags(ConfigResource resource, JsonObject parameters)
    {
        for (var i = 1; i <= 6; i++)
        {
            if (parameters.Text($"tag{i}Key") is not { Length: > 0 } key)
            {
                continue;
            }
            var values = parameters.Text($"tag{i}Value")?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
            if (!resource.Tags.TryGetValue(key, out var value) || (values.Length > 0 && !values.Contains(value)))
            {
                return false;
            }
        }
        return true;
    }
}
