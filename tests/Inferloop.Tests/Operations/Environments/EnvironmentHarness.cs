using Amazon.CloudFormation;
using Amazon.CloudWatchLogs;
using Amazon.DynamoDBv2;
using Amazon.EC2;
using Amazon.ECS;
using Amazon.ElasticLoadBalancingV2;
using Amazon.KeyManagementService;
using Amazon.S3;
using Inferloop.Aws;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>
/// A sandbox of its own, and operators at work on it. The templates are the real network and storage with the real parameters of
/// the root: enough for nested stacks, data stores and failures, quick enough for one environment per test.
/// </summary>
internal sealed class EnvironmentHarness : IAsyncDisposable
{
    private readonly SandboxHost host;
    private readonly AwsSession session;

    private EnvironmentHarness(SandboxHost host)
    {
        this.host = host;
        session = AwsSession.Create(new AwsConnectionOptions { Region = "us-east-1", EndpointUrl = host.Endpoint.ToString().TrimEnd('/'), AccessKey = host.AccessKeyId, SecretKey = host.SecretAccessKey });
        TemplateFolder = Directory.CreateTempSubdirectory("inferloop-templates-").FullName;
        var stacks = Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks");
        foreach (var name in new[] { "control.yaml", "network.yaml", "storage.yaml" })
        {
            File.Copy(Path.Combine(stacks, name), Path.Combine(TemplateFolder, name));
        }

        var root = File.ReadAllText(Path.Combine(stacks, "main.yaml"));
        var begin = root.IndexOf("\nParameters:", StringComparison.Ordinal);
        var parameters = root[begin..(System.Text.RegularExpressions.Regex.Match(root[(begin + 2)..], "^[A-Z][A-Za-z]+:", System.Text.RegularExpressions.RegexOptions.Multiline).Index + begin + 2)];
        File.WriteAllText(Path.Combine(TemplateFolder, "main.yaml"), "AWSTemplateFormatVersion: '2010-09-09'\n" + parameters + """

            Resources:
              Network:
                Type: AWS::CloudFormation::Stack
                Properties:
                  TemplateURL: network.yaml
                  Parameters:
                    EnvironmentName: !Ref EnvironmentName
                    Stage: !Ref Stage
                    VpcCidr: !Ref VpcCidr
                    PublicSubnet1Cidr: !Ref PublicSubnet1Cidr
                    PublicSubnet2Cidr: !Ref PublicSubnet2Cidr
                    PrivateSubnet1Cidr: !Ref PrivateSubnet1Cidr
                    PrivateSubnet2Cidr: !Ref PrivateSubnet2Cidr
                    NatGatewayMode: !Ref NatGatewayMode
              Storage:
                Type: AWS::CloudFormation::Stack
                Properties:
                  TemplateURL: storage.yaml
                  Parameters:
                    EnvironmentName: !Ref EnvironmentName
                    Stage: !Ref Stage
                    RetainData: !Ref RetainData
                    DeletionProtection: !Ref DeletionProtection
                    RequestMetrics: 'false'
            Outputs:
              BucketName: { Value: !GetAtt Storage.Outputs.BucketName }
              TableName: { Value: !GetAtt Storage.Outputs.TableName }

            """);
    }

    public string TemplateFolder { get; }

    public SandboxHost Host => host;

    public IAmazonCloudFormation CloudFormation => session.Client<IAmazonCloudFormation>();

    public IAmazonS3 S3 => session.Client<IAmazonS3>();

    public IAmazonDynamoDB DynamoDB => session.Client<IAmazonDynamoDB>();

    public static InferloopEnvironmentSpec Spec { get; } = SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1");

    public static async Task<EnvironmentHarness> StartAsync(double clockRate = 3600) =>
        new(await SandboxHost.StartAsync(new SandboxOptions { ClockRate = clockRate }, TestContext.Current.CancellationToken));

    /// <summary>An operator: a person at a machine.</summary>
    public Operator Operator(string user = "ada", TimeProvider? time = null, Func<string, CancellationToken, Task>? beforeStep = null, string? region = null) => new(this, user, time, beforeStep, region);

