using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <content>The history of an environment's releases, and the way back through it.</content>
internal sealed partial class ReleaseOperations
{
    /// <summary>
    /// All releases, the newest first: those in our history, brought up to what ECS and the stack say of them by now, and the deployments of ECS
    /// that others began with another image.
    /// </summary>
    public async Task<IReadOnlyList<InferloopRelease>> HistoryAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var store = await StoreAsync(cancellation).ConfigureAwait(false);
        var reader = new ReleaseReader(Aws, environment);
        var deployments = await reader.DeploymentsAsync(newestOnly: false, cancellation).ConfigureAwait(false);
        var all = new List<InferloopRelease>();
        foreach (var kept in store is null ? [] : (await store.ListAsync(KeyOf(environment), cancellation).ConfigureAwait(false)).Where(r => r.Target == ReleaseTarget.Ecs))
        {
            var release = kept with { Connection = environment.Connection };
            if (release.IsOpen)
            {
                var arn = release.ServiceDeploymentArn.Length > 0 ? release.ServiceDeploymentArn : await OwnAsync(reader, release, deployments, cancellation).ConfigureAwait(false);
                if (arn.Length > 0 && await reader.DeploymentAsync(arn, cancellation).ConfigureAwait(false) is { } deployment)
                {
                    release = ReleaseReader.With(release, deployment);
                }

                release = arn.Length == 0 && release.Image != environment.Spec.Application.ContainerImage && StackStates.IsUpdatable(environment.Status)
                    ? NeverBegun(release) : await EndAsync(environment, release, cancellation).ConfigureAwait(false);
                if (!release.IsOpen && arn.Length > 0)
                {
                    // Its process was gone when it ended.
                    await store!.SaveAsync(KeyOf(environment), release, cancellation).ConfigureAwait(false);
                }
            }

            all.Add(release);
        }

        all.AddRange(await OthersAsync(reader, deployments.Select(d => d.ServiceDeploymentArn).Except(all.Select(r => r.ServiceDeploymentArn)).ToList(), cancellation).ConfigureAwait(false));
        var ordered = all.OrderByDescending(r => r.Started).ToList();

