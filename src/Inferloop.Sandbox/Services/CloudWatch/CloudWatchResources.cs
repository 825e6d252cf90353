using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CloudWatch;

/// <summary>AWS::CloudWatch alarms and dashboards.</summary>
internal static class CloudWatchResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<CloudWatchService>();
        return [Alarm(service, "AWS::CloudWatch::Alarm", "PutMetricAlarm", "MetricAlarms"), Alarm(service, "AWS::CloudWatch::CompositeAlarm", "PutCompositeAlarm", "CompositeAlarms"), Dashboard(service), Detector(service)];
    }

    private static Provider Alarm(CloudWatchService service, string type, string operation, string member)
    {
        async Task<JsonObject?> Find(ProvisionContext context, string name) =>
            (await service.CallAsync(context, "DescribeAlarms", new JsonObject { ["AlarmNames"] = new JsonArray(name), ["AlarmTypes"] = new JsonArray("MetricAlarm", "CompositeAlarm") }).ConfigureAwait(false)).Objects(member).FirstOrDefault();
        Task Put(ProvisionContext context, string name, JsonObject properties)
        {
            var input = PropertyMapper.ToInput(service, operation, properties.Tagged(context));
            input["AlarmName"] = name;
            return service.CallAsync(context, operation, input);
        }
        return new Provider(type)
        {
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "AlarmName");
                await Put(context, name, properties).ConfigureAwait(false);
                return name;
            },
            Update = (context, name, _, after) => Put(context, name, after),
            Delete = async (context, name, _) =>
            {
                if (await Find(context, name).ConfigureAwait(false) is not null)
                {
                    await service.CallAsync(context, "DeleteAlarms", new JsonObject { ["AlarmNames"] = new JsonArray(name) }).ConfigureAwait(false);
                }
            },
            Read = Find,
            Attributes = (context, name) => Task.FromResult(ProviderExtensions.Attributes(("Arn", context.Request.Arn("cloudwatch", "alarm:" + name)))),
        };
    }

    private static Provider Dashboard(CloudWatchService service)
    {
        Task Put(ProvisionContext context, string name, JsonObject properties) =>
            service.CallAsync(context, "PutDashboard", new JsonObject { ["DashboardName"] = name, ["DashboardBody"] = PolicyDocument.AsText(properties["DashboardBody"]) });
        return new Provider("AWS::CloudWatch::Dashboard")
        {
            Gone = ["ResourceNotFound"],
            Create = async (context, properties) =>
            {
                var name = context.NameOf(properties, "DashboardName");
                await Put(context, name, properties).ConfigureAwait(false);
                return name;
            },
            Update = (context, name, _, after) => Put(context, name, after),
            Delete = (context, name, _) => service.CallAsync(context, "DeleteDashboards", new JsonObject { ["DashboardNames"] = new JsonArray(name) }),
            Read = async (context, name) => (await service.CallAsync(context, "GetDashboard", new JsonObject { ["DashboardName"] = name }).ConfigureAwait(false)).Pick("DashboardName", "DashboardBody"),
        };
    }

    private static Provider Detector(CloudWatchService service)
    {
        // A detector has no id of its own: what it watches names it.
        static JsonObject Key(JsonObject properties) => properties.Pick("Namespace", "MetricName", "Stat", "Dimensions", "SingleMetricAnomalyDetector", "MetricMathAnomalyDetector");
        async Task<JsonObject?> Find(ProvisionContext context, string id)
        {
            var key = (JsonObject)PolicyDocument.AsObject(id.Split('|', 2)[1])!;
            var wanted = key.Child("SingleMetricAnomalyDetector") ?? key;
            return (await service.CallAsync(context, "DescribeAnomalyDetectors", new JsonObject { ["AnomalyDetectorTypes"] = new JsonArray("SINGLE_METRIC", "METRIC_MATH") }).ConfigureAwait(false)).Objects("AnomalyDetectors")
                .FirstOrDefault(item => key.Child("MetricMathAnomalyDetector") is { } math ? Documents.Same(math, item["MetricMathAnomalyDetector"])
                    : item.Text("Namespace") == wanted.Text("Namespace") && item.Text("MetricName") == wanted.Text("MetricName") && item.Text("Stat") == wanted.Text("Stat")
                        && Documents.Same(item["Dimensions"] ?? new JsonArray(), wanted["Dimensions"] ?? new JsonArray()));
        }
        return new Provider("AWS::CloudWatch::AnomalyDetector")
        {
            Gone = ["ResourceNotFoundException"],
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "PutAnomalyDetector", properties).ConfigureAwait(false);
                return $"{context.GenerateName(100)}|{Key(properties).ToJsonString()}";
            },
            Reference = id => id.Split('|')[0],
            Update = (context, _, _, after) => service.CallMappedAsync(context, "PutAnomalyDetector", after),
            Delete = (context, id, _) => service.CallMappedAsync(context, "DeleteAnomalyDetector", (JsonObject)PolicyDocument.AsObject(id.Split('|', 2)[1])!),
            Read = async (context, id) => await Find(context, id).ConfigureAwait(false) is { } found ? Key((JsonObject)PolicyDocument.AsObject(id.Split('|', 2)[1])!).Take(found, "Configuration") : null,
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id.Split('|')[0]))),
        };
    }
}
