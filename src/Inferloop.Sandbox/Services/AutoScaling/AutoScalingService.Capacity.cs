using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.AutoScaling;

/// <summary>How a group's instances come and go.</summary>
internal sealed partial class AutoScalingService
{
    private long activities;

    private void SetDesired(RequestContext context, string name, int desired, string cause)
    {
        var before = Group(context, name).Int("DesiredCapacity");
        Groups(context).Update(name, document => document["DesiredCapacity"] = desired);
        Later(context, name, $"{cause} changing the desired capacity from {before} to {desired}");
    }

    private void Later(RequestContext context, string name, string cause) => Runtime.After(Durations.AutoScalingReaction, () => Balance(context, name, cause));

    /// <summary>Starts or ends instances until the group has as many as desired.</summary>
    private void Balance(RequestContext context, string name, string cause)
    {
        if (Groups(context).Get(name) is not { } group || group.Has("Status"))
        {
            return;
        }
        bool Suspended(string process) => group.Objects("SuspendedProcesses").Any(item => item.Text("ProcessName") == process);
        var present = group.Objects("Instances").Where(instance => !(instance.Text("LifecycleState") ?? "").StartsWith("Terminating", StringComparison.Ordinal)).ToList();
        var desired = group.Int("DesiredCapacity") ?? 0;
        for (var i = present.Count; i < desired && !Suspended("Launch"); i++)
        {
            LaunchOne(context, name, cause);
        }
        var leaving = present.Where(instance => !instance.Is("ProtectedFromScaleIn")).Take(Math.Max(0, present.Count - desired)).ToList();
        foreach (var instance in Suspended("Terminate") ? [] : leaving)
        {
            Terminate(context, name, instance.Required("InstanceId"), cause);
        }
    }

    private void LaunchOne(RequestContext context, string name, string cause)
    {
        var group = Group(context, name);
        var ec2 = Runtime.Service<Ec2Service>();
        var subnets = group.Required("VPCZoneIdentifier").Split(',', StringSplitOptions.TrimEntries).Select(id => ec2.Subnet(context, id)).ToList();
        // Balanced over the zones: the next instance goes where the fewest are.
        var subnet = subnets.OrderBy(item => Runtime.Faults.IsZoneLost(item.Required("AvailabilityZone"))).ThenBy(item => group.Objects("Instances").Count(instance => instance.Text("AvailabilityZone") == item.Text("AvailabilityZone"))).First();
        JsonObject instance;
        JsonObject specification;
        try
        {
            var settings = LaunchSettings(context, group, out specification);
            var tags = group.Objects("Tags").Where(tag => tag.Is("PropagateAtLaunch")).Select(tag => tag.Pick("Key", "Value"))
                .Concat(settings.Objects("TagSpecifications").Where(item => item.Text("ResourceType") == "instance").SelectMany(item => item.Objects("Tags")))
                .Append(new JsonObject { ["Key"] = "aws:autoscaling:groupName", ["Value"] = name }).DistinctBy(tag => tag.Text("Key")).ToList();
            instance = ec2.Launch(context, settings, subnet.Required("SubnetId"), tags);
        }
        catch (ServiceFault fault)
        {
            Activity(context, name, "Launching a new EC2 instance", cause, "Failed", fault.Message);
            return;
        }
        var id = instance.Required("InstanceId");
        Groups(context).Update(name, document => document.ListOrNew("Instances").Add((JsonNode)new JsonObject
        {
            ["InstanceId"] = id,
            ["InstanceType"] = instance.Text("InstanceType"),
            ["AvailabilityZone"] = subnet.Text("AvailabilityZone"),
            ["LifecycleState"] = "Pending",
            ["HealthStatus"] = "Healthy",
            ["LaunchTemplate"] = specification,
            ["ProtectedFromScaleIn"] = document.Is("NewInstancesProtectedFromScaleIn"),
        }));
        var activity = Activity(context, name, $"Launching a new EC2 instance: {id}", cause, "InProgress", null);
        Runtime.After(Durations.InstanceStart + TimeSpan.FromSeconds(10), () =>
        {
            var updated = Groups(context).Update(name, document =>
            {
                foreach (var item in document.Objects("Instances").Where(item => item.Text("InstanceId") == id && item.Text("LifecycleState") == "Pending"))
                {
                    item["LifecycleState"] = "InService";
                }
            });
            Finish(context, activity);
            if (updated?.Objects("Instances").Any(item => item.Text("InstanceId") == id && item.Text("LifecycleState") == "InService") == true)
            {
                var arn = updated.Required("AutoScalingGroupARN");
                Runtime.After(Durations.ContainerInstanceBoot, () =>
                {
                    if (ec2.FindInstance(context, id) is { } up && up.Child("State")?.Text("Name") == "running")
                    {
                        Runtime.Service<Ecs.EcsService>().InstanceUp(context, arn, up);
                    }
                });
            }
        });
    }

