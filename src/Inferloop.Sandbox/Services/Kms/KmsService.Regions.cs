using System.Text.Json.Nodes;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Kms;

/// <summary>Multi-Region keys: one id and one material in several regions, of which one is the primary.</summary>
internal sealed partial class KmsService
{
    private void AddRegions()
    {
        On("ReplicateKey", ReplicateKey);
        On("UpdatePrimaryRegion", UpdatePrimaryRegion);
    }

    private static bool IsPrimary(JsonObject key) => key.Child("MultiRegionConfiguration")?.Text("MultiRegionKeyType") == "PRIMARY";

    private static bool IsReplica(JsonObject key) => key.Child("MultiRegionConfiguration")?.Text("MultiRegionKeyType") == "REPLICA";

    private static string PrimaryRegionOf(JsonObject key) => key.Child("MultiRegionConfiguration")!.Child("PrimaryKey")!.Required("Region");

    private static IEnumerable<string> ReplicaRegionsOf(JsonObject key) => key.Child("MultiRegionConfiguration")!.Objects("ReplicaKeys").Select(item => item.Required("Region"));

    private static ServiceFault Unsupported(string message) => new("UnsupportedOperationException", message);

    private JsonObject ReplicateKey(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        if (!IsPrimary(key))
        {
            throw Unsupported($"{key.Text("Arn")} is not a multi-region primary key.");
        }
        RequireUsable(key);
        RequireSettled(key);
        var region = input.Required("ReplicaRegion");
        RequireReachable(context, region);
        var there = context.InRegion(region);
        var id = key.Required("KeyId");
        Tags.Check(input.Objects("Tags"), "TagException", "TagKey", "TagValue");
        var policy = input.Text("Policy") is { } given ? CheckedPolicy(given) : DefaultPolicy(context);
        var replica = key.Copy();
        replica["Arn"] = there.Arn("kms", "key/" + id);
        replica["CreationDate"] = Documents.Time(context.Now);
        replica["Description"] = input.Text("Description") ?? "";
        (replica["KeyState"], replica["Enabled"]) = ("Creating", false);
        replica["_Policy"] = policy;
        replica["_Tags"] = input["Tags"].Copy() ?? new JsonArray();
        replica["_Grants"] = new JsonArray();
        if (!Keys(there).TryAdd(id, replica))
        {
            throw new ServiceFault("AlreadyExistsException", $"The multi-region key {id} already exists in region {region}.");
        }
        Relate(context, key, PrimaryRegionOf(key), [.. ReplicaRegionsOf(key), region]);
        var detached = there.Detached();
        Runtime.Links.Send(ModelName, id, context.Region, region, Durations.KmsReplicate, () => Keys(detached).Update(id, static document =>
        {
            if (document.Text("KeyState") == "Creating")
            {
                (document["KeyState"], document["Enabled"]) = ("Enabled", true);
            }
        }));
        return new JsonObject { ["ReplicaKeyMetadata"] = Metadata(Keys(there).Get(id)!), ["ReplicaPolicy"] = policy, ["ReplicaTags"] = replica["_Tags"].Copy() };
    }

    private JsonObject UpdatePrimaryRegion(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        var region = input.Required("PrimaryRegion");
        if (!IsPrimary(key))
        {
            throw Unsupported($"{key.Text("Arn")} is not a multi-region primary key.");
        }
        RequireUsable(key);
        RequireSettled(key);
        if (region == context.Region)
        {
            throw Unsupported($"{region} is the primary region of {key.Text("Arn")} already.");
        }
        RequireReachable(context, region);
        var there = context.InRegion(region);
        var id = key.Required("KeyId");
        var replica = ReplicaRegionsOf(key).Contains(region) && Keys(there).Get(id) is { } found ? found : throw new ServiceFault("NotFoundException", $"Key '{there.Arn("kms", "key/" + id)}' does not exist");
        RequireUsable(replica);
        RequireSettled(replica);
        foreach (var place in (RequestContext[])[context, there])
        {
            Keys(place).Update(id, static document => document["KeyState"] = "Updating");
        }
        var detached = context.Detached();
        Runtime.Links.Send(ModelName, id, context.Region, region, Durations.KmsUpdatePrimary, () =>
        {
            if (Keys(detached).Get(id) is not { } present)
            {
                return;
            }
            Relate(detached, present, region, [.. ReplicaRegionsOf(present).Where(item => item != region), detached.Region]);
            foreach (var place in (RequestContext[])[detached, detached.InRegion(region)])
            {
                Keys(place).Update(id, static document =>
                {
                    if (document.Text("KeyState") == "Updating")
                    {
                        document["KeyState"] = "Enabled";
                    }
                });
            }
        });
        return [];
    }

