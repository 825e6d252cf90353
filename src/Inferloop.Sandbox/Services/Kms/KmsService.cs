using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Kms;

/// <summary>KMS: symmetric keys with aliases, policies, rotation and grants; encryption is real.</summary>
internal sealed partial class KmsService : SandboxService
{
    public KmsService(SandboxRuntime runtime)
        : base(runtime, "kms")
    {
        On("CreateKey", CreateKey);
        On("DescribeKey", (context, input) => new JsonObject { ["KeyMetadata"] = Metadata(Key(context, input.Required("KeyId"))) });
        On("ListKeys", (context, input) => Marked(input, Keys(context).All().OrderBy(key => key.Text("KeyId"), StringComparer.Ordinal)
            .Select(key => new JsonObject { ["KeyId"] = key.Text("KeyId"), ["KeyArn"] = key.Text("Arn") }).ToList(), "Keys"));
        On("EnableKey", (context, input) => SetEnabled(context, input, true));
        On("DisableKey", (context, input) => SetEnabled(context, input, false));
        On("UpdateKeyDescription", (context, input) => Change(context, input, key => key["Description"] = input.Text("Description")));
        On("EnableKeyRotation", (context, input) =>
        {
            Share(context, RotationKey(context, input), key =>
            {
                key["_Rotation"] = true;
                key["_RotationPeriod"] = input.Int("RotationPeriodInDays") ?? key.Int("_RotationPeriod") ?? 365;
                key["_RotationSince"] = Documents.Time(context.Now);
            });
            return [];
        });
        On("DisableKeyRotation", (context, input) =>
        {
            Share(context, RotationKey(context, input), static key => key["_Rotation"] = false);
            return [];
        });
        On("GetKeyRotationStatus", GetKeyRotationStatus);
        On("RotateKeyOnDemand", RotateKeyOnDemand);
        On("ListKeyRotations", (context, input) => Marked(input, Key(context, input.Required("KeyId")).Objects("_Rotations").ToList(), "Rotations"));
        On("GetKeyPolicy", (context, input) => new JsonObject { ["Policy"] = Key(context, input.Required("KeyId")).Text("_Policy"), ["PolicyName"] = "default" });
        On("PutKeyPolicy", (context, input) => Change(context, input, key => key["_Policy"] = CheckedPolicy(input.Required("Policy")), allowDisabled: true));
        On("ListKeyPolicies", (context, input) =>
        {
            _ = Key(context, input.Required("KeyId"));
            return new JsonObject { ["PolicyNames"] = new JsonArray("default"), ["Truncated"] = false };
        });
        On("ScheduleKeyDeletion", ScheduleKeyDeletion);
        On("CancelKeyDeletion", CancelKeyDeletion);
        On("CreateAlias", CreateAlias);
        On("UpdateAlias", UpdateAlias);
        On("DeleteAlias", DeleteAlias);
        On("ListAliases", ListAliases);
        On("TagResource", (context, input) => Change(context, input, key => Tags.Put(key, "_Tags", input.Objects("Tags"), "TagKey", "TagValue"), allowDisabled: true));
        On("UntagResource", (context, input) => Change(context, input, key => Tags.Remove(key, "_Tags", input.Texts("TagKeys"), "TagKey"), allowDisabled: true));
        On("ListResourceTags", (context, input) => Marked(input, Key(context, input.Required("KeyId")).Objects("_Tags").ToList(), "Tags"));
        On("CreateGrant", CreateGrant);
        On("ListGrants", (context, input) => Marked(input, Key(context, input.Required("KeyId")).Objects("_Grants").ToList(), "Grants"));
        On("RevokeGrant", RevokeGrant);
        On("RetireGrant", RevokeGrant);
        On("Encrypt", Encrypt);
        On("Decrypt", Decrypt);
        On("ReEncrypt", ReEncrypt);
        On("GenerateDataKey", (context, input) => GenerateDataKey(context, input, true));
        On("GenerateDataKeyWithoutPlaintext", (context, input) => GenerateDataKey(context, input, false));
        On("GenerateRandom", GenerateRandom);
        AddRegions();
    }

