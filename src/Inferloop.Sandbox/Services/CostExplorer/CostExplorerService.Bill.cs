using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CostExplorer;

internal sealed partial class CostExplorerService
{
    private const decimal LeastAnomaly = 10m;
    private const int DaysToLearn = 10;

    /// <summary>Charges the account. A line's tags are activated for cost allocation first, as an account has it that reads its bill by them.</summary>
    public void Charge(string accountId, IReadOnlyList<SandboxBillLine> lines)
    {
        var context = Runtime.SystemContext(accountId, Runtime.Options.DefaultRegion);
        foreach (var key in lines.SelectMany(line => line.Tags.Keys).Distinct().Where(key => AllocationTags(context).Get(key)?.Text("Status") != "Active"))
        {
            Allocate(context, key, "Active");
        }
        new Bill(Runtime, accountId).Add(lines);
        Runtime.Service<Budgets.BudgetsService>().Recount(context);
    }

    private JsonObject GetCostAndUsage(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input, context.Now);
        var groups = input.Objects("GroupBy").ToList();
        if (groups.Count > MaximumGroups)
        {
            throw Invalid($"Must be at most {MaximumGroups} group definitions");
        }
        var metrics = input.Texts("Metrics");
        if (metrics.FirstOrDefault(metric => metric is not ("AmortizedCost" or "BlendedCost" or "NetAmortizedCost" or "NetUnblendedCost" or "NormalizedUsageAmount" or "UnblendedCost" or "UsageQuantity" or "UNBLENDED_COST" or "BLENDED_COST" or "AMORTIZED_COST" or "USAGE_QUANTITY")) is { } unknown)
        {
            throw Invalid($"Invalid metric value passed: {unknown}");
        }
        var rows = RowsOf(context, input, start, end).ToLookup(row => row.Day);
        var results = new JsonArray();
        for (var from = start; from < end;)
        {
            var to = input.Text("Granularity") switch
            {
                "MONTHLY" => new DateTime(from.Year, from.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1),
                "DAILY" => from.AddDays(1),
                _ => throw new ServiceFault("DataUnavailableException", "Hourly data is not enabled for this account."),
            };
            to = to > end ? end : to;
            var part = new List<SandboxBillLine>();
            for (var day = DateOnly.FromDateTime(from); day < DateOnly.FromDateTime(to); day = day.AddDays(1))
            {
                part.AddRange(rows[day]);
            }
            results.Add((JsonNode)new JsonObject
            {
                ["TimePeriod"] = new JsonObject { ["Start"] = Day(from), ["End"] = Day(to) },
                ["Total"] = groups.Count == 0 ? Sums(metrics, part) : new JsonObject(),
                ["Groups"] = groups.Count == 0 ? new JsonArray() : part
                    .GroupBy(row => string.Join('\n', groups.Select(group => KeyOf(group, row, context.AccountId))))
                    .OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => new JsonObject { ["Keys"] = group.Key.Split('\n').ToTextList(), ["Metrics"] = Sums(metrics, group) })
                    .ToJsonList(),
                ["Estimated"] = to > context.Now.UtcDateTime.Date.AddDays(1 - context.Now.Day),
            });
            from = to;
        }
        return new JsonObject { ["ResultsByTime"] = results, ["DimensionValueAttributes"] = new JsonArray() }.With("GroupDefinitions", groups.Count > 0 ? input["GroupBy"].Copy() : null);
    }

    private IReadOnlyList<SandboxBillLine> RowsOf(RequestContext context, JsonObject input, DateTime start, DateTime end)
    {
        if (input.Child("Filter") is { } filter)
        {
            BillFilter.Check(filter);
        }
        return new Bill(Runtime, context.AccountId).Rows(DateOnly.FromDateTime(start), DateOnly.FromDateTime(end), input.Child("Filter"));
    }

    private static string KeyOf(JsonObject group, SandboxBillLine row, string accountId)
    {
        var key = group.Required("Key");
        return group.Text("Type") switch
        {
            "TAG" => key + "$" + row.Tags.GetValueOrDefault(key),
            "DIMENSION" => BillFilter.Dimension(row, key, accountId) ?? "No" + key,
            _ => key + "$",
        };
    }

    private static JsonObject Sums(IReadOnlyList<string> metrics, IEnumerable<SandboxBillLine> rows)
    {
        var list = rows.ToList();
        var sums = new JsonObject();
        foreach (var metric in metrics)
        {
            var isUsage = metric.Contains("Usage", StringComparison.OrdinalIgnoreCase);
            sums[metric] = new JsonObject { ["Amount"] = list.Sum(row => isUsage ? row.Quantity : row.Amount).ToString(CultureInfo.InvariantCulture), ["Unit"] = isUsage ? "N/A" : "USD" };
        }
        return sums;
    }

    private JsonObject Forecast(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input);
        var today = context.Now.UtcDateTime.Date;
        if (start > today)
        {
            throw Invalid("Start date must not be after the current date.");
        }
        if (end <= today)
        {
            throw Invalid("End date must be after the current date.");
        }
        if (input.Child("Filter") is { } filter)
        {
            BillFilter.Check(filter);
        }
        var daily = new Bill(Runtime, context.AccountId).Daily(DateOnly.FromDateTime(today), input.Child("Filter"))
            ?? throw new ServiceFault("DataUnavailableException", "Insufficient amount of historical data to generate forecast.");
        var days = (decimal)(end - (start > today ? start : today)).TotalDays;
        var width = input.Int("PredictionIntervalLevel") is { } level ? Quantile(level) * (double)daily.Deviation * Math.Sqrt((double)days) : (double?)null;
        static string Number(decimal value) => Math.Max(0, value).ToString(CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["Total"] = new JsonObject { ["Amount"] = Number(daily.Mean * days), ["Unit"] = "USD" },
            ["ForecastResultsByTime"] = new JsonArray(new JsonObject { ["TimePeriod"] = new JsonObject { ["Start"] = Day(start), ["End"] = Day(end) }, ["MeanValue"] = Number(daily.Mean * days) }
                .With("PredictionIntervalLowerBound", width is { } below ? Number((daily.Mean * days) - (decimal)below) : null)
                .With("PredictionIntervalUpperBound", width is { } above ? Number((daily.Mean * days) + (decimal)above) : null)),
        };
    }

    // Half the width of an interval of the normal distribution, in deviations: between 51 % and 99 % linear pieces are near enough.
    private static double Quantile(int level) => level switch { <= 80 => 0.69 + ((level - 51) * 0.0204), <= 95 => 1.28 + ((level - 80) * 0.0453), _ => 1.96 + ((level - 95) * 0.154) };

    private JsonObject DimensionValues(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input, context.Now);
        var values = RowsOf(context, input, start, end).Select(row => BillFilter.Dimension(row, input.Required("Dimension"), context.AccountId)).OfType<string>()
            .Where(value => input.Text("SearchString") is not { } search || value.Contains(search, StringComparison.OrdinalIgnoreCase)).Distinct().Order(StringComparer.Ordinal).ToList();
        return new JsonObject { ["DimensionValues"] = values.Select(value => new JsonObject { ["Value"] = value, ["Attributes"] = new JsonObject() }).ToJsonList(), ["ReturnSize"] = values.Count, ["TotalSize"] = values.Count };
    }

    private JsonObject TagValues(RequestContext context, JsonObject input)
    {
        var (start, end) = Span(input, context.Now);
        var rows = RowsOf(context, input, start, end);
        var values = (input.Text("TagKey") is { } key ? rows.Select(row => row.Tags.GetValueOrDefault(key, "")) : rows.SelectMany(row => row.Tags.Keys))
            .Where(value => input.Text("SearchString") is not { } search || value.Contains(search, StringComparison.OrdinalIgnoreCase)).Distinct().Order(StringComparer.Ordinal).ToList();
        return new JsonObject { ["Tags"] = values.ToTextList(), ["ReturnSize"] = values.Count, ["TotalSize"] = values.Count };
    }

    /// <summary>A service's day is unusual that costs more than twice, and ten dollars above, the mean of the days before it that were not.</summary>
    private JsonObject GetAnomalies(RequestContext context, JsonObject input)
    {
        var wanted = input.Text("MonitorArn");
        if (wanted is not null && !Monitors(context).Contains(wanted))
        {
            throw NoMonitor(wanted);
        }
        var interval = input.Child("DateInterval")!;
        var found = new List<JsonObject>();
        foreach (var monitor in Monitors(context).Where(monitor => wanted is null || monitor.Text("MonitorArn") == wanted))
        {
            var rows = new Bill(Runtime, context.AccountId).Rows(DateOnly.MinValue, DateOnly.FromDateTime(context.Now.UtcDateTime), monitor.Child("MonitorSpecification"));
            foreach (var service in rows.GroupBy(row => row.Service))
            {
                found.AddRange(Unusual(monitor.Required("MonitorArn"), context.AccountId, [.. service]));
            }
        }
        return Pages.Answer(
            input,
            found.Where(item => string.CompareOrdinal(item.Required("AnomalyEndDate")[..10], interval.Required("StartDate")[..10]) >= 0
                && (interval.Text("EndDate") is not { } end || string.CompareOrdinal(item.Required("AnomalyEndDate")[..10], end[..10]) <= 0)).ToList(),
            "Anomalies", tokenMember: "NextPageToken", defaultSize: 100, tokenErrorCode: "InvalidNextTokenException");
    }

    private static IEnumerable<JsonObject> Unusual(string monitor, string account, IReadOnlyList<SandboxBillLine> rows)
    {
        var usual = new Queue<decimal>();
        var run = new List<(DateOnly Day, decimal Actual, decimal Expected)>();
        foreach (var (day, amount) in rows.GroupBy(row => row.Day).OrderBy(day => day.Key).Select(day => (day.Key, day.Sum(row => row.Amount))))
        {
            var expected = usual.Count >= DaysToLearn ? usual.Average() : (decimal?)null;
            if (expected is { } mean && amount > mean * 2 && amount - mean > LeastAnomaly)
            {
                run.Add((day, amount, mean));
                continue;
            }
            if (run.Count > 0)
            {
                yield return Anomaly();
                run.Clear();
            }
            usual.Enqueue(amount);
            while (usual.Count > 30)
            {
                usual.Dequeue();
            }
        }
        if (run.Count > 0)
        {
            yield return Anomaly();
        }

        JsonObject Anomaly()
        {
            var cause = rows.Where(row => row.Day >= run[0].Day && row.Day <= run[^1].Day).GroupBy(row => (row.Service, row.Region, row.UsageType)).MaxBy(group => group.Sum(row => row.Amount))!.Key;
            var (actual, expected) = (run.Sum(day => day.Actual), run.Sum(day => day.Expected));
            return new JsonObject
            {
                // The same anomaly has the same id whenever it is asked for.
                ["AnomalyId"] = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{monitor} {cause.Service} {Bill.Text(run[0].Day)}"))[..16]).ToString(),
                ["AnomalyStartDate"] = Bill.Text(run[0].Day) + "T00:00:00Z",
                ["AnomalyEndDate"] = Bill.Text(run[^1].Day) + "T00:00:00Z",
                ["DimensionValue"] = cause.Service,
                ["RootCauses"] = new JsonArray(new JsonObject { ["Service"] = cause.Service, ["Region"] = cause.Region, ["UsageType"] = cause.UsageType, ["LinkedAccount"] = account }),
                ["AnomalyScore"] = new JsonObject { ["MaxScore"] = 1.0, ["CurrentScore"] = 1.0 },
                ["Impact"] = new JsonObject
                {
                    ["MaxImpact"] = (double)run.Max(day => day.Actual - day.Expected),
                    ["TotalImpact"] = (double)(actual - expected),
                    ["TotalActualSpend"] = (double)actual,
                    ["TotalExpectedSpend"] = (double)expected,
                },
                ["MonitorArn"] = monitor,
            };
        }
    }
}
