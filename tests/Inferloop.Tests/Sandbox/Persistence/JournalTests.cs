using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Services;

namespace Inferloop.Tests.Sandbox.Persistence;

/// <summary>A sandbox with a folder, ended and started again in this process: everything is as it was, ids and secrets among it, and what was under way goes on.</summary>
public sealed class JournalTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-journal-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private Task<SandboxHost> Start(double rate = 0) => SandboxHost.StartAsync(new SandboxOptions { Path = folder, ClockRate = rate }, TestContext.Current.CancellationToken);

    private static async Task<JsonObject> Json(SandboxHost host, string service, string target, string input)
    {
        var answer = await new SandboxClient(host).SendAsync(service, HttpMethod.Post, "/", Encoding.UTF8.GetBytes(input),
            new Dictionary<string, string> { ["X-Amz-Target"] = target, ["Content-Type"] = "application/x-amz-json-1.0" });
        var text = Encoding.UTF8.GetString(answer.Body);
        Assert.True(answer.Status == 200, text);
        return text.Length == 0 ? [] : (JsonObject)JsonNode.Parse(text)!;
    }

    private static Task<JsonObject> Dynamo(SandboxHost host, string operation, string input) => Json(host, "dynamodb", "DynamoDB_20120810." + operation, input);

    [Fact]
    public async Task Items_objects_messages_keys_and_secrets_are_there_again_as_they_were()
    {
        string described, secret, ciphertext, version, keyId;
        var host = await Start();
        var (accessKey, port) = (host.AccessKeyId, host.Endpoint.Port);
        try
        {
            await Dynamo(host, "CreateTable", """{"TableName":"tab","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}}""");
            host.Clock.Advance(TimeSpan.FromSeconds(20));
            await Dynamo(host, "PutItem", """{"TableName":"tab","Item":{"id":{"S":"a"},"n":{"N":"1"}}}""");
            described = (await Dynamo(host, "DescribeTable", """{"TableName":"tab"}""")).ToJsonString();
            secret = (await Json(host, "secretsmanager", "secretsmanager.CreateSecret", """{"Name":"s","SecretString":"hush","ClientRequestToken":"0123456789012345678901234567890123"}""")).Required("ARN");
            keyId = (await Json(host, "kms", "TrentService.CreateKey", "{}")).Child("KeyMetadata")!.Required("KeyId");
            ciphertext = (await Json(host, "kms", "TrentService.Encrypt", $$"""{"KeyId":"{{keyId}}","Plaintext":"aGVsbG8="}""")).Required("CiphertextBlob");
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"q"}""");
            await Json(host, "sqs", "AmazonSQS.SendMessage", $$"""{"QueueUrl":"{{host.Endpoint}}123456789012/q","MessageBody":"kept"}""");
            (await new SandboxClient(host).SendAsync("s3", HttpMethod.Put, "/bucket-of-journal")).EnsureSuccess();
            (await new SandboxClient(host).SendAsync("s3", HttpMethod.Put, "/bucket-of-journal?versioning=", Encoding.UTF8.GetBytes("<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status></VersioningConfiguration>"))).EnsureSuccess();
            version = (await new SandboxClient(host).SendAsync("s3", HttpMethod.Put, "/bucket-of-journal/a", [1, 2, 3])).EnsureSuccess().Headers["x-amz-version-id"];
            await Assert.ThrowsAnyAsync<IOException>(() => Start());
        }
        finally
        {
            await host.DisposeAsync();
        }
        await using var again = await Start();
        Assert.Equal((accessKey, port), (again.AccessKeyId, again.Endpoint.Port));
        Assert.Equal(described, (await Dynamo(again, "DescribeTable", """{"TableName":"tab"}""")).ToJsonString());
        Assert.Equal("1", (string?)(await Dynamo(again, "GetItem", """{"TableName":"tab","Key":{"id":{"S":"a"}}}"""))["Item"]!["n"]!["N"]);
        var value = await Json(again, "secretsmanager", "secretsmanager.GetSecretValue", """{"SecretId":"s"}""");
        Assert.Equal((secret, "hush"), (value.Text("ARN"), value.Text("SecretString")));
        Assert.Equal("aGVsbG8=", (await Json(again, "kms", "TrentService.Decrypt", $$"""{"CiphertextBlob":"{{ciphertext}}"}""")).Text("Plaintext"));
        var message = Assert.Single((await Json(again, "sqs", "AmazonSQS.ReceiveMessage", $$"""{"QueueUrl":"{{again.Endpoint}}123456789012/q"}""")).Objects("Messages"));
        Assert.Equal("kept", message.Text("Body"));
        var read = (await new SandboxClient(again).SendAsync("s3", HttpMethod.Get, "/bucket-of-journal/a")).EnsureSuccess();
        Assert.Equal(version, read.Headers["x-amz-version-id"]);
        Assert.Equal([1, 2, 3], read.Body);
        Assert.Empty(again.Statistics.InternalErrors);
    }

    [Fact]
    public async Task A_stack_s_creation_goes_on_where_it_was_with_the_same_names_and_events()
    {
        const string Template = """
            Resources:
              Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
              Subnet: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24 } }
              Bucket: { Type: AWS::S3::Bucket }
              Queue: { Type: AWS::SQS::Queue }
              Table: { Type: AWS::DynamoDB::Table, DependsOn: Subnet, Properties: { BillingMode: PAY_PER_REQUEST, KeySchema: [{ AttributeName: id, KeyType: HASH }], AttributeDefinitions: [{ AttributeName: id, AttributeType: S }] } }
              Topic: { Type: AWS::SNS::Topic, DependsOn: Table }
            Outputs: { Table: { Value: !Ref Table } }
            """;
        string before;
        await using (var host = await Start())
        {
            var client = new SandboxClient(host);
            (await client.QueryAsync("cloudformation", "2010-05-15", "CreateStack", ("StackName", "s"), ("TemplateBody", Template))).EnsureSuccess();
            host.Clock.Advance(TimeSpan.FromSeconds(25));
            before = await Events(host);
            Assert.Contains("CREATE_COMPLETE", before, StringComparison.Ordinal);
            Assert.Equal("CREATE_IN_PROGRESS", await Status(host));
        }
        await using var again = await Start();
        Assert.Equal("CREATE_IN_PROGRESS", await Status(again));
        Assert.Equal(before, await Events(again));
        again.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("CREATE_COMPLETE", await Status(again));
        Assert.EndsWith(before, await Events(again), StringComparison.Ordinal);
        Assert.Empty(again.Statistics.InternalErrors);

        static async Task<string> Status(SandboxHost host) =>
            (await new SandboxClient(host).QueryAsync("cloudformation", "2010-05-15", "DescribeStacks", ("StackName", "s"))).EnsureSuccess().Value("StackStatus")!;

        static async Task<string> Events(SandboxHost host)
        {
            var xml = (await new SandboxClient(host).QueryAsync("cloudformation", "2010-05-15", "DescribeStackEvents", ("StackName", "s"))).EnsureSuccess().Xml;
            return string.Join("\n", xml.Descendants().Where(element => element.Name.LocalName == "member")
                .Select(item => string.Join(" ", item.Elements().Where(element => element.Name.LocalName is "EventId" or "LogicalResourceId" or "PhysicalResourceId" or "ResourceStatus" or "Timestamp").Select(element => element.Value))));
        }
    }

    [Fact]
    public async Task A_record_that_was_cut_off_is_cut_away_and_what_came_before_it_stays()
    {
        await using (var host = await Start())
        {
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"first"}""");
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"second"}""");
        }
        var journal = Path.Combine(folder, "journal.bin");
        using (var file = File.Open(journal, FileMode.Open))
        {
            file.SetLength(file.Length - 3);
        }
        await using (var host = await Start())
        {
            Assert.EndsWith("/first", Assert.Single((await Json(host, "sqs", "AmazonSQS.ListQueues", "{}")).Texts("QueueUrls")), StringComparison.Ordinal);
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"third"}""");
        }
        await using var last = await Start();
        Assert.Equal(2, (await Json(last, "sqs", "AmazonSQS.ListQueues", "{}")).Texts("QueueUrls").Count);
    }

    [Fact]
    public async Task A_record_that_is_damaged_before_the_end_is_told_and_nothing_is_cut_away()
    {
        await using (var host = await Start())
        {
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"first"}""");
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"second"}""");
        }
        var journal = Path.Combine(folder, "journal.bin");
        var bytes = await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken);
        bytes[40] ^= 1;
        await File.WriteAllBytesAsync(journal, bytes, TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => Start());
        Assert.Contains("journal.bin is damaged at byte 0", failure.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task What_the_Kubernetes_of_a_cluster_keeps_is_there_again()
    {
        const string Template = """
            Resources:
              Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
              A: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: us-east-1a } }
              B: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24, AvailabilityZone: us-east-1b } }
              Role: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: { Statement: [{ Effect: Allow, Principal: { Service: eks.amazonaws.com }, Action: 'sts:AssumeRole' }] } } }
              Cluster: { Type: AWS::EKS::Cluster, Properties: { Name: kept, RoleArn: !GetAtt Role.Arn, AccessConfig: { AuthenticationMode: API }, ResourcesVpcConfig: { SubnetIds: [!Ref A, !Ref B] } } }
            """;
        string uid;
        await using (var host = await Start())
        {
            (await new SandboxClient(host).QueryAsync("cloudformation", "2010-05-15", "CreateStack", ("StackName", "s"), ("TemplateBody", Template), ("Capabilities.member.1", "CAPABILITY_IAM"))).EnsureSuccess();
            for (var i = 0; i < 10; i++)
            {
                host.Clock.Advance(TimeSpan.FromMinutes(10));
            }
            var stack = (await new SandboxClient(host).QueryAsync("cloudformation", "2010-05-15", "DescribeStackEvents", ("StackName", "s"))).EnsureSuccess();
            Assert.True(stack.Value("ResourceStatus") == "CREATE_COMPLETE", string.Join("; ", host.Statistics.InternalErrors) + stack.Xml);
            uid = (await Ask(host, HttpMethod.Post, """{"metadata":{"name":"kept"},"data":{"k":"v"}}""")).Child("metadata")!.Required("uid");
        }
        await using var again = await Start();
        var events = (await new SandboxClient(again).QueryAsync("cloudformation", "2010-05-15", "DescribeStackEvents", ("StackName", "s"))).EnsureSuccess();
        Assert.True(events.Value("ResourceStatus") == "CREATE_COMPLETE", string.Join("; ", again.Statistics.InternalErrors) + events.Xml);
        var found = Assert.Single((await Ask(again, HttpMethod.Get, null)).Objects("items"));
        Assert.Equal((uid, "v"), (found.Child("metadata")!.Text("uid"), (string?)found["data"]!["k"]));
        Assert.Empty(again.Statistics.InternalErrors);

        static async Task<JsonObject> Ask(SandboxHost host, HttpMethod method, string? body)
        {
            var described = JsonNode.Parse((await new SandboxClient(host).SendAsync("eks", HttpMethod.Get, "/clusters/kept")).EnsureSuccess().Body)!["cluster"]!;
            // The authority is looked at in the tests of the cluster itself.
            using var client = new HttpClient(new HttpClientHandler { ServerCertificateCustomValidationCallback = (_, _, _, _) => true });
            using var request = new HttpRequestMessage(method, new Uri($"{described["endpoint"]}/api/v1/namespaces/default/configmaps")) { Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.Authorization = new System.Net.Http.Headers.AuthenticationHeaderValue("Bearer", Kubernetes.ClusterHarness.Token(host, "kept"));
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.True(answer.IsSuccessStatusCode, text);
            return (JsonObject)JsonNode.Parse(text)!;
        }
    }

    [Fact]
    public async Task A_request_that_a_fault_kept_from_its_service_is_not_carried_out_later()
    {
        await using (var host = await Start())
        {
            await Json(host, "sqs", "AmazonSQS.CreateQueue", """{"QueueName":"kept"}""");
            var fault = host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ServerError, Service = "sqs", Operation = "CreateQueue" });
            var refused = await new SandboxClient(host).SendAsync("sqs", HttpMethod.Post, "/", Encoding.UTF8.GetBytes("""{"QueueName":"refused"}"""), new Dictionary<string, string> { ["X-Amz-Target"] = "AmazonSQS.CreateQueue", ["Content-Type"] = "application/x-amz-json-1.0" });
            Assert.NotEqual(200, refused.Status);
            host.Faults.Remove(fault.Id);
        }
        await using var again = await Start();
        Assert.EndsWith("/kept", Assert.Single((await Json(again, "sqs", "AmazonSQS.ListQueues", "{}")).Texts("QueueUrls")), StringComparison.Ordinal);
    }
}
