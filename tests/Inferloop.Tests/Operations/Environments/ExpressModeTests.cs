using Amazon.CloudFormation.Model;
using Inferloop.Operations;
using Inferloop.Operations.Specs;
using Inferloop.Tests.PowerShell;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>CloudFormation's express mode: quicker, for stage dev only, and it comes to the same environment.</summary>
public sealed class ExpressModeTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_create_ends_sooner_and_says_so()
    {
        var (standard, _) = await CreateAsync(express: false);
        var (express, stack) = await CreateAsync(express: true);
        Assert.Equal("EXPRESS", stack.DeploymentConfig.Mode.Value);
        Assert.True(express < standard * 0.5, $"{express} with, {standard} without");

        static async Task<(TimeSpan Took, Stack Stack)> CreateAsync(bool express)
        {
            await using var harness = await EnvironmentHarness.StartAsync(clockRate: 60);
            var ada = harness.Operator();
            await using (var prepared = await ada.Operations.PrepareCreateAsync(EnvironmentHarness.Spec, preview: false, resume: false, express, Stop))
            {
                await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
            }

            Assert.Equal(express, ada.Warnings.Any(w => w.StartsWith("Express:", StringComparison.Ordinal)));
            var stack = (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = "inferloop-demo-dev" }, Stop)).Stacks.Single();
            Assert.Equal("CREATE_COMPLETE", stack.StackStatus.Value);
            var environment = await ada.Operations.RefreshAsync(stack.StackName, withHealth: false, Stop);
            Assert.NotEmpty(environment!.Outputs["BucketName"]);

            // On the sandbox's clock, by the stack's own events.
            var events = (await harness.CloudFormation.DescribeStackEventsAsync(new DescribeStackEventsRequest { StackName = stack.StackId }, Stop)).StackEvents;
            var begin = events.Where(e => e.ResourceStatus.Value == "CREATE_IN_PROGRESS" && e.PhysicalResourceId == stack.StackId).Min(e => e.Timestamp!.Value);
            return (events.Single(e => e.ResourceStatus.Value == "CREATE_COMPLETE" && e.PhysicalResourceId == stack.StackId).Timestamp!.Value - begin, stack);
        }
    }

    [Theory]
    [InlineData(EnvironmentStage.Staging)]
    [InlineData(EnvironmentStage.Prod)]
    public async Task Where_success_must_mean_that_it_serves_express_is_refused_before_anything_is_made(EnvironmentStage stage)
    {
        await using var harness = await EnvironmentHarness.StartAsync();
        var spec = SpecPresets.Create("demo", stage, "us-east-1");
        var refusal = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().Operations.PrepareCreateAsync(spec, preview: false, resume: false, express: true, Stop));
        Assert.Equal(("ExpressNotForStage", OperationErrorKind.InvalidArgument), (refusal.ErrorId, refusal.Kind));
        Assert.Empty((await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks ?? []);
    }

    [Fact]
    public void The_whole_platform_comes_up_and_becomes_healthy()
    {
        using var module = new ModuleFixture();
        module.Invoke("Start-InferloopSandbox -ClockRate 7200").EnsureSuccess();
        try
        {
            Assert.Equal("CREATE_COMPLETE", module.Invoke("New-InferloopEnvironment demo Dev -Pattern Full -Express -WarningAction SilentlyContinue").Single().Properties["Status"].Value);
            Assert.True(module.Invoke("for ($i = 0; $i -lt 200; $i = $i + 1) { $h = \"$((Get-InferloopEnvironment demo).Health)\"; if ($h -eq 'Healthy') { break } }; $h -eq 'Healthy'").Single<bool>());
            module.Invoke("Set-InferloopEnvironment demo -LogLevel Warning -Express -Confirm:$false -WarningAction SilentlyContinue").EnsureSuccess();
            Assert.Equal("0", module.Invoke("\"$(@(Get-InferloopDrift demo).Count)\"").Single<string>());
            Assert.StartsWith("ExpressNotForStage", module.Invoke("New-InferloopEnvironment demo Prod -Express").Refusal().FullyQualifiedErrorId, StringComparison.Ordinal);
        }
        finally
        {
            module.Invoke("Stop-InferloopSandbox");
        }
    }
}
