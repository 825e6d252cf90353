using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CostExplorer;

/// <summary>
/// Cost Explorer. A sandbox charges nothing by itself but what synthetic loads use: questions are answered from what <see cref="Charge"/> was told, and without it as for
/// an account in which nothing has been used; monitors and subscriptions of anomalies are kept.
/// </summary>
internal sealed partial class CostExplorerService : SandboxService
{
    private const int HistoryMonths = 14;
    private const int MaximumGroups = 2;

    public CostExplorerService(SandboxRuntime runtime)
        : base(runtime, "ce")
    {
        On("GetCostAndUsage", GetCostAndUsage);
        On("GetCostAndUsageWithResources", WithResources);
        On("GetCostForecast", Forecast);
        On("GetUsageForecast", Forecast);
        On("GetDimensionValues", DimensionValues);
        On("GetTags", TagValues);
        On("GetRightsizingRecommendation", (context, input) => new JsonObject
        {
            ["Metadata"] = new JsonObject { ["GenerationTimestamp"] = context.Now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), ["LookbackPeriodInDays"] = "14" },
            ["Summary"] = new JsonObject { ["TotalRecommendationCount"] = "0", ["EstimatedTotalMonthlySavingsAmount"] = "0", ["SavingsCurrencyCode"] = "USD", ["SavingsPercentage"] = "0" },
            ["RightsizingRecommendations"] = new JsonArray(),
        }.With("Configuration", input["Configuration"].Copy()));
        AddAllocationTags();
        AddAnomalies();
    }

    private Collection Monitors(RequestContext context) => Runtime.Collection(ModelName, "monitors", context.AccountId, "");

    private Collection Subscriptions(RequestContext context) => Runtime.Collection(ModelName, "subscriptions", context.AccountId, "");

    private Collection AllocationTags(RequestContext context) => Runtime.Collection(ModelName, "tags", context.AccountId, "");

    private static ServiceFault Invalid(string message) => new("ValidationException", message);

    private static (DateTime Start, DateTime End) Span(JsonObject input, DateTimeOffset? now = null)
    {
        var period = input.Child("TimePeriod")!;
        if (!Day(period.Text("Start"), out var start) || !Day(period.Text("End"), out var end))
        {
            throw Invalid("Start time or End time is invalid. Dates must be in the form yyyy-MM-dd.");
        }
        if (start >= end)
        {
            throw Invalid("Start date (and hour) should be before end date (and hour)");
        }
        if (now is { } moment && start < moment.UtcDateTime.Date.AddMonths(-HistoryMonths).AddDays(-31))
        {
            throw Invalid($"You haven't enabled historical data beyond {HistoryMonths} months");
        }
        return (start, end);

        static bool Day(string? text, out DateTime day) => DateTime.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'"], CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out day);
    }

    private static string Day(DateTime day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static JsonObject WithResources(RequestContext context, JsonObject input) =>
        throw new ServiceFault("DataUnavailableException", "Resource level data is not enabled for this account. You can opt in to it in the Cost Explorer preferences.");

    private void AddAllocationTags()
    {
        On("ListCostAllocationTags", (context, input) =>
        {
            var keys = input.Texts("TagKeys");
            return Pages.Answer(input, AllocationTags(context).Where(tag => (input.Text("Status") is not { } status || tag.Text("Status") == status) && (input.Text("Type") is not { } type || tag.Text("Type") == type)
                && (keys.Count == 0 || keys.Contains(tag.Text("TagKey")!))), "CostAllocationTags", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("UpdateCostAllocationTagsStatus", (context, input) =>
        {
            foreach (var entry in input.Objects("CostAllocationTagsStatus"))
            {
                Allocate(context, entry.Required("TagKey"), entry.Required("Status"));
            }
            return new JsonObject { ["Errors"] = new JsonArray() };
        });
    }

    private void Allocate(RequestContext context, string key, string status) => AllocationTags(context).Put(key, new JsonObject
    {
        ["TagKey"] = key,
        ["Type"] = key.StartsWith("aws:", StringComparison.Ordinal) ? "AWSGenerated" : "UserDefined",
        ["Status"] = status,
        ["LastUpdatedDate"] = context.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
    });

    private static ServiceFault NoMonitor(string arn) => new("UnknownMonitorException", $"Monitor not found: {arn}");

    private static ServiceFault NoSubscription(string arn) => new("UnknownSubscriptionException", $"Subscription not found: {arn}");

    private void AddAnomalies()
    {
        On("CreateAnomalyMonitor", (context, input) =>
        {
            var monitor = input.Child("AnomalyMonitor")!.Copy();
            var dimensional = monitor.Text("MonitorType") == "DIMENSIONAL";
            if (dimensional ? !monitor.Has("MonitorDimension") : !monitor.Has("MonitorSpecification"))
            {
                throw Invalid(dimensional ? "MonitorDimension is required for DIMENSIONAL monitors" : "MonitorSpecification is required for CUSTOM monitors");
            }
            if (dimensional && monitor.Text("MonitorDimension") == "SERVICE" && Monitors(context).Any(item => item.Text("MonitorDimension") == "SERVICE"))
            {
                throw new ServiceFault("LimitExceededException", "Limit exceeded on dimensional spend monitor creation");
            }
            var arn = context.GlobalArn("ce", "anomalymonitor/" + Runtime.Ids.Uuid());
            monitor["MonitorArn"] = arn;
            monitor["CreationDate"] = Day(context.Now.UtcDateTime);
            monitor["LastUpdatedDate"] = Day(context.Now.UtcDateTime);
            monitor["DimensionalValueCount"] = 0;
            monitor["_Tags"] = input["ResourceTags"].Copy() ?? new JsonArray();
            Monitors(context).Put(arn, monitor);
            return new JsonObject { ["MonitorArn"] = arn };
        });
        On("GetAnomalyMonitors", (context, input) =>
        {
            var wanted = input.Texts("MonitorArnList");
            if (wanted.FirstOrDefault(arn => !Monitors(context).Contains(arn)) is { } missing)
            {
                throw NoMonitor(missing);
            }
            return Pages.Answer(input, Monitors(context).Where(item => wanted.Count == 0 || wanted.Contains(item.Text("MonitorArn")!)), "AnomalyMonitors", tokenMember: "NextPageToken", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("UpdateAnomalyMonitor", (context, input) =>
        {
            var arn = input.Required("MonitorArn");
            return Monitors(context).Update(arn, monitor =>
            {
                monitor.Take(input, "MonitorName");
                monitor["LastUpdatedDate"] = Day(context.Now.UtcDateTime);
            }) is null ? throw NoMonitor(arn) : new JsonObject { ["MonitorArn"] = arn };
        });
        On("DeleteAnomalyMonitor", (context, input) => Monitors(context).Remove(input.Required("MonitorArn")) ? [] : throw NoMonitor(input.Required("MonitorArn")));
        On("CreateAnomalySubscription", (context, input) =>
        {
            var subscription = input.Child("AnomalySubscription")!.Copy();
            CheckSubscription(context, subscription);
            var arn = context.GlobalArn("ce", "anomalysubscription/" + Runtime.Ids.Uuid());
            subscription["SubscriptionArn"] = arn;
            subscription["AccountId"] = context.AccountId;
            foreach (var subscriber in subscription.Objects("Subscribers"))
            {
                subscriber["Status"] = "CONFIRMED";
            }
            subscription["_Tags"] = input["ResourceTags"].Copy() ?? new JsonArray();
            Subscriptions(context).Put(arn, subscription);
            return new JsonObject { ["SubscriptionArn"] = arn };
        });
        On("GetAnomalySubscriptions", (context, input) =>
        {
            var wanted = input.Texts("SubscriptionArnList");
            if (wanted.FirstOrDefault(arn => !Subscriptions(context).Contains(arn)) is { } missing)
            {
                throw NoSubscription(missing);
            }
            return Pages.Answer(input, Subscriptions(context).Where(item => (wanted.Count == 0 || wanted.Contains(item.Text("SubscriptionArn")!)) && (input.Text("MonitorArn") is not { } monitor || item.Texts("MonitorArnList").Contains(monitor))),
                "AnomalySubscriptions", tokenMember: "NextPageToken", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
        });
        On("UpdateAnomalySubscription", (context, input) =>
        {
            var arn = input.Required("SubscriptionArn");
            var changed = (Subscriptions(context).Get(arn) ?? throw NoSubscription(arn)).Take(input, "Frequency", "MonitorArnList", "Subscribers", "SubscriptionName", "ThresholdExpression", "Threshold");
            if (input.Has("Threshold"))
            {
                changed.Remove("ThresholdExpression");
            }
            if (input.Has("ThresholdExpression"))
            {
                changed.Remove("Threshold");
            }
            CheckSubscription(context, changed);
            Subscriptions(context).Put(arn, changed);
            return new JsonObject { ["SubscriptionArn"] = arn };
        });
        On("DeleteAnomalySubscription", (context, input) => Subscriptions(context).Remove(input.Required("SubscriptionArn")) ? [] : throw NoSubscription(input.Required("SubscriptionArn")));
        On("GetAnomalies", GetAnomalies);
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("ResourceTags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("ResourceTagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["ResourceTags"] = Owner(context, input).Get(input.Required("ResourceArn"))!["_Tags"].Copy() });
    }

    private Collection Owner(RequestContext context, JsonObject input)
    {
        var arn = input.Required("ResourceArn");
        return Monitors(context).Contains(arn) ? Monitors(context) : Subscriptions(context).Contains(arn) ? Subscriptions(context) : throw new ServiceFault("ResourceNotFoundException", $"Resource not found: {arn}");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Owner(context, input).Update(input.Required("ResourceArn"), change);
        return [];
    }

    private void CheckSubscription(RequestContext context, JsonObject subscription)
    {
        if (subscription.Texts("MonitorArnList").FirstOrDefault(arn => !Monitors(context).Contains(arn)) is { } missing)
        {
            throw NoMonitor(missing);
        }
        if (subscription.Has("Threshold") == subscription.Has("ThresholdExpression"))
        {
            throw Invalid("Exactly one of Threshold and ThresholdExpression must be specified");
        }
        var types = subscription.Objects("Subscribers").Select(item => item.Text("Type")).ToList();
        if (types.Count == 0)
        {
            throw Invalid("At least one subscriber is required");
        }
        if (types.Contains("EMAIL") && subscription.Text("Frequency") == "IMMEDIATE")
        {
            throw Invalid("Email subscribers cannot be added to subscriptions of IMMEDIATE frequency");
        }
        if (types.Contains("SNS") && subscription.Text("Frequency") != "IMMEDIATE")
        {
            throw Invalid("Subscriptions to SNS must have the frequency IMMEDIATE");
        }
    }
}
