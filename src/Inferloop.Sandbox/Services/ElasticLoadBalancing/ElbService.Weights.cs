using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.ElasticLoadBalancing;

/// <content>How ECS divides the traffic of a rule or a listener between two target groups.</content>
internal sealed partial class ElbService
{
    /// <summary>The target groups that a rule, or a listener by default, forwards to; null when there is no such rule or listener.</summary>
    public IReadOnlyList<string>? ForwardsOf(RequestContext context, string ruleOrListener) =>
        Rules(context).Get(ruleOrListener) is { } rule ? GroupsIn(rule.Objects("Actions")).ToList()
        : Governs(context, ruleOrListener) is { } listener ? GroupsIn(listener.Objects("DefaultActions")).ToList() : null;

    /// <summary>Sends a share of a rule's or a listener's traffic to one group and the rest to the other.</summary>
    public void Weigh(RequestContext context, string ruleOrListener, string to, string from, double percent)
    {
        // Weights are whole numbers up to 999: tenths of a percent where there are any, percents otherwise.
        var scale = percent == Math.Floor(percent) ? 1 : 10;
        void Divide(JsonObject document, string member)
        {
            if (document.Objects(member).LastOrDefault(action => action.Text("Type") == "forward") is not { } forward)
            {
                return;
            }
            forward.Remove("TargetGroupArn");
            var configuration = forward.ChildOrNew("ForwardConfig");
            configuration["TargetGroups"] = new JsonArray(
                new JsonObject { ["TargetGroupArn"] = to, ["Weight"] = (int)Math.Round(percent * scale) },
                new JsonObject { ["TargetGroupArn"] = from, ["Weight"] = (int)Math.Round((100 - percent) * scale) });
            configuration["TargetGroupStickinessConfig"] ??= new JsonObject { ["Enabled"] = false };
        }
        if (Rules(context).Update(ruleOrListener, rule => Divide(rule, "Actions")) is null && Governs(context, ruleOrListener) is { } listener)
        {
            Listeners(context).Update(listener.Required("ListenerArn"), document => Divide(document, "DefaultActions"));
        }
        Groups(context).Update(to, group => group["_UsedSince"] ??= Documents.Time(context.Now));
    }

    private JsonObject? Governs(RequestContext context, string ruleOrListener) =>
        Listeners(context).Get(ruleOrListener) ?? Listeners(context).Find(item => item.Text("_DefaultRule") == ruleOrListener);
}
