using System.Text.RegularExpressions;
using Inferloop.Operations.Specs;
using Inferloop.Templates;
using Inferloop.Tests.Stacks;

namespace Inferloop.Tests.Docs;

/// <summary>
/// docs/guides/platform.md says for each point of the design what does it. A code span there is a claim, and each is checked:
/// <c>Storage/DataBucket</c> is a resource of a production environment with everything switched on, <c>Storage/DataBucket: A.B = value</c> has
/// that property (a step goes through lists), <c>Verb-InferloopNoun [-Parameter]</c> is a cmdlet, and anything else with a slash or an ending a file.
/// </summary>
public sealed class PlatformGuideTests
{
    private static readonly string Guide = Path.Combine(Repository.Root, "docs", "guides", "platform.md");

    public static TheoryData<string, string> Claims
    {
        get
        {
            var claims = new TheoryData<string, string>();
            foreach (var row in Rows())
            {
                foreach (Match span in Regex.Matches(row.DoneBy, "`([^`]+)`"))
                {
                    claims.Add(row.Point, span.Groups[1].Value);
                }
            }

            return claims;
        }
    }

    [Fact]
    public void Every_point_has_something_that_does_it()
    {
        var rows = Rows().ToList();
        Assert.True(rows.Count >= 85, $"{rows.Count} rows");
        Assert.All(rows, row => Assert.Matches("`[^`]+`", row.DoneBy));
    }

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task A_claim_holds(string point, string claim)
    {
        Assert.NotEmpty(point);
        if (Regex.Match(claim, @"^([A-Z][a-z]+-Inferloop[A-Za-z]+)((?: -[A-Za-z0-9]+)*)$") is { Success: true } cmdlet)
        {
            var page = Path.Combine(Repository.Root, "docs", "cmdlets", cmdlet.Groups[1].Value + ".md");
            Assert.True(File.Exists(page), $"{page} does not exist");
            var text = await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken);
            Assert.All(cmdlet.Groups[2].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries), p => Assert.Contains("\n### " + p + "\n", text, StringComparison.Ordinal));
        }
        else if (Regex.Match(claim, @"^([A-Z]\w*(?:/[A-Z]\w*)+)(?:: ([^=]+?)(?: = (.*))?)?$") is { Success: true } resource)
        {
            var found = (await EvaluatedAsync()).AllResources().SingleOrDefault(r => r.Path == resource.Groups[1].Value);
            Assert.True(found is not null, $"{resource.Groups[1].Value} is no resource of the environment");
            if (resource.Groups[2].Success)
            {
                var values = At(found.Properties, resource.Groups[2].Value.Split('.')).ToList();
                Assert.NotEmpty(values);
                if (resource.Groups[3].Success)
                {
                    Assert.Contains(resource.Groups[3].Value, values.Select(v => v.AsString() ?? v.ToJson()?.ToJsonString()));
                }
            }
        }
        else
        {
            Assert.True(Path.Exists(Path.Combine(Repository.Root, claim)), $"{claim} does not exist");
        }
    }

    private static IEnumerable<(string Point, string DoneBy)> Rows() =>
        File.ReadLines(Guide)
            .Where(l => l.StartsWith("| ", StringComparison.Ordinal) && !l.StartsWith("| ---", StringComparison.Ordinal) && !l.StartsWith("| The design", StringComparison.Ordinal))
            .Select(l => l.Trim('|', ' ').Split(" | "))
            .Select(c => (c[0], c.Length > 1 ? c[1] : ""));

    private static IEnumerable<Value> At(Value value, ReadOnlySpan<string> path)
    {
        if (value is ListValue list)
        {
            var found = new List<Value>();
            foreach (var item in list.Items)
            {
                found.AddRange(At(item, path));
            }

            return found;
        }

        return path.Length == 0 ? [value] : value[path[0]] is { } next ? At(next, path[1..]) : [];
    }

    private static Task<EvaluatedStack>? evaluated;

    private static Task<EvaluatedStack> EvaluatedAsync() => evaluated ??= StackFixture.EvaluateAsync(parameters: [.. Everything()]);

    // Production as the presets have it, and every switch of a system on.
    private static IEnumerable<(string Name, string Value)> Everything()
    {
        var parameters = SpecMembers.ToTemplateParameters(SpecPresets.Create("demo", EnvironmentStage.Prod, "us-east-1", capacity: CapacityMode.Mixed));
        return parameters.Where(p => p.Key is not ("EnvironmentName" or "Stage"))
            .Select(p => (p.Key, p.Key.EndsWith("Enabled", StringComparison.Ordinal) ? "true" : p.Key switch
            {
                "CertificateArn" => "arn:aws:acm:us-east-1:123456789012:certificate/1",
                "CustomerGatewayIp" => "198.51.100.7",
                "LambdaSchedule" => "rate(1 hour)",
                "PipelineRepository" => "acme/synthdata",
                _ => p.Value,
            }));
    }
}
