using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.Pricing;

/// <summary>A region's price list of a service as one file, as AWS gives it for download.</summary>
internal static class PriceListFiles
{
    private static readonly Dictionary<string, string> Titles = new(StringComparer.Ordinal)
    {
        ["servicecode"] = "serviceCode", ["usagetype"] = "usageType", ["operation"] = "operation", ["preInstalledSw"] = "Pre Installed S/W", ["capacitystatus"] = "CapacityStatus", ["vcpu"] = "vCPU",
    };

    public static string Csv(string code, IReadOnlyList<PriceListProduct> products)
    {
        var date = products.Max(product => product.Date)!;
        var names = products.SelectMany(product => product.Attributes.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var text = new StringBuilder();
        Line(text, "FormatVersion", "v1.0");
        Line(text, "Disclaimer", "These are the prices of the catalog that comes with the module, in the form of AWS's price lists.");
        Line(text, "Publication Date", date + "T00:00:00Z");
        Line(text, "Version", date.Replace("-", "", StringComparison.Ordinal));
        Line(text, "OfferCode", code);
        Line(text, ["SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange", "Unit", "PricePerUnit", "Currency", "Product Family", .. names.Select(Title)]);
        foreach (var product in products)
        {
            foreach (var (rate, from, to, usd, description) in product.Rates())
            {
                Line(text, [product.Sku, "JRTCKXETXF", rate, "OnDemand", description, product.Date, from, to, product.Unit, usd, "USD", product.Family, .. names.Select(name => product.Attributes.GetValueOrDefault(name, ""))]);
            }
        }
        return text.ToString();
    }

    public static string Json(string code, IReadOnlyList<PriceListProduct> products)
    {
        var date = products.Max(product => product.Date)!;
        var (described, terms) = (new JsonObject(), new JsonObject());
        foreach (var product in products)
        {
            var whole = (JsonObject)JsonNode.Parse(product.ToJson())!;
            described[product.Sku] = whole["product"].Copy();
            terms[product.Sku] = whole["terms"]!["OnDemand"].Copy();
        }
        return new JsonObject { ["formatVersion"] = "v1.0", ["offerCode"] = code, ["version"] = date.Replace("-", "", StringComparison.Ordinal), ["publicationDate"] = date + "T00:00:00Z", ["products"] = described, ["terms"] = new JsonObject { ["OnDemand"] = terms } }.ToJsonString();
    }

    /// <summary>instanceType is Instance Type in the files.</summary>
    private static string Title(string name) => Titles.TryGetValue(name, out var title) ? title
        : string.Concat(name.Select((c, i) => i == 0 ? char.ToUpper(c, CultureInfo.InvariantCulture).ToString() : char.IsUpper(c) ? " " + c : c.ToString()));

    private static void Line(StringBuilder text, params IEnumerable<string> fields) => text.AppendJoin(',', fields.Select(field => '"' + field.Replace("\"", "\"\"", StringComparison.Ordinal) + '"')).Append('\n');
}
