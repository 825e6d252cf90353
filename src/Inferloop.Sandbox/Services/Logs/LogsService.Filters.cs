using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.CloudWatch;
using Inferloop.Sandbox.Services.Events;
using Inferloop.Sandbox.Services.Lambda;

namespace Inferloop.Sandbox.Services.Logs;

/// <content>What becomes of events as they come: metric filters publish what they find, subscriptions send on.</content>
internal sealed partial class LogsService
{
    private readonly ConcurrentDictionary<(string Account, string Region, string Group, string Filter), (long Minute, bool Matched)> reported = new();

    private void AddFilters()
    {
        Stored("MetricFilter", "filterName", "metricFilters", (_, input, stored) => stored.Take(CheckedMetricFilter(input), "filterPattern", "metricTransformations", "applyOnTransformedLogs"));
        Stored("SubscriptionFilter", "filterName", "subscriptionFilters", (context, input, stored) => stored.Take(CheckedSubscription(context, input), "filterPattern", "destinationArn", "roleArn", "distribution"));
        On("TestMetricFilter", (_, input) =>
        {
            var pattern = FilterPattern.Parse(input.Required("filterPattern"));
            var matches = input.Texts("logEventMessages").Select((message, i) => (message, Number: i + 1)).Where(item => pattern.Matches(item.message)).Select(item => new JsonObject
            {
                ["eventNumber"] = item.Number, ["eventMessage"] = item.message, ["extractedValues"] = pattern.Extract(item.message).ToMap(),
            });
            return new JsonObject { ["matches"] = matches.ToJsonList() };
        });
    }

