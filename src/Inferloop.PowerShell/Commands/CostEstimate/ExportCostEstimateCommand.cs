using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs.Reporting;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>Writes a price to a file for a CI system.</summary>
[Cmdlet(VerbsData.Export, "InferloopCostEstimate", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportCostEstimateCommand : CostGateCmdlet
{
    /// <summary>The file to write.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Markdown, JUnit, Sarif, Csv or Json. Default: what the file's name says (.md, .xml, .sarif, .csv, .json).</summary>
    [Parameter]
    public CostFormat? As { get; set; }

    /// <summary>The file that the price is of, relative to the repository; SARIF findings point at it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SourcePath { get; set; }

    /// <summary>Overwrite an existing file.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Give the file that was written.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        var text = CostDocument.Write(Gate(), As ?? FormatOf(full), SourcePath);
        if (await OutputFile.WriteAsync(full, text, Force, ShouldProcessAsync, cancellationToken).ConfigureAwait(false) is { } file && PassThru)
        {
            WriteObject(file);
        }
    }

    private static CostFormat FormatOf(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".md" => CostFormat.Markdown,
        ".xml" => CostFormat.JUnit,
        ".sarif" => CostFormat.Sarif,
        ".csv" => CostFormat.Csv,
        ".json" => CostFormat.Json,
        var other => throw new OperationException(
            "CostFormatUnknown", OperationErrorKind.InvalidArgument, $"A file named '{other}' does not say how the price is written.",
            "Say it with -As, or name the file .md, .xml, .sarif, .csv or .json.", path),
    };
}
