using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Recovery;

/// <summary>What the steps of one failover share.</summary>
internal sealed record FailoverContext
{
    private const int FewestLooks = 20;

    public required FailoverRun Run { get; init; }

    /// <summary>The environment in the region that takes over, under this failover's lock.</summary>
    public required EnvironmentOperations Target { get; init; }

    /// <summary>The environment in the region that is left. Only steps that may be put off use it, or those of a planned switch.</summary>
    public required EnvironmentOperations Source { get; init; }

    /// <summary>The environment that takes over, as it was when this process looked.</summary>
    public required InferloopEnvironment Standby { get; init; }

    public required IOperationReporter Reporter { get; init; }

    /// <summary>Cancelled when the operator stops the whole, or the lock is lost.</summary>
    public CancellationToken Stopped { get; init; }

    public TimeSpan Poll => Target.Options.PollMinimum;

    public TimeProvider Time => Target.Options.Time;

    public string? Output(string name) => Standby.Outputs.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    public Task BeforeStepAsync(string name, CancellationToken cancellation) => Target.Options.BeforeStep?.Invoke(name, cancellation) ?? Task.CompletedTask;

    /// <summary>Looks until it is so.</summary>
    /// <param name="limit">How long it may take, by the clock of the place.</param>
    /// <param name="look">Gives null when it is so, otherwise what it is instead.</param>
    /// <param name="what">What is waited for, for the error.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task UntilAsync(TimeSpan limit, Func<CancellationToken, Task<string?>> look, string what, CancellationToken cancellation)
    {
        var begun = Run.Now;
        var pause = Poll;
        var looks = 0;
        while (await look(cancellation).ConfigureAwait(false) is { } instead)
        {
            // On a clock that runs fast a few looks are hours.
            if (Run.Now - begun > limit && ++looks > FewestLooks)
            {
                throw new OperationException(
                    "FailoverStepTimeout", OperationErrorKind.Timeout, $"{what} for {limit.TotalMinutes:0} minutes now, and it is not so: {instead}. AWS may still be at it.",
                    $"Look at it in AWS; {Run.Current.Next} waits on.", Run.Current.Environment);
            }

            await Task.Delay(pause, Time, cancellation).ConfigureAwait(false);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 3 / 2, Target.Options.PollMaximum.Ticks));
        }
    }
}
