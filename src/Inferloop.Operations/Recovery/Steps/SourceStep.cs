using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Recovery.Steps;

/// <summary>
/// The stack of the region that was left is told that it stands by: its templates then say of tasks, queues and event sources what the fence did, and no
/// later update starts them again. Its data stays as it is until a failback makes it follow.
/// </summary>
internal static class SourceStep
{
    public static readonly FailoverAction Action = new(RunAsync);

    private static async Task<string?> RunAsync(FailoverContext context, CancellationToken cancellation)
    {
        if (context.Run.Current.Direction == FailoverDirection.Failback)
        {
            var followed = await ReseedStep.FollowAsync(context, context.Source, context.Target, cancellation).ConfigureAwait(false);
            return followed + await SecretsStep.ReplicateAsync(context, cancellation).ConfigureAwait(false);
        }

        var operations = context.Source;
        var environment = await operations.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false);
        if (environment is null)
        {
            return $"there is no stack of it in {context.Run.Current.FromRegion}";
        }

        if (StackStates.IsInProgress(environment.Status))
        {
            await operations.WaitAsync(environment, cancellation).ConfigureAwait(false);
            environment = (await operations.RefreshAsync(context.Standby.StackName, withHealth: false, cancellation).ConfigureAwait(false))!;
        }

        var spec = environment.Spec with { Recovery = environment.Spec.Recovery with { RegionRole = RegionRole.Standby, StandbyMode = context.Run.Current.StandbyMode } };

        // A cache stands by empty or not at all, and comes back with its next use; its last snapshot stays where the spec retains data.
        var prepared = await operations.PrepareUpdateAsync(spec, new UpdateOptions { Resume = true, AllowedReplacements = ["Cache/ReplicationGroup"] }, cancellation).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (!prepared.Empty)
            {
                prepared.RefuseUnnamed();
                await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellation).ConfigureAwait(false);
            }
        }

        return $"{environment.StackName} in {context.Run.Current.FromRegion} stands by";
    }
}
