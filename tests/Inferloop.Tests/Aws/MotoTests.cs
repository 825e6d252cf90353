using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.CloudWatchLogs;
using Amazon.CloudWatchLogs.Model;
using Amazon.ECS;
using Amazon.EKS;
using Amazon.ElasticLoadBalancingV2;
using Amazon.ElasticLoadBalancingV2.Model;
using Amazon.RDS;
using Amazon.RDS.Model;
using Amazon.Route53;
using Amazon.Route53.Model;
using Amazon.SecretsManager;
using Amazon.SecretsManager.Model;
using Inferloop.Aws;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Tests.Aws;

/// <summary>Our generated clients against an endpoint that nobody here wrote: every protocol, both ways.</summary>
public sealed class MotoTests(MotoServer moto) : IClassFixture<MotoServer>
{
    private const string Template = """{"Parameters":{"Name":{"Type":"String"}},"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"TopicName":{"Ref":"Name"}}}},"Outputs":{"TopicArn":{"Value":{"Ref":"Topic"}}}}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CloudFormation_query()
    {
        using AwsSession session = moto.Session();
        IAmazonCloudFormation client = session.Client<IAmazonCloudFormation>();
        CreateStackResponse created = await client.CreateStackAsync(
            new CreateStackRequest
            {
                StackName = "fidelity",
                TemplateBody = Template,
                Parameters = [new Amazon.CloudFormation.Model.Parameter { ParameterKey = "Name", ParameterValue = "a-b" }],
                Tags = [new Amazon.CloudFormation.Model.Tag { Key = "k & <é>", Value = "v" }],
                Capabilities = [Capability.CAPABILITY_IAM.Value],
            },
            Token);
        Stack stack = Assert.Single((await client.DescribeStacksAsync(new DescribeStacksRequest { StackName = created.StackId }, Token)).Stacks);
        Assert.Equal(StackStatus.CREATE_COMPLETE, stack.StackStatus);
        Assert.Equal("k & <é>", Assert.Single(stack.Tags).Key);
        Assert.Equal("a-b", Assert.Single(stack.Parameters).ParameterValue);
        Assert.EndsWith(":a-b", Assert.Single(stack.Outputs).OutputValue, StringComparison.Ordinal);
        Assert.Equal(DateTimeKind.Utc, stack.CreationTime!.Value.Kind);
        Assert.InRange(stack.CreationTime.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));
        AmazonCloudFormationException missing = await Assert.ThrowsAsync<AmazonCloudFormationException>(() => client.DescribeStacksAsync(new DescribeStacksRequest { StackName = "none" }, Token));
        Assert.Equal("ValidationError", missing.ErrorCode);
        Assert.Equal(AwsFailureKind.NotFound, session.Describe(missing).Kind);
    }

    [Fact]
    public async Task SecretsManager_json()
    {
        using AwsSession session = moto.Session();
        IAmazonSecretsManager client = session.Client<IAmazonSecretsManager>();
        await client.CreateSecretAsync(new CreateSecretRequest { Name = "s", SecretString = "{\"password\":\"é\\n\"}", Tags = [new Amazon.SecretsManager.Model.Tag { Key = "a", Value = "b" }] }, Token);
        await client.CreateSecretAsync(new CreateSecretRequest { Name = "b", SecretBinary = new MemoryStream([1, 2, 255]) }, Token);
        Assert.Equal("{\"password\":\"é\\n\"}", (await client.GetSecretValueAsync(new GetSecretValueRequest { SecretId = "s" }, Token)).SecretString);
        Assert.Equal([1, 2, 255], (await client.GetSecretValueAsync(new GetSecretValueRequest { SecretId = "b" }, Token)).SecretBinary.ToArray());
        List<string> names = [];
        await foreach (SecretListEntry secret in client.Paginators.ListSecrets(new ListSecretsRequest { MaxResults = 1 }).SecretList.WithCancellation(Token))
        {
            names.Add(secret.Name);
        }

        Assert.Equal(["b", "s"], names.Order(StringComparer.Ordinal));
        await Assert.ThrowsAsync<Amazon.SecretsManager.Model.ResourceNotFoundException>(() => client.GetSecretValueAsync(new GetSecretValueRequest { SecretId = "none" }, Token));
    }

    [Fact]
    public async Task ECS_json()
    {
        using AwsSession session = moto.Session();
        IAmazonECS client = session.Client<IAmazonECS>();
        Amazon.ECS.Model.Cluster cluster = (await client.CreateClusterAsync(new Amazon.ECS.Model.CreateClusterRequest { ClusterName = "c", Settings = [new Amazon.ECS.Model.ClusterSetting { Name = Amazon.ECS.ClusterSettingName.ContainerInsights, Value = "enabled" }] }, Token)).Cluster;
        Assert.Equal("ACTIVE", cluster.Status);
        Assert.Equal(0, cluster.RunningTasksCount);
        Amazon.ECS.Model.TaskDefinition definition = (await client.RegisterTaskDefinitionAsync(
            new Amazon.ECS.Model.RegisterTaskDefinitionRequest
            {
                Family = "api",
                Cpu = "256",
                Memory = "512",
                NetworkMode = NetworkMode.Awsvpc,
                ContainerDefinitions = [new Amazon.ECS.Model.ContainerDefinition { Name = "api", Image = "nginx", Essential = true, PortMappings = [new Amazon.ECS.Model.PortMapping { ContainerPort = 80 }], Environment = [new Amazon.ECS.Model.KeyValuePair { Name = "A", Value = "é" }] }],
            },
            Token)).TaskDefinition;
        Assert.Equal("é", definition.ContainerDefinitions[0].Environment[0].Value);
        Assert.Equal(NetworkMode.Awsvpc, definition.NetworkMode);
        await Assert.ThrowsAsync<Amazon.ECS.Model.ClusterNotFoundException>(() => client.ListTasksAsync(new Amazon.ECS.Model.ListTasksRequest { Cluster = "none" }, Token));
    }

    [Fact]
    public async Task EKS_rest_json()
    {
        using AwsSession session = moto.Session();
        IAmazonEKS client = session.Client<IAmazonEKS>();
        await client.CreateClusterAsync(new Amazon.EKS.Model.CreateClusterRequest { Name = "k", RoleArn = "arn:aws:iam::123456789012:role/eks", ResourcesVpcConfig = new Amazon.EKS.Model.VpcConfigRequest { SubnetIds = ["subnet-1"] } }, Token);
        Amazon.EKS.Model.Cluster cluster = (await client.DescribeClusterAsync(new Amazon.EKS.Model.DescribeClusterRequest { Name = "k" }, Token)).Cluster;
        Assert.Equal("arn:aws:iam::123456789012:role/eks", cluster.RoleArn);
        Assert.InRange(cluster.CreatedAt!.Value, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5));
        Assert.Contains("k", (await client.ListClustersAsync(new Amazon.EKS.Model.ListClustersRequest { MaxResults = 10 }, Token)).Clusters);
        await Assert.ThrowsAsync<Amazon.EKS.Model.ResourceNotFoundException>(() => client.DescribeClusterAsync(new Amazon.EKS.Model.DescribeClusterRequest { Name = "none" }, Token));
        AmazonEKSException missing = await Assert.ThrowsAsync<AmazonEKSException>(() => client.DescribeClusterAsync(new Amazon.EKS.Model.DescribeClusterRequest(), Token));
        Assert.Contains("Name", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RDS_query()
    {
        using AwsSession session = moto.Session();
        IAmazonRDS client = session.Client<IAmazonRDS>();
        DBInstance created = (await client.CreateDBInstanceAsync(new CreateDBInstanceRequest { DBInstanceIdentifier = "d", Engine = "postgres", DBInstanceClass = "db.t3.micro", AllocatedStorage = 20, MultiAZ = true, MasterUsername = "u", MasterUserPassword = "password123" }, Token)).DBInstance;
        Assert.Equal(20, created.AllocatedStorage);
        DBInstance found = Assert.Single((await client.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = "d" }, Token)).DBInstances);
        Assert.True(found.MultiAZ);
        Assert.Equal(5432, found.Endpoint.Port);
        await Assert.ThrowsAsync<DBInstanceNotFoundException>(() => client.DescribeDBInstancesAsync(new DescribeDBInstancesRequest { DBInstanceIdentifier = "none" }, Token));
    }

    [Fact]
    public async Task Route53_rest_xml()
    {
        using AwsSession session = moto.Session();
        IAmazonRoute53 client = session.Client<IAmazonRoute53>();
        HostedZone zone = (await client.CreateHostedZoneAsync(new CreateHostedZoneRequest { Name = "example.com", CallerReference = "1", HostedZoneConfig = new HostedZoneConfig { Comment = "a & b" } }, Token)).HostedZone;
        await client.ChangeResourceRecordSetsAsync(
            new ChangeResourceRecordSetsRequest
            {
                HostedZoneId = zone.Id,
                ChangeBatch = new ChangeBatch { Changes = [new Amazon.Route53.Model.Change { Action = Amazon.Route53.ChangeAction.UPSERT, ResourceRecordSet = new ResourceRecordSet { Name = "www.example.com", Type = RRType.A, TTL = 60, ResourceRecords = [new ResourceRecord { Value = "192.0.2.1" }] } }] },
            },
            Token);
        List<ResourceRecordSet> records = (await client.ListResourceRecordSetsAsync(new ListResourceRecordSetsRequest { HostedZoneId = zone.Id }, Token)).ResourceRecordSets;
        ResourceRecordSet record = Assert.Single(records, r => r.Type == RRType.A);
        Assert.Equal(60, record.TTL);
        Assert.Equal("192.0.2.1", Assert.Single(record.ResourceRecords).Value);
        await Assert.ThrowsAsync<NoSuchHostedZoneException>(() => client.GetHostedZoneAsync(new GetHostedZoneRequest { Id = "ZNONE" }, Token));
    }

    [Fact]
    public async Task ElasticLoadBalancing_errors_and_logs_times()
    {
        using AwsSession session = moto.Session();
        await Assert.ThrowsAsync<LoadBalancerNotFoundException>(() => session.Client<IAmazonElasticLoadBalancingV2>().DescribeLoadBalancersAsync(new DescribeLoadBalancersRequest { Names = ["none"] }, Token));
        IAmazonCloudWatchLogs logs = session.Client<IAmazonCloudWatchLogs>();
        await logs.CreateLogGroupAsync(new CreateLogGroupRequest { LogGroupName = "g" }, Token);
        await logs.CreateLogStreamAsync(new CreateLogStreamRequest { LogGroupName = "g", LogStreamName = "s" }, Token);
        DateTime time = new(DateTime.UtcNow.Ticks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);
        await logs.PutLogEventsAsync(new PutLogEventsRequest { LogGroupName = "g", LogStreamName = "s", LogEvents = [new InputLogEvent { Timestamp = time, Message = "m" }] }, Token);
        OutputLogEvent read = Assert.Single((await logs.GetLogEventsAsync(new GetLogEventsRequest { LogGroupName = "g", LogStreamName = "s", StartTime = time.AddMinutes(-1), EndTime = time.AddMinutes(1) }, Token)).Events);
        Assert.Equal(time, read.Timestamp);
        Assert.Equal("m", read.Message);
    }
}
