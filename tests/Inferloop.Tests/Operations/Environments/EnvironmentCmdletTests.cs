using System.Management.Automation;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>The environment cmdlets in a session with the built module, on a sandbox that the session starts, with the templates that ship.</summary>
public sealed class EnvironmentCmdletTests : IDisposable
{
    private readonly ModuleFixture module = new();

    public EnvironmentCmdletTests() => module.Invoke("Start-InferloopSandbox -ClockRate 3600").EnsureSuccess();

    public void Dispose()
    {
        module.Invoke("Stop-InferloopSandbox");
        module.Dispose();
    }

    [Fact]
    public void The_main_job_goes_down_the_pipeline()
    {
        var created = module.Invoke("$e = New-InferloopEnvironmentSpec demo Staging | New-InferloopEnvironment; $e");
        Assert.Equal("CREATE_COMPLETE", created.Single().Properties["Status"].Value);
        Assert.Contains(created.Information, i => i.Contains("CREATE_COMPLETE", StringComparison.Ordinal) && i.Contains("Ecs/Service", StringComparison.Ordinal));
        Assert.Contains(created.Progress, p => p.PercentComplete is > 0 and < 100);
        Assert.Equal("Healthy", module.Invoke("\"$((Get-InferloopEnvironment demo).Health)\"").Single<string>());
        Assert.StartsWith("http://", module.Invoke("(Get-InferloopEnvironment de*).Endpoint").Single<string>(), StringComparison.Ordinal);

        var parts = module.Invoke("$e | Get-InferloopEnvironmentComponent").EnsureSuccess().Output;
        Assert.Contains(parts, p => (string)p.Properties["Path"].Value == "Ecs/Service" && p.Properties["Detail"].Value.ToString()!.StartsWith("2 of 2 tasks running", StringComparison.Ordinal));
        Assert.All(parts, p => Assert.Contains(p.Properties["Health"].Value.ToString(), new[] { "Healthy", "Changing" }));
        Assert.All(module.Invoke("$e | Get-InferloopEnvironmentComponent -Component Net*").Output, p => Assert.Equal("Network", p.Properties["Component"].Value));

        var preview = module.Invoke("$e | Set-InferloopEnvironment -NatGatewayMode PerAz -WhatIf").Single();
        Assert.True((decimal)preview.Properties["MonthlyCostDelta"].Value > 30);
        var more = module.Invoke("$e | Set-InferloopEnvironment -MaximumTasks 40 -WhatIf").Single();
        Assert.Equal(0m, (decimal)more.Properties["MonthlyCostDelta"].Value);
        Assert.True((decimal)more.Properties["MonthlyCostHighDelta"].Value > 100, $"{more.Properties["MonthlyCostHighDelta"].Value}");
        Assert.Contains(" to +$", more.ToString(), StringComparison.Ordinal);
        Assert.Equal("Single", module.Invoke("\"$((Get-InferloopEnvironment demo).Spec.Network.NatGatewayMode)\"").Single<string>());
        Assert.True(module.Invoke("($e | Set-InferloopEnvironment -NatGatewayMode PerAz -WhatIf | Get-InferloopCostEstimate).MonthlyDelta -gt 30").Single<bool>());

        var updated = module.Invoke("Get-InferloopEnvironment demo | Set-InferloopEnvironment -NatGatewayMode PerAz -PassThru").Single();
        Assert.Equal("UPDATE_COMPLETE", updated.Properties["Status"].Value);
        Assert.True(module.Invoke("(Get-InferloopCostEstimate demo).MonthlyExpected -gt 0").Single<bool>());
        Assert.Contains(module.Invoke("Get-InferloopEnvironmentEvent demo -All").EnsureSuccess().Output, e => (string)e.Properties["Path"].Value == "Network/NatGateway2");

        var removed = module.Invoke("Get-InferloopEnvironment demo | Remove-InferloopEnvironment -DeleteData -Confirm:$false").Single();
        Assert.Empty((System.Collections.IEnumerable)removed.Properties["Retained"].Value);
        Assert.Empty(module.Invoke("Get-InferloopEnvironment").EnsureSuccess().Output);
    }

    [Fact]
    public void What_is_not_waited_for_can_be_waited_for_later()
    {
        Assert.EndsWith("_IN_PROGRESS", module.Invoke("(New-InferloopEnvironment demo -NoWait).Status").Single<string>(), StringComparison.Ordinal);
        Assert.Equal("CREATE_COMPLETE", module.Invoke("(Wait-InferloopEnvironment demo).Status").Single<string>());
        Assert.NotEmpty(module.Invoke("Get-InferloopEnvironmentEvent demo -Follow").EnsureSuccess().Output);
    }

