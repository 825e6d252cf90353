using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Tests.PowerShell;

namespace Inferloop.PowerShell.Tests;

/// <summary>The asynchronous base of the cmdlets: what a body asks for happens on the pipeline thread, and a stop reaches the body.</summary>
public sealed class AsyncCmdletTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TestHost host = new();
    private readonly CmdletFixture session;

    public AsyncCmdletTests() => session = new CmdletFixture(host, typeof(ProbeCommand));

    public void Dispose() => session.Dispose();

    [Fact]
    public void The_body_runs_off_the_pipeline_thread_and_its_writes_on_it()
    {
        var body = 0;
        var pipeline = 0;
        var output = Probe(async (cmdlet, ct) =>
        {
            body = Environment.CurrentManagedThreadId;
            await Task.Yield();
            pipeline = await cmdlet.OnPipelineAsync(() => Environment.CurrentManagedThreadId);
            await cmdlet.WriteAsync("first");
            await Task.WhenAll(Task.Run(() => cmdlet.WriteVerbose("from anywhere"), ct));
            cmdlet.WriteObject("second");
        });

        Assert.NotEqual(body, pipeline);
        Assert.Equal(["first", "second"], output.Select(o => o.ToString()));
    }

    [Fact]
    public void A_continuation_of_a_write_does_not_hold_the_pipeline_thread()
    {
        Probe(async (cmdlet, _) =>
        {
            var pipeline = await cmdlet.OnPipelineAsync(() => Environment.CurrentManagedThreadId);
            await cmdlet.WriteAsync(1);
            Assert.NotEqual(pipeline, Environment.CurrentManagedThreadId);

            // Would lock up if we were on the pipeline thread: the next write needs it.
            cmdlet.WriteAsync(2).GetAwaiter().GetResult();
        });
    }

    [Fact]
    public void Every_input_object_gets_its_body_in_turn()
    {
        var running = 0;
        var body = new ProbeBody(async (cmdlet, ct) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref running));
            await Task.Delay(5, ct);
            await cmdlet.WriteAsync($"<{cmdlet.InputObject}>");
            Interlocked.Decrement(ref running);
        });
        Set("body", body);
        Assert.Equal(["<1>", "<2>", "<3>"], session.Run("1..3 | Invoke-Probe $body").Select(o => o.ToString()));
    }

    [Fact]
    public async Task Stopping_the_pipeline_cancels_the_token_at_once()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Set("body", new ProbeBody(async (_, ct) =>
        {
            started.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            }
            catch (OperationCanceledException)
            {
                cancelled.SetResult();
                throw;
            }
        }));

        using var shell = session.Script("Invoke-Probe $body");
        var run = shell.InvokeAsync();
        await started.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        shell.Stop();
        await cancelled.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await Assert.ThrowsAnyAsync<Exception>(() => run.WaitAsync(Patience, TestContext.Current.CancellationToken));
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
        Assert.Empty(shell.Streams.Error);
    }

    [Fact]
    public async Task A_body_that_does_not_heed_its_token_does_not_hold_up_the_stop()
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var release = new CancellationTokenSource();
        Set("body", new ProbeBody(async (_, _) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, release.Token);
        }));

        using var shell = session.Script("Invoke-Probe $body");
        var run = shell.InvokeAsync();
        await started.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        await Task.Run(shell.Stop, TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
        await release.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => run);
    }

    [Fact]
    public void A_downstream_that_has_had_enough_cancels_the_body_and_is_no_error()
    {
        var cancelled = false;
        Set("body", new ProbeBody(async (cmdlet, ct) =>
        {
            try
            {
                for (var i = 0; ; i++)
                {
                    await cmdlet.WriteAsync(i);
                }
            }
            finally
            {
                cancelled = ct.IsCancellationRequested;
            }
        }));

        var output = session.Run("Invoke-Probe $body | Select-Object -First 2; 'goes on'");
        Assert.Equal(["0", "1", "goes on"], output.Select(o => o.ToString()));
        Assert.True(cancelled);
    }

    [Fact]
    public void A_terminating_error_downstream_is_the_one_that_is_reported()
    {
        Set("body", new ProbeBody(async (cmdlet, _) =>
        {
            await cmdlet.WriteAsync(1);
            throw new InvalidOperationException("must not hide the cause");
        }));
        var failure = Assert.ThrowsAny<RuntimeException>(() => session.Run("Invoke-Probe $body | ForEach-Object { throw 'the cause' }"));
        Assert.Equal("the cause", failure.Message);
    }

    [Fact]
    public void WarningAction_Stop_ends_the_body()
    {
        var token = CancellationToken.None;
        Set("body", new ProbeBody(async (cmdlet, ct) =>
        {
            token = ct;
            cmdlet.WriteWarning("enough");
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
        }));
        Assert.ThrowsAny<RuntimeException>(() => session.Run("Invoke-Probe $body -WarningAction Stop"));
        Assert.True(token.IsCancellationRequested);
    }

    [Fact]
    public void WhatIf_asks_nobody_and_changes_nothing()
    {
        var changed = false;
        Probe(async (cmdlet, _) => changed = await cmdlet.ShouldProcessAsync("demo", "Remove"), "-WhatIf");
        Assert.False(changed);
        Assert.Empty(host.Prompts);
        Assert.Contains(host.Lines, l => l.Contains("Remove", StringComparison.Ordinal) && l.Contains("demo", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Yes", true)]
    [InlineData("No", false)]
    public void A_change_of_high_impact_is_asked_about_on_the_pipeline_thread(string answer, bool expected)
    {
        host.Answers.Enqueue(answer);
        var changed = !expected;
        Probe(async (cmdlet, _) => changed = await cmdlet.ShouldProcessAsync("demo", "Remove"));
        Assert.Equal(expected, changed);
        Assert.Single(host.Prompts);
    }

    [Fact]
    public void Confirm_false_asks_nobody()
    {
        var changed = false;
        Probe(async (cmdlet, _) => changed = await cmdlet.ShouldProcessAsync("demo", "Remove"), "-Confirm:$false");
        Assert.True(changed);
        Assert.Empty(host.Prompts);
    }

    [Fact]
    public void Where_there_is_no_one_to_ask_the_error_says_how_to_go_on()
    {
        using var alone = new CmdletFixture(null, typeof(ProbeCommand));
        alone.Runspace.SessionStateProxy.SetVariable("body", new ProbeBody((cmdlet, _) => cmdlet.ShouldProcessAsync("demo", "Remove")));
        var error = Assert.ThrowsAny<RuntimeException>(() => alone.Run("Invoke-Probe $body")).ErrorRecord;
        Assert.StartsWith("PromptNotPossible,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Contains("-Confirm:$false", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);

        alone.Runspace.SessionStateProxy.SetVariable("body", new ProbeBody((cmdlet, _) => cmdlet.ShouldContinueAsync("Really?", "Remove")));
        error = Assert.ThrowsAny<RuntimeException>(() => alone.Run("Invoke-Probe $body -Confirm:$false")).ErrorRecord;
        Assert.StartsWith("PromptNotPossible,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_of_a_busy_operation_is_coalesced_and_its_bar_taken_down()
    {
        using var shell = session.Script("Invoke-Probe $body");
        Set("body", new ProbeBody(async (cmdlet, ct) =>
        {
            // The pipeline is held: what is reported meanwhile waits as one record, the newest.
            var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var release = new ManualResetEventSlim();
            var hold = cmdlet.OnPipelineAsync(() =>
            {
                held.SetResult();
                return release.Wait(Patience, ct);
            });
            await held.Task;
            for (var i = 0; i <= 100; i++)
            {
                cmdlet.Report.Progress(new OperationProgress("Creating demo", $"step {i}", i));
            }

            release.Set();
            await hold;
            await cmdlet.OnPipelineAsync(() => true);
        }));
        shell.Invoke();
        var records = shell.Streams.Progress.ToList();
        Assert.Equal(2, records.Count);
        Assert.Equal((100, "step 100"), (records[0].PercentComplete, records[0].StatusDescription));
        Assert.Equal(ProgressRecordType.Completed, records[1].RecordType);
        Assert.Equal(records[0].ActivityId, records[1].ActivityId);
    }

    [Fact]
    public void A_straggler_that_writes_after_the_end_harms_nobody()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task? straggler = null;
        Probe((cmdlet, _) =>
        {
            straggler = Task.Run(async () =>
            {
                await gate.Task;
                cmdlet.WriteVerbose("too late");
                await cmdlet.WriteAsync("too late");
            }, CancellationToken.None);
            return Task.CompletedTask;
        });
        gate.SetResult();
        Assert.ThrowsAny<Exception>(() => straggler!.Wait(Patience, TestContext.Current.CancellationToken));
        Assert.Equal("still alive", Assert.Single(session.Run("'still alive'")).ToString());
    }

    private IReadOnlyList<PSObject> Probe(Func<ProbeCommand, CancellationToken, Task> body, string arguments = "")
    {
        Set("body", new ProbeBody(body));
        return session.Run("Invoke-Probe $body " + arguments);
    }

    private void Set(string name, object value) => session.Runspace.SessionStateProxy.SetVariable(name, value);
}
