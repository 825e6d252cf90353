namespace Inferloop.Operations.Environments;

/// <summary>
/// An environment taken for one operation. It gives signs of life until disposed, and cancels <see cref="Lost"/> when
/// the lock can no longer be counted on, so that two operators never drive one stack.
/// </summary>
internal sealed class EnvironmentLock : IAsyncDisposable
{
    private readonly ControlTable table;
    private readonly string environment;
    private readonly string operationId;
    private readonly TimeProvider time;
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource lost = new();
    private readonly Task heartbeat;

    public EnvironmentLock(ControlTable table, string environment, string operationId, TimeProvider time)
    {
        this.table = table;
        this.environment = environment;
        this.operationId = operationId;
        this.time = time;
        heartbeat = Task.Run(BeatAsync);
    }

    /// <summary>Cancelled when another operator has the lock, or may have it.</summary>
    public CancellationToken Lost => lost.Token;

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync().ConfigureAwait(false);
        await heartbeat.ConfigureAwait(false);

        // The release must happen even when the operation was cancelled; but it must not hold up Ctrl-C for long.
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await table.RemoveAsync(environment, operationId, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is Amazon.Runtime.AmazonServiceException or Amazon.Runtime.AmazonClientException or HttpRequestException or OperationCanceledException)
        {
            // The lease ends by itself; failing here would hide what the operation ended with.
        }

        stop.Dispose();
        lost.Dispose();
    }

    private async Task BeatAsync()
    {
        var good = time.GetUtcNow();
        try
        {
            while (true)
            {
                await Task.Delay(ControlTable.Lease / 4, time, stop.Token).ConfigureAwait(false);
                try
                {
                    if (!await table.RenewAsync(environment, operationId, stop.Token).ConfigureAwait(false))
                    {
                        await lost.CancelAsync().ConfigureAwait(false);
                        return;
                    }

                    good = time.GetUtcNow();
                }
                catch (Exception e) when (e is Amazon.Runtime.AmazonServiceException or Amazon.Runtime.AmazonClientException or HttpRequestException)
                {
                    if (time.GetUtcNow() - good > ControlTable.Lease)
                    {
                        await lost.CancelAsync().ConfigureAwait(false);
                        return;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Disposed: the operation is over.
        }
    }
}
