using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.CostReport;

namespace Inferloop.PowerShell.Commands.CostAccuracy;

/// <summary>Measures how far an estimate was from the bill, by component.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "InferloopCostAccuracy")]
[OutputType(typeof(Inferloop.Operations.Costs.Billing.CostAccuracy))]
public sealed class MeasureCostAccuracyCommand : CostReportCmdlet
{
    /// <summary>The estimate; the bill of its environment and stage is read.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.CostEstimate? Estimate { get; set; }

    /// <summary>A report that was read before, instead of asking Cost Explorer again.</summary>
    [Parameter]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.Billing.CostReport? Report { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var report = Report;
        if (report is null)
        {
            if (Estimate!.Environment is null)
            {
                throw new OperationException(
                    "EstimateWithoutEnvironment", OperationErrorKind.InvalidArgument, "The estimate is of a template that names no environment, so there is no bill to hold against it.",
                    "Estimate a spec or an environment, or give the bill with -Report.", null);
            }

            var stage = Enum.TryParse<EnvironmentStage>(Estimate.Stage, ignoreCase: true, out var known) ? known : (EnvironmentStage?)null;
            report = await ReadAsync(Request(Estimate.Environment, stage, today => today.AddDays(-30)) with { Daily = true, WithOutlook = false }, cancellationToken).ConfigureAwait(false);
        }

        WriteObject(Inferloop.Operations.Costs.Billing.CostAccuracy.Measure(Estimate!, report));
    }
}
