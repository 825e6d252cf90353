using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// Compute: the stack of the region that takes over is told its new role, and nothing else. It brings tasks, nodes, queues and event sources to the
/// size that the spec has, and it knows then that its database stands by itself, so that no later update would take it for a replica.
/// </summary>
internal static class ComputeStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    /// <summary>The spec of the standby once it has taken over.</summary>
    public static InferloopEnvironmentSpec Active(FailoverContext context, InferloopEnvironmentSpec spec)
    {
        var active = spec with { Recovery = spec.Recovery with { RegionRole = RegionRole.Primary } };
        if (context.Run.Fact(TableStep.RestoredFact) is { } table)
        {
            active = active with { Recovery = active.Recovery with { ReplicaTableName = table } };
        }

        return context.Run.Fact(DatabaseStep.SnapshotFact) is { } snapshot ? active with { Database = active.Database with { DatabaseSnapshotIdentifier = snapshot } } : active;
    }

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        var operations = context.Target;
        var name = context.Standby.StackName;
        var environment = await operations.RefreshAsync(name, withHealth: false, cancellation).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(context.Standby.Name, context.Standby.Region);

        // A process that died left the update under way: AWS goes on with it, and so do we.
        if (StackStates.IsInProgress(environment.Status))
        {
            await operations.WaitAsync(environment, cancellation).ConfigureAwait(false);
            environment = (await operations.RefreshAsync(name, withHealth: false, cancellation).ConfigureAwait(false))!;
        }

        var spec = Active(context, environment.Spec);
        var prepared = await operations.PrepareUpdateAsync(spec, new UpdateOptions { Resume = true }, cancellation).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (prepared.Empty)
            {
                return $"{name} has the role of the primary";
            }

            prepared.RefuseUnnamed();
            await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
            return $"{name} has the role of the primary: {prepared.ChangeSet!.Changes.Count} changes";
        }
    }
}
