using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>Instances: they start, run, stop and end; nothing runs on them.</summary>
internal sealed partial class Ec2Service
{
    private void AddInstances()
    {
        On("RunInstances", RunInstances);
        On("DescribeInstances", DescribeInstances);
        On("DescribeInstanceStatus", DescribeInstanceStatus);
        On("StartInstances", (context, input) => Move(context, input, "StartingInstances", ["stopped"], "pending", "running", Durations.InstanceStart));
        On("StopInstances", (context, input) => Move(context, input, "StoppingInstances", ["running", "pending"], "stopping", "stopped", Durations.InstanceStop));
        On("TerminateInstances", (context, input) => Move(context, input, "TerminatingInstances", ["running", "pending", "stopped", "stopping"], "shutting-down", "terminated", Durations.InstanceStop));
        On("DescribeInstanceTypes", (_, input) =>
        {
            var names = input.Texts("InstanceTypes");
            if (names.FirstOrDefault(name => !InstanceTypes.All.ContainsKey(name)) is { } unknown)
            {
                throw Invalid("InvalidInstanceType", $"The following supplied instance types do not exist: [{unknown}]");
            }
            var all = InstanceTypes.All.Values.Where(type => names.Count == 0 || names.Contains(type.Name)).Select(InstanceTypes.Describe);
            return Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"),
                "instance-type current-generation processor-info.supported-architecture=ProcessorInfo.SupportedArchitectures vcpu-info.default-vcpus=VCpuInfo.DefaultVCpus "
                + "memory-info.size-in-mib=MemoryInfo.SizeInMiB burstable-performance-supported free-tier-eligible supported-usage-class=SupportedUsageClasses bare-metal"), "InstanceTypes", defaultSize: 100);
        });
        On("DescribeInstanceTypeOfferings", (context, input) =>
        {
            var kind = input.Text("LocationType") ?? "region";
            IReadOnlyList<string> places = kind switch
            {
                "region" => [context.Region],
                "availability-zone-id" => Zones(context).Select(ZoneId).ToList(),
                _ => Zones(context),
            };
            var all = InstanceTypes.All.Keys.SelectMany(type => places.Select(place => new JsonObject { ["InstanceType"] = type, ["LocationType"] = kind, ["Location"] = place }));
            return Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"), "instance-type location"), "InstanceTypeOfferings");
        });
        On("DescribeImages", DescribeImages);
        On("DescribeKeyPairs", (_, input) => input.Texts("KeyNames").Count > 0
            ? throw Invalid("InvalidKeyPair.NotFound", $"The key pair '{input.Texts("KeyNames")[0]}' does not exist")
            : new JsonObject { ["KeyPairs"] = new JsonArray() });
    }

    /// <summary>The machine images that AWS publishes and the sandbox knows, with ids that stay the same in a region.</summary>
    public static IReadOnlyList<JsonObject> PublicImages(RequestContext context)
    {
        JsonObject Image(string name, string architecture, string description) => new()
        {
            ["ImageId"] = $"ami-0{StableHex(context.Region + name + architecture, 16)}",
            ["Name"] = name,
            ["Description"] = description,
            ["Architecture"] = architecture,
            ["ImageType"] = "machine",
            ["OwnerId"] = "591542846629",
            ["ImageOwnerAlias"] = "amazon",
            ["Public"] = true,
            ["State"] = "available",
            ["RootDeviceType"] = "ebs",
            ["RootDeviceName"] = "/dev/xvda",
            ["VirtualizationType"] = "hvm",
            ["Hypervisor"] = "xen",
            ["EnaSupport"] = true,
            ["CreationDate"] = "2026-10-20T00:00:00.000Z",
            ["BlockDeviceMappings"] = new JsonArray(new JsonObject
            {
                ["DeviceName"] = "/dev/xvda",
                ["Ebs"] = new JsonObject { ["VolumeSize"] = 30, ["VolumeType"] = "gp3", ["DeleteOnTermination"] = true, ["Encrypted"] = false },
            }),
        };
        return
        [
            Image("al2023-ami-ecs-hvm-2023.0.20261020-kernel-6.1-x86_64", "x86_64", "Amazon Linux AMI 2023.0.20261020 x86_64 ECS HVM EBS"),
            Image("al2023-ami-ecs-hvm-2023.0.20261020-kernel-6.1-arm64", "arm64", "Amazon Linux AMI 2023.0.20261020 arm64 ECS HVM EBS"),
            Image("amzn2-ami-ecs-hvm-2.0.20261020-x86_64-ebs", "x86_64", "Amazon Linux AMI 2.0.20261020 x86_64 ECS HVM GP2"),
            Image("al2023-ami-2023.9.20261020.0-kernel-6.1-x86_64", "x86_64", "Amazon Linux 2023 AMI 2023.9.20261020.0 x86_64 HVM kernel-6.1"),
            Image("al2023-ami-2023.9.20261020.0-kernel-6.1-arm64", "arm64", "Amazon Linux 2023 AMI 2023.9.20261020.0 arm64 HVM kernel-6.1"),
            Image("amzn2-ami-kernel-5.10-hvm-2.0.20261020.0-x86_64-gp2", "x86_64", "Amazon Linux 2 Kernel 5.10 AMI 2.0.20261020.0 x86_64 HVM gp2"),
        ];
    }

    public static string StableHex(string text, int length) =>
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text))).ToLowerInvariant()[..length];

    private static JsonObject DescribeImages(RequestContext context, JsonObject input)
    {
        var images = PublicImages(context);
        var ids = input.Texts("ImageIds");
        if (ids.FirstOrDefault(id => !images.Any(image => image.Text("ImageId") == id)) is { } unknown)
        {
            throw Invalid("InvalidAMIID.NotFound", $"The image id '[{unknown}]' does not exist");
        }
        var owners = input.Texts("Owners");
        var chosen = images.Where(image => (ids.Count == 0 || ids.Contains(image.Text("ImageId")!))
            && (owners.Count == 0 || owners.Contains("amazon") || owners.Contains(image.Text("OwnerId")!)));
        return Pages.Answer(input, Ec2Filters.Apply(chosen, input.Objects("Filters"),
            "name architecture image-id owner-id owner-alias=ImageOwnerAlias state root-device-type virtualization-type is-public=Public description image-type ena-support"), "Images");
    }

    private JsonObject RunInstances(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var settings = input.Copy();
        if (input.Child("LaunchTemplate") is { } specification)
        {
            var (data, _) = LaunchData(context, specification);
            foreach (var (member, value) in data)
            {
                settings[member] ??= value.Copy();
            }
        }
        var image = settings.Text("ImageId") ?? throw Invalid("MissingParameter", "The request must contain the parameter ImageId");
        if (!image.StartsWith("ami-", StringComparison.Ordinal) && !image.StartsWith("resolve:ssm:", StringComparison.Ordinal))
        {
            throw Invalid("InvalidAMIID.Malformed", $"Invalid id: \"{image}\" (expecting \"ami-...\")");
        }
        var subnet = settings.Text("SubnetId") ?? settings.Objects("NetworkInterfaces").FirstOrDefault()?.Text("SubnetId")
            ?? throw Invalid("MissingInput", "No subnets found for the default VPC. Please specify a subnet.");
        var count = input.Int("MaxCount") ?? 1;
        var reservation = $"r-0{Runtime.Ids.Hex(16)}";
        var tags = settings.Objects("TagSpecifications").Where(item => item.Text("ResourceType") == "instance").SelectMany(item => item.Objects("Tags")).ToList();
        var made = Enumerable.Range(0, count).Select(_ => Launch(context, settings, subnet, tags, reservation)).ToList();
        return new JsonObject { ["ReservationId"] = reservation, ["OwnerId"] = context.AccountId, ["Groups"] = new JsonArray(), ["Instances"] = made.ToJsonList() };
    }

    /// <summary>Starts an instance in a subnet.</summary>
    public JsonObject Launch(RequestContext context, JsonObject settings, string subnetId, IReadOnlyList<JsonObject> tags, string? reservation = null)
    {
        var type = settings.Text("InstanceType") ?? "m5.large";
        if (!InstanceTypes.All.TryGetValue(type, out var described))
        {
            throw Invalid("InvalidParameterValue", $"Invalid value '{type}' for InstanceType.");
        }
        var groups = settings.Texts("SecurityGroupIds");
        if (groups.Count == 0)
        {
            groups = settings.Objects("NetworkInterfaces").FirstOrDefault()?.Texts("Groups") ?? [];
        }
        var subnet = Find(context, "subnet", subnetId);
        if (Runtime.Faults.IsZoneLost(subnet.Required("AvailabilityZone")))
        {
            throw new ServiceFault("InsufficientInstanceCapacity",
                $"We currently do not have sufficient {type} capacity in the Availability Zone you requested ({subnet.Text("AvailabilityZone")}). Our system will be working on provisioning additional capacity.", 500);
        }
        var network = AllocateInterface(context, subnetId, groups, "", "interface", null);
        var id = Runtime.Ids.Resource("i");
        Change(context, "eni", network.Required("NetworkInterfaceId"), document =>
        {
            document["Status"] = "in-use";
            document["Attachment"] = new JsonObject { ["InstanceId"] = id, ["DeviceIndex"] = 0, ["Status"] = "attached", ["AttachmentId"] = Runtime.Ids.Resource("eni-attach"), ["DeleteOnTermination"] = true };
        });
        var wantsPublic = settings.Objects("NetworkInterfaces").FirstOrDefault()?.Flag("AssociatePublicIpAddress") ?? subnet.Is("MapPublicIpOnLaunch");
        var profile = settings.Child("IamInstanceProfile");
        var instance = new JsonObject
        {
            ["InstanceId"] = id,
            ["ImageId"] = settings.Text("ImageId") ?? PublicImages(context)[0].Text("ImageId"),
            ["InstanceType"] = type,
            ["State"] = State("pending"),
            ["PrivateDnsName"] = network.Text("PrivateDnsName"),
            ["PrivateIpAddress"] = network.Text("PrivateIpAddress"),
            ["PublicDnsName"] = "",
            ["StateTransitionReason"] = "",
            ["AmiLaunchIndex"] = 0,
            ["LaunchTime"] = Documents.Time(context.Now),
            ["Placement"] = new JsonObject { ["AvailabilityZone"] = subnet.Text("AvailabilityZone"), ["Tenancy"] = "default", ["GroupName"] = "" },
            ["Monitoring"] = new JsonObject { ["State"] = settings.Child("Monitoring")?.Is("Enabled") == true ? "enabled" : "disabled" },
            ["SubnetId"] = subnetId,
            ["VpcId"] = subnet.Text("VpcId"),
            ["Architecture"] = described.Architecture,
            ["RootDeviceName"] = "/dev/xvda",
            ["RootDeviceType"] = "ebs",
            ["VirtualizationType"] = "hvm",
            ["Hypervisor"] = "xen",
            ["EbsOptimized"] = settings.Is("EbsOptimized"),
            ["EnaSupport"] = true,
            ["SourceDestCheck"] = true,
            ["SecurityGroups"] = network["Groups"].Copy(),
            ["CpuOptions"] = new JsonObject { ["CoreCount"] = Math.Max(1, described.VCpus / 2), ["ThreadsPerCore"] = described.Architecture == "arm64" ? 1 : 2 },
            ["MetadataOptions"] = new JsonObject
            {
                ["State"] = "applied",
                ["HttpTokens"] = settings.Child("MetadataOptions")?.Text("HttpTokens") ?? "required",
                ["HttpPutResponseHopLimit"] = settings.Child("MetadataOptions")?.Int("HttpPutResponseHopLimit") ?? 2,
                ["HttpEndpoint"] = "enabled",
            },
            ["NetworkInterfaces"] = new JsonArray(network.Pick("NetworkInterfaceId", "SubnetId", "VpcId", "PrivateIpAddress", "Groups", "MacAddress")),
            ["Tags"] = tags.Select(tag => tag.Pick("Key", "Value")).ToJsonList(),
            ["_Reservation"] = reservation ?? $"r-0{Runtime.Ids.Hex(16)}",
        };
        if (wantsPublic)
        {
            instance["PublicIpAddress"] = PublicAddress();
        }
        if (profile is not null)
        {
            var arn = profile.Text("Arn") ?? context.GlobalArn("iam", "instance-profile/" + profile.Text("Name"));
            instance["IamInstanceProfile"] = new JsonObject { ["Arn"] = arn, ["Id"] = "AIPA" + StableHex(arn, 17).ToUpperInvariant() };
        }
        if (settings.Child("InstanceMarketOptions")?.Text("MarketType") == "spot")
        {
            instance["InstanceLifecycle"] = "spot";
        }
        Kind(context, "i").Put(id, instance);
        Runtime.After(Durations.InstanceStart, () => SetState(context, id, "pending", "running"));
        return instance;
    }

    private static JsonObject State(string name) => new()
    {
        ["Name"] = name,
        ["Code"] = name switch { "pending" => 0, "running" => 16, "shutting-down" => 32, "terminated" => 48, "stopping" => 64, _ => 80 },
    };

    private void SetState(RequestContext context, string id, string from, string to) => Change(context, "i", id, document =>
    {
        if (document.Child("State")?.Text("Name") != from)
        {
            return;
        }
        document["State"] = State(to);
        document["_Since"] = Documents.Time(Runtime.Clock.Now);
        if (to == "terminated")
        {
            foreach (var network in document.Objects("NetworkInterfaces"))
            {
                ReleaseInterface(context, network.Text("NetworkInterfaceId"));
            }
            document["NetworkInterfaces"] = new JsonArray();
            foreach (var member in (string[])["PrivateIpAddress", "PublicIpAddress", "SubnetId", "VpcId"])
            {
                document.Remove(member);
            }
        }
    });

    /// <summary>Ends an instance.</summary>
    public void Terminate(RequestContext context, string id) =>
        Move(context, new JsonObject { ["InstanceIds"] = new JsonArray(id) }, "TerminatingInstances", ["running", "pending", "stopped", "stopping"], "shutting-down", "terminated", Durations.InstanceStop);

    private JsonObject Move(RequestContext context, JsonObject input, string member, string[] from, string through, string to, TimeSpan duration)
    {
        NeedsNoDryRun(input);
        var changes = new List<JsonObject>();
        foreach (var id in input.Texts("InstanceIds"))
        {
            var before = Find(context, "i", id).Child("State")!.Copy();
            var name = before.Text("Name")!;
            if (!from.Contains(name) && name != through && name != to && !(name == "terminated" && to == "terminated"))
            {
                throw Invalid("IncorrectInstanceState", $"The instance '{id}' is not in a state from which it can be {(to == "running" ? "started" : "stopped")}.");
            }
            if (from.Contains(name))
            {
                Change(context, "i", id, document => document["State"] = State(through));
                Runtime.After(duration, () => SetState(context, id, through, to));
                if (to == "terminated")
                {
                    // AWS shows an ended instance for about an hour.
                    Runtime.After(duration + TimeSpan.FromHours(1), () => Kind(context, "i").Remove(id));
                }
            }
            changes.Add(new JsonObject { ["InstanceId"] = id, ["PreviousState"] = before, ["CurrentState"] = Find(context, "i", id)["State"].Copy() });
        }
        return new JsonObject { [member] = changes.ToJsonList() };
    }

    private JsonObject DescribeInstances(RequestContext context, JsonObject input)
    {
        var page = Describe(context, input, "i", "InstanceIds", "Instances",
            "instance-id instance-type vpc-id subnet-id image-id instance-state-name=State.Name instance-state-code=State.Code private-ip-address ip-address=PublicIpAddress "
            + "availability-zone=Placement.AvailabilityZone architecture instance.group-id=SecurityGroups.GroupId network-interface.subnet-id=NetworkInterfaces.SubnetId "
            + "iam-instance-profile.arn=IamInstanceProfile.Arn instance-lifecycle launch-time private-dns-name reservation-id=_Reservation");
        var reservations = page.Objects("Instances").GroupBy(instance => instance.Text("_Reservation")).Select(group => new JsonObject
        {
            ["ReservationId"] = group.Key,
            ["OwnerId"] = context.AccountId,
            ["Groups"] = new JsonArray(),
            ["Instances"] = group.Select(instance => instance.Copy()).ToJsonList(),
        }).ToJsonList();
        return new JsonObject { ["Reservations"] = reservations }.With("NextToken", page.Text("NextToken"));
    }

    private JsonObject DescribeInstanceStatus(RequestContext context, JsonObject input)
    {
        var ids = input.Texts("InstanceIds");
        var all = (ids.Count > 0 ? ids.Select(id => Find(context, "i", id)) : Kind(context, "i").All())
            .Where(instance => input.Is("IncludeAllInstances") || instance.Child("State")?.Text("Name") == "running")
            .Select(instance =>
            {
                var running = instance.Child("State")?.Text("Name") == "running";
                var passed = running && (instance.TimeOf("_Since") ?? context.Now) + Durations.InstanceStatusChecks <= context.Now;
                JsonObject Status() => new()
                {
                    ["Status"] = !running ? "not-applicable" : passed ? "ok" : "initializing",
                    ["Details"] = new JsonArray(new JsonObject { ["Name"] = "reachability", ["Status"] = passed ? "passed" : "initializing" }),
                };
                return new JsonObject
                {
                    ["InstanceId"] = instance.Text("InstanceId"),
                    ["AvailabilityZone"] = instance.Child("Placement")?.Text("AvailabilityZone"),
                    ["InstanceState"] = instance["State"].Copy(),
                    ["InstanceStatus"] = Status(),
                    ["SystemStatus"] = Status(),
                };
            });
        return Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"), "availability-zone instance-state-name=InstanceState.Name instance-status.status=InstanceStatus.Status system-status.status=SystemStatus.Status"), "InstanceStatuses");
    }
}
