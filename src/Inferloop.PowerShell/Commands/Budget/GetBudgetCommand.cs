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

    /// <inheritdoc/>
    protected override async Task RunAsync(CancellationToken cancellationToken)
    {
        var name = Environment?.Name ?? Name;
        var stage = (Environment?.Stage ?? Stage)?.ToString();
        foreach (var budget in await (await OpenAsync(cancellationToken).ConfigureAwait(false)).GetAsync(null, cancellationToken).ConfigureAwait(false))
        {
            if ((name is null || string.Equals(budget.Environment, name, StringComparison.OrdinalIgnoreCase)) && (stage is null || string.Equals(budget.Stage, stage, StringComparison.OrdinalIgnoreCase)))
            {
                WriteObject(budget);
            }
        }
    }
}
