using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Pricing;

/// <summary>The price list: products with their on-demand prices, of the module's catalog. Bulk files are not there.</summary>
internal sealed class PricingService : SandboxService
{
    public PricingService(SandboxRuntime runtime)
        : base(runtime, "pricing")
    {
        On("DescribeServices", (_, input) =>
        {
            CheckFormat(input);
            IReadOnlyList<string> codes = input.Text("ServiceCode") is { } code ? [Known(code)] : [.. PriceListProducts.ByService.Keys];
            var services = codes.Select(item => new JsonObject { ["ServiceCode"] = item, ["AttributeNames"] = Names(item).Prepend("productFamily").ToTextList() }).ToList();
            return Pages.Answer(input, services, "Services", "MaxResults", "NextToken", 100, "InvalidNextTokenException").With("FormatVersion", "aws_v1");
        });
        On("GetAttributeValues", (_, input) =>
        {
            var (code, name) = (Known(input.Required("ServiceCode")), input.Required("AttributeName"));
            var values = PriceListProducts.ByService[code].Select(product => Attribute(product, name)).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
            return values.Count == 0 && !Names(code).Contains(name)
                ? throw new ServiceFault("NotFoundException", $"Attribute {name} of service {code} not found")
                : Pages.Answer(input, [.. values.Select(value => new JsonObject { ["Value"] = value })], "AttributeValues", "MaxResults", "NextToken", 100, "InvalidNextTokenException");
        });
        On("GetProducts", (_, input) =>
        {
            CheckFormat(input);
            var filters = input.Objects("Filters").ToList();
            var found = PriceListProducts.ByService[Known(input.Required("ServiceCode"))].Where(product => filters.TrueForAll(filter => Passes(product, filter))).ToList();
            var (page, next) = Pages.Cut(found, input.Int("MaxResults"), input.Text("NextToken"), 100, "InvalidNextTokenException");
            return new JsonObject { ["FormatVersion"] = "aws_v1", ["PriceList"] = page.Select(product => product.ToJson()).ToTextList() }.With("NextToken", next);
        });
    }

    private static void CheckFormat(JsonObject input)
    {
        if (input.Text("FormatVersion") is { } format && format != "aws_v1")
        {
            throw new ServiceFault("InvalidParameterException", $"Format version {format} is not valid: the only one is aws_v1");
        }
    }

    private static string Known(string code) => PriceListProducts.ByService.ContainsKey(code) ? code : throw new ServiceFault("NotFoundException", $"Service code {code} not found");

    private static IReadOnlyList<string> Names(string code) => [.. PriceListProducts.ByService[code].SelectMany(product => product.Attributes.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string? Attribute(PriceListProduct product, string name) => string.Equals(name, "productFamily", StringComparison.OrdinalIgnoreCase) ? product.Family
        : string.Equals(name, "sku", StringComparison.OrdinalIgnoreCase) ? product.Sku
        : product.Attributes.FirstOrDefault(pair => string.Equals(pair.Key, name, StringComparison.OrdinalIgnoreCase)).Value;

    private static bool Passes(PriceListProduct product, JsonObject filter)
    {
        var (actual, wanted) = (Attribute(product, filter.Required("Field")), filter.Required("Value"));
        static bool Same(string? one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);
        return filter.Text("Type") switch
        {
            "CONTAINS" => actual?.Contains(wanted, StringComparison.OrdinalIgnoreCase) == true,
            "ANY_OF" => wanted.Split(',', StringSplitOptions.TrimEntries).Any(value => Same(actual, value)),
            "NONE_OF" => !wanted.Split(',', StringSplitOptions.TrimEntries).Any(value => Same(actual, value)),
            _ => Same(actual, wanted),
        };
    }
}