    /// <summary>An operator whose process dies as the step begins: from there on nothing of it runs, no clean-up, no heartbeat.</summary>
    public DyingOperator Dying(string step, string user = "ada") => new(this, step, user);

    /// <summary>A resource that CloudFormation accepts and EC2 refuses: a subnet outside its VPC.</summary>
    public void Break(string logicalId = "Broken")
    {
        var path = Path.Combine(TemplateFolder, "network.yaml");
        var text = File.ReadAllText(path);
        File.WriteAllText(path, text.Replace("\nResources:\n", $"\nResources:\n  {logicalId}:\n    Type: AWS::EC2::Subnet\n    Properties: {{ VpcId: !Ref Vpc, CidrBlock: 192.168.77.0/24 }}\n", StringComparison.Ordinal));
    }

    /// <summary>Changes a template; the text must stand there once.</summary>
    public void Edit(string file, string old, string now)
    {
        var path = Path.Combine(TemplateFolder, file);
        var text = File.ReadAllText(path);
        Assert.Equal(2, text.Split(old).Length);
        File.WriteAllText(path, text.Replace(old, now, StringComparison.Ordinal));
    }

    /// <summary>Another key for the jobs table, and with it another table.</summary>
    public void RekeyTable()
    {
        const string Range = "        - { AttributeName: timestamp, KeyType: RANGE }\n";
        var path = Path.Combine(TemplateFolder, "storage.yaml");
        var text = File.ReadAllText(path);
        var at = text.IndexOf(Range, text.IndexOf("\n  Table:\n", StringComparison.Ordinal), StringComparison.Ordinal);
        File.WriteAllText(path, text.Remove(at, Range.Length));
    }

    /// <summary>A third nested stack, which takes an output of the first: what change sets cannot see through.</summary>
    public void UseOutputsAcrossStacks()
    {
        File.WriteAllText(Path.Combine(TemplateFolder, "compute.yaml"), """
            Parameters: { VpcId: { Type: String } }
            Resources:
              Group:
                Type: AWS::EC2::SecurityGroup
                Properties: { GroupDescription: of the tasks, VpcId: !Ref VpcId }
            """);
        Edit("main.yaml", "\nOutputs:\n", "\n  Compute:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: compute.yaml\n      Parameters: { VpcId: !GetAtt Network.Outputs.VpcId }\nOutputs:\n");
    }

    /// <summary>All templates as they ship, instead of the few.</summary>
    public void UseShippedTemplates()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks"), "*.yaml"))
        {
            File.Copy(file, Path.Combine(TemplateFolder, Path.GetFileName(file)), overwrite: true);
        }
    }

    public void Repair() => File.Copy(Path.Combine(Repository.Root, "src/Inferloop.Templates/Stacks/network.yaml"), Path.Combine(TemplateFolder, "network.yaml"), overwrite: true);

    internal EnvironmentAws Aws => AwsOf(session);

    /// <summary>The same account in another region.</summary>
    internal EnvironmentAws AwsIn(string region) => AwsOf(session.InRegion(region));

    private static EnvironmentAws AwsOf(AwsSession session) => new()
    {
        CloudFormation = session.Client<IAmazonCloudFormation>(), S3 = session.Client<IAmazonS3>(), DynamoDB = session.Client<IAmazonDynamoDB>(),
        EC2 = session.Client<IAmazonEC2>(), ECS = session.Client<IAmazonECS>(), LoadBalancing = session.Client<IAmazonElasticLoadBalancingV2>(),
        Keys = session.Client<IAmazonKeyManagementService>(), Logs = session.Client<IAmazonCloudWatchLogs>(),
        Databases = session.Client<Amazon.RDS.IAmazonRDS>(), Caches = session.Client<Amazon.ElastiCache.IAmazonElastiCache>(),
        Session = session, CallerArn = async ct => (await session.GetCallerIdentityAsync(ct)).Arn,
        AccountId = async ct => (await session.GetCallerIdentityAsync(ct)).Account,
        Region = session.Region,
    };

    public async ValueTask DisposeAsync()
    {
        session.Dispose();
        await host.DisposeAsync();
        Directory.Delete(TemplateFolder, recursive: true);
    }
}

