using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Scaling;

/// <summary>An environment with everything that scales.</summary>
public sealed class WholeEnvironment : IDisposable
{
    public WholeEnvironment()
    {
        Module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();
        Module.Invoke("$e = New-InferloopEnvironment demo Dev -Pattern Full -TableBillingMode Provisioned -LambdaProvisionedConcurrency 2 -MonitoringEnabled $false -CacheNodeType cache.t4g.micro").EnsureSuccess();
    }

    internal ModuleFixture Module { get; } = new();

    public void Dispose()
    {
        Module.Invoke("Stop-InferloopSandbox");
        Module.Dispose();
    }
}

/// <summary>What scales beside the service's tasks, each through the spec and each as its own service has it then.</summary>
public sealed class ScalingComponentTests(WholeEnvironment whole) : IClassFixture<WholeEnvironment>
{
    private readonly ModuleFixture module = whole.Module;

    [Theory]
    [InlineData("EksNodes", "-Minimum 1 -Maximum 5 -Desired 1", "1 1 5", "EksDesiredNodes 2 -> 1, EksMaximumNodes 4 -> 5")]
    [InlineData("Batch", "-Maximum 64", "0 0 64, 0 0 64", "BatchMaximumVcpus 256 -> 64")]
    [InlineData("LambdaReserved", "-Maximum 50", "  50", "LambdaReservedConcurrency 0 -> 50")]
    [InlineData("LambdaProvisioned", "-Maximum 20 -TargetUtilization 60 -Schedule 'cron(0 8 ? * MON-FRI *)' -ScheduledMinimum 5 -SuspendOnly Scheduled -Suspend", "2 2 20",
        "LambdaProvisionedMaximum 0 -> 20, LambdaProvisionedTarget 70 -> 60, LambdaScalingSchedule (none) -> scheduled|cron(0 8 ? * MON-FRI *)|Etc/UTC|5|20, LambdaScalingSuspended None -> Scheduled")]
    [InlineData("TableRead", "-Minimum 10 -Maximum 200 -TargetUtilization 60", "10 10 200, 10 10 200", "TableMinimumReadCapacity 5 -> 10, TableMaximumReadCapacity 100 -> 200, TableTargetUtilization 70 -> 60")]
    [InlineData("TableWrite", "-Suspend -Schedule 'cron(0 20 * * ? *)' -TimeZone America/New_York -ScheduledMaximum 50", "5 5 100, 5 5 100", "TableScalingSchedule (none) -> scheduled|cron(0 20 * * ? *)|America/New_York|5|50, TableScalingSuspended None -> All")]
    [InlineData("Cache", "-Desired 2", " 2 ", "CacheNodes 1 -> 2")]
    [InlineData("DatabaseStorage", "-Maximum 200", "20 20 200", "DatabaseMaximumStorage 100 -> 200")]
    [InlineData("DatabaseReplicas", "-Desired 1", " 1 ", "DatabaseReplicas 0 -> 1")]
    public void Each_part_scales_through_the_spec_and_leaves_no_drift(string component, string parameters, string then, string values)
    {
        Assert.Equal(values, Text($"$c = Set-InferloopScaling demo {component} {parameters}; $c.Values"));
        Assert.Equal("True", Text("$c.Applied"));
        Assert.Equal(then, Text($"$e | Get-InferloopScaling -Component {component} | ForEach-Object {{ \"$($_.Minimum) $($_.Running ?? $_.Desired) $($_.Maximum)\" }}"));
        Assert.Empty(module.Invoke("Get-InferloopDrift demo").EnsureSuccess().Output.Select(d => $"{d}: {string.Join("; ", (System.Collections.IEnumerable)d.Properties["Properties"].Value)}"));
        Assert.Equal("", Text($"(Set-InferloopScaling demo {component} {parameters}).Values"));
    }

    [Theory]
    [InlineData("EksNodes -Schedule 'rate(1 hour)' -ScheduledMinimum 5", "ScalingNotOffered")]
    [InlineData("EksNodes -Desired 4", "ScalingQuota")]
    [InlineData("Batch -Minimum 100 -Maximum 200", "ScalingQuota")]
    [InlineData("LambdaReserved -Maximum 950", "ScalingQuota")]
    [InlineData("LambdaReserved -Minimum 5", "ScalingNotOffered")]
    [InlineData("LambdaProvisioned -Maximum 1", "ScalingBounds")]
    [InlineData("Batch -Maximum 500", "ScalingOutOfRange")]
    [InlineData("Batch -Suspend", "ScalingNotOffered")]
    [InlineData("Cache -Minimum 2", "ScalingNotOffered")]
    [InlineData("Cache -Desired 9", "ScalingOutOfRange")]
    [InlineData("DatabaseStorage -Minimum 10", "ScalingOutOfRange")]
    [InlineData("DatabaseStorage -Maximum 21", "SpecDatabaseStorage")]
    [InlineData("DatabaseReplicas -Desired 7", "ScalingOutOfRange")]
    [InlineData("TableWrite -Minimum 101", "ScalingBounds")]
    [InlineData("EcsInstances -Maximum 3", "ScalingComponentAbsent")]
    public void What_a_part_does_not_have_is_refused_with_what_it_has(string parameters, string id)
    {
        var error = Assert.Single(module.Invoke($"Set-InferloopScaling demo {parameters}").Errors);
        Assert.Equal(id, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Nodes_that_the_autoscaler_moved_are_set_by_their_service_and_their_end_is_said()
    {
        module.Invoke("Set-InferloopScaling demo EksNodes -Maximum 5 -Desired 2").EnsureSuccess();
        Assert.Equal("ScalingBelowRunning", Assert.Single(module.Invoke("Set-InferloopScaling demo EksNodes -Maximum 1").Errors).FullyQualifiedErrorId.Split(',')[0]);
        Assert.Equal("EksMaximumNodes 5 -> 4", Text("$c = Set-InferloopScaling demo EksNodes -Maximum 4 -NoWait; $c.Values"));
        Assert.Equal("0", Text("$c.After.Count"));
        Assert.Equal("UPDATE_COMPLETE", Text("(Wait-InferloopEnvironment demo).Status"));
        Assert.NotEmpty(module.Invoke("Set-InferloopScaling demo EksNodes -Maximum 5").Warnings);

        // As the others of this class, in whatever order, expect it.
        module.Invoke("Set-InferloopScaling demo EksNodes -Minimum 1 -Maximum 4 -Desired 2").EnsureSuccess();
    }

    private string Text(string script) => string.Join(", ", module.Invoke(script).EnsureSuccess().Output.Select(o => o.ToString()));
}
