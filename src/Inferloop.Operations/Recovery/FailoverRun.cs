namespace Inferloop.Operations.Recovery;

/// <summary>A failover under way: every change of it is in the journal before anything else happens.</summary>
internal sealed class FailoverRun(InferloopFailover start, Func<InferloopFailover, CancellationToken, Task> save, Func<DateTimeOffset> now) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1);
    private volatile InferloopFailover current = start;

    /// <summary>Called after each change.</summary>
    public Action<InferloopFailover>? Changed { get; init; }

    public InferloopFailover Current => current;

    /// <summary>The time where the failover happens: AWS's is everyone's, a sandbox's runs ahead.</summary>
    public DateTimeOffset Now => now();

    public async Task UpdateAsync(Func<InferloopFailover, InferloopFailover> change, CancellationToken cancellation)
    {
        await gate.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            var next = change(current);
            await save(next, cancellation).ConfigureAwait(false);
            current = next;
        }
        finally
        {
            gate.Release();
        }

        Changed?.Invoke(current);
    }

    public Task StepAsync(string name, Func<InferloopFailoverStep, InferloopFailoverStep> change, CancellationToken cancellation) =>
        UpdateAsync(f => f with { Steps = f.Steps.Select(s => s.Name == name ? change(s) : s).ToArray() }, cancellation);

    /// <summary>Keeps a value for other steps, for a resumption and for taking back.</summary>
    public Task KeepAsync(string key, string value, CancellationToken cancellation) =>
        UpdateAsync(f => f with { Facts = new SortedDictionary<string, string>(f.Facts.ToDictionary(p => p.Key, p => p.Value), StringComparer.Ordinal) { [key] = value } }, cancellation);

    public string? Fact(string key) => current.Facts.TryGetValue(key, out var value) ? value : null;

    public void Dispose() => gate.Dispose();
}
