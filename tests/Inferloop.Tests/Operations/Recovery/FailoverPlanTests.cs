using FsCheck;
using FsCheck.Fluent;
using Inferloop.Operations;
using Inferloop.Operations.Recovery;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Recovery;

/// <summary>What holds of the plan of every failover, whatever the environment has.</summary>
public sealed class FailoverPlanTests
{
    [Fact]
    public void Every_step_stands_after_those_it_waits_for_and_nothing_waits_for_a_lost_region()
    {
        var shapes =
            from bits in Gen.Choose(0, 255)
            from mode in Gen.Elements(FailoverMode.Graceful, FailoverMode.Ungraceful)
            from standby in Gen.Elements(StandbyMode.BackupOnly, StandbyMode.PilotLight, StandbyMode.Warm)
            from back in Gen.Elements(FailoverDirection.Failover, FailoverDirection.Failback)
            select Shape(bits, back == FailoverDirection.Failback ? FailoverMode.Graceful : mode, standby, back);
        Prop.ForAll(Arb.From(shapes), shape =>
        {
            var steps = FailoverPlan.Make(shape);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var step in steps)
            {
                Assert.Subset(seen, step.After.ToHashSet(StringComparer.Ordinal));
                Assert.True(seen.Add(step.Name), $"{step.Name} is there twice");
                if (shape.Mode == FailoverMode.Ungraceful)
                {
                    Assert.True(step.CanBeDeferred || step.Region == shape.ToRegion, $"{step.Name} works in the region that is lost");
                    Assert.True(step.CanBeDeferred || step.After.All(a => !steps.First(s => s.Name == a).CanBeDeferred), $"{step.Name} waits for what may never be");
                }
            }

            Assert.Equal(Longest(steps), CriticalPath.Length(steps));
            Assert.Equal(steps.Where(s => s.IsCritical).Select(s => s.Name), CriticalPath.Of(steps));
        }).Check(Config.QuickThrowOnFailure);
    }

    [Fact]
    public void A_step_that_is_not_there_is_refused_with_the_nearest()
    {
        var refused = Assert.Throws<OperationException>(() => FailoverPlan.Make(Shape(255, FailoverMode.Graceful, StandbyMode.Warm, FailoverDirection.Failover) with { Approvals = ["Databse"] }));
        Assert.Equal("FailoverStepUnknown", refused.ErrorId);
        Assert.Contains("Database", refused.Message, StringComparison.Ordinal);
    }

    private static FailoverShape Shape(int bits, FailoverMode mode, StandbyMode standby, FailoverDirection direction) => new()
    {
        Mode = mode, StandbyMode = standby, Direction = direction, FromRegion = "us-east-1", ToRegion = "us-west-2",
        HasDatabase = (bits & 1) > 0, HasCache = (bits & 2) > 0, HasTable = (bits & 4) > 0, HasBucket = (bits & 8) > 0, HasSecrets = (bits & 16) > 0, HasDns = (bits & 32) > 0,
        Compute = TimeSpan.FromMinutes(bits % 30),
    };

    /// <summary>The longest way through the steps, found by trying every one.</summary>
    private static TimeSpan Longest(IReadOnlyList<InferloopFailoverStep> steps)
    {
        TimeSpan EndOf(InferloopFailoverStep step) => step.Expected + step.After.Select(a => EndOf(steps.First(s => s.Name == a))).Append(TimeSpan.Zero).Max();
        return steps.Where(s => !s.CanBeDeferred).Select(EndOf).Max();
    }
}
