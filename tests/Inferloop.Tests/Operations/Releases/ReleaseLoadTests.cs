using System.Globalization;
using Amazon.ECS.Model;
using Inferloop.Operations;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox.Traffic;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases while requests come in, thirty a second: what the clients notice.</summary>
public sealed class ReleaseLoadTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ReleaseStrategy.Rolling)]
    [InlineData(ReleaseStrategy.BlueGreen)]
    [InlineData(ReleaseStrategy.Canary)]
    public async Task A_good_release_fails_no_request(ReleaseStrategy strategy)
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var load = Load(harness);
        await MinutesAsync(harness, 2);
        var release = await harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = strategy, StepMinutes = 3, BakeMinutes = 3 });
        Assert.Equal(ReleaseStatus.Succeeded, release.Status);
        await MinutesAsync(harness, 2);

        var served = load.Targets;
        Assert.Equal(0, served.Sum(t => t.Failed));
        Assert.DoesNotContain(served, t => t.Target is null);
        var revisions = served.GroupBy(t => t.Revision).OrderBy(g => g.Min(t => t.First)).ToList();
        Assert.Equal(2, revisions.Count);
        Assert.All(revisions, r => Assert.True(r.Sum(t => t.Requests) > 1000, $"{r.Key}: {r.Sum(t => t.Requests)} requests"));
        Assert.True(revisions[0].Max(t => t.Last) <= release.Finished + TimeSpan.FromMinutes(1), "the old version is asked after its end");

        // Nothing else that changes brings the old image back: not another setting, not a spec that was written before.
        var now = await harness.NowAsync();
        var old = now.Spec with { Application = now.Spec.Application with { ContainerImage = release.PreviousImage, LogLevel = ApplicationLogLevel.Error } };
        await harness.Operator.UpdateAsync(ReleasedState.Keep(old, now.Spec, imageGiven: false, out _), cancellation: Ct);
        Assert.Equal(release.Image.Split('@')[1], Assert.Single(await harness.RunningAsync()));
        Assert.Equal(0, load.Targets.Sum(t => t.Failed));
    }

    [Theory]
    [InlineData(ReleaseStrategy.BlueGreen)]
    [InlineData(ReleaseStrategy.Canary)]
    public async Task A_version_that_answers_with_errors_is_taken_back_by_the_alarm(ReleaseStrategy strategy)
    {
        await using var harness = await ReleaseHarness.StartAsync(clockRate: 120);
        await harness.PushAsync("v8-faulty");
        var load = Load(harness);
        await MinutesAsync(harness, 2);
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v8-faulty", Strategy = strategy, StepPercent = 20, StepMinutes = 10, BakeMinutes = 15 }));
        Assert.Equal("ReleaseAlarm", error.ErrorId);
        Assert.Contains("demo-dev-release-errors", error.Message, StringComparison.Ordinal);
        var release = Assert.IsType<InferloopRelease>(error.Target);
        Assert.Equal(ReleaseStatus.RolledBack, release.Status);
        Assert.True(release.Alarms.Single(a => a.Name == "demo-dev-release-errors").Rang);

        // From the first request that the new version got to the last: an evaluation of the alarm, and ECS's reaction.
        var faulty = load.Targets.Where(t => t.Failed > 0).ToList();
        var exposed = faulty.Max(t => t.Last) - faulty.Min(t => t.First);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{strategy}: {faulty.Sum(t => t.Failed)} of {load.Targets.Sum(t => t.Requests)} requests failed within {exposed.TotalSeconds:0} s"));
        Assert.InRange(exposed, TimeSpan.Zero, TimeSpan.FromMinutes(4));
        Assert.Equal("v1", (await harness.NowAsync()).Spec.Application.ServiceVersion);
        Assert.Equal(2, await harness.AnsweringAsync());
        var failed = load.Targets.Sum(t => t.Failed);
        await MinutesAsync(harness, 2);
        Assert.Equal(failed, load.Targets.Sum(t => t.Failed));
    }

    private static SandboxLoad Load(ReleaseHarness harness) =>
        harness.Inner.Host.Loads.Set(harness.Inner.Host.AccountId, "us-east-1", "*", SandboxLoadProfile.Constant(30));

    private static async Task MinutesAsync(ReleaseHarness harness, int minutes)
    {
        var until = harness.Inner.Host.Clock.Now + TimeSpan.FromMinutes(minutes);
        while (harness.Inner.Host.Clock.Now < until)
        {
            await Task.Delay(10, Ct);
        }
    }
}
