using System.Net;
using System.Text.Json.Nodes;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Inferloop.Operations.Kubernetes;

/// <summary>How a Deployment stands.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Image">The image that it is to run.</param>
/// <param name="Desired">The pods that it shall have.</param>
/// <param name="Updated">Those of its newest template.</param>
/// <param name="Available">Those of any template that serve.</param>
/// <param name="Total">Those of any template.</param>
/// <param name="IsObserved">Whether the controller has seen the newest template.</param>
/// <param name="Reason">The reason of the condition Progressing, such as ProgressDeadlineExceeded.</param>
/// <param name="Message">Its message.</param>
/// <param name="Template">The hash of the newest template, which its pods have as a label; empty before there are any.</param>
internal sealed record DeploymentState(string Name, string Image, int Desired, int Updated, int Available, int Total, bool IsObserved, string Reason, string Message, string Template)
{
    /// <summary>Only pods of the newest template are left, and all of them serve.</summary>
    public bool IsComplete => IsObserved && Updated == Desired && Total == Desired && Available == Desired;

    public bool HasTimedOut => IsObserved && Reason == "ProgressDeadlineExceeded";
}

/// <summary>Pods of a template that do not come up.</summary>
/// <param name="Pod">The first of them.</param>
/// <param name="Reason">Why, in Kubernetes' words: CrashLoopBackOff, ImagePullBackOff, FailedScheduling.</param>
/// <param name="Detail">More of it.</param>
/// <param name="Failures">How many times a container ended or could not begin; 0 where pods only wait for room.</param>
/// <param name="ExitCode">The exit code of the last that ended.</param>
/// <param name="LogLines">The last lines it wrote.</param>
internal sealed record PodTrouble(string Pod, string Reason, string Detail, int Failures, int? ExitCode, IReadOnlyList<string> LogLines);

/// <summary>What releases do to an application on a cluster, and what they see there.</summary>
internal sealed class ClusterWorkload(IKubernetes kubernetes, WorkloadName name)
{
    public const string TemplateLabel = "pod-template-hash";
    private const string TrackLabel = "inferloop.io/track";
    private const string RevisionAnnotation = "deployment.kubernetes.io/revision";

    /// <summary>What is said of the release that made a template; kubectl rollout history shows it.</summary>
    private const string CauseAnnotation = "kubernetes.io/change-cause";
    private const int LogTail = 10;

    public WorkloadName Name => name;

    /// <summary>The state of a Deployment; null where there is none of the name.</summary>
    public async Task<DeploymentState?> FindAsync(string deployment, CancellationToken cancellation)
    {
        var found = await DeploymentAsync(deployment, cancellation).ConfigureAwait(false);
        return found is null ? null : await StateAsync(found, cancellation).ConfigureAwait(false);
    }

    /// <summary>The Deployments of the application: the first of them has the Service's requests.</summary>
    /// <exception cref="OperationException">There is none.</exception>
    public async Task<(DeploymentState Serving, DeploymentState? Other)> ReadAsync(CancellationToken cancellation)
    {
        var first = await FindAsync(name.Name, cancellation).ConfigureAwait(false);
        var second = await FindAsync(name.Alternate, cancellation).ConfigureAwait(false);
        if (first is null && second is null)
        {
            throw new OperationException(
                "WorkloadNotFound", OperationErrorKind.NotFound, $"The cluster has no Deployment {name}.", "Apply docs/examples/kubernetes/application.yaml with its deploy.ps1 first; releases change what runs, they do not install it.", name.ToString());
        }

        var serves = await FindRouteAsync(cancellation).ConfigureAwait(false);
        return first is null ? (second!, null)
            : second is not null && (serves is null ? first.Desired == 0 && second.Desired > 0 : second.Template == serves) ? (second, first)
            : (first, second);
    }

