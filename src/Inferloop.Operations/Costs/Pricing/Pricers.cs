namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Which pricer prices which resource type, and which types AWS does not charge for. A type on neither list is unpriced, not free.</summary>
internal static class Pricers
{
    private static readonly Dictionary<string, Action<CostedResource, CostSheet>> s_pricers = new(StringComparer.Ordinal)
    {
        ["AWS::AutoScaling::AutoScalingGroup"] = ComputePricers.Group,
        ["AWS::CloudWatch::Alarm"] = LogPricers.Alarm,
        ["AWS::CloudWatch::CompositeAlarm"] = LogPricers.CompositeAlarm,
        ["AWS::DynamoDB::Table"] = StoragePricers.Table,
        ["AWS::EC2::EIP"] = NetworkPricers.ElasticIp,
        ["AWS::EC2::FlowLog"] = LogPricers.FlowLog,
        ["AWS::EC2::Instance"] = ComputePricers.Instance,
        ["AWS::EC2::NatGateway"] = NetworkPricers.NatGateway,
        ["AWS::EC2::VPC"] = NetworkPricers.Vpc,
        ["AWS::EC2::VPCEndpoint"] = NetworkPricers.Endpoint,
        ["AWS::EC2::Volume"] = ComputePricers.Volume,
        ["AWS::ECS::Cluster"] = EcsPricers.Cluster,
        ["AWS::ECS::Service"] = EcsPricers.Service,
        ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = NetworkPricers.LoadBalancer,
        ["AWS::KMS::Key"] = SecurityPricers.Key,
        ["AWS::Logs::LogGroup"] = LogPricers.LogGroup,
        ["AWS::RDS::DBInstance"] = DatabasePricers.Instance,
        ["AWS::Route53::HostedZone"] = SecurityPricers.Zone,
        ["AWS::S3::Bucket"] = StoragePricers.Bucket,
        ["AWS::SecretsManager::Secret"] = SecurityPricers.Secret,
        ["AWS::ServiceDiscovery::PrivateDnsNamespace"] = SecurityPricers.Zone,
        ["AWS::ServiceDiscovery::PublicDnsNamespace"] = SecurityPricers.Zone,
    };

    // No charge of their own: settings, relations and identities, or charged through what they belong to.
    private static readonly HashSet<string> s_free = new(StringComparer.Ordinal)
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::AutoScaling::LifecycleHook",
        "AWS::AutoScaling::ScalingPolicy",
        "AWS::AutoScaling::ScheduledAction",
        "AWS::CloudFormation::WaitCondition",
        "AWS::CloudFormation::WaitConditionHandle",
        "AWS::EC2::DHCPOptions",
        "AWS::EC2::EIPAssociation",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::NetworkAcl",
        "AWS::EC2::NetworkAclEntry",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetNetworkAclAssociation",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EC2::VolumeAttachment",
        "AWS::ECS::CapacityProvider",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        "AWS::ECS::TaskDefinition",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerCertificate",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::IAM::InstanceProfile",
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::OIDCProvider",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::IAM::RolePolicy",
        "AWS::IAM::ServiceLinkedRole",
        "AWS::KMS::Alias",
        "AWS::Logs::LogStream",
        "AWS::Logs::QueryDefinition",
        "AWS::Logs::ResourcePolicy",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::SecretsManager::SecretTargetAttachment",
        "AWS::ServiceDiscovery::HttpNamespace",
        "AWS::ServiceDiscovery::Service",
    };

    public static IEnumerable<string> PricedTypes => s_pricers.Keys;

    public static IEnumerable<string> FreeTypes => s_free;

    public static void Price(CostedResource resource, CostSheet sheet)
    {
        if (s_pricers.TryGetValue(resource.Type, out var pricer))
        {
            pricer(resource, sheet);
        }
        else if (s_free.Contains(resource.Type) || resource.IsExpandedStack)
        {
            sheet.AddFree(resource);
        }
        else
        {
            sheet.AddUnpriced(
                resource, resource.Type, null, null,
                resource.Type == "AWS::CloudFormation::Stack" ? "The nested stack's template was not evaluated." : $"The estimate does not know the resource type {resource.Type}.");
        }
    }
}
