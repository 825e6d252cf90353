using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Ec2;

internal static partial class Ec2Resources
{
    private static IEnumerable<ResourceProvider> Volumes(Ec2Service service)
    {
        Task<JsonObject> Volume(ProvisionContext context, string id) => OneAsync(service, context, "DescribeVolumes", "VolumeIds", id, "Volumes");
        async Task Until(ProvisionContext context, string id, Func<JsonObject, bool> done)
        {
            while (!done(await Volume(context, id).ConfigureAwait(false)))
            {
                await context.DelayAsync(TimeSpan.FromSeconds(2)).ConfigureAwait(false);
            }
        }
        yield return new Provider("AWS::EC2::Volume")
        {
            Gone = ["InvalidVolume.NotFound"],
            Create = async (context, properties) =>
            {
                var id = (await service.CallAsync(context, "CreateVolume", Input(service, context, "CreateVolume", properties, "volume")).ConfigureAwait(false)).Required("VolumeId");
                await Until(context, id, volume => volume.Text("State") == "available").ConfigureAwait(false);
                return id;
            },
            Update = async (context, id, before, after) =>
            {
                if (after.Changed(before, "Size", "VolumeType", "Iops", "Throughput"))
                {
                    await service.CallMappedAsync(context, "ModifyVolume", after.Pick("Size", "VolumeType", "Iops", "Throughput").With("VolumeId", id)).ConfigureAwait(false);
                    await Until(context, id, volume => after.Long("Size") is not { } size || volume.Long("Size") == size).ConfigureAwait(false);
                }
                await RetagAsync(service, context, id, before, after).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteVolume", new JsonObject { ["VolumeId"] = id }),
            Read = async (context, id) =>
            {
                var volume = await Volume(context, id).ConfigureAwait(false);
                return WithTags(volume.Pick("AvailabilityZone", "Size", "VolumeType", "Iops", "Throughput", "Encrypted", "KmsKeyId", "MultiAttachEnabled").With("SnapshotId", volume.Text("SnapshotId") is { Length: > 0 } snapshot ? snapshot : null), volume);
            },
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("VolumeId", id))),
        };
        yield return new Provider("AWS::EC2::VolumeAttachment")
        {
            Gone = ["InvalidVolume.NotFound", "IncorrectState"],
            Reference = id => id.Split('|')[0],
            Create = async (context, properties) =>
            {
                await service.CallAsync(context, "AttachVolume", properties.Pick("VolumeId", "InstanceId", "Device")).ConfigureAwait(false);
                await Until(context, properties.Required("VolumeId"), volume => volume.Objects("Attachments").Any(item => item.Text("State") == "attached")).ConfigureAwait(false);
                return $"{properties.Text("VolumeId")}|{properties.Text("InstanceId")}";
            },
            Delete = async (context, id, _) =>
            {
                await service.CallAsync(context, "DetachVolume", new JsonObject { ["VolumeId"] = id.Split('|')[0], ["InstanceId"] = id.Split('|')[1] }).ConfigureAwait(false);
                await Until(context, id.Split('|')[0], volume => volume.Text("State") == "available").ConfigureAwait(false);
            },
            Read = async (context, id) => (await Volume(context, id.Split('|')[0]).ConfigureAwait(false)).Objects("Attachments").FirstOrDefault(item => item.Text("InstanceId") == id.Split('|')[1])?.Pick("VolumeId", "InstanceId", "Device"),
        };
    }
}
