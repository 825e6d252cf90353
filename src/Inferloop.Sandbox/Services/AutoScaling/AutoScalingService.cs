using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.AutoScaling;

/// <summary>EC2 Auto Scaling: groups that keep as many instances as are desired, over their subnets.</summary>
internal sealed partial class AutoScalingService : SandboxService
{
    public AutoScalingService(SandboxRuntime runtime)
        : base(runtime, "autoscaling")
    {
        On("CreateAutoScalingGroup", CreateAutoScalingGroup);
        On("UpdateAutoScalingGroup", UpdateAutoScalingGroup);
        On("DeleteAutoScalingGroup", DeleteAutoScalingGroup);
        On("DescribeAutoScalingGroups", (context, input) =>
        {
            var names = input.Texts("AutoScalingGroupNames");
            var all = Groups(context).Where(group => names.Count == 0 || names.Contains(group.Text("AutoScalingGroupName")!))
                .Where(group => input.Objects("Filters").All(filter => Matches(group, filter))).ToList();
            return Pages.Answer(input, all, "AutoScalingGroups", "MaxRecords", "NextToken", 50, "InvalidNextToken");
        });
        On("SetDesiredCapacity", (context, input) =>
        {
            var group = Group(context, input.Required("AutoScalingGroupName"));
            var desired = input.Int("DesiredCapacity") ?? 0;
            CheckSizes(group.Int("MinSize") ?? 0, group.Int("MaxSize") ?? 0, desired);
            SetDesired(context, group.Required("AutoScalingGroupName"), desired, "a user request explicitly set group desired capacity");
            return [];
        });
        On("TerminateInstanceInAutoScalingGroup", TerminateInstance);
        On("DescribeAutoScalingInstances", (context, input) =>
        {
            var ids = input.Texts("InstanceIds");
            var all = Groups(context).All().SelectMany(group => group.Objects("Instances").Select(instance =>
            {
                var copy = instance.Copy();
                copy["AutoScalingGroupName"] = group.Text("AutoScalingGroupName");
                return copy;
            })).Where(instance => ids.Count == 0 || ids.Contains(instance.Text("InstanceId")!)).ToList();
            return Pages.Answer(input, all, "AutoScalingInstances", "MaxRecords", "NextToken", 50, "InvalidNextToken");
        });
        On("DescribeScalingActivities", (context, input) =>
        {
            var name = input.Text("AutoScalingGroupName");
            var all = Collection(context, "activities").Where(activity => name is null || activity.Text("AutoScalingGroupName") == name)
                .OrderByDescending(activity => activity.Long("_Order")).ToList();
            return Pages.Answer(input, all, "Activities", "MaxRecords", "NextToken", 100, "InvalidNextToken");
        });
        On("SetInstanceProtection", (context, input) =>
        {
            var group = Group(context, input.Required("AutoScalingGroupName"));
            Groups(context).Update(group.Required("AutoScalingGroupName"), document =>
            {
                foreach (var instance in document.Objects("Instances").Where(instance => input.Texts("InstanceIds").Contains(instance.Text("InstanceId")!)))
                {
                    instance["ProtectedFromScaleIn"] = input.Is("ProtectedFromScaleIn");
                }
            });
            return [];
        });
        On("CreateOrUpdateTags", (context, input) =>
        {
            foreach (var tag in input.Objects("Tags"))
            {
                var group = Group(context, tag.Required("ResourceId")).Required("AutoScalingGroupName");
                Groups(context).Update(group, document =>
                {
                    foreach (var old in document.Objects("Tags").Where(item => item.Text("Key") == tag.Text("Key")).ToList())
                    {
                        document.ListOrNew("Tags").Remove(old);
                    }
                    document.ListOrNew("Tags").Add((JsonNode)TagOf(group, tag));
                });
            }
            return [];
        });
        On("DeleteTags", (context, input) =>
        {
            foreach (var tag in input.Objects("Tags"))
            {
                Groups(context).Update(Group(context, tag.Required("ResourceId")).Required("AutoScalingGroupName"), document => Tags.Remove(document, "Tags", [tag.Required("Key")]));
            }
            return [];
        });
        On("DescribeTags", (context, input) => Pages.Answer(input, Groups(context).All().SelectMany(group => group.Objects("Tags").Select(tag => tag.Copy()))
            .Where(tag => input.Objects("Filters").All(filter => filter.Texts("Values").Contains(filter.Text("Name") switch
            {
                "auto-scaling-group" => tag.Required("ResourceId"),
                "key" => tag.Required("Key"),
                "value" => tag.Required("Value"),
                _ => tag.Text("PropagateAtLaunch") ?? "",
            }))).ToList(), "Tags", "MaxRecords", "NextToken", 50, "InvalidNextToken"));
        On("PutLifecycleHook", (context, input) =>
        {
            _ = Group(context, input.Required("AutoScalingGroupName"));
            var hook = input.Copy();
            hook["HeartbeatTimeout"] ??= 3600;
            hook["GlobalTimeout"] = 172_800;
            hook["DefaultResult"] ??= "ABANDON";
            Collection(context, "hooks").Put($"{input.Text("AutoScalingGroupName")}/{input.Text("LifecycleHookName")}", hook);
            return [];
        });
        On("DeleteLifecycleHook", (context, input) =>
        {
            Collection(context, "hooks").Remove($"{input.Text("AutoScalingGroupName")}/{input.Text("LifecycleHookName")}");
            return [];
        });
        On("DescribeLifecycleHooks", (context, input) => new JsonObject
        {
            ["LifecycleHooks"] = Collection(context, "hooks").Where(hook => hook.Text("AutoScalingGroupName") == input.Text("AutoScalingGroupName")
                && (input.Texts("LifecycleHookNames").Count == 0 || input.Texts("LifecycleHookNames").Contains(hook.Text("LifecycleHookName")!))).ToJsonList(),
        });
        On("SuspendProcesses", (context, input) => Processes(context, input, true));
        On("ResumeProcesses", (context, input) => Processes(context, input, false));
        AddPolicies();
    }

