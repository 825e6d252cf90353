using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <content>What becomes of instances when their availability zone is lost.</content>
internal sealed partial class RdsService : IZonal
{
    /// <summary>
    /// The standby of a Multi-AZ instance takes over by itself. One in a single zone stays where it is, cannot be reached, and its status tells
    /// nothing of it, as AWS has it.
    /// </summary>
    public void LoseZone(RequestContext context, string zone)
    {
        foreach (var instance in Instances(context).Where(item => item.Is("MultiAZ") && item.Text("AvailabilityZone") == zone && item.Text("DBInstanceStatus") is "available" or "storage-optimization"))
        {
            if (Runtime.Faults.IsZoneLost(instance.Text("SecondaryAvailabilityZone") ?? ""))
            {
                continue;
            }
            Record(context, instance, "Multi-AZ instance failover started.", "failover");
            Shift(context, instance, "rebooting");
            Later(context, Durations.RdsFailover, instance, document =>
            {
                document["DBInstanceStatus"] = "available";
                FailOver(document);
            }, () =>
            {
                Record(context, instance, "DB instance restarted", "availability");
                Record(context, instance, "Multi-AZ instance failover completed", "failover");
            });
        }
    }
}
