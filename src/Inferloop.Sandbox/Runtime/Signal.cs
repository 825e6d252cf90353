namespace Inferloop.Sandbox.Runtime;

/// <summary>
/// Lets several wait for one outcome. They go on one after the other, in the order in which they came, on the thread that brought it about where
/// the sandbox keeps a journal.
/// </summary>
/// <remarks>A task cannot do that: of several that await it .NET lets only one go on at once and sends the others to the pool, where they would see another time and other ids each time.</remarks>
internal sealed class Signal(SandboxClock clock)
{
    private readonly List<TaskCompletionSource<bool>> waiting = [];
    private bool? outcome;

    /// <summary>The outcome, as soon as there is one.</summary>
    public Task<bool> WaitAsync()
    {
        lock (waiting)
        {
            if (outcome is { } known)
            {
                return Task.FromResult(known);
            }
            var source = new TaskCompletionSource<bool>(clock.Continuations);
            waiting.Add(source);
            return source.Task;
        }
    }

    /// <summary>Tells the outcome; only the first counts.</summary>
    public void Set(bool value)
    {
        lock (waiting)
        {
            if (outcome is not null)
            {
                return;
            }
            outcome = value;
        }
        foreach (var source in waiting)
        {
            source.TrySetResult(value);
        }
    }

    /// <summary>Runs work and tells whether it was done; work that throws was not.</summary>
    public async Task<bool> FollowAsync(Func<Task<bool>> work)
    {
        var done = false;
        try
        {
            return done = await work().ConfigureAwait(false);
        }
        finally
        {
            Set(done);
        }
    }
}
