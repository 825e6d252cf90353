using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Pipeline;
using Inferloop.PowerShell.Session;
using Inferloop.Sandbox;

namespace Inferloop.PowerShell.Commands.SandboxBill;

/// <summary>
/// Puts on the sandbox's bill what an estimate says, day by day: AWS charges, the sandbox does not, and reports, budgets and their alerts want a bill to be tried on.
/// </summary>
[Cmdlet(VerbsCommon.Add, "InferloopSandboxBill")]
[OutputType(typeof(void))]
public sealed class AddSandboxBillCommand : InferloopCmdlet
{
    private const decimal HoursPerMonth = 730m;

    /// <summary>The estimate that tells what is charged.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.CostEstimate? Estimate { get; set; }

    /// <summary>The first day that is charged. Default: the first of the month before the sandbox's.</summary>
    [Parameter]
    public DateTime? Start { get; set; }

    /// <summary>The day after the last that is charged. Default: the sandbox's today.</summary>
    [Parameter]
    public DateTime? End { get; set; }

    /// <summary>What the bill is of the estimate: 1 for the same, 1.2 for a fifth more.</summary>
    [Parameter]
    [ValidateRange(0.0, 1000.0)]
    public decimal Factor { get; set; } = 1;

    /// <summary>Further tags that what is charged has, such as @{ team = 'data' }.</summary>
    [Parameter]
    [ValidateNotNull]
    public System.Collections.Hashtable? Tag { get; set; }

    /// <summary>The sandbox. Default: the session's.</summary>
    [Parameter]
    [ValidateNotNull]
    public InferloopSandbox? Sandbox { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var sandbox = Sandbox ?? await OnPipelineAsync(() => ModuleSession.Current.DefaultSandbox).ConfigureAwait(false) ?? throw new OperationException(
            "SandboxMissing", OperationErrorKind.InvalidState, "No sandbox is this session's default.", "Start one with Start-InferloopSandbox, or name one with -Sandbox.", null);
        var today = DateOnly.FromDateTime(sandbox.ClockTime.UtcDateTime);
        var start = Start is { } first ? DateOnly.FromDateTime(first) : new DateOnly(today.Year, today.Month, 1).AddMonths(-1);
        var end = End is { } last ? DateOnly.FromDateTime(last) : today;
        if (start >= end || end.DayNumber - start.DayNumber > 800)
        {
            throw new OperationException(
                "ReportPeriodEmpty", OperationErrorKind.InvalidArgument, $"From {start:yyyy-MM-dd} to {end:yyyy-MM-dd} there is no day, or there are more than 800.", "Give an end after the start; the end itself is not charged.", end);
        }

        sandbox.Charge(Lines(start, end));
    }

    private List<SandboxBillLine> Lines(DateOnly start, DateOnly end)
    {
        var lines = new List<SandboxBillLine>();
        foreach (var line in Estimate!.Lines)
        {
            var tags = new Dictionary<string, string>(StringComparer.Ordinal) { [EnvironmentTags.Component] = line.Component };
            if (Estimate.Environment is { } environment)
            {
                tags[EnvironmentTags.Environment] = environment;
            }

            if (Estimate.Stage is { } stage)
            {
                tags[EnvironmentTags.Stage] = stage;
            }

            foreach (System.Collections.DictionaryEntry tag in Tag ?? [])
            {
                tags[tag.Key.ToString()!] = LanguagePrimitives.ConvertTo<string>(tag.Value);
            }

            for (var day = start; day < end; day = day.AddDays(1))
            {
                lines.Add(new SandboxBillLine(
                    day, BilledServices.NameOf(line.Dimension), line.Dimension, line.Region, line.MonthlyExpected / Estimate.ExchangeRate * 24 / HoursPerMonth * Factor, line.Quantity * 24 / HoursPerMonth * Factor, tags));
            }
        }

        return lines;
    }
}
