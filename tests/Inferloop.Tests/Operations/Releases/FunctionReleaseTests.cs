using System.Globalization;
using Amazon.ECR;
using Amazon.ECR.Model;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox.Faults;
using Inferloop.Tests.Operations.Environments;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases of the environment's function: the alias moves by shares, and comes back by itself.</summary>
public sealed class FunctionReleaseTests : IAsyncLifetime
{
    private const string Repository = "inferloop/demo-dev";
    private readonly List<InferloopRelease> seen = [];
    private EnvironmentHarness harness = null!;
    private InferloopEnvironment environment = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private IAmazonLambda Functions => harness.Aws.Client<IAmazonLambda>();

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync(600);
        harness.UseShippedTemplates();
        var ecr = harness.Aws.Client<IAmazonECR>();
        await ecr.CreateRepositoryAsync(new CreateRepositoryRequest { RepositoryName = Repository, ImageScanningConfiguration = new ImageScanningConfiguration { ScanOnPush = true } }, Stop);
        var size = 0;
        foreach (var tag in new[] { "v1", "v2", "v3", "v4-crash" })
        {
            var manifest = $$"""{"schemaVersion":2,"layers":[{"size":{{(++size).ToString(CultureInfo.InvariantCulture)}}}]}""";
            await ecr.PutImageAsync(new PutImageRequest { RepositoryName = Repository, ImageTag = tag, ImageManifest = manifest }, Stop);
        }

