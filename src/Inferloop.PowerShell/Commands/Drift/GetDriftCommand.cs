using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Commands.Environment;
using Inferloop.PowerShell.Commands.EnvironmentComponent;

namespace Inferloop.PowerShell.Commands.Drift;

/// <summary>Finds what another hand changed in an environment, over all nested stacks in one call.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopDrift", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopDrift))]
public sealed class GetDriftCommand : ExistingEnvironmentCmdlet
{
    /// <summary>Only these nested stacks, such as Network or Storage; wildcards are allowed.</summary>
    [Parameter]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ComponentNameCompleter))]
    public string[] Component { get; set; } = ["*"];

    /// <summary>Also the resources that are as their templates say.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var patterns = Component.Select(c => WildcardPattern.Get(c, WildcardOptions.IgnoreCase)).ToList();
        foreach (var drift in await operations.DriftAsync(environment, cancellationToken).ConfigureAwait(false))
        {
            if ((All || drift.Status is DriftStatus.Modified or DriftStatus.Deleted) && patterns.Exists(p => p.IsMatch(drift.Path.Split('/')[0])))
            {
                await WriteAsync(drift).ConfigureAwait(false);
            }
        }
    }
}
