using Amazon.CloudFormation.Model;
using Amazon.ECS;
using Amazon.ECS.Model;
using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Task = System.Threading.Tasks.Task;

namespace Inferloop.Operations.Releases;

/// <summary>
/// Releases of the service on ECS: begins, follows, approves, stops and brings back.
/// </summary>
/// <remarks>
/// A release is an update of the environment's own stack. Image, version and strategy are parameters of the template
/// (<see cref="ReleaseSpec"/>, <see cref="ApplicationSpec.ContainerImage"/>), and CloudFormation gives them to ECS, whose own deployment strategy
/// does the rest. The other way, telling ECS and CloudFormation apart, has one of the two wrong at any moment: CodePipeline's ECS action leaves a
/// template behind that brings the old image back with the next update of anything. So what runs is what the template says, before, during (the
/// stack is UPDATE_IN_PROGRESS and refuses other updates) and after: when ECS takes a deployment back, for an alarm, its circuit breaker, a
/// rejected pause or StopServiceDeployment, CloudFormation sees the deployment fail and rolls the stack's parameters back to the image that ECS
/// is at already; the UpdateService of that rollback names the revision that is there and so starts no deployment of its own. CloudFormation waits
/// three hours for a service, which bounds bake, steps and approval together (<see cref="SpecValidator"/>). The weights of the two listener rules
/// belong to ECS; an update of the stack does not touch a rule whose template did not change, and drift detection here knows whose they are
/// (<see cref="DriftReader"/>).
/// </remarks>
internal sealed partial class ReleaseOperations(EnvironmentOperations operations, Action<InferloopRelease>? onStage) : IReleases
{
    // What the parts of a spec that a release sets can reach.
    private static readonly string[] s_own =
    [
        "Ecs/TaskDefinition", "Ecs/Service", "Ecs/AlternateTargetGroup", "Ecs/ProductionRule", "Ecs/TestRule", "Ecs/ReleaseRole", "Ecs/ReleaseErrors", "Ecs/ReleaseUnhealthy",
        "Batch/GenerateJob", "Monitoring/UnhealthyTargets", "Monitoring/NoHealthyTargets", "Pipeline/ReleaseAccess",
    ];

    private EnvironmentAws Aws => operations.Aws;

    private IOperationReporter Reporter => operations.Reporter;

    private async Task<ReleaseStore?> StoreAsync(CancellationToken cancellation) =>
        await operations.ControlPlaneAsync(cancellation).ConfigureAwait(false) is { } control ? new ReleaseStore(Aws.DynamoDB, control.Table) : null;

    private static string KeyOf(InferloopEnvironment environment) => EnvironmentOperations.KeyFor(environment.Spec);

    /// <summary>Resolves and checks the image, and makes everything ready.</summary>
    /// <param name="environment">Where to.</param>
    /// <param name="request">What, and how.</param>
    /// <param name="preview">Only to show.</param>
    /// <param name="cancellation">Stops the preparation; what it made is removed.</param>
    public async Task<PreparedRelease> PrepareAsync(InferloopEnvironment environment, ReleaseRequest request, bool preview, CancellationToken cancellation)
    {
        environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var gate = new ImageGate(Aws, operations.Options, Reporter);
        var image = await gate.ResolveAsync(request.Image, environment, cancellation).ConfigureAwait(false);
        if (!request.Unscanned)
        {
            await gate.CheckAsync(image, environment, request.Gate, cancellation).ConfigureAwait(false);
        }

        if (StackStates.IsInProgress(environment.Status))
        {
            return new PreparedRelease(environment, request, await SameAsync(environment, image, cancellation).ConfigureAwait(false), null);
        }

        var spec = request.Over(environment.Spec, image);
        var makesRoom = !preview && spec.Release.ReleaseShifting && !environment.Spec.Release.ReleaseShifting;
        return await WithChangeAsync(environment, request, Draft(environment, spec, image, request), makesRoom ? Roomy(environment.Spec) : spec, makesRoom, preview, cancellation).ConfigureAwait(false);
    }

