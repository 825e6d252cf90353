using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.EC2;
using Amazon.EC2.Model;
using Amazon.KeyManagementService;
using Amazon.KeyManagementService.Model;
using Amazon.Runtime;
using Amazon.SimpleSystemsManagement;
using Amazon.SimpleSystemsManagement.Model;
using Amazon.SQS;
using Amazon.SQS.Model;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>The official clients of AWSSDK against the sandbox, over the wire.</summary>
public sealed class OfficialClientTests(SandboxFixture sandbox)
{
    private BasicAWSCredentials Credentials => new(sandbox.Host.AccessKeyId, sandbox.Host.SecretAccessKey);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private T Configured<T>(T configuration, string region)
        where T : ClientConfig
    {
        configuration.ServiceURL = sandbox.Host.Endpoint.ToString();
        configuration.AuthenticationRegion = region;
        return configuration;
    }

    [Fact]
    public async Task DynamoDB_keeps_a_lock_and_answers_pages()
    {
        using var client = new AmazonDynamoDBClient(Credentials, Configured(new AmazonDynamoDBConfig(), "eu-west-1"));
        var table = "official-" + Guid.NewGuid().ToString("N")[..8];
        await client.CreateTableAsync(new CreateTableRequest
        {
            TableName = table,
            BillingMode = BillingMode.PAY_PER_REQUEST,
            AttributeDefinitions = [new AttributeDefinition("id", ScalarAttributeType.S), new AttributeDefinition("at", ScalarAttributeType.N)],
            KeySchema = [new KeySchemaElement("id", Amazon.DynamoDBv2.KeyType.HASH), new KeySchemaElement("at", Amazon.DynamoDBv2.KeyType.RANGE)],
        }, Cancellation);
        while ((await client.DescribeTableAsync(table, Cancellation)).Table.TableStatus != TableStatus.ACTIVE)
        {
            await Task.Yield();
        }
        PutItemRequest Lock(string owner) => new()
        {
            TableName = table,
            Item = new() { ["id"] = new AttributeValue("lock"), ["at"] = new AttributeValue { N = "0" }, ["owner"] = new AttributeValue(owner), ["raw"] = new AttributeValue { B = new MemoryStream([1, 2, 3]) } },
            ConditionExpression = "attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
        };
        await client.PutItemAsync(Lock("one"), Cancellation);
        var refused = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => client.PutItemAsync(Lock("two"), Cancellation));
        Assert.Equal("one", refused.Item["owner"].S);
        Assert.Equal([1, 2, 3], refused.Item["raw"].B.ToArray());
        for (var i = 0; i < 30; i += 25)
        {
            await client.BatchWriteItemAsync(new BatchWriteItemRequest(new Dictionary<string, List<Amazon.DynamoDBv2.Model.WriteRequest>>
            {
                [table] = Enumerable.Range(i, Math.Min(25, 30 - i)).Select(n => new WriteRequest(new PutRequest(new() { ["id"] = new AttributeValue("job"), ["at"] = new AttributeValue { N = n.ToString() } }))).ToList(),
            }), Cancellation);
        }
        var pages = client.Paginators.Query(new QueryRequest
        {
            TableName = table,
            Limit = 7,
            KeyConditionExpression = "id = :id",
            ExpressionAttributeValues = new() { [":id"] = new AttributeValue("job") },
        });
        var seen = 0;
        await foreach (var page in pages.Responses.WithCancellation(Cancellation))
        {
            Assert.InRange(page.Count!.Value, 0, 7);
            foreach (var item in page.Items)
            {
                Assert.Equal(seen.ToString(), item["at"].N);
                seen++;
            }
        }
        Assert.Equal(30, seen);
        var cancelled = await Assert.ThrowsAsync<TransactionCanceledException>(() => client.TransactWriteItemsAsync(new TransactWriteItemsRequest
        {
            TransactItems =
            [
                new TransactWriteItem { ConditionCheck = new ConditionCheck { TableName = table, Key = new() { ["id"] = new AttributeValue("lock"), ["at"] = new AttributeValue { N = "0" } }, ConditionExpression = "#o = :o", ExpressionAttributeNames = new() { ["#o"] = "owner" }, ExpressionAttributeValues = new() { [":o"] = new AttributeValue("two") } } },
            ],
        }, Cancellation));
        Assert.Equal("ConditionalCheckFailed", Assert.Single(cancelled.CancellationReasons).Code);
        await client.DeleteTableAsync(table, Cancellation);
    }

    [Fact]
    public async Task EC2_describes_what_it_made_and_says_what_is_missing()
    {
        using var client = new AmazonEC2Client(Credentials, Configured(new AmazonEC2Config(), "eu-north-1"));
        var vpc = (await client.CreateVpcAsync(new CreateVpcRequest
        {
            CidrBlock = "10.9.0.0/16",
            TagSpecifications = [new TagSpecification { ResourceType = Amazon.EC2.ResourceType.Vpc, Tags = [new Amazon.EC2.Model.Tag("Name", "official")] }],
        }, Cancellation)).Vpc;
        var subnet = (await client.CreateSubnetAsync(new CreateSubnetRequest { VpcId = vpc.VpcId, CidrBlock = "10.9.1.0/24" }, Cancellation)).Subnet;
        Assert.Equal(251, subnet.AvailableIpAddressCount);
        var found = await client.DescribeVpcsAsync(new DescribeVpcsRequest { Filters = [new Filter("tag:Name", ["offi*"])] }, Cancellation);
        Assert.Equal(vpc.VpcId, Assert.Single(found.Vpcs).VpcId);
        var group = await client.CreateSecurityGroupAsync(new CreateSecurityGroupRequest { GroupName = "web", Description = "web", VpcId = vpc.VpcId }, Cancellation);
        await client.AuthorizeSecurityGroupIngressAsync(new AuthorizeSecurityGroupIngressRequest
        {
            GroupId = group.GroupId,
            IpPermissions = [new IpPermission { IpProtocol = "tcp", FromPort = 443, ToPort = 443, Ipv4Ranges = [new IpRange { CidrIp = "0.0.0.0/0" }] }],
        }, Cancellation);
        Assert.Equal(443, (await client.DescribeSecurityGroupsAsync(new DescribeSecurityGroupsRequest { GroupIds = [group.GroupId] }, Cancellation)).SecurityGroups[0].IpPermissions[0].FromPort);
        var fault = await Assert.ThrowsAsync<AmazonEC2Exception>(() => client.DeleteVpcAsync(new DeleteVpcRequest { VpcId = vpc.VpcId }, Cancellation));
        Assert.Equal("DependencyViolation", fault.ErrorCode);
        Assert.Equal("InvalidVpcID.NotFound", (await Assert.ThrowsAsync<AmazonEC2Exception>(() => client.DescribeVpcsAsync(new DescribeVpcsRequest { VpcIds = ["vpc-0123456789abcdef0"] }, Cancellation))).ErrorCode);
        Assert.Equal(3, (await client.DescribeAvailabilityZonesAsync(new DescribeAvailabilityZonesRequest(), Cancellation)).AvailabilityZones.Count);
        await client.DeleteSecurityGroupAsync(new DeleteSecurityGroupRequest { GroupId = group.GroupId }, Cancellation);
        await client.DeleteSubnetAsync(new DeleteSubnetRequest { SubnetId = subnet.SubnetId }, Cancellation);
        await client.DeleteVpcAsync(new DeleteVpcRequest { VpcId = vpc.VpcId }, Cancellation);
    }

    [Fact]
    public async Task KMS_and_SSM_keep_secrets()
    {
        using var kms = new AmazonKeyManagementServiceClient(Credentials, Configured(new AmazonKeyManagementServiceConfig(), "us-west-2"));
        using var ssm = new AmazonSimpleSystemsManagementClient(Credentials, Configured(new AmazonSimpleSystemsManagementConfig(), "us-west-2"));
        var key = (await kms.CreateKeyAsync(new CreateKeyRequest { Description = "official" }, Cancellation)).KeyMetadata;
        var data = await kms.GenerateDataKeyAsync(new GenerateDataKeyRequest { KeyId = key.Arn, KeySpec = DataKeySpec.AES_256 }, Cancellation);
        var opened = await kms.DecryptAsync(new DecryptRequest { CiphertextBlob = data.CiphertextBlob }, Cancellation);
        Assert.Equal(data.Plaintext.ToArray(), opened.Plaintext.ToArray());
        await Assert.ThrowsAsync<Amazon.KeyManagementService.Model.NotFoundException>(() => kms.DescribeKeyAsync("alias/nothing", Cancellation));
        await ssm.PutParameterAsync(new PutParameterRequest { Name = "/official/secret", Type = ParameterType.SecureString, KeyId = key.KeyId, Value = "hidden" }, Cancellation);
        Assert.Equal("hidden", (await ssm.GetParameterAsync(new GetParameterRequest { Name = "/official/secret", WithDecryption = true }, Cancellation)).Parameter.Value);
        await Assert.ThrowsAsync<ParameterNotFoundException>(() => ssm.GetParameterAsync(new GetParameterRequest { Name = "/official/none" }, Cancellation));
    }

    [Fact]
    public async Task SQS_checks_digests_and_receives_what_was_sent()
    {
        using var client = new AmazonSQSClient(Credentials, Configured(new AmazonSQSConfig(), "us-west-2"));
        var url = (await client.CreateQueueAsync(new CreateQueueRequest("official-" + Guid.NewGuid().ToString("N")[..8]), Cancellation)).QueueUrl;
        // The client verifies the MD5 of body and attributes itself, and throws when they differ.
        await client.SendMessageAsync(new SendMessageRequest(url, "hello") { MessageAttributes = new() { ["kind"] = new Amazon.SQS.Model.MessageAttributeValue { DataType = "String", StringValue = "greeting" } } }, Cancellation);
        var received = await client.ReceiveMessageAsync(new ReceiveMessageRequest(url) { MessageAttributeNames = ["All"], WaitTimeSeconds = 1 }, Cancellation);
        var message = Assert.Single(received.Messages);
        Assert.Equal(("hello", "greeting"), (message.Body, message.MessageAttributes["kind"].StringValue));
        await client.DeleteMessageAsync(url, message.ReceiptHandle, Cancellation);
        await client.DeleteQueueAsync(url, Cancellation);
        await Assert.ThrowsAsync<QueueDoesNotExistException>(() => client.GetQueueAttributesAsync(url, ["All"], Cancellation));
    }
}
