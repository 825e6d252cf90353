using System.Globalization;

namespace Inferloop.Operations.Kubernetes;

/// <summary>How a rollout ended, or where it stands.</summary>
/// <param name="HasSucceeded">Whether the new image serves alone; otherwise the old one does.</param>
/// <param name="Reason">Why it came back; empty where it did not.</param>
/// <param name="Trouble">The pods that did not come up.</param>
internal sealed record RolloutOutcome(bool HasSucceeded, string Reason, PodTrouble? Trouble);

/// <summary>A stage of a rollout, as it is reached.</summary>
/// <param name="Name">ROLLING, SCALE_UP, PRODUCTION_TRAFFIC_SHIFT, BAKE_TIME, CLEAN_UP or ROLLBACK.</param>
/// <param name="New">The Deployment of the new image.</param>
/// <param name="Old">The Deployment of the old image where it is another one.</param>
/// <param name="NewTraffic">The share of requests that the new image has, in percent.</param>
internal sealed record RolloutStage(string Name, DeploymentState New, DeploymentState? Old, double NewTraffic);

/// <summary>
/// Brings a new image to a Deployment of a cluster, and the old one back when the new one does not come up. Every step looks first at what is
/// there, so that a rollout that was broken off goes on where it stood when it is begun again.
/// </summary>
internal sealed class ClusterRollout(ClusterWorkload workload, TimeSpan poll, TimeProvider time, IOperationReporter reporter, Func<RolloutStage, CancellationToken, Task> onStage)
{
    /// <summary>Failures of containers at which a rollout is called off.</summary>
    public const int Enough = 2;

    private readonly string activity = $"Releasing {workload.Name}";

    /// <summary>Pod by pod within one Deployment, as its strategy says.</summary>
    public async Task<RolloutOutcome> RollAsync(string image, string previous, string cause, CancellationToken cancellation)
    {
        var (serving, other) = await workload.ReadAsync(cancellation).ConfigureAwait(false);
        if (other is { Total: > 0 })
        {
            throw new OperationException(
                "ReleaseUnderWay", OperationErrorKind.Busy, $"The cluster runs {serving.Name} and {other.Name}: a blue/green release stands between them.",
                $"Publish-InferloopRelease with its image ({(await workload.RoutedAsync(cancellation).ConfigureAwait(false) == serving.Template ? other.Image : serving.Image)}) and -Strategy BlueGreen goes on with it.", workload.Name.ToString());
        }

        // New pods of the same Deployment have another template, which a Service that a blue/green release has pinned would not know.
        if (await workload.FindRouteAsync(cancellation).ConfigureAwait(false) is not null)
        {
            await workload.RouteAsync(null, cancellation).ConfigureAwait(false);
        }

        if (serving.Image != image)
        {
            await workload.SetImageAsync(serving.Name, image, cause, null, cancellation).ConfigureAwait(false);
        }

        var (failed, trouble) = await WatchAsync("ROLLING", serving.Name, null, 0, cancellation).ConfigureAwait(false);
        if (failed is null)
        {
            return new RolloutOutcome(true, "", trouble);
        }

        reporter.Warning($"{failed} {previous} comes back.");
        await workload.SetImageAsync(serving.Name, previous, "back from " + cause, null, cancellation).ConfigureAwait(false);
        var (stuck, _) = await WatchAsync("ROLLBACK", serving.Name, null, 0, cancellation).ConfigureAwait(false);
        return stuck is null ? new RolloutOutcome(false, failed, trouble)
            : throw new OperationException("RollbackFailed", OperationErrorKind.OperationFailed, $"{failed} The old image does not come back either: {stuck}", $"kubectl -n {workload.Name.Namespace} describe pods shows why.", workload.Name.ToString());
    }

