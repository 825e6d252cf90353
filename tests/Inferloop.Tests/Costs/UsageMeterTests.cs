using Amazon.CloudWatch;
using Amazon.Runtime;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Measuring;
using Inferloop.Operations.Environments;
using Inferloop.Sandbox;
using Inferloop.Sandbox.Services.CloudWatch;

namespace Inferloop.Tests.Costs;

/// <summary>Usage from metrics, read from the sandbox's CloudWatch.</summary>
public sealed class UsageMeterTests
{
    private const double Gb = 1024d * 1024 * 1024;

    private static readonly DeployedResource[] Resources =
    [
        new("Ecs/LoadBalancer", "AWS::ElasticLoadBalancingV2::LoadBalancer", "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/demo/50dc6c495c0c9188", "CREATE_COMPLETE", "s"),
        new("Network/NatGateway1", "AWS::EC2::NatGateway", "nat-1", "CREATE_COMPLETE", "s"),
        new("Network/NatGateway2", "AWS::EC2::NatGateway", "nat-2", "CREATE_COMPLETE", "s"),
        new("Network/Gone", "AWS::EC2::NatGateway", "nat-gone", "DELETE_COMPLETE", "s"),
        new("Storage/DataBucket", "AWS::S3::Bucket", "data", "CREATE_COMPLETE", "s"),
        new("Storage/Table", "AWS::DynamoDB::Table", "table", "CREATE_COMPLETE", "s"),
        new("Lambda/Function", "AWS::Lambda::Function", "function", "CREATE_COMPLETE", "s"),
        new("Database/Database", "AWS::RDS::DBInstance", "db", "CREATE_COMPLETE", "s"),
    ];

    [Fact]
    public async Task What_metrics_tell_is_taken_to_a_month_and_the_rest_is_the_profile()
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 0 }, TestContext.Current.CancellationToken);
        var now = host.Clock.Now;

        // Ten days from midnight to now, whatever time of day it is.
        var created = new DateTimeOffset(now.UtcDateTime.Date.AddDays(-10), TimeSpan.Zero);
        var hours = (decimal)(now - created).TotalHours;
        void Put(string space, string name, double value, params (string, string)[] dimensions) => Publish(host, space, name, now.AddHours(-12), value, dimensions);
        Put("AWS/ApplicationELB", "ProcessedBytes", 10 * Gb, ("LoadBalancer", "app/demo/50dc6c495c0c9188"));
        Put("AWS/NATGateway", "BytesInFromSource", 2 * Gb, ("NatGatewayId", "nat-1"));
        Put("AWS/NATGateway", "BytesInFromDestination", 5 * Gb, ("NatGatewayId", "nat-2"));
        Put("AWS/NATGateway", "BytesInFromSource", 1000 * Gb, ("NatGatewayId", "nat-gone"));
        Publish(host, "AWS/NATGateway", "BytesInFromSource", created.AddDays(-3), 500 * Gb, ("NatGatewayId", "nat-1"));
        Put("AWS/S3", "BucketSizeBytes", 40 * Gb, ("BucketName", "data"), ("StorageType", "StandardStorage"));
        Put("AWS/S3", "BucketSizeBytes", 2 * Gb, ("BucketName", "data"), ("StorageType", "StandardIAStorage"));
        Put("AWS/DynamoDB", "ConsumedReadCapacityUnits", 1000, ("TableName", "table"));
        Put("AWS/Lambda", "Invocations", 1, ("FunctionName", "function"));
        Put("AWS/Lambda", "Invocations", 1, ("FunctionName", "function"));
        Put("AWS/Lambda", "Duration", 100, ("FunctionName", "function"));
        Put("AWS/Lambda", "Duration", 300, ("FunctionName", "function"));
        var use = await new UsageMeter(Client(host)).MeasureAsync(Resources, null, created, now, 30, TestContext.Current.CancellationToken);
        var profile = use.Over(UsageProfile.Medium);

        Assert.Equal(Math.Round(7 * 730 / hours, 6), Math.Round(profile.NatProcessedGb, 6));
        Assert.Equal(Math.Round(10 * 730 / hours, 6), Math.Round(profile.LoadBalancerGb, 6));
        Assert.Equal(Math.Round(profile.LoadBalancerGb * 500 / 700, 6), Math.Round(profile.InternetOutGb, 6));
        Assert.Equal(Math.Round(1000 * 730 / hours, 6), Math.Round(profile.TableReadUnits, 6));
        Assert.Equal(42, profile.StoredGb);
        Assert.Equal(200, profile.LambdaMilliseconds);

        // No metric tells of these; and a part is not greater than its whole.
        Assert.Equal(UsageProfile.Medium.KeyRequests, profile.KeyRequests);
        Assert.Equal(UsageProfile.Medium.TableWriteUnits, profile.TableWriteUnits);
        Assert.True(profile.StoredAddedGb <= profile.StoredGb && profile.NatInternetOutGb <= profile.NatProcessedGb);
        Assert.Contains("NatProcessedGb", Assert.Single(use.Notes(UsageProfile.Medium)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_data_all_is_the_profile_and_says_so()
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 0 }, TestContext.Current.CancellationToken);
        var use = await new UsageMeter(Client(host)).MeasureAsync(Resources, null, host.Clock.Now.AddDays(-2), host.Clock.Now, 14, TestContext.Current.CancellationToken);
        Assert.Equal(UsageProfile.Small with { Name = "" }, use.Over(UsageProfile.Small) with { Name = "" });
        Assert.Contains("no data", Assert.Single(use.Notes(UsageProfile.Small)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_environment_of_a_minute_says_nothing_yet()
    {
        await using var host = await SandboxHost.StartAsync(new SandboxOptions { ClockRate = 0 }, TestContext.Current.CancellationToken);
        var error = await Assert.ThrowsAsync<OperationException>(() => new UsageMeter(Client(host)).MeasureAsync(Resources, null, host.Clock.Now.AddMinutes(-1), host.Clock.Now, 14, TestContext.Current.CancellationToken));
        Assert.Equal("MeasuredTimeTooShort", error.ErrorId);
    }

    private static void Publish(SandboxHost host, string space, string name, DateTimeOffset time, double value, params (string, string)[] dimensions) =>
        host.Runtime.Service<CloudWatchService>().Publish(host.Runtime.SystemContext("123456789012", "us-east-1"), space, name, time, [(value, 1)], "None", dimensions);

    private static AmazonCloudWatchClient Client(SandboxHost host) =>
        new(new BasicAWSCredentials(host.AccessKeyId, host.SecretAccessKey), new AmazonCloudWatchConfig { ServiceURL = host.Endpoint.ToString(), AuthenticationRegion = "us-east-1" });
}
