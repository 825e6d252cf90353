using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Ec2;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>EBS volumes: their recovery points are snapshots.</summary>
internal sealed class VolumeBackups(SandboxRuntime runtime) : IBackupSource
{
    private readonly Ec2Service volumes = runtime.Service<Ec2Service>();

    public string Type => "EBS";

    private static string IdOf(string arn) => arn[(arn.LastIndexOf('/') + 1)..];

    private static string ArnOf(RequestContext context, string snapshot) => $"arn:{context.Partition}:ec2:{context.Region}::snapshot/{snapshot}";

    public IEnumerable<BackupResource> Resources(RequestContext context) => runtime.Collection("ec2", "volumes", context).Where(volume => volume.Text("State") is "available" or "in-use")
        .Select(volume => new BackupResource(context.Arn("ec2", "volume/" + volume.Text("VolumeId")), volume.Required("VolumeId"), BackupService.TagsOf(volume.Objects("Tags"))));

    public (string Arn, long Size) Take(RequestContext context, BackupResource resource, string job) =>
        (ArnOf(context, volumes.KeepForBackup(context, resource.Name)), (runtime.Collection("ec2", "volumes", context).Get(resource.Name)?.Long("Size") ?? 0) << 30);

    public string Copy(RequestContext from, string recoveryPoint, RequestContext to, string job) => ArnOf(to, volumes.CopyForBackup(from, IdOf(recoveryPoint), to));

    public bool IsDone(RequestContext context, string recoveryPoint, DateTimeOffset since, bool isCopy) => runtime.Collection("ec2", "snapshots", context).Get(IdOf(recoveryPoint))?.Text("State") == "completed";

    public JsonObject Metadata(RequestContext context, string recoveryPoint, JsonObject point)
    {
        var snapshot = runtime.Collection("ec2", "snapshots", context).Get(IdOf(recoveryPoint)) ?? [];
        return new JsonObject { ["volumeId"] = point.Text("ResourceName"), ["volumeSize"] = snapshot.Text("VolumeSize"), ["encrypted"] = snapshot.Is("Encrypted") ? "true" : "false" }
            .With("availabilityZone", runtime.Collection("ec2", "volumes", context).Get(point.Text("ResourceName") ?? "")?.Text("AvailabilityZone"));
    }

    public async Task<string> RestoreAsync(RequestContext context, string recoveryPoint, IReadOnlyDictionary<string, string> metadata)
    {
        var zone = metadata.GetValueOrDefault("availabilityZone") ?? throw new ServiceFault("InvalidParameterValueException", "Metadata must have availabilityZone.");
        var input = new JsonObject { ["AvailabilityZone"] = zone, ["SnapshotId"] = IdOf(recoveryPoint), ["VolumeType"] = metadata.GetValueOrDefault("volumeType") ?? "gp3" }
            .With("Size", int.TryParse(metadata.GetValueOrDefault("volumeSize"), out var size) ? size : null).With("KmsKeyId", metadata.GetValueOrDefault("kmsKeyId"));
        return context.Arn("ec2", "volume/" + (await volumes.InvokeAsync(context.Detached(), "CreateVolume", input).ConfigureAwait(false)).Text("VolumeId"));
    }

    public bool IsRestored(RequestContext context, string arn, DateTimeOffset since) => runtime.Collection("ec2", "volumes", context).Get(IdOf(arn))?.Text("State") is not "creating";

    public void Remove(RequestContext context, string recoveryPoint) => volumes.RemoveForBackup(context, IdOf(recoveryPoint));
}
