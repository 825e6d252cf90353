using System.Globalization;
using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.AutoScaling;
using Inferloop.Sandbox.Services.Ec2;
using Inferloop.Sandbox.Services.Iam;

namespace Inferloop.Sandbox.Services.Eks;

/// <summary>Managed node groups: each an Auto Scaling group and a launch template that EKS makes.</summary>
internal sealed partial class EksService
{
    /// <summary>The last Kubernetes version that EKS publishes Amazon Linux 2 images for.</summary>
    private const int LastMinorOfAmazonLinux2 = 32;

    private void AddNodegroups()
    {
        On("CreateNodegroup", CreateNodegroup);
        On("DescribeNodegroup", (context, input) => new JsonObject { ["nodegroup"] = Nodegroup(context, input) });
        On("ListNodegroups", (context, input) =>
        {
            _ = Cluster(context, input.Required("clusterName"));
            return ListedNames(input, Nodegroups(context).Where(group => group.Text("clusterName") == input.Text("clusterName")).Select(group => group.Required("nodegroupName")), "nodegroups");
        });
        On("DeleteNodegroup", DeleteNodegroup);
        On("UpdateNodegroupConfig", UpdateNodegroupConfig);
        On("UpdateNodegroupVersion", UpdateNodegroupVersion);
    }

    private static string NodegroupKey(JsonObject input) => $"{input.Text("clusterName")}/{input.Text("nodegroupName")}";

    private JsonObject Nodegroup(RequestContext context, JsonObject input)
    {
        _ = Cluster(context, input.Required("clusterName"));
        return Nodegroups(context).Get(NodegroupKey(input)) ?? throw NotFound($"No node group found for name: {input.Text("nodegroupName")}.", input.Text("clusterName"));
    }

    private static void CheckScaling(JsonObject scaling)
    {
        var (minimum, maximum, desired) = (scaling.Int("minSize") ?? 0, scaling.Int("maxSize") ?? 0, scaling.Int("desiredSize") ?? 0);
        if (maximum < 1)
        {
            throw Invalid("maxSize must be at least 1");
        }
        if (minimum > desired)
        {
            throw Invalid($"Minimum capacity {minimum} can't be greater than desired size {desired}");
        }
        if (desired > maximum)
        {
            throw Invalid($"desired capacity {desired} can't be greater than max size {maximum}");
        }
    }

    private static JsonObject Scaling(JsonObject? given, JsonObject? before)
    {
        var scaling = new JsonObject { ["minSize"] = 1, ["maxSize"] = 2, ["desiredSize"] = 2 };
        foreach (var (key, value) in (before ?? []).Concat(given ?? []))
        {
            scaling[key] = value.Copy();
        }
        if (given is not null && before is null && !given.Has("desiredSize"))
        {
            scaling["desiredSize"] = given.Int("minSize") ?? 1;
        }
        CheckScaling(scaling);
        return scaling;
    }

    private static bool IsArm(string amiType) => amiType.Contains("ARM_64", StringComparison.Ordinal);

    private static string Release(string version) => $"{EksVersions.Find(version)!.Patch}-20261105";

    private void CheckTypes(IReadOnlyList<string> types, string amiType)
    {
        _ = this;
        foreach (var type in types)
        {
            if (!InstanceTypes.All.TryGetValue(type, out var known))
            {
                throw Invalid($"The following supplied instance types do not exist: [{type}]");
            }
            if (amiType != "CUSTOM" && (known.Architecture == "arm64") != IsArm(amiType))
            {
                throw Invalid($"[{type}] is not a valid instance type for requested amiType {amiType}");
            }
        }
    }

