namespace Inferloop.Templates;

/// <summary>Names that no longer fit once environment and stage are in them.</summary>
internal static class NameTraps
{
    public static readonly TrapRule TooLong = new(
        "NameTooLong", DiagnosticSeverity.Error, "A name is longer than its service takes",
        "Shorten the name, or leave it out: CloudFormation makes a unique one within the limit.");

    // Type, property, longest name.
    private static readonly (string Type, string Property, int Limit)[] Limits =
    [
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", 32),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name", 32),
        ("AWS::ElastiCache::ReplicationGroup", "ReplicationGroupId", 40),
        ("AWS::Events::Rule", "Name", 64),
        ("AWS::IAM::Role", "RoleName", 64),
        ("AWS::IAM::InstanceProfile", "InstanceProfileName", 128),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName", 128),
        ("AWS::Lambda::Function", "FunctionName", 64),
        ("AWS::RDS::DBInstance", "DBInstanceIdentifier", 63),
        ("AWS::RDS::DBSubnetGroup", "DBSubnetGroupName", 255),
        ("AWS::S3::Bucket", "BucketName", 63),
        ("AWS::SQS::Queue", "QueueName", 80),
        ("AWS::SNS::Topic", "TopicName", 256),
        ("AWS::DynamoDB::Table", "TableName", 255),
        ("AWS::ECS::Cluster", "ClusterName", 255),
        ("AWS::ECS::Service", "ServiceName", 255),
        ("AWS::ECS::TaskDefinition", "Family", 255),
        ("AWS::EKS::Cluster", "Name", 100),
        ("AWS::EKS::Nodegroup", "NodegroupName", 63),
        ("AWS::Batch::JobQueue", "JobQueueName", 128),
        ("AWS::Batch::ComputeEnvironment", "ComputeEnvironmentName", 128),
        ("AWS::EC2::LaunchTemplate", "LaunchTemplateName", 128),
        ("AWS::EC2::SecurityGroup", "GroupName", 255),
        ("AWS::AutoScaling::AutoScalingGroup", "AutoScalingGroupName", 255),
        ("AWS::CloudWatch::Alarm", "AlarmName", 255),
        ("AWS::KMS::Alias", "AliasName", 256),
        ("AWS::Logs::LogGroup", "LogGroupName", 512),
        ("AWS::SecretsManager::Secret", "Name", 512),
    ];

    public static void Check(TrapContext context, DiagnosticSeverity severity)
    {
        foreach (var resource in context.Resources)
        {
            foreach (var (_, property, limit) in Limits.Where(l => l.Type == resource.Type))
            {
                if (resource.Properties[property] is { } value && value.AsString() is { } name && name.Length > limit)
                {
                    context.Report(
                        TooLong, severity == DiagnosticSeverity.Error
                            ? $"'{name}' has {name.Length} characters; {resource.Type} takes {limit}."
                            : $"With the longest values that its parameters take this is '{name}', {name.Length} characters; {resource.Type} takes {limit}.",
                        resource, value, severity);
                }
            }
        }
    }
}
