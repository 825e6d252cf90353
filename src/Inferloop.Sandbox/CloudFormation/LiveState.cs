using System.Text.Json.Nodes;
using Inferloop.Sandbox.Protocols;
using Inferloop.Templates;

namespace Inferloop.Sandbox.CloudFormation;

/// <summary>A resource that is not as it was deployed: what it has now, and how that differs.</summary>
/// <param name="Properties">The properties it has; null when it is gone.</param>
/// <param name="Detected">The drift, as DescribeStackResourceDrifts gives it.</param>
internal sealed record LiveState(MapValue? Properties, JsonObject Detected)
{
    /// <summary>What was deployed, with what differs as it is now.</summary>
    public static LiveState Of(ResourceRecord record, JsonObject drift)
    {
        if ((string?)drift["StackResourceDriftStatus"] == "DELETED")
        {
            return new LiveState(null, drift);
        }
        var properties = record.Properties.ToJsonObject();
        var actual = JsonNode.Parse((string)drift["ActualProperties"]!)!.AsObject();
        foreach (var name in Differences(drift).Select(difference => TopLevel((string)difference["PropertyPath"]!)).Distinct(StringComparer.Ordinal))
        {
            if (actual[name] is { } now)
            {
                properties[name] = now.DeepClone();
            }
            else
            {
                properties.Remove(name);
            }
        }
        return new LiveState((MapValue)Value.FromJson(properties), drift);
    }

    /// <summary>Says in a change of a drift-aware change set where its values come from, and what drifted.</summary>
    public static void Tell(JsonObject change, LiveState? live)
    {
        change["ResourceDriftStatus"] = live?.Detected["StackResourceDriftStatus"]?.DeepClone() ?? "IN_SYNC";
        foreach (var target in ((JsonArray)change["Details"]!).Select(detail => (JsonObject)detail!["Target"]!))
        {
            if (target["Path"] is null)
            {
                continue;
            }
            target["AfterValueFrom"] = "TEMPLATE";
            target["BeforeValueFrom"] = live is null ? "PREVIOUS_DEPLOYMENT_STATE" : "ACTUAL_STATE";
            var path = Scalars.Text(target["Path"])!;
            if (live is not null && Differences(live.Detected).FirstOrDefault(difference => Covers("/Properties" + (string)difference["PropertyPath"]!, path)) is { } drifted)
            {
                target["Drift"] = new JsonObject
                {
                    ["PreviousValue"] = drifted["ExpectedValue"]?.DeepClone(),
                    ["ActualValue"] = drifted["ActualValue"]?.DeepClone(),
                    ["DriftDetectionTimestamp"] = live.Detected["Timestamp"]?.DeepClone(),
                };
            }
        }
    }

    private static bool Covers(string path, string other) =>
        path == other || other.StartsWith(path + "/", StringComparison.Ordinal) || path.StartsWith(other + "/", StringComparison.Ordinal);

    private static IEnumerable<JsonObject> Differences(JsonObject drift) => ((JsonArray?)drift["PropertyDifferences"] ?? []).OfType<JsonObject>();

    private static string TopLevel(string path) => path.Split('/')[1];
}
