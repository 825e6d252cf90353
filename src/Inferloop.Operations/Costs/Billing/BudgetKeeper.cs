using System.Globalization;
using Amazon.Budgets;
using Amazon.Budgets.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.Billing;

/// <summary>A budget that is to be.</summary>
internal sealed record BudgetOrder
{
    public required string Name { get; init; }

    public required decimal Amount { get; init; }

    /// <summary>The environment it watches; null for the whole account, or for what it watches already.</summary>
    public string? Environment { get; init; }

    /// <summary>The stage it watches; null for all of the environment.</summary>
    public EnvironmentStage? Stage { get; init; }

    public IReadOnlyList<string> Emails { get; init; } = [];

    public IReadOnlyList<string> Topics { get; init; } = [];
}

/// <summary>The budgets of an account: reading all, and keeping those that are of no stack.</summary>
internal sealed class BudgetKeeper(IAmazonBudgets budgets, string accountId)
{
    private static readonly (NotificationType Type, double Percent)[] s_alerts =
        [(NotificationType.ACTUAL, 80), (NotificationType.ACTUAL, 100), (NotificationType.FORECASTED, 100)];

    /// <summary>The name that budget.yaml gives the budget of an environment.</summary>
    public static string NameOf(string environment, EnvironmentStage stage) => $"inferloop-{environment}-{stage.ToString().ToLowerInvariant()}";

    /// <summary>Makes the budget, or gives it another amount and, where some are given, other subscribers.</summary>
    public async Task<InferloopBudget> SetAsync(BudgetOrder order, CancellationToken cancellation)
    {
        var present = await FindAsync(order.Name, cancellation).ConfigureAwait(false);
        List<Subscriber> subscribers =
        [
            .. order.Emails.Select(e => new Subscriber { SubscriptionType = SubscriptionType.EMAIL, Address = e }),
            .. order.Topics.Select(t => new Subscriber { SubscriptionType = SubscriptionType.SNS, Address = t }),
        ];
        if (present is null)
        {
            var budget = new Budget
            {
                BudgetName = order.Name, BudgetType = BudgetType.COST, TimeUnit = TimeUnit.MONTHLY, BudgetLimit = Limit(order.Amount), FilterExpression = Filter(order), Metrics = [Metric.UnblendedCost],
            };
            await budgets.CreateBudgetAsync(
                new CreateBudgetRequest
                {
                    AccountId = accountId,
                    Budget = budget,
                    NotificationsWithSubscribers = subscribers.Count == 0 ? null : [.. s_alerts.Select(a => new NotificationWithSubscribers { Notification = Alert(a), Subscribers = subscribers })],
                    ResourceTags = [new ResourceTag { Key = EnvironmentTags.ManagedBy, Value = EnvironmentTags.Manager }],
                },
                cancellation).ConfigureAwait(false);
        }
        else
        {
            if (present.BudgetType != BudgetType.COST || present.TimeUnit != TimeUnit.MONTHLY)
            {
                throw new OperationException(
                    "BudgetOfAnotherKind", OperationErrorKind.InvalidState, $"The budget '{order.Name}' is one of {present.BudgetType} by {present.TimeUnit}, not of costs by month.",
                    "Give another -BudgetName.", order.Name);
            }

            // What AWS has counted goes back to it in no update, and what the budget watches stays unless something else is said.
            present.BudgetLimit = Limit(order.Amount);
            present.PlannedBudgetLimits = null;
            present.AutoAdjustData = null;
            present.CalculatedSpend = null;
            present.LastUpdatedTime = null;
            if (Filter(order) is { } filter)
            {
                present.FilterExpression = filter;
#pragma warning disable CS0618 // A budget of old has filters that an expression may not stand beside.
                present.CostFilters = null;
                present.CostTypes = null;
#pragma warning restore CS0618
                present.Metrics = [Metric.UnblendedCost];
            }

            await budgets.UpdateBudgetAsync(new UpdateBudgetRequest { AccountId = accountId, NewBudget = present }, cancellation).ConfigureAwait(false);
            if (subscribers.Count > 0)
            {
                await AlertAsync(order.Name, subscribers, cancellation).ConfigureAwait(false);
            }
        }

        return await ConvertAsync((await FindAsync(order.Name, cancellation).ConfigureAwait(false))!, cancellation).ConfigureAwait(false);
    }