    [GeneratedRegex(@"^alias/[a-zA-Z0-9/_-]+\z")]
    private static partial Regex AliasPattern();

    /// <summary>The ARN of a key that another service is to use; faults as that service reports a key it cannot use.</summary>
    public string RequireEnabledKey(RequestContext context, string key, string service)
    {
        _ = service;
        var found = Key(context, key);
        RequireUsable(found);
        return found.Required("Arn");
    }

    /// <summary>The AWS managed key of a service (<c>alias/aws/…</c>), which comes into being when first needed.</summary>
    public string ServiceKeyArn(RequestContext context, string service)
    {
        var alias = $"alias/aws/{service}";
        return Aliases(context).Lock(() =>
        {
            if (Aliases(context).Get(alias) is { } present)
            {
                return Key(context, present.Required("TargetKeyId")).Required("Arn");
            }
            var key = NewKey(context, $"Default key that protects my {service} data when no other key is defined", "AWS", DefaultPolicy(context), new JsonArray());
            AddAlias(context, alias, key.Required("KeyId"));
            return key.Required("Arn");
        });
    }

    private Collection Keys(RequestContext context) => Collection(context, "keys");

    private Collection Aliases(RequestContext context) => Collection(context, "aliases");

    /// <summary>A key by id, ARN, alias or alias ARN.</summary>
    private JsonObject Key(RequestContext context, string id)
    {
        var region = context;
        var name = id;
        if (id.StartsWith("arn:", StringComparison.Ordinal))
        {
            var parts = id.Split(':', 6);
            if (parts.Length < 6 || parts[2] != "kms")
            {
                throw new ServiceFault("InvalidArnException", $"Invalid arn {id}");
            }
            if (parts[3] != context.Region)
            {
                throw new ServiceFault("NotFoundException", $"Invalid arn {parts[3]}");
            }
            region = context.With(parts[4], parts[3]);
            name = parts[5].StartsWith("key/", StringComparison.Ordinal) ? parts[5][4..] : parts[5];
        }
        if (name.StartsWith("alias/", StringComparison.Ordinal))
        {
            if (Aliases(region).Get(name) is { } alias)
            {
                name = alias.Required("TargetKeyId");
            }
            else if (name.StartsWith("alias/aws/", StringComparison.Ordinal))
            {
                ServiceKeyArn(region, name["alias/aws/".Length..]);
                name = Aliases(region).Get(name)!.Required("TargetKeyId");
            }
            else
            {
                throw new ServiceFault("NotFoundException", $"Alias {region.Arn("kms", name)} is not found.");
            }
        }
        if (region.AccountId != context.AccountId && context.Operation.Length > 0
            && !CrossAccount.Allows(context, region.AccountId, Keys(region).Get(name)?.Text("_Policy"), Action(context), region.Arn("kms", "key/" + name)))
        {
            throw new ServiceFault("AccessDeniedException", CrossAccount.Refusal(context, Action(context), region.Arn("kms", "key/" + name)));
        }
        return Keys(region).Get(name)
            ?? throw new ServiceFault("NotFoundException", Guid.TryParse(name, out _) || name.StartsWith("mrk-", StringComparison.Ordinal)
                ? $"Key '{region.Arn("kms", "key/" + name)}' does not exist"
                : $"Invalid keyId {name}");
    }

    /// <summary>What the caller does with a key: a service that is to use one for it is given a grant.</summary>
    private string Action(RequestContext context) => "kms:" + (Implements(context.Operation) ? context.Operation : "CreateGrant");

    private JsonObject CreateKey(RequestContext context, JsonObject input)
    {
        var spec = input.Text("KeySpec") ?? input.Text("CustomerMasterKeySpec") ?? "SYMMETRIC_DEFAULT";
        if (spec != "SYMMETRIC_DEFAULT" || input.Text("KeyUsage") is not (null or "ENCRYPT_DECRYPT") || input.Text("Origin") is not (null or "AWS_KMS"))
        {
            throw new ServiceFault("NotImplemented", $"The sandbox has symmetric encryption keys only (asked for: {spec}, {input.Text("KeyUsage")}). Nothing was changed.", 501);
        }
        Tags.Check(input.Objects("Tags"), "TagException", "TagKey", "TagValue");
        var policy = input.Text("Policy") is { } given ? CheckedPolicy(given) : DefaultPolicy(context);
        var key = NewKey(context, input.Text("Description") ?? "", "CUSTOMER", policy, input["Tags"].Copy() as JsonArray ?? [], input.Is("MultiRegion"));
        return new JsonObject { ["KeyMetadata"] = Metadata(key) };
    }

