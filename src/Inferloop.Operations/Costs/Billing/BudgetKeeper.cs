using System.Globalization;
using Amazon.Budgets;
using Amazon.Budgets.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.Billing;

/// <summary>Budgets of environments: one each, by name, with alerts at 80 and 100 percent.</summary>
internal sealed class BudgetKeeper(IAmazonBudgets budgets, string accountId)
{
    private static readonly (NotificationType Type, double Percent)[] s_alerts =
        [(NotificationType.ACTUAL, 80), (NotificationType.ACTUAL, 100), (NotificationType.FORECASTED, 100)];

    public static string NameOf(string environment, EnvironmentStage stage) => $"inferloop-{environment}-{stage.ToString().ToLowerInvariant()}";

    /// <summary>Makes the budget, or gives it another amount and other subscribers.</summary>
    public async Task<InferloopBudget> SetAsync(
        string environment, EnvironmentStage stage, decimal amount, string currency, IReadOnlyList<string> emails, IReadOnlyList<string> topics, CancellationToken cancellation)
    {
        var name = NameOf(environment, stage);
        var budget = new Budget
        {
            BudgetName = name,
            BudgetType = BudgetType.COST,
            TimeUnit = TimeUnit.MONTHLY,
            BudgetLimit = new Spend { Amount = Math.Round(amount, 2).ToString("0.00", CultureInfo.InvariantCulture), Unit = currency },
            CostFilters = new Dictionary<string, List<string>>
            {
                ["TagKeyValue"] = [$"user:{EnvironmentTags.Environment}${environment}", $"user:{EnvironmentTags.Stage}${stage.ToString().ToLowerInvariant()}"],
            },
        };
        List<Subscriber> subscribers =
        [
            .. emails.Select(e => new Subscriber { SubscriptionType = SubscriptionType.EMAIL, Address = e }),
            .. topics.Select(t => new Subscriber { SubscriptionType = SubscriptionType.SNS, Address = t }),
        ];
        try
        {
            await budgets.CreateBudgetAsync(
                new CreateBudgetRequest
                {
                    AccountId = accountId,
                    Budget = budget,
                    NotificationsWithSubscribers = subscribers.Count == 0 ? null : [.. s_alerts.Select(a => new NotificationWithSubscribers { Notification = Alert(a), Subscribers = subscribers })],
                },
                cancellation).ConfigureAwait(false);
        }
        catch (DuplicateRecordException)
        {
            await budgets.UpdateBudgetAsync(new UpdateBudgetRequest { AccountId = accountId, NewBudget = budget }, cancellation).ConfigureAwait(false);
            if (subscribers.Count > 0)
            {
                await AlertAsync(name, subscribers, cancellation).ConfigureAwait(false);
            }
        }

        return (await GetAsync(name, cancellation).ConfigureAwait(false))[0];
    }

    /// <summary>The budgets, or the one of a name.</summary>
    public async Task<IReadOnlyList<InferloopBudget>> GetAsync(string? name, CancellationToken cancellation)
    {
        var found = new List<Budget>();
        if (name is not null)
        {
            found.Add((await budgets.DescribeBudgetAsync(new DescribeBudgetRequest { AccountId = accountId, BudgetName = name }, cancellation).ConfigureAwait(false)).Budget);
        }
        else
        {
            string? token = null;
            do
            {
                var page = await budgets.DescribeBudgetsAsync(new DescribeBudgetsRequest { AccountId = accountId, NextToken = token }, cancellation).ConfigureAwait(false);
                found.AddRange((page.Budgets ?? []).Where(b => b.BudgetType == BudgetType.COST));
                token = page.NextToken;
            }
            while (!string.IsNullOrEmpty(token));
        }

        var result = new List<InferloopBudget>();
        foreach (var budget in found.OrderBy(b => b.BudgetName, StringComparer.Ordinal))
        {
            result.Add(await ConvertAsync(budget, cancellation).ConfigureAwait(false));
        }

        return result;
    }

    private async Task AlertAsync(string name, List<Subscriber> subscribers, CancellationToken cancellation)
    {
        var there = (await budgets.DescribeNotificationsForBudgetAsync(new DescribeNotificationsForBudgetRequest { AccountId = accountId, BudgetName = name }, cancellation).ConfigureAwait(false)).Notifications ?? [];
        foreach (var old in there.Where(n => s_alerts.Any(a => a.Type == n.NotificationType && a.Percent == n.Threshold)))
        {
            await budgets.DeleteNotificationAsync(new DeleteNotificationRequest { AccountId = accountId, BudgetName = name, Notification = old }, cancellation).ConfigureAwait(false);
        }

        foreach (var alert in s_alerts)
        {
            await budgets.CreateNotificationAsync(
                new CreateNotificationRequest { AccountId = accountId, BudgetName = name, Notification = Alert(alert), Subscribers = subscribers }, cancellation).ConfigureAwait(false);
        }
    }

    private static Notification Alert((NotificationType Type, double Percent) alert) => new()
    {
        NotificationType = alert.Type, ComparisonOperator = ComparisonOperator.GREATER_THAN, Threshold = alert.Percent, ThresholdType = ThresholdType.PERCENTAGE,
    };

    private async Task<InferloopBudget> ConvertAsync(Budget budget, CancellationToken cancellation)
    {
        var alerts = new List<BudgetAlert>();
        var notifications = await budgets.DescribeNotificationsForBudgetAsync(
            new DescribeNotificationsForBudgetRequest { AccountId = accountId, BudgetName = budget.BudgetName }, cancellation).ConfigureAwait(false);
        foreach (var notification in notifications.Notifications ?? [])
        {
            var subscribers = await budgets.DescribeSubscribersForNotificationAsync(
                new DescribeSubscribersForNotificationRequest { AccountId = accountId, BudgetName = budget.BudgetName, Notification = notification }, cancellation).ConfigureAwait(false);
            alerts.Add(new BudgetAlert(
                notification.NotificationType == NotificationType.ACTUAL ? "Actual" : "Forecasted", (decimal)(notification.Threshold ?? 0),
                [.. (subscribers.Subscribers ?? []).Select(s => s.Address)], notification.NotificationState == NotificationState.ALARM));
        }

        string? Tag(string key) => budget.CostFilters?.Values.SelectMany(v => v).Where(v => v.StartsWith($"user:{key}$", StringComparison.Ordinal)).Select(v => v[(v.IndexOf('$', StringComparison.Ordinal) + 1)..]).FirstOrDefault();
        static decimal Amount(Spend? spend) => spend is null ? 0 : decimal.Parse(spend.Amount, NumberStyles.Float, CultureInfo.InvariantCulture);
        return new InferloopBudget
        {
            Name = budget.BudgetName,
            Environment = Tag(EnvironmentTags.Environment),
            Stage = Tag(EnvironmentTags.Stage),
            Amount = Amount(budget.BudgetLimit),
            Currency = budget.BudgetLimit?.Unit ?? "USD",
            Actual = Amount(budget.CalculatedSpend?.ActualSpend),
            Forecast = budget.CalculatedSpend?.ForecastedSpend is { } forecast ? Amount(forecast) : null,
            Alerts = [.. alerts.OrderBy(a => a.Kind, StringComparer.Ordinal).ThenBy(a => a.Percent)],
        };
    }
}
