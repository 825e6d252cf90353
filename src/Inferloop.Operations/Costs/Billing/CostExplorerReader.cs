using System.Globalization;
using Amazon.CostExplorer;
using Amazon.CostExplorer.Model;
using Inferloop.Operations.Specs;

namespace Inferloop.Operations.Costs.Billing;

/// <summary>What a report is about.</summary>
internal sealed record CostReportRequest
{
    public string? Environment { get; init; }

    public EnvironmentStage? Stage { get; init; }

    public required DateOnly Start { get; init; }

    public required DateOnly End { get; init; }

    public bool Daily { get; init; }

    public string? TagKey { get; init; }

    public bool WithOutlook { get; init; } = true;
}

/// <summary>Reads bills from Cost Explorer. Every question costs a cent, so no more are asked than the report needs.</summary>
internal sealed class CostExplorerReader(IAmazonCostExplorer explorer, IOperationReporter reporter, DateOnly today)
{
    private const string Metric = "UnblendedCost";

    public async Task<CostReport> ReadAsync(CostReportRequest request, CancellationToken cancellation)
    {
        if (request.Start >= request.End)
        {
            throw new OperationException(
                "ReportPeriodEmpty", OperationErrorKind.InvalidArgument, $"From {request.Start:yyyy-MM-dd} to {request.End:yyyy-MM-dd} there is no day.", "Give an end after the start; the end itself is not counted.", request.End);
        }

        var filter = Filter(request);
        reporter.Progress(new OperationProgress("Reading the bill", "by service", 10));
        var (services, unit) = await UsageAsync(request, filter, new GroupDefinition { Type = GroupDefinitionType.DIMENSION, Key = "SERVICE" }, cancellation).ConfigureAwait(false);
        reporter.Progress(new OperationProgress("Reading the bill", "by component", 40));
        var (components, _) = await UsageAsync(request, filter, new GroupDefinition { Type = GroupDefinitionType.TAG, Key = EnvironmentTags.Component }, cancellation).ConfigureAwait(false);
        var tags = request.TagKey is null
            ? []
            : (await UsageAsync(request, filter, new GroupDefinition { Type = GroupDefinitionType.TAG, Key = request.TagKey }, cancellation).ConfigureAwait(false)).Periods;
        reporter.Progress(new OperationProgress("Reading the bill", "forecast and anomalies", 80));
        var forecast = request.WithOutlook ? await ForecastAsync(request, filter, cancellation).ConfigureAwait(false) : null;
        var anomalies = request.WithOutlook ? await AnomaliesAsync(request, cancellation).ConfigureAwait(false) : [];
        reporter.Progress(new OperationProgress("Reading the bill", "read", 100, Completed: true));
        var total = services.Sum(p => p.Groups.Values.Sum());
        if (total == 0 && request.Environment is not null)
        {
            await ExplainAsync(request, cancellation).ConfigureAwait(false);
        }

        return new CostReport
        {
            Environment = request.Environment,
            Stage = request.Stage?.ToString().ToLowerInvariant(),
            Start = request.Start,
            End = request.End,
            IsDaily = request.Daily,
            Currency = unit,
            Total = total,
            IsEstimated = services.Exists(p => p.Estimated),
            Services = Items(services, total),
            Components = Items(components, total),
            TagKey = request.TagKey,
            Tags = Items(tags, total),
            Periods = [.. services.Select(p => new BillPeriod(p.Start, p.End, p.Groups.Values.Sum(), p.Estimated, Items([p], p.Groups.Values.Sum())))],
            Forecast = forecast,
            Anomalies = anomalies,
        };
    }

    // Bills know a tag once it is activated, and only from then on: the most frequent reason of an empty one.
    private async Task ExplainAsync(CostReportRequest request, CancellationToken cancellation)
    {
        string[] keys = request.Stage is null ? [EnvironmentTags.Environment, EnvironmentTags.Component] : [EnvironmentTags.Environment, EnvironmentTags.Stage, EnvironmentTags.Component];
        var answer = await explorer.ListCostAllocationTagsAsync(new ListCostAllocationTagsRequest { TagKeys = [.. keys], Status = CostAllocationTagStatus.Active }, cancellation).ConfigureAwait(false);
        var missing = keys.Except((answer.CostAllocationTags ?? []).Select(t => t.TagKey)).ToList();
        reporter.Warning(missing.Count == 0
            ? $"Nothing was charged to '{request.Environment}' in that time, as far as AWS knows yet: figures come up to a day late."
            : $"Bills know nothing of '{request.Environment}' because the tag{(missing.Count == 1 ? " " + missing[0] + " is" : "s " + string.Join(", ", missing) + " are")} not activated for cost allocation. "
              + "Activate from the account that pays: aws ce update-cost-allocation-tags-status --cost-allocation-tags-status " + string.Join(' ', missing.Select(k => $"TagKey={k},Status=Active")));
    }