    /// <summary>The budgets of costs, in the order of their names.</summary>
    public async Task<IReadOnlyList<InferloopBudget>> ListAsync(CancellationToken cancellation)
    {
        var found = new List<Budget>();
        string? token = null;
        do
        {
            var page = await budgets.DescribeBudgetsAsync(new DescribeBudgetsRequest { AccountId = accountId, NextToken = token, ShowFilterExpression = true }, cancellation).ConfigureAwait(false);
            found.AddRange((page.Budgets ?? []).Where(b => b.BudgetType == BudgetType.COST));
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));

        var result = new List<InferloopBudget>();
        foreach (var budget in found.OrderBy(b => b.BudgetName, StringComparer.Ordinal))
        {
            result.Add(await ConvertAsync(budget, cancellation).ConfigureAwait(false));
        }

        return result;
    }

    private static Spend Limit(decimal amount) => new() { Amount = Math.Round(amount, 2).ToString("0.00", CultureInfo.InvariantCulture), Unit = "USD" };

    private static Expression? Filter(BudgetOrder order)
    {
        static Expression Tag(string key, string value) => new() { Tags = new TagValues { Key = key, Values = [value], MatchOptions = [MatchOption.EQUALS] } };
        return order switch
        {
            { Environment: null } => null,
            { Stage: { } stage } => new Expression { And = [Tag(EnvironmentTags.Environment, order.Environment), Tag(EnvironmentTags.Stage, stage.ToString().ToLowerInvariant())] },
            _ => Tag(EnvironmentTags.Environment, order.Environment),
        };
    }

    private async Task<Budget?> FindAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return (await budgets.DescribeBudgetAsync(new DescribeBudgetRequest { AccountId = accountId, BudgetName = name, ShowFilterExpression = true }, cancellation).ConfigureAwait(false)).Budget;
        }
        catch (NotFoundException)
        {
            return null;
        }
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

        static decimal Amount(Spend? spend) => spend is null ? 0 : decimal.Parse(spend.Amount, NumberStyles.Float, CultureInfo.InvariantCulture);
        var (environment, stage) = (Tag(budget, EnvironmentTags.Environment), Tag(budget, EnvironmentTags.Stage));
        return new InferloopBudget
        {
            Name = budget.BudgetName,
            Environment = environment,
            Stage = stage,
            IsOfEnvironment = environment is not null && Enum.TryParse<EnvironmentStage>(stage, ignoreCase: true, out var known) && budget.BudgetName == NameOf(environment, known),
            Amount = Amount(budget.BudgetLimit),
            Currency = budget.BudgetLimit?.Unit ?? "USD",
            Actual = Amount(budget.CalculatedSpend?.ActualSpend),
            Forecast = budget.CalculatedSpend?.ForecastedSpend is { } forecast ? Amount(forecast) : null,
            Alerts = [.. alerts.OrderBy(a => a.Kind, StringComparer.Ordinal).ThenBy(a => a.Percent)],
        };
    }

    // The one value that the budget asks of a tag, in the expression or in the filters that budgets of old have.
    private static string? Tag(Budget budget, string key)
    {
#pragma warning disable CS0618
        var old = (budget.CostFilters ?? []).SelectMany(f => f.Value).FirstOrDefault(v => v.StartsWith($"user:{key}$", StringComparison.Ordinal));
#pragma warning restore CS0618
        return old is not null
            ? old[(old.IndexOf('$', StringComparison.Ordinal) + 1)..]
            : new[] { budget.FilterExpression }.Concat(budget.FilterExpression?.And ?? [])
                .Where(e => e?.Tags?.Key == key && e.Tags.Values is { Count: 1 }).Select(e => e!.Tags.Values[0]).FirstOrDefault();
    }
}
