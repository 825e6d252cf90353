using Amazon.CloudFormation;
using Amazon.CloudWatchLogs;
using Amazon.DynamoDBv2;
using Amazon.EC2;
using Amazon.ECS;
using Amazon.ElastiCache;
using Amazon.ElasticLoadBalancingV2;
using Amazon.KeyManagementService;
using Amazon.RDS;
using Amazon.S3;
using Inferloop.Aws;

namespace Inferloop.Operations.Environments;

/// <summary>The clients and facts of one account and region that operations on environments need.</summary>
internal sealed record EnvironmentAws
{
    public required IAmazonCloudFormation CloudFormation { get; init; }

    public required IAmazonS3 S3 { get; init; }

    public required IAmazonDynamoDB DynamoDB { get; init; }

    public required IAmazonEC2 EC2 { get; init; }

    public required IAmazonECS ECS { get; init; }

    public required IAmazonElasticLoadBalancingV2 LoadBalancing { get; init; }

    public required IAmazonKeyManagementService Keys { get; init; }

    public required IAmazonCloudWatchLogs Logs { get; init; }

    public required IAmazonRDS Databases { get; init; }

    public required IAmazonElastiCache Caches { get; init; }

    /// <summary>Asks AWS once, then remembers.</summary>
    public required Func<CancellationToken, Task<string>> AccountId { get; init; }

    /// <summary>The caller's ARN; null where it is not known.</summary>
    public Func<CancellationToken, Task<string>>? CallerArn { get; init; }

    /// <summary>Clients beyond the ones above; a client of another region where one is named.</summary>
    public AwsSession? Session { get; init; }

    public required string Region { get; init; }

    public string Partition { get; init; } = "aws";

    public string DnsSuffix { get; init; } = "amazonaws.com";

    public EnvironmentConnection Connection { get; init; } = new();

    /// <summary>The client of a service that only some operations need.</summary>
    public T Client<T>(string? region = null)
        where T : class, Amazon.Runtime.IAmazonService => (Session ?? throw new InvalidOperationException("There is no session to make clients from.")).Client<T>(region);
}