    /// <summary>All pods of the new image beside the old ones first, then all requests at once; the old ones stay while it bakes.</summary>
    public async Task<RolloutOutcome> SwitchAsync(string image, string cause, TimeSpan bake, CancellationToken cancellation)
    {
        var (serving, other) = await workload.ReadAsync(cancellation).ConfigureAwait(false);
        var fresh = serving;
        DeploymentState? old = other;
        // A release that was broken off while it baked serves the new image already; the old one is still there.
        if (serving.Image != image || other is not { Total: > 0 })
        {
            old = serving;
            var name = serving.Name == workload.Name.Name ? workload.Name.Alternate : workload.Name.Name;
            if (await workload.RoutedAsync(cancellation).ConfigureAwait(false) is null)
            {
                await workload.RouteAsync(serving.Template, cancellation).ConfigureAwait(false);
            }

            if (other is null || other.Image != image || other.Desired != serving.Desired)
            {
                await workload.CopyAsync(serving.Name, name, image, cause, serving.Desired, cancellation).ConfigureAwait(false);
            }

            var (failed, trouble) = await WatchAsync("SCALE_UP", name, old, 0, cancellation).ConfigureAwait(false);
            fresh = await workload.FindAsync(name, cancellation).ConfigureAwait(false) ?? throw Gone(name);
            if (failed is not null)
            {
                reporter.Warning($"{failed} {serving.Image} has had all requests and keeps them.");
                await workload.ScaleAsync(name, 0, cancellation).ConfigureAwait(false);
                await onStage(new RolloutStage("ROLLBACK", fresh, old, 0), cancellation).ConfigureAwait(false);
                return new RolloutOutcome(false, failed, trouble);
            }

            await workload.RouteAsync(fresh.Template, cancellation).ConfigureAwait(false);
            await workload.AutoscaleAsync(fresh.Name, cancellation).ConfigureAwait(false);
            await onStage(new RolloutStage("PRODUCTION_TRAFFIC_SHIFT", fresh, old, 100), cancellation).ConfigureAwait(false);
        }

        if (await BakeAsync(fresh, old!, bake, cancellation).ConfigureAwait(false) is var (sick, why) && sick is not null)
        {
            reporter.Warning($"{sick} Requests go back to {old!.Image}.");
            await ReturnAsync(fresh, old, cancellation).ConfigureAwait(false);
            return new RolloutOutcome(false, sick, why);
        }

        await onStage(new RolloutStage("CLEAN_UP", fresh, old, 100), cancellation).ConfigureAwait(false);
        await workload.ScaleAsync(old!.Name, 0, cancellation).ConfigureAwait(false);
        return new RolloutOutcome(true, "", null);
    }

