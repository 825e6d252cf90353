using Amazon.ECS.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <summary>Reads from ECS what becomes of a release.</summary>
internal sealed class ReleaseReader(EnvironmentAws aws, InferloopEnvironment environment)
{
    public string Cluster { get; } = environment.Outputs.GetValueOrDefault("ClusterName") ?? "";

    public string Service { get; } = environment.Outputs.GetValueOrDefault("ServiceName") ?? "";

    /// <summary>The deployments that ECS remembers, the newest first.</summary>
    public async Task<IReadOnlyList<ServiceDeploymentBrief>> DeploymentsAsync(bool newestOnly, CancellationToken cancellation)
    {
        var found = new List<ServiceDeploymentBrief>();
        string? token = null;
        do
        {
            var page = await aws.ECS.ListServiceDeploymentsAsync(
                new ListServiceDeploymentsRequest { Cluster = Cluster, Service = Service, MaxResults = newestOnly ? 1 : 100, NextToken = token }, cancellation).ConfigureAwait(false);
            found.AddRange(page.ServiceDeployments ?? []);
            token = newestOnly ? null : page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        return found;
    }

    /// <summary>The ARN of the newest deployment; empty when there is none.</summary>
    public async Task<string> NewestAsync(CancellationToken cancellation) =>
        await DeploymentsAsync(newestOnly: true, cancellation).ConfigureAwait(false) is { Count: > 0 } found ? found[0].ServiceDeploymentArn : "";

    /// <summary>A deployment as it stands; null when ECS does not know it.</summary>
    public async Task<ServiceDeployment?> DeploymentAsync(string arn, CancellationToken cancellation) =>
        ((await aws.ECS.DescribeServiceDeploymentsAsync(new DescribeServiceDeploymentsRequest { ServiceDeploymentArns = [arn] }, cancellation).ConfigureAwait(false)).ServiceDeployments ?? []).FirstOrDefault();

    public async Task<IReadOnlyDictionary<string, ServiceRevision>> RevisionsAsync(IEnumerable<string> arns, CancellationToken cancellation)
    {
        var found = new Dictionary<string, ServiceRevision>(StringComparer.Ordinal);
        foreach (var some in arns.Distinct().Chunk(20))
        {
            foreach (var revision in (await aws.ECS.DescribeServiceRevisionsAsync(new DescribeServiceRevisionsRequest { ServiceRevisionArns = [.. some] }, cancellation).ConfigureAwait(false)).ServiceRevisions ?? [])
            {
                found[revision.ServiceRevisionArn] = revision;
            }
        }

        return found;
    }

    /// <summary>The release with what its deployment shows. Whether it succeeded, the stack says.</summary>
    public static InferloopRelease With(InferloopRelease release, ServiceDeployment deployment)
    {
        var pause = (deployment.LifecycleHookDetails ?? []).Find(h => h.TargetType?.Value == "PAUSE" && h.Status?.Value == "AWAITING_ACTION");
        var stage = deployment.LifecycleStage?.Value ?? "";
        var seen = TaskFailures.Moment(deployment.UpdatedAt) ?? release.Started;
        var status = StatusOf(deployment.Status?.Value, pause is not null);
        var back = TaskFailures.Moment(deployment.Rollback?.StartedAt);
        return release with
        {
            ServiceDeploymentArn = deployment.ServiceDeploymentArn,
            Started = TaskFailures.Moment(deployment.CreatedAt) ?? release.Started,
            Finished = TaskFailures.Moment(deployment.FinishedAt ?? deployment.StoppedAt),
            RollbackStarted = back ?? release.RollbackStarted,
            Status = status,
            StatusReason = status is ReleaseStatus.RollingBack or ReleaseStatus.RolledBack or ReleaseStatus.Failed ? deployment.Rollback?.Reason ?? deployment.StatusReason ?? "" : "",
            LifecycleStage = stage,
            Stages = stage.Length > 0 && !(release.Stages is [.., var last] && last.Name == stage) ? [.. release.Stages, new InferloopReleaseStage(stage, seen)] : release.Stages,
            Revisions = [.. new[] { Convert(deployment.TargetServiceRevision, isNew: true) }.Concat((deployment.SourceServiceRevisions ?? []).Select(r => Convert(r, isNew: false))).OfType<InferloopReleaseRevision>()],
            Alarms = (deployment.Alarms?.AlarmNames ?? []).Select(name => new InferloopReleaseAlarm(name, (deployment.Alarms?.TriggeredAlarmNames ?? []).Contains(name))).ToList(),
            ApprovalUntil = TaskFailures.Moment(pause?.ExpiresAt),
            PauseHookId = pause?.HookId ?? "",
            NextStep = pause is null ? "" : $"Approve-InferloopRelease {release.Environment} lets it go on, Stop-InferloopRelease {release.Environment} takes it back.",
        };
    }

    /// <summary>A deployment that no cmdlet of ours began, as a release.</summary>
    public InferloopRelease Foreign(ServiceDeployment deployment, ServiceRevision? revision)
    {
        var image = revision?.ContainerImages is { Count: > 0 } images ? images[0] : null;
        var name = image?.Image ?? "";
        if (image?.ImageDigest is { Length: > 0 } digest && !name.Contains('@', StringComparison.Ordinal) && name.LastIndexOf(':') > name.LastIndexOf('/'))
        {
            name = $"{name[..name.LastIndexOf(':')]}@{digest}";
        }

        return With(
            new InferloopRelease
            {
                Id = deployment.ServiceDeploymentArn.Split('/')[^1],
                Environment = environment.Name,
                Stage = environment.Stage,
                Region = environment.Region,
                Image = name,
                Version = image?.Image is { } asked && asked != name ? asked[(asked.LastIndexOf(':') + 1)..] : "",
                Strategy = deployment.DeploymentConfiguration?.Strategy?.Value switch { "BLUE_GREEN" => ReleaseStrategy.BlueGreen, "LINEAR" => ReleaseStrategy.Linear, "CANARY" => ReleaseStrategy.Canary, _ => ReleaseStrategy.Rolling },
                Started = default,
                Origin = ReleaseOrigin.Other,
                Connection = environment.Connection,
            },
            deployment);
    }

    private static ReleaseStatus StatusOf(string? status, bool paused) => status switch
    {
        "SUCCESSFUL" => ReleaseStatus.Succeeded,
        "ROLLBACK_SUCCESSFUL" => ReleaseStatus.RolledBack,
        "ROLLBACK_FAILED" or "STOPPED" => ReleaseStatus.Failed,
        "ROLLBACK_REQUESTED" or "ROLLBACK_IN_PROGRESS" or "STOP_REQUESTED" => ReleaseStatus.RollingBack,
        _ => paused ? ReleaseStatus.Paused : ReleaseStatus.Running,
    };

    private static InferloopReleaseRevision? Convert(ServiceRevisionSummary? revision, bool isNew) => revision is null ? null : new InferloopReleaseRevision(
        revision.Arn, isNew, revision.RequestedTaskCount ?? 0, revision.RunningTaskCount ?? 0, revision.PendingTaskCount ?? 0,
        revision.RequestedProductionTrafficWeight ?? 0, revision.RequestedTestTrafficWeight ?? 0);
}
