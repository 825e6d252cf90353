using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Budgets;

/// <summary>
/// AWS Budgets: budgets with their notifications and subscribers, kept per account. The calculated spend is counted from the account's bill, where
/// it has one; otherwise it stays what <see cref="SetSpend"/> last said. Notifications follow it.
/// </summary>
internal sealed partial class BudgetsService : SandboxService
{
    private const int MaximumNotifications = 10;
    private const int MaximumSubscribers = 11;

    public BudgetsService(SandboxRuntime runtime)
        : base(runtime, "budgets")
    {
        On("CreateBudget", CreateBudget);
        On("UpdateBudget", (context, input) =>
        {
            var budget = input.Child("NewBudget")!;
            CheckBudget(budget);
            var name = Budget(context, budget.Required("BudgetName")).Required("BudgetName");
            Budgets(context).Update(name, document => document["_Budget"] = Stored(context, budget, document.Child("_Budget")));
            Recount(context, name);
            Judge(context, name);
            return [];
        });
        On("DeleteBudget", (context, input) =>
        {
            var name = Budget(context, input.Required("BudgetName")).Required("BudgetName");
            Budgets(context).Remove(name);
            // Its actions go with it.
            foreach (var action in Actions(context).Where(item => item.Text("BudgetName") == name))
            {
                Actions(context).Remove(action.Required("ActionId"));
            }
            return [];
        });
        On("DescribeBudget", (context, input) => new JsonObject { ["Budget"] = Shown(Budget(context, input.Required("BudgetName")), input) });
        On("DescribeBudgets", (context, input) => Pages.Answer(input, Budgets(context).All().Select(item => Shown(item, input)).ToList(), "Budgets", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException"));
        On("DescribeBudgetPerformanceHistory", (context, input) =>
        {
            var budget = Budget(context, input.Required("BudgetName")).Child("_Budget")!;
            return new JsonObject
            {
                ["BudgetPerformanceHistory"] = budget.Pick("BudgetName", "BudgetType", "CostFilters", "CostTypes", "TimeUnit").With("BudgetedAndActualAmountsList", new JsonArray(new JsonObject
                {
                    ["BudgetedAmount"] = budget["BudgetLimit"].Copy(),
                    ["ActualAmount"] = budget.Child("CalculatedSpend")?["ActualSpend"].Copy(),
                    ["TimePeriod"] = budget["TimePeriod"].Copy(),
                })),
            };
        });
        AddNotifications();
        AddActions();
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("ResourceTags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("ResourceTagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["ResourceTags"] = Budget(context, NameOf(input)).Child("_Tags")?.Copy() ?? Budget(context, NameOf(input))["_Tags"].Copy() ?? new JsonArray() });
    }

    private Collection Budgets(RequestContext context) => Runtime.Collection(ModelName, "budgets", context.AccountId, "");

    private static ServiceFault Invalid(string message) => new("InvalidParameterException", message);

    private static ServiceFault NotFound(string name) => new("NotFoundException", $"Unable to get budget: {name} - the budget doesn't exist.");

    private static ServiceFault NoNotification() => new("NotFoundException", "Unable to find the notification.");

    private static string NameOf(JsonObject input) => input.Required("ResourceARN").Split(":budget/")[^1];

    private JsonObject Budget(RequestContext context, string name) => Budgets(context).Get(name) ?? throw NotFound(name);

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Budgets(context).Update(Budget(context, NameOf(input)).Required("BudgetName"), change);
        return [];
    }

    private static void CheckBudget(JsonObject budget)
    {
        var name = budget.Required("BudgetName");
        if (name.IndexOfAny([':', '\\']) >= 0 || name.Length > 100)
        {
            throw Invalid("Budget name cannot contain ':' or '\\'.");
        }
        if (!budget.Has("BudgetLimit") && !budget.Has("PlannedBudgetLimits") && !budget.Has("AutoAdjustData") && budget.Text("BudgetType") is "COST" or "USAGE")
        {
            throw Invalid("Please specify a budget limit or planned budget limits.");
        }
        if (budget.Child("BudgetLimit") is { } limit)
        {
            if (!decimal.TryParse(limit.Text("Amount"), NumberStyles.Float, CultureInfo.InvariantCulture, out var amount) || amount <= 0)
            {
                throw Invalid("Budget limit amount must be a positive number.");
            }
            if (budget.Text("BudgetType") == "COST" && limit.Text("Unit") != "USD")
            {
                throw Invalid("Unit for COST budgets must be USD.");
            }
        }
        if (budget.Has("CostFilters") && budget.Has("FilterExpression"))
        {
            throw Invalid("CostFilters and FilterExpression cannot be used together.");
        }
    }

