using System.Collections.Concurrent;

namespace Inferloop.Sandbox.Runtime;

/// <summary>One thread that everything of a sandbox with a journal happens on, one event after the other.</summary>
internal sealed class Turnstile : IDisposable
{
    /// <summary>What one event sets off runs on its stack until it waits for the clock; a large stack of templates may go deep.</summary>
    private const int StackSize = 64 * 1024 * 1024;

    private readonly BlockingCollection<Action> work = [];
    private readonly Action<Exception> report;
    private readonly Thread thread;

    public Turnstile(Action<Exception> report)
    {
        this.report = report;
        thread = new Thread(Loop, StackSize) { IsBackground = true, Name = "Inferloop sandbox" };
        thread.Start();
    }

    /// <summary>Whether the caller is on the thread.</summary>
    public bool IsHere => Environment.CurrentManagedThreadId == thread.ManagedThreadId;

    /// <summary>Lets an action happen after what was posted before; one posted after the end never happens.</summary>
    public bool Post(Action action)
    {
        try
        {
            work.Add(action);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Lets an action happen and waits for it; what it throws is thrown here.</summary>
    public void Run(Action action)
    {
        if (IsHere)
        {
            action();
            return;
        }
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var posted = Post(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                done.SetException(e);
            }
        });
        ObjectDisposedException.ThrowIf(!posted, this);
        done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Ends it after what was posted before.</summary>
    public void Dispose()
    {
        work.CompleteAdding();
        if (!IsHere)
        {
            thread.Join();
        }
        work.Dispose();
    }

    private void Loop()
    {
        foreach (var action in work.GetConsumingEnumerable())
        {
            try
            {
                action();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                report(e);
            }
        }
    }
}
