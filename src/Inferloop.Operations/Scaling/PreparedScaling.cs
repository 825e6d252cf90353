using System.Globalization;
using Amazon.EKS;
using Amazon.EKS.Model;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.Templates;

namespace Inferloop.Operations.Scaling;

/// <summary>A change of scaling ready to be carried out: a change of the environment's spec, and the number that is to run now where no spec holds that.</summary>
internal sealed class PreparedScaling : IAsyncDisposable
{
    /// <summary>The step of the journal in which the number that runs is set.</summary>
    public const string DesiredStep = "desired";

    private const int Attempts = 3;

    private readonly EnvironmentOperations operations;
    private readonly ScalingReader reader;
    private readonly ScalingRequest request;
    private readonly PreparedChange prepared;
    private readonly InferloopEnvironment environment;

    private PreparedScaling(EnvironmentOperations operations, ScalingReader reader, ScalingRequest request, InferloopEnvironment environment, PreparedChange prepared, InferloopScalingChange change)
    {
        this.operations = operations;
        this.reader = reader;
        this.request = request;
        this.environment = environment;
        this.prepared = prepared;
        Change = change;
    }

    /// <summary>What would change.</summary>
    public InferloopScalingChange Change { get; private set; }

    /// <summary>Nothing would.</summary>
    public bool IsEmpty => prepared.Empty && Direct is null;

    /// <summary>The number to set by the service itself: the template says it already, and what runs has moved on.</summary>
    private int? Direct => request.Desired is { } wanted && request.Component is ScalingComponent.Ecs or ScalingComponent.EksNodes
        && !Change.Values.Any(v => v.Name == ScalingRules.Of(request.Component).Desired) && Change.Before.Count > 0 && Change.Before[0].Desired != wanted ? wanted : null;

