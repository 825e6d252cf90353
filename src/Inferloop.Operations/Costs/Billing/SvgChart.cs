using System.Globalization;
using System.Net;
using System.Text;

namespace Inferloop.Operations.Costs.Billing;

/// <summary>Charts as SVG that stands in a page by itself: no script, no font, nothing from a network.</summary>
internal static class SvgChart
{
    private const double Width = 800;
    private const string Fill = "#2f6db5";

    /// <summary>One horizontal bar for each value, its name and amount beside it.</summary>
    public static string Bars(IReadOnlyList<(string Name, decimal Amount)> values, string currency)
    {
        if (values.Count == 0)
        {
            return "<p>Nothing.</p>";
        }

        const double Row = 24, Left = 300, Room = 380;
        var most = Math.Max(0.01m, values.Max(v => v.Amount));
        var svg = Open(Width, values.Count * Row, "Amounts in " + currency);
        for (var i = 0; i < values.Count; i++)
        {
            var y = i * Row;
            var length = (double)(Math.Max(0, values[i].Amount) / most) * Room;
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8:0}\" y=\"{y + 16:0}\" text-anchor=\"end\">{Text(values[i].Name, 40)}</text>");
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{Left:0}\" y=\"{y + 4:0}\" width=\"{length:0.##}\" height=\"{Row - 8:0}\" fill=\"{Fill}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left + length + 6:0.##}\" y=\"{y + 16:0}\">{values[i].Amount:#,0.00}</text>");
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>One column for each value in its order, with the amount as its tooltip; names at the first, the last and some between.</summary>
    public static string Columns(IReadOnlyList<(string Name, decimal Amount)> values, string currency)
    {
        if (values.Count == 0)
        {
            return "<p>Nothing.</p>";
        }

        const double Height = 220, Base = 180, Top = 20, Left = 80;
        var most = Math.Max(0.01m, values.Max(v => v.Amount));
        var step = (Width - Left) / values.Count;
        var labels = Math.Max(1, (int)Math.Ceiling(values.Count / 10.0));
        var svg = Open(Width, Height, "Amounts in " + currency);
        foreach (var part in new[] { 0m, 0.5m, 1m })
        {
            var y = Base - ((double)part * (Base - Top));
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left:0}\" x2=\"{Width:0}\" y1=\"{y:0.##}\" y2=\"{y:0.##}\" stroke=\"#d9dee6\"/><text x=\"{Left - 8:0}\" y=\"{y + 4:0.##}\" text-anchor=\"end\">{most * part:#,0.##}</text>");
        }

        for (var i = 0; i < values.Count; i++)
        {
            var height = (double)(Math.Max(0, values[i].Amount) / most) * (Base - Top);
            var x = Left + (i * step);
            svg.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x + (step * 0.1):0.##}\" y=\"{Base - height:0.##}\" width=\"{step * 0.8:0.##}\" height=\"{height:0.##}\" fill=\"{Fill}\"><title>{Text(values[i].Name, 40)}: {values[i].Amount:#,0.00}</title></rect>");
            if (i % labels == 0)
            {
                svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + (step / 2):0.##}\" y=\"{Base + 18:0}\" text-anchor=\"middle\">{Text(values[i].Name, 12)}</text>");
            }
        }

        return svg.Append("</svg>").ToString();
    }

    private static StringBuilder Open(double width, double height, string label) => new StringBuilder().Append(
        CultureInfo.InvariantCulture,
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:0} {height:0}\" width=\"{width:0}\" height=\"{height:0}\" role=\"img\" aria-label=\"{Text(label, 80)}\" font-family=\"system-ui,sans-serif\" font-size=\"12\">");

    private static string Text(string value, int most) => WebUtility.HtmlEncode(value.Length > most ? value[..(most - 1)] + "…" : value);
}
