using System.Diagnostics;

namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// The sandbox's time: real (rate 1), accelerated (rate above 1) or stepped (rate 0: it moves when told to).
/// All state transitions of all services are scheduled here, on one timer.
/// </summary>
public sealed class SandboxClock : IDisposable
{
    private readonly PriorityQueue<Entry, (long Due, long Order)> queue = new();
    private readonly object gate = new();
    private readonly Timer timer;
    private readonly DateTimeOffset origin;
    private long order;
    private long anchorWall;
    private long anchorTicks;
    private double rate;
    private bool running;
    private bool disposed;
    private Persistence? persistence;
    private long? frozen;
    private bool isRepeating;

    /// <summary>A clock that starts now (or at a given moment) and runs at a rate.</summary>
    /// <param name="rate">How many sandbox seconds pass in a real second; 0 makes the clock stepped.</param>
    /// <param name="start">The moment the clock shows first; the present when null.</param>
    public SandboxClock(double rate = 1, DateTimeOffset? start = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rate);
        this.rate = rate;
        origin = start ?? DateTimeOffset.UtcNow;
        anchorWall = Stopwatch.GetTimestamp();
        timer = new Timer(static state => ((SandboxClock)state!).RunDue(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>The sandbox's present moment.</summary>
    public DateTimeOffset Now
    {
        get
        {
            lock (gate)
            {
                return origin.AddTicks(NowTicks());
            }
        }
    }

    /// <summary>How many sandbox seconds pass in a real second; 0 while the clock is stepped.</summary>
    public double Rate
    {
        get
        {
            lock (gate)
            {
                return rate;
            }
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (gate)
            {
                // What has passed so far passed at the old rate.
                anchorTicks = ElapsedTicks();
                anchorWall = Stopwatch.GetTimestamp();
                rate = value;
                Arm();
            }
        }
    }

    /// <summary>How many transitions wait for their time.</summary>
    public int Pending
    {
        get
        {
            lock (gate)
            {
                return queue.Count;
            }
        }
    }

    /// <summary>Told of every scheduled action that threw.</summary>
    internal event Action<Exception>? TransitionFailed;

    /// <summary>The moment of the last event, in a sandbox with a journal.</summary>
    internal long LastEvent { get; private set; }

    /// <summary>Lets a clock that has shown nothing yet stand still and follow a journal.</summary>
    internal void Follow(Persistence following)
    {
        lock (gate)
        {
            persistence = following;
            isRepeating = true;
            (anchorTicks, rate) = (0, 0);
            frozen = 0;
        }
    }

    /// <summary>Runs what was due until a moment of the journal.</summary>
    internal void RepeatTo(long ticks)
    {
        RunUntil(ticks);
        lock (gate)
        {
            anchorTicks = Math.Max(anchorTicks, ticks);
        }
        LastEvent = Math.Max(LastEvent, ticks);
    }

    /// <summary>Lets time pass again, from where the journal ends.</summary>
    internal void GoOn(double newRate)
    {
        lock (gate)
        {
            isRepeating = false;
            frozen = null;
            anchorWall = Stopwatch.GetTimestamp();
            rate = newRate;
            Arm();
        }
    }

    /// <summary>Runs what is due by now, on the turnstile; the moment that the next event is at.</summary>
    internal long RunDueNow()
    {
        long target;
        lock (gate)
        {
            target = Math.Max(ElapsedTicks(), LastEvent);
        }
        RunUntil(target);
        LastEvent = Math.Max(LastEvent, target);
        return LastEvent;
    }

    /// <summary>Runs an event at its moment: the clock shows that and nothing else until the event is over.</summary>
    internal T Within<T>(long ticks, Func<T> body)
    {
        var outer = frozen;
        frozen = ticks;
        try
        {
            return body();
        }
        finally
        {
            frozen = outer;
        }
    }

    /// <summary>Moves the clock forward at once, running everything that falls due on the way in the order it falls due.</summary>
    /// <param name="time">How far.</param>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        if (persistence is { } journaled)
        {
            journaled.Turnstile.Run(() => AdvanceJournaled(time));
            return;
        }
        long target;
        lock (gate)
        {
            target = ElapsedTicks() + time.Ticks;
        }
        while (true)
        {
            Entry? entry;
            lock (gate)
            {
                if (!queue.TryPeek(out entry, out var next) || next.Due > target)
                {
                    MoveTo(target);
                    Arm();
                    return;
                }
                queue.Dequeue();
                MoveTo(next.Due);
            }
            Run(entry);
        }
    }

    /// <summary>Runs an action when the sandbox's time has come; disposing the result before that cancels it.</summary>
    /// <param name="at">The moment; one in the past means at once.</param>
    /// <param name="action">What to do. It runs on a pool thread and must not block.</param>
    public IDisposable Schedule(DateTimeOffset at, Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        var entry = new Entry(action) { Seed = EventScope.Current?.NextSeed() ?? 0 };
        lock (gate)
        {
            if (disposed)
            {
                return entry;
            }
            var due = (at - origin).Ticks;
            queue.Enqueue(entry, (due, order++));
            if (queue.TryPeek(out var first, out _) && ReferenceEquals(first, entry))
            {
                Arm();
            }
        }
        return entry;
    }

    /// <summary>Runs an action after some sandbox time.</summary>
    /// <param name="after">How much sandbox time.</param>
    /// <param name="action">What to do.</param>
    public IDisposable Schedule(TimeSpan after, Action action) => Schedule(Now + after, action);

    /// <summary>Completes after some sandbox time.</summary>
    /// <param name="sandboxTime">How much sandbox time.</param>
    /// <param name="cancellationToken">Ends the wait early.</param>
    public async Task DelayAsync(TimeSpan sandboxTime, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (sandboxTime <= TimeSpan.Zero)
        {
            return;
        }
        var completion = new TaskCompletionSource(Continuations);
        var entry = Schedule(Now + sandboxTime, () => completion.TrySetResult());
        await using (cancellationToken.Register(() =>
        {
            entry.Dispose();
            completion.TrySetCanceled(cancellationToken);
        }).ConfigureAwait(false))
        {
            await completion.Task.ConfigureAwait(false);
        }
    }

    /// <summary>How what waits for something inside the sandbox goes on: on the pool, or, with a journal, within the event that it waited for.</summary>
    internal TaskCreationOptions Continuations => persistence is null ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None;

    /// <summary>Whether the sandbox keeps a journal.</summary>
    internal bool IsJournaled => persistence is not null;

    /// <summary>Whether the journal is being repeated.</summary>
    internal bool IsRepeating
    {
        get
        {
            lock (gate)
            {
                return isRepeating;
            }
        }
    }

    /// <summary>Lets other work go first.</summary>
    internal async Task YieldAsync()
    {
        if (persistence is null)
        {
            await Task.Yield();
            return;
        }
        var turn = new TaskCompletionSource();
        Schedule(Now, turn.SetResult);
        await turn.Task.ConfigureAwait(false);
    }

    /// <summary>Stops the clock's timer; what is still scheduled never runs.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
            queue.Clear();
        }
        timer.Dispose();
    }

    private long NowTicks() => frozen is { } moment && persistence!.Turnstile.IsHere ? moment : ElapsedTicks();

    private void AdvanceJournaled(TimeSpan time)
    {
        long target;
        lock (gate)
        {
            target = Math.Max(ElapsedTicks(), LastEvent) + time.Ticks;
        }
        RunUntil(target);
        lock (gate)
        {
            MoveTo(target);
            Arm();
        }
        LastEvent = Math.Max(LastEvent, target);
        persistence!.Note(target);
    }

    /// <summary>Runs what is due until a moment, each at its own.</summary>
    private void RunUntil(long target)
    {
        while (true)
        {
            Entry? entry;
            long moment;
            lock (gate)
            {
                if (disposed || !queue.TryPeek(out entry, out var next) || next.Due > target)
                {
                    return;
                }
                queue.Dequeue();
                moment = Math.Max(next.Due, LastEvent);
            }
            LastEvent = moment;
            using (persistence!.Enter(entry.Seed))
            {
                Within(moment, () =>
                {
                    Run(entry);
                    return true;
                });
            }
        }
    }

    private long ElapsedTicks() => rate == 0
        ? anchorTicks
        : anchorTicks + (long)(Stopwatch.GetElapsedTime(anchorWall).Ticks * rate);

    private void MoveTo(long ticks)
    {
        if (ticks > ElapsedTicks())
        {
            anchorTicks = ticks;
            anchorWall = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>Sets the timer to the next due entry. Called under the lock.</summary>
    private void Arm()
    {
        if (disposed || running || isRepeating || !queue.TryPeek(out _, out var next))
        {
            return;
        }
        var remaining = next.Due - ElapsedTicks();
        if (rate == 0 && remaining > 0)
        {
            return;
        }
        var wait = remaining <= 0 ? 0 : remaining / rate / TimeSpan.TicksPerMillisecond;
        timer.Change(wait <= 0 ? 0 : (long)Math.Min(Math.Ceiling(wait), 4_000_000_000L), Timeout.Infinite);
    }

    private void RunDue()
    {
        if (persistence is { } journaled)
        {
            journaled.Turnstile.Post(() =>
            {
                journaled.Note(RunDueNow());
                lock (gate)
                {
                    Arm();
                }
            });
            return;
        }
        lock (gate)
        {
            if (running || disposed)
            {
                return;
            }
            running = true;
        }
        while (true)
        {
            Entry? entry;
            lock (gate)
            {
                if (disposed || !queue.TryPeek(out entry, out var next) || next.Due > ElapsedTicks())
                {
                    running = false;
                    Arm();
                    return;
                }
                queue.Dequeue();
            }
            Run(entry);
        }
    }

    /// <summary>A transition that throws must neither end the process nor stop the transitions behind it; it is reported.</summary>
    private void Run(Entry entry)
    {
        try
        {
            entry.Run();
        }
        catch (Exception e) when (TransitionFailed is { } report)
        {
            report(e);
        }
    }

    private sealed class Entry(Action action) : IDisposable
    {
        private Action? action = action;

        /// <summary>What the event draws its random numbers from, in a sandbox with a journal.</summary>
        public ulong Seed { get; init; }

        public void Run() => Interlocked.Exchange(ref action, null)?.Invoke();

        public void Dispose() => Interlocked.Exchange(ref action, null);
    }
}
