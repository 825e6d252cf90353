using System.Text.Json;
using System.Text.Json.Nodes;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>The checks of a dashboard's body: structure, widget types, places on the grid of 24 columns, what each type needs.</summary>
internal static class DashboardBody
{
    private const int Columns = 24;
    private const int MaximumHeight = 1000;
    private const int MaximumWidgets = 500;
    private static readonly string[] Types = ["metric", "text", "log", "alarm", "explorer", "custom"];
    private static readonly string[] Views = ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"];

    public static (List<JsonObject> Errors, List<JsonObject> Warnings) Check(string body)
    {
        var errors = new List<JsonObject>();
        var warnings = new List<JsonObject>();
        void Error(string path, string message) => errors.Add(new JsonObject { ["DataPath"] = path, ["Message"] = message });
        JsonNode? parsed;
        try
        {
            parsed = JsonNode.Parse(body);
        }
        catch (JsonException)
        {
            Error("/", "The field DashboardBody must be a valid JSON object");
            return (errors, warnings);
        }
        if (parsed is not JsonObject document)
        {
            Error("/", "The field DashboardBody must be a valid JSON object");
            return (errors, warnings);
        }
        if (document["widgets"] is not JsonArray widgets)
        {
            Error("/", "Should have required property 'widgets'");
            return (errors, warnings);
        }
        if (widgets.Count > MaximumWidgets)
        {
            Error("/widgets", $"Should NOT have more than {MaximumWidgets} items");
        }
        for (var i = 0; i < widgets.Count; i++)
        {
            var path = $"/widgets/{i}";
            if (widgets[i] is not JsonObject widget)
            {
                Error(path, "Should be object");
                continue;
            }
            var type = widget.Text("type");
            if (type is null || !Types.Contains(type))
            {
                Error(path + (type is null ? "" : "/type"), type is null ? "Should have required property 'type'" : "Should be equal to one of the allowed values");
                continue;
            }
            Place(widget, path, Error);
            if (widget["properties"] is not JsonObject properties)
            {
                Error(path, "Should have required property 'properties'");
                continue;
            }
            Properties(type, properties, path + "/properties", Error, (at, message) => warnings.Add(new JsonObject { ["DataPath"] = at, ["Message"] = message }));
        }
        return (errors, warnings);
    }

    private static void Place(JsonObject widget, string path, Action<string, string> error)
    {
        foreach (var (name, least, most) in new[] { ("x", 0, Columns - 1), ("y", 0, int.MaxValue), ("width", 1, Columns), ("height", 1, MaximumHeight) })
        {
            if (!widget.Has(name))
            {
                continue;
            }
            if (widget.Long(name) is not { } value || widget[name]!.GetValueKind() != JsonValueKind.Number)
            {
                error($"{path}/{name}", "Should be integer");
            }
            else if (value < least || value > most)
            {
                error($"{path}/{name}", value < least ? $"Should be >= {least}" : $"Should be <= {most}");
            }
        }
        if (widget.Has("x") != widget.Has("y"))
        {
            error(path, "The properties 'x' and 'y' must be specified together");
        }
        if (widget.Long("x") + (widget.Long("width") ?? 6) > Columns)
        {
            error(path, $"The widget does not fit on the grid: x + width must not exceed {Columns}");
        }
    }

    private static void Properties(string type, JsonObject properties, string path, Action<string, string> error, Action<string, string> warn)
    {
        void Needs(string name)
        {
            if (!properties.Has(name))
            {
                error(path, $"Should have required property '{name}'");
            }
        }
        switch (type)
        {
            case "text":
                Needs("markdown");
                break;
            case "log":
                Needs("query");
                Needs("region");
                break;
            case "alarm":
                Needs("alarms");
                break;
            case "custom":
                Needs("endpoint");
                break;
            case "metric":
                if (!properties.Has("metrics") && properties.Child("annotations")?["alarms"] is not JsonArray)
                {
                    error(path, "Should have required property 'metrics'");
                }
                if (properties["metrics"] is { } metrics)
                {
                    if (metrics is not JsonArray list)
                    {
                        error(path + "/metrics", "Should be array");
                    }
                    else
                    {
                        Metrics(list, path + "/metrics", error);
                    }
                }
                if (properties.Text("view") is { } view && !Views.Contains(view))
                {
                    error(path + "/view", "Should be equal to one of the allowed values");
                }
                if (properties.Long("period") is { } period && period is not (1 or 5 or 10 or 20 or 30) && period % 60 != 0)
                {
                    error(path + "/period", "Should be 1, 5, 10, 20, 30 or a multiple of 60");
                }
                if (!properties.Has("region"))
                {
                    warn(path, "Should have required property 'region'");
                }
                break;
        }
    }

    private static void Metrics(JsonArray list, string path, Action<string, string> error)
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is not JsonArray { Count: > 0 } metric)
            {
                error($"{path}/{i}", "Should be a non-empty array");
                continue;
            }
            var options = metric[^1] as JsonObject;
            var names = metric.Count - (options is null ? 0 : 1);
            if (names == 0 && options?.Has("expression") != true)
            {
                error($"{path}/{i}", "Should have a namespace and a metric name, or an expression");
            }
            else if (names is > 0 && (names % 2 != 0 || names < 2))
            {
                error($"{path}/{i}", "Should have a namespace, a metric name and dimensions in pairs of name and value");
            }
        }
    }
}
