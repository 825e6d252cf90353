using System.Globalization;
using System.Net;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.EC2;
using Amazon.EC2.Model;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using Amazon.SQS;
using Amazon.SQS.Model;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Faults;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>The official clients of AWSSDK in what they do by themselves: pages, retries, signatures of parts, credentials that are lent.</summary>
public sealed class OfficialClientFlowTests : IAsyncLifetime
{
    private readonly SandboxFixture sandbox = new(new SandboxOptions { ClockRate = 3600, Seed = 21 });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private BasicAWSCredentials Credentials => new(sandbox.Host.AccessKeyId, sandbox.Host.SecretAccessKey);

    public async ValueTask InitializeAsync() => await sandbox.InitializeAsync();

    public async ValueTask DisposeAsync() => await sandbox.DisposeAsync();

    private T Configured<T>(T configuration)
        where T : ClientConfig
    {
        configuration.ServiceURL = sandbox.Host.Endpoint.ToString();
        configuration.AuthenticationRegion = "us-east-1";
        configuration.RetryMode = RequestRetryMode.Standard;
        configuration.MaxErrorRetry = 4;
        return configuration;
    }

    private AmazonS3Client S3() => new(Credentials, Configured(new AmazonS3Config { ForcePathStyle = true }));

    private AmazonDynamoDBClient DynamoDb(AWSCredentials? credentials = null) => new(credentials ?? Credentials, Configured(new AmazonDynamoDBConfig()));

