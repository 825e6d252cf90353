using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox;

public sealed class ClockTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_stepped_clock_moves_when_told_and_runs_what_falls_due_in_order()
    {
        using var clock = new SandboxClock(0, Start);
        var ran = new List<string>();
        clock.Schedule(Start.AddSeconds(20), () => ran.Add($"second at {(clock.Now - Start).TotalSeconds}"));
        clock.Schedule(Start.AddSeconds(10), () =>
        {
            ran.Add($"first at {(clock.Now - Start).TotalSeconds}");
            clock.Schedule(TimeSpan.FromSeconds(5), () => ran.Add($"between at {(clock.Now - Start).TotalSeconds}"));
        });
        clock.Schedule(Start.AddSeconds(99), () => ran.Add("too early"));
        using (clock.Schedule(Start.AddSeconds(12), () => ran.Add("cancelled")))
        {
        }
        clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["first at 10", "between at 15", "second at 20"], ran);
        Assert.Equal(Start.AddSeconds(30), clock.Now);
        Assert.Equal(1, clock.Pending);
    }

    [Fact]
    public async Task An_accelerated_clock_runs_ahead_and_delays_shrink()
    {
        using var clock = new SandboxClock(100_000, Start);
        await clock.DelayAsync(TimeSpan.FromHours(1), TestContext.Current.CancellationToken);
        Assert.True(clock.Now >= Start.AddHours(1));
        var many = Enumerable.Range(0, 2_000).Select(i => clock.DelayAsync(TimeSpan.FromMinutes(i % 60), TestContext.Current.CancellationToken));
        await Task.WhenAll(many);
    }

    [Fact]
    public async Task A_delay_can_be_cancelled()
    {
        using var clock = new SandboxClock(0, Start);
        using var cancellation = new CancellationTokenSource();
        var delay = clock.DelayAsync(TimeSpan.FromDays(1), cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => delay);
    }

    [Fact]
    public void A_transition_that_throws_is_reported_and_holds_up_no_other()
    {
        using var clock = new SandboxClock(0, Start);
        var reported = new List<Exception>();
        var ran = false;
        clock.TransitionFailed += reported.Add;
        clock.Schedule(Start.AddSeconds(1), () => throw new InvalidOperationException("broken"));
        clock.Schedule(Start.AddSeconds(2), () => ran = true);
        clock.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("broken", Assert.Single(reported).Message);
        Assert.True(ran);
    }

    [Fact]
    public void Changing_the_rate_keeps_the_time()
    {
        using var clock = new SandboxClock(0, Start);
        clock.Advance(TimeSpan.FromMinutes(5));
        clock.Rate = 1;
        Assert.InRange(clock.Now, Start.AddMinutes(5), Start.AddMinutes(6));
    }
}
