using System.Globalization;
using System.Text;

namespace Inferloop.Operations.Costs.Reporting;

/// <summary>A price as a comment on a pull request. Its first line marks it, so that the next run finds and replaces it.</summary>
internal static class CostMarkdown
{
    public const string Marker = "<!-- inferloop-cost -->";

    // GitHub takes 65,536 characters in a comment; what changes most comes first and the rest is counted.
    private const int MostLines = 40;

    public static string Write(CostGate gate)
    {
        var text = new StringBuilder();
        text.Append(Marker).Append('\n');
        var estimate = gate.Estimate ?? gate.Change?.Before;
        text.Append("## ").Append(gate.Passed ? "" : "❌ ").Append("Cost of ").Append(Cell(Title(estimate))).Append("\n\n");
        if (gate.Change is { } change)
        {
            Change(text, change);
        }
        else if (gate.Estimate is { } only)
        {
            Estimate(text, only);
        }

        foreach (var check in gate.Checks.Where(c => c.Result == CostCheckResult.Failed))
        {
            text.Append("- ❌ ").Append(check.Path is null ? "" : $"`{check.Path}`: ").Append(Cell(check.Message)).Append('\n');
        }

        foreach (var check in gate.Checks.Where(c => c.Result == CostCheckResult.Passed && c.Rule != "cost/unpriced"))
        {
            text.Append("- ✅ ").Append(Cell(check.Message)).Append('\n');
        }

        Unpriced(text, gate.Estimate);
        Foot(text, estimate);
        return text.ToString();
    }

    private static string Title(CostEstimate? estimate) =>
        string.Join(", ", new[] { estimate?.Environment is null ? null : $"{estimate.Environment} {estimate.Stage}", estimate?.Region }.Where(p => !string.IsNullOrWhiteSpace(p)));

    private static void Estimate(StringBuilder text, CostEstimate estimate)
    {
        text.Append(CultureInfo.InvariantCulture, $"**{estimate.MonthlyExpected:#,0.00} {estimate.Currency} a month** ({estimate.MonthlyLow:#,0.00} to {estimate.MonthlyHigh:#,0.00} as autoscaling goes)\n\n");
        text.Append("| Component | Low | Expected | High |\n|---|---:|---:|---:|\n");
        foreach (var component in estimate.Components)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {Cell(component.Component)} | {component.MonthlyLow:#,0.00} | {component.MonthlyExpected:#,0.00} | {component.MonthlyHigh:#,0.00} |\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"| **Total** | {estimate.MonthlyLow:#,0.00} | **{estimate.MonthlyExpected:#,0.00}** | {estimate.MonthlyHigh:#,0.00} |\n\n");
    }

    private static void Change(StringBuilder text, CostComparison change)
    {
        var currency = (change.After ?? change.Before)?.Currency ?? "USD";
        text.Append(CultureInfo.InvariantCulture, $"**{Signed(change.MonthlyDelta)} {currency} a month**: {change.MonthlyBefore:#,0.00} → {change.MonthlyAfter:#,0.00}");
        if (change.Percent is { } percent)
        {
            text.Append(CultureInfo.InvariantCulture, $" ({percent:+0.#;-0.#;0} %)");
        }

        text.Append("\n\n");
        if (change.Differences.Count == 0)
        {
            text.Append("No line changes.\n\n");
            return;
        }

        text.Append("| Resource | Charge | Quantity | Before | After | Change |\n|---|---|---:|---:|---:|---:|\n");
        foreach (var difference in change.Differences.Take(MostLines))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| `{Code(difference.Path)}` | {Cell(difference.Name)} | {difference.QuantityBefore:#,0.##} → {difference.QuantityAfter:#,0.##} {Cell(difference.Unit)} | {difference.MonthlyBefore:#,0.00} | {difference.MonthlyAfter:#,0.00} | {Signed(difference.MonthlyDelta)} |\n");
        }

        if (change.Differences.Count > MostLines)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {change.Differences.Count - MostLines} more | | | | | {Signed(change.Differences.Skip(MostLines).Sum(d => d.MonthlyDelta))} |\n");
        }

        text.Append('\n');
    }

    private static void Unpriced(StringBuilder text, CostEstimate? estimate)
    {
        if (estimate is not { Unpriced.Count: > 0 })
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"\n<details><summary>{estimate.Unpriced.Count} charged without a price here</summary>\n\n");
        foreach (var item in estimate.Unpriced)
        {
            text.Append("- `").Append(Code(item.Path)).Append("`: ").Append(Cell(item.Name)).Append(". ").Append(Cell(item.Reason)).Append('\n');
        }

        text.Append("\n</details>\n");
    }

    private static void Foot(StringBuilder text, CostEstimate? estimate)
    {
        if (estimate is null)
        {
            return;
        }

        text.Append("\n<details><summary>What this stands on</summary>\n\n");
        foreach (var assumption in estimate.Assumptions)
        {
            text.Append("- ").Append(Cell(assumption)).Append('\n');
        }

        text.Append("\n</details>\n");
    }

    public static string Signed(decimal amount) => amount.ToString("+#,0.00;-#,0.00;0.00", CultureInfo.InvariantCulture);

    /// <summary>Text in a table's cell: nothing in it ends the cell, starts HTML or calls a person.</summary>
    public static string Cell(string value) => value
        .Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace("@", "@\u200b", StringComparison.Ordinal).ReplaceLineEndings(" ");

    private static string Code(string value) => value.Replace("`", "'", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