    /// <summary>Requests go back to the Deployment that had them before; possible while its pods are there.</summary>
    public async Task ReturnAsync(DeploymentState fresh, DeploymentState old, CancellationToken cancellation)
    {
        await workload.RouteAsync(old.Template, cancellation).ConfigureAwait(false);
        await workload.AutoscaleAsync(old.Name, cancellation).ConfigureAwait(false);
        await workload.ScaleAsync(fresh.Name, 0, cancellation).ConfigureAwait(false);
        await onStage(new RolloutStage("ROLLBACK", fresh, old, 0), cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes back what was begun and broken off: requests to the old image, and no pods of the new one.</summary>
    /// <returns>Whether there was anything to take back.</returns>
    public async Task<bool> TakeBackAsync(string image, string previous, string cause, CancellationToken cancellation)
    {
        var (serving, other) = await workload.ReadAsync(cancellation).ConfigureAwait(false);
        if (serving.Image == image && other is { Total: > 0 })
        {
            await ReturnAsync(serving, other, cancellation).ConfigureAwait(false);
            return true;
        }

        if (other is { Desired: > 0 } && other.Image == image)
        {
            await workload.ScaleAsync(other.Name, 0, cancellation).ConfigureAwait(false);
            return true;
        }

        if (serving.Image != image)
        {
            return false;
        }

        await workload.SetImageAsync(serving.Name, previous, cause, null, cancellation).ConfigureAwait(false);
        var (stuck, _) = await WatchAsync("ROLLBACK", serving.Name, null, 0, cancellation).ConfigureAwait(false);
        return stuck is null ? true : throw new OperationException("RollbackFailed", OperationErrorKind.OperationFailed, $"The old image does not come back: {stuck}", $"kubectl -n {workload.Name.Namespace} describe pods shows why.", workload.Name.ToString());
    }

    /// <summary>Looks until a Deployment is complete; tells why it will not be where that is seen first.</summary>
    private async Task<(string? Failed, PodTrouble? Trouble)> WatchAsync(string stage, string deployment, DeploymentState? old, double traffic, CancellationToken cancellation)
    {
        PodTrouble? trouble = null;
        var told = false;
        while (true)
        {
            var state = await workload.FindAsync(deployment, cancellation).ConfigureAwait(false) ?? throw Gone(deployment);
            var share = old is null && state.Total > 0 ? 100.0 * Math.Max(0, state.Available - Math.Max(0, state.Total - state.Updated)) / Math.Max(1, state.Available) : traffic;
            if (!told)
            {
                told = true;
                await onStage(new RolloutStage(stage, state, old, share), cancellation).ConfigureAwait(false);
            }

            if (state.IsComplete)
            {
                return (null, trouble);
            }

            trouble = await workload.TroubleAsync(state.IsObserved ? state.Template : "", cancellation).ConfigureAwait(false) ?? trouble;
            reporter.Progress(new OperationProgress(activity, Line(stage, state, trouble), state.Desired == 0 ? -1 : Math.Min(99, 100 * Math.Min(state.Updated, state.Available) / state.Desired)));
            if (stage != "ROLLBACK" && trouble is { Failures: >= Enough })
            {
                return ($"{trouble.Failures} starts of the new version failed: {Text(trouble)}.", trouble);
            }

            if (state.HasTimedOut)
            {
                return (trouble is null ? state.Message : $"{Text(trouble)}: {state.Message}", trouble);
            }

            await Task.Delay(poll, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The new image has all requests and the old one is ready to take them back.</summary>
    private async Task<(string? Sick, PodTrouble? Trouble)> BakeAsync(DeploymentState fresh, DeploymentState old, TimeSpan bake, CancellationToken cancellation)
    {
        await onStage(new RolloutStage("BAKE_TIME", fresh, old, 100), cancellation).ConfigureAwait(false);
        var until = await workload.NowAsync(cancellation).ConfigureAwait(false) + bake;
        while (await workload.NowAsync(cancellation).ConfigureAwait(false) is var now && now < until)
        {
            var state = await workload.FindAsync(fresh.Name, cancellation).ConfigureAwait(false) ?? throw Gone(fresh.Name);
            var trouble = await workload.TroubleAsync(state.Template, cancellation).ConfigureAwait(false);
            if (trouble is { Failures: > 0 })
            {
                return ($"A pod of the new version fails while it bakes: {Text(trouble)}.", trouble);
            }

            var left = until - now;
            reporter.Progress(new OperationProgress(activity, string.Create(CultureInfo.InvariantCulture, $"BAKE_TIME: {state.Available} of {state.Desired} new pods serve; the old ones stay"), 90, left));
            await Task.Delay(left < poll ? left : poll, time, cancellation).ConfigureAwait(false);
        }

        return (null, null);
    }

    private static string Line(string stage, DeploymentState state, PodTrouble? trouble) => string.Create(
        CultureInfo.InvariantCulture, $"{stage}: {state.Updated} of {state.Desired} pods new, {state.Available} serve{(state.Total > state.Updated ? $", {state.Total - state.Updated} old" : "")}{(trouble is null ? "" : "; " + Text(trouble))}");

    /// <summary>A trouble in a line, with the last that the container said.</summary>
    public static string Text(PodTrouble trouble) =>
        $"{trouble.Reason}{(trouble.ExitCode is { } code ? $" (exit code {code})" : "")}{(trouble.LogLines.Count > 0 ? ": " + trouble.LogLines[^1] : trouble.Detail.Length > 0 ? ": " + trouble.Detail : "")}".TrimEnd('.');

    private OperationException Gone(string deployment) => new(
        "WorkloadNotFound", OperationErrorKind.NotFound, $"The Deployment {deployment} in the namespace {workload.Name.Namespace} was deleted while it was released.", "Apply the manifests again.", workload.Name.ToString());
}
