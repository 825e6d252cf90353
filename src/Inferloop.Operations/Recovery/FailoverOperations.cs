using Amazon.Runtime;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Environments.Forecast;
using Inferloop.Operations.Recovery.Steps;
using Inferloop.Operations.Specs;
using static Inferloop.Operations.Recovery.FailoverStepNames;

namespace Inferloop.Operations.Recovery;

/// <summary>Plans, carries out, resumes and takes back failovers of an account's environments between two regions.</summary>
/// <param name="open">The operations of a region.</param>
/// <param name="now">The time where the regions are: AWS's is everyone's, a sandbox's runs ahead.</param>
/// <param name="reporter">Who is told how it goes.</param>
internal sealed partial class FailoverOperations(Func<string, EnvironmentOptions?, EnvironmentOperations> open, Func<DateTimeOffset> now, IOperationReporter reporter)
{
    private static readonly IReadOnlyDictionary<string, FailoverAction> s_actions = new Dictionary<string, FailoverAction>(StringComparer.Ordinal)
    {
        [Reseed] = ReseedStep.Action, [CatchUp] = CatchUpStep.Action,
        [Assess] = AssessStep.Action, [Fence] = FenceStep.Action, [Drain] = DrainStep.Action,
        [Database] = DatabaseStep.Action, [Cache] = CacheStep.Action, [Table] = TableStep.Action, [Bucket] = BucketStep.Action, [Secrets] = SecretsStep.Action,
        [Compute] = ComputeStep.Action, [Verify] = VerifyStep.Action, [Dns] = DnsStep.Action, [Announce] = AnnounceStep.Action, [Source] = SourceStep.Action,
    };

    /// <summary>Called after each change of a failover under way.</summary>
    public Action<InferloopFailover>? Changed { get; init; }

    /// <summary>How ready an environment is to fail over. Nothing is touched.</summary>
    /// <param name="standby">The environment that stands by.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<InferloopFailoverReadiness> TestAsync(InferloopEnvironment standby, CancellationToken cancellation)
    {
        RefuseRole(standby, RegionRole.Standby);
        var options = new FailoverOptions { Mode = FailoverMode.Ungraceful };
        var steps = FailoverPlan.Make(Shape(standby, options, FailoverDirection.Failover, await ForecastAsync(standby, cancellation).ConfigureAwait(false)));
        var draft = new InferloopFailover
        {
            Id = "", Environment = standby.Name, Stage = standby.Stage, Mode = options.Mode, StandbyMode = standby.Spec.Recovery.StandbyMode,
            FromRegion = standby.Spec.RecoveryRegion, ToRegion = standby.Region, Operator = "", Started = now(), Steps = steps,
        };
        using var run = new FailoverRun(draft, (_, _) => Task.CompletedTask, now);
        var context = new FailoverContext { Run = run, Target = open(standby.Region, null), Source = open(standby.Spec.RecoveryRegion, null), Standby = standby, Reporter = reporter, Stopped = cancellation };
        var history = await HistoryAsync(standby, cancellation).ConfigureAwait(false);
        return await new FailoverReadiness(context, await AnswersAsync(context.Source, standby.StackName, cancellation).ConfigureAwait(false)).ReadAsync(history, cancellation).ConfigureAwait(false);
    }

