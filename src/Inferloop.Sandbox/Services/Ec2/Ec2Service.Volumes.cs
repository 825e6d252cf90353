using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Kms;

namespace Inferloop.Sandbox.Services.Ec2;

/// <summary>EBS: volumes, what they are attached to, their snapshots and copies of those. Of what is on them nothing is kept but its size.</summary>
internal sealed partial class Ec2Service
{
    /// <summary>Smallest and largest size in GiB, and IOPS where they can be given, by type.</summary>
    private static readonly Dictionary<string, (int Least, int Most, int LeastIops, int MostIops)> VolumeTypes = new(StringComparer.Ordinal)
    {
        ["gp2"] = (1, 16_384, 0, 0),
        ["gp3"] = (1, 65_536, 3_000, 80_000),
        ["io1"] = (4, 16_384, 100, 64_000),
        ["io2"] = (4, 65_536, 100, 256_000),
        ["st1"] = (125, 16_384, 0, 0),
        ["sc1"] = (125, 16_384, 0, 0),
        ["standard"] = (1, 1_024, 0, 0),
    };

    private void AddVolumes()
    {
        On("CreateVolume", CreateVolume);
        On("DescribeVolumes", (context, input) => Describe(context, input, "vol", "VolumeIds", "Volumes",
            "volume-id availability-zone size status=State volume-type encrypted snapshot-id attachment.instance-id=Attachments.InstanceId attachment.device=Attachments.Device attachment.status=Attachments.State create-time"));
        On("DescribeVolumeStatus", (context, input) => Describe(context, input, "vol", "VolumeIds", "VolumeStatuses", "volume-id availability-zone", volume => volume.Pick("VolumeId", "AvailabilityZone")
            .With("Actions", new JsonArray()).With("Events", new JsonArray()).With("VolumeStatus", new JsonObject
            {
                ["Status"] = Runtime.Faults.IsZoneLost(volume.Required("AvailabilityZone")) ? "impaired" : volume.Text("State") == "creating" ? "insufficient-data" : "ok",
                ["Details"] = new JsonArray(new JsonObject { ["Name"] = "io-enabled", ["Status"] = Runtime.Faults.IsZoneLost(volume.Required("AvailabilityZone")) ? "failed" : "passed" }),
            })));
        On("DeleteVolume", (context, input) =>
        {
            NeedsNoDryRun(input);
            var volume = Find(context, "vol", input.Required("VolumeId"));
            if (volume.Text("State") is not ("available" or "error"))
            {
                throw Invalid(volume.Text("State") == "in-use" ? "VolumeInUse" : "IncorrectState", $"Volume {volume.Text("VolumeId")} is currently {(volume.Text("State") == "in-use" ? $"attached to {volume.Objects("Attachments").First().Text("InstanceId")}" : volume.Text("State"))}");
            }
            Kind(context, "vol").Remove(volume.Required("VolumeId"));
            return [];
        });
        On("AttachVolume", AttachVolume);
        On("DetachVolume", DetachVolume);
        On("ModifyVolume", ModifyVolume);
        On("DescribeVolumesModifications", (context, input) =>
        {
            var ids = input.Texts("VolumeIds");
            var all = Collection(context, "volume-modifications").Where(item => ids.Count == 0 || ids.Contains(item.Required("VolumeId")));
            return ids.FirstOrDefault(id => !all.Any(item => item.Text("VolumeId") == id)) is { } none
                ? throw Invalid("InvalidVolumeModification.NotFound", $"Modification for volume '{none}' does not exist.")
                : Pages.Answer(input, Ec2Filters.Apply(all, input.Objects("Filters"), "volume-id modification-state"), "VolumesModifications", tokenErrorCode: "InvalidNextToken");
        });
        On("CreateSnapshot", (context, input) =>
        {
            NeedsNoDryRun(input);
            return NewSnapshot(context, Find(context, "vol", input.Required("VolumeId")), input.Text("Description") ?? "", input);
        });
        On("DescribeSnapshots", DescribeSnapshots);
        On("DeleteSnapshot", (context, input) =>
        {
            NeedsNoDryRun(input);
            Kind(context, "snap").Remove(Find(context, "snap", input.Required("SnapshotId")).Required("SnapshotId"));
            return [];
        });
        On("CopySnapshot", (context, input) =>
        {
            NeedsNoDryRun(input);
            var source = context.InRegion(input.Required("SourceRegion"));
            var copy = CopySnapshot(source, input.Required("SourceSnapshotId"), context, input);
            return new JsonObject { ["SnapshotId"] = copy.Text("SnapshotId"), ["Tags"] = copy["Tags"].Copy() };
        });
        On("GetEbsEncryptionByDefault", (context, _) => new JsonObject { ["EbsEncryptionByDefault"] = IsEncryptedByDefault(context) });
        On("EnableEbsEncryptionByDefault", (context, _) =>
        {
            Collection(context, "ebs-settings").Put("encryption", new JsonObject { ["on"] = true });
            return new JsonObject { ["EbsEncryptionByDefault"] = true };
        });
    }

