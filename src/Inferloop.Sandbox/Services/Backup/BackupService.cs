using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;
using Inferloop.Sandbox.Services.Events;
using Inferloop.Sandbox.Services.Iam;
using Inferloop.Sandbox.Services.Kms;
using Inferloop.Sandbox.Services.Sns;

namespace Inferloop.Sandbox.Services.Backup;

/// <summary>AWS Backup: vaults with locks and policies, plans on the clock, jobs that back up, copy and restore databases, tables and buckets.</summary>
internal sealed partial class BackupService : SandboxService
{
    private readonly Lazy<IReadOnlyList<IBackupSource>> lazySources;

    private IReadOnlyList<IBackupSource> Sources => lazySources.Value;

    public BackupService(SandboxRuntime runtime)
        : base(runtime, "backup")
    {
        // Made when first needed: the services they stand on may be made after this one.
        lazySources = new Lazy<IReadOnlyList<IBackupSource>>(() => [new DatabaseBackups(runtime), new TableBackups(runtime), new BucketBackups(runtime), new VolumeBackups(runtime)]);
        AddVaults();
        AddPlans();
        AddSelections();
        AddJobs();
        AddCopiesAndRestores();
        AddRecoveryPoints();
        On("DescribeRegionSettings", (context, _) => Settings(context));
        On("UpdateRegionSettings", (context, input) =>
        {
            var settings = Settings(context);
            foreach (var (member, map) in input)
            {
                foreach (var (type, value) in (JsonObject)map!)
                {
                    settings.ChildOrNew(member)[type] = value.Copy();
                }
            }
            Collection(context, "settings").Put("region", settings);
            return [];
        });
        On("GetSupportedResourceTypes", (_, _) => new JsonObject { ["ResourceTypes"] = Sources.Select(source => source.Type).ToTextList() });
        On("TagResource", (context, input) => Retag(context, input, document => Tags.Put(document, "_Tags", Tags.FromMap(input.Child("Tags")))));
        On("UntagResource", (context, input) => Retag(context, input, document => Tags.Remove(document, "_Tags", input.Texts("TagKeyList"))));
        On("ListTags", (context, input) => new JsonObject { ["Tags"] = Tags.AsMap(Taggable(context, input.Required("ResourceArn")).Document.Objects("_Tags")) });
    }

    internal static IReadOnlyDictionary<string, string> TagsOf(IEnumerable<JsonObject> tags) => tags.ToDictionary(tag => tag.Required("Key"), tag => tag.Required("Value"), StringComparer.Ordinal);

    private Collection Vaults(RequestContext context) => Collection(context, "vaults");

    private Collection Points(RequestContext context) => Collection(context, "recovery-points");

    private static ServiceFault Invalid(string message) => new("InvalidParameterValueException", message);

    private static ServiceFault Refused(string message) => new("InvalidRequestException", message);

    private static ServiceFault NotFound(string message) => new("ResourceNotFoundException", message);

    private JsonObject Vault(RequestContext context, string name) => Vaults(context).Get(name) ?? (name == "Default" ? NewVault(context, "Default", [], null) : throw NotFound($"Backup vault {name} not found."));

    private IBackupSource Source(string type) => Sources.First(source => source.Type == type);

    private JsonObject Settings(RequestContext context) => Collection(context, "settings").Get("region") ?? new JsonObject
    {
        ["ResourceTypeOptInPreference"] = new JsonObject(Sources.Select(source => KeyValuePair.Create(source.Type, (JsonNode?)JsonValue.Create(true)))),
        ["ResourceTypeManagementPreference"] = new JsonObject { ["DynamoDB"] = true },
    };

