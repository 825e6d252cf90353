using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ApplicationAutoScaling;

/// <summary>Policies at work: an alarm fires, the capacity follows, cooldowns hold it back.</summary>
internal sealed partial class ApplicationAutoScalingService
{
    private const int DefaultCooldown = 300;

    private static string? Problem(JsonObject settings) => StepScaling.Problem(settings);

    /// <summary>An alarm asks for a policy, once a minute for as long as it stays in its state. Gives what went wrong; null when nothing did.</summary>
    public string? AlarmFired(RequestContext context, string policyArn, JsonObject alarm, double? metric)
    {
        if (Policies(context).Find(item => item.Text("PolicyARN") == policyArn) is not { } policy)
        {
            return $"No scaling policy found for {policyArn}";
        }
        if (Targets(context).Get(Key(policy)) is not { } target || CapacityOf(context, target) is not { } capacity)
        {
            return $"There is nothing to scale: {policy.Text("ResourceId")}";
        }
        if (metric is not { } value)
        {
            // The alarm was set by hand; without a metric there is nothing to calculate with.
            return null;
        }
        var tracking = policy.Child("TargetTrackingScalingPolicyConfiguration");
        var wanted = tracking is not null
            ? Tracked(target, tracking, capacity, value)
            : StepScaling.Wanted(policy.Child("StepScalingPolicyConfiguration")!, capacity, value, alarm.Double("Threshold") ?? 0);
        if (wanted is not { } asked)
        {
            return null;
        }
        var high = tracking is null ? asked >= capacity : (alarm.Text("ComparisonOperator") ?? "").StartsWith("Greater", StringComparison.Ordinal);
        if (tracking is not null && high == asked < capacity)
        {
            return null;
        }
        if (tracking is not null && !high)
        {
            // Of several policies the one that keeps the most has its way.
            asked = Math.Min(capacity, Math.Max(asked, MostWanted(context, policy, target, capacity)));
        }
        var bounded = Math.Clamp(asked, target.Int("MinCapacity") ?? 0, target.Int("MaxCapacity") ?? int.MaxValue);
        if (bounded == capacity || IsSuspended(target, bounded > capacity) || (bounded < capacity && tracking is not null && !OthersAgree(context, policy)))
        {
            return null;
        }
        if (Cooled(policy, target, capacity, bounded) is not { } allowed || allowed == capacity)
        {
            return null;
        }
        Targets(context).Update(Key(policy), document =>
        {
            document[allowed > capacity ? "_LastOut" : "_LastIn"] = Documents.Time(Runtime.Clock.Now);
            document["_LastChange"] = allowed - capacity;
        });
        SetCapacity(context, target, allowed, $"monitor alarm {alarm.Text("AlarmName")} in state {alarm.Text("StateValue")} triggered policy {policy.Text("PolicyName")}");
        return null;
    }

    /// <summary>The capacity at which target tracking would hold its metric.</summary>
    private static int Tracked(JsonObject target, JsonObject tracking, int capacity, double value) => IsOfTable(target, tracking)
        // Its metric counts the units of a minute; the target is a share of what is provided.
        ? Math.Max(1, (int)Math.Ceiling(value / 60 / ((tracking.Double("TargetValue") ?? 1) / 100)))
        : StepScaling.Tracking(capacity, value, tracking.Double("TargetValue") ?? 1);

    /// <summary>The most that the target's other tracking policies would keep.</summary>
    private int MostWanted(RequestContext context, JsonObject policy, JsonObject target, int capacity)
    {
        var monitoring = Runtime.Service<CloudWatch.CloudWatchService>();
        return Policies(context).Where(other => Key(other) == Key(policy) && other.Text("PolicyARN") != policy.Text("PolicyARN"))
            .Select(other => other.Child("TargetTrackingScalingPolicyConfiguration") is { } tracking && other.Objects("Alarms").FirstOrDefault() is { } alarm && monitoring.NewestOf(context, alarm.Required("AlarmName")) is { } value
                ? Tracked(target, tracking, capacity, value) : 0)
            .DefaultIfEmpty(0).Max();
    }

    private static bool IsSuspended(JsonObject target, bool scaleOut) =>
        target.Child("SuspendedState")?.Is(scaleOut ? "DynamicScalingOutSuspended" : "DynamicScalingInSuspended") == true;

    /// <summary>Target tracking scales in only when every such policy of the target is ready to.</summary>
    private bool OthersAgree(RequestContext context, JsonObject policy)
    {
        var alarms = Runtime.Service<CloudWatch.CloudWatchService>();
        return Policies(context).Where(item => Key(item) == Key(policy) && item.Text("PolicyARN") != policy.Text("PolicyARN") && item.Child("TargetTrackingScalingPolicyConfiguration") is { } settings && !settings.Is("DisableScaleIn"))
            .All(other => other.Objects("Alarms").Where(alarm => alarm.Required("AlarmName").Contains("-AlarmLow-", StringComparison.Ordinal)).All(alarm => alarms.StateOf(context, alarm.Required("AlarmName")) == "ALARM"));
    }

    /// <summary>What the cooldowns leave of a change; null when they forbid it.</summary>
    private int? Cooled(JsonObject policy, JsonObject target, int capacity, int wanted)
    {
        var step = policy.Child("StepScalingPolicyConfiguration");
        var tracking = policy.Child("TargetTrackingScalingPolicyConfiguration") ?? [];
        var outSeconds = step is null ? tracking.Int("ScaleOutCooldown") ?? DefaultCooldown : step.Int("Cooldown") ?? DefaultCooldown;
        var inSeconds = step is null ? tracking.Int("ScaleInCooldown") ?? DefaultCooldown : step.Int("Cooldown") ?? DefaultCooldown;
        var now = Runtime.Clock.Now;
        if (wanted < capacity)
        {
            // Scaling in waits for both: an earlier scale-in, and an activity that has just added capacity.
            return Since("_LastIn") < inSeconds || Since("_LastOut") < outSeconds ? null : wanted;
        }
        if (Since("_LastOut") >= outSeconds)
        {
            return wanted;
        }
        // Within the cooldown a step counts only by what it is more than the last activity has added.
        var added = Math.Max(0, target.Int("_LastChange") ?? 0);
        return step is not null && wanted - capacity > added ? wanted - added : null;

        double Since(string member) => target.TimeOf(member) is { } moment ? (now - moment).TotalSeconds : double.PositiveInfinity;
    }
}
