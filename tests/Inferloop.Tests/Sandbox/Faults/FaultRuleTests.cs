using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Tests.Sandbox.Faults;

/// <summary>Which calls a rule strikes: by name, by chance, by number and by time.</summary>
public sealed class FaultRuleTests : IDisposable
{
    private readonly SandboxClock clock = new(rate: 0);

    public void Dispose() => clock.Dispose();

    private SandboxFaults Faults(int? seed = 7) => new(clock, seed, Regions.All.Contains);

    private static SandboxFaultRule Rule(SandboxFaultKind kind = SandboxFaultKind.Throttling) => new() { Kind = kind };

    private static bool[] Strikes(SandboxFaults faults, int calls) =>
        [.. Enumerable.Range(0, calls).Select(_ => faults.Strike("ecs", "CreateService", "us-east-1", []) is not null)];

    [Fact]
    public void Wildcards_match_as_a_regular_expression_would() => Prop.ForAll(
        Gen.Elements("", "a", "b", "*", "?", "ab", "a*b").ListOf().Select(parts => string.Concat(parts)).ToArbitrary(),
        Gen.Elements("", "a", "b", "A", "ab").ListOf().Select(parts => string.Concat(parts)).ToArbitrary(),
        (pattern, text) =>
        {
            var expected = System.Text.RegularExpressions.Regex.IsMatch(
                text, "^" + System.Text.RegularExpressions.Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "$",
                System.Text.RegularExpressions.RegexOptions.IgnoreCase | System.Text.RegularExpressions.RegexOptions.CultureInvariant);
            return expected == Wildcard.Matches(pattern, text);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("ecs", "CreateService", "*", "*", true)]
    [InlineData("ecs", "*service", "*", "*", true)]
    [InlineData("ECS", "createservice", "web", "us-east-1", true)]
    [InlineData("*", "*", "arn:aws:ecs:*:cluster/main", "us-*", true)]
    [InlineData("*", "*", "main", "*", true)]
    [InlineData("ec2", "*", "*", "*", false)]
    [InlineData("ecs", "UpdateService", "*", "*", false)]
    [InlineData("ecs", "*", "other", "*", false)]
    [InlineData("ecs", "*", "*", "eu-*", false)]
    public void A_rule_strikes_the_calls_it_names(string service, string operation, string resource, string region, bool expected)
    {
        var faults = Faults();
        faults.Add(Rule() with { Service = service, Operation = operation, Resource = resource, Region = region });
        var input = (JsonObject)JsonNode.Parse("""{"serviceName":"web","cluster":"arn:aws:ecs:us-east-1:123456789012:cluster/main","tags":[{"key":"a"}]}""")!;
        Assert.Equal(expected, faults.Strike("ecs", "CreateService", "us-east-1", input) is not null);
    }

    [Fact]
    public void A_service_is_also_known_by_the_name_that_requests_are_signed_for()
    {
        var faults = Faults();
        faults.Add(Rule() with { Service = "elasticloadbalancing" });
        Assert.NotNull(faults.Strike("elbv2", "DescribeLoadBalancers", "us-east-1", []));
    }

    [Fact]
    public void Under_a_seed_the_same_calls_are_struck_at_every_run()
    {
        bool[] Run(int seed, double probability)
        {
            var faults = Faults(seed);
            faults.Add(Rule() with { Probability = probability });
            return Strikes(faults, 2000);
        }

        Assert.Equal(Run(1, 0.3), Run(1, 0.3));
        Assert.NotEqual(Run(1, 0.3), Run(2, 0.3));
        Assert.InRange(Run(1, 0.3).Count(struck => struck), 520, 680);
        // A likelier fault strikes the calls that an unlikelier one would have, and more.
        Assert.All(Run(1, 0.3).Zip(Run(1, 0.6)), pair => Assert.True(!pair.First || pair.Second));
    }

    [Fact]
    public void A_seed_of_the_rule_goes_before_that_of_the_sandbox()
    {
        bool[] Run(int sandbox)
        {
            var faults = Faults(sandbox);
            faults.Add(Rule() with { Probability = 0.5, Seed = 3 });
            return Strikes(faults, 100);
        }

        Assert.Equal(Run(1), Run(2));
    }

    [Fact]
    public void A_counted_fault_ends_when_it_has_struck_that_often()
    {
        var faults = Faults();
        var fault = faults.Add(Rule() with { Count = 2 });
        Assert.Equal([true, true, false, false], Strikes(faults, 4));
        Assert.Equal((SandboxFaultState.Ended, 2L, 2L), (fault.State, fault.Struck, fault.Met));
    }

    [Fact]
    public void A_fault_strikes_in_its_time_only()
    {
        var faults = Faults();
        var fault = faults.Add(Rule() with { StartsAfter = TimeSpan.FromMinutes(5), Duration = TimeSpan.FromMinutes(10) });
        var told = new List<SandboxFaultState>();
        faults.Changed += changed => told.Add(changed.State);
        Assert.Equal((SandboxFaultState.Waiting, false), (fault.State, Strikes(faults, 1)[0]));
        clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((SandboxFaultState.Active, true), (fault.State, Strikes(faults, 1)[0]));
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal((SandboxFaultState.Ended, false), (fault.State, Strikes(faults, 1)[0]));
        Assert.Equal([SandboxFaultState.Active, SandboxFaultState.Ended], told);
    }

    [Fact]
    public void The_first_rule_that_strikes_decides_and_one_that_is_removed_strikes_no_more()
    {
        var faults = Faults();
        var first = faults.Add(Rule(SandboxFaultKind.ServerError) with { Service = "ecs" });
        var second = faults.Add(Rule());
        Assert.Same(first, faults.Strike("ecs", "ListServices", "us-east-1", []));
        Assert.True(faults.Remove(first.Id));
        Assert.False(faults.Remove(first.Id));
        Assert.Equal(SandboxFaultState.Removed, first.State);
        Assert.Same(second, faults.Strike("ecs", "ListServices", "us-east-1", []));
    }

    [Fact]
    public void A_copy_arrives_after_the_lag_and_waits_for_a_region_that_is_lost()
    {
        var faults = Faults();
        var links = new RegionLinks(clock, faults);
        var arrived = new List<string>();
        void Copy(string name, string table) => links.Send("dynamodb", table, "us-east-1", "us-west-2", TimeSpan.FromSeconds(1), () => arrived.Add(name));

        Copy("prompt", "orders");
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["prompt"], arrived);

        faults.Add(Rule(SandboxFaultKind.ReplicationLag) with { Service = "dynamodb", Resource = "orders", Delay = TimeSpan.FromMinutes(10) });
        Copy("late", "orders");
        Copy("other", "sessions");
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(["prompt", "other"], arrived);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["prompt", "other", "late"], arrived);

