using Inferloop.Operations;
using Inferloop.Operations.Environments;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>Locks and journal on the sandbox's DynamoDB.</summary>
public sealed class ControlTableTests : IAsyncLifetime
{
    private EnvironmentHarness harness = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        harness = await EnvironmentHarness.StartAsync();
        await harness.DynamoDB.CreateTableAsync(new Amazon.DynamoDBv2.Model.CreateTableRequest
        {
            TableName = "control", BillingMode = "PAY_PER_REQUEST",
            AttributeDefinitions = [new("pk", "S"), new("sk", "S")],
            KeySchema = [new("pk", "HASH"), new("sk", "RANGE")],
        }, Stop);
        while ((await harness.DynamoDB.DescribeTableAsync("control", Stop)).Table.TableStatus != "ACTIVE")
        {
            await Task.Delay(20, Stop);
        }
    }

    public ValueTask DisposeAsync() => harness.DisposeAsync();

    private ControlTable Table(string user, int process = 1, TimeProvider? time = null, string? machine = null) =>
        new(harness.DynamoDB, "control", new OperatorIdentity(user, machine ?? user + "s-machine", process), time ?? TimeProvider.System);

    [Fact]
    public async Task A_second_operator_is_told_who_holds_the_environment_and_since_when()
    {
        await using var held = await Table("ada").AcquireAsync("demo-dev", "op1", OperationKind.Update, Stop);
        var error = await Assert.ThrowsAsync<OperationException>(() => Table("bob").AcquireAsync("demo-dev", "op2", OperationKind.Delete, Stop));
        Assert.Equal(("EnvironmentBusy", OperationErrorKind.Busy), (error.ErrorId, error.Kind));
        Assert.Contains("ada@adas-machine", error.Message, StringComparison.Ordinal);
        Assert.Contains("updating", error.Message, StringComparison.Ordinal);
        Assert.Contains("Wait-InferloopEnvironment", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_environment_is_free()
    {
        await using var one = await Table("ada").AcquireAsync("demo-dev", "op1", OperationKind.Create, Stop);
        await using var two = await Table("bob").AcquireAsync("demo-prod", "op2", OperationKind.Create, Stop);
    }

    [Fact]
    public async Task A_released_lock_is_free_at_once()
    {
        await (await Table("ada").AcquireAsync("demo-dev", "op1", OperationKind.Create, Stop)).DisposeAsync();
        Assert.Null(await Table("bob").HolderAsync("demo-dev", Stop));
        await using var next = await Table("bob").AcquireAsync("demo-dev", "op2", OperationKind.Create, Stop);
    }

    [Fact]
    public async Task A_lock_whose_lease_ended_long_ago_is_taken_over_and_the_old_holder_cannot_release_it()
    {
        var dead = await Table("ada", time: new StoppedTime()).AcquireAsync("demo-dev", "op1", OperationKind.Create, Stop);
        await using var next = await Table("bob").AcquireAsync("demo-dev", "op2", OperationKind.Create, Stop);
        await dead.DisposeAsync();
        Assert.Equal("op2", (await Table("bob").HolderAsync("demo-dev", Stop))!.OperationId);
        Assert.False(await Table("ada").RenewAsync("demo-dev", "op1", Stop));
    }

    [Fact]
    public async Task A_dead_process_of_the_same_machine_holds_nothing()
    {
        _ = await Table("ada", process: int.MaxValue, machine: "here").AcquireAsync("demo-dev", "op1", OperationKind.Create, Stop);
        await using var next = await Table("ada", process: 1, machine: "here").AcquireAsync("demo-dev", "op2", OperationKind.Create, Stop);
    }

    [Fact]
    public async Task Of_many_who_ask_at_once_exactly_one_gets_it()
    {
        var tries = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
        {
            try
            {
                return await Table("user" + i).AcquireAsync("demo-dev", "op" + i, OperationKind.Create, Stop);
            }
            catch (OperationException e) when (e.ErrorId == "EnvironmentBusy")
            {
                return null;
            }
        }));
        var winner = Assert.Single(tries, t => t is not null);
        await winner!.DisposeAsync();
    }

    [Fact]
    public async Task The_journal_gives_back_what_was_written_newest_first()
    {
        var table = Table("ada");
        var begin = new DateTimeOffset(2026, 11, 23, 5, 0, 0, TimeSpan.Zero);
        var first = new OperationRecord { Environment = "demo-dev", OperationId = "op1", Kind = OperationKind.Create, Owner = "ada", Started = begin, InputHash = "h", StackId = "arn" }
            .Begin("package", begin).Begin("execute", begin.AddSeconds(1));
        var second = first with { OperationId = "op2", Kind = OperationKind.Update, Started = begin.AddMinutes(1) };
        await table.SaveAsync(first, Stop);
        await table.SaveAsync(second, Stop);
        var latest = await table.LatestAsync("demo-dev", Stop);
        Assert.Equal("op2", latest!.OperationId);
        var open = await table.OpenAsync("demo-dev", Stop);
        Assert.Equal(["op1", "op2"], open.Select(o => o.OperationId));
        var before = open[0];
        Assert.Equal(("op1", "h", "arn", true), (before.OperationId, before.InputHash, before.StackId, before.IsOpen));
        Assert.Equal([("package", true), ("execute", false)], before.Steps.Select(s => (s.Name, s.Finished is not null)));
        await table.SaveAsync(second.End(OperationState.Failed, begin.AddMinutes(2), "why"), Stop);
        Assert.Equal((OperationState.Failed, "why", false), await table.LatestAsync("demo-dev", Stop) is { } ended ? (ended.State, ended.Reason, ended.IsOpen) : default);
    }
}