        // An update of something else deploys the same image anew, which is no release; but it may wait for approval like one.
        return ordered.Where((r, i) => r.Origin == ReleaseOrigin.Release || r.IsOpen || r.Image != ordered.Skip(i + 1).FirstOrDefault(older => older.Status == ReleaseStatus.Succeeded)?.Image)
            .Select(r => r.Version.Length > 0 ? r : r with { Version = ordered.FirstOrDefault(o => o.Image == r.Image && o.Version.Length > 0)?.Version ?? "" }).ToList();
    }

    /// <summary>
    /// The entry of a process that died between writing it and telling AWS is gone on with where the image is the same, and closed where it is not.
    /// Only under the lock: whoever else could be about to begin one has it.
    /// </summary>
    private static async Task<InferloopRelease> InPlaceOfLeftAsync(InferloopRelease release, InferloopEnvironment environment, ReleaseStore store, CancellationToken cancellation)
    {
        foreach (var left in (await store.ListAsync(KeyOf(environment), cancellation).ConfigureAwait(false)).Where(r => r.Target == ReleaseTarget.Ecs && r.IsOpen && r.ServiceDeploymentArn.Length == 0))
        {
            if (left.Image == release.Image)
            {
                release = release with { Id = left.Id, Recorded = left.Recorded };
            }
            else
            {
                await store.SaveAsync(KeyOf(environment), NeverBegun(left), cancellation).ConfigureAwait(false);
            }
        }

        return release;
    }

    /// <summary>The deployment of a release whose process was gone before it saw it: the first of its image after the one that was newest before. Empty for none.</summary>
    private static async Task<string> OwnAsync(ReleaseReader reader, InferloopRelease release, IReadOnlyList<Amazon.ECS.Model.ServiceDeploymentBrief> deployments, CancellationToken cancellation)
    {
        var since = deployments.TakeWhile(d => d.ServiceDeploymentArn != release.DeploymentBefore).Reverse().ToList();
        var revisions = await reader.RevisionsAsync(since.Select(d => d.TargetServiceRevisionArn).OfType<string>(), cancellation).ConfigureAwait(false);
        return since.FirstOrDefault(d => revisions.GetValueOrDefault(d.TargetServiceRevisionArn ?? "")?.ContainerImages is { Count: > 0 } images && images[0].Image == release.Image)?.ServiceDeploymentArn ?? "";
    }

    private static InferloopRelease NeverBegun(InferloopRelease release) => release with
    {
        Status = ReleaseStatus.RolledBack, Finished = release.Started, StatusReason = "Whoever asked for it was gone before AWS was told; the version before has served all the while.",
    };

    private async Task<IReadOnlyList<InferloopRelease>> OthersAsync(ReleaseReader reader, List<string> arns, CancellationToken cancellation)
    {
        var found = new List<Amazon.ECS.Model.ServiceDeployment>();
        foreach (var some in arns.Chunk(20))
        {
            found.AddRange((await Aws.ECS.DescribeServiceDeploymentsAsync(new Amazon.ECS.Model.DescribeServiceDeploymentsRequest { ServiceDeploymentArns = [.. some] }, cancellation).ConfigureAwait(false)).ServiceDeployments ?? []);
        }

        var revisions = await reader.RevisionsAsync(found.Select(d => d.TargetServiceRevision?.Arn).OfType<string>(), cancellation).ConfigureAwait(false);
        return found.Select(d => reader.Foreign(d, d.TargetServiceRevision is { } target ? revisions.GetValueOrDefault(target.Arn) : null)).ToList();
    }

    /// <summary>The release that is under way, or the one of an id.</summary>
    /// <exception cref="OperationException">ReleaseNotFound.</exception>
    public async Task<InferloopRelease> FindAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        return ReleaseHistory.Find(history, id) ?? throw new OperationException(
            "ReleaseNotFound", OperationErrorKind.NotFound, id is null ? $"'{environment.Name}' has had no release." : $"'{environment.Name}' has had no release '{id}'.",
            $"List them with Get-InferloopRelease {environment.Name}.", id ?? environment.Name);
    }

    /// <summary>What brings back an earlier release: the one of an id, or the last good one of another image.</summary>
    /// <exception cref="OperationException">ReleaseNothingToUndo, ReleaseNotFound, ReleaseInProgress.</exception>
    public async Task<ReleaseRequest> UndoAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        if (history.FirstOrDefault(r => r.IsOpen) is { } open)
        {
            throw new OperationException(
                "ReleaseInProgress", OperationErrorKind.Busy, $"The release of {open.Version} to '{environment.Name}' is {open.Status}.",
                $"Stop-InferloopRelease {environment.Name} takes it back.", open.Id);
        }

        var current = environment.Spec.Application.ContainerImage;
        var to = id is not null ? await FindAsync(environment, id, cancellation).ConfigureAwait(false)
            : history.SkipWhile(r => r.Image != current || r.Status != ReleaseStatus.Succeeded).FirstOrDefault(r => r.Status == ReleaseStatus.Succeeded && r.Image != current && r.Image.Contains(".dkr.ecr.", StringComparison.Ordinal));
        if (to is null)
        {
            throw new OperationException(
                "ReleaseNothingToUndo", OperationErrorKind.NotFound, $"There is no earlier release of '{environment.Name}' whose image ECR could still have.",
                $"List them with Get-InferloopRelease {environment.Name}; any image is released with Publish-InferloopRelease.", environment.Name);
        }

        // What served once passed its gate then; going back must not fail because its weaknesses are known by now.
        return new ReleaseRequest { Image = to.Image, Version = to.Version.Length > 0 ? to.Version : null, Restores = to.Id, Unscanned = true };
    }
}
