using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Inferloop.Sandbox.Services.Logs.Insights;

/// <summary>A row of a query: an event with the fields found in it, or a line of statistics.</summary>
internal sealed partial class InsightsRow
{
    private readonly Dictionary<string, object?> fields = new(StringComparer.Ordinal);
    private readonly LogEvent? source;
    private bool isRead;

    /// <summary>A line of statistics.</summary>
    public InsightsRow()
    {
    }

    public InsightsRow(LogEvent source, string account, string group, string stream, string pointer)
    {
        this.source = source;
        fields["@timestamp"] = DateTimeOffset.FromUnixTimeMilliseconds(source.Time);
        fields["@ingestionTime"] = DateTimeOffset.FromUnixTimeMilliseconds(source.Ingested);
        fields["@message"] = source.Message;
        fields["@logStream"] = stream;
        fields["@log"] = $"{account}:{group}";
        fields["@ptr"] = pointer;
    }

    [GeneratedRegex(@"^REPORT RequestId: (?<id>\S+)\s+Duration: (?<duration>[\d.]+) ms\s+Billed Duration: (?<billed>[\d.]+) ms\s+Memory Size: (?<size>\d+) MB\s+Max Memory Used: (?<used>\d+) MB")]
    private static partial Regex Report();

    /// <summary>All fields, those found in the message among them.</summary>
    public IReadOnlyDictionary<string, object?> All
    {
        get
        {
            Discover();
            return fields;
        }
    }

    public object? this[string name]
    {
        get
        {
            if (!fields.TryGetValue(name, out var value))
            {
                Discover();
                fields.TryGetValue(name, out value);
            }
            return value;
        }
        set => fields[name] = value;
    }

    /// <summary>What Logs finds by itself: the members of a JSON message, and the figures of Lambda's reports.</summary>
    private void Discover()
    {
        if (isRead || source is not { } found)
        {
            return;
        }
        isRead = true;
        var message = found.Message.AsSpan().Trim();
        if (message.Length > 1 && message[0] == '{' && message[^1] == '}')
        {
            try
            {
                Flatten("", JsonNode.Parse(found.Message));
            }
            catch (JsonException)
            {
                // Not JSON after all: a message like any other.
            }
        }
        else if (Report().Match(found.Message) is { Success: true } report)
        {
            fields.TryAdd("@type", "REPORT");
            fields.TryAdd("@requestId", report.Groups["id"].Value);
            fields.TryAdd("@duration", double.Parse(report.Groups["duration"].ValueSpan, CultureInfo.InvariantCulture));
            fields.TryAdd("@billedDuration", double.Parse(report.Groups["billed"].ValueSpan, CultureInfo.InvariantCulture));
            fields.TryAdd("@memorySize", double.Parse(report.Groups["size"].ValueSpan, CultureInfo.InvariantCulture) * 1_000_000);
            fields.TryAdd("@maxMemoryUsed", double.Parse(report.Groups["used"].ValueSpan, CultureInfo.InvariantCulture) * 1_000_000);
        }
    }

    private void Flatten(string prefix, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    Flatten(prefix.Length == 0 ? name : $"{prefix}.{name}", value);
                }
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    Flatten($"{prefix}.{i}", items[i]);
                }
                break;
            case JsonValue value:
                fields.TryAdd(prefix, value.TryGetValue<bool>(out var truth) ? truth : value.TryGetValue<double>(out var number) ? number : Documents.AsText(value));
                break;
            default:
                break;
        }
    }
}
