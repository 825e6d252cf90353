using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>
/// Runs an asynchronous body on the thread pool and carries out, on the pipeline's own thread, what the body asks of the pipeline.
/// One pump serves one body.
/// </summary>
internal sealed class PipelinePump
{
    private readonly BlockingCollection<Request> requests = [];
    private readonly CancellationTokenSource stop;
    private readonly int pipelineThread = Environment.CurrentManagedThreadId;

    /// <summary>Makes a pump for the current thread.</summary>
    /// <param name="stop">Cancelled when the pipeline stops; the pump cancels it itself when something downstream has had enough.</param>
    public PipelinePump(CancellationTokenSource stop) => this.stop = stop;

    /// <summary>The caller may touch the pipeline directly.</summary>
    public bool OnPipelineThread => Environment.CurrentManagedThreadId == pipelineThread;

    /// <summary>Runs the body to its end. What the body throws is thrown here.</summary>
    /// <param name="body">The work; its token is cancelled by a stop.</param>
    /// <returns>What ended the pipeline during one of the body's requests, to be thrown on; null when nothing did.</returns>
    public ExceptionDispatchInfo? Run(Func<CancellationToken, Task> body)
    {
        var task = Task.Run(() => body(stop.Token), CancellationToken.None);
        _ = task.ContinueWith(_ => requests.CompleteAdding(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

        ExceptionDispatchInfo? halt = null;
        foreach (var request in requests.GetConsumingEnumerable())
        {
            if (halt is not null)
            {
                request.Cancel(stop.Token);
                continue;
            }

            // Whatever a write throws ends the pipeline: a stop, a terminating error downstream, -ErrorAction Stop, break, exit. It is engine
            // business and must leave here as the same object.
            halt = request.Execute();
            if (halt is not null)
            {
                _ = stop.CancelAsync();
            }
        }

        if (halt is not null)
        {
            Observe(task);
            return halt;
        }

        if (!task.IsCompleted)
        {
            // Abandoned: its late failure has no one left to tell.
            Observe(task);
            throw new OperationCanceledException(stop.Token);
        }

        task.GetAwaiter().GetResult();
        return null;
    }

    private static void Observe(Task task) =>
        _ = task.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    /// <summary>Stops waiting for a body that does not heed its token.</summary>
    public void Abandon() => requests.CompleteAdding();

    /// <summary>Asks for something on the pipeline thread and does not wait for it.</summary>
    public void Post(Action action)
    {
        if (OnPipelineThread)
        {
            action();
            return;
        }

        Add(new PostedRequest(action));
    }

    /// <summary>Asks for something on the pipeline thread; the task completes, elsewhere, when it is done.</summary>
    /// <param name="function">What to do. An exception of it ends the pipeline.</param>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        if (OnPipelineThread)
        {
            return Task.FromResult(function());
        }

        var request = new AwaitedRequest<T>(function);
        if (!Add(request))
        {
            request.Cancel(stop.Token);
        }

        return request.Task;
    }

    private bool Add(Request request)
    {
        try
        {
            requests.Add(request);
            return true;
        }
        catch (InvalidOperationException)
        {
            // The body has ended or was abandoned; nobody is at the pipeline for a straggler.
            return false;
        }
    }

    private abstract class Request
    {
        public abstract ExceptionDispatchInfo? Execute();

        public virtual void Cancel(CancellationToken token)
        {
        }
    }

    private sealed class PostedRequest(Action action) : Request
    {
        public override ExceptionDispatchInfo? Execute()
        {
            try
            {
                action();
                return null;
            }
            catch (Exception e)
            {
                return ExceptionDispatchInfo.Capture(e);
            }
        }
    }

    private sealed class AwaitedRequest<T>(Func<T> function) : Request
    {
        // Continuations must not run on the pipeline thread: it has the next request to serve.
        private readonly TaskCompletionSource<T> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => completion.Task;

        public override ExceptionDispatchInfo? Execute()
        {
            try
            {
                completion.SetResult(function());
                return null;
            }
            catch (RequestFailedException e)
            {
                completion.SetException(e.InnerException!);
                return null;
            }
            catch (Exception e)
            {
                completion.SetCanceled(CancellationToken.None);
                return ExceptionDispatchInfo.Capture(e);
            }
        }

        public override void Cancel(CancellationToken token) => completion.TrySetCanceled(token);
    }
}

/// <summary>Thrown by a request whose failure is the body's to handle, not the pipeline's end; the inner exception is the failure.</summary>
internal sealed class RequestFailedException(Exception failure) : Exception(failure.Message, failure);
