using System.Management.Automation;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Scaling;

/// <summary>The scaling cmdlets on the service's tasks, in a session with the built module, on the templates that ship.</summary>
public sealed class ScalingCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();

    public ScalingCmdletTests()
    {
        module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();
        module.Invoke("$e = New-InferloopEnvironment demo Dev -DatabaseEnabled $false -CacheEnabled $false").EnsureSuccess();
    }

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
    }

    [Fact]
    public void Bounds_targets_and_schedule_go_through_the_spec_and_leave_no_drift()
    {
        var before = Scaling();
        Assert.Equal("1 1 1 3", $"{before.Properties["Minimum"].Value} {before.Properties["Desired"].Value} {before.Properties["Running"].Value} {before.Properties["Maximum"].Value}");
        Assert.Equal("Cpu 70 %, Memory 80 %", Text("(Get-InferloopScaling demo Ecs).Targets"));
        Assert.Equal("+25 % from 90 to 95 (demo-dev-cpu-high), +50 % from 95 on (demo-dev-cpu-high)", Text("(Get-InferloopScaling demo Ecs).Steps"));

        // -WhatIf shows the change and leaves everything as it is.
        var shown = module.Invoke("$e | Set-InferloopScaling -Component Ecs -Minimum 2 -Maximum 8 -TargetCpu 60 -WhatIf").Single();
        Assert.Equal(false, shown.Properties["Applied"].Value);
        Assert.Contains("MinimumTasks 1 -> 2", shown.ToString(), StringComparison.Ordinal);
        Assert.Contains("Fargate Spot tasks", shown.ToString(), StringComparison.Ordinal);
        Assert.Equal("1 3", Text("$e = Get-InferloopEnvironment demo; $e.Spec.Ecs.MinimumTasks, $e.Spec.Ecs.MaximumTasks", " "));

        var changed = module.Invoke("""
            $c = $e | Set-InferloopScaling -Component Ecs -Minimum 2 -Maximum 8 -TargetCpu 60 -TargetRequests 600 -StepPercent 30, 100 -TargetMetric @{ Namespace = 'Inferloop'; Name = 'QueueDepth'; Target = 20; Dimensions = @{ Queue = 'jobs' } } -Schedule 'cron(0 8 ? * MON-FRI *)' -ScheduleName morning -TimeZone Europe/Berlin -ScheduledMinimum 4
            $c
            """).Single();
        Assert.Equal(true, changed.Properties["Applied"].Value);
        Assert.Equal("1 of 1 -> 2 of 8", Text("\"$($c.Before[0].Desired) of $($c.Before[0].Minimum) -> $($c.After[0].Minimum) of $($c.After[0].Maximum)\""));
        Assert.Contains("Ecs/RequestScaling", Text("$c.Resources.Path"), StringComparison.Ordinal);
        Assert.Equal("Cpu 60 %, Memory 80 %, Inferloop/QueueDepth 20, Requests 600 a minute each", Text("(Get-InferloopScaling demo Ecs).Targets"));
        Assert.Equal("30, 100", Text("(Get-InferloopScaling demo Ecs).Steps.Percent"));
        Assert.Equal("morning 4 to 8 Europe/Berlin 08:00 Monday Tuesday Wednesday", Text(
            "$s = (Get-InferloopScaling demo Ecs).Schedule; $days = 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'; $ok = @($s[0].Next | Where-Object { $days -contains \"$($_.DayOfWeek)\" }).Count -eq 3; \"$($s[0].Name) $($s[0].Minimum) to $($s[0].Maximum) $($s[0].TimeZone) $($s[0].Next[0].ToString('HH:mm'))$(if ($ok) { ' Monday Tuesday Wednesday' })\""));
        NoDrift();

        // The same again changes nothing; a preset takes bounds and targets back and leaves the schedule.
        Assert.Empty((System.Collections.IEnumerable)module.Invoke("Set-InferloopScaling demo Ecs -Minimum 2 -Maximum 8").Single().Properties["Values"].Value);
        var preset = module.Invoke("Set-InferloopScaling demo Ecs -Preset Dev -Desired 1").Single().ToString();
        Assert.Contains("MaximumTasks 8 -> 3", preset, StringComparison.Ordinal);
        Assert.Contains("TaskScalingSteps 30,100 -> 25,50", preset, StringComparison.Ordinal);
        Assert.DoesNotContain("Schedule", preset, StringComparison.Ordinal);
        NoDrift();
    }

    [Fact]
    public void Scaling_rests_and_goes_on_and_components_go_down_the_pipeline()
    {
        const string Part = "Get-InferloopEnvironmentComponent demo Ecs | Where-Object Type -eq AWS::ECS::Service";
        module.Invoke($"{Part} | Set-InferloopScaling -Suspend").EnsureSuccess();
        Assert.Equal("All", Text("(Get-InferloopScaling demo Ecs).Suspended"));
        module.Invoke("Get-InferloopScaling demo Ecs | Set-InferloopScaling -Suspend -SuspendOnly In").EnsureSuccess();
        Assert.Equal("In", Text($"({Part} | Get-InferloopScaling).Suspended"));
        NoDrift();
        module.Invoke("Get-InferloopScaling demo Ecs | Set-InferloopScaling -Resume -Desired 2").EnsureSuccess();
        Assert.Equal("None 2", Text("$s = Get-InferloopScaling demo Ecs; \"$($s.Suspended) $($s.Desired)\""));
        NoDrift();

        // The spec says two by now; where something else moved it, two can be asked for again.
        module.Invoke("Set-InferloopScaling demo Ecs -Desired 3").EnsureSuccess();
        module.Invoke("Set-InferloopScaling demo Ecs -Desired 2").EnsureSuccess();
        Assert.Equal("2", Text("(Get-InferloopScaling demo Ecs).Desired"));
        Assert.Equal("ScalingPartUnscalable", Id("Get-InferloopEnvironmentComponent demo Network | Where-Object Type -eq AWS::EC2::VPC | Set-InferloopScaling -Minimum 1"));
    }

    [Fact]
    public void A_schedule_moves_the_bounds_at_its_time_and_that_is_no_drift()
    {
        // An hour of the sandbox is a second.
        module.Invoke("Set-InferloopScaling demo Ecs -Maximum 6 -Schedule 'cron(0 * * * ? *)' -ScheduleName hourly -ScheduledMinimum 4 -ScheduledMaximum 5").EnsureSuccess();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        while (Text("$s = Get-InferloopScaling demo Ecs; \"$($s.Minimum) $($s.Maximum) $($s.Running)\"") != "4 5 4")
        {
            limit.Token.ThrowIfCancellationRequested();
        }

        Assert.Contains("scheduled action name hourly was triggered", Text("(Get-InferloopScaling demo Ecs).Activities.Cause"), StringComparison.Ordinal);
        NoDrift();
        Assert.NotEmpty(module.Invoke("(Get-InferloopDrift demo -All | Where-Object Path -eq Ecs/ScalableTarget).Scaled").Output);
    }

    [Theory]
    [InlineData("-Maximum 0", "ScalingOutOfRange")]
    [InlineData("-Minimum 5", "ScalingBounds")]
    [InlineData("-Desired 9", "ScalingBounds")]
    [InlineData("-Maximum 40", "ScalingQuota")]
    [InlineData("-TargetUtilization 50", "ScalingNotOffered")]
    [InlineData("-TargetCpu 99", "ScalingOutOfRange")]
    [InlineData("-TargetMetric @{ Name = 'QueueDepth' }", "ScalingMetricInvalid")]
    [InlineData("-Schedule 'cron(0 8 * * MON *)' -ScheduledMinimum 2", "ScheduleInvalid")]
    [InlineData("-Schedule 'rate(1 hour)'", "ScheduleInvalid")]
    [InlineData("-Schedule 'rate(1 hour)' -ScheduledMinimum 5", "ScheduleInvalid")]
    [InlineData("-ScheduledMinimum 5", "ScheduleInvalid")]
    [InlineData("-Schedule 'rate(1 hour)' -ScheduledMaximum 60", "ScalingQuota")]
    [InlineData("-RemoveSchedule nightly", "ScheduleUnknown")]
    [InlineData("-Suspend -Resume", "ScalingSuspendOrResume")]
    [InlineData("-Maximum 3 -MaxMonthlyCost 1", "MonthlyCostExceeded")]
    public void What_cannot_be_is_refused_with_what_to_do(string parameters, string id)
    {
        var refused = module.Invoke($"Set-InferloopScaling demo Ecs {parameters}");
        var error = Assert.Single(refused.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.Equal("1 3", Text("$s = (Get-InferloopEnvironment demo).Spec.Ecs; $s.MinimumTasks, $s.MaximumTasks", " "));
    }

    [Fact]
    public void What_runs_is_not_ended_by_a_bound_alone()
    {
        module.Invoke("Set-InferloopScaling demo Ecs -Maximum 4 -Desired 4").EnsureSuccess();
        Assert.Equal("ScalingBelowRunning", Id("Set-InferloopScaling demo Ecs -Maximum 2"));
        module.Invoke("Set-InferloopScaling demo Ecs -Maximum 2 -Desired 2").EnsureSuccess();
        Assert.Equal("2 2", Text("$s = Get-InferloopScaling demo Ecs; $s.Desired, $s.Maximum", " "));
        Assert.Equal("ScalingComponentAbsent", Id("Set-InferloopScaling demo Cache -Desired 2"));
        Assert.Equal("ScalingComponentMissing", Id("Set-InferloopScaling demo -Minimum 1"));
    }

    [Fact]
    public void A_change_that_AWS_refuses_halfway_is_taken_back_with_the_reason()
    {
        module.Invoke("Add-InferloopSandboxFault ResourceFailure -Operation Update -Resource AWS::ApplicationAutoScaling::ScalableTarget -Count 1").EnsureSuccess();
        var failed = module.Invoke("Set-InferloopScaling demo Ecs -Maximum 6 -TargetCpu 50 -Schedule 'rate(1 hour)' -ScheduledMinimum 2");
        var error = Assert.Single(failed.Errors);
        Assert.StartsWith("EnvironmentUpdateFailed,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("Ecs/ScalableTarget", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("1 3 0 Cpu 70 %", Text("$s = Get-InferloopScaling demo Ecs; \"$($s.Minimum) $($s.Maximum) $($s.Schedule.Count) $($s.Targets[0])\""));
        NoDrift();

        // Nothing stands in the way of the next one.
        Assert.Equal("True", Text("(Set-InferloopScaling demo Ecs -Maximum 6 -TargetCpu 50 -Schedule 'rate(1 hour)' -ScheduledMinimum 2).Applied"));
    }

    [Fact]
    public void Throttling_and_lost_answers_on_the_way_change_nothing_about_the_end()
    {
        module.Invoke("Add-InferloopSandboxFault Throttling -Service application-autoscaling -Count 2").EnsureSuccess();
        module.Invoke("Add-InferloopSandboxFault AnswerLost -Service cloudformation -Operation ExecuteChangeSet -Count 1").EnsureSuccess();
        Assert.Equal("True", Text("(Set-InferloopScaling demo Ecs -Maximum 5 -Desired 2).Applied"));
        Assert.Equal("2 5", Text("$s = Get-InferloopScaling demo Ecs; $s.Desired, $s.Maximum", " "));
        NoDrift();
    }

    private PSObject Scaling() => module.Invoke("Get-InferloopScaling demo Ecs").Single();

    private string Text(string script, string separator = ", ") => string.Join(separator, module.Invoke(script).EnsureSuccess().Output.Select(o => o.ToString()));

    private string Id(string script) => Assert.Single(module.Invoke(script).Errors).FullyQualifiedErrorId.Split(',')[0];

    private void NoDrift() => Assert.Empty(module.Invoke("Get-InferloopDrift demo").EnsureSuccess().Output.Select(d => $"{d}: {string.Join("; ", (System.Collections.IEnumerable)d.Properties["Properties"].Value)}"));
}