    /// <summary>Gives a Deployment another image, and itself the pods it shall have where that is said.</summary>
    public Task SetImageAsync(string deployment, string image, string cause, int? replicas, CancellationToken cancellation)
    {
        var spec = new JsonObject
        {
            ["template"] = new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = name.Name, ["image"] = image }) } },
        };
        if (replicas is not null)
        {
            spec["replicas"] = replicas;
        }

        return PatchAsync(deployment, new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [CauseAnnotation] = cause } }, ["spec"] = spec }, cancellation);
    }

    public Task ScaleAsync(string deployment, int replicas, CancellationToken cancellation) =>
        PatchAsync(deployment, new JsonObject { ["spec"] = new JsonObject { ["replicas"] = replicas } }, cancellation);

    /// <summary>Makes a Deployment like another one, under another name and with another image.</summary>
    public async Task CopyAsync(string from, string to, string image, string cause, int replicas, CancellationToken cancellation)
    {
        var source = await DeploymentAsync(from, cancellation).ConfigureAwait(false) ?? throw new InvalidOperationException($"There is no Deployment {from}.");
        // Through JSON: the copy shares nothing with what was read.
        var copy = KubernetesJson.Deserialize<V1Deployment>(KubernetesJson.Serialize(source));
        copy.Metadata = new V1ObjectMeta { Name = to, NamespaceProperty = name.Namespace, Labels = source.Metadata.Labels, Annotations = new Dictionary<string, string> { [CauseAnnotation] = cause } };
        copy.Status = null;
        copy.Spec.Replicas = replicas;
        Container(copy).Image = image;
        Track(copy, to == name.Alternate);
        var before = await DeploymentAsync(to, cancellation).ConfigureAwait(false);
        if (before is null)
        {
            await kubernetes.AppsV1.CreateNamespacedDeploymentAsync(copy, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
            return;
        }

        copy.Metadata.ResourceVersion = before.Metadata.ResourceVersion;
        await kubernetes.AppsV1.ReplaceNamespacedDeploymentAsync(copy, to, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
    }

    /// <summary>Lets the Service send requests to pods of one template only; to all of the application's where it is null.</summary>
    public async Task RouteAsync(string? template, CancellationToken cancellation)
    {
        var patch = new JsonObject { ["spec"] = new JsonObject { ["selector"] = new JsonObject { [TemplateLabel] = template } } };
        await kubernetes.CoreV1.PatchNamespacedServiceAsync(new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), name.Name, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
    }

    /// <summary>As <see cref="RoutedAsync"/>, where there may be no Service.</summary>
    public async Task<string?> FindRouteAsync(CancellationToken cancellation) =>
        (await ServiceAsync(cancellation).ConfigureAwait(false))?.Spec.Selector?.TryGetValue(TemplateLabel, out var template) == true ? template : null;

    /// <summary>The template whose pods the Service sends requests to; null for all of the application's.</summary>
    public async Task<string?> RoutedAsync(CancellationToken cancellation)
    {
        var service = await ServiceAsync(cancellation).ConfigureAwait(false) ?? throw new OperationException(
            "WorkloadNotFound", OperationErrorKind.NotFound, $"The cluster has no Service {name}; a blue/green release moves requests by its selector.", "Apply docs/examples/kubernetes/application.yaml, or release with -Strategy Rolling.", name.ToString());
        return service.Spec.Selector?.TryGetValue(TemplateLabel, out var template) == true ? template : null;
    }

    /// <summary>The time by the cluster's clock, which is the one that counts for how long a release bakes; the operator's may be another.</summary>
    public async Task<DateTimeOffset> NowAsync(CancellationToken cancellation)
    {
        // The server stamps what it would create; a dry run creates nothing.
        var stamped = await kubernetes.CoreV1.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { GenerateName = name.Name + "-time-" } }, name.Namespace, dryRun: "All", cancellationToken: cancellation).ConfigureAwait(false);
        return new DateTimeOffset(DateTime.SpecifyKind(stamped.Metadata.CreationTimestamp!.Value, DateTimeKind.Utc));
    }

    /// <summary>Lets the autoscaler look after another Deployment, where there is an autoscaler.</summary>
    public async Task AutoscaleAsync(string deployment, CancellationToken cancellation)
    {
        var patch = new JsonObject { ["spec"] = new JsonObject { ["scaleTargetRef"] = new JsonObject { ["name"] = deployment } } };
        try
        {
            await kubernetes.AutoscalingV2.PatchNamespacedHorizontalPodAutoscalerAsync(new V1Patch(patch.ToJsonString(), V1Patch.PatchType.MergePatch), name.Name, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            // The number of pods is the operator's own.
        }
    }

    /// <summary>What keeps the pods of a template from coming up; null while nothing does.</summary>
    public async Task<PodTrouble?> TroubleAsync(string template, CancellationToken cancellation)
    {
        if (template.Length == 0)
        {
            return null;
        }

        var pods = (await kubernetes.CoreV1.ListNamespacedPodAsync(name.Namespace, labelSelector: $"{TemplateLabel}={template}", cancellationToken: cancellation).ConfigureAwait(false)).Items;
        var failing = pods.SelectMany(pod => (pod.Status?.ContainerStatuses ?? []).Select(status => (Pod: pod, Status: status)))
            .Where(item => item.Status.RestartCount > 0 || item.Status.State?.Waiting?.Reason is "CrashLoopBackOff" or "ErrImagePull" or "ImagePullBackOff" or "CreateContainerConfigError" or "InvalidImageName").ToList();
        if (failing.Count > 0)
        {
            var (pod, status) = failing.MaxBy(item => item.Status.RestartCount);
            var lines = status.RestartCount > 0 ? await LogAsync(pod.Metadata.Name, status.Name, cancellation).ConfigureAwait(false) : [];
            return new PodTrouble(
                pod.Metadata.Name, status.State?.Waiting?.Reason ?? status.LastState?.Terminated?.Reason ?? "Error", status.State?.Waiting?.Message ?? "",
                failing.Sum(item => Math.Max(1, item.Status.RestartCount)), status.LastState?.Terminated?.ExitCode, lines);
        }

        var waiting = pods.Select(pod => (Pod: pod, Condition: pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "PodScheduled" && condition.Status == "False"))).FirstOrDefault(item => item.Condition is not null);
        return waiting.Condition is { } condition ? new PodTrouble(waiting.Pod.Metadata.Name, "FailedScheduling", condition.Message ?? "", 0, null, []) : null;
    }

    /// <summary>Tells the pods of the two Deployments apart, so that the autoscaler of the alternate one counts its own only.</summary>
    private static void Track(V1Deployment deployment, bool alternate)
    {
        foreach (var labels in new[] { deployment.Spec.Selector.MatchLabels, deployment.Spec.Template.Metadata.Labels })
        {
            if (alternate)
            {
                labels[TrackLabel] = "alternate";
            }
            else
            {
                labels.Remove(TrackLabel);
            }
        }
    }

    private async Task<IReadOnlyList<string>> LogAsync(string pod, string container, CancellationToken cancellation)
    {
        try
        {
            await using var stream = await kubernetes.CoreV1.ReadNamespacedPodLogAsync(pod, name.Namespace, container, tailLines: LogTail, cancellationToken: cancellation).ConfigureAwait(false);
            using var reader = new StreamReader(stream);
            return (await reader.ReadToEndAsync(cancellation).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound)
        {
            // The container writes nothing yet, or the pod is gone.
            return [];
        }
    }

    private async Task<V1Deployment?> DeploymentAsync(string deployment, CancellationToken cancellation)
    {
        try
        {
            return await kubernetes.AppsV1.ReadNamespacedDeploymentAsync(deployment, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<V1Service?> ServiceAsync(CancellationToken cancellation)
    {
        try
        {
            return await kubernetes.CoreV1.ReadNamespacedServiceAsync(name.Name, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
        }
        catch (HttpOperationException e) when (e.Response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    private async Task<DeploymentState> StateAsync(V1Deployment deployment, CancellationToken cancellation)
    {
        var progressing = deployment.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Progressing");
        var revision = deployment.Metadata.Annotations?.TryGetValue(RevisionAnnotation, out var number) == true ? number : "";
        var selector = string.Join(',', deployment.Spec.Selector.MatchLabels.Select(pair => $"{pair.Key}={pair.Value}"));
        var sets = (await kubernetes.AppsV1.ListNamespacedReplicaSetAsync(name.Namespace, labelSelector: selector, cancellationToken: cancellation).ConfigureAwait(false)).Items;
        // Two Deployments of one application have the same labels: a set is its owner's.
        var newest = sets.FirstOrDefault(set => set.Metadata.OwnerReferences?.Any(owner => owner.Uid == deployment.Metadata.Uid) == true
            && set.Metadata.Annotations?.TryGetValue(RevisionAnnotation, out var own) == true && own == revision);
        return new DeploymentState(
            deployment.Metadata.Name, Container(deployment).Image, deployment.Spec.Replicas ?? 1, deployment.Status?.UpdatedReplicas ?? 0, deployment.Status?.AvailableReplicas ?? 0, deployment.Status?.Replicas ?? 0,
            deployment.Status?.ObservedGeneration >= deployment.Metadata.Generation, progressing?.Reason ?? "", progressing?.Message ?? "",
            newest?.Metadata.Labels?.TryGetValue(TemplateLabel, out var template) == true ? template : "");
    }

    private V1Container Container(V1Deployment deployment) => deployment.Spec.Template.Spec.Containers.FirstOrDefault(container => container.Name == name.Name)
        ?? throw new OperationException("WorkloadNotFound", OperationErrorKind.NotFound, $"The Deployment {deployment.Metadata.Name} has no container named {name.Name}.", "Name the application's container as its Deployment.", name.ToString());

    private async Task PatchAsync(string deployment, JsonObject patch, CancellationToken cancellation) =>
        await kubernetes.AppsV1.PatchNamespacedDeploymentAsync(new V1Patch(patch.ToJsonString(), V1Patch.PatchType.StrategicMergePatch), deployment, name.Namespace, cancellationToken: cancellation).ConfigureAwait(false);
}
