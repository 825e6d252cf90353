using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases that go well: what runs, what the stack says, what the history keeps.</summary>
public sealed class ReleaseTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rolling_release_runs_the_digest_and_the_stack_says_so()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var release = await harness.PublishAsync("v2");
        Assert.Equal((ReleaseStatus.Succeeded, ReleaseStrategy.Rolling, "v2"), (release.Status, release.Strategy, release.Version));
        var environment = await harness.NowAsync();
        Assert.Equal(release.Image, environment.Spec.Application.ContainerImage);
        Assert.Equal("v2", environment.Spec.Application.ServiceVersion);
        Assert.Equal(release.Image.Split('@')[1], Assert.Single(await harness.RunningAsync()));
        Assert.All(await harness.Operator.Operations.DriftAsync(environment, Ct), d => Assert.True(d.Status is DriftStatus.InSync or DriftStatus.NotChecked, $"{d.Path}: {string.Join("; ", d.Properties.Select(p => $"{p.Path} {p.Expected} {p.Actual}"))}"));

        // The same again changes nothing, and gives what was done.
        var again = await harness.PublishAsync("v2");
        Assert.Equal(release.Id, again.Id);
        Assert.True(release.Duration > TimeSpan.FromMinutes(1));

        // A spec from a file, written before: the image stays, and somebody is told.
        var kept = ReleasedState.Keep(environment.Spec with { Application = environment.Spec.Application with { ContainerImage = "inferloop/synthdata:1.0" } }, environment.Spec, imageGiven: false, out var notes);
        Assert.Equal(release.Image, kept.Application.ContainerImage);
        Assert.Single(notes);
    }

    [Fact]
    public async Task Blue_green_shifts_and_leaves_no_drift()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var release = await harness.PublishAsync("v2", ReleaseStrategy.BlueGreen, bake: 5);
        Assert.Equal(ReleaseStatus.Succeeded, release.Status);
        Assert.True(release.Duration > TimeSpan.FromMinutes(5));
        Assert.Equal(100, release.NewTraffic);
        Assert.Equal(["demo-dev-release-errors", "demo-dev-release-unhealthy"], release.Alarms.Select(a => a.Name));
        Assert.Contains(harness.Seen, r => r.LifecycleStage == "BAKE_TIME");
        var environment = await harness.NowAsync();
        Assert.Equal((ReleaseStrategy.BlueGreen, true), (environment.Spec.Release.ReleaseStrategy, environment.Spec.Release.ReleaseShifting));
        Assert.Equal(2, await harness.AnsweringAsync());
        Assert.All(await harness.Operator.Operations.DriftAsync(environment, Ct), d => Assert.True(d.Status is DriftStatus.InSync or DriftStatus.NotChecked, $"{d.Path}: {string.Join("; ", d.Properties.Select(p => $"{p.Path} {p.Expected} {p.Actual}"))}"));

        // An update of something else moves no traffic and no image.
        await harness.Operator.UpdateAsync(environment.Spec with { Application = environment.Spec.Application with { LogLevel = ApplicationLogLevel.Error } }, cancellation: Ct);
        Assert.Equal(release.Image.Split('@')[1], Assert.Single(await harness.RunningAsync()));
        Assert.Equal(2, await harness.AnsweringAsync());

        // And on by another strategy, and back.
        var third = await harness.PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.Linear, StepPercent = 50, StepMinutes = 2, BakeMinutes = 0 });
        Assert.Equal(ReleaseStatus.Succeeded, third.Status);
        Assert.Contains(harness.Seen, r => r.NewTraffic == 50);
        await using (var prepared = await harness.Releases.PrepareAsync(environment, await harness.Releases.UndoAsync(environment, null, Ct) with { Strategy = ReleaseStrategy.Canary, StepMinutes = 1, BakeMinutes = 0 }, preview: false, Ct))
        {
            var undone = await harness.Releases.RunAsync(prepared, wait: true, Ct);
            Assert.Equal((release.Image, release.Id, "v2"), (undone.Image, undone.Restores, undone.Version));
        }

        Assert.Equal(["v2", "v3", "v2", "v1"], (await harness.Releases.HistoryAsync(environment, Ct)).Select(r => r.Version));
    }

    [Fact]
    public async Task Beside_all_that_an_environment_can_have_a_release_changes_what_runs_the_image_and_nothing_else()
    {
        await using var harness = await ReleaseHarness.StartAsync(
            clockRate: 1200,
            change: spec => spec with
            {
                Batch = spec.Batch with { BatchEnabled = true },
                Lambda = spec.Lambda with { LambdaEnabled = true },
                Monitoring = spec.Monitoring with { MonitoringEnabled = true },
                Delivery = spec.Delivery with { PipelineRepository = "acme/synthdata", PipelineEnabled = true, GitHubActionsEnabled = true },
            },
            repository: "inferloop/app");
        var batch = harness.Inner.Aws.Client<Amazon.Batch.IAmazonBatch>();
        async Task<Amazon.Batch.Model.JobDefinition> ActiveAsync() =>
            (await batch.DescribeJobDefinitionsAsync(new Amazon.Batch.Model.DescribeJobDefinitionsRequest { Status = "ACTIVE" }, Ct)).JobDefinitions.Single(d => d.ContainerProperties?.Image.Contains("inferloop/app", StringComparison.Ordinal) ?? d.EcsProperties?.TaskProperties[0].Containers[0].Image.Contains("inferloop/app", StringComparison.Ordinal) ?? false);
        var before = await ActiveAsync();
        var release = await harness.PublishAsync(new ReleaseRequest { Image = "inferloop/app:v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 1 });
        Assert.Equal(ReleaseStatus.Succeeded, release.Status);

        // Jobs get the same image, as a new revision of their definition, which the release names.
        var after = await ActiveAsync();
        Assert.Equal(before.Revision + 1, after.Revision);
        Assert.Equal(after.JobDefinitionArn, release.JobDefinition);
        Assert.Equal(release.Image, after.ContainerProperties?.Image ?? after.EcsProperties.TaskProperties[0].Containers[0].Image);
        Assert.Equal(release.JobDefinition, (await harness.Releases.FindAsync(harness.Environment, release.Id, Ct)).JobDefinition);
    }
}