    private Collection Groups(RequestContext context) => Collection(context, "groups");

    private static ServiceFault Invalid(string message) => new("ValidationError", message);

    private JsonObject Group(RequestContext context, string name) =>
        Groups(context).Get(name) ?? throw Invalid($"AutoScalingGroup name not found - AutoScalingGroup {name} not found");

    /// <summary>A group by ARN, or null.</summary>
    public JsonObject? FindGroup(RequestContext context, string arn) => Groups(context).Find(group => group.Text("AutoScalingGroupARN") == arn || group.Text("AutoScalingGroupName") == arn);

    private static bool Matches(JsonObject group, JsonObject filter)
    {
        var name = filter.Required("Name");
        var values = filter.Texts("Values");
        return name == "tag-key" ? group.Objects("Tags").Any(tag => values.Contains(tag.Text("Key")!))
            : name == "tag-value" ? group.Objects("Tags").Any(tag => values.Contains(tag.Text("Value")!))
            : name.StartsWith("tag:", StringComparison.Ordinal) ? group.Objects("Tags").Any(tag => tag.Text("Key") == name[4..] && values.Contains(tag.Text("Value")!))
            : throw Invalid($"Filter type {name} is not correct.");
    }

    private static JsonObject TagOf(string group, JsonObject tag) => new()
    {
        ["ResourceId"] = group,
        ["ResourceType"] = "auto-scaling-group",
        ["Key"] = tag.Text("Key"),
        ["Value"] = tag.Text("Value") ?? "",
        ["PropagateAtLaunch"] = tag.Is("PropagateAtLaunch"),
    };

    private static void CheckSizes(int minimum, int maximum, int desired)
    {
        if (minimum > maximum)
        {
            throw Invalid($"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}");
        }
        if (desired < minimum)
        {
            throw Invalid($"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}");
        }
        if (desired > maximum)
        {
            throw Invalid($"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}");
        }
    }

    /// <summary>What a group launches: its template's data, with the type a mixed policy overrides it by.</summary>
    private JsonObject LaunchSettings(RequestContext context, JsonObject group, out JsonObject specification)
    {
        var mixed = group.Child("MixedInstancesPolicy");
        specification = mixed?.Child("LaunchTemplate")?.Child("LaunchTemplateSpecification") ?? group.Child("LaunchTemplate")
            ?? throw Invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.");
        var (data, version) = Runtime.Service<Ec2Service>().LaunchData(context, specification);
        if (mixed?.Child("LaunchTemplate")?.Objects("Overrides").FirstOrDefault()?.Text("InstanceType") is { } type)
        {
            data["InstanceType"] = type;
        }
        specification = new JsonObject
        {
            ["LaunchTemplateId"] = version.Text("LaunchTemplateId"),
            ["LaunchTemplateName"] = version.Text("LaunchTemplateName"),
            ["Version"] = version.Text("VersionNumber"),
        };
        return data;
    }

