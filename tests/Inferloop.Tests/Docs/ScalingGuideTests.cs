using Inferloop.Operations.Scaling;

namespace Inferloop.Tests.Docs;

/// <summary>docs/guides/scaling.md: its table has every component with what it can. Its examples run with those of the other guides.</summary>
public sealed class ScalingGuideTests
{
    private static readonly string Guide = Path.Combine(Repository.Root, "docs", "guides", "scaling.md");

    [Fact]
    public async Task The_table_says_what_each_component_has()
    {
        var rows = (await File.ReadAllLinesAsync(Guide, TestContext.Current.CancellationToken)).Where(l => l.StartsWith("| `", StringComparison.Ordinal)).Select(l => l.Split('|')).ToList();
        foreach (var rule in ScalingRules.All)
        {
            var row = Assert.Single(rows, r => r[1].Contains($"`{rule.Component}`", StringComparison.Ordinal));
            Assert.Equal(rule.Minimum is not null, row[3].Contains("minimum", StringComparison.Ordinal) || row[3].Contains("size", StringComparison.Ordinal));
            Assert.Equal(rule.Maximum is not null, row[3].Contains("maximum", StringComparison.Ordinal));
            Assert.Equal(rule.Desired is not null, row[3].Contains("desired", StringComparison.Ordinal));
            Assert.Equal(rule.Schedule is not null, row[5].Contains("yes", StringComparison.Ordinal));
            Assert.Equal(rule.Utilization is not null, row[4].Contains("target of their use", StringComparison.Ordinal));
        }
    }
}
