using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.EnvironmentComponent;

/// <summary>Gets the parts of an environment and how each does, asked of its own service.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopEnvironmentComponent", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopEnvironmentComponent))]
public sealed class GetEnvironmentComponentCommand : ExistingEnvironmentCmdlet
{
    /// <summary>Only these components (Network, Security, Storage, Logs, Ecs); wildcards are allowed.</summary>
    [Parameter(Position = 1)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ComponentNameCompleter))]
    public string[] Component { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (operations, environment) = await FindAsync(cancellationToken).ConfigureAwait(false);
        var patterns = Component.Select(c => WildcardPattern.Get(c, WildcardOptions.IgnoreCase)).ToList();
        foreach (var part in await operations.ComponentsAsync(environment, cancellationToken).ConfigureAwait(false))
        {
            if (patterns.Exists(p => p.IsMatch(part.Component)))
            {
                await WriteAsync(part).ConfigureAwait(false);
            }
        }
    }
}