    private JsonObject NewKey(RequestContext context, string description, string manager, string policy, JsonArray tags, bool multiRegion = false)
    {
        var id = multiRegion ? "mrk-" + Runtime.Ids.Hex(32) : Runtime.Ids.Uuid();
        var key = new JsonObject
        {
            ["AWSAccountId"] = context.AccountId,
            ["KeyId"] = id,
            ["Arn"] = context.Arn("kms", "key/" + id),
            ["CreationDate"] = Documents.Time(context.Now),
            ["Enabled"] = true,
            ["Description"] = description,
            ["KeyUsage"] = "ENCRYPT_DECRYPT",
            ["KeyState"] = "Enabled",
            ["Origin"] = "AWS_KMS",
            ["KeyManager"] = manager,
            ["CustomerMasterKeySpec"] = "SYMMETRIC_DEFAULT",
            ["KeySpec"] = "SYMMETRIC_DEFAULT",
            ["EncryptionAlgorithms"] = new JsonArray("SYMMETRIC_DEFAULT"),
            ["MultiRegion"] = multiRegion,
            ["_Policy"] = policy,
            ["_Tags"] = tags,
            ["_Rotation"] = manager == "AWS",
            ["_RotationPeriod"] = 365,
            ["_Material"] = new JsonArray(NewMaterial()),
        };
        if (multiRegion)
        {
            key["MultiRegionConfiguration"] = new JsonObject
            {
                ["MultiRegionKeyType"] = "PRIMARY",
                ["PrimaryKey"] = new JsonObject { ["Arn"] = key.Text("Arn"), ["Region"] = context.Region },
                ["ReplicaKeys"] = new JsonArray(),
            };
        }
        Keys(context).Put(id, key);
        return key;
    }

    private static JsonObject Metadata(JsonObject key)
    {
        var metadata = key.Copy();
        foreach (var name in metadata.Select(pair => pair.Key).Where(name => name[0] == '_').ToList())
        {
            metadata.Remove(name);
        }
        return metadata;
    }

