using System.Text.Json.Nodes;

namespace Inferloop.Operations.Costs.Reporting;

/// <summary>The checks of a price as SARIF 2.1.0.</summary>
internal static class CostSarif
{
    private static readonly (string Id, string Text)[] s_rules =
    [
        ("cost/monthly", "The expected cost a month is within its limit."),
        ("cost/monthly-high", "The highest cost a month is within its limit."),
        ("cost/increase", "What a change adds a month is within its limit."),
        ("cost/increase-percent", "What a change adds in percent is within its limit."),
        ("cost/unpriced", "Everything that is charged has a price."),
    ];

    public static string Write(CostGate gate, string? source)
    {
        var results = new JsonArray();
        foreach (var check in gate.Checks.Where(c => c.Result != CostCheckResult.Passed))
        {
            var location = new JsonObject();
            if (source is not null)
            {
                location["physicalLocation"] = new JsonObject
                {
                    ["artifactLocation"] = new JsonObject { ["uri"] = source.Replace('\\', '/') },
                    ["region"] = new JsonObject { ["startLine"] = 1 },
                };
            }

            if (check.Path is not null)
            {
                location["logicalLocations"] = new JsonArray(new JsonObject { ["fullyQualifiedName"] = check.Path, ["kind"] = "resource" });
            }

            var result = new JsonObject
            {
                ["ruleId"] = check.Rule,
                ["ruleIndex"] = Array.FindIndex(s_rules, r => r.Id == check.Rule),
                ["level"] = check.Result == CostCheckResult.Failed ? "error" : "warning",
                ["message"] = new JsonObject { ["text"] = (check.Path is null ? "" : check.Path + ": ") + check.Message },
                ["partialFingerprints"] = new JsonObject { ["check/v1"] = check.Rule + "|" + check.Path },
            };
            if (location.Count > 0)
            {
                result["locations"] = new JsonArray(location);
            }

            results.Add((JsonNode)result);
        }

        var rules = new JsonArray();
        foreach (var (id, text) in s_rules)
        {
            rules.Add((JsonNode)new JsonObject { ["id"] = id, ["shortDescription"] = new JsonObject { ["text"] = text } });
        }

        return CostJson.Text(new JsonObject
        {
            ["$schema"] = "https://json.schemastore.org/sarif-2.1.0.json",
            ["version"] = "2.1.0",
            ["runs"] = new JsonArray(new JsonObject
            {
                ["tool"] = new JsonObject
                {
                    ["driver"] = new JsonObject
                    {
                        ["name"] = "Inferloop cost", ["version"] = typeof(CostSarif).Assembly.GetName().Version?.ToString(3) ?? "0.0.0", ["rules"] = rules,
                    },
                },
                ["results"] = results,
            }),
        });
    }
}
