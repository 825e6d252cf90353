using System.Text.Json.Nodes;
using Inferloop.Sandbox.CloudFormation;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>The AWS::Backup resource types.</summary>
internal static class BackupResources
{
    public static IEnumerable<ResourceProvider> All(SandboxRuntime runtime)
    {
        var service = runtime.Service<BackupService>();
        return [Vault(service), Plan(service), Selection(service)];
    }

    private static JsonObject? TagMap(ProvisionContext context, JsonNode? given) => given is JsonObject map || context.StackTags.Count > 0
        ? Tags.AsMap(context.MergedTags(Tags.FromMap(given as JsonObject).ToJsonList()).OfType<JsonObject>()) : null;

    private static Task Retag(BackupService service, ProvisionContext context, string arn, JsonNode? before, JsonNode? after) => service.RetagAsync(context,
        new JsonObject { ["Tags"] = Tags.FromMap(before as JsonObject).ToJsonList() }, new JsonObject { ["Tags"] = Tags.FromMap(after as JsonObject).ToJsonList() }, arn, "ResourceArn", "Tags", "TagKeyList");

    private static Provider Vault(BackupService service)
    {
        static JsonObject Name(string name) => new() { ["BackupVaultName"] = name };
        async Task Settings(ProvisionContext context, string name, JsonObject before, JsonObject after)
        {
            if (after.Changed(before, "AccessPolicy"))
            {
                await service.CallAsync(context, after.Has("AccessPolicy") ? "PutBackupVaultAccessPolicy" : "DeleteBackupVaultAccessPolicy", Name(name).With("Policy", after.Has("AccessPolicy") ? PolicyDocument.AsText(after["AccessPolicy"]) : null)).ConfigureAwait(false);
            }
            if (after.Changed(before, "Notifications"))
            {
                await service.CallAsync(context, after.Has("Notifications") ? "PutBackupVaultNotifications" : "DeleteBackupVaultNotifications", Name(name).Take(after.Child("Notifications") ?? [], "SNSTopicArn", "BackupVaultEvents")).ConfigureAwait(false);
            }
            if (after.Changed(before, "LockConfiguration"))
            {
                await service.CallMappedAsync(context, after.Has("LockConfiguration") ? "PutBackupVaultLockConfiguration" : "DeleteBackupVaultLockConfiguration", Name(name).Take(after.Child("LockConfiguration") ?? [], "MinRetentionDays", "MaxRetentionDays", "ChangeableForDays")).ConfigureAwait(false);
            }
        }
        return new Provider("AWS::Backup::BackupVault")
        {
            Create = async (context, properties) =>
            {
                await service.CallAsync(context, "CreateBackupVault", properties.Pick("BackupVaultName", "EncryptionKeyArn").With("BackupVaultTags", TagMap(context, properties["BackupVaultTags"]))).ConfigureAwait(false);
                await Settings(context, properties.Required("BackupVaultName"), [], properties).ConfigureAwait(false);
                return properties.Required("BackupVaultName");
            },
            Update = async (context, name, before, after) =>
            {
                await Settings(context, name, before, after).ConfigureAwait(false);
                await Retag(service, context, context.Request.Arn("backup", "backup-vault:" + name), before["BackupVaultTags"], after["BackupVaultTags"]).ConfigureAwait(false);
            },
            Delete = (context, name, _) => service.CallAsync(context, "DeleteBackupVault", Name(name)),
            Read = async (context, name) =>
            {
                var vault = await service.CallAsync(context, "DescribeBackupVault", Name(name)).ConfigureAwait(false);
                return vault.Pick("BackupVaultName", "EncryptionKeyArn").With("AccessPolicy", PolicyDocument.AsObject(vault.Text("_Policy"))).With("Notifications", vault["_Notifications"].Copy());
            },
            Attributes = async (context, name) => ProviderExtensions.Attributes(("BackupVaultName", name), ("BackupVaultArn", (await service.CallAsync(context, "DescribeBackupVault", Name(name)).ConfigureAwait(false))["BackupVaultArn"])),
        };
    }

    private static Provider Plan(BackupService service)
    {
        static JsonObject Id(string id) => new() { ["BackupPlanId"] = id };

        // The template names two members otherwise than the service.
        JsonObject Input(JsonObject properties)
        {
            var given = properties.Child("BackupPlan")!.Copy();
            var rules = given.Objects("BackupPlanRule").Select(rule =>
            {
                var copy = rule.Copy();
                copy["TargetBackupVaultName"] = rule["TargetBackupVault"].Copy();
                copy.Remove("TargetBackupVault");
                return copy;
            }).ToJsonList();
            given.Remove("BackupPlanRule");
            given["Rules"] = rules;
            return (JsonObject)PropertyMapper.ToShape(service.Model.Shape("BackupPlanInput"), given)!;
        }
        return new Provider("AWS::Backup::BackupPlan")
        {
            Create = async (context, properties) => (await service.CallAsync(context, "CreateBackupPlan", new JsonObject { ["BackupPlan"] = Input(properties) }.With("BackupPlanTags", TagMap(context, properties["BackupPlanTags"]))).ConfigureAwait(false)).Required("BackupPlanId"),
            Update = async (context, id, before, after) =>
            {
                var updated = await service.CallAsync(context, "UpdateBackupPlan", Id(id).With("BackupPlan", Input(after))).ConfigureAwait(false);
                await Retag(service, context, updated.Required("BackupPlanArn"), before["BackupPlanTags"], after["BackupPlanTags"]).ConfigureAwait(false);
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteBackupPlan", Id(id)),
            Read = async (context, id) =>
            {
                var plan = (await service.CallAsync(context, "GetBackupPlan", Id(id)).ConfigureAwait(false)).Child("BackupPlan")!.Copy();
                var rules = plan.Objects("Rules").Select(rule =>
                {
                    var copy = rule.Copy();
                    copy["TargetBackupVault"] = rule["TargetBackupVaultName"].Copy();
                    copy.Remove("TargetBackupVaultName");
                    copy.Remove("RuleId");
                    return copy;
                }).ToJsonList();
                plan.Remove("Rules");
                plan["BackupPlanRule"] = rules;
                return new JsonObject { ["BackupPlan"] = plan };
            },
            Attributes = async (context, id) =>
            {
                var plan = await service.CallAsync(context, "GetBackupPlan", Id(id)).ConfigureAwait(false);
                return ProviderExtensions.Attributes(("BackupPlanId", id), ("BackupPlanArn", plan["BackupPlanArn"]), ("VersionId", plan["VersionId"]));
            },
        };
    }

    private static Provider Selection(BackupService service)
    {
        // selection_plan, as Ref gives it.
        static JsonObject Id(string id) => new() { ["SelectionId"] = id.Split('_')[0], ["BackupPlanId"] = id.Split('_')[1] };
        return new Provider("AWS::Backup::BackupSelection")
        {
            Create = async (context, properties) =>
            {
                var made = await service.CallMappedAsync(context, "CreateBackupSelection", properties).ConfigureAwait(false);
                return $"{made.Text("SelectionId")}_{made.Text("BackupPlanId")}";
            },
            Delete = (context, id, _) => service.CallAsync(context, "DeleteBackupSelection", Id(id)),
            Read = async (context, id) => (await service.CallAsync(context, "GetBackupSelection", Id(id)).ConfigureAwait(false)).Pick("BackupPlanId", "BackupSelection"),
            Attributes = (_, id) => Task.FromResult(ProviderExtensions.Attributes(("Id", id), ("SelectionId", id.Split('_')[0]), ("BackupPlanId", id.Split('_')[1]))),
        };
    }
}