    /// <summary>Changes a key that must not be pending deletion, nor disabled unless that is allowed.</summary>
    private JsonObject Change(RequestContext context, JsonObject input, Action<JsonObject> change, bool allowDisabled = false)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireSettled(key);
        if (key.Text("KeyState") is "PendingDeletion" or "PendingReplicaDeletion" or "Creating" || (!allowDisabled && key.Text("KeyState") != "Enabled"))
        {
            RequireUsable(key);
        }
        Keys(context).Update(key.Required("KeyId"), change);
        return [];
    }

    private static void RequireUsable(JsonObject key)
    {
        switch (key.Text("KeyState"))
        {
            case "Disabled":
                throw new ServiceFault("DisabledException", $"{key.Text("Arn")} is disabled.");
            case "PendingDeletion":
                throw new ServiceFault("KMSInvalidStateException", $"{key.Text("Arn")} is pending deletion.");
            case "PendingReplicaDeletion":
                throw new ServiceFault("KMSInvalidStateException", $"{key.Text("Arn")} is pending the deletion of its replicas.");
            case "Creating":
                throw new ServiceFault("KMSInvalidStateException", $"{key.Text("Arn")} is creating.");
        }
    }

    private JsonObject SetEnabled(RequestContext context, JsonObject input, bool enabled)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireSettled(key);
        if (key.Text("KeyState") != "Disabled")
        {
            RequireUsable(key);
        }
        Keys(context).Update(key.Required("KeyId"), document =>
        {
            document["Enabled"] = enabled;
            document["KeyState"] = enabled ? "Enabled" : "Disabled";
        });
        return [];
    }

    private JsonObject GetKeyRotationStatus(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        var answer = new JsonObject { ["KeyRotationEnabled"] = key.Is("_Rotation"), ["KeyId"] = key.Text("Arn") };
        if (key.Is("_Rotation"))
        {
            var period = key.Int("_RotationPeriod") ?? 365;
            answer["RotationPeriodInDays"] = period;
            answer["NextRotationDate"] = Documents.Time((key.TimeOf("_RotationSince") ?? key.TimeOf("CreationDate") ?? context.Now).AddDays(period));
        }
        return answer;
    }

    private JsonObject RotateKeyOnDemand(RequestContext context, JsonObject input)
    {
        var key = RotationKey(context, input);
        var material = NewMaterial();
        Share(context, key, document =>
        {
            // Old material stays: what it encrypted can still be decrypted.
            document.ListOrNew("_Material").Add(material);
            document.ListOrNew("_Rotations").Add((JsonNode)new JsonObject
            {
                ["KeyId"] = key.Text("Arn"),
                ["RotationDate"] = Documents.Time(context.Now),
                ["RotationType"] = "ON_DEMAND",
            });
        });
        return new JsonObject { ["KeyId"] = key.Text("KeyId") };
    }

    private JsonObject ScheduleKeyDeletion(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireCustomer(key);
        RequireSettled(key);
        if (key.Text("KeyState") != "Disabled")
        {
            RequireUsable(key);
        }
        var days = input.Int("PendingWindowInDays") ?? 30;
        if (days is < 7 or > 30)
        {
            throw new ServiceFault("ValidationException", "PendingWindowInDays must be between 7 and 30.");
        }
        var id = key.Required("KeyId");
        var answer = new JsonObject { ["KeyId"] = key.Text("Arn"), ["PendingWindowInDays"] = days };
        if (IsPrimary(key) && ReplicaRegionsOf(key).Any())
        {
            // It stays as long as it has replicas; its own waiting period begins when the last of them is gone.
            Keys(context).Update(id, document => (document["KeyState"], document["Enabled"], document["PendingDeletionWindowInDays"]) = ("PendingReplicaDeletion", false, days));
            return answer.With("KeyState", "PendingReplicaDeletion");
        }
        return answer.With("DeletionDate", Documents.Time(AwaitDeletion(context, id, days))).With("KeyState", "PendingDeletion");
    }

    private JsonObject CancelKeyDeletion(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        if (key.Text("KeyState") is not ("PendingDeletion" or "PendingReplicaDeletion"))
        {
            throw new ServiceFault("KMSInvalidStateException", $"{key.Text("Arn")} is not pending deletion.");
        }
        Keys(context).Update(key.Required("KeyId"), document =>
        {
            document["KeyState"] = "Disabled";
            document.Remove("DeletionDate");
            document.Remove("PendingDeletionWindowInDays");
        });
        return new JsonObject { ["KeyId"] = key.Text("Arn") };
    }

    private static void RequireCustomer(JsonObject key)
    {
        if (key.Text("KeyManager") == "AWS")
        {
            throw new ServiceFault("AccessDeniedException", $"{key.Text("Arn")} is an AWS managed key and cannot be changed.");
        }
    }

    private static string CheckedPolicy(string policy) =>
        PolicyDocument.Problem(policy, isResourcePolicy: true, needsResource: true) is { } problem ? throw new ServiceFault("MalformedPolicyDocumentException", problem) : policy;

    private static string DefaultPolicy(RequestContext context) => new JsonObject
    {
        ["Version"] = "2012-10-17",
        ["Id"] = "key-default-1",
        ["Statement"] = new JsonArray(new JsonObject
        {
            ["Sid"] = "Enable IAM User Permissions",
            ["Effect"] = "Allow",
            ["Principal"] = new JsonObject { ["AWS"] = context.GlobalArn("iam", "root") },
            ["Action"] = "kms:*",
            ["Resource"] = "*",
        }),
    }.ToJsonString();

    private static JsonObject Marked(JsonObject input, List<JsonObject> all, string member)
    {
        var answer = Pages.Answer(input, all, member, "Limit", "Marker", 100, "InvalidMarkerException", "NextMarker");
        answer["Truncated"] = answer.Has("NextMarker");
        return answer;
    }
}
