using System.Management.Automation;
using Inferloop.Operations.Environments;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>
/// Removes an environment. Stored data outlives it unless -DeleteData is said. Run again after an interruption it goes on
/// where it stopped.
/// </summary>
[Cmdlet(VerbsCommon.Remove, "InferloopEnvironment", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High, DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopRemovedEnvironment))]
public sealed class RemoveEnvironmentCommand : ExistingEnvironmentCmdlet
{
    /// <summary>Delete stored data too: buckets with all their versions, the table, the key.</summary>
    [Parameter]
    public SwitchParameter DeleteData { get; set; }

    /// <summary>Lift the protection of an environment that has one.</summary>
    [Parameter]
    public SwitchParameter DisableTerminationProtection { get; set; }

    /// <summary>Return as soon as AWS has begun, instead of following to the end.</summary>
    [Parameter]
    public SwitchParameter NoWait { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var what = DeleteData ? "Remove, and delete its stored data" : "Remove, and keep its stored data";
        if (!await ShouldProcessAsync($"environment {environment}", what).ConfigureAwait(false))
        {
            return;
        }

        var removal = new RemovalOptions { DeleteData = DeleteData, DisableTerminationProtection = DisableTerminationProtection, Wait = !NoWait };
        WriteObject(await operations.RemoveAsync(environment, removal, cancellationToken).ConfigureAwait(false));
    }
}
