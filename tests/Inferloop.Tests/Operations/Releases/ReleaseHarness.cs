using System.Globalization;
using Amazon.ECR;
using Amazon.ECR.Model;
using Amazon.ECS;
using Amazon.ElasticLoadBalancingV2;
using Amazon.ElasticLoadBalancingV2.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.Tests.Operations.Environments;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>An environment with a service on ECS in a sandbox of its own, and images to release to it.</summary>
internal sealed class ReleaseHarness : IAsyncDisposable
{
    /// <summary>The repository that an environment without a pipeline is taken to have.</summary>
    private const string Own = "inferloop/demo-dev";

    private ReleaseHarness(EnvironmentHarness inner, Operator one, InferloopEnvironment environment)
    {
        Inner = inner;
        Operator = one;
        Environment = environment;
    }

    public EnvironmentHarness Inner { get; }

    public Operator Operator { get; }

    public InferloopEnvironment Environment { get; private set; }

    public List<InferloopRelease> Seen { get; } = [];

    public IAmazonECS Ecs => Inner.Aws.ECS;

    public IAmazonElasticLoadBalancingV2 Elb => Inner.Aws.LoadBalancing;

    public ReleaseOperations Releases => new(Operator.Operations, Seen.Add);

    public static async Task<ReleaseHarness> StartAsync(double clockRate = 300, Func<InferloopEnvironmentSpec, InferloopEnvironmentSpec>? change = null, string repository = Own)
    {
        var inner = await EnvironmentHarness.StartAsync();
        inner.UseShippedTemplates();
        var spec = EnvironmentHarness.Spec with
        {
            Ecs = EnvironmentHarness.Spec.Ecs with { DesiredTasks = 2, MinimumTasks = 2 },
            Database = EnvironmentHarness.Spec.Database with { DatabaseEnabled = false },
            Cache = EnvironmentHarness.Spec.Cache with { CacheEnabled = false },
            Monitoring = EnvironmentHarness.Spec.Monitoring with { MonitoringEnabled = false },
        };
        spec = change?.Invoke(spec) ?? spec;
        var ecr = inner.Aws.Client<IAmazonECR>();
        await ecr.CreateRepositoryAsync(new CreateRepositoryRequest { RepositoryName = repository, ImageScanningConfiguration = new ImageScanningConfiguration { ScanOnPush = true } }, TestContext.Current.CancellationToken);
        foreach (var tag in new[] { "v1", "v2", "v3", "v4-crash", "v5-unhealthy", "v6-vulnerable", "v7-unscannable" })
        {
            await PushAsync(ecr, repository, tag);
        }

        var one = inner.Operator();
        var account = await inner.Aws.AccountId(TestContext.Current.CancellationToken);
        var environment = await one.CreateAsync(spec with { Application = spec.Application with { ContainerImage = $"{account}.dkr.ecr.us-east-1.amazonaws.com/{repository}:v1", ServiceVersion = "v1" } }, cancellation: TestContext.Current.CancellationToken);
        inner.Host.Clock.Rate = clockRate;
        one.Steps.Clear();
        return new ReleaseHarness(inner, one, environment);
    }

    public Task PushAsync(string tag) => PushAsync(Inner.Aws.Client<IAmazonECR>(), Own, tag);

    private static Task<PutImageResponse> PushAsync(IAmazonECR ecr, string repository, string tag) => ecr.PutImageAsync(
        new PutImageRequest { RepositoryName = repository, ImageTag = tag, ImageManifest = $$"""{"schemaVersion":2,"annotations":{"tag":"{{tag}}"},"layers":[{"size":{{tag.Length.ToString(CultureInfo.InvariantCulture)}}}]}""" }, TestContext.Current.CancellationToken);

    public Task<InferloopRelease> PublishAsync(string tag, ReleaseStrategy? strategy = null, int? bake = null, bool? approval = null, bool wait = true, CancellationToken? cancellation = null) =>
        PublishAsync(new ReleaseRequest { Image = ":" + tag, Strategy = strategy, BakeMinutes = bake, Approval = approval }, wait, cancellation);

    public async Task<InferloopRelease> PublishAsync(ReleaseRequest request, bool wait = true, CancellationToken? cancellation = null, ReleaseOperations? by = null)
    {
        var token = cancellation ?? TestContext.Current.CancellationToken;
        await using var prepared = await (by ?? Releases).PrepareAsync(Environment, request, preview: false, token);
        return await (by ?? Releases).RunAsync(prepared, wait, token);
    }

    public async Task<InferloopEnvironment> NowAsync() =>
        Environment = (await Operator.Operations.RefreshAsync(Environment.StackId, withHealth: false, TestContext.Current.CancellationToken))!;

    /// <summary>What the service's tasks run, by the digests of their containers.</summary>
    public async Task<IReadOnlyList<string>> RunningAsync()
    {
        var (cluster, service) = (Environment.Outputs["ClusterName"], Environment.Outputs["ServiceName"]);
        var tasks = await Ecs.ListTasksAsync(new Amazon.ECS.Model.ListTasksRequest { Cluster = cluster, ServiceName = service }, TestContext.Current.CancellationToken);
        return tasks.TaskArns is not { Count: > 0 } ? [] : (await Ecs.DescribeTasksAsync(new Amazon.ECS.Model.DescribeTasksRequest { Cluster = cluster, Tasks = tasks.TaskArns }, TestContext.Current.CancellationToken)).Tasks
            .Select(t => t.Containers[0].ImageDigest).Distinct().ToList();
    }

    /// <summary>Targets that get production traffic and answer it, in the group that has the most of it.</summary>
    public async Task<int> AnsweringAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var balancer = Environment.Outputs["LoadBalancerArn"];
        var groups = (await Elb.DescribeTargetGroupsAsync(new DescribeTargetGroupsRequest { LoadBalancerArn = balancer }, ct)).TargetGroups.Select(g => g.TargetGroupArn).ToList();
        if (Environment.Outputs.TryGetValue("ProductionRuleArn", out var rule))
        {
            groups = (await Elb.DescribeRulesAsync(new DescribeRulesRequest { RuleArns = [rule] }, ct)).Rules[0].Actions[0].ForwardConfig.TargetGroups.Where(g => g.Weight > 0).Select(g => g.TargetGroupArn).ToList();
        }

        var answering = int.MaxValue;
        foreach (var group in groups)
        {
            var health = (await Elb.DescribeTargetHealthAsync(new DescribeTargetHealthRequest { TargetGroupArn = group }, ct)).TargetHealthDescriptions ?? [];
            answering = Math.Min(answering, health.Count(h => h.TargetHealth.State == TargetHealthStateEnum.Healthy));
        }

        return answering;
    }

    public ValueTask DisposeAsync() => Inner.DisposeAsync();
}
