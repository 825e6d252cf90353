using Amazon.Budgets;
using Inferloop.Operations.Costs.Billing;
using Inferloop.PowerShell.Pipeline;

namespace Inferloop.PowerShell.Commands.Budget;

/// <summary>The base of the cmdlets on budgets.</summary>
public abstract class BudgetCmdlet : AwsCmdlet
{
    private protected async Task<BudgetKeeper> OpenAsync(CancellationToken cancellationToken)
    {
        // Budgets answers for the whole account, from one region.
        var session = await GetSessionAsync("us-east-1", cancellationToken).ConfigureAwait(false);
        return new BudgetKeeper(session.Client<IAmazonBudgets>(), (await session.GetCallerIdentityAsync(cancellationToken).ConfigureAwait(false)).Account);
    }
}
