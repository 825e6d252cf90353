using System.Globalization;
using System.Management.Automation;
using Inferloop.Operations;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Budget;

/// <summary>
/// Gives an environment a budget, with alerts at 80 and 100 percent. The environment's own budget is part of its stack and is changed through its
/// spec, so that nothing drifts; with -BudgetName it is one beside the stack.
/// </summary>
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

    /// <summary>The environment's stage; needed where several stages have the name. A budget beside the stack is of all stages without it.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>An environment.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>A budget, as Get-InferloopBudget gives it.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Budget")]
    [ValidateNotNull]
    public InferloopBudget? Budget { get; set; }

    /// <summary>What may be spent a month, in US dollars. The environment's own budget is in whole dollars, rounded up.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Name")]
    [Parameter(Mandatory = true, ParameterSetName = "Environment")]
    [Parameter(Mandatory = true, ParameterSetName = "Budget")]
    [Parameter(Mandatory = true, ParameterSetName = "Account")]
    [ValidateRange(0.01, 100_000_000.0)]
    public decimal Amount { get; set; }

    /// <summary>The name of a budget beside the stack: of the environment, or without one of the whole account.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Account")]
    [Parameter(ParameterSetName = "Estimate")]
    [Parameter(ParameterSetName = "Name")]
    [Parameter(ParameterSetName = "Environment")]
    [ValidatePattern("^[^:\\\\]{1,100}$")]
    public string? BudgetName { get; set; }

    /// <summary>E-mail addresses that the alerts of a budget beside the stack go to. Without any, and without a topic, alerts that are there stay as they are.</summary>
    [Parameter]
    [ValidateCount(1, 10)]
    [ValidatePattern("^[^@\\s]+@[^@\\s]+$")]
    public string[]? Email { get; set; }

    /// <summary>ARN of an SNS topic that the alerts of a budget beside the stack go to.</summary>
    [Parameter]
    [ValidatePattern("^arn:[^:]+:sns:")]
    public string? TopicArn { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var (name, stage, amount) = Estimate is null ? (Environment?.Name ?? Budget?.Environment ?? Name, Environment?.Stage ?? StageOf(Budget?.Stage) ?? Stage, Amount) : FromEstimate(Estimate);
        if (BudgetName is null && (Budget is null || Budget.IsOfEnvironment))
        {
            await ThroughSpecAsync(name!, stage, amount, cancellationToken).ConfigureAwait(false);
            return;
        }

        var order = new BudgetOrder
        {
            // A budget that is piped goes on watching what it watches.
            Name = BudgetName ?? Budget!.Name, Amount = amount, Environment = Budget is null ? name : null, Stage = Budget is null ? stage : null, Emails = Email ?? [], Topics = TopicArn is null ? [] : [TopicArn],
        };
        if (!await ShouldProcessAsync($"budget {order.Name}", string.Create(CultureInfo.InvariantCulture, $"Set to {amount:0.00} USD a month")).ConfigureAwait(false))
        {
            return;
        }

        var set = await (await OpenAsync(cancellationToken).ConfigureAwait(false)).SetAsync(order, cancellationToken).ConfigureAwait(false);
        if (set.Alerts.Count == 0)
        {
            WriteWarning($"The budget '{set.Name}' tells nobody: give it -Email or -TopicArn.");
        }

        WriteObject(set);
    }

    private static EnvironmentStage? StageOf(string? text) => Enum.TryParse<EnvironmentStage>(text, ignoreCase: true, out var known) ? known : null;

    private (string? Name, EnvironmentStage? Stage, decimal Amount) FromEstimate(Inferloop.Operations.Costs.CostEstimate estimate)
    {
        if (estimate.Environment is null || StageOf(estimate.Stage) is not { } stage)
        {
            throw new OperationException(
                "EstimateWithoutEnvironment", OperationErrorKind.InvalidArgument, "The estimate is of a template that names no environment and stage.",
                "Estimate a spec or an environment, or give -BudgetName and -Amount.", null);
        }

        if (!estimate.IsComplete)
        {
            WriteWarning($"{(estimate.Unpriced.Count == 1 ? "One charged item has" : estimate.Unpriced.Count + " charged items have")} no price and {(estimate.Unpriced.Count == 1 ? "is" : "are")} not in the budget: {string.Join(", ", estimate.Unpriced.Select(u => u.Name).Distinct())}.");
        }

        // AWS keeps budgets of costs in US dollars.
        var amount = Math.Round(estimate.MonthlyExpected / estimate.ExchangeRate * (1 + (MarginPercent / 100)), 2);
        return amount > 0 ? (estimate.Environment, stage, amount) : throw new OperationException(
            "BudgetEmpty", OperationErrorKind.InvalidArgument, "The estimate is zero, and a budget of nothing would be exceeded at once.", "Give an amount with -Name and -Amount.", estimate.Environment);
    }

    private async Task ThroughSpecAsync(string name, EnvironmentStage? stage, decimal amount, CancellationToken cancellationToken)
    {
        if (Email is not null || TopicArn is not null)
        {
            throw new OperationException(
                "BudgetAlertsOfEnvironment", OperationErrorKind.InvalidArgument, $"The budget of '{name}' tells the topics of the environment.",
                $"Say who is told with Set-InferloopEnvironment {name} -WarningEmail and -CriticalEmail, or make a budget beside the stack with -BudgetName.", name);
        }

        var operations = Environment is not null
            ? await OpenAsync(Environment, cancellationToken).ConfigureAwait(false)
            : await OpenAsync(Estimate is { Regions.Count: 1 } ? Estimate.Region : null, cancellationToken).ConfigureAwait(false);
        var current = Environment ?? await ResolveAsync(operations, name, stage, cancellationToken).ConfigureAwait(false);
        var spec = current.Spec with { Region = operations.Aws.Region, Monitoring = current.Spec.Monitoring with { BudgetAmount = (int)Math.Ceiling(amount) } };
        if (!await ShouldProcessAsync($"environment {current}", string.Create(CultureInfo.InvariantCulture, $"Set the budget to {spec.Monitoring.BudgetAmount} USD a month, from {current.Spec.Monitoring.BudgetAmount}")).ConfigureAwait(false))
        {
            return;
        }

        var prepared = await operations.PrepareUpdateAsync(spec, new UpdateOptions(), cancellationToken).ConfigureAwait(false);
        await using (prepared.ConfigureAwait(false))
        {
            if (!prepared.Empty)
            {
                prepared.RefuseUnnamed();
                await prepared.ExecuteAsync(wait: true, cancelOnStop: false, cancellationToken).ConfigureAwait(false);
            }
        }

        var own = BudgetKeeper.NameOf(current.Name, current.Stage);
        WriteObject((await (await OpenAsync(cancellationToken).ConfigureAwait(false)).ListAsync(cancellationToken).ConfigureAwait(false)).Single(b => b.Name == own));
    }
}
