namespace Inferloop.Operations.Costs.Pricing;

/// <summary>Which pricer prices which resource type, and which types AWS does not charge for. A type on neither list is unpriced, not free.</summary>
internal static class Pricers
{
    private static readonly Dictionary<string, Action<CostedResource, CostSheet>> s_pricers = new(StringComparer.Ordinal)
    {
        ["AWS::ACMPCA::CertificateAuthority"] = DataServicePricers.CertificateAuthority,
        ["AWS::AmazonMQ::Broker"] = DataServicePricers.Broker,
        ["AWS::ApiGateway::RestApi"] = ServerlessPricers.HttpApi,
        ["AWS::ApiGateway::Stage"] = ServerlessPricers.Stage,
        ["AWS::ApiGatewayV2::Api"] = ServerlessPricers.HttpApi,
        ["AWS::AutoScaling::AutoScalingGroup"] = ComputePricers.Group,
        ["AWS::Backup::BackupVault"] = GovernancePricers.BackupVault,
        ["AWS::Batch::ComputeEnvironment"] = KubernetesPricers.ComputeEnvironment,
        ["AWS::CertificateManager::Certificate"] = GovernancePricers.Certificate,
        ["AWS::CloudFront::Distribution"] = EdgePricers.Distribution,
        ["AWS::CloudTrail::Trail"] = GovernancePricers.Trail,
        ["AWS::CloudWatch::Alarm"] = LogPricers.Alarm,
        ["AWS::CloudWatch::CompositeAlarm"] = LogPricers.CompositeAlarm,
        ["AWS::CloudWatch::Dashboard"] = GovernancePricers.Dashboard,
        ["AWS::CodeBuild::Project"] = GovernancePricers.Build,
        ["AWS::CodePipeline::Pipeline"] = GovernancePricers.Pipeline,
        ["AWS::Config::ConfigRule"] = GovernancePricers.ConfigRule,
        ["AWS::Config::ConfigurationRecorder"] = GovernancePricers.ConfigRecorder,
        ["AWS::Config::ConformancePack"] = GovernancePricers.ConformancePack,
        ["AWS::DLM::LifecyclePolicy"] = DataServicePricers.Snapshots,
        ["AWS::DMS::ReplicationInstance"] = DataServicePricers.Migration,
        ["AWS::DirectoryService::MicrosoftAD"] = DataServicePricers.Directory,
        ["AWS::DirectoryService::SimpleAD"] = DataServicePricers.Directory,
        ["AWS::DocDB::DBCluster"] = ClusterPricers.DocDb,
        ["AWS::DocDB::DBInstance"] = (r, s) => ClusterPricers.ClusterInstance("docdb", "DocumentDB", r, s),
        ["AWS::DynamoDB::GlobalTable"] = StoragePricers.GlobalTable,
        ["AWS::DynamoDB::Table"] = StoragePricers.Table,
        ["AWS::EC2::ClientVpnEndpoint"] = EdgePricers.ClientVpnEndpoint,
        ["AWS::EC2::ClientVpnTargetNetworkAssociation"] = Hourly("Client VPN association", "client_vpn", "association_hour"),
        ["AWS::EC2::EIP"] = NetworkPricers.ElasticIp,
        ["AWS::EC2::FlowLog"] = LogPricers.FlowLog,
        ["AWS::EC2::Instance"] = ComputePricers.Instance,
        ["AWS::EC2::NatGateway"] = NetworkPricers.NatGateway,
        ["AWS::EC2::TransitGatewayAttachment"] = EdgePricers.Attachment,
        ["AWS::EC2::TransitGatewayPeeringAttachment"] = EdgePricers.Attachment,
        ["AWS::EC2::TransitGatewayVpcAttachment"] = EdgePricers.Attachment,
        ["AWS::EC2::VPC"] = NetworkPricers.Vpc,
        ["AWS::EC2::VPCEndpoint"] = NetworkPricers.Endpoint,
        ["AWS::EC2::VPNConnection"] = EdgePricers.Vpn,
        ["AWS::EC2::Volume"] = ComputePricers.Volume,
        ["AWS::ECR::Repository"] = GovernancePricers.Repository,
        ["AWS::ECS::Cluster"] = EcsPricers.Cluster,
        ["AWS::ECS::Service"] = EcsPricers.Service,
        ["AWS::EFS::FileSystem"] = DataServicePricers.Efs,
        ["AWS::EKS::Addon"] = KubernetesPricers.Addon,
        ["AWS::EKS::Cluster"] = KubernetesPricers.Cluster,
        ["AWS::EKS::Nodegroup"] = KubernetesPricers.NodeGroup,
        ["AWS::ElastiCache::CacheCluster"] = ClusterPricers.CacheCluster,
        ["AWS::ElastiCache::ReplicationGroup"] = ClusterPricers.ReplicationGroup,
        ["AWS::ElasticLoadBalancing::LoadBalancer"] = EdgePricers.ClassicLoadBalancer,
        ["AWS::ElasticLoadBalancingV2::LoadBalancer"] = NetworkPricers.LoadBalancer,
        ["AWS::Elasticsearch::Domain"] = ClusterPricers.Search,
        ["AWS::Events::Archive"] = ServerlessPricers.EventArchive,
        ["AWS::Events::EventBus"] = ServerlessPricers.EventBus,
        ["AWS::FSx::FileSystem"] = DataServicePricers.Fsx,
        ["AWS::GlobalAccelerator::Accelerator"] = Hourly("Accelerator", "global_accelerator", "accelerator_hour"),
        ["AWS::Glue::Crawler"] = DataServicePricers.Glue,
        ["AWS::Glue::Job"] = DataServicePricers.Glue,
        ["AWS::KMS::Key"] = SecurityPricers.Key,
        ["AWS::KMS::ReplicaKey"] = SecurityPricers.Key,
        ["AWS::Kinesis::Stream"] = DataServicePricers.Stream,
        ["AWS::KinesisFirehose::DeliveryStream"] = DataServicePricers.Firehose,
        ["AWS::Lambda::Alias"] = ServerlessPricers.ProvisionedConcurrency,
        ["AWS::Lambda::Function"] = ServerlessPricers.Function,
        ["AWS::Lambda::Version"] = ServerlessPricers.ProvisionedConcurrency,
        ["AWS::Logs::LogGroup"] = LogPricers.LogGroup,
        ["AWS::Logs::MetricFilter"] = GovernancePricers.MetricFilter,
        ["AWS::Logs::QueryDefinition"] = GovernancePricers.QueryDefinition,
        ["AWS::MSK::Cluster"] = DataServicePricers.Kafka,
        ["AWS::MWAA::Environment"] = DataServicePricers.Airflow,
        ["AWS::Neptune::DBCluster"] = ClusterPricers.Neptune,
        ["AWS::Neptune::DBInstance"] = (r, s) => ClusterPricers.ClusterInstance("neptune", "Neptune", r, s),
        ["AWS::NetworkFirewall::Firewall"] = EdgePricers.Firewall,
        ["AWS::OpenSearchService::Domain"] = ClusterPricers.Search,
        ["AWS::RDS::DBCluster"] = ClusterPricers.Aurora,
        ["AWS::RDS::DBInstance"] = DatabasePricers.Instance,
        ["AWS::Redshift::Cluster"] = ClusterPricers.Redshift,
        ["AWS::Route53::HealthCheck"] = GovernancePricers.HealthCheck,
        ["AWS::Route53::HostedZone"] = SecurityPricers.Zone,
        ["AWS::Route53Resolver::ResolverEndpoint"] = EdgePricers.ResolverEndpoint,
        ["AWS::S3::Bucket"] = StoragePricers.Bucket,
        ["AWS::SNS::Topic"] = ServerlessPricers.Topic,
        ["AWS::SQS::Queue"] = ServerlessPricers.Queue,
        ["AWS::SSM::Parameter"] = GovernancePricers.Parameter,
        ["AWS::SecretsManager::Secret"] = SecurityPricers.Secret,
        ["AWS::ServiceDiscovery::PrivateDnsNamespace"] = SecurityPricers.Zone,
        ["AWS::ServiceDiscovery::PublicDnsNamespace"] = SecurityPricers.Zone,
        ["AWS::StepFunctions::StateMachine"] = ServerlessPricers.StateMachine,
        ["AWS::Synthetics::Canary"] = GovernancePricers.Canary,
        ["AWS::Transfer::Server"] = DataServicePricers.TransferServer,
        ["AWS::WAFv2::RuleGroup"] = GovernancePricers.RuleGroup,
        ["AWS::WAFv2::WebACL"] = GovernancePricers.WebAcl,
    };

    public static IEnumerable<string> PricedTypes => s_pricers.Keys;

    public static bool IsFree(string type) => FreeTypes.Contains(type);

    public static void Price(CostedResource resource, CostSheet sheet)
    {
        if (s_pricers.TryGetValue(resource.Type, out var pricer))
        {
            var before = sheet.Entries;
            pricer(resource, sheet);
            if (sheet.Entries == before)
            {
                // Charged by use alone, and nothing is used.
                sheet.AddFree(resource);
            }
        }
        else if (IsFree(resource.Type) || resource.IsExpandedStack)
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

    private static Action<CostedResource, CostSheet> Hourly(string name, string service, string dimension) =>
        (resource, sheet) => sheet.Add(resource, name, service, dimension, Month.Hours, "running all month");
}