    private bool IsEncryptedByDefault(RequestContext context) => Collection(context, "ebs-settings").Contains("encryption");

    private JsonObject CreateVolume(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var zone = input.Text("AvailabilityZone") ?? throw Invalid("MissingParameter", "The request must contain the parameter AvailabilityZone");
        if (!AvailabilityZones.Of(context.Region).Contains(zone))
        {
            throw Invalid("InvalidZone.NotFound", $"The zone '{zone}' does not exist.");
        }
        var snapshot = input.Text("SnapshotId") is { } id ? Find(context, "snap", id) : null;
        if (snapshot is not null && snapshot.Text("State") != "completed")
        {
            throw Invalid("IncorrectState", $"Snapshot is in invalid state - {snapshot.Text("State")}");
        }
        var type = input.Text("VolumeType") ?? "gp2";
        var limits = VolumeTypes.GetValueOrDefault(type);
        var size = input.Int("Size") ?? snapshot?.Int("VolumeSize") ?? throw Invalid("MissingParameter", "The request must contain the parameter size/snapshotId");
        if (size < (snapshot?.Int("VolumeSize") ?? 0))
        {
            throw Invalid("InvalidParameterValue", $"The volume size is invalid for the snapshot: it must be at least {snapshot!.Int("VolumeSize")} GiB.");
        }
        CheckVolume(type, size, input.Int("Iops"), limits);
        var encrypted = input.Is("Encrypted") || input.Has("KmsKeyId") || snapshot?.Is("Encrypted") == true || IsEncryptedByDefault(context);
        var volume = new JsonObject
        {
            ["VolumeId"] = Runtime.Ids.Resource("vol"), ["AvailabilityZone"] = zone, ["Size"] = size, ["VolumeType"] = type, ["State"] = "creating", ["CreateTime"] = Documents.Time(context.Now), ["Attachments"] = new JsonArray(),
            ["SnapshotId"] = input.Text("SnapshotId") ?? "", ["Encrypted"] = encrypted, ["MultiAttachEnabled"] = input.Is("MultiAttachEnabled"),
        }.With("Iops", input.Int("Iops") ?? type switch { "gp3" => 3_000, "gp2" => Math.Clamp(size * 3, 100, 16_000), _ => null }).With("Throughput", input.Int("Throughput") ?? (type == "gp3" ? 125 : null)).With("KmsKeyId", encrypted ? KeyOf(context, input.Text("KmsKeyId")) : null);
        Add(context, "vol", volume.Required("VolumeId"), volume, input);
        var later = context.Detached();
        Runtime.After(Durations.VolumeCreate, () => Change(later, "vol", volume.Required("VolumeId"), document => document["State"] = document.Text("State") == "creating" ? "available" : document.Text("State")));
        return volume;
    }

    private static void CheckVolume(string type, int size, int? iops, (int Least, int Most, int LeastIops, int MostIops) limits)
    {
        if (size < limits.Least || size > limits.Most)
        {
            throw Invalid("InvalidParameterValue", $"Volume of {size}GiB is too {(size < limits.Least ? "small" : "large")} for volume type {type}; {(size < limits.Least ? $"minimum is {limits.Least}" : $"maximum is {limits.Most}")} GiB.");
        }
        if (type is "io1" or "io2" && iops is null)
        {
            throw Invalid("MissingParameter", "The request must contain the parameter iops");
        }
        if (iops is not null && limits.MostIops == 0)
        {
            throw Invalid("InvalidParameterCombination", $"The parameter iops is not supported for {type} volumes.");
        }
        if (iops < limits.LeastIops || iops > limits.MostIops)
        {
            throw Invalid("InvalidParameterValue", $"Volume iops of {iops} is out of range for {type} volumes: {limits.LeastIops} to {limits.MostIops}.");
        }
    }

    private string KeyOf(RequestContext context, string? key)
    {
        try
        {
            return key is null ? Runtime.Service<KmsService>().ServiceKeyArn(context, "ebs") : Runtime.Service<KmsService>().RequireEnabledKey(context, key, "ebs");
        }
        catch (ServiceFault)
        {
            throw Invalid("InvalidKmsKeyId.NotFound", $"The specified KMS key '{key}' does not exist or is not enabled.");
        }
    }

