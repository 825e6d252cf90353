using Inferloop.Operations.Specs;
using Inferloop.Templates.Versions;

namespace Inferloop.Tests.Operations.Specs;

/// <summary>Ends of support: one table, and what a spec is told because of it.</summary>
public sealed class VersionTests
{
    private static readonly DateOnly s_today = new(2026, 11, 23);

    private static IEnumerable<InferloopSpecFinding> Findings(DateOnly today, params (string Member, object Value)[] values) => SpecValidator
        .Validate(SpecPresets.Apply(SpecPresets.Create("demo", EnvironmentStage.Dev, "us-east-1"), values.ToDictionary(v => v.Member, v => v.Value)), today: today)
        .Where(f => f.Rule.StartsWith("Version", StringComparison.Ordinal));

    [Theory]
    [InlineData("VersionExtended", "2026-02-28", "DatabaseEngineVersion", "13.7")]
    [InlineData("VersionExtended", "2029-02-28", "DatabaseEngineVersion", "13")]
    [InlineData("VersionEnding", "2027-01-31", "CacheEngineVersion", "6.2")]
    [InlineData("VersionUnsupported", "2026-06-30", "Ec2ImageParameter", "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id", "CapacityMode", "Ec2")]
    public void The_documents_versions_are_accepted_and_warned_about_with_their_end_of_support(string rule, string day, params string[] members)
    {
        var finding = Assert.Single(Findings(s_today, members.Chunk(2).Select(p => (p[0], (object)p[1])).ToArray()));
        Assert.Equal((rule, SpecFindingSeverity.Warning), (finding.Rule, finding.Severity));
        Assert.Contains(day, finding.Message, StringComparison.Ordinal);
        Assert.NotEmpty(finding.Recommendation);
    }

    [Fact]
    public void Defaults_are_in_standard_support_today_and_for_half_a_year()
    {
        Assert.Empty(Findings(s_today));
        Assert.Contains(Findings(new DateOnly(2029, 12, 1)), f => f.Rule == "VersionEnding" && f.Member == "database.databaseEngineVersion");
    }

    [Fact]
    public void A_window_has_its_edges()
    {
        var window = SupportWindows.Rds("postgres", "13.7")!;
        Assert.False(window.IsExtended(window.StandardEnd));
        Assert.True(window.IsExtended(window.StandardEnd.AddDays(1)));
        Assert.False(window.IsOver(window.ExtendedEnd));
        Assert.True(window.IsOver(window.ExtendedEnd.AddDays(1)));
        Assert.Equal([1, 2, 3], new[] { 1, 367, 800 }.Select(d => window.ExtendedYear(window.StandardEnd.AddDays(d))));
        Assert.Null(SupportWindows.Eks("1.99"));
    }

    [Fact]
    public void Every_row_is_in_order_and_says_its_source() =>
        Assert.All(SupportWindows.All, w => Assert.True(w.Released < w.StandardEnd && w.StandardEnd <= w.ExtendedEnd && w.Source.Length > 10, w.ToString()));
}
