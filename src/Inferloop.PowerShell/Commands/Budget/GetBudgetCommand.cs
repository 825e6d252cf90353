using System.Management.Automation;
using Inferloop.Operations.Costs.Billing;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Specs;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Budget;

/// <summary>Gives the budgets of the account, with what was spent of them.</summary>
[Cmdlet(VerbsCommon.Get, "InferloopBudget", DefaultParameterSetName = "Name")]
[OutputType(typeof(InferloopBudget))]
public sealed class GetBudgetCommand : BudgetCmdlet
{
    /// <summary>The environment; all budgets of costs without it.</summary>
    [Parameter(Position = 0, ParameterSetName = "Name")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(EnvironmentNameCompleter))]
    public string? Name { get; set; }

    /// <summary>The stage.</summary>
    [Parameter(ParameterSetName = "Name")]
    public EnvironmentStage? Stage { get; set; }

    /// <summary>An environment.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = "Environment")]
    [ValidateNotNull]
    public InferloopEnvironment? Environment { get; set; }

    /// <summary>The name of a budget, also with * and ?.</summary>
    [Parameter]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string? BudgetName { get; set; }

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var name = Environment?.Name ?? Name;
        var stage = (Environment?.Stage ?? Stage)?.ToString();
        var pattern = BudgetName is null ? null : WildcardPattern.Get(BudgetName, WildcardOptions.IgnoreCase);
        foreach (var budget in await (await OpenAsync(cancellationToken).ConfigureAwait(false)).ListAsync(cancellationToken).ConfigureAwait(false))
        {
            // A budget of all stages is one of each.
            if ((name is null || string.Equals(budget.Environment, name, StringComparison.OrdinalIgnoreCase))
                && (stage is null || (budget.Environment is not null && (budget.Stage is null || string.Equals(budget.Stage, stage, StringComparison.OrdinalIgnoreCase))))
                && pattern?.IsMatch(budget.Name) != false)
            {
                WriteObject(budget);
            }
        }
    }
}
