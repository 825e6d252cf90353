using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CostExplorer;

/// <summary>The account's bill: a document for each day, and the questions that Cost Explorer and Budgets ask of it.</summary>
internal sealed class Bill(SandboxRuntime runtime, string accountId)
{
    private Collection Days => runtime.Collection("ce", "bill", accountId, "");

    private Collection AllocationTags => runtime.Collection("ce", "tags", accountId, "");

    public bool IsEmpty => Days.Count == 0;

    public static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public void Add(IEnumerable<SandboxBillLine> lines)
    {
        foreach (var day in lines.GroupBy(line => line.Day))
        {
            var rows = new JsonArray();
            foreach (var line in day)
            {
                rows.Add((JsonNode)new JsonObject
                {
                    ["Service"] = line.Service,
                    ["UsageType"] = line.UsageType,
                    ["Region"] = line.Region,
                    ["Amount"] = line.Amount.ToString(CultureInfo.InvariantCulture),
                    ["Quantity"] = line.Quantity.ToString(CultureInfo.InvariantCulture),
                    ["Tags"] = line.Tags.ToMap(),
                });
            }
            Days.Put(Text(day.Key) + "#" + runtime.Ids.Uuid(), new JsonObject { ["Rows"] = rows });
        }
    }

    /// <summary>The rows of some days that an expression is true of. A tag is known once it is activated for cost allocation.</summary>
    public IReadOnlyList<SandboxBillLine> Rows(DateOnly start, DateOnly end, JsonObject? filter)
    {
        var known = AllocationTags.Where(tag => tag.Text("Status") == "Active").Select(tag => tag.Required("TagKey")).ToHashSet(StringComparer.Ordinal);
        var found = new List<SandboxBillLine>();
        foreach (var key in Days.Keys())
        {
            var day = DateOnly.ParseExact(key[..10], "yyyy-MM-dd", CultureInfo.InvariantCulture);
            if (day < start || day >= end || Days.Get(key) is not { } document)
            {
                continue;
            }
            foreach (var row in document.Objects("Rows"))
            {
                var line = new SandboxBillLine(
                    day, row.Required("Service"), row.Required("UsageType"), row.Required("Region"), decimal.Parse(row.Required("Amount"), CultureInfo.InvariantCulture),
                    decimal.Parse(row.Required("Quantity"), CultureInfo.InvariantCulture), row.Map("Tags").Where(tag => known.Contains(tag.Key)).ToDictionary(StringComparer.Ordinal));
                if (filter is null || BillFilter.Matches(filter, line, accountId))
                {
                    found.Add(line);
                }
            }
        }
        return found;
    }

    /// <summary>What the rest of a time is expected to cost: the mean of up to thirty days before it, and how far days lie from it.</summary>
    public (decimal Mean, decimal Deviation)? Daily(DateOnly today, JsonObject? filter)
    {
        var days = Rows(today.AddDays(-30), today, filter).GroupBy(row => row.Day).Select(day => day.Sum(row => row.Amount)).ToList();
        if (days.Count == 0)
        {
            return null;
        }
        var mean = days.Average();
        return (mean, (decimal)Math.Sqrt(days.Average(day => Math.Pow((double)(day - mean), 2))));
    }
}
