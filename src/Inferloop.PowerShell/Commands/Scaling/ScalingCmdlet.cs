using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Scaling;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Scaling;

/// <summary>The base of the scaling cmdlets: an environment by name, an environment, a component or a scaling down the pipeline.</summary>
public abstract class ScalingCmdlet : ExistingEnvironmentCmdlet
{
    /// <summary>A part of an environment, as Get-InferloopEnvironmentComponent gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Part")]
    [ValidateNotNull]
    public InferloopEnvironmentComponent? Part { get; set; }

    /// <summary>What Get-InferloopScaling gives.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Scaling")]
    [ValidateNotNull]
    public InferloopScaling? Scaling { get; set; }

    /// <summary>The environment that the parameters lead to.</summary>
    private protected async Task<(EnvironmentOperations Operations, InferloopEnvironment Environment)> FindScaledAsync(CancellationToken cancellationToken)
    {
        if (Part is null && Scaling is null)
        {
            return await FindAsync(cancellationToken).ConfigureAwait(false);
        }

        if ((Part?.Origin ?? Scaling?.Origin) is { } origin)
        {
            return (await OpenAsync(origin, cancellationToken).ConfigureAwait(false), origin);
        }

        // One that was read from a file, or came from another session.
        var operations = await OpenAsync(Scaling?.Region, cancellationToken).ConfigureAwait(false);
        return (operations, await ResolveAsync(operations, Part?.Environment ?? Scaling!.Environment, Scaling?.Stage, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What scales a part of an environment.</summary>
    private protected static IReadOnlyList<ScalingComponent> ComponentsOf(InferloopEnvironmentComponent part)
    {
        var resource = new DeployedResource(part.Path, part.Type, part.PhysicalId, part.Status, "");
        var found = ScalingRules.All.Where(r => r.IsOf(resource)).Select(r => r.Component).ToList();
        return found.Count > 0
            ? found
            : throw new OperationException(
                "ScalingPartUnscalable", OperationErrorKind.InvalidArgument, $"{part.Path} ({part.Type}) has no capacity of its own to scale.",
                $"Get-InferloopScaling {part.Environment} shows what scales.", part.Path);
    }
}
