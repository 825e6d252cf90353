using FsCheck;
using FsCheck.Fluent;
using Inferloop.Sandbox.Traffic;

namespace Inferloop.Tests.Sandbox.Traffic;

/// <summary>How many requests a profile has at a moment, and the files it is read from.</summary>
public sealed class LoadProfileTests
{
    private static readonly DateTimeOffset Set = new(2026, 3, 1, 6, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_ramp_rises_in_a_straight_line_and_stays()
    {
        var ramp = SandboxLoadProfile.Ramp(10, 110, TimeSpan.FromMinutes(10));
        Assert.Equal([0, 10, 60, 110, 110], new[] { -1.0, 0, 5, 10, 600 }.Select(minutes => ramp.At(Set, Set.AddMinutes(minutes))));
        // The minute of its beginning has the part of it that has passed.
        Assert.Equal(15 * 60, ramp.InSpanBefore(Set, Set.AddMinutes(1), TimeSpan.FromMinutes(1)), 6);
        Assert.Equal(0, ramp.InSpanBefore(Set, Set, TimeSpan.FromMinutes(1)), 6);
    }

    [Fact]
    public void Steps_hold_and_repeat()
    {
        var steps = new SandboxLoadProfile { Points = [new(TimeSpan.Zero, 5), new(TimeSpan.FromMinutes(10), 50)], IsStepped = true, Repeat = TimeSpan.FromMinutes(20) };
        Assert.Equal([5, 5, 50, 50, 5, 50], new[] { 0.0, 9.9, 10, 19, 20, 31 }.Select(minutes => steps.At(Set, Set.AddMinutes(minutes))));
    }

    [Fact]
    public void A_day_has_its_peak_at_its_hour_whenever_it_was_set()
    {
        var day = SandboxLoadProfile.Daily(10, 100, TimeSpan.FromHours(15));
        Assert.Equal(100, day.At(Set, Set.Date.AddHours(15)), 6);
        Assert.Equal(10, day.At(Set, Set.Date.AddDays(2).AddHours(3)), 6);
        Assert.Equal(55, day.At(Set, Set.Date.AddHours(21)), 6);
        Assert.InRange(day.At(Set, Set.Date.AddHours(23.99)), 10, 55);
    }

    [Fact]
    public void A_day_never_leaves_its_bounds() => Prop.ForAll(
        Gen.Choose(0, 24 * 60 * 10).ToArbitrary(), Gen.Choose(0, 23).ToArbitrary(), (minutes, peak) =>
            SandboxLoadProfile.Daily(10, 100, TimeSpan.FromHours(peak)).At(Set, Set.AddMinutes(minutes)) is >= 9.999999 and <= 100.000001).QuickCheckThrowOnFailure();

    [Fact]
    public void Files_say_the_same_in_yaml_and_csv()
    {
        var yaml = LoadProfileFile.ParseYaml("""
            errorShare: 0.02
            latency: 0:00:00.250
            cpuPerRequest: 0:00:00.010
            stepped: true
            repeat: 1:00:00
            points:
              - { at: 0:00, requestsPerSecond: 20 }
              - { at: 0:30, requestsPerSecond: 300.5 }
            """);
        Assert.Equal((0.02, TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(10), true, TimeSpan.FromHours(1)), (yaml.ErrorShare, yaml.Latency, yaml.CpuPerRequest, yaml.IsStepped, yaml.Repeat!.Value));
        var csv = LoadProfileFile.ParseCsv("RequestsPerSecond,At\r\n20,0:00\r\n\"300.5\",0:30\r\n");
        Assert.Equal(yaml.Points, csv.Points);
    }

    [Theory]
    [InlineData("points: 5", "Line 1: points is a list.")]
    [InlineData("points:\n  - { at: 0:00 }", "Line 2: a point has")]
    [InlineData("points:\n  - { at: soon, requestsPerSecond: 1 }", "Line 2: 'soon' is not a time")]
    [InlineData("pionts: []", "no member pionts")]
    [InlineData("errorShare: lots", "'lots' is not a number")]
    [InlineData("[1]", "one mapping")]
    [InlineData("a: [", "Line ")]
    public void What_is_wrong_with_a_file_is_said_with_its_line(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => LoadProfileFile.ParseYaml(text)).Message, StringComparison.Ordinal);

    public static TheoryData<string, SandboxLoadProfile> Impossible => new()
    {
        { "at least one point", new() { Points = [] } },
        { "order of their time", new() { Points = [new(TimeSpan.FromMinutes(2), 1), new(TimeSpan.FromMinutes(1), 1)] } },
        { "between 0 and 10,000,000", SandboxLoadProfile.Constant(double.NaN) },
        { "repeats after its last point", SandboxLoadProfile.Ramp(1, 2, TimeSpan.FromHours(1)) with { Repeat = TimeSpan.FromMinutes(1) } },
        { "shares of errors", SandboxLoadProfile.Constant(1) with { ErrorShare = 0.7, ClientErrorShare = 0.7 } },
        { "latency", SandboxLoadProfile.Constant(1) with { Latency = TimeSpan.Zero } },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void A_profile_that_cannot_be_is_refused(string expected, SandboxLoadProfile profile) =>
        Assert.Contains(expected, profile.Problem(), StringComparison.Ordinal);
}
