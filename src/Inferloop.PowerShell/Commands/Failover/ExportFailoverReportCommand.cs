using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Recovery;
using Inferloop.PowerShell.Commands.CostEstimate;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.Failover;

/// <summary>How a report of a failover is written.</summary>
public enum FailoverReportFormat
{
    /// <summary>A page with a timeline.</summary>
    Html,

    /// <summary>Text with tables.</summary>
    Markdown,

    /// <summary>For other programs.</summary>
    Json,
}

/// <summary>Writes a failover to a file for an auditor or a review: objectives, what came of them, the evidence of every step, and deviations.</summary>
[Cmdlet(VerbsData.Export, "InferloopFailoverReport", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportFailoverReportCommand : InferloopCmdlet
{
    /// <summary>The failover, as Get- and Invoke-InferloopFailover give it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public InferloopFailover? Failover { get; set; }

    /// <summary>The file to write.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Html, Markdown or Json. Default: what the file's name says (.html, .md, .json).</summary>
    [Parameter]
    public FailoverReportFormat? As { get; set; }

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
        var text = (As ?? FormatOf(full)) switch
        {
            FailoverReportFormat.Html => FailoverReport.Html(Failover!),
            FailoverReportFormat.Json => FailoverReport.Json(Failover!),
            _ => FailoverReport.Markdown(Failover!),
        };
        if (await OutputFile.WriteAsync(full, text, Force, ShouldProcessAsync, cancellationToken).ConfigureAwait(false) is { } file && PassThru)
        {
            WriteObject(file);
        }
    }

    private static FailoverReportFormat FormatOf(string path) => System.IO.Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".html" or ".htm" => FailoverReportFormat.Html,
        ".md" => FailoverReportFormat.Markdown,
        ".json" => FailoverReportFormat.Json,
        var other => throw new OperationException(
            "FailoverReportFormat", OperationErrorKind.InvalidArgument, $"A file named '{other}' does not say how the report is written.", "Say it with -As, or name the file .html, .md or .json.", path),
    };
}
