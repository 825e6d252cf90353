using System.Net;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Kubernetes;
using Inferloop.Operations.Specs;
using k8s;
using k8s.Autorest;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Operations.Releases;

/// <summary>
/// Releases of the application on the environment's EKS cluster: of its Deployment, through the Kubernetes API.
/// </summary>
/// <remarks>
/// The stack's template makes the cluster and knows nothing of what is deployed on it, so no update of the environment can take a release back;
/// docs/examples/kubernetes/deploy.ps1, which applies the manifests again, asks the history for the image that serves. Approval and shifting by
/// steps are ECS's: on the cluster a release rolls, or moves all requests at once.
/// </remarks>
internal sealed class ClusterReleases(EnvironmentOperations operations, WorkloadName workload, Action<InferloopRelease>? onStage) : IReleases
{
    private EnvironmentAws Aws => operations.Aws;

    private IOperationReporter Reporter => operations.Reporter;

    /// <summary>Resolves and checks the image, and looks at what runs. Nothing is changed.</summary>
    /// <exception cref="OperationException">The image, the strategy or the cluster is not fit for it.</exception>
    public async Task<PreparedRelease> PrepareAsync(InferloopEnvironment environment, ReleaseRequest request, bool preview, CancellationToken cancellation)
    {
        var strategy = request.Strategy ?? ReleaseStrategy.Rolling;
        if (strategy is not (ReleaseStrategy.Rolling or ReleaseStrategy.BlueGreen) || request.Approval == true)
        {
            throw new OperationException(
                "ReleaseStrategyUnsupported", OperationErrorKind.InvalidArgument, $"A release to a cluster rolls or moves all requests at once; {(request.Approval == true ? "it does not wait for approval" : $"{strategy} is for ECS and Lambda")}.",
                "Use -Strategy Rolling or BlueGreen, without -Approval.", environment.Name);
        }

        var gate = new ImageGate(Aws, operations.Options, Reporter);
        var image = await gate.ResolveAsync(request.Image, environment, cancellation).ConfigureAwait(false);
        if (!request.Unscanned)
        {
            await gate.CheckAsync(image, environment, request.Gate, cancellation).ConfigureAwait(false);
        }

        using var cluster = await OpenAsync(environment, cancellation).ConfigureAwait(false);
        var (serving, other) = await AskAsync(environment, () => new ClusterWorkload(cluster, workload).ReadAsync(cancellation)).ConfigureAwait(false);
        var open = await OpenReleaseAsync(environment, cancellation).ConfigureAwait(false);
        if (open is not null && open.Image != image.Image)
        {
            throw InProgress(environment, open);
        }

        var now = operations.Options.Time.GetUtcNow();
        return new PreparedRelease(environment, request, open ?? new InferloopRelease
        {
            Id = Guid.NewGuid().ToString("N")[..12],
            Target = ReleaseTarget.Eks,
            Workload = workload.ToString(),
            Environment = environment.Name,
            Stage = environment.Stage,
            Region = environment.Region,
            Image = image.Image,
            Version = request.Version ?? image.Version,
            PreviousImage = serving.Image == image.Image && other is { Total: > 0 } ? other.Image : serving.Image,
            Strategy = strategy,
            Operator = operations.Options.Operator.Name,
            Restores = request.Restores,
            Started = now,
            Recorded = now,
            Connection = environment.Connection,
        }, null);
    }