    /// <summary>Whether a region answers, within a time in which one that does would.</summary>
    internal static async Task<bool> AnswersAsync(EnvironmentOperations operations, string stackName, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        try
        {
            await operations.FindStackAsync(stackName, limit.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested && (e is OperationCanceledException or HttpRequestException or AmazonClientException || AwsFaults.IsPassing(e)))
        {
            return false;
        }
    }

    /// <summary>Says no to what could not begin, before anybody is asked to confirm it.</summary>
    public async Task RefuseUnfitAsync(InferloopEnvironment standby, FailoverOptions options, CancellationToken cancellation)
    {
        RefuseRole(standby, RegionRole.Standby);
        if (options.Mode == FailoverMode.Graceful && !await AnswersAsync(open(standby.Spec.RecoveryRegion, null), standby.StackName, cancellation).ConfigureAwait(false))
        {
            throw new OperationException(
                "FailoverSourceUnreachable", OperationErrorKind.Connection, $"{standby.Spec.RecoveryRegion} does not answer: its writers cannot be stopped, so that a switch without a loss cannot be made. Nothing was changed.",
                $"If the region is lost: Invoke-InferloopFailover {standby.Name} -Stage {standby.Stage} -ToRegion {standby.Region} -Mode Ungraceful", standby.Name);
        }

        FailoverPlan.Make(Shape(standby, options, FailoverDirection.Failover, TimeSpan.Zero));
    }

    /// <summary>Begins a failover to where a standby is, and carries it out.</summary>
    /// <param name="standby">The environment that stands by.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops it; what is done is done, and the journal says what.</param>
    /// <exception cref="OperationException">It cannot begin, or a step failed.</exception>
    public async Task<InferloopFailover> InvokeAsync(InferloopEnvironment standby, FailoverOptions options, CancellationToken cancellation)
    {
        RefuseRole(standby, RegionRole.Standby);
        var shape = Shape(standby, options, FailoverDirection.Failover, await ForecastAsync(standby, cancellation).ConfigureAwait(false));
        return await StartAsync(standby, shape, options, new Dictionary<string, string>(), cancellation).ConfigureAwait(false);
    }

    /// <summary>Goes back to the region that an environment came from: makes it follow first, then switches without a loss.</summary>
    /// <param name="serving">The environment where it serves now.</param>
    /// <param name="options">How; a failback is always planned.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<InferloopFailover> FailbackAsync(InferloopEnvironment serving, FailoverOptions options, CancellationToken cancellation)
    {
        RefuseRole(serving, RegionRole.Primary);
        if (!serving.Spec.Recovery.RecoverySite)
        {
            throw new OperationException(
                "FailbackAtHome", OperationErrorKind.InvalidState, $"'{serving.Name}' serves from {serving.Region}, which is where it belongs.",
                $"To its recovery region: Invoke-InferloopFailover {serving.Name} -ToRegion {serving.Spec.RecoveryRegion}.", serving.Name);
        }

        if (serving.Spec.Recovery.StandbyMode == StandbyMode.BackupOnly)
        {
            throw new OperationException(
                "FailbackBackupOnly", OperationErrorKind.InvalidState, $"The standby of '{serving.Name}' is made of backups alone: nothing that is written in {serving.Region} reaches {serving.Spec.RecoveryRegion} but copied backups.",
                $"Either go back as after a loss, to the newest copied backups; or make the region a replica first: Set-InferloopEnvironment {serving.Name} -Region {serving.Region} -StandbyMode PilotLight.", serving.Name);
        }

        var home = open(serving.Spec.RecoveryRegion, null);
        var target = await home.RefreshAsync(serving.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(serving.Name, serving.Spec.RecoveryRegion);
        var shape = Shape(serving, options with { Mode = FailoverMode.Graceful }, FailoverDirection.Failback, await ForecastAsync(serving, cancellation).ConfigureAwait(false)) with
        {
            FromRegion = serving.Region, ToRegion = target.Region,
        };
        var facts = serving.Outputs.TryGetValue("FailoverAlarm", out var alarm) ? new Dictionary<string, string> { [DnsStep.AlarmFact] = alarm } : [];
        return await StartAsync(target, shape, options, facts, cancellation).ConfigureAwait(false);
    }

    /// <summary>What a failover would do, without touching anything.</summary>
    public async Task<IReadOnlyList<InferloopFailoverStep>> PlanAsync(InferloopEnvironment standby, FailoverOptions options, CancellationToken cancellation) =>
        FailoverPlan.Make(Shape(standby, options, FailoverDirection.Failover, await ForecastAsync(standby, cancellation).ConfigureAwait(false)));

    /// <summary>Goes on with the newest failover into a region that is not over.</summary>
    /// <param name="target">The environment in the region that takes over.</param>
    /// <param name="approve">The step that waits is approved.</param>
    /// <param name="maximumDataLoss">A wider consent to the loss of data; null for the one that was given.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<InferloopFailover> ResumeAsync(InferloopEnvironment target, bool approve, TimeSpan? maximumDataLoss, CancellationToken cancellation)
    {
        var held = await HoldAsync(target, cancellation).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var failover = await NewestAsync(held, target, cancellation).ConfigureAwait(false);
            if (failover is null || !(failover.IsOpen || (failover.State == FailoverState.Completed && failover.Steps.Any(s => s.State == FailoverStepState.Deferred))))
            {
                throw new OperationException(
                    "FailoverNotOpen", OperationErrorKind.InvalidState,
                    failover is null ? $"'{target.Name}' was never failed over to {target.Region}." : $"The newest failover of '{target.Name}' to {target.Region} is {failover.State}: nothing of it is left to do.",
                    $"See Get-InferloopFailover {target.Name} -Region {target.Region}; another region has others.", target.Name);
            }

            if (failover.Steps.FirstOrDefault(s => s is { NeedsApproval: true, ApprovedBy.Length: 0 } && s.After.All(a => failover.Step(a).IsOver)) is { } waiting)
            {
                if (approve)
                {
                    failover = failover with { Steps = failover.Steps.Select(s => s.Name == waiting.Name ? s with { ApprovedBy = held.Table.Owner } : s).ToArray() };
                }
                else if (failover.State == FailoverState.Paused)
                {
                    throw new OperationException(
                        "FailoverNotApproved", OperationErrorKind.InvalidState, $"The step {waiting.Name} waits for an approval.", $"{failover.Next} approves it and goes on; Undo-InferloopFailover takes back what can be.", target.Name);
                }
            }

            return await GoAsync(held, target, failover with { MaximumDataLoss = maximumDataLoss ?? failover.MaximumDataLoss }, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the newest failover back, where nothing of it has made the other region the one with the data.</summary>
    public async Task<InferloopFailover> UndoAsync(InferloopEnvironment target, CancellationToken cancellation)
    {
        var held = await HoldAsync(target, cancellation).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var failover = await NewestAsync(held, target, cancellation).ConfigureAwait(false);
            if (failover is null || !failover.IsOpen)
            {
                throw new OperationException(
                    "FailoverNotOpen", OperationErrorKind.InvalidState, failover is null ? $"'{target.Name}' was never failed over to {target.Region}." : $"The newest failover of '{target.Name}' to {target.Region} is {failover.State}.",
                    failover is { State: FailoverState.Completed } ? $"To go back: {failover.Next}." : $"See Get-InferloopFailover {target.Name} -Region {target.Region}.", target.Name);
            }

            if (failover.Steps.FirstOrDefault(s => FailoverPlan.PointsOfNoReturn.Contains(s.Name) && s.State is not (FailoverStepState.Waiting or FailoverStepState.NotNeeded) && !IsHarmless(failover, s)) is { } over)
            {
                throw new OperationException(
                    "FailoverPastReturn", OperationErrorKind.InvalidState, $"The step {over.Name} has begun: {failover.ToRegion} has data of its own from there on, and taking back would lose it.",
                    $"Go on: {failover.Next}; then come back with Invoke-InferloopFailback {target.Name}.", target.Name);
            }

            using var run = Run(held, target, failover);
            return await new FailoverRunner(Context(held, target, run, cancellation), s_actions, reporter).UndoAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The failovers into the region of an environment, the newest first.</summary>
    public async Task<IReadOnlyList<InferloopFailover>> HistoryAsync(InferloopEnvironment target, CancellationToken cancellation)
    {
        var operations = open(target.Region, null);
        return await operations.ControlPlaneAsync(cancellation).ConfigureAwait(false) is { } control
            ? (await new FailoverStore(operations.Aws.DynamoDB, control.Table).ListAsync(EnvironmentOperations.KeyFor(target.Spec), null, cancellation).ConfigureAwait(false)).Select(f => f with { Connection = target.Connection }).ToArray()
            : [];
    }

    // Choosing a snapshot promotes nothing.
    private static bool IsHarmless(InferloopFailover failover, InferloopFailoverStep step) => step.Name == Database && failover is { StandbyMode: StandbyMode.BackupOnly, Direction: FailoverDirection.Failover };

    private static void RefuseRole(InferloopEnvironment environment, RegionRole wanted)
    {
        if (environment.Spec.RecoveryRegion.Length == 0 || environment.Spec.Recovery.StandbyMode == StandbyMode.None)
        {
            throw new OperationException(
                "FailoverNoStandby", OperationErrorKind.InvalidState, $"'{environment.Name}' in {environment.Region} has no standby in another region.",
                $"Make one: Get-InferloopEnvironment {environment.Name} | New-InferloopStandby -RecoveryRegion <region> -StandbyMode PilotLight. Without one, restore from backups: Restore-InferloopBackup.", environment.Name);
        }

        if (environment.Spec.Recovery.RegionRole != wanted)
        {
            throw new OperationException(
                "FailoverRole", OperationErrorKind.InvalidState, $"'{environment.Name}' in {environment.Region} has the role {environment.Spec.Recovery.RegionRole} already.",
                wanted == RegionRole.Standby
                    ? $"The other region is {environment.Spec.RecoveryRegion}: name it with -ToRegion. To go back where it came from: Invoke-InferloopFailback {environment.Name} -Region {environment.Region}."
                    : $"It serves from {environment.Spec.RecoveryRegion}.", environment.Name);
        }
    }

    private static FailoverShape Shape(InferloopEnvironment standby, FailoverOptions options, FailoverDirection direction, TimeSpan compute) => new()
    {
        Mode = options.Mode, Direction = direction, StandbyMode = standby.Spec.Recovery.StandbyMode, FromRegion = standby.Spec.RecoveryRegion, ToRegion = standby.Region,
        HasDatabase = standby.Spec.Database.DatabaseEnabled, HasCache = standby.Outputs.ContainsKey("CacheReplicationGroupId"), HasTable = standby.Outputs.ContainsKey("TableName") || standby.Spec.Recovery.StandbyMode == StandbyMode.BackupOnly,
        HasBucket = standby.Outputs.ContainsKey("BucketName"), HasSecrets = standby.Outputs.Keys.Any(k => k.EndsWith("SecretArn", StringComparison.Ordinal)),
        HasDns = standby.Outputs.ContainsKey("FailoverAlarm"), Compute = compute, Approvals = options.Approvals,
    };

    /// <summary>How long the update takes that brings a standby to full size: made without asking AWS for a change set, which would change nothing but take a lock.</summary>
    private async Task<TimeSpan> ForecastAsync(InferloopEnvironment standby, CancellationToken cancellation)
    {
        var operations = open(standby.Region, null);
        var active = standby.Spec with { Recovery = standby.Spec.Recovery with { RegionRole = RegionRole.Primary } };
        var before = await EnvironmentPlan.MakeAsync(standby.Spec, standby.AccountId, operations.Aws.Partition, operations.Options, cancellation).ConfigureAwait(false);
        var after = await EnvironmentPlan.MakeAsync(active, standby.AccountId, operations.Aws.Partition, operations.Options, cancellation).ConfigureAwait(false);
        return DurationForecast.OfUpdate(after.Evaluated, EnvironmentOperations.ChangesBetween(before.Evaluated, after.Evaluated)).Total;
    }

    private async Task<InferloopFailover> StartAsync(InferloopEnvironment standby, FailoverShape shape, FailoverOptions options, IReadOnlyDictionary<string, string> facts, CancellationToken cancellation)
    {
        var steps = FailoverPlan.Make(shape);
        var held = await HoldAsync(standby, cancellation).ConfigureAwait(false);
        await using (held.ConfigureAwait(false))
        {
            var newest = await NewestAsync(held, standby, cancellation).ConfigureAwait(false);
            if (newest is { IsOpen: true })
            {
                throw new OperationException(
                    "FailoverOpen", OperationErrorKind.InvalidState, $"A failover of '{standby.Name}' to {standby.Region}, begun {newest.Started.UtcDateTime:yyyy-MM-dd HH:mm} UTC by {newest.Operator}, is {newest.State}{(newest.Reason.Length > 0 ? $" ({newest.Reason.TrimEnd('.')})" : "")}.",
                    $"Go on with it: {newest.Next}; or take it back: Undo-InferloopFailover {standby.Name} -Stage {standby.Stage} -Region {standby.Region}.", standby.Name);
            }

            var failover = new InferloopFailover
            {
                Id = Guid.NewGuid().ToString("N")[..12], Environment = standby.Name, Stage = standby.Stage, Direction = shape.Direction, Mode = shape.Mode, StandbyMode = shape.StandbyMode,
                FromRegion = shape.FromRegion, ToRegion = shape.ToRegion, Operator = held.Table.Owner, Started = now(), Steps = steps, ExpectedRto = CriticalPath.Length(steps),
                MaximumDataLoss = options.MaximumDataLoss ?? FailoverObjectives.Rpo, IsRehearsal = options.IsRehearsal, LostSince = options.LostSince, Facts = facts,
            };
            return await GoAsync(held, standby, failover, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<InferloopFailover> GoAsync(HeldEnvironment held, InferloopEnvironment target, InferloopFailover failover, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, held.Lock.Lost);
        using var run = Run(held, target, failover);
        var context = Context(held, target, run, either.Token);
        try
        {
            return (await new FailoverRunner(context, s_actions, reporter).GoAsync(either.Token).ConfigureAwait(false)) with { Connection = target.Connection };
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            reporter.Warning($"The failover of '{target.Name}' stopped where it is; what AWS had begun goes on there. To go on: {run.Current.Next}");
            throw;
        }
        catch (OperationCanceledException) when (held.Lock.Lost.IsCancellationRequested)
        {
            throw new OperationException(
                "LockLost", OperationErrorKind.Busy, $"The lock on '{target.Name}' was lost: no sign of life reached {target.Region} for {ControlTable.Lease.TotalSeconds:0} seconds, and another operator may be at work.",
                $"Look with Get-InferloopFailover {target.Name} -Region {target.Region}, then go on: {run.Current.Next}.", target.Name);
        }
        finally
        {
            reporter.Progress(new OperationProgress(FailoverProgress.Activity(run.Current), run.Current.State.ToString(), 100, Completed: true));
        }
    }

    private FailoverRun Run(HeldEnvironment held, InferloopEnvironment target, InferloopFailover failover)
    {
        var store = new FailoverStore(held.Operations.Aws.DynamoDB, held.Control.Table);
        var key = EnvironmentOperations.KeyFor(target.Spec);
        return new FailoverRun(failover, (f, ct) => store.SaveAsync(key, f, ct), now)
        {
            Changed = f =>
            {
                reporter.Progress(FailoverProgress.Of(f, now()));
                Changed?.Invoke(f);
            },
        };
    }

    private FailoverContext Context(HeldEnvironment held, InferloopEnvironment target, FailoverRun run, CancellationToken stopped) => new()
    {
        Run = run, Target = held.Operations, Source = open(run.Current.FromRegion, null), Standby = target, Reporter = reporter, Stopped = stopped,
    };

    /// <summary>Takes the environment's lock in the region that takes over, with operations that work under it.</summary>
    private async Task<HeldEnvironment> HoldAsync(InferloopEnvironment target, CancellationToken cancellation)
    {
        var operations = open(target.Region, null);
        var (control, table) = await operations.ControlAsync(cancellation).ConfigureAwait(false);
        var hold = await table.AcquireAsync(EnvironmentOperations.KeyFor(target.Spec), Guid.NewGuid().ToString("N")[..12], OperationKind.Failover, cancellation).ConfigureAwait(false);
        return new HeldEnvironment(open(target.Region, operations.Options with { Held = hold }), control, table, hold);
    }

    private static async Task<InferloopFailover?> NewestAsync(HeldEnvironment held, InferloopEnvironment target, CancellationToken cancellation) =>
        await new FailoverStore(held.Operations.Aws.DynamoDB, held.Control.Table).ListAsync(EnvironmentOperations.KeyFor(target.Spec), 1, cancellation).ConfigureAwait(false) is [var newest, ..] ? newest : null;

    private sealed record HeldEnvironment(EnvironmentOperations Operations, ControlPlane Control, ControlTable Table, EnvironmentLock Lock) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => Lock.DisposeAsync();
    }
}
