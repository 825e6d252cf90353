using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.AutoScaling;

/// <content>What becomes of groups when an availability zone is lost.</content>
internal sealed partial class AutoScalingService : IZonal
{
    /// <summary>Instances of the zone fail EC2's checks: they are replaced in the zones that are left.</summary>
    public void LoseZone(RequestContext context, string zone)
    {
        foreach (var group in Groups(context).All())
        {
            var name = group.Required("AutoScalingGroupName");
            var gone = group.Objects("Instances").Where(instance => instance.Text("AvailabilityZone") == zone && instance.Text("LifecycleState") is "InService" or "Pending").ToList();
            foreach (var instance in gone)
            {
                Terminate(context, name, instance.Required("InstanceId"), "an instance was taken out of service in response to an EC2 health check that indicated it had been terminated or stopped");
            }
            if (gone.Count > 0)
            {
                Later(context, name, "instances were started in response to a difference between desired and actual capacity");
            }
        }
    }
}