    private async Task<JsonObject> CreateNodegroup(RequestContext context, JsonObject input)
    {
        var name = input.Required("nodegroupName");
        var clusterName = input.Required("clusterName");
        var cluster = ActiveCluster(context, clusterName);
        var key = NodegroupKey(input);
        if (Nodegroups(context).Contains(key))
        {
            throw InUse($"NodeGroup already exists with name {name} and cluster name {clusterName}", clusterName);
        }
        RequireRole(context, input.Required("nodeRole"), "ec2.amazonaws.com");
        var scaling = Scaling(input.Child("scalingConfig"), null);
        var version = NodegroupVersion(context, cluster, input.Text("version"));
        var given = input.Child("launchTemplate");
        var data = Template(context, given, input);
        var ownImage = data.Text("ImageId");
        var types = input.Texts("instanceTypes");
        if (types.Count == 0)
        {
            types = [data.Text("InstanceType") ?? "t3.medium"];
        }
        var amiType = ownImage is not null ? "CUSTOM" : input.Text("amiType") ?? (InstanceTypes.All.GetValueOrDefault(types[0])?.Architecture == "arm64" ? "AL2023_ARM_64_STANDARD" : "AL2023_x86_64_STANDARD");
        if (ownImage is not null && input.Text("amiType") is { } asked && asked != "CUSTOM")
        {
            throw Invalid("You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your launch template.");
        }
        if (amiType == "CUSTOM" && ownImage is null)
        {
            throw Invalid("Launch template must contain an image id when the AMI type is CUSTOM.");
        }
        if (amiType.StartsWith("AL2_", StringComparison.Ordinal) && EksVersions.Find(version)!.Minor > LastMinorOfAmazonLinux2)
        {
            throw Invalid($"Requested Nodegroup with AMI type {amiType} is not supported for Kubernetes version {version}");
        }
        CheckTypes(types, amiType);
        CheckNodeSubnets(context, cluster, input.Texts("subnets"));
        CheckUpdateConfig(input.Child("updateConfig"));
        var id = Runtime.Ids.Uuid();
        var nodegroup = new JsonObject
        {
            ["nodegroupName"] = name,
            ["nodegroupArn"] = context.Arn("eks", $"nodegroup/{clusterName}/{name}/{id}"),
            ["clusterName"] = clusterName,
            ["version"] = version,
            ["releaseVersion"] = ownImage ?? input.Text("releaseVersion") ?? Release(version),
            ["createdAt"] = Documents.Time(context.Now),
            ["modifiedAt"] = Documents.Time(context.Now),
            ["status"] = "CREATING",
            ["capacityType"] = input.Text("capacityType") ?? "ON_DEMAND",
            ["scalingConfig"] = scaling,
            ["subnets"] = input["subnets"].Copy(),
            ["amiType"] = amiType,
            ["nodeRole"] = input.Text("nodeRole"),
            ["labels"] = input["labels"].Copy() ?? new JsonObject(),
            ["health"] = new JsonObject { ["issues"] = new JsonArray() },
            ["updateConfig"] = input["updateConfig"].Copy() ?? new JsonObject { ["maxUnavailable"] = 1 },
            ["tags"] = input["tags"].Copy() ?? new JsonObject(),
            ["_Id"] = id,
            ["_Types"] = types.ToTextList(),
        }.Take(input, "taints", "remoteAccess", "nodeRepairConfig", "warmPoolConfig");
        if (!data.Has("InstanceType"))
        {
            nodegroup["instanceTypes"] = types.ToTextList();
        }
        if (given is null)
        {
            nodegroup["diskSize"] = input.Int("diskSize") ?? 20;
        }
        else
        {
            nodegroup["launchTemplate"] = TemplateReference(context, given);
        }
        if (!Nodegroups(context).TryAdd(key, nodegroup))
        {
            throw InUse($"NodeGroup already exists with name {name} and cluster name {clusterName}", clusterName);
        }
        Runtime.Service<IamService>().EnsureServiceLinkedRole(context, "eks-nodegroup.amazonaws.com", "AWSServiceRoleForAmazonEKSNodegroup");
        var background = context.Detached();
        Runtime.Run(_ => Launch(background, key, cluster, data));
        if (cluster.Child("accessConfig")!.Text("authenticationMode") != "CONFIG_MAP" && !Entries(context).Contains($"{clusterName}|{input.Text("nodeRole")}"))
        {
            AddEntry(context, clusterName, input.Required("nodeRole"), "EC2_LINUX", "system:node:{{EC2PrivateDNSName}}", ["system:nodes"], [], null);
        }
        await Task.CompletedTask.ConfigureAwait(false);
        return new JsonObject { ["nodegroup"] = Nodegroups(context).Get(key) };
    }

