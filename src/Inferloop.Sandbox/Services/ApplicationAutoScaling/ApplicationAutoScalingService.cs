using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApplicationAutoScaling;

/// <summary>Application Auto Scaling: targets, policies that their alarms drive, scheduled actions on the clock; a service outside of its bounds is brought back within them.</summary>
internal sealed partial class ApplicationAutoScalingService : SandboxService
{
    public ApplicationAutoScalingService(SandboxRuntime runtime)
        : base(runtime, "application-autoscaling")
    {
        On("RegisterScalableTarget", RegisterScalableTarget);
        On("DeregisterScalableTarget", DeregisterScalableTarget);
        On("DescribeScalableTargets", (context, input) =>
        {
            var ids = input.Texts("ResourceIds");
            var all = Targets(context).Where(target => target.Text("ServiceNamespace") == input.Text("ServiceNamespace") && (ids.Count == 0 || ids.Contains(target.Text("ResourceId")!))
                && (input.Text("ScalableDimension") is not { } dimension || target.Text("ScalableDimension") == dimension));
            return Pages.Answer(input, all, "ScalableTargets", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException");
        });
        On("PutScalingPolicy", PutScalingPolicy);
        On("DeleteScalingPolicy", (context, input) =>
        {
            var key = $"{Key(input)}|{input.Text("PolicyName")}";
            var policy = Policies(context).Get(key) ?? throw new ServiceFault("ObjectNotFoundException", $"No scaling policy found for service namespace: {input.Text("ServiceNamespace")}, resource ID: {input.Text("ResourceId")}, scalable dimension: {input.Text("ScalableDimension")}: {input.Text("PolicyName")}");
            RemovePolicy(context, key, policy);
            return [];
        });
        On("DescribeScalingPolicies", (context, input) =>
        {
            var names = input.Texts("PolicyNames");
            var all = Policies(context).Where(policy => policy.Text("ServiceNamespace") == input.Text("ServiceNamespace") && (names.Count == 0 || names.Contains(policy.Text("PolicyName")!))
                && (input.Text("ResourceId") is not { } id || policy.Text("ResourceId") == id) && (input.Text("ScalableDimension") is not { } dimension || policy.Text("ScalableDimension") == dimension)).Select(policy => WithAlarms(context, policy)).ToList();
            return Pages.Answer(input, all, "ScalingPolicies", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException");
        });
        On("PutScheduledAction", PutScheduledAction);
        On("DeleteScheduledAction", (context, input) => Actions(context).Remove($"{Key(input)}|{input.Text("ScheduledActionName")}")
            ? []
            : throw new ServiceFault("ObjectNotFoundException", $"No scheduled action found for service namespace: {input.Text("ServiceNamespace")}: {input.Text("ScheduledActionName")}"));
        On("DescribeScheduledActions", (context, input) =>
        {
            var names = input.Texts("ScheduledActionNames");
            var all = Actions(context).Where(action => action.Text("ServiceNamespace") == input.Text("ServiceNamespace") && (names.Count == 0 || names.Contains(action.Text("ScheduledActionName")!))
                && (input.Text("ResourceId") is not { } id || action.Text("ResourceId") == id));
            return Pages.Answer(input, all, "ScheduledActions", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException");
        });
        On("DescribeScalingActivities", (context, input) =>
        {
            var all = Collection(context, "activities").Where(activity => activity.Text("ServiceNamespace") == input.Text("ServiceNamespace") && (input.Text("ResourceId") is not { } id || activity.Text("ResourceId") == id))
                .OrderByDescending(activity => activity.Long("_Order")).ToList();
            return Pages.Answer(input, all, "ScalingActivities", defaultSize: 50, tokenErrorCode: "InvalidNextTokenException");
        });
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", Tags.FromMap(input.Child("Tags")))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeys"))));
        On("ListTagsForResource", (context, input) => new JsonObject { ["Tags"] = Tags.AsMap(ByArn(context, input).Objects("_Tags")) });
    }

    /// <summary>Target tracking has alarms of its own; of a step policy they are whichever name it as what they do.</summary>
    private JsonObject WithAlarms(RequestContext context, JsonObject policy)
    {
        if (policy.Text("PolicyType") != "StepScaling")
        {
            return policy;
        }
        var arn = policy.Required("PolicyARN");
        return policy.With("Alarms", new JsonArray([.. Runtime.Service<CloudWatch.CloudWatchService>().AlarmsThatDo(context, arn)
            .Select(alarm => (JsonNode)alarm.Pick("AlarmName").With("AlarmARN", alarm["AlarmArn"].Copy()))]));
    }

    private Collection Targets(RequestContext context) => Collection(context, "targets");

    private Collection Policies(RequestContext context) => Collection(context, "policies");

    private Collection Actions(RequestContext context) => Collection(context, "actions");

    public static string Key(JsonObject input) => $"{input.Text("ResourceId")}|{input.Text("ScalableDimension")}|{input.Text("ServiceNamespace")}";

    private static ServiceFault Invalid(string message) => new("ValidationException", message);

    private JsonObject ByArn(RequestContext context, JsonObject input) => Targets(context).Find(target => target.Text("ScalableTargetARN") == input.Text("ResourceARN"))
        ?? throw new ServiceFault("ResourceNotFoundException", "The specified resource doesn't exist.");

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        Targets(context).Update(Key(ByArn(context, input)), change);
        return [];
    }

    private JsonObject Target(RequestContext context, JsonObject input) => Targets(context).Get(Key(input)) ?? throw new ServiceFault("ObjectNotFoundException",
        $"No scalable target registered for service namespace: {input.Text("ServiceNamespace")}, resource ID: {input.Text("ResourceId")}, scalable dimension: {input.Text("ScalableDimension")}");

    private JsonObject RegisterScalableTarget(RequestContext context, JsonObject input)
    {
        var present = Targets(context).Get(Key(input));
        var (minimum, maximum) = (input.Int("MinCapacity") ?? present?.Int("MinCapacity"), input.Int("MaxCapacity") ?? present?.Int("MaxCapacity"));
        if (minimum is null || maximum is null)
        {
            throw Invalid("MinCapacity and MaxCapacity are required when registering a new scalable target");
        }
        if (minimum > maximum)
        {
            throw Invalid("Maximum capacity cannot be less than minimum capacity");
        }
        var service = input.Required("ServiceNamespace");
        if (service == "ecs")
        {
            if (input.Required("ResourceId").Split('/') is not ["service", _, _] || input.Text("ScalableDimension") != "ecs:service:DesiredCount")
            {
                throw Invalid("Unsupported service namespace, resource type or scalable dimension");
            }
            if (CapacityOf(context, input) is null)
            {
                throw Invalid($"ECS service doesn't exist: {input.Text("ResourceId")}");
            }
        }
        if (service == "lambda" && (FunctionOf(input) is not ({ Length: > 0 }, { Length: > 0 }) || input.Text("ScalableDimension") != "lambda:function:ProvisionedConcurrency"))
        {
            throw Invalid("Unsupported service namespace, resource type or scalable dimension");
        }
        var arn = present?.Text("ScalableTargetARN") ?? context.Arn("application-autoscaling", "scalable-target/" + Runtime.Ids.Hex(24));
        var linked = service switch { "ecs" => "AWSServiceRoleForApplicationAutoScaling_ECSService", "dynamodb" => "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable", "lambda" => "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency", _ => null };
        if (linked is not null)
        {
            Runtime.Service<Iam.IamService>().EnsureServiceLinkedRole(context, $"{service}.application-autoscaling.amazonaws.com", linked);
        }
        var target = (present ?? new JsonObject { ["CreationTime"] = Documents.Time(context.Now), ["_Tags"] = Tags.FromMap(input.Child("Tags")).ToJsonList() })
            .Take(input, "ServiceNamespace", "ResourceId", "ScalableDimension", "SuspendedState");
        target["MinCapacity"] = minimum;
        target["MaxCapacity"] = maximum;
        target["ScalableTargetARN"] = arn;
        target["RoleARN"] = input.Text("RoleARN") ?? context.GlobalArn("iam", $"role/aws-service-role/{service}.application-autoscaling.amazonaws.com/{linked}");
        target["SuspendedState"] ??= new JsonObject { ["DynamicScalingInSuspended"] = false, ["DynamicScalingOutSuspended"] = false, ["ScheduledScalingSuspended"] = false };
        Targets(context).Put(Key(input), target);
        Runtime.After(TimeSpan.FromSeconds(15), () => BringWithinBounds(context, Key(input)));
        return new JsonObject { ["ScalableTargetARN"] = arn };
    }

    private JsonObject DeregisterScalableTarget(RequestContext context, JsonObject input)
    {
        _ = Target(context, input);
        var key = Key(input);
        foreach (var policy in Policies(context).Where(policy => Key(policy) == key))
        {
            RemovePolicy(context, $"{key}|{policy.Text("PolicyName")}", policy);
        }
        foreach (var action in Actions(context).Where(action => Key(action) == key))
        {
            Actions(context).Remove($"{key}|{action.Text("ScheduledActionName")}");
        }
        Targets(context).Remove(key);
        return [];
    }

    private JsonObject PutScalingPolicy(RequestContext context, JsonObject input)
    {
        var target = Target(context, input);
        var key = $"{Key(input)}|{input.Text("PolicyName")}";
        var present = Policies(context).Get(key);
        var type = input.Text("PolicyType") ?? present?.Text("PolicyType") ?? "StepScaling";
        var configuration = type + (type == "StepScaling" ? "PolicyConfiguration" : "ScalingPolicyConfiguration");
        configuration = type switch { "StepScaling" => "StepScalingPolicyConfiguration", "TargetTrackingScaling" => "TargetTrackingScalingPolicyConfiguration", _ => configuration };
        if (input.Child(configuration) is not { } settings)
        {
            throw Invalid($"{configuration} is required for policy type {type}");
        }
        if (type == "StepScaling" && Problem(settings) is { } problem)
        {
            throw Invalid(problem);
        }
        if (type == "TargetTrackingScaling" && settings.Has("PredefinedMetricSpecification") == settings.Has("CustomizedMetricSpecification"))
        {
            throw Invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified");
        }
        var policy = new JsonObject
        {
            ["PolicyARN"] = present?.Text("PolicyARN") ?? context.Arn("autoscaling", $"scalingPolicy:{Runtime.Ids.Uuid()}:resource/{input.Text("ServiceNamespace")}/{input.Text("ResourceId")}:policyName/{input.Text("PolicyName")}"),
            ["PolicyType"] = type,
            ["CreationTime"] = present?["CreationTime"].Copy() ?? Documents.Time(context.Now),
            [configuration] = settings.Copy(),
            ["Alarms"] = new JsonArray(),
        }.Take(input, "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension");
        if (present is not null)
        {
            RemovePolicy(context, key, present);
        }
        if (type == "TargetTrackingScaling")
        {
            var (high, low) = Thresholds(target, settings, CapacityOf(context, target) ?? 0);
            policy["Alarms"] = TargetTracking.CreateAlarms(Runtime, context, target.Required("ResourceId"), policy.Required("PolicyARN"), Metric(target, settings), high, settings.Is("DisableScaleIn"), low, IsOfTable(target, settings) ? 2 : 3);
        }
        Policies(context).Put(key, policy);
        return new JsonObject { ["PolicyARN"] = policy.Text("PolicyARN"), ["Alarms"] = policy["Alarms"].Copy() };
    }

    private static JsonObject Metric(JsonObject target, JsonObject settings)
    {
        if (settings.Child("CustomizedMetricSpecification") is { } custom)
        {
            if (custom.Has("Metrics"))
            {
                // Its queries have no periods of their own: target tracking looks at minutes.
                var queries = custom.Objects("Metrics").Select(query => query.Copy()).ToList();
                foreach (var query in queries)
                {
                    query.Child("MetricStat")?.Add("Period", 60);
                }
                return new JsonObject { ["Metrics"] = queries.ToJsonList() };
            }
            return custom.Pick("Namespace", "MetricName", "Dimensions", "Statistic", "Unit");
        }
        var predefined = settings.Child("PredefinedMetricSpecification")!;
        var type = predefined.Required("PredefinedMetricType");
        var parts = target.Required("ResourceId").Split('/');
        JsonObject Dimension(string name, string value) => new() { ["Name"] = name, ["Value"] = value };
        if (type == "ALBRequestCountPerTarget")
        {
            return TargetTracking.RequestCountPerTarget(predefined.Required("ResourceLabel"));
        }
        switch (target.Text("ServiceNamespace"))
        {
            case "ecs":
                return new JsonObject
                {
                    ["Namespace"] = "AWS/ECS",
                    ["MetricName"] = type.Contains("Memory", StringComparison.Ordinal) ? "MemoryUtilization" : "CPUUtilization",
                    ["Statistic"] = "Average",
                    ["Dimensions"] = new JsonArray(Dimension("ClusterName", parts[1]), Dimension("ServiceName", parts[2])),
                };
            case "lambda":
                var (function, qualifier) = FunctionOf(target);
                return new JsonObject
                {
                    ["Namespace"] = "AWS/Lambda",
                    ["MetricName"] = "ProvisionedConcurrencyUtilization",
                    ["Statistic"] = "Maximum",
                    ["Dimensions"] = new JsonArray(Dimension("FunctionName", function), Dimension("Resource", $"{function}:{qualifier}")),
                };
            default:
                var dimensions = new JsonArray(Dimension("TableName", parts.ElementAtOrDefault(1) ?? ""));
                if (parts is [_, _, "index", var index])
                {
                    dimensions.Add((JsonNode)Dimension("GlobalSecondaryIndexName", index));
                }
                return new JsonObject
                {
                    ["Namespace"] = "AWS/DynamoDB",
                    ["MetricName"] = type.Contains("Write", StringComparison.Ordinal) ? "ConsumedWriteCapacityUnits" : "ConsumedReadCapacityUnits",
                    ["Statistic"] = "Sum",
                    ["Dimensions"] = dimensions,
                };
        }
    }

    private static bool IsOfTable(JsonObject target, JsonObject settings) => target.Text("ServiceNamespace") == "dynamodb" && settings.Has("PredefinedMetricSpecification");

    /// <summary>
    /// Where the alarms of target tracking stand. A table's metric counts the units of a minute, so they follow what is provided: above the
    /// target, and twenty points below it.
    /// </summary>
    private static (double High, double Low) Thresholds(JsonObject target, JsonObject settings, int capacity)
    {
        var wanted = settings.Double("TargetValue") ?? 0;
        return IsOfTable(target, settings) ? (capacity * 60 * wanted / 100, capacity * 60 * Math.Max(0, wanted - 20) / 100) : (wanted, wanted * 0.9);
    }

    /// <summary>After another number of units is provided, the alarms of a table's policies stand elsewhere.</summary>
    private void Retarget(RequestContext context, JsonObject target, int capacity)
    {
        var monitoring = Runtime.Service<CloudWatch.CloudWatchService>();
        foreach (var policy in Policies(context).Where(policy => Key(policy) == Key(target)))
        {
            if (policy.Child("TargetTrackingScalingPolicyConfiguration") is { } settings && IsOfTable(target, settings))
            {
                var (high, low) = Thresholds(target, settings, capacity);
                foreach (var name in policy.Objects("Alarms").Select(alarm => alarm.Required("AlarmName")))
                {
                    monitoring.MoveThreshold(context, name, name.Contains("-AlarmHigh-", StringComparison.Ordinal) ? high : low);
                }
            }
        }
    }

    private void RemovePolicy(RequestContext context, string key, JsonObject policy)
    {
        foreach (var alarm in policy.Objects("Alarms"))
        {
            Runtime.Service<CloudWatch.CloudWatchService>().RemoveAlarm(context, alarm.Required("AlarmName"));
        }
        Policies(context).Remove(key);
    }
}
