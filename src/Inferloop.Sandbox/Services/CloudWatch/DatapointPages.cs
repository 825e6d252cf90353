using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>Pages of GetMetricData: counted in data points, a long series continued on the next page.</summary>
internal static class DatapointPages
{
    public static JsonObject Cut(IReadOnlyList<JsonObject> results, int size, string? token)
    {
        var skip = 0L;
        if (token is not null && !long.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out skip))
        {
            throw new ServiceFault("InvalidNextToken", "The next token specified is invalid.");
        }
        var page = new List<JsonObject>();
        long position = 0, room = size;
        foreach (var result in results)
        {
            var (times, values) = ((JsonArray)result["Timestamps"]!, (JsonArray)result["Values"]!);
            var from = (int)Math.Clamp(skip - position, 0, values.Count);
            var count = (int)Math.Min(values.Count - from, room);
            position += values.Count;
            // A series without data is told once, on the first page.
            if ((count == 0 && values.Count > 0) || (values.Count == 0 && skip > 0))
            {
                continue;
            }
            var part = result.Copy();
            part["Timestamps"] = new JsonArray(times.Skip(from).Take(count).Select(item => item.Copy()).ToArray());
            part["Values"] = new JsonArray(values.Skip(from).Take(count).Select(item => item.Copy()).ToArray());
            part["StatusCode"] = from + count < values.Count ? "PartialData" : "Complete";
            page.Add(part);
            room -= count;
        }
        var next = skip + size - room;
        return new JsonObject { ["MetricDataResults"] = page.ToJsonList(), ["Messages"] = new JsonArray() }
            .With("NextToken", next < position ? next.ToString(CultureInfo.InvariantCulture) : null);
    }
}