    private static string NodegroupVersion(RequestContext context, JsonObject cluster, string? asked)
    {
        var version = asked ?? cluster.Required("version");
        var (known, own) = (EksVersions.Find(version), EksVersions.Find(cluster.Required("version"))!);
        return known?.IsOffered(context.Now) != true ? throw Invalid($"unsupported Kubernetes version {version}")
            : known.Minor > own.Minor ? throw Invalid($"Nodegroup Kubernetes version {version} is higher than the cluster's, {own.Name}")
            : known.Minor < own.Minor - KubeletSkew ? throw Invalid($"Nodegroup Kubernetes version {version} is too far behind the cluster's, {own.Name}")
            : version;
    }

    private static void CheckUpdateConfig(JsonObject? config)
    {
        if (config is not null && config.Has("maxUnavailable") && config.Has("maxUnavailablePercentage"))
        {
            throw Invalid("Either maxUnavailable or maxUnavailablePercentage can be specified, not both");
        }
    }

    private void CheckNodeSubnets(RequestContext context, JsonObject cluster, IReadOnlyList<string> subnets)
    {
        foreach (var id in subnets)
        {
            JsonObject subnet;
            try
            {
                subnet = Runtime.Service<Ec2Service>().Subnet(context, id);
            }
            catch (ServiceFault)
            {
                throw Invalid($"Subnets are not tagged with the required tag or do not exist: {id}");
            }
            if (subnet.Text("VpcId") != cluster.Child("resourcesVpcConfig")!.Text("vpcId"))
            {
                throw Invalid($"The subnet {id} does not belong to the VPC of the cluster");
            }
        }
    }

    private JsonObject Template(RequestContext context, JsonObject? given, JsonObject input)
    {
        if (given is null)
        {
            return [];
        }
        JsonObject data;
        try
        {
            data = Runtime.Service<Ec2Service>().LaunchData(context, Specification(given)).Data;
        }
        catch (ServiceFault fault)
        {
            throw Invalid(fault.Message);
        }
        string? problem = input.Has("diskSize") ? "Disk size must be specified within the launch template."
            : input.Has("remoteAccess") ? "Remote access configuration cannot be specified with a launch template."
            : data.Has("InstanceType") && input.Texts("instanceTypes").Count > 0 ? "Cannot specify instance types in launch template and API request"
            : data.Has("IamInstanceProfile") ? "IAM instance profile must not be specified in the launch template."
            : data.Objects("NetworkInterfaces").Any(network => network.Has("SubnetId")) ? "Subnets must not be specified in the launch template."
            : data.Child("InstanceMarketOptions") is not null ? "Instance market options must not be specified in the launch template."
            : null;
        return problem is null ? data : throw Invalid(problem);
    }

    private static JsonObject Specification(JsonObject given) => new JsonObject()
        .With("LaunchTemplateId", given.Text("id")).With("LaunchTemplateName", given.Has("id") ? null : given.Text("name")).With("Version", given.Text("version") ?? "$Default");

    private JsonObject TemplateReference(RequestContext context, JsonObject given)
    {
        var version = Runtime.Service<Ec2Service>().LaunchData(context, Specification(given)).Version;
        return new JsonObject { ["id"] = version.Text("LaunchTemplateId"), ["name"] = version.Text("LaunchTemplateName"), ["version"] = version.Text("VersionNumber") };
    }