/// <summary>One operator's view, with what was reported to them.</summary>
internal sealed class Operator : IOperationReporter
{
    public Operator(EnvironmentHarness harness, string user, TimeProvider? time, Func<string, CancellationToken, Task>? beforeStep, string? region = null)
    {
        Steps = [];
        Operations = new EnvironmentOperations(
            region is null ? harness.Aws : harness.AwsIn(region),
            new EnvironmentOptions
            {
                PollMinimum = TimeSpan.FromMilliseconds(20), PollMaximum = TimeSpan.FromMilliseconds(100), TemplateFolder = harness.TemplateFolder,
                Operator = new OperatorIdentity(user, user + "s-machine", 1), Time = time ?? TimeProvider.System,
                BeforeStep = async (step, ct) =>
                {
                    Steps.Add(step);
                    if (beforeStep is not null)
                    {
                        await beforeStep(step, ct);
                    }
                },
            },
            this) { OnEvent = e => Events.Add(e) };
    }

    public EnvironmentOperations Operations { get; }

    public List<string> Steps { get; }

    public List<InferloopEnvironmentEvent> Events { get; } = [];

    public List<string> Warnings { get; } = [];

    public List<OperationProgress> Shown { get; } = [];

    public async Task<InferloopEnvironment> CreateAsync(InferloopEnvironmentSpec? spec = null, bool resume = false, CancellationToken cancellation = default)
    {
        spec ??= EnvironmentHarness.Spec;
        await using (var prepared = await Operations.PrepareCreateAsync(spec, preview: false, resume, cancellation))
        {
            await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation);
        }

        return (await Operations.RefreshAsync(spec.StackName, withHealth: false, cancellation))!;
    }

    public async Task<InferloopChangeSet> UpdateAsync(InferloopEnvironmentSpec spec, bool resume = false, IReadOnlyList<string>? allowed = null, CancellationToken cancellation = default)
    {
        await using var prepared = await Operations.PrepareUpdateAsync(spec, new UpdateOptions { Resume = resume, AllowedReplacements = allowed ?? [] }, cancellation);
        if (!prepared.Empty)
        {
            await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation);
        }

        return prepared.ChangeSet!;
    }

    public async Task<InferloopRemovedEnvironment> RemoveAsync(bool deleteData = false, bool unprotect = false, CancellationToken cancellation = default)
    {
        var environment = await Operations.RefreshAsync(EnvironmentHarness.Spec.StackName, withHealth: false, cancellation)
            ?? throw EnvironmentOperations.NotFound("demo", "us-east-1");
        return await Operations.RemoveAsync(environment, new RemovalOptions { DeleteData = deleteData, DisableTerminationProtection = unprotect }, cancellation);
    }

    public void Verbose(string message)
    {
    }

    public void Warning(string message) => Warnings.Add(message);

    public void Progress(OperationProgress progress) => Shown.Add(progress);
}

/// <summary>An operator whose process dies at a step, with a clock that stopped with it.</summary>
internal sealed class DyingOperator(EnvironmentHarness harness, string step, string user)
{
    /// <summary>Runs until the step begins, and leaves the rest undone.</summary>
    public async Task RunAsync(Func<Operator, Task> work)
    {
        var died = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        var one = harness.Operator(user, new StoppedTime(), (s, _) =>
        {
            if (s != step)
            {
                return Task.CompletedTask;
            }

            died.TrySetResult();
            return never.Task;
        });
        var running = work(one);
        var first = await Task.WhenAny(died.Task, running).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        if (first == running)
        {
            await running;
            Assert.Fail($"The operation ended without a step '{step}'; its steps were {string.Join(", ", one.Steps)}.");
        }
    }
}

/// <summary>The present as a dead process left it in its lock: long past its lease, and no timer of it fires in a test's lifetime.</summary>
internal sealed class StoppedTime : TimeProvider
{
    private readonly DateTimeOffset start = System.GetUtcNow() - TimeSpan.FromMinutes(10);
    private readonly long origin = System.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => start + System.GetElapsedTime(origin);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        // Polls go on while the process lives; only the heartbeat, which is longer than any poll, never comes.
        System.CreateTimer(callback, state, dueTime > TimeSpan.FromSeconds(10) ? Timeout.InfiniteTimeSpan : dueTime, period);
}
