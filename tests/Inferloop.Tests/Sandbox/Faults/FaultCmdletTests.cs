using System.Management.Automation;
using Inferloop.Tests.Operations;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Sandbox.Faults;

/// <summary>Faults as a user injects, watches and removes them.</summary>
public sealed class FaultCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();

    public FaultCmdletTests() => module.Invoke("Start-InferloopSandbox -ClockRate 3600 -Seed 1").EnsureSuccess();

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
    }

    [Fact]
    public void A_fault_is_injected_seen_to_strike_and_removed()
    {
        var fault = module.Invoke("$f = Add-InferloopSandboxFault AccessDenied sts GetCallerIdentity -Message 'not today'; $f").Single();
        Assert.Equal("fault-1", fault.Properties["Id"].Value);
        var failure = module.Invoke("Get-InferloopIdentity").Failure();
        Assert.Contains("not today", failure.Exception.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, module.Invoke("(Get-InferloopSandboxFault fault-1).Struck").Single<int>());
        Assert.Equal("fault-1", module.Invoke("(Get-InferloopSandbox).Faults[0].Id").Single<string>());
        module.Invoke("Get-InferloopSandboxFault | Remove-InferloopSandboxFault").EnsureSuccess();
        Assert.Empty(module.Invoke("Get-InferloopSandboxFault").EnsureSuccess().Output);
        Assert.Equal("Removed", module.Invoke("\"$($f.State)\"").Single<string>());
        module.Invoke("Get-InferloopIdentity").EnsureSuccess();
    }

    [Fact]
    public void A_stack_whose_resource_fails_names_it()
    {
        module.Invoke("Add-InferloopSandboxFault ResourceFailure -Operation Create -Resource AWS::ECS::Service -Message 'no capacity' -Count 1").EnsureSuccess();
        var failure = module.Invoke("New-InferloopEnvironment -Name demo -Stage Dev -ErrorAction Stop").Failure();
        Assert.Contains("no capacity", failure.ToString(), StringComparison.Ordinal);
        Assert.Contains("Service", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_are_chosen_by_id_kind_and_state()
    {
        module.Invoke("Add-InferloopSandboxFault Throttling ecs; Add-InferloopSandboxFault RegionLoss -Region us-west-2 -StartsAfter 1.00:00; Add-InferloopSandboxFault Unavailable rds").EnsureSuccess();
        Assert.Equal(2, module.Invoke("@(Get-InferloopSandboxFault -State Active).Count").Single<int>());
        Assert.Equal("fault-2", module.Invoke("(Get-InferloopSandboxFault -Kind RegionLoss).Id").Single<string>());
        module.Invoke("Remove-InferloopSandboxFault fault-[13]").EnsureSuccess();
        Assert.Equal("fault-2", module.Invoke("(Get-InferloopSandboxFault).Id").Single<string>());
    }

    [Fact]
    public void WhatIf_injects_and_removes_nothing()
    {
        module.Invoke("Add-InferloopSandboxFault Throttling -WhatIf").EnsureSuccess();
        Assert.Empty(module.Invoke("Get-InferloopSandboxFault").EnsureSuccess().Output);
        module.Invoke("Add-InferloopSandboxFault Throttling ecs; Remove-InferloopSandboxFault * -WhatIf").EnsureSuccess();
        Assert.Single(module.Invoke("Get-InferloopSandboxFault").EnsureSuccess().Output);
    }

    [Theory]
    [InlineData("Add-InferloopSandboxFault Throttling payroll", "SandboxFaultInvalid", "no service payroll")]
    [InlineData("Add-InferloopSandboxFault Throttling ecs CreateTable", "SandboxFaultInvalid", "no operation CreateTable")]
    [InlineData("Add-InferloopSandboxFault Latency", "SandboxFaultInvalid", "needs a delay")]
    [InlineData("Remove-InferloopSandboxFault fault-99", "SandboxFaultNotFound", "fault-99")]
    public void What_cannot_be_is_refused_with_the_reason_and_what_to_do(string script, string id, string message)
    {
        var failure = module.Invoke(script).Failure();
        Assert.StartsWith(id, failure.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains(message, failure.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(failure.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void Without_a_sandbox_the_error_says_how_to_start_one()
    {
        using var session = new ModuleFixture();
        var failure = session.Invoke("Get-InferloopSandboxFault").Failure();
        Assert.StartsWith("SandboxNotRunning", failure.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("Start-InferloopSandbox", failure.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Add-InferloopSandboxFault -Kind Throttling -Service dyn", "dynamodb")]
    [InlineData("Add-InferloopSandboxFault -Kind Throttling -Service ecs -Operation CreateS", "CreateService")]
    [InlineData("Add-InferloopSandboxFault -Kind ResourceFailure -Operation Cr", "Create")]
    [InlineData("Add-InferloopSandboxFault -Kind ZoneLoss -AvailabilityZone us-west-2", "us-west-2d")]
    public void Services_operations_and_zones_complete(string line, string expected)
    {
        using var shell = System.Management.Automation.PowerShell.Create(module.Runspace);
        var completed = CommandCompletion.CompleteInput(line, line.Length, null, shell);
        Assert.Contains(completed.CompletionMatches, match => match.CompletionText == expected);
    }

    [Fact]
    public void The_view_fits_a_hundred_columns()
    {
        module.Invoke("Add-InferloopSandboxFault Throttling dynamodb BatchWriteItem -Resource orders -Probability 0.25 -Count 1000; Add-InferloopSandboxFault ZoneLoss -Zone us-east-1a").EnsureSuccess();
        module.Invoke("Get-InferloopSandboxFault | Out-Default").EnsureSuccess();
        var lines = module.Host.Shown().Split('\n');
        Assert.All(lines, line => Assert.True(line.TrimEnd().Length <= 100, line));
        Assert.Contains(lines, line => line.Contains("dynamodb:BatchWriteItem orders", StringComparison.Ordinal) && line.Contains("0 of 1000", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("us-east-1a", StringComparison.Ordinal));
    }
}
