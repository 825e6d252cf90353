using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApplicationAutoScaling;

/// <summary>Capacity read and set: tasks of an ECS service, throughput of a DynamoDB table, provisioned concurrency of a function.</summary>
internal sealed partial class ApplicationAutoScalingService
{
    /// <summary>The present capacity; null when what is scaled does not exist or has no capacity to scale.</summary>
    private int? CapacityOf(RequestContext context, JsonObject target)
    {
        var parts = target.Required("ResourceId").Split('/');
        switch (target.Text("ServiceNamespace"))
        {
            case "ecs" when parts.Length == 3:
                return Runtime.Collection("ecs", "services", context).Get($"{parts[1]}/{parts[2]}") is { } service && service.Text("status") == "ACTIVE" ? service.Int("desiredCount") : null;
            case "dynamodb" when parts.Length >= 2:
                var table = Runtime.Collection("dynamodb", "tables", context).Get(parts[1]);
                var throughput = parts is [_, _, "index", var index] ? table?.Objects("GlobalSecondaryIndexes").FirstOrDefault(item => item.Text("IndexName") == index)?.Child("ProvisionedThroughput") : table?.Child("ProvisionedThroughput");
                return throughput?.Int(IsWrite(target) ? "WriteCapacityUnits" : "ReadCapacityUnits");
            case "lambda":
                var (function, qualifier) = FunctionOf(target);
                return Runtime.Service<Lambda.LambdaService>().ProvisionedOf(context, function, qualifier);
            default:
                return null;
        }
    }

    /// <summary>Name and alias of a target <c>function:NAME:ALIAS</c>.</summary>
    private static (string Function, string Qualifier) FunctionOf(JsonObject target) => target.Required("ResourceId").Split(':') is [_, var name, var qualifier] ? (name, qualifier) : ("", "");

    private static bool IsWrite(JsonObject target) => target.Required("ScalableDimension").Contains("Write", StringComparison.Ordinal);

    /// <summary>A capacity outside of the bounds is set to the nearer one.</summary>
    private void BringWithinBounds(RequestContext context, string key)
    {
        if (Targets(context).Get(key) is not { } target || CapacityOf(context, target) is not { } desired)
        {
            return;
        }
        var (minimum, maximum) = (target.Int("MinCapacity") ?? 0, target.Int("MaxCapacity") ?? 0);
        var wanted = Math.Clamp(desired, minimum, maximum);
        if (wanted != desired)
        {
            SetCapacity(context, target, wanted, wanted > desired ? "minimum capacity was set" : "maximum capacity was set");
        }
    }

    /// <summary>Sets the capacity of a target and records the activity.</summary>
    private void SetCapacity(RequestContext context, JsonObject target, int capacity, string cause)
    {
        var detached = context.Detached();
        var id = Runtime.Ids.Uuid();
        var service = target.Required("ServiceNamespace");
        var what = service switch
        {
            "ecs" => $"desired count to {capacity}",
            "lambda" => $"provisioned concurrency to {capacity}",
            _ => $"{(IsWrite(target) ? "write" : "read")} capacity units to {capacity}",
        };
        Collection(detached, "activities").Put(id, new JsonObject
        {
            ["ActivityId"] = id,
            ["Description"] = $"Setting {what}.",
            ["Cause"] = cause,
            ["StartTime"] = Documents.Time(Runtime.Clock.Now),
            ["StatusCode"] = "InProgress",
            ["_Order"] = Interlocked.Increment(ref activityOrder),
        }.Take(target, "ServiceNamespace", "ResourceId", "ScalableDimension"));
        if (service == "ecs")
        {
            // At once, so that the next look at the service sees it.
            var parts = target.Required("ResourceId").Split('/');
            try
            {
                Runtime.Service<Ecs.EcsService>().SetDesiredCount(detached, parts[1], parts[2], capacity);
                Finish(detached, id, "Successful", $"Successfully set {what}. Change successfully fulfilled by ecs.");
            }
            catch (ServiceFault fault)
            {
                Finish(detached, id, "Failed", $"Failed to set {what}. Reason: {fault.Message}");
            }
            return;
        }
        Runtime.Run(async _ =>
        {
            try
            {
                var (operation, input) = service == "lambda"
                    ? ("PutProvisionedConcurrencyConfig", new JsonObject { ["FunctionName"] = FunctionOf(target).Function, ["Qualifier"] = FunctionOf(target).Qualifier, ["ProvisionedConcurrentExecutions"] = capacity })
                    : ("UpdateTable", Throughput(detached, target, capacity));
                await Runtime.Service(service)!.InvokeAsync(detached, operation, input).ConfigureAwait(false);
                Retarget(detached, target, capacity);
                Finish(detached, id, "Successful", $"Successfully set {what}. Change successfully fulfilled by {service}.");
            }
            catch (ServiceFault fault)
            {
                Finish(detached, id, "Failed", $"Failed to set {what}. Reason: {fault.Message}");
            }
        });
    }

    private long activityOrder;

    private void Finish(RequestContext context, string id, string status, string message) => Collection(context, "activities").Update(id, activity =>
    {
        activity["EndTime"] = Documents.Time(Runtime.Clock.Now);
        activity["StatusCode"] = status;
        activity["StatusMessage"] = message;
    });

    private JsonObject Throughput(RequestContext context, JsonObject target, int capacity)
    {
        var parts = target.Required("ResourceId").Split('/');
        var table = Runtime.Collection("dynamodb", "tables", context).Get(parts[1]) ?? throw new ServiceFault("ObjectNotFoundException", $"Table {parts[1]} does not exist.");
        var index = parts is [_, _, "index", var name] ? name : null;
        var present = (index is null ? table : table.Objects("GlobalSecondaryIndexes").First(item => item.Text("IndexName") == index)).Child("ProvisionedThroughput") ?? [];
        var throughput = present.Pick("ReadCapacityUnits", "WriteCapacityUnits");
        throughput[IsWrite(target) ? "WriteCapacityUnits" : "ReadCapacityUnits"] = capacity;
        return index is null
            ? new JsonObject { ["TableName"] = parts[1], ["ProvisionedThroughput"] = throughput }
            : new JsonObject
            {
                ["TableName"] = parts[1],
                ["GlobalSecondaryIndexUpdates"] = new JsonArray(new JsonObject { ["Update"] = new JsonObject { ["IndexName"] = index, ["ProvisionedThroughput"] = throughput } }),
            };
    }

}
