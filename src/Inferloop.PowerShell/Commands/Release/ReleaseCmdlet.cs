using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Kubernetes;
using Inferloop.Operations.Releases;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Release;

/// <summary>The base of the cmdlets on releases: an environment by name or down the pipeline, or a release of one.</summary>
public abstract class ReleaseCmdlet : ExistingEnvironmentCmdlet
{
    /// <summary>Where the application runs: Ecs, Eks or Lambda. Default: the first of these that the environment has.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    public ReleaseTarget? Target { get; set; }

    /// <summary>The Deployment on the EKS cluster, as namespace/name. Default: inferloop/synthdata, as the manifests of the examples name it.</summary>
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [ValidatePattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$")]
    public string? Workload { get; set; }

    private protected IReleases Releases(EnvironmentOperations operations, InferloopEnvironment environment) => Releases(operations, environment, Target, Workload);

    private protected IReleases Releases(EnvironmentOperations operations, InferloopEnvironment environment, ReleaseTarget? target, string? workload)
    {
        target ??= workload is { Length: > 0 } ? ReleaseTarget.Eks
            : environment.Spec.Ecs.EcsEnabled ? ReleaseTarget.Ecs : environment.Spec.Eks.EksEnabled ? ReleaseTarget.Eks : environment.Spec.Lambda.LambdaEnabled ? ReleaseTarget.Lambda : ReleaseTarget.Ecs;
        return target switch
        {
            ReleaseTarget.Eks => new ClusterReleases(operations, workload is { Length: > 0 } ? new WorkloadName(workload.Split('/')[0], workload.Split('/')[1]) : WorkloadName.Default, Show),
            ReleaseTarget.Lambda => new FunctionReleases(operations, Now, Show),
            _ => new ReleaseOperations(operations, Show),
        };
    }

    /// <summary>A line on the host for each stage that a release comes to.</summary>
    private void Show(InferloopRelease release)
    {
        var stage = release.Status == ReleaseStatus.Running ? release.LifecycleStage.Length > 0 ? release.LifecycleStage : "ROLLING" : release.Status.ToString();
        var fresh = release.Revisions.FirstOrDefault(r => r.IsNew);
        WriteHost(string.Create(CultureInfo.InvariantCulture, $"{release.Version,-20} {stage,-30}{(fresh is null ? "" : $" {fresh.Running} of {fresh.Requested} new tasks, {release.NewTraffic:0.#} % of traffic")}{(release.StatusReason.Length > 0 ? ": " + release.StatusReason : "")}"));
    }
}

/// <summary>The base of the cmdlets on one release: the one under way or an earlier one, by its id or down the pipeline.</summary>
public abstract class OneReleaseCmdlet : ReleaseCmdlet
{
    /// <summary>The release, as Get-InferloopRelease gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Release")]
    [ValidateNotNull]
    public InferloopRelease? Release { get; set; }

    /// <summary>Return at once, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    private protected async Task<(IReleases Releases, InferloopEnvironment Environment, string? Id)> FindReleaseAsync(string? id, CancellationToken cancellationToken)
    {
        if (Release is null)
        {
            var (found, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
            return (Releases(found, environment), environment, id);
        }

        var operations = await OpenAsync(Release.Connection with { Region = Release.Region }, cancellationToken).ConfigureAwait(false);
        var its = await ResolveAsync(operations, Release.Environment, Release.Stage, cancellationToken).ConfigureAwait(false);
        return (Releases(operations, its, Release.Target, Release.Workload), its, Release.Id);
    }
}
