using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.CostExplorer;

/// <summary>The AWS::CE anomaly types.</summary>
internal static class CostExplorerResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<CostExplorerService>();
        return [Monitor(service), Subscription(service)];
    }

    private static JsonObject Input(CostExplorerService service, ProvisionContext context, string operation, string member, JsonObject properties)
    {
        // Templates carry expressions as JSON in text.
        var source = properties.Copy();
        foreach (var name in (string[])["MonitorSpecification", "ThresholdExpression"])
        {
            if (source.Text(name) is { } text)
            {
                source[name] = PolicyDocument.AsObject(text);
            }
        }
        source.Remove("ResourceTags");
        var input = PropertyMapper.ToInput(service, operation, new JsonObject { [member] = source });
        var tags = context.MergedTags(properties["ResourceTags"]);
        if (tags.Count > 0)
        {
            input["ResourceTags"] = tags;
        }
        return input;
    }

    private static Provider Monitor(CostExplorerService service)
    {
        async Task<JsonObject> Find(ProvisionContext context, string arn) =>
            (await service.CallAsync(context, "GetAnomalyMonitors", new JsonObject { ["MonitorArnList"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("AnomalyMonitors").First();
        return new Provider("AWS::CE::AnomalyMonitor")
        {
            Gone = ["UnknownMonitorException"],
            Create = async (context, properties) => (await service.CallAsync(context, "CreateAnomalyMonitor", Input(service, context, "CreateAnomalyMonitor", "AnomalyMonitor", properties)).ConfigureAwait(false)).Required("MonitorArn"),
            Update = (context, arn, _, after) => service.CallAsync(context, "UpdateAnomalyMonitor", new JsonObject { ["MonitorArn"] = arn, ["MonitorName"] = after.Text("MonitorName") }),
            Delete = (context, arn, _) => service.CallAsync(context, "DeleteAnomalyMonitor", new JsonObject { ["MonitorArn"] = arn }),
            Read = async (context, arn) => (await Find(context, arn).ConfigureAwait(false)).Pick("MonitorName", "MonitorType", "MonitorDimension"),
            Attributes = async (context, arn) =>
            {
                var monitor = await Find(context, arn).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("MonitorArn", arn), ("CreationDate", monitor["CreationDate"]), ("LastUpdatedDate", monitor["LastUpdatedDate"]), ("LastEvaluatedDate", monitor["LastEvaluatedDate"]), ("DimensionalValueCount", monitor["DimensionalValueCount"]));
            },
        };
    }

    private static Provider Subscription(CostExplorerService service) => new("AWS::CE::AnomalySubscription")
    {
        Gone = ["UnknownSubscriptionException"],
        Create = async (context, properties) => (await service.CallAsync(context, "CreateAnomalySubscription", Input(service, context, "CreateAnomalySubscription", "AnomalySubscription", properties)).ConfigureAwait(false)).Required("SubscriptionArn"),
        Update = (context, arn, _, after) => service.CallAsync(context, "UpdateAnomalySubscription", Input(service, context, "CreateAnomalySubscription", "AnomalySubscription", after).Child("AnomalySubscription")!.Copy().With("SubscriptionArn", arn)),
        Delete = (context, arn, _) => service.CallAsync(context, "DeleteAnomalySubscription", new JsonObject { ["SubscriptionArn"] = arn }),
        Read = async (context, arn) =>
        {
            var found = (await service.CallAsync(context, "GetAnomalySubscriptions", new JsonObject { ["SubscriptionArnList"] = new JsonArray(arn) }).ConfigureAwait(false)).Objects("AnomalySubscriptions").First();
            var properties = found.Pick("SubscriptionName", "Frequency", "MonitorArnList", "Threshold");
            properties["Subscribers"] = found.Objects("Subscribers").Select(item => item.Pick("Address", "Type")).ToJsonList();
            return properties;
        },
        Attributes = (context, arn) => Task.FromResult(ProviderExtensions.Attributes(("SubscriptionArn", arn), ("AccountId", context.Request.AccountId))),
    };
}
