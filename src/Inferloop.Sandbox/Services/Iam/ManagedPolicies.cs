using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Iam;

/// <summary>AWS's own managed policies, as far as the platform and its operators use them, with the services each speaks of.</summary>
internal static class ManagedPolicies
{
    private static readonly Dictionary<string, string> Actions = new(StringComparer.Ordinal)
    {
        ["service-role/AmazonECSTaskExecutionRolePolicy"] = "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents",
        ["service-role/AmazonEC2ContainerServiceforEC2Role"] = "ec2:DescribeTags ecs:CreateCluster ecs:DeregisterContainerInstance ecs:DiscoverPollEndpoint ecs:Poll ecs:RegisterContainerInstance ecs:StartTelemetrySession ecs:UpdateContainerInstancesState ecs:Submit* ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage logs:CreateLogStream logs:PutLogEvents",
        ["service-role/AmazonECSInfrastructureRolePolicyForVolumes"] = "ec2:CreateVolume ec2:DescribeVolumes ec2:AttachVolume ec2:DetachVolume ec2:DeleteVolume ec2:CreateTags",
        ["service-role/AWSLambdaBasicExecutionRole"] = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
        ["service-role/AWSLambdaVPCAccessExecutionRole"] = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents ec2:CreateNetworkInterface ec2:DescribeNetworkInterfaces ec2:DeleteNetworkInterface ec2:AssignPrivateIpAddresses ec2:UnassignPrivateIpAddresses",
        ["service-role/AWSLambdaSQSQueueExecutionRole"] = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
        ["service-role/AWSLambdaDynamoDBExecutionRole"] = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
        ["service-role/AWSBatchServiceRole"] = "ec2:Describe* autoscaling:* ecs:* logs:* iam:GetInstanceProfile iam:GetRole",
        ["service-role/AmazonEC2SpotFleetTaggingRole"] = "ec2:DescribeImages ec2:RequestSpotInstances ec2:TerminateInstances ec2:CreateTags ec2:RunInstances",
        ["service-role/AmazonRDSEnhancedMonitoringRole"] = "logs:CreateLogGroup logs:PutRetentionPolicy logs:CreateLogStream logs:PutLogEvents logs:DescribeLogStreams logs:GetLogEvents",
        ["service-role/AWSBackupServiceRolePolicyForBackup"] = "dynamodb:CreateBackup rds:CreateDBSnapshot ec2:CreateSnapshot backup:*",
        ["service-role/AWSBackupServiceRolePolicyForRestores"] = "dynamodb:RestoreTableFromBackup rds:RestoreDBInstanceFromDBSnapshot ec2:CreateVolume backup:*",
        ["AWSBackupServiceRolePolicyForS3Backup"] = "s3:GetInventoryConfiguration s3:PutInventoryConfiguration s3:ListBucketVersions s3:ListBucket s3:GetBucketVersioning s3:GetBucketNotification s3:PutBucketNotification s3:GetBucketLocation s3:GetBucketTagging s3:GetObjectAcl s3:GetObject s3:GetObjectVersionTagging s3:GetObjectVersionAcl s3:GetObjectTagging s3:GetObjectVersion events:DescribeRule events:EnableRule events:PutRule events:DeleteRule events:PutTargets events:RemoveTargets events:ListTargetsByRule events:DisableRule cloudwatch:GetMetricData backup:*",
        ["AWSBackupServiceRolePolicyForS3Restore"] = "s3:CreateBucket s3:ListBucketVersions s3:ListBucket s3:GetBucketVersioning s3:GetBucketLocation s3:PutBucketVersioning s3:PutBucketOwnershipControls s3:GetBucketOwnershipControls s3:GetObject s3:GetObjectVersion s3:DeleteObject s3:PutObjectVersionAcl s3:GetObjectVersionAcl s3:GetObjectTagging s3:PutObjectTagging s3:GetObjectAcl s3:PutObjectAcl s3:PutObject s3:ListMultipartUploadParts kms:DescribeKey kms:GenerateDataKey kms:Decrypt",
        ["service-role/AWS_ConfigRole"] = "config:* ec2:Describe* s3:Get* s3:List* rds:Describe*",
        ["service-role/AmazonEBSCSIDriverPolicy"] = "ec2:CreateSnapshot ec2:AttachVolume ec2:DetachVolume ec2:ModifyVolume ec2:Describe* ec2:CreateVolume ec2:DeleteVolume ec2:CreateTags",
        ["CloudWatchAgentServerPolicy"] = "cloudwatch:PutMetricData ec2:DescribeVolumes ec2:DescribeTags logs:PutLogEvents logs:PutRetentionPolicy logs:DescribeLogStreams logs:DescribeLogGroups logs:CreateLogStream logs:CreateLogGroup",
        ["CloudWatchLambdaInsightsExecutionRolePolicy"] = "logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents",
        ["AmazonSSMManagedInstanceCore"] = "ssm:DescribeAssociation ssm:GetDocument ssm:GetParameter ssm:GetParameters ssm:UpdateInstanceInformation ssmmessages:* ec2messages:*",
        ["AWSXRayDaemonWriteAccess"] = "xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets",
        ["AmazonEKSClusterPolicy"] = "autoscaling:DescribeAutoScalingGroups autoscaling:UpdateAutoScalingGroup ec2:Describe* ec2:CreateRoute elasticloadbalancing:* kms:DescribeKey",
        ["AmazonEKSWorkerNodePolicy"] = "ec2:Describe* eks:DescribeCluster eks-auth:AssumeRoleForPodIdentity",
        ["AmazonEKS_CNI_Policy"] = "ec2:AssignPrivateIpAddresses ec2:AttachNetworkInterface ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:Describe* ec2:DetachNetworkInterface ec2:ModifyNetworkInterfaceAttribute",
        ["AmazonEKSVPCResourceController"] = "ec2:CreateNetworkInterfacePermission ec2:CreateNetworkInterface ec2:DetachNetworkInterface ec2:Describe*",
        ["AmazonEC2ContainerRegistryReadOnly"] = "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:GetRepositoryPolicy ecr:DescribeRepositories ecr:ListImages ecr:DescribeImages ecr:BatchGetImage",
        ["AmazonEC2ContainerRegistryPullOnly"] = "ecr:GetAuthorizationToken ecr:BatchCheckLayerAvailability ecr:GetDownloadUrlForLayer ecr:BatchGetImage ecr:BatchImportUpstreamImage",
        ["AmazonEC2ContainerRegistryPowerUser"] = "ecr:*",
        ["AdministratorAccess"] = "*",
        ["PowerUserAccess"] = "*",
        ["ReadOnlyAccess"] = "*:Get* *:List* *:Describe* *:BatchGet* *:Lookup* *:Search* *:View* dynamodb:Query dynamodb:Scan logs:FilterLogEvents logs:StartQuery",
        ["SecurityAudit"] = "*:Get* *:List* *:Describe*",
        ["AmazonS3FullAccess"] = "s3:*",
        ["AmazonS3ReadOnlyAccess"] = "s3:Get* s3:List*",
        ["AmazonDynamoDBFullAccess"] = "dynamodb:*",
        ["AmazonDynamoDBReadOnlyAccess"] = "dynamodb:Get* dynamodb:Query dynamodb:Scan dynamodb:Describe* dynamodb:List*",
        ["AmazonECS_FullAccess"] = "ecs:* autoscaling:* elasticloadbalancing:*",
        ["CloudWatchLogsFullAccess"] = "logs:*",
        ["CloudWatchFullAccess"] = "cloudwatch:* logs:* sns:*",
        ["CloudWatchReadOnlyAccess"] = "cloudwatch:Describe* cloudwatch:Get* cloudwatch:List* logs:Describe* logs:Get*",
        ["SecretsManagerReadWrite"] = "secretsmanager:* kms:DescribeKey lambda:ListFunctions",
        ["AmazonSQSFullAccess"] = "sqs:*",
        ["AmazonSNSFullAccess"] = "sns:*",
        ["AWSCodeBuildAdminAccess"] = "codebuild:*",
        ["AWSCodeBuildDeveloperAccess"] = "codebuild:StartBuild codebuild:BatchGet* codebuild:List*",
        ["AmazonVPCFullAccess"] = "ec2:*",
    };

