using Amazon.Budgets;
using Inferloop.Operations.Costs.Billing;
using Inferloop.PowerShell.Commands.Environment;

namespace Inferloop.PowerShell.Commands.Budget;

/// <summary>The base of the cmdlets on budgets.</summary>
public abstract class BudgetCmdlet : EnvironmentCmdlet
{
    private protected async Task<BudgetKeeper> OpenAsync(CancellationToken cancellationToken)
    {
        var session = await GetSessionAsync(BillingRegion(), cancellationToken).ConfigureAwait(false);
        return new BudgetKeeper(session.Client<IAmazonBudgets>(), (await session.GetCallerIdentityAsync(cancellationToken).ConfigureAwait(false)).Account);
    }
}
