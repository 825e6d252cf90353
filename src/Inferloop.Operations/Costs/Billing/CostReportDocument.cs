using System.Globalization;
using System.Net;
using System.Text;
using Inferloop.Operations.Costs.Reporting;

namespace Inferloop.Operations.Costs.Billing;

/// <summary>How a report is written down.</summary>
public enum CostReportFormat
{
    /// <summary>As an object, for other commands.</summary>
    Object,

    /// <summary>One page with charts that needs nothing else.</summary>
    Html,

    /// <summary>Tables for a wiki or a comment.</summary>
    Markdown,

    /// <summary>A row for each service of each period, each component and each value of the tag.</summary>
    Csv,

    /// <summary>Everything, for other programs.</summary>
    Json,
}

/// <summary>Bills as text.</summary>
public static class CostReportDocument
{
    private const int MostRows = 30;

    /// <summary>Writes a report.</summary>
    /// <param name="report">The report.</param>
    /// <param name="format">The form.</param>
    /// <returns>The text.</returns>
    public static string Write(CostReport report, CostReportFormat format) => format switch
    {
        CostReportFormat.Html => Html(report),
        CostReportFormat.Markdown => Markdown(report),
        CostReportFormat.Csv => Csv(report),
        CostReportFormat.Json => CostJson.Of(report),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };

    private static string Title(CostReport report) =>
        $"Cost of {(report.Environment is null ? "the account" : report.Environment + (report.Stage is null ? "" : " " + report.Stage))}, {report.Start:yyyy-MM-dd} to {report.End.AddDays(-1):yyyy-MM-dd}";

    private static string Markdown(CostReport report)
    {
        var text = new StringBuilder();
        text.Append("# ").Append(CostMarkdown.Cell(Title(report))).Append("\n\n");
        text.Append(CultureInfo.InvariantCulture, $"**{report.Total:#,0.00} {report.Currency}**{(report.IsEstimated ? ", part of which AWS may still change" : "")}\n");
        if (report.Forecast is { } forecast)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nUntil {forecast.End.AddDays(-1):yyyy-MM-dd} AWS expects {forecast.Amount:#,0.00} {report.Currency} more");
            text.Append(forecast is { Low: { } low, High: { } high } ? string.Create(CultureInfo.InvariantCulture, $" ({low:#,0.00} to {high:#,0.00}).\n") : ".\n");
        }

        Table(text, "Service", report.Services);
        Table(text, "Component", report.Components);
        if (report.TagKey is not null)
        {
            Table(text, report.TagKey, report.Tags);
        }

        text.Append(CultureInfo.InvariantCulture, $"\n| {(report.IsDaily ? "Day" : "Month")} | {report.Currency} |\n|---|---:|\n");
        foreach (var period in report.Periods)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Name(report, period)}{(period.IsEstimated ? " (estimated)" : "")} | {period.Amount:#,0.00} |\n");
        }

        if (report.Anomalies.Count > 0)
        {
            text.Append("\n| Unusual in the account since | Service | Beyond what was expected | Cause |\n|---|---|---:|---|\n");
            foreach (var anomaly in report.Anomalies)
            {
                text.Append(CultureInfo.InvariantCulture, $"| {CostMarkdown.Cell(anomaly.Start)} | {CostMarkdown.Cell(anomaly.Service)} | {anomaly.Impact:#,0.00} | {CostMarkdown.Cell(anomaly.Cause)} |\n");
            }
        }

        return text.ToString();

