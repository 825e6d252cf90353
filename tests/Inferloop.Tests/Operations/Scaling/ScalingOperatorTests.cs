using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Scaling;
using Inferloop.Operations.Specs;
using Inferloop.Tests.Operations.Environments;

namespace Inferloop.Tests.Operations.Scaling;

/// <summary>Scaling changes among operators: locked, journaled, called off, taken over from a dead process.</summary>
public sealed class ScalingOperatorTests : IAsyncLifetime
{
    private static readonly InferloopEnvironmentSpec Spec = EnvironmentHarness.Spec
        .With("DatabaseEnabled", false).With("CacheEnabled", false).With("MonitoringEnabled", false);

    private EnvironmentHarness harness = null!;
    private InferloopEnvironment environment = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private DateTimeOffset Now => harness.Host.Runtime.Clock.Now;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync();
        harness.UseShippedTemplates();
        environment = await harness.Operator().CreateAsync(Spec, cancellation: Stop);
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task Two_operators_do_not_scale_at_once_and_the_journal_tells_who_did()
    {
        var (ada, bob) = (harness.Operator(), harness.Operator("bob"));
        await using (var first = await PrepareAsync(ada, new() { Component = ScalingComponent.Ecs, Maximum = 5 }))
        {
            var busy = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(bob, new() { Component = ScalingComponent.Ecs, Maximum = 6 }));
            Assert.Equal(OperationErrorKind.Busy, busy.Kind);
            Assert.Contains("ada", busy.Message, StringComparison.Ordinal);
            var done = await first.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
            Assert.Equal(5, done.After[0].Maximum);
        }

        Assert.Equal(["control", "lock", "package", "changeset", "execute", "protect", "follow", "policy"], ada.Steps);