    /// <summary>Makes the instance profile, the launch template and the group, and waits until the nodes have joined.</summary>
    private async Task Launch(RequestContext context, string key, JsonObject cluster, JsonObject data)
    {
        try
        {
            var nodegroup = Nodegroups(context).Get(key)!;
            var name = "eks-" + nodegroup.Text("_Id");
            var iam = Runtime.Service<IamService>();
            await iam.InvokeAsync(context, "CreateInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }).ConfigureAwait(false);
            await iam.InvokeAsync(context, "AddRoleToInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = OwnSuffix(nodegroup.Required("nodeRole")) }).ConfigureAwait(false);
            await PutTemplate(context, nodegroup, cluster, data, "CreateLaunchTemplate").ConfigureAwait(false);
            var scaling = nodegroup.Child("scalingConfig")!;
            var group = $"eks-{nodegroup.Text("nodegroupName")}-{nodegroup.Text("_Id")}";
            var types = nodegroup.Texts("_Types");
            var spot = nodegroup.Text("capacityType") == "SPOT";
            await Runtime.Service<AutoScalingService>().InvokeAsync(context, "CreateAutoScalingGroup", new JsonObject
            {
                ["AutoScalingGroupName"] = group,
                ["MinSize"] = scaling.Int("minSize"),
                ["MaxSize"] = scaling.Int("maxSize"),
                ["DesiredCapacity"] = scaling.Int("desiredSize"),
                ["VPCZoneIdentifier"] = string.Join(',', nodegroup.Texts("subnets")),
                ["CapacityRebalance"] = spot,
                ["MixedInstancesPolicy"] = new JsonObject
                {
                    ["LaunchTemplate"] = new JsonObject
                    {
                        ["LaunchTemplateSpecification"] = new JsonObject { ["LaunchTemplateName"] = name, ["Version"] = "$Latest" },
                        ["Overrides"] = types.Select(type => new JsonObject { ["InstanceType"] = type }).ToJsonList(),
                    },
                    ["InstancesDistribution"] = new JsonObject
                    {
                        ["OnDemandPercentageAboveBaseCapacity"] = spot ? 0 : 100,
                        ["SpotAllocationStrategy"] = "price-capacity-optimized",
                    },
                },
                ["Tags"] = new[] { ("eks:cluster-name", nodegroup.Text("clusterName")), ("eks:nodegroup-name", nodegroup.Text("nodegroupName")), ($"kubernetes.io/cluster/{nodegroup.Text("clusterName")}", "owned"), ($"k8s.io/cluster-autoscaler/{nodegroup.Text("clusterName")}", "owned"), ("k8s.io/cluster-autoscaler/enabled", "true") }
                    .Select(tag => new JsonObject { ["ResourceId"] = group, ["ResourceType"] = "auto-scaling-group", ["Key"] = tag.Item1, ["Value"] = tag.Item2, ["PropagateAtLaunch"] = true }).ToJsonList(),
            }).ConfigureAwait(false);
            Nodegroups(context).Update(key, document => document["resources"] = new JsonObject { ["autoScalingGroups"] = new JsonArray(new JsonObject { ["name"] = group }) });
            await Joined(context, group, scaling.Int("desiredSize") ?? 0).ConfigureAwait(false);
            Nodegroups(context).Update(key, document => document["status"] = "ACTIVE");
        }
        catch (ServiceFault fault)
        {
            Nodegroups(context).Update(key, document =>
            {
                document["status"] = "CREATE_FAILED";
                Issue(document, IssueCode(fault), fault.Message);
            });
        }
    }

    private static void Issue(JsonObject document, string code, string message) => document.ChildOrNew("health").ListOrNew("issues")
        .Add((JsonNode)new JsonObject { ["code"] = code, ["message"] = message, ["resourceIds"] = document.Child("resources")?.Objects("autoScalingGroups").Select(group => group.Required("name")).ToTextList() ?? [] });

    private static string IssueCode(ServiceFault fault) => fault.Code switch
    {
        "InsufficientFreeAddressesInSubnet" => "InsufficientFreeAddresses",
        "InvalidSubnetID.NotFound" => "Ec2SubnetNotFound",
        "InvalidGroup.NotFound" => "Ec2SecurityGroupNotFound",
        "NoSuchEntity" => "IamNodeRoleNotFound",
        "AsgInstanceLaunchFailures" or "NodeCreationFailure" => fault.Code,
        _ => "AsgInstanceLaunchFailures",
    };

    private async Task PutTemplate(RequestContext context, JsonObject nodegroup, JsonObject cluster, JsonObject data, string operation)
    {
        var ec2 = Runtime.Service<Ec2Service>();
        var made = data.Copy();
        made["ImageId"] ??= NodeImage(context, nodegroup.Required("amiType"));
        made["InstanceType"] ??= nodegroup.Texts("_Types")[0];
        made["IamInstanceProfile"] = new JsonObject { ["Name"] = "eks-" + nodegroup.Text("_Id") };
        if (!made.Has("SecurityGroupIds") && !made.Has("NetworkInterfaces"))
        {
            made["SecurityGroupIds"] = new JsonArray(cluster.Child("resourcesVpcConfig")!.Text("clusterSecurityGroupId"));
        }
        await ec2.InvokeAsync(context, operation, new JsonObject { ["LaunchTemplateName"] = "eks-" + nodegroup.Text("_Id"), ["LaunchTemplateData"] = made }).ConfigureAwait(false);
    }

    private static string NodeImage(RequestContext context, string amiType) =>
        Ec2Service.PublicImages(context).First(image => image.Text("Architecture") == (IsArm(amiType) ? "arm64" : "x86_64")).Required("ImageId");

    /// <summary>Waits until a group's instances are in service and their kubelets had time to register.</summary>
    private async Task Joined(RequestContext context, string group, int wanted)
    {
        var service = Runtime.Service<AutoScalingService>();
        var end = Runtime.Clock.Now + Durations.EksNodeTimeout;
        while (true)
        {
            var found = service.FindGroup(context, group) ?? throw new ServiceFault("AutoScalingGroupNotFound", $"We couldn't find the Auto Scaling group {group}");
            if (found.Objects("Instances").Count(instance => instance.Text("LifecycleState") == "InService") >= wanted)
            {
                break;
            }
            if (Runtime.Clock.Now >= end)
            {
                var activities = await service.InvokeAsync(context, "DescribeScalingActivities", new JsonObject { ["AutoScalingGroupName"] = group }).ConfigureAwait(false);
                throw activities.Objects("Activities").FirstOrDefault(activity => activity.Text("StatusCode") == "Failed") is { } failed
                    ? new ServiceFault("AsgInstanceLaunchFailures", failed.Text("StatusMessage") ?? "Could not launch instances")
                    : new ServiceFault("NodeCreationFailure", "Instances failed to join the kubernetes cluster");
            }
            await Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(10), context.Cancellation).ConfigureAwait(false);
        }
        await Runtime.Clock.DelayAsync(wanted > 0 ? Durations.EksNodeJoin : TimeSpan.FromSeconds(20), context.Cancellation).ConfigureAwait(false);
    }

    private JsonObject Changeable(RequestContext context, JsonObject input)
    {
        var nodegroup = Nodegroup(context, input);
        return nodegroup.Text("status") is "ACTIVE" or "DEGRADED" ? nodegroup
            : throw InUse($"Nodegroup cannot be updated as it is currently not in Active State", input.Text("clusterName"));
    }

    private JsonObject UpdateNodegroupConfig(RequestContext context, JsonObject input)
    {
        var nodegroup = Changeable(context, input);
        var key = NodegroupKey(input);
        var scaling = input.Child("scalingConfig") is { } change ? Scaling(change, nodegroup.Child("scalingConfig")) : null;
        CheckUpdateConfig(input.Child("updateConfig"));
        var parameters = new List<(string, string)>();
        foreach (var (member, name) in new[] { ("minSize", "MinSize"), ("maxSize", "MaxSize"), ("desiredSize", "DesiredSize") })
        {
            if (scaling is not null && input.Child("scalingConfig")!.Has(member))
            {
                parameters.Add((name, scaling.Text(member)!));
            }
        }
        void Add(string name, JsonNode? value)
        {
            if (value is not null)
            {
                parameters.Add((name, Documents.AsText(value) ?? value.ToJsonString()));
            }
        }
        Add("LabelsToAdd", input.Child("labels")?["addOrUpdateLabels"]);
        Add("LabelsToRemove", input.Child("labels")?["removeLabels"]);
        Add("TaintsToAdd", input.Child("taints")?["addOrUpdateTaints"]);
        Add("TaintsToRemove", input.Child("taints")?["removeTaints"]);
        Add("MaxUnavailable", input.Child("updateConfig")?["maxUnavailable"]);
        Add("MaxUnavailablePercentage", input.Child("updateConfig")?["maxUnavailablePercentage"]);
        Add("NodeRepairEnabled", input.Child("nodeRepairConfig")?["enabled"]);
        if (parameters.Count == 0)
        {
            throw Invalid("At least one of labels, taints, scalingConfig or updateConfig must be given", input.Text("clusterName"));
        }
        var update = NewUpdate(context, input.Required("clusterName"), "ConfigUpdate", parameters, input.Required("nodegroupName"));
        Nodegroups(context).Update(key, document => document["status"] = "UPDATING");
        var background = context.Detached();
        Runtime.Run(async cancellation =>
        {
            if (scaling is not null)
            {
                await Runtime.Service<AutoScalingService>().InvokeAsync(background, "UpdateAutoScalingGroup", new JsonObject
                {
                    ["AutoScalingGroupName"] = GroupOf(nodegroup),
                    ["MinSize"] = scaling.Int("minSize"),
                    ["MaxSize"] = scaling.Int("maxSize"),
                    ["DesiredCapacity"] = scaling.Int("desiredSize"),
                }).ConfigureAwait(false);
            }
            await Runtime.Clock.DelayAsync(Durations.EksNodegroupConfigUpdate, cancellation).ConfigureAwait(false);
            Nodegroups(background).Update(key, document =>
            {
                ApplyConfig(document, input, scaling);
                document["status"] = "ACTIVE";
                document["modifiedAt"] = Documents.Time(background.Now);
            });
            EndUpdate(background, update);
        });
        return new JsonObject { ["update"] = update };
    }

    private static string GroupOf(JsonObject nodegroup) => nodegroup.Child("resources")?.Objects("autoScalingGroups").FirstOrDefault()?.Text("name") ?? "";

    private static void ApplyConfig(JsonObject document, JsonObject input, JsonObject? scaling)
    {
        document.With("scalingConfig", scaling).Take(input, "updateConfig", "nodeRepairConfig");
        var labels = document.ChildOrNew("labels");
        foreach (var (name, value) in input.Child("labels")?.Child("addOrUpdateLabels") ?? [])
        {
            labels[name] = value.Copy();
        }
        foreach (var name in input.Child("labels")?.Texts("removeLabels") ?? [])
        {
            labels.Remove(name);
        }
        if (input.Child("taints") is { } taints)
        {
            static string Id(JsonObject taint) => $"{taint.Text("key")}:{taint.Text("effect")}";
            var gone = taints.Objects("removeTaints").Concat(taints.Objects("addOrUpdateTaints")).Select(Id).ToHashSet(StringComparer.Ordinal);
            document["taints"] = document.Objects("taints").Where(taint => !gone.Contains(Id(taint))).Concat(taints.Objects("addOrUpdateTaints")).ToJsonList().Copy();
        }
    }

    private JsonObject UpdateNodegroupVersion(RequestContext context, JsonObject input)
    {
        var nodegroup = Changeable(context, input);
        var key = NodegroupKey(input);
        var cluster = Cluster(context, input.Required("clusterName"));
        var custom = nodegroup.Text("amiType") == "CUSTOM";
        if (custom && (input.Has("version") || input.Has("releaseVersion")))
        {
            throw Invalid("You cannot specify the field version or releaseVersion when using a launch template with an image id", input.Text("clusterName"));
        }
        if (nodegroup.Has("launchTemplate") != input.Has("launchTemplate") && input.Has("launchTemplate"))
        {
            throw Invalid("Launch template must be specified when the node group was created with one, and not otherwise", input.Text("clusterName"));
        }
        var version = NodegroupVersion(context, cluster, input.Text("version"));
        var release = custom ? nodegroup.Required("releaseVersion") : input.Text("releaseVersion") ?? Release(version);
        var data = Template(context, input.Child("launchTemplate") ?? nodegroup.Child("launchTemplate"), []);
        var update = NewUpdate(context, input.Required("clusterName"), "VersionUpdate",
            new[] { ("Version", version), ("ReleaseVersion", release) }.Concat(input.Child("launchTemplate") is { } given ? [("LaunchTemplateVersion", given.Text("version") ?? "$Default")] : []), input.Required("nodegroupName"));
        Nodegroups(context).Update(key, document => document["status"] = "UPDATING");
        var background = context.Detached();
        Runtime.Run(_ => Roll(background, key, cluster, data, update, document =>
        {
            document["version"] = version;
            document["releaseVersion"] = data.Text("ImageId") ?? release;
            if (input.Child("launchTemplate") is { } reference)
            {
                document["launchTemplate"] = TemplateReference(background, reference);
            }
        }));
        return new JsonObject { ["update"] = update };
    }

    /// <summary>Replaces a group's nodes, as many at a time as its update configuration lets be away.</summary>
    private async Task Roll(RequestContext context, string key, JsonObject cluster, JsonObject data, JsonObject update, Action<JsonObject> apply)
    {
        try
        {
            var nodegroup = Nodegroups(context).Get(key)!;
            await PutTemplate(context, nodegroup, cluster, data, "CreateLaunchTemplateVersion").ConfigureAwait(false);
            var service = Runtime.Service<AutoScalingService>();
            var group = GroupOf(nodegroup);
            var old = service.FindGroup(context, group)?.Objects("Instances").Select(instance => instance.Required("InstanceId")).ToList() ?? [];
            var config = nodegroup.Child("updateConfig")!;
            var batch = Math.Max(1, config.Int("maxUnavailable") ?? (int)Math.Floor(old.Count * (config.Int("maxUnavailablePercentage") ?? 33) / 100.0));
            foreach (var instances in old.Chunk(batch))
            {
                foreach (var instance in instances)
                {
                    await service.InvokeAsync(context, "TerminateInstanceInAutoScalingGroup", new JsonObject { ["InstanceId"] = instance, ["ShouldDecrementDesiredCapacity"] = false }).ConfigureAwait(false);
                }
                await Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(20), context.Cancellation).ConfigureAwait(false);
                await Joined(context, group, nodegroup.Child("scalingConfig")!.Int("desiredSize") ?? 0).ConfigureAwait(false);
            }
            Nodegroups(context).Update(key, document =>
            {
                apply(document);
                document["status"] = "ACTIVE";
                document["modifiedAt"] = Documents.Time(context.Now);
            });
            EndUpdate(context, update);
        }
        catch (ServiceFault fault)
        {
            EndUpdate(context, update, fault, fault.Code == "NodeCreationFailure" ? "NodeCreationFailure" : "Unknown");
            Nodegroups(context).Update(key, document =>
            {
                document["status"] = "DEGRADED";
                Issue(document, IssueCode(fault), fault.Message);
            });
        }
    }

