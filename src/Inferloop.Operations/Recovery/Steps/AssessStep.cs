namespace Inferloop.Operations.Recovery.Steps;

/// <summary>Measures what would be lost, before anything is promoted, and goes on only where no more is lost than the operator consented to.</summary>
internal static class AssessStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        var run = context.Run.Current;
        var stores = await RecoveryMeter.MeasureAsync(context, run.Mode == FailoverMode.Graceful, cancellation).ConfigureAwait(false);
        if (run is { Mode: FailoverMode.Ungraceful, LostSince: { } since } && context.Run.Now - since is var gone && gone > TimeSpan.Zero)
        {
            // A replica of what is lost grows older by the minute, and nothing is written there that it could lack.
            stores = stores.Select(s => s.Lag is { } lag && !s.By.StartsWith("copied", StringComparison.Ordinal) ? s with { Lag = lag > gone ? lag - gone : TimeSpan.Zero, Source = s.Source + FormattableString.Invariant($", less {gone.TotalMinutes:0} minutes since the loss") } : s).ToArray();
        }

        var rpo = stores.Max(s => s.Lag);
        await context.Run.UpdateAsync(f => f with { Stores = stores, Rpo = run.Mode == FailoverMode.Graceful ? f.Rpo : rpo }, cancellation).ConfigureAwait(false);
        if (run.Mode == FailoverMode.Ungraceful && rpo > context.Run.Current.MaximumDataLoss)
        {
            var worst = stores.Where(s => s.Lag == rpo).Select(s => s.Name).First();
            throw new OperationException(
                "FailoverRpoBreached", OperationErrorKind.InvalidState,
                FormattableString.Invariant($"Of the {worst.ToLowerInvariant()} the newest {rpo:d\\.hh\\:mm\\:ss} may be lost; {context.Run.Current.MaximumDataLoss:d\\.hh\\:mm\\:ss} is consented to (the objective is {run.RpoObjective:d\\.hh\\:mm\\:ss}). Nothing was changed."),
                FormattableString.Invariant($"If it is known since when {run.FromRegion} is lost, begin again with -LostSince: nothing was written there since. To accept the loss: {context.Run.Current.Next} -MaximumDataLoss {Math.Ceiling(rpo.Value.TotalHours):0}:00:00"), run.Environment);
        }

        return string.Join("; ", stores.Select(s => s.ToString()));
    }
}