    private JsonObject CreateAutoScalingGroup(RequestContext context, JsonObject input)
    {
        var name = input.Required("AutoScalingGroupName");
        var (minimum, maximum) = (input.Int("MinSize") ?? 0, input.Int("MaxSize") ?? 0);
        var desired = input.Int("DesiredCapacity") ?? minimum;
        CheckSizes(minimum, maximum, desired);
        if (input.Has("LaunchConfigurationName") || input.Has("InstanceId"))
        {
            throw new ServiceFault("NotImplemented", "The sandbox has groups with launch templates only. Nothing was changed.", 501);
        }
        _ = LaunchSettings(context, input, out _);
        if (!input.Has("VPCZoneIdentifier"))
        {
            throw Invalid("At least one Availability Zone or VPC Subnet is required.");
        }
        CheckSubnets(context, input.Required("VPCZoneIdentifier"));
        var group = input.Pick("AutoScalingGroupName", "LaunchTemplate", "MixedInstancesPolicy", "TargetGroupARNs", "VPCZoneIdentifier", "CapacityRebalance", "MaxInstanceLifetime", "DefaultInstanceWarmup", "InstanceMaintenancePolicy");
        group["AutoScalingGroupARN"] = context.Arn("autoscaling", $"autoScalingGroup:{Runtime.Ids.Uuid()}:autoScalingGroupName/{name}");
        group["MinSize"] = minimum;
        group["MaxSize"] = maximum;
        group["DesiredCapacity"] = desired;
        group["DefaultCooldown"] = input.Int("DefaultCooldown") ?? 300;
        group["AvailabilityZones"] = ZonesOf(context, input.Required("VPCZoneIdentifier")).ToTextList();
        group["LoadBalancerNames"] = new JsonArray();
        group["TargetGroupARNs"] ??= new JsonArray();
        group["HealthCheckType"] = input.Text("HealthCheckType") ?? "EC2";
        group["HealthCheckGracePeriod"] = input.Int("HealthCheckGracePeriod") ?? 0;
        group["Instances"] = new JsonArray();
        group["CreatedTime"] = Documents.Time(context.Now);
        group["SuspendedProcesses"] = new JsonArray();
        group["EnabledMetrics"] = new JsonArray();
        group["TerminationPolicies"] = input["TerminationPolicies"].Copy() ?? new JsonArray("Default");
        group["NewInstancesProtectedFromScaleIn"] = input.Is("NewInstancesProtectedFromScaleIn");
        group["ServiceLinkedRoleARN"] = context.GlobalArn("iam", "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling");
        group["Tags"] = input.Objects("Tags").Select(tag => TagOf(name, tag)).ToJsonList();
        Runtime.Service<Iam.IamService>().EnsureServiceLinkedRole(context, "autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling");
        if (!Groups(context).TryAdd(name, group))
        {
            throw new ServiceFault("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name " + name + " already exists");
        }
        foreach (var hook in input.Objects("LifecycleHookSpecificationList"))
        {
            var put = hook.Copy();
            put["AutoScalingGroupName"] = name;
            Collection(context, "hooks").Put($"{name}/{hook.Text("LifecycleHookName")}", put);
        }
        Later(context, name, "a user request created an AutoScalingGroup changing the desired capacity from 0 to " + desired.ToString(CultureInfo.InvariantCulture));
        return [];
    }

    private void CheckSubnets(RequestContext context, string identifiers)
    {
        foreach (var id in identifiers.Split(',', StringSplitOptions.TrimEntries))
        {
            try
            {
                _ = Runtime.Service<Ec2Service>().Subnet(context, id);
            }
            catch (ServiceFault fault) when (fault.Code == "InvalidSubnetID.NotFound")
            {
                throw Invalid($"The subnet ID '{id}' does not exist");
            }
        }
    }

    private List<string> ZonesOf(RequestContext context, string identifiers) => identifiers.Split(',', StringSplitOptions.TrimEntries)
        .Select(id => Runtime.Service<Ec2Service>().Subnet(context, id).Required("AvailabilityZone")).Distinct().ToList();

