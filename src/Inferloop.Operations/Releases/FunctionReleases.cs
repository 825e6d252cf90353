using System.Globalization;
using Amazon.CloudWatch;
using Amazon.CloudWatch.Model;
using Amazon.Lambda;
using Amazon.Lambda.Model;
using Inferloop.Operations.Alarms;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Releases;

/// <summary>
/// Releases of the environment's function: a new version from the image, and its alias moved to it, at once or by shares.
/// </summary>
/// <remarks>
/// Every move is an update of the environment's own stack (<see cref="LambdaSpec.LambdaShift"/>), so
/// that what the template says is what is called, also when the operator's process ends in the middle: the shares stay as they are, and the same
/// command goes on. The way back is the other way round, as each call counts: first the alias, which takes a second, then the stack.
/// </remarks>
internal sealed class FunctionReleases(EnvironmentOperations operations, Func<DateTimeOffset> now, Action<InferloopRelease>? onStage) : IReleases
{
    private const string Alias = "live";

    /// <summary>How many failed calls of the new version are enough, where they are more than <see cref="Share"/> of them.</summary>
    private const int Enough = 2;

    /// <summary>The share of failed calls that a version may have: the environment's own alarm allows 10 in 5 minutes, whatever the load.</summary>
    private const double Share = 0.05;

    private static readonly string[] s_own = ["Lambda/Function", "Lambda/Version", "Lambda/Alias"];

    private EnvironmentAws Aws => operations.Aws;

    private IOperationReporter Reporter => operations.Reporter;