    private static JsonObject CheckedMetricFilter(JsonObject input)
    {
        var pattern = FilterPattern.Parse(input.Required("filterPattern"));
        foreach (var transformation in input.Objects("metricTransformations"))
        {
            if (transformation.Has("dimensions") && transformation.Has("defaultValue"))
            {
                throw Invalid("Invalid metric transformation: dimensions and default value are mutually exclusive properties.");
            }
            if (transformation.Child("dimensions")?.Count > 3)
            {
                throw Invalid("Invalid metric transformation: a metric can have at most 3 dimensions.");
            }
            if (transformation.Required("metricNamespace").StartsWith("AWS/", StringComparison.OrdinalIgnoreCase))
            {
                throw Invalid("Invalid metric transformation: the namespace must not begin with AWS/.");
            }
            var value = transformation.Required("metricValue");
            if (!value.StartsWith('$') && !double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _))
            {
                throw Invalid($"Invalid metric transformation: '{value}' is neither a number nor a field.");
            }
            if (value.StartsWith('$') && !pattern.HasFields)
            {
                throw Invalid($"Invalid metric transformation: the filter pattern has no field {value}.");
            }
        }
        return input;
    }

    private JsonObject CheckedSubscription(RequestContext context, JsonObject input)
    {
        _ = FilterPattern.Parse(input.Required("filterPattern"));
        var destination = input.Required("destinationArn");
        if (destination.Split(':') is [_, _, "lambda", ..])
        {
            var lambda = Runtime.Service<LambdaService>();
            if (!lambda.Exists(context, destination) || !lambda.Permits(context, destination, "logs.amazonaws.com", null))
            {
                throw Invalid("Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.");
            }
        }
        return input;
    }

    private void Ingested(RequestContext context, JsonObject group, string stream, List<LogEvent> events)
    {
        if (events.Count == 0)
        {
            return;
        }
        foreach (var (_, filter) in group.Child("_MetricFilters") ?? [])
        {
            Measure(context, group.Required("logGroupName"), (JsonObject)filter!, events);
        }
        foreach (var (_, filter) in group.Child("_SubscriptionFilters") ?? [])
        {
            SendOn(context, group.Required("logGroupName"), stream, (JsonObject)filter!, events);
        }
    }

    private void Measure(RequestContext context, string group, JsonObject filter, List<LogEvent> events)
    {
        var pattern = FilterPattern.Parse(filter.Required("filterPattern"));
        var found = events.Where(item => pattern.Matches(item.Message)).ToList();
        var monitoring = Runtime.Service<CloudWatchService>();
        foreach (var transformation in filter.Objects("metricTransformations"))
        {
            foreach (var item in found)
            {
                var given = transformation.Required("metricValue");
                var text = given.StartsWith('$') ? pattern.Value(item.Message, given) : given;
                if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                {
                    // A match whose field is no number is not measured, as AWS has it.
                    continue;
                }
                var dimensions = transformation.Map("dimensions").Select(pair => (pair.Key, Value: pattern.Value(item.Message, pair.Value))).Where(pair => pair.Value is { Length: > 0 })
                    .Select(pair => new JsonObject { ["Name"] = pair.Key, ["Value"] = pair.Value }).ToJsonList();
                monitoring.Put(context, transformation.Required("metricNamespace"), new JsonObject { ["MetricName"] = transformation.Text("metricName"), ["Value"] = value, ["Timestamp"] = Documents.Time(DateTimeOffset.FromUnixTimeMilliseconds(item.Time)), ["Dimensions"] = dimensions }
                    .With("Unit", transformation.Text("unit")));
            }
            Default(context, group, filter, transformation, found.Count > 0, monitoring);
        }
    }

    /// <summary>A minute in which events came and none matched has the default value, once.</summary>
    private void Default(RequestContext context, string group, JsonObject filter, JsonObject transformation, bool matched, CloudWatchService monitoring)
    {
        if (transformation.Double("defaultValue") is not { } value)
        {
            return;
        }
        var minute = context.Now.UtcTicks / TimeSpan.TicksPerMinute;
        var key = (context.AccountId, context.Region, group, $"{filter.Text("filterName")}\n{transformation.Text("metricName")}");
        var before = reported.GetValueOrDefault(key);
        reported[key] = (minute, matched || (before.Minute == minute && before.Matched));
        if (!matched && before.Minute != minute)
        {
            monitoring.Put(context, transformation.Required("metricNamespace"), new JsonObject { ["MetricName"] = transformation.Text("metricName"), ["Value"] = value, ["Timestamp"] = Documents.Time(context.Now) }.With("Unit", transformation.Text("unit")));
        }
    }

    private void SendOn(RequestContext context, string group, string stream, JsonObject filter, List<LogEvent> events)
    {
        var pattern = FilterPattern.Parse(filter.Required("filterPattern"));
        var found = events.Where(item => pattern.Matches(item.Message)).ToList();
        if (found.Count == 0)
        {
            return;
        }
        var destination = filter.Required("destinationArn");
        // What a function logs of its own deliveries must not be delivered to it again.
        if (destination.Split(':') is [_, _, "lambda", _, _, _, var function, ..] && group == "/aws/lambda/" + function)
        {
            return;
        }
        var document = new JsonObject
        {
            ["messageType"] = "DATA_MESSAGE", ["owner"] = context.AccountId, ["logGroup"] = group, ["logStream"] = stream, ["subscriptionFilters"] = new JsonArray(filter.Text("filterName")),
            ["logEvents"] = found.Select(item => new JsonObject { ["id"] = item.Id.ToString("D56", CultureInfo.InvariantCulture), ["timestamp"] = item.Time, ["message"] = item.Message }).ToJsonList(),
        };
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(System.Text.Encoding.UTF8.GetBytes(document.ToJsonString()));
        }
        var payload = new JsonObject { ["awslogs"] = new JsonObject { ["data"] = Convert.ToBase64String(packed.ToArray()) } }.ToJsonString();
        var later = context.Detached();
        Runtime.Run(async _ =>
        {
            if (await TargetDelivery.SendAsync(later, new Delivery(destination, payload) { Source = "logs.amazonaws.com", SourceArn = later.Arn("logs", $"log-group:{group}:*") }).ConfigureAwait(false) is not null)
            {
                Runtime.Service<CloudWatchService>().Publish(later, "AWS/Logs", "DeliveryErrors", found.Count, "Count", ("LogGroupName", group), ("DestinationType", destination.Split(':')[2]), ("FilterName", filter.Required("filterName")));
            }
        });
    }
}