        var loss = faults.Add(Rule(SandboxFaultKind.RegionLoss) with { Region = "us-west-2" });
        Copy("held", "sessions");
        clock.Advance(TimeSpan.FromHours(1));
        Assert.DoesNotContain("held", arrived);
        Assert.Null(faults.ReplicationLag("dynamodb", "sessions", "us-east-1", "us-west-2"));
        faults.Remove(loss.Id);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["prompt", "other", "late", "held"], arrived);
    }

    public static TheoryData<string, SandboxFaultRule> Impossible => new()
    {
        { "probability", Rule() with { Probability = 0 } },
        { "probability", Rule() with { Probability = 1.5 } },
        { "count", Rule() with { Count = 0 } },
        { "past", Rule() with { StartsAfter = TimeSpan.FromSeconds(-1) } },
        { "duration", Rule() with { Duration = TimeSpan.Zero } },
        { "needs a delay", Rule(SandboxFaultKind.Latency) },
        { "needs the zone", Rule(SandboxFaultKind.ZoneLoss) },
        { "no availability zone us-east-1z", Rule(SandboxFaultKind.ZoneLoss) with { Zone = "us-east-1z" } },
        { "needs the region", Rule(SandboxFaultKind.RegionLoss) },
        { "no region mars-1", Rule(SandboxFaultKind.RegionLoss) with { Region = "mars-1" } },
        { "no service payroll", Rule() with { Service = "payroll" } },
        { "no operation CreateTable", Rule() with { Service = "ecs", Operation = "CreateTable" } },
        { "Create, Update or Delete", Rule(SandboxFaultKind.ResourceFailure) with { Operation = "CreateStack" } },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void A_rule_that_cannot_be_is_refused_with_the_reason(string expected, SandboxFaultRule rule)
    {
        var faults = Faults();
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => faults.Add(rule)).Message, StringComparison.Ordinal);
        Assert.Empty(faults.All);
    }
}