    [Fact]
    public void Completion_offers_the_names_that_exist()
    {
        module.Invoke("New-InferloopEnvironment demo").EnsureSuccess();
        var offered = module.Invoke("[System.Management.Automation.CommandCompletion]::CompleteInput('Get-InferloopEnvironment de', 27, $null).CompletionMatches | ForEach-Object CompletionText");
        Assert.Contains("demo", offered.EnsureSuccess().Output.Select(o => o.ToString()));
    }

    [Fact]
    public void Removal_asks_and_nothing_goes_without_a_yes()
    {
        module.Invoke("New-InferloopEnvironment demo").EnsureSuccess();
        module.Invoke("Remove-InferloopEnvironment demo -WhatIf").EnsureSuccess();
        module.Host.Answers.Enqueue("No");
        module.Invoke("Remove-InferloopEnvironment demo");
        Assert.Equal("CREATE_COMPLETE", module.Invoke("(Get-InferloopEnvironment demo).Status").Single<string>());
    }

    [Fact]
    public async Task Ctrl_c_leaves_the_create_running_and_says_how_to_follow_it()
    {
        // A slower clock, so that the create is certainly still running when it is stopped.
        module.Invoke("Stop-InferloopSandbox; Start-InferloopSandbox -ClockRate 120").EnsureSuccess();
        using var ctrlC = new CancellationTokenSource();
        var running = module.InvokeAsync("New-InferloopEnvironment demo", cancellationToken: ctrlC.Token);
        while (!module.Host.Lines.Any(l => l.Contains("CREATE_IN_PROGRESS", StringComparison.Ordinal)))
        {
            Assert.False(running.IsCompleted, string.Join("; ", module.Host.Lines));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }

        await ctrlC.CancelAsync();
        Assert.True((await running).Stopped);
        Assert.Contains(module.Host.Lines, l => l.Contains("Wait-InferloopEnvironment demo", StringComparison.Ordinal));
        Assert.Equal("CREATE_COMPLETE", module.Invoke("(Wait-InferloopEnvironment demo).Status").Single<string>());
    }

    [Theory]
    [InlineData("Set-InferloopEnvironment nowhere -DesiredTasks 2", "EnvironmentNotFound", ErrorCategory.ObjectNotFound, "nowhere")]
    [InlineData("Remove-InferloopEnvironment nowhere -Confirm:$false", "EnvironmentNotFound", ErrorCategory.ObjectNotFound, "nowhere")]
    [InlineData("New-InferloopEnvironment demo -PublicSubnet2Cidr 10.0.1.0/24", "SpecCidrOverlap", ErrorCategory.InvalidArgument, "network.publicSubnet2Cidr")]
    [InlineData("New-InferloopEnvironment demo -PrivateSubnet2Cidr 10.0.4.0/29", "SpecCidrTooSmall", ErrorCategory.InvalidArgument, "network.privateSubnet2Cidr")]
    [InlineData("New-InferloopEnvironment demo -TaskCpu 256 -TaskMemory 8192", "SpecFargateSize", ErrorCategory.InvalidArgument, "ecs.taskMemory")]
    [InlineData("New-InferloopEnvironment demo -MaxMonthlyCost 1", "MonthlyCostExceeded", ErrorCategory.LimitsExceeded, "demo")]
    [InlineData("New-InferloopEnvironment demo -Colour red", "NamedParameterNotFound", ErrorCategory.InvalidArgument, null)]
    [InlineData("New-InferloopEnvironment demo -EndpointUrl http://127.0.0.1:9 -AccessKey AKIAIOSFODNN7EXAMPLE -SecretKey x", "AwsEndpointUnreachable", ErrorCategory.ConnectionError, null)]
    public void Bad_input_is_refused_before_anything_is_made(string script, string id, ErrorCategory category, object? target)
    {
        var error = module.Invoke(script).Refusal();
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(category, error.CategoryInfo.Category);
        if (id != "NamedParameterNotFound")
        {
            Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        }

        if (target is not null)
        {
            Assert.Equal(target, error.TargetObject);
        }

        Assert.Empty(module.Invoke("Get-InferloopEnvironment").EnsureSuccess().Output);
    }

    [Fact]
    public void An_image_that_cannot_be_pulled_is_the_cause_that_is_named()
    {
        var error = module.Invoke("New-InferloopEnvironment demo -ContainerImage 'inferloop/synthdata:missing-1'").Refusal();
        Assert.StartsWith("EnvironmentCreateFailed,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("Ecs/Service", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Resume", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("Ecs/Service", module.Invoke("Get-InferloopEnvironmentEvent demo | Where-Object IsRootCause | ForEach-Object Path").Single<string>());
    }
}
