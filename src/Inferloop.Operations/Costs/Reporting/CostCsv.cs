using System.Globalization;
using System.Text;

namespace Inferloop.Operations.Costs.Reporting;

/// <summary>The lines of a price as RFC 4180 text.</summary>
internal static class CostCsv
{
    public static string Write(CostGate gate)
    {
        var text = new StringBuilder();
        if (gate.Change is { } change)
        {
            Row(text, "component", "resource", "type", "name", "dimension", "unit", "quantity_before", "quantity_after", "monthly_before", "monthly_after", "monthly_delta");
            foreach (var d in change.Differences)
            {
                Row(text, d.Component, d.Path, d.ResourceType, d.Name, d.Dimension, d.Unit, Number(d.QuantityBefore), Number(d.QuantityAfter), Number(d.MonthlyBefore), Number(d.MonthlyAfter), Number(d.MonthlyDelta));
            }

            return text.ToString();
        }

        Row(text, "component", "resource", "type", "region", "name", "dimension", "quantity", "unit", "unit_price", "tier", "monthly_low", "monthly_expected", "monthly_high", "assumption", "price_source", "price_date", "unpriced_reason");
        foreach (var l in gate.Estimate?.Lines ?? [])
        {
            Row(text, l.Component, l.Path, l.ResourceType, l.Region, l.Name, l.Dimension, Number(l.Quantity), l.Unit, Number(l.UnitPrice), l.Tier ?? "", Number(l.MonthlyLow), Number(l.MonthlyExpected), Number(l.MonthlyHigh), l.Assumption, l.PriceSource, l.PriceDate, "");
        }

        foreach (var u in gate.Estimate?.Unpriced ?? [])
        {
            Row(text, u.Component, u.Path, u.ResourceType, "", u.Name, "", u.Quantity is { } q ? Number(q) : "", u.Unit ?? "", "", "", "", "", "", "", "", "", u.Reason);
        }

        return text.ToString();
    }

    public static void Row(StringBuilder text, params ReadOnlySpan<string> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            text.Append(i == 0 ? "" : ",").Append(Field(fields[i]));
        }

        text.Append("\r\n");
    }

    public static string Number(decimal value) => value.ToString("0.##########", CultureInfo.InvariantCulture);

    // A field that begins like a formula is run by spreadsheets; an apostrophe keeps it text. Numbers may begin with a minus.
    private static string Field(string value)
    {
        var safe = value.Length > 0 && value[0] is '=' or '+' or '-' or '@' && !decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? "'" + value : value;
        return safe.AsSpan().IndexOfAny("\",\r\n") < 0 ? safe : "\"" + safe.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
    }
}
