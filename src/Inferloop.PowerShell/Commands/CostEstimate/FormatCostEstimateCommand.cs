using System.Management.Automation;
using Inferloop.Operations.Costs.Reporting;

namespace Inferloop.PowerShell.Commands.CostEstimate;

/// <summary>Gives a price as text for a CI system: a comment, test results, findings, a table.</summary>
[Cmdlet(VerbsCommon.Format, "InferloopCostEstimate")]
[OutputType(typeof(string))]
public sealed class FormatCostEstimateCommand : CostGateCmdlet
{
    /// <summary>Markdown, JUnit, Sarif, Csv or Json.</summary>
    [Parameter(Position = 0)]
    public CostFormat As { get; set; } = CostFormat.Markdown;

    /// <summary>The file that the price is of, relative to the repository; SARIF findings point at it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SourcePath { get; set; }

    /// <inheritdoc/>
    protected override Task RunAsync(CancellationToken cancellationToken)
    {
        WriteObject(CostDocument.Write(Gate(), As, SourcePath));
        return Task.CompletedTask;
    }
}
