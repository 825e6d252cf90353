using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>CloudWatch: metrics with their maths, alarms that evaluate on the clock and act, composite alarms, dashboards, anomaly detectors.</summary>
internal sealed partial class CloudWatchService : SandboxService
{
    public CloudWatchService(SandboxRuntime runtime)
        : base(runtime, "cloudwatch")
    {
        AddMetrics();
        AddAlarms();
        AddDashboards();
        AddDetectors();
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", input.Objects("Tags"))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) =>
        {
            var (collection, key) = Tagged(context, input.Required("ResourceARN"));
            return new JsonObject { ["Tags"] = collection.Get(key)?["_Tags"].Copy() ?? new JsonArray() };
        });
    }

    private static ServiceFault Invalid(string code, string message) => new(code, message);

    private static string Dimensions(JsonObject document) =>
        string.Join('|', document.Objects("Dimensions").OrderBy(item => item.Text("Name"), StringComparer.Ordinal).Select(item => $"{item.Text("Name")}={item.Text("Value")}"));

    private (Collection Collection, string Key) Tagged(RequestContext context, string arn)
    {
        var (collection, key) = arn.Contains(":dashboard/", StringComparison.Ordinal) ? (Dashboards(context), arn.Split(":dashboard/")[^1]) : (Alarms(context), arn.Split(":alarm:")[^1]);
        return collection.Contains(key) ? (collection, key) : throw new ServiceFault("ResourceNotFoundException", $"{arn} does not exist", 404);
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Tags.Check(input.Objects("Tags"), "InvalidParameterValue");
        var (collection, key) = Tagged(context, input.Required("ResourceARN"));
        collection.Update(key, change);
        return [];
    }

    private void AddDetectors()
    {
        static string Key(JsonObject metric) => $"{metric.Text("Namespace")}|{metric.Text("MetricName")}|{metric.Text("Stat")}|{Dimensions(metric)}";
        static JsonObject Metric(JsonObject input) => input.Child("SingleMetricAnomalyDetector") ?? input.Child("MetricMathAnomalyDetector") ?? input;
        static string Id(JsonObject input) => input.Child("MetricMathAnomalyDetector") is { } math ? "math|" + math["MetricDataQueries"]?.ToJsonString() : Key(Metric(input));
        Collection Detectors(RequestContext context) => Collection(context, "detectors");
        On("PutAnomalyDetector", (context, input) =>
        {
            if (!input.Has("MetricMathAnomalyDetector") && (!Metric(input).Has("Namespace") || !Metric(input).Has("MetricName") || !Metric(input).Has("Stat")))
            {
                throw Invalid("InvalidParameterCombination", "Namespace, MetricName and Stat must be specified.");
            }
            var detector = input.Has("MetricMathAnomalyDetector") ? input.Pick("MetricMathAnomalyDetector", "Configuration", "MetricCharacteristics") : new JsonObject
            {
                ["SingleMetricAnomalyDetector"] = Metric(input).Pick("Namespace", "MetricName", "Stat", "Dimensions"),
            }.Take(Metric(input), "Namespace", "MetricName", "Stat", "Dimensions").Take(input, "Configuration", "MetricCharacteristics");
            detector["Configuration"] ??= new JsonObject { ["ExcludedTimeRanges"] = new JsonArray() };
            detector["StateValue"] = "PENDING_TRAINING";
            Detectors(context).Put(Id(input), detector);
            Runtime.After(Durations.AnomalyDetectorTraining, () => Detectors(context).Update(Id(input), document => document["StateValue"] = "TRAINED"));
            return [];
        });
        On("DeleteAnomalyDetector", (context, input) => Detectors(context).Remove(Id(input)) ? [] : throw new ServiceFault("ResourceNotFoundException", "The anomaly detector does not exist.", 404));
        On("DescribeAnomalyDetectors", (context, input) => Pages.Answer(input, Detectors(context).Where(item =>
            (input.Text("Namespace") is not { } space || item.Text("Namespace") == space) && (input.Text("MetricName") is not { } name || item.Text("MetricName") == name)
            && (!input.Has("Dimensions") || Dimensions(item) == Dimensions(input))
            && (input.Texts("AnomalyDetectorTypes") is not { Count: > 0 } types || types.Contains(item.Has("MetricMathAnomalyDetector") ? "METRIC_MATH" : "SINGLE_METRIC"))).ToList(),
            "AnomalyDetectors", "MaxResults", "NextToken", 100, "InvalidNextToken"));
    }
}
