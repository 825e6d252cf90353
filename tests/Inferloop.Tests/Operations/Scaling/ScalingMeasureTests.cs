using Inferloop.Operations.Scaling;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Scaling;

/// <summary>A load replayed on the sandbox, and what is made of the minutes it left.</summary>
public sealed class ScalingMeasureTests
{
    private static readonly DateTimeOffset Noon = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private static List<InferloopScalingMinute> Minutes(params (double Cpu, int Running)[] minutes) =>
        minutes.Select((m, i) => new InferloopScalingMinute { Time = Noon.AddMinutes(i), Cpu = m.Cpu, Running = m.Running, Desired = m.Running }).ToList();

    [Fact]
    public void A_reaction_lasts_until_the_target_holds_and_one_quiet_minute_is_no_rest()
    {
        var minutes = Minutes((20, 1), (100, 1), (100, 1), (50, 2), (80, 2), (58, 3), (58, 3), (59, 3), (90, 3), (95, 3));
        var reactions = ScalingMeter.Reactions(minutes, [Noon.AddMinutes(3), Noon.AddMinutes(4.5)], 60);
        Assert.Equal(2, reactions.Count);
        Assert.Equal(new InferloopScalingReaction(Noon.AddMinutes(1), Noon.AddMinutes(3), Noon.AddMinutes(5), 1, 3), reactions[0]);
        Assert.Equal(new InferloopScalingReaction(Noon.AddMinutes(8), null, null, 3, 3), reactions[1]);
        Assert.Empty(ScalingMeter.Reactions(Minutes((20, 1), (60, 1)), [], 60));
    }

    [Fact]
    public void A_load_is_replayed_and_the_time_to_scale_what_was_saturated_and_the_cost_are_told()
    {
        using var module = new ModuleFixture();
        module.Invoke("Start-InferloopSandbox -ClockRate 200").EnsureSuccess();
        try
        {
            // Creation is no part of it, and takes its time on a slow clock.
            module.Invoke("$e = New-InferloopEnvironment demo Dev -DatabaseEnabled $false -CacheEnabled $false -MonitoringEnabled $false -MaximumTasks 4").EnsureSuccess();
            var measured = module.Invoke("$m = $e | Measure-InferloopScaling -From 5 -To 40 -Quiet 0:03:00 -Duration 0:25:00; $m").Single();
            var result = (string)measured.ToString();
            Assert.Equal("True", module.Invoke("\"$($m.IsSettled)\"").Single<string>());

            // 40 requests a second of 20 milliseconds are 0.8 vCPUs: at 70 % of half a vCPU that is three tasks.
            Assert.True(module.Invoke("$m.PeakTasks -ge 3 -and $m.PeakTasks -le 4").Single<bool>(), result);
            Assert.True(module.Invoke("$m.TimeToReact -gt 0 -and $m.TimeToScale -ge $m.TimeToReact.Subtract('0:01:00') -and $m.TimeToScale -lt [TimeSpan]'0:15:00'").Single<bool>(), result);
            Assert.True(module.Invoke("$m.Saturated -gt 0 -and $m.FailedRequests -gt 0 -and $m.FailedRequests -lt $m.Requests").Single<bool>(), result);
            Assert.True(module.Invoke("$m.Cost -gt 0 -and $m.Cost -lt $m.CostAtMaximum").Single<bool>(), result);
            Assert.Equal(25, module.Invoke("$m.Minutes.Count").Single<int>());

            // It is left idle.
            Assert.Equal(0.0, module.Invoke("@(Get-InferloopSandboxLoad)[-1].RequestsPerSecond").Single<double>());

            var refused = Assert.Single(module.Invoke("Measure-InferloopScaling demo").Errors);
            Assert.StartsWith("ScalingLoadMissing,", refused.FullyQualifiedErrorId, StringComparison.Ordinal);
        }
        finally
        {
            module.Invoke("Stop-InferloopSandbox");
        }
    }

    [Theory]
    [InlineData("")]
    public void Requests_for_each_task_are_held_whichever_target_group_serves(string members)
    {
        using var module = new ModuleFixture();
        module.Invoke("Start-InferloopSandbox -ClockRate 300").EnsureSuccess();
        try
        {
            // 40 requests a second that cost next to nothing are 2400 a minute: four tasks of 600.
            module.Invoke($"$e = New-InferloopEnvironment demo Dev -DatabaseEnabled $false -CacheEnabled $false -MonitoringEnabled $false -MaximumTasks 6 -TargetRequestsPerTask 600 {members}").EnsureSuccess();
            Assert.Contains("Requests 600 a minute each", string.Join(", ", module.Invoke("(Get-InferloopScaling demo Ecs).Targets").EnsureSuccess().Output), StringComparison.Ordinal);
            var told = module.Invoke("$m = $e | Measure-InferloopScaling -From 5 -To 40 -Quiet 0:02:00 -Duration 0:15:00 -CpuPerRequest 0:00:00.001; $m").Single().ToString();
            Assert.True(module.Invoke("$m.PeakTasks -ge 4").Single<bool>(), told);
            Assert.Contains(module.Invoke("(Get-InferloopScaling demo Ecs).Activities.Cause").EnsureSuccess().Output, c => c.ToString().EndsWith("triggered policy requests", StringComparison.Ordinal));
        }
        finally
        {
            module.Invoke("Stop-InferloopSandbox");
        }
    }
}
