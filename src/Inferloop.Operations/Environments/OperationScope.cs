namespace Inferloop.Operations.Environments;

/// <summary>One operation under way: its lock, and its entry in the journal, which is written before each step.</summary>
internal sealed class OperationScope(
    ControlPlane control, ControlTable table, EnvironmentLock hold, bool journaled, EnvironmentOptions options, OperationRecord record) : IAsyncDisposable
{
    public ControlPlane Control { get; } = control;

    public ControlTable Table { get; } = table;

    public OperationRecord Record { get; private set; } = record;

    public CancellationToken LockLost { get; } = hold.Lost;

    /// <summary>Enters a step into the journal, then lets it begin.</summary>
    public async Task StepAsync(string name, CancellationToken cancellation, Func<OperationRecord, OperationRecord>? change = null)
    {
        if (LockLost.IsCancellationRequested)
        {
            throw new OperationException(
                "LockLost", OperationErrorKind.Busy, $"The lock on '{Record.Environment}' was lost: no sign of life reached AWS for {ControlTable.Lease.TotalSeconds:0} seconds, and another operator may be at work.",
                "Look with Get-InferloopEnvironment, then repeat the command.", Record.Environment);
        }

        if (options.BeforeStep is { } pause)
        {
            await pause(name, cancellation).ConfigureAwait(false);
        }

        Record = (change?.Invoke(Record) ?? Record).Begin(name, Table.Now);
        if (journaled)
        {
            await Table.SaveAsync(Record, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the entry. It is written even when the operation was cancelled, within a few seconds.</summary>
    public async Task EndAsync(OperationState state, string? reason = null)
    {
        Record = Record.End(state, Table.Now, reason);
        if (journaled && Record.Steps.Count > 0)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await Table.SaveAsync(Record, limit.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Closes an entry that a process left open.</summary>
    public Task CloseAsync(OperationRecord other, OperationState state, string reason, CancellationToken cancellation) =>
        Table.SaveAsync(other.End(state, Table.Now, reason), cancellation);

    public ValueTask DisposeAsync() => ReferenceEquals(hold, options.Held) ? ValueTask.CompletedTask : hold.DisposeAsync();
}