    private JsonObject UpdateAutoScalingGroup(RequestContext context, JsonObject input)
    {
        var name = input.Required("AutoScalingGroupName");
        var group = Group(context, name);
        var (minimum, maximum) = (input.Int("MinSize") ?? group.Int("MinSize") ?? 0, input.Int("MaxSize") ?? group.Int("MaxSize") ?? 0);
        var desired = input.Int("DesiredCapacity") ?? Math.Clamp(group.Int("DesiredCapacity") ?? 0, Math.Min(minimum, maximum), Math.Max(minimum, maximum));
        CheckSizes(minimum, maximum, desired);
        if (input.Has("LaunchTemplate") || input.Has("MixedInstancesPolicy"))
        {
            _ = LaunchSettings(context, input, out _);
        }
        if (input.Text("VPCZoneIdentifier") is { } subnets)
        {
            CheckSubnets(context, subnets);
        }
        Groups(context).Update(name, document =>
        {
            document.Take(input, "LaunchTemplate", "MixedInstancesPolicy", "VPCZoneIdentifier", "HealthCheckType", "HealthCheckGracePeriod", "DefaultCooldown", "TerminationPolicies",
                "NewInstancesProtectedFromScaleIn", "CapacityRebalance", "MaxInstanceLifetime", "DefaultInstanceWarmup", "InstanceMaintenancePolicy");
            if (input.Has("LaunchTemplate"))
            {
                document.Remove("MixedInstancesPolicy");
            }
            if (input.Has("MixedInstancesPolicy"))
            {
                document.Remove("LaunchTemplate");
            }
            document["MinSize"] = minimum;
            document["MaxSize"] = maximum;
        });
        SetDesired(context, name, desired, "a user request updated the AutoScalingGroup");
        return [];
    }

    private JsonObject DeleteAutoScalingGroup(RequestContext context, JsonObject input)
    {
        var name = input.Required("AutoScalingGroupName");
        var group = Group(context, name);
        if (!input.Is("ForceDelete") && (group.Objects("Instances").Any() || group.Int("DesiredCapacity") > 0))
        {
            throw new ServiceFault("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.");
        }
        foreach (var policy in ScalingPolicies(context).Where(item => item.Text("AutoScalingGroupName") == name))
        {
            RemoveAlarms(context, policy);
            ScalingPolicies(context).Remove(policy.Required("PolicyARN"));
        }
        foreach (var action in Schedules(context).Where(item => item.Text("AutoScalingGroupName") == name))
        {
            Schedules(context).Remove($"{name}|{action.Text("ScheduledActionName")}");
        }
        Groups(context).Update(name, document =>
        {
            document["Status"] = "Delete in progress";
            document["MinSize"] = 0;
            document["MaxSize"] = 0;
            document["DesiredCapacity"] = 0;
        });
        foreach (var instance in group.Objects("Instances"))
        {
            Terminate(context, name, instance.Required("InstanceId"), "a user request force deleted the AutoScalingGroup");
        }
        if (!group.Objects("Instances").Any())
        {
            Groups(context).Remove(name);
        }
        return [];
    }

    private JsonObject TerminateInstance(RequestContext context, JsonObject input)
    {
        var id = input.Required("InstanceId");
        var group = Groups(context).Find(item => item.Objects("Instances").Any(instance => instance.Text("InstanceId") == id))
            ?? throw Invalid($"Instance Id not found - No managed instance found for instance ID: {id}");
        var name = group.Required("AutoScalingGroupName");
        if (input.Is("ShouldDecrementDesiredCapacity"))
        {
            if (group.Int("DesiredCapacity") - 1 < group.Int("MinSize"))
            {
                throw Invalid($"Currently, desiredSize equals minSize ({group.Text("MinSize")}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.");
            }
            Groups(context).Update(name, document => document["DesiredCapacity"] = document.Int("DesiredCapacity") - 1);
        }
        var activity = Terminate(context, name, id, "an instance was taken out of service in response to a user request");
        Later(context, name, "an instance was started in response to a difference between desired and actual capacity");
        return new JsonObject { ["Activity"] = activity };
    }

    private JsonObject Processes(RequestContext context, JsonObject input, bool suspend)
    {
        var name = Group(context, input.Required("AutoScalingGroupName")).Required("AutoScalingGroupName");
        string[] all = ["Launch", "Terminate", "AddToLoadBalancer", "AlarmNotification", "AZRebalance", "HealthCheck", "InstanceRefresh", "ReplaceUnhealthy", "ScheduledActions"];
        var named = input.Texts("ScalingProcesses") is { Count: > 0 } some ? some : all;
        Groups(context).Update(name, document =>
        {
            var suspended = document.Objects("SuspendedProcesses").Select(item => item.Required("ProcessName"));
            suspended = suspend ? suspended.Union(named) : suspended.Except(named);
            document["SuspendedProcesses"] = suspended.ToList().Select(item => new JsonObject { ["ProcessName"] = item, ["SuspensionReason"] = $"User suspended at {context.Now:yyyy-MM-dd'T'HH:mm:ss'Z'}" }).ToJsonList();
        });
        if (!suspend)
        {
            Later(context, name, "processes were resumed");
        }
        return [];
    }
}