    private JsonObject DeleteNodegroup(RequestContext context, JsonObject input)
    {
        var nodegroup = Nodegroup(context, input);
        var key = NodegroupKey(input);
        if (nodegroup.Text("status") is "DELETING" or "UPDATING" or "CREATING")
        {
            throw InUse($"Nodegroup {nodegroup.Text("nodegroupName")} is in {nodegroup.Text("status")} status and cannot be deleted", input.Text("clusterName"));
        }
        Nodegroups(context).Update(key, document => document["status"] = "DELETING");
        var background = context.Detached();
        Runtime.Run(_ => RemoveNodes(background, key, nodegroup));
        return new JsonObject { ["nodegroup"] = Nodegroups(context).Get(key) };
    }

    private async Task RemoveNodes(RequestContext context, string key, JsonObject nodegroup)
    {
        var service = Runtime.Service<AutoScalingService>();
        var name = "eks-" + nodegroup.Text("_Id");
        // Pods are moved off the nodes before these end.
        await Runtime.Clock.DelayAsync(Durations.EksNodeDrain, context.Cancellation).ConfigureAwait(false);
        if (service.FindGroup(context, GroupOf(nodegroup)) is not null)
        {
            await service.InvokeAsync(context, "DeleteAutoScalingGroup", new JsonObject { ["AutoScalingGroupName"] = GroupOf(nodegroup), ["ForceDelete"] = true }).ConfigureAwait(false);
            while (service.FindGroup(context, GroupOf(nodegroup)) is not null)
            {
                await Runtime.Clock.DelayAsync(TimeSpan.FromSeconds(5), context.Cancellation).ConfigureAwait(false);
            }
        }
        var iam = Runtime.Service<IamService>();
        foreach (var (target, operation, arguments) in new (SandboxService, string, JsonObject)[]
        {
            (Runtime.Service<Ec2Service>(), "DeleteLaunchTemplate", new JsonObject { ["LaunchTemplateName"] = name }),
            (iam, "RemoveRoleFromInstanceProfile", new JsonObject { ["InstanceProfileName"] = name, ["RoleName"] = OwnSuffix(nodegroup.Required("nodeRole")) }),
            (iam, "DeleteInstanceProfile", new JsonObject { ["InstanceProfileName"] = name }),
        })
        {
            try
            {
                await target.InvokeAsync(context, operation, arguments).ConfigureAwait(false);
            }
            catch (ServiceFault)
            {
                // Never made, or taken away by hand: gone is what is wanted.
            }
        }
        Nodegroups(context).Remove(key);
    }

