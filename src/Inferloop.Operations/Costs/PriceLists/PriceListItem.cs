using System.Globalization;
using System.Text.Json;

namespace Inferloop.Operations.Costs.PriceLists;

/// <summary>One price of an AWS price list: a product's attributes and one tier of its on-demand price.</summary>
internal sealed record PriceListItem(string ServiceCode, IReadOnlyDictionary<string, string> Attributes, string Unit, decimal Begin, decimal Usd, string Date)
{
    public string this[string attribute] => Attributes.TryGetValue(attribute, out var value) ? value : "";

    /// <summary>The on-demand prices of a product as GetProducts gives it.</summary>
    /// <exception cref="FormatException">The text is not one of a price list.</exception>
    public static IEnumerable<PriceListItem> Parse(string product)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(product);
        }
        catch (JsonException e)
        {
            throw new FormatException("A product of the price list is not JSON, or is cut off: " + e.Message, e);
        }

        using (document)
        {
            var root = document.RootElement;
            if (!root.TryGetProperty("product", out var description) || !description.TryGetProperty("attributes", out var given))
            {
                throw new FormatException("A product of the price list has no attributes.");
            }

            var attributes = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var attribute in given.EnumerateObject())
            {
                attributes[attribute.Name] = attribute.Value.GetString() ?? "";
            }

            attributes["productFamily"] = description.TryGetProperty("productFamily", out var family) ? family.GetString() ?? "" : "";
            var service = root.TryGetProperty("serviceCode", out var code) ? code.GetString() ?? "" : attributes.GetValueOrDefault("servicecode", "");
            var date = root.TryGetProperty("publicationDate", out var published) ? published.GetString() ?? "" : "";
            var items = new List<PriceListItem>();
            if (root.TryGetProperty("terms", out var terms) && terms.TryGetProperty("OnDemand", out var onDemand))
            {
                foreach (var term in onDemand.EnumerateObject())
                {
                    foreach (var tier in term.Value.GetProperty("priceDimensions").EnumerateObject())
                    {
                        var price = tier.Value.GetProperty("pricePerUnit");
                        if (price.TryGetProperty("USD", out var usd))
                        {
                            items.Add(new PriceListItem(
                                service, attributes, tier.Value.GetProperty("unit").GetString() ?? "", Number(tier.Value.GetProperty("beginRange").GetString()), Number(usd.GetString()), Day(date)));
                        }
                    }
                }
            }

            return items;
        }
    }

    public static decimal Number(string? text) => decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw new FormatException($"'{text}' in a price list is not a number.");

    public static string Day(string date) => date.Length >= 10 && char.IsAsciiDigit(date[0]) ? date[..10] : "undated";
}