    private JsonObject AttachVolume(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var (volume, instance) = (Find(context, "vol", input.Required("VolumeId")), Find(context, "i", input.Required("InstanceId")));
        if (volume.Text("State") != "available")
        {
            throw Invalid(volume.Text("State") == "in-use" ? "VolumeInUse" : "IncorrectState", $"{volume.Text("VolumeId")} is {(volume.Text("State") == "in-use" ? "already attached to an instance" : "not 'available'")}");
        }
        if (instance.Child("Placement")?.Text("AvailabilityZone") != volume.Text("AvailabilityZone"))
        {
            throw Invalid("InvalidVolume.ZoneMismatch", $"The volume '{volume.Text("VolumeId")}' is not in the same availability zone as instance '{instance.Text("InstanceId")}'");
        }
        if (instance.Child("State")?.Text("Name") is not ("running" or "stopped"))
        {
            throw Invalid("IncorrectState", $"Instance '{instance.Text("InstanceId")}' is not 'running'.");
        }
        if (Kind(context, "vol").Any(other => other.Objects("Attachments").Any(item => item.Text("InstanceId") == instance.Text("InstanceId") && item.Text("Device") == input.Text("Device"))))
        {
            throw Invalid("InvalidParameterValue", $"Invalid value '{input.Text("Device")}' for unixDevice. Attachment point {input.Text("Device")} is already in use");
        }
        var attachment = new JsonObject { ["VolumeId"] = volume.Text("VolumeId"), ["InstanceId"] = instance.Text("InstanceId"), ["Device"] = input.Text("Device"), ["State"] = "attaching", ["AttachTime"] = Documents.Time(context.Now), ["DeleteOnTermination"] = false };
        Change(context, "vol", volume.Required("VolumeId"), document =>
        {
            document["State"] = "in-use";
            document["Attachments"] = new JsonArray(attachment.Copy());
        });
        var later = context.Detached();
        Runtime.After(Durations.VolumeAttach, () => Change(later, "vol", volume.Required("VolumeId"), document =>
        {
            foreach (var item in document.Objects("Attachments").Where(item => item.Text("State") == "attaching"))
            {
                item["State"] = "attached";
            }
        }));
        return attachment;
    }

    private JsonObject DetachVolume(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var volume = Find(context, "vol", input.Required("VolumeId"));
        var attachment = volume.Objects("Attachments").FirstOrDefault(item => (input.Text("InstanceId") is not { } instance || item.Text("InstanceId") == instance) && (input.Text("Device") is not { } device || item.Text("Device") == device))
            ?? throw Invalid("IncorrectState", $"Volume '{volume.Text("VolumeId")}' is in the 'available' state.");
        Change(context, "vol", volume.Required("VolumeId"), document => document.Objects("Attachments").First()["State"] = "detaching");
        var later = context.Detached();
        Runtime.After(Durations.VolumeAttach, () => Change(later, "vol", volume.Required("VolumeId"), document =>
        {
            document["State"] = "available";
            document["Attachments"] = new JsonArray();
        }));
        return attachment.Copy().With("State", "detaching");
    }

    private JsonObject ModifyVolume(RequestContext context, JsonObject input)
    {
        NeedsNoDryRun(input);
        var volume = Find(context, "vol", input.Required("VolumeId"));
        var id = volume.Required("VolumeId");
        var before = Collection(context, "volume-modifications").Get(id);
        if (before?.Text("ModificationState") is "modifying" or "optimizing" || before?.TimeOf("EndTime") > context.Now.AddHours(-6))
        {
            throw Invalid("VolumeModificationRateExceeded", $"You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications per EBS volume.");
        }
        var (type, size) = (input.Text("VolumeType") ?? volume.Required("VolumeType"), input.Int("Size") ?? volume.Int("Size")!.Value);
        if (size < volume.Int("Size"))
        {
            throw Invalid("InvalidParameterValue", $"New size cannot be smaller than existing size");
        }
        var iops = input.Int("Iops") ?? (type == volume.Text("VolumeType") ? volume.Int("Iops") : type == "gp3" ? 3_000 : null);
        CheckVolume(type, size, type is "gp2" or "st1" or "sc1" or "standard" ? input.Int("Iops") : iops, VolumeTypes.GetValueOrDefault(type));
        var modification = new JsonObject
        {
            ["VolumeId"] = id, ["ModificationState"] = "modifying", ["TargetSize"] = size, ["TargetVolumeType"] = type, ["OriginalSize"] = volume.Int("Size"), ["OriginalVolumeType"] = volume.Text("VolumeType"), ["Progress"] = 0, ["StartTime"] = Documents.Time(context.Now),
        }.With("TargetIops", iops).With("OriginalIops", volume["Iops"].Copy()).With("TargetThroughput", input["Throughput"].Copy() ?? volume["Throughput"].Copy()).With("OriginalThroughput", volume["Throughput"].Copy());
        Collection(context, "volume-modifications").Put(id, modification);
        var later = context.Detached();
        void Step(TimeSpan after, string state, int progress) => Runtime.After(after, () =>
        {
            Collection(later, "volume-modifications").Update(id, document =>
            {
                document["ModificationState"] = state;
                document["Progress"] = progress;
                document.With("EndTime", state == "completed" ? Documents.Time(later.Now) : null);
            });
            Change(later, "vol", id, document =>
            {
                document["Size"] = size;
                document["VolumeType"] = type;
                document.With("Iops", iops).With("Throughput", modification["TargetThroughput"].Copy());
            });
        });
        Step(Durations.VolumeModify, "optimizing", 30);
        Step(Durations.VolumeOptimize, "completed", 100);
        return new JsonObject { ["VolumeModification"] = modification };
    }

