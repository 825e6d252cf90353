using Amazon.Runtime;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// Carries out the steps of a failover, side by side where none waits for another. Whatever ends it in the middle (an error, Ctrl-C, a killed
/// process), the journal says what is done, and a later run goes on from there.
/// </summary>
internal sealed class FailoverRunner(FailoverContext context, IReadOnlyDictionary<string, FailoverAction> actions, IOperationReporter reporter)
{
    private const int AtOnce = 6;
    private const int Attempts = 5;

    /// <summary>How long, once the other region serves, a step that needs the region left is still tried before it is put off; real time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private FailoverRun Run => context.Run;

    /// <summary>Goes on until everything is done, a step fails, or an approval is waited for.</summary>
    public async Task<InferloopFailover> GoAsync(CancellationToken cancellation)
    {
        // What a dead process had begun, what failed, and what was put off begins anew: every step looks first.
        await Run.UpdateAsync(
            f => f with
            {
                State = FailoverState.Running, Reason = "", Finished = null,
                Steps = f.Steps.Select(s => s.State is FailoverStepState.Running or FailoverStepState.Failed or FailoverStepState.Deferred ? s with { State = FailoverStepState.Waiting, Reason = "" } : s).ToArray(),
            },
            cancellation).ConfigureAwait(false);
        var running = new Dictionary<string, Task<Exception?>>(StringComparer.Ordinal);
        using var optional = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        (string Step, Exception Why)? failed = null;
        while (true)
        {
            if (failed is null && !cancellation.IsCancellationRequested)
            {
                foreach (var step in Ready(running.Keys).Take(AtOnce - running.Count).ToList())
                {
                    running[step.Name] = DoAsync(step, step.CanBeDeferred ? optional.Token : cancellation);
                }
            }

            if (running.Count == 0)
            {
                break;
            }

            // The other region serves: what is left needs the one that was lost, and is not waited for long.
            if (Run.Current.Steps.All(s => s.IsOver || s.CanBeDeferred) && !optional.IsCancellationRequested)
            {
                optional.CancelAfter(Patience);
            }

            await Task.WhenAny(running.Values).ConfigureAwait(false);
            foreach (var (name, task) in running.Where(r => r.Value.IsCompleted).ToList())
            {
                running.Remove(name);
                if (await task.ConfigureAwait(false) is { } error)
                {
                    failed ??= (name, error);
                }
            }
        }

        cancellation.ThrowIfCancellationRequested();
        if (failed is { } end)
        {
            var reason = Because(end.Why);
            await Run.UpdateAsync(f => f with { State = FailoverState.Failed, Reason = $"{end.Step}: {reason}" }, cancellation).ConfigureAwait(false);
            throw end.Why as OperationException ?? new OperationException(
                "FailoverStepFailed", OperationErrorKind.OperationFailed, $"The step {end.Step} of the failover of '{Run.Current.Environment}' to {Run.Current.ToRegion} failed: {reason.TrimEnd('.')}. What is done is done; nothing goes on by itself.",
                $"Correct the cause, then go on: {Run.Current.Next}.", Run.Current.Environment, end.Why);
        }

        if (Run.Current.Steps.FirstOrDefault(IsHeld) is { } held)
        {
            await Run.UpdateAsync(f => f with { State = FailoverState.Paused, Reason = $"{held.Name} waits for an approval." }, cancellation).ConfigureAwait(false);
            return Run.Current;
        }

        await Run.UpdateAsync(f => f with { State = FailoverState.Completed, Finished = Run.Now }, cancellation).ConfigureAwait(false);
        return Run.Current;
    }

    /// <summary>Takes back what was done, the last first.</summary>
    public async Task<InferloopFailover> UndoAsync(CancellationToken cancellation)
    {
        foreach (var step in Run.Current.Steps.Reverse().Where(s => s.State is FailoverStepState.Done or FailoverStepState.Running or FailoverStepState.Failed && actions[s.Name].Undo is not null).ToList())
        {
            await context.BeforeStepAsync("Undo" + step.Name, cancellation).ConfigureAwait(false);
            reporter.Progress(new OperationProgress(Activity, $"Taking back {step.Name}"));
            await RepeatedAsync(
                async ct =>
                {
                    await actions[step.Name].Undo!(context, ct).ConfigureAwait(false);
                    return true;
                },
                cancellation).ConfigureAwait(false);
            await Run.StepAsync(step.Name, s => s with { State = FailoverStepState.Undone }, cancellation).ConfigureAwait(false);
        }

        await Run.UpdateAsync(f => f with { State = FailoverState.Undone, Finished = Run.Now, Reason = "Taken back by the operator." }, cancellation).ConfigureAwait(false);
        reporter.Progress(new OperationProgress(Activity, "Taken back", 100, Completed: true));
        return Run.Current;
    }

