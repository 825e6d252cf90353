using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Kms;

/// <summary>AWS::KMS::Key and AWS::KMS::Alias.</summary>
internal static class KmsResources
{
    private static readonly string[] NotFound = ["NotFoundException"];

    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<KmsService>();
        yield return new Provider("AWS::KMS::Key")
        {
            Service = "Kms",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                var input = PropertyMapper.ToInput(service, "CreateKey", properties, ("KeyPolicy", "Policy"));
                input["Tags"] = Tags.As(context.MergedTags(properties["Tags"]).OfType<JsonObject>(), "TagKey", "TagValue");
                var key = (await service.CallAsync(context, "CreateKey", input).ConfigureAwait(false)).Child("KeyMetadata")!.Required("KeyId");
                context.Initiated(key);
                await RotationAsync(service, context, key, [], properties).ConfigureAwait(false);
                if (properties.Flag("Enabled") == false)
                {
                    await service.CallAsync(context, "DisableKey", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false);
                }
                return key;
            },
            Update = (context, key, before, after) => ChangeAsync(service, context, key, before, after, isReplica: false),
            Delete = (context, key, properties) => ScheduleDeletionAsync(service, context, key, properties),
            Read = async (context, key) =>
            {
                if (await ReadAsync(service, context, key).ConfigureAwait(false) is not var (metadata, properties))
                {
                    return null;
                }
                var rotation = await service.CallAsync(context, "GetKeyRotationStatus", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false);
                properties.Take(metadata, "KeySpec", "KeyUsage", "MultiRegion", "Origin").With("EnableKeyRotation", rotation["KeyRotationEnabled"].Copy());
                return rotation.Is("KeyRotationEnabled") ? properties.With("RotationPeriodInDays", rotation["RotationPeriodInDays"].Copy()) : properties;
            },
            Attributes = static (context, key) => Task.FromResult(AttributesOf(context, key)),
        };
        yield return new Provider("AWS::KMS::ReplicaKey")
        {
            Service = "Kms",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                var primary = properties.Required("PrimaryKeyArn").Split(':', 6);
                if (primary.Length != 6 || primary[2] != "kms")
                {
                    throw new ServiceFault("InvalidRequest", $"Invalid ARN of a primary key: {properties.Text("PrimaryKeyArn")}");
                }
                // Asked of the primary's region, as CloudFormation does.
                var answer = await service.InvokeAsync(context.Request.InRegion(primary[3]), "ReplicateKey", new JsonObject
                {
                    ["KeyId"] = properties.Text("PrimaryKeyArn"),
                    ["ReplicaRegion"] = context.Request.Region,
                    ["Policy"] = PolicyDocument.AsText(properties["KeyPolicy"]),
                    ["Tags"] = Tags.As(context.MergedTags(properties["Tags"]).OfType<JsonObject>(), "TagKey", "TagValue"),
                }.With("Description", properties["Description"].Copy())).ConfigureAwait(false);
                var key = answer.Child("ReplicaKeyMetadata")!.Required("KeyId");
                context.Initiated(key);
                await context.WaitUntilAsync(async () => (await service.CallAsync(context, "DescribeKey", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false)).Child("KeyMetadata")!.Text("KeyState") != "Creating").ConfigureAwait(false);
                if (properties.Flag("Enabled") == false)
                {
                    await service.CallAsync(context, "DisableKey", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false);
                }
                return key;
            },
            Update = (context, key, before, after) => ChangeAsync(service, context, key, before, after, isReplica: true),
            Delete = (context, key, properties) => ScheduleDeletionAsync(service, context, key, properties),
            Read = async (context, key) => await ReadAsync(service, context, key).ConfigureAwait(false) is var (metadata, properties)
                ? properties.With("PrimaryKeyArn", metadata.Child("MultiRegionConfiguration")?.Child("PrimaryKey")?.Text("Arn"))
                : null,
            Attributes = static (context, key) => Task.FromResult(AttributesOf(context, key)),
        };
        yield return new Provider("AWS::KMS::Alias")
        {
            Service = "Kms",
            Gone = NotFound,
            Create = async (context, properties) =>
            {
                await service.CallMappedAsync(context, "CreateAlias", properties).ConfigureAwait(false);
                return properties.Required("AliasName");
            },
            Update = (context, _, _, after) => service.CallMappedAsync(context, "UpdateAlias", after),
            Delete = (context, alias, _) => service.CallAsync(context, "DeleteAlias", new JsonObject { ["AliasName"] = alias }),
            Read = async (context, alias) =>
            {
                var all = await service.CallAsync(context, "ListAliases", new JsonObject { ["Limit"] = 1000 }).ConfigureAwait(false);
                return all.Objects("Aliases").FirstOrDefault(item => item.Text("AliasName") == alias)?.Pick("AliasName", "TargetKeyId");
            },
        };
    }

    private static IReadOnlyDictionary<string, JsonNode?> AttributesOf(ProvisionContext context, string key) =>
        ProviderExtensions.Attributes(("Arn", context.Request.Arn("kms", "key/" + key)), ("KeyId", key));

    private static async Task ScheduleDeletionAsync(KmsService service, ProvisionContext context, string key, JsonObject properties)
    {
        try
        {
            await service.CallAsync(context, "ScheduleKeyDeletion", new JsonObject { ["KeyId"] = key }.With("PendingWindowInDays", properties.Int("PendingWindowInDays"))).ConfigureAwait(false);
        }
        catch (ServiceFault fault) when (fault.Code == "KMSInvalidStateException")
        {
            // Already on its way out.
        }
    }

    private static async Task<(JsonObject Metadata, JsonObject Properties)?> ReadAsync(KmsService service, ProvisionContext context, string key)
    {
        var metadata = (await service.CallAsync(context, "DescribeKey", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false)).Child("KeyMetadata")!;
        if (metadata.Text("KeyState") is "PendingDeletion" or "PendingReplicaDeletion")
        {
            return null;
        }
        var policy = await service.CallAsync(context, "GetKeyPolicy", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false);
        var tags = await service.CallAsync(context, "ListResourceTags", new JsonObject { ["KeyId"] = key }).ConfigureAwait(false);
        return (metadata, metadata.Pick("Description", "Enabled").With("KeyPolicy", PolicyDocument.AsObject(policy.Text("Policy"))).With("Tags", Tags.OfTemplate(tags.Objects("Tags"), "TagKey", "TagValue")));
    }

    private static async Task ChangeAsync(KmsService service, ProvisionContext context, string key, JsonObject before, JsonObject after, bool isReplica)
    {
        var id = new JsonObject { ["KeyId"] = key };
        if (after.Changed(before, "Enabled") && after.Flag("Enabled") != false)
        {
            await service.CallAsync(context, "EnableKey", id.Copy()).ConfigureAwait(false);
        }
        if (after.Changed(before, "KeyPolicy") && after.Has("KeyPolicy"))
        {
            await service.CallAsync(context, "PutKeyPolicy", id.Copy().With("Policy", PolicyDocument.AsText(after["KeyPolicy"]))).ConfigureAwait(false);
        }
        if (after.Changed(before, "Description"))
        {
            await service.CallAsync(context, "UpdateKeyDescription", id.Copy().With("Description", after.Text("Description") ?? "")).ConfigureAwait(false);
        }
        if (!isReplica)
        {
            await RotationAsync(service, context, key, before, after).ConfigureAwait(false);
        }
        if (after.Flag("Enabled") == false)
        {
            await service.CallAsync(context, "DisableKey", id.Copy()).ConfigureAwait(false);
        }
        var (put, removed) = ProviderExtensions.TagChange(context, before, after);
        if (removed.Count > 0)
        {
            await service.CallAsync(context, "UntagResource", id.Copy().With("TagKeys", removed)).ConfigureAwait(false);
        }
        if (put.Count > 0)
        {
            await service.CallAsync(context, "TagResource", id.Copy().With("Tags", Tags.As(put.OfType<JsonObject>(), "TagKey", "TagValue"))).ConfigureAwait(false);
        }
    }

    private static async Task RotationAsync(KmsService service, ProvisionContext context, string key, JsonObject before, JsonObject after)
    {
        if (!after.Changed(before, "EnableKeyRotation", "RotationPeriodInDays"))
        {
            return;
        }
        var input = new JsonObject { ["KeyId"] = key };
        await service.CallAsync(context, after.Is("EnableKeyRotation") ? "EnableKeyRotation" : "DisableKeyRotation",
            after.Is("EnableKeyRotation") ? input.With("RotationPeriodInDays", after.Int("RotationPeriodInDays")) : input).ConfigureAwait(false);
    }
}