        var image = $"{await harness.Aws.AccountId(Stop)}.dkr.ecr.us-east-1.amazonaws.com/{Repository}:v1";
        var spec = EnvironmentHarness.Spec;
        environment = await harness.Operator().CreateAsync(
            spec with
            {
                Ecs = spec.Ecs with { EcsEnabled = false },
                Database = spec.Database with { DatabaseEnabled = false },
                Cache = spec.Cache with { CacheEnabled = false },
                Lambda = spec.Lambda with { LambdaEnabled = true, LambdaImage = image, LambdaInsights = false, LambdaInVpc = false },
                Application = spec.Application with { ContainerImage = image, ServiceVersion = "v1" },
            },
            cancellation: Stop);
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task Calls_move_by_shares_and_the_template_says_so_all_the_while()
    {
        var canary = await PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.Canary, StepPercent = 10, StepMinutes = 5, BakeMinutes = 5 });
        Assert.Equal((ReleaseStatus.Succeeded, ReleaseTarget.Lambda, "v2", 100), (canary.Status, canary.Target, canary.Version, canary.NewTraffic));
        Assert.Equal(["SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME"], canary.Stages.Select(s => s.Name));
        Assert.Contains(seen, r => r.NewTraffic == 10);
        Assert.True(canary.Duration >= TimeSpan.FromMinutes(10), $"{canary.Duration}");
        Assert.Equal(canary.Image, (await Functions.GetFunctionAsync(new GetFunctionRequest { FunctionName = Name, Qualifier = "live" }, Stop)).Code.ImageUri);
        Assert.All(await harness.Operator().Operations.DriftAsync(environment, Stop), d => Assert.True(d.Status is DriftStatus.InSync or DriftStatus.NotChecked, $"{d.Path}: {string.Join("; ", d.Properties.Select(p => $"{p.Path} {p.Expected} {p.Actual}"))}"));

        seen.Clear();
        var linear = await PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.Linear, StepPercent = 40, StepMinutes = 1, BakeMinutes = 0 });
        Assert.Equal([0, 40, 80, 100, 100], seen.Select(r => r.NewTraffic));

        // The same again changes nothing; an earlier one comes back.
        Assert.Equal(linear.Id, (await PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.Rolling })).Id);
        var undone = await PublishAsync(await By().UndoAsync(environment, null, Stop) with { Strategy = ReleaseStrategy.Rolling });
        Assert.Equal((canary.Image, canary.Id), (undone.Image, undone.Restores));
        Assert.Equal(["v2", "v3", "v2"], (await By().HistoryAsync(environment, Stop)).Select(r => r.Version));

        // A spec from a file, written before: the image stays.
        var now = (await harness.Operator().Operations.RefreshAsync(environment.StackName, withHealth: false, Stop))!;
        Assert.Equal(undone.Image, ReleasedState.Keep(environment.Spec, now.Spec, imageGiven: false, out _).Lambda.LambdaImage);
    }

    [Theory]
    [InlineData(ReleaseStrategy.Canary)]
    [InlineData(ReleaseStrategy.BlueGreen)]
    public async Task One_whose_calls_fail_comes_back_by_itself(ReleaseStrategy strategy)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var calling = CallAsync(over.Token);
        AliasConfiguration? atOnce = null;
        var by = new FunctionReleases(
            harness.Operator(beforeStep: async (step, _) =>
            {
                if (step == "package" && seen.Count > 0 && seen[^1].Status == ReleaseStatus.RollingBack)
                {
                    atOnce = (await Functions.ListAliasesAsync(new ListAliasesRequest { FunctionName = Name }, Stop)).Aliases.Single();
                }
            }).Operations,
            () => harness.Host.Clock.Now, seen.Add);
        var failed = await Assert.ThrowsAsync<OperationException>(() => PublishAsync(new ReleaseRequest { Image = ":v4-crash", Strategy = strategy, StepPercent = 50, StepMinutes = 30, BakeMinutes = 30 }, by));
        // Before the stack begins, which takes minutes.
        Assert.Equal("1", atOnce!.FunctionVersion);
        Assert.Empty(atOnce.RoutingConfig?.AdditionalVersionWeights ?? []);
        await over.CancelAsync();
        await calling;
        Assert.Equal("ReleaseFailed", failed.ErrorId);
        var release = Assert.IsType<InferloopRelease>(failed.Target);
        Assert.Equal((ReleaseStatus.RolledBack, 0), (release.Status, release.NewTraffic));
        Assert.Matches(@"^(\d+ of \d+ calls of version 2 failed|The alarm demo-dev-function-errors rang)\.$", release.StatusReason);
        var found = await Functions.GetFunctionAsync(new GetFunctionRequest { FunctionName = Name, Qualifier = "live" }, Stop);
        Assert.EndsWith(":v1", found.Code.ImageUri, StringComparison.Ordinal);
        Assert.Null((await Functions.InvokeAsync(new InvokeRequest { FunctionName = Name, Qualifier = "live" }, Stop)).FunctionError);
    }

    [Fact]
    public async Task One_whose_operator_is_gone_stays_as_it_is_until_it_is_gone_on_with_or_stopped()
    {
        var request = new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.Canary, StepPercent = 20, StepMinutes = 60, BakeMinutes = 0 };
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop))
        {
            var by = new FunctionReleases(harness.Operator("bob").Operations, () => harness.Host.Clock.Now, r =>
            {
                if (r.NewTraffic == 20)
                {
                    stop.Cancel();
                }
            });
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => PublishAsync(request, by, stop.Token));
        }

        var open = await By().FindAsync(environment, null, Stop);
        Assert.Equal((ReleaseStatus.Running, 20), (open.Status, open.NewTraffic));
        Assert.Equal("ReleaseInProgress", (await Assert.ThrowsAsync<OperationException>(() => PublishAsync(request with { Image = ":v3" }))).ErrorId);

        // An update of something else moves no call.
        var now = (await harness.Operator().Operations.RefreshAsync(environment.StackName, withHealth: false, Stop))!;
        await harness.Operator().UpdateAsync(now.Spec with { Application = now.Spec.Application with { LogLevel = Inferloop.Operations.Specs.ApplicationLogLevel.Error } }, cancellation: Stop);
        Assert.Equal(0.2, (await Functions.GetAliasAsync(new GetAliasRequest { FunctionName = Name, Name = "live" }, Stop)).RoutingConfig.AdditionalVersionWeights.Values.Single());

        var gone = await PublishAsync(request with { StepMinutes = 1 });
        Assert.Equal((open.Id, ReleaseStatus.Succeeded), (gone.Id, gone.Status));
        Assert.Equal("ReleaseNotRunning", (await Assert.ThrowsAsync<OperationException>(() => By().StopAsync(environment, gone, wait: true, Stop))).ErrorId);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    public async Task One_whose_step_fails_ends_with_all_calls_at_the_old_version(int share)
    {
        void Break() => harness.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ResourceFailure, Operation = "Update", Resource = "AWS::Lambda::Alias", Count = 1 });
        var broken = false;
        var by = new FunctionReleases(harness.Operator().Operations, () => harness.Host.Clock.Now, r =>
        {
            if (r.NewTraffic == share && !broken)
            {
                broken = true;
                Break();
            }
        });
        var failed = await Assert.ThrowsAsync<OperationException>(() => PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.Linear, StepPercent = 40, StepMinutes = 1, BakeMinutes = 0 }, by));
        Assert.Contains("Lambda/Alias", failed.Message, StringComparison.Ordinal);
        Assert.EndsWith(":v1", (await Functions.GetFunctionAsync(new GetFunctionRequest { FunctionName = Name, Qualifier = "live" }, Stop)).Code.ImageUri, StringComparison.Ordinal);
        Assert.Empty((await Functions.GetAliasAsync(new GetAliasRequest { FunctionName = Name, Name = "live" }, Stop)).RoutingConfig?.AdditionalVersionWeights ?? []);
        Assert.Equal(ReleaseStatus.RolledBack, (await By().FindAsync(environment, null, Stop)).Status);

        // And the environment is fit for the next.
        Assert.Equal(ReleaseStatus.Succeeded, (await PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.Rolling })).Status);
    }

    private string Name => environment.Outputs["LambdaFunctionName"];

    private FunctionReleases By() => new(harness.Operator().Operations, () => harness.Host.Clock.Now, seen.Add);

    private async Task<InferloopRelease> PublishAsync(ReleaseRequest request, FunctionReleases? by = null, CancellationToken? cancellation = null)
    {
        by ??= By();
        await using var prepared = await by.PrepareAsync(environment, request, preview: false, cancellation ?? Stop);
        return await by.RunAsync(prepared, wait: true, cancellation ?? Stop);
    }

    /// <summary>Somebody who calls the function, one call after the other.</summary>
    private async Task CallAsync(CancellationToken cancellation)
    {
        try
        {
            while (true)
            {
                await Functions.InvokeAsync(new InvokeRequest { FunctionName = Name, Qualifier = "live" }, cancellation);
                await Task.Delay(20, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }
}
