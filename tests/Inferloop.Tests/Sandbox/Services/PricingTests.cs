using System.Text.Json.Nodes;
using Inferloop.Tests.Operations;
using Inferloop.Tests.PowerShell;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.PriceLists;

namespace Inferloop.Tests.Sandbox.Services;

/// <summary>The price list of the sandbox is the module's catalog, in AWS's form: what is taken in again is what it was.</summary>
public sealed class PricingTests : ServiceTestBase
{
    [Fact]
    public async Task Every_product_has_the_price_of_its_place_in_the_catalog()
    {
        var catalog = PriceCatalog.Embedded.Prices.ToDictionary(price => (price.Region, price.Service, price.Dimension));
        var services = (await Call("pricing", "DescribeServices"))["Services"]!.AsArray().Select(service => (string)service!["ServiceCode"]!).ToList();
        Assert.Superset(new HashSet<string> { "AmazonEC2", "AmazonRDS", "AmazonS3", "AWSLambda", "AmazonDynamoDB", "AmazonECS", "AWSELB" }, services.ToHashSet());
        var seen = 0;
        foreach (var service in services)
        {
            string? token = null;
            do
            {
                var page = await Call("pricing", "GetProducts", new JsonObject { ["ServiceCode"] = service, ["NextToken"] = token }.ToJsonString());
                foreach (var product in page["PriceList"]!.AsArray())
                {
                    var tiers = PriceListItem.Parse((string)product!).ToList();
                    var place = Assert.IsType<Inferloop.Templates.Prices.CatalogPlace>(PriceListRules.Place(tiers[0]));
                    var region = tiers[0]["regionCode"] is { Length: > 0 } own ? own : tiers[0]["fromRegionCode"];
                    var price = catalog[(region, place.Service, place.Dimension)];
                    Assert.Equal(price.Tiers.Select(tier => (Math.Round(tier.From, 6), Math.Round(tier.Usd, 9))), tiers.Select(tier => (Math.Round(tier.Begin * place.Bounds, 6), Math.Round(tier.Usd * place.Factor, 9))));
                    seen++;
                }
                token = (string?)page["NextToken"];
            }
            while (token is not null);
        }
        Assert.True(seen > 1500, $"{seen} products");
    }
}

/// <summary>The price list with boto3.</summary>
public sealed class PricingWireTests(SandboxFixture sandbox)
{
    [Fact]
    public Task Products_attributes_and_errors_with_boto3() => Boto.RunAsync(sandbox.Host, """
        import boto3, botocore.exceptions, json
        p = boto3.client('pricing')
        term = lambda f, v: {'Type': 'TERM_MATCH', 'Field': f, 'Value': v}
        found = p.get_products(ServiceCode='AmazonEC2', Filters=[term('instanceType', 'm5.large'), term('regionCode', 'us-east-1'), term('operatingSystem', 'Linux'), term('tenancy', 'Shared')])
        assert found['FormatVersion'] == 'aws_v1' and len(found['PriceList']) == 1, found
        product = json.loads(found['PriceList'][0])
        assert product['product']['attributes']['usagetype'] == 'BoxUsage:m5.large' and product['product']['productFamily'] == 'Compute Instance'
        (term_,) = product['terms']['OnDemand'].values()
        (price,) = term_['priceDimensions'].values()
        assert float(price['pricePerUnit']['USD']) == 0.096 and price['endRange'] == 'Inf', price
        pages = list(p.get_paginator('get_products').paginate(ServiceCode='AmazonEC2', PaginationConfig={'PageSize': 50}))
        assert len(pages) > 5 and sum(len(x['PriceList']) for x in pages) > 500
        assert 'us-east-1' in [v['Value'] for x in p.get_paginator('get_attribute_values').paginate(ServiceCode='AWSLambda', AttributeName='regionCode') for v in x['AttributeValues']]
        assert 'instanceType' in p.describe_services(ServiceCode='AmazonRDS')['Services'][0]['AttributeNames']
        tiers = json.loads(p.get_products(ServiceCode='AmazonS3', Filters=[term('regionCode', 'us-east-1'), term('usagetype', 'TimedStorage-ByteHrs')])['PriceList'][0])
        (t,) = tiers['terms']['OnDemand'].values()
        assert len(t['priceDimensions']) == 3
        for code, call, args in [('NotFoundException', p.get_products, {'ServiceCode': 'AmazonNothing'}), ('InvalidNextTokenException', p.get_products, {'ServiceCode': 'AmazonEC2', 'NextToken': 'x'}),
                ('NotFoundException', p.get_attribute_values, {'ServiceCode': 'AmazonEC2', 'AttributeName': 'nothing'}), ('NotFoundException', p.get_price_list_file_url, {'PriceListArn': 'arn:aws:pricing:::price-list/aws/AmazonEC2/USD/1/mars-1', 'FileFormat': 'csv'})]:
            try: call(**args)
            except botocore.exceptions.ClientError as e: assert e.response['Error']['Code'] == code, e.response
            else: raise AssertionError(code)
        import urllib.request
        lists = p.list_price_lists(ServiceCode='AmazonRDS', CurrencyCode='USD', EffectiveDate='2026-10-01')['PriceLists']
        assert len(lists) > 3 and not p.list_price_lists(ServiceCode='AmazonRDS', CurrencyCode='CNY', EffectiveDate='2026-10-01')['PriceLists']
        url = p.get_price_list_file_url(PriceListArn=next(x['PriceListArn'] for x in lists if x['RegionCode'] == 'us-east-1'), FileFormat='json')['Url']
        offer = json.load(urllib.request.urlopen(url))
        assert offer['offerCode'] == 'AmazonRDS' and len(offer['products']) == len(offer['terms']['OnDemand']) > 10
        assert 'inferloop-sandbox-price-lists' not in [b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']]
        print('done')
        """);
}

/// <summary>The module takes its catalog in from the sandbox, by questions and by files.</summary>
public sealed class PricingCmdletTests
{
    [Theory]
    [InlineData("")]
    [InlineData("-Bulk")]
    public void The_catalog_is_updated_from_the_sandbox_and_is_what_it_was(string how)
    {
        using var module = new ModuleFixture();
        var folder = Directory.CreateTempSubdirectory("inferloop-prices-").FullName;
        try
        {
            module.Invoke("Start-InferloopSandbox -ClockRate 3600 -Seed 1 | Out-Null").EnsureSuccess();
            var path = Path.Combine(folder, "prices.csv");
            var update = module.Invoke($"Update-InferloopPriceCatalog us-east-1, eu-west-1 -Service AmazonRDS, AWSELB, AmazonS3 {how} -Path $path", new { path }).EnsureSuccess().Output.Single();
            Assert.Equal(0, update.Properties["Changed"].Value);
            using var reader = new StreamReader(path);
            Assert.Equal(PriceCatalog.Embedded.Prices.Count(), PriceCatalog.Read(reader, path).Count);
        }
        finally
        {
            module.Invoke("Stop-InferloopSandbox");
            Directory.Delete(folder, recursive: true);
        }
    }
}
