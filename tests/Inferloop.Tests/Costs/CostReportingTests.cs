using System.Text.Json.Nodes;
using System.Xml.Linq;
using Inferloop.Operations;
using Inferloop.Operations.Costs;
using Inferloop.Operations.Costs.Reporting;
using Inferloop.Operations.Specs;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Costs;

/// <summary>Prices held to limits, and written down for CI systems.</summary>
public sealed class CostReportingTests
{
    [Fact]
    public async Task Limits_pass_and_fail()
    {
        var estimate = CostEstimator.Estimate(await CostEstimatorTests.PresetAsync(EnvironmentStage.Prod));
        Assert.True(new CostLimits { MaxMonthlyCost = estimate.MonthlyExpected }.Check(estimate).Passed);
        var gate = new CostLimits { MaxMonthlyCost = estimate.MonthlyExpected - 0.01m }.Check(estimate);
        Assert.Equal((false, 1), (gate.Passed, gate.ExitCode));
        Assert.Equal("cost/monthly", Assert.Single(gate.Failures).Rule);
        Assert.Equal(estimate.IsComplete, new CostLimits { Strict = true }.Check(estimate).Passed);
        Assert.Equal("LimitNeedsChange", Assert.Throws<OperationException>(() => new CostLimits { MaxIncrease = 1 }.Check(estimate)).ErrorId);
    }

