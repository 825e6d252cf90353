using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.S3;

namespace Inferloop.Sandbox.Services.Pricing;

/// <summary>The price list: products with their on-demand prices, of the module's catalog, by questions and in files.</summary>
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
        On("ListPriceLists", (_, input) =>
        {
            var (code, currency) = (Known(input.Required("ServiceCode")), input.Required("CurrencyCode"));
            var lists = currency != "USD" ? [] : PriceListProducts.ByService[code].GroupBy(RegionOf, StringComparer.Ordinal).Where(group => input.Text("RegionCode") is not { } region || group.Key == region).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new JsonObject
                {
                    ["PriceListArn"] = $"arn:aws:pricing:::price-list/aws/{code}/USD/{group.Max(product => product.Date)!.Replace("-", "", StringComparison.Ordinal)}000000/{group.Key}", ["RegionCode"] = group.Key, ["CurrencyCode"] = "USD",
                    ["FileFormats"] = new JsonArray("csv", "json"),
                }).ToList();
            return Pages.Answer(input, lists, "PriceLists", "MaxResults", "NextToken", 100, "InvalidNextTokenException");
        });
        On("GetPriceListFileUrl", FileUrl);
    }

    private static string RegionOf(PriceListProduct product) => product.Attributes.GetValueOrDefault("regionCode") ?? product.Attributes["fromRegionCode"];

    /// <summary>The file lies in a bucket of the sandbox's own, and the URL is good for an hour.</summary>
    private async Task<JsonObject> FileUrl(RequestContext context, JsonObject input)
    {
        var (arn, format) = (input.Required("PriceListArn"), input.Required("FileFormat").ToLowerInvariant());
        if (arn.Split('/') is not [_, "aws", var code, "USD", var version, var region] || !PriceListProducts.ByService.TryGetValue(code, out var all) || all.Where(product => RegionOf(product) == region).ToList() is not { Count: > 0 } products)
        {
            throw new ServiceFault("NotFoundException", $"Price list {arn} not found");
        }
        if (format is not ("csv" or "json"))
        {
            throw new ServiceFault("InvalidParameterException", $"File format {format} is not valid: csv and json are");
        }
        const string Bucket = "inferloop-sandbox-price-lists";
        var key = Runtime.AccessKeys.Root;
        var owner = context.With(key.AccountId, "us-east-1");
        var storage = Runtime.Service<S3Service>();
        storage.EnsureHidden(owner, Bucket);
        var path = $"offers/{code}/{version}/{region}/index.{format}";
        var file = format == "csv" ? PriceListFiles.Csv(code, products) : PriceListFiles.Json(code, products);
        await storage.InvokeAsync(owner.Detached().WithPayload(System.Text.Encoding.UTF8.GetBytes(file)), "PutObject", new JsonObject { ["Bucket"] = Bucket, ["Key"] = path }).ConfigureAwait(false);
        return new JsonObject { ["Url"] = $"{(Runtime.Endpoint ?? new Uri("http://localhost")).ToString().TrimEnd('/')}/{Bucket}/{path}?{PresignedV2.Query(key, $"/{Bucket}/{path}", DateTimeOffset.UtcNow.AddHours(1))}" };
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