    /// <summary>Whether a cluster has something that pods can run on.</summary>
    private bool HasCapacity(RequestContext context, string cluster) =>
        Nodegroups(context).Any(group => group.Text("clusterName") == cluster && group.Text("status") is "ACTIVE" or "UPDATING" && group.Child("scalingConfig")!.Int("desiredSize") > 0)
        || Profiles(context).Any(profile => profile.Text("clusterName") == cluster && profile.Text("status") == "ACTIVE")
        || Clusters(context).Get(cluster)?.Child("computeConfig")?.Is("enabled") == true;

    private void AddFargate()
    {
        static string Key(JsonObject input) => $"{input.Text("clusterName")}/{input.Text("fargateProfileName")}";
        JsonObject Profile(RequestContext context, JsonObject input)
        {
            _ = Cluster(context, input.Required("clusterName"));
            return Profiles(context).Get(Key(input)) ?? throw NotFound($"No Fargate Profile found with name: {input.Text("fargateProfileName")}.", input.Text("clusterName"));
        }
        On("CreateFargateProfile", (context, input) =>
        {
            var cluster = ActiveCluster(context, input.Required("clusterName"));
            if (Profiles(context).Contains(Key(input)))
            {
                throw InUse("Fargate Profile already exists with this name in this cluster.", input.Text("clusterName"));
            }
            RequireRole(context, input.Required("podExecutionRoleArn"), "eks-fargate-pods.amazonaws.com");
            if (!input.Objects("selectors").Any())
            {
                throw Invalid("Fargate Profile must have at least one selector.");
            }
            CheckNodeSubnets(context, cluster, input.Texts("subnets"));
            var profile = input.Pick("fargateProfileName", "clusterName", "podExecutionRoleArn", "subnets", "selectors", "tags");
            profile["fargateProfileArn"] = context.Arn("eks", string.Create(CultureInfo.InvariantCulture, $"fargateprofile/{Key(input)}/{Runtime.Ids.Uuid()}"));
            profile["createdAt"] = Documents.Time(context.Now);
            profile["status"] = "CREATING";
            Profiles(context).Put(Key(input), profile);
            Runtime.After(Durations.EksFargateProfile, () => Profiles(context).Update(Key(input), document => document["status"] = "ACTIVE"));
            return new JsonObject { ["fargateProfile"] = profile };
        });
        On("DescribeFargateProfile", (context, input) => new JsonObject { ["fargateProfile"] = Profile(context, input) });
        On("ListFargateProfiles", (context, input) =>
        {
            _ = Cluster(context, input.Required("clusterName"));
            return ListedNames(input, Profiles(context).Where(profile => profile.Text("clusterName") == input.Text("clusterName")).Select(profile => profile.Required("fargateProfileName")), "fargateProfileNames");
        });
        On("DeleteFargateProfile", (context, input) =>
        {
            var profile = Profile(context, input);
            if (Profiles(context).Any(other => other.Text("clusterName") == input.Text("clusterName") && other.Text("status") == "DELETING"))
            {
                throw InUse("Cannot delete Fargate Profile: only one profile of a cluster can be deleted at a time.", input.Text("clusterName"));
            }
            profile["status"] = "DELETING";
            Profiles(context).Put(Key(input), profile);
            Runtime.After(Durations.EksFargateProfile, () => Profiles(context).Remove(Key(input)));
            return new JsonObject { ["fargateProfile"] = profile };
        });
    }
}