    public static IEnumerable<string> Names => Actions.Keys;

    public static bool Contains(string arn) => NameOf(arn) is { } name && Actions.ContainsKey(name);

    /// <summary>Path and name from an ARN of an AWS managed policy.</summary>
    public static string? NameOf(string arn)
    {
        var parts = arn.Split(':', 6);
        return parts.Length == 6 && parts[4] == "aws" && parts[5].StartsWith("policy/", StringComparison.Ordinal) ? parts[5]["policy/".Length..] : null;
    }

    public static JsonObject Describe(string partition, string name, int attachments) => new()
    {
        ["PolicyName"] = name.Split('/')[^1],
        ["PolicyId"] = "ANPA" + Ec2.Ec2Service.StableHex(name, 17).ToUpperInvariant(),
        ["Arn"] = $"arn:{partition}:iam::aws:policy/{name}",
        ["Path"] = name.Contains('/', StringComparison.Ordinal) ? $"/{name[..name.LastIndexOf('/')]}/" : "/",
        ["DefaultVersionId"] = "v1",
        ["AttachmentCount"] = attachments,
        ["PermissionsBoundaryUsageCount"] = 0,
        ["IsAttachable"] = true,
        ["CreateDate"] = "2015-02-06T18:40:00.000Z",
        ["UpdateDate"] = "2024-01-01T00:00:00.000Z",
    };

    public static string Document(string name) => new JsonObject
    {
        ["Version"] = "2012-10-17",
        ["Statement"] = new JsonArray(new JsonObject { ["Effect"] = "Allow", ["Action"] = Actions[name].Split(' ').ToTextList(), ["Resource"] = "*" }),
    }.ToJsonString();
}