    private JsonObject NewSnapshot(RequestContext context, JsonObject volume, string description, JsonObject input)
    {
        var snapshot = new JsonObject
        {
            ["SnapshotId"] = Runtime.Ids.Resource("snap"), ["VolumeId"] = volume.Text("VolumeId"), ["VolumeSize"] = volume["Size"].Copy(), ["State"] = "pending", ["StateMessage"] = "", ["StartTime"] = Documents.Time(context.Now), ["Progress"] = "0%",
            ["OwnerId"] = context.AccountId, ["Description"] = description, ["Encrypted"] = volume.Is("Encrypted"), ["StorageTier"] = "standard",
        }.With("KmsKeyId", volume["KmsKeyId"].Copy());
        Add(context, "snap", snapshot.Required("SnapshotId"), snapshot, input);
        Complete(context, snapshot.Required("SnapshotId"), Durations.VolumeSnapshot);
        return snapshot;
    }

    private JsonObject CopySnapshot(RequestContext from, string id, RequestContext to, JsonObject input)
    {
        var source = Find(from, "snap", id);
        if (source.Text("State") != "completed")
        {
            throw Invalid("IncorrectState", $"Snapshot is in invalid state - {source.Text("State")}");
        }
        var encrypted = source.Is("Encrypted") || input.Is("Encrypted") || IsEncryptedByDefault(to);
        var copy = new JsonObject
        {
            ["SnapshotId"] = Runtime.Ids.Resource("snap"), ["VolumeId"] = "vol-ffffffff", ["VolumeSize"] = source["VolumeSize"].Copy(), ["State"] = "pending", ["StateMessage"] = "", ["StartTime"] = Documents.Time(to.Now), ["Progress"] = "0%", ["OwnerId"] = to.AccountId,
            ["Description"] = input.Text("Description") ?? $"[Copied {id} from {from.Region}] {source.Text("Description")}".TrimEnd(), ["Encrypted"] = encrypted, ["StorageTier"] = "standard",
        }.With("KmsKeyId", encrypted ? KeyOf(to, input.Text("KmsKeyId")) : null);
        Add(to, "snap", copy.Required("SnapshotId"), copy, input);
        Complete(to, copy.Required("SnapshotId"), from.Region == to.Region ? Durations.VolumeSnapshot : Durations.BackupCopy);
        return copy;
    }

    private void Complete(RequestContext context, string snapshot, TimeSpan after)
    {
        var later = context.Detached();
        Runtime.After(after, () => Change(later, "snap", snapshot, document =>
        {
            document["State"] = "completed";
            document["Progress"] = "100%";
            document["CompletionTime"] = Documents.Time(later.Now);
        }));
    }

    private JsonObject DescribeSnapshots(RequestContext context, JsonObject input)
    {
        var owners = input.Texts("OwnerIds").Select(owner => owner == "self" ? context.AccountId : owner).ToList();
        var ids = input.Texts("SnapshotIds");
        var found = (ids.Count > 0 ? ids.Select(id => Find(context, "snap", id)) : Kind(context, "snap").All()).Where(item => owners.Count == 0 || owners.Contains(item.Required("OwnerId")));
        return Pages.Answer(input, Ec2Filters.Apply(found, input.Objects("Filters"), "snapshot-id volume-id volume-size status=State owner-id description encrypted start-time progress storage-tier"), "Snapshots", tokenErrorCode: "InvalidNextToken");
    }

    /// <summary>A snapshot that AWS Backup takes; gives its id.</summary>
    public string KeepForBackup(RequestContext context, string volume) => NewSnapshot(context, Find(context, "vol", volume), "This snapshot is created by the AWS Backup service.", []).Required("SnapshotId");

    /// <summary>A copy that AWS Backup makes; gives its id.</summary>
    public string CopyForBackup(RequestContext from, string snapshot, RequestContext to) => CopySnapshot(from, snapshot, to, []).Required("SnapshotId");

    /// <summary>Removes a snapshot of AWS Backup.</summary>
    public void RemoveForBackup(RequestContext context, string snapshot) => Kind(context, "snap").Remove(snapshot);
}
