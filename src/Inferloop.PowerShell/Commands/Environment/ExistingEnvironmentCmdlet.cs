using System.Management.Automation;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;

namespace Inferloop.PowerShell.Commands.Environment;

/// <summary>The base of cmdlets on an environment that exists, given by name or down the pipeline.</summary>
public abstract class ExistingEnvironmentCmdlet : EnvironmentCmdlet
{
    /// <summary>The name of the environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage, where environments of several stages have the name.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>The environment, as Get-InferloopEnvironment gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>The operations and the environment that the parameters name.</summary>
    private protected async Task<(EnvironmentOperations Operations, InferloopEnvironment Environment)> FindAsync(CancellationToken cancellationToken)
    {
        if (Environment is not null)
        {
            return (await OpenAsync(Environment, cancellationToken).ConfigureAwait(false), Environment);
        }

        var operations = await OpenAsync(region: null, cancellationToken).ConfigureAwait(false);
        return (operations, await ResolveAsync(operations, Name!, Stage, cancellationToken).ConfigureAwait(false));
    }
}