    [Theory]
    [InlineData("s3", SandboxFaultKind.Throttling)]
    [InlineData("dynamodb", SandboxFaultKind.Throttling)]
    [InlineData("sqs", SandboxFaultKind.Throttling)]
    [InlineData("ssm", SandboxFaultKind.Throttling)]
    [InlineData("kms", SandboxFaultKind.Throttling)]
    [InlineData("ec2", SandboxFaultKind.Throttling)]
    [InlineData("sts", SandboxFaultKind.Throttling)]
    [InlineData("s3", SandboxFaultKind.ServerError)]
    [InlineData("dynamodb", SandboxFaultKind.ConnectionReset)]
    [InlineData("sqs", SandboxFaultKind.Unavailable)]
    public async Task Clients_come_through_what_passes_by_trying_again(string service, SandboxFaultKind kind)
    {
        var fault = sandbox.Host.Faults.Add(new SandboxFaultRule { Kind = kind, Service = service, Count = 2 });
        switch (service)
        {
            case "s3":
                using (var s3 = S3())
                {
                    Assert.NotNull((await s3.ListBucketsAsync(Cancellation)).Owner);
                }
                break;
            case "dynamodb":
                using (var tables = DynamoDb())
                {
                    Assert.Empty((await tables.ListTablesAsync(Cancellation)).TableNames ?? []);
                }
                break;
            case "sqs":
                using (var queues = new AmazonSQSClient(Credentials, Configured(new AmazonSQSConfig())))
                {
                    Assert.Empty((await queues.ListQueuesAsync(new ListQueuesRequest(), Cancellation)).QueueUrls ?? []);
                }
                break;
            case "ssm":
                using (var parameters = new AmazonSimpleSystemsManagementClient(Credentials, Configured(new AmazonSimpleSystemsManagementConfig())))
                {
                    Assert.Equal(["/none"], (await parameters.GetParametersAsync(new GetParametersRequest { Names = ["/none"] }, Cancellation)).InvalidParameters);
                }
                break;
            case "kms":
                using (var keys = new AmazonKeyManagementServiceClient(Credentials, Configured(new AmazonKeyManagementServiceConfig())))
                {
                    Assert.Empty((await keys.ListKeysAsync(new ListKeysRequest(), Cancellation)).Keys ?? []);
                }
                break;
            case "ec2":
                using (var network = new AmazonEC2Client(Credentials, Configured(new AmazonEC2Config())))
                {
                    Assert.NotEmpty((await network.DescribeAvailabilityZonesAsync(new DescribeAvailabilityZonesRequest(), Cancellation)).AvailabilityZones);
                }
                break;
            default:
                using (var sts = new AmazonSecurityTokenServiceClient(Credentials, Configured(new AmazonSecurityTokenServiceConfig())))
                {
                    Assert.Equal(sandbox.Host.AccountId, (await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancellation)).Account);
                }
                break;
        }
        Assert.Equal(2, fault.Struck);
    }

    [Fact]
    public async Task What_does_not_pass_is_given_up_with_the_service_s_own_error()
    {
        sandbox.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.Throttling, Service = "dynamodb" });
        var config = Configured(new AmazonDynamoDBConfig());
        config.MaxErrorRetry = 1;
        using var tables = new AmazonDynamoDBClient(Credentials, config);
        var refused = await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(() => tables.ListTablesAsync(Cancellation));
        Assert.Contains(refused.ErrorCode, new[] { "ThrottlingException", "ProvisionedThroughputExceededException" });
        Assert.Equal(2, sandbox.Host.Statistics.Requests);
    }

    [Fact]
    public async Task A_table_s_transactions_and_its_past()
    {
        using var tables = DynamoDb();
        await tables.CreateTableAsync(new CreateTableRequest
        {
            TableName = "ledger",
            BillingMode = BillingMode.PAY_PER_REQUEST,
            AttributeDefinitions = [new AttributeDefinition("id", ScalarAttributeType.S)],
            KeySchema = [new KeySchemaElement("id", Amazon.DynamoDBv2.KeyType.HASH)],
        }, Cancellation);
        await CloudFormationCaller.UntilAsync(async () => (await tables.DescribeTableAsync("ledger", Cancellation)).Table.TableStatus, status => status == TableStatus.ACTIVE);
        await tables.UpdateContinuousBackupsAsync(new UpdateContinuousBackupsRequest { TableName = "ledger", PointInTimeRecoverySpecification = new PointInTimeRecoverySpecification { PointInTimeRecoveryEnabled = true } }, Cancellation);
        TransactWriteItem Move(string id, int by, int least) => new()
        {
            Update = new Update
            {
                TableName = "ledger", Key = new() { ["id"] = new AttributeValue(id) }, UpdateExpression = "ADD balance :by", ConditionExpression = "balance >= :least",
                ExpressionAttributeValues = new() { [":by"] = new AttributeValue { N = by.ToString(CultureInfo.InvariantCulture) }, [":least"] = new AttributeValue { N = least.ToString(CultureInfo.InvariantCulture) } },
            },
        };
        foreach (var id in new[] { "a", "b" })
        {
            await tables.PutItemAsync("ledger", new() { ["id"] = new AttributeValue(id), ["balance"] = new AttributeValue { N = "10" } }, Cancellation);
        }
        var once = new TransactWriteItemsRequest { ClientRequestToken = "once", TransactItems = [Move("a", -7, 7), Move("b", 7, 0)] };
        await tables.TransactWriteItemsAsync(once, Cancellation);
        // The same token again is the same transaction, not a second one.
        await tables.TransactWriteItemsAsync(once, Cancellation);
        var cancelled = await Assert.ThrowsAsync<TransactionCanceledException>(() => tables.TransactWriteItemsAsync(new TransactWriteItemsRequest { TransactItems = [Move("b", -1, 0), Move("a", -7, 7)] }, Cancellation));
        Assert.Equal(["None", "ConditionalCheckFailed"], cancelled.CancellationReasons.Select(reason => reason.Code));
        var both = await tables.TransactGetItemsAsync(new TransactGetItemsRequest { TransactItems = [.. new[] { "a", "b" }.Select(id => new TransactGetItem { Get = new Get { TableName = "ledger", Key = new() { ["id"] = new AttributeValue(id) } } })] }, Cancellation);
        Assert.Equal(["3", "17"], both.Responses.Select(answer => answer.Item["balance"].N));

        var written = sandbox.Host.Clock.Now;
        await CloudFormationCaller.UntilAsync(
            async () => (await tables.DescribeContinuousBackupsAsync(new DescribeContinuousBackupsRequest { TableName = "ledger" }, Cancellation)).ContinuousBackupsDescription.PointInTimeRecoveryDescription.LatestRestorableDateTime,
            latest => latest is { } time && time.ToUniversalTime() > written.UtcDateTime);
        await tables.DeleteItemAsync("ledger", new() { ["id"] = new AttributeValue("a") }, Cancellation);
        await tables.RestoreTableToPointInTimeAsync(new RestoreTableToPointInTimeRequest { SourceTableName = "ledger", TargetTableName = "ledger-then", RestoreDateTime = written.UtcDateTime.AddSeconds(1) }, Cancellation);
        await CloudFormationCaller.UntilAsync(async () => (await tables.DescribeTableAsync("ledger-then", Cancellation)).Table.TableStatus, status => status == TableStatus.ACTIVE);
        Assert.Equal("3", (await tables.GetItemAsync("ledger-then", new() { ["id"] = new AttributeValue("a") }, Cancellation)).Item["balance"].N);
    }

    [Fact]
    public async Task Pages_of_queues_parameters_keys_and_subnets_are_all_read()
    {
        using var queues = new AmazonSQSClient(Credentials, Configured(new AmazonSQSConfig()));
        using var parameters = new AmazonSimpleSystemsManagementClient(Credentials, Configured(new AmazonSimpleSystemsManagementConfig()));
        using var keys = new AmazonKeyManagementServiceClient(Credentials, Configured(new AmazonKeyManagementServiceConfig()));
        using var network = new AmazonEC2Client(Credentials, Configured(new AmazonEC2Config()));
        var vpc = (await network.CreateVpcAsync(new CreateVpcRequest("10.3.0.0/16"), Cancellation)).Vpc.VpcId;
        for (var i = 0; i < 7; i++)
        {
            await queues.CreateQueueAsync($"pages-{i}", Cancellation);
            await parameters.PutParameterAsync(new PutParameterRequest { Name = $"/pages/{i}", Value = $"{i}", Type = ParameterType.String }, Cancellation);
            await keys.CreateKeyAsync(new CreateKeyRequest(), Cancellation);
            await network.CreateSubnetAsync(new CreateSubnetRequest(vpc, $"10.3.{i}.0/24"), Cancellation);
        }
        Assert.Equal(7, await CountAsync(queues.Paginators.ListQueues(new ListQueuesRequest { QueueNamePrefix = "pages-", MaxResults = 3 }).QueueUrls));
        var found = 0;
        await foreach (var page in parameters.Paginators.GetParametersByPath(new GetParametersByPathRequest { Path = "/pages", MaxResults = 3 }).Responses.WithCancellation(Cancellation))
        {
            found += page.Parameters.Count;
        }
        Assert.Equal(7, found);
        Assert.Equal(7, await CountAsync(keys.Paginators.ListKeys(new ListKeysRequest { Limit = 3 }).Keys));
        Assert.Equal(7, await CountAsync(network.Paginators.DescribeSubnets(new DescribeSubnetsRequest { MaxResults = 5, Filters = [new Amazon.EC2.Model.Filter("vpc-id", [vpc])] }).Subnets));
        Assert.All(
            new[] { "ListQueues", "GetParametersByPath", "ListKeys", "DescribeSubnets" },
            operation => Assert.InRange(sandbox.Host.Statistics.Operations.Single(count => count.Operation == operation).Requests, 2, 4));
    }

    private static async Task<int> CountAsync<T>(IPaginatedEnumerable<T> items)
    {
        var count = 0;
        await foreach (var _ in items.WithCancellation(Cancellation))
        {
            count++;
        }
        return count;
    }

    [Fact]
    public async Task Parts_have_checksums_and_a_whole_is_made_once()
    {
        using var s3 = S3();
        await s3.PutBucketAsync("parts", Cancellation);
        var content = new byte[6 * 1024 * 1024];
        new Random(5).NextBytes(content);
        async Task<CompleteMultipartUploadRequest> UploadAsync()
        {
            var upload = await s3.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = "parts", Key = "whole", ChecksumAlgorithm = ChecksumAlgorithm.SHA256 }, Cancellation);
            var complete = new CompleteMultipartUploadRequest { BucketName = "parts", Key = "whole", UploadId = upload.UploadId, IfNoneMatch = "*" };
            foreach (var (number, from, length) in new[] { (1, 0, 5 * 1024 * 1024), (2, 5 * 1024 * 1024, 1024 * 1024) })
            {
                var part = await s3.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = "parts", Key = "whole", UploadId = upload.UploadId, PartNumber = number, InputStream = new MemoryStream(content, from, length), PartSize = length, ChecksumAlgorithm = ChecksumAlgorithm.SHA256,
                }, Cancellation);
                Assert.Equal(Convert.ToBase64String(System.Security.Cryptography.SHA256.HashData(content.AsSpan(from, length))), part.ChecksumSHA256);
                complete.AddPartETags(part);
            }
            return complete;
        }
        var (first, second) = (await UploadAsync(), await UploadAsync());
        var made = await s3.CompleteMultipartUploadAsync(first, Cancellation);
        Assert.EndsWith("-2", made.ChecksumSHA256, StringComparison.Ordinal);
        var taken = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => s3.CompleteMultipartUploadAsync(second, Cancellation));
        Assert.Equal(HttpStatusCode.PreconditionFailed, taken.StatusCode);
        using var tail = await s3.GetObjectAsync(new GetObjectRequest { BucketName = "parts", Key = "whole", PartNumber = 2 }, Cancellation);
        Assert.Equal((1024 * 1024L, 2), (tail.ContentLength, tail.PartsCount));
        using var read = new MemoryStream();
        await tail.ResponseStream.CopyToAsync(read, Cancellation);
        Assert.True(content.AsSpan(5 * 1024 * 1024).SequenceEqual(read.ToArray()));
    }

    [Fact]
    public async Task Credentials_that_are_lent_work_until_their_token_is_wrong()
    {
        using var sts = new AmazonSecurityTokenServiceClient(Credentials, Configured(new AmazonSecurityTokenServiceConfig()));
        var iam = sandbox.Host.Runtime.Service("iam")!;
        var trust = $$$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{{{sandbox.Host.AccountId}}}:root"},"Action":"sts:AssumeRole"}]}""";
        var role = (string)(await iam.InvokeAsync(sandbox.Host.Runtime.SystemContext(sandbox.Host.AccountId, "us-east-1"), "CreateRole", new System.Text.Json.Nodes.JsonObject { ["RoleName"] = "lent", ["AssumeRolePolicyDocument"] = trust }))["Role"]!["Arn"]!;
        var lent = (await sts.AssumeRoleAsync(new AssumeRoleRequest { RoleArn = role, RoleSessionName = "suite", DurationSeconds = 900 }, Cancellation)).Credentials;
        using var borrowing = new AmazonSecurityTokenServiceClient(lent, Configured(new AmazonSecurityTokenServiceConfig()));
        Assert.EndsWith(":assumed-role/lent/suite", (await borrowing.GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancellation)).Arn, StringComparison.Ordinal);
        using var tables = DynamoDb(new SessionAWSCredentials(lent.AccessKeyId, lent.SecretAccessKey, lent.SessionToken + "x"));
        var refused = await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(() => tables.ListTablesAsync(Cancellation));
        Assert.Equal("UnrecognizedClientException", refused.ErrorCode);
    }
}
