namespace Inferloop.Aws;

/// <summary>How patiently to wait.</summary>
public sealed record WaiterOptions
{
    /// <summary>The pause after the first look.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest pause.</summary>
    public TimeSpan MaximumDelay { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How much longer each pause is than the one before.</summary>
    public double Factor { get; init; } = 1.6;

    /// <summary>The part of a pause that is left to chance, so that many waiters do not ask in step.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>When to give up; null for never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Waits for a condition.</summary>
public static class Waiter
{
    /// <summary>Looks until the condition holds; cancellation ends a pause at once.</summary>
    /// <typeparam name="T">What is looked at.</typeparam>
    /// <param name="look">Looks.</param>
    /// <param name="isDone">Whether what was seen is what was waited for; throws when it can no longer come.</param>
    /// <param name="options">How patiently.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>What was seen last.</returns>
    /// <exception cref="TimeoutException">The time ran out.</exception>
    public static async Task<T> UntilAsync<T>(
        Func<CancellationToken, ValueTask<T>> look, Func<T, bool> isDone, WaiterOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(look);
        ArgumentNullException.ThrowIfNull(isDone);
        options ??= new WaiterOptions();
        long started = options.Time.GetTimestamp();
        TimeSpan delay = options.InitialDelay;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            T seen = await look(cancellationToken).ConfigureAwait(false);
            if (isDone(seen))
            {
                return seen;
            }

            TimeSpan elapsed = options.Time.GetElapsedTime(started);
            TimeSpan pause = delay * (1 - (options.Jitter * Random.Shared.NextDouble()));
            if (options.Timeout is { } limit)
            {
                if (elapsed >= limit)
                {
                    throw new TimeoutException($"It did not come about within {limit}.");
                }

                // The last look is at the limit, not before it.
                pause = pause < limit - elapsed ? pause : limit - elapsed;
            }

            await Task.Delay(pause, options.Time, cancellationToken).ConfigureAwait(false);
            delay = delay * options.Factor < options.MaximumDelay ? delay * options.Factor : options.MaximumDelay;
        }
    }
}
