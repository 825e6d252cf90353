using System.Net;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Amazon.Pricing;
using Amazon.Pricing.Model;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.PriceLists;

namespace Inferloop.Tests.Costs.PriceLists;

/// <summary>The update of the catalog: what AWS lists finds its place, and whatever fails leaves the old catalog whole.</summary>
public sealed class PriceCatalogUpdaterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("inferloop-catalog-").FullName;

    private string CatalogPath => Path.Combine(_folder, "aws-prices.csv");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_the_query_api_lists_replaces_the_rows_of_its_keys_and_no_others()
    {
        var pricing = Pricing((request, _) => request.ServiceCode switch
        {
            "AmazonEC2" when Filter(request, "productFamily") == "NAT Gateway" => [Product("AmazonEC2", Of("usagetype", "EUW2-NatGateway-Hours"), ("0", 0.0555m))],
            "AmazonEC2" when Filter(request, "operatingSystem") == "Linux" => [Product("AmazonEC2",
                Of("usagetype", "EUW2-BoxUsage:m9x.large", "instanceType", "m9x.large", "operatingSystem", "Linux", "tenancy", "Shared", "preInstalledSw", "NA", "capacitystatus", "Used"), ("0", 0.2m))],
            "AmazonS3" => [Product("AmazonS3", Of("usagetype", "EUW2-TimedStorage-ByteHrs"), ("0", 0.03m), ("51200", 0.025m)), Product("AmazonS3", Of("usagetype", "EUW2-Requests-Tier1"), ("0", 0.0000053m))],
            _ => [],
        });
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.QueryAsync(pricing, ["eu-west-2"], [], TestContext.Current.CancellationToken);
        var update = await updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken);

        var catalog = PriceCatalog.Load(CatalogPath);
        Assert.Equal(PriceCatalog.Embedded.Count + 1, catalog.Count);
        Assert.True(catalog.TryFind("eu-west-2", "nat_gateway", "gateway_hour", out var nat));
        Assert.Equal((0.0555m, "2026-11-20", "AWS Price List Query API, AmazonEC2"), (nat.Tiers[0].Usd, nat.Tiers[0].AsOf, nat.Tiers[0].Source));
        Assert.True(catalog.TryFind("eu-west-2", "ec2", "linux_m9x_large_hour", out _));
        Assert.True(catalog.TryFind("eu-west-2", "s3", "standard_gb_month", out var s3));
        Assert.Equal([(0m, 0.03m), (51_200m, 0.025m)], s3.Tiers.Select(t => (t.From, t.Usd)));
        Assert.True(catalog.TryFind("eu-west-2", "s3", "standard_put_copy_post_list_1000_requests", out var put));
        Assert.Equal(0.0053m, put.Tiers[0].Usd);
        Assert.Equal((4, 1), (update.Read, update.Added));

        // Every other price is as it was, and no other region's changed.
        foreach (var price in PriceCatalog.Embedded.Prices.Where(p => p.Region != "eu-west-2"))
        {
            Assert.True(catalog.TryFind(price.Region, price.Service, price.Dimension, out var same) && same.Tiers.SequenceEqual(price.Tiers), price.ToString());
        }
    }

    [Fact]
    public async Task Answers_come_in_pages()
    {
        var pages = 0;
        var pricing = Pricing((request, page) =>
        {
            pages++;
            return request.ServiceCode == "awskms"
                ? page == 0 ? [Product("awskms", Of("usagetype", "us-east-1-KMS-Keys"), ("0", 9m))] : [Product("awskms", Of("usagetype", "KMS-Requests"), ("0", 0.000004m))]
                : [];
        }, pagesOf: 2);
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.QueryAsync(pricing, ["us-east-1"], ["awskms"], TestContext.Current.CancellationToken);
        var update = await updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken);
        Assert.Equal((2, 1), (pages, update.Read));
        Assert.Equal(0.000004m, Assert.Single(update.Changes).After);
    }

    [Fact]
    public async Task Two_products_at_two_prices_for_one_place_are_not_guessed_between()
    {
        var pricing = Pricing((request, _) => request.ServiceCode == "awskms"
            ? [Product("awskms", Of("usagetype", "KMS-Requests"), ("0", 0.5m)), Product("awskms", Of("usagetype", "KMS-Requests"), ("0", 0.6m)), Product("awskms", Of("usagetype", "KMS-Keys"), ("0", 2m))]
            : []);
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.QueryAsync(pricing, ["us-east-1"], ["awskms"], TestContext.Current.CancellationToken);
        var update = await updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken);
        Assert.Equal("us-east-1 kms/request", Assert.Single(update.Ambiguous));
        Assert.True(PriceCatalog.Load(CatalogPath).TryFind("us-east-1", "kms", "request", out var kept));
        Assert.Equal(0.000003m, kept.Tiers[0].Usd);
    }

    [Fact]
    public async Task A_product_cut_off_leaves_the_old_catalog()
    {
        await File.WriteAllTextAsync(CatalogPath, CatalogWriter.Write(PriceCatalog.Embedded.Prices), TestContext.Current.CancellationToken);
        var before = await File.ReadAllBytesAsync(CatalogPath, TestContext.Current.CancellationToken);
        var whole = Product("awskms", Of("usagetype", "KMS-Keys"), ("0", 2m));
        var updater = new PriceCatalogUpdater(PriceCatalog.Load(CatalogPath), SilentReporter.Instance);
        await Assert.ThrowsAsync<FormatException>(() => updater.QueryAsync(Pricing((_, _) => [whole[..^20]]), ["us-east-1"], ["awskms"], TestContext.Current.CancellationToken));
        Assert.Equal(before, await File.ReadAllBytesAsync(CatalogPath, TestContext.Current.CancellationToken));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task A_list_without_any_price_leaves_the_old_catalog()
    {
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.QueryAsync(Pricing((_, _) => []), ["us-east-1"], [], TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<OperationException>(() => updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken));
        Assert.Equal("PriceListEmpty", error.ErrorId);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public async Task Stopping_before_the_end_leaves_the_old_catalog()
    {
        using var stop = new CancellationTokenSource();
        var pricing = Pricing((_, _) =>
        {
            stop.Cancel();
            return [Product("awskms", Of("usagetype", "KMS-Keys"), ("0", 2m))];
        });
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.QueryAsync(pricing, ["us-east-1"], ["awskms"], CancellationToken.None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => updater.SaveAsync(CatalogPath, stop.Token));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("AmazonEC3", "'AmazonEC2'")]
    [InlineData("AmazonBraket", "No prices")]
    public async Task An_unknown_service_is_refused_with_the_nearest(string service, string expected)
    {
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        var error = await Assert.ThrowsAsync<OperationException>(() => updater.QueryAsync(Pricing((_, _) => []), ["us-east-1"], [service], TestContext.Current.CancellationToken));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    private const string Bulk = """
        "FormatVersion","v1.0"
        "Disclaimer","This pricing list is for
        informational purposes only."
        "Publication Date","2026-11-19T22:03:11Z"
        "Version","20261119220311"
        "OfferCode","AmazonRDS"
        "SKU","OfferTermCode","TermType","PriceDescription","StartingRange","EndingRange","Unit","PricePerUnit","Currency","Product Family","serviceCode","Instance Type","Database Engine","License Model","Deployment Option","usageType","operation","Region Code"
        "A","T","OnDemand","$0.099 per hour, ""Multi"" too","0","Inf","Hrs","0.0990000000","USD","Database Instance","AmazonRDS","db.t4g.small","PostgreSQL","No license required","Multi-AZ","EUW1-Multi-AZUsage:db.t4g.small","CreateDBInstance:0014","eu-west-1"
        "B","T","Reserved","reserved","0","Inf","Hrs","0.0500000000","USD","Database Instance","AmazonRDS","db.t4g.small","PostgreSQL","No license required","Multi-AZ","EUW1-Multi-AZUsage:db.t4g.small","CreateDBInstance:0014","eu-west-1"
        "C","T","OnDemand","storage","0","Inf","GB-Mo","0.2540000000","USD","Database Storage","AmazonRDS","","Any","","Multi-AZ","EUW1-RDS:Multi-AZ-GP3-Storage","","eu-west-1"

        """;

    [Fact]
    public async Task A_bulk_file_is_read_line_by_line()
    {
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.ReadAsync(new StringReader(Bulk), "AmazonRDS.csv", [], TestContext.Current.CancellationToken);
        await updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken);
        var catalog = PriceCatalog.Load(CatalogPath);
        Assert.True(catalog.TryFind("eu-west-1", "rds", "postgresql_multi_az_db_t4g_small_hour", out var instance));
        Assert.Equal((0.099m, "2026-11-19"), (instance.Tiers[0].Usd, instance.Tiers[0].AsOf));
        Assert.True(catalog.TryFind("eu-west-1", "rds", "storage_gp3_multi_az_gb_month", out var storage));
        Assert.Equal(0.254m, storage.Tiers[0].Usd);
    }

    [Fact]
    public async Task A_bulk_file_cut_off_anywhere_inside_a_line_is_noticed()
    {
        // Every cut within the last line: none may pass as a smaller price list.
        var end = Bulk.TrimEnd().Length;
        for (var cut = Bulk.LastIndexOf("\"C\"", StringComparison.Ordinal) + 1; cut < end - 1; cut++)
        {
            var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
            await Assert.ThrowsAsync<FormatException>(() => updater.ReadAsync(new StringReader(Bulk[..cut]), "cut.csv", [], TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("<Error><Code>AccessDenied</Code></Error>")]
    [InlineData("\"SKU\",\"TermType\"\n")]
    public async Task What_is_no_price_file_is_refused(string text)
    {
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await Assert.ThrowsAsync<FormatException>(() => updater.ReadAsync(new StringReader(text), "x.csv", [], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_download_that_ends_early_is_an_error_and_changes_nothing()
    {
        using var http = new HttpClient(new Cut(Encoding.UTF8.GetBytes(Bulk), 200));
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        var error = await Assert.ThrowsAsync<OperationException>(() => updater.DownloadAsync(http, new Uri("https://prices.example/x.csv"), "x", [], TestContext.Current.CancellationToken));
        Assert.Equal("PriceListTruncated", error.ErrorId);
        Assert.Contains("unchanged", error.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_whole_download_is_read()
    {
        using var http = new HttpClient(new Cut(Encoding.UTF8.GetBytes(Bulk), 0));
        var updater = new PriceCatalogUpdater(PriceCatalog.Embedded, SilentReporter.Instance);
        await updater.DownloadAsync(http, new Uri("https://prices.example/x.csv"), "x", [], TestContext.Current.CancellationToken);
        Assert.Equal(2, (await updater.SaveAsync(CatalogPath, TestContext.Current.CancellationToken)).Read);
    }

    [Fact]
    public void A_written_catalog_reads_as_it_was()
    {
        var again = PriceCatalog.Read(new StringReader(CatalogWriter.Write(PriceCatalog.Embedded.Prices)), "again");
        Assert.Equal(PriceCatalog.Embedded.Count, again.Count);
        foreach (var price in PriceCatalog.Embedded.Prices)
        {
            Assert.True(again.TryFind(price.Region, price.Service, price.Dimension, out var same) && same.Tiers.SequenceEqual(price.Tiers) && same.Unit == price.Unit && same.KnownUpTo == price.KnownUpTo, price.ToString());
        }
    }

    [Theory]
    [InlineData("AmazonEC2", "EUC1-EBS:VolumeP-Throughput.gp3", "ebs/gp3_throughput_mibps_month", 40.96, 0.04)]
    [InlineData("AWSSecretsManager", "APN1-AWSSecretsManagerAPIRequest", "secrets_manager/api_10000_requests", 0.000005, 0.05)]
    [InlineData("AmazonECS", "USE1-Fargate-ARM-vCPU-Hours:perCPU", "fargate/linux_arm_vcpu_hour", 0.03238, 0.03238)]
    [InlineData("AmazonRDS", "ExtendedSupport:Yr3:PostgreSQL13", "rds/postgresql_extended_support_year3_vcpu_hour", 0.2, 0.2)]
    public void Usage_types_find_their_place(string code, string usage, string place, double usd, double expected)
    {
        var item = new PriceListItem(code, new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["usagetype"] = usage }, "", 0, (decimal)usd, "2026-01-01");
        var found = PriceListRules.Place(item)!;
        Assert.Equal((place, (decimal)expected), ($"{found.Service}/{found.Dimension}", Math.Round(item.Usd * found.Factor, 10)));
    }

    [Fact]
    public void Every_place_of_the_rules_is_a_dimension_that_estimates_use()
    {
        // A rule with a slip in its key would fill the catalog with prices nothing finds.
        var known = PriceCatalog.Embedded.Prices.Select(p => (p.Service, p.Dimension)).ToHashSet();
        var rules = Inferloop.Templates.Prices.PriceListUsage.All;
        Assert.True(rules.Count > 70);
        Assert.All(rules.Values, p => Assert.Contains((p.Service, p.Dimension), known));
    }

    private static Dictionary<string, string> Of(params string[] pairs) => pairs.Chunk(2).ToDictionary(p => p[0], p => p[1]);

    private static string? Filter(GetProductsRequest request, string field) => request.Filters.FirstOrDefault(f => f.Field == field)?.Value;

    private static string Product(string service, Dictionary<string, string> attributes, params (string From, decimal Usd)[] tiers)
    {
        var given = new JsonObject();
        foreach (var (key, value) in attributes)
        {
            given[key] = value;
        }

        var dimensions = new JsonObject();
        foreach (var (from, usd) in tiers)
        {
            dimensions["R." + from] = new JsonObject { ["unit"] = "Hrs", ["beginRange"] = from, ["endRange"] = "Inf", ["pricePerUnit"] = new JsonObject { ["USD"] = usd.ToString(System.Globalization.CultureInfo.InvariantCulture) } };
        }

        return new JsonObject
        {
            ["product"] = new JsonObject { ["productFamily"] = "x", ["attributes"] = given, ["sku"] = "S" },
            ["serviceCode"] = service,
            ["terms"] = new JsonObject { ["OnDemand"] = new JsonObject { ["S.T"] = new JsonObject { ["priceDimensions"] = dimensions } } },
            ["publicationDate"] = "2026-11-20T00:00:00Z",
        }.ToJsonString();
    }

    private static IAmazonPricing Pricing(Func<GetProductsRequest, int, List<string>> answer, int pagesOf = 1)
    {
        var proxy = DispatchProxy.Create<IAmazonPricing, PricingProxy>();
        ((PricingProxy)(object)proxy).Answer = answer;
        ((PricingProxy)(object)proxy).Pages = pagesOf;
        return proxy;
    }

#pragma warning disable CA1852 // DispatchProxy makes a subtype at run time.
    internal class PricingProxy : DispatchProxy
#pragma warning restore CA1852
    {
        public Func<GetProductsRequest, int, List<string>> Answer { get; set; } = null!;

        public int Pages { get; set; }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            Assert.Equal("GetProductsAsync", targetMethod!.Name);
            var request = (GetProductsRequest)args![0]!;
            var page = int.Parse(request.NextToken ?? "0", System.Globalization.CultureInfo.InvariantCulture);
            return Task.FromResult(new GetProductsResponse { PriceList = Answer(request, page), NextToken = page + 1 < Pages ? (page + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) : null });
        }
    }

    private sealed class Cut(byte[] body, int missing) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var content = new StreamContent(new MemoryStream(body, 0, body.Length - missing));
            content.Headers.ContentLength = body.Length;
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = content });
        }
    }
}
