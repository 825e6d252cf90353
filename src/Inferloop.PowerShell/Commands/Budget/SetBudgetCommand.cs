using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Budget;

/// <summary>Gives an environment a budget, with alerts at 80 and 100 percent.</summary>
[Cmdlet(VerbsCommon.Set, "InferloopBudget", SupportsShouldProcess = true, DefaultParameterSetName = "Estimate")]
[OutputType(typeof(InferloopBudget))]
public sealed class SetBudgetCommand : BudgetCmdlet
{
    /// <summary>An estimate: its expected cost is the budget, and its environment the one that has it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Estimate")]
    [ValidateNotNull]
    public Inferloop.Operations.Costs.CostEstimate? Estimate { get; set; }

    /// <summary>Percent to add to the estimate, for what it cannot know.</summary>
    [Parameter(ParameterSetName = "Estimate")]
    [ValidateRange(0, 500)]
    public decimal MarginPercent { get; set; }

    /// <summary>The environment.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The environment's stage.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Name")]
    public EnvironmentStage Stage { get; set; }

    /// <summary>An environment.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>What may be spent a month.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Name")]
    [Parameter(Mandatory = true, ParameterSetName = "Environment")]
    [ValidateRange(0.01, 1_000_000_000)]
    public decimal Amount { get; set; }

    /// <summary>E-mail addresses that the alerts go to. Without any, and without topics, alerts that are there stay as they are.</summary>
    [Parameter]
    [ValidateCount(1, 10)]
    [ValidatePattern("^[^@\\s]+@[^@\\s]+$")]
    public string[]? Email { get; set; }

    /// <summary>ARN of an SNS topic that the alerts go to.</summary>
    [Parameter]
    [ValidatePattern("^arn:[^:]+:sns:")]
    public string? TopicArn { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (name, stage, amount, currency) = (Environment?.Name ?? Name!, Environment?.Stage ?? Stage, Amount, "USD");
        if (Estimate is not null)
        {
            if (Estimate.Environment is null || !Enum.TryParse(Estimate.Stage, ignoreCase: true, out stage))
            {
                throw new OperationException(
                    "EstimateWithoutEnvironment", OperationErrorKind.InvalidArgument, "The estimate is of a template that names no environment and stage.",
                    "Estimate a spec or an environment, or give -Name, -Stage and -Amount.", null);
            }

            (name, amount, currency) = (Estimate.Environment, Math.Round(Estimate.MonthlyExpected * (1 + (MarginPercent / 100)), 2), Estimate.Currency);
            if (!Estimate.IsComplete)
            {
                WriteWarning($"{Estimate.Unpriced.Count} charged items have no price and are not in the budget: {string.Join(", ", Estimate.Unpriced.Select(u => u.Name).Distinct())}.");
            }

            if (amount <= 0)
            {
                throw new OperationException(
                    "BudgetEmpty", OperationErrorKind.InvalidArgument, "The estimate is zero, and a budget of nothing would be exceeded at once.", "Give an amount with -Name, -Stage and -Amount.", name);
            }
        }

        if (await ShouldProcessAsync(BudgetKeeper.NameOf(name, stage), string.Create(CultureInfo.InvariantCulture, $"Set the budget to {amount:0.00} {currency} a month")).ConfigureAwait(false))
        {
            WriteObject(await (await OpenAsync(cancellationToken).ConfigureAwait(false)).SetAsync(name, stage, amount, currency, Email ?? [], TopicArn is null ? [] : [TopicArn], cancellationToken).ConfigureAwait(false));
        }
    }
}
