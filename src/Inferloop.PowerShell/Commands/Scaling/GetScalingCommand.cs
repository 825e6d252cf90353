using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Scaling;

namespace Inferloop.PowerShell.Commands.Scaling;

/// <summary>Shows how the parts of an environment scale: bounds, what runs, targets, schedules with their next times, and what rests.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopScaling", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopScaling))]
public sealed class GetScalingCommand : ScalingCmdlet
{
    /// <summary>Only these: Ecs, EcsInstances, EksNodes, Batch, LambdaReserved, LambdaProvisioned, TableRead, TableWrite, Cache, DatabaseStorage or DatabaseReplicas.</summary>
    [Parameter(Position = 1)]
    public ScalingComponent[]? Component { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindScaledAsync(cancellationToken).ConfigureAwait(false);

        // What went down a pipeline may be older than the last change.
        environment = await operations.RefreshAsync(environment.StackName, withHealth: false, cancellationToken).ConfigureAwait(false) ?? throw EnvironmentOperations.NotFound(environment.Name, environment.Region);
        var components = Component ?? (Part is not null ? ComponentsOf(Part) : Scaling is not null ? [Scaling.Component] : null);
        foreach (var scaling in await new ScalingReader(operations, Now()).ReadAsync(environment, components, cancellationToken).ConfigureAwait(false))
        {
            await WriteAsync(scaling).ConfigureAwait(false);
        }
    }
}