    /// <summary>Whether a step could begin, were it approved.</summary>
    private bool IsHeld(InferloopFailoverStep step) => step is { State: FailoverStepState.Waiting, NeedsApproval: true, ApprovedBy.Length: 0 } && IsDue(step);

    private bool IsDue(InferloopFailoverStep step) => step.After.All(a => Run.Current.Step(a).IsOver);

    private IEnumerable<InferloopFailoverStep> Ready(IEnumerable<string> running)
    {
        var busy = running.ToHashSet(StringComparer.Ordinal);

        // While somebody is asked, nothing else begins: a no must find as little done as can be.
        if (Run.Current.Steps.Any(IsHeld))
        {
            return [];
        }

        return Run.Current.Steps.Where(s => s.State == FailoverStepState.Waiting && !busy.Contains(s.Name) && IsDue(s) && !IsHeld(s))
            .OrderByDescending(s => s.IsCritical);
    }

    private string Activity => $"{(Run.Current.Direction == FailoverDirection.Failover ? "Failing over" : "Failing back")} {Run.Current.Environment}";

    /// <summary>One step, whole; the failure that ends the run, or null.</summary>
    private async Task<Exception?> DoAsync(InferloopFailoverStep step, CancellationToken cancellation)
    {
        try
        {
            await context.BeforeStepAsync(step.Name, cancellation).ConfigureAwait(false);
            await Run.StepAsync(step.Name, s => s with { State = FailoverStepState.Running, Started = s.Started ?? Run.Now }, cancellation).ConfigureAwait(false);
            var evidence = await RepeatedAsync(ct => actions[step.Name].Run(context, ct), cancellation).ConfigureAwait(false);
            await Run.UpdateAsync(f => Ended(f, step.Name, evidence), cancellation).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (step.CanBeDeferred && !context.Stopped.IsCancellationRequested && e is OperationException or AmazonServiceException or AmazonClientException or HttpRequestException or IOException or OperationCanceledException)
        {
            var why = e is OperationCanceledException ? $"{step.Region} did not answer in time" : Because(e);
            await Run.StepAsync(step.Name, s => s with { State = FailoverStepState.Deferred, Reason = why }, context.Stopped).ConfigureAwait(false);
            return null;
        }
        catch (Exception e) when (e is OperationException or AmazonServiceException or AmazonClientException or HttpRequestException or IOException)
        {
            await Run.StepAsync(step.Name, s => s with { State = FailoverStepState.Failed, Finished = Run.Now, Reason = Because(e) }, context.Stopped).ConfigureAwait(false);
            return e;
        }
        catch (OperationCanceledException) when (context.Stopped.IsCancellationRequested)
        {
            // Ctrl-C: the journal keeps it as running, which is what it may be in AWS.
            return null;
        }
    }

    private InferloopFailover Ended(InferloopFailover failover, string name, string? evidence)
    {
        var now = Run.Now;
        var next = failover with
        {
            Steps = failover.Steps.Select(s => s.Name != name ? s : s with { State = evidence is null ? FailoverStepState.NotNeeded : FailoverStepState.Done, Finished = now, Evidence = evidence ?? "", Reason = "" }).ToArray(),
        };
        return next.Rto is null && next.Step(FailoverStepNames.Verify).IsOver && next.Step(FailoverStepNames.Dns).IsOver ? next with { Rto = now - next.Started } : next;
    }

    private async Task<T> RepeatedAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work(cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (attempt < Attempts && AwsFaults.IsPassing(e) && !cancellation.IsCancellationRequested)
            {
                reporter.Verbose($"{Because(e)} It is tried again.");
                await Task.Delay(context.Poll * Math.Pow(2, attempt), context.Time, cancellation).ConfigureAwait(false);
            }
        }
    }

    private static string Because(Exception e) => e is AmazonServiceException { ErrorCode: { Length: > 0 } code } s ? $"{code}: {s.Message}" : e.Message;
}