    private async Task<(List<Period> Periods, string Unit)> UsageAsync(CostReportRequest request, Expression? filter, GroupDefinition group, CancellationToken cancellation)
    {
        var periods = new SortedDictionary<DateOnly, Period>();
        var unit = "USD";
        string? token = null;
        do
        {
            var page = await explorer.GetCostAndUsageAsync(
                new GetCostAndUsageRequest
                {
                    TimePeriod = new DateInterval { Start = Text(request.Start), End = Text(request.End) },
                    Granularity = request.Daily ? Granularity.DAILY : Granularity.MONTHLY,
                    Metrics = [Metric],
                    GroupBy = [group],
                    Filter = filter,
                    NextPageToken = token,
                },
                cancellation).ConfigureAwait(false);
            foreach (var result in page.ResultsByTime ?? [])
            {
                var start = Day(result.TimePeriod.Start);
                if (!periods.TryGetValue(start, out var period))
                {
                    periods[start] = period = new Period(start, Day(result.TimePeriod.End), result.Estimated == true, new Dictionary<string, decimal>(StringComparer.Ordinal));
                }

                foreach (var found in result.Groups ?? [])
                {
                    // A tag's group is written as key$value.
                    var key = found.Keys[0];
                    var name = group.Type == GroupDefinitionType.TAG ? key[(key.IndexOf('$', StringComparison.Ordinal) + 1)..] : key;
                    var metric = found.Metrics[Metric];
                    unit = metric.Unit is { Length: 3 } currency ? currency : unit;
                    period.Groups[name] = period.Groups.GetValueOrDefault(name) + Number(metric.Amount);
                }
            }

            token = page.NextPageToken;
        }
        while (!string.IsNullOrEmpty(token));
        return ([.. periods.Values], unit);
    }

    private async Task<BillForecast?> ForecastAsync(CostReportRequest request, Expression? filter, CancellationToken cancellation)
    {
        var end = new DateOnly(today.Year, today.Month, 1).AddMonths(1);
        try
        {
            var answer = await explorer.GetCostForecastAsync(
                new GetCostForecastRequest
                {
                    TimePeriod = new DateInterval { Start = Text(today), End = Text(end) },
                    Metric = Amazon.CostExplorer.Metric.UNBLENDED_COST,
                    Granularity = Granularity.MONTHLY,
                    PredictionIntervalLevel = 80,
                    Filter = filter,
                },
                cancellation).ConfigureAwait(false);
            var results = answer.ForecastResultsByTime ?? [];
            return new BillForecast(
                today, end, Number(answer.Total.Amount),
                results.Count > 0 && results.TrueForAll(r => r.PredictionIntervalLowerBound is not null) ? results.Sum(r => Number(r.PredictionIntervalLowerBound)) : null,
                results.Count > 0 && results.TrueForAll(r => r.PredictionIntervalUpperBound is not null) ? results.Sum(r => Number(r.PredictionIntervalUpperBound)) : null);
        }
        catch (DataUnavailableException e)
        {
            reporter.Verbose($"AWS cannot tell a forecast: {e.Message}");
            return null;
        }
    }

    private async Task<IReadOnlyList<BillAnomaly>> AnomaliesAsync(CostReportRequest request, CancellationToken cancellation)
    {
        var found = new List<BillAnomaly>();
        string? token = null;
        do
        {
            var page = await explorer.GetAnomaliesAsync(
                new GetAnomaliesRequest { DateInterval = new AnomalyDateInterval { StartDate = Text(request.Start), EndDate = Text(request.End) }, NextPageToken = token }, cancellation).ConfigureAwait(false);
            found.AddRange((page.Anomalies ?? []).Select(a =>
            {
                var cause = a.RootCauses is [var first, ..] ? first : null;
                return new BillAnomaly(
                    a.AnomalyId, a.AnomalyStartDate, a.AnomalyEndDate, cause?.Service ?? a.DimensionValue ?? "", (decimal)(a.Impact?.TotalImpact ?? 0),
                    string.Join(", ", new[] { cause?.Service, cause?.Region, cause?.UsageType }.Where(t => !string.IsNullOrEmpty(t))));
            }));
            token = page.NextPageToken;
        }
        while (!string.IsNullOrEmpty(token));
        return [.. found.OrderByDescending(a => a.Impact)];
    }

    private static Expression? Filter(CostReportRequest request)
    {
        if (request.Environment is null)
        {
            return null;
        }

        var environment = new Expression { Tags = new TagValues { Key = EnvironmentTags.Environment, Values = [request.Environment] } };
        return request.Stage is not { } stage
            ? environment
            : new Expression { And = [environment, new Expression { Tags = new TagValues { Key = EnvironmentTags.Stage, Values = [stage.ToString().ToLowerInvariant()] } }] };
    }

    private static List<BillItem> Items(IEnumerable<Period> periods, decimal total) =>
        [.. periods.SelectMany(p => p.Groups).GroupBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new BillItem(g.Key, g.Sum(v => v.Value), total == 0 ? 0 : g.Sum(v => v.Value) / total * 100))
            .Where(i => i.Amount != 0)
            .OrderByDescending(i => i.Amount).ThenBy(i => i.Name, StringComparer.Ordinal)];

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static DateOnly Day(string text) => DateOnly.ParseExact(text[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static decimal Number(string text) => decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private sealed record Period(DateOnly Start, DateOnly End, bool Estimated, Dictionary<string, decimal> Groups);
}
