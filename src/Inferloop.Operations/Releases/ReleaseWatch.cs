using System.Globalization;
using Amazon.ECS;
using Amazon.ECS.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Operations.Releases;

/// <summary>
/// Watches one release in ECS until it is told to stop: shows its stage, and calls it off when its tasks fail a second time. ECS's own circuit
/// breaker needs three failures at least and waits longer after each; here two are enough, as the version before serves all the while.
/// </summary>
internal sealed class ReleaseWatch(EnvironmentAws aws, EnvironmentOptions options, IOperationReporter reporter, InferloopEnvironment environment, Action<InferloopRelease>? onStage)
{
    /// <summary>Failed tasks at which a release is called off.</summary>
    public const int Enough = 2;

    // How long AWS may have no room for new tasks; the environment takes no other change meanwhile.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(20);

    // A crash-looping task is seen within this at the latest.
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    private static readonly string[] s_stages =
    [
        "PRE_SCALE_UP", "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT", "POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP",
    ];

    private readonly ReleaseReader reader = new(aws, environment);
    private readonly TaskFailures failures = new(aws, environment.Outputs.GetValueOrDefault("ClusterName") ?? "", environment.Outputs.GetValueOrDefault("ServiceName") ?? "");
    private string? taskDefinition;
    private bool calledOff;
    private bool warned;

    /// <summary>The release as it was last seen.</summary>
    public InferloopRelease Release { get; private set; } = null!;

    /// <summary>The words for why it was called off from here; empty when it was not.</summary>
    public string CalledOff { get; private set; } = "";

    /// <summary>Why there was no room for tasks, where there was none.</summary>
    public string Shortage { get; private set; } = "";

    /// <summary>It was called off because there was no room.</summary>
    public bool IsCrowdedOut { get; private set; }

