using System.Management.Automation;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Reads a spec from a YAML, JSON or PowerShell data file.</summary>
[Cmdlet(VerbsData.Import, "InferloopEnvironmentSpec")]
[OutputType(typeof(InferloopEnvironmentSpec))]
public sealed class ImportEnvironmentSpecCommand : InferloopCmdlet
{
    /// <summary>The file.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        WriteObject(await SpecFiles.RequireAsync(full, cancellationToken).ConfigureAwait(false));
    }
}
