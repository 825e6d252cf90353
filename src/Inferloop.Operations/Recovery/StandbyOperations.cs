using Amazon.KeyManagementService.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery;

/// <summary>
/// Makes, looks at and removes the standby of an environment. Each part is an operation of one stack with the lock and journal of its own
/// region, and each asks first how far things are: what was interrupted goes on when it is repeated, from any machine.
/// </summary>
internal sealed class StandbyOperations(EnvironmentOperations primary, EnvironmentOperations recovery)
{
    /// <summary>The stacks' steps, for progress and tests.</summary>
    internal const int Steps = 3;

    private IOperationReporter Reporter => primary.Reporter;

    /// <summary>What the standby of an environment would be; refuses an environment that can have none.</summary>
    /// <param name="given">The environment, as old as it may be.</param>
    /// <param name="certificateArn">Certificate of the recovery region; empty for none.</param>
    /// <param name="mode">What is to stand by; the spec's own when null.</param>
    /// <param name="cancellation">Stops the question.</param>
    public async Task<(InferloopEnvironment Environment, InferloopEnvironmentSpec Primary, InferloopEnvironmentSpec Standby)> PlanAsync(
        InferloopEnvironment given, string? certificateArn, StandbyMode? mode, CancellationToken cancellation)
    {
        var environment = await primary.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(given.Name, given.Region);
        var spec = environment.Spec with { Region = primary.Aws.Region, RecoveryRegion = recovery.Aws.Region };
        spec = mode is { } wanted ? spec with { Recovery = spec.Recovery with { StandbyMode = wanted } } : spec;
        if (spec.Recovery.StandbyMode == StandbyMode.None)
        {
            throw new OperationException(
                "StandbyModeNone", OperationErrorKind.InvalidArgument, $"The spec of '{spec.Name}' says that nothing stands by.",
                $"Say what: New-InferloopStandby {spec.Name} -Mode PilotLight (or BackupOnly, Warm).", spec.Name);
        }

        if (spec.Recovery.RegionRole != RegionRole.Primary)
        {
            throw new OperationException(
                "StandbyOfStandby", OperationErrorKind.InvalidState, $"'{spec.Name}' in {spec.Region} stands by itself.",
                $"Give the environment that carries it, in {environment.Spec.RecoveryRegion}.", spec.Name);
        }

        var existing = await recovery.RefreshAsync(spec.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (existing is { Spec.Recovery.RegionRole: RegionRole.Primary })
        {
            throw new OperationException(
                "StandbyNameTaken", OperationErrorKind.AlreadyExists, $"{recovery.Aws.Region} has an environment '{spec.Name}' ({spec.Stage}) that carries itself; it is no standby, or took over in a failover.",
                "Choose another recovery region, or another name for one of them.", spec.Name);
        }

        var standby = StandbySpecs.ForStandby(spec, environment.Outputs);
        var certificate = certificateArn ?? existing?.Spec.Security.CertificateArn ?? "";
        standby = standby with { Security = standby.Security with { CertificateArn = certificate } };
        standby = await WithKeyAsync(standby, existing, cancellation).ConfigureAwait(false);
        Refuse(spec);
        Refuse(standby);
        return (environment, spec, standby);
    }

    /// <summary>
    /// Makes the standby or brings it up to the environment's spec: first its stack, because what the primary replicates to has to be there; then
    /// the primary's replication; then what waited for the replicas.
    /// </summary>
    public async Task<InferloopStandby> CreateAsync(InferloopEnvironment given, string? certificateArn, StandbyMode? mode, CancellationToken cancellation)
    {
        var (environment, spec, standby) = await PlanAsync(given, certificateArn, mode, cancellation).ConfigureAwait(false);

        // Tasks need the secrets' replicas, which the primary makes only when the standby's key is there: a warm standby begins as a pilot light.
        var live = await recovery.RefreshAsync(standby.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        var replicated = spec.Recovery.ReplicaRegion == recovery.Aws.Region;
        var first = standby.Recovery.StandbyMode == StandbyMode.Warm && !replicated ? standby with { Recovery = standby.Recovery with { StandbyMode = StandbyMode.PilotLight } } : standby;
        Report(environment.Name, $"1 of {Steps}: the stacks in {recovery.Aws.Region}", 0);
        await ApplyAsync(recovery, first, live, cancellation).ConfigureAwait(false);
        live = await recovery.RefreshAsync(standby.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(standby.Name, standby.Region);

        Report(environment.Name, $"2 of {Steps}: replication from {spec.Region}", 60);
        await new StandbyImages(primary, recovery).ReplicateAsync(spec, cancellation).ConfigureAwait(false);
        await ApplyAsync(primary, StandbySpecs.WithStandby(spec, live.Outputs), environment, cancellation).ConfigureAwait(false);

        Report(environment.Name, $"3 of {Steps}: what waited for the replicas", 90);
        standby = await new StandbyReplicas(primary, recovery).WithStreamAsync(standby, cancellation).ConfigureAwait(false);
        await ApplyAsync(recovery, standby, live, cancellation).ConfigureAwait(false);
        Reporter.Progress(new OperationProgress($"Standby of {environment.Name}", "", 100, Completed: true));
        environment = await primary.RefreshAsync(environment.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? environment;
        return await GetAsync(environment, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(standby.Name, standby.Region);
    }

    /// <summary>The standby of an environment; null when there is none.</summary>
    public async Task<InferloopStandby?> GetAsync(InferloopEnvironment environment, CancellationToken cancellation)
    {
        var live = await recovery.RefreshAsync(environment.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (live is null || live.Spec.Recovery is { RegionRole: RegionRole.Primary, RecoverySite: false })
        {
            return null;
        }

        return new InferloopStandby
        {
            Name = live.Name, Stage = live.Stage, PrimaryRegion = primary.Aws.Region, Region = recovery.Aws.Region,
            Mode = live.Spec.Recovery.StandbyMode, Role = live.Spec.Recovery.RegionRole, Status = live.Status, Environment = live,
            Replicas = await new StandbyReplicas(primary, recovery).ReadAsync(environment, live, cancellation).ConfigureAwait(false),
        };
    }

    /// <summary>Ends the replication, then removes the standby's stack.</summary>
    public async Task<InferloopRemovedStandby> RemoveAsync(InferloopEnvironment given, RemovalOptions removal, CancellationToken cancellation)
    {
        var environment = await primary.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        var live = await recovery.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (live is { Spec.Recovery.RegionRole: RegionRole.Primary })
        {
            throw new OperationException(
                "StandbyTookOver", OperationErrorKind.InvalidState, $"{live.Region} carries '{live.Name}' since a failover; removing it would end the service.",
                $"Move it back first: Invoke-InferloopFailback {live.Name}.", live.Name);
        }

        if (live is null && environment?.Spec.Recovery.ReplicaRegion != recovery.Aws.Region)
        {
            throw NoStandby(given.Name, recovery.Aws.Region);
        }

        if (environment is not null)
        {
            Report(given.Name, $"1 of 2: ending the replication from {environment.Region}", 0);
            var spec = environment.Spec with { Region = primary.Aws.Region };
            await new StandbyReplicas(primary, recovery).UnprotectTableAsync(spec, environment, cancellation).ConfigureAwait(false);
            await new StandbyImages(primary, recovery).EndAsync(spec, cancellation).ConfigureAwait(false);
            await ApplyAsync(primary, StandbySpecs.WithoutStandby(spec), environment, cancellation).ConfigureAwait(false);
        }

        Report(given.Name, $"2 of 2: removing the stacks in {recovery.Aws.Region}", 40);
        var removed = live is null
            ? new InferloopRemovedEnvironment { Name = given.Name, Stage = given.Stage, Region = recovery.Aws.Region, Deleted = 0, Retained = [], Duration = TimeSpan.Zero }
            : await recovery.RemoveAsync(live, removal, cancellation).ConfigureAwait(false);
        Reporter.Progress(new OperationProgress($"Standby of {given.Name}", "", 100, Completed: true));
        return new InferloopRemovedStandby(given.Name, recovery.Aws.Region, removed);
    }

    internal static OperationException NoStandby(string name, string region) => new(
        "StandbyNotFound", OperationErrorKind.NotFound, $"Nothing stands by for '{name}' in {region}.", $"New-InferloopStandby {name} makes it.", name);

    /// <summary>
    /// The key that the standby has, or can have. A key outlives its stack, by its retention or while its deletion is pending, and a region takes one
    /// replica of a multi-region key: where an earlier standby's is still there, this one has a key of its own.
    /// </summary>
    private async Task<InferloopEnvironmentSpec> WithKeyAsync(InferloopEnvironmentSpec standby, InferloopEnvironment? existing, CancellationToken cancellation)
    {
        var parts = standby.Recovery.PeerArns.Split(',');
        if (existing?.Spec.Recovery.PeerArns.Split(',') is [_, _, var has, ..] && !StackStates.IsFailedCreate(existing.Status))
        {
            parts[2] = has;
        }
        else if (parts[2].Length > 0)
        {
            try
            {
                var left = await recovery.Aws.Keys.DescribeKeyAsync(new DescribeKeyRequest { KeyId = parts[2][(parts[2].LastIndexOf('/') + 1)..] }, cancellation).ConfigureAwait(false);
                Reporter.Warning($"{recovery.Aws.Region} still has a replica of the environment's key ({left.KeyMetadata.KeyState}), of an earlier standby. This one has a key of its own.");
                parts[2] = "";
            }
            catch (NotFoundException)
            {
                // The rule: the stack makes the replica.
            }
        }

        return standby with { Recovery = standby.Recovery with { PeerArns = string.Join(',', parts) } };
    }

    private static void Refuse(InferloopEnvironmentSpec spec)
    {
        var errors = SpecValidator.Validate(spec).Where(f => f.Severity == SpecFindingSeverity.Error).ToList();
        if (errors.Count > 0)
        {
            throw new OperationException(
                "StandbySpecInvalid", OperationErrorKind.InvalidArgument, $"'{spec.Name}' can have no such standby. {string.Join(" ", errors.Select(e => e.Message))}", errors[0].Recommendation, spec.Name);
        }
    }

    private void Report(string name, string status, int percent) => Reporter.Progress(new OperationProgress($"Standby of {name}", status, percent));

    /// <summary>Creates the stack, or updates it where it is otherwise.</summary>
    private static async Task ApplyAsync(EnvironmentOperations operations, InferloopEnvironmentSpec spec, InferloopEnvironment? existing, CancellationToken cancellation)
    {
        var created = existing is null || existing.Status is "CREATE_IN_PROGRESS" or "REVIEW_IN_PROGRESS" || StackStates.IsFailedCreate(existing.Status);
        var prepared = created
            ? await operations.PrepareCreateAsync(spec, preview: false, resume: existing is not null && StackStates.IsFailedCreate(existing.Status), cancellation).ConfigureAwait(false)
            : await operations.PrepareUpdateAsync(spec, new UpdateOptions { Resume = !StackStates.IsUpdatable(existing!.Status) && !StackStates.IsInProgress(existing.Status) }, cancellation).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (!prepared.Empty)
            {
                prepared.RefuseUnnamed();
                await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
            }
        }
    }
}