    [Fact]
    public async Task Limits_of_a_change_hold_what_it_adds_and_not_what_it_saves()
    {
        var one = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("NatGatewayMode", "Single")]));
        var two = CostEstimator.Estimate(await StackFixture.EvaluateAsync(parameters: [("NatGatewayMode", "PerAz")]));
        var limits = new CostLimits { MaxIncrease = 20, MaxIncreasePercent = 1 };
        Assert.Equal(["cost/increase", "cost/increase-percent"], limits.Check(CostComparison.Compare(one, two)).Failures.Select(f => f.Rule));
        Assert.True(limits.Check(CostComparison.Compare(two, one)).Passed);
        Assert.False(limits.Check(CostComparison.Compare(null, two)).Passed);
    }

    [Fact]
    public async Task Markdown_shows_the_change_and_escapes_what_it_shows()
    {
        var before = await Costing.OfResourcesAsync("  A: { Type: 'AWS::EC2::EIP', Properties: { Domain: vpc } }\n", Costing.Idle);
        var after = before with { Lines = [before.Lines[0] with { Name = "a|b <img> @all\nx", MonthlyExpected = 10 }], MonthlyExpected = 10 };
        var text = CostDocument.Write(new CostLimits { MaxIncrease = 1 }.Check(CostComparison.Compare(before, after)), CostFormat.Markdown);
        Assert.StartsWith(CostMarkdown.Marker + "\n", text, StringComparison.Ordinal);
        Assert.Contains("**+6.35 USD a month**: 3.65 → 10.00", text, StringComparison.Ordinal);
        Assert.Contains("a\\|b &lt;img> @\u200ball x", text, StringComparison.Ordinal);
        Assert.Contains("❌ What the change adds a month is 6.35 USD, more than 1.00 USD.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("<img>", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_comment_stays_within_what_github_takes()
    {
        var many = await Costing.OfResourcesAsync(string.Concat(Enumerable.Range(0, 400).Select(i => $"  Address{i}: {{ Type: 'AWS::EC2::EIP', Properties: {{ Domain: vpc }} }}\n")), Costing.Idle);
        var text = CostDocument.Write(new CostLimits().Check(CostComparison.Compare(null, many)), CostFormat.Markdown);
        Assert.True(text.Length < 65_536);
        Assert.Contains("360 more", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Junit_counts_what_it_holds()
    {
        var estimate = CostEstimator.Estimate(await CostEstimatorTests.PresetAsync(EnvironmentStage.Dev));
        var xml = XDocument.Parse(CostDocument.Write(new CostLimits { MaxMonthlyCost = 1, MaxMonthlyHigh = 1_000_000 }.Check(estimate), CostFormat.JUnit));
        var suite = xml.Root!.Element("testsuite")!;
        Assert.Equal(suite.Elements("testcase").Count(), (int)suite.Attribute("tests")!);
        Assert.Equal(1, (int)suite.Attribute("failures")!);
        Assert.Single(suite.Descendants("failure"));
        Assert.Equal(estimate.Unpriced.Count, suite.Descendants("skipped").Count());
        Assert.Equal(suite.Descendants("testcase").Count(), suite.Descendants("testcase").Select(c => c.Attribute("name")!.Value).Distinct().Count());
    }

    [Fact]
    public async Task Sarif_has_a_rule_for_every_result()
    {
        var estimate = CostEstimator.Estimate(await CostEstimatorTests.PresetAsync(EnvironmentStage.Dev));
        var log = JsonNode.Parse(CostDocument.Write(new CostLimits { MaxMonthlyCost = 1, Strict = true }.Check(estimate), CostFormat.Sarif, "infra\\main.yaml"))!;
        Assert.Equal("2.1.0", (string)log["version"]!);
        var run = log["runs"]![0]!;
        var rules = run["tool"]!["driver"]!["rules"]!.AsArray();
        Assert.All(run["results"]!.AsArray(), r =>
        {
            Assert.Equal((string)r!["ruleId"]!, (string)rules[(int)r["ruleIndex"]!]!["id"]!);
            Assert.Equal("error", (string)r["level"]!);
            Assert.Equal("infra/main.yaml", (string)r["locations"]![0]!["physicalLocation"]!["artifactLocation"]!["uri"]!);
        });
        Assert.Equal(1 + estimate.Unpriced.Count, run["results"]!.AsArray().Count);
    }

    [Fact]
    public async Task Csv_and_json_hold_every_line()
    {
        var estimate = CostEstimator.Estimate(await CostEstimatorTests.PresetAsync(EnvironmentStage.Prod));
        var gate = new CostLimits().Check(estimate);
        var rows = CostDocument.Write(gate, CostFormat.Csv).TrimEnd().Split("\r\n");
        Assert.Equal(1 + estimate.Lines.Count + estimate.Unpriced.Count, rows.Length);
        var json = JsonNode.Parse(CostDocument.Write(gate, CostFormat.Json))!;
        Assert.Equal(estimate.Lines.Count, json["estimate"]!["lines"]!.AsArray().Count);
        Assert.Equal(estimate.MonthlyExpected, (decimal)json["estimate"]!["monthlyExpected"]!);
        Assert.True((bool)json["passed"]!);
    }

    [Fact]
    public async Task Standing_by_costs_less_than_working_and_failing_over_moves_the_work()
    {
        var primary = await CostEstimatorTests.PresetAsync(EnvironmentStage.Prod);
        var recovery = await CostEstimatorTests.PresetAsync(EnvironmentStage.Prod, "us-west-2");
        var change = Standby.Compare(primary, recovery);
        var alone = CostEstimator.Estimate(primary);
        Assert.True(change.MonthlyBefore > alone.MonthlyExpected && change.MonthlyBefore < 2 * alone.MonthlyExpected);
        Assert.Equal(["us-east-1", "us-west-2"], change.Before!.Regions);
        Assert.Contains(change.Before.Lines, l => l.Name == "Fargate vCPU" && l.Region == "us-east-1");
        Assert.DoesNotContain(change.Before.Lines, l => l.Name == "Fargate vCPU" && l.Region == "us-west-2");
        Assert.Contains(change.After!.Lines, l => l.Name == "Fargate vCPU" && l.Region == "us-west-2");
        Assert.DoesNotContain(change.After.Lines, l => l.Name == "Fargate vCPU" && l.Region == "us-east-1");
        CostEstimatorTests.AssertSums(change.Before);
        CostEstimatorTests.AssertSums(change.After);
    }
}