    private static JsonObject Stored(RequestContext context, JsonObject given, JsonObject? present)
    {
        var budget = given.Copy();
        var now = context.Now.UtcDateTime;
        var start = given.Text("TimeUnit") switch
        {
            "DAILY" => now.Date,
            "QUARTERLY" => new DateTime(now.Year, (now.Month - 1) / 3 * 3 + 1, 1, 0, 0, 0, DateTimeKind.Utc),
            "ANNUALLY" => new DateTime(now.Year, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            _ => new DateTime(now.Year, now.Month, 1, 0, 0, 0, DateTimeKind.Utc),
        };
        var period = budget.ChildOrNew("TimePeriod");
        period["Start"] ??= present?.Child("TimePeriod")?["Start"].Copy() ?? Documents.Time(new DateTimeOffset(start, TimeSpan.Zero));
        period["End"] ??= Documents.Time(new DateTimeOffset(2087, 6, 15, 0, 0, 0, TimeSpan.Zero));
        if (budget.Text("BudgetType") == "COST" && !budget.Has("FilterExpression"))
        {
            budget["CostFilters"] ??= new JsonObject();
            var types = budget.ChildOrNew("CostTypes");
            foreach (var (name, value) in new[]
            {
                ("IncludeTax", true), ("IncludeSubscription", true), ("UseBlended", false), ("IncludeRefund", true), ("IncludeCredit", true), ("IncludeUpfront", true),
                ("IncludeRecurring", true), ("IncludeOtherSubscription", true), ("IncludeSupport", true), ("IncludeDiscount", true), ("UseAmortized", false),
            })
            {
                types[name] ??= value;
            }
        }
        var unit = budget.Child("BudgetLimit")?.Text("Unit") ?? "USD";
        budget["CalculatedSpend"] = present?["CalculatedSpend"].Copy() ?? new JsonObject { ["ActualSpend"] = new JsonObject { ["Amount"] = "0.0", ["Unit"] = unit } };
        budget["LastUpdatedTime"] = Documents.Time(context.Now);
        return budget;
    }

    private JsonObject CreateBudget(RequestContext context, JsonObject input)
    {
        if (input.Text("AccountId") != context.AccountId)
        {
            throw new ServiceFault("AccessDeniedException", $"Account {context.AccountId} is not authorized to create budgets of account {input.Text("AccountId")}.");
        }
        var budget = input.Child("Budget")!;
        CheckBudget(budget);
        var notifications = new JsonArray();
        foreach (var item in input.Objects("NotificationsWithSubscribers"))
        {
            AddNotification(notifications, item.Child("Notification")!, item.Objects("Subscribers"));
        }
        var name = budget.Required("BudgetName");
        var document = new JsonObject { ["BudgetName"] = name, ["_Budget"] = Stored(context, budget, null), ["_Notifications"] = notifications, ["_Tags"] = input["ResourceTags"].Copy() ?? new JsonArray() };
        if (!Budgets(context).TryAdd(name, document))
        {
            throw new ServiceFault("DuplicateRecordException", $"Error creating budget: {name} - the budget already exists.");
        }
        Recount(context, name);
        return [];
    }

    private static bool IsSame(JsonObject one, JsonObject other) => one.Text("NotificationType") == other.Text("NotificationType") && one.Text("ComparisonOperator") == other.Text("ComparisonOperator")
        && one.Double("Threshold") == other.Double("Threshold") && (one.Text("ThresholdType") ?? "PERCENTAGE") == (other.Text("ThresholdType") ?? "PERCENTAGE");

    private static void AddNotification(JsonArray notifications, JsonObject notification, IEnumerable<JsonObject> subscribers)
    {
        var list = subscribers.ToList();
        if (list.Count == 0)
        {
            throw Invalid("At least one subscriber is required for a notification.");
        }
        if (notifications.OfType<JsonObject>().Any(item => IsSame(item.Child("Notification")!, notification)))
        {
            throw new ServiceFault("DuplicateRecordException", "The notification already exists.");
        }
        if (notifications.Count >= MaximumNotifications)
        {
            throw new ServiceFault("CreationLimitExceededException", $"Unable to create notification: a budget may have {MaximumNotifications} notifications.");
        }
        list.ForEach(CheckSubscriber);
        if (list.Count(item => item.Text("SubscriptionType") == "SNS") > 1 || list.Count > MaximumSubscribers)
        {
            throw new ServiceFault("CreationLimitExceededException", "A notification may have one SNS and ten EMAIL subscribers.");
        }
        var kept = notification.Copy();
        kept["ThresholdType"] ??= "PERCENTAGE";
        kept["NotificationState"] = "OK";
        notifications.Add((JsonNode)new JsonObject { ["Notification"] = kept, ["Subscribers"] = list.Select(item => item.Copy()).ToJsonList() });
    }

    private static void CheckSubscriber(JsonObject subscriber)
    {
        var address = subscriber.Required("Address");
        if (subscriber.Text("SubscriptionType") == "EMAIL" ? !address.Contains('@', StringComparison.Ordinal) : !address.StartsWith("arn:", StringComparison.Ordinal))
        {
            throw Invalid(subscriber.Text("SubscriptionType") == "EMAIL" ? "Invalid email address." : "Invalid SNS topic ARN.");
        }
    }

    private void AddNotifications()
    {
        On("CreateNotification", (context, input) => Change(context, input, list => AddNotification(list, input.Child("Notification")!, input.Objects("Subscribers"))));
        On("DeleteNotification", (context, input) => Change(context, input, list => list.Remove(Notification(list, input.Child("Notification")!))));
        On("UpdateNotification", (context, input) => Change(context, input, list =>
        {
            var kept = input.Child("NewNotification")!.Copy();
            kept["ThresholdType"] ??= "PERCENTAGE";
            kept["NotificationState"] = "OK";
            Notification(list, input.Child("OldNotification")!)["Notification"] = kept;
        }));
        On("DescribeNotificationsForBudget", (context, input) => Pages.Answer(input, Budget(context, input.Required("BudgetName")).Objects("_Notifications").Select(item => item.Child("Notification")!.Copy()).ToList(), "Notifications", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException"));
        On("DescribeSubscribersForNotification", (context, input) => Pages.Answer(input, Notification((JsonArray)Budget(context, input.Required("BudgetName"))["_Notifications"]!, input.Child("Notification")!).Objects("Subscribers").Select(item => item.Copy()).ToList(),
            "Subscribers", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException"));
        On("DescribeBudgetNotificationsForAccount", (context, input) => Pages.Answer(input, Budgets(context).All().Select(budget => new JsonObject
        {
            ["BudgetName"] = budget.Text("BudgetName"),
            ["Notifications"] = budget.Objects("_Notifications").Select(item => item.Child("Notification")!.Copy()).ToJsonList(),
        }).ToList(), "BudgetNotificationsForAccount", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException"));
        On("CreateSubscriber", (context, input) => Change(context, input, list =>
        {
            CheckSubscriber(input.Child("Subscriber")!);
            var subscribers = Notification(list, input.Child("Notification")!).ListOrNew("Subscribers");
            if (subscribers.Any(item => JsonNode.DeepEquals(item, input["Subscriber"])))
            {
                throw new ServiceFault("DuplicateRecordException", "The subscriber already exists.");
            }
            subscribers.Add(input["Subscriber"].Copy());
        }));
        On("DeleteSubscriber", (context, input) => Change(context, input, list =>
        {
            var subscribers = Notification(list, input.Child("Notification")!).ListOrNew("Subscribers");
            if (!subscribers.Remove(subscribers.FirstOrDefault(item => JsonNode.DeepEquals(item, input["Subscriber"])) ?? throw new ServiceFault("NotFoundException", "Unable to find the subscriber.")))
            {
                throw new ServiceFault("NotFoundException", "Unable to find the subscriber.");
            }
        }));
        On("UpdateSubscriber", (context, input) => Change(context, input, list =>
        {
            CheckSubscriber(input.Child("NewSubscriber")!);
            var subscribers = Notification(list, input.Child("Notification")!).ListOrNew("Subscribers");
            var old = subscribers.FirstOrDefault(item => JsonNode.DeepEquals(item, input["OldSubscriber"])) ?? throw new ServiceFault("NotFoundException", "Unable to find the subscriber.");
            subscribers[subscribers.IndexOf(old)] = input["NewSubscriber"].Copy();
        }));
    }

    private static JsonObject Notification(JsonArray list, JsonObject wanted) => list.OfType<JsonObject>().FirstOrDefault(item => IsSame(item.Child("Notification")!, wanted)) ?? throw NoNotification();

    private JsonObject Change(RequestContext context, JsonObject input, Action<JsonArray> change)
    {
        var name = Budget(context, input.Required("BudgetName")).Required("BudgetName");
        Budgets(context).Update(name, document => change(document.ListOrNew("_Notifications")));
        Judge(context, name);
        return [];
    }

    // An expression is told to those only who ask for it.
    private static JsonObject Shown(JsonObject document, JsonObject input)
    {
        var budget = document.Child("_Budget")!.Copy();
        if (!input.Is("ShowFilterExpression"))
        {
            budget.Remove("FilterExpression");
        }
        return budget;
    }

    /// <summary>Counts the spend of every budget from the account's bill.</summary>
    public void Recount(RequestContext context)
    {
        foreach (var name in Budgets(context).Keys())
        {
            Recount(context, name);
        }
    }

    private void Recount(RequestContext context, string name)
    {
        var bill = new CostExplorer.Bill(Runtime, context.AccountId);
        var budget = Budgets(context).Get(name)?.Child("_Budget");
        if (bill.IsEmpty || budget?.Text("BudgetType") != "COST" || budget.Text("TimeUnit") != "MONTHLY")
        {
            return;
        }
        var today = DateOnly.FromDateTime(context.Now.UtcDateTime);
        var month = new DateOnly(today.Year, today.Month, 1);
        var filters = (budget.Child("CostFilters") ?? []).Select(filter => KeyValuePair.Create(filter.Key, budget.Child("CostFilters")!.Texts(filter.Key))).ToList();
        List<SandboxBillLine> Rows(DateOnly start, DateOnly end) =>
            [.. bill.Rows(start, end, budget.Child("FilterExpression")).Where(row => CostExplorer.BillFilter.Matches(filters, row, context.AccountId))];
        var actual = Rows(month, today.AddDays(1)).Sum(row => row.Amount);
        var lately = Rows(today.AddDays(-30), today).GroupBy(row => row.Day).Select(day => day.Sum(row => row.Amount)).DefaultIfEmpty().Average();
        SetSpend(context, name, actual, actual + (lately * (month.AddMonths(1).DayNumber - today.DayNumber)));
    }

    /// <summary>Says what a budget's period has cost so far and is expected to cost; notifications are sent where that crosses their thresholds.</summary>
    public void SetSpend(RequestContext context, string name, decimal actual, decimal forecast)
    {
        Budgets(context).Update(name, document =>
        {
            var budget = document.Child("_Budget")!;
            var unit = budget.Child("BudgetLimit")?.Text("Unit") ?? "USD";
            JsonObject Amount(decimal value) => new() { ["Amount"] = value.ToString("0.0##", CultureInfo.InvariantCulture), ["Unit"] = unit };
            budget["CalculatedSpend"] = new JsonObject { ["ActualSpend"] = Amount(actual), ["ForecastedSpend"] = Amount(forecast) };
        });
        Judge(context, name);
    }

    private static decimal Number(JsonObject? amount) => decimal.TryParse(amount?.Text("Amount"), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private void Judge(RequestContext context, string name)
    {
        JudgeActions(context, name);
        var told = new List<(JsonObject Notification, List<JsonObject> Subscribers)>();
        var kept = Budgets(context).Update(name, document =>
        {
            var budget = document.Child("_Budget")!;
            var limit = Number(budget.Child("BudgetLimit"));
            foreach (var item in document.Objects("_Notifications"))
            {
                var notification = item.Child("Notification")!;
                var spend = Number(budget.Child("CalculatedSpend")?.Child(notification.Text("NotificationType") == "ACTUAL" ? "ActualSpend" : "ForecastedSpend"));
                var measured = notification.Text("ThresholdType") == "ABSOLUTE_VALUE" ? spend : limit == 0 ? 0 : spend / limit * 100;
                var threshold = (decimal)(notification.Double("Threshold") ?? 0);
                var crossed = notification.Text("ComparisonOperator") switch { "GREATER_THAN" => measured > threshold, "LESS_THAN" => measured < threshold, _ => measured == threshold };
                if (crossed && notification.Text("NotificationState") == "OK")
                {
                    told.Add((notification.Copy(), item.Objects("Subscribers").Select(subscriber => subscriber.Copy()).ToList()));
                }
                notification["NotificationState"] = crossed ? "ALARM" : "OK";
            }
        });
        foreach (var (notification, subscribers) in told)
        {
            var budget = kept!.Child("_Budget")!;
            var text = $"AWS Budget Notification\nAWS Account {context.AccountId}\n\nBudget Name: {name}\nBudget Type: {budget.Text("BudgetType")}\nBudgeted Amount: {budget.Child("BudgetLimit")?.Text("Amount")}\nAlert Type: {notification.Text("NotificationType")}\nAlert Threshold: > {notification.Text("Threshold")}{(notification.Text("ThresholdType") == "PERCENTAGE" ? "%" : "")}\nACTUAL Amount: {budget.Child("CalculatedSpend")?.Child("ActualSpend")?.Text("Amount")}\n";
            var sns = Runtime.Service<Sns.SnsService>();
            foreach (var subscriber in subscribers)
            {
                if (subscriber.Text("SubscriptionType") == "SNS")
                {
                    var topic = subscriber.Required("Address");
                    sns.PublishFor(context.InRegion(topic.Split(':')[3]), "budgets.amazonaws.com", topic, $"AWS Budgets: {name} has exceeded your alert threshold", text);
                }
                else
                {
                    sns.Record(context, "email", subscriber.Required("Address"), $"AWS Budgets: {name} has exceeded your alert threshold", text, "budgets");
                }
            }
        }
    }
}
