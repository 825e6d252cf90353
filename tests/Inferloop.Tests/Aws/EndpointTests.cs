using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;

namespace Inferloop.Tests.Aws;

/// <summary>Endpoints and signing regions by partition, FIPS and dual-stack, of regional and global services.</summary>
[Collection(nameof(AwsEnvironment))]
public sealed class EndpointTests
{
    [Theory]
    [InlineData("CloudFormation", "us-east-1", false, false, "https://cloudformation.us-east-1.amazonaws.com", null)]
    [InlineData("CloudFormation", "cn-north-1", false, false, "https://cloudformation.cn-north-1.amazonaws.com.cn", null)]
    [InlineData("CloudFormation", "us-gov-west-1", true, false, "https://cloudformation.us-gov-west-1.amazonaws.com", null)]
    [InlineData("CloudFormation", "us-iso-east-1", false, false, "https://cloudformation.us-iso-east-1.c2s.ic.gov", null)]
    [InlineData("CloudFormation", "us-isob-east-1", false, false, "https://cloudformation.us-isob-east-1.sc2s.sgov.gov", null)]
    [InlineData("CloudFormation", "us-east-2", true, false, "https://cloudformation-fips.us-east-2.amazonaws.com", null)]
    [InlineData("CloudFormation", "eu-west-1", false, true, "https://cloudformation.eu-west-1.api.aws", null)]
    [InlineData("ECS", "us-west-2", true, true, "https://ecs-fips.us-west-2.api.aws", null)]
    [InlineData("EKS", "eu-central-1", false, true, "https://eks.eu-central-1.api.aws", null)]
    [InlineData("ECS", "ap-southeast-2", false, false, "https://ecs.ap-southeast-2.amazonaws.com", null)]
    [InlineData("ECR", "us-east-1", false, false, "https://api.ecr.us-east-1.amazonaws.com", null)]
    [InlineData("ElasticLoadBalancingV2", "us-west-1", false, false, "https://elasticloadbalancing.us-west-1.amazonaws.com", null)]
    [InlineData("CloudWatch", "us-east-1", false, false, "https://monitoring.us-east-1.amazonaws.com", null)]
    [InlineData("CloudWatchLogs", "eu-west-2", false, false, "https://logs.eu-west-2.amazonaws.com", null)]
    [InlineData("Route53", "eu-west-1", false, false, "https://route53.amazonaws.com", "us-east-1")]
    [InlineData("Route53", "cn-northwest-1", false, false, "https://route53.amazonaws.com.cn", "cn-northwest-1")]
    [InlineData("CostExplorer", "eu-west-1", false, false, "https://ce.us-east-1.amazonaws.com", "us-east-1")]
    [InlineData("Budgets", "ap-northeast-1", false, false, "https://budgets.amazonaws.com", "us-east-1")]
    [InlineData("Organizations", "eu-west-1", false, false, "https://organizations.us-east-1.amazonaws.com", "us-east-1")]
    [InlineData("Organizations", "us-gov-east-1", false, false, "https://organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1")]
    [InlineData("IdentityManagement", "sa-east-1", false, false, "https://iam.amazonaws.com", "us-east-1")]
    public void Endpoint_is_the_partitions(string service, string region, bool fips, bool dualStack, string url, string? signingRegion)
    {
        using AwsEnvironment environment = new();
        ClientConfig config = Config(service);
        config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        config.UseFIPSEndpoint = fips;
        config.UseDualstackEndpoint = dualStack;
        Endpoint endpoint = config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(new AnyRequest()));
        Assert.Equal(url, endpoint.URL.TrimEnd('/'));
        Assert.Equal(signingRegion, SigningRegion(endpoint));
    }

    [Fact]
    public void Fips_and_a_given_endpoint_contradict_each_other()
    {
        using AwsEnvironment environment = new();
        ClientConfig config = Config("CloudFormation");
        config.ServiceURL = "http://127.0.0.1:1";
        config.AuthenticationRegion = "us-east-1";
        config.UseFIPSEndpoint = true;
        AmazonClientException error = Assert.Throws<AmazonClientException>(() => config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(new AnyRequest())));
        Assert.Contains("FIPS and custom endpoint", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_generated_client_has_an_endpoint_in_every_commercial_region()
    {
        using AwsEnvironment environment = new();
        Type[] configs = [.. typeof(Amazon.CloudFormation.AmazonCloudFormationConfig).Assembly.GetExportedTypes().Where(t => t.IsSubclassOf(typeof(ClientConfig)))];
        Assert.True(configs.Length >= 25);
        foreach (RegionEndpoint region in RegionEndpoint.EnumerableAllRegions.Where(r => r.PartitionName == "aws" && !r.SystemName.Contains("global", StringComparison.Ordinal)))
        {
            foreach (Type type in configs)
            {
                ClientConfig config = (ClientConfig)Activator.CreateInstance(type)!;
                config.RegionEndpoint = region;
                Endpoint endpoint = config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(new AnyRequest()));
                Assert.EndsWith(".amazonaws.com", new Uri(endpoint.URL).Host, StringComparison.Ordinal);
            }
        }
    }

    private static ClientConfig Config(string service) =>
        (ClientConfig)Activator.CreateInstance(typeof(Amazon.CloudFormation.AmazonCloudFormationConfig).Assembly.GetExportedTypes()
            .Single(t => t.Namespace == "Amazon." + service && t.IsSubclassOf(typeof(ClientConfig))))!;

    private static string? SigningRegion(Endpoint endpoint) =>
        endpoint.Attributes?["authSchemes"] is IEnumerable<object> schemes && schemes.FirstOrDefault() is IPropertyBag scheme ? scheme["signingRegion"] as string : null;

    private sealed class AnyRequest : AmazonWebServiceRequest;
}
