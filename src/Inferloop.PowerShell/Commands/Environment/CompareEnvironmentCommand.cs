using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>Tells in what two environments differ, or a spec and what is deployed: members, resources, properties, versions.</summary>
[Cmdlet(VerbsData.Compare, "InferloopEnvironment", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironmentDifference))]
public sealed class CompareEnvironmentCommand : ExistingEnvironmentCmdlet
{
    /// <summary>The name of the other environment.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? DifferenceName { get; set; }

    /// <summary>The stage of the other environment, where environments of several stages have the name.</summary>
    [Parameter]
    public EnvironmentStage? DifferenceStage { get; set; }

    /// <summary>The other environment, as Get-InferloopEnvironment gives it; it may be in another region.</summary>
    [Parameter]
    [ValidateNotNull]
    public InferloopEnvironment? DifferenceEnvironment { get; set; }

    /// <summary>A spec to compare with what is deployed.</summary>
    [Parameter]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (new object?[] { DifferenceName ?? (object?)DifferenceStage, DifferenceEnvironment, Spec }.Count(o => o is not null) != 1)
        {
            throw new OperationException(
                "CompareWithWhat", OperationErrorKind.InvalidArgument, "An environment is compared with exactly one thing.",
                "Give -DifferenceName (or -DifferenceStage), -DifferenceEnvironment or -Spec.", Name ?? Environment?.Name);
        }

        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var reference = await operations.SideAsync(environment, cancellationToken).ConfigureAwait(false);
        ComparedSide other;
        if (Spec is not null)
        {
            other = await operations.SideAsync(Spec, cancellationToken).ConfigureAwait(false);
        }
        else if (DifferenceEnvironment is not null)
        {
            var theirs = await OpenAsync(DifferenceEnvironment, cancellationToken).ConfigureAwait(false);
            other = await theirs.SideAsync(DifferenceEnvironment, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            other = await operations.SideAsync(
                await ResolveAsync(operations, DifferenceName ?? environment.Name, DifferenceStage, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        }

        WriteObject(EnvironmentComparer.Compare(reference, other), enumerateCollection: true);
    }
}
