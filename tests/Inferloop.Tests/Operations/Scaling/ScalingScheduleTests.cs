using Inferloop.Operations.Environments;
using Inferloop.Operations.Scaling;
using Inferloop.Operations.Specs;

namespace Inferloop.Tests.Operations.Scaling;

/// <summary>Schedules and metrics in a spec's words, their next times, and what of drift is scaling's.</summary>
public sealed class ScalingScheduleTests
{
    private static readonly DateTimeOffset Winter = new(2026, 3, 27, 12, 0, 0, TimeSpan.Zero);

    private static InferloopScheduledScaling Action(string schedule, string zone = "Europe/Berlin", int minimum = 2, int maximum = 8) =>
        new() { Name = "morning", Schedule = schedule, TimeZone = zone, Minimum = minimum, Maximum = maximum };

    [Fact]
    public void The_next_times_follow_the_clock_of_their_zone_over_its_change()
    {
        // Friday noon; the last Sunday of March begins summer time: eight in the morning is another hour of UTC on Monday.
        var next = ScalingSchedule.Next(Action("cron(0 8 ? * MON-FRI *)"), Winter, 3);
        Assert.Equal(["2026-03-30 08:00 +02:00", "2026-03-31 08:00 +02:00", "2026-04-01 08:00 +02:00"], next.Select(n => n.ToString("yyyy-MM-dd HH:mm zzz", System.Globalization.CultureInfo.InvariantCulture)));
        Assert.Equal(6, next[0].UtcDateTime.Hour);
        Assert.Equal(8, ScalingSchedule.Next(Action("cron(0 8 ? * MON-FRI *)", "Etc/UTC"), Winter, 1)[0].UtcDateTime.Hour);
        Assert.Equal(Winter.AddHours(6), Assert.Single(ScalingSchedule.Next(Action("at(2026-03-27T18:00:00)", "Etc/UTC"), Winter, 3)));
        Assert.Empty(ScalingSchedule.Next(Action("at(2026-03-26T18:00:00)"), Winter, 3));
    }

    [Theory]
    [InlineData("cron(0 8 * * MON-FRI *)", "Europe/Berlin", 2, 8, "no schedule")]
    [InlineData("cron(0 25 ? * MON *)", "Europe/Berlin", 2, 8, "no schedule")]
    [InlineData("rate(1 hours)", "Europe/Berlin", 2, 8, "no schedule")]
    [InlineData("cron(0 8 ? * MON-FRI *)", "Europe/Nowhere", 2, 8, "no time zone")]
    [InlineData("cron(0 8 ? * MON-FRI *)", "Etc/UTC", 9, 8, "more than the most")]
    public void What_AWS_would_refuse_is_refused(string schedule, string zone, int minimum, int maximum, string why) =>
        Assert.Contains(why, ScalingSchedule.Problem(Action(schedule, zone, minimum, maximum)), StringComparison.Ordinal);

    [Fact]
    public void Texts_read_back_as_they_were_written_and_the_spec_takes_them()
    {
        IReadOnlyList<InferloopScheduledScaling> actions = [Action("cron(0 8 ? * MON,WED *)"), Action("rate(1 hour)", "America/Argentina/Buenos_Aires", 1, 3) with { Name = "often" }];
        var text = ScalingSchedule.ToText(actions);
        Assert.Equal(actions.Select(a => a.ToString()), ScalingSchedule.Parse(text).Select(a => a.ToString()));
        Assert.Matches(ScalingSchedule.Pattern, text);
        Assert.DoesNotMatch(ScalingSchedule.Pattern, ScalingSchedule.ToText(Enumerable.Repeat(actions[0], 6)));
        Assert.Empty(ScalingSchedule.Parse(""));

        const string Metric = "Inferloop|QueueDepth|Average|20|Queue|jobs|Tier|pro";
        Assert.Equal(Metric, ScalingMetric.Parse(Metric)!.ToString());
        Assert.Matches(ScalingMetric.Pattern, Metric);
        Assert.Null(ScalingMetric.Parse("Inferloop|QueueDepth|Average"));

        var spec = SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1").With("TaskScalingSchedule", text).With("TaskScalingMetric", Metric);
        Assert.DoesNotContain(SpecValidator.Validate(spec), f => f.Severity == SpecFindingSeverity.Error);
        Assert.Contains(SpecValidator.Validate(spec.With("TaskScalingSchedule", text + ";" + text)), f => f.Severity == SpecFindingSeverity.Error && f.Message.Contains("two actions", StringComparison.Ordinal));
    }

    [Fact]
    public void What_scaling_moved_within_its_bounds_is_no_drift_and_what_a_hand_changed_is()
    {
        var spec = SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1").With("MinimumTasks", 2).With("MaximumTasks", 6).With("TaskScalingSchedule", "night|cron(0 22 ? * * *)|Etc/UTC|0|2");
        InferloopDrift Drift(string type, string path, params (string Name, string Expected, string Actual)[] properties) => new()
        {
            Environment = "demo", Path = path, LogicalId = path, Type = type, Status = DriftStatus.Modified, StackId = "x",
            Properties = properties.Select(p => new InferloopDriftProperty(p.Name, p.Expected, p.Actual, DriftDifference.NotEqual)).ToList(),
        };
        var judged = ScalingDrift.Judge(spec,
        [
            Drift("AWS::ECS::Service", "Ecs/Service", ("DesiredCount", "2", "5")),
            Drift("AWS::ECS::Service", "Ecs/Service", ("DesiredCount", "2", "0")),
            Drift("AWS::ECS::Service", "Ecs/Service", ("DesiredCount", "2", "7")),
            Drift("AWS::ECS::Service", "Ecs/Service", ("DesiredCount", "2", "5"), ("HealthCheckGracePeriodSeconds", "300", "10")),
            Drift("AWS::ApplicationAutoScaling::ScalableTarget", "Ecs/ScalableTarget", ("MinCapacity", "2", "0"), ("MaxCapacity", "6", "2")),
            Drift("AWS::ApplicationAutoScaling::ScalableTarget", "Ecs/ScalableTarget", ("MinCapacity", "2", "1")),
        ]);
        Assert.Equal([DriftStatus.InSync, DriftStatus.InSync, DriftStatus.Modified, DriftStatus.Modified, DriftStatus.InSync, DriftStatus.Modified], judged.Select(j => j.Status));
        Assert.Equal("HealthCheckGracePeriodSeconds", Assert.Single(judged[3].Properties).Path);
        Assert.Equal("DesiredCount", Assert.Single(judged[3].Scaled).Path);
    }
}