    /// <summary>The spec with a second target group, and nothing else new.</summary>
    private static InferloopEnvironmentSpec Roomy(InferloopEnvironmentSpec spec) => spec with { Release = spec.Release with { ReleaseShifting = true } };

    private async Task<PreparedRelease> WithChangeAsync(
        InferloopEnvironment environment, ReleaseRequest request, InferloopRelease release, InferloopEnvironmentSpec spec, bool makesRoom, bool preview, CancellationToken cancellation)
    {
        var change = await operations.PrepareUpdateAsync(spec, new UpdateOptions { Preview = preview, IsToldElsewhere = !makesRoom }, cancellation).ConfigureAwait(false);
        try
        {
            RefuseOthers(environment, change, s_own);
            change.RefuseUnnamed();
            return new PreparedRelease(environment, request, release, change) { MakesRoom = makesRoom };
        }
        catch
        {
            await change.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Gives the environment its second target group, then prepares the release itself.</summary>
    private async Task<PreparedRelease> MakeRoomAsync(PreparedRelease prepared, CancellationToken cancellation)
    {
        Reporter.Verbose($"'{prepared.Environment.Name}' gets a second target group first; it stays for releases to come.");
        try
        {
            await prepared.Change!.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Reporter.Warning($"The release of {prepared.Release.Version} has not begun: '{prepared.Environment.Name}' is getting its second target group. Repeat the command after that.");
            throw;
        }

        await prepared.DisposeAsync().ConfigureAwait(false);
        var environment = await CurrentAsync(prepared.Environment, cancellation).ConfigureAwait(false);
        var image = new ResolvedImage(prepared.Release.Image, prepared.Release.Image.Split('@')[1], prepared.Release.Version);
        return await WithChangeAsync(environment, prepared.Request, prepared.Release, prepared.Request.Over(environment.Spec, image), makesRoom: false, preview: false, cancellation).ConfigureAwait(false);
    }

    /// <summary>Begins a release, or takes up one that is under way, and follows it.</summary>
    /// <param name="prepared">The release.</param>
    /// <param name="wait">Follow it to its end, or until it waits for approval.</param>
    /// <param name="cancellation">Ends the watching; the release goes on in AWS.</param>
    public async Task<InferloopRelease> RunAsync(PreparedRelease prepared, bool wait, CancellationToken cancellation)
    {
        if (prepared.MakesRoom)
        {
            var roomy = await MakeRoomAsync(prepared, cancellation).ConfigureAwait(false);
            await using (roomy.ConfigureAwait(false))
            {
                return await RunAsync(roomy, wait, cancellation).ConfigureAwait(false);
            }
        }

        var environment = prepared.Environment;
        var store = await StoreAsync(cancellation).ConfigureAwait(false) ?? throw new System.InvalidOperationException("There is no control stack after a preparation that made it.");
        if (prepared.Unchanged)
        {
            Reporter.Verbose($"'{environment.Name}' runs {prepared.Release.Version} already, released this way.");
            return (await HistoryAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.Image == prepared.Release.Image && r.Status == ReleaseStatus.Succeeded)
                ?? prepared.Release with { Status = ReleaseStatus.Succeeded, Finished = prepared.Release.Started };
        }

        var release = prepared.Release;
        if (!prepared.Attached)
        {
            release = await InPlaceOfLeftAsync(release, environment, store, cancellation).ConfigureAwait(false) with { DeploymentBefore = await new ReleaseReader(Aws, environment).NewestAsync(cancellation).ConfigureAwait(false) };
            await store.SaveAsync(KeyOf(environment), release, cancellation).ConfigureAwait(false);
        }

        if (!wait)
        {
            if (prepared.Change is { } change)
            {
                await change.ExecuteAsync(wait: false, cancelOnStop: false, cancellation).ConfigureAwait(false);
            }

            return release;
        }

        return await FollowAsync(
            environment, release, store,
            prepared.Change is { } own ? ct => own.ExecuteAsync(wait: true, cancelOnStop: false, ct) : ct => WaitAsync(environment, ct),
            prepared.Request.ThroughApproval, wanted: true, cancellation).ConfigureAwait(false);
    }

    /// <summary>Lets a paused release go on.</summary>
    public async Task<InferloopRelease> ApproveAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation)
    {
        if (release.Status != ReleaseStatus.Paused)
        {
            throw new OperationException(
                "ReleaseNotPaused", OperationErrorKind.InvalidState, $"The release of {release.Version} to '{environment.Name}' is {release.Status} and waits for nobody.",
                $"Look with Get-InferloopRelease {environment.Name}.", release.Id);
        }

        await Aws.ECS.ContinueServiceDeploymentAsync(
            new ContinueServiceDeploymentRequest { ServiceDeploymentArn = release.ServiceDeploymentArn, HookId = release.PauseHookId, Action = DeploymentLifecycleHookAction.CONTINUE }, cancellation).ConfigureAwait(false);
        Reporter.Verbose($"{operations.Options.Operator.Name} approved the release of {release.Version} to '{environment.Name}'.");
        return await AfterAsync(environment, release with { Status = ReleaseStatus.Running, NextStep = "", PauseHookId = "", ApprovalUntil = null }, wait, wanted: true, cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes a release back that is under way.</summary>
    public async Task<InferloopRelease> StopAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation)
    {
        if (!release.IsOpen)
        {
            throw new OperationException(
                "ReleaseNotRunning", OperationErrorKind.InvalidState, $"The release of {release.Version} to '{environment.Name}' is {release.Status}: there is nothing to stop.",
                release.Status == ReleaseStatus.Succeeded ? $"Undo-InferloopRelease {environment.Name} brings back the one before." : $"Look with Get-InferloopRelease {environment.Name}.", release.Id);
        }

        if (release.Status != ReleaseStatus.RollingBack)
        {
            await GoBackAsync(environment, release, cancellation).ConfigureAwait(false);
        }

        return await AfterAsync(environment, release with { Status = ReleaseStatus.RollingBack, NextStep = "" }, wait, wanted: false, cancellation).ConfigureAwait(false);
    }

    private async Task GoBackAsync(InferloopEnvironment environment, InferloopRelease release, CancellationToken cancellation)
    {
        try
        {
            if (release.ServiceDeploymentArn.Length > 0)
            {
                await Aws.ECS.StopServiceDeploymentAsync(
                    new StopServiceDeploymentRequest { ServiceDeploymentArn = release.ServiceDeploymentArn, StopType = StopServiceDeploymentStopType.ROLLBACK }, cancellation).ConfigureAwait(false);
                return;
            }
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "ConflictException" or "InvalidParameterException")
        {
            // It has ended in between, or ECS has no way back of its own; CloudFormation has one as long as it updates.
            Reporter.Verbose(e.Message);
        }

        await Aws.CloudFormation.CancelUpdateStackAsync(new CancelUpdateStackRequest { StackName = environment.StackId }, cancellation).ConfigureAwait(false);
    }

    private async Task<InferloopRelease> AfterAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, bool wanted, CancellationToken cancellation)
    {
        var store = await StoreAsync(cancellation).ConfigureAwait(false) ?? throw new System.InvalidOperationException("There is no control stack where there are releases.");
        if (!wait)
        {
            return release;
        }

        return await FollowAsync(environment, release, store, ct => WaitAsync(environment, ct), throughApproval: false, wanted, cancellation).ConfigureAwait(false);
    }

    /// <summary>Follows an update that this process did not begin.</summary>
    private async Task WaitAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var now = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var end = await operations.WaitAsync(now, cancellation).ConfigureAwait(false);
        if (end.Status != "UPDATE_COMPLETE")
        {
            throw EnvironmentOperations.Failure(OperationKind.Update, environment.Name, end);
        }
    }

