using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>A network with two zones, a load balancer, a cluster and what a service of two tasks behind them is made of.</summary>
public abstract class EcsServiceTestBase : ServiceTestBase
{
    private protected sealed record Platform(string Subnets, string Group, string TargetGroup, string Role, string Cluster, string Registry);

    private protected async Task<Platform> Build(string healthCheck = "")
    {
        var vpc = (await Provision("AWS::EC2::VPC", """{"CidrBlock":"10.0.0.0/16"}""", "Vpc")).PhysicalId;
        var one = (await Provision("AWS::EC2::Subnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.1.0/24","AvailabilityZone":"us-east-1a"}""", "One")).PhysicalId;
        var two = (await Provision("AWS::EC2::Subnet", $$"""{"VpcId":"{{vpc}}","CidrBlock":"10.0.2.0/24","AvailabilityZone":"us-east-1b"}""", "Two")).PhysicalId;
        var group = (await Provision("AWS::EC2::SecurityGroup", $$"""{"VpcId":"{{vpc}}","GroupDescription":"all"}""", "Group")).PhysicalId;
        var balancer = await Provision("AWS::ElasticLoadBalancingV2::LoadBalancer", $$"""{"Name":"web","Subnets":["{{one}}","{{two}}"],"SecurityGroups":["{{group}}"]}""", "Balancer");
        var target = (await Provision("AWS::ElasticLoadBalancingV2::TargetGroup", $$"""{"VpcId":"{{vpc}}","Protocol":"HTTP","Port":"8000","TargetType":"ip","HealthCheckPath":"/health","HealthCheckIntervalSeconds":"30","HealthyThresholdCount":"2"{{healthCheck}} }""", "Target")).PhysicalId;
        await Provision("AWS::ElasticLoadBalancingV2::Listener", $$"""{"LoadBalancerArn":"{{balancer.PhysicalId}}","Port":80,"Protocol":"HTTP","DefaultActions":[{"Type":"forward","TargetGroupArn":"{{target}}"}]}""", "Listener");
        var role = (string)(await Provision("AWS::IAM::Role", """{"AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]},"ManagedPolicyArns":["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]}""", "Role")).Attributes["Arn"]!;
        var space = (await Provision("AWS::ServiceDiscovery::PrivateDnsNamespace", $$"""{"Name":"demo.internal","Vpc":"{{vpc}}"}""", "Space")).PhysicalId;
        var registry = (string)(await Provision("AWS::ServiceDiscovery::Service", $$"""{"Name":"synthdata","NamespaceId":"{{space}}","DnsConfig":{"DnsRecords":[{"Type":"A","TTL":"10"}]},"HealthCheckCustomConfig":{"FailureThreshold":"1"} }""", "Registry")).Attributes["Arn"]!;
        var cluster = (await Provision("AWS::ECS::Cluster", """{"ClusterName":"demo","ClusterSettings":[{"Name":"containerInsights","Value":"enabled"}],"CapacityProviders":["FARGATE","FARGATE_SPOT"],"DefaultCapacityProviderStrategy":[{"CapacityProvider":"FARGATE","Weight":1}]}""", "Cluster")).PhysicalId;
        await Provision("AWS::Logs::LogGroup", """{"LogGroupName":"/demo/app","RetentionInDays":"30"}""", "Logs");
        return new Platform($"[\"{one}\",\"{two}\"]", group, target, role, cluster, registry);
    }

    private protected static string Definition(Platform platform, string image, string cpu = "1024", string memory = "2048") => $$"""
        {"Family":"synthdata","NetworkMode":"awsvpc","RequiresCompatibilities":["FARGATE","EC2"],"Cpu":"{{cpu}}","Memory":"{{memory}}","ExecutionRoleArn":"{{platform.Role}}",
         "ContainerDefinitions":[{"Name":"synthdata","Image":"{{image}}","PortMappings":[{"ContainerPort":"8000"}],
           "HealthCheck":{"Command":["CMD-SHELL","curl -f http://localhost:8000/health"],"Interval":30,"Timeout":5,"Retries":3},
           "LogConfiguration":{"LogDriver":"awslogs","Options":{"awslogs-group":"/demo/app","awslogs-region":"us-east-1","awslogs-stream-prefix":"app"} } }]}
        """;

    private protected static string Service(Platform platform, string definition, int count = 2) => $$"""
        {"ServiceName":"synthdata","Cluster":"{{platform.Cluster}}","TaskDefinition":"{{definition}}","DesiredCount":"{{count}}",
         "CapacityProviderStrategy":[{"CapacityProvider":"FARGATE","Base":1,"Weight":1},{"CapacityProvider":"FARGATE_SPOT","Weight":1}],
         "NetworkConfiguration":{"AwsvpcConfiguration":{"Subnets":{{platform.Subnets}},"SecurityGroups":["{{platform.Group}}"],"AssignPublicIp":"DISABLED"} },
         "LoadBalancers":[{"ContainerName":"synthdata","ContainerPort":"8000","TargetGroupArn":"{{platform.TargetGroup}}"}],"ServiceRegistries":[{"RegistryArn":"{{platform.Registry}}"}],
         "HealthCheckGracePeriodSeconds":"60","DeploymentConfiguration":{"MaximumPercent":200,"MinimumHealthyPercent":100,"DeploymentCircuitBreaker":{"Enable":true,"Rollback":true} },
         "PropagateTags":"SERVICE","Tags":[{"Key":"inferloop:component","Value":"ecs"}]}
        """;

    private protected async Task<JsonNode> Describe() => (await Call("ecs", "DescribeServices", """{"cluster":"demo","services":["synthdata"],"include":["TAGS"]}"""))["services"]![0]!;

    private protected async Task<ProvisionedResource> Definition(Platform platform, string image) => await Provision("AWS::ECS::TaskDefinition", Definition(platform, image, "1024"), "TaskDefinition");

    /// <summary>Creates the service and waits until it is stable.</summary>
    private protected async Task<Platform> Start(int count = 2)
    {
        var platform = await Build();
        var definition = await Definition(platform, "inferloop/synthdata:v1");
        await Provision("AWS::ECS::Service", Service(platform, definition.PhysicalId, count), "Service");
        return platform;
    }
}
