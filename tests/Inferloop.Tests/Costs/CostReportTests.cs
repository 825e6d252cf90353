using System.Xml.Linq;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Billing;

namespace Inferloop.Tests.Costs;

/// <summary>Bills as text, and estimates held against them.</summary>
public sealed class CostReportTests
{
    private const string Evil = "<script>alert(1)</script> \"& | =cmd";

    private static readonly CostReport Report = new()
    {
        Environment = "demo",
        Start = new DateOnly(2026, 9, 1),
        End = new DateOnly(2026, 11, 1),
        Total = 300,
        Services = [new BillItem("EC2 - Other", 200, 66.7m), new BillItem(Evil, 100, 33.3m)],
        Components = [new BillItem("ecs", 250, 83.3m), new BillItem("", 50, 16.7m)],
        TagKey = "team",
        Tags = [new BillItem("=HYPERLINK(1)", 300, 100)],
        Periods =
        [
            new BillPeriod(new DateOnly(2026, 9, 1), new DateOnly(2026, 10, 1), 100, false, [new BillItem(Evil, 100, 100)]),
            new BillPeriod(new DateOnly(2026, 10, 1), new DateOnly(2026, 11, 1), 200, true, [new BillItem("EC2 - Other", 200, 100)]),
        ],
        Forecast = new BillForecast(new DateOnly(2026, 11, 1), new DateOnly(2026, 12, 1), 150, 140, 160),
        Anomalies = [new BillAnomaly("1", "2026-09-04", null, Evil, 12.5m, Evil)],
    };

    [Fact]
    public void The_page_has_charts_and_lets_no_name_become_markup()
    {
        var html = CostReportDocument.Write(Report, CostReportFormat.Html);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("http://", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var charts = System.Text.RegularExpressions.Regex.Matches(html, "<svg.*?</svg>").Select(m => XElement.Parse(m.Value)).ToList();
        Assert.Equal(4, charts.Count);
        XNamespace svg = "http://www.w3.org/2000/svg";
        var columns = charts[0].Elements(svg + "rect").Select(r => (double)r.Attribute("height")!).ToList();
        Assert.Equal(2, columns.Count);
        Assert.Equal(columns[1], columns[0] * 2, 3);
    }

    [Fact]
    public void The_table_and_the_sheet_are_safe_too()
    {
        var markdown = CostReportDocument.Write(Report, CostReportFormat.Markdown);
        Assert.Contains("| (none) | 50.00 | 16.7 % |", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", markdown, StringComparison.OrdinalIgnoreCase);
        var csv = CostReportDocument.Write(Report, CostReportFormat.Csv);
        Assert.Contains("2026-10-01,2026-11-01,service,EC2 - Other,200,USD,true", csv, StringComparison.Ordinal);
        Assert.Contains(",team,'=HYPERLINK(1),300,", csv, StringComparison.Ordinal);
    }

    [Fact]
    public void The_data_come_back_as_they_were()
    {
        using var json = System.Text.Json.JsonDocument.Parse(CostReportDocument.Write(Report, CostReportFormat.Json));
        var root = json.RootElement;
        Assert.Equal(300, root.EnumerateObject().Single(p => p.Name.Equals("total", StringComparison.OrdinalIgnoreCase)).Value.GetDecimal());
    }

    [Fact]
    public void A_chart_of_nothing_is_a_word()
    {
        var html = CostReportDocument.Write(Report with { Total = 0, Services = [], Components = [], Tags = [], Periods = [], Forecast = null, Anomalies = [] }, CostReportFormat.Html);
        Assert.Contains("Nothing.", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<svg", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_error_is_of_the_estimate_for_the_same_time()
    {
        // 61 days are 1464 of a month's 730 hours: 100 a month are 200.55 for them.
        var accuracy = CostAccuracy.Measure(Estimate(100), Report);
        Assert.Equal(200.55m, Math.Round(accuracy.Estimated, 2));
        Assert.Equal(300, accuracy.Billed);
        Assert.Equal(-33.15m, Math.Round(accuracy.ErrorPercent!.Value, 2));
        Assert.Equal(["ecs", "other"], accuracy.Components.Select(c => c.Component));
        Assert.Equal(accuracy.Billed, accuracy.Components.Sum(c => c.Billed));
        Assert.Equal(accuracy.Error, accuracy.Components.Sum(c => c.Error));
    }

    [Fact]
    public void Two_currencies_are_not_held_against_each_other() =>
        Assert.Equal("CurrenciesDiffer", Assert.Throws<OperationException>(() => CostAccuracy.Measure(Estimate(100).In("EUR", 0.9m), Report)).ErrorId);

    private static CostEstimate Estimate(decimal monthly) => new()
    {
        Environment = "demo", Regions = ["us-east-1"], Usage = UsageProfile.Small, MonthlyLow = monthly, MonthlyExpected = monthly, MonthlyHigh = monthly, Unpriced = [], Free = [], Assumptions = [], Catalog = "test", CatalogDate = "2026-01-01",
        Lines =
        [
            new CostLine
            {
                Component = "other", Path = "A", LogicalId = "A", ResourceType = "T", Region = "us-east-1", Name = "n", Dimension = "s/d", Quantity = 1, QuantityLow = 1, QuantityHigh = 1, Unit = "u", UnitPrice = monthly,
                MonthlyLow = monthly, MonthlyExpected = monthly, MonthlyHigh = monthly, Assumption = "", PriceSource = "", PriceDate = "2026-01-01",
            },
        ],
    };
}
