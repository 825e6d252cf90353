using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.CostEstimate;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.CostReport;

/// <summary>Reads what was charged, by service, component, tag and time, with AWS's forecast and what it found unusual.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopCostReport", DefaultParameterSetName = "Name")]
[OutputType(typeof(Inferloop.Operations.Costs.Billing.CostReport), typeof(string), typeof(FileInfo))]
public sealed class GetCostReportCommand : CostReportCmdlet
{
    /// <summary>The name of an environment; the whole account without it.</summary>
    [Parameter(Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>One stage of the environment; all of them without it.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>An environment.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>By day instead of by month.</summary>
    [Parameter]
    public SwitchParameter Daily { get; set; }

    /// <summary>Another tag to group by, such as team. It must be a cost allocation tag of the account.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Tag { get; set; }

    /// <summary>Object, Html, Markdown, Csv or Json.</summary>
    [Parameter]
    public CostReportFormat As { get; set; }

    /// <summary>The file to write; without it the text is given.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Path { get; set; }

    /// <summary>Overwrite an existing file.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Path is not null && As == CostReportFormat.Object)
        {
            As = System.IO.Path.GetExtension(Path).ToLowerInvariant() switch
            {
                ".html" or ".htm" => CostReportFormat.Html,
                ".md" => CostReportFormat.Markdown,
                ".csv" => CostReportFormat.Csv,
                ".json" => CostReportFormat.Json,
                var other => throw new OperationException(
                    "CostFormatUnknown", OperationErrorKind.InvalidArgument, $"A file named '{other}' does not say how the report is written.", "Say it with -As, or name the file .html, .md, .csv or .json.", Path),
            };
        }

        var request = Request(Environment?.Name ?? Name, Environment?.Stage ?? Stage, today => new DateOnly(today.Year, today.Month, 1).AddMonths(-1)) with { Daily = Daily, TagKey = Tag };
        var report = await ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (As == CostReportFormat.Object)
        {
            WriteObject(report);
            return;
        }

        var text = CostReportDocument.Write(report, As);
        if (Path is null)
        {
            WriteObject(text);
            return;
        }

        var full = await OnPipelineAsync(() => GetUnresolvedProviderPathFromPSPath(Path)).ConfigureAwait(false);
        WriteObject(await OutputFile.WriteAsync(full, text, Force, (_, _) => Task.FromResult(true), cancellationToken).ConfigureAwait(false));
    }
}
