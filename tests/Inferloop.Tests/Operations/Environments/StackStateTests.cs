using System.Reflection;
using Amazon.CloudFormation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Sandbox.CloudFormation;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>One environment, whose stack the tests put into each of CloudFormation's states.</summary>
public sealed class StackStateFixture : IAsyncLifetime
{
    internal EnvironmentHarness Harness { get; private set; } = null!;

    internal InferloopEnvironment Environment { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Harness = await EnvironmentHarness.StartAsync();
        Environment = await Harness.Operator().CreateAsync(cancellation: TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync() => Harness.DisposeAsync();

    internal void Force(string status)
    {
        var engine = ((CloudFormationService)Harness.Host.Runtime.Service("cloudformation")!).Engine;
        engine.SetStatus(engine.Store(Harness.Host.AccountId, "us-east-1").Find(Environment.StackId)!, status, "forced by a test");
    }
}

/// <summary>Every cmdlet in every state: goes on, follows, or refuses with the command that mends it, as the one table says.</summary>
public sealed class StackStateTests(StackStateFixture fixture) : IClassFixture<StackStateFixture>
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Cells()
    {
        var cells = new TheoryData<string, string>();
        foreach (var state in States)
        {
            foreach (var command in Enum.GetNames<EnvironmentCommand>())
            {
                cells.Add(state, command);
            }
        }

        return cells;
    }

    private static IEnumerable<string> States => typeof(StackStatus).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => f.GetValue(null)).OfType<StackStatus>().Select(s => s.Value);

