using Inferloop.Operations;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases to the cluster of an environment, from the image in ECR to the history.</summary>
public sealed class ClusterReleaseTests : IAsyncLifetime
{
    private ClusterReleaseHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await ClusterReleaseHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task They_roll_switch_and_come_back_and_the_history_tells_all()
    {
        var second = await harness.PublishAsync(new ReleaseRequest { Image = ":v2" });
        Assert.Equal((ReleaseStatus.Succeeded, ReleaseTarget.Eks, ReleaseStrategy.Rolling, "v2", "inferloop/synthdata"), (second.Status, second.Target, second.Strategy, second.Version, second.Workload));
        Assert.StartsWith(harness.Registry + "@sha256:", second.Image, StringComparison.Ordinal);
        Assert.Equal(second.Image, await harness.ServingAsync());

        // Before the first release there was something too.
        Assert.EndsWith(":v1", (await harness.By().UndoAsync(harness.Environment, null, Stop)).Image, StringComparison.Ordinal);

        var third = await harness.PublishAsync(new ReleaseRequest { Image = ":v3", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 5 });
        Assert.Equal((ReleaseStatus.Succeeded, 100), (third.Status, third.NewTraffic));
        Assert.Equal(["SCALE_UP", "PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP"], third.Stages.Select(s => s.Name));
        Assert.True(third.Duration >= TimeSpan.FromMinutes(5), $"{third.Duration}");
        Assert.Equal(third.Image, await harness.ServingAsync());

        var failed = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v4-crash" }));
        Assert.Equal("ReleaseFailed", failed.ErrorId);
        Assert.Contains("exit code 1", failed.Message, StringComparison.Ordinal);
        var taken = Assert.IsType<InferloopRelease>(failed.Target);
        Assert.Equal((ReleaseStatus.RolledBack, 2), (taken.Status, taken.Failure!.Count));
        Assert.NotEmpty(taken.Failure.LogLines);
        Assert.Equal(third.Image, await harness.ServingAsync());

        var undo = await harness.By().UndoAsync(harness.Environment, null, Stop);
        var undone = await harness.PublishAsync(undo);
        Assert.Equal((second.Image, second.Id), (undone.Image, undone.Restores));
        Assert.Equal(["v2", "v4-crash", "v3", "v2"], (await harness.By().HistoryAsync(harness.Environment, Stop)).Select(r => r.Version));
        Assert.Equal(second.Image, await harness.ServingAsync());
    }

    [Fact]
    public async Task One_whose_operator_is_gone_is_in_the_way_is_gone_on_with_and_is_taken_back()
    {
        // Ctrl-C as all requests have just moved.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var by = harness.By("bob", (step, _) => step == "BAKE_TIME" ? stop.CancelAsync() : Task.CompletedTask);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 30 }, by, stop.Token));
        var open = await harness.By().FindAsync(harness.Environment, null, Stop);
        Assert.Equal((ReleaseStatus.Running, "PRODUCTION_TRAFFIC_SHIFT"), (open.Status, open.LifecycleStage));

        var other = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v3" }));
        Assert.Equal("ReleaseInProgress", other.ErrorId);
        var stopped = await harness.By().StopAsync(harness.Environment, open, wait: true, Stop);
        Assert.Equal(ReleaseStatus.RolledBack, stopped.Status);
        Assert.EndsWith(":v1", await harness.ServingAsync(), StringComparison.Ordinal);

        // And once more, gone on with by somebody else.
        using var again = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        by = harness.By("bob", (step, _) => step == "CLEAN_UP" ? again.CancelAsync() : Task.CompletedTask);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 1 }, by, again.Token));
        var gone = await harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 1 });
        Assert.Equal(ReleaseStatus.Succeeded, gone.Status);
        Assert.Equal(gone.Image, await harness.ServingAsync());
        Assert.Equal("ReleaseNotRunning", (await Assert.ThrowsAsync<OperationException>(() => harness.By().StopAsync(harness.Environment, gone, wait: true, Stop))).ErrorId);
    }

    [Fact]
    public async Task One_whose_operator_was_gone_at_once_still_knows_the_way_back()
    {
        // The Deployment has its new image already, and nothing was told of it yet.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var by = harness.By("bob", (step, _) => step == "ROLLING" ? stop.CancelAsync() : Task.CompletedTask);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v4-crash" }, by, stop.Token));
        var open = await harness.By().FindAsync(harness.Environment, null, Stop);
        Assert.True(open.IsOpen);
        Assert.EndsWith(":v1", open.PreviousImage, StringComparison.Ordinal);

        var failed = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v4-crash" }));
        Assert.Equal((open.Id, ReleaseStatus.RolledBack), Assert.IsType<InferloopRelease>(failed.Target) is var end ? (end.Id, end.Status) : default);
        Assert.EndsWith(":v1", await harness.ServingAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(":none", null, null, "ImageNotFound")]
    [InlineData(":v2", ReleaseStrategy.Canary, null, "ReleaseStrategyUnsupported")]
    [InlineData(":v2", null, true, "ReleaseStrategyUnsupported")]
    public async Task What_cannot_be_is_refused_and_nothing_is_touched(string image, ReleaseStrategy? strategy, bool? approval, string id)
    {
        var refused = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = image, Strategy = strategy, Approval = approval }));
        Assert.Equal(id, refused.ErrorId);
        Assert.EndsWith(":v1", await harness.ServingAsync(), StringComparison.Ordinal);
        Assert.Empty(await harness.By().HistoryAsync(harness.Environment, Stop));
    }
}
