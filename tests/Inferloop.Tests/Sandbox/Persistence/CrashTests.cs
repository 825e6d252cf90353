using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Amazon.CloudFormation;
using Amazon.CloudFormation.Model;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Amazon.SQS;
using Inferloop.Sandbox;
using Inferloop.Tests.Shell;

namespace Inferloop.Tests.Sandbox.Persistence;

/// <summary>A sandbox in a process of its own, killed in the middle of writes from several clients: nothing that was acknowledged is lost.</summary>
public sealed class CrashTests : IDisposable
{
    /// <summary>A database takes ten minutes of sandbox time, ten seconds on this clock: longer than the writes before the kill.</summary>
    private const string Template = """
        Resources:
          Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
          A: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24, AvailabilityZone: us-east-1a } }
          B: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.2.0/24, AvailabilityZone: us-east-1b } }
          Group: { Type: AWS::RDS::DBSubnetGroup, Properties: { DBSubnetGroupDescription: g, SubnetIds: [!Ref A, !Ref B] } }
          Database: { Type: AWS::RDS::DBInstance, Properties: { Engine: postgres, DBInstanceClass: db.t4g.micro, AllocatedStorage: '20', MasterUsername: master, MasterUserPassword: not-a-secret-1, DBSubnetGroupName: !Ref Group } }
        Outputs: { Vpc: { Value: !Ref Vpc } }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-crash-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A process that runs Start-InferloopSandbox and then does nothing; it says when it answers.</summary>
    private async Task<(Process Process, Uri Endpoint, BasicAWSCredentials Credentials)> StartAsync()
    {
        var script = $"Start-InferloopSandbox -Path '{folder}' -ClockRate 60; 'ready'; [Threading.Thread]::Sleep([Threading.Timeout]::Infinite)";
        var start = new ProcessStartInfo("dotnet", [ShellProcess.Path, "-NonInteractive", "-Command", script]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = Repository.Root };
        foreach (var (name, value) in ShellProcess.CleanEnvironment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        string? line;
        while ((line = await process.StandardOutput.ReadLineAsync(Cancellation)) is not null && line != "ready")
        {
        }
        if (line is null)
        {
            Assert.Fail(await process.StandardError.ReadToEndAsync(Cancellation));
        }
        using var header = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "sandbox.json"), Cancellation));
        var root = header.RootElement;
        return (process, new Uri($"http://127.0.0.1:{root.GetProperty("Port").GetInt32()}"), new BasicAWSCredentials(root.GetProperty("AccessKeyId").GetString(), root.GetProperty("SecretAccessKey").GetString()));
    }

    private static T Configured<T>(T configuration, Uri endpoint)
        where T : ClientConfig
    {
        configuration.ServiceURL = endpoint.ToString();
        configuration.AuthenticationRegion = "us-east-1";
        configuration.MaxErrorRetry = 0;
        configuration.Timeout = TimeSpan.FromSeconds(20);
        return configuration;
    }

    [Fact]
    public async Task Every_acknowledged_write_is_there_after_a_kill()
    {
        var (process, endpoint, credentials) = await StartAsync();
        var items = new ConcurrentDictionary<string, string>();
        var objects = new ConcurrentDictionary<string, string>();
        var messages = new ConcurrentBag<string>();
        string queue, stackId, vpc;
        try
        {
            using var dynamo = new AmazonDynamoDBClient(credentials, Configured(new AmazonDynamoDBConfig(), endpoint));
            using var s3 = new AmazonS3Client(credentials, Configured(new AmazonS3Config { ForcePathStyle = true }, endpoint));
            using var sqs = new AmazonSQSClient(credentials, Configured(new AmazonSQSConfig(), endpoint));
            await dynamo.CreateTableAsync(new CreateTableRequest
            {
                TableName = "tab", BillingMode = BillingMode.PAY_PER_REQUEST, AttributeDefinitions = [new AttributeDefinition("id", ScalarAttributeType.S)], KeySchema = [new KeySchemaElement("id", KeyType.HASH)],
            }, Cancellation);
            while ((await dynamo.DescribeTableAsync("tab", Cancellation)).Table.TableStatus != TableStatus.ACTIVE)
            {
                await Task.Yield();
            }
            await s3.PutBucketAsync("crash-bucket", Cancellation);
            using var stacks = new AmazonCloudFormationClient(credentials, Configured(new AmazonCloudFormationConfig(), endpoint));
            stackId = (await stacks.CreateStackAsync(new CreateStackRequest { StackName = "under-way", TemplateBody = Template }, Cancellation)).StackId;
            queue = (await sqs.CreateQueueAsync("q", Cancellation)).QueueUrl;

            async Task Until(Func<int, Task> write)
            {
                try
                {
                    for (var i = 0; ; i++)
                    {
                        await write(i);
                    }
                }
                catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException)
                {
                    // The process is gone: what was not answered does not count.
                }
            }
            var writers = new List<Task>();
            for (var w = 0; w < 4; w++)
            {
                var writer = w;
                // Each writer overwrites its own few items, so that order matters as well as presence.
                writers.Add(Until(async i =>
                {
                    var id = $"{writer}-{i % 50}";
                    await dynamo.PutItemAsync("tab", new() { ["id"] = new AttributeValue(id), ["n"] = new AttributeValue { N = i.ToString(CultureInfo.InvariantCulture) } }, Cancellation);
                    items[id] = i.ToString(CultureInfo.InvariantCulture);
                }));
            }
            writers.Add(Until(async i =>
            {
                await s3.PutObjectAsync(new PutObjectRequest { BucketName = "crash-bucket", Key = $"o/{i % 20}", ContentBody = $"body {i}" }, Cancellation);
                objects[$"o/{i % 20}"] = $"body {i}";
            }));
            writers.Add(Until(async i =>
            {
                await sqs.SendMessageAsync(queue, $"m{i}", Cancellation);
                messages.Add($"m{i}");
            }));
            while (items.Count < 150 || messages.Count < 50 || objects.Count < 20)
            {
                Assert.DoesNotContain(writers, task => task.IsCompleted);
                await Task.Delay(20, Cancellation);
            }
            vpc = (await stacks.DescribeStackResourceAsync(new DescribeStackResourceRequest { StackName = "under-way", LogicalResourceId = "Vpc" }, Cancellation)).StackResourceDetail.PhysicalResourceId;
            Assert.Equal(StackStatus.CREATE_IN_PROGRESS, (await stacks.DescribeStacksAsync(new DescribeStacksRequest { StackName = stackId }, Cancellation)).Stacks[0].StackStatus);
            process.Kill();
            await Task.WhenAll(writers);
            await process.WaitForExitAsync(Cancellation);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
            process.Dispose();
        }

        await using var host = await SandboxHost.StartAsync(new SandboxOptions { Path = folder, ClockRate = 0 }, Cancellation);
        Assert.Equal(credentials.GetCredentials().AccessKey, host.AccessKeyId);
        using var again = new AmazonDynamoDBClient(credentials, Configured(new AmazonDynamoDBConfig(), host.Endpoint));
        using var files = new AmazonS3Client(credentials, Configured(new AmazonS3Config { ForcePathStyle = true }, host.Endpoint));
        using var letters = new AmazonSQSClient(credentials, Configured(new AmazonSQSConfig(), host.Endpoint));
        foreach (var (id, n) in items)
        {
            var found = await again.GetItemAsync("tab", new() { ["id"] = new AttributeValue(id) }, Cancellation);
            // One write more may have been carried out without its answer: the next of this item.
            var kept = int.Parse(found.Item["n"].N, CultureInfo.InvariantCulture);
            var acknowledged = int.Parse(n, CultureInfo.InvariantCulture);
            Assert.True(kept == acknowledged || kept == acknowledged + 50, $"{id}: {kept} for {acknowledged}");
        }
        foreach (var (key, body) in objects)
        {
            using var found = await files.GetObjectAsync("crash-bucket", key, Cancellation);
            using var reader = new StreamReader(found.ResponseStream);
            var kept = await reader.ReadToEndAsync(Cancellation);
            var acknowledged = int.Parse(body[5..], CultureInfo.InvariantCulture);
            Assert.True(kept == body || kept == $"body {acknowledged + 20}", $"{key}: {kept} for {body}");
        }
        var received = new HashSet<string>();
        while ((await letters.ReceiveMessageAsync(new Amazon.SQS.Model.ReceiveMessageRequest { QueueUrl = queue, MaxNumberOfMessages = 10, VisibilityTimeout = 40_000 }, Cancellation)).Messages is { Count: > 0 } page)
        {
            received.UnionWith(page.Select(message => message.Body));
        }
        Assert.Empty(messages.Except(received));
        // The stack is still being created, and comes to its end as time passes.
        using var engine = new AmazonCloudFormationClient(credentials, Configured(new AmazonCloudFormationConfig(), host.Endpoint));
        async Task<Stack> Stack() => (await engine.DescribeStacksAsync(new DescribeStacksRequest { StackName = stackId }, Cancellation)).Stacks[0];
        Assert.Equal(StackStatus.CREATE_IN_PROGRESS, (await Stack()).StackStatus);
        host.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(StackStatus.CREATE_COMPLETE, (await Stack()).StackStatus);
        Assert.Equal(vpc, (await Stack()).Outputs[0].OutputValue);
        Assert.Empty(host.Statistics.InternalErrors);
    }
}
