using Inferloop.Tests.Operations;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Sandbox.Traffic;

/// <summary>Loads and the request log as a user sets and follows them.</summary>
public sealed class LoadCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();
    private readonly string folder = Directory.CreateTempSubdirectory("inferloop-load-").FullName;

    public LoadCmdletTests() => module.Invoke("Start-InferloopSandbox -ClockRate 3600 -Seed 1").EnsureSuccess();

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_load_is_set_by_number_objects_and_file_and_the_last_of_a_name_counts()
    {
        Assert.Equal(80, module.Invoke("(Set-InferloopSandboxLoad 80 -ErrorShare 0.5).RequestsPerSecond").Single<double>());
        module.Invoke("[pscustomobject]@{ At = '0:00'; RequestsPerSecond = 20 }, [pscustomobject]@{ At = '10.00:00'; RequestsPerSecond = 300 } | Set-InferloopSandboxLoad -Stepped").EnsureSuccess();
        Assert.Equal(20, module.Invoke("(Get-InferloopSandboxLoad).RequestsPerSecond").Single<double>());
        var path = Path.Combine(folder, "load.yaml");
        File.WriteAllText(path, "latency: 0:00:01\npoints:\n  - { at: 0:00, requestsPerSecond: 7 }\n");
        Assert.Equal(7, module.Invoke("(Set-InferloopSandboxLoad -Path $path -LoadBalancer il-*).RequestsPerSecond", new { path }).Single<double>());
        Assert.Equal(2, module.Invoke("@(Get-InferloopSandboxLoad).Count").Single<int>());
        Assert.Equal(1000, module.Invoke("(Get-InferloopSandboxLoad il-?).Profile.Latency.TotalMilliseconds").Single<double>());
    }

    [Theory]
    [InlineData("Set-InferloopSandboxLoad 1 -Region mars-1", "SandboxLoadInvalid", "no region mars-1")]
    [InlineData("Set-InferloopSandboxLoad 1 -Latency 0:00", "SandboxLoadInvalid", "latency")]
    [InlineData("Set-InferloopSandboxLoad -Path /nowhere/load.csv", "FileNotFound", "/nowhere/load.csv")]
    public void What_cannot_be_is_refused(string script, string id, string message)
    {
        var failure = module.Invoke(script).Failure();
        Assert.StartsWith(id, failure.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(message, failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_load_on_an_environment_is_seen_in_its_figures()
    {
        module.Invoke("New-InferloopEnvironment -Name demo -Stage Dev | Out-Null; Set-InferloopSandboxLoad 10 | Out-Null").EnsureSuccess();
        var load = module.Invoke("""
            $end = [DateTime]::UtcNow.AddSeconds(60)
            do { $l = Get-InferloopSandboxLoad } until (($l.Targets -gt 0 -and $l.Utilization -gt 0) -or [DateTime]::UtcNow -gt $end)
            $l
            """).Single();
        Assert.True((int)load.Properties["Targets"].Value > 0);
        Assert.Equal(0.0, (double)load.Properties["Failed"].Value);
        Assert.True((long)load.Properties["Requests"].Value > 0);
        module.Invoke("Get-InferloopSandboxLoad | Out-Default; (Get-InferloopSandboxLoad).Results | Out-Default; Get-InferloopSandboxRequest -Last 3 | Out-Default").EnsureSuccess();
        Assert.All(module.Host.Shown().Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100, line));
    }

    [Fact]
    public void The_request_log_shows_the_past_and_follows_what_comes()
    {
        module.Invoke("Add-InferloopSandboxFault Unavailable sts -Count 1 | Out-Null; Get-InferloopIdentity | Out-Null").EnsureSuccess();
        Assert.Equal("fault-1", module.Invoke("(Get-InferloopSandboxRequest -Failed).FaultId").Single<string>());
        Assert.Equal(["GetCallerIdentity"], module.Invoke("Get-InferloopSandboxRequest sts -Last 1 | ForEach-Object Operation").EnsureSuccess().Output.Select(o => o.ToString()));

        // The pipeline itself makes the requests that it follows: the first one from the past starts it off.
        module.Invoke("Get-InferloopEnvironment | Out-Null").EnsureSuccess();
        var followed = module.Invoke("""
            $seen = 0
            foreach ($once in 1) { Get-InferloopSandboxRequest cloudformation -Follow -Last 1 | ForEach-Object { $_; $seen++; if ($seen -ge 3) { break }; Get-InferloopEnvironment | Out-Null } }
            """).EnsureSuccess().Output;
        Assert.Equal(3, followed.Select(request => request.Properties["RequestId"].Value).Distinct().Count());
        Assert.All(followed, request => Assert.Equal("cloudformation", request.Properties["Service"].Value));
    }

    [Fact]
    public async Task Following_stops_on_ctrl_c()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        module.Invoke("Get-InferloopEnvironment | Out-Null").EnsureSuccess();
        var following = module.InvokeAsync("Get-InferloopSandboxRequest -Follow -Last 1", cancellationToken: stop.Token);
        stop.CancelAfter(TimeSpan.FromSeconds(2));
        var ended = await following.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Single(ended.Output);
        Assert.True(ended.Stopped);
    }
}
