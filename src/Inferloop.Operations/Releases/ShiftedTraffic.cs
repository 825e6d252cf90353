using System.Text.Json;
using System.Text.Json.Nodes;
using Inferloop.Operations.Environments;

namespace Inferloop.Operations.Releases;

/// <summary>
/// The weights of the rules that releases shift traffic by are ECS's to move. CloudFormation reports every move as drift from where the template let
/// them begin; as long as they divide the traffic between the template's own two groups, it is none.
/// </summary>
internal static class ShiftedTraffic
{
    private static readonly string[] s_rules = ["ProductionRule", "TestRule"];

    public static InferloopDrift Without(InferloopDrift drift, string? expected, string? actual)
    {
        if (drift is not { Status: DriftStatus.Modified, Type: "AWS::ElasticLoadBalancingV2::ListenerRule" } || !s_rules.Contains(drift.LogicalId))
        {
            return drift;
        }

        var (meant, found) = (Groups(expected), Groups(actual));
        if (found.Count == 0 || !found.IsSubsetOf(meant))
        {
            return drift;
        }

        var left = drift.Properties.Where(p => !p.Path.StartsWith("Actions", StringComparison.Ordinal)).ToList();
        return drift with { Properties = left, Status = left.Count == 0 ? DriftStatus.InSync : DriftStatus.Modified };
    }

    private static HashSet<string> Groups(string? properties)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            Collect(string.IsNullOrEmpty(properties) ? null : JsonNode.Parse(properties)?["Actions"], found);
        }
        catch (JsonException)
        {
            // What cannot be read is no excuse: the drift stays.
        }

        return found;
    }

    private static void Collect(JsonNode? node, HashSet<string> found)
    {
        switch (node)
        {
            case JsonArray array:
                foreach (var item in array)
                {
                    Collect(item, found);
                }

                break;
            case JsonObject value:
                foreach (var (name, item) in value)
                {
                    if (name == "TargetGroupArn" && item is JsonValue arn)
                    {
                        found.Add(arn.ToString());
                    }
                    else
                    {
                        Collect(item, found);
                    }
                }

                break;
        }
    }
}