    private async Task<InferloopEnvironment> CurrentAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var now = await operations.RefreshAsync(environment.StackId, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(environment.Name, environment.Region);
        return now.Spec.Ecs.EcsEnabled && now.Outputs.ContainsKey("ServiceName") ? now : throw new OperationException(
            "ReleaseNoService", OperationErrorKind.InvalidState, $"'{environment.Name}' has no service on ECS to release to.",
            $"Add one: Set-InferloopEnvironment {environment.Name} -EcsEnabled $true", environment.Name);
    }

    /// <summary>The release under way, when it is of the same image; what else is under way is in the way.</summary>
    private async Task<InferloopRelease> SameAsync(InferloopEnvironment environment, ResolvedImage image, CancellationToken cancellation)
    {
        var open = (await HistoryAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.IsOpen && r.Origin == ReleaseOrigin.Release);
        if (open is not null && open.Image == image.Image && open.Status != ReleaseStatus.RollingBack)
        {
            Reporter.Verbose($"The release of {open.Version} to '{environment.Name}' is under way since {open.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC; it is followed.");
            return open;
        }

        throw open is null
            ? new OperationException("EnvironmentBusy", OperationErrorKind.Busy, $"The environment '{environment.Name}' is {environment.Status}.", StackStates.Guidance(environment.Name, environment.Status), environment.Name)
            : new OperationException(
                "ReleaseInProgress", OperationErrorKind.Busy, $"The release of {open.Version} to '{environment.Name}' by {open.Operator} is {open.Status} since {open.Started.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC.",
                open.Status == ReleaseStatus.Paused ? open.NextStep : $"Look with Get-InferloopRelease {environment.Name}; Stop-InferloopRelease {environment.Name} takes it back. Repeat the command after that.", open.Id);
    }