    [Fact]
    public void The_table_has_every_state_that_cloudformation_has()
    {
        Assert.Equal(States.Order(StringComparer.Ordinal), StateRules.States.Order(StringComparer.Ordinal));
        Assert.True(StateRules.States.Count >= 23);
        Assert.Equal(StateVerdict.State, StateRules.For(EnvironmentCommand.Set, "SOME_NEW_STATE"));
        Assert.Equal(StateVerdict.Busy, StateRules.For(EnvironmentCommand.Remove, "SOMETHING_NEW_IN_PROGRESS"));
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public async Task A_cmdlet_does_what_the_table_says(string state, string commandName)
    {
        var command = Enum.Parse<EnvironmentCommand>(commandName);
        var verdict = StateRules.For(command, state);
        fixture.Force(state);
        try
        {
            switch (verdict)
            {
                case StateVerdict.Attach when command == EnvironmentCommand.Wait:
                    await WaitUntilItEndsAsync(state);
                    break;
                case StateVerdict.Attach when command is EnvironmentCommand.New or EnvironmentCommand.NewResume:
                    // The create is over and nobody's: there is nothing to attach to.
                    await RefusedAsync(command, state == "CREATE_COMPLETE" ? "EnvironmentExists" : "EnvironmentBusy");
                    break;
                case StateVerdict.Nothing:
                    await RunAsync(command, _ => Task.FromException(new InvalidOperationException("It began something.")));
                    break;
                case StateVerdict.Go or StateVerdict.Clear or StateVerdict.Recover or StateVerdict.Attach:
                    await GoesOnAsync(command);
                    break;
                default:
                    await RefusedAsync(command, verdict switch
                    {
                        StateVerdict.Busy => "EnvironmentBusy",
                        StateVerdict.Exists => "EnvironmentExists",
                        StateVerdict.FailedBefore => "EnvironmentCreateFailedBefore",
                        StateVerdict.Missing => "EnvironmentNotFound",
                        _ => "EnvironmentState",
                    });
                    break;
            }
        }
        finally
        {
            fixture.Force("CREATE_COMPLETE");
        }
    }

    [Theory]
    [InlineData("CREATE_COMPLETE")]
    [InlineData("UPDATE_COMPLETE")]
    [InlineData("UPDATE_ROLLBACK_COMPLETE")]
    [InlineData("IMPORT_COMPLETE")]
    [InlineData("IMPORT_ROLLBACK_COMPLETE")]
    public async Task Where_the_table_lets_an_update_begin_cloudformation_makes_the_change_set(string state)
    {
        fixture.Force(state);
        await using var prepared = await fixture.Harness.Operator().Operations.PrepareUpdateAsync(EnvironmentHarness.Spec.With("RetainData", true), preview: true, resume: false, Stop);
        Assert.Equal("CloudFormation", prepared.ChangeSet!.Source);
        fixture.Force("CREATE_COMPLETE");
    }

    private sealed class Begun : Exception;

    /// <summary>The refusal would come before the control stack is touched; what gets there has been let through.</summary>
    private async Task GoesOnAsync(EnvironmentCommand command)
    {
        if (command == EnvironmentCommand.Drift)
        {
            await RunAsync(command, _ => Task.CompletedTask);
            return;
        }

        await Assert.ThrowsAsync<Begun>(() => RunAsync(command, _ => Task.FromException(new Begun())));
    }

    private async Task RefusedAsync(EnvironmentCommand command, string id)
    {
        var error = await Assert.ThrowsAsync<OperationException>(() => RunAsync(command, _ => Task.FromException(new InvalidOperationException("It began."))));
        Assert.Equal(id, error.ErrorId);
        Assert.Matches("(New|Set|Resume|Remove|Wait|Get)-Inferloop", error.RecommendedAction);
    }

    private async Task RunAsync(EnvironmentCommand command, Func<string, Task> onStep)
    {
        var operations = fixture.Harness.Operator("ada", beforeStep: (step, _) => onStep(step)).Operations;
        switch (command)
        {
            case EnvironmentCommand.New or EnvironmentCommand.NewResume:
                await using (await operations.PrepareCreateAsync(EnvironmentHarness.Spec, preview: false, command == EnvironmentCommand.NewResume, Stop))
                {
                }

                break;
            case EnvironmentCommand.Set or EnvironmentCommand.SetResume:
                await using (await operations.PrepareUpdateAsync(EnvironmentHarness.Spec, preview: false, command == EnvironmentCommand.SetResume, Stop))
                {
                }

                break;
            case EnvironmentCommand.Resume:
                Assert.False(await operations.ResumeAsync(fixture.Environment, [], wait: true, Stop));
                break;
            case EnvironmentCommand.Remove:
                await operations.RemoveAsync(fixture.Environment, new RemovalOptions { DeleteData = true }, Stop);
                break;
            case EnvironmentCommand.Drift:
                Assert.NotEmpty(await operations.DriftAsync(fixture.Environment, Stop));
                break;
            case EnvironmentCommand.Wait:
                var state = (await operations.RefreshAsync(fixture.Environment.StackId, withHealth: false, Stop))?.Status ?? "DELETE_COMPLETE";
                var end = await operations.WaitAsync(fixture.Environment with { Status = state }, Stop);
                Assert.Equal((state, 0), (end.Status, end.Events.Count));
                break;
        }
    }

    private async Task WaitUntilItEndsAsync(string state)
    {
        var bob = fixture.Harness.Operator("bob");
        var waiting = bob.Operations.WaitAsync(fixture.Environment with { Status = state }, Stop);
        await Task.WhenAny(waiting, Task.Delay(300, Stop));
        Assert.False(waiting.IsCompleted);
        fixture.Force("UPDATE_COMPLETE");
        Assert.Equal("UPDATE_COMPLETE", (await waiting.WaitAsync(TimeSpan.FromSeconds(30), Stop)).Status);
    }
}

/// <summary>A rollback that cannot be finished, and the ways on from there.</summary>
public sealed class ResumeTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => harness = await EnvironmentHarness.StartAsync();

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    [Fact]
    public async Task A_rollback_that_stopped_is_continued_without_the_resource_that_is_gone()
    {
        var (environment, error) = await StuckAsync();
        Assert.Contains("UPDATE_ROLLBACK_FAILED", error.Message, StringComparison.Ordinal);
        Assert.Contains("Resume-InferloopEnvironment demo -SkipResource Storage/DataBucket", error.RecommendedAction, StringComparison.Ordinal);

        var bob = harness.Operator("bob").Operations;
        var refused = await Assert.ThrowsAsync<OperationException>(() => harness.Operator().UpdateAsync(EnvironmentHarness.Spec.With("RetainData", true), cancellation: Stop));
        Assert.Equal("EnvironmentState", refused.ErrorId);
        Assert.Contains("Resume-InferloopEnvironment demo", refused.RecommendedAction, StringComparison.Ordinal);

        // Without leaving it out the rollback stops at the same place again.
        var again = await Assert.ThrowsAsync<OperationException>(() => bob.ResumeAsync(environment, [], wait: true, Stop));
        Assert.Equal("EnvironmentUpdateFailed", again.ErrorId);
        var wrong = await Assert.ThrowsAsync<OperationException>(() => bob.ResumeAsync(environment, ["Storage/Tabel"], wait: true, Stop));
        Assert.Equal("ResourceNotStuck", wrong.ErrorId);
        Assert.Contains("Storage/DataBucket", wrong.RecommendedAction, StringComparison.Ordinal);

        Assert.True(await bob.ResumeAsync(environment, ["storage/databucket"], wait: true, Stop));
        Assert.Equal("UPDATE_ROLLBACK_COMPLETE", (await bob.RefreshAsync(environment.StackId, false, Stop))!.Status);
        Assert.False(await bob.ResumeAsync(environment, [], wait: true, Stop));
    }

    [Fact]
    public async Task Once_the_cause_is_mended_the_rollback_is_continued_whole_and_the_update_done()
    {
        var (environment, _) = await StuckAsync();
        await harness.S3.PutBucketAsync(environment.Outputs["BucketName"], Stop);
        var ada = harness.Operator();
        await ada.UpdateAsync(EnvironmentHarness.Spec.With("RetainData", true), resume: true, cancellation: Stop);
        var now = (await ada.Operations.RefreshAsync(environment.StackId, false, Stop))!;
        Assert.Equal(("UPDATE_COMPLETE", true), (now.Status, now.Spec.Storage.RetainData));
    }

    /// <summary>An update of a bucket that someone deleted by hand: neither forward nor back.</summary>
    private async Task<(InferloopEnvironment, OperationException)> StuckAsync()
    {
        var ada = harness.Operator();
        var environment = await ada.CreateAsync(cancellation: Stop);
        await harness.S3.DeleteBucketAsync(environment.Outputs["BucketName"], Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => ada.UpdateAsync(EnvironmentHarness.Spec.With("RetainData", true), cancellation: Stop));
        Assert.Equal("UPDATE_ROLLBACK_FAILED", (await ada.Operations.RefreshAsync(environment.StackId, false, Stop))!.Status);
        return (environment, error);
    }
}
