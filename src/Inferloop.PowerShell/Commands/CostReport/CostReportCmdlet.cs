using System.Management.Automation;
using Amazon.CostExplorer;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.CostReport;

/// <summary>The base of the cmdlets that read bills.</summary>
public abstract class CostReportCmdlet : AwsCmdlet
{
    /// <summary>The first day. Default: the first of last month for a report, 30 days ago for a measurement.</summary>
    [Parameter]
    public DateTime? Start { get; set; }

    /// <summary>The day after the last. Default: today, whose figures are not complete.</summary>
    [Parameter]
    public DateTime? End { get; set; }

    private protected async Task<Inferloop.Operations.Costs.Billing.CostReport> ReadAsync(CostReportRequest request, CancellationToken cancellationToken)
    {
        var session = await GetSessionAsync(BillingRegion(), cancellationToken).ConfigureAwait(false);
        return await new CostExplorerReader(session.Client<IAmazonCostExplorer>(), Reporter, DateOnly.FromDateTime(Now().UtcDateTime)).ReadAsync(request, cancellationToken).ConfigureAwait(false);
    }

    private protected CostReportRequest Request(string? environment, EnvironmentStage? stage, Func<DateOnly, DateOnly> start)
    {
        var today = DateOnly.FromDateTime(Now().UtcDateTime);
        return new CostReportRequest
        {
            Environment = environment,
            Stage = stage,
            Start = Start is { } first ? DateOnly.FromDateTime(first) : start(today),
            End = End is { } end ? DateOnly.FromDateTime(end) : today,
        };
    }
}
