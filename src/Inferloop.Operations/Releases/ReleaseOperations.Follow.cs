using Amazon.Batch;
using Amazon.Batch.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <content>Following a release to its end, and saying what became of it.</content>
internal sealed partial class ReleaseOperations
{
    /// <summary>As <see cref="WatchAsync"/>; and where the way to AWS is lost, says that the release goes on without us.</summary>
    private async Task<InferloopRelease> FollowAsync(
        InferloopEnvironment environment, InferloopRelease release, ReleaseStore store, Func<CancellationToken, Task> stack, bool throughApproval, bool wanted, CancellationToken cancellation)
    {
        try
        {
            return await WatchAsync(environment, release, store, stack, throughApproval, wanted, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or IOException)
        {
            // A failure of AWS that outlasted all repetitions, or credentials that ended before the release did.
            throw new OperationException(
                "ReleaseUnwatched", OperationErrorKind.Connection,
                $"The release of {release.Version} to '{environment.Name}' can no longer be watched: {e.Message.TrimEnd('.')}. It goes on in AWS, where alarms and ECS's circuit breaker take it back if they must.",
                $"Once AWS answers (and you are signed in), Publish-InferloopRelease with the same image takes it up again; Get-InferloopRelease {environment.Name} says how it stands, Stop-InferloopRelease {environment.Name} takes it back.", release, e);
        }
    }

    /// <summary>Follows the stack and ECS side by side: the stack says when it is over and which image it came to, ECS says why.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="release">The release.</param>
    /// <param name="store">Where it is kept.</param>
    /// <param name="stack">Follows the stack; ends in an error when it did not reach what was asked.</param>
    /// <param name="throughApproval">Go on while it waits for approval.</param>
    /// <param name="wanted">Whether the new version is what is wanted; else the old one is.</param>
    /// <param name="cancellation">Ends the watching.</param>
    private async Task<InferloopRelease> WatchAsync(
        InferloopEnvironment environment, InferloopRelease release, ReleaseStore store, Func<CancellationToken, Task> stack, bool throughApproval, bool wanted, CancellationToken cancellation)
    {
        var watch = new ReleaseWatch(Aws, operations.Options, Reporter, environment, onStage);
        using var detach = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var paused = false;
        var following = stack(detach.Token);
        var watching = watch.RunAsync(
            release,
            seen =>
            {
                // Nothing happens before somebody answers, and who answers follows it from there.
                paused = wanted && !throughApproval;
                return paused;
            },
            (seen, ct) => store.SaveAsync(KeyOf(environment), seen, ct),
            over.Token);
        OperationException? failure = null;
        try
        {
            if (await Task.WhenAny(following, watching).ConfigureAwait(false) == watching && paused)
            {
                await detach.CancelAsync().ConfigureAwait(false);
            }

            await following.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (paused && !cancellation.IsCancellationRequested)
        {
            // Left on purpose.
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Reporter.Warning($"The release of {release.Version} goes on in AWS. Publish-InferloopRelease with the same image takes it up again, Stop-InferloopRelease {environment.Name} takes it back.");
            throw;
        }
        catch (OperationException e) when (e.ErrorId is "EnvironmentUpdateFailed")
        {
            failure = e;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }

        if (paused)
        {
            await store.SaveAsync(KeyOf(environment), watch.Release, cancellation).ConfigureAwait(false);
            Reporter.Progress(new OperationProgress($"Releasing {environment.Name}", "Waiting for approval", 100, Completed: true));
            return watch.Release;
        }

        await watch.LookAsync(cancellation).ConfigureAwait(false);
        var end = await EndAsync(environment, watch.Release, cancellation).ConfigureAwait(false);
        await store.SaveAsync(KeyOf(environment), end, cancellation).ConfigureAwait(false);
        Reporter.Progress(new OperationProgress($"Releasing {environment.Name}", end.Status.ToString(), 100, Completed: true));
        return (end.Status, wanted) switch
        {
            (ReleaseStatus.Succeeded, true) or (ReleaseStatus.RolledBack, false) => end,
            (ReleaseStatus.Succeeded, false) => throw new OperationException(
                "ReleaseTooLate", OperationErrorKind.InvalidState, $"The release of {end.Version} to '{environment.Name}' had ended before it could be stopped: it serves.",
                $"Undo-InferloopRelease {environment.Name} brings back the one before.", end),
            _ => throw Failure(environment, end, watch, failure),
        };
    }

    /// <summary>How a release ended, by the stack: what it says is what runs.</summary>
    private async Task<InferloopRelease> EndAsync(InferloopEnvironment environment, InferloopRelease release, CancellationToken cancellation)
    {
        var now = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var runs = now.Spec.Application.ContainerImage == release.Image;
        var status = now.Status switch
        {
            "UPDATE_COMPLETE" when runs => ReleaseStatus.Succeeded,
            _ when StackStates.IsUpdatable(now.Status) => runs ? ReleaseStatus.Succeeded : ReleaseStatus.RolledBack,
            _ when StackStates.IsInProgress(now.Status) => release.IsOpen ? release.Status : ReleaseStatus.Running,
            _ => ReleaseStatus.Failed,
        };
        if (status is ReleaseStatus.Running or ReleaseStatus.Paused or ReleaseStatus.RollingBack)
        {
            return release with { Status = now.Status.Contains("ROLLBACK", StringComparison.Ordinal) ? ReleaseStatus.RollingBack : status };
        }

        return release with
        {
            Status = status,
            StatusReason = status == ReleaseStatus.Succeeded ? "" : release.StatusReason.Length > 0 ? release.StatusReason : now.StatusReason,
            Finished = release.Finished ?? now.Updated ?? release.Started,
            NextStep = status == ReleaseStatus.Failed ? StackStates.Guidance(environment.Name, now.Status) : "",
            ApprovalUntil = null,
            JobDefinition = status == ReleaseStatus.Succeeded ? await JobDefinitionAsync(now, cancellation).ConfigureAwait(false) : "",
        };
    }

    /// <summary>The revision that jobs run from now on. What the stack calls it may still be the first one: Batch counts revisions, CloudFormation keeps the name.</summary>
    private async Task<string> JobDefinitionAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (!environment.Spec.Batch.BatchEnabled
            || (await operations.ResourcesAsync(environment.StackId, cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.Type == "AWS::Batch::JobDefinition")?.PhysicalId is not { Length: > 0 } id)
        {
            return "";
        }

        var name = id.Split('/')[^1].Split(':')[0];
        var active = (await Aws.Client<IAmazonBatch>().DescribeJobDefinitionsAsync(new DescribeJobDefinitionsRequest { JobDefinitionName = name, Status = "ACTIVE" }, cancellation).ConfigureAwait(false)).JobDefinitions;
        return active?.MaxBy(d => d.Revision)?.JobDefinitionArn ?? "";
    }

    private static OperationException Failure(InferloopEnvironment environment, InferloopRelease release, ReleaseWatch watch, OperationException? stack)
    {
        var name = environment.Name;
        var (id, why, action) = release switch
        {
            { Alarms: var alarms } when alarms.Any(a => a.Rang) => ("ReleaseAlarm", $"the alarm {string.Join(", ", alarms.Where(a => a.Rang).Select(a => a.Name))} rang", $"Look at Get-InferloopAlarm {name} and the logs of that time, then release what mends it."),
            _ when watch.IsCrowdedOut => ("ReleaseCapacity", watch.CalledOff.Length > 0 ? watch.CalledOff : $"AWS had no room for the new tasks ({watch.Shortage})", Elsewhere(environment)),
            _ when watch.CalledOff.Length > 0 => ("ReleaseCrashLoop", watch.CalledOff, "Correct what the log lines name, build the image anew and release that."),
            { Failure: { } failure } => ("ReleaseCrashLoop", $"{failure.Count} tasks of the new version failed: {failure}", "Correct what the log lines name, build the image anew and release that."),
            _ when watch.Shortage.Length > 0 => ("ReleaseCapacity", $"AWS had no room for the new tasks ({watch.Shortage})", Elsewhere(environment)),
            _ when release.StatusReason.Contains("user request", StringComparison.Ordinal) || release.StatusReason.Contains("hook", StringComparison.Ordinal) => ("ReleaseStopped", release.StatusReason.TrimEnd('.'), $"Repeat Publish-InferloopRelease when it shall go on."),
            _ => ("ReleaseFailed", (stack?.Message ?? release.StatusReason).TrimEnd('.'), stack?.RecommendedAction ?? $"Look at Get-InferloopEnvironmentEvent {name}."),
        };
        var log = release.Failure is { LogLines.Count: > 1 } said && id == "ReleaseCrashLoop" ? $"{Environment.NewLine}{string.Join(Environment.NewLine, said.LogLines.Select(l => "  " + l))}" : "";
        var back = release.RollbackStarted is { } began && release.Finished is { } ended ? FormattableString.Invariant($", {(ended - began).TotalSeconds:0} seconds after the way back began") : "";
        return release.Status == ReleaseStatus.RolledBack
            ? new OperationException(id, OperationErrorKind.OperationFailed, $"The release of {release.Version} to '{name}' was taken back: {why}. {Short(release.PreviousImage)} serves again{back}.{log}", action, release)
            : new OperationException(id, OperationErrorKind.OperationFailed, $"The release of {release.Version} to '{name}' ended {release.Status}: {why}.{log}", release.NextStep.Length > 0 ? release.NextStep : action, release);
    }

    private static string Elsewhere(InferloopEnvironment environment) => environment.Spec.Ecs.CapacityMode == CapacityMode.FargateSpot
        ? $"Repeat the release later; or on capacity that AWS takes back from nobody: Set-InferloopEnvironment {environment.Name} -CapacityMode Fargate, then release again."
        : "Repeat the release later.";

    private static string Short(string image) => image.IndexOf("@sha256:", StringComparison.Ordinal) is > 0 and var at ? image[..Math.Min(image.Length, at + 20)] : image;
}
