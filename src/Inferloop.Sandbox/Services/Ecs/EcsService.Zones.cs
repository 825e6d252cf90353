using Inferloop.Sandbox.Faults;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ecs;

/// <content>What becomes of tasks when their availability zone is lost.</content>
internal sealed partial class EcsService : IZonal
{
    public void LoseZone(RequestContext context, string zone)
    {
        foreach (var task in Tasks(context).Where(task => task.Text("availabilityZone") == zone && task.Text("lastStatus") != "STOPPED"))
        {
            // Their host is gone: nothing drains and nobody is asked.
            var id = NameOf(task.Required("taskArn"));
            Tasks(context).Update(id, document =>
            {
                document["desiredStatus"] = "STOPPED";
                document["stoppedReason"] = $"Task stopped: the infrastructure in {zone} is not available";
                document["stopCode"] = "TerminationNotice";
                document["stoppingAt"] = Documents.Time(Runtime.Clock.Now);
            });
            DeregisterTargets(context, task);
            Stopped(context, id);
        }
        WakeAll(context);
    }

    /// <summary>What waited for capacity is placed.</summary>
    public void RegainZone(RequestContext context, string zone) => WakeAll(context);

    /// <summary>Those of the subnets whose zone is there.</summary>
    private List<string> Reachable(RequestContext context, IReadOnlyList<string> subnets)
    {
        if (!Runtime.Faults.Any)
        {
            return [.. subnets];
        }
        var ec2 = Runtime.Service<Ec2.Ec2Service>();
        var reachable = subnets.Where(subnet => !Runtime.Faults.IsZoneLost(ec2.Subnet(context, subnet).Required("AvailabilityZone"))).ToList();
        return reachable.Count > 0 ? reachable
            : throw new ServiceFault("ServerException", "Capacity is unavailable at this time. Please try again later or in a different availability zone", 500);
    }
}
