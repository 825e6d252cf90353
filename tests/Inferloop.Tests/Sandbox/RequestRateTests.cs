using Inferloop.Sandbox;

namespace Inferloop.Tests.Sandbox;

/// <summary>Services take as many requests as AWS's do, and answer what is more with their own error.</summary>
public sealed class RequestRateTests
{
    [Fact]
    public async Task In_real_time_too_many_requests_are_throttled_and_the_bucket_fills_again()
    {
        var sandbox = new SandboxFixture(new SandboxOptions { ClockRate = 1, Seed = 3 });
        await sandbox.InitializeAsync();
        await using var _ = sandbox;
        var client = new SandboxClient(sandbox.Host);
        var route53 = await Many(12, () => client.SendAsync("route53", HttpMethod.Get, "/2013-04-01/hostedzonecount"));
        Assert.InRange(route53.Count(answer => answer.Status == 200), 5, 8);
        Assert.All(route53.Where(answer => answer.Status != 200), answer => Assert.Equal((400, "Throttling"), (answer.Status, answer.ErrorCode)));

        var formation = await Many(160, () => client.QueryAsync("cloudformation", "2010-05-15", "DescribeStacks"));
        Assert.InRange(formation.Count(answer => answer.Status == 200), 100, 145);
        Assert.Contains(formation, answer => (answer.Status, answer.ErrorCode) == (400, "Throttling"));
        // What reads and what changes have buckets of their own, and so has another region.
        Assert.Equal(200, (await new SandboxClient(sandbox.Host) { Region = "eu-west-1" }.QueryAsync("cloudformation", "2010-05-15", "DescribeStacks")).Status);
        var lambda = await Many(130, () => client.SendAsync("lambda", HttpMethod.Get, "/2015-03-31/functions"));
        Assert.Contains(lambda, answer => (answer.Status, answer.ErrorCode) == (429, "TooManyRequestsException"));
        // S3 takes thousands.
        Assert.All(await Many(150, () => client.SendAsync("s3", HttpMethod.Get, "/")), answer => Assert.Equal(200, answer.Status));
        var end = DateTime.UtcNow.AddSeconds(20);
        while ((await client.SendAsync("route53", HttpMethod.Get, "/2013-04-01/hostedzonecount")).Status != 200)
        {
            Assert.True(DateTime.UtcNow < end, "The bucket did not fill again.");
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_clock_that_flies_refills_as_fast_as_it_flies_and_limits_can_be_switched_off()
    {
        foreach (var options in new[] { new SandboxOptions { ClockRate = 3600, Seed = 3 }, new SandboxOptions { ClockRate = 1, Seed = 3, LimitsRequestRates = false } })
        {
            var sandbox = new SandboxFixture(options);
            await sandbox.InitializeAsync();
            await using var _ = sandbox;
            var client = new SandboxClient(sandbox.Host);
            Assert.All(await Many(300, () => client.QueryAsync("cloudformation", "2010-05-15", "DescribeStacks")), answer => Assert.Equal(200, answer.Status));
        }
    }

    [Fact]
    public async Task Requests_that_are_too_large_and_services_that_are_not_there_are_told_in_the_client_s_protocol()
    {
        var sandbox = new SandboxFixture(new SandboxOptions { ClockRate = 3600, Seed = 3 });
        await sandbox.InitializeAsync();
        await using var _ = sandbox;
        var client = new SandboxClient(sandbox.Host);
        var large = await client.SendAsync("ecs", HttpMethod.Post, "/", new byte[(2 * 1024 * 1024) + 1].Select(_ => (byte)' ').ToArray(), new Dictionary<string, string> { ["X-Amz-Target"] = "AmazonEC2ContainerServiceV20141113.ListClusters", ["Content-Type"] = "application/x-amz-json-1.1" });
        Assert.Equal((413, "RequestEntityTooLargeException"), (large.Status, large.ErrorCode));
        await Boto.RunAsync(sandbox.Host, """
            import boto3, botocore.exceptions
            for service, call, args, operation in [('glue', 'get_databases', {}, 'GetDatabases'), ('sesv2', 'list_email_identities', {}, 'GET /v2/email/identities'), ('neptune', 'describe_db_clusters', {}, None),
                    ('redshift', 'describe_clusters', {}, 'DescribeClusters'), ('cloudfront', 'list_distributions', {}, 'GET /2020-05-31/distribution'), ('kinesis', 'list_streams', {}, 'ListStreams')]:
                client = boto3.client(service)
                try: getattr(client, call)(**args)
                except botocore.exceptions.ClientError as e:
                    if operation is not None:
                        assert e.response['Error']['Code'] == 'NotImplemented' and operation in e.response['Error']['Message'], e.response
                else: assert operation is None, service
            print('done')
            """);
    }

    private static async Task<List<SandboxAnswer>> Many(int count, Func<Task<SandboxAnswer>> call)
    {
        var answers = new List<SandboxAnswer>();
        for (var i = 0; i < count; i++)
        {
            answers.Add(await call());
        }
        return answers;
    }
}
