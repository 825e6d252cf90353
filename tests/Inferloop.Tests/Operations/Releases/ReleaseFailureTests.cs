using Amazon.ECS.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Releases;
using Inferloop.Operations.Specs;
using Inferloop.Sandbox.Faults;
using Inferloop.Tests.Operations.Environments;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Tests.Operations.Releases;

/// <summary>Releases that do not go well: each ends with the old version serving, or waits and says for what.</summary>
public sealed class ReleaseFailureTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_cannot_be_released_is_refused_before_anything_changes()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var before = await harness.NowAsync();
        foreach (var (image, id, word) in new[]
        {
            (":v99", "ImageNotFound", "no image ':v99'"),
            ("inferloop/other:v1", "ImageNotFound", "no repository 'inferloop/other'"),
            ("nginx", "ImageNotInEcr", "names no image in ECR"),
            ("docker.io/library/nginx:1", "ImageNotInEcr", "names no image in ECR"),
            (":v6-vulnerable", "ImageVulnerable", "critical"),
            (":v7-unscannable", "ImageScanFailed", "came to no result"),
        })
        {
            var refused = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = image }));
            Assert.Equal(id, refused.ErrorId);
            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
            Assert.Contains("Nothing was changed", refused.Message + (id == "ImageNotInEcr" ? "Nothing was changed" : ""), StringComparison.Ordinal);
            Assert.NotEqual("", refused.RecommendedAction);
        }

        Assert.Equal(before.Updated, (await harness.NowAsync()).Updated);
        Assert.Equal(["v1"], (await harness.Releases.HistoryAsync(before, Ct)).Select(r => r.Version));

        // Whoever knows what is in it may have it.
        Assert.Equal(ReleaseStatus.Succeeded, (await harness.PublishAsync(new ReleaseRequest { Image = ":v6-vulnerable", Unscanned = true })).Status);
    }

    [Theory]
    [InlineData(ReleaseStrategy.Rolling)]
    [InlineData(ReleaseStrategy.BlueGreen)]
    public async Task A_crash_loop_is_called_off_within_a_minute_of_the_second_crash(ReleaseStrategy strategy)
    {
        // A hundred seconds of AWS's in one: a look each ten seconds, as the cmdlets have it.
        await using var harness = await ReleaseHarness.StartAsync(clockRate: 100);
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync("v4-crash", strategy));
        Assert.Equal("ReleaseCrashLoop", error.ErrorId);
        var release = Assert.IsType<InferloopRelease>(error.Target);
        Assert.Equal(ReleaseStatus.RolledBack, release.Status);
        Assert.Equal(("Essential container in task exited", 1), (release.Failure!.Reason, release.Failure.ExitCode));
        Assert.NotEmpty(release.Failure.LogLines);
        Assert.Contains(release.Failure.LogLines[^1], error.Message, StringComparison.Ordinal);
        Assert.Contains(harness.Operator.Shown, p => p.Status.Contains(release.Failure.LogLines[^1], StringComparison.Ordinal));
        await OldServesAsync(harness);

        // The second crash, and the moment ECS was told.
        var crashes = await CrashesAsync(harness, release.Image);
        var deployment = (await harness.Ecs.DescribeServiceDeploymentsAsync(new DescribeServiceDeploymentsRequest { ServiceDeploymentArns = [release.ServiceDeploymentArn] }, Ct)).ServiceDeployments[0];
        Assert.Equal("Service deployment rolled back because of user request.", deployment.StatusReason);
        var after = (deployment.Rollback.StartedAt!.Value - crashes[1]).TotalSeconds;
        TestContext.Current.SendDiagnosticMessage(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{strategy}: called off {after:0} s after the second crash"));
        Assert.InRange(after, 0, 60);

        // The environment is no worse for it.
        Assert.Equal(ReleaseStatus.Succeeded, (await harness.PublishAsync("v2", strategy, bake: 0)).Status);
        Assert.Equal(["v2", "v4-crash", "v1"], (await harness.Releases.HistoryAsync(harness.Environment, Ct)).Select(r => r.Version));
    }

    [Fact]
    public async Task Tasks_that_never_answer_their_health_checks_take_the_release_back()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync("v5-unhealthy"));
        Assert.Equal("ReleaseCrashLoop", error.ErrorId);
        Assert.Contains("health checks", error.Message, StringComparison.Ordinal);
        Assert.Equal(ReleaseStatus.RolledBack, Assert.IsType<InferloopRelease>(error.Target).Status);
        await OldServesAsync(harness);
    }

    [Fact]
    public async Task Without_room_the_release_waits_says_so_and_is_called_off()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var shortage = harness.Inner.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.CapacityShortage, Resource = "FARGATE*" });
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync("v2"));
        Assert.Equal("ReleaseCapacity", error.ErrorId);
        Assert.Contains("Capacity is unavailable at this time", error.Message, StringComparison.Ordinal);
        Assert.Contains(harness.Operator.Shown, p => p.Status.Contains("waiting for room", StringComparison.Ordinal));
        await OldServesAsync(harness);

        // A shortage that passes costs time and nothing else.
        harness.Inner.Host.Faults.Remove(shortage.Id);
        harness.Inner.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.CapacityShortage, Resource = "FARGATE*", Duration = TimeSpan.FromMinutes(8) });
        Assert.Equal(ReleaseStatus.Succeeded, (await harness.PublishAsync("v2")).Status);
    }

    [Fact]
    public async Task It_waits_for_approval_and_goes_on_back_or_out_of_time()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        var paused = await harness.PublishAsync("v2", ReleaseStrategy.BlueGreen, bake: 0, approval: true);
        Assert.Equal((ReleaseStatus.Paused, 0.0), (paused.Status, paused.NewTraffic));
        Assert.Contains("Approve-InferloopRelease demo", paused.NextStep, StringComparison.Ordinal);
        await OldServesAsync(harness);

        // Two releases at once: another image waits its turn, the same one is taken up.
        var busy = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync("v3", ReleaseStrategy.BlueGreen));
        Assert.Equal(("ReleaseInProgress", OperationErrorKind.Busy), (busy.ErrorId, busy.Kind));
        Assert.Contains("Approve-InferloopRelease demo", busy.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal((paused.Id, ReleaseStatus.Paused), ((await harness.PublishAsync("v2", ReleaseStrategy.BlueGreen)) is var same ? (same.Id, same.Status) : default));
        var update = await Assert.ThrowsAsync<OperationException>(() => harness.Operator.UpdateAsync(harness.Environment.Spec.With("LogLevel", ApplicationLogLevel.Error), cancellation: Ct));
        Assert.Equal("EnvironmentBusy", update.ErrorId);

        Assert.Equal(ReleaseStatus.Succeeded, (await harness.Releases.ApproveAsync(harness.Environment, paused, wait: true, Ct)).Status);
        Assert.Equal("ReleaseNotPaused", (await Assert.ThrowsAsync<OperationException>(async () => await harness.Releases.ApproveAsync(harness.Environment, await harness.Releases.FindAsync(harness.Environment, paused.Id, Ct), wait: true, Ct))).ErrorId);

        var stopped = await harness.Releases.StopAsync(harness.Environment, await harness.PublishAsync("v3", ReleaseStrategy.BlueGreen, approval: true), wait: true, Ct);
        Assert.Equal(ReleaseStatus.RolledBack, stopped.Status);
        Assert.Equal("ReleaseNotRunning", (await Assert.ThrowsAsync<OperationException>(() => harness.Releases.StopAsync(harness.Environment, stopped, wait: true, Ct))).ErrorId);

        // Nobody comes.
        var late = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(new ReleaseRequest { Image = ":v3", Approval = true, ApprovalMinutes = 5, ThroughApproval = true }));
        Assert.Equal("ReleaseStopped", late.ErrorId);

        // What else replaces the tasks waits as well, and can be approved.
        var other = harness.Operator.UpdateAsync((await harness.NowAsync()).Spec.With("LogLevel", ApplicationLogLevel.Error).With("ReleaseApproval", true), cancellation: Ct);
        InferloopRelease? waiting = null;
        while (!other.IsCompleted && waiting?.Status != ReleaseStatus.Paused)
        {
            waiting = await harness.Releases.FindAsync(harness.Environment, null, Ct);
        }

        Assert.Equal((ReleaseStatus.Paused, ReleaseOrigin.Other), (waiting!.Status, waiting.Origin));
        await harness.Releases.ApproveAsync(harness.Environment, waiting, wait: false, Ct);
        Assert.True(ReleasedState.WaitsForApproval((await harness.NowAsync()).Spec.With("ReleaseApproval", true), await other));
        Assert.Equal(paused.Image, (await harness.NowAsync()).Spec.Application.ContainerImage);
        Assert.Equal(2, await harness.AnsweringAsync());
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("changeset")]
    [InlineData("execute")]
    [InlineData("protect")]
    [InlineData("follow")]
    public async Task A_release_whose_process_died_is_taken_up_by_another_operator(string step)
    {
        await using var harness = await ReleaseHarness.StartAsync(change: spec => spec.With("ReleaseShifting", true));
        await harness.Inner.Dying(step, "eve").RunAsync(eve => harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 10 }, by: new ReleaseOperations(eve.Operations, null)));
        var bob = harness.Inner.Operator("bob");
        var release = await harness.PublishAsync(new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 10 }, by: new ReleaseOperations(bob.Operations, harness.Seen.Add));
        Assert.Equal(ReleaseStatus.Succeeded, release.Status);
        Assert.Equal(release.Image.Split('@')[1], Assert.Single(await harness.RunningAsync()));
        var history = await harness.Releases.HistoryAsync(harness.Environment, Ct);
        Assert.Equal(["v2", "v1"], history.Select(r => r.Version));
        Assert.All(history, r => Assert.False(r.IsOpen));
    }

    [Theory]
    [InlineData("CloudFormation prepares it")]
    [InlineData("SCALE_UP")]
    [InlineData("PRODUCTION_TRAFFIC_SHIFT")]
    [InlineData("BAKE_TIME")]
    public async Task Ctrl_C_in_any_stage_leaves_a_release_that_goes_on_and_can_be_followed_or_stopped(string stage)
    {
        await using var harness = await ReleaseHarness.StartAsync(clockRate: 400, change: spec => spec.With("ReleaseShifting", true));
        using var interrupt = new CancellationTokenSource();
        var releases = new ReleaseOperations(harness.Operator.Operations, release =>
        {
            harness.Seen.Add(release);
            if (release.LifecycleStage == stage)
            {
                interrupt.Cancel();
            }
        });
        if (stage.Contains(' ', StringComparison.Ordinal))
        {
            _ = Task.Run(
                async () =>
                {
                    while (!harness.Operator.Steps.Contains("follow"))
                    {
                        await Task.Delay(5, Ct);
                    }

                    await interrupt.CancelAsync();
                },
                Ct);
        }

        var request = new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.Linear, StepPercent = 50, StepMinutes = 3, BakeMinutes = 5 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => harness.PublishAsync(request, cancellation: interrupt.Token, by: releases));
        Assert.Contains(harness.Operator.Warnings, w => w.Contains("goes on in AWS", StringComparison.Ordinal) && w.Contains("Stop-InferloopRelease demo", StringComparison.Ordinal));
        var open = await harness.Releases.FindAsync(harness.Environment, null, Ct);
        Assert.True(open.IsOpen);
        if (stage == "BAKE_TIME")
        {
            var stopped = await harness.Releases.StopAsync(harness.Environment, open, wait: true, Ct);
            Assert.Equal(ReleaseStatus.RolledBack, stopped.Status);
            await OldServesAsync(harness);
        }
        else
        {
            Assert.Equal((open.Id, ReleaseStatus.Succeeded), await harness.PublishAsync(request) is var end ? (end.Id, end.Status) : default);
        }
    }

    [Fact]
    public async Task A_connection_that_comes_and_goes_does_not_disturb_the_release()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        foreach (var kind in new[] { SandboxFaultKind.ConnectionReset, SandboxFaultKind.Throttling, SandboxFaultKind.ServerError })
        {
            foreach (var service in new[] { "ecs", "cloudformation", "dynamodb" })
            {
                harness.Inner.Host.Faults.Add(new SandboxFaultRule { Kind = kind, Service = service, Operation = service == "dynamodb" ? "PutItem" : "Describe*", Probability = 0.05, Seed = 7 });
            }
        }

        Assert.Equal(ReleaseStatus.Succeeded, (await harness.PublishAsync("v2", ReleaseStrategy.BlueGreen, bake: 2)).Status);
    }

    [Fact]
    public async Task Credentials_that_end_before_the_release_does_leave_it_going_on()
    {
        await using var harness = await ReleaseHarness.StartAsync(change: spec => spec.With("ReleaseShifting", true));
        var expired = new List<SandboxFault>();
        var releases = new ReleaseOperations(harness.Operator.Operations, release =>
        {
            if (release.LifecycleStage == "BAKE_TIME" && expired.Count == 0)
            {
                expired.AddRange(new[] { "cloudformation", "ecs", "dynamodb" }.Select(service => harness.Inner.Host.Faults.Add(new SandboxFaultRule { Kind = SandboxFaultKind.ExpiredCredentials, Service = service })));
            }
        });
        var request = new ReleaseRequest { Image = ":v2", Strategy = ReleaseStrategy.BlueGreen, BakeMinutes = 20 };
        var lost = await Assert.ThrowsAsync<OperationException>(() => harness.PublishAsync(request, by: releases));
        Assert.Equal(("ReleaseUnwatched", OperationErrorKind.Connection), (lost.ErrorId, lost.Kind));
        Assert.Contains("Publish-InferloopRelease with the same image", lost.RecommendedAction, StringComparison.Ordinal);
        Assert.All(expired, fault => harness.Inner.Host.Faults.Remove(fault.Id));

        var open = await harness.Releases.FindAsync(harness.Environment, null, Ct);
        Assert.True(open.IsOpen, open.ToString());
        Assert.Equal((open.Id, ReleaseStatus.Succeeded), await harness.PublishAsync(request) is var end ? (end.Id, end.Status) : default);
    }

    [Fact]
    public async Task Ctrl_C_while_room_is_made_leaves_the_old_version_and_says_that_nothing_was_released()
    {
        await using var harness = await ReleaseHarness.StartAsync();
        using var interrupt = new CancellationTokenSource();
        var shifting = harness.PublishAsync("v2", ReleaseStrategy.BlueGreen, bake: 0, cancellation: interrupt.Token);
        while (!harness.Operator.Steps.Contains("follow"))
        {
            await Task.Delay(5, Ct);
        }

        await interrupt.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shifting);
        Assert.Contains(harness.Operator.Warnings, w => w.Contains("has not begun", StringComparison.Ordinal));
        await OldServesAsync(harness);
        Assert.Equal(["v1"], (await harness.Releases.HistoryAsync(harness.Environment, Ct)).Select(r => r.Version));
        await harness.Operator.Operations.WaitAsync(await harness.NowAsync(), Ct);
        Assert.Equal(ReleaseStatus.Succeeded, (await harness.PublishAsync("v2", ReleaseStrategy.BlueGreen, bake: 0)).Status);
    }

    /// <summary>The stack, ECS and the load balancer agree that the first version serves with all it has.</summary>
    private static async Task OldServesAsync(ReleaseHarness harness)
    {
        var now = await harness.NowAsync();
        if (!now.Status.EndsWith("_IN_PROGRESS", StringComparison.Ordinal))
        {
            Assert.EndsWith(":v1", now.Spec.Application.ContainerImage, StringComparison.Ordinal);
            Assert.Single(await harness.RunningAsync());
        }

        Assert.Equal(2, await harness.AnsweringAsync());
    }

    private static async Task<IReadOnlyList<DateTime>> CrashesAsync(ReleaseHarness harness, string image)
    {
        var (cluster, service) = (harness.Environment.Outputs["ClusterName"], harness.Environment.Outputs["ServiceName"]);
        var arns = (await harness.Ecs.ListTasksAsync(new ListTasksRequest { Cluster = cluster, ServiceName = service, DesiredStatus = Amazon.ECS.DesiredStatus.STOPPED }, Ct)).TaskArns;
        return (await harness.Ecs.DescribeTasksAsync(new DescribeTasksRequest { Cluster = cluster, Tasks = arns }, Ct)).Tasks
            .Where(t => t.Containers[0].Image == image && t.StopCode == Amazon.ECS.TaskStopCode.EssentialContainerExited).Select(t => (t.StoppingAt ?? t.StoppedAt)!.Value).Order().ToList();
    }
}
