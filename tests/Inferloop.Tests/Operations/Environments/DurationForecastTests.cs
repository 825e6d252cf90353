using Inferloop.Operations;
using Inferloop.Operations.Environments;
using Inferloop.Operations.Environments.Forecast;
using Inferloop.Templates;

namespace Inferloop.Tests.Operations.Environments;

/// <summary>How long an operation takes: by hand on a small graph, against the sandbox's clock on the whole platform, and while it runs.</summary>
public sealed class DurationForecastTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // VPC 15 s; the bucket (24 s) beside it; subnet 6 s and NAT gateway 120 s after the VPC; the route (16 s) after the gateway; the topic (13 s) after all.
    private const string Small = """
        Resources:
          Vpc: { Type: AWS::EC2::VPC, Properties: { CidrBlock: 10.0.0.0/16 } }
          Bucket: { Type: AWS::S3::Bucket }
          Subnet: { Type: AWS::EC2::Subnet, Properties: { VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24 } }
          Nat: { Type: AWS::EC2::NatGateway, Properties: { SubnetId: !Ref Subnet } }
          Route: { Type: AWS::EC2::Route, Properties: { RouteTableId: rtb-1, NatGatewayId: !Ref Nat } }
          Topic: { Type: AWS::SNS::Topic, DependsOn: [Route, Bucket] }
        """;

    private static async Task<EvaluatedStack> EvaluateAsync(string text) => await StackEvaluator.EvaluateAsync(
        Template.Parse(text), new EvaluationContext { StackName = "s", Region = "us-east-1", AccountId = "123456789012" }, Stop);

    [Fact]
    public async Task A_create_takes_as_long_as_its_longest_chain()
    {
        var forecast = DurationForecast.OfCreate(await EvaluateAsync(Small));
        Assert.Equal(15 + 6 + 120 + 16 + 13, forecast.Total.TotalSeconds);
        Assert.Equal(["Vpc", "Subnet", "Nat", "Route", "Topic"], forecast.CriticalPath);
        Assert.Equal(24, forecast["Bucket"].TotalSeconds);
    }

    [Fact]
    public async Task A_removal_goes_the_other_way()
    {
        var forecast = DurationForecast.OfDelete(await EvaluateAsync(Small));
        Assert.Equal(3 + 3 + 70 + 4 + 4, forecast.Total.TotalSeconds);
        Assert.Equal(["Topic", "Route", "Nat", "Subnet", "Vpc"], forecast.CriticalPath);
    }

    [Fact]
    public async Task An_update_takes_what_changes_and_then_what_goes()
    {
        InferloopChange Change(string path, string type, EnvironmentChangeAction action) => new() { Action = action, LogicalId = path, Path = path, Type = type };
        var forecast = DurationForecast.OfUpdate(
            await EvaluateAsync(Small),
            [Change("Bucket", "AWS::S3::Bucket", EnvironmentChangeAction.Modify), Change("Subnet", "AWS::EC2::Subnet", EnvironmentChangeAction.Modify), Change("Old", "AWS::EC2::NatGateway", EnvironmentChangeAction.Remove)]);
        Assert.Equal(22 + 70, forecast.Total.TotalSeconds);
        Assert.Equal(["Bucket", "Old"], forecast.CriticalPath);
    }

    [Fact]
    public async Task What_is_done_and_what_is_under_way_shorten_what_is_left()
    {
        var forecast = DurationForecast.OfCreate(await EvaluateAsync(Small));
        double Left(string[] done, params (string Path, int Seconds)[] running) =>
            forecast.Remaining(done.ToHashSet(), running.ToDictionary(r => r.Path, r => TimeSpan.FromSeconds(r.Seconds))).TotalSeconds;
        Assert.Equal(6 + 120 + 16 + 13, Left(["Vpc"]));
        Assert.Equal(80 + 16 + 13, Left(["Vpc", "Subnet"], ("Nat", 40)));
        Assert.Equal(12 + 16 + 13, Left(["Vpc", "Subnet"], ("Nat", 500)));
        Assert.Equal(24 + 13, Left(["Vpc", "Subnet", "Nat", "Route"]));
        Assert.Equal(0, Left(["Vpc", "Subnet", "Nat", "Route", "Topic", "Bucket"]));
    }

    [Fact]
    public async Task The_bar_never_goes_back_and_the_time_left_follows_the_pace_of_this_account()
    {
        var time = new SteppedTime();
        var progress = new StackProgress("Creating demo", DurationForecast.OfCreate(await EvaluateAsync(Small)), time);
        var shown = new List<OperationProgress> { progress.Current() };
        Assert.Equal(170, shown[0].Remaining!.Value.TotalSeconds);

        // Everything takes twice as long as usual.
        foreach (var (path, seconds) in new[] { ("Vpc", 30), ("Subnet", 12), ("Nat", 240), ("Route", 32) })
        {
            shown.Add(progress.Apply(Event(path, "CREATE_IN_PROGRESS")));
            time.Step(TimeSpan.FromSeconds(seconds));
            shown.Add(progress.Apply(Event(path, "CREATE_COMPLETE")));
        }

        shown.Add(progress.Apply(Event("Bucket", "CREATE_COMPLETE")));
        Assert.Equal(shown.Select(s => s.Percent).Order(), shown.Select(s => s.Percent));
        Assert.Equal(13 * 2, shown[^1].Remaining!.Value.TotalSeconds, 1.0);
        Assert.InRange(shown[^1].Percent, 85, 99);
        Assert.Equal(5, progress.Done);
        Assert.Null(progress.Apply(Event("s", "ROLLBACK_IN_PROGRESS", isStack: true)).Remaining);
    }

    [Fact]
    public async Task The_platform_takes_on_the_sandbox_what_was_foretold()
    {
        await using var harness = await EnvironmentHarness.StartAsync(clockRate: 120);
        harness.UseShippedTemplates();
        var ada = harness.Operator();
        var spec = EnvironmentHarness.Spec with { Database = new() { DatabaseEnabled = false }, Cache = new() { CacheEnabled = false } };
        await using var prepared = await ada.Operations.PrepareCreateAsync(spec, preview: false, resume: false, Stop);
        var foretold = prepared.ChangeSet!.ForecastDuration;
        Assert.NotEmpty(prepared.ChangeSet.CriticalPath);
        Assert.All(prepared.ChangeSet.Changes, c => Assert.True(c.ForecastDuration > TimeSpan.Zero, c.Path));
        await prepared.ExecuteAsync(wait: true, cancelOnStop: false, Stop);
        var stack = (await harness.CloudFormation.DescribeStacksAsync(new() { StackName = spec.StackName }, Stop)).Stacks.Single();
        string? token = null;
        var moments = new List<DateTime>();
        do
        {
            var page = await harness.CloudFormation.DescribeStackEventsAsync(new() { StackName = stack.StackId, NextToken = token }, Stop);
            moments.AddRange(page.StackEvents.Where(e => e.ResourceStatus.Value is "CREATE_IN_PROGRESS" or "CREATE_COMPLETE").Select(e => e.Timestamp!.Value));
            token = page.NextToken;
        }
        while (!string.IsNullOrEmpty(token));
        var took = moments.Max() - moments.Min();
        Assert.InRange(took / foretold, 0.6, 1.7);
        Assert.Contains(ada.Shown, p => p is { Remaining.Ticks: > 0, Percent: > 0 and < 100 });
    }

    [Fact]
    public void Every_type_of_the_templates_that_takes_long_has_a_row()
    {
        // A row is worth having where it says something else than the usual 5 seconds; all of these are waited for by CloudFormation.
        var slow = new[] { "AWS::EC2::NatGateway", "AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBInstance", "AWS::ElastiCache::ReplicationGroup", "AWS::EKS::Cluster", "AWS::EKS::Nodegroup" };
        Assert.Empty(slow.Except(ResourceDurations.Types));
        Assert.All(slow, type => Assert.True(ResourceDurations.Of(type, EnvironmentChangeAction.Add) >= TimeSpan.FromMinutes(2)));
    }

    private static InferloopEnvironmentEvent Event(string path, string status, bool isStack = false) => new()
    {
        Time = DateTimeOffset.UnixEpoch, Environment = "demo", Path = path, LogicalId = path, Type = isStack ? "AWS::CloudFormation::Stack" : "AWS::EC2::VPC", Status = status, Reason = "", StackId = "arn:s", PhysicalId = isStack ? "arn:s" : "p", EventId = path + status,
    };

    private sealed class SteppedTime : TimeProvider
    {
        private long ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => ticks;

        public void Step(TimeSpan by) => ticks += by.Ticks;
    }
}