    private JsonObject Terminate(RequestContext context, string name, string id, string cause)
    {
        var activity = Activity(context, name, $"Terminating EC2 instance: {id}", cause, "InProgress", null);
        Groups(context).Update(name, document =>
        {
            foreach (var item in document.Objects("Instances").Where(item => item.Text("InstanceId") == id))
            {
                item["LifecycleState"] = "Terminating";
            }
        });
        if (Runtime.Service<Ec2Service>().FindInstance(context, id) is not null)
        {
            Runtime.Service<Ec2Service>().Terminate(context, id);
        }
        Runtime.Service<Ecs.EcsService>().InstanceDown(context, id);
        Runtime.After(Durations.InstanceStop, () =>
        {
            Finish(context, activity);
            var left = Groups(context).Update(name, document =>
            {
                foreach (var item in document.Objects("Instances").Where(item => item.Text("InstanceId") == id).ToList())
                {
                    document.ListOrNew("Instances").Remove(item);
                }
            });
            if (left is not null && left.Has("Status") && !left.Objects("Instances").Any())
            {
                Groups(context).Remove(name);
            }
        });
        return activity;
    }

    private JsonObject Activity(RequestContext context, string group, string description, string cause, string status, string? message)
    {
        var id = Runtime.Ids.Uuid();
        var activity = new JsonObject
        {
            ["ActivityId"] = id,
            ["AutoScalingGroupName"] = group,
            ["Description"] = description,
            ["Cause"] = $"At {Runtime.Clock.Now.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)} {cause}.",
            ["StartTime"] = Documents.Time(Runtime.Clock.Now),
            ["StatusCode"] = status,
            ["Progress"] = status == "InProgress" ? 50 : 100,
            ["_Order"] = Interlocked.Increment(ref activities),
        }.With("StatusMessage", message);
        Collection(context, "activities").Put(id, activity);
        return activity;
    }

    private void Finish(RequestContext context, JsonObject activity) => Collection(context, "activities").Update(activity.Required("ActivityId"), document =>
    {
        document["StatusCode"] = "Successful";
        document["Progress"] = 100;
        document["EndTime"] = Documents.Time(Runtime.Clock.Now);
    });

    /// <summary>Managed scaling of ECS: raises the desired capacity to what waiting tasks need beyond the instances that are there or coming.</summary>
    public void NeedMore(RequestContext context, string groupArn, int cpu, int memory, int registered)
    {
        if (FindGroup(context, groupArn) is not { } group || group.Has("Status"))
        {
            return;
        }
        var settings = LaunchSettings(context, group, out _);
        if (!InstanceTypes.All.TryGetValue(settings.Text("InstanceType") ?? "", out var type))
        {
            return;
        }
        var needed = registered + (int)Math.Ceiling(Math.Max(cpu / (type.VCpus * 1024.0), memory / (type.MemoryMiB * 0.94)));
        var desired = Math.Min(group.Int("MaxSize") ?? 0, needed);
        if (desired > group.Int("DesiredCapacity"))
        {
            SetDesired(context, group.Required("AutoScalingGroupName"), desired, "ECS managed scaling asked for capacity");
        }
    }
}
