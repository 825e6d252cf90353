using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.EnvironmentSpec;

/// <summary>Writes a spec to a file, or gives its text.</summary>
[Cmdlet(VerbsData.Export, "InferloopEnvironmentSpec", SupportsShouldProcess = true, DefaultParameterSetName = "File")]
[OutputType(typeof(string), ParameterSetName = ["Text"])]
[OutputType(typeof(FileInfo), ParameterSetName = ["File"])]
public sealed class ExportEnvironmentSpecCommand : InferloopCmdlet
{
    /// <summary>The spec; an environment gives its own.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNull]
    public InferloopEnvironmentSpec? Spec { get; set; }

    /// <summary>The file; its name says the syntax: .yaml, .yml, .json or .psd1.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "File")]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Give the text in this syntax instead of writing a file.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Text")]
    public SpecFormat? As { get; set; }

    /// <summary>Overwrite an existing file.</summary>
    [Parameter(ParameterSetName = "File")]
    public SwitchParameter Force { get; set; }

    /// <summary>Give the file that was written.</summary>
    [Parameter(ParameterSetName = "File")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (As is { } format)
        {
            WriteObject(SpecFile.Write(Spec!, format));
            return;
        }

        var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        var text = SpecFile.Write(Spec!, SpecFiles.RequireFormat(full));
        if (File.Exists(full) && !Force)
        {
            throw new OperationException("SpecFileExists", OperationErrorKind.AlreadyExists, $"The file '{full}' exists already.", "Choose another name, or overwrite it with -Force.", full);
        }

        if (await ShouldProcessAsync(full, "Write the spec").ConfigureAwait(false))
        {
            await File.WriteAllTextAsync(full, text, cancellationToken).ConfigureAwait(false);
            if (PassThru)
            {
                WriteObject(new FileInfo(full));
            }
        }
    }
}
