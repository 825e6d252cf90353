using Inferloop.Aws;

namespace Inferloop.Tests.Aws;

public sealed class WaiterTests
{
    [Fact]
    public async Task Looks_until_it_holds_with_growing_pauses()
    {
        ManualTime time = new();
        int looks = 0;
        int seen = await Waiter.UntilAsync(_ => new ValueTask<int>(++looks), n => n == 5, new WaiterOptions { Time = time, Jitter = 0, InitialDelay = TimeSpan.FromSeconds(1), Factor = 2, MaximumDelay = TimeSpan.FromSeconds(5) }, TestContext.Current.CancellationToken);
        Assert.Equal(5, seen);
        Assert.Equal([1, 2, 4, 5], time.Pauses.Select(p => p.TotalSeconds));
    }

    [Fact]
    public async Task Gives_up_at_the_limit_after_a_last_look()
    {
        ManualTime time = new();
        int looks = 0;
        await Assert.ThrowsAsync<TimeoutException>(() => Waiter.UntilAsync(_ => new ValueTask<int>(++looks), _ => false, new WaiterOptions { Time = time, Jitter = 0, InitialDelay = TimeSpan.FromSeconds(4), Factor = 1, Timeout = TimeSpan.FromSeconds(10) }, TestContext.Current.CancellationToken));
        Assert.Equal([4, 4, 2], time.Pauses.Select(p => p.TotalSeconds));
        Assert.Equal(4, looks);
    }

    [Fact]
    public async Task Cancellation_ends_a_pause_at_once()
    {
        using CancellationTokenSource stop = new();
        Task waiting = Waiter.UntilAsync(
            _ =>
            {
                stop.Cancel();
                return new ValueTask<bool>(false);
            },
            done => done,
            new WaiterOptions { InitialDelay = TimeSpan.FromHours(1), Jitter = 0 },
            stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    /// <summary>A clock that jumps to the end of each pause.</summary>
    private sealed class ManualTime : TimeProvider
    {
        private TimeSpan now;

        public List<TimeSpan> Pauses { get; } = [];

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime);
            now += dueTime;
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
