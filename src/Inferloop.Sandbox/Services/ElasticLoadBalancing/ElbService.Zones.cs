using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.ZonalShift;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>Zones that traffic is shifted away from.</content>
internal sealed partial class ElbService
{
    private IReadOnlySet<string> ShiftedZones(RequestContext context, JsonObject balancer) => Runtime.Service<ZonalShiftService>().ShiftedZones(context, balancer);

    private string? ZoneOf(RequestContext context, JsonObject group, JsonObject target)
    {
        if (target.Text("AvailabilityZone") is { } given and not "all")
        {
            return given;
        }
        var (ec2, id) = (Runtime.Service<Ec2Service>(), target.Required("Id"));
        return id.StartsWith("i-", StringComparison.Ordinal) ? ec2.FindInstance(context, id)?.Child("Placement")?.Text("AvailabilityZone") : ec2.ZoneOfAddress(context, group.Text("VpcId"), id);
    }

    /// <summary>What a zonal shift makes of a target; null where no balancer takes part in zonal shifts.</summary>
    private JsonObject? OverrideOf(RequestContext context, JsonObject group, JsonObject target)
    {
        var balancers = BalancersOf(context, group.Required("TargetGroupArn")).Select(Balancers(context).Get).OfType<JsonObject>()
            .Where(static balancer => balancer.Objects("_Attributes").Any(static item => item.Text("Key") == "zonal_shift.config.enabled" && item.Text("Value") == "true")).ToList();
        if (balancers.Count == 0)
        {
            return null;
        }
        var isShifted = ZoneOf(context, group, target) is { } zone && balancers.Exists(balancer => ShiftedZones(context, balancer).Contains(zone));
        return isShifted
            ? new JsonObject { ["State"] = "zonal_shift_active", ["Reason"] = "AdministrativeOverride.ZonalShiftActive", ["Description"] = "Zonal shift is currently active on this target" }
            : new JsonObject { ["State"] = "no_override", ["Reason"] = "AdministrativeOverride.NoOverride", ["Description"] = "No override is currently active on target" };
    }
}
