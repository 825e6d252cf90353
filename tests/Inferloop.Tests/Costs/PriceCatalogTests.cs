using FsCheck;
using FsCheck.Fluent;
using Inferloop.Operations.Costs;

namespace Inferloop.Tests.Costs;

/// <summary>The price catalog: what it holds, what it does not, and how it refuses a file that is not one.</summary>
public sealed class PriceCatalogTests
{
    private const string Header = "region,service,dimension,tier_from,unit,usd,source,as_of";

    [Fact]
    public void Holds_sixteen_regions_with_sources_and_dates()
    {
        var catalog = PriceCatalog.Embedded;
        Assert.Equal(16, catalog.Regions.Count);
        Assert.Equal("2026-10-04", catalog.Newest);
        Assert.Equal(4277 + 104, catalog.Prices.Sum(p => p.Tiers.Count));
        Assert.All(catalog.Prices, p =>
        {
            Assert.NotEmpty(p.Unit);
            Assert.All(p.Tiers, t => Assert.True(t.Usd > 0 && t.Source.Length > 0 && t.AsOf.Length > 0));
            Assert.Equal(p.Tiers.OrderBy(t => t.From), p.Tiers);
        });
    }

    [Fact]
    public void Reads_sources_that_hold_commas_and_quotes()
    {
        Assert.True(PriceCatalog.Embedded.TryFind("us-east-1", "s3", "standard_ia_gb_month", out var price));
        Assert.Equal("AWS Price List offer 20260821071526, us-east-1 (generated table in a public repository)", price.Tiers[0].Source);
        var catalog = Read(Header + "\nr1,a,b,0,hour,1.5,\"one, \"\"two\"\"\",2026-01-01\n");
        Assert.True(catalog.TryFind("r1", "a", "b", out var quoted));
        Assert.Equal("one, \"two\"", quoted.Tiers[0].Source);
    }

    [Fact]
    public void Never_borrows_another_region_s_price()
    {
        // README of the facts: secrets in us-east-1, ap-southeast-1 and ap-northeast-1 only; zones listed once for all regions.
        Assert.True(PriceCatalog.Embedded.TryFind("us-east-1", "secrets_manager", "secret_month", out _));
        Assert.False(PriceCatalog.Embedded.TryFind("eu-west-1", "secrets_manager", "secret_month", out _));
        Assert.True(PriceCatalog.Embedded.TryFind("eu-west-1", "route53", "hosted_zone_month", out var zone));
        Assert.Equal(PriceCatalog.Global, zone.Region);
    }

    [Fact]
    public void Prices_by_tiers()
    {
        // Internet out, us-east-1: 10,240 GB at 0.09, to 51,200 at 0.085, to 153,600 at 0.07; the next tier is in no source.
        Assert.True(PriceCatalog.Embedded.TryFind("us-east-1", "data_transfer", "internet_out_gb", out var price));
        Assert.Equal(9m, price.CostOf(100));
        Assert.Equal((10_240 * 0.09m) + (760 * 0.085m), price.CostOf(11_000));
        var all = (10_240 * 0.09m) + (40_960 * 0.085m) + (102_400 * 0.07m);
        Assert.Equal(all, price.CostOf(153_600));
        Assert.Equal(153_600, price.KnownUpTo);
        Assert.Equal(all, price.CostOf(1_000_000));

        // SNS e-mail: the first 1,000 are free, so the first tier begins there.
        Assert.True(PriceCatalog.Embedded.TryFind("us-east-1", "sns", "email_notification", out var mail));
        Assert.Equal(0m, mail.CostOf(1_000));
        Assert.Equal(0.00002m * 500, mail.CostOf(1_500));
    }

    [Fact]
    public void Tiers_are_continuous_and_more_never_costs_less()
    {
        foreach (var price in PriceCatalog.Embedded.Prices)
        {
            var dearest = price.Tiers.Max(t => t.Usd);
            foreach (var tier in price.Tiers.Skip(1))
            {
                Assert.InRange(price.CostOf(tier.From + 0.001m) - price.CostOf(tier.From), 0m, 0.001m * dearest);
                Assert.InRange(price.CostOf(tier.From) - price.CostOf(tier.From - 0.001m), 0m, 0.001m * dearest);
            }
        }

        var tiered = PriceCatalog.Embedded.Prices.Where(p => p.Tiers.Count > 1).ToArray();
        Prop.ForAll<int, PositiveInt, PositiveInt>((which, a, b) =>
        {
            var price = tiered[(int)((uint)which % tiered.Length)];
            var scale = price.Tiers[^1].From / 500;
            var less = a.Get * scale;
            var more = less + (b.Get * scale);
            return price.CostOf(less) <= price.CostOf(more) && price.CostOf(more) - price.CostOf(less) <= (more - less) * price.Tiers.Max(t => t.Usd);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("region,price\n", "first line")]
    [InlineData(Header + "\n", "no price")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,1,source,2026-01-01\nus-east-1,a,c,0,ho", "line 3")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,1,\"source,2026-01-01\n", "line 2")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,0,source,2026-01-01\n", "line 2")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,-1,source,2026-01-01\n", "line 2")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,1,source,2026-01-01\nus-east-1,a,b,0,hour,2,source,2026-01-01\n", "two prices")]
    [InlineData(Header + "\nus-east-1,a,b,0,hour,1,source,2026-01-01,more\n", "line 2")]
    public void Refuses_what_is_not_a_catalog(string text, string reason)
    {
        var error = Assert.Throws<FormatException>(() => Read(text));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    private static PriceCatalog Read(string text) => PriceCatalog.Read(new StringReader(text), "test.csv");
}