    /// <summary>Makes everything ready, up to a change set that shows it.</summary>
    public static async Task<PreparedScaling> PrepareAsync(
        EnvironmentOperations operations, InferloopEnvironment given, ScalingRequest request, ScalingOptions options, DateTimeOffset now, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (await TryPrepareAsync(operations, given, request, options, now, cancellation).ConfigureAwait(false) is { } ready)
            {
                return ready;
            }

            if (attempt == Attempts)
            {
                throw new OperationException(
                    "EnvironmentBusy", OperationErrorKind.Busy, $"The spec of '{given.Name}' was changed by others each time that this change was about to begin.", "Repeat the command when they are done.", given.Name);
            }
        }
    }

    /// <summary>One attempt; null when another operator changed the spec between its reading and the lock: what was made of the old one would take that back.</summary>
    private static async Task<PreparedScaling?> TryPrepareAsync(
        EnvironmentOperations operations, InferloopEnvironment given, ScalingRequest request, ScalingOptions options, DateTimeOffset now, CancellationToken cancellation)
    {
        // What went down a pipeline may be older than the last change.
        var environment = await operations.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(given.Name, given.Region);
        var before = environment.Spec with { Region = operations.Aws.Region };
        var reader = new ScalingReader(operations, now);
        var live = await reader.ReadAsync(environment, [request.Component], cancellation).ConfigureAwait(false);
        var spec = ScalingSpec.Apply(before, request, live);
        await new ScalingLimits(operations).RefuseAsync(before, spec, request, live, cancellation).ConfigureAwait(false);
        var prepared = await operations.PrepareUpdateAsync(spec, new UpdateOptions { Preview = options.Preview }, cancellation).ConfigureAwait(false);
        try
        {
            var locked = await operations.RefreshAsync(given.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(given.Name, given.Region);
            if (ScalingSpec.Differences(before, locked.Spec).Count > 0)
            {
                await prepared.DisposeAsync().ConfigureAwait(false);
                return null;
            }

            if (!options.AllowOtherChanges)
            {
                await RefuseOthersAsync(operations, before, prepared, cancellation).ConfigureAwait(false);
            }

            var set = prepared.ChangeSet!;
            var result = new PreparedScaling(operations, reader, request, environment, prepared, new InferloopScalingChange
            {
                Environment = environment.Name, Component = request.Component, Before = live,
                Values = ScalingSpec.Differences(before, spec),
                Schedule = ScalingRules.Of(request.Component).Schedule is { } member
                    ? ScalingSchedule.Parse((string)SpecMembers.Require(member).Get(spec)).Select(a => a with { Next = ScalingSchedule.Next(a, now, AutoScalingReader.Occurrences) }).ToList()
                    : [],
                MonthlyCostDelta = set.MonthlyCostDelta, MonthlyCostLowDelta = set.MonthlyCostLowDelta, MonthlyCostHighDelta = set.MonthlyCostHighDelta,
                Unpriced = live.Count == 0 ? [] : set.Unpriced.Where(u => u.StartsWith(live[0].Path[..(live[0].Path.IndexOf('/', StringComparison.Ordinal) + 1)], StringComparison.Ordinal)).Distinct().ToList(),
                Resources = set.Changes,
            });
            if (result.Direct is { } desired)
            {
                result.Change = result.Change with
                {
                    Values = [.. result.Change.Values, new InferloopScalingValue("DesiredNow", live[0].Desired?.ToString(CultureInfo.InvariantCulture) ?? "", desired.ToString(CultureInfo.InvariantCulture))],
                };
            }

            return result;
        }
        catch
        {
            await prepared.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Carries it out.</summary>
    /// <param name="wait">Follow it to its end, and look at what came of it.</param>
    /// <param name="cancelOnStop">When the waiting is cancelled, call the update off too.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<InferloopScalingChange> ExecuteAsync(bool wait, bool cancelOnStop, CancellationToken cancellation)
    {
        var direct = Direct;
        if (direct is { } early && !wait && !prepared.Empty)
        {
            await prepared.BesideAsync(DesiredStep, ct => SetDesiredAsync(early, ct), cancellation).ConfigureAwait(false);
            direct = null;
        }

        if (!prepared.Empty)
        {
            prepared.RefuseUnnamed();
            await prepared.ExecuteAsync(wait, cancelOnStop, cancellation).ConfigureAwait(false);
        }

        if (direct is { } desired)
        {
            await prepared.BesideAsync(DesiredStep, ct => SetDesiredAsync(desired, ct), cancellation).ConfigureAwait(false);
        }

        if (!wait)
        {
            return Change with { Applied = true };
        }

        var after = await operations.RefreshAsync(environment.StackName, withHealth: false, cancellation).ConfigureAwait(false) ?? environment;
        return Change with { Applied = true, After = await reader.ReadAsync(after, [request.Component], cancellation).ConfigureAwait(false) };
    }

    public ValueTask DisposeAsync() => prepared.DisposeAsync();

    private async Task SetDesiredAsync(int desired, CancellationToken cancellation)
    {
        var live = Change.Before[0];
        if (live.Component == ScalingComponent.Ecs)
        {
            var (cluster, service) = ScalingReader.ServiceOf(live.PhysicalId);
            await operations.Aws.ECS.UpdateServiceAsync(new Amazon.ECS.Model.UpdateServiceRequest { Cluster = cluster, Service = service, DesiredCount = desired }, cancellation).ConfigureAwait(false);
            return;
        }

        var parts = live.PhysicalId.Split('/');
        await operations.Aws.Client<IAmazonEKS>().UpdateNodegroupConfigAsync(
            new UpdateNodegroupConfigRequest { ClusterName = parts[0], NodegroupName = parts[^1], ScalingConfig = new NodegroupScalingConfig { DesiredSize = desired } }, cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// Says no to an update that would take more along than the scaling: the module's templates may have moved on since the environment
    /// was made, and who scales in the night does not want that too.
    /// </summary>
    private static async Task RefuseOthersAsync(EnvironmentOperations operations, InferloopEnvironmentSpec before, PreparedChange prepared, CancellationToken cancellation)
    {
        var was = await EnvironmentPlan.MakeAsync(before, await operations.Aws.AccountId(cancellation).ConfigureAwait(false), operations.Aws.Partition, operations.Options, cancellation).ConfigureAwait(false);
        var own = StackComparer.Compare(was.Evaluated, prepared.Plan.Evaluated).Changes.Select(r => r.Path).ToHashSet(StringComparer.Ordinal);
        var others = prepared.ChangeSet!.Changes.Where(c => !own.Contains(c.Path) && c.Type != "AWS::CloudFormation::Stack").ToList();
        if (others.Count > 0)
        {
            throw new OperationException(
                "ScalingTakesMore", OperationErrorKind.InvalidState,
                $"The templates of this module have moved on since '{before.Name}' was deployed; the update would also change {string.Join(", ", others.Take(5).Select(c => c.Path))}{(others.Count > 5 ? $" and {others.Count - 5} more" : "")}. Nothing was changed.",
                $"Bring the environment up to date first (Set-InferloopEnvironment {before.Name} -WhatIf shows how, then without -WhatIf), or take it along with -AllowOtherChanges.", before.Name);
        }
    }
}