        void Table(StringBuilder into, string head, IReadOnlyList<BillItem> items)
        {
            into.Append(CultureInfo.InvariantCulture, $"\n| {CostMarkdown.Cell(head)} | {report.Currency} | Part |\n|---|---:|---:|\n");
            foreach (var item in items.Take(MostRows))
            {
                into.Append(CultureInfo.InvariantCulture, $"| {CostMarkdown.Cell(item.Name.Length == 0 ? "(none)" : item.Name)} | {item.Amount:#,0.00} | {item.Percent:0.0} % |\n");
            }
        }
    }

    private static string Csv(CostReport report)
    {
        var text = new StringBuilder();
        CostCsv.Row(text, "start", "end", "by", "name", "amount", "currency", "estimated");
        foreach (var period in report.Periods)
        {
            Rows(period.Start, period.End, "service", period.Services, period.IsEstimated);
        }

        Rows(report.Start, report.End, "component", report.Components, report.IsEstimated);
        Rows(report.Start, report.End, report.TagKey ?? "", report.Tags, report.IsEstimated);
        return text.ToString();

        void Rows(DateOnly start, DateOnly end, string by, IReadOnlyList<BillItem> items, bool isEstimated)
        {
            foreach (var item in items)
            {
                CostCsv.Row(
                    text, start.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), end.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), by, item.Name, CostCsv.Number(item.Amount), report.Currency,
                    isEstimated ? "true" : "false");
            }
        }
    }

    private static string Html(CostReport report)
    {
        var title = WebUtility.HtmlEncode(Title(report));
        var body = new StringBuilder();
        body.Append(CultureInfo.InvariantCulture, $"<h1>{title}</h1><p class=\"total\">{report.Total:#,0.00} {WebUtility.HtmlEncode(report.Currency)}</p>");
        if (report.IsEstimated)
        {
            body.Append("<p>AWS may still change part of it.</p>");
        }

        if (report.Forecast is { } forecast)
        {
            body.Append(CultureInfo.InvariantCulture, $"<p>Until {forecast.End.AddDays(-1):yyyy-MM-dd} AWS expects {forecast.Amount:#,0.00} more");
            body.Append(forecast is { Low: { } low, High: { } high } ? string.Create(CultureInfo.InvariantCulture, $", {low:#,0.00} to {high:#,0.00}") : "").Append(".</p>");
        }

        body.Append("<h2>").Append(report.IsDaily ? "By day" : "By month").Append("</h2>")
            .Append(SvgChart.Columns(report.Periods.Select(p => (Name(report, p), p.Amount)).ToList(), report.Currency));
        Part("By service", report.Services);
        Part("By component", report.Components);
        if (report.TagKey is not null)
        {
            Part("By " + report.TagKey, report.Tags);
        }

        if (report.Anomalies.Count > 0)
        {
            body.Append("<h2>Unusual in the account</h2><table><tr><th>Since</th><th>Service</th><th>Beyond what was expected</th><th>Cause</th></tr>");
            foreach (var anomaly in report.Anomalies)
            {
                body.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(anomaly.Start)}</td><td>{WebUtility.HtmlEncode(anomaly.Service)}</td><td class=\"n\">{anomaly.Impact:#,0.00}</td><td>{WebUtility.HtmlEncode(anomaly.Cause)}</td></tr>");
            }

            body.Append("</table>");
        }

        return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>" + title + "</title><style>"
            + "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a2433}.total{font-size:2rem;margin:0}"
            + "table{border-collapse:collapse}td,th{padding:.2rem .8rem;text-align:left;border-bottom:1px solid #d9dee6}.n{text-align:right;font-variant-numeric:tabular-nums}svg{max-width:100%;height:auto}"
            + "</style></head><body>" + body + "</body></html>\n";

        void Part(string head, IReadOnlyList<BillItem> items)
        {
            body.Append("<h2>").Append(WebUtility.HtmlEncode(head)).Append("</h2>")
                .Append(SvgChart.Bars(items.Take(MostRows).Select(i => (i.Name.Length == 0 ? "(none)" : i.Name, i.Amount)).ToList(), report.Currency));
        }
    }

    private static string Name(CostReport report, BillPeriod period) => period.Start.ToString(report.IsDaily ? "yyyy-MM-dd" : "yyyy-MM", CultureInfo.InvariantCulture);
}
