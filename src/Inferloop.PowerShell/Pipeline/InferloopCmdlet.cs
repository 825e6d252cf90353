using System.Management.Automation;
using System.Runtime.ExceptionServices;
using Inferloop.Operations;

namespace Inferloop.PowerShell.Pipeline;

/// <summary>
/// The base of every cmdlet. A leaf writes one asynchronous hook; it runs off the pipeline thread, and what it writes, asks and reports is
/// carried out on the pipeline thread. The hook's token is cancelled by Ctrl-C and when something downstream has had enough.
/// </summary>
public abstract partial class InferloopCmdlet : PSCmdlet, IDisposable
{
    /// <summary>How long a stopped cmdlet waits for a body that does not heed its token.</summary>
    private protected virtual TimeSpan StopGrace => TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource stop = new();
    private PipelinePump? pump;
    private bool disposed;

    /// <summary>Cancelled when the pipeline stops.</summary>
    protected CancellationToken StopToken => stop.Token;

    /// <summary>Where operations report: progress, verbose and warnings of this cmdlet.</summary>
    protected IOperationReporter Reporter => reporter ??= new CmdletReporter(this);

    private CmdletReporter? reporter;

    /// <summary>What must not be read by anyone: values given here are masked in every message this cmdlet writes.</summary>
    internal SecretScrubber Secrets { get; } = new();

    /// <summary>Work before the first input object.</summary>
    /// <param name="cancellationToken">Cancelled when the pipeline stops.</param>
    /// <returns>The work.</returns>
    protected virtual Task BeginAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The work for one input object.</summary>
    /// <param name="cancellationToken">Cancelled when the pipeline stops.</param>
    /// <returns>The work.</returns>
    protected abstract Task RunAsync(CancellationToken cancellationToken);

    /// <summary>Work after the last input object.</summary>
    /// <param name="cancellationToken">Cancelled when the pipeline stops.</param>
    /// <returns>The work.</returns>
    protected virtual Task EndAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    protected sealed override void BeginProcessing()
    {
        try
        {
            OnBegin();
        }
        catch (Exception e) when (e is not PipelineStoppedException)
        {
            ThrowTerminating(e);
        }

        Pump(BeginAsync);
    }

    /// <inheritdoc/>
    protected sealed override void ProcessRecord() => Pump(RunAsync);

    /// <inheritdoc/>
    protected sealed override void EndProcessing() => Pump(EndAsync);

    /// <inheritdoc/>
    protected sealed override void StopProcessing()
    {
        // Called on another thread while the pipeline thread is inside Pump.
        _ = stop.CancelAsync();
        if (pump is { } running)
        {
            _ = AbandonLaterAsync(running);
        }
    }

    /// <summary>On the pipeline thread, before anything else: reading parameters, preference variables and the session.</summary>
    private protected virtual void OnBegin()
    {
    }

    private async Task AbandonLaterAsync(PipelinePump running)
    {
        await Task.Delay(StopGrace).ConfigureAwait(false);
        running.Abandon();
    }

    private void Pump(Func<CancellationToken, Task> body)
    {
        var current = new PipelinePump(stop);
        pump = current;
        ExceptionDispatchInfo? halt = null;
        try
        {
            halt = current.Run(body);
        }
        catch (OperationCanceledException) when (Stopping)
        {
            throw new PipelineStoppedException();
        }
        catch (Exception e) when (e is not PipelineStoppedException)
        {
            ThrowTerminating(e);
        }
        finally
        {
            pump = null;
            reporter?.CompleteAll(ProgressNow);
        }

        halt?.Throw();
    }

    private void ThrowTerminating(Exception failure)
    {
        var record = ToErrorRecord(failure);
        AnnotateError(record);
        ThrowTerminatingError(record);
    }

    private ErrorRecord ToErrorRecord(Exception e) => ErrorRecords.From(e, Secrets);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends what is still under way.</summary>
    /// <param name="disposing">False only from a finalizer.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing && !disposed)
        {
            disposed = true;
            stop.Cancel();
            stop.Dispose();
        }
    }
}