    private InferloopRelease Draft(InferloopEnvironment environment, InferloopEnvironmentSpec spec, ResolvedImage image, ReleaseRequest request)
    {
        var now = operations.Options.Time.GetUtcNow();
        return new InferloopRelease
        {
            Id = Guid.NewGuid().ToString("N")[..12],
            Environment = environment.Name,
            Stage = environment.Stage,
            Region = environment.Region,
            Image = image.Image,
            Version = spec.Application.ServiceVersion,
            PreviousImage = environment.Spec.Application.ContainerImage,
            Strategy = spec.Release.ReleaseStrategy,
            Operator = operations.Options.Operator.Name,
            Restores = request.Restores,
            Started = now,
            Recorded = now,
            Connection = environment.Connection,
        };
    }

    /// <summary>A release changes what runs, and nothing else on the way: not what a newer module's templates bring.</summary>
    internal static void RefuseOthers(InferloopEnvironment environment, PreparedChange change, IReadOnlyList<string> own)
    {
        var others = (change.ChangeSet?.Changes ?? []).Where(c => c.Type != "AWS::CloudFormation::Stack" && c.Action is not (EnvironmentChangeAction.Dynamic or EnvironmentChangeAction.SyncWithActual)
            && !(c.Action == EnvironmentChangeAction.Modify && c.Properties.All(p => p.IsDynamic)) && !own.Contains(c.Path, StringComparer.Ordinal)).ToList();
        if (others.Count > 0)
        {
            throw new OperationException(
                "ReleaseChangesMore", OperationErrorKind.InvalidState,
                $"The templates of this module differ from those that '{environment.Name}' was deployed with: beside the release, {others.Count} other resource{(others.Count == 1 ? "" : "s")} would change ({string.Join(", ", others.Take(5).Select(o => o.Path))}{(others.Count > 5 ? ", ..." : "")}). Nothing was changed.",
                $"Bring the environment up to date first: Set-InferloopEnvironment {environment.Name}, which -WhatIf shows before. Then repeat the release.", environment.Name);
        }
    }
}