    /// <summary>Carries a release out, or goes on with one that was broken off.</summary>
    /// <exception cref="OperationException">ReleaseFailed: the old version serves again.</exception>
    public async Task<InferloopRelease> RunAsync(PreparedRelease prepared, bool wait, CancellationToken cancellation)
    {
        var (environment, release, request) = (prepared.Environment, prepared.Release, prepared.Request);
        if (!wait)
        {
            throw new OperationException(
                "ReleaseNeedsWatching", OperationErrorKind.InvalidArgument, "A release to a cluster is carried out from here, stage by stage; nobody goes on with it when this command returns.", "Leave out -NoWait.", environment.Name);
        }

        var scope = await operations.HoldAsync(environment.Spec, OperationKind.Update, cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            var store = new ReleaseStore(Aws.DynamoDB, scope.Control.Table);
            using var cluster = await OpenAsync(environment, cancellation).ConfigureAwait(false);
            var deployed = new ClusterWorkload(cluster, workload);
            if (await OpenReleaseAsync(environment, cancellation).ConfigureAwait(false) is { } open && open.Id != release.Id)
            {
                // It came between the preparation and the lock.
                throw InProgress(environment, open);
            }

            // Before the first change: whoever goes on with it must know the image to go back to.
            await store.SaveAsync(KeyOf(environment), release, cancellation).ConfigureAwait(false);
            var current = release;
            var rollout = new ClusterRollout(deployed, operations.Options.PollMinimum, operations.Options.Time, Reporter, async (stage, ct) =>
            {
                await scope.StepAsync(stage.Name, ct).ConfigureAwait(false);
                var now = await deployed.NowAsync(ct).ConfigureAwait(false);
                current = current with
                {
                    LifecycleStage = stage.Name,
                    Started = current.Stages.Count == 0 ? now : current.Started,
                    Status = stage.Name == "ROLLBACK" ? ReleaseStatus.RollingBack : ReleaseStatus.Running,
                    RollbackStarted = stage.Name == "ROLLBACK" ? now : current.RollbackStarted,
                    Stages = [.. current.Stages, new InferloopReleaseStage(stage.Name, now)],
                    Revisions = RevisionsOf(stage),
                };
                await store.SaveAsync(KeyOf(environment), current, ct).ConfigureAwait(false);
                onStage?.Invoke(current);
            });
            try
            {
                var cause = $"Inferloop release {release.Id}: {release.Version}";
                var outcome = await AskAsync(environment, () => release.Strategy == ReleaseStrategy.BlueGreen
                    ? rollout.SwitchAsync(release.Image, cause, TimeSpan.FromMinutes(request.BakeMinutes ?? environment.Spec.Release.ReleaseBakeMinutes), cancellation)
                    : rollout.RollAsync(release.Image, release.PreviousImage, cause, cancellation)).ConfigureAwait(false);
                current = await EndAsync(current, outcome, deployed, cancellation).ConfigureAwait(false);
                await store.SaveAsync(KeyOf(environment), current, cancellation).ConfigureAwait(false);
                await scope.EndAsync(outcome.HasSucceeded ? OperationState.Completed : OperationState.Failed, current.StatusReason).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or OperationException { ErrorId: "ClusterUnreachable" or "ClusterAccessDenied" })
            {
                Reporter.Warning($"The release of {release.Version} is not over; the old version has {(current.LifecycleStage is "PRODUCTION_TRAFFIC_SHIFT" or "BAKE_TIME" or "CLEAN_UP" ? "no more" : "its")} requests. Publish-InferloopRelease with the same image goes on with it, Stop-InferloopRelease {environment.Name} -Target Eks takes it back.");
                await scope.EndAsync(e is OperationCanceledException ? OperationState.Cancelled : OperationState.Failed, e is OperationCanceledException ? "The operator stopped watching." : e.Message).ConfigureAwait(false);
                throw;
            }

            return current.Status == ReleaseStatus.Succeeded ? current : throw new OperationException(
                "ReleaseFailed", OperationErrorKind.OperationFailed, $"The release of {current.Version} to the cluster of '{environment.Name}' was taken back: {current.StatusReason.TrimEnd('.')}. {current.PreviousImage} serves.",
                $"Look with Get-InferloopRelease {environment.Name} -Target Eks | Format-List; mend the image and publish it again.", current);
        }
    }

