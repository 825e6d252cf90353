using System.Globalization;
using System.Text;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>Writes catalog files, in the form that <see cref="PriceCatalog.Read"/> reads.</summary>
internal static class CatalogWriter
{
    public static string Write(IEnumerable<Price> prices)
    {
        var text = new StringBuilder("region,service,dimension,tier_from,unit,usd,source,as_of\n");
        foreach (var price in prices.OrderBy(p => p.Region, StringComparer.Ordinal).ThenBy(p => p.Service, StringComparer.Ordinal).ThenBy(p => p.Dimension, StringComparer.Ordinal))
        {
            foreach (var tier in price.Tiers)
            {
                text.Append(CultureInfo.InvariantCulture, $"{price.Region},{price.Service},{price.Dimension},{tier.From:0.############},{price.Unit},{tier.Usd:0.####################},")
                    .Append(Quoted(tier.Source)).Append(',').Append(tier.AsOf).Append('\n');
            }
        }

        return text.ToString();
    }

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(',', '"') < 0 ? text : "\"" + text.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