    /// <summary>Looks again and again.</summary>
    /// <param name="release">The release.</param>
    /// <param name="pauses">Called when it waits for approval; true ends the watch.</param>
    /// <param name="save">Keeps what is known.</param>
    /// <param name="until">Ends the watch.</param>
    public async Task RunAsync(InferloopRelease release, Func<InferloopRelease, bool> pauses, Func<InferloopRelease, CancellationToken, Task> save, CancellationToken until)
    {
        Release = release;
        try
        {
            while (true)
            {
                var before = Release;
                try
                {
                    await LookAsync(until).ConfigureAwait(false);
                    if (Release.Status != before.Status || Release.LifecycleStage != before.LifecycleStage || Release.ServiceDeploymentArn != before.ServiceDeploymentArn || Release.NewTraffic != before.NewTraffic)
                    {
                        onStage?.Invoke(Release);
                        await save(Release, until).ConfigureAwait(false);
                    }
                }
                catch (Exception e) when (AwsFaults.IsPassing(e))
                {
                    reporter.Verbose($"ECS could not be asked ({e.Message}); trying again.");
                }
                catch (AmazonServiceException e)
                {
                    // The release itself does not depend on being watched.
                    if (!warned)
                    {
                        reporter.Warning($"The stages of the release cannot be seen: {e.Message}");
                    }

                    warned = true;
                }

                if (Release.Status == ReleaseStatus.Paused && pauses(Release))
                {
                    return;
                }

                await Task.Delay(options.PollMaximum < s_longest ? options.PollMaximum : s_longest, options.Time, until).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (until.IsCancellationRequested)
        {
            // Whoever ends the watch knows why.
        }
    }

    /// <summary>One look. Also the last one, after the stack has come to rest.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        if (Release.ServiceDeploymentArn.Length == 0)
        {
            var newest = await reader.NewestAsync(cancellation).ConfigureAwait(false);
            if (newest.Length == 0 || newest == Release.DeploymentBefore)
            {
                Show("CloudFormation prepares it", -1);
                return;
            }

            Release = Release with { ServiceDeploymentArn = newest };
        }

        if (await reader.DeploymentAsync(Release.ServiceDeploymentArn, cancellation).ConfigureAwait(false) is not { } deployment)
        {
            return;
        }

        Release = ReleaseReader.With(Release, deployment);
        if (taskDefinition is null && deployment.TargetServiceRevision?.Arn is { } target)
        {
            taskDefinition = (await reader.RevisionsAsync([target], cancellation).ConfigureAwait(false)).GetValueOrDefault(target)?.TaskDefinition;
        }

        if (taskDefinition is not null)
        {
            Release = Release with { Failure = await failures.LookAsync(taskDefinition, cancellation).ConfigureAwait(false) ?? Release.Failure };
            Shortage = failures.Shortage.Length > 0 ? failures.Shortage : Shortage;
        }

        var goesOn = deployment.Status?.Value is "PENDING" or "IN_PROGRESS";
        var crowded = goesOn && taskDefinition is not null && failures.Starting + failures.Running < Release.Revisions.Where(r => r.IsNew).Sum(r => r.Requested)
            ? await failures.CrowdedAsync(Release.Started, cancellation).ConfigureAwait(false) : null;
        Shortage = crowded?.Words ?? (goesOn && failures.Shortage.Length == 0 ? "" : Shortage);
        Show(Line(), Percent());
        if (!goesOn || calledOff)
        {
            return;
        }

        if (failures.Count >= Enough)
        {
            calledOff = true;
            await CallOffAsync($"{failures.Count} tasks of the new version failed: {Release.Failure}", cancellation).ConfigureAwait(false);
        }
        else if (crowded is { } given && given.Lasts >= s_patience)
        {
            calledOff = true;
            IsCrowdedOut = true;
            await CallOffAsync($"AWS has had no room for the new tasks for {given.Lasts.TotalMinutes:0} minutes ({given.Words})", cancellation).ConfigureAwait(false);
        }
    }

    private async Task CallOffAsync(string why, CancellationToken cancellation)
    {
        reporter.Warning($"{why}. The release is called off.");
        try
        {
            await aws.ECS.StopServiceDeploymentAsync(
                new StopServiceDeploymentRequest { ServiceDeploymentArn = Release.ServiceDeploymentArn, StopType = StopServiceDeploymentStopType.ROLLBACK }, cancellation).ConfigureAwait(false);
            CalledOff = why;
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "ConflictException" or "InvalidParameterException")
        {
            // ECS was quicker, or has no version to go back to: its circuit breaker ends it.
            reporter.Verbose(e.Message);
        }
    }

    private string Line()
    {
        var fresh = Release.Revisions.FirstOrDefault(r => r.IsNew);
        var tasks = string.Create(CultureInfo.InvariantCulture, $"new tasks: {failures.Starting} starting, {failures.Healthy} of {fresh?.Requested ?? 0} healthy{(failures.Count > 0 ? $", {failures.Count} failed" : "")}");
        var traffic = Release.LifecycleStage.Length > 0 ? string.Create(CultureInfo.InvariantCulture, $"; new version has {Release.NewTraffic:0.#} % of traffic") : "";
        var trouble = Release.Failure is { } failure ? $"; {failure}" : Shortage.Length > 0 ? $"; waiting for room: {Shortage}" : "";
        return $"{(Release.Status == ReleaseStatus.Running ? Name(Release.LifecycleStage) : Release.Status)}: {tasks}{traffic}{trouble}";
    }

    private static string Name(string stage) => stage.Length > 0 ? stage : "Rolling";

    private int Percent()
    {
        if (Release.LifecycleStage.Length > 0 && Array.IndexOf(s_stages, Release.LifecycleStage) is >= 0 and var at)
        {
            return (at + 1) * 100 / (s_stages.Length + 1);
        }

        var fresh = Release.Revisions.FirstOrDefault(r => r.IsNew);
        return fresh is { Requested: > 0 } ? Math.Min(99, failures.Healthy * 100 / fresh.Requested) : -1;
    }

    private void Show(string status, int percent) => reporter.Progress(new OperationProgress($"Releasing {environment.Name}", status, percent));
}