    /// <inheritdoc/>
    public async Task<PreparedRelease> PrepareAsync(InferloopEnvironment environment, ReleaseRequest request, bool preview, CancellationToken cancellation)
    {
        environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var gate = new ImageGate(Aws, operations.Options, Reporter);
        var image = await gate.ResolveAsync(request.Image, environment, cancellation).ConfigureAwait(false);
        if (!request.Unscanned)
        {
            await gate.CheckAsync(image, environment, request.Gate, cancellation).ConfigureAwait(false);
        }

        var lambda = environment.Spec.Lambda;
        if (lambda.LambdaImage.Length == 0)
        {
            throw new OperationException(
                "ReleaseFunctionPackage", OperationErrorKind.InvalidState, $"The function of '{environment.Name}' runs a package; an image makes another function of it, with another name.",
                $"Once: Set-InferloopEnvironment {environment.Name} -LambdaImage {image.Image}; its releases go by image from then on. A package is released with Set-InferloopEnvironment -LambdaCodeKey or -LambdaRelease.", environment.Name);
        }

        var strategy = request.Strategy ?? environment.Spec.Release.ReleaseStrategy;
        if (request.Approval == true)
        {
            throw new OperationException(
                "ReleaseStrategyUnsupported", OperationErrorKind.InvalidArgument, "A release of a function does not wait for approval.", "Leave out -Approval; -Strategy Canary gives the new version few calls first.", environment.Name);
        }

        var open = (await HistoryAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.IsOpen);
        if (open is not null && open.Image != image.Image)
        {
            throw new OperationException(
                "ReleaseInProgress", OperationErrorKind.Busy, $"The release of {open.Version} to the function of '{environment.Name}' by {open.Operator} is not over.",
                $"Stop-InferloopRelease {environment.Name} -Target Lambda takes it back; Publish-InferloopRelease with its image goes on with it.", open.Id);
        }

        var started = now();
        var release = open ?? new InferloopRelease
        {
            Id = Guid.NewGuid().ToString("N")[..12], Target = ReleaseTarget.Lambda, Environment = environment.Name, Stage = environment.Stage, Region = environment.Region,
            Image = image.Image, Version = request.Version ?? image.Version, PreviousImage = lambda.LambdaImage, Strategy = strategy,
            Operator = operations.Options.Operator.Name, Restores = request.Restores, DeploymentBefore = environment.Outputs.GetValueOrDefault("LambdaVersion") ?? "", Started = started, Recorded = started, Connection = environment.Connection,
        };
        if (open is not null && lambda.LambdaImage == image.Image)
        {
            // Its first update is done: what is left is to go on with the shares.
            return new PreparedRelease(environment, request, release, null);
        }

        var first = FirstShare(strategy, request, environment.Spec.Release);
        var change = await operations.PrepareUpdateAsync(Shifted(environment.Spec, image.Image, first is null ? null : environment.Outputs["LambdaVersion"], first ?? 0), new UpdateOptions { Preview = preview }, cancellation).ConfigureAwait(false);
        try
        {
            ReleaseOperations.RefuseOthers(environment, change, s_own);
            change.RefuseUnnamed();
            return new PreparedRelease(environment, request, release, change);
        }
        catch
        {
            await change.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task<InferloopRelease> RunAsync(PreparedRelease prepared, bool wait, CancellationToken cancellation)
    {
        var (environment, request, release) = (prepared.Environment, prepared.Request, prepared.Release);
        if (!wait)
        {
            throw new OperationException(
                "ReleaseNeedsWatching", OperationErrorKind.InvalidArgument, "A release of a function is carried out from here, share by share; nobody goes on with it when this command returns.", "Leave out -NoWait.", environment.Name);
        }

        if (prepared.Unchanged)
        {
            Reporter.Verbose($"The function of '{environment.Name}' runs {release.Version} already.");
            return (await HistoryAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(r => r.Image == release.Image && r.Status == ReleaseStatus.Succeeded)
                ?? release with { Status = ReleaseStatus.Succeeded, Finished = release.Started };
        }

        var spec = environment.Spec.Release;
        var minutes = TimeSpan.FromMinutes(request.StepMinutes ?? spec.ReleaseStepMinutes);
        var bake = TimeSpan.FromMinutes(release.Strategy == ReleaseStrategy.Rolling ? 0 : request.BakeMinutes ?? spec.ReleaseBakeMinutes);
        var ringing = (await AlarmsAsync(environment, cancellation).ConfigureAwait(false)).ToHashSet(StringComparer.Ordinal);
        try
        {
            if (prepared.Change is { } change)
            {
                release = await SaveAsync(environment, At(release, "SCALE_UP", 0), cancellation).ConfigureAwait(false);
                await change.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
                await prepared.DisposeAsync().ConfigureAwait(false);
            }

            environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
            while (environment.Spec.Lambda.LambdaShift.Length > 0)
            {
                var share = environment.Spec.Lambda.ShiftPercent;
                release = await SaveAsync(environment, At(release, "PRODUCTION_TRAFFIC_SHIFT", share), cancellation).ConfigureAwait(false);
                if (await WatchAsync(environment, release, minutes, ringing, request.Alarms ?? spec.ReleaseAlarms, cancellation).ConfigureAwait(false) is { } bad)
                {
                    return await ReturnAsync(environment, release, bad, cancellation).ConfigureAwait(false);
                }

                var next = release.Strategy == ReleaseStrategy.Linear ? share + (request.StepPercent ?? spec.ReleaseStepPercent) : 100;
                environment = await UpdateAsync(environment, Shifted(environment.Spec, release.Image, next >= 100 ? null : environment.Spec.Lambda.StableVersion, next), cancellation).ConfigureAwait(false);
            }

            release = await SaveAsync(environment, At(release, "BAKE_TIME", 100), cancellation).ConfigureAwait(false);
            if (await WatchAsync(environment, release, bake, ringing, request.Alarms ?? spec.ReleaseAlarms, cancellation).ConfigureAwait(false) is { } late)
            {
                return await ReturnAsync(environment, release, late, cancellation).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            Reporter.Warning($"The release of {release.Version} is not over; the calls stay shared as they are. Publish-InferloopRelease with the same image goes on with it, Stop-InferloopRelease {environment.Name} -Target Lambda takes it back.");
            throw;
        }
        catch (OperationException e) when (e.ErrorId == "EnvironmentUpdateFailed")
        {
            // Back at the step before, which for any but the first still gives the new version its share.
            environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
            if (environment.Spec.Lambda.LambdaImage == release.Image && StackStates.IsUpdatable(environment.Status))
            {
                return await ReturnAsync(environment, release, e.Message, cancellation).ConfigureAwait(false);
            }

            await SaveAsync(environment, release with { Status = ReleaseStatus.RolledBack, StatusReason = e.Message, Finished = now() }, cancellation).ConfigureAwait(false);
            throw;
        }

        return await SaveAsync(environment, release with { Status = ReleaseStatus.Succeeded, Finished = now() }, cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<InferloopRelease> StopAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation)
    {
        if (!release.IsOpen)
        {
            throw new OperationException(
                "ReleaseNotRunning", OperationErrorKind.InvalidState, $"The release of {release.Version} to the function of '{environment.Name}' is {release.Status}: there is nothing to stop.",
                release.Status == ReleaseStatus.Succeeded ? $"Undo-InferloopRelease {environment.Name} -Target Lambda brings back the one before." : $"Look with Get-InferloopRelease {environment.Name} -Target Lambda.", release.Id);
        }

        return await TakeBackAsync(await CurrentAsync(environment, cancellation).ConfigureAwait(false), release, $"Stopped by {operations.Options.Operator.Name}.", cancellation).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task<InferloopRelease> ApproveAsync(InferloopEnvironment environment, InferloopRelease release, bool wait, CancellationToken cancellation) => throw new OperationException(
        "ReleaseNotPaused", OperationErrorKind.InvalidState, "A release of a function waits for nobody.", $"Look with Get-InferloopRelease {environment.Name} -Target Lambda.", release.Id);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InferloopRelease>> HistoryAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        await operations.ControlPlaneAsync(cancellation).ConfigureAwait(false) is { } control
            ? (await new ReleaseStore(Aws.DynamoDB, control.Table).ListAsync(EnvironmentOperations.KeyFor(environment.Spec), cancellation).ConfigureAwait(false)).Where(r => r.Target == ReleaseTarget.Lambda).Select(r => r with { Connection = environment.Connection }).ToList()
            : [];

    /// <inheritdoc/>
    public async Task<InferloopRelease> FindAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        return ReleaseHistory.Find(history, id) ?? throw new OperationException(
            "ReleaseNotFound", OperationErrorKind.NotFound, id is null ? $"The function of '{environment.Name}' has had no release." : $"The function of '{environment.Name}' has had no release '{id}'.",
            $"List them with Get-InferloopRelease {environment.Name} -Target Lambda.", id ?? environment.Name);
    }

    /// <inheritdoc/>
    public async Task<ReleaseRequest> UndoAsync(InferloopEnvironment environment, string? id, CancellationToken cancellation)
    {
        environment = await CurrentAsync(environment, cancellation).ConfigureAwait(false);
        var history = await HistoryAsync(environment, cancellation).ConfigureAwait(false);
        var last = history.FirstOrDefault(r => r.Status == ReleaseStatus.Succeeded && r.Image == environment.Spec.Lambda.LambdaImage);

        // Before the first release by this command something ran too.
        return ReleaseHistory.Earlier(history, id, environment.Spec.Lambda.LambdaImage) is { } to ? to
            : id is null && last?.PreviousImage is { Length: > 0 } before ? new ReleaseRequest { Image = before, Restores = "", Unscanned = true }
            : throw new OperationException(
                "ReleaseNothingToUndo", OperationErrorKind.NotFound, id is null ? $"There is no earlier release of the function of '{environment.Name}'." : $"The function of '{environment.Name}' has had no release '{id}'.",
                $"List them with Get-InferloopRelease {environment.Name} -Target Lambda; any image is released with Publish-InferloopRelease.", environment.Name);
    }

    /// <summary>The share of calls in percent that a release begins with; null where all move at once.</summary>
    private static int? FirstShare(ReleaseStrategy strategy, ReleaseRequest request, ReleaseSpec spec) =>
        strategy is ReleaseStrategy.Linear or ReleaseStrategy.Canary && (request.StepPercent ?? spec.ReleaseStepPercent) is < 100 and var step ? step : null;

    private static InferloopEnvironmentSpec Shifted(InferloopEnvironmentSpec spec, string image, string? stable, int percent) => spec with
    {
        Lambda = spec.Lambda with { LambdaImage = image, LambdaShift = stable is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{stable}:0.{percent:00}") },
    };

    private InferloopRelease At(InferloopRelease release, string stage, double share) => release with
    {
        Status = ReleaseStatus.Running, LifecycleStage = stage, Stages = [.. release.Stages, new InferloopReleaseStage(stage, now())],
        Revisions = [new InferloopReleaseRevision(release.Image, true, 0, 0, 0, share, 0), new InferloopReleaseRevision(release.PreviousImage, false, 0, 0, 0, 100 - share, 0)],
    };

    /// <summary>Looks at alarms and failed calls for a while; what is bad, or null.</summary>
    private async Task<string?> WatchAsync(InferloopEnvironment environment, InferloopRelease release, TimeSpan time, HashSet<string> ringing, bool alarms, CancellationToken cancellation)
    {
        var (begun, version) = (now(), await NewVersionAsync(environment, cancellation).ConfigureAwait(false));
        do
        {
            if (alarms && (await AlarmsAsync(environment, cancellation).ConfigureAwait(false)).FirstOrDefault(a => !ringing.Contains(a)) is { } rang)
            {
                return $"The alarm {rang} rang.";
            }

            var (calls, errors) = await CallsAsync(environment, version, begun, cancellation).ConfigureAwait(false);
            if (errors >= Enough && errors > calls * Share)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{errors:0} of {calls:0} calls of version {version} failed.");
            }

            Reporter.Progress(new OperationProgress($"Releasing {environment.Name}", string.Create(CultureInfo.InvariantCulture, $"{release.LifecycleStage}: {release.NewTraffic:0} % of calls, {calls:0} of the new version so far, {errors:0} failed")));
            if (now() - begun < time)
            {
                await System.Threading.Tasks.Task.Delay(operations.Options.PollMinimum, operations.Options.Time, cancellation).ConfigureAwait(false);
            }
        }
        while (now() - begun < time);
        return null;
    }

    private async Task<string> NewVersionAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var alias = await Aws.Client<IAmazonLambda>().GetAliasAsync(new GetAliasRequest { FunctionName = environment.Outputs["LambdaFunctionName"], Name = Alias }, cancellation).ConfigureAwait(false);
        return alias.RoutingConfig?.AdditionalVersionWeights?.Keys.FirstOrDefault() ?? alias.FunctionVersion;
    }

    private async Task<(double Calls, double Errors)> CallsAsync(InferloopEnvironment environment, string version, DateTimeOffset since, CancellationToken cancellation)
    {
        var name = environment.Outputs["LambdaFunctionName"];
        async Task<double> SumAsync(string metric)
        {
            var answer = await Aws.Client<IAmazonCloudWatch>().GetMetricStatisticsAsync(
                new GetMetricStatisticsRequest
                {
                    Namespace = "AWS/Lambda", MetricName = metric, Period = 60, Statistics = [Statistic.Sum.Value], StartTime = since.UtcDateTime.AddMinutes(-1), EndTime = now().UtcDateTime.AddMinutes(1),
                    Dimensions = [new Dimension { Name = "FunctionName", Value = name }, new Dimension { Name = "Resource", Value = $"{name}:{Alias}" }, new Dimension { Name = "ExecutedVersion", Value = version }],
                },
                cancellation).ConfigureAwait(false);
            return (answer.Datapoints ?? []).Sum(d => d.Sum ?? 0);
        }

        return (await SumAsync("Invocations").ConfigureAwait(false), await SumAsync("Errors").ConfigureAwait(false));
    }

    /// <summary>The alarms of the environment on its function that ring.</summary>
    private async Task<IReadOnlyList<string>> AlarmsAsync(InferloopEnvironment environment, CancellationToken cancellation) =>
        (await operations.AlarmsAsync(environment, cancellation).ConfigureAwait(false)).Where(a => a.State == AlarmState.Alarm && a.Name.Contains("-function-", StringComparison.Ordinal)).Select(a => a.Name).ToList();

    private async Task<InferloopRelease> ReturnAsync(InferloopEnvironment environment, InferloopRelease release, string why, CancellationToken cancellation)
    {
        var back = await TakeBackAsync(environment, release, why, cancellation).ConfigureAwait(false);
        throw new OperationException(
            "ReleaseFailed", OperationErrorKind.OperationFailed, $"The release of {back.Version} to the function of '{environment.Name}' was taken back: {why.TrimEnd('.')}. {back.PreviousImage} is called.",
            $"Look with Get-InferloopRelease {environment.Name} -Target Lambda | Format-List; mend the image and publish it again.", back);
    }

    private async Task<InferloopRelease> TakeBackAsync(InferloopEnvironment environment, InferloopRelease release, string why, CancellationToken cancellation)
    {
        release = await SaveAsync(environment, release with { Status = ReleaseStatus.RollingBack, StatusReason = why, RollbackStarted = now(), LifecycleStage = "ROLLBACK", Stages = [.. release.Stages, new InferloopReleaseStage("ROLLBACK", now())] }, cancellation).ConfigureAwait(false);
        var stable = environment.Spec.Lambda.StableVersion.Length > 0 ? environment.Spec.Lambda.StableVersion : environment.Spec.Lambda.LambdaImage == release.Image ? release.DeploymentBefore : "";
        if (stable.Length > 0)
        {
            // The version before is kept; the stack, which takes minutes, makes another one of the same image.
            await Aws.Client<IAmazonLambda>().UpdateAliasAsync(
                new UpdateAliasRequest
                {
                    FunctionName = environment.Outputs["LambdaFunctionName"], Name = Alias, FunctionVersion = stable, RoutingConfig = new AliasRoutingConfiguration { AdditionalVersionWeights = [] },
                },
                cancellation).ConfigureAwait(false);
        }

        await UpdateAsync(environment, Shifted(environment.Spec, release.PreviousImage, null, 0), cancellation).ConfigureAwait(false);
        return await SaveAsync(environment, release with { Status = ReleaseStatus.RolledBack, Finished = now(), Revisions = release.Revisions.Select(r => r with { ProductionTraffic = r.IsNew ? 0 : 100 }).ToList() }, cancellation).ConfigureAwait(false);
    }

    private async Task<InferloopEnvironment> UpdateAsync(InferloopEnvironment environment, InferloopEnvironmentSpec spec, CancellationToken cancellation)
    {
        var change = await operations.PrepareUpdateAsync(spec, new UpdateOptions(), cancellation).ConfigureAwait(false);
        await using (change.ConfigureAwait(false))
        {
            if (!change.Empty)
            {
                ReleaseOperations.RefuseOthers(environment, change, s_own);
                await change.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
            }
        }

        return await CurrentAsync(environment, cancellation).ConfigureAwait(false);
    }

    private async Task<InferloopRelease> SaveAsync(InferloopEnvironment environment, InferloopRelease release, CancellationToken cancellation)
    {
        var control = await operations.ControlPlaneAsync(cancellation).ConfigureAwait(false) ?? throw new System.InvalidOperationException("There is no control stack after a preparation that made it.");
        await new ReleaseStore(Aws.DynamoDB, control.Table).SaveAsync(EnvironmentOperations.KeyFor(environment.Spec), release, cancellation).ConfigureAwait(false);
        onStage?.Invoke(release);
        return release;
    }

    private async Task<InferloopEnvironment> CurrentAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var current = await operations.RefreshAsync(environment.StackId, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(environment.Name, environment.Region);
        return current.Outputs.ContainsKey("LambdaFunctionName") ? current : throw new OperationException(
            "ReleaseNoFunction", OperationErrorKind.InvalidState, $"'{environment.Name}' has no function to release to.", $"Add one: Set-InferloopEnvironment {environment.Name} -LambdaEnabled $true -LambdaImage <image>", environment.Name);
    }
}
