namespace Inferloop.Sandbox.CloudFormation;

/// <summary>
/// How long resources take at least, in sandbox time: what operators see in stack events of AWS, rounded. A provider that waits for its
/// service to be ready takes longer where the service does.
/// </summary>
internal static class ResourceDurations
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(5);

    private static readonly Dictionary<string, (int Create, int Update, int Delete)> Seconds = new(StringComparer.Ordinal)
    {
        ["AWS::ApplicationAutoScaling::ScalableTarget"] = (3, 3, 2),
        ["AWS::ApplicationAutoScaling::ScalingPolicy"] = (2, 2, 1),
        ["AWS::AutoScaling::AutoScalingGroup"] = (15, 10, 90),
        ["AWS::CloudFormation::Stack"] = (2, 1, 1),
        ["AWS::CloudFormation::WaitCondition"] = (0, 0, 0),
        ["AWS::CloudFormation::WaitConditionHandle"] = (1, 1, 1),
        ["AWS::CloudWatch::Alarm"] = (2, 2, 1),
        ["AWS::DynamoDB::Table"] = (30, 15, 20),
        ["AWS::DynamoDB::GlobalTable"] = (60, 30, 60),
        ["AWS::EC2::EIP"] = (17, 5, 3),
        ["AWS::EC2::FlowLog"] = (3, 3, 2),
        ["AWS::EC2::InternetGateway"] = (17, 5, 3),
        ["AWS::EC2::LaunchTemplate"] = (4, 4, 2),
        ["AWS::EC2::NatGateway"] = (100, 10, 50),
        ["AWS::EC2::NetworkAcl"] = (4, 3, 2),
        ["AWS::EC2::NetworkAclEntry"] = (16, 3, 2),
        ["AWS::EC2::Route"] = (16, 3, 2),
        ["AWS::EC2::RouteTable"] = (13, 5, 2),
        ["AWS::EC2::SecurityGroup"] = (6, 4, 3),
        ["AWS::EC2::Subnet"] = (5, 3, 3),
        ["AWS::EC2::SubnetRouteTableAssociation"] = (4, 3, 2),
        ["AWS::EC2::VPC"] = (14, 5, 3),
        ["AWS::EC2::VPCEndpoint"] = (19, 10, 15),
        ["AWS::EC2::VPCGatewayAttachment"] = (16, 5, 4),
        ["AWS::ECS::CapacityProvider"] = (6, 6, 6),
        ["AWS::ECS::Cluster"] = (6, 6, 4),
        ["AWS::ECS::ClusterCapacityProviderAssociations"] = (12, 12, 8),
        ["AWS::ECS::Service"] = (30, 30, 40),
        ["AWS::ECS::TaskDefinition"] = (2, 2, 2),
        ["AWS::ApiGatewayV2::Api"] = (2, 2, 2),
        ["AWS::ApiGatewayV2::Integration"] = (1, 1, 1),
        ["AWS::ApiGatewayV2::Route"] = (1, 1, 1),
        ["AWS::ApiGatewayV2::Stage"] = (2, 2, 1),
        ["AWS::Batch::ComputeEnvironment"] = (10, 10, 10),
        ["AWS::Batch::JobDefinition"] = (2, 2, 2),
        ["AWS::Batch::JobQueue"] = (5, 5, 5),
        ["AWS::Batch::SchedulingPolicy"] = (2, 2, 2),
        ["AWS::EKS::AccessEntry"] = (3, 3, 2),
        ["AWS::EKS::Addon"] = (10, 10, 10),
        ["AWS::EKS::Cluster"] = (60, 5, 60),
        ["AWS::EKS::Nodegroup"] = (60, 5, 60),
        ["AWS::EKS::PodIdentityAssociation"] = (2, 2, 2),
        ["AWS::Events::EventBus"] = (3, 3, 2),
        ["AWS::Events::Rule"] = (60, 60, 60),
        ["AWS::ElasticLoadBalancingV2::Listener"] = (2, 2, 1),
        ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = (150, 10, 10),
        ["AWS::ElasticLoadBalancingV2::TargetGroup"] = (16, 4, 2),
        ["AWS::ElastiCache::GlobalReplicationGroup"] = (300, 60, 300),
        ["AWS::ElastiCache::ReplicationGroup"] = (600, 300, 300),
        ["AWS::IAM::InstanceProfile"] = (120, 10, 2),
        ["AWS::IAM::ManagedPolicy"] = (17, 5, 2),
        ["AWS::IAM::Policy"] = (17, 5, 2),
        ["AWS::IAM::Role"] = (18, 5, 2),
        ["AWS::KMS::Alias"] = (2, 2, 1),
        ["AWS::KMS::Key"] = (130, 10, 3),
        ["AWS::Lambda::Alias"] = (2, 2, 1),
        ["AWS::Lambda::EventInvokeConfig"] = (3, 3, 2),
        ["AWS::Lambda::EventSourceMapping"] = (5, 5, 5),
        ["AWS::Lambda::Function"] = (8, 6, 3),
        ["AWS::Lambda::LayerVersion"] = (6, 6, 2),
        ["AWS::Lambda::Permission"] = (2, 2, 1),
        ["AWS::Lambda::Url"] = (2, 2, 1),
        ["AWS::Lambda::Version"] = (3, 3, 2),
        ["AWS::Logs::LogGroup"] = (3, 2, 2),
        ["AWS::RDS::DBInstance"] = (600, 300, 300),
        ["AWS::RDS::DBSubnetGroup"] = (3, 3, 2),
        ["AWS::S3::Bucket"] = (22, 20, 3),
        ["AWS::S3::BucketPolicy"] = (2, 2, 1),
        ["AWS::SecretsManager::Secret"] = (2, 2, 2),
        ["AWS::ServiceDiscovery::HttpNamespace"] = (35, 30, 35),
        ["AWS::ServiceDiscovery::PrivateDnsNamespace"] = (45, 30, 60),
        ["AWS::ServiceDiscovery::Service"] = (3, 3, 2),
        ["AWS::Scheduler::Schedule"] = (3, 3, 2),
        ["AWS::SNS::Topic"] = (12, 5, 2),
        ["AWS::SSM::Parameter"] = (2, 2, 1),
    };

    public static TimeSpan Create(string type) => Seconds.TryGetValue(type, out var seconds) ? TimeSpan.FromSeconds(seconds.Create) : Default;

    public static TimeSpan Update(string type) => Seconds.TryGetValue(type, out var seconds) ? TimeSpan.FromSeconds(seconds.Update) : Default;

    public static TimeSpan Delete(string type) => Seconds.TryGetValue(type, out var seconds) ? TimeSpan.FromSeconds(seconds.Delete) : TimeSpan.FromSeconds(2);
}