    private void AddVaults()
    {
        On("CreateBackupVault", (context, input) =>
        {
            var name = input.Required("BackupVaultName");
            if (Vaults(context).Get(name) is { } present)
            {
                throw new ServiceFault("AlreadyExistsException", "Backup vault with the same name already exists", 400, new JsonObject { ["Arn"] = present.Text("BackupVaultArn"), ["CreatorRequestId"] = present.Text("CreatorRequestId") });
            }
            var tags = Tags.FromMap(input.Child("BackupVaultTags")).ToList();
            Tags.Check(tags, "InvalidParameterValueException");
            return NewVault(context, name, tags, input).Pick("BackupVaultName", "BackupVaultArn", "CreationDate");
        });
        On("DescribeBackupVault", (context, input) => View(context, Vault(context, input.Required("BackupVaultName"))));
        On("ListBackupVaults", (context, input) => Pages.Answer(input, Vaults(context).All().Select(vault => View(context, vault)).ToList(), "BackupVaultList", "MaxResults", "NextToken", 1000, "InvalidParameterValueException"));
        On("DeleteBackupVault", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName"));
            if (Points(context).Any(point => point.Text("BackupVaultName") == vault.Text("BackupVaultName")))
            {
                throw Refused($"Backup vault cannot be deleted (contains {Points(context).Where(point => point.Text("BackupVaultName") == vault.Text("BackupVaultName")).Count} recovery points).");
            }
            Vaults(context).Remove(vault.Required("BackupVaultName"));
            return [];
        });
        On("PutBackupVaultAccessPolicy", (context, input) =>
        {
            var name = Vault(context, input.Required("BackupVaultName")).Required("BackupVaultName");
            var policy = input.Text("Policy") ?? throw new ServiceFault("MissingParameterValueException", "Policy must be specified.");
            if (PolicyDocument.Problem(policy, isResourcePolicy: true, needsResource: true) is { } problem)
            {
                throw Invalid($"Invalid policy document: {problem}");
            }
            Vaults(context).Update(name, vault => vault["_Policy"] = policy);
            return [];
        });
        On("GetBackupVaultAccessPolicy", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName"));
            return vault.Has("_Policy") ? vault.Pick("BackupVaultName", "BackupVaultArn").With("Policy", vault.Text("_Policy")) : throw NotFound($"Backup vault {vault.Text("BackupVaultName")} has no access policy.");
        });
        On("DeleteBackupVaultAccessPolicy", (context, input) => Without(context, input, "_Policy"));
        On("PutBackupVaultNotifications", (context, input) =>
        {
            Vaults(context).Update(Vault(context, input.Required("BackupVaultName")).Required("BackupVaultName"), vault => vault["_Notifications"] = input.Pick("SNSTopicArn", "BackupVaultEvents"));
            return [];
        });
        On("GetBackupVaultNotifications", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName"));
            return vault.Child("_Notifications") is { } notifications ? vault.Pick("BackupVaultName", "BackupVaultArn").Take(notifications, "SNSTopicArn", "BackupVaultEvents") : throw NotFound($"Backup vault {vault.Text("BackupVaultName")} has no notifications.");
        });
        On("DeleteBackupVaultNotifications", (context, input) => Without(context, input, "_Notifications"));
        On("PutBackupVaultLockConfiguration", LockVault);
        On("DeleteBackupVaultLockConfiguration", (context, input) =>
        {
            var vault = Vault(context, input.Required("BackupVaultName"));
            if (vault.TimeOf("LockDate") <= context.Now)
            {
                throw Refused("Vault lock configuration is immutable: the time in which it could be changed is over.");
            }
            Vaults(context).Update(vault.Required("BackupVaultName"), document =>
            {
                foreach (var member in new[] { "MinRetentionDays", "MaxRetentionDays", "LockDate" })
                {
                    document.Remove(member);
                }
                document["Locked"] = false;
            });
            return [];
        });
    }

    private JsonObject Without(RequestContext context, JsonObject input, string member)
    {
        Vaults(context).Update(Vault(context, input.Required("BackupVaultName")).Required("BackupVaultName"), vault => vault.Remove(member));
        return [];
    }

    private JsonObject NewVault(RequestContext context, string name, IReadOnlyList<JsonObject> tags, JsonObject? input)
    {
        var key = input?.Text("EncryptionKeyArn") is { } given ? Runtime.Service<KmsService>().RequireEnabledKey(context, given, "backup") : Runtime.Service<KmsService>().ServiceKeyArn(context, "backup");
        var vault = new JsonObject
        {
            ["BackupVaultName"] = name,
            ["BackupVaultArn"] = context.Arn("backup", "backup-vault:" + name),
            ["VaultType"] = "BACKUP_VAULT",
            ["VaultState"] = "AVAILABLE",
            ["EncryptionKeyArn"] = key,
            ["CreationDate"] = Documents.Time(context.Now),
            ["Locked"] = false,
            ["_Tags"] = tags.ToJsonList(),
        }.With("CreatorRequestId", input?.Text("CreatorRequestId"));
        Vaults(context).Put(name, vault);
        return vault;
    }

    private JsonObject View(RequestContext context, JsonObject vault) => vault.Copy().With("NumberOfRecoveryPoints", Points(context).Where(point => point.Text("BackupVaultName") == vault.Text("BackupVaultName")).Count);

    private JsonObject LockVault(RequestContext context, JsonObject input)
    {
        var vault = Vault(context, input.Required("BackupVaultName"));
        if (vault.TimeOf("LockDate") <= context.Now)
        {
            throw Refused("Vault lock configuration is immutable: the time in which it could be changed is over.");
        }
        if (input.Long("MinRetentionDays") > input.Long("MaxRetentionDays"))
        {
            throw Invalid("MinRetentionDays must not be greater than MaxRetentionDays.");
        }
        if (input.Long("MinRetentionDays") < 1 || input.Long("MaxRetentionDays") > 36_500)
        {
            throw Invalid("Retention must be between 1 day and 36500 days.");
        }
        if (input.Long("ChangeableForDays") < 3)
        {
            throw Invalid("ChangeableForDays must be at least 3.");
        }
        Vaults(context).Update(vault.Required("BackupVaultName"), document =>
        {
            document["Locked"] = true;
            document.Take(input, "MinRetentionDays", "MaxRetentionDays");
            document.Remove("LockDate");
            document.With("LockDate", input.Long("ChangeableForDays") is { } days ? Documents.Time(context.Now.AddDays(days)) : null);
        });
        return [];
    }

    /// <summary>Whether a vault's policy forbids something to its own account.</summary>
    private static void RequireAllowed(RequestContext context, JsonObject vault, string action)
    {
        var request = new AccessRequest("backup:" + action, vault.Required("BackupVaultArn")) { Principal = context.PrincipalArn, Account = context.AccountId };
        if (PolicyEvaluator.Evaluate(vault.Text("_Policy"), request, isResourcePolicy: true) == PolicyDecision.ExplicitDeny)
        {
            throw new ServiceFault("AccessDeniedException", $"User: {context.PrincipalArn} is not authorized to perform: backup:{action} on resource: {vault.Text("BackupVaultArn")} with an explicit deny in a resource-based policy", 403);
        }
    }

    private void RequireRole(RequestContext context, string arn)
    {
        if (Runtime.Service<IamService>().FindRole(context, arn) is not { } role)
        {
            throw Invalid($"Role {arn} does not exist or cannot be assumed by AWS Backup.");
        }
        if (!role.Required("AssumeRolePolicyDocument").Contains("backup.amazonaws.com", StringComparison.Ordinal) && !Uri.UnescapeDataString(role.Required("AssumeRolePolicyDocument")).Contains("backup.amazonaws.com", StringComparison.Ordinal))
        {
            throw Invalid($"IAM Role {arn} cannot be assumed by AWS Backup");
        }
    }

    /// <summary>Tells those who listen: the vault's topic, and EventBridge.</summary>
    private void Tell(RequestContext context, string vaultName, string happening, string detailType, JsonObject detail)
    {
        var later = context.Detached();
        if (Vaults(context).Get(vaultName)?.Child("_Notifications") is { } notifications && notifications.Texts("BackupVaultEvents").Contains(happening))
        {
            Runtime.Service<SnsService>().PublishFor(later, "backup.amazonaws.com", notifications.Required("SNSTopicArn"), "Notification from AWS Backup",
                $"An AWS Backup job: {happening}. {string.Join(", ", detail.Where(pair => pair.Value is JsonValue).Select(pair => $"{pair.Key}: {Documents.AsText(pair.Value)}"))}");
        }
        Runtime.Service<EventsService>().Emit(later, "aws.backup", detailType, detail);
    }

    private (Collection Collection, string Key, JsonObject Document) Taggable(RequestContext context, string arn)
    {
        var (collection, key) = arn.Contains(":backup-vault:", StringComparison.Ordinal) ? (Vaults(context), arn[(arn.LastIndexOf(':') + 1)..])
            : arn.Contains(":backup-plan:", StringComparison.Ordinal) ? (Plans(context), arn[(arn.LastIndexOf(':') + 1)..])
            : (Points(context), arn);
        return collection.Get(key) is { } document ? (collection, key, document) : throw NotFound($"Resource {arn} not found.");
    }

    private JsonObject Retag(RequestContext context, JsonObject input, Action<JsonObject> change)
    {
        var (collection, key, _) = Taggable(context, input.Required("ResourceArn"));
        collection.Update(key, change);
        return [];
    }
}
