using Amazon.CloudFormation.Model;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Dead processes, two operators, failing resources and Ctrl-C: what is left can always be gone on with, and nothing is orphaned.</summary>
public sealed class EnvironmentFaultTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Theory]
    [InlineData("control")]
    [InlineData("lock")]
    [InlineData("package")]
    [InlineData("changeset")]
    [InlineData("execute")]
    [InlineData("protect")]
    [InlineData("follow")]
    public async Task A_create_that_died_at_any_step_is_finished_by_another_operator(string step)
    {
        await harness.Dying(step).RunAsync(ada => ada.CreateAsync(cancellation: Stop));
        var bob = harness.Operator("bob");
        Assert.Equal("CREATE_COMPLETE", (await bob.CreateAsync(cancellation: Stop)).Status);
        await NothingIsLeftOpenAsync();
    }

    [Theory]
    [InlineData("execute")]
    [InlineData("protect")]
    [InlineData("follow")]
    public async Task A_create_that_died_at_any_step_can_be_removed_instead(string step)
    {
        await harness.Dying(step).RunAsync(ada => ada.CreateAsync(cancellation: Stop));
        var bob = harness.Operator("bob");
        var environment = Assert.Single(await ListAsync(bob));
        Assert.Equal(("demo", EnvironmentStage.Dev), (environment.Name, environment.Stage));
        await bob.RemoveAsync(deleteData: true, cancellation: Stop);
        Assert.Null(await bob.Operations.RefreshAsync(EnvironmentHarness.Spec.StackName, false, Stop));
        await NothingIsLeftOpenAsync();
    }

    [Theory]
    [InlineData("lock")]
    [InlineData("package")]
    [InlineData("changeset")]
    [InlineData("execute")]
    [InlineData("protect")]
    [InlineData("follow")]
    public async Task An_update_that_died_at_any_step_is_done_again_by_another_operator(string step)
    {
        await harness.Operator().CreateAsync(cancellation: Stop);
        var wanted = EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz);
        await harness.Dying(step).RunAsync(ada => ada.UpdateAsync(wanted, cancellation: Stop));
        var bob = harness.Operator("bob");
        await bob.Operations.WaitAsync((await bob.Operations.RefreshAsync(wanted.StackName, false, Stop))!, Stop);
        await bob.UpdateAsync(wanted, cancellation: Stop);
        var environment = (await bob.Operations.RefreshAsync(wanted.StackName, false, Stop))!;
        Assert.Equal(NatGatewayMode.PerAz, environment.Spec.Network.NatGatewayMode);
        Assert.EndsWith("_COMPLETE", environment.Status, StringComparison.Ordinal);
        await NothingIsLeftOpenAsync();
    }

    [Theory]
    [InlineData("inventory")]
    [InlineData("retention")]
    [InlineData("delete")]
    [InlineData("follow")]
    public async Task A_removal_that_died_at_any_step_is_finished_by_another_operator(string step)
    {
        var environment = await harness.Operator().CreateAsync(cancellation: Stop);
        await harness.Dying(step).RunAsync(ada => ada.RemoveAsync(cancellation: Stop));
        var bob = harness.Operator("bob");
        if (await bob.Operations.RefreshAsync(environment.StackName, false, Stop) is not null)
        {
            await bob.RemoveAsync(cancellation: Stop);
        }

        Assert.Null(await bob.Operations.RefreshAsync(environment.StackName, false, Stop));
        Assert.Equal("ACTIVE", (await harness.DynamoDB.DescribeTableAsync(environment.Outputs["TableName"], Stop)).Table.TableStatus.Value);
    }

    [Fact]
    public async Task A_create_under_way_with_another_spec_is_not_taken_for_the_same()
    {
        await harness.Dying("follow").RunAsync(ada => ada.CreateAsync(cancellation: Stop));
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator("bob").CreateAsync(EnvironmentHarness.Spec.With("ServiceVersion", "2.0.0"), cancellation: Stop));
        Assert.Equal("EnvironmentInputDiffers", error.ErrorId);
        Assert.Contains("ada@", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_operator_is_told_who_is_at_work()
    {
        var reached = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var ada = harness.Operator("ada", beforeStep: async (step, _) =>
        {
            if (step == "changeset")
            {
                reached.SetResult();
                await goOn.Task;
            }
        });
        var running = ada.CreateAsync(cancellation: Stop);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(60), Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator("bob").CreateAsync(cancellation: Stop));
        Assert.Equal("EnvironmentBusy", error.ErrorId);
        Assert.Contains("ada@adas-machine", error.Message, StringComparison.Ordinal);
        goOn.SetResult();
        Assert.Equal("CREATE_COMPLETE", (await running).Status);
    }

    [Fact]
    public async Task A_failing_resource_is_named_with_its_reason_and_the_next_command_and_resume_clears_it()
    {
        harness.Break();
        var error = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().CreateAsync(cancellation: Stop));
        Assert.Equal(("EnvironmentCreateFailed", OperationErrorKind.OperationFailed), (error.ErrorId, error.Kind));
        Assert.Contains("Network/Broken (AWS::EC2::Subnet)", error.Message, StringComparison.Ordinal);
        Assert.Contains("CIDR", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("cancelled", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("New-InferloopEnvironment -Resume", error.RecommendedAction, StringComparison.Ordinal);

        var events = await harness.Operator().Operations.EventsAsync((await harness.Operator().Operations.RefreshAsync("inferloop-demo-dev", false, Stop))!, wholeLife: false, Stop);
        Assert.Equal("Network/Broken", Assert.Single(events, e => e.IsRootCause).Path);

        harness.Repair();
        var again = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().CreateAsync(cancellation: Stop));
        Assert.Equal("EnvironmentCreateFailedBefore", again.ErrorId);
        Assert.Contains("Network/Broken", again.Message, StringComparison.Ordinal);
        Assert.Equal("CREATE_COMPLETE", (await harness.Operator().CreateAsync(resume: true, cancellation: Stop)).Status);
        await NothingIsLeftOpenAsync();
    }

    [Fact]
    public async Task A_failing_update_is_rolled_back_and_explained()
    {
        var ada = harness.Operator();
        await ada.CreateAsync(cancellation: Stop);
        harness.Break();
        var error = await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz), cancellation: Stop));
        Assert.Equal("EnvironmentUpdateFailed", error.ErrorId);
        Assert.Contains("Network/Broken (AWS::EC2::Subnet)", error.Message, StringComparison.Ordinal);
        Assert.Contains("UPDATE_ROLLBACK_COMPLETE", error.Message, StringComparison.Ordinal);
        harness.Repair();
        await ada.UpdateAsync(EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz), cancellation: Stop);
    }

    [Fact]
    public async Task Stopping_leaves_the_create_running_and_says_how_to_follow_it()
    {
        using var ctrlC = new CancellationTokenSource();
        var ada = harness.Operator("ada", beforeStep: (step, _) => step == "follow" ? ctrlC.CancelAsync() : Task.CompletedTask);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ada.CreateAsync(cancellation: ctrlC.Token));
        Assert.Contains(ada.Warnings, w => w.Contains("Wait-InferloopEnvironment demo", StringComparison.Ordinal));
        var bob = harness.Operator("bob");
        var end = await bob.Operations.WaitAsync((await bob.Operations.RefreshAsync("inferloop-demo-dev", false, Stop))!, Stop);
        Assert.Equal("CREATE_COMPLETE", end.Status);
        await NothingIsLeftOpenAsync();
    }

    [Fact]
    public async Task Stopping_before_aws_began_leaves_nothing()
    {
        using var ctrlC = new CancellationTokenSource();
        var ada = harness.Operator("ada", beforeStep: (step, _) => step == "execute" ? ctrlC.CancelAsync() : Task.CompletedTask);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ada.CreateAsync(cancellation: ctrlC.Token));
        Assert.Null(await harness.Operator().Operations.RefreshAsync("inferloop-demo-dev", false, Stop));
        await NothingIsLeftOpenAsync();
    }

    [Fact]
    public async Task Stopping_with_cancel_takes_a_create_back_and_rolls_an_update_back()
    {
        async Task StoppedAsync(Func<EnvironmentOperations, CancellationToken, Task<PreparedChange>> prepare)
        {
            using var ctrlC = new CancellationTokenSource();
            var ada = harness.Operator("ada", beforeStep: (step, _) => step == "follow" ? ctrlC.CancelAsync() : Task.CompletedTask);
            await using var prepared = await prepare(ada.Operations, ctrlC.Token);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prepared.ExecuteAsync(wait: true, cancelOnStop: true, ctrlC.Token));
        }

        var bob = harness.Operator("bob");
        await StoppedAsync((o, ct) => o.PrepareCreateAsync(EnvironmentHarness.Spec, false, false, ct));
        if (await bob.Operations.RefreshAsync("inferloop-demo-dev", false, Stop) is { } going)
        {
            var end = await bob.Operations.WaitAsync(going, Stop);
            Assert.True(end.Status == "DELETE_COMPLETE", $"{end.Status}\n{string.Join('\n', end.Events)}");
        }

        await bob.CreateAsync(cancellation: Stop);
        await StoppedAsync((o, ct) => o.PrepareUpdateAsync(EnvironmentHarness.Spec.With("NatGatewayMode", NatGatewayMode.PerAz), false, false, ct));
        var environment = (await bob.Operations.RefreshAsync("inferloop-demo-dev", false, Stop))!;
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", (await bob.Operations.WaitAsync(environment, Stop)).Status);
    }

    [Fact]
    public async Task Two_operators_who_make_the_control_stack_at_once_both_get_it()
    {
        var both = await Task.WhenAll(
            new ControlStack(harness.Aws, harness.Operator("ada").Operations.Options, SilentReporter.Instance).EnsureAsync(Stop),
            new ControlStack(harness.Aws, harness.Operator("bob").Operations.Options, SilentReporter.Instance).EnsureAsync(Stop));
        Assert.Equal(both[0], both[1]);
    }

    [Fact]
    public async Task A_newer_control_template_updates_the_control_stack_once()
    {
        var control = new ControlStack(harness.Aws, harness.Operator().Operations.Options, SilentReporter.Instance);
        var first = await control.EnsureAsync(Stop);
        var path = Path.Combine(harness.TemplateFolder, "control.yaml");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Stop)).Replace("NoncurrentDays: 90", "NoncurrentDays: 91", StringComparison.Ordinal), Stop);
        Assert.Equal(first, await control.EnsureAsync(Stop));
        var stack = (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = ControlStack.Name }, Stop)).Stacks[0];
        Assert.Equal("UPDATE_COMPLETE", stack.StackStatus.Value);
        var updated = stack.LastUpdatedTime;
        await control.EnsureAsync(Stop);
        Assert.Equal(updated, (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest { StackName = ControlStack.Name }, Stop)).Stacks[0].LastUpdatedTime);
    }

    private static async Task<List<InferloopEnvironment>> ListAsync(Operator one)
    {
        var found = new List<InferloopEnvironment>();
        await foreach (var environment in one.Operations.ListAsync(Stop))
        {
            found.Add(environment);
        }

        return found;
    }

    /// <summary>No open journal entry, no lock, no change set that waits, no second VPC.</summary>
    private async Task NothingIsLeftOpenAsync()
    {
        var control = (await new ControlStack(harness.Aws, harness.Operator().Operations.Options, SilentReporter.Instance).FindAsync(Stop))!;
        var items = (await harness.DynamoDB.ScanAsync(new Amazon.DynamoDBv2.Model.ScanRequest { TableName = control.Table }, Stop)).Items ?? [];
        Assert.DoesNotContain(items, i => i["sk"].S == "lock");
        Assert.DoesNotContain(items, i => i.TryGetValue("state", out var state) && state.S is "Running" or "Detached");
        var stacks = (await harness.CloudFormation.DescribeStacksAsync(new DescribeStacksRequest(), Stop)).Stacks ?? [];
        Assert.DoesNotContain(stacks, s => s.StackStatus == "REVIEW_IN_PROGRESS");
        foreach (var stack in stacks)
        {
            var sets = (await harness.CloudFormation.ListChangeSetsAsync(new ListChangeSetsRequest { StackName = stack.StackId }, Stop)).Summaries ?? [];
            Assert.DoesNotContain(sets, s => s.ExecutionStatus?.Value is "AVAILABLE" or "UNAVAILABLE");
        }

        var vpcs = (await harness.Aws.EC2.DescribeVpcsAsync(new Amazon.EC2.Model.DescribeVpcsRequest(), Stop)).Vpcs ?? [];
        Assert.True(vpcs.Count(v => v.IsDefault != true) <= stacks.Count(s => s.StackName == "inferloop-demo-dev"), "a VPC without an environment");
    }
}