        // What went down the pipeline is older than the change of the other; both are kept.
        await using (var second = await PrepareAsync(bob, new() { Component = ScalingComponent.Ecs, Minimum = 2 }))
        {
            Assert.DoesNotContain(second.Change.Values, v => v.Name == "MaximumTasks");
            Assert.Equal((2, 5), await second.ExecuteAsync(wait: true, cancelOnStop: false, Stop) is { After: [var after] } ? (after.Minimum, after.Maximum) : default);
        }
    }

    [Fact]
    public async Task What_another_operator_changes_just_before_the_lock_is_not_taken_back()
    {
        var between = 0;
        var ada = harness.Operator(beforeStep: async (step, _) =>
        {
            if (step == "lock" && between++ == 0)
            {
                await using var other = await PrepareAsync(harness.Operator("bob"), new() { Component = ScalingComponent.Ecs, TargetMemory = 60 });
                await other.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
            }
        });
        await using var prepared = await PrepareAsync(ada, new() { Component = ScalingComponent.Ecs, Maximum = 5 });
        Assert.Equal("MaximumTasks 3 -> 5", Assert.Single(prepared.Change.Values).ToString());
        await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
        Assert.Equal(2, between);
        var spec = (await ada.Operations.RefreshAsync(environment.StackName, false, Stop))!.Spec.Ecs;
        Assert.Equal((60, 5), (spec.TargetMemoryPercent, spec.MaximumTasks));
    }

    [Fact]
    public async Task A_preview_and_a_change_that_nobody_carries_out_leave_nothing_behind()
    {
        var ada = harness.Operator();
        foreach (var preview in new[] { true, false })
        {
            await using var shown = await PreparedScaling.PrepareAsync(ada.Operations, environment, new() { Component = ScalingComponent.Ecs, Maximum = 6, Desired = 2 }, new() { Preview = preview }, Now, Stop);
            Assert.False(shown.IsEmpty);
        }

        Assert.DoesNotContain((await harness.CloudFormation.ListChangeSetsAsync(new() { StackName = environment.StackName }, Stop)).Summaries ?? [], c => c.ExecutionStatus.Value is "AVAILABLE" or "UNAVAILABLE");
        Assert.Equal(Spec.Ecs, (await ada.Operations.RefreshAsync(environment.StackName, false, Stop))!.Spec.Ecs);
        Assert.Equal(1, (await new ScalingReader(ada.Operations, Now).ReadAsync(environment, [ScalingComponent.Ecs], Stop))[0].Desired);
    }

    [Fact]
    public async Task Called_off_it_is_as_before()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var ada = harness.Operator(beforeStep: (step, _) => step == "follow" ? stop.CancelAsync() : Task.CompletedTask);
        await using (var prepared = await PrepareAsync(ada, new() { Component = ScalingComponent.Ecs, Minimum = 2, Maximum = 6, Action = new() { Name = "night", Schedule = "cron(0 22 ? * * *)", Minimum = 1, Maximum = 2 } }))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prepared.ExecuteAsync(wait: true, cancelOnStop: true, stop.Token));
        }

        Assert.Contains(ada.Warnings, w => w.Contains("called off", StringComparison.Ordinal));
        await harness.Operator().Operations.WaitAsync((await harness.Operator().Operations.RefreshAsync(environment.StackName, false, Stop))!, Stop);
        var after = (await harness.Operator().Operations.RefreshAsync(environment.StackName, false, Stop))!;
        Assert.Equal(("UPDATE_ROLLBACK_COMPLETE", Spec.Ecs), (after.Status, after.Spec.Ecs));
        var scaling = Assert.Single(await new ScalingReader(ada.Operations, Now).ReadAsync(after, [ScalingComponent.Ecs], Stop));
        Assert.Equal((1, 3, 0), (scaling.Minimum, scaling.Maximum, scaling.Schedule.Count));
    }

    [Fact]
    public async Task A_dead_process_stands_in_nobodys_way()
    {
        await harness.Dying("execute", "eve").RunAsync(async eve => await (await PrepareAsync(eve, new() { Component = ScalingComponent.Ecs, Maximum = 6 })).ExecuteAsync(wait: true, cancelOnStop: false, Stop));
        await using (var prepared = await PrepareAsync(harness.Operator(), new() { Component = ScalingComponent.Ecs, Maximum = 4 }))
        {
            Assert.Equal(4, (await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop)).After[0].Maximum);
        }

        // The same where the number that runs is all there is to set: the template says it, and something else has moved it.
        await harness.Aws.ECS.UpdateServiceAsync(new() { Cluster = "demo-dev", Service = "synthdata", DesiredCount = 3 }, Stop);
        await harness.Dying(PreparedScaling.DesiredStep, "eve").RunAsync(async eve => await (await PrepareAsync(eve, new() { Component = ScalingComponent.Ecs, Desired = 1 })).ExecuteAsync(wait: true, cancelOnStop: false, Stop));
        await using var again = await PrepareAsync(harness.Operator(), new() { Component = ScalingComponent.Ecs, Desired = 1 });
        Assert.Equal("DesiredNow 3 -> 1", Assert.Single(again.Change.Values).ToString());
        Assert.Equal(1, (await again.ExecuteAsync(wait: true, cancelOnStop: false, Stop)).After[0].Desired);
    }

    [Fact]
    public async Task What_the_templates_have_beside_it_is_not_taken_along_unasked()
    {
        harness.Edit("ecs.yaml", "      HealthCheckGracePeriodSeconds: 300", "      HealthCheckGracePeriodSeconds: 240");
        var refused = await Assert.ThrowsAsync<OperationException>(() => PrepareAsync(harness.Operator(), new() { Component = ScalingComponent.Ecs, TargetCpu = 50 }));
        Assert.Equal("ScalingTakesMore", refused.ErrorId);
        Assert.Contains("Ecs/Service", refused.Message, StringComparison.Ordinal);
        await using var allowed = await PreparedScaling.PrepareAsync(
            harness.Operator().Operations, environment, new() { Component = ScalingComponent.Ecs, TargetCpu = 50 }, new() { AllowOtherChanges = true }, Now, Stop);
        Assert.Contains(allowed.Change.Resources, r => r.Path == "Ecs/Service");
    }

    private Task<PreparedScaling> PrepareAsync(Operator one, ScalingRequest request) => PreparedScaling.PrepareAsync(one.Operations, environment, request, new(), Now, Stop);
}