    /// <summary>Takes a release back that is not over.</summary>
    public async Task<InferloopRelease> StopAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation)
    {
        if (!release.IsOpen)
        {
            throw new OperationException(
                "ReleaseNotRunning", OperationErrorKind.InvalidState, $"The release of {release.Version} to the cluster of '{environment.Name}' is {release.Status}: there is nothing to stop.",
                release.Status == ReleaseStatus.Succeeded ? $"Undo-InferloopRelease {environment.Name} -Target Eks brings back the one before." : $"Look with Get-InferloopRelease {environment.Name} -Target Eks.", release.Id);
        }

        var scope = await operations.HoldAsync(environment.Spec, OperationKind.Update, cancellation).ConfigureAwait(false);
        await using (scope.ConfigureAwait(false))
        {
            await scope.StepAsync("ROLLBACK", cancellation).ConfigureAwait(false);
            using var cluster = await OpenAsync(environment, cancellation).ConfigureAwait(false);
            var deployed = new ClusterWorkload(cluster, workload);
            var rollout = new ClusterRollout(deployed, operations.Options.PollMinimum, operations.Options.Time, Reporter, static (_, _) => Task.CompletedTask);
            await AskAsync(environment, () => rollout.TakeBackAsync(release.Image, release.PreviousImage, "stopped: " + release.Version, cancellation)).ConfigureAwait(false);
            var ended = await EndAsync(release, new RolloutOutcome(false, $"Stopped by {operations.Options.Operator.Name}.", null), deployed, cancellation).ConfigureAwait(false);
            await new ReleaseStore(Aws.DynamoDB, scope.Control.Table).SaveAsync(KeyOf(environment), ended, cancellation).ConfigureAwait(false);
            await scope.EndAsync(OperationState.Completed).ConfigureAwait(false);
            return ended;
        }
    }

    /// <summary>Nothing waits on a cluster.</summary>
    public Task<InferloopRelease> ApproveAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation) => throw new OperationException(
        "ReleaseNotPaused", OperationErrorKind.InvalidState, "A release to a cluster waits for nobody.", $"Look with Get-InferloopRelease {environment.Name} -Target Eks.", release.Id);

    /// <summary>The release that is under way or else the newest, or the one of an id.</summary>
    /// <exception cref="OperationException">ReleaseNotFound.</exception>
    public async Task<InferloopRelease> FindAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        return ReleaseHistory.Find(history, id) ?? throw new OperationException(
            "ReleaseNotFound", OperationErrorKind.NotFound, id is null ? $"The cluster of '{environment.Name}' has had no release." : $"The cluster of '{environment.Name}' has had no release '{id}'.",
            $"List them with Get-InferloopRelease {environment.Name} -Target Eks.", id ?? environment.Name);
    }

    /// <summary>The releases to the cluster, the newest first.</summary>
    public async Task<IReadOnlyList<InferloopRelease>> HistoryAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        await operations.ControlPlaneAsync(cancellation).ConfigureAwait(false) is { } control
            ? (await new ReleaseStore(Aws.DynamoDB, control.Table).ListAsync(KeyOf(environment), cancellation).ConfigureAwait(false)).Where(release => release.Target == ReleaseTarget.Eks && release.Workload == workload.ToString()).Select(release => release with { Connection = environment.Connection }).ToList()
            : [];

    /// <summary>What brings back an earlier release: the one of an id, or the last good one of another image.</summary>
    public async Task<ReleaseRequest> UndoAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        var current = history.FirstOrDefault(release => release.Status == ReleaseStatus.Succeeded);
        return ReleaseHistory.Earlier(history, id, current?.Image) ?? throw new OperationException(
            "ReleaseNothingToUndo", OperationErrorKind.NotFound, id is null ? $"There is no earlier release to the cluster of '{environment.Name}'." : $"The cluster of '{environment.Name}' has had no release '{id}'.",
            $"List them with Get-InferloopRelease {environment.Name} -Target Eks; any image is released with Publish-InferloopRelease.", environment.Name);
    }

    private static OperationException InProgress(InferloopEnvironment environment, InferloopRelease open) => new(
        "ReleaseInProgress", OperationErrorKind.Busy, $"The release of {open.Version} to the cluster of '{environment.Name}' by {open.Operator} is not over.",
        $"Stop-InferloopRelease {environment.Name} -Target Eks takes it back; Publish-InferloopRelease with its image goes on with it.", open.Id);

    private static string KeyOf(InferloopEnvironment environment) => EnvironmentOperations.KeyFor(environment.Spec);

    private async Task<InferloopRelease?> OpenReleaseAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        (await HistoryAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(release => release.IsOpen);

    private async Task<IKubernetes> OpenAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        if (environment.Outputs.GetValueOrDefault("EksClusterName") is not { Length: > 0 } cluster)
        {
            throw new OperationException(
                "ReleaseNoCluster", OperationErrorKind.InvalidState, $"'{environment.Name}' has no EKS cluster to release to.", $"Add one: Set-InferloopEnvironment {environment.Name} -EksEnabled $true", environment.Name);
        }

        return await EksConnection.OpenAsync(Aws, cluster, environment.Spec.Eks.EksAdminRoleArn, cancellation).ConfigureAwait(false);
    }

    /// <summary>Puts the answers of Kubernetes into words that name the environment.</summary>
    private static async Task<T> AskAsync<T>(InferloopEnvironment environment, Func<Task<T>> ask)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            throw new OperationException(
                "ClusterAccessDenied", OperationErrorKind.PermissionDenied, $"The cluster of '{environment.Name}' lets you not do this: {e.Response.Content}",
                $"Only who has an access entry gets in: Set-InferloopEnvironment {environment.Name} -EksAdminRoleArn names the role of the operators.", environment.Name, e);
        }
        catch (HttpRequestException e)
        {
            throw new OperationException(
                "ClusterUnreachable", OperationErrorKind.Connection, $"The Kubernetes API of '{environment.Name}' does not answer: {e.Message}",
                "Without -EksPublicAccessCidrs it answers inside the VPC only (and through -VpnEnabled).", environment.Name, e);
        }
    }

    private static async Task<InferloopRelease> EndAsync(InferloopRelease release, RolloutOutcome outcome, ClusterWorkload deployed, CancellationToken cancellation) => release with
    {
        Status = outcome.HasSucceeded ? ReleaseStatus.Succeeded : ReleaseStatus.RolledBack,
        StatusReason = outcome.Reason,
        Finished = await deployed.NowAsync(cancellation).ConfigureAwait(false),
        Failure = outcome.Trouble is { } trouble && !outcome.HasSucceeded ? new InferloopReleaseFailure(trouble.Reason, deployed.Name.Name, trouble.ExitCode, trouble.Failures, trouble.LogLines) : release.Failure,
        Revisions = release.Revisions.Select(revision => revision with { ProductionTraffic = revision.IsNew == outcome.HasSucceeded ? 100 : 0 }).ToList(),
    };

    private static List<InferloopReleaseRevision> RevisionsOf(RolloutStage stage)
    {
        var revisions = new List<InferloopReleaseRevision>
        {
            new($"{stage.New.Name}-{stage.New.Template}", true, stage.New.Desired, stage.Old is null ? Math.Min(stage.New.Updated, stage.New.Available) : stage.New.Available, 0, stage.NewTraffic, 0),
        };
        if (stage.Old is { } old)
        {
            revisions.Add(new InferloopReleaseRevision($"{old.Name}-{old.Template}", false, old.Desired, old.Available, 0, 100 - stage.NewTraffic, 0));
        }

        return revisions;
    }
}