    /// <summary>Writes into each of the related keys which of them is the primary and which the replicas are.</summary>
    private void Relate(RequestContext context, JsonObject key, string primary, IReadOnlyList<string> replicas)
    {
        var id = key.Required("KeyId");
        JsonObject Member(string region) => new() { ["Arn"] = context.InRegion(region).Arn("kms", "key/" + id), ["Region"] = region };
        foreach (var region in replicas.Prepend(primary))
        {
            Keys(context.InRegion(region)).Update(id, document => document["MultiRegionConfiguration"] = new JsonObject
            {
                ["MultiRegionKeyType"] = region == primary ? "PRIMARY" : "REPLICA",
                ["PrimaryKey"] = Member(primary),
                ["ReplicaKeys"] = replicas.Order(StringComparer.Ordinal).Select(Member).ToJsonList(),
            });
        }
    }

    /// <summary>What all related keys share is changed in all of them.</summary>
    private void Share(RequestContext context, JsonObject key, Action<JsonObject> change)
    {
        var id = key.Required("KeyId");
        Keys(context).Update(id, change);
        if (IsPrimary(key))
        {
            foreach (var region in ReplicaRegionsOf(key))
            {
                Keys(context.InRegion(region)).Update(id, change);
            }
        }
    }

    /// <summary>Rotation belongs to the primary.</summary>
    private JsonObject RotationKey(RequestContext context, JsonObject input)
    {
        var key = Key(context, input.Required("KeyId"));
        RequireUsable(key);
        return IsReplica(key) ? throw Unsupported($"{key.Text("Arn")} is a multi-region replica key: its rotation is that of the primary key in {PrimaryRegionOf(key)}.") : key;
    }

    private void RequireReachable(RequestContext context, string region)
    {
        if (!Runtime.EnabledRegions.Contains(region))
        {
            throw new ServiceFault("ValidationException", $"The region {region} is not a region of KMS in this account.");
        }
        if (Runtime.Links.IsCut(context.Region, region, ModelName))
        {
            throw new ServiceFault("KMSInternalException", $"The request was rejected because KMS in {region} could not be reached. The request can be retried.", 500);
        }
    }

    private static void RequireSettled(JsonObject key)
    {
        if (key.Text("KeyState") == "Updating")
        {
            throw new ServiceFault("KMSInvalidStateException", $"{key.Text("Arn")} is updating.");
        }
    }

    /// <summary>A key that is gone: out of its relation; a primary that waited for its last replica begins to wait for its own end.</summary>
    private void LeaveRelation(RequestContext context, JsonObject key)
    {
        if (!IsReplica(key))
        {
            return;
        }
        var (id, primary) = (key.Required("KeyId"), PrimaryRegionOf(key));
        var rest = ReplicaRegionsOf(key).Where(region => region != context.Region).ToList();
        Relate(context, key, primary, rest);
        var there = context.InRegion(primary);
        if (rest.Count == 0 && Keys(there).Get(id) is { } waiting && waiting.Text("KeyState") == "PendingReplicaDeletion")
        {
            AwaitDeletion(there, id, waiting.Int("PendingDeletionWindowInDays") ?? 30);
        }
    }

    /// <summary>Lets a key's waiting period begin; at its end the key and its aliases go.</summary>
    private DateTimeOffset AwaitDeletion(RequestContext caller, string id, int days)
    {
        var context = caller.Detached();
        var at = context.Now.AddDays(days);
        Keys(context).Update(id, document =>
        {
            (document["KeyState"], document["Enabled"], document["DeletionDate"]) = ("PendingDeletion", false, Documents.Time(at));
            document.Remove("PendingDeletionWindowInDays");
        });
        Runtime.Clock.Schedule(at, () =>
        {
            if (Keys(context).Get(id) is { } due && due.Text("KeyState") == "PendingDeletion" && due.TimeOf("DeletionDate") <= Runtime.Clock.Now.AddSeconds(1))
            {
                Keys(context).Remove(id);
                foreach (var alias in Aliases(context).Where(alias => alias.Text("TargetKeyId") == id))
                {
                    Aliases(context).Remove(alias.Required("AliasName"));
                }
                LeaveRelation(context, due);
            }
        });
        return at;
    }
}
